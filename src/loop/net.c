#include "loop/net.h"

#include "base/buf.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

/* libcurl opens the connection (names in its own thread, proxies, TLS with its checks) and stops
 * there: CURLOPT_CONNECT_ONLY. Bytes then go through curl_easy_send() and curl_easy_recv(), called
 * when the socket is ready. Two things are easy to get wrong:
 *  - TLS may hold decrypted bytes that poll() knows nothing of, so reading goes on until
 *    CURLE_AGAIN; after READ_TURN bytes the loop gets its turn and a timer of 0 ms resumes.
 *  - a write that said CURLE_AGAIN must be repeated with the same pointer and length (OpenSSL
 *    insists), so the queue is a list of pieces that never move.
 * The multi handle of a loop is made at the first net_open() and ended by net_shutdown(). */

#define SEND_MAX ((size_t)1 << 20)
#define READ_TURN ((size_t)256 << 10)
#define CONNECT_MS 10000

struct piece {
    struct piece *next;
    size_t n, sent;
    char bytes[];
};

struct net {
    struct library *lib;
    struct net *next;
    CURL *easy;
    uv_poll_t *poll;     /* NULL until connected */
    struct timer *again; /* resumes reading, or closes outside the caller's frame */
    struct piece *head, **tail;
    size_t waiting; /* bytes queued */
    char error[CURL_ERROR_SIZE];
    char why[640]; /* set: it is over */
    char host[256];
    int port;
    int connect_ms;
    bool busy, freed;
    const struct net_ops *ops;
    void *user;
};

/* curl's part of one loop */
struct library {
    struct library *next;
    struct loop *loop;
    CURLM *multi;
    struct timer *timer;
    struct net *nets;
};

static struct library *libraries; /* loop thread */

/* Ends the connection and its memory; from the callbacks' ends only. */
static void dispose(struct net *n)
{
    struct net **at = &n->lib->nets;
    while (*at && *at != n)
        at = &(*at)->next;
    if (*at)
        *at = n->next;
    if (n->poll) {
        uv_poll_stop(n->poll);
        uv_close((uv_handle_t *)n->poll, (uv_close_cb)free);
    }
    if (n->easy) {
        curl_multi_remove_handle(n->lib->multi, n->easy);
        curl_easy_cleanup(n->easy);
    }
    timer_free(n->again);
    for (struct piece *p = n->head, *next; p; p = next) {
        next = p->next;
        free(p);
    }
    free(n);
}

/* Tells the owner that it is over, then frees it. */
static void finish(struct net *n)
{
    if (!n->freed) {
        n->busy = true;
        n->ops->on_close(n->user, n->why);
    }
    dispose(n);
}

static void fail(struct net *n, const char *why)
{
    if (!n->why[0])
        str_copy(n->why, sizeof n->why, why && *why ? why : "the connection ended");
}

static void fail_code(struct net *n, CURLcode r)
{
    const char *detail = n->error[0] ? n->error : curl_easy_strerror(r);
    char s[sizeof n->why];
    switch (r) {
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
        snprintf(s, sizeof s, "there is no host %s: check the name", n->host);
        break;
    case CURLE_COULDNT_CONNECT:
        snprintf(s, sizeof s, "nobody answers at %s:%d: is the server up, is the port right?",
                 n->host, n->port);
        break;
    case CURLE_PEER_FAILED_VERIFICATION:
        snprintf(s, sizeof s, "the certificate of %s is not trusted (%s): is its CA file named?",
                 n->host, detail);
        break;
    case CURLE_SSL_CACERT_BADFILE:
        snprintf(s, sizeof s, "the CA file cannot be read: %s", detail);
        break;
    case CURLE_OPERATION_TIMEDOUT:
        snprintf(s, sizeof s, "%s:%d did not complete the connection within %d ms", n->host,
                 n->port, n->connect_ms);
        break;
    case CURLE_SSL_CONNECT_ERROR:
        snprintf(s, sizeof s, "%s:%d does not speak TLS (%s): is it the plain port?", n->host,
                 n->port, detail);
        break;
    default:
        snprintf(s, sizeof s, "%s:%d: %s", n->host, n->port, detail);
    }
    fail(n, s);
}

