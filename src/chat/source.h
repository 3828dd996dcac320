/* chat/source: what every chat source is, and what it tells the show.
 *
 * Loop thread only. A kind of source is one file with a `struct chat_source_ops`; its own struct
 * begins with a `struct source`. chat.c keeps the outboxes, so a source just sends lines. */
#ifndef SAKUGA_CHAT_SOURCE_H
#define SAKUGA_CHAT_SOURCE_H

#include "chat/chat.h"
#include "chat/outbox.h"

struct source;

struct chat_source_ops {
    const char *kind; /* as in show.lua */
    /* Makes one and begins to connect; never calls back before it returns. */
    struct source *(*start)(struct loop *l, const struct chat_settings *s, struct fault *f);
    void (*stop)(struct source *s); /* ends it and frees it */
    /* Says one line, now; asked only while ready(). False: it was lost, which is logged. */
    bool (*send)(struct source *s, const char *line, const char *parent);
    /* May lines be sent? */
    bool (*ready)(const struct source *s);
    /* Fills in `connected` and what only it knows; the rest is filled already. */
    void (*status)(const struct source *s, struct chat_status *st);
    /* The platform's send budget. */
    void (*limits)(const struct source *s, struct outbox_limits *limits);
};

/* The kinds that exist. Next: EventSub, YouTube, Streamer.bot. */
extern const struct chat_source_ops irc_ops;
extern const struct chat_source_ops simulated_ops;

struct source {
    const struct chat_source_ops *ops;
    struct chat *chat;  /* set by chat_add() */
    int index;          /* in the settings */
    char where[128];    /* for people, without secrets */
    char why[200];      /* the last trouble, "" when all is well */
    int64_t heard_ms;   /* mono of the last byte */
    uint64_t lines;     /* chat lines so far */
    struct buf clean;   /* room for cleaning a text */
    struct outbox *out; /* chat.c's */
};

/* A line of chat as it came; cleaned, counted and handed on. `who->name` is cleaned too, and the
 * uid stands in when nothing is left of it. */
void source_line(struct source *s, struct viewer *who, const char *channel, const char *msgid,
                 const char *text, size_t n, int64_t utc_ms);
void source_withdraw(struct source *s, struct chat_withdrawal *w);
/* `connected` or `why` may have changed. `why` NULL leaves it as it is. */
void source_changed(struct source *s, const char *why);

#endif
