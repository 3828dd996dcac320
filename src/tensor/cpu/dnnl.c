/* Linear layers by oneDNN, in f32 or, with sums in f32, in bf16.
 *
 * Weights in f32 are reordered once into the layout that oneDNN asks for and stay in it; in bf16
 * they stay as they lie in files. The left side of a product in bf16 is rounded on its way into it;
 * results are f32. A weight that is lent is used once or twice: in f32 a widened copy of it would
 * be written to memory only to be read back, so each thread widens a panel of it into its own cache
 * and multiplies it there. Convolutions go to the plain products: oneDNN 2.6 has fast ones, but
 * making one in bf16 for a small picture (4x8, 32 channels, AMX) read outside of its own memory. */
#include "tensor/cpu/cpu.h"
#include "tensor/cpu/primitive.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define PANEL 64
#define ROWS_MOST 2048 /* of x, which each panel reads anew; above, a whole copy is made */

struct packed {
    struct weight w; /* first */
    dnnl_memory_desc_t layout;
    enum dtype dtype; /* F32 or BF16 */
    void *data;
    bool lent;                 /* data lies in the file */
    struct weight_spec source; /* of one that is lent and to be widened, which has no data: values,
                                * and layout is that of a panel */
    float *bias;
};

struct state {
    struct primitives *primitives;
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
    primitives_close(s->primitives);
    free(s);
}

