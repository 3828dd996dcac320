/* Written over plain TCP, so that it can do what a library would not: cut in the middle of a frame,
 * fall silent, close with any code. */
#define ERR_STATE OPENSSL_ERR_STATE
#include <openssl/evp.h>
#undef ERR_STATE

#include "fake_ws.h"

#include "base/buf.h"

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

struct client {
    uv_tcp_t tcp;
    struct fake_ws *f;
    struct buf in, message;
    bool open;
};

struct fake_ws {
    uv_tcp_t tcp;
    uv_loop_t *uv;
    struct client *client; /* the newest that is open */
    const struct fake_ws_ops *ops;
    void *user;
    int port, clients;
    bool overlap, closed;
};

struct out {
    uv_write_t uv;
    char bytes[];
};

static void broken(const char *what)
{
    fprintf(stderr, "fake_ws: the client broke the protocol: %s\n", what);
    abort();
}

static void on_written(uv_write_t *w, int status)
{
    (void)status;
    free(w);
}

static void put(struct client *c, const void *p, size_t n)
{
    struct out *o = malloc(sizeof *o + n);
    memcpy(o->bytes, p, n);
    uv_buf_t b = uv_buf_init(o->bytes, (unsigned)n);
    if (uv_write(&o->uv, (uv_stream_t *)&c->tcp, &b, 1, on_written))
        free(o);
}

static void frame(struct client *c, int first, const void *p, size_t n)
{
    unsigned char *b = malloc(n + 10);
    size_t at = 2;
    b[0] = (unsigned char)first;
    b[1] = (unsigned char)(n < 126 ? n : n < 65536 ? 126 : 127);
    for (int i = n < 126 ? -1 : n < 65536 ? 1 : 7; i >= 0; i--)
        b[at++] = (unsigned char)((uint64_t)n >> 8 * i);
    if (n)
        memcpy(b + at, p, n);
    put(c, b, at + n);
    free(b);
}

static void gone(uv_handle_t *h)
{
    struct client *c = h->data;
    buf_free(&c->in);
    buf_free(&c->message);
    free(c);
}

static void drop(struct client *c)
{
    struct fake_ws *f = c->f;
    if (uv_is_closing((uv_handle_t *)&c->tcp))
        return;
    uv_close((uv_handle_t *)&c->tcp, gone);
    if (f->client == c)
        f->client = NULL;
    if (c->open && f->ops->on_close)
        f->ops->on_close(f->user);
}

static void upgrade(struct client *c)
{
    struct fake_ws *f = c->f;
    char *head = c->in.data, *end = strstr(head, "\r\n\r\n"), text[128], answer[300];
    if (!end)
        return;
    unsigned char sum[64], key[128];
    unsigned n;
    char *at = strcasestr(head, "Sec-WebSocket-Key: ");
    if (!at || strncmp(head, "GET / HTTP/1.1\r\n", 16) ||
        !strcasestr(head, "Sec-WebSocket-Protocol: obswebsocket.json\r\n"))
        broken("a malformed upgrade");
    snprintf(text, sizeof text, "%.*s258EAFA5-E914-47DA-95CA-C5AB0DC85B11",
             (int)strcspn(at + 19, "\r"), at + 19);
    EVP_Digest(text, strlen(text), sum, &n, EVP_sha1(), NULL);
    EVP_EncodeBlock(key, sum, (int)n);
    snprintf(answer, sizeof answer,
             "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
             "Sec-WebSocket-Accept: %s\r\nSec-WebSocket-Protocol: obswebsocket.json\r\n\r\n",
             key);
    put(c, answer, strlen(answer));
    buf_drop(&c->in, (size_t)(end + 4 - head));
    if (f->client && !f->overlap)
        broken("a second connection");
    c->open = true;
    f->client = c;
    f->clients++;
    if (f->ops->on_open)
        f->ops->on_open(f->user);
}

