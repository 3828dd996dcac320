/* Where lines of chat come in. Moderators' commands and panic go straight to the command table,
 * since they must work when scripts do not; the rest goes to the scripts, and to the built-in
 * commands while the scripts are dead or late. */
#include "app/house.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "command/viewer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void no_answer(void *user, enum err e, int64_t id, const char *text)
{
    (void)user;
    (void)e;
    (void)id;
    (void)text;
}

/* An answer on its way back into chat. */
struct back {
    struct house *house;
    struct viewer who;
    int source;
    char msgid[64];
    enum chat_kind kind;
    struct answer after; /* who else wants to know */
};

static void reply(void *user, enum err e, int64_t id, const char *text)
{
    struct back *b = user;
    if (b->source >= 0 && text[0] && b->house->chat)
        chat_reply(b->house->chat, b->source, &b->who, e ? CHAT_REFUSED : b->kind, text, b->msgid);
    if (b->after.fn)
        b->after.fn(b->after.user, e, id, text);
    free(b);
}

static struct answer reply_to(struct house *h, const struct chat_line *line, enum chat_kind kind,
                              struct answer after)
{
    struct back *b = calloc(1, sizeof *b);
    if (!b)
        return after;
    b->house = h;
    b->who = line->who;
    b->source = line->source;
    b->kind = kind;
    b->after = after;
    str_copy(b->msgid, sizeof b->msgid, line->msgid);
    return (struct answer){reply, b};
}

/* `!approve 12` of a moderator: a row of the table that chat may call. */
static bool moderator_command(struct house *h, const struct chat_line *line, const char *name,
                              struct answer a)
{
    const struct command *row = command_find(h->commands, name);
    if (!row || !(row->from & FROM_CHAT))
        return false;
    if (row->least > ROLE_VIEWER && line->who.role < row->least)
        return false;
    struct origin o = {FROM_CHAT, line->who, line->source, line->msgid};
    command_run(h->commands, &o, line->text + 1, reply_to(h, line, CHAT_ANSWER, a));
    return true;
}

void intake_line(struct house *h, const struct chat_line *line, struct answer a)
{
    char name[32];
    const char *rest;
    if (!a.fn)
        a.fn = no_answer;
    if (viewer_split(line->text, name, sizeof name, &rest)) {
        if (moderator_command(h, line, name, a))
            return;
        enum chat_kind kind = strcmp(name, "anime") ? CHAT_ANSWER : CHAT_ACCEPTED;
        struct answer r = reply_to(h, line, kind, a);
        script_line(h->script, h->commands, line, r);
        return;
    }
    script_line(h->script, h->commands, line, a);
}

static void on_line(void *user, const struct chat_line *line)
{
    intake_line(user, line, (struct answer){0});
}

static void on_withdrawal(void *user, const struct chat_withdrawal *w)
{
    struct house *h = user;
    desk_withdraw(h->desk, w);
}

static void on_status(void *user, int source)
{
    struct house *h = user;
    if (source < 0 || source >= CHAT_SOURCES_MAX)
        return;
    chat_status(h->chat, source, &h->show.chat[source]);
    show_changed(&h->show, EVENT_CHAT, source, clock_mono_ms());
}

static const struct chat_ops chat_ops = {on_line, on_withdrawal, on_status};

/* `ctl say VIEWER TEXT`: a line as if from chat; what is replied is the answer. */
static void say(struct commands *cs, const struct origin *o, const struct command_call *c,
                struct answer a)
{
    struct house *h = command_user(cs);
    struct buf name = BUF_INIT(1024), text = BUF_INIT(65536);
    struct chat_line line = {.channel = "", .msgid = "", .source = -1, .utc_ms = clock_utc_ms()};
    (void)o;
    text_clean(&name, c->word, strlen(c->word));
    text_clean(&text, c->text, strlen(c->text));
    if (!name.len || !text.len) {
        a.fn(a.user, ERR_USAGE, 0, "usage: say VIEWER TEXT");
    } else {
        line.text = buf_str(&text);
        str_copy(line.who.platform, sizeof line.who.platform, "ctl");
        str_copy(line.who.name, sizeof line.who.name, buf_str(&name));
        str_copy(line.who.uid, sizeof line.who.uid, buf_str(&name));
        intake_line(h, &line, a);
    }
    buf_free(&name);
    buf_free(&text);
}

struct chat_settings intake_source(const struct config *c, int i)
{
    const struct config_chat *k = &c->chat[i];
    char key[80];
    snprintf(key, sizeof key, "%s.password", k->secret);
    const char *password = k->secret[0] ? config_secret(c, key) : "";
    return (struct chat_settings){.kind = k->kind,
                                  .url = k->url,
                                  .nick = k->nick,
                                  .ca = k->ca[0] ? k->ca : NULL,
                                  .password = password[0] ? password : NULL,
                                  .secret = k->secret[0] ? k->secret : NULL,
                                  .seed = (uint64_t)k->seed,
                                  .rate = k->rate};
}

enum err intake_start(struct house *h, struct fault *f)
{
    const struct command rows[] = {{"say", "WORD TEXT", "", ROLE_OPERATOR, FROM_CTL,
                                    "a line as if it came from chat", say, h}};
    h->chat = chat_new(h->loop, &chat_ops, h);
    if (!h->chat || command_add(h->commands, rows, 1))
        return fault_set(f, ERR_NOMEM, "out of memory");
    for (int i = 0; i < h->config.chat_count; i++) {
        struct chat_settings s = intake_source(&h->config, i);
        int at = chat_add(h->chat, &s, f);
        if (at < 0)
            return f->code;
        h->show.chat_count = at + 1;
        chat_status(h->chat, at, &h->show.chat[at]);
    }
    return ERR_OK;
}
