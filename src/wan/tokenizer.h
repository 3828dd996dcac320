/* wan/tokenizer: text → token ids by a SentencePiece unigram model (spec 3.2, 3.3).
 *
 * An algorithm of our own, which gives the ids of the library on every golden prompt. The
 * vocabulary comes from a spiece.model, a tokenizer.json, or a U8 tensor that holds the former. A
 * model file may be hostile: it is checked against its own size, and what does not fit is refused.
 * Immutable once opened; any thread. */
#ifndef SAKUGA_WAN_TOKENIZER_H
#define SAKUGA_WAN_TOKENIZER_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tokenizer;

/* By file name: .model, .json, or .safetensors with a tensor "spiece_model". */
enum err tokenizer_open(const char *path, struct tokenizer **out, struct fault *f);
/* `path` is for messages. The bytes may go afterwards. */
enum err tokenizer_from_spiece(const unsigned char *data, size_t n, const char *path,
                               struct tokenizer **out, struct fault *f);
enum err tokenizer_from_json(const char *text, size_t n, const char *path, struct tokenizer **out,
                             struct fault *f);
void tokenizer_free(struct tokenizer *t); /* NULL is fine */

int tokenizer_size(const struct tokenizer *t); /* pieces */
int tokenizer_eos(const struct tokenizer *t);

/* The ids of text[n], without any mark of the end; *out is the caller's to free. At most 1 MiB. */
enum err tokenizer_encode(const struct tokenizer *t, const char *text, size_t n, int **out,
                          int *count, struct fault *f);

/* What the model is given: the ids of the cleaned prompt cut to max − 1, then the end. out[max] */
enum err tokenizer_prompt(const struct tokenizer *t, const char *prompt, int *out, int max,
                          int *count, struct fault *f);

#endif
