/* City, train, hills: what stands on the ground, in parallax. */
#include "media/motif.h"

#include <math.h>
#include <stdlib.h>

#define ROWS 3

struct rows {
    cairo_surface_t *row[ROWS]; /* far to near */
    double y[ROWS], travel[ROWS];
    cairo_surface_t *train; /* NULL without one */
    double train_y, train_from, train_to;
};

static void windows(const struct scene *s, struct rng *r, cairo_t *cr, double x, double y, double w,
                    double h, double near)
{
    double cell = (5 + 4 * near) * s->k, size = cell * 0.5;
    double lit = s->mood == SCENE_DAY ? 0.15 : s->mood == SCENE_DUSK ? 0.3 : 0.42;
    struct rgb warm = scene_mix(s->light, (struct rgb){1, 0.85, 0.5}, 0.5);
    for (double v = y + cell; v < y + h - cell; v += cell * 1.3)
        for (double u = x + cell * 0.6; u < x + w - cell * 0.8; u += cell) {
            if (rng_unit(r) > lit)
                continue;
            struct rgb c = rng_int(r, 6) ? warm : s->accent;
            scene_ink(cr, scene_shade(c, 1.1), rng_range(r, 0.35, 0.95) * (0.45 + 0.55 * near));
            cairo_rectangle(cr, u, v, size, size * 1.25);
            cairo_fill(cr);
        }
}

static void roof(const struct scene *s, struct rng *r, cairo_t *cr, double x, double y, double w)
{
    double k = s->k;
    switch (rng_int(r, 5)) {
    case 0: /* an aerial */
        cairo_rectangle(cr, x + w * 0.5, y - 30 * k, 1.6 * k, 30 * k);
        cairo_rectangle(cr, x + w * 0.5 - 5 * k, y - 22 * k, 11.6 * k, 1.2 * k);
        cairo_rectangle(cr, x + w * 0.5 - 3.5 * k, y - 15 * k, 8.6 * k, 1.2 * k);
        break;
    case 1: /* a water tank on legs */
        cairo_rectangle(cr, x + w * 0.25, y - 15 * k, 15 * k, 9 * k);
        cairo_rectangle(cr, x + w * 0.25 + 2 * k, y - 7 * k, 1.5 * k, 7 * k);
        cairo_rectangle(cr, x + w * 0.25 + 11 * k, y - 7 * k, 1.5 * k, 7 * k);
        break;
    case 2: /* a step */
        cairo_rectangle(cr, x + w * 0.2, y - 10 * k, w * 0.55, 10 * k);
        break;
    case 3: /* a slanted top */
        cairo_move_to(cr, x, y + 1);
        cairo_line_to(cr, x + w, y + 1);
        cairo_line_to(cr, x + w, y - 14 * k);
        cairo_close_path(cr);
        break;
    default:
        break;
    }
    cairo_fill(cr);
}

static void sign(const struct scene *s, struct rng *r, cairo_t *cr, double x, double y, double h)
{
    struct rgb c = rng_int(r, 2) ? s->accent : scene_mix(s->accent, s->light, 0.6);
    double w = 9 * s->k;
    scene_glow(cr, x + w / 2, y + h / 2, h * 0.9, c, 0.55);
    scene_ink(cr, scene_shade(c, 1.25), 0.95);
    cairo_rectangle(cr, x, y, w, h);
    cairo_fill(cr);
    scene_ink(cr, scene_shade(s->deep, 0.6), 0.85);
    for (double v = y + 3 * s->k; v < y + h - 5 * s->k; v += 8 * s->k) {
        cairo_rectangle(cr, x + 2 * s->k, v, w - 4 * s->k, 4.5 * s->k);
        cairo_fill(cr);
    }
}

