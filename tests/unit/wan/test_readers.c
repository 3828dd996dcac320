/* Checkpoint files that lie: each is refused with a message that names the file, never read past
 * its end. The mapping is a copy of exact size, so that a sanitizer sees one byte too many. */
#include "unit.h"

#include "base/buf.h"
#include "base/path.h"
#include "wan/weights.h"

#include <unistd.h>

static struct fault why;

static enum err read_bytes(const void *bytes, size_t n,
                           enum err (*reader)(struct weights *, const struct mapping *,
                                              struct fault *))
{
    struct weights *w = weights_new();
    struct mapping *m = calloc(1, sizeof *m + 16);
    unsigned char *copy = malloc(n ? n : 1);
    memcpy(copy, bytes, n);
    strcpy(m->path, "file.x");
    m->data = copy;
    m->bytes = n;
    memset(&why, 0, sizeof why);
    enum err e = reader(w, m, &why);
    if (!e)
        e = weights_done(w, &why);
    if (e)
        assert_non_null(strstr(why.text, "file.x"));
    weights_free(w);
    free(m);
    free(copy);
    return e;
}

static enum err header(const char *json, size_t data)
{
    struct buf b = BUF_INIT(1 << 20);
    uint64_t n = strlen(json);
    buf_add(&b, &n, 8);
    buf_adds(&b, json);
    for (size_t i = 0; i < data; i++)
        buf_addc(&b, (char)i);
    enum err e = read_bytes(b.data, b.len, safetensors_read);
    buf_free(&b);
    return e;
}

static void a_sound_file(void **state)
{
    assert_int_equal(
        header("{\"a\":{\"dtype\":\"F32\",\"shape\":[2,3],\"data_offsets\":[0,24]}}", 24), ERR_OK);
    assert_int_equal(header("{}", 0), ERR_OK);
    assert_int_equal(header("{\"s\":{\"dtype\":\"F16\",\"shape\":[],\"data_offsets\":[1,3]},"
                            "\"__metadata__\":{\"config\":\"{}\"}}   ",
                            3),
                     ERR_OK);
}

static void headers_that_lie(void **state)
{
    static const struct {
        const char *json;
        size_t data;
    } bad[] = {
        {"", 0},
        {"[]", 0},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[2,3],\"data_offsets\":[0,24]}}", 23},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[2,3],\"data_offsets\":[0,23]}}", 24},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[2,3],\"data_offsets\":[24,0]}}", 24},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[2,-3],\"data_offsets\":[0,24]}}", 24},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[2.5],\"data_offsets\":[0,10]}}", 24},
        {"{\"a\":{\"dtype\":\"Q4\",\"shape\":[2],\"data_offsets\":[0,8]}}", 24},
        {"{\"a\":{\"shape\":[2],\"data_offsets\":[0,8]}}", 24},
        {"{\"a\":{\"dtype\":\"U8\",\"shape\":[1,1,1,1,1,1,1],\"data_offsets\":[0,1]}}", 24},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[4294967296,4294967296],\"data_offsets\":[0,0]}}",
         24},
        {"{\"a\":{\"dtype\":\"U8\",\"shape\":[1e300],\"data_offsets\":[0,0]}}", 24},
        {"{\"a\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[0,4]},"
         "\"b\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[3,7]}}",
         24},
        {"{\"a\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[0,4]},"
         "\"a\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[4,8]}}",
         24},
        {"{\"a\":7}", 24},
        {"{\"a\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[0,4]}", 24},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_not_equal(header(bad[i].json, bad[i].data), ERR_OK);
}

static void huge_headers(void **state)
{
    unsigned char b[16] = {0};
    for (size_t n = 0; n < 8; n++)
        assert_int_equal(read_bytes(b, n, safetensors_read), ERR_CORRUPT);
    b[4] = 3; /* 12 GiB */
    assert_int_equal(read_bytes(b, 16, safetensors_read), ERR_LIMIT);
    memset(b, 0xff, 8);
    assert_int_equal(read_bytes(b, 16, safetensors_read), ERR_LIMIT);
    memset(b, 0, 8);
    b[0] = 9;
    assert_int_equal(read_bytes(b, 16, safetensors_read), ERR_CORRUPT);
}

