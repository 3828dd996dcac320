/* The operator's decisions about one prompt, and their undoing. */
#include "desk/change.h"

#include "base/clock.h"
#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void approve(struct desk *d, struct change *c, const char *reason)
{
    c->after.reason[0] = '\0';
    c->after.show_deaths = c->after.worker_deaths = 0;
    c->after.state = PROMPT_APPROVED;
    if (c->before.state == PROMPT_QUARANTINED) { /* a second look first */
        c->after.state = PROMPT_HELD;
        snprintf(c->said, sizeof c->said, "#%lld is held again", (long long)c->after.id);
    }
    change_stage(d, c, NULL, reason);
}

static void reject(struct desk *d, struct change *c, const char *reason)
{
    str_copy(c->after.reason, sizeof c->after.reason, reason);
    change_stage(d, c, NULL, reason);
}

static void reroll(struct desk *d, struct change *c, const char *reason)
{
    c->after.state = PROMPT_APPROVED;
    c->after.seed = change_seed(d);
    c->after.clip[0] = c->after.sha256[0] = c->after.check[0] = c->after.reason[0] = '\0';
    c->after.check_failed = false;
    c->after.worker_deaths = 0;
    change_stage(d, c, NULL, reason);
}

/* Which states a verb acts on; finer than the table of moves, which also serves undo and recovery.
 */
static bool acts_on(enum desk_verb v, enum prompt_state s)
{
    switch (v) {
    case DESK_APPROVE:
        return s == PROMPT_HELD || s == PROMPT_QUARANTINED;
    case DESK_AIR:
        return s == PROMPT_REVIEW;
    case DESK_REROLL:
        return s == PROMPT_REVIEW || s == PROMPT_FAILED;
    default:
        return !prompt_ended(s) && s != PROMPT_AIRING;
    }
}

void desk_decide(struct desk *d, enum desk_verb v, int64_t id, const char *who, const char *reason,
                 struct answer a)
{
    static const struct {
        const char *what, *past;
    } verbs[] = {{"approve", "approved"},
                 {"reject", "rejected"},
                 {"air", "cleared for air:"},
                 {"cancel", "cancelled"},
                 {"reroll", "drawn again:"}};
    struct change *c = change_begin(d, id, who, verbs[v].what, a);
    if (!c)
        return;
    c->must = !strcmp(who, "platform"); /* a ban has happened, whatever the disk says */
    c->undoable = strcmp(who, "auto") && strcmp(who, "viewer") && strcmp(who, "platform");
    snprintf(c->said, sizeof c->said, "%s #%lld", verbs[v].past, (long long)id);
    if (!acts_on(v, c->before.state)) {
        change_answer(a, ERR_STATE, id, "#%lld is %s; %s is not possible", (long long)id,
                      prompt_state_name(c->before.state), verbs[v].what);
        change_free(c);
        return;
    }
    switch (v) {
    case DESK_APPROVE:
        approve(d, c, reason);
        break;
    case DESK_REJECT:
        c->after.state = PROMPT_REJECTED;
        reject(d, c, reason);
        break;
    case DESK_CANCEL:
        c->after.state = PROMPT_CANCELLED;
        reject(d, c, reason);
        break;
    case DESK_AIR:
        c->after.state = PROMPT_CLEARED;
        change_stage(d, c, NULL, reason);
        break;
    case DESK_REROLL:
        reroll(d, c, reason);
        break;
    }
}

void desk_edit(struct desk *d, int64_t id, const char *text, const char *who, struct answer a)
{
    struct change *c = change_begin(d, id, who, "edit", a);
    if (!c)
        return;
    size_t n = text_clusters(text);
    if (c->before.state != PROMPT_HELD && c->before.state != PROMPT_APPROVED) {
        change_answer(a, ERR_STATE, id, "#%lld is %s; only a prompt that waits can be edited",
                      (long long)id, prompt_state_name(c->before.state));
    } else if (!n || n > (size_t)d->show->set.length || strlen(text) >= PROMPT_TEXT_MAX) {
        change_answer(a, ERR_LIMIT, id, "the new text has %zu characters, 1 to %d are possible", n,
                      d->show->set.length);
    } else {
        str_copy(c->after.text, sizeof c->after.text, text);
        c->after.edited = true;
        c->undoable = true;
        snprintf(c->said, sizeof c->said, "edited #%lld", (long long)id);
        change_stage(d, c, NULL, c->before.text);
        return;
    }
    change_free(c);
}

