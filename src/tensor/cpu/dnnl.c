/* Linear layers by oneDNN (C interface of version 2), in f32 or, with sums in f32, in bf16.
 *
 * Weights in f32 are reordered once into the layout that oneDNN asks for and stay in it; in bf16
 * they stay as they lie in files. The left side of a product in bf16 is rounded on its way into it;
 * results are f32. A primitive is
 * made for each shape that comes and kept. Convolutions go to the plain products: Debian's oneDNN
 * 2.6 has only its reference loops for channels-last 3-D ones (measured on the VAE at 128x128, 5
 * frames: 500 s against 4.5 s). */
#include "tensor/cpu/cpu.h"

#include <oneapi/dnnl/dnnl.h>
#include <stdlib.h>
#include <string.h>

#define KEPT 512 /* primitives; the least recently used goes */
#define PANEL 64
#define ROWS_HINT 256 /* rows for which the layout of a linear layer is chosen */

struct packed {
    struct weight w; /* first */
    dnnl_memory_desc_t layout;
    enum dtype dtype; /* F32 or BF16 */
    void *data;
    bool lent; /* data lies in the file */
    float *bias;
};

/* What a primitive was made for. */
struct recipe {
    int64_t rows, in, out;
    enum dtype dtype;
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
    struct device *dev;
    void *low; /* what x was rounded to, while products of it are left; else NULL */
    const void *low_of;
    int64_t low_n;
    int low_left;
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
    if (s->low)
        device_release(s->dev, s->low);
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
        s->dev = d;
        *out = s;
        return ERR_OK;
    }
    dnnl_close(s);
    return fault_set(f, ERR_UNSUPPORTED, "oneDNN does not start");
}

/* A matrix; both steps 0: in any layout. */
static void matrix(dnnl_memory_desc_t *md, enum dtype dtype, int64_t rows, int64_t columns,
                   int64_t row_step, int64_t column_step)
{
    const dnnl_dims_t n = {rows, columns}, s = {row_step, column_step};
    dnnl_data_type_t type = dtype == DTYPE_BF16 ? dnnl_bf16 : dnnl_f32;
    if (row_step)
        dnnl_memory_desc_init_by_strides(md, 2, n, type, s);
    else
        dnnl_memory_desc_init_by_tag(md, 2, n, type, dnnl_format_tag_any);
}

static bool is_conv(const struct weight *w)
{
    return w->kt * w->kh * w->kw > 1;
}

static void dnnl_unpack(struct weight *w)
{
    if (is_conv(w)) {
        products_plain.unpack(w);
        return;
    }
    struct packed *p = (struct packed *)w;
    if (p->data && !p->lent)
        device_release(w->dev, p->data);
    free(p->bias);
    free(p);
}

/* to[layout] = from, which is row-major [out, in, kt, kh, kw] or, for a matrix, [in, out] strided
 */
