/* The vocabulary: pieces as the readers add them, then two indexes sorted by bytes. A walk through
 * an index keeps the range of pieces that begin with the text so far and narrows it a byte at a
 * time: no trie to build, and no pointer that a hostile file could bend. */
#include "wan/tokenizer_inside.h"

#include <float.h>
#include <stdlib.h>
#include <string.h>

#define PIECES_MAX 2000000
#define PIECE_BYTES_MAX 1024
#define TEXT_BYTES_MAX ((size_t)256 << 20)
#define UNKNOWN_PENALTY 10.0

enum err tokenizer_add(struct tokenizer *t, const char *text, size_t n, double score,
                       enum piece_kind kind, struct fault *f)
{
    if (n > PIECE_BYTES_MAX || t->n >= PIECES_MAX)
        return fault_set(f, ERR_LIMIT, "piece %d: the vocabulary is too large", t->n);
    if (!n)
        return fault_set(f, ERR_CORRUPT, "piece %d of the vocabulary is empty", t->n);
    if (memchr(text, '\0', n)) /* no text has one; the library would take the rest for the whole */
        return fault_set(f, ERR_CORRUPT, "piece %d of the vocabulary holds a NUL byte", t->n);
    if (t->n == t->cap) {
        int cap = t->cap ? t->cap * 2 : 4096;
        struct piece *p = realloc(t->piece, (size_t)cap * sizeof *p);
        if (!p)
            return fault_set(f, ERR_NOMEM, "out of memory");
        t->piece = p;
        t->cap = cap;
    }
    t->piece[t->n++] = (struct piece){t->text.len, (uint32_t)n, kind, score};
    if (buf_add(&t->text, text, n))
        return ERR_OK;
    return t->text.starved ? fault_set(f, ERR_NOMEM, "out of memory")
                           : fault_set(f, ERR_LIMIT, "too much text in pieces");
}

static const char *text_of(const struct tokenizer *t, int32_t id)
{
    return t->text.data + t->piece[id].at;
}

static bool is_text(const struct piece *p)
{
    return p->kind == PIECE_NORMAL || p->kind == PIECE_USER || p->kind == PIECE_UNUSED;
}

struct key {
    const char *text;
    uint32_t n;
    int32_t id;
};

static int by_bytes(const void *a, const void *b)
{
    const struct key *x = a, *y = b;
    int c = memcmp(x->text, y->text, x->n < y->n ? x->n : y->n);
    return c ? c : x->n < y->n ? -1 : x->n > y->n;
}

/* All pieces in order, text before the reserved names. What is there twice in either is an error,
 * as it is to the library. */
static enum err sort_pieces(const struct tokenizer *t, struct key *keys, struct fault *f)
{
    int n = 0, texts;
    for (int i = 0; i < t->n; i++)
        if (is_text(&t->piece[i]))
            keys[n++] = (struct key){text_of(t, i), t->piece[i].n, i};
    texts = n;
    for (int i = 0; i < t->n; i++)
        if (!is_text(&t->piece[i]))
            keys[n++] = (struct key){text_of(t, i), t->piece[i].n, i};
    qsort(keys, (size_t)texts, sizeof *keys, by_bytes);
    qsort(keys + texts, (size_t)(n - texts), sizeof *keys, by_bytes);
    for (int i = 1; i < n; i++)
        if (i != texts && !by_bytes(&keys[i - 1], &keys[i]))
            return fault_set(f, ERR_CORRUPT, "the piece \"%.*s\" is there twice (%d, %d)",
                             (int)keys[i].n, keys[i].text, keys[i - 1].id, keys[i].id);
    return texts ? ERR_OK : fault_set(f, ERR_CORRUPT, "the vocabulary has no piece of text");
}

static enum err make_indexes(struct tokenizer *t, struct fault *f)
{
    struct key *keys = malloc((size_t)t->n * sizeof *keys);
    t->match.id = malloc((size_t)t->n * sizeof *t->match.id);
    t->user.id = malloc((size_t)t->n * sizeof *t->user.id);
    if (!keys || !t->match.id || !t->user.id) {
        free(keys);
        return fault_set(f, ERR_NOMEM, "out of memory");
    }
    enum err e = sort_pieces(t, keys, f);
    for (int i = 0; !e && i < t->n; i++) {
        enum piece_kind kind = t->piece[keys[i].id].kind;
        if (kind == PIECE_NORMAL || kind == PIECE_USER)
            t->match.id[t->match.n++] = keys[i].id;
        if (kind == PIECE_USER)
            t->user.id[t->user.n++] = keys[i].id;
    }
    free(keys);
    return e;
}

struct piece_walk piece_walk(const struct tokenizer *t, const struct piece_index *index)
{
    return (struct piece_walk){t, index, 0, index->n, 0};
}

