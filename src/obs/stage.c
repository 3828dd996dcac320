/* The stage turns events into cuts. Three things happen at their own pace and meet here:
 *
 * The table (table.c) says where we are and where an event leads. It alone decides.
 *
 * The step is the one change of the program that is under way: SENDING (text and file go to the
 * hidden slot), READYING (OBS opens the file), CUTTING, then IDLE. Requests in flight may overtake
 * each other inside OBS, so a new step waits for the answer of one that was sent; between the two
 * answers it may be thrown away. What ought to be shown may change meanwhile: then `again` is set
 * and the step's end looks anew.
 *
 * The airing is the clip that the caller asked for, from stage_air() to on_ended(). Its end is
 * believed only when it fits: OBS also tells "ended" when a scene is left, and sometimes tells
 * nothing. So there are three witnesses: our clock, which asks the player shortly before the end
 * and then pauses it, so that the last picture stays until the next cut; OBS's event, believed when
 * the clock or the player agrees; and the table's due time, two seconds after the end.
 *
 * The slot that is seen is `live`; the other one is loaded. -1: neither is seen. */
#include "obs/stage_inside.h"

#include "base/clock.h"
#include "base/log.h"
#include "obs/session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define READY_MS 200    /* OBS needs 100 between the file and the cut, more on a busy machine */
#define HANDOVER_MS 250 /* the last picture stays so long, for the caller's next clip */
#define GRACE_MS 2000   /* after a clip's end the watchdog waits so long */
#define GENERATING_MS 20000
#define GALLERY_DWELL_MS 8000
#define TEXT_MS 500
#define CLOSE_MS 900

static void show(struct stage *s);
static void begin_air(struct stage *s);

const char *stage_end_name(enum stage_end e)
{
    static const char *const names[] = {"played", "watchdog", "fault",    "refused",
                                        "lost",   "panic",    "override", "quit"};
    return (size_t)e < sizeof names / sizeof *names ? names[e] : "?";
}

/* ---- the end of an airing, and the table ---- */

void stage_end_air(struct stage *s, enum stage_end how, const char *words)
{
    if (s->airing == AIR_NONE)
        return;
    int64_t id = s->air.id;
    if (s->airing < AIR_CUTTING) /* whatever stopped it, nobody has seen it */
        how = STAGE_END_REFUSED;
    s->airing = AIR_NONE;
    timer_stop(s->end);
    monitor_begin(&s->monitor, false, clock_mono_ms());
    log_write(how == STAGE_END_PLAYED ? LOG_INFO : LOG_WARN, "stage", "clip %lld ended: %s%s%s",
              (long long)id, stage_end_name(how), *words ? ", " : "", words);
    s->ops->on_ended(s->user, id, how, words);
}

static void arm_due(struct stage *s)
{
    if (s->table.due_ms > 0)
        timer_start(s->due, s->table.due_ms - clock_mono_ms(), 0);
    else
        timer_stop(s->due);
}

/* What an airing comes to when this event takes the stage away from it. */
static enum stage_end end_by(enum table_event e)
{
    switch (e) {
    case TABLE_DUE:
        return STAGE_END_WATCHDOG;
    case TABLE_PANIC:
        return STAGE_END_PANIC;
    case TABLE_AWAY:
    case TABLE_BACK:
        return STAGE_END_OVERRIDE;
    case TABLE_CLOSE:
        return STAGE_END_QUIT;
    case TABLE_RESYNC:
        return STAGE_END_LOST;
    default:
        return STAGE_END_FAULT;
    }
}

enum table_act stage_move(struct stage *s, enum table_event e, const char *words)
{
    enum table_place from = s->table.at;
    enum table_act act = table_move(&s->table, e, clock_mono_ms());
    arm_due(s);
    if (from != s->table.at)
        log_info("stage", "%s -> %s (%s)", table_place_name(from), table_place_name(s->table.at),
                 table_event_name(e));
    if (s->airing == AIR_ON && e != TABLE_ENDED && act != TABLE_NOTHING)
        stage_end_air(s, end_by(e), words);
    if (act == TABLE_SHOW && e != TABLE_AIR)
        show(s);
    if (act != TABLE_NOTHING)
        s->ops->on_status(s->user);
    return act;
}

