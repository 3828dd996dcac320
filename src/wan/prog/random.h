/* wan-bench: networks of the true shapes with random weights, made in memory.
 *
 * All tensors of a network share one block of random bfloat16 numbers: the shapes and the work are
 * real, the memory of a checkpoint is not needed. */
#ifndef SAKUGA_WAN_PROG_RANDOM_H
#define SAKUGA_WAN_PROG_RANDOM_H

#include "wan/weights.h"

struct random_model {
    const char *name;
    int64_t dim, ffn, text_dim;
    int layers, heads;
    int64_t t5_ffn, t5_vocab;
    int t5_layers, t5_heads;
    int vae_dim;
};

/* "wan2.1-t2v-1.3b", "wan2.1-t2v-14b", "tiny"; NULL when there is none of that name */
const struct random_model *random_model(const char *name);

/* NULL: out of memory. `layers` replaces the model's number when it is not 0. */
struct weights *random_dit(const struct random_model *m, int layers);
struct weights *random_t5(const struct random_model *m);
struct weights *random_vae(const struct random_model *m);

#endif
