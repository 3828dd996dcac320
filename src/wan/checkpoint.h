/* wan/checkpoint: a job between two steps, on disk, so that a killed one goes on bit for bit.
 *
 * The file holds the latent, the sampler's history where it has one, the noise generator, and two
 * texts of lines "key value": `what` (the job) and `how` (the device, threads, build). A third,
 * `said`, is state: the prompts of a causal clip so far, some of which the job knew not. A fourth,
 * `chosen`, lists the algorithms that the device chose on the way (device_choices): the reader asks
 * whether they still are what it would choose.
 * A reader gives back exactly what was written or says why it does not; a file of any content is
 * safe to read. Written to a temporary name, synced, renamed. Numbers lie as this machine has them.
 */
#ifndef SAKUGA_WAN_CHECKPOINT_H
#define SAKUGA_WAN_CHECKPOINT_H

#include "base/buf.h"
#include "wan/noise.h"
#include "wan/sampler.h"

#define CHECKPOINT_TEXT_MAX ((size_t)1 << 20) /* bytes of each text */

struct checkpoint {
    const char *what, *how;
    int step;                /* steps done */
    struct sampler *sampler; /* its arrays are read into; NULL: there is no history */
    int steps;               /* without a sampler: of how many, and the latent's numbers */
    int64_t n;
    float *latent; /* [n] */
    struct noise *noise;
    struct buf *said;   /* written from, read into; NULL: there is none */
    const char *chosen; /* written; NULL: nothing was */
    /* Asked about what is read as `chosen`, when all else is well: an error refuses it. NULL: it
     * must be nothing. */
    enum err (*rely)(void *user, const char *chosen, size_t n, struct fault *f);
    void *user;
};

enum err checkpoint_write(const char *path, const struct checkpoint *c, struct fault *f);

/* Into the arrays and `said` of `c`, whose `what` and `how` say what is expected. NOTFOUND: no
 * file. STATE: made of another job, or in another way; the fault names the first thing that
 * differs. VERSION: of another format. CORRUPT. On failure they are as they were. */
enum err checkpoint_read(const char *path, struct checkpoint *c, struct fault *f);

/* The same of a text in memory, for tests. */
enum err checkpoint_parse(const void *bytes, size_t n, const char *name, struct checkpoint *c,
                          struct fault *f);

/* "DIR/.sakuga-<hash of what>.ckpt" */
enum err checkpoint_name(const char *dir, const char *what, char out[], size_t n);

#endif
