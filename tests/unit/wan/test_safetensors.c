/* safetensors files and their indexes: what is right is read in any order and alignment; what lies
 * is refused with a message that names the file and the tensor. */
#include "lying_file.h"

#include <cjson/cJSON.h>

static void put_file(struct buf *b, const char *json, size_t data)
{
    uint64_t n = strlen(json);
    buf_add(b, &n, 8);
    buf_adds(b, json);
    for (size_t i = 0; i < data; i++)
        buf_addc(b, (char)i);
}

#define F32(shape, from, to)                                                                       \
    "{\"dtype\":\"F32\",\"shape\":[" shape "],\"data_offsets\":[" #from "," #to "]}"
#define U8(shape, from, to)                                                                        \
    "{\"dtype\":\"U8\",\"shape\":[" shape "],\"data_offsets\":[" #from "," #to "]}"

static void refused(const char *json, size_t data, enum err want, const char *const *words)
{
    struct buf b = BUF_INIT(0);
    put_file(&b, json, data);
    lying_refused("x.safetensors", b.data, b.len, want, words);
    buf_free(&b);
}

static void sound(void **state)
{
    struct buf b = BUF_INIT(0);
    float v[4];
    char shape[32];
    put_file(&b,
             "{\"z\":" U8("3", 0,
                          3) ",\"__metadata__\":{\"config\":\"{}\"},"
                             "\"a\":{\"dtype\":\"BF16\",\"shape\":[2,2],\"data_offsets\":[3,11]},"
                             "\"s\":{\"dtype\":\"F16\",\"shape\":[],\"data_offsets\":[11,13]},"
                             "\"none\":" F32("0,5", 13, 13) ",\"none2\":" F32("0", 13, 13) "}    ",
             13);
    struct weights *w = lying_sound("x.safetensors", b.data, b.len);
    assert_int_equal(w->n, 5);
    assert_string_equal(weights_meta(w, "config"), "{}");
    const struct wtensor *t = weights_find(w, "a");
    assert_int_equal(t->type, DTYPE_BF16);
    wtensor_shape_text(t, shape, sizeof shape);
    assert_string_equal(shape, "[2, 2]");
    wtensor_widen(t, v); /* at an odd address */
    uint32_t bits = 0x04030000u;
    assert_memory_equal(v, &bits, 4);
    assert_int_equal(weights_find(w, "s")->rank, 0);
    assert_int_equal(weights_find(w, "s")->count, 1);
    assert_int_equal(weights_find(w, "none")->count, 0);
    assert_null(weights_find(w, "b"));
    weights_free(w);
    buf_free(&b);
}

static void shapes_and_offsets(void **state)
{
    refused("{\"w\":" F32("2,3", 0, 24) "}", 23, ERR_CORRUPT, WORDS("w", "truncated", "1 bytes"));
    refused("{\"w.x\":" F32("2,3", 0, 20) "}", 24, ERR_CORRUPT, WORDS("w.x", "20", "24"));
    refused("{\"w.x\":" F32("2,3", 24, 0) "}", 24, ERR_CORRUPT, WORDS("w.x", "data_offsets"));
    refused("{\"w.x\":" F32("2,-3", 0, 24) "}", 24, ERR_CORRUPT, WORDS("w.x", "whole numbers"));
    refused("{\"w.x\":" F32("2.5", 0, 10) "}", 24, ERR_CORRUPT, WORDS("w.x", "whole numbers"));
    refused("{\"w.x\":" F32("\"2\"", 0, 8) "}", 24, ERR_CORRUPT, WORDS("w.x", "whole numbers"));
    refused("{\"w.x\":" U8("1,1,1,1,1,1,1", 0, 1) "}", 1, ERR_CORRUPT, WORDS("w.x", "axes"));
    refused("{\"w.x\":" F32("4294967296,4294967296", 0, 0) "}", 9, ERR_CORRUPT,
            WORDS("w.x", "impossibly large"));
    refused("{\"w.x\":" F32("4611686018427387904", 0, 0) "}", 9, ERR_CORRUPT, WORDS("w.x"));
    refused("{\"w.x\":" F32("1e400", 0, 0) "}", 9, ERR_CORRUPT, WORDS("w.x", "whole numbers"));
    refused("{\"w.x\":" U8("1", 9007199254740991, 9007199254740992) "}", 9, ERR_CORRUPT,
            WORDS("w.x", "truncated"));
    refused("{\"w.x\":{\"shape\":[1],\"data_offsets\":[0,1]}}", 9, ERR_UNSUPPORTED,
            WORDS("w.x", "type"));
    refused("{\"w.x\":{\"dtype\":\"Q4_K\",\"shape\":[1],\"data_offsets\":[0,1]}}", 9,
            ERR_UNSUPPORTED, WORDS("w.x", "Q4_K"));
    refused("{\"w.x\":7}", 9, ERR_UNSUPPORTED, WORDS("w.x"));
    refused("{\"w.x\":{\"dtype\":\"U8\",\"shape\":[1]}}", 9, ERR_CORRUPT,
            WORDS("w.x", "data_offsets"));
}

