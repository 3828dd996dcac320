#include "worker/run.h"

#include "base/clock.h"
#include "base/log.h"
#include "media/check.h"
#include "media/encode.h"
#include "media/recipe.h"
#include "worker/out.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PROGRESS_MS 60
#define PREVIEW_MS 100
#define PREVIEW_DIVISOR 4
#define REST_US INT64_C(20000000) /* the longest rest; a job under it is no stalled one */
#define SLICE_US 20000

static const char *const phases[PHASES] = {"draw", "encode", "check"};

static bool over(struct run *r)
{
    pthread_mutex_lock(&r->lock);
    bool yes = r->halt || atomic_load(r->cancel);
    pthread_mutex_unlock(&r->lock);
    return yes;
}

/* After work of w microseconds a rest of w·t / (1 − t): the part t of the time is free then. */
static void rest(struct run *r)
{
    int64_t now = clock_mono_us(), began = now;
    int64_t worked = r->worked_us ? now - r->worked_us : 0;
    for (;; now = clock_mono_us()) {
        int part = atomic_load(r->throttle);
        int64_t left = part > 0 && part < 1000 ? worked * part / (1000 - part) : part * REST_US;
        left = (left < REST_US ? left : REST_US) - (now - began);
        if (left <= 0 || over(r))
            break;
        usleep((useconds_t)(left < SLICE_US ? left : SLICE_US));
    }
    r->worked_us = now;
}

bool run_stopped(struct run *r)
{
    rest(r);
    return over(r);
}

