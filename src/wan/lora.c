#include "wan/lora.h"

#include "base/buf.h"
#include "wan/names.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAME_LEN 256

enum role {
    ROLE_DOWN,  /* [rank, in] */
    ROLE_UP,    /* [out, rank] */
    ROLE_MID,   /* [rank, rank, kernel...] of a LoCon; down sees one tap then: [rank, channels] */
    ROLE_ALPHA, /* one number */
    ROLE_DORA,  /* the length of each row [out] or [out, 1], or of each input channel [1, in] */
    ROLE_DIFF,
    ROLE_DIFF_BIAS,
    ROLE_SET, /* the whole weight */
    ROLE_COUNT
};

/* What a LoRA does to one module of the model. */
struct delta {
    char *module; /* canonical, without ".weight" */
    const struct wtensor *role[ROLE_COUNT];
};

struct lora {
    struct weights *file;
    struct delta *delta; /* sorted by module */
    int n, cap, skipped, matched;
};

static const struct {
    const char *suffix;
    enum role role;
} suffixes[] = {
    {".lora_down.weight", ROLE_DOWN},
    {".lora_up.weight", ROLE_UP},
    {".lora_A.weight", ROLE_DOWN},
    {".lora_B.weight", ROLE_UP},
    {".lora_A.default.weight", ROLE_DOWN},
    {".lora_B.default.weight", ROLE_UP},
    {".lora.down.weight", ROLE_DOWN},
    {".lora.up.weight", ROLE_UP},
    {"_lora.down.weight", ROLE_DOWN},
    {"_lora.up.weight", ROLE_UP},
    {".lora_linear_layer.down.weight", ROLE_DOWN},
    {".lora_linear_layer.up.weight", ROLE_UP},
    {".lora_mid.weight", ROLE_MID},
    {".alpha", ROLE_ALPHA},
    {".dora_scale", ROLE_DORA},
    {".lora_magnitude_vector", ROLE_DORA}, /* as PEFT names it */
    {".lora_magnitude_vector.weight", ROLE_DORA},
    {".lora_magnitude_vector.default.weight", ROLE_DORA},
    {".diff", ROLE_DIFF},
    {".diff_b", ROLE_DIFF_BIAS},
    {".lora_B.bias", ROLE_DIFF_BIAS},
    {".set_weight", ROLE_SET},
};

static const char *const prefixes[] = {
    "base_model.model.", "diffusion_model.", "transformer.", "unet.", "model.",
    "lora_unet__",       "lora_unet_",
};

static const char *without_prefix(const char *key)
{
    for (bool again = true; again;) {
        again = false;
        for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++) {
            size_t n = strlen(prefixes[i]);
            if (!strncmp(key, prefixes[i], n)) {
                key += n;
                again = true;
                break;
            }
        }
    }
    return key;
}

/* kohya writes '_' for '.': compare a model's module with that in mind. */
static bool same_underscored(const char *module, size_t n, const char *key)
{
    for (size_t i = 0; i < n; i++)
        if (module[i] != key[i] && !(module[i] == '.' && key[i] == '_'))
            return false; /* at the end of key too */
    return key[n] == '\0';
}

/* The module of the model that `key` means: by name, by diffusers name, or underscored. */
static bool find_module(const struct weights *model, const char *key, char *out, size_t n)
{
    char name[NAME_LEN + 8], canonical[NAME_LEN + 8];
    snprintf(name, sizeof name, "%s.weight", key);
    names_dit(name, canonical, sizeof canonical);
    size_t end = strlen(canonical);
    if (end > 7 && !strcmp(canonical + end - 7, ".weight") && weights_find(model, canonical)) {
        canonical[end - 7] = '\0';
        return str_copy(out, n, canonical);
    }
    for (int i = 0; i < model->n; i++) {
        size_t len = strlen(model->t[i].name);
        if (len < 8 || strcmp(model->t[i].name + len - 7, ".weight"))
            continue;
        if (same_underscored(model->t[i].name, len - 7, key) && len - 7 < n) {
            memcpy(out, model->t[i].name, len - 7);
            out[len - 7] = '\0';
            return true;
        }
    }
    return false;
}

static struct delta *delta_of(struct lora *l, const char *module)
{
    for (int i = 0; i < l->n; i++)
        if (!strcmp(l->delta[i].module, module))
            return &l->delta[i];
    if (l->n == l->cap) {
        int cap = l->cap ? l->cap * 2 : 64;
        struct delta *p = realloc(l->delta, (size_t)cap * sizeof *p);
        if (!p)
            return NULL;
        l->delta = p;
        l->cap = cap;
    }
    struct delta *d = &l->delta[l->n];
    memset(d, 0, sizeof *d);
    d->module = strdup(module);
    return d->module ? (l->n++, d) : NULL;
}

