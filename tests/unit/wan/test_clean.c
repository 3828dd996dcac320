/* Prompt cleaning: each step by itself, HTML's oddities, and our NFC and NFKC against ICU's for
 * every character and for long random strings. */
#include "unit.h"

#include "wan/clean.h"
#include "wan/clean_table.h"
#include "wan/nfc.h"

#include <unicode/uchar.h>
#include <unicode/unorm2.h>
#include <unicode/ustring.h>

static void check(const char *text, const char *want)
{
    struct buf b = BUF_INIT(0);
    struct fault f = {0};
    assert_int_equal(clean_prompt(text, &b, &f), ERR_OK);
    assert_string_equal(buf_str(&b), want);
    buf_free(&b);
}

static void steps(void **state)
{
    check("", "");
    check("  A  red\tfox\n\njumps.  ", "A red fox jumps.");
    check("a\xc2\xa0m\xe2\x80\x89n\xe3\x80\x80o\xe1\x9a\x80p", "a m n o p");
    check("zero\xe2\x80\x8bwidth", "zero\xe2\x80\x8bwidth"); /* U+200B is no white space */
    check("\xef\xac\x81ne o\xef\xac\x83"
          "ce \xc7\x85",
          "fine office D\xc5\xbe");
    check("\xc5\x89"
          "a",
          "'na");
    check("\xef\xbc\xa1\xef\xbc\x8c\xef\xbd\xb1\xef\xbe\x9e\xef\xbf\xa5",
          "A,\xe3\x82\xa2\xe3\x82\x99\xc2\xa5");
    check("\xe2\x80\x9cq\xe2\x80\x9d \xe2\x80\x98r\xe2\x80\x99 \xe2\x80\x9el", "\"q\" 'r' \"l");
    check("a\r\nb\rc\xe2\x80\xa8"
          "d",
          "a b c d");
    check("\x1b[1;31mred\x1b[0m \x1b[x", "red");
    check("\x01\x07"
          "a\x7f\xef\xbb\xbf"
          "b\xe2\x81\xaa"
          "c",
          "abc");
    check("\xc2\x93q\xc2\x94 \xc2\x85", "\"q\" \xe2\x80\xa6"); /* C1 are windows-1252's */
    check("cafe\xcc\x81", "caf\xc3\xa9");
    check("\xe1\x84\x92\xe1\x85\xa1\xe1\x86\xab", "\xed\x95\x9c");
}

static void entities_of_html(void **state)
{
    check("&amp;amp;amp; &NTILDE; &#65;&#x41;", "& \xc3\x91 AA");
    check("&notit; &ampx &#65", "\xc2\xacit; &x A");
    check("&#0; &#128; &#1;| &#xd800; &#99999999999;",
          "\xef\xbf\xbd \xe2\x82\xac | \xef\xbf\xbd \xef\xbf\xbd");
    check("&nosuch; & &; &#; &#x;", "&nosuch; & &; &#; &#x;");
    check("&nbsp;a&emsp;b&nbsp;", "a b");
    /* from the first '<' on ftfy leaves HTML alone; html.unescape() then takes two levels */
    check("&amp;amp;amp;\n<\n&amp;amp;amp;", "& < &amp;");
}

static void malformed(void **state)
{
    check("a\xff"
          "b\xc3",
          "a\xef\xbf\xbd"
          "b\xef\xbf\xbd");
    check("\xed\xa0\x80\xc0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");
}

static void limits(void **state)
{
    struct buf b = BUF_INIT(4);
    struct fault f = {0};
    char *deep = malloc(CLEAN_MAX + 2), *at = deep;
    *at++ = '&';
    for (int i = 0; i < 100; i++)
        at = stpcpy(at, "amp;");
    assert_int_equal(clean_prompt(deep, &b, &f), ERR_LIMIT);
    assert_non_null(strstr(f.text, "HTML"));
    memset(deep, 'a', CLEAN_MAX + 1);
    deep[CLEAN_MAX + 1] = '\0';
    assert_int_equal(clean_prompt(deep, &b, &f), ERR_LIMIT);
    assert_int_equal(clean_prompt("12345", &b, &f), ERR_NOMEM);
    buf_free(&b);
    /* a long run of marks takes no longer than to sort it */
    for (size_t i = 0; i + 1 < CLEAN_MAX; i += 2)
        memcpy(deep + i, i % 4 ? "\xcc\x81" : "\xcc\xa3", 2);
    deep[0] = deep[1] = 'a';
    deep[CLEAN_MAX] = '\0';
    b = BUF_INIT(0);
    assert_int_equal(clean_prompt(deep, &b, &f), ERR_OK);
    buf_free(&b);
    free(deep);
}

