/* Products by oneDNN (C interface of version 2).
 *
 * Weights are reordered once into the layout that oneDNN asks for and stay in it. A primitive is
 * made for each shape that comes and kept; a shape whose primitive wants another weight layout
 * takes the one that is there, since its own would cost a second copy of the weights. */
#include "tensor/cpu/cpu.h"

#include <oneapi/dnnl/dnnl.h>
#include <stdlib.h>
#include <string.h>

#define KEPT 512      /* primitives; the least recently used goes */
#define ROWS_HINT 256 /* rows for which the layout of a linear layer is chosen */

struct packed {
    struct weight w; /* first */
    dnnl_memory_desc_t layout;
    void *data;
    float *bias;
};

/* What a primitive was made for. */
struct recipe {
    int64_t x[4], y[4]; /* linear: rows, in, out in x[0], x[3], y[3] */
    int kt, kh, kw, stride_t, stride, top, bottom, left, right;
    int act, add, gate, bias;
    dnnl_memory_desc_t layout;
};

struct kept {
    struct recipe for_what;
    dnnl_primitive_t primitive;
    dnnl_memory_desc_t src, dst, bias, gate;
    uint64_t used;
};

struct state {
    dnnl_engine_t engine;
    dnnl_stream_t stream;
    struct kept kept[KEPT];
    int kept_n;
    uint64_t clock;
};

static struct state *state_of(struct device *d)
{
    return cpu_of(d)->state;
}

static void dnnl_close(void *state)
{
    struct state *s = state;
    if (!s)
        return;
    for (int i = 0; i < s->kept_n; i++)
        dnnl_primitive_destroy(s->kept[i].primitive);
    if (s->stream)
        dnnl_stream_destroy(s->stream);
    if (s->engine)
        dnnl_engine_destroy(s->engine);
    free(s);
}

static enum err dnnl_open(struct device *d, void **out, struct fault *f)
{
    struct state *s = calloc(1, sizeof *s);
    if (s && !dnnl_engine_create(&s->engine, dnnl_cpu, 0) &&
        !dnnl_stream_create(&s->stream, s->engine, dnnl_stream_default_flags)) {
        *out = s;
        return ERR_OK;
    }
    dnnl_close(s);
    return fault_set(f, ERR_UNSUPPORTED, "oneDNN does not start");
}

static void blocked(dnnl_memory_desc_t *md, int rank, const int64_t *dims, const int64_t *strides)
{
    dnnl_dims_t n, s;
    for (int i = 0; i < rank; i++) {
        n[i] = dims[i];
        s[i] = strides ? strides[i] : 0;
    }
    if (strides)
        dnnl_memory_desc_init_by_strides(md, rank, n, dnnl_f32, s);
    else
        dnnl_memory_desc_init_by_tag(md, rank, n, dnnl_f32, dnnl_format_tag_any);
}

static void dnnl_unpack(struct weight *w)
{
    struct packed *p = (struct packed *)w;
    free(p->data);
    free(p->bias);
    free(p);
}

/* to[layout] = from, which is row-major [out, in, kt, kh, kw] or, for a matrix, [in, out] strided
 */
static bool reorder(struct state *s, const dnnl_memory_desc_t *from, const float *values,
                    const dnnl_memory_desc_t *layout, void *to)
{
    dnnl_memory_t a = NULL, b = NULL;
    dnnl_primitive_desc_t desc = NULL;
    dnnl_primitive_t go = NULL;
    bool ok =
        !dnnl_memory_create(&a, from, s->engine, (void *)values) &&
        !dnnl_memory_create(&b, layout, s->engine, to) &&
        !dnnl_reorder_primitive_desc_create(&desc, from, s->engine, layout, s->engine, NULL) &&
        !dnnl_primitive_create(&go, desc);
    if (ok) {
        dnnl_exec_arg_t args[] = {{DNNL_ARG_FROM, a}, {DNNL_ARG_TO, b}};
        ok = !dnnl_primitive_execute(go, s->stream, 2, args) && !dnnl_stream_wait(s->stream);
    }
    if (go)
        dnnl_primitive_destroy(go);
    if (desc)
        dnnl_primitive_desc_destroy(desc);
    if (a)
        dnnl_memory_destroy(a);
    if (b)
        dnnl_memory_destroy(b);
    return ok;
}

