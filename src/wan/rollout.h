/* wan/rollout: a causal model's video, block by block, without an end (spec 13: Self-Forcing,
 * CausVid).
 *
 * A block of a few latent frames is denoised in a few steps while it sees the keys and values of
 * what came before; then once more at t = 0, so that what it leaves behind for the next blocks is
 * that of clean frames. The prompt may change between blocks. Frames of a block can be decoded (one
 * vae_stream, in order) and shown while the next one is made: the ground for a live mode.
 *
 * The past is bounded: `window` latent frames. When it is full the oldest go, but for the first
 * `sink` frames. Keys keep the rotary angle of the moment they were made at; time counts on.
 * One thread; a rollout goes before its dit. */
#ifndef SAKUGA_WAN_ROLLOUT_H
#define SAKUGA_WAN_ROLLOUT_H

#include "wan/dit.h"
#include "wan/sampler.h"

#define ROLLOUT_WINDOW 21 /* latent frames, as the models were trained with */

struct rollout;

struct rollout_setup {
    struct dit *dit;
    const struct schedule *schedule; /* of the steps of a block; copied */
    int height, width;               /* of the latent, even */
    int block;                       /* latent frames made at once: 3, or 7 for some CausVid */
    int window, sink;                /* window 0: ROLLOUT_WINDOW */
    const struct stopper *stop;      /* or NULL; asked before each block of a new prompt */
};

/* INVAL: a window that is smaller than sink and one block, or a model that takes images. */
enum err rollout_open(const struct rollout_setup *setup, struct rollout **out, struct fault *f);
void rollout_free(struct rollout *r); /* NULL is fine */

/* What the blocks from here on are of: context [n, text_dim]. What was shown stays in sight. */
enum err rollout_prompt(struct rollout *r, const float *context, int64_t n, struct fault *f);

/* Begins with a picture: `latent` [16, 1, height, width] is frame 0. Before the first block, after
 * the first prompt. */
enum err rollout_image(struct rollout *r, const float *latent, struct fault *f);

struct rollout_block {
    float *latent; /* [16, block, height, width]: noise in, the block's latents out */
    /* Noise for step `step` (1, 2, …) of this block, as many numbers. On a device that works by
     * itself it comes on another thread while the pass before that step runs; one at a time. */
    void (*fresh)(void *user, int step, float *out, int64_t n);
    /* Asked before every layer, or before every pass where a pass is recorded and played as a
     * whole (dit_input.stop); true: CANCELLED. NULL: never */
    bool (*stop)(void *user);
    bool (*shared)(void *user); /* do others want the device? Asked before a pass; NULL: nobody */
    /* After each step: its velocity and what it takes for the end. For previews and tests; NULL */
    void (*seen)(void *user, int step, const float *v, const float *x0);
    void *user;
};

/* Makes the next block. After a failure (CANCELLED too) the rollout stands where it stood before,
 * and `latent` holds nothing of use: the block can be made again. */
enum err rollout_next(struct rollout *r, const struct rollout_block *b, struct fault *f);

/* Takes in a block that was made before, from the latents that it became: the pass at t = 0 alone,
 * after which the rollout stands, bit for bit, where rollout_next() left it then, if the blocks
 * before it and their prompts are the same. `latent` is read; fresh() and seen() are not asked. */
enum err rollout_again(struct rollout *r, const struct rollout_block *b, struct fault *f);

int rollout_frames(const struct rollout *r); /* latent frames made so far, the image's too */
const struct dit_cache *rollout_cache(const struct rollout *r);

#endif
