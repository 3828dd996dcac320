/* libwebsockets runs on our uv loop ("foreign loop"): it owns its sockets and timers there and
 * calls back on the loop thread. What this file adds:
 *
 * Names. lws resolves with a blocking getaddrinfo(), so uv_getaddrinfo() does it first and lws gets
 * the number as the address; the name goes along for the Host header, SNI and the certificate.
 * That also makes every attempt asynchronous: no callback comes from inside ws_open().
 *
 * Ends. An attempt ends once, by finish(): on_close, then the memory goes. lws reports an end in
 * several ways (CONNECTION_ERROR, CLIENT_CLOSED, NULL from connect with or without a callback, or
 * nothing at all when the peer is silent), so a timer of ours bounds connecting and closing. A wsi
 * whose owner is gone has no opaque pointer any more; its late callbacks find NULL and close it.
 *
 * Bytes. A message arrives in pieces and is handed over whole; one is written for each WRITEABLE,
 * from a buffer with LWS_PRE bytes of room before it, since lws writes its header there.
 *
 * Acks. A peer that leaves Nagle's algorithm on (OBS does) holds an answer back while an event it
 * sent just before is not acknowledged, and the kernel acknowledges up to 40 ms late. So what was
 * read is acknowledged at once; the kernel forgets that wish by itself, hence after every read. */
#define ERR_STATE OPENSSL_ERR_STATE /* OpenSSL's type of that name gives way to base/err's */
#include <libwebsockets.h>
#undef ERR_STATE
#include <netinet/tcp.h>

#include "loop/ws.h"

#include "base/buf.h"
#include "base/log.h"

#include <stdlib.h>
#include <string.h>
#include <uv.h>

#define MESSAGE_MAX ((size_t)16 << 20)
#define SEND_MAX ((size_t)16 << 20)
#define CONNECT_MS 5000
#define CLOSE_MS 2000
#define DRAIN_TURNS 20

/* The library's part of one loop. Where two loops had one at the same time, libwebsockets 4.1 never
 * frees the TLS part of the older (500 kB, the CA bundle): a show has one loop. */
struct engine {
    struct loop *loop;
    struct lws_context *ctx;
    struct lws *serving; /* whose callback runs */
    struct ws *all;
    struct engine *next;
};

struct message {
    struct message *next;
    size_t n;
    unsigned char room[]; /* LWS_PRE bytes, then the text */
};

struct ws {
    struct engine *engine;
    struct ws *next;
    const struct ws_ops *ops;
    void *user;
    struct resolve *resolve; /* while the name is looked up */
    struct lws *wsi;         /* NULL before and after */
    struct timer *patience;
    char scheme[8], host[256], path[512], protocol[64];
    int port;
    struct buf in;
    struct message *first, *last;
    size_t queued;
    bool open;       /* the upgrade is done */
    bool connecting; /* inside lws_client_connect_via_info() */
    bool ended;      /* an end came while `connecting` */
    int close_with;  /* the code we close with; 0 while not asked */
    int code;        /* the peer's close code */
    char why[512];
};

struct resolve {
    uv_getaddrinfo_t uv;
    struct ws *ws; /* NULL when its owner is gone */
};

static struct engine *engines; /* loop thread; one a loop, ended by ws_shutdown() */

static void finish(struct ws *w)
{
    if (w->connecting) {
        w->ended = true;
        return;
    }
    const struct ws_ops *ops = w->ops;
    void *user = w->user;
    char why[sizeof w->why];
    int code = w->code;
    memcpy(why, w->why, sizeof why);
    ws_free(w);
    ops->on_close(user, code, why);
}

static void on_patience(void *user)
{
    struct ws *w = user;
    if (!*w->why)
        snprintf(w->why, sizeof w->why, "%s",
                 w->close_with ? "closed" : "it did not answer within 5 s");
    finish(w);
}

static void acknowledge(struct lws *wsi)
{
#ifdef TCP_QUICKACK
    int on = 1; /* of no consequence when it fails: then answers are late, as they were */
    (void)setsockopt(lws_get_socket_fd(wsi), IPPROTO_TCP, TCP_QUICKACK, &on, sizeof on);
#else
    (void)wsi;
#endif
}

