/* The worker as a bare process: what it writes, how it ends, what it refuses. */
#include "unit/wan/tiny.h"

#include "base/clock.h"
#include "engine/protocol.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char dir[64];
static struct report report;
static struct order order;
static struct fault fault;
static struct proc {
    pid_t pid;
    int in, out, err;
    struct buf lines;
} worker;
static int pictures = -1; /* what the next worker gets as descriptor 3, -1 nothing */

static const char *program(void)
{
    const char *p = getenv("SAKUGA_WORKER");
    return p ? p : "./sakuga-worker";
}

static void spawn(void)
{
    int in[2], out[2], err[2];
    assert_int_equal(pipe2(in, O_CLOEXEC) | pipe2(out, O_CLOEXEC) | pipe2(err, O_CLOEXEC), 0);
    worker.pid = fork();
    if (worker.pid == 0) {
        dup2(in[0], 0);
        dup2(out[1], 1);
        dup2(err[1], 2);
        if (pictures >= 0)
            dup2(pictures, 3);
        else
            close(3);
        execl(program(), program(), (char *)NULL);
        _exit(127);
    }
    close(in[0]);
    close(out[1]);
    close(err[1]);
    worker.in = in[1];
    worker.out = out[0];
    worker.err = err[0];
    worker.lines = BUF_INIT(0);
}

static void say(const char *line)
{
    assert_int_equal(write(worker.in, line, strlen(line)), (ssize_t)strlen(line));
    assert_int_equal(write(worker.in, "\n", 1), 1);
}

static void send_order(void)
{
    struct buf b = BUF_INIT(0);
    assert_true(protocol_print_order(&b, &order));
    say(buf_str(&b));
    buf_free(&b);
}

/* The next report; every line of its output must be one. False at the end of its output. */
static bool hear(int ms)
{
    int64_t until = clock_mono_ms() + ms;
    for (;;) {
        char *nl = worker.lines.len ? memchr(worker.lines.data, '\n', worker.lines.len) : NULL;
        if (nl) {
            size_t n = (size_t)(nl - worker.lines.data);
            if (protocol_parse_report(worker.lines.data, n, &report, &fault) != ERR_OK)
                fail_msg("not a report: %.*s (%s)", (int)n, worker.lines.data, fault.text);
            buf_drop(&worker.lines, n + 1);
            return true;
        }
        struct pollfd p = {.fd = worker.out, .events = POLLIN};
        int64_t left = until - clock_mono_ms();
        if (left <= 0 || poll(&p, 1, (int)left) <= 0)
            fail_msg("the worker said nothing for %d ms", ms);
        ssize_t n = read(worker.out, buf_room(&worker.lines, 65536), 65536);
        if (n <= 0)
            return false;
        buf_grown(&worker.lines, (size_t)n);
    }
}

/* Hears on until a report of that kind about that job. */
static void expect(enum report_kind kind, int64_t id)
{
    for (int i = 0; i < 10000; i++) {
        if (!hear(10000))
            fail_msg("the worker ended");
        if (report.kind == kind && report.id == id)
            return;
        if ((report.kind == REPORT_FAILED || report.kind == REPORT_DONE) && report.id == id)
            fail_msg("job %lld ended otherwise: %s", (long long)id, report.text);
    }
    fail_msg("no such report");
}

/* The worker allows itself a second; a busy machine is slower to tell. Only a hang takes this. */
#define GONE_MS 10000

static int end_within(int ms)
{
    int status = 0;
    int64_t until = clock_mono_ms() + ms;
    while (waitpid(worker.pid, &status, WNOHANG) == 0) {
        if (clock_mono_ms() > until) {
            kill(worker.pid, SIGKILL);
            waitpid(worker.pid, &status, 0);
            fail_msg("the worker did not end within %d ms", ms);
        }
        poll(NULL, 0, 5);
    }
    close(worker.out);
    close(worker.err);
    buf_free(&worker.lines);
    return status;
}

static void configure(const char *vault, bool media)
{
    memset(&order, 0, sizeof order);
    order.kind = ORDER_CONFIG;
    order.media = media;
    str_copy(order.path, sizeof order.path, vault);
    send_order();
    expect(REPORT_HELLO, 0);
}

