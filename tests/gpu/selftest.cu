/* Kernels that are wrong on purpose, one mistake each, and right ones: does the emulation see the
 * mistakes, and nothing else? */
#include "tensor/cuda/kernel.cuh"

#include <stdio.h>
#include <stdlib.h>

enum { N = 64 };

static __global__ void right(float *out, const float *in)
{
    SHARED(float, all, [N]);
    all[threadIdx.x] = in[threadIdx.x];
    __syncthreads();
    out[threadIdx.x] = all[N - 1 - threadIdx.x] + block_sum(in[threadIdx.x]);
}

static __global__ void no_barrier(float *out, const float *in)
{
    SHARED(float, all, [N]);
    all[threadIdx.x] = in[threadIdx.x];
    out[threadIdx.x] = all[N - 1 - threadIdx.x];
}

static __global__ void barrier_for_some(float *out, const float *in)
{
    if (threadIdx.x < N / 2)
        __syncthreads();
    out[threadIdx.x] = in[threadIdx.x];
}

static __global__ void out_of_bounds(float *out, const float *in)
{
    out[threadIdx.x] = in[threadIdx.x + 1 + N / 64 * 64];
}

static __global__ void never_written(float *out, const float *in)
{
    SHARED(float, all, [N]);
    if (threadIdx.x)
        all[threadIdx.x] = in[threadIdx.x];
    __syncthreads();
    out[threadIdx.x] = all[threadIdx.x];
}

static __global__ void blocks_race(float *out, const float *in)
{
    out[threadIdx.x] = in[threadIdx.x] + (float)blockIdx.x;
}

static __global__ void misaligned(float *out, const float *in)
{
    float4 v = *(const float4 *)(in + 1);
    out[threadIdx.x] = v.x;
}

static __global__ void lonely_shuffle(float *out, const float *in)
{
    if (threadIdx.x % 2)
        out[threadIdx.x] = __shfl_xor_sync(ALL_LANES, in[threadIdx.x], 1);
}

static int wrong;

static void expect(const char *name, bool mistake, bool needs_checks)
{
    int n = emu_forgive();
    cudaGetLastError();
    if (needs_checks && !emu_checks())
        printf("SKIP %s: built without access checks\n", name);
    else if ((n > 0) != mistake) {
        printf("FAIL %s: %d findings\n", name, n);
        wrong++;
    } else
        printf("ok %s\n", name);
}

