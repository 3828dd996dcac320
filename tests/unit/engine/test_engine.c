/* The engine with real workers: a job's whole way, cancelling, deaths in every stage, playback. */
#include "unit.h"

#include "base/clock.h"
#include "engine/engine.h"
#include "engine/peer.h"

#include <dirent.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

static char dir[64];
static struct loop *loop;
static struct engine *engine;
static struct engine_job job;
static struct fault fault;

/* What the engine told since clear(). */
static struct {
    int acks, done, failed, cancelled, died, checked, trouble;
    int64_t last_id, died_id, died_ms, ack_ms;
    int pictures[PICTURE_KINDS], w, h;
    bool saw_draw, saw_encode, saw_check, passed, backwards;
    double overall, first_preview_at;
    char sha256[65], words[200], verdict[24];
    enum err code;
    const char *kill_at; /* stage in which to kill the worker */
} told;

static void on_ack(void *user, int64_t id)
{
    (void)user;
    told.acks++;
    told.ack_ms = clock_mono_ms();
    told.last_id = id;
}

static void on_progress(void *user, int64_t id, const char *stage, double fraction, double overall,
                        int64_t eta_ms)
{
    (void)user;
    (void)id;
    (void)fraction;
    (void)eta_ms;
    told.saw_draw |= strcmp(stage, "draw") == 0;
    told.saw_encode |= strcmp(stage, "encode") == 0;
    told.saw_check |= strcmp(stage, "check") == 0;
    told.backwards |= overall < told.overall;
    told.overall = overall;
    if (told.kill_at && strcmp(stage, told.kill_at) == 0 && fraction > 0) {
        kill(engine_pid(engine, false), SIGKILL);
        told.kill_at = NULL;
    }
}

static void on_picture(void *user, const struct picture_head *h, const uint8_t *rgb)
{
    (void)user;
    unsigned sum = 0;
    for (size_t i = 0; i < h->bytes; i++)
        sum += rgb[i];
    assert_true(sum > 0); /* all of it is there to read, and it is not black */
    if (h->kind == PICTURE_PREVIEW && !told.pictures[PICTURE_PREVIEW])
        told.first_preview_at = told.overall;
    told.pictures[h->kind]++;
    told.w = h->w;
    told.h = h->h;
}

static void on_done(void *user, int64_t id, const struct engine_clip *clip)
{
    (void)user;
    told.done++;
    told.last_id = id;
    told.passed = clip->passed;
    str_copy(told.sha256, sizeof told.sha256, clip->sha256);
}

static void on_failed(void *user, int64_t id, const struct fault *f)
{
    (void)user;
    told.failed++;
    told.last_id = id;
    told.code = f->code;
    str_copy(told.words, sizeof told.words, f->text);
}

static void on_cancelled(void *user, int64_t id)
{
    (void)user;
    told.cancelled++;
    told.last_id = id;
}

static void on_died(void *user, int64_t id, const char *words)
{
    (void)user;
    told.died++;
    told.died_id = id;
    told.died_ms = clock_mono_ms();
    str_copy(told.words, sizeof told.words, words);
}

static void on_checked(void *user, int64_t id, const struct engine_clip *clip)
{
    (void)user;
    told.checked++;
    told.last_id = id;
    told.passed = clip->passed;
    for (int i = 0; i < clip->verdicts_n; i++)
        if (!clip->verdicts[i].ok)
            str_copy(told.verdict, sizeof told.verdict, clip->verdicts[i].name);
}

static void on_trouble(void *user, int64_t id, const char *path, const struct fault *f)
{
    (void)user;
    (void)path;
    told.trouble++;
    told.last_id = id;
    told.code = f->code;
}

static const struct engine_ops ops = {NULL,      on_ack,       on_progress, on_picture, on_done,
                                      on_failed, on_cancelled, on_died,     on_checked, on_trouble};

#define clear() memset(&told, 0, sizeof told)