static void send_job(int64_t id, int w, int h, int frames, const char *vault)
{
    struct engine_job *j = &order.job;
    memset(&order, 0, sizeof order);
    order.kind = ORDER_JOB;
    j->id = id;
    j->attempt = 1;
    strcpy(j->prompt, "星空 and the sea ✨");
    strcpy(j->viewer, "hanako");
    strcpy(j->style, "ghibli");
    j->palette[0] = 0x102040;
    j->palette[1] = 0x80a0f0;
    j->palette[2] = 0xfff0e0;
    j->palette_n = 3;
    j->seed = UINT64_C(12345678901234567890);
    j->width = w;
    j->height = h;
    j->frames = frames;
    j->fps = 16;
    snprintf(j->path, sizeof j->path, "%s/%lld.mp4", vault, (long long)id);
    send_order();
}

static int files_in(const char *path)
{
    int n = 0;
    DIR *d = opendir(path);
    for (const struct dirent *e; d && (e = readdir(d));)
        n += strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0;
    closedir(d);
    return n;
}

/* Finished checkpoints: the next one may be half written beside them at any time. */
static int checkpoints_in(const char *path)
{
    int n = 0;
    DIR *d = opendir(path);
    for (const struct dirent *e; d && (e = readdir(d));) {
        const char *dot = strrchr(e->d_name, '.');
        n += dot && strcmp(dot, ".ckpt") == 0;
    }
    closedir(d);
    return n;
}

/* Runs a shell command and returns its exit status; its output into `out`. */
static int shell(char *out, size_t size, const char *fmt, ...)
{
    char command[2048];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(command, sizeof command, fmt, ap);
    va_end(ap);
    FILE *p = popen(command, "r");
    assert_non_null(p);
    size_t n = fread(out, 1, size - 1, p);
    out[n] = '\0';
    int status = pclose(p);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static long find(const char *data, size_t n, const char *box)
{
    const char *at = memmem(data, n, box, 4);
    return at ? (long)(at - data) : -1;
}

static void test_clip_and_recipe(void **state)
{
    (void)state;
    char out[16384], path[512], sha[65];
    struct buf file = BUF_INIT(0);
    spawn();
    configure(dir, false);
    send_job(1, 832, 480, 81, dir);
    expect(REPORT_ACK, 1);
    expect(REPORT_DONE, 1);
    str_copy(sha, sizeof sha, report.sha256);
    str_copy(path, sizeof path, report.path);
    assert_int_equal(report.frames, 81);
    assert_true(protocol_passed(report.verdicts, report.verdicts_n));

    assert_int_equal(shell(out, sizeof out,
                           "ffprobe -v error -count_frames -select_streams v -show_entries stream="
                           "codec_name,width,height,pix_fmt,color_range,color_space,"
                           "color_transfer,color_primaries,r_frame_rate,nb_read_frames:"
                           "format=nb_streams -of default=nw=1 %s",
                           path),
                     0);
    static const char *const facts[] = {"codec_name=h264\n",      "width=832\n",
                                        "height=480\n",           "pix_fmt=yuv420p\n",
                                        "color_range=tv\n",       "color_space=bt709\n",
                                        "color_transfer=bt709\n", "color_primaries=bt709\n",
                                        "r_frame_rate=16/1\n",    "nb_read_frames=81\n",
                                        "nb_streams=1\n"};
    for (size_t i = 0; i < sizeof facts / sizeof *facts; i++)
        if (!strstr(out, facts[i]))
            fail_msg("ffprobe does not say %s in %s", facts[i], out);
    assert_int_equal(path_read(path, 64 << 20, &file, &fault), ERR_OK);
    long moov = find(file.data, file.len, "moov"), mdat = find(file.data, file.len, "mdat");
    assert_true(moov > 0 && mdat > moov);
    buf_free(&file);

    assert_int_equal(shell(out, sizeof out, "%s --inspect %s", program(), path), 0);
    assert_non_null(strstr(out, sha));
    assert_non_null(strstr(out, "\"seed\":\"12345678901234567890\""));
    assert_non_null(strstr(out, "星空 and the sea ✨"));
    assert_non_null(strstr(out, "\"engine\":\"animatic\""));
    close(worker.in);
    assert_int_equal(end_within(GONE_MS), 0);
    unlink(path);
}

/* ---- the model, with the tiny checkpoint ---- */

static char model[128];

static void configure_wan(const char *vault)
{
    memset(&order, 0, sizeof order);
    order.kind = ORDER_CONFIG;
    str_copy(order.path, sizeof order.path, vault);
    strcpy(order.engine, "wan");
    strcpy(order.device, "cpu");
    str_copy(order.model, sizeof order.model, model);
    send_order();
    expect(REPORT_HELLO, 0);
    assert_string_equal(report.engine, "wan");
}

static void make_model(void)
{
    snprintf(model, sizeof model, "%s-model", dir);
    tiny_t2v(model);
}

static void send_clip(int64_t id, int steps, int frames)
{
    struct engine_job *j = &order.job;
    memset(&order, 0, sizeof order);
    order.kind = ORDER_JOB;
    j->id = id;
    j->attempt = 1;
    strcpy(j->prompt, "a fox over neon roofs");
    j->width = j->height = 64;
    j->frames = frames;
    j->fps = 16;
    j->steps = steps;
    j->lora[0] = (struct job_lora){"nowhere", 1, false}; /* a style's: left out with a warning */
    j->lora_n = 1;
    snprintf(j->path, sizeof j->path, "%s/%lld.mp4", dir, (long long)id);
    send_order();
    expect(REPORT_ACK, id);
}

static void cancel(int64_t id)
{
    memset(&order, 0, sizeof order);
    order.kind = ORDER_CANCEL;
    order.id = id;
    send_order();
    expect(REPORT_CANCELLED, id);
}

/* Until the sampling of the job is that far. */
static void sampled(int64_t id, double fraction)
{
    do
        expect(REPORT_PROGRESS, id);
    while (strcmp(report.stage, "sample") != 0 || report.fraction < fraction);
}

/* Counts the pictures that wait: of latents, and of frames. */
static void take_previews(int fd, int *latents, int *frames)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};
    while (poll(&p, 1, 0) == 1 && p.revents & POLLIN) {
        uint8_t raw[PICTURE_HEADER], rgb[64 * 64 * 3];
        struct picture_head h;
        if (read(fd, raw, sizeof raw) != sizeof raw)
            return;
        assert_int_equal(protocol_get_head(raw, &h, &fault), ERR_OK);
        assert_int_equal(h.kind, PICTURE_PREVIEW);
        assert_true(h.bytes <= sizeof rgb);
        for (size_t n = 0; n < h.bytes;)
            n += (size_t)read(fd, rgb + n, h.bytes - n);
        *latents += h.w == 8;
        *frames += h.w == 16;
    }
}

