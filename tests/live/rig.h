/* What the live tests of the stage share: a real OBS in a folder of its own, clips made by ffmpeg,
 * a stage with a record of what it told, and a second session that looks at OBS from outside.
 * Everything ends by rig_end(); the OBS is ended by its process id. */
#ifndef SAKUGA_TESTS_LIVE_RIG_H
#define SAKUGA_TESTS_LIVE_RIG_H

#include "base/buf.h"
#include "base/clock.h"
#include "obs/session.h"
#include "obs/stage.h"

#define RIG_CLIPS 6

struct rig_end {
    int64_t id;
    enum stage_end how;
    char words[128];
    int64_t at_ms;
};

struct rig {
    char dir[256], obs_dir[300], air[300];
    char url[64], password[64];
    struct loop *loop;
    struct stage *stage;
    struct session *watch;
    bool watching;
    /* what the stage told */
    int64_t aired[64], aired_us[64];
    int aired_count;
    struct rig_end ended[64];
    int ended_count;
    struct obs_status status;
    int pictures;
    int gallery[RIG_CLIPS], gallery_count, gallery_at; /* clip numbers in the rotation */
    bool panicked, closed;
    enum err panic_err, close_err;
    int64_t panic_us;
};

/* Makes folder, clips and OBS. `options` go to obs-headless. Exits the program when it cannot. */
void rig_begin(struct rig *r, const char *options);
void rig_end(struct rig *r);
/* The stage and the watcher; `url` NULL: the OBS of the rig. */
void rig_stage(struct rig *r, int64_t result_dwell_ms, int64_t gallery_dwell_ms);
void rig_stage_end(struct rig *r);
void rig_obs(struct rig *r, const char *verb); /* "kill", "start": obs-headless VERB */

/* Colour n: red, green, blue, yellow, magenta, cyan. */
void rig_clip(const struct rig *r, int n, struct stage_clip *out);
int64_t rig_clip_ms(void);

/* Turns the loop until `ok` or `ms` are over; returns what `ok` says then. */
bool rig_wait(struct rig *r, bool (*ok)(struct rig *r, void *arg), void *arg, int ms);
void rig_run(struct rig *r, int ms); /* lets time pass: a dwell, a clip */
bool rig_scene(struct rig *r, const char *scene, int ms);

/* A request by the watcher, waited for; the data (caller deletes) or NULL when it failed. */
cJSON *rig_ask(struct rig *r, const char *type, cJSON *data);
/* The colour (n, 6 black, 7 anything else) in the middle of a scene. */
int rig_colour(struct rig *r, const char *scene);
int rig_colour_at(struct rig *r, const char *scene, double x, double y); /* fractions of it */
void rig_shot(struct rig *r, const char *scene, const char *file, int w, int h); /* PNG */
/* The program from here on, read frame by frame by rig_frames(): runs of one colour, as text
 * "r12 g30 " (r g b y m c, k black, . anything else). */
void rig_record(struct rig *r, bool on);
void rig_frames(struct rig *r, struct buf *out);

#define CHECK(x)                                                                                   \
    do {                                                                                           \
        if (!(x)) {                                                                                \
            rig_fail(__FILE__, __LINE__, #x);                                                      \
            return;                                                                                \
        }                                                                                          \
    } while (0)
#define CHECK_OR_FALSE(x)                                                                          \
    do {                                                                                           \
        if (!(x)) {                                                                                \
            rig_fail(__FILE__, __LINE__, #x);                                                      \
            return false;                                                                          \
        }                                                                                          \
    } while (0)
void rig_fail(const char *file, int line, const char *what);
void rig_test(const char *name, void (*fn)(struct rig *r), struct rig *r);
int rig_summary(void);

#endif
