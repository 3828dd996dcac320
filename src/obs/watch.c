/* What the stage believes of a clip on air: its end, by three witnesses, and the confidence
 * monitor, which looks at the program itself and falls to the gallery when it is black or frozen.
 */
#include "obs/stage_inside.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"

#include <stdio.h>
#include <string.h>

#define SETTLE_MS 900 /* a player may take so long to begin */

/* ---- the end of a clip ---- */

static void played(struct stage *s)
{
    s->screen->kind->pause(s->screen, s->live);
    stage_move(s, TABLE_ENDED, "");
    stage_end_air(s, STAGE_END_PLAYED, "");
}

static void broke_off(struct stage *s)
{
    char words[128];
    snprintf(words, sizeof words, "the clip broke off after %.1f of %.1f s",
             (double)(clock_mono_ms() - s->cut_ms) / 1000, (double)s->air.duration_ms / 1000);
    stage_move(s, TABLE_FAULT, words);
}

/* Shortly before the end by our clock: what does the player say? It may lag on a loaded machine. */
static void on_end_play(void *user, uint64_t tag, enum screen_play play, int64_t cursor_ms)
{
    struct stage *s = user;
    if (tag != s->tag || s->airing != AIR_ON)
        return;
    int64_t left = s->air.duration_ms - LAST_PICTURE_MS - cursor_ms;
    if (play == SCREEN_PLAYING && cursor_ms >= 0 && left > 250)
        timer_start(s->end, left, 0);
    else
        played(s);
}

void watch_end(void *user)
{
    struct stage *s = user;
    if (s->airing == AIR_ON)
        s->screen->kind->play(s->screen, s->live, on_end_play, s->tag);
}

static void on_event_play(void *user, uint64_t tag, enum screen_play play, int64_t cursor_ms)
{
    struct stage *s = user;
    (void)cursor_ms;
    if (tag == s->tag && s->airing == AIR_ON && play == SCREEN_OVER)
        broke_off(s);
}

void watch_ended(void *user, int slot)
{
    struct stage *s = user;
    if (s->airing != AIR_ON || slot != s->live)
        return;
    if (clock_mono_ms() - s->cut_ms >= s->air.duration_ms - 400)
        played(s);
    else
        s->screen->kind->play(s->screen, slot, on_event_play, s->tag);
}

/* ---- the confidence monitor ---- */

static bool judged(const struct stage *s)
{
    return s->step == STEP_IDLE && s->live >= 0 &&
           (s->airing == AIR_ON || (s->table.at == PLACE_GALLERY && s->airing == AIR_NONE));
}

static void on_poll_play(void *user, uint64_t tag, enum screen_play play, int64_t cursor_ms)
{
    struct stage *s = user;
    int64_t now = clock_mono_ms();
    if (tag != s->tag || !judged(s))
        return;
    if (s->airing == AIR_ON && play == SCREEN_OVER && now - s->cut_ms > SETTLE_MS) {
        if (now - s->cut_ms >= s->air.duration_ms - 400)
            played(s);
        else
            broke_off(s);
        return;
    }
    monitor_cursor(&s->monitor, play == SCREEN_PLAYING ? cursor_ms : -1, now);
}

void watch_poll(void *user)
{
    struct stage *s = user;
    char words[64];
    if (!s->up)
        return;
    bool judge = judged(s);
    if (judge || s->polls++ % 2 == 0)
        s->screen->kind->look(s->screen);
    if (!judge)
        return;
    s->screen->kind->play(s->screen, s->live, on_poll_play, s->tag);
    bool bad = monitor_verdict(&s->monitor, clock_mono_ms(), words);
    if (strcmp(words, s->trouble)) {
        str_copy(s->trouble, sizeof s->trouble, words);
        s->ops->on_status(s->user);
    }
    if (!bad)
        return;
    log_error("stage", "the program is %s: falling to the gallery", words);
    if (s->table.at == PLACE_GALLERY)
        s->bad_clips++;
    stage_move(s, TABLE_FAULT, words);
}

void watch_picture(void *user, int w, int h, const uint8_t *rgb)
{
    struct stage *s = user;
    monitor_picture(&s->monitor, rgb, (size_t)w * (size_t)h * 3, clock_mono_ms());
    if (s->ops->on_picture)
        s->ops->on_picture(s->user, w, h, rgb);
}