static void golden_path(const char *name, char path[PATH_LEN])
{
    const char *dir = getenv("srcdir");
    snprintf(path, PATH_LEN, "%s/tests/wan/open/tiny_t2v/%s", dir ? dir : ".", name);
}

static void golden_file(const char *name, struct buf *b)
{
    char path[PATH_LEN];
    golden_path(name, path);
    assert_int_equal(path_read(path, 64 << 20, b, &why), ERR_OK);
}

static void torch_and_safetensors_agree(void **state)
{
    char path[PATH_LEN];
    struct weights *x = NULL, *y = NULL;
    golden_path("models_t5_umt5-xxl-enc-bf16.pth", path);
    assert_int_equal(weights_open(path, &x, &why), ERR_OK);
    golden_path("models_t5_umt5-xxl-enc-bf16.safetensors", path);
    assert_int_equal(weights_open(path, &y, &why), ERR_OK);
    assert_int_equal(x->n, y->n);
    for (int i = 0; i < x->n; i++) {
        assert_string_equal(x->t[i].name, y->t[i].name);
        assert_int_equal(x->t[i].count, y->t[i].count);
        assert_memory_equal(x->t[i].data, y->t[i].data,
                            (size_t)x->t[i].count * dtype_size(x->t[i].type));
    }
    weights_free(x);
    weights_free(y);
}

/* Cuts and single flipped bytes near the ends of the archive, where its structure is. */
static void damaged_archives(void **state)
{
    struct buf a = BUF_INIT(64 << 20);
    golden_file("models_t5_umt5-xxl-enc-bf16.pth", &a);
    for (size_t cut = 1; cut < 3000; cut += 97)
        assert_int_not_equal(read_bytes(a.data, a.len - cut, pth_read), ERR_OK);
    assert_int_not_equal(read_bytes("PK\3\4", 4, pth_read), ERR_OK);
    for (size_t i = 0; i < 400; i++) { /* must end, whatever it says */
        size_t at = i < 200 ? i * 29 % 6000 : a.len - 1 - i * 13 % 5000;
        a.data[at] ^= (char)(1 << i % 8);
        read_bytes(a.data, a.len, pth_read);
        a.data[at] ^= (char)(1 << i % 8);
    }
    buf_free(&a);
}

/* A zip of one stored member, archive/data.pkl. */
static enum err pickle(const void *bytes, size_t n)
{
    static const char name[] = "archive/data.pkl";
    struct buf b = BUF_INIT(1 << 20);
    uint32_t len = (uint32_t)n, name_n = sizeof name - 1, at;
    unsigned char local[30] = "PK\3\4", central[46] = "PK\1\2", end[22] = "PK\5\6";
    local[26] = (unsigned char)name_n;
    buf_add(&b, local, sizeof local);
    buf_adds(&b, name);
    buf_add(&b, bytes, n);
    at = (uint32_t)b.len;
    memcpy(central + 20, &len, 4);
    memcpy(central + 24, &len, 4);
    central[28] = (unsigned char)name_n;
    buf_add(&b, central, sizeof central);
    buf_adds(&b, name);
    end[10] = 1;
    memcpy(end + 16, &at, 4);
    buf_add(&b, end, sizeof end);
    enum err e = read_bytes(b.data, b.len, pth_read);
    buf_free(&b);
    return e;
}

#define PICKLE(text) pickle(text, sizeof text - 1)