static void overlaps(void **state)
{
    refused("{\"w.x\":" U8("4", 0, 4) ",\"w.y\":" U8("4", 3, 7) "}", 9, ERR_CORRUPT,
            WORDS("w.x", "w.y", "overlap"));
    refused("{\"w.x\":" U8("9", 0, 9) ",\"w.y\":" U8("1", 5, 6) "}", 9, ERR_CORRUPT,
            WORDS("w.x", "w.y", "overlap"));
    refused("{\"w.x\":" U8("9", 0, 9) ",\"w.y\":" U8("9", 0, 9) "}", 9, ERR_CORRUPT,
            WORDS("w.x", "w.y", "overlap"));
    refused("{\"w.x\":" U8("4", 0, 4) ",\"w.x\":" U8("4", 4, 8) "}", 9, ERR_CORRUPT,
            WORDS("w.x", "twice"));
}

static void headers(void **state)
{
    unsigned char b[24] = {0};
    lying_refused("x.safetensors", b, 0, ERR_CORRUPT, WORDS("too short"));
    lying_refused("x.safetensors", b, 7, ERR_CORRUPT, WORDS("too short"));
    b[0] = 17;
    lying_refused("x.safetensors", b, 24, ERR_CORRUPT, WORDS("truncated", "17"));
    memset(b, 0xff, 8);
    lying_refused("x.safetensors", b, 24, ERR_LIMIT, WORDS("18446744073709551615"));
    refused("", 0, ERR_CORRUPT, WORDS("header"));
    refused("[]", 0, ERR_CORRUPT, WORDS("no object"));
    refused("{\"w\":" U8("1", 0, 1), 1, ERR_CORRUPT, WORDS("JSON"));
    struct buf deep = BUF_INIT(0);
    for (int i = 0; i < 100000; i++)
        buf_adds(&deep, "{\"a\":");
    refused(buf_str(&deep), 0, ERR_CORRUPT, WORDS("nested"));
    buf_free(&deep);
}

/* The file really is as long as its header claims to be. */
static void a_header_of_10_gb(void **state)
{
    uint64_t n = (uint64_t)10 << 30;
    lying_write("x.safetensors", &n, 8);
    if (truncate(lying_path("x.safetensors"), (off_t)n + 100)) {
        unlink(lying_path("x.safetensors"));
        skip();
    }
    weights_free(lying_open("x.safetensors", ERR_LIMIT, WORDS("10737418240")));
    unlink(lying_path("x.safetensors"));
}

static size_t asked; /* of cJSON's memory, in all */

static void *counted(size_t n)
{
    asked += n;
    return malloc(n);
}

/* What a hostile header of the largest size costs: nothing when it holds too many values, less than
 * 80 MB when it does not. Each value of it is as dear as can be. */
static void a_header_full_of_values(void **state)
{
    static const char *const dear[] = {"[],", "0,", "\"\",", "[[]],"};
    cJSON_Hooks hooks = {counted, free};
    cJSON_InitHooks(&hooks);
    for (size_t i = 0; i < sizeof dear / sizeof *dear; i++) {
        struct buf b = BUF_INIT(0);
        uint64_t n = WEIGHTS_JSON_BYTES;
        buf_add(&b, &n, 8);
        buf_adds(&b, "{\"a\":[");
        while (b.len < 8 + n - 8)
            buf_adds(&b, dear[i]);
        while (b.len < 8 + n)
            buf_addc(&b, ' ');
        asked = 0;
        lying_refused("x.safetensors", b.data, b.len, ERR_LIMIT, WORDS("524288 values"));
        assert_int_equal(asked, 0);
        n++;
        memcpy(b.data, &n, 8);
        buf_addc(&b, ' ');
        lying_refused("x.safetensors", b.data, b.len, ERR_LIMIT, WORDS("16777217"));
        lying_refused("x.index.json", b.data + 8, b.len - 10, ERR_LIMIT, WORDS("524288 values"));
        assert_int_equal(asked, 0);
        buf_free(&b);
    }
    /* as many tensors as fit in, and a long text: accepted, within the bound */
    struct buf b = BUF_INIT(0);
    uint64_t n = WEIGHTS_JSON_BYTES;
    int tensors = 43000;
    buf_add(&b, &n, 8);
    buf_adds(&b, "{\"__metadata__\":{\"x\":\"");
    for (int i = 0; i < 4 << 20; i++)
        buf_addc(&b, 'x');
    buf_adds(&b, "\"}");
    for (int i = 0; i < tensors; i++)
        buf_addf(
            &b,
            ",\"blocks.%d.cross_attn.norm_k.weight\":{\"dtype\":\"F8_E4M3\",\"shape\":[1,1,1,1,"
            "1,1],\"data_offsets\":[%d,%d]}",
            i, i, i + 1);
    buf_addc(&b, '}');
    while (b.len < 8 + n)
        buf_addc(&b, ' ');
    for (int i = 0; i < tensors; i++)
        buf_addc(&b, 1);
    asked = 0;
    struct weights *w = lying_sound("x.safetensors", b.data, b.len);
    assert_int_equal(w->n, tensors);
    weights_free(w);
    cJSON_InitHooks(NULL);
    assert_in_range(asked, (size_t)20 << 20, (size_t)80 << 20);
    buf_free(&b);
}

