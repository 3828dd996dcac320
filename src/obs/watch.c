/* What the stage believes of a clip on air: its end, by three witnesses, and the confidence
 * monitor, which looks at the program itself and falls to the gallery when it is black or frozen.
 */
#include "obs/stage_inside.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"

#include <stdio.h>
#include <string.h>

#define LAG_MS 250
#define ASK_AHEAD_MS 300
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

/* A moment before the end by our clock: what does the player say? On a loaded machine it may lag;
 * then the end comes that much later. The pause itself follows without another question: an answer
 * may take longer than the last picture lasts. */
static void on_end_play(void *user, uint64_t tag, enum screen_play play, int64_t cursor_ms)
{
    struct stage *s = user;
    if (tag != s->tag || s->airing != AIR_ON)
        return;
    int64_t end = s->air.duration_ms - LAST_PICTURE_MS;
    int64_t by_clock = end - (clock_mono_ms() - s->cut_ms), by_player = end - cursor_ms;
    if (play == SCREEN_PLAYING && cursor_ms >= 0 && by_player - by_clock > LAG_MS) {
        timer_start(s->end, by_player - ASK_AHEAD_MS, 0);
        return;
    }
    s->end_known = true;
    timer_start(s->end, by_clock, 0);
}

void watch_end(void *user)
{
    struct stage *s = user;
    if (s->airing != AIR_ON)
        return;
    if (s->end_known)
        played(s);
    else
        s->screen->kind->play(s->screen, s->live, on_end_play, s->tag);
}

void watch_begin(struct stage *s)
{
    s->end_known = false;
    timer_start(s->end, s->air.duration_ms - LAST_PICTURE_MS - ASK_AHEAD_MS, 0);
}

static void on_event_play(void *user, uint64_t tag, enum screen_play play, int64_t cursor_ms)
{
    struct stage *s = user;
    (void)cursor_ms;
    /* Soon after the cut it may still be the word of what the slot held before. */
    if (tag == s->tag && s->airing == AIR_ON && play == SCREEN_OVER &&
        clock_mono_ms() - s->cut_ms > SETTLE_MS)
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
