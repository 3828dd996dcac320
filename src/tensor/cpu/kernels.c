/* The register tile keeps ROWS x VECS vectors of sums in registers over the whole of k: for each
 * step, VECS loads of packed b and ROWS broadcasts of a feed ROWS·VECS multiply-adds. The sizes
 * leave two registers free on each instruction set. */
#include "tensor/cpu/kernels.h"

#include <math.h>
#include <string.h>

#if defined(__AVX512F__)
#define TABLE kernels_v4
#define NAME "avx512"
#define LANES 16
#define LOW_HALVES 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23
#define HIGH_HALVES 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31
#define ROWS 12
#define VECS 2
#elif defined(__AVX2__)
#define TABLE kernels_v3
#define NAME "avx2"
#define LANES 8
#define LOW_HALVES 0, 8, 1, 9, 2, 10, 3, 11
#define HIGH_HALVES 4, 12, 5, 13, 6, 14, 7, 15
#define ROWS 6
#define VECS 2
#else
#define TABLE kernels_base
#define NAME "baseline"
#define LANES 4
#define LOW_HALVES 0, 4, 1, 5
#define HIGH_HALVES 2, 6, 3, 7
#define ROWS 4
#define VECS 2
#endif
#define COLS (LANES * VECS)

typedef float lanes __attribute__((vector_size(LANES * 4), aligned(4)));

#define SIMD _Pragma("omp simd")
#define SIMD_SUM(v) _Pragma(SIMD_TEXT(omp simd reduction(+ : v)))
#define SIMD_TEXT(x) #x

static inline __attribute__((always_inline)) void tile_of(const int m, int64_t k, const float *a,
                                                          int64_t lda, const float *b, float *c,
                                                          int64_t ldc, bool add)
{
    lanes sum[ROWS][VECS];
    for (int i = 0; i < m; i++)
        for (int v = 0; v < VECS; v++)
            sum[i][v] = add ? *(const lanes *)(c + i * ldc + v * LANES) : (lanes){0};
    for (int64_t p = 0; p < k; p++) {
        lanes col[VECS];
        for (int v = 0; v < VECS; v++)
            col[v] = *(const lanes *)(b + p * COLS + v * LANES);
#pragma GCC unroll 16
        for (int i = 0; i < m; i++) {
            float x = a[i * lda + p];
            for (int v = 0; v < VECS; v++)
                sum[i][v] += x * col[v];
        }
    }
    for (int i = 0; i < m; i++)
        for (int v = 0; v < VECS; v++)
            *(lanes *)(c + i * ldc + v * LANES) = sum[i][v];
}

#define TILE_CASE(m)                                                                               \
    case m:                                                                                        \
        tile_of(m, k, a, lda, b, c, ldc, add);                                                     \
        break;

static void tile(int m, int64_t k, const float *a, int64_t lda, const float *b, float *c,
                 int64_t ldc, bool add)
{
    switch (m) {
        TILE_CASE(1)
        TILE_CASE(2)
        TILE_CASE(3)
        TILE_CASE(4)
#if ROWS > 4
        TILE_CASE(5)
        TILE_CASE(6)
#endif
#if ROWS > 6
        TILE_CASE(7)
        TILE_CASE(8)
        TILE_CASE(9)
        TILE_CASE(10)
        TILE_CASE(11)
        TILE_CASE(12)
#endif
    }
}

static void pack(float *to, const float *from, int64_t k, int64_t n, int64_t step_k, int64_t step_n)
{
    if (step_n == 1) {
        for (int64_t i = 0; i < k; i++, to += COLS) {
            memcpy(to, from + i * step_k, (size_t)n * sizeof *to);
            for (int64_t j = n; j < COLS; j++)
                to[j] = 0;
        }
        return;
    }
    /* a block of k at a time, so that each source line is used while it is near */
    for (int64_t at = 0; at < k; at += LANES) {
        int64_t end = at + LANES < k ? at + LANES : k;
        for (int64_t j = 0; j < COLS; j++)
            for (int64_t i = at; i < end; i++)
                to[i * COLS + j] = j < n ? from[i * step_k + j * step_n] : 0;
    }
}

/* LANES x LANES words: interleaving the first half of the rows with the second, once for every
 * bit of LANES, is a transpose. */
typedef uint32_t words __attribute__((vector_size(LANES * 4), aligned(4)));

static inline __attribute__((always_inline)) void turn(words *v)
{
    words next[LANES];
    for (int bit = 1; bit < LANES; bit *= 2) {
        for (int i = 0; i < LANES / 2; i++) {
            next[2 * i] = __builtin_shufflevector(v[i], v[i + LANES / 2], LOW_HALVES);
            next[2 * i + 1] = __builtin_shufflevector(v[i], v[i + LANES / 2], HIGH_HALVES);
        }
        memcpy(v, next, sizeof next);
    }
}

typedef uint16_t halves __attribute__((vector_size(LANES * 2), aligned(2)));

