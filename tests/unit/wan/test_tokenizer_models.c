/* Models of SentencePiece made here: kinds of pieces, blanks, a character map, and everything that
 * can be wrong with a file. Each runs twice, by our own algorithm and by libsentencepiece where the
 * build has it; files that are damaged in all ways must mean the same to both. */
#include "unit/wan/pieces.h"

#include <unistd.h>

static void kinds_of_pieces(void **state)
{
    struct buf b = BUF_INIT(0);
    put_base(&b);
    expect(&b, "ab", "2 5");          /* ▁ ab and ▁a b: −7 both; what was found first stays */
    expect(&b, " ab  b ", "2 5 2 4"); /* blanks in front, twice and at the end go */
    expect(&b, "xyb", "2 0 4");       /* unknown ones are one */
    expect(&b, "<unk></s>", "2 0");   /* names of special pieces are text */
    put_normalizer(&b, 0, 0, NULL, 0);
    expect(&b, "ab  b ", "5 2 2 4 2"); /* no ▁ in front, blanks kept; ab −5 beats a b −6 */
    put_piece(&b, "bba", -9, 4);
    expect(&b, "abba", "3 7"); /* a user-defined piece wins */
    put_piece(&b, "bb", -0.5f, 5);
    expect(&b, "abb", "5 4"); /* an unused one never */
    buf_free(&b);
}

static void put_map(struct buf *b, unsigned char from, const char *to)
{
    uint32_t unit[1024] = {0}, bytes = sizeof unit, at = 256u ^ from;
    unit[0] = 256u << 10; /* children of the root lie at 256 ^ byte, their leaves at ^ 512 */
    unit[at] = 512u << 10 | 256u | from;
    unit[at ^ 512] = 0x80000000u;
    buf_add(b, &bytes, 4);
    buf_add(b, unit, sizeof unit);
    buf_add(b, to, strlen(to) + 1);
}

/* A whole model, made anew, with that character map. */
static void put_mapped(struct buf *b, const void *map, size_t n)
{
    buf_reset(b);
    put_base(b);
    put_normalizer(b, 1, 1, map, n);
}

/* The same with a map of these units and one string, "ab". */
static void put_units(struct buf *b, const uint32_t *unit, uint32_t bytes)
{
    struct buf map = BUF_INIT(0);
    buf_add(&map, &bytes, 4);
    buf_add(&map, unit, bytes);
    buf_add(&map, "ab", 3);
    put_mapped(b, map.data, map.len);
    buf_free(&map);
}

static void character_map(void **state)
{
    struct buf b = BUF_INIT(0), map = BUF_INIT(0);
    put_map(&map, 'X', "ab ");
    put_mapped(&b, map.data, map.len);
    expect(&b, "X", "2 5");
    expect(&b, "XX", "2 5 2 5");
    put_mapped(&b, map.data, 40); /* cut inside the array */
    refused(b.data, b.len, ERR_CORRUPT, "character map");
    for (size_t i = 4; i < map.len; i++)
        map.data[i] = (char)(i * 77);
    put_mapped(&b, map.data, map.len);
    refused(b.data, b.len, ERR_CORRUPT, "outside itself");
    buf_free(&map);
    buf_free(&b);
}

/* Maps in which the library would run out of its bounds. */
static void traps_in_maps(void **state)
{
    struct buf b = BUF_INIT(0);
    uint32_t unit[1024] = {0};
    for (int trap = 0; trap < 4; trap++) {
        memset(unit, 0, sizeof unit);
        unit[0] = 256u << 10;
        unit[256 ^ 'X'] = 512u << 10 | 256u | 'X';
        unit[256 ^ 'X' ^ 512] = 0x80000000u | (trap == 0 ? 7u : 0u); /* a string behind the end */
        if (trap == 1)
            unit[256 ^ 'X'] = 0x1000u << 10 | 'X'; /* children behind the end */
        if (trap == 2)
            unit[256 ^ 'X'] = (uint32_t)'X' << 10 | 256u | 'X'; /* its own child, without an end */
        if (trap == 3)
            unit[0] = 1u << 30 | 512; /* the root's children lie behind the end */
        put_units(&b, unit, sizeof unit);
        refused(b.data, b.len, ERR_CORRUPT, "outside itself");
    }
    /* 33 entries, each the beginning of the next: the library has room for 32 */
    for (unsigned deep = 32; deep < 34; deep++) {
        static uint32_t chain[256 * 40];
        memset(chain, 0, sizeof chain);
        chain[0] = 256u << 10;
        for (unsigned i = 1; i <= deep; i++) { /* node i lies at 256 i */
            unsigned at = 256 * i ^ 'X', child = 256 * (i + 1);
            chain[at] = (at ^ child) << 10 | 256u | 'X';
            chain[child] = 0x80000000u;
        }
        put_units(&b, chain, sizeof chain);
        if (deep == 32)
            expect(&b, "XXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXX", "2 5 5");
        else
            refused(b.data, b.len, ERR_CORRUPT, "outside itself");
    }
    buf_free(&b);
}

