/* wan/sampler: from noise to latents, given velocities (spec 7).
 *
 * A schedule is a list of sigmas, 1 downwards to 0, with the timestep to show the model at each.
 * A sampler walks it: sampler_step() takes the velocity at step i and moves x on. Everything it
 * remembers lies in plain arrays, so that a job can be saved between any two steps and goes on
 * with the same numbers, however many threads share a step. f32 state, double scalars. Pure. */
#ifndef SAKUGA_WAN_SAMPLER_H
#define SAKUGA_WAN_SAMPLER_H

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

#define SAMPLER_STEPS_MAX 1000

enum sampler_kind { SAMPLER_UNIPC, SAMPLER_DPMPP, SAMPLER_EULER, SAMPLER_LCM, SAMPLER_COUNT };

const char *sampler_name(enum sampler_kind kind); /* "unipc", "dpm++", "euler", "lcm" */
bool sampler_parse(const char *name, enum sampler_kind *out);

struct schedule {
    int steps;
    float sigma[SAMPLER_STEPS_MAX + 1]; /* from 1 at most they fall to the last, 0 */
    double t[SAMPLER_STEPS_MAX];        /* 1000·sigma, truncated for UniPC and DPM++ */
};

/* INVAL when steps or shift make no schedule: each sigma must lie below the one before, in f32 too.
 * schedule_flow(): the sampler's own of the original code; schedule_simple(): ComfyUI's. */
enum err schedule_flow(struct schedule *s, enum sampler_kind kind, int steps, double shift,
                       struct fault *f);
enum err schedule_simple(struct schedule *s, int steps, double shift, struct fault *f);
/* Any falling list of sigmas in (0, 1], without the final 0. */
enum err schedule_list(struct schedule *s, const double *sigma, int steps, struct fault *f);
/* Step-distilled models: nominal steps of 1000, e.g. 1000, 750, 500, 250 (spec 9.2). */
enum err schedule_nominal(struct schedule *s, const int *nominal, int steps, double shift,
                          struct fault *f);

struct sampler {
    enum sampler_kind kind;
    struct schedule schedule;
    int64_t n;        /* numbers in x */
    int threads;      /* of the host, for large n; 1 until the owner sets it */
    float *now;       /* x0 prediction of this step */
    float *before[2]; /* those of the last step and the one before */
    float *anchor;    /* UniPC: x at the last step, corrected */
    int order;        /* UniPC: of the last predictor */
};

struct sampler *sampler_new(enum sampler_kind kind, const struct schedule *s, int64_t n);
void sampler_free(struct sampler *s);

/* Moves x from sigma[i] to sigma[i + 1], i = 0, 1, … in order. `fresh` is noise for SAMPLER_LCM
 * (not needed at the last step), else NULL. x0, when not NULL, gets the prediction of the end. */
void sampler_step(struct sampler *s, int i, float *x, const float *v, const float *fresh,
                  float *x0);

/* v = v_u + scale·(v_c − v_u), into v_c. `zero_star`: CFG-Zero*, v_u scaled to fit v_c first. */
void sampler_guide(float *cond, const float *uncond, int64_t n, double scale, bool zero_star,
                   int threads);

#endif