static void on_due(void *user)
{
    struct stage *s = user;
    if (!s->up)
        return;
    s->bad_clips = 0;
    stage_move(s, TABLE_DUE, "no end was heard of");
}

/* ---- steps ---- */

static void on_cut(void *user, uint64_t tag, enum err err, const char *why, int64_t took_us)
{
    struct stage *s = user;
    int64_t now = clock_mono_ms();
    (void)took_us;
    if (tag != s->tag || s->step != STEP_CUTTING || err == ERR_CLOSED)
        return;
    s->step = STEP_IDLE;
    if (s->table.at == PLACE_PANIC) { /* it may have overtaken the panic */
        s->screen->kind->panic(s->screen, NULL, 0);
        return;
    }
    if (err) {
        log_error("stage", "the cut to %s failed: %s", stage_scene_name(s->to), why);
        if (s->airing == AIR_CUTTING) {
            stage_end_air(s, STAGE_END_REFUSED, why);
            stage_move(s, TABLE_FAULT, why);
        }
    } else {
        s->live = s->slot;
        s->live_id = s->slot_id;
        s->cut_ms = now;
        s->trouble[0] = '\0';
        monitor_begin(&s->monitor, s->slot >= 0, now);
        if (s->airing == AIR_CUTTING) {
            s->airing = AIR_ON;
            watch_begin(s);
            log_info("stage", "clip %lld is on air, %lld ms after it was asked for",
                     (long long)s->air.id, (long long)((clock_mono_us() - s->asked_us) / 1000));
            s->ops->on_air(s->user, s->air.id);
            if (s->unwanted == s->air.id)
                stage_cut_short(s, s->air.id);
        }
    }
    if (s->close_done && s->table.at == PLACE_CLOSED && !s->again)
        timer_start(s->closing, 0, 0);
    s->ops->on_status(s->user);
    if (s->airing == AIR_WAITING)
        begin_air(s);
    else if (s->again && s->step == STEP_IDLE)
        show(s);
}

static void cut(struct stage *s, enum stage_scene to, int slot, int64_t id)
{
    s->step = STEP_CUTTING;
    s->to = to;
    s->slot = slot;
    s->slot_id = id;
    s->screen->kind->cut(s->screen, to, slot, on_cut, ++s->tag);
}

static void on_loaded(void *user, uint64_t tag, enum err err, const char *why, int64_t took_us)
{
    struct stage *s = user;
    (void)took_us;
    if (s->step != STEP_SENDING || tag != s->tag || err == ERR_CLOSED)
        return;
    s->step = STEP_IDLE;
    if (s->airing == AIR_WAITING) {
        begin_air(s);
    } else if (s->again) {
        show(s);
    } else if (!err) {
        s->step = STEP_READYING;
        timer_start(s->ready, READY_MS, 0);
    } else if (s->airing == AIR_LOADING) {
        stage_end_air(s, STAGE_END_REFUSED, why);
        show(s);
    } else {
        log_error("stage", "a clip of the gallery cannot be loaded: %s", why);
        cut(s, STAGE_GALLERY, -1, 0);
    }
}

static void on_ready(void *user)
{
    struct stage *s = user;
    if (s->step != STEP_READYING)
        return;
    if (s->airing != AIR_LOADING) {
        cut(s, STAGE_GALLERY, s->slot, s->slot_id);
        return;
    }
    s->table.clip_ms = s->air.duration_ms + GRACE_MS;
    s->airing = AIR_CUTTING;
    if (stage_move(s, TABLE_AIR, "") == TABLE_SHOW) {
        cut(s, STAGE_RESULT, s->slot, s->air.id);
    } else {
        s->step = STEP_IDLE;
        stage_end_air(s, STAGE_END_REFUSED, "the stage cannot show a clip now");
    }
}

static void load(struct stage *s, enum stage_scene in, const struct stage_clip *c, const char *path,
                 bool loop)
{
    struct screen_clip clip = {.path = path,
                               .viewer = c->viewer,
                               .prompt = c->prompt,
                               .style = c->style,
                               .duration_ms = c->duration_ms,
                               .loop = loop};
    timer_stop(s->ready);
    s->again = false;
    s->step = STEP_SENDING;
    s->to = in;
    s->slot = s->live == 0 ? 1 : 0;
    s->slot_id = c->id;
    s->screen->kind->load(s->screen, in, s->slot, &clip, on_loaded, ++s->tag);
}