static enum err dnnl_open(struct device *d, void **out, struct fault *f)
{
    struct state *s = calloc(1, sizeof *s);
    if (!s)
        return fault_set(f, ERR_NOMEM, "out of memory");
    s->dev = d;
    enum err e = primitives_open(&s->primitives, f);
    if (e)
        dnnl_close(s);
    else
        *out = s;
    return e;
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

/* Is it BA16a64b: panels of 64 columns, [panel][in][64]? That is what AVX-512 machines get. */
static bool is_panels(const dnnl_memory_desc_t *md)
{
    const dnnl_blocking_desc_t *b = &md->format_desc.blocking;
    return md->format_kind == dnnl_blocked && b->inner_nblks == 2 && b->inner_blks[0] == 16 &&
           b->inner_idxs[0] == 0 && b->inner_blks[1] == PANEL && b->inner_idxs[1] == 1 &&
           b->strides[0] == 16 * PANEL && b->strides[1] == md->padded_dims[0] * PANEL &&
           md->offset0 == 0;
}

/* Whether kernels.h reads values of that type as they lie. */
static bool reads(const struct weight_spec *spec)
{
    return spec->type == DTYPE_F32 || spec->type == DTYPE_BF16 || spec->type == DTYPE_F16;
}

/* Panel `j`, [depth][64]. scratch: [64, in], where the kernel does not read values of that type */
static void pack_panel(const struct cpu *c, const struct weight_spec *spec, int64_t j,
                       int64_t depth, float *panel, float *scratch)
{
    int64_t in = spec->in, left = spec->out - j * PANEL, n = left < PANEL ? left : PANEL;
    bool direct = reads(spec);
    size_t row = (size_t)in * dtype_size(spec->type);
    const void *rows[PANEL];
    for (int64_t i = 0; i < n; i++)
        rows[i] = direct ? (const char *)spec->values + (size_t)(j * PANEL + i) * row
                         : (const void *)cpu_rows(spec, j * PANEL + i, 1, in, scratch + i * in);
    if (n < PANEL || depth > in)
        memset(panel, 0, (size_t)(depth * PANEL) * sizeof *panel);
    c->k->panel(panel, rows, direct ? spec->type : DTYPE_F32, in, (int)n, PANEL);
}

/* The source is read once. */
static void pack_panels(struct cpu *c, const struct weight_spec *spec, struct packed *p)
{
    int64_t depth = p->layout.padded_dims[0];
    int team = cpu_team(c, spec->in * spec->out);
    PARALLEL_FOR(team)
    for (int64_t j = 0; j < p->layout.padded_dims[1] / PANEL; j++)
        pack_panel(c, spec, j, depth, (float *)p->data + j * depth * PANEL,
                   cpu_scratch_of(c, THREAD_INDEX));
}

/* By oneDNN's own reorder, from a whole copy in f32. */
static bool pack_other(struct primitives *ps, const struct weight_spec *spec, struct packed *p)
{
    dnnl_memory_desc_t plain;
    float *copy = cpu_memory((size_t)(spec->in * spec->out) * sizeof *copy);
    if (!copy)
        return false;
    primitive_matrix(&plain, DTYPE_F32, spec->in, spec->out, 1, spec->in);
    const float *rows = cpu_rows(spec, 0, spec->out, spec->in, copy);
    bool ok = primitive_reorder(ps, &plain, rows, &p->layout, p->data);
    free(copy);
    return ok;
}

static bool pack_wide(struct device *d, const struct weight_spec *spec, struct packed *p)
{
    struct cpu *c = cpu_of(d);
    struct primitives *ps = state_of(d)->primitives;
    if (!cpu_scratch(c, (size_t)(PANEL * spec->in)) ||
        !primitive_layout(ps, spec->in, spec->out, spec->bias != NULL, &p->layout))
        return false;
    p->data = device_alloc(d, dnnl_memory_desc_get_size(&p->layout));
    if (!p->data)
        return false;
    if (!is_panels(&p->layout))
        return pack_other(ps, spec, p);
    pack_panels(c, spec, p);
    return true;
}

static bool pack_later(struct device *d, const struct weight_spec *spec, struct packed *p)
{
    p->lent = true;
    p->source = *spec;
    p->source.bias = p->bias;
    return primitive_layout(state_of(d)->primitives, spec->in, PANEL, false, &p->layout);
}

/* Row by row, as files have them: AMX products copy what they read into their own order while they
 * run, and are no slower for it (at 512 rows even faster), so a file of bf16 can be used where it
 * lies. */
static bool pack_low(struct device *d, const struct weight_spec *spec, struct packed *p)
{
    struct cpu *c = cpu_of(d);
    int64_t in = spec->in;
    primitive_matrix(&p->layout, DTYPE_BF16, in, spec->out, 1, in);
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
    if (ok)
        ok = p->dtype == DTYPE_BF16 ? pack_low(d, spec, p)
             : spec->lent           ? pack_later(d, spec, p)
                                    : pack_wide(d, spec, p);
    if (!ok) {
        dnnl_unpack(&p->w);
        return NULL;
    }
    if (spec->bias)
        memcpy(p->bias, spec->bias, (size_t)spec->out * sizeof(float));
    return &p->w;
}

static void fail_product(struct device *d, const struct recipe *r, bool ran)
{
    device_fail(d, ran ? ERR_NOMEM : ERR_UNSUPPORTED,
                ran ? "oneDNN could not run a product of %lld x %lld x %lld"
                    : "oneDNN has no product of %lld x %lld x %lld",
                (long long)r->rows, (long long)r->out, (long long)r->in);
}

static void multiply(struct device *d, const struct recipe *r, const struct packed *p, void *x,
                     const struct tensor *y, const struct tensor *gate)
{
    struct cpu *c = cpu_of(d);
    struct primitives *ps = state_of(d)->primitives;
    primitive_team(cpu_team(c, r->rows * r->in * r->out));
    const struct primitive *k = primitive_for(ps, r);
    bool ok = k != NULL;
    if (k) {
        struct argument a[5] = {{DNNL_ARG_SRC, &k->src, x},
                                {DNNL_ARG_WEIGHTS, &p->layout, p->data},
                                {DNNL_ARG_DST, &k->dst, y->data}};
        int n = 3;
        if (p->bias)
            a[n++] = (struct argument){DNNL_ARG_BIAS, &k->bias, p->bias};
        if (gate)
            a[n++] = (struct argument){DNNL_ARG_ATTR_MULTIPLE_POST_OP(0) | DNNL_ARG_SRC_1, &k->gate,
                                       gate->data};
        ok = primitive_run(ps, k, a, n);
    }
    primitive_team(c->threads);
    if (!ok)
        fail_product(d, r, k != NULL);
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

static struct recipe recipe_of(const struct linear_op *op, const struct packed *p)
{
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
    return r;
}

/* Floats that oneDNN wants for itself, and to a line's end. */
static int64_t aside_of(const struct primitive *k)
{
    return ((int64_t)dnnl_memory_desc_get_size(&k->scratch) / (int64_t)sizeof(float) + 32) / 16 *
           16;
}

static void by_weight(struct device *d, const struct linear_op *op, const struct packed *p)
{
    struct recipe r = recipe_of(op, p);
    void *x = p->dtype == DTYPE_BF16 ? rounded(d, op->x, op->left) : op->x->data;
    if (!x)
        return;
    multiply(d, &r, p, x, op->y, op->gate);
    if (!op->left || device_failed(d))
        forget(d);
}

/* A lent weight, widened as a whole for this product. */
static void by_copy(struct device *d, const struct linear_op *op, const struct packed *p)
{
    struct packed wide = {.w = p->w, .dtype = DTYPE_F32, .bias = p->bias};
    if (pack_wide(d, &p->source, &wide))
        by_weight(d, op, &wide);
    else
        device_fail(d, ERR_NOMEM, "no memory to widen a weight of %lld x %lld", (long long)p->w.out,
                    (long long)p->w.in);
    if (wide.data)
        device_release(d, wide.data);
}

/* [n] as [PANEL], zeros behind, in `whole` where n is less; NULL stays NULL. */
static float *panel_of(float *from, int64_t n, float *whole)
{
    if (!from || n == PANEL)
        return from;
    memset(whole, 0, PANEL * sizeof *whole);
    return memcpy(whole, from, (size_t)n * sizeof *whole);
}

static void copy_rows(float *to, int64_t to_row, const float *from, int64_t from_row, int64_t rows,
                      int64_t n)
{
    for (int64_t i = 0; i < rows; i++)
        memcpy(to + i * to_row, from + i * from_row, (size_t)n * sizeof *to);
}

/* Columns [at, at + PANEL) of the result of a lent weight, by one thread in memory of its own
 * (by_panels). oneDNN 2.6 has but its reference loops for results whose rows lie apart, so they are
 * made beside y. */
static bool one_panel(struct device *d, const struct linear_op *op, const struct primitive *k,
                      int64_t at, float *own)
{
    struct cpu *c = cpu_of(d);
    const struct packed *p = (const struct packed *)op->w;
    int64_t out = p->w.out, n = out - at < PANEL ? out - at : PANEL, rows = k->for_what.rows;
    int64_t depth = p->layout.padded_dims[0];
    float *panel = own, *y = panel + depth * PANEL, *aside = y + rows * PANEL;
    float *scratch = aside + aside_of(k), whole[2][PANEL];
    float *to = (float *)op->y->data + at;
    struct argument a[6] = {{DNNL_ARG_SRC, &k->src, op->x->data},
                            {DNNL_ARG_WEIGHTS, &p->layout, panel},
                            {DNNL_ARG_DST, &k->dst, y},
                            {DNNL_ARG_SCRATCHPAD, &k->scratch, aside}};
    int given = 4;
    if (p->bias)
        a[given++] =
            (struct argument){DNNL_ARG_BIAS, &k->bias, panel_of(p->bias + at, n, whole[0])};
    if (op->gate)
        a[given++] = (struct argument){DNNL_ARG_ATTR_MULTIPLE_POST_OP(0) | DNNL_ARG_SRC_1, &k->gate,
                                       panel_of((float *)op->gate->data + at, n, whole[1])};
    pack_panel(c, &p->source, at / PANEL, depth, panel, scratch);
    if (op->add)
        copy_rows(y, PANEL, to, out, rows, n);
    bool ok = primitive_run(state_of(d)->primitives, k, a, given);
    copy_rows(to, out, y, PANEL, rows, n);
    return ok;
}

/* A lent weight, a panel a thread at a time. */
static void by_panels(struct device *d, const struct linear_op *op, const struct packed *p)
{
    struct cpu *c = cpu_of(d);
    int64_t depth = p->layout.padded_dims[0], in = p->w.in, out = p->w.out;
    struct recipe r = recipe_of(op, p);
    r.out = PANEL;
    r.alone = true;
    primitive_team(1);
    const struct primitive *k = primitive_for(state_of(d)->primitives, &r);
    primitive_team(c->threads);
    if (!k) {
        fail_product(d, &r, false);
        return;
    }
    int64_t own = (depth + r.rows + (reads(&p->source) ? 0 : in)) * PANEL + aside_of(k);
    if (!cpu_scratch(c, (size_t)own))
        return;
    atomic_bool failed = false;
    int team = cpu_team(c, r.rows * in * out);
    PARALLEL_FOR(team)
    for (int64_t at = 0; at < out; at += PANEL)
        if (!one_panel(d, op, k, at, cpu_scratch_of(c, THREAD_INDEX)))
            failed = true;
    if (failed)
        fail_product(d, &r, true);
}

static void dnnl_linear(struct device *d, const struct linear_op *op)
{
    const struct packed *p = (const struct packed *)op->w;
    if (!p->source.values)
        by_weight(d, op, p);
    else if (is_panels(&p->layout) && tensor_count(op->x) / p->w.in <= ROWS_MOST)
        by_panels(d, op, p);
    else
        by_copy(d, op, p);
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

/* On less than AVX-512 oneDNN's layouts of a matrix have other panels than ours. */
static void dnnl_reports(struct device_caps *caps)
{
    bool known = dnnl_get_effective_cpu_isa() >= dnnl_cpu_isa_avx512_core;
    caps->panels = known ? ROWS_MOST : 0;
}

const struct products products_dnnl = {
    .name = "oneDNN (linear) and plain C (convolution)",
    .best = dnnl_best,
    .knows = dnnl_knows,
    .borrows = true,
    .reports = dnnl_reports,
    .open = dnnl_open,
    .close = dnnl_close,
    .pack = dnnl_pack,
    .unpack = dnnl_unpack,
    .linear = dnnl_linear,
    .conv = dnnl_conv,
};
