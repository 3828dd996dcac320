#include "wan/vace.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum part { INACTIVE, REACTIVE };

struct work {
    struct vae *vae;
    const struct vace_source *s;
    float *out;
    int all;         /* frames of the context */
    int64_t plane;   /* cells of a frame */
    int64_t pixels;  /* of a picture */
    float *pictures; /* VAE_TIME of them */
};

/* Is pixel `at` of picture `i` to be made? */
static bool to_make(const struct vace_source *s, int64_t pixels, int i, int64_t at)
{
    if (!s->mask || i >= s->video_n)
        return true;
    return s->mask[(s->mask_n == 1 ? 0 : i) * pixels + at] >= 128;
}

/* Picture `i` as one of the two encodings sees it; grey is 0. */
static void picture(const struct work *w, enum part part, int i, float *to)
{
    const struct vace_source *s = w->s;
    for (int64_t p = 0; p < w->pixels; p++) {
        bool seen = i < s->video_n && to_make(s, w->pixels, i, p) == (part == REACTIVE);
        const uint8_t *from = seen ? s->video + (i * w->pixels + p) * 3 : NULL;
        for (int c = 0; c < 3; c++)
            to[p * 3 + c] = from ? (float)from[c] / 127.5f - 1 : 0;
    }
}

static enum err asked(const struct vace_source *s, struct fault *f)
{
    return s->stop && s->stop(s->user) ? fault_set(f, ERR_CANCELLED, "the clip was cancelled")
                                       : ERR_OK;
}

/* The latents of one part, into its 16 channels, behind the references. */
static enum err encode(struct work *w, enum part part, struct fault *f)
{
    const struct vace_source *s = w->s;
    float *z = w->out + (int64_t)part * VAE_Z * w->all * w->plane;
    struct vae_stream *stream = NULL;
    enum err e = vae_encode_start(w->vae, s->height, s->width, &stream, f);
    for (int t = 0, i = 0; t < s->frames && !e; t++) {
        int n = t ? VAE_TIME : 1;
        e = asked(s, f);
        for (int k = 0; k < n && !e; k++)
            picture(w, part, i + k, w->pictures + k * w->pixels * 3);
        if (!e)
            e = vae_encode(stream, w->pictures, n, z, w->all, s->reference_n + t, false, f);
        i += n;
    }
    vae_stream_free(stream);
    return e;
}

static enum err encode_references(struct work *w, struct fault *f)
{
    const struct vace_source *s = w->s;
    enum err e = ERR_OK;
    for (int i = 0; i < s->reference_n && !e; i++) {
        struct vae_stream *stream = NULL;
        e = asked(s, f);
        if (!e)
            e = vace_reference(&s->reference[i], s->height * VAE_SPACE, s->width * VAE_SPACE,
                               w->pictures, f);
        if (!e)
            e = vae_encode_start(w->vae, s->height, s->width, &stream, f);
        if (!e)
            e = vae_encode(stream, w->pictures, 1, w->out, w->all, i, false, f);
        vae_stream_free(stream);
        for (int c = VAE_Z; c < 2 * VAE_Z; c++)
            memset(w->out + ((int64_t)c * w->all + i) * w->plane, 0,
                   (size_t)w->plane * sizeof *w->out);
    }
    return e;
}

/* Of `of` pictures the one that stands for latent frame t: as torch's "nearest-exact" finds it, in
 * f32. */
static int nearest(int t, int frames, int of)
{
    int i = (int)floorf(((float)t + 0.5f) * ((float)of / (float)frames));
    return i < of ? i : of - 1;
}

/* Channel py·8 + px: pixel (py, px) of each cell. */
static void mask(struct work *w)
{
    const struct vace_source *s = w->s;
    int64_t row = (int64_t)s->width * VAE_SPACE;
    for (int c = 0; c < VACE_MASK; c++)
        for (int t = 0; t < w->all; t++) {
            float *to = w->out + ((int64_t)(2 * VAE_Z + c) * w->all + t) * w->plane;
            int made = t - s->reference_n;
            int i = nearest(made, s->frames, s->frames * VAE_TIME - 3);
            for (int y = 0; y < s->height; y++)
                for (int x = 0; x < s->width; x++) {
                    int64_t at = (int64_t)(y * VAE_SPACE + c / VAE_SPACE) * row + x * VAE_SPACE +
                                 c % VAE_SPACE;
                    to[y * s->width + x] = made >= 0 && to_make(s, w->pixels, i, at) ? 1 : 0;
                }
        }
}

enum err vace_reference(const struct image *from, int height, int width, float *out,
                        struct fault *f)
{
    double by = (double)height / from->height, wide = (double)width / from->width;
    by = wide < by ? wide : by;
    int h = (int)(from->height * by), w = (int)(from->width * by);
    h = h < 1 ? 1 : h > height ? height : h;
    w = w < 1 ? 1 : w > width ? width : w;
    float *small = malloc((size_t)h * (size_t)w * 3 * sizeof *small);
    if (!small)
        return fault_set(f, ERR_NOMEM, "no memory for a picture");
    enum err e = image_resize_linear(from, h, w, small, f);
    for (int64_t i = 0; i < (int64_t)height * width * 3; i++)
        out[i] = 1;
    int top = (height - h) / 2, left = (width - w) / 2;
    for (int y = 0; !e && y < h; y++)
        memcpy(out + ((int64_t)(top + y) * width + left) * 3, small + (int64_t)y * w * 3,
               (size_t)w * 3 * sizeof *out);
    free(small);
    return e;
}

enum err vace_context(struct vae *vae, const struct vace_source *s, float *out, struct fault *f)
{
    struct work w = {.vae = vae,
                     .s = s,
                     .out = out,
                     .all = s->reference_n + s->frames,
                     .plane = (int64_t)s->height * s->width};
    w.pixels = w.plane * VAE_SPACE * VAE_SPACE;
    w.pictures = malloc((size_t)w.pixels * 3 * VAE_TIME * sizeof *w.pictures);
    if (!w.pictures)
        return fault_set(f, ERR_NOMEM, "no memory for the pictures of a source");
    enum err e = encode(&w, INACTIVE, f);
    if (!e && s->video)
        e = encode(&w, REACTIVE, f);
    else if (!e) /* both are grey */
        memcpy(out + VAE_Z * w.all * w.plane, out, (size_t)(VAE_Z * w.all * w.plane) * sizeof *out);
    if (!e)
        e = encode_references(&w, f);
    if (!e)
        mask(&w);
    free(w.pictures);
    return e;
}
