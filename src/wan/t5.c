#include "wan/t5.h"

#include "wan/load.h"
#include "wan/manifest.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define EPS 1e-6f
#define MAX_DISTANCE 128

enum err t5_open(struct device *dev, const struct weights *w, struct t5 *out, struct fault *f)
{
    struct t5 t = {.dev = dev, .weights = w};
    t.vocab = load_dim(w, "token_embedding.weight", 0);
    t.dim = load_dim(w, "token_embedding.weight", 1);
    t.width = load_dim(w, "blocks.0.attn.q.weight", 0);
    t.ffn = load_dim(w, "blocks.0.ffn.fc1.weight", 0);
    t.buckets = (int)load_dim(w, "blocks.0.pos_embedding.embedding.weight", 0);
    t.heads = (int)load_dim(w, "blocks.0.pos_embedding.embedding.weight", 1);
    t.layers = load_layers(w, "blocks.");
    enum err e = manifest_t5(&t, f);
    if (e)
        return e;
    if (t.layers < 1 || t.heads < 1 || t.width % t.heads || t.buckets < 4 || t.buckets % 4)
        return fault_set(f, ERR_CORRUPT,
                         "%s: %d layers, %d heads and %d buckets are no umT5 encoder",
                         w->n ? w->t[0].file : "an empty file", t.layers, t.heads, t.buckets);
    *out = t;
    return ERR_OK;
}

int t5_bucket(int relative, int buckets)
{
    int half = buckets / 2, exact = half / 2, base = relative > 0 ? half : 0, a = abs(relative);
    if (a < exact)
        return base + a;
    float ratio = logf((float)a / (float)exact) / logf((float)MAX_DISTANCE / (float)exact);
    int far = exact + (int)(ratio * (float)(half - exact));
    return base + (far < half - 1 ? far : half - 1);
}

static struct tensor embed(struct loader *l, const struct t5 *t, const int *ids, int n)
{
    struct tensor x = {0};
    float *rows = malloc((size_t)n * (size_t)t->dim * sizeof *rows);
    if (!rows)
        fault_set(&l->fault, ERR_NOMEM, "no memory for %d tokens", n);
    for (int i = 0; rows && i < n; i++) {
        if (ids[i] < 0 || ids[i] >= t->vocab) {
            fault_set(&l->fault, ERR_INVAL, "the token id %d is not in the vocabulary of %lld",
                      ids[i], (long long)t->vocab);
            break;
        }
        if (!load_row(l, "token_embedding", ids[i], rows + i * t->dim))
            break;
    }
    if (!l->fault.code)
        x = tensor_from(t->dev, rows, 2, (const int64_t[]){n, t->dim});
    free(rows);
    return x;
}

/* [heads, 2n − 1] by key − query + n − 1, from the block's own table [buckets, heads] */
static struct tensor position_bias(struct loader *l, const struct t5 *t, int block, int n)
{
    struct tensor bias = {0};
    int64_t span = 2 * (int64_t)n - 1;
    float *table = load_values(l, (int64_t)t->buckets * t->heads,
                               "blocks.%d.pos_embedding.embedding.weight", block);
    float *b = malloc((size_t)(span * t->heads) * sizeof *b);
    if (table && !b)
        fault_set(&l->fault, ERR_NOMEM, "no memory for the places of %d tokens", n);
    if (table && b) {
        for (int64_t r = 0; r < span && !device_caps(t->dev)->hollow; r++) {
            const float *of = table + (int64_t)t5_bucket((int)(r - (n - 1)), t->buckets) * t->heads;
            for (int h = 0; h < t->heads; h++)
                b[h * span + r] = of[h];
        }
        bias = tensor_from(t->dev, b, 2, (const int64_t[]){t->heads, span});
    }
    free(table);
    free(b);
    return bias;
}

static void rms(struct device *dev, const struct tensor *y, const struct tensor *x,
                const struct tensor *w)
{
    device_norm(dev, &(struct norm_op){.kind = NORM_RMS, .x = x, .y = y, .weight = w, .eps = EPS});
}

/* left: of linear_op */
static void linear(struct device *dev, const struct tensor *y, const struct tensor *x,
                   const struct weight *w, enum act act, int left)
{
    device_linear(dev, &(struct linear_op){.x = x, .w = w, .y = y, .act = act, .left = left});
}

static void add_linear(struct device *dev, const struct tensor *y, const struct tensor *x,
                       const struct weight *w)
{
    device_linear(dev, &(struct linear_op){.x = x, .w = w, .y = y, .add = true});
}

/* A layer's weights on the device. */
struct t5_block {
    struct tensor norm1, norm2;
    struct weight *q, *k, *v, *o, *gate, *up, *down;
};

static void load_attention(struct loader *l, const struct t5 *t, struct t5_block *b, int i)
{
    b->norm1 = load_vector(l, t->dim, "blocks.%d.norm1.weight", i);
    b->q = load_linear(l, t->width, t->dim, false, "blocks.%d.attn.q", i);
    b->k = load_linear(l, t->width, t->dim, false, "blocks.%d.attn.k", i);
    b->v = load_linear(l, t->width, t->dim, false, "blocks.%d.attn.v", i);
    b->o = load_linear(l, t->dim, t->width, false, "blocks.%d.attn.o", i);
}

static void load_feed_forward(struct loader *l, const struct t5 *t, struct t5_block *b, int i)
{
    b->norm2 = load_vector(l, t->dim, "blocks.%d.norm2.weight", i);
    b->gate = load_linear(l, t->ffn, t->dim, false, "blocks.%d.ffn.gate.0", i);
    b->up = load_linear(l, t->ffn, t->dim, false, "blocks.%d.ffn.fc1", i);
    b->down = load_linear(l, t->dim, t->ffn, false, "blocks.%d.ffn.fc2", i);
}

