/* Streams against real peers: a listener of our own, and `openssl s_server` for TLS. */
#include "unit.h"

#include "base/buf.h"
#include "base/clock.h"
#include "loop/net.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

struct peer {
    struct loop *loop;
    struct net *net;
    int opened, closed;
    char why[300];
    struct buf got;
    size_t bytes;
    bool free_on_bytes, free_on_open, keep;
};

static void on_open(void *user)
{
    struct peer *p = user;
    p->opened++;
    if (p->free_on_open)
        net_free(p->net);
}

static void on_bytes(void *user, const void *bytes, size_t n)
{
    struct peer *p = user;
    p->bytes += n;
    if (p->keep)
        buf_add(&p->got, bytes, n);
    if (p->free_on_bytes)
        net_free(p->net);
}

static void on_close(void *user, const char *why)
{
    struct peer *p = user;
    p->closed++;
    p->net = NULL;
    str_copy(p->why, sizeof p->why, why);
}

static const struct net_ops ops = {on_open, on_bytes, on_close};

static void begin(struct peer *p, const char *host, int port, bool tls, const char *ca, int ms)
{
    struct fault f = {0};
    struct net_address to = {.port = port, .tls = tls, .ca = ca, .connect_ms = ms};
    str_copy(to.host, sizeof to.host, host);
    *p = (struct peer){.loop = loop_new(NULL), .keep = true};
    p->got.max = (size_t)64 << 20;
    p->net = net_open(p->loop, &to, &ops, p, &f);
    if (!p->net)
        fail_msg("%s", f.text);
    assert_int_equal(p->closed, 0); /* never from inside */
}

static void end(struct peer *p)
{
    net_free(p->net);
    net_shutdown(p->loop);
    loop_free(p->loop);
    buf_free(&p->got);
}

#define WAIT(p, ms, condition)                                                                     \
    do {                                                                                           \
        int64_t end_ = clock_mono_ms() + (ms);                                                     \
        bool ok_;                                                                                  \
        while (!(ok_ = (condition)) && clock_mono_ms() < end_)                                     \
            loop_step((p)->loop, 10);                                                              \
        if (!ok_)                                                                                  \
            fail_msg("%s did not come within %d ms; %s", #condition, (int)(ms), (p)->why);         \
    } while (0)

static int listen_at(int *port)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof a;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&a, n) | listen(fd, 4), 0);
    getsockname(fd, (struct sockaddr *)&a, &n);
    *port = ntohs(a.sin_port);
    return fd;
}

static int take(struct peer *p, int door)
{
    int fd = -1;
    WAIT(p, 3000, (fd = accept(door, NULL, NULL)) >= 0);
    fcntl(fd, F_SETFL, O_NONBLOCK);
    WAIT(p, 3000, p->opened == 1);
    return fd;
}

static void plain(void **state)
{
    (void)state;
    struct peer p;
    char got[64] = "";
    int port, door = listen_at(&port);
    begin(&p, "localhost", port, false, NULL, 0);
    assert_false(net_send(p.net, "x", 1)); /* not open yet */
    int fd = take(&p, door);
    assert_true(net_send(p.net, "hello", 5));
    WAIT(&p, 2000, recv(fd, got, sizeof got, 0) == 5);
    assert_string_equal(got, "hello");
    assert_int_equal(send(fd, "world", 5, 0), 5);
    WAIT(&p, 2000, p.got.len == 5);
    close(fd);
    WAIT(&p, 2000, p.closed == 1);
    assert_non_null(strstr(p.why, "closed"));
    close(door);
    end(&p);
}

static void refused(void **state)
{
    (void)state;
    struct peer p;
    int port, door = listen_at(&port);
    close(door);
    begin(&p, "127.0.0.1", port, false, NULL, 0);
    WAIT(&p, 3000, p.closed == 1);
    assert_non_null(strstr(p.why, "nobody answers"));
    assert_int_equal(p.opened, 0);
    end(&p);
}

static void no_such_host(void **state)
{
    (void)state;
    struct peer p;
    struct fault f = {0};
    begin(&p, "no-such-host.invalid", 6697, true, NULL, 0);
    WAIT(&p, 8000, p.closed == 1);
    assert_non_null(strstr(p.why, "no-such-host.invalid"));
    struct net_address to = {.host = "a b/c", .port = 1};
    assert_null(net_open(p.loop, &to, &ops, &p, &f));
    assert_int_equal(f.code, ERR_INVAL);
    end(&p);
}

