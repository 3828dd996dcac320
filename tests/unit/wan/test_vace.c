/* The context of a VACE model against the sums written out plainly, and clips made with it. */
#include "unit/wan/home.h"

#include "wan/vace.h"
#include "wan/wan.h"

#include <math.h>

#define H 16 /* pixels */
#define W 32
#define FRAMES 9 /* pictures, of three latent frames */
#define LATENTS 3
#define CH (H / 8)
#define CW (W / 8)
#define PLANE (CH * CW)
#define PIXELS (H * W)

static struct device *dev;
static struct weights *net;
static struct vae *vae;

static uint8_t source[FRAMES * PIXELS * 3], mask[FRAMES * PIXELS];

static void fill(void)
{
    uint32_t seed = 3;
    for (size_t i = 0; i < sizeof source; i++) {
        seed = seed * 1664525u + 1013904223u;
        source[i] = (uint8_t)(seed >> 24);
    }
    for (size_t i = 0; i < sizeof mask; i++) {
        seed = seed * 1664525u + 1013904223u;
        mask[i] = (uint8_t)(seed >> 24); /* also grey ones, on both sides of the middle */
    }
}

static float *context(const struct vace_source *s)
{
    float *out =
        malloc(sizeof *out * VACE_IN * (size_t)(s->reference_n + s->frames) * (size_t)PLANE);
    if (vace_context(vae, s, out, &fault))
        fail_msg("%s", fault_text(&fault));
    return out;
}

/* Frames [from, from + n) of a channel of [.., all, plane]. */
static const float *part(const float *z, int channel, int all, int from)
{
    return z + ((int64_t)channel * all + from) * PLANE;
}

/* frames·(1 − mask) and frames·mask as whole videos, and the mask as torch's view, permute,
 * reshape and nearest-exact would have it. `video_n` pictures are given, the rest is grey. */
static void check_context(int video_n, int mask_n, int references)
{
    static float both[2][FRAMES * PIXELS * 3], z[VAE_Z * LATENTS * PLANE], one[VAE_Z * PLANE];
    static float looks[WAN_REFERENCES_MAX][PIXELS * 3];
    static const int shown[LATENTS] = {1, 4, 7}; /* ⌊(t + 1/2)·9/3⌋ */
    int all = references + LATENTS;
    struct image ref[WAN_REFERENCES_MAX];
    for (int r = 0; r < references; r++) {
        for (int i = 0; i < PIXELS * 3; i++)
            looks[r][i] = sinf((float)(i * (r + 1)));
        ref[r] = (struct image){looks[r], H, W};
    }
    struct vace_source s = {.video = source,
                            .video_n = video_n,
                            .mask = mask_n ? mask : NULL,
                            .mask_n = mask_n,
                            .reference = ref,
                            .reference_n = references,
                            .frames = LATENTS,
                            .height = CH,
                            .width = CW};
    float *have = context(&s);
    for (int f = 0; f < FRAMES; f++)
        for (int p = 0; p < PIXELS; p++)
            for (int c = 0; c < 3; c++) {
                int at = (f * PIXELS + p) * 3 + c;
                double m = f < video_n && mask_n
                               ? mask[(mask_n == 1 ? 0 : f) * PIXELS + p] / 255.0 > 0.5
                               : 1;
                float v = f < video_n ? (float)source[at] / 127.5f - 1 : 0;
                both[0][at] = v * (float)(1 - m);
                both[1][at] = v * (float)m;
            }
    for (int k = 0; k < 2; k++) {
        assert_int_equal(vae_encode_all(vae, both[k], LATENTS, CH, CW, 0, false, z, &fault),
                         ERR_OK);
        for (int c = 0; c < VAE_Z; c++)
            assert_memory_equal(part(have, k * VAE_Z + c, all, references), part(z, c, LATENTS, 0),
                                LATENTS * PLANE * sizeof *z);
    }
    for (int r = 0; r < references; r++) {
        static const float none[PLANE];
        assert_int_equal(vae_encode_all(vae, looks[r], 1, CH, CW, 0, false, one, &fault), ERR_OK);
        for (int c = 0; c < VAE_Z; c++) {
            assert_memory_equal(part(have, c, all, r), one + c * PLANE, PLANE * sizeof *one);
            assert_memory_equal(part(have, VAE_Z + c, all, r), none, sizeof none);
        }
        for (int c = 2 * VAE_Z; c < VACE_IN; c++)
            assert_memory_equal(part(have, c, all, r), none, sizeof none);
    }
    for (int py = 0; py < 8; py++)
        for (int px = 0; px < 8; px++)
            for (int t = 0; t < LATENTS; t++)
                for (int y = 0; y < CH; y++)
                    for (int x = 0; x < CW; x++) {
                        int f = shown[t];
                        int at = (mask_n == 1 ? 0 : f) * PIXELS + (y * 8 + py) * W + x * 8 + px;
                        float want = f >= video_n || !mask_n || mask[at] > 127;
                        float got =
                            part(have, 2 * VAE_Z + py * 8 + px, all, references + t)[y * CW + x];
                        assert_true(got == want);
                    }
    free(have);
}

