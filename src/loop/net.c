#include "loop/net.h"

#include "base/buf.h"
#include "loop/curlm.h"

#include <arpa/inet.h>
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
 */

#define SEND_MAX ((size_t)1 << 20)
#define READ_TURN ((size_t)256 << 10)
#define CONNECT_MS 10000

struct piece {
    struct piece *next;
    size_t n, sent;
    char bytes[];
};

struct net {
    struct transfer transfer; /* first: its address is ours */
    struct net *next;         /* of all */
    struct loop *loop;
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

static struct net *all; /* loop thread */

/* Ends the connection and its memory; from the callbacks' ends only. */
static void dispose(struct net *n)
{
    struct net **at = &all;
    while (*at && *at != n)
        at = &(*at)->next;
    if (*at)
        *at = n->next;
    if (n->poll) {
        uv_poll_stop(n->poll);
        uv_close((uv_handle_t *)n->poll, (uv_close_cb)free);
    }
    transfer_end(&n->transfer);
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
        CURLcode r = curl_easy_send(n->transfer.easy, p->bytes + p->sent, p->n - p->sent, &sent);
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
        CURLcode r = curl_easy_recv(n->transfer.easy, room, sizeof room, &got);
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

static void connected(struct transfer *t, CURLcode r)
{
    struct net *n = (struct net *)t;
    curl_socket_t fd = CURL_SOCKET_BAD;
    enter(n);
    if (r)
        fail_code(n, r);
    else if (curl_easy_getinfo(n->transfer.easy, CURLINFO_ACTIVESOCKET, &fd) ||
             fd == CURL_SOCKET_BAD)
        fail(n, "the connection ended as soon as it was made");
    else if (!(n->poll = calloc(1, sizeof *n->poll)))
        fail(n, "out of memory");
    else if (uv_poll_init_socket(loop_uv(n->loop), n->poll, fd)) {
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

void net_shutdown(struct loop *l)
{
    for (struct net *n = all, *next; n; n = next) {
        next = n->next;
        if (n->loop == l)
            dispose(n);
    }
    curlm_free(l);
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
    CURL *e = n->transfer.easy;
    curl_easy_setopt(e, CURLOPT_URL, url);
    curl_easy_setopt(e, CURLOPT_ERRORBUFFER, n->error);
    curl_easy_setopt(e, CURLOPT_CONNECT_ONLY, 1L);
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
    struct net *n = calloc(1, sizeof *n);
    if (!n || transfer_init(&n->transfer, l)) {
        free(n);
        fault_set(f, ERR_NOMEM, "cannot connect to %s: out of memory", to->host);
        return NULL;
    }
    n->transfer.done = connected;
    n->loop = l;
    n->tail = &n->head;
    n->ops = ops;
    n->user = user;
    n->port = to->port;
    n->connect_ms = to->connect_ms > 0 ? to->connect_ms : CONNECT_MS;
    str_copy(n->host, sizeof n->host, to->host);
    n->next = all;
    all = n;
    n->again = timer_new(l, "net", on_again, n);
    configure(n, to);
    if (!n->again || transfer_start(&n->transfer)) {
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
