/* Figures of the console: from exec to its first picture, what it costs when nothing happens, and
 * how much memory it keeps. usage: bench_console [SECONDS] */
#include "pty/pty.h"

#define QUIET "return { chat = {}, engine = { kind = 'animatic' } }\n"

static double cpu_s(pid_t pid)
{
    char path[64], line[1024];
    unsigned long user = 0, kernel = 0;
    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    FILE *f = fopen(path, "r");
    if (!f || !fgets(line, sizeof line, f))
        line[0] = '\0';
    if (f)
        fclose(f);
    char *at = strrchr(line, ')');
    if (!at ||
        sscanf(at + 2, "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &kernel) != 2)
        return -1;
    return (double)(user + kernel) / (double)sysconf(_SC_CLK_TCK);
}

static long status_kb(pid_t pid, const char *name)
{
    char path[64], line[256];
    long kb = 0;
    snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
    FILE *f = fopen(path, "r");
    while (f && fgets(line, sizeof line, f))
        if (!strncmp(line, name, strlen(name)))
            kb = atol(line + strlen(name) + 1);
    if (f)
        fclose(f);
    return kb;
}

int main(int argc, char **argv)
{
    int seconds = argc > 1 ? atoi(argv[1]) : 10;
    double best = 1e9, sum = 0;
    struct pty t;
    setenv("TERM", "xterm-256color", 1);
    setenv("LC_ALL", "C.UTF-8", 1);
    for (int i = 0; i < 5; i++) {
        t = (struct pty){.master = -1, .ctl = -1};
        pty_show_lua(&t, QUIET);
        long long began = pty_now_us();
        pty_open(&t, 104, 30);
        if (!pty_wait(&t, "1 Held", 10000)) {
            fprintf(stderr, "no picture\n");
            return 1;
        }
        double ms = (double)(pty_now_us() - began) / 1000;
        sum += ms;
        best = ms < best ? ms : best;
        if (i < 4)
            pty_close(&t);
    }
    printf("exec to first frame: %.1f ms best, %.1f ms mean of 5\n", best, sum / 5);
    for (long long until = pty_now() + 2000; pty_now() < until;)
        pty_pump(&t, 50); /* the worker has started by now */
    double before = cpu_s(t.pid);
    for (long long until = pty_now() + seconds * 1000; pty_now() < until;)
        pty_pump(&t, 50);
    double used = cpu_s(t.pid) - before;
    printf("idle: %.2f %% of a core over %d s\n", used * 100 / seconds, seconds);
    printf("resident: %.1f MB (%.1f MB of it files: program and libraries)\n",
           (double)status_kb(t.pid, "VmRSS:") / 1024, (double)status_kb(t.pid, "RssFile:") / 1024);
    pty_close(&t);
    return 0;
}
