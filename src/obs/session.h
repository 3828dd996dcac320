/* obs/session: one lasting conversation with an OBS (obs-websocket v5).
 *
 * Loop thread only. The session connects, proves the password, asks what this OBS can do, probes it
 * every 5 s, and comes back by itself after a loss with a jittered pause of 0.5 to 15 s. It gives
 * up only when going on would be wrong: the password is refused (4009) or a person threw us out
 * (4011); session_retry() is the way back. Requests are matched by id, since answers come out of
 * order. Every request ends exactly once through its callback, never from inside the call that made
 * it: answered, timed out, or ERR_CLOSED when the connection went. Objects are keyed by name. */
#ifndef SAKUGA_OBS_SESSION_H
#define SAKUGA_OBS_SESSION_H

#include "loop/loop.h"
#include "obs/wire.h"

struct session;

/* What a request came to. Borrowed for the length of the callback. */
struct reply {
    /* ERR_OK: OBS did it. ERR_STATE: it refused (`code`). ERR_TIMEOUT. ERR_CLOSED: no connection.
     * ERR_LIMIT: too many requests wait for their answers. */
    enum err err;
    int code;          /* OBS's status code, 0 without an answer; of a timeout: 207 or 0 */
    const char *text;  /* words about a failure, "" */
    const cJSON *data; /* the response data; of a batch: the array of results; may be NULL */
    int64_t took_us;   /* from the sending to the answer */
};
typedef void session_reply_fn(void *user, const struct reply *r);

struct session_ops {
    /* Identified, and the table of what it can do is known. */
    void (*on_up)(void *user);
    /* The connection went, or an attempt failed. `gave_up`: no more attempts. */
    void (*on_down)(void *user, const char *why, bool gave_up);
    void (*on_event)(void *user, const char *type, const cJSON *data); /* data may be NULL */
    /* The probe's answer: GetStats, and how long it took. */
    void (*on_probe)(void *user, const cJSON *stats, int64_t took_us);
};

/* Begins to connect. `password` may be NULL; it is copied and never logged. NULL with `f` when the
 * address is malformed. */
struct session *session_new(struct loop *l, const char *url, const char *password,
                            const struct session_ops *ops, void *user, struct fault *f);
/* Ends it at once: open requests end with ERR_CLOSED, nothing else is called. NULL is fine. */
void session_free(struct session *s);
/* Ends the websocket library's part of the loop; after the last session, before loop_free(). */
void session_shutdown(struct loop *l);

struct loop *session_loop(const struct session *s);
bool session_up(const struct session *s);
/* Connects again now: after giving up, or instead of waiting. `password` NULL keeps the old one. */
void session_retry(struct session *s, const char *password);
/* Does this OBS know the request? False while not up. */
bool session_can(const struct session *s, const char *request);
/* Does it make screenshots of this format ("ppm")? */
bool session_pictures(const struct session *s, const char *format);
int64_t session_heard_ms(const struct session *s); /* mono of the last message, 0 never */

/* Sends a request. `data` (may be NULL) is consumed. `fn` NULL: the answer is only logged when it
 * is a failure. 207 NotReady is tried again until the time is over. */
void session_request(struct session *s, const char *type, cJSON *data, int timeout_ms,
                     session_reply_fn *fn, void *user);

/* A batch: an array that batch_add() fills and session_batch() consumes. */
cJSON *session_batch_new(void);
void session_batch_add(cJSON *batch, const char *type, cJSON *data);
void session_batch(struct session *s, cJSON *batch, enum wire_mode mode, int timeout_ms,
                   session_reply_fn *fn, void *user);

/* {key: value} for request data; NULL value leaves the key out. The caller owns it. */
cJSON *session_pair(const char *key, const char *value);

#endif
