#include "wan/lora.h"

#include "base/buf.h"
#include "wan/names.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAME_LEN 256

enum role { ROLE_DOWN, ROLE_UP, ROLE_ALPHA, ROLE_DIFF, ROLE_DIFF_BIAS, ROLE_COUNT };

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
    {".alpha", ROLE_ALPHA},
    {".diff", ROLE_DIFF},
    {".diff_b", ROLE_DIFF_BIAS},
    {".lora_B.bias", ROLE_DIFF_BIAS},
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
        if (!find_module(model, key, module, sizeof module))
            break;
        struct delta *d = delta_of(l, module);
        if (!d)
            return fault_set(f, ERR_NOMEM, "out of memory");
        d->role[suffixes[i].role] = t;
        return ERR_OK;
    }
    l->skipped++;
    return ERR_OK;
}

/* Leaves out what cannot be applied to the model's tensor, so that applying needs no checks. */
static void fit(struct lora *l, const struct weights *model, struct delta *d)
{
    char name[NAME_LEN + 8];
    snprintf(name, sizeof name, "%s.weight", d->module);
    const struct wtensor *w = weights_find(model, name);
    snprintf(name, sizeof name, "%s.bias", d->module);
    const struct wtensor *b = weights_find(model, name);
    const struct wtensor **r = d->role, *down = r[ROLE_DOWN], *up = r[ROLE_UP];
    int64_t out = w && w->rank ? w->dim[0] : 0, in = out ? w->count / out : 0;
    bool pair = down && up && down->rank >= 2 && up->rank >= 2 && down->dim[0] > 0 && out &&
                up->dim[0] == out && up->count == out * down->dim[0] &&
                down->count == down->dim[0] * in;
    if ((down || up) && !pair) {
        l->skipped += (down != NULL) + (up != NULL);
        r[ROLE_DOWN] = r[ROLE_UP] = NULL;
    }
    if (r[ROLE_ALPHA] && r[ROLE_ALPHA]->count != 1)
        r[ROLE_ALPHA] = NULL;
    if (r[ROLE_DIFF] && (!w || r[ROLE_DIFF]->count != w->count)) {
        l->skipped++;
        r[ROLE_DIFF] = NULL;
    }
    if (r[ROLE_DIFF_BIAS] && (!b || r[ROLE_DIFF_BIAS]->count != b->count)) {
        l->skipped++;
        r[ROLE_DIFF_BIAS] = NULL;
    }
    l->matched += (r[ROLE_UP] || r[ROLE_DIFF]) + (r[ROLE_DIFF_BIAS] != NULL);
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
        fit(l, model, &l->delta[i]);
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

static bool add_scaled(float *to, const struct wtensor *t, double by)
{
    float *v = malloc((size_t)t->count * sizeof *v);
    if (!v)
        return false;
    wtensor_widen(t, v);
    for (int64_t i = 0; i < t->count; i++)
        to[i] += (float)(by * v[i]);
    free(v);
    return true;
}

static bool add_product(float *to, const struct delta *d, double strength, int64_t out, int64_t in)
{
    const struct wtensor *down = d->role[ROLE_DOWN], *up = d->role[ROLE_UP];
    int64_t rank = down->dim[0];
    float *a = malloc((size_t)down->count * sizeof *a), *b = malloc((size_t)up->count * sizeof *b);
    bool ok = a && b;
    if (ok) {
        float alpha = (float)rank;
        if (d->role[ROLE_ALPHA])
            wtensor_widen(d->role[ROLE_ALPHA], &alpha);
        float scale = (float)(strength * (double)alpha / (double)rank);
        wtensor_widen(down, a);
        wtensor_widen(up, b);
        for (int64_t i = 0; i < out; i++)
            for (int64_t r = 0; r < rank; r++) {
                float by = scale * b[i * rank + r];
                for (int64_t j = 0; j < in; j++)
                    to[i * in + j] += by * a[r * in + j];
            }
    }
    free(a);
    free(b);
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
        if (bias) {
            if (d->role[ROLE_DIFF_BIAS])
                ok = add_scaled(values, d->role[ROLE_DIFF_BIAS], strength);
            continue;
        }
        if (d->role[ROLE_UP])
            ok = add_product(values, d, strength, out, in);
        if (ok && d->role[ROLE_DIFF])
            ok = add_scaled(values, d->role[ROLE_DIFF], strength);
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
                       : d->role[ROLE_UP] != NULL || d->role[ROLE_DIFF] != NULL))
            return true;
    }
    return false;
}
