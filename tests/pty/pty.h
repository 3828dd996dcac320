/* The program on a real pseudo terminal, as tests/pty/ and the bench need it: started, typed at,
 * resized, asked over its control socket, ended. Everything it starts it ends by process id. */
#ifndef SAKUGA_TESTS_PTY_H
#define SAKUGA_TESTS_PTY_H

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#define PTY_SEEN (4u << 20)

struct pty {
    pid_t pid;
    int master, ctl;
    char dir[64];
    struct termios before; /* the line settings when the program had not started */
    char *seen;            /* all that the terminal got; NUL-terminated */
    size_t seen_n;
    char reply[1 << 16];
};

static inline long long pty_now_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (long long)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static inline long long pty_now(void)
{
    return pty_now_us() / 1000;
}

/* A folder with that show.lua; NULL: without one. */
static inline void pty_show_lua(struct pty *p, const char *text)
{
    char path[128];
    snprintf(p->dir, sizeof p->dir, "/dev/shm/sakuga-pty-XXXXXX");
    if (!mkdtemp(p->dir) || !text)
        return;
    snprintf(path, sizeof path, "%s/show.lua", p->dir);
    FILE *f = fopen(path, "w");
    if (f) {
        fputs(text, f);
        fclose(f);
    }
}

/* In the child. */
static inline void pty_exec(struct pty *p)
{
    char data[128];
    snprintf(data, sizeof data, "%s/data", p->dir);
    execl(BUILDDIR "/sakuga", "sakuga", "--config", p->dir, "--data", data, (char *)NULL);
    _exit(127);
}

static inline void pty_open(struct pty *p, int w, int h)
{
    struct winsize ws = {.ws_col = (unsigned short)w, .ws_row = (unsigned short)h};
    p->seen = calloc(1, PTY_SEEN + 1);
    p->ctl = -1;
    p->pid = forkpty(&p->master, NULL, NULL, &ws);
    if (p->pid == 0)
        pty_exec(p);
    fcntl(p->master, F_SETFL, O_NONBLOCK);
    fcntl(p->master, F_SETFD, FD_CLOEXEC);
}

/* Reads what the program wrote for at most `ms`; false at the end of the terminal. */
static inline bool pty_pump(struct pty *p, int ms)
{
    struct pollfd f = {.fd = p->master, .events = POLLIN};
    char bytes[65536];
    if (poll(&f, 1, ms) <= 0)
        return true;
    ssize_t n = read(p->master, bytes, sizeof bytes);
    if (n <= 0)
        return n < 0 && errno == EAGAIN;
    if (p->seen_n + (size_t)n > PTY_SEEN) { /* the newest half is enough */
        memmove(p->seen, p->seen + p->seen_n - PTY_SEEN / 2, PTY_SEEN / 2);
        p->seen_n = PTY_SEEN / 2;
    }
    memcpy(p->seen + p->seen_n, bytes, (size_t)n);
    p->seen_n += (size_t)n;
    p->seen[p->seen_n] = '\0';
    return true;
}

static inline void pty_forget(struct pty *p)
{
    p->seen_n = 0;
    p->seen[0] = '\0';
}

static inline bool pty_wait(struct pty *p, const char *text, int ms)
{
    long long until = pty_now() + ms;
    while (!memmem(p->seen, p->seen_n, text, strlen(text))) {
        if (pty_now() > until || !pty_pump(p, 20))
            return memmem(p->seen, p->seen_n, text, strlen(text)) != NULL;
    }
    return true;
}

static inline void pty_type(struct pty *p, const char *bytes)
{
    if (write(p->master, bytes, strlen(bytes)) < 0)
        perror("pty");
}

/* The exit status as wait() gives it, -1 when it has not ended within `ms`. */
static inline int pty_ended(struct pty *p, int ms)
{
    long long until = pty_now() + ms;
    int status;
    for (;;) {
        if (waitpid(p->pid, &status, WNOHANG) == p->pid) {
            p->pid = 0;
            while (p->master >= 0 && pty_pump(p, 0) && p->seen_n < PTY_SEEN / 2) {
                struct pollfd f = {.fd = p->master, .events = POLLIN};
                if (poll(&f, 1, 0) <= 0 || !(f.revents & POLLIN))
                    break;
            }
            return status;
        }
        if (pty_now() > until)
            return -1;
        if (p->master >= 0)
            pty_pump(p, 10);
        else
            poll(NULL, 0, 10);
    }
}

/* One request of the control socket: words as a JSON list; the reply's line, "" without one. */
static inline const char *pty_ctl(struct pty *p, const char *words)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    char line[4096];
    size_t n = 0;
    long long until = pty_now() + 5000;
    p->reply[0] = '\0';
    if (p->ctl < 0) {
        snprintf(a.sun_path, sizeof a.sun_path, "%s/data/ctl.sock", p->dir);
        p->ctl = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (connect(p->ctl, (struct sockaddr *)&a, sizeof a)) {
            close(p->ctl);
            p->ctl = -1;
            return p->reply;
        }
    }
    int len = snprintf(line, sizeof line, "{\"argv\":%s}\n", words);
    if (write(p->ctl, line, (size_t)len) != len)
        return p->reply;
    while (pty_now() < until) {
        struct pollfd f = {.fd = p->ctl, .events = POLLIN};
        if (p->master >= 0)
            pty_pump(p, 0);
        if (poll(&f, 1, 5) <= 0)
            continue;
        ssize_t got = read(p->ctl, p->reply + n, sizeof p->reply - 1 - n);
        if (got <= 0)
            break;
        n += (size_t)got;
        p->reply[n] = '\0';
        if (memchr(p->reply, '\n', n) || n == sizeof p->reply - 1)
            break;
    }
    if (n && !strchr(p->reply, '\n')) { /* longer than we read: the connection is spent */
        close(p->ctl);
        p->ctl = -1;
    }
    return p->reply;
}

static inline void pty_close(struct pty *p)
{
    char command[128];
    if (p->pid > 0) {
        kill(p->pid, SIGKILL);
        waitpid(p->pid, NULL, 0);
    }
    if (p->master >= 0)
        close(p->master);
    if (p->ctl >= 0)
        close(p->ctl);
    free(p->seen);
    snprintf(command, sizeof command, "rm -rf '%s'", p->dir);
    if (strlen(p->dir) > 10 && system(command))
        perror(command);
}

#endif
