/* loop/sock: Unix stream sockets, both ends, line by line.
 *
 * Loop thread only. A path longer than sun_path is reached through its folder's descriptor, so a
 * data folder may lie as deep as it likes. */
#ifndef SAKUGA_LOOP_SOCK_H
#define SAKUGA_LOOP_SOCK_H

#include "loop/loop.h"

#include <stddef.h>

#define SOCK_LINE_MAX ((size_t)1 << 20)

struct sock;        /* one connection */
struct sock_server; /* a listening socket */

struct sock_ops {
    void (*on_open)(void *user,
                    struct sock *s); /* server only: a client came; see sock_set_user() */
    void (*on_line)(void *user, struct sock *s, const char *line, size_t n);
    void (*on_close)(void *user, struct sock *s); /* gone; `s` is freed after this call */
};

/* Listens at `path`, mode 0600. A socket file left behind by a dead process is replaced (the caller
 * holds the lock of the folder, so a living owner is impossible). At most 256 clients: a newer one
 * takes the place of the oldest that never said a whole line. */
struct sock_server *sock_listen(struct loop *l, const char *path, const struct sock_ops *ops,
                                void *user, struct fault *f);
void sock_server_free(struct sock_server *s); /* closes its clients and removes the file */

/* Queues a line (a newline is added). False when the client reads too slowly (8 MiB wait): the
 * connection is then closed. */
bool sock_send(struct sock *s, const char *line, size_t n);
/* Closes after what is queued has been written; on_close follows. */
void sock_close(struct sock *s);
void sock_set_user(struct sock *s, void *user);
void *sock_user(const struct sock *s);

/* The blocking client's end, for `sakuga ctl`: a connected descriptor, or -1 with `f` filled
 * (ERR_NOTFOUND: no show is running there). */
int sock_connect(const char *path, struct fault *f);

#endif
