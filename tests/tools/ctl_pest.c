/* Bad clients of the control socket: ctl_pest SOCKET MODE
 *
 *   idle N     opens N connections, says "open" and keeps them until its input ends
 *   half       sends half a line, says "open" and keeps it until its input ends
 *   huge       sends one line without an end until the show hangs up; says "closed"
 *   garbage    20,000 lines of random bytes and of odd JSON; says how many were answered
 *   flood      20,000 times `state`, reading as fast as it can; says how many came back
 *   busy       raises and lowers #1 20,000 times
 *   slow       watches and reads nothing until the show hangs up; says "closed"
 *   leave N    N times: connects, sends commands, leaves without a word
 * Exit 0, or 1 when the show is not there. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static struct sockaddr_un address = {.sun_family = AF_UNIX};

static int dial(void)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address)) {
        fprintf(stderr, "ctl_pest: %s: %s\n", address.sun_path, strerror(errno));
        exit(1);
    }
    return fd;
}

static void say(const char *text)
{
    puts(text);
    fflush(stdout);
}

static void until_input_ends(void)
{
    char room[64];
    while (read(STDIN_FILENO, room, sizeof room) > 0)
        ;
}

static void send_text(int fd, const char *text)
{
    if (write(fd, text, strlen(text)) < 0 && errno != EPIPE)
        perror("ctl_pest");
}

static void until_closed(int fd)
{
    struct pollfd p = {.fd = fd}; /* POLLHUP alone */
    while (poll(&p, 1, -1) < 0 && errno == EINTR)
        ;
    say("closed");
}

static void huge(int fd)
{
    static char block[65536];
    memset(block, 'a', sizeof block);
    while (write(fd, block, sizeof block) > 0)
        ;
    say("closed");
}

/* Sends `n` lines made by `make` and counts the lines that come back; ends when the show has
 * nothing more to say for three seconds, or hangs up. */
static void exchange(int fd, int n, size_t (*make)(char *out, int i))
{
    static char out[1 << 16], in[1 << 16];
    size_t len = 0, at = 0;
    long answers = 0;
    int i = 0;
    fcntl(fd, F_SETFL, O_NONBLOCK);
    for (;;) {
        if (at == len && i < n) {
            len = at = 0;
            while (i < n && len < sizeof out - 4096)
                len += make(out + len, i++);
        }
        struct pollfd p = {.fd = fd, .events = (short)(POLLIN | (at < len ? POLLOUT : 0))};
        if (poll(&p, 1, 3000) <= 0)
            break;
        if (p.revents & POLLIN) {
            ssize_t got = read(fd, in, sizeof in);
            if (got <= 0)
                break;
            for (ssize_t k = 0; k < got; k++)
                answers += in[k] == '\n';
        } else if (p.revents & (POLLHUP | POLLERR)) {
            break;
        }
        if (p.revents & POLLOUT) {
            ssize_t sent = write(fd, out + at, len - at);
            at += sent > 0 ? (size_t)sent : 0;
        }
        if (at == len && i == n && answers >= n)
            break;
    }
    printf("%ld\n", answers);
}

static size_t make_state(char *out, int i)
{
    (void)i;
    return (size_t)sprintf(out, "{\"argv\":[\"state\"]}\n");
}

static size_t make_busy(char *out, int i)
{
    return (size_t)sprintf(out, "{\"argv\":[\"%s\",\"1\"]}\n", i % 2 ? "up" : "down");
}

static size_t make_garbage(char *out, int i)
{
    static const char *const odd[] = {
        "{}",
        "[]",
        "null",
        "{\"argv\":[]}",
        "{\"argv\":7}",
        "{\"argv\":[1,2]}",
        "{\"argv\":[\"\"]}",
        "{\"argv\":[\"state\",\"--all\"],\"below\":-1e99}",
        "{\"argv\":[\"approve\",\"9223372036854775808\"]}",
        "{\"argv\":[\"approve\",\"9223372036854775807\"]}",
        "{\"argv\":[\"say\",\"\\u0000\",\"x\"]}",
        "{\"argv\":[\"say\",\"a\\nb\",\"\\u001b[2J\"]}",
        "{\"argv\":[\"say\",\"a\",\"\\ud800\"]}",
        "{\"argv\":[\"watch\",\"x\"]}",
        "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[",
    };
    if (i % 2)
        return (size_t)sprintf(out, "%s\n", odd[(size_t)i / 2 % (sizeof odd / sizeof *odd)]);
    size_t n = (size_t)(rand() % 200);
    for (size_t k = 0; k < n; k++) {
        out[k] = (char)rand();
        if (out[k] == '\n')
            out[k] = '{';
    }
    out[n] = '\n';
    return n + 1;
}

static void leave(int n)
{
    static const char *const lines[] = {
        "{\"argv\":[\"say\",\"pest\",\"!anime a prompt whose sender has left\"]}\n",
        "{\"argv\":[\"watch\"]}\n", "{\"argv\":[\"state\",\"--all\"],\"below\":9000}\n",
        "{\"argv\":[\"pause\"]}\n{\"argv\":[\"resume\"]}\n", "{\"argv\":[\"stat"};
    for (int i = 0; i < n; i++) {
        int fd = dial();
        send_text(fd, lines[(size_t)i % (sizeof lines / sizeof *lines)]);
        close(fd);
    }
}

int main(int argc, char **argv)
{
    if (argc < 3 || strlen(argv[1]) >= sizeof address.sun_path)
        return 2;
    strcpy(address.sun_path, argv[1]);
    signal(SIGPIPE, SIG_IGN);
    const char *mode = argv[2];
    int n = argc > 3 ? atoi(argv[3]) : 1;
    if (!strcmp(mode, "idle")) {
        while (n-- > 0)
            dial();
        say("open");
        until_input_ends();
    } else if (!strcmp(mode, "half")) {
        send_text(dial(), "{\"argv\":[\"sta");
        say("open");
        until_input_ends();
    } else if (!strcmp(mode, "huge")) {
        huge(dial());
    } else if (!strcmp(mode, "garbage")) {
        exchange(dial(), 20000, make_garbage);
    } else if (!strcmp(mode, "flood")) {
        exchange(dial(), 20000, make_state);
    } else if (!strcmp(mode, "busy")) {
        exchange(dial(), 20000, make_busy);
    } else if (!strcmp(mode, "slow")) {
        int fd = dial();
        send_text(fd, "{\"argv\":[\"watch\"]}\n");
        say("open");
        until_closed(fd);
    } else if (!strcmp(mode, "leave")) {
        leave(n);
    } else {
        return 2;
    }
    return 0;
}
