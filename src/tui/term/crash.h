/* tui/term/crash: a crash gives the terminal back before the process ends.
 *
 * The handler calls only what a signal handler may: it writes the bytes that were made ready,
 * restores the line settings, says that the queue is safe, and lets the signal do its work. */
#ifndef SAKUGA_TUI_TERM_CRASH_H
#define SAKUGA_TUI_TERM_CRASH_H

#include <stddef.h>
#include <termios.h>

/* `leave[n]`: what makes the terminal plain again (512 bytes at most). */
void crash_arm(int fd, const struct termios *saved, const char *leave, size_t n);
void crash_disarm(void);

#endif
