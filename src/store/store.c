#include "store/inside.h"

#include "base/log.h"
#include "store/row.h"
#include "store/schema.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BATCH_MAX 1000
#define BUSY_MS 10000 /* another process may hold the database that long */
#define START_MS 2000 /* the same at the start: somebody waits */
#define HURRY_MS 200  /* the same while the show ends */
#define BUSY_STEP_MS 5
/* A database of at most that many bytes is checked while opening. */
#define CHECKED_AT_START ((off_t)16 << 20)

static const char *const sql[STORE_KINDS] = {
    [STORE_PROMPT] = "INSERT OR REPLACE INTO prompts (" ROW_COLUMNS ") VALUES (" ROW_PARAMETERS ")",
    [STORE_NOTE] = "INSERT INTO decisions (at, prompt, who, what, rule, from_state, to_state) "
                   "VALUES (?,?,?,?,?,?,?)",
    [STORE_VOTE] = "INSERT OR IGNORE INTO votes (prompt, platform, uid, at) VALUES (?,?,?,?)",
    [STORE_META] = "INSERT OR REPLACE INTO meta (key, value) VALUES (?,?)",
    [STORE_VALUE] = "INSERT OR REPLACE INTO script_values (scope, key, value) VALUES (?,?,?)",
    [STORE_PAGE] = "SELECT " ROW_SELECT " FROM prompts WHERE id < ? AND state IN "
                   "('aired','rejected','cancelled','failed','quarantined') "
                   "ORDER BY id DESC LIMIT ?",
};

struct store_op *store_op_new(enum store_kind kind)
{
    struct store_op *op = calloc(1, sizeof *op);
    if (op)
        op->kind = kind;
    return op;
}

void store_op_free(struct store_op *op)
{
    if (!op)
        return;
    free(op->value);
    free(op->link_from);
    free(op->link_to);
    free(op->unlink);
    free(op);
}

/* ---- opening ---- */

enum err store_unsound(const char *path, const char *why, struct fault *f)
{
    return fault_set(
        f, ERR_CORRUPT,
        "the database %s is damaged (%s); nothing was changed. Restore a backup over it, "
        "or run `sqlite3 %s .recover | sqlite3 new.db` and put new.db in its place, or "
        "move it away to begin anew",
        path, why, path);
}

/* A look through a read-only connection, so that a damaged file stays as it is. */
static enum err prove_sound(const char *path, struct fault *f)
{
    struct stat st;
    sqlite3 *db = NULL;
    sqlite3_stmt *q = NULL;
    enum err e = ERR_OK;
    if (stat(path, &st) || st.st_size == 0)
        return ERR_OK; /* new */
    int rc = sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL);
    sqlite3_busy_timeout(db, START_MS);
    if (rc == SQLITE_OK)
        rc = sqlite3_prepare_v2(
            db, st.st_size <= CHECKED_AT_START ? "PRAGMA quick_check(1)" : "PRAGMA schema_version",
            -1, &q, NULL);
    if (rc == SQLITE_OK)
        rc = sqlite3_step(q);
    if (rc == SQLITE_ROW && st.st_size <= CHECKED_AT_START) {
        const char *said = (const char *)sqlite3_column_text(q, 0);
        if (said && strcmp(said, "ok"))
            e = store_unsound(path, said, f);
    } else if (rc == SQLITE_CORRUPT || rc == SQLITE_NOTADB) {
        e = store_unsound(path, sqlite3_errmsg(db), f);
    } else if (rc != SQLITE_ROW) {
        e = fault_set(f, ERR_IO, "cannot read the database %s: %s", path, sqlite3_errmsg(db));
    }
    sqlite3_finalize(q);
    sqlite3_close(db);
    return e;
}

/* Somebody else (a sqlite3 shell, a copy being made) holds the lock: nobody but the store's thread
 * waits for it. */
