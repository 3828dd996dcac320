#include "wan/tae.h"

#include "wan/manifest.h"
#include "wan/vae.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STAGES 3
#define BLOCKS 3
#define TRIM 3 /* pictures of the first latent frame that nobody asked for */

/* A block's first convolution sees two frames: a kernel of 2x3x3. */
struct block {
    struct weight *see, *think, *say;
};

struct stage {
    int64_t width, frames; /* channels; frames that one becomes */
    struct block block[BLOCKS];
    struct weight *grow, *down;
};

struct tae {
    struct device *dev;
    struct weight *first, *last;
    struct stage stage[STAGES];
};

struct tae_stream {
    struct tae *tae;
    int height, width;
    bool begun;
    struct tensor before[STAGES][BLOCKS]; /* [1, h, w, c] */
};

/* ---- weights ---- */

/* A convolution of k x k without a time axis, the last `out` rows of what the file has. */
static struct weight *kernel(struct loader *l, int64_t out, int64_t in, int k, bool bias,
                             const char *name)
{
    char full[96];
    snprintf(full, sizeof full, "%s.weight", name);
    int64_t rows = load_dim(l->weights, full, 0), row = in * k * k;
    rows = rows > out ? rows : out;
    float *w = load_values(l, rows * row, "%s", full);
    float *b = bias ? load_values(l, out, "%s.bias", name) : NULL;
    struct weight *made = NULL;
    if (w && (b || !bias))
        made =
            weight_new(l->dev, &(struct weight_spec){out, in, 1, k, k,
                                                     .values = w + (rows - out) * row, .bias = b});
    free(w);
    free(b);
    return made;
}

/* The file joins now and before on the channels, [out][now: c, before: c][9]; that is a kernel of
 * two frames, [out][c][before, now][9]. */
static struct weight *two_frames(struct loader *l, int64_t c, const char *name)
{
    float *w = load_values(l, c * 2 * c * 9, "%s.weight", name);
    float *b = load_values(l, c, "%s.bias", name);
    float *turned = w ? malloc((size_t)(c * 2 * c * 9) * sizeof *turned) : NULL;
    struct weight *made = NULL;
    for (int64_t o = 0; turned && o < c; o++)
        for (int64_t i = 0; i < c; i++)
            for (int t = 0; t < 2; t++)
                memcpy(turned + ((o * c + i) * 2 + t) * 9, w + (o * 2 * c + (1 - t) * c + i) * 9,
                       9 * sizeof *w);
    if (w && !turned)
        fault_set(&l->fault, ERR_NOMEM, "no memory for %s", name);
    if (turned && b)
        made =
            weight_new(l->dev, &(struct weight_spec){c, c, 2, 3, 3, .values = turned, .bias = b});
    free(turned);
    free(w);
    free(b);
    return made;
}

/* Layer numbers: 1 conv; then a stage is three blocks, upsampling, growth, conv; 22 conv. */
static void load_stage(struct loader *l, struct stage *s, int at, int64_t out)
{
    char name[48];
    for (int i = 0; i < BLOCKS; i++) {
        snprintf(name, sizeof name, "decoder.%d.conv.0", at + i);
        s->block[i].see = two_frames(l, s->width, name);
        snprintf(name, sizeof name, "decoder.%d.conv.2", at + i);
        s->block[i].think = kernel(l, s->width, s->width, 3, true, name);
        snprintf(name, sizeof name, "decoder.%d.conv.4", at + i);
        s->block[i].say = kernel(l, s->width, s->width, 3, true, name);
    }
    snprintf(name, sizeof name, "decoder.%d.conv", at + 4);
    s->grow = kernel(l, s->frames * s->width, s->width, 1, false, name);
    snprintf(name, sizeof name, "decoder.%d", at + 5);
    s->down = kernel(l, out, s->width, 3, false, name);
}

