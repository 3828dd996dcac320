/* show/governor: how much of the machine the engine leaves to OBS.
 *
 * OBS draws and encodes on the same card or the same cores. When it skips frames while a clip is
 * drawn, the engine gives way at once and takes its place back slowly. Pure. */
#ifndef SAKUGA_SHOW_GOVERNOR_H
#define SAKUGA_SHOW_GOVERNOR_H

#include <stdbool.h>
#include <stdint.h>

#define GOVERNOR_MOST 0.9 /* of its time; the clip must come to its end */

/* All zero at the start. */
struct governor {
    bool known;      /* `skipped` was told before */
    int64_t skipped; /* by OBS, since the connection */
    int64_t calm_ms; /* mono of the last skip, or of the last step back */
    double throttle;
};

/* OBS has skipped so many frames since the connection (−1: it is not there), `drawing` or not.
 * Returns the part of the engine's time that it should leave free: 0, or up to `most`. */
double governor_hear(struct governor *g, int64_t now_ms, int64_t skipped, bool drawing,
                     double most);

#endif