/* The stages in their order, previews of latents after each step and of frames as they come. */
static void test_model_clip(void **state)
{
    static const char *const stages[] = {"text", "load", "sample", "decode", "encode", "check"};
    int fd[2], latents = 0, frames = 0;
    size_t at = 0;
    double overall = 0;
    (void)state;
    make_model();
    assert_int_equal(pipe2(fd, O_CLOEXEC), 0);
    pictures = fd[1];
    spawn();
    pictures = -1;
    close(fd[1]);
    configure_wan(dir);
    send_clip(1, 4, 9);
    while (hear(10000) && report.kind != REPORT_DONE) {
        assert_int_not_equal(report.kind, REPORT_FAILED);
        take_previews(fd[0], &latents, &frames);
        if (report.kind != REPORT_PROGRESS)
            continue;
        assert_true(report.overall >= overall);
        overall = report.overall;
        while (at < 6 && strcmp(report.stage, stages[at]) != 0)
            at++;
        if (at == 6)
            fail_msg("the stage %s came late, or is not known", report.stage);
    }
    take_previews(fd[0], &latents, &frames);
    assert_int_equal(report.frames, 9);
    assert_int_equal(at, 5);
    assert_true(latents > 0 && frames > 0);
    assert_int_equal(files_in(dir), 1);
    unlink(report.path);
    close(worker.in);
    assert_int_equal(end_within(GONE_MS), 0);
    close(fd[0]);
    tiny_remove(model);
}

/* Within a step, and nothing is left. The end of the input keeps the checkpoint, and the next
 * worker goes on from it. */
static void test_model_stops(void **state)
{
    (void)state;
    make_model();
    spawn();
    configure_wan(dir);
    send_clip(2, 200, 81);
    sampled(2, 0.04);
    assert_int_equal(checkpoints_in(dir), 1); /* of the fifth step */
    cancel(2);                                /* a job that went on to its end would be done */
    assert_int_equal(files_in(dir), 0);

    send_clip(3, 200, 81);
    sampled(3, 0.04);
    close(worker.in);
    assert_int_equal(end_within(GONE_MS), 0);
    assert_int_equal(checkpoints_in(dir), 1);
    spawn();
    configure_wan(dir);
    send_clip(3, 200, 81);
    sampled(3, 0);
    assert_true(report.fraction > 0.02);
    cancel(3);
    close(worker.in);
    assert_int_equal(end_within(GONE_MS), 0);
    assert_int_equal(files_in(dir), 0);
    tiny_remove(model);
}

