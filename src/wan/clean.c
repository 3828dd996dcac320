#include "wan/clean.h"

#include "wan/clean_tables.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(a) (sizeof(a) / sizeof *(a))

#define HANGUL 0xac00u
#define HANGUL_L 0x1100u
#define HANGUL_V 0x1161u
#define HANGUL_T 0x11a7u

/* Code points; grows like a buf. */
struct points {
    uint32_t *c;
    size_t n, cap;
    bool failed;
};

static void put(struct points *p, uint32_t c)
{
    if (p->n == p->cap) {
        size_t cap = p->cap ? p->cap * 2 : 256;
        uint32_t *more = realloc(p->c, cap * sizeof *more);
        if (!more) {
            p->failed = true;
            return;
        }
        p->c = more;
        p->cap = cap;
    }
    p->c[p->n++] = c;
}

/* One character of s[n] into *c; returns its bytes. Malformed bytes are U+FFFD, one each. */
static size_t decode(const unsigned char *s, size_t n, uint32_t *c)
{
    size_t len = *s < 0x80 ? 1 : *s < 0xc2 ? 0 : *s < 0xe0 ? 2 : *s < 0xf0 ? 3 : *s < 0xf5 ? 4 : 0;
    *c = len == 1 ? *s : len == 2 ? *s & 0x1fu : len == 3 ? *s & 0xfu : *s & 7u;
    for (size_t i = 1; i < len; i++) {
        if (i >= n || (s[i] & 0xc0) != 0x80) {
            len = 0;
            break;
        }
        *c = *c << 6 | (s[i] & 0x3fu);
    }
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    if (!len || *c < least[len] || *c > 0x10ffff || (*c >= 0xd800 && *c < 0xe000)) {
        *c = 0xfffd;
        return 1;
    }
    return len;
}

static void from_utf8(struct points *p, const char *s, size_t n)
{
    uint32_t c;
    for (size_t i = 0; i < n && !p->failed;) {
        i += decode((const unsigned char *)s + i, n - i, &c);
        put(p, c);
    }
}

static bool to_utf8(struct buf *b, const struct points *p)
{
    for (size_t i = 0; i < p->n; i++) {
        uint32_t c = p->c[i];
        char u[4];
        size_t n = 0;
        if (c < 0x80) {
            u[n++] = (char)c;
        } else {
            if (c < 0x800) {
                u[n++] = (char)(0xc0 | c >> 6);
            } else {
                if (c < 0x10000) {
                    u[n++] = (char)(0xe0 | c >> 12);
                } else {
                    u[n++] = (char)(0xf0 | c >> 18);
                    u[n++] = (char)(0x80 | (c >> 12 & 0x3f));
                }
                u[n++] = (char)(0x80 | (c >> 6 & 0x3f));
            }
            u[n++] = (char)(0x80 | (c & 0x3f));
        }
        buf_add(b, u, n);
    }
    return !b->failed && !p->failed;
}

/* NFC */

static int order_of(uint32_t c)
{
    size_t low = 0, high = COUNT(clean_marks);
    while (low < high) {
        size_t mid = (low + high) / 2;
        if (clean_marks[mid].last < c)
            low = mid + 1;
        else
            high = mid;
    }
    return low < COUNT(clean_marks) && clean_marks[low].first <= c ? clean_marks[low].order : 0;
}

static void decompose(struct points *to, uint32_t c)
{
    if (c >= HANGUL && c < HANGUL + 11172) {
        uint32_t i = c - HANGUL;
        put(to, HANGUL_L + i / 588);
        put(to, HANGUL_V + i % 588 / 28);
        if (i % 28)
            put(to, HANGUL_T + i % 28);
        return;
    }
    size_t low = 0, high = COUNT(clean_decomposed);
    while (low < high) {
        size_t mid = (low + high) / 2;
        if (clean_decomposed[mid].c < c)
            low = mid + 1;
        else
            high = mid;
    }
    if (low < COUNT(clean_decomposed) && clean_decomposed[low].c == c)
        for (int k = 0; k < clean_decomposed[low].n; k++)
            put(to, clean_pool[clean_decomposed[low].at + k]);
    else
        put(to, c);
}

