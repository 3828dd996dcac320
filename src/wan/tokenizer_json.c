/* tokenizer.json, as transformers writes it for a unigram model, and with the sums of its
 * tokenizers library: 64-bit ones that begin anew with each word. SentencePiece rounds every sum
 * over the whole text to 32 bits, so between ways that are as good as equal the two decide
 * differently. What it asks for besides that model (a normaliser or a splitting into words that T5
 * does not have) is refused by name: ids that are silently wrong would only show in the picture. */
#include "wan/tokenizer_inside.h"

#include "base/json.h"

#include <stdlib.h>
#include <string.h>

#define VALUES_MAX ((size_t)1 << 21) /* umT5's 256,300 pieces are 770,000 */

static int base64_digit(char c)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *at = c ? strchr(digits, c) : NULL;
    return at ? (int)(at - digits) : -1;
}

static enum err charsmap_base64(struct tokenizer *t, const char *s, struct fault *f)
{
    unsigned char *bytes = malloc(strlen(s) / 4 * 3 + 4);
    size_t made = 0;
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
    enum err e = s[strspn(s, "=")] ? fault_set(f, ERR_CORRUPT, "its character map is no base64")
                                   : tokenizer_charsmap(t, bytes, made, f);
    free(bytes);
    return e;
}

static bool is_blanks(const cJSON *replace)
{
    const cJSON *pattern = json_obj(replace, "pattern");
    const char *to = json_str(replace, "content", "");
    return !strcmp(json_str(pattern, "Regex", ""), " {2,}") &&
           (!strcmp(to, " ") || !strcmp(to, "\xe2\x96\x81"));
}

static enum err read_normalizer(struct tokenizer *t, const cJSON *o, struct fault *f)
{
    const char *type = json_str(o, "type", "");
    const cJSON *item;
    enum err e = ERR_OK;
    if (!strcmp(type, "Precompiled"))
        return charsmap_base64(t, json_str(o, "precompiled_charsmap", ""), f);
    if (!strcmp(type, "Replace") && is_blanks(o)) {
        t->squeeze = true;
    } else if (!strcmp(type, "Strip")) {
        t->trim = true;
    } else if (!strcmp(type, "Sequence")) {
        cJSON_ArrayForEach(item, json_arr(o, "normalizers"))
        {
            if (!e)
                e = read_normalizer(t, item, f);
        }
    } else {
        e = fault_set(f, ERR_UNSUPPORTED, "its normalizer \"%.40s\" is not one of T5's", type);
    }
    return e;
}

static enum err read_words(struct tokenizer *t, const cJSON *o, struct fault *f)
{
    const char *type = json_str(o, "type", "");
    const cJSON *item;
    enum err e = ERR_OK;
    if (!strcmp(type, "Metaspace") && !strcmp(json_str(o, "replacement", ""), "\xe2\x96\x81")) {
        t->dummy_prefix = json_bool(o, "add_prefix_space", true) &&
                          strcmp(json_str(o, "prepend_scheme", "always"), "never") != 0;
        t->words = json_bool(o, "split", true);
    } else if (!strcmp(type, "WhitespaceSplit")) {
        t->squeeze = t->trim = true;
    } else if (!strcmp(type, "Sequence")) {
        cJSON_ArrayForEach(item, json_arr(o, "pretokenizers"))
        {
            if (!e)
                e = read_words(t, item, f);
        }
    } else {
        e = fault_set(f, ERR_UNSUPPORTED, "its pre_tokenizer \"%.40s\" is not one of T5's", type);
    }
    return e;
}

static enum err read_vocab(struct tokenizer *t, const cJSON *vocab, int64_t unk, struct fault *f)
{
    const cJSON *item;
    enum err e = ERR_OK;
    cJSON_ArrayForEach(item, vocab)
    {
        const cJSON *text = item->child, *score = text ? text->next : NULL;
        if (!cJSON_IsArray(item) || !cJSON_IsString(text) || !cJSON_IsNumber(score) ||
            !(score->valuedouble - score->valuedouble == 0))
            return fault_set(f, ERR_CORRUPT, "piece %d of the vocabulary is malformed", t->n);
        const char *s = text->valuestring;
        enum piece_kind kind = PIECE_NORMAL;
        if (t->n == unk)
            kind = PIECE_UNKNOWN;
        else if (strlen(s) == 6 && !strncmp(s, "<0x", 3) && s[5] == '>')
            kind = PIECE_BYTE;
        e = tokenizer_add(t, s, strlen(s), score->valuedouble, kind, f);
        if (e)
            return e;
    }
    return e;
}

/* Special tokens never match text. Those behind the vocabulary do not concern us. */
static void mark_special(struct tokenizer *t, const cJSON *added)
{
    const cJSON *item;
    cJSON_ArrayForEach(item, added)
    {
        int64_t id = json_int(item, "id", -1);
        if (id >= 0 && id < t->n && t->piece[id].kind == PIECE_NORMAL &&
            json_bool(item, "special", false))
            t->piece[id].kind = PIECE_CONTROL;
    }
}

enum err tokenizer_read_json(struct tokenizer *t, const char *text, size_t n, struct fault *f)
{
    struct fault why = {0};
    cJSON *o = json_parse_few(text, n, VALUES_MAX, &why);
    const cJSON *model = json_obj(o, "model"), *vocab = json_arr(model, "vocab");
    const cJSON *normalizer = json_obj(o, "normalizer"), *words = json_obj(o, "pre_tokenizer");
    enum err e = ERR_OK;
    if (!o)
        return fault_set(f, why.code == ERR_LIMIT ? ERR_LIMIT : ERR_CORRUPT, "%s",
                         fault_text(&why));
    t->wide = true;
    t->squeeze = t->trim = t->dummy_prefix = false;
    t->byte_fallback = json_bool(model, "byte_fallback", false);
    if (!vocab || strcmp(json_str(model, "type", "Unigram"), "Unigram"))
        e = fault_set(f, ERR_UNSUPPORTED, "it has no unigram model");
    if (!e)
        e = read_vocab(t, vocab, json_int(model, "unk_id", -1), f);
    if (!e && normalizer)
        e = read_normalizer(t, normalizer, f);
    if (!e && words)
        e = read_words(t, words, f);
    if (!e)
        mark_special(t, json_arr(o, "added_tokens"));
    cJSON_Delete(o);
    return e;
}