/* A job whose clip cannot be finished has drawn it all the same: asked for again, where there is
 * room now, it goes on from its last step. */
static void test_model_fails(void **state)
{
    char path[256], out[8192];
    (void)state;
    make_model();
    spawn();
    configure_wan(dir);
    snprintf(path, sizeof path, "%s/5.mp4", dir);
    assert_int_equal(mkdir(path, 0700), 0); /* no file can have that name */
    send_clip(5, 4, 5);
    expect(REPORT_FAILED, 5);
    assert_non_null(strstr(report.text, "cannot name the clip"));
    assert_int_equal(rmdir(path), 0);
    assert_int_equal(files_in(dir), 1);
    send_clip(5, 4, 5);
    expect(REPORT_DONE, 5);
    assert_int_equal(files_in(dir), 1);
    assert_int_equal(shell(out, sizeof out, "%s --inspect %s", program(), path), 0);
    assert_non_null(strstr(out, "\"resumed\":4"));
    unlink(path);
    close(worker.in);
    assert_int_equal(end_within(GONE_MS), 0);
    tiny_remove(model);
}

static void test_inspect_without_recipe(void **state)
{
    (void)state;
    char out[4096];
    assert_int_equal(shell(out, sizeof out,
                           "ffmpeg -v error -f lavfi -i testsrc=d=0.2 -y %s/plain.mp4 2>&1", dir),
                     0);
    assert_int_equal(shell(out, sizeof out, "%s --inspect %s/plain.mp4 2>&1", program(), dir), 1);
    assert_non_null(strstr(out, "carries no sakuga recipe"));
    assert_int_equal(shell(out, sizeof out, "%s --inspect %s/nothing.mp4 2>&1", program(), dir), 1);
    assert_int_equal(shell(out, sizeof out, "%s --inspect /etc/passwd 2>&1", program()), 1);
    assert_non_null(strstr(out, "cannot open /etc/passwd")); /* which, and what to look at */
    assert_non_null(strstr(out, "is it a clip"));
    assert_int_equal(shell(out, sizeof out, "%s --wrong 2>&1", program()), 2);
    assert_int_equal(shell(out, sizeof out, "%s --version", program()), 0);
    assert_int_equal(shell(out, sizeof out, "rm %s/plain.mp4", dir), 0);
}

/* At the end of its input it is gone within a second, in whatever it was doing. */
static void test_end_of_input(void **state)
{
    (void)state;
    static const char *const stages[] = {"draw", "encode", "check"};
    for (int i = 0; i < 3; i++) {
        spawn();
        configure(dir, false);
        send_job(1, 832, 480, i == 0 ? 1024 : 32, dir);
        do
            expect(REPORT_PROGRESS, 1);
        while (strcmp(report.stage, stages[i]) != 0);
        close(worker.in);
        assert_int_equal(end_within(GONE_MS), 0);
        unlink(order.job.path); /* whole, if it was quick enough to finish */
        assert_int_equal(files_in(dir), 0);
    }
    spawn();
    close(worker.in);
    assert_int_equal(end_within(GONE_MS), 0);
}

static void test_parts_of_the_dead_are_removed(void **state)
{
    (void)state;
    spawn();
    configure(dir, false);
    send_job(1, 832, 480, 1024, dir);
    expect(REPORT_PROGRESS, 1);
    do
        expect(REPORT_PROGRESS, 1);
    while (report.overall < 0.01);
    kill(worker.pid, SIGKILL);
    end_within(GONE_MS);
    close(worker.in);
    assert_int_equal(files_in(dir), 1); /* a hidden part, nothing under the clip's name */
    assert_int_not_equal(access(order.job.path, F_OK), 0);
    spawn();
    configure(dir, false);
    assert_int_equal(files_in(dir), 0);
    close(worker.in);
    end_within(GONE_MS);
}

