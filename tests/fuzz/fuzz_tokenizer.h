/* Fuzz targets of the tokenizer: opens a model by our own algorithm and in the way of the build,
 * and splits a few texts with both. */
#ifndef SAKUGA_TESTS_FUZZ_TOKENIZER_H
#define SAKUGA_TESTS_FUZZ_TOKENIZER_H

#include "wan/tokenizer.h"

#include <stdlib.h>
#include <string.h>

static inline struct tokenizer *fuzz_tokenizer_new(const uint8_t *data, size_t n,
                                                   enum tokenizer_way way)
{
    struct fault f = {0};
    struct tokenizer *t = tokenizer_new(data, n, way, &f);
    if (!t && (!f.code || !*f.text))
        abort();
    return t;
}

/* Splits a text by t, and by `other` where there is one: the ids must be the same. */
static inline void fuzz_tokenizer_text(const struct tokenizer *t, const struct tokenizer *other,
                                       const char *text)
{
    struct fault f = {0};
    int32_t ids[8], *all, *again;
    int count, count_again;
    enum err e = tokenizer_pieces(t, text, &all, &count, &f);
    for (int j = 0; !e && j < count; j++)
        if (all[j] < 0 || all[j] >= tokenizer_size(t))
            abort();
    if (other) {
        if (tokenizer_pieces(other, text, &again, &count_again, &f) != e)
            abort();
        if (!e && (count != count_again || memcmp(all, again, (size_t)count * sizeof *all) != 0))
            abort();
        free(again);
    }
    free(all);
    if (!tokenizer_encode(t, text, ids, 8, &count, &f) && (count < 1 || count > 8))
        abort();
}

static inline void fuzz_tokenizer(const uint8_t *data, size_t n)
{
    static const char *const texts[] = {"", "  ab  X b<0x41> ", "\xef\xbc\xa1\xe3\x82\xab\xff"};
    struct tokenizer *own = fuzz_tokenizer_new(data, n, TOKENIZER_OWN),
                     *best = fuzz_tokenizer_new(data, n, TOKENIZER_AUTO);
    char last[65] = ""; /* the end of the model as a text */
    size_t k = n < sizeof last ? n : sizeof last - 1;
    if (!own != !best)
        abort(); /* what one way takes, the other does */
    memcpy(last, data + n - k, k);
    for (int i = 0; own && i < 4; i++)
        fuzz_tokenizer_text(own, best, i < 3 ? texts[i] : last);
    tokenizer_free(own);
    tokenizer_free(best);
}

#endif
