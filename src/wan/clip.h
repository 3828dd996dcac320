/* wan/clip: the vision half of CLIP, a picture → tokens for image models (spec 5).
 *
 * The output is that of the last block but one, without the final norm. Weights are loaded a block
 * at a time and not kept. One thread. */
#ifndef SAKUGA_WAN_CLIP_H
#define SAKUGA_WAN_CLIP_H

#include "wan/load.h"

struct clip_vision {
    struct device *dev;
    const struct weights *weights; /* borrowed; canonical names */
    int64_t dim, hidden;
    int heads, layers;          /* layers that are run */
    int patch, size;            /* pixels */
    int64_t tokens;             /* of the output, with the class token */
    const struct stopper *stop; /* may be set: asked before each layer */
};

enum err clip_vision_open(struct device *dev, const struct weights *w, struct clip_vision *out,
                          struct fault *f);

/* input [size, size, 3] (image_clip_input) → out [tokens, dim] */
enum err clip_vision_encode(const struct clip_vision *c, const float *input, float *out,
                            struct fault *f);

#endif