/* Its parent dies while its input stays open: the kernel kills it. */
static void test_dies_with_its_parent(void **state)
{
    (void)state;
    int in[2], out[2], pid_pipe[2];
    pid_t grandchild = 0;
    assert_int_equal(pipe(in) | pipe(out) | pipe(pid_pipe), 0);
    pid_t parent = fork();
    if (parent == 0) {
        pid_t pid = fork();
        if (pid == 0) {
            dup2(in[0], 0);
            dup2(out[1], 1);
            execl(program(), program(), (char *)NULL);
            _exit(127);
        }
        (void)!write(pid_pipe[1], &pid, sizeof pid);
        pause();
        _exit(0);
    }
    assert_int_equal(read(pid_pipe[0], &grandchild, sizeof grandchild), sizeof grandchild);
    worker.in = in[1];
    worker.out = out[0];
    worker.lines = BUF_INIT(0);
    configure(dir, false); /* it has greeted: it runs, past what it does first */
    kill(parent, SIGKILL);
    waitpid(parent, NULL, 0);
    int64_t until = clock_mono_ms() + 2000;
    char stat_path[64], line[256];
    snprintf(stat_path, sizeof stat_path, "/proc/%d/stat", (int)grandchild);
    for (;;) { /* gone, or a zombie that nobody reaps */
        FILE *f = fopen(stat_path, "r");
        bool alive = f && fgets(line, sizeof line, f) && !strstr(line, ") Z");
        if (f)
            fclose(f);
        if (!alive)
            break;
        if (clock_mono_ms() > until) {
            kill(grandchild, SIGKILL);
            fail_msg("the worker outlived its parent");
        }
        poll(NULL, 0, 10);
    }
    buf_free(&worker.lines);
    close(in[0]);
    close(in[1]);
    close(out[0]);
    close(out[1]);
    close(pid_pipe[0]);
    close(pid_pipe[1]);
}

static void test_hostile_orders(void **state)
{
    (void)state;
    spawn();
    configure(dir, false);
    say("garbage");
    say("{\"t\":\"job\",\"id\":1}");
    say("{\"t\":\"job\",\"id\":\"../../etc\"}");
    say("\x01\xff");
    memset(&order, 0, sizeof order);
    order.kind = ORDER_PLAY; /* not for a drawing worker */
    order.id = 9;
    order.w = order.h = 100;
    strcpy(order.path, "/etc/passwd");
    send_order();
    expect(REPORT_TROUBLE, 9);
    assert_int_equal(report.code, ERR_UNSUPPORTED);
    send_job(2, 64, 64, 3, dir); /* it still works */
    expect(REPORT_DONE, 2);
    unlink(report.path);
    close(worker.in);
    assert_int_equal(end_within(GONE_MS), 0);

    spawn(); /* a line without end */
    configure(dir, false);
    char *flood = malloc(65536);
    memset(flood, 'x', 65536);
    for (int i = 0; i < 8; i++)
        if (write(worker.in, flood, 65536) < 0)
            break;
    free(flood);
    end_within(GONE_MS);
    close(worker.in);

    spawn(); /* a job before config */
    send_job(1, 64, 64, 3, dir);
    end_within(GONE_MS);
    close(worker.in);
}

/* Every order for a still has its answer, also when nobody takes the picture. */
static void test_still_that_nobody_takes(void **state)
{
    (void)state;
    char out[4096];
    int p[2];
    memset(out, 0, sizeof out);
    assert_int_equal(pipe2(p, O_CLOEXEC | O_NONBLOCK), 0);
    while (write(p[1], out, sizeof out) > 0)
        continue;
    pictures = p[1];
    spawn();
    pictures = -1;
    configure(dir, true);
    assert_int_equal(
        shell(out, sizeof out, "ffmpeg -v error -f lavfi -i testsrc=d=0.2 -y %s/a.mp4 2>&1", dir),
        0);
    memset(&order, 0, sizeof order);
    order.kind = ORDER_PICTURE;
    order.id = 5;
    order.w = order.h = 64;
    snprintf(order.path, sizeof order.path, "%s/a.mp4", dir);
    send_order();
    expect(REPORT_TROUBLE, 5);
    assert_int_equal(report.code, ERR_TIMEOUT);
    unlink(order.path);
    close(worker.in);
    assert_int_equal(end_within(GONE_MS), 0);
    close(p[0]);
    close(p[1]);
}

static void test_full_disk(void **state)
{
    (void)state;
    char small[128];
    snprintf(small, sizeof small, "%s/small", dir);
    assert_int_equal(mkdir(small, 0700), 0);
    if (mount("none", small, "tmpfs", 0, "size=256k")) {
        print_message("skipped: cannot mount a small tmpfs: %s\n", strerror(errno));
        rmdir(small);
        skip();
    }
    spawn();
    configure(small, false);
    send_job(1, 832, 480, 81, small);
    for (int i = 0; i < 10000 && hear(10000); i++)
        if (report.kind == REPORT_FAILED || report.kind == REPORT_DONE)
            break;
    assert_int_equal(report.kind, REPORT_FAILED);
    assert_int_equal(report.code, ERR_FULL);
    assert_non_null(strstr(report.text, "disk is full"));
    assert_int_equal(files_in(small), 0);
    send_job(2, 64, 64, 3, small); /* a smaller one fits */
    expect(REPORT_DONE, 2);
    close(worker.in);
    assert_int_equal(end_within(GONE_MS), 0);
    assert_int_equal(umount(small), 0);
    rmdir(small);
}

