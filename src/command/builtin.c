/* The commands of the desk, one row each. */
#include "command/command.h"

#include "base/clock.h"
#include "show/queue.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- many ids, one answer ---- */

struct gather {
    struct answer a;
    int open;
    enum err worst;
    int64_t id;
    struct buf text;
};

static void gathered(void *user, enum err e, int64_t id, const char *text)
{
    struct gather *g = user;
    if (g->text.len)
        buf_adds(&g->text, "\n");
    buf_adds(&g->text, text);
    if (e && !g->worst)
        g->worst = e;
    g->id = id;
    if (--g->open)
        return;
    if (g->a.fn)
        g->a.fn(g->a.user, g->worst, g->id, buf_str(&g->text));
    buf_free(&g->text);
    free(g);
}

static void decide(struct commands *cs, const struct origin *o, const struct command_call *c,
                   struct answer a, enum desk_verb v)
{
    char who[160];
    struct gather *g = calloc(1, sizeof *g);
    if (!g) {
        if (a.fn)
            a.fn(a.user, ERR_NOMEM, 0, "out of memory");
        return;
    }
    g->a = a;
    g->open = c->id_count;
    for (int i = 0, n = c->id_count; i < n; i++)
        desk_decide(command_desk(cs), v, c->ids[i], command_who(o, who), c->text,
                    (struct answer){gathered, g});
}

#define DECISION(name, verb)                                                                       \
    static void name(struct commands *cs, const struct origin *o, const struct command_call *c,    \
                     struct answer a)                                                              \
    {                                                                                              \
        decide(cs, o, c, a, verb);                                                                 \
    }
DECISION(approve, DESK_APPROVE)
DECISION(reject, DESK_REJECT)
DECISION(air, DESK_AIR)
DECISION(cancel, DESK_CANCEL)
DECISION(reroll, DESK_REROLL)

static void edit(struct commands *cs, const struct origin *o, const struct command_call *c,
                 struct answer a)
{
    char who[160];
    desk_edit(command_desk(cs), c->ids[0], c->text, command_who(o, who), a);
}

static void up(struct commands *cs, const struct origin *o, const struct command_call *c,
               struct answer a)
{
    char who[160];
    desk_priority(command_desk(cs), c->ids[0], 1, command_who(o, who), a);
}

static void down(struct commands *cs, const struct origin *o, const struct command_call *c,
                 struct answer a)
{
    char who[160];
    desk_priority(command_desk(cs), c->ids[0], -1, command_who(o, who), a);
}

static void favourite(struct commands *cs, const struct origin *o, const struct command_call *c,
                      struct answer a)
{
    char who[160];
    desk_favourite(command_desk(cs), c->ids[0], command_who(o, who), a);
}

static void undo(struct commands *cs, const struct origin *o, const struct command_call *c,
                 struct answer a)
{
    char who[160];
    (void)c;
    desk_undo(command_desk(cs), command_who(o, who), a);
}

static void open_(struct commands *cs, const struct origin *o, const struct command_call *c,
                  struct answer a)
{
    char who[160];
    (void)c;
    desk_open(command_desk(cs), true, command_who(o, who), a);
}

static void close_(struct commands *cs, const struct origin *o, const struct command_call *c,
                   struct answer a)
{
    char who[160];
    (void)c;
    desk_open(command_desk(cs), false, command_who(o, who), a);
}

static void toggle(struct commands *cs, const struct origin *o, const struct command_call *c,
                   struct answer a)
{
    char who[160];
    (void)c;
    desk_open(command_desk(cs), !command_show(cs)->open, command_who(o, who), a);
}

static void pause_(struct commands *cs, const struct origin *o, const struct command_call *c,
                   struct answer a)
{
    char who[160];
    desk_pause(command_desk(cs), c->text, command_who(o, who), a);
}

static void resume(struct commands *cs, const struct origin *o, const struct command_call *c,
                   struct answer a)
{
    char who[160];
    (void)c;
    desk_resume(command_desk(cs), command_who(o, who), a);
}