/* 0 when a and b do not compose. */
static uint32_t compose(uint32_t a, uint32_t b)
{
    if (a - HANGUL_L < 19 && b - HANGUL_V < 21)
        return HANGUL + ((a - HANGUL_L) * 21 + (b - HANGUL_V)) * 28;
    if (a - HANGUL < 11172 && (a - HANGUL) % 28 == 0 && b - HANGUL_T - 1 < 27)
        return a + (b - HANGUL_T);
    size_t low = 0, high = COUNT(clean_composed);
    while (low < high) {
        size_t mid = (low + high) / 2;
        if (clean_composed[mid].a < a || (clean_composed[mid].a == a && clean_composed[mid].b < b))
            low = mid + 1;
        else
            high = mid;
    }
    bool hit =
        low < COUNT(clean_composed) && clean_composed[low].a == a && clean_composed[low].b == b;
    return hit ? clean_composed[low].c : 0;
}

static void normalize(struct points *p)
{
    struct points d = {0};
    for (size_t i = 0; i < p->n; i++)
        decompose(&d, p->c[i]);
    /* marks behind a base in the order of their classes; insertion keeps equals as they were */
    for (size_t i = 1; i < d.n; i++) {
        int order = order_of(d.c[i]);
        for (size_t j = i; order && j && order_of(d.c[j - 1]) > order; j--) {
            uint32_t swap = d.c[j];
            d.c[j] = d.c[j - 1];
            d.c[j - 1] = swap;
        }
    }
    p->n = 0;
    p->failed = p->failed || d.failed;
    size_t base = SIZE_MAX;
    int before = 0; /* the class of what stands last behind the base */
    for (size_t i = 0; i < d.n; i++) {
        int order = order_of(d.c[i]);
        bool blocked = base != SIZE_MAX && base + 1 < p->n && (before == 0 || before >= order);
        uint32_t both = base != SIZE_MAX && !blocked ? compose(p->c[base], d.c[i]) : 0;
        if (both) {
            p->c[base] = both;
            continue;
        }
        put(p, d.c[i]);
        before = order;
        if (!order)
            base = p->n - 1;
    }
    free(d.c);
}

/* HTML */

static const char *entity(const char *name, size_t n)
{
    size_t low = 0, high = COUNT(clean_entity);
    while (low < high) {
        size_t mid = (low + high) / 2;
        int c = strncmp(clean_entity[mid].name, name, n);
        if (c < 0)
            low = mid + 1;
        else
            high = mid;
    }
    /* of the names that begin so, the shortest stands first */
    return low < COUNT(clean_entity) && !strncmp(clean_entity[low].name, name, n) &&
                   !clean_entity[low].name[n]
               ? clean_entity[low].to
               : NULL;
}

