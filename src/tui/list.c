#include "tui/list.h"

#include "base/text.h"

#include <stdio.h>
#include <string.h>

void list_clear(struct list *l)
{
    l->count = l->all = 0;
}

void list_add(struct list *l, const struct prompt *p)
{
    if (l->count < LIST_MAX)
        l->item[l->count++] = p;
}

static int find(const struct list *l, int64_t id)
{
    for (int i = 0; i < l->count; i++)
        if (l->item[i]->id == id)
            return i;
    return -1;
}

static void drop_stale_tags(struct list *l)
{
    int kept = 0;
    for (int i = 0; i < l->tags; i++)
        if (find(l, l->tag[i]) >= 0)
            l->tag[kept++] = l->tag[i];
    l->tags = kept;
}

static void keep_in_view(struct list *l)
{
    if (l->rows > 0) {
        if (l->at < l->top)
            l->top = l->at;
        if (l->at >= l->top + l->rows)
            l->top = l->at - l->rows + 1;
        if (l->top > l->count - l->rows)
            l->top = l->count - l->rows;
    }
    if (l->top < 0)
        l->top = 0;
}

bool list_settle(struct list *l)
{
    int at = l->id ? find(l, l->id) : -1;
    bool left = l->id && at < 0;
    drop_stale_tags(l);
    if (!l->count) {
        l->id = 0;
        l->at = l->top = 0;
        return left;
    }
    if (at < 0)
        at = l->at < l->count ? l->at : l->count - 1;
    else
        l->top += at - l->at; /* it stays on its line */
    l->at = at;
    l->id = l->item[at]->id;
    keep_in_view(l);
    return left;
}

void list_show(struct list *l, int rows)
{
    l->rows = rows;
    keep_in_view(l);
}

void list_move(struct list *l, int by)
{
    if (!l->count)
        return;
    int at = l->at + by;
    l->at = at < 0 ? 0 : at >= l->count ? l->count - 1 : at;
    l->id = l->item[l->at]->id;
    keep_in_view(l);
}

const struct prompt *list_selected(const struct list *l)
{
    return l->count && l->at < l->count ? l->item[l->at] : NULL;
}

bool list_tagged(const struct list *l, int64_t id)
{
    for (int i = 0; i < l->tags; i++)
        if (l->tag[i] == id)
            return true;
    return false;
}

void list_tag(struct list *l, int64_t id)
{
    for (int i = 0; i < l->tags; i++)
        if (l->tag[i] == id) {
            l->tag[i] = l->tag[--l->tags];
            return;
        }
    if (l->tags < LIST_TAGS)
        l->tag[l->tags++] = id;
}

/* ---- filter ---- */

static bool holds(const char *where, const char *folded)
{
    struct buf b = BUF_INIT(PROMPT_TEXT_MAX * 8);
    bool yes = text_fold(&b, where) && strstr(buf_str(&b), folded);
    buf_free(&b);
    return yes;
}

static bool word_passes(const struct prompt *p, const char *word)
{
    if (!strncmp(word, "user:", 5))
        return holds(p->viewer.name, word + 5);
    if (!strncmp(word, "style:", 6))
        return holds(p->style, word + 6);
    if (!strncmp(word, "platform:", 9))
        return holds(p->viewer.platform, word + 9);
    return holds(p->text, word) || holds(p->viewer.name, word);
}

bool list_filter(const struct prompt *p, const char *filter)
{
    struct buf folded = BUF_INIT(8192);
    bool pass = true;
    char *save = NULL;
    if (!filter[0])
        return true;
    if (text_fold(&folded, filter) && folded.len)
        for (char *w = strtok_r(folded.data, " ", &save); w && pass; w = strtok_r(NULL, " ", &save))
            pass = w[0] == '!' ? !w[1] || !word_passes(p, w + 1) : word_passes(p, w);
    buf_free(&folded);
    return pass;
}