/* A step whose answer is out may not be overtaken. */
static bool busy(const struct stage *s)
{
    return s->step == STEP_SENDING || s->step == STEP_CUTTING;
}

static void begin_air(struct stage *s)
{
    if (busy(s)) {
        s->airing = AIR_WAITING;
        return;
    }
    s->airing = AIR_LOADING;
    load(s, STAGE_RESULT, &s->air, s->air_path, false);
}

static void show_gallery(struct stage *s)
{
    struct stage_clip *c = calloc(1, sizeof *c); /* 2 KiB, too much for every stack below */
    struct fault f;
    char path[PATH_LEN];
    bool have = c && s->bad_clips < BAD_CLIPS_MAX && s->ops->gallery_next(s->user, c);
    s->table.clips = have || (s->bad_clips >= BAD_CLIPS_MAX && s->table.clips);
    if (have && airlock_check(&s->lock, c->path, path, &f)) {
        log_error("stage", "the gallery's clip %lld is not shown: %s", (long long)c->id,
                  fault_text(&f));
        s->bad_clips++;
        have = false;
    }
    if (have)
        load(s, STAGE_GALLERY, c, path, true);
    else
        cut(s, STAGE_GALLERY, -1, 0);
    free(c);
}

/* Makes the program what the table says, as soon as nothing is under way. */
static void show(struct stage *s)
{
    s->again = false;
    if (!s->up || s->airing != AIR_NONE)
        return; /* the airing's own step leads on from here */
    if (busy(s)) {
        s->again = true;
        return;
    }
    timer_stop(s->ready);
    s->step = STEP_IDLE;
    switch (s->table.at) {
    case PLACE_STANDBY:
        cut(s, STAGE_STANDBY, -1, 0);
        break;
    case PLACE_GENERATING:
        cut(s, STAGE_GENERATING, -1, 0);
        break;
    case PLACE_RESULT: /* the clip that was asked for did not come */
        stage_move(s, TABLE_FAULT, "");
        break;
    case PLACE_GALLERY:
    case PLACE_CLOSED:
        show_gallery(s);
        break;
    default:
        break;
    }
}

/* Throws away what is not under way in OBS yet. */
void stage_drop_step(struct stage *s)
{
    timer_stop(s->ready);
    if (s->step != STEP_CUTTING) {
        s->step = STEP_IDLE;
        s->tag++;
    }
    s->again = false;
}

/* ---- text ---- */

static void on_text(void *user)
{
    struct stage *s = user;
    if (!s->text_dirty || !s->up)
        return;
    s->text_dirty = false;
    s->text_ms = clock_mono_ms();
    s->screen->kind->text(s->screen, s->progress, s->queue);
}

void stage_send_text(struct stage *s)
{
    int64_t wait = s->text_ms + TEXT_MS - clock_mono_ms();
    s->text_dirty = true;
    if (!timer_active(s->text))
        timer_start(s->text, wait > 0 ? wait : 0, 0);
}

void stage_set_generating(struct stage *s, bool on, const char *text)
{
    if (strcmp(s->progress, text ? text : "")) {
        str_copy(s->progress, sizeof s->progress, text ? text : "");
        stage_send_text(s);
    }
    if (on == s->table.drawing)
        return;
    s->table.drawing = on;
    if (s->up)
        stage_move(s, on ? TABLE_DRAWING : TABLE_DRAWN, "");
}

void stage_set_queue_text(struct stage *s, const char *text)
{
    if (!strcmp(s->queue, text))
        return;
    str_copy(s->queue, sizeof s->queue, text);
    stage_send_text(s);
}

static void on_changed(void *user)
{
    struct stage *s = user;
    s->ops->on_status(s->user);
}

/* ---- what the caller asks for ---- */

bool stage_ready(const struct stage *s, bool by_operator)
{
    return s->up && s->airing == AIR_NONE &&
           (s->table.at <= PLACE_GALLERY || (s->table.at == PLACE_AWAY && by_operator));
}

