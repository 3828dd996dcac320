/* wan/preset: the ways of step-distilled models (spec 9.2 and 13): a sampler, its few steps, and
 * whether frames come in blocks that see only what came before. No guidance: it is distilled in.
 * Nothing in the weights tells them from their base model, so a job names one in place of a
 * sampler. Pure. */
#ifndef SAKUGA_WAN_PRESET_H
#define SAKUGA_WAN_PRESET_H

#include "wan/sampler.h"

#define PRESET_STEPS 9

struct preset {
    const char *name;
    enum sampler_kind sampler;
    int steps;
    double sigma[PRESET_STEPS]; /* of each step; the last one ends at 0 */
    int block;                  /* latent frames made at once; 0: all, seeing each other */
};

/* NULL when there is none of that name. */
const struct preset *preset_find(const char *name);

#endif
