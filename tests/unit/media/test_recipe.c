/* The recipe survives the way into an MP4 and back; foreign and damaged files are told apart. */
#include "unit.h"

#include "media/chatter.h"
#include "media/encode.h"
#include "media/recipe.h"

#include <unistd.h>

static struct recipe recipe, back;
static struct fault fault;
static char dir[64];

static void fill(void)
{
    memset(&recipe, 0, sizeof recipe);
    recipe.id = 3;
    recipe.attempt = 1;
    strcpy(recipe.prompt, "桜 \"quoted\" ; = \\ # 🌸");
    strcpy(recipe.viewer, "hanako");
    strcpy(recipe.style, "ghibli");
    strcpy(recipe.negative, "");
    strcpy(recipe.label, "AI-generated");
    recipe.seed = UINT64_C(18446744073709551557);
    strcpy(recipe.engine, "animatic");
    strcpy(recipe.version, "0.1.0");
    strcpy(recipe.build, "Lavc");
    strcpy(recipe.encoder, "libx264");
    recipe.palette[0] = 0x123456;
    recipe.palette_n = 1;
    recipe.width = 64;
    recipe.height = 64;
    recipe.frames = 4;
    recipe.fps = 16;
    recipe.started_utc_ms = INT64_C(1795362140862);
    recipe.finished_utc_ms = INT64_C(1795362142148);
    recipe.draw_ms = 900;
    recipe.encode_ms = 700;
    memset(recipe.sha256, '0', 64);
}

static char *print(void)
{
    struct buf b = BUF_INIT(0);
    assert_true(recipe_print(&b, &recipe));
    return buf_take(&b);
}

static void test_round_trip(void **state)
{
    (void)state;
    fill();
    char *s = print();
    assert_int_equal(recipe_parse(s, strlen(s), &back, &fault), ERR_OK);
    assert_memory_equal(&back, &recipe, sizeof recipe);
    free(s);
}

static void fill_model(void)
{
    struct recipe_model *m = &recipe.model;
    strcpy(m->path, "/models/wan 2.1");
    strcpy(m->id, "0123456789abcdef");
    strcpy(m->variant, "t2v 1.3B");
    strcpy(m->stored, "BF16");
    strcpy(m->computed, "F32");
    strcpy(m->device, "cpu");
    strcpy(m->device_words, "cpu, 2 threads");
    strcpy(m->runtime, "fedcba9876543210");
    strcpy(m->sampler, "unipc");
    m->threads = 2;
    m->guidance = 5.5;
    m->shift = 3;
    m->teacache = 0.07;
    m->tile = 256;
    strcpy(m->tiny, "00112233aabbccdd");
    m->resumed = 4;
    strcpy(m->choices, "0000000000000005 1 a product 8x8x8 of BF16\n"
                       "00000000000000a0 2 a convolution 8x16x4\n");
    m->input[0] = (struct recipe_input){"image", "/pictures/fox.png", ""};
    m->input[1] = (struct recipe_input){"last-image", "/pictures/cat.png", ""};
    memset(m->input[0].sha256, 'a', 64);
    memset(m->input[1].sha256, '7', 64);
    m->input_n = 2;
    m->lora[0] = (struct recipe_lora){"ghibli", "8899aabbccddeeff", -0.25};
    m->lora_n = 1;
}

/* As many as fit, and not one more; nor one that is none. */
static void test_choices(void **state)
{
    enum { LINE = 64, MOST = RECIPE_CHOICES_MAX / LINE };
    (void)state;
    fill();
    fill_model();
    for (int i = 0; i + 1 < MOST; i++)
        snprintf(recipe.model.choices + (size_t)i * LINE, LINE + 1, "%016x 1 %044d\n", i + 1, i);
    char *s = print();
    assert_int_equal(recipe_parse(s, strlen(s), &back, &fault), ERR_OK);
    assert_string_equal(back.model.choices, recipe.model.choices);
    char *at = strstr(s, "\"choices\":[") + strlen("\"choices\":[");
    static char more[RECIPE_TEXT_MAX];
    snprintf(more, sizeof more, "%.*s\"%0100d\",%s", (int)(at - s), s, 0, at);
    assert_int_equal(recipe_parse(more, strlen(more), &back, &fault), ERR_CORRUPT);
    assert_non_null(strstr(fault_text(&fault), "model.choices"));
    const char *const none[] = {"7", "null", "\"\""};
    for (int i = 0; i < 3; i++) {
        snprintf(more, sizeof more, "%.*s%s,%s", (int)(at - s), s, none[i], at);
        assert_int_equal(recipe_parse(more, strlen(more), &back, &fault), ERR_CORRUPT);
    }
    free(s);
}

