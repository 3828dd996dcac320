/* bench_house: what an operator feels of the whole program, with an empty database and with 100,000
 * prompts in it: cold start, a line said, approve to the worker at work, panic from exec, idle
 * cost. usage: bench_house BUILD-FOLDER. Prints figures; judges nothing. */
#include "base/buf.h"
#include "loop/sock.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static char dir[256], program[512], socket_path[600];

static double now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static void die(const char *what)
{
    fprintf(stderr, "bench_house: %s: %s\n", what, strerror(errno));
    exit(1);
}

/* ---- the show ---- */

static pid_t start_show(double *ready_ms)
{
    double t = now_ms();
    pid_t pid = fork();
    if (!pid) {
        int null = open("/dev/null", O_RDWR);
        dup2(null, 0);
        dup2(null, 1);
        dup2(null, 2);
        execl(program, "sakuga", "--headless", "--config", dir, "--data", dir, (char *)NULL);
        _exit(127);
    }
    for (int fd; (fd = sock_connect(socket_path, NULL)) < 0;)
        if (now_ms() - t > 10000)
            die("the show did not start");
        else
            usleep(500);
    *ready_ms = now_ms() - t;
    return pid;
}

/* ---- one connection ---- */

struct wire {
    int fd;
    struct buf in;
};

static void wire_open(struct wire *w)
{
    *w = (struct wire){.fd = sock_connect(socket_path, NULL)};
    if (w->fd < 0)
        die("the control socket");
}

static void wire_say(struct wire *w, const char *line)
{
    size_t n = strlen(line);
    if (write(w->fd, line, n) != (ssize_t)n)
        die("write");
}

/* The next line; the one before it is gone. */
static char *wire_line(struct wire *w)
{
    static char line[1 << 22];
    for (;;) {
        char *nl = w->in.len ? memchr(w->in.data, '\n', w->in.len) : NULL;
        if (nl) {
            size_t n = (size_t)(nl - w->in.data);
            memcpy(line, w->in.data, n);
            line[n] = '\0';
            buf_drop(&w->in, n + 1);
            return line;
        }
        char *to = buf_room(&w->in, 65536);
        ssize_t n = to ? read(w->fd, to, 65536) : -1;
        if (n <= 0)
            die("the show went away");
        buf_grown(&w->in, (size_t)n);
    }
}