/* One frame from the client, if it is whole. */
static bool take(struct client *c)
{
    const unsigned char *p = (unsigned char *)c->in.data;
    size_t have = c->in.len, at = 2, n;
    if (have < 2)
        return false;
    if (!(p[1] & 0x80))
        broken("an unmasked frame");
    n = p[1] & 0x7f;
    if (n >= 126) {
        int bytes = n == 126 ? 2 : 8;
        if (have < at + (size_t)bytes)
            return false;
        for (n = 0; bytes--; at++)
            n = n << 8 | p[at];
    }
    if (have < at + 4 + n)
        return false;
    int code = p[0] & 0xf;
    struct buf text = BUF_INIT(0);
    for (size_t i = 0; i < n; i++)
        buf_addc(&text, (char)(p[at + 4 + i] ^ p[at + i % 4]));
    bool last = p[0] & 0x80;
    buf_drop(&c->in, at + 4 + n);
    if (code == 8) {
        frame(c, 0x88, buf_str(&text), text.len < 2 ? 0 : text.len);
        buf_free(&text);
        drop(c);
        return false;
    }
    if (code == 2)
        broken("a binary message");
    if (code == 0 || code == 1)
        buf_add(&c->message, buf_str(&text), text.len);
    buf_free(&text);
    if ((code == 0 || code == 1) && last) {
        struct buf whole = c->message;
        c->message = BUF_INIT(0);
        if (c->f->ops->on_message)
            c->f->ops->on_message(c->f->user, buf_str(&whole), whole.len);
        buf_free(&whole);
    }
    return !uv_is_closing((uv_handle_t *)&c->tcp);
}

static void on_alloc(uv_handle_t *h, size_t want, uv_buf_t *b)
{
    (void)h;
    *b = uv_buf_init(malloc(want), (unsigned)want);
}

static void on_read(uv_stream_t *s, ssize_t n, const uv_buf_t *b)
{
    struct client *c = s->data;
    if (n > 0)
        buf_add(&c->in, b->base, (size_t)n);
    free(b->base);
    if (n < 0) {
        drop(c);
        return;
    }
    if (!c->open)
        upgrade(c);
    while (c->open && take(c))
        ;
}

static void on_client(uv_stream_t *s, int status)
{
    struct fake_ws *f = s->data;
    struct client *c = calloc(1, sizeof *c);
    if (status)
        broken("no listener");
    c->f = f;
    c->tcp.data = c;
    uv_tcp_init(f->uv, &c->tcp);
    uv_accept(s, (uv_stream_t *)&c->tcp);
    uv_read_start((uv_stream_t *)&c->tcp, on_alloc, on_read);
}

struct fake_ws *fake_ws_new(struct loop *l, const struct fake_ws_ops *ops, void *user)
{
    struct fake_ws *f = calloc(1, sizeof *f);
    struct sockaddr_in a;
    int n = sizeof a;
    f->uv = loop_uv(l);
    f->ops = ops;
    f->user = user;
    f->tcp.data = f;
    uv_ip4_addr("127.0.0.1", 0, &a);
    uv_tcp_init(f->uv, &f->tcp);
    if (uv_tcp_bind(&f->tcp, (struct sockaddr *)&a, 0) ||
        uv_listen((uv_stream_t *)&f->tcp, 8, on_client) ||
        uv_tcp_getsockname(&f->tcp, (struct sockaddr *)&a, &n))
        broken("no listener");
    f->port = ntohs(a.sin_port);
    return f;
}

int fake_ws_port(const struct fake_ws *f)
{
    return f->port;
}

void fake_ws_overlap(struct fake_ws *f)
{
    f->overlap = true;
}

int fake_ws_clients(const struct fake_ws *f)
{
    return f->clients;
}

void fake_ws_send(struct fake_ws *f, const char *text, size_t n, size_t piece)
{
    size_t at = 0;
    do {
        size_t m = piece && n - at > piece ? piece : n - at;
        if (f->client)
            frame(f->client, (at ? 0 : 1) | (at + m == n ? 0x80 : 0), text + at, m);
        at += m;
    } while (at < n);
}

void fake_ws_close(struct fake_ws *f, int code, const char *reason)
{
    char b[128] = {(char)(code >> 8), (char)code};
    str_copy(b + 2, sizeof b - 2, reason);
    if (f->client)
        frame(f->client, 0x88, b, 2 + strlen(b + 2));
}

void fake_ws_drop(struct fake_ws *f)
{
    if (f->client)
        drop(f->client);
}

static void server_gone(uv_handle_t *h)
{
    ((struct fake_ws *)h->data)->closed = true;
}

void fake_ws_free(struct fake_ws *f)
{
    static const struct fake_ws_ops none = {NULL, NULL, NULL};
    f->ops = &none;
    fake_ws_drop(f);
    uv_close((uv_handle_t *)&f->tcp, server_gone);
    for (int i = 0; i < 100 && (!f->closed || i < 10); i++)
        uv_run(f->uv, UV_RUN_NOWAIT);
    free(f);
}
