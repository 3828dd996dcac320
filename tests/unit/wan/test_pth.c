/* torch archives: all that torch writes is read; archives that lie, bombs of both kinds and pickles
 * with a will of their own are refused, with the file and the tensor or member in the message. */
#include "lying_file.h"

/* Pickle by hand: a storage, and a tensor in it. */
#define GLOBAL(module, name) "c" module "\n" name "\n"
#define STR(s) "\x8c" s /* the length is the first byte of s */
#define STORAGE(type, key, n)                                                                      \
    "(" STR("\7storage") GLOBAL("torch", type) STR("\1" key) STR("\3cpu") "K" n "tQ"
#define TENSOR(storage, offset, sizes, strides)                                                    \
    GLOBAL("torch._utils", "_rebuild_tensor_v2")                                                   \
    "(" storage "K" offset "(" sizes "t(" strides                                                  \
    "t\x89" GLOBAL("collections", "OrderedDict") ")RtR"
#define F4 STORAGE("FloatStorage", "0", "\4")
#define DICT(items) "\x80\2}(" items "u."

/* What a zip may lie about. */
struct zip_lie {
    bool deflated, encrypted, zip64, beyond;
    uint64_t size;   /* in the directory, in place of the true one */
    uint64_t count;  /* of members, in the end record */
    uint64_t offset; /* of the directory */
    int pad;         /* bytes of extra field in local headers */
};

static void put(struct buf *b, uint64_t v, int bytes)
{
    for (; bytes--; v >>= 8)
        buf_addc(b, (char)(v & 0xff));
}

static void add(struct buf *zip, struct buf *directory, const struct zip_lie *lie, const char *name,
                const void *bytes, size_t n)
{
    uint64_t at = zip->len, size = lie->size ? lie->size : n;
    bool wide = lie->zip64 || size > 0xffffffff;
    size_t name_n = strlen(name);
    buf_add(zip, "PK\3\4", 4);
    put(zip, 0, 2);
    put(zip, 0x808, 2);
    put(zip, 0, 18); /* torch leaves CRC and sizes to the directory */
    put(zip, name_n, 2);
    put(zip, (uint64_t)lie->pad, 2);
    buf_adds(zip, name);
    for (int i = 0; i < lie->pad; i++)
        buf_addc(zip, 'F');
    buf_add(zip, bytes, n);
    buf_add(directory, "PK\1\2", 4);
    put(directory, 0, 4);
    put(directory, 0x808 | lie->encrypted, 2);
    put(directory, lie->deflated ? 8 : 0, 2);
    put(directory, 0, 8);
    put(directory, wide ? 0xffffffff : size, 4);
    put(directory, wide ? 0xffffffff : size, 4);
    put(directory, name_n, 2);
    put(directory, wide ? 28 : 0, 2);
    put(directory, 0, 10);
    put(directory, wide ? 0xffffffff : lie->beyond ? 0x7ffffff : at, 4);
    buf_adds(directory, name);
    if (wide) {
        put(directory, 1, 2);
        put(directory, 24, 2);
        put(directory, size, 8);
        put(directory, size, 8);
        put(directory, lie->beyond ? UINT64_MAX - 20 : at, 8);
    }
}

static void finish(struct buf *zip, struct buf *directory, const struct zip_lie *lie,
                   uint64_t count)
{
    uint64_t at = lie->offset ? lie->offset : zip->len;
    count = lie->count ? lie->count : count;
    buf_add(zip, directory->data, directory->len);
    if (lie->zip64) {
        uint64_t record = zip->len;
        buf_add(zip, "PK\6\6", 4);
        put(zip, 44, 8);
        put(zip, 0, 12);
        put(zip, count, 8);
        put(zip, count, 8);
        put(zip, directory->len, 8);
        put(zip, at, 8);
        buf_add(zip, "PK\6\7", 4);
        put(zip, 0, 4);
        put(zip, record, 8);
        put(zip, 1, 4);
    }
    buf_add(zip, "PK\5\6", 4);
    put(zip, 0, 4);
    put(zip, lie->zip64 ? 0xffff : count, 2);
    put(zip, lie->zip64 ? 0xffff : count, 2);
    put(zip, directory->len, 4);
    put(zip, lie->zip64 ? 0xffffffff : at, 4);
    put(zip, 0, 2);
}

/* archive/data.pkl and one storage of 16 bytes */
static void archive(struct buf *zip, const struct zip_lie *lie, const void *pickle, size_t n)
{
    static const float four[] = {1, 2, 3, 4};
    struct buf directory = BUF_INIT(0);
    add(zip, &directory, lie, "archive/data.pkl", pickle, n);
    add(zip, &directory, lie, "archive/data/0", four, sizeof four);
    finish(zip, &directory, lie, 2);
    buf_free(&directory);
}

