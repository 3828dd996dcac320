/* worker/paint: what an engine is to the worker: something that fills the frames of a job.
 *
 * A painter lives as long as its process and belongs to the draw thread. draw() gets every frame's
 * place from the run (run_slot), in order, fills it, and hands it over (run_drawn), while others
 * are already being encoded; it asks run_stopped() often enough to end within a step. */
#ifndef SAKUGA_WORKER_PAINT_H
#define SAKUGA_WORKER_PAINT_H

#include "base/err.h"

#include <stdbool.h>

struct recipe;
struct run;

enum phase { PHASE_DRAW, PHASE_ENCODE, PHASE_CHECK, PHASES };

struct painter {
    const char *engine; /* as in hello and recipe */
    const char *stage;  /* the first one */
    bool gpu;  /* it draws on a GPU, which may encode too; cleared when that turned out not to */
    bool nv12; /* it makes frames as NV12 (wan.h), else as RGB */
    double shares[PHASES]; /* parts of the whole, for the progress */
    /* on the draw thread, when no job waits yet; may be NULL. It tells its trouble itself, but for
     * ERR_LOST */
    enum err (*warm)(struct painter *p, struct fault *f);
    enum err (*draw)(struct painter *p, struct run *r, struct fault *f);
    /* How the last clip was made. */
    void (*sign)(struct painter *p, struct recipe *m);
    /* The job has ended. `again`: it may come again, since it failed or the process ends; so keep
     * what spares work. */
    void (*ended)(struct painter *p, bool again);
};

struct painter *paint_animatic(void); /* NULL: out of memory */

/* Opens the model; encoder: as in the first order; the rest as in struct wan_setup. NULL with `f`.
 */
struct painter *paint_wan(const char *model, const char *device, const char *dtype,
                          const char *encoder, int threads, struct fault *f);

#endif
