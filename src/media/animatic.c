/* media/animatic: sky, one motif of each slot, the card, and a breath of grain.
 *
 * All that is random is drawn from one generator, seeded by the job's seed and the prompt, while
 * the picture is made; painting a frame only looks at its time. The moods and motifs come from the
 * words of the prompt where it has such words. */
#include "media/animatic.h"

#include "base/buf.h"
#include "media/card.h"
#include "media/motif.h"

#include <glib.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define GRAIN 4096 /* bytes of noise; a power of two */

struct animatic {
    struct scene scene;
    int fps;
    cairo_surface_t *sky, *canvas;
    const struct motif *motif[MOTIF_SLOTS];
    void *state[MOTIF_SLOTS];
    struct card *card;
    int8_t grain[GRAIN];
    uint64_t seed;
    struct buf motifs;
};

static const uint32_t palettes[][5] = {
    {0x1a1a3e, 0x3d4f8f, 0xe56b8a, 0xf7b5a7, 0xfff0dc}, /* evening blossom */
    {0x0b1026, 0x1f3b73, 0x3fa7d6, 0xf2c14e, 0xfef9ef}, /* night festival */
    {0x10002b, 0x5a189a, 0xff2e88, 0x00e5ff, 0xf8f7ff}, /* neon */
    {0x14342b, 0x3b7a57, 0x86bbd8, 0xf6d186, 0xfdf6e3}, /* summer fields */
    {0x2b1b17, 0x8a3324, 0xf28c28, 0xf9c784, 0xfff4e0}, /* autumn */
    {0x101418, 0x3a4750, 0x8fa3ad, 0xc94b4b, 0xf2efe9}, /* ink and rain */
};

static uint64_t hash_text(const char *s, uint64_t h)
{
    for (; *s; s++)
        h = (h ^ (unsigned char)*s) * UINT64_C(0x100000001b3);
    return h;
}

static cairo_surface_t *make_sky(const struct scene *s)
{
    cairo_surface_t *v = cairo_image_surface_create(CAIRO_FORMAT_RGB24, s->w, s->h);
    cairo_t *cr = cairo_create(v);
    cairo_pattern_t *p = cairo_pattern_create_linear(0, 0, 0, s->horizon);
    cairo_pattern_add_color_stop_rgb(p, 0, s->sky_top.r, s->sky_top.g, s->sky_top.b);
    cairo_pattern_add_color_stop_rgb(p, 0.55, s->sky_mid.r, s->sky_mid.g, s->sky_mid.b);
    cairo_pattern_add_color_stop_rgb(p, 1, s->sky_low.r, s->sky_low.g, s->sky_low.b);
    cairo_set_source(cr, p);
    cairo_paint(cr);
    cairo_pattern_destroy(p);
    scene_glow(cr, s->w * 0.5, s->horizon, s->w * 0.62, s->light,
               s->mood == SCENE_NIGHT ? 0.18 : 0.4);
    cairo_destroy(cr);
    return v;
}

static bool make_motifs(struct animatic *a, const char *prompt, struct rng *r)
{
    motif_choose(prompt, r, a->motif);
    for (int i = 0; i < MOTIF_SLOTS; i++) {
        if (!a->motif[i])
            continue;
        a->state[i] = a->motif[i]->make(&a->scene, r);
        if (!a->state[i])
            return false;
        buf_addf(&a->motifs, "%s%s", a->motifs.len ? ", " : "", a->motif[i]->name);
    }
    return true;
}

