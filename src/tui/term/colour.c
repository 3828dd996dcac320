#include "tui/term/colour.h"

#include "tui/grid.h"

#include <stdlib.h>
#include <string.h>

/* ---- depth ---- */

static const uint8_t ansi_rgb[16][3] = {
    {0, 0, 0},       {205, 49, 49},   {13, 188, 121}, {229, 229, 16},
    {36, 114, 200},  {188, 63, 188},  {17, 168, 205}, {204, 204, 204},
    {102, 102, 102}, {241, 76, 76},   {35, 209, 139}, {245, 245, 67},
    {59, 142, 234},  {214, 112, 214}, {41, 184, 219}, {255, 255, 255}};

static int distance(int r, int g, int b, const uint8_t c[3])
{
    int dr = r - c[0], dg = g - c[1], db = b - c[2];
    return 2 * dr * dr + 4 * dg * dg + 3 * db * db;
}

static int nearest_ansi(int r, int g, int b, int count)
{
    int best = 0;
    for (int i = 1; i < count; i++)
        if (distance(r, g, b, ansi_rgb[i]) < distance(r, g, b, ansi_rgb[best]))
            best = i;
    return best;
}

/* The 6x6x6 cube has the levels 0 95 135 175 215 255; the grey ramp 8 18 … 238. */
static int level(int v)
{
    return v < 48 ? 0 : v < 115 ? 1 : (v - 35) / 40;
}

static int nearest_256(int r, int g, int b)
{
    static const uint8_t step[6] = {0, 95, 135, 175, 215, 255};
    int lr = level(r), lg = level(g), lb = level(b), mean = (r + g + b) / 3;
    int grey = mean < 8 ? 0 : mean > 238 ? 23 : (mean - 3) / 10;
    uint8_t cube[3] = {step[lr], step[lg], step[lb]}, ramp[3];
    memset(ramp, 8 + 10 * grey, sizeof ramp);
    if (distance(r, g, b, ramp) < distance(r, g, b, cube))
        return 232 + grey;
    return 16 + 36 * lr + 6 * lg + lb;
}

int colour_index(uint32_t c, enum colour_depth depth)
{
    int n = (int)(c & 0xff);
    if (depth == COLOURS_NONE || (!COLOUR_IS_RGB(c) && !COLOUR_IS_ANSI(c)))
        return -1;
    if (COLOUR_IS_ANSI(c)) {
        if (depth == COLOURS_8 || (depth == COLOURS_TRUE && n < 8))
            return n & 7;
        if (depth != COLOURS_TRUE)
            return n;
        return ansi_rgb[n & 15][0] << 16 | ansi_rgb[n & 15][1] << 8 | ansi_rgb[n & 15][2];
    }
    int r = (int)(c >> 16 & 0xff), g = (int)(c >> 8 & 0xff), b = n;
    switch (depth) {
    case COLOURS_TRUE: /* 0..7 would be the terminal's own eight */
        return (int)(c & 0xffffff) < 8 ? 8 : (int)(c & 0xffffff);
    case COLOURS_256:
        return nearest_256(r, g, b);
    case COLOURS_16:
        return nearest_ansi(r, g, b, 16);
    default:
        return nearest_ansi(r, g, b, 8);
    }
}

/* ---- pairs ---- */

static unsigned bucket(int fg, int bg)
{
    uint32_t h = (uint32_t)fg * 2654435761u ^ ((uint32_t)bg + 0x9e3779b9u) * 2246822519u;
    return (h ^ h >> 15) % (COLOUR_PAIRS * 2);
}

void pairs_init(struct pairs *p, void (*init)(int pair, int fg, int bg))
{
    memset(p, 0, sizeof *p);
    p->init = init;
    p->used = 1; /* pair 0 is the terminal's own */
}

/* Takes back every pair that no cell shows. */
static void sweep(struct pairs *p, const uint16_t *shown, size_t n)
{
    uint8_t live[COLOUR_PAIRS] = {0};
    for (size_t i = 0; i < n; i++)
        live[shown[i]] = 1;
    memset(p->head, 0, sizeof p->head);
    p->free_count = 0;
    for (int i = COLOUR_PAIRS - 1; i > 0; i--) {
        unsigned b = bucket(p->pair[i].fg, p->pair[i].bg);
        if (!live[i]) {
            p->free[p->free_count++] = (uint16_t)i;
            continue;
        }
        p->pair[i].next = p->head[b];
        p->head[b] = (uint16_t)i;
    }
    p->sweeps++;
}

int pairs_get(struct pairs *p, int fg, int bg, const uint16_t *shown, size_t n)
{
    unsigned b = bucket(fg, bg);
    if (fg < 0 && bg < 0)
        return 0;
    for (int i = p->head[b]; i; i = p->pair[i].next)
        if (p->pair[i].fg == fg && p->pair[i].bg == bg)
            return i;
    if (p->used == COLOUR_PAIRS && !p->free_count)
        sweep(p, shown, n);
    if (p->used == COLOUR_PAIRS && !p->free_count)
        return 0;
    int i = p->used < COLOUR_PAIRS ? p->used++ : p->free[--p->free_count];
    p->pair[i].fg = fg;
    p->pair[i].bg = bg;
    p->pair[i].next = p->head[b];
    p->head[b] = (uint16_t)i;
    p->init(i, fg, bg);
    return i;
}
