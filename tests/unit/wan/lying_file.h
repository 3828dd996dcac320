/* For units of the checkpoint readers: a file of given bytes, and what opening it says. */
#ifndef SAKUGA_TESTS_LYING_FILE_H
#define SAKUGA_TESTS_LYING_FILE_H

#include "unit.h"

#include "base/buf.h"
#include "base/path.h"
#include "wan/weights.h"

#include <sys/stat.h>
#include <unistd.h>

static char lying_dir[] = "/tmp/sakuga-readers-XXXXXX";

static int lying_begin(void **state)
{
    return mkdtemp(lying_dir) ? 0 : -1;
}

static int lying_end(void **state)
{
    return rmdir(lying_dir);
}

static inline const char *lying_path(const char *name)
{
    static char path[PATH_LEN];
    snprintf(path, sizeof path, "%s/%s", lying_dir, name);
    return path;
}

static inline void lying_write(const char *name, const void *bytes, size_t n)
{
    FILE *file = fopen(lying_path(name), "wb");
    if (!file || fwrite(bytes, 1, n, file) != n || fclose(file))
        fail_msg("cannot write %s", name);
}

/* Opens it; an error must name the file and hold each of the words, which end with NULL. */
static inline struct weights *lying_open(const char *name, enum err want, const char *const *words)
{
    struct weights *w = NULL;
    struct fault f = {0};
    enum err e = weights_open(lying_path(name), &w, &f);
    if (e != want)
        fail_msg("%s: %s in place of %s: %s", name, err_name(e), err_name(want), fault_text(&f));
    if (e && !strstr(f.text, name))
        fail_msg("\"%s\" does not name %s", f.text, name);
    for (; e && *words; words++)
        if (!strstr(f.text, *words))
            fail_msg("\"%s\" says nothing of \"%s\"", f.text, *words);
    return e ? NULL : w;
}

#define WORDS(...) ((const char *const[]){__VA_ARGS__, NULL})

static inline void lying_refused(const char *name, const void *bytes, size_t n, enum err want,
                                 const char *const *words)
{
    lying_write(name, bytes, n);
    weights_free(lying_open(name, want, words));
    unlink(lying_path(name));
}

static inline struct weights *lying_sound(const char *name, const void *bytes, size_t n)
{
    lying_write(name, bytes, n);
    struct weights *w = lying_open(name, ERR_OK, NULL);
    unlink(lying_path(name)); /* the mapping stays */
    return w;
}

#endif
