/* Attention's two products in bf16, by AMX: tiles of 16 rows of 64 bytes, multiplied 16 x 16 x 32
 * at a time with sums in f32.
 *
 * Of eight tiles four hold the sums of 32 x 32 results, two the left side and two the right, so
 * each that is read serves two products. The right side wants its numbers in pairs, two steps of
 * the inner direction side by side: keys are packed as [panel of 16][width/2][16][2], values as
 * [key block][panel of 16 columns][keys/2][16][2]. Everything is filled up with zeros to multiples
 * of 32. Queries are rounded once a block; the softmax's weights as they come out of it, while
 * their sum is that of the exact ones.
 *
 * Own products, not oneDNN's: a block is too small for a primitive, and whole heads would need the
 * logits of all queries and keys in memory. */
#include "tensor/cpu/attention.h"

#include <immintrin.h>
#include <string.h>

#define QUERIES QUERIES_MOST
#define EDGE 32  /* rows and columns of what is multiplied at once */
#define PANEL 16 /* columns of a tile on the right */
#define STEP 32  /* inner numbers of a tile */
#define TILE (PANEL * STEP)

struct config { /* of the tiles, as the processor reads it */
    uint8_t palette, start, zero[14];
    uint16_t row_bytes[16];
    uint8_t rows[16];
};

/* A thread's own memory. */
struct own {
    uint16_t *queries; /* [QUERIES, padded] */
    uint16_t *weights; /* [QUERIES, KEY_BLOCK] */
};

static int64_t up(int64_t n)
{
    return (n + EDGE - 1) / EDGE * EDGE;
}

static struct own own_of(const struct attention_plan *p, void *own)
{
    uint16_t *at = own;
    return (struct own){at, at + QUERIES * p->padded};
}

static void amx_measure(struct attention_plan *p)
{
    p->padded = up(p->width);
    p->keys_each = up(p->nk) * p->padded * (int64_t)sizeof(uint16_t);
    p->values_each = p->key_blocks * KEY_BLOCK * p->padded * (int64_t)sizeof(uint16_t);
    p->own_bytes = QUERIES * (p->padded + KEY_BLOCK) * (int64_t)sizeof(uint16_t);
}

/* to[up(n)] = from[n] rounded, and zeros; to nearest even, as kernels.h narrows */
static void round_row(uint16_t *to, const float *from, int64_t n)
{
    for (int64_t i = 0; i < n; i += 32) {
        uint32_t in = n - i < 32 ? (1u << (n - i)) - 1 : ~0u;
        __m512 low = _mm512_maskz_loadu_ps((__mmask16)in, from + i);
        __m512 high = _mm512_maskz_loadu_ps((__mmask16)(in >> 16), from + i + 16);
        __m512bh both = _mm512_cvtne2ps_pbh(high, low);
        memcpy(to + i, &both, sizeof both);
    }
}

/* to[rows, up(n)] = from[m, n] rounded, zeros around it */
static void round_rows(uint16_t *to, int64_t rows, const float *from, int64_t m, int64_t n,
                       int64_t stride)
{
    for (int64_t i = 0; i < m; i++)
        round_row(to + i * up(n), from + i * stride, n);
    if (rows > m)
        memset(to + m * up(n), 0, (size_t)((rows - m) * up(n)) * sizeof *to);
}

static void pack_values(const struct attention_plan *p, uint16_t *to, const float *v, int64_t n,
                        uint16_t *scratch)
{
    for (int64_t i = 0; i < up(n); i += 2) {
        int64_t m = n - i < 0 ? 0 : n - i < 2 ? n - i : 2;
        round_rows(scratch, 2, v + i * p->stride, m, p->width, p->stride);
        const uint16_t *low = scratch, *high = scratch + p->padded;
        for (int64_t j = 0; j < p->padded; j += PANEL) {
            uint32_t pairs[PANEL];
            for (int c = 0; c < PANEL; c++)
                pairs[c] = low[j + c] | (uint32_t)high[j + c] << 16;
            memcpy(to + j * KEY_BLOCK + i * PANEL, pairs, sizeof pairs);
        }
    }
}

