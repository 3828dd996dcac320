#include "desk/change.h"

#include "base/clock.h"
#include "base/log.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#define SHOW_DEATHS_MAX 3

struct desk *desk_new(struct show *show, struct store *store, const struct paths *paths,
                      const struct desk_ops *ops, void *user)
{
    struct desk *d = calloc(1, sizeof *d);
    if (!d)
        return NULL;
    d->show = show;
    d->store = store;
    d->paths = paths;
    d->ops = ops;
    d->user = user;
    d->tail = &d->first;
    d->next_id = 1;
    if (getrandom(&d->seed, sizeof d->seed, 0) != sizeof d->seed)
        d->seed = (uint64_t)clock_mono_us();
    return d;
}

void desk_free(struct desk *d)
{
    if (!d)
        return;
    while (d->first) {
        struct change *c = d->first;
        d->first = c->next;
        change_free(c);
    }
    while (d->must) {
        struct change *c = d->must;
        d->must = c->next;
        change_free(c);
    }
    undo_free(d);
    guard_free(d);
    free(d);
}

/* ---- recovery ---- */

static void load_one(void *user, const struct prompt *stored)
{
    struct desk *d = user;
    struct prompt p = *stored;
    int64_t now = clock_mono_ms(), age = clock_utc_ms() - p.created_utc;
    p.created_mono = now - (age > 0 ? age : 0);
    p.round = 0; /* rounds are counted from this start */
    if (show_apply(d->show, &p, "system", now))
        log_error("desk", "out of memory: #%lld was not loaded", (long long)p.id);
    struct regular *r = show_regular(d->show, &p.viewer, now);
    if (r && r->accepted_mono < p.created_mono)
        r->accepted_mono = p.created_mono; /* a restart does not end the cooldown */
    if (p.drawn_ms > 0)
        eta_add(&d->show->eta, ETA_DRAW, p.drawn_ms);
    if (p.state == PROMPT_AIRED && p.clip_ms > 0)
        eta_add(&d->show->eta, ETA_AIR, p.clip_ms);
}

/* One rule a state. */
static void mend(struct desk *d)
{
    int64_t ids[64];
    int n = 0;
    const struct show *s = d->show;
    for (const struct prompt *p = show_first(s, PROMPT_GENERATING); p && n < 64;
         p = show_next(s, p))
        ids[n++] = p->id;
    for (int i = 0; i < n; i++) {
        struct change *c = change_begin(d, ids[i], "system", "recover", (struct answer){0});
        if (!c)
            continue;
        c->must = true;
        bool held = ++c->after.show_deaths >= SHOW_DEATHS_MAX;
        c->after.state = held ? PROMPT_HELD : PROMPT_APPROVED;
        snprintf(c->after.reason, sizeof c->after.reason,
                 held ? "the show died %d times while drawing it" : "drawn again after a crash",
                 c->after.show_deaths);
        if (!held)
            d->retry = ids[i];
        change_stage(d, c, NULL, c->after.reason);
    }
    n = 0;
    for (const struct prompt *p = show_first(s, PROMPT_AIRING); p && n < 64; p = show_next(s, p))
        ids[n++] = p->id;
    for (int i = 0; i < n; i++) {
        struct change *c = change_begin(d, ids[i], "system", "recover", (struct answer){0});
        if (!c)
            continue;
        c->must = true;
        c->after.state = PROMPT_AIRED;
        c->after.aired_utc = clock_utc_ms();
        str_copy(c->after.reason, sizeof c->after.reason, "it was on air when the show ended");
        change_stage(d, c, NULL, c->after.reason);
    }
    for (const struct prompt *p = show_first(s, PROMPT_CLEARED); p; p = show_next(s, p)) {
        struct change *c = change_begin(d, p->id, "system", "relink", (struct answer){0});
        if (!c)
            continue;
        c->must = c->relink = true;
        change_stage(d, c, NULL, "");
    }
}

static bool was(struct desk *d, const char *key, const char *word)
{
    char v[16];
    return !store_meta(d->store, key, v, sizeof v) && !strcmp(v, word);
}

