/* loop/curlm: libcurl's multi interface on the loop. For the files of loop/ only.
 *
 * One multi handle a loop, made at the first transfer and ended by curlm_free(). curl asks for
 * sockets to be watched and for one timer; both are the loop's. */
#ifndef SAKUGA_LOOP_CURLM_H
#define SAKUGA_LOOP_CURLM_H

#include "loop/loop.h"

#include <curl/curl.h>

struct curlm;

/* One easy handle on its way. The owner's struct holds it; `done` is called when curl has ended it,
 * outside of every other callback of that handle. */
struct transfer {
    CURL *easy; /* NULL: none */
    struct curlm *on;
    void (*done)(struct transfer *t, CURLcode r);
};

/* Makes t->easy and prepares the loop. The owner sets its options, then calls transfer_start(). */
enum err transfer_init(struct transfer *t, struct loop *l);
enum err transfer_start(struct transfer *t);
/* Ends it at once, wherever it is; `done` is not called any more. Not from inside a callback of the
 * handle. */
void transfer_end(struct transfer *t);
struct loop *transfer_loop(const struct transfer *t);

/* Ends curl's part of the loop; all transfers have been ended. */
void curlm_free(struct loop *l);

#endif
