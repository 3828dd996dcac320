/* Fun-Control: what the model is shown against the sums written out plainly, a reference's tokens
 * against those of a frame, and clips made with it. No such model is published small enough: tests
 * make one (graft.h). */
#include "unit/wan/graft.h"
#include "unit/wan/home.h"

#include "wan/noise.h"
#include "wan/wan_inside.h"

#include <math.h>

#define H 16 /* pixels */
#define W 32
#define FRAMES 9
#define LATENTS 3
#define PLANE (H / 8 * (W / 8))
#define PIXELS (H * W)

static char plain[128], v11[128], camera[128];
static uint8_t video[FRAMES * PIXELS * 3], look[PIXELS * 3];

static void model_of(const char *kind, char *path)
{
    const char *src = getenv("srcdir");
    char from[1024], to[300];
    snprintf(path, 128, "%s/%s", dir, kind);
    tiny_beside(path);
    tiny_link(path, TINY_CLIP, "models_clip.safetensors");
    snprintf(from, sizeof from, "%s/tests/wan/" TINY_I2V, src ? src : "..");
    snprintf(to, sizeof to, "%s/dit.safetensors", path);
    if (!graft(from, to, kind))
        fail_msg("no model %s", kind);
}

/* ---- what it is shown ---- */

static void widen(const uint8_t *from, size_t n, float *to)
{
    for (size_t i = 0; i < n; i++)
        to[i] = (float)from[i] / 127.5f - 1;
}

/* [16, 1, plane] of a picture of the clip's own size */
static void latents_of(struct vae *vae, const uint8_t *picture, float *z)
{
    static float pixels[PIXELS * 3];
    widen(picture, PIXELS * 3, pixels);
    assert_int_equal(vae_encode_all(vae, pixels, 1, H / 8, W / 8, 0, false, z, &fault), ERR_OK);
}

static void the_channels_are_in_order(void **state)
{
    static const struct wan_calls silent;
    static float pixels[FRAMES * PIXELS * 3], z[VAE_Z * LATENTS * PLANE], first[VAE_Z * PLANE];
    struct wan_video control = {video, FRAMES, W, H};
    struct wan_picture start = {video, W, H}, reference = {look, W, H};
    struct wan *w = home_open(v11, "auto");
    struct vae *vae = NULL;
    (void)state;
    assert_int_equal(vae_open(w->dev, w->files.weights[FILES_VAE], VAE_ENCODER, NULL, &vae, &fault),
                     ERR_OK);
    for (int parts = 0; parts < 8; parts++) {
        struct run r = {.w = w,
                        .calls = &silent,
                        .f = &fault,
                        .frames = LATENTS,
                        .height = H / 8,
                        .width = W / 8,
                        .n = VAE_Z * LATENTS * PLANE};
        int whole = parts == 7 ? 2 : LATENTS; /* 7 pictures: two latent frames are whole */
        control.frames = parts == 7 ? 7 : FRAMES;
        r.job.control = parts & 1 ? &control : NULL;
        r.job.image = parts & 2 ? &start : NULL;
        r.job.reference = parts & 4 ? &reference : NULL;
        r.job.reference_n = parts & 4 ? 1 : 0;
        if (condition_make(&r))
            fail_msg("%s", fault_text(&fault));
        widen(video, sizeof video, pixels);
        assert_int_equal(vae_encode_all(vae, pixels, LATENTS, H / 8, W / 8, 0, false, z, &fault),
                         ERR_OK);
        latents_of(vae, video, first);
        for (int c = 0; c < 2 * VAE_Z; c++)
            for (int t = 0; t < LATENTS; t++)
                for (int i = 0; i < PLANE; i++) {
                    float want = 0;
                    if (c < VAE_Z && parts & 1 && t < whole)
                        want = z[(c * LATENTS + t) * PLANE + i];
                    if (c >= VAE_Z && parts & 2 && t == 0)
                        want = first[(c - VAE_Z) * PLANE + i];
                    assert_true(r.y[(c * LATENTS + t) * PLANE + i] == want);
                }
        assert_true((r.ref != NULL) == ((parts & 4) != 0));
        if (r.ref) {
            latents_of(vae, look, first);
            assert_memory_equal(r.ref, first, sizeof first);
        }
        bool shown = parts & 6; /* by CLIP; else it is shown nothing */
        assert_int_equal(r.clip_n, shown ? 17 : 1);
        float sum = 0;
        for (int64_t i = 0; i < r.clip_n * w->config.image_dim; i++)
            sum += fabsf(r.clip[i]);
        assert_true((sum > 0) == shown);
        free(r.y);
        free(r.ref);
        free(r.clip);
    }
    vae_free(vae);
    wan_free(w);
}

/* ---- a reference's tokens ---- */

/* Where ref_conv is the part of the patch embedding that sees the first 16 channels, a reference
 * is nothing but a first frame with no condition: the rest must come out as it would beside one. */
