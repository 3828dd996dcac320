/* wan/manifest: what each network must hold, asked of names and shapes alone (spec 2.3 to 2.6, 6).
 *
 * A network is checked whole before any number of it is read: a tensor that is missing, misshapen
 * or, in the VAE, one too many is told by name, with its file. The loaders call these, so what
 * opens has the layers and widths that the code behind it takes for granted. A shape fits when it
 * is the same but for axes of length 1 at its ends, as the published files differ in them. Costs a
 * search by name for each tensor: a millisecond. Any thread. */
#ifndef SAKUGA_WAN_MANIFEST_H
#define SAKUGA_WAN_MANIFEST_H

#include "wan/clip.h"
#include "wan/dit.h"
#include "wan/t5.h"

/* NOTFOUND: a tensor is missing; CORRUPT: it has another shape, or has no place. */
enum err manifest_dit(const struct weights *w, const struct dit_config *c, struct fault *f);
enum err manifest_t5(const struct t5 *t, struct fault *f);
enum err manifest_clip(const struct clip_vision *c, struct fault *f);
/* `halves` of vae.h: the ones that will be used. */
enum err manifest_vae(const struct weights *w, unsigned halves, struct fault *f);
enum err manifest_tae(const struct weights *w, struct fault *f); /* the tiny decoder */

/* A file without its last layers is whole in all else. CORRUPT: `w` is as wide as a published
 * network of that kind (spec 2.1, 2.5, 2.6), which has another number of layers. */
enum manifest_kind { MANIFEST_DIT, MANIFEST_T5, MANIFEST_CLIP };
enum err manifest_depth(const struct weights *w, enum manifest_kind kind, int64_t width, int layers,
                        struct fault *f);

#endif
