/* A desk on a real store in a folder of its own, with an engine and a stage that keep strict books:
 * they fail the test when they are asked for what the gates have not let through. */
#ifndef SAKUGA_TESTS_DESK_BENCH_H
#define SAKUGA_TESTS_DESK_BENCH_H

#include "unit.h"

#include "base/clock.h"
#include "base/log.h"
#include "desk/desk.h"
#include "show/queue.h"
#include "tools/shimvfs.h"

#include <fcntl.h>
#include <stdatomic.h>
#include <unistd.h>

struct bench {
    struct paths paths;
    struct show show;
    struct store *store;
    struct desk *desk;
    atomic_bool woke;
    const char *vfs;
    /* the engine's book */
    bool engine_up;
    int64_t drawing;
    char clip[64];
    int draws;
    /* the stage's book */
    bool stage_up, cut; /* cut: the clip is in the program */
    bool keep_airing;   /* cut_short() takes its time */
    int64_t airing;
    int airs, panics, resumes;
    int64_t on_air_ids[64];
    /* an errand on another thread: done at once, or by bench_work() */
    bool hold_work;
    void (*fn)(void *arg), (*done)(void *arg);
    void *arg;
    /* the last answer */
    int answers;
    enum err err;
    int64_t id;
    char text[600];
};

static inline void bench_answer(void *user, enum err e, int64_t id, const char *text)
{
    struct bench *b = user;
    b->answers++;
    b->err = e;
    b->id = id;
    snprintf(b->text, sizeof b->text, "%s", text);
}
#define ANSWER(b) ((struct answer){bench_answer, (b)})

static void bench_draw(void *user, const struct prompt *p, const struct style *style)
{
    struct bench *b = user;
    assert_int_equal(p->state, PROMPT_GENERATING);
    assert_int_equal(b->drawing, 0);
    assert_non_null(style);
    b->drawing = p->id;
    b->draws++;
    snprintf(b->clip, sizeof b->clip, "%s", p->clip);
}

static void bench_stop(void *user, int64_t id)
{
    struct bench *b = user;
    if (b->drawing == id)
        b->drawing = 0;
}

static bool bench_engine_free(void *user)
{
    struct bench *b = user;
    return b->engine_up && !b->drawing;
}

static bool bench_stage_free(void *user)
{
    struct bench *b = user;
    return b->stage_up && !b->airing;
}

static void bench_air(void *user, const struct prompt *p)
{
    struct bench *b = user;
    char path[PATH_LEN];
    assert_int_equal(p->state, PROMPT_AIRING);
    assert_false(b->show.panic);
    desk_air_path(b->desk, p, path);
    if (access(path, R_OK))
        fail_msg("%s was aired but is not in air/", path);
    b->airing = p->id;
    b->cut = false;
    if (b->airs < 64)
        b->on_air_ids[b->airs] = p->id;
    b->airs++;
}

static bool bench_withdraw(void *user, int64_t id)
{
    struct bench *b = user;
    if (b->airing != id || b->cut)
        return false;
    b->airing = 0;
    return true;
}

static void bench_cut_short(void *user, int64_t id)
{
    struct bench *b = user;
    if (b->airing != id || b->keep_airing)
        return;
    b->airing = 0;
    desk_off_air(b->desk, id, true, "cut short");
}

static void bench_panic(void *user)
{
    struct bench *b = user;
    b->panics++;
    if (b->airing) {
        int64_t id = b->airing;
        b->airing = 0;
        desk_off_air(b->desk, id, b->cut, "panic");
    }
}

static void bench_resume(void *user)
{
    struct bench *b = user;
    b->resumes++;
}

/* Does the errand that was held. */
static inline void bench_work(struct bench *b)
{
    void (*fn)(void *arg) = b->fn;
    assert_non_null(fn);
    b->fn = NULL;
    fn(b->arg);
    b->done(b->arg);
}

static void bench_send(void *user, void (*fn)(void *), void (*done)(void *), void *arg)
{
    struct bench *b = user;
    assert_null(b->fn);
    b->fn = fn;
    b->done = done;
    b->arg = arg;
    if (!b->hold_work)
        bench_work(b);
}

static void bench_quit(void *user)
{
    (void)user;
}

static const struct desk_ops bench_ops = {
    bench_draw,      bench_stop,  bench_engine_free, bench_stage_free, bench_air, bench_withdraw,
    bench_cut_short, bench_panic, bench_resume,      bench_send,       bench_quit};

