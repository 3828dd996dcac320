/* tensor/cpu/kernels: the inner loops, compiled once for each instruction set.
 *
 * kernels.c is built several times with other compiler flags; each build fills one table, and
 * kernels_best() picks by what the processor reports (never by the clock). All functions are for
 * one thread; the callers share work out. */
#ifndef SAKUGA_TENSOR_CPU_KERNELS_H
#define SAKUGA_TENSOR_CPU_KERNELS_H

#include "tensor/device.h"

/* What a row of output gets after the product: y = act(v + bias), or y += gate ⊙ (v + bias). */
struct finish {
    const float *bias, *gate; /* [n] or NULL */
    enum act act;
    bool add;
};

struct kernels {
    const char *name;
    int tile_rows, tile_cols; /* of the register tile */

    /* c[m, tile_cols] (+)= a[m, k]·b, b packed [k, tile_cols]; m ≤ tile_rows; rows of a are lda
     * apart, rows of c ldc. */
    void (*tile)(int m, int64_t k, const float *a, int64_t lda, const float *b, float *c,
                 int64_t ldc, bool add);
    /* Packs tile_cols columns: to[k, tile_cols] from element (i, j) at from[i·step_k + j·step_n],
     * n of them real, the rest zero. */
    void (*pack)(float *to, const float *from, int64_t k, int64_t n, int64_t step_k,
                 int64_t step_n);
    /* to[n, cols] from m ≤ cols rows of n numbers each, in F32, BF16 or F16, at any address:
     * widened and transposed. Columns behind m stay as they are. */
    void (*panel)(float *to, const void *const *rows, enum dtype type, int64_t n, int m, int cols);
    void (*narrow)(uint16_t *to, const float *from, int64_t n); /* bf16, to nearest even */
    void (*finish)(float *y, const float *v, int64_t n, const struct finish *f);

    void (*norm)(float *y, const float *x, int64_t n, const struct norm_op *op);
    void (*rope)(float *x, const float *table, int heads, int64_t half);
    void (*act)(float *y, const float *x, int64_t n, enum act act);
    void (*add)(float *y, const float *x, const float *z, int64_t n);
    void (*mul)(float *y, const float *x, const float *z, int64_t n);
    void (*blend)(float *y, float a, const float *x, float b, int64_t n);

    /* One row of online softmax: s[n] holds logits (scaled) on entry and exp(s − max) after it;
     * *max and *sum run on; returns the factor for what was summed before. */
    float (*soften)(float *s, int64_t n, float *max, float *sum);
    void (*scale)(float *y, int64_t n, float by);
};

const struct kernels *kernels_best(void);

extern const struct kernels kernels_base;
#ifdef SAKUGA_X86_LEVELS
extern const struct kernels kernels_v3, kernels_v4;
#endif

#endif
