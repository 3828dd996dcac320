/* The loop and what lies right on it: timers, wake-ups, signals, children, Unix sockets. */
#include "unit.h"

#include "base/buf.h"
#include "base/clock.h"
#include "loop/child.h"
#include "loop/loop.h"
#include "loop/sock.h"

#include <pthread.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

static struct loop *loop;

static int setup(void **state)
{
    (void)state;
    loop = loop_new(NULL);
    return loop ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    loop_free(loop);
    return 0;
}

#define WAIT(ms, condition)                                                                        \
    do {                                                                                           \
        int64_t end_ = clock_mono_ms() + (ms);                                                     \
        while (!(condition) && clock_mono_ms() < end_)                                             \
            loop_step(loop, 10);                                                                   \
        assert_true(condition);                                                                    \
    } while (0)

struct ticks {
    int n;
    int64_t last;
    struct timer *timer;
};

static void on_tick(void *user)
{
    struct ticks *t = user;
    t->n++;
    t->last = clock_mono_ms();
}

static void on_tick_free(void *user)
{
    struct ticks *t = user;
    t->n++;
    timer_free(t->timer);
}

static void a_step_ends(void **state)
{
    (void)state;
    int64_t began = clock_mono_ms();
    for (int i = 0; i < 100; i++)
        loop_step(loop, 0);
    assert_true(clock_mono_ms() - began < 500);
    began = clock_mono_ms();
    loop_step(loop, 30);
    int64_t took = clock_mono_ms() - began;
    assert_true(took >= 29 && took < 500);
    for (int i = 0; i < 200; i++)
        loop_step(loop, 1);
}

static void timers(void **state)
{
    (void)state;
    struct ticks once = {0}, often = {0}, suicide = {0};
    struct timer *a = timer_new(loop, "a", on_tick, &once);
    struct timer *b = timer_new(loop, "b", on_tick, &often);
    suicide.timer = timer_new(loop, "c", on_tick_free, &suicide);
    int64_t began = clock_mono_ms();
    timer_start(a, 40, 0);
    timer_start(b, 5, 5);
    timer_start(suicide.timer, 10, 1);
    assert_true(timer_active(a));
    WAIT(2000, once.n && often.n >= 5 && suicide.n);
    assert_true(once.last - began >= 39);
    assert_false(timer_active(a));
    timer_stop(b);
    int n = often.n;
    for (int i = 0; i < 5; i++)
        loop_step(loop, 10);
    assert_int_equal(often.n, n);
    assert_int_equal(once.n, 1);
    assert_int_equal(suicide.n, 1);
    timer_free(a);
    timer_free(b);
    timer_free(NULL);
}

static void *send_wakes(void *arg)
{
    for (int i = 0; i < 1000; i++)
        wake_send(arg);
    return NULL;
}

static void wakes_coalesce(void **state)
{
    (void)state;
    struct ticks t = {0};
    struct wake *w = wake_new(loop, "w", on_tick, &t);
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, send_wakes, w), 0);
    pthread_join(thread, NULL);
    WAIT(2000, t.n > 0);
    assert_int_equal(t.n, 1); /* the loop slept meanwhile */
    wake_send(w);
    wake_free(w); /* not called any more */
    for (int i = 0; i < 3; i++)
        loop_step(loop, 5);
    assert_int_equal(t.n, 1);
}

static void signals(void **state)
{
    (void)state;
    struct ticks t = {0};
    assert_int_equal(loop_on_signal(loop, SIGUSR1, on_tick, &t), ERR_OK);
    raise(SIGUSR1);
    WAIT(2000, t.n == 1);
    for (int i = 0; i < 20; i++) { /* it keeps its place */
        assert_int_equal(loop_on_signal(loop, SIGUSR1, NULL, NULL), ERR_OK);
        assert_int_equal(loop_on_signal(loop, SIGUSR1, on_tick, &t), ERR_OK);
    }
    raise(SIGUSR1);
    WAIT(2000, t.n == 2);
}

