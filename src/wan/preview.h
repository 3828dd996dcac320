/* wan/preview: what a latent looks like, by one small matrix (spec 11.1). Pure. */
#ifndef SAKUGA_WAN_PREVIEW_H
#define SAKUGA_WAN_PREVIEW_H

#include <stdint.h>

/* z [16, frames, height, width], normalised → rgb [frames][height][width][3]. `threads` share it
 * where it is large. */
void preview_rgb(const float *z, int frames, int height, int width, uint8_t *rgb, int threads);

/* −1…1 → 0…255, rounded; NaN is 0. */
static inline uint8_t preview_byte(float v)
{
    float x = (v + 1) * 127.5f;
    return x > 0 ? x < 255 ? (uint8_t)(x + 0.5f) : 255 : 0;
}

#endif
