#include "wan/peek.h"

#include "wan/vae.h"

#include <stddef.h>

/* Each pixel the mean of a square of the picture [8h][8w][3]. */
static void shrink(const uint8_t *picture, int height, int width, uint8_t *to)
{
    size_t row = (size_t)width * VAE_SPACE * 3;
    for (int y = 0; y < height * PEEK_CELL; y++)
        for (int x = 0; x < width * PEEK_CELL; x++)
            for (size_t c = 0; c < 3; c++) {
                const uint8_t *at =
                    picture + (size_t)y * PEEK_SHRINK * row + (size_t)x * PEEK_SHRINK * 3 + c;
                unsigned sum = PEEK_SHRINK * PEEK_SHRINK / 2;
                for (size_t v = 0; v < PEEK_SHRINK; v++)
                    for (size_t u = 0; u < PEEK_SHRINK; u++)
                        sum += at[v * row + u * 3];
                *to++ = (uint8_t)(sum / (PEEK_SHRINK * PEEK_SHRINK));
            }
}

enum err peek_rgb(const struct peek *p, uint8_t *rgb, struct fault *f)
{
    size_t picture = (size_t)p->height * (size_t)p->width * VAE_SPACE * VAE_SPACE * 3;
    size_t small = (size_t)p->height * (size_t)p->width * PEEK_CELL * PEEK_CELL * 3;
    struct tae_stream *s = NULL;
    struct parcel *parcel = parcel_new(p->dev, (int64_t)picture * VAE_TIME, PARCEL_BYTES);
    enum err e = parcel ? tae_start(p->tae, p->height, p->width, &s, f) : device_settle(p->dev, f);
    for (int i = p->from; i < p->frames && !e; i++) {
        if (p->stop && p->stop(p->user)) {
            e = fault_set(f, ERR_CANCELLED, "the preview was cancelled");
            break;
        }
        e = tae_decode_bytes(s, p->z, p->frames, i, 1, parcel, f);
        const uint8_t *all = e ? NULL : parcel_take(parcel);
        if (!e && !all)
            e = device_settle(p->dev, f);
        if (all) /* the first makes one picture, each other four: of these the third */
            shrink(all + (i == p->from ? 0 : 2 * picture), p->height, p->width,
                   rgb + (size_t)(i - p->from) * small);
    }
    tae_stream_free(s);
    parcel_free(parcel);
    return e;
}
