#include "wan/vae_tile.h"

#include <stdlib.h>
#include <string.h>

#define SIZE 32
#define STRIDE 24

/* A piece of a video in host memory, [frames, height, width, 3]. */
struct piece {
    float *p;
    int height, width;
};

struct tiling {
    const float *z;
    int frames, pictures, height, width; /* pictures: 4·frames − 3; the rest in latent cells */
    struct vae_tile tile;
    int rows, columns;   /* of tiles */
    float *latent;       /* one tile's, [16, frames, h, w] */
    struct piece now;    /* the tile that was decoded, */
    struct piece left;   /* the right edge of the one before, */
    struct piece *above; /* and the lower edges of the row above, one a column */
    float *out;
};

static float *at(const struct piece *piece, int picture, int y, int x)
{
    return piece->p + (((int64_t)picture * piece->height + y) * piece->width + x) * 3;
}

static int least(int a, int b)
{
    return a < b ? a : b;
}

/* The part of `from` that begins at (y, x), in memory of its own. */
static bool cut(const struct tiling *t, const struct piece *from, int y, int x, struct piece *to)
{
    struct piece part = {NULL, from->height - y, from->width - x};
    free(to->p);
    *to = (struct piece){0};
    part.p =
        malloc((size_t)t->pictures * (size_t)part.height * (size_t)part.width * 3 * sizeof *part.p);
    if (!part.p)
        return false;
    for (int i = 0; i < t->pictures; i++)
        for (int row = 0; row < part.height; row++)
            memcpy(at(&part, i, row, 0), at(from, i, y + row, x),
                   (size_t)part.width * 3 * sizeof *part.p);
    *to = part;
    return true;
}

static void mix(float *to, const float *from, int n, float share)
{
    for (int k = 0; k < n; k++)
        to[k] = from[k] * (1 - share) + to[k] * share;
}

/* The last `e` rows of what lies above fade into the first of the tile. */
static void blend_rows(struct tiling *t, const struct piece *above, int overlap)
{
    int e = least(least(above->height, t->now.height), overlap);
    int wide = 3 * least(above->width, t->now.width);
    for (int i = 0; i < t->pictures; i++)
        for (int y = 0; y < e; y++)
            mix(at(&t->now, i, y, 0), at(above, i, above->height - e + y, 0), wide,
                (float)y / (float)e);
}

static void blend_columns(struct tiling *t, const struct piece *left, int overlap)
{
    int e = least(least(left->width, t->now.width), overlap);
    for (int i = 0; i < t->pictures; i++)
        for (int y = 0; y < least(left->height, t->now.height); y++)
            for (int x = 0; x < e; x++)
                mix(at(&t->now, i, y, x), at(left, i, y, left->width - e + x), 3,
                    (float)x / (float)e);
}

/* What no later tile covers again goes into the result. */
static void put(struct tiling *t, int row, int column)
{
    int stride = 8 * t->tile.stride, height = 8 * t->height, width = 8 * t->width;
    int y0 = row * stride, x0 = column * stride;
    int rows = row + 1 < t->rows ? stride : t->now.height;
    int columns = column + 1 < t->columns ? stride : t->now.width;
    for (int i = 0; i < t->pictures; i++)
        for (int y = 0; y < rows; y++)
            memcpy(t->out + (((int64_t)i * height + y0 + y) * width + x0) * 3, at(&t->now, i, y, 0),
                   (size_t)columns * 3 * sizeof *t->out);
}

