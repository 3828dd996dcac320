/* wan/teacache: leaves the blocks out of a step whose input hardly changed (spec 9.1). Off by
 * default: it trades likeness for speed.
 *
 * The time embedding of the step is compared with that of the step before; a fitted polynomial of
 * the relative change estimates how much the output would move. While the sum of that stays below
 * the threshold, a step adds the residual of the last full one instead of running the blocks. One
 * object for each guidance branch. One thread; must go before its device. */
#ifndef SAKUGA_WAN_TEACACHE_H
#define SAKUGA_WAN_TEACACHE_H

#include "tensor/device.h"

#include <stdbool.h>

enum tea_model { TEA_T2V_1_3B, TEA_T2V_14B, TEA_I2V_480P, TEA_I2V_720P };

struct teacache {
    double poly[5]; /* highest power first */
    double threshold;
    bool projected;        /* the signal is e0, not e ("ret steps") */
    int step, first, last; /* steps done; those below `first` and from `last` on are always run */
    bool full;             /* the last step ran all blocks */
    double distance;
    float *before; /* the signal of the last step */
    int64_t before_n;
    struct tensor residual; /* what the blocks added in the last full step */
};

/* steps: of the whole clip. projected: upstream's better mode, with five full steps first. */
void teacache_init(struct teacache *t, enum tea_model model, bool projected, double threshold,
                   int steps);
void teacache_free(struct teacache *t); /* what it holds; usable again after teacache_init() */

/* For a clip that goes on after `done` steps of this branch: they count, though what they left
 * behind is gone. The next step is a full one, then; where it would be one anyway, all that follows
 * is the same. */
void teacache_resume(struct teacache *t, int done);

/* Counts a step with this signal; true: leave the blocks out. */
bool teacache_skips(struct teacache *t, const float *signal, int64_t n);

/* The two ends of a full step: x before the blocks (a copy is kept), x after them. */
void teacache_enter(struct teacache *t, struct device *dev, const struct tensor *x);
void teacache_leave(struct teacache *t, struct device *dev, const struct tensor *x);

#endif