static void a_reference_is_a_first_frame(void **state)
{
    enum { F = 2, N = 16 * (F + 1) * PLANE };
    static float x[N], y[2 * N], tail[16 * F * PLANE], tail_y[32 * F * PLANE], out[N],
        have[16 * F * PLANE], context[5 * 64], clip[80];
    char path[200];
    struct weights *net = NULL;
    struct device *dev = NULL;
    struct dit *dit = NULL;
    struct dit_prompt *prompt = NULL;
    struct noise g;
    (void)state;
    snprintf(path, sizeof path, "%s/dit.safetensors", plain);
    assert_int_equal(weights_open(path, &net, &fault), ERR_OK);
    struct wtensor ref = *weights_find(net, "patch_embedding.weight"),
                   bias = *weights_find(net, "patch_embedding.bias");
    ref.name = (char *)(uintptr_t) "ref_conv.weight";
    bias.name = (char *)(uintptr_t) "ref_conv.bias";
    ref.rank = 4;
    ref.count = 128 * 64;
    memcpy(ref.dim, (int64_t[]){128, 16, 2, 2}, 4 * sizeof *ref.dim);
    memcpy(ref.stride, (int64_t[]){192, 4, 2, 1}, 4 * sizeof *ref.stride);
    ref.strided = true;
    assert_int_equal(weights_add(net, &ref, &fault), ERR_OK);
    assert_int_equal(weights_add(net, &bias, &fault), ERR_OK);
    assert_int_equal(weights_done(net, &fault), ERR_OK);
    assert_int_equal(device_open(&(struct device_setup){"cpu", "f32", 0}, &dev, &fault), ERR_OK);
    if (dit_open(dev, net, NULL, DIT_RESIDENT, NULL, &dit, &fault))
        fail_msg("%s", fault_text(&fault));
    noise_seed(&g, 3);
    noise_normal(&g, x, N, 1);
    noise_normal(&g, y, 2 * N, 1);
    noise_normal(&g, context, 5 * 64, 1);
    for (int c = 0; c < 32; c++) /* of the first frame: none */
        memset(y + c * (F + 1) * PLANE, 0, PLANE * sizeof *y);
    for (int c = 0; c < 32; c++) {
        size_t n = F * PLANE * sizeof *x;
        if (c < 16)
            memcpy(tail + c * F * PLANE, x + (c * (F + 1) + 1) * PLANE, n);
        memcpy(tail_y + c * F * PLANE, y + (c * (F + 1) + 1) * PLANE, n);
    }
    float first[16 * PLANE];
    for (int c = 0; c < 16; c++)
        memcpy(first + c * PLANE, x + c * (F + 1) * PLANE, PLANE * sizeof *x);
    struct dit_prompt_spec spec = {.context = context, .n = 5, .clip = clip, .clip_n = 1};
    assert_int_equal(dit_config(dit)->text_dim, 64);
    assert_int_equal(dit_prompt_new(dit, &spec, &prompt, &fault), ERR_OK);
    struct dit_input in = {.x = x,
                           .y = y,
                           .frames = F + 1,
                           .height = H / 8,
                           .width = W / 8,
                           .t = 700,
                           .prompt = prompt};
    assert_int_equal(dit_forward(dit, &in, out, &fault), ERR_OK);
    in.x = tail;
    in.y = tail_y;
    in.ref = first;
    in.frames = F;
    assert_int_equal(dit_forward(dit, &in, have, &fault), ERR_OK);
    double worst = 0, size = 0;
    for (int c = 0; c < 16; c++)
        for (int i = 0; i < F * PLANE; i++) {
            double want = out[(c * (F + 1) + 1) * PLANE + i];
            worst = fmax(worst, fabs(have[c * F * PLANE + i] - want));
            size = fmax(size, fabs(want));
        }
    if (!(worst < 1e-5 * size)) /* sums of 192 products and of 64 of them, in f32 */
        fail_msg("%g off, of up to %g", worst, size);
    in.ref = NULL; /* and it does count */
    assert_int_equal(dit_forward(dit, &in, have, &fault), ERR_OK);
    worst = 0;
    for (int c = 0; c < 16; c++)
        for (int i = 0; i < F * PLANE; i++)
            worst = fmax(
                worst, fabs(have[c * F * PLANE + i] - (double)out[(c * (F + 1) + 1) * PLANE + i]));
    assert_true(worst > 1e-3 * size);
    dit_prompt_free(prompt);
    dit_free(dit);
    weights_free(net);
    device_close(dev);
}

/* ---- clips ---- */

static void every_part_counts(void **state)
{
    struct wan_video control = {video, FRAMES, W, H};
    struct wan_picture start = {video, 2 * W, H / 2}, reference = {look, W / 2, H};
    uint64_t hash[8];
    (void)state;
    for (int parts = 0; parts < 8; parts++) {
        struct wan_job job = home_job_of(W, H, FRAMES);
        job.control = parts & 1 ? &control : NULL;
        job.image = parts & 2 ? &start : NULL;
        job.reference = parts & 4 ? &reference : NULL;
        job.reference_n = parts & 4 ? 1 : 0;
        hash[parts] = home_previewed(&job);
        for (int k = 0; k < parts; k++)
            assert_true(hash[k] != hash[parts]);
    }
}