static void watch_socket(struct net *n);

static void flush(struct net *n)
{
    while (n->head && !n->why[0]) {
        struct piece *p = n->head;
        size_t sent = 0;
        CURLcode r = curl_easy_send(n->easy, p->bytes + p->sent, p->n - p->sent, &sent);
        if (r == CURLE_AGAIN)
            return;
        if (r) {
            fail_code(n, r);
            return;
        }
        p->sent += sent;
        n->waiting -= sent;
        if (p->sent == p->n) {
            n->head = p->next;
            if (!n->head)
                n->tail = &n->head;
            free(p);
        }
    }
}

static void drain(struct net *n)
{
    char room[16384];
    for (size_t total = 0; !n->freed && !n->why[0];) {
        size_t got = 0;
        CURLcode r = curl_easy_recv(n->easy, room, sizeof room, &got);
        if (r == CURLE_AGAIN)
            return;
        if (r)
            fail_code(n, r);
        else if (!got)
            fail(n, "the server closed the connection");
        else
            n->ops->on_bytes(n->user, room, got);
        total += got;
        if (total >= READ_TURN && !n->freed && !n->why[0]) {
            timer_start(n->again, 0, 0);
            return;
        }
    }
}

/* Everything that may call the owner runs between enter() and leave(). */
static void enter(struct net *n)
{
    n->busy = true;
}

static void leave(struct net *n)
{
    n->busy = false;
    if (n->freed)
        dispose(n);
    else if (n->why[0])
        finish(n);
    else if (n->poll)
        watch_socket(n);
}

static void on_ready(uv_poll_t *poll, int status, int events)
{
    struct net *n = poll->data;
    int64_t began = loop_began();
    enter(n);
    if (events & UV_WRITABLE)
        flush(n);
    if (status < 0 || (events & UV_READABLE))
        drain(n);
    leave(n);
    loop_ended(began, "net");
}

static void watch_socket(struct net *n)
{
    uv_poll_start(n->poll, UV_READABLE | (n->head ? UV_WRITABLE : 0), on_ready);
}

static void on_again(void *user)
{
    struct net *n = user;
    enter(n);
    if (n->poll)
        drain(n);
    leave(n);
}

static void connected(struct net *n, CURLcode r)
{
    curl_socket_t fd = CURL_SOCKET_BAD;
    enter(n);
    if (r)
        fail_code(n, r);
    else if (curl_easy_getinfo(n->easy, CURLINFO_ACTIVESOCKET, &fd) || fd == CURL_SOCKET_BAD)
        fail(n, "the connection ended as soon as it was made");
    else if (!(n->poll = calloc(1, sizeof *n->poll)))
        fail(n, "out of memory");
    else if (uv_poll_init_socket(loop_uv(n->lib->loop), n->poll, fd)) {
        free(n->poll);
        n->poll = NULL;
        fail(n, "the connection cannot be watched");
    }
    if (!n->why[0]) {
        n->poll->data = n;
        n->ops->on_open(n->user);
        if (!n->freed)
            drain(n);
    }
    leave(n);
}

/* --- curl's multi handle on the loop --- */

static void collect(struct library *lib)
{
    CURLMsg *m;
    int left;
    while ((m = curl_multi_info_read(lib->multi, &left))) {
        struct net *n = NULL;
        CURLcode r = m->data.result;
        curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, &n);
        if (m->msg == CURLMSG_DONE && n)
            connected(n, r);
    }
}

static void on_curl_timer(void *user)
{
    struct library *lib = user;
    int running;
    curl_multi_socket_action(lib->multi, CURL_SOCKET_TIMEOUT, 0, &running);
    collect(lib);
}

