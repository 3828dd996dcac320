/* media/card: the type on an animatic: the prompt as a title, and the small print.
 *
 * For files of media/ only. Made once for a clip. */
#ifndef SAKUGA_MEDIA_CARD_H
#define SAKUGA_MEDIA_CARD_H

#include "base/err.h"
#include "media/animatic.h"
#include "media/scene.h"

struct card;

struct card *card_new(const struct animatic_spec *spec, const struct scene *s, struct fault *f);
void card_paint(const struct card *c, const struct scene *s, cairo_t *cr, double t);
void card_free(struct card *c);

/* Loads the fonts. */
void card_warm(void);

#endif
