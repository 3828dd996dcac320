#include "unit.h"

#include "base/log.h"
#include "base/path.h"
#include "store/store.h"
#include "tools/shimvfs.h"

#include <sqlite3.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static char dir[64], path[128];
static int wakes;

static void on_wake(void *user)
{
    (void)user;
    __atomic_add_fetch(&wakes, 1, __ATOMIC_RELAXED);
}

static int set_up(void **state)
{
    (void)state;
    strcpy(dir, "/dev/shm/sakuga-store-XXXXXX");
    assert_non_null(mkdtemp(dir));
    snprintf(path, sizeof path, "%s/show.db", dir);
    log_set_level(LOG_ERROR);
    shimvfs_register();
    shimvfs_full = false;
    shimvfs_sync_ms = 0;
    return 0;
}

static int tear_down(void **state)
{
    char command[128];
    (void)state;
    snprintf(command, sizeof command, "rm -r '%s'", dir);
    return system(command);
}

static struct store *start(const char *vfs)
{
    struct fault f = {0};
    struct store *s = store_open(path, vfs, on_wake, NULL, &f);
    if (!s)
        fail_msg("%s", fault_text(&f));
    return s;
}

static struct fault refused(void)
{
    struct fault f = {0};
    assert_null(store_open(path, NULL, on_wake, NULL, &f));
    return f;
}

static struct store_op *prompt_op(int64_t id, enum prompt_state st)
{
    struct store_op *op = store_op_new(STORE_PROMPT);
    op->prompt = (struct prompt){.id = id, .state = st, .seed = UINT64_C(1) << 52};
    strcpy(op->prompt.text, "雨の駅");
    strcpy(op->prompt.viewer.platform, "irc");
    strcpy(op->prompt.viewer.uid, "aki");
    op->decision = (struct store_decision){
        .who = "operator", .what = "test", .from = PROMPT_RECEIVED, .to = st};
    return op;
}

/* ---- what came back ---- */

#define GOT_MAX 4000
static struct got {
    uint64_t ticket;
    enum err err, file_err;
    int page;
    int64_t first, last; /* ids of the page */
    char text[480];
} got[GOT_MAX];
static int got_n;

static void take(void *user, const struct store_result *r)
{
    (void)user;
    assert_true(got_n < GOT_MAX);
    struct got *g = &got[got_n++];
    *g = (struct got){r->ticket, r->err, r->file_err, r->page_count, 0, 0, ""};
    if (r->page_count) {
        g->first = r->page[0].id;
        g->last = r->page[r->page_count - 1].id;
    }
    snprintf(g->text, sizeof g->text, "%s", r->fault.text);
}

static void settle(struct store *s)
{
    got_n = 0;
    store_drain(s);
    store_poll(s, take, NULL);
}

static int64_t ids[GOT_MAX];
static int id_n;

static void take_prompt(void *user, const struct prompt *p)
{
    (void)user;
    ids[id_n++] = p->id;
    assert_string_equal(p->text, "雨の駅");
    assert_true(p->seed == UINT64_C(1) << 52);
}

static void load(struct store *s, int ended)
{
    struct fault f = {0};
    id_n = 0;
    assert_int_equal(store_load(s, ended, take_prompt, NULL, &f), ERR_OK);
}

static int64_t ask(const char *query)
{
    sqlite3 *db;
    sqlite3_stmt *q;
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, query, -1, &q, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(q), SQLITE_ROW);
    int64_t n = sqlite3_column_int64(q, 0);
    sqlite3_finalize(q);
    sqlite3_close(db);
    return n;
}

static void run_sql(const char *sql)
{
    sqlite3 *db;
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
}

/* ---- tests ---- */

static void results_come_in_the_order_staged(void **state)
{
    struct store *s = start("shim");
    (void)state;
    shimvfs_sync_ms = 5;
    for (int i = 1; i <= 2500; i++) /* more than two batches hold */
        assert_int_equal(store_stage(s, prompt_op(i, PROMPT_HELD)), i);
    settle(s);
    assert_int_equal(got_n, 2500);
    for (int i = 0; i < got_n; i++) {
        assert_int_equal(got[i].ticket, i + 1);
        assert_int_equal(got[i].err, ERR_OK);
    }
    assert_true(wakes > 0);
    store_close(s);
    s = start(NULL);
    load(s, 10);
    assert_int_equal(id_n, 2500);
    assert_int_equal(store_last_id(s), 2500);
    assert_int_equal(ask("SELECT count(*) FROM decisions WHERE what = 'test'"), 2500);
    store_close(s);
}

