/* wan-tokens [--own|--library] [--raw|--text] MODEL FILE
 *
 * One line of ids for each line of FILE: the cleaned prompt cut to 511 ids and the end, as the text
 * encoder gets it. --raw: neither cleaned nor cut, without an end. --text: the cleaned text itself.
 * MODEL: spiece.model, tokenizer.json, a folder with one of them, or a .safetensors file with the
 * former in it. A NUL byte is a control character and goes. --own and --library choose what splits
 * the text, our algorithm or libsentencepiece; else the build and the file do. The first line on
 * standard error says which it was. */
#include "base/path.h"
#include "wan/clean.h"
#include "wan/tokenizer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define IDS 512
#define FILE_BYTES ((size_t)64 << 20)

static enum err print_raw(const struct tokenizer *t, const char *line, struct fault *f)
{
    int32_t *ids = NULL;
    int count = 0;
    enum err e = tokenizer_pieces(t, line, &ids, &count, f);
    for (int i = 0; i < count; i++)
        printf(i ? " %d" : "%d", (int)ids[i]);
    free(ids);
    return e;
}

static enum err print_clean(const struct tokenizer *t, const char *line, bool text, struct fault *f)
{
    int32_t ids[IDS];
    int count = 0;
    struct buf clean = BUF_INIT(0);
    enum err e = clean_prompt(line, &clean, f);
    if (!e && text)
        fputs(buf_str(&clean), stdout);
    else if (!e)
        e = tokenizer_encode(t, buf_str(&clean), ids, IDS, &count, f);
    for (int i = 0; i < count; i++)
        printf(i ? " %d" : "%d", (int)ids[i]);
    buf_free(&clean);
    return e;
}

static void drop_nuls(char *line, size_t n)
{
    size_t out = 0;
    for (size_t i = 0; i < n; i++)
        if (line[i])
            line[out++] = line[i];
    line[out] = '\0';
}

int main(int argc, char **argv)
{
    enum tokenizer_way way = TOKENIZER_AUTO;
    bool raw = false, text = false;
    int first = 1;
    for (; first < argc && !strncmp(argv[first], "--", 2); first++)
        if (!strcmp(argv[first], "--own"))
            way = TOKENIZER_OWN;
        else if (!strcmp(argv[first], "--library"))
            way = TOKENIZER_LIBRARY;
        else if (!strcmp(argv[first], "--raw") || !strcmp(argv[first], "--text"))
            *(argv[first][2] == 'r' ? &raw : &text) = true;
        else
            first = argc;
    struct fault f = {0};
    struct buf b = BUF_INIT(2 * FILE_BYTES);
    enum err e = ERR_OK;
    if (argc != first + 2 || (raw && text)) {
        fprintf(stderr, "usage: wan-tokens [--own|--library] [--raw|--text] MODEL FILE\n");
        return 2;
    }
    struct tokenizer *t = tokenizer_open(argv[first], way, &f);
    if (t)
        fprintf(stderr, "wan-tokens: by %s\n", tokenizer_words(t));
    e = t ? path_read(argv[first + 1], FILE_BYTES, &b, &f) : f.code;
    char *at = b.data, *end = at ? at + b.len : at;
    for (int line = 1; !e && at < end; line++) {
        char *nl = memchr(at, '\n', (size_t)(end - at));
        nl = nl ? nl : end;
        drop_nuls(at, (size_t)(nl - at));
        e = raw ? print_raw(t, at, &f) : print_clean(t, at, text, &f);
        if (!e)
            putchar('\n');
        else
            fprintf(stderr, "%s:%d: ", argv[first + 1], line);
        at = nl + 1;
    }
    if (e || fflush(stdout) || ferror(stdout))
        fprintf(stderr, "wan-tokens: %s\n", e ? fault_text(&f) : "cannot write");
    e = e ? e : ferror(stdout) ? ERR_IO : ERR_OK;
    tokenizer_free(t);
    buf_free(&b);
    return e ? 1 : 0;
}
