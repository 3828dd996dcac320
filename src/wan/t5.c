#include "wan/t5.h"

#include "wan/load.h"

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
    t.layers = load_layers(w, "blocks.%d.norm1.weight");
    if (!t.vocab || !t.dim || !t.width || !t.ffn || !t.layers)
        return fault_set(f, ERR_NOTFOUND, "%s is no umT5 encoder: its tensors have other names",
                         w->n ? w->t[0].file : "an empty file");
    if (t.heads < 1 || t.width % t.heads || t.buckets < 4 || t.buckets % 4)
        return fault_set(f, ERR_CORRUPT, "%s: %d heads and %d buckets are no umT5 encoder",
                         w->t[0].file, t.heads, t.buckets);
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
    const struct wtensor *table = weights_find(t->weights, "token_embedding.weight");
    float *rows = malloc((size_t)n * (size_t)t->dim * sizeof *rows);
    if (!rows)
        fault_set(&l->fault, ERR_NOMEM, "no memory for %d tokens", n);
    for (int i = 0; rows && i < n; i++) {
        if (ids[i] < 0 || ids[i] >= t->vocab) {
            fault_set(&l->fault, ERR_INVAL, "the token id %d is not in the vocabulary of %lld",
                      ids[i], (long long)t->vocab);
            break;
        }
        wtensor_widen_rows(table, ids[i], 1, rows + i * t->dim);
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
    if (table && b) {
        for (int h = 0; h < t->heads; h++)
            for (int64_t r = 0; r < span; r++)
                b[h * span + r] = table[t5_bucket((int)(r - (n - 1)), t->buckets) * t->heads + h];
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

static void linear(struct device *dev, const struct tensor *y, const struct tensor *x,
                   const struct weight *w, enum act act, bool add)
{
    device_linear(dev, &(struct linear_op){.x = x, .w = w, .y = y, .act = act, .add = add});
}

static void attention(struct loader *l, const struct t5 *t, int i, const struct tensor *x, int n)
{
    struct device *dev = t->dev;
    struct tensor norm = load_vector(l, t->dim, "blocks.%d.norm1.weight", i);
    struct tensor bias = position_bias(l, t, i, n);
    struct weight *q = load_linear(l, t->width, t->dim, false, "blocks.%d.attn.q", i);
    struct weight *k = load_linear(l, t->width, t->dim, false, "blocks.%d.attn.k", i);
    struct weight *v = load_linear(l, t->width, t->dim, false, "blocks.%d.attn.v", i);
    struct weight *o = load_linear(l, t->dim, t->width, false, "blocks.%d.attn.o", i);
    struct tensor h = tensor_work2(dev, n, t->dim), tq = tensor_work2(dev, n, t->width);
    struct tensor tk = tensor_work2(dev, n, t->width), tv = tensor_work2(dev, n, t->width);
    struct tensor y = tensor_work2(dev, n, t->width);
    if (!l->fault.code) {
        rms(dev, &h, x, &norm);
        linear(dev, &tq, &h, q, ACT_NONE, false);
        linear(dev, &tk, &h, k, ACT_NONE, false);
        linear(dev, &tv, &h, v, ACT_NONE, false);
        /* no 1/sqrt(d): T5 folded it into its initialisation */
        device_attention(dev, &(struct attention_op){.q = &tq,
                                                     .k = &tk,
                                                     .v = &tv,
                                                     .out = &y,
                                                     .heads = t->heads,
                                                     .scale = 1.0f,
                                                     .bias = &bias});
        linear(dev, x, &y, o, ACT_NONE, true);
    }
    struct tensor *all[] = {&norm, &bias, &h, &tq, &tk, &tv, &y};
    for (size_t j = 0; j < sizeof all / sizeof *all; j++)
        tensor_free(all[j]);
    weight_free(q);
    weight_free(k);
    weight_free(v);
    weight_free(o);
}

static void feed_forward(struct loader *l, const struct t5 *t, int i, const struct tensor *x, int n)
{
    struct device *dev = t->dev;
    struct tensor norm = load_vector(l, t->dim, "blocks.%d.norm2.weight", i);
    struct tensor h = tensor_work2(dev, n, t->dim), a = tensor_work2(dev, n, t->ffn);
    struct tensor b = tensor_work2(dev, n, t->ffn);
    struct weight *gate = load_linear(l, t->ffn, t->dim, false, "blocks.%d.ffn.gate.0", i);
    struct weight *up = load_linear(l, t->ffn, t->dim, false, "blocks.%d.ffn.fc1", i);
    struct weight *down = load_linear(l, t->dim, t->ffn, false, "blocks.%d.ffn.fc2", i);
    if (!l->fault.code) {
        rms(dev, &h, x, &norm);
        linear(dev, &a, &h, gate, ACT_GELU_TANH, false);
        linear(dev, &b, &h, up, ACT_NONE, false);
        device_mul(dev, &a, &a, &b);
        linear(dev, x, &a, down, ACT_NONE, true);
    }
    tensor_free(&norm);
    tensor_free(&h);
    tensor_free(&a);
    tensor_free(&b);
    weight_free(gate);
    weight_free(up);
    weight_free(down);
}

enum err t5_encode(const struct t5 *t, const int *ids, int n, float *out, const struct probe *probe,
                   struct fault *f)
{
    if (n < 1)
        return fault_set(f, ERR_INVAL, "there are no tokens to encode");
    struct loader l = LOADER_INIT(t->dev, t->weights);
    struct tensor x = embed(&l, t, ids, n); /* [n, dim] */
    for (int i = 0; i < t->layers && !l.fault.code && !device_failed(t->dev); i++) {
        if (t->stop && t->stop(t->stop_user)) {
            fault_set(&l.fault, ERR_CANCELLED, "encoding the prompt was cancelled");
            break;
        }
        attention(&l, t, i, &x, n);
        feed_forward(&l, t, i, &x, n);
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
    tensor_free(&norm);
    tensor_free(&x);
    device_trim(t->dev); /* the memory of a layer served all of them; nobody else needs it */
    return load_done(&l, f);
}
