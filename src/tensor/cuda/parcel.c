/* Pictures on their way to the host: made bytes on the GPU, so that a quarter of the numbers cross
 * the bus, and copied into pinned memory of the parcel's own. All of it is queued; an event says
 * when it is done, whatever has been queued behind it. */
#include "tensor/cuda/cuda.h"

#include <stdlib.h>

struct cuda_parcel {
    struct parcel p; /* first */
    void *near;      /* the bytes on the GPU */
    cudaEvent_t done;
};

static void release(struct cuda_parcel *p, struct device *d)
{
    if (p->near)
        device_release(d, p->near);
    if (p->done)
        cudaEventDestroy(p->done);
    if (p->p.bytes)
        cudaFreeHost(p->p.bytes);
    free(p);
}

struct parcel *parcel_open(struct device *d, size_t most)
{
    struct cuda *c = cuda_of(d);
    struct cuda_parcel *p = calloc(1, sizeof *p);
    void *bytes = NULL;
    if (!p)
        return NULL;
    p->near = device_alloc(d, most);
    if (p->near &&
        cuda_ok(c, cudaMallocHost(&bytes, most), "cudaMallocHost", (int64_t)most, 1, 1) &&
        /* who waits for pictures sleeps: the encoder wants the cores */
        cuda_ok(c,
                cudaEventCreateWithFlags(&p->done, cudaEventDisableTiming | cudaEventBlockingSync),
                "cudaEventCreate", 1, 1, 1)) {
        p->p.bytes = bytes;
        return &p->p;
    }
    if (bytes)
        cudaFreeHost(bytes);
    release(p, d);
    return NULL;
}

/* The bus may still be writing into it. An event that was never recorded counts as done. */
void parcel_close(struct parcel *parcel)
{
    struct cuda_parcel *p = (struct cuda_parcel *)parcel;
    cuda_ok(cuda_of(parcel->dev), cudaEventSynchronize(p->done), "cudaEventSynchronize", 1, 1, 1);
    release(p, parcel->dev);
}

void parcel_fill(struct parcel *parcel, const struct tensor *x, float scale, float shift)
{
    struct cuda_parcel *p = (struct cuda_parcel *)parcel;
    struct cuda *c = cuda_of(parcel->dev);
    int64_t n = tensor_count(x);
    bool video = parcel->form == PARCEL_NV12;
    cudaError_t made = video ? launch_nv12(p->near, span_of(x), x->dim[0], x->dim[1], x->dim[2],
                                           scale, shift, c->stream)
                             : launch_bytes(p->near, span_of(x), n, scale, shift, c->stream);
    n = video ? n / 2 : n;
    if (cuda_ok(c, made, video ? "nv12" : "bytes", n, 1, 1) &&
        cuda_ok(c,
                cudaMemcpyAsync(p->p.bytes, p->near, (size_t)n, cudaMemcpyDeviceToHost, c->stream),
                "cudaMemcpyAsync of pictures", n, 1, 1))
        cuda_ok(c, cudaEventRecord(p->done, c->stream), "cudaEventRecord", n, 1, 1);
}

void parcel_wait(struct parcel *parcel)
{
    struct cuda_parcel *p = (struct cuda_parcel *)parcel;
    cuda_ok(cuda_of(parcel->dev), cudaEventSynchronize(p->done), "the pictures before this",
            parcel->most, 1, 1);
}
