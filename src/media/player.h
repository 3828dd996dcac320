/* media/player: a clip as small RGB pictures for a terminal.
 *
 * One thread at a time; the caller paces. A still picture is a clip of one frame. */
#ifndef SAKUGA_MEDIA_PLAYER_H
#define SAKUGA_MEDIA_PLAYER_H

#include "base/err.h"

#include <stdint.h>

struct player;

struct player_frame {
    const uint8_t *rgb; /* [h][w][3], packed; valid until the next call */
    int w, h;
    int64_t time_us; /* from the start of the clip */
};

/* Pictures fit into w x h pixels and keep the clip's shape. NULL with `f`. */
struct player *player_new(const char *path, int w, int h, struct fault *f);

/* The next picture; ERR_CLOSED at the end of the clip. */
enum err player_next(struct player *p, struct player_frame *out, struct fault *f);

/* Back to the start. */
enum err player_rewind(struct player *p, struct fault *f);

/* Length of the clip, at least one frame; microseconds. */
int64_t player_length_us(const struct player *p);

void player_free(struct player *p); /* NULL is fine */

#endif
