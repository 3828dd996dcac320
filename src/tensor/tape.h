/* tensor/tape: the memory of work that is recorded (struct track of tensor/device.h). For backends.
 *
 * What such work takes it gives back before its end, and all work of a device goes in order: so its
 * tracks share one piece of memory, the tape. While the work of a track is done device_alloc()
 * lends places in it, always the first that is large enough, so that the same work finds the same
 * places. Where the tape is too short the backend gives memory as ever, and `most` keeps how long
 * it would have had to be: that long it is made before anything is recorded. It goes with the last
 * track. */
#ifndef SAKUGA_TENSOR_TAPE_H
#define SAKUGA_TENSOR_TAPE_H

#include "tensor/backend.h"

struct loan {
    size_t at, bytes;
    void *p;
    bool on_tape;
};

struct tape {
    struct loan *loan; /* by their places */
    int n, room;
    void *base;
    size_t size, most;
    uint64_t age; /* recordings of an earlier one name what is no longer there */
    int tracks;   /* that there are */
    bool inside;  /* a track's work is being done, */
    bool records; /* and kept, not done */
    bool unready; /* what is recorded asked for what is not there yet */
};

/* For device_alloc() and device_release(). NULL: none to be had; false: it is not the tape's. */
void *tape_take(struct device *d, size_t bytes);
bool tape_give(struct device *d, void *p);

/* Is what is queued now kept, not done? Then nothing may wait for it, and nothing new be chosen. */
bool tape_records(const struct device *d);
/* Ends that: the work needs something that its like had not made ready. It will be done as it is.
 */
void tape_unready(struct device *d, const char *what);
/* Memory that recordings may name has gone: none of those made so far is played again. */
void tape_outdate(struct device *d);

#endif
