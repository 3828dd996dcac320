/* The commit point. change_stage() sends a decision to the store and remembers it; desk_committed()
 * gets the outcomes in the same order, applies each, publishes, follows up, answers. Nothing of a
 * change is visible to anybody before its commit, except to later decisions about the same prompt,
 * which are checked against the staged face. When a commit fails, every staged change fails with it
 * (the store sees to that), so the staged faces fall back to the applied ones by themselves.
 *
 * Wishes (an operator's decisions) that fail are over: whoever had them was told. Facts (`must`: a
 * clip was drawn, a viewer was banned, panic) stay facts: they are kept in order and staged again
 * before whatever is decided next, so that no decision is ever checked against a face from before
 * them. */
#include "desk/change.h"

#include "base/clock.h"
#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void change_answer(struct answer a, enum err e, int64_t id, const char *fmt, ...)
{
    char text[512];
    va_list ap;
    if (!a.fn)
        return;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    err_whole_text(text);
    a.fn(a.user, e, id, text);
}

/* splitmix64 (Steele, Lea, Flood 2014): each clip gets a seed of its own. */
uint64_t change_seed(struct desk *d)
{
    uint64_t z = d->seed += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return (z ^ z >> 31) >> 11; /* 53 bits: exact in every JSON reader */
}

const struct prompt *change_staged(const struct desk *d, int64_t id)
{
    const struct prompt *newest = NULL;
    for (const struct change *c = d->first; c; c = c->next)
        if (c->kind == STORE_PROMPT && c->after.id == id && !store_doomed(d->store, c->ticket))
            newest = &c->after;
    return newest ? newest : show_find(d->show, id);
}

static struct change *begin(struct desk *d, const char *who, const char *what, struct answer a)
{
    struct change *c = calloc(1, sizeof *c);
    if (!c) {
        change_answer(a, ERR_NOMEM, 0, "out of memory; nothing was decided");
        return NULL;
    }
    change_retry(d);
    str_copy(c->who, sizeof c->who, who);
    str_copy(c->what, sizeof c->what, what);
    c->answer = a;
    return c;
}

struct change *change_begin(struct desk *d, int64_t id, const char *who, const char *what,
                            struct answer a)
{
    struct change *c = begin(d, who, what, a);
    const struct prompt *p = c ? change_staged(d, id) : NULL;
    if (c && !p) {
        change_answer(a, ERR_NOTFOUND, id, "there is no prompt #%lld in the show", (long long)id);
        change_free(c);
        return NULL;
    }
    if (c) {
        c->kind = STORE_PROMPT;
        c->before = c->after = *p;
    }
    return c;
}

struct change *change_note(struct desk *d, const char *who, const char *what, struct answer a)
{
    struct change *c = begin(d, who, what, a);
    if (c)
        c->kind = STORE_NOTE;
    return c;
}

void change_free(struct change *c)
{
    free(c->undone);
    free(c);
}

void change_switch(struct change *c, const char *key, const char *word)
{
    c->kind = STORE_META;
    str_copy(c->key, sizeof c->key, key);
    str_copy(c->word, sizeof c->word, word);
}

const char *change_switched(const struct desk *d, const char *key, const char *applied)
{
    for (const struct change *c = d->first; c; c = c->next)
        if (c->kind == STORE_META && !strcmp(c->key, key) && !store_doomed(d->store, c->ticket))
            applied = c->word;
    return applied;
}

void change_running(struct desk *d, bool running)
{
    struct change *c = change_note(d, "system", "", (struct answer){0});
    if (!c)
        return;
    change_switch(c, "running", running ? "1" : "0");
    c->must = true;
    change_stage(d, c, NULL, "");
}

struct store_op *change_op(struct desk *d, struct change *c, enum store_kind kind)
{
    struct store_op *op = store_op_new(kind);
    (void)d;
    if (!op) {
        change_answer(c->answer, ERR_NOMEM, c->after.id, "out of memory; nothing was decided");
        change_free(c);
        return NULL;
    }
    c->kind = kind;
    return op;
}

