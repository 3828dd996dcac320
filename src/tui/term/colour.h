/* tui/term/colour: the grid's colours as what a terminal has, and a bounded cache of colour pairs.
 *
 * ncurses wants a number for every pair of colours. A moving picture needs new ones with each
 * frame, and what alloc_pair() gives out it never takes back. Here at most COLOUR_PAIRS exist;
 * when all are given out, those that no cell of the screen shows any more are taken back
 * (mark and sweep over the cells). */
#ifndef SAKUGA_TUI_TERM_COLOUR_H
#define SAKUGA_TUI_TERM_COLOUR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define COLOUR_PAIRS 8192

enum colour_depth { COLOURS_NONE, COLOURS_8, COLOURS_16, COLOURS_256, COLOURS_TRUE };

/* What ncurses calls a colour of the grid: an index, a direct value, -1 the terminal's own. */
int colour_index(uint32_t c, enum colour_depth depth);

struct pairs {
    struct {
        int fg, bg;
        uint16_t next; /* hash chain; 0 ends */
    } pair[COLOUR_PAIRS];
    uint16_t head[COLOUR_PAIRS * 2];
    uint16_t free[COLOUR_PAIRS];
    int free_count, used;
    uint64_t sweeps;
    void (*init)(int pair, int fg, int bg); /* init_extended_pair(), or a test's */
};

void pairs_init(struct pairs *p, void (*init)(int pair, int fg, int bg));
/* The pair's number (1 .. COLOUR_PAIRS-1). `shown[n]` holds the pairs of all cells of the screen.
 * 0 (the terminal's own colours) when every pair is on the screen. */
int pairs_get(struct pairs *p, int fg, int bg, const uint16_t *shown, size_t n);

#endif
