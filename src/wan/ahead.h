/* wan/ahead: a call that the host makes while the device works.
 *
 * Between two passes there is noise to draw, for which a device that works by itself would wait.
 * ahead_begin() starts the call on a thread of its own, ahead_end() waits for it. Where `apart` is
 * false (a device in ordinary memory needs the cores itself), or no thread can be had, the call is
 * made by ahead_end(): the same numbers in the same order either way. */
#ifndef SAKUGA_WAN_AHEAD_H
#define SAKUGA_WAN_AHEAD_H

#include <pthread.h>
#include <stdbool.h>

struct ahead {
    pthread_t thread;
    void (*call)(void *user); /* NULL: nothing to make */
    void *user;
    bool running;
};

void ahead_begin(struct ahead *a, bool apart, void (*call)(void *user), void *user);
void ahead_end(struct ahead *a);  /* has made it */
void ahead_drop(struct ahead *a); /* waits for one that runs; one that was not begun is not made */

#endif
