/* Every operation of a device against a plain double loop, on shapes that fit no tile and on some
 * that do. Without arguments the CPU, by both makers of products; `test_ops cuda f32`, bf16 or fp8
 * runs the same on another device (a name behind it: that test alone). On one that computes in bf16
 * the inputs are numbers that bf16 holds, so that its bound is that of the sums and the result
 * alone. */
#include "unit.h"

#include "tensor/device.h"
#include "tensor/dtype.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static struct device *dev;
static unsigned seed = 1;
static bool no_bf16; /* this build or machine has none; it said so */
static bool coarse;  /* numbers that bf16 holds, wherever they are going */

/* rounding to bf16 is 2^-9 at most; a result is rounded up to three times on its way. To e4m3 it is
 * 2^-4, 2.3 % in the mean, for both factors of a product, and again for its result. */
#define LOW_BOUND 8e-3
#define EIGHT_BOUND 6e-2
#define EIGHT_STEP 2.6e-2 /* of a single rounding to e4m3, root mean square */

static bool low(void)
{
    return device_caps(dev)->work == DTYPE_BF16;
}

static float roll(void)
{
    seed = seed * 1664525u + 1013904223u;
    return (float)(seed >> 8) / 8388608.0f - 1.0f;
}

static float *noise(int64_t n)
{
    float *v = malloc((size_t)n * sizeof *v);
    for (int64_t i = 0; i < n; i++)
        v[i] = low() || coarse ? rintf(roll() * 128) / 128 : roll();
    return v;
}

static struct tensor upload(const float *v, int rank, const int64_t *dim)
{
    return tensor_from(dev, v, rank, dim);
}

/* What a product in bf16 reads: the nearest number of 8 bits, ties to even. */
static double seen(float v, bool exact)
{
    if (exact || device_caps(dev)->dtype == DTYPE_F32)
        return v;
    int e;
    double m = frexp((double)v, &e);
    return ldexp(nearbyint(ldexp(m, 8)), e - 8);
}

#define DIMS(...) ((const int64_t[]){__VA_ARGS__})

/* Matrices [n, c] side by side in rows of all, and one of them back. */
static void write_columns(struct tensor *all, float *const *from, int count, int64_t n, int64_t c)
{
    int64_t row = tensor_last(all);
    float *v = calloc((size_t)(n * row), sizeof *v);
    for (int64_t i = 0; i < n * c * count; i++)
        v[i / c % n * row + i / c / n * c + i % c] = from[i / c / n][i % (n * c)];
    device_write(dev, all, v, n * row);
    free(v);
}

static void read_columns(struct tensor *to, const struct tensor *all, int which, int64_t n,
                         int64_t c)
{
    int64_t row = tensor_last(all);
    float *v = malloc((size_t)(n * row) * sizeof *v), *own = malloc((size_t)(n * c) * sizeof *own);
    device_read(dev, v, all, n * row);
    for (int64_t i = 0; i < n * c; i++)
        own[i] = v[i / c * row + which * c + i % c];
    device_write(dev, to, own, n * c);
    free(v);
    free(own);
}

/* Relative L2 of what lies on the device against `want`. */
static double error_of(const struct tensor *t, const double *want)
{
    int64_t n = tensor_count(t);
    float *got = malloc((size_t)n * sizeof *got);
    struct fault f = {0};
    double diff = 0, norm = 1e-30;
    device_read(dev, got, t, n);
    assert_int_equal(device_settle(dev, &f), ERR_OK);
    for (int64_t i = 0; i < n; i++) {
        diff += (got[i] - want[i]) * (got[i] - want[i]);
        norm += want[i] * want[i];
    }
    free(got);
    return sqrt(diff / norm);
}

static void within(double error, double bound)
{
    if (!(error <= bound))
        fail_msg("relative error %g, bound %g", error, bound);
}

/* Frees both. */
static void expect(struct tensor *t, double *want, double bound)
{
    if (low() && bound > 0)
        bound = device_caps(dev)->dtype == DTYPE_F8_E4M3 ? EIGHT_BOUND : LOW_BOUND;
    within(error_of(t, want), bound);
    free(want);
    tensor_free(t);
}

static double act_of(double x, enum act act)
{
    switch (act) {
    case ACT_GELU_TANH:
        return 0.5 * x * (1 + tanh(0.7978845608028654 * (x + 0.044715 * x * x * x)));
    case ACT_GELU_ERF:
        return 0.5 * x * (1 + erf(x / sqrt(2)));
    case ACT_SILU:
        return x / (1 + exp(-x));
    case ACT_RELU:
        return x > 0 ? x : 0;
    default:
        return x;
    }
}

/* In bf16 the sums are f32 too, but in an order and with a GELU of the processor's own. */
static double product_bound(void)
{
    return device_caps(dev)->dtype == DTYPE_BF16 ? 3e-6 : 1e-6;
}

static void linear_of(int64_t n, int64_t in, int64_t out, enum act act, bool add, bool gated,
                      bool exact, bool lent)
{
    float *x = noise(n * in), *w = noise(out * in), *b = noise(out), *g = noise(out);
    float *y = noise(n * out);
    double *want = malloc((size_t)(n * out) * sizeof *want);
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < out; j++) {
            double s = b[j];
            for (int64_t k = 0; k < in; k++)
                s += seen(x[i * in + k], exact) * seen(w[j * in + k], exact);
            want[i * out + j] = add ? y[i * out + j] + (gated ? g[j] : 1.0) * s : act_of(s, act);
        }
    struct weight *weight =
        weight_new(dev, &(struct weight_spec){out, in, 1, 1, 1, .values = w, .bias = b,
                                              .precise = exact, .low = !exact, .lent = lent});
    memset(b, 0x55, (size_t)out * sizeof *b); /* values alone are lent */
    struct tensor tx = upload(x, 2, DIMS(n, in)), ty = upload(y, 2, DIMS(n, out));
    struct tensor tg = upload(g, 1, DIMS(out));
    device_linear(
        dev,
        &(struct linear_op){
            .x = &tx, .w = weight, .y = &ty, .act = act, .add = add, .gate = gated ? &tg : NULL});
    expect(&ty, want, product_bound());
    weight_free(weight);
    tensor_free(&tx);
    tensor_free(&tg);
    free(x);
    free(w);
    free(b);
    free(g);
    free(y);
}

static void linear_case(int64_t n, int64_t in, int64_t out, enum act act, bool add, bool gated,
                        bool exact)
{
    linear_of(n, in, out, act, add, gated, exact, false);
    linear_of(n, in, out, act, add, gated, exact, true);
}

static void linear(void **state)
{
    static const int64_t shapes[][3] = {
        {1, 1, 1}, {1, 64, 5}, {7, 33, 65}, {101, 700, 31}, {13, 1100, 96}};
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
        for (int act = ACT_NONE; act <= ACT_RELU; act++)
            linear_case(shapes[i][0], shapes[i][1], shapes[i][2], (enum act)act, false, false,
                        act == ACT_SILU);
    linear_case(17, 50, 70, ACT_NONE, true, false, false);
    linear_case(17, 50, 70, ACT_NONE, true, true, false);
    linear_case(40, 64, 96, ACT_GELU_TANH, false, false, false);
    linear_case(40, 96, 64, ACT_NONE, true, true, false);
}

/* Trained weights have rows that do nothing: numbers that one over them cannot be had of. */
static void rows_of_next_to_nothing(void **state)
{
    enum { N = 4, IN = 32, OUT = 16 };
    float *x = noise(N * IN), *w = noise(OUT * IN);
    double *want = calloc(N * OUT, sizeof *want);
    for (int k = 0; k < IN; k++) {
        x[k] = w[k] = k % 2 ? 1e-38f : 0;
        w[IN + k] = 0;
    }
    for (int i = 0; i < N * OUT * IN; i++)
        want[i / IN] +=
            seen(x[i / IN / OUT * IN + i % IN], false) * seen(w[i / IN % OUT * IN + i % IN], false);
    struct weight *weight =
        weight_new(dev, &(struct weight_spec){OUT, IN, 1, 1, 1, .values = w, .low = true});
    struct tensor tx = upload(x, 2, DIMS(N, IN)), ty = tensor_work2(dev, N, OUT);
    device_linear(dev, &(struct linear_op){.x = &tx, .w = weight, .y = &ty});
    expect(&ty, want, product_bound());
    weight_free(weight);
    tensor_free(&tx);
    free(x);
    free(w);
}

