/* obs/stage_inside: the stage's own state, for the files of the stage: stage.c (steps and airing),
 * watch.c (the end of a clip, the confidence monitor) and link.c (what the connection tells). */
#ifndef SAKUGA_OBS_STAGE_INSIDE_H
#define SAKUGA_OBS_STAGE_INSIDE_H

#include "obs/airlock.h"
#include "obs/monitor.h"
#include "obs/screen.h"
#include "obs/stage.h"
#include "obs/table.h"

#define BAD_CLIPS_MAX 3 /* of the gallery, in a row; then its card is shown */
#define STAGE_WAITERS_MAX 8
#define LAST_PICTURE_MS 130 /* the player is paused this long before the end */
#define POLL_MS 500

enum step { STEP_IDLE, STEP_SENDING, STEP_READYING, STEP_CUTTING };
enum airing { AIR_NONE, AIR_WAITING, AIR_LOADING, AIR_CUTTING, AIR_ON };

struct waiter {
    stage_done_fn *fn;
    void *user;
};

struct stage {
    /* set once */
    struct loop *loop;
    const struct stage_ops *ops;
    void *user;
    struct screen *screen;
    struct airlock lock;
    struct timer *due, *poll, *end, *ready, *text, *closing;

    struct table table;
    bool up, ever_up;
    char held[128]; /* the scene that the operator holds */

    enum step step;
    uint64_t tag; /* of the newest request of a step; answers with another one are old */
    enum stage_scene to;
    int slot;
    int64_t slot_id;
    bool again;

    int live;
    int64_t live_id, cut_ms;
    enum airing airing;
    bool end_known; /* the player was asked, the next `end` is the end */
    struct stage_clip air;
    char air_path[PATH_LEN]; /* as OBS sees it */
    int64_t asked_us;
    int64_t unwanted; /* id of a clip that was taken back during its cut */

    struct monitor monitor;
    char trouble[64];
    int bad_clips, polls;

    char progress[512], queue[512];
    bool text_dirty;
    int64_t text_ms;

    struct waiter panic_waiters[STAGE_WAITERS_MAX]; /* for OBS's answer to a panic */
    int panic_count;
    stage_done_fn *close_done;
    void *close_user;
    int64_t panic_us;
};

/* stage.c */
enum table_act stage_move(struct stage *s, enum table_event e, const char *words);
void stage_end_air(struct stage *s, enum stage_end how, const char *words);
void stage_drop_step(struct stage *s);
void stage_send_text(struct stage *s);

/* watch.c: timers and news of the screen */
void watch_end(void *user);
void watch_begin(struct stage *s); /* a clip is on air */
void watch_ended(void *user, int slot);
void watch_poll(void *user);
void watch_picture(void *user, int w, int h, const uint8_t *rgb);

/* link.c */
bool link_have_clips(struct stage *s);
void link_up(void *user, const struct screen_truth *t);
void link_down(void *user, const char *why);
void link_program(void *user, const char *scene, int live);

#endif
