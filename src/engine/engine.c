/* engine/engine: jobs to the drawing worker, one at a time; errands to the media worker.
 *
 * The job sent is `current` until its one end is heard or its worker dies, so a death always knows
 * whose it was. Errands are kept until answered: when the media worker dies, what it was at (the
 * oldest errand sent, and the clip it played) is given up as trouble, since it may be what killed
 * it, and the rest are sent again to the next one. */
#include "engine/engine.h"

#include "base/clock.h"
#include "base/log.h"
#include "engine/peer.h"

#include <stdlib.h>
#include <string.h>

#define CANCEL_MS 3000  /* a worker that does not stop a job in this time is killed */
#define STALL_MS 120000 /* and one whose job does not get on: it beats, but its disk may hang */
#define STALL_MODEL_MS 1800000 /* one block of a large model on a slow CPU takes minutes */

struct errand {
    enum order_kind kind;
    int64_t id;
    int w, h, frames, fps;
    bool sent;
    char path[PATH_LEN];
};

struct engine {
    const struct engine_ops *ops;
    void *user;
    struct peer *draw, *media;
    struct engine_status status;

    struct engine_job *queue[ENGINE_JOBS_MAX]; /* not sent yet, oldest first */
    int queued;
    int64_t current; /* id of the job sent, 0 none */
    bool cancelling;
    struct timer *cancel_limit, *stall_limit;
    int stall_ms;
    bool draws_only;

    int64_t cancelled[ENGINE_JOBS_MAX]; /* taken out of the queue, to be told */
    int cancelled_n;
    struct timer *tell;

    struct errand errands[ENGINE_ERRANDS_MAX]; /* oldest first */
    int errands_n;
    struct errand play; /* kind ORDER_PLAY or ORDER_STOP */

    struct order order; /* large: room for the order being sent */
};

#define TELL(e, op, ...)                                                                           \
    do {                                                                                           \
        if ((e)->ops->op)                                                                          \
            (e)->ops->op((e)->user, __VA_ARGS__);                                                  \
    } while (0)

/* ---- drawing ---- */

static void set_state(struct engine *e)
{
    struct engine_status *s = &e->status;
    s->state = !peer_up(e->draw) ? (peer_pid(e->draw) ? ENGINE_STARTING : ENGINE_DOWN)
               : e->current      ? ENGINE_DRAWING
                                 : ENGINE_IDLE;
    if (s->job != e->current || !e->current) {
        s->job = e->current;
        s->stage[0] = '\0';
        s->progress = 0;
        s->eta_ms = -1;
    }
}

static void pump(struct engine *e)
{
    if (e->queued && !e->current && peer_up(e->draw)) {
        struct engine_job *job = e->queue[0];
        e->order.kind = ORDER_JOB;
        e->order.job = *job;
        if (peer_send(e->draw, &e->order)) { /* else it is being killed, and the job waits on */
            e->current = job->id;
            e->cancelling = false;
            timer_start(e->stall_limit, e->stall_ms, 0);
            e->queued--;
            memmove(e->queue, e->queue + 1, (size_t)e->queued * sizeof *e->queue);
            free(job);
        }
    }
    set_state(e);
}

/* The job has ended: the way is free for the next. Returns whether `id` was the current one. */
static bool ended(struct engine *e, int64_t id)
{
    if (id != e->current || !id) {
        log_warn("engine", "the worker reports the end of job %lld, which it does not have",
                 (long long)id);
        return false;
    }
    e->current = 0;
    e->cancelling = false;
    timer_stop(e->cancel_limit);
    timer_stop(e->stall_limit);
    pump(e);
    return true;
}

static void clip_of(const struct report *r, struct engine_clip *c)
{
    *c = (struct engine_clip){r->path,
                              r->bytes,
                              r->frames,
                              r->duration_ms,
                              r->verdicts,
                              r->verdicts_n,
                              protocol_passed(r->verdicts, r->verdicts_n),
                              r->sha256,
                              r->draw_ms,
                              r->encode_ms,
                              r->check_ms};
}

static void send_throttle(struct engine *e)
{
    e->order.kind = ORDER_THROTTLE;
    e->order.throttle = e->status.throttle;
    peer_send(e->draw, &e->order); /* one that is not up is told when it is */
}

void engine_throttle(struct engine *e, double part)
{
    if (part == e->status.throttle)
        return;
    log_info("engine", "it leaves %d%% of its time to others now", (int)(part * 100 + 0.5));
    e->status.throttle = part;
    if (peer_up(e->draw))
        send_throttle(e);
    TELL(e, on_state, &e->status);
}

