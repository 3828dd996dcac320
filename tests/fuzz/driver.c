/* Runs a fuzz target without libFuzzer: every seed of its corpus folder as it is, then ROUNDS
 * (20,000) mutations of them from a seeded generator, and more until FUZZ_SECONDS have passed. So
 * `make check` runs every target with any compiler, and under the sanitizers; a build with
 * --enable-fuzz links libFuzzer in its place.
 * usage: fuzz_NAME CORPUS…  (files or folders) */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

#define SEEDS_MAX 256
#define INPUT_MAX 65536

static uint8_t *seeds[SEEDS_MAX];
static size_t sizes[SEEDS_MAX];
static int count;
static uint64_t rng = 0x5eed;

static unsigned roll(size_t n)
{
    rng ^= rng << 13;
    rng ^= rng >> 7;
    rng ^= rng << 17;
    return n ? (unsigned)((rng >> 20) % n) : 0;
}

static void load(const char *path)
{
    struct stat st;
    char sub[4096];
    if (stat(path, &st))
        return;
    if (S_ISDIR(st.st_mode)) {
        DIR *d = opendir(path);
        for (struct dirent *e; d && (e = readdir(d));)
            if (e->d_name[0] != '.' &&
                snprintf(sub, sizeof sub, "%s/%s", path, e->d_name) < (int)sizeof sub)
                load(sub);
        if (d)
            closedir(d);
        return;
    }
    FILE *f = fopen(path, "rb");
    if (!f || count == SEEDS_MAX)
        return;
    uint8_t *p = malloc(INPUT_MAX);
    sizes[count] = fread(p, 1, INPUT_MAX, f);
    seeds[count++] = p;
    fclose(f);
}

static size_t mutate(uint8_t *out)
{
    static const char *const words[] = {
        "\"", "{",    "[",    "}",   "]",    "\\u0000", "99999999999999999999",
        "-1", "\r\n", "\xff", "\0",  "null", "%s%n",    ":",
        "@",  ";",    " ",    "\x01"};
    int a = (int)roll((size_t)count), b = (int)roll((size_t)count);
    size_t n = sizes[a];
    memcpy(out, seeds[a], n);
    for (unsigned k = 1 + roll(6); k; k--) {
        size_t at = roll(n + 1), len;
        switch (roll(6)) {
        case 0: /* flip */
            if (n)
                out[roll(n)] ^= (uint8_t)(1u << roll(8));
            break;
        case 1: /* cut */
            len = roll(n - at + 1);
            memmove(out + at, out + at + len, n - at - len);
            n -= len;
            break;
        case 2: /* repeat */
            len = roll(n - at + 1);
            if (n + len <= INPUT_MAX) {
                memmove(out + at + len, out + at, n - at);
                n += len;
            }
            break;
        case 3: /* a word */
        {
            const char *w = words[roll(sizeof words / sizeof *words)];
            len = strlen(w) + !*w;
            if (n + len <= INPUT_MAX) {
                memmove(out + at + len, out + at, n - at);
                memcpy(out + at, w, len);
                n += len;
            }
            break;
        }
        case 4: /* splice with another seed */
            len = roll(sizes[b] + 1);
            if (at + len <= INPUT_MAX) {
                memcpy(out + at, seeds[b] + sizes[b] - len, len);
                n = at + len;
            }
            break;
        default: /* a random byte */
            if (n)
                out[roll(n)] = (uint8_t)roll(256);
        }
    }
    return n;
}

int main(int argc, char **argv)
{
    const char *rounds_word = getenv("ROUNDS");
    const char *seconds_word = getenv("FUZZ_SECONDS");
    long rounds = rounds_word ? atol(rounds_word) : 20000, done = 0;
    time_t end = time(NULL) + (seconds_word ? atol(seconds_word) : 0);
    for (int i = 1; i < argc; i++)
        load(argv[i]);
    if (!count) {
        fprintf(stderr, "no seeds\n");
        return 1;
    }
    for (int i = 0; i < count; i++)
        LLVMFuzzerTestOneInput(seeds[i], sizes[i]);
    for (; done < rounds || time(NULL) < end; done++) {
        uint8_t *in = malloc(2 * INPUT_MAX), *exact;
        size_t n = mutate(in);
        exact = malloc(n ? n : 1); /* so that a sanitizer sees one byte too many */
        memcpy(exact, in, n);
        LLVMFuzzerTestOneInput(exact, n);
        free(exact);
        free(in);
    }
    printf("%d seeds, %ld mutations\n", count, done);
    for (int i = 0; i < count; i++)
        free(seeds[i]);
    return 0;
}
