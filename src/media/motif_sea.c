/* The sea: bands of water that roll, glitter under the light, and the wake of the horizon. */
#include "media/motif.h"

#include <math.h>
#include <stdlib.h>

#define BANDS 7
#define GLINTS 90

struct glint {
    double x, y, w, phase, rate; /* y: 0 horizon .. 1 bottom */
};

struct sea {
    cairo_surface_t *water;
    double phase[BANDS];
    double light_x; /* where the light path lies */
    struct glint glints[GLINTS];
};

static void *sea_make(const struct scene *s, struct rng *r)
{
    cairo_t *cr;
    struct sea *v = calloc(1, sizeof *v);
    if (!v)
        return NULL;
    int h = s->h - (int)s->horizon + 2;
    v->water = scene_layer(s->w, h, &cr);
    struct rgb far = scene_mix(s->sky_low, s->mid, 0.35);
    struct rgb near = scene_shade(scene_mix(s->deep, s->mid, 0.25), 0.75);
    cairo_pattern_t *p = cairo_pattern_create_linear(0, 0, 0, h);
    cairo_pattern_add_color_stop_rgb(p, 0, far.r, far.g, far.b);
    cairo_pattern_add_color_stop_rgb(p, 0.35, (far.r + near.r * 2) / 3, (far.g + near.g * 2) / 3,
                                     (far.b + near.b * 2) / 3);
    cairo_pattern_add_color_stop_rgb(p, 1, near.r, near.g, near.b);
    cairo_set_source(cr, p);
    cairo_paint(cr);
    cairo_pattern_destroy(p);
    scene_ink(cr, s->light, 0.5);
    cairo_rectangle(cr, 0, 0, s->w, 1.4 * s->k);
    cairo_fill(cr);
    cairo_destroy(cr);
    for (int i = 0; i < BANDS; i++)
        v->phase[i] = rng_unit(r) * 6.28;
    v->light_x = rng_range(r, 0.3, 0.7) * s->w;
    for (int i = 0; i < GLINTS; i++) {
        double y = pow(rng_unit(r), 1.6);
        double spread = (rng_unit(r) + rng_unit(r) - 1) * (0.08 + 0.3 * y) * s->w;
        v->glints[i] =
            (struct glint){v->light_x + spread, y, rng_range(r, 6, 30) * s->k * (0.3 + y),
                           rng_unit(r) * 6.28, rng_range(r, 1.2, 3)};
    }
    return v;
}

static void sea_paint(const void *state, const struct scene *s, cairo_t *cr, double t)
{
    const struct sea *v = state;
    double deep = s->h - s->horizon;
    scene_show(cr, v->water, 0, (int)s->horizon, 1);
    for (int i = 0; i < BANDS; i++) {
        double near = pow((i + 1.0) / BANDS, 1.7), y0 = s->horizon + deep * near * 0.92;
        double amp = (1 + 6.5 * near) * s->k, len = (0.05 - 0.036 * near) / s->k;
        double thick = (1.2 + 13 * near) * s->k;
        cairo_move_to(cr, 0, y0 + thick);
        for (double x = 0; x <= s->w + 8; x += 10)
            cairo_line_to(cr, x,
                          y0 + amp * (sin(x * len + v->phase[i] + t * (1.1 + near)) +
                                      0.5 * sin(x * len * 2.3 - t * 1.4 + i)));
        for (double x = s->w + 8; x >= 0; x -= 10)
            cairo_line_to(cr, x, y0 + thick + amp * 0.6 * sin(x * len * 1.3 + i + t));
        cairo_close_path(cr);
        scene_ink(cr,
                  i % 2 ? scene_mix(s->mid, s->light, 0.5) : scene_mix(s->sky_low, s->light, 0.3),
                  0.10 + 0.07 * near);
        cairo_fill(cr);
    }
    cairo_set_line_cap(cr, CAIRO_LINE_CAP_ROUND);
    for (int i = 0; i < GLINTS; i++) {
        const struct glint *g = &v->glints[i];
        double a = sin(g->phase + t * g->rate);
        if (a <= 0.05)
            continue;
        double y = s->horizon + g->y * deep + 2;
        scene_ink(cr, scene_shade(s->light, 1.3), a * 0.75);
        cairo_set_line_width(cr, (0.8 + 1.6 * g->y) * s->k);
        cairo_move_to(cr, g->x - g->w * a * 0.5, y);
        cairo_line_to(cr, g->x + g->w * a * 0.5, y);
        cairo_stroke(cr);
    }
}

static void sea_drop(void *state)
{
    struct sea *v = state;
    cairo_surface_destroy(v->water);
    free(v);
}

const struct motif motif_sea = {
    "sea",
    MOTIF_GROUND,
    2,
    "sea ocean beach wave waves water lake river ship boat pirate whale "
    "shark fish mermaid island surf underwater 海 波 湖 川 船 海賊 鯨 魚 人魚 "
    "島 浜 바다",
    sea_make,
    sea_paint,
    sea_drop};
