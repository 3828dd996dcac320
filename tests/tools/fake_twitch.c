/* A strict stand-in for Twitch's IRC server, for what a real server cannot be made to do.
 *
 *   fake_twitch LOGIN TOKEN [PORT]     prints "PORT n", then what happens, a line each:
 *     "GOT …"        a line of the client
 *     "JOINED #c"    it is in
 *     "CLOSED"       it went away
 *     "VIOLATION …"  it broke a rule of the platform; a test must fail then
 * Commands on standard input, a line each; the end of input ends the program:
 *     raw TEXT       sends TEXT and CRLF, byte for byte
 *     flood N FROM   sends N tagged messages "line FROM", "line FROM+1", … in one burst
 *     token TOKEN    from now on this is the valid one
 *     close          closes the connection
 * Checked: CAP REQ of Twitch's capabilities first, then PASS with "oauth:", then NICK in lower
 * case; JOIN after 001 and in lower case; PRIVMSG only to the joined channel, valid, at most 500
 * characters, one a second, 20 in 30 s; no command that Twitch does not have. */
#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define OUT_MAX ((size_t)32 << 20)

static struct {
    int fd; /* -1: nobody */
    char in[8192];
    size_t in_n;
    char *out;
    size_t out_n, out_at, out_cap; /* bytes in it, already sent, allocated */
    bool caps, pass, pass_valid, pass_formed, welcome, closing;
    char channel[64];
    int64_t sent[20];
    unsigned sends;
} client = {.fd = -1};

static const char *login;
static char token[256];

