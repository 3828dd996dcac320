/* wan/noise: the normal noise of torch's CPU generator, number for number (spec 11.3).
 *
 * A stream gives what a sequence of torch.randn calls on one seeded generator gives. Pure. */
#ifndef SAKUGA_WAN_NOISE_H
#define SAKUGA_WAN_NOISE_H

#include <stdint.h>

struct noise {
    uint32_t state[624];
    int at;
    double spare; /* of the path for fewer than 16 numbers */
    int has_spare;
};

void noise_seed(struct noise *g, uint64_t seed);
/* `threads` share the arithmetic where n is large; the numbers do not hang on it. */
void noise_normal(struct noise *g, float *out, int64_t n, int threads);

#endif
