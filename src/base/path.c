#include "base/path.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#ifndef SAKUGA_DATADIR
#define SAKUGA_DATADIR "/usr/local/share/sakuga"
#endif
#ifndef SAKUGA_LIBEXECDIR
#define SAKUGA_LIBEXECDIR "/usr/local/libexec/sakuga"
#endif

enum err path_join(char *out, size_t size, const char *dir, const char *name)
{
    size_t d = name[0] == '/' ? 0 : strlen(dir), n = strlen(name);
    if (d + n + 2 > size)
        return ERR_LIMIT;
    char *at = out;
    if (name[0] != '/') {
        memmove(at, dir, d);
        at += d;
        *at++ = '/';
    }
    memmove(at, name, n + 1);
    return ERR_OK;
}

static enum err absolute(char *out, const char *path, struct fault *f)
{
    char cwd[PATH_LEN];
    if (path[0] == '/')
        return path_join(out, PATH_LEN, "", path)
                   ? fault_set(f, ERR_LIMIT, "the path %s is too long", path)
                   : ERR_OK;
    if (!getcwd(cwd, sizeof cwd))
        return fault_set(f, ERR_IO, "the current folder cannot be named: %s", strerror(errno));
    if (path_join(out, PATH_LEN, cwd, path))
        return fault_set(f, ERR_LIMIT, "the path %s is too long", path);
    return ERR_OK;
}

static enum err xdg(char *out, const char *given, const char *env, const char *under_home,
                    struct fault *f)
{
    if (given)
        return absolute(out, given, f);
    const char *base = getenv(env), *home = getenv("HOME");
    char dir[PATH_LEN];
    if (base && base[0] == '/') {
        if (!str_copy(dir, sizeof dir, base))
            return fault_set(f, ERR_LIMIT, "$%s is too long", env);
    } else if (!home || home[0] != '/') {
        return fault_set(f, ERR_NOTFOUND, "neither $%s nor $HOME is set; name a folder", env);
    } else if (path_join(dir, sizeof dir, home, under_home)) {
        return fault_set(f, ERR_LIMIT, "$HOME is too long");
    }
    if (path_join(out, PATH_LEN, dir, "sakuga"))
        return fault_set(f, ERR_LIMIT, "$%s is too long", env);
    return ERR_OK;
}

/* The folder of the running program, and the source tree when it was built in place. */
static bool built_in_place(char *bindir, char *tree)
{
    char mark[PATH_LEN];
    ssize_t n = readlink("/proc/self/exe", bindir, PATH_LEN - 1);
    if (n <= 0)
        return false;
    bindir[n] = '\0';
    char *slash = strrchr(bindir, '/');
    if (!slash)
        return false;
    *slash = '\0';
    if (path_join(mark, sizeof mark, bindir, ".sakuga-tree"))
        return false;
    struct buf b = BUF_INIT(0);
    bool ok = path_read(mark, PATH_LEN - 1, &b, NULL) == ERR_OK;
    if (ok) {
        str_copy(tree, PATH_LEN, buf_str(&b));
        tree[strcspn(tree, "\n")] = '\0';
    }
    buf_free(&b);
    return ok && tree[0] == '/';
}

enum err paths_init(struct paths *p, const char *config, const char *data, struct fault *f)
{
    char bindir[PATH_LEN], tree[PATH_LEN];
    enum err e = xdg(p->config, config, "XDG_CONFIG_HOME", ".config", f);
    p->config_named = config != NULL;
    if (!e)
        e = xdg(p->data, data, "XDG_DATA_HOME", ".local/share", f);
    if (e)
        return e;
    bool in_place = built_in_place(bindir, tree);
    const char *share = in_place ? tree : SAKUGA_DATADIR;
    e |= path_join(p->db, PATH_LEN, p->data, "show.db");
    e |= path_join(p->vault, PATH_LEN, p->data, "vault");
    e |= path_join(p->air, PATH_LEN, p->data, "air");
    e |= path_join(p->log, PATH_LEN, p->data, "log");
    e |= path_join(p->lua, PATH_LEN, share, "lua");
    e |= path_join(p->themes, PATH_LEN, share, "themes");
    e |= path_join(p->assets, PATH_LEN, share, "assets");
    e |= path_join(p->worker, PATH_LEN, in_place ? bindir : SAKUGA_LIBEXECDIR, "sakuga-worker");
    return e ? fault_set(f, ERR_LIMIT, "the folder %s is too long a path", p->data) : ERR_OK;
}

