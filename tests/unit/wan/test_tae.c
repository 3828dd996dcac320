/* The tiny decoder against a plain one, frame by frame and in doubles, that follows the network's
 * own order: join, convolve, enlarge, grow. Weights are made up; the widths fit no tile. */
#include "unit.h"

#include "wan/peek.h"
#include "wan/tae.h"
#include "wan/vae.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { FRAMES = 4, H = 3, W = 2, PICTURES = 4 * FRAMES - 3 };

static const int widths[] = {10, 6, 5, 7};
static const int grows[] = {1, 2, 2};
static struct device *dev;
static struct weights *file;
static struct tae *tae;
static float latent[VAE_Z * FRAMES * H * W];
static unsigned seed = 3;

static float roll(void)
{
    seed = seed * 1664525u + 1013904223u;
    return (float)(seed >> 8) / 8388608.0f - 1.0f;
}

static void add(const char *name, int rank, int64_t a, int64_t b, int64_t k, float size)
{
    struct wtensor t = {.name = (char *)(uintptr_t)name,
                        .file = "made up",
                        .type = DTYPE_F32,
                        .rank = rank,
                        .dim = {a, b, k, k}};
    assert_true(wtensor_measure(&t));
    float *v = malloc((size_t)t.count * sizeof *v);
    for (int64_t i = 0; i < t.count; i++)
        v[i] = size * roll();
    t.data = (const unsigned char *)v;
    assert_int_equal(weights_add(file, &t, NULL), ERR_OK);
}

static void add_conv(const char *name, int out, int in, int k, bool bias)
{
    char full[64];
    snprintf(full, sizeof full, "%s.weight", name);
    add(full, 4, out, in, k, 1.6f / sqrtf((float)(in * k * k)));
    snprintf(full, sizeof full, "%s.bias", name);
    if (bias)
        add(full, 1, out, 1, 1, 0.2f);
}

/* The first growth has twice the rows that are needed, as in the published file; the last count. */
static void make_file(void)
{
    char name[64];
    file = weights_new();
    add_conv("decoder.1", widths[0], VAE_Z, 3, true);
    for (int s = 0; s < 3; s++) {
        int at = 3 + 6 * s, c = widths[s];
        for (int b = 0; b < 3; b++)
            for (int k = 0; k < 3; k++) {
                snprintf(name, sizeof name, "decoder.%d.conv.%d", at + b, 2 * k);
                add_conv(name, c, k ? c : 2 * c, 3, true);
            }
        snprintf(name, sizeof name, "decoder.%d.conv", at + 4);
        add_conv(name, 2 * c, c, 1, false);
        snprintf(name, sizeof name, "decoder.%d", at + 5);
        add_conv(name, widths[s + 1], c, 3, false);
    }
    add_conv("decoder.22", 3, widths[3], 3, true);
    assert_int_equal(weights_done(file, NULL), ERR_OK);
}

/* ---- the plain one: a frame is [c][h][w] ---- */

struct frame {
    int c, h, w;
    double *v;
};

static struct frame frame_new(int c, int h, int w)
{
    return (struct frame){c, h, w, calloc((size_t)(c * h * w), sizeof(double))};
}

static const float *values(const char *name, const char *kind)
{
    char full[64];
    snprintf(full, sizeof full, "%s.%s", name, kind);
    const struct wtensor *t = weights_find(file, full);
    return t ? (const float *)t->data : NULL;
}

/* The rows [from, from + out) of a kernel; frees x. */
static struct frame convolve(struct frame x, const char *name, int from, int out, int k, bool relu)
{
    const float *w = values(name, "weight"), *b = values(name, "bias");
    struct frame y = frame_new(out, x.h, x.w);
    for (int o = 0; o < out; o++)
        for (int i = 0; i < x.h; i++)
            for (int j = 0; j < x.w; j++) {
                double sum = b ? b[from + o] : 0;
                for (int c = 0; c < x.c; c++)
                    for (int p = 0; p < k; p++)
                        for (int q = 0; q < k; q++) {
                            int r = i + p - k / 2, s = j + q - k / 2;
                            if (r >= 0 && r < x.h && s >= 0 && s < x.w)
                                sum += w[(((from + o) * x.c + c) * k + p) * k + q] *
                                       x.v[(c * x.h + r) * x.w + s];
                        }
                y.v[(o * x.h + i) * x.w + j] = relu && sum < 0 ? 0 : sum;
            }
    free(x.v);
    return y;
}

