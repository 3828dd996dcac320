#include "unit.h"

#include "base/clock.h"
#include "fake_ws.h"
#include "loop/ws.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>
#include <uv.h>

struct end {
    struct loop *loop;
    struct fake_ws *server;
    struct ws *ws;
    int opened, closed, code, messages, server_messages, server_closed;
    char why[512];
    size_t got;
    unsigned sum, server_sum;
    size_t server_got;
    bool free_inside;
};

static unsigned checksum(const char *s, size_t n)
{
    unsigned sum = 1;
    for (size_t i = 0; i < n; i++)
        sum = sum * 31 + (unsigned char)s[i];
    return sum;
}

static void on_open(void *user)
{
    ((struct end *)user)->opened++;
}

static void on_message(void *user, const char *text, size_t n)
{
    struct end *e = user;
    e->messages++;
    e->got = n;
    e->sum = checksum(text, n);
    assert_int_equal(text[n], 0);
    if (e->free_inside) {
        ws_free(e->ws);
        e->ws = NULL;
    }
}

static void on_close(void *user, int code, const char *why)
{
    struct end *e = user;
    e->ws = NULL;
    e->closed++;
    e->code = code;
    snprintf(e->why, sizeof e->why, "%s", why);
}

static const struct ws_ops ops = {on_open, on_message, on_close};

static void server_message(void *user, const char *text, size_t n)
{
    struct end *e = user;
    e->server_messages++;
    e->server_got = n;
    e->server_sum = checksum(text, n);
}

static void server_close(void *user)
{
    ((struct end *)user)->server_closed++;
}

static const struct fake_ws_ops server_ops = {NULL, server_message, server_close};

/* Turns the loop until *what reaches n; fails after ms. */
static void until(struct end *e, const int *what, int n, int ms)
{
    int64_t end = clock_mono_ms() + ms;
    while (*what < n && clock_mono_ms() < end)
        loop_step(e->loop, 20);
    assert_true(*what >= n);
}

static void begin(struct end *e)
{
    struct fault f;
    *e = (struct end){.loop = loop_new(&f)};
    assert_non_null(e->loop);
    e->server = fake_ws_new(e->loop, &server_ops, e);
}

static void open_to(struct end *e, int port)
{
    char url[64];
    struct fault f;
    snprintf(url, sizeof url, "ws://127.0.0.1:%d/", port);
    int closed = e->closed;
    e->ws = ws_open(e->loop, url, "obswebsocket.json", &ops, e, &f);
    assert_non_null(e->ws);
    assert_int_equal(e->closed, closed); /* never from inside */
}

/* Nothing may be left in the loop: uv_loop_close() says so. */
static void finish(struct end *e)
{
    ws_free(e->ws);
    fake_ws_free(e->server);
    ws_shutdown(e->loop);
    uv_loop_t *uv = loop_uv(e->loop);
    for (int i = 0; i < 200; i++)
        uv_run(uv, UV_RUN_NOWAIT);
    assert_false(uv_loop_alive(uv));
    loop_free(e->loop);
}

static void big_messages_both_ways(void **state)
{
    struct end e;
    size_t n = 150000;
    char *text = malloc(n);
    (void)state;
    for (size_t i = 0; i < n; i++)
        text[i] = (char)('a' + i % 23);
    begin(&e);
    open_to(&e, fake_ws_port(e.server));
    assert_true(ws_send(e.ws, text, 5)); /* before it is open: waits */
    until(&e, &e.opened, 1, 3000);
    until(&e, &e.server_messages, 1, 3000);
    fake_ws_send(e.server, text, n, 1000);
    until(&e, &e.messages, 1, 3000);
    assert_int_equal(e.got, n);
    assert_int_equal(e.sum, checksum(text, n));
    assert_true(ws_send(e.ws, text, n));
    assert_true(ws_send(e.ws, text, 7));
    until(&e, &e.server_messages, 3, 3000);
    assert_int_equal(e.server_got, 7);
    fake_ws_send(e.server, "", 0, 0);
    until(&e, &e.messages, 2, 3000);
    assert_int_equal(e.got, 0);
    free(text);
    finish(&e);
}

