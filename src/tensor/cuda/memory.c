/* Memory of the device, and the way between it and the host.
 *
 * Blocks come from the driver's stream-ordered pool, which keeps what is given back: after the
 * first pass an allocation costs about a microsecond. What a job was planned to need is taken from
 * the system before it begins (memory_reserve) and stays in the pool. A table from pointer to size
 * counts what is in use. Host memory is pageable and may be a mapped file; it passes through a few
 * pinned buffers, filled by several threads while the bus empties the one before. */
#include "tensor/cuda/cuda.h"

#include "tensor/tape.h"

#include <stdlib.h>
#include <string.h>

#define PIECE ((size_t)1 << 20) /* of a buffer, for a thread */

struct block {
    uintptr_t p; /* 0: free */
    size_t bytes;
};

struct memory {
    cudaMemPool_t pool;
    uint64_t floor;       /* bytes that trimming leaves in the pool */
    struct block *blocks; /* open addressing; `n` of `room`, a power of two */
    size_t n, room;
};

static size_t place(const struct memory *m, uintptr_t p)
{
    size_t i = (p >> 8) * 0x9e3779b97f4a7c15u >> 20 & (m->room - 1);
    while (m->blocks[i].p && m->blocks[i].p != p)
        i = (i + 1) & (m->room - 1);
    return i;
}

static bool note(struct memory *m, void *p, size_t bytes)
{
    if (2 * m->n >= m->room) {
        struct memory big = {.room = m->room * 2};
        big.blocks = calloc(big.room, sizeof *big.blocks);
        if (!big.blocks)
            return false;
        for (size_t i = 0; i < m->room; i++)
            if (m->blocks[i].p)
                big.blocks[place(&big, m->blocks[i].p)] = m->blocks[i];
        free(m->blocks);
        m->blocks = big.blocks;
        m->room = big.room;
    }
    m->blocks[place(m, (uintptr_t)p)] = (struct block){(uintptr_t)p, bytes};
    m->n++;
    return true;
}

static size_t forget(struct memory *m, void *p)
{
    size_t at = place(m, (uintptr_t)p), bytes = m->blocks[at].bytes;
    if (!m->blocks[at].p)
        return 0;
    m->blocks[at].p = 0;
    m->n--;
    for (size_t i = (at + 1) & (m->room - 1); m->blocks[i].p; i = (i + 1) & (m->room - 1)) {
        struct block b = m->blocks[i]; /* close the gap of the chain */
        m->blocks[i].p = 0;
        m->blocks[place(m, b.p)] = b;
    }
    return bytes;
}

/* What lies in the pool in pieces goes back to the system: it may do as a whole. */
void memory_let_go(struct cuda *c)
{
    cudaStreamSynchronize(c->stream);
    for (int i = 0; i < LANES; i++)
        cudaStreamSynchronize(c->lanes[i].stream);
    cudaMemPoolTrimTo(c->memory->pool, 0);
    cudaGetLastError();
}

void *memory_take(struct cuda *c, size_t bytes, cudaStream_t stream)
{
    void *p = NULL;
    bytes = (bytes + 255) & ~(size_t)255;
    cudaError_t e = cudaMallocFromPoolAsync(&p, bytes, c->memory->pool, stream);
    if (e == cudaErrorMemoryAllocation) {
        cudaGetLastError();
        memory_let_go(c);
        e = cudaMallocFromPoolAsync(&p, bytes, c->memory->pool, stream);
    }
    if (e == cudaErrorMemoryAllocation) {
        cudaGetLastError();
        return NULL;
    }
    if (!cuda_ok(c, e, "cudaMallocFromPoolAsync", (int64_t)bytes, 1, 1))
        return NULL;
    if (!note(c->memory, p, bytes)) {
        cudaFreeAsync(p, stream);
        return NULL;
    }
    device_count(&c->dev, (int64_t)bytes);
    return p;
}

void memory_give(struct cuda *c, void *p, cudaStream_t stream)
{
    device_count(&c->dev, -(int64_t)forget(c->memory, p));
    cuda_ok(c, cudaFreeAsync(p, stream), "cudaFreeAsync", 1, 1, 1);
}

void *memory_alloc(struct device *d, size_t bytes)
{
    return memory_take(cuda_of(d), bytes, cuda_of(d)->stream);
}

