/* app/lock: one show per data folder. */
#ifndef SAKUGA_APP_LOCK_H
#define SAKUGA_APP_LOCK_H

#include "base/err.h"
#include "base/path.h"

/* Makes the folders of `p` and takes the lock; returns its descriptor (close-on-exec, so no child
 * holds it), or -1 with `f` naming the pid of the show that has it. The lock ends with the process.
 */
int lock_take(const struct paths *p, struct fault *f);

#endif
