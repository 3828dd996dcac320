/* Viterbi over the bytes of the normalised text: the best way to reach each character border, by
 * the sum of the scores of the pieces on it. */
#include "wan/tokenizer_inside.h"

#include "base/path.h"
#include "wan/weights.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define TEXT_MAX ((size_t)1 << 20)
#define NORMAL_MAX ((size_t)8 << 20)
#define FILE_MAX ((size_t)48 << 20)

struct step {
    double best;
    int32_t from; /* where the piece that ends here begins; −1: not reached */
    int32_t id;   /* −1: unknown */
};

/* Bytes of the character that begins with c, as the library counts them. */
static size_t char_bytes(unsigned char c, size_t n)
{
    size_t want = c < 0xc0 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
    return want < n ? want : n;
}

/* The library adds in double, compares that with the best so far, and keeps a float: this decides
 * between ways of equal score. */
static void relax(const struct tokenizer *t, struct step *to, double score, size_t from, int id)
{
    if (to->from >= 0 && !(score > to->best))
        return;
    *to = (struct step){t->wide ? score : (double)(float)score, (int32_t)from, id};
}

static void walk(const struct tokenizer *t, const char *text, size_t n, size_t at,
                 struct step *step)
{
    size_t len = 0, whole = char_bytes((unsigned char)text[at], n - at);
    struct piece_walk w = piece_walk(t, &t->match);
    bool exact = false;
    int id;
    while (at + len < n && piece_next(&w, (unsigned char)text[at + len], &id)) {
        len++;
        if (id < 0)
            continue;
        relax(t, &step[at + len], t->piece[id].score + step[at].best, at, id);
        exact = exact || len == whole;
    }
    if (exact)
        return;
    double score = t->unknown_score + step[at].best;
    relax(t, &step[at + whole], t->wide ? score : (double)(float)score, at, -1);
}

static bool is_space(const char *text, size_t n)
{
    return n >= 3 && !memcmp(text, TOKENIZER_SPACE, 3);
}

/* All ways through text[from, to), which begin with the sum 0. */
static void ways(const struct tokenizer *t, const char *text, size_t from, size_t to,
                 struct step *step)
{
    step[from].best = 0;
    for (size_t at = from; at < to; at += char_bytes((unsigned char)text[at], to - at))
        walk(t, text, to, at, step);
}

static size_t word_end(const struct tokenizer *t, const char *text, size_t n, size_t at)
{
    do
        at++;
    while (at < n && !(t->words && is_space(text + at, n - at)));
    return at;
}

/* Walks back from the end, turning the way round, and gives the pieces out in order. */
static enum err collect(const struct tokenizer *t, const char *text, size_t n, struct step *step,
                        int32_t **out, int *count, struct fault *f)
{
    int32_t *ids = malloc((n ? n : 1) * sizeof *ids); /* no piece is empty */
    int made = 0;
    if (!ids)
        return fault_set(f, ERR_NOMEM, "out of memory");
    size_t first = n, after = n; /* from now on step[at].from says where the way goes on */
    while (first > 0) {
        size_t before = (size_t)step[first].from;
        step[first].from = (int32_t)after;
        after = first;
        first = before;
    }
    bool was_unknown = false;
    for (size_t from = 0, at = after; from < n; from = at, at = (size_t)step[at].from) {
        int id = step[at].id;
        bool word = t->words && is_space(text + from, n - from);
        if (id >= 0) {
            ids[made++] = id;
        } else if (t->byte_fallback) {
            for (size_t i = from; i < at; i++)
                ids[made++] = t->byte_id[(unsigned char)text[i]];
        } else if (!was_unknown || word) { /* several of a word are one */
            ids[made++] = t->unk;
        }
        was_unknown = id < 0;
    }
    *out = ids;
    *count = made;
    return ERR_OK;
}