/* f16 in the low half of each word → the bits of f32. Subnormals are a subtraction's remainder. */
static inline __attribute__((always_inline)) words words_of_f16(words h)
{
    const lanes half = (lanes){0} + 0.5f;
    words sign = (h & 0x8000) << 16, rest = h & 0x7fff, low = (rest & 0x3ff) | 0x3f000000, v;
    words normal = (words)(rest >= 0x400), special = (words)(rest >= 0x7c00);
    lanes small;
    memcpy(&small, &low, sizeof small);
    small -= half; /* units of 2^-24 */
    memcpy(&v, &small, sizeof v);
    v = (normal & ((rest << 13) + 0x38000000)) | (~normal & v);
    v = (special & ((rest << 13) + 0x70000000)) | (~special & v);
    return v | sign;
}

/* The bits of f32 of LANES numbers at any address. */
static inline __attribute__((always_inline)) words words_at(const char *from, const enum dtype type)
{
    words v;
    halves h;
    if (type == DTYPE_F32) {
        memcpy(&v, from, sizeof v);
        return v;
    }
    memcpy(&h, from, sizeof h);
    v = __builtin_convertvector(h, words);
    return type == DTYPE_BF16 ? v << 16 : words_of_f16(v);
}

static inline __attribute__((always_inline)) void
panel_of(float *to, const void *const *rows, const enum dtype type, int64_t n, int m, int cols)
{
    const int64_t size = type == DTYPE_F32 ? 4 : 2;
    int64_t at = 0;
    for (; at + LANES <= n; at += LANES)
        for (int j = 0; j + LANES <= m; j += LANES) {
            words v[LANES];
            for (int i = 0; i < LANES; i++)
                v[i] = words_at((const char *)rows[j + i] + at * size, type);
            turn(v);
            for (int i = 0; i < LANES; i++)
                memcpy(to + (at + i) * cols + j, &v[i], sizeof *v);
        }
    for (int j = 0; j < m; j++)
        for (int64_t i = j < m / LANES * LANES ? at : 0; i < n; i++) {
            char last[LANES * 4] = {0};
            memcpy(last, (const char *)rows[j] + i * size, (size_t)size);
            words v = words_at(last, type);
            memcpy(to + i * cols + j, &v, sizeof *to);
        }
}

static void panel(float *to, const void *const *rows, enum dtype type, int64_t n, int m, int cols)
{
    if (type == DTYPE_BF16)
        panel_of(to, rows, DTYPE_BF16, n, m, cols);
    else if (type == DTYPE_F16)
        panel_of(to, rows, DTYPE_F16, n, m, cols);
    else
        panel_of(to, rows, DTYPE_F32, n, m, cols);
}

static void narrow(uint16_t *to, const float *from, int64_t n)
{
    SIMD for (int64_t i = 0; i < n; i++)
    {
        uint32_t u;
        memcpy(&u, from + i, sizeof u);
        uint32_t even = u + 0x7fff + (u >> 16 & 1);
        to[i] = (uint16_t)((u & 0x7fffffff) > 0x7f800000 ? u >> 16 | 0x40 : even >> 16);
    }
}

/* e^x to 2 ulp, 0 below -87.3: x = n·ln2 + r, a polynomial in r, n into the exponent. */
static inline float fast_exp(float x)
{
    float low = x < -87.3f ? 0.0f : 1.0f;
    x = x < -87.3f ? -87.3f : x > 88.0f ? 88.0f : x;
    float shifted = x * 1.44269504f + 12582912.0f;
    int32_t bits;
    memcpy(&bits, &shifted, sizeof bits);
    float n = shifted - 12582912.0f;
    float r = x - n * 0.693145752f - n * 1.42860677e-6f;
    float p = 1.98756912e-4f;
    p = p * r + 1.39819994e-3f;
    p = p * r + 8.33345205e-3f;
    p = p * r + 4.16657962e-2f;
    p = p * r + 1.66666657e-1f;
    p = p * r + 0.5f;
    p = p * r * r + r + 1.0f;
    int32_t e = (bits - 0x4b400000 + 127) << 23;
    float power;
    memcpy(&power, &e, sizeof power);
    return p * power * low;
}

/* 0.5x(1 + tanh u) = x·sigmoid(2u), which loses no digits where tanh nears -1 */
static inline float gelu_tanh(float x)
{
    float u = 0.7978845608f * (x + 0.044715f * x * x * x);
    return x / (1.0f + fast_exp(-2.0f * u));
}

static inline float silu(float x)
{
    return x / (1.0f + fast_exp(-x));
}

static void act(float *y, const float *x, int64_t n, enum act which)
{
    switch (which) {
    case ACT_GELU_TANH:
        SIMD for (int64_t i = 0; i < n; i++) y[i] = gelu_tanh(x[i]);
        break;
    case ACT_SILU:
        SIMD for (int64_t i = 0; i < n; i++) y[i] = silu(x[i]);
        break;
    case ACT_RELU:
        SIMD for (int64_t i = 0; i < n; i++) y[i] = x[i] > 0 ? x[i] : 0;
        break;
    case ACT_GELU_ERF:
        for (int64_t i = 0; i < n; i++)
            y[i] = 0.5f * x[i] * (1.0f + erff(x[i] * 0.7071067812f));
        break;
    case ACT_NONE:
        if (y != x)
            memmove(y, x, (size_t)n * sizeof *y);
    }
}

