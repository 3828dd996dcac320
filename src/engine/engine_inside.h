/* engine/engine_inside: the struct behind engine/engine.h, for engine.c and errands.c. */
#ifndef SAKUGA_ENGINE_ENGINE_INSIDE_H
#define SAKUGA_ENGINE_ENGINE_INSIDE_H

#include "engine/engine.h"
#include "engine/peer.h"

struct errand {
    enum order_kind kind;
    int64_t id;
    int w, h, frames, fps;
    bool sent;
    char path[PATH_LEN];
};

struct engine {
    const struct engine_ops *ops;
    void *user;
    struct peer *draw, *media;
    struct engine_status status;

    struct engine_job *queue[ENGINE_JOBS_MAX]; /* not sent yet, oldest first */
    int queued;
    int64_t current; /* id of the job sent, 0 none */
    bool cancelling;
    struct timer *cancel_limit, *stall_limit;
    int stall_ms;
    bool draws_only;

    int64_t cancelled[ENGINE_JOBS_MAX]; /* taken out of the queue, to be told */
    int cancelled_n;
    struct timer *tell;

    struct errand errands[ENGINE_ERRANDS_MAX]; /* oldest first */
    int errands_n;
    struct errand play; /* kind ORDER_PLAY or ORDER_STOP */

    struct order order; /* large: room for the order being sent */
};

#define TELL(e, op, ...)                                                                           \
    do {                                                                                           \
        if ((e)->ops->op)                                                                          \
            (e)->ops->op((e)->user, __VA_ARGS__);                                                  \
    } while (0)

/* The clip that a report tells of; it borrows from the report. */
void engine_clip_of(const struct report *r, struct engine_clip *c);

extern const struct peer_ops engine_errand_ops;

#endif
