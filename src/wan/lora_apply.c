/* What a LoRA does to a tensor on its way to the device (spec 8), in f32. */
#include "wan/lora_inside.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

int lora_by_module(const void *a, const void *b)
{
    return strcmp(((const struct delta *)a)->module, ((const struct delta *)b)->module);
}

bool lora_dora_by_rows(const struct wtensor *dora, int64_t out)
{
    return dora->rank && dora->dim[0] == out && dora->count == out;
}

/* Which of a module's tensors a name is of. */
enum whose { WEIGHT, BIAS, MODULATION, NOBODYS };

static const struct {
    const char *ending;
    size_t n;
} endings[NOBODYS] = {{".weight", 7}, {".bias", 5}, {".modulation", 11}};

/* The delta of the module that owns the tensor `name`, or NULL. */
static const struct delta *find_delta(const struct lora *l, const char *name, enum whose *whose)
{
    char module[NAME_LEN];
    size_t n = strlen(name);
    int k = 0;
    while (k < NOBODYS && (n <= endings[k].n || strcmp(name + n - endings[k].n, endings[k].ending)))
        k++;
    *whose = (enum whose)k;
    if (k == NOBODYS || (n -= endings[k].n) >= sizeof module)
        return NULL;
    memcpy(module, name, n);
    module[n] = '\0';
    struct delta key = {.module = module};
    return l->n ? bsearch(&key, l->delta, (size_t)l->n, sizeof *l->delta, lora_by_module) : NULL;
}

static float *widened(const struct wtensor *t)
{
    float *v = malloc((size_t)t->count * sizeof *v);
    if (v)
        wtensor_widen(t, v);
    return v;
}

static enum err add_scaled(float *to, const struct wtensor *t, double by)
{
    float *v = widened(t);
    enum err e = v ? ERR_OK : ERR_NOMEM;
    for (int64_t i = 0; v && i < t->count; i++)
        to[i] += (float)(by * v[i]);
    free(v);
    return e;
}

/* `by` of the way from what is there to t, so that strength 1 is t itself. */
static enum err set_whole(float *to, const struct wtensor *t, double by)
{
    float *v = widened(t);
    enum err e = v ? ERR_OK : ERR_NOMEM;
    for (int64_t i = 0; v && i < t->count; i++)
        to[i] = (float)((1 - by) * to[i] + by * v[i]);
    free(v);
    return e;
}

#define ASK_AFTER ((int64_t)1 << 25) /* multiplications: a few hundredths of a second */

/* scale·up·down, in memory */
struct product {
    float *down, *up; /* [rank, in], [out, rank] */
    int64_t rank, in;
    float scale;
    const struct stopper *stop;
    int64_t since; /* it was asked */
};

/* down [rank, channels] behind the kernel of mid [rank, rank, volume]: [rank, channels·volume]. */
static float *through_mid(const float *down, const float *mid, int64_t rank, int64_t channels,
                          int64_t volume)
{
    float *y = mid && down ? calloc((size_t)(rank * channels * volume), sizeof *y) : NULL;
    for (int64_t a = 0; y && a < rank; a++)
        for (int64_t b = 0; b < rank; b++)
            for (int64_t c = 0; c < channels; c++)
                for (int64_t k = 0; k < volume; k++)
                    y[(a * channels + c) * volume + k] +=
                        mid[(a * rank + b) * volume + k] * down[b * channels + c];
    return y;
}

static enum err product_open(struct product *p, const struct delta *d, double strength, int64_t in,
                             const struct stopper *stop)
{
    const struct wtensor *down = d->role[ROLE_DOWN], *mid = d->role[ROLE_MID];
    int64_t rank = down->dim[0], channels = down->count / rank;
    float alpha = (float)rank;
    if (d->role[ROLE_ALPHA])
        wtensor_widen(d->role[ROLE_ALPHA], &alpha);
    *p = (struct product){widened(down),
                          widened(d->role[ROLE_UP]),
                          rank,
                          in,
                          (float)(strength * (double)alpha / (double)rank),
                          stop,
                          0};
    if (mid) {
        float *kernel = widened(mid), *all;
        all = through_mid(p->down, kernel, rank, channels, in / channels);
        free(kernel);
        free(p->down);
        p->down = all;
    }
    return p->down && p->up ? ERR_OK : ERR_NOMEM;
}

static void product_close(struct product *p)
{
    free(p->down);
    free(p->up);
}

