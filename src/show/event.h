/* show/event: what happened, told to everyone who asked.
 *
 * Loop thread only. Published after a change was applied. A subscriber may leave, or others may
 * come, while an event runs: who left is not called any more, who came does not see it. */
#ifndef SAKUGA_SHOW_EVENT_H
#define SAKUGA_SHOW_EVENT_H

#include "show/prompt.h"

#define EVENT_KINDS(X)                                                                             \
    X(PROMPT, "prompt") /* a prompt went from one state to another */                              \
    X(EDITED, "edited") /* its text, style, votes or priority changed */                           \
    X(OBS, "obs")                                                                                  \
    X(CHAT, "chat")                                                                                \
    X(ENGINE, "engine")                                                                            \
    X(PICTURE, "picture") /* a preview, review or program picture came */                          \
    X(PAUSED, "paused")                                                                            \
    X(PANIC, "panic")                                                                              \
    X(OPEN, "open")                                                                                \
    X(STORE, "store")                                                                              \
    X(DISK, "disk")                                                                                \
    X(STYLES, "styles")                                                                            \
    X(SCRIPT, "script")

enum event_kind {
#define EVENT_ENUM(id, name) EVENT_##id,
    EVENT_KINDS(EVENT_ENUM)
#undef EVENT_ENUM
};

struct event {
    enum event_kind kind;
    int64_t mono_ms;
    /* EVENT_PROMPT and EVENT_EDITED: the prompt as it is now; borrowed for the call */
    const struct prompt *prompt;
    enum prompt_state from, to;
    const char *by; /* who did it: "operator", "auto", "viewer", "system", a script's name */
    int index;      /* EVENT_CHAT: which source */
};

const char *event_name(enum event_kind k);

typedef void event_fn(void *user, const struct event *e);

struct events {
    struct subscriber *first;
    uint64_t serial;
};

/* `name` is static and used in logs. Returns a handle, NULL without memory. */
struct subscriber *event_subscribe(struct events *ev, const char *name, event_fn *fn, void *user);
void event_unsubscribe(struct events *ev, struct subscriber *s);
void event_publish(struct events *ev, const struct event *e);
void event_free_all(struct events *ev);

#endif
