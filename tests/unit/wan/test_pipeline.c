/* wan_make() on the tiny checkpoint: the same frames whatever the pieces, what each parameter
 * counts for, what is refused, and stops within one block. */
#include "unit/wan/home.h"

#include "tensor/backend.h"
#include "wan/tokenizer.h"
#include "wan/wan_inside.h"

#include <math.h>

enum { W = HOME_SIZE, H = HOME_SIZE, FRAMES = HOME_FRAMES, STEPS = HOME_STEPS };

static void test_info(void **state)
{
    const struct wan_info *i = wan_info(wan);
    (void)state;
    assert_string_equal(i->variant, "t2v width 256");
    assert_string_equal(i->transformer, "diffusion_pytorch_model.safetensors");
    assert_string_equal(i->text_encoder, "models_t5_umt5-xxl-enc-bf16.pth");
    assert_string_equal(i->vae, "Wan2.1_VAE.pth");
    assert_string_equal(i->tokenizer, "google/umt5-xxl/spiece.model");
    assert_string_equal(i->tokens_by, tokenizer_file_words("spiece.model"));
    assert_string_equal(i->stored, "BF16");
    assert_int_equal(i->layers, 3);
    assert_int_equal(i->vocabulary, 512);
    assert_false(i->image || i->vace || i->last_image);
    assert_true(i->resident);
}

static void test_clip(void **state)
{
    struct wan_job job = home_job(NULL);
    struct wan_made made;
    (void)state;
    uint64_t hash = seen_all(&job, &made, (struct seen){0});
    assert_int_equal(seen.chunks, 3); /* block by block: 1 + 4 + 4 */
    assert_int_equal(seen.previews, STEPS);
    assert_int_equal(seen.preview_frames, (FRAMES + 3) / 4);
    assert_int_equal(seen.preview_width, W / 8);
    assert_int_equal(seen.preview_height, H / 8);
    assert_int_equal(seen.stages,
                     1u << WAN_LOAD | 1u << WAN_TEXT | 1u << WAN_SAMPLE | 1u << WAN_DECODE);
    assert_true(seen.overall > 0.99);
    assert_true(made.tokens > 3);
    assert_string_equal(made.job.sampler, "unipc");
    assert_int_equal(seen_whole(&job), hash);
    job.chunk = 2;
    assert_int_equal(seen_whole(&job), hash);
    job.seed = 8;
    assert_int_not_equal(seen_whole(&job), hash);
    job.seed = 7;
    job.prompt = "a cat over neon roofs";
    assert_int_not_equal(seen_whole(&job), hash);
}

static void test_parameters_count(void **state)
{
    struct wan_job base = home_job("euler"), job = base;
    uint64_t hash = seen_whole(&base);
    (void)state;
    job.guidance = 1;
    uint64_t unguided = seen_whole(&job);
    assert_int_not_equal(unguided, hash);
    job = base;
    job.guide_to = 0.5;
    assert_int_not_equal(seen_whole(&job), hash);
    job = base;
    job.guide_from = 0.99;
    job.guide_to = 1;
    assert_int_equal(seen_whole(&job), unguided); /* no step begins so late */
    job = base;
    job.zero_star = true;
    uint64_t star = seen_whole(&job);
    assert_int_not_equal(star, hash);
    job.zero_init = 1; /* the first step changes nothing, and needs no pass */
    assert_int_not_equal(seen_whole(&job), star);
    job.teacache = 0.1;
    assert_int_equal(seen_make(&job, NULL, (struct seen){0}), ERR_INVAL);
    job = base;
    job.shift = 3;
    assert_int_not_equal(seen_whole(&job), hash);
    job = base;
    job.simple = true;
    uint64_t simple = seen_whole(&job);
    const double sigmas[STEPS] = {1, 0.9375, 5 * 0.5 / 3, 0.625};
    job = base;
    job.sigmas = sigmas;
    assert_int_equal(seen_whole(&job), hash); /* shift 5 in four steps, as a list */
    assert_int_equal(simple, hash);           /* and ComfyUI's table at shift 5 */
    job = base;
    job.negative = "";
    assert_int_not_equal(seen_whole(&job), hash);
}