static void panic(struct commands *cs, const struct origin *o, const struct command_call *c,
                  struct answer a)
{
    char who[160];
    (void)c;
    desk_panic(command_desk(cs), command_who(o, who));
    if (a.fn)
        a.fn(a.user, ERR_OK, 0, "panic: the stage is on standby; `resume` goes on");
}

static void quit(struct commands *cs, const struct origin *o, const struct command_call *c,
                 struct answer a)
{
    (void)o;
    (void)c;
    if (a.fn)
        a.fn(a.user, ERR_OK, 0, "the show ends");
    desk_quit(command_desk(cs));
}

static void why(struct commands *cs, const struct origin *o, const struct command_call *c,
                struct answer a)
{
    const struct prompt *p = show_find(command_show(cs), c->ids[0]);
    struct buf b = BUF_INIT(4096);
    (void)o;
    if (p)
        queue_why(command_show(cs), p, clock_mono_ms(), &b);
    else
        buf_addf(&b, "there is no prompt #%lld in the show", (long long)c->ids[0]);
    if (a.fn)
        a.fn(a.user, p ? ERR_OK : ERR_NOTFOUND, c->ids[0], buf_str(&b));
    buf_free(&b);
}

static void vote(struct commands *cs, const struct origin *o, const struct command_call *c,
                 struct answer a)
{
    desk_vote(command_desk(cs), &o->who, c->ids[0], a);
}

#define DESK (FROM_KEY | FROM_CTL | FROM_SCRIPT)
#define ALL (DESK | FROM_CHAT)

static const struct command rows[] = {
    {"approve", "ID…", "a", ROLE_MODERATOR, ALL, "pass gate 1: the prompt may be drawn", approve,
     NULL},
    {"reject", "ID… [--reason TEXT]", "x", ROLE_MODERATOR, ALL, "refuse a prompt or its clip",
     reject, NULL},
    {"air", "ID…", "v", ROLE_OPERATOR, DESK & ~FROM_SCRIPT, "pass gate 2: the clip may be shown",
     air, NULL},
    {"cancel", "ID…", "c", ROLE_MODERATOR, DESK, "drop a prompt, also while it is drawn", cancel,
     NULL},
    {"reroll", "ID…", "r", ROLE_OPERATOR, DESK, "draw the clip again with another seed", reroll,
     NULL},
    {"edit", "ID TEXT", "e", ROLE_OPERATOR, DESK, "change the text of a prompt that waits", edit,
     NULL},
    {"up", "ID", "+", ROLE_OPERATOR, DESK, "raise a prompt's priority", up, NULL},
    {"down", "ID", "-", ROLE_OPERATOR, DESK, "lower a prompt's priority", down, NULL},
    {"favourite", "ID", "f", ROLE_OPERATOR, DESK, "keep its clip for ever, or not", favourite,
     NULL},
    {"why", "ID", "w", ROLE_VIEWER, ALL, "why it stands where it stands", why, NULL},
    {"undo", "", "z", ROLE_OPERATOR, FROM_KEY | FROM_CTL, "take back the last decision", undo,
     NULL},
    {"open", "", "", ROLE_MODERATOR, ALL, "open submissions", open_, NULL},
    {"close", "", "", ROLE_MODERATOR, ALL, "close submissions", close_, NULL},
    {"toggle", "", "o", ROLE_OPERATOR, FROM_KEY, "open or close submissions", toggle, NULL},
    {"pause", "[TEXT]", "p", ROLE_OPERATOR, DESK, "start no new job; what runs goes on", pause_,
     NULL},
    {"resume", "", "", ROLE_OPERATOR, FROM_KEY | FROM_CTL, "leave pause and panic", resume, NULL},
    {"panic", "", "F12", ROLE_MODERATOR, ALL | FROM_SIGNAL, "cut to standby, now", panic, NULL},
    {"vote", "ID", "", ROLE_VIEWER, FROM_SCRIPT, "vote for a prompt that waits", vote, NULL},
    {"quit", "", "Q", ROLE_OPERATOR, FROM_KEY | FROM_CTL, "end the show cleanly", quit, NULL},
};

const struct command *command_builtin(int *count)
{
    *count = (int)(sizeof rows / sizeof *rows);
    return rows;
}
