/* wan/vae_inside: the structs behind wan/vae.h, for vae*.c only.
 *
 * The networks are lists of layers. A causal convolution has a slot: the place of its history in a
 * stream. */
#ifndef SAKUGA_WAN_VAE_INSIDE_H
#define SAKUGA_WAN_VAE_INSIDE_H

#include "wan/vae.h"

#define VAE_LAYERS 24
#define VAE_SLOTS 64

struct causal { /* 3x3x3, or 3x1x1 in time */
    struct weight *w;
    int slot;
};

enum vae_kind { VAE_RES, VAE_ATTENTION, VAE_UP, VAE_DOWN };

struct vae_layer {
    enum vae_kind kind;
    int64_t in, out;
    struct tensor norm1, norm2; /* gammas; attention has the first only */
    struct causal conv1, conv2;
    struct weight *shortcut;
    struct weight *q, *k, *v, *proj;
    struct weight *space; /* 3x3 of an up- or downsampler */
    struct causal time;   /* its time convolution; w is NULL in the 2-D ones */
    char seen[16];        /* probe name */
};

struct vae_half_net {
    bool loaded;
    struct causal conv1, last; /* last: head.2 */
    struct vae_layer layers[VAE_LAYERS];
    int layers_n, slots;
    struct tensor norm;     /* head.0 */
    struct weight *project; /* conv2 before the decoder, conv1 behind the encoder */
};

struct vae {
    struct device *dev;
    struct vae_half_net decoder, encoder;
};

struct vae_stream {
    struct vae *vae;
    const struct vae_half_net *net;
    int height, width; /* of the latent */
    bool begun;
    struct tensor history[VAE_SLOTS];
    const struct probe *probe;
};

/* One layer: x is freed, the result returned. */
struct tensor vae_layer_run(struct vae_stream *s, const struct vae_layer *l, struct tensor x);

/* A causal convolution in two steps, so that what feeds it can write straight into its input. */
struct tensor vae_causal_input(struct vae_stream *s, const struct causal *c, int64_t history,
                               int64_t t, int64_t h, int64_t w, int64_t channels);
struct tensor vae_causal_run(struct vae_stream *s, const struct causal *c, struct tensor *input,
                             int64_t history, const struct tensor *add, enum dtype type);

#endif
