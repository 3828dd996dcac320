#include "tensor/tape.h"

#include <stdlib.h>
#include <string.h>

#define GRAIN 256 /* of an address, as of any allocation */

static bool more_room(struct tape *t)
{
    if (t->n < t->room)
        return true;
    int room = t->room ? 2 * t->room : 32;
    struct loan *more = realloc(t->loan, (size_t)room * sizeof *more);
    if (!more)
        return false;
    t->loan = more;
    t->room = room;
    return true;
}

/* On a device that only counts nothing lies there: any pointer of its own will do. */
static void *within(const struct device *d, size_t at)
{
    return d->caps.hollow ? malloc(1) : (char *)d->tape->base + at;
}

void *tape_take(struct device *d, size_t bytes)
{
    struct tape *t = d->tape;
    struct loan l = {.bytes = (bytes + GRAIN - 1) / GRAIN * GRAIN};
    int i = 0;
    if (!more_room(t))
        return NULL;
    while (i < t->n && t->loan[i].at - l.at < l.bytes) {
        l.at = t->loan[i].at + t->loan[i].bytes;
        i++;
    }
    l.on_tape = l.at + l.bytes <= t->size;
    if (!l.on_tape && t->records) {
        tape_unready(d, "more memory");
        return NULL;
    }
    l.p = l.on_tape ? within(d, l.at) : d->ops->alloc(d, bytes);
    if (!l.p)
        return NULL;
    memmove(t->loan + i + 1, t->loan + i, (size_t)(t->n++ - i) * sizeof l);
    t->loan[i] = l;
    t->most = l.at + l.bytes > t->most ? l.at + l.bytes : t->most;
    return l.p;
}

bool tape_give(struct device *d, void *p)
{
    struct tape *t = d->tape;
    int i = 0;
    while (i < t->n && t->loan[i].p != p)
        i++;
    if (i == t->n)
        return false;
    bool on_tape = t->loan[i].on_tape;
    memmove(t->loan + i, t->loan + i + 1, (size_t)(--t->n - i) * sizeof *t->loan);
    if (on_tape && d->caps.hollow)
        free(p);
    return on_tape;
}

bool tape_records(const struct device *d)
{
    return d->tape && d->tape->records;
}

void tape_unready(struct device *d, const char *what)
{
    if (device_failed(d))
        return;
    d->tape->unready = true;
    device_fail(d, ERR_STATE, "work that is recorded needs %s", what);
}

void tape_outdate(struct device *d)
{
    if (d->tape)
        d->tape->age++;
}
