#include "loop/loop.h"

#include "base/clock.h"
#include "base/log.h"

#include <signal.h>
#include <stdlib.h>
#include <uv.h>

#define SLOW_US 8000
#define SIGNALS_MAX 8

struct on_signal {
    uv_signal_t uv;
    int signum; /* uv forgets it when it stops */
    loop_fn *fn;
    void *user;
};

struct loop {
    uv_loop_t uv;
    uv_prepare_t prepare;
    uv_timer_t patience; /* bounds loop_step() */
    loop_fn *before;
    void *before_user;
    struct on_signal signals[SIGNALS_MAX];
    int signal_count;
};

void *loop_uv(struct loop *l)
{
    return &l->uv;
}

int64_t loop_began(void)
{
    return (int64_t)(uv_hrtime() / 1000);
}

void loop_ended(int64_t began, const char *name)
{
    int64_t us = (int64_t)(uv_hrtime() / 1000) - began;
    if (us > SLOW_US)
        log_debug("loop", "callback %s took %lld ms", name, (long long)(us / 1000));
}

static void on_prepare(uv_prepare_t *p)
{
    struct loop *l = p->data;
    if (l->before) {
        int64_t t = loop_began();
        l->before(l->before_user);
        loop_ended(t, "redraw");
    }
}

struct loop *loop_new(struct fault *f)
{
    struct loop *l = calloc(1, sizeof *l);
    int e = l ? uv_loop_init(&l->uv) : UV_ENOMEM;
    if (e) {
        fault_set(f, ERR_NOMEM, "cannot start the event loop: %s", uv_strerror(e));
        free(l);
        return NULL;
    }
    signal(SIGPIPE, SIG_IGN);
    uv_prepare_init(&l->uv, &l->prepare);
    l->prepare.data = l;
    uv_prepare_start(&l->prepare, on_prepare);
    uv_unref((uv_handle_t *)&l->prepare);
    uv_timer_init(&l->uv, &l->patience);
    uv_unref((uv_handle_t *)&l->patience);
    return l;
}

static void close_left(uv_handle_t *h, void *arg)
{
    (void)arg;
    if (!uv_is_closing(h)) {
        log_debug("loop", "a %s was left open at the end", uv_handle_type_name(h->type));
        uv_close(h, NULL);
    }
}

static void count_child(uv_handle_t *h, void *arg)
{
    *(int *)arg += h->type == UV_PROCESS;
}

/* Children that were killed just now have to be reaped; a second is far more than that takes. */
static void wait_for_children(struct loop *l)
{
    for (int i = 0; i < 100; i++) {
        int n = 0;
        uv_walk(&l->uv, count_child, &n);
        if (!n)
            return;
        loop_step(l, 10);
    }
}

void loop_free(struct loop *l)
{
    if (!l)
        return;
    wait_for_children(l);
    uv_close((uv_handle_t *)&l->prepare, NULL);
    uv_close((uv_handle_t *)&l->patience, NULL);
    for (int i = 0; i < l->signal_count; i++)
        uv_close((uv_handle_t *)&l->signals[i].uv, NULL);
    for (int i = 0; i < 1000 && uv_run(&l->uv, UV_RUN_NOWAIT); i++)
        ;
    if (uv_loop_close(&l->uv)) {
        uv_walk(&l->uv, close_left, NULL);
        uv_run(&l->uv, UV_RUN_DEFAULT);
        uv_loop_close(&l->uv);
    }
    free(l);
}

void loop_run(struct loop *l)
{
    uv_run(&l->uv, UV_RUN_DEFAULT);
}

void loop_stop(struct loop *l)
{
    uv_stop(&l->uv);
}

static void on_patience(uv_timer_t *t)
{
    (void)t;
}

void loop_step(struct loop *l, int ms)
{
    /* It repeats, because uv runs what is due before it sleeps: a timer that fired there once would
     * leave the sleep without an end. */
    uv_update_time(&l->uv);
    uv_timer_start(&l->patience, on_patience, (uint64_t)ms, ms > 0 ? (uint64_t)ms : 1);
    uv_ref((uv_handle_t *)&l->patience);
    uv_run(&l->uv, ms > 0 ? UV_RUN_ONCE : UV_RUN_NOWAIT);
    uv_timer_stop(&l->patience);
    uv_unref((uv_handle_t *)&l->patience);
}

void loop_before_sleep(struct loop *l, loop_fn *fn, void *user)
{
    l->before = fn;
    l->before_user = user;
}

static void on_signal(uv_signal_t *s, int signum)
{
    struct on_signal *o = s->data;
    (void)signum;
    int64_t began = loop_began();
    if (o->fn)
        o->fn(o->user);
    loop_ended(began, "signal");
}

