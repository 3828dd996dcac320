/* wan/vae_tile: decoding in overlapping tiles, for memory's sake (spec 6.6).
 *
 * Each tile is decoded through all frames by a stream of its own, one tile at a time, so that the
 * device holds one tile's histories and never those of the whole picture. Where tiles overlap, one
 * fades into the next. The result differs a little from that of the whole: the attention in the
 * middle and the reach of the convolutions end at a tile's edge. */
#ifndef SAKUGA_WAN_VAE_TILE_H
#define SAKUGA_WAN_VAE_TILE_H

#include "wan/vae.h"

#include <stdbool.h>

/* Latent cells. Tiles begin every `stride` cells and are `size` long; size − stride overlap. */
struct vae_tile {
    int size, stride; /* 32 and 24, as diffusers has it: what 0 and 0 mean */
};

struct vae_tile_calls {
    bool (*stop)(void *user); /* asked before every chunk; true: CANCELLED. NULL: never */
    void (*done)(void *user, int tiles, int of); /* after each tile. NULL */
    void *user;
};

/* z [16, frames, height, width] → out [4·frames − 3, 8·height, 8·width, 3], not clamped. INVAL: a
 * stride that is not in 1 … size. `calls` may be NULL. */
enum err vae_decode_tiled(struct vae *v, const float *z, int frames, int height, int width,
                          struct vae_tile tile, const struct vae_tile_calls *calls, float *out,
                          struct fault *f);

#endif
