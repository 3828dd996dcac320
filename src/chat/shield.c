#include "chat/shield.h"

#include "base/log.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <libircclient.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <unistd.h>

/* libircclient 1.9 is a session and command dispatcher that trusts the server. As Debian builds it,
 * it cannot face the Internet:
 *  - no TLS, and a blocking resolver;
 *  - no IRCv3 tags: a tagged line is an unknown command;
 *  - a line of 1022 bytes or more fills its input buffer, and it never reads again: silent, for
 *    ever, and any viewer can write one (327 Japanese characters do). An empty line does the same;
 *  - it reads past the end of a command without parameters (RECONNECT), and through a NULL prefix
 *    (NICK), parameter (NOTICE) or command ("000"); a CTCP of a single byte 1 copies with a
 *    negative length;
 *  - it cuts /me at 120 bytes, answers CTCP VERSION, PING and offers of files by itself;
 *  - PASS is cut at 255 bytes and is then used as a *format string*;
 *  - its output buffer holds 1024 bytes, and what does not fit is refused;
 *  - its API is select(): a descriptor above 1023 writes outside of an fd_set.
 *
 * So it sits behind a shield, in a socketpair of this process. irc_connect() knows only TCP: it is
 * given a listener that lives for microseconds, and then dup3() puts our end of a socketpair under
 * its descriptor. No port stays open, no thread is needed, and the password does not pass through.
 *
 *     server ── TLS (loop/net) ──▶ split ──▶ parse ──▶ check ──▶ canonical line ──▶ library
 *                                              │                                      │ callback
 *                                              └──── full text and tags, kept ──▶ on_line()
 *
 * A line is passed on only when it is a well-formed message with the parameters that its command
 * needs, and in one canonical form: prefix, command, parameters, at most LIBRARY_LINE bytes, no
 * controls. The library is run over it at once; its callback tells that it has dispatched the line,
 * and on_line() then gets the parsed original, which is whole. What the library dispatches to
 * nobody (PING, which it answers) reaches nobody. After each line and each command its output is
 * pumped until it is empty, so its 1024 bytes never fill. */

#define LIBRARY_LINE 1000 /* its buffer has 1023 usable bytes, CRLF included */
#define LIBRARY_PARAMS 10
#define PREFIX_MAX 200
#define COMMAND_MAX 30
#define MIDDLE_END 900 /* where the last parameter begins at the latest */

struct shield {
    irc_session_t *session;
    int lib_fd;  /* the library's end; it closes it */
    int our_fd;  /* ours, non-blocking */
    int depth;   /* inside a callback when not 0 */
    bool broken; /* the library failed */
    bool freed;
    struct ircsplit split;
    uint64_t odd; /* lines that were no message */
    const struct ircline *current;
    const struct shield_ops *ops;
    void *user;
};

bool shield_nick_ok(const char *nick)
{
    size_t n = strspn(nick, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                            "[]\\`_^{|}-");
    return n >= 1 && n <= 30 && !nick[n] && !(nick[0] >= '0' && nick[0] <= '9') && nick[0] != '-';
}

/* --- what the library calls --- */

static void hand_out(irc_session_t *session)
{
    struct shield *s = irc_get_ctx(session);
    if (s->current && !s->freed)
        s->ops->on_line(s->user, s->current);
}

static void on_event(irc_session_t *session, const char *event, const char *origin,
                     const char **params, unsigned int count)
{
    (void)event;
    (void)origin;
    (void)params;
    (void)count;
    hand_out(session);
}

static void on_numeric(irc_session_t *session, unsigned int event, const char *origin,
                       const char **params, unsigned int count)
{
    (void)event;
    (void)origin;
    (void)params;
    (void)count;
    hand_out(session);
}

/* event_connect stays NULL: numeric 001 tells the same. */
static irc_callbacks_t callbacks = {
    .event_nick = on_event,
    .event_quit = on_event,
    .event_join = on_event,
    .event_part = on_event,
    .event_mode = on_event,
    .event_umode = on_event,
    .event_topic = on_event,
    .event_kick = on_event,
    .event_channel = on_event,
    .event_privmsg = on_event,
    .event_notice = on_event,
    .event_channel_notice = on_event,
    .event_invite = on_event,
    .event_ctcp_action = on_event,
    .event_unknown = on_event,
    .event_numeric = on_numeric,
};

/* --- running the library --- */

/* Which of its descriptors does it want to see? False when it wants nothing any more. */
static bool wants(struct shield *s, fd_set *in, fd_set *out, int *max)
{
    *max = -1;
    FD_ZERO(in);
    FD_ZERO(out);
    return irc_add_select_descriptors(s->session, in, out, max) == 0;
}

