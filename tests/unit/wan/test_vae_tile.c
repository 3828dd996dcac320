/* Tiles against a straightforward way of the same, against the whole, and against what cannot be.
 */
#include "unit.h"

#include "wan/noise.h"
#include "wan/vae_tile.h"

#include <math.h>
#include <string.h>

#define FRAMES 2
#define PICTURES (4 * FRAMES - 3)

static struct device *dev;
static struct weights *file;
static struct vae *vae;

static float *latents(int h, int w)
{
    float *z = malloc((size_t)(16 * FRAMES * h * w) * sizeof *z);
    struct noise g;
    noise_seed(&g, 3);
    noise_normal(&g, z, 16 * FRAMES * h * w, 1);
    return z;
}

static float *pictures(int h, int w)
{
    return calloc((size_t)PICTURES * 64 * (size_t)h * (size_t)w * 3, sizeof(float));
}

static float *pixel(float *p, int height, int width, int i, int y, int x)
{
    return p + (((size_t)i * (size_t)height + (size_t)y) * (size_t)width + (size_t)x) * 3;
}

/* Every tile decoded and kept whole, blended as the spec says, then put side by side. */
static void by_the_book(const float *z, int h, int w, struct vae_tile t, float *out)
{
    int rows = 1, columns = 1;
    while ((rows - 1) * t.stride + t.size < h)
        rows++;
    while ((columns - 1) * t.stride + t.size < w)
        columns++;
    int overlap = 8 * (t.size - t.stride);
    float *tile[16][16];
    int th[16], tw[16];
    struct fault f = {0};
    for (int r = 0; r < rows; r++)
        for (int c = 0; c < columns; c++) {
            int y0 = r * t.stride, x0 = c * t.stride;
            th[r] = h - y0 < t.size ? h - y0 : t.size;
            tw[c] = w - x0 < t.size ? w - x0 : t.size;
            float *part = malloc((size_t)(16 * FRAMES * th[r] * tw[c]) * sizeof *part), *to = part;
            for (int i = 0; i < 16 * FRAMES; i++)
                for (int y = 0; y < th[r]; y++)
                    for (int x = 0; x < tw[c]; x++)
                        *to++ = z[(i * h + y0 + y) * w + x0 + x];
            tile[r][c] = pictures(th[r], tw[c]);
            assert_int_equal(vae_decode_all(vae, part, FRAMES, th[r], tw[c], 0, tile[r][c], &f),
                             ERR_OK);
            free(part);
        }
    for (int r = 0; r < rows; r++)
        for (int c = 0; c < columns; c++) {
            int H = 8 * th[r], W = 8 * tw[c];
            for (int i = 0; i < PICTURES; i++) {
                int e = overlap;
                if (r)
                    e = e < H ? e : H;
                for (int y = 0; r && y < e; y++)
                    for (int k = 0; k < 3 * W; k++) {
                        float *b = pixel(tile[r][c], H, W, i, y, 0) + k;
                        float a =
                            pixel(tile[r - 1][c], 8 * th[r - 1], W, i, 8 * th[r - 1] - e + y, 0)[k];
                        *b = a * (1 - (float)y / (float)e) + *b * ((float)y / (float)e);
                    }
                e = overlap < W ? overlap : W;
                for (int y = 0; c && y < H; y++)
                    for (int x = 0; x < e; x++)
                        for (int k = 0; k < 3; k++) {
                            float *b = pixel(tile[r][c], H, W, i, y, x) + k;
                            float a = pixel(tile[r][c - 1], H, 8 * tw[c - 1], i, y,
                                            8 * tw[c - 1] - e + x)[k];
                            *b = a * (1 - (float)x / (float)e) + *b * ((float)x / (float)e);
                        }
                for (int y = 0; y < (r + 1 < rows ? 8 * t.stride : H); y++)
                    for (int x = 0; x < (c + 1 < columns ? 8 * t.stride : W); x++)
                        memcpy(
                            pixel(out, 8 * h, 8 * w, i, 8 * r * t.stride + y, 8 * c * t.stride + x),
                            pixel(tile[r][c], H, W, i, y, x), 3 * sizeof *out);
            }
        }
    for (int r = 0; r < rows; r++)
        for (int c = 0; c < columns; c++)
            free(tile[r][c]);
}

static void tiles_are_put_together_by_the_book(void **state)
{
    static const struct {
        int h, w;
        struct vae_tile t;
    } cases[] = {{6, 9, {4, 3}}, {7, 5, {3, 2}}, {5, 5, {2, 2}}, {4, 8, {4, 1}}, {3, 7, {16, 3}}};
    struct fault f = {0};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int h = cases[i].h, w = cases[i].w;
        float *z = latents(h, w), *got = pictures(h, w), *want = pictures(h, w);
        assert_int_equal(vae_decode_tiled(vae, z, FRAMES, h, w, cases[i].t, NULL, got, &f), ERR_OK);
        by_the_book(z, h, w, cases[i].t, want);
        for (int k = 0; k < PICTURES * 64 * h * w * 3; k++)
            assert_true(fabsf(got[k] - want[k]) <= 1e-6f * (1 + fabsf(want[k])));
        free(z);
        free(got);
        free(want);
    }
}