enum err stage_air(struct stage *s, const struct stage_clip *clip, bool by_operator,
                   struct fault *f)
{
    char path[PATH_LEN];
    enum err err = airlock_check(&s->lock, clip->path, path, f);
    if (err)
        return err;
    if (clip->duration_ms <= 0 || clip->duration_ms > STAGE_CLIP_MS_MAX)
        return fault_set(f, ERR_INVAL, "clip %lld has no sensible duration", (long long)clip->id);
    if (s->table.at == PLACE_PANIC)
        return fault_set(f, ERR_STATE, "panic: resume first");
    if (s->table.at == PLACE_CLOSED)
        return fault_set(f, ERR_STATE, "the show is ending");
    if (s->table.at == PLACE_AWAY && !by_operator)
        return fault_set(f, ERR_STATE, "the scene %s is held by hand in OBS", s->held);
    if (!s->up)
        return fault_set(f, ERR_CLOSED, "OBS is not connected; the clip waits");
    if (s->airing != AIR_NONE)
        return fault_set(f, ERR_BUSY, "clip %lld is on air", (long long)s->air.id);
    s->air = *clip;
    memcpy(s->air_path, path, sizeof path);
    s->unwanted = 0; /* it was taken back once and may have come again */
    s->asked_us = clock_mono_us();
    begin_air(s);
    return ERR_OK;
}

bool stage_withdraw(struct stage *s, int64_t id)
{
    if (s->air.id != id || (s->airing != AIR_WAITING && s->airing != AIR_LOADING))
        return false;
    s->airing = AIR_NONE;
    log_info("stage", "clip %lld was taken back before the cut", (long long)id);
    if (s->step == STEP_SENDING)
        s->again = true;
    else
        show(s);
    return true;
}

void stage_gallery_changed(struct stage *s)
{
    if (!s->up || s->table.clips)
        return;
    s->table.clips = link_have_clips(s);
    if (s->table.clips)
        stage_move(s, TABLE_FILLED, "");
}

void stage_gallery_withdraw(struct stage *s, int64_t id)
{
    if (s->table.at == PLACE_GALLERY && s->slot_id == id && s->slot >= 0)
        stage_move(s, TABLE_FAULT, "");
}

void stage_cut_short(struct stage *s, int64_t id)
{
    if (s->airing == AIR_NONE || s->air.id != id)
        return;
    if (s->airing == AIR_ON)
        stage_move(s, TABLE_FAULT, "taken back while it was on air");
    else
        s->unwanted = id; /* the cut is on its way: it ends as soon as it came */
}

void stage_chime(struct stage *s)
{
    s->screen->kind->chime(s->screen);
}

static void on_panicked(void *user, uint64_t tag, enum err err, const char *why, int64_t took_us)
{
    struct stage *s = user;
    struct waiter list[STAGE_WAITERS_MAX];
    int n = s->panic_count;
    (void)took_us;
    (void)tag;
    int64_t us = clock_mono_us() - s->panic_us;
    if (err)
        log_error("stage", "panic: %s", why);
    else
        log_warn("stage", "panic: standby after %.1f ms", (double)us / 1000);
    s->live = -1;
    memcpy(list, s->panic_waiters, sizeof list);
    s->panic_count = 0;
    for (int i = 0; i < n; i++)
        list[i].fn(list[i].user, err, why, us);
    s->ops->on_status(s->user);
}

void stage_panic(struct stage *s, stage_done_fn *done, void *user)
{
    s->panic_us = clock_mono_us();
    if (done && s->panic_count < STAGE_WAITERS_MAX)
        s->panic_waiters[s->panic_count++] = (struct waiter){done, user};
    s->screen->kind->panic(s->screen, on_panicked, 0); /* before anything else */
    stage_drop_step(s);
    timer_stop(s->end);
    stage_move(s, TABLE_PANIC, "panic");
    stage_end_air(s, STAGE_END_PANIC, "panic");
}

void stage_resume(struct stage *s)
{
    s->screen->kind->resume(s->screen);
    stage_move(s, TABLE_RESUME, "");
}

