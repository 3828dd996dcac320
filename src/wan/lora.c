/* Whose keys are whose: a LoRA's file matched to a model. What it does is lora_apply.c's. */
#include "wan/lora_inside.h"

#include "base/buf.h"
#include "wan/files.h"
#include "wan/names.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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
    {".diff_m", ROLE_DIFF_MODULATION},
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

static bool ends(const char *name, size_t len, const char *with, size_t with_n)
{
    return len > with_n && !strcmp(name + len - with_n, with);
}

/* The module of the model that `key` means, which has such a tensor (".weight"): by name, by
 * diffusers name, or underscored. */
static bool find_module(const struct weights *model, const char *key, const char *tensor,
                        char out[NAME_LEN])
{
    char name[NAME_LEN + 16], canonical[NAME_LEN + 16];
    snprintf(name, sizeof name, "%s%s", key, tensor);
    names_dit(name, canonical, sizeof canonical);
    size_t end = strlen(canonical), n = strlen(tensor);
    if (ends(canonical, end, tensor, n) && weights_find(model, canonical)) {
        canonical[end - n] = '\0';
        return str_copy(out, NAME_LEN, canonical);
    }
    if (strchr(key, '.')) /* not underscored; a file may have many keys, a model many tensors */
        return false;
    for (int i = 0; i < model->n; i++) {
        size_t len = strlen(model->t[i].name);
        if (!ends(model->t[i].name, len, tensor, n))
            continue;
        if (same_underscored(model->t[i].name, len - n, key) && len - n < NAME_LEN) {
            memcpy(out, model->t[i].name, len - n);
            out[len - n] = '\0';
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
        bool known = find_module(model, key, ".weight", module);
        *dot = '.';
        if (known)
            return fault_set(f, ERR_UNSUPPORTED,
                             "%s: %s is a change of a kind that is not supported; LoRA, LoCon, "
                             "DoRA, .diff, .diff_b, .diff_m and .set_weight are: take another "
                             "file",
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
        bool mod = suffixes[i].role == ROLE_DIFF_MODULATION;
        bool known = find_module(model, key, mod ? ".modulation" : ".weight", module);
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

static bool dora_fits(const struct wtensor *dora, const struct wtensor *w)
{
    return !dora || lora_dora_by_rows(dora, w->dim[0]) ||
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
    char name[NAME_LEN + 16];
    snprintf(name, sizeof name, "%s.weight", d->module);
    const struct wtensor *w = weights_find(model, name);
    snprintf(name, sizeof name, "%s.bias", d->module);
    const struct wtensor *b = weights_find(model, name);
    snprintf(name, sizeof name, "%s.modulation", d->module);
    const struct wtensor *m = weights_find(model, name);
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
    if (r[ROLE_DIFF_MODULATION] && (!m || r[ROLE_DIFF_MODULATION]->count != m->count))
        leave_out(l, d, ROLE_DIFF_MODULATION);
    if (r[ROLE_SET] && (r[ROLE_UP] || r[ROLE_DIFF])) /* which of them comes first is said nowhere */
        return fault_set(f, ERR_UNSUPPORTED,
                         "%s: %s replaces a weight that the file changes too, which is not "
                         "supported; take another file",
                         r[ROLE_SET]->file, r[ROLE_SET]->name);
    l->matched += (r[ROLE_UP] || r[ROLE_DIFF] || r[ROLE_SET]) + (r[ROLE_DIFF_BIAS] != NULL) +
                  (r[ROLE_DIFF_MODULATION] != NULL);
    return ERR_OK;
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
    qsort(l->delta, (size_t)l->n, sizeof *l->delta, lora_by_module);
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

uint64_t lora_mark(const struct lora *l)
{
    return files_mark(l->file, 0);
}

int lora_skipped(const struct lora *l)
{
    return l->skipped;
}
