/* wan/nfc: canonical composition (Unicode normalisation form C), by tables of our own.
 *
 * The version of Unicode is that of clean_table.c, in every build alike. Pure; any thread. */
#ifndef SAKUGA_WAN_NFC_H
#define SAKUGA_WAN_NFC_H

#include "wan/runes.h"

/* Brings `r` into form C; `spare` is overwritten. On failure r->failed is set. */
void nfc(struct runes *r, struct runes *spare);

#endif