/* Moves what the library has to say to on_send(). */
static void pump(struct shield *s)
{
    char room[4096];
    fd_set in, out;
    int max;
    while (!s->broken && !s->freed) {
        if (!wants(s, &in, &out, &max)) {
            s->broken = true;
            return;
        }
        if (!FD_ISSET(s->lib_fd, &out))
            return;
        FD_ZERO(&in);
        if (irc_process_select_descriptors(s->session, &in, &out))
            s->broken = true;
        for (ssize_t n; !s->freed && (n = recv(s->our_fd, room, sizeof room, MSG_DONTWAIT)) > 0;)
            s->ops->on_send(s->user, room, (size_t)n);
    }
}

/* Gives the library one canonical line; its callbacks run in here. */
static void dispatch(struct shield *s, const char *line, size_t n)
{
    fd_set in, out;
    if (send(s->our_fd, line, n, MSG_NOSIGNAL) != (ssize_t)n) {
        s->broken = true;
        return;
    }
    FD_ZERO(&in);
    FD_ZERO(&out);
    FD_SET(s->lib_fd, &in);
    if (irc_process_select_descriptors(s->session, &in, &out))
        s->broken = true;
}

/* --- from a parsed message to a line that the library can bear --- */

static int params_needed(const char *command)
{
    static const struct {
        const char *command;
        int params;
    } needed[] = {{"PRIVMSG", 2}, {"NOTICE", 2}, {"MODE", 2},  {"KICK", 2},   {"NICK", 1},
                  {"JOIN", 1},    {"PART", 1},   {"TOPIC", 1}, {"INVITE", 2}, {"PING", 1}};
    for (size_t i = 0; i < sizeof needed / sizeof *needed; i++)
        if (!strcmp(command, needed[i].command))
            return needed[i].params;
    return 0;
}

/* The library takes "0012" for 001 and falls over 000. */
static bool command_ok(const char *c)
{
    size_t digits = strspn(c, "0123456789");
    if (digits)
        return digits == 3 && !c[3] && strcmp(c, "000");
    return strlen(c) <= COMMAND_MAX;
}

/* CTCP: only ACTION (/me) is wanted, and the library gets just its beginning. */
static bool is_ctcp(const struct ircline *l)
{
    return l->params > 1 && l->param[1][0] == '\1' &&
           (!strcmp(l->command, "PRIVMSG") || !strcmp(l->command, "NOTICE"));
}

struct canonical {
    char bytes[LIBRARY_LINE + 8];
    size_t n;
};

static void put(struct canonical *c, const char *s)
{
    for (; *s && c->n < LIBRARY_LINE; s++)
        c->bytes[c->n++] = (unsigned char)*s < 0x20 && *s != '\1' ? '?' : *s;
    if (*s) { /* cut: not inside a character */
        while (c->n && ((unsigned char)c->bytes[c->n - 1] & 0xc0) == 0x80)
            c->n--;
        if (c->n && (unsigned char)c->bytes[c->n - 1] >= 0xc0)
            c->n--;
    }
}

static bool canonical(const struct ircline *l, struct canonical *c)
{
    c->n = 0;
    if (!command_ok(l->command) || l->params < params_needed(l->command) ||
        strlen(l->prefix) > PREFIX_MAX)
        return false;
    put(c, ":");
    put(c, *l->prefix ? l->prefix : "server");
    put(c, " ");
    put(c, l->command);
    if (is_ctcp(l)) {
        if (strcmp(l->command, "PRIVMSG") || strncmp(l->param[1], "\1ACTION ", 8) ||
            strlen(l->param[0]) > PREFIX_MAX)
            return false;
        put(c, " ");
        put(c, l->param[0]);
        put(c, " :\1ACTION .\1");
    } else {
        int n = l->params < LIBRARY_PARAMS ? l->params : LIBRARY_PARAMS;
        for (int i = 0; i < n; i++) {
            if (c->n > MIDDLE_END) /* the cut must never eat a parameter that is needed */
                return false;
            put(c, i == n - 1 ? " :" : " ");
            put(c, l->param[i]);
        }
        if (!n)
            put(c, " "); /* else it reads on behind the command */
    }
    /* a text that begins and ends with byte 1 can only be the ACTION above */
    if (!is_ctcp(l))
        for (size_t i = 0; i < c->n; i++)
            if (c->bytes[i] == '\1')
                c->bytes[i] = '?';
    memcpy(c->bytes + c->n, "\r\n", 2);
    c->n += 2;
    return true;
}

static bool one_line(void *user, char *bytes, size_t n)
{
    struct shield *s = user;
    struct ircline line;
    struct canonical c;
    if (!ircline_parse(bytes, n, &line) || !canonical(&line, &c)) {
        s->odd += n > 0;
        return true;
    }
    s->current = &line;
    dispatch(s, c.bytes, c.n);
    s->current = NULL;
    pump(s);
    return !s->freed && !s->broken;
}