/* Runs the loop until the condition holds; fails after `ms`. */
#define UNTIL(condition, ms)                                                                       \
    do {                                                                                           \
        int64_t until_ = clock_mono_ms() + (ms);                                                   \
        while (!(condition)) {                                                                     \
            if (clock_mono_ms() > until_)                                                          \
                fail_msg("not within %d ms: %s (\"%s\")", (int)(ms), #condition, told.words);      \
            loop_step(loop, 20);                                                                   \
        }                                                                                          \
    } while (0)

static const char *worker_program(void)
{
    const char *p = getenv("SAKUGA_WORKER");
    return p ? p : "./sakuga-worker";
}

static void prepare(int64_t id, int frames)
{
    memset(&job, 0, sizeof job);
    job.id = id;
    job.attempt = 1;
    strcpy(job.prompt, "雨の街 under neon stars 🌸");
    strcpy(job.viewer, "hanako");
    strcpy(job.style, "noir");
    strcpy(job.label, "AI-generated");
    job.seed = 5;
    job.width = 416;
    job.height = 240;
    job.frames = frames;
    job.fps = 16;
    snprintf(job.path, sizeof job.path, "%s/%lld.mp4", dir, (long long)id);
}

static void submit(int64_t id, int frames)
{
    prepare(id, frames);
    assert_int_equal(engine_submit(engine, &job, &fault), ERR_OK);
}

static int files_in_vault(void)
{
    int n = 0;
    DIR *d = opendir(dir);
    for (const struct dirent *e; d && (e = readdir(d));)
        n += strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0;
    closedir(d);
    return n;
}

static void empty_vault(void)
{
    char path[512];
    DIR *d = opendir(dir);
    for (const struct dirent *e; d && (e = readdir(d));)
        if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0) {
            snprintf(path, sizeof path, "%s/%s", dir, e->d_name);
            unlink(path);
        }
    closedir(d);
}

static void start(void)
{
    struct engine_config config = {.kind = "animatic", .worker = worker_program(), .vault = dir};
    engine = engine_new(loop, &config, &ops, NULL, &fault);
    assert_non_null(engine);
    engine_start(engine);
}

static int set_up(void **state)
{
    (void)state;
    strcpy(dir, "/tmp/sakuga-test-XXXXXX");
    loop = mkdtemp(dir) ? loop_new(&fault) : NULL;
    if (!loop)
        return 1;
    clear();
    start();
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    engine_free(engine);
    loop_free(loop);
    empty_vault();
    return rmdir(dir);
}

static void test_whole_way(void **state)
{
    (void)state;
    char first[65];
    UNTIL(engine_status(engine)->state == ENGINE_IDLE, 5000);
    submit(1, 48);
    UNTIL(told.done, 15000);
    assert_int_equal(told.acks, 1);
    assert_true(told.saw_draw && told.saw_encode && told.saw_check && !told.backwards);
    assert_true(told.pictures[PICTURE_PREVIEW] > 0 && told.first_preview_at < 0.2);
    assert_true(told.w == 104 && told.h == 60);
    assert_true(told.passed);
    assert_int_equal(access(job.path, R_OK), 0);
    assert_int_equal(files_in_vault(), 1);
    assert_int_equal(engine_status(engine)->state, ENGINE_IDLE);
    str_copy(first, sizeof first, told.sha256);

    submit(2, 48); /* the same seed and prompt: the same frames */
    UNTIL(told.done == 2, 15000);
    assert_string_equal(told.sha256, first);
    prepare(3, 48);
    job.seed = 6;
    assert_int_equal(engine_submit(engine, &job, &fault), ERR_OK);
    UNTIL(told.done == 3, 15000);
    assert_string_not_equal(told.sha256, first);
}

static void test_warm_ack(void **state)
{
    (void)state;
    UNTIL(engine_status(engine)->state == ENGINE_IDLE, 5000);
    submit(1, 4);
    int64_t sent = clock_mono_ms();
    UNTIL(told.acks, 5000);
    print_message("submit to acknowledgement: %lld ms\n", (long long)(told.ack_ms - sent));
    UNTIL(told.done, 5000);
}

