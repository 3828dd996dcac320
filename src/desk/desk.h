/* desk/desk: the use cases of the show, in one readable place.
 *
 * Every wish of an operator, viewer, script, engine or stage ends here. The desk checks it, stages
 * it to the store, and when the commit is through, applies it to `struct show`, publishes the
 * event, does what follows (a job to the engine, a clip to the stage) and answers. Loop thread
 * only.
 *
 * It reaches the rooms above through struct desk_ops, which app/ fills. An answer is given exactly
 * once, possibly before the call returns. */
#ifndef SAKUGA_DESK_DESK_H
#define SAKUGA_DESK_DESK_H

#include "base/path.h"
#include "show/show.h"
#include "store/store.h"

struct desk;

/* Where the outcome goes. `fn` may be NULL. `text` is one sentence, borrowed for the call. */
struct answer {
    void (*fn)(void *user, enum err e, int64_t id, const char *text);
    void *user;
};

struct desk_ops {
    /* Sends a job to the engine: the prompt is GENERATING and its clip's name is fixed. */
    void (*draw)(void *user, const struct prompt *p, const struct style *style);
    void (*stop_drawing)(void *user, int64_t id);
    /* Is the engine up and idle? */
    bool (*engine_free)(void *user);
    /* Could the stage show a clip now? */
    bool (*stage_free)(void *user);
    /* Shows a cleared clip. desk_on_air() and desk_off_air() follow. */
    void (*air)(void *user, const struct prompt *p);
    /* Takes a clip back before its cut: true when it never was in the program. */
    bool (*withdraw)(void *user, int64_t id);
    /* Ends a clip that is on air now, towards the gallery. */
    void (*cut_short)(void *user, int64_t id);
    void (*panic)(void *user);
    void (*resume)(void *user);
    /* Runs `fn(arg)` on another thread, then `done(arg)` on the loop thread. */
    void (*work)(void *user, void (*fn)(void *arg), void (*done)(void *arg), void *arg);
    void (*quit)(void *user);
};

/* `show`, `store`, `paths` and `ops` outlive the desk. */
struct desk *desk_new(struct show *show, struct store *store, const struct paths *paths,
                      const struct desk_ops *ops, void *user);
void desk_free(struct desk *d);

/* Loads the store into the show and mends what an unclean end left (doc/architecture.md, decision
 * 1): when it returns, that is committed and applied, or show->store_failed says why not. Calls
 * none of the ops. */
enum err desk_recover(struct desk *d, struct fault *f);
/* Fetches what the store has committed; call it when the store's wake-up came. */
void desk_committed(struct desk *d);
/* Picks the next job and the next clip where engine and stage are free. Call after their news. */
void desk_drive(struct desk *d);
/* Once a second: the disk guard. */
void desk_tick(struct desk *d);
/* Records a clean end, also of a show that could not start after its recovery. Call it while engine
 * and stage still answer. Everything staged is committed when it returns; nothing is begun any
 * more. */
void desk_finish(struct desk *d);

/* ---- viewers ---- */
struct submission {
    struct viewer who;
    int source; /* for replies, -1 none */
    const char *msgid;
    const char *text;  /* cleaned by text_clean() */
    const char *style; /* "" the viewer's own or the default */
    bool hold;         /* hold it whatever the gate says: a fail-closed path */
    const char *rule;  /* why it is held, "" */
};
/* Gate 1's entrance. Answers ERR_OK with the id when the prompt is stored, else the refusal. */
void desk_submit(struct desk *d, const struct submission *s, struct answer a);
void desk_vote(struct desk *d, const struct viewer *who, int64_t id, struct answer a);
/* Sets the style of the viewer's next prompts, and of the one that waits. */
void desk_choose_style(struct desk *d, const struct viewer *who, const char *style,
                       struct answer a);
/* A viewer cancels their own prompt; id 0: the newest that waits. */
void desk_cancel_own(struct desk *d, const struct viewer *who, int64_t id, struct answer a);
/* The platform took back a message, a person, or the whole chat. */
void desk_withdraw(struct desk *d, const struct chat_withdrawal *w);

/* ---- the operator (or who acts for him); `who` goes into the audit ---- */
enum desk_verb { DESK_APPROVE, DESK_REJECT, DESK_AIR, DESK_CANCEL, DESK_REROLL };
void desk_decide(struct desk *d, enum desk_verb v, int64_t id, const char *who, const char *reason,
                 struct answer a);
void desk_edit(struct desk *d, int64_t id, const char *text, const char *who, struct answer a);
void desk_priority(struct desk *d, int64_t id, int step, const char *who, struct answer a);
void desk_favourite(struct desk *d, int64_t id, const char *who, struct answer a);
void desk_undo(struct desk *d, const char *who, struct answer a);
void desk_open(struct desk *d, bool open, const char *who, struct answer a);
void desk_pause(struct desk *d, const char *why, const char *who, struct answer a);
/* Leaves pause and panic. */
void desk_resume(struct desk *d, const char *who, struct answer a);
/* To the stage first; then the show is paused and it is recorded. Waits for nothing. */
void desk_panic(struct desk *d, const char *who);
void desk_quit(struct desk *d);

/* ---- scripts ---- */
/* Keeps a script's value; "" removes it. */
void desk_value(struct desk *d, const char *scope, const char *key, const char *value,
                struct answer a);

/* ---- ctl: a page of ended prompts below an id; n < 0: it could not be read ---- */
struct desk_page {
    void (*fn)(void *user, const struct prompt *p, int n);
    void *user;
};
void desk_page(struct desk *d, int64_t below, int limit, struct desk_page to);

/* ---- the engine's news ---- */
struct desk_clip {
    const char *sha256;
    int64_t duration_ms, drawn_ms;
    bool check_failed;
    const char *check; /* words, "" */
};
void desk_drawn(struct desk *d, int64_t id, const struct desk_clip *clip);
void desk_draw_failed(struct desk *d, int64_t id, const char *why);
void desk_draw_cancelled(struct desk *d, int64_t id);
/* The worker died; id 0 when it drew nothing. */
void desk_worker_died(struct desk *d, int64_t id, const char *why);

/* ---- the stage's news ---- */
void desk_on_air(struct desk *d, int64_t id);
/* `seen`: was any of it in the program? A clip that was not goes back to wait; one that was is
 * aired. */
void desk_off_air(struct desk *d, int64_t id, bool seen, const char *why);

/* The vault path of a prompt's clip into out[PATH_LEN]; "" without a clip. */
void desk_clip_path(const struct desk *d, const struct prompt *p, char *out);
/* The same in air/. */
void desk_air_path(const struct desk *d, const struct prompt *p, char *out);

#endif
