#include "wan/zip.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define MEMBERS_MAX 200000
#define END_SIZE 22
#define END_SEARCH (END_SIZE + 65535)

struct cursor {
    const unsigned char *data;
    size_t n;
    const char *path;
    struct fault *f;
};

static uint64_t le(const unsigned char *p, int bytes)
{
    uint64_t v = 0;
    while (bytes--)
        v = v << 8 | p[bytes];
    return v;
}

static bool inside(const struct cursor *c, uint64_t at, uint64_t n)
{
    return at <= c->n && n <= c->n - at;
}

static enum err bad(const struct cursor *c, const char *what)
{
    return fault_set(c->f, ERR_CORRUPT, "%s: damaged archive: %s", c->path, what);
}

/* Where the central directory lies and how many entries it has. */
static enum err find_directory(const struct cursor *c, uint64_t *at, uint64_t *entries)
{
    size_t from = c->n > END_SEARCH ? c->n - END_SEARCH : 0, i = c->n;
    const unsigned char *end = NULL;
    for (i = c->n >= END_SIZE ? c->n - END_SIZE + 1 : 0; i-- > from && !end;)
        if (!memcmp(c->data + i, "PK\5\6", 4))
            end = c->data + i;
    if (!end)
        return bad(c, "it has no end record; it may be truncated");
    *entries = le(end + 10, 2);
    *at = le(end + 16, 4);
    uint64_t place = (uint64_t)(end - c->data);
    if (place >= 20 && !memcmp(end - 20, "PK\6\7", 4)) {
        uint64_t wide = le(end - 12, 8);
        if (!inside(c, wide, 56) || memcmp(c->data + wide, "PK\6\6", 4))
            return bad(c, "its ZIP64 end record is not where it should be");
        *entries = le(c->data + wide + 32, 8);
        *at = le(c->data + wide + 48, 8);
    }
    if (*entries > MEMBERS_MAX)
        return fault_set(c->f, ERR_LIMIT, "%s: an archive of %llu members is too large", c->path,
                         (unsigned long long)*entries);
    return ERR_OK;
}

/* The ZIP64 extra field holds those of (size, packed, offset) that did not fit, in this order. */
static bool widen(const unsigned char *extra, size_t n, uint64_t *size, uint64_t *packed,
                  uint64_t *offset)
{
    uint64_t *want[3];
    int wants = 0;
    if (*size == 0xffffffff)
        want[wants++] = size;
    if (*packed == 0xffffffff)
        want[wants++] = packed;
    if (*offset == 0xffffffff)
        want[wants++] = offset;
    while (wants && n >= 4) {
        size_t id = (size_t)le(extra, 2), len = (size_t)le(extra + 2, 2);
        if (len > n - 4)
            return false;
        if (id == 1) {
            for (int i = 0; i < wants; i++) {
                if (len < (size_t)(i + 1) * 8)
                    return false;
                *want[i] = le(extra + 4 + i * 8, 8);
            }
            return true;
        }
        extra += 4 + len;
        n -= 4 + len;
    }
    return wants == 0;
}

static enum err read_member(const struct cursor *c, uint64_t *at, struct zip_member *m)
{
    const unsigned char *p = inside(c, *at, 46) ? c->data + *at : NULL;
    if (!p || memcmp(p, "PK\1\2", 4))
        return bad(c, "its directory is cut short");
    size_t name_n = (size_t)le(p + 28, 2), extra_n = (size_t)le(p + 30, 2);
    uint64_t rest = name_n + extra_n + le(p + 32, 2);
    uint64_t packed = le(p + 20, 4), size = le(p + 24, 4), local = le(p + 42, 4);
    if (!inside(c, *at + 46, rest))
        return bad(c, "its directory is cut short");
    if (!widen(p + 46 + name_n, extra_n, &size, &packed, &local))
        return bad(c, "a ZIP64 field is missing");
    if (le(p + 8, 2) & 1)
        return fault_set(c->f, ERR_UNSUPPORTED, "%s: the archive is encrypted", c->path);
    int shown = (int)(name_n < 100 ? name_n : 100);
    const char *name = (const char *)p + 46;
    if (le(p + 10, 2) != 0 || packed != size)
        return fault_set(c->f, ERR_UNSUPPORTED,
                         "%s: the member %.*s is compressed; torch never does that", c->path, shown,
                         name);
    if (!inside(c, local, 30) || memcmp(c->data + local, "PK\3\4", 4))
        return fault_set(c->f, ERR_CORRUPT, "%s: the member %.*s is not where the directory says",
                         c->path, shown, name);
    uint64_t data = local + 30 + le(c->data + local + 26, 2) + le(c->data + local + 28, 2);
    if (!inside(c, data, size))
        return fault_set(c->f, ERR_CORRUPT,
                         "%s: the member %.*s reaches behind the end; the file may be truncated",
                         c->path, shown, name);
    *m = (struct zip_member){name, name_n, c->data + data, size};
    *at += 46 + rest;
    return ERR_OK;
}

static int compare(const char *a, size_t an, const char *b, size_t bn)
{
    int c = memcmp(a, b, an < bn ? an : bn);
    return c ? c : an < bn ? -1 : an > bn;
}

static int by_name(const void *a, const void *b)
{
    const struct zip_member *x = a, *y = b;
    return compare(x->name, x->name_n, y->name, y->name_n);
}

enum err zip_read(const unsigned char *data, size_t n, const char *path, struct zip_member **out,
                  int *count, struct fault *f)
{
    struct cursor c = {data, n, path, f};
    uint64_t at = 0, entries = 0;
    enum err e = find_directory(&c, &at, &entries);
    if (e)
        return e;
    struct zip_member *m = calloc((size_t)entries + 1, sizeof *m);
    if (!m)
        return fault_set(f, ERR_NOMEM, "out of memory");
    for (uint64_t i = 0; i < entries && !e; i++)
        e = read_member(&c, &at, &m[i]);
    if (e) {
        free(m);
        return e;
    }
    qsort(m, (size_t)entries, sizeof *m, by_name);
    *out = m;
    *count = (int)entries;
    return ERR_OK;
}

const struct zip_member *zip_find(const struct zip_member *m, int count, const char *name)
{
    struct zip_member key = {.name = name, .name_n = strlen(name)};
    return bsearch(&key, m, (size_t)count, sizeof *m, by_name);
}
