/* wan/prog/blocks: how long each block of a causal clip takes; for wan-bench. */
#ifndef SAKUGA_WAN_PROG_BLOCKS_H
#define SAKUGA_WAN_PROG_BLOCKS_H

#include "wan/dit.h"

struct blocks {
    struct dit *dit;
    const float *context; /* [n, text_dim] */
    int64_t n;
    int frames, height, width; /* of the latent */
};

/* Makes a clip as Self-Forcing does: a block's steps and the pass over its clean frames. seconds of
 * each block, at most `most`; how many there are in *made, of *frames latent frames each. */
enum err blocks_seconds(const struct blocks *b, double *seconds, int most, int *made, int *frames,
                        struct fault *f);

#endif
