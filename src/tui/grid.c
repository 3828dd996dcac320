#include "tui/grid.h"

#include "base/buf.h"
#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LINE_MAX_BYTES 8192

static const struct cell blank = {" ", {COLOUR_DEFAULT, COLOUR_DEFAULT, 0}, 1};

enum err grid_resize(struct grid *g, int w, int h)
{
    w = w < 0 ? 0 : w > GRID_SIDE_MAX ? GRID_SIDE_MAX : w;
    h = h < 0 ? 0 : h > GRID_SIDE_MAX ? GRID_SIDE_MAX : h;
    struct cell *cells = calloc((size_t)w * (size_t)h + 1, sizeof *cells);
    if (!cells)
        return ERR_NOMEM;
    free(g->cells);
    *g = (struct grid){w, h, cells, -1, -1};
    grid_clear(g, blank.ink);
    return ERR_OK;
}

void grid_free(struct grid *g)
{
    free(g->cells);
    *g = (struct grid){.cursor_x = -1, .cursor_y = -1};
}

void grid_clear(struct grid *g, struct ink ink)
{
    struct cell c = blank;
    c.ink = ink;
    for (int i = 0; i < g->w * g->h; i++)
        g->cells[i] = c;
    g->cursor_x = g->cursor_y = -1;
}

struct cell *grid_at(const struct grid *g, int x, int y)
{
    return x >= 0 && y >= 0 && x < g->w && y < g->h ? &g->cells[y * g->w + x] : NULL;
}

static void set_ink(struct cell *c, struct ink ink)
{
    if (ink.fg != COLOUR_KEEP)
        c->ink.fg = ink.fg;
    if (ink.bg != COLOUR_KEEP)
        c->ink.bg = ink.bg;
    c->ink.attr = ink.attr;
}

static void make_blank(struct cell *c)
{
    if (c) {
        strcpy(c->text, " ");
        c->width = 1;
    }
}

/* A cell loses its content: the other half of a wide one becomes blank. */
static void vacate(struct grid *g, int x, int y)
{
    struct cell *c = grid_at(g, x, y);
    if (c->width == 0)
        make_blank(grid_at(g, x - 1, y));
    else if (c->width == 2)
        make_blank(grid_at(g, x + 1, y));
    make_blank(c);
}

/* The code point at s[n] (n > 0 bytes left), its length in *len; U+FFFD for what is no UTF-8. */
static uint32_t decode(const char *s, size_t n, size_t *len)
{
    unsigned char c = (unsigned char)s[0];
    size_t want = c < 0x80 ? 1 : c < 0xc2 ? 0 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : c < 0xf5 ? 4 : 0;
    uint32_t u = want <= 1 ? c : c & (0xffu >> (want + 1));
    *len = 1;
    if (!want || want > n)
        return 0xfffd;
    for (size_t i = 1; i < want; i++) {
        if (((unsigned char)s[i] & 0xc0) != 0x80)
            return 0xfffd;
        u = u << 6 | ((unsigned char)s[i] & 0x3f);
    }
    *len = want;
    return u;
}

static bool is_control(uint32_t u)
{
    return u < 0x20 || (u >= 0x7f && u < 0xa0) || u == 0x2028 || u == 0x2029 ||
           (u >= 0x200b && u <= 0x200f) || (u >= 0x202a && u <= 0x202e) ||
           (u >= 0x2060 && u <= 0x206f) || u == 0xfeff || (u >= 0xd800 && u <= 0xdfff);
}

static bool is_flag(uint32_t u)
{
    return u >= 0x1f1e6 && u <= 0x1f1ff;
}

/* What a terminal draws alike everywhere: the base of the cluster with its marks. Joined emoji show
 * their first, since terminals disagree on the width of the whole; flags show their letters;
 * variation selectors go. Returns false when nothing is left to show. */
static bool tame(char out[GRID_CLUSTER], const char *s, size_t n)
{
    size_t len, at = 0, marks = 0;
    for (size_t i = 0; i < n; i += len) {
        uint32_t u = decode(s + i, n - i, &len);
        if (u == 0x200d) /* joiner */
            break;
        if (is_flag(u)) {
            char letter[2] = {(char)('A' + (u - 0x1f1e6)), '\0'};
            if (at + 1 < GRID_CLUSTER)
                at += (size_t)snprintf(out + at, GRID_CLUSTER - at, "%s", letter);
            continue;
        }
        if (is_control(u) || (u >= 0xfe00 && u <= 0xfe0f) || (u >= 0x1f3fb && u <= 0x1f3ff && at) ||
            u >= 0xe0000)
            continue;
        const char *from = u == 0xfffd ? "\xef\xbf\xbd" : s + i;
        size_t bytes = u == 0xfffd ? 3 : len;
        if (at + bytes >= GRID_CLUSTER || marks++ == 3)
            break;
        memcpy(out + at, from, bytes);
        at += bytes;
    }
    out[at] = '\0';
    return at > 0;
}

