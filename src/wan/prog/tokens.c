/* wan-tokens [--raw] [--text] MODEL FILE
 *
 * One line of ids for each line of FILE: the cleaned prompt cut to 511 ids and the end, as the
 * encoder gets it. --raw: without cleaning, cutting and the end. --text: the cleaned text itself.
 */
#include "base/path.h"
#include "wan/clean.h"
#include "wan/tokenizer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define IDS 512
#define FILE_BYTES ((size_t)64 << 20)

static enum err one(const struct tokenizer *t, char *line, size_t n, bool raw, bool text,
                    struct fault *f)
{
    int fixed[IDS], *ids = fixed, count = 0;
    struct buf clean = BUF_INIT(0);
    enum err e = ERR_OK;
    if (text) {
        if (clean_prompt(&clean, line, n))
            printf("%s", buf_str(&clean));
        else
            e = fault_set(f, ERR_LIMIT, "the line is too long");
    } else if (raw) {
        e = tokenizer_encode(t, line, n, &ids, &count, f);
    } else {
        e = tokenizer_prompt(t, line, ids, IDS, &count, f);
    }
    for (int i = 0; !e && i < count; i++)
        printf(i ? " %d" : "%d", ids[i]);
    if (!e)
        putchar('\n');
    if (ids != fixed)
        free(ids);
    buf_free(&clean);
    return e;
}

int main(int argc, char **argv)
{
    bool raw = false, text = false;
    struct tokenizer *t = NULL;
    struct fault f = {0};
    struct buf b = BUF_INIT(2 * FILE_BYTES);
    int i = 1;
    for (; i < argc && argv[i][0] == '-' && argv[i][1]; i++) {
        raw = raw || !strcmp(argv[i], "--raw");
        text = text || !strcmp(argv[i], "--text");
        if (strcmp(argv[i], "--raw") && strcmp(argv[i], "--text"))
            break;
    }
    if (argc - i != 2) {
        fprintf(stderr, "usage: wan-tokens [--raw|--text] MODEL FILE\n");
        return 2;
    }
    enum err e = tokenizer_open(argv[i], &t, &f);
    if (!e)
        e = path_read(argv[i + 1], FILE_BYTES, &b, &f);
    char *at = b.data, *end = at ? at + b.len : at;
    while (!e && at < end) {
        char *nl = memchr(at, '\n', (size_t)(end - at));
        nl = nl ? nl : end;
        *nl = '\0';
        e = one(t, at, (size_t)(nl - at), raw, text, &f);
        at = nl + 1;
    }
    if (e)
        fprintf(stderr, "wan-tokens: %s\n", fault_text(&f));
    tokenizer_free(t);
    buf_free(&b);
    return e ? 1 : 0;
}
