/* tui/tui: the console: what the operator sees and what the keys mean.
 *
 * Reads `const struct show *` and writes cells (tui/grid); keys become lines for the command table.
 * It knows no terminal and no clock: `tui/term` shows the grid, the caller hands in keys and time.
 * Loop thread only, except tui_log(). The views are one file each; view.h is what they share. */
#ifndef SAKUGA_TUI_TUI_H
#define SAKUGA_TUI_TUI_H

#include "base/log.h"
#include "command/command.h"
#include "show/show.h"
#include "tui/grid.h"
#include "tui/look.h"

struct tui;

struct tui_ops {
    /* Runs a command line with the operator's rights. The answer may come later. */
    void (*run)(void *user, const char *line, struct answer a);
    /* The clip of this prompt is to play at about w x h pixels (0: none) into show->review. Called
     * at every picture; the same wish again means nothing. */
    void (*review)(void *user, int64_t id, int w, int h);
    void (*repaint)(void *user); /* Ctrl-L */
    void (*suspend)(void *user); /* Ctrl-Z */
};

struct tui_time {
    int64_t mono_ms, utc_ms;
};

/* `show`, `commands`, `ops` outlive it; the look is copied. NULL without memory. */
struct tui *tui_new(const struct show *show, const struct commands *commands,
                    const struct look *look, const struct tui_ops *ops, void *user);
/* Only when no answer is on its way any more. */
void tui_free(struct tui *t);

/* A key by the name that tui/term/input.h gives it. */
void tui_key(struct tui *t, const char *key, struct tui_time now);
/* Pasted text, as it came. Outside of an input line it is dropped. */
void tui_paste(struct tui *t, const char *text, size_t n, struct tui_time now);

/* Draw again, also when nothing changed (the screen's size did). */
void tui_touch(struct tui *t);
/* Did anything change that a picture would show? */
bool tui_dirty(const struct tui *t);
/* Draws everything into the grid, whose size is the screen's. */
void tui_draw(struct tui *t, struct grid *g, struct tui_time now);

/* Words for the message line. */
void tui_say(struct tui *t, enum log_level level, const char *text, struct tui_time now);
/* A line for the log pane; any thread. Fits log_add_sink() with the tui as user. */
void tui_log(void *tui, const struct log_line *line);
/* Something happened in the show; fits event_subscribe(). */
void tui_event(void *tui, const struct event *e);

#endif
