#include "obs/screen.h"

#include "base/buf.h"
#include "base/clock.h"
#include "obs/design.h"

#include <stdlib.h>
#include <string.h>

/* One that waits for the next turn of the loop. */
struct call {
    struct call *next;
    screen_fn *fn;
    screen_play_fn *play;
    uint64_t tag;
    int slot;
};

struct null_screen {
    struct screen base;
    struct timer *turn;         /* answers what waits */
    struct call *calls, **last; /* in the order that they came */
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
    struct call *kept = malloc(sizeof *kept);
    if (!kept)
        return;
    *kept = c;
    *s->last = kept;
    s->last = &kept->next;
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
    struct call *c = s->calls, *next;
    s->calls = NULL;
    s->last = &s->calls;
    if (!s->up) {
        struct screen_truth t = {.live = -1, .empty = true};
        s->up = true;
        s->base.ops->on_up(s->base.user, &t);
    }
    for (; c; c = next) {
        next = c->next;
        if (c->fn)
            c->fn(s->base.user, c->tag, ERR_OK, "", 0);
        else if (c->play)
            c->play(s->base.user, c->tag, s->began_ms[c->slot] ? SCREEN_PLAYING : SCREEN_OVER,
                    cursor(s, c->slot));
        free(c);
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
    for (struct call *c = s->calls, *next; c; c = next) {
        next = c->next;
        free(c);
    }
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
    s->last = &s->calls;
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
