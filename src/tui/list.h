/* tui/list: the prompts of one pane, with a selection that is pinned to a prompt and not to a row.
 *
 * What comes or goes elsewhere in the list never moves the selection, and the selected row stays on
 * its line of the screen as long as it can. When the selected prompt itself leaves, the one that
 * took its place is selected; the list says so, because a key that was meant for the old one must
 * not hit the new one. Pure; items are borrowed until the next show_apply(). */
#ifndef SAKUGA_TUI_LIST_H
#define SAKUGA_TUI_LIST_H

#include "show/prompt.h"

#include <stdbool.h>

#define LIST_MAX 2000
#define LIST_TAGS 256

struct list {
    const struct prompt *item[LIST_MAX];
    int count;  /* in item[] */
    int all;    /* before filter and bound */
    int64_t id; /* of the selected one, 0 none */
    int at;     /* its index */
    int top;    /* index on the first line */
    int rows;   /* lines on the screen */
    int64_t tag[LIST_TAGS];
    int tags;
};

void list_clear(struct list *l);
void list_add(struct list *l, const struct prompt *p);
/* After the items are there: finds the selection again. True when it had to move because its prompt
 * left. */
bool list_settle(struct list *l);
/* The lines that can be seen; called when drawn. */
void list_show(struct list *l, int rows);
void list_move(struct list *l, int by);
const struct prompt *list_selected(const struct list *l);

bool list_tagged(const struct list *l, int64_t id);
void list_tag(struct list *l, int64_t id); /* or untags */

/* Does it pass? Words must all be in the text or the viewer's name; `user:`, `style:`, `platform:`
 * look there alone; `!` before a word turns it round. */
bool list_filter(const struct prompt *p, const char *filter);

#endif
