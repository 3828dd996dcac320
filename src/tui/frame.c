#include "tui/view.h"

#include "base/text.h"

#include <stdio.h>
#include <string.h>

const struct ink *frame_ink(const struct tui *t, enum look_role role)
{
    return &t->look.ink[role];
}

const char *frame_glyph(const struct tui *t, enum look_glyph g)
{
    return look_glyph(&t->look, g);
}

/* ---- frames ---- */

static void border(struct tui *t, struct grid *g, struct rect r, struct ink ink)
{
    for (int x = r.x + 1; x < r.x + r.w - 1; x++) {
        grid_put(g, x, r.y, ink, frame_glyph(t, GLYPH_H), 1);
        grid_put(g, x, r.y + r.h - 1, ink, frame_glyph(t, GLYPH_H), 1);
    }
    for (int y = r.y + 1; y < r.y + r.h - 1; y++) {
        grid_put(g, r.x, y, ink, frame_glyph(t, GLYPH_V), 1);
        grid_put(g, r.x + r.w - 1, y, ink, frame_glyph(t, GLYPH_V), 1);
    }
    grid_put(g, r.x, r.y, ink, frame_glyph(t, GLYPH_TL), 1);
    grid_put(g, r.x + r.w - 1, r.y, ink, frame_glyph(t, GLYPH_TR), 1);
    grid_put(g, r.x, r.y + r.h - 1, ink, frame_glyph(t, GLYPH_BL), 1);
    grid_put(g, r.x + r.w - 1, r.y + r.h - 1, ink, frame_glyph(t, GLYPH_BR), 1);
}

static void title_line(struct tui *t, struct grid *g, struct rect r, bool focused,
                       const char *title, int count, const char *note)
{
    struct ink name = *frame_ink(t, focused ? LOOK_TITLE_FOCUS : LOOK_TITLE);
    int x = r.x + 2, end = r.x + r.w - 2, room = end - x;
    if (room < 3)
        return;
    x += grid_textf(g, x, r.y, room, name, " %s ", title);
    if (count >= 0 && end - x > 4)
        x += grid_textf(g, x, r.y, end - x, *frame_ink(t, LOOK_NUMBER), "%d ", count);
    if (note[0] && end - x > 8) {
        char text[128];
        struct buf fit = BUF_INIT(512);
        snprintf(text, sizeof text, " %s ", note);
        text_fit(&fit, text, end - x - 2);
        grid_text(g, end - text_cells(buf_str(&fit)), r.y, end - x, *frame_ink(t, LOOK_DIM),
                  buf_str(&fit));
        buf_free(&fit);
    }
}

struct rect frame_draw(struct tui *t, struct grid *g, struct rect r, bool framed, bool focused,
                       const char *title, int count, const char *note)
{
    struct rect line = {r.x - 1, r.y, r.w + 1, 1};
    if (framed && r.h >= 3) {
        border(t, g, r, *frame_ink(t, focused ? LOOK_FOCUS : LOOK_BORDER));
        title_line(t, g, r, focused, title, count, note);
        return (struct rect){r.x + 1, r.y + 1, r.w - 2, r.h - 2};
    }
    if (r.h < 2)
        return r;
    title_line(t, g, line, focused, title, count, note);
    return (struct rect){r.x, r.y + 1, r.w, r.h - 1};
}

struct ink frame_row(struct tui *t, struct grid *g, struct rect r, int y, bool selected,
                     bool focused)
{
    struct ink text = *frame_ink(t, LOOK_TEXT);
    if (selected) {
        struct ink bar = *frame_ink(t, focused ? LOOK_SELECT : LOOK_SELECT_OFF);
        if (bar.fg == COLOUR_DEFAULT) /* the columns keep their colours */
            bar.fg = COLOUR_KEEP;
        grid_tint(g, (struct rect){r.x, y, r.w, 1}, bar);
        if (focused)
            grid_put(g, r.x, y, *frame_ink(t, LOOK_FOCUS), frame_glyph(t, GLYPH_POINT), 1);
    }
    return text;
}

void frame_scrollbar(struct tui *t, struct grid *g, struct rect inside, int top, int rows, int all)
{
    int x = inside.x + inside.w;
    if (all <= rows || rows < 2)
        return;
    int size = rows * rows / all, at;
    if (size < 1)
        size = 1;
    at = (rows - size) * top / (all - rows);
    for (int i = 0; i < size; i++) {
        struct ink ink = *frame_ink(t, LOOK_BAR);
        ink.attr |= INK_BOLD;
        grid_put(g, x, inside.y + at + i, ink, t->look.ascii ? "#" : "┃", 1);
    }
}

void frame_bar(struct tui *t, struct grid *g, int x, int y, int w, double part)
{
    int full = (int)(part * w + 0.5);
    for (int i = 0; i < w; i++)
        grid_put(g, x + i, y, *frame_ink(t, i < full ? LOOK_BAR : LOOK_BAR_REST),
                 frame_glyph(t, i < full ? GLYPH_FULL : GLYPH_REST), 1);
}

/* ---- pictures ---- */

