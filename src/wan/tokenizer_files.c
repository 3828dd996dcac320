/* The two files a vocabulary comes in: spiece.model, a protobuf, and tokenizer.json. */
#include "wan/tokenizer_inside.h"

#include "base/json.h"

#include <stdlib.h>
#include <string.h>

/* Protobuf: a cursor over one message, and one field of it. */
struct message {
    const unsigned char *at, *end;
    bool bad;
};

struct field {
    unsigned number, wire;
    uint64_t value;       /* wire 0, 1, 5 */
    struct message inner; /* wire 2 */
};

static uint64_t varint(struct message *m)
{
    uint64_t v = 0;
    for (int shift = 0; shift < 70; shift += 7) {
        if (m->at == m->end)
            break;
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
    f->number = (unsigned)(key >> 3);
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
        if (n > (uint64_t)(m->end - m->at)) {
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
    return !m->bad;
}

static enum err read_piece(struct tokenizer *t, struct message m, struct fault *f)
{
    struct field x;
    const char *text = "";
    size_t n = 0;
    float score = 0;
    unsigned kind = PIECE_NORMAL;
    while (next(&m, &x)) {
        if (x.number == 1 && x.wire == 2) {
            text = (const char *)x.inner.at;
            n = (size_t)(x.inner.end - x.inner.at);
        } else if (x.number == 2 && x.wire == 5) {
            uint32_t bits = (uint32_t)x.value;
            memcpy(&score, &bits, sizeof score);
        } else if (x.number == 3 && x.wire == 0) {
            kind = (unsigned)x.value;
        }
    }
    if (m.bad || kind < PIECE_NORMAL || kind > PIECE_BYTE || score != score)
        return fault_set(f, ERR_CORRUPT, "a piece of the vocabulary is malformed");
    return tokenizer_add(t, text, n, (double)score, (enum piece_kind)kind, f);
}

static bool read_trainer(struct tokenizer *t, struct message m)
{
    struct field x;
    uint64_t model = 1;
    while (next(&m, &x)) {
        if (x.wire != 0)
            continue;
        if (x.number == 3)
            model = x.value;
        else if (x.number == 35)
            t->byte_fallback = x.value != 0;
        else if (x.number == 40)
            t->unk = (int)x.value;
        else if (x.number == 42)
            t->eos = (int)x.value;
    }
    return !m.bad && model == 1;
}

static enum err read_normalizer(struct tokenizer *t, struct message m, const char *path,
                                struct fault *f)
{
    struct field x;
    enum err e = ERR_OK;
    while (!e && next(&m, &x)) {
        if (x.number == 2 && x.wire == 2)
            e = tokenizer_charsmap(t, x.inner.at, (size_t)(x.inner.end - x.inner.at), path, f);
        else if (x.number == 3 && x.wire == 0)
            t->dummy_prefix = x.value != 0;
        else if (x.number == 4 && x.wire == 0)
            t->squeeze = t->trim = x.value != 0;
    }
    return !e && m.bad ? fault_set(f, ERR_CORRUPT, "%s: its normalizer is malformed", path) : e;
}

static struct tokenizer *fresh(struct fault *f)
{
    struct tokenizer *t = calloc(1, sizeof *t);
    if (!t) {
        fault_set(f, ERR_NOMEM, "out of memory");
        return NULL;
    }
    t->dummy_prefix = t->squeeze = t->trim = true; /* SentencePiece's defaults */
    t->unk = 0;
    t->eos = 2;
    return t;
}

static enum err finish(struct tokenizer *t, enum err e, const char *path, struct tokenizer **out,
                       struct fault *f)
{
    if (!e)
        e = tokenizer_done(t, path, f);
    if (e)
        tokenizer_free(t);
    else
        *out = t;
    return e;
}

enum err tokenizer_from_spiece(const unsigned char *data, size_t n, const char *path,
                               struct tokenizer **out, struct fault *f)
{
    struct message m = {data, data + n, false};
    struct field x;
    struct fault why = {0};
    enum err e = ERR_OK;
    struct tokenizer *t = fresh(f);
    if (!t)
        return ERR_NOMEM;
    while (!e && next(&m, &x)) {
        if (x.wire != 2)
            continue;
        if (x.number == 1)
            e = read_piece(t, x.inner, &why);
        else if (x.number == 2 && !read_trainer(t, x.inner))
            e = fault_set(&why, ERR_UNSUPPORTED, "it is no unigram model");
        else if (x.number == 3)
            e = read_normalizer(t, x.inner, path, &why);
    }
    if (!e && m.bad)
        e = fault_set(&why, ERR_CORRUPT, "it is no SentencePiece model");
    if (e)
        fault_set(f, e, "%s: %s", path, fault_text(&why));
    return finish(t, e, path, out, f);
}

static int base64_digit(char c)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *at = c ? strchr(digits, c) : NULL;
    return at ? (int)(at - digits) : -1;
}

static enum err charsmap_base64(struct tokenizer *t, const char *s, const char *path,
                                struct fault *f)
{
    size_t n = strlen(s), made = 0;
    unsigned char *bytes = malloc(n / 4 * 3 + 4);
    unsigned acc = 0;
    int bits = 0, digit;
    if (!bytes)
        return fault_set(f, ERR_NOMEM, "out of memory");
    for (; (digit = base64_digit(*s)) >= 0; s++) {
        acc = (acc << 6 | (unsigned)digit) & 0xffffff;
        bits += 6;
        if (bits >= 8) {
            bits -= 8;
            bytes[made++] = (unsigned char)(acc >> bits);
        }
    }
    enum err e = tokenizer_charsmap(t, bytes, made, path, f);
    free(bytes);
    return e;
}

/* Of HF's normalizers, those that unigram models use. */
static enum err json_normalizer(struct tokenizer *t, const cJSON *o, const char *path,
                                struct fault *f)
{
    const char *type = json_str(o, "type", "");
    const cJSON *list = json_arr(o, "normalizers"), *item;
    enum err e = ERR_OK;
    if (!strcmp(type, "Precompiled"))
        return charsmap_base64(t, json_str(o, "precompiled_charsmap", ""), path, f);
    if (!strcmp(type, "Replace") && !strcmp(json_str(json_obj(o, "pattern"), "Regex", ""), " {2,}"))
        t->squeeze = true;
    if (!strcmp(type, "Strip"))
        t->trim = true;
    cJSON_ArrayForEach(item, list)
    {
        if (!e)
            e = json_normalizer(t, item, path, f);
    }
    return e;
}

static bool special(const cJSON *added, int id)
{
    const cJSON *item;
    cJSON_ArrayForEach(item, added)
    {
        if (json_int(item, "id", -1) == id && json_bool(item, "special", false))
            return true;
    }
    return false;
}

static enum err json_vocab(struct tokenizer *t, const cJSON *vocab, const cJSON *added,
                           struct fault *f)
{
    const cJSON *item;
    enum err e = ERR_OK;
    int id = 0;
    cJSON_ArrayForEach(item, vocab)
    {
        const cJSON *text = item->child, *score = text ? text->next : NULL;
        if (!cJSON_IsArray(item) || !cJSON_IsString(text) || !cJSON_IsNumber(score))
            return fault_set(f, ERR_CORRUPT, "piece %d of the vocabulary is malformed", id);
        const char *s = text->valuestring;
        enum piece_kind kind = PIECE_NORMAL;
        if (id == t->unk)
            kind = PIECE_UNKNOWN;
        else if (strlen(s) == 6 && !strncmp(s, "<0x", 3) && s[5] == '>')
            kind = PIECE_BYTE;
        else if (s[0] == '<' && special(added, id)) /* never matched in a prompt: text is data */
            kind = PIECE_CONTROL;
        e = tokenizer_add(t, s, strlen(s), score->valuedouble, kind, f);
        if (e)
            return e;
        if (!strcmp(s, "</s>"))
            t->eos = id;
        id++;
    }
    return e;
}

enum err tokenizer_from_json(const char *text, size_t n, const char *path, struct tokenizer **out,
                             struct fault *f)
{
    struct fault why = {0};
    enum err e = ERR_OK;
    struct tokenizer *t = fresh(f);
    cJSON *o = t ? json_parse(text, n, &why) : NULL;
    if (!t)
        return ERR_NOMEM;
    const cJSON *model = o ? json_obj(o, "model") : NULL, *vocab = json_arr(model, "vocab");
    if (!o)
        e = ERR_CORRUPT;
    else if (!vocab || strcmp(json_str(model, "type", "Unigram"), "Unigram"))
        e = fault_set(&why, ERR_UNSUPPORTED, "it is no unigram model");
    if (!e) {
        t->wide = true;
        t->squeeze = t->trim = false;
        t->eos = -1;
        t->unk = (int)json_int(model, "unk_id", -1);
        t->byte_fallback = json_bool(model, "byte_fallback", false);
        const cJSON *pre = json_obj(o, "pre_tokenizer");
        t->dummy_prefix = json_bool(pre, "add_prefix_space", true);
        e = json_vocab(t, vocab, json_arr(o, "added_tokens"), &why);
    }
    if (!e && json_obj(o, "normalizer"))
        e = json_normalizer(t, json_obj(o, "normalizer"), path, &why);
    if (e)
        fault_set(f, e, "%s: %s", path, fault_text(&why));
    cJSON_Delete(o);
    return finish(t, e, path, out, f);
}
