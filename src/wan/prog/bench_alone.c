/* wan-bench: what the machine reaches by itself, in the same run, to hold the parts of a clip
 * against.
 */
#include "wan/prog/bench.h"

#include "base/clock.h"
#include "tensor/parallel.h"

#include <stdlib.h>
#include <string.h>

static double now_s(void)
{
    return (double)clock_mono_us() * 1e-6;
}

bool bench_alone_shape(const struct bench *b, int i, int64_t *rows, int64_t *out, int64_t *in)
{
    const struct random_model *m = b->m;
    const int64_t shapes[ALONE][3] = {{b->tokens, m->dim, m->dim},
                                      {b->tokens, m->ffn, m->dim},
                                      {b->tokens, m->dim, m->ffn},
                                      {b->text_tokens, m->text_dim, m->text_dim},
                                      {b->text_tokens, m->t5_ffn, m->text_dim},
                                      {b->text_tokens, m->text_dim, m->t5_ffn}};
    *rows = shapes[i][0];
    *out = shapes[i][1];
    *in = shapes[i][2];
    return i < 3 || !b->no_t5;
}

/* Numbers in ±2^-5 … 2^-6, as random weights have: what multiplies zeros draws less and is faster.
 */
static float *some_numbers(int64_t n)
{
    float *v = malloc((size_t)n * sizeof *v);
    uint32_t seed = 1;
    for (int64_t i = 0; i < n && v; i++) {
        seed = seed * 1664525u + 1013904223u;
        v[i] = ((float)(seed >> 8) / 0x1p30f + 0x1p-6f) * (seed >> 7 & 1 ? 1 : -1);
    }
    return v;
}

/* All rows of x, from the first on again and again. */
static void repeat_first(struct device *d, const struct tensor *x, int64_t rows)
{
    for (int64_t have = 1; have < rows; have *= 2) {
        int64_t n = rows - have < have ? rows - have : have;
        struct tensor from = tensor_part(x, 0, n), to = tensor_part(x, have, n);
        device_copy(d, &to, &from);
    }
}

/* What the device reaches on one product alone, weights in cache or not as in a step: four of them
 * in turn. The mean of several rounds behind one that warms up, as a clip's parts are sums. */
static enum err product(struct bench *b, int i)
{
    enum { WEIGHTS = 4, ROUNDS = 6 };
    int64_t rows, out, in;
    if (!bench_alone_shape(b, i, &rows, &out, &in))
        return ERR_OK;
    struct weight *w[WEIGHTS] = {0};
    float *values = some_numbers(out * in);
    struct tensor x = tensor_work2(b->dev, rows, in), y = tensor_work2(b->dev, rows, out);
    enum err e = ERR_OK;
    double seconds = 0;
    if (values)
        device_write(b->dev, &x, values, in);
    repeat_first(b->dev, &x, rows);
    for (int k = 0; k < WEIGHTS && values; k++)
        w[k] = weight_new(b->dev, &(struct weight_spec){out, in, 1, 1, 1, .values = values});
    for (int round = 0; round <= ROUNDS && values && !e; round++) {
        e = device_settle(b->dev, &b->f);
        double start = now_s();
        for (int k = 0; k < WEIGHTS; k++)
            device_linear(b->dev, &(struct linear_op){.x = &x, .w = w[k], .y = &y});
        e = e ? e : device_settle(b->dev, &b->f);
        seconds += round ? now_s() - start : 0;
    }
    b->alone[i] = 2e-9 * ROUNDS * WEIGHTS * (double)(rows * out * in) / seconds;
    for (int k = 0; k < WEIGHTS; k++)
        weight_free(w[k]);
    tensor_free(&x);
    tensor_free(&y);
    free(values);
    return e;
}

/* Bytes a second that all threads write to memory that the process never used before, which the
 * system zeroes first: packing weights cannot be faster. */
static double fresh_pace(struct device *d)
{
    enum { ROUNDS = 3, PIECES = 512, PIECE = 1 << 18 };
    int threads = device_caps(d)->threads;
    float *from = malloc(PIECES * PIECE * sizeof *from);
    double best = 0;
    for (int64_t i = 0; from && i < PIECES * PIECE; i++)
        from[i] = 1;
    for (int round = 0; round < ROUNDS && from; round++) {
        device_trim(d);
        double start = now_s();
        struct tensor t = tensor_new2(d, PIECES, PIECE);
        float *to = t.data;
        PARALLEL_FOR(threads)
        for (int64_t i = 0; i < (to ? PIECES : 0); i++)
            memcpy(to + i * PIECE, from + i * PIECE, PIECE * sizeof *to);
        double pace = PIECES * PIECE * sizeof *to / (now_s() - start);
        best = to && pace > best ? pace : best;
        tensor_free(&t);
    }
    device_trim(d);
    free(from);
    return best;
}

enum err bench_alone(struct bench *b)
{
    enum err e = ERR_OK;
    for (int i = 0; i < ALONE && !e; i++)
        e = product(b, i);
    if (device_caps(b->dev)->host_memory)
        b->fresh_pace = fresh_pace(b->dev);
    return e;
}

double bench_text_alone(const struct bench *b)
{
    double s = 0;
    for (int i = 3; i < ALONE; i++) {
        int64_t rows, out, in;
        if (!bench_alone_shape(b, i, &rows, &out, &in) || !(b->alone[i] > 0))
            return 0;
        static const int each[] = {4, 2, 1}; /* q, k, v, o; gate, up; down */
        s += b->m->t5_layers * each[i - 3] * 2e-9 * (double)(rows * out * in) / b->alone[i];
    }
    return s;
}