static enum err decode(struct vae *v, struct tiling *t, int row, int column,
                       const struct vae_tile_calls *calls, struct fault *f)
{
    int y0 = row * t->tile.stride, x0 = column * t->tile.stride;
    int h = least(t->tile.size, t->height - y0), w = least(t->tile.size, t->width - x0);
    struct vae_stream *s = NULL;
    for (int i = 0; i < VAE_Z * t->frames; i++)
        for (int y = 0; y < h; y++)
            memcpy(t->latent + ((int64_t)i * h + y) * w,
                   t->z + ((int64_t)i * t->height + y0 + y) * t->width + x0,
                   (size_t)w * sizeof *t->latent);
    t->now.height = 8 * h;
    t->now.width = 8 * w;
    enum err e = vae_decode_start(v, h, w, &s, f);
    for (int i = 0, made = 0; i < t->frames && !e; made += i++ ? 4 : 1) {
        if (calls && calls->stop && calls->stop(calls->user))
            e = fault_set(f, ERR_CANCELLED, "decoding was cancelled");
        else
            e = vae_decode(s, t->latent, t->frames, i, 1, at(&t->now, made, 0, 0), NULL, f);
    }
    vae_stream_free(s);
    return e;
}

static enum err all_tiles(struct vae *v, struct tiling *t, const struct vae_tile_calls *calls,
                          struct fault *f)
{
    int overlap = 8 * (t->tile.size - t->tile.stride);
    for (int row = 0; row < t->rows; row++)
        for (int column = 0; column < t->columns; column++) {
            enum err e = decode(v, t, row, column, calls, f);
            if (e)
                return e;
            if (row)
                blend_rows(t, &t->above[column], overlap);
            if (column)
                blend_columns(t, &t->left, overlap);
            put(t, row, column);
            if (!cut(t, &t->now, 0, t->now.width - least(overlap, t->now.width), &t->left) ||
                !cut(t, &t->now, t->now.height - least(overlap, t->now.height), 0,
                     &t->above[column]))
                return fault_set(f, ERR_NOMEM, "out of memory for the edges of tiles");
            if (calls && calls->done)
                calls->done(calls->user, row * t->columns + column + 1, t->rows * t->columns);
        }
    return ERR_OK;
}

/* How many tiles reach from one end to the other. */
static int tiles_for(int length, struct vae_tile tile)
{
    return length <= tile.size ? 1 : 1 + (length - tile.size + tile.stride - 1) / tile.stride;
}

enum err vae_decode_tiled(struct vae *v, const float *z, int frames, int height, int width,
                          struct vae_tile tile, const struct vae_tile_calls *calls, float *out,
                          struct fault *f)
{
    if (!tile.size && !tile.stride)
        tile = (struct vae_tile){SIZE, STRIDE};
    if (tile.stride < 1 || tile.stride > tile.size || tile.size > 2048)
        return fault_set(f, ERR_INVAL, "tiles of %d every %d cells cannot cover a picture",
                         tile.size, tile.stride);
    if (frames < 1 || height < 1 || width < 1 || height > 2048 || width > 2048)
        return fault_set(f, ERR_INVAL, "a latent of %d x %d x %d is not possible", frames, height,
                         width);
    struct tiling t = {.z = z,
                       .frames = frames,
                       .pictures = 4 * frames - 3,
                       .height = height,
                       .width = width,
                       .tile = tile,
                       .rows = tiles_for(height, tile),
                       .columns = tiles_for(width, tile),
                       .out = out};
    int64_t cells = (int64_t)least(tile.size, height) * least(tile.size, width);
    t.latent = malloc((size_t)(VAE_Z * frames * cells) * sizeof *t.latent);
    t.now.p = malloc((size_t)(t.pictures * cells) * 64 * 3 * sizeof *t.now.p);
    t.above = calloc((size_t)t.columns, sizeof *t.above);
    enum err e = ERR_OK;
    if (!t.latent || !t.now.p || !t.above)
        e = fault_set(f, ERR_NOMEM, "out of memory for a tile of %d frames", t.pictures);
    else
        e = all_tiles(v, &t, calls, f);
    for (int i = 0; t.above && i < t.columns; i++)
        free(t.above[i].p);
    free(t.above);
    free(t.left.p);
    free(t.now.p);
    free(t.latent);
    return e;
}
