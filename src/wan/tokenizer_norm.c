/* Normalisation before the pieces are sought (spec 3.3): the precompiled map of the model, blanks
 * to ▁, one ▁ in front, extra blanks removed where the model says so. */
#include "wan/tokenizer_inside.h"

#include "wan/runes.h"

#include <string.h>

#define SPACE TOKENIZER_SPACE
#define REPLACEMENT "\xef\xbf\xbd"

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
    if ((len = tokenizer_mapped(t, s, n, to))) {
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
    next_chunk(t, s, n, &to, &to_n);
    bool blank = (to_n && *to == ' ') || (to_n >= 3 && !memcmp(to, SPACE, 3));
    if (t->dummy_prefix && !(t->wide && blank)) /* transformers adds none to a text with one */
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
