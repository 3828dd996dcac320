/* Cases without a network: noise, sigma tables, sampler trajectories. */
#include "wan/prog/golden.h"

#include "wan/noise.h"
#include "wan/sampler.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void golden_rng(struct golden *g)
{
    struct weights *w = golden_open(g, "rng.safetensors");
    for (int i = 0; w && i < w->n; i++) {
        unsigned long long seed;
        int64_t n;
        long long count;
        if (sscanf(w->t[i].name, "randn.%llu.%lld", &seed, &count) != 2)
            continue;
        float *want = golden_values(g, w, w->t[i].name, &n), *got = calloc((size_t)n, sizeof *got);
        struct noise noise;
        noise_seed(&noise, seed);
        noise_normal(&noise, got, n);
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

static void table(struct golden *g, const struct weights *w, const char *full)
{
    char name[32], what[32];
    int steps;
    double shift;
    struct schedule s;
    if (sscanf(full, "tab.%31[^.].%d_%lf.%31s", name, &steps, &shift, what) != 4)
        return;
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

static void trajectory(struct golden *g, const struct weights *w, const char *full)
{
    char name[32], noise_name[64], model, from[32];
    int steps;
    double shift;
    struct schedule s;
    enum sampler_kind kind;
    if (sscanf(full, "traj.%31[^.].%31[^.].%c", from, name, &model) != 3)
        return;
    snprintf(noise_name, sizeof noise_name, "traj.%s.noise", from);
    if (sscanf(from, "%d_%lf", &steps, &shift) != 2 || !make_schedule(name, steps, shift, &s) ||
        !sampler_parse(strcmp(name, "dpmpp") ? name : "dpm++", &kind))
        return;
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
        else if (!strstr(w->t[i].name, ".noise"))
            trajectory(g, w, w->t[i].name);
    }
    weights_free(w);
}
