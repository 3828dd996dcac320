/* Every operation of the CPU device against a plain double loop, on shapes that fit no tile, by
 * both makers of products. */
#include "unit.h"

#include "tensor/device.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static struct device *dev;
static unsigned seed = 1;
static bool no_bf16; /* this build or machine has none; it said so */

static float roll(void)
{
    seed = seed * 1664525u + 1013904223u;
    return (float)(seed >> 8) / 8388608.0f - 1.0f;
}

static float *noise(int64_t n)
{
    float *v = malloc((size_t)n * sizeof *v);
    for (int64_t i = 0; i < n; i++)
        v[i] = roll();
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

/* Relative L2 of what lies on the device against `want`; frees both. */
static void expect(struct tensor *t, double *want, double bound)
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
    assert_true(sqrt(diff / norm) <= bound);
    free(got);
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

static void linear_case(int64_t n, int64_t in, int64_t out, enum act act, bool add, bool gated,
                        bool exact)
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
    struct weight *weight = weight_new(
        dev, &(struct weight_spec){out, in, 1, 1, 1, .values = w, .bias = b, .precise = exact});
    struct tensor tx = upload(x, 2, DIMS(n, in)), ty = upload(y, 2, DIMS(n, out));
    struct tensor tg = upload(g, 1, DIMS(out));
    device_linear(
        dev,
        &(struct linear_op){
            .x = &tx, .w = weight, .y = &ty, .act = act, .add = add, .gate = gated ? &tg : NULL});
    expect(&ty, want, 1e-6);
    weight_free(weight);
    tensor_free(&tx);
    tensor_free(&tg);
    free(x);
    free(w);
    free(b);
    free(g);
    free(y);
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
}

/* A file in another type than the device's, and at an odd address. */
static void stored_in_any_type(void **state)
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
        struct weight *w = weight_new(
            dev, &(struct weight_spec){OUT, IN, 1, 1, 1, .values = file + 1, .type = types[t]});
        struct tensor tx = upload(x, 2, DIMS(N, IN)), ty = tensor_new2(dev, N, OUT);
        device_linear(dev, &(struct linear_op){.x = &tx, .w = w, .y = &ty});
        expect(&ty, want, 1e-6);
        weight_free(w);
        tensor_free(&tx);
    }
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
                    s += (double)x[((pt * c->h + py) * c->w + px) * c->in + k] *
                         w[(o * c->in + k) * taps + tap];
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
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        conv_one(&cases[i]);
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

static void attention_case(int64_t nq, int64_t nk, int heads, int64_t width, bool biased,
                           double repeats, bool add)
{
    int64_t c = heads * width, span = nq > nk ? nq : nk;
    float *q = noise(nq * c), *k = noise(nk * c), *v = noise(nk * c), *y = noise(nq * c);
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
    struct tensor tq = upload(q, 2, DIMS(nq, c)), tk = upload(k, 2, DIMS(nk, c));
    struct tensor tv = upload(v, 2, DIMS(nk, c)), ty = upload(y, 2, DIMS(nq, c));
    struct tensor tb = upload(bias, 2, DIMS(heads, 2 * span - 1));
    device_attention(dev, &(struct attention_op){.q = &tq,
                                                 .k = &tk,
                                                 .v = &tv,
                                                 .out = &ty,
                                                 .heads = heads,
                                                 .scale = 0.25f,
                                                 .bias = biased ? &tb : NULL,
                                                 .repeats = repeats,
                                                 .add = add});
    expect(&ty, want, 2e-6);
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

static void attention(void **state)
{
    attention_case(1, 1, 1, 3, false, 1, false);
    attention_case(50, 33, 3, 20, false, 100, false);
    attention_case(49, 300, 2, 128, false, 1, true);
    attention_case(130, 130, 4, 16, true, 1, false);
    attention_case(3, 515, 1, 97, false, 7, false);
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

static void products_in_bf16(void **state)
{
    if (no_bf16)
        skip();
    assert_int_equal(device_caps(dev)->dtype, DTYPE_BF16);
    linear(state);
    stored_in_any_type(state);
    conv(state);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(linear),
        cmocka_unit_test(stored_in_any_type),
        cmocka_unit_test(conv),
        cmocka_unit_test(norms),
        cmocka_unit_test(attention),
        cmocka_unit_test(rope_turns_pairs),
        cmocka_unit_test(frames),
        cmocka_unit_test(the_first_failure_stays),
        cmocka_unit_test(memory_is_counted),
        cmocka_unit_test(an_unknown_arithmetic),
    };
    const struct CMUnitTest rounded[] = {cmocka_unit_test(products_in_bf16)};
    int failed = cmocka_run_group_tests_name("cpu", tests, open_best, close_device);
    failed += cmocka_run_group_tests_name("cpu-plain", tests, open_plain, close_device);
    return failed + cmocka_run_group_tests_name("cpu in bf16", rounded, open_bf16, close_bf16);
}
