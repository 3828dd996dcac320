#include "show/prompt.h"

#include <string.h>

static const struct {
    const char *name;
    bool end;
} states[] = {
#define PROMPT_STATE_ROW(id, name, end) {name, end},
    PROMPT_STATE_MAP(PROMPT_STATE_ROW)
#undef PROMPT_STATE_ROW
};

/* Every legal move. What is not here is refused and logged. The only way to AIRING leads through
 * CLEARED, to CLEARED through REVIEW, to REVIEW with a clip through APPROVED: that is the airlock.
 */
static const struct {
    enum prompt_state from, to;
} moves[] = {
    /* gate 1 */
    {PROMPT_RECEIVED, PROMPT_HELD},
    {PROMPT_RECEIVED, PROMPT_APPROVED},
    {PROMPT_HELD, PROMPT_APPROVED},
    {PROMPT_HELD, PROMPT_REJECTED},
    {PROMPT_HELD, PROMPT_CANCELLED},
    {PROMPT_APPROVED, PROMPT_REJECTED},
    {PROMPT_APPROVED, PROMPT_CANCELLED},
    {PROMPT_APPROVED, PROMPT_HELD}, /* undo of approve */
    /* drawing */
    {PROMPT_APPROVED, PROMPT_GENERATING},
    {PROMPT_GENERATING, PROMPT_REVIEW},
    {PROMPT_GENERATING, PROMPT_FAILED},
    {PROMPT_GENERATING, PROMPT_CANCELLED},
    {PROMPT_GENERATING, PROMPT_REJECTED},
    {PROMPT_GENERATING, PROMPT_APPROVED},    /* worker or show died: drawn again */
    {PROMPT_GENERATING, PROMPT_HELD},        /* undo of approve, or the third death of the show */
    {PROMPT_GENERATING, PROMPT_QUARANTINED}, /* two workers died on it */
    /* gate 2 */
    {PROMPT_REVIEW, PROMPT_CLEARED},
    {PROMPT_REVIEW, PROMPT_REJECTED},
    {PROMPT_REVIEW, PROMPT_CANCELLED},
    {PROMPT_REVIEW, PROMPT_APPROVED}, /* reroll */
    {PROMPT_REVIEW, PROMPT_FAILED},   /* its file is gone */
    /* the air */
    {PROMPT_CLEARED, PROMPT_AIRING},
    {PROMPT_CLEARED, PROMPT_REVIEW}, /* undo of air before the cut */
    {PROMPT_CLEARED, PROMPT_REJECTED},
    {PROMPT_CLEARED, PROMPT_CANCELLED},
    {PROMPT_AIRING, PROMPT_AIRED},
    {PROMPT_AIRING, PROMPT_CLEARED},  /* the stage could not show it: it was never seen */
    {PROMPT_AIRING, PROMPT_REVIEW},   /* undo of air before the cut */
    {PROMPT_APPROVED, PROMPT_REVIEW}, /* undo of reroll: its old clip comes back */
    /* undo of an end, and a second chance */
    {PROMPT_REJECTED, PROMPT_HELD},
    {PROMPT_REJECTED, PROMPT_APPROVED},
    {PROMPT_REJECTED, PROMPT_REVIEW},
    {PROMPT_CANCELLED, PROMPT_HELD},
    {PROMPT_CANCELLED, PROMPT_APPROVED},
    {PROMPT_CANCELLED, PROMPT_REVIEW},
    {PROMPT_FAILED, PROMPT_APPROVED},
    {PROMPT_QUARANTINED, PROMPT_HELD},
};

const char *prompt_state_name(enum prompt_state s)
{
    return (unsigned)s < PROMPT_STATES ? states[s].name : "unknown";
}

const char *prompt_state_words(enum prompt_state s)
{
    return s == PROMPT_REVIEW ? "in review" : s == PROMPT_AIRING ? "on air" : prompt_state_name(s);
}

enum prompt_state prompt_state_parse(const char *name)
{
    int s = 0;
    while (s < PROMPT_STATES && strcmp(states[s].name, name))
        s++;
    return (enum prompt_state)s;
}

bool prompt_ended(enum prompt_state s)
{
    return (unsigned)s < PROMPT_STATES && states[s].end;
}

bool prompt_may(enum prompt_state from, enum prompt_state to)
{
    for (size_t i = 0; i < sizeof moves / sizeof *moves; i++)
        if (moves[i].from == from && moves[i].to == to)
            return true;
    return false;
}