static void listener_without_tls(void **state)
{
    (void)state;
    struct peer p;
    int port, door = listen_at(&port);
    begin(&p, "127.0.0.1", port, true, NULL, 400); /* the kernel accepts, nobody speaks */
    int64_t began = clock_mono_ms();
    WAIT(&p, 3000, p.closed == 1);
    assert_true(clock_mono_ms() - began < 1500);
    assert_non_null(strstr(p.why, "400 ms"));
    end(&p);
    begin(&p, "127.0.0.1", port, true, NULL, 0);
    close(accept(door, NULL, NULL)); /* the one that gave up */
    int fd = -1;
    WAIT(&p, 3000, (fd = accept(door, NULL, NULL)) >= 0);
    assert_true(send(fd, "hello, plain here\r\n", 19, MSG_NOSIGNAL) > 0);
    WAIT(&p, 3000, p.closed == 1);
    assert_non_null(strstr(p.why, "TLS"));
    close(fd);
    close(door);
    end(&p);
}

static void bursts_both_ways(void **state)
{
    (void)state;
    static char block[65536];
    struct peer p;
    int port, door = listen_at(&port);
    size_t sent = 0, total = (size_t)8 << 20, back = 0;
    begin(&p, "127.0.0.1", port, false, NULL, 0);
    p.keep = false;
    int fd = take(&p, door);
    for (int64_t stop = clock_mono_ms() + 10000; clock_mono_ms() < stop && p.bytes < total;) {
        ssize_t n = sent < total ? send(fd, block, sizeof block, MSG_NOSIGNAL) : -1;
        sent += n > 0 ? (size_t)n : 0;
        loop_step(p.loop, 1);
    }
    assert_int_equal(p.bytes, sent);
    /* a peer that does not read: bounded, then everything arrives in order */
    unsigned queued = 0;
    for (; net_send(p.net, block, sizeof block); queued++) {
        memset(block, (int)(queued + 1), sizeof block);
        assert_true(queued < 2000);
    }
    assert_true(queued >= 16); /* 1 MiB of its own, and what the kernel took */
    size_t want = (size_t)queued * sizeof block;
    for (int64_t stop = clock_mono_ms() + 10000; clock_mono_ms() < stop && back < want;) {
        static unsigned char room[65536];
        ssize_t n = recv(fd, room, sizeof room, 0);
        for (ssize_t i = 0; i < n; i += 4096)
            assert_int_equal(room[i], ((back + (size_t)i) / sizeof block) & 0xff);
        back += n > 0 ? (size_t)n : 0;
        loop_step(p.loop, n > 0 ? 0 : 5);
    }
    assert_int_equal(back, want);
    close(fd);
    close(door);
    end(&p);
}

static void freed_in_its_callbacks(void **state)
{
    (void)state;
    struct peer p;
    int port, door = listen_at(&port);
    begin(&p, "127.0.0.1", port, false, NULL, 0);
    p.free_on_bytes = true;
    int fd = take(&p, door);
    assert_int_equal(send(fd, "x", 1, 0), 1);
    char c;
    WAIT(&p, 2000, recv(fd, &c, 1, 0) == 0); /* it hung up */
    assert_int_equal(p.closed, 0);
    close(fd);
    p.net = NULL;
    end(&p);
    begin(&p, "127.0.0.1", port, false, NULL, 0);
    p.free_on_open = true;
    WAIT(&p, 2000, p.opened == 1);
    p.net = NULL;
    end(&p);
    begin(&p, "127.0.0.1", port, true, NULL, 0); /* in the middle of a handshake */
    loop_step(p.loop, 20);
    end(&p);
    close(door);
}

/* --- TLS: openssl s_server -rev answers each line reversed --- */

struct tls {
    char dir[64], cert[96], other[96];
    pid_t pid;
    int port, input;
};

