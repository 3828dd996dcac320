/* wan/html: names and numbers of HTML characters back to what they stand for.
 *
 * Two dialects, as upstream runs both: ftfy's (a whole `&name;` or nothing, shouted names too) and
 * that of HTML 5 (the semicolon may be missing, the longest known beginning of a name counts).
 * Neither makes a text longer. Pure; any thread. */
#ifndef SAKUGA_WAN_HTML_H
#define SAKUGA_WAN_HTML_H

#include "wan/runes.h"

void html_strict(struct runes *r);
void html_loose(struct runes *r);

/* What windows-1252 has at 0x80…0x9f, where it has something; else `c`. */
uint32_t cp1252(uint32_t c);

#endif