static void staging_never_waits_for_a_sync(void **state)
{
    struct store *s = start("shim");
    struct timespec a, b;
    (void)state;
    shimvfs_sync_ms = 200;
    clock_gettime(CLOCK_MONOTONIC, &a);
    for (int i = 1; i <= 100; i++) {
        store_stage(s, prompt_op(i, PROMPT_HELD));
        store_poll(s, take, NULL);
    }
    clock_gettime(CLOCK_MONOTONIC, &b);
    assert_true((b.tv_sec - a.tv_sec) * 1000 + (b.tv_nsec - a.tv_nsec) / 1000000 < 200);
    shimvfs_sync_ms = 0;
    store_close(s);
}

/* The whole batch fails, and all that was staged before the failure was known; what comes after it
 * is tried anew. A read in between has reasons of its own alone. */
static void a_failure_dooms_what_was_staged_before_it_was_known(void **state)
{
    struct store *s = start("shim");
    (void)state;
    store_stage(s, prompt_op(1, PROMPT_AIRED));
    settle(s);
    shimvfs_full = true;
    uint64_t first = store_stage(s, prompt_op(2, PROMPT_HELD));
    store_drain(s);
    shimvfs_full = false; /* there is room again, but nobody has told the loop of the failure */
    uint64_t second = store_stage(s, prompt_op(3, PROMPT_HELD));
    struct store_op *page = store_op_new(STORE_PAGE);
    page->prompt.id = INT64_MAX;
    page->limit = 10;
    store_stage(s, page);
    assert_false(store_doomed(s, second));
    settle(s);
    assert_int_equal(got_n, 3);
    assert_int_equal(got[0].err, ERR_FULL);
    assert_int_equal(got[1].err, ERR_FULL);
    assert_non_null(strstr(got[1].text, "nothing was decided"));
    assert_int_equal(got[2].err, ERR_OK);
    assert_int_equal(got[2].page, 1);
    assert_true(store_doomed(s, first) && store_doomed(s, second));
    uint64_t third = store_stage(s, prompt_op(4, PROMPT_HELD));
    assert_false(store_doomed(s, third));
    settle(s);
    assert_int_equal(got[0].err, ERR_OK);
    store_close(s);
    s = start(NULL);
    load(s, 10);
    assert_int_equal(id_n, 2);
    assert_int_equal(ids[0], 1);
    assert_int_equal(ids[1], 4);
    store_close(s);
}

static void one_batch_is_all_or_nothing(void **state)
{
    struct store *s = start("shim");
    (void)state;
    shimvfs_sync_ms = 50; /* the rest gathers while the first is stored */
    store_stage(s, prompt_op(1, PROMPT_HELD));
    for (int i = 2; i <= 50; i++)
        store_stage(s, prompt_op(i, PROMPT_HELD));
    struct store_op *note = store_op_new(STORE_NOTE);
    strcpy(note->decision.what, "open");
    store_stage(s, note);
    settle(s);
    for (int i = 0; i < got_n; i++)
        assert_int_equal(got[i].err, ERR_OK);
    shimvfs_full = true;
    shimvfs_sync_ms = 0;
    for (int i = 51; i <= 60; i++)
        store_stage(s, prompt_op(i, PROMPT_HELD));
    settle(s);
    for (int i = 0; i < got_n; i++)
        assert_int_equal(got[i].err, ERR_FULL);
    shimvfs_full = false;
    assert_int_equal(ask("SELECT count(*) FROM prompts"), 50);
    assert_int_equal(ask("SELECT count(*) FROM decisions"), 51);
    store_close(s);
}

static void pages_go_down_from_an_id(void **state)
{
    struct store *s = start(NULL);
    (void)state;
    for (int i = 1; i <= 25; i++)
        store_stage(s, prompt_op(i, i % 5 ? PROMPT_REJECTED : PROMPT_HELD));
    settle(s);
    int seen = 0;
    got[0].page = 1;
    for (int64_t below = INT64_MAX; got[0].page; below = got[0].last) {
        struct store_op *page = store_op_new(STORE_PAGE);
        page->prompt.id = below;
        page->limit = 8;
        store_stage(s, page);
        settle(s);
        assert_true(got[0].first < below && got[0].last <= got[0].first);
        seen += got[0].page;
    }
    assert_int_equal(seen, 20);
    load(s, 3); /* live ones, and the newest three that ended */
    assert_int_equal(id_n, 5 + 3);
    assert_int_equal(ids[id_n - 1], 25);
    store_close(s);
}

