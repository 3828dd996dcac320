/* What the live chat tests share: a loop with one chat whose lines are kept, and plain IRC clients
 * that play the audience on blocking sockets. */
#ifndef SAKUGA_TESTS_LIVE_CHAT_H
#define SAKUGA_TESTS_LIVE_CHAT_H

#include "unit.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "chat/chat.h"
#include "loop/net.h"

#include <arpa/inet.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

struct heard {
    char uid[64], name[128], text[4096], msgid[64];
    enum role role;
    int64_t utc_ms;
};

struct show {
    struct loop *loop;
    struct chat *chat;
    struct heard *line; /* ring of the last 64 */
    int lines, withdrawals, changes;
    struct chat_withdrawal withdrawal[64];
};

static void show_line(void *user, const struct chat_line *l)
{
    struct show *s = user;
    struct heard *h = &s->line[s->lines++ % 64];
    str_copy(h->uid, sizeof h->uid, l->who.uid);
    str_copy(h->name, sizeof h->name, l->who.name);
    str_copy(h->text, sizeof h->text, l->text);
    str_copy(h->msgid, sizeof h->msgid, l->msgid);
    h->role = l->who.role;
    h->utc_ms = l->utc_ms;
}

static void show_withdrawal(void *user, const struct chat_withdrawal *w)
{
    struct show *s = user;
    s->withdrawal[s->withdrawals++ % 64] = *w;
}

static void show_status(void *user, int source)
{
    struct show *s = user;
    (void)source;
    s->changes++;
}

static const struct heard *show_last(const struct show *s)
{
    return &s->line[(s->lines + 63) % 64];
}

static void show_begin(struct show *s)
{
    static const struct chat_ops ops = {show_line, show_withdrawal, show_status};
    *s = (struct show){0};
    s->line = calloc(64, sizeof *s->line);
    s->loop = loop_new(NULL);
    s->chat = chat_new(s->loop, &ops, s);
    assert_non_null(s->line);
    assert_non_null(s->chat);
}

static void show_end(struct show *s)
{
    chat_free(s->chat);
    net_shutdown(s->loop);
    loop_free(s->loop);
    free(s->line);
}

static struct chat_status show_state(struct show *s)
{
    struct chat_status st;
    chat_status(s->chat, 0, &st);
    return st;
}

/* Turns the loop until `condition`; fails the test after `ms`. */
#define WAIT(s, ms, condition)                                                                     \
    do {                                                                                           \
        int64_t end_ = clock_mono_ms() + (ms);                                                     \
        bool ok_;                                                                                  \
        while (!(ok_ = (condition)) && clock_mono_ms() < end_)                                     \
            loop_step((s)->loop, 20);                                                              \
        if (!ok_)                                                                                  \
            fail_msg("%s did not come within %d ms; status: %s; last line: %s", #condition,        \
                     (int)(ms), show_state(s).why, show_last(s)->text);                            \
    } while (0)

#endif
