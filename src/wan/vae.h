/* wan/vae: the causal video autoencoder, pixels ⇄ latents (spec 6).
 *
 * Streaming is the only form: a stream takes the first latent frame (or picture) alone, then any
 * number at a time, and gives the same numbers whatever the sizes of the pieces. It keeps the last
 * two input frames of each causal convolution. Latents are host memory, [16, frames, h, w] and
 * normalised; pictures are [frames, height, width, 3] in −1…1, not clamped. One thread; a stream
 * must go before its vae. */
#ifndef SAKUGA_WAN_VAE_H
#define SAKUGA_WAN_VAE_H

#include "wan/load.h"
#include "wan/probe.h"

#define VAE_Z 16
#define VAE_SPACE 8 /* pixels of a latent cell, each way */
#define VAE_TIME 4  /* frames of a latent frame, but for the first */

struct vae;
struct vae_stream;

enum vae_half { VAE_DECODER = 1, VAE_ENCODER = 2 };

/* `halves`: what will be used; the other half is not loaded. stop (or NULL) is asked before each
 * layer. */
enum err vae_open(struct device *dev, const struct weights *w, unsigned halves,
                  const struct stopper *stop, struct vae **out, struct fault *f);
void vae_free(struct vae *v); /* NULL is fine */

/* height and width in latent cells. */
enum err vae_decode_start(struct vae *v, int height, int width, struct vae_stream **out,
                          struct fault *f);
enum err vae_encode_start(struct vae *v, int height, int width, struct vae_stream **out,
                          struct fault *f);
void vae_stream_free(struct vae_stream *s); /* NULL is fine */

/* Decodes latent frames [from, from + n) of z [16, frames, h, w]. The first call takes one frame
 * and makes one picture; a later one makes 4n. out has room for them. Probes (of NDHWC tensors):
 * "in", "conv1", "middle0".."middle2", "upN". */
enum err vae_decode(struct vae_stream *s, const float *z, int frames, int from, int n, float *out,
                    const struct probe *probe, struct fault *f);

/* The same, as bytes of what is shown, on their way in `to`, which has room for them. The work is
 * queued: it may go on after the return, and a failure may come from parcel_take(). */
enum err vae_decode_bytes(struct vae_stream *s, const float *z, int frames, int from, int n,
                          struct parcel *to, struct fault *f);

/* Encodes pictures: the first call takes one, later ones a multiple of 4; writes latent frames from
 * `at` on into z [16, frames, h, w]. With `raw`, without normalisation. */
enum err vae_encode(struct vae_stream *s, const float *pictures, int n, float *z, int frames,
                    int at, bool raw, struct fault *f);

/* All of it, in chunks of `chunk` latent frames (0: a default). out [4·frames − 3, 8h, 8w, 3] */
enum err vae_decode_all(struct vae *v, const float *z, int frames, int height, int width, int chunk,
                        float *out, struct fault *f);
/* pictures [4·frames − 3, 8h, 8w, 3] → z [16, frames, h, w] */
enum err vae_encode_all(struct vae *v, const float *pictures, int frames, int height, int width,
                        int chunk, bool raw, float *z, struct fault *f);

#endif
