/* What the tests of operations share: numbers that come again, and comparing. */
#include "unit/tensor/ops.h"

struct device *dev;
unsigned seed = 1;
bool coarse;

bool low(void)
{
    return device_caps(dev)->work == DTYPE_BF16;
}

float roll(void)
{
    seed = seed * 1664525u + 1013904223u;
    return (float)(seed >> 8) / 8388608.0f - 1.0f;
}

float *noise(int64_t n)
{
    float *v = malloc((size_t)n * sizeof *v);
    for (int64_t i = 0; i < n; i++)
        v[i] = low() || coarse ? rintf(roll() * 128) / 128 : roll();
    return v;
}

struct tensor upload(const float *v, int rank, const int64_t *dim)
{
    return tensor_from(dev, v, rank, dim);
}

double seen(float v, bool exact)
{
    if (exact || device_caps(dev)->dtype == DTYPE_F32)
        return v;
    int e;
    double m = frexp((double)v, &e);
    return ldexp(nearbyint(ldexp(m, 8)), e - 8);
}

void write_columns(struct tensor *all, float *const *from, int count, int64_t n, int64_t c)
{
    int64_t row = tensor_last(all);
    float *v = calloc((size_t)(n * row), sizeof *v);
    for (int64_t i = 0; i < n * c * count; i++)
        v[i / c % n * row + i / c / n * c + i % c] = from[i / c / n][i % (n * c)];
    device_write(dev, all, v, n * row);
    free(v);
}

void read_columns(struct tensor *to, const struct tensor *all, int which, int64_t n, int64_t c)
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

double error_of(const struct tensor *t, const double *want)
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

void within(double error, double bound)
{
    if (!(error <= bound))
        fail_msg("relative error %g, bound %g", error, bound);
}

void expect(struct tensor *t, double *want, double bound)
{
    if (low() && bound > 0)
        bound = device_caps(dev)->dtype == DTYPE_F8_E4M3 ? EIGHT_BOUND : LOW_BOUND;
    within(error_of(t, want), bound);
    free(want);
    tensor_free(t);
}

double act_of(double x, enum act act)
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

double product_bound(void)
{
    return device_caps(dev)->dtype == DTYPE_BF16 ? 3e-6 : 1e-6;
}
