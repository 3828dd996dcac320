/* script/letter: what the loop thread and the script thread tell each other.
 *
 * Two boxes of letters, one a direction, under one short lock each. A letter is one allocation with
 * its strings behind it and belongs to the box from letter_post() until it is taken; who takes it
 * frees it. Letters pile up while the other side is busy and are taken all at once: that is what
 * makes the crossing cheap under load. Any thread. */
#ifndef SAKUGA_SCRIPT_LETTER_H
#define SAKUGA_SCRIPT_LETTER_H

#include "show/show.h"

#include <pthread.h>
#include <stdatomic.h>

enum letter_kind {
    /* to the scripts */
    LETTER_LINE,   /* a line of chat; ticket 0: nobody waits for an answer */
    LETTER_EVENT,  /* an event of the show */
    LETTER_RESULT, /* the outcome of a call */
    LETTER_RELOAD, /* load everything anew */
    /* to the loop */
    LETTER_CALL,   /* a wish of a script; LETTER_RESULT follows when `call` is not 0 */
    LETTER_REPLY,  /* words for the viewer of a ticket */
    LETTER_DONE,   /* the handler of a ticket has ended; `err` says how */
    LETTER_LOADED, /* the scripts were loaded: styles, and the errors in `text` */
    LETTER_ERROR,  /* a script failed: `text` for the console */
};

/* What a script may wish for. */
enum call_kind {
    CALL_SUBMIT, /* text, more = style; `hold` with `rule` */
    CALL_VOTE,   /* id */
    CALL_CANCEL, /* id, 0 the newest */
    CALL_STYLE,  /* text = name */
    CALL_RUN,    /* text = a line of the command table */
    CALL_VALUE,  /* scope, text = key, more = value */
};

struct letter {
    struct letter *next;
    uint64_t serial; /* set by letter_post() */
    enum letter_kind kind;
    uint64_t ticket, call;
    enum call_kind what;
    enum err err;
    int64_t id;
    bool hold;               /* CALL_SUBMIT: whatever the gate says; LETTER_LOADED: it is in use */
    const char *text, *more; /* never NULL */
    char scope[64];          /* the script that wishes */
    char rule[160];
    struct viewer who;
    enum event_kind event;
    enum prompt_state from, to;
    struct styles *styles; /* LETTER_LOADED; malloc'ed */
};

struct box {
    pthread_mutex_t lock;
    pthread_cond_t cond;
    struct letter *first, **tail;
    uint64_t posted; /* serial of the newest */
    int count;
    bool stop;                /* the taker ends: it waits no more and is woken no more */
    void (*wake)(void *user); /* called under the lock when a letter comes into an empty box */
    void *user;
    struct snapshot *snapshot; /* the newest, for the scripts; replaced, not queued */
};

void box_init(struct box *b);
void box_destroy(struct box *b); /* frees what nobody took */

/* NULL without memory. */
struct letter *letter_new(enum letter_kind kind, const char *text, const char *more);
void letter_free(struct letter *l);
/* Hands a letter over. */
void letter_post(struct box *b, struct letter *l);
/* Everything that waits, oldest first; NULL when nothing does. */
struct letter *letter_take(struct box *b);
/* The same, but waits until something comes, the box is stopped, or `ms` have passed (-1: no end).
 * A new snapshot replaces `*snapshot`, whose reference is given back. */
struct letter *letter_wait(struct box *b, int64_t ms, struct snapshot **snapshot);

#endif