static void it_goes_on_and_it_stops(void **state)
{
    struct wan_video control = {video, FRAMES, W, H};
    struct wan_picture start = {video, W, H}, reference = {look, W, H};
    struct wan_job job = home_job_of(W, H, FRAMES);
    struct wan_made made, other;
    (void)state;
    job.control = &control;
    job.image = &start;
    job.reference = &reference;
    job.reference_n = 1;
    uint64_t want = home_previewed(&job);
    int asked = seen.asked;
    for (int at = 1; at <= asked; at += 3)
        assert_int_equal(seen_make(&job, NULL, (struct seen){.stop_at = at}), ERR_CANCELLED);
    job.checkpoint_dir = keep;
    assert_int_equal(seen_make(&job, &made, (struct seen){.stop_previews = 2}), ERR_CANCELLED);
    look[7] ^= 0xff;
    assert_int_equal(seen_make(&job, &other, (struct seen){0}), ERR_OK);
    assert_int_equal(other.resumed, 0);
    unlink(other.checkpoint);
    look[7] ^= 0xff;
    video[sizeof video - 1] ^= 0xff;
    assert_int_equal(seen_make(&job, &other, (struct seen){0}), ERR_OK);
    assert_int_equal(other.resumed, 0);
    unlink(other.checkpoint);
    video[sizeof video - 1] ^= 0xff;
    assert_int_equal(seen_make(&job, &made, (struct seen){0}), ERR_OK);
    assert_int_equal(made.resumed, 2);
    assert_true(seen.hash == want);
    unlink(made.checkpoint);
}

static void what_does_not_fit_is_refused(void **state)
{
    struct wan_video control = {video, FRAMES, H, W};
    struct wan_picture reference[2] = {{look, W, H}, {look, W, H}};
    struct wan_job job = home_job_of(W, H, FRAMES);
    struct wan *with = wan;
    (void)state;
    job.control = &control;
    seen_refused(&job, ERR_INVAL, "the control video is 16 x 32");
    control = (struct wan_video){video, FRAMES + 1, W, H};
    seen_refused(&job, ERR_INVAL, "1 to 9");
    job.control = NULL;
    job.reference = reference;
    job.reference_n = 2;
    seen_refused(&job, ERR_INVAL, "use up to 1");
    job.reference_n = 0;
    job.last = reference;
    seen_refused(&job, ERR_INVAL, "no last picture");
    job = home_job_of(W, H, FRAMES);
    job.source = &control;
    seen_refused(&job, ERR_INVAL, "takes no source");
    wan = home_open(plain, "auto");
    assert_true(wan_info(wan)->control && !wan_info(wan)->reference);
    assert_string_equal(wan_info(wan)->variant, "fun-control width 128");
    job = home_job_of(W, H, FRAMES);
    job.reference = reference;
    job.reference_n = 1;
    seen_refused(&job, ERR_INVAL, "V1.1");
    wan_free(wan);
    wan = home_open(camera, "auto");
    assert_int_equal(wan_ready(wan, &fault), ERR_UNSUPPORTED);
    assert_non_null(strstr(fault_text(&fault), "control_adapter"));
    wan_free(wan);
    wan = with;
}

/* Without a picture nothing is looked at: it runs without the CLIP model, and says when not. */
static void without_clip(void **state)
{
    struct wan_video control = {video, FRAMES, W, H};
    struct wan_picture start = {video, W, H};
    struct wan_job job = home_job_of(W, H, FRAMES);
    struct wan *with = wan;
    char path[300];
    (void)state;
    job.control = &control;
    uint64_t want = home_previewed(&job);
    snprintf(path, sizeof path, "%s/models_clip.safetensors", v11);
    assert_int_equal(unlink(path), 0);
    wan = home_open(v11, "auto");
    assert_int_equal(wan_ready(wan, &fault), ERR_OK);
    assert_true(home_previewed(&job) == want);
    job.image = &start;
    assert_int_equal(seen_make(&job, NULL, (struct seen){0}), ERR_NOTFOUND);
    assert_non_null(strstr(fault_text(&fault), "CLIP"));
    wan_free(wan);
    wan = with;
}

static int set_up(void **state)
{
    uint32_t seed = 3;
    (void)state;
    for (size_t i = 0; i < sizeof video; i++)
        video[i] = (uint8_t)((seed = seed * 1664525u + 1013904223u) >> 24);
    for (size_t i = 0; i < sizeof look; i++)
        look[i] = (uint8_t)((seed = seed * 1664525u + 1013904223u) >> 24);
    if (!home_make())
        return 1;
    model_of("control", plain);
    model_of("control-ref", v11);
    model_of("camera", camera);
    wan = home_open(v11, "auto");
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_channels_are_in_order),
        cmocka_unit_test(a_reference_is_a_first_frame),
        cmocka_unit_test(every_part_counts),
        cmocka_unit_test(it_goes_on_and_it_stops),
        cmocka_unit_test(what_does_not_fit_is_refused),
        cmocka_unit_test(without_clip),
    };
    return cmocka_run_group_tests(tests, set_up, home_tear_down);
}