static void refused_pickle(const void *pickle, size_t n, enum err want, const char *const *words)
{
    struct buf zip = BUF_INIT(0);
    archive(&zip, &(struct zip_lie){0}, pickle, n);
    lying_refused("x.pth", zip.data, zip.len, want, words);
    buf_free(&zip);
}

#define REFUSED(pickle, want, ...)                                                                 \
    refused_pickle(pickle, sizeof pickle - 1, want, WORDS(__VA_ARGS__))

static void refused_zip(struct zip_lie lie, enum err want, const char *const *words)
{
    static const char pickle[] = DICT(STR("\1w") TENSOR(F4, "\0", "K\4", "K\1"));
    struct buf zip = BUF_INIT(0);
    archive(&zip, &lie, pickle, sizeof pickle - 1);
    lying_refused("x.pth", zip.data, zip.len, want, words);
    buf_free(&zip);
}

static struct weights *sound_zip(struct zip_lie lie, const void *pickle, size_t n)
{
    struct buf zip = BUF_INIT(0);
    archive(&zip, &lie, pickle, n);
    struct weights *w = lying_sound("x.pth", zip.data, zip.len);
    buf_free(&zip);
    return w;
}

#define SOUND(pickle) sound_zip((struct zip_lie){0}, pickle, sizeof pickle - 1)

static void expect(const struct weights *w, const char *name, int n, const float *want)
{
    float v[16];
    const struct wtensor *t = weights_find(w, name);
    assert_non_null(t);
    assert_int_equal(t->count, n);
    wtensor_widen(t, v);
    assert_memory_equal(v, want, (size_t)n * sizeof *v);
}

static void sound(void **state)
{
    static const char plain[] = DICT(STR("\1w") TENSOR(F4, "\0", "K\2K\2", "K\2K\1") //
                                     STR("\1t") TENSOR(F4, "\0", "K\2K\2", "K\1K\2") //
                                     STR("\1s") TENSOR(F4, "\3", "", "")             //
                                     STR("\1r") TENSOR(F4, "\1", "K\4", "K\0")       //
                                     STR("\1e") TENSOR(F4, "\4", "K\0K\3", "K\3K\1"));
    const float w4[] = {1, 2, 3, 4}, t4[] = {1, 3, 2, 4}, s1[] = {4}, r4[] = {2, 2, 2, 2};
    struct weights *w = SOUND(plain);
    assert_int_equal(w->n, 5);
    expect(w, "w", 4, w4);
    expect(w, "t", 4, t4);
    expect(w, "s", 1, s1);
    expect(w, "r", 4, r4);
    assert_int_equal(weights_find(w, "e")->count, 0);
    weights_free(w);
    struct zip_lie forms[] = {{.pad = 37}, {.zip64 = true}, {.zip64 = true, .pad = 64}};
    for (size_t i = 0; i < 3; i++) {
        w = sound_zip(forms[i], plain, sizeof plain - 1);
        expect(w, "w", 4, w4);
        weights_free(w);
    }
}

static void forms_of_state(void **state)
{
    const float w4[] = {1, 2, 3, 4};
    static const char module[] = "\x80\2" GLOBAL("collections", "OrderedDict") ")R(" STR("\1w")
        TENSOR(F4, "\0", "K\4", "K\1") "u}" STR("\11_metadata") "}sb.";
    static const char parameter[] =
        DICT(STR("\1w") GLOBAL("torch._utils", "_rebuild_parameter") "(" TENSOR(
            F4, "\0", "K\4", "K\1") "\x88" GLOBAL("collections", "OrderedDict") ")RtR");
    static const char training[] =
        DICT(STR("\4step") "K\7" STR("\11generator") "}" STR("\1w")
                 TENSOR(F4, "\0", "K\2", "K\1") "s" STR("\15generator_ema") "}" STR("\1w")
                     TENSOR(F4, "\0", "K\4", "K\1") "s");
    struct weights *w = SOUND(module);
    expect(w, "w", 4, w4);
    weights_free(w);
    w = SOUND(parameter);
    expect(w, "w", 4, w4);
    weights_free(w);
    w = SOUND(training);
    expect(w, "w", 4, w4);
    weights_free(w);
}

