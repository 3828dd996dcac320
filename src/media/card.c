/* media/card: a title that always fits.
 *
 * The prompt is set in the largest size at which it fills its box with well-shaped lines; scripts,
 * directions and emoji are Pango's business. Title and small print are painted once, each on a
 * layer: a soft shade that the type reads on over any background, a shadow, an outline, and the
 * type itself. A frame only shows the layers: the title appears from left to right (from right to
 * left where the text runs so), drifts a little, and stays. */
#include "media/card.h"

#include "base/buf.h"
#include "base/log.h"

#include <math.h>
#include <pango/pangocairo.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TITLE_FONT "Noto Serif CJK JP, Noto Serif, DejaVu Serif, serif Bold"
#define SMALL_FONT "Noto Sans CJK JP, Noto Sans, DejaVu Sans, sans-serif"
#define BAR 36 /* height of the dark bars above and below */

struct card {
    cairo_surface_t *print; /* bars and small print, the whole picture */
    cairo_surface_t *title;
    double title_x, title_y;
    bool rtl;
};

static PangoLayout *layout(cairo_t *cr, const char *font, double px, const char *text)
{
    PangoLayout *l = pango_cairo_create_layout(cr);
    PangoFontDescription *d = pango_font_description_from_string(font);
    cairo_font_options_t *o = cairo_font_options_create();
    cairo_font_options_set_hint_style(o, CAIRO_HINT_STYLE_NONE);
    cairo_font_options_set_antialias(o, CAIRO_ANTIALIAS_GRAY);
    pango_cairo_context_set_font_options(pango_layout_get_context(l), o);
    cairo_font_options_destroy(o);
    pango_font_description_set_absolute_size(d, px * PANGO_SCALE);
    pango_layout_set_font_description(l, d);
    pango_font_description_free(d);
    pango_layout_set_text(l, text, -1);
    return l;
}

static void letter_space(PangoLayout *l, double px)
{
    PangoAttrList *a = pango_attr_list_new();
    pango_attr_list_insert(a, pango_attr_letter_spacing_new((int)(px * PANGO_SCALE)));
    pango_layout_set_attributes(l, a);
    pango_attr_list_unref(a);
}

/* Sets the title at `px` and tells whether it fits into w x h. */
static bool fits(PangoLayout *l, double px, double w, double h)
{
    int lw, lh;
    PangoFontDescription *d = pango_font_description_copy(pango_layout_get_font_description(l));
    pango_font_description_set_absolute_size(d, px * PANGO_SCALE);
    pango_layout_set_font_description(l, d);
    pango_font_description_free(d);
    pango_layout_set_width(l, (int)(w * PANGO_SCALE));
    pango_layout_get_pixel_size(l, &lw, &lh);
    return lw <= w && lh <= h;
}

/* The least width at which the title keeps its number of lines: lines of even length. */
static double balance(PangoLayout *l, double w)
{
    int lines = pango_layout_get_line_count(l);
    double lo = w / (lines + 1), hi = w;
    for (int i = 0; i < 10 && lines > 1; i++) {
        double mid = (lo + hi) / 2;
        int lw;
        pango_layout_set_width(l, (int)(mid * PANGO_SCALE));
        pango_layout_get_pixel_size(l, &lw, NULL);
        if (pango_layout_get_line_count(l) > lines || lw > mid + 1)
            lo = mid;
        else
            hi = mid;
    }
    pango_layout_set_width(l, (int)(hi * PANGO_SCALE));
    return hi;
}

/* Names in the log what no font can show. */
static void warn_missing(PangoLayout *l, const char *text)
{
    int n = pango_layout_get_unknown_glyphs_count(l);
    if (!n)
        return;
    struct buf which = BUF_INIT(200);
    PangoContext *c = pango_layout_get_context(l);
    PangoFontDescription *d = pango_font_description_from_string(TITLE_FONT);
    PangoFontset *set = pango_context_load_fontset(c, d, pango_language_get_default());
    int named = 0;
    for (const char *p = text; *p && named < 6; p = g_utf8_next_char(p)) {
        gunichar u = g_utf8_get_char(p);
        PangoFont *font = set ? pango_fontset_get_font(set, u) : NULL;
        if (font && !pango_font_has_char(font, u) && g_unichar_isgraph(u)) {
            buf_addf(&which, "%sU+%04X", named++ ? " " : "", (unsigned)u);
        }
        if (font)
            g_object_unref(font);
    }
    log_warn("animatic",
             "no font for %d characters (%s): they show as boxes; install fonts-noto-cjk, "
             "fonts-noto-color-emoji and fonts-noto-core",
             n, which.len ? buf_str(&which) : "unknown");
    if (set)
        g_object_unref(set);
    pango_font_description_free(d);
    buf_free(&which);
}

