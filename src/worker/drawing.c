/* worker/drawing: two threads and a ring of frames.
 *
 * The draw thread takes a job, paints frame after frame into free slots of the ring, and an encode
 * thread, alive for one job, takes them out in order. Whoever fails or sees the cancel flag sets
 * `halt`, wakes the other, and the draw thread, which joins the encoder, reports the one end of the
 * job. Then it checks the file and renames it. */
#include "worker/drawing.h"

#include "base/clock.h"
#include "base/log.h"
#include "media/animatic.h"
#include "media/check.h"
#include "media/encode.h"
#include "media/recipe.h"
#include "worker/out.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#define JOBS_MAX 4
#define SLOTS 6
#define NICENESS 5 /* OBS goes first; the main thread, which acknowledges, stays quick */
#define PROGRESS_MS 60
#define PREVIEW_MS 100
#define PREVIEW_DIVISOR 4

enum phase { PHASE_DRAW, PHASE_ENCODE, PHASE_CHECK, PHASES };

/* Their parts in the whole, as measured by tests/bench/bench_animatic. */
static const struct {
    const char *name;
    double share;
} phases[PHASES] = {{"draw", 0.55}, {"encode", 0.25}, {"check", 0.20}};

struct drawing {
    char vault[PATH_LEN]; /* resolved; set once */
    pthread_t thread;

    pthread_mutex_t lock; /* guards what follows */
    pthread_cond_t changed;
    struct engine_job *queue[JOBS_MAX];
    int queued;
    int64_t current; /* id, 0 idle */
    char part[PATH_LEN];
    bool quit, ended;

    atomic_bool cancel; /* the current job's */
};

/* One job on its way. */
struct run {
    struct drawing *d;
    const struct engine_job *job;
    struct encode *encode;
    char part[PATH_LEN];
    size_t frame_bytes;
    int64_t began_ms, began_utc_ms, last_progress_ms, last_preview_ms;
    int64_t draw_ms, encode_ms;
    uint8_t *preview;

    pthread_mutex_t lock; /* guards what follows */
    pthread_cond_t changed;
    uint8_t *slot[SLOTS];
    enum phase phase;
    int drawn, encoded, checked; /* frames */
    bool halt;
    struct fault fault; /* why, when halt */
};

static bool stopped(const struct run *r)
{
    return atomic_load(&r->d->cancel);
}

static void halt(struct run *r, const struct fault *why)
{
    pthread_mutex_lock(&r->lock);
    if (!r->halt) {
        r->halt = true;
        r->fault = *why;
    }
    pthread_cond_broadcast(&r->changed);
    pthread_mutex_unlock(&r->lock);
}

static void halt_cancelled(struct run *r)
{
    struct fault f;
    fault_set(&f, ERR_CANCELLED, "the job was cancelled");
    halt(r, &f);
}

/* Reports how far the job is; where a stage begins and ends always, else every PROGRESS_MS. */
static void progress_locked(struct run *r, bool always)
{
    struct report p = {.kind = REPORT_PROGRESS, .id = r->job->id};
    const double n = r->job->frames;
    const double done[PHASES] = {r->drawn / n, r->encoded / n, r->checked / n};
    int64_t now = clock_mono_ms();
    if (!always && done[r->phase] < 1 && now - r->last_progress_ms < PROGRESS_MS)
        return;
    r->last_progress_ms = now;
    for (int i = 0; i < PHASES; i++)
        p.overall += phases[i].share * done[i];
    p.overall = p.overall > 1 ? 1 : p.overall;
    p.fraction = done[r->phase];
    double left = (double)(now - r->began_ms) * (1 - p.overall) / (p.overall + 1e-9);
    p.eta_ms = p.overall < 0.02 ? -1 : (int64_t)left;
    str_copy(p.stage, sizeof p.stage, phases[r->phase].name);
    out_report(&p); /* under the lock, so that reports leave in order */
}

