/* Cases without a network: noise, sigma tables, sampler trajectories. */
#include "wan/prog/golden.h"

#include "wan/noise.h"
#include "wan/sampler.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A vector whose name is not understood is a failure: a case that is not run proves nothing. */
static void unknown(struct golden *g, const char *full)
{
    struct fault f;
    fault_set(&f, ERR_UNSUPPORTED, "this vector is not understood");
    golden_broken(g, full, &f);
}

void golden_rng(struct golden *g)
{
    struct weights *w = golden_open(g, "rng.safetensors");
    for (int i = 0; w && i < w->n; i++) {
        unsigned long long seed;
        int64_t n;
        long long count;
        if (sscanf(w->t[i].name, "randn.%llu.%lld", &seed, &count) != 2) {
            unknown(g, w->t[i].name);
            continue;
        }
        float *want = golden_values(g, w, w->t[i].name, &n), *got = calloc((size_t)n, sizeof *got);
        struct noise noise;
        noise_seed(&noise, seed);
        noise_normal(&noise, got, n, 1);
        golden_check(g, "rng", w->t[i].name, got, want, n, bound_noise);
        free(want);
        free(got);
    }
    weights_free(w);
}

static bool make_schedule(const char *name, int steps, double shift, struct schedule *s)
{
    enum sampler_kind kind;
    if (!strcmp(name, "comfy_simple"))
        return !schedule_simple(s, steps, shift, NULL);
    return sampler_parse(strcmp(name, "dpmpp") ? name : "dpm++", &kind) &&
           !schedule_flow(s, kind, steps, shift, NULL);
}

/* "20_5" or "20_3.5": steps and shift. */
static bool steps_and_shift(const char *text, int *steps, double *shift)
{
    char *end;
    *steps = (int)strtol(text, &end, 10);
    if (end == text || *end != '_')
        return false;
    text = end + 1;
    *shift = strtod(text, &end);
    return end != text && *end == '\0';
}

/* Cuts "tab.NAME.STEPS_SHIFT.WHAT" at its first two dots and its last. */
static bool cut_name(const char *full, char *copy, size_t n, char **name, char **run, char **what)
{
    if (strlen(full) >= n)
        return false;
    strcpy(copy, full);
    char *first = strchr(copy, '.'), *second = first ? strchr(first + 1, '.') : NULL;
    char *last = strrchr(copy, '.');
    if (!second || last <= second)
        return false;
    *first = *second = *last = '\0';
    *name = first + 1;
    *run = second + 1;
    *what = last + 1;
    return true;
}

static void table(struct golden *g, const struct weights *w, const char *full)
{
    char copy[128], *name, *run, *what;
    int steps;
    double shift;
    struct schedule s;
    if (!cut_name(full, copy, sizeof copy, &name, &run, &what) ||
        !steps_and_shift(run, &steps, &shift) ||
        (strcmp(what, "sigmas") && strcmp(what, "timesteps"))) {
        unknown(g, full);
        return;
    }
    int64_t n;
    float *want = golden_values(g, w, full, &n);
    if (!make_schedule(name, steps, shift, &s) || !want || n > steps + 1) {
        golden_broken(g, full, &(struct fault){ERR_INVAL, "no such schedule"});
    } else if (!strcmp(what, "sigmas")) {
        golden_check(g, "schedulers", full, s.sigma, want, n, bound_schedule);
    } else {
        float t[SAMPLER_STEPS_MAX];
        for (int i = 0; i < steps; i++)
            t[i] = (float)s.t[i];
        golden_check(g, "schedulers", full, t, want, n,
                     strcmp(name, "euler") ? bound_exact : bound_schedule);
    }
    free(want);
}

/* The two toy models of the vectors. */
static float toy(char model, float x, double t)
{
    double u = t / 1000;
    return (float)(model == 'A' ? 0.3 * (double)x + sin(u)
                                : sin(2 * (double)x) + 0.1 * (double)x * u);
}

/* "traj.STEPS_SHIFT.SAMPLER.MODEL"; the shift may hold a dot, so the cuts are from the end. */
static void trajectory(struct golden *g, const struct weights *w, const char *full)
{
    char copy[128], noise_name[160], *name, *last = NULL;
    int steps;
    double shift;
    struct schedule s;
    enum sampler_kind kind;
    snprintf(copy, sizeof copy, "%s", full + strlen("traj."));
    if ((last = strrchr(copy, '.')))
        *last = '\0';
    name = strrchr(copy, '.');
    char model = last ? last[1] : 0;
    if (name)
        *name++ = '\0';
    if (!name || (model != 'A' && model != 'B') || !steps_and_shift(copy, &steps, &shift) ||
        !make_schedule(name, steps, shift, &s) ||
        !sampler_parse(strcmp(name, "dpmpp") ? name : "dpm++", &kind)) {
        unknown(g, full);
        return;
    }
    snprintf(noise_name, sizeof noise_name, "traj.%s.noise", copy);
    int64_t n, all;
    float *x = golden_values(g, w, noise_name, &n), *want = golden_values(g, w, full, &all);
    float *got = malloc((size_t)all * sizeof *got), *v = malloc((size_t)n * sizeof *v);
    struct sampler *run = sampler_new(kind, &s, n);
    for (int i = 0; run && x && want && all == n * steps && i < steps; i++) {
        for (int64_t j = 0; j < n; j++)
            v[j] = toy(model, x[j], s.t[i]);
        sampler_step(run, i, x, v, NULL, NULL);
        memcpy(got + i * n, x, (size_t)n * sizeof *x);
    }
    if (run && want && all == n * steps)
        golden_check(g, "schedulers", full, got, want, all, bound_schedule);
    else
        unknown(g, full);
    sampler_free(run);
    free(x);
    free(want);
    free(got);
    free(v);
}

void golden_schedulers(struct golden *g)
{
    struct weights *w = golden_open(g, "schedulers.safetensors");
    for (int i = 0; w && i < w->n; i++) {
        if (!strncmp(w->t[i].name, "tab.", 4))
            table(g, w, w->t[i].name);
        else if (strncmp(w->t[i].name, "traj.", 5))
            unknown(g, w->t[i].name);
        else if (!strstr(w->t[i].name, ".noise"))
            trajectory(g, w, w->t[i].name);
    }
    weights_free(w);
}