void change_stage(struct desk *d, struct change *c, struct store_op *op, const char *rule)
{
    if (c->after.id && c->kind == STORE_PROMPT && c->before.state != c->after.state &&
        !prompt_may(c->before.state, c->after.state)) {
        log_warn("desk", "refused: #%lld cannot go from %s to %s (%s)", (long long)c->after.id,
                 prompt_state_name(c->before.state), prompt_state_name(c->after.state), c->what);
        change_answer(c->answer, ERR_STATE, c->after.id, "#%lld is %s; it cannot be made %s",
                      (long long)c->after.id, prompt_state_words(c->before.state),
                      prompt_state_name(c->after.state));
        store_op_free(op);
        change_free(c);
        return;
    }
    if (!op && !(op = change_op(d, c, c->kind)))
        return;
    if (c->kind == STORE_META) {
        str_copy(op->key, sizeof op->key, c->key);
        op->value = strdup(c->word);
    } else if (c->kind == STORE_PROMPT) {
        air_moves(d, c, op);
    }
    if (d->undoing) {
        c->undone = d->undoing;
        d->undoing = NULL;
        c->undoable = false;
    }
    c->after.changed_utc = clock_utc_ms();
    op->prompt = c->after;
    op->decision.at_utc = c->after.changed_utc;
    op->decision.from = c->before.state;
    op->decision.to = c->after.state;
    str_copy(op->decision.who, sizeof op->decision.who, c->who);
    str_copy(op->decision.what, sizeof op->decision.what, c->what);
    str_copy(op->decision.rule, sizeof op->decision.rule, rule);
    c->next = NULL;
    *d->tail = c;
    d->tail = &c->next;
    c->ticket = store_stage(d->store, op);
    if (c->undoable)
        undo_push(d, c);
}

/* Puts the fact on the prompt's present face: what was wished along with it and refused is gone. */
static bool rebase(const struct desk *d, struct change *c)
{
    const struct prompt *p = change_staged(d, c->after.id);
    struct prompt fact = c->after;
    if (!p || p->state != c->before.state)
        return false;
    c->before = c->after = *p;
    c->after.state = fact.state;
    c->after.worker_deaths = fact.worker_deaths;
    c->after.show_deaths = fact.show_deaths;
    c->after.clip_ms = fact.clip_ms;
    c->after.drawn_ms = fact.drawn_ms;
    c->after.check_failed = fact.check_failed;
    c->after.hidden = fact.hidden;
    c->after.aired_utc = fact.aired_utc;
    str_copy(c->after.sha256, sizeof c->after.sha256, fact.sha256);
    str_copy(c->after.check, sizeof c->after.check, fact.check);
    str_copy(c->after.reason, sizeof c->after.reason, fact.reason);
    return true;
}

void change_retry(struct desk *d)
{
    struct change *c = d->must, *next;
    d->must = NULL;
    for (; c; c = next) {
        next = c->next;
        if (c->after.id && !rebase(d, c)) {
            change_free(c); /* somebody else has moved it on */
            continue;
        }
        change_stage(d, c, NULL, c->after.reason);
    }
}

/* ---- outcomes ---- */

/* The change at the head of the line is over; its ids are free for the next decision. */
static struct change *take_first(struct desk *d)
{
    struct change *c = d->first;
    d->first = c->next;
    if (!d->first)
        d->tail = &d->first;
    return c;
}

static void settle_submission(struct desk *d, const struct change *c, bool stored)
{
    struct regular *r = show_regular(d->show, &c->after.viewer, clock_mono_ms());
    d->pending_new--;
    if (!r)
        return;
    if (r->pending > 0)
        r->pending--;
    if (stored) {
        r->accepted_mono = clock_mono_ms();
        d->show->accepted++;
    }
}

/* A fact stays a fact when the disk is full: it is kept and staged again. */
static void keep(struct desk *d, struct change *c)
{
    struct change **at = &d->must;
    while (*at)
        at = &(*at)->next;
    c->next = NULL;
    *at = c;
}

static void fail(struct desk *d, struct change *c, const struct store_result *r)
{
    struct show *s = d->show;
    bool moved = c->before.state != c->after.state;
    if (c->undoable)
        undo_forget(d, c->ticket);
    if (c->undone && !store_doomed(d->store, c->undone->ticket)) {
        undo_restore(d, c->undone);
        c->undone = NULL;
    }
    if (c->fresh) {
        settle_submission(d, c, false);
        d->next_id = s->last_id + 1; /* everything after it fails too: its id is given again */
    }
    if (moved && c->after.id == d->drawing && c->after.state == PROMPT_GENERATING)
        d->drawing = 0;
    if (moved && c->after.id == d->airing && c->after.state == PROMPT_AIRING)
        d->airing = 0;
    if (moved && !c->must && c->before.state == PROMPT_AIRING && c->after.id == d->airing)
        desk_off_air(d, c->after.id, false, ""); /* it was taken back from the stage already */
    if (!s->store_failed) {
        s->store_failed = true;
        s->paused = true;
        str_copy(s->pause_why, sizeof s->pause_why, r->fault.text);
        log_error("desk", "%s; the queue is paused, `resume` tries again", fault_text(&r->fault));
        show_changed(s, EVENT_STORE, 0, clock_mono_ms());
        show_changed(s, EVENT_PAUSED, 0, clock_mono_ms());
    }
    change_answer(c->answer, r->err, c->after.id, "%s", fault_text(&r->fault));
}