static void one_tile_is_the_whole(void **state)
{
    struct fault f = {0};
    float *z = latents(4, 6), *got = pictures(4, 6), *want = pictures(4, 6);
    (void)state;
    assert_int_equal(vae_decode_all(vae, z, FRAMES, 4, 6, 0, want, &f), ERR_OK);
    assert_int_equal(vae_decode_tiled(vae, z, FRAMES, 4, 6, (struct vae_tile){0}, NULL, got, &f),
                     ERR_OK);
    assert_memory_equal(got, want, PICTURES * 64 * 4 * 6 * 3 * sizeof *got);
    free(z);
    free(got);
    free(want);
}

/* A device that holds one tile's histories, not those of the whole. */
static void it_takes_less_memory(void **state)
{
    struct fault f = {0};
    struct device *own;
    struct vae *v = NULL;
    float *z = latents(16, 16), *out = pictures(16, 16);
    uint64_t peak[2];
    (void)state;
    for (int tiled = 0; tiled < 2; tiled++) {
        assert_int_equal(device_open(&(struct device_setup){"cpu", "f32", 0}, &own, &f), ERR_OK);
        assert_int_equal(vae_open(own, file, VAE_DECODER, NULL, &v, &f), ERR_OK);
        uint64_t before = device_used(own);
        if (tiled)
            assert_int_equal(
                vae_decode_tiled(v, z, FRAMES, 16, 16, (struct vae_tile){4, 3}, NULL, out, &f),
                ERR_OK);
        else
            assert_int_equal(vae_decode_all(v, z, FRAMES, 16, 16, 0, out, &f), ERR_OK);
        peak[tiled] = device_peak(own) - before;
        vae_free(v);
        device_close(own);
    }
    assert_true(peak[1] * 8 < peak[0]); /* a sixteenth of the area */
    free(z);
    free(out);
}

struct count {
    int asked, stop_at, tiles;
};

static bool stop(void *user)
{
    struct count *c = user;
    return ++c->asked == c->stop_at;
}

static void done(void *user, int tiles, int of)
{
    struct count *c = user;
    assert_int_equal(tiles, ++c->tiles);
    assert_int_equal(of, 6);
}

static void it_can_be_stopped_before_every_chunk(void **state)
{
    struct fault f = {0};
    float *z = latents(4, 6), *out = pictures(4, 6);
    uint64_t used = device_used(dev);
    (void)state;
    for (int at = 1; at <= 6 * FRAMES + 1; at++) {
        struct count c = {.stop_at = at};
        struct vae_tile_calls calls = {stop, done, &c};
        enum err e =
            vae_decode_tiled(vae, z, FRAMES, 4, 6, (struct vae_tile){3, 2}, &calls, out, &f);
        assert_int_equal(e, at > 6 * FRAMES ? ERR_OK : ERR_CANCELLED);
        assert_int_equal(device_used(dev), used);
    }
    free(z);
    free(out);
}

static void what_cannot_be_is_refused(void **state)
{
    struct fault f = {0};
    float z[1] = {0}, out[1];
    (void)state;
    assert_int_equal(vae_decode_tiled(vae, z, 1, 4, 4, (struct vae_tile){4, 5}, NULL, out, &f),
                     ERR_INVAL);
    assert_int_equal(vae_decode_tiled(vae, z, 1, 4, 4, (struct vae_tile){4, 0}, NULL, out, &f),
                     ERR_INVAL);
    assert_int_equal(vae_decode_tiled(vae, z, 0, 4, 4, (struct vae_tile){4, 4}, NULL, out, &f),
                     ERR_INVAL);
}

static int start(void **state)
{
    char path[1024];
    struct fault f = {0};
    const char *dir = getenv("srcdir");
    (void)state;
    snprintf(path, sizeof path, "%s/tests/wan/open/tiny_t2v/Wan2.1_VAE.safetensors",
             dir ? dir : ".");
    return weights_open(path, &file, &f) ||
           device_open(&(struct device_setup){"cpu", "f32", 0}, &dev, &f) ||
           vae_open(dev, file, VAE_DECODER, NULL, &vae, &f);
}

static int end(void **state)
{
    (void)state;
    vae_free(vae);
    weights_free(file);
    device_close(dev);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tiles_are_put_together_by_the_book),
        cmocka_unit_test(one_tile_is_the_whole),
        cmocka_unit_test(it_takes_less_memory),
        cmocka_unit_test(it_can_be_stopped_before_every_chunk),
        cmocka_unit_test(what_cannot_be_is_refused),
    };
    return cmocka_run_group_tests(tests, start, end);
}
