/* Normalisation before the pieces are sought (spec 3.3): the precompiled map of the model, blanks
 * to ▁, one ▁ in front, extra blanks removed where the model says so. */
#include "wan/tokenizer_inside.h"

#include "wan/runes.h"

#include <stdlib.h>
#include <string.h>

#define SPACE "\xe2\x96\x81" /* ▁ */
#define REPLACEMENT "\xef\xbf\xbd"
#define STRING_MAX 256 /* the longest that NFKC makes of one character has 33 bytes */

static uint32_t le32(const unsigned char *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

enum err tokenizer_charsmap(struct tokenizer *t, const unsigned char *data, size_t n,
                            struct fault *f)
{
    size_t trie = n > 4 ? le32(data) : 0;
    if (!n)
        return ERR_OK;
    if (trie < 4 || trie % 4 || trie > n - 4)
        return fault_set(f, ERR_CORRUPT, "its character map is malformed");
    free(t->charsmap);
    t->charsmap = malloc(n - 4 + 1);
    if (!t->charsmap)
        return fault_set(f, ERR_NOMEM, "out of memory");
    memcpy(t->charsmap, data + 4, n - 4);
    t->charsmap[n - 4] = '\0'; /* every string ends */
    t->trie_n = trie / 4;
    t->strings_n = n - 4 - trie;
    for (const unsigned char *s = t->charsmap + trie, *end = t->charsmap + n - 4; s < end;) {
        size_t len = strlen((const char *)s);
        if (len > STRING_MAX)
            return fault_set(f, ERR_CORRUPT, "its character map has a string of %zu bytes", len);
        s += len + 1;
    }
    return ERR_OK;
}

static uint32_t offset(uint32_t unit)
{
    return (unit >> 10) << ((unit & 512) >> 6);
}

/* The longest entry that s begins with: its length, and what replaces it. 0: none. */
static size_t mapped(const struct tokenizer *t, const char *s, size_t n, const char **to)
{
    size_t found = 0, pos = t->charsmap ? offset(le32(t->charsmap)) : 0;
    for (size_t i = 0; t->charsmap && i < n; i++) {
        unsigned char c = (unsigned char)s[i];
        pos ^= c;
        uint32_t u = pos < t->trie_n ? le32(t->charsmap + 4 * pos) : 0x80000000u;
        if ((u & 0x800000ffu) != c)
            break;
        pos ^= offset(u);
        if (pos >= t->trie_n)
            break;
        size_t at = le32(t->charsmap + 4 * pos) & 0x7fffffffu;
        if ((u & 256) && at < t->strings_n) {
            found = i + 1;
            *to = (const char *)t->charsmap + 4 * t->trie_n + at;
        }
    }
    return found;
}

/* The longest user-defined piece that s begins with. */
static size_t user_piece(const struct tokenizer *t, const char *s, size_t n)
{
    struct piece_walk w = piece_walk(t, &t->user);
    size_t found = 0;
    int id;
    for (size_t i = 0; i < n && piece_next(&w, (unsigned char)s[i], &id); i++)
        if (id >= 0)
            found = i + 1;
    return found;
}

/* What the next characters become; returns how many bytes they were. */
static size_t next_chunk(const struct tokenizer *t, const char *s, size_t n, const char **to,
                         size_t *to_n)
{
    uint32_t c;
    size_t len = t->user.n ? user_piece(t, s, n) : 0;
    *to = s;
    *to_n = len;
    if (len)
        return len;
    if ((len = mapped(t, s, n, to))) {
        *to_n = strlen(*to);
        return len;
    }
    len = utf8_read(s, n, &c);
    *to = len ? s : REPLACEMENT;
    *to_n = len ? len : sizeof REPLACEMENT - 1;
    return len ? len : 1;
}

bool tokenizer_normalize(const struct tokenizer *t, const char *text, size_t n, struct buf *out)
{
    const char *s = text, *to;
    size_t to_n, from = out->len, len;
    while (t->trim && n) { /* blanks in front */
        len = next_chunk(t, s, n, &to, &to_n);
        if (to_n != 1 || *to != ' ')
            break;
        s += len;
        n -= len;
    }
    if (!n)
        return true;
    if (t->dummy_prefix)
        buf_adds(out, SPACE);
    bool after_blank = t->trim;
    while (n && !out->failed) {
        len = next_chunk(t, s, n, &to, &to_n);
        s += len;
        n -= len;
        for (; after_blank && to_n && *to == ' '; to++, to_n--)
            ;
        if (to_n)
            after_blank = t->squeeze && to[to_n - 1] == ' ';
        for (; to_n; to++, to_n--)
            if (*to == ' ')
                buf_adds(out, SPACE);
            else
                buf_addc(out, *to);
    }
    while (t->trim && out->len >= from + 3 && !memcmp(out->data + out->len - 3, SPACE, 3)) {
        out->len -= 3;
        out->data[out->len] = '\0';
    }
    return !out->failed;
}