/* The first piece of the range whose next byte is not below c; pieces that end count as below. */
static int bound(const struct piece_walk *w, int low, unsigned c)
{
    int high = w->high;
    while (low < high) {
        int mid = low + (high - low) / 2;
        int32_t id = w->index->id[mid];
        if (w->t->piece[id].n <= w->depth || (unsigned char)text_of(w->t, id)[w->depth] < c)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

bool piece_next(struct piece_walk *w, unsigned char c, int *id)
{
    w->low = bound(w, w->low, c);
    w->high = bound(w, w->low, c + 1u);
    w->depth++;
    if (w->low == w->high)
        return false;
    int32_t first = w->index->id[w->low];
    *id = w->t->piece[first].n == w->depth ? first : -1;
    return true;
}

/* "<0x0A>": the byte, or −1 */
static int byte_of(const char *s, size_t n)
{
    static const char digits[] = "0123456789ABCDEF";
    const char *a = n == 6 && s[3] ? strchr(digits, s[3]) : NULL,
               *b = a && s[4] ? strchr(digits, s[4]) : NULL;
    if (!b || memcmp(s, "<0x", 3) || s[5] != '>')
        return -1;
    return (int)((a - digits) * 16 + (b - digits));
}

static enum err special_ids(struct tokenizer *t, struct fault *f)
{
    for (int i = 0; i < 256; i++)
        t->byte_id[i] = -1;
    for (int i = 0; i < t->n; i++) {
        const struct piece *p = &t->piece[i];
        int byte = p->kind == PIECE_BYTE ? byte_of(text_of(t, i), p->n) : -1;
        if (byte >= 0)
            t->byte_id[byte] = i;
        if (p->kind == PIECE_CONTROL && p->n == 4 && !memcmp(text_of(t, i), "</s>", 4))
            t->eos = i;
        if (p->kind == PIECE_UNKNOWN && t->unk >= 0)
            return fault_set(f, ERR_CORRUPT, "the vocabulary has two unknown pieces (%d, %d)",
                             t->unk, i);
        if (p->kind == PIECE_UNKNOWN)
            t->unk = i;
    }
    if (t->unk < 0 || t->unk >= t->n)
        return fault_set(f, ERR_CORRUPT, "the vocabulary has no unknown piece");
    if (t->eos < 0 || t->eos >= t->n || t->piece[t->eos].kind != PIECE_CONTROL)
        return fault_set(f, ERR_CORRUPT, "the vocabulary has no end-of-text piece");
    for (int i = 0; i < 256 && t->byte_fallback; i++)
        if (t->byte_id[i] < 0)
            return fault_set(f, ERR_CORRUPT, "bytes have pieces, but byte %02x has none",
                             (unsigned)i);
    return ERR_OK;
}

/* What unknown characters and user-defined pieces count; the library's numbers, so its types too:
 * its largest score begins at FLT_MIN. The least is that of pieces of text, in a tokenizer.json
 * that of all. */
static void scores(struct tokenizer *t)
{
    double least = FLT_MAX, most = FLT_MIN;
    for (int i = 0; i < t->n; i++) {
        const struct piece *p = &t->piece[i];
        if (p->kind == PIECE_NORMAL || t->wide) {
            least = p->score < least ? p->score : least;
            most = p->score > most ? p->score : most;
        }
    }
    for (int i = 0; i < t->n; i++)
        if (t->piece[i].kind == PIECE_USER)
            t->piece[i].score = (double)((float)t->piece[i].n * (float)most) - 0.1;
    t->unknown_score =
        t->wide ? least - UNKNOWN_PENALTY : (double)((float)least - (float)UNKNOWN_PENALTY);
}

static bool is_json(const char *s, size_t n)
{
    size_t i = 0;
    while (i < n && s[i] && strchr(" \t\r\n", s[i]))
        i++;
    bool open = i < n && s[i++] == '{';
    while (i < n && s[i] && strchr(" \t\r\n", s[i]))
        i++;
    return open && i < n && (s[i] == '"' || s[i] == '}');
}

struct tokenizer *tokenizer_new(const void *bytes, size_t n, enum tokenizer_way way,
                                struct fault *f)
{
    struct tokenizer *t = calloc(1, sizeof *t);
    if (!t) {
        fault_set(f, ERR_NOMEM, "out of memory");
        return NULL;
    }
    t->text = BUF_INIT(TEXT_BYTES_MAX);
    t->dummy_prefix = t->squeeze = t->trim = true; /* SentencePiece's defaults */
    t->unk = t->eos = -1;
    enum err e = is_json(bytes, n) ? tokenizer_read_json(t, bytes, n, f)
                                   : tokenizer_read_spiece(t, bytes, n, f);
    if (!e)
        e = special_ids(t, f);
    if (!e) {
        scores(t);
        e = make_indexes(t, f);
    }
    if (!e && way == TOKENIZER_LIBRARY && t->wide)
        e = fault_set(f, ERR_UNSUPPORTED, "libsentencepiece reads no tokenizer.json");
    else if (!e && way != TOKENIZER_OWN && !t->wide && (way || tokenizer_has_library()))
        e = tokenizer_take_library(t, f);
    if (e) {
        tokenizer_free(t);
        return NULL;
    }
    return t;
}

void tokenizer_free(struct tokenizer *t)
{
    if (!t)
        return;
    free(t->piece);
    free(t->match.id);
    free(t->user.id);
    free(t->charsmap);
    buf_free(&t->text);
    tokenizer_drop_library(t);
    free(t);
}
