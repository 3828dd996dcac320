#include "unit.h"

#include "base/json.h"

static struct fault f;

static cJSON *parse(const char *text)
{
    f = (struct fault){0};
    return json_parse(text, strlen(text), &f);
}

static void bad(const char *text, size_t n, const char *said)
{
    f = (struct fault){0};
    cJSON *v = json_parse(text, n, &f);
    if (v)
        fail_msg("%s was taken", text);
    assert_int_equal(f.code, ERR_SYNTAX);
    if (!strstr(f.text, said))
        fail_msg("%s: \"%s\" is not in: %s", text, said, f.text);
}

static void one_value_and_nothing_behind_it(void **state)
{
    static const char *const fine[] = {"{}", "[]", "3", "\"x\"", "null", " {\"a\":[1,2]} \r\n\t"};
    static const char *const wrong[] = {"",          " ",       "{",        "{\"a\":}",
                                        "[1,]",      "{'a':1}", "\"x",      "nul",
                                        "{\"a\" 1}", "[1 2]",   "\"\\u12\""};
    (void)state;
    for (size_t i = 0; i < sizeof fine / sizeof *fine; i++) {
        cJSON *v = parse(fine[i]);
        if (!v)
            fail_msg("%s: %s", fine[i], f.text);
        cJSON_Delete(v);
    }
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        bad(wrong[i], strlen(wrong[i]), "malformed JSON");
    bad("{} {}", 5, "more text at byte 3");
    bad("3x", 2, "more text at byte 1");
    bad("{\"a\":1}\0{}", 10, "NUL byte");
    bad("{\"a\":\"\0\"}", 9, "NUL byte");
}

/* A text of n brackets each way. */
static cJSON *nested(int n, const char *open, const char *close)
{
    struct buf b = BUF_INIT(0);
    for (int i = 0; i < n; i++)
        buf_adds(&b, open);
    buf_addc(&b, '1');
    for (int i = 0; i < n; i++)
        buf_adds(&b, close);
    f = (struct fault){0};
    cJSON *v = json_parse(b.data, b.len, &f);
    buf_free(&b);
    return v;
}

static void the_depth_is_bounded(void **state)
{
    (void)state;
    cJSON *v = nested(64, "[", "]");
    assert_non_null(v);
    cJSON_Delete(v);
    assert_null(nested(65, "[", "]"));
    assert_non_null(strstr(f.text, "nested deeper than 64"));
    assert_null(nested(65, "{\"a\":", "}"));
    assert_null(nested(100000, "[", "]"));
    v = parse("\"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\\\"[\"");
    assert_non_null(v); /* brackets in a string are no depth */
    cJSON_Delete(v);
}

static void the_count_is_bounded(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t values;
    } exact[] = {{"7", 1}, {"[1,2,3]", 4}, {"{\"a\":1,\"b\":[2,\"x,[{\\\",y\"]}", 5}};
    for (size_t i = 0; i < sizeof exact / sizeof *exact; i++) {
        f = (struct fault){0};
        cJSON *v = json_parse_few(exact[i].text, strlen(exact[i].text), exact[i].values, &f);
        assert_non_null(v);
        cJSON_Delete(v);
        assert_null(json_parse_few(exact[i].text, strlen(exact[i].text), exact[i].values - 1, &f));
        assert_int_equal(f.code, ERR_LIMIT);
    }
    assert_null(json_parse_few("[[[", 3, 3, &f)); /* too many goes before malformed */
    assert_int_equal(f.code, ERR_LIMIT);
}

static void getters_never_fail(void **state)
{
    (void)state;
    cJSON *v =
        parse("{\"s\":\"x\",\"i\":7,\"d\":2.5,\"b\":true,\"o\":{\"i\":1},\"a\":[1],\"n\":null,"
              "\"S\":\"other case\"}");
    assert_non_null(v);
    assert_string_equal(json_str(v, "s", "-"), "x");
    assert_string_equal(json_str(v, "S", "-"), "other case");
    assert_string_equal(json_str(v, "i", "-"), "-");
    assert_string_equal(json_str(v, "n", "-"), "-");
    assert_string_equal(json_str(v, "gone", "-"), "-");
    assert_null(json_str(v, "gone", NULL));
    assert_int_equal(json_int(v, "i", -1), 7);
    assert_int_equal(json_int(v, "d", -1), -1); /* no whole number */
    assert_int_equal(json_int(v, "s", -1), -1);
    assert_true(json_num(v, "d", 0) == 2.5);
    assert_true(json_num(v, "i", 0) == 7);
    assert_true(json_num(v, "b", 3) == 3);
    assert_true(json_bool(v, "b", false));
    assert_true(json_bool(v, "i", true)); /* a number is no truth */
    assert_false(json_bool(v, "gone", false));
    assert_non_null(json_obj(v, "o"));
    assert_null(json_obj(v, "a"));
    assert_non_null(json_arr(v, "a"));
    assert_null(json_arr(v, "o"));
    assert_int_equal(json_int(json_obj(v, "o"), "i", -1), 1);
    assert_int_equal(json_int(json_obj(v, "gone"), "i", -1), -1); /* of nothing */
    assert_null(json_arr(json_arr(v, "a"), "i"));
    cJSON_Delete(v);
}

static int64_t number(const char *text)
{
    cJSON *v = parse(text);
    int64_t n = json_int(v, "i", -1);
    cJSON_Delete(v);
    return n;
}

static void whole_numbers_are_exact(void **state)
{
    (void)state;
    assert_int_equal(number("{\"i\":9007199254740992}"), INT64_C(9007199254740992));
    assert_int_equal(number("{\"i\":-9007199254740992}"), INT64_C(-9007199254740992));
    assert_int_equal(number("{\"i\":9007199254740994}"), -1); /* beyond what a double holds */
    assert_int_equal(number("{\"i\":1e300}"), -1);
    assert_int_equal(number("{\"i\":1e999}"), -1); /* infinite */
    assert_int_equal(number("{\"i\":1e3}"), 1000);
    assert_int_equal(number("{\"i\":0.5}"), -1);
}

static void what_is_printed_is_read_again(void **state)
{
    struct buf b = BUF_INIT(0), small = BUF_INIT(4);
    (void)state;
    cJSON *v = parse("{ \"text\": \"雨 \\\"\\n\\u0001\", \"id\": 12, \"big\": 999999999999999 }");
    assert_non_null(v);
    assert_true(json_print(&b, v, true));
    assert_string_equal(buf_str(&b), "{\"text\":\"雨 \\\"\\n\\u0001\",\"id\":12,"
                                     "\"big\":999999999999999}\n");
    assert_false(json_print(&small, v, false));
    assert_true(small.failed);
    cJSON_Delete(v);
    v = json_parse(b.data, b.len, &f);
    assert_non_null(v);
    assert_string_equal(json_str(v, "text", ""), "雨 \"\n\x01");
    cJSON_Delete(v);
    buf_free(&b);
    buf_free(&small);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_value_and_nothing_behind_it),
        cmocka_unit_test(the_depth_is_bounded),
        cmocka_unit_test(the_count_is_bounded),
        cmocka_unit_test(getters_never_fail),
        cmocka_unit_test(whole_numbers_are_exact),
        cmocka_unit_test(what_is_printed_is_read_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