static int set_timer(CURLM *multi, long ms, void *user)
{
    struct library *lib = user;
    (void)multi;
    if (ms < 0)
        timer_stop(lib->timer);
    else
        timer_start(lib->timer, ms, 0); /* never call curl back from in here */
    return 0;
}

struct on_socket {
    uv_poll_t uv;
    struct library *lib;
    curl_socket_t fd;
};

static void on_socket(uv_poll_t *uv, int status, int events)
{
    struct on_socket *s = uv->data;
    struct library *lib = s->lib;
    int flags = (events & UV_READABLE ? CURL_CSELECT_IN : 0) |
                (events & UV_WRITABLE ? CURL_CSELECT_OUT : 0),
        running;
    int64_t began = loop_began();
    curl_multi_socket_action(lib->multi, s->fd, status < 0 ? CURL_CSELECT_ERR : flags, &running);
    collect(lib);
    loop_ended(began, "net connect");
}

static void free_on_socket(uv_handle_t *h)
{
    free(h->data);
}

static int set_socket(CURL *easy, curl_socket_t fd, int what, void *user, void *mine)
{
    struct library *lib = user;
    struct on_socket *s = mine;
    (void)easy;
    if (what == CURL_POLL_REMOVE) {
        if (s) {
            uv_poll_stop(&s->uv);
            uv_close((uv_handle_t *)&s->uv, free_on_socket);
            curl_multi_assign(lib->multi, fd, NULL);
        }
        return 0;
    }
    if (!s) {
        s = calloc(1, sizeof *s);
        if (!s || uv_poll_init_socket(loop_uv(lib->loop), &s->uv, fd)) {
            free(s);
            return -1;
        }
        s->uv.data = s;
        s->lib = lib;
        s->fd = fd;
        curl_multi_assign(lib->multi, fd, s);
    }
    uv_poll_start(
        &s->uv, (what & CURL_POLL_IN ? UV_READABLE : 0) | (what & CURL_POLL_OUT ? UV_WRITABLE : 0),
        on_socket);
    return 0;
}

static struct library *library_of(struct loop *l)
{
    static bool ready;
    struct library *lib = libraries;
    while (lib && lib->loop != l)
        lib = lib->next;
    if (lib)
        return lib;
    if (!ready && curl_global_init(CURL_GLOBAL_DEFAULT))
        return NULL;
    ready = true;
    lib = calloc(1, sizeof *lib);
    if (!lib)
        return NULL;
    lib->loop = l;
    lib->multi = curl_multi_init();
    lib->timer = timer_new(l, "curl", on_curl_timer, lib);
    if (!lib->multi || !lib->timer) {
        curl_multi_cleanup(lib->multi);
        timer_free(lib->timer);
        free(lib);
        return NULL;
    }
    curl_multi_setopt(lib->multi, CURLMOPT_SOCKETFUNCTION, set_socket);
    curl_multi_setopt(lib->multi, CURLMOPT_SOCKETDATA, lib);
    curl_multi_setopt(lib->multi, CURLMOPT_TIMERFUNCTION, set_timer);
    curl_multi_setopt(lib->multi, CURLMOPT_TIMERDATA, lib);
    lib->next = libraries;
    libraries = lib;
    return lib;
}

void net_shutdown(struct loop *l)
{
    for (struct library **at = &libraries, *lib; (lib = *at); at = &lib->next) {
        if (lib->loop != l)
            continue;
        while (lib->nets)
            dispose(lib->nets);
        curl_multi_cleanup(lib->multi);
        timer_free(lib->timer);
        *at = lib->next;
        free(lib);
        return;
    }
}

/* --- one connection --- */

static bool good_host(const char *host)
{
    return *host && !host[strspn(host, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                       "0123456789.-_:")];
}

bool net_is_loopback(const char *host)
{
    struct in_addr v4;
    struct in6_addr v6;
    if (!strcmp(host, "localhost"))
        return true;
    if (inet_pton(AF_INET, host, &v4) == 1) /* a number: 127.example.org is a name of anybody's */
        return ntohl(v4.s_addr) >> 24 == 127;
    return inet_pton(AF_INET6, host, &v6) == 1 && IN6_IS_ADDR_LOOPBACK(&v6);
}

