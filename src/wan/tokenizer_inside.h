/* wan/tokenizer_inside: the vocabulary as tokenizer*.c share it. */
#ifndef SAKUGA_WAN_TOKENIZER_INSIDE_H
#define SAKUGA_WAN_TOKENIZER_INSIDE_H

#include "base/buf.h"
#include "wan/tokenizer.h"

#define PIECES_MAX 2000000
#define PIECE_BYTES_MAX 4096

enum piece_kind { /* numbers of the file */
                  PIECE_NORMAL = 1,
                  PIECE_UNKNOWN = 2,
                  PIECE_CONTROL = 3,
                  PIECE_USER = 4,
                  PIECE_UNUSED = 5,
                  PIECE_BYTE = 6
};

struct piece {
    char *text;
    size_t n;
    double score;
    enum piece_kind kind;
    int id;
};

struct tokenizer {
    struct piece *piece; /* by id */
    int n, cap;
    const struct piece **sorted; /* those that match text, by bytes */
    int sorted_n;
    int byte_id[256]; /* −1 without byte fallback */
    int unk, eos;
    bool byte_fallback, dummy_prefix;
    bool squeeze, trim; /* of several blanks one stays; none at the ends */
    bool wide;                                 /* sums in double (tokenizer.json), not in float */
    double unknown_score;
    unsigned char *charsmap; /* double array, then strings; or NULL */
    size_t trie_n, strings_n;
};

/* text[n] is copied. */
enum err tokenizer_add(struct tokenizer *t, const char *text, size_t n, double score,
                       enum piece_kind kind, struct fault *f);
/* A precompiled map as it lies in a file, or nothing when n is 0. */
enum err tokenizer_charsmap(struct tokenizer *t, const unsigned char *data, size_t n,
                            const char *path, struct fault *f);
/* Sorts, scores and checks; afterwards the tokenizer is ready. */
enum err tokenizer_done(struct tokenizer *t, const char *path, struct fault *f);

/* The normalised form (spec 3.3), blanks as ▁. */
bool tokenizer_normalize(const struct tokenizer *t, const char *text, size_t n, struct buf *out);

#endif