static void test_refused(void **state)
{
    static const struct {
        int width, height, frames, steps;
        double guidance;
        const char *sampler, *words;
    } bad[] = {
        {70, 0, 0, 0, 0, NULL, "multiples of 16"},    {0, 8, 0, 0, 0, NULL, "multiples of 16"},
        {4096, 0, 0, 0, 0, NULL, "multiples of 16"},  {0, 0, 8, 0, 0, NULL, "8 frames"},
        {0, 0, 5000, 0, 0, NULL, "5000 frames"},      {0, 0, 0, 5000, 0, NULL, "5000 steps"},
        {0, 0, 0, -1, 0, NULL, "-1 steps"},           {0, 0, 0, 0, 1e9, NULL, "guidance"},
        {0, 0, 0, 0, 0, "magic", "no sampler magic"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct wan_job job = home_job(bad[i].sampler);
        job.width = bad[i].width ? bad[i].width : W;
        job.height = bad[i].height ? bad[i].height : H;
        job.frames = bad[i].frames ? bad[i].frames : FRAMES;
        job.steps = bad[i].steps ? bad[i].steps : STEPS;
        job.guidance = bad[i].guidance;
        seen_refused(&job, ERR_INVAL, bad[i].words);
        assert_int_equal(wan_job_complete(wan, &job, &fault), ERR_INVAL); /* which says the same */
        assert_non_null(strstr(fault_text(&fault), bad[i].words));
    }
    struct wan_job job = home_job(NULL);
    const uint8_t grey[3] = {9, 9, 9};
    struct wan_picture picture = {grey, 1, 1};
    job.image = &picture;
    seen_refused(&job, ERR_INVAL, "takes no picture");
    job = home_job(NULL);
    job.prompt = NULL;
    seen_refused(&job, ERR_INVAL, "needs a prompt");
}

/* Both numbers are told, before anything is loaded; less than half of the memory: block by block,
 * with the same frames. */
static void test_memory(void **state)
{
    struct wan_setup setup = {
        .model = model, .device = "cpu", .dtype = "f32", .memory = (uint64_t)20 << 20};
    struct wan_job job = home_job("euler");
    struct wan *first = wan;
    uint64_t hash = seen_whole(&job);
    (void)state;
    assert_int_equal(wan_open(&setup, &wan, &fault), ERR_OK);
    assert_false(wan_info(wan)->resident);
    assert_int_equal(seen_whole(&job), hash);
    job.width = 1280;
    job.height = 720;
    seen_refused(&job, ERR_NOMEM, "there are 20 MB");
    wan_free(wan);
    wan = first;
}

/* At every single place where it asks, with texts that were not encoded yet. */
static void test_stops_at_once(void **state)
{
    struct wan_job job = home_job("euler");
    char prompt[32] = "stop at 0", negative[32] = "not at 0";
    (void)state;
    job.steps = 2;
    job.prompt = "a text that nobody knows";
    seen_whole(&job); /* from here on all is loaded */
    job.prompt = prompt;
    job.negative = negative;
    seen_whole(&job);
    int asked = seen.asked;
    assert_true(asked > 2 * 3 + 2 * 2 * 3); /* texts, layers; steps, guidance, blocks */
    for (int at = 1; at <= asked; at++) {
        snprintf(prompt, sizeof prompt, "stop at %d", at);
        snprintf(negative, sizeof negative, "not at %d", at);
        assert_int_equal(seen_make(&job, NULL, (struct seen){.stop_at = at}), ERR_CANCELLED);
        assert_int_equal(seen.asked, at);
        assert_false(seen.late);
    }
}

/* What was encoded lately is not encoded again, and what was not is. */
static void test_prompts_are_kept(void **state)
{
    struct wan_job job = home_job("euler");
    char other[32];
    (void)state;
    seen_whole(&job); /* with the negative one */
    job.prompt = "a text of its own";
    uint64_t hash = seen_whole(&job);
    int first = seen.asked;
    assert_true(seen_whole(&job) == hash);
    int again = seen.asked;
    assert_true(again < first);
    job.steps = 1;
    for (int i = 0; i < 20; i++) {
        snprintf(other, sizeof other, "another text %d", i);
        job.prompt = other;
        seen_whole(&job);
    }
    job.steps = STEPS;
    job.prompt = "a text of its own";
    assert_true(seen_whole(&job) == hash);
    assert_int_equal(seen.asked, first);
}

/* A warm model draws the same; what is missing is told at once. */
static void test_warm(void **state)
{
    struct wan_setup setup = {.model = model, .device = "cpu", .dtype = "f32"};
    struct wan *first = wan, *w;
    struct wan_job job = home_job("euler");
    char other[300];
    (void)state;
    uint64_t hash = seen_whole(&job);
    assert_int_equal(wan_open(&setup, &w, &fault), ERR_OK);
    assert_int_equal(wan_warm(w, &fault), ERR_OK);
    assert_int_equal(wan_warm(w, &fault), ERR_OK); /* there is nothing left to do */
    wan = w;
    assert_true(seen_whole(&job) == hash);
    wan_free(w);
    wan = first;
    snprintf(other, sizeof other, "%.200s/words-only", keep);
    mkdir(other, 0700);
    tiny_link(other, TINY_DIT, "dit.safetensors");
    tiny_link(other, TINY_T5, "t5.safetensors");
    tiny_link(other, TINY_VAE, "vae.safetensors");
    setup.model = other;
    assert_int_equal(wan_open(&setup, &w, &fault), ERR_OK);
    assert_int_equal(wan_warm(w, &fault), ERR_NOTFOUND);
    assert_non_null(strstr(fault_text(&fault), "spiece.model"));
    wan_free(w);
    tiny_remove(other);
}

static const struct device_ops *own_ops;

static void sent(struct parcel *p, const struct tensor *x, float scale, float shift)
{
    seen_add(seen.order, sizeof seen.order, "s");
    own_ops->parcel_send(p, x, scale, shift);
}

/* A device that works by itself, as far as the decoder can tell, has the next pictures on their way
 * before it hands over those it has: the same ones, in the same order, and it stops as soon. */
static void test_decodes_ahead(void **state)
{
    struct wan_job job = home_job("euler");
    struct device_ops ops = *wan->dev->ops;
    job.chunk = 1;
    uint64_t whole = seen_whole(&job);
    assert_string_equal(seen.order, "fff");
    own_ops = wan->dev->ops;
    ops.parcel_send = sent;
    wan->dev->ops = &ops;
    assert_true(seen_whole(&job) == whole);
    assert_string_equal(seen.order, "sfsfsf");
    wan->dev->caps.host_memory = false;
    assert_true(seen_whole(&job) == whole);
    assert_string_equal(seen.order, "ssfsff");
    job.chunk = 2;
    assert_true(seen_whole(&job) == whole);
    assert_string_equal(seen.order, "ssff");
    test_stops_at_once(state);
    wan->dev->caps.host_memory = true;
    wan->dev->ops = own_ops;
}

/* Tiles that cover the picture change nothing; smaller ones change little. */
static void test_tiles(void **state)
{
    struct wan_job job = home_job("euler");
    (void)state;
    uint64_t whole = seen_whole(&job);
    job.tile = 64;
    assert_true(seen_whole(&job) == whole);
    job.width = 128;
    uint64_t wide = seen_whole(&job);
    assert_int_equal(seen.chunks, 1);
    job.tile = 0;
    assert_true(seen_whole(&job) != wide);
    job.tile = 50;
    assert_int_equal(seen_make(&job, NULL, (struct seen){0}), ERR_INVAL);
}

/* NV12 is what RGB says, but for what RGB was rounded by: of luma no more than half a byte's worth
 * and its own rounding, of chroma the mean of four such. In tiles too. */
static void test_video_frames(void **state)
{
    enum { PIXELS = W * H, BYTES = FRAMES * PIXELS * 3 };
    static uint8_t rgb[BYTES], nv12[BYTES / 2];
    struct wan_job job = home_job("euler");
    (void)state;
    for (int tile = 0; tile <= 64; tile += 64) {
        job.tile = tile;
        job.nv12 = false;
        seen_all(&job, NULL, (struct seen){.kept = rgb});
        job.nv12 = true;
        seen_all(&job, NULL, (struct seen){.kept = nv12});
        for (int i = 0; i < FRAMES * PIXELS; i++) {
            const uint8_t *frame = nv12 + (size_t)i / PIXELS * (PIXELS * 3 / 2), *c = rgb + 3 * i;
            int at = i % PIXELS;
            double y = 0.2126 * c[0] + 0.7152 * c[1] + 0.0722 * c[2];
            if (fabs(frame[at] - (16 + y * 219 / 255)) > 1)
                fail_msg("luma %d is %d, of %d %d %d", i, frame[at], c[0], c[1], c[2]);
            if (at % W % 2 || at / W % 2)
                continue;
            double blue = 0, red = 0;
            for (int k = 0; k < 4; k++, c += k == 2 ? 3 * (W - 1) : 3) {
                y = 0.2126 * c[0] + 0.7152 * c[1] + 0.0722 * c[2];
                blue += (c[2] - y) / 4;
                red += (c[0] - y) / 4;
            }
            const uint8_t *pair = frame + PIXELS + at / W / 2 * W + at % W;
            if (fabs(pair[0] - (128 + blue / 1.8556 * 224 / 255)) > 1.1 ||
                fabs(pair[1] - (128 + red / 1.5748 * 224 / 255)) > 1.1)
                fail_msg("chroma %d is %d %d, of %g %g", i, pair[0], pair[1], blue, red);
        }
    }
}

/* Far above what any step changes by, only the first and the last step run the blocks. */
static void test_teacache(void **state)
{
    struct wan_job job = home_job("euler");
    struct wan_made made;
    (void)state;
    job.steps = 12;
    uint64_t all = seen_whole(&job);
    int asked = seen.asked;
    job.teacache = 1e9;
    uint64_t few = seen_whole(&job);
    assert_true(few != all);
    assert_true(seen.asked < asked - 5 * 3 * 2); /* layers of many steps and both branches */
    assert_true(seen_whole(&job) == few);
    job.teacache = 1e-9;
    assert_true(seen_whole(&job) == all); /* and below it every step does */
    job.teacache = -1;
    assert_int_equal(seen_make(&job, &made, (struct seen){0}), ERR_INVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_info),
        cmocka_unit_test(test_clip),
        cmocka_unit_test(test_parameters_count),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_memory),
        cmocka_unit_test(test_stops_at_once),
        cmocka_unit_test(test_prompts_are_kept),
        cmocka_unit_test(test_warm),
        cmocka_unit_test(test_decodes_ahead),
        cmocka_unit_test(test_tiles),
        cmocka_unit_test(test_video_frames),
        cmocka_unit_test(test_teacache),
    };
    return cmocka_run_group_tests(tests, home_set_up_f32, home_tear_down);
}
