/* store/inside: what the files of store/ share. */
#ifndef SAKUGA_STORE_INSIDE_H
#define SAKUGA_STORE_INSIDE_H

#include "store/store.h"

#include <pthread.h>
#include <sqlite3.h>
#include <stdatomic.h>

#define STORE_KINDS (STORE_PAGE + 1)

struct done {
    struct store_result result;
    struct prompt *page;
    bool read; /* a page: its error dooms nothing */
    struct done *next;
};

struct store {
    /* set once */
    sqlite3 *db;
    char *path;
    void (*wake)(void *user);
    void *user;
    atomic_int patience_ms;               /* for another process that holds the database */
    sqlite3_stmt *statement[STORE_KINDS]; /* store's thread, once it runs */

    /* loop thread only */
    bool started;
    pthread_t thread;
    uint64_t last_ticket, epoch;
    uint64_t doomed_from, doomed_to; /* tickets that failed at the last failure, results or not */

    pthread_mutex_t lock;
    pthread_cond_t work, idle;
    /* under lock */
    struct store_op *first, **tail;
    struct done *done, **done_tail;
    bool quit, busy;
    uint64_t failed_epoch; /* ops of this epoch or an earlier one fail unseen, ... */
    struct fault failure;  /* ... for this reason */
};

/* Says that the database is damaged, why, and how to recover it. */
enum err store_unsound(const char *path, const char *why, struct fault *f);

/* A clip's way into air/: a hard link, or a synced copy where the file system has none. */
enum err airlink_make(const char *from, const char *to, struct fault *f);

#endif
