#include "obs/screen.h"

#include "base/buf.h"
#include "base/clock.h"
#include "obs/design.h"

#include <stdlib.h>
#include <string.h>

/* Calls wait here for the next turn of the loop: at most a load, a cut and a panic at once. */
#define CALLS_MAX 8

struct call {
    screen_fn *fn;
    screen_play_fn *play;
    uint64_t tag;
    int slot;
};

struct null_screen {
    struct screen base;
    struct timer *turn; /* answers what waits */
    struct call calls[CALLS_MAX];
    int count;
    bool up;
    int64_t began_ms[2], duration_ms[2]; /* of each slot; began 0: it does not play */
    struct timer *over[2];               /* each slot's end */
    struct over {
        struct null_screen *s;
        int slot;
    } over_arg[2];
    bool loop[2];
    struct obs_status status;
};

static void later(struct null_screen *s, struct call c)
{
    if (s->count < CALLS_MAX)
        s->calls[s->count++] = c;
    timer_start(s->turn, 0, 0);
}

static int64_t cursor(const struct null_screen *s, int slot)
{
    int64_t t = s->began_ms[slot] ? clock_mono_ms() - s->began_ms[slot] : -1;
    return t >= 0 && s->loop[slot] && s->duration_ms[slot] > 0 ? t % s->duration_ms[slot] : t;
}

static void on_turn(void *user)
{
    struct null_screen *s = user;
    struct call calls[CALLS_MAX];
    int n = s->count;
    memcpy(calls, s->calls, sizeof calls);
    s->count = 0;
    if (!s->up) {
        struct screen_truth t = {.live = -1, .empty = true};
        s->up = true;
        s->base.ops->on_up(s->base.user, &t);
    }
    for (int i = 0; i < n; i++) {
        const struct call *c = &calls[i];
        if (c->fn)
            c->fn(s->base.user, c->tag, ERR_OK, "", 0);
        else if (c->play)
            c->play(s->base.user, c->tag, s->began_ms[c->slot] ? SCREEN_PLAYING : SCREEN_OVER,
                    cursor(s, c->slot));
    }
}

static void on_over(void *user)
{
    struct over *o = user;
    o->s->began_ms[o->slot] = 0;
    o->s->base.ops->on_ended(o->s->base.user, o->slot);
}

static void load(struct screen *base, enum stage_scene in, int slot, const struct screen_clip *c,
                 screen_fn *fn, uint64_t tag)
{
    struct null_screen *s = (struct null_screen *)base;
    (void)in;
    s->duration_ms[slot] = c->duration_ms;
    s->loop[slot] = c->loop;
    later(s, (struct call){.fn = fn, .tag = tag});
}

static void cut(struct screen *base, enum stage_scene to, int slot, screen_fn *fn, uint64_t tag)
{
    struct null_screen *s = (struct null_screen *)base;
    for (int i = 0; i < 2; i++) {
        timer_stop(s->over[i]);
        s->began_ms[i] = i == slot ? clock_mono_ms() : 0;
    }
    if (slot >= 0 && !s->loop[slot])
        timer_start(s->over[slot], s->duration_ms[slot], 0);
    str_copy(s->status.scene, sizeof s->status.scene, design_scene(to));
    later(s, (struct call){.fn = fn, .tag = tag});
}

static void panic(struct screen *base, screen_fn *fn, uint64_t tag)
{
    cut(base, STAGE_STANDBY, -1, fn, tag);
}

static void play(struct screen *base, int slot, screen_play_fn *fn, uint64_t tag)
{
    later((struct null_screen *)base, (struct call){.play = fn, .tag = tag, .slot = slot});
}

static void pause(struct screen *base, int slot)
{
    struct null_screen *s = (struct null_screen *)base;
    timer_stop(s->over[slot]);
}

static void nothing(struct screen *base)
{
    (void)base;
}

static void text(struct screen *base, const char *progress, const char *queue)
{
    (void)base, (void)progress, (void)queue;
}

static void retry(struct screen *base, const char *password)
{
    (void)base, (void)password;
}

static void status(const struct screen *base, struct obs_status *out)
{
    *out = ((const struct null_screen *)base)->status;
}

static void free_screen(struct screen *base)
{
    struct null_screen *s = (struct null_screen *)base;
    timer_free(s->turn);
    timer_free(s->over[0]);
    timer_free(s->over[1]);
    free(s);
}

struct screen *screen_null_new(struct loop *l, const struct screen_ops *ops, void *user,
                               struct fault *f)
{
    static const struct screen_kind kind = {load, cut,     panic,   nothing, play,   pause,
                                            text, nothing, nothing, retry,   status, free_screen};
    struct null_screen *s = calloc(1, sizeof *s);
    if (!s) {
        fault_set(f, ERR_NOMEM, "no memory for the stage");
        return NULL;
    }
    s->base = (struct screen){&kind, ops, user};
    s->status.latency_ms = -1;
    s->turn = timer_new(l, "stage turn", on_turn, s);
    for (int i = 0; i < 2; i++) {
        s->over_arg[i] = (struct over){s, i};
        s->over[i] = timer_new(l, "stage clip", on_over, &s->over_arg[i]);
    }
    if (!s->turn || !s->over[0] || !s->over[1]) {
        fault_set(f, ERR_NOMEM, "no memory for the stage");
        free_screen(&s->base);
        return NULL;
    }
    timer_start(s->turn, 0, 0);
    return &s->base;
}
