/* base/hash: FNV-1a, 64 bits. It tells apart what differs by chance; whoever wants to can make two
 * texts of one hash. */
#ifndef SAKUGA_BASE_HASH_H
#define SAKUGA_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

#define HASH_BEGIN UINT64_C(14695981039346656037)

/* Of what `h` is of, and `n` bytes behind that. */
static inline uint64_t hash_more(uint64_t h, const void *bytes, size_t n)
{
    const unsigned char *p = bytes;
    for (size_t i = 0; i < n; i++)
        h = (h ^ p[i]) * UINT64_C(1099511628211);
    return h;
}

#endif