static void buildings(const struct scene *s, struct rng *r, cairo_t *cr, int w, int h, double near)
{
    struct rgb body = scene_mix(s->sky_low, scene_shade(s->deep, 0.55), 0.38 + 0.56 * near);
    double x = -10;
    while (x < w) {
        double bw = rng_range(r, 26, 58) * s->k * (0.75 + 0.6 * near);
        double bh = h * rng_range(r, 0.3, 0.88) * (rng_int(r, 5) ? 0.85 : 1.0);
        double y = h - bh;
        cairo_pattern_t *p = cairo_pattern_create_linear(0, y, 0, h);
        struct rgb foot = scene_mix(body, s->sky_low, 0.45 * (1 - near));
        cairo_pattern_add_color_stop_rgb(p, 0, body.r, body.g, body.b);
        cairo_pattern_add_color_stop_rgb(p, 1, foot.r, foot.g, foot.b);
        cairo_set_source(cr, p);
        cairo_rectangle(cr, x, y, bw, bh);
        cairo_fill(cr);
        roof(s, r, cr, x, y, bw);
        cairo_pattern_destroy(p);
        windows(s, r, cr, x, y, bw, bh, near);
        if (near > 0.4 && s->mood != SCENE_DAY && rng_int(r, 4) == 0)
            sign(s, r, cr, x + bw * 0.7, y + 14 * s->k, rng_range(r, 26, 48) * s->k);
        x += bw + (rng_int(r, 3) ? 0 : rng_range(r, 3, 16) * s->k);
    }
}

static struct rows *rows_new(const struct scene *s, const double *height,
                             void (*draw)(const struct scene *, struct rng *, cairo_t *, int, int,
                                          double),
                             struct rng *r)
{
    cairo_t *cr;
    struct rows *v = calloc(1, sizeof *v);
    if (!v)
        return NULL;
    for (int i = 0; i < ROWS; i++) {
        double near = (double)i / (ROWS - 1);
        v->travel[i] = (26 + 96 * near * near) * s->k;
        int w = s->w + (int)v->travel[i] + 2, h = (int)(height[i] * s->k);
        v->row[i] = scene_layer(w, h, &cr);
        draw(s, r, cr, w, h, near);
        cairo_destroy(cr);
        v->y[i] = s->h - h;
    }
    return v;
}

static void *city_make(const struct scene *s, struct rng *r)
{
    static const double height[ROWS] = {300, 245, 165};
    return rows_new(s, height, buildings, r);
}

static void rows_paint(const void *state, const struct scene *s, cairo_t *cr, double t)
{
    const struct rows *v = state;
    double u = scene_travel(s, t);
    for (int i = 0; i < ROWS; i++) {
        if (i == ROWS - 1 && v->train)
            scene_show(cr, v->train, v->train_from + (v->train_to - v->train_from) * u, v->train_y,
                       1);
        scene_show(cr, v->row[i], -u * v->travel[i], v->y[i], 1);
    }
}

static void rows_drop(void *state)
{
    struct rows *v = state;
    for (int i = 0; i < ROWS; i++)
        cairo_surface_destroy(v->row[i]);
    if (v->train)
        cairo_surface_destroy(v->train);
    free(v);
}

const struct motif motif_city = {
    "city",
    MOTIF_GROUND,
    4,
    "city town street tokyo osaka neon cyber cyberpunk downtown skyline "
    "building tower rooftop shop robot mecha hacker detective noir alley "
    "school cafe ramen 街 町 都市 東京 大阪 ビル 学校 ロボット 도시",
    city_make,
    rows_paint,
    rows_drop};

/* ---- hills, with trees, a torii, and telegraph poles ---- */

static double hill_height(double x, const double *phase, int h)
{
    return h * (0.34 + 0.12 * sin(x * 0.0042 + phase[0]) + 0.07 * sin(x * 0.0105 + phase[1]));
}

static void tree(const struct scene *s, struct rng *r, cairo_t *cr, double x, double y, double size)
{
    if (rng_int(r, 3)) { /* a round one */
        for (int i = 0; i < 7; i++) {
            cairo_new_sub_path(cr);
            cairo_arc(cr, x + rng_range(r, -0.5, 0.5) * size, y - size * rng_range(r, 0.5, 1.25),
                      size * rng_range(r, 0.25, 0.45), 0, 2 * M_PI);
        }
        cairo_rectangle(cr, x - size * 0.06, y - size * 0.6, size * 0.12, size * 0.8);
    } else { /* a cedar */
        for (int i = 0; i < 4; i++) {
            double w = size * (0.5 - i * 0.09), top = y - size * (0.7 + i * 0.38);
            cairo_move_to(cr, x - w, top + size * 0.55);
            cairo_line_to(cr, x, top - size * 0.1);
            cairo_line_to(cr, x + w, top + size * 0.55);
            cairo_close_path(cr);
        }
        cairo_rectangle(cr, x - size * 0.05, y - size * 0.4, size * 0.1, size * 0.5);
    }
    cairo_fill(cr);
    (void)s;
}

