/* Held prompts, oldest first, and the ready queue in the order in which it will be drawn. */
#include "tui/view.h"

#include "base/text.h"
#include "show/queue.h"

#include <stdio.h>
#include <string.h>

/* A cursor over one row's columns. */
struct row {
    struct grid *g;
    int x, end, y;
};

static void column(struct row *r, int cells, struct ink ink, const char *s)
{
    int room = r->end - r->x;
    if (room <= 0)
        return;
    grid_text(r->g, r->x, r->y, cells < room ? cells : room, ink, s);
    r->x += cells + 1;
}

static void mark(struct tui *t, struct row *r, const struct list *l, const struct prompt *p)
{
    if (list_tagged(l, p->id))
        grid_put(r->g, r->x, r->y, *frame_ink(t, LOOK_TAG), frame_glyph(t, GLYPH_TAGGED), 1);
    r->x += 1;
}

static void id_column(struct tui *t, struct row *r, int width, const struct prompt *p)
{
    char id[24], padded[32];
    snprintf(id, sizeof id, "#%lld", (long long)p->id);
    snprintf(padded, sizeof padded, "%*s", width, id);
    column(r, width, *frame_ink(t, LOOK_ID), padded);
}

/* Columns that the widest of the visible ids takes. */
static int id_width(const struct list *l, int rows)
{
    int w = 3;
    char id[24];
    for (int i = l->top; i < l->count && i < l->top + rows; i++) {
        int n = snprintf(id, sizeof id, "#%lld", (long long)l->item[i]->id);
        if (n > w)
            w = n;
    }
    return w;
}

static int name_width(int w)
{
    return w >= 90 ? 16 : w >= 60 ? 12 : w >= 44 ? 10 : 8;
}

static struct rect open_frame(struct tui *t, struct grid *g, struct rect r, enum pane pane,
                              const char *title)
{
    struct list *l = &t->list[pane];
    char note[160] = "";
    bool framed = r.h >= 3 && r.w >= 44;
    if (l->tags)
        snprintf(note, sizeof note, "%d tagged", l->tags);
    if (t->filter[0])
        snprintf(note + strlen(note), sizeof note - strlen(note), "%sfilter: %.80s (%d of %d)",
                 note[0] ? ", " : "", t->filter, l->count, l->all);
    struct rect in = frame_draw(t, g, r, framed, t->focus == pane, title, l->all, note);
    list_show(l, in.h);
    if (framed)
        frame_scrollbar(t, g, in, l->top, in.h, l->count);
    return in;
}

static void nothing(struct tui *t, struct grid *g, struct rect in, const char *words)
{
    grid_text(g, in.x + 2, in.y, in.w - 3, *frame_ink(t, LOOK_DIM), words);
}

static void held_row(struct tui *t, struct row r, int w, int ids, const struct prompt *p)
{
    char age[16], padded[24];
    mark(t, &r, &t->list[PANE_HELD], p);
    id_column(t, &r, ids, p);
    if (w >= 44)
        column(&r, 3, *frame_ink(t, LOOK_PLATFORM), frame_platform(p->viewer.platform));
    column(&r, name_width(w), *frame_ink(t, LOOK_NAME), p->viewer.name);
    frame_age(age, t->now.mono_ms - p->created_mono);
    snprintf(padded, sizeof padded, "%3s", age);
    if (w >= 36)
        column(&r, 3, *frame_ink(t, LOOK_DIM), padded);
    if (p->style[0] && w >= 96)
        column(&r, 10, *frame_ink(t, LOOK_STYLE), p->style);
    if (p->reason[0] && w >= 60 && r.end - r.x > 40) { /* why it is held, when a rule says so */
        int n = text_cells(p->reason);
        n = n > 16 ? 16 : n;
        grid_text(r.g, r.end - n, r.y, n, *frame_ink(t, LOOK_WARN), p->reason);
        r.end -= n + 1;
    }
    column(&r, r.end - r.x, *frame_ink(t, LOOK_TEXT), p->text);
}

void view_held(struct tui *t, struct grid *g, struct rect r)
{
    const struct list *l = &t->list[PANE_HELD];
    struct rect in = open_frame(t, g, r, PANE_HELD, "1 Held");
    int ids = id_width(l, in.h);
    for (int i = 0; i < in.h && l->top + i < l->count; i++) {
        const struct prompt *p = l->item[l->top + i];
        held_row(t, (struct row){g, in.x + 1, in.x + in.w, in.y + i}, in.w, ids, p);
        frame_row(t, g, in, in.y + i, p->id == l->id, t->focus == PANE_HELD);
    }
    if (!l->count)
        nothing(t, g, in,
                t->filter[0] && l->all ? "nothing matches the filter"
                : t->show->open        ? "nobody waits; chat asks with !anime"
                                       : "submissions are closed (o opens them)");
}

static void ready_row(struct tui *t, struct row r, int w, int ids, int position,
                      const struct prompt *p)
{
    char text[48], range[32] = "";
    struct eta_range eta;
    mark(t, &r, &t->list[PANE_READY], p);
    snprintf(text, sizeof text, "%2d", position);
    column(&r, 2, *frame_ink(t, LOOK_NUMBER), text);
    id_column(t, &r, ids, p);
    column(&r, name_width(w), *frame_ink(t, LOOK_NAME), p->viewer.name);
    if (w >= 44) {
        if (queue_eta_at(t->show, p, position, &eta))
            frame_range(range, &eta);
        snprintf(text, sizeof text, "%9s", range);
        column(&r, 9, *frame_ink(t, LOOK_DIM), text);
    }
    if (p->priority) {
        snprintf(text, sizeof text, "pri%+d", p->priority);
        column(&r, 5, *frame_ink(t, LOOK_WARN), text);
    }
    if (p->votes) {
        snprintf(text, sizeof text, "%s%d", frame_glyph(t, GLYPH_UP), p->votes);
        column(&r, (int)text_cells(text), *frame_ink(t, LOOK_GOOD), text);
    }
    column(&r, r.end - r.x, *frame_ink(t, LOOK_TEXT), p->text);
}

void view_ready(struct tui *t, struct grid *g, struct rect r)
{
    const struct list *l = &t->list[PANE_READY];
    struct rect in = open_frame(t, g, r, PANE_READY, "2 Ready");
    int ids = id_width(l, in.h);
    for (int i = 0; i < in.h && l->top + i < l->count; i++) {
        const struct prompt *p = l->item[l->top + i];
        int position = t->filter[0] ? queue_position(t->show, p, t->now.mono_ms) : l->top + i + 1;
        ready_row(t, (struct row){g, in.x + 1, in.x + in.w, in.y + i}, in.w, ids, position, p);
        frame_row(t, g, in, in.y + i, p->id == l->id, t->focus == PANE_READY);
    }
    if (!l->count)
        nothing(t, g, in,
                t->filter[0] && l->all ? "nothing matches the filter" : "nothing is approved yet");
}