/* A dark haze around the type: the layer's alpha, blurred by three box passes. */
static void blur_alpha(cairo_surface_t *v, int radius)
{
    int w = cairo_image_surface_get_width(v), h = cairo_image_surface_get_height(v);
    int stride = cairo_image_surface_get_stride(v);
    int most = w > h ? w : h;
    uint8_t *line = malloc((size_t)most);
    cairo_surface_flush(v);
    uint8_t *data = cairo_image_surface_get_data(v);
    for (int pass = 0; line && data && pass < 6; pass++) {
        bool rows = pass % 2 == 0;
        int n = rows ? w : h, lines = rows ? h : w, step = rows ? 1 : stride;
        for (int i = 0; i < lines; i++) {
            uint8_t *p = data + (rows ? (ptrdiff_t)i * stride : i);
            int sum = 0;
            for (int j = 0; j < n; j++)
                line[j] = p[(ptrdiff_t)j * step];
            for (int j = -radius; j < n; j++) {
                sum += j + radius < n ? line[j + radius] : 0;
                sum -= j - radius - 1 >= 0 ? line[j - radius - 1] : 0;
                if (j >= 0)
                    p[(ptrdiff_t)j * step] = (uint8_t)(sum / (2 * radius + 1));
            }
        }
    }
    free(line);
    cairo_surface_mark_dirty(v);
}

/* Type with shade, shadow and outline, painted at x, y of `cr`. Emoji keep their own colours. */
static void paint_type(cairo_t *cr, PangoLayout *l, double x, double y, double px,
                       const struct scene *s, struct rgb ink)
{
    cairo_surface_t *target = cairo_get_target(cr);
    int w = cairo_image_surface_get_width(target), h = cairo_image_surface_get_height(target);
    struct rgb dark = scene_shade(s->deep, 0.35);
    const double spread[2] = {px * 0.3 + 6 * s->k, px * 0.06 + s->k};
    for (int i = 0; i < 2; i++) {
        cairo_surface_t *haze = cairo_image_surface_create(CAIRO_FORMAT_A8, w, h);
        cairo_t *hc = cairo_create(haze);
        cairo_move_to(hc, x, y + (i ? px * 0.045 : 0));
        pango_cairo_layout_path(hc, l);
        cairo_set_line_width(hc, spread[i]);
        cairo_set_line_join(hc, CAIRO_LINE_JOIN_ROUND);
        cairo_set_source_rgba(hc, 0, 0, 0, 1);
        cairo_stroke_preserve(hc);
        cairo_fill(hc);
        cairo_destroy(hc);
        blur_alpha(haze, (int)(spread[i] * (i ? 0.6 : 0.55)) + 1);
        cairo_push_group(cr);
        scene_ink(cr, dark, 1);
        cairo_mask_surface(cr, haze, 0, 0);
        cairo_pop_group_to_source(cr);
        cairo_paint_with_alpha(cr, i ? 0.8 : 0.42);
        cairo_surface_destroy(haze);
    }
    cairo_move_to(cr, x, y);
    pango_cairo_layout_path(cr, l);
    cairo_set_line_join(cr, CAIRO_LINE_JOIN_ROUND);
    cairo_set_line_width(cr, px * 0.05 + 1.4 * s->k);
    scene_ink(cr, dark, 0.95);
    cairo_stroke(cr);
    cairo_new_path(cr);
    scene_ink(cr, ink, 1);
    cairo_move_to(cr, x, y);
    pango_cairo_show_layout(cr, l);
}

