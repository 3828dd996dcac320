/* What replay says of two recipes. */
#include "unit.h"

#include "app/differ.h"
#include "base/json.h"

static char said[4000];

#define RECIPE(build, model)                                                                       \
    "{\"version\":\"1\",\"build\":\"" build "\",\"sha256\":\"aa\",\"model\":{\"id\":\"m\"," model  \
    "}}"

static int compare(const char *then, const char *now, bool identical)
{
    struct fault f;
    FILE *to = fmemopen(said, sizeof said, "w");
    cJSON *a = json_parse(then, strlen(then), &f), *b = json_parse(now, strlen(now), &f);
    assert_non_null(to);
    assert_non_null(a);
    assert_non_null(b);
    memset(said, 0, sizeof said);
    int n = differ_print(to, a, b, identical);
    fclose(to);
    cJSON_Delete(a);
    cJSON_Delete(b);
    return n;
}

static void test_the_same(void **state)
{
    static const char one[] = RECIPE("a", "\"runtime\":\"r\",\"pixels\":\"nv12\",\"threads\":2");
    (void)state;
    assert_int_equal(compare(one, one, true), 0);
    assert_string_equal(said, "");
    assert_int_equal(compare("{\"version\":\"1\"}", "{\"version\":\"1\"}", false),
                     0); /* no model */
}

static void test_another_build(void **state)
{
    (void)state;
    assert_int_equal(
        compare(RECIPE("a", "\"runtime\":\"r\""), RECIPE("b", "\"runtime\":\"s\""), true), 2);
    assert_string_equal(said, "  though another build made them:\n"
                              "  build: \"a\" then, \"b\" now\n"
                              "  runtime: \"r\" then, \"s\" now\n");
    assert_int_equal(
        compare(RECIPE("a", "\"runtime\":\"r\""), RECIPE("a", "\"runtime\":\"s\""), false), 1);
    assert_string_equal(said, "  runtime: \"r\" then, \"s\" now\n");
    assert_int_equal(compare(RECIPE("a", "\"threads\":2"), RECIPE("a", "\"threads\":4"), true), 1);
    assert_string_equal(said, "  though made in another way:\n"
                              "  threads: \"2\" then, \"4\" now\n");
}

/* Recipes of before say nothing of what there was but one way of. */
static void test_recipes_of_before(void **state)
{
    (void)state;
    assert_int_equal(
        compare(RECIPE("a", "\"tiny\":\"\""),
                RECIPE("a", "\"runtime\":\"s\",\"pixels\":\"nv12\",\"tiny\":\"\",\"tile\":0"),
                false),
        2);
    assert_string_equal(said, "  runtime: \"unknown\" then, \"s\" now\n"
                              "  pixels: \"rgb\" then, \"nv12\" now\n");
}

static void test_choices(void **state)
{
    static const char then[] = RECIPE("a", "\"choices\":[\"0000000000000005 1 a product 8x8x8\","
                                           "\"00000000000000a0 2 a convolution 8x16\","
                                           "\"00000000000000a1 2 of another clip\"]");
    static const char now[] = RECIPE("a", "\"choices\":[\"0000000000000005 1 a product 8x8x8\","
                                          "\"00000000000000a0 0 a convolution 8x16\"]");
    static const char *const hostile[] = {"7", "\"\"", "\"00000000000000a0\"",
                                          "\"00000000000000a0 x y\"", "\"00000000000000a0 1\""};
    char text[200];
    (void)state;
    assert_int_equal(compare(then, now, false), 1);
    assert_string_equal(said, "  a convolution 8x16: by candidate 2 then, by 0 now\n");
    assert_int_equal(compare(then, then, true), 0);
    for (size_t i = 0; i < sizeof hostile / sizeof *hostile; i++) {
        snprintf(text, sizeof text, RECIPE("a", "\"choices\":[%s]"), hostile[i]);
        compare(text, now, false);
        compare(now, text, false);
    }
    assert_int_equal(compare(RECIPE("a", "\"choices\":7"), now, false), 0);
}

static void test_inputs(void **state)
{
    (void)state;
    assert_int_equal(
        compare(RECIPE("a", "\"inputs\":[{\"role\":\"image\",\"path\":\"/f\",\"sha256\":\"1\"}]"),
                RECIPE("a", "\"inputs\":[{\"role\":\"image\",\"path\":\"/f\",\"sha256\":\"2\"}]"),
                false),
        1);
    assert_string_equal(said, "  the image /f is another file now\n");
}

static void test_loras(void **state)
{
    static const char then[] = RECIPE("a", "\"loras\":[{\"name\":\"old\"},{\"name\":\"ink\",\"id\":"
                                           "\"1\"}]");
    static const char now[] = RECIPE("a", "\"loras\":[{\"name\":\"old\",\"id\":\"7\"},{\"name\":"
                                          "\"ink\",\"id\":\"2\"}]");
    (void)state;
    assert_int_equal(compare(then, now, false), 1); /* of the old one nothing is known */
    assert_string_equal(said, "  the LoRA ink is another file now\n");
    assert_int_equal(compare(now, now, true), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_same),
        cmocka_unit_test(test_another_build),
        cmocka_unit_test(test_recipes_of_before),
        cmocka_unit_test(test_choices),
        cmocka_unit_test(test_inputs),
        cmocka_unit_test(test_loras),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