static void configure(struct net *n, const struct net_address *to)
{
    char url[320];
    bool v6 = strchr(to->host, ':') != NULL;
    snprintf(url, sizeof url, "%s://%s%s%s:%d/", to->tls ? "https" : "http", v6 ? "[" : "",
             to->host, v6 ? "]" : "", to->port);
    CURL *e = n->easy;
    curl_easy_setopt(e, CURLOPT_URL, url);
    curl_easy_setopt(e, CURLOPT_PRIVATE, n);
    curl_easy_setopt(e, CURLOPT_ERRORBUFFER, n->error);
    curl_easy_setopt(e, CURLOPT_CONNECT_ONLY, 1L);
    curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(e, CURLOPT_FRESH_CONNECT, 1L);
    curl_easy_setopt(e, CURLOPT_TCP_KEEPALIVE, 1L);
    curl_easy_setopt(e, CURLOPT_SSL_ENABLE_ALPN, 0L);
    curl_easy_setopt(e, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    curl_easy_setopt(e, CURLOPT_CONNECTTIMEOUT_MS, (long)n->connect_ms);
    curl_easy_setopt(e, CURLOPT_HTTPPROXYTUNNEL, 1L); /* through a proxy: a stream, not HTTP */
    if (net_is_loopback(to->host))
        curl_easy_setopt(e, CURLOPT_NOPROXY, "*");
    if (to->ca && *to->ca) {
        curl_easy_setopt(e, CURLOPT_CAINFO, to->ca);
        curl_easy_setopt(e, CURLOPT_CAPATH, NULL);
    }
}

struct net *net_open(struct loop *l, const struct net_address *to, const struct net_ops *ops,
                     void *user, struct fault *f)
{
    if (!good_host(to->host) || to->port < 1 || to->port > 65535) {
        fault_set(f, ERR_INVAL, "%s:%d is not an address to connect to", to->host, to->port);
        return NULL;
    }
    struct library *lib = library_of(l);
    struct net *n = lib ? calloc(1, sizeof *n) : NULL;
    if (!n) {
        fault_set(f, ERR_NOMEM, "cannot connect to %s: out of memory", to->host);
        return NULL;
    }
    n->lib = lib;
    n->tail = &n->head;
    n->ops = ops;
    n->user = user;
    n->port = to->port;
    n->connect_ms = to->connect_ms > 0 ? to->connect_ms : CONNECT_MS;
    str_copy(n->host, sizeof n->host, to->host);
    n->next = lib->nets;
    lib->nets = n;
    n->again = timer_new(l, "net", on_again, n);
    n->easy = curl_easy_init();
    if (n->easy)
        configure(n, to);
    if (!n->again || !n->easy || curl_multi_add_handle(lib->multi, n->easy)) {
        fault_set(f, ERR_NOMEM, "cannot connect to %s: out of memory", to->host);
        dispose(n);
        return NULL;
    }
    return n;
}

bool net_send(struct net *n, const void *p, size_t len)
{
    if (n->why[0] || n->freed || !n->poll || len > SEND_MAX - n->waiting)
        return false;
    if (!len)
        return true;
    struct piece *piece = malloc(sizeof *piece + len);
    if (!piece)
        return false;
    *piece = (struct piece){.n = len};
    memcpy(piece->bytes, p, len);
    *n->tail = piece;
    n->tail = &piece->next;
    n->waiting += len;
    flush(n);
    if (n->busy)
        return true; /* leave() looks after the rest */
    if (n->why[0])
        timer_start(n->again, 0, 0); /* the owner hears of it outside of this call */
    else
        watch_socket(n);
    return true;
}

void net_free(struct net *n)
{
    if (!n || n->freed)
        return;
    n->freed = true;
    if (!n->busy)
        dispose(n);
}
