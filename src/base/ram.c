#include "base/ram.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The least number in root/sys/fs/cgroup/`folder``path`/`file` and the same of its parents. */
static uint64_t least_of(const char *root, const char *folder, char *path, const char *file)
{
    uint64_t least = UINT64_MAX;
    for (char *end = path + strlen(path);;) {
        char name[2 * PATH_MAX];
        uint64_t n;
        *end = '\0';
        snprintf(name, sizeof name, "%s/sys/fs/cgroup%s%s/%s", root, folder, path, file);
        FILE *f = fopen(name, "r");
        if (f && fscanf(f, "%" SCNu64, &n) == 1 && n > 0 && n < least) /* "max" is no number */
            least = n;
        if (f)
            fclose(f);
        if (end == path)
            return least;
        for (end--; end > path && *end != '/'; end--)
            continue;
    }
}

uint64_t ram_bytes(const char *root)
{
    uint64_t least = (uint64_t)sysconf(_SC_PHYS_PAGES) * (uint64_t)sysconf(_SC_PAGESIZE);
    char name[PATH_MAX], line[PATH_MAX];
    snprintf(name, sizeof name, "%s/proc/self/cgroup", root);
    FILE *f = fopen(name, "r");
    while (f && fgets(line, sizeof line, f)) { /* "0::/path", "4:cpu,memory:/path" */
        char *kind = strchr(line, ':'), *path = kind ? strchr(kind + 1, ':') : NULL;
        if (!path)
            continue;
        *kind++ = *path++ = '\0';
        path[strcspn(path, "\n")] = '\0';
        uint64_t n = UINT64_MAX;
        if (!strcmp(line, "0"))
            n = least_of(root, "", path, "memory.max");
        else if (strstr(kind, "memory"))
            n = least_of(root, "/memory", path, "memory.limit_in_bytes");
        least = n < least ? n : least;
    }
    if (f)
        fclose(f);
    return least;
}
