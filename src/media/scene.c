#include "media/scene.h"

#include <math.h>

uint64_t rng_next(struct rng *r)
{
    uint64_t z = (r->s += UINT64_C(0x9e3779b97f4a7c15)); /* splitmix64 */
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

double rng_unit(struct rng *r)
{
    return (double)(rng_next(r) >> 11) / 9007199254740992.0;
}

double rng_range(struct rng *r, double from, double to)
{
    return from + (to - from) * rng_unit(r);
}

int rng_int(struct rng *r, int n)
{
    return n > 0 ? (int)(rng_next(r) % (uint64_t)n) : 0;
}

struct rgb scene_mix(struct rgb a, struct rgb b, double t)
{
    return (struct rgb){a.r + (b.r - a.r) * t, a.g + (b.g - a.g) * t, a.b + (b.b - a.b) * t};
}

struct rgb scene_shade(struct rgb c, double f)
{
    if (f <= 1)
        return (struct rgb){c.r * f, c.g * f, c.b * f};
    return scene_mix(c, (struct rgb){1, 1, 1}, f - 1);
}

double scene_luma(struct rgb c)
{
    return 0.2126 * c.r + 0.7152 * c.g + 0.0722 * c.b;
}

void scene_ink(cairo_t *cr, struct rgb c, double alpha)
{
    cairo_set_source_rgba(cr, c.r, c.g, c.b, alpha);
}

double scene_smooth(double x)
{
    x = x < 0 ? 0 : x > 1 ? 1 : x;
    return x * x * (3 - 2 * x);
}

double scene_wrap(double x, double span)
{
    x = fmod(x, span);
    return x < 0 ? x + span : x;
}

double scene_travel(const struct scene *s, double t)
{
    double u = s->seconds > 0 ? t / s->seconds : 0;
    return 0.45 * u + 0.55 * scene_smooth(u);
}

cairo_surface_t *scene_layer(int w, int h, cairo_t **cr)
{
    cairo_surface_t *s = cairo_image_surface_create(CAIRO_FORMAT_ARGB32, w, h);
    *cr = cairo_create(s);
    return s;
}

void scene_show(cairo_t *cr, cairo_surface_t *layer, double x, double y, double alpha)
{
    cairo_set_source_surface(cr, layer, x, y);
    cairo_pattern_set_filter(cairo_get_source(cr), CAIRO_FILTER_BILINEAR);
    if (alpha >= 0.999)
        cairo_paint(cr);
    else if (alpha > 0.004)
        cairo_paint_with_alpha(cr, alpha);
}

void scene_glow(cairo_t *cr, double x, double y, double r, struct rgb c, double alpha)
{
    cairo_pattern_t *p = cairo_pattern_create_radial(x, y, 0, x, y, r);
    cairo_pattern_add_color_stop_rgba(p, 0, c.r, c.g, c.b, alpha);
    cairo_pattern_add_color_stop_rgba(p, 0.25, c.r, c.g, c.b, alpha * 0.5);
    cairo_pattern_add_color_stop_rgba(p, 0.55, c.r, c.g, c.b, alpha * 0.15);
    cairo_pattern_add_color_stop_rgba(p, 1, c.r, c.g, c.b, 0);
    cairo_set_source(cr, p);
    cairo_rectangle(cr, x - r, y - r, r * 2, r * 2);
    cairo_fill(cr);
    cairo_pattern_destroy(p);
}

static struct rgb from_hex(uint32_t v)
{
    return (struct rgb){(v >> 16 & 255) / 255.0, (v >> 8 & 255) / 255.0, (v & 255) / 255.0};
}

static double saturation(struct rgb c)
{
    double most = fmax(c.r, fmax(c.g, c.b)), least = fmin(c.r, fmin(c.g, c.b));
    return most - least;
}

void scene_colours(struct scene *s, const uint32_t *palette, int n)
{
    struct rgb c[8];
    n = n > 8 ? 8 : n;
    for (int i = 0; i < n; i++) { /* sorted by brightness */
        struct rgb v = from_hex(palette[i]);
        int at = i;
        for (; at > 0 && scene_luma(c[at - 1]) > scene_luma(v); at--)
            c[at] = c[at - 1];
        c[at] = v;
    }
    s->deep = c[0];
    s->light = c[n - 1];
    s->mid = c[n / 2];
    s->accent = c[n / 2];
    for (int i = n > 2 ? 1 : 0; i < n; i++)
        if (saturation(c[i]) * (1.2 - scene_luma(c[i])) >
            saturation(s->accent) * (1.2 - scene_luma(s->accent)))
            s->accent = c[i];
    if (n > 2 && s->mid.r == s->accent.r && s->mid.g == s->accent.g)
        s->mid = c[n / 2 - 1 > 0 ? n / 2 - 1 : n / 2];
    /* Colours of one tone still need a dark and a light end to stand against each other. */
    if (scene_luma(s->deep) > 0.18)
        s->deep = scene_shade(s->deep, 0.18 / scene_luma(s->deep));
    if (scene_luma(s->light) < 0.72)
        s->light = scene_mix(s->light, (struct rgb){1, 0.97, 0.92}, 0.6);

    if (s->mood == SCENE_NIGHT) {
        s->sky_top = scene_shade(s->deep, 0.6);
        s->sky_mid = scene_mix(s->deep, s->mid, 0.35);
        s->sky_low = scene_shade(scene_mix(s->mid, s->accent, 0.6), 0.82);
    } else if (s->mood == SCENE_DUSK) {
        s->sky_top = scene_mix(s->deep, s->mid, 0.3);
        s->sky_mid = scene_mix(s->mid, s->accent, 0.7);
        s->sky_low = scene_mix(s->accent, s->light, 0.72);
    } else {
        s->sky_top = scene_mix(s->mid, s->deep, 0.25);
        s->sky_mid = scene_mix(s->mid, s->light, 0.45);
        s->sky_low = scene_mix(s->light, (struct rgb){1, 1, 1}, 0.25);
    }
}
