/* tui/grid: a screen of cells. Views write into it; `tui/term` shows it; tests read it.
 *
 * A cell holds one grapheme cluster that takes one or two columns. This is also the gate through
 * which all text passes on its way to a terminal: whatever a string holds, what lies in a cell is
 * printable, has a known width, and cannot be an escape sequence. Everything outside the grid or
 * the current rectangle is cut off. Pure; owned by one thread. */
#ifndef SAKUGA_TUI_GRID_H
#define SAKUGA_TUI_GRID_H

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

#define GRID_CLUSTER 20 /* bytes of a cell's text, terminator included */
#define GRID_SIDE_MAX 1000

/* A colour is 0xRRGGBB or one of these. */
#define COLOUR_DEFAULT 0x01000000u                   /* the terminal's own */
#define COLOUR_KEEP 0x02000000u                      /* what the cell had before */
#define COLOUR_ANSI(n) (0x03000000u | (uint32_t)(n)) /* one of the terminal's sixteen */
#define COLOUR_IS_ANSI(c) (((c)&0xff000000u) == 0x03000000u)
#define COLOUR_IS_RGB(c) (!((c)&0xff000000u))

enum { INK_BOLD = 1, INK_DIM = 2, INK_UNDERLINE = 4, INK_REVERSE = 8, INK_ITALIC = 16 };

struct ink {
    uint32_t fg, bg;
    uint8_t attr;
};

struct cell {
    char text[GRID_CLUSTER]; /* "" and " " are both blank */
    struct ink ink;
    uint8_t width; /* 1 or 2; 0: the right half of the wide cell before it */
};

struct rect {
    int x, y, w, h;
};

struct grid {
    int w, h;
    struct cell *cells;     /* [h][w] */
    int cursor_x, cursor_y; /* -1: no cursor */
};

/* Makes it w x h and blank. Sides are bounded by GRID_SIDE_MAX. */
enum err grid_resize(struct grid *g, int w, int h);
void grid_free(struct grid *g);
void grid_clear(struct grid *g, struct ink ink);

/* The cell, NULL outside. */
struct cell *grid_at(const struct grid *g, int x, int y);
/* One cluster of a known width. */
void grid_put(struct grid *g, int x, int y, struct ink ink, const char *cluster, int width);
/* Blanks a rectangle. */
void grid_fill(struct grid *g, struct rect r, struct ink ink);
/* Recolours what is there: selection bars, dimming. */
void grid_tint(struct grid *g, struct rect r, struct ink ink);
/* Writes at most `cells` columns of `s`; what does not fit ends in "…" (`~` in ASCII). Returns the
 * columns used. */
int grid_text(struct grid *g, int x, int y, int cells, struct ink ink, const char *s);
int grid_textf(struct grid *g, int x, int y, int cells, struct ink ink, const char *fmt, ...)
    __attribute__((format(printf, 6, 7)));
/* Breaks words over the lines of `r`, from line `skip` on; returns the lines the text takes. */
int grid_wrap(struct grid *g, struct rect r, struct ink ink, const char *s, int skip);

#endif
