/* worker/drawing: the thread that makes clips of jobs: draw, encode while drawing, check, rename.
 *
 * Calls come from the main thread. Every job submitted ends in exactly one report `done`, `failed`
 * or `cancelled`. The clip is written under a hidden `.part` name and renamed when it is whole. */
#ifndef SAKUGA_WORKER_DRAWING_H
#define SAKUGA_WORKER_DRAWING_H

#include "engine/protocol.h"
#include "worker/paint.h"

struct drawing;

/* Takes the vault's folder, and removes the parts that a worker killed before left in it, and old
 * checkpoints. encoder: as in the first order. The painter stays the caller's and must outlive the
 * drawing. lost(): the device takes no more calls, the job that ran has no report; comes on the
 * draw thread and must end the process.
 */
struct drawing *drawing_new(const char *vault, const char *encoder, struct painter *painter,
                            void (*lost)(const struct fault *f), struct fault *f);

/* Acknowledges and queues the job, or reports why it failed. */
void drawing_submit(struct drawing *d, const struct engine_job *job);

void drawing_cancel(struct drawing *d, int64_t id);

/* From the next block of work on, leaves the part 0..1 of the time free. */
void drawing_throttle(struct drawing *d, double part);

/* Gives what runs up to `ms` to end; then removes its part. The process must end after this. */
void drawing_stop(struct drawing *d, int ms);

#endif
