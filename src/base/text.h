/* base/text: text that people typed and people will read.
 *
 * All text inside the program is valid UTF-8 without controls: text_clean() is the gate where a
 * line enters. Cells are columns of a terminal, clusters are what a reader calls a character
 * (UAX #29, by ICU). Pure; any thread. */
#ifndef SAKUGA_BASE_TEXT_H
#define SAKUGA_BASE_TEXT_H

#include "base/buf.h"

#include <stdbool.h>
#include <stddef.h>

/* Appends `in[n]` to `out` fit for the rest of the program: invalid bytes become U+FFFD; controls,
 * bidi marks and overrides, and other invisible format characters go (a joiner or variation
 * selector inside an emoji stays); runs of blanks become one space, none at the ends; NFC.
 * False when `out` overflowed. */
bool text_clean(struct buf *out, const char *in, size_t n);

/* Is `s[n]` valid UTF-8? */
bool text_valid(const char *s, size_t n);

/* Grapheme clusters in `s`. */
size_t text_clusters(const char *s);

/* Bytes of the first cluster of `s` (0 at the end) and the cells it takes (0, 1 or 2). */
size_t text_next(const char *s, int *cells);

/* Cells that `s` takes. */
int text_cells(const char *s);

/* Appends as much of `s` as fits into `cells`; what does not fit ends in "…". */
bool text_fit(struct buf *out, const char *s, int cells);

/* The form in which two names count as the same: NFKC, case folded. False when `out` overflowed. */
bool text_fold(struct buf *out, const char *s);

#endif