/* A file in another type than the device's, and at an odd address. */
static void stored(bool lent)
{
    enum { N = 3, IN = 35, OUT = 70 };
    static const enum dtype types[] = {DTYPE_F32, DTYPE_F16, DTYPE_BF16};
    char file[1 + OUT * IN * 4];
    float *x = noise(N * IN);
    for (size_t t = 0; t < 3; t++) {
        double *want = calloc(N * OUT, sizeof *want);
        for (int j = 0; j < OUT * IN; j++) { /* quarters are exact in all of them */
            float v = (float)(j * 7 % 61 - 30) * 0.25f;
            uint32_t u;
            memcpy(&u, &v, sizeof u);
            uint16_t bf = (uint16_t)(u >> 16), f = 0;
            if (v != 0)
                f = (uint16_t)((u >> 16 & 0x8000) | (((u >> 23 & 255) - 112) << 10) |
                               (u >> 13 & 0x3ff));
            char *at = file + 1 + (size_t)j * dtype_size(types[t]);
            memcpy(at,
                   t == 0   ? (void *)&v
                   : t == 1 ? (void *)&f
                            : (void *)&bf,
                   dtype_size(types[t]));
            for (int i = 0; i < N; i++)
                want[i * OUT + j / IN] += seen(x[i * IN + j % IN], false) * v;
        }
        struct weight *w =
            weight_new(dev, &(struct weight_spec){OUT, IN, 1, 1, 1, .values = file + 1,
                                                  .type = types[t], .lent = lent});
        if (!lent) /* what the device needs it has */
            memset(file, 0x55, sizeof file);
        struct tensor tx = upload(x, 2, DIMS(N, IN)), ty = tensor_work2(dev, N, OUT);
        device_linear(dev, &(struct linear_op){.x = &tx, .w = w, .y = &ty});
        expect(&ty, want, product_bound());
        weight_free(w);
        tensor_free(&tx);
    }
    free(x);
}

static void stored_in_any_type(void **state)
{
    stored(false);
    stored(true);
}

/* Every number that f16 has, as a weight of its own and widened by dtype.c before. The rows of x
 * each pick one column, so a number is seen as it is; 2,100 of them are more than are multiplied a
 * panel at a time. */
static void every_half(void **state)
{
    enum { N = 2100, IN = 248, OUT = 256, FINITE = 0x7c00 };
    uint16_t *file = malloc(OUT * IN * sizeof *file);
    float *wide = malloc(OUT * IN * sizeof *wide), *x = calloc(N * IN, sizeof *x);
    for (int i = 0; i < OUT * IN; i++)
        file[i] = (uint16_t)(i < FINITE ? i : 0x8000 | (i - FINITE));
    assert_int_equal(OUT * IN, 2 * FINITE);
    dtype_widen(wide, file, DTYPE_F16, OUT * IN);
    for (int i = 0; i < N; i++)
        x[i * IN + i % IN] = 1;
    for (int lent = 0; lent < 2; lent++)
        for (int64_t n = IN; n <= (device_caps(dev)->host_memory ? N : IN); n += N - IN) {
            double *want = malloc((size_t)(n * OUT) * sizeof *want);
            for (int64_t i = 0; i < n * OUT; i++)
                want[i] = seen(wide[i % OUT * IN + i / OUT % IN], false);
            struct weight *w =
                weight_new(dev, &(struct weight_spec){OUT, IN, 1, 1, 1, .values = file,
                                                      .type = DTYPE_F16, .lent = lent});
            struct tensor tx = tensor_from(dev, x, 2, DIMS(n, IN));
            struct tensor ty = tensor_new2(dev, n, OUT);
            device_linear(dev, &(struct linear_op){.x = &tx, .w = w, .y = &ty});
            expect(&ty, want, 0);
            weight_free(w);
            tensor_free(&tx);
        }
    free(file);
    free(wide);
    free(x);
}

struct conv_case {
    int64_t t, h, w, in, out;
    int kt, kh, kw, st, s, top, bottom, left, right;
    bool add;
};

static void conv_one(const struct conv_case *c)
{
    int64_t ot = (c->t - c->kt) / c->st + 1, oh = (c->h + c->top + c->bottom - c->kh) / c->s + 1;
    int64_t ow = (c->w + c->left + c->right - c->kw) / c->s + 1, taps = c->kt * c->kh * c->kw;
    float *x = noise(c->t * c->h * c->w * c->in), *w = noise(c->out * c->in * taps);
    float *b = noise(c->out), *y = noise(ot * oh * ow * c->out);
    double *want = malloc((size_t)(ot * oh * ow * c->out) * sizeof *want);
    for (int64_t i = 0; i < ot * oh * ow * c->out; i++) {
        int64_t o = i % c->out, ix = i / c->out % ow, iy = i / c->out / ow % oh;
        int64_t it = i / c->out / ow / oh;
        double s = b[o];
        for (int64_t k = 0; k < c->in; k++)
            for (int64_t tap = 0; tap < taps; tap++) {
                int64_t px = ix * c->s + tap % c->kw - c->left;
                int64_t py = iy * c->s + tap / c->kw % c->kh - c->top;
                int64_t pt = it * c->st + tap / c->kw / c->kh;
                if (px >= 0 && px < c->w && py >= 0 && py < c->h)
                    s += seen(x[((pt * c->h + py) * c->w + px) * c->in + k], false) *
                         seen(w[(o * c->in + k) * taps + tap], false);
            }
        want[i] = s + (c->add ? y[i] : 0);
    }
    struct weight *weight = weight_new(
        dev, &(struct weight_spec){c->out, c->in, c->kt, c->kh, c->kw, .values = w, .bias = b});
    struct tensor tx = upload(x, 4, DIMS(c->t, c->h, c->w, c->in));
    struct tensor ty = upload(y, 4, DIMS(ot, oh, ow, c->out));
    device_conv(dev, &(struct conv_op){.x = &tx,
                                       .w = weight,
                                       .y = &ty,
                                       .stride_t = c->st,
                                       .stride = c->s,
                                       .top = c->top,
                                       .bottom = c->bottom,
                                       .left = c->left,
                                       .right = c->right,
                                       .add = c->add});
    expect(&ty, want, 1e-6);
    weight_free(weight);
    tensor_free(&tx);
    free(x);
    free(w);
    free(b);
    free(y);
}