static void make_title(struct card *c, const struct animatic_spec *spec, const struct scene *s)
{
    cairo_t *cr;
    /* the stage's lower third covers what is below */
    double top = (BAR + 12) * s->k, bottom = s->h * 0.72;
    double w = s->w * 0.8, h = bottom - top - 16 * s->k;
    double least = 9 * s->k, px = 76 * s->k, hi = px;
    cairo_surface_t *probe = scene_layer(1, 1, &cr);
    PangoLayout *l = layout(cr, TITLE_FONT, px, spec->prompt);
    pango_layout_set_alignment(l, PANGO_ALIGN_CENTER);
    pango_layout_set_wrap(l, PANGO_WRAP_WORD_CHAR);
    pango_layout_set_line_spacing(l, 1.04f);
    if (!fits(l, px, w, h)) {
        double lo = least;
        for (int i = 0; i < 9; i++) {
            double mid = (lo + hi) / 2;
            *(fits(l, mid, w, h) ? &lo : &hi) = mid;
        }
        px = lo;
        fits(l, px, w, h);
    }
    /* Longer texts look better a little smaller than the largest that fits. */
    if (pango_layout_get_line_count(l) > 3)
        fits(l, px *= 0.93, w, h);
    if (pango_layout_get_line_count(l) > 0 && px <= least * 1.01) { /* no size fits: the end goes */
        pango_layout_set_height(l, (int)(h * PANGO_SCALE));
        pango_layout_set_ellipsize(l, PANGO_ELLIPSIZE_END);
    }
    balance(l, w);
    warn_missing(l, spec->prompt);
    int lw, lh;
    double box = pango_layout_get_width(l) / (double)PANGO_SCALE, pad = px * 0.5 + 22 * s->k;
    pango_layout_get_pixel_size(l, &lw, &lh);
    cairo_destroy(cr);
    cairo_surface_destroy(probe);

    c->title = scene_layer((int)(box + 2 * pad), (int)(lh + 2 * pad), &cr);
    pango_cairo_update_layout(cr, l);
    struct rgb ink = scene_mix(s->light, (struct rgb){1, 1, 1}, 0.72);
    paint_type(cr, l, pad, pad, px, s, ink);
    cairo_destroy(cr);
    c->rtl = pango_layout_get_direction(l, 0) == PANGO_DIRECTION_RTL;
    g_object_unref(l);
    c->title_x = (s->w - box) / 2 - pad;
    c->title_y = (top + bottom - lh) / 2 - pad;
}

/* One line of small print; `align` -1 starts at x, 1 ends there. Returns its width. */
static double small(cairo_t *cr, const char *text, double x, double y, double px, double spacing,
                    double most, int align, struct rgb ink, double alpha)
{
    int w, h;
    PangoLayout *l = layout(cr, SMALL_FONT, px, text);
    if (spacing > 0)
        letter_space(l, spacing);
    pango_layout_set_single_paragraph_mode(l, TRUE);
    pango_layout_get_pixel_size(l, &w, &h);
    if (w > most) {
        pango_layout_set_width(l, (int)(most * PANGO_SCALE));
        pango_layout_set_ellipsize(l, PANGO_ELLIPSIZE_END);
        pango_layout_get_pixel_size(l, &w, &h);
    }
    scene_ink(cr, ink, alpha);
    cairo_move_to(cr, align > 0 ? x - w : x, y - h / 2.0);
    pango_cairo_show_layout(cr, l);
    g_object_unref(l);
    return w;
}