static void test_model(void **state)
{
    (void)state;
    fill();
    fill_model();
    char *s = print();
    assert_int_equal(recipe_parse(s, strlen(s), &back, &fault), ERR_OK);
    assert_memory_equal(&back, &recipe, sizeof recipe);
    char *at = strstr(s, "\"threads\":2");
    at[strlen("\"threads\":")] = '-';
    assert_int_equal(recipe_parse(s, strlen(s), &back, &fault), ERR_NOTFOUND); /* no JSON */
    free(s);
    strcpy(recipe.model.device, "a\x1b[2J");
    strcpy(recipe.model.choices, "5 1 \x1b[2J\n");
    s = print();
    assert_int_equal(recipe_parse(s, strlen(s), &back, &fault), ERR_OK);
    assert_string_equal(back.model.device, "a?[2J");
    assert_string_equal(back.model.choices, "5 1 ?[2J\n");
    free(s);
    recipe.model.guidance = 1e9;
    s = print();
    assert_int_equal(recipe_parse(s, strlen(s), &back, &fault), ERR_CORRUPT);
    assert_non_null(strstr(fault_text(&fault), "model.guidance"));
    free(s);
}

static void refuse_model(const char *member)
{
    char *s = print();
    assert_int_equal(recipe_parse(s, strlen(s), &back, &fault), ERR_CORRUPT);
    assert_non_null(strstr(fault_text(&fault), member));
    free(s);
}

static void test_inputs(void **state)
{
    (void)state;
    fill();
    fill_model();
    recipe.model.input[1].sha256[3] = 'G';
    refuse_model("model.inputs");
    fill_model();
    recipe.model.teacache = -1;
    refuse_model("model.teacache");
    recipe.model.teacache = 0;
    recipe.model.tile = -5;
    refuse_model("model.tile");
    recipe.model.tile = 256;
    strcpy(recipe.model.runtime, "");
    char *s = print(), *at = strstr(s, "\"runtime\":\"\"");
    at[strlen("\"runtime\":")] = '7'; /* no text */
    at[strlen("\"runtime\":") + 1] = ' ';
    assert_int_equal(recipe_parse(s, strlen(s), &back, &fault), ERR_CORRUPT);
    assert_non_null(strstr(fault_text(&fault), "model.runtime"));
    at[1] = 'x'; /* a recipe of before */
    assert_int_equal(recipe_parse(s, strlen(s), &back, &fault), ERR_OK);
    assert_string_equal(back.model.runtime, "");
    at = strstr(s, "\"inputs\":[");
    at[1] = 'I'; /* a recipe of before */
    assert_int_equal(recipe_parse(s, strlen(s), &back, &fault), ERR_OK);
    assert_int_equal(back.model.input_n, 0);
    at[1] = 'i';
    at[9] = ' ';
    at[10] = '7';
    at[11] = ',';
    assert_int_not_equal(recipe_parse(s, strlen(s), &back, &fault), ERR_OK);
    free(s);
}

static void test_every_cut_is_refused(void **state)
{
    (void)state;
    fill();
    char *s = print();
    for (size_t n = 0; n < strlen(s); n++)
        assert_int_not_equal(recipe_parse(s, n, &back, &fault), ERR_OK);
    free(s);
}

static void test_no_controls_come_out(void **state)
{
    (void)state;
    fill();
    strcpy(recipe.prompt, "a\x1b[2Jb\xc2\x9b"
                          "31m\xff");
    char *s = print();
    assert_int_equal(recipe_parse(s, strlen(s), &back, &fault), ERR_OK);
    assert_string_equal(back.prompt, "a?[2Jb??31m?");
    free(s);
}

static void test_damage_is_named(void **state)
{
    (void)state;
    const char *const pairs[][2] = {{"\"seed\":\"18", "\"seed\":\"x8"},
                                    {"\"width\":64", "\"width\":-4"},
                                    {"\"palette\":[\"#12", "\"palette\":[\"@12"},
                                    {"\"prompt\":\"", "\"prompt\":[],\"x\":\""},
                                    {"\"sha256\":\"0", "\"sha256\":\"Z"}};
    fill();
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        struct buf b = BUF_INIT(0);
        char *s = print(), *at = strstr(s, pairs[i][0]);
        assert_non_null(at);
        buf_add(&b, s, (size_t)(at - s));
        buf_adds(&b, pairs[i][1]);
        buf_adds(&b, at + strlen(pairs[i][0]));
        assert_int_equal(recipe_parse(b.data, b.len, &back, &fault), ERR_CORRUPT);
        free(s);
        buf_free(&b);
    }
    const char *future = "{\"sakuga_recipe\":99}";
    assert_int_equal(recipe_parse(future, strlen(future), &back, &fault), ERR_VERSION);
    assert_int_equal(recipe_parse("{}", 2, &back, &fault), ERR_NOTFOUND);
    assert_int_equal(recipe_parse("a comment", 9, &back, &fault), ERR_NOTFOUND);
}

