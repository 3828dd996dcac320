/* base/near: which known word somebody meant who wrote another.
 *
 * Words are byte strings of at most NEAR_MAX bytes; a longer one is far from everything. Pure; any
 * thread. */
#ifndef SAKUGA_BASE_NEAR_H
#define SAKUGA_BASE_NEAR_H

#define NEAR_MAX 63
#define NEAR_FAR 1000

/* The edits that make `b` of `a`: bytes put in, taken out, or changed (Levenshtein). */
int near_edits(const char *a, const char *b);

#endif
