#include "wan/weights.h"

#include "base/buf.h"
#include "base/json.h"
#include "base/path.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define SHARDS_MAX 256
#define CONFIG_VALUES 4096 /* the published ones have about thirty */

struct weights *weights_new(void)
{
    return calloc(1, sizeof(struct weights));
}

void weights_free(struct weights *w)
{
    if (!w)
        return;
    for (int i = 0; i < w->n; i++)
        free(w->t[i].name);
    free(w->t);
    cJSON_Delete(w->meta);
    while (w->maps) {
        struct mapping *m = w->maps;
        w->maps = m->next;
        if (m->bytes)
            munmap((void *)m->data, m->bytes);
        free(m);
    }
    free(w);
}

void weights_rest(const struct weights *w)
{
    for (const struct mapping *m = w->maps; m; m = m->next)
        if (m->file && m->bytes)
            madvise((void *)m->data, m->bytes, MADV_DONTNEED);
}

void weights_want(const struct weights *w, const char *prefix)
{
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    for (int i = 0; i < w->n; i++) {
        const struct wtensor *t = &w->t[i];
        if (strncmp(t->name, prefix, strlen(prefix)) || !t->data)
            continue;
        uintptr_t from = (uintptr_t)t->data / page * page;
        uintptr_t to = (uintptr_t)t->data + (size_t)t->count * dtype_size(t->type);
        madvise((void *)from, to - from, MADV_WILLNEED); /* memory of no file is there anyway */
    }
}

static enum err map_file(struct weights *w, const char *path, struct mapping **out, struct fault *f)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat st;
    if (fd < 0)
        return fault_set(f, errno == ENOENT ? ERR_NOTFOUND : ERR_IO, "cannot open %s: %s", path,
                         strerror(errno));
    enum err e = ERR_OK;
    void *p = NULL;
    struct mapping *m = NULL;
    if (fstat(fd, &st) || !S_ISREG(st.st_mode)) {
        e = fault_set(f, ERR_IO, "%s is not a file", path);
    } else if (st.st_size > 0) {
        p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
        if (p == MAP_FAILED)
            e = fault_set(f, ERR_IO, "cannot map %s: %s", path, strerror(errno));
    }
    close(fd);
    if (e)
        return e;
    m = calloc(1, sizeof *m + strlen(path) + 1);
    if (!m) {
        if (p)
            munmap(p, (size_t)st.st_size);
        return fault_set(f, ERR_NOMEM, "out of memory");
    }
    strcpy(m->path, path);
    m->data = p;
    m->bytes = (size_t)st.st_size;
    m->file = true;
    m->next = w->maps;
    w->maps = m;
    *out = m;
    return ERR_OK;
}

enum err weights_add(struct weights *w, const struct wtensor *t, struct fault *f)
{
    if (w->n == w->cap) {
        int cap = w->cap ? w->cap * 2 : 256;
        struct wtensor *p = realloc(w->t, (size_t)cap * sizeof *p);
        if (!p)
            return fault_set(f, ERR_NOMEM, "out of memory");
        w->t = p;
        w->cap = cap;
    }
    w->t[w->n] = *t;
    w->t[w->n].name = strdup(t->name);
    if (!w->t[w->n].name)
        return fault_set(f, ERR_NOMEM, "out of memory");
    w->n++;
    return ERR_OK;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct wtensor *)a)->name, ((const struct wtensor *)b)->name);
}

enum err weights_done(struct weights *w, struct fault *f)
{
    if (w->n)
        qsort(w->t, (size_t)w->n, sizeof *w->t, by_name);
    for (int i = 1; i < w->n; i++)
        if (!strcmp(w->t[i - 1].name, w->t[i].name))
            return fault_set(f, ERR_CORRUPT, "%s: the tensor %s is there twice (also in %s)",
                             w->t[i].file, w->t[i].name, w->t[i - 1].file);
    return ERR_OK;
}

const struct wtensor *weights_find(const struct weights *w, const char *name)
{
    struct wtensor key = {.name = (char *)name};
    return w->n ? bsearch(&key, w->t, (size_t)w->n, sizeof *w->t, by_name) : NULL;
}

const char *weights_meta(const struct weights *w, const char *key)
{
    return w->meta ? json_str(w->meta, key, NULL) : NULL;
}

struct cJSON *weights_config(const struct weights *w)
{
    const char *text = weights_meta(w, "config");
    return text ? json_parse_few(text, strlen(text), CONFIG_VALUES, NULL) : NULL;
}

bool wtensor_measure(struct wtensor *t)
{
    t->count = 1;
    for (int i = 0; i < t->rank; i++)
        if (t->dim[i] < 0 || __builtin_mul_overflow(t->count, t->dim[i], &t->count))
            return false;
    return true;
}

void wtensor_shape_text(const struct wtensor *t, char *out, size_t n)
{
    struct buf b = BUF_INIT(256);
    buf_addc(&b, '[');
    for (int i = 0; i < t->rank; i++)
        buf_addf(&b, "%s%lld", i ? ", " : "", (long long)t->dim[i]);
    buf_addc(&b, ']');
    str_copy(out, n, buf_str(&b));
    buf_free(&b);
}

