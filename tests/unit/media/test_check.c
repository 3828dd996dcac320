/* Bad clips are caught, each by its own verdict, and good ones are not: a whole clip, one hard cut,
 * a fade, two flashes a second. The clips are made by our own encoder, or damaged by hand. */
#include "unit.h"

#include "base/buf.h"
#include "media/chatter.h"
#include "media/check.h"
#include "media/encode.h"

#include <sys/stat.h>
#include <unistd.h>

#define W 320
#define H 192
#define FPS 16
#define FRAMES 81

static char dir[64], path[128];
static struct fault fault;
static struct check_result result;

typedef void paint_fn(int frame, uint8_t *rgb);

static void flat(uint8_t *rgb, int r, int g, int b)
{
    for (int i = 0; i < W * H; i++) {
        rgb[i * 3] = (uint8_t)r;
        rgb[i * 3 + 1] = (uint8_t)g;
        rgb[i * 3 + 2] = (uint8_t)b;
    }
}

/* Moving stripes: something that neither stands still nor flashes. */
static void stripes(int frame, uint8_t *rgb)
{
    for (int y = 0; y < H; y++)
        for (int x = 0; x < W; x++, rgb += 3) {
            rgb[0] = (uint8_t)(60 + (x + frame * 2) % 128);
            rgb[1] = (uint8_t)(80 + y % 64);
            rgb[2] = 120;
        }
}

static void black(int frame, uint8_t *rgb)
{
    (void)frame;
    flat(rgb, 0, 0, 0);
}

static void frozen(int frame, uint8_t *rgb)
{
    (void)frame;
    stripes(0, rgb);
}

static void black_in_the_middle(int frame, uint8_t *rgb)
{
    if (frame > 20 && frame < 45)
        flat(rgb, 0, 0, 0);
    else
        stripes(frame, rgb);
}

static void strobe_red(int frame, uint8_t *rgb)
{
    flat(rgb, 255, frame % 2 ? 255 : 0, frame % 2 ? 255 : 0);
}

static void strobe_slower(int frame, uint8_t *rgb) /* four flashes a second */
{
    stripes(frame, rgb);
    if (frame / 2 % 2)
        flat(rgb, 250, 250, 250);
}

static void two_flashes_a_second(int frame, uint8_t *rgb)
{
    stripes(frame, rgb);
    if (frame / 4 % 2)
        for (int i = 0; i < W * H * 3; i++)
            rgb[i] = (uint8_t)(rgb[i] + 60);
}

static void one_cut(int frame, uint8_t *rgb)
{
    stripes(frame, rgb);
    if (frame > 40)
        for (int i = 0; i < W * H * 3; i++)
            rgb[i] = (uint8_t)(255 - rgb[i]);
}

static void fade(int frame, uint8_t *rgb)
{
    stripes(frame, rgb);
    for (int i = 0; frame < FPS && i < W * H * 3; i++)
        rgb[i] = (uint8_t)(rgb[i] * frame / FPS);
}

static void make(paint_fn *paint, int frames)
{
    static uint8_t rgb[W * H * 3 + 64];
    struct encode_spec spec = {path, W, H, FPS, 1, NULL, false};
    int64_t bytes;
    struct encode *e = encode_new(&spec, &fault);
    assert_non_null(e);
    for (int i = 0; i < frames; i++) {
        paint(i, rgb);
        assert_int_equal(encode_frame(e, rgb, &fault), ERR_OK);
    }
    assert_int_equal(encode_finish(e, "t", "c", &bytes, &fault), ERR_OK);
    encode_free(e);
}

static void check(void)
{
    struct check_spec spec = {path, FRAMES, FPS, NULL, NULL};
    assert_int_equal(check_clip(&spec, &result, &fault), ERR_OK);
}

