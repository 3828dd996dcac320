/* Latents to the rows of tokens and back, in ordinary memory; a device of its own memory has rows
 * of its table for it. */
#include "tensor/backend.h"

struct grid {
    int64_t channels, frames, height, width;
};

static struct grid grid_of(const struct tensor *x)
{
    return (struct grid){x->dim[0], x->dim[1], x->dim[2], x->dim[3]};
}

static bool fits(struct device *d, const struct tensor *rows, int64_t from, const struct tensor *x)
{
    if (device_failed(d))
        return false;
    bool ok = rows->data && x->data && x->rank == 4 && x->type == DTYPE_F32 && x->dim[2] % 2 == 0 &&
              x->dim[3] % 2 == 0 && from >= 0 && from + 4 * x->dim[0] <= tensor_last(rows) &&
              tensor_count(rows) / tensor_last(rows) == x->dim[1] * x->dim[2] * x->dim[3] / 4;
    if (!ok)
        device_fail(d, ERR_INVAL, "patches: the shapes do not fit each other");
    return ok;
}

/* One row of numbers a token: 2x2 patches of every channel, channel first (spec 4.1). */
static void patchify(float *to, int64_t ld, const float *x, struct grid g)
{
    int64_t plane = g.height * g.width;
    for (int64_t f = 0; f < g.frames; f++)
        for (int64_t i = 0; i < g.height; i += 2)
            for (int64_t j = 0; j < g.width; j += 2, to += ld)
                for (int64_t c = 0; c < g.channels; c++) {
                    const float *at = x + (c * g.frames + f) * plane + i * g.width + j;
                    to[4 * c] = at[0];
                    to[4 * c + 1] = at[1];
                    to[4 * c + 2] = at[g.width];
                    to[4 * c + 3] = at[g.width + 1];
                }
}

/* The way back is channel LAST: token[(q·2 + r)·channels + c] (spec 4.7). */
static void unpatchify(float *out, const float *from, int64_t ld, struct grid g)
{
    int64_t plane = g.height * g.width;
    for (int64_t f = 0; f < g.frames; f++)
        for (int64_t i = 0; i < g.height; i += 2)
            for (int64_t j = 0; j < g.width; j += 2, from += ld)
                for (int s = 0; s < 4; s++)
                    for (int64_t c = 0; c < g.channels; c++)
                        out[(c * g.frames + f) * plane + (i + s / 2) * g.width + j + s % 2] =
                            from[s * g.channels + c];
}

void device_patchify(struct device *d, const struct tensor *rows, int64_t from,
                     const struct tensor *x)
{
    if (!fits(d, rows, from, x))
        return;
    if (d->ops->patchify)
        d->ops->patchify(d, rows, from, x);
    else
        patchify((float *)rows->data + from, tensor_last(rows), x->data, grid_of(x));
}

void device_unpatchify(struct device *d, const struct tensor *x, const struct tensor *rows)
{
    if (!fits(d, rows, 0, x))
        return;
    if (d->ops->unpatchify)
        d->ops->unpatchify(d, x, rows);
    else
        unpatchify(x->data, rows->data, tensor_last(rows), grid_of(x));
}