enum err tae_open(struct device *dev, const struct weights *w, struct tae **out, struct fault *f)
{
    static const int at[STAGES] = {3, 9, 15};
    enum err e = manifest_tae(w, f);
    struct tae *t = e ? NULL : calloc(1, sizeof *t);
    if (e)
        return e;
    if (!t)
        return fault_set(f, ERR_NOMEM, "out of memory");
    t->dev = dev;
    struct loader l = LOADER_INIT(dev, w);
    static const char *const wide[STAGES + 1] = {"decoder.1.weight", "decoder.8.weight",
                                                 "decoder.14.weight", "decoder.20.weight"};
    int64_t width[STAGES + 1];
    for (int i = 0; i <= STAGES; i++)
        width[i] = load_dim(w, wide[i], 0);
    t->first = kernel(&l, width[0], VAE_Z, 3, true, "decoder.1");
    for (int i = 0; i < STAGES; i++) {
        t->stage[i].width = width[i];
        t->stage[i].frames = i == 0 ? 1 : 2;
        load_stage(&l, &t->stage[i], at[i], width[i + 1]);
    }
    t->last = kernel(&l, 3, width[STAGES], 3, true, "decoder.22");
    if ((e = load_done(&l, f)))
        tae_free(t);
    else
        *out = t;
    return e;
}

void tae_free(struct tae *t)
{
    if (!t)
        return;
    weight_free(t->first);
    weight_free(t->last);
    for (int i = 0; i < STAGES; i++) {
        for (int k = 0; k < BLOCKS; k++) {
            weight_free(t->stage[i].block[k].see);
            weight_free(t->stage[i].block[k].think);
            weight_free(t->stage[i].block[k].say);
        }
        weight_free(t->stage[i].grow);
        weight_free(t->stage[i].down);
    }
    free(t);
}

/* ---- a pass; every function frees x and returns the next one ---- */

static struct tensor conv(struct device *dev, struct tensor x, const struct weight *w, bool relu)
{
    struct tensor y = tensor_work4(dev, x.dim[0], x.dim[1], x.dim[2], weight_out(w));
    device_conv(dev, &(struct conv_op){
                         .x = &x, .w = w, .y = &y, .top = 1, .bottom = 1, .left = 1, .right = 1});
    if (relu)
        device_act(dev, &y, &y, ACT_RELU);
    tensor_free(&x);
    return y;
}

static struct tensor run_block(struct device *dev, const struct block *b, struct tensor *before,
                               struct tensor x)
{
    int64_t t = x.dim[0], h = x.dim[1], w = x.dim[2], c = x.dim[3];
    struct tensor in = tensor_work4(dev, t + 1, h, w, c), y = tensor_work4(dev, t, h, w, c);
    struct tensor head = tensor_part(&in, 0, 1), rest = tensor_part(&in, 1, t);
    if (before->data)
        device_copy(dev, &head, before);
    else
        device_zero(dev, &head);
    device_copy(dev, &rest, &x);
    const struct conv_op see = {
        .x = &in, .w = b->see, .y = &y, .top = 1, .bottom = 1, .left = 1, .right = 1};
    device_conv(dev, &see);
    device_act(dev, &y, &y, ACT_RELU);
    if (!before->data)
        *before = tensor_work4(dev, 1, h, w, c);
    struct tensor last = tensor_part(&in, t, 1);
    device_copy(dev, before, &last);
    tensor_free(&in);
    y = conv(dev, y, b->think, true);
    const struct conv_op say = {
        .x = &y, .w = b->say, .y = &x, .top = 1, .bottom = 1, .left = 1, .right = 1, .add = true};
    device_conv(dev, &say);
    device_act(dev, &x, &x, ACT_RELU);
    tensor_free(&y);
    return x;
}

static struct tensor run_stage(struct tae_stream *s, int i, struct tensor x)
{
    struct device *dev = s->tae->dev;
    const struct stage *g = &s->tae->stage[i];
    for (int k = 0; k < BLOCKS && !device_failed(dev); k++)
        x = run_block(dev, &g->block[k], &s->before[i][k], x);
    /* growth is 1x1: it comes before the upsampling, on a quarter of the pixels */
    struct tensor y = tensor_work4(dev, x.dim[0], x.dim[1], x.dim[2], g->frames * g->width);
    device_linear(dev, &(struct linear_op){.x = &x, .w = g->grow, .y = &y});
    tensor_free(&x);
    x = y;
    if (g->frames == 2) {
        x = tensor_work4(dev, 2 * y.dim[0], y.dim[1], y.dim[2], g->width);
        device_unfold_time(dev, &x, &y);
        tensor_free(&y);
    }
    y = tensor_work4(dev, x.dim[0], 2 * x.dim[1], 2 * x.dim[2], g->width);
    device_upsample(dev, &y, &x);
    tensor_free(&x);
    return conv(dev, y, g->down, i == STAGES - 1);
}

