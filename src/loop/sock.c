#include "loop/sock.h"

#include "base/buf.h"
#include "base/path.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include <uv.h>

#define CLIENTS_MAX 256
#define SLICE_US 4000 /* of one turn of the loop for one client's lines */
#define SEND_MAX ((size_t)8 << 20)

struct sock {
    uv_pipe_t pipe;
    struct sock_server *server;
    struct sock *next;
    struct buf in;   /* the line so far */
    struct buf rest; /* lines that wait for the next turn */
    size_t sending;
    bool closing, spoke; /* spoke: a whole line came */
    void *user;
};

struct sock_server {
    uv_pipe_t pipe;
    uv_idle_t idle; /* runs while some client's lines wait */
    char path[PATH_LEN];
    const struct sock_ops *ops;
    void *user;
    struct sock *clients;
    int count;
    int handles; /* that uv still holds of this struct */
};

struct write {
    uv_write_t uv;
    struct sock *sock;
    size_t n;
    char bytes[];
};

/* sun_path holds 107 bytes. A longer path is named through a descriptor of its folder, which stays
 * open in *dirfd until the call that uses the address is over. */
static enum err address(const char *path, struct sockaddr_un *a, int *dirfd, struct fault *f)
{
    *a = (struct sockaddr_un){.sun_family = AF_UNIX};
    *dirfd = -1;
    if (strlen(path) < sizeof a->sun_path) {
        strcpy(a->sun_path, path);
        return ERR_OK;
    }
    char dir[PATH_LEN];
    if (!str_copy(dir, sizeof dir, path) || !strrchr(dir, '/'))
        return fault_set(f, ERR_LIMIT, "the path %s is too long", path);
    char *name = strrchr(dir, '/');
    *name++ = '\0';
    *dirfd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (*dirfd < 0)
        return fault_set(f, errno == ENOENT ? ERR_NOTFOUND : ERR_IO, "cannot open %s: %s", dir,
                         strerror(errno));
    int n = snprintf(a->sun_path, sizeof a->sun_path, "/proc/self/fd/%d/%s", *dirfd, name);
    return n < (int)sizeof a->sun_path ? ERR_OK
                                       : fault_set(f, ERR_LIMIT, "the name %s is too long", name);
}

static void server_freed(uv_handle_t *h)
{
    struct sock_server *s = h->data;
    if (--s->handles == 0 && !s->clients)
        free(s);
}

static void sock_freed(uv_handle_t *h)
{
    struct sock *s = h->data;
    struct sock_server *v = s->server;
    for (struct sock **at = &v->clients; *at; at = &(*at)->next)
        if (*at == s) {
            *at = s->next;
            break;
        }
    v->count--;
    buf_free(&s->in);
    buf_free(&s->rest);
    free(s);
    if (!v->handles && !v->clients)
        free(v);
}

static void drop(struct sock *s, bool tell)
{
    if (uv_is_closing((uv_handle_t *)&s->pipe))
        return;
    uv_close((uv_handle_t *)&s->pipe, sock_freed);
    if (tell && s->server->ops->on_close)
        s->server->ops->on_close(s->server->user, s);
}

static void on_alloc(uv_handle_t *h, size_t want, uv_buf_t *b)
{
    static _Thread_local char room[65536];
    (void)h;
    (void)want;
    *b = uv_buf_init(room, sizeof room);
}

static bool gone(const struct sock *s)
{
    return s->closing || uv_is_closing((const uv_handle_t *)&s->pipe);
}

/* Takes lines until the slice is over; returns the bytes taken. */
static size_t take_lines(struct sock *s, const char *p, size_t n)
{
    size_t taken = 0;
    int64_t began = loop_began();
    while (taken < n && !gone(s)) {
        const char *nl = memchr(p + taken, '\n', n - taken);
        size_t part = nl ? (size_t)(nl - p) - taken : n - taken;
        if (!buf_add(&s->in, p + taken, part)) {
            drop(s, true);
            return n;
        }
        taken += part + (nl != NULL);
        if (!nl)
            break;
        s->spoke = true;
        s->server->ops->on_line(s->server->user, s, buf_str(&s->in), s->in.len);
        buf_reset(&s->in);
        if (loop_began() - began > SLICE_US)
            break;
    }
    return taken;
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *b);

/* A client that sends many lines at once gets a slice of each turn, like everybody else. */
static void on_idle(uv_idle_t *idle)
{
    struct sock_server *v = idle->data;
    bool more = false;
    for (struct sock *s = v->clients; s; s = s->next) {
        if (!s->rest.len || gone(s))
            continue;
        buf_drop(&s->rest, take_lines(s, s->rest.data, s->rest.len));
        if (s->rest.len)
            more = true;
        else if (!gone(s))
            uv_read_start((uv_stream_t *)&s->pipe, on_alloc, on_read);
    }
    if (!more)
        uv_idle_stop(idle);
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *b)
{
    struct sock *s = stream->data;
    if (n < 0) {
        drop(s, true);
        return;
    }
    size_t taken = take_lines(s, b->base, (size_t)n);
    if (taken == (size_t)n || gone(s))
        return;
    if (!buf_add(&s->rest, b->base + taken, (size_t)n - taken)) {
        drop(s, true);
        return;
    }
    uv_read_stop(stream);
    uv_idle_start(&s->server->idle, on_idle);
}

