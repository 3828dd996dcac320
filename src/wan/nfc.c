/* NFC takes three steps (UAX 15): take every character apart, put the marks behind each base
 * character into the order of their classes, and put together again what has a whole form and is
 * not blocked by a mark of the same class between. Hangul syllables are computed. */
#include "wan/nfc.h"

#include "wan/clean_table.h"

#include <stdlib.h>

#define S_BASE 0xac00u
#define L_BASE 0x1100u
#define V_BASE 0x1161u
#define T_BASE 0x11a7u
#define L_COUNT 19u
#define V_COUNT 21u
#define T_COUNT 28u
#define S_COUNT (L_COUNT * V_COUNT * T_COUNT)

static int class_of(uint32_t c)
{
    int lo = 0, hi = class_ranges_n;
    while (lo < hi) {
        int mid = (lo + hi) / 2;
        if (class_ranges[mid].last < c)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo < class_ranges_n && class_ranges[lo].first <= c ? class_ranges[lo].class : 0;
}

static const struct decomposition *parts_of(uint32_t c)
{
    int lo = 0, hi = decompositions_n;
    while (lo < hi) {
        int mid = (lo + hi) / 2;
        if (decompositions[mid].from < c)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo < decompositions_n && decompositions[lo].from == c ? &decompositions[lo] : NULL;
}

/* At most four levels deep: the tables are constant. */
static void take_apart(struct runes *out, uint32_t c)
{
    if (c - S_BASE < S_COUNT) {
        uint32_t s = c - S_BASE;
        runes_add(out, L_BASE + s / (V_COUNT * T_COUNT));
        runes_add(out, V_BASE + s % (V_COUNT * T_COUNT) / T_COUNT);
        if (s % T_COUNT)
            runes_add(out, T_BASE + s % T_COUNT);
        return;
    }
    const struct decomposition *d = parts_of(c);
    if (!d) {
        runes_add(out, c);
        return;
    }
    take_apart(out, d->to[0]);
    if (d->to[1])
        take_apart(out, d->to[1]);
}

static int by_key(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

/* Sorts a run of marks by class, those of one class as they stood. */
static void order_marks(struct runes *r, size_t from, size_t to)
{
    uint64_t few[32], *keys = to - from <= 32 ? few : malloc((to - from) * sizeof *keys);
    if (!keys) {
        r->failed = true;
        return;
    }
    for (size_t i = from; i < to; i++) /* class, place, character: 8 + 32 + 21 bits */
        keys[i - from] = (uint64_t)class_of(r->v[i]) << 53 | (uint64_t)(i - from) << 21 | r->v[i];
    qsort(keys, to - from, sizeof *keys, by_key);
    for (size_t i = from; i < to; i++)
        r->v[i] = keys[i - from] & 0x1fffff;
    if (keys != few)
        free(keys);
}

/* The whole form of a and b, or 0. */
static uint32_t whole(uint32_t a, uint32_t b)
{
    if (a - L_BASE < L_COUNT && b - V_BASE < V_COUNT)
        return S_BASE + ((a - L_BASE) * V_COUNT + (b - V_BASE)) * T_COUNT;
    if (a - S_BASE < S_COUNT && (a - S_BASE) % T_COUNT == 0 && b > T_BASE && b < T_BASE + T_COUNT)
        return a + (b - T_BASE);
    int lo = 0, hi = compositions_n;
    while (lo < hi) {
        int mid = (lo + hi) / 2;
        const struct decomposition *d = &decompositions[compositions[mid]];
        if (d->to[0] < a || (d->to[0] == a && d->to[1] < b))
            lo = mid + 1;
        else
            hi = mid;
    }
    if (lo == compositions_n)
        return 0;
    const struct decomposition *d = &decompositions[compositions[lo]];
    return d->to[0] == a && d->to[1] == b ? d->from : 0;
}

static void put_together(struct runes *r)
{
    size_t out = 0, base = SIZE_MAX;
    int last = 0; /* class of r->v[out - 1] */
    for (size_t i = 0; i < r->n; i++) {
        uint32_t c = r->v[i];
        int class = class_of(c);
        bool open = base != SIZE_MAX && (out - 1 == base || last < class);
        uint32_t one = open ? whole(r->v[base], c) : 0;
        if (one) {
            r->v[base] = one;
            continue;
        }
        if (!class)
            base = out;
        last = class;
        r->v[out++] = c;
    }
    r->n = out;
}

void nfc(struct runes *r, struct runes *spare)
{
    size_t i = 0;
    while (i < r->n && r->v[i] < 0x300)
        i++;
    if (i == r->n)
        return; /* nothing below the first mark ever changes */
    spare->n = 0;
    for (i = 0; i < r->n; i++)
        take_apart(spare, r->v[i]);
    for (i = 0; i < spare->n; i++) {
        size_t from = i;
        while (i < spare->n && class_of(spare->v[i]))
            i++;
        if (i > from + 1)
            order_marks(spare, from, i);
    }
    put_together(spare);
    runes_swap(r, spare);
    r->failed |= spare->failed;
}
