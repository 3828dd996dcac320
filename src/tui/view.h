/* tui/view: what the files of the console share: its state, and one function a view. Internal. */
#ifndef SAKUGA_TUI_VIEW_H
#define SAKUGA_TUI_VIEW_H

#include "tui/keys.h"
#include "tui/layout.h"
#include "tui/line.h"
#include "tui/list.h"
#include "tui/ring.h"
#include "tui/tui.h"

#define RATE_SAMPLES 61 /* one a second: lines a minute */
#define FORCED_MS 150   /* keys that act are ignored this long after the list moved by itself */
#define TYPED_KEYS 8    /* more printable keys than this … */
#define TYPED_MS 300    /* … within this time did not come from a hand */
#define MESSAGE_MS 6000

enum overlay { OVERLAY_NONE, OVERLAY_HELP, OVERLAY_INSPECT };

/* What the input line is for. */
enum asking { ASK_NOTHING, ASK_COMMAND, ASK_FILTER, ASK_EDIT, ASK_REASON, ASK_YES };

struct tui {
    const struct show *show;
    const struct commands *commands;
    struct look look;
    const struct tui_ops *ops;
    void *user;

    enum pane focus;
    struct list list[PANE_REVIEW + 1]; /* held, ready, review */
    char filter[256];
    int log_back; /* lines the log is scrolled up */
    enum overlay overlay;
    int scroll; /* of the overlay */
    int64_t inspected;

    enum asking asking;
    int64_t asked_ms; /* since when */
    struct line line;
    struct line_history history;
    char question[160];   /* ASK_YES, ASK_REASON, ASK_EDIT: what stands before the input */
    char pending[2200];   /* the command that the answer completes */
    char complete_of[64]; /* what was typed when Tab was first pressed */
    int complete_at;      /* candidate that Tab shows; -1 none */

    char message[600];
    enum log_level message_level;
    int64_t message_ms;
    int64_t forced_ms; /* the list moved under the hand; INT64_MIN never */
    int64_t acted_id;  /* whose leaving the operator caused */
    int64_t bang_ms;   /* the first of `!!` */
    int64_t typed[TYPED_KEYS];
    int typed_at;
    bool typed_too_fast; /* until the keys stop */
    int64_t typed_last;

    struct ring ring;
    struct {
        int64_t mono_ms;
        uint64_t lines;
    } rate[CHAT_SOURCES_MAX][RATE_SAMPLES];
    int rate_at, rate_count;

    struct tui_time now; /* of the last call */
    bool touched;        /* something of our own changed */
    uint64_t drawn_show, drawn_ring;
};

/* tui.c */
void tui_gather(struct tui *t);
/* The prompt that keys act on in the focused pane; NULL when there is none. */
const struct prompt *tui_subject(const struct tui *t);
void tui_focus(struct tui *t, enum pane p);

/* act.c */
void act_command(struct tui *t, const struct command *row);
void act_run(struct tui *t, const char *line);
void act_view(struct tui *t, enum view_key key);
void act_input(struct tui *t, const char *key);

/* views: each draws its rectangle and no more */
void view_lamps(struct tui *t, struct grid *g, struct rect r);
void view_held(struct tui *t, struct grid *g, struct rect r);
void view_ready(struct tui *t, struct grid *g, struct rect r);
void view_review(struct tui *t, struct grid *g, struct rect r);
void view_now(struct tui *t, struct grid *g, struct rect r);
void view_log(struct tui *t, struct grid *g, struct rect r);
void view_program(struct tui *t, struct grid *g, struct rect r);
void view_inspector(struct tui *t, struct grid *g, struct rect r);
void view_help(struct tui *t, struct grid *g, struct rect r);
void view_message(struct tui *t, struct grid *g, struct rect r);
void view_footer(struct tui *t, struct grid *g, struct rect r);

/* frame.c: what views draw with */
/* The border (when `framed`) or a title line, with the title's words at the left and `note` at the
 * right; returns what is inside. */
struct rect frame_draw(struct tui *t, struct grid *g, struct rect r, bool framed, bool focused,
                       const char *title, int count, const char *note);
/* The row's mark of selection; `y` in cells. */
struct ink frame_row(struct tui *t, struct grid *g, struct rect r, int y, bool selected,
                     bool focused);
void frame_scrollbar(struct tui *t, struct grid *g, struct rect inside, int top, int rows, int all);
void frame_bar(struct tui *t, struct grid *g, int x, int y, int w, double part);
/* The picture in half blocks, as large as it fits, its proportions kept, at the left or centred.
 * Returns the columns it took. `h` rows. */
int frame_picture(struct tui *t, struct grid *g, struct rect r, const struct picture *p,
                  bool centred);
/* The size in pixels at which a picture of 26:15 fills `r`. */
void frame_pixels(struct rect r, int *w, int *h);
const struct ink *frame_ink(const struct tui *t, enum look_role role);
const char *frame_glyph(const struct tui *t, enum look_glyph g);
/* "8s", "12m", "3h", "2d" */
void frame_age(char out[16], int64_t ms);
/* "0:12", "3:05", "1:02:00" */
void frame_duration(char out[16], int64_t ms);
/* "40 s", "14-19 min" */
void frame_range(char out[32], const struct eta_range *e);
/* Two or three letters for where a viewer is. */
const char *frame_platform(const char *platform);

#endif