static void finish(float *y, const float *v, int64_t n, const struct finish *f)
{
    if (f->add) {
        SIMD for (int64_t i = 0; i < n; i++) y[i] +=
            (v[i] + (f->bias ? f->bias[i] : 0)) * (f->gate ? f->gate[i] : 1.0f);
        return;
    }
    if (f->bias) {
        SIMD for (int64_t i = 0; i < n; i++) y[i] = v[i] + f->bias[i];
    } else if (y != v) {
        memcpy(y, v, (size_t)n * sizeof *y);
    }
    if (f->act)
        act(y, y, n, f->act);
}

static void norm(float *y, const float *x, int64_t n, const struct norm_op *op)
{
    float mean = 0, sum = 0, by;
    if (op->kind == NORM_LAYER) {
        SIMD_SUM(sum)
        for (int64_t i = 0; i < n; i++)
            sum += x[i];
        mean = sum / (float)n;
        sum = 0;
        SIMD_SUM(sum)
        for (int64_t i = 0; i < n; i++)
            sum += (x[i] - mean) * (x[i] - mean);
    } else {
        SIMD_SUM(sum)
        for (int64_t i = 0; i < n; i++)
            sum += x[i] * x[i];
    }
    if (op->kind == NORM_L2)
        by = sqrtf((float)n) / fmaxf(sqrtf(sum), op->eps);
    else
        by = 1.0f / sqrtf(sum / (float)n + op->eps);
    const float *w = op->weight ? op->weight->data : NULL, *b = op->bias ? op->bias->data : NULL;
    const float *s = op->scale ? op->scale->data : NULL, *t = op->shift ? op->shift->data : NULL;
    SIMD for (int64_t i = 0; i < n; i++) y[i] = (x[i] - mean) * by;
    if (w) {
        SIMD for (int64_t i = 0; i < n; i++) y[i] *= w[i];
    }
    if (b) {
        SIMD for (int64_t i = 0; i < n; i++) y[i] += b[i];
    }
    if (s || t) {
        SIMD for (int64_t i = 0; i < n; i++) y[i] = y[i] * (1.0f + (s ? s[i] : 0)) + (t ? t[i] : 0);
    }
    if (op->act)
        act(y, y, n, op->act);
}

static void rope(float *x, const float *table, int heads, int64_t half)
{
    for (int h = 0; h < heads; h++, x += 2 * half) {
        SIMD for (int64_t j = 0; j < half; j++)
        {
            float a = x[2 * j], b = x[2 * j + 1], c = table[2 * j], s = table[2 * j + 1];
            x[2 * j] = a * c - b * s;
            x[2 * j + 1] = a * s + b * c;
        }
    }
}

static void add_rows(float *y, const float *x, const float *z, int64_t n)
{
    SIMD for (int64_t i = 0; i < n; i++) y[i] = x[i] + z[i];
}

static void mul_rows(float *y, const float *x, const float *z, int64_t n)
{
    SIMD for (int64_t i = 0; i < n; i++) y[i] = x[i] * z[i];
}

static void blend(float *y, float a, const float *x, float b, int64_t n)
{
    SIMD for (int64_t i = 0; i < n; i++) y[i] = y[i] * a + x[i] * b;
}

static float soften(float *s, int64_t n, float *max, float *sum)
{
    float top = *max, total = 0, best[4 * LANES];
    int64_t at = 0;
    for (int l = 0; l < 4 * LANES; l++)
        best[l] = top;
    for (; at + 4 * LANES <= n; at += 4 * LANES)
        SIMD for (int l = 0; l < 4 * LANES; l++) best[l] =
            s[at + l] > best[l] ? s[at + l] : best[l];
    for (int l = 0; l < 4 * LANES; l++)
        top = best[l] > top ? best[l] : top;
    for (; at < n; at++)
        top = s[at] > top ? s[at] : top;
    SIMD_SUM(total)
    for (int64_t i = 0; i < n; i++) {
        s[i] = fast_exp(s[i] - top);
        total += s[i];
    }
    float keep = fast_exp(*max - top); /* 0 at the first block: *max is -inf there */
    *max = top;
    *sum = *sum * keep + total;
    return keep;
}

static void scale(float *y, int64_t n, float by)
{
    SIMD for (int64_t i = 0; i < n; i++) y[i] *= by;
}

const struct kernels TABLE = {
    .name = NAME,
    .tile_rows = ROWS,
    .tile_cols = COLS,
    .tile = tile,
    .pack = pack,
    .panel = panel,
    .narrow = narrow,
    .finish = finish,
    .norm = norm,
    .rope = rope,
    .act = act,
    .add = add_rows,
    .mul = mul_rows,
    .blend = blend,
    .soften = soften,
    .scale = scale,
};
