/* From the finished latent to pictures in the caller's hands. */
#include "wan/wan_inside.h"

#include "base/clock.h"
#include "tensor/byte.h"
#include "tensor/parallel.h"

#include <stdlib.h>
#include <string.h>

enum err decoder_open(struct run *r, int most, struct decoder *out)
{
    struct wan *w = r->w;
    int64_t bytes = (int64_t)pipeline_frame_bytes(&r->job) * most * VAE_TIME;
    enum parcel_form form = r->job.nv12 ? PARCEL_NV12 : PARCEL_BYTES;
    *out = (struct decoder){.r = r, .ahead = !device_caps(w->dev)->host_memory};
    const struct stopper stop = {r->calls->stop, r->calls->user};
    enum err e = r->job.tiny ? model_tiny(w, r->f) : model_vae(w, &stop, r->f);
    if (!e)
        e = r->job.tiny ? tae_start(w->tae, r->height, r->width, &out->tae, r->f)
                        : vae_decode_start(w->vae, r->height, r->width, &out->vae, r->f);
    for (int i = 0; i <= out->ahead && !e; i++)
        if (!(out->parcel[i] = parcel_new(w->dev, bytes, form)))
            e = device_settle(w->dev, r->f);
    return e;
}

enum err decoder_flush(struct decoder *d)
{
    int count = d->waiting;
    if (!count)
        return ERR_OK;
    const uint8_t *bytes = parcel_take(d->parcel[d->ahead ? 1 - d->turn : 0]);
    if (!bytes)
        return device_settle(d->r->w->dev, d->r->f);
    d->waiting = 0;
    d->given += count;
    d->given_latents += d->waiting_latents;
    return pipeline_give(d->r, bytes, d->given - count, count);
}

enum err decoder_run(struct decoder *d, const float *z, int frames, int from, int n)
{
    struct parcel *to = d->parcel[d->turn];
    int count = d->given + d->waiting ? n * VAE_TIME : 1;
    enum err e = d->tae ? tae_decode_bytes(d->tae, z, frames, from, n, to, d->r->f)
                        : vae_decode_bytes(d->vae, z, frames, from, n, to, d->r->f);
    if (!e)
        e = decoder_flush(d);
    if (e)
        return e;
    d->waiting = count;
    d->waiting_latents = n;
    if (!d->ahead)
        return decoder_flush(d);
    d->turn = 1 - d->turn;
    return ERR_OK;
}

void decoder_close(struct decoder *d)
{
    vae_stream_free(d->vae);
    tae_stream_free(d->tae);
    parcel_free(d->parcel[0]);
    parcel_free(d->parcel[1]);
    *d = (struct decoder){0};
}

static void tile_done(void *user, int tiles, int of)
{
    pipeline_progress(user, tiles, of, 0);
}

/* [count, h, w, 3] as bytes, or NV12. */
static void picture_bytes(const struct run *r, uint8_t *to, const float *from, int64_t count)
{
    int64_t w = r->job.width, h = r->job.height, pairs = count * h / 2, half = h / 2;
    PARALLEL_FOR(parallel_team(r->w->info.threads, count * h * w * 3))
    for (int64_t i = 0; i < pairs; i++) {
        const float *two = from + 6 * i * w;
        uint8_t *frame = to + i / half * (h * w * 3 / 2);
        if (r->job.nv12)
            nv12_lines(frame + 2 * (i % half) * w, frame + (h + i % half) * w, two, w, 1, 0);
        else
            for (int64_t j = 0; j < 6 * w; j++)
                to[6 * i * w + j] = byte_of(two[j]);
    }
}

/* All pictures at once: a tile needs all frames, and a picture all tiles. */
static enum err decode_tiles(struct run *r)
{
    int cells = r->job.tile / VAE_SPACE, count = r->job.frames;
    struct vae_tile tile = {cells, cells - cells / 4};
    struct vae_tile_calls calls = {pipeline_asks, tile_done, r};
    int64_t began = clock_mono_us();
    size_t n = (size_t)count * (size_t)r->job.width * (size_t)r->job.height * 3;
    float *pictures = malloc(n * sizeof *pictures);
    uint8_t *bytes = malloc((size_t)count * pipeline_frame_bytes(&r->job));
    pipeline_enter(r, WAN_DECODE);
    enum err e =
        pictures && bytes ? ERR_OK : fault_set(r->f, ERR_NOMEM, "no memory for the frames");
    if (!e)
        e = model_vae(r->w, &(struct stopper){r->calls->stop, r->calls->user}, r->f);
    if (!e)
        e = vae_decode_tiled(r->w->vae, r->latent, r->frames, r->height, r->width, tile, &calls,
                             pictures, r->f);
    if (!e) {
        picture_bytes(r, bytes, pictures, count);
        e = pipeline_give(r, bytes, 0, count);
    }
    free(pictures);
    free(bytes);
    r->made->decode_s = pipeline_since(began);
    return e;
}

/* Frames leave as they come, a chunk of latent frames at a time. */
static enum err decode_stream(struct run *r)
{
    struct decoder d;
    int64_t began = clock_mono_us();
    pipeline_enter(r, WAN_DECODE);
    enum err e = decoder_open(r, r->job.chunk, &d);
    for (int at = 0, n; at < r->frames && !e; at += n) {
        n = at == 0 ? 1 : r->frames - at < r->job.chunk ? r->frames - at : r->job.chunk;
        pipeline_progress(r, d.given_latents, r->frames, 0);
        e = pipeline_stopped(r);
        if (!e)
            e = decoder_run(&d, r->latent, r->frames, at, n);
    }
    if (!e)
        e = decoder_flush(&d);
    decoder_close(&d);
    r->made->decode_s = pipeline_since(began);
    if (!e) {
        pipeline_progress(r, r->frames, r->frames, 0);
        r->w->decode_rate[r->job.tiny] =
            r->made->decode_s / ((double)r->frames * r->height * r->width / 4);
    }
    return e;
}

/* What was sampled before the clip's own frames goes. */
static void drop_extra(struct run *r)
{
    int64_t plane = (int64_t)r->height * r->width;
    int frames = r->frames - r->extra;
    for (int c = 0; c < VAE_Z && r->extra; c++)
        memmove(r->latent + c * frames * plane, r->latent + (c * r->frames + r->extra) * plane,
                (size_t)(frames * plane) * sizeof *r->latent);
    r->frames = frames;
    r->extra = 0;
}

enum err decode_make(struct run *r)
{
    drop_extra(r);
    return r->job.tile ? decode_tiles(r) : decode_stream(r);
}
