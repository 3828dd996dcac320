#include "tui/layout.h"

static int least(int a, int b)
{
    return a < b ? a : b;
}

static int between(int low, int v, int high)
{
    return v < low ? low : v > high ? high : v;
}

/* Cuts `n` lines off the bottom, or off the top, or `n` columns off the right. */
static struct rect cut_bottom(struct rect *r, int n)
{
    n = between(0, n, r->h);
    r->h -= n;
    return (struct rect){r->x, r->y + r->h, n ? r->w : 0, n};
}

static struct rect cut_top(struct rect *r, int n)
{
    n = between(0, n, r->h);
    struct rect top = {r->x, r->y, n ? r->w : 0, n};
    r->y += n;
    r->h -= n;
    return top;
}

static struct rect cut_right(struct rect *r, int n)
{
    n = between(0, n, r->w);
    r->w -= n;
    return (struct rect){r->x + r->w, r->y, n, n ? r->h : 0};
}

static void lists(struct layout *l, struct rect r)
{
    l->pane[PANE_READY] = cut_bottom(&r, r.h * 2 / 5);
    l->pane[PANE_HELD] = r;
}

/* The clip under review is what has to be judged: it gets the larger picture. */
static void work(struct layout *l, struct rect r, int now)
{
    l->pane[PANE_NOW] = cut_top(&r, now);
    l->pane[PANE_REVIEW] = r;
}

static void tiny(struct layout *l, struct rect r, enum pane focus)
{
    l->pane[focus] = r;
    l->frames = false;
}

static void narrow(struct layout *l, struct rect r, enum pane focus)
{
    l->pane[PANE_LOG] = cut_bottom(&r, focus == PANE_LOG ? r.h / 2 : between(4, r.h / 4, 8));
    if (focus == PANE_REVIEW || focus == PANE_NOW)
        work(l, r, focus == PANE_REVIEW ? 4 : r.h / 2 + 1);
    else
        lists(l, r);
}

/* Lists and log at the left, pictures at the right in the screen's full height. */
static void left_column(struct layout *l, struct rect r, enum pane focus)
{
    l->pane[PANE_LOG] = cut_bottom(&r, focus == PANE_LOG ? r.h / 2 : between(5, r.h / 4, 14));
    lists(l, r);
}

static void full(struct layout *l, struct rect r, enum pane focus)
{
    work(l, cut_right(&r, between(46, r.w * 45 / 100, 80)), between(7, r.h * 3 / 8, 16));
    left_column(l, r, focus);
}

static void wide(struct layout *l, struct rect r, enum pane focus)
{
    struct rect side = cut_right(&r, between(44, r.w / 4, 64));
    l->program = cut_bottom(&side, between(8, (side.w - 2) * 9 / 32 + 3, side.h / 2));
    l->inspector = side;
    work(l, cut_right(&r, between(52, r.w * 46 / 100, 90)), between(7, r.h * 3 / 8, 16));
    left_column(l, r, focus);
}

struct layout layout_make(int w, int h, enum pane focus)
{
    struct layout l = {.kind = LAYOUT_NONE, .frames = true};
    struct rect r = {0, 0, w, h};
    if (w < 16 || h < 4) {
        l.message = cut_top(&r, least(1, h));
        l.frames = false;
        return l;
    }
    l.lamps = cut_top(&r, w >= 60 && h >= 12 ? 2 : 1);
    if (h >= 8)
        l.footer = cut_bottom(&r, 1);
    l.message = cut_bottom(&r, 1);
    l.body = r;
    if (w >= 160 && h >= 36) {
        l.kind = LAYOUT_WIDE;
        wide(&l, r, focus);
    } else if (w >= 100 && h >= 20) {
        l.kind = LAYOUT_FULL;
        full(&l, r, focus);
    } else if (w >= 60 && h >= 16) {
        l.kind = LAYOUT_NARROW;
        narrow(&l, r, focus);
    } else {
        l.kind = LAYOUT_TINY;
        tiny(&l, r, focus);
    }
    return l;
}