static void draw_up(void *user, const struct report *hello)
{
    struct engine *e = user;
    log_info("engine", "worker %s ready, process %lld (%s)", hello->version, (long long)hello->pid,
             hello->build);
    e->status.device = hello->device;
    e->status.heard_ms = clock_mono_ms();
    e->status.why[0] = '\0';
    if (e->status.throttle > 0)
        send_throttle(e);
    pump(e);
    TELL(e, on_state, &e->status);
}

static void draw_progress(struct engine *e, const struct report *r)
{
    struct engine_status *s = &e->status;
    if (r->id != e->current)
        return;
    timer_start(e->stall_limit, e->stall_ms, 0);
    str_copy(s->stage, sizeof s->stage, r->stage);
    s->progress = r->overall;
    s->eta_ms = r->eta_ms;
    TELL(e, on_progress, r->id, r->stage, r->fraction, r->overall, r->eta_ms);
}

/* The callback of an end may free the engine: it is the last thing done. */
static void draw_end(struct engine *e, const struct report *r)
{
    struct engine_clip clip;
    struct fault f = {.code = r->code};
    struct engine_status s;
    if (!ended(e, r->id))
        return;
    s = e->status;
    TELL(e, on_state, &s);
    if (r->kind == REPORT_DONE) {
        peer_praise(e->draw);
        clip_of(r, &clip);
        TELL(e, on_done, r->id, &clip);
    } else if (r->kind == REPORT_CANCELLED) {
        TELL(e, on_cancelled, r->id);
    } else {
        str_copy(f.text, sizeof f.text, r->text);
        TELL(e, on_failed, r->id, &f);
    }
}

static void draw_report(void *user, const struct report *r)
{
    struct engine *e = user;
    e->status.heard_ms = clock_mono_ms();
    switch (r->kind) {
    case REPORT_HEARTBEAT:
        e->status.device = r->device;
        TELL(e, on_state, &e->status);
        break;
    case REPORT_ACK:
        if (r->id == e->current)
            TELL(e, on_ack, r->id);
        break;
    case REPORT_PROGRESS:
        draw_progress(e, r);
        break;
    case REPORT_DONE:
    case REPORT_FAILED:
    case REPORT_CANCELLED:
        draw_end(e, r);
        break;
    default:
        break;
    }
}

static void draw_picture(void *user, const struct picture_head *h, const uint8_t *rgb)
{
    struct engine *e = user;
    if (h->kind == PICTURE_PREVIEW && h->id == e->current)
        TELL(e, on_picture, h, rgb);
}

static void draw_down(void *user, bool was_up, const char *words)
{
    struct engine *e = user;
    int64_t id = e->current;
    bool wanted = e->cancelling;
    e->current = 0;
    e->cancelling = false;
    timer_stop(e->cancel_limit);
    timer_stop(e->stall_limit);
    str_copy(e->status.why, sizeof e->status.why, words);
    set_state(e);
    log_error("engine", "%s%s", words, id ? "; it was drawing" : "");
    TELL(e, on_state, &e->status);
    if (id && wanted)
        TELL(e, on_cancelled, id);
    else if (id || was_up)
        TELL(e, on_died, id, words);
}

static void cancel_late(void *user)
{
    struct engine *e = user;
    if (e->current && e->cancelling)
        peer_kill(e->draw, "it did not stop in time");
}

static void stalled(void *user)
{
    struct engine *e = user;
    peer_kill(e->draw, "its job made no progress for too long");
}

static void tell_cancelled(void *user)
{
    struct engine *e = user;
    if (!e->cancelled_n)
        return;
    int64_t id = e->cancelled[0];
    e->cancelled_n--;
    memmove(e->cancelled, e->cancelled + 1, (size_t)e->cancelled_n * sizeof *e->cancelled);
    if (e->cancelled_n)
        timer_start(e->tell, 0, 0);
    TELL(e, on_cancelled, id);
}

enum err engine_submit(struct engine *e, const struct engine_job *job, struct fault *f)
{
    bool known = job->id == e->current;
    for (int i = 0; i < e->queued; i++)
        known = known || e->queue[i]->id == job->id;
    for (int i = 0; i < e->cancelled_n; i++)
        known = known || e->cancelled[i] == job->id;
    if (known)
        return fault_set(f, ERR_EXISTS, "the engine has job %lld already", (long long)job->id);
    if (e->queued + e->cancelled_n >= ENGINE_JOBS_MAX)
        return fault_set(f, ERR_FULL, "%d jobs wait for the engine already", ENGINE_JOBS_MAX);
    struct engine_job *copy = malloc(sizeof *copy);
    if (!copy)
        return fault_set(f, ERR_NOMEM, "no memory for job %lld", (long long)job->id);
    *copy = *job;
    e->queue[e->queued++] = copy;
    pump(e);
    return ERR_OK;
}

