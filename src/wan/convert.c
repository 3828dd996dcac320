/* One network of any file format → one safetensors file. */
#include "wan/wan.h"

#include "base/json.h"
#include "wan/files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define ROWS_BYTES ((size_t)4 << 20)

/* {"name": {"dtype", "shape", "data_offsets"}, …}, padded to eight bytes */
static bool header(const struct weights *w, struct buf *out)
{
    int64_t at = 0;
    cJSON *o = cJSON_CreateObject(), *meta = cJSON_AddObjectToObject(o, "__metadata__");
    const cJSON *v;
    cJSON_AddStringToObject(meta, "format", "pt");
    cJSON_ArrayForEach(v, w->meta)
    {
        if (cJSON_IsString(v) && strcmp(v->string, "format"))
            cJSON_AddStringToObject(meta, v->string, v->valuestring);
    }
    for (int i = 0; i < w->n; i++) {
        const struct wtensor *t = &w->t[i];
        int64_t bytes = t->count * (int64_t)dtype_size(t->type);
        cJSON *e = cJSON_AddObjectToObject(o, t->name), *list;
        cJSON_AddStringToObject(e, "dtype", dtype_name(t->type));
        list = cJSON_AddArrayToObject(e, "shape");
        for (int d = 0; d < t->rank; d++)
            cJSON_AddItemToArray(list, cJSON_CreateNumber((double)t->dim[d]));
        list = cJSON_AddArrayToObject(e, "data_offsets");
        cJSON_AddItemToArray(list, cJSON_CreateNumber((double)at));
        at += bytes;
        cJSON_AddItemToArray(list, cJSON_CreateNumber((double)at));
    }
    bool ok = o && json_print(out, o, false);
    cJSON_Delete(o);
    while (ok && out->len % 8)
        ok = buf_addc(out, ' ');
    return ok;
}

static bool put(FILE *to, const void *p, size_t n)
{
    return fwrite(p, 1, n, to) == n;
}

/* Row-major bytes of a tensor that lies otherwise in its file. */
static bool put_strided(FILE *to, const struct wtensor *t)
{
    size_t size = dtype_size(t->type);
    for (int64_t i = 0; i < t->count; i++) {
        int64_t left = i, from = 0;
        for (int d = t->rank - 1; d >= 0; d--) {
            from += left % t->dim[d] * t->stride[d];
            left /= t->dim[d];
        }
        if (!put(to, t->data + (size_t)from * size, size))
            return false;
    }
    return true;
}

static bool put_all(FILE *to, const struct weights *w, const struct buf *head)
{
    unsigned char length[8];
    for (int i = 0; i < 8; i++)
        length[i] = (unsigned char)((uint64_t)head->len >> 8 * i);
    if (!put(to, length, 8) || !put(to, head->data, head->len))
        return false;
    for (int i = 0; i < w->n; i++) {
        const struct wtensor *t = &w->t[i];
        size_t bytes = (size_t)t->count * dtype_size(t->type);
        if (t->strided ? !put_strided(to, t) : bytes && !put(to, t->data, bytes))
            return false;
    }
    return fflush(to) == 0 && fsync(fileno(to)) == 0;
}

static enum err write_file(const struct weights *w, const char *path, struct fault *f)
{
    char temp[PATH_LEN];
    struct buf head = BUF_INIT((size_t)100 << 20);
    enum err e = ERR_OK;
    if (snprintf(temp, sizeof temp, "%s.part", path) >= (int)sizeof temp)
        return fault_set(f, ERR_LIMIT, "the path %s is too long", path);
    FILE *to = header(w, &head) ? fopen(temp, "wbe") : NULL;
    if (!to || setvbuf(to, NULL, _IOFBF, ROWS_BYTES) || !put_all(to, w, &head))
        e = fault_set(f,
                      head.failed       ? ERR_NOMEM
                      : errno == ENOSPC ? ERR_FULL
                                        : ERR_IO,
                      "cannot write %s: %s", temp, head.failed ? "out of memory" : strerror(errno));
    if (to && fclose(to) && !e)
        e = fault_set(f, ERR_IO, "cannot write %s: %s", temp, strerror(errno));
    if (!e && rename(temp, path))
        e = fault_set(f, ERR_IO, "cannot name %s: %s", path, strerror(errno));
    if (e && to)
        unlink(temp);
    buf_free(&head);
    return e;
}

enum err wan_convert(const char *from, const char *to, struct fault *f)
{
    struct files found = {0};
    struct weights *alone = NULL;
    struct stat st, there;
    enum files_role role;
    struct fault none;
    enum err e;
    f = f ? f : &none;
    if (stat(from, &st))
        return fault_set(f, ERR_NOTFOUND, "cannot read %s: %s", from, strerror(errno));
    if (!stat(to, &there))
        return fault_set(f, ERR_EXISTS, "%s is there already; name a new file", to);
    if (S_ISDIR(st.st_mode))
        e = files_find(from, &found, f);
    else
        e = files_open(from, &alone, &role, f);
    const struct weights *w = alone ? alone : found.weights[FILES_DIT];
    if (!e && !w)
        e = fault_set(f, ERR_NOTFOUND, "%s holds nothing to convert", from);
    if (!e)
        e = write_file(w, to, f);
    weights_free(alone);
    files_close(&found);
    return e;
}
