#include "wan/load.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAME_LEN 256

enum err load_done(struct loader *l, struct fault *f)
{
    free(l->stage);
    free(l->bias);
    l->stage = l->bias = NULL;
    l->stage_n = l->bias_n = 0;
    weights_rest(l->weights);
    if (l->fault.code) {
        if (f)
            *f = l->fault;
        return l->fault.code;
    }
    return device_settle(l->dev, f);
}

bool load_stopped(struct loader *l)
{
    if (!l->fault.code && stopper_says(l->stop))
        fault_set(&l->fault, ERR_CANCELLED, "the clip was cancelled");
    return l->fault.code != ERR_OK;
}

static const char *where(const struct weights *w)
{
    return w->n ? w->t[0].file : "the checkpoint";
}

static const struct wtensor *need(struct loader *l, const char *name)
{
    if (l->fault.code)
        return NULL;
    const struct wtensor *t = weights_find(l->weights, name);
    if (!t)
        fault_set(&l->fault, ERR_NOTFOUND, "%s has no tensor %s", where(l->weights), name);
    return t;
}

static void patch(struct loader *l, const char *name, float *values, int64_t out, int64_t in)
{
    if (l->patch && !l->patch->apply(l->patch->user, name, values, out, in))
        fault_set(&l->fault, ERR_NOMEM, "no memory for the change of %s", name);
}

static bool grow(struct loader *l, float **p, int64_t *have, int64_t n)
{
    if (n <= *have)
        return true;
    free(*p);
    *p = malloc((size_t)n * sizeof **p);
    *have = *p ? n : 0;
    if (!*p)
        fault_set(&l->fault, ERR_NOMEM, "no memory for a weight of %lld numbers", (long long)n);
    return *p != NULL;
}

/* The scale of an 8-bit weight: one number (ComfyUI) or one a row (LightX2V). */
static const struct wtensor *scale_of(const struct loader *l, const char *module)
{
    char name[NAME_LEN + 16];
    snprintf(name, sizeof name, "%s.scale_weight", module);
    const struct wtensor *s = weights_find(l->weights, name);
    if (s)
        return s;
    snprintf(name, sizeof name, "%s.weight_scale", module);
    return weights_find(l->weights, name);
}

static void apply_scale(struct loader *l, const char *module, const struct wtensor *t, int64_t from,
                        int64_t rows, float *values)
{
    const struct wtensor *s = scale_of(l, module);
    if (!s || l->fault.code)
        return;
    int64_t all = t->rank ? t->dim[0] : 1, row = t->count / (all ? all : 1);
    if (s->count != 1 && s->count != all) {
        fault_set(&l->fault, ERR_CORRUPT, "%s: %s has %lld scales for %lld rows", s->file, s->name,
                  (long long)s->count, (long long)all);
        return;
    }
    float by = 1;
    for (int64_t i = 0; i < rows; i++) {
        if (i == 0 || s->count > 1)
            wtensor_widen_rows(s, s->count > 1 ? from + i : 0, 1, &by);
        for (int64_t j = 0; j < row; j++)
            values[i * row + j] *= by;
    }
}

static enum err misshapen(struct loader *l, const struct wtensor *t, const char *want)
{
    char shape[128];
    wtensor_shape_text(t, shape, sizeof shape);
    return fault_set(&l->fault, ERR_CORRUPT, "%s: the tensor %s is %s, not %s", t->file, t->name,
                     shape, want);
}

