/* Weights on their way to the device: from a mapped file, of any type, through pinned buffers. What
 * has the right type already is copied; matrices of e4m3 with their scales are widened on the
 * device; all else is widened to f32 by the host's threads and rounded on the device. All of it
 * goes on a lane, of which there are several in turn: the memory it takes there, copies, roundings;
 * the work that is queued behind waits for the lane. */
#include "tensor/cuda/cuda.h"

#include <stdlib.h>
#include <string.h>

#define PIECE 65536 /* numbers that a thread widens at a time */

void weight_unpack(struct weight *w)
{
    struct cuda_weight *p = (struct cuda_weight *)w;
    if (p->parked) {
        shelf_forget(p);
        cudaFreeHost(p->parked);
    }
    void *own[] = {p->data, p->bias, p->bias_low};
    for (int i = 0; i < 3 && !p->whole; i++)
        if (own[i])
            device_release(w->dev, own[i]);
    free(p);
}

static void *room(struct cuda *c, size_t bytes, cudaStream_t lane)
{
    void *p = device_failed(&c->dev) ? NULL : memory_take(c, bytes, lane);
    if (!p)
        device_fail(&c->dev, ERR_NOMEM,
                    "%s has no memory for a weight of %zu bytes (%llu are in use)",
                    c->dev.caps.name, bytes, (unsigned long long)c->dev.used);
    return p;
}

/* to[n] of `type` on the device = from[n] of the host's `source`; n in pieces of a buffer */
static void upload(struct cuda *c, struct span to, const void *from, enum dtype source, int64_t n,
                   cudaStream_t lane)
{
    struct device *d = &c->dev;
    if (source == to.type) {
        memory_send(c, to.p, from, (size_t)n * dtype_size(source), lane);
        return;
    }
    int64_t each = (int64_t)(STAGE_BYTES / sizeof(float));
    size_t most = (size_t)(n < each ? n : each) * sizeof(float);
    float *wide = to.type == DTYPE_F32 ? NULL : room(c, most, lane);
    for (int64_t at = 0; at < n && (wide || to.type == DTYPE_F32) && !device_failed(d);
         at += each) {
        int64_t m = n - at < each ? n - at : each, pieces = (m + PIECE - 1) / PIECE;
        float *stage = stage_take(c), *land = wide ? wide : (float *)to.p + at;
        const char *source_at = (const char *)from + (size_t)at * dtype_size(source);
        if (!stage)
            break;
#pragma omp parallel for schedule(static) num_threads(c->threads)
        for (int64_t i = 0; i < pieces; i++) {
            int64_t k = i * PIECE, len = m - k < PIECE ? m - k : PIECE;
            dtype_widen(stage + k, source_at + (size_t)k * dtype_size(source), source, (size_t)len);
        }
        if (!cuda_ok(c,
                     cudaMemcpyAsync(land, stage, (size_t)m * sizeof(float), cudaMemcpyHostToDevice,
                                     lane),
                     "cudaMemcpyAsync of a weight", m, 1, 1))
            break;
        stage_done(c, lane);
        if (wide) {
            struct launch_map map = {
                .what = MAP_ACT,
                .y = {(char *)to.p + (size_t)at * dtype_size(to.type), to.type},
                .x = {wide, DTYPE_F32},
                .n = m};
            cuda_ok(c, launch_map(&map, lane), "rounding a weight", m, 1, 1);
        }
    }
    if (wide)
        memory_give(c, wide, lane);
}

/* A matrix of e4m3 crosses the bus as it is, a quarter of what it is in f32, and is widened there.
 */
static void upload_scaled(struct cuda *c, struct span to, const struct weight_spec *s,
                          cudaStream_t lane)
{
    size_t n = (size_t)(s->out * s->in), scales = (size_t)s->out * sizeof(float);
    char *file = room(c, (n + 15) / 16 * 16 + scales, lane);
    if (!file)
        return;
    float *by = eight_scales(file, s->out, s->in);
    memory_send(c, file, s->values, n, lane);
    memory_send(c, by, s->scales, scales, lane);
    if (!device_failed(&c->dev))
        cuda_ok(c, launch_widen(to, file, by, s->out, s->in, lane), "widening a weight", s->out,
                s->in, 1);
    memory_give(c, file, lane);
}

