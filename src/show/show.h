/* show/show: all that the show knows, in one struct.
 *
 * Written by the desk on the loop thread, after the store has committed; read by views, `ctl` and
 * snapshots. It holds every prompt that has not ended and the SHOW_ENDED_KEPT that ended last;
 * older ones are in the store. Prompts lie in one list a state, oldest first (by id). */
#ifndef SAKUGA_SHOW_SHOW_H
#define SAKUGA_SHOW_SHOW_H

#include "show/eta.h"
#include "show/event.h"
#include "show/prompt.h"
#include "show/status.h"
#include "show/style.h"

#include <stdbool.h>
#include <stdint.h>

#define SHOW_ENDED_KEPT 200
#define SHOW_GALLERY_KEPT 200

enum gate { GATE_OPERATOR, GATE_AUTO };

/* What show.lua decides of the domain. */
struct settings {
    enum gate prompt_gate, clip_gate;
    int per_viewer;       /* prompts of one viewer that have not ended; 0 no limit */
    int64_t cooldown_s;   /* between two accepted prompts of one viewer */
    int queue;            /* held + approved; 0 no limit */
    int length;           /* grapheme clusters of a prompt */
    int64_t max_eta_s;    /* refuse when the low end of the ETA is beyond; 0 no limit */
    int64_t vault_bytes;  /* the vault is pruned to this size; 0 no limit */
    int64_t disk_reserve; /* bytes: below this no new job starts */
    char label[120];      /* AI label in the lower third */
};

/* A viewer as the show remembers one: limits and the chosen style. */
struct regular {
    struct viewer who;
    int live;              /* prompts that have not ended */
    int pending;           /* submitted, not yet committed */
    int64_t accepted_mono; /* of the last accepted prompt; INT64_MIN never */
    int64_t last_round;    /* fair queue: round of the newest prompt */
    int64_t banned_until;  /* mono ms; INT64_MAX for ever; 0 not banned */
    char style[32];        /* set by `!style`, "" default */
    struct regular *next;  /* hash chain */
};

struct item; /* a prompt in its list and hash chain */

struct show {
    struct settings set;
    bool open;   /* submissions */
    bool paused; /* no new job starts */
    bool panic;
    bool store_failed; /* the last commit failed; decisions are refused until one succeeds */
    bool disk_low;
    bool unclean;     /* the last show ended by accident */
    bool script_late; /* scripts are dead or late: built-in commands answer */
    char pause_why[160];
    char script_why[200];
    int64_t disk_free; /* bytes, -1 unknown */

    int count[PROMPT_STATES];          /* prompts in memory, by state */
    uint64_t accepted, aired, refused; /* since this start */
    int64_t last_id;                   /* highest id applied */
    int64_t round;                     /* fair queue: of the prompt picked last */

    struct obs_status obs;
    struct chat_status chat[CHAT_SOURCES_MAX];
    int chat_count;
    struct engine_status engine;
    struct picture preview; /* of the clip being drawn */
    struct picture review;  /* of the clip under review, moving */
    struct picture program; /* of OBS's program */

    struct styles styles;
    struct eta eta;
    struct events events;
    uint64_t version; /* grows with every change; a view redraws when it moved */

    /* private to show.c */
    struct item *first[PROMPT_STATES], *last[PROMPT_STATES];
    struct item **by_id;
    size_t by_id_size, by_id_count;
    struct regular **regulars;
    size_t regular_count;
    int ended;
};

/* A zeroed show with default settings. ERR_NOMEM. */
enum err show_init(struct show *s);
void show_free(struct show *s);

/* Puts the prompt's new face in place of the old one (or adds it), keeps lists, counters and the
 * viewer's figures, and publishes EVENT_PROMPT or EVENT_EDITED. The ended beyond SHOW_ENDED_KEPT
 * are forgotten. ERR_NOMEM leaves everything as it was. */
enum err show_apply(struct show *s, const struct prompt *p, const char *by, int64_t mono_ms);

/* The prompt, NULL when it is not in memory. Valid until the next show_apply(). */
const struct prompt *show_find(const struct show *s, int64_t id);

/* The first prompt of a state (lowest id), and the one after `p` in its state. */
const struct prompt *show_first(const struct show *s, enum prompt_state state);
const struct prompt *show_next(const struct show *s, const struct prompt *p);
/* The same from the newest end. */
const struct prompt *show_last(const struct show *s, enum prompt_state state);
const struct prompt *show_prev(const struct show *s, const struct prompt *p);

/* The viewer as remembered; made when new. NULL without memory. */
struct regular *show_regular(struct show *s, const struct viewer *v, int64_t mono_ms);
/* The same without making one. */
const struct regular *show_known(const struct show *s, const struct viewer *v);

/* The clip that comes after `id` in the gallery: aired, not hidden, its file in place; round and
 * round, newest first. NULL when there is none. */
const struct prompt *show_gallery_after(const struct show *s, int64_t id);

/* Marks a change that is no prompt's (a status, a lamp) and publishes it. */
void show_changed(struct show *s, enum event_kind kind, int index, int64_t mono_ms);

#endif