static char *ask(struct wire *w, const char *line)
{
    wire_say(w, line);
    return wire_line(w);
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void print_spread(const char *what, double *ms, int n)
{
    qsort(ms, (size_t)n, sizeof *ms, by_size);
    printf("  %-44s median %7.2f   p99 %7.2f   most %7.2f ms\n", what, ms[n / 2], ms[n * 99 / 100],
           ms[n - 1]);
}

/* ---- what is measured ---- */

static void say_lines(struct wire *w)
{
    double ms[300];
    char line[200];
    for (int i = 0; i < 300; i++) {
        snprintf(line, sizeof line, "{\"argv\":[\"say\",\"v%d\",\"!anime number %d\"]}\n", i, i);
        double t = now_ms();
        ask(w, line);
        ms[i] = now_ms() - t;
    }
    print_spread("say -> stored and answered", ms, 300);
}

static void approve_to_work(struct wire *w)
{
    double ms[10];
    char line[200];
    struct wire watch;
    wire_open(&watch);
    wire_say(&watch, "{\"argv\":[\"watch\"]}\n");
    wire_line(&watch);
    long first = 0;
    const char *state = ask(w, "{\"argv\":[\"state\"]}\n"),
               *at = strstr(state, "\"state\":\"held\"");
    while (at && at > state && strncmp(at, "{\"id\":", 6))
        at--;
    if (at)
        first = atol(at + 6);
    for (int i = 0; i < 10; i++) {
        char want[64];
        snprintf(line, sizeof line, "{\"argv\":[\"approve\",\"%ld\"]}\n", first + i);
        snprintf(want, sizeof want, "\"job\":%ld", first + i);
        double t = now_ms();
        wire_say(w, line);
        for (char *l; (l = wire_line(&watch)) && !(strstr(l, "\"engine\"") && strstr(l, want));)
            ;
        ms[i] = now_ms() - t;
        wire_line(w);
        for (char *l; (l = wire_line(&watch)) && !strstr(l, "\"to\":\"review\"");)
            ;
        /* the worker is idle again */
    }
    print_spread("approve -> the worker draws", ms, 10);
    close(watch.fd);
    buf_free(&watch.in);
}

static void panics(struct wire *w)
{
    double ms[20];
    for (int i = 0; i < 20; i++) {
        int status;
        double t = now_ms();
        pid_t pid = fork();
        if (!pid) {
            int null = open("/dev/null", O_RDWR);
            dup2(null, 1);
            execl(program, "sakuga", "ctl", "--data", dir, "panic", (char *)NULL);
            _exit(127);
        }
        waitpid(pid, &status, 0);
        ms[i] = now_ms() - t;
        ask(w, "{\"argv\":[\"resume\"]}\n");
    }
    print_spread("exec of `ctl panic` -> its exit", ms, 20);
}

static void states(struct wire *w)
{
    double ms[20];
    size_t bytes = 0;
    for (int i = 0; i < 20; i++) {
        double t = now_ms();
        bytes = strlen(ask(w, "{\"argv\":[\"state\"]}\n"));
        ms[i] = now_ms() - t;
    }
    print_spread("state", ms, 20);
    printf("  %-44s %zu bytes\n", "state, size", bytes);
}

static double cpu_seconds(pid_t pid)
{
    char path[64], text[1024] = "";
    unsigned long user = 0, sys = 0;
    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    FILE *f = fopen(path, "r");
    size_t n = f ? fread(text, 1, sizeof text - 1, f) : 0;
    if (f)
        fclose(f);
    text[n] = '\0';
    char *after = strrchr(text, ')');
    if (after)
        sscanf(after + 2, "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &sys);
    return (double)(user + sys) / (double)sysconf(_SC_CLK_TCK);
}

static void idle(pid_t pid)
{
    char path[64], line[256];
    long rss = 0;
    double a = cpu_seconds(pid), t = now_ms();
    sleep(5);
    double cpu = (cpu_seconds(pid) - a) / ((now_ms() - t) / 1e3);
    snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
    FILE *f = fopen(path, "r");
    while (f && fgets(line, sizeof line, f))
        sscanf(line, "VmRSS: %ld", &rss);
    if (f)
        fclose(f);
    printf("  %-44s %.2f %% of a core, %.1f MB resident\n", "idle, headless", cpu * 100,
           (double)rss / 1024);
}

static void fill(int prompts)
{
    char path[600];
    sqlite3 *db;
    snprintf(path, sizeof path, "%s/show.db", dir);
    if (sqlite3_open(path, &db))
        die("the database");
    char *sql = sqlite3_mprintf(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d) "
        "INSERT INTO prompts SELECT 1000000 + i, CASE WHEN i %% 3 THEN 'aired' ELSE 'rejected' "
        "END, 'irc',"
        " 'u' || i, 'viewer ' || i, 0, -1, '', 'a fox that runs over neon roofs, number ' || i, "
        "'default',"
        " i, 0, 0, 0, 0, 0, 1, 0, 0, printf('%%06d-1.mp4', i), '', 5062, 1100, 0, '', '', "
        "1700000000000,"
        " 1700000000000, 1700000000000, i FROM n; PRAGMA wal_checkpoint(TRUNCATE)",
        prompts);
    if (sqlite3_exec(db, sql, NULL, NULL, NULL))
        die(sqlite3_errmsg(db));
    sqlite3_free(sql);
    sqlite3_close(db);
}

static void measure(const char *title)
{
    double ready[7];
    struct wire w;
    pid_t pid = 0;
    printf("%s\n", title);
    for (int i = 0; i < 7; i++) {
        pid = start_show(&ready[i]);
        if (i < 6) {
            wire_open(&w);
            ask(&w, "{\"argv\":[\"quit\"]}\n");
            close(w.fd);
            waitpid(pid, NULL, 0);
        }
    }
    print_spread("exec -> the show answers", ready, 7);
    wire_open(&w);
    say_lines(&w);
    approve_to_work(&w);
    states(&w);
    panics(&w);
    idle(pid);
    ask(&w, "{\"argv\":[\"quit\"]}\n");
    waitpid(pid, NULL, 0);
    close(w.fd);
    buf_free(&w.in);
}

int main(int argc, char **argv)
{
    char path[600], command[400];
    if (argc < 2) {
        fprintf(stderr, "usage: bench_house BUILD-FOLDER\n");
        return 2;
    }
    signal(SIGPIPE, SIG_IGN);
    snprintf(dir, sizeof dir, "%s/sakuga-bench-XXXXXX",
             getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp");
    if (!mkdtemp(dir))
        die("a folder");
    snprintf(program, sizeof program, "%s/sakuga", argv[1]);
    snprintf(socket_path, sizeof socket_path, "%s/ctl.sock", dir);
    snprintf(path, sizeof path, "%s/show.lua", dir);
    FILE *f = fopen(path, "w");
    if (!f)
        die(path);
    fputs("return { chat = {}, limits = { cooldown = 0, per_viewer = 0, queue = 0 } }\n", f);
    fclose(f);
    measure("an empty database");
    fill(100000);
    measure("100,000 prompts in the database");
    snprintf(command, sizeof command, "rm -rf '%s'", dir);
    return system(command) != 0;
}
