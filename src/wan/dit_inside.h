/* wan/dit_inside: the struct behind wan/dit.h, for dit*.c only. */
#ifndef SAKUGA_WAN_DIT_INSIDE_H
#define SAKUGA_WAN_DIT_INSIDE_H

#include "wan/dit.h"

struct dit_attention {
    struct weight *q, *k, *v, *o;
    struct weight *qkv;           /* of which q, k and v are the rows, or NULL */
    struct tensor norm_q, norm_k; /* [dim] */
};

struct dit_block {
    struct dit_attention self, cross;
    struct weight *k_img, *v_img; /* image models only */
    struct tensor norm_k_img;
    struct weight *up, *down;
    struct tensor modulation;      /* [6·dim] */
    struct tensor norm3, norm3b;   /* [dim]: weight and bias of the norm before cross-attention */
    struct weight *before, *after; /* VACE blocks only; before: block 0 only */
    bool loaded;
};

/* A table of rotary angles, kept from pass to pass. */
struct dit_angles {
    struct tensor table; /* [tokens, head/2, 2] of the grid below */
    int grid[4];         /* first frame, frames, rows, columns */
};

/* What a pass is given and what it gives, on the device. */
struct dit_feed {
    struct tensor x;     /* [16, frames, height, width]: latents */
    struct tensor sinus; /* [1, freq_dim], of the timestep */
    struct tensor v;     /* [out, frames, height, width] */
};

struct dit {
    struct device *dev;
    const struct weights *weights;
    const struct patcher *patch;
    struct dit_config c;
    enum dit_place place;
    struct shelf *shelf; /* of parked blocks. Part i: what a pass needs of block i; part n + i, of n
                          * blocks: its keys and values of a prompt */
    struct weight *patch_embedding, *vace_embedding, *ref_conv;
    struct weight *text0, *text2, *time0, *time2, *time_projection, *head;
    struct tensor head_modulation; /* [2·dim] */
    struct weight *img1, *img3;
    struct tensor img_norm0, img_norm0b, img_norm4, img_norm4b, img_pos;
    struct dit_block *blocks; /* [layers + vace]: the VACE blocks come last */
    struct dit_angles rope;
    uint64_t prompts; /* made so far */
    uint64_t changes; /* of its weights, since it was opened */
};

struct dit_prompt {
    struct dit *dit;
    struct tensor k[2 * DIT_LAYERS_MAX], v[2 * DIT_LAYERS_MAX];         /* [n or n + 1, dim] */
    struct tensor k_img[2 * DIT_LAYERS_MAX], v_img[2 * DIT_LAYERS_MAX]; /* [clip_n, dim] */
    double repeats;  /* how many equal pad rows the last row stands for */
    uint64_t number; /* no other of this dit has had it */
};

/* A pass that comes again (dit_again.c): that at a place of the cache, for a prompt. */
struct dit_passage {
    struct track *track; /* or NULL: none yet */
    int frame;           /* of the cache */
    uint64_t prompt, changes, used;
};

struct dit_cache {
    int layers;
    int64_t tokens;
    struct tensor k[DIT_LAYERS_MAX], v[DIT_LAYERS_MAX]; /* [tokens, dim] */
    /* of passes over it, which find these where they were */
    int shape[3]; /* frames, height, width */
    struct dit_feed feed;
    struct dit_angles rope;
    struct dit_passage *passage; /* of this shape */
    int passages;
    uint64_t clock;
};

/* dit_again.c. A cache gets ready for passes of this shape: what it had for another goes. */
void dit_cache_enter(struct dit_cache *c, const struct dit_input *in);
/* The track of this pass; NULL: it is none that comes again, or nothing is recorded here. */
struct track *dit_cache_track(struct dit *d, const struct dit_input *in, int64_t tokens);
void dit_cache_forget(struct dit_cache *c); /* its tracks */
void dit_feed_free(struct dit_feed *f);

/* The block's weights, loaded if they are not there; NULL with `f`. */
struct dit_block *dit_block_take(struct dit *d, int i, struct fault *f);
/* Gives them back when they lie in files. */
void dit_block_drop(struct dit *d, int i);

static inline void dit_linear(struct device *dev, const struct tensor *y, const struct tensor *x,
                              const struct weight *w, enum act act)
{
    device_linear(dev, &(struct linear_op){.x = x, .w = w, .y = y, .act = act});
}

static inline void dit_rms(struct device *dev, const struct tensor *x, const struct tensor *w)
{
    device_norm(dev,
                &(struct norm_op){.kind = NORM_RMS, .x = x, .y = x, .weight = w, .eps = 1e-6f});
}

#endif
