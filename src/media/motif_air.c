/* What is in the air before everything else: petals, snow, lights, rain, speed lines. */
#include "media/motif.h"

#include <math.h>
#include <stdlib.h>

#define BITS_MAX 260

/* One thing that flies. Its place is a function of time: it starts somewhere, moves evenly, sways,
 * and wraps around a box a little larger than the picture. */
struct bit {
    double x, y, vx, vy; /* pixels, pixels a second */
    double size, near;   /* near: 0 far .. 1 at the lens */
    double phase, rate, spin;
    int kind;
};

struct bits {
    int n;
    struct bit bit[BITS_MAX];
    cairo_surface_t *sprite; /* snow and lights; NULL else */
};

static double bit_x(const struct bit *b, const struct scene *s, double t, double sway)
{
    double margin = 60 * s->k;
    return scene_wrap(b->x + b->vx * t + sin(b->phase + t * b->rate) * sway, s->w + 2 * margin) -
           margin;
}

static double bit_y(const struct bit *b, const struct scene *s, double t)
{
    double margin = 60 * s->k;
    return scene_wrap(b->y + b->vy * t, s->h + 2 * margin) - margin;
}

static struct bits *bits_new(const struct scene *s, struct rng *r, int n)
{
    struct bits *v = calloc(1, sizeof *v);
    if (!v)
        return NULL;
    v->n = n;
    for (int i = 0; i < n; i++) {
        struct bit *b = &v->bit[i];
        b->near = pow((double)i / n, 1.5); /* painted from far to near */
        b->x = rng_unit(r) * (s->w + 120 * s->k);
        b->y = rng_unit(r) * (s->h + 120 * s->k);
        b->phase = rng_unit(r) * 6.28;
        b->rate = rng_range(r, 0.8, 2);
        b->spin = rng_range(r, -2.2, 2.2);
        b->kind = rng_int(r, 4);
    }
    return v;
}

static void bits_drop(void *state)
{
    struct bits *v = state;
    if (v->sprite)
        cairo_surface_destroy(v->sprite);
    free(v);
}

/* ---- petals ---- */

static void *petals_make(const struct scene *s, struct rng *r)
{
    struct bits *v = bits_new(s, r, 84);
    for (int i = 0; v && i < v->n; i++) {
        struct bit *b = &v->bit[i];
        b->size = (3.2 + 9 * b->near + (b->near > 0.93 ? 10 : 0)) * s->k;
        b->vx = -(30 + 105 * b->near) * s->k * rng_range(r, 0.8, 1.2);
        b->vy = (22 + 62 * b->near) * s->k * rng_range(r, 0.7, 1.2);
    }
    return v;
}

static void petals_paint(const void *state, const struct scene *s, cairo_t *cr, double t)
{
    const struct bits *v = state;
    struct rgb pink = scene_mix((struct rgb){1, 0.72, 0.8}, s->light, 0.25);
    struct rgb back = scene_mix((struct rgb){0.93, 0.48, 0.62}, s->accent, 0.2);
    for (int i = 0; i < v->n; i++) {
        const struct bit *b = &v->bit[i];
        double turn = sin(b->phase + t * b->rate * 1.7), z = b->size;
        cairo_save(cr);
        cairo_translate(cr, bit_x(b, s, t, (10 + 22 * b->near) * s->k), bit_y(b, s, t));
        cairo_rotate(cr, b->phase + b->spin * t);
        cairo_scale(cr, 1, 0.3 + 0.7 * fabs(turn));
        cairo_move_to(cr, -z, 0);
        cairo_curve_to(cr, -z * 0.6, -z * 0.75, z * 0.45, -z * 0.75, z, -z * 0.22);
        cairo_line_to(cr, z * 0.72, 0);
        cairo_line_to(cr, z, z * 0.22);
        cairo_curve_to(cr, z * 0.45, z * 0.75, -z * 0.6, z * 0.75, -z, 0);
        cairo_restore(cr);
        scene_ink(cr, scene_mix(back, pink, 0.5 + 0.5 * turn),
                  b->near > 0.93 ? 0.55 : 0.55 + 0.4 * b->near);
        cairo_fill(cr);
    }
}

const struct motif motif_petals = {
    "petals",
    MOTIF_AIR,
    4,
    "petal petals sakura cherry blossom blossoms flower flowers spring love "
    "kiss confession wedding hanami bride graduation samurai 桜 さくら サクラ "
    "花 春 恋 愛 花見 卒業 侍 벚꽃 사랑",
    petals_make,
    petals_paint,
    bits_drop};