static int values;

static void take_value(void *user, const char *scope, const char *key, const char *value)
{
    (void)user;
    values++;
    assert_string_equal(scope, "commands");
    assert_string_equal(key, "greeting");
    assert_string_equal(value, "こんにちは");
}

static void set_value(struct store *s, const char *key, const char *value)
{
    struct store_op *op = store_op_new(STORE_VALUE);
    strcpy(op->scope, "commands");
    snprintf(op->key, sizeof op->key, "%s", key);
    op->value = strdup(value);
    store_stage(s, op);
}

static void switches_values_and_favourites_are_kept(void **state)
{
    struct store *s = start(NULL);
    char v[16];
    (void)state;
    struct store_op *op = store_op_new(STORE_META);
    strcpy(op->key, "paused");
    op->value = strdup("panic");
    strcpy(op->decision.what, "panic");
    store_stage(s, op);
    set_value(s, "greeting", "hello");
    set_value(s, "greeting", "こんにちは");
    set_value(s, "gone", "x");
    set_value(s, "gone", "");
    op = prompt_op(1, PROMPT_AIRED);
    op->prompt.favourite = true;
    store_stage(s, op);
    settle(s);
    store_close(s);
    s = start(NULL);
    assert_int_equal(store_meta(s, "paused", v, sizeof v), ERR_OK);
    assert_string_equal(v, "panic");
    assert_int_equal(store_meta(s, "nothing", v, sizeof v), ERR_OK);
    assert_string_equal(v, "");
    values = 0;
    assert_int_equal(store_values(s, take_value, NULL), ERR_OK);
    assert_int_equal(values, 1);
    assert_int_equal(ask("SELECT count(*) FROM decisions WHERE what = 'panic'"), 1);
    assert_int_equal(ask("SELECT count(*) FROM prompts WHERE favourite"), 1);
    store_close(s);
}

static void a_vote_counts_once(void **state)
{
    struct store *s = start(NULL);
    (void)state;
    store_stage(s, prompt_op(1, PROMPT_HELD));
    for (int i = 0; i < 3; i++) {
        struct store_op *op = store_op_new(STORE_VOTE);
        op->prompt.id = 1;
        strcpy(op->prompt.viewer.platform, "irc");
        strcpy(op->prompt.viewer.uid, i < 2 ? "bo" : "cy");
        store_stage(s, op);
    }
    settle(s);
    assert_int_equal(got[1].file_err, ERR_OK);
    assert_int_equal(got[2].file_err, ERR_EXISTS);
    assert_int_equal(got[2].err, ERR_OK);
    assert_int_equal(got[3].file_err, ERR_OK);
    store_close(s);
    assert_int_equal(ask("SELECT count(*) FROM votes"), 2);
}

static void files_follow_the_commit(void **state)
{
    struct store *s = start("shim");
    char from[128], to[128];
    struct stat st;
    (void)state;
    snprintf(from, sizeof from, "%s/vault.mp4", dir);
    snprintf(to, sizeof to, "%s/air.mp4", dir);
    assert_int_equal(path_write(from, "clip", 4, 0600, NULL), ERR_OK);
    shimvfs_full = true;
    struct store_op *op = prompt_op(1, PROMPT_CLEARED);
    op->link_from = strdup(from);
    op->link_to = strdup(to);
    store_stage(s, op);
    settle(s);
    assert_int_equal(got[0].err, ERR_FULL);
    assert_int_not_equal(access(to, F_OK), 0); /* not without the commit */
    shimvfs_full = false;
    op = prompt_op(1, PROMPT_CLEARED);
    op->link_from = strdup(from);
    op->link_to = strdup(to);
    store_stage(s, op);
    settle(s);
    assert_int_equal(got[0].file_err, ERR_OK);
    assert_int_equal(stat(to, &st), 0);
    assert_int_equal(st.st_nlink, 2);
    op = prompt_op(1, PROMPT_REJECTED);
    op->unlink = strdup(to);
    store_stage(s, op);
    op = prompt_op(2, PROMPT_REJECTED);
    op->unlink = strdup(to); /* gone already: fine */
    store_stage(s, op);
    op = prompt_op(3, PROMPT_CLEARED);
    op->link_from = strdup("/nonexistent/clip");
    op->link_to = strdup(to);
    store_stage(s, op);
    settle(s);
    assert_int_equal(got[0].file_err, ERR_OK);
    assert_int_equal(got[1].file_err, ERR_OK);
    assert_int_equal(got[2].err, ERR_OK);
    assert_int_equal(got[2].file_err, ERR_IO);
    assert_non_null(strstr(got[2].text, "/nonexistent/clip"));
    assert_int_not_equal(access(to, F_OK), 0);
    store_close(s);
}

