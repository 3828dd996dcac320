/* tensor/cpu: oneDNN's matmul (C interface of version 2): a primitive for each
 * recipe that comes, made once and kept. For files of tensor/cpu/ only.
 *
 * oneDNN makes and runs a primitive with as many threads as OpenMP offers at that moment. One that
 * is made for a thread of its own (`alone`) may be run by several threads at once. */
#ifndef SAKUGA_TENSOR_CPU_PRIMITIVE_H
#define SAKUGA_TENSOR_CPU_PRIMITIVE_H

#include "base/err.h"
#include "tensor/dtype.h"

#include <oneapi/dnnl/dnnl.h>
#include <stdbool.h>
#include <stdint.h>

/* y[rows, out] = x[rows, in]·w and what follows. Recipes are
 * compared as bytes, so they begin as zeros (memset). x and w are of `dtype`; y, bias and gate are
 * f32. */
struct recipe {
    int64_t rows, in, out;
    enum dtype dtype; /* F32 or BF16 */
    int act, add, gate, bias;
    int alone;                 /* scratch is the caller's */
    dnnl_memory_desc_t layout; /* of w */
};

struct primitive {
    struct recipe for_what;
    dnnl_primitive_t handle;
    dnnl_memory_desc_t src, weights, dst, bias, gate, scratch;
    uint64_t used;
};

struct argument {
    int what; /* DNNL_ARG_… */
    const dnnl_memory_desc_t *md;
    void *data;
};

struct primitives;

/* So many threads for the primitives that are made and run from here on. */
void primitive_team(int threads);

enum err primitives_open(struct primitives **out, struct fault *f);
void primitives_close(struct primitives *p); /* NULL is fine */

/* The primitive for a recipe, made when it is new; NULL when oneDNN cannot. Stays until as many
 * others came as are kept. */
const struct primitive *primitive_for(struct primitives *p, const struct recipe *r);
bool primitive_run(const struct primitives *p, const struct primitive *k, const struct argument *a,
                   int n);

/* A matrix; both steps 0: in any layout. */
void primitive_matrix(dnnl_memory_desc_t *md, enum dtype dtype, int64_t rows, int64_t columns,
                      int64_t row_step, int64_t column_step);
/* The layout that oneDNN likes for weights [in, out] in f32: asked with a typical input. */
bool primitive_layout(struct primitives *p, int64_t in, int64_t out, bool bias,
                      dnnl_memory_desc_t *layout);
/* to[layout] = from */
bool primitive_reorder(struct primitives *p, const dnnl_memory_desc_t *from, const void *values,
                       const dnnl_memory_desc_t *layout, void *to);

#endif
