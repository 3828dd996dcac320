#include "show/queue.h"

#include <stdlib.h>

#define PRIORITY_STEP 10000
#define VOTE_WEIGHT 10
#define VOTES_COUNTED 50
#define TURN_WEIGHT 1000
#define AGE_UNIT_MS 10000

int64_t queue_round(const struct show *s, const struct viewer *v)
{
    const struct regular *r = show_known(s, v);
    int64_t mine = r ? r->last_round + 1 : 0, least = s->round + 1;
    return mine > least ? mine : least;
}

struct queue_terms queue_terms(const struct show *s, const struct prompt *p, int64_t mono_ms)
{
    struct queue_terms t;
    int votes = p->votes < VOTES_COUNTED ? p->votes : VOTES_COUNTED;
    int64_t turns = p->round - s->round - 1, waited = mono_ms - p->created_mono;
    t.priority = (int64_t)p->priority * PRIORITY_STEP;
    t.votes = (int64_t)votes * VOTE_WEIGHT;
    t.turn = turns > 0 ? -turns * TURN_WEIGHT : 0;
    t.age = waited > 0 ? waited / AGE_UNIT_MS : 0;
    t.sum = t.priority + t.votes + t.turn + t.age;
    return t;
}

static bool goes_before(int64_t sum_a, const struct prompt *a, int64_t sum_b,
                        const struct prompt *b)
{
    return sum_a != sum_b ? sum_a > sum_b : a->id < b->id;
}

const struct prompt *queue_next(const struct show *s, int64_t mono_ms)
{
    const struct prompt *best = NULL;
    int64_t best_sum = 0;
    for (const struct prompt *p = show_first(s, PROMPT_APPROVED); p; p = show_next(s, p)) {
        int64_t sum = queue_terms(s, p, mono_ms).sum;
        if (!best || goes_before(sum, p, best_sum, best)) {
            best = p;
            best_sum = sum;
        }
    }
    return best;
}

struct ranked {
    int64_t sum;
    const struct prompt *p;
};

static int by_rank(const void *a, const void *b)
{
    const struct ranked *x = a, *y = b;
    return goes_before(x->sum, x->p, y->sum, y->p) ? -1 : 1;
}

int queue_order(const struct show *s, int64_t mono_ms, bool held, const struct prompt **out,
                int max)
{
    int n = s->count[PROMPT_APPROVED], filled = 0, all = n + (held ? s->count[PROMPT_HELD] : 0);
    struct ranked *r = n ? malloc((size_t)n * sizeof *r) : NULL;
    if (r) {
        int i = 0;
        for (const struct prompt *p = show_first(s, PROMPT_APPROVED); p; p = show_next(s, p))
            r[i++] = (struct ranked){queue_terms(s, p, mono_ms).sum, p};
        qsort(r, (size_t)n, sizeof *r, by_rank);
        for (i = 0; i < n && filled < max; i++)
            out[filled++] = r[i].p;
        free(r);
    }
    if (held)
        for (const struct prompt *p = show_first(s, PROMPT_HELD); p && filled < max;
             p = show_next(s, p))
            out[filled++] = p;
    return all;
}

int queue_position(const struct show *s, const struct prompt *p, int64_t mono_ms)
{
    int before = 0;
    if (p->state == PROMPT_HELD) {
        for (const struct prompt *q = show_first(s, PROMPT_HELD); q && q->id < p->id;
             q = show_next(s, q))
            before++;
        return s->count[PROMPT_APPROVED] + before + 1;
    }
    if (p->state != PROMPT_APPROVED)
        return 0;
    int64_t mine = queue_terms(s, p, mono_ms).sum;
    for (const struct prompt *q = show_first(s, PROMPT_APPROVED); q; q = show_next(s, q))
        if (q != p && goes_before(queue_terms(s, q, mono_ms).sum, q, mine, p))
            before++;
    return before + 1;
}

static int64_t running_ms(const struct show *s)
{
    if (s->engine.state != ENGINE_DRAWING)
        return 0;
    int64_t left = s->engine.eta_ms, whole = eta_quantile(&s->eta, ETA_DRAW, 0.5);
    if (left < 0) /* it has not said yet */
        left = whole;
    return left > 0 ? left : 1;
}

bool queue_eta_at(const struct show *s, const struct prompt *p, int position, struct eta_range *out)
{
    switch (p->state) {
    case PROMPT_HELD:
    case PROMPT_APPROVED:
        return eta_range(&s->eta, position - 1, running_ms(s), s->count[PROMPT_CLEARED], out);
    case PROMPT_GENERATING:
        if (!eta_range(&s->eta, 0, 0, s->count[PROMPT_CLEARED], out))
            return false;
        if (s->engine.eta_ms >= 0 && s->engine.job == p->id) {
            int64_t whole = eta_quantile(&s->eta, ETA_DRAW, 0.5);
            out->low_ms += s->engine.eta_ms - whole;
            out->high_ms += s->engine.eta_ms - whole;
        }
        return true;
    default:
        return false;
    }
}

bool queue_eta(const struct show *s, const struct prompt *p, int64_t mono_ms, struct eta_range *out)
{
    return queue_eta_at(s, p, queue_position(s, p, mono_ms), out);
}

bool queue_eta_new(const struct show *s, struct eta_range *out)
{
    return eta_range(&s->eta, s->count[PROMPT_APPROVED] + s->count[PROMPT_HELD], running_ms(s),
                     s->count[PROMPT_CLEARED], out);
}

void queue_why(const struct show *s, const struct prompt *p, int64_t mono_ms, struct buf *out)
{
    struct eta_range eta;
    buf_addf(out, "#%lld is %s", (long long)p->id, prompt_state_words(p->state));
    if (p->reason[0])
        buf_addf(out, " (%s)", p->reason);
    if (p->state == PROMPT_APPROVED || p->state == PROMPT_HELD) {
        struct queue_terms t = queue_terms(s, p, mono_ms);
        buf_addf(out, "; place %d; sum %lld = priority %lld + votes %lld + turn %lld + age %lld",
                 queue_position(s, p, mono_ms), (long long)t.sum, (long long)t.priority,
                 (long long)t.votes, (long long)t.turn, (long long)t.age);
        if (p->state == PROMPT_HELD)
            buf_adds(out, "; it waits for the operator's approval");
        else if (s->paused)
            buf_addf(out, "; the show is paused%s%s", s->pause_why[0] ? ": " : "", s->pause_why);
        else if (s->disk_low)
            buf_adds(out, "; the disk is nearly full, no new job starts");
        else if (s->engine.state == ENGINE_DOWN)
            buf_adds(out, "; the engine is down");
    } else if (p->state == PROMPT_REVIEW) {
        buf_adds(out, p->check_failed ? "; its clip failed a check: "
                                      : "; its clip waits for the operator");
        if (p->check_failed)
            buf_adds(out, p->check);
    } else if (p->state == PROMPT_CLEARED) {
        if (s->panic)
            buf_adds(out, "; panic: nothing airs before `resume`");
        else if (s->unclean)
            buf_adds(out, "; the last show ended by accident: nothing airs before `resume`");
        else
            buf_adds(out, "; it waits for the stage");
    }
    if (queue_eta(s, p, mono_ms, &eta)) {
        long long low = (eta.low_ms + 999) / 1000, high = (eta.high_ms + 999) / 1000;
        if (low < high)
            buf_addf(out, "; on air in %lld to %lld s", low, high);
        else
            buf_addf(out, "; on air in about %lld s", low);
    }
}
