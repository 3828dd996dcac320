/* wan/tae: a tiny decoder in the VAE's place, latents → pictures (TAEHV's architecture for
 * Wan 2.1).
 *
 * A distilled network with a twentieth of the VAE's work: fast, a little soft. Its weights are the
 * user's (taew2_1). It streams as wan/vae does and by the same contract: the first latent frame
 * makes one picture, each later one four, whatever the sizes of the pieces.
 *
 *   x ← 3·tanh(z / 3);  x ← relu(conv(x))
 *   three stages of:  three blocks  x ← relu(conv(relu(conv(relu(conv[x, x before])))) + x)
 *                     twice the size, each pixel four times
 *                     1x1 conv to 1, 2, 2 frames of one;  conv
 *   picture = conv(relu(x)), in 0…1
 *
 * where "x before" is the block's input one frame earlier, zeros at the start. One thread. */
#ifndef SAKUGA_WAN_TAE_H
#define SAKUGA_WAN_TAE_H

#include "wan/load.h"

struct tae;
struct tae_stream;

/* NOTFOUND, CORRUPT: not such a network. */
enum err tae_open(struct device *dev, const struct weights *w, struct tae **out, struct fault *f);
void tae_free(struct tae *t); /* NULL is fine */

/* height and width in latent cells. A stream must go before its network. */
enum err tae_start(struct tae *t, int height, int width, struct tae_stream **out, struct fault *f);
void tae_stream_free(struct tae_stream *s); /* NULL is fine */

/* Decodes latent frames [from, from + n) of z [16, frames, h, w], normalised, in host memory. The
 * first call takes one frame and makes one picture; a later one makes 4n. out [pictures, 8h, 8w, 3]
 * in −1…1, not clamped. */
enum err tae_decode(struct tae_stream *s, const float *z, int frames, int from, int n, float *out,
                    struct fault *f);
/* The same as bytes, queued, as vae_decode_bytes(). */
enum err tae_decode_bytes(struct tae_stream *s, const float *z, int frames, int from, int n,
                          struct parcel *to, struct fault *f);

#endif