/* The figures of a GPU come from NVML, here a stand-in that answers only what is asked right. */
static void test_gpu_figures(void **state)
{
    (void)state;
    const char *fake = getenv("SAKUGA_FAKE_NVML");
    if (!fake)
        fake = "./tests/unit/worker";
    setenv("LD_LIBRARY_PATH", fake, 1);
    spawn();
    unsetenv("LD_LIBRARY_PATH");
    configure(dir, false);
    expect(REPORT_HEARTBEAT, 0);
    assert_string_equal(report.device.name, "Fake GPU 9000");
    assert_true(report.device.util > 0.41 && report.device.util < 0.43);
    assert_true(report.device.memory == INT64_C(3) << 30);
    assert_true(report.device.memory_total == INT64_C(24) << 30);
    assert_true(report.device.watts > 123 && report.device.watts < 124);
    assert_true(report.device.celsius > 61 && report.device.celsius < 63);
    close(worker.in);
    assert_int_equal(end_within(GONE_MS), 0);

    setenv("LD_LIBRARY_PATH", fake, 1); /* of two the one that draws, not NVML's first */
    setenv("SAKUGA_FAKE_GPUS", "2", 1);
    spawn();
    unsetenv("LD_LIBRARY_PATH");
    unsetenv("SAKUGA_FAKE_GPUS");
    configure(dir, false);
    expect(REPORT_HEARTBEAT, 0);
    assert_string_equal(report.device.name, "Fake GPU 9000");
    close(worker.in);
    assert_int_equal(end_within(GONE_MS), 0);

    spawn(); /* without it: this process on the CPU */
    configure(dir, false);
    expect(REPORT_HEARTBEAT, 0);
    assert_true(report.device.name[0] && !strstr(report.device.name, "Fake"));
    assert_true(report.device.memory > 1 << 20);
    assert_true(report.device.memory_total > report.device.memory);
    close(worker.in);
    assert_int_equal(end_within(GONE_MS), 0);
}

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

/* Clip after clip, memory stays where it was. */
static void test_memory_is_flat(void **state)
{
    (void)state;
    if (SANITIZED) {
        print_message("skipped: a sanitizer keeps freed memory\n");
        skip();
    }
    int64_t before = 0;
    spawn();
    configure(dir, false);
    for (int i = 1; i <= 40; i++) {
        send_job(i, 208, 120, 2, dir);
        expect(REPORT_DONE, i);
        unlink(report.path);
        if (i == 15 || i == 40) {
            expect(REPORT_HEARTBEAT, 0);
            if (i == 15)
                before = report.device.memory;
        }
    }
    if (report.device.memory > before + (4 << 20)) /* 25 jobs; one frame leaked is 75 kB */
        fail_msg("memory grew from %lld to %lld", (long long)before,
                 (long long)report.device.memory);
    close(worker.in);
    assert_int_equal(end_within(GONE_MS), 0);
}

static int set_up(void **state)
{
    (void)state;
    signal(SIGPIPE, SIG_IGN); /* a worker that is gone shows in a write that fails */
    strcpy(dir, "/tmp/sakuga-test-XXXXXX");
    return mkdtemp(dir) ? 0 : 1;
}

static int tear_down(void **state)
{
    (void)state;
    return rmdir(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_clip_and_recipe),
        cmocka_unit_test(test_model_clip),
        cmocka_unit_test(test_model_stops),
        cmocka_unit_test(test_model_fails),
        cmocka_unit_test(test_inspect_without_recipe),
        cmocka_unit_test(test_end_of_input),
        cmocka_unit_test(test_parts_of_the_dead_are_removed),
        cmocka_unit_test(test_dies_with_its_parent),
        cmocka_unit_test(test_hostile_orders),
        cmocka_unit_test(test_still_that_nobody_takes),
        cmocka_unit_test(test_full_disk),
        cmocka_unit_test(test_gpu_figures),
        cmocka_unit_test(test_memory_is_flat),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