/* row [in] += row i of the product */
static enum err product_add(struct product *p, int64_t i, float *row)
{
    p->since += p->rank * p->in;
    if (p->since > ASK_AFTER) {
        p->since = 0;
        if (stopper_says(p->stop))
            return ERR_CANCELLED;
    }
    for (int64_t r = 0; r < p->rank; r++) {
        float by = p->scale * p->up[i * p->rank + r];
        for (int64_t j = 0; j < p->in; j++)
            row[j] += by * p->down[r * p->in + j];
    }
    return ERR_OK;
}

static enum err add_product(float *to, const struct delta *d, double strength, int64_t out,
                            int64_t in, const struct stopper *stop)
{
    struct product p;
    enum err e = product_open(&p, d, strength, in, stop);
    for (int64_t i = 0; i < out && !e; i++)
        e = product_add(&p, i, to + i * in);
    product_close(&p);
    return e;
}

/* DoRA: m·(W+ΔW)/‖W+ΔW‖, a length m for each row or each input channel, and of the way from W to it
 * the part `strength`. The length is that of the sum, as it was trained (PEFT, LyCORIS); ComfyUI
 * divides rows by the length of W alone. Two passes: the lengths, then the change. */
static enum err add_dora(float *to, const struct delta *d, double strength, int64_t out, int64_t in,
                         const struct stopper *stop)
{
    const struct wtensor *dora = d->role[ROLE_DORA];
    bool rows = lora_dora_by_rows(dora, out);
    int64_t volume = rows ? in : in / dora->count;
    struct product p;
    float *m = widened(dora), *row = malloc((size_t)in * sizeof *row);
    double *square = calloc((size_t)dora->count, sizeof *square);
    enum err e = product_open(&p, d, 1, in, stop);
    e = e || !m || !row || !square ? ERR_NOMEM : e;
    for (int pass = 0; pass < 2; pass++)
        for (int64_t i = 0; i < out && !e; i++) {
            float *w = to + i * in;
            memcpy(row, w, (size_t)in * sizeof *row);
            e = product_add(&p, i, row);
            for (int64_t j = 0; j < in && !e; j++) {
                int64_t n = rows ? i : j / volume;
                if (pass == 0)
                    square[n] += (double)row[j] * row[j];
                else
                    w[j] += (float)(strength *
                                    (m[n] / (sqrt(square[n]) + FLT_EPSILON) * row[j] - w[j]));
            }
        }
    product_close(&p);
    free(m);
    free(row);
    free(square);
    return e;
}

static enum err change(const struct delta *d, double strength, float *values, int64_t out,
                       int64_t in, const struct stopper *stop)
{
    enum err e = ERR_OK;
    if (d->role[ROLE_SET])
        e = set_whole(values, d->role[ROLE_SET], strength);
    else if (d->role[ROLE_DORA])
        e = add_dora(values, d, strength, out, in, stop);
    else if (d->role[ROLE_UP])
        e = add_product(values, d, strength, out, in, stop);
    if (!e && d->role[ROLE_DIFF])
        e = add_scaled(values, d->role[ROLE_DIFF], strength);
    return e;
}

static const enum role diff_of[NOBODYS] = {ROLE_DIFF, ROLE_DIFF_BIAS, ROLE_DIFF_MODULATION};

static enum err apply(void *user, const struct stopper *stop, const char *name, float *values,
                      int64_t out, int64_t in)
{
    const struct lora_set *set = user;
    enum err e = ERR_OK;
    for (int i = 0; i < set->n && !e; i++) {
        enum whose whose;
        double strength = set->strength[i];
        const struct delta *d = find_delta(set->lora[i], name, &whose);
        if (!d || strength == 0)
            continue;
        const struct wtensor *diff = d->role[diff_of[whose]];
        if (whose == WEIGHT)
            e = change(d, strength, values, out, in, stop);
        else if (diff)
            e = add_scaled(values, diff, strength);
    }
    return e;
}

struct patcher lora_patcher(struct lora_set *set)
{
    return (struct patcher){lora_touches, apply, set};
}

bool lora_touches(void *user, const char *name)
{
    const struct lora_set *set = user;
    for (int i = 0; i < set->n; i++) {
        enum whose whose;
        const struct delta *d = find_delta(set->lora[i], name, &whose);
        if (d && (d->role[diff_of[whose]] ||
                  (whose == WEIGHT && (d->role[ROLE_UP] || d->role[ROLE_SET]))))
            return true;
    }
    return false;
}