/* A key of no role. What the model lacks is left out; what would change a module of it in a way
 * that is unknown here (LoHa, LoKr) is refused, for the rest of the file is not what it was made
 * for. */
static enum err unknown(struct lora *l, const struct weights *model, const struct wtensor *t,
                        char *key, struct fault *f)
{
    char module[NAME_LEN];
    for (char *dot = key; (dot = strchr(dot, '.')); dot++) {
        *dot = '\0';
        bool known = find_module(model, key, module, sizeof module);
        *dot = '.';
        if (known)
            return fault_set(f, ERR_UNSUPPORTED,
                             "%s: %s is a change of a kind that is not supported; LoRA, LoCon, "
                             "DoRA, .diff, .diff_b and .set_weight are: take another file",
                             t->file, t->name);
    }
    l->skipped++;
    return ERR_OK;
}

static enum err take_key(struct lora *l, const struct weights *model, const struct wtensor *t,
                         struct fault *f)
{
    char key[NAME_LEN], module[NAME_LEN];
    if (!str_copy(key, sizeof key, without_prefix(t->name))) {
        l->skipped++;
        return ERR_OK;
    }
    for (size_t i = 0; i < sizeof suffixes / sizeof *suffixes; i++) {
        size_t n = strlen(key), m = strlen(suffixes[i].suffix);
        if (n <= m || strcmp(key + n - m, suffixes[i].suffix))
            continue;
        key[n - m] = '\0';
        bool known = find_module(model, key, module, sizeof module);
        key[n - m] = *suffixes[i].suffix;
        if (!known)
            break;
        struct delta *d = delta_of(l, module);
        if (!d)
            return fault_set(f, ERR_NOMEM, "out of memory");
        const struct wtensor **to = &d->role[suffixes[i].role];
        if (*to)
            return fault_set(f, ERR_CORRUPT, "%s: %s and %s are the same part of %s; keep one",
                             t->file, (*to)->name, t->name, module);
        *to = t;
        return ERR_OK;
    }
    return unknown(l, model, t, key, f);
}

/* Does up·down, or up·mid·down, have the shape of w? */
static bool product_fits(const struct delta *d, const struct wtensor *w)
{
    const struct wtensor *down = d->role[ROLE_DOWN], *up = d->role[ROLE_UP],
                         *mid = d->role[ROLE_MID];
    int64_t out = w && w->rank ? w->dim[0] : 0, in = out ? w->count / out : 0;
    if (!down || !up || down->rank < 2 || up->rank < 2 || !out || !down->count)
        return false;
    int64_t rank = down->dim[0], channels = down->count / rank;
    if (up->dim[0] != out || up->count != out * rank)
        return false;
    if (!mid)
        return channels == in;
    return mid->rank >= 2 && mid->count && mid->dim[0] == rank && mid->dim[1] == rank &&
           in % channels == 0 && mid->count / (rank * rank) == in / channels;
}

/* A length for each row? Else for each input channel. */
static bool dora_by_rows(const struct wtensor *dora, int64_t out)
{
    return dora->rank && dora->dim[0] == out && dora->count == out;
}

static bool dora_fits(const struct wtensor *dora, const struct wtensor *w)
{
    return !dora || dora_by_rows(dora, w->dim[0]) ||
           (dora->rank >= 2 && w->rank >= 2 && dora->dim[0] == 1 && dora->count == w->dim[1]);
}

static void leave_out(struct lora *l, struct delta *d, enum role role)
{
    l->skipped += d->role[role] != NULL;
    d->role[role] = NULL;
}

/* Leaves out what cannot be applied to the model's tensor, so that applying needs no checks. A
 * product goes with all that belongs to it: the rest alone would be another change. */