static void it_is_the_plain_sum(void **state)
{
    (void)state;
    check_context(FRAMES, FRAMES, 0);
    check_context(FRAMES, FRAMES, 2);
    check_context(FRAMES, 1, 1);
    check_context(FRAMES, 0, 0);
    check_context(4, 4, 0); /* it ends within a latent frame */
    check_context(0, 0, 1);
}

/* 81 pictures of 21 latent frames: the places that torch 2.x gives. */
static void masks_in_time(void **state)
{
    enum { N = 81, T = 21 };
    static const int places[T] = {1,  5,  9,  13, 17, 21, 25, 28, 32, 36, 40,
                                  44, 48, 52, 55, 59, 63, 67, 71, 75, 79};
    static uint8_t video[N * 256 * 3], when[N * 256];
    float *out = malloc(sizeof *out * VACE_IN * T * 4);
    (void)state;
    for (int shown = 0; shown < N; shown += 3) { /* one picture alone is white */
        memset(when, 0, sizeof when);
        memset(when + shown * 256, 255, 256);
        struct vace_source s = {.video = video,
                                .video_n = N,
                                .mask = when,
                                .mask_n = N,
                                .frames = T,
                                .height = 2,
                                .width = 2};
        assert_int_equal(vace_context(vae, &s, out, &fault), ERR_OK);
        for (int t = 0; t < T; t++)
            for (int c = 2 * VAE_Z; c < VACE_IN; c++)
                for (int i = 0; i < 4; i++)
                    assert_true(out[(c * T + t) * 4 + i] == (places[t] == shown));
    }
    free(out);
}

/* A picture keeps its shape, in the middle of white. */
static void references_lie_on_white(void **state)
{
    static const float two[2 * 4 * 3] = {-1, -1, -1, 0, 0, 0, -1, -1, -1, 0, 0, 0,
                                         0,  0,  0,  1, 1, 1, 0,  0,  0,  1, 1, 1};
    struct image from = {two, 2, 4};
    float out[8 * 8 * 3];
    (void)state;
    assert_int_equal(vace_reference(&from, 8, 8, out, &fault), ERR_OK);
    for (int y = 0; y < 8; y++)
        for (int x = 0; x < 8; x++) {
            float got = out[(y * 8 + x) * 3 + 1], want = 1;
            if (y >= 2 && y < 6) { /* 4 x 8, twice as large: weights of 1/4 and 3/4 */
                double v = (y - 2 + 0.5) / 2 - 0.5, u = (x + 0.5) / 2 - 0.5;
                v = v < 0 ? 0 : v > 1 ? 1 : v;
                u = u < 0 ? 0 : u > 3 ? 3 : u;
                int l = (int)u;
                double a = l % 2, b = l + 1 > 3 ? a : (l + 1) % 2; /* −1 0 −1 0, 0 1 0 1 */
                want = (float)(-1 + v + a + (u - l) * (b - a));
            }
            if (fabsf(got - want) > 1e-6f)
                fail_msg("row %d column %d: %g, not %g", y, x, (double)got, (double)want);
        }
    struct image same = {out, 8, 8};
    float again[8 * 8 * 3];
    assert_int_equal(vace_reference(&same, 8, 8, again, &fault), ERR_OK);
    assert_memory_equal(again, out, sizeof out);
}

/* ---- clips ---- */

static void every_part_counts(void **state)
{
    struct wan_video video = {source, FRAMES, W, H};
    struct wan_mask some = {mask, FRAMES, W, H};
    static uint8_t white[PIXELS], small[20 * 30 * 3];
    struct wan_mask all = {white, 1, W, H};
    struct wan_picture look[2] = {{small, 30, 20}, {source, W, H}};
    struct wan_job job = home_job_of(W, H, FRAMES);
    uint64_t hash[7];
    (void)state;
    memset(white, 255, sizeof white);
    hash[0] = home_previewed(&job);
    job.source = &video;
    hash[1] = home_previewed(&job);
    job.mask = &all;
    assert_true(home_previewed(&job) == hash[1]); /* as good as none */
    job.mask = &some;
    hash[2] = home_previewed(&job);
    job.reference = look;
    job.reference_n = 1;
    hash[3] = home_previewed(&job);
    job.reference_n = 2;
    hash[4] = home_previewed(&job);
    job.tile = 64; /* one tile is the whole picture */
    assert_true(home_previewed(&job) == hash[4]);
    job.tile = 0;
    job.source = NULL;
    job.mask = NULL;
    hash[5] = home_previewed(&job);
    job = home_job_of(W, H, FRAMES);
    job.source = &video;
    video.frames = 5;
    hash[6] = home_previewed(&job);
    for (int i = 0; i < 7; i++)
        for (int k = 0; k < i; k++)
            assert_true(hash[i] != hash[k]);
}

