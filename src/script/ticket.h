/* script/ticket: the loop's books: which lines wait for an answer, and which wishes are on their
 * way. For the files of script/ only. Loop thread. */
#ifndef SAKUGA_SCRIPT_TICKET_H
#define SAKUGA_SCRIPT_TICKET_H

#include "base/buf.h"
#include "script/host.h"
#include "script/script.h"

#define TICKET_BUCKETS 1024

/* A command that waits. Strings of `line` are the ticket's own. */
struct ticket {
    uint64_t id;
    struct chat_line line;
    char *text, *channel, *msgid;
    struct answer answer;
    int64_t deadline; /* mono ms */
    int in_desk;      /* calls on their way: their time is not the script's */
    bool over;        /* its handler has ended; answered when the last call has come back */
    bool touched;     /* a call changed something: the built-in command must not do it again */
    enum err err;     /* of the last call */
    int64_t prompt;   /* id of the prompt it submitted */
    struct buf said;  /* the replies, joined */
    struct ticket *prev, *next, *chain;
};

/* A wish on its way through the desk; outlives the script when it must. */
struct call {
    struct script *script; /* NULL: nobody waits any more */
    uint64_t call, ticket;
    enum call_kind what;
    struct call *prev, *next;
};

struct script {
    struct loop *loop;
    struct commands *commands;
    struct show *show;
    struct host *host;
    pthread_t thread;
    struct wake *wake;
    struct timer *timer; /* judges deadlines while tickets wait or the scripts are late */
    struct subscriber *events;
    bool started, loaded, late;
    bool empty;         /* nothing could be loaded: not even the prelude */
    uint64_t caught_up; /* serial whose handling ends the lateness */
    char why[200];      /* the error that the console shows, "" */

    struct ticket *first, *last; /* in order of deadline */
    struct ticket *bucket[TICKET_BUCKETS];
    int tickets;
    uint64_t next_ticket;
    struct call *calls;
    struct answer reload; /* who waits for a reload */
    bool reloading;

    uint64_t seen_version; /* of the show in the newest snapshot */
    int64_t next_snapshot; /* mono us: not before */
    struct script_figures figures;
};

/* NULL without memory (nothing is answered). */
struct ticket *ticket_new(struct script *s, const struct chat_line *line, struct answer a,
                          int64_t deadline);
struct ticket *ticket_find(struct script *s, uint64_t id);
/* Gives it a later deadline. */
void ticket_extend(struct script *s, struct ticket *t, int64_t deadline);
void ticket_reply(struct ticket *t, const char *text);
/* Takes it out of the books and answers with what was replied. */
void ticket_finish(struct script *s, struct ticket *t, enum err e, const char *otherwise);
/* Takes it out and lets the built-in commands answer. */
void ticket_fall_back(struct script *s, struct ticket *t);

/* call.c: carries out a wish. */
void call_carry_out(struct script *s, const struct letter *l);
/* script.c: posts a letter to the scripts, with a fresh snapshot when the show has moved. */
void script_post(struct script *s, struct letter *l);

#endif
