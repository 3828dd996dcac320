/* wan/clean_table: constant tables of nfc.c, html.c and clean.c, written by clean_table.py.
 *
 * All are sorted by their first member (compositions: by the pair they make one), for a binary
 * search. Pure data. */
#ifndef SAKUGA_WAN_CLEAN_TABLE_H
#define SAKUGA_WAN_CLEAN_TABLE_H

#include <stdint.h>

/* The canonical combining class of first…last, where it is not 0. */
struct class_range {
    uint32_t first, last;
    uint8_t class;
};

/* to[1] = 0: it becomes one character. Hangul syllables are computed, not listed. */
struct decomposition {
    uint32_t from, to[2];
};

/* An HTML character by name; `bare`: HTML allows it without the semicolon. */
struct entity {
    const char *name;
    uint8_t bare;
    uint32_t to[3]; /* ends with a 0 or its size */
};

extern const struct class_range class_ranges[];
extern const int class_ranges_n;
extern const struct decomposition decompositions[]; /* canonical */
extern const int decompositions_n;
extern const uint16_t compositions[]; /* those decompositions that NFC undoes, by their pair */
extern const int compositions_n;
extern const struct decomposition wide_forms[]; /* U+FF01…U+FFEF to NFKC */
extern const int wide_forms_n;
extern const struct entity entities[]; /* HTML 5 */
extern const int entities_n;
extern const struct entity loud_entities[]; /* &NTILDE; and the like, that ftfy knows besides */
extern const int loud_entities_n;

#endif
