/* Folders of models: in each layout, of parts that do not belong together or are not there, with
 * pictures, and converted. */
#include "unit/wan/home.h"

static void test_tokenizer_of_another_model(void **state)
{
    char other[128];
    struct wan *w;
    struct wan_job job = home_job(NULL);
    const struct wan_setup setup = {.model = other, .device = "cpu", .dtype = "f32"};
    (void)state;
    snprintf(other, sizeof other, "%s/mismatched", dir);
    mkdir(other, 0700);
    tiny_link(other, TINY_DIT, "a.safetensors");
    tiny_link(other, TINY_T5, "b.safetensors");
    tiny_link(other, TINY_VAE, "c.safetensors");
    tiny_link(other, "tokenizer/umt5_mini/tokenizer.json", "tokenizer.json");
    assert_int_equal(wan_open(&setup, &w, &fault), ERR_OK);
    assert_int_equal(wan_make(w, &job, NULL, NULL, &fault), ERR_INVAL);
    assert_non_null(strstr(fault_text(&fault), "they belong to different models"));
    wan_free(w);
}

static void test_layouts(void **state)
{
    char comfy[128], diffusers[128], file[300];
    struct wan *w;
    struct wan_setup setup = {.model = comfy, .device = "cpu", .dtype = "f32"};
    (void)state;
    snprintf(comfy, sizeof comfy, "%s/comfy", dir);
    mkdir(comfy, 0700);
    tiny_link(comfy, TINY_DIT, "split_files/diffusion_models/wan2.1_t2v_tiny.safetensors");
    tiny_link(comfy, TINY_T5, "split_files/text_encoders/umt5.safetensors");
    tiny_link(comfy, TINY_VAE, "split_files/vae/wan_2.1_vae.safetensors");
    tiny_link(comfy, TINY_SPIECE, "split_files/spiece.model");
    assert_int_equal(wan_open(&setup, &w, &fault), ERR_OK);
    assert_string_equal(wan_info(w)->vae, "split_files/vae/wan_2.1_vae.safetensors");
    wan_free(w);

    /* a second transformer in the folder: only by its file */
    tiny_link(comfy, TINY_VACE, "split_files/diffusion_models/wan2.1_vace_tiny.safetensors");
    assert_int_equal(wan_open(&setup, &w, &fault), ERR_EXISTS);
    assert_non_null(strstr(fault_text(&fault), "both transformers"));
    snprintf(file, sizeof file, "%s/split_files/diffusion_models/wan2.1_vace_tiny.safetensors",
             comfy);
    setup.model = file;
    assert_int_equal(wan_open(&setup, &w, &fault), ERR_OK);
    assert_string_equal(wan_info(w)->variant, "vace width 128");
    assert_string_equal(wan_info(w)->vae, "vae/wan_2.1_vae.safetensors");
    wan_free(w);

    snprintf(diffusers, sizeof diffusers, "%s/diffusers", dir);
    mkdir(diffusers, 0700);
    tiny_link(diffusers, TINY_DIT, "transformer/diffusion_pytorch_model.safetensors");
    tiny_link(diffusers, TINY_T5, "text_encoder/model.safetensors");
    tiny_link(diffusers, TINY_VAE, "vae/diffusion_pytorch_model.safetensors");
    tiny_link(diffusers, TINY_SPIECE, "tokenizer/spiece.model");
    setup.model = diffusers;
    assert_int_equal(wan_open(&setup, &w, &fault), ERR_OK);
    wan_free(w);

    setup.model = "/nowhere/at/all";
    assert_int_equal(wan_open(&setup, &w, &fault), ERR_NOTFOUND);
    setup.model = keep;
    assert_int_equal(wan_open(&setup, &w, &fault), ERR_NOTFOUND);
}

