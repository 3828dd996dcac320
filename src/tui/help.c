/* Help, made from the tables that dispatch the keys. Footer and message line. */
#include "tui/view.h"

#include "base/text.h"

#include <stdio.h>
#include <string.h>

static const char *const notes[] = {
    "In review `a` airs the clip.",
    "`x` asks why: a digit, words, or Enter.",
    "`z` takes back the last hundred decisions.",
};

static int help_line(struct tui *t, struct grid *g, struct rect in, int y, const char *key,
                     const char *name, const char *help)
{
    y -= t->scroll;
    if (y < 0 || y >= in.h)
        return 1;
    int x = in.x + 1, end = in.x + in.w;
    grid_text(g, x, in.y + y, 11, *frame_ink(t, LOOK_KEY), key);
    if (in.w >= 50)
        grid_text(g, x + 12, in.y + y, 10, *frame_ink(t, LOOK_NAME), name);
    x += in.w >= 50 ? 23 : 12;
    grid_text(g, x, in.y + y, end - x, *frame_ink(t, LOOK_TEXT), help);
    return 1;
}

static int heading(struct tui *t, struct grid *g, struct rect in, int y, const char *words)
{
    int at = y - t->scroll;
    if (at >= 0 && at < in.h)
        grid_text(g, in.x + 1, in.y + at, in.w - 1, *frame_ink(t, LOOK_TITLE_FOCUS), words);
    return 1;
}

void view_help(struct tui *t, struct grid *g, struct rect r)
{
    struct rect in =
        frame_draw(t, g, r, r.h >= 3 && r.w >= 24, true, "Help", -1, "j k scroll, Esc closes");
    const struct command *row;
    char key[40];
    int y = heading(t, g, in, 0, "Decisions");
    for (int i = 0; (row = command_at(t->commands, i)); i++)
        if (row->key[0] && (row->from & FROM_KEY))
            y += help_line(t, g, in, y, row->key, row->name, row->help);
    for (size_t i = 0; i < sizeof notes / sizeof *notes; i++)
        y += help_line(t, g, in, y, "", "", notes[i]);
    y += 1 + heading(t, g, in, y + 1, "Moving and looking");
    for (int i = 0; i < VIEW_KEY_COUNT; i++) {
        const struct key_row *k = keys_view((enum view_key)i);
        snprintf(key, sizeof key, "%s%s%s", keys_label(k->key), k->other[0] ? " " : "", k->other);
        y += help_line(t, g, in, y, key, "", k->help);
    }
    y += 1 + heading(t, g, in, y + 1, "Commands for the `:` line");
    for (int i = 0; (row = command_at(t->commands, i)); i++) {
        char words[80];
        if (!(row->from & FROM_KEY) || row->key[0])
            continue;
        snprintf(words, sizeof words, ":%s %s", row->name, row->args);
        y += help_line(t, g, in, y, words, "", row->help);
    }
    int most = y > in.h ? y - in.h : 0;
    if (t->scroll > most)
        t->scroll = most;
    frame_scrollbar(t, g, in, t->scroll, in.h, y);
}

/* ---- footer ---- */

/* The keys that a hand needs in each pane: names of commands, or view keys by their key. */
static const char *const useful[PANES][9] = {
    [PANE_HELD] = {"approve", "reject", "edit", " ", "A", "why", "undo", "/", ":"},
    [PANE_READY] = {"up", "down", "reject", "edit", "why", "undo", "/", ":", NULL},
    [PANE_REVIEW] = {"air", "reject", "reroll", "edit", "favourite", "undo", ":", NULL, NULL},
    [PANE_NOW] = {"cancel", "pause", "toggle", "undo", ":", NULL, NULL, NULL, NULL},
    [PANE_LOG] = {"toggle", "pause", "undo", ":", NULL, NULL, NULL, NULL, NULL},
};

static const struct {
    const char *key, *word;
} words_for[] = {{" ", "Tag"}, {"A", "Approve tagged"}, {"/", "Filter"}, {":", "Command"}};

static int hint(struct tui *t, struct grid *g, struct rect r, int x, const char *key,
                const char *word)
{
    int need = text_cells(key) + 1 + text_cells(word);
    if (x + need > r.x + r.w)
        return 0;
    x += grid_text(g, x, r.y, need, *frame_ink(t, LOOK_KEY), key) + 1;
    grid_text(g, x, r.y, need, *frame_ink(t, LOOK_HINT), word);
    return need + 2;
}