void grid_put(struct grid *g, int x, int y, struct ink ink, const char *cluster, int width)
{
    struct cell *c = grid_at(g, x, y);
    char text[GRID_CLUSTER];
    unsigned char first = (unsigned char)cluster[0];
    if (!c || width < 1)
        return;
    if (first >= 0x20 && first < 0x7f && !cluster[1]) {
        text[0] = (char)first;
        text[1] = '\0';
    } else if (!tame(text, cluster, strlen(cluster))) {
        strcpy(text, "?");
        width = 1;
    }
    if (width > 1 && x + 1 >= g->w) { /* half of it would be cut off */
        strcpy(text, " ");
        width = 1;
    }
    vacate(g, x, y);
    set_ink(c, ink);
    memcpy(c->text, text, sizeof text);
    c->width = (uint8_t)(width > 1 ? 2 : 1);
    if (c->width == 2) {
        vacate(g, x + 1, y);
        c[1].text[0] = '\0';
        c[1].width = 0;
        set_ink(&c[1], ink);
    }
}

void grid_fill(struct grid *g, struct rect r, struct ink ink)
{
    for (int y = r.y; y < r.y + r.h; y++)
        for (int x = r.x; x < r.x + r.w; x++)
            grid_put(g, x, y, ink, " ", 1);
}

void grid_tint(struct grid *g, struct rect r, struct ink ink)
{
    for (int y = r.y; y < r.y + r.h; y++)
        for (int x = r.x; x < r.x + r.w; x++) {
            struct cell *c = grid_at(g, x, y);
            if (c) {
                uint8_t attr = c->ink.attr | ink.attr;
                set_ink(c, ink);
                c->ink.attr = attr;
            }
        }
}

static void put_flag(struct grid *g, int x, int y, struct ink ink, const char *s, size_t n)
{
    size_t len;
    for (int i = 0; i < 2; i++, s += len, n -= len) {
        uint32_t u = n ? decode(s, n, &len) : ' ';
        char letter[2] = {is_flag(u) ? (char)('A' + (u - 0x1f1e6)) : ' ', '\0'};
        if (!n)
            len = 0;
        grid_put(g, x + i, y, ink, letter, 1);
    }
}

static int put_line(struct grid *g, int x, int y, int cells, struct ink ink, const char *s)
{
    int used = 0, w;
    for (size_t n; (n = text_next(s, &w)); s += n) {
        char cluster[80];
        if (w < 1)
            continue;
        if (used + w > cells)
            break;
        size_t len = n < sizeof cluster ? n : sizeof cluster - 1, one;
        memcpy(cluster, s, len);
        cluster[len] = '\0';
        grid_put(g, x + used, y, ink, cluster, w);
        if (w == 2 && is_flag(decode(cluster, len, &one))) /* its letters, a cell each */
            put_flag(g, x + used, y, ink, cluster, len);
        else if (w == 2 && grid_at(g, x + used, y) && grid_at(g, x + used, y)->width == 1)
            grid_put(g, x + used + 1, y, ink, " ", 1); /* tamed to a narrow one */
        used += w;
    }
    return used;
}

int grid_text(struct grid *g, int x, int y, int cells, struct ink ink, const char *s)
{
    struct buf fit = BUF_INIT(LINE_MAX_BYTES);
    int used;
    if (y < 0 || y >= g->h || x >= g->w || cells <= 0)
        return 0;
    if (cells > g->w - x)
        cells = g->w - x;
    text_fit(&fit, s, cells);
    used = put_line(g, x, y, cells, ink, buf_str(&fit));
    buf_free(&fit);
    return used;
}

int grid_textf(struct grid *g, int x, int y, int cells, struct ink ink, const char *fmt, ...)
{
    char text[LINE_MAX_BYTES / 2];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    return grid_text(g, x, y, cells, ink, text);
}

/* Bytes of `s` that make the next line of `cells` columns: up to the last blank that fits, or
 * within a word that is longer than a line. */
static size_t line_of(const char *s, int cells)
{
    size_t at = 0, blank_at = 0, n;
    int used = 0, w;
    while ((n = text_next(s + at, &w))) {
        if (s[at] == '\n')
            return at;
        if (s[at] == ' ')
            blank_at = at;
        if (used + w > cells)
            return blank_at ? blank_at : at ? at : n;
        used += w;
        at += n;
    }
    return at;
}

int grid_wrap(struct grid *g, struct rect r, struct ink ink, const char *s, int skip)
{
    int line = 0;
    if (r.w < 1)
        return 0;
    while (*s) {
        size_t n = line_of(s, r.w);
        char text[LINE_MAX_BYTES];
        snprintf(text, sizeof text, "%.*s", (int)n, s);
        if (line >= skip && line - skip < r.h)
            grid_text(g, r.x, r.y + line - skip, r.w, ink, text);
        line++;
        s += n;
        while (*s == ' ')
            s++;
        if (*s == '\n')
            s++;
    }
    return line;
}