enum err tae_start(struct tae *t, int height, int width, struct tae_stream **out, struct fault *f)
{
    if (height < 1 || width < 1 || height > 4096 || width > 4096)
        return fault_set(f, ERR_INVAL, "a latent of %d x %d cannot be decoded", height, width);
    struct tae_stream *s = calloc(1, sizeof *s);
    if (!s)
        return fault_set(f, ERR_NOMEM, "out of memory");
    *s = (struct tae_stream){.tae = t, .height = height, .width = width};
    *out = s;
    return ERR_OK;
}

void tae_stream_free(struct tae_stream *s)
{
    if (!s)
        return;
    for (int i = 0; i < STAGES; i++)
        for (int k = 0; k < BLOCKS; k++)
            tensor_free(&s->before[i][k]);
    free(s);
}

/* [16, frames, h, w] → [n, h, w, 16], bent into −3…3 */
static struct tensor bring(struct tae_stream *s, const float *z, int frames, int from, int n,
                           struct fault *f)
{
    int64_t plane = (int64_t)s->height * s->width;
    struct tensor x = {0};
    float *v = malloc((size_t)(n * plane) * VAE_Z * sizeof *v);
    if (!v) {
        fault_set(f, ERR_NOMEM, "no memory for %d latent frames", n);
        return x;
    }
    for (int t = 0; t < n; t++)
        for (int64_t i = 0; i < plane; i++)
            for (int c = 0; c < VAE_Z; c++)
                v[(t * plane + i) * VAE_Z + c] =
                    3 * tanhf(z[((int64_t)c * frames + from + t) * plane + i] / 3);
    x = tensor_from(s->tae->dev, v, 4, (const int64_t[]){n, s->height, s->width, VAE_Z});
    free(v);
    return x;
}

/* Latent frames of z → *out [pictures, 8h, 8w, 3] in 0…1 on the device: the caller's to free, of
 * which the first *skip pictures are not to be shown. Without data after a failure. */
static enum err decode(struct tae_stream *s, const float *z, int frames, int from, int n,
                       struct tensor *out, int *skip, struct fault *f)
{
    struct device *dev = s->tae->dev;
    if (from < 0 || n < 1 || from + n > frames || (!s->begun && n != 1))
        return fault_set(f, ERR_INVAL, "latent frames %d to %d of %d cannot be decoded here", from,
                         from + n - 1, frames);
    struct fault why = {0};
    struct tensor x = bring(s, z, frames, from, n, &why);
    if (why.code) {
        if (f)
            *f = why;
        return why.code;
    }
    if (!device_failed(dev))
        x = conv(dev, x, s->tae->first, true);
    for (int i = 0; i < STAGES && !device_failed(dev); i++)
        x = run_stage(s, i, x);
    if (!device_failed(dev))
        x = conv(dev, x, s->tae->last, false);
    *skip = s->begun ? 0 : TRIM;
    s->begun = true;
    *out = x;
    return ERR_OK;
}

enum err tae_decode(struct tae_stream *s, const float *z, int frames, int from, int n, float *out,
                    struct fault *f)
{
    struct device *dev = s->tae->dev;
    struct tensor x = {0};
    int skip = 0;
    enum err e = decode(s, z, frames, from, n, &x, &skip, f);
    if (e)
        return e;
    if (!device_failed(dev)) {
        struct tensor seen = tensor_part(&x, skip, x.dim[0] - skip);
        int64_t count = tensor_count(&seen);
        device_read(dev, out, &seen, count);
        for (int64_t i = 0; i < count; i++)
            out[i] = 2 * out[i] - 1;
    }
    tensor_free(&x);
    return device_settle(dev, f);
}

enum err tae_decode_bytes(struct tae_stream *s, const float *z, int frames, int from, int n,
                          struct parcel *to, struct fault *f)
{
    struct device *dev = s->tae->dev;
    struct tensor x = {0};
    int skip = 0;
    enum err e = decode(s, z, frames, from, n, &x, &skip, f);
    if (e)
        return e;
    if (!device_failed(dev)) {
        struct tensor seen = tensor_part(&x, skip, x.dim[0] - skip);
        parcel_send(to, &seen, 2, -1);
    }
    tensor_free(&x);
    return device_failed(dev) ? device_settle(dev, f) : ERR_OK;
}
