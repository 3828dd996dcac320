/* The precompiled character map of a model (spec 3.3): a trie in a double array, then the strings
 * that its leaves point at. It comes from a file of the network, and libsentencepiece walks it
 * without a bound and notes what it finds in a list of 32; so the whole of it is walked here once,
 * and a map that leads outside itself, in a circle, or past that list is refused. */
#include "wan/tokenizer_inside.h"

#include <stdlib.h>
#include <string.h>

#define STRING_MAX 256              /* the longest that NFKC makes of one character has 33 bytes */
#define UNITS_MAX ((size_t)1 << 20) /* nmt_nfkc has 44,288 */
#define DEPTH_MAX 64                /* bytes of an entry; nmt_nfkc: 10 */
#define LEAVES_MAX 32               /* entries that begin alike; nmt_nfkc: 4 */

#define OPEN 255 /* in struct survey: being walked, so a way back to it is a circle */

static uint32_t le32(const unsigned char *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static uint32_t unit(const struct tokenizer *t, size_t at)
{
    return le32(t->charsmap + 4 * at);
}

static uint32_t offset(uint32_t u)
{
    return (u >> 10) << ((u & 512) >> 6);
}

static bool is_child(uint32_t u, unsigned char c)
{
    return (u & 0x800000ffu) == c;
}

static size_t value(const struct tokenizer *t, size_t at)
{
    return unit(t, at) & 0x7fffffffu;
}

/* leaves[node]: 1 + the most entries on any way down from there; 0: not seen yet. */
struct survey {
    const struct tokenizer *t;
    unsigned char *leaves;
};

static bool survey(struct survey *s, size_t node, int depth)
{
    const struct tokenizer *t = s->t;
    unsigned most = 0;
    if ((node | 255) >= t->trie_n || depth > DEPTH_MAX || s->leaves[node] == OPEN)
        return false;
    if (s->leaves[node])
        return true;
    s->leaves[node] = OPEN;
    for (unsigned c = 1; c < 256; c++) {
        uint32_t u = unit(t, node ^ c);
        size_t below = node ^ c ^ offset(u);
        if (!is_child(u, (unsigned char)c))
            continue;
        if (!survey(s, below, depth + 1) || ((u & 256) && value(t, below) >= t->strings_n))
            return false;
        unsigned here = s->leaves[below] - 1u + ((u & 256) != 0);
        most = here > most ? here : most;
    }
    s->leaves[node] = (unsigned char)(most + 1);
    return most <= LEAVES_MAX;
}

static enum err check_trie(const struct tokenizer *t, struct fault *f)
{
    struct survey s = {t, calloc(1, t->trie_n)};
    if (!s.leaves)
        return fault_set(f, ERR_NOMEM, "out of memory");
    bool good = survey(&s, offset(unit(t, 0)), 0);
    free(s.leaves);
    return good ? ERR_OK : fault_set(f, ERR_CORRUPT, "its character map leads outside itself");
}

enum err tokenizer_charsmap(struct tokenizer *t, const unsigned char *data, size_t n,
                            struct fault *f)
{
    size_t trie = n > 4 ? le32(data) : 0;
    if (!n)
        return ERR_OK;
    if (trie < 1024 || trie % 1024 || trie > n - 4 || trie / 4 > UNITS_MAX)
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
    return check_trie(t, f);
}

size_t tokenizer_mapped(const struct tokenizer *t, const char *s, size_t n, const char **to)
{
    size_t found = 0, node = t->charsmap ? offset(unit(t, 0)) : 0;
    for (size_t i = 0; t->charsmap && i < n && s[i]; i++) {
        uint32_t u = unit(t, node ^ (unsigned char)s[i]);
        if (!is_child(u, (unsigned char)s[i]))
            break;
        node ^= (unsigned char)s[i] ^ offset(u);
        if (u & 256) {
            found = i + 1;
            *to = (const char *)t->charsmap + 4 * t->trie_n + value(t, node);
        }
    }
    return found;
}
