/* Convolutions: cuDNN's in bf16, our plain kernel in f32 and where cuDNN has no plan.
 *
 * cuDNN wants channels in eights: the weights are padded already (weight.c), an input of 3 channels
 * is padded here, and a result of 3 is cut out of one of 8, where it becomes f32 too (an f32
 * result of cuDNN's own costs two seconds of compiling). The residual is read by the same kernel
 * that writes the result over it: a block reads its own part before it writes it. */
#include "tensor/cuda/cuda.h"

#include "tensor/cuda/plans.h"

#include <string.h>

static void plain(struct cuda *c, const struct conv_op *op, const struct tensor *x)
{
    const struct cuda_weight *w = (const struct cuda_weight *)op->w;
    struct launch_conv a = {.x = span_of(x),
                            .w = {w->data, w->type},
                            .y = span_of(op->y),
                            .bias = w->bias,
                            .xt = (int)x->dim[0],
                            .xh = (int)x->dim[1],
                            .xw = (int)x->dim[2],
                            .in = (int)x->dim[3],
                            .yt = (int)op->y->dim[0],
                            .yh = (int)op->y->dim[1],
                            .yw = (int)op->y->dim[2],
                            .out = (int)op->y->dim[3],
                            .kt = w->w.kt,
                            .kh = w->w.kh,
                            .kw = w->w.kw,
                            .stride_t = op->stride_t,
                            .stride = op->stride,
                            .top = op->top,
                            .left = op->left,
                            .add = op->add};
    cuda_ok(c, launch_conv(&a, c->stream), "a convolution", a.in, a.out,
            (int64_t)a.yt * a.yh * a.yw);
}

static void build(struct graph *g, const void *shape)
{
    conv_graph(g, shape);
}

/* x has in8 channels and y out8. False: there is no plan, nothing was done. */
static bool planned(struct cuda *c, const struct conv_op *op, const struct tensor *x,
                    const struct tensor *y)
{
    const struct cuda_weight *w = (const struct cuda_weight *)op->w;
    struct conv_shape s;
    memset(&s, 0, sizeof s); /* keys are compared as bytes */
    s.xt = x->dim[0];
    s.xh = x->dim[1];
    s.xw = x->dim[2];
    s.in = w->in8;
    s.yt = y->dim[0];
    s.yh = y->dim[1];
    s.yw = y->dim[2];
    s.out = w->out8;
    s.kt = w->w.kt;
    s.kh = w->w.kh;
    s.kw = w->w.kw;
    s.stride_t = op->stride_t;
    s.stride = op->stride;
    s.top = op->top;
    s.bottom = op->bottom;
    s.left = op->left;
    s.right = op->right;
    s.bias = w->bias != NULL;
    s.add = op->add;
    struct plan_run r = {.key = &s,
                         .key_n = sizeof s,
                         .graph = build,
                         .what = "a convolution",
                         .size = {s.in, s.out, s.yt * s.yh * s.yw},
                         .id = {ID_X, ID_W, ID_Y},
                         .data = {x->data, w->data, y->data},
                         .n = 3,
                         .result = ID_Y,
                         .result_bytes = tensor_bytes(y),
                         .input_too = op->add};
    if (s.bias) {
        r.id[r.n] = ID_BIAS;
        r.data[r.n++] = w->bias_low;
    }
    if (s.add) {
        r.id[r.n] = ID_ADD;
        r.data[r.n++] = y->data;
    }
    return plans_run(c, &r);
}

void conv_run(struct device *d, const struct conv_op *op)
{
    struct cuda *c = cuda_of(d);
    const struct cuda_weight *w = (const struct cuda_weight *)op->w;
    const struct tensor *y = op->y;
    void *own;
    struct tensor x = cuda_as(c, op->x, w->type, &own), wide = {0}, whole = {0};
    struct tensor in = x, out = *y;
    int64_t places = x.dim[0] * x.dim[1] * x.dim[2];
    /* padding a residual would cost more than it gains, and none has odd channels */
    bool fits = w->type == DTYPE_BF16 && (!op->add || (w->out8 == w->w.out && y->type == w->type));
    if (w->in8 != w->w.in) {
        wide = tensor_of(d, w->type, 4, (const int64_t[]){x.dim[0], x.dim[1], x.dim[2], w->in8});
        if (x.data && wide.data)
            cuda_ok(c,
                    launch_channels(span_of(&wide), (int)w->in8, span_of(&x), (int)w->w.in, places,
                                    c->stream),
                    "padding channels", places, w->w.in, w->in8);
        in = wide;
    }
    if (fits && (w->out8 != w->w.out || y->type != w->type)) {
        whole =
            tensor_of(d, w->type, 4, (const int64_t[]){y->dim[0], y->dim[1], y->dim[2], w->out8});
        out = whole;
    }
    bool done = fits && in.data && out.data && planned(c, op, &in, &out);
    if (done && whole.data)
        cuda_ok(c,
                launch_channels(span_of(y), (int)w->w.out, span_of(&whole), (int)w->out8,
                                y->dim[0] * y->dim[1] * y->dim[2], c->stream),
                "cutting channels", w->out8, w->w.out, 1);
    if (!done && !device_failed(d))
        plain(c, op, &in);
    tensor_free(&wide);
    tensor_free(&whole);
    if (own)
        device_release(d, own);
}
