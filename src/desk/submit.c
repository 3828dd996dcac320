/* The entrance: what viewers may do. Gate 1 stands at its end. */
#include "desk/change.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "show/queue.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int waiting(const struct desk *d)
{
    return d->show->count[PROMPT_HELD] + d->show->count[PROMPT_APPROVED] + d->pending_new;
}

/* All the reasons for which a prompt is refused at the door, before it has an id. */
static enum err admit(const struct desk *d, const struct submission *s, const struct regular *r,
                      struct fault *f)
{
    const struct settings *set = &d->show->set;
    int64_t now = clock_mono_ms();
    size_t length = text_clusters(s->text);
    struct eta_range eta;
    if (!d->show->open)
        return fault_set(f, ERR_CLOSED, "submissions are closed");
    if (r->banned_until > now)
        return fault_set(f, ERR_DENIED, "you cannot submit prompts at the moment");
    if (!length)
        return fault_set(f, ERR_USAGE, "say what to draw: !anime a fox that runs over neon roofs");
    if (length > (size_t)set->length || strlen(s->text) >= PROMPT_TEXT_MAX)
        return fault_set(f, ERR_LIMIT, "the prompt has %zu characters, %d are possible", length,
                         set->length);
    if (set->per_viewer && r->live + r->pending >= set->per_viewer)
        return fault_set(f, ERR_LIMIT,
                         set->per_viewer == 1
                             ? "you have a prompt in the show already; wait for it or !cancel"
                             : "you have %d prompts in the show already",
                         r->live + r->pending);
    if (r->accepted_mono != INT64_MIN && now - r->accepted_mono < set->cooldown_s * 1000)
        return fault_set(f, ERR_LIMIT, "the next prompt is possible in %" PRId64 " s",
                         (set->cooldown_s * 1000 - (now - r->accepted_mono) + 999) / 1000);
    if (set->queue && waiting(d) >= set->queue)
        return fault_set(f, ERR_LIMIT, "the queue is full (%d); try again later", set->queue);
    if (set->max_eta_s && queue_eta_new(d->show, &eta) && eta.low_ms > set->max_eta_s * 1000)
        return fault_set(f, ERR_LIMIT, "the wait is %" PRId64 " min already; try again later",
                         eta.low_ms / 60000);
    if (d->show->store_failed)
        return fault_set(f, ERR_IO, "prompts cannot be stored at the moment; try again later");
    return ERR_OK;
}

static const struct style *style_for(const struct desk *d, const struct submission *s,
                                     const struct regular *r, struct fault *f)
{
    const char *name = s->style[0] ? s->style : r->style;
    const struct style *style = style_find(&d->show->styles, name);
    if (style)
        return style;
    if (!s->style[0]) /* the viewer's own has gone since */
        return style_find(&d->show->styles, "");
    const char *near = style_nearest(&d->show->styles, name);
    fault_set(f, ERR_NOTFOUND, "there is no style %s%s%s; see !styles", name,
              near ? "; did you mean " : "", near ? near : "");
    return NULL;
}

void desk_submit(struct desk *d, const struct submission *s, struct answer a)
{
    struct fault f = {0};
    int64_t now = clock_mono_ms();
    struct regular *r = show_regular(d->show, &s->who, now);
    enum err e = r ? admit(d, s, r, &f) : fault_set(&f, ERR_NOMEM, "out of memory");
    const struct style *style = e ? NULL : style_for(d, s, r, &f);
    if (e || !style) {
        d->show->refused++;
        change_answer(a, e ? e : f.code, 0, "%s", fault_text(&f));
        return;
    }
    struct change *c = change_note(
        d, s->hold || d->show->set.prompt_gate == GATE_OPERATOR ? "viewer" : "auto", "submit", a);
    if (!c)
        return;
    struct prompt *p = &c->after;
    bool hold = s->hold || d->show->set.prompt_gate == GATE_OPERATOR;
    c->kind = STORE_PROMPT;
    c->fresh = true;
    p->id = c->before.id = d->next_id++;
    c->before.state = PROMPT_RECEIVED;
    p->state = hold ? PROMPT_HELD : PROMPT_APPROVED;
    p->viewer = s->who;
    p->source = s->source;
    str_copy(p->msgid, sizeof p->msgid, s->msgid);
    str_copy(p->text, sizeof p->text, s->text);
    str_copy(p->style, sizeof p->style, style->name);
    str_copy(p->reason, sizeof p->reason, s->rule ? s->rule : "");
    p->seed = change_seed(d);
    p->created_utc = clock_utc_ms();
    p->created_mono = now;
    snprintf(c->said, sizeof c->said, "#%lld %s", (long long)p->id, hold ? "held" : "approved");
    r->pending++;
    d->pending_new++;
    change_stage(d, c, NULL, s->rule ? s->rule : "");
}

void desk_vote(struct desk *d, const struct viewer *who, int64_t id, struct answer a)
{
    const struct prompt *p = change_staged(d, id);
    if (!p || (p->state != PROMPT_HELD && p->state != PROMPT_APPROVED)) {
        change_answer(a, ERR_NOTFOUND, id, "#%lld is not waiting in the queue", (long long)id);
        return;
    }
    if (viewer_same(&p->viewer, who)) {
        change_answer(a, ERR_DENIED, id, "a vote for one's own prompt does not count");
        return;
    }
    struct change *c = change_begin(d, id, "viewer", "vote", a);
    struct store_op *op = c ? change_op(d, c, STORE_VOTE) : NULL;
    if (!op)
        return;
    c->after.viewer = *who; /* the voter, for the table of votes */
    snprintf(c->who, sizeof c->who, "%s:%s", who->platform, who->uid);
    snprintf(c->said, sizeof c->said, "your vote for #%lld counts", (long long)id);
    change_stage(d, c, op, "");
}

