#include "wan/runes.h"

#include <stdlib.h>
#include <string.h>

void runes_add(struct runes *r, uint32_t c)
{
    if (r->n == r->cap) {
        size_t cap = r->cap ? r->cap * 2 : 256;
        uint32_t *v = realloc(r->v, cap * sizeof *v);
        if (!v) {
            r->failed = true;
            return;
        }
        r->v = v;
        r->cap = cap;
    }
    r->v[r->n++] = c;
}

void runes_copy(struct runes *to, const struct runes *from)
{
    to->n = 0;
    to->failed |= from->failed;
    for (size_t i = 0; i < from->n; i++)
        runes_add(to, from->v[i]);
}

bool runes_same(const struct runes *a, const struct runes *b)
{
    return a->n == b->n && (!a->n || !memcmp(a->v, b->v, a->n * sizeof *a->v));
}

void runes_swap(struct runes *a, struct runes *b)
{
    struct runes t = *a;
    *a = *b;
    *b = t;
}

void runes_free(struct runes *r)
{
    free(r->v);
    *r = (struct runes){0};
}

size_t utf8_read(const char *text, size_t n, uint32_t *c)
{
    const unsigned char *s = (const unsigned char *)text;
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t len = !n ? 0 : s[0] < 0x80 ? 1 : s[0] < 0xc2 ? 0 : s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : 4;
    if (!len || len > n || s[0] > 0xf4)
        return 0;
    uint32_t v = len == 1 ? s[0] : s[0] & (0x7fu >> len);
    for (size_t i = 1; i < len; i++) {
        if ((s[i] & 0xc0) != 0x80)
            return 0;
        v = v << 6 | (s[i] & 0x3fu);
    }
    if (v < least[len] || v > 0x10ffff || (v >= 0xd800 && v < 0xe000))
        return 0;
    *c = v;
    return len;
}

void utf8_add(struct buf *b, uint32_t c)
{
    char s[4];
    size_t n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    for (size_t i = n; i-- > 1; c >>= 6)
        s[i] = (char)(0x80 | (c & 0x3f));
    s[0] = (char)(n == 1 ? c : (0xf00u >> n & 0xf0) | c);
    buf_add(b, s, n);
}
