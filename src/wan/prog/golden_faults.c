/* wan-golden --faults: each classic mistake, made on purpose, must fail a case.
 *
 * The mistakes live here and not in the model. Most stand between it and the arithmetic: a copy of
 * the device's table with one row replaced. Some are made in the weights as they are opened (sines
 * before cosines is a swap of columns). The cpu device only: they touch tensors directly. */
#include "wan/prog/golden.h"

#include "tensor/backend.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HEAD 128
#define RECORDS 8

static const struct device_ops *real; /* the device's own table */
static struct device_ops faulty;
static struct tensor records[RECORDS]; /* owned copies, kept between calls of one run */
static int records_n;
static const struct tensor *late_weight, *late_bias;
static bool skip_next;

static void fault_pads_masked(struct device *d, const struct attention_op *op)
{
    struct attention_op o = *op;
    struct tensor k = *op->k, v = *op->v;
    if (op->repeats > 1) {
        k = tensor_part(op->k, 0, op->k->dim[0] - 1);
        v = tensor_part(op->v, 0, op->v->dim[0] - 1);
        o.k = &k;
        o.v = &v;
        o.repeats = 1;
    }
    real->attention(d, &o);
}

static void fault_rope_halves(struct device *d, const struct tensor *x, int heads,
                              const struct tensor *table)
{
    int64_t half = tensor_last(x) / heads / 2, rows = tensor_count(x) / tensor_last(x);
    float *at = x->data;
    const float *t = table->data;
    for (int64_t i = 0; i < rows * heads; i++, at += 2 * half)
        for (int64_t j = 0; j < half; j++) {
            const float *cs = t + (i / heads * half + j) * 2;
            float a = at[j], b = at[j + half];
            at[j] = a * cs[0] - b * cs[1];
            at[j + half] = a * cs[1] + b * cs[0];
        }
}

static void fault_no_rope(struct device *d, const struct tensor *x, int heads,
                          const struct tensor *table)
{
}

static void fault_norm_heads(struct device *d, const struct norm_op *op)
{
    int64_t c = tensor_last(op->x), rows = tensor_count(op->x) / c;
    if (op->kind != NORM_RMS || c % HEAD) {
        real->norm(d, op);
        return;
    }
    for (int64_t h = 0; h < c / HEAD; h++)
        for (int64_t i = 0; i < rows; i++) {
            struct tensor x = {.rank = 2, .dim = {1, HEAD}}, y = x, w = x;
            struct norm_op o = *op;
            x.data = (float *)op->x->data + i * c + h * HEAD;
            y.data = (float *)op->y->data + i * c + h * HEAD;
            w.data = (float *)op->weight->data + h * HEAD;
            o.x = &x;
            o.y = &y;
            o.weight = &w;
            real->norm(d, &o);
        }
}

static void fault_norm3_late(struct device *d, const struct norm_op *op)
{
    struct norm_op o = *op;
    if (op->kind == NORM_LAYER && op->weight) {
        late_weight = op->weight;
        late_bias = op->bias;
        o.weight = o.bias = NULL;
    } else if (op->kind == NORM_LAYER && late_weight) {
        o.weight = late_weight;
        o.bias = late_bias;
        late_weight = late_bias = NULL;
    }
    real->norm(d, &o);
}

static void fault_eps(struct device *d, const struct norm_op *op)
{
    struct norm_op o = *op;
    o.eps = 1e-5f;
    real->norm(d, &o);
}

static void fault_gelu_erf(struct device *d, const struct linear_op *op)
{
    struct linear_op o = *op;
    if (o.act == ACT_GELU_TANH)
        o.act = ACT_GELU_ERF;
    real->linear(d, &o);
}

/* Remembers the first frame at each size, and puts it where the second sees zeros. */
static void fault_first_kept_up(struct device *d, const struct tensor *y, const struct tensor *x)
{
    if (x->dim[0] == 1 && records_n < RECORDS) {
        records[records_n] = tensor_new(d, 4, x->dim);
        d->ops->copy(d, records[records_n].data, x->data, (size_t)tensor_count(x) * sizeof(float));
        records_n++;
    }
    real->upsample(d, y, x);
}

static bool all_zero(const struct tensor *t)
{
    const float *v = t->data;
    for (int64_t i = 0; i < tensor_count(t); i++)
        if (v[i] != 0)
            return false;
    return true;
}

