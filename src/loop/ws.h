/* loop/ws: a websocket client (libwebsockets on the loop).
 *
 * Loop thread only. Names are resolved without blocking. Text messages, whole, up to 16 MiB. The
 * libwebsockets context is made at the first ws_open() and belongs to the loop (30 ms: it loads the
 * system's CA bundle), so a show without OBS never pays for it. */
#ifndef SAKUGA_LOOP_WS_H
#define SAKUGA_LOOP_WS_H

#include "loop/loop.h"

#include <stddef.h>

struct ws;
struct ws_ops {
    void (*on_open)(void *user);
    void (*on_message)(void *user, const char *text, size_t n); /* NUL-terminated behind n */
    /* The end, also of an attempt that failed. `code`: the peer's close code, 0 without one. `why`:
     * words. The struct ws is freed after this call. Never called from inside ws_open(). */
    void (*on_close)(void *user, int code, const char *why);
};

/* Begins to connect to ws://HOST:PORT/PATH or wss://…. `protocol`: the subprotocol or NULL. NULL
 * with `f` when the address is malformed or the library cannot start. An attempt that has not
 * succeeded within 5 s ends with on_close. */
struct ws *ws_open(struct loop *l, const char *url, const char *protocol, const struct ws_ops *ops,
                   void *user, struct fault *f);
/* Queues a text message. False when 16 MiB wait already. */
bool ws_send(struct ws *w, const char *text, size_t n);
/* Starts a clean close; on_close follows, within 2 s in any case. */
void ws_close(struct ws *w, int code);
/* Ends it at once and calls nothing any more. NULL is fine. */
void ws_free(struct ws *w);
/* Ends the library's part of the loop, turning it a few times; not from a callback, before
 * loop_free(). */
void ws_shutdown(struct loop *l);

#endif
