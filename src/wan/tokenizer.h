/* wan/tokenizer: text → token ids by a SentencePiece unigram model (spec 3.2, 3.3).
 *
 * Two ways give the same ids: libsentencepiece where the build has it, and an algorithm of our own,
 * which also reads tokenizer.json. The vocabulary comes from a spiece.model or a tokenizer.json;
 * which, its content tells. Such a file may be hostile: every number in it is checked before it is
 * used, and the library is given what was checked, never the file. Text is data: the name of a
 * special token in a prompt is so many letters, in every case. Immutable once made; any thread. */
#ifndef SAKUGA_WAN_TOKENIZER_H
#define SAKUGA_WAN_TOKENIZER_H

#include "base/err.h"

#include <stddef.h>
#include <stdint.h>

struct tokenizer;

enum tokenizer_way {
    TOKENIZER_AUTO,   /* the library for a spiece.model where the build has it, or our own */
    TOKENIZER_OWN,    /* our own */
    TOKENIZER_LIBRARY /* UNSUPPORTED without the library, or with a tokenizer.json */
};

/* Of the bytes of a file, which may go afterwards. NULL with `f` filled: CORRUPT, UNSUPPORTED (no
 * unigram model), LIMIT, NOMEM. */
struct tokenizer *tokenizer_new(const void *bytes, size_t n, enum tokenizer_way way,
                                struct fault *f);

/* Of such a file, of a folder with one (spiece.model before tokenizer.json), or of a .safetensors
 * file with the U8 tensor "spiece_model". */
struct tokenizer *tokenizer_open(const char *path, enum tokenizer_way way, struct fault *f);
void tokenizer_free(struct tokenizer *t);

/* What the text encoder is given for a cleaned prompt: ids[max], at most max − 1 of the text and
 * the end of it. LIMIT: more than 1 MiB of text. */
enum err tokenizer_encode(const struct tokenizer *t, const char *cleaned, int32_t *ids, int max,
                          int *count, struct fault *f);

/* All ids of a text, without an end. The caller frees *ids. */
enum err tokenizer_pieces(const struct tokenizer *t, const char *text, int32_t **ids, int *count,
                          struct fault *f);

int tokenizer_size(const struct tokenizer *t); /* pieces */
int tokenizer_eos(const struct tokenizer *t);

/* "libsentencepiece" or "own algorithm": what splits text. Of a file by its name: what would. */
const char *tokenizer_words(const struct tokenizer *t);
const char *tokenizer_file_words(const char *path);

#endif