bool run_rests(const struct run *r)
{
    return atomic_load(r->throttle) > 0;
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

/* ---- progress ---- */

/* Reports how far the job is; where a stage begins and ends always, else every PROGRESS_MS. */
static void progress_locked(struct run *r, bool always)
{
    struct report p = {.kind = REPORT_PROGRESS, .id = r->job->id};
    const double n = r->job->frames;
    const double done[PHASES] = {r->painted, r->encoded / n, r->checked / n};
    int64_t now = clock_mono_ms();
    bool drawing = r->phase == PHASE_DRAW;
    p.fraction = drawing ? r->stage_fraction : done[r->phase];
    if (!always && p.fraction < 1 && now - r->last_progress_ms < PROGRESS_MS)
        return;
    r->last_progress_ms = now;
    for (int i = 0; i < PHASES; i++)
        p.overall += r->painter->shares[i] * done[i];
    p.overall = p.overall > 1 ? 1 : p.overall;
    double left = (double)(now - r->began_ms) * (1 - p.overall) / (p.overall + 1e-9);
    p.eta_ms = p.overall < 0.02 ? -1 : (int64_t)left;
    if (drawing && r->left_ms >= 0)
        p.eta_ms = r->left_ms;
    str_copy(p.stage, sizeof p.stage, drawing ? r->stage : phases[r->phase]);
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

void run_progress(struct run *r, const char *stage, double fraction, double painted,
                  int64_t left_ms)
{
    pthread_mutex_lock(&r->lock);
    bool next = strcmp(r->stage, stage) != 0;
    str_copy(r->stage, sizeof r->stage, stage);
    r->stage_fraction = fraction;
    r->painted = painted > r->painted ? painted : r->painted;
    r->left_ms = left_ms;
    progress_locked(r, next);
    pthread_mutex_unlock(&r->lock);
}

/* The mean over a block of `d` x `d` of [height][width][step], at (x, y). */
static unsigned mean(const uint8_t *from, int width, int step, int d, int x, int y)
{
    unsigned sum = 0;
    for (int v = 0; v < d; v++)
        for (int u = 0; u < d; u++)
            sum += from[((size_t)(y * d + v) * (size_t)width + (size_t)(x * d + u)) * (size_t)step];
    return sum / (unsigned)(d * d);
}

static uint8_t shown(double v)
{
    return v <= 0 ? 0 : v >= 255 ? 255 : (uint8_t)(v + 0.5);
}

/* A pixel of a preview out of means of NV12 (BT.709, limited range). */
static void from_video(uint8_t rgb[3], unsigned luma, unsigned cb, unsigned cr)
{
    double y = ((double)luma - 16) * 255 / 219, b = ((double)cb - 128) * 255 / 224 * 1.8556,
           r = ((double)cr - 128) * 255 / 224 * 1.5748;
    rgb[0] = shown(y + r);
    rgb[1] = shown(y - (0.2126 * r + 0.0722 * b) / 0.7152);
    rgb[2] = shown(y + b);
}

/* Every PREVIEW_DIVISOR-th pixel, averaged over its block, to the console. */
void run_preview(struct run *r, const uint8_t *frame)
{
    enum { D = PREVIEW_DIVISOR };
    int64_t now = clock_mono_ms();
    if (r->last_preview_ms && now - r->last_preview_ms < PREVIEW_MS)
        return;
    r->last_preview_ms = now;
    const int width = r->job->width, w = width / D, h = r->job->height / D;
    const uint8_t *chroma = frame + (size_t)width * (size_t)r->job->height;
    uint8_t *to = r->preview;
    for (int y = 0; y < h; y++)
        for (int x = 0; x < w; x++, to += 3)
            if (r->painter->nv12)
                from_video(to, mean(frame, width, 1, D, x, y),
                           mean(chroma, width / 2, 2, D / 2, x, y),
                           mean(chroma + 1, width / 2, 2, D / 2, x, y));
            else
                for (int c = 0; c < 3; c++)
                    to[c] = (uint8_t)mean(frame + c, width, 3, D, x, y);
    out_picture(PICTURE_PREVIEW, r->job->id, w, h, r->preview);
}

/* ---- painting and encoding ---- */

uint8_t *run_slot(struct run *r, int i)
{
    rest(r);
    pthread_mutex_lock(&r->lock);
    while (i - r->encoded >= RUN_SLOTS && !r->halt)
        pthread_cond_wait(&r->changed, &r->lock);
    bool leave = r->halt;
    pthread_mutex_unlock(&r->lock);
    r->worked_us = clock_mono_us(); /* waiting was no work */
    if (!leave && atomic_load(r->cancel)) {
        halt_cancelled(r);
        leave = true;
    }
    return leave ? NULL : r->slot[i % RUN_SLOTS];
}

void run_drawn(struct run *r, int i)
{
    pthread_mutex_lock(&r->lock);
    r->drawn = i + 1;
    pthread_cond_broadcast(&r->changed);
    pthread_mutex_unlock(&r->lock);
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
        if (atomic_load(r->cancel)) {
            halt_cancelled(r);
            return NULL;
        }
        if (encode_frame(r->encode, r->slot[i % RUN_SLOTS], &f)) {
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

static enum err make_slots(struct run *r, struct fault *f)
{
    size_t pixels = (size_t)r->job->width * (size_t)r->job->height;
    r->frame_bytes = r->painter->nv12 ? pixels * 3 / 2 : pixels * 3;
    r->preview = malloc(pixels * 3);
    bool ok = r->preview != NULL;
    for (int i = 0; i < RUN_SLOTS; i++) {
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
    bool cpu = !strcmp(r->encoder, "auto") && !r->painter->gpu;
    struct encode_spec file = {.path = r->part,
                               .width = j->width,
                               .height = j->height,
                               .fps = j->fps,
                               .threads = 2,
                               .codec = cpu ? "libx264" : r->encoder,
                               .nv12 = r->painter->nv12};
    pthread_t encoder;
    enum err e = make_slots(r, f);
    if (e)
        return e;
    r->encode = encode_new(&file, f);
    if (!r->encode)
        return f->code;
    if (encode_note(r->encode)[0]) { /* told once, and not tried again */
        log_info("worker", "%s", encode_note(r->encode));
        r->painter->gpu = false;
    }
    if (pthread_create(&encoder, NULL, encode_thread, r))
        return fault_set(f, ERR_NOMEM, "cannot start the encoder thread");
    str_copy(r->stage, sizeof r->stage, r->painter->stage);
    enter(r, PHASE_DRAW);
    e = r->painter->draw(r->painter, r, f);
    if (e)
        halt(r, f); /* unless the encoder was first to fail: then that is why */
    else
        enter(r, PHASE_ENCODE);
    r->draw_ms = clock_mono_ms() - r->began_ms;
    pthread_join(encoder, NULL);
    if (r->halt) {
        *f = r->fault;
        e = f->code;
    }
    return e;
}

/* ---- the file ---- */

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
    str_copy(m->engine, sizeof m->engine, r->painter->engine);
    str_copy(m->version, sizeof m->version, PACKAGE_VERSION);
    str_copy(m->build, sizeof m->build, encode_build());
    str_copy(m->encoder, sizeof m->encoder, encode_codec(r->encode));
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
    if (r->painter->sign)
        r->painter->sign(r->painter, m);
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
    return !atomic_load(r->cancel);
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
    int dir = open(r->vault, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (dir >= 0) {
        fsync(dir);
        close(dir);
    }
    return ERR_OK;
}

bool run_job(struct run *r)
{
    const struct engine_job *job = r->job;
    struct fault f = {0};
    struct report done = {.kind = REPORT_DONE, .id = job->id};
    r->began_ms = clock_mono_ms();
    r->began_utc_ms = clock_utc_ms();
    r->left_ms = -1;
    pthread_mutex_init(&r->lock, NULL);
    pthread_cond_init(&r->changed, NULL);
    enum err e = draw_and_encode(r, &f);
    if (!e)
        e = finish(r, &done, &f);
    encode_free(r->encode);
    int64_t checking = clock_mono_ms();
    if (!e)
        enter(r, PHASE_CHECK);
    if (!e)
        e = check(r, &done, &f);
    if (!e && atomic_load(r->cancel))
        e = fault_set(&f, ERR_CANCELLED, "the job was cancelled");
    if (!e)
        e = publish(r, &f);
    done.draw_ms = r->draw_ms;
    done.encode_ms = r->encode_ms;
    done.check_ms = clock_mono_ms() - checking;
    str_copy(done.path, sizeof done.path, job->path);
    if (e)
        unlink(r->part);
    if (r->painter->ended)
        r->painter->ended(r->painter, e && (e != ERR_CANCELLED || atomic_load(r->quit)));
    for (int i = 0; i < RUN_SLOTS; i++)
        free(r->slot[i]);
    free(r->preview);
    pthread_cond_destroy(&r->changed);
    pthread_mutex_destroy(&r->lock);
    r->fault = f;
    if (e == ERR_LOST)
        return false;
    if (e == ERR_CANCELLED)
        out_simple(REPORT_CANCELLED, job->id);
    else if (e)
        out_failed(job->id, &f);
    else
        out_report(&done);
    return true;
}