void desk_priority(struct desk *d, int64_t id, int step, const char *who, struct answer a)
{
    struct change *c = change_begin(d, id, who, "priority", a);
    if (!c)
        return;
    int to = c->before.priority + step;
    c->after.priority = to > 9 ? 9 : to < -9 ? -9 : to;
    c->undoable = true;
    snprintf(c->said, sizeof c->said, "#%lld has priority %+d", (long long)id, c->after.priority);
    change_stage(d, c, NULL, "");
}

void desk_favourite(struct desk *d, int64_t id, const char *who, struct answer a)
{
    struct change *c = change_begin(d, id, who, "favourite", a);
    if (!c)
        return;
    c->after.favourite = !c->before.favourite;
    if (c->after.favourite && guard_condemned(d, id)) {
        change_answer(a, ERR_STATE, id, "the clip of #%lld is being pruned; raise limits.vault",
                      (long long)id);
        change_free(c);
        return;
    }
    c->undoable = true;
    snprintf(c->said, sizeof c->said,
             c->after.favourite ? "#%lld is a favourite: never pruned"
                                : "#%lld is no favourite any more",
             (long long)id);
    change_stage(d, c, NULL, "");
}

/* ---- undo ---- */

/* The newest one lies last. An undo takes its decision out when it is staged and puts it back when
 * it fails, so they are kept in the order of their tickets. */
static void insert(struct desk *d, struct undo *u)
{
    int at = d->undo_count;
    if (at == UNDO_DEPTH) {
        free(d->undo[0]);
        memmove(d->undo, d->undo + 1, (UNDO_DEPTH - 1) * sizeof *d->undo);
        at = --d->undo_count;
    }
    for (; at > 0 && d->undo[at - 1]->ticket > u->ticket; at--)
        d->undo[at] = d->undo[at - 1];
    d->undo[at] = u;
    d->undo_count++;
}

void undo_push(struct desk *d, const struct change *c)
{
    struct undo *u = malloc(sizeof *u);
    if (!u)
        return; /* it is decided all the same */
    *u = (struct undo){.ticket = c->ticket, .before = c->before, .to = c->after.state};
    str_copy(u->what, sizeof u->what, c->what);
    if (!c->after.id)
        u->before.id = 0;
    insert(d, u);
}

void undo_restore(struct desk *d, struct undo *u)
{
    insert(d, u);
}

void undo_forget(struct desk *d, uint64_t ticket)
{
    for (int i = d->undo_count - 1; i >= 0; i--)
        if (d->undo[i]->ticket == ticket) {
            free(d->undo[i]);
            d->undo_count--;
            memmove(d->undo + i, d->undo + i + 1, (size_t)(d->undo_count - i) * sizeof *d->undo);
            return;
        }
}

void undo_free(struct desk *d)
{
    while (d->undo_count)
        free(d->undo[--d->undo_count]);
}

static void undo_general(struct desk *d, const struct undo *u, const char *who, struct answer a)
{
    if (!strcmp(u->what, "open") || !strcmp(u->what, "close"))
        desk_open(d, !strcmp(u->what, "close"), who, a);
    else if (!strcmp(u->what, "resume"))
        desk_pause(d, "resume was undone", who, a);
    else if (d->show->panic)
        change_answer(a, ERR_STATE, 0, "the show is in panic since: only `resume` leaves it");
    else
        desk_resume(d, who, a);
}

/* Fields alone: the state is what it was before and after. */
static bool undo_fields(const struct desk *d, const struct undo *u, struct change *c)
{
    if (!strcmp(u->what, "priority")) {
        c->after.priority = u->before.priority;
    } else if (!strcmp(u->what, "favourite")) {
        c->after.favourite = u->before.favourite;
        return !c->after.favourite || !guard_condemned(d, c->after.id);
    } else { /* edit */
        str_copy(c->after.text, sizeof c->after.text, u->before.text);
        c->after.edited = u->before.edited;
        return c->before.state == PROMPT_HELD || c->before.state == PROMPT_APPROVED;
    }
    return true;
}