enum err engine_cancel(struct engine *e, int64_t id)
{
    if (id && id == e->current) {
        e->order.kind = ORDER_CANCEL;
        e->order.id = id;
        e->cancelling = true;
        peer_send(e->draw, &e->order);
        timer_start(e->cancel_limit, CANCEL_MS, 0);
        return ERR_OK;
    }
    for (int i = 0; i < e->queued; i++)
        if (e->queue[i]->id == id) {
            free(e->queue[i]);
            e->queued--;
            memmove(e->queue + i, e->queue + i + 1, (size_t)(e->queued - i) * sizeof *e->queue);
            e->cancelled[e->cancelled_n++] = id;
            timer_start(e->tell, 0, 0);
            return ERR_OK;
        }
    return ERR_NOTFOUND;
}

/* ---- media ---- */

static void send_errand(struct engine *e, struct errand *a)
{
    struct order *o = &e->order;
    o->kind = a->kind;
    o->id = a->id;
    o->w = a->w;
    o->h = a->h;
    o->frames = a->frames;
    o->fps = a->fps;
    memcpy(o->path, a->path, sizeof o->path);
    a->sent = peer_send(e->media, o);
}

static void send_waiting(struct engine *e)
{
    if (e->play.kind == ORDER_PLAY && !e->play.sent)
        send_errand(e, &e->play);
    for (int i = 0; i < e->errands_n; i++)
        if (!e->errands[i].sent)
            send_errand(e, &e->errands[i]);
}

static void forget_errand(struct engine *e, int i)
{
    e->errands_n--;
    memmove(e->errands + i, e->errands + i + 1, (size_t)(e->errands_n - i) * sizeof *e->errands);
}

/* The oldest errand sent of that kind and id; -1 none. `path` NULL: any. */
static int find_errand(const struct engine *e, enum order_kind kind, int64_t id, const char *path)
{
    for (int i = 0; i < e->errands_n; i++) {
        const struct errand *a = &e->errands[i];
        if (a->sent && a->kind == kind && a->id == id && (!path || !strcmp(a->path, path)))
            return i;
    }
    return -1;
}

static void media_up(void *user, const struct report *hello)
{
    (void)hello;
    send_waiting(user);
}

static void media_checked(struct engine *e, const struct report *r)
{
    struct engine_clip clip;
    int i = find_errand(e, ORDER_CHECK, r->id, r->path);
    if (i < 0)
        return;
    forget_errand(e, i);
    clip_of(r, &clip);
    TELL(e, on_checked, r->id, &clip);
}

static void media_trouble(struct engine *e, const struct report *r)
{
    struct fault f = {.code = r->code};
    str_copy(f.text, sizeof f.text, r->text);
    int i = find_errand(e, ORDER_CHECK, r->id, r->path);
    if (i < 0)
        i = find_errand(e, ORDER_PICTURE, r->id, r->path);
    if (e->play.kind == ORDER_PLAY && e->play.id == r->id && !strcmp(e->play.path, r->path))
        e->play.kind = ORDER_STOP;
    else if (i >= 0)
        forget_errand(e, i);
    else
        return;
    TELL(e, on_trouble, r->id, r->path, &f);
}

static void media_report(void *user, const struct report *r)
{
    struct engine *e = user;
    if (r->kind == REPORT_CHECKED)
        media_checked(e, r);
    else if (r->kind == REPORT_TROUBLE)
        media_trouble(e, r);
}

static void media_picture(void *user, const struct picture_head *h, const uint8_t *rgb)
{
    struct engine *e = user;
    if (h->kind == PICTURE_STILL) {
        int i = find_errand(e, ORDER_PICTURE, h->id, NULL);
        if (i < 0)
            return;
        forget_errand(e, i);
        peer_praise(e->media);
        TELL(e, on_picture, h, rgb);
    } else if (h->kind == PICTURE_REVIEW && e->play.kind == ORDER_PLAY && h->id == e->play.id) {
        peer_praise(e->media);
        TELL(e, on_picture, h, rgb);
    }
}

static void media_down(void *user, bool was_up, const char *words)
{
    struct engine *e = user;
    struct fault f;
    struct errand suspect[2];
    int n = 0;
    (void)was_up;
    log_error("engine", "media: %s", words);
    if (e->play.kind == ORDER_PLAY && e->play.sent) {
        suspect[n++] = e->play;
        e->play.kind = ORDER_STOP;
    }
    if (e->errands_n && e->errands[0].sent) {
        suspect[n++] = e->errands[0];
        forget_errand(e, 0);
    }
    for (int i = 0; i < e->errands_n; i++)
        e->errands[i].sent = false;
    fault_set(&f, ERR_CORRUPT, "%s while it read the file", words);
    const struct engine_ops *ops = e->ops;
    for (int i = 0; i < n && ops->on_trouble; i++)
        ops->on_trouble(e->user, suspect[i].id, suspect[i].path, &f);
}

