#include "wan/teacache.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define FULL_FIRST 1 /* steps that are always run, at the start … */
#define FULL_LAST 1  /* … and at the end */
#define FULL_FIRST_PROJECTED 5

static const double polynomials[4][2][5] = {
    {{2.39676752e3, -1.31110545e3, 2.01331979e2, -8.29855975, 1.37887774e-1},
     {-5.21862437e4, 9.23041404e3, -5.28275948e2, 1.36987616e1, -4.99875664e-2}},
    {{-5784.54975374, 5449.50911966, -1811.16591783, 256.27178429, -13.02252404},
     {-3.03318725e5, 4.90537029e4, -2.65530556e3, 5.87365115e1, -3.15583525e-1}},
    {{-3.02331670e2, 2.23948934e2, -5.25463970e1, 5.87348440, -2.01973289e-1},
     {2.57151496e5, -3.54229917e4, 1.40286849e3, -1.35890334e1, 1.32517977e-1}},
    {{-114.36346466, 65.26524496, -18.82220707, 4.91518089, -0.23412683},
     {8.10705460e3, 2.13393892e3, -3.72934672e2, 1.66203073e1, -4.17769401e-2}},
};

void teacache_init(struct teacache *t, enum tea_model model, bool projected, double threshold,
                   int steps)
{
    *t = (struct teacache){.threshold = threshold, .projected = projected};
    memcpy(t->poly, polynomials[model][projected], sizeof t->poly);
    t->first = projected ? FULL_FIRST_PROJECTED : FULL_FIRST;
    t->last = projected ? steps : steps - FULL_LAST;
}

void teacache_resume(struct teacache *t, int done)
{
    t->step = done;
}

void teacache_free(struct teacache *t)
{
    free(t->before);
    tensor_free(&t->residual);
    t->before = NULL;
    t->before_n = 0;
}

static double polynomial(const double *p, double x)
{
    double y = 0;
    for (int i = 0; i < 5; i++)
        y = y * x + p[i];
    return y;
}

/* Mean change of the signal, relative to its mean size before. */
static double change(const struct teacache *t, const float *signal)
{
    double moved = 0, size = 0;
    for (int64_t i = 0; i < t->before_n; i++) {
        moved += fabs((double)signal[i] - t->before[i]);
        size += fabs((double)t->before[i]);
    }
    return size > 0 ? moved / size : INFINITY;
}

bool teacache_skips(struct teacache *t, const float *signal, int64_t n)
{
    bool known = t->before && t->before_n == n;
    bool allowed = known && t->step >= t->first && t->step < t->last && t->residual.data;
    if (allowed)
        t->distance += polynomial(t->poly, change(t, signal));
    bool skip = allowed && t->distance < t->threshold;
    if (!skip)
        t->distance = 0;
    if (!known) {
        free(t->before);
        t->before = malloc((size_t)n * sizeof *t->before);
        t->before_n = t->before ? n : 0;
    }
    if (t->before)
        memcpy(t->before, signal, (size_t)n * sizeof *t->before);
    t->step++;
    t->full = !skip;
    return skip;
}

void teacache_enter(struct teacache *t, struct device *dev, const struct tensor *x)
{
    if (t->residual.data && tensor_count(&t->residual) != tensor_count(x))
        tensor_free(&t->residual);
    if (!t->residual.data)
        t->residual = tensor_new(dev, x->rank, x->dim);
    device_copy(dev, &t->residual, x);
}

void teacache_leave(struct teacache *t, struct device *dev, const struct tensor *x)
{
    device_blend(dev, &t->residual, -1, x, 1);
}