static void every_cut(void **state)
{
    struct buf b = BUF_INIT(0);
    put_file(&b, "{\"first\":" U8("4", 0, 4) ",\"last\":" U8("4", 4, 8) "}", 8);
    for (size_t n = 0; n < b.len; n++)
        lying_refused("x.safetensors", b.data, n, ERR_CORRUPT, WORDS("x.safetensors"));
    lying_refused("x.safetensors", b.data, b.len - 1, ERR_CORRUPT, WORDS("last", "truncated"));
    buf_free(&b);
}

/* A config is a text in the header, so the header's own limit does not count its values. */
static void configs(void **state)
{
    static const struct {
        int values;
        bool taken;
    } of[] = {{0, true}, {100, true}, {5000, false}, {1000000, false}};
    for (size_t i = 0; i < sizeof of / sizeof *of; i++) {
        struct buf b = BUF_INIT(0), json = BUF_INIT(0);
        buf_adds(&json, "{\"a\":" U8("1", 0, 1) ",\"__metadata__\":{\"config\":\"{\\\"x\\\":[1");
        for (int k = 0; k < of[i].values; k++)
            buf_adds(&json, ",0");
        buf_adds(&json, "]}\"}}");
        put_file(&b, buf_str(&json), 1);
        struct weights *w = lying_sound("x.safetensors", b.data, b.len);
        struct cJSON *config = weights_config(w);
        assert_int_equal(config != NULL, of[i].taken);
        cJSON_Delete(config);
        weights_free(w);
        buf_free(&b);
        buf_free(&json);
    }
}

static void indexed(const char *weight_map, enum err want, const char *const *words)
{
    struct buf b = BUF_INIT(0), index = BUF_INIT(0);
    put_file(&b, "{\"a\":" U8("1", 0, 1) "}", 1);
    lying_write("1.safetensors", b.data, b.len);
    buf_reset(&b);
    put_file(&b, "{\"b\":" U8("1", 0, 1) "}", 1);
    lying_write("2.safetensors", b.data, b.len);
    lying_write("cut.safetensors", b.data, b.len - 1);
    buf_addf(&index, "{\"weight_map\":%s}", weight_map);
    lying_write("m.index.json", index.data, index.len);
    struct weights *w = NULL;
    struct fault f = {0};
    enum err e = weights_open(lying_path("m.index.json"), &w, &f);
    if (e != want)
        fail_msg("%s in place of %s: %s", err_name(e), err_name(want), fault_text(&f));
    for (; e && *words; words++)
        if (!strstr(f.text, *words))
            fail_msg("\"%s\" says nothing of \"%s\"", f.text, *words);
    if (!e)
        assert_int_equal(w->n, 2);
    weights_free(e ? NULL : w);
    unlink(lying_path("1.safetensors"));
    unlink(lying_path("2.safetensors"));
    unlink(lying_path("cut.safetensors"));
    unlink(lying_path("m.index.json"));
    buf_free(&b);
    buf_free(&index);
}

static void indexes(void **state)
{
    indexed("{\"a\":\"1.safetensors\",\"b\":\"2.safetensors\"}", ERR_OK, WORDS(""));
    indexed("{\"a\":\"1.safetensors\",\"b\":\"cut.safetensors\"}", ERR_CORRUPT,
            WORDS("cut.safetensors", "tensor b", "truncated"));
    indexed("{\"a\":\"1.safetensors\",\"c\":\"2.safetensors\"}", ERR_CORRUPT,
            WORDS("m.index.json", "tensor c", "2.safetensors"));
    indexed("{\"a\":\"1.safetensors\",\"b\":\"3.safetensors\"}", ERR_NOTFOUND,
            WORDS("3.safetensors"));
    indexed("{\"a\":\"../1.safetensors\"}", ERR_CORRUPT, WORDS("m.index.json", "of a"));
    indexed("{\"a\":\"/etc/passwd\"}", ERR_CORRUPT, WORDS("m.index.json", "of a"));
    indexed("{\"a\":\"..\"}", ERR_CORRUPT, WORDS("m.index.json", "of a"));
    indexed("{\"a\":[\"1.safetensors\"]}", ERR_CORRUPT, WORDS("m.index.json", "of a"));
    indexed("{\"a\":\"m.index.json\"}", ERR_LIMIT, WORDS("m.index.json"));
    indexed("7", ERR_CORRUPT, WORDS("m.index.json", "weight_map"));
    indexed("{", ERR_CORRUPT, WORDS("m.index.json", "JSON"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sound),
        cmocka_unit_test(shapes_and_offsets),
        cmocka_unit_test(overlaps),
        cmocka_unit_test(headers),
        cmocka_unit_test(every_cut),
        cmocka_unit_test(a_header_of_10_gb),
        cmocka_unit_test(a_header_full_of_values),
        cmocka_unit_test(configs),
        cmocka_unit_test(indexes),
    };
    return cmocka_run_group_tests(tests, lying_begin, lying_end);
}