enum err loop_on_signal(struct loop *l, int signum, loop_fn *fn, void *user)
{
    struct on_signal *o = NULL;
    for (int i = 0; i < l->signal_count; i++)
        if (l->signals[i].signum == signum)
            o = &l->signals[i];
    if (!o) {
        if (!fn)
            return ERR_OK;
        if (l->signal_count == SIGNALS_MAX)
            return ERR_LIMIT;
        o = &l->signals[l->signal_count++];
        uv_signal_init(&l->uv, &o->uv);
        uv_unref((uv_handle_t *)&o->uv);
        o->uv.data = o;
        o->signum = signum;
    }
    o->fn = fn;
    o->user = user;
    if (!fn)
        uv_signal_stop(&o->uv);
    else if (uv_signal_start(&o->uv, on_signal, signum))
        return ERR_IO;
    return ERR_OK;
}

/* The rest of the file: small objects over one uv handle each. uv frees in its own time, so the
 * memory goes in the close callback, and `fn` is dropped at once. */

static void free_handle(uv_handle_t *h)
{
    free(h->data);
}

struct timer {
    uv_timer_t uv;
    const char *name;
    loop_fn *fn;
    void *user;
};

struct timer *timer_new(struct loop *l, const char *name, loop_fn *fn, void *user)
{
    struct timer *t = calloc(1, sizeof *t);
    if (!t)
        return NULL;
    uv_timer_init(&l->uv, &t->uv);
    t->uv.data = t;
    t->name = name;
    t->fn = fn;
    t->user = user;
    return t;
}

static void on_timer(uv_timer_t *uv)
{
    struct timer *t = uv->data;
    const char *name = t->name;
    int64_t began = loop_began();
    t->fn(t->user);
    loop_ended(began, name);
}

void timer_start(struct timer *t, int64_t ms, int64_t repeat_ms)
{
    uv_update_time(t->uv.loop);
    uv_timer_start(&t->uv, on_timer, ms > 0 ? (uint64_t)ms : 0, (uint64_t)repeat_ms);
}

void timer_stop(struct timer *t)
{
    uv_timer_stop(&t->uv);
}

bool timer_active(const struct timer *t)
{
    return uv_is_active((const uv_handle_t *)&t->uv);
}

void timer_free(struct timer *t)
{
    if (!t)
        return;
    uv_timer_stop(&t->uv);
    uv_close((uv_handle_t *)&t->uv, free_handle);
}

struct wake {
    uv_async_t uv;
    const char *name;
    loop_fn *fn;
    void *user;
};

static void on_wake(uv_async_t *uv)
{
    struct wake *w = uv->data;
    const char *name = w->name;
    int64_t began = loop_began();
    if (w->fn)
        w->fn(w->user);
    loop_ended(began, name);
}

struct wake *wake_new(struct loop *l, const char *name, loop_fn *fn, void *user)
{
    struct wake *w = calloc(1, sizeof *w);
    if (!w)
        return NULL;
    if (uv_async_init(&l->uv, &w->uv, on_wake)) {
        free(w);
        return NULL;
    }
    w->uv.data = w;
    w->name = name;
    w->fn = fn;
    w->user = user;
    return w;
}

void wake_send(struct wake *w)
{
    uv_async_send(&w->uv);
}

void wake_free(struct wake *w)
{
    if (!w)
        return;
    w->fn = NULL;
    uv_close((uv_handle_t *)&w->uv, free_handle);
}

struct watch {
    uv_poll_t uv;
    const char *name;
    loop_fn *fn;
    void *user;
};

static void on_poll(uv_poll_t *uv, int status, int events)
{
    struct watch *w = uv->data;
    const char *name = w->name;
    int64_t began = loop_began();
    (void)status;
    (void)events;
    w->fn(w->user);
    loop_ended(began, name);
}

struct watch *watch_new(struct loop *l, const char *name, int fd, loop_fn *fn, void *user)
{
    struct watch *w = calloc(1, sizeof *w);
    if (!w)
        return NULL;
    if (uv_poll_init(&l->uv, &w->uv, fd)) {
        free(w);
        return NULL;
    }
    w->uv.data = w;
    w->name = name;
    w->fn = fn;
    w->user = user;
    uv_poll_start(&w->uv, UV_READABLE | UV_DISCONNECT, on_poll);
    return w;
}

void watch_free(struct watch *w)
{
    if (!w)
        return;
    uv_poll_stop(&w->uv);
    uv_close((uv_handle_t *)&w->uv, free_handle);
}

struct work {
    uv_work_t uv;
    loop_fn *fn, *done;
    void *arg;
};

static void do_work(uv_work_t *uv)
{
    struct work *w = uv->data;
    w->fn(w->arg);
}

static void did_work(uv_work_t *uv, int status)
{
    struct work *w = uv->data;
    (void)status;
    w->done(w->arg);
    free(w);
}

bool loop_work(struct loop *l, loop_fn *fn, loop_fn *done, void *arg)
{
    struct work *w = calloc(1, sizeof *w);
    if (!w)
        return false;
    w->uv.data = w;
    w->fn = fn;
    w->done = done;
    w->arg = arg;
    if (!uv_queue_work(&l->uv, &w->uv, do_work, did_work))
        return true;
    free(w);
    return false;
}
