/* What the fuzz targets of checkpoint readers share: bytes as if mapped from a file, and the use
 * of every tensor that a reader let through. */
#ifndef SAKUGA_TESTS_FUZZ_WAN_H
#define SAKUGA_TESTS_FUZZ_WAN_H

#include "wan/names.h"

#include <stdlib.h>
#include <string.h>

static inline void fuzz_use(const struct weights *w)
{
    for (int i = 0; i < w->n; i++) {
        const struct wtensor *t = &w->t[i];
        char shape[64];
        float *v = malloc((size_t)(t->count ? t->count : 1) * sizeof *v);
        wtensor_shape_text(t, shape, sizeof shape);
        if (v)
            wtensor_widen(t, v);
        free(v);
        if (weights_find(w, t->name) != t)
            abort();
    }
}

static inline void fuzz_read(const void *data, size_t n,
                             enum err (*reader)(struct weights *, const struct mapping *,
                                                struct fault *))
{
    static const char path[] = "the-file";
    struct weights *w = weights_new();
    struct mapping *m = calloc(1, sizeof *m + sizeof path);
    struct fault f = {0};
    memcpy(m->path, path, sizeof path);
    m->data = data;
    m->bytes = n;
    enum err e = reader(w, m, &f);
    if (!e)
        e = weights_done(w, &f);
    if (e && !strstr(f.text, path))
        abort(); /* every error names the file */
    if (!e) {
        static void (*const maps[])(const char *, char *, size_t) = {names_dit, names_t5, names_vae,
                                                                     names_clip};
        fuzz_use(w);
        e = names_apply(w, maps[n % 4], &f);
        if (e && !strstr(f.text, path))
            abort();
    }
    weights_free(w);
    free(m);
}

#endif