void memory_release(struct device *d, void *p)
{
    memory_give(cuda_of(d), p, cuda_of(d)->stream);
}

void memory_trim(struct device *d)
{
    struct cuda *c = cuda_of(d);
    if (cuda_ok(c, cudaStreamSynchronize(c->stream), "cudaStreamSynchronize", 1, 1, 1))
        cuda_ok(c, cudaMemPoolTrimTo(c->memory->pool, c->memory->floor), "cudaMemPoolTrimTo", 1, 1,
                1);
}

/* One block of all that is missing, given back at once: the pool then has it. */
void memory_reserve(struct device *d, uint64_t bytes)
{
    struct cuda *c = cuda_of(d);
    struct memory *m = c->memory;
    uint64_t have = 0;
    void *p = NULL;
    m->floor = bytes;
    if (!cuda_ok(c, cudaMemPoolGetAttribute(m->pool, cudaMemPoolAttrReservedMemCurrent, &have),
                 "cudaMemPoolGetAttribute", 1, 1, 1) ||
        have >= bytes || d->used >= bytes)
        return;
    memory_let_go(c);
    cudaError_t e = cudaMallocFromPoolAsync(&p, bytes - d->used, m->pool, c->stream);
    if (!e)
        e = cudaFreeAsync(p, c->stream);
    if (!e)
        return;
    m->floor = 0;
    cudaGetLastError();
    size_t spare = 0, all = 0;
    if (!cudaMemGetInfo(&spare, &all)) /* others may have come */
        d->caps.memory = d->used + spare;
    if (e == cudaErrorMemoryAllocation)
        device_fail(d, ERR_NOMEM,
                    "the GPU has no %llu MB to spare, which the job needs beside %llu MB in use; "
                    "close what else uses it, or ask for less",
                    (unsigned long long)((bytes - d->used) >> 20),
                    (unsigned long long)(d->used >> 20));
    else
        cuda_ok(c, e, "taking memory for the job", (int64_t)bytes, 1, 1);
}

bool memory_open(struct cuda *c, struct fault *f)
{
    struct memory *m = c->memory = calloc(1, sizeof *m);
    uint64_t all = UINT64_MAX;
    int ordinal = 0, priority = 0;
    if (!m || !(m->blocks = calloc(m->room = 1024, sizeof *m->blocks))) {
        fault_set(f, ERR_NOMEM, "out of memory");
        return false;
    }
    cudaError_t e = cudaGetDevice(&ordinal);
    if (!e)
        e = cudaDeviceGetDefaultMemPool(&m->pool, ordinal);
    if (!e)
        e = cudaStreamGetPriority(c->stream, &priority);
    if (!e)
        e = cudaMemPoolSetAttribute(m->pool, cudaMemPoolAttrReleaseThreshold, &all);
    for (int i = 0; i < LANES && !e; i++) {
        e = cudaStreamCreateWithPriority(&c->lanes[i].stream, cudaStreamNonBlocking, priority);
        if (!e)
            e = cudaEventCreateWithFlags(&c->lanes[i].done, cudaEventDisableTiming);
    }
    for (int i = 0; i < STAGES && !e; i++) {
        e = cudaMallocHost(&c->stage[i], STAGE_BYTES);
        if (!e)
            e = cudaEventCreateWithFlags(&c->staged[i], cudaEventDisableTiming);
    }
    if (e)
        fault_set(f, e == cudaErrorMemoryAllocation ? ERR_NOMEM : ERR_IO,
                  "the GPU's memory cannot be set up: %s", cudaGetErrorString(e));
    return !e;
}

void memory_close(struct cuda *c)
{
    if (c->memory && c->memory->pool)
        cudaMemPoolTrimTo(c->memory->pool, 0); /* it is the process's own, not this device's */
    for (int i = 0; i < LANES; i++) {
        if (c->lanes[i].stream)
            cudaStreamSynchronize(c->lanes[i].stream);
        if (c->lanes[i].done)
            cudaEventDestroy(c->lanes[i].done);
        if (c->lanes[i].stream)
            cudaStreamDestroy(c->lanes[i].stream);
    }
    for (int i = 0; i < STAGES; i++) {
        if (c->staged[i])
            cudaEventDestroy(c->staged[i]);
        if (c->stage[i])
            cudaFreeHost(c->stage[i]);
    }
    if (c->memory)
        free(c->memory->blocks);
    free(c->memory);
}

