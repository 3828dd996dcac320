/* What is drawn now, with its preview, and what is on air. */
#include "tui/view.h"

#include "base/text.h"

#include <stdio.h>
#include <string.h>

static void idle(struct tui *t, struct grid *g, struct rect in)
{
    const struct show *s = t->show;
    const char *words = "nothing is being drawn: the queue is empty";
    enum look_role role = LOOK_DIM;
    char text[400];
    if (s->panic || s->paused) {
        snprintf(text, sizeof text, "%s%s%s; `:resume` goes on", s->panic ? "panic" : "paused",
                 s->pause_why[0] ? ": " : "", s->pause_why);
        words = text;
        role = LOOK_WARN;
    } else if (s->disk_low) {
        words = "no new job starts: the disk is nearly full";
        role = LOOK_BAD;
    } else if (s->engine.state == ENGINE_DOWN) {
        snprintf(text, sizeof text, "the engine is down%s%s", s->engine.why[0] ? ": " : "",
                 s->engine.why);
        words = text;
        role = LOOK_BAD;
    } else if (s->engine.state == ENGINE_STARTING) {
        words = "the engine starts";
    }
    in.x += 1;
    in.w -= 2;
    grid_wrap(g, in, *frame_ink(t, role), words, 0);
}

static void progress(struct tui *t, struct grid *g, struct rect r)
{
    const struct engine_status *e = &t->show->engine;
    char left[16] = "", text[64];
    int64_t silent = t->now.mono_ms - e->heard_ms;
    if (e->eta_ms >= 0)
        frame_duration(left, e->eta_ms);
    if (silent > 5000) {
        frame_age(left, silent);
        snprintf(text, sizeof text, " stale %s", left);
    } else {
        snprintf(text, sizeof text, " %3d%% %s", (int)(e->progress * 100 + 0.5), left);
    }
    int n = text_cells(text), bar = r.w - n;
    if (bar > 3)
        frame_bar(t, g, r.x, r.y, bar, e->progress);
    grid_text(g, r.x + (bar > 3 ? bar : 0), r.y, n,
              *frame_ink(t, silent > 5000 ? LOOK_BAD : LOOK_NUMBER), text);
}

static void airing(struct tui *t, struct grid *g, struct rect *in)
{
    const struct show *s = t->show;
    const struct prompt *p = show_first(s, PROMPT_AIRING), *next = show_first(s, PROMPT_CLEARED);
    int y = in->y + in->h - 1;
    if (in->h < 4 || (!p && !next))
        return;
    int x = in->x + 1, end = in->x + in->w;
    if (p) {
        x += grid_textf(g, x, y, end - x, *frame_ink(t, LOOK_BAD), "%s on air ",
                        frame_glyph(t, GLYPH_DOT));
    } else {
        x += grid_text(g, x, y, end - x, *frame_ink(t, LOOK_GOOD), "next on air ");
        p = next;
    }
    x += grid_textf(g, x, y, end - x, *frame_ink(t, LOOK_ID), "#%lld ", (long long)p->id);
    x += grid_textf(g, x, y, end - x, *frame_ink(t, LOOK_NAME), "%s ", p->viewer.name);
    grid_text(g, x, y, end - x, *frame_ink(t, LOOK_TEXT), p->text);
    in->h--;
}

static void words(struct tui *t, struct grid *g, struct rect r, const struct prompt *p)
{
    const struct engine_status *e = &t->show->engine;
    int x = r.x, end = r.x + r.w;
    if (r.w < 8 || r.h < 1)
        return;
    x += grid_textf(g, x, r.y, end - x, *frame_ink(t, LOOK_ID), "#%lld ", (long long)p->id);
    x += grid_textf(g, x, r.y, end - x, *frame_ink(t, LOOK_NAME), "%s  ", p->viewer.name);
    grid_text(g, x, r.y, end - x, *frame_ink(t, LOOK_STYLE), p->style);
    if (r.h >= 2)
        progress(t, g, (struct rect){r.x, r.y + r.h - 1, r.w, 1});
    if (r.h >= 4)
        grid_textf(g, r.x, r.y + r.h - 2, r.w, *frame_ink(t, LOOK_DIM), "%s  seed %llu", e->stage,
                   (unsigned long long)p->seed);
    if (r.h >= 3)
        grid_wrap(g, (struct rect){r.x, r.y + 1, r.w, r.h - (r.h >= 4 ? 3 : 2)},
                  *frame_ink(t, LOOK_TEXT), p->text, 0);
}

void view_now(struct tui *t, struct grid *g, struct rect r)
{
    const struct show *s = t->show;
    const struct prompt *p = show_first(s, PROMPT_GENERATING);
    bool framed = r.h >= 3 && r.w >= 44;
    struct rect in = frame_draw(t, g, r, framed, t->focus == PANE_NOW, "4 Now", -1,
                                p ? s->engine.kind : engine_state_name(s->engine.state));
    airing(t, g, &in);
    if (!p) {
        idle(t, g, in);
        return;
    }
    in.x += 1;
    in.w -= 2;
    struct rect left = {in.x, in.y, in.w * 3 / 5, in.h};
    int took = s->preview.job == p->id ? frame_picture(t, g, left, &s->preview, false) : 0;
    if (took)
        took += 2;
    words(t, g, (struct rect){in.x + took, in.y, in.w - took, in.h}, p);
}

void view_program(struct tui *t, struct grid *g, struct rect r)
{
    const struct obs_status *o = &t->show->obs;
    struct rect in = frame_draw(t, g, r, true, false, "Program", -1,
                                o->connected ? o->scene : stage_scene_name(o->stage));
    if (frame_picture(t, g, in, &t->show->program, true))
        return;
    in.x += 1;
    in.w -= 2;
    grid_wrap(g, in, *frame_ink(t, LOOK_DIM),
              !o->configured ? "nobody watches: show.lua names no OBS"
              : o->connected ? "no picture of the program yet"
              : o->why[0]    ? o->why
                             : "OBS is not connected",
              0);
}
