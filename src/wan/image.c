#include "wan/image.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The four taps of a = −0.75 at distance t behind the second of them. */
static void taps(float t, float w[4])
{
    const float a = -0.75f;
    float near[2] = {t, 1.0f - t};
    for (int i = 0; i < 2; i++) {
        float x = near[i], y = x + 1.0f;
        w[i ? 2 : 1] = ((a + 2) * x - (a + 3)) * x * x + 1;
        w[i ? 3 : 0] = ((a * y - 5 * a) * y + 8 * a) * y - 4 * a;
    }
}

static void linear_taps(float t, float w[4])
{
    w[0] = w[3] = 0;
    w[1] = 1 - t;
    w[2] = t;
}

static int clamp(int i, int n)
{
    return i < 0 ? 0 : i >= n ? n - 1 : i;
}

/* The scale is rounded to f32, as torch does: that moves a result by more than the arithmetic.
 * Along one axis: `lines` of `from` steps of `run` numbers each become `to` steps. */
static void resize_axis(void (*weigh)(float, float *), const float *in, float *out, int lines,
                        int from, int to, int run)
{
    for (int i = 0; i < to; i++) {
        double at = (double)((float)from / (float)to) * (i + 0.5) - 0.5, base = floor(at);
        float w[4];
        int first = (int)base - 1;
        weigh((float)(at - base), w);
        for (int l = 0; l < lines; l++)
            for (int j = 0; j < run; j++) {
                float sum = 0;
                for (int k = 0; k < 4; k++)
                    sum += w[k] * in[((int64_t)l * from + clamp(first + k, from)) * run + j];
                out[((int64_t)l * to + i) * run + j] = sum;
            }
    }
}

static enum err resize(void (*weigh)(float, float *), const struct image *from, int height,
                       int width, float *out, struct fault *f)
{
    if (from->height < 1 || from->width < 1 || from->height > 16384 || from->width > 16384)
        return fault_set(f, ERR_INVAL, "a picture of %d x %d is not possible", from->width,
                         from->height);
    float *half = malloc((size_t)from->height * (size_t)width * 3 * sizeof *half);
    if (!half)
        return fault_set(f, ERR_NOMEM, "no memory for a picture");
    resize_axis(weigh, from->pixels, half, from->height, from->width, width, 3);
    resize_axis(weigh, half, out, 1, from->height, height, 3 * width);
    free(half);
    return ERR_OK;
}

enum err image_resize(const struct image *from, int height, int width, float *out, struct fault *f)
{
    return resize(taps, from, height, width, out, f);
}

enum err image_resize_linear(const struct image *from, int height, int width, float *out,
                             struct fault *f)
{
    return resize(linear_taps, from, height, width, out, f);
}

void image_crop(float *pixels, int *height, int *width, const struct image *like)
{
    int64_t h = *height, w = *width;
    int64_t wide = (h * like->width + like->height / 2) / like->height;
    int64_t high = (w * like->height + like->width / 2) / like->width;
    wide = wide < 1 ? 1 : wide < w ? wide : w;
    high = high < 1 ? 1 : high < h ? high : h;
    const float *from = pixels + ((h - high) / 2 * w + (w - wide) / 2) * 3;
    for (int64_t i = 0; i < high; i++)
        memmove(pixels + i * wide * 3, from + i * w * 3, (size_t)wide * 3 * sizeof *pixels);
    *height = (int)high;
    *width = (int)wide;
}

enum err image_clip_input(const struct image *from, int size, float *out, struct fault *f)
{
    static const float mean[3] = {0.48145466f, 0.4578275f, 0.40821073f};
    static const float deviation[3] = {0.26862954f, 0.26130258f, 0.27577711f};
    enum err e = image_resize(from, size, size, out, f);
    for (int i = 0; !e && i < size * size * 3; i++)
        out[i] = (out[i] * 0.5f + 0.5f - mean[i % 3]) / deviation[i % 3];
    return e;
}

/* The video's latents, [16, frames, height, width]. */
static enum err encode(struct vae *vae, const struct image *first, const struct image *last,
                       int frames, int height, int width, const struct stopper *stop, float *z,
                       struct fault *f)
{
    size_t picture = (size_t)height * (size_t)width * VAE_SPACE * VAE_SPACE * 3;
    float *four = calloc(VAE_TIME * picture, sizeof *four);
    struct vae_stream *s = NULL;
    if (!four)
        return fault_set(f, ERR_NOMEM, "no memory for the pictures of a condition");
    enum err e = vae_encode_start(vae, height, width, &s, f);
    for (int t = 0; t < frames && !e; t++) {
        int n = t ? VAE_TIME : 1;
        if (stopper_says(stop))
            e = fault_set(f, ERR_CANCELLED, "the clip was cancelled");
        if (t == 1)
            memset(four, 0, picture * sizeof *four);
        if (!e && t == 0)
            e = image_resize(first, height * VAE_SPACE, width * VAE_SPACE, four, f);
        if (!e && last && t == frames - 1)
            e = image_resize(last, height * VAE_SPACE, width * VAE_SPACE,
                             four + (size_t)(n - 1) * picture, f);
        if (!e)
            e = vae_encode(s, four, n, z, frames, t, false, f);
    }
    vae_stream_free(s);
    free(four);
    return e;
}

enum err image_condition(struct vae *vae, const struct image *first, const struct image *last,
                         int frames, int height, int width, const struct stopper *stop, float *y,
                         struct fault *f)
{
    int64_t plane = (int64_t)height * width;
    enum err e =
        encode(vae, first, last, frames, height, width, stop, y + IMAGE_MASK * frames * plane, f);
    /* the first frame counts for all four of its latent, a last one only for the last of four */
    for (int c = 0; c < IMAGE_MASK; c++)
        for (int t = 0; t < frames; t++) {
            bool given = t == 0 || (last && t == frames - 1 && c == IMAGE_MASK - 1);
            for (int64_t i = 0; i < plane; i++)
                y[(c * frames + t) * plane + i] = given ? 1 : 0;
        }
    return e;
}
