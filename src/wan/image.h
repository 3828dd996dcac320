/* wan/image: a picture as a condition (spec 5): resizing, CLIP's input, and the 20 channels y.
 *
 * Pictures are f32 [height, width, 3] in −1…1, in host memory. Any thread but where a vae works. */
#ifndef SAKUGA_WAN_IMAGE_H
#define SAKUGA_WAN_IMAGE_H

#include "wan/vae.h"

#define IMAGE_MASK 4                 /* mask channels before the latents in y */
#define IMAGE_Y (IMAGE_MASK + VAE_Z) /* channels of y */

struct image {
    const float *pixels;
    int height, width;
};

/* Bicubic as torch does it: align_corners false, a = −0.75, no antialiasing, no clamping. */
enum err image_resize(const struct image *from, int height, int width, float *out, struct fault *f);

/* The same, bilinear. */
enum err image_resize_linear(const struct image *from, int height, int width, float *out,
                             struct fault *f);

/* Cuts `pixels` [height, width, 3] to the middle part that has the shape of `like`, in place, and
 * changes the lengths: scaled to cover `like`, nothing more would be seen of it. */
void image_crop(float *pixels, int *height, int *width, const struct image *like);

/* out [size, size, 3]: resized regardless of aspect, then CLIP's mean and deviation. */
enum err image_clip_input(const struct image *from, int size, float *out, struct fault *f);

/* y [20, frames, height, width] for a latent of that size: the mask of given frames, then the
 * latents of a video that shows `first` (and `last`, or NULL) and grey elsewhere, encoded a latent
 * frame at a time. `vae` needs its encoder; `stop` (NULL: never) is asked before each. */
enum err image_condition(struct vae *vae, const struct image *first, const struct image *last,
                         int frames, int height, int width, const struct stopper *stop, float *y,
                         struct fault *f);

#endif
