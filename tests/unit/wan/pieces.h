/* Tokenizer models that a test makes by hand, and what they must say; by whichever way runs. */
#ifndef SAKUGA_TESTS_UNIT_WAN_PIECES_H
#define SAKUGA_TESTS_UNIT_WAN_PIECES_H

#include "unit.h"

#include "base/buf.h"
#include "wan/tokenizer.h"

static enum tokenizer_way way = TOKENIZER_OWN; /* of the group that runs */

static inline bool have_library(void)
{
    return !strcmp(tokenizer_file_words("spiece.model"), "libsentencepiece");
}

static inline void same(const char *what, const char *text, const int32_t *got, int n,
                        const int32_t *want, int want_n)
{
    int i = 0;
    while (i < n && i < want_n && got[i] == want[i])
        i++;
    if (n != want_n || i < n)
        fail_msg("%s: \"%.60s\": %d ids for %d, the first other one at %d", what, text, n, want_n,
                 i);
}

/* ---- spiece.model ---- */

static inline void put_varint(struct buf *b, uint64_t v)
{
    for (; v > 127; v >>= 7)
        buf_addc(b, (char)(v | 128));
    buf_addc(b, (char)v);
}

static inline void put_bytes(struct buf *b, int number, const void *bytes, size_t n)
{
    put_varint(b, (uint64_t)number << 3 | 2);
    put_varint(b, n);
    buf_add(b, bytes, n);
}

static inline void put_int(struct buf *b, int number, uint64_t v)
{
    put_varint(b, (uint64_t)number << 3);
    put_varint(b, v);
}

static inline void put_piece(struct buf *b, const char *text, float score, int kind)
{
    struct buf p = BUF_INIT(0);
    put_bytes(&p, 1, text, strlen(text));
    buf_addc(&p, 2 << 3 | 5);
    buf_add(&p, &score, sizeof score);
    put_int(&p, 3, (uint64_t)kind);
    put_bytes(b, 1, p.data, p.len);
    buf_free(&p);
}

static inline void put_base(struct buf *b) /* ids 0 … 6 */
{
    put_piece(b, "<unk>", 0, 2);
    put_piece(b, "</s>", 0, 3);
    put_piece(b, "\xe2\x96\x81", -2, 1);
    put_piece(b, "a", -3, 1);
    put_piece(b, "b", -3, 1);
    put_piece(b, "ab", -5, 1);
    put_piece(b,
              "\xe2\x96\x81"
              "a",
              -4, 1);
}

static inline void put_normalizer(struct buf *b, int prefix, int extra, const void *map, size_t n)
{
    struct buf p = BUF_INIT(0);
    put_bytes(&p, 1, "test", 4);
    if (n)
        put_bytes(&p, 2, map, n);
    put_int(&p, 3, (uint64_t)prefix);
    put_int(&p, 4, (uint64_t)extra);
    put_bytes(b, 3, p.data, p.len);
    buf_free(&p);
}

static inline void expect(const struct buf *model, const char *text, const char *want)
{
    struct fault f = {0};
    struct tokenizer *t = tokenizer_new(model->data, model->len, way, &f);
    struct buf b = BUF_INIT(0);
    int32_t *ids;
    int n;
    if (!t)
        fail_msg("%s", f.text);
    assert_int_equal(tokenizer_pieces(t, text, &ids, &n, &f), ERR_OK);
    for (int i = 0; i < n; i++)
        buf_addf(&b, i ? " %d" : "%d", (int)ids[i]);
    assert_string_equal(buf_str(&b), want);
    buf_free(&b);
    free(ids);
    tokenizer_free(t);
}

static inline void refused(const void *bytes, size_t n, enum err code, const char *words)
{
    struct fault f = {0};
    struct tokenizer *t = tokenizer_new(bytes, n, way, &f);
    assert_null(t);
    assert_int_equal(f.code, code);
    if (!strstr(f.text, words))
        fail_msg("\"%s\" says nothing of %s", f.text, words);
}

/* The tests of a spiece.model by our own algorithm, and by libsentencepiece where it is there. */
#define BY_BOTH(tests)                                                                             \
    (cmocka_run_group_tests_name("by our own algorithm", tests, NULL, NULL) +                      \
     (have_library() ? (way = TOKENIZER_LIBRARY,                                                   \
                        cmocka_run_group_tests_name("by libsentencepiece", tests, NULL, NULL))     \
                     : 0))

/* ---- tokenizer.json ---- */

#define VOCAB                                                                                      \
    "[[\"<pad>\",0],[\"</s>\",0],[\"<unk>\",0],[\"\xe2\x96\x81\",-2],[\"a\",-3],[\"b\",-3.5]]"
#define ADDED                                                                                      \
    "\"added_tokens\":[{\"id\":1,\"special\":true},{\"id\":0,\"special\":true},{\"id\":99}],"
#define META                                                                                       \
    ",\"pre_tokenizer\":{\"type\":\"Metaspace\",\"replacement\":\"\xe2\x96\x81\","                 \
    "\"prepend_scheme\":\"always\"}"
#define MODEL(vocab) "{" ADDED "\"model\":{\"unk_id\":2,\"vocab\":" vocab "}"

#endif
