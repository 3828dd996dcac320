/* Stars, moon, sun: what stands behind everything. */
#include "media/motif.h"

#include <math.h>
#include <stdlib.h>

#define STARS 150

struct star {
    double x, y, r, phase, rate, bright;
};

struct stars {
    cairo_surface_t *still;            /* the many small ones and the milky way */
    struct star lit[STARS / 3];        /* the few that twinkle */
    double shoot_at, shoot_x, shoot_y; /* a shooting star: seconds, pixels */
};

static void milky_way(const struct scene *s, struct rng *r, cairo_t *cr, int w)
{
    double tilt = rng_range(r, -0.45, 0.45);
    for (int i = 0; i < 70; i++) {
        double u = rng_unit(r), spread = rng_unit(r) + rng_unit(r) - 1;
        double x = u * w, y = s->h * 0.33 + (u - 0.5) * w * tilt + spread * 60 * s->k;
        scene_glow(cr, x, y, rng_range(r, 25, 80) * s->k,
                   scene_mix(s->accent, s->light, rng_unit(r)), 0.05);
    }
}

static void *stars_make(const struct scene *s, struct rng *r)
{
    cairo_t *cr;
    struct stars *v = calloc(1, sizeof *v);
    if (!v)
        return NULL;
    int w = s->w + (int)(40 * s->k);
    v->still = scene_layer(w, (int)s->horizon + 1, &cr);
    milky_way(s, r, cr, w);
    double strength = s->mood == SCENE_NIGHT ? 1 : s->mood == SCENE_DUSK ? 0.7 : 0.4;
    for (int i = 0; i < STARS * 3; i++) {
        double x = rng_unit(r) * w, y = pow(rng_unit(r), 1.4) * s->horizon;
        double size = (0.35 + pow(rng_unit(r), 5) * 1.3) * s->k;
        scene_ink(cr, scene_mix(s->light, (struct rgb){1, 1, 1}, rng_unit(r)),
                  strength * rng_range(r, 0.3, 0.95) * (1 - 0.7 * y / s->horizon));
        cairo_arc(cr, x, y, size, 0, 2 * M_PI);
        cairo_fill(cr);
    }
    cairo_destroy(cr);
    for (int i = 0; i < STARS / 3; i++)
        v->lit[i] = (struct star){rng_unit(r) * w,
                                  pow(rng_unit(r), 1.3) * s->horizon * 0.85,
                                  rng_range(r, 2.5, 6.5) * s->k,
                                  rng_unit(r) * 6.28,
                                  rng_range(r, 1.2, 2.8),
                                  strength * rng_range(r, 0.35, 1)};
    v->shoot_at = rng_range(r, 0.8, s->seconds > 3 ? s->seconds * 0.6 : 1.5);
    v->shoot_x = rng_range(r, 0.35, 0.95) * s->w;
    v->shoot_y = rng_range(r, 0.05, 0.25) * s->h;
    return v;
}

/* A star with four thin rays. */
static void sparkle(cairo_t *cr, double x, double y, double r, struct rgb c, double alpha)
{
    scene_glow(cr, x, y, r * 1.6, c, alpha * 0.55);
    scene_ink(cr, scene_shade(c, 1.6), alpha);
    for (int i = 0; i < 8; i++) {
        double a = i * M_PI / 4, len = i % 2 ? r * 0.16 : r;
        cairo_line_to(cr, x + cos(a) * len, y + sin(a) * len);
    }
    cairo_close_path(cr);
    cairo_fill(cr);
}

static void shooting(const struct stars *v, const struct scene *s, cairo_t *cr, double t)
{
    double u = (t - v->shoot_at) / 0.7;
    if (u <= 0 || u >= 1)
        return;
    double x = v->shoot_x - u * 260 * s->k, y = v->shoot_y + u * 110 * s->k;
    double tail = 110 * s->k * sin(u * M_PI);
    cairo_pattern_t *p = cairo_pattern_create_linear(x, y, x + tail, y - tail * 0.42);
    cairo_pattern_add_color_stop_rgba(p, 0, 1, 1, 1, 0.95 * sin(u * M_PI));
    cairo_pattern_add_color_stop_rgba(p, 1, 1, 1, 1, 0);
    cairo_set_source(cr, p);
    cairo_set_line_width(cr, 1.8 * s->k);
    cairo_set_line_cap(cr, CAIRO_LINE_CAP_ROUND);
    cairo_move_to(cr, x, y);
    cairo_line_to(cr, x + tail, y - tail * 0.42);
    cairo_stroke(cr);
    cairo_pattern_destroy(p);
}

static void stars_paint(const void *state, const struct scene *s, cairo_t *cr, double t)
{
    const struct stars *v = state;
    double shift = scene_travel(s, t) * 14 * s->k;
    scene_show(cr, v->still, -shift, 0, 1);
    for (int i = 0; i < STARS / 3; i++) {
        const struct star *p = &v->lit[i];
        double pulse = 0.55 + 0.45 * sin(p->phase + t * p->rate);
        sparkle(cr, p->x - shift, p->y, p->r * (0.7 + 0.3 * pulse), s->light, p->bright * pulse);
    }
    shooting(v, s, cr, t);
}

static void stars_drop(void *state)
{
    struct stars *v = state;
    cairo_surface_destroy(v->still);
    free(v);
}

