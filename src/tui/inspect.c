/* Everything about one prompt, and why it stands where it stands. */
#include "tui/view.h"

#include "base/text.h"
#include "show/queue.h"

#include <stdio.h>
#include <string.h>

struct sheet {
    struct tui *t;
    struct grid *g;
    struct rect r;
    int y, skip;
};

static void paragraph(struct sheet *s, enum look_role role, const char *text)
{
    int lines = grid_wrap(s->g, (struct rect){0, 0, s->r.w, 0}, *frame_ink(s->t, role), text, 0);
    int hidden = s->y < s->skip ? s->skip - s->y : 0;
    int at = s->y - s->skip + hidden;
    if (hidden < lines && at < s->r.h)
        grid_wrap(s->g, (struct rect){s->r.x, s->r.y + at, s->r.w, s->r.h - at},
                  *frame_ink(s->t, role), text, hidden);
    s->y += lines;
}

static void field(struct sheet *s, const char *name, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
static void field(struct sheet *s, const char *name, const char *fmt, ...)
{
    char value[400];
    va_list ap;
    int y = s->y++ - s->skip;
    va_start(ap, fmt);
    vsnprintf(value, sizeof value, fmt, ap);
    va_end(ap);
    if (y < 0 || y >= s->r.h)
        return;
    grid_text(s->g, s->r.x, s->r.y + y, 10, *frame_ink(s->t, LOOK_DIM), name);
    grid_text(s->g, s->r.x + 11, s->r.y + y, s->r.w - 11, *frame_ink(s->t, LOOK_TEXT), value);
}

static void clip_fields(struct sheet *s, const struct prompt *p)
{
    char length[16], drawn[16];
    if (!p->clip[0])
        return;
    frame_duration(length, p->clip_ms);
    frame_duration(drawn, p->drawn_ms);
    field(s, "clip", "%s", p->clip);
    if (p->clip_ms)
        field(s, "length", "%s, drawn in %s", length, drawn);
    if (p->check_failed)
        paragraph(s, LOOK_BAD, p->check);
    if (p->sha256[0])
        field(s, "frames", "sha256 %.16s…", p->sha256);
}

void view_inspector(struct tui *t, struct grid *g, struct rect r)
{
    bool overlay = t->overlay == OVERLAY_INSPECT;
    const struct prompt *p = overlay ? show_find(t->show, t->inspected) : tui_subject(t);
    char title[48] = "Prompt", age[16];
    struct buf why = BUF_INIT(4096);
    if (p)
        snprintf(title, sizeof title, "Prompt #%lld", (long long)p->id);
    struct rect in =
        frame_draw(t, g, r, r.h >= 3 && r.w >= 24, overlay, title, -1, overlay ? "Esc closes" : "");
    struct sheet s = {t, g, {in.x + 1, in.y, in.w - 2, in.h}, 0, overlay ? t->scroll : 0};
    if (!p) {
        grid_text(g, s.r.x, s.r.y, s.r.w, *frame_ink(t, LOOK_DIM), "nothing is selected");
        return;
    }
    paragraph(&s, LOOK_TEXT, p->text);
    s.y++;
    frame_age(age, t->now.mono_ms - p->created_mono);
    field(&s, "viewer", "%s (%s, %s)", p->viewer.name, p->viewer.platform,
          role_name(p->viewer.role));
    field(&s, "asked", "%s ago%s", age, p->edited ? ", edited by the operator" : "");
    field(&s, "state", "%s", prompt_state_name(p->state));
    field(&s, "style", "%s", p->style[0] ? p->style : "default");
    field(&s, "seed", "%llu%s", (unsigned long long)p->seed, p->favourite ? ", favourite" : "");
    clip_fields(&s, p);
    queue_why(t->show, p, t->now.mono_ms, &why);
    s.y++;
    paragraph(&s, LOOK_HINT, buf_str(&why));
    buf_free(&why);
}