static bool reorder(struct state *s, const dnnl_memory_desc_t *from, const void *values,
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
    case ACT_RELU:
        dnnl_post_ops_append_eltwise(ops, 1, dnnl_eltwise_relu, 0, 0);
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

static dnnl_primitive_desc_t describe(struct state *s, struct kept *k, const struct recipe *r)
{
    int64_t m = r->rows, in = r->in, out = r->out;
    dnnl_matmul_desc_t op;
    matrix(&k->src, r->dtype, m, in, in, 1);
    matrix(&k->dst, DTYPE_F32, m, out, out, 1);
    matrix(&k->bias, DTYPE_F32, 1, out, out, 1);
    k->gate = k->bias;
    dnnl_primitive_desc_t desc = NULL;
    dnnl_primitive_attr_t attr = epilogue(k, r);
    if (!dnnl_matmul_desc_init(&op, &k->src, &r->layout, r->bias ? &k->bias : NULL, &k->dst) &&
        dnnl_primitive_desc_create(&desc, &op, attr, s->engine, NULL))
        desc = NULL;
    dnnl_primitive_attr_destroy(attr);
    return desc;
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
    struct recipe r = {.rows = ROWS_HINT, .in = spec->in, .out = spec->out, .bias = !!spec->bias};
    struct kept scratch = {0};
    matrix(&r.layout, DTYPE_F32, spec->in, spec->out, 0, 0);
    dnnl_primitive_desc_t desc = describe(s, &scratch, &r);
    if (!desc)
        return false;
    p->layout = *dnnl_primitive_desc_query_md(desc, dnnl_query_weights_md, 0);
    dnnl_primitive_desc_destroy(desc);
    return true;
}

/* Is it BA16a64b: panels of 64 columns, [panel][in][64]? That is what AVX-512 machines get. */
static bool is_panels(const dnnl_memory_desc_t *md)
{
    const dnnl_blocking_desc_t *b = &md->format_desc.blocking;
    return md->format_kind == dnnl_blocked && b->inner_nblks == 2 && b->inner_blks[0] == 16 &&
           b->inner_idxs[0] == 0 && b->inner_blks[1] == PANEL && b->inner_idxs[1] == 1 &&
           b->strides[0] == 16 * PANEL && b->strides[1] == md->padded_dims[0] * PANEL &&
           md->offset0 == 0;
}

/* Straight into that layout, a panel at a time: the source is read once. */
static void pack_panels(struct cpu *c, const struct weight_spec *spec, struct packed *p)
{
    int64_t in = spec->in, depth = p->layout.padded_dims[0];
    int team = cpu_team(c, spec->in * spec->out);
    PARALLEL_FOR(team)
    for (int64_t j = 0; j < p->layout.padded_dims[1] / PANEL; j++) {
        int64_t n = spec->out - j * PANEL < PANEL ? spec->out - j * PANEL : PANEL;
        float *scratch = cpu_scratch_of(c, THREAD_INDEX);
        float *panel = (float *)p->data + j * depth * PANEL;
        const float *rows[PANEL];
        for (int64_t i = 0; i < n; i++)
            rows[i] = cpu_rows(spec, j * PANEL + i, 1, in, scratch + i * in);
        if (n < PANEL || depth > in)
            memset(panel, 0, (size_t)(depth * PANEL) * sizeof *panel);
        c->k->panel(panel, rows, in, (int)n, PANEL);
    }
}

/* By oneDNN's own reorder, from a whole copy in f32. */
static bool pack_other(struct state *s, const struct weight_spec *spec, struct packed *p)
{
    dnnl_memory_desc_t plain;
    float *copy = cpu_memory((size_t)(spec->in * spec->out) * sizeof *copy);
    if (!copy)
        return false;
    matrix(&plain, DTYPE_F32, spec->in, spec->out, 1, spec->in);
    const float *rows = cpu_rows(spec, 0, spec->out, spec->in, copy);
    bool ok = reorder(s, &plain, rows, &p->layout, p->data);
    free(copy);
    return ok;
}

static bool pack_wide(struct device *d, const struct weight_spec *spec, struct packed *p)
{
    struct cpu *c = cpu_of(d);
    if (!cpu_scratch(c, (size_t)(PANEL * spec->in)) || !choose_layout(c->state, spec, p))
        return false;
    p->data = device_alloc(d, dnnl_memory_desc_get_size(&p->layout));
    if (!p->data)
        return false;
    if (!is_panels(&p->layout))
        return pack_other(c->state, spec, p);
    pack_panels(c, spec, p);
    return true;
}

/* Row by row, as files have them: AMX products copy what they read into their own order while they
 * run, and are no slower for it (at 512 rows even faster), so a file of bf16 can be used where it
 * lies. */
static bool pack_low(struct device *d, const struct weight_spec *spec, struct packed *p)
{
    struct cpu *c = cpu_of(d);
    int64_t in = spec->in;
    matrix(&p->layout, DTYPE_BF16, in, spec->out, 1, in);
    p->lent = spec->lent && spec->type == DTYPE_BF16;
    p->data = p->lent ? (void *)(uintptr_t)spec->values
                      : device_alloc(d, (size_t)(in * spec->out) * sizeof(uint16_t));
    if (!p->data || !cpu_scratch(c, (size_t)in))
        return false;
    uint16_t *to = p->data;
    int team = cpu_team(c, in * spec->out);
    if (p->lent)
        return true;
    PARALLEL_FOR(team)
    for (int64_t i = 0; i < spec->out; i++) {
        if (spec->type == DTYPE_BF16)
            memcpy(to + i * in, (const char *)spec->values + i * in * 2, (size_t)in * sizeof *to);
        else
            c->k->narrow(to + i * in, cpu_rows(spec, i, 1, in, cpu_scratch_of(c, THREAD_INDEX)),
                         in);
    }
    return true;
}

static struct weight *dnnl_pack(struct device *d, const struct weight_spec *spec)
{
    if (spec->kt * spec->kh * spec->kw > 1)
        return products_plain.pack(d, spec);
    struct packed *p = calloc(1, sizeof *p);
    if (!p)
        return NULL;
    p->w.dev = d;
    p->dtype = spec->precise ? DTYPE_F32 : device_caps(d)->dtype;
    p->bias = spec->bias ? cpu_memory((size_t)spec->out * sizeof(float)) : NULL;
    bool ok = p->bias || !spec->bias;
    ok = ok && (p->dtype == DTYPE_BF16 ? pack_low(d, spec, p) : pack_wide(d, spec, p));
    if (!ok) {
        dnnl_unpack(&p->w);
        return NULL;
    }
    if (spec->bias)
        memcpy(p->bias, spec->bias, (size_t)spec->out * sizeof(float));
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

/* oneDNN makes and runs a primitive with as many threads as OpenMP offers at that moment. */
static void set_team(const struct cpu *c, const struct recipe *r)
{
#ifdef _OPENMP
    omp_set_num_threads(r ? cpu_team(c, r->rows * r->in * r->out) : c->threads);
#endif
}

static void multiply(struct device *d, const struct recipe *r, const struct packed *p, void *x,
                     const struct tensor *y, const struct tensor *gate)
{
    struct kept *k = primitive(state_of(d), r);
    if (!k) {
        device_fail(d, ERR_UNSUPPORTED, "oneDNN has no product of these shapes");
        return;
    }
    struct argument a[5] = {{DNNL_ARG_SRC, &k->src, x},
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

static void forget(struct device *d)
{
    struct state *s = state_of(d);
    if (s->low)
        device_release(d, s->low);
    s->low = NULL;
}

/* x rounded to bf16, now or for the product before; forget() it behind the last of its products */
static void *rounded(struct device *d, const struct tensor *x, int left)
{
    struct cpu *c = cpu_of(d);
    struct state *s = c->state;
    int64_t rows = tensor_count(x) / tensor_last(x), n = tensor_last(x);
    bool again = s->low && s->low_of == x->data && s->low_n == rows * n && s->low_left == left + 1;
    s->low_left = left;
    if (again)
        return s->low;
    forget(d);
    uint16_t *to = s->low = device_alloc(d, (size_t)(rows * n) * sizeof *to);
    const float *from = s->low_of = x->data;
    s->low_n = rows * n;
    if (!to)
        return NULL;
    int team = cpu_team(c, rows * n);
    PARALLEL_FOR(team)
    for (int64_t i = 0; i < rows; i++)
        c->k->narrow(to + i * n, from + i * n, n);
    return to;
}

static void dnnl_linear(struct device *d, const struct linear_op *op)
{
    const struct packed *p = (const struct packed *)op->w;
    struct recipe r;
    memset(&r, 0, sizeof r); /* recipes are compared as bytes */
    r.rows = tensor_count(op->x) / p->w.in;
    r.in = p->w.in;
    r.out = p->w.out;
    r.act = op->act;
    r.add = op->add;
    r.gate = op->gate != NULL;
    r.bias = p->bias != NULL;
    r.dtype = p->dtype;
    r.layout = p->layout;
    void *x = p->dtype == DTYPE_BF16 ? rounded(d, op->x, op->left) : op->x->data;
    if (!x)
        return;
    set_team(cpu_of(d), &r);
    multiply(d, &r, p, x, op->y, op->gate);
    set_team(cpu_of(d), NULL);
    if (!op->left || device_failed(d))
        forget(d);
}

static void dnnl_conv(struct device *d, const struct conv_op *op)
{
    products_plain.conv(d, op);
}

/* AMX alone makes bf16 faster than f32 in oneDNN 2.6: 4 times and more on linear layers of Wan;
 * with AVX512-BF16 it took 1.6 to 2.2 times as long. */
static enum dtype dnnl_best(void)
{
    return dnnl_get_effective_cpu_isa() >= dnnl_cpu_isa_avx512_core_amx ? DTYPE_BF16 : DTYPE_F32;
}

static bool dnnl_knows(enum dtype dtype)
{
    return dtype == DTYPE_F32 || dnnl_get_effective_cpu_isa() >= dnnl_cpu_isa_avx512_core;
}

const struct products products_dnnl = {
    .name = "oneDNN (linear) and plain C (convolution)",
    .best = dnnl_best,
    .knows = dnnl_knows,
    .open = dnnl_open,
    .close = dnnl_close,
    .pack = dnnl_pack,
    .unpack = dnnl_unpack,
    .linear = dnnl_linear,
    .conv = dnnl_conv,
};
