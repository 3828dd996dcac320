#include "tui/ring.h"

#include "base/buf.h"

#include <string.h>

void ring_init(struct ring *r)
{
    memset(r, 0, sizeof *r);
    pthread_mutex_init(&r->lock, NULL);
}

void ring_free(struct ring *r)
{
    pthread_mutex_destroy(&r->lock);
}

void ring_add(struct ring *r, int64_t utc_ms, enum log_level level, const char *room,
              const char *text)
{
    pthread_mutex_lock(&r->lock);
    struct ring_line *l = &r->line[r->added++ % RING_LINES];
    l->utc_ms = utc_ms;
    l->level = level;
    str_copy(l->room, sizeof l->room, room);
    str_copy(l->text, sizeof l->text, text);
    pthread_mutex_unlock(&r->lock);
    atomic_fetch_add(&r->version, 1);
}

bool ring_get(struct ring *r, unsigned back, struct ring_line *out)
{
    pthread_mutex_lock(&r->lock);
    bool there = back < RING_LINES && back < r->added;
    if (there)
        *out = r->line[(r->added - 1 - back) % RING_LINES];
    pthread_mutex_unlock(&r->lock);
    return there;
}
