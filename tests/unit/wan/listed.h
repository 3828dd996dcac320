/* Tensors by name and shape alone, as of a published file, and files that hold them: a header
 * before a hole, which takes no room on the disk whatever it says. */
#ifndef SAKUGA_TESTS_UNIT_WAN_LISTED_H
#define SAKUGA_TESTS_UNIT_WAN_LISTED_H

#include "unit/wan/tiny.h"

#include "base/buf.h"
#include "base/path.h"
#include "wan/weights.h"

struct entry {
    char name[128];
    int rank;
    int64_t dim[WEIGHTS_RANK];
};

struct list {
    struct entry e[1400];
    int n;
};

static inline int64_t listed_count(const struct entry *e)
{
    int64_t n = 1;
    for (int i = 0; i < e->rank; i++)
        n *= e->dim[i];
    return n;
}

/* The tensors of a published file, of tests/wan/open/names: a line of name, another, shape. */
static inline void listed_read(struct list *l, const char *tsv)
{
    const char *src = getenv("srcdir");
    char path[PATH_LEN], *save;
    struct buf b = BUF_INIT(1 << 20);
    snprintf(path, sizeof path, "%s/tests/wan/open/names/%s", src ? src : "..", tsv);
    assert_int_equal(path_read(path, 1 << 20, &b, NULL), ERR_OK);
    strtok_r(b.data, "\n", &save);
    l->n = 0;
    for (char *line; (line = strtok_r(NULL, "\n", &save));) {
        struct entry *e = &l->e[l->n++];
        assert_true(l->n < (int)(sizeof l->e / sizeof *l->e));
        *e = (struct entry){.rank = 0};
        snprintf(e->name, sizeof e->name, "%.*s", (int)strcspn(line, "\t"), line);
        for (char *at = strrchr(line, '\t'); at; at = strchr(at + 1, ','))
            e->dim[e->rank++] = strtoll(at + 1, NULL, 10);
    }
    buf_free(&b);
}

/* As safetensors of `type`, `bytes` a number; `short_by` bytes are missing at the end. */
static inline void listed_write(const struct list *l, const char *folder, const char *name,
                                const char *type, int bytes, int64_t short_by)
{
    struct buf head = BUF_INIT(0);
    char path[PATH_LEN];
    int64_t at = 0;
    buf_addc(&head, '{');
    for (int i = 0; i < l->n; i++) {
        const struct entry *e = &l->e[i];
        int64_t end = at + bytes * listed_count(e);
        buf_addf(&head, "%s\"%s\":{\"dtype\":\"%s\",\"shape\":[", i ? "," : "", e->name, type);
        for (int d = 0; d < e->rank; d++)
            buf_addf(&head, d ? ",%lld" : "%lld", (long long)e->dim[d]);
        buf_addf(&head, "],\"data_offsets\":[%lld,%lld]}", (long long)at, (long long)end);
        at = end;
    }
    buf_addc(&head, '}');
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *f = fopen(path, "wb");
    uint64_t n = head.len;
    assert_true(f && fwrite(&n, 8, 1, f) == 1 && fwrite(head.data, 1, head.len, f) == head.len);
    assert_int_equal(fclose(f), 0);
    assert_int_equal(truncate(path, (off_t)(8 + (int64_t)n + at - short_by)), 0);
    buf_free(&head);
}

#endif
