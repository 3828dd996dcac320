/* tensor/dtype: the number formats of weight files, and how each becomes f32.
 *
 * Arithmetic is f32; every other format exists to be stored and widened. Sources may lie at any
 * address: safetensors promises no alignment. Pure; any thread. */
#ifndef SAKUGA_TENSOR_DTYPE_H
#define SAKUGA_TENSOR_DTYPE_H

#include <stdbool.h>
#include <stddef.h>

/* name: as a safetensors header spells it */
#define DTYPE_MAP(X)                                                                               \
    X(F32, "F32", 4)                                                                               \
    X(F16, "F16", 2)                                                                               \
    X(BF16, "BF16", 2)                                                                             \
    X(F8_E4M3, "F8_E4M3", 1)                                                                       \
    X(F8_E5M2, "F8_E5M2", 1)                                                                       \
    X(F64, "F64", 8)                                                                               \
    X(I64, "I64", 8)                                                                               \
    X(I32, "I32", 4)                                                                               \
    X(I16, "I16", 2)                                                                               \
    X(I8, "I8", 1)                                                                                 \
    X(U8, "U8", 1)                                                                                 \
    X(BOOL, "BOOL", 1)

enum dtype {
#define DTYPE_ENUM(id, name, size) DTYPE_##id,
    DTYPE_MAP(DTYPE_ENUM)
#undef DTYPE_ENUM
        DTYPE_COUNT
};

size_t dtype_size(enum dtype type);      /* bytes of one element */
const char *dtype_name(enum dtype type); /* static */
bool dtype_parse(const char *name, enum dtype *out);

/* out[i] = in[i] for `n` elements of any type; exact for all but F64 and wide integers, which
 * round to nearest. `in` needs no alignment. */
void dtype_widen(float *out, const void *in, enum dtype type, size_t n);

#endif
