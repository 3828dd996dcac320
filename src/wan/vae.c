#include "wan/vae_inside.h"

#include <stdlib.h>
#include <string.h>

#define CHUNK 1 /* latent frames at a time, when nobody says */

static const float mean[VAE_Z] = {-0.7571f, -0.7089f, -0.9113f, 0.1075f,  -0.1745f, 0.9653f,
                                  -0.1517f, 1.5508f,  0.4134f,  -0.0715f, 0.5517f,  -0.3632f,
                                  -0.1922f, -0.9497f, 0.2503f,  -0.2921f};
static const float deviation[VAE_Z] = {2.8184f, 1.4541f, 2.3275f, 2.6558f, 1.2196f, 1.7708f,
                                       2.6052f, 2.0743f, 3.2687f, 2.1526f, 2.8652f, 1.5579f,
                                       1.6382f, 1.1253f, 2.8251f, 1.9160f};

static enum err start(struct vae *v, const struct vae_half_net *net, int height, int width,
                      struct vae_stream **out, struct fault *f)
{
    if (!net->loaded)
        return fault_set(f, ERR_STATE, "that half of the VAE was not loaded");
    if (height < 1 || width < 1 || height > 2048 || width > 2048)
        return fault_set(f, ERR_INVAL, "a latent of %d x %d is not possible", height, width);
    struct vae_stream *s = calloc(1, sizeof *s);
    if (!s)
        return fault_set(f, ERR_NOMEM, "out of memory");
    s->vae = v;
    s->net = net;
    s->height = height;
    s->width = width;
    *out = s;
    return ERR_OK;
}

enum err vae_decode_start(struct vae *v, int height, int width, struct vae_stream **out,
                          struct fault *f)
{
    return start(v, &v->decoder, height, width, out, f);
}

enum err vae_encode_start(struct vae *v, int height, int width, struct vae_stream **out,
                          struct fault *f)
{
    return start(v, &v->encoder, height, width, out, f);
}

void vae_stream_free(struct vae_stream *s)
{
    if (!s)
        return;
    for (int i = 0; i < VAE_SLOTS; i++)
        tensor_free(&s->history[i]);
    free(s);
}

/* A 3x3x3 convolution of host frames [n, h, w, c]. Frees `frames`. */
static struct tensor first_conv(struct vae_stream *s, const struct causal *c, struct tensor *frames)
{
    struct tensor in =
        vae_causal_input(s, c, 2, frames->dim[0], frames->dim[1], frames->dim[2], frames->dim[3]);
    struct tensor part = tensor_part(&in, 2, frames->dim[0]);
    device_copy(s->vae->dev, &part, frames);
    tensor_free(frames);
    return vae_causal_run(s, c, &in, 2, NULL, in.type);
}

/* All layers and the head: [t, h, w, c] → [t', h', w', 3 or 32] */
static struct tensor run(struct vae_stream *s, struct tensor x)
{
    const struct vae_half_net *net = s->net;
    struct device *dev = s->vae->dev;
    x = first_conv(s, &net->conv1, &x);
    probe_see(s->probe, dev, "conv1", &x);
    for (int i = 0; i < net->layers_n; i++)
        x = vae_layer_run(s, &net->layers[i], x);
    struct tensor y = {0};
    if (!device_failed(dev)) {
        struct tensor in =
            vae_causal_input(s, &net->last, 2, x.dim[0], x.dim[1], x.dim[2], x.dim[3]);
        struct tensor part = tensor_part(&in, 2, x.dim[0]);
        device_norm(dev, &(struct norm_op){.kind = NORM_L2,
                                           .x = &x,
                                           .y = &part,
                                           .weight = &net->norm,
                                           .eps = 1e-12f,
                                           .act = ACT_SILU});
        y = vae_causal_run(s, &net->last, &in, 2, NULL, DTYPE_F32);
    }
    tensor_free(&x);
    return y;
}

/* Is that what the caller has room for? Frees it if not. Without data the device has failed. */
static enum err fits(struct tensor *x, const int64_t dim[4], struct fault *f)
{
    if (!x->data || (x->rank == 4 && !memcmp(x->dim, dim, 4 * sizeof *dim)))
        return ERR_OK;
    enum err e = fault_set(
        f, ERR_STATE, "the VAE made %lld x %lld x %lld x %lld numbers of a piece",
        (long long)x->dim[0], (long long)x->dim[1], (long long)x->dim[2], (long long)x->dim[3]);
    tensor_free(x);
    return e;
}

/* Latent frames of z → *out [pictures, 8h, 8w, 3] on the device, which may be without data after a
 * failure of the device. */
