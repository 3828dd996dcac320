#include "wan/sampler.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char *const names[SAMPLER_COUNT] = {"unipc", "dpm++", "euler", "lcm"};

const char *sampler_name(enum sampler_kind kind)
{
    return names[kind];
}

bool sampler_parse(const char *name, enum sampler_kind *out)
{
    for (int i = 0; i < SAMPLER_COUNT; i++)
        if (!strcmp(name, names[i])) {
            *out = (enum sampler_kind)i;
            return true;
        }
    return false;
}

static double shifted(double u, double shift)
{
    return shift * u / (1 + (shift - 1) * u);
}

static enum err begin(struct schedule *s, int steps, double shift, struct fault *f)
{
    memset(s, 0, sizeof *s);
    if (steps < 1 || steps > SAMPLER_STEPS_MAX)
        return fault_set(f, ERR_INVAL, "%d steps are not possible; use 1 to %d", steps,
                         SAMPLER_STEPS_MAX);
    if (!(shift > 0 && shift <= 1000))
        return fault_set(f, ERR_INVAL, "a shift of %g is not possible", shift);
    s->steps = steps;
    return ERR_OK;
}

enum err schedule_flow(struct schedule *s, enum sampler_kind kind, int steps, double shift,
                       struct fault *f)
{
    enum err e = begin(s, steps, shift, f);
    /* upstream's 0.999 passed through f32, which decides some of the integer timesteps */
    double first = kind == SAMPLER_UNIPC ? (double)0.999f : 1.0;
    for (int i = 0; !e && i < steps; i++) {
        double u =
            kind == SAMPLER_UNIPC ? i * ((0 - first) / steps) + first : i * (-1.0 / steps) + first;
        double sigma = shifted(u, shift);
        s->sigma[i] = (float)sigma;
        s->t[i] =
            kind == SAMPLER_UNIPC || kind == SAMPLER_DPMPP ? trunc(1000 * sigma) : 1000 * sigma;
    }
    return e;
}

enum err schedule_simple(struct schedule *s, int steps, double shift, struct fault *f)
{
    enum err e = begin(s, steps, shift, f);
    for (int i = 0; !e && i < steps; i++) {
        int k = 1000 - (int)(i * (1000.0 / steps));
        double sigma = shifted(k / 1000.0, shift);
        s->sigma[i] = (float)sigma;
        s->t[i] = 1000 * sigma;
    }
    return e;
}

enum err schedule_list(struct schedule *s, const double *sigma, int steps, struct fault *f)
{
    enum err e = begin(s, steps, 1, f);
    for (int i = 0; !e && i < steps; i++) {
        if (!(sigma[i] > 0 && sigma[i] <= 1) || (i && sigma[i] >= sigma[i - 1]))
            e = fault_set(f, ERR_INVAL, "sigma %d of the list is %g; they must fall from 1 to 0", i,
                          sigma[i]);
        s->sigma[i] = (float)sigma[i];
        s->t[i] = 1000 * sigma[i];
    }
    return e;
}

enum err schedule_nominal(struct schedule *s, const int *nominal, int steps, double shift,
                          struct fault *f)
{
    enum err e = begin(s, steps, shift, f);
    for (int i = 0; !e && i < steps; i++) {
        if (nominal[i] < 1 || nominal[i] > 1000)
            return fault_set(f, ERR_INVAL, "the step %d of 1000 is not possible", nominal[i]);
        double sigma = shifted(nominal[i] / 1000.0, shift);
        s->sigma[i] = (float)sigma;
        s->t[i] = 1000 * sigma;
    }
    return e;
}

struct sampler *sampler_new(enum sampler_kind kind, const struct schedule *schedule, int64_t n)
{
    struct sampler *s = calloc(1, sizeof *s);
    if (!s)
        return NULL;
    s->kind = kind;
    s->schedule = *schedule;
    s->n = n;
    s->now = calloc((size_t)n, sizeof(float));
    s->before[0] = calloc((size_t)n, sizeof(float));
    s->before[1] = calloc((size_t)n, sizeof(float));
    s->anchor = calloc((size_t)n, sizeof(float));
    if (s->now && s->before[0] && s->before[1] && s->anchor)
        return s;
    sampler_free(s);
    return NULL;
}

void sampler_free(struct sampler *s)
{
    if (!s)
        return;
    free(s->now);
    free(s->before[0]);
    free(s->before[1]);
    free(s->anchor);
    free(s);
}

/* Half the logarithm of the signal-to-noise ratio, here of x = (1 − sigma)·x0 + sigma·noise. */
static double lambda(double sigma)
{
    return log((1 - sigma) / sigma);
}

static double sigma_at(const struct sampler *s, int i)
{
    return (double)s->schedule.sigma[i];
}

