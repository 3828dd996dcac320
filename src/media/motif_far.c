/* Clouds and mountains: the far distance. */
#include "media/motif.h"

#include <math.h>
#include <stdlib.h>

#define BANKS 3

struct clouds {
    cairo_surface_t *bank[BANKS]; /* far to near; each wraps around at its width */
    double y[BANKS], speed[BANKS];
};

/* One heap of cloud: a flat foot and a crown of discs, lit from above. */
static void heap(const struct scene *s, struct rng *r, cairo_t *cr, double x, double y, double size,
                 struct rgb top, struct rgb foot)
{
    int n = 9 + rng_int(r, 6);
    cairo_push_group(cr);
    for (int i = 0; i < n; i++) {
        double u = (i + 0.5) / n * 2 - 1;
        double crown = (1 - u * u) * size * 0.55;
        double puff = size * rng_range(r, 0.16, 0.3) * (1.1 - fabs(u) * 0.55);
        cairo_new_sub_path(cr);
        cairo_arc(cr, x + u * size, y - rng_unit(r) * crown - puff * 0.4, puff, 0, 2 * M_PI);
        cairo_new_sub_path(cr);
        cairo_arc(cr, x + u * size * 0.9, y - puff * 0.5, puff * 0.9, 0, 2 * M_PI);
    }
    cairo_pattern_t *p = cairo_pattern_create_linear(0, y - size * 0.85, 0, y + size * 0.08);
    cairo_pattern_add_color_stop_rgba(p, 0, top.r, top.g, top.b, 1);
    cairo_pattern_add_color_stop_rgba(p, 0.5, (top.r + foot.r) / 2, (top.g + foot.g) / 2,
                                      (top.b + foot.b) / 2, 0.95);
    cairo_pattern_add_color_stop_rgba(p, 0.95, foot.r, foot.g, foot.b, 0.5);
    cairo_pattern_add_color_stop_rgba(p, 1, foot.r, foot.g, foot.b, 0);
    cairo_set_source(cr, p);
    cairo_fill(cr);
    cairo_pattern_destroy(p);
    cairo_pop_group_to_source(cr);
    cairo_paint_with_alpha(cr, 0.92);
    (void)s;
}

static void *clouds_make(const struct scene *s, struct rng *r)
{
    cairo_t *cr;
    struct clouds *v = calloc(1, sizeof *v);
    if (!v)
        return NULL;
    for (int b = 0; b < BANKS; b++) {
        double near = (b + 1.0) / BANKS, size = (40 + 60 * near) * s->k;
        int w = (int)(s->w * 1.35), h = (int)(size * 1.3);
        struct rgb top = scene_mix(s->sky_low, s->light, 0.35 + 0.5 * near);
        struct rgb foot = scene_mix(s->sky_mid, s->sky_low, 0.5 - 0.3 * near);
        if (s->mood == SCENE_NIGHT) {
            top = scene_mix(s->sky_low, s->light, 0.1 + 0.15 * near);
            foot = scene_mix(s->sky_top, s->sky_mid, 0.7);
        }
        v->bank[b] = scene_layer(w, h, &cr);
        int n = 5 - b;
        for (int i = 0; i < n; i++) {
            double margin = size * 1.35;
            double x = margin + (w - 2 * margin) * (i + rng_range(r, 0.1, 0.9)) / n;
            heap(s, r, cr, x, h - 2, size * rng_range(r, 0.6, 1), top, foot);
        }
        cairo_destroy(cr);
        v->y[b] = s->horizon * (0.86 - 0.3 * near) - h * 0.5 + rng_range(r, -14, 14) * s->k;
        v->speed[b] = (6 + 20 * near * near) * s->k;
    }
    return v;
}

static void clouds_paint(const void *state, const struct scene *s, cairo_t *cr, double t)
{
    const struct clouds *v = state;
    for (int b = 0; b < BANKS; b++) {
        int w = cairo_image_surface_get_width(v->bank[b]);
        double x = -scene_wrap(v->speed[b] * (t + 1) + scene_travel(s, t) * 10 * s->k, w);
        scene_show(cr, v->bank[b], x, v->y[b], 1);
        if (x + w < s->w)
            scene_show(cr, v->bank[b], x + w, v->y[b], 1);
    }
}

static void clouds_drop(void *state)
{
    struct clouds *v = state;
    for (int b = 0; b < BANKS; b++)
        cairo_surface_destroy(v->bank[b]);
    free(v);
}

