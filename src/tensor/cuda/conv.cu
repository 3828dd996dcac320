/* Convolution by a plain kernel, a thread a result: checks the library's, and is the one of f32
 * devices. And weights in the order that channels-last convolutions take. */
#include "tensor/cuda/kernel.cuh"

enum { THREADS = 128 };

template <class T>
static __global__ void __launch_bounds__(THREADS) conv_kernel(struct launch_conv a)
{
    int64_t i = (int64_t)blockIdx.x * THREADS + threadIdx.x;
    if (i >= (int64_t)a.yt * a.yh * a.yw * a.out)
        return;
    int o = (int)(i % a.out), column = (int)(i / a.out % a.yw);
    int row = (int)(i / a.out / a.yw % a.yh), frame = (int)(i / a.out / a.yw / a.yh);
    const T *w = (const T *)a.w.p + (int64_t)o * a.kt * a.kh * a.kw * a.in;
    float sum = a.bias ? a.bias[o] : 0;
    for (int t = 0; t < a.kt; t++)
        for (int y = 0; y < a.kh; y++)
            for (int x = 0; x < a.kw; x++, w += a.in) {
                int at_y = row * a.stride + y - a.top, at_x = column * a.stride + x - a.left;
                if (at_y < 0 || at_y >= a.xh || at_x < 0 || at_x >= a.xw)
                    continue;
                const T *from =
                    (const T *)a.x.p +
                    (((int64_t)(frame * a.stride_t + t) * a.xh + at_y) * a.xw + at_x) * a.in;
                for (int c = 0; c < a.in; c++)
                    sum += get(from + c) * get(w + c);
            }
    span_put(a.y, i, a.add ? span_get(a.y, i) + sum : sum);
}

extern "C" cudaError_t launch_conv(const struct launch_conv *a, cudaStream_t stream)
{
    unsigned blocks = blocks_for((int64_t)a->yt * a->yh * a->yw * a->out, THREADS);
    if (a->x.type == DTYPE_BF16)
        LAUNCH(conv_kernel<bf16>, blocks, THREADS, 0, stream, *a);
    else
        LAUNCH(conv_kernel<float>, blocks, THREADS, 0, stream, *a);
    return cudaGetLastError();
}

static __global__ void __launch_bounds__(THREADS)
    taps_kernel(struct span to, const float *from, int64_t n, int64_t in, int64_t taps)
{
    int64_t i = (int64_t)blockIdx.x * THREADS + threadIdx.x;
    if (i >= n)
        return;
    int64_t c = i % in, tap = i / in % taps, o = i / in / taps;
    span_put(to, i, from[(o * in + c) * taps + tap]);
}

extern "C" cudaError_t launch_taps_last(struct span to, const float *from, int64_t out, int64_t in,
                                        int64_t taps, cudaStream_t stream)
{
    int64_t n = out * in * taps;
    LAUNCH(taps_kernel, blocks_for(n, THREADS), THREADS, 0, stream, to, from, n, in, taps);
    return cudaGetLastError();
}