void *stage_take(struct cuda *c)
{
    int i = c->stage_next;
    if (tape_records(&c->dev)) { /* a graph would read or write the buffer whenever it is played */
        tape_unready(&c->dev, "a copy between host and device");
        return NULL;
    }
    if (!cuda_ok(c, cudaEventSynchronize(c->staged[i]), "cudaEventSynchronize", i, 1, 1))
        return NULL;
    return c->stage[i];
}

void stage_done(struct cuda *c, cudaStream_t stream)
{
    int i = c->stage_next;
    cuda_ok(c, cudaEventRecord(c->staged[i], stream), "cudaEventRecord", i, 1, 1);
    c->stage_next = (i + 1) % STAGES;
}

/* memcpy by several threads: one cannot fill the bus. */
static void move(struct cuda *c, void *to, const void *from, size_t bytes)
{
    int64_t pieces = (int64_t)((bytes + PIECE - 1) / PIECE);
    int team = pieces < 4 ? 1 : c->threads;
#pragma omp parallel for schedule(static) num_threads(team)
    for (int64_t i = 0; i < pieces; i++) {
        size_t at = (size_t)i * PIECE, n = bytes - at < PIECE ? bytes - at : PIECE;
        memcpy((char *)to + at, (const char *)from + at, n);
    }
}

void memory_send(struct cuda *c, void *to, const void *from, size_t bytes, cudaStream_t stream)
{
    for (size_t at = 0; at < bytes; at += STAGE_BYTES) {
        size_t n = bytes - at < STAGE_BYTES ? bytes - at : STAGE_BYTES;
        void *stage = stage_take(c);
        if (!stage)
            return;
        move(c, stage, (const char *)from + at, n);
        if (!cuda_ok(c, cudaMemcpyAsync((char *)to + at, stage, n, cudaMemcpyHostToDevice, stream),
                     "cudaMemcpyAsync to the device", (int64_t)n, 1, 1))
            return;
        stage_done(c, stream);
    }
}

void memory_write(struct device *d, void *to, const void *from, size_t bytes)
{
    memory_send(cuda_of(d), to, from, bytes, cuda_of(d)->stream);
}

/* The copy of a piece out of its buffer runs while the bus fills the next one. */
void memory_read(struct device *d, void *to, const void *from, size_t bytes)
{
    struct cuda *c = cuda_of(d);
    size_t pieces = (bytes + STAGE_BYTES - 1) / STAGE_BYTES;
    int first = c->stage_next;
    for (size_t i = 0; i <= pieces; i++) {
        size_t at = i * STAGE_BYTES, n = bytes - at < STAGE_BYTES ? bytes - at : STAGE_BYTES;
        if (i < pieces) {
            void *stage = stage_take(c);
            if (!stage || !cuda_ok(c,
                                   cudaMemcpyAsync(stage, (const char *)from + at, n,
                                                   cudaMemcpyDeviceToHost, c->stream),
                                   "cudaMemcpyAsync from the device", (int64_t)n, 1, 1))
                return;
            stage_done(c, c->stream);
        }
        if (i > 0) {
            int slot = (first + (int)((i - 1) % STAGES)) % STAGES;
            size_t done = (i - 1) * STAGE_BYTES;
            n = bytes - done < STAGE_BYTES ? bytes - done : STAGE_BYTES;
            if (!cuda_ok(c, cudaEventSynchronize(c->staged[slot]), "cudaEventSynchronize", slot, 1,
                         1))
                return;
            move(c, (char *)to + done, c->stage[slot], n);
        }
    }
}

/* Where they overlap, `to` lies before `from`: pieces no longer than the distance, in order. */
void memory_copy(struct device *d, void *to, const void *from, size_t bytes)
{
    struct cuda *c = cuda_of(d);
    uintptr_t a = (uintptr_t)to, b = (uintptr_t)from;
    size_t step = a < b && b - a < bytes ? b - a : bytes;
    for (size_t at = 0; at < bytes && a != b; at += step) {
        size_t n = bytes - at < step ? bytes - at : step;
        if (!cuda_ok(c,
                     cudaMemcpyAsync((char *)to + at, (const char *)from + at, n,
                                     cudaMemcpyDeviceToDevice, c->stream),
                     "cudaMemcpyAsync on the device", (int64_t)n, 1, 1))
            return;
    }
}