static void conv(void **state)
{
    static const struct conv_case cases[] = {
        {3, 5, 7, 3, 8, 3, 3, 3, 1, 1, 1, 1, 1, 1, false},
        {6, 4, 6, 16, 33, 3, 3, 3, 1, 1, 1, 1, 1, 1, true},
        {2, 8, 10, 5, 6, 1, 3, 3, 1, 2, 0, 1, 0, 1, false},
        {5, 3, 4, 7, 14, 3, 1, 1, 1, 1, 0, 0, 0, 0, false},
        {5, 3, 4, 7, 7, 3, 1, 1, 2, 1, 0, 0, 0, 0, false},
        {1, 2, 130, 4, 3, 1, 3, 3, 1, 1, 1, 1, 1, 1, false},
        {4, 6, 10, 16, 32, 3, 3, 3, 1, 1, 1, 1, 1, 1, true},
        {2, 6, 10, 32, 16, 1, 3, 3, 1, 2, 0, 1, 0, 1, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        conv_one(&cases[i]);
}

/* One kernel over pictures of several sizes in turn, for which a library may want it in different
 * layouts; and a frame is the same, bit for bit, whether it is made alone or with others. */
static void one_kernel_for_all_sizes(void **state)
{
    enum { IN = 16, OUT = 96, FRAMES = 3 };
    static const int64_t sides[] = {4, 24, 4, 40};
    float *w = noise(OUT * IN * 27), *b = noise(OUT);
    struct weight *weight =
        weight_new(dev, &(struct weight_spec){OUT, IN, 3, 3, 3, .values = w, .bias = b});
    (void)state;
    for (size_t i = 0; i < sizeof sides / sizeof *sides; i++) {
        int64_t s = sides[i], n = s * s * OUT;
        float *v = noise((FRAMES + 2) * s * s * IN), *got[2];
        struct tensor x = upload(v, 4, DIMS(FRAMES + 2, s, s, IN));
        struct tensor y = tensor_work4(dev, FRAMES, s, s, OUT);
        for (int alone = 0; alone < 2; alone++) {
            device_zero(dev, &y);
            for (int t = 0; t < (alone ? FRAMES : 1); t++) {
                struct tensor from = tensor_part(&x, t, alone ? 3 : FRAMES + 2);
                struct tensor to = tensor_part(&y, t, alone ? 1 : FRAMES);
                device_conv(dev, &(struct conv_op){.x = &from,
                                                   .w = weight,
                                                   .y = &to,
                                                   .top = 1,
                                                   .bottom = 1,
                                                   .left = 1,
                                                   .right = 1});
            }
            got[alone] = malloc((size_t)(FRAMES * n) * sizeof *got[alone]);
            device_read(dev, got[alone], &y, FRAMES * n);
        }
        if (device_caps(dev)->host_memory)
            assert_memory_equal(got[0], got[1], (size_t)(FRAMES * n) * sizeof(float));
        double *want = malloc((size_t)(FRAMES * n) * sizeof *want);
        for (int64_t j = 0; j < FRAMES * n; j++) {
            int64_t o = j % OUT, ix = j / OUT % s, iy = j / OUT / s % s, it = j / n;
            want[j] = b[o];
            for (int64_t tap = 0; tap < 27; tap++) {
                int64_t px = ix + tap % 3 - 1, py = iy + tap / 3 % 3 - 1, pt = it + tap / 9;
                for (int64_t k = 0; px >= 0 && px < s && py >= 0 && py < s && k < IN; k++)
                    want[j] += seen(v[((pt * s + py) * s + px) * IN + k], false) *
                               seen(w[(o * IN + k) * 27 + tap], false);
            }
        }
        expect(&y, want, 1e-6);
        tensor_free(&x);
        free(v);
        free(got[0]);
        free(got[1]);
    }
    weight_free(weight);
    free(w);
    free(b);
}

static void norms(void **state)
{
    const int64_t n = 5, c = 77;
    for (int kind = NORM_LAYER; kind <= NORM_L2; kind++)
        for (int with = 0; with < 4; with++) {
            float *x = noise(n * c), *v[4];
            struct tensor t[4], tx = upload(x, 2, DIMS(n, c)), ty = tensor_new2(dev, n, c);
            double *want = malloc((size_t)(n * c) * sizeof *want);
            for (int k = 0; k < 4; k++) {
                v[k] = noise(c);
                t[k] = upload(v[k], 1, DIMS(c));
            }
            for (int64_t i = 0; i < n; i++) {
                double mean = 0, sum = 0, by;
                for (int64_t j = 0; j < c; j++)
                    mean += x[i * c + j] / (double)c;
                mean = kind == NORM_LAYER ? mean : 0;
                for (int64_t j = 0; j < c; j++)
                    sum += (x[i * c + j] - mean) * (x[i * c + j] - mean);
                by = kind == NORM_L2 ? sqrt((double)c) / fmax(sqrt(sum), 1e-3)
                                     : 1 / sqrt(sum / (double)c + 1e-3);
                for (int64_t j = 0; j < c; j++) {
                    double y = (x[i * c + j] - mean) * by;
                    if (with & 1)
                        y = y * v[0][j] + v[1][j];
                    if (with & 2)
                        y = y * (1.0 + v[2][j]) + v[3][j];
                    want[i * c + j] = act_of(y, ACT_SILU);
                }
            }
            device_norm(dev, &(struct norm_op){.kind = (enum norm_kind)kind,
                                               .x = &tx,
                                               .y = &ty,
                                               .weight = with & 1 ? &t[0] : NULL,
                                               .bias = with & 1 ? &t[1] : NULL,
                                               .scale = with & 2 ? &t[2] : NULL,
                                               .shift = with & 2 ? &t[3] : NULL,
                                               .eps = 1e-3f,
                                               .act = ACT_SILU});
            expect(&ty, want, 1e-6);
            tensor_free(&tx);
            for (int k = 0; k < 4; k++) {
                tensor_free(&t[k]);
                free(v[k]);
            }
            free(x);
        }
}

/* Of a CPU in bf16 the inputs are exact here; the weights of the softmax are rounded, each
 * by 1.1e-3 in the mean, and as many values as come together have a sum that is off by as much. */
static double attention_bound(void)
{
    return device_caps(dev)->dtype == DTYPE_BF16 ? 2e-3 : 2e-6;
}

/* room: rows of k and v, of which the first nk count; 0: nk */
static void attention_in(int64_t room, int64_t nq, int64_t nk, int heads, int64_t width,
                         bool biased, double repeats, bool add)
{
    int64_t c = heads * width, span = nq > nk ? nq : nk, all = room ? room : nk;
    float *q = noise(nq * c), *k = noise(all * c), *v = noise(all * c), *y = noise(nq * c);
    float *bias = noise(heads * (2 * span - 1));
    double *want = malloc((size_t)(nq * c) * sizeof *want), *p = malloc((size_t)nk * sizeof *p);
    for (int h = 0; h < heads; h++)
        for (int64_t i = 0; i < nq; i++) {
            double sum = 0;
            for (int64_t j = 0; j < nk; j++) {
                double s = 0;
                for (int64_t d = 0; d < width; d++)
                    s += (double)q[i * c + h * width + d] * k[j * c + h * width + d];
                s = 0.25 * s + (biased ? bias[h * (2 * span - 1) + j - i + span - 1] : 0.0);
                p[j] = exp(s) * (j == nk - 1 ? repeats : 1);
                sum += p[j];
            }
            for (int64_t d = 0; d < width; d++) {
                double o = 0;
                for (int64_t j = 0; j < nk; j++)
                    o += p[j] / sum * v[j * c + h * width + d];
                want[i * c + h * width + d] = o + (add ? y[i * c + h * width + d] : 0);
            }
        }
    for (int64_t i = nk * c; i < all * c; i++)
        k[i] = v[i] = 1e4f; /* would be seen, were it read */
    struct tensor tq = upload(q, 2, DIMS(nq, c)), tk = upload(k, 2, DIMS(all, c));
    struct tensor tv = upload(v, 2, DIMS(all, c)), ty = upload(y, 2, DIMS(nq, c));
    struct tensor keys = tensor_part(&tk, 0, nk), values = tensor_part(&tv, 0, nk);
    struct tensor tb = upload(bias, 2, DIMS(heads, 2 * span - 1));
    device_attention(dev, &(struct attention_op){.q = &tq,
                                                 .k = &keys,
                                                 .v = &values,
                                                 .out = &ty,
                                                 .heads = heads,
                                                 .scale = 0.25f,
                                                 .bias = biased ? &tb : NULL,
                                                 .repeats = repeats,
                                                 .add = add,
                                                 .room = room});
    expect(&ty, want, attention_bound());
    tensor_free(&tq);
    tensor_free(&tk);
    tensor_free(&tv);
    tensor_free(&tb);
    free(q);
    free(k);
    free(v);
    free(y);
    free(bias);
    free(p);
}

static void attention_case(int64_t nq, int64_t nk, int heads, int64_t width, bool biased,
                           double repeats, bool add)
{
    attention_in(0, nq, nk, heads, width, biased, repeats, add);
}

/* A cache that grows: one room, more keys from call to call, and back to few. */
static void attention_room(void **state)
{
    attention_in(300, 140, 140, 2, 64, false, 1, false);
    attention_in(300, 140, 257, 2, 64, false, 1, false);
    attention_in(300, 140, 300, 2, 64, false, 1, true);
    attention_in(300, 140, 1, 2, 64, false, 1, false);
    attention_in(300, 140, 140, 2, 64, false, 30, false);
    attention_in(90, 40, 33, 1, 192, false, 1, false); /* none of the library's */
}

static void attention(void **state)
{
    attention_case(1, 1, 1, 3, false, 1, false);
    attention_case(50, 33, 3, 20, false, 100, false);
    attention_case(49, 300, 2, 128, false, 1, true);
    attention_case(130, 130, 4, 16, true, 1, false);
    attention_case(3, 515, 1, 97, false, 7, false);
    attention_case(200, 70, 2, 64, false, 50, true); /* large enough for a library's kernel */
    attention_case(129, 131, 2, 128, false, 1, false);
    attention_case(70, 90, 1, 192, false, 3, true); /* wider than a head of the transformer */
}

/* want = softmax(scale·q·kᵀ)·v, heads [width] side by side; the root mean square, over queries and
 * keys, of the noise that rounding by EIGHT_STEP of each factor makes in a logit, of keys less
 * their mean. */
static double attend(double *want, const float *q, const float *k, const float *v, int64_t nq,
                     int64_t nk, int heads, int64_t width, double scale)
{
    int64_t c = heads * width;
    double *p = malloc((size_t)nk * sizeof *p), *mean = calloc((size_t)c, sizeof *mean), all = 0;
    for (int64_t i = 0; i < nk * c; i++)
        mean[i % c] += k[i] / (double)nk;
    for (int64_t i = 0; i < nq; i++)
        for (int h = 0; h < heads; h++) {
            const float *row = q + i * c + h * width;
            double sum = 0, noise2 = 0, top = -INFINITY;
            for (int64_t j = 0; j < nk; j++) {
                p[j] = 0;
                for (int64_t d = 0; d < width; d++) {
                    double key = k[j * c + h * width + d];
                    p[j] += scale * row[d] * key;
                    key = scale * row[d] * (key - mean[h * width + d]);
                    noise2 += 2 * EIGHT_STEP * EIGHT_STEP * key * key;
                }
                top = fmax(top, p[j]);
            }
            all += noise2 / (double)(nq * nk * heads);
            for (int64_t j = 0; j < nk; j++)
                sum += p[j] = exp(p[j] - top);
            for (int64_t d = 0; d < width; d++) {
                double o = 0;
                for (int64_t j = 0; j < nk; j++)
                    o += p[j] / sum * v[j * c + h * width + d];
                want[i * c + h * width + d] = o;
            }
        }
    free(p);
    free(mean);
    return sqrt(all);
}

/* What may be computed in 8 bits. Values are noise, so that the roundings of logits, weights,
 * values and results add up as squares; a quarter is left for the difference between this case and
 * the mean. Keys have a mean, which the result does not depend on: rounded with it, the noise of a
 * logit would be several times larger. */
static void low_attention_case(int64_t nq, int64_t nk, int heads, int64_t width, float mean,
                               bool to_low, bool packed)
{
    int64_t c = heads * width, row = packed ? 3 * c : 0;
    bool eight = device_caps(dev)->dtype == DTYPE_F8_E4M3;
    float *q = noise(nq * c), *k = noise(nk * c), *v = noise(nk * c);
    double *want = malloc((size_t)(nq * c) * sizeof *want);
    for (int64_t i = 0; i < nk * c; i++) /* 8 bits */
        k[i] = rintf((k[i] + (i % c % 3 ? mean : -mean)) * 16) / 16;
    double logit = attend(want, q, k, v, nq, nk, heads, width, 0.25);
    double bound = eight   ? 1.25 * sqrt(logit * logit + (2 + to_low) * EIGHT_STEP * EIGHT_STEP)
                   : low() ? LOW_BOUND
                           : attention_bound();
    struct tensor t[3], ty = to_low ? tensor_low2(dev, nq, c) : tensor_work2(dev, nq, c);
    float *from[] = {q, k, v};
    struct tensor all = tensor_work2(dev, nq, 3 * c);
    if (packed)
        write_columns(&all, from, 3, nq, c);
    for (int i = 0; i < 3; i++)
        if (packed) {
            t[i] = tensor_columns(&all, i * c, c);
        } else {
            t[i] = tensor_work2(dev, i ? nk : nq, c);
            device_write(dev, &t[i], from[i], tensor_count(&t[i]));
        }
    device_attention(dev, &(struct attention_op){.stride = row,
                                                 .q = &t[0],
                                                 .k = &t[1],
                                                 .v = &t[2],
                                                 .out = &ty,
                                                 .heads = heads,
                                                 .scale = 0.25f,
                                                 .low = true});
    within(error_of(&ty, want), bound);
    /* and the bound is narrow: a quarter more of every logit is outside of it */
    attend(want, q, k, v, nq, nk, heads, width, 0.25 * 1.25);
    assert_true(error_of(&ty, want) > bound);
    assert_string_equal(device_caps(dev)->note, "");
    for (int i = 0; i < 3; i++)
        tensor_free(&t[i]);
    tensor_free(&all);
    tensor_free(&ty);
    free(q);
    free(k);
    free(v);
    free(want);
}

static void low_attention(void **state)
{
    low_attention_case(130, 140, 2, 64, 0, false, false);
    low_attention_case(530, 521, 1, 128, 4, true, false); /* large enough on a GPU too */
    low_attention_case(140, 140, 3, 64, 1, true, true);
    low_attention_case(9, 9, 2, 72, 0, false, true);      /* too small for a library's kernel */
    low_attention_case(140, 140, 1, 192, 0, false, true); /* wider than a head of the transformer */
}

static void rope_turns_pairs(void **state)
{
    const int64_t n = 3, heads = 2, half = 5;
    float *x = noise(n * heads * 2 * half), *table = noise(n * half * 2);
    double *want = malloc((size_t)(n * heads * 2 * half) * sizeof *want);
    for (int64_t i = 0; i < n * heads; i++)
        for (int64_t j = 0; j < half; j++) {
            const float *a = x + i * 2 * half + 2 * j, *cs = table + (i / heads * half + j) * 2;
            want[i * 2 * half + 2 * j] = (double)a[0] * cs[0] - (double)a[1] * cs[1];
            want[i * 2 * half + 2 * j + 1] = (double)a[0] * cs[1] + (double)a[1] * cs[0];
        }
    struct tensor tx = upload(x, 2, DIMS(n, heads * 2 * half));
    struct tensor tt = upload(table, 3, DIMS(n, half, 2));
    device_rope(dev, &tx, (int)heads, &tt);
    expect(&tx, want, 1e-6);
    tensor_free(&tt);
    free(x);
    free(table);
}

/* x += gate ⊙ (from·W + b), y = LayerNorm(x)·(1 + scale) + shift, x f32 and y of the working type
 */
static void join_case(int64_t n, int64_t in, int64_t c, bool gated, bool normed)
{
    float *x = noise(n * c), *from = noise(n * in), *w = noise(c * in), *b = noise(c);
    float *g = noise(c), *sc = noise(c), *sh = noise(c);
    double *want_x = malloc((size_t)(n * c) * sizeof *want_x);
    double *want_y = malloc((size_t)(n * c) * sizeof *want_y);
    for (int64_t i = 0; i < n; i++) {
        double mean = 0, sum = 0;
        for (int64_t j = 0; j < c; j++) {
            double s = b[j];
            for (int64_t k = 0; k < in; k++)
                s += (double)from[i * in + k] * w[j * in + k];
            want_x[i * c + j] = x[i * c + j] + (gated ? g[j] : 1.0) * s;
            mean += want_x[i * c + j] / (double)c;
        }
        for (int64_t j = 0; j < c; j++)
            sum += (want_x[i * c + j] - mean) * (want_x[i * c + j] - mean);
        for (int64_t j = 0; j < c; j++)
            want_y[i * c + j] =
                (want_x[i * c + j] - mean) / sqrt(sum / (double)c + 1e-6) * (1.0 + sc[j]) + sh[j];
    }
    struct weight *weight =
        weight_new(dev, &(struct weight_spec){c, in, 1, 1, 1, .values = w, .bias = b, .low = true});
    struct tensor tx = upload(x, 2, DIMS(n, c)), tf = tensor_work2(dev, n, in);
    struct tensor ty = c % 8 ? tensor_work2(dev, n, c) : tensor_low2(dev, n, c);
    struct tensor tg = upload(g, 1, DIMS(c));
    struct tensor ts = upload(sc, 1, DIMS(c)), tt = upload(sh, 1, DIMS(c));
    device_write(dev, &tf, from, n * in);
    struct norm_op next = {
        .kind = NORM_LAYER, .x = &tx, .y = &ty, .scale = &ts, .shift = &tt, .eps = 1e-6f};
    device_join(dev, &(struct join_op){.x = &tx,
                                       .from = &tf,
                                       .w = weight,
                                       .gate = gated ? &tg : NULL,
                                       .next = normed ? &next : NULL});
    expect(&tx, want_x, 1e-6);
    if (normed)
        expect(&ty, want_y, 2e-6);
    else
        free(want_y);
    struct tensor *all[] = {&tf, &tg, &ts, &tt, &ty};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        tensor_free(all[i]);
    weight_free(weight);
    float *host[] = {x, from, w, b, g, sc, sh};
    for (size_t i = 0; i < sizeof host / sizeof *host; i++)
        free(host[i]);
}

static void joins(void **state)
{
    join_case(5, 24, 40, true, true);
    join_case(3, 16, 1536, true, true);
    join_case(2, 8, 5120, false, true);
    join_case(7, 32, 264, true, false);
    join_case(4, 9, 33, true, true); /* fits no vector */
}

/* RMSNorm over the width, then the turn, of q and k in the working type; `packed`: columns of wider
 * rows, whose others stay as they are */
static void turn_case(int64_t n, int heads, int64_t width, bool packed)
{
    int64_t c = heads * width, half = width / 2;
    float *x[2] = {noise(n * c), noise(n * c)}, *w[2] = {noise(c), noise(c)};
    float *table = noise(n * width);
    struct tensor t[2], tw[2], tt = upload(table, 3, DIMS(n, half, 2));
    struct tensor all = tensor_work2(dev, n, 3 * c), part[2];
    if (packed)
        write_columns(&all, x, 2, n, c);
    for (int k = 0; k < 2; k++) {
        t[k] = tensor_work2(dev, n, c);
        device_write(dev, &t[k], x[k], n * c);
        tw[k] = upload(w[k], 1, DIMS(c));
        part[k] = packed ? tensor_columns(&all, k * c, c) : t[k];
    }
    device_turn(dev, &(struct turn_op){.stride = packed ? 3 * c : 0,
                                       .q = &part[0],
                                       .k = &part[1],
                                       .norm_q = &tw[0],
                                       .norm_k = &tw[1],
                                       .table = &tt,
                                       .heads = heads,
                                       .eps = 1e-6f});
    for (int k = 0; k < 2; k++) {
        double *want = malloc((size_t)(n * c) * sizeof *want);
        for (int64_t i = 0; i < n; i++) {
            double sum = 0;
            for (int64_t j = 0; j < c; j++)
                sum += (double)x[k][i * c + j] * x[k][i * c + j];
            double by = 1 / sqrt(sum / (double)c + 1e-6);
            for (int64_t j = 0; j < c; j += 2) {
                const float *cs = table + i * width + j % width;
                double re = x[k][i * c + j] * by * w[k][j];
                double im = x[k][i * c + j + 1] * by * w[k][j + 1];
                want[i * c + j] = re * cs[0] - im * cs[1];
                want[i * c + j + 1] = re * cs[1] + im * cs[0];
            }
        }
        if (packed)
            read_columns(&t[k], &all, k, n, c);
        expect(&t[k], want, 1e-6);
        tensor_free(&tw[k]);
        free(x[k]);
        free(w[k]);
    }
    tensor_free(&tt);
    tensor_free(&all);
    free(table);
}

static void turns(void **state)
{
    for (int packed = 0; packed < 2; packed++) {
        turn_case(5, 2, 128, packed);
        turn_case(3, 12, 128, packed);
        turn_case(2, 3, 10, packed); /* fits no vector */
    }
}

/* A weight of three, each from its own place, of which one has no bias; multiplied by at once, and
 * by the second alone. On a shelf too, where the parts come and go with the whole. */
static void parts_case(struct shelf *shelf)
{
    enum { N = 9, IN = 64, OUT = 48 };
    struct weight *whole, *part[3];
    struct weight_spec all = {3 * OUT, IN, 1, 1, 1, .low = true, .shelf = shelf};
    struct fault f = {0};
    if (!device_caps(dev)->packed) {
        assert_null(weight_new(dev, &all));
        assert_int_equal(device_settle(dev, &f), ERR_INVAL);
        return;
    }
    float *x = noise(N * IN), *w = noise(3 * OUT * IN), *b = noise(3 * OUT);
    double *want = malloc(3 * N * OUT * sizeof *want), *second = malloc(N * OUT * sizeof *second);
    memset(b + 2 * OUT, 0, OUT * sizeof *b);
    for (int i = 0; i < N; i++)
        for (int j = 0; j < 3 * OUT; j++) {
            double s = b[j];
            for (int k = 0; k < IN; k++)
                s += (double)x[i * IN + k] * w[j * IN + k];
            want[i * 3 * OUT + j] = s;
            if (j / OUT == 1)
                second[i * OUT + j % OUT] = s;
        }
    whole = weight_new(dev, &all);
    for (int i = 2; i >= 0; i--) {
        assert_int_equal(shelf_bytes(shelf), 0);
        part[i] =
            weight_new(dev, &(struct weight_spec){OUT, IN, 1, 1, 1, .values = w + i * OUT * IN,
                                                  .bias = i < 2 ? b + i * OUT : NULL, .low = true,
                                                  .whole = whole, .at = i * OUT, .shelf = shelf});
    }
    if (shelf) {
        assert_true(shelf_bytes(shelf) >= 3 * OUT * IN);
        assert_null(
            weight_new(dev, &(struct weight_spec){OUT, IN, 1, 1, 1, .values = w, .low = true,
                                                  .whole = whole, .shelf = shelf}));
        assert_int_equal(device_settle(dev, &f), ERR_INVAL); /* it has all its rows */
        shelf_turn(shelf, 1, 0);
        shelf_turn(shelf, 0, -1);
    }
    assert_null(weight_new(dev, &(struct weight_spec){OUT, IN, 1, 1, 1, .values = w, .low = true,
                                                      .whole = whole, .at = 2 * OUT + 1}));
    assert_int_equal(device_settle(dev, &f), ERR_INVAL);
    struct tensor tx = upload(x, 2, DIMS(N, IN)), ty = tensor_work2(dev, N, 3 * OUT);
    struct tensor alone = tensor_work2(dev, N, OUT);
    device_linear(dev, &(struct linear_op){.x = &tx, .w = whole, .y = &ty});
    device_linear(dev, &(struct linear_op){.x = &tx, .w = part[1], .y = &alone});
    expect(&ty, want, product_bound());
    expect(&alone, second, product_bound());
    if (shelf) /* in any order */
        weight_free(whole);
    for (int i = 0; i < 3; i++)
        weight_free(part[i]);
    if (!shelf)
        weight_free(whole);
    tensor_free(&tx);
    free(x);
    free(w);
    free(b);
}

static void weights_in_parts(void **state)
{
    struct shelf *shelf = shelf_new(dev, 2);
    parts_case(NULL);
    if (shelf && device_caps(dev)->packed)
        parts_case(shelf);
    shelf_free(shelf);
}

/* What the VAE does at every layer: a norm of a few hundred channels, many rows. */
static void slim_norms(void **state)
{
    static const int64_t widths[] = {8, 16, 96, 192, 384, 512};
    for (size_t k = 0; k < sizeof widths / sizeof *widths; k++) {
        const int64_t n = 67, c = widths[k];
        float *x = noise(n * c), *w = noise(c);
        struct tensor tx = tensor_work2(dev, n, c), ty = tensor_work2(dev, n, c);
        struct tensor tw = upload(w, 1, DIMS(c));
        double *want = malloc((size_t)(n * c) * sizeof *want);
        device_write(dev, &tx, x, n * c);
        for (int64_t i = 0; i < n; i++) {
            double sum = 0;
            for (int64_t j = 0; j < c; j++)
                sum += (double)x[i * c + j] * x[i * c + j];
            for (int64_t j = 0; j < c; j++)
                want[i * c + j] = act_of(
                    x[i * c + j] * sqrt((double)c) / fmax(sqrt(sum), 1e-12) * w[j], ACT_SILU);
        }
        device_norm(dev, &(struct norm_op){.kind = NORM_L2,
                                           .x = &tx,
                                           .y = &ty,
                                           .weight = &tw,
                                           .eps = 1e-12f,
                                           .act = ACT_SILU});
        expect(&ty, want, 1e-6);
        tensor_free(&tx);
        tensor_free(&tw);
        free(x);
        free(w);
    }
}

static void elements(void **state)
{
    for (int64_t n = 61; n <= 64; n += 3) { /* by elements, and by vectors */
        float *a = noise(n), *b = noise(n), *y = noise(n);
        struct tensor ta = upload(a, 1, DIMS(n)),
                      tb = tensor_of(dev, device_caps(dev)->work, 1, &n);
        device_write(dev, &tb, b, n);
        for (int what = 0; what < 3; what++) {
            struct tensor ty = upload(y, 1, DIMS(n));
            double *want = malloc((size_t)n * sizeof *want);
            for (int64_t i = 0; i < n; i++)
                want[i] = what == 0   ? (double)a[i] + b[i]
                          : what == 1 ? (double)a[i] * b[i]
                                      : y[i] * 0.5 + b[i] * 0.25;
            if (what == 0)
                device_add(dev, &ty, &ta, &tb);
            else if (what == 1)
                device_mul(dev, &ty, &ta, &tb);
            else
                device_blend(dev, &ty, 0.5f, &tb, 0.25f);
            expect(&ty, want, 1e-6);
        }
        tensor_free(&ta);
        tensor_free(&tb);
        free(a);
        free(b);
        free(y);
    }
}

/* Rows move up, over part of themselves. */
static void copies_that_overlap(void **state)
{
    const int64_t n = 40, c = 3, drop = 7;
    float *x = noise(n * c);
    struct tensor t = upload(x, 2, DIMS(n, c));
    struct tensor to = tensor_part(&t, 0, n - drop), from = tensor_part(&t, drop, n - drop);
    double *want = malloc((size_t)(n * c) * sizeof *want);
    for (int64_t i = 0; i < n * c; i++)
        want[i] = x[i < (n - drop) * c ? i + drop * c : i];
    device_copy(dev, &to, &from);
    expect(&t, want, 0);
    free(x);
}

static void frames(void **state)
{
    const int64_t t = 2, h = 3, w = 4, c = 5;
    float *x = noise(t * h * w * 2 * c);
    double *big = malloc((size_t)(t * 4 * h * w * c) * sizeof *big);
    double *late = malloc((size_t)(t * h * w * 2 * c) * sizeof *late);
    for (int64_t i = 0; i < t * 4 * h * w * c; i++) {
        int64_t k = i % c, px = i / c % (2 * w), py = i / c / (2 * w) % (2 * h);
        int64_t f = i / c / (2 * w) / (2 * h);
        big[i] = x[((f * h + py / 2) * w + px / 2) * c + k];
    }
    for (int64_t i = 0; i < t * h * w * 2 * c; i++) {
        int64_t k = i % (2 * c), at = i / (2 * c) % (h * w), f = i / (2 * c) / (h * w);
        late[((2 * f + k / c) * h * w + at) * c + k % c] = x[i];
    }
    struct tensor a = upload(x, 4, DIMS(t, h, w, c)), b = tensor_new4(dev, t, 2 * h, 2 * w, c);
    device_upsample(dev, &b, &a);
    expect(&b, big, 0);
    tensor_free(&a);
    a = upload(x, 4, DIMS(t, h, w, 2 * c));
    b = tensor_new4(dev, 2 * t, h, w, c);
    device_unfold_time(dev, &b, &a);
    expect(&b, late, 0);
    tensor_free(&a);
    free(x);
}

/* Tokens, in f32 and in the working type, at a place in wider rows; and latents back. */
static void patch_case(int64_t c, int64_t t, int64_t h, int64_t w, int64_t at, int64_t row,
                       bool f32)
{
    int64_t tokens = t * (h / 2) * (w / 2), n = 4 * c * tokens;
    float *x = noise(n), *y = noise(tokens * row);
    double *want = malloc((size_t)(tokens * row) * sizeof *want);
    double *back = malloc((size_t)n * sizeof *back);
    for (int64_t i = 0; i < tokens * row; i++)
        want[i] = y[i];
    struct tensor tx = upload(x, 4, DIMS(c, t, h, w));
    struct tensor ty = f32 ? tensor_new2(dev, tokens, row) : tensor_work2(dev, tokens, row);
    device_write(dev, &ty, y, tokens * row);
    device_patchify(dev, &ty, &tx, at);
    for (int64_t i = 0; i < n; i++) { /* i counts [c, t, h, w] */
        int64_t column = i % w, line = i / w % h, frame = i / w / h % t, ch = i / w / h / t;
        int64_t token = (frame * (h / 2) + line / 2) * (w / 2) + column / 2;
        int64_t corner = line % 2 * 2 + column % 2;
        want[token * row + at + 4 * ch + corner] = x[i];
        back[i] = x[token * 4 * c + corner * c + ch];
    }
    expect(&ty, want, 0);
    tensor_free(&tx);
    tx = f32 ? tensor_new2(dev, tokens, 4 * c) : tensor_work2(dev, tokens, 4 * c);
    device_write(dev, &tx, x, n);
    ty = tensor_new4(dev, c, t, h, w);
    device_unpatchify(dev, &ty, &tx);
    expect(&ty, back, 0);
    tensor_free(&tx);
    free(x);
    free(y);
}

static void patches(void **state)
{
    patch_case(16, 3, 4, 8, 0, 64, true);
    patch_case(16, 2, 6, 12, 0, 64, false);
    patch_case(20, 2, 4, 4, 64, 144, true);
    patch_case(20, 1, 2, 16, 64, 144, false);
    patch_case(16, 2, 4, 6, 0, 64, true); /* fits no vector */
    patch_case(3, 1, 2, 2, 4, 16, false);
    patch_case(16, 5, 60, 104, 0, 64, true); /* enough for several threads */
}

static void patches_that_do_not_fit(void **state)
{
    struct tensor x = tensor_new4(dev, 2, 1, 4, 6), odd = tensor_new4(dev, 2, 1, 3, 8);
    struct tensor rows = tensor_new2(dev, 6, 8);
    struct fault f = {0};
    device_patchify(dev, &rows, &x, 4); /* ends behind the row */
    assert_int_equal(device_settle(dev, &f), ERR_INVAL);
    device_patchify(dev, &rows, &odd, 0);
    assert_int_equal(device_settle(dev, &f), ERR_INVAL);
    device_unpatchify(dev, &odd, &rows);
    assert_int_equal(device_settle(dev, &f), ERR_INVAL);
    assert_non_null(strstr(f.text, "unpatchify"));
    tensor_free(&x);
    tensor_free(&odd);
    tensor_free(&rows);
}

/* What is shown, by the words of tensor/byte.h; the values lie on, beside and far from a half. */
static void bytes_case(int64_t n, float scale, float shift, int64_t skip, bool f32)
{
    float *x = malloc((size_t)n * sizeof *x);
    static const float odd[] = {NAN, INFINITY, -INFINITY, 1e30f, -1, 1, -0.0f};
    for (int64_t i = 0; i < n; i++)
        x[i] = f32 && i % 11 == 10 ? odd[i / 11 % 7] : (float)(i * 37 % 600 - 300) / 256;
    struct tensor t = f32 ? tensor_new1(dev, n) : tensor_of(dev, device_caps(dev)->work, 1, &n);
    struct tensor part = tensor_part(&t, skip, n - skip);
    device_write(dev, &t, x, n);
    struct parcel *p = parcel_new(dev, n, PARCEL_BYTES);
    parcel_send(p, &part, scale, shift);
    device_zero(dev, &t); /* what comes behind it changes nothing */
    const uint8_t *got = parcel_take(p);
    assert_non_null(got);
    for (int64_t i = 0; i < n - skip; i++) {
        float v = (f32 ? x[i + skip] : (float)seen(x[i + skip], false)) * scale + shift;
        float to = (v + 1) * 127.5f;
        int want = to > 0 ? to < 255 ? (int)(to + 0.5f) : 255 : 0;
        if (got[i] != want)
            fail_msg("%g is %d, not %d", (double)x[i + skip], got[i], want);
    }
    assert_int_equal(device_settle(dev, NULL), ERR_OK);
    parcel_free(p);
    tensor_free(&t);
    free(x);
}

/* A byte is the nearest to what BT.709 says of the numbers, as nothing is rounded before. */
static void nearest(uint8_t got, double want, const char *what, int64_t at)
{
    if (fabs(got - want) > 0.5 + 1e-3)
        fail_msg("%s %d is %d, not %g", what, (int)at, got, want);
}

static double shade(float v)
{
    return fmin(fmax(((double)v + 1) * 127.5, 0), 255);
}

static void nv12_case(int64_t frames, int64_t h, int64_t w, float scale, float shift, bool f32)
{
    int64_t n = frames * h * w * 3, pixels = h * w;
    float *x = malloc((size_t)n * sizeof *x);
    for (int64_t i = 0; i < n; i++)
        x[i] = (float)(i * 7919 % 2003 - 1000) / 900;
    struct tensor t =
        tensor_of(dev, f32 ? DTYPE_F32 : device_caps(dev)->work, 4, DIMS(frames, h, w, 3));
    struct parcel *p = parcel_new(dev, n / 2, PARCEL_NV12);
    device_write(dev, &t, x, n);
    parcel_send(p, &t, scale, shift);
    const uint8_t *got = parcel_take(p);
    assert_non_null(got);
    for (int64_t f = 0; f < frames; f++, got += pixels * 3 / 2)
        for (int64_t i = 0; i < h; i += 2)
            for (int64_t j = 0; j < w; j += 2) {
                double blue = 0, red = 0;
                for (int k = 0; k < 4; k++) {
                    int64_t at = (i + k / 2) * w + j + k % 2;
                    double c[3];
                    for (int m = 0; m < 3; m++) {
                        float v = x[(f * pixels + at) * 3 + m];
                        c[m] = shade((f32 ? v : (float)seen(v, false)) * scale + shift);
                    }
                    double y = 0.2126 * c[0] + 0.7152 * c[1] + 0.0722 * c[2];
                    nearest(got[at], 16 + y * 219 / 255, "luma", at);
                    blue += (c[2] - y) / 4;
                    red += (c[0] - y) / 4;
                }
                const uint8_t *pair = got + pixels + i / 2 * w + j;
                nearest(pair[0], 128 + blue / 1.8556 * 224 / 255, "Cb", i * w + j);
                nearest(pair[1], 128 + red / 1.5748 * 224 / 255, "Cr", i * w + j);
            }
    assert_int_equal(device_settle(dev, NULL), ERR_OK);
    parcel_free(p);
    tensor_free(&t);
    free(x);
}

static void pictures_as_bytes(void **state)
{
    struct fault f = {0};
    for (int f32 = 0; f32 < 2; f32++) {
        bytes_case(64, 1, 0, 0, f32);
        bytes_case(4800, 2, -1, 0, f32);
        bytes_case(4800, 2, -1, 3, f32); /* fits no vector */
        bytes_case(37, 1, 0, 1, f32);
        bytes_case(300000, 1, 0, 0, f32); /* enough for several threads */
    }
    nv12_case(2, 6, 16, 1, 0, true);
    nv12_case(3, 2, 8, 2, -1, false);
    nv12_case(1, 300, 400, 1, 0, true); /* enough for several threads */
    struct tensor odd = tensor_new4(dev, 1, 3, 8, 3);
    struct parcel *video = parcel_new(dev, 100, PARCEL_NV12);
    parcel_send(video, &odd, 1, 0); /* chroma is of two lines */
    assert_null(parcel_take(video));
    assert_int_equal(device_settle(dev, &f), ERR_INVAL);
    parcel_free(video);
    tensor_free(&odd);
    struct parcel *p = parcel_new(dev, 8, PARCEL_BYTES);
    struct tensor t = tensor_new1(dev, 9);
    parcel_send(p, &t, 1, 0); /* no room */
    assert_null(parcel_take(p));
    assert_int_equal(device_settle(dev, &f), ERR_INVAL);
    parcel_free(p);
    tensor_free(&t);
}

/* Parts of a shelf, in turn and out of turn, one of them made anew in between, against weights that
 * stay: the same bits. */
enum { PARTS = 5, EACH = 2, TURNS = 12, SHELF_ROWS = 24, SHELF_WIDTH = 48 };

static void make_part(struct shelf *shelf, int part, struct weight **stay, struct weight **turn)
{
    for (int i = 0; i < EACH; i++) {
        float *w = noise(SHELF_WIDTH * SHELF_WIDTH), *b = noise(SHELF_WIDTH);
        struct weight_spec s = {SHELF_WIDTH, SHELF_WIDTH, 1,         1,
                                1,           .values = w, .bias = b, .low = i == 0};
        weight_free(stay[i]);
        weight_free(turn[i]);
        stay[i] = weight_new(dev, &s);
        s.shelf = shelf;
        s.part = part;
        turn[i] = weight_new(dev, &s);
        free(w);
        free(b);
    }
}

static void weights_in_turns(void **state)
{
    static const int order[TURNS] = {0, 1, 2, 3, 4, 2, 0, 1, 3, 3, 2, 4};
    struct weight *stay[PARTS][EACH] = {0}, *turn[PARTS][EACH] = {0};
    float *from = noise(SHELF_ROWS * SHELF_WIDTH);
    float want[SHELF_ROWS * SHELF_WIDTH], got[SHELF_ROWS * SHELF_WIDTH];
    uint64_t before = device_used(dev);
    struct shelf *shelf = shelf_new(dev, PARTS);
    struct tensor x = upload(from, 2, DIMS(SHELF_ROWS, SHELF_WIDTH)), y[TURNS][2 * EACH];
    if (device_caps(dev)->host_memory)
        assert_null(shelf);
    for (int t = 0; t < TURNS; t++)
        for (int i = 0; i < 2 * EACH; i++)
            y[t][i] = tensor_work2(dev, SHELF_ROWS, SHELF_WIDTH);
    for (int p = 0; p < PARTS; p++)
        make_part(shelf, p, stay[p], turn[p]);
    for (int t = 0; t < TURNS; t++) {
        int p = order[t];
        if (t == 6)
            make_part(shelf, p, stay[p], turn[p]);
        shelf_turn(shelf, p, t + 1 < TURNS && t % 4 != 2 ? order[t + 1] : -1);
        for (int i = 0; i < EACH; i++) {
            device_linear(dev, &(struct linear_op){.x = &x, .w = turn[p][i], .y = &y[t][i]});
            device_linear(dev, &(struct linear_op){.x = &x, .w = stay[p][i], .y = &y[t][EACH + i]});
        }
    }
    assert_int_equal(device_settle(dev, NULL), ERR_OK);
    for (int t = 0; t < TURNS; t++)
        for (int i = 0; i < EACH; i++) {
            device_read(dev, want, &y[t][EACH + i], SHELF_ROWS * SHELF_WIDTH);
            device_read(dev, got, &y[t][i], SHELF_ROWS * SHELF_WIDTH);
            assert_int_equal(device_settle(dev, NULL), ERR_OK);
            assert_memory_equal(got, want, sizeof want);
            tensor_free(&y[t][i]);
            tensor_free(&y[t][EACH + i]);
        }
    for (int p = 0; p < PARTS; p++)
        for (int i = 0; i < EACH; i++) {
            weight_free(stay[p][i]);
            weight_free(turn[p][i]);
        }
    assert_int_equal(shelf_bytes(shelf), 0);
    shelf_free(shelf);
    tensor_free(&x);
    assert_int_equal(device_used(dev), before);
    free(from);
}

/* A layer over a cache: what it makes it frees. Its place in the cache is `at`. */
enum { AGAIN = 24, AGAIN_WIDE = 64, AGAIN_ROOM = 96 };
struct again {
    struct weight *w[2];
    struct tensor x, y, k, v; /* [AGAIN, AGAIN_WIDE], and the cache's */
    int64_t at;
    struct tensor kept;
    bool keeps, hears; /* memory; from the host */
};

static void do_again(struct again *a, int64_t wide)
{
    struct tensor h = tensor_work2(dev, AGAIN, AGAIN_WIDE), more = tensor_work2(dev, wide, 512);
    struct tensor all[2] = {a->k, a->v};
    device_norm(dev, &(struct norm_op){.kind = NORM_RMS, .x = &a->x, .y = &h, .eps = 1e-6f});
    for (int i = 0; i < 2; i++) {
        struct tensor part = tensor_part(&all[i], a->at, AGAIN);
        device_linear(dev, &(struct linear_op){.x = &h, .w = a->w[i], .y = &part});
        all[i] = tensor_part(&all[i], 0, a->at + AGAIN);
    }
    device_zero(dev, &more);
    device_attention(dev, &(struct attention_op){.q = &h,
                                                 .k = &all[0],
                                                 .v = &all[1],
                                                 .out = &h,
                                                 .heads = 2,
                                                 .scale = 0.2f,
                                                 .room = AGAIN_ROOM});
    device_copy(dev, &a->y, &h);
    if (a->hears)
        device_write(dev, &a->x, (const float[]){1}, 1);
    tensor_free(&more);
    a->kept = h;
    if (!a->keeps)
        tensor_free(&a->kept);
}

/* Feeds x, works by the track `t` or without one, and gives y. */
static void feed_again(struct again *a, struct track *t, const float *x, int64_t wide, float *y)
{
    device_write(dev, &a->x, x, AGAIN * AGAIN_WIDE);
    if (!track_play(t, false))
        do
            do_again(a, wide);
        while (track_again(t));
    device_read(dev, y, &a->y, AGAIN * AGAIN_WIDE);
}

static struct again begin_again(void) /* always the same */
{
    struct again a = {.at = 0};
    seed = 5;
    float *w = noise(AGAIN_WIDE * AGAIN_WIDE), *zeros = calloc(AGAIN_ROOM * AGAIN_WIDE, sizeof *w);
    for (int i = 0; i < 2; i++)
        a.w[i] = weight_new(
            dev, &(struct weight_spec){AGAIN_WIDE, AGAIN_WIDE, 1, 1, 1, .values = w, .low = true});
    a.x = tensor_new2(dev, AGAIN, AGAIN_WIDE);
    a.y = tensor_new2(dev, AGAIN, AGAIN_WIDE);
    a.k = tensor_work2(dev, AGAIN_ROOM, AGAIN_WIDE);
    a.v = tensor_work2(dev, AGAIN_ROOM, AGAIN_WIDE);
    device_write(dev, &a.k, zeros, AGAIN_ROOM * AGAIN_WIDE);
    device_write(dev, &a.v, zeros, AGAIN_ROOM * AGAIN_WIDE);
    free(w);
    free(zeros);
    return a;
}

static void end_again(struct again *a)
{
    struct tensor *all[] = {&a->x, &a->y, &a->k, &a->v};
    for (int i = 0; i < 4; i++)
        tensor_free(all[i]);
    weight_free(a->w[0]);
    weight_free(a->w[1]);
    assert_int_equal(device_settle(dev, NULL), ERR_OK);
}

/* The same bits, but for the emulation's chance in the last of them. */
static void assert_same(const float *a, const float *b)
{
    bool chance = strstr(device_caps(dev)->words, "emulated") && !getenv("EMU_EXACT");
    if (!chance)
        assert_memory_equal(a, b, AGAIN * AGAIN_WIDE * sizeof *a);
    for (int i = 0; i < AGAIN * AGAIN_WIDE; i++)
        assert_true(fabsf(a[i] - b[i]) <= 0.05f);
}

/* Something else of the device's, for which a library may take back what it lent a recording. */
static void in_between(void)
{
    float w[8 * 8 * 9] = {0}, b[8] = {0};
    struct weight *kernel =
        weight_new(dev, &(struct weight_spec){8, 8, 1, 3, 3, .values = w, .bias = b});
    struct tensor x = tensor_work4(dev, 1, 4, 4, 8), y = tensor_work4(dev, 1, 4, 4, 8);
    device_zero(dev, &x);
    device_conv(dev,
                &(struct conv_op){
                    .x = &x, .w = kernel, .y = &y, .top = 1, .bottom = 1, .left = 1, .right = 1});
    tensor_free(&x);
    tensor_free(&y);
    weight_free(kernel);
}

/* Two places of the cache, each with a track; the second is recorded at once, as the first has made
 * ready what it needs. Four rounds of new numbers; before the third there is other work, and in it
 * this one takes more memory, so that what was recorded before must not be played. */
static void work_that_comes_again(void **state)
{
    enum { PLACES = 2, ROUNDS = 4 };
    unsigned here = seed;
    float *x = noise(PLACES * ROUNDS * AGAIN * AGAIN_WIDE);
    static float want[PLACES * ROUNDS][AGAIN * AGAIN_WIDE], got[AGAIN * AGAIN_WIDE];
    uint64_t before = device_played(dev), used = device_used(dev);
    struct again plain = begin_again(), a = begin_again();
    struct track *t[PLACES] = {0};
    bool records = device_caps(dev)->graphs;
    for (int i = 0; i < PLACES * ROUNDS; i++) {
        plain.at = i % PLACES * AGAIN;
        feed_again(&plain, NULL, x + i * AGAIN * AGAIN_WIDE, 1, want[i]);
    }
    for (int i = 0; i < PLACES * ROUNDS; i++) {
        int place = i % PLACES;
        int64_t wide = i >= 2 * PLACES ? 200 : 1;
        if (i < PLACES)
            t[place] = track_new(dev, t[0]);
        else if (i == 2 * PLACES) { /* of more memory */
            in_between();
            track_free(t[0]);
            t[0] = track_new(dev, NULL);
        }
        assert_true(!t[place] == !device_caps(dev)->graphs || i >= PLACES);
        a.at = place * AGAIN;
        feed_again(&a, t[place], x + i * AGAIN * AGAIN_WIDE, place ? 1 : wide, got);
        assert_same(got, want[i]);
    }
    records = records && device_caps(dev)->graphs;
    /* the first place: done, played; done, played. The second: four times */
    uint64_t played = device_played(dev) - before;
    assert_true(records ? played == 2 + 4 : played < 2 + 4);
    track_free(t[0]);
    track_free(t[1]);
    end_again(&plain);
    end_again(&a);
    assert_int_equal(device_used(dev), used);
    free(x);
    seed = here; /* the others go on with their own numbers */
    if (device_caps(dev)->note[0])
        print_message("%s\n", device_caps(dev)->note);
}

/* What its like had not made ready, or cannot be recorded, is done as it is; and what is asked to
 * be is too. Work that keeps memory is told. */
static void work_that_is_not_recorded(void **state)
{
    unsigned here = seed;
    float *x = noise(AGAIN * AGAIN_WIDE);
    static float want[AGAIN * AGAIN_WIDE], got[AGAIN * AGAIN_WIDE];
    struct again a = begin_again();
    struct fault f = {0};
    struct track *t = track_new(dev, NULL), *other;
    if (!t) {
        end_again(&a);
        free(x);
        seed = here;
        skip();
    }
    uint64_t before = device_played(dev);
    feed_again(&a, t, x, 1, want);
    other = track_new(dev, t);
    feed_again(&a, other, x, 300, got); /* more memory than the first took */
    assert_same(got, want);
    assert_int_equal(device_played(dev), before);
    feed_again(&a, other, x, 300, got);
    assert_same(got, want);
    assert_int_equal(device_played(dev), before + 1);
    assert_false(track_play(other, true));
    do_again(&a, 300);
    assert_false(track_again(other));
    assert_int_equal(device_played(dev), before + 1);
    track_free(other);
    other = track_new(dev, t);
    a.hears = true;
    feed_again(&a, other, x, 1, got);
    assert_same(got, want);
    assert_int_equal(device_played(dev), before + 1);
    a.hears = false;
    assert_int_equal(device_settle(dev, &f), ERR_OK);
    assert_true(device_caps(dev)->graphs);
    assert_false(track_play(other, false)); /* left in the middle */
    device_copy(dev, &a.y, &a.x);
    track_free(other);
    a.keeps = true;
    other = track_new(dev, NULL);
    feed_again(&a, other, x, 1, got);
    assert_int_equal(device_settle(dev, &f), ERR_INVAL);
    assert_non_null(strstr(f.text, "keeps 1 pieces"));
    tensor_free(&a.kept);
    track_free(other);
    track_free(t);
    end_again(&a);
    free(x);
    seed = here;
}

static void the_first_failure_stays(void **state)
{
    struct fault f = {0};
    struct tensor a = tensor_new2(dev, 2, 3), b = tensor_new2(dev, 2, 4);
    device_add(dev, &a, &a, &b);
    assert_true(device_failed(dev));
    struct tensor none = tensor_new2(dev, 1, 1);
    assert_null(none.data);
    device_copy(dev, &a, &a); /* does nothing */
    assert_int_equal(device_settle(dev, &f), ERR_INVAL);
    assert_non_null(strstr(f.text, "add"));
    assert_false(device_failed(dev));
    struct tensor huge = tensor_new2(dev, INT64_MAX / 2, 16);
    assert_null(huge.data);
    assert_int_not_equal(device_settle(dev, &f), ERR_OK);
    tensor_free(&a);
    tensor_free(&b);
}

static void memory_is_counted(void **state)
{
    uint64_t before = device_used(dev);
    for (int i = 0; i < 300; i++) {
        struct tensor t = tensor_new2(dev, 1 + i % 7, 1000);
        assert_true(device_used(dev) > before);
        tensor_free(&t);
    }
    assert_int_equal(device_used(dev), before);
}

static int open_best(void **state)
{
    return device_open(&(struct device_setup){"cpu", "f32", 0}, &dev, NULL) != ERR_OK;
}

static struct device_setup asked;

static int open_asked(void **state)
{
    struct fault f = {0};
    if (device_open(&asked, &dev, &f))
        fail_msg("%s", fault_text(&f));
    printf("# %s\n", device_caps(dev)->words);
    return 0;
}

static int open_plain(void **state)
{
    return device_open(&(struct device_setup){"cpu-plain", "f32", 2}, &dev, NULL) != ERR_OK;
}

static int open_bf16(void **state)
{
    struct fault f = {0};
    enum err e = device_open(&(struct device_setup){"cpu", "bf16", 0}, &dev, &f);
    no_bf16 = e == ERR_UNSUPPORTED && strstr(f.text, "use f32");
    return e && !no_bf16;
}

static int close_device(void **state)
{
    int leak = device_used(dev) != 0;
    device_close(dev);
    return leak;
}

static int close_bf16(void **state)
{
    return no_bf16 ? 0 : close_device(state);
}

/* A sequence gives what each product gives by itself, and ends: new numbers in the same place are
 * seen by the next. */
static void products_of_one_x(void **state)
{
    enum { N = 70, IN = 96, OUT = 80 };
    float *w = noise(2 * OUT * IN), *x = noise(2 * N * IN), got[4][N * OUT];
    struct tensor tx = upload(x, 2, DIMS(N, IN)), y = tensor_work2(dev, N, OUT);
    struct weight *two[2];
    for (int i = 0; i < 2; i++)
        two[i] =
            weight_new(dev, &(struct weight_spec){OUT, IN, 1, 1, 1, .values = w + i * OUT * IN});
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < 4; i++) { /* two together, the same two alone */
            device_linear(dev, &(struct linear_op){
                                   .x = &tx, .w = two[i % 2], .y = &y, .left = i == 0 ? 1 : 0});
            device_read(dev, got[i], &y, N * OUT);
        }
        assert_memory_equal(got[0], got[2], sizeof got[0]);
        assert_memory_equal(got[1], got[3], sizeof got[1]);
        device_write(dev, &tx, x + N * IN, N * IN);
    }
    tensor_free(&y);
    tensor_free(&tx);
    for (int i = 0; i < 2; i++)
        weight_free(two[i]);
    free(w);
    free(x);
}

