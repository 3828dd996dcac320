/* loop/net: a TCP or TLS byte stream (libcurl makes the connection: names, proxies, certificates).
 *
 * Loop thread only. For line protocols such as IRC. */
#ifndef SAKUGA_LOOP_NET_H
#define SAKUGA_LOOP_NET_H

#include "loop/loop.h"

#include <stddef.h>

struct net;
struct net_ops {
    void (*on_open)(void *user);
    void (*on_bytes)(void *user, const void *p, size_t n);
    /* The end, also of an attempt that failed; `why` is words for the operator. Freed after this
     * call. Never called from inside net_open(). */
    void (*on_close)(void *user, const char *why);
};
struct net_address {
    char host[256];
    int port;
    bool tls;
    const char *ca; /* PEM file to trust instead of the system's store, or NULL */
    int connect_ms; /* patience until the stream is open, TLS included; 0: 10 s */
};

struct net *net_open(struct loop *l, const struct net_address *to, const struct net_ops *ops,
                     void *user, struct fault *f);
bool net_send(struct net *n, const void *p, size_t len); /* false when 1 MiB waits already */
/* Is it this machine, so that a secret may go to it without TLS? */
bool net_is_loopback(const char *host);
void net_free(struct net *n); /* ends it at once and calls nothing any more; NULL is fine */
/* Ends the library's part of the loop; before loop_free(). */
void net_shutdown(struct loop *l);

#endif
