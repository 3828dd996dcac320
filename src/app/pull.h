/* app/pull: fetching the published files of a model.
 *
 * Each file comes to NAME.part and is renamed when its length and its SHA-256 are right, so that a
 * folder never holds half a file under a whole one's name. What was cut off goes on where it
 * stopped, also after a restart. What is whole already is compared with the SHA-256 that was
 * published; where none was, the progress says so. */
#ifndef SAKUGA_APP_PULL_H
#define SAKUGA_APP_PULL_H

#include "loop/loop.h"

/* A published file. `bytes` 0: unknown. `sum`: the digits of its SHA-256 that we know, "head…tail",
 * NULL none. All digits of the one that the server names, where it does, are compared too. */
struct pull_file {
    const char *name;
    int64_t bytes;
    const char *sum;
};

struct pull_model {
    const char *name;       /* "wan2.1-t2v-1.3b" */
    const char *repository; /* "Wan-AI/Wan2.1-T2V-1.3B" */
    const char *about;
    const struct pull_file *files; /* ended by a NULL name; an index brings its shards along */
};

/* Every model that can be pulled. */
const struct pull_model *pull_models(int *count);

struct pull_progress {
    const char *file;
    int64_t have, total;  /* bytes of this file; total -1 unknown */
    int64_t bytes_second; /* lately; 0 unknown */
    const char *event;    /* a sentence (a retry, a file that is here already), NULL none */
};

struct pull_settings {
    const char *base; /* "https://huggingface.co" */
    const char *dir;  /* made when it is not there */
    const char *ca;   /* PEM file, or NULL */
    int stall_s;      /* patience when nothing comes; 0: 30 */
    int retry_ms;     /* first wait before a new attempt, doubled up to 60 times it; 0: 500 */
    void (*progress)(void *user, const struct pull_progress *p);
    void *user;
};

/* Fetches what is missing of a model, running the loop until it is there. ERR_FULL: the disk has
 * not the room (both numbers are named) and nothing was begun. ERR_CORRUPT: a file came twice with
 * a wrong sum, or the server or the folder has another one under its name. Other errors as
 * loop/http.h tells them, after five attempts in a row that brought nothing. What came stays for
 * the next time. */
enum err pull_model(struct loop *l, const struct pull_model *m, const struct pull_settings *set,
                    struct fault *f);

#endif
