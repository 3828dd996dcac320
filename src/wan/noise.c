#include "wan/noise.h"

#include "tensor/parallel.h"

#include <math.h>

#define N 624
#define M 397

void noise_seed(struct noise *g, uint64_t seed)
{
    g->state[0] = (uint32_t)seed;
    for (int i = 1; i < N; i++)
        g->state[i] = 1812433253u * (g->state[i - 1] ^ g->state[i - 1] >> 30) + (uint32_t)i;
    g->at = N;
    g->has_spare = 0;
}

static uint32_t mixed(uint32_t high, uint32_t low, uint32_t far)
{
    uint32_t y = (high & 0x80000000u) | (low & 0x7fffffffu);
    return far ^ y >> 1 ^ (-(y & 1) & 0x9908b0dfu);
}

static void refill(struct noise *g)
{
    uint32_t *s = g->state;
    int i = 0;
    for (; i < N - M; i++)
        s[i] = mixed(s[i], s[i + 1], s[i + M]);
    for (; i < N - 1; i++)
        s[i] = mixed(s[i], s[i + 1], s[i + M - N]);
    s[i] = mixed(s[i], s[0], s[M - 1]);
    g->at = 0;
}

static inline uint32_t tempered(uint32_t y)
{
    y ^= y >> 11;
    y ^= y << 7 & 0x9d2c5680u;
    y ^= y << 15 & 0xefc60000u;
    return y ^ y >> 18;
}

static uint32_t next(struct noise *g)
{
    if (g->at == N)
        refill(g);
    return tempered(g->state[g->at++]);
}

/* 24 bits a number, in 0 … 1 */
static void uniform(struct noise *g, float *out, int64_t n)
{
    for (int64_t i = 0; i < n;) {
        if (g->at == N)
            refill(g);
        int left = N - g->at, run = left < n - i ? left : (int)(n - i);
        const uint32_t *s = g->state + g->at;
        for (int k = 0; k < run; k++)
            out[i + k] = (float)(int32_t)(tempered(s[k]) & 0xffffff) * (1.0f / 16777216.0f);
        g->at += run;
        i += run;
    }
}

/* Eight pairs (j, j + 8) of Box and Muller. */
static void transform(float *v)
{
    for (int j = 0; j < 8; j++) {
        float radius = sqrtf(-2.0f * logf(1.0f - v[j]));
        float theta = 2.0f * 3.14159265358979323846f * v[j + 8];
        v[j] = radius * cosf(theta);
        v[j + 8] = radius * sinf(theta);
    }
}

/* Fewer than 16 numbers come one by one from doubles of 53 bits, the second of a pair kept. */
static float single(struct noise *g)
{
    if (g->has_spare) {
        g->has_spare = 0;
        return (float)g->spare;
    }
    double u[2];
    for (int i = 0; i < 2; i++) {
        uint64_t high = next(g);
        uint64_t bits = high << 32 | next(g);
        u[i] = (double)(bits & ((1ull << 53) - 1)) * (1.0 / 9007199254740992.0);
    }
    double radius = sqrt(-2.0 * log1p(-u[1])), theta = 2.0 * 3.14159265358979323846 * u[0];
    g->spare = radius * sin(theta);
    g->has_spare = 1;
    return (float)(radius * cos(theta));
}

void noise_normal(struct noise *g, float *out, int64_t n, int threads)
{
    if (n < 16) {
        for (int64_t i = 0; i < n; i++)
            out[i] = single(g);
        return;
    }
    uniform(g, out, n);
    PARALLEL_FOR(parallel_team(threads, n))
    for (int64_t i = 0; i < n / 16; i++)
        transform(out + 16 * i);
    if (n % 16) { /* the last 16 are drawn anew */
        uniform(g, out + n - 16, 16);
        transform(out + n - 16);
    }
}
