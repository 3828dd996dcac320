/* The way by libsentencepiece. It never sees a file: the model that it is given is written here, of
 * the pieces, scores, settings and map that our own readers took and checked, and nothing else. So
 * a field that is unknown, repeated, of another type or meant for a self-test cannot reach it. */
#include "wan/tokenizer_inside.h"

#include <stdlib.h>
#include <string.h>

#ifdef HAVE_SENTENCEPIECE

#include "wan/spiece.h"

#define MODEL_MAX ((size_t)512 << 20)

static void put_varint(struct buf *b, uint64_t v)
{
    for (; v > 127; v >>= 7)
        buf_addc(b, (char)(v | 128));
    buf_addc(b, (char)v);
}

static void put_int(struct buf *b, unsigned field, uint64_t v)
{
    put_varint(b, field << 3);
    put_varint(b, v);
}

static void put_bytes(struct buf *b, unsigned field, const void *bytes, size_t n)
{
    put_varint(b, field << 3 | 2);
    put_varint(b, n);
    buf_add(b, bytes, n);
}

/* A message within the message; what is missing in one is missing in the other. */
static void put_part(struct buf *b, unsigned field, const struct buf *part)
{
    put_bytes(b, field, part->data, part->len);
    b->failed = b->failed || part->failed;
}

static void put_float(struct buf *b, unsigned field, float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    put_varint(b, field << 3 | 5);
    for (int i = 0; i < 4; i++)
        buf_addc(b, (char)(bits >> 8 * i));
}

/* Bytes that are not in use are to the library an error, here they are names like any other. */
static enum piece_kind kind_of(const struct tokenizer *t, int id)
{
    const struct piece *p = &t->piece[id];
    if (p->kind != PIECE_BYTE)
        return p->kind;
    for (int i = 0; i < 256 && t->byte_fallback; i++)
        if (t->byte_id[i] == id)
            return PIECE_BYTE;
    return PIECE_CONTROL;
}

static void put_pieces(const struct tokenizer *t, struct buf *b, struct buf *part)
{
    for (int i = 0; i < t->n; i++) {
        buf_reset(part);
        put_bytes(part, 1, t->text.data + t->piece[i].at, t->piece[i].n);
        put_float(part, 2, (float)t->piece[i].score);
        put_int(part, 3, kind_of(t, i));
        put_part(b, 1, part);
    }
}

static void put_settings(const struct tokenizer *t, struct buf *b, struct buf *part)
{
    buf_reset(part);
    put_int(part, 3, 1); /* unigram */
    put_int(part, 35, t->byte_fallback);
    put_part(b, 2, part);
    buf_reset(part);
    if (t->charsmap) {
        struct buf map = BUF_INIT(MODEL_MAX);
        for (int i = 0; i < 4; i++)
            buf_addc(&map, (char)(4 * t->trie_n >> 8 * i));
        buf_add(&map, t->charsmap, 4 * t->trie_n + t->strings_n + 1); /* and the last one's end */
        put_part(part, 2, &map);
        buf_free(&map);
    }
    put_int(part, 3, t->dummy_prefix);
    put_int(part, 4, t->squeeze);
    put_int(part, 5, 1);
    put_part(b, 3, part);
}

enum err tokenizer_take_library(struct tokenizer *t, struct fault *f)
{
    struct buf b = BUF_INIT(MODEL_MAX), part = BUF_INIT(MODEL_MAX);
    char why[200] = "";
    enum err e = ERR_OK;
    put_pieces(t, &b, &part);
    put_settings(t, &b, &part);
    if (b.failed)
        e = fault_set(f, ERR_NOMEM, "out of memory");
    else if (!(t->library = spiece_new(b.data, b.len, why, sizeof why)))
        e = why[0] ? fault_set(f, ERR_CORRUPT, "libsentencepiece refuses it: %s", why)
                   : fault_set(f, ERR_NOMEM, "no memory for libsentencepiece");
    buf_free(&b);
    buf_free(&part);
    return e;
}

enum err tokenizer_by_library(const struct tokenizer *t, const char *text, size_t n, int32_t **ids,
                              int *count, struct fault *f)
{
    char why[200] = "";
    int made = spiece_encode(t->library, text, n, ids, why, sizeof why);
    if (made < 0 && !why[0])
        return fault_set(f, ERR_NOMEM, "no memory for a text of %zu bytes", n);
    if (made < 0)
        return fault_set(f, ERR_INVAL, "libsentencepiece cannot split this text: %s", why);
    *count = made;
    return ERR_OK;
}

void tokenizer_drop_library(struct tokenizer *t)
{
    spiece_free(t->library);
}

bool tokenizer_has_library(void)
{
    return true;
}

#else

enum err tokenizer_take_library(struct tokenizer *t, struct fault *f)
{
    return fault_set(f, ERR_UNSUPPORTED, "this build has no libsentencepiece");
}

enum err tokenizer_by_library(const struct tokenizer *t, const char *text, size_t n, int32_t **ids,
                              int *count, struct fault *f)
{
    return tokenizer_take_library(NULL, f);
}

void tokenizer_drop_library(struct tokenizer *t)
{
}

bool tokenizer_has_library(void)
{
    return false;
}

#endif
