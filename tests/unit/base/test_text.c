#include "unit.h"

#include "base/text.h"

static void expect_clean(const char *in, size_t n, const char *want)
{
    struct buf b = BUF_INIT(0);
    assert_true(text_clean(&b, in, n));
    assert_string_equal(buf_str(&b), want);
    assert_true(text_valid(buf_str(&b), b.len));
    buf_free(&b);
}
#define CLEAN(in, want) expect_clean(in, sizeof(in) - 1, want)

static void clean_strips_what_is_not_text(void **state)
{
    (void)state;
    CLEAN("a fox", "a fox");
    CLEAN("  a\t\tfox \r\n", "a fox");
    CLEAN("\x1b[31mred\x07", "[31mred");
    CLEAN("a\xe2\x80\xae"
          "b\xe2\x81\xa6"
          "c",
          "abc"); /* bidi override, isolate */
    CLEAN("a\xe2\x80\x8b"
          "b\xef\xbb\xbf",
          "ab"); /* zero width space, BOM */
    CLEAN("a\xff"
          "b\xc3",
          "a\xef\xbf\xbd"
          "b\xef\xbf\xbd");                                        /* invalid bytes */
    CLEAN("\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"); /* a surrogate */
    CLEAN("a\0b", "ab");
    CLEAN("\xe3\x80\x80雨\xe3\x80\x80駅", "雨 駅"); /* ideographic spaces */
    CLEAN("", "");
}

static void clean_composes_and_keeps_emoji(void **state)
{
    (void)state;
    CLEAN("e\xcc\x81", "\xc3\xa9");
    CLEAN("👩\xe2\x80\x8d🚀", "👩\xe2\x80\x8d🚀");
    CLEAN("a\xe2\x80\x8d"
          "b",
          "ab"); /* a joiner between letters goes */
    CLEAN("❤\xef\xb8\x8f", "❤\xef\xb8\x8f");
}

static void clusters_and_cells(void **state)
{
    (void)state;
    assert_int_equal(text_clusters("abc"), 3);
    assert_int_equal(text_clusters("e\xcc\x81"), 1);
    assert_int_equal(text_clusters("👩\xe2\x80\x8d🚀x"), 2);
    assert_int_equal(text_cells("雨の駅"), 6);
    assert_int_equal(text_cells("e\xcc\x81"), 1);
    assert_int_equal(text_cells("❤\xef\xb8\x8f"), 2);
}

static void fit_cuts_at_clusters(void **state)
{
    (void)state;
    struct buf b = BUF_INIT(0);
    static const struct {
        const char *s;
        int cells;
        const char *want;
    } t[] = {{"abc", 3, "abc"},      {"abcd", 3, "ab…"},   {"雨の駅", 6, "雨の駅"},
             {"雨の駅", 5, "雨の…"}, {"雨の駅", 4, "雨…"}, {"abc", 1, "…"},
             {"abc", 0, ""},         {"", 0, ""}};
    for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
        buf_reset(&b);
        assert_true(text_fit(&b, t[i].s, t[i].cells));
        assert_string_equal(buf_str(&b), t[i].want);
        assert_true(text_cells(buf_str(&b)) <= t[i].cells);
    }
    buf_free(&b);
}

static void fold_makes_names_equal(void **state)
{
    (void)state;
    struct buf a = BUF_INIT(0), b = BUF_INIT(0);
    assert_true(text_fold(&a, "Ｇｈｉｂｌｉ"));
    assert_true(text_fold(&b, "GHIBLI"));
    assert_string_equal(buf_str(&a), buf_str(&b));
    buf_free(&a);
    buf_free(&b);
}

static void buf_is_bounded(void **state)
{
    (void)state;
    struct buf b = BUF_INIT(4);
    assert_true(buf_adds(&b, "abcd"));
    assert_false(buf_adds(&b, "e"));
    assert_true(b.failed);
    assert_string_equal(buf_str(&b), "abcd");
    buf_free(&b);
    char s[4];
    assert_false(str_copy(s, sizeof s, "ab駅"));
    assert_string_equal(s, "ab");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(clean_strips_what_is_not_text),
        cmocka_unit_test(clean_composes_and_keeps_emoji),
        cmocka_unit_test(clusters_and_cells),
        cmocka_unit_test(fit_cuts_at_clusters),
        cmocka_unit_test(fold_makes_names_equal),
        cmocka_unit_test(buf_is_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
