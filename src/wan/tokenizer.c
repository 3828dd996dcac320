/* Viterbi over the bytes of the normalised text: the best way to reach each character border, by
 * the sum of the scores of the pieces on it. */
#include "wan/tokenizer_inside.h"

#include "base/path.h"
#include "wan/clean.h"
#include "wan/weights.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_MAX ((size_t)1 << 20)
#define FILE_MAX ((size_t)128 << 20)
#define UNKNOWN_PENALTY 10.0

void tokenizer_free(struct tokenizer *t)
{
    if (!t)
        return;
    for (int i = 0; i < t->n; i++)
        free(t->piece[i].text);
    free(t->piece);
    free(t->sorted);
    free(t->charsmap);
    free(t);
}

enum err tokenizer_add(struct tokenizer *t, const char *text, size_t n, double score,
                       enum piece_kind kind, struct fault *f)
{
    if (n > PIECE_BYTES_MAX || t->n >= PIECES_MAX)
        return fault_set(f, ERR_LIMIT, "the vocabulary is too large");
    if (t->n == t->cap) {
        int cap = t->cap ? t->cap * 2 : 4096;
        struct piece *p = realloc(t->piece, (size_t)cap * sizeof *p);
        if (!p)
            return fault_set(f, ERR_NOMEM, "out of memory");
        t->piece = p;
        t->cap = cap;
    }
    struct piece *p = &t->piece[t->n];
    *p = (struct piece){malloc(n + 1), n, score, kind, t->n};
    if (!p->text)
        return fault_set(f, ERR_NOMEM, "out of memory");
    memcpy(p->text, text, n);
    p->text[n] = '\0';
    t->n++;
    return ERR_OK;
}

static int by_bytes(const void *a, const void *b)
{
    const struct piece *x = *(const struct piece *const *)a, *y = *(const struct piece *const *)b;
    size_t n = x->n < y->n ? x->n : y->n;
    int c = memcmp(x->text, y->text, n);
    if (c)
        return c;
    return x->n != y->n ? (x->n < y->n ? -1 : 1) : x->id - y->id;
}

static bool matches_text(const struct piece *p)
{
    return p->n && (p->kind == PIECE_NORMAL || p->kind == PIECE_USER);
}

enum err tokenizer_done(struct tokenizer *t, const char *path, struct fault *f)
{
    double least = 0, most = 0;
    bool any = false;
    unsigned value;
    char tail;
    t->sorted = malloc((size_t)(t->n ? t->n : 1) * sizeof *t->sorted);
    if (!t->sorted)
        return fault_set(f, ERR_NOMEM, "out of memory");
    for (int i = 0; i < 256; i++)
        t->byte_id[i] = -1;
    for (int i = 0; i < t->n; i++) {
        const struct piece *p = &t->piece[i];
        if (p->kind == PIECE_BYTE && sscanf(p->text, "<0x%2X%c", &value, &tail) == 2 && tail == '>')
            t->byte_id[value & 255] = i;
        if (p->kind == PIECE_NORMAL) {
            least = !any || p->score < least ? p->score : least;
            most = !any || p->score > most ? p->score : most;
            any = true;
        }
        if (matches_text(p))
            t->sorted[t->sorted_n++] = p;
    }
    if (!any || t->unk < 0 || t->unk >= t->n || t->eos < 0 || t->eos >= t->n)
        return fault_set(f, ERR_CORRUPT, "%s: the vocabulary lacks pieces, or its special ids",
                         path);
    for (int i = 0; i < 256 && t->byte_fallback; i++)
        if (t->byte_id[i] < 0)
            return fault_set(f, ERR_CORRUPT, "%s: byte fallback without a piece for byte %02x",
                             path, (unsigned)i);
    for (int i = 0; i < t->n; i++) /* user-defined pieces win by their length */
        if (t->piece[i].kind == PIECE_USER)
            t->piece[i].score = (double)t->piece[i].n * most - 0.1;
    t->unknown_score = least - UNKNOWN_PENALTY;
    qsort(t->sorted, (size_t)t->sorted_n, sizeof *t->sorted, by_bytes);
    return ERR_OK;
}

struct step {
    double best;
    int32_t from; /* where the piece that ends here begins */
    int32_t id;   /* −1: unknown */
    bool reached;
};

static size_t char_bytes(const unsigned char *s, size_t n)
{
    size_t want = *s < 0x80 ? 1 : *s < 0xe0 ? 2 : *s < 0xf0 ? 3 : 4;
    return want < n ? want : n;
}

/* The library adds in double, compares that with the best so far, and keeps a float: this decides
 * between ways of equal score. */
static double kept(const struct tokenizer *t, double score)
{
    return t->wide ? score : (double)(float)score;
}

/* All pieces that begin at text[at], by narrowing the range of sorted pieces byte by byte. */
static bool relax(const struct tokenizer *t, const char *text, size_t n, size_t at,
                  struct step *step, size_t whole)
{
    int low = 0, high = t->sorted_n;
    bool exact = false;
    for (size_t len = 1; at + len <= n && low < high; len++) {
        unsigned char c = (unsigned char)text[at + len - 1];
        int a = low, b = high;
        while (a < b) { /* the first whose byte is not below c */
            int mid = a + (b - a) / 2;
            const struct piece *p = t->sorted[mid];
            if (p->n < len || (unsigned char)p->text[len - 1] < c)
                a = mid + 1;
            else
                b = mid;
        }
        low = a;
        b = high;
        while (a < b) { /* the first whose byte is above c */
            int mid = a + (b - a) / 2;
            if ((unsigned char)t->sorted[mid]->text[len - 1] <= c)
                a = mid + 1;
            else
                b = mid;
        }
        high = a;
        if (low == high || t->sorted[low]->n != len)
            continue;
        const struct piece *p = t->sorted[low];
        double score = p->score + step[at].best;
        struct step *to = &step[at + len];
        if (!to->reached || score > to->best)
            *to = (struct step){kept(t, score), (int32_t)at, p->id, true};
        exact = exact || len == whole;
    }
    return exact;
}