static void progress(struct run *r, enum phase in)
{
    pthread_mutex_lock(&r->lock);
    if (r->phase == in)
        progress_locked(r, false);
    pthread_mutex_unlock(&r->lock);
}

static void enter(struct run *r, enum phase phase)
{
    pthread_mutex_lock(&r->lock);
    r->phase = phase;
    progress_locked(r, true);
    pthread_mutex_unlock(&r->lock);
}

/* Every PREVIEW_DIVISOR-th pixel, averaged over its block, to the console. */
static void preview(struct run *r, const uint8_t *rgb)
{
    int64_t now = clock_mono_ms();
    if (r->last_preview_ms && now - r->last_preview_ms < PREVIEW_MS)
        return;
    r->last_preview_ms = now;
    const int d = PREVIEW_DIVISOR, w = r->job->width / d, h = r->job->height / d;
    uint8_t *to = r->preview;
    for (int y = 0; y < h; y++)
        for (int x = 0; x < w; x++)
            for (int c = 0; c < 3; c++) {
                unsigned sum = 0;
                for (int v = 0; v < d; v++)
                    for (int u = 0; u < d; u++)
                        sum += rgb[((size_t)(y * d + v) * (size_t)r->job->width +
                                    (size_t)(x * d + u)) *
                                       3 +
                                   (size_t)c];
                *to++ = (uint8_t)(sum / (unsigned)(d * d));
            }
    out_picture(PICTURE_PREVIEW, r->job->id, w, h, r->preview);
}

static void *encode_thread(void *user)
{
    struct run *r = user;
    struct fault f;
    int64_t began = clock_mono_ms();
    for (int i = 0; i < r->job->frames; i++) {
        pthread_mutex_lock(&r->lock);
        while (r->drawn <= i && !r->halt)
            pthread_cond_wait(&r->changed, &r->lock);
        bool leave = r->halt;
        pthread_mutex_unlock(&r->lock);
        if (leave)
            return NULL;
        if (stopped(r)) {
            halt_cancelled(r);
            return NULL;
        }
        if (encode_frame(r->encode, r->slot[i % SLOTS], &f)) {
            halt(r, &f);
            return NULL;
        }
        pthread_mutex_lock(&r->lock);
        r->encoded = i + 1;
        pthread_cond_broadcast(&r->changed);
        pthread_mutex_unlock(&r->lock);
        progress(r, PHASE_ENCODE);
    }
    r->encode_ms = clock_mono_ms() - began;
    return NULL;
}

static void draw_frames(struct run *r, struct animatic *a)
{
    for (int i = 0; i < r->job->frames; i++) {
        pthread_mutex_lock(&r->lock);
        while (i - r->encoded >= SLOTS && !r->halt)
            pthread_cond_wait(&r->changed, &r->lock);
        bool leave = r->halt;
        pthread_mutex_unlock(&r->lock);
        if (leave)
            return;
        if (stopped(r)) {
            halt_cancelled(r);
            return;
        }
        animatic_draw(a, i, r->slot[i % SLOTS]);
        preview(r, r->slot[i % SLOTS]);
        pthread_mutex_lock(&r->lock);
        r->drawn = i + 1;
        pthread_cond_broadcast(&r->changed);
        pthread_mutex_unlock(&r->lock);
        progress(r, PHASE_DRAW);
    }
    enter(r, PHASE_ENCODE);
    r->draw_ms = clock_mono_ms() - r->began_ms;
}

static enum err make_slots(struct run *r, struct fault *f)
{
    r->frame_bytes = (size_t)r->job->width * (size_t)r->job->height * 3;
    r->preview = malloc(r->frame_bytes);
    bool ok = r->preview != NULL;
    for (int i = 0; i < SLOTS; i++) {
        r->slot[i] = malloc(r->frame_bytes + 64); /* swscale may read past the last row */
        ok = ok && r->slot[i];
    }
    return ok ? ERR_OK
              : fault_set(f, ERR_NOMEM, "no memory for the frames of job %lld",
                          (long long)r->job->id);
}