static void torii(const struct scene *s, cairo_t *cr, double x, double y, double size)
{
    scene_ink(cr, scene_mix(scene_shade(s->accent, 0.75), (struct rgb){0.72, 0.14, 0.1}, 0.45), 1);
    cairo_rectangle(cr, x - size * 0.42, y - size, size * 0.1, size * 1.1);
    cairo_rectangle(cr, x + size * 0.32, y - size, size * 0.1, size * 1.1);
    cairo_rectangle(cr, x - size * 0.5, y - size * 0.8, size, size * 0.08);
    cairo_move_to(cr, x - size * 0.68, y - size * 1.14);
    cairo_curve_to(cr, x - size * 0.3, y - size * 1.03, x + size * 0.3, y - size * 1.03,
                   x + size * 0.68, y - size * 1.14);
    cairo_line_to(cr, x + size * 0.62, y - size * 0.97);
    cairo_curve_to(cr, x + size * 0.3, y - size * 0.93, x - size * 0.3, y - size * 0.93,
                   x - size * 0.62, y - size * 0.97);
    cairo_close_path(cr);
    cairo_fill(cr);
}

static void wires(const struct scene *s, cairo_t *cr, int w, const double *phase, int h)
{
    double gap = 190 * s->k, tall = 92 * s->k;
    for (double x = gap * 0.4; x < w + gap; x += gap) {
        double y = h - hill_height(x, phase, h) + 4, y2 = h - hill_height(x + gap, phase, h) + 4;
        cairo_rectangle(cr, x - 1.6 * s->k, y - tall, 3.2 * s->k, tall + 8);
        cairo_rectangle(cr, x - 13 * s->k, y - tall + 8 * s->k, 26 * s->k, 2.4 * s->k);
        cairo_rectangle(cr, x - 10 * s->k, y - tall + 18 * s->k, 20 * s->k, 2 * s->k);
        cairo_fill(cr);
        cairo_set_line_width(cr, 1.1 * s->k);
        for (int i = 0; i < 3; i++) {
            double dx = (i - 1) * 11 * s->k, up = tall - (i == 1 ? 17 : 8) * s->k;
            cairo_move_to(cr, x + dx, y - up);
            cairo_curve_to(cr, x + gap * 0.33 + dx, y - up + 20 * s->k, x + gap * 0.66 + dx,
                           y2 - up + 20 * s->k, x + gap + dx, y2 - up);
            cairo_stroke(cr);
        }
    }
}

static void hill_row(const struct scene *s, struct rng *r, cairo_t *cr, int w, int h, double near)
{
    double phase[2] = {rng_unit(r) * 6.28, rng_unit(r) * 6.28};
    struct rgb green = scene_mix(scene_mix(s->mid, s->deep, 0.5), (struct rgb){0.16, 0.34, 0.22},
                                 s->mood == SCENE_DAY ? 0.35 : 0.15);
    struct rgb body = scene_mix(s->sky_low, scene_shade(green, 0.75), 0.42 + 0.55 * near);
    if (near > 0.9)
        body = scene_shade(scene_mix(body, s->deep, 0.6), 0.62);
    cairo_move_to(cr, 0, h);
    for (double x = 0; x <= w; x += 6)
        cairo_line_to(cr, x, h - hill_height(x, phase, h));
    cairo_line_to(cr, w, h);
    cairo_close_path(cr);
    scene_ink(cr, body, 1);
    cairo_fill(cr);
    int n = (int)(w / (30 * s->k)) + 4;
    for (int i = 0; i < n; i++) {
        double x = rng_unit(r) * w, size = rng_range(r, 14, 30) * s->k * (0.6 + 0.6 * near);
        if (near < 0.9 || rng_int(r, 3) == 0)
            tree(s, r, cr, x, h - hill_height(x, phase, h) + 3, size);
    }
    if (near > 0.4 && near < 0.9) {
        double x = rng_range(r, 0.15, 0.85) * s->w;
        torii(s, cr, x, h - hill_height(x, phase, h) + 6, 62 * s->k);
    }
    if (near > 0.9) {
        scene_ink(cr, body, 1);
        wires(s, cr, w, phase, h);
    }
}

static void *hills_make(const struct scene *s, struct rng *r)
{
    static const double height[ROWS] = {320, 265, 235};
    return rows_new(s, height, hill_row, r);
}

