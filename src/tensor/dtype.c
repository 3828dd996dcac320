#include "tensor/dtype.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

static const struct {
    const char *name;
    size_t size;
} types[] = {
#define DTYPE_ROW(id, name, size) {name, size},
    DTYPE_MAP(DTYPE_ROW)
#undef DTYPE_ROW
};

size_t dtype_size(enum dtype type)
{
    return types[type].size;
}

const char *dtype_name(enum dtype type)
{
    return types[type].name;
}

bool dtype_parse(const char *name, enum dtype *out)
{
    if (!strcmp(name, "F8_E4M3FN"))
        name = "F8_E4M3";
    for (int i = 0; i < DTYPE_COUNT; i++)
        if (!strcmp(name, types[i].name)) {
            *out = (enum dtype)i;
            return true;
        }
    return false;
}

static inline float from_bits(uint32_t u)
{
    float f;
    memcpy(&f, &u, sizeof f);
    return f;
}

/* Subnormals are scaled by a float subtraction, so the loop has no branches to vectorise around. */
static inline float from_half(uint16_t h)
{
    uint32_t sign = (uint32_t)(h & 0x8000) << 16, rest = h & 0x7fffu;
    float normal = from_bits((rest << 13) + 0x38000000u);
    float small = from_bits((rest & 0x3ff) | 0x3f000000u) - 0.5f; /* units of 2^-24 */
    float special = from_bits((rest << 13) + 0x70000000u);
    float v = rest >= 0x7c00 ? special : rest >= 0x400 ? normal : small;
    uint32_t u;
    memcpy(&u, &v, sizeof u);
    return from_bits(u | sign);
}

/* E4M3 without infinities (the "FN" form): bias 7, S.1111.111 is NaN. */
static float from_e4m3(uint8_t b)
{
    int e = b >> 3 & 15, m = b & 7;
    float v = e == 15 && m == 7 ? NAN : e ? ldexpf((float)(8 + m), e - 10) : ldexpf((float)m, -9);
    return b & 0x80 ? -v : v;
}

static float from_e5m2(uint8_t b)
{
    return from_half((uint16_t)(b << 8));
}

static void widen_bytes(float *out, const uint8_t *in, size_t n, float (*one)(uint8_t))
{
    float table[256];
    for (int i = 0; i < 256; i++)
        table[i] = one((uint8_t)i);
    for (size_t i = 0; i < n; i++)
        out[i] = table[in[i]];
}

#define WIDEN(ctype, expr)                                                                         \
    for (size_t i = 0; i < n; i++) {                                                               \
        ctype v;                                                                                   \
        memcpy(&v, (const char *)in + i * sizeof v, sizeof v);                                     \
        out[i] = (expr);                                                                           \
    }                                                                                              \
    break

static void widen(float *out, const void *in, enum dtype type, size_t n)
{
    switch (type) {
    case DTYPE_F32:
        memcpy(out, in, n * sizeof *out);
        break;
    case DTYPE_F16:
        WIDEN(uint16_t, from_half(v));
    case DTYPE_BF16:
        WIDEN(uint16_t, from_bits((uint32_t)v << 16));
    case DTYPE_F8_E4M3:
        widen_bytes(out, in, n, from_e4m3);
        break;
    case DTYPE_F8_E5M2:
        widen_bytes(out, in, n, from_e5m2);
        break;
    case DTYPE_F64:
        WIDEN(double, (float)v);
    case DTYPE_I64:
        WIDEN(int64_t, (float)v);
    case DTYPE_I32:
        WIDEN(int32_t, (float)v);
    case DTYPE_I16:
        WIDEN(int16_t, (float)v);
    case DTYPE_I8:
        WIDEN(int8_t, (float)v);
    case DTYPE_U8:
    case DTYPE_BOOL:
        WIDEN(uint8_t, (float)v);
    case DTYPE_COUNT:
        break;
    }
}

#define PIECE ((size_t)1 << 18)

/* Large tensors by all cores: one core does not reach the speed of the memory. */
void dtype_widen(float *out, const void *in, enum dtype type, size_t n)
{
    if (n <= 4 * PIECE) {
        widen(out, in, type, n);
        return;
    }
#ifdef _OPENMP
#pragma omp parallel for schedule(static)
#endif
    for (size_t at = 0; at < n; at += PIECE)
        widen(out + at, (const char *)in + at * dtype_size(type), type,
              n - at < PIECE ? n - at : PIECE);
}
