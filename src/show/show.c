#include "show/show.h"

#include "show/queue.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define REGULAR_BUCKETS 4096
#define REGULARS_MAX 20000 /* beyond this, viewers with nothing to remember are forgotten */

struct item {
    struct prompt p;          /* first, so that a prompt's address is its item's */
    struct item *prev, *next; /* in its state's list, by id */
    struct item *chain;
    uint64_t moved; /* the show's version when it came into its state */
};

static struct item *item_of(const struct prompt *p)
{
    return (struct item *)(uintptr_t)p;
}

enum err show_init(struct show *s)
{
    *s = (struct show){.open = true,
                       .disk_free = -1,
                       .set = {.per_viewer = 1,
                               .cooldown_s = 60,
                               .queue = 100,
                               .length = 300,
                               .disk_reserve = (int64_t)2 << 30}};
    s->by_id_size = 512;
    s->by_id = calloc(s->by_id_size, sizeof *s->by_id);
    s->regulars = calloc(REGULAR_BUCKETS, sizeof *s->regulars);
    if (s->by_id && s->regulars)
        return ERR_OK;
    show_free(s);
    return ERR_NOMEM;
}

void show_free(struct show *s)
{
    for (int i = 0; i < PROMPT_STATES; i++)
        for (struct item *it = s->first[i], *next; it; it = next) {
            next = it->next;
            free(it);
        }
    for (size_t i = 0; s->regulars && i < REGULAR_BUCKETS; i++)
        for (struct regular *r = s->regulars[i], *next; r; r = next) {
            next = r->next;
            free(r);
        }
    free(s->by_id);
    free(s->regulars);
    picture_clear(&s->preview);
    picture_clear(&s->review);
    picture_clear(&s->program);
    event_free_all(&s->events);
    *s = (struct show){0};
}

/* ---- by id ---- */

static struct item **slot(const struct show *s, int64_t id)
{
    return &s->by_id[(uint64_t)id * 0x9e3779b97f4a7c15u % s->by_id_size];
}

static struct item *find(const struct show *s, int64_t id)
{
    struct item *it = *slot(s, id);
    while (it && it->p.id != id)
        it = it->chain;
    return it;
}

const struct prompt *show_find(const struct show *s, int64_t id)
{
    struct item *it = find(s, id);
    return it ? &it->p : NULL;
}

static void grow(struct show *s)
{
    size_t old_size = s->by_id_size;
    struct item **old = s->by_id, **wide = calloc(old_size * 2, sizeof *wide);
    if (!wide)
        return; /* longer chains, nothing worse */
    s->by_id = wide;
    s->by_id_size = old_size * 2;
    for (size_t i = 0; i < old_size; i++)
        for (struct item *it = old[i], *next; it; it = next) {
            next = it->chain;
            struct item **to = slot(s, it->p.id);
            it->chain = *to;
            *to = it;
        }
    free(old);
}

static void hash_out(struct show *s, struct item *it)
{
    struct item **at = slot(s, it->p.id);
    while (*at != it)
        at = &(*at)->chain;
    *at = it->chain;
    s->by_id_count--;
}

/* ---- one list a state ---- */

static void link_in(struct show *s, struct item *it)
{
    enum prompt_state st = it->p.state;
    struct item *after = s->last[st];
    while (after && after->p.id > it->p.id)
        after = after->prev;
    it->prev = after;
    it->next = after ? after->next : s->first[st];
    *(after ? &after->next : &s->first[st]) = it;
    *(it->next ? &it->next->prev : &s->last[st]) = it;
    s->count[st]++;
    s->ended += prompt_ended(st);
}

static void link_out(struct show *s, struct item *it)
{
    enum prompt_state st = it->p.state;
    *(it->prev ? &it->prev->next : &s->first[st]) = it->next;
    *(it->next ? &it->next->prev : &s->last[st]) = it->prev;
    s->count[st]--;
    s->ended -= prompt_ended(st);
}

const struct prompt *show_first(const struct show *s, enum prompt_state state)
{
    return s->first[state] ? &s->first[state]->p : NULL;
}

const struct prompt *show_last(const struct show *s, enum prompt_state state)
{
    return s->last[state] ? &s->last[state]->p : NULL;
}

const struct prompt *show_next(const struct show *s, const struct prompt *p)
{
    (void)s;
    struct item *it = item_of(p)->next;
    return it ? &it->p : NULL;
}

const struct prompt *show_prev(const struct show *s, const struct prompt *p)
{
    (void)s;
    struct item *it = item_of(p)->prev;
    return it ? &it->p : NULL;
}

/* Aired clips stay as long as the gallery may want them. Of the other ends those go that ended
 * longest ago, whatever their ids: what was decided lately can still be undone. */
