#include "tensor/cpu/convolution.h"

#include <stdlib.h>
#include <string.h>

#define SIDE_HINT 64 /* of the picture for which a weight's first layout is chosen */

/* oneDNN's layout of a weight depends on the size of the picture: data is in the one that the last
 * picture asked for. */
struct window {
    struct weight w;      /* first */
    struct weight *plain; /* oneDNN has no fast loops: all there is */
    enum dtype dtype;     /* F32 or BF16 */
    dnnl_memory_desc_t layout;
    void *data;
    float *bias;
};

void convolution_unpack(struct weight *w)
{
    struct window *v = (struct window *)w;
    if (v->plain)
        products_plain.unpack(v->plain);
    if (v->data)
        device_release(w->dev, v->data);
    free(v->bias);
    free(v);
}

/* What makes one frame [h, w, out] without borders. */
static struct recipe recipe_of(const struct window *v, int64_t h, int64_t w)
{
    struct recipe r;
    memset(&r, 0, sizeof r); /* recipes are compared as bytes */
    r.in = v->w.in;
    r.out = v->w.out;
    r.dtype = v->dtype;
    r.bias = v->bias != NULL;
    r.taps[0] = v->w.kt;
    r.taps[1] = v->w.kh;
    r.taps[2] = v->w.kw;
    r.stride = 1;
    r.height = h;
    r.width = w;
    return r;
}

/* Where the numbers of a weight lie in a layout: number [o, i, kt, kh, kw] at the sum of what its
 * five indices add. oneDNN's own reorder does the same number by number, on one thread. */
struct places {
    int64_t *of[5], count[5];
};

static void places_free(struct places *p)
{
    free(p->of[0]);
}

static bool places_new(struct places *p, const dnnl_memory_desc_t *md)
{
    const dnnl_blocking_desc_t *b = &md->format_desc.blocking;
    int64_t n = 0, inner[5] = {1, 1, 1, 1, 1};
    *p = (struct places){0};
    if (md->ndims != 5 || md->format_kind != dnnl_blocked || md->offset0 || md->extra.flags)
        return false;
    for (int k = 0; k < 5; k++)
        n += p->count[k] = md->dims[k];
    p->of[0] = calloc((size_t)n, sizeof *p->of[0]);
    if (!p->of[0])
        return false;
    for (int k = 1; k < 5; k++)
        p->of[k] = p->of[k - 1] + p->count[k - 1];
    int64_t step = 1;
    for (int j = b->inner_nblks - 1; j >= 0; j--) { /* the innermost block first */
        int64_t k = b->inner_idxs[j], size = b->inner_blks[j];
        for (int64_t i = 0; i < p->count[k]; i++)
            p->of[k][i] += i / inner[k] % size * step;
        inner[k] *= size;
        step *= size;
    }
    for (int k = 0; k < 5; k++)
        for (int64_t i = 0; i < p->count[k]; i++)
            p->of[k][i] += i / inner[k] * b->strides[k];
    return true;
}

/* Memory of a layout; what only fills its blocks up is zeros. */
static void *room(struct device *d, const dnnl_memory_desc_t *md)
{
    size_t bytes = dnnl_memory_desc_get_size(md);
    void *p = device_alloc(d, bytes);
    if (p && (md->padded_dims[0] > md->dims[0] || md->padded_dims[1] > md->dims[1]))
        memset(p, 0, bytes);
    return p;
}

/* The weight as files have it, in the layout. */
static bool pack(struct device *d, const struct weight_spec *s, struct window *v)
{
    struct cpu *c = cpu_of(d);
    struct places p;
    int64_t taps = (int64_t)s->kt * s->kh * s->kw, row = s->in * taps;
    bool ok = places_new(&p, &v->layout) && cpu_scratch(c, (size_t)row * 2) &&
              (v->data = room(d, &v->layout));
    int team = cpu_team(c, s->out * row);
    if (ok) {
        PARALLEL_FOR(team)
        for (int64_t o = 0; o < s->out; o++) {
            float *own = cpu_scratch_of(c, THREAD_INDEX), *wide = v->data;
            uint16_t *low = v->data, *narrow = (uint16_t *)(own + row);
            const float *from = cpu_rows(s, o, 1, row, own);
            if (v->dtype == DTYPE_BF16)
                c->k->narrow(narrow, from, row);
            for (int64_t j = 0; j < row; j++) {
                int64_t tap = j % taps, at = p.of[0][o] + p.of[1][j / taps] +
                                             p.of[2][tap / s->kw / s->kh] +
                                             p.of[3][tap / s->kw % s->kh] + p.of[4][tap % s->kw];
                if (v->dtype == DTYPE_BF16)
                    low[at] = narrow[j];
                else
                    wide[at] = from[j];
            }
        }
    }
    places_free(&p);
    return ok;
}

struct weight *convolution_pack(struct device *d, struct primitives *ps,
                                const struct weight_spec *s)
{
    struct window *v = calloc(1, sizeof *v);
    if (!v)
        return NULL;
    v->w = (struct weight){d, s->out, s->in, s->kt, s->kh, s->kw};
    v->dtype = s->precise ? DTYPE_F32 : device_caps(d)->dtype;
    v->bias = s->bias ? cpu_memory((size_t)s->out * sizeof(float)) : NULL;
    bool ok = v->bias || !s->bias;
    struct recipe r = recipe_of(v, SIDE_HINT, SIDE_HINT);
    if (ok && primitive_window(ps, &r, &v->layout)) {
        ok = pack(d, s, v);
    } else if (ok) {
        v->plain = products_plain.pack(d, s);
        ok = v->plain != NULL;
    }
    if (!ok) {
        convolution_unpack(&v->w);
        return NULL;
    }
    if (v->plain)
        *v->plain = v->w;
    if (v->bias)
        memcpy(v->bias, s->bias, (size_t)s->out * sizeof(float));
    return &v->w;
}

