/* store/store: the memory of the show: SQLite (WAL, synchronous=FULL) on a thread of its own.
 *
 * The loop thread stages changes and never waits. The store's thread takes all that waits, writes
 * it as one transaction, then does the file moves that go with it, and wakes the loop, which
 * fetches the results in the order staged. When a commit fails, the whole batch fails and so does
 * everything staged before the loop has learned of it: a later change may build on an earlier one,
 * and nothing that was never committed may be applied.
 * Reads (STORE_PAGE) fail for reasons of their own alone.
 *
 * All functions are for the loop thread unless they say otherwise. */
#ifndef SAKUGA_STORE_STORE_H
#define SAKUGA_STORE_STORE_H

#include "base/err.h"
#include "show/prompt.h"

#include <stddef.h>
#include <stdint.h>

struct store;

/* One decision for the audit: who did what to which prompt, when, and which rule or reason. */
struct store_decision {
    char who[160];  /* "operator", "auto", "system", or platform:uid of a viewer */
    char what[24];  /* "submit", "approve", ... */
    char rule[200]; /* the rule or the reason */
    int64_t at_utc;
    enum prompt_state from, to;
};

enum store_kind {
    STORE_PROMPT, /* write `prompt` and `decision` */
    STORE_NOTE,   /* `decision` alone: open, pause, panic, ... */
    STORE_VOTE, /* the vote of `prompt.viewer` for prompt.id with prompt.votes, once; and `decision`
                 */
    STORE_META, /* key = value, and `decision` */
    STORE_VALUE, /* a script's value: scope, key, value; value "" removes it */
    STORE_PAGE,  /* read: ended prompts with an id below prompt.id, newest first, at most `limit` */
};

/* One change. Made by store_op_new(), owned by the store from store_stage() on. */
struct store_op {
    enum store_kind kind;
    struct prompt prompt;
    struct store_decision decision;
    char scope[64], key[128];
    char *value; /* malloc'ed, freed with the op */
    int limit;
    /* What follows the commit, on the store's thread: a hard link (or copy) made, a file removed.
     */
    char *link_from, *link_to, *unlink;
    uint64_t ticket; /* set by store_stage() */
    uint64_t epoch;
    struct store_op *next;
};

/* The end of one op. `err`: the commit failed, nothing was written. `file_err`: written, but the
 * link could not be made. Borrowed for the call. */
struct store_result {
    uint64_t ticket;
    enum err err, file_err;
    struct fault fault;
    const struct prompt *page; /* STORE_PAGE */
    int page_count;
};

struct store_op *store_op_new(enum store_kind kind); /* zeroed; NULL without memory */
void store_op_free(struct store_op *op);

/* Opens or makes the database and brings its schema up to date, but not before it proved sound: a
 * damaged file is refused with words on how to recover it, and stays as it is. `vfs` is NULL for
 * the system's, else a registered SQLite VFS (tests). `wake` is called on the store's thread when
 * results wait. */
struct store *store_open(const char *path, const char *vfs, void (*wake)(void *user), void *user,
                         struct fault *f);

/* Reads every prompt that has not ended, and the newest `ended` that have, in order of id. Before
 * the first store_stage(). */
enum err store_load(struct store *s, int ended, void (*fn)(void *user, const struct prompt *p),
                    void *user, struct fault *f);
/* A value of STORE_META, "" when it is not there. Before the first store_stage(). */
enum err store_meta(struct store *s, const char *key, char *out, size_t size);
/* The highest id ever stored. Before the first store_stage(). */
int64_t store_last_id(struct store *s);
/* The ids of all favourites, also of prompts too old to be loaded. Before the first store_stage().
 */
enum err store_favourites(struct store *s, void (*fn)(void *user, int64_t id), void *user);
/* Did this prompt air with this clip, and is it not hidden since? Before the first store_stage().
 */
bool store_aired(struct store *s, int64_t id, const char *clip);
/* Every script value. Before the first store_stage(). */
enum err store_values(struct store *s,
                      void (*fn)(void *user, const char *scope, const char *key, const char *value),
                      void *user);

/* Hands over one change; returns its ticket. The first change starts the thread. */
uint64_t store_stage(struct store *s, struct store_op *op);
/* Calls `fn` for each op that has ended, in the order staged. Returns how many. */
int store_poll(struct store *s, void (*fn)(void *user, const struct store_result *r), void *user);
/* Did it fail with the last failure that store_poll() has seen? Then also when its own result is
 * still on its way. */
bool store_doomed(const struct store *s, uint64_t ticket);
/* From now on a database that another process holds is waited for 0.2 s, not 10: the show ends. */
void store_hurry(struct store *s);
/* Waits until everything staged so far has ended; results still wait for store_poll(). */
void store_drain(struct store *s);
/* Drains, ends the thread and closes. NULL is fine. */
void store_close(struct store *s);

/* Copies the database at `from` to a new file `to`, also beside a running show. Any process. */
enum err store_backup(const char *from, const char *to, struct fault *f);

#endif
