#include "unit.h"

#include "obs/caption.h"
#include "obs/wire.h"

static void auth_vector(void **state)
{
    char out[64];
    (void)state;
    assert_int_equal(wire_auth(out, "supersecretpassword",
                               "lM1GncleQOaCu9lT1yeUZhFYnqhsLLP1G5lAGo3ixaI=",
                               "+IxH4CnCiqpX1rM9scsNynZzbOe4KhDeYcTNS3PDaeY="),
                     ERR_OK);
    assert_string_equal(out, "1Ct943GAT+6YQUUX47Ia/ncufilbe6+oD6lY+5kaCu4=");
    assert_int_equal(wire_auth(out, "", "", ""), ERR_OK);
    assert_int_equal(strlen(out), 44);
}

static enum err parse(struct wire *w, const char *text)
{
    return wire_parse(w, text, strlen(text), NULL);
}

static void messages(void **state)
{
    struct wire w;
    (void)state;
    assert_int_equal(parse(&w, "{\"op\":0,\"d\":{\"rpcVersion\":1,\"obsWebSocketVersion\":\"5\"}}"),
                     ERR_OK);
    assert_int_equal(w.op, WIRE_HELLO);
    assert_null(w.challenge);
    wire_free(&w);
    assert_int_equal(parse(&w, "{\"op\":0,\"d\":{\"rpcVersion\":1,\"authentication\":"
                               "{\"challenge\":\"c\",\"salt\":\"s\"}}}"),
                     ERR_OK);
    assert_string_equal(w.challenge, "c");
    assert_string_equal(w.salt, "s");
    wire_free(&w);
    assert_int_equal(parse(&w,
                           "{\"op\":7,\"d\":{\"requestId\":\"9\",\"requestType\":\"X\","
                           "\"requestStatus\":{\"result\":false,\"code\":600,\"comment\":\"n\"}}}"),
                     ERR_OK);
    assert_false(w.ok);
    assert_int_equal(w.code, 600);
    assert_string_equal(w.comment, "n");
    assert_null(w.data);
    wire_free(&w);
    assert_int_equal(parse(&w, "{\"op\":9,\"d\":{\"requestId\":\"3\",\"results\":[{\"requestType\":"
                               "\"A\",\"requestStatus\":{\"result\":true,\"code\":100},"
                               "\"responseData\":{\"n\":4}},7]}}"),
                     ERR_OK);
    struct wire r;
    assert_true(wire_result(&r, cJSON_GetArrayItem(w.data, 0)));
    assert_true(r.ok && json_int(r.data, "n", 0) == 4);
    assert_false(wire_result(&r, cJSON_GetArrayItem(w.data, 1)));
    assert_false(wire_result(&r, NULL));
    wire_free(&w);
}

static void hostile(void **state)
{
    static const char *const bad[] = {
        "",
        "x",
        "[]",
        "7",
        "null",
        "{}",
        "{\"op\":0}",
        "{\"op\":0,\"d\":7}",
        "{\"op\":0,\"d\":{}}",
        "{\"op\":\"0\",\"d\":{}}",
        "{\"op\":4,\"d\":{}}",
        "{\"op\":-1,\"d\":{}}",
        "{\"op\":1e300,\"d\":{}}",
        "{\"op\":5,\"d\":{}}",
        "{\"op\":5,\"d\":{\"eventType\":3}}",
        "{\"op\":7,\"d\":{\"requestId\":\"1\"}}",
        "{\"op\":7,\"d\":{\"requestId\":1,\"requestStatus\":{\"code\":100}}}",
        "{\"op\":7,\"d\":{\"requestId\":\"1\",\"requestStatus\":{\"code\":-5}}}",
        "{\"op\":9,\"d\":{\"requestId\":\"1\",\"results\":{}}}",
        "{\"op\":0,\"d\":{\"rpcVersion\":1,\"authentication\":{\"salt\":\"s\"}}}",
        "{\"op\":5,\"d\":{\"eventType\":\"a\"}} x"};
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct wire w;
        assert_int_not_equal(parse(&w, bad[i]), ERR_OK);
        assert_null(w.root);
    }
    char deep[4000];
    memset(deep, '[', sizeof deep);
    struct wire w;
    assert_int_not_equal(wire_parse(&w, deep, sizeof deep, NULL), ERR_OK);
}

static void built(void **state)
{
    struct buf b = BUF_INIT(0);
    cJSON *data = cJSON_CreateObject(), *list = cJSON_CreateArray();
    (void)state;
    cJSON_AddStringToObject(data, "sceneName", "a \"b\"\n雨");
    assert_true(wire_request(&b, "12", "SetCurrentProgramScene", data));
    assert_string_equal(buf_str(&b), "{\"op\":6,\"d\":{\"requestType\":\"SetCurrentProgramScene\","
                                     "\"requestId\":\"12\",\"requestData\":{\"sceneName\":\"a "
                                     "\\\"b\\\"\\n雨\"}}}");
    buf_reset(&b);
    assert_true(wire_batch(&b, "13", WIRE_FRAME, list));
    assert_string_equal(buf_str(&b),
                        "{\"op\":8,\"d\":{\"requestId\":\"13\",\"haltOnFailure\":false,"
                        "\"executionType\":1,\"requests\":[]}}");
    buf_reset(&b);
    assert_true(wire_identify(&b, NULL, 5));
    assert_string_equal(buf_str(&b),
                        "{\"op\":1,\"d\":{\"rpcVersion\":1,\"eventSubscriptions\":5}}");
    struct buf small = BUF_INIT(10);
    assert_false(wire_identify(&small, "x", 5));
    buf_free(&small);
    buf_free(&b);
    cJSON_Delete(data);
    cJSON_Delete(list);
}

static void wraps(const char *in, int cells, int lines, const char *want)
{
    struct buf b = BUF_INIT(0);
    assert_true(caption_wrap(&b, in, cells, lines));
    assert_string_equal(buf_str(&b), want);
    buf_free(&b);
}

static void captions(void **state)
{
    (void)state;
    wraps("", 10, 2, "");
    wraps("a fox", 10, 2, "a fox");
    wraps("a fox in the rain", 10, 2, "a fox in\nthe rain");
    wraps("a fox in the heavy rain", 10, 2, "a fox in\nthe heavy…");
    wraps("雨の駅でひとり", 8, 2, "雨の駅で\nひとり");
    wraps("abcdefghijklm", 5, 2, "abcde\nfghi…");
    wraps("ab cdefghijklm", 8, 3, "ab cdefg\nhijklm");
    wraps("雨", 1, 2, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(auth_vector), cmocka_unit_test(messages), cmocka_unit_test(hostile),
        cmocka_unit_test(built),       cmocka_unit_test(captions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
