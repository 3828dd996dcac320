/* What happened: the log's newest lines and every move of a prompt. */
#include "tui/view.h"

#include "base/buf.h"
#include "base/clock.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

void tui_log(void *tui, const struct log_line *line)
{
    struct tui *t = tui;
    ring_add(&t->ring, line->utc_ms, line->level, line->room, line->text);
}

void tui_event(void *tui, const struct event *e)
{
    struct tui *t = tui;
    char text[240], viewer[64], words[128];
    if (e->kind != EVENT_PROMPT)
        return;
    const struct prompt *p = e->prompt;
    enum log_level level =
        e->to == PROMPT_FAILED || e->to == PROMPT_QUARANTINED ? LOG_ERROR : LOG_INFO;
    bool refused = e->to == PROMPT_REJECTED || level == LOG_ERROR;
    str_copy(viewer, sizeof viewer, p->viewer.name);
    str_copy(words, sizeof words, refused ? p->reason : p->text);
    snprintf(text, sizeof text, "#%lld %s %s %s%s%s%s", (long long)p->id, viewer,
             frame_glyph(t, GLYPH_ARROW), prompt_state_name(e->to),
             e->by && !strcmp(e->by, "operator") ? " by you" : "", words[0] ? ": " : "", words);
    ring_add(&t->ring, clock_utc_ms(), level, "show", text);
}

static void line_of(struct tui *t, struct grid *g, struct rect in, int y, unsigned back)
{
    struct ring_line l;
    char at[16];
    struct tm tm;
    if (!ring_get(&t->ring, back, &l))
        return;
    time_t utc = (time_t)(l.utc_ms / 1000);
    localtime_r(&utc, &tm);
    strftime(at, sizeof at, "%H:%M:%S", &tm);
    int x = in.x + 1, end = in.x + in.w;
    if (in.w >= 40)
        x += grid_textf(g, x, y, end - x, *frame_ink(t, LOOK_DIM), "%s  ", at);
    if (in.w >= 60) {
        grid_text(g, x, y, 6, *frame_ink(t, LOOK_PLATFORM), l.room);
        x += 8;
    }
    if (l.level == LOG_ERROR || l.level == LOG_WARN)
        x += grid_text(g, x, y, end - x, *frame_ink(t, l.level == LOG_ERROR ? LOOK_BAD : LOOK_WARN),
                       l.level == LOG_ERROR ? "error " : "warning ");
    grid_text(g, x, y, end - x, *frame_ink(t, LOOK_TEXT), l.text);
}

void view_log(struct tui *t, struct grid *g, struct rect r)
{
    bool framed = r.h >= 3 && r.w >= 44;
    char note[32] = "";
    if (t->log_back)
        snprintf(note, sizeof note, "%d lines back", t->log_back);
    struct rect in = frame_draw(t, g, r, framed, t->focus == PANE_LOG, "5 Log", -1, note);
    int all = (int)t->ring.version < RING_LINES ? (int)t->ring.version : RING_LINES;
    if (t->log_back > all - in.h)
        t->log_back = all > in.h ? all - in.h : 0;
    for (int i = 0; i < in.h; i++)
        line_of(t, g, in, in.y + in.h - 1 - i, (unsigned)(t->log_back + i));
}
