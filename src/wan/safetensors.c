/* The safetensors format: 8 bytes of length N, N bytes of JSON, data (spec 2.2).
 *
 * Every number of the header is checked against the file before it is used: N against the file and
 * a limit, offsets against the data, lengths against shape and type, and the ranges against each
 * other (two tensors in the same bytes are an attack or an accident, never a checkpoint). */
#include "wan/weights.h"

#include "base/json.h"

#include <stdlib.h>
#include <string.h>

static uint64_t le64(const unsigned char *p)
{
    uint64_t v = 0;
    for (int i = 7; i >= 0; i--)
        v = v << 8 | p[i];
    return v;
}

static bool whole(const cJSON *v, int64_t *out)
{
    if (!cJSON_IsNumber(v) || !(v->valuedouble >= 0 && v->valuedouble <= 9007199254740992.0) ||
        v->valuedouble != (double)(int64_t)v->valuedouble)
        return false;
    *out = (int64_t)v->valuedouble;
    return true;
}

static enum err read_entry(const struct mapping *m, const cJSON *item, uint64_t start,
                           struct wtensor *t, struct fault *f)
{
    const char *path = m->path, *name = item->string;
    const cJSON *shape = json_arr(item, "shape"), *offsets = json_arr(item, "data_offsets"), *v;
    const char *type = json_str(item, "dtype", "");
    int64_t begin, end, bytes;
    uint64_t room = m->bytes - start;
    *t = (struct wtensor){.name = (char *)name, .file = path};
    if (!dtype_parse(type, &t->type))
        return fault_set(f, ERR_UNSUPPORTED, "%s: the tensor %.200s has the unknown type \"%.20s\"",
                         path, name, type);
    if (!shape || cJSON_GetArraySize(shape) > WEIGHTS_RANK)
        return fault_set(f, ERR_CORRUPT, "%s: the tensor %.200s has no shape of at most %d axes",
                         path, name, WEIGHTS_RANK);
    cJSON_ArrayForEach(v, shape)
    {
        if (!whole(v, &t->dim[t->rank++]))
            return fault_set(f, ERR_CORRUPT, "%s: the shape of %.200s is not made of whole numbers",
                             path, name);
    }
    if (!wtensor_measure(t) ||
        __builtin_mul_overflow(t->count, (int64_t)dtype_size(t->type), &bytes))
        return fault_set(f, ERR_CORRUPT, "%s: the tensor %.200s is impossibly large", path, name);
    if (!offsets || cJSON_GetArraySize(offsets) != 2 || !whole(offsets->child, &begin) ||
        !whole(offsets->child->next, &end) || begin > end)
        return fault_set(f, ERR_CORRUPT, "%s: the tensor %.200s has no valid data_offsets", path,
                         name);
    if ((uint64_t)end > room)
        return fault_set(f, ERR_CORRUPT,
                         "%s is truncated: the tensor %.200s ends %llu bytes behind its end", path,
                         name, (unsigned long long)((uint64_t)end - room));
    if (end - begin != bytes)
        return fault_set(f, ERR_CORRUPT,
                         "%s: the tensor %.200s has %lld bytes, its shape and type need %lld", path,
                         name, (long long)(end - begin), (long long)bytes);
    t->data = m->data + start + begin;
    return ERR_OK;
}

static int by_address(const void *a, const void *b)
{
    const struct wtensor *x = *(const struct wtensor *const *)a,
                         *y = *(const struct wtensor *const *)b;
    if (x->data != y->data)
        return x->data < y->data ? -1 : 1;
    return x->count < y->count ? -1 : x->count > y->count;
}

static enum err no_overlap(const struct weights *w, int first, struct fault *f)
{
    int n = w->n - first;
    if (n < 2)
        return ERR_OK;
    const struct wtensor **order = malloc((size_t)n * sizeof(struct wtensor *));
    if (!order)
        return fault_set(f, ERR_NOMEM, "out of memory");
    for (int i = 0; i < n; i++)
        order[i] = &w->t[first + i];
    qsort(order, (size_t)n, sizeof *order, by_address);
    enum err e = ERR_OK;
    for (int i = 1; i < n && !e; i++) {
        const struct wtensor *a = order[i - 1], *b = order[i];
        if (a->data + (size_t)a->count * dtype_size(a->type) > b->data)
            e = fault_set(f, ERR_CORRUPT, "%s: the tensors %.150s and %.150s overlap", a->file,
                          a->name, b->name);
    }
    free(order);
    return e;
}

enum err safetensors_read(struct weights *w, const struct mapping *m, struct fault *f)
{
    struct fault why = {0};
    if (m->bytes < 8)
        return fault_set(f, ERR_CORRUPT, "%s is too short to be a safetensors file", m->path);
    uint64_t n = le64(m->data);
    if (n > WEIGHTS_JSON_BYTES)
        return fault_set(f, ERR_LIMIT,
                         "%s: a header of %llu bytes is no safetensors file (at most %zu)", m->path,
                         (unsigned long long)n, WEIGHTS_JSON_BYTES);
    if (n > m->bytes - 8)
        return fault_set(f, ERR_CORRUPT, "%s is truncated: its header of %llu bytes does not fit",
                         m->path, (unsigned long long)n);
    cJSON *header = json_parse_few((const char *)m->data + 8, (size_t)n, WEIGHTS_JSON_VALUES, &why);
    if (!header && why.code == ERR_LIMIT)
        return fault_set(f, ERR_LIMIT, "%s: the header: %s", m->path, fault_text(&why));
    if (!cJSON_IsObject(header)) {
        cJSON_Delete(header);
        return fault_set(f, ERR_CORRUPT, "%s: the header is %s", m->path,
                         header ? "no object" : fault_text(&why));
    }
    int first = w->n;
    enum err e = ERR_OK;
    if (!w->meta)
        w->meta = cJSON_DetachItemFromObjectCaseSensitive(header, "__metadata__");
    for (const cJSON *item = header->child; item && !e; item = item->next) {
        struct wtensor t;
        if (!strcmp(item->string, "__metadata__"))
            continue;
        e = read_entry(m, item, 8 + n, &t, f);
        if (!e)
            e = weights_add(w, &t, f);
    }
    cJSON_Delete(header);
    return e ? e : no_overlap(w, first, f);
}