static enum err draw_and_encode(struct run *r, struct fault *f)
{
    const struct engine_job *j = r->job;
    struct animatic_spec look = {j->prompt,  j->viewer,    j->style, j->label,
                                 j->palette, j->palette_n, j->seed,  j->width,
                                 j->height,  j->frames,    j->fps};
    struct encode_spec file = {r->part, j->width, j->height, j->fps, 2};
    pthread_t encoder;
    enum err e = make_slots(r, f);
    if (e)
        return e;
    struct animatic *a = animatic_new(&look, f);
    if (!a)
        return ERR_NOMEM;
    r->encode = encode_new(&file, f);
    if (!r->encode) {
        e = f->code;
    } else if (pthread_create(&encoder, NULL, encode_thread, r)) {
        e = fault_set(f, ERR_NOMEM, "cannot start the encoder thread");
    } else {
        enter(r, PHASE_DRAW);
        draw_frames(r, a);
        pthread_join(encoder, NULL);
        if (r->halt) {
            *f = r->fault;
            e = f->code;
        }
    }
    log_debug("worker", "job %lld shows %s", (long long)j->id, animatic_motifs(a));
    animatic_free(a);
    return e;
}

/* Writes the recipe into the clip and closes it. */
static enum err finish(struct run *r, struct report *done, struct fault *f)
{
    const struct engine_job *j = r->job;
    struct recipe *m = calloc(1, sizeof *m);
    struct buf text = BUF_INIT(RECIPE_TEXT_MAX);
    if (!m)
        return fault_set(f, ERR_NOMEM, "no memory for the recipe");
    m->id = j->id;
    m->attempt = j->attempt;
    str_copy(m->prompt, sizeof m->prompt, j->prompt);
    str_copy(m->viewer, sizeof m->viewer, j->viewer);
    str_copy(m->style, sizeof m->style, j->style);
    str_copy(m->negative, sizeof m->negative, j->negative);
    str_copy(m->label, sizeof m->label, j->label);
    str_copy(m->engine, sizeof m->engine, "animatic");
    str_copy(m->version, sizeof m->version, PACKAGE_VERSION);
    str_copy(m->build, sizeof m->build, encode_build());
    m->seed = j->seed;
    memcpy(m->palette, j->palette, sizeof m->palette);
    m->palette_n = j->palette_n;
    m->width = j->width;
    m->height = j->height;
    m->frames = j->frames;
    m->fps = j->fps;
    m->steps = j->steps;
    m->started_utc_ms = r->began_utc_ms;
    m->finished_utc_ms = clock_utc_ms();
    m->draw_ms = r->draw_ms;
    m->encode_ms = r->encode_ms;
    encode_sha256(r->encode, m->sha256);
    memcpy(done->sha256, m->sha256, sizeof m->sha256);
    enum err e = recipe_print(&text, m)
                     ? encode_finish(r->encode, j->prompt, buf_str(&text), &done->bytes, f)
                     : fault_set(f, ERR_NOMEM, "no memory for the recipe");
    buf_free(&text);
    free(m);
    return e;
}

static bool check_step(void *user, int frame)
{
    struct run *r = user;
    pthread_mutex_lock(&r->lock);
    r->checked = frame < r->job->frames ? frame : r->job->frames;
    pthread_mutex_unlock(&r->lock);
    progress(r, PHASE_CHECK);
    return !stopped(r);
}

static enum err check(struct run *r, struct report *done, struct fault *f)
{
    struct check_result got;
    struct check_spec spec = {r->part, r->job->frames, r->job->fps, check_step, r};
    enum err e = check_clip(&spec, &got, f);
    if (e)
        return e;
    done->frames = got.frames;
    done->duration_ms = got.duration_ms;
    for (int i = 0; i < got.rows_n; i++) {
        struct verdict *v = &done->verdicts[done->verdicts_n++];
        str_copy(v->name, sizeof v->name, got.rows[i].name);
        str_copy(v->words, sizeof v->words, got.rows[i].words);
        v->ok = got.rows[i].ok;
    }
    return ERR_OK;
}

