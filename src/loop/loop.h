/* loop/loop: the one event loop of the show (libuv), with timers, wake-ups, watched descriptors
 * and signals. Child processes: child.h. Unix sockets: sock.h. Websockets: ws.h. TCP and TLS:
 * net.h.
 *
 * Everything here belongs to the loop thread, except wake_send(). Callbacks run on the loop thread;
 * one that takes longer than 8 ms is named in the log. An object may be freed inside its own
 * callback; it is never called again after its _free(). */
#ifndef SAKUGA_LOOP_LOOP_H
#define SAKUGA_LOOP_LOOP_H

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

struct loop;
typedef void loop_fn(void *user);

struct loop *loop_new(struct fault *f);
/* Closes what is left and drains; logs every handle that somebody forgot (none, when all is well).
 */
void loop_free(struct loop *l);
void loop_run(struct loop *l);  /* until loop_stop() */
void loop_stop(struct loop *l); /* from a callback */
/* One turn, waiting at most `ms` for something to happen; for tests and for waiting at the ends. */
void loop_step(struct loop *l, int ms);

/* Called once a turn, before the loop sleeps: the place to redraw what became dirty. */
void loop_before_sleep(struct loop *l, loop_fn *fn, void *user);

/* Runs `fn` when the process gets `signum`. `fn` NULL ends it. At most 8 signals. */
enum err loop_on_signal(struct loop *l, int signum, loop_fn *fn, void *user);

/* A timer; `name` is static and names it in the log when its callback is slow. */
struct timer;
struct timer *timer_new(struct loop *l, const char *name, loop_fn *fn, void *user);
void timer_start(struct timer *t, int64_t ms, int64_t repeat_ms); /* repeat 0: once */
void timer_stop(struct timer *t);
bool timer_active(const struct timer *t);
void timer_free(struct timer *t); /* NULL is fine, here and below */

/* Another thread's way in: after wake_send() (any thread) `fn` runs once, soon. Sends coalesce. */
struct wake;
struct wake *wake_new(struct loop *l, const char *name, loop_fn *fn, void *user);
void wake_send(struct wake *w);
void wake_free(struct wake *w);

/* Calls `fn` while `fd` is readable (or at end of file). The descriptor stays the caller's. */
struct watch;
struct watch *watch_new(struct loop *l, const char *name, int fd, loop_fn *fn, void *user);
void watch_free(struct watch *w);

/* Runs `fn(arg)` on a thread of the pool, then `done(arg)` on the loop thread, also when the loop
 * is being freed. False (nothing runs) without memory. */
bool loop_work(struct loop *l, loop_fn *fn, loop_fn *done, void *arg);

/* For files of loop/ only: the uv_loop_t, and the measure of a callback's time. */
void *loop_uv(struct loop *l);
int64_t loop_began(void);
void loop_ended(int64_t began, const char *name);

#endif