/* ---- snow and lights: a soft sprite, many times ---- */

static cairo_surface_t *soft_sprite(struct rgb c, double core)
{
    cairo_t *cr;
    cairo_surface_t *v = scene_layer(64, 64, &cr);
    scene_glow(cr, 32, 32, 32, c, 0.9);
    scene_glow(cr, 32, 32, 32 * core, scene_shade(c, 1.6), 1);
    cairo_destroy(cr);
    return v;
}

static void show_sprite(cairo_t *cr, cairo_surface_t *v, double x, double y, double size, double a)
{
    cairo_save(cr);
    cairo_translate(cr, x - size, y - size);
    cairo_scale(cr, size / 32, size / 32);
    cairo_set_source_surface(cr, v, 0, 0);
    cairo_pattern_set_filter(cairo_get_source(cr), CAIRO_FILTER_BILINEAR);
    cairo_paint_with_alpha(cr, a);
    cairo_restore(cr);
}

static void *snow_make(const struct scene *s, struct rng *r)
{
    struct bits *v = bits_new(s, r, 170);
    for (int i = 0; v && i < v->n; i++) {
        struct bit *b = &v->bit[i];
        b->size = (2.4 + 7 * b->near) * s->k;
        b->vx = -(8 + 26 * b->near) * s->k;
        b->vy = (26 + 70 * b->near) * s->k * rng_range(r, 0.8, 1.2);
    }
    if (v)
        v->sprite = soft_sprite((struct rgb){0.96, 0.98, 1}, 0.6);
    return v;
}

static void snow_paint(const void *state, const struct scene *s, cairo_t *cr, double t)
{
    const struct bits *v = state;
    for (int i = 0; i < v->n; i++) {
        const struct bit *b = &v->bit[i];
        show_sprite(cr, v->sprite, bit_x(b, s, t, (6 + 14 * b->near) * s->k), bit_y(b, s, t),
                    b->size, 0.5 + 0.45 * b->near);
    }
}

const struct motif motif_snow = {
    "snow",
    MOTIF_AIR,
    2,
    "snow snowy winter ice frozen blizzard christmas cold north penguin yuki "
    "雪 冬 氷 吹雪 クリスマス 눈 겨울",
    snow_make,
    snow_paint,
    bits_drop};

static void *lights_make(const struct scene *s, struct rng *r)
{
    struct bits *v = bits_new(s, r, 64);
    for (int i = 0; v && i < v->n; i++) {
        struct bit *b = &v->bit[i];
        b->size = (7 + 20 * b->near) * s->k;
        b->vx = rng_range(r, -14, 14) * s->k;
        b->vy = -(8 + 30 * b->near) * s->k;
    }
    if (v)
        v->sprite = soft_sprite(scene_mix(s->light, (struct rgb){1, 0.85, 0.45}, 0.55), 0.3);
    return v;
}

static void lights_paint(const void *state, const struct scene *s, cairo_t *cr, double t)
{
    const struct bits *v = state;
    for (int i = 0; i < v->n; i++) {
        const struct bit *b = &v->bit[i];
        double pulse = 0.55 + 0.45 * sin(b->phase * 3 + t * b->rate * 1.3);
        show_sprite(cr, v->sprite, bit_x(b, s, t, 26 * s->k), bit_y(b, s, t), b->size,
                    pulse * (0.4 + 0.5 * b->near));
    }
}

const struct motif motif_lights = {
    "lights",
    MOTIF_AIR,
    3,
    "firefly fireflies light lights lantern lanterns magic spirit ghost fairy "
    "spark sparkle fire dragon festival candle dream witch forest 蛍 灯 光 "
    "魔法 妖精 幽霊 祭 火 炎 竜 龍 魔女 마법",
    lights_make,
    lights_paint,
    bits_drop};

/* ---- rain, with rings where it falls on the ground ---- */

static void *rain_make(const struct scene *s, struct rng *r)
{
    struct bits *v = bits_new(s, r, 230);
    for (int i = 0; v && i < v->n; i++) {
        struct bit *b = &v->bit[i];
        b->size = (14 + 36 * b->near) * s->k;
        b->vy = (520 + 620 * b->near) * s->k;
        b->vx = -b->vy * 0.16;
    }
    return v;
}