static int on_busy(void *user, int times)
{
    struct store *s = user;
    if (times * BUSY_STEP_MS >= s->patience_ms)
        return 0;
    usleep(BUSY_STEP_MS * 1000);
    return 1;
}

static enum err open_for_writing(struct store *s, const char *vfs, struct fault *f)
{
    int fd = open(s->path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        return fault_set(f, ERR_IO,
                         "cannot write the database %s: %s; check the folder's rights, or "
                         "name another with --data",
                         s->path, strerror(errno));
    close(fd);
    int rc = sqlite3_open_v2(s->path, &s->db,
                             SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, vfs);
    s->patience_ms = START_MS;
    sqlite3_busy_handler(s->db, on_busy, s);
    if (rc == SQLITE_OK && schema_newer(s->db, s->path, f))
        return ERR_VERSION;
    if (rc == SQLITE_OK)
        rc = sqlite3_exec(s->db,
                          "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
                          "PRAGMA foreign_keys = ON; PRAGMA journal_size_limit = 4194304",
                          NULL, NULL, NULL);
    if (rc != SQLITE_OK)
        return fault_set(f, ERR_IO, "cannot open the database %s: %s", s->path,
                         sqlite3_errmsg(s->db));
    enum err e = schema_migrate(s->db, s->path, f);
    for (int i = 0; i < STORE_KINDS && !e; i++)
        if (sqlite3_prepare_v3(s->db, sql[i], -1, SQLITE_PREPARE_PERSISTENT, &s->statement[i],
                               NULL))
            e = store_unsound(s->path, sqlite3_errmsg(s->db), f);
    s->patience_ms = BUSY_MS;
    return e;
}

struct store *store_open(const char *path, const char *vfs, void (*wake)(void *user), void *user,
                         struct fault *f)
{
    struct store *s = calloc(1, sizeof *s);
    if (!s || !(s->path = strdup(path))) {
        free(s);
        fault_set(f, ERR_NOMEM, "cannot open the database %s: out of memory", path);
        return NULL;
    }
    pthread_mutex_init(&s->lock, NULL);
    pthread_cond_init(&s->work, NULL);
    pthread_cond_init(&s->idle, NULL);
    s->tail = &s->first;
    s->done_tail = &s->done;
    s->wake = wake;
    s->user = user;
    s->epoch = 1;
    s->doomed_from = 1;
    if (prove_sound(path, f) || open_for_writing(s, vfs, f)) {
        store_close(s);
        return NULL;
    }
    return s;
}

/* ---- writing: the store's thread ---- */

static int run(struct store *s, sqlite3_stmt *q)
{
    (void)s;
    int rc = sqlite3_step(q);
    sqlite3_reset(q);
    return rc == SQLITE_DONE ? SQLITE_OK : rc;
}

static int write_decision(struct store *s, const struct store_op *op)
{
    sqlite3_stmt *q = s->statement[STORE_NOTE];
    const struct store_decision *d = &op->decision;
    if (!d->what[0])
        return SQLITE_OK;
    sqlite3_bind_int64(q, 1, d->at_utc);
    if (op->prompt.id)
        sqlite3_bind_int64(q, 2, op->prompt.id);
    else
        sqlite3_bind_null(q, 2);
    sqlite3_bind_text(q, 3, d->who, -1, SQLITE_STATIC);
    sqlite3_bind_text(q, 4, d->what, -1, SQLITE_STATIC);
    sqlite3_bind_text(q, 5, d->rule, -1, SQLITE_STATIC);
    sqlite3_bind_text(q, 6, op->prompt.id ? prompt_state_name(d->from) : "", -1, SQLITE_STATIC);
    sqlite3_bind_text(q, 7, op->prompt.id ? prompt_state_name(d->to) : "", -1, SQLITE_STATIC);
    return run(s, q);
}

/* A second vote of one viewer is an error of that op alone, found here where the truth lies. */
static int write_vote(struct store *s, const struct store_op *op, bool *again)
{
    sqlite3_stmt *q = s->statement[STORE_VOTE];
    sqlite3_bind_int64(q, 1, op->prompt.id);
    sqlite3_bind_text(q, 2, op->prompt.viewer.platform, -1, SQLITE_STATIC);
    sqlite3_bind_text(q, 3, op->prompt.viewer.uid, -1, SQLITE_STATIC);
    sqlite3_bind_int64(q, 4, op->decision.at_utc);
    int rc = run(s, q);
    *again = rc == SQLITE_OK && sqlite3_changes(s->db) == 0;
    if (rc != SQLITE_OK || *again)
        return rc;
    return write_decision(s, op);
}

static int write_pair(struct store *s, const struct store_op *op)
{
    sqlite3_stmt *q = s->statement[op->kind];
    int at = 1;
    const char *value = op->value ? op->value : "";
    if (op->kind == STORE_VALUE && !value[0]) {
        sqlite3_stmt *del = NULL;
        int rc = sqlite3_prepare_v2(s->db, "DELETE FROM script_values WHERE scope = ? AND key = ?",
                                    -1, &del, NULL);
        if (rc == SQLITE_OK) {
            sqlite3_bind_text(del, 1, op->scope, -1, SQLITE_STATIC);
            sqlite3_bind_text(del, 2, op->key, -1, SQLITE_STATIC);
            rc = sqlite3_step(del) == SQLITE_DONE ? SQLITE_OK : sqlite3_errcode(s->db);
        }
        sqlite3_finalize(del);
        return rc;
    }
    if (op->kind == STORE_VALUE)
        sqlite3_bind_text(q, at++, op->scope, -1, SQLITE_STATIC);
    sqlite3_bind_text(q, at++, op->key, -1, SQLITE_STATIC);
    sqlite3_bind_text(q, at, value, -1, SQLITE_STATIC);
    return run(s, q);
}

static int write_op(struct store *s, const struct store_op *op, struct done *d)
{
    bool again = false;
    int rc = SQLITE_OK;
    switch (op->kind) {
    case STORE_PROMPT:
        row_bind(s->statement[STORE_PROMPT], &op->prompt);
        rc = run(s, s->statement[STORE_PROMPT]);
        return rc == SQLITE_OK ? write_decision(s, op) : rc;
    case STORE_NOTE:
        return write_decision(s, op);
    case STORE_VOTE:
        rc = write_vote(s, op, &again);
        if (again)
            d->result.file_err =
                fault_set(&d->result.fault, ERR_EXISTS, "you have voted for #%lld already",
                          (long long)op->prompt.id);
        return rc;
    case STORE_META:
    case STORE_VALUE:
        rc = write_pair(s, op);
        return rc == SQLITE_OK ? write_decision(s, op) : rc;
    case STORE_PAGE:
        break; /* read after the commit */
    }
    return rc;
}

static void read_page(struct store *s, const struct store_op *op, struct done *d)
{
    sqlite3_stmt *q = s->statement[STORE_PAGE];
    int n = 0, rc = SQLITE_NOMEM;
    d->read = true;
    d->page = calloc((size_t)op->limit, sizeof *d->page);
    sqlite3_bind_int64(q, 1, op->prompt.id);
    sqlite3_bind_int(q, 2, op->limit);
    while (d->page && (rc = sqlite3_step(q)) == SQLITE_ROW)
        n += row_read(q, &d->page[n]); /* LIMIT bounds n */
    sqlite3_reset(q);
    if (rc != SQLITE_DONE)
        d->result.err = fault_set(&d->result.fault, ERR_IO, "the database %s could not be read: %s",
                                  s->path, sqlite3_errstr(rc));
    d->result.page = d->page;
    d->result.page_count = n;
}

static void follow_up(struct store *s, const struct store_op *op, struct done *d)
{
    if (op->link_from)
        d->result.file_err = airlink_make(op->link_from, op->link_to, &d->result.fault);
    if (op->unlink && unlink(op->unlink) && errno != ENOENT)
        d->result.file_err = fault_set(&d->result.fault, ERR_IO, "cannot remove %s: %s", op->unlink,
                                       strerror(errno));
}

static bool only_reads(const struct store_op *batch)
{
    while (batch && batch->kind == STORE_PAGE)
        batch = batch->next;
    return !batch;
}

static enum err commit_batch(struct store *s, struct store_op *batch, struct done *done,
                             struct fault *f)
{
    if (only_reads(batch))
        return ERR_OK;
    int rc = sqlite3_exec(s->db, "BEGIN IMMEDIATE", NULL, NULL, NULL);
    for (; batch && rc == SQLITE_OK; batch = batch->next, done = done->next)
        rc = write_op(s, batch, done);
    if (rc == SQLITE_OK)
        rc = sqlite3_exec(s->db, "COMMIT", NULL, NULL, NULL);
    if (rc == SQLITE_OK)
        return ERR_OK;
    enum err e = rc == SQLITE_FULL || (rc & 0xff) == SQLITE_FULL ? ERR_FULL : ERR_IO;
    fault_set(f, e, "the database %s could not be written: %s; nothing was decided", s->path,
              sqlite3_errmsg(s->db));
    if (!sqlite3_get_autocommit(s->db))
        sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL);
    return e;
}