static void misshapen(void **state)
{
    REFUSED(DICT(STR("\3w.x") TENSOR(F4, "\0", "K\5", "K\1")), ERR_CORRUPT, "w.x", "larger");
    REFUSED(DICT(STR("\3w.x") TENSOR(F4, "\1", "K\4", "K\1")), ERR_CORRUPT, "w.x", "behind");
    REFUSED(DICT(STR("\3w.x") TENSOR(F4, "\0", "K\2", "K\4")), ERR_CORRUPT, "w.x", "behind");
    REFUSED(DICT(STR("\3w.x") TENSOR(F4, "\5", "K\0", "K\1")), ERR_CORRUPT, "w.x", "behind");
    REFUSED(DICT(STR("\3w.x") TENSOR(F4, "\0", "K\4", "")), ERR_CORRUPT, "w.x", "axes");
    REFUSED(DICT(STR("\3w.x") TENSOR(F4, "\0", "K\1K\1K\1K\1K\1K\1K\1", "K\1K\1K\1K\1K\1K\1K\1")),
            ERR_CORRUPT, "w.x", "axes");
    REFUSED(DICT(STR("\3w.x") TENSOR(F4, "\0", "J\xff\xff\xff\xff", "K\1")), ERR_CORRUPT, "w.x",
            "shape");
    REFUSED(DICT(STR("\3w.x") TENSOR(F4, "\0", "N", "K\1")), ERR_CORRUPT, "w.x", "shape");
    REFUSED(DICT(STR("\3w.x") TENSOR(F4, "\0", "K\2", "J\xff\xff\xff\xff")), ERR_CORRUPT, "w.x",
            "shape");
    REFUSED(DICT(STR("\3w.x") TENSOR(F4, "\0", "K\2", "\x8a\x8\xff\xff\xff\xff\xff\xff\xff\x7f")),
            ERR_CORRUPT, "w.x", "behind");
    REFUSED(DICT(STR("\3w.x") TENSOR(F4, "\0", "K\3", "\x8a\x8\xff\xff\xff\xff\xff\xff\xff\x7f")),
            ERR_CORRUPT, "w.x", "strides");
    REFUSED(DICT(STR("\3w.x") TENSOR(STORAGE("FloatStorage", "0", "\5"), "\0", "K\4", "K\1")),
            ERR_CORRUPT, "w.x", "cut short");
    REFUSED(DICT(STR("\3w.x") TENSOR(STORAGE("DoubleStorage", "0", "\4"), "\0", "K\4", "K\1")),
            ERR_CORRUPT, "w.x", "cut short");
    REFUSED(DICT(STR("\3w.x") TENSOR(STORAGE("FloatStorage", "7", "\4"), "\0", "K\4", "K\1")),
            ERR_CORRUPT, "w.x", "no storage");
    REFUSED(DICT(STR("\3w.x") TENSOR(F4, "\0", "K\4", "K\1") STR("\3w.x")
                     TENSOR(F4, "\0", "K\4", "K\1")),
            ERR_CORRUPT, "w.x", "twice");
    REFUSED(DICT(STR("\3w\0x") TENSOR(F4, "\0", "K\4", "K\1")), ERR_CORRUPT, "name");
}

static void archives_that_lie(void **state)
{
    refused_zip((struct zip_lie){.deflated = true}, ERR_UNSUPPORTED,
                WORDS("archive/data.pkl", "compressed"));
    refused_zip((struct zip_lie){.encrypted = true}, ERR_UNSUPPORTED, WORDS("encrypted"));
    refused_zip((struct zip_lie){.size = 1000000}, ERR_CORRUPT,
                WORDS("archive/data.pkl", "truncated"));
    refused_zip((struct zip_lie){.size = UINT64_MAX - 10}, ERR_CORRUPT,
                WORDS("archive/data.pkl", "truncated"));
    refused_zip((struct zip_lie){.beyond = true}, ERR_CORRUPT, WORDS("archive/data.pkl", "not"));
    refused_zip((struct zip_lie){.beyond = true, .zip64 = true}, ERR_CORRUPT,
                WORDS("archive/data.pkl", "not"));
    refused_zip((struct zip_lie){.count = 9}, ERR_CORRUPT, WORDS("directory"));
    refused_zip((struct zip_lie){.count = 1ull << 40, .zip64 = true}, ERR_LIMIT,
                WORDS("1099511627776"));
    refused_zip((struct zip_lie){.offset = 0x7fffffff}, ERR_CORRUPT, WORDS("directory"));
    refused_zip((struct zip_lie){.offset = UINT64_MAX - 4, .zip64 = true}, ERR_CORRUPT,
                WORDS("directory"));
    lying_refused("x.pth", "", 0, ERR_UNSUPPORTED, WORDS("not a torch zip"));
    lying_refused("x.pth", "PK\3\4", 4, ERR_CORRUPT, WORDS("truncated"));
    lying_refused("x.pth", "\x80\2\x8a\nl\xfc\x9c\x46\xf9 j\xa8P\x19.", 14, ERR_UNSUPPORTED,
                  WORDS("convert"));
}

