/* media/motif: the things a background is made of, one row each, one family a file.
 *
 * For files of media/ only. A motif is made once for a clip and painted for each frame; painting
 * depends on nothing but the time `t` in seconds. A picture has at most one motif of a slot; slots
 * are painted in order, from far to near. */
#ifndef SAKUGA_MEDIA_MOTIF_H
#define SAKUGA_MEDIA_MOTIF_H

#include "media/scene.h"

enum motif_slot {
    MOTIF_HEAVEN, /* stars, moon, sun */
    MOTIF_FAR,    /* clouds, mountains */
    MOTIF_GROUND, /* city, sea, hills, train */
    MOTIF_AIR,    /* petals, rain, snow, lights, speed lines */
    MOTIF_SLOTS
};

struct motif {
    const char *name;
    enum motif_slot slot;
    int weight;        /* how often chance takes it, when no word of the prompt does */
    const char *words; /* lower case, separated by blanks; what a prompt says to get it */
    void *(*make)(const struct scene *s, struct rng *r); /* NULL: out of memory */
    void (*paint)(const void *state, const struct scene *s, cairo_t *cr, double t);
    void (*drop)(void *state);
};

extern const struct motif motif_stars, motif_moon, motif_sun;
extern const struct motif motif_clouds, motif_mountains;
extern const struct motif motif_city, motif_sea, motif_hills, motif_train;
extern const struct motif motif_petals, motif_snow, motif_lights, motif_rain, motif_speed;

/* Fills one motif for each slot (NULL: nothing there) by the words of the prompt, else by chance.
 */
void motif_choose(const char *prompt, struct rng *r, const struct motif *out[MOTIF_SLOTS]);

/* The time of day that the prompt names, else one by chance. */
enum scene_mood motif_mood(const char *prompt, struct rng *r);

#endif