static bool pack_again(struct device *d, const dnnl_memory_desc_t *layout, struct window *v)
{
    struct cpu *c = cpu_of(d);
    const struct weight *w = &v->w;
    struct places p = {0}, q = {0};
    void *data = NULL;
    bool ok = places_new(&p, &v->layout) && places_new(&q, layout) && (data = room(d, layout));
    int64_t taps = (int64_t)w->kt * w->kh * w->kw;
    int team = cpu_team(c, w->out * w->in * taps);
    if (ok) {
        PARALLEL_FOR(team)
        for (int64_t o = 0; o < w->out; o++)
            for (int64_t j = 0; j < w->in * taps; j++) {
                int64_t i = j / taps, tap = j % taps, kw = tap % w->kw, kh = tap / w->kw % w->kh;
                int64_t kt = tap / w->kw / w->kh;
                int64_t a = p.of[0][o] + p.of[1][i] + p.of[2][kt] + p.of[3][kh] + p.of[4][kw];
                int64_t b = q.of[0][o] + q.of[1][i] + q.of[2][kt] + q.of[3][kh] + q.of[4][kw];
                if (v->dtype == DTYPE_BF16)
                    ((uint16_t *)data)[b] = ((const uint16_t *)v->data)[a];
                else
                    ((float *)data)[b] = ((const float *)v->data)[a];
            }
        device_release(d, v->data);
        v->data = data;
        v->layout = *layout;
    }
    places_free(&p);
    places_free(&q);
    return ok;
}

/* x as it is multiplied: itself, or `low` filled with it rounded to bf16 */
static const char *source(struct cpu *c, const struct tensor *x, uint16_t *low)
{
    if (!low)
        return x->data;
    int64_t n = tensor_count(x), each = tensor_last(x) * x->dim[2];
    const float *from = x->data;
    int team = cpu_team(c, n);
    PARALLEL_FOR(team)
    for (int64_t at = 0; at < n; at += each)
        c->k->narrow(low + at, from + at, each);
    return (const char *)low;
}

static int64_t frame(const struct tensor *t)
{
    return tensor_count(t) / t->dim[0];
}

static bool frames(struct primitives *ps, const struct primitive *k, const struct window *v,
                   const struct conv_op *op, const char *x)
{
    size_t step = (size_t)(op->stride_t * frame(op->x)) * dtype_size(v->dtype);
    float *y = op->y->data;
    bool ok = true;
    for (int64_t t = 0; t < op->y->dim[0] && ok; t++) {
        struct argument a[] = {{DNNL_ARG_SRC, &k->src, (void *)(uintptr_t)(x + (size_t)t * step)},
                               {DNNL_ARG_WEIGHTS, &v->layout, v->data},
                               {DNNL_ARG_DST, &k->dst, y + t * frame(op->y)},
                               {DNNL_ARG_BIAS, &k->bias, v->bias}};
        ok = primitive_run(ps, k, a, v->bias ? 4 : 3);
    }
    return ok;
}

static void by_frames(struct device *d, struct primitives *ps, const struct conv_op *op,
                      struct window *v)
{
    struct cpu *c = cpu_of(d);
    const struct tensor *x = op->x, *y = op->y;
    const struct weight *w = op->w;
    struct recipe r = recipe_of(v, x->dim[1], x->dim[2]);
    r.add = op->add;
    r.stride = op->stride;
    r.border[0] = op->top;
    r.border[1] = op->bottom;
    r.border[2] = op->left;
    r.border[3] = op->right;
    int64_t each = w->kt * w->kh * w->kw * w->in * w->out;
    primitive_team(cpu_team(c, frame(y) / w->out * each));
    const struct primitive *k = primitive_for(ps, &r);
    bool ok =
        k && (dnnl_memory_desc_equal(&k->weights, &v->layout) || pack_again(d, &k->weights, v));
    uint16_t *low = NULL;
    if (ok && v->dtype == DTYPE_BF16) {
        low = device_alloc(d, (size_t)tensor_count(x) * sizeof *low);
        ok = low != NULL;
    }
    ok = ok && frames(ps, k, v, op, source(c, x, low));
    primitive_team(c->threads);
    if (low)
        device_release(d, low);
    if (!ok)
        device_fail(
            d, k ? ERR_NOMEM : ERR_UNSUPPORTED,
            k ? "oneDNN could not run a convolution of %lld x %lld with %lld to %lld channels"
              : "oneDNN has no convolution of %lld x %lld with %lld to %lld channels",
            (long long)x->dim[1], (long long)x->dim[2], (long long)w->in, (long long)w->out);
}

void convolution_run(struct device *d, struct primitives *ps, const struct conv_op *op)
{
    /* the layout alone changes; what the weight says stays */
    struct window *v = (struct window *)(uintptr_t)op->w;
    if (!v->plain) {
        by_frames(d, ps, op, v);
        return;
    }
    struct conv_op o = *op;
    o.w = v->plain;
    products_plain.conv(d, &o);
}
