#include "wan/html.h"

#include "wan/clean_table.h"

#include <string.h>

#define NAME_MAX_STRICT 24
#define NAME_MAX_LOOSE 32

uint32_t cp1252(uint32_t c)
{
    static const uint16_t high[32] = {
        0x20ac, 0x81,   0x201a, 0x192,  0x201e, 0x2026, 0x2020, 0x2021, 0x2c6,  0x2030, 0x160,
        0x2039, 0x152,  0x8d,   0x17d,  0x8f,   0x90,   0x2018, 0x2019, 0x201c, 0x201d, 0x2022,
        0x2013, 0x2014, 0x2dc,  0x2122, 0x161,  0x203a, 0x153,  0x9d,   0x17e,  0x178};
    return c - 0x80 < 32 ? high[c - 0x80] : c;
}

static bool is_digit(uint32_t c)
{
    return c - '0' < 10;
}

static int hex_digit(uint32_t c)
{
    return is_digit(c) ? (int)(c - '0') : (c | 32) - 'a' < 6 ? (int)((c | 32) - 'a') + 10 : -1;
}

static bool is_alnum(uint32_t c)
{
    return is_digit(c) || (c < 128 && (c | 32) - 'a' < 26);
}

/* "#65", "#x41" at v[n]: its length, 0 when there is no digit; the number saturates. */
static size_t read_number(const uint32_t *v, size_t n, uint32_t *number)
{
    bool hex = n > 1 && (v[1] == 'x' || v[1] == 'X');
    size_t i = hex ? 2 : 1, first = i;
    for (*number = 0; i < n && (hex ? hex_digit(v[i]) >= 0 : is_digit(v[i])); i++)
        if (*number <= 0x10ffff)
            *number = *number * (hex ? 16 : 10) + (uint32_t)hex_digit(v[i]);
    return i > first ? i : 0;
}

/* The character of a number by HTML 5; false: none at all. */
static bool number_char(uint32_t number, uint32_t *c)
{
    *c = number - 0x80 < 32 ? cp1252(number) : number;
    if (number == 0 || number > 0x10ffff || number - 0xd800 < 0x800)
        *c = 0xfffd;
    if (number == '\r' || number - 0x80 < 32)
        return true;
    return !((number && number < 9) || number == 0xb || (number >= 0xe && number < 0x20) ||
             number == 0x7f || number - 0xfdd0 < 0x20 ||
             (number <= 0x10ffff && (number & 0xfffe) == 0xfffe));
}

static const struct entity *find(const struct entity *table, int n, const char *name)
{
    int lo = 0, hi = n;
    while (lo < hi) {
        int mid = (lo + hi) / 2, c = strcmp(table[mid].name, name);
        if (!c)
            return &table[mid];
        if (c < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    return NULL;
}

static size_t put(uint32_t *out, const struct entity *e)
{
    size_t n = 0;
    while (n < 3 && e->to[n])
        n++;
    memcpy(out, e->to, n * sizeof *out);
    return n;
}

/* Each dialect reads what follows an '&' at v[n], writes what it stands for to out[*made] and
 * returns the length that was read; 0: it stands for itself. */
static size_t read_strict(const uint32_t *v, size_t n, uint32_t *out, size_t *made)
{
    char name[NAME_MAX_STRICT + 1];
    size_t first = n && v[0] == '#', i = first;
    uint32_t number;
    while (i < n && i - first < NAME_MAX_STRICT && is_alnum(v[i])) {
        name[i - first] = (char)v[i];
        i++;
    }
    if (i == first || i == n || v[i] != ';')
        return 0;
    name[i - first] = '\0';
    if (first) {
        if (read_number(v, i, &number) != i || number == ';')
            return 0;
        *made = number_char(number, out);
        return i + 1;
    }
    const struct entity *e = find(entities, entities_n, name);
    if (!e)
        e = find(loud_entities, loud_entities_n, name);
    if (!e)
        return 0;
    *made = put(out, e);
    return i + 1;
}

static size_t read_loose(const uint32_t *v, size_t n, uint32_t *out, size_t *made)
{
    char name[NAME_MAX_LOOSE + 1];
    size_t i = 0;
    uint32_t number;
    if (n && v[0] == '#') {
        if (!(i = read_number(v, n, &number)))
            return 0;
        *made = number_char(number, out);
        return i + (i < n && v[i] == ';');
    }
    while (i < n && i < NAME_MAX_LOOSE && is_alnum(v[i])) {
        name[i] = (char)v[i];
        i++;
    }
    name[i] = '\0';
    const struct entity *e = i ? find(entities, entities_n, name) : NULL;
    if (e && i < n && v[i] == ';') {
        *made = put(out, e);
        return i + 1;
    }
    for (; i > 1; i--) {
        name[i] = '\0';
        if ((e = find(entities, entities_n, name)) && e->bare) {
            *made = put(out, e);
            return i;
        }
    }
    return 0;
}

static void unescape(struct runes *r,
                     size_t (*read)(const uint32_t *, size_t, uint32_t *, size_t *))
{
    size_t out = 0;
    for (size_t i = 0; i < r->n;) {
        uint32_t to[3];
        size_t made = 0, len = r->v[i] == '&' ? read(r->v + i + 1, r->n - i - 1, to, &made) : 0;
        if (!len) {
            r->v[out++] = r->v[i++];
            continue;
        }
        i += 1 + len;
        memcpy(r->v + out, to, made * sizeof *to);
        out += made;
    }
    r->n = out;
}

void html_strict(struct runes *r)
{
    unescape(r, read_strict);
}

void html_loose(struct runes *r)
{
    unescape(r, read_loose);
}