static void every_cut(void **state)
{
    static const char pickle[] = DICT(STR("\1w") TENSOR(F4, "\0", "K\4", "K\1"));
    struct buf zip = BUF_INIT(0);
    archive(&zip, &(struct zip_lie){.zip64 = true}, pickle, sizeof pickle - 1);
    for (size_t n = 4; n < zip.len; n++)
        lying_refused("x.pth", zip.data, n, ERR_CORRUPT, WORDS("x.pth"));
    buf_free(&zip);
}

static void pickles_with_a_will(void **state)
{
    REFUSED("\x80\2" GLOBAL("os", "system") "(" STR("\2ls") "tR.", ERR_DENIED, "os.system");
    REFUSED("\x80\4" STR("\10builtins") STR("\4eval") "\x93.", ERR_DENIED, "builtins.eval");
    REFUSED("\x80\2" GLOBAL("torch._utils", "_rebuild_tensor_v2x") ".", ERR_DENIED, "tensor_v2x");
    REFUSED("\x80\2" GLOBAL("torch", "load") ".", ERR_DENIED, "torch.load");
    REFUSED("\x80\2(i__main__\nX\n.", ERR_DENIED, "0x69");  /* INST */
    REFUSED("\x80\2(" STR("\1a") "o.", ERR_DENIED, "0x6f"); /* OBJ */
    REFUSED("\x80\2)\x81.", ERR_DENIED, "0x81");            /* NEWOBJ */
    REFUSED("\x80\2\x82\1.", ERR_DENIED, "0x82");           /* EXT1 */
    REFUSED("\x80\2P1\n.", ERR_DENIED, "0x50");             /* PERSID */
    REFUSED("\x80\2" GLOBAL("torch", "FloatStorage") ")R.", ERR_CORRUPT, "storage type");
    REFUSED("\x80\2" GLOBAL("collections", "OrderedDict") "(K\1tR.", ERR_CORRUPT, "arguments");
    REFUSED("\x80\2)Q.", ERR_CORRUPT, "storage");
    REFUSED("\x80\2}.", ERR_CORRUPT, "no tensors");
    REFUSED("\x80\2K\1.", ERR_CORRUPT, "dictionary");
    REFUSED("\x80\2", ERR_CORRUPT, "too early");
    REFUSED("\x80\2X\xff\xff\xff\x7f.", ERR_CORRUPT, "too early");
    REFUSED("\x80\2}r\xff\xff\xff\xff.", ERR_CORRUPT, "memo");
    REFUSED("\x80\2h\7.", ERR_CORRUPT, "memo");
}

/* Ten bytes a turn that double a list by reference, a list inside itself, a million levels, and
 * more values than a checkpoint has: all end soon and small. */
static void pickle_bombs(void **state)
{
    struct buf b = BUF_INIT(0);
    buf_adds(&b, "\x80\2]q");
    buf_addc(&b, 0);
    for (int i = 0; i < 200; i++) {
        char turn[] = {']', '(', 'h', (char)i, 'h', (char)i, 'e', 'q', (char)(i + 1)};
        buf_add(&b, turn, sizeof turn);
    }
    size_t doubled = b.len;
    buf_adds(&b, "0}.");
    refused_pickle(b.data, b.len, ERR_CORRUPT, WORDS("single value"));
    b.len = doubled;
    buf_adds(&b, "(K\1tt.");
    refused_pickle(b.data, b.len, ERR_CORRUPT, WORDS("mark"));
    REFUSED("\x80\2}q\1" STR("\1a") "h\1s.", ERR_CORRUPT, "no tensors");
    buf_reset(&b);
    buf_adds(&b, "\x80\2)");
    for (int i = 0; i < 1000000; i++)
        buf_addc(&b, '\x85');
    buf_addc(&b, '.');
    refused_pickle(b.data, b.len, ERR_CORRUPT, WORDS("dictionary"));
    buf_reset(&b);
    for (int i = 0; i < 3000000; i++)
        buf_addc(&b, ']');
    refused_pickle(b.data, b.len, ERR_LIMIT, WORDS("values"));
    buf_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sound),        cmocka_unit_test(forms_of_state),
        cmocka_unit_test(misshapen),    cmocka_unit_test(archives_that_lie),
        cmocka_unit_test(every_cut),    cmocka_unit_test(pickles_with_a_will),
        cmocka_unit_test(pickle_bombs),
    };
    return cmocka_run_group_tests(tests, lying_begin, lying_end);
}
