/* The airlock: from CLEARED to the audience.
 *
 * air/ is the only folder that a clip input of OBS ever points into. A clip enters it here and
 * nowhere else: air_admit() attaches the link to the very change that makes its prompt CLEARED, and
 * the store makes it after that change is committed. Only a prompt in REVIEW can become CLEARED
 * (show/prompt.c), and only a prompt that passed gate 1 gets to REVIEW. A clip leaves air/ the same
 * way. At the start whatever lies in air/ without a cleared, airing or aired prompt is removed. */
#include "desk/change.h"

#include "base/clock.h"
#include "base/log.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define STAGE_REST_MS 1000 /* after a clip came back unseen */

void desk_air_path(const struct desk *d, const struct prompt *p, char *out)
{
    out[0] = '\0';
    if (p->clip[0] && path_join(out, PATH_LEN, d->paths->air, p->clip))
        out[0] = '\0';
}

void air_admit(struct desk *d, struct store_op *op, const struct prompt *p)
{
    char from[PATH_LEN], to[PATH_LEN];
    desk_clip_path(d, p, from);
    desk_air_path(d, p, to);
    op->link_from = strdup(from);
    op->link_to = strdup(to);
}

void air_expel(struct desk *d, struct store_op *op, const struct prompt *p)
{
    char path[PATH_LEN];
    desk_air_path(d, p, path);
    if (path[0])
        op->unlink = strdup(path);
}

static bool may_be_in_air(const struct show *s, const char *name)
{
    const struct prompt *p = show_find(s, strtoll(name, NULL, 10));
    if (!p) /* too old to be in memory: aired long ago, kept for the vault's sake only */
        return false;
    return !strcmp(p->clip, name) && (p->state == PROMPT_CLEARED || p->state == PROMPT_AIRING ||
                                      (p->state == PROMPT_AIRED && !p->hidden));
}

bool air_take_back(struct desk *d, int64_t id)
{
    const struct prompt *p = show_find(d->show, id);
    return (p && p->state != PROMPT_AIRING) || d->ops->withdraw(d->user, id);
}

void air_sweep(struct desk *d)
{
    DIR *dir = opendir(d->paths->air);
    if (!dir)
        return;
    for (struct dirent *e; (e = readdir(dir));) {
        if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, "..") ||
            may_be_in_air(d->show, e->d_name))
            continue;
        if (unlinkat(dirfd(dir), e->d_name, 0))
            log_error("desk", "air/%s was never cleared and cannot be removed", e->d_name);
        else
            log_warn("desk", "air/%s was not cleared and was removed", e->d_name);
    }
    closedir(dir);
}

void air_next(struct desk *d)
{
    const struct show *s = d->show;
    if (d->airing || s->panic || s->store_failed || clock_mono_ms() < d->wait_stage_until ||
        !d->ops->stage_free(d->user))
        return;
    const struct prompt *p = show_first(s, PROMPT_CLEARED);
    while (p && change_staged(d, p->id)->state != PROMPT_CLEARED)
        p = show_next(s, p);
    if (!p)
        return;
    struct change *c = change_begin(d, p->id, "system", "on air", (struct answer){0});
    if (!c)
        return;
    d->airing = p->id;
    c->after.state = PROMPT_AIRING;
    change_stage(d, c, NULL, "");
}

void desk_on_air(struct desk *d, int64_t id)
{
    const struct prompt *p = show_find(d->show, id);
    if (p)
        log_info("desk", "#%lld is on air", (long long)id);
}

void desk_off_air(struct desk *d, int64_t id, bool seen, const char *why)
{
    const struct prompt *p = change_staged(d, id);
    if (!p || p->state != PROMPT_AIRING)
        return;
    struct change *c = change_begin(d, id, "system", seen ? "aired" : "unseen", (struct answer){0});
    if (!c)
        return;
    c->must = true;
    c->after.state = seen ? PROMPT_AIRED : PROMPT_CLEARED;
    str_copy(c->after.reason, sizeof c->after.reason, why);
    if (seen)
        c->after.aired_utc = clock_utc_ms();
    else
        d->wait_stage_until = clock_mono_ms() + STAGE_REST_MS;
    struct store_op *op = NULL;
    if (seen && c->after.hidden && (op = change_op(d, c, STORE_PROMPT)))
        air_expel(d, op, &c->after);
    if (op || !(seen && c->after.hidden))
        change_stage(d, c, op, why);
}

void air_follow(struct desk *d, const struct change *c, const struct store_result *r)
{
    const struct prompt *p = &c->after;
    if (r->file_err && p->state == PROMPT_CLEARED) {
        struct change *back = change_begin(d, p->id, "system", "unlink", (struct answer){0});
        log_error("desk", "#%lld cannot be aired: %s", (long long)p->id, fault_text(&r->fault));
        if (back) {
            back->must = true;
            back->after.state = PROMPT_REVIEW;
            back->after.check_failed = true;
            str_copy(back->after.check, sizeof back->after.check, fault_text(&r->fault));
            change_stage(d, back, NULL, "no link");
        }
        return;
    }
    if (c->before.state == p->state)
        return;
    if (p->state == PROMPT_CLEARED && c->before.state == PROMPT_REVIEW) {
        const struct prompt *now = show_find(d->show, p->id);
        if (now && c->before.changed_mono)
            eta_add(&d->show->eta, ETA_REVIEW, clock_mono_ms() - c->before.changed_mono);
    }
    if (p->state == PROMPT_AIRING) {
        if (d->show->panic) /* it came while the commit was on its way */
            desk_off_air(d, p->id, false, "panic");
        else if (change_staged(d, p->id)->state == PROMPT_AIRING)
            d->ops->air(d->user, p);
    }
    if (c->before.state == PROMPT_AIRING) {
        if (d->airing == p->id)
            d->airing = 0;
        if (p->state == PROMPT_AIRED) {
            eta_add(&d->show->eta, ETA_AIR, p->clip_ms);
            d->show->aired++;
        }
    }
}