static void amx_pack(const struct attention_plan *p, const float *k, const float *v, void *keys,
                     void *values, void *scratch)
{
    uint16_t *rows16 = scratch;
    float *to = keys; /* a pair is moved as one word */
    for (int64_t j = 0; j < up(p->nk); j += PANEL) {
        int64_t n = p->nk - j < 0 ? 0 : p->nk - j < PANEL ? p->nk - j : PANEL;
        const void *rows[PANEL];
        round_rows(rows16, PANEL, k + j * p->stride, n, p->width, p->stride);
        for (int i = 0; i < PANEL; i++)
            rows[i] = rows16 + i * p->padded;
        p->k->panel(to + j * p->padded / 2, rows, DTYPE_F32, p->padded / 2, PANEL, PANEL);
    }
    for (int64_t from = 0; from < p->nk; from += KEY_BLOCK) {
        int64_t n = p->nk - from < KEY_BLOCK ? p->nk - from : KEY_BLOCK;
        pack_values(p, (uint16_t *)values + from * p->padded, v + from * p->stride, n, rows16);
    }
}

/* c[32, 32] (+)= a[32, 32·steps]·b, b in two panels; rows of a and c are lda and ldc numbers apart
 */
static void square(int64_t steps, const uint16_t *a, int64_t lda, const uint16_t *left,
                   const uint16_t *right, float *c, int64_t ldc, bool add)
{
    const size_t a_step = (size_t)lda * sizeof *a, c_step = (size_t)ldc * sizeof *c;
    float *lower = c + PANEL * ldc;
    if (add) {
        _tile_loadd(0, c, c_step);
        _tile_loadd(1, c + PANEL, c_step);
        _tile_loadd(2, lower, c_step);
        _tile_loadd(3, lower + PANEL, c_step);
    } else {
        _tile_zero(0);
        _tile_zero(1);
        _tile_zero(2);
        _tile_zero(3);
    }
    for (int64_t s = 0; s < steps; s++) {
        _tile_loadd(4, a + s * STEP, a_step);
        _tile_loadd(5, a + PANEL * lda + s * STEP, a_step);
        _tile_loadd(6, left + s * TILE, 64);
        _tile_loadd(7, right + s * TILE, 64);
        _tile_dpbf16ps(0, 4, 6);
        _tile_dpbf16ps(1, 4, 7);
        _tile_dpbf16ps(2, 5, 6);
        _tile_dpbf16ps(3, 5, 7);
    }
    _tile_stored(0, c, c_step);
    _tile_stored(1, c + PANEL, c_step);
    _tile_stored(2, lower, c_step);
    _tile_stored(3, lower + PANEL, c_step);
}

static void amx_begin(const struct attention_plan *p, int64_t m, const float *q, void *own)
{
    struct config c = {.palette = 1};
    for (int i = 0; i < 8; i++) {
        c.rows[i] = 16;
        c.row_bytes[i] = 64;
    }
    _tile_loadconfig(&c);
    round_rows(own_of(p, own).queries, up(m), q, m, p->width, p->stride);
}

static void amx_logits(const struct attention_plan *p, int64_t m, const float *q,
                       const void *packed, int64_t from, int64_t n, float *logits, void *own)
{
    const uint16_t *queries = own_of(p, own).queries;
    const uint16_t *keys = (const uint16_t *)packed + from * p->padded;
    for (int64_t j = 0; j < n; j += EDGE)
        for (int64_t i = 0; i < m; i += EDGE)
            square(p->padded / STEP, queries + i * p->padded, p->padded, keys + j * p->padded,
                   keys + (j + PANEL) * p->padded, logits + i * KEY_BLOCK + j, KEY_BLOCK, false);
}

static void amx_gather(const struct attention_plan *p, int64_t m, const float *weights,
                       const void *packed, int64_t from, int64_t n, float *sum, void *own)
{
    uint16_t *rounded = own_of(p, own).weights;
    const uint16_t *values = (const uint16_t *)packed + from * p->padded;
    for (int64_t i = 0; i < m; i++)
        round_row(rounded + i * KEY_BLOCK, weights + i * KEY_BLOCK, n);
    for (int64_t i = m; i < up(m); i++) /* numbers at least: nobody reads what becomes of them */
        memset(rounded + i * KEY_BLOCK, 0, (size_t)up(n) * sizeof *rounded);
    for (int64_t j = 0; j < p->padded; j += EDGE)
        for (int64_t i = 0; i < m; i += EDGE)
            square(up(n) / STEP, rounded + i * KEY_BLOCK, KEY_BLOCK, values + j * KEY_BLOCK,
                   values + (j + PANEL) * KEY_BLOCK, sum + i * p->padded + j, p->padded, from > 0);
}

/* Tiles in use would be saved at each change of threads. */
static void amx_end(void)
{
    _tile_release();
}

const struct attention_maker attention_amx = {
    .queries = QUERIES,
    .measure = amx_measure,
    .pack = amx_pack,
    .begin = amx_begin,
    .logits = amx_logits,
    .gather = amx_gather,
    .end = amx_end,
};
