/* obs/setup: makes what the stage needs inside OBS, and says what is there.
 *
 * Loop thread only. Idempotent: what exists stays as its owner left it (position, size, font), what
 * is missing is made, nothing that is not named "sakuga …" is touched. It runs at every connect.
 * A table in setup.c is the whole design: scenes, items, places as fractions of the canvas. When
 * the canvas has another size than the one our items were laid out for, they are laid out again. */
#ifndef SAKUGA_OBS_SETUP_H
#define SAKUGA_OBS_SETUP_H

#include "obs/session.h"
#include "show/status.h"

#define SETUP_CHIME "sakuga chime"
#define SETUP_LABEL "sakuga label"
#define SETUP_PROGRESS "sakuga progress"
#define SETUP_QUEUE "sakuga queue"

/* The program scene of a place of the stage: "sakuga result". */
const char *setup_scene(enum stage_scene s);
/* Scene i of all of ours, helpers too; "" behind the last. */
const char *setup_any_scene(int i);
/* The place a scene is, or STAGE_SCENES when it is not one of the four. */
enum stage_scene setup_place(const char *scene);
/* Names that exist for each of the two slots. */
const char *setup_clip(int slot);   /* the media input */
const char *setup_viewer(int slot); /* text inputs of the lower third */
const char *setup_prompt(int slot);
const char *setup_style(int slot);

/* What is true in OBS now. */
struct setup_truth {
    int width, height; /* of the canvas, pixels */
    double fps;
    char program[128];   /* the program scene */
    bool program_empty;  /* it has no items: black */
    int64_t cards[2][2]; /* scene item ids, [result, gallery][slot] */
    int enabled[2];      /* the slot whose card is enabled in [result, gallery], -1 none */
    char cut_name[64];   /* of the transition without a transition, "" when OBS has none */
    int made;            /* objects that were made or laid out by this run */
    char words[320];     /* a shortcoming that does not stop the stage, "" */
};
typedef void setup_fn(void *user, enum err err, const char *why, const struct setup_truth *truth);

struct setup;
/* Begins; `fn` is called once, later. NULL: no memory. It is freed after `fn`. */
struct setup *setup_run(struct session *s, const char *label, setup_fn *fn, void *user);
/* Forgets about it: `fn` will not be called. NULL is fine. */
void setup_cancel(struct setup *u);

/* The same for a program that wants nothing else (`sakuga obs setup`): connects, sets up, ends.
 * Blocks at most `timeout_ms`. `report` gets words about what was done. */
enum err setup_once(const char *url, const char *password, const char *label, int timeout_ms,
                    struct buf *report, struct fault *f);

#endif