/* The mean colour of the source under the target pixel (x, y) of w x h; between two source pixels
 * where the target is larger. */
static uint32_t sample(const struct picture *p, int x, int y, int w, int h)
{
    int x0 = x * p->w / w, x1 = (x + 1) * p->w / w, y0 = y * p->h / h, y1 = (y + 1) * p->h / h;
    unsigned sum[3] = {0, 0, 0}, n = 0;
    if (x1 <= x0)
        x1 = x0 + 1;
    if (y1 <= y0)
        y1 = y0 + 1;
    for (int sy = y0; sy < y1 && sy < p->h; sy++)
        for (int sx = x0; sx < x1 && sx < p->w; sx++, n++)
            for (int c = 0; c < 3; c++)
                sum[c] += p->rgb[((size_t)sy * (size_t)p->w + (size_t)sx) * 3 + (size_t)c];
    if (!n)
        return 0;
    return (sum[0] / n) << 16 | (sum[1] / n) << 8 | sum[2] / n;
}

static int luma(uint32_t c)
{
    return (int)((c >> 16 & 0xff) * 54 + (c >> 8 & 0xff) * 183 + (c & 0xff) * 19) / 256;
}

static uint32_t mix(uint32_t a, uint32_t b)
{
    return ((a & 0xfefefe) >> 1) + ((b & 0xfefefe) >> 1);
}

/* Without colours brightness becomes ink; without half blocks two pixels become one cell. */
static void picture_cell(struct tui *t, struct grid *g, int x, int y, uint32_t up, uint32_t down)
{
    static const char ramp[] = " .:-=+*#%@";
    if (!t->look.colour) {
        char c[2] = {ramp[luma(mix(up, down)) * 10 / 256], '\0'};
        grid_put(g, x, y, (struct ink){COLOUR_DEFAULT, COLOUR_DEFAULT, 0}, c, 1);
    } else if (t->look.ascii) {
        grid_put(g, x, y, (struct ink){COLOUR_DEFAULT, mix(up, down), 0}, " ", 1);
    } else {
        grid_put(g, x, y, (struct ink){up, down, 0}, frame_glyph(t, GLYPH_HALF), 1);
    }
}

static void fit(struct rect r, int pw, int ph, int *w, int *h)
{
    *w = r.w;
    *h = r.h * 2;
    if (*w * ph > *h * pw)
        *w = *h * pw / ph;
    else
        *h = *w * ph / pw;
    *h &= ~1; /* whole cells */
}

void frame_pixels(struct rect r, int *w, int *h)
{
    fit(r, 26, 15, w, h);
}

int frame_picture(struct tui *t, struct grid *g, struct rect r, const struct picture *p,
                  bool centred)
{
    int w, h;
    if (!p->rgb || p->w < 1 || p->h < 1 || r.w < 2 || r.h < 1)
        return 0;
    fit(r, p->w, p->h, &w, &h);
    int left = centred ? r.x + (r.w - w) / 2 : r.x, top = centred ? r.y + (r.h - h / 2) / 2 : r.y;
    for (int y = 0; y + 1 < h; y += 2)
        for (int x = 0; x < w; x++)
            picture_cell(t, g, left + x, top + y / 2, sample(p, x, y, w, h),
                         sample(p, x, y + 1, w, h));
    return w;
}

/* ---- words ---- */

void frame_age(char out[16], int64_t ms)
{
    long long s = ms > 0 ? (long long)(ms / 1000) : 0;
    if (s < 60)
        snprintf(out, 16, "%llds", s);
    else if (s < 3600)
        snprintf(out, 16, "%lldm", s / 60);
    else if (s < 86400)
        snprintf(out, 16, "%lldh", s / 3600);
    else
        snprintf(out, 16, "%lldd", s / 86400);
}

void frame_duration(char out[16], int64_t ms)
{
    int s = (int)((ms + 500) / 1000);
    if (s < 3600)
        snprintf(out, 16, "%d:%02d", s / 60, s % 60);
    else
        snprintf(out, 16, "%d:%02d:%02d", s / 3600, s / 60 % 60, s % 60);
}

void frame_range(char out[32], const struct eta_range *e)
{
    const int64_t most = (int64_t)1000 * 86400 * 1000;
    int low = (int)((e->low_ms < most ? e->low_ms + 999 : most) / 1000);
    int high = (int)((e->high_ms < most ? e->high_ms + 999 : most) / 1000);
    int unit = high >= 120 ? 60 : 1;
    low = (low + unit / 2) / unit;
    high = (high + unit - 1) / unit;
    if (low < high)
        snprintf(out, 32, "%d-%d %s", low, high, unit == 60 ? "min" : "s");
    else
        snprintf(out, 32, "%d %s", high, unit == 60 ? "min" : "s");
}

const char *frame_platform(const char *platform)
{
    static const struct {
        const char *name, *letters;
    } known[] = {{"twitch", "tw"}, {"youtube", "yt"}, {"simulated", "sim"}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (!strcmp(platform, known[i].name))
            return known[i].letters;
    return platform;
}