static void unload(struct t5_block *b)
{
    struct weight *all[] = {b->q, b->k, b->v, b->o, b->gate, b->up, b->down};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        weight_free(all[i]);
    tensor_free(&b->norm1);
    tensor_free(&b->norm2);
    *b = (struct t5_block){0};
}

enum err t5_keep(struct t5 *t, struct fault *f)
{
    if (t->kept)
        return ERR_OK;
    struct loader l = LOADER_INIT(t->dev, t->weights);
    const struct stopper stop = {t->stop, t->stop_user};
    l.stop = &stop;
    t->kept = calloc((size_t)t->layers, sizeof *t->kept);
    if (!t->kept)
        return fault_set(f, ERR_NOMEM, "out of memory");
    for (int i = 0; i < t->layers && !load_stopped(&l) && !device_failed(t->dev); i++) {
        load_ahead(&l, "blocks.%d.", i + 1);
        load_attention(&l, t, &t->kept[i], i);
        load_feed_forward(&l, t, &t->kept[i], i);
    }
    enum err e = load_done(&l, f);
    if (e)
        t5_drop(t);
    return e;
}

void t5_drop(struct t5 *t)
{
    for (int i = 0; t->kept && i < t->layers; i++)
        unload(&t->kept[i]);
    free(t->kept);
    t->kept = NULL;
}

/* The buffers of an encoding, of n rows each. */
struct rows {
    struct tensor h, q, k, v, y, a, b; /* [n, dim], four of [n, width], two of [n, ffn] */
};

static void attention(struct loader *l, const struct t5 *t, const struct t5_block *b, int i,
                      const struct tensor *x, const struct rows *r, int n)
{
    struct device *dev = t->dev;
    struct tensor bias = position_bias(l, t, i, n);
    if (!l->fault.code) {
        rms(dev, &r->h, x, &b->norm1);
        linear(dev, &r->q, &r->h, b->q, ACT_NONE, 2);
        linear(dev, &r->k, &r->h, b->k, ACT_NONE, 1);
        linear(dev, &r->v, &r->h, b->v, ACT_NONE, 0);
        /* no 1/sqrt(d): T5 folded it into its initialisation */
        device_attention(dev, &(struct attention_op){.q = &r->q,
                                                     .k = &r->k,
                                                     .v = &r->v,
                                                     .out = &r->y,
                                                     .heads = t->heads,
                                                     .scale = 1.0f,
                                                     .bias = &bias});
        add_linear(dev, x, &r->y, b->o);
    }
    tensor_free(&bias);
}

static void feed_forward(const struct t5 *t, const struct t5_block *b, const struct tensor *x,
                         const struct rows *r)
{
    struct device *dev = t->dev;
    rms(dev, &r->h, x, &b->norm2);
    linear(dev, &r->a, &r->h, b->gate, ACT_GELU_TANH, 1);
    linear(dev, &r->b, &r->h, b->up, ACT_NONE, 0);
    device_mul(dev, &r->a, &r->a, &r->b);
    add_linear(dev, x, &r->a, b->down);
}

/* One layer; its weights are the kept ones, or loaded for the time of it, half at a time. */
static void layer(struct loader *l, const struct t5 *t, int i, const struct tensor *x,
                  const struct rows *r, int n)
{
    struct t5_block own = {0};
    const struct t5_block *b = t->kept ? &t->kept[i] : &own;
    if (!t->kept)
        load_ahead(l, "blocks.%d.", i + 1);
    if (!t->kept)
        load_attention(l, t, &own, i);
    attention(l, t, b, i, x, r, n);
    unload(&own);
    if (!t->kept)
        load_feed_forward(l, t, &own, i);
    if (!l->fault.code)
        feed_forward(t, b, x, r);
    unload(&own);
}

enum err t5_encode(const struct t5 *t, const int *ids, int n, float *out, const struct probe *probe,
                   struct fault *f)
{
    if (n < 1)
        return fault_set(f, ERR_INVAL, "there are no tokens to encode");
    struct loader l = LOADER_INIT(t->dev, t->weights);
    l.lent = true; /* no weight outlives its layer */
    struct device *dev = t->dev;
    struct tensor x = embed(&l, t, ids, n); /* [n, dim] */
    struct rows r = {tensor_work2(dev, n, t->dim),   tensor_work2(dev, n, t->width),
                     tensor_work2(dev, n, t->width), tensor_work2(dev, n, t->width),
                     tensor_work2(dev, n, t->width), tensor_work2(dev, n, t->ffn),
                     tensor_work2(dev, n, t->ffn)};
    for (int i = 0; i < t->layers && !l.fault.code && !device_failed(t->dev); i++) {
        if (t->stop && t->stop(t->stop_user)) {
            fault_set(&l.fault, ERR_CANCELLED, "encoding the prompt was cancelled");
            break;
        }
        layer(&l, t, i, &x, &r, n);
        weights_rest(t->weights); /* 11 GB otherwise by the end */
        char name[32];
        snprintf(name, sizeof name, "block%d", i);
        if (!l.fault.code)
            probe_see(probe, t->dev, name, &x);
    }
    struct tensor norm = load_vector(&l, t->dim, "norm.weight");
    if (!l.fault.code) {
        rms(t->dev, &x, &x, &norm);
        device_read(t->dev, out, &x, n * t->dim);
    }
    struct tensor *all[] = {&norm, &x, &r.h, &r.q, &r.k, &r.v, &r.y, &r.a, &r.b};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        tensor_free(all[i]);
    if (!t->kept)
        device_trim(dev); /* the memory of a layer served all of them; nobody else needs it */
    return load_done(&l, f);
}
