/* tui/layout: which part of the screen shows what, from its size alone. Pure; tested at every size.
 *
 *   wide   from 160x36   lists and log | now and review | inspector and program
 *   full   from 100x20   lists and log | now and review
 *   narrow from 60x16    lists, or now and review when one of them has the focus; log below
 *   tiny   from 16x4     the pane that has the focus alone
 *   none                 one line of words
 *
 * Parts never overlap and never leave the screen; a part that is not shown has w == 0. */
#ifndef SAKUGA_TUI_LAYOUT_H
#define SAKUGA_TUI_LAYOUT_H

#include "tui/grid.h"

enum pane { PANE_HELD, PANE_READY, PANE_REVIEW, PANE_NOW, PANE_LOG, PANES };

enum layout_kind { LAYOUT_NONE, LAYOUT_TINY, LAYOUT_NARROW, LAYOUT_FULL, LAYOUT_WIDE };

struct layout {
    enum layout_kind kind;
    struct rect lamps; /* one or two lines at the top; nothing is ever drawn over them */
    struct rect pane[PANES];
    struct rect inspector, program;
    struct rect body;    /* all between lamps and message: where an overlay goes */
    struct rect message; /* one line */
    struct rect footer;  /* one line */
    bool frames;         /* panes have borders */
};

struct layout layout_make(int w, int h, enum pane focus);

#endif