static void test_cancel(void **state)
{
    (void)state;
    submit(1, 1024);
    submit(2, 4);
    submit(3, 4);
    UNTIL(told.overall > 0.01, 10000);
    assert_int_equal(engine_cancel(engine, 3), ERR_OK); /* waiting */
    assert_int_equal(told.cancelled, 0);                /* never from inside the call */
    UNTIL(told.cancelled == 1 && told.last_id == 3, 1000);
    assert_int_equal(engine_cancel(engine, 1), ERR_OK); /* running */
    UNTIL(told.cancelled == 2, 2000);
    assert_int_equal(told.last_id, 1);
    UNTIL(told.done == 1, 10000);
    assert_int_equal(told.last_id, 2);
    assert_int_equal(files_in_vault(), 1);
    assert_int_equal(engine_cancel(engine, 1), ERR_NOTFOUND);
}

/* Nothing of a short job may come to its end in a time that is plenty for it. */
static void stands_still(int64_t id)
{
    submit(id, 8);
    UNTIL(told.acks, 5000);
    int64_t until = clock_mono_ms() + 1000;
    while (clock_mono_ms() < until)
        loop_step(loop, 20);
    assert_int_equal(told.done, 0);
}

static void test_throttle(void **state)
{
    (void)state;
    UNTIL(engine_status(engine)->state == ENGINE_IDLE, 5000);
    submit(1, 8);
    UNTIL(told.done, 15000);
    clear();
    engine_throttle(engine, 1); /* rests of 20 s */
    assert_true(engine_status(engine)->throttle == 1);
    stands_still(2);
    engine_throttle(engine, 0); /* ends the rest that runs */
    UNTIL(told.done, 15000);
    clear();
    engine_throttle(engine, 1);
    stands_still(3);
    engine_cancel(engine, 3); /* ends it too */
    UNTIL(told.cancelled, 2000);
    kill(engine_pid(engine, false), SIGKILL);
    UNTIL(told.died, 5000);
    clear();
    stands_still(4); /* the next worker was told */
    engine_throttle(engine, 0.5);
    UNTIL(told.done, 15000);
}

static void test_queue(void **state)
{
    (void)state;
    for (int i = 1; i <= ENGINE_JOBS_MAX; i++) /* before the worker is up: all wait */
        submit(i, 2);
    prepare(99, 2);
    assert_int_equal(engine_submit(engine, &job, &fault), ERR_FULL);
    engine_cancel(engine, 5);
    prepare(7, 2);
    assert_int_equal(engine_submit(engine, &job, &fault), ERR_EXISTS);
    UNTIL(told.done + told.cancelled == ENGINE_JOBS_MAX, 30000);
    assert_int_equal(told.cancelled, 1);
    assert_int_equal(told.last_id, ENGINE_JOBS_MAX); /* in order */
}

static void kill_in(const char *stage)
{
    char path[512];
    for (int64_t id = 1; id < 20; id++) {
        clear();
        told.kill_at = stage;
        submit(id, 40);
        str_copy(path, sizeof path, job.path);
        UNTIL(told.died || told.done, 15000);
        if (told.done) /* it was faster than the signal: again */
            continue;
        assert_int_equal(told.died_id, id);
        assert_non_null(strstr(told.words, "signal 9"));
        assert_int_not_equal(access(path, F_OK), 0); /* nothing under the final name */
        submit(id + 100, 4);
        UNTIL(told.acks == 2 || told.done, 5000);
        if (told.ack_ms - told.died_ms > 1000)
            fail_msg("%lld ms from death to the next acknowledgement",
                     (long long)(told.ack_ms - told.died_ms));
        UNTIL(told.done, 10000);
        assert_int_equal(told.last_id, id + 100);
        return;
    }
    fail_msg("the worker could not be killed in stage %s", stage);
}

static void test_kill_in_draw(void **state)
{
    (void)state;
    kill_in("draw");
    empty_vault();
}

static void test_kill_in_encode(void **state)
{
    (void)state;
    kill_in("encode");
}

static void test_kill_in_check(void **state)
{
    (void)state;
    kill_in("check");
}

static void test_idle_death_tells_no_job(void **state)
{
    (void)state;
    UNTIL(engine_status(engine)->state == ENGINE_IDLE, 5000);
    kill(engine_pid(engine, false), SIGKILL);
    UNTIL(told.died, 2000);
    assert_int_equal(told.died_id, 0);
    submit(1, 2); /* while it restarts */
    UNTIL(told.done, 10000);
}