static enum err decode(struct vae_stream *s, const float *z, int frames, int from, int n,
                       const struct probe *probe, struct tensor *out, struct fault *f)
{
    struct device *dev = s->vae->dev;
    int64_t h = s->height, w = s->width, plane = h * w;
    if (n < 1 || from < 0 || from + n > frames || (!s->begun && n != 1))
        return fault_set(f, ERR_INVAL, "a decoder begins with one frame, then takes those it has");
    float *rows = malloc((size_t)(n * plane) * VAE_Z * sizeof *rows);
    if (!rows)
        return fault_set(f, ERR_NOMEM, "no memory for %d latent frames", n);
    for (int t = 0; t < n; t++)
        for (int64_t i = 0; i < plane; i++)
            for (int c = 0; c < VAE_Z; c++)
                rows[(t * plane + i) * VAE_Z + c] =
                    z[((int64_t)c * frames + from + t) * plane + i] * deviation[c] + mean[c];
    struct tensor raw = tensor_from(dev, rows, 4, (const int64_t[]){n, h, w, VAE_Z});
    struct tensor x = tensor_new4(dev, n, h, w, VAE_Z);
    free(rows);
    s->probe = probe;
    device_linear(dev, &(struct linear_op){.x = &raw, .w = s->net->project, .y = &x});
    tensor_free(&raw);
    probe_see(probe, dev, "in", &x);
    *out = run(s, x);
    const int64_t made[] = {s->begun ? n * VAE_TIME : 1, h * VAE_SPACE, w * VAE_SPACE, 3};
    s->begun = true;
    s->probe = NULL;
    return fits(out, made, f);
}

enum err vae_decode(struct vae_stream *s, const float *z, int frames, int from, int n, float *out,
                    const struct probe *probe, struct fault *f)
{
    struct device *dev = s->vae->dev;
    struct tensor x = {0};
    enum err e = decode(s, z, frames, from, n, probe, &x, f);
    if (e)
        return e;
    if (x.data)
        device_read(dev, out, &x, tensor_count(&x));
    tensor_free(&x);
    return device_settle(dev, f);
}

enum err vae_decode_bytes(struct vae_stream *s, const float *z, int frames, int from, int n,
                          struct parcel *to, struct fault *f)
{
    struct device *dev = s->vae->dev;
    struct tensor x = {0};
    enum err e = decode(s, z, frames, from, n, NULL, &x, f);
    if (e)
        return e;
    if (x.data)
        parcel_send(to, &x, 1, 0);
    tensor_free(&x);
    return device_failed(dev) ? device_settle(dev, f) : ERR_OK;
}

enum err vae_encode(struct vae_stream *s, const float *pictures, int n, float *z, int frames,
                    int at, bool raw, struct fault *f)
{
    struct device *dev = s->vae->dev;
    int64_t h = s->height, w = s->width, plane = h * w;
    int made = s->begun ? n / VAE_TIME : 1;
    if (n < 1 || (s->begun ? n % VAE_TIME : n != 1) || at < 0 || at + made > frames)
        return fault_set(f, ERR_INVAL, "an encoder begins with one picture, then takes fours");
    struct tensor x =
        tensor_from(dev, pictures, 4, (const int64_t[]){n, h * VAE_SPACE, w * VAE_SPACE, 3});
    x = run(s, x);
    enum err e = fits(&x, (const int64_t[]){made, h, w, 2 * VAE_Z}, f);
    if (e)
        return e;
    struct tensor mu = tensor_new4(dev, made, h, w, VAE_Z);
    device_linear(dev, &(struct linear_op){.x = &x, .w = s->net->project, .y = &mu});
    float *rows = malloc((size_t)(made * plane) * VAE_Z * sizeof *rows);
    if (!rows)
        fault_set(f, ERR_NOMEM, "no memory for %d latent frames", made);
    else
        device_read(dev, rows, &mu, made * plane * VAE_Z);
    for (int t = 0; rows && !device_failed(dev) && t < made; t++)
        for (int64_t i = 0; i < plane; i++)
            for (int c = 0; c < VAE_Z; c++) {
                float v = rows[(t * plane + i) * VAE_Z + c];
                z[((int64_t)c * frames + at + t) * plane + i] =
                    raw ? v : (v - mean[c]) / deviation[c];
            }
    tensor_free(&x);
    tensor_free(&mu);
    s->begun = true;
    e = device_settle(dev, f);
    e = e ? e : rows ? ERR_OK : ERR_NOMEM;
    free(rows);
    return e;
}

enum err vae_decode_all(struct vae *v, const float *z, int frames, int height, int width, int chunk,
                        float *out, struct fault *f)
{
    struct vae_stream *s;
    enum err e = vae_decode_start(v, height, width, &s, f);
    if (e)
        return e;
    int64_t picture = (int64_t)height * width * VAE_SPACE * VAE_SPACE * 3;
    chunk = chunk > 0 ? chunk : CHUNK;
    for (int at = 0, n; at < frames && !e; at += n) {
        n = at == 0 ? 1 : frames - at < chunk ? frames - at : chunk;
        e = vae_decode(s, z, frames, at, n, out, NULL, f);
        out += picture * (at == 0 ? 1 : n * VAE_TIME);
    }
    vae_stream_free(s);
    return e;
}

enum err vae_encode_all(struct vae *v, const float *pictures, int frames, int height, int width,
                        int chunk, bool raw, float *z, struct fault *f)
{
    struct vae_stream *s;
    enum err e = vae_encode_start(v, height, width, &s, f);
    if (e)
        return e;
    int64_t picture = (int64_t)height * width * VAE_SPACE * VAE_SPACE * 3;
    chunk = chunk > 0 ? chunk : CHUNK;
    for (int at = 0, n; at < frames && !e; at += n) {
        n = at == 0 ? 1 : frames - at < chunk ? frames - at : chunk;
        int pictures_n = at == 0 ? 1 : n * VAE_TIME;
        e = vae_encode(s, pictures, pictures_n, z, frames, at, raw, f);
        pictures += picture * pictures_n;
    }
    vae_stream_free(s);
    return e;
}
