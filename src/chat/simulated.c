#include "base/clock.h"
#include "chat/audience.h"
#include "chat/source.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The audience of chat/audience on the loop: its lines at their times, the show's replies back. */

#define CHANNEL "#simulated"

struct simulated {
    struct source base;
    struct audience *audience;
    struct timer *timer;
    struct audience_line next;
    uint64_t serial;
};

static void wait_for_next(struct simulated *s)
{
    audience_next(s->audience, &s->next);
    timer_start(s->timer, s->next.after_ms, 0);
}

static void on_time(void *user)
{
    struct simulated *s = user;
    struct audience_line l = s->next;
    char msgid[32];
    snprintf(msgid, sizeof msgid, "sim-%llu", (unsigned long long)++s->serial);
    bool first = !s->base.heard_ms;
    s->base.heard_ms = clock_mono_ms();
    wait_for_next(s);
    if (first)
        source_changed(&s->base, "");
    source_line(&s->base, &l.who, CHANNEL, msgid, l.text, strlen(l.text), clock_utc_ms());
}

static void simulated_stop(struct source *src)
{
    struct simulated *s = (struct simulated *)src;
    timer_free(s->timer);
    audience_free(s->audience);
    free(s);
}

static struct source *simulated_start(struct loop *l, const struct chat_settings *set,
                                      struct fault *f)
{
    struct simulated *s = calloc(1, sizeof *s);
    if (!s)
        goto fail;
    s->audience = audience_new(set->seed, set->rate);
    s->timer = timer_new(l, "simulated chat", on_time, s);
    if (!s->audience || !s->timer)
        goto fail;
    snprintf(s->base.where, sizeof s->base.where, "simulated, seed %llu",
             (unsigned long long)set->seed);
    wait_for_next(s);
    return &s->base;
fail:
    fault_set(f, ERR_NOMEM, "cannot simulate a chat: out of memory");
    if (s)
        simulated_stop(&s->base);
    return NULL;
}

static bool simulated_send(struct source *src, const char *line, const char *parent)
{
    (void)parent;
    audience_hears(((struct simulated *)src)->audience, line);
    return true;
}

static bool simulated_ready(const struct source *src)
{
    (void)src;
    return true;
}

static void simulated_status(const struct source *src, struct chat_status *st)
{
    (void)src;
    st->connected = true;
    st->heard_ms = clock_mono_ms(); /* it is never deaf */
}

static void simulated_limits(const struct source *src, struct outbox_limits *limits)
{
    (void)src;
    *limits = (struct outbox_limits){.burst = 20,
                                     .window_ms = 30000,
                                     .gap_ms = 1000,
                                     .stale_ms = 60000,
                                     .queue = 64,
                                     .bytes = 400};
}

const struct chat_source_ops simulated_ops = {.kind = "simulated",
                                              .start = simulated_start,
                                              .stop = simulated_stop,
                                              .send = simulated_send,
                                              .ready = simulated_ready,
                                              .status = simulated_status,
                                              .limits = simulated_limits};