/* A sqlite3 shell with an open transaction: decisions wait for it, and go on. */
static void another_process_may_hold_the_database_for_a_while(void **state)
{
    struct store *s = start(NULL);
    sqlite3 *other;
    (void)state;
    store_stage(s, prompt_op(1, PROMPT_HELD));
    settle(s);
    assert_int_equal(sqlite3_open(path, &other), SQLITE_OK);
    assert_int_equal(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    store_stage(s, prompt_op(2, PROMPT_HELD));
    struct timespec three = {3, 0};
    nanosleep(&three, NULL); /* what is waited for is the time that it is held */
    got_n = 0;
    assert_int_equal(store_poll(s, take, NULL), 0);
    assert_int_equal(sqlite3_exec(other, "COMMIT", NULL, NULL, NULL), SQLITE_OK);
    settle(s);
    assert_int_equal(got[0].err, ERR_OK);
    /* at the end nobody waits long */
    assert_int_equal(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    struct timespec a, b;
    clock_gettime(CLOCK_MONOTONIC, &a);
    store_hurry(s);
    store_stage(s, prompt_op(3, PROMPT_HELD));
    settle(s);
    clock_gettime(CLOCK_MONOTONIC, &b);
    assert_true(b.tv_sec - a.tv_sec < 2);
    assert_int_equal(got[0].err, ERR_IO);
    sqlite3_close(other);
    store_close(s);
}

static void the_log_ahead_does_not_grow_for_ever(void **state)
{
    struct store *s = start(NULL);
    char wal[160];
    struct stat st;
    (void)state;
    for (int round = 0; round < 40; round++) {
        for (int i = 1; i <= 500; i++)
            store_stage(s, prompt_op(round * 500 + i, PROMPT_REJECTED));
        settle(s);
    }
    snprintf(wal, sizeof wal, "%s-wal", path);
    assert_int_equal(stat(wal, &st), 0);
    assert_true(st.st_size < 16 << 20);
    store_close(s);
}

/* ---- opening ---- */

static void an_unchanged_file(const struct buf *before)
{
    struct buf now = BUF_INIT(0);
    assert_int_equal(path_read(path, 1 << 24, &now, NULL), ERR_OK);
    assert_int_equal(now.len, before->len);
    assert_memory_equal(now.data, before->data, now.len);
    buf_free(&now);
}

static void refused_untouched(enum err e, const char *words)
{
    struct buf before = BUF_INIT(0);
    assert_int_equal(path_read(path, 1 << 24, &before, NULL), ERR_OK);
    struct fault f = refused();
    assert_int_equal(f.code, e);
    if (!strstr(f.text, words))
        fail_msg("\"%s\" is not in: %s", words, f.text);
    an_unchanged_file(&before);
    buf_free(&before);
}

static void a_newer_database_is_left_alone(void **state)
{
    (void)state;
    store_close(start(NULL));
    run_sql("PRAGMA journal_mode = DELETE; PRAGMA user_version = 99");
    refused_untouched(ERR_VERSION, "newer sakuga (schema 99");
}

static void an_older_database_is_brought_up(void **state)
{
    (void)state;
    assert_int_equal(path_write(path, "", 0, 0600, NULL), ERR_OK); /* schema 0: empty */
    store_close(start(NULL));
    assert_true(ask("PRAGMA user_version") >= 1);
    store_close(start(NULL)); /* and once is enough */
}

static void somebody_elses_database_is_refused(void **state)
{
    (void)state;
    run_sql("CREATE TABLE prompts (song TEXT); INSERT INTO prompts VALUES ('x')");
    struct fault f = refused();
    assert_int_equal(f.code, ERR_IO);
    assert_int_equal(ask("SELECT count(song) FROM prompts"), 1);
    assert_int_equal(ask("PRAGMA user_version"), 0);
    assert_int_equal(ask("SELECT count(*) FROM sqlite_schema"), 1); /* the step was taken back */
}

static void a_damaged_database_is_refused_untouched(void **state)
{
    struct store *s = start(NULL);
    struct buf b = BUF_INIT(0);
    (void)state;
    for (int i = 1; i <= 200; i++)
        store_stage(s, prompt_op(i, PROMPT_HELD));
    settle(s);
    store_close(s);
    assert_int_equal(path_read(path, 1 << 24, &b, NULL), ERR_OK);
    for (size_t at = 4096 * 2; at < b.len; at += 977)
        b.data[at] ^= 0x5a;
    assert_int_equal(path_write(path, b.data, b.len, 0600, NULL), ERR_OK);
    refused_untouched(ERR_CORRUPT, ".recover");
    assert_int_equal(path_write(path, b.data, b.len / 2, 0600, NULL), ERR_OK); /* cut */
    refused_untouched(ERR_CORRUPT, "Restore a backup");
    assert_int_equal(path_write(path, "no database at all", 18, 0600, NULL), ERR_OK);
    refused_untouched(ERR_CORRUPT, ".recover");
    buf_free(&b);
}

static void nonsense_in_a_row_is_refused(void **state)
{
    struct store *s = start(NULL);
    struct fault f = {0};
    (void)state;
    store_stage(s, prompt_op(1, PROMPT_HELD));
    settle(s);
    store_close(s);
    run_sql("UPDATE prompts SET role = 77");
    s = start(NULL);
    assert_int_equal(store_load(s, 10, take_prompt, NULL, &f), ERR_CORRUPT);
    store_close(s);
}

static void what_is_no_file_is_refused(void **state)
{
    struct fault f;
    (void)state;
    assert_int_equal(mkdir(path, 0700), 0);
    f = refused();
    assert_non_null(strstr(f.text, path));
    assert_int_equal(rmdir(path), 0);
    snprintf(path, sizeof path, "%s/none/show.db", dir);
    f = refused();
    assert_int_equal(f.code, ERR_IO);
    assert_non_null(strstr(f.text, "--data"));
}

static void a_backup_is_whole_and_private(void **state)
{
    struct store *s = start(NULL);
    char copy[160];
    struct stat st;
    struct fault f = {0};
    (void)state;
    snprintf(copy, sizeof copy, "%s/copy.db", dir);
    for (int i = 1; i <= 100; i++)
        store_stage(s, prompt_op(i, PROMPT_HELD));
    store_drain(s); /* beside the open store, with a log that was not checkpointed */
    assert_int_equal(store_backup(path, copy, &f), ERR_OK);
    assert_int_equal(store_backup(path, copy, &f), ERR_EXISTS);
    assert_int_equal(store_backup("/nonexistent/show.db", "/nonexistent/copy.db", &f),
                     ERR_NOTFOUND);
    assert_int_equal(store_backup(path, "/nonexistent/copy.db", &f), ERR_IO);
    assert_int_equal(stat(copy, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    store_close(s);
    strcpy(path, copy);
    s = start(NULL);
    load(s, 0);
    assert_int_equal(id_n, 100);
    store_close(s);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(results_come_in_the_order_staged),
        TEST(staging_never_waits_for_a_sync),
        TEST(a_failure_dooms_what_was_staged_before_it_was_known),
        TEST(one_batch_is_all_or_nothing),
        TEST(pages_go_down_from_an_id),
        TEST(switches_values_and_favourites_are_kept),
        TEST(a_vote_counts_once),
        TEST(files_follow_the_commit),
        TEST(another_process_may_hold_the_database_for_a_while),
        TEST(the_log_ahead_does_not_grow_for_ever),
        TEST(a_newer_database_is_left_alone),
        TEST(an_older_database_is_brought_up),
        TEST(somebody_elses_database_is_refused),
        TEST(a_damaged_database_is_refused_untouched),
        TEST(nonsense_in_a_row_is_refused),
        TEST(what_is_no_file_is_refused),
        TEST(a_backup_is_whole_and_private),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
