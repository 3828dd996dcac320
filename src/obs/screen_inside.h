/* obs/screen_inside: the driver's own state, for its two files: screen_obs.c (what the stage asks
 * for) and news.c (what OBS tells). Loop thread only. */
#ifndef SAKUGA_OBS_SCREEN_INSIDE_H
#define SAKUGA_OBS_SCREEN_INSIDE_H

#include "obs/design.h"
#include "obs/screen.h"
#include "obs/setup.h"

#define REQUEST_MS 4000
#define ASKED_MAX 8

/* A cut of ours that OBS has not told of yet. */
struct asked {
    char scene[32];
    int64_t until_ms;
};

struct obs_screen {
    struct screen base;
    struct session *session;
    struct setup *setup;
    struct timer *check; /* looks again whether all of ours is there */
    char label[128], chime[1024];
    bool up;       /* the stage may ask for things */
    bool panicked; /* until resume; the first act after a connect */
    bool studio;   /* studio mode is on */
    bool changing; /* OBS changes its scene collection */
    bool looking;
    bool freed;
    bool drawn;      /* our scenes were drawn since something was removed */
    int prepared[2]; /* the slot whose card is enabled in [result, gallery], -1 unknown */
    struct setup_truth truth;
    struct asked asked[ASKED_MAX];
    struct obs_status status;
    int panics;             /* sent and not answered yet */
    struct call *held;      /* a cut that waits for them, NULL none */
    int64_t panic_again_ms; /* until then one end of a transition sends the panic again, 0 none */
    int64_t skipped_first;  /* skipped frames at the connect, -1 before the first probe */
};

/* screen_obs.c */
void screen_obs_text(cJSON *batch, const char *input, const char *text);
void screen_obs_unmute(struct obs_screen *s);
void screen_obs_panic(struct obs_screen *s, screen_fn *fn, uint64_t tag);
/* The chime's file is set only while it sounds: with the file set OBS would play it at its start.
 */
void screen_obs_chime(struct obs_screen *s, const char *path);

/* news.c */
extern const struct session_ops news_ops;
void news_check(void *user); /* the timer: looks again whether all of ours is there */
/* `told`: by the event, which comes once for each cut and so uses up what was asked; else it is an
 * answer to a question of ours. */
void news_program(struct obs_screen *s, const char *scene, bool told);

#endif
