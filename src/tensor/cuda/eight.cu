/* Rows to e4m3 and back: each row is divided by its largest over 448 and keeps that as its scale. A
 * block takes a row and reads it twice; the second time it lies in the cache. */
#include "tensor/cuda/kernel.cuh"

enum { THREADS = 256 };

static __global__ void __launch_bounds__(THREADS)
    eight_kernel(struct e4m3 *to, float *scales, struct span from, int64_t width)
{
    int64_t row = blockIdx.x;
    float v[8], most = 0;
    for (int64_t c = threadIdx.x * 8; c < width; c += THREADS * 8) {
        span_get8(v, from, row * width + c);
#pragma unroll
        for (int j = 0; j < 8; j++)
            most = fmaxf(most, fabsf(v[j]));
    }
    float scale = eight_scale(block_max(most)), by = 1 / scale;
    if (threadIdx.x == 0)
        scales[row] = scale;
    for (int64_t c = threadIdx.x * 8; c < width; c += THREADS * 8) {
        span_get8(v, from, row * width + c);
#pragma unroll
        for (int j = 0; j < 8; j++)
            v[j] *= by;
        put8(to + row * width + c, v);
    }
}

static __global__ void __launch_bounds__(THREADS)
    widen_kernel(struct span to, const struct e4m3 *from, int64_t rows, int64_t width)
{
    int64_t i = (int64_t)blockIdx.x * THREADS + threadIdx.x;
    if (i < rows * width)
        span_put(to, i, get(from + i) * eight_scales((void *)from, rows, width)[i / width]);
}

extern "C" cudaError_t launch_eight(void *to, float *scales, struct span from, int64_t rows,
                                    int64_t width, cudaStream_t stream)
{
    if (width % 8 || !aligned16(to) || !aligned16(from.p))
        return cudaErrorInvalidValue;
    LAUNCH(eight_kernel, (unsigned)rows, THREADS, 0, stream, (struct e4m3 *)to, scales, from,
           width);
    return cudaGetLastError();
}

extern "C" cudaError_t launch_widen(struct span to, const void *from, int64_t rows, int64_t width,
                                    cudaStream_t stream)
{
    LAUNCH(widen_kernel, blocks_for(rows * width, THREADS), THREADS, 0, stream, to,
           (const struct e4m3 *)from, rows, width);
    return cudaGetLastError();
}
