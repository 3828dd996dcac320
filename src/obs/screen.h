/* obs/screen: what the stage shows on: a real OBS, or nobody.
 *
 * Loop thread only. Two slots hold a clip each; one is seen at a time, the other is loaded. Every
 * request that takes a screen_fn ends through it exactly once, later, with the tag it was given;
 * only screen_free() forgets. */
#ifndef SAKUGA_OBS_SCREEN_H
#define SAKUGA_OBS_SCREEN_H

#include "base/err.h"
#include "loop/loop.h"
#include "show/status.h"

/* What was found at a connect. */
struct screen_truth {
    char program[128];
    int live;    /* the slot that it lets see, -1 none */
    bool empty;  /* the program scene has nothing in it */
    bool output; /* it streams or records: an audience may be there */
};

struct screen_clip {
    const char *path; /* as OBS sees it */
    const char *viewer, *prompt, *style;
    int64_t duration_ms;
    bool loop;
};

enum screen_play { SCREEN_PLAYING, SCREEN_OPENING, SCREEN_PAUSED, SCREEN_OVER };

struct screen_ops {
    void (*on_up)(void *user, const struct screen_truth *t); /* connected, all of ours is there */
    void (*on_down)(void *user, const char *why);            /* until the next on_up */
    /* Somebody else cut to it; `live`: the slot that it lets see, -1 none. */
    void (*on_program)(void *user, const char *scene, int live);
    void (*on_ended)(void *user, int slot); /* its player says that it is over */
    void (*on_changed)(void *user);         /* screen_status() has news */
    void (*on_picture)(void *user, int w, int h, const uint8_t *rgb); /* of the program */
};
typedef void screen_fn(void *user, uint64_t tag, enum err err, const char *why, int64_t took_us);
typedef void screen_play_fn(void *user, uint64_t tag, enum screen_play play, int64_t cursor_ms);

struct screen;
struct screen_kind {
    void (*load)(struct screen *s, enum stage_scene in, int slot, const struct screen_clip *c,
                 screen_fn *fn, uint64_t tag);
    void (*cut)(struct screen *s, enum stage_scene to, int slot, screen_fn *fn, uint64_t tag);
    void (*panic)(struct screen *s, screen_fn *fn, uint64_t tag);
    void (*resume)(struct screen *s);
    void (*play)(struct screen *s, int slot, screen_play_fn *fn, uint64_t tag);
    void (*pause)(struct screen *s, int slot);
    void (*text)(struct screen *s, const char *progress, const char *queue);
    void (*chime)(struct screen *s);
    void (*look)(struct screen *s);
    void (*retry)(struct screen *s, const char *password);
    void (*status)(const struct screen *s, struct obs_status *out);
    void (*free)(struct screen *s);
};
/* The first member of each driver's struct. `user` is handed to ops and to every screen_fn. */
struct screen {
    const struct screen_kind *kind;
    const struct screen_ops *ops;
    void *user;
};

struct screen_settings {
    const char *url, *password, *label, *chime; /* copied; chime as OBS sees it, may be NULL */
};
struct screen *screen_obs_new(struct loop *l, const struct screen_settings *set,
                              const struct screen_ops *ops, void *user, struct fault *f);
/* A screen that nobody watches: clips take their time, nothing fails. */
struct screen *screen_null_new(struct loop *l, const struct screen_ops *ops, void *user,
                               struct fault *f);

#endif
