#include "base/near.h"

#include <string.h>

int near_edits(const char *a, const char *b)
{
    int row[NEAR_MAX + 1]; /* edits from the bytes of `a` so far to each beginning of `b` */
    size_t n = strlen(b);
    if (n > NEAR_MAX || strlen(a) > NEAR_MAX)
        return NEAR_FAR;
    for (size_t j = 0; j <= n; j++)
        row[j] = (int)j;
    for (size_t i = 1; a[i - 1]; i++) {
        int diagonal = row[0];
        row[0] = (int)i;
        for (size_t j = 1; j <= n; j++) {
            int change = diagonal + (a[i - 1] != b[j - 1]);
            diagonal = row[j];
            int least = row[j] < row[j - 1] ? row[j] + 1 : row[j - 1] + 1;
            row[j] = change < least ? change : least;
        }
    }
    return row[n];
}