static int peer_closed(struct ws *w, const unsigned char *p, size_t n)
{
    if (n < 2)
        return 0;
    w->code = p[0] << 8 | p[1];
    snprintf(w->why, sizeof w->why, "closed by the peer with code %d%s%.*s", w->code,
             n > 2 ? ": " : "", (int)(n - 2), (const char *)p + 2);
    str_printable(w->why);
    return 0;
}

static int received(struct ws *w, struct lws *wsi, const void *p, size_t n)
{
    if (!buf_add(&w->in, p, n)) {
        snprintf(w->why, sizeof w->why, "a message passes %zu MiB", MESSAGE_MAX >> 20);
        lws_close_reason(wsi, LWS_CLOSE_STATUS_MESSAGE_TOO_LARGE, NULL, 0);
        return -1;
    }
    if (!lws_is_final_fragment(wsi) || lws_remaining_packet_payload(wsi))
        return 0;
    /* The callee may free `w`, so the text is taken out of it first. */
    struct buf text = w->in;
    w->in = BUF_INIT(MESSAGE_MAX);
    w->ops->on_message(w->user, buf_str(&text), text.len);
    bool alive = lws_get_opaque_user_data(wsi) == w;
    if (alive && text.cap <= 1u << 20) {
        buf_reset(&text);
        w->in = text;
    } else {
        buf_free(&text);
    }
    return alive ? 0 : -1;
}

static int writeable(struct ws *w, struct lws *wsi)
{
    struct message *m = w->first;
    if (m) {
        w->first = m->next;
        if (!w->first)
            w->last = NULL;
        w->queued -= m->n;
        int sent = lws_write(wsi, m->room + LWS_PRE, m->n, LWS_WRITE_TEXT);
        free(m);
        if (sent < 0)
            return -1;
        /* One thing a turn: a close in the turn of a write would lose what was written. */
        if (w->first || w->close_with)
            lws_callback_on_writable(wsi);
        return 0;
    }
    if (!w->close_with)
        return 0;
    lws_close_reason(wsi, (enum lws_close_status)w->close_with, NULL, 0);
    return -1;
}

static int handle(struct ws *w, struct lws *wsi, enum lws_callback_reasons reason, void *p,
                  size_t n)
{
    if (!w)
        return reason == LWS_CALLBACK_CLIENT_WRITEABLE || reason == LWS_CALLBACK_CLIENT_RECEIVE ||
                       reason == LWS_CALLBACK_CLIENT_ESTABLISHED
                   ? -1
                   : 0;
    switch (reason) {
    case LWS_CALLBACK_CLIENT_ESTABLISHED:
        w->open = true;
        if (!w->close_with) {
            timer_stop(w->patience);
            w->ops->on_open(w->user);
        }
        if (lws_get_opaque_user_data(wsi) != w)
            return -1;
        if (w->first || w->close_with)
            lws_callback_on_writable(wsi);
        return 0;
    case LWS_CALLBACK_CLIENT_RECEIVE:
        acknowledge(wsi);
        return received(w, wsi, p, n);
    case LWS_CALLBACK_CLIENT_WRITEABLE:
        return writeable(w, wsi);
    case LWS_CALLBACK_WS_PEER_INITIATED_CLOSE:
        return peer_closed(w, p, n);
    case LWS_CALLBACK_CLIENT_CONNECTION_ERROR:
        snprintf(w->why, sizeof w->why, "cannot connect to %s:%d: %s", w->host, w->port,
                 p ? (const char *)p : "refused");
        w->wsi = NULL;
        lws_set_opaque_user_data(wsi, NULL);
        finish(w);
        return 0;
    case LWS_CALLBACK_CLIENT_CLOSED:
        if (!*w->why)
            snprintf(w->why, sizeof w->why, "%s", w->close_with ? "closed" : "connection lost");
        w->wsi = NULL;
        lws_set_opaque_user_data(wsi, NULL);
        finish(w);
        return 0;
    default:
        return 0;
    }
}

static int on_event(struct lws *wsi, enum lws_callback_reasons reason, void *per_session, void *p,
                    size_t n)
{
    (void)per_session;
    struct ws *w = wsi ? lws_get_opaque_user_data(wsi) : NULL;
    if (!w)
        return handle(NULL, wsi, reason, p, n);
    struct engine *e = w->engine;
    struct lws *outer = e->serving;
    e->serving = wsi;
    int r = handle(w, wsi, reason, p, n);
    e->serving = outer;
    return r;
}

static void on_log(int level, const char *line)
{
    log_debug("ws", "%.*s", (int)strcspn(line, "\n"), line);
}

