/* Jobs to the drawing worker, one at a time.
 *
 * The job sent is `current` until its one end is heard or its worker dies, so a death always knows
 * whose it was. What the media worker does is in errands.c. */
#include "engine/engine_inside.h"

#include "base/clock.h"
#include "base/log.h"

#include <stdlib.h>
#include <string.h>

#define CANCEL_MS 3000  /* a worker that does not stop a job in this time is killed */
#define STALL_MS 120000 /* and one whose job does not get on: it beats, but its disk may hang */
#define STALL_MODEL_MS 1800000 /* one block of a large model on a slow CPU takes minutes */

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

void engine_clip_of(const struct report *r, struct engine_clip *c)
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
        engine_clip_of(r, &clip);
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

/* ---- life ---- */

static const struct peer_ops draw_ops = {draw_up, draw_report, draw_picture, draw_down};

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
        str_copy(first->encoder, sizeof first->encoder, config->encoder ? config->encoder : "auto");
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
        e->media = peer_new(l, config->worker, first, &engine_errand_ops, e);
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
