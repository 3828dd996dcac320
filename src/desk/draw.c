/* From APPROVED through the engine to REVIEW. */
#include "desk/change.h"

#include "base/clock.h"
#include "base/log.h"
#include "show/queue.h"

#include <stdio.h>
#include <string.h>

#define WORKER_DEATHS_MAX 2

void desk_clip_path(const struct desk *d, const struct prompt *p, char *out)
{
    out[0] = '\0';
    if (p->clip[0] && path_join(out, PATH_LEN, d->paths->vault, p->clip))
        out[0] = '\0';
}

void draw_next(struct desk *d)
{
    const struct show *s = d->show;
    if (d->drawing || d->ending || s->paused || s->panic || s->disk_low || s->store_failed ||
        !d->ops->engine_free(d->user))
        return;
    const struct prompt *p = d->retry ? show_find(s, d->retry) : NULL;
    if (!p || p->state != PROMPT_APPROVED)
        p = queue_next(s, clock_mono_ms());
    /* a decision about it may be on its way: its outcome calls here again */
    if (!p || change_staged(d, p->id)->state != PROMPT_APPROVED)
        return;
    struct change *c = change_begin(d, p->id, "system", "draw", (struct answer){0});
    if (!c)
        return;
    d->retry = 0;
    d->drawing = p->id;
    c->after.state = PROMPT_GENERATING;
    c->after.draws++;
    snprintf(c->after.clip, sizeof c->after.clip, "%06lld-%d.mp4", (long long)p->id,
             c->after.draws);
    change_stage(d, c, NULL, "");
}

/* The engine's news about a job that is not GENERATING any more is no news. */
static struct change *job_change(struct desk *d, int64_t id, const char *what)
{
    const struct prompt *p = change_staged(d, id);
    if (!p || p->state != PROMPT_GENERATING)
        return NULL;
    struct change *c = change_begin(d, id, "system", what, (struct answer){0});
    if (c)
        c->must = c->news = true;
    return c;
}

void desk_drawn(struct desk *d, int64_t id, const struct desk_clip *clip)
{
    struct change *c = job_change(d, id, "drawn");
    if (!c)
        return;
    c->after.state = PROMPT_REVIEW;
    c->after.worker_deaths = c->after.show_deaths = 0;
    c->after.clip_ms = clip->duration_ms;
    c->after.drawn_ms = clip->drawn_ms;
    c->after.check_failed = clip->check_failed;
    c->after.reason[0] = '\0';
    str_copy(c->after.sha256, sizeof c->after.sha256, clip->sha256);
    str_copy(c->after.check, sizeof c->after.check, clip->check);
    change_stage(d, c, NULL, clip->check);
}

void desk_draw_failed(struct desk *d, int64_t id, const char *why)
{
    struct change *c = job_change(d, id, "fail");
    if (!c)
        return;
    c->after.state = PROMPT_FAILED;
    str_copy(c->after.reason, sizeof c->after.reason, why);
    log_warn("desk", "#%lld failed: %s", (long long)id, why);
    change_stage(d, c, NULL, why);
}

void desk_draw_cancelled(struct desk *d, int64_t id)
{
    struct change *c = job_change(d, id, "cancel");
    if (!c)
        return;
    c->after.state = PROMPT_CANCELLED;
    change_stage(d, c, NULL, "cancelled in the engine");
}

void desk_worker_died(struct desk *d, int64_t id, const char *why)
{
    struct change *c = id ? job_change(d, id, "worker died") : NULL;
    if (!c)
        return;
    bool poison = ++c->after.worker_deaths >= WORKER_DEATHS_MAX;
    c->after.state = poison ? PROMPT_QUARANTINED : PROMPT_APPROVED;
    snprintf(c->after.reason, sizeof c->after.reason, "%d worker%s died while drawing it: %.120s",
             c->after.worker_deaths, poison ? "s" : "", why);
    log_warn("desk", "#%lld: %s", (long long)id, c->after.reason);
    if (!poison)
        d->retry = id;
    change_stage(d, c, NULL, why);
}

void draw_follow(struct desk *d, const struct change *c, const struct store_result *r)
{
    const struct prompt *p = &c->after;
    (void)r;
    if (c->before.state == p->state)
        return;
    if (c->before.state == PROMPT_GENERATING && d->drawing == p->id) {
        d->drawing = 0;
        if (!c->news)
            d->ops->stop_drawing(d->user, p->id);
    }
    if (p->state == PROMPT_GENERATING && !d->ending) { /* desk_finish() puts it back */
        const struct style *style = style_find(&d->show->styles, p->style);
        d->ops->draw(d->user, p, style ? style : style_find(&d->show->styles, ""));
    }
    if (p->state == PROMPT_REVIEW && c->before.state == PROMPT_GENERATING && c->news) {
        eta_add(&d->show->eta, ETA_DRAW, p->drawn_ms);
        if (d->show->set.clip_gate == GATE_AUTO && !p->check_failed)
            desk_decide(d, DESK_AIR, p->id, "auto", "gates.clip = \"auto\"", (struct answer){0});
    }
}
