/* wan/spiece: libsentencepiece behind three C functions. spiece.cc is the one C++ file of the tree,
 * built where the library is there (HAVE_SENTENCEPIECE).
 *
 * It is given only models that tokenizer_library.c wrote, out of what our own reader had checked:
 * the library ends the process on some errors and trusts what it reads. What it throws or returns
 * ends here, as words in `why`, none for a lack of memory. A model is immutable; any thread. */
#ifndef SAKUGA_WAN_SPIECE_H
#define SAKUGA_WAN_SPIECE_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct spiece;

/* Of a serialized ModelProto, which may go afterwards. NULL: it failed. */
struct spiece *spiece_new(const void *model, size_t n, char *why, size_t why_n);
void spiece_free(struct spiece *s);

/* The ids of n bytes of text in *ids, which the caller frees; returns how many, −1: it failed. */
int spiece_encode(const struct spiece *s, const char *text, size_t n, int32_t **ids, char *why,
                  size_t why_n);

#ifdef __cplusplus
}
#endif

#endif
