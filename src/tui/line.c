#include "tui/line.h"

#include "base/text.h"

#include <stdlib.h>
#include <string.h>

bool line_printable(const char *key)
{
    int cells;
    unsigned char c = (unsigned char)key[0];
    if (c < 0x20 || c == 0x7f)
        return false;
    return c >= 0x80 ? key[text_next(key, &cells)] == '\0' : key[1] == '\0';
}

void line_set(struct line *l, const char *text)
{
    str_copy(l->text, sizeof l->text, text);
    l->at = strlen(l->text);
}

static size_t cluster_before(const struct line *l)
{
    size_t at = 0, n;
    int cells;
    while ((n = text_next(l->text + at, &cells)) && at + n < l->at)
        at += n;
    return l->at ? at : 0;
}

static void erase(struct line *l, size_t from, size_t to)
{
    memmove(l->text + from, l->text + to, strlen(l->text + to) + 1);
    l->at = from;
}

static size_t word_before(const struct line *l)
{
    size_t at = l->at;
    while (at && l->text[at - 1] == ' ')
        at--;
    while (at && l->text[at - 1] != ' ')
        at--;
    return at;
}

static void insert_clean(struct line *l, const char *text, size_t n)
{
    size_t len = strlen(l->text), room = sizeof l->text - 1 - len;
    while (n > room || (n && ((unsigned char)text[n] & 0xc0) == 0x80))
        n--; /* never within a character */
    memmove(l->text + l->at + n, l->text + l->at, len - l->at + 1);
    memcpy(l->text + l->at, text, n);
    l->at += n;
}

void line_insert(struct line *l, const char *text, size_t n)
{
    struct buf clean = BUF_INIT(LINE_BYTES * 4);
    if (text_clean(&clean, text, n))
        insert_clean(l, buf_str(&clean), clean.len);
    buf_free(&clean);
}

bool line_key(struct line *l, const char *key)
{
    int cells;
    size_t end = strlen(l->text);
    if (!strcmp(key, "Left") || !strcmp(key, "C-b"))
        l->at = cluster_before(l);
    else if (!strcmp(key, "Right") || !strcmp(key, "C-f"))
        l->at += text_next(l->text + l->at, &cells);
    else if (!strcmp(key, "Home") || !strcmp(key, "C-a"))
        l->at = 0;
    else if (!strcmp(key, "End") || !strcmp(key, "C-e"))
        l->at = end;
    else if (!strcmp(key, "Backspace"))
        erase(l, cluster_before(l), l->at);
    else if (!strcmp(key, "Delete") || !strcmp(key, "C-d"))
        erase(l, l->at, l->at + text_next(l->text + l->at, &cells));
    else if (!strcmp(key, "C-w"))
        erase(l, word_before(l), l->at);
    else if (!strcmp(key, "C-u"))
        erase(l, 0, l->at);
    else if (!strcmp(key, "C-k"))
        l->text[l->at] = '\0';
    else if (line_printable(key))
        insert_clean(l, key, strlen(key));
    else
        return false;
    return true;
}

int line_column(const struct line *l)
{
    int sum = 0, cells;
    for (size_t at = 0, n; at < l->at && (n = text_next(l->text + at, &cells)); at += n)
        sum += cells;
    return sum;
}

void line_remember(struct line_history *h, const char *text)
{
    char *copy;
    if (!text[0] || (h->count && !strcmp(h->old[h->count - 1], text)) || !(copy = strdup(text))) {
        h->at = h->count;
        return;
    }
    if (h->count == LINE_HISTORY) {
        free(h->old[0]);
        memmove(h->old, h->old + 1, sizeof *h->old * (LINE_HISTORY - 1));
        h->count--;
    }
    h->old[h->count++] = copy;
    h->at = h->count;
}

const char *line_recall(struct line_history *h, int step)
{
    int to = h->at + step;
    if (to < 0 || to > h->count)
        return NULL;
    h->at = to;
    return to == h->count ? "" : h->old[to];
}

void line_forget(struct line_history *h)
{
    for (int i = 0; i < h->count; i++)
        free(h->old[i]);
    *h = (struct line_history){0};
}