static void make_print(struct card *c, const struct animatic_spec *spec, const struct scene *s)
{
    cairo_t *cr;
    double k = s->k, bar = BAR * k, side = 30 * k;
    struct rgb dark = scene_shade(s->deep, 0.3),
               pale = scene_mix(s->light, (struct rgb){1, 1, 1}, 0.5);
    c->print = scene_layer(s->w, s->h, &cr);
    cairo_pattern_t *p = cairo_pattern_create_radial(s->w / 2.0, s->h / 2.0, s->h * 0.45,
                                                     s->w / 2.0, s->h / 2.0, s->w * 0.64);
    cairo_pattern_add_color_stop_rgba(p, 0, dark.r, dark.g, dark.b, 0);
    cairo_pattern_add_color_stop_rgba(p, 1, dark.r, dark.g, dark.b, 0.42);
    cairo_set_source(cr, p);
    cairo_paint(cr);
    cairo_pattern_destroy(p);
    scene_ink(cr, scene_shade(dark, 0.55), 1);
    cairo_rectangle(cr, 0, 0, s->w, bar);
    cairo_rectangle(cr, 0, s->h - bar, s->w, bar);
    cairo_fill(cr);
    scene_ink(cr, s->accent, 0.9);
    cairo_rectangle(cr, 0, bar, s->w, 1.2 * k);
    cairo_rectangle(cr, 0, s->h - bar - 1.2 * k, s->w, 1.2 * k);
    cairo_fill(cr);

    /* What this is stands in a box of its own, top left, in every frame. */
    double w = 108 * k, h = 19 * k;
    scene_ink(cr, scene_shade(s->accent, 1.15), 1);
    cairo_rectangle(cr, side, (bar - h) / 2, w, h);
    cairo_fill(cr);
    struct rgb on = scene_luma(s->accent) > 0.45 ? dark : (struct rgb){1, 1, 1};
    small(cr, "ANIMATIC", side + 11 * k, bar / 2, 13 * k, 3.2 * k, w, -1, on, 1);
    small(cr, "drawn title card, no model", side + w + 12 * k, bar / 2, 11.5 * k, 0.4 * k,
          s->w * 0.4, -1, pale, 0.6);
    if (spec->style[0])
        small(cr, spec->style, s->w - side, bar / 2, 13 * k, 1.6 * k, s->w * 0.3, 1, pale, 0.92);
    if (spec->viewer[0]) {
        double by = small(cr, "a prompt by", side, s->h - bar / 2, 11.5 * k, 0.4 * k, s->w * 0.3,
                          -1, pale, 0.6);
        small(cr, spec->viewer, side + by + 7 * k, s->h - bar / 2, 14 * k, 0.3 * k, s->w * 0.42, -1,
              pale, 1);
    }
    if (spec->label[0])
        small(cr, spec->label, s->w - side, s->h - bar / 2, 11.5 * k, 0.8 * k, s->w * 0.32, 1, pale,
              0.8);
    cairo_destroy(cr);
}

struct card *card_new(const struct animatic_spec *spec, const struct scene *s, struct fault *f)
{
    struct card *c = calloc(1, sizeof *c);
    if (!c) {
        fault_set(f, ERR_NOMEM, "no memory for the title card");
        return NULL;
    }
    make_title(c, spec, s);
    make_print(c, spec, s);
    return c;
}

void card_paint(const struct card *c, const struct scene *s, cairo_t *cr, double t)
{
    double w = cairo_image_surface_get_width(c->title);
    double drift = (scene_travel(s, t) - 0.5) * 9 * s->k,
           y = c->title_y + sin(t * 0.9) * 1.6 * s->k;
    double shown = scene_smooth((t + 0.15) / 0.95);
    double x = c->title_x + (c->rtl ? -drift : drift);
    cairo_set_source_surface(cr, c->print, 0, 0);
    cairo_paint(cr);
    if (shown < 1) { /* a soft edge travels over the type */
        double edge = shown * 1.3 * w, soft = 0.3 * w;
        double from = c->rtl ? x + w - edge : x + edge;
        cairo_pattern_t *m =
            cairo_pattern_create_linear(from - (c->rtl ? -soft : soft), 0, from, 0);
        cairo_pattern_add_color_stop_rgba(m, 0, 0, 0, 0, 1);
        cairo_pattern_add_color_stop_rgba(m, 1, 0, 0, 0, 0);
        cairo_set_source_surface(cr, c->title, x, y + (1 - shown) * 8 * s->k);
        cairo_mask(cr, m);
        cairo_pattern_destroy(m);
    } else {
        scene_show(cr, c->title, x, y, 1);
    }
}

void card_free(struct card *c)
{
    if (!c)
        return;
    cairo_surface_destroy(c->title);
    cairo_surface_destroy(c->print);
    free(c);
}

void card_warm(void)
{
    cairo_t *cr;
    cairo_surface_t *v = scene_layer(8, 8, &cr);
    const char *fonts[] = {TITLE_FONT, SMALL_FONT};
    for (int i = 0; i < 2; i++) {
        PangoLayout *l = layout(cr, fonts[i], 20, "Aあ漢🌸");
        pango_cairo_show_layout(cr, l);
        g_object_unref(l);
    }
    cairo_destroy(cr);
    cairo_surface_destroy(v);
}