static enum err append(int **ids, int *n, int *cap, int id, struct fault *f)
{
    if (*n == *cap) {
        int more = *cap ? *cap * 2 : 64;
        int *p = realloc(*ids, (size_t)more * sizeof *p);
        if (!p)
            return fault_set(f, ERR_NOMEM, "out of memory");
        *ids = p;
        *cap = more;
    }
    (*ids)[(*n)++] = id;
    return ERR_OK;
}

/* Walks back from the end, then gives the pieces out in order. */
static enum err collect(const struct tokenizer *t, const char *text, size_t n,
                        const struct step *step, int **out, int *count, struct fault *f)
{
    size_t *ends = malloc((n + 1) * sizeof *ends), pieces = 0;
    int *ids = NULL, made = 0, cap = 0;
    enum err e = ends ? ERR_OK : fault_set(f, ERR_NOMEM, "out of memory");
    for (size_t at = n; !e && at > 0; at = (size_t)step[at].from)
        ends[pieces++] = at;
    bool was_unknown = false;
    while (!e && pieces--) {
        const struct step *s = &step[ends[pieces]];
        if (s->id >= 0) {
            e = append(&ids, &made, &cap, s->id, f);
        } else if (t->byte_fallback) {
            for (size_t i = (size_t)s->from; i < ends[pieces] && !e; i++)
                e = append(&ids, &made, &cap, t->byte_id[(unsigned char)text[i]], f);
        } else if (!was_unknown) {
            e = append(&ids, &made, &cap, t->unk, f);
        }
        was_unknown = s->id < 0;
    }
    free(ends);
    if (e) {
        free(ids);
        return e;
    }
    *out = ids;
    *count = made;
    return ERR_OK;
}

enum err tokenizer_encode(const struct tokenizer *t, const char *text, size_t n, int **out,
                          int *count, struct fault *f)
{
    struct buf b = BUF_INIT(64 * TEXT_MAX);
    *out = NULL;
    *count = 0;
    if (n > TEXT_MAX)
        return fault_set(f, ERR_LIMIT, "a text of %zu bytes is too long", n);
    if (!tokenizer_normalize(t, text, n, &b)) {
        buf_free(&b);
        return fault_set(f, ERR_NOMEM, "out of memory");
    }
    struct step *step = calloc(b.len + 1, sizeof *step);
    enum err e = step ? ERR_OK : fault_set(f, ERR_NOMEM, "out of memory");
    if (step)
        step[0].reached = true;
    for (size_t at = 0; !e && at < b.len;) {
        size_t len = char_bytes((const unsigned char *)b.data + at, b.len - at);
        if (!relax(t, b.data, b.len, at, step, len)) {
            double score = t->unknown_score + step[at].best;
            struct step *to = &step[at + len];
            if (!to->reached || score > to->best)
                *to = (struct step){kept(t, score), (int32_t)at, -1, true};
        }
        at += len;
    }
    if (!e)
        e = collect(t, b.data, b.len, step, out, count, f);
    free(step);
    buf_free(&b);
    return e;
}

enum err tokenizer_prompt(const struct tokenizer *t, const char *prompt, int *out, int max,
                          int *count, struct fault *f)
{
    struct buf b = BUF_INIT(4 * TEXT_MAX);
    int *ids = NULL, n = 0;
    enum err e = ERR_OK;
    if (!clean_prompt(&b, prompt, strlen(prompt)))
        e = fault_set(f, ERR_LIMIT, "the prompt is too long");
    if (!e)
        e = tokenizer_encode(t, buf_str(&b), b.len, &ids, &n, f);
    if (!e) {
        n = n < max - 1 ? n : max - 1;
        if (n)
            memcpy(out, ids, (size_t)n * sizeof *out);
        out[n] = t->eos;
        *count = n + 1;
    }
    free(ids);
    buf_free(&b);
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

static bool ends_with(const char *s, const char *end)
{
    size_t n = strlen(s), m = strlen(end);
    return n >= m && !strcmp(s + n - m, end);
}

enum err tokenizer_open(const char *path, struct tokenizer **out, struct fault *f)
{
    if (ends_with(path, ".safetensors")) {
        struct weights *w = NULL;
        enum err e = weights_open(path, &w, f);
        const struct wtensor *t = e ? NULL : weights_find(w, "spiece_model");
        if (!e && (!t || t->type != DTYPE_U8 || t->strided))
            e = fault_set(f, ERR_NOTFOUND, "%s holds no tokenizer (a tensor spiece_model)", path);
        if (!e)
            e = tokenizer_from_spiece(t->data, (size_t)t->count, path, out, f);
        weights_free(w);
        return e;
    }
    struct buf b = BUF_INIT(2 * FILE_MAX);
    enum err e = path_read(path, FILE_MAX, &b, f);
    if (!e && ends_with(path, ".json"))
        e = tokenizer_from_json(buf_str(&b), b.len, path, out, f);
    else if (!e)
        e = tokenizer_from_spiece((const unsigned char *)buf_str(&b), b.len, path, out, f);
    buf_free(&b);
    return e;
}