/* The transformer alone opens (it can be described), and says what is missing to draw. */
static void test_half_a_model(void **state)
{
    char half[128];
    struct wan *w;
    struct wan_job job = home_job(NULL);
    const struct wan_setup setup = {.model = half, .device = "cpu", .dtype = "f32"};
    (void)state;
    snprintf(half, sizeof half, "%s/half", dir);
    mkdir(half, 0700);
    tiny_link(half, TINY_DIT, "a.safetensors");
    assert_int_equal(wan_open(&setup, &w, &fault), ERR_OK);
    assert_int_equal(wan_make(w, &job, NULL, NULL, &fault), ERR_NOTFOUND);
    assert_non_null(strstr(fault_text(&fault), "no text encoder"));
    wan_free(w);
}

static void test_image_and_vace(void **state)
{
    char path[128];
    struct wan *first = wan;
    struct wan_job job = home_job("euler");
    struct wan_setup setup = {.model = path, .device = "cpu", .dtype = "f32"};
    uint8_t rgb[30 * 40 * 3];
    const struct wan_picture picture = {rgb, 40, 30};
    (void)state;
    for (size_t i = 0; i < sizeof rgb; i++)
        rgb[i] = (uint8_t)(i * 7);
    snprintf(path, sizeof path, "%s/i2v", dir);
    tiny_i2v(path);
    assert_int_equal(wan_open(&setup, &wan, &fault), ERR_OK);
    assert_int_equal(seen_make(&job, NULL, (struct seen){0}), ERR_INVAL);
    assert_non_null(strstr(fault_text(&fault), "draws from a picture"));
    job.image = &picture;
    uint64_t one = seen_whole(&job);
    assert_true(seen.stages & 1u << WAN_IMAGE);
    rgb[0] ^= 0xff;
    rgb[1] ^= 0xff;
    assert_int_not_equal(seen_whole(&job), one);
    wan_free(wan);

    snprintf(path, sizeof path, "%s/vace", dir);
    tiny_vace(path);
    assert_int_equal(wan_open(&setup, &wan, &fault), ERR_OK);
    job.image = NULL;
    seen_whole(&job);
    wan_free(wan);
    wan = first;
}

/* A .pth as one safetensors file is the same model. */
static void test_convert(void **state)
{
    char path[128], from[200], to[200];
    struct wan *first = wan;
    struct wan_job job = home_job("euler");
    const struct wan_setup setup = {.model = path, .device = "cpu", .dtype = "f32"};
    uint64_t hash = seen_whole(&job);
    (void)state;
    snprintf(path, sizeof path, "%s/converted", dir);
    mkdir(path, 0700);
    tiny_link(path, TINY_SPIECE, "spiece.model");
    snprintf(from, sizeof from, "%s/Wan2.1_VAE.pth", model);
    snprintf(to, sizeof to, "%s/vae.safetensors", path);
    assert_int_equal(wan_convert(from, to, &fault), ERR_OK);
    snprintf(from, sizeof from, "%s/models_t5_umt5-xxl-enc-bf16.pth", model);
    snprintf(to, sizeof to, "%s/t5.safetensors", path);
    assert_int_equal(wan_convert(from, to, &fault), ERR_OK);
    snprintf(to, sizeof to, "%s/dit.safetensors", path);
    assert_int_equal(wan_convert(model, to, &fault), ERR_OK);
    assert_int_equal(wan_convert(model, to, &fault), ERR_EXISTS);
    assert_int_equal(wan_convert("/nowhere", to, &fault), ERR_NOTFOUND);
    assert_int_equal(wan_open(&setup, &wan, &fault), ERR_OK);
    assert_int_equal(seen_whole(&job), hash);
    wan_free(wan);
    wan = first;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tokenizer_of_another_model),
        cmocka_unit_test(test_layouts),
        cmocka_unit_test(test_half_a_model),
        cmocka_unit_test(test_image_and_vace),
        cmocka_unit_test(test_convert),
    };
    return cmocka_run_group_tests(tests, home_set_up_f32, home_tear_down);
}
