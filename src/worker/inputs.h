/* worker/inputs: the pictures and videos of a job, decoded for the model.
 *
 * Pictures keep their size. Videos are brought to the clip's size and rate (media/frames.h). Draw
 * thread; what a struct wan_job points to here lives until inputs_free(). */
#ifndef SAKUGA_WORKER_INPUTS_H
#define SAKUGA_WORKER_INPUTS_H

#include "engine/protocol.h"
#include "media/frames.h"
#include "wan/wan.h"

struct inputs {
    struct frames frames[JOB_INPUTS_MAX]; /* in the order of the job's */
    char sha256[JOB_INPUTS_MAX][65];      /* of the files; stay after inputs_free() */
    struct wan_picture image, last, reference[JOB_INPUTS_MAX];
    struct wan_video source, control;
    struct wan_mask mask;
};

/* Reads all inputs of `j`, and names them in `to`. What is left is the caller's to free, also after
 * a failure. */
enum err inputs_read(struct inputs *in, const struct engine_job *j, struct wan_job *to,
                     struct fault *f);
void inputs_free(struct inputs *in);

#endif
