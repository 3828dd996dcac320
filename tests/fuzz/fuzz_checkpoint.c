/* Checkpoints, as found on disk and with a sum that is right; and the prompts and choices that one
 * holds. */
#include "tensor/cuda/choices.h"
#include "wan/checkpoint.h"
#include "wan/turns.h"

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

/* What was read can be written, and read again. */
static void prompts(const struct buf *said)
{
    struct turns t = {.n = 0};
    struct buf again = BUF_INIT(0);
    struct fault f;
    if (turns_read(&t, buf_str(said), said->len, 45, &f) == ERR_OK) {
        int n = t.n;
        turns_write(&t, &again);
        if (turns_read(&t, buf_str(&again), again.len, 45, &f) || t.n != n)
            abort();
    }
    turns_free(&t);
    buf_free(&again);
}

/* Two are known, and there is no file. What is taken is what the device would say of itself. */
static enum err choices(void *user, const char *lines, size_t n, struct fault *f)
{
    static struct choices *c;
    struct buf again = BUF_INIT(0);
    (void)user;
    if (!c) {
        setenv("XDG_CACHE_HOME", "/proc/none", 1);
        c = choices_open("");
        choices_keep(c, &(struct choice){.key = 5, .candidate = 1, .words = "a"}, -1);
        choices_keep(c, &(struct choice){.key = 0xa0, .candidate = 2, .words = "b"}, -1);
    }
    choices_begin(c);
    enum err e = choices_rely(c, lines, n, f);
    if (!choices_list(c, &again) || (e && again.len) ||
        (!e && memcmp(buf_str(&again), lines, n < 19 ? n : 19)))
        abort();
    buf_free(&again);
    return e;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static struct sampler *sampler;
    static struct noise noise;
    float latent[N];
    struct fault f;
    struct schedule s;
    struct buf said = BUF_INIT(0);
    if (!sampler) {
        schedule_flow(&s, SAMPLER_UNIPC, 4, 5, &f);
        sampler = sampler_new(SAMPLER_UNIPC, &s, N);
    }
    struct checkpoint c = {.what = "model a\nprompt b\n",
                           .how = "threads 2\n",
                           .step = 1,
                           .sampler = sampler,
                           .latent = latent,
                           .noise = &noise,
                           .said = &said,
                           .rely = choices};
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
    prompts(&said);
    buf_free(&said);
    choices(NULL, (const char *)data, n, &f);
    buf_add(&said, data, n);
    prompts(&said);
    buf_free(&said);
    return 0;
}
