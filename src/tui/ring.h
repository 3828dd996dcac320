/* tui/ring: the newest lines of the log and of what happened, for the log pane.
 *
 * Any thread may add (log sinks do), so it has a lock; reading copies. Bounded. */
#ifndef SAKUGA_TUI_RING_H
#define SAKUGA_TUI_RING_H

#include "base/log.h"

#include <pthread.h>
#include <stdatomic.h>

#define RING_LINES 256

struct ring_line {
    int64_t utc_ms;
    enum log_level level;
    char room[12];
    char text[240];
};

struct ring {
    pthread_mutex_t lock;
    struct ring_line line[RING_LINES]; /* under the lock */
    uint64_t added;                    /* under the lock: lines ever added */
    atomic_ullong version;             /* the same, to be looked at without it */
};

void ring_init(struct ring *r);
void ring_free(struct ring *r);
void ring_add(struct ring *r, int64_t utc_ms, enum log_level level, const char *room,
              const char *text);
/* Copies the line `back` lines before the newest; false when there is none. */
bool ring_get(struct ring *r, unsigned back, struct ring_line *out);

#endif