/* The staged copy is older than what happened to the live one since: those fields stay. */
static void keep_live_fields(const struct show *s, struct prompt *p)
{
    const struct prompt *now = show_find(s, p->id);
    if (!now)
        return;
    p->votes = now->votes;
    p->round = now->round;
    p->created_mono = now->created_mono;
    p->changed_mono = now->changed_mono;
}

static void apply_vote(struct desk *d, const struct change *c, const struct store_result *r)
{
    if (r->file_err) {
        change_answer(c->answer, r->file_err, c->after.id, "%s", fault_text(&r->fault));
        return;
    }
    const struct prompt *now = show_find(d->show, c->after.id);
    if (now) {
        struct prompt p = *now;
        p.votes++;
        show_apply(d->show, &p, c->who, clock_mono_ms());
    }
    change_answer(c->answer, ERR_OK, c->after.id, "%s", c->said);
}

static void apply_prompt(struct desk *d, struct change *c, const struct store_result *r)
{
    keep_live_fields(d->show, &c->after);
    if (c->fresh)
        settle_submission(d, c, true);
    if (c->before.favourite != c->after.favourite)
        guard_favourite(d, c->after.id, c->after.favourite);
    bool forgotten = !c->fresh && prompt_ended(c->after.state) && !show_find(d->show, c->after.id);
    if (!forgotten && show_apply(d->show, &c->after, c->who, clock_mono_ms())) {
        /* committed but not remembered: the next start will know it */
        log_error("desk", "out of memory: #%lld is stored but not shown until a restart",
                  (long long)c->after.id);
        change_answer(c->answer, ERR_NOMEM, c->after.id, "out of memory");
        return;
    }
    if (r->file_err && c->after.state == PROMPT_CLEARED) {
        undo_forget(d, c->ticket);
        change_answer(c->answer, r->file_err, c->after.id, "%s", fault_text(&r->fault));
    } else {
        change_answer(c->answer, ERR_OK, c->after.id, "%s", c->said);
    }
    draw_follow(d, c, r);
    air_follow(d, c, r);
}

static void on_result(void *user, const struct store_result *r)
{
    struct desk *d = user;
    if (!d->first || d->first->ticket != r->ticket) {
        log_error("desk", "the store answered out of order (ticket %llu)",
                  (unsigned long long)r->ticket);
        return;
    }
    struct change *c = take_first(d);
    if (c->kind == STORE_PAGE) {
        c->page.fn(c->page.user, r->page, r->err ? -1 : r->page_count);
    } else if (r->err) {
        fail(d, c, r);
        if (c->must) {
            keep(d, c);
            return;
        }
    } else {
        if (d->show->store_failed) {
            d->show->store_failed = false;
            log_info("desk", "the store works again");
            show_changed(d->show, EVENT_STORE, 0, clock_mono_ms());
        }
        if (c->kind == STORE_VOTE) {
            apply_vote(d, c, r);
        } else if (c->kind == STORE_PROMPT) {
            apply_prompt(d, c, r);
        } else {
            if (c->apply)
                c->apply(d, c);
            change_answer(c->answer, ERR_OK, 0, "%s", c->said);
        }
    }
    change_free(c);
}

void change_settle(struct desk *d)
{
    do
        store_drain(d->store);
    while (store_poll(d->store, on_result, d));
}

void desk_committed(struct desk *d)
{
    if (store_poll(d->store, on_result, d))
        desk_drive(d);
}

void desk_page(struct desk *d, int64_t below, int limit, struct desk_page to)
{
    struct change *c = change_note(d, "", "", (struct answer){0});
    struct store_op *op = c ? change_op(d, c, STORE_PAGE) : NULL;
    if (!op) {
        to.fn(to.user, NULL, -1);
        return;
    }
    c->page = to;
    c->next = NULL;
    op->prompt.id = below;
    op->limit = limit;
    *d->tail = c;
    d->tail = &c->next;
    c->ticket = store_stage(d->store, op);
}

void desk_value(struct desk *d, const char *scope, const char *key, const char *value,
                struct answer a)
{
    struct change *c = change_note(d, scope, "", a);
    struct store_op *op = c ? change_op(d, c, STORE_VALUE) : NULL;
    if (!op)
        return;
    op->value = strdup(value);
    if (!op->value || !str_copy(op->scope, sizeof op->scope, scope) ||
        !str_copy(op->key, sizeof op->key, key)) {
        change_answer(a, ERR_LIMIT, 0, "the key %s is too long", key);
        store_op_free(op);
        change_free(c);
        return;
    }
    change_stage(d, c, op, "");
}