/* `count` elements from row-major position `first` of a tensor with strides. */
static void gather(const struct wtensor *t, int64_t first, int64_t count, float *out)
{
    size_t size = dtype_size(t->type);
    for (int64_t i = 0; i < count; i++) {
        int64_t rest = first + i, at = 0;
        for (int a = t->rank - 1; a >= 0; a--) {
            at += rest % t->dim[a] * t->stride[a];
            rest /= t->dim[a];
        }
        dtype_widen(out + i, t->data + (size_t)at * size, t->type, 1);
    }
}

void wtensor_widen_rows(const struct wtensor *t, int64_t from, int64_t n, float *out)
{
    int64_t row = t->rank && t->dim[0] ? t->count / t->dim[0] : t->count;
    if (t->strided)
        gather(t, from * row, n * row, out);
    else
        dtype_widen(out, t->data + (size_t)(from * row) * dtype_size(t->type), t->type,
                    (size_t)(n * row));
}

void wtensor_widen(const struct wtensor *t, float *out)
{
    wtensor_widen_rows(t, 0, t->rank ? t->dim[0] : 1, out);
}

static bool ends_with(const char *s, const char *end)
{
    size_t n = strlen(s), m = strlen(end);
    return n >= m && !strcmp(s + n - m, end);
}

static enum err read_one(struct weights *w, const char *path, struct fault *f)
{
    struct mapping *m = NULL;
    enum err e = map_file(w, path, &m, f);
    if (e)
        return e;
    if (m->bytes >= 4 && !memcmp(m->data, "PK\3\4", 4))
        return pth_read(w, m, f);
    if (ends_with(path, ".pth") || ends_with(path, ".pt"))
        return fault_set(f, ERR_UNSUPPORTED,
                         "%s is not a torch zip archive (written by torch 1.5 or older?); convert "
                         "it to safetensors",
                         path);
    return safetensors_read(w, m, f);
}

/* A shard is named by the index; it must be a plain file name, beside the index. */
static enum err read_index(struct weights *w, const char *path, struct fault *f)
{
    struct buf text = BUF_INIT(2 * WEIGHTS_JSON_BYTES);
    char dir[PATH_LEN], file[PATH_LEN];
    const char *seen[SHARDS_MAX];
    int shards = 0;
    cJSON *index = NULL;
    struct fault why = {0};
    enum err e = path_read(path, WEIGHTS_JSON_BYTES, &text, f);
    if (e)
        goto out;
    index = json_parse_few(buf_str(&text), text.len, WEIGHTS_JSON_VALUES, &why);
    const cJSON *map = index ? json_obj(index, "weight_map") : NULL, *item;
    if (!map) {
        e = fault_set(f, why.code == ERR_LIMIT ? ERR_LIMIT : ERR_CORRUPT, "%s: %s", path,
                      index ? "it has no weight_map" : fault_text(&why));
        goto out;
    }
    str_copy(dir, sizeof dir, path);
    char *slash = strrchr(dir, '/');
    if (slash)
        *slash = '\0';
    else
        strcpy(dir, ".");
    cJSON_ArrayForEach(item, map)
    {
        const char *name = cJSON_IsString(item) ? item->valuestring : "";
        int i = 0;
        while (i < shards && strcmp(seen[i], name))
            i++;
        if (i < shards)
            continue;
        if (!*name || strchr(name, '/') || name[0] == '.') {
            e = fault_set(f, ERR_CORRUPT, "%s: the shard of %.100s is not a file name", path,
                          item->string);
            goto out;
        }
        if (shards == SHARDS_MAX) {
            e = fault_set(f, ERR_LIMIT, "%s: more than %d shards", path, SHARDS_MAX);
            goto out;
        }
        seen[shards++] = name;
        if (path_join(file, sizeof file, dir, name)) {
            e = fault_set(f, ERR_LIMIT, "the path of %.100s is too long", name);
            goto out;
        }
        if ((e = read_one(w, file, f)))
            goto out;
    }
    if ((e = weights_done(w, f)))
        goto out;
    cJSON_ArrayForEach(item, map)
    {
        if (!weights_find(w, item->string)) {
            e = fault_set(f, ERR_CORRUPT,
                          "%s names the tensor %.200s, but the shard %.100s has none", path,
                          item->string, item->valuestring);
            break;
        }
    }
out:
    cJSON_Delete(index);
    buf_free(&text);
    return e;
}

enum err weights_open(const char *path, struct weights **out, struct fault *f)
{
    struct weights *w = weights_new();
    if (!w)
        return fault_set(f, ERR_NOMEM, "out of memory");
    enum err e;
    if (ends_with(path, ".json")) {
        e = read_index(w, path, f);
    } else {
        e = read_one(w, path, f);
        if (!e)
            e = weights_done(w, f);
    }
    if (e)
        weights_free(w);
    else
        *out = w;
    return e;
}