static struct engine *engine_for(struct loop *l, struct fault *f)
{
    static const struct lws_protocols protocols[] = {{"sakuga", on_event, 0, 65536, 0, NULL, 0},
                                                     {NULL, NULL, 0, 0, 0, NULL, 0}};
    for (struct engine *e = engines; e; e = e->next)
        if (e->loop == l)
            return e;
    struct engine *e = calloc(1, sizeof *e);
    if (!e) {
        fault_set(f, ERR_NOMEM, "no memory for a websocket");
        return NULL;
    }
    lws_set_log_level(LLL_ERR | LLL_WARN, on_log);
    void *loops[1] = {loop_uv(l)};
    struct lws_context_creation_info info = {
        .port = CONTEXT_PORT_NO_LISTEN,
        .protocols = protocols,
        .gid = (gid_t)-1,
        .uid = (uid_t)-1,
        .foreign_loops = loops,
        .http_proxy_address = "", /* else it takes $http_proxy, for a loopback peer too */
        .fd_limit_per_thread = 64,
        .options = LWS_SERVER_OPTION_LIBUV | LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT,
    };
    e->ctx = lws_create_context(&info);
    if (!e->ctx) {
        free(e);
        fault_set(f, ERR_UNSUPPORTED,
                  "libwebsockets cannot start: install the package libwebsockets-evlib-uv");
        return NULL;
    }
    e->loop = l;
    e->next = engines;
    engines = e;
    return e;
}

/* Splits scheme://host[:port][/path]. */
static enum err address(struct ws *w, const char *url, struct fault *f)
{
    const char *rest = NULL;
    if (!strncmp(url, "ws://", 5)) {
        strcpy(w->scheme, "ws");
        w->port = 80;
        rest = url + 5;
    } else if (!strncmp(url, "wss://", 6)) {
        strcpy(w->scheme, "wss");
        w->port = 443;
        rest = url + 6;
    } else {
        return fault_set(f, ERR_SYNTAX, "%.200s is no websocket address: it begins with ws://",
                         url);
    }
    bool bracket = *rest == '[';
    const char *host = rest + bracket;
    size_t n = strcspn(host, bracket ? "]" : ":/");
    const char *after = host + n + (bracket && host[n] == ']');
    if (n == 0 || n >= sizeof w->host || (bracket && host[n] != ']'))
        return fault_set(f, ERR_SYNTAX, "%.200s names no host", url);
    memcpy(w->host, host, n);
    w->host[n] = '\0';
    if (*after == ':') {
        char *end;
        long port = strtol(after + 1, &end, 10);
        if (end == after + 1 || port < 1 || port > 65535)
            return fault_set(f, ERR_SYNTAX, "%.200s has a bad port", url);
        w->port = (int)port;
        after = end;
    }
    if (*after && *after != '/')
        return fault_set(f, ERR_SYNTAX, "%.200s is malformed behind the host", url);
    if (!str_copy(w->path, sizeof w->path, *after ? after : "/"))
        return fault_set(f, ERR_LIMIT, "the path of %.200s is too long", url);
    return ERR_OK;
}

static void connect_to(struct ws *w, const char *number)
{
    struct lws_client_connect_info info = {
        .context = w->engine->ctx,
        .address = number,
        .port = w->port,
        .path = w->path,
        .host = w->host,
        .origin = NULL,
        .protocol = *w->protocol ? w->protocol : NULL,
        .local_protocol_name = "sakuga",
        .ssl_connection = !strcmp(w->scheme, "wss") ? LCCSCF_USE_SSL : 0,
        .opaque_user_data = w,
        .pwsi = &w->wsi,
    };
    w->connecting = true;
    struct lws *wsi = lws_client_connect_via_info(&info);
    w->connecting = false;
    if (wsi && !w->ended)
        return;
    w->wsi = NULL;
    if (!*w->why)
        snprintf(w->why, sizeof w->why, "cannot connect to %s:%d", w->host, w->port);
    finish(w);
}

static void on_resolved(uv_getaddrinfo_t *uv, int status, struct addrinfo *found)
{
    struct resolve *r = uv->data;
    struct ws *w = r->ws;
    free(r);
    if (w) {
        char number[64] = "";
        w->resolve = NULL;
        if (status == 0)
            status = found->ai_family == AF_INET6
                         ? uv_ip6_name((void *)found->ai_addr, number, sizeof number)
                         : uv_ip4_name((void *)found->ai_addr, number, sizeof number);
        if (status == 0) {
            connect_to(w, number);
        } else {
            snprintf(w->why, sizeof w->why, "cannot find the host %s: %s", w->host,
                     uv_strerror(status));
            finish(w);
        }
    }
    uv_freeaddrinfo(found);
}

