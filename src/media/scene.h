/* media/scene: what every motif of the animatic paints with: size, colours, random numbers, time.
 *
 * For files of media/ only. Lengths are given for a picture 480 high and multiplied by `k`. Random
 * numbers are drawn while a motif is made, never while it paints, so that a frame depends on its
 * time alone. */
#ifndef SAKUGA_MEDIA_SCENE_H
#define SAKUGA_MEDIA_SCENE_H

#include <cairo.h>
#include <stdbool.h>
#include <stdint.h>

struct rgb {
    double r, g, b; /* 0..1 */
};

enum scene_mood { SCENE_NIGHT, SCENE_DUSK, SCENE_DAY, SCENE_MOODS };

struct scene {
    int w, h;       /* pixels */
    double k;       /* h / 480 */
    double seconds; /* length of the clip */
    enum scene_mood mood;
    double horizon; /* y of the ground's far edge, pixels */
    /* The palette by role. */
    struct rgb deep, mid, accent, light;
    /* The sky from top to horizon. */
    struct rgb sky_top, sky_mid, sky_low;
};

struct rng {
    uint64_t s;
};
uint64_t rng_next(struct rng *r);
double rng_unit(struct rng *r); /* 0 <= x < 1 */
double rng_range(struct rng *r, double from, double to);
int rng_int(struct rng *r, int n); /* 0..n-1 */

struct rgb scene_mix(struct rgb a, struct rgb b, double t); /* t=0: a */
struct rgb scene_shade(struct rgb c, double f);             /* f<1 darker, f>1 lighter */
double scene_luma(struct rgb c);
void scene_ink(cairo_t *cr, struct rgb c, double alpha);

double scene_smooth(double x);            /* 0..1 with soft ends, clamped */
double scene_wrap(double x, double span); /* into 0..span */

/* How far the camera has gone at `t`, 0..1, with soft ends that never quite stand still. */
double scene_travel(const struct scene *s, double t);

/* A transparent layer to paint in once and show often; `cr` is destroyed by the caller. */
cairo_surface_t *scene_layer(int w, int h, cairo_t **cr);
/* Shows a layer with its corner at x, y, between pixels too. */
void scene_show(cairo_t *cr, cairo_surface_t *layer, double x, double y, double alpha);

/* A soft light: a disc that fades to nothing at radius r. */
void scene_glow(cairo_t *cr, double x, double y, double r, struct rgb c, double alpha);

/* Chooses roles and sky for a palette. */
void scene_colours(struct scene *s, const uint32_t *palette, int n);

#endif
