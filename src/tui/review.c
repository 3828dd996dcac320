/* Clips that were drawn and wait for the operator: gate 2. The selected one plays. */
#include "tui/view.h"

#include "base/text.h"

#include <stdio.h>
#include <string.h>

static void row(struct tui *t, struct grid *g, struct rect in, int y, const struct prompt *p)
{
    int x = in.x + 1, end = in.x + in.w;
    char length[16];
    if (list_tagged(&t->list[PANE_REVIEW], p->id))
        grid_put(g, x, y, *frame_ink(t, LOOK_TAG), frame_glyph(t, GLYPH_TAGGED), 1);
    x++;
    x += grid_textf(g, x, y, end - x, *frame_ink(t, LOOK_ID), "#%lld ", (long long)p->id);
    x += grid_textf(g, x, y, end - x < 13 ? end - x : 13, *frame_ink(t, LOOK_NAME), "%s ",
                    p->viewer.name);
    frame_duration(length, p->clip_ms);
    x += grid_textf(g, x, y, end - x, *frame_ink(t, LOOK_DIM), "%s ", length);
    if (p->check_failed)
        x += grid_textf(g, x, y, end - x, *frame_ink(t, LOOK_BAD), "%s ", frame_glyph(t, GLYPH_NO));
    else
        x +=
            grid_textf(g, x, y, end - x, *frame_ink(t, LOOK_GOOD), "%s ", frame_glyph(t, GLYPH_OK));
    if (p->favourite)
        x += grid_textf(g, x, y, end - x, *frame_ink(t, LOOK_BAR), "%s ",
                        frame_glyph(t, GLYPH_HEART));
    grid_text(g, x, y, end - x, *frame_ink(t, LOOK_TEXT), p->text);
}

static int rows(struct tui *t, struct grid *g, struct rect in, int most)
{
    struct list *l = &t->list[PANE_REVIEW];
    int n = l->count < most ? l->count : most;
    list_show(l, n);
    for (int i = 0; i < n && l->top + i < l->count; i++) {
        const struct prompt *p = l->item[l->top + i];
        row(t, g, in, in.y + i, p);
        frame_row(t, g, in, in.y + i, p->id == l->id, t->focus == PANE_REVIEW);
    }
    return n;
}

/* Where the picture leaves room, what was asked, to judge the clip by. */
static void caption(struct tui *t, struct grid *g, struct rect r, const struct prompt *p)
{
    if (r.h < 3)
        return;
    int lines = grid_wrap(g, (struct rect){r.x, r.y + 1, r.w, r.h - 2}, *frame_ink(t, LOOK_TEXT),
                          p->text, 0);
    int x = r.x, y = r.y + 1 + (lines < r.h - 2 ? lines : r.h - 2);
    x += grid_textf(g, x, y, r.w, *frame_ink(t, LOOK_NAME), "%s  ", p->viewer.name);
    grid_textf(g, x, y, r.x + r.w - x, *frame_ink(t, LOOK_STYLE), "%s", p->style);
}

/* The picture and, under or beside it, what the checks said. */
static void clip(struct tui *t, struct grid *g, struct rect in, const struct prompt *p)
{
    const struct picture *pic = &t->show->review;
    struct rect words = {in.x + 1, in.y, in.w - 2, in.h};
    if (p->check_failed) {
        char text[300];
        snprintf(text, sizeof text, "%s failed: %s", frame_glyph(t, GLYPH_NO), p->check);
        int n = grid_wrap(g, (struct rect){words.x, words.y, words.w, in.h > 2 ? 2 : in.h},
                          *frame_ink(t, LOOK_BAD), text, 0);
        n = n > 2 ? 2 : n;
        in.y += n;
        in.h -= n;
    }
    struct rect to = {in.x + 1, in.y, in.w - 2, in.h};
    int w, h;
    if (to.h < 3 || to.w < 8) {
        t->ops->review(t->user, 0, 0, 0);
        return;
    }
    frame_pixels(to, &w, &h);
    t->ops->review(t->user, p->id, w, h);
    if (pic->job == p->id &&
        frame_picture(t, g, (struct rect){to.x, to.y, to.w, h / 2}, pic, true)) {
        caption(t, g, (struct rect){to.x, to.y + h / 2, to.w, to.h - h / 2}, p);
        return;
    }
    grid_text(g, to.x, to.y, to.w, *frame_ink(t, LOOK_DIM), "the clip is being opened");
}

void view_review(struct tui *t, struct grid *g, struct rect r)
{
    struct list *l = &t->list[PANE_REVIEW];
    const struct prompt *p = list_selected(l);
    bool framed = r.h >= 3 && r.w >= 44;
    char note[64] = "";
    if (l->tags)
        snprintf(note, sizeof note, "%d tagged", l->tags);
    else if (p)
        strcpy(note, "waits for you");
    struct rect in = frame_draw(t, g, r, framed, t->focus == PANE_REVIEW, "3 Review", l->all, note);
    int most = in.h > 20 ? 6 : in.h > 12 ? 4 : in.h > 6 ? 2 : in.h > 4 ? 1 : in.h;
    int used = rows(t, g, in, most);
    if (framed)
        frame_scrollbar(t, g, (struct rect){in.x, in.y, in.w, used}, l->top, used, l->count);
    if (!p) {
        t->ops->review(t->user, 0, 0, 0);
        grid_text(g, in.x + 1, in.y, in.w - 2, *frame_ink(t, LOOK_DIM),
                  "no clip waits for a decision");
        return;
    }
    in.y += used;
    in.h -= used;
    clip(t, g, in, p);
}
