/* script/snapshot: what scripts may know of the show, frozen at one moment.
 *
 * Made on the loop thread from `struct show`, read by the script thread, never changed. Counted
 * references; the last one frees it. It holds every prompt that has not ended, in the order they
 * will be drawn, up to SNAPSHOT_PROMPTS_MAX, and the counters of all. */
#ifndef SAKUGA_SCRIPT_SNAPSHOT_H
#define SAKUGA_SCRIPT_SNAPSHOT_H

#include "show/show.h"

#include <stdatomic.h>

#define SNAPSHOT_PROMPTS_MAX 1000

struct snapshot_prompt {
    int64_t id;
    enum prompt_state state;
    struct viewer viewer;
    const char *text; /* in the snapshot's own memory */
    char style[32];
    int votes, priority;
    int position; /* 1 for the next to be drawn; 0: not waiting */
    bool eta_known;
    struct eta_range eta;
};

struct snapshot {
    atomic_int refs;
    uint64_t version; /* of the show */
    bool open, paused, panic;
    int count[PROMPT_STATES];
    uint64_t accepted, aired, refused;
    int64_t drawing; /* prompt id, 0 none */
    double progress; /* of it, 0..1 */
    bool eta_known;  /* of a prompt that would come now */
    struct eta_range eta;
    int prompts;
    struct snapshot_prompt prompt[];
};

/* NULL without memory. */
struct snapshot *snapshot_new(const struct show *s, int64_t mono_ms);
void snapshot_unref(struct snapshot *s); /* NULL is fine */
/* The prompt of an id, NULL when the snapshot does not hold it. */
const struct snapshot_prompt *snapshot_find(const struct snapshot *s, int64_t id);

#endif
