/* Normalisation before the pieces are sought (spec 3.3): the precompiled map of the model, blanks
 * to ▁, one ▁ in front, extra blanks removed where the model says so. */
#include "wan/tokenizer_inside.h"

#include <stdlib.h>
#include <string.h>

#define SPACE "\xe2\x96\x81" /* ▁ */

enum err tokenizer_charsmap(struct tokenizer *t, const unsigned char *data, size_t n,
                            const char *path, struct fault *f)
{
    if (!n)
        return ERR_OK;
    uint32_t trie = 0;
    if (n > 4)
        trie = (uint32_t)data[0] | (uint32_t)data[1] << 8 | (uint32_t)data[2] << 16 |
               (uint32_t)data[3] << 24;
    if (n <= 4 || trie < 4 || trie % 4 || trie > n - 4)
        return fault_set(f, ERR_CORRUPT, "%s: its character map is malformed", path);
    free(t->charsmap);
    t->charsmap = malloc(n - 4 + 1);
    if (!t->charsmap)
        return fault_set(f, ERR_NOMEM, "out of memory");
    memcpy(t->charsmap, data + 4, n - 4);
    t->charsmap[n - 4] = '\0'; /* every string ends */
    t->trie_n = trie / 4;
    t->strings_n = n - 4 - trie;
    return ERR_OK;
}

static uint32_t unit(const struct tokenizer *t, size_t i)
{
    const unsigned char *p = t->charsmap + 4 * i;
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static uint32_t offset(uint32_t u)
{
    return (u >> 10) << ((u & 512) >> 6);
}

/* The longest entry that text begins with: its length, and what replaces it. 0: none. */
static size_t longest(const struct tokenizer *t, const unsigned char *s, size_t n, const char **to)
{
    size_t found = 0, pos = t->charsmap ? offset(unit(t, 0)) : 0;
    for (size_t i = 0; t->charsmap && i < n; i++) {
        pos ^= s[i];
        if (pos >= t->trie_n || (unit(t, pos) & (0x80000000u | 0xff)) != s[i])
            break;
        uint32_t u = unit(t, pos);
        pos ^= offset(u);
        if (u & 256) {
            size_t at = pos < t->trie_n ? unit(t, pos) & 0x7fffffff : t->strings_n;
            if (at < t->strings_n) {
                found = i + 1;
                *to = (const char *)t->charsmap + 4 * t->trie_n + at;
            }
        }
        if (pos >= t->trie_n)
            break;
    }
    return found;
}

/* Bytes of the valid UTF-8 character at s, 0 when there is none. */
static size_t valid_char(const unsigned char *s, size_t n)
{
    if (*s < 0x80)
        return 1;
    size_t want = *s >= 0xc2 && *s < 0xe0   ? 2
                  : *s >= 0xe0 && *s < 0xf0 ? 3
                  : *s >= 0xf0 && *s < 0xf5 ? 4
                                            : 0;
    if (!want || want > n)
        return 0;
    for (size_t i = 1; i < want; i++)
        if ((s[i] & 0xc0) != 0x80)
            return 0;
    if ((*s == 0xe0 && s[1] < 0xa0) || (*s == 0xed && s[1] >= 0xa0) ||
        (*s == 0xf0 && s[1] < 0x90) || (*s == 0xf4 && s[1] >= 0x90))
        return 0;
    return want;
}

/* What the next characters become; returns how many bytes they were. */
static size_t next_chunk(const struct tokenizer *t, const unsigned char *s, size_t n,
                         const char **to, size_t *to_n)
{
    size_t len = longest(t, s, n, to);
    if (len) {
        *to_n = strlen(*to);
        return len;
    }
    len = valid_char(s, n);
    *to = len ? (const char *)s : "\xef\xbf\xbd";
    *to_n = len ? len : 3;
    return len ? len : 1;
}

bool tokenizer_normalize(const struct tokenizer *t, const char *text, size_t n, struct buf *out)
{
    const unsigned char *s = (const unsigned char *)text;
    const char *to;
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
    bool after_blank = t->trim;
    if (t->dummy_prefix)
        buf_adds(out, SPACE);
    while (n) {
        len = next_chunk(t, s, n, &to, &to_n);
        s += len;
        n -= len;
        for (; after_blank && to_n && *to == ' '; to++, to_n--)
            ;
        if (!to_n)
            continue;
        for (size_t i = 0; i < to_n; i++)
            if (to[i] == ' ')
                buf_adds(out, SPACE);
            else
                buf_addc(out, to[i]);
        after_blank = t->squeeze && to[to_n - 1] == ' ';
    }
    while (t->trim && out->len >= from + 3 && !memcmp(out->data + out->len - 3, SPACE, 3)) {
        out->len -= 3;
        out->data[out->len] = '\0';
    }
    return !out->failed;
}