enum err path_mkdirs(const char *path, unsigned mode, struct fault *f)
{
    char part[PATH_LEN];
    if (!str_copy(part, sizeof part, path))
        return fault_set(f, ERR_LIMIT, "the path %s is too long", path);
    for (char *at = part + 1;; at++) {
        if (*at && *at != '/')
            continue;
        char c = *at;
        *at = '\0';
        if (mkdir(part, mode) && errno != EEXIST)
            return fault_set(f, ERR_IO, "cannot make the folder %s: %s", part, strerror(errno));
        *at = c;
        if (!c)
            break;
    }
    struct stat st;
    if (stat(path, &st) || !S_ISDIR(st.st_mode))
        return fault_set(f, ERR_IO, "%s is not a folder; move it away", path);
    return ERR_OK;
}

enum err path_read(const char *path, size_t max, struct buf *b, struct fault *f)
{
    enum err e = ERR_OK;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return fault_set(f, errno == ENOENT ? ERR_NOTFOUND : ERR_IO, "cannot read %s: %s", path,
                         strerror(errno));
    size_t had = b->len;
    for (;;) {
        char *to = buf_room(b, 16384);
        if (!to) {
            e = fault_set(f, ERR_NOMEM, "cannot read %s: out of memory", path);
            break;
        }
        ssize_t n = read(fd, to, 16384);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            e = fault_set(f, ERR_IO, "cannot read %s: %s", path, strerror(errno));
            break;
        }
        if (n == 0)
            break;
        buf_grown(b, (size_t)n);
        if (b->len - had > max) {
            e = fault_set(f, ERR_LIMIT, "%s is larger than %zu bytes", path, max);
            break;
        }
    }
    close(fd);
    return e;
}

enum err path_write(const char *path, const void *data, size_t n, unsigned mode, struct fault *f)
{
    char temp[PATH_LEN];
    if (snprintf(temp, sizeof temp, "%s.XXXXXX", path) >= (int)sizeof temp)
        return fault_set(f, ERR_LIMIT, "the path %s is too long", path);
    int fd = mkostemp(temp, O_CLOEXEC);
    if (fd < 0)
        return fault_set(f, ERR_IO, "cannot write %s: %s", temp, strerror(errno));
    const char *at = data;
    bool ok = fchmod(fd, mode) == 0;
    while (ok && n > 0) {
        ssize_t w = write(fd, at, n);
        if (w < 0 && errno == EINTR)
            continue;
        ok = w > 0;
        if (ok) {
            at += w;
            n -= (size_t)w;
        }
    }
    ok = ok && fsync(fd) == 0;
    int why = errno;
    ok = close(fd) == 0 && ok;
    if (ok && rename(temp, path)) {
        ok = false;
        why = errno;
    }
    if (!ok) {
        unlink(temp);
        return fault_set(f, why == ENOSPC ? ERR_FULL : ERR_IO, "cannot write %s: %s", path,
                         strerror(why));
    }
    return ERR_OK;
}

/* NAME.XXXXXX, as mkostemp() spells it. */
static bool is_half(const char *entry, const char *name)
{
    size_t n = strlen(name);
    return !strncmp(entry, name, n) && entry[n] == '.' && strlen(entry + n + 1) == 6 &&
           !strchr(entry + n + 1, '.');
}

void path_remove(const char *path)
{
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    char folder[PATH_LEN];
    unlink(path);
    if ((size_t)(name - path) >= sizeof folder)
        return;
    snprintf(folder, sizeof folder, "%.*s", (int)(name - path), path);
    DIR *dir = opendir(folder[0] ? folder : ".");
    for (const struct dirent *e; dir && (e = readdir(dir));)
        if (is_half(e->d_name, name))
            unlinkat(dirfd(dir), e->d_name, 0);
    if (dir)
        closedir(dir);
}

int64_t path_free_bytes(const char *path)
{
    struct statvfs s;
    if (statvfs(path, &s))
        return -1;
    return (int64_t)(s.f_bavail * s.f_frsize);
}
