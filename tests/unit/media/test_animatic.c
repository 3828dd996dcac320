/* Frames are a pure function of the spec and the frame's number; other prompts and seeds give other
 * pictures; odd texts and sizes do not break the painter. */
#include "unit.h"

#include "base/log.h"
#include "media/animatic.h"
#include "media/chatter.h"
#include "media/check.h"
#include "media/encode.h"
#include "media/motif.h"

#include <unistd.h>

static struct fault fault;

/* Read by LeakSanitizer: fontconfig keeps the patterns it matched until the process ends. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
    return "leak:libfontconfig\n";
}

static struct animatic_spec spec_of(const char *prompt, uint64_t seed)
{
    return (struct animatic_spec){.prompt = prompt,
                                  .viewer = "hanako",
                                  .style = "noir",
                                  .label = "AI-generated",
                                  .seed = seed,
                                  .width = 416,
                                  .height = 240,
                                  .frames = 81,
                                  .fps = 16};
}

/* FNV-1a over the frames asked for, in the order asked for. */
static uint64_t draw(const struct animatic_spec *s, const int *frames, int n)
{
    size_t bytes = (size_t)s->width * (size_t)s->height * 3;
    uint64_t h = UINT64_C(0xcbf29ce484222325);
    uint8_t *rgb = malloc(bytes);
    struct animatic *a = animatic_new(s, &fault);
    assert_non_null(a);
    for (int i = 0; i < n; i++) {
        animatic_draw(a, frames[i], rgb);
        if (i == n - 1)
            for (size_t j = 0; j < bytes; j++)
                h = (h ^ rgb[j]) * UINT64_C(0x100000001b3);
    }
    animatic_free(a);
    free(rgb);
    return h;
}

static void test_pure(void **state)
{
    (void)state;
    const char *const prompts[] = {
        "rain in the city",      "桜と電車", "speed race", "snow fox", "fireflies over the sea",
        "clouds above mountains"};
    for (size_t i = 0; i < sizeof prompts / sizeof *prompts; i++) {
        struct animatic_spec s = spec_of(prompts[i], i);
        const int straight[] = {0, 1, 2, 40}, alone[] = {40}, back[] = {80, 3, 40};
        uint64_t h = draw(&s, straight, 4);
        assert_true(h == draw(&s, alone, 1));
        assert_true(h == draw(&s, back, 3));
    }
}

static void test_different(void **state)
{
    (void)state;
    const int at[] = {40};
    struct animatic_spec a = spec_of("a cat", 1), b = spec_of("a cat", 2), c = spec_of("a dog", 1);
    uint64_t ha = draw(&a, at, 1), hb = draw(&b, at, 1), hc = draw(&c, at, 1);
    assert_true(ha != hb && ha != hc && hb != hc);
}

static void test_motion(void **state)
{
    (void)state;
    struct animatic_spec s = spec_of("a quiet garden", 5);
    const int first[] = {30}, next[] = {31};
    assert_true(draw(&s, first, 1) != draw(&s, next, 1));
}

static void test_words_choose(void **state)
{
    (void)state;
    static const struct {
        const char *prompt;
        enum motif_slot slot;
        const struct motif *want;
    } rows[] = {
        {"A girl under SAKURA trees", MOTIF_AIR, &motif_petals},
        {"夜の桜", MOTIF_AIR, &motif_petals},
        {"雨の日", MOTIF_AIR, &motif_rain},
        {"stars over a sleeping town", MOTIF_HEAVEN, &motif_stars},
        {"stars over a sleeping town", MOTIF_GROUND, &motif_city},
        {"海へ行こう", MOTIF_GROUND, &motif_sea},
        {"the last train home", MOTIF_GROUND, &motif_train},
        {"a mountain shrine", MOTIF_FAR, &motif_mountains},
        {"snowy night", MOTIF_AIR, &motif_snow},
    };
    const struct motif *got[MOTIF_SLOTS];
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        for (uint64_t seed = 0; seed < 20; seed++) {
            struct rng r = {seed};
            motif_choose(rows[i].prompt, &r, got);
            assert_ptr_equal(got[rows[i].slot], rows[i].want);
        }
    /* "train" in "rain" and "sea" in "search" must not be found inside other words. */
    int seas = 0;
    for (uint64_t seed = 0; seed < 60; seed++) {
        struct rng r = {seed};
        motif_choose("searching", &r, got);
        seas += got[MOTIF_GROUND] == &motif_sea;
    }
    assert_true(seas < 60);
}