/* Undo of approve: back to held; a job that has begun is cancelled (draw_follow sees to it). */
static bool undo_approve(struct change *c)
{
    c->after.state = PROMPT_HELD;
    return c->before.state == PROMPT_APPROVED || c->before.state == PROMPT_GENERATING;
}

/* Undo of air: the link is withdrawn, unless the cut has been made. */
static bool undo_air(struct desk *d, struct change *c)
{
    c->after.state = PROMPT_REVIEW;
    return c->before.state == PROMPT_CLEARED ||
           (c->before.state == PROMPT_AIRING && air_take_back(d, c->before.id));
}

static bool clip_is_there(const struct desk *d, const struct prompt *p)
{
    char path[PATH_LEN];
    desk_clip_path(d, p, path);
    return p->clip[0] && !guard_condemned(d, p->id) && !access(path, R_OK);
}

/* Undo of reject and cancel: where it came from, or as near as that is possible. */
static bool undo_end(const struct desk *d, struct change *c, const struct undo *u)
{
    if (c->before.state != u->to)
        return false;
    switch (u->before.state) {
    case PROMPT_REVIEW:
    case PROMPT_CLEARED:
        c->after.state = clip_is_there(d, &u->before) ? PROMPT_REVIEW : PROMPT_APPROVED;
        break;
    case PROMPT_GENERATING:
        c->after.state = PROMPT_APPROVED;
        break;
    default:
        c->after.state = u->before.state;
    }
    return true;
}

/* Undo of reroll: the old clip and its seed come back. */
static bool undo_reroll(const struct desk *d, struct change *c, const struct undo *u)
{
    if (u->before.state != PROMPT_REVIEW || !clip_is_there(d, &u->before))
        return false;
    if (c->before.state == PROMPT_APPROVED || c->before.state == PROMPT_GENERATING) {
        int draws = c->after.draws;
        c->after = u->before;
        c->after.draws = draws; /* the next clip must not overwrite one that was begun */
        return true;
    }
    return false;
}

static bool undo_one(struct desk *d, const struct undo *u, struct change *c)
{
    if (u->before.state == u->to)
        return undo_fields(d, u, c);
    if (!strcmp(u->what, "approve"))
        return undo_approve(c);
    if (!strcmp(u->what, "air"))
        return undo_air(d, c);
    if (!strcmp(u->what, "reroll"))
        return undo_reroll(d, c, u);
    return undo_end(d, c, u);
}

static void undo_prompt(struct desk *d, const struct undo *u, const char *who, struct answer a)
{
    struct change *c = change_begin(d, u->before.id, who, "undo", a);
    if (!c)
        return;
    if (!undo_one(d, u, c)) {
        bool seen = c->before.state == PROMPT_AIRING || c->before.state == PROMPT_AIRED;
        change_answer(a, ERR_STATE, u->before.id,
                      seen ? "#%lld was on air: that cannot be undone (%s)"
                           : "#%lld has moved on; %s cannot be undone any more",
                      (long long)u->before.id, u->what);
        change_free(c);
        return;
    }
    snprintf(c->said, sizeof c->said, "undone: %s #%lld, it is %s again", u->what,
             (long long)u->before.id, prompt_state_name(c->after.state));
    if (c->after.state != c->before.state)
        c->after.reason[0] = '\0';
    change_stage(d, c, NULL, u->what);
}

void desk_undo(struct desk *d, const char *who, struct answer a)
{
    if (!d->undo_count) {
        change_answer(a, ERR_NOTFOUND, 0, "there is nothing to undo");
        return;
    }
    change_retry(d); /* a fact that waits is not what is taken back */
    struct undo *u = d->undo[--d->undo_count];
    d->undoing = u; /* change_stage() makes it its change's own */
    if (u->before.id)
        undo_prompt(d, u, who, a);
    else
        undo_general(d, u, who, a);
    free(d->undoing); /* refused: it cannot be undone by trying again */
    d->undoing = NULL;
}
