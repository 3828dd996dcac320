/* A prompt: cleaning must end, give valid UTF-8 without blanks at its ends. */
#include "wan/clean.h"

#include "wan/runes.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct buf b = BUF_INIT(0);
    struct fault f = {0};
    char *text = malloc(n + 1);
    uint32_t c;
    memcpy(text, data, n);
    text[n] = '\0';
    if (!clean_prompt(text, &b, &f)) {
        for (size_t i = 0, len; i < b.len; i += len)
            if (!(len = utf8_read(b.data + i, b.len - i, &c)) || c == '\n' || c == 0x3000)
                abort();
        if (b.len && (b.data[0] == ' ' || b.data[b.len - 1] == ' ' || strstr(b.data, "  ")))
            abort();
    } else if (!*f.text) {
        abort();
    }
    free(text);
    buf_free(&b);
    return 0;
}
