/* Runs the tests of operations (ops.h). Without arguments on the CPU, by both makers of products;
 * `test_ops cuda f32`, bf16 or fp8 runs the same on another device (a name behind it: that test
 * alone). On one that computes in bf16 the inputs are numbers that bf16 holds, so that its bound is
 * that of the sums and the result alone. */
#include "unit/tensor/ops.h"

static bool no_bf16; /* this build or machine has none; it said so */

static int open_best(void **state)
{
    return device_open(&(struct device_setup){"cpu", "f32", 0}, &dev, NULL) != ERR_OK;
}

static struct device_setup asked;

static int open_asked(void **state)
{
    struct fault f = {0};
    if (device_open(&asked, &dev, &f))
        fail_msg("%s", fault_text(&f));
    printf("# %s\n", device_caps(dev)->words);
    return 0;
}

static int open_plain(void **state)
{
    return device_open(&(struct device_setup){"cpu-plain", "f32", 2}, &dev, NULL) != ERR_OK;
}

static int open_bf16(void **state)
{
    struct fault f = {0};
    enum err e = device_open(&(struct device_setup){"cpu", "bf16", 0}, &dev, &f);
    no_bf16 = e == ERR_UNSUPPORTED && strstr(f.text, "use f32");
    return e && !no_bf16;
}

static int close_device(void **state)
{
    int leak = device_used(dev) != 0;
    device_close(dev);
    return leak;
}

static int close_bf16(void **state)
{
    return no_bf16 ? 0 : close_device(state);
}

static void products_in_bf16(void **state)
{
    if (no_bf16)
        skip();
    assert_int_equal(device_caps(dev)->dtype, DTYPE_BF16);
    linear(state);
    stored_in_any_type(state);
    every_half(state);
    conv(state);
    one_kernel_for_all_sizes(state);
    products_of_one_x(state);
}

static void attention_in_bf16(void **state)
{
    if (no_bf16)
        skip();
    coarse = true;
    attention(state);
    attention_room(state);
    low_attention(state);
    coarse = false;
}

static void an_unknown_arithmetic(void **state)
{
    struct device *none = NULL;
    struct fault f = {0};
    assert_int_equal(device_open(&(struct device_setup){"cpu", "f8", 0}, &none, &f), ERR_INVAL);
    assert_non_null(strstr(f.text, "f8"));
    assert_int_equal(device_open(&(struct device_setup){"cpu-plain", "bf16", 0}, &none, &f),
                     ERR_UNSUPPORTED);
    assert_null(none);
}

#define OPS_ROW(test) cmocka_unit_test(test),

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        OPS_TESTS(OPS_ROW) cmocka_unit_test(an_unknown_arithmetic),
    };
    const struct CMUnitTest rounded[] = {cmocka_unit_test(products_in_bf16),
                                         cmocka_unit_test(attention_in_bf16)};
    if (argc > 3)
        cmocka_set_test_filter(argv[3]);
    if (argc > 2) {
        asked = (struct device_setup){argv[1], argv[2], 0};
        return cmocka_run_group_tests_name(argv[1], tests, open_asked, close_device);
    }
    int failed = cmocka_run_group_tests_name("cpu", tests, open_best, close_device);
    failed += cmocka_run_group_tests_name("cpu-plain", tests, open_plain, close_device);
    return failed + cmocka_run_group_tests_name("cpu in bf16", rounded, open_bf16, close_bf16);
}
