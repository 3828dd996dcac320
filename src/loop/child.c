#include "loop/child.h"

#include "base/buf.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#define SEND_MAX ((size_t)4 << 20)

enum { IN, OUT, ERROUT, PICTURES, STREAMS };

struct child {
    uv_process_t process;
    uv_pipe_t pipe[STREAMS];
    int open_handles; /* what uv still holds of this struct */
    int reading;      /* output streams that have not ended */
    bool exited, spawned, muted;
    int status, signal;
    struct buf out, err;
    size_t sending;
    const struct child_ops *ops;
    void *user;
};

struct write {
    uv_write_t uv;
    struct child *child;
    size_t n;
    char bytes[];
};

static void closed(uv_handle_t *h)
{
    struct child *c = h->data;
    if (--c->open_handles)
        return;
    buf_free(&c->out);
    buf_free(&c->err);
    free(c);
}

static void close_pipe(struct child *c, int i)
{
    if (!uv_is_closing((uv_handle_t *)&c->pipe[i]))
        uv_close((uv_handle_t *)&c->pipe[i], closed);
}

static void close_all(struct child *c)
{
    for (int i = 0; i < STREAMS; i++)
        close_pipe(c, i);
    if (!uv_is_closing((uv_handle_t *)&c->process))
        uv_close((uv_handle_t *)&c->process, closed);
}

static void maybe_gone(struct child *c)
{
    if (!c->exited || c->reading || c->muted)
        return;
    c->muted = true;
    if (c->ops->on_exit)
        c->ops->on_exit(c->user, c->status, c->signal);
    close_all(c);
}

static void on_alloc(uv_handle_t *h, size_t want, uv_buf_t *b)
{
    static _Thread_local char room[65536];
    (void)h;
    (void)want;
    *b = uv_buf_init(room, sizeof room);
}

static void lines(struct child *c, struct buf *b, const char *p, size_t n, bool is_out)
{
    b->max = CHILD_LINE_MAX;
    while (n > 0 && !c->muted) {
        const char *nl = memchr(p, '\n', n);
        size_t part = nl ? (size_t)(nl - p) : n;
        if (!buf_add(b, p, part)) {
            buf_reset(b);
            child_kill(c, SIGKILL);
            return;
        }
        if (nl) {
            if (is_out)
                c->ops->on_line(c->user, buf_str(b), b->len);
            else if (c->ops->on_err)
                c->ops->on_err(c->user, buf_str(b));
            buf_reset(b);
            part++;
        }
        p += part;
        n -= part;
    }
}

static void on_read(uv_stream_t *s, ssize_t n, const uv_buf_t *b)
{
    struct child *c = s->data;
    int64_t began = loop_began();
    if (n < 0) {
        c->reading--;
        for (int i = OUT; i < STREAMS; i++)
            if (s == (uv_stream_t *)&c->pipe[i])
                close_pipe(c, i);
        maybe_gone(c);
        return;
    }
    if (c->muted)
        return;
    if (s == (uv_stream_t *)&c->pipe[OUT])
        lines(c, &c->out, b->base, (size_t)n, true);
    else if (s == (uv_stream_t *)&c->pipe[ERROUT])
        lines(c, &c->err, b->base, (size_t)n, false);
    else if (c->ops->on_bytes)
        c->ops->on_bytes(c->user, b->base, (size_t)n);
    loop_ended(began, "child");
}

static void on_ended(uv_process_t *p, int64_t status, int signum)
{
    struct child *c = p->data;
    c->exited = true;
    c->status = (int)status;
    c->signal = signum;
    if (c->muted) /* child_free() was here; uv has reaped it now */
        close_all(c);
    else
        maybe_gone(c);
}

struct child *child_spawn(struct loop *l, char *const argv[], const struct child_ops *ops,
                          void *user, struct fault *f)
{
    struct child *c = calloc(1, sizeof *c);
    if (!c) {
        fault_set(f, ERR_NOMEM, "cannot start %s: out of memory", argv[0]);
        return NULL;
    }
    uv_stdio_container_t io[STREAMS];
    for (int i = 0; i < STREAMS; i++) {
        uv_pipe_init(loop_uv(l), &c->pipe[i], 0);
        c->pipe[i].data = c;
        io[i].flags = UV_CREATE_PIPE | (i == IN ? UV_READABLE_PIPE : UV_WRITABLE_PIPE);
        io[i].data.stream = (uv_stream_t *)&c->pipe[i];
    }
    c->ops = ops;
    c->user = user;
    c->open_handles = STREAMS + 1;
    c->process.data = c;
    uv_process_options_t o = {.file = argv[0],
                              .args = (char **)argv,
                              .stdio = io,
                              .stdio_count = STREAMS,
                              .exit_cb = on_ended};
    int e = uv_spawn(loop_uv(l), &c->process, &o);
    if (e) {
        fault_set(f, ERR_IO, "cannot start %s: %s", argv[0], uv_strerror(e));
        c->muted = true;
        close_all(c);
        return NULL;
    }
    c->spawned = true;
    for (int i = OUT; i < STREAMS; i++) {
        c->reading++;
        uv_read_start((uv_stream_t *)&c->pipe[i], on_alloc, on_read);
    }
    return c;
}

pid_t child_pid(const struct child *c)
{
    return uv_process_get_pid(&c->process);
}

static void on_written(uv_write_t *uv, int status)
{
    struct write *w = uv->data;
    (void)status;
    w->child->sending -= w->n;
    free(w);
}

bool child_send(struct child *c, const char *line)
{
    size_t n = strlen(line);
    if (uv_is_closing((uv_handle_t *)&c->pipe[IN]) || c->sending + n + 1 > SEND_MAX)
        return false;
    struct write *w = malloc(sizeof *w + n + 1);
    if (!w)
        return false;
    memcpy(w->bytes, line, n);
    w->bytes[n] = '\n';
    w->n = n + 1;
    w->child = c;
    w->uv.data = w;
    uv_buf_t b = uv_buf_init(w->bytes, (unsigned)(n + 1));
    c->sending += w->n;
    if (uv_write(&w->uv, (uv_stream_t *)&c->pipe[IN], &b, 1, on_written)) {
        c->sending -= w->n;
        free(w);
        return false;
    }
    return true;
}

void child_close_input(struct child *c)
{
    close_pipe(c, IN);
}

void child_kill(struct child *c, int signum)
{
    if (c->spawned && !c->exited)
        uv_process_kill(&c->process, signum);
}

void child_free(struct child *c)
{
    if (!c)
        return;
    c->muted = true;
    child_kill(c, SIGKILL);
    if (!c->exited) { /* uv reaps only what it still watches; on_ended() closes the rest */
        for (int i = 0; i < STREAMS; i++)
            close_pipe(c, i);
        return;
    }
    close_all(c);
}