/* The same of any other. */
static void upload_matrix(struct cuda *c, struct span to, const struct weight_spec *s,
                          cudaStream_t lane)
{
    if (s->scales)
        upload_scaled(c, to, s, lane);
    else
        upload(c, to, s->values, s->type, s->out * s->in, lane);
}

/* A matrix to e4m3. Each row with a scale of its own: a published one whose rows have their scales
 * comes back as it was; and one with a scale for all does where that is how it is multiplied. */
static void upload_eight(struct cuda *c, struct cuda_weight *p, const struct weight_spec *s,
                         cudaStream_t lane)
{
    struct device *d = &c->dev;
    int64_t n = s->out * s->in;
    enum dtype type = s->type == DTYPE_BF16 ? DTYPE_BF16 : DTYPE_F32;
    void *wide = room(c, (size_t)n * dtype_size(type), lane);
    if (!wide)
        return;
    upload_matrix(c, (struct span){wide, type}, s, lane);
    if (!device_failed(d))
        cuda_round(c, weight_data(p), weight_scales(p), (struct span){wide, type}, s->out, s->in,
                   lane);
    memory_give(c, wide, lane);
}

/* A kernel in torch's order [out][in][taps] → [out8][taps][in8], zeros where there was nothing. */
static void upload_kernel(struct cuda *c, struct cuda_weight *p, const struct weight_spec *s,
                          cudaStream_t lane)
{
    int64_t taps = (int64_t)s->kt * s->kh * s->kw, n = s->out * s->in * taps;
    float *torch = room(c, (size_t)n * sizeof(float), lane);
    void *last = p->in8 == s->in ? p->data : room(c, (size_t)n * dtype_size(p->type), lane);
    if (torch && last) {
        upload(c, (struct span){torch, DTYPE_F32}, s->values, s->type, n, lane);
        cuda_ok(c,
                cudaMemsetAsync(p->data, 0, (size_t)(p->out8 * taps * p->in8) * dtype_size(p->type),
                                lane),
                "cudaMemsetAsync", n, 1, 1);
        cuda_ok(c, launch_taps_last((struct span){last, p->type}, torch, s->out, s->in, taps, lane),
                "ordering a kernel", s->out, s->in, taps);
        if (last != p->data)
            cuda_ok(c,
                    launch_channels((struct span){p->data, p->type}, (int)p->in8,
                                    (struct span){last, p->type}, (int)s->in, s->out * taps, lane),
                    "padding a kernel", s->out, s->in, taps);
    }
    if (last && last != p->data)
        memory_give(c, last, lane);
    if (torch)
        memory_give(c, torch, lane);
}

/* Zeros. */
static void make_bias(struct cuda *c, struct cuda_weight *p, cudaStream_t lane)
{
    size_t bytes = (size_t)p->out8 * sizeof(float);
    p->bias = room(c, bytes, lane);
    if (!p->bias)
        return;
    cuda_ok(c, cudaMemsetAsync(p->bias, 0, bytes, lane), "cudaMemsetAsync", p->out8, 1, 1);
    if (p->type != DTYPE_F32 && (p->bias_low = room(c, bytes / 2, lane)))
        cuda_ok(c, cudaMemsetAsync(p->bias_low, 0, bytes / 2, lane), "cudaMemsetAsync", p->out8, 1,
                1);
}

static void upload_bias(struct cuda *c, struct cuda_weight *p, const struct weight_spec *s,
                        cudaStream_t lane)
{
    memory_send(c, p->bias, s->bias, (size_t)s->out * sizeof(float), lane);
    if (!p->bias_low)
        return;
    struct launch_map map = {
        .what = MAP_ACT, .y = {p->bias_low, DTYPE_BF16}, .x = {p->bias, DTYPE_F32}, .n = p->out8};
    cuda_ok(c, launch_map(&map, lane), "rounding a bias", p->out8, 1, 1);
}

/* What is queued from here on finds all that the lane has brought. */
static void arrive(struct cuda *c, struct lane *lane)
{
    if (!cuda_ok(c, cudaEventRecord(lane->done, lane->stream), "cudaEventRecord", 1, 1, 1) ||
        !cuda_ok(c, cudaStreamWaitEvent(c->stream, lane->done, 0), "cudaStreamWaitEvent", 1, 1, 1))
        cudaStreamSynchronize(lane->stream);
}

