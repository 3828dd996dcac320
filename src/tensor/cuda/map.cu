/* Element by element: activations, sums, products, gates, change of type; frames copied, doubled
 * and unfolded; channels added or left out. All of it moves memory and computes next to nothing, so
 * the type is looked up at run time, and what matters is 16 bytes an access. */
#include "tensor/cuda/kernel.cuh"

enum { THREADS = 256 };

static __device__ __forceinline__ float map_one(const struct launch_map *a, float y, float x,
                                                float z)
{
    switch (a->what) {
    case MAP_ADD:
        return x + z;
    case MAP_MUL:
        return x * z;
    case MAP_BLEND:
        return y * a->a + x * a->b;
    case MAP_GATE:
        return y + z * x;
    default:
        return act_of(x, a->act);
    }
}

static __global__ void __launch_bounds__(THREADS) map_kernel(struct launch_map a)
{
    int64_t i = ((int64_t)blockIdx.x * THREADS + threadIdx.x) * 8;
    if (i >= a.n)
        return;
    float y[8] = {0}, x[8], z[8] = {0};
    span_get8(x, a.x, i);
    if (a.what == MAP_BLEND || a.what == MAP_GATE)
        span_get8(y, a.y, i);
    if (a.what == MAP_ADD || a.what == MAP_MUL)
        span_get8(z, a.z, i);
    if (a.what == MAP_GATE)
        span_get8(z, a.z, i % a.width);
#pragma unroll
    for (int j = 0; j < 8; j++)
        y[j] = map_one(&a, y[j], x[j], z[j]);
    span_put8(a.y, i, y);
}

static __global__ void __launch_bounds__(THREADS) map_any_kernel(struct launch_map a)
{
    int64_t i = (int64_t)blockIdx.x * THREADS + threadIdx.x;
    if (i >= a.n)
        return;
    bool old = a.what == MAP_BLEND || a.what == MAP_GATE, two = a.z.p != NULL;
    float y = old ? span_get(a.y, i) : 0, x = span_get(a.x, i);
    float z = !two ? 0 : span_get(a.z, a.what == MAP_GATE ? i % a.width : i);
    span_put(a.y, i, map_one(&a, y, x, z));
}

extern "C" cudaError_t launch_map(const struct launch_map *a, cudaStream_t stream)
{
    bool vectors = a->n % 8 == 0 && (a->what != MAP_GATE || a->width % 8 == 0) &&
                   aligned16(a->y.p) && aligned16(a->x.p) && aligned16(a->z.p);
    if (vectors)
        LAUNCH(map_kernel, blocks_for(a->n, THREADS * 8), THREADS, 0, stream, *a);
    else
        LAUNCH(map_any_kernel, blocks_for(a->n, THREADS), THREADS, 0, stream, *a);
    return cudaGetLastError();
}

static __global__ void __launch_bounds__(THREADS)
    channels_kernel(struct span y, int to, struct span x, int from, int64_t n)
{
    int64_t i = (int64_t)blockIdx.x * THREADS + threadIdx.x;
    if (i >= n * to)
        return;
    int c = (int)(i % to);
    span_put(y, i, c < from ? span_get(x, i / to * from + c) : 0.0f);
}

extern "C" cudaError_t launch_channels(struct span y, int to, struct span x, int from, int64_t n,
                                       cudaStream_t stream)
{
    LAUNCH(channels_kernel, blocks_for(n * to, THREADS), THREADS, 0, stream, y, to, x, from, n);
    return cudaGetLastError();
}

/* A thread takes a unit of a result's pixel: 16 bytes, or an element where pixels are odd. */
template <class U>
static __global__ void __launch_bounds__(THREADS)
    upsample_kernel(U *y, const U *x, int64_t n, int h, int w, int units)
{
    int64_t i = (int64_t)blockIdx.x * THREADS + threadIdx.x;
    if (i >= n)
        return;
    int64_t pixel = i / units, column = pixel % (2 * w), line = pixel / (2 * w);
    int64_t frame = line / (2 * h), row = line % (2 * h);
    y[i] = x[((frame * h + row / 2) * w + column / 2) * units + i % units];
}

template <class U>
static __global__ void __launch_bounds__(THREADS)
    unfold_kernel(U *y, const U *x, int64_t n, int64_t places, int units)
{
    int64_t i = (int64_t)blockIdx.x * THREADS + threadIdx.x;
    if (i >= n)
        return;
    int64_t pixel = i / units, frame = pixel / places, place = pixel % places;
    y[i] = x[((frame / 2 * places + place) * 2 + frame % 2) * units + i % units];
}

extern "C" cudaError_t launch_upsample(void *y, const void *x, int64_t frames, int h, int w,
                                       int64_t c, int size, cudaStream_t stream)
{
    bool wide = c * size % 16 == 0 && aligned16(x) && aligned16(y);
    int units = (int)(wide ? c * size / 16 : c);
    int64_t n = frames * 4 * h * w * units;
    unsigned blocks = blocks_for(n, THREADS);
    if (wide)
        LAUNCH(upsample_kernel<uint4>, blocks, THREADS, 0, stream, (uint4 *)y, (const uint4 *)x, n,
               h, w, units);
    else if (size == 4)
        LAUNCH(upsample_kernel<float>, blocks, THREADS, 0, stream, (float *)y, (const float *)x, n,
               h, w, units);
    else
        LAUNCH(upsample_kernel<bf16>, blocks, THREADS, 0, stream, (bf16 *)y, (const bf16 *)x, n, h,
               w, units);
    return cudaGetLastError();
}

/* x [frames, places, 2c] → y [2·frames, places, c] */
extern "C" cudaError_t launch_unfold_time(void *y, const void *x, int64_t frames, int64_t places,
                                          int64_t c, int size, cudaStream_t stream)
{
    bool wide = c * size % 16 == 0 && aligned16(x) && aligned16(y);
    int units = (int)(wide ? c * size / 16 : c);
    int64_t n = 2 * frames * places * units;
    unsigned blocks = blocks_for(n, THREADS);
    if (wide)
        LAUNCH(unfold_kernel<uint4>, blocks, THREADS, 0, stream, (uint4 *)y, (const uint4 *)x, n,
               places, units);
    else if (size == 4)
        LAUNCH(unfold_kernel<float>, blocks, THREADS, 0, stream, (float *)y, (const float *)x, n,
               places, units);
    else
        LAUNCH(unfold_kernel<bf16>, blocks, THREADS, 0, stream, (bf16 *)y, (const bf16 *)x, n,
               places, units);
    return cudaGetLastError();
}

static __global__ void __launch_bounds__(THREADS)
    repeat_kernel(uint4 *to, const uint4 *from, int64_t n, int64_t last, int units)
{
    int64_t i = (int64_t)blockIdx.x * THREADS + threadIdx.x;
    if (i >= n)
        return;
    int64_t row = i / units;
    to[i] = from[(row < last ? row : last) * units + i % units];
}

extern "C" cudaError_t launch_repeat(void *to, const void *from, int64_t n, int64_t repeats,
                                     int64_t size, cudaStream_t stream)
{
    int units = (int)(size / 16);
    int64_t all = (n - 1 + repeats) * units;
    LAUNCH(repeat_kernel, blocks_for(all, THREADS), THREADS, 0, stream, (uint4 *)to,
           (const uint4 *)from, all, n - 1, units);
    return cudaGetLastError();
}
