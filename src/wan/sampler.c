#include "wan/sampler.h"

#include "tensor/parallel.h"

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

/* The samplers divide by what lies between two sigmas, as they are kept: in f32. */
static enum err falls(const struct schedule *s, struct fault *f)
{
    for (int i = 0; i < s->steps; i++)
        if (!(s->sigma[i] > s->sigma[i + 1]) || s->sigma[i] > 1)
            return fault_set(f, ERR_INVAL,
                             "%d steps lie too near to each other: sigma %d is %.9g and the next "
                             "%.9g; use fewer of them, or another shift",
                             s->steps, i, (double)s->sigma[i], (double)s->sigma[i + 1]);
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
    return e ? e : falls(s, f);
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
    return e ? e : falls(s, f);
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
    return e ? e : falls(s, f);
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
    return e ? e : falls(s, f);
}

struct sampler *sampler_new(enum sampler_kind kind, const struct schedule *schedule, int64_t n)
{
    struct sampler *s = calloc(1, sizeof *s);
    if (!s)
        return NULL;
    s->kind = kind;
    s->schedule = *schedule;
    s->n = n;
    s->threads = 1;
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

/* ---- steps: what hangs on the schedule alone comes first, then one pass over memory. m is the x0
 * prediction, `end` another place for it. ---- */

/* UniPC, order 2, B(h) = e^h − 1 (spec 7.2): the numbers of its corrector,
 *   x = keep·anchor − gain·m1 − gain·(rho1·(m2 − m1)/r + rho2·(m − m1)),
 * and of its predictor, x = on_keep·x − on_gain·m − on_half·(m1 − m)/on_r. */
struct unipc {
    double keep, gain, rho1, rho2, r;
    double on_keep, on_gain, on_half, on_r;
};

static void unipc_corrector(const struct sampler *s, int i, struct unipc *u)
{
    double now = sigma_at(s, i), last = sigma_at(s, i - 1);
    double h = lambda(now) - lambda(last), e = expm1(-h);
    u->keep = now / last;
    u->gain = (1 - now) * e;
    u->rho2 = 0.5;
    if (s->order == 2) {
        u->r = (lambda(sigma_at(s, i - 2)) - lambda(last)) / h;
        double k1 = e / -h - 1, b1 = k1 / e, k2 = k1 / -h - 0.5, b2 = 2 * k2 / e;
        u->rho1 = (b1 - b2) / (1 - u->r);
        u->rho2 = b1 - u->rho1;
    }
}

static void unipc_predictor(struct sampler *s, int i, struct unipc *u)
{
    int steps = s->schedule.steps, order = steps - i < i + 1 ? steps - i : i + 1;
    double now = sigma_at(s, i), next = sigma_at(s, i + 1);
    s->order = order < 2 ? order : 2;
    if (next == 0)
        return;
    double h = lambda(next) - lambda(now);
    u->on_keep = next / now;
    u->on_gain = (1 - next) * expm1(-h);
    if (s->order == 2) {
        u->on_half = u->on_gain * 0.5;
        u->on_r = (lambda(sigma_at(s, i - 1)) - lambda(now)) / h;
    }
}

static void unipc_step(struct sampler *s, int i, float *x, const float *v, float *m, float *end)
{
    double now = sigma_at(s, i);
    float *anchor = s->anchor;
    const float *m1 = s->before[0], *m2 = s->before[1];
    struct unipc u = {.keep = 1, .r = 1, .on_gain = -1, .on_r = 1}; /* x = anchor, then x = m */
    if (i > 0)
        unipc_corrector(s, i, &u);
    else
        memcpy(anchor, x, (size_t)s->n * sizeof *x);
    unipc_predictor(s, i, &u);
    PARALLEL_SIMD(parallel_team(s->threads, s->n))
    for (int64_t j = 0; j < s->n; j++) {
        float to = (float)(x[j] - now * v[j]);
        double far = u.rho1 * ((double)m2[j] - m1[j]) / u.r;
        double near = far + u.rho2 * ((double)to - m1[j]);
        float at = (float)(u.keep * anchor[j] - u.gain * m1[j] - u.gain * near);
        double bend = u.on_half * ((double)m1[j] - to) / u.on_r;
        m[j] = end[j] = to;
        anchor[j] = at;
        x[j] = (float)(u.on_keep * at - u.on_gain * to - bend);
    }
}

/* DPM-Solver++ 2M, midpoint (spec 7.3). lambda is −∞ at sigma 1, which the formulas bear. */
static void dpmpp_step(struct sampler *s, int i, float *x, const float *v, float *m, float *end)
{
    double now = sigma_at(s, i), next = sigma_at(s, i + 1);
    double keep = 0, gain = -1, slope = 0; /* x = m */
    const float *m1 = s->before[0];
    if (next > 0) {
        double h = lambda(next) - lambda(now);
        keep = next / now;
        gain = (1 - next) * expm1(-h);
        if (i > 0 && isfinite(lambda(sigma_at(s, i - 1))))
            slope = 0.5 * gain * h / (lambda(now) - lambda(sigma_at(s, i - 1)));
    }
    PARALLEL_SIMD(parallel_team(s->threads, s->n))
    for (int64_t j = 0; j < s->n; j++) {
        float to = (float)(x[j] - now * v[j]);
        x[j] = (float)(keep * x[j] - gain * to - slope * ((double)to - m1[j]));
        m[j] = end[j] = to;
    }
}

static void euler_step(struct sampler *s, int i, float *x, const float *v, float *m, float *end)
{
    double now = sigma_at(s, i), by = sigma_at(s, i + 1) - now;
    PARALLEL_SIMD(parallel_team(s->threads, s->n))
    for (int64_t j = 0; j < s->n; j++) {
        m[j] = end[j] = (float)(x[j] - now * v[j]);
        x[j] = (float)(x[j] + by * v[j]);
    }
}

static void lcm_step(struct sampler *s, int i, float *x, const float *v, const float *fresh,
                     float *m, float *end)
{
    double now = sigma_at(s, i), next = sigma_at(s, i + 1);
    int team = parallel_team(s->threads, s->n);
    if (next > 0) {
        PARALLEL_SIMD(team)
        for (int64_t j = 0; j < s->n; j++) {
            m[j] = end[j] = (float)(x[j] - now * v[j]);
            x[j] = (float)((1 - next) * m[j] + next * fresh[j]);
        }
        return;
    }
    PARALLEL_SIMD(team)
    for (int64_t j = 0; j < s->n; j++)
        x[j] = m[j] = end[j] = (float)(x[j] - now * v[j]);
}

void sampler_step(struct sampler *s, int i, float *x, const float *v, const float *fresh, float *x0)
{
    float *m = s->now, *end = x0 ? x0 : m;
    switch (s->kind) {
    case SAMPLER_UNIPC:
        unipc_step(s, i, x, v, m, end);
        break;
    case SAMPLER_DPMPP:
        dpmpp_step(s, i, x, v, m, end);
        break;
    case SAMPLER_EULER:
        euler_step(s, i, x, v, m, end);
        break;
    case SAMPLER_LCM:
        lcm_step(s, i, x, v, fresh, m, end);
        break;
    case SAMPLER_COUNT:
        break;
    }
    s->now = s->before[1];
    s->before[1] = s->before[0];
    s->before[0] = m;
}

void sampler_guide(float *cond, const float *uncond, int64_t n, double scale, bool zero_star,
                   int threads)
{
    double dot = 0, square = 0, alpha = 1;
    if (zero_star) { /* one sum after the other: what it rounds to hangs on their order */
        for (int64_t i = 0; i < n; i++) {
            dot += (double)cond[i] * uncond[i];
            square += (double)uncond[i] * uncond[i];
        }
        alpha = dot / (square + 1e-8);
    }
    PARALLEL_SIMD(parallel_team(threads, n))
    for (int64_t i = 0; i < n; i++)
        cond[i] = (float)(alpha * uncond[i] + scale * (cond[i] - alpha * uncond[i]));
}