/* Who never said a whole line makes room for who may: the oldest of them. */
static void make_room(struct sock_server *v)
{
    struct sock *oldest = NULL;
    if (v->count <= CLIENTS_MAX)
        return;
    for (struct sock *s = v->clients->next; s; s = s->next)
        if (!s->spoke && !gone(s))
            oldest = s;
    drop(oldest ? oldest : v->clients, true);
}

static void on_connection(uv_stream_t *stream, int status)
{
    struct sock_server *v = stream->data;
    struct sock *s = status ? NULL : calloc(1, sizeof *s);
    if (!s)
        return;
    uv_pipe_init(stream->loop, &s->pipe, 0);
    s->pipe.data = s;
    s->server = v;
    s->in.max = SOCK_LINE_MAX;
    s->next = v->clients;
    v->clients = s;
    v->count++;
    if (uv_accept(stream, (uv_stream_t *)&s->pipe)) {
        uv_close((uv_handle_t *)&s->pipe, sock_freed);
        return;
    }
    make_room(v);
    if (gone(s))
        return;
    if (v->ops->on_open)
        v->ops->on_open(v->user, s);
    uv_read_start((uv_stream_t *)&s->pipe, on_alloc, on_read);
}

static void close_server(struct sock_server *s)
{
    uv_close((uv_handle_t *)&s->pipe, server_freed);
    uv_close((uv_handle_t *)&s->idle, server_freed);
}

struct sock_server *sock_listen(struct loop *l, const char *path, const struct sock_ops *ops,
                                void *user, struct fault *f)
{
    struct sockaddr_un a;
    int dirfd, fd = -1;
    struct sock_server *s = NULL;
    if (address(path, &a, &dirfd, f))
        return NULL;
    unlink(path);
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    mode_t mask = umask(0177);
    int e = fd < 0 ? -1 : bind(fd, (struct sockaddr *)&a, sizeof a);
    int why = errno;
    umask(mask);
    if (dirfd >= 0)
        close(dirfd);
    if (e) {
        fault_set(f, ERR_IO, "cannot listen at %s: %s", path, strerror(why));
        goto fail;
    }
    s = calloc(1, sizeof *s);
    if (!s || !str_copy(s->path, sizeof s->path, path)) {
        fault_set(f, ERR_NOMEM, "cannot listen at %s: out of memory", path);
        goto fail;
    }
    s->ops = ops;
    s->user = user;
    uv_pipe_init(loop_uv(l), &s->pipe, 0);
    uv_idle_init(loop_uv(l), &s->idle);
    s->pipe.data = s->idle.data = s;
    s->handles = 2;
    e = uv_pipe_open(&s->pipe, fd);
    if (!e)
        e = uv_listen((uv_stream_t *)&s->pipe, 32, on_connection);
    if (e) {
        fault_set(f, ERR_IO, "cannot listen at %s: %s", path, uv_strerror(e));
        close_server(s);
        return NULL;
    }
    return s;
fail:
    if (fd >= 0)
        close(fd);
    free(s);
    return NULL;
}

void sock_server_free(struct sock_server *s)
{
    if (!s)
        return;
    unlink(s->path);
    for (struct sock *c = s->clients; c; c = c->next)
        drop(c, false);
    close_server(s);
}

static void on_written(uv_write_t *uv, int status)
{
    struct write *w = uv->data;
    struct sock *s = w->sock;
    s->sending -= w->n;
    free(w);
    if (status == UV_ECANCELED)
        return;
    if (status || (s->closing && !s->sending))
        drop(s, true);
}

bool sock_send(struct sock *s, const char *line, size_t n)
{
    if (s->closing || uv_is_closing((uv_handle_t *)&s->pipe))
        return false;
    struct write *w = s->sending + n + 1 > SEND_MAX ? NULL : malloc(sizeof *w + n + 1);
    if (!w) {
        drop(s, true);
        return false;
    }
    memcpy(w->bytes, line, n);
    w->bytes[n] = '\n';
    w->n = n + 1;
    w->sock = s;
    w->uv.data = w;
    uv_buf_t b = uv_buf_init(w->bytes, (unsigned)(n + 1));
    s->sending += w->n;
    if (uv_write(&w->uv, (uv_stream_t *)&s->pipe, &b, 1, on_written)) {
        s->sending -= w->n;
        free(w);
        return false;
    }
    return true;
}

void sock_close(struct sock *s)
{
    s->closing = true;
    if (!s->sending)
        drop(s, true);
}

void sock_set_user(struct sock *s, void *user)
{
    s->user = user;
}

void *sock_user(const struct sock *s)
{
    return s->user;
}

int sock_connect(const char *path, struct fault *f)
{
    struct sockaddr_un a;
    int dirfd, fd;
    if (address(path, &a, &dirfd, f))
        return -1;
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && connect(fd, (struct sockaddr *)&a, sizeof a)) {
        bool none = errno == ENOENT || errno == ECONNREFUSED;
        fault_set(f, none ? ERR_NOTFOUND : ERR_IO,
                  none ? "no show is running at %s: %s; start one with `sakuga`"
                       : "cannot reach the show at %s: %s",
                  path, strerror(errno));
        close(fd);
        fd = -1;
    }
    if (dirfd >= 0)
        close(dirfd);
    return fd;
}