static void bench_wake(void *user)
{
    struct bench *b = user;
    b->woke = true;
}

/* Everything staged is committed and applied, and what that staged, and so on. */
static inline void bench_settle(struct bench *b)
{
    for (int i = 0; i < 20; i++) {
        store_drain(b->store);
        b->woke = false;
        desk_committed(b->desk);
    }
}

static inline void bench_open(struct bench *b, struct fault *f)
{
    assert_int_equal(show_init(&b->show), ERR_OK);
    b->show.set.cooldown_s = 0;
    b->show.set.per_viewer = 0;
    b->show.set.disk_reserve = 0;
    b->show.set.queue = 0;
    b->store = store_open(b->paths.db, b->vfs, bench_wake, b, f);
    if (!b->store)
        fail_msg("%s", fault_text(f));
    b->desk = desk_new(&b->show, b->store, &b->paths, &bench_ops, b);
    assert_int_equal(desk_recover(b->desk, f), ERR_OK);
    /* whoever looks now sees nothing that the last show was doing */
    assert_true(b->show.store_failed ||
                (!show_first(&b->show, PROMPT_GENERATING) && !show_first(&b->show, PROMPT_AIRING)));
    desk_drive(b->desk); /* as the first tick does */
    bench_settle(b);
}

static inline void bench_start(struct bench *b, const char *vfs)
{
    struct fault f = {0};
    char dir[] = "/dev/shm/sakuga-desk-XXXXXX";
    *b = (struct bench){.engine_up = true, .stage_up = true, .vfs = vfs};
    assert_non_null(mkdtemp(dir));
    assert_int_equal(paths_init(&b->paths, dir, dir, &f), ERR_OK);
    assert_int_equal(path_mkdirs(b->paths.vault, 0700, &f), ERR_OK);
    assert_int_equal(path_mkdirs(b->paths.air, 0700, &f), ERR_OK);
    log_set_level(LOG_ERROR);
    bench_open(b, &f);
}

/* The show dies where it stands (what was committed stays) and starts again. */
static inline void bench_crash(struct bench *b)
{
    struct fault f = {0};
    store_close(b->store);
    desk_free(b->desk);
    show_free(&b->show);
    b->drawing = b->airing = 0;
    bench_open(b, &f);
}

static inline void bench_end(struct bench *b)
{
    char command[PATH_LEN + 16];
    store_close(b->store);
    desk_free(b->desk);
    show_free(&b->show);
    snprintf(command, sizeof command, "rm -r '%s'", b->paths.data);
    assert_int_equal(system(command), 0);
}

static struct viewer bench_viewer(const char *name)
{
    struct viewer v = {.platform = "irc"};
    snprintf(v.uid, sizeof v.uid, "%s", name);
    snprintf(v.name, sizeof v.name, "%s", name);
    return v;
}

static inline void bench_submit(struct bench *b, const char *who, const char *text)
{
    struct submission s = {
        .who = bench_viewer(who), .source = -1, .msgid = "", .text = text, .style = ""};
    desk_submit(b->desk, &s, ANSWER(b));
}

/* The engine finishes its job: the file appears and the desk hears of it. */
static inline void bench_drawn(struct bench *b, bool good)
{
    char path[PATH_LEN];
    struct desk_clip c = {"00", 5000, 1000, !good, good ? "" : "black: for 2 s"};
    int64_t id = b->drawing;
    path_join(path, sizeof path, b->paths.vault, b->clip);
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    close(fd);
    b->drawing = 0;
    desk_drawn(b->desk, id, &c);
}

/* A prompt from its line to REVIEW. */
static inline void bench_reviewed(struct bench *b, const char *who)
{
    bench_submit(b, who, "one");
    bench_settle(b);
    assert_int_equal(b->err, ERR_OK);
    int64_t id = b->id;
    if (b->show.set.prompt_gate == GATE_OPERATOR)
        desk_decide(b->desk, DESK_APPROVE, id, "operator", "", (struct answer){0});
    bench_settle(b);
    assert_int_equal(b->drawing, id);
    bench_drawn(b, true);
    bench_settle(b);
}

static inline enum prompt_state bench_state(const struct bench *b, int64_t id)
{
    const struct prompt *p = show_find(&b->show, id);
    return p ? p->state : PROMPT_STATES;
}

#endif
