/* obs/setup: makes what the stage needs inside OBS, and says what is there.
 *
 * Loop thread only. Idempotent: what exists stays as its owner left it (position, size, font), what
 * is missing is made, nothing that is not named "sakuga …" is touched. It runs at every connect.
 * What is made is the table of design.h. When the canvas has another size than the one our items
 * were laid out for, they are laid out again. */
#ifndef SAKUGA_OBS_SETUP_H
#define SAKUGA_OBS_SETUP_H

#include "obs/session.h"

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
