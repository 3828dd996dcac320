/* wan/peek: what a latent looks like, by the tiny decoder: sharper than the small matrix of
 * wan/preview, for a device that has time for it. One thread, the device's. */
#ifndef SAKUGA_WAN_PEEK_H
#define SAKUGA_WAN_PEEK_H

#include "wan/tae.h"

#define PEEK_SHRINK 4 /* pixels of a picture, each way, for one of the peek */
#define PEEK_CELL 2   /* pixels of the peek for a latent cell, each way */

struct peek {
    struct device *dev;
    struct tae *tae;
    const float *z;            /* [16, frames, height, width], normalised, in host memory */
    int frames, height, width; /* of the latent */
    int from;                  /* the frames before are none of the clip's */
    bool (*stop)(void *user);  /* asked before every latent frame; true: ERR_CANCELLED */
    void *user;
};

/* One picture of each latent frame: rgb [frames − from][2·height][2·width][3]. */
enum err peek_rgb(const struct peek *p, uint8_t *rgb, struct fault *f);

#endif