/* A GPU's encoder that does not open is told, and another takes its place, unless it was insisted
 * on. Where there is one (not for so small a picture), this sees nothing but its name. */
static void test_encoders(void **state)
{
    char path[128];
    struct encode_spec spec = {NULL, 64, 64, 16, 1, "auto", false};
    (void)state;
    snprintf(path, sizeof path, "%s/either.mp4", dir);
    spec.path = path;
    struct encode *e = encode_new(&spec, &fault);
    assert_non_null(e);
    assert_true(encode_gpu_bytes("auto") == encode_gpu_bytes("h264_nvenc"));
    assert_int_equal(encode_gpu_bytes("libx264") + encode_gpu_bytes(NULL), 0);
    if (!strcmp(encode_codec(e), "libx264")) {
        assert_non_null(strstr(encode_note(e), "h264_nvenc does not open here ("));
        encode_free(e);
        spec.codec = "h264_nvenc";
        assert_null(encode_new(&spec, &fault));
        assert_int_equal(fault.code, ERR_UNSUPPORTED);
        assert_non_null(strstr(fault.text, "libx264"));
    } else {
        assert_string_equal(encode_codec(e), "h264_nvenc");
        encode_free(e);
    }
    spec.codec = "libx264";
    e = encode_new(&spec, &fault);
    assert_non_null(e);
    assert_string_equal(encode_codec(e), "libx264");
    assert_string_equal(encode_note(e), "");
    encode_free(e);
    unlink(path);
}

static void write_clip(const char *path, const char *comment)
{
    static uint8_t rgb[64 * 64 * 3 + 64];
    struct encode_spec spec = {path, 64, 64, 16, 1, NULL, false};
    int64_t bytes;
    struct encode *e = encode_new(&spec, &fault);
    assert_non_null(e);
    for (int i = 0; i < 4; i++) {
        memset(rgb, i * 40, sizeof rgb);
        assert_int_equal(encode_frame(e, rgb, &fault), ERR_OK);
    }
    assert_int_equal(encode_finish(e, "title", comment, &bytes, &fault), ERR_OK);
    assert_true(bytes > 500);
    encode_free(e);
}

static void test_in_a_clip(void **state)
{
    (void)state;
    char path[128];
    snprintf(path, sizeof path, "%s/clip.mp4", dir);
    fill();
    memset(recipe.prompt, 'p', 8000); /* as long as a prompt may be */
    char *s = print();
    write_clip(path, s);
    assert_int_equal(recipe_read(path, &back, &fault), ERR_OK);
    assert_memory_equal(&back, &recipe, sizeof recipe);
    free(s);
    write_clip(path, "just a comment");
    assert_int_equal(recipe_read(path, &back, &fault), ERR_NOTFOUND);
    assert_non_null(strstr(fault.text, "carries no sakuga recipe"));
    unlink(path);
    assert_int_equal(recipe_read(path, &back, &fault), ERR_NOTFOUND);
}

static void test_no_clip_at_all(void **state)
{
    (void)state;
    char path[128];
    snprintf(path, sizeof path, "%s/text.mp4", dir);
    FILE *out = fopen(path, "w");
    for (int i = 0; i < 1000; i++)
        fprintf(out, "this is not a clip\n");
    fclose(out);
    assert_int_equal(recipe_read(path, &back, &fault), ERR_CORRUPT);
    unlink(path);
}

static int set_up(void **state)
{
    (void)state;
    chatter_to_log();
    strcpy(dir, "/tmp/sakuga-test-XXXXXX");
    return mkdtemp(dir) ? 0 : 1;
}

static int tear_down(void **state)
{
    (void)state;
    return rmdir(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_model),
        cmocka_unit_test(test_choices),
        cmocka_unit_test(test_inputs),
        cmocka_unit_test(test_every_cut_is_refused),
        cmocka_unit_test(test_damage_is_named),
        cmocka_unit_test(test_no_controls_come_out),
        cmocka_unit_test(test_encoders),
        cmocka_unit_test(test_in_a_clip),
        cmocka_unit_test(test_no_clip_at_all),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
