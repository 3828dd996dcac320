#include "show/eta.h"

#include <stdlib.h>
#include <string.h>

void eta_add(struct eta *e, enum eta_stage s, int64_t ms)
{
    if (ms < 0 || ms > INT32_MAX)
        return;
    e->stage[s].ms[e->stage[s].at] = (int32_t)ms;
    e->stage[s].at = (e->stage[s].at + 1) % ETA_SAMPLES;
    if (e->stage[s].count < ETA_SAMPLES)
        e->stage[s].count++;
}

static int by_size(const void *a, const void *b)
{
    int32_t x = *(const int32_t *)a, y = *(const int32_t *)b;
    return (x > y) - (x < y);
}

int64_t eta_quantile(const struct eta *e, enum eta_stage s, double q)
{
    int32_t sorted[ETA_SAMPLES];
    int n = e->stage[s].count;
    if (!n)
        return -1;
    memcpy(sorted, e->stage[s].ms, (size_t)n * sizeof *sorted);
    qsort(sorted, (size_t)n, sizeof *sorted, by_size);
    return sorted[(int)(q * (n - 1) + 0.5)];
}

static int64_t through(const struct eta *e, double q, int ahead, int64_t running_ms, int cleared)
{
    int64_t draw = eta_quantile(e, ETA_DRAW, q), review = eta_quantile(e, ETA_REVIEW, q),
            air = eta_quantile(e, ETA_AIR, q);
    if (review < 0)
        review = 0;
    if (air < 0)
        air = 0;
    /* engine and stage work side by side: the slower one sets the pace */
    int64_t drawn = running_ms + (ahead + 1) * draw + review;
    int64_t stage_free = (cleared + ahead + (running_ms > 0)) * air;
    return drawn > stage_free ? drawn : stage_free;
}

bool eta_range(const struct eta *e, int ahead, int64_t running_ms, int cleared,
               struct eta_range *out)
{
    if (!e->stage[ETA_DRAW].count)
        return false;
    out->low_ms = through(e, 0.5, ahead, running_ms, cleared);
    out->high_ms = through(e, 0.9, ahead, running_ms, cleared);
    return true;
}
