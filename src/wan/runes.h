/* wan/runes: a growable array of Unicode code points, for text that is being cleaned.
 *
 * An addition that cannot be allocated adds nothing and sets `failed`; the caller checks once, at
 * the end. Owned by one thread; ended by runes_free(). */
#ifndef SAKUGA_WAN_RUNES_H
#define SAKUGA_WAN_RUNES_H

#include "base/buf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct runes {
    uint32_t *v;
    size_t n, cap;
    bool failed;
};

void runes_add(struct runes *r, uint32_t c);
void runes_copy(struct runes *to, const struct runes *from); /* replaces what `to` held */
bool runes_same(const struct runes *a, const struct runes *b);
void runes_swap(struct runes *a, struct runes *b);
void runes_free(struct runes *r);

/* Length of the valid UTF-8 sequence at s[n] and its code point; 0 when it is malformed. */
size_t utf8_read(const char *s, size_t n, uint32_t *c);
void utf8_add(struct buf *b, uint32_t c);

#endif