struct ws *ws_open(struct loop *l, const char *url, const char *protocol, const struct ws_ops *ops,
                   void *user, struct fault *f)
{
    struct ws *w = calloc(1, sizeof *w);
    struct resolve *r = calloc(1, sizeof *r);
    if (!w || !r) {
        fault_set(f, ERR_NOMEM, "no memory for a websocket");
        goto fail;
    }
    if (address(w, url, f))
        goto fail;
    if (protocol && !str_copy(w->protocol, sizeof w->protocol, protocol)) {
        fault_set(f, ERR_INVAL, "the subprotocol %.80s is too long", protocol);
        goto fail;
    }
    w->engine = engine_for(l, f);
    if (!w->engine)
        goto fail;
    w->ops = ops;
    w->user = user;
    w->in = BUF_INIT(MESSAGE_MAX);
    w->patience = timer_new(l, "websocket patience", on_patience, w);
    struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    r->uv.data = r;
    r->ws = w;
    int e = w->patience ? uv_getaddrinfo(loop_uv(l), &r->uv, on_resolved, w->host, NULL, &hints)
                        : UV_ENOMEM;
    if (e) {
        fault_set(f, ERR_IO, "cannot look up %s: %s", w->host, uv_strerror(e));
        timer_free(w->patience);
        goto fail;
    }
    w->resolve = r;
    w->next = w->engine->all;
    w->engine->all = w;
    timer_start(w->patience, CONNECT_MS, 0);
    return w;
fail:
    free(w);
    free(r);
    return NULL;
}

bool ws_send(struct ws *w, const char *text, size_t n)
{
    if (w->close_with || n > SEND_MAX - w->queued)
        return false;
    struct message *m = malloc(sizeof *m + LWS_PRE + n);
    if (!m)
        return false;
    m->next = NULL;
    m->n = n;
    memcpy(m->room + LWS_PRE, text, n);
    if (w->last)
        w->last->next = m;
    else
        w->first = m;
    w->last = m;
    w->queued += n;
    if (w->open)
        lws_callback_on_writable(w->wsi);
    return true;
}

void ws_close(struct ws *w, int code)
{
    if (w->close_with)
        return;
    w->close_with = code;
    timer_start(w->patience, w->open ? CLOSE_MS : 0, 0);
    if (w->open)
        lws_callback_on_writable(w->wsi);
}

void ws_free(struct ws *w)
{
    if (!w)
        return;
    for (struct ws **at = &w->engine->all; *at; at = &(*at)->next)
        if (*at == w) {
            *at = w->next;
            break;
        }
    if (w->resolve) {
        w->resolve->ws = NULL;
        uv_cancel((uv_req_t *)&w->resolve->uv);
    }
    if (w->wsi) {
        /* Inside a callback of this wsi its return value closes it. Elsewhere it is closed here and
         * now: the asynchronous kill waits for the library's next timer, which may be far. */
        lws_set_opaque_user_data(w->wsi, NULL);
        if (w->engine->serving != w->wsi)
            lws_set_timeout(w->wsi, PENDING_TIMEOUT_USER_OK, LWS_TO_KILL_SYNC);
    }
    timer_free(w->patience);
    while (w->first) {
        struct message *m = w->first;
        w->first = m->next;
        free(m);
    }
    buf_free(&w->in);
    free(w);
}

static void drain(struct loop *l)
{
    for (int i = 0; i < DRAIN_TURNS; i++)
        loop_step(l, 1);
}

void ws_shutdown(struct loop *l)
{
    for (struct engine **at = &engines; *at; at = &(*at)->next) {
        struct engine *e = *at;
        if (e->loop != l)
            continue;
        *at = e->next;
        while (e->all)
            ws_free(e->all);
        /* On a loop that is not its own the library ends in two calls: the first begins to close
         * its handles, the second, when they are closed, frees the rest. Connections that have just
         * ended must be gone before the first. */
        drain(l);
        lws_context_destroy(e->ctx);
        drain(l);
        lws_context_destroy(e->ctx);
        free(e);
        return;
    }
}