static void on_closing(void *user)
{
    struct stage *s = user;
    stage_done_fn *fn = s->close_done;
    bool in_time = s->step == STEP_IDLE;
    s->close_done = NULL;
    if (fn)
        fn(s->close_user, in_time ? ERR_OK : ERR_TIMEOUT,
           in_time ? "" : "OBS did not answer before the end", 0);
}

void stage_close(struct stage *s, stage_done_fn *done, void *user)
{
    s->close_done = done;
    s->close_user = user;
    enum airing was = s->airing;
    stage_drop_step(s);
    if (was != AIR_ON)
        stage_end_air(s, STAGE_END_QUIT, "the show ended");
    stage_move(s, TABLE_CLOSE, "the show ended");
    timer_stop(s->due);
    timer_start(s->closing, s->up && (s->step != STEP_IDLE || s->again) ? CLOSE_MS : 0, 0);
}

void stage_retry(struct stage *s, const char *password)
{
    s->screen->kind->retry(s->screen, password);
}

void stage_status(const struct stage *s, struct obs_status *out)
{
    s->screen->kind->status(s->screen, out);
    enum table_place at = s->table.at;
    out->stage = at <= PLACE_GALLERY  ? (enum stage_scene)at
                 : at == PLACE_CLOSED ? STAGE_GALLERY
                                      : STAGE_STANDBY;
    if (at == PLACE_AWAY && s->up)
        snprintf(out->why, sizeof out->why, "the scene %.128s is held by hand in OBS", s->held);
    str_copy(out->monitor, sizeof out->monitor, s->trouble);
}

bool stage_panicked(const struct stage *s)
{
    return s->table.at == PLACE_PANIC;
}

int64_t stage_airing(const struct stage *s)
{
    return s->airing == AIR_NONE ? 0 : s->air.id;
}

/* ---- made and ended ---- */

struct stage *stage_new(struct loop *l, const struct stage_settings *set,
                        const struct stage_ops *ops, void *user, struct fault *f)
{
    static const struct screen_ops screen_ops = {link_up,     link_down,  link_program,
                                                 watch_ended, on_changed, watch_picture};
    struct stage *s = calloc(1, sizeof *s);
    if (!s) {
        fault_set(f, ERR_NOMEM, "no memory for the stage");
        return NULL;
    }
    s->loop = l;
    s->ops = ops;
    s->user = user;
    s->live = s->slot = -1;
    s->table.result_dwell_ms =
        set->result_dwell_ms > HANDOVER_MS ? set->result_dwell_ms : HANDOVER_MS;
    s->table.gallery_dwell_ms =
        set->gallery_dwell_ms > 0 ? set->gallery_dwell_ms : GALLERY_DWELL_MS;
    s->table.generating_ms = GENERATING_MS;
    enum err err = airlock_init(&s->lock, set->air, f);
    for (int i = 0; i < set->map_count && !err; i++)
        err = airlock_map(&s->lock, set->maps[i].from, set->maps[i].to, f);
    if (err)
        goto fail;
    s->due = timer_new(l, "stage due", on_due, s);
    s->poll = timer_new(l, "stage monitor", watch_poll, s);
    s->end = timer_new(l, "stage end of clip", watch_end, s);
    s->ready = timer_new(l, "stage ready", on_ready, s);
    s->text = timer_new(l, "stage text", on_text, s);
    s->closing = timer_new(l, "stage close", on_closing, s);
    if (!s->due || !s->poll || !s->end || !s->ready || !s->text || !s->closing) {
        fault_set(f, ERR_NOMEM, "no memory for the stage");
        goto fail;
    }
    struct screen_settings screen = {set->url, set->password, set->label, set->chime};
    s->screen = set->url ? screen_obs_new(l, &screen, &screen_ops, s, f)
                         : screen_null_new(l, &screen_ops, s, f);
    if (s->screen)
        return s;
fail:
    stage_free(s);
    return NULL;
}

void stage_free(struct stage *s)
{
    if (!s)
        return;
    if (s->screen)
        s->screen->kind->free(s->screen);
    timer_free(s->due);
    timer_free(s->poll);
    timer_free(s->end);
    timer_free(s->ready);
    timer_free(s->text);
    timer_free(s->closing);
    free(s);
}

void stage_shutdown(struct loop *l)
{
    session_shutdown(l);
}