static void products_in_bf16(void **state)
{
    if (no_bf16)
        skip();
    assert_int_equal(device_caps(dev)->dtype, DTYPE_BF16);
    linear(state);
    stored_in_any_type(state);
    every_half(state);
    conv(state);
    one_kernel_for_all_sizes(state);
    products_of_one_x(state);
}

static void attention_in_bf16(void **state)
{
    if (no_bf16)
        skip();
    coarse = true;
    attention(state);
    attention_room(state);
    low_attention(state);
    coarse = false;
}

static void an_unknown_arithmetic(void **state)
{
    struct device *none = NULL;
    struct fault f = {0};
    assert_int_equal(device_open(&(struct device_setup){"cpu", "f8", 0}, &none, &f), ERR_INVAL);
    assert_non_null(strstr(f.text, "f8"));
    assert_int_equal(device_open(&(struct device_setup){"cpu-plain", "bf16", 0}, &none, &f),
                     ERR_UNSUPPORTED);
    assert_null(none);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(linear),
        cmocka_unit_test(products_of_one_x),
        cmocka_unit_test(rows_of_next_to_nothing),
        cmocka_unit_test(stored_in_any_type),
        cmocka_unit_test(every_half),
        cmocka_unit_test(conv),
        cmocka_unit_test(one_kernel_for_all_sizes),
        cmocka_unit_test(norms),
        cmocka_unit_test(attention),
        cmocka_unit_test(low_attention),
        cmocka_unit_test(attention_room),
        cmocka_unit_test(rope_turns_pairs),
        cmocka_unit_test(joins),
        cmocka_unit_test(turns),
        cmocka_unit_test(weights_in_parts),
        cmocka_unit_test(slim_norms),
        cmocka_unit_test(elements),
        cmocka_unit_test(copies_that_overlap),
        cmocka_unit_test(frames),
        cmocka_unit_test(patches),
        cmocka_unit_test(patches_that_do_not_fit),
        cmocka_unit_test(pictures_as_bytes),
        cmocka_unit_test(weights_in_turns),
        cmocka_unit_test(work_that_comes_again),
        cmocka_unit_test(work_that_is_not_recorded),
        cmocka_unit_test(the_first_failure_stays),
        cmocka_unit_test(memory_is_counted),
        cmocka_unit_test(an_unknown_arithmetic),
    };
    const struct CMUnitTest rounded[] = {cmocka_unit_test(products_in_bf16),
                                         cmocka_unit_test(attention_in_bf16)};
    if (argc > 3)
        cmocka_set_test_filter(argv[3]);
    if (argc > 2) {
        asked = (struct device_setup){argv[1], argv[2], 0};
        return cmocka_run_group_tests_name(argv[1], tests, open_asked, close_device);
    }
    int failed = cmocka_run_group_tests_name("cpu", tests, open_best, close_device);
    failed += cmocka_run_group_tests_name("cpu-plain", tests, open_plain, close_device);
    return failed + cmocka_run_group_tests_name("cpu in bf16", rounded, open_bf16, close_bf16);
}
