/* media/clip: opens a video or picture file that may be hostile, and decodes it frame by frame.
 *
 * For files of media/ only. One thread at a time. The name is a file, never a URL; only the
 * demuxers and decoders the show needs are let near it, external references stay closed, and its
 * size is bounded. */
#ifndef SAKUGA_MEDIA_CLIP_H
#define SAKUGA_MEDIA_CLIP_H

#include "base/err.h"

#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <stdbool.h>

struct clip {
    AVFormatContext *demux;
    AVCodecContext *codec; /* NULL when opened for its metadata only */
    AVPacket *packet;
    AVFrame *frame; /* the latest; valid until the next clip_next() */
    int stream;
    bool draining;
    char name[256]; /* the end of the path, for faults */
};

enum clip_want {
    CLIP_METADATA, /* MP4 only, no decoder */
    CLIP_VIDEO,    /* MP4 and its like */
    CLIP_ANY       /* still pictures too */
};

/* NULL with `f`: ERR_NOTFOUND without such a file, ERR_CORRUPT when it is not what is wanted. */
struct clip *clip_open(const char *path, enum clip_want want, struct fault *f);

/* The next frame into c->frame. ERR_CLOSED at the end, ERR_CORRUPT when decoding fails. */
enum err clip_next(struct clip *c, struct fault *f);

enum err clip_rewind(struct clip *c, struct fault *f);
void clip_free(struct clip *c);

/* The time of c->frame in microseconds from the start of the clip. */
int64_t clip_time_us(const struct clip *c);

#endif
