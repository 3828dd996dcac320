/* spiece.model: a protobuf ModelProto, of which only what unigram models use is read (spec 3.3).
 * Unknown fields are skipped by their wire type. */
#include "wan/tokenizer_inside.h"

#include <string.h>

#define MODEL_UNIGRAM 1

/* A cursor over one message, and one field of it. */
struct message {
    const unsigned char *at, *end;
    bool bad;
};

struct field {
    uint64_t number;
    unsigned wire;
    uint64_t value;       /* wire 0, 1, 5 */
    struct message inner; /* wire 2 */
};

static uint64_t varint(struct message *m)
{
    uint64_t v = 0;
    for (int shift = 0; shift < 70 && m->at < m->end; shift += 7) {
        unsigned char c = *m->at++;
        if (shift < 64)
            v |= (uint64_t)(c & 0x7f) << shift;
        if (!(c & 0x80))
            return v;
    }
    m->bad = true;
    return 0;
}

static uint64_t fixed(struct message *m, int bytes)
{
    uint64_t v = 0;
    if (m->end - m->at < bytes) {
        m->bad = true;
        return 0;
    }
    for (int i = bytes; i--;)
        v = v << 8 | m->at[i];
    m->at += bytes;
    return v;
}

/* The next field; false at the end or when the message is malformed. */
static bool next(struct message *m, struct field *f)
{
    if (m->bad || m->at == m->end)
        return false;
    uint64_t key = varint(m), n;
    f->number = key >> 3;
    f->wire = key & 7;
    switch (f->wire) {
    case 0:
        f->value = varint(m);
        break;
    case 1:
        f->value = fixed(m, 8);
        break;
    case 2:
        n = varint(m);
        if (m->bad || n > (uint64_t)(m->end - m->at)) {
            m->bad = true;
            return false;
        }
        f->inner = (struct message){m->at, m->at + n, false};
        m->at += n;
        break;
    case 5:
        f->value = fixed(m, 4);
        break;
    default:
        m->bad = true;
    }
    if (!f->number)
        m->bad = true;
    return !m->bad;
}

static enum err read_piece(struct tokenizer *t, struct message m, struct fault *f)
{
    struct field x;
    const char *text = "";
    size_t n = 0;
    float score = 0;
    uint64_t kind = PIECE_NORMAL;
    while (next(&m, &x)) {
        if (x.number == 1 && x.wire == 2) {
            text = (const char *)x.inner.at;
            n = (size_t)(x.inner.end - x.inner.at);
        } else if (x.number == 2 && x.wire == 5) {
            uint32_t bits = (uint32_t)x.value;
            memcpy(&score, &bits, sizeof score);
        } else if (x.number == 3 && x.wire == 0) {
            kind = x.value;
        }
    }
    if (m.bad || kind < PIECE_NORMAL || kind > PIECE_BYTE || !(score - score == 0))
        return fault_set(f, ERR_CORRUPT, "piece %d of the vocabulary is malformed", t->n);
    return tokenizer_add(t, text, n, (double)score, (enum piece_kind)kind, f);
}

static enum err read_trainer(struct tokenizer *t, struct message m, struct fault *f)
{
    struct field x;
    uint64_t model = MODEL_UNIGRAM;
    bool suffix = false;
    while (next(&m, &x)) {
        if (x.wire != 0)
            continue;
        if (x.number == 3)
            model = x.value;
        else if (x.number == 24)
            suffix = x.value != 0;
        else if (x.number == 35)
            t->byte_fallback = x.value != 0;
        else if (x.number == 42)
            t->eos = x.value <= INT32_MAX ? (int)x.value : -1;
    }
    if (m.bad)
        return fault_set(f, ERR_CORRUPT, "its trainer settings are malformed");
    if (model != MODEL_UNIGRAM || suffix)
        return fault_set(f, ERR_UNSUPPORTED, "it is a SentencePiece model, but %s",
                         suffix ? "with blanks behind words" : "no unigram one");
    return ERR_OK;
}

static enum err read_normalizer(struct tokenizer *t, struct message m, struct fault *f)
{
    struct field x;
    enum err e = ERR_OK;
    bool escape = true;
    while (!e && next(&m, &x)) {
        if (x.number == 2 && x.wire == 2)
            e = tokenizer_charsmap(t, x.inner.at, (size_t)(x.inner.end - x.inner.at), f);
        else if (x.number == 3 && x.wire == 0)
            t->dummy_prefix = x.value != 0;
        else if (x.number == 4 && x.wire == 0)
            t->squeeze = t->trim = x.value != 0;
        else if (x.number == 5 && x.wire == 0)
            escape = x.value != 0;
    }
    if (!e && m.bad)
        e = fault_set(f, ERR_CORRUPT, "its normalizer settings are malformed");
    if (!e && !escape)
        e = fault_set(f, ERR_UNSUPPORTED, "it is a SentencePiece model that keeps blanks");
    return e;
}

enum err tokenizer_read_spiece(struct tokenizer *t, const unsigned char *data, size_t n,
                               struct fault *f)
{
    struct message m = {data, data + n, false};
    struct field x;
    enum err e = ERR_OK;
    while (!e && next(&m, &x)) {
        if (x.wire != 2)
            continue;
        if (x.number == 1)
            e = read_piece(t, x.inner, f);
        else if (x.number == 2)
            e = read_trainer(t, x.inner, f);
        else if (x.number == 3)
            e = read_normalizer(t, x.inner, f);
    }
    if (!e && (m.bad || !t->n))
        e = fault_set(f, ERR_CORRUPT, "it is neither a SentencePiece model nor a tokenizer.json%s",
                      t->n ? "; it may be truncated" : "");
    return e;
}
