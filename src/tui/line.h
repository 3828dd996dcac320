/* tui/line: one line that the operator types, with a cursor that moves by grapheme clusters.
 *
 * Bounded; the text is always clean (base/text). Pure. */
#ifndef SAKUGA_TUI_LINE_H
#define SAKUGA_TUI_LINE_H

#include <stdbool.h>
#include <stddef.h>

#define LINE_BYTES 2048
#define LINE_HISTORY 50

struct line {
    char text[LINE_BYTES];
    size_t at; /* byte offset of the cursor, at a cluster's edge */
};

struct line_history {
    char *old[LINE_HISTORY]; /* newest last; owned */
    int count, at;           /* at == count: not in the history */
};

void line_set(struct line *l, const char *text); /* the cursor at the end */
/* An editing key ("Left", "Backspace", "C-w", "ü", …). False when it is none. */
bool line_key(struct line *l, const char *key);
/* Text from outside: cleaned, put in at the cursor; what does not fit is left out. */
void line_insert(struct line *l, const char *text, size_t n);
/* Columns before the cursor. */
int line_column(const struct line *l);

void line_remember(struct line_history *h, const char *text);
/* -1 older, 1 newer; the text to show, NULL at an end. */
const char *line_recall(struct line_history *h, int step);
void line_forget(struct line_history *h);

/* Is it a key that stands for a character (and not for "Up")? */
bool line_printable(const char *key);

#endif
