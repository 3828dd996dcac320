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

/* Where the numbers of a weight lie in a layout: number [o, i, tap] at the sum of what the three
 * add. oneDNN's own reorder goes number by number, on one thread. */
struct places {
    int64_t *out, *in, *tap;
};

static void places_free(struct places *p)
{
    free(p->out);
}

/* Is it of blocks alone, with nothing beside the numbers? */
static bool of_blocks(const dnnl_memory_desc_t *md)
{
    return md->ndims == 5 && md->format_kind == dnnl_blocked && !md->offset0 && !md->extra.flags;
}

/* What index i of a dimension adds. */
static int64_t adds(const dnnl_blocking_desc_t *b, int dimension, int64_t i)
{
    int64_t at = 0, step = 1;
    for (int j = b->inner_nblks - 1; j >= 0; j--) { /* the innermost block first */
        int64_t size = b->inner_blks[j];
        if (b->inner_idxs[j] == dimension) {
            at += i % size * step;
            i /= size;
        }
        step *= size;
    }
    return at + i * b->strides[dimension];
}

static bool places_new(struct places *p, const dnnl_memory_desc_t *md)
{
    const dnnl_blocking_desc_t *b = &md->format_desc.blocking;
    int64_t out = md->dims[0], in = md->dims[1], kh = md->dims[3], kw = md->dims[4];
    int64_t taps = md->dims[2] * kh * kw;
    *p = (struct places){0};
    if (!of_blocks(md) || !(p->out = calloc((size_t)(out + in + taps), sizeof *p->out)))
        return false;
    p->in = p->out + out;
    p->tap = p->in + in;
    for (int64_t i = 0; i < out; i++)
        p->out[i] = adds(b, 0, i);
    for (int64_t i = 0; i < in; i++)
        p->in[i] = adds(b, 1, i);
    for (int64_t i = 0; i < taps; i++)
        p->tap[i] = adds(b, 2, i / kw / kh) + adds(b, 3, i / kw % kh) + adds(b, 4, i % kw);
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
            for (int64_t i = 0; i < s->in; i++)
                for (int64_t t = 0; t < taps; t++) {
                    int64_t at = p.out[o] + p.in[i] + p.tap[t];
                    if (v->dtype == DTYPE_BF16)
                        low[at] = narrow[i * taps + t];
                    else
                        wide[at] = from[i * taps + t];
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
    if (ok && primitive_window(ps, &r, &v->layout) && of_blocks(&v->layout)) {
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

/* In the layout that a picture of another size asks for. */
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
            for (int64_t i = 0; i < w->in; i++)
                for (int64_t t = 0; t < taps; t++) {
                    int64_t a = p.out[o] + p.in[i] + p.tap[t], b = q.out[o] + q.in[i] + q.tap[t];
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