enum err tokenizer_pieces(const struct tokenizer *t, const char *text, int32_t **ids, int *count,
                          struct fault *f)
{
    struct buf b = BUF_INIT(NORMAL_MAX);
    struct step *step = NULL;
    size_t n = strlen(text);
    enum err e = ERR_OK;
    *ids = NULL;
    *count = 0;
    if (n > TEXT_MAX || !tokenizer_normalize(t, text, n, &b)) {
        e = b.starved ? fault_set(f, ERR_NOMEM, "no memory for a text of %zu bytes", n)
                      : fault_set(f, ERR_LIMIT, "a text of %zu bytes is too long", n);
        goto out;
    }
    if (t->library) { /* the text was made normal only to see that it does not grow too long */
        e = tokenizer_by_library(t, text, n, ids, count, f);
        goto out;
    }
    step = malloc((b.len + 1) * sizeof *step);
    if (!step) {
        e = fault_set(f, ERR_NOMEM, "out of memory");
        goto out;
    }
    for (size_t i = 0; i <= b.len; i++)
        step[i] = (struct step){0, i ? -1 : 0, -1};
    for (size_t at = 0, end; at < b.len; at = end) {
        end = word_end(t, b.data, b.len, at);
        ways(t, b.data, at, end, step);
    }
    e = collect(t, buf_str(&b), b.len, step, ids, count, f);
out:
    free(step);
    buf_free(&b);
    return e;
}

enum err tokenizer_encode(const struct tokenizer *t, const char *cleaned, int32_t *ids, int max,
                          int *count, struct fault *f)
{
    int32_t *all = NULL;
    int n = 0;
    if (max < 1)
        return fault_set(f, ERR_INVAL, "no room for a single token");
    enum err e = tokenizer_pieces(t, cleaned, &all, &n, f);
    if (!e) {
        n = n < max - 1 ? n : max - 1;
        memcpy(ids, all, (size_t)n * sizeof *ids);
        ids[n] = t->eos;
        *count = n + 1;
    }
    free(all);
    return e;
}

int tokenizer_size(const struct tokenizer *t)
{
    return t->n;
}

int tokenizer_eos(const struct tokenizer *t)
{
    return t->eos;
}

const char *tokenizer_words(const struct tokenizer *t)
{
    return t->library ? "libsentencepiece" : "own algorithm";
}

const char *tokenizer_file_words(const char *path)
{
    static const char json[] = ".json";
    size_t n = strlen(path), m = sizeof json - 1;
    bool ours = !tokenizer_has_library() || (n >= m && !strcmp(path + n - m, json));
    return ours ? "own algorithm" : "libsentencepiece";
}

static enum err open_tensor(const char *path, enum tokenizer_way way, struct tokenizer **out,
                            struct fault *f)
{
    struct weights *w = NULL;
    struct fault why = {0};
    enum err e = weights_open(path, &w, f);
    if (e)
        return e;
    const struct wtensor *t = weights_find(w, "spiece_model");
    if (!t || t->type != DTYPE_U8 || t->strided)
        e = fault_set(f, ERR_NOTFOUND, "%s holds no tokenizer: it has no U8 tensor spiece_model",
                      path);
    else if (!(*out = tokenizer_new(t->data, (size_t)t->count, way, &why)))
        e = fault_set(f, why.code, "%s: the tensor spiece_model: %s", path, fault_text(&why));
    weights_free(w);
    return e;
}

struct tokenizer *tokenizer_open(const char *path, enum tokenizer_way way, struct fault *f)
{
    static const char tensors[] = ".safetensors";
    struct tokenizer *t = NULL;
    struct fault why = {0};
    size_t n = strlen(path);
    if (n > sizeof tensors - 1 && !strcmp(path + n - (sizeof tensors - 1), tensors)) {
        open_tensor(path, way, &t, f);
        return t;
    }
    char inside[PATH_LEN];
    struct stat st;
    if (!stat(path, &st) && S_ISDIR(st.st_mode)) {
        bool fits = !path_join(inside, sizeof inside, path, "spiece.model");
        if (fits && access(inside, R_OK))
            fits = !path_join(inside, sizeof inside, path, "tokenizer.json");
        if (!fits) {
            fault_set(f, ERR_LIMIT, "the path %.200s is too long", path);
            return NULL;
        }
        path = inside;
    }
    struct buf b = BUF_INIT(2 * FILE_MAX);
    if (!path_read(path, FILE_MAX, &b, f)) {
        t = tokenizer_new(buf_str(&b), b.len, way, &why);
        if (!t)
            fault_set(f, why.code, "%s: %s", path, fault_text(&why));
    }
    buf_free(&b);
    return t;
}