static struct frame plain_block(struct frame x, struct frame before, const char *name)
{
    char part[80];
    int n = x.c * x.h * x.w;
    struct frame y = frame_new(2 * x.c, x.h, x.w);
    memcpy(y.v, x.v, (size_t)n * sizeof(double));
    if (before.v)
        memcpy(y.v + n, before.v, (size_t)n * sizeof(double));
    for (int k = 0; k < 3; k++) {
        snprintf(part, sizeof part, "%s.conv.%d", name, 2 * k);
        y = convolve(y, part, 0, x.c, 3, k < 2);
    }
    for (int i = 0; i < n; i++)
        y.v[i] = fmax(0, y.v[i] + x.v[i]);
    return y;
}

static int plain(double *out)
{
    char name[64];
    struct frame x[4 * FRAMES];
    int n = FRAMES;
    for (int t = 0; t < n; t++) {
        x[t] = frame_new(VAE_Z, H, W);
        for (int c = 0; c < VAE_Z; c++)
            for (int i = 0; i < H * W; i++)
                x[t].v[c * H * W + i] = 3 * tanh(latent[(c * FRAMES + t) * H * W + i] / 3.0);
        x[t] = convolve(x[t], "decoder.1", 0, widths[0], 3, true);
    }
    for (int s = 0; s < 3; s++) {
        int at = 3 + 6 * s, c = widths[s], made = 0;
        struct frame next[4 * FRAMES];
        for (int b = 0; b < 3; b++) {
            struct frame before = {0};
            snprintf(name, sizeof name, "decoder.%d", at + b);
            for (int t = 0; t < n; t++) {
                struct frame y = plain_block(x[t], before, name);
                free(before.v);
                before = x[t];
                x[t] = y;
            }
            free(before.v);
        }
        for (int t = 0; t < n; t++) {
            struct frame big = frame_new(c, 2 * x[t].h, 2 * x[t].w);
            for (int k = 0; k < c; k++)
                for (int i = 0; i < big.h; i++)
                    for (int j = 0; j < big.w; j++)
                        big.v[(k * big.h + i) * big.w + j] =
                            x[t].v[(k * x[t].h + i / 2) * x[t].w + j / 2];
            free(x[t].v);
            for (int g = 0; g < grows[s]; g++) {
                struct frame copy = frame_new(big.c, big.h, big.w);
                memcpy(copy.v, big.v, (size_t)(big.c * big.h * big.w) * sizeof(double));
                snprintf(name, sizeof name, "decoder.%d.conv", at + 4);
                copy = convolve(copy, name, (2 - grows[s] + g) * c, c, 1, false);
                snprintf(name, sizeof name, "decoder.%d", at + 5);
                next[made++] = convolve(copy, name, 0, widths[s + 1], 3, s == 2);
            }
            free(big.v);
        }
        memcpy(x, next, sizeof x);
        n = made;
    }
    for (int t = 0; t < n; t++) {
        x[t] = convolve(x[t], "decoder.22", 0, 3, 3, false);
        for (int i = 0; t >= 3 && i < 64 * H * W; i++)
            for (int c = 0; c < 3; c++)
                out[((t - 3) * 64 * H * W + i) * 3 + c] = 2 * x[t].v[c * 64 * H * W + i] - 1;
        free(x[t].v);
    }
    return n - 3;
}

/* ---- */

static void decode(int chunk, float *out)
{
    struct tae_stream *s;
    struct fault f = {0};
    assert_int_equal(tae_start(tae, H, W, &s, &f), ERR_OK);
    for (int at = 0, n, made = 0; at < FRAMES; at += n) {
        n = at == 0 ? 1 : at + chunk > FRAMES ? FRAMES - at : chunk;
        assert_int_equal(tae_decode(s, latent, FRAMES, at, n, out + made * 64 * H * W * 3, &f),
                         ERR_OK);
        made += at == 0 ? 1 : 4 * n;
    }
    tae_stream_free(s);
}

static void it_draws_what_the_plain_one_draws(void **state)
{
    static double want[PICTURES * 64 * H * W * 3];
    static float got[PICTURES * 64 * H * W * 3], other[PICTURES * 64 * H * W * 3];
    double diff = 0, norm = 0;
    assert_int_equal(plain(want), PICTURES);
    decode(FRAMES, got);
    for (size_t i = 0; i < sizeof got / sizeof *got; i++) {
        diff += (got[i] - want[i]) * (got[i] - want[i]);
        norm += want[i] * want[i];
    }
    assert_true(norm > 1);
    assert_true(sqrt(diff / norm) < 1e-6);
    for (int chunk = 1; chunk < FRAMES; chunk++) {
        decode(chunk, other);
        assert_memory_equal(other, got, sizeof got);
    }
}

