#include "loop/curlm.h"

#include <stdlib.h>
#include <uv.h>

struct curlm {
    struct curlm *next;
    struct loop *loop;
    CURLM *multi;
    struct timer *timer;
};

static struct curlm *all; /* loop thread */

static void collect(struct curlm *m)
{
    CURLMsg *msg;
    int left;
    while ((msg = curl_multi_info_read(m->multi, &left))) {
        struct transfer *t = NULL;
        CURLcode r = msg->data.result;
        curl_easy_getinfo(msg->easy_handle, CURLINFO_PRIVATE, &t);
        if (msg->msg == CURLMSG_DONE && t)
            t->done(t, r);
    }
}

static void on_timer(void *user)
{
    struct curlm *m = user;
    int running;
    curl_multi_socket_action(m->multi, CURL_SOCKET_TIMEOUT, 0, &running);
    collect(m);
}

static int set_timer(CURLM *multi, long ms, void *user)
{
    struct curlm *m = user;
    (void)multi;
    if (ms < 0)
        timer_stop(m->timer);
    else
        timer_start(m->timer, ms, 0); /* never call curl back from in here */
    return 0;
}

/* A socket that curl wants watched. */
struct socket {
    uv_poll_t uv;
    struct curlm *m;
    curl_socket_t fd;
};

static void on_socket(uv_poll_t *uv, int status, int events)
{
    struct socket *s = uv->data;
    struct curlm *m = s->m;
    int flags = (events & UV_READABLE ? CURL_CSELECT_IN : 0) |
                (events & UV_WRITABLE ? CURL_CSELECT_OUT : 0),
        running;
    int64_t began = loop_began();
    curl_multi_socket_action(m->multi, s->fd, status < 0 ? CURL_CSELECT_ERR : flags, &running);
    collect(m);
    loop_ended(began, "curl");
}

static void free_socket(uv_handle_t *h)
{
    free(h->data);
}

static int set_socket(CURL *easy, curl_socket_t fd, int what, void *user, void *mine)
{
    struct curlm *m = user;
    struct socket *s = mine;
    (void)easy;
    if (what == CURL_POLL_REMOVE) {
        if (s) {
            uv_poll_stop(&s->uv);
            uv_close((uv_handle_t *)&s->uv, free_socket);
            curl_multi_assign(m->multi, fd, NULL);
        }
        return 0;
    }
    if (!s) {
        s = calloc(1, sizeof *s);
        if (!s || uv_poll_init_socket(loop_uv(m->loop), &s->uv, fd)) {
            free(s);
            return -1;
        }
        s->uv.data = s;
        s->m = m;
        s->fd = fd;
        curl_multi_assign(m->multi, fd, s);
    }
    uv_poll_start(
        &s->uv, (what & CURL_POLL_IN ? UV_READABLE : 0) | (what & CURL_POLL_OUT ? UV_WRITABLE : 0),
        on_socket);
    return 0;
}

static struct curlm *of(struct loop *l)
{
    static bool ready;
    struct curlm *m = all;
    while (m && m->loop != l)
        m = m->next;
    if (m)
        return m;
    if (!ready && curl_global_init(CURL_GLOBAL_DEFAULT))
        return NULL;
    ready = true;
    m = calloc(1, sizeof *m);
    if (!m)
        return NULL;
    m->loop = l;
    m->multi = curl_multi_init();
    m->timer = timer_new(l, "curl", on_timer, m);
    if (!m->multi || !m->timer) {
        curl_multi_cleanup(m->multi);
        timer_free(m->timer);
        free(m);
        return NULL;
    }
    curl_multi_setopt(m->multi, CURLMOPT_SOCKETFUNCTION, set_socket);
    curl_multi_setopt(m->multi, CURLMOPT_SOCKETDATA, m);
    curl_multi_setopt(m->multi, CURLMOPT_TIMERFUNCTION, set_timer);
    curl_multi_setopt(m->multi, CURLMOPT_TIMERDATA, m);
    m->next = all;
    all = m;
    return m;
}

enum err transfer_init(struct transfer *t, struct loop *l)
{
    t->on = of(l);
    t->easy = t->on ? curl_easy_init() : NULL;
    if (!t->easy)
        return ERR_NOMEM;
    curl_easy_setopt(t->easy, CURLOPT_PRIVATE, t);
    curl_easy_setopt(t->easy, CURLOPT_NOSIGNAL, 1L);
    return ERR_OK;
}

enum err transfer_start(struct transfer *t)
{
    return curl_multi_add_handle(t->on->multi, t->easy) ? ERR_NOMEM : ERR_OK;
}

void transfer_end(struct transfer *t)
{
    if (!t->easy)
        return;
    curl_multi_remove_handle(t->on->multi, t->easy);
    curl_easy_cleanup(t->easy);
    t->easy = NULL;
}

struct loop *transfer_loop(const struct transfer *t)
{
    return t->on->loop;
}

void curlm_free(struct loop *l)
{
    for (struct curlm **at = &all, *m; (m = *at); at = &m->next) {
        if (m->loop != l)
            continue;
        curl_multi_cleanup(m->multi);
        timer_free(m->timer);
        *at = m->next;
        free(m);
        return;
    }
}
