/* The words of a fault: whole characters, and none that a terminal obeys. */
#include "unit.h"

#include "base/err.h"

static void control_characters_do_not_pass(void **state)
{
    struct fault f;
    (void)state;
    assert_int_equal(fault_set(&f, ERR_CORRUPT, "the tensor %s", "a\x1b[2J\x1b]0;b\a\x7f"),
                     ERR_CORRUPT);
    assert_string_equal(fault_text(&f), "the tensor a?[2J?]0;b??");
    fault_set(&f, ERR_CORRUPT, "%s",
              "\xc2\x9b"
              "1m \x9b \xff \xe9\xb3\xa5"); /* C1, and none at all */
    assert_string_equal(fault_text(&f), "??1m ? ? \xe9\xb3\xa5");
    fault_set(&f, ERR_CORRUPT, "a\n\tb\rc\n"); /* as a traceback has */
    assert_string_equal(fault_text(&f), "a\n\tb?c\n");
    fault_set(&f, ERR_CORRUPT, "%s", "");
    assert_string_equal(fault_text(&f), err_text(ERR_CORRUPT));
}

/* A text that is cut is not cut within a character. */
static void it_ends_with_a_character(void **state)
{
    char words[sizeof((struct fault *)0)->text + 8];
    (void)state;
    for (size_t lead = 0; lead < 3; lead++) {
        struct fault f;
        memset(words, 'a', lead);
        for (size_t i = lead; i + 3 < sizeof words; i += 3)
            memcpy(words + i, "\xe9\xb3\xa5", 4);
        fault_set(&f, ERR_IO, "%s", words);
        assert_int_equal((strlen(f.text) - lead) % 3, 0);
        assert_null(strchr(f.text, '?'));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(control_characters_do_not_pass),
        cmocka_unit_test(it_ends_with_a_character),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