static void malformed_models(void **state)
{
    struct buf b = BUF_INIT(0), c = BUF_INIT(0);
    refused("", 0, ERR_CORRUPT, "neither");
    refused("\n", 1, ERR_CORRUPT, "neither");
    refused("\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x7f", 11, ERR_CORRUPT, "neither");
    put_base(&b);
    refused(b.data, b.len - 1, ERR_CORRUPT, "truncated");
    put_piece(&b, "ab", -1, 1);
    refused(b.data, b.len, ERR_CORRUPT, "twice");
    buf_reset(&b);
    put_base(&b);
    put_piece(&b, "", -1, 1);
    refused(b.data, b.len, ERR_CORRUPT, "piece 7");
    buf_reset(&b);
    put_base(&b);
    put_piece(&b, "<s>", 0, 3);
    put_piece(&b, "<s>", 0, 3); /* names are pieces too */
    refused(b.data, b.len, ERR_CORRUPT, "twice");
    buf_reset(&b);
    put_base(&b);
    put_piece(&b, "<?>", 0, 2);
    refused(b.data, b.len, ERR_CORRUPT, "two unknown");
    buf_reset(&b);
    put_piece(&b, "<unk>", 0, 2);
    put_piece(&b, "</s>", 0, 3);
    refused(b.data, b.len, ERR_CORRUPT, "no piece of text");
    buf_reset(&b);
    put_base(&b);
    put_bytes(&b, 1,
              "\x0a\x03"
              "a\0b",
              5);
    refused(b.data, b.len, ERR_CORRUPT, "NUL");
    buf_reset(&b);
    put_base(&b);
    put_piece(&b, "nan", 0.0f / 0.0f, 1);
    refused(b.data, b.len, ERR_CORRUPT, "piece 7");
    buf_reset(&b);
    put_base(&b);
    put_piece(&b, "kind", 0, 7);
    refused(b.data, b.len, ERR_CORRUPT, "piece 7");
    buf_reset(&b);
    put_piece(&b, "</s>", 0, 3);
    refused(b.data, b.len, ERR_CORRUPT, "unknown piece");
    buf_reset(&b);
    put_piece(&b, "<unk>", 0, 2);
    refused(b.data, b.len, ERR_CORRUPT, "end-of-text");
    put_int(&c, 42, (uint64_t)-1); /* eos −1 */
    put_bytes(&b, 2, c.data, c.len);
    refused(b.data, b.len, ERR_CORRUPT, "end-of-text");
    buf_reset(&b);
    buf_reset(&c);
    put_base(&b);
    put_int(&c, 35, 1);
    put_bytes(&b, 2, c.data, c.len);
    refused(b.data, b.len, ERR_CORRUPT, "byte 00");
    buf_reset(&b);
    buf_reset(&c);
    put_base(&b);
    put_int(&c, 3, 2); /* BPE */
    put_bytes(&b, 2, c.data, c.len);
    refused(b.data, b.len, ERR_UNSUPPORTED, "unigram");
    char *long_piece = calloc(1, 2000);
    memset(long_piece, 'x', 1999);
    buf_reset(&b);
    put_piece(&b, long_piece, 0, 1);
    refused(b.data, b.len, ERR_LIMIT, "too large");
    free(long_piece);
    buf_free(&b);
    buf_free(&c);
}