/* Rows [from, from + out) of `module`.weight, whose kernel has `volume` taps, with bias. */
static struct weight *load(struct loader *l, struct weight_spec spec, int64_t from, int64_t rows,
                           bool bias, const char *module)
{
    char name[NAME_LEN + 16], want[96];
    int64_t volume = (int64_t)spec.kt * spec.kh * spec.kw, row = spec.in * volume;
    snprintf(name, sizeof name, "%s.weight", module);
    const struct wtensor *t = need(l, name), *b = NULL;
    if (!t)
        return NULL;
    bool fits = t->rank >= 2 && t->dim[0] == rows && t->count == rows * row &&
                (volume == 1 || t->dim[1] == spec.in); /* a patch embedding is flattened */
    if (!fits) {
        snprintf(want, sizeof want, "[%lld, %lld] x %lld", (long long)rows, (long long)spec.in,
                 (long long)volume);
        misshapen(l, t, want);
        return NULL;
    }
    bool changed = l->patch && l->patch->touches(l->patch->user, name);
    if (t->strided || changed || scale_of(l, module)) {
        if (!grow(l, &l->stage, &l->stage_n, spec.out * row))
            return NULL;
        wtensor_widen_rows(t, from, spec.out, l->stage);
        apply_scale(l, module, t, from, spec.out, l->stage);
        if (from == 0 && spec.out == rows)
            patch(l, name, l->stage, spec.out, row);
        spec.values = l->stage;
    } else { /* straight from the file */
        spec.values = t->data + (size_t)(from * row) * dtype_size(t->type);
        spec.type = t->type;
        spec.lent = l->lent;
    }
    if (bias) {
        snprintf(name, sizeof name, "%s.bias", module);
        if (!(b = need(l, name)) || !grow(l, &l->bias, &l->bias_n, spec.out))
            return NULL;
        if (b->count != rows || b->rank != 1) {
            snprintf(want, sizeof want, "[%lld]", (long long)rows);
            misshapen(l, b, want);
            return NULL;
        }
        wtensor_widen_rows(b, from, spec.out, l->bias);
        if (from == 0 && spec.out == rows)
            patch(l, name, l->bias, spec.out, 1);
    }
    if (l->fault.code)
        return NULL;
    spec.bias = b ? l->bias : NULL;
    spec.precise = l->precise;
    spec.low = l->low;
    spec.whole = l->whole;
    spec.at = l->at;
    l->at += spec.out;
    return weight_new(l->dev, &spec);
}

#define NAMED(module)                                                                              \
    char module[NAME_LEN];                                                                         \
    va_list ap;                                                                                    \
    va_start(ap, name);                                                                            \
    vsnprintf(module, sizeof module, name, ap);                                                    \
    va_end(ap)

struct weight *load_linear(struct loader *l, int64_t out, int64_t in, bool bias, const char *name,
                           ...)
{
    NAMED(module);
    return load(l, (struct weight_spec){out, in, 1, 1, 1, .type = DTYPE_F32}, 0, out, bias, module);
}

struct weight *load_conv(struct loader *l, int64_t out, int64_t in, int kt, int kh, int kw,
                         const char *name, ...)
{
    NAMED(module);
    return load(l, (struct weight_spec){out, in, kt, kh, kw, .type = DTYPE_F32}, 0, out, true,
                module);
}

struct weight *load_part(struct loader *l, int64_t from, int64_t out, int64_t rows, int64_t in,
                         const char *name, ...)
{
    NAMED(module);
    return load(l, (struct weight_spec){out, in, 1, 1, 1, .type = DTYPE_F32}, from, rows, true,
                module);
}

static float *values_of(struct loader *l, int64_t n, const char *name)
{
    const struct wtensor *t = need(l, name);
    if (!t)
        return NULL;
    if (t->count != n) {
        char want[64];
        snprintf(want, sizeof want, "%lld numbers", (long long)n);
        misshapen(l, t, want);
        return NULL;
    }
    float *v = malloc((size_t)(n ? n : 1) * sizeof *v);
    if (!v) {
        fault_set(&l->fault, ERR_NOMEM, "no memory for %s", name);
        return NULL;
    }
    wtensor_widen(t, v);
    patch(l, name, v, n, 1);
    return v;
}

float *load_values(struct loader *l, int64_t n, const char *name, ...)
{
    NAMED(full);
    return values_of(l, n, full);
}

struct tensor load_vector(struct loader *l, int64_t n, const char *name, ...)
{
    NAMED(full);
    float *v = values_of(l, n, full);
    struct tensor t = {0};
    if (v)
        t = tensor_from(l->dev, v, 1, &n);
    free(v);
    return t;
}

bool load_has(const struct loader *l, const char *name, ...)
{
    NAMED(full);
    return weights_find(l->weights, full) != NULL;
}

int64_t load_dim(const struct weights *w, const char *name, int axis)
{
    const struct wtensor *t = weights_find(w, name);
    return t && axis < t->rank ? t->dim[axis] : 0;
}

int load_layers(const struct weights *w, const char *pattern)
{
    char name[NAME_LEN];
    int n = 0;
    do {
        const char *at = strstr(pattern, "%d");
        snprintf(name, sizeof name, "%.*s%d%s", (int)(at - pattern), pattern, n, at + 2);
    } while (weights_find(w, name) && n++ < 1000);
    return n;
}
