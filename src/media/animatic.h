/* media/animatic: the painter of title cards: a clip without any model.
 *
 * The prompt as set type over a moving background in the style's colours, labelled ANIMATIC in the
 * picture. Frames are a pure function of the spec, the fonts, and the frame's number. An animatic
 * belongs to one thread at a time. */
#ifndef SAKUGA_MEDIA_ANIMATIC_H
#define SAKUGA_MEDIA_ANIMATIC_H

#include "base/err.h"

#include <stdint.h>

struct animatic_spec {
    const char *prompt; /* valid UTF-8 */
    const char *viewer, *style, *label;
    const uint32_t *palette; /* 0xRRGGBB; none: one is chosen by seed */
    int palette_n;
    uint64_t seed;
    int width, height; /* pixels */
    int frames, fps;
};

struct animatic;

/* Copies what it needs. NULL with `f`. Characters that no font has are named in the log. */
struct animatic *animatic_new(const struct animatic_spec *spec, struct fault *f);

/* Paints frame `i` (0..frames-1) into rgb[height][width][3]. */
void animatic_draw(struct animatic *a, int i, uint8_t *rgb);

/* The motifs in the picture, "stars, city, rain". */
const char *animatic_motifs(const struct animatic *a);

void animatic_free(struct animatic *a);

/* Loads the fonts, so that the first job does not wait for them. */
void animatic_warm(void);

#endif
