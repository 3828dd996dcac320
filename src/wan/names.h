/* wan/names: one set of tensor names for the three layouts in the wild (spec 2.3 to 2.6).
 *
 * The names of the original release are the canonical ones. Each function writes the canonical form
 * of `name` to out[n]; what is canonical already, or unknown, comes out unchanged. Pure. */
#ifndef SAKUGA_WAN_NAMES_H
#define SAKUGA_WAN_NAMES_H

#include "wan/weights.h"

#include <stddef.h>

void names_dit(const char *name, char *out, size_t n);
void names_t5(const char *name, char *out, size_t n);
void names_vae(const char *name, char *out, size_t n);
void names_clip(const char *name, char *out, size_t n);
void names_as_they_are(const char *name, char *out, size_t n);

/* Renames all tensors of an opened network. Of two that become one (umT5's tied embedding) the
 * later goes. */
enum err names_apply(struct weights *w, void (*map)(const char *name, char *out, size_t n),
                     struct fault *f);

#endif
