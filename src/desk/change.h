/* desk/change: staging and applying, shared by the files of desk/ only.
 *
 * A struct change is one decision on its way through the store. While it waits it is the prompt's
 * *staged* face: the next decision about the same prompt is checked against it. */
#ifndef SAKUGA_DESK_CHANGE_H
#define SAKUGA_DESK_CHANGE_H

#include "desk/desk.h"

#define UNDO_DEPTH 100

/* A decision that can be taken back. */
struct undo {
    uint64_t ticket; /* of its change: they lie in this order */
    char what[24];
    struct prompt before; /* id 0: not about a prompt */
    enum prompt_state to;
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
    bool must;             /* a fact, not a wish: staged again until the store takes it */
    bool news;             /* the engine told it: it need not be told to stop */
    bool relink;           /* make the link in air/ once more */
    char key[16], word[8]; /* STORE_META */
    struct undo *undone;   /* what it takes back; owned */
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

    struct undo *undo[UNDO_DEPTH]; /* oldest first */
    int undo_count;
    struct undo *undoing; /* what is staged now takes this back */

    int64_t *favourites;
    int favourite_count;
    bool favourites_unknown; /* they could not be read: nothing may be pruned */
    bool recovered, ending;  /* ending: nothing new is begun */
    struct sweep *sweep;     /* the disk guard's errand while it runs */
    int64_t swept_mono;
};

/* The prompt with everything applied that is staged; NULL when unknown. */
const struct prompt *change_staged(const struct desk *d, int64_t id);

/* Begins a change of a prompt: `after` starts as the staged face. NULL without memory (answered).
 * Facts that wait for the store go before it. */
struct change *change_begin(struct desk *d, int64_t id, const char *who, const char *what,
                            struct answer a);
/* Begins a change that is not about a prompt. */
struct change *change_note(struct desk *d, const char *who, const char *what, struct answer a);
/* Stages it when the transition is legal, else answers the refusal. `rule` goes into the audit. The
 * clip's way into air/ and out of it follows from the transition. */
void change_stage(struct desk *d, struct change *c, struct store_op *op, const char *rule);
/* The op of a change, made by change_stage() when NULL. */
struct store_op *change_op(struct desk *d, struct change *c, enum store_kind kind);
void change_free(struct change *c);

/* Makes a change that is not about a prompt set a switch of the store's meta table. */
void change_switch(struct change *c, const char *key, const char *word);
/* The word that a switch will have, `applied` when none is staged. */
const char *change_switched(const struct desk *d, const char *key, const char *applied);
/* Records that the show runs (it ended by accident, as long as nobody says otherwise) or does not.
 */
void change_running(struct desk *d, bool running);
/* Waits until everything staged is committed (or refused) and applied; begins nothing. */
void change_settle(struct desk *d);
/* Stages again the facts that the store refused. */
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
/* The file moves in air/ that belong to a change. */
void air_moves(const struct desk *d, const struct change *c, struct store_op *op);
/* Takes a clip that is staged to air, or asked of the stage, back before its cut: was it in time?
 */
bool air_take_back(struct desk *d, int64_t id);
/* At the start: removes from air/ every file that no cleared or aired prompt owns. */
void air_sweep(struct desk *d);
/* Remembers an undoable change that was staged; forgets it when it failed; puts back what a failed
 * undo had taken. */
void undo_push(struct desk *d, const struct change *c);
void undo_forget(struct desk *d, uint64_t ticket);
void undo_restore(struct desk *d, struct undo *u);
void undo_free(struct desk *d);
void guard_load(struct desk *d);
void guard_favourite(struct desk *d, int64_t id, bool is);
/* Is its clip being pruned at this moment? Then it cannot be kept any more. */
bool guard_condemned(const struct desk *d, int64_t id);
void guard_free(struct desk *d);

#endif