static int hint_for(struct tui *t, struct grid *g, struct rect r, int x, const char *what)
{
    char word[32];
    const struct command *row = command_find(t->commands, what);
    for (size_t i = 0; i < sizeof words_for / sizeof *words_for; i++)
        if (!strcmp(words_for[i].key, what))
            return hint(t, g, r, x, keys_label(what), words_for[i].word);
    if (!row)
        return 0;
    snprintf(word, sizeof word, "%s", row->name);
    word[0] = (char)(word[0] - 'a' + 'A');
    if (!strcmp(what, "toggle"))
        snprintf(word, sizeof word, "%s", t->show->open ? "Close" : "Open");
    if (!strcmp(what, "pause") && t->show->paused)
        snprintf(word, sizeof word, "Resume");
    return hint(t, g, r, x, !strcmp(what, "air") ? "a" : row->key, word);
}

/* While something is asked the footer tells how to answer. */
static void answer_hints(struct tui *t, struct grid *g, struct rect r)
{
    int x = r.x + 1;
    if (t->asking == ASK_YES) {
        x += hint(t, g, r, x, "y", "Yes");
        hint(t, g, r, x, "Enter", "No");
        return;
    }
    for (int i = 1, n = 1; n && t->asking == ASK_REASON && keys_reason(i); i++)
        x += n = hint(t, g, r, x, (char[2]){(char)('0' + i), '\0'}, keys_reason_label(i));
    if (t->asking == ASK_COMMAND) {
        x += hint(t, g, r, x, "Tab", "Complete");
        x += hint(t, g, r, x, "Up", "History");
    }
    x += hint(t, g, r, x, "Enter", t->asking == ASK_REASON ? "No reason" : "Done");
    hint(t, g, r, x, "Esc", "Back");
}

void view_footer(struct tui *t, struct grid *g, struct rect r)
{
    struct rect left = r;
    int x = r.x + 1;
    const struct command *panic = command_find(t->commands, "panic");
    if (panic && r.w >= 30) { /* it always stands at the same place */
        char word[40];
        snprintf(word, sizeof word, " %s PANIC ", panic->key);
        int n = text_cells(word);
        grid_text(g, r.x + r.w - n, r.y, n, *frame_ink(t, LOOK_PANIC), word);
        left.w -= n + 1;
    }
    if (t->asking != ASK_NOTHING) {
        answer_hints(t, g, left);
        return;
    }
    left.w -= 8;
    for (int i = 0, n = 1; n && i < 9 && useful[t->focus][i]; i++)
        x += n = hint_for(t, g, left, x, useful[t->focus][i]);
    left.w += 8;
    hint(t, g, left, x, "?", "Help");
}

/* ---- the message line ---- */

static void input(struct tui *t, struct grid *g, struct rect r)
{
    struct ink q = *frame_ink(t, LOOK_KEY), ink = *frame_ink(t, LOOK_INPUT);
    const char *question = t->asking == ASK_COMMAND  ? ":"
                           : t->asking == ASK_FILTER ? "/"
                                                     : t->question;
    int x = r.x + 1, end = r.x + r.w;
    x += grid_text(g, x, r.y, r.w - 1 < 12 ? r.w - 1 : r.w - 11, q, question);
    if (t->asking != ASK_COMMAND && t->asking != ASK_FILTER)
        x++;
    /* the part around the cursor, when the line is longer than the screen */
    const char *s = t->line.text;
    int column = line_column(&t->line), room = end - x - 1, cells;
    while (column >= room && room > 0 && *s) {
        size_t n = text_next(s, &cells);
        s += n;
        column -= cells;
    }
    grid_text(g, x, r.y, end - x, ink, s);
    g->cursor_x = x + column < end ? x + column : end - 1;
    g->cursor_y = r.y;
}

void view_message(struct tui *t, struct grid *g, struct rect r)
{
    static const enum look_glyph mark[] = {GLYPH_NO, GLYPH_NO, GLYPH_OK, GLYPH_MIDDOT};
    static const enum look_role role[] = {LOOK_BAD, LOOK_WARN, LOOK_TEXT, LOOK_DIM};
    if (t->asking != ASK_NOTHING) {
        input(t, g, r);
        return;
    }
    if (!t->message[0] || t->now.mono_ms - t->message_ms > MESSAGE_MS)
        return;
    grid_textf(g, r.x + 1, r.y, r.w - 1, *frame_ink(t, role[t->message_level]), "%s %s",
               frame_glyph(t, mark[t->message_level]), t->message);
}
