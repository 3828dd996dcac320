/* show/eta: how long a prompt takes, from what was measured in this show and the ones before.
 *
 * Pure. Each stage keeps its newest 32 durations; a range is made of their medians (low end) and
 * 90th percentiles (high end). */
#ifndef SAKUGA_SHOW_ETA_H
#define SAKUGA_SHOW_ETA_H

#include <stdbool.h>
#include <stdint.h>

#define ETA_SAMPLES 32

enum eta_stage {
    ETA_DRAW,   /* handed to the engine → clip checked */
    ETA_REVIEW, /* clip checked → cleared */
    ETA_AIR,    /* the cut → the end of the clip */
    ETA_STAGES
};

struct eta {
    struct {
        int32_t ms[ETA_SAMPLES];
        int count, at;
    } stage[ETA_STAGES];
};

struct eta_range {
    int64_t low_ms, high_ms;
};

void eta_add(struct eta *e, enum eta_stage s, int64_t ms);
/* The q-quantile (0..1) of a stage's samples, -1 without any. */
int64_t eta_quantile(const struct eta *e, enum eta_stage s, double q);

/* From now until the clip is on air, for a prompt with `ahead` prompts before it in the queue, when
 * the running job needs `running_ms` more (0: none runs) and `cleared` clips wait for the stage.
 * False when no drawing was measured yet. */
bool eta_range(const struct eta *e, int ahead, int64_t running_ms, int cleared,
               struct eta_range *out);

#endif
