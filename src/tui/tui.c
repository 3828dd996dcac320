#include "tui/view.h"

#include "base/buf.h"
#include "show/queue.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct tui *tui_new(const struct show *show, const struct commands *commands,
                    const struct look *look, const struct tui_ops *ops, void *user)
{
    struct tui *t = calloc(1, sizeof *t);
    if (!t)
        return NULL;
    t->show = show;
    t->commands = commands;
    t->look = *look;
    t->ops = ops;
    t->user = user;
    t->forced_ms = t->bang_ms = t->message_ms = INT64_MIN / 2;
    for (int i = 0; i < TYPED_KEYS; i++)
        t->typed[i] = INT64_MIN / 2;
    t->touched = true;
    ring_init(&t->ring);
    return t;
}

void tui_free(struct tui *t)
{
    if (!t)
        return;
    line_forget(&t->history);
    ring_free(&t->ring);
    free(t);
}

/* ---- what there is to see ---- */

static void take(struct tui *t, struct list *l, const struct prompt *p)
{
    l->all++;
    if (list_filter(p, t->filter))
        list_add(l, p);
}

static void settle(struct tui *t, enum pane pane)
{
    struct list *l = &t->list[pane];
    int64_t was = l->id;
    if (list_settle(l) && pane == t->focus && was != t->acted_id)
        t->forced_ms = t->now.mono_ms;
}

void tui_gather(struct tui *t)
{
    static const enum prompt_state state[] = {
        [PANE_HELD] = PROMPT_HELD, [PANE_READY] = PROMPT_APPROVED, [PANE_REVIEW] = PROMPT_REVIEW};
    for (int i = PANE_HELD; i <= PANE_REVIEW; i++)
        list_clear(&t->list[i]);
    for (int i = PANE_HELD; i <= PANE_REVIEW; i += 2)
        for (const struct prompt *p = show_first(t->show, state[i]); p; p = show_next(t->show, p))
            take(t, &t->list[i], p);
    struct list *ready = &t->list[PANE_READY];
    const struct prompt *order[LIST_MAX];
    int n = queue_order(t->show, t->now.mono_ms, false, order, LIST_MAX);
    for (int i = 0; i < n && i < LIST_MAX; i++)
        take(t, ready, order[i]);
    ready->all = n;
    for (int i = PANE_HELD; i <= PANE_REVIEW; i++)
        settle(t, (enum pane)i);
}

const struct prompt *tui_subject(const struct tui *t)
{
    if (t->overlay == OVERLAY_INSPECT)
        return show_find(t->show, t->inspected);
    if (t->focus <= PANE_REVIEW)
        return list_selected(&t->list[t->focus]);
    return t->focus == PANE_NOW ? show_first(t->show, PROMPT_GENERATING) : NULL;
}

void tui_focus(struct tui *t, enum pane p)
{
    t->focus = p;
    if (p != PANE_LOG)
        t->log_back = 0;
}

void tui_say(struct tui *t, enum log_level level, const char *text, struct tui_time now)
{
    str_copy(t->message, sizeof t->message, text);
    t->message[strcspn(t->message, "\n")] = '\0';
    t->message_level = level;
    t->message_ms = now.mono_ms;
    t->touched = true;
}

/* ---- keys ---- */

/* A hand does not type more than TYPED_KEYS keys in TYPED_MS: a paste into the wrong window does.
 * What is too fast does nothing until it stops, and closes an input line that it opened itself. */
static bool too_fast(struct tui *t, const char *key)
{
    enum view_key view = keys_find_view(key);
    int64_t now = t->now.mono_ms;
    bool asking = t->asking != ASK_NOTHING, fast;
    if (t->typed_too_fast && now - t->typed_last <= TYPED_MS && !strcmp(key, "Enter"))
        return true;
    if (!line_printable(key) || (!asking && view < VIEW_KEY_COUNT && keys_view(view)->moves))
        return false;
    if (t->typed_too_fast && now - t->typed_last > TYPED_MS)
        t->typed_too_fast = false;
    t->typed_last = now;
    fast = now - t->typed[t->typed_at] < TYPED_MS;
    t->typed[t->typed_at] = now;
    t->typed_at = (t->typed_at + 1) % TYPED_KEYS;
    if (asking && now - t->asked_ms >= TYPED_MS)
        return false; /* a quick hand, or a macro, in a line that was open before */
    if (fast && !t->typed_too_fast) {
        t->typed_too_fast = true;
        t->asking = ASK_NOTHING;
        tui_say(t, LOG_WARN, "keys came faster than a hand types; they were ignored", t->now);
    }
    return t->typed_too_fast;
}