/* Epilogue: bias is an argument of its own; then act, or gate and sum. */
static dnnl_primitive_attr_t epilogue(struct kept *k, const struct recipe *r)
{
    dnnl_primitive_attr_t attr = NULL;
    dnnl_post_ops_t ops = NULL;
    if (dnnl_primitive_attr_create(&attr) || dnnl_post_ops_create(&ops))
        return attr;
    switch (r->act) {
    case ACT_GELU_TANH:
        dnnl_post_ops_append_eltwise(ops, 1, dnnl_eltwise_gelu_tanh, 0, 0);
        break;
    case ACT_GELU_ERF:
        dnnl_post_ops_append_eltwise(ops, 1, dnnl_eltwise_gelu_erf, 0, 0);
        break;
    case ACT_SILU:
        dnnl_post_ops_append_eltwise(ops, 1, dnnl_eltwise_swish, 1, 0);
        break;
    default:
        break;
    }
    if (r->gate)
        dnnl_post_ops_append_binary(ops, dnnl_binary_mul, &k->gate);
    if (r->add)
        dnnl_post_ops_append_sum(ops, 1);
    dnnl_primitive_attr_set_post_ops(attr, ops);
    dnnl_post_ops_destroy(ops);
    return attr;
}

static dnnl_primitive_desc_t describe_linear(struct state *s, struct kept *k,
                                             const struct recipe *r)
{
    int64_t m = r->x[0], in = r->x[3], out = r->y[3];
    dnnl_matmul_desc_t op;
    blocked(&k->src, 2, (const int64_t[]){m, in}, (const int64_t[]){in, 1});
    blocked(&k->dst, 2, (const int64_t[]){m, out}, (const int64_t[]){out, 1});
    blocked(&k->bias, 2, (const int64_t[]){1, out}, (const int64_t[]){out, 1});
    k->gate = k->bias;
    dnnl_primitive_desc_t desc = NULL;
    dnnl_primitive_attr_t attr = epilogue(k, r);
    if (!dnnl_matmul_desc_init(&op, &k->src, &r->layout, r->bias ? &k->bias : NULL, &k->dst) &&
        dnnl_primitive_desc_create(&desc, &op, attr, s->engine, NULL))
        desc = NULL;
    dnnl_primitive_attr_destroy(attr);
    return desc;
}

static void frames(dnnl_memory_desc_t *md, const int64_t *d) /* [t, h, w, c] as n c t h w */
{
    int64_t t = d[0], h = d[1], w = d[2], c = d[3];
    blocked(md, 5, (const int64_t[]){1, c, t, h, w},
            (const int64_t[]){t * h * w * c, 1, h * w * c, w * c, c});
}

static dnnl_primitive_desc_t describe_conv(struct state *s, struct kept *k, const struct recipe *r)
{
    dnnl_convolution_desc_t op;
    frames(&k->src, r->x);
    frames(&k->dst, r->y);
    blocked(&k->bias, 1, &r->y[3], (const int64_t[]){1});
    dnnl_dims_t stride = {r->stride_t, r->stride, r->stride}, none = {0, 0, 0};
    dnnl_dims_t before = {0, r->top, r->left}, after = {0, r->bottom, r->right};
    dnnl_primitive_desc_t desc = NULL;
    dnnl_primitive_attr_t attr = epilogue(k, r);
    if (!dnnl_dilated_convolution_forward_desc_init(
            &op, dnnl_forward_inference, dnnl_convolution_direct, &k->src, &r->layout,
            r->bias ? &k->bias : NULL, &k->dst, stride, none, before, after) &&
        dnnl_primitive_desc_create(&desc, &op, attr, s->engine, NULL))
        desc = NULL;
    dnnl_primitive_attr_destroy(attr);
    return desc;
}

