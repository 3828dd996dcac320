/* Clouds and mountains: the far distance. */
#include "media/motif.h"

#include <math.h>
#include <stdlib.h>

#define BANKS 3

struct clouds {
    cairo_surface_t *bank[BANKS]; /* far to near; each wraps around at its width */
    double y[BANKS], speed[BANKS];
};

/* One heap of cloud: a flat foot and a crown of discs, painted twice: the body in shade, then the
 * same a little smaller and higher in light. */
static void heap(struct rng *r, cairo_t *cr, double x, double y, double size, struct rgb top,
                 struct rgb foot)
{
    struct {
        double x, y, r;
    } puff[24];
    int n = 14 + rng_int(r, 10);
    for (int i = 0; i < n; i++) {
        double u = rng_range(r, -1, 1), crown = (1 - u * u) * size * 0.6;
        puff[i].r = size * rng_range(r, 0.15, 0.32) * (1.15 - fabs(u) * 0.6);
        puff[i].x = x + u * size;
        puff[i].y = y - puff[i].r * 0.6 - rng_unit(r) * crown;
    }
    for (int pass = 0; pass < 2; pass++) {
        cairo_pattern_t *p = cairo_pattern_create_linear(0, y - size * 0.95, 0, y);
        struct rgb c = pass ? top : scene_mix(top, foot, 0.55);
        cairo_pattern_add_color_stop_rgba(p, 0, c.r, c.g, c.b, 1);
        cairo_pattern_add_color_stop_rgba(p, 0.55, c.r, c.g, c.b, pass ? 0.75 : 1);
        cairo_pattern_add_color_stop_rgba(p, 1, foot.r, foot.g, foot.b, pass ? 0 : 0.25);
        cairo_set_source(cr, p);
        cairo_rectangle(cr, x - size * 1.5, y - size * 1.4, size * 3, size * 1.4);
        cairo_save(cr);
        cairo_clip(cr); /* the foot is flat */
        for (int i = 0; i < n; i++) {
            cairo_new_sub_path(cr);
            cairo_arc(cr, puff[i].x, puff[i].y - (pass ? puff[i].r * 0.12 : 0),
                      puff[i].r * (pass ? 0.84 : 1), 0, 2 * M_PI);
        }
        cairo_fill(cr);
        cairo_restore(cr);
        cairo_pattern_destroy(p);
    }
}

static void *clouds_make(const struct scene *s, struct rng *r)
{
    cairo_t *cr;
    struct clouds *v = calloc(1, sizeof *v);
    if (!v)
        return NULL;
    for (int b = 0; b < BANKS; b++) {
        double near = (b + 1.0) / BANKS, size = (46 + 74 * near) * s->k;
        int w = (int)(s->w * 1.35), h = (int)(size * 1.3);
        struct rgb top = scene_mix(s->sky_low, s->light, 0.35 + 0.5 * near);
        struct rgb foot = scene_mix(s->sky_mid, s->sky_low, 0.5 - 0.3 * near);
        if (s->mood == SCENE_NIGHT) {
            top = scene_mix(s->sky_low, s->light, 0.18 + 0.2 * near);
            foot = scene_mix(s->sky_mid, s->sky_low, 0.65);
        }
        v->bank[b] = scene_layer(w, h, &cr);
        int n = 5 - b;
        for (int i = 0; i < n; i++) {
            double margin = size * 1.35;
            double x = margin + (w - 2 * margin) * (i + rng_range(r, 0.1, 0.9)) / n;
            heap(r, cr, x, h - 2, size * rng_range(r, 0.6, 1), top, foot);
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

/* Heights 0..1 of n+1 points, n a power of two: a few peaks with straight flanks, roughened by
 * mid-point displacement. */
static void ridge_line(struct rng *r, double *y, int n, double rough)
{
    double noise[257] = {0}, amp = 0.16;
    int peaks = 3 + rng_int(r, 3);
    noise[0] = noise[n] = 0;
    for (int step = n; step > 1; step /= 2, amp *= rough)
        for (int i = step / 2; i < n; i += step)
            noise[i] = (noise[i - step / 2] + noise[i + step / 2]) / 2 + (rng_unit(r) - 0.5) * amp;
    for (int i = 0; i <= n; i++)
        y[i] = 0.12 + noise[i];
    for (int p = 0; p < peaks; p++) {
        double at = (p + rng_range(r, 0.15, 0.85)) / peaks * n, tall = rng_range(r, 0.5, 1);
        double left = rng_range(r, 2.6, 4.6) / n, right = rng_range(r, 2.6, 4.6) / n;
        for (int i = 0; i <= n; i++) {
            double d = i - at, h = tall - fabs(d) * (d < 0 ? left : right) + noise[i] * 0.7;
            y[i] = h > y[i] ? h : y[i];
        }
    }
}

static void ridge(const struct scene *s, struct rng *r, cairo_t *cr, int w, int h, double near)
{
    enum { POINTS = 256 };
    double y[POINTS + 1];
    struct rgb body =
        scene_mix(s->sky_low, scene_mix(s->mid, s->deep, 0.3 + 0.7 * near), 0.45 + 0.45 * near);
    struct rgb haze = scene_mix(body, s->sky_low, 0.75);
    ridge_line(r, y, POINTS, 0.6);
    cairo_move_to(cr, 0, h);
    for (int i = 0; i <= POINTS; i++)
        cairo_line_to(cr, (double)i * w / POINTS, h * (0.86 - 0.8 * y[i]));
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
        scene_ink(cr, scene_mix(s->light, s->sky_low, 0.3), 0.82);
        double line = h * (0.86 - 0.8 * 0.52); /* snow lies above this, in tongues */
        cairo_move_to(cr, 0, 0);
        cairo_line_to(cr, 0, line);
        for (double x = 0; x < w; x += rng_range(r, 7, 17) * s->k)
            cairo_line_to(cr, x, line + rng_range(r, -16, 18) * s->k);
        cairo_line_to(cr, w, line);
        cairo_line_to(cr, w, 0);
        cairo_close_path(cr);
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
        int w = s->w + (int)(v->travel[i]) + 2, h = (int)((270 - 110 * near) * s->k);
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
