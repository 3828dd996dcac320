/* desk/change: staging and applying, shared by the files of desk/ only.
 *
 * A struct change is one decision on its way through the store. While it waits it is the prompt's
 * *staged* face: the next decision about the same prompt is checked against it. */
#ifndef SAKUGA_DESK_CHANGE_H
#define SAKUGA_DESK_CHANGE_H

#include "desk/desk.h"

#define UNDO_DEPTH 100

struct undo {
    char what[24];
    struct prompt before; /* id 0: not about a prompt */
    enum prompt_state to;
    bool was_open, was_paused;
};

struct change {
    uint64_t ticket;
    enum store_kind kind;
    struct prompt before, after; /* after.id 0: not about a prompt */
    char who[160], what[24];
    char said[256]; /* the answer's text when it went well */
    struct answer answer;
    struct desk_page page;
    void (*apply)(struct desk *d, const struct change *c); /* for what is not about a prompt */
    bool flag;                                             /* what `apply` needs */
    bool undoable, fresh;                                  /* fresh: a submission */
    bool must;    /* a fact, not a wish: staged again until the store takes it */
    char key[32]; /* STORE_META: set to `flag` */
    struct change *next;
};

struct desk {
    struct show *show;
    struct store *store;
    const struct paths *paths;
    const struct desk_ops *ops;
    void *user;

    struct change *first, **tail; /* staged, oldest first */
    int pending_new;              /* submissions among them */
    struct change *must;          /* facts the store refused, oldest first */
    int64_t next_id;
    int64_t drawing;          /* id that is, or is staged to be, GENERATING; 0 none */
    int64_t airing;           /* the same for AIRING */
    int64_t retry;            /* drawn before anything else: its worker died */
    int64_t wait_stage_until; /* mono: a clip came back unseen, leave the stage a moment */
    uint64_t seed;            /* state of the seed generator */

    struct undo undo[UNDO_DEPTH];
    int undo_count, undo_at;
    bool undoing; /* what is staged now is itself an undo */

    int64_t *favourites;
    int favourite_count;
    struct sweep *sweep; /* the disk guard's errand while it runs */
    int64_t swept_mono;
};

/* The prompt with everything applied that is staged; NULL when unknown. */
const struct prompt *change_staged(const struct desk *d, int64_t id);

/* Begins a change of a prompt: `after` starts as the staged face. NULL without memory (answered).
 */
struct change *change_begin(struct desk *d, int64_t id, const char *who, const char *what,
                            struct answer a);
/* Begins a change that is not about a prompt. */
struct change *change_note(struct desk *d, const char *who, const char *what, struct answer a);
/* Stages it when the transition is legal, else answers the refusal. `rule` goes into the audit. */
void change_stage(struct desk *d, struct change *c, struct store_op *op, const char *rule);
/* The op of a prompt's change, made by change_stage() when NULL; made before to add file moves. */
struct store_op *change_op(struct desk *d, struct change *c, enum store_kind kind);

/* Moves a prompt on: the common case in one call. `reason` also becomes the prompt's. */
void change_move(struct desk *d, int64_t id, enum prompt_state to, const char *who,
                 const char *what, const char *reason, struct answer a);

/* A switch in the store's meta table: a fact. */
void change_meta(struct desk *d, const char *key, bool on);
/* Stages again what the store refused. */
void change_retry(struct desk *d);

void change_answer(struct answer a, enum err e, int64_t id, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/* A fresh seed of 53 bits. */
uint64_t change_seed(struct desk *d);

/* What follows an applied move; in draw.c and air.c. */
void draw_follow(struct desk *d, const struct change *c, const struct store_result *r);
void air_follow(struct desk *d, const struct change *c, const struct store_result *r);
void draw_next(struct desk *d);
void air_next(struct desk *d);
/* The air/ link of a prompt as part of its change. */
void air_admit(struct desk *d, struct store_op *op, const struct prompt *p);
void air_expel(struct desk *d, struct store_op *op, const struct prompt *p);
/* Takes a clip that is staged to air, or asked of the stage, back before its cut: was it in time?
 */
bool air_take_back(struct desk *d, int64_t id);
/* At the start: removes from air/ every file that no cleared or aired prompt owns. */
void air_sweep(struct desk *d);
/* Remembers an undoable change. */
void undo_push(struct desk *d, const struct change *c);
void guard_load(struct desk *d);
void guard_favourite(struct desk *d, int64_t id, bool is);
void guard_free(struct desk *d);

#endif
