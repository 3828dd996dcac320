#include "chat/outbox.h"

#include "base/text.h"

#include <stdlib.h>
#include <string.h>

#define QUEUE_MAX 256
#define BURST_MAX 128
#define NAMES_MAX 8 /* mentions in front of one text */

struct reply {
    int64_t born_ms;
    enum chat_kind kind;
    bool to_all;
    char uid[64], name[128]; /* of the viewer */
    char parent[64];
    char *text;
};

struct outbox {
    struct outbox_limits limits;
    struct reply reply[QUEUE_MAX]; /* oldest first */
    int n;
    int64_t sent[BURST_MAX]; /* ring: when the last `burst` lines left */
    uint64_t sends, dropped;
};

struct outbox *outbox_new(const struct outbox_limits *limits)
{
    struct outbox *o = calloc(1, sizeof *o);
    if (!o)
        return NULL;
    o->limits = *limits;
    if (o->limits.queue < 1 || o->limits.queue > QUEUE_MAX)
        o->limits.queue = QUEUE_MAX;
    if (o->limits.burst < 1)
        o->limits.burst = 1;
    if (o->limits.burst > BURST_MAX)
        o->limits.burst = BURST_MAX;
    return o;
}

static void drop(struct outbox *o, int i)
{
    free(o->reply[i].text);
    memmove(&o->reply[i], &o->reply[i + 1], (size_t)(o->n - i - 1) * sizeof o->reply[0]);
    o->n--;
}

void outbox_free(struct outbox *o)
{
    if (!o)
        return;
    while (o->n)
        drop(o, o->n - 1);
    free(o);
}

/* The oldest of the least valuable. */
static int least(const struct outbox *o)
{
    int at = 0;
    for (int i = 1; i < o->n; i++)
        if (o->reply[i].kind < o->reply[at].kind)
            at = i;
    return at;
}

bool outbox_add(struct outbox *o, int64_t now, const struct viewer *to, enum chat_kind kind,
                const char *text, const char *parent)
{
    struct buf clean = BUF_INIT(4096);
    struct reply r = {.born_ms = now, .kind = kind, .to_all = !to};
    bool kept = true;
    if (!text_clean(&clean, text, strlen(text)) || !clean.len || !(r.text = buf_take(&clean))) {
        buf_free(&clean);
        o->dropped++;
        return false;
    }
    if (to) {
        str_copy(r.uid, sizeof r.uid, to->uid);
        /* a mention is one word: a name with blanks in it is not */
        str_copy(r.name, sizeof r.name, strchr(to->name, ' ') ? to->uid : to->name);
    }
    if (parent)
        str_copy(r.parent, sizeof r.parent, parent);
    if (o->n == o->limits.queue) {
        int at = least(o);
        kept = false;
        o->dropped++;
        if (o->reply[at].kind > kind) {
            free(r.text);
            return false;
        }
        drop(o, at);
    }
    o->reply[o->n++] = r;
    return kept;
}

static void forget_stale(struct outbox *o, int64_t now)
{
    while (o->n && now - o->reply[0].born_ms > o->limits.stale_ms) {
        drop(o, 0);
        o->dropped++;
    }
}

int64_t outbox_wait(struct outbox *o, int64_t now)
{
    forget_stale(o, now);
    if (!o->n)
        return -1;
    int64_t at = now;
    uint64_t burst = (uint64_t)o->limits.burst;
    if (o->sends) {
        int64_t last = o->sent[(o->sends - 1) % BURST_MAX] + o->limits.gap_ms;
        at = last > at ? last : at;
    }
    if (o->sends >= burst) {
        int64_t free_again = o->sent[(o->sends - burst) % BURST_MAX] + o->limits.window_ms;
        at = free_again > at ? free_again : at;
    }
    return at - now;
}

/* --- from waiting replies to one line --- */

static bool fits(const struct outbox *o, const struct buf *line)
{
    return !line->failed && line->len <= o->limits.bytes &&
           (!o->limits.clusters || text_clusters(buf_str(line)) <= o->limits.clusters);
}

