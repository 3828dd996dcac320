#include "unit.h"

#include "obs/monitor.h"

static uint8_t pic[160 * 90 * 3];

static const uint8_t *grey(int level)
{
    memset(pic, level, sizeof pic);
    return pic;
}

static bool verdict(const struct monitor *m, int64_t now, const char *want)
{
    char words[64];
    bool bad = monitor_verdict(m, now, words);
    assert_string_equal(words, want);
    return bad;
}

static void black_and_frozen(void **state)
{
    static struct monitor m;
    (void)state;
    monitor_begin(&m, true, 0);
    for (int t = 0; t <= 10000; t += 500) { /* a clip that moves */
        monitor_picture(&m, grey(100 + t / 500 % 2 * 20), sizeof pic, t);
        monitor_cursor(&m, t, t);
        assert_false(verdict(&m, t, ""));
    }
    for (int t = 10500; t <= 15500; t += 500) { /* calm: the cursor still runs */
        monitor_picture(&m, grey(100), sizeof pic, t);
        monitor_cursor(&m, t, t);
        assert_false(verdict(&m, t, ""));
    }
    monitor_cursor(&m, 17000, 17000);
    assert_false(verdict(&m, 17000, "")); /* no picture came: that proves nothing */
    monitor_picture(&m, grey(100), sizeof pic, 17000);
    assert_true(verdict(&m, 17000, "frozen 7 s"));
    monitor_begin(&m, true, 20000);
    monitor_cursor(&m, 5, 20100);
    monitor_cursor(&m, 5, 22000);
    assert_false(verdict(&m, 22000, ""));
    assert_true(verdict(&m, 22700, "frozen 2 s"));
    monitor_begin(&m, true, 30000); /* nearly black, with noise */
    for (int t = 30000; t <= 32000; t += 500) {
        grey(3);
        pic[t % 1000] = (uint8_t)(t / 500 % 10);
        monitor_picture(&m, pic, sizeof pic, t);
        monitor_cursor(&m, t, t);
    }
    assert_true(verdict(&m, 32000, "black 2 s"));
}

static void cards_are_not_judged(void **state)
{
    static struct monitor m;
    (void)state;
    monitor_begin(&m, false, 0);
    for (int t = 0; t <= 60000; t += 500)
        monitor_picture(&m, grey(60), sizeof pic, t);
    assert_false(verdict(&m, 60000, ""));
}

static void ppm(void **state)
{
    /* "P6\n2 1\n255\n" and six bytes 1..6 */
    static const char good[] = "data:image/ppm;base64,UDYKMiAxCjI1NQoBAgMEBQY=";
    static const char *const bad[] = {"",
                                      "data:image/ppm;base64",
                                      "data:image/ppm;base64,",
                                      "data:image/ppm;base64,UDYKMiAxCjI1NQoBAgME", /* short */
                                      "data:image/ppm;base64,UDYKMiAxCjI1NAoBAgMEBQY=",
                                      "data:image/ppm;base64,UDUKMiAxCjI1NQoBAgMEBQY=",
                                      "data:image/ppm;base64,UDYKMCAxCjI1NQoBAgMEBQY=",
                                      "data:image/ppm;base64,UDYKOTk5OTk5IDk5OTk5OQoyNTUK",
                                      "data:text/html,UDYKMiAxCjI1NQoBAgMEBQY="};
    uint8_t rgb[6] = {0};
    int w, h;
    (void)state;
    assert_int_equal(monitor_ppm(good, rgb, sizeof rgb, &w, &h), 6);
    assert_int_equal(w, 2);
    assert_int_equal(h, 1);
    assert_int_equal(rgb[5], 6);
    assert_int_equal(monitor_ppm(good, rgb, 5, &w, &h), 0);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(monitor_ppm(bad[i], rgb, sizeof rgb, &w, &h), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(black_and_frozen),
        cmocka_unit_test(cards_are_not_judged),
        cmocka_unit_test(ppm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