static void watches(void **state)
{
    (void)state;
    struct ticks t = {0};
    int p[2];
    assert_int_equal(pipe(p), 0);
    struct watch *w = watch_new(loop, "pipe", p[0], on_tick, &t);
    loop_step(loop, 5);
    assert_int_equal(t.n, 0);
    assert_int_equal(write(p[1], "x", 1), 1);
    WAIT(2000, t.n > 0);
    watch_free(w);
    close(p[0]);
    close(p[1]);
}

/* --- children --- */

struct kid {
    int lines, errs, exits, status, signal;
    size_t bytes;
    char last[256], err[256];
};

static void kid_line(void *user, const char *line, size_t n)
{
    struct kid *k = user;
    k->lines++;
    assert_int_equal(strlen(line), n);
    str_copy(k->last, sizeof k->last, line);
}

static void kid_bytes(void *user, const void *p, size_t n)
{
    (void)p;
    ((struct kid *)user)->bytes += n;
}

static void kid_err(void *user, const char *line)
{
    struct kid *k = user;
    k->errs++;
    str_copy(k->err, sizeof k->err, line);
}

static void kid_exit(void *user, int status, int signum)
{
    struct kid *k = user;
    k->exits++;
    k->status = status;
    k->signal = signum;
}

static const struct child_ops kid_ops = {kid_line, kid_bytes, kid_err, kid_exit};

static struct child *spawn(struct kid *k, const char *script)
{
    struct fault f = {0};
    char *argv[] = {"/bin/sh", "-c", (char *)script, NULL};
    *k = (struct kid){0};
    struct child *c = child_spawn(loop, argv, &kid_ops, k, &f);
    if (!c)
        fail_msg("%s", f.text);
    return c;
}

static void child_streams(void **state)
{
    (void)state;
    struct kid k;
    struct child *c = spawn(&k, "read a; echo \"got $a\"; echo oops >&2; head -c 200000 /dev/zero "
                                ">&3; read b || echo end; exit 7");
    assert_true(child_pid(c) > 1);
    assert_true(child_send(c, "{\"x\":1}"));
    WAIT(3000, k.lines == 1 && k.errs == 1 && k.bytes == 200000);
    assert_string_equal(k.last, "got {\"x\":1}");
    assert_string_equal(k.err, "oops");
    child_close_input(c);
    WAIT(3000, k.exits == 1);
    assert_string_equal(k.last, "end"); /* all of its output came before the exit */
    assert_int_equal(k.status, 7);
}

static void child_ends(void **state)
{
    (void)state;
    struct kid k;
    struct fault f = {0};
    struct child *c = spawn(&k, "exec sleep 100");
    child_kill(c, SIGKILL);
    WAIT(3000, k.exits == 1);
    assert_int_equal(k.signal, SIGKILL);
    c = spawn(&k, "exec sleep 100");
    pid_t pid = child_pid(c);
    child_free(c);
    WAIT(3000, kill(pid, 0) != 0);
    assert_int_equal(k.exits, 0);
    c = spawn(&k, "head -c 1100000 /dev/zero | tr '\\0' x; exec sleep 100"); /* a line over 1 MiB */
    WAIT(5000, k.exits == 1);
    assert_int_equal(k.lines, 0);
    char *argv[] = {"/no/such/program", NULL};
    assert_null(child_spawn(loop, argv, &kid_ops, &k, &f));
    assert_non_null(strstr(f.text, "/no/such/program"));
    child_free(NULL);
}

static void child_that_does_not_read(void **state)
{
    (void)state;
    struct kid k;
    struct child *c = spawn(&k, "exec sleep 100");
    static char line[65536];
    memset(line, 'x', sizeof line - 1);
    int sent = 0;
    while (child_send(c, line) && sent < 1000)
        sent++;
    assert_true(sent >= 50 && sent < 100); /* 4 MiB */
    child_free(c);
}

/* --- sockets --- */

struct server {
    int opens, closes, lines;
    char last[256];
    struct sock *sock;
    bool hang_up;
};

