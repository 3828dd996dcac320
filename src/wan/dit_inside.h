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
    struct tensor rope;       /* [tokens, head/2, 2] of the grid below */
    int rope_of[4];           /* first frame, frames, rows, columns */
};

struct dit_prompt {
    struct dit *dit;
    struct tensor k[2 * DIT_LAYERS_MAX], v[2 * DIT_LAYERS_MAX];         /* [n or n + 1, dim] */
    struct tensor k_img[2 * DIT_LAYERS_MAX], v_img[2 * DIT_LAYERS_MAX]; /* [clip_n, dim] */
    double repeats; /* how many equal pad rows the last row stands for */
};

struct dit_cache {
    int layers;
    int64_t tokens;
    struct tensor k[DIT_LAYERS_MAX], v[DIT_LAYERS_MAX]; /* [tokens, dim] */
};

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