static void it_begins_with_one_frame(void **state)
{
    static float out[PICTURES * 64 * H * W * 3];
    struct tae_stream *s;
    struct fault f = {0};
    assert_int_equal(tae_start(tae, H, W, &s, &f), ERR_OK);
    assert_int_equal(tae_decode(s, latent, FRAMES, 0, 2, out, &f), ERR_INVAL);
    assert_int_equal(tae_decode(s, latent, FRAMES, FRAMES, 1, out, &f), ERR_INVAL);
    tae_stream_free(s);
    assert_int_equal(tae_start(tae, 0, 4, &s, &f), ERR_INVAL);
}

static bool at_the_third(void *user)
{
    int *asked = user;
    return ++*asked == 3;
}

/* A peek is the decoder's pictures made small: of the first latent frame its one, of each other the
 * third of four. */
static void a_peek_is_its_pictures_made_small(void **state)
{
    static float whole[(PICTURES - 4) * 64 * H * W * 3];
    static uint8_t small[(FRAMES - 1) * 4 * H * W * 3];
    struct peek p = {
        .dev = dev, .tae = tae, .z = latent, .frames = FRAMES, .height = H, .width = W, .from = 1};
    struct tae_stream *s;
    int asked = 0, off = 0;
    assert_int_equal(peek_rgb(&p, small, NULL), ERR_OK);
    assert_int_equal(tae_start(tae, H, W, &s, NULL), ERR_OK);
    for (int i = 1, at = 0; i < FRAMES; at += i == 1 ? 1 : 4, i++)
        assert_int_equal(
            tae_decode(s, latent, FRAMES, i, 1, whole + (size_t)at * 64 * H * W * 3, NULL), ERR_OK);
    tae_stream_free(s);
    for (int f = 0; f < FRAMES - 1; f++)
        for (int y = 0; y < 2 * H; y++)
            for (int x = 0; x < 2 * W; x++)
                for (int c = 0; c < 3; c++) {
                    const float *picture = whole + (size_t)(f ? 4 * f - 1 : 0) * 64 * H * W * 3;
                    double sum = 0;
                    for (int v = 0; v < 16; v++) {
                        float one = picture[((y * 4 + v / 4) * W * 8 + x * 4 + v % 4) * 3 + c];
                        sum += fmin(fmax((one + 1) * 127.5, 0), 255) / 16;
                    }
                    double got = small[((f * 2 * H + y) * 2 * W + x) * 3 + c];
                    off += fabs(got - sum) > 1.1; /* two roundings */
                }
    assert_int_equal(off, 0);
    p.stop = at_the_third;
    p.user = &asked;
    assert_int_equal(peek_rgb(&p, small, NULL), ERR_CANCELLED);
}

static void another_network_is_refused(void **state)
{
    struct weights *none = weights_new();
    struct tae *t = NULL;
    struct fault f = {0};
    assert_int_equal(tae_open(dev, none, &t, &f), ERR_NOTFOUND);
    assert_null(t);
    weights_free(none);
    for (int i = 0; i < file->n; i++) /* each tensor is missed, by its name */
        if (strcmp(file->t[i].name, "decoder.1.weight") != 0) {
            char *name = file->t[i].name, away[] = "~";
            file->t[i].name = away;
            enum err e = tae_open(dev, file, &t, &f);
            file->t[i].name = name;
            assert_int_equal(e, ERR_NOTFOUND);
        }
}

static int open_all(void **state)
{
    make_file();
    for (size_t i = 0; i < sizeof latent / sizeof *latent; i++)
        latent[i] = 4 * roll();
    return device_open(&(struct device_setup){"cpu", "f32", 0}, &dev, NULL) ||
           tae_open(dev, file, &tae, NULL);
}

static int close_all(void **state)
{
    tae_free(tae);
    int leak = device_used(dev) != 0;
    device_close(dev);
    for (int i = 0; i < file->n; i++)
        free((void *)(uintptr_t)file->t[i].data);
    weights_free(file);
    return leak;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_draws_what_the_plain_one_draws),
        cmocka_unit_test(it_begins_with_one_frame),
        cmocka_unit_test(a_peek_is_its_pictures_made_small),
        cmocka_unit_test(another_network_is_refused),
    };
    return cmocka_run_group_tests(tests, open_all, close_all);
}
