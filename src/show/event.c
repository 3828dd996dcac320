#include "show/event.h"

#include <stdlib.h>

struct subscriber {
    struct subscriber *next;
    const char *name;
    event_fn *fn; /* NULL: has left, freed when no event runs */
    void *user;
    uint64_t since; /* serial of the first event it may see */
    int running;
};

const char *event_name(enum event_kind k)
{
    static const char *const names[] = {
#define EVENT_NAME(id, name) name,
        EVENT_KINDS(EVENT_NAME)
#undef EVENT_NAME
    };
    return names[k];
}

struct subscriber *event_subscribe(struct events *ev, const char *name, event_fn *fn, void *user)
{
    struct subscriber *s = calloc(1, sizeof *s), **at = &ev->first;
    if (!s)
        return NULL;
    s->name = name;
    s->fn = fn;
    s->user = user;
    s->since = ev->serial + 1;
    while (*at)
        at = &(*at)->next;
    *at = s;
    return s;
}

static void sweep(struct events *ev)
{
    for (struct subscriber **at = &ev->first; *at;) {
        struct subscriber *s = *at;
        if (!s->fn && !s->running) {
            *at = s->next;
            free(s);
        } else {
            at = &s->next;
        }
    }
}

void event_unsubscribe(struct events *ev, struct subscriber *s)
{
    bool running = false;
    if (!s)
        return;
    s->fn = NULL;
    for (struct subscriber *i = ev->first; i; i = i->next)
        running |= i->running > 0;
    if (!running)
        sweep(ev);
}

void event_publish(struct events *ev, const struct event *e)
{
    uint64_t serial = ++ev->serial;
    bool nested = false;
    for (struct subscriber *s = ev->first; s; s = s->next)
        nested |= s->running > 0;
    for (struct subscriber *s = ev->first; s; s = s->next) {
        if (!s->fn || s->since > serial)
            continue;
        s->running++;
        s->fn(s->user, e);
        s->running--;
    }
    if (!nested)
        sweep(ev);
}

void event_free_all(struct events *ev)
{
    while (ev->first) {
        struct subscriber *s = ev->first;
        ev->first = s->next;
        free(s);
    }
}