static const struct prompt *own_waiting(const struct desk *d, const struct viewer *who, int64_t id)
{
    static const enum prompt_state in[] = {PROMPT_HELD, PROMPT_APPROVED, PROMPT_GENERATING,
                                           PROMPT_REVIEW, PROMPT_CLEARED};
    const struct prompt *found = NULL;
    if (id) {
        found = change_staged(d, id);
        return found && viewer_same(&found->viewer, who) ? found : NULL;
    }
    for (size_t i = 0; i < sizeof in / sizeof *in; i++)
        for (const struct prompt *p = show_first(d->show, in[i]); p; p = show_next(d->show, p))
            if (viewer_same(&p->viewer, who) && (!found || p->id > found->id))
                found = p;
    return found;
}

void desk_choose_style(struct desk *d, const struct viewer *who, const char *name, struct answer a)
{
    const struct style *style = style_find(&d->show->styles, name);
    struct regular *r = show_regular(d->show, who, clock_mono_ms());
    if (!style || !r) {
        const char *near = style_nearest(&d->show->styles, name);
        change_answer(a, ERR_NOTFOUND, 0, "there is no style %s%s%s; see !styles", name,
                      near ? "; did you mean " : "", near ? near : "");
        return;
    }
    str_copy(r->style, sizeof r->style, style->name);
    const struct prompt *p = own_waiting(d, who, 0);
    if (!p || (p->state != PROMPT_HELD && p->state != PROMPT_APPROVED)) {
        change_answer(a, ERR_OK, 0, "your next prompt is drawn as %s", style->name);
        return;
    }
    struct change *c = change_begin(d, p->id, "viewer", "style", a);
    if (!c)
        return;
    str_copy(c->after.style, sizeof c->after.style, style->name);
    snprintf(c->said, sizeof c->said, "#%lld is drawn as %s", (long long)p->id, style->name);
    change_stage(d, c, NULL, "");
}

void desk_cancel_own(struct desk *d, const struct viewer *who, int64_t id, struct answer a)
{
    const struct prompt *p = own_waiting(d, who, id);
    if (!p) {
        change_answer(a, ERR_NOTFOUND, id, "you have no prompt waiting");
        return;
    }
    desk_decide(d, DESK_CANCEL, p->id, "viewer", "cancelled by its viewer", a);
}

/* ---- what the platform took back ---- */

static void withdraw_one(struct desk *d, const struct prompt *p, const char *why)
{
    int64_t id = p->id;
    enum prompt_state state = p->state;
    bool taken_back = state == PROMPT_AIRING && air_take_back(d, id);
    if (!prompt_ended(state) && state != PROMPT_AIRING) {
        desk_decide(d, DESK_REJECT, id, "platform", why, (struct answer){0});
        return;
    }
    if (state == PROMPT_AIRING && !taken_back)
        d->ops->cut_short(d->user, id); /* on air: ended now, and never in the gallery */
    struct change *c = change_begin(d, id, "platform", "withdraw", (struct answer){0});
    if (!c)
        return;
    c->must = true;
    c->after.hidden = true;
    str_copy(c->after.reason, sizeof c->after.reason, why);
    if (taken_back)
        c->after.state = PROMPT_REVIEW;
    change_stage(d, c, NULL, why);
    if (taken_back)
        desk_decide(d, DESK_REJECT, id, "platform", why, (struct answer){0});
}

static bool concerns(const struct chat_withdrawal *w, const struct prompt *p)
{
    if (strcmp(p->viewer.platform, w->platform))
        return false;
    if (w->msgid[0])
        return !strcmp(p->msgid, w->msgid);
    if (w->uid[0])
        return !strcmp(p->viewer.uid, w->uid);
    /* the whole chat was cleared: what nobody has approved yet goes */
    return p->source == w->source && p->state == PROMPT_HELD;
}

void desk_withdraw(struct desk *d, const struct chat_withdrawal *w)
{
    int64_t now = clock_mono_ms();
    if (w->uid[0] && w->ban_s) {
        struct viewer v = {0};
        str_copy(v.platform, sizeof v.platform, w->platform);
        str_copy(v.uid, sizeof v.uid, w->uid);
        const struct regular *known = show_known(d->show, &v);
        struct regular *r = show_regular(d->show, known ? &known->who : &v, now);
        if (r)
            r->banned_until = w->ban_s < 0 ? INT64_MAX : now + w->ban_s * 1000;
    }
    const char *why = w->msgid[0] ? "its message was deleted in chat"
                      : w->uid[0] ? "its viewer was banned in chat"
                                  : "the chat was cleared";
    /* submissions still on their way to the disk are part of it */
    for (const struct change *c = d->first, *next; c; c = next) {
        next = c->next;
        if (c->fresh && concerns(w, &c->after) &&
            !prompt_ended(change_staged(d, c->after.id)->state))
            withdraw_one(d, change_staged(d, c->after.id), why);
    }
    for (int st = PROMPT_HELD; st < PROMPT_STATES; st++)
        for (const struct prompt *p = show_first(d->show, (enum prompt_state)st), *next; p;
             p = next) {
            next = show_next(d->show, p);
            const struct prompt *staged = change_staged(d, p->id);
            bool done =
                staged->hidden || (prompt_ended(staged->state) && staged->state != PROMPT_AIRED);
            if (concerns(w, staged) && !done)
                withdraw_one(d, staged, why);
        }
}