static enum err fit(struct lora *l, const struct weights *model, struct delta *d, struct fault *f)
{
    char name[NAME_LEN + 8];
    snprintf(name, sizeof name, "%s.weight", d->module);
    const struct wtensor *w = weights_find(model, name);
    snprintf(name, sizeof name, "%s.bias", d->module);
    const struct wtensor *b = weights_find(model, name);
    const struct wtensor **r = d->role;
    if (r[ROLE_ALPHA] && r[ROLE_ALPHA]->count != 1)
        return fault_set(f, ERR_CORRUPT, "%s: %s has %lld numbers, not one; make the file anew",
                         r[ROLE_ALPHA]->file, r[ROLE_ALPHA]->name, (long long)r[ROLE_ALPHA]->count);
    if (!product_fits(d, w) || !dora_fits(r[ROLE_DORA], w)) {
        leave_out(l, d, ROLE_DOWN);
        leave_out(l, d, ROLE_UP);
        leave_out(l, d, ROLE_MID);
        leave_out(l, d, ROLE_ALPHA);
        leave_out(l, d, ROLE_DORA);
    }
    if (r[ROLE_DIFF] && (!w || r[ROLE_DIFF]->count != w->count))
        leave_out(l, d, ROLE_DIFF);
    if (r[ROLE_SET] && (!w || r[ROLE_SET]->count != w->count))
        leave_out(l, d, ROLE_SET);
    if (r[ROLE_DIFF_BIAS] && (!b || r[ROLE_DIFF_BIAS]->count != b->count))
        leave_out(l, d, ROLE_DIFF_BIAS);
    if (r[ROLE_SET] && (r[ROLE_UP] || r[ROLE_DIFF])) /* which of them comes first is said nowhere */
        return fault_set(f, ERR_UNSUPPORTED,
                         "%s: %s replaces a weight that the file changes too, which is not "
                         "supported; take another file",
                         r[ROLE_SET]->file, r[ROLE_SET]->name);
    l->matched += (r[ROLE_UP] || r[ROLE_DIFF] || r[ROLE_SET]) + (r[ROLE_DIFF_BIAS] != NULL);
    return ERR_OK;
}

static int by_module(const void *a, const void *b)
{
    return strcmp(((const struct delta *)a)->module, ((const struct delta *)b)->module);
}

enum err lora_open(const char *path, const struct weights *model, struct lora **out,
                   struct fault *f)
{
    struct lora *l = calloc(1, sizeof *l);
    if (!l)
        return fault_set(f, ERR_NOMEM, "out of memory");
    enum err e = weights_open(path, &l->file, f);
    for (int i = 0; !e && i < l->file->n; i++)
        e = take_key(l, model, &l->file->t[i], f);
    for (int i = 0; !e && i < l->n; i++)
        e = fit(l, model, &l->delta[i], f);
    if (!e && !l->matched)
        e = fault_set(f, ERR_INVAL, "%s changes nothing of this model: none of its %d keys fits",
                      path, l->file->n);
    if (e) {
        lora_free(l);
        return e;
    }
    qsort(l->delta, (size_t)l->n, sizeof *l->delta, by_module);
    *out = l;
    return ERR_OK;
}

void lora_free(struct lora *l)
{
    if (!l)
        return;
    for (int i = 0; i < l->n; i++)
        free(l->delta[i].module);
    free(l->delta);
    weights_free(l->file);
    free(l);
}

int lora_matched(const struct lora *l)
{
    return l->matched;
}

int lora_skipped(const struct lora *l)
{
    return l->skipped;
}

/* The delta of the module that owns the tensor `name`; *bias says which of its two tensors. */
static const struct delta *find_delta(const struct lora *l, const char *name, bool *bias)
{
    char module[NAME_LEN];
    size_t n = strlen(name);
    if (n > 7 && !strcmp(name + n - 7, ".weight")) {
        *bias = false;
        n -= 7;
    } else if (n > 5 && !strcmp(name + n - 5, ".bias")) {
        *bias = true;
        n -= 5;
    } else {
        return NULL;
    }
    if (n >= sizeof module)
        return NULL;
    memcpy(module, name, n);
    module[n] = '\0';
    struct delta key = {.module = module};
    return l->n ? bsearch(&key, l->delta, (size_t)l->n, sizeof *l->delta, by_module) : NULL;
}

static float *widened(const struct wtensor *t)
{
    float *v = malloc((size_t)t->count * sizeof *v);
    if (v)
        wtensor_widen(t, v);
    return v;
}

static bool add_scaled(float *to, const struct wtensor *t, double by)
{
    float *v = widened(t);
    bool ok = v != NULL;
    for (int64_t i = 0; v && i < t->count; i++)
        to[i] += (float)(by * v[i]);
    free(v);
    return ok;
}

/* `by` of the way from what is there to t, so that strength 1 is t itself. */
static bool set_whole(float *to, const struct wtensor *t, double by)
{
    float *v = widened(t);
    bool ok = v != NULL;
    for (int64_t i = 0; v && i < t->count; i++)
        to[i] = (float)((1 - by) * to[i] + by * v[i]);
    free(v);
    return ok;
}