static struct done *results_for(const struct store_op *batch)
{
    struct done *first = NULL, **tail = &first;
    for (; batch; batch = batch->next) {
        struct done *d = calloc(1, sizeof *d);
        while (!d) { /* a result is never dropped: wait for memory */
            usleep(1000);
            d = calloc(1, sizeof *d);
        }
        d->result.ticket = batch->ticket;
        *tail = d;
        tail = &d->next;
    }
    return first;
}

/* `doom`: why an earlier batch of the epoch failed, NULL when none did. */
static void work_on(struct store *s, struct store_op *batch, const struct fault *doom)
{
    struct fault f = {0};
    struct done *done = results_for(batch), *last = done;
    enum err e = doom ? doom->code : commit_batch(s, batch, done, &f);
    struct store_op *op = batch;
    uint64_t epoch = 0;
    for (struct done *d = done; d; last = d, d = d->next, op = op->next) {
        epoch = op->epoch;
        if (op->kind == STORE_PAGE) { /* it builds on nothing that failed */
            read_page(s, op, d);
        } else if (e) {
            d->result.err = e;
            d->result.fault = doom ? *doom : f;
        } else {
            follow_up(s, op, d);
        }
    }
    while (batch) {
        op = batch->next;
        store_op_free(batch);
        batch = op;
    }
    pthread_mutex_lock(&s->lock);
    if (e && epoch > s->failed_epoch) {
        s->failed_epoch = epoch;
        s->failure = f;
    }
    *s->done_tail = done;
    s->done_tail = &last->next;
    pthread_mutex_unlock(&s->lock);
    s->wake(s->user);
}