/* Exactly the verdict named must be bad; NULL: none. */
static void expect_bad(const char *name)
{
    bool found = name == NULL;
    check();
    for (int i = 0; i < result.rows_n; i++) {
        const struct check_row *r = &result.rows[i];
        bool bad = name && strcmp(r->name, name) == 0;
        if (r->ok == bad)
            fail_msg("verdict \"%s\" is %s: %s", r->name, r->ok ? "good" : "bad", r->words);
        assert_true(r->words[0]);
        found = found || bad;
    }
    assert_true(found);
}

static void test_good(void **state)
{
    (void)state;
    make(stripes, FRAMES);
    expect_bad(NULL);
    assert_int_equal(result.rows_n, CHECK_ROWS);
    assert_int_equal(result.frames, FRAMES);
    assert_int_equal(result.duration_ms, 5063);
    make(one_cut, FRAMES);
    expect_bad(NULL);
    make(fade, FRAMES);
    expect_bad(NULL);
    make(two_flashes_a_second, FRAMES);
    expect_bad(NULL);
}

static void test_black(void **state)
{
    (void)state;
    make(black_in_the_middle, FRAMES);
    expect_bad("black");
    make(black, FRAMES);
    check();
    assert_false(result.rows[2].ok); /* all black is black, and of course frozen too */
    assert_false(result.rows[3].ok);
}

static void test_frozen(void **state)
{
    (void)state;
    make(frozen, FRAMES);
    expect_bad("frozen");
}

static void test_flashes(void **state)
{
    (void)state;
    make(strobe_red, FRAMES);
    expect_bad("flashes");
    make(strobe_slower, FRAMES);
    expect_bad("flashes");
}

static void test_length(void **state)
{
    (void)state;
    make(stripes, 40);
    expect_bad("length");
}

static void test_truncated(void **state)
{
    (void)state;
    struct stat st;
    make(stripes, FRAMES);
    assert_int_equal(stat(path, &st), 0);
    for (int part = 1; part < 10; part++) {
        make(stripes, FRAMES);
        assert_int_equal(truncate(path, st.st_size * part / 10), 0);
        check();
        bool all = true;
        for (int i = 0; i < result.rows_n; i++)
            all = all && result.rows[i].ok;
        assert_false(all);
    }
}

/* Bytes of the picture data are overwritten: no crash, and no good verdict on decoding. */
static void test_scrambled(void **state)
{
    (void)state;
    struct stat st;
    make(stripes, FRAMES);
    assert_int_equal(stat(path, &st), 0);
    FILE *io = fopen(path, "r+");
    for (long at = st.st_size / 2; at < st.st_size; at += 7) {
        fseek(io, at, SEEK_SET);
        fputc((int)(at * 31 % 251), io);
    }
    fclose(io);
    check();
    assert_false(result.rows[0].ok && result.rows[1].ok);
}

static void test_no_video(void **state)
{
    (void)state;
    FILE *out = fopen(path, "w");
    fputs("not a clip", out);
    fclose(out);
    check();
    assert_int_equal(result.rows_n, 1);
    assert_false(result.rows[0].ok);
    unlink(path);
    check();
    assert_false(result.rows[0].ok);
}

static bool stop_at_three(void *user, int frame)
{
    (void)user;
    return frame < 3;
}

static void test_cancel(void **state)
{
    (void)state;
    make(stripes, FRAMES);
    struct check_spec spec = {path, FRAMES, FPS, stop_at_three, NULL};
    assert_int_equal(check_clip(&spec, &result, &fault), ERR_CANCELLED);
    assert_int_equal(result.frames, 3);
}

static int set_up(void **state)
{
    (void)state;
    chatter_to_log();
    strcpy(dir, "/tmp/sakuga-test-XXXXXX");
    if (!mkdtemp(dir))
        return 1;
    snprintf(path, sizeof path, "%s/clip.mp4", dir);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    unlink(path);
    return rmdir(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good),      cmocka_unit_test(test_black),
        cmocka_unit_test(test_frozen),    cmocka_unit_test(test_flashes),
        cmocka_unit_test(test_length),    cmocka_unit_test(test_truncated),
        cmocka_unit_test(test_scrambled), cmocka_unit_test(test_no_video),
        cmocka_unit_test(test_cancel),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