static bool is_linear(const struct recipe *r)
{
    return r->kt == 0;
}

static dnnl_primitive_desc_t describe(struct state *s, struct kept *k, const struct recipe *r)
{
    return is_linear(r) ? describe_linear(s, k, r) : describe_conv(s, k, r);
}

/* The primitive for a recipe, made when it is new; NULL when oneDNN cannot. */
static struct kept *primitive(struct state *s, const struct recipe *r)
{
    int oldest = 0;
    for (int i = 0; i < s->kept_n; i++) {
        if (!memcmp(&s->kept[i].for_what, r, sizeof *r)) {
            s->kept[i].used = ++s->clock;
            return &s->kept[i];
        }
        if (s->kept[i].used < s->kept[oldest].used)
            oldest = i;
    }
    struct kept fresh = {.for_what = *r, .used = ++s->clock};
    dnnl_primitive_desc_t desc = describe(s, &fresh, r);
    bool ok = desc && !dnnl_primitive_create(&fresh.primitive, desc);
    if (desc)
        dnnl_primitive_desc_destroy(desc);
    if (!ok)
        return NULL;
    int at = s->kept_n < KEPT ? s->kept_n++ : oldest;
    if (s->kept[at].primitive)
        dnnl_primitive_destroy(s->kept[at].primitive);
    s->kept[at] = fresh;
    return &s->kept[at];
}

/* The layout that oneDNN likes for these weights: asked with a typical input. */
static bool choose_layout(struct state *s, const struct weight_spec *spec, struct packed *p)
{
    struct recipe r = {.bias = spec->bias != NULL};
    struct kept scratch = {0};
    if (spec->kt * spec->kh * spec->kw == 1) {
        r.x[0] = ROWS_HINT;
        r.x[3] = spec->in;
        r.y[3] = spec->out;
        blocked(&r.layout, 2, (const int64_t[]){spec->in, spec->out}, NULL);
    } else {
        int64_t x[] = {spec->kt, 32, 32, spec->in};
        int64_t y[] = {1, 32, 32, spec->out};
        memcpy(r.x, x, sizeof x);
        memcpy(r.y, y, sizeof y);
        r.kt = spec->kt;
        r.kh = spec->kh;
        r.kw = spec->kw;
        r.stride_t = r.stride = 1;
        r.top = r.bottom = spec->kh / 2;
        r.left = r.right = spec->kw / 2;
        blocked(&r.layout, 5, (const int64_t[]){spec->out, spec->in, spec->kt, spec->kh, spec->kw},
                NULL);
    }
    dnnl_primitive_desc_t desc = describe(s, &scratch, &r);
    if (!desc)
        return false;
    p->layout = *dnnl_primitive_desc_query_md(desc, dnnl_query_weights_md, 0);
    dnnl_primitive_desc_destroy(desc);
    return true;
}

static struct weight *dnnl_pack(struct device *d, const struct weight_spec *spec)
{
    struct state *s = state_of(d);
    struct packed *p = calloc(1, sizeof *p);
    dnnl_memory_desc_t plain;
    if (!p)
        return NULL;
    int64_t in = spec->in, taps = (int64_t)spec->kt * spec->kh * spec->kw, hw = spec->kh * spec->kw;
    if (taps == 1)
        blocked(&plain, 2, (const int64_t[]){in, spec->out}, (const int64_t[]){1, in});
    else
        blocked(&plain, 5, (const int64_t[]){spec->out, in, spec->kt, spec->kh, spec->kw},
                (const int64_t[]){in * taps, taps, hw, spec->kw, 1});
    bool ok = choose_layout(s, spec, p);
    size_t bytes = ok ? dnnl_memory_desc_get_size(&p->layout) : 0;
    p->data = ok ? cpu_memory(bytes) : NULL;
    p->bias = spec->bias ? cpu_memory((size_t)spec->out * sizeof(float)) : NULL;
    ok = p->data && (p->bias || !spec->bias) &&
         reorder(s, &plain, spec->values, &p->layout, p->data);
    if (!ok) {
        dnnl_unpack(&p->w);
        return NULL;
    }
    if (spec->bias)
        memcpy(p->bias, spec->bias, (size_t)spec->out * sizeof(float));
    p->w.bytes = bytes;
    return &p->w;
}

