/* Fuzz targets of the tokenizer: opens a model and, when that worked, splits a few texts with it.
 */
#ifndef SAKUGA_TESTS_FUZZ_TOKENIZER_H
#define SAKUGA_TESTS_FUZZ_TOKENIZER_H

#include "wan/tokenizer.h"

#include <stdlib.h>
#include <string.h>

static inline void fuzz_tokenizer(const uint8_t *data, size_t n)
{
    static const char *const texts[] = {"", "  ab  X b<0x41> ", "\xef\xbc\xa1\xe3\x82\xab\xff"};
    struct fault f = {0};
    struct tokenizer *t = tokenizer_new(data, n, &f);
    int32_t ids[8], *all;
    int count;
    if (!t) {
        if (!f.code || !*f.text)
            abort();
        return;
    }
    for (int i = 0; i < 4; i++) {
        char own[65] = ""; /* the end of the model as a text */
        size_t k = n < sizeof own ? n : sizeof own - 1;
        memcpy(own, data + n - k, k);
        const char *text = i < 3 ? texts[i] : own;
        if (!tokenizer_pieces(t, text, &all, &count, &f))
            for (int j = 0; j < count; j++)
                if (all[j] < 0 || all[j] >= tokenizer_size(t))
                    abort();
        free(all);
        if (!tokenizer_encode(t, text, ids, 8, &count, &f) && (count < 1 || count > 8))
            abort();
    }
    tokenizer_free(t);
}

#endif
