#include "chat/chat.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "chat/source.h"

#include <stdlib.h>
#include <string.h>

#define TEXT_MAX ((size_t)16 << 10) /* bytes of one cleaned text */
#define RETRY_MS 500                /* a source that could not send gets its line again */

static const struct chat_source_ops *const kinds[] = {&irc_ops, &simulated_ops};

struct chat {
    struct loop *loop;
    const struct chat_ops *ops;
    void *user;
    struct timer *send;
    struct source *source[CHAT_SOURCES_MAX];
    int n;
};

static void on_send(void *user);

struct chat *chat_new(struct loop *l, const struct chat_ops *ops, void *user)
{
    struct chat *c = calloc(1, sizeof *c);
    if (!c)
        return NULL;
    c->loop = l;
    c->ops = ops;
    c->user = user;
    c->send = timer_new(l, "chat send", on_send, c);
    if (!c->send) {
        free(c);
        return NULL;
    }
    return c;
}

static void end_source(struct source *s)
{
    struct outbox *out = s->out;
    buf_free(&s->clean);
    s->chat = NULL;
    s->ops->stop(s);
    outbox_free(out);
}

void chat_free(struct chat *c)
{
    if (!c)
        return;
    while (c->n)
        end_source(c->source[--c->n]);
    timer_free(c->send);
    free(c);
}

int chat_add(struct chat *c, const struct chat_settings *s, struct fault *f)
{
    struct outbox_limits limits = {0};
    if (c->n == CHAT_SOURCES_MAX) {
        fault_set(f, ERR_LIMIT, "at most %d chats can be joined", CHAT_SOURCES_MAX);
        return -1;
    }
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (strcmp(s->kind ? s->kind : "irc", kinds[i]->kind))
            continue;
        struct source *made = kinds[i]->start(c->loop, s, f);
        if (!made)
            return -1;
        made->ops = kinds[i];
        made->index = c->n;
        made->clean = BUF_INIT(TEXT_MAX);
        made->ops->limits(made, &limits);
        made->out = outbox_new(&limits);
        if (!made->out) {
            fault_set(f, ERR_NOMEM, "cannot join the chat: out of memory");
            end_source(made);
            return -1;
        }
        made->chat = c;
        c->source[c->n++] = made;
        return made->index;
    }
    fault_set(f, ERR_UNSUPPORTED, "there is no chat of kind \"%s\"; known: irc, simulated",
              s->kind);
    return -1;
}

int chat_count(const struct chat *c)
{
    return c->n;
}

void chat_status(const struct chat *c, int source, struct chat_status *st)
{
    *st = (struct chat_status){0};
    if (source < 0 || source >= c->n)
        return;
    const struct source *s = c->source[source];
    str_copy(st->kind, sizeof st->kind, s->ops->kind);
    str_copy(st->where, sizeof st->where, s->where);
    str_copy(st->why, sizeof st->why, s->why);
    st->heard_ms = s->heard_ms;
    st->lines = s->lines;
    s->ops->status(s, st);
}

/* --- replies --- */

/* Arms the timer for the first line that may be sent. */
static void arm(struct chat *c)
{
    int64_t now = clock_mono_ms(), soon = -1;
    for (int i = 0; i < c->n; i++) {
        struct source *s = c->source[i];
        int64_t wait = outbox_wait(s->out, now);
        if (wait >= 0 && !s->ops->ready(s))
            wait = RETRY_MS;
        if (wait >= 0 && (soon < 0 || wait < soon))
            soon = wait;
    }
    if (soon >= 0)
        timer_start(c->send, soon, 0);
    else
        timer_stop(c->send);
}

static void send_one(struct source *s, int64_t now)
{
    struct buf line = BUF_INIT(0);
    char parent[64];
    if (outbox_take(s->out, now, &line, parent) && !s->ops->send(s, buf_str(&line), parent))
        log_warn("chat", "%s did not take a reply: %s", s->where, buf_str(&line));
    buf_free(&line);
}

static void on_send(void *user)
{
    struct chat *c = user;
    int64_t now = clock_mono_ms();
    for (int i = 0; i < c->n; i++)
        if (c->source[i]->ops->ready(c->source[i]))
            send_one(c->source[i], now);
    arm(c);
}

void chat_reply(struct chat *c, int source, const struct viewer *to, enum chat_kind kind,
                const char *text, const char *parent)
{
    if (source < 0 || source >= c->n)
        return;
    struct source *s = c->source[source];
    if (!outbox_add(s->out, clock_mono_ms(), to, kind, text, parent))
        log_warn("chat", "%s: too many replies wait; the least important was dropped", s->where);
    arm(c);
}

/* --- what sources tell --- */

void source_line(struct source *s, struct viewer *who, const char *channel, const char *msgid,
                 const char *text, size_t n, int64_t utc_ms)
{
    if (!s->chat)
        return;
    buf_reset(&s->clean);
    if (text_clean(&s->clean, who->name, strlen(who->name)) && s->clean.len)
        str_copy(who->name, sizeof who->name, buf_str(&s->clean));
    else
        str_copy(who->name, sizeof who->name, who->uid);
    buf_reset(&s->clean);
    if (!text_clean(&s->clean, text, n) || !s->clean.len)
        return;
    s->lines++;
    struct chat_line line = {.who = *who,
                             .channel = channel,
                             .msgid = msgid,
                             .text = buf_str(&s->clean),
                             .source = s->index,
                             .utc_ms = utc_ms};
    s->chat->ops->on_line(s->chat->user, &line);
}

void source_withdraw(struct source *s, struct chat_withdrawal *w)
{
    w->source = s->index;
    if (s->chat)
        s->chat->ops->on_withdrawal(s->chat->user, w);
}

void source_changed(struct source *s, const char *why)
{
    struct buf b = BUF_INIT(4096); /* it may quote a server */
    if (why && text_clean(&b, why, strlen(why)))
        str_copy(s->why, sizeof s->why, buf_str(&b));
    buf_free(&b);
    if (!s->chat)
        return;
    s->chat->ops->on_status(s->chat->user, s->index);
    arm(s->chat);
}
