/* chat/outbox: what the show wants to say in one channel, within the platform's send budget.
 *
 * Pure; time is an argument (monotonic ms). Bounded: when it is full the oldest of the least
 * valuable replies goes. Replies that wait together for one viewer, or that are of one kind, leave
 * as one line. A reply that waited longer than `stale_ms` is not said any more. */
#ifndef SAKUGA_CHAT_OUTBOX_H
#define SAKUGA_CHAT_OUTBOX_H

#include "base/buf.h"
#include "show/viewer.h"

/* Rising value: what is dropped first stands first. */
enum chat_kind {
    CHAT_ANSWER,   /* the answer to a question: !queue, !help */
    CHAT_ACCEPTED, /* a prompt was taken */
    CHAT_REFUSED,  /* it was not, and why */
    CHAT_NEXT,     /* it comes next */
    CHAT_ON_AIR,   /* it is on air */
    CHAT_NOTICE,   /* from the operator to all */
    CHAT_KINDS
};

struct outbox_limits {
    int burst;         /* at most this many lines ... */
    int64_t window_ms; /* ... in any window of this length */
    int64_t gap_ms;    /* and this long between two */
    int64_t stale_ms;  /* not worth saying any more after this */
    int queue;         /* replies that may wait */
    size_t bytes;      /* of one line at most */
    size_t clusters;   /* of one line at most; 0: no such limit */
};

struct outbox;
struct outbox *outbox_new(const struct outbox_limits *limits);
void outbox_free(struct outbox *o);

/* Queues a reply to `to` (NULL: to all). `parent`: the message that it answers, "" or NULL without.
 * The text is cleaned here. False when it or another was dropped for it. */
bool outbox_add(struct outbox *o, int64_t now, const struct viewer *to, enum chat_kind kind,
                const char *text, const char *parent);

/* How long until outbox_take() gives a line; 0: now; -1: nothing waits. */
int64_t outbox_wait(struct outbox *o, int64_t now);

/* Takes the next line: appends its text to `line`, and its parent's id to `parent` when the line is
 * an answer to that message alone. False when there is none, or the budget does not allow it. */
bool outbox_take(struct outbox *o, int64_t now, struct buf *line, char parent[64]);

int outbox_waiting(const struct outbox *o);
uint64_t outbox_dropped(const struct outbox *o); /* for want of room or too old */

#endif