const struct motif motif_clouds = {
    "clouds",
    MOTIF_FAR,
    3,
    "cloud clouds cloudy sky skies heaven angel bird birds flying fly wind "
    "airship plane dream summer 雲 空 天 風 鳥 天使 夏 하늘",
    clouds_make,
    clouds_paint,
    clouds_drop};

/* ---- mountains ---- */

#define RIDGES 3

struct mountains {
    cairo_surface_t *ridge[RIDGES];
    double y[RIDGES], travel[RIDGES];
};

/* Mid-point displacement: heights 0..1 of n+1 points, n a power of two. */
static void ridge_line(struct rng *r, double *y, int n, double rough)
{
    y[0] = rng_range(r, 0.2, 0.6);
    y[n] = rng_range(r, 0.2, 0.6);
    double amp = 0.5;
    for (int step = n; step > 1; step /= 2, amp *= rough)
        for (int i = step / 2; i < n; i += step)
            y[i] = (y[i - step / 2] + y[i + step / 2]) / 2 + (rng_unit(r) - 0.42) * amp;
}

static void ridge(const struct scene *s, struct rng *r, cairo_t *cr, int w, int h, double near)
{
    enum { POINTS = 128 };
    double y[POINTS + 1];
    struct rgb body = scene_mix(s->sky_low, s->deep, 0.25 + 0.5 * near);
    struct rgb haze = scene_mix(body, s->sky_low, 0.75);
    ridge_line(r, y, POINTS, 0.5);
    cairo_move_to(cr, 0, h);
    for (int i = 0; i <= POINTS; i++)
        cairo_line_to(cr, (double)i * w / POINTS, h * (0.75 - 0.62 * y[i]));
    cairo_line_to(cr, w, h);
    cairo_close_path(cr);
    cairo_pattern_t *p = cairo_pattern_create_linear(0, h * 0.1, 0, h);
    cairo_pattern_add_color_stop_rgb(p, 0, body.r, body.g, body.b);
    cairo_pattern_add_color_stop_rgb(p, 1, haze.r, haze.g, haze.b);
    cairo_set_source(cr, p);
    cairo_fill_preserve(cr);
    cairo_pattern_destroy(p);
    if (near < 0.8) { /* snow on the far peaks: the ridge again, cut by height */
        cairo_save(cr);
        cairo_clip(cr);
        scene_ink(cr, scene_mix(s->light, s->sky_low, 0.35), 0.75);
        for (int i = 0; i < POINTS; i++) {
            double x = (double)i * w / POINTS, step = (double)w / POINTS;
            double deep = (y[i] - 0.62) * h * 0.5;
            if (deep > 0) {
                cairo_move_to(cr, x - step, h * (0.75 - 0.62 * y[i]) - 4);
                cairo_line_to(cr, x + step * 2, h * (0.75 - 0.62 * y[i]) - 4);
                cairo_line_to(cr, x + step * rng_range(r, 0.2, 0.8),
                              h * (0.75 - 0.62 * y[i]) + deep * rng_range(r, 0.5, 1.5));
                cairo_close_path(cr);
            }
        }
        cairo_fill(cr);
        cairo_restore(cr);
    }
    cairo_new_path(cr);
}

static void *mountains_make(const struct scene *s, struct rng *r)
{
    cairo_t *cr;
    struct mountains *v = calloc(1, sizeof *v);
    if (!v)
        return NULL;
    for (int i = 0; i < RIDGES; i++) {
        double near = (double)i / (RIDGES - 1);
        v->travel[i] = (10 + 34 * near) * s->k;
        int w = s->w + (int)(v->travel[i]) + 2, h = (int)((210 - 70 * near) * s->k);
        v->ridge[i] = scene_layer(w, h, &cr);
        ridge(s, r, cr, w, h, near);
        cairo_destroy(cr);
        v->y[i] = s->horizon - h + (8 + 26 * near) * s->k;
    }
    return v;
}

static void mountains_paint(const void *state, const struct scene *s, cairo_t *cr, double t)
{
    const struct mountains *v = state;
    for (int i = 0; i < RIDGES; i++)
        scene_show(cr, v->ridge[i], -scene_travel(s, t) * v->travel[i], v->y[i], 1);
}

static void mountains_drop(void *state)
{
    struct mountains *v = state;
    for (int i = 0; i < RIDGES; i++)
        cairo_surface_destroy(v->ridge[i]);
    free(v);
}

const struct motif motif_mountains = {
    "mountains",
    MOTIF_FAR,
    2,
    "mountain mountains hill peak volcano fuji snow valley dragon castle "
    "kingdom journey quest temple shrine 山 富士 火山 谷 雪 竜 龍 城 旅 "
    "神社 산",
    mountains_make,
    mountains_paint,
    mountains_drop};