static void forget_oldest(struct show *s)
{
    int others = s->ended - s->count[PROMPT_AIRED];
    struct item *oldest = NULL;
    if (s->count[PROMPT_AIRED] > SHOW_GALLERY_KEPT)
        oldest = s->first[PROMPT_AIRED];
    bool crowded = !oldest && others > SHOW_ENDED_KEPT;
    for (int i = 0; crowded && i < PROMPT_STATES; i++)
        if (prompt_ended((enum prompt_state)i) && i != PROMPT_AIRED)
            for (struct item *it = s->first[i]; it; it = it->next)
                if (!oldest || it->moved < oldest->moved)
                    oldest = it;
    if (!oldest)
        return;
    link_out(s, oldest);
    hash_out(s, oldest);
    free(oldest);
}

/* ---- viewers ---- */

static struct regular **bucket(const struct show *s, const struct viewer *v)
{
    uint64_t h = 0xcbf29ce484222325u;
    for (const char *c = v->platform; *c; c++)
        h = (h ^ (unsigned char)*c) * 0x100000001b3u;
    h = (h ^ '/') * 0x100000001b3u;
    for (const char *c = v->uid; *c; c++)
        h = (h ^ (unsigned char)*c) * 0x100000001b3u;
    return &s->regulars[h % REGULAR_BUCKETS];
}

const struct regular *show_known(const struct show *s, const struct viewer *v)
{
    const struct regular *r = *bucket(s, v);
    while (r && !viewer_same(&r->who, v))
        r = r->next;
    return r;
}

static bool nothing_to_remember(const struct show *s, const struct regular *r, int64_t now)
{
    bool cooling =
        r->accepted_mono != INT64_MIN && now - r->accepted_mono < s->set.cooldown_s * 1000;
    return !r->live && !r->pending && !cooling && r->banned_until <= now;
}

static void forget_regulars(struct show *s, int64_t now)
{
    for (size_t i = 0; i < REGULAR_BUCKETS; i++)
        for (struct regular **at = &s->regulars[i]; *at;) {
            struct regular *r = *at;
            if (nothing_to_remember(s, r, now)) {
                *at = r->next;
                free(r);
                s->regular_count--;
            } else {
                at = &r->next;
            }
        }
}

struct regular *show_regular(struct show *s, const struct viewer *v, int64_t mono_ms)
{
    struct regular **at = bucket(s, v), *r = *at;
    while (r && !viewer_same(&r->who, v))
        r = r->next;
    if (!r) {
        if (s->regular_count >= REGULARS_MAX)
            forget_regulars(s, mono_ms);
        r = calloc(1, sizeof *r);
        if (!r)
            return NULL;
        r->accepted_mono = INT64_MIN;
        r->next = *at;
        *at = r;
        s->regular_count++;
    }
    r->who = *v;
    return r;
}

/* ---- applying ---- */

enum err show_apply(struct show *s, const struct prompt *p, const char *by, int64_t mono_ms)
{
    struct item *it = find(s, p->id);
    struct regular *r = show_regular(s, &p->viewer, mono_ms);
    enum prompt_state from = it ? it->p.state : PROMPT_RECEIVED;
    if (!r)
        return ERR_NOMEM;
    if (!it) {
        it = calloc(1, sizeof *it);
        if (!it)
            return ERR_NOMEM;
        if (++s->by_id_count > s->by_id_size)
            grow(s);
        it->p.id = p->id;
        struct item **to = slot(s, p->id);
        it->chain = *to;
        *to = it;
    } else {
        link_out(s, it);
        r->live -= !prompt_ended(from);
    }
    if (from != p->state || !it->moved)
        it->moved = s->version + 1;
    it->p = *p;
    if (p->state == PROMPT_APPROVED && !it->p.round) {
        it->p.round = queue_round(s, &p->viewer);
        r->last_round = it->p.round;
    }
    if (p->state == PROMPT_GENERATING && it->p.round > s->round)
        s->round = it->p.round;
    it->p.changed_mono = from == p->state && p->changed_mono ? p->changed_mono : mono_ms;
    link_in(s, it);
    r->live += !prompt_ended(p->state);
    if (p->id > s->last_id)
        s->last_id = p->id;
    s->version++;
    struct event e = {.kind = from == p->state ? EVENT_EDITED : EVENT_PROMPT,
                      .mono_ms = mono_ms,
                      .prompt = &it->p,
                      .from = from,
                      .to = p->state,
                      .by = by};
    event_publish(&s->events, &e);
    forget_oldest(s);
    return ERR_OK;
}

void show_changed(struct show *s, enum event_kind kind, int index, int64_t mono_ms)
{
    struct event e = {.kind = kind, .mono_ms = mono_ms, .by = "system", .index = index};
    s->version++;
    event_publish(&s->events, &e);
}

const struct prompt *show_gallery_after(const struct show *s, int64_t id)
{
    const struct prompt *best = NULL, *top = NULL;
    for (const struct prompt *p = show_last(s, PROMPT_AIRED); p; p = show_prev(s, p)) {
        if (p->hidden || !p->clip[0])
            continue;
        if (!top)
            top = p;
        if (p->id < id) {
            best = p;
            break;
        }
    }
    return best ? best : top;
}
