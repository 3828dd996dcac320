/* The airlock: from CLEARED to the audience.
 *
 * air/ is the only folder that a clip input of OBS ever points into. A clip enters it here and
 * nowhere else: air_moves() attaches the link to the very change that makes its prompt CLEARED, and
 * the store makes it after that change is committed. Only a prompt in REVIEW can become CLEARED
 * (show/prompt.c), and only a prompt that passed gate 1 gets to REVIEW. A clip leaves air/ the same
 * way, with whatever change ends its right to be there. At the start whatever lies in air/ without
 * a cleared, airing or aired prompt is removed. */
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

/* A clip that was withdrawn while it is seen stays until it has ended: the file is open. */
static bool belongs_in_air(const struct prompt *p)
{
    return p->clip[0] && (p->state == PROMPT_CLEARED || p->state == PROMPT_AIRING ||
                          (p->state == PROMPT_AIRED && !p->hidden));
}

void air_moves(const struct desk *d, const struct change *c, struct store_op *op)
{
    char from[PATH_LEN], to[PATH_LEN];
    bool was = belongs_in_air(&c->before), is = belongs_in_air(&c->after);
    desk_air_path(d, &c->before, to);
    if (is && (!was || c->relink)) {
        desk_clip_path(d, &c->after, from);
        op->link_from = strdup(from);
        op->link_to = strdup(to);
    } else if (was && !is) {
        op->unlink = strdup(to);
    }
}

/* A clip that aired before what the show remembers keeps its link: by it the disk guard knows that
 * it aired. */
static bool may_be_in_air(const struct desk *d, const char *name)
{
    int64_t id = strtoll(name, NULL, 10);
    const struct prompt *p = show_find(d->show, id);
    return p ? belongs_in_air(p) && !strcmp(p->clip, name) : store_aired(d->store, id, name);
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
        if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, "..") || may_be_in_air(d, e->d_name))
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
    /* after an accident the operator looks first: the stage may not be as the dead show left it */
    if (d->airing || d->ending || s->panic || s->unclean || s->store_failed ||
        clock_mono_ms() < d->wait_stage_until || !d->ops->stage_free(d->user))
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
    change_stage(d, c, NULL, why);
}

/* The commit is through, but the clip is not in air/: its prompt cannot stay CLEARED. */
static void no_link(struct desk *d, int64_t id, const char *why)
{
    log_error("desk", "#%lld cannot be aired: %s", (long long)id, why);
    const struct prompt *p = change_staged(d, id);
    if (!p || p->state != PROMPT_CLEARED)
        return; /* decided otherwise by now */
    struct change *c = change_begin(d, id, "system", "unlink", (struct answer){0});
    if (!c)
        return;
    c->must = true;
    c->after.state = PROMPT_REVIEW;
    c->after.check_failed = true;
    str_copy(c->after.check, sizeof c->after.check, why);
    change_stage(d, c, NULL, "no link");
}

void air_follow(struct desk *d, const struct change *c, const struct store_result *r)
{
    const struct prompt *p = &c->after;
    if (r->file_err && p->state == PROMPT_CLEARED) {
        no_link(d, p->id, fault_text(&r->fault));
        return;
    }
    if (r->file_err)
        log_error("desk", "#%lld: %s; remove it by hand", (long long)p->id, fault_text(&r->fault));
    if (c->before.state == p->state)
        return;
    if (p->state == PROMPT_CLEARED && c->before.state == PROMPT_REVIEW) {
        const struct prompt *now = show_find(d->show, p->id);
        if (now && c->before.changed_mono)
            eta_add(&d->show->eta, ETA_REVIEW, clock_mono_ms() - c->before.changed_mono);
    }
    if (p->state == PROMPT_AIRING) {
        if (d->show->panic || d->ending) /* it came while the commit was on its way */
            desk_off_air(d, p->id, false, d->ending ? "the show ended" : "panic");
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