enum err desk_recover(struct desk *d, struct fault *f)
{
    struct show *s = d->show;
    enum err e = store_load(d->store, SHOW_ENDED_KEPT, load_one, d, f);
    if (e)
        return e;
    d->next_id = store_last_id(d->store) + 1;
    guard_load(d);
    s->unclean = was(d, "running", "1");
    s->panic = was(d, "paused", "panic");
    s->open = !was(d, "closed", "1");
    s->paused = s->unclean || s->panic || was(d, "paused", "1");
    if (s->panic)
        str_copy(s->pause_why, sizeof s->pause_why, "panic; `resume` goes on");
    else if (s->unclean)
        str_copy(s->pause_why, sizeof s->pause_why,
                 "the last show ended by accident; look at the queue, then `resume`");
    else if (s->paused)
        str_copy(s->pause_why, sizeof s->pause_why, "it was paused when the show ended");
    air_sweep(d);
    mend(d);
    change_running(d, true);
    change_settle(d); /* nobody sees what the dead show was doing as if it were still done */
    d->recovered = true;
    if (s->unclean)
        log_warn("desk", "the last show ended by accident: the queue is paused");
    return ERR_OK;
}

/* What is being drawn goes back into the queue: that the show ends is no fault of the prompt. An
 * accident that nobody has looked at since (`resume`) stays one: the next show is paused too. */
void desk_finish(struct desk *d)
{
    const struct prompt *p;
    if (!d->recovered)
        return;
    d->ending = true;
    store_hurry(d->store);
    change_retry(d);
    store_drain(d->store);
    desk_committed(d);
    if ((p = show_first(d->show, PROMPT_GENERATING))) {
        struct change *c = change_begin(d, p->id, "system", "requeue", (struct answer){0});
        if (c) {
            c->must = true;
            c->after.state = PROMPT_APPROVED;
            change_stage(d, c, NULL, "the show ended");
        }
    }
    change_running(d, d->show->unclean);
    store_drain(d->store);
    desk_committed(d);
}

void desk_drive(struct desk *d)
{
    draw_next(d);
    air_next(d);
}

/* ---- open, pause, panic ---- */

static void apply_open(struct desk *d, const struct change *c)
{
    d->show->open = c->flag;
    show_changed(d->show, EVENT_OPEN, 0, clock_mono_ms());
}

void desk_open(struct desk *d, bool open, const char *who, struct answer a)
{
    struct change *c = change_note(d, who, open ? "open" : "close", a);
    if (!c)
        return;
    c->flag = open;
    c->apply = apply_open;
    c->undoable = open != !strcmp(change_switched(d, "closed", d->show->open ? "0" : "1"), "0");
    change_switch(c, "closed", open ? "0" : "1");
    str_copy(c->said, sizeof c->said, open ? "submissions are open" : "submissions are closed");
    change_stage(d, c, NULL, "");
}

static void apply_pause(struct desk *d, const struct change *c)
{
    struct show *s = d->show;
    bool had_panic = s->panic;
    s->paused = c->flag;
    if (c->flag) {
        str_copy(s->pause_why, sizeof s->pause_why, c->after.reason);
    } else {
        s->panic = false;
        s->unclean = false;
        s->pause_why[0] = '\0';
        if (had_panic) {
            d->ops->resume(d->user);
            show_changed(s, EVENT_PANIC, 0, clock_mono_ms());
        }
    }
    show_changed(s, EVENT_PAUSED, 0, clock_mono_ms());
    desk_drive(d);
}

void desk_pause(struct desk *d, const char *why, const char *who, struct answer a)
{
    struct change *c = change_note(d, who, "pause", a);
    if (!c)
        return;
    c->flag = true;
    c->apply = apply_pause;
    c->undoable = !strcmp(change_switched(d, "paused", d->show->paused ? "1" : "0"), "0");
    change_switch(c, "paused", d->show->panic ? "panic" : "1");
    str_copy(c->after.reason, sizeof c->after.reason, why);
    str_copy(c->said, sizeof c->said, "paused: no new job starts");
    change_stage(d, c, NULL, why);
}

void desk_resume(struct desk *d, const char *who, struct answer a)
{
    struct change *c = change_note(d, who, "resume", a);
    if (!c)
        return;
    c->apply = apply_pause;
    c->undoable = d->show->paused && !d->show->panic;
    change_switch(c, "paused", "0");
    str_copy(c->said, sizeof c->said, "the show goes on");
    change_stage(d, c, NULL, "");
}

void desk_panic(struct desk *d, const char *who)
{
    struct show *s = d->show;
    d->ops->panic(d->user);
    s->panic = true;
    s->paused = true;
    str_copy(s->pause_why, sizeof s->pause_why, "panic; `resume` goes on");
    log_warn("desk", "panic, called by %s", who);
    show_changed(s, EVENT_PANIC, 0, clock_mono_ms());
    show_changed(s, EVENT_PAUSED, 0, clock_mono_ms());
    struct change *c = change_note(d, who, "panic", (struct answer){0});
    if (c) {
        c->must = true;
        change_switch(c, "paused", "panic");
        change_stage(d, c, NULL, "");
    }
}

void desk_quit(struct desk *d)
{
    d->ops->quit(d->user);
}
