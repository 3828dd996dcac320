/* tui/term/term: the terminal. The only place that knows ncurses.
 *
 * One terminal a process; loop thread only, and nothing here waits for the terminal: ncurses works
 * out the bytes, they go out as far as the terminal takes them, and while some wait no new picture
 * is made, so that a terminal that stands still (a stalled ssh, Ctrl-S) costs frames and never the
 * show. Reading and decoding keys is the caller's (input.h); term_read() hands the bytes over.
 *
 * term_open() takes the terminal (raw, alternate screen, bracketed paste); term_close() gives it
 * back as it was. A crash gives it back too (SIGSEGV, SIGABRT, SIGBUS, SIGFPE, SIGILL). */
#ifndef SAKUGA_TUI_TERM_TERM_H
#define SAKUGA_TUI_TERM_TERM_H

#include "base/err.h"
#include "tui/grid.h"

#include <stdbool.h>
#include <stddef.h>

struct tty;

/* Install handlers for SIGWINCH and SIGTSTP before this, else ncurses takes them. ERR_UNSUPPORTED
 * for a terminal that terminfo does not know. `ascii`: nothing beyond ASCII is written. */
struct tty *term_open(bool ascii, struct fault *f);
void term_close(struct tty *t); /* NULL is fine */

int term_fd(const struct tty *t); /* readable when the operator types */
/* Bytes read, 0 when there are none now, -1 when the terminal is gone. */
int term_read(struct tty *t, char *bytes, size_t size);

bool term_colour(const struct tty *t);
bool term_unicode(const struct tty *t);
/* The terminal's size now. */
void term_size(const struct tty *t, int *w, int *h);

/* Shows the grid: only what changed is sent. ERR_BUSY while the last picture is still on its way
 * (draw again later); ERR_CLOSED when the terminal is gone. */
enum err term_draw(struct tty *t, const struct grid *g);
/* Sends on what waits; true while something still does. */
bool term_flush(struct tty *t);
/* The next term_draw() sends everything anew (Ctrl-L). */
void term_repaint(struct tty *t);

/* Gives the terminal back, stops the process group (SIGTSTP), and takes the terminal again when the
 * shell brings it to the front. Returns then. */
void term_suspend(struct tty *t);

/* For the bench: bytes sent so far. */
uint64_t term_sent(const struct tty *t);

#endif
