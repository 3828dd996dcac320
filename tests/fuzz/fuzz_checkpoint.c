/* Checkpoints, as found on disk and with a sum that is right. */
#include "wan/checkpoint.h"

#include <stdlib.h>
#include <string.h>

#define N 8

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static uint64_t sum_of(const uint8_t *p, size_t n)
{
    uint64_t h = UINT64_C(14695981039346656037);
    for (size_t i = 0; i < n; i++)
        h = (h ^ p[i]) * UINT64_C(1099511628211);
    return h;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static struct sampler *sampler;
    static struct noise noise;
    float latent[N];
    struct fault f;
    struct schedule s;
    if (!sampler) {
        schedule_flow(&s, SAMPLER_UNIPC, 4, 5, &f);
        sampler = sampler_new(SAMPLER_UNIPC, &s, N);
    }
    struct checkpoint c = {.what = "model a\nprompt b\n",
                           .how = "threads 2\n",
                           .step = 1,
                           .sampler = sampler,
                           .latent = latent,
                           .noise = &noise};
    checkpoint_parse(data, n, "fuzz", &c, &f);
    if (n > sizeof(uint64_t)) {
        uint8_t *fixed = malloc(n);
        uint64_t sum = sum_of(data, n - sizeof sum);
        memcpy(fixed, data, n);
        memcpy(fixed + n - sizeof sum, &sum, sizeof sum);
        if (checkpoint_parse(fixed, n, "fuzz", &c, &f) == ERR_OK &&
            (c.step < 1 || c.step > 4 || noise.at < 0 || noise.at > 624))
            abort();
        free(fixed);
    }
    return 0;
}
