/* show/prompt: one viewer's request for a clip, and the one table of what may become of it.
 *
 * Pure data and rules. A struct prompt owns nothing but its own bytes, so it is copied by
 * assignment: the desk stages copies, the store writes copies, `struct show` holds the applied one.
 */
#ifndef SAKUGA_SHOW_PROMPT_H
#define SAKUGA_SHOW_PROMPT_H

#include "show/viewer.h"

#include <stdbool.h>
#include <stdint.h>

#define PROMPT_TEXT_MAX 2048 /* bytes of cleaned text, terminator included */

/* state, name in JSON and the database, is it an end */
#define PROMPT_STATE_MAP(X)                                                                        \
    X(RECEIVED, "received", false)                                                                 \
    X(HELD, "held", false)         /* waits for the operator: gate 1 */                            \
    X(APPROVED, "approved", false) /* waits for the engine */                                      \
    X(GENERATING, "generating", false)                                                             \
    X(REVIEW, "review", false)   /* a clip waits for the operator: gate 2 */                       \
    X(CLEARED, "cleared", false) /* passed both gates, waits for the stage */                      \
    X(AIRING, "airing", false)                                                                     \
    X(AIRED, "aired", true)                                                                        \
    X(REJECTED, "rejected", true)                                                                  \
    X(CANCELLED, "cancelled", true)                                                                \
    X(FAILED, "failed", true)                                                                      \
    X(QUARANTINED, "quarantined", true)

enum prompt_state {
#define PROMPT_STATE_ENUM(id, name, end) PROMPT_##id,
    PROMPT_STATE_MAP(PROMPT_STATE_ENUM)
#undef PROMPT_STATE_ENUM
        PROMPT_STATES
};

struct prompt {
    int64_t id; /* 1 for the first accepted prompt of a database */
    enum prompt_state state;
    struct viewer viewer;
    int source;     /* chat source to answer through; -1: none (`ctl say`) */
    char msgid[64]; /* the platform's message id, "" without one */
    char text[PROMPT_TEXT_MAX];
    char style[32];
    uint64_t seed;
    int priority; /* operator's, -9 .. 9 */
    int votes;
    bool edited;       /* the operator changed the text */
    bool favourite;    /* never pruned */
    bool hidden;       /* withdrawn from the gallery */
    int draws;         /* times it was handed to an engine: names the clip's file */
    int worker_deaths; /* workers that died while drawing it */
    int show_deaths;   /* shows that died while drawing it, in a row */
    char clip[64];     /* file name in the vault, "" none */
    char sha256[65];   /* of the clip's frames before encoding, hex */
    int64_t clip_ms;   /* duration of the clip */
    int64_t drawn_ms;  /* how long the drawing took */
    bool check_failed; /* a check of the clip failed: never passes an `auto` gate */
    char check[256];   /* the failed checks in words */
    char reason[200];  /* why it was rejected, failed, held, … */
    int64_t created_utc, changed_utc, aired_utc; /* milliseconds, 0 never */
    /* not stored: */
    int64_t created_mono, changed_mono; /* for ages and dwell */
    int64_t round;                      /* fair queue's virtual round, show/queue.c */
};

const char *prompt_state_name(enum prompt_state s);
/* What stands behind "it is ": "in review" for review, else the name. */
const char *prompt_state_words(enum prompt_state s);
/* PROMPT_STATES when there is no such state. */
enum prompt_state prompt_state_parse(const char *name);
/* Has its life ended (aired, rejected, cancelled, failed, quarantined)? */
bool prompt_ended(enum prompt_state s);
/* May a prompt go from one state to the other? */
bool prompt_may(enum prompt_state from, enum prompt_state to);

#endif
