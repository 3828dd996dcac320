/* sakuga-worker: the program that draws, plays and checks clips.
 *
 * The main thread reads orders from standard input and beats once a second; other threads draw
 * (drawing.c) or play and check (review.c). At the end of its input the worker removes what it was
 * writing and is gone within a second; if its parent dies the kernel kills it. It never trusts the
 * parent's patience: nothing that can wait happens on the main thread. */
#include "base/clock.h"
#include "base/log.h"
#include "media/chatter.h"
#include "media/encode.h"
#include "media/recipe.h"
#include "worker/drawing.h"
#include "worker/gauge.h"
#include "worker/model.h"
#include "worker/out.h"
#include "worker/review.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#define BEAT_MS 1000
#define GRACE_MS 600 /* for a running job to stop cleanly at the end of input */

static struct {
    bool configured, media;
    bool refused; /* it cannot serve as it was told to */
    struct painter *painter;
    struct drawing *drawing;
    struct review *player, *errands;
} worker;

static void to_stderr(void *user, const struct log_line *l)
{
    (void)user;
    fprintf(stderr, "%s %s: %s\n", log_level_name(l->level), l->room, l->text);
}

static void hello(void)
{
    struct report r = {.kind = REPORT_HELLO, .protocol = PROTOCOL_VERSION, .pid = getpid()};
    str_copy(r.version, sizeof r.version, PACKAGE_VERSION);
    str_copy(r.build, sizeof r.build, encode_build());
    str_copy(r.engine, sizeof r.engine, worker.media ? "media" : worker.painter->engine);
    gauge_sample(&r.device);
    out_report(&r);
}

static void beat(void)
{
    struct report r = {.kind = REPORT_HEARTBEAT};
    gauge_sample(&r.device);
    out_report(&r);
}

static struct painter *make_painter(const struct order *o, struct fault *f)
{
    if (!strcmp(o->engine, "wan"))
        return paint_wan(o->model, o->device, o->dtype, o->encoder, o->threads, f);
    if (strcmp(o->engine, "animatic")) {
        fault_set(f, ERR_UNSUPPORTED, "this worker has no engine \"%s\"", o->engine);
        return NULL;
    }
    struct painter *p = paint_animatic();
    if (!p)
        fault_set(f, ERR_NOMEM, "out of memory");
    return p;
}

/* Opening a model reads a page of every tensor, on a cold disk for many seconds; another thread
 * does it while this one beats, so that the console knows us alive. */
struct opening {
    const struct order *order;
    struct painter *painter;
    struct fault fault;
    atomic_bool done;
};

static void *open_thread(void *user)
{
    struct opening *o = user;
    o->painter = make_painter(o->order, &o->fault);
    atomic_store(&o->done, true);
    return NULL;
}

static struct painter *open_painter(const struct order *o, struct fault *f)
{
    struct opening opening = {.order = o};
    pthread_t thread;
    if (pthread_create(&thread, NULL, open_thread, &opening)) {
        fault_set(f, ERR_NOMEM, "cannot start a thread");
        return NULL;
    }
    int64_t next = clock_mono_ms() + BEAT_MS;
    while (!atomic_load(&opening.done)) {
        poll(NULL, 0, 5);
        if (clock_mono_ms() >= next) {
            next = clock_mono_ms() + BEAT_MS;
            beat();
        }
    }
    pthread_join(thread, NULL);
    if (!opening.painter)
        *f = opening.fault;
    return opening.painter;
}

/* The GPU answers no call of this process any more: it says why and makes room for another. */
static void device_lost(const struct fault *f)
{
    log_error("worker", "%s", fault_text(f));
    fflush(stderr);
    out_shut();
    _exit(PROTOCOL_LOST);
}

static bool configure(const struct order *o, struct fault *f)
{
    if (worker.configured) {
        fault_set(f, ERR_STATE, "the worker is configured already");
        return false;
    }
    worker.media = o->media;
    if (o->media) {
        worker.player = review_new(f);
        worker.errands = worker.player ? review_new(f) : NULL;
        worker.configured = worker.errands != NULL;
    } else {
        worker.painter = open_painter(o, f);
        worker.drawing = worker.painter
                             ? drawing_new(o->path, o->encoder, worker.painter, device_lost, f)
                             : NULL;
        worker.configured = worker.drawing != NULL;
    }
    if (worker.configured)
        hello();
    return worker.configured;
}

/* False when the worker must end. */
static bool obey(const struct order *o)
{
    struct fault f = {0};
    if (o->kind == ORDER_QUIT)
        return false;
    if (o->kind == ORDER_CONFIG || !worker.configured) {
        if (o->kind != ORDER_CONFIG)
            fault_set(&f, ERR_STATE, "the first order must be config");
        if (o->kind == ORDER_CONFIG && configure(o, &f))
            return true;
        log_error("worker", "%s", fault_text(&f));
        worker.refused = true;
        return false;
    }
    if (o->kind == ORDER_JOB && worker.drawing) {
        drawing_submit(worker.drawing, &o->job);
    } else if (o->kind == ORDER_CANCEL && worker.drawing) {
        drawing_cancel(worker.drawing, o->id);
    } else if (o->kind == ORDER_THROTTLE && worker.drawing) {
        drawing_throttle(worker.drawing, o->throttle);
    } else if (o->kind == ORDER_PLAY && worker.media) {
        review_order(worker.player, o);
    } else if (o->kind == ORDER_STOP && worker.media) {
        review_order(worker.player, o);
    } else if ((o->kind == ORDER_PICTURE || o->kind == ORDER_CHECK) && worker.media) {
        review_order(worker.errands, o);
    } else {
        fault_set(&f, ERR_UNSUPPORTED, "this worker does not take that order");
        if (o->kind == ORDER_JOB)
            out_failed(o->id, &f);
        else
            out_trouble(o->id, o->path, &f);
    }
    return true;
}