/* What HTML makes of a number: Windows' characters at 128 to 159, nothing for the impossible. */
static void put_number(struct points *to, uint64_t c)
{
    static const uint16_t windows[32] = {
        0x20ac, 0x81,   0x201a, 0x192,  0x201e, 0x2026, 0x2020, 0x2021, 0x2c6,  0x2030, 0x160,
        0x2039, 0x152,  0x8d,   0x17d,  0x8f,   0x90,   0x2018, 0x2019, 0x201c, 0x201d, 0x2022,
        0x2013, 0x2014, 0x2dc,  0x2122, 0x161,  0x203a, 0x153,  0x9d,   0x17e,  0x178};
    if (c == 0 || c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
        put(to, 0xfffd);
    else if (c >= 0x80 && c < 0xa0)
        put(to, windows[c - 0x80]);
    else if ((c < 9) || c == 0xb || (c >= 0xe && c < 0x20) || c == 0x7f ||
             (c >= 0xfdd0 && c < 0xfdf0) || (c & 0xfffe) == 0xfffe)
        return;
    else
        put(to, (uint32_t)c);
}

/* &#10; &#x2019; with or without its semicolon. Returns the length, 0: not one. */
static size_t numeric(struct points *to, const uint32_t *s, size_t n, bool strict)
{
    size_t i = 2, digits = 0;
    uint64_t v = 0;
    bool hex = n > 2 && (s[2] == 'x' || s[2] == 'X');
    for (i += hex; i < n; i++, digits++) {
        uint32_t c = s[i];
        int d = c >= '0' && c <= '9'          ? (int)(c - '0')
                : hex && c >= 'a' && c <= 'f' ? (int)(c - 'a') + 10
                : hex && c >= 'A' && c <= 'F' ? (int)(c - 'A') + 10
                                              : -1;
        if (d < 0)
            break;
        v = v > 0x10ffff ? v : v * (hex ? 16 : 10) + (uint64_t)d;
    }
    bool closed = i < n && s[i] == ';';
    if (!digits || (strict && !closed))
        return 0;
    put_number(to, v);
    return i + closed;
}

/* A named reference at s; with `strict` (ftfy's way) only whole ones with their semicolon. */
static size_t named(struct points *to, const uint32_t *s, size_t n, bool strict)
{
    char name[34];
    size_t len = 0;
    const char *value = NULL;
    while (len + 1 < n && len < 32) {
        uint32_t c = s[len + 1];
        if (c >= 0x80 || c <= 0x20 || c == '<' || c == '&' || c == '#' || c == ';')
            break;
        name[len++] = (char)c;
    }
    bool closed = len && len + 1 < n && s[len + 1] == ';';
    if (closed)
        name[len++] = ';';
    if (strict) {
        value = closed ? entity(name, len) : NULL;
    } else {
        /* the longest beginning that is a name: "&notit;" is "¬it;" */
        while (len > 1 && !(value = entity(name, len)))
            len--;
    }
    if (!value)
        return 0;
    from_utf8(to, value, strlen(value));
    return len + 1;
}

static void unescape(struct points *p, bool strict)
{
    struct points out = {0};
    bool any = false;
    for (size_t i = 0; i < p->n;) {
        size_t used = 0;
        if (p->c[i] == '&' && i + 1 < p->n)
            used = p->c[i + 1] == '#' ? numeric(&out, p->c + i, p->n - i, strict)
                                      : named(&out, p->c + i, p->n - i, strict);
        if (!used) {
            put(&out, p->c[i]);
            used = 1;
        } else {
            any = true;
        }
        i += used;
    }
    out.failed = out.failed || p->failed;
    if (any || out.failed) {
        free(p->c);
        *p = out;
    } else {
        free(out.c);
    }
}

/* ftfy */

static const char *ligature(uint32_t c)
{
    static const char *const dz[] = {"D\305\275", "D\305\276", "d\305\276", "LJ", "Lj",
                                     "lj",        "NJ",        "Nj",        "nj"};
    static const char *const small[] = {"ff", "fi", "fl", "ffi", "ffl", "\305\277t", "st"};
    if (c >= 0x1c4 && c <= 0x1cc)
        return dz[c - 0x1c4];
    if (c >= 0xfb00 && c <= 0xfb06)
        return small[c - 0xfb00];
    switch (c) {
    case 0x132:
        return "IJ";
    case 0x133:
        return "ij";
    case 0x149:
        return "\312\274n";
    case 0x1f1:
        return "DZ";
    case 0x1f2:
        return "Dz";
    case 0x1f3:
        return "dz";
    default:
        return NULL;
    }
}

static const char *narrow(uint32_t c)
{
    if (c == 0x3000)
        return " ";
    for (size_t i = 0; c >= 0xff01 && c <= 0xffef && i < COUNT(clean_width); i++)
        if (clean_width[i].c == c)
            return clean_width[i].to;
    return NULL;
}

static bool is_control(uint32_t c)
{
    return c < 9 || c == 0xb || (c >= 0xe && c < 0x20) || c == 0x7f ||
           (c >= 0x206a && c <= 0x206f) || c == 0xfeff || (c >= 0xfff9 && c <= 0xfffc);
}

static uint32_t plain_quote(uint32_t c)
{
    if (c == 0x2bc || (c >= 0x2018 && c <= 0x201b))
        return '\'';
    if (c >= 0x201c && c <= 0x201f)
        return '"';
    if (c == 0x2028 || c == 0x2029 || c == 0x85)
        return '\n';
    return c;
}

/* ESC [ digits and semicolons, a letter: its length, or 0 */
static size_t escape(const uint32_t *s, size_t n)
{
    size_t i = 2;
    if (n < 3 || s[0] != 0x1b || s[1] != '[')
        return 0;
    while (i < n && ((s[i] >= '0' && s[i] <= '9') || s[i] == ';'))
        i++;
    return i < n && ((s[i] | 0x20) >= 'a' && (s[i] | 0x20) <= 'z') ? i + 1 : 0;
}

/* Each character by itself: ligatures, width, quotes, line breaks. */
static void fold(struct points *p)
{
    struct points out = {0};
    for (size_t i = 0; i < p->n; i++) {
        uint32_t c = p->c[i];
        const char *to = ligature(c);
        to = to ? to : narrow(c);
        size_t from = out.n;
        if (to)
            from_utf8(&out, to, strlen(to));
        else if (c == '\r' && i + 1 < p->n && p->c[i + 1] == '\n')
            continue;
        else
            put(&out, c == '\r' ? '\n' : c);
        for (; from < out.n; from++) /* what width made may be a quote */
            out.c[from] = plain_quote(out.c[from]);
    }
    out.failed = out.failed || p->failed;
    free(p->c);
    *p = out;
}

static void drop_controls(struct points *p)
{
    size_t n = 0;
    for (size_t i = 0; i < p->n;) {
        size_t skip = escape(p->c + i, p->n - i);
        if (!skip && !is_control(p->c[i]))
            p->c[n++] = p->c[i];
        i += skip ? skip : 1;
    }
    p->n = n;
}

static bool is_blank(uint32_t c)
{
    return (c >= 9 && c <= 0xd) || c == ' ' || c == 0x85 || c == 0xa0 || c == 0x1680 ||
           (c >= 0x2000 && c <= 0x200a) || c == 0x2028 || c == 0x2029 || c == 0x202f ||
           c == 0x205f || c == 0x3000;
}

static void fold_blanks(struct points *p)
{
    size_t n = 0;
    bool blank = false;
    for (size_t i = 0; i < p->n; i++) {
        if (is_blank(p->c[i])) {
            blank = n > 0;
            continue;
        }
        uint32_t c = p->c[i];
        if (blank)
            p->c[n++] = ' ';
        blank = false;
        p->c[n++] = c;
    }
    p->n = n;
}

bool clean_prompt(struct buf *out, const char *text, size_t n)
{
    struct points p = {0};
    from_utf8(&p, text, n);
    if (!memchr(text, '<', n))
        unescape(&p, true);
    fold(&p);
    drop_controls(&p);
    normalize(&p);
    unescape(&p, false);
    unescape(&p, false);
    fold_blanks(&p);
    bool ok = to_utf8(out, &p);
    free(p.c);
    return ok;
}

bool clean_nfc(struct buf *out, const char *text, size_t n)
{
    struct points p = {0};
    from_utf8(&p, text, n);
    normalize(&p);
    bool ok = to_utf8(out, &p);
    free(p.c);
    return ok;
}