static void pickles_run_nothing(void **state)
{
    assert_int_equal(PICKLE("\x80\2cos\nsystem\n(X\2\0\0\0lstR."), ERR_DENIED);
    assert_non_null(strstr(why.text, "os.system"));
    assert_int_equal(PICKLE("\x80\2cbuiltins\neval\nq\0."), ERR_DENIED);
    assert_int_equal(PICKLE("\x80\2}i__main__\nx\n."), ERR_DENIED);
    assert_int_equal(PICKLE("\x80\2\x8c\2os\x8c\6system\x93."), ERR_DENIED);
    assert_int_not_equal(PICKLE("\x80\2}."), ERR_OK); /* no tensors */
    assert_int_not_equal(PICKLE("\x80\2."), ERR_OK);
    assert_int_not_equal(PICKLE(""), ERR_OK);
    assert_int_not_equal(PICKLE("\x80\2}(u"), ERR_OK);
    assert_int_not_equal(PICKLE("\x80\2u."), ERR_OK);
    assert_int_not_equal(PICKLE("\x80\2tR."), ERR_OK);
    assert_int_not_equal(PICKLE("\x80\2h\7."), ERR_OK);
    assert_int_not_equal(PICKLE("\x80\2}r\xff\xff\xff\xff."), ERR_OK);
    assert_int_not_equal(PICKLE("\x80\2X\xff\xff\xff\x7f."), ERR_OK);
    assert_int_not_equal(PICKLE("\x80\2ctorch._utils\n_rebuild_tensor_v2\n)R."), ERR_OK);
    assert_int_not_equal(PICKLE("\x80\2ctorch\nFloatStorage\n)R."), ERR_OK);
    /* a list that holds itself, doubled again and again by reference, stays small */
    char bomb[2000] = "\x80\2]q\0";
    size_t n = 5;
    bomb[2] = ']';
    bomb[3] = 'q';
    bomb[4] = 0;
    while (n < sizeof bomb - 8)
        n += (size_t)sprintf(bomb + n, "(h%ch%ce", 0, 0) > 0 ? 6 : 0;
    assert_int_not_equal(pickle(bomb, n), ERR_OK);
}

static void missing_files_are_named(void **state)
{
    struct weights *w = NULL;
    assert_int_equal(weights_open("/nonexistent/x.safetensors", &w, &why), ERR_NOTFOUND);
    assert_non_null(strstr(why.text, "/nonexistent/x.safetensors"));
    assert_int_not_equal(weights_open("/tmp", &w, &why), ERR_OK);
}

static enum err index_of(const char *json)
{
    char dir[] = "/tmp/sakuga-readers-XXXXXX", path[PATH_LEN];
    struct weights *w = NULL;
    assert_non_null(mkdtemp(dir));
    snprintf(path, sizeof path, "%s/m.safetensors.index.json", dir);
    assert_int_equal(path_write(path, json, strlen(json), 0600, &why), ERR_OK);
    enum err e = weights_open(path, &w, &why);
    weights_free(e ? NULL : w);
    unlink(path);
    rmdir(dir);
    return e;
}

static void an_index_stays_in_its_folder(void **state)
{
    assert_int_equal(index_of("{\"weight_map\":{\"a\":\"../../etc/passwd\"}}"), ERR_CORRUPT);
    assert_int_equal(index_of("{\"weight_map\":{\"a\":\"/etc/passwd\"}}"), ERR_CORRUPT);
    assert_int_equal(index_of("{\"weight_map\":{\"a\":\"..\"}}"), ERR_CORRUPT);
    assert_int_equal(index_of("{\"weight_map\":{\"a\":7}}"), ERR_CORRUPT);
    assert_int_equal(index_of("{\"weight_map\":{\"a\":\"not-there.safetensors\"}}"), ERR_NOTFOUND);
    assert_int_equal(index_of("{}"), ERR_CORRUPT);
    assert_int_equal(index_of("nonsense"), ERR_CORRUPT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_sound_file),
        cmocka_unit_test(headers_that_lie),
        cmocka_unit_test(huge_headers),
        cmocka_unit_test(torch_and_safetensors_agree),
        cmocka_unit_test(damaged_archives),
        cmocka_unit_test(pickles_run_nothing),
        cmocka_unit_test(missing_files_are_named),
        cmocka_unit_test(an_index_stays_in_its_folder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