static void fault_first_kept_conv(struct device *d, const struct conv_op *op)
{
    if (op->w->kt == 3 && op->w->kh == 1) {
        struct tensor before = tensor_part(op->x, 1, 1);
        for (int i = records_n; i-- && all_zero(&before);)
            if (!memcmp(records[i].dim + 1, op->x->dim + 1, 3 * sizeof(int64_t)))
                d->ops->copy(d, before.data, records[i].data,
                             (size_t)tensor_count(&before) * sizeof(float));
    }
    real->conv(d, op);
}

static void fault_bilinear(struct device *d, const struct tensor *y, const struct tensor *x)
{
    int64_t h = x->dim[1], w = x->dim[2], c = x->dim[3];
    const float *in = x->data;
    float *out = y->data;
    for (int64_t t = 0; t < x->dim[0]; t++)
        for (int64_t i = 0; i < 2 * h; i++)
            for (int64_t j = 0; j < 2 * w; j++) {
                double fy = fmax((double)i / 2 - 0.25, 0), fx = fmax((double)j / 2 - 0.25, 0);
                int64_t y0 = (int64_t)fy, x0 = (int64_t)fx;
                int64_t y1 = y0 + 1 < h ? y0 + 1 : y0, x1 = x0 + 1 < w ? x0 + 1 : x0;
                float a = (float)(fy - (double)y0), b = (float)(fx - (double)x0);
                const float *f = in + t * h * w * c;
                for (int64_t k = 0; k < c; k++)
                    *out++ =
                        (1 - a) *
                            ((1 - b) * f[(y0 * w + x0) * c + k] + b * f[(y0 * w + x1) * c + k]) +
                        a * ((1 - b) * f[(y1 * w + x0) * c + k] + b * f[(y1 * w + x1) * c + k]);
            }
}

static void fault_no_attention(struct device *d, const struct attention_op *op)
{
    skip_next = true;
}

static void fault_no_projection(struct device *d, const struct linear_op *op)
{
    if (!skip_next)
        real->linear(d, op);
    skip_next = false;
}

static void fault_no_cache(struct device *d, const struct conv_op *op)
{
    if (op->w->kt == 3 && op->stride_t == 1) {
        struct tensor past = tensor_part(op->x, 0, 2);
        d->ops->zero(d, past.data, (size_t)tensor_count(&past) * sizeof(float));
    }
    real->conv(d, op);
}

static void fault_time_pairs(struct device *d, const struct tensor *y, const struct tensor *x)
{
    int64_t plane = x->dim[1] * x->dim[2], c = y->dim[3];
    const float *in = x->data;
    float *out = y->data;
    for (int64_t t = 0; t < x->dim[0]; t++)
        for (int64_t i = 0; i < plane; i++)
            for (int64_t k = 0; k < 2 * c; k++)
                out[((2 * t + k % 2) * plane + i) * c + k / 2] = in[(t * plane + i) * 2 * c + k];
}

static void fault_bias_flipped(struct device *d, const struct attention_op *op)
{
    struct attention_op o = *op;
    struct tensor turned = tensor_new(d, op->bias->rank, op->bias->dim);
    int64_t n = tensor_last(op->bias);
    const float *in = op->bias->data;
    float *out = turned.data;
    for (int64_t i = 0; i < tensor_count(op->bias); i++)
        out[i] = in[i / n * n + n - 1 - i % n];
    o.bias = &turned;
    real->attention(d, &o);
    tensor_free(&turned);
}

static void fault_logits_scaled(struct device *d, const struct attention_op *op)
{
    struct attention_op o = *op;
    o.scale = 1 / sqrtf((float)(tensor_last(op->q) / op->heads));
    real->attention(d, &o);
}

/* Gives the tensor new values; they live to the end of the program. */
static void replace(struct weights *w, const char *name, float *values)
{
    for (int i = 0; i < w->n; i++)
        if (!strcmp(w->t[i].name, name)) {
            w->t[i].type = DTYPE_F32;
            w->t[i].data = (const unsigned char *)values;
            w->t[i].strided = false;
            return;
        }
}

static void fault_sin_first(struct weights *w)
{
    static float *kept; /* the weights point into it as long as they live */
    const struct wtensor *t = weights_find(w, "time_embedding.0.weight");
    if (!t)
        return;
    float *v = malloc((size_t)t->count * sizeof *v), *turned = malloc((size_t)t->count * sizeof *v);
    int64_t n = t->dim[1];
    wtensor_widen(t, v);
    for (int64_t i = 0; i < t->count; i++)
        turned[i] = v[i / n * n + (i % n + n / 2) % n];
    free(v);
    free(kept);
    kept = turned;
    replace(w, t->name, turned);
}

