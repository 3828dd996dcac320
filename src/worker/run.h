/* worker/run: one job on its way: painted into a ring of frames, encoded while it is painted,
 * checked, signed with its recipe, and renamed into the vault.
 *
 * Two threads: the draw thread paints, an encode thread, alive for one job, takes the frames out in
 * order. Whoever fails or sees the cancel flag sets `halt` and wakes the other; the draw thread,
 * which joins the encoder, reports the one end of the job. */
#ifndef SAKUGA_WORKER_RUN_H
#define SAKUGA_WORKER_RUN_H

#include "engine/protocol.h"
#include "worker/paint.h"

#include <pthread.h>
#include <stdatomic.h>

#define RUN_SLOTS 6

struct run {
    const struct engine_job *job;
    struct painter *painter;
    const char *encoder; /* as in the first order */
    const char *vault;   /* resolved */
    const char *part;    /* the hidden name that is written */
    atomic_bool *cancel;
    const atomic_int *throttle; /* thousandths of the time to leave free */
    const atomic_bool *quit;    /* the process ends: what was cancelled will come again */

    struct encode *encode;
    size_t frame_bytes; /* of a frame, in the painter's form */
    int64_t began_ms, began_utc_ms, last_progress_ms, last_preview_ms;
    int64_t draw_ms, encode_ms;
    uint8_t *preview;
    int64_t worked_us; /* since then, without a rest; the draw thread's */

    pthread_mutex_t lock; /* guards what follows */
    pthread_cond_t changed;
    uint8_t *slot[RUN_SLOTS];
    enum phase phase;
    int drawn, encoded, checked; /* frames */
    char stage[24];              /* of the painter */
    double stage_fraction;
    double painted;  /* part of the painting that is done */
    int64_t left_ms; /* as the painter thinks, −1 unknown */
    bool halt;
    struct fault fault; /* why, when halt */
};

/* Does the whole job, and reports its end. False: the device is lost, `fault` says why, and that
 * end is not reported. */
bool run_job(struct run *r);

/* ---- for painters ---- */

/* To be asked between any two blocks of work: under a throttle it takes its time to answer. */
bool run_stopped(struct run *r);
/* Is there a throttle? */
bool run_rests(const struct run *r);

/* Where frame i goes, frame_bytes of [height][width][3] or NV12; waits for the encoder to make
 * room. NULL: the job is over, end at once. */
uint8_t *run_slot(struct run *r, int i);
void run_drawn(struct run *r, int i); /* frame i is there */

/* How far the painting is; `fraction` of the stage, `painted` of all, `left_ms` −1 unknown. */
void run_progress(struct run *r, const char *stage, double fraction, double painted,
                  int64_t left_ms);

/* A frame of full size, as of a slot, made smaller; at most ten a second. */
void run_preview(struct run *r, const uint8_t *frame);

#endif