/* Cuts at a cluster's end so that it fits with "…" behind it. */
static void cut(const struct outbox *o, struct buf *line)
{
    size_t end = 0, count = 0;
    int cells;
    for (size_t n; (n = text_next(line->data + end, &cells)); end += n, count++)
        if (end + n + strlen("…") > o->limits.bytes ||
            (o->limits.clusters && count + 2 > o->limits.clusters))
            break;
    line->data[line->len = end] = '\0';
    buf_adds(line, "…");
}

static void mention(struct buf *line, const struct reply *r)
{
    if (!r->to_all)
        buf_addf(line, "@%s ", r->name);
}

static bool same_viewer(const struct reply *a, const struct reply *b)
{
    return !a->to_all && !b->to_all && !strcmp(a->uid, b->uid);
}

/* Replaces `line` by `longer` when that fits. */
static bool grow(const struct outbox *o, struct buf *line, struct buf *longer)
{
    bool ok = fits(o, longer);
    if (ok) {
        struct buf t = *line;
        *line = *longer;
        *longer = t;
    }
    buf_free(longer);
    return ok;
}

/* "@aki @bo queued" out of replies with one text: writes the mentions, marks what it took. */
static bool add_names(const struct outbox *o, struct buf *line, const struct reply *first,
                      bool taken[])
{
    struct buf b = BUF_INIT(o->limits.bytes + 8192);
    int names = 0;
    bool mine[QUEUE_MAX] = {false};
    for (int i = 0; i < o->n && names < NAMES_MAX; i++) {
        const struct reply *r = &o->reply[i];
        if (taken[i] || r->to_all || r->kind != first->kind || strcmp(r->text, first->text))
            continue;
        bool twice = false;
        for (int j = 0; j < i && !twice; j++)
            twice = mine[j] && same_viewer(r, &o->reply[j]);
        if (!twice) {
            mention(&b, r);
            names++;
        }
        mine[i] = true;
    }
    if (names < 2) {
        buf_free(&b);
        return false;
    }
    buf_adds(&b, first->text);
    if (!grow(o, line, &b))
        return false;
    for (int i = 0; i < o->n; i++)
        taken[i] |= mine[i];
    return true;
}

/* Which reply leads the next line: the most valuable, the oldest of those. */
static int leader(const struct outbox *o)
{
    int at = 0;
    for (int i = 1; i < o->n; i++)
        if (o->reply[i].kind > o->reply[at].kind)
            at = i;
    return at;
}

bool outbox_take(struct outbox *o, int64_t now, struct buf *line, char parent[64])
{
    parent[0] = '\0';
    if (outbox_wait(o, now) != 0)
        return false;
    bool taken[QUEUE_MAX] = {false};
    int first = leader(o), count = 1;
    const struct reply *f = &o->reply[first], *last = f;
    struct buf out = BUF_INIT(o->limits.bytes + 8192);
    if (!add_names(o, &out, f, taken)) {
        taken[first] = true;
        mention(&out, f);
        /* "/" and "." begin a command of the platform, not a text */
        buf_addf(&out, "%s%s", f->to_all && strchr("/.", f->text[0]) ? "> " : "", f->text);
        if (!fits(o, &out))
            cut(o, &out);
    }
    for (int i = 0; i < o->n; i++) {
        const struct reply *r = &o->reply[i];
        if (taken[i] || r->to_all || f->to_all || (!same_viewer(r, f) && r->kind != f->kind))
            continue;
        struct buf longer = BUF_INIT(o->limits.bytes + 8192);
        buf_addf(&longer, "%s · ", buf_str(&out));
        if (!same_viewer(r, last))
            mention(&longer, r);
        buf_adds(&longer, r->text);
        if (grow(o, &out, &longer)) {
            taken[i] = true;
            last = r;
        }
    }
    buf_add(line, buf_str(&out), out.len);
    buf_free(&out);
    for (int i = 0; i < o->n; i++)
        count += i != first && taken[i];
    if (count == 1)
        strcpy(parent, f->parent);
    for (int i = o->n - 1; i >= 0; i--)
        if (taken[i])
            drop(o, i);
    o->sent[o->sends++ % BURST_MAX] = now;
    return true;
}

int outbox_waiting(const struct outbox *o)
{
    return o->n;
}

uint64_t outbox_dropped(const struct outbox *o)
{
    return o->dropped;
}
