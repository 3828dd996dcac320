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
    free(l->scales);
    l->stage = l->bias = l->scales = NULL;
    l->stage_n = l->bias_n = l->scales_n = 0;
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

/* Only shapes count there. */
static bool hollow(const struct loader *l)
{
    return device_caps(l->dev)->hollow;
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
    if (!l->patch || l->fault.code)
        return;
    enum err e = l->patch->apply(l->patch->user, l->stop, name, values, out, in);
    if (e == ERR_CANCELLED)
        fault_set(&l->fault, e, "the clip was cancelled");
    else if (e)
        fault_set(&l->fault, e, "no memory for the change of %s", name);
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

/* The scales of `rows` rows of it, from the row `from` on; 1 where there are none. */
static bool row_scales(struct loader *l, const char *module, const struct wtensor *t, int64_t from,
                       int64_t rows, float *by)
{
    const struct wtensor *s = scale_of(l, module);
    int64_t all = t->rank ? t->dim[0] : 1;
    if (s && s->count != 1 && s->count != all) {
        fault_set(&l->fault, ERR_CORRUPT, "%s: %s has %lld scales for %lld rows", s->file, s->name,
                  (long long)s->count, (long long)all);
        return false;
    }
    for (int64_t i = 0; i < rows; i++) {
        by[i] = i ? by[0] : 1;
        if (s && (i == 0 || s->count > 1))
            wtensor_widen_rows(s, s->count > 1 ? from + i : 0, 1, &by[i]);
    }
    return true;
}

static void apply_scale(struct loader *l, const char *module, const struct wtensor *t, int64_t from,
                        int64_t rows, float *values)
{
    int64_t all = t->rank ? t->dim[0] : 1, row = t->count / (all ? all : 1);
    if (!scale_of(l, module) || l->fault.code || !grow(l, &l->scales, &l->scales_n, rows) ||
        !row_scales(l, module, t, from, rows, l->scales))
        return;
    for (int64_t i = 0; i < rows; i++)
        for (int64_t j = 0; j < row; j++)
            values[i * row + j] *= l->scales[i];
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
    if (changed && !hollow(l) && load_stopped(l)) /* it is work */
        return NULL;
    static const float nothing; /* values that nobody reads */
    bool scaled = device_caps(l->dev)->scaled && t->type == DTYPE_F8_E4M3 && volume == 1 &&
                  spec.in % 8 == 0 && !t->strided && !changed;
    if (scaled) {
        if (!hollow(l) && (!grow(l, &l->scales, &l->scales_n, spec.out) ||
                           !row_scales(l, module, t, from, spec.out, l->scales)))
            return NULL;
        spec.scales = hollow(l) ? &nothing : l->scales;
    }
    if (!scaled && (t->strided || changed || scale_of(l, module))) {
        if (!hollow(l) && !grow(l, &l->stage, &l->stage_n, spec.out * row))
            return NULL;
        if (!hollow(l)) {
            wtensor_widen_rows(t, from, spec.out, l->stage);
            apply_scale(l, module, t, from, spec.out, l->stage);
            if (from == 0 && spec.out == rows)
                patch(l, name, l->stage, spec.out, row);
        }
        spec.values = hollow(l) ? &nothing : l->stage;
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
        if (!hollow(l))
            wtensor_widen_rows(b, from, spec.out, l->bias);
        if (!hollow(l) && from == 0 && spec.out == rows)
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
    spec.shelf = l->shelf;
    spec.part = l->part;
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
    float *v = calloc((size_t)(n ? n : 1), sizeof *v);
    if (!v) {
        fault_set(&l->fault, ERR_NOMEM, "no memory for %s", name);
        return NULL;
    }
    size_t end = strlen(name);
    if (!hollow(l)) {
        wtensor_widen(t, v);
        if (end > 7 && !strcmp(name + end - 7, ".weight")) {
            char module[NAME_LEN];
            snprintf(module, sizeof module, "%.*s", (int)(end - 7), name);
            apply_scale(l, module, t, 0, t->rank ? t->dim[0] : 1, v);
        }
        patch(l, name, v, n, 1);
    }
    return v;
}

float *load_values(struct loader *l, int64_t n, const char *name, ...)
{
    NAMED(full);
    return values_of(l, n, full);
}

bool load_row(struct loader *l, const char *module, int64_t row, float *out)
{
    char name[NAME_LEN + 16];
    snprintf(name, sizeof name, "%s.weight", module);
    const struct wtensor *t = need(l, name);
    if (!t)
        return false;
    wtensor_widen_rows(t, row, 1, out);
    apply_scale(l, module, t, row, 1, out);
    return !l->fault.code;
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

void load_ahead(const struct loader *l, const char *name, ...)
{
    NAMED(prefix);
    if (!hollow(l))
        weights_want(l->weights, prefix);
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

int load_layers(const struct weights *w, const char *prefix)
{
    size_t at = strlen(prefix);
    long layers = 0;
    for (int i = 0; w && i < w->n; i++) {
        const char *digits = w->t[i].name + at;
        size_t n = strncmp(w->t[i].name, prefix, at) ? 0 : strspn(digits, "0123456789");
        if (!n || digits[n] != '.')
            continue;
        long k = n > 6 ? LOAD_LAYERS_MAX : strtol(digits, NULL, 10) + 1;
        layers = k > layers ? k : layers;
    }
    return (int)(layers < LOAD_LAYERS_MAX ? layers : LOAD_LAYERS_MAX);
}