static void it_goes_on_and_it_stops(void **state)
{
    struct wan_video video = {source, FRAMES, W, H};
    struct wan_mask some = {mask, FRAMES, W, H};
    struct wan_picture look = {source, W, H};
    struct wan_job job = home_job_of(W, H, FRAMES);
    struct wan_made made, other;
    (void)state;
    job.source = &video;
    job.mask = &some;
    job.reference = &look;
    job.reference_n = 1;
    uint64_t want = home_previewed(&job);
    int asked = seen.asked;
    for (int at = 1; at <= asked; at += 3)
        assert_int_equal(seen_make(&job, NULL, (struct seen){.stop_at = at}), ERR_CANCELLED);
    job.checkpoint_dir = keep;
    for (int step = 1; step <= 3; step++) {
        assert_int_equal(seen_make(&job, &made, (struct seen){.stop_previews = step}),
                         ERR_CANCELLED);
        assert_int_equal(seen_make(&job, &made, (struct seen){0}), ERR_OK);
        assert_int_equal(made.resumed, step);
        assert_true(seen.hash == want);
        assert_int_equal(unlink(made.checkpoint), 0);
    }
    /* another source, mask or reference is another job */
    assert_int_equal(seen_make(&job, &made, (struct seen){.stop_previews = 2}), ERR_CANCELLED);
    for (int k = 0; k < 2; k++) {
        uint8_t *bit = k ? &mask[77] : &source[5];
        *bit ^= 0xff;
        assert_int_equal(seen_make(&job, &other, (struct seen){0}), ERR_OK);
        assert_int_equal(other.resumed, 0);
        unlink(other.checkpoint);
        *bit ^= 0xff;
    }
    unlink(made.checkpoint);
}

static void what_does_not_fit_is_refused(void **state)
{
    struct wan_video video = {source, FRAMES, W, H};
    struct wan_mask some = {mask, FRAMES, W, H};
    struct wan_picture look[WAN_REFERENCES_MAX + 1] = {{source, 0, 5}};
    struct wan_job job = home_job_of(W, H, FRAMES);
    (void)state;
    job.mask = &some;
    seen_refused(&job, ERR_INVAL, "a mask needs a source");
    job.source = &video;
    some.frames = 5;
    seen_refused(&job, ERR_INVAL, "the mask has 5 frames, the source 9");
    some.frames = FRAMES;
    some.width = 40;
    seen_refused(&job, ERR_INVAL, "the mask is 40 x 16, the clip 32 x 16");
    job.mask = NULL;
    video.frames = 10;
    seen_refused(&job, ERR_INVAL, "the source has 10 frames; 1 to 9");
    video.frames = 0;
    seen_refused(&job, ERR_INVAL, "the source has 0 frames");
    video = (struct wan_video){source, FRAMES, H, W};
    seen_refused(&job, ERR_INVAL, "they must agree");
    job.source = NULL;
    job.reference = look;
    job.reference_n = 1;
    seen_refused(&job, ERR_INVAL, "0 x 5");
    job.reference_n = WAN_REFERENCES_MAX + 1;
    seen_refused(&job, ERR_INVAL, "use up to 8");
    job.reference_n = 0;
    job.image = look;
    seen_refused(&job, ERR_INVAL, "takes references");
    char t2v[200];
    struct wan *vace = wan;
    snprintf(t2v, sizeof t2v, "%s/t2v", dir);
    tiny_t2v(t2v);
    assert_int_equal(wan_open(&(struct wan_setup){.model = t2v}, &wan, &fault), ERR_OK);
    job = home_job_of(W, H, FRAMES);
    video = (struct wan_video){source, FRAMES, W, H};
    job.source = &video;
    seen_refused(&job, ERR_INVAL, "a vace model does");
    job.source = NULL;
    job.reference_n = 1;
    seen_refused(&job, ERR_INVAL, "takes no references");
    wan_free(wan);
    wan = vace;
}

static int set_up(void **state)
{
    const char *src = getenv("srcdir");
    char path[1024];
    (void)state;
    fill();
    if (!home_make())
        return 1;
    tiny_vace(model);
    wan = home_open(model, "auto");
    snprintf(path, sizeof path, "%s/tests/wan/%s", src ? src : "..", TINY_VAE);
    return device_open(&(struct device_setup){"cpu", "f32", 0}, &dev, &fault) ||
           weights_open(path, &net, &fault) || vae_open(dev, net, VAE_ENCODER, NULL, &vae, &fault);
}

static int tear_down(void **state)
{
    vae_free(vae);
    weights_free(net);
    device_close(dev);
    return home_tear_down(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_the_plain_sum),     cmocka_unit_test(masks_in_time),
        cmocka_unit_test(references_lie_on_white), cmocka_unit_test(every_part_counts),
        cmocka_unit_test(it_goes_on_and_it_stops), cmocka_unit_test(what_does_not_fit_is_refused),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