static bool panic_key(struct tui *t, const char *key)
{
    const struct command *panic = command_find(t->commands, "panic");
    bool typed = t->asking != ASK_NOTHING;
    if (panic && !strcmp(panic->key, key)) {
        act_run(t, "panic");
        return true;
    }
    if (typed || strcmp(key, "!")) {
        t->bang_ms = INT64_MIN / 2;
        return false;
    }
    if (t->now.mono_ms - t->bang_ms < 1000)
        act_run(t, "panic");
    t->bang_ms = t->now.mono_ms;
    return true;
}

void tui_key(struct tui *t, const char *key, struct tui_time now)
{
    t->now = now;
    t->touched = true;
    tui_gather(t);
    if (panic_key(t, key))
        return;
    if (too_fast(t, key))
        return;
    if (t->asking != ASK_NOTHING) {
        act_input(t, key);
        return;
    }
    enum view_key view = keys_find_view(key);
    if (view < VIEW_KEY_COUNT) {
        act_view(t, view);
        return;
    }
    const struct command *row = keys_find_command(t->commands, key);
    if (row)
        act_command(t, row);
}

void tui_paste(struct tui *t, const char *text, size_t n, struct tui_time now)
{
    t->now = now;
    if (t->asking == ASK_NOTHING || t->asking == ASK_YES)
        tui_say(t, LOG_WARN, "pasted text was ignored: nothing asks for text here", now);
    else
        line_insert(&t->line, text, n);
    t->touched = true;
}

/* ---- drawing ---- */

void tui_touch(struct tui *t)
{
    t->touched = true;
}

bool tui_dirty(const struct tui *t)
{
    return t->touched || t->drawn_show != t->show->version || t->drawn_ring != t->ring.version;
}

static void sample_rates(struct tui *t)
{
    int newest = (t->rate_at + RATE_SAMPLES - 1) % RATE_SAMPLES;
    if (t->rate_count && t->now.mono_ms - t->rate[0][newest].mono_ms < 1000)
        return;
    for (int i = 0; i < CHAT_SOURCES_MAX; i++) {
        t->rate[i][t->rate_at].mono_ms = t->now.mono_ms;
        t->rate[i][t->rate_at].lines = t->show->chat[i].lines;
    }
    t->rate_at = (t->rate_at + 1) % RATE_SAMPLES;
    if (t->rate_count < RATE_SAMPLES)
        t->rate_count++;
}

typedef void view_fn(struct tui *t, struct grid *g, struct rect r);

static void draw_if(struct tui *t, struct grid *g, struct rect r, view_fn *fn)
{
    if (r.w > 0 && r.h > 0)
        fn(t, g, r);
}

static void draw_body(struct tui *t, struct grid *g, const struct layout *l)
{
    static view_fn *const views[PANES] = {[PANE_HELD] = view_held,
                                          [PANE_READY] = view_ready,
                                          [PANE_REVIEW] = view_review,
                                          [PANE_NOW] = view_now,
                                          [PANE_LOG] = view_log};
    for (int i = 0; i < PANES; i++)
        draw_if(t, g, l->pane[i], views[i]);
    draw_if(t, g, l->inspector, view_inspector);
    draw_if(t, g, l->program, view_program);
}

static struct rect overlay_rect(const struct layout *l)
{
    struct rect r = l->body;
    if (r.w >= 124) {
        r.x += (r.w - 96) / 2;
        r.w = 96;
    }
    return r;
}

void tui_draw(struct tui *t, struct grid *g, struct tui_time now)
{
    struct layout l = layout_make(g->w, g->h, t->focus);
    struct ink plain = {COLOUR_DEFAULT, COLOUR_DEFAULT, 0};
    t->now = now;
    tui_gather(t);
    sample_rates(t);
    grid_clear(g, plain);
    if (l.kind == LAYOUT_NONE) {
        grid_text(g, 0, 0, g->w, plain, t->show->panic ? "PANIC" : "too small");
    } else {
        draw_if(t, g, l.lamps, view_lamps);
        draw_body(t, g, &l);
        if (t->overlay != OVERLAY_NONE) {
            struct rect r = overlay_rect(&l);
            grid_fill(g, r, plain);
            draw_if(t, g, r, t->overlay == OVERLAY_HELP ? view_help : view_inspector);
        }
        draw_if(t, g, l.footer, view_footer);
        draw_if(t, g, l.message, view_message);
    }
    if (!l.pane[PANE_REVIEW].w)
        t->ops->review(t->user, 0, 0, 0);
    t->touched = false;
    t->drawn_show = t->show->version;
    t->drawn_ring = t->ring.version;
}