static void close_codes(void **state)
{
    struct end e;
    (void)state;
    begin(&e);
    open_to(&e, fake_ws_port(e.server));
    until(&e, &e.opened, 1, 3000);
    fake_ws_close(e.server, 4007, "not identified");
    until(&e, &e.closed, 1, 3000);
    assert_int_equal(e.code, 4007);
    assert_non_null(strstr(e.why, "not identified"));
    /* What a peer says ends in the log and on the screen: no controls, no broken UTF-8. */
    open_to(&e, fake_ws_port(e.server));
    until(&e, &e.opened, 2, 3000);
    fake_ws_close(e.server, 4007, "go\033[2Jaway\xff");
    until(&e, &e.closed, 2, 3000);
    assert_non_null(strstr(e.why, "go?[2Jaway?"));
    /* Our own clean close tells the server and ends once. */
    open_to(&e, fake_ws_port(e.server));
    until(&e, &e.opened, 3, 3000);
    assert_true(ws_send(e.ws, "last words", 10));
    ws_close(e.ws, 1000);
    assert_false(ws_send(e.ws, "late", 4));
    until(&e, &e.closed, 3, 3000);
    assert_int_equal(e.server_got, 10);
    until(&e, &e.server_closed, 3, 3000);
    /* Cut without a word. */
    open_to(&e, fake_ws_port(e.server));
    until(&e, &e.opened, 4, 3000);
    fake_ws_drop(e.server);
    until(&e, &e.closed, 4, 3000);
    assert_int_equal(e.code, 0);
    finish(&e);
}

/* Each loop has its own part of the library; the end of one leaves the other alone. */
static void two_loops(void **state)
{
    struct end a, b;
    (void)state;
    begin(&a);
    begin(&b);
    open_to(&a, fake_ws_port(a.server));
    open_to(&b, fake_ws_port(b.server));
    until(&a, &a.opened, 1, 3000);
    until(&b, &b.opened, 1, 3000);
    finish(&a);
    assert_true(ws_send(b.ws, "still here", 10));
    until(&b, &b.server_messages, 1, 3000);
    assert_int_equal(b.server_got, 10);
    finish(&b);
}

static int silent_listener(int *port)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof a;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof a), 0);
    assert_int_equal(listen(fd, 8), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &n), 0);
    *port = ntohs(a.sin_port);
    return fd;
}

static void refused_and_silent(void **state)
{
    struct end e;
    int port;
    (void)state;
    begin(&e);
    int fd = silent_listener(&port);
    close(fd); /* nobody listens there now */
    open_to(&e, port);
    until(&e, &e.closed, 1, 3000);
    assert_non_null(strstr(e.why, "127.0.0.1"));
    fd = silent_listener(&port); /* takes the connection, never answers the upgrade */
    open_to(&e, port);
    int64_t began = clock_mono_ms();
    until(&e, &e.closed, 2, 8000);
    assert_true(clock_mono_ms() - began >= 4500);
    assert_non_null(strstr(e.why, "did not answer"));
    assert_int_equal(e.opened, 0);
    close(fd);
    struct fault f;
    e.ws = ws_open(e.loop, "ws://no-such-host.invalid:1/", NULL, &ops, &e, &f);
    assert_non_null(e.ws);
    until(&e, &e.closed, 3, 8000);
    finish(&e);
}

static void freed_at_any_time(void **state)
{
    struct end e;
    (void)state;
    begin(&e);
    fake_ws_overlap(e.server);
    for (int turns = 0; turns < 8; turns++) {
        open_to(&e, fake_ws_port(e.server));
        for (int i = 0; i < turns; i++)
            loop_step(e.loop, 5);
        ws_free(e.ws);
        e.ws = NULL;
        for (int i = 0; i < 20; i++) /* the server sees the end before the next comes */
            loop_step(e.loop, 5);
    }
    assert_int_equal(e.closed, 0);
    int had = e.opened;
    open_to(&e, fake_ws_port(e.server));
    until(&e, &e.opened, had + 1, 3000);
    e.free_inside = true;
    fake_ws_send(e.server, "x", 1, 0);
    until(&e, &e.messages, 1, 3000);
    assert_null(e.ws);
    finish(&e);
}

static void bad_addresses(void **state)
{
    static const char *const bad[] = {"",           "http://x/", "ws://",
                                      "ws://:1/",   "ws://h:0/", "ws://h:70000/",
                                      "ws://h:1x/", "ws://[::1", "wss:/x"};
    struct loop *l = loop_new(NULL);
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct fault f = {0};
        assert_null(ws_open(l, bad[i], NULL, &ops, NULL, &f));
        assert_int_equal(f.code, ERR_SYNTAX);
    }
    ws_shutdown(l);
    loop_free(l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(big_messages_both_ways), cmocka_unit_test(close_codes),
        cmocka_unit_test(refused_and_silent),     cmocka_unit_test(freed_at_any_time),
        cmocka_unit_test(bad_addresses),          cmocka_unit_test(two_loops),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
