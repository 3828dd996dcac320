/* engine/peer: one worker process, kept alive: started, greeted, watched, restarted.
 *
 * Loop thread only. A worker that says nothing for PEER_SILENCE_MS, or breaks the protocol, is
 * killed. After a first death the next one is started at once, after more deaths in a row later
 * and later (at most 10 s). Callbacks never come from inside a call into the peer, and
 * peer_free() is not called in one. */
#ifndef SAKUGA_ENGINE_PEER_H
#define SAKUGA_ENGINE_PEER_H

#include "engine/protocol.h"
#include "loop/loop.h"

#include <sys/types.h>

#define PEER_SILENCE_MS 5000

struct peer;
struct peer_ops {
    void (*on_up)(void *user, const struct report *hello); /* takes orders from now on */
    void (*on_report)(void *user, const struct report *r); /* all others, heartbeats too */
    void (*on_picture)(void *user, const struct picture_head *h, const uint8_t *rgb);
    /* It is gone, or could not be started; the peer will start another. `was_up`: after on_up. */
    void (*on_down)(void *user, bool was_up, const char *words);
};

/* Copies the program's path and `config`, the first order: who plays and checks, or who draws what
 * into which vault. NULL: out of memory. */
struct peer *peer_new(struct loop *l, const char *program, const struct order *config,
                      const struct peer_ops *ops, void *user);
void peer_start(struct peer *p);
bool peer_up(const struct peer *p);
pid_t peer_pid(const struct peer *p); /* 0 when no process is there */
/* Sends an order. False when the worker is not up or does not read; it is killed in that case. */
bool peer_send(struct peer *p, const struct order *o);
void peer_kill(struct peer *p, const char *why); /* on_down follows */
/* It did something useful: past deaths are forgiven. */
void peer_praise(struct peer *p);
void peer_free(struct peer *p); /* kills it and calls nothing any more; NULL is fine */

#endif