const struct motif motif_stars = {
    "stars",
    MOTIF_HEAVEN,
    4,
    "star stars starry starlight galaxy space cosmos universe constellation meteor comet wish "
    "planet rocket astronaut alien 星 宇宙 銀河 流星 七夕 별",
    stars_make,
    stars_paint,
    stars_drop};

/* ---- moon and sun ---- */

struct disc {
    cairo_surface_t *layer; /* disc and halo, a square of `size` */
    double x, y, size;
    double rise; /* pixels that it rises during the clip */
};

static struct disc *disc_new(const struct scene *s, double radius, cairo_t **cr)
{
    struct disc *v = calloc(1, sizeof *v);
    if (!v)
        return NULL;
    v->size = ceil(radius * 7);
    v->layer = scene_layer((int)v->size, (int)v->size, cr);
    (void)s;
    return v;
}

static void *moon_make(const struct scene *s, struct rng *r)
{
    cairo_t *cr;
    double radius = rng_range(r, 38, 66) * s->k;
    struct disc *v = disc_new(s, radius, &cr);
    if (!v)
        return NULL;
    double c = v->size / 2;
    struct rgb body = scene_mix(s->light, (struct rgb){1, 0.98, 0.9}, 0.6);
    scene_glow(cr, c, c, radius * 3.4, scene_mix(s->light, s->accent, 0.3), 0.55);
    cairo_push_group(cr);
    scene_ink(cr, body, 1);
    cairo_arc(cr, c, c, radius, 0, 2 * M_PI);
    cairo_fill_preserve(cr);
    cairo_save(cr);
    cairo_clip(cr);
    for (int i = 0; i < 9; i++) { /* seas and craters */
        double a = rng_unit(r) * 6.28, d = rng_unit(r) * radius * 0.8;
        scene_ink(cr, scene_mix(body, s->mid, 0.5), rng_range(r, 0.08, 0.22));
        cairo_arc(cr, c + cos(a) * d, c + sin(a) * d, radius * rng_range(r, 0.08, 0.32), 0,
                  2 * M_PI);
        cairo_fill(cr);
    }
    cairo_restore(cr);
    cairo_new_path(cr);
    if (rng_int(r, 3) == 0) { /* a crescent */
        cairo_set_operator(cr, CAIRO_OPERATOR_DEST_OUT);
        cairo_arc(cr, c + radius * 0.45, c - radius * 0.2, radius * 0.95, 0, 2 * M_PI);
        cairo_set_source_rgba(cr, 0, 0, 0, 1);
        cairo_fill(cr);
        cairo_set_operator(cr, CAIRO_OPERATOR_OVER);
    }
    cairo_pop_group_to_source(cr);
    cairo_paint(cr);
    cairo_destroy(cr);
    v->x = rng_range(r, 0.12, 0.88) * s->w;
    v->y = rng_range(r, 0.2, 0.34) * s->h;
    v->rise = 14 * s->k;
    return v;
}

static void *sun_make(const struct scene *s, struct rng *r)
{
    cairo_t *cr;
    double radius = rng_range(r, 62, 105) * s->k;
    struct disc *v = disc_new(s, radius, &cr);
    if (!v)
        return NULL;
    double c = v->size / 2;
    struct rgb core = scene_mix(s->light, (struct rgb){1, 1, 0.93}, 0.6);
    struct rgb rim = scene_mix(s->accent, s->light, s->mood == SCENE_NIGHT ? 0.3 : 0.6);
    scene_glow(cr, c, c, radius * 3.4, rim, 0.75);
    cairo_pattern_t *p = cairo_pattern_create_linear(0, c - radius, 0, c + radius);
    cairo_pattern_add_color_stop_rgb(p, 0, core.r, core.g, core.b);
    cairo_pattern_add_color_stop_rgb(p, 1, rim.r, rim.g, rim.b);
    cairo_set_source(cr, p);
    cairo_arc(cr, c, c, radius, 0, 2 * M_PI);
    cairo_fill(cr);
    cairo_pattern_destroy(p);
    cairo_destroy(cr);
    v->x = rng_range(r, 0.25, 0.75) * s->w;
    v->y = s->mood == SCENE_DAY ? s->h * 0.24 : s->horizon - radius * rng_range(r, 0.2, 0.9);
    v->rise = 26 * s->k;
    return v;
}

static void disc_paint(const void *state, const struct scene *s, cairo_t *cr, double t)
{
    const struct disc *v = state;
    double u = scene_travel(s, t);
    scene_show(cr, v->layer, v->x - v->size / 2 - u * 10 * s->k,
               v->y - v->size / 2 + (0.5 - u) * v->rise, 1);
}

static void disc_drop(void *state)
{
    struct disc *v = state;
    cairo_surface_destroy(v->layer);
    free(v);
}

const struct motif motif_moon = {
    "moon",
    MOTIF_HEAVEN,
    2,
    "moon moonlight moonlit lunar werewolf vampire witch ninja 月 満月 "
    "三日月 魔女 忍者 달",
    moon_make,
    disc_paint,
    disc_drop};

const struct motif motif_sun = {"sun",
                                MOTIF_HEAVEN,
                                2,
                                "sun sunny sunset sunrise sunlight dawn dusk summer desert golden "
                                "samurai 太陽 夕日 夕焼け 朝日 夏 侍 해",
                                sun_make,
                                disc_paint,
                                disc_drop};
