#include "unit.h"

#include "base/near.h"

static void edits_are_counted(void **state)
{
    (void)state;
    assert_int_equal(near_edits("", ""), 0);
    assert_int_equal(near_edits("queue", "queue"), 0);
    assert_int_equal(near_edits("", "noir"), 4);
    assert_int_equal(near_edits("noir", ""), 4);
    assert_int_equal(near_edits("quue", "queue"), 1);   /* put in */
    assert_int_equal(near_edits("queuue", "queue"), 1); /* taken out */
    assert_int_equal(near_edits("quexe", "queue"), 1);  /* changed */
    assert_int_equal(near_edits("qeuue", "queue"), 2);  /* exchanged */
    assert_int_equal(near_edits("kitten", "sitting"), 3);
    assert_int_equal(near_edits("sitting", "kitten"), 3);
    assert_int_equal(near_edits("ab", "cd"), 2);
}

static void long_words_are_far(void **state)
{
    char longest[NEAR_MAX + 1], longer[NEAR_MAX + 2];
    (void)state;
    memset(longest, 'x', NEAR_MAX);
    longest[NEAR_MAX] = '\0';
    memset(longer, 'x', NEAR_MAX + 1);
    longer[NEAR_MAX + 1] = '\0';
    assert_int_equal(near_edits(longest, longest), 0);
    assert_int_equal(near_edits(longest, ""), NEAR_MAX);
    assert_int_equal(near_edits(longer, longest), NEAR_FAR);
    assert_int_equal(near_edits(longest, longer), NEAR_FAR);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(edits_are_counted),
        cmocka_unit_test(long_words_are_far),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
