/* base/path: where the program's files lie, and the few file operations everybody needs.
 *
 * Paths are byte strings of any length up to PATH_LEN; nothing here interprets chat text. Files are
 * written to a temporary name in the same folder, synced, and renamed. Any thread. */
#ifndef SAKUGA_BASE_PATH_H
#define SAKUGA_BASE_PATH_H

#include "base/buf.h"
#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

#define PATH_LEN 1024

/* Every place of one show. Absolute. Filled by paths_init(). */
struct paths {
    char config[PATH_LEN]; /* show.lua, secrets.conf */
    bool config_named;     /* it is not the default: somebody means it */
    char data[PATH_LEN];
    char db[PATH_LEN];     /* data/show.db */
    char vault[PATH_LEN];  /* data/vault: every rendered clip */
    char air[PATH_LEN];    /* data/air: cleared clips only; the one folder OBS plays clips from */
    char log[PATH_LEN];    /* data/log */
    char lua[PATH_LEN];    /* installed Lua files */
    char themes[PATH_LEN]; /* installed themes */
    char assets[PATH_LEN]; /* sounds, overlays, cards */
    char worker[PATH_LEN]; /* the sakuga-worker program */
};

/* Fills `p`. `config` and `data` may be NULL: then $XDG_CONFIG_HOME/sakuga and
 * $XDG_DATA_HOME/sakuga (or ~/.config, ~/.local/share). When the running program lies in a build
 * folder (a `.sakuga-tree` file beside it names the source tree) lua, themes and assets are the
 * tree's and the worker is the one beside it; else the installed places. Makes no folder. */
enum err paths_init(struct paths *p, const char *config, const char *data, struct fault *f);

/* `dir`/`name` into out[size]; ERR_LIMIT when it does not fit. An absolute `name` stands alone. */
enum err path_join(char *out, size_t size, const char *dir, const char *name);

/* Makes the folder and its parents with `mode`. An existing folder is fine. */
enum err path_mkdirs(const char *path, unsigned mode, struct fault *f);

/* Reads a whole file of at most `max` bytes into `b` (appended). */
enum err path_read(const char *path, size_t max, struct buf *b, struct fault *f);

/* Writes a file through a synced temporary name. */
enum err path_write(const char *path, const void *data, size_t n, unsigned mode, struct fault *f);

/* Removes a file that path_write() made, and the halves that writers of it left who were killed. */
void path_remove(const char *path);

/* Free bytes that an ordinary user may use on the file system of `path`; -1 when unknown. */
int64_t path_free_bytes(const char *path);

#endif
