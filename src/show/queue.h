/* show/queue: which approved prompt is drawn next, and why.
 *
 * The order is a sum that anybody can check (`why ID` prints it): the highest sum goes first, equal
 * sums by id.
 *
 *   priority   +10000 a step the operator gave (-9..9)
 *   votes         +10 a vote, 50 counted at most: a vote moves a prompt, a brigade cannot own the
 * show turn        -1000 a round: a viewer's n-th prompt stands in the n-th round after the one
 * that is being served (start-time fair queueing), so A1 A2 A3 B1 is drawn A1 B1 A2 A3 age +1 for
 * each 10 s of waiting: no prompt waits for ever, since a younger prompt's advantage is bounded and
 * age is not
 *
 * Age grows alike for all, so the order changes only when a prompt comes, goes, or is voted on.
 * Pure. */
#ifndef SAKUGA_SHOW_QUEUE_H
#define SAKUGA_SHOW_QUEUE_H

#include "base/buf.h"
#include "show/show.h"

struct queue_terms {
    int64_t priority, votes, turn, age, sum;
};

/* Gives a prompt that is about to be approved its round. */
int64_t queue_round(const struct show *s, const struct viewer *v);
struct queue_terms queue_terms(const struct show *s, const struct prompt *p, int64_t mono_ms);
/* The next to draw, NULL when none is approved. */
const struct prompt *queue_next(const struct show *s, int64_t mono_ms);
/* Approved prompts in order into out[max]; returns how many there are in all. Held ones follow in
 * the order of their ids when `held`. */
int queue_order(const struct show *s, int64_t mono_ms, bool held, const struct prompt **out,
                int max);
/* 1 for the next to be drawn; held prompts stand behind all approved ones; 0 for the rest. */
int queue_position(const struct show *s, const struct prompt *p, int64_t mono_ms);
/* When it will be on air. False when nothing was measured yet or it is not waiting. */
bool queue_eta(const struct show *s, const struct prompt *p, int64_t mono_ms,
               struct eta_range *out);
/* The same with its position known (queue_order() gave it). */
bool queue_eta_at(const struct show *s, const struct prompt *p, int position,
                  struct eta_range *out);
/* The ETA of a prompt that would come now. */
bool queue_eta_new(const struct show *s, struct eta_range *out);
/* Appends the words of `why ID`: state, place, the sum with its terms, what is waited for. */
void queue_why(const struct show *s, const struct prompt *p, int64_t mono_ms, struct buf *out);

#endif