static void fault_bias_shared(struct weights *w)
{
    const struct wtensor *t = weights_find(w, "blocks.0.pos_embedding.embedding.weight");
    for (int i = 0; t && i < w->n; i++)
        if (strstr(w->t[i].name, "pos_embedding.embedding.weight"))
            w->t[i].data = t->data;
}

static const struct mistake {
    const char *name;
    void (*part)(struct golden *g);
    void (*weights)(struct weights *w);
    bool padded; /* the text encoder runs on the padded ids, unmasked */
    struct device_ops ops;
} mistakes[] = {
    {"dit-pads-masked", golden_dit_t2v, NULL, false, {.attention = fault_pads_masked}},
    {"dit-rope-halves", golden_dit_t2v, NULL, false, {.rope = fault_rope_halves}},
    {"dit-no-rope", golden_dit_t2v, NULL, false, {.rope = fault_no_rope}},
    {"dit-qk-norm-per-head", golden_dit_t2v, NULL, false, {.norm = fault_norm_heads}},
    {"dit-norm3-before-ffn", golden_dit_t2v, NULL, false, {.norm = fault_norm3_late}},
    {"dit-sin-before-cos", golden_dit_t2v, fault_sin_first, false, {0}},
    {"dit-eps-1e-5", golden_dit_t2v, NULL, false, {.norm = fault_eps}},
    {"dit-gelu-erf", golden_dit_t2v, NULL, false, {.linear = fault_gelu_erf}},
    {"vae-first-frame-kept",
     golden_vae,
     NULL,
     false,
     {.upsample = fault_first_kept_up, .conv = fault_first_kept_conv}},
    {"vae-bilinear", golden_vae, NULL, false, {.upsample = fault_bilinear}},
    {"vae-no-attention",
     golden_vae,
     NULL,
     false,
     {.attention = fault_no_attention, .linear = fault_no_projection}},
    {"vae-no-temporal-cache", golden_vae, NULL, false, {.conv = fault_no_cache}},
    {"vae-time-channels-c2", golden_vae, NULL, false, {.unfold_time = fault_time_pairs}},
    {"t5-shared-bias", golden_t5, fault_bias_shared, false, {0}},
    {"t5-bias-flipped", golden_t5, NULL, false, {.attention = fault_bias_flipped}},
    {"t5-logits-scaled", golden_t5, NULL, false, {.attention = fault_logits_scaled}},
    {"t5-pads-unmasked", golden_t5, NULL, true, {0}},
    {"t5-gelu-erf", golden_t5, NULL, false, {.linear = fault_gelu_erf}},
};

bool golden_padded(const struct golden *g)
{
    return g->mistake && g->mistake->padded;
}

void golden_spoil(const struct golden *g, struct weights *w)
{
    if (g->mistake && g->mistake->weights)
        g->mistake->weights(w);
}

static void install(struct device *d, const struct device_ops *ops)
{
    real = d->ops;
    faulty = *real;
    if (ops->attention)
        faulty.attention = ops->attention;
    if (ops->rope)
        faulty.rope = ops->rope;
    if (ops->norm)
        faulty.norm = ops->norm;
    if (ops->linear)
        faulty.linear = ops->linear;
    if (ops->conv)
        faulty.conv = ops->conv;
    if (ops->upsample)
        faulty.upsample = ops->upsample;
    if (ops->unfold_time)
        faulty.unfold_time = ops->unfold_time;
    d->ops = &faulty;
    late_weight = late_bias = NULL;
    skip_next = false;
}

static void remove_fault(struct device *d)
{
    d->ops = real;
    while (records_n)
        tensor_free(&records[--records_n]);
}

int golden_faults(struct golden *g)
{
    int caught = 0, missed = 0;
    for (size_t i = 0; i < sizeof mistakes / sizeof *mistakes; i++) {
        struct golden run = {.dir = g->dir, .dev = g->dev, .quiet = true, .mistake = &mistakes[i]};
        install(g->dev, &mistakes[i].ops);
        mistakes[i].part(&run);
        remove_fault(g->dev);
        bool ok = run.failed > 0 && run.worst > 0;
        printf("%s %.2e %.1e %s\n", mistakes[i].name, run.worst, run.worst_bound,
               ok ? "FAIL, as it must" : "ok, but it must fail");
        caught += ok;
        missed += !ok;
    }
    printf("%d passed, %d failed, 0 skipped\n", caught, missed);
    return missed;
}
