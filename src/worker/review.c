#include "worker/review.h"

#include "base/clock.h"
#include "media/check.h"
#include "media/player.h"
#include "worker/out.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#define LINE_MAX_ORDERS 64
#define STILL_FRAMES_MAX 600 /* how far into a clip a still may lie */

/* What an order for a picture needs of it; a whole struct order is large. */
struct errand {
    enum order_kind kind;
    int64_t id;
    int w, h, frames, fps;
    char path[PATH_LEN];
};

struct review {
    pthread_t thread;
    pthread_mutex_t lock; /* guards what follows */
    pthread_cond_t changed;
    struct errand line[LINE_MAX_ORDERS];
    int waiting;
    bool play_changed;
    struct errand play; /* kind ORDER_PLAY, or ORDER_STOP: nothing */

    struct player *player; /* this thread only, as what follows */
    struct errand playing;
    int64_t started_us; /* when the present round began */
    struct player_frame next;
    bool have_next;
};

static void stop_playing(struct review *r)
{
    player_free(r->player);
    r->player = NULL;
    r->have_next = false;
}

static void play_trouble(struct review *r, const struct fault *f)
{
    out_trouble(r->playing.id, r->playing.path, f);
    stop_playing(r);
}

static void begin_playing(struct review *r, const struct errand *e)
{
    struct fault f = {0};
    stop_playing(r);
    r->playing = *e;
    if (e->kind != ORDER_PLAY)
        return;
    r->player = player_new(e->path, e->w, e->h, &f);
    r->started_us = clock_mono_us();
    if (!r->player)
        play_trouble(r, &f);
}

/* Decodes the next picture; at the end of the clip it starts over. */
static void decode_next(struct review *r)
{
    struct fault f = {0};
    enum err e = player_next(r->player, &r->next, &f);
    if (e == ERR_CLOSED) {
        r->started_us += player_length_us(r->player);
        e = player_rewind(r->player, &f);
        if (!e)
            e = player_next(r->player, &r->next, &f);
        if (e == ERR_CLOSED)
            e = fault_set(&f, ERR_CORRUPT, "the clip holds no picture");
    }
    if (e)
        play_trouble(r, &f);
    else
        r->have_next = true;
}

/* Shows the next picture if it is due. Returns when to come back (monotonic microseconds), or -1
 * for never. One at a time: a clip that decodes slower than it plays is always late, and an order
 * to stop it has to be seen all the same. */
static int64_t play(struct review *r)
{
    if (r->player && !r->have_next)
        decode_next(r);
    if (!r->player)
        return -1;
    int64_t now = clock_mono_us(), due = r->started_us + r->next.time_us;
    if (due > now)
        return due - now > 2000000 ? now + 2000000 : due;
    if (now - due > 500000) /* asleep or starved: go on from here, do not race */
        r->started_us += now - due;
    out_picture(PICTURE_REVIEW, r->playing.id, r->next.w, r->next.h, r->next.rgb);
    r->have_next = false;
    return now;
}

static void take_still(const struct errand *e)
{
    struct fault f = {0};
    struct player_frame v;
    struct player *p = player_new(e->path, e->w, e->h, &f);
    enum err bad = p ? player_next(p, &v, &f) : f.code;
    /* A clip's first picture is often a fade; its middle tells more. */
    for (int i = 0; !bad && i < STILL_FRAMES_MAX && v.time_us < player_length_us(p) / 2; i++) {
        bad = player_next(p, &v, &f);
        if (bad == ERR_CLOSED) {
            bad = ERR_OK;
            break;
        }
    }
    if (!bad && !out_picture(PICTURE_STILL, e->id, v.w, v.h, v.rgb))
        bad = fault_set(&f, ERR_TIMEOUT, "the console did not take the picture of %s", e->path);
    if (bad)
        out_trouble(e->id, e->path, &f);
    player_free(p);
}

static void check(const struct errand *e)
{
    struct fault f = {0};
    struct check_result got;
    struct check_spec spec = {e->path, e->frames, e->fps, NULL, NULL};
    struct report r = {.kind = REPORT_CHECKED, .id = e->id};
    if (check_clip(&spec, &got, &f)) {
        out_trouble(e->id, e->path, &f);
        return;
    }
    str_copy(r.path, sizeof r.path, e->path);
    r.frames = got.frames;
    r.duration_ms = got.duration_ms;
    for (int i = 0; i < got.rows_n; i++) {
        struct verdict *v = &r.verdicts[r.verdicts_n++];
        str_copy(v->name, sizeof v->name, got.rows[i].name);
        str_copy(v->words, sizeof v->words, got.rows[i].words);
        v->ok = got.rows[i].ok;
    }
    out_report(&r);
}

static void *review_thread(void *user)
{
    struct review *r = user;
    int64_t wake_us = -1;
    for (;;) {
        struct errand todo = {.kind = ORDER_KINDS};
        pthread_mutex_lock(&r->lock);
        while (!r->play_changed && !r->waiting && (wake_us < 0 || clock_mono_us() < wake_us)) {
            if (wake_us < 0) {
                pthread_cond_wait(&r->changed, &r->lock);
                continue;
            }
            struct timespec until = {wake_us / 1000000, wake_us % 1000000 * 1000};
            pthread_cond_timedwait(&r->changed, &r->lock, &until);
        }
        if (r->play_changed) {
            todo = r->play;
            r->play_changed = false;
        } else if (r->waiting) {
            todo = r->line[0];
            r->waiting--;
            for (int i = 0; i < r->waiting; i++)
                r->line[i] = r->line[i + 1];
        }
        pthread_mutex_unlock(&r->lock);
        if (todo.kind == ORDER_PICTURE)
            take_still(&todo);
        else if (todo.kind == ORDER_CHECK)
            check(&todo);
        else if (todo.kind != ORDER_KINDS)
            begin_playing(r, &todo);
        wake_us = play(r);
    }
    return NULL;
}

struct review *review_new(struct fault *f)
{
    struct review *r = calloc(1, sizeof *r);
    pthread_condattr_t mono;
    if (!r) {
        fault_set(f, ERR_NOMEM, "cannot start the review thread: out of memory");
        return NULL;
    }
    pthread_mutex_init(&r->lock, NULL);
    pthread_condattr_init(&mono);
    pthread_condattr_setclock(&mono, CLOCK_MONOTONIC);
    pthread_cond_init(&r->changed, &mono);
    pthread_condattr_destroy(&mono);
    if (pthread_create(&r->thread, NULL, review_thread, r)) {
        fault_set(f, ERR_NOMEM, "cannot start the review thread");
        free(r);
        return NULL;
    }
    return r;
}

void review_order(struct review *r, const struct order *o)
{
    struct errand e = {o->kind, o->id, o->w, o->h, o->frames, o->fps, ""};
    struct fault f;
    bool full = false;
    str_copy(e.path, sizeof e.path, o->path);
    pthread_mutex_lock(&r->lock);
    if (o->kind == ORDER_PLAY || o->kind == ORDER_STOP) {
        r->play = e;
        r->play_changed = true;
    } else if (r->waiting < LINE_MAX_ORDERS) {
        r->line[r->waiting++] = e;
    } else {
        full = true;
    }
    pthread_cond_signal(&r->changed);
    pthread_mutex_unlock(&r->lock);
    if (full) {
        fault_set(&f, ERR_LIMIT, "the media worker has %d orders waiting already", LINE_MAX_ORDERS);
        out_trouble(o->id, o->path, &f);
    }
}