static void rings(const struct bits *v, const struct scene *s, cairo_t *cr, double t)
{
    cairo_set_line_width(cr, 1.1 * s->k);
    for (int i = 0; i < 46; i++) {
        const struct bit *b = &v->bit[i * 5];
        double life = scene_wrap(t * 1.5 + b->phase, 1.0);
        int round = (int)floor(t * 1.5 + b->phase);
        double x = scene_wrap(b->x * 7.3 + round * 197.3 * s->k, s->w);
        double y = s->h * (0.84 + 0.14 * scene_wrap(b->y * 3.1 + round * 0.37, 1.0));
        double size = (4 + 22 * life) * s->k * (0.5 + (y / s->h - 0.82) * 4);
        cairo_save(cr);
        cairo_translate(cr, x, y);
        cairo_scale(cr, 1, 0.3);
        cairo_new_path(cr);
        cairo_arc(cr, 0, 0, size, 0, 2 * M_PI);
        cairo_restore(cr);
        scene_ink(cr, s->light, 0.5 * (1 - life));
        cairo_stroke(cr);
    }
}

static void rain_paint(const void *state, const struct scene *s, cairo_t *cr, double t)
{
    const struct bits *v = state;
    struct rgb c = scene_mix(s->light, (struct rgb){0.8, 0.9, 1}, 0.5);
    /* A wet veil takes the colours back a little. */
    scene_ink(cr, scene_mix(s->sky_top, s->deep, 0.5), 0.18);
    cairo_paint(cr);
    cairo_set_line_cap(cr, CAIRO_LINE_CAP_ROUND);
    for (int band = 0; band < 4; band++) { /* one stroke for many drops */
        for (int i = band * v->n / 4; i < (band + 1) * v->n / 4; i++) {
            const struct bit *b = &v->bit[i];
            double x = bit_x(b, s, t, 0), y = bit_y(b, s, t);
            cairo_move_to(cr, x, y);
            cairo_line_to(cr, x + b->size * 0.16, y - b->size);
        }
        cairo_set_line_width(cr, (0.7 + 0.35 * band) * s->k);
        scene_ink(cr, c, 0.2 + 0.1 * band);
        cairo_stroke(cr);
    }
    rings(v, s, cr, t);
}

const struct motif motif_rain = {
    "rain",
    MOTIF_AIR,
    2,
    "rain rainy storm thunder umbrella wet tears cry sad lonely noir melancholy "
    "detective 雨 嵐 雷 傘 涙 悲 梅雨 비",
    rain_make,
    rain_paint,
    bits_drop};

/* ---- speed lines: towards a point behind the type, dense at the edges ---- */

static void *speed_make(const struct scene *s, struct rng *r)
{
    struct bits *v = bits_new(s, r, 120);
    for (int i = 0; v && i < v->n; i++) {
        struct bit *b = &v->bit[i];
        b->phase = (i + rng_unit(r)) / v->n * 6.28;
        b->near = rng_unit(r);
        b->size = rng_range(r, 0.004, 0.017); /* half the angle of the wedge */
        b->rate = rng_range(r, 0.5, 1.1);     /* lives a second */
    }
    return v;
}

static void speed_paint(const void *state, const struct scene *s, cairo_t *cr, double t)
{
    const struct bits *v = state;
    double cx = s->w * 0.5, cy = s->h * 0.48, far = hypot(s->w, s->h) * 0.62;
    for (int i = 0; i < v->n; i++) {
        const struct bit *b = &v->bit[i];
        /* Each line grows in and fades out on its own clock, so the whole never flickers. */
        double life = scene_wrap(t * b->rate + b->near, 1), a = sin(life * M_PI);
        double inner = far * (0.5 + 0.32 * b->near - 0.12 * life);
        double angle = b->phase + floor(t * b->rate + b->near) * 0.61;
        cairo_move_to(cr, cx + cos(angle) * inner, cy + sin(angle) * inner);
        cairo_line_to(cr, cx + cos(angle - b->size) * far * 1.4,
                      cy + sin(angle - b->size) * far * 1.4);
        cairo_line_to(cr, cx + cos(angle + b->size) * far * 1.4,
                      cy + sin(angle + b->size) * far * 1.4);
        cairo_close_path(cr);
        scene_ink(cr, b->kind ? scene_shade(s->light, 1.4) : scene_shade(s->accent, 1.2), 0.62 * a);
        cairo_fill(cr);
    }
}

const struct motif motif_speed = {
    "speed lines",
    MOTIF_AIR,
    1,
    "speed fast fight fighting battle punch attack run running race "
    "racing car chase power hero shonen explosion war sword mecha robot "
    "ultimate 戦 走 速 必殺 勝負 剣 爆発 ロボット 싸움",
    speed_make,
    speed_paint,
    bits_drop};