/* The rename counts once the folder is on disk too. */
static enum err publish(struct run *r, struct fault *f)
{
    if (rename(r->part, r->job->path))
        return fault_set(f, errno == ENOSPC ? ERR_FULL : ERR_IO, "cannot name the clip %s: %s",
                         r->job->path, strerror(errno));
    int dir = open(r->d->vault, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (dir >= 0) {
        fsync(dir);
        close(dir);
    }
    return ERR_OK;
}

static void run_job(struct drawing *d, const struct engine_job *job)
{
    struct fault f = {0};
    struct report done = {.kind = REPORT_DONE, .id = job->id};
    struct run r = {.d = d,
                    .job = job,
                    .began_ms = clock_mono_ms(),
                    .began_utc_ms = clock_utc_ms(),
                    .lock = PTHREAD_MUTEX_INITIALIZER,
                    .changed = PTHREAD_COND_INITIALIZER};
    str_copy(r.part, sizeof r.part, d->part);
    enum err e = draw_and_encode(&r, &f);
    if (!e)
        e = finish(&r, &done, &f);
    encode_free(r.encode);
    int64_t checking = clock_mono_ms();
    if (!e)
        enter(&r, PHASE_CHECK);
    if (!e)
        e = check(&r, &done, &f);
    if (!e && stopped(&r))
        e = fault_set(&f, ERR_CANCELLED, "the job was cancelled");
    if (!e)
        e = publish(&r, &f);
    done.draw_ms = r.draw_ms;
    done.encode_ms = r.encode_ms;
    done.check_ms = clock_mono_ms() - checking;
    str_copy(done.path, sizeof done.path, job->path);
    if (e)
        unlink(r.part);
    for (int i = 0; i < SLOTS; i++)
        free(r.slot[i]);
    free(r.preview);
    if (e == ERR_CANCELLED)
        out_simple(REPORT_CANCELLED, job->id);
    else if (e)
        out_failed(job->id, &f);
    else
        out_report(&done);
}

static void *draw_thread(void *user)
{
    struct drawing *d = user;
    setpriority(PRIO_PROCESS, 0, NICENESS); /* this thread and those it starts */
    animatic_warm();
    pthread_mutex_lock(&d->lock);
    while (!d->quit) {
        if (!d->queued) {
            pthread_cond_wait(&d->changed, &d->lock);
            continue;
        }
        struct engine_job *job = d->queue[0];
        memmove(d->queue, d->queue + 1, sizeof d->queue - sizeof *d->queue);
        d->queued--;
        d->current = job->id;
        snprintf(d->part, sizeof d->part, "%.900s/.sakuga-%lld-%d.part", d->vault,
                 (long long)job->id, (int)getpid());
        atomic_store(&d->cancel, false);
        pthread_mutex_unlock(&d->lock);
        run_job(d, job);
        free(job);
        pthread_mutex_lock(&d->lock);
        d->current = 0;
    }
    d->ended = true;
    pthread_cond_broadcast(&d->changed);
    pthread_mutex_unlock(&d->lock);
    return NULL;
}

static bool is_part(const char *name)
{
    size_t n = strlen(name);
    return strncmp(name, ".sakuga-", 8) == 0 && n > 13 && strcmp(name + n - 5, ".part") == 0;
}

static void remove_old_parts(const char *vault)
{
    char path[PATH_LEN];
    DIR *dir = opendir(vault);
    const struct dirent *e;
    while (dir && (e = readdir(dir)))
        if (is_part(e->d_name) && path_join(path, sizeof path, vault, e->d_name) == ERR_OK)
            unlink(path);
    if (dir)
        closedir(dir);
}

struct drawing *drawing_new(const char *vault, struct fault *f)
{
    struct drawing *d = calloc(1, sizeof *d);
    char *real = realpath(vault, NULL);
    pthread_condattr_t mono;
    if (!d || !real || strlen(real) > 900) {
        fault_set(f, real ? ERR_LIMIT : ERR_NOTFOUND, "the vault %s cannot be used: %s", vault,
                  real ? "its path is too long" : strerror(errno));
        free(d);
        free(real);
        return NULL;
    }
    str_copy(d->vault, sizeof d->vault, real);
    free(real);
    remove_old_parts(d->vault);
    pthread_mutex_init(&d->lock, NULL);
    pthread_condattr_init(&mono);
    pthread_condattr_setclock(&mono, CLOCK_MONOTONIC);
    pthread_cond_init(&d->changed, &mono);
    pthread_condattr_destroy(&mono);
    if (pthread_create(&d->thread, NULL, draw_thread, d)) {
        fault_set(f, ERR_NOMEM, "cannot start the drawing thread");
        free(d);
        return NULL;
    }
    return d;
}

/* A clip goes into the vault itself and nowhere else: the folder of its path, with every link
 * followed, must be the vault, and its name a plain one. */
static enum err inside_vault(const struct drawing *d, const char *path, struct fault *f)
{
    char dir[PATH_LEN];
    const char *slash = strrchr(path, '/');
    const char *name = slash ? slash + 1 : path;
    if (path[0] != '/' || !name[0] || name[0] == '.')
        return fault_set(f, ERR_DENIED, "the clip's path %s does not name a file in the vault",
                         path);
    size_t n = (size_t)(slash - path);
    memcpy(dir, path, n);
    memcpy(dir + n, n ? "" : "/", n ? 1 : 2);
    char *real = realpath(dir, NULL);
    bool same = real && strcmp(real, d->vault) == 0;
    free(real);
    return same ? ERR_OK
                : fault_set(f, ERR_DENIED, "the clip's path %s leads out of the vault %s", path,
                            d->vault);
}

void drawing_submit(struct drawing *d, const struct engine_job *job)
{
    struct fault f;
    struct engine_job *copy = NULL;
    enum err e = inside_vault(d, job->path, &f);
    if (!e && !(copy = malloc(sizeof *copy)))
        e = fault_set(&f, ERR_NOMEM, "no memory for job %lld", (long long)job->id);
    if (!e) {
        *copy = *job;
        out_simple(REPORT_ACK, job->id);
        pthread_mutex_lock(&d->lock);
        if (d->queued < JOBS_MAX)
            d->queue[d->queued++] = copy;
        else
            e = fault_set(&f, ERR_LIMIT, "the worker has %d jobs waiting already", JOBS_MAX);
        pthread_cond_broadcast(&d->changed);
        pthread_mutex_unlock(&d->lock);
    }
    if (e) {
        free(copy);
        out_failed(job->id, &f);
    }
}

void drawing_cancel(struct drawing *d, int64_t id)
{
    struct engine_job *waiting = NULL;
    pthread_mutex_lock(&d->lock);
    if (d->current == id)
        atomic_store(&d->cancel, true);
    for (int i = 0; i < d->queued && !waiting; i++)
        if (d->queue[i]->id == id) {
            waiting = d->queue[i];
            memmove(d->queue + i, d->queue + i + 1, (size_t)(d->queued - i - 1) * sizeof *d->queue);
            d->queued--;
        }
    pthread_mutex_unlock(&d->lock);
    if (waiting)
        out_simple(REPORT_CANCELLED, id);
    free(waiting);
}

void drawing_stop(struct drawing *d, int ms)
{
    struct timespec until;
    if (!d)
        return;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += (long)(ms % 1000) * 1000000L;
    until.tv_sec += ms / 1000 + until.tv_nsec / 1000000000L;
    until.tv_nsec %= 1000000000L;
    pthread_mutex_lock(&d->lock);
    d->quit = true;
    atomic_store(&d->cancel, true);
    pthread_cond_broadcast(&d->changed);
    while (!d->ended && pthread_cond_timedwait(&d->changed, &d->lock, &until) == 0)
        continue;
    if (!d->ended && d->part[0])
        unlink(d->part);
    pthread_mutex_unlock(&d->lock);
}