/* Room for p, or its place in the whole: rows come on the lane of the whole, whose memory is ready
 * there. */
static void place(struct cuda *c, struct cuda_weight *p, const struct weight_spec *s)
{
    struct cuda_weight *all = (struct cuda_weight *)s->whole;
    int64_t taps = (int64_t)s->kt * s->kh * s->kw;
    if (all) {
        p->whole = all;
        p->at = s->at;
        p->lane = all->lane;
        p->type = all->type;
        p->bias = all->bias + s->at;
        p->bias_low = all->bias_low ? (char *)all->bias_low + s->at * 2 : NULL;
        return;
    }
    p->lane = &c->lanes[c->lane_next];
    c->lane_next = (c->lane_next + 1) % LANES;
    p->shelf = s->shelf;
    p->part = s->part;
    p->bytes = (size_t)(p->out8 * p->in8 * taps) * dtype_size(p->type);
    if (p->type == DTYPE_F8_E4M3) /* its scales */
        p->bytes = (p->bytes + 15) / 16 * 16 + (size_t)s->out * sizeof(float);
    p->data = room(c, p->bytes, p->lane->stream);
    if (p->data && (s->bias || !s->values))
        make_bias(c, p, p->lane->stream);
}

static void fill(struct cuda *c, struct cuda_weight *p, const struct weight_spec *s)
{
    cudaStream_t lane = p->lane->stream;
    if ((int64_t)s->kt * s->kh * s->kw > 1)
        upload_kernel(c, p, s, lane);
    else if (p->type == DTYPE_F8_E4M3)
        upload_eight(c, p, s, lane);
    else
        upload_matrix(c, (struct span){weight_data(p), p->type}, s, lane);
    if (s->bias && !device_failed(&c->dev))
        upload_bias(c, p, s, lane);
}

struct weight *weight_pack(struct device *d, const struct weight_spec *s)
{
    struct cuda *c = cuda_of(d);
    struct cuda_weight *p = calloc(1, sizeof *p);
    int64_t taps = (int64_t)s->kt * s->kh * s->kw;
    if (!p) {
        device_fail(d, ERR_NOMEM, "no memory for a weight");
        return NULL;
    }
    p->w = (struct weight){d, s->out, s->in, s->kt, s->kh, s->kw};
    p->type = c->bf16 && !s->precise ? DTYPE_BF16 : DTYPE_F32;
    if (c->eight && s->low && taps == 1 && s->out % 16 == 0 && s->in % 16 == 0)
        p->type = DTYPE_F8_E4M3;
    bool pads = taps > 1 && p->type == DTYPE_BF16;
    p->in8 = pads ? (s->in + 7) / 8 * 8 : s->in;
    p->out8 = pads ? (s->out + 7) / 8 * 8 : s->out;
    place(c, p, s);
    if (p->whole && p->whole->parked)
        device_fail(d, ERR_INVAL, "weight: the whole of it is on its shelf already");
    if (s->values && !device_failed(d))
        fill(c, p, s);
    struct cuda_weight *all = p->whole ? p->whole : p;
    all->came += s->values ? s->out : 0;
    if (all->shelf && all->came == all->w.out && !device_failed(d))
        shelf_park(all, p->lane->stream);
    arrive(c, p->lane);
    if (device_failed(d)) {
        weight_unpack(&p->w);
        return NULL;
    }
    return &p->w;
}

const struct cuda_weight *weight_wide(struct cuda *c, const struct weight *w,
                                      struct cuda_weight *own)
{
    const struct cuda_weight *p = (const struct cuda_weight *)w;
    if (p->type != DTYPE_F8_E4M3 || c->eight != EIGHT_STORED)
        return p;
    *own = *p;
    own->type = DTYPE_BF16;
    own->whole = NULL;
    own->at = 0;
    own->data = device_alloc(&c->dev, (size_t)(w->out * w->in) * 2);
    if (own->data)
        cuda_ok(c,
                launch_widen((struct span){own->data, DTYPE_BF16}, weight_data(p), weight_scales(p),
                             w->out, w->in, c->stream),
                "widening a weight", w->out, w->in, 1);
    return own;
}