static void test_odd_texts(void **state)
{
    (void)state;
    static char endless[8000], wide[6000];
    memset(endless, 'w', sizeof endless - 1);
    for (size_t i = 0; i + 4 < sizeof wide; i += 4)
        memcpy(wide + i, "🌸", 4);
    const char *const prompts[] = {" ",
                                   "?",
                                   endless,
                                   wide,
                                   "a\nb",
                                   "مرحبا hello שלום",
                                   "e\xcc\x81\xcc\x81\xcc\x81\xcc\x81",
                                   "<b>&amp;</b>",
                                   "👨‍👩‍👧‍👦"};
    const int at[] = {0, 80};
    for (size_t i = 0; i < sizeof prompts / sizeof *prompts; i++) {
        struct animatic_spec s = spec_of(prompts[i], 1);
        draw(&s, at, 2);
    }
    struct animatic_spec s = spec_of("\xff\xfe", 1);
    assert_null(animatic_new(&s, &fault));
    assert_int_equal(fault.code, ERR_INVAL);
}

static void test_odd_sizes(void **state)
{
    (void)state;
    static const int sizes[][2] = {{64, 64}, {1920, 64}, {64, 1088}, {480, 832}};
    const uint32_t one[] = {0xffffff};
    const int at[] = {0};
    for (size_t i = 0; i < 4; i++) {
        struct animatic_spec s = spec_of("a train in the rain 🚃", 1);
        s.width = sizes[i][0];
        s.height = sizes[i][1];
        s.frames = 1;
        s.palette = one;
        s.palette_n = 1;
        draw(&s, at, 1);
    }
}

static void count_warning(void *user, const struct log_line *l)
{
    if (l->level == LOG_WARN && strstr(l->text, "no font"))
        ++*(int *)user;
}

static void test_missing_font_is_named(void **state)
{
    (void)state;
    int warnings = 0;
    const int at[] = {0};
    struct animatic_spec s = spec_of("plain words", 1);
    log_add_sink(count_warning, &warnings);
    draw(&s, at, 1);
    assert_int_equal(warnings, 0);
    s = spec_of("\xf0\x92\x80\x80 \xf4\x80\x80\x81", 1); /* cuneiform and private use */
    draw(&s, at, 1);
    assert_int_equal(warnings, 1);
    log_remove_sink(count_warning, &warnings);
}

/* Whatever is drawn, the clip is never black, frozen or flashing. One prompt for each motif. */
static void test_passes_its_own_check(void **state)
{
    (void)state;
    static const char *const prompts[] = {"speed fight in the city at night",
                                          "rain at sea under the moon",
                                          "lights in the forest",
                                          "snow and mountains at noon",
                                          "petals, train, sunset",
                                          "stars, clouds, fireflies"};
    char path[] = "/tmp/sakuga-test-XXXXXX";
    struct check_result found;
    int64_t bytes;
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
    for (size_t i = 0; i < sizeof prompts / sizeof *prompts; i++) {
        struct animatic_spec s = spec_of(prompts[i], i);
        struct encode_spec file = {path, s.width, s.height, s.fps, 1, NULL, false};
        struct check_spec look = {path, s.frames, s.fps, NULL, NULL};
        uint8_t *rgb = malloc((size_t)s.width * (size_t)s.height * 3 + 64);
        struct animatic *a = animatic_new(&s, &fault);
        struct encode *e = encode_new(&file, &fault);
        assert_true(rgb && a && e);
        for (int f = 0; f < s.frames; f++) {
            animatic_draw(a, f, rgb);
            assert_int_equal(encode_frame(e, rgb, &fault), ERR_OK);
        }
        assert_int_equal(encode_finish(e, "t", "c", &bytes, &fault), ERR_OK);
        assert_int_equal(check_clip(&look, &found, &fault), ERR_OK);
        assert_int_equal(found.rows_n, CHECK_ROWS);
        for (int r = 0; r < found.rows_n; r++)
            if (!found.rows[r].ok)
                fail_msg("%s: %s (%s)", prompts[i], found.rows[r].words, animatic_motifs(a));
        encode_free(e);
        animatic_free(a);
        free(rgb);
    }
    unlink(path);
}

int main(void)
{
    chatter_to_log();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pure),
        cmocka_unit_test(test_different),
        cmocka_unit_test(test_motion),
        cmocka_unit_test(test_words_choose),
        cmocka_unit_test(test_odd_texts),
        cmocka_unit_test(test_odd_sizes),
        cmocka_unit_test(test_missing_font_is_named),
        cmocka_unit_test(test_passes_its_own_check),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
