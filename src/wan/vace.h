/* wan/vace: what a VACE model is shown beside the noise (spec 14).
 *
 * The context has 96 channels. A source video is split by its mask: 16 are the latents of what
 * stays (grey where something is to be made), 16 those of what is to be made anew (grey elsewhere),
 * 64 are the mask, each pixel of an 8x8 cell a channel. References come before the clip's first
 * frame, each as a frame of its own, whose mask says that it stays. One thread. */
#ifndef SAKUGA_WAN_VACE_H
#define SAKUGA_WAN_VACE_H

#include "wan/image.h"

#define VACE_MASK (VAE_SPACE * VAE_SPACE)
#define VACE_IN (2 * VAE_Z + VACE_MASK)

struct vace_source {
    /* [video_n][8·height][8·width][3]; NULL and 0: none. What is behind its end is to be made */
    const uint8_t *video;
    int video_n;
    /* [mask_n][8·height][8·width]: 128 and more: to be made. mask_n 1: for all frames, else
     * video_n; NULL: all is */
    const uint8_t *mask;
    int mask_n;
    const struct image *reference;
    int reference_n;
    int frames, height, width; /* of the clip's latent, without references */
    bool (*stop)(void *user);  /* asked before every piece; true: CANCELLED. NULL: never */
    void *user;
};

/* out [VACE_IN, reference_n + frames, height, width]. `vae` needs its encoder. */
enum err vace_context(struct vae *vae, const struct vace_source *s, float *out, struct fault *f);

/* A reference in the middle of a white picture [height][width][3], as large as it goes in. */
enum err vace_reference(const struct image *from, int height, int width, float *out,
                        struct fault *f);

#endif
