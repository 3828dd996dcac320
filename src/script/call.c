/* What scripts wish for, carried out on the loop. A wish about a line is made with the rights of
 * the viewer who said it; the operator's rights are never a script's. */
#include "script/ticket.h"

#include "base/clock.h"
#include "base/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void result(struct script *s, uint64_t call, enum err e, int64_t id, const char *text)
{
    struct letter *l = letter_new(LETTER_RESULT, text, "");
    if (!l) {
        log_error("script", "out of memory: a script will not hear of its call");
        return;
    }
    l->call = call;
    l->err = e;
    l->id = id;
    script_post(s, l);
}

static void forget(struct call *c)
{
    if (c->script) {
        *(c->prev ? &c->prev->next : &c->script->calls) = c->next;
        if (c->next)
            c->next->prev = c->prev;
    }
    free(c);
}

static void note(struct script *s, struct ticket *t, const struct call *c, enum err e, int64_t id,
                 const char *text)
{
    t->in_desk--;
    t->err = e;
    if (!e) {
        t->touched = true;
        if (c->what == CALL_SUBMIT)
            t->prompt = id;
    }
    if (t->over && !t->in_desk)
        ticket_finish(s, t, e, text);
    else
        ticket_extend(s, t, clock_mono_ms() + SCRIPT_LATE_MS);
}

static void called(void *user, enum err e, int64_t id, const char *text)
{
    struct call *c = user;
    struct script *s = c->script;
    if (s) {
        struct ticket *t = c->ticket ? ticket_find(s, c->ticket) : NULL;
        if (t)
            note(s, t, c, e, id, text);
        if (c->what == CALL_VALUE && e)
            log_warn("script", "a value was not stored: %s", text);
        result(s, c->call, e, id, text);
    }
    forget(c);
}

static void submit(struct script *s, const struct ticket *t, const struct letter *l,
                   struct answer a)
{
    struct submission sub = {.who = t->line.who,
                             .source = t->line.source,
                             .msgid = t->msgid,
                             .text = l->text,
                             .style = l->more,
                             .hold = l->hold,
                             .rule = l->rule};
    desk_submit(command_desk(s->commands), &sub, a);
}

/* A line of the command table: with a viewer's rights when it is about a line of chat, else with a
 * moderator's. The rows that only the operator may have lack FROM_SCRIPT. */
static void run(struct script *s, const struct ticket *t, const struct letter *l, struct answer a)
{
    struct origin o = {.from = FROM_SCRIPT, .source = -1, .msgid = ""};
    char scope[65];
    str_copy(scope, sizeof scope, l->scope);
    o.who.role = ROLE_MODERATOR;
    str_copy(o.who.platform, sizeof o.who.platform, "script");
    str_copy(o.who.uid, sizeof o.who.uid, scope);
    str_copy(o.who.name, sizeof o.who.name, scope);
    if (t) {
        o.who = t->line.who;
        if (o.who.role > ROLE_BROADCASTER)
            o.who.role = ROLE_BROADCASTER;
        char name[80];
        str_copy(name, sizeof name, t->line.who.name);
        snprintf(o.who.name, sizeof o.who.name, "%.40s for %s", scope, name);
    }
    command_run(s->commands, &o, l->text, a);
}

void call_carry_out(struct script *s, const struct letter *l)
{
    struct desk *d = command_desk(s->commands);
    struct ticket *t = l->ticket ? ticket_find(s, l->ticket) : NULL;
    if ((l->ticket || (l->what != CALL_RUN && l->what != CALL_VALUE)) && !t) {
        result(s, l->call, ERR_TIMEOUT, 0, "too late: the line was answered without this script");
        return;
    }
    struct call *c = calloc(1, sizeof *c);
    if (!c) {
        result(s, l->call, ERR_NOMEM, 0, "out of memory");
        return;
    }
    *c = (struct call){
        .script = s, .call = l->call, .ticket = l->ticket, .what = l->what, .next = s->calls};
    if (s->calls)
        s->calls->prev = c;
    s->calls = c;
    s->figures.calls++;
    struct answer a = {called, c};
    if (t)
        t->in_desk++;
    switch (l->what) {
    case CALL_SUBMIT:
        submit(s, t, l, a);
        break;
    case CALL_VOTE:
        desk_vote(d, &t->line.who, l->id, a);
        break;
    case CALL_CANCEL:
        desk_cancel_own(d, &t->line.who, l->id, a);
        break;
    case CALL_STYLE:
        desk_choose_style(d, &t->line.who, l->text, a);
        break;
    case CALL_RUN:
        run(s, t, l, a);
        break;
    case CALL_VALUE:
        desk_value(d, l->scope, l->text, l->more, a);
        break;
    }
}