#define TRY(kernel, blocks, mistake, needs_checks)                                                 \
    do {                                                                                           \
        LAUNCH(kernel, blocks, N, 0, 0, out, in);                                                  \
        expect(#kernel, mistake, needs_checks);                                                    \
    } while (0)

/* Copies on a stream of their own, and kernels on another: with an event between them, and without.
 */
static void streams(float *out, float *in)
{
    cudaStream_t a, b;
    cudaEvent_t e;
    void *pinned, *lent;
    if (cudaStreamCreateWithPriority(&a, 0, 0) || cudaStreamCreateWithPriority(&b, 0, 0) ||
        cudaEventCreateWithFlags(&e, 0) || cudaMallocHost(&pinned, N * sizeof(float)))
        exit(2);
    memset(pinned, 0, N * sizeof(float));
    for (int wait = 0; wait < 2; wait++) {
        cudaMemcpyAsync(in, pinned, N * sizeof(float), cudaMemcpyHostToDevice, a);
        cudaEventRecord(e, a);
        if (wait)
            cudaStreamWaitEvent(b, e, 0);
        LAUNCH(right, 1, N, 0, b, out, in);
        expect("a kernel reads what a copy brings", !wait, true);
        cudaEventRecord(e, b);
        if (wait)
            cudaStreamWaitEvent(a, e, 0);
        cudaMemcpyAsync(in, pinned, N * sizeof(float), cudaMemcpyHostToDevice, a);
        expect("a copy overwrites what a kernel reads", !wait, true);
        if (!wait)
            memset(pinned, 1, N * sizeof(float));
        cudaStreamSynchronize(a);
        cudaStreamSynchronize(b);
        expect("a buffer is filled while it is read", !wait, false);
        cudaEventRecord(e, a);
        emu_uses(a, in, N * sizeof(float), true, "a product");
        if (wait)
            cudaEventRecord(e, a);
        cudaStreamWaitEvent(b, e, 0);
        LAUNCH(right, 1, N, 0, b, out, in);
        expect("a product behind the event", !wait, true);
        cudaStreamSynchronize(a);
        cudaStreamSynchronize(b);
        cudaMallocFromPoolAsync(&lent, N * sizeof(float), 0, a);
        cudaEventRecord(e, a);
        if (wait)
            cudaStreamWaitEvent(b, e, 0);
        cudaMemsetAsync(lent, 0, N * sizeof(float), b);
        cudaEventRecord(e, b);
        if (wait)
            cudaStreamWaitEvent(a, e, 0);
        cudaFreeAsync(lent, a);
        expect("memory of another stream", !wait, false);
        cudaStreamSynchronize(a);
        cudaStreamSynchronize(b);
        memset(pinned, 0, N * sizeof(float));
        cudaMemcpyAsync(pinned, in, N * sizeof(float), cudaMemcpyDeviceToHost, a);
        if (wait)
            cudaStreamSynchronize(a);
        if ((*(float *)pinned == *in) != wait) {
            printf("FAIL a copy to the host is there %s the host waits\n",
                   wait ? "after" : "before");
            wrong++;
        }
        cudaStreamSynchronize(a);
    }
    cudaMemcpyAsync(in, pinned, N * sizeof(float), cudaMemcpyHostToDevice, a);
    cudaStreamSynchronize(a);
    cudaFreeHost(pinned);
    cudaEventDestroy(e);
    expect("both waited for", false, false);
    cudaMemcpyAsync(in, out, N * sizeof(float), cudaMemcpyHostToDevice, 0);
    cudaStreamSynchronize(0);
    expect("a copy from the device says that it is from the host", true, false);
    cudaMemsetAsync(&wrong, 0, 0, 0);
    expect("a fill of host memory", true, false);
    cudaMemsetAsync(out, 0, N * sizeof(float), a);
    cudaStreamDestroy(a);
    expect("a stream is destroyed while it works", true, false);
    cudaStreamDestroy(b);
    expect("and one that was waited for", false, false);
}

/* Of an event that keeps none, that was never recorded, or that nobody waited for. */
static void times(void)
{
    cudaStream_t a;
    cudaEvent_t plain, bare, e;
    float ms;
    if (cudaStreamCreateWithPriority(&a, 0, 0) || cudaEventCreate(&plain) || cudaEventCreate(&e) ||
        cudaEventCreateWithFlags(&bare, cudaEventDisableTiming))
        exit(2);
    cudaEventRecord(plain, a);
    cudaEventRecord(bare, a);
    bool early = !cudaEventElapsedTime(&ms, plain, plain);
    cudaStreamSynchronize(a);
    if (early || cudaEventElapsedTime(&ms, plain, plain) ||
        !cudaEventElapsedTime(&ms, plain, bare) || !cudaEventElapsedTime(&ms, e, plain) ||
        !cudaGetLastError() || cudaGetLastError()) {
        printf("FAIL times of events\n");
        wrong++;
    }
    cudaEventDestroy(plain);
    cudaEventDestroy(bare);
    cudaEventDestroy(e);
    cudaStreamDestroy(a);
}

/* A recording is made of a kernel, played, and played again when what it writes to is another's. */
static void recordings(const float *in)
{
    cudaStream_t a;
    cudaGraph_t kept;
    cudaGraphExec_t made;
    void *lent, *other, *pinned;
    cudaStreamCaptureMode mode = cudaStreamCaptureModeThreadLocal;
    if (cudaStreamCreateWithPriority(&a, 0, 0) || cudaMallocHost(&pinned, N * sizeof(float)) ||
        cudaMallocFromPoolAsync(&lent, N * sizeof(float), 0, a))
        exit(2);
    memset(pinned, 0, N * sizeof(float));
    cudaStreamBeginCapture(a, mode);
    LAUNCH(right, 1, N, 0, a, (float *)lent, in);
    bool early = !isnan(*(float *)lent);
    if (cudaStreamEndCapture(a, &kept) || cudaGraphInstantiate(&made, kept, 0) || early ||
        cudaGraphLaunch(made, a) || isnan(*(float *)lent)) {
        printf("FAIL a recording is played, and not before\n");
        wrong++;
    }
    cudaGraphDestroy(kept);
    expect("a recording is played", false, false);
    cudaFreeAsync(lent, a);
    cudaGraphLaunch(made, a);
    expect("a recording writes to what was freed", true, true);
    cudaMallocFromPoolAsync(&other, N * sizeof(float), 0, a);
    cudaGraphLaunch(made, a);
    expect("a recording writes to what is another's now", other == lent, true);
    cudaGraphExecDestroy(made);
    for (int i = 0; i < 4; i++) { /* what CUDA refuses */
        cudaStreamBeginCapture(a, mode);
        cudaError_t e = i == 0   ? cudaStreamSynchronize(a)
                        : i == 1 ? cudaStreamQuery(a)
                        : i == 2 ? cudaMalloc(&lent, 1)
                                 : cudaMallocHost(&lent, 1);
        if (e != cudaErrorStreamCaptureUnsupported || !cudaStreamEndCapture(a, &kept)) {
            printf("FAIL call %d is refused while work is recorded\n", i);
            wrong++;
        }
    }
    expect("what is refused is no mistake yet", false, false);
    for (int i = 0; i < 2; i++) { /* what it does not */
        cudaStreamBeginCapture(a, mode);
        if (i == 0)
            cudaMemcpyAsync(other, pinned, N * sizeof(float), cudaMemcpyHostToDevice, a);
        else
            cudaFreeAsync(other, a);
        cudaStreamEndCapture(a, &kept);
        cudaGraphDestroy(kept);
        expect(i ? "a recording frees memory" : "a recording copies from the host", true, false);
    }
    cudaStreamSynchronize(a);
    cudaFreeHost(pinned);
    cudaStreamDestroy(a);
}

int main(void)
{
    static float host[N];
    void *p, *q;
    for (int i = 0; i < N; i++)
        host[i] = (float)i;
    if (cudaMalloc(&p, sizeof host) || cudaMalloc(&q, sizeof host) ||
        cudaMemcpyAsync(p, host, sizeof host, cudaMemcpyHostToDevice, 0))
        return 2;
    const float *in = (const float *)p;
    float *out = (float *)q;
    emu_quiet(true);
    for (int order = EMU_FORWARD; order <= EMU_RANDOM; order++) {
        emu_order(order, 3);
        TRY(right, 1, false, false);
        TRY(no_barrier, 1, true, true);
        TRY(barrier_for_some, 1, true, false);
        TRY(out_of_bounds, 1, true, true);
        TRY(never_written, 1, true, true);
        TRY(blocks_race, 2, true, true);
        TRY(misaligned, 1, true, true);
        TRY(lonely_shuffle, 1, true, false);
        TRY(right, 1, false, false);
    }
    cudaStreamSynchronize(0);
    streams(out, (float *)p);
    times();
    recordings(in);
    printf("%s\n", wrong ? "failed" : "all as expected");
    return wrong > 0;
}