void engine_play(struct engine *e, const char *path, int64_t id, int w, int h)
{
    e->play = (struct errand){.kind = ORDER_PLAY, .id = id, .w = w, .h = h};
    str_copy(e->play.path, sizeof e->play.path, path);
    send_waiting(e);
}

void engine_stop_play(struct engine *e)
{
    if (e->play.kind != ORDER_PLAY)
        return;
    e->play.kind = ORDER_STOP;
    send_errand(e, &e->play);
}

static enum err add_errand(struct engine *e, const struct errand *a, const char *path)
{
    if (e->errands_n == ENGINE_ERRANDS_MAX)
        return ERR_FULL;
    struct errand *to = &e->errands[e->errands_n++];
    *to = *a;
    str_copy(to->path, sizeof to->path, path);
    send_waiting(e);
    return ERR_OK;
}

enum err engine_picture(struct engine *e, const char *path, int64_t id, int w, int h)
{
    return add_errand(e, &(struct errand){.kind = ORDER_PICTURE, .id = id, .w = w, .h = h}, path);
}

enum err engine_check(struct engine *e, const char *path, int64_t id, int frames, int fps)
{
    return add_errand(
        e, &(struct errand){.kind = ORDER_CHECK, .id = id, .frames = frames, .fps = fps}, path);
}

/* ---- life ---- */

static const struct peer_ops draw_ops = {draw_up, draw_report, draw_picture, draw_down};
static const struct peer_ops media_ops = {media_up, media_report, media_picture, media_down};

struct engine *engine_new(struct loop *l, const struct engine_config *config,
                          const struct engine_ops *ops, void *user, struct fault *f)
{
    bool model = strcmp(config->kind, "wan") == 0;
    if (!model && strcmp(config->kind, "animatic") != 0) {
        fault_set(f, ERR_UNSUPPORTED,
                  "this build has no engine \"%s\"; use \"animatic\" or \"wan\"", config->kind);
        return NULL;
    }
    struct engine *e = calloc(1, sizeof *e);
    if (e) {
        struct order *first = &e->order;
        first->kind = ORDER_CONFIG;
        first->threads = config->threads;
        str_copy(first->path, sizeof first->path, config->vault);
        str_copy(first->engine, sizeof first->engine, config->kind);
        str_copy(first->model, sizeof first->model, config->model ? config->model : "");
        str_copy(first->device, sizeof first->device, config->device ? config->device : "auto");
        str_copy(first->dtype, sizeof first->dtype, config->dtype ? config->dtype : "auto");
        e->stall_ms = model ? STALL_MODEL_MS : STALL_MS;
        e->ops = ops;
        e->user = user;
        e->play.kind = ORDER_STOP;
        e->status.eta_ms = -1;
        e->status.device.watts = e->status.device.celsius = -1;
        str_copy(e->status.kind, sizeof e->status.kind, config->kind);
        e->cancel_limit = timer_new(l, "cancel limit", cancel_late, e);
        e->stall_limit = timer_new(l, "stall limit", stalled, e);
        e->tell = timer_new(l, "cancelled", tell_cancelled, e);
        e->draw = peer_new(l, config->worker, first, &draw_ops, e);
        first->media = true;
        e->media = peer_new(l, config->worker, first, &media_ops, e);
        e->draws_only = config->draws_only;
    }
    if (e && e->cancel_limit && e->stall_limit && e->tell && e->draw && e->media)
        return e;
    engine_free(e);
    fault_set(f, ERR_NOMEM, "no memory for the engine");
    return NULL;
}

void engine_start(struct engine *e)
{
    peer_start(e->draw);
    if (!e->draws_only)
        peer_start(e->media);
}

void engine_free(struct engine *e)
{
    if (!e)
        return;
    peer_free(e->draw);
    peer_free(e->media);
    timer_free(e->cancel_limit);
    timer_free(e->stall_limit);
    timer_free(e->tell);
    for (int i = 0; i < e->queued; i++)
        free(e->queue[i]);
    free(e);
}

const struct engine_status *engine_status(const struct engine *e)
{
    return &e->status;
}

pid_t engine_pid(const struct engine *e, bool media)
{
    return peer_pid(media ? e->media : e->draw);
}
