/* Linear layers, and the step of a residual stream.
 *
 * The product's own tail does bias and tanh-GELU; the other activations and gates are a kernel
 * behind it. A residual step writes its product once in the working type, and one kernel then reads
 * it, adds it to the f32 stream, and normalises for what follows. */
#include "tensor/cuda/cuda.h"

#include "tensor/cuda/gemm.h"

/* What a product with these weights gives: it has no e4m3 of its own. */
static enum dtype result_of(const struct cuda_weight *w)
{
    return w->type == DTYPE_F8_E4M3 ? DTYPE_BF16 : w->type;
}

/* y (of result_of(w), or F32 of wider weights) = x·Wᵀ + b, plus y when `add` */
static struct gemm product(const struct cuda *c, const struct tensor *x,
                           const struct cuda_weight *w, const struct tensor *y, bool gelu, bool add)
{
    int64_t rows = tensor_count(x) / w->w.in;
    struct gemm g = {.shape = {.m = rows,
                               .n = w->w.out,
                               .k = w->w.in,
                               .ldx = w->w.in,
                               .ldw = w->w.in,
                               .ldy = w->w.out,
                               .in = (int)w->type,
                               .out = (int)y->type,
                               .gelu = gelu},
                     .x = x->data,
                     .w = weight_data(w),
                     .y = y->data,
                     .bias = y->type == DTYPE_BF16 ? w->bias_low : w->bias,
                     .alpha = 1,
                     .beta = add ? 1.0f : 0.0f};
    if (w->type == DTYPE_F8_E4M3) {
        g.scale_x = eight_scales(x->data, rows, w->w.in);
        g.scale_w = weight_scales(w);
        g.shape.whole = c->eight == EIGHT_TENSORS;
    }
    return g;
}

static void map(struct cuda *c, struct launch_map a)
{
    cuda_ok(c, launch_map(&a, c->stream), "what follows a product", a.n, a.width, (int)a.what);
}

void linear_run(struct device *d, const struct linear_op *op)
{
    struct cuda *c = cuda_of(d);
    struct cuda_weight wide = {0};
    const struct cuda_weight *w = weight_wide(c, op->w, &wide);
    void *own;
    struct tensor x = cuda_as(c, op->x, w->type, &own), y = *op->y, apart = {0};
    enum dtype type = result_of(w);
    /* f32 weights give f32 only, e4m3 bf16 only; a gate comes after the bias */
    bool direct = !(op->add && op->gate) &&
                  (w->type == DTYPE_F8_E4M3 ? y.type == type && !op->add
                                            : y.type == type || y.type == DTYPE_F32);
    if (direct && y.type != type && x.data) { /* widened by the product, if it can */
        struct gemm g = product(c, &x, w, &y, false, op->add);
        direct = gemm_can(c, &g);
    }
    if (!direct) {
        apart = tensor_of(d, type, y.rank, y.dim);
        y = apart;
    }
    bool gelu = op->act == ACT_GELU_TANH && type == DTYPE_BF16 && y.type == DTYPE_BF16;
    if (x.data && y.data) {
        struct gemm g = product(c, &x, w, &y, gelu, direct && op->add);
        if (gelu && !gemm_can(c, &g)) /* then after the product */
            g.shape.gelu = gelu = false;
        gemm_run(c, &g);
    }
    struct launch_map after = {.y = span_of(op->y),
                               .x = span_of(&y),
                               .n = tensor_count(&y),
                               .width = w->w.out,
                               .act = gelu ? ACT_NONE : op->act};
    if (!device_failed(d) && !direct && op->add) {
        after.what = op->gate ? MAP_GATE : MAP_BLEND;
        after.a = after.b = 1;
        if (op->gate)
            after.z = span_of(op->gate);
        map(c, after);
    } else if (!device_failed(d) && (!direct || after.act != ACT_NONE) && !op->add) {
        after.what = MAP_ACT;
        map(c, after);
    }
    tensor_free(&apart);
    if (own)
        device_release(d, own);
    if (wide.data)
        device_release(d, wide.data);
}

void linear_join(struct device *d, const struct join_op *op)
{
    struct cuda *c = cuda_of(d);
    struct cuda_weight wide = {0};
    const struct cuda_weight *w = weight_wide(c, op->w, &wide);
    const struct norm_op *next = op->next;
    void *own;
    struct tensor from = cuda_as(c, op->from, w->type, &own);
    struct tensor step = tensor_of(d, result_of(w), op->x->rank, op->x->dim);
    if (from.data && step.data) {
        struct gemm g = product(c, &from, w, &step, false, false);
        gemm_run(c, &g);
    }
    struct launch_norm a = {.x = span_of(op->x),
                            .from = span_of(&step),
                            .gate = op->gate ? op->gate->data : NULL,
                            .rows = tensor_count(&step) / w->w.out,
                            .width = (int)w->w.out};
    struct tensor y = {0};
    if (next) {
        y = cuda_unrounded(c, next->y);
        a.y = span_of(&y);
        a.weight = next->weight ? next->weight->data : NULL;
        a.bias = next->bias ? next->bias->data : NULL;
        a.scale = next->scale ? next->scale->data : NULL;
        a.shift = next->shift ? next->shift->data : NULL;
        a.kind = (int)next->kind;
        a.act = (int)next->act;
        a.eps = next->eps;
    }
    if (!device_failed(d))
        cuda_ok(c, launch_norm(&a, c->stream), "a residual step", a.rows, a.width, 1);
    if (next)
        cuda_rounded(c, next->y, &y);
    tensor_free(&step);
    if (own)
        device_release(d, own);
    if (wide.data)
        device_release(d, wide.data);
}