/* Takes the whole lines out of `in`. False when the worker must end. */
static bool take_lines(struct buf *in, struct order *o)
{
    const char *nl;
    struct fault f;
    while (in->len > 0 && (nl = memchr(in->data, '\n', in->len))) {
        size_t n = (size_t)(nl - in->data);
        if (n > 0 && protocol_parse_order(in->data, n, o, &f) != ERR_OK)
            log_error("worker", "an order was refused: %s", fault_text(&f));
        else if (n > 0 && !obey(o))
            return false;
        buf_drop(in, n + 1);
    }
    return true;
}

static void serve(void)
{
    static struct order order; /* large */
    struct buf in = BUF_INIT(PROTOCOL_LINE_MAX);
    int64_t next = clock_mono_ms() + BEAT_MS;
    for (;;) {
        struct pollfd p = {.fd = STDIN_FILENO, .events = POLLIN};
        int64_t wait = next - clock_mono_ms();
        int r = poll(&p, 1, wait > 0 ? (int)wait : 0);
        if (clock_mono_ms() >= next) {
            next = clock_mono_ms() + BEAT_MS;
            if (worker.configured)
                beat();
        }
        if (r <= 0)
            continue;
        char *to = buf_room(&in, 16384);
        if (!to) {
            log_error("worker", "an order is longer than %zu bytes", PROTOCOL_LINE_MAX);
            break;
        }
        ssize_t n = read(STDIN_FILENO, to, 16384);
        if (n < 0 && (errno == EAGAIN || errno == EINTR))
            continue;
        if (n <= 0)
            break;
        buf_grown(&in, (size_t)n);
        if (!take_lines(&in, &order))
            break;
    }
    buf_free(&in);
}

static int inspect(const char *path)
{
    static struct recipe recipe;
    struct fault f;
    struct buf b = BUF_INIT(RECIPE_TEXT_MAX * 2);
    log_set_level(LOG_ERROR); /* a file that is no clip is told in one sentence */
    if (recipe_read(path, &recipe, &f) != ERR_OK) {
        fprintf(stderr, "sakuga: %s\n", fault_text(&f));
        return 1;
    }
    bool ok = recipe_print(&b, &recipe) && puts(buf_str(&b)) >= 0 && fflush(stdout) == 0;
    buf_free(&b);
    return ok ? 0 : 1;
}

static int usage(FILE *to)
{
    fputs("usage: sakuga-worker               serve orders on standard input (for sakuga)\n"
          "       sakuga-worker --inspect CLIP   print the recipe of a clip as JSON\n"
          "       sakuga-worker --model-info DIR   say what a model folder holds\n"
          "       sakuga-worker --model-convert FROM TO   write one safetensors file\n"
          "       sakuga-worker --version\n",
          to);
    return to == stdout ? 0 : 2;
}

int main(int argc, char **argv)
{
    pid_t parent = getppid();
    log_add_sink(to_stderr, NULL);
    chatter_to_log();
    if (argc == 3 && strcmp(argv[1], "--inspect") == 0)
        return inspect(argv[2]);
    if (argc == 3 && strcmp(argv[1], "--model-info") == 0)
        return model_info(argv[2]);
    if (argc == 4 && strcmp(argv[1], "--model-convert") == 0)
        return model_convert(argv[2], argv[3]);
    if (argc == 2 && strcmp(argv[1], "--version") == 0)
        return printf("sakuga-worker %s (%s)\n", PACKAGE_VERSION, encode_build()) < 0;
    if (argc != 1)
        return usage(argc == 2 && strcmp(argv[1], "--help") == 0 ? stdout : stderr);

    /* A thread of the model that waits must not spin: OBS has these cores too. OpenMP reads this
     * before main. */
    char self[PATH_MAX];
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
    self[n > 0 ? n : 0] = '\0';
    if (!getenv("OMP_WAIT_POLICY") && setenv("OMP_WAIT_POLICY", "passive", 1) == 0)
        execv(self, argv); /* where that fails, they spin */

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        return 1; /* it died before the kernel knew of our wish */
    signal(SIGPIPE, SIG_IGN);
    signal(SIGINT, SIG_IGN); /* the terminal's ^C is the console's affair */
    if (!out_open()) {
        log_error("worker", "no descriptor for the protocol: %s", strerror(errno));
        return 1;
    }
    gauge_open();
    serve();
    drawing_stop(worker.drawing, GRACE_MS);
    /* Threads of libraries and of ours may still run: end without waiting for any of them. */
    fflush(stderr);
    _exit(worker.refused);
}