static void sv_open(void *user, struct sock *s)
{
    struct server *v = user;
    v->opens++;
    v->sock = s;
    sock_set_user(s, v);
}

static void sv_line(void *user, struct sock *s, const char *line, size_t n)
{
    struct server *v = user;
    assert_ptr_equal(sock_user(s), v);
    v->lines++;
    str_copy(v->last, sizeof v->last, line);
    if (v->hang_up) {
        assert_true(sock_send(s, "bye", 3));
        sock_close(s);
    } else
        assert_true(sock_send(s, line, n));
}

static void sv_close(void *user, struct sock *s)
{
    (void)s;
    ((struct server *)user)->closes++;
}

static const struct sock_ops sv_ops = {sv_open, sv_line, sv_close};

static void sockets_at(const char *path)
{
    struct server v = {0};
    struct fault f = {0};
    struct stat st;
    char got[16] = "";
    assert_int_equal(sock_connect(path, &f), -1);
    assert_int_equal(f.code, ERR_NOTFOUND);
    struct sock_server *s = sock_listen(loop, path, &sv_ops, &v, &f);
    if (!s)
        fail_msg("%s", f.text);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    int fd = sock_connect(path, &f);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, "hel", 3), 3);
    WAIT(2000, v.opens == 1);
    assert_int_equal(write(fd, "lo\nworld\n", 9), 9);
    WAIT(2000, v.lines == 2);
    assert_string_equal(v.last, "world");
    assert_int_equal(read(fd, got, 12), 12);
    assert_memory_equal(got, "hello\nworld\n", 12);
    v.hang_up = true;
    assert_int_equal(write(fd, "x\n", 2), 2);
    WAIT(2000, v.closes == 1);
    assert_int_equal(read(fd, got, sizeof got), 4);
    assert_int_equal(read(fd, got, sizeof got), 0);
    close(fd);
    fd = sock_connect(path, &f);
    WAIT(2000, v.opens == 2);
    sock_server_free(s);
    loop_step(loop, 5);
    assert_int_equal(read(fd, got, sizeof got), 0); /* its clients are gone */
    assert_int_not_equal(stat(path, &st), 0);
    close(fd);
}

static void sockets(void **state)
{
    (void)state;
    char dir[] = "/tmp/sakuga-sock.XXXXXX", path[512], deep[300];
    assert_non_null(mkdtemp(dir));
    snprintf(path, sizeof path, "%s/ctl.sock", dir);
    sockets_at(path);
    memset(deep, 'd', 200);
    deep[200] = '\0';
    snprintf(path, sizeof path, "%s/%s", dir, deep);
    assert_int_equal(mkdir(path, 0700), 0);
    strcat(path, "/ctl.sock"); /* longer than sun_path */
    sockets_at(path);
    snprintf(path, sizeof path, "%s/%s", dir, deep);
    rmdir(path);
    assert_int_equal(rmdir(dir), 0);
}

static void a_stale_socket_is_replaced(void **state)
{
    (void)state;
    char dir[] = "/tmp/sakuga-sock.XXXXXX", path[64];
    struct server v = {0};
    assert_non_null(mkdtemp(dir));
    snprintf(path, sizeof path, "%s/s", dir);
    FILE *stale = fopen(path, "w");
    fclose(stale);
    struct sock_server *s = sock_listen(loop, path, &sv_ops, &v, NULL);
    assert_non_null(s);
    int fd = sock_connect(path, NULL);
    assert_true(fd >= 0);
    WAIT(2000, v.opens == 1);
    sock_server_free(s);
    close(fd);
    rmdir(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_step_ends),    cmocka_unit_test(timers),
        cmocka_unit_test(wakes_coalesce), cmocka_unit_test(signals),
        cmocka_unit_test(watches),        cmocka_unit_test(child_streams),
        cmocka_unit_test(child_ends),     cmocka_unit_test(child_that_does_not_read),
        cmocka_unit_test(sockets),        cmocka_unit_test(a_stale_socket_is_replaced),
    };
    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, setup, teardown);
}