/* UniPC, order 2, B(h) = e^h − 1 (spec 7.2). `m` is the x0 prediction from the uncorrected x. */
static void unipc_correct(struct sampler *s, int i, float *x, const float *m)
{
    double now = sigma_at(s, i), last = sigma_at(s, i - 1);
    double h = lambda(now) - lambda(last), e = expm1(-h), gain = (1 - now) * e;
    const float *m1 = s->before[0], *m2 = s->before[1], *anchor = s->anchor;
    double rho1 = 0, rho2 = 0.5, r = 1;
    if (s->order == 2) {
        r = (lambda(sigma_at(s, i - 2)) - lambda(last)) / h;
        double k1 = e / -h - 1, b1 = k1 / e, k2 = k1 / -h - 0.5, b2 = 2 * k2 / e;
        rho1 = (b1 - b2) / (1 - r);
        rho2 = b1 - rho1;
    }
    for (int64_t j = 0; j < s->n; j++) {
        double base = now / last * anchor[j] - gain * m1[j];
        double far = rho1 != 0 ? rho1 * ((double)m2[j] - m1[j]) / r : 0;
        x[j] = (float)(base - gain * (far + rho2 * ((double)m[j] - m1[j])));
    }
}

static void unipc_step(struct sampler *s, int i, float *x, const float *m)
{
    int steps = s->schedule.steps;
    if (i > 0)
        unipc_correct(s, i, x, m);
    int order = steps - i < i + 1 ? steps - i : i + 1;
    s->order = order < 2 ? order : 2;
    memcpy(s->anchor, x, (size_t)s->n * sizeof *x);
    double now = sigma_at(s, i), next = sigma_at(s, i + 1);
    if (next == 0) {
        memcpy(x, m, (size_t)s->n * sizeof *x);
        return;
    }
    double h = lambda(next) - lambda(now), gain = (1 - next) * expm1(-h);
    double r = s->order == 2 ? (lambda(sigma_at(s, i - 1)) - lambda(now)) / h : 1;
    for (int64_t j = 0; j < s->n; j++) {
        double to = next / now * x[j] - gain * m[j];
        if (s->order == 2)
            to -= gain * 0.5 * ((double)s->before[0][j] - m[j]) / r;
        x[j] = (float)to;
    }
}

/* DPM-Solver++ 2M, midpoint (spec 7.3). lambda is −∞ at sigma 1, which the formulas bear. */
static void dpmpp_step(struct sampler *s, int i, float *x, const float *m)
{
    double now = sigma_at(s, i), next = sigma_at(s, i + 1);
    if (next == 0) {
        memcpy(x, m, (size_t)s->n * sizeof *x);
        return;
    }
    double h = lambda(next) - lambda(now), gain = (1 - next) * expm1(-h), slope = 0;
    if (i > 0 && isfinite(lambda(sigma_at(s, i - 1))))
        slope = 0.5 * gain * h / (lambda(now) - lambda(sigma_at(s, i - 1)));
    for (int64_t j = 0; j < s->n; j++)
        x[j] = (float)(next / now * x[j] - gain * m[j] - slope * ((double)m[j] - s->before[0][j]));
}

void sampler_step(struct sampler *s, int i, float *x, const float *v, const float *fresh, float *x0)
{
    double now = sigma_at(s, i), next = sigma_at(s, i + 1);
    float *m = s->now;
    for (int64_t j = 0; j < s->n; j++)
        m[j] = (float)(x[j] - now * v[j]);
    if (x0)
        memcpy(x0, m, (size_t)s->n * sizeof *x0);
    switch (s->kind) {
    case SAMPLER_UNIPC:
        unipc_step(s, i, x, m);
        break;
    case SAMPLER_DPMPP:
        dpmpp_step(s, i, x, m);
        break;
    case SAMPLER_EULER:
        for (int64_t j = 0; j < s->n; j++)
            x[j] = (float)(x[j] + (next - now) * v[j]);
        break;
    case SAMPLER_LCM:
        for (int64_t j = 0; j < s->n; j++)
            x[j] = (float)((1 - next) * m[j] + (next > 0 ? next * fresh[j] : 0));
        break;
    case SAMPLER_COUNT:
        break;
    }
    s->now = s->before[1];
    s->before[1] = s->before[0];
    s->before[0] = m;
}

void sampler_guide(float *cond, const float *uncond, int64_t n, double scale, bool zero_star)
{
    double dot = 0, square = 0, alpha = 1;
    if (zero_star) {
        for (int64_t i = 0; i < n; i++) {
            dot += (double)cond[i] * uncond[i];
            square += (double)uncond[i] * uncond[i];
        }
        alpha = dot / (square + 1e-8);
    }
    for (int64_t i = 0; i < n; i++)
        cond[i] = (float)(alpha * uncond[i] + scale * (cond[i] - alpha * uncond[i]));
}