static int64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void tell(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
static void tell(const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    vprintf(fmt, ap);
    va_end(ap);
    putchar('\n');
    fflush(stdout);
}

static void hang_up(void)
{
    if (client.fd < 0)
        return;
    close(client.fd);
    free(client.out);
    memset(&client, 0, sizeof client);
    client.fd = -1;
    tell("CLOSED");
}

static void queue(const char *p, size_t n)
{
    if (client.fd < 0 || !n || client.out_n + n > OUT_MAX)
        return;
    while (client.out_n + n > client.out_cap) {
        client.out_cap = client.out_cap ? client.out_cap * 2 : 65536;
        client.out = realloc(client.out, client.out_cap);
    }
    memcpy(client.out + client.out_n, p, n);
    client.out_n += n;
}

static void reply(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
static void reply(const char *fmt, ...)
{
    char line[4096];
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(line, sizeof line - 2, fmt, ap);
    va_end(ap);
    memcpy(line + n, "\r\n", 2);
    queue(line, (size_t)n + 2);
}

static void flush(void)
{
    while (client.fd >= 0 && client.out_at < client.out_n) {
        ssize_t n = send(client.fd, client.out + client.out_at, client.out_n - client.out_at,
                         MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n <= 0)
            return;
        client.out_at += (size_t)n;
    }
    client.out_at = client.out_n = 0;
    if (client.closing)
        hang_up();
}

static bool is_lower(const char *s)
{
    for (; *s; s++)
        if (*s >= 'A' && *s <= 'Z')
            return false;
    return true;
}

/* Characters of valid UTF-8, -1 when it is not. */
static int characters(const char *s)
{
    int n = 0;
    for (const unsigned char *p = (const unsigned char *)s; *p; n++) {
        int more = *p < 0x80 ? 0 : *p >= 0xf0 ? 3 : *p >= 0xe0 ? 2 : *p >= 0xc2 ? 1 : -1;
        if (more < 0)
            return -1;
        for (p++; more > 0; more--, p++)
            if ((*p & 0xc0) != 0x80)
                return -1;
    }
    return n;
}

static void on_cap(const char *rest)
{
    if (!strcmp(rest, "END"))
        return;
    if (strncmp(rest, "REQ :", 5)) {
        tell("VIOLATION odd CAP %s", rest);
        return;
    }
    if (client.pass)
        tell("VIOLATION CAP REQ after PASS");
    client.caps = strstr(rest, "twitch.tv/tags") && strstr(rest, "twitch.tv/commands");
    reply(":tmi.twitch.tv CAP * ACK :%s", rest + 5);
}

static void on_pass(const char *rest)
{
    if (!client.caps)
        tell("VIOLATION PASS before CAP REQ");
    client.pass = true;
    client.pass_formed = !strncmp(rest, "oauth:", 6);
    client.pass_valid = client.pass_formed && !strcmp(rest + 6, token);
}

static void on_nick(const char *rest)
{
    if (!client.pass)
        tell("VIOLATION NICK before PASS");
    if (!is_lower(rest) || strcmp(rest, login))
        tell("VIOLATION NICK %s", rest);
    if (!client.pass_valid) {
        reply(":tmi.twitch.tv NOTICE * :%s",
              client.pass_formed ? "Login authentication failed" : "Improperly formatted auth");
        client.closing = true;
        return;
    }
    client.welcome = true;
    reply(":tmi.twitch.tv 001 %s :Welcome, GLHF!", login);
    reply(":tmi.twitch.tv 002 %s :Your host is tmi.twitch.tv", login);
    reply(":tmi.twitch.tv 003 %s :This server is rather new", login);
    reply(":tmi.twitch.tv 004 %s :-", login);
    reply(":tmi.twitch.tv 375 %s :-", login);
    reply(":tmi.twitch.tv 372 %s :You are in a maze of twisty passages, all alike.", login);
    reply(":tmi.twitch.tv 376 %s :>", login);
    reply("@badge-info=;badges=;color=;display-name=%s;emote-sets=0;user-id=1;user-type= "
          ":tmi.twitch.tv GLOBALUSERSTATE",
          login);
}

static void on_join(const char *rest)
{
    if (!client.welcome || !is_lower(rest) || rest[0] != '#')
        tell("VIOLATION JOIN %s", rest);
    snprintf(client.channel, sizeof client.channel, "%s", rest);
    reply(":%s!%s@%s.tmi.twitch.tv JOIN %s", login, login, login, rest);
    reply("@emote-only=0;followers-only=-1;r9k=0;room-id=1;slow=0;subs-only=0 "
          ":tmi.twitch.tv ROOMSTATE %s",
          rest);
    reply("@badges=;display-name=%s;mod=0 :tmi.twitch.tv USERSTATE %s", login, rest);
    tell("JOINED %s", rest);
}

static void on_privmsg(const char *rest)
{
    char channel[64] = "";
    const char *text = strstr(rest, " :");
    int n = text ? characters(text + 2) : -1;
    int64_t now = now_ms();
    sscanf(rest, "%63s", channel);
    if (strcmp(channel, client.channel))
        tell("VIOLATION PRIVMSG to %s", channel);
    if (n < 1 || n > 500)
        tell("VIOLATION PRIVMSG of %d characters", n);
    if (client.sends && now - client.sent[(client.sends - 1) % 20] < 950)
        tell("VIOLATION two messages within %d ms",
             (int)(now - client.sent[(client.sends - 1) % 20]));
    if (client.sends >= 20 && now - client.sent[client.sends % 20] < 30000)
        tell("VIOLATION 21 messages within 30 s");
    client.sent[client.sends++ % 20] = now;
    reply("@badges=;display-name=%s;mod=0 :tmi.twitch.tv USERSTATE %s", login, client.channel);
}

static void on_line(char *line)
{
    static const struct {
        const char *command;
        void (*fn)(const char *rest);
    } commands[] = {{"CAP ", on_cap},
                    {"PASS ", on_pass},
                    {"NICK ", on_nick},
                    {"JOIN ", on_join},
                    {"PRIVMSG ", on_privmsg}};
    tell("GOT %s", line);
    if (line[0] == '@') {
        if (strncmp(line, "@reply-parent-msg-id=", 21))
            tell("VIOLATION odd tags");
        line = strchr(line, ' ') ? strchr(line, ' ') + 1 : line;
    }
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        size_t n = strlen(commands[i].command);
        if (!strncmp(line, commands[i].command, n)) {
            commands[i].fn(line + n);
            return;
        }
    }
    if (!strncmp(line, "PING ", 5))
        reply(":tmi.twitch.tv PONG tmi.twitch.tv %s", line + 5);
    else if (strncmp(line, "PONG ", 5) && strncmp(line, "USER ", 5) && strncmp(line, "QUIT", 4))
        tell("VIOLATION unknown command: %s", line);
}

static void read_client(void)
{
    ssize_t got = recv(client.fd, client.in + client.in_n, sizeof client.in - 1 - client.in_n, 0);
    if (got <= 0) {
        hang_up();
        return;
    }
    client.in_n += (size_t)got;
    client.in[client.in_n] = '\0';
    for (char *end; client.fd >= 0 && (end = strstr(client.in, "\r\n"));) {
        *end = '\0';
        on_line(client.in);
        client.in_n -= (size_t)(end + 2 - client.in);
        memmove(client.in, end + 2, client.in_n + 1);
    }
    if (client.in_n == sizeof client.in - 1) {
        tell("VIOLATION a line of 8 KB");
        hang_up();
    }
}

static void command(char *line, size_t n)
{
    int count, from;
    if (!strncmp(line, "raw ", 4)) {
        queue(line + 4, n - 4);
        queue("\r\n", 2);
    } else if (sscanf(line, "flood %d %d", &count, &from) == 2) {
        for (int i = 0; i < count; i++)
            reply("@badge-info=;badges=;color=#FF69B4;display-name=Viewer%d;emotes=;first-msg=0;"
                  "flags=;id=00000000-0000-4000-8000-%012d;mod=0;room-id=1;subscriber=0;"
                  "tmi-sent-ts=1674085692645;turbo=0;user-id=%d;user-type= "
                  ":viewer%d!viewer%d@viewer%d.tmi.twitch.tv PRIVMSG %s :line %d",
                  i % 500, from + i, 1000 + i % 500, i % 500, i % 500, i % 500, client.channel,
                  from + i);
    } else if (!strncmp(line, "token ", 6)) {
        snprintf(token, sizeof token, "%.200s", line + 6);
    } else if (!strcmp(line, "close")) {
        client.closing = true;
    } else {
        tell("VIOLATION unknown order %s", line);
    }
}

/* False at the end of input. */
static bool read_orders(void)
{
    static char in[65536];
    static size_t n;
    ssize_t got = read(0, in + n, sizeof in - 1 - n);
    if (got <= 0)
        return false;
    n += (size_t)got;
    for (char *end; (end = memchr(in, '\n', n));) {
        *end = '\0';
        command(in, (size_t)(end - in));
        n -= (size_t)(end + 1 - in);
        memmove(in, end + 1, n);
    }
    return true;
}

static int listen_at(int port)
{
    struct sockaddr_in a = {.sin_family = AF_INET,
                            .sin_port = htons((uint16_t)port),
                            .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof a;
    int one = 1, fd = socket(AF_INET, SOCK_STREAM, 0);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(fd, (struct sockaddr *)&a, len) || listen(fd, 4)) {
        perror("fake_twitch");
        return -1;
    }
    getsockname(fd, (struct sockaddr *)&a, &len);
    tell("PORT %d", ntohs(a.sin_port));
    return fd;
}

int main(int argc, char **argv)
{
    if (argc < 3) {
        fprintf(stderr, "usage: fake_twitch LOGIN TOKEN [PORT]\n");
        return 2;
    }
    signal(SIGPIPE, SIG_IGN);
    login = argv[1];
    snprintf(token, sizeof token, "%s", argv[2]);
    int door = listen_at(argc > 3 ? atoi(argv[3]) : 0);
    if (door < 0)
        return 1;
    for (;;) {
        struct pollfd p[3] = {{.fd = 0, .events = POLLIN},
                              {.fd = client.fd < 0 ? door : -1, .events = POLLIN},
                              {.fd = client.fd, .events = POLLIN}};
        p[2].events = (short)(POLLIN | (client.out_n ? POLLOUT : 0));
        if (poll(p, 3, -1) < 0)
            return 1;
        if (p[0].revents && !read_orders())
            return 0;
        if (p[1].revents & POLLIN)
            client.fd = accept(door, NULL, NULL);
        if (client.fd >= 0 && (p[2].revents & (POLLIN | POLLHUP | POLLERR)))
            read_client();
        flush();
    }
}