static void shell(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
static void shell(const char *fmt, ...)
{
    char command[1024];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(command, sizeof command, fmt, ap);
    va_end(ap);
    assert_int_equal(system(command), 0);
}

static bool answers(int port)
{
    struct sockaddr_in a = {.sin_family = AF_INET,
                            .sin_port = htons((uint16_t)port),
                            .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool ok = !connect(fd, (struct sockaddr *)&a, sizeof a);
    close(fd);
    return ok;
}

static int tls_setup(void **state)
{
    struct tls *t = calloc(1, sizeof *t);
    char port[16], key[96];
    strcpy(t->dir, "/tmp/sakuga-net.XXXXXX");
    assert_non_null(mkdtemp(t->dir));
    snprintf(t->cert, sizeof t->cert, "%s/cert.pem", t->dir);
    snprintf(t->other, sizeof t->other, "%s/other.pem", t->dir);
    snprintf(key, sizeof key, "%s/key.pem", t->dir);
    for (int i = 0; i < 2; i++)
        shell("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 9 "
              "-subj /CN=localhost -addext subjectAltName=DNS:localhost -keyout %s -out %s "
              "2>/dev/null",
              i ? key : "/dev/null", i ? t->cert : t->other);
    close(listen_at(&t->port));
    snprintf(port, sizeof port, "%d", t->port);
    t->pid = fork();
    if (!t->pid) {
        int null = open("/dev/null", O_RDWR);
        dup2(null, 0);
        dup2(null, 1);
        dup2(null, 2);
        execlp("openssl", "openssl", "s_server", "-quiet", "-rev", "-accept", port, "-cert",
               t->cert, "-key", key, (char *)NULL);
        _exit(127);
    }
    int64_t end = clock_mono_ms() + 5000;
    while (!answers(t->port) && clock_mono_ms() < end)
        poll(NULL, 0, 20);
    *state = t;
    return answers(t->port) ? 0 : -1;
}

static int tls_teardown(void **state)
{
    struct tls *t = *state;
    kill(t->pid, SIGTERM);
    waitpid(t->pid, NULL, 0);
    shell("rm -rf %s", t->dir);
    free(t);
    return 0;
}

static void tls_with_its_ca(void **state)
{
    struct tls *t = *state;
    struct peer p;
    char line[4001];
    begin(&p, "localhost", t->port, true, t->cert, 0);
    WAIT(&p, 3000, p.opened == 1);
    assert_true(net_send(p.net, "anime\n", 6));
    WAIT(&p, 3000, p.got.len == 6);
    assert_string_equal(buf_str(&p.got), "emina\n");
    memset(line, 'x', sizeof line); /* more than a record at once, in pieces of the queue */
    line[sizeof line - 1] = '\n';
    for (int i = 0; i < 100; i++)
        assert_true(net_send(p.net, line, sizeof line));
    WAIT(&p, 5000, p.got.len == 6 + 100 * sizeof line);
    end(&p);
}

static void tls_refusals(void **state)
{
    struct tls *t = *state;
    struct peer p;
    const struct {
        const char *host, *ca, *says;
    } cases[] = {{"localhost", NULL, "certificate of localhost is not trusted"},
                 {"localhost", t->other, "certificate of localhost is not trusted"},
                 {"127.0.0.1", t->cert, "certificate of 127.0.0.1 is not trusted"},
                 {"localhost", "/no/such/file.pem", "CA file"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        begin(&p, cases[i].host, t->port, true, cases[i].ca, 0);
        WAIT(&p, 3000, p.closed == 1);
        assert_int_equal(p.opened, 0);
        if (!strstr(p.why, cases[i].says))
            fail_msg("case %d says: %s", (int)i, p.why);
        end(&p);
    }
}

/* A secret goes there without TLS, so a name that only looks like it does not count. */
static void what_is_loopback(void **state)
{
    static const char *const yes[] = {"localhost", "127.0.0.1", "127.9.8.7", "::1"};
    static const char *const no[] = {
        "127.example.org",       "127.", "127.0.0.1.nip.io", "128.0.0.1", "::2",
        "localhost.example.org", ""};
    (void)state;
    for (size_t i = 0; i < sizeof yes / sizeof *yes; i++)
        assert_true(net_is_loopback(yes[i]));
    for (size_t i = 0; i < sizeof no / sizeof *no; i++)
        assert_false(net_is_loopback(no[i]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain),
        cmocka_unit_test(refused),
        cmocka_unit_test(no_such_host),
        cmocka_unit_test(listener_without_tls),
        cmocka_unit_test(bursts_both_ways),
        cmocka_unit_test(freed_in_its_callbacks),
        cmocka_unit_test(tls_with_its_ca),
        cmocka_unit_test(tls_refusals),
        cmocka_unit_test(what_is_loopback),
    };
    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, tls_setup, tls_teardown);
}