struct argument {
    int what;
    const dnnl_memory_desc_t *md;
    void *data;
};

static void run(struct device *d, const struct kept *k, const struct argument *a, int n)
{
    struct state *s = state_of(d);
    dnnl_exec_arg_t args[8];
    bool ok = true;
    int made = 0;
    for (; made < n && ok; made++) {
        args[made].arg = a[made].what;
        ok = !dnnl_memory_create(&args[made].memory, a[made].md, s->engine, a[made].data);
    }
    ok = ok && !dnnl_primitive_execute(k->primitive, s->stream, n, args) &&
         !dnnl_stream_wait(s->stream);
    while (made--)
        dnnl_memory_destroy(args[made].memory);
    if (!ok)
        device_fail(d, ERR_NOMEM, "oneDNN could not run a product");
}

static void multiply(struct device *d, const struct recipe *r, const struct packed *p,
                     const struct tensor *x, const struct tensor *y, const struct tensor *gate)
{
    struct kept *k = primitive(state_of(d), r);
    if (!k) {
        device_fail(d, ERR_UNSUPPORTED, "oneDNN has no product of these shapes");
        return;
    }
    struct argument a[5] = {{DNNL_ARG_SRC, &k->src, x->data},
                            {DNNL_ARG_WEIGHTS, &p->layout, p->data},
                            {DNNL_ARG_DST, &k->dst, y->data}};
    int n = 3;
    if (p->bias)
        a[n++] = (struct argument){DNNL_ARG_BIAS, &k->bias, p->bias};
    if (gate)
        a[n++] = (struct argument){DNNL_ARG_ATTR_MULTIPLE_POST_OP(0) | DNNL_ARG_SRC_1, &k->gate,
                                   gate->data};
    run(d, k, a, n);
}

static void dnnl_linear(struct device *d, const struct linear_op *op)
{
    const struct packed *p = (const struct packed *)op->w;
    struct recipe r;
    memset(&r, 0, sizeof r); /* recipes are compared as bytes */
    r.x[0] = tensor_count(op->x) / p->w.in;
    r.x[3] = p->w.in;
    r.y[3] = p->w.out;
    r.act = op->act;
    r.add = op->add;
    r.gate = op->gate != NULL;
    r.bias = p->bias != NULL;
    r.layout = p->layout;
    multiply(d, &r, p, op->x, op->y, op->gate);
}

static void dnnl_conv(struct device *d, const struct conv_op *op)
{
    const struct packed *p = (const struct packed *)op->w;
    struct recipe r;
    memset(&r, 0, sizeof r);
    memcpy(r.x, op->x->dim, sizeof r.x);
    memcpy(r.y, op->y->dim, sizeof r.y);
    r.kt = p->w.kt;
    r.kh = p->w.kh;
    r.kw = p->w.kw;
    r.stride_t = op->stride_t;
    r.stride = op->stride;
    r.top = op->top;
    r.bottom = op->bottom;
    r.left = op->left;
    r.right = op->right;
    r.add = op->add;
    r.bias = p->bias != NULL;
    r.layout = p->layout;
    multiply(d, &r, p, op->x, op->y, NULL);
}

const struct products products_dnnl = {
    .name = "oneDNN",
    .open = dnnl_open,
    .close = dnnl_close,
    .pack = dnnl_pack,
    .unpack = dnnl_unpack,
    .linear = dnnl_linear,
    .conv = dnnl_conv,
};
