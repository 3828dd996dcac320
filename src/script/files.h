/* script/files: which files a list of script names means.
 *
 * A name is a file or folder, searched in each folder in turn as NAME, NAME.lua; a folder means
 * every *.lua in it, in order of name. Blocking file reads: script thread only. */
#ifndef SAKUGA_SCRIPT_FILES_H
#define SAKUGA_SCRIPT_FILES_H

#include "base/path.h"

#define FILES_MAX 64
#define FILES_BYTES ((size_t)1 << 20) /* of one script */

struct file {
    char path[PATH_LEN]; /* "" : not found */
    char name[64];       /* "commands", the script's name in logs and its scope of values */
};

/* Appends to out[FILES_MAX], whose `*count` grows. A name that is nowhere gives a file without a
 * path. ERR_LIMIT when there are too many. */
enum err files_find(const char *name, const char *const *dirs, int dir_count, struct file *out,
                    int *count);

#endif