static void *thread_main(void *arg)
{
    struct store *s = arg;
    pthread_mutex_lock(&s->lock);
    for (;;) {
        while (!s->first && !s->quit)
            pthread_cond_wait(&s->work, &s->lock);
        if (!s->first)
            break;
        struct store_op *batch = s->first, *end = batch;
        for (int n = 1; n < BATCH_MAX && end->next && end->next->epoch == batch->epoch; n++)
            end = end->next;
        s->first = end->next;
        if (!s->first)
            s->tail = &s->first;
        end->next = NULL;
        s->busy = true;
        bool doomed = batch->epoch <= s->failed_epoch;
        struct fault why = s->failure;
        pthread_mutex_unlock(&s->lock);
        work_on(s, batch, doomed ? &why : NULL);
        pthread_mutex_lock(&s->lock);
        s->busy = false;
        if (!s->first)
            pthread_cond_broadcast(&s->idle);
    }
    pthread_mutex_unlock(&s->lock);
    return NULL;
}

/* Fails an op at once. */
static void refuse(struct store *s, struct store_op *op, const char *why)
{
    struct done *d = results_for(op);
    d->result.err = fault_set(&d->result.fault, ERR_IO, "%s", why);
    store_op_free(op);
    pthread_mutex_lock(&s->lock);
    s->failure = d->result.fault;
    *s->done_tail = d;
    s->done_tail = &d->next;
    s->failed_epoch = s->epoch;
    pthread_mutex_unlock(&s->lock);
    s->wake(s->user);
}

