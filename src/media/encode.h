/* media/encode: frames in, RGB or NV12, an H.264 MP4 out (yuv420p, BT.709 limited, faststart), by
 * libx264 or by the GPU's encoder where it has one (NVENC: an L4, RTX cards; an H200 has none).
 * Either way libswscale makes the colours of RGB on the CPU; NV12 has them already.
 *
 * One thread at a time. The file is written under the name given, and whole and synced when
 * encode_finish() returned ERR_OK; the caller renames it. A failure leaves the file to the caller
 * to remove. The encoder hashes every frame before it encodes it. */
#ifndef SAKUGA_MEDIA_ENCODE_H
#define SAKUGA_MEDIA_ENCODE_H

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

struct encode_spec {
    const char *path;
    int width, height; /* even */
    int fps;
    int threads; /* of x264 */
    /* "libx264", or NULL: that one; "h264_nvenc": that or an error; "auto": NVENC where it opens,
     * else libx264, and encode_note() says why */
    const char *codec;
    bool nv12; /* frames come as NV12, in the colours of the file: nothing is left for libswscale */
};

struct encode;

/* NULL with `f` filled. */
struct encode *encode_new(const struct encode_spec *spec, struct fault *f);

/* The one that encodes: "libx264", "h264_nvenc". Static. */
const char *encode_codec(const struct encode *e);
const char *encode_note(const struct encode *e); /* "" where there is nothing to tell */

/* What of a GPU's memory `codec` of a spec may take, for a plan of that memory. */
uint64_t encode_gpu_bytes(const char *codec);

/* One frame, packed: rgb[height][width][3], or luma[height][width] and then chroma
 * [height/2][width/2][2], Cb and Cr. ERR_FULL when the disk is full. */
enum err encode_frame(struct encode *e, const uint8_t *pixels, struct fault *f);

/* The SHA-256 of all frames so far as 64 hex digits. */
void encode_sha256(const struct encode *e, char out[65]);

/* Flushes, writes the index in front, and syncs. `title` and `recipe` become the metadata "title"
 * and "comment". `bytes` gets the size of the file. */
enum err encode_finish(struct encode *e, const char *title, const char *recipe, int64_t *bytes,
                       struct fault *f);

void encode_free(struct encode *e); /* closes the file if it is open; NULL is fine */

/* "libavcodec 59.37.100", for the recipe. Static. */
const char *encode_build(void);

#endif
