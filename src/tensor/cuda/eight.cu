/* Rows to e4m3 and back, each divided by its largest over 448, which it keeps as its scale; or all
 * by the largest of all, for products that know one scale a matrix. A block takes a row and reads
 * it twice; the second time it lies in the cache. The largest of all is found in a fixed order, by
 * a kernel before: each of its blocks leaves that of its rows, and who needs it takes the largest
 * of these. */
#include "tensor/cuda/kernel.cuh"

enum { THREADS = 256 };

static __device__ __forceinline__ float row_most(struct span from, int64_t row, int64_t width)
{
    float v[8], most = 0;
    for (int64_t c = threadIdx.x * 8; c < width; c += THREADS * 8) {
        span_get8(v, from, row * width + c);
#pragma unroll
        for (int j = 0; j < 8; j++)
            most = fmaxf(most, fabsf(v[j]));
    }
    return most;
}

static __device__ __forceinline__ void round_row(struct e4m3 *to, struct span from, int64_t row,
                                                 int64_t width, float by)
{
    float v[8];
    for (int64_t c = threadIdx.x * 8; c < width; c += THREADS * 8) {
        span_get8(v, from, row * width + c);
#pragma unroll
        for (int j = 0; j < 8; j++)
            v[j] *= by;
        put8(to + row * width + c, v);
    }
}

static __global__ void __launch_bounds__(THREADS)
    eight_kernel(struct e4m3 *to, float *scales, struct span from, int64_t width)
{
    float scale = eight_scale(block_max(row_most(from, blockIdx.x, width)));
    if (threadIdx.x == 0)
        scales[blockIdx.x] = scale;
    round_row(to, from, blockIdx.x, width, 1 / scale);
}

static __global__ void __launch_bounds__(THREADS)
    tops_kernel(float *tops, struct span from, int64_t rows, int64_t width)
{
    float most = 0;
    for (int64_t row = blockIdx.x; row < rows; row += gridDim.x)
        most = fmaxf(most, row_most(from, row, width));
    most = block_max(most);
    if (threadIdx.x == 0)
        tops[blockIdx.x] = most;
}

static __global__ void __launch_bounds__(THREADS)
    whole_kernel(struct e4m3 *to, float *scales, const float *tops, int n, struct span from,
                 int64_t width)
{
    float most = 0;
    for (int i = (int)threadIdx.x; i < n; i += THREADS)
        most = fmaxf(most, tops[i]);
    float scale = eight_scale(block_max(most));
    if (threadIdx.x == 0)
        scales[blockIdx.x] = scale;
    round_row(to, from, blockIdx.x, width, 1 / scale);
}

static __global__ void __launch_bounds__(THREADS)
    widen_kernel(struct span to, const struct e4m3 *from, const float *scales, int64_t vecs,
                 int64_t width)
{
    int64_t vec = (int64_t)blockIdx.x * THREADS + threadIdx.x;
    float v[8];
    if (vec >= vecs)
        return;
    get8(v, from + vec * 8);
    float scale = scales[vec * 8 / width];
#pragma unroll
    for (int j = 0; j < 8; j++)
        v[j] *= scale;
    span_put8(to, vec * 8, v);
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

extern "C" cudaError_t launch_eight_whole(void *to, float *scales, float *room, struct span from,
                                          int64_t rows, int64_t width, cudaStream_t stream)
{
    unsigned tops = (unsigned)(rows < EIGHT_TOPS ? rows : EIGHT_TOPS);
    if (width % 8 || !aligned16(to) || !aligned16(from.p))
        return cudaErrorInvalidValue;
    LAUNCH(tops_kernel, tops, THREADS, 0, stream, room, from, rows, width);
    cudaError_t e = cudaGetLastError();
    if (e)
        return e;
    LAUNCH(whole_kernel, (unsigned)rows, THREADS, 0, stream, (struct e4m3 *)to, scales, room,
           (int)tops, from, width);
    return cudaGetLastError();
}

extern "C" cudaError_t launch_widen(struct span to, const void *from, const float *scales,
                                    int64_t rows, int64_t width, cudaStream_t stream)
{
    int64_t vecs = rows * width / 8;
    if (width % 8 || !aligned16(to.p) || !aligned16(from))
        return cudaErrorInvalidValue;
    LAUNCH(widen_kernel, blocks_for(vecs, THREADS), THREADS, 0, stream, to,
           (const struct e4m3 *)from, scales, vecs, width);
    return cudaGetLastError();
}
