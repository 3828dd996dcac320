#include "wan/prog/blocks.h"

#include "base/clock.h"
#include "wan/noise.h"
#include "wan/preset.h"
#include "wan/rollout.h"
#include "wan/vae.h"

#include <stdlib.h>

struct source {
    struct noise noise;
    int threads;
};

static void fresh(void *user, int step, float *out, int64_t n)
{
    struct source *s = user;
    (void)step;
    noise_normal(&s->noise, out, n, s->threads);
}

enum err blocks_seconds(const struct blocks *b, double *seconds, int most, int *made, int *frames,
                        struct fault *f)
{
    const struct preset *preset = preset_find("self-forcing");
    struct source source = {.threads = dit_threads(b->dit)};
    struct schedule schedule;
    struct rollout *r = NULL;
    struct rollout_setup set = {.dit = b->dit,
                                .schedule = &schedule,
                                .height = b->height,
                                .width = b->width,
                                .block = preset->block,
                                .window = b->frames < ROLLOUT_WINDOW ? b->frames : ROLLOUT_WINDOW};
    int64_t numbers = (int64_t)VAE_Z * preset->block * b->height * b->width;
    float *latent = malloc((size_t)numbers * sizeof *latent);
    struct rollout_block block = {.latent = latent, .fresh = fresh, .user = &source};
    enum err e = latent ? schedule_list(&schedule, preset->sigma, preset->steps, f)
                        : fault_set(f, ERR_NOMEM, "out of memory");
    noise_seed(&source.noise, 1);
    if (!e && b->frames < preset->block)
        e = fault_set(f, ERR_INVAL, "a causal clip has at least %d latent frames", preset->block);
    if (!e)
        e = rollout_open(&set, &r, f);
    if (!e)
        e = rollout_prompt(r, b->context, b->n, f);
    *frames = preset->block;
    for (*made = 0; !e && *made < most && (*made + 1) * preset->block <= b->frames; ++*made) {
        int64_t began = clock_mono_us();
        noise_normal(&source.noise, latent, numbers, source.threads);
        e = rollout_next(r, &block, f);
        seconds[*made] = (double)(clock_mono_us() - began) * 1e-6;
    }
    rollout_free(r);
    free(latent);
    return e;
}
