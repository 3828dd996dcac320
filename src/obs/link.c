/* What the connection tells the stage: it came (and what is true in OBS), it went, somebody cut. */
#include "obs/stage_inside.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "obs/design.h"

#include <stdio.h>
#include <stdlib.h>

/* Is anything in the rotation? It is asked again when the gallery is shown. */
bool link_have_clips(struct stage *s)
{
    struct stage_clip *c = calloc(1, sizeof *c);
    bool have = c && s->ops->gallery_next(s->user, c);
    free(c);
    return have;
}

void link_up(void *user, const struct screen_truth *t)
{
    struct stage *s = user;
    bool foreign = design_place(t->program) == STAGE_SCENES;
    bool first = !s->ever_up;
    s->up = s->ever_up = true;
    s->step = STEP_IDLE;
    s->live = t->live;
    s->text_dirty = true;
    stage_send_text(s);
    if (!s->table.clips)
        s->table.clips = link_have_clips(s);
    timer_start(s->poll, POLL_MS, POLL_MS);
    if (s->table.at == PLACE_PANIC) {
        s->screen->kind->panic(s->screen, NULL, 0);
        s->ops->on_status(s->user);
    } else if (foreign && (s->table.at == PLACE_AWAY || (first && !t->empty && t->output))) {
        str_copy(s->held, sizeof s->held, t->program);
        stage_move(s, TABLE_AWAY, "");
    } else {
        stage_move(s, s->table.at == PLACE_AWAY ? TABLE_BACK : TABLE_RESYNC, "");
    }
}

void link_down(void *user, const char *why)
{
    struct stage *s = user;
    char words[256];
    bool was = s->up;
    s->up = false;
    s->step = STEP_IDLE;
    s->tag++;
    s->live = -1;
    s->again = false;
    timer_stop(s->ready);
    timer_stop(s->poll);
    timer_stop(s->due);
    snprintf(words, sizeof words, "the connection to OBS went (%.200s)", why);
    if (was)
        stage_end_air(s, STAGE_END_LOST, words);
    if (s->close_done)
        timer_start(s->closing, 0, 0);
    s->ops->on_status(s->user);
}

void link_program(void *user, const char *scene, int live)
{
    struct stage *s = user;
    enum stage_scene place = design_place(scene);
    if (s->table.at == PLACE_PANIC || s->table.at == PLACE_CLOSED)
        return;
    if (place == STAGE_SCENES || place == STAGE_STANDBY) {
        log_warn("stage", "somebody cut to the scene %s: the stage waits", scene);
        str_copy(s->held, sizeof s->held, scene);
        stage_drop_step(s);
        s->live = -1;
        stage_move(s, TABLE_AWAY, "somebody cut to another scene");
        stage_end_air(s, STAGE_END_OVERRIDE, "somebody cut to another scene");
    } else {
        s->live = live;
        stage_move(s, TABLE_BACK, "somebody cut to another scene");
    }
}
