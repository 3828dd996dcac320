/* media/check: is a finished clip fit to be shown?
 *
 * Decodes all of it and looks, through libavfilter, for black, for a still picture, and for flashes
 * that may harm photosensitive viewers. Each finding is a row; one that is not `ok` stands in red
 * in review and closes every automatic gate. One thread a call; a file of any content is safe. */
#ifndef SAKUGA_MEDIA_CHECK_H
#define SAKUGA_MEDIA_CHECK_H

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

#define CHECK_ROWS 5

struct check_row {
    const char *name; /* "decode", "length", "black", "frozen", "flashes"; static */
    bool ok;
    char words[160];
};

struct check_result {
    struct check_row rows[CHECK_ROWS];
    int rows_n; /* only "decode" when the file does not decode */
    int frames;
    int64_t duration_ms;
};

struct check_spec {
    const char *path;
    int frames, fps; /* what is expected; 0: anything */
    /* Called for each frame; may be NULL. False stops the check with ERR_CANCELLED. */
    bool (*step)(void *user, int frame);
    void *user;
};

/* ERR_OK whenever a verdict was reached, good or bad; rows tell. Else ERR_CANCELLED or ERR_NOMEM.
 */
enum err check_clip(const struct check_spec *spec, struct check_result *out, struct fault *f);

#endif
