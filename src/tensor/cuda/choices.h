/* tensor/cuda/choices: which of a library's candidates was the fastest, measured once and kept.
 *
 * A candidate is a number in the list that the library gives for a shape; it holds for one chip and
 * one version of driver and libraries, so the file names those and is passed over when they differ.
 * It lies in $XDG_CACHE_HOME/sakuga (or ~/.cache/sakuga); one that cannot be read or written costs
 * the measuring again, nothing else. What is chosen decides the last bits of a result: the mark of
 * what was known at the start stands in the device's words. */
#ifndef SAKUGA_TENSOR_CUDA_CHOICES_H
#define SAKUGA_TENSOR_CUDA_CHOICES_H

#include <stddef.h>
#include <stdint.h>

struct choices;

/* `where`: chip and versions, one line. NULL: no memory. */
struct choices *choices_open(const char *where);
void choices_free(struct choices *c); /* NULL is fine */
/* Of everything known at the start; 0 when that was nothing. */
uint32_t choices_mark(const struct choices *c);

/* The candidate for a shape (its bytes) of a kind ("gemm"), or −1. */
int choices_find(const struct choices *c, const char *kind, const void *shape, size_t n);
/* Keeps it, in place of what was kept before, on the disk too. */
void choices_note(struct choices *c, const char *kind, const void *shape, size_t n, int candidate);

#endif