static void test_hung_worker_is_killed(void **state)
{
    (void)state;
    submit(1, 1024);
    UNTIL(told.overall > 0.01, 10000);
    pid_t pid = engine_pid(engine, false);
    kill(pid, SIGSTOP);
    UNTIL(told.died, PEER_SILENCE_MS + 3000);
    assert_int_equal(told.died_id, 1);
    assert_non_null(strstr(told.words, "no sign of life"));
    assert_int_not_equal(kill(pid, 0), 0);
}

static void test_hung_cancel(void **state)
{
    (void)state;
    submit(1, 1024);
    UNTIL(told.overall > 0.01, 10000);
    kill(engine_pid(engine, false), SIGSTOP);
    engine_cancel(engine, 1);
    UNTIL(told.cancelled, 4500); /* killed, and told as what was asked for */
    assert_int_equal(told.died, 0);
}

static void refused(const char *path)
{
    prepare(1, 4);
    str_copy(job.path, sizeof job.path, path);
    clear();
    assert_int_equal(engine_submit(engine, &job, &fault), ERR_OK);
    UNTIL(told.failed, 10000);
    assert_int_equal(told.code, ERR_DENIED);
    assert_int_equal(told.acks, 0);
}

static void test_paths_out_of_the_vault(void **state)
{
    (void)state;
    char path[512], outside[] = "/tmp/sakuga-out-XXXXXX";
    assert_non_null(mkdtemp(outside));
    snprintf(path, sizeof path, "%s/../escape.mp4", dir);
    refused(path);
    refused("/tmp/escape.mp4");
    refused("escape.mp4");
    snprintf(path, sizeof path, "%s/.hidden.mp4", dir);
    refused(path);
    snprintf(path, sizeof path, "%s/", dir);
    refused(path);
    snprintf(path, sizeof path, "%s/link", dir);
    assert_int_equal(symlink(outside, path), 0);
    snprintf(path, sizeof path, "%s/link/x.mp4", dir);
    refused(path);
    assert_int_equal(rmdir(outside), 0); /* nothing was written there */
}

static void test_playback(void **state)
{
    (void)state;
    char clip[512];
    submit(1, 16); /* one second */
    UNTIL(told.done, 10000);
    str_copy(clip, sizeof clip, job.path);
    int64_t began = clock_mono_ms();
    engine_play(engine, clip, 1, 200, 120);
    UNTIL(told.pictures[PICTURE_REVIEW] >= 40, 8000); /* it loops */
    int64_t took = clock_mono_ms() - began;
    if (took < 2200) /* 40 pictures at 16 a second are 2.44 s after the first */
        fail_msg("40 pictures in %lld ms: not in real time", (long long)took);
    assert_true(told.w == 200 && told.h == 115);
    engine_picture(engine, clip, 77, 64, 64);
    engine_check(engine, clip, 78, 16, 16);
    UNTIL(told.pictures[PICTURE_STILL] && told.checked, 8000);
    assert_true(told.passed && told.last_id == 78);
    engine_stop_play(engine);
    engine_picture(engine, clip, 79, 64, 64); /* comes after the stop was heard */
    UNTIL(told.pictures[PICTURE_STILL] == 2, 8000);
    int seen = told.pictures[PICTURE_REVIEW];
    engine_check(engine, clip, 80, 99, 16);
    UNTIL(told.checked == 2, 8000);
    assert_string_equal(told.verdict, "length");
    assert_int_equal(told.pictures[PICTURE_REVIEW], seen);
}

/* No machine decodes 2000 big pictures a second: it is late from the first one to the last. */
static void test_playback_that_cannot_keep_up_is_stopped(void **state)
{
    (void)state;
    char clip[512], command[700];
    snprintf(clip, sizeof clip, "%s/fast.mp4", dir);
    snprintf(command, sizeof command,
             "ffmpeg -v error -f lavfi -i testsrc2=s=1280x720:r=2000:d=0.05 -c:v libx264 "
             "-preset ultrafast -pix_fmt yuv420p -video_track_timescale 16000 -y %s",
             clip);
    assert_int_equal(system(command), 0);
    engine_play(engine, clip, 1, 1280, 720);
    UNTIL(told.pictures[PICTURE_REVIEW] > 3, 8000);
    submit(2, 16);
    UNTIL(told.done, 10000);
    engine_play(engine, job.path, 2, 64, 64);
    UNTIL(told.w == 64, 3000);
    engine_stop_play(engine);
}

