/* wan/tokenizer_inside: the vocabulary as tokenizer*.c share it. */
#ifndef SAKUGA_WAN_TOKENIZER_INSIDE_H
#define SAKUGA_WAN_TOKENIZER_INSIDE_H

#include "base/buf.h"
#include "wan/tokenizer.h"

#define TOKENIZER_SPACE "\xe2\x96\x81" /* ▁ */

enum piece_kind { /* numbers of the file */
                  PIECE_NORMAL = 1,
                  PIECE_UNKNOWN = 2,
                  PIECE_CONTROL = 3,
                  PIECE_USER = 4, /* always taken when the text has it, and never normalised */
                  PIECE_UNUSED = 5,
                  PIECE_BYTE = 6
};

struct piece {
    size_t at; /* in tokenizer.text */
    uint32_t n;
    enum piece_kind kind;
    double score;
};

/* Pieces by their bytes. */
struct piece_index {
    int32_t *id;
    int n;
};

struct tokenizer {
    struct piece *piece; /* by id */
    int n, cap;
    struct buf text;
    struct piece_index match, user; /* what text can be; the user-defined among them */
    int byte_id[256];               /* −1: none */
    int unk, eos;                   /* −1 until known */
    bool byte_fallback, dummy_prefix;
    bool squeeze, trim; /* of several blanks one stays; none at the ends */
    bool wide;          /* of a tokenizer.json: sums in double, not in float */
    bool words;         /* and each word from ▁ to ▁ by itself, from 0 */
    double unknown_score;
    unsigned char *charsmap; /* double array, then strings; or NULL */
    size_t trie_n, strings_n;
    struct spiece *library; /* NULL: our own algorithm */
};

/* For the readers. Messages name no file: who opened it does. */
enum err tokenizer_add(struct tokenizer *t, const char *text, size_t n, double score,
                       enum piece_kind kind, struct fault *f);
/* A precompiled map as it lies in a file, checked as a whole; none when n is 0. */
enum err tokenizer_charsmap(struct tokenizer *t, const unsigned char *data, size_t n,
                            struct fault *f);
enum err tokenizer_read_spiece(struct tokenizer *t, const unsigned char *data, size_t n,
                               struct fault *f);
enum err tokenizer_read_json(struct tokenizer *t, const char *text, size_t n, struct fault *f);

/* The pieces of an index that begin with the text walked so far. */
struct piece_walk {
    const struct tokenizer *t;
    const struct piece_index *index;
    int low, high;
    uint32_t depth;
};

struct piece_walk piece_walk(const struct tokenizer *t, const struct piece_index *index);
/* One byte more; false when no piece goes on so. *id: the piece that ends here, or −1. */
bool piece_next(struct piece_walk *w, unsigned char c, int *id);

/* The longest entry of the map that s begins with: its length, and what replaces it. 0: none. */
size_t tokenizer_mapped(const struct tokenizer *t, const char *s, size_t n, const char **to);

/* By libsentencepiece. */
bool tokenizer_has_library(void);
enum err tokenizer_take_library(struct tokenizer *t, struct fault *f);
enum err tokenizer_by_library(const struct tokenizer *t, const char *text, size_t n, int32_t **ids,
                              int *count, struct fault *f);
void tokenizer_drop_library(struct tokenizer *t);

/* The normalised form (spec 3.3), blanks as ▁. */
bool tokenizer_normalize(const struct tokenizer *t, const char *text, size_t n, struct buf *out);

#endif
