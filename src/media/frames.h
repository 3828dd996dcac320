/* media/frames: a picture or a video as RGB frames in memory, for a model to look at.
 *
 * Files may be hostile: see media/clip.h. The same file gives the same bytes on every machine. Any
 * thread; the caller ends what it got with frames_free(), also after a failure. */
#ifndef SAKUGA_MEDIA_FRAMES_H
#define SAKUGA_MEDIA_FRAMES_H

#include "base/err.h"

#include <stdint.h>

struct frames {
    uint8_t *rgb; /* [count][height][width][3], packed */
    int count, width, height;
};

/* The picture in its own size; of a video the first one. */
enum err frames_picture(const char *path, struct frames *out, struct fault *f);

/* The first `most` frames at `fps` a second, whatever the file's own rate; fewer where it ends
 * before. Each fills width x height: scaled alike both ways, the rest cut off evenly. A picture is
 * one frame. */
enum err frames_video(const char *path, int width, int height, int most, int fps,
                      struct frames *out, struct fault *f);

void frames_free(struct frames *p); /* usable again */

#endif