/* scale·up·down, in memory */
struct product {
    float *down, *up; /* [rank, in], [out, rank] */
    int64_t rank, in;
    float scale;
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

static bool product_open(struct product *p, const struct delta *d, double strength, int64_t in)
{
    const struct wtensor *down = d->role[ROLE_DOWN], *mid = d->role[ROLE_MID];
    int64_t rank = down->dim[0], channels = down->count / rank;
    float alpha = (float)rank;
    if (d->role[ROLE_ALPHA])
        wtensor_widen(d->role[ROLE_ALPHA], &alpha);
    *p = (struct product){widened(down), widened(d->role[ROLE_UP]), rank, in,
                          (float)(strength * (double)alpha / (double)rank)};
    if (mid) {
        float *kernel = widened(mid), *all;
        all = through_mid(p->down, kernel, rank, channels, in / channels);
        free(kernel);
        free(p->down);
        p->down = all;
    }
    return p->down && p->up;
}

static void product_close(struct product *p)
{
    free(p->down);
    free(p->up);
}

/* row [in] += row i of the product */
static void product_add(const struct product *p, int64_t i, float *row)
{
    for (int64_t r = 0; r < p->rank; r++) {
        float by = p->scale * p->up[i * p->rank + r];
        for (int64_t j = 0; j < p->in; j++)
            row[j] += by * p->down[r * p->in + j];
    }
}

static bool add_product(float *to, const struct delta *d, double strength, int64_t out, int64_t in)
{
    struct product p;
    bool ok = product_open(&p, d, strength, in);
    for (int64_t i = 0; i < out && ok; i++)
        product_add(&p, i, to + i * in);
    product_close(&p);
    return ok;
}

/* DoRA: m·(W+ΔW)/‖W+ΔW‖, a length m for each row or each input channel, and of the way from W to it
 * the part `strength`. The length is that of the sum, as it was trained (PEFT, LyCORIS); ComfyUI
 * divides rows by the length of W alone. Two passes: the lengths, then the change. */
static bool add_dora(float *to, const struct delta *d, double strength, int64_t out, int64_t in)
{
    const struct wtensor *dora = d->role[ROLE_DORA];
    bool rows = dora_by_rows(dora, out);
    int64_t volume = rows ? in : in / dora->count;
    struct product p;
    float *m = widened(dora), *row = malloc((size_t)in * sizeof *row);
    double *square = calloc((size_t)dora->count, sizeof *square);
    bool ok = product_open(&p, d, 1, in) && m && row && square;
    for (int pass = 0; pass < 2 && ok; pass++)
        for (int64_t i = 0; i < out; i++) {
            float *w = to + i * in;
            memcpy(row, w, (size_t)in * sizeof *row);
            product_add(&p, i, row);
            for (int64_t j = 0; j < in; j++) {
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
    return ok;
}

static bool change(const struct delta *d, double strength, float *values, int64_t out, int64_t in)
{
    bool ok = true;
    if (d->role[ROLE_SET])
        ok = set_whole(values, d->role[ROLE_SET], strength);
    else if (d->role[ROLE_DORA])
        ok = add_dora(values, d, strength, out, in);
    else if (d->role[ROLE_UP])
        ok = add_product(values, d, strength, out, in);
    if (ok && d->role[ROLE_DIFF])
        ok = add_scaled(values, d->role[ROLE_DIFF], strength);
    return ok;
}

static bool apply(void *user, const char *name, float *values, int64_t out, int64_t in)
{
    const struct lora_set *set = user;
    bool ok = true;
    for (int i = 0; i < set->n && ok; i++) {
        bool bias = false;
        double strength = set->strength[i];
        const struct delta *d = find_delta(set->lora[i], name, &bias);
        if (!d || strength == 0)
            continue;
        if (!bias)
            ok = change(d, strength, values, out, in);
        else if (d->role[ROLE_DIFF_BIAS])
            ok = add_scaled(values, d->role[ROLE_DIFF_BIAS], strength);
    }
    return ok;
}

struct patcher lora_patcher(struct lora_set *set)
{
    return (struct patcher){lora_touches, apply, set};
}

bool lora_touches(void *user, const char *name)
{
    const struct lora_set *set = user;
    for (int i = 0; i < set->n; i++) {
        bool bias = false;
        const struct delta *d = find_delta(set->lora[i], name, &bias);
        if (d && (bias ? d->role[ROLE_DIFF_BIAS] != NULL
                       : d->role[ROLE_UP] || d->role[ROLE_DIFF] || d->role[ROLE_SET]))
            return true;
    }
    return false;
}
