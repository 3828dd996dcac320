#include "obs/airlock.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static enum err real(const char *path, char out[PATH_LEN], struct fault *f)
{
    char *r = realpath(path, NULL);
    if (!r)
        return fault_set(f, errno == ENOENT ? ERR_NOTFOUND : ERR_IO, "%.300s: %s", path,
                         strerror(errno));
    bool fits = str_copy(out, PATH_LEN, r);
    free(r);
    return fits ? ERR_OK : fault_set(f, ERR_LIMIT, "the path %.300s is too long", path);
}

enum err airlock_init(struct airlock *a, const char *folder, struct fault *f)
{
    *a = (struct airlock){.map_count = 0};
    return real(folder, a->folder, f);
}

enum err airlock_map(struct airlock *a, const char *from, const char *to, struct fault *f)
{
    struct airlock_map *m = &a->maps[a->map_count];
    if (a->map_count == AIRLOCK_MAPS)
        return fault_set(f, ERR_LIMIT, "more than %d folder maps for OBS", AIRLOCK_MAPS);
    enum err e = real(from, m->from, f);
    if (e)
        return e;
    if (!*to || !str_copy(m->to, sizeof m->to, to))
        return fault_set(f, ERR_INVAL, "the folder map of %.300s leads nowhere", from);
    size_t n = strlen(m->to);
    if (n > 1 && (m->to[n - 1] == '/' || m->to[n - 1] == '\\'))
        m->to[n - 1] = '\0';
    a->map_count++;
    return ERR_OK;
}

enum err airlock_check(const struct airlock *a, const char *path, char out[PATH_LEN],
                       struct fault *f)
{
    char found[PATH_LEN];
    struct stat st;
    const char *name = strrchr(path, '/');
    size_t n = strlen(a->folder);
    /* A link may not stand in for the file: what it leads to can change after this look. */
    if (*path != '/' || !name || !name[1])
        return fault_set(f, ERR_DENIED, "%.300s is no absolute path of a clip", path);
    if (lstat(path, &st))
        return fault_set(f, errno == ENOENT ? ERR_NOTFOUND : ERR_IO, "the clip %.300s: %s", path,
                         strerror(errno));
    if (!S_ISREG(st.st_mode))
        return fault_set(f, ERR_DENIED, "%.300s is not a plain file; only those go on air", path);
    enum err e = real(path, found, f);
    if (e)
        return e;
    if (strncmp(found, a->folder, n) || found[n] != '/' || strchr(found + n + 1, '/'))
        return fault_set(f, ERR_DENIED, "%.300s does not lie in the air folder", path);
    for (int i = 0; i < a->map_count; i++) {
        size_t from = strlen(a->maps[i].from);
        if (strncmp(found, a->maps[i].from, from) || found[from] != '/')
            continue;
        if ((size_t)snprintf(out, PATH_LEN, "%s%s", a->maps[i].to, found + from) >= PATH_LEN)
            return fault_set(f, ERR_LIMIT, "the path %.300s is too long for OBS", path);
        return ERR_OK;
    }
    str_copy(out, PATH_LEN, found);
    return ERR_OK;
}
