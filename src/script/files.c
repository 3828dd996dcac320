#include "script/files.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static bool is_lua(const char *name)
{
    size_t n = strlen(name);
    return name[0] != '.' && n > 4 && !strcmp(name + n - 4, ".lua");
}

static enum err add(const char *path, const char *name, struct file *out, int *count)
{
    const char *base = strrchr(name, '/');
    base = base ? base + 1 : name;
    size_t n = strlen(base);
    if (*count == FILES_MAX)
        return ERR_LIMIT;
    struct file *f = &out[(*count)++];
    str_copy(f->path, sizeof f->path, path);
    snprintf(f->name, sizeof f->name, "%.*s", (int)(is_lua(base) ? n - 4 : n), base);
    return ERR_OK;
}

static int wanted(const struct dirent *d)
{
    return is_lua(d->d_name);
}

static enum err add_folder(const char *dir, struct file *out, int *count)
{
    struct dirent **all;
    enum err e = ERR_OK;
    int n = scandir(dir, &all, wanted, alphasort);
    for (int i = 0; i < n; i++) {
        char path[PATH_LEN];
        if (!e && !path_join(path, sizeof path, dir, all[i]->d_name))
            e = add(path, all[i]->d_name, out, count);
        free(all[i]);
    }
    if (n >= 0)
        free(all);
    return e;
}

enum err files_find(const char *name, const char *const *dirs, int dir_count, struct file *out,
                    int *count)
{
    for (int i = 0; i < dir_count; i++)
        for (int dotted = 0; dotted < 2; dotted++) {
            char path[PATH_LEN], full[PATH_LEN + 8];
            struct stat st;
            if (path_join(path, sizeof path, dirs[i], name))
                continue;
            snprintf(full, sizeof full, "%s%s", path, dotted ? ".lua" : "");
            if (stat(full, &st))
                continue;
            return S_ISDIR(st.st_mode) ? add_folder(full, out, count) : add(full, name, out, count);
        }
    return add("", name, out, count);
}
