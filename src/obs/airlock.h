/* obs/airlock: which files a clip input of OBS may be pointed at.
 *
 * Loop thread (one realpath of a local folder). The rule: a plain file directly inside the air
 * folder, named without detours. The folder's own real path is taken once, at the start, so that a
 * folder that is swapped for a link later refuses everything. */
#ifndef SAKUGA_OBS_AIRLOCK_H
#define SAKUGA_OBS_AIRLOCK_H

#include "base/path.h"

#define AIRLOCK_MAPS 8

struct airlock_map {
    char from[PATH_LEN], to[PATH_LEN]; /* folder here, the same folder as OBS sees it */
};

struct airlock {
    char folder[PATH_LEN]; /* real path of air/ */
    struct airlock_map maps[AIRLOCK_MAPS];
    int map_count;
};

enum err airlock_init(struct airlock *a, const char *folder, struct fault *f);
/* A folder map for an OBS on another machine. */
enum err airlock_map(struct airlock *a, const char *from, const char *to, struct fault *f);
/* Checks `path` and writes what OBS must be told into out[PATH_LEN]. ERR_DENIED when the file lies
 * anywhere else, ERR_NOTFOUND when it is not there. */
enum err airlock_check(const struct airlock *a, const char *path, char out[PATH_LEN],
                       struct fault *f);

#endif