const struct motif motif_hills = {
    "hills",
    MOTIF_GROUND,
    3,
    "hill hills forest wood woods tree trees field meadow farm village "
    "garden shrine temple torii fox cat rabbit deer bear totoro spirit "
    "country summer spring samurai ninja 森 林 丘 野 田 村 庭 神社 鳥居 狐 "
    "猫 熊 木 春 夏 侍 숲",
    hills_make,
    rows_paint,
    rows_drop};

/* ---- a train on a viaduct ---- */

static void viaduct(const struct scene *s, struct rng *r, cairo_t *cr, int w, int h, double near)
{
    if (near < 0.9) {
        hill_row(s, r, cr, w, h, near);
        return;
    }
    struct rgb body = scene_shade(s->deep, 0.5);
    double deck = h * 0.32, pier = 86 * s->k;
    scene_ink(cr, body, 1);
    cairo_rectangle(cr, 0, deck, w, 16 * s->k);
    for (double x = 0; x < w; x += pier) {
        cairo_rectangle(cr, x, deck, 20 * s->k, h - deck);
        cairo_move_to(cr, x - 12 * s->k, deck + 15 * s->k);
        cairo_line_to(cr, x + 32 * s->k, deck + 15 * s->k);
        cairo_line_to(cr, x + 20 * s->k, deck + 34 * s->k);
        cairo_line_to(cr, x, deck + 34 * s->k);
        cairo_close_path(cr);
        cairo_rectangle(cr, x + 8 * s->k, 0, 2.6 * s->k, deck);
        cairo_rectangle(cr, x - 6 * s->k, 4 * s->k, 28 * s->k, 1.8 * s->k);
    }
    cairo_rectangle(cr, 0, 2 * s->k, w, 1.3 * s->k);
    cairo_fill(cr);
}

static cairo_surface_t *draw_train(const struct scene *s, struct rng *r)
{
    cairo_t *cr;
    double car = 210 * s->k, h = 46 * s->k;
    cairo_surface_t *layer = scene_layer((int)(car * 4), (int)(h + 4), &cr);
    struct rgb body = scene_mix(scene_shade(s->deep, 0.9), s->mid, 0.35);
    struct rgb glass = scene_mix(s->light, (struct rgb){1, 0.88, 0.55}, 0.55);
    for (int i = 0; i < 4; i++) {
        double x = i * car;
        scene_ink(cr, body, 1);
        cairo_rectangle(cr, x + 2, 0, car - 5 * s->k, h - 5 * s->k);
        cairo_fill(cr);
        scene_ink(cr, s->accent, 1);
        cairo_rectangle(cr, x + 2, h * 0.62, car - 5 * s->k, 4 * s->k);
        cairo_fill(cr);
        for (int j = 0; j < 9; j++) {
            double wx = x + (10 + j * 21.5) * s->k;
            scene_ink(cr, glass, 0.95);
            cairo_rectangle(cr, wx, h * 0.17, 16 * s->k, h * 0.36);
            cairo_fill(cr);
            if (rng_int(r, 3) == 0) { /* somebody looks out */
                scene_ink(cr, scene_shade(s->deep, 0.7), 0.9);
                cairo_arc(cr, wx + 8 * s->k, h * 0.37, 3.6 * s->k, 0, 2 * M_PI);
                cairo_rectangle(cr, wx + 3.5 * s->k, h * 0.42, 9 * s->k, h * 0.11);
                cairo_fill(cr);
            }
        }
    }
    cairo_destroy(cr);
    return layer;
}

static void *train_make(const struct scene *s, struct rng *r)
{
    static const double height[ROWS] = {320, 275, 150};
    struct rows *v = rows_new(s, height, viaduct, r);
    if (!v)
        return NULL;
    v->train = draw_train(s, r);
    v->train_y = v->y[ROWS - 1] + height[ROWS - 1] * s->k * 0.32 - 44 * s->k;
    v->train_from = -600 * s->k;
    v->train_to = s->w * 0.35;
    return v;
}

const struct motif motif_train = {"train",
                                  MOTIF_GROUND,
                                  2,
                                  "train railway rail station journey travel trip commute farewell "
                                  "goodbye letter 電車 列車 汽車 駅 旅 기차",
                                  train_make,
                                  rows_paint,
                                  rows_drop};