/* --- life --- */

static void dispose(struct shield *s)
{
    if (s->session)
        irc_destroy_session(s->session);
    if (s->our_fd >= 0)
        close(s->our_fd);
    ircsplit_free(&s->split);
    free(s);
}

void shield_free(struct shield *s)
{
    if (!s || s->freed)
        return;
    s->freed = true;
    if (!s->depth)
        dispose(s);
}

static void leave(struct shield *s)
{
    if (!--s->depth && s->freed)
        dispose(s);
}

bool shield_feed(struct shield *s, const char *bytes, size_t n)
{
    s->depth++;
    ircsplit_feed(&s->split, bytes, n, one_line, s);
    bool ok = !s->broken || s->freed;
    leave(s);
    return ok;
}

bool shield_send(struct shield *s, const char *fmt, ...)
{
    char line[SHIELD_SEND_MAX + 1];
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(line, sizeof line, fmt, ap);
    va_end(ap);
    if (n <= 0 || n >= (int)sizeof line || line[strcspn(line, "\r\n")] || s->broken || s->freed)
        return false;
    s->depth++;
    bool ok = irc_send_raw(s->session, "%s", line) == 0;
    pump(s);
    leave(s);
    return ok;
}

uint64_t shield_dropped(const struct shield *s)
{
    return s->split.dropped + s->odd;
}

/* Lets the library connect to a listener that nobody else sees, and slips a socketpair under it. */
static enum err attach(struct shield *s, const struct shield_login *login, struct fault *f)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof a;
    fd_set in, out;
    int max = -1, pair[2];
    int door = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    /* The library's descriptor will be the next free one: it must fit into an fd_set. */
    int probe = door < 0 ? -1 : fcntl(door, F_DUPFD_CLOEXEC, 0);
    bool fits = probe >= 0 && probe < FD_SETSIZE - 64;
    if (probe >= 0)
        close(probe);
    bool open = fits && !bind(door, (struct sockaddr *)&a, len) && !listen(door, 1) &&
                !getsockname(door, (struct sockaddr *)&a, &len) &&
                !irc_connect(s->session, "127.0.0.1", ntohs(a.sin_port), NULL, login->nick,
                             login->user, login->real) &&
                wants(s, &in, &out, &max) && max >= 0;
    if (door >= 0)
        close(door);
    if (!open)
        return fault_set(f, fits ? ERR_IO : ERR_LIMIT, "the IRC library cannot start: %s",
                         fits ? strerror(errno) : "too many open files");
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair))
        return fault_set(f, ERR_IO, "the IRC library cannot start: %s", strerror(errno));
    int e = dup3(pair[0], max, O_CLOEXEC) < 0 ? errno : 0;
    close(pair[0]);
    s->our_fd = pair[1];
    s->lib_fd = max;
    return e ? fault_set(f, ERR_IO, "the IRC library cannot start: %s", strerror(e)) : ERR_OK;
}

/* Straight to the server, past the library. */
static void say(struct shield *s, const char *word, const char *rest)
{
    char line[600];
    int n = snprintf(line, sizeof line, "%s %s\r\n", word, rest);
    if (n > 0 && n < (int)sizeof line && strcspn(rest, "\r\n") == strlen(rest))
        s->ops->on_send(s->user, line, (size_t)n);
    else
        log_error("chat", "%s is too long or holds a line end; it was not sent", word);
}

struct shield *shield_new(const struct shield_login *login, const struct shield_ops *ops,
                          void *user, struct fault *f)
{
    if (!shield_nick_ok(login->nick)) {
        fault_set(f, ERR_INVAL, "\"%s\" cannot be a nick", login->nick);
        return NULL;
    }
    struct shield *s = calloc(1, sizeof *s);
    if (s) {
        s->our_fd = -1;
        s->ops = ops;
        s->user = user;
        s->session = irc_create_session(&callbacks);
    }
    if (!s || !s->session) {
        fault_set(f, ERR_NOMEM, "the IRC library cannot start: out of memory");
        free(s);
        return NULL;
    }
    irc_set_ctx(s->session, s);
    if (attach(s, login, f)) {
        dispose(s);
        return NULL;
    }
    s->depth++;
    if (login->caps)
        say(s, "CAP REQ", login->caps);
    if (login->password && *login->password)
        say(s, "PASS", login->password);
    pump(s);
    s->depth--;
    if (s->broken || s->freed) {
        fault_set(f, ERR_IO, "the IRC library did not start its session");
        dispose(s);
        return NULL;
    }
    return s;
}