/* A model that may be damaged: to both ways an error, or to both a tokenizer with the same ids. */
static void agree(const void *bytes, size_t n, const char *text)
{
    struct fault f[2] = {{0}};
    struct tokenizer *t[2] = {tokenizer_new(bytes, n, TOKENIZER_OWN, &f[0]),
                              tokenizer_new(bytes, n, TOKENIZER_LIBRARY, &f[1])};
    int32_t *ids[2] = {NULL, NULL};
    int count[2];
    if (have_library() && !t[0] != !t[1])
        fail_msg("only one way takes it: %s", f[t[0] ? 1 : 0].text);
    for (int i = 0; i < 2 && t[i]; i++)
        assert_int_equal(tokenizer_pieces(t[i], text, &ids[i], &count[i], &f[i]), ERR_OK);
    if (t[1])
        same("both ways", text, ids[0], count[0], ids[1], count[1]);
    for (int i = 0; i < 2; i++) {
        tokenizer_free(t[i]);
        free(ids[i]);
    }
}

/* Every cut and every changed byte of a small model: an error or a tokenizer that works. */
static void changed_models(void **state)
{
    struct buf b = BUF_INIT(0), map = BUF_INIT(0);
    uint64_t rng = 1;
    put_base(&b);
    put_piece(&b, "user", 0, 4);
    size_t head = b.len;
    put_map(&map, 'X', "ab ");
    put_normalizer(&b, 1, 1, map.data, map.len);
    for (size_t i = 0; i <= head; i++) {
        char *copy = malloc(i ? i : 1);
        memcpy(copy, b.data, i);
        agree(copy, i, "Xuser ab");
        free(copy);
    }
    for (size_t i = 0; i < b.len; i++) {
        bool text = i < head + 64 || i > b.len - 64;
        for (int bit = 0; bit < 8; bit++) {
            if (!text && b.data[i] == 0 && i % 16)
                continue; /* the map is mostly empty */
            b.data[i] = (char)(b.data[i] ^ 1 << bit);
            agree(b.data, b.len, "Xuser ab XbX");
            b.data[i] = (char)(b.data[i] ^ 1 << bit);
        }
    }
    for (int round = 0; round < 2000; round++) { /* words of the map, inside its bounds or not */
        size_t at = head + 16;
        uint32_t was[4];
        size_t where[4];
        for (int i = 0; i < 4; i++) {
            rng = rng * UINT64_C(6364136223846793005) + 1442695040888963407u;
            uint32_t r = (uint32_t)(rng >> 32);
            uint32_t unit = (r % 1024) << 10 | (r >> 20 & 256) | (r & 1 ? 'X' : r & 2 ? 'a' : 'b');
            where[i] = at + 4 * ((r >> 11) % 1024);
            memcpy(&was[i], b.data + where[i], 4);
            memcpy(b.data + where[i], &unit, 4);
        }
        agree(b.data, b.len, "XXabXaX baX");
        for (int i = 4; i--;)
            memcpy(b.data + where[i], &was[i], 4);
    }
    buf_free(&b);
    buf_free(&map);
}

/* ComfyUI's files hold spiece.model as a tensor of bytes. */
static void in_a_tensor(void **state)
{
    struct buf model = BUF_INIT(0), file = BUF_INIT(0);
    struct fault f = {0};
    char path[] = "/tmp/test_tokenizer.XXXXXX.safetensors", header[160];
    put_base(&model);
    int n =
        snprintf(header, sizeof header,
                 "{\"spiece_model\":{\"dtype\":\"U8\",\"shape\":[%zu],\"data_offsets\":[0,%zu]}}",
                 model.len, model.len);
    uint64_t len = (uint64_t)n;
    buf_add(&file, &len, 8);
    buf_add(&file, header, (size_t)n);
    buf_add(&file, model.data, model.len);
    int fd = mkstemps(path, 12);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, file.data, file.len), file.len);
    close(fd);
    struct tokenizer *t = tokenizer_open(path, way, &f);
    unlink(path);
    assert_non_null(t);
    assert_int_equal(tokenizer_size(t), 7);
    assert_string_equal(tokenizer_words(t),
                        way == TOKENIZER_OWN ? "own algorithm" : "libsentencepiece");
    tokenizer_free(t);
    buf_free(&model);
    buf_free(&file);
}

int main(void)
{
    const struct CMUnitTest spiece[] = {
        cmocka_unit_test(kinds_of_pieces), cmocka_unit_test(character_map),
        cmocka_unit_test(traps_in_maps),   cmocka_unit_test(malformed_models),
        cmocka_unit_test(in_a_tensor),
    };
    const struct CMUnitTest others[] = {
        cmocka_unit_test(changed_models),
    };
    int bad = BY_BOTH(spiece);
    way = TOKENIZER_AUTO;
    return bad + cmocka_run_group_tests_name("damaged", others, NULL, NULL);
}