static void test_media_trouble(void **state)
{
    (void)state;
    char path[512];
    snprintf(path, sizeof path, "%s/none.mp4", dir);
    engine_play(engine, path, 5, 200, 120);
    UNTIL(told.trouble == 1, 5000);
    assert_int_equal(told.code, ERR_NOTFOUND);
    engine_picture(engine, path, 6, 64, 64);
    UNTIL(told.trouble == 2 && told.last_id == 6, 5000);
    FILE *out = fopen(path, "w");
    fputs("no clip", out);
    fclose(out);
    engine_check(engine, path, 7, 0, 0);
    UNTIL(told.checked, 5000);
    assert_false(told.passed);
    assert_string_equal(told.verdict, "decode");
}

static void test_media_death_leaves_drawing_alone(void **state)
{
    (void)state;
    char clip[512];
    submit(1, 16);
    UNTIL(told.done, 10000);
    str_copy(clip, sizeof clip, job.path);
    engine_play(engine, clip, 1, 200, 120);
    UNTIL(told.pictures[PICTURE_REVIEW] > 2, 5000);
    submit(2, 48);
    kill(engine_pid(engine, true), SIGKILL);
    UNTIL(told.trouble, 2000); /* what it played is given up */
    assert_int_equal(told.last_id == 1 || told.last_id == 2, 1);
    engine_play(engine, clip, 3, 200, 120);
    int seen = told.pictures[PICTURE_REVIEW];
    UNTIL(told.pictures[PICTURE_REVIEW] > seen, 3000);
    UNTIL(told.done == 2, 10000);
    assert_int_equal(told.died, 0);
}

static void test_no_program(void **state)
{
    (void)state;
    struct engine_config config = {
        .kind = "animatic", .worker = "/nonexistent/worker", .vault = dir};
    engine_free(engine);
    engine = engine_new(loop, &config, &ops, NULL, &fault);
    engine_start(engine);
    UNTIL(engine_status(engine)->why[0], 2000);
    assert_int_equal(engine_status(engine)->state, ENGINE_DOWN);
    submit(1, 2); /* waits; is not lost and not told as ended */
    UNTIL(strstr(engine_status(engine)->why, "nonexistent"), 2000);
    assert_true(!told.done && !told.failed && !told.died);
    /* A worker that cannot use its vault says so, and so does the engine. */
    config.worker = worker_program();
    config.vault = "/nonexistent/vault";
    engine_free(engine);
    engine = engine_new(loop, &config, &ops, NULL, &fault);
    engine_start(engine);
    UNTIL(strstr(engine_status(engine)->why, "/nonexistent/vault"), 5000);
    /* Nor can a worker draw with a model that is not there. */
    config.kind = "wan";
    config.vault = dir;
    config.model = "/nonexistent/model";
    engine_free(engine);
    engine = engine_new(loop, &config, &ops, NULL, &fault);
    engine_start(engine);
    UNTIL(strstr(engine_status(engine)->why, "/nonexistent/model"), 5000);
    config.kind = "crystal ball";
    assert_null(engine_new(loop, &config, &ops, NULL, &fault));
    assert_int_equal(fault.code, ERR_UNSUPPORTED);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_whole_way),
        TEST(test_warm_ack),
        TEST(test_cancel),
        TEST(test_throttle),
        TEST(test_queue),
        TEST(test_kill_in_draw),
        TEST(test_kill_in_encode),
        TEST(test_kill_in_check),
        TEST(test_idle_death_tells_no_job),
        TEST(test_hung_worker_is_killed),
        TEST(test_hung_cancel),
        TEST(test_paths_out_of_the_vault),
        TEST(test_playback),
        TEST(test_playback_that_cannot_keep_up_is_stopped),
        TEST(test_media_trouble),
        TEST(test_media_death_leaves_drawing_alone),
        TEST(test_no_program),
    };
    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