struct animatic *animatic_new(const struct animatic_spec *spec, struct fault *f)
{
    struct animatic *a = calloc(1, sizeof *a);
    if (!a || !g_utf8_validate(spec->prompt, -1, NULL)) {
        fault_set(f, a ? ERR_INVAL : ERR_NOMEM, "cannot draw the prompt: %s",
                  a ? "it is not UTF-8" : "out of memory");
        free(a);
        return NULL;
    }
    struct scene *s = &a->scene;
    struct rng r = {hash_text(spec->prompt, spec->seed ^ UINT64_C(0xcbf29ce484222325))};
    a->seed = rng_next(&r);
    a->fps = spec->fps;
    s->w = spec->width;
    s->h = spec->height;
    s->k = spec->height / 480.0;
    s->seconds = (double)spec->frames / spec->fps;
    s->horizon = s->h * rng_range(&r, 0.64, 0.72);
    s->mood = motif_mood(spec->prompt, &r);
    int chosen = rng_int(&r, (int)(sizeof palettes / sizeof *palettes));
    if (spec->palette_n > 0)
        scene_colours(s, spec->palette, spec->palette_n);
    else
        scene_colours(s, palettes[chosen], 5);
    a->sky = make_sky(s);
    a->canvas = cairo_image_surface_create(CAIRO_FORMAT_RGB24, s->w, s->h);
    for (int i = 0; i < GRAIN; i++)
        a->grain[i] = (int8_t)(rng_int(&r, 2) + rng_int(&r, 2) - 1);
    a->card = card_new(spec, s, f);
    if (a->card && make_motifs(a, spec->prompt, &r) &&
        cairo_surface_status(a->canvas) == CAIRO_STATUS_SUCCESS)
        return a;
    fault_set(f, ERR_NOMEM, "no memory to draw a picture of %dx%d", s->w, s->h);
    animatic_free(a);
    return NULL;
}

static uint8_t add_grain(int v, int grain)
{
    v += grain;
    return (uint8_t)(v < 0 ? 0 : v > 255 ? 255 : v);
}

/* Cairo's native-endian xRGB words to packed RGB, with grain that is new in each frame. */
static void take_out(const struct animatic *a, int frame, uint8_t *rgb)
{
    struct rng r = {a->seed + (uint64_t)frame};
    int stride = cairo_image_surface_get_stride(a->canvas);
    const uint8_t *data = cairo_image_surface_get_data(a->canvas);
    for (int y = 0; y < a->scene.h; y++) {
        const uint32_t *row = (const uint32_t *)(const void *)(data + (ptrdiff_t)y * stride);
        unsigned at = (unsigned)rng_next(&r);
        for (int x = 0; x < a->scene.w; x++, rgb += 3) {
            int g = a->grain[(at + (unsigned)x) & (GRAIN - 1)];
            uint32_t p = row[x];
            rgb[0] = add_grain((int)(p >> 16 & 255), g);
            rgb[1] = add_grain((int)(p >> 8 & 255), g);
            rgb[2] = add_grain((int)(p & 255), g);
        }
    }
}

void animatic_draw(struct animatic *a, int i, uint8_t *rgb)
{
    double t = (double)i / a->fps;
    cairo_t *cr = cairo_create(a->canvas);
    cairo_set_source_surface(cr, a->sky, 0, 0);
    cairo_set_operator(cr, CAIRO_OPERATOR_SOURCE);
    cairo_paint(cr);
    cairo_set_operator(cr, CAIRO_OPERATOR_OVER);
    for (int m = 0; m < MOTIF_SLOTS; m++)
        if (a->motif[m])
            a->motif[m]->paint(a->state[m], &a->scene, cr, t);
    card_paint(a->card, &a->scene, cr, t);
    cairo_destroy(cr);
    cairo_surface_flush(a->canvas);
    take_out(a, i, rgb);
}

const char *animatic_motifs(const struct animatic *a)
{
    return buf_str(&a->motifs);
}

void animatic_free(struct animatic *a)
{
    if (!a)
        return;
    for (int m = 0; m < MOTIF_SLOTS; m++)
        if (a->state[m])
            a->motif[m]->drop(a->state[m]);
    card_free(a->card);
    if (a->sky)
        cairo_surface_destroy(a->sky);
    if (a->canvas)
        cairo_surface_destroy(a->canvas);
    buf_free(&a->motifs);
    free(a);
}

void animatic_warm(void)
{
    card_warm();
}
