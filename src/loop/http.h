/* loop/http: HTTP GET (libcurl), the body in pieces as they come.
 *
 * Loop thread only. https everywhere; http to this machine alone. Redirects are followed, at most
 * five, and never from https to http. */
#ifndef SAKUGA_LOOP_HTTP_H
#define SAKUGA_LOOP_HTTP_H

#include "loop/loop.h"

#include <stddef.h>
#include <stdint.h>

struct http;

struct http_request {
    const char *url;
    int64_t from;   /* first byte wanted; 0: all */
    const char *ca; /* PEM file to trust instead of the system's store, or NULL */
    int connect_ms; /* patience until the connection stands; 0: 10 s */
    int stall_s;    /* end it when nothing came for so long; 0: 30 s */
};

/* What the answer says of the body that follows. */
struct http_head {
    int64_t from;    /* its first byte's place in the whole: what was asked for, or 0 */
    int64_t total;   /* bytes of the whole; -1 unknown */
    char sha256[65]; /* of the whole in hex, where the server names it (X-Linked-Etag); "" */
};

struct http_ops {
    /* Before the first piece of a body that was asked for. False ends the transfer. */
    bool (*on_head)(void *user, const struct http_head *head);
    bool (*on_body)(void *user, const void *bytes, size_t n); /* false ends the transfer */
    /* The end. ERR_OK: the whole body came. ERR_CANCELLED: a callback returned false. ERR_NOTFOUND,
     * ERR_DENIED, ERR_LIMIT (nothing lies at `from` or behind), ERR_TIMEOUT, ERR_IO, ERR_AUTH
     * (certificate) with words. Freed after this call; never called from inside http_get(). */
    void (*on_end)(void *user, enum err e, const char *why);
};

/* NULL with `f` filled when it cannot be begun. The strings are copied. */
struct http *http_get(struct loop *l, const struct http_request *rq, const struct http_ops *ops,
                      void *user, struct fault *f);
/* Ends it at once and calls nothing any more; also from a callback of its own. NULL is fine. */
void http_free(struct http *h);
/* Ends curl's part of the loop, where nothing else (loop/net) does; before loop_free(). */
void http_shutdown(struct loop *l);

#endif
