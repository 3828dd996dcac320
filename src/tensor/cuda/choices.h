/* tensor/cuda/choices: which of a library's candidates was the fastest, measured once and kept.
 *
 * A candidate is a number in the list that the library gives for a shape; it holds for one chip and
 * one version of driver and libraries, so the file names those and is passed over when they differ.
 * It lies in $XDG_CACHE_HOME/sakuga (or ~/.cache/sakuga); one that cannot be read or written costs
 * the measuring again, and the going on of a job that was killed, nothing else.
 *
 * What is chosen decides the last bits of a result. So a choice is in the file, and synced, before
 * it counts; of processes that choose at the same time the first decides, and the others take what
 * it chose; and which choices a job relied on is listed (device_choices). */
#ifndef SAKUGA_TENSOR_CUDA_CHOICES_H
#define SAKUGA_TENSOR_CUDA_CHOICES_H

#include "base/buf.h"
#include "base/err.h"

#include <stddef.h>
#include <stdint.h>

#define CHOICE_WORDS 64

struct choices;

/* A line of the file, and of a list: "KEY CANDIDATE WORDS", the key in 16 hex digits. */
struct choice {
    uint64_t key;
    int candidate;
    char words[CHOICE_WORDS]; /* ASCII, for people: what it is of */
    bool used;                /* the job relies on it */
};

/* Beside what is made of a choice. All 0: there was nothing to choose. */
struct chosen {
    uint64_t key, job;
};

/* `where`: chip and versions, one line. NULL: no memory. */
struct choices *choices_open(const char *where);
void choices_free(struct choices *c); /* NULL is fine */

/* Of a kind ("gemm") and the bytes of a shape. */
uint64_t choices_key(const char *kind, const void *shape, size_t n);
/* The candidate, by what another process has put into the file since too; −1: none is known. */
int choices_find(struct choices *c, uint64_t key);
/* Keeps the fastest, in place of `instead` (−1: of none). The candidate that counts: the given one,
 * or that of a process that was here first. */
int choices_keep(struct choices *c, const struct choice *fastest, int instead);

/* The rows `choices`, `choices_begin` and `choices_rely` of a device's table. */
void choices_begin(struct choices *c);
void choices_use(struct choices *c, struct chosen *by);
bool choices_list(const struct choices *c, struct buf *out);
enum err choices_rely(struct choices *c, const char *lines, size_t n, struct fault *f);

#endif