static void start_thread(struct store *s)
{
    sigset_t all, old;
    sigfillset(&all); /* signals are the loop's */
    pthread_sigmask(SIG_SETMASK, &all, &old);
    s->started = pthread_create(&s->thread, NULL, thread_main, s) == 0;
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    if (!s->started)
        log_error("store", "cannot start the store's thread: %s", strerror(errno));
}

uint64_t store_stage(struct store *s, struct store_op *op)
{
    if (!s->started)
        start_thread(s);
    op->ticket = ++s->last_ticket;
    op->epoch = s->epoch;
    op->next = NULL;
    uint64_t ticket = op->ticket; /* after the unlock the op may be gone */
    if (!s->started) {
        refuse(s, op, "the store has no thread: the system gives none; end other programs");
        return ticket;
    }
    pthread_mutex_lock(&s->lock);
    *s->tail = op;
    s->tail = &op->next;
    pthread_cond_signal(&s->work);
    pthread_mutex_unlock(&s->lock);
    return ticket;
}

int store_poll(struct store *s, void (*fn)(void *user, const struct store_result *r), void *user)
{
    int n = 0;
    pthread_mutex_lock(&s->lock);
    struct done *d = s->done;
    s->done = NULL;
    s->done_tail = &s->done;
    uint64_t failed = s->failed_epoch;
    pthread_mutex_unlock(&s->lock);
    if (failed >= s->epoch) {
        struct done *bad = d;
        while (bad && (!bad->result.err || bad->read))
            bad = bad->next;
        s->doomed_from = bad ? bad->result.ticket : s->last_ticket + 1;
        s->doomed_to = s->last_ticket;
        s->epoch = failed + 1; /* what is staged from here on knows of the failure */
    }
    while (d) {
        struct done *next = d->next;
        fn(user, &d->result);
        free(d->page);
        free(d);
        d = next;
        n++;
    }
    return n;
}

bool store_doomed(const struct store *s, uint64_t ticket)
{
    return ticket >= s->doomed_from && ticket <= s->doomed_to;
}

void store_hurry(struct store *s)
{
    s->patience_ms = HURRY_MS;
}

void store_drain(struct store *s)
{
    if (!s->started)
        return;
    pthread_mutex_lock(&s->lock);
    while (s->first || s->busy)
        pthread_cond_wait(&s->idle, &s->lock);
    pthread_mutex_unlock(&s->lock);
}

static void forget_result(void *user, const struct store_result *r)
{
    (void)user;
    (void)r;
}

void store_close(struct store *s)
{
    if (!s)
        return;
    if (s->started) {
        pthread_mutex_lock(&s->lock);
        s->quit = true;
        pthread_cond_signal(&s->work);
        pthread_mutex_unlock(&s->lock);
        pthread_join(s->thread, NULL);
    }
    store_poll(s, forget_result, NULL);
    for (int i = 0; i < STORE_KINDS; i++)
        sqlite3_finalize(s->statement[i]);
    sqlite3_close(s->db);
    pthread_mutex_destroy(&s->lock);
    pthread_cond_destroy(&s->work);
    pthread_cond_destroy(&s->idle);
    free(s->path);
    free(s);
}
