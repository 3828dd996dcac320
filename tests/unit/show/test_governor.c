#include "unit.h"

#include "show/governor.h"

static struct governor g;

static double hear(int s, int64_t skipped, bool drawing)
{
    return governor_hear(&g, s * 1000, skipped, drawing, 0.8);
}

static int begin(void **state)
{
    g = (struct governor){0};
    return 0;
}

static void it_leaves_a_calm_obs_alone(void **state)
{
    assert_true(hear(0, 1200, true) == 0); /* skipped before we knew it */
    for (int s = 1; s < 100; s++)
        assert_true(hear(s, 1200, true) == 0);
}

static void it_gives_way_while_drawing_only(void **state)
{
    hear(0, 0, false);
    assert_true(hear(2, 5, false) == 0);
    assert_true(hear(4, 5, true) == 0);
    assert_true(hear(6, 9, true) > 0.25);
}

static void it_gives_more_when_that_was_not_enough_but_never_all(void **state)
{
    double last = hear(0, 0, true);
    for (int s = 1; s < 10; s++) {
        double now = hear(s, s, true);
        assert_true(now > last || now == 0.8);
        assert_true(now <= 0.8);
        last = now;
    }
    assert_true(last == 0.8);
    g = (struct governor){0};
    governor_hear(&g, 0, 0, true, 0);
    assert_true(governor_hear(&g, 1000, 100, true, 0) == 0); /* switched off */
}

static void it_comes_back_slowly(void **state)
{
    hear(0, 0, true);
    double most = hear(1, 10, true), last = most;
    assert_true(hear(9, 10, true) == most); /* not calm for long enough */
    for (int s = 10; s < 60; s++) {
        double now = hear(s, 10, true);
        assert_true(now <= last && last - now < 0.15);
        last = now;
    }
    assert_true(last == 0);
}

static void a_new_connection_counts_from_its_own_start(void **state)
{
    hear(0, 50, true);
    assert_true(hear(1, 60, true) > 0);
    assert_true(hear(2, -1, true) == 0);
    assert_true(hear(3, 4, true) == 0);
    assert_true(hear(4, 5, true) > 0);
    assert_true(hear(5, 2, true) <= 0.31); /* counted anew: no step up */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(it_leaves_a_calm_obs_alone, begin),
        cmocka_unit_test_setup(it_gives_way_while_drawing_only, begin),
        cmocka_unit_test_setup(it_gives_more_when_that_was_not_enough_but_never_all, begin),
        cmocka_unit_test_setup(it_comes_back_slowly, begin),
        cmocka_unit_test_setup(a_new_connection_counts_from_its_own_start, begin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
