/* app/lock: one show per data folder. */
#ifndef SAKUGA_APP_LOCK_H
#define SAKUGA_APP_LOCK_H

#include "base/err.h"
#include "base/path.h"

/* Makes the folders of `p` and takes the lock; returns its descriptor, or -1 with
 * `f` naming the pid of the show that has it. It is a record lock of fcntl(), which belongs to the
 * process: no child has it, not even between fork and exec, and it ends with the process, or with
 * the close of any descriptor of the file. */
int lock_take(const struct paths *p, struct fault *f);

#endif