/* Our tables are of Unicode 15; a newer ICU may know newer characters. */
static bool known(UChar32 c)
{
    UVersionInfo age;
    u_charAge(c, age);
    return !U_IS_SURROGATE(c) && age[0] <= 15 && (age[0] < 15 || !age[1]);
}

static void same_as_icu(const UNormalizer2 *n2, const uint32_t *c, size_t n, const char *what)
{
    UChar in[512], out[2048];
    int32_t in_n = 0;
    UErrorCode e = U_ZERO_ERROR;
    struct runes r = {0}, spare = {0}, want = {0};
    for (size_t i = 0; i < n; i++) {
        U16_APPEND_UNSAFE(in, in_n, c[i]);
        runes_add(&r, c[i]);
    }
    int32_t out_n = unorm2_normalize(n2, in, in_n, out, 2048, &e);
    assert_true(U_SUCCESS(e));
    for (int32_t i = 0; i < out_n;) {
        UChar32 one;
        U16_NEXT(out, i, out_n, one);
        runes_add(&want, (uint32_t)one);
    }
    nfc(&r, &spare);
    if (!runes_same(&r, &want))
        fail_msg("%s: U+%04x and %zu more are not as ICU makes them", what, (unsigned)c[0], n - 1);
    runes_free(&r);
    runes_free(&spare);
    runes_free(&want);
}

static void nfc_by_icu(void **state)
{
    UErrorCode e = U_ZERO_ERROR;
    const UNormalizer2 *n2 = unorm2_getNFCInstance(&e);
    uint32_t text[200];
    uint64_t rng = 0x5eed;
    for (UChar32 c = 1; c <= 0x10ffff; c++) {
        if (!known(c))
            continue;
        text[0] = (uint32_t)c;
        same_as_icu(n2, text, 1, "alone");
    }
    for (int i = 0; i < decompositions_n; i++) {
        uint32_t pair[] = {decompositions[i].to[0], decompositions[i].to[1], 0x327, 0x301};
        same_as_icu(n2, pair, pair[1] ? 4 : 1, "taken apart");
    }
    for (int round = 0; round < 20000; round++) {
        size_t n = 0, want = 1 + round % 100;
        while (n < want) {
            rng = rng * 6364136223846793005u + 1442695040888963407u;
            unsigned roll = (unsigned)(rng >> 33), kind = roll % 5;
            roll /= 5;
            uint32_t c = kind == 0   ? 0x300 + roll % 0x70
                         : kind == 1 ? class_ranges[roll % (unsigned)class_ranges_n].first
                         : kind == 2 ? decompositions[roll % (unsigned)decompositions_n].from
                         : kind == 3 ? (roll & 1 ? 0x1100 : 0xac00) + roll / 2 % 0x100
                                     : 0x20 + roll % 0x60;
            text[n++] = c;
        }
        same_as_icu(n2, text, n, "random");
    }
}

static void nfkc_by_icu(void **state)
{
    UErrorCode e = U_ZERO_ERROR;
    const UNormalizer2 *n2 = unorm2_getNFKCInstance(&e);
    int k = 0;
    for (UChar c = 0xff01; c <= 0xffef; c++) {
        UChar out[8];
        int32_t n = unorm2_normalize(n2, &c, 1, out, 8, &e);
        if (n == 1 && out[0] == c)
            continue;
        assert_true(k < wide_forms_n && wide_forms[k].from == c && n <= 2);
        assert_int_equal(wide_forms[k].to[0], out[0]);
        assert_int_equal(wide_forms[k].to[1], n == 2 ? out[1] : 0);
        k++;
    }
    assert_int_equal(k, wide_forms_n);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(steps),  cmocka_unit_test(entities_of_html), cmocka_unit_test(malformed),
        cmocka_unit_test(limits), cmocka_unit_test(nfc_by_icu),       cmocka_unit_test(nfkc_by_icu),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
