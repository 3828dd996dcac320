/* Norms of rows, alone or behind a step of the residual stream.
 *
 * Three forms. Wide rows (a transformer's) take a block each and stay in its registers between the
 * two passes of the variance, so that each number is read once: x += gate·from, mean, variance,
 * scale and shift are one kernel. Narrow rows (the VAE's channels, millions of rows) take a group
 * of lanes each, two rows a group, so that enough loads are on their way. The third takes any
 * shape, a warp a row. */
#include "tensor/cuda/kernel.cuh"

enum { WIDE_VECS = 4, WIDE_THREADS = 256, WIDE_MAX = WIDE_VECS * WIDE_THREADS * 8 };
enum { SLIM_VECS = 2, SLIM_ROWS = 2, SLIM_THREADS = 256, SLIM_MAX = SLIM_VECS * 32 * 8 };

/* 1 over what a row is divided by; `sum` of squares (of what is left without the mean) */
static __device__ __forceinline__ float divisor(const struct launch_norm *a, float sum)
{
    if (a->kind == NORM_L2)
        return sqrtf((float)a->width) / fmaxf(sqrtf(sum), a->eps);
    return rsqrtf(sum / (float)a->width + a->eps);
}

/* r = v·by·weight + bias, then act(r·(1 + scale) + shift), of eight at column c */
static __device__ __forceinline__ void finish8(const struct launch_norm *a, float v[8], float by,
                                               int c)
{
    float p[8];
#pragma unroll
    for (int j = 0; j < 8; j++)
        v[j] *= by;
    if (a->weight) {
        get8(p, a->weight + c);
#pragma unroll
        for (int j = 0; j < 8; j++)
            v[j] *= p[j];
    }
    if (a->bias) {
        get8(p, a->bias + c);
#pragma unroll
        for (int j = 0; j < 8; j++)
            v[j] += p[j];
    }
    if (a->scale) {
        get8(p, a->scale + c);
#pragma unroll
        for (int j = 0; j < 8; j++)
            v[j] *= 1 + p[j];
    }
    if (a->shift) {
        get8(p, a->shift + c);
#pragma unroll
        for (int j = 0; j < 8; j++)
            v[j] += p[j];
    }
    if (a->act)
#pragma unroll
        for (int j = 0; j < 8; j++)
            v[j] = act_of(v[j], a->act);
}

/* A block's row, kept as wide_kernel and join_kernel keep it, to memory. */
template <class Y>
static __device__ __forceinline__ void write_row(const struct launch_norm *a,
                                                 const float v[WIDE_VECS][8], Y *all)
{
    Y *y = all + (int64_t)blockIdx.x * a->width;
#pragma unroll
    for (int i = 0; i < WIDE_VECS; i++) {
        int c = (int)(threadIdx.x + i * blockDim.x) * 8;
        if (c < a->width)
            put8(y + c, v[i]);
    }
}

static __device__ __forceinline__ void write_row(const struct launch_norm *a, float v[WIDE_VECS][8],
                                                 struct e4m3 *all)
{
    struct e4m3 *y = all + (int64_t)blockIdx.x * a->width;
    float most = 0;
#pragma unroll
    for (int i = 0; i < WIDE_VECS; i++)
        if ((int)(threadIdx.x + i * blockDim.x) * 8 < a->width)
#pragma unroll
            for (int j = 0; j < 8; j++)
                most = fmaxf(most, fabsf(v[i][j]));
    float scale = eight_scale(block_max(most)), by = 1 / scale;
    if (threadIdx.x == 0)
        eight_scales(all, a->rows, a->width)[blockIdx.x] = scale;
#pragma unroll
    for (int i = 0; i < WIDE_VECS; i++) {
        int c = (int)(threadIdx.x + i * blockDim.x) * 8;
        if (c < a->width) {
#pragma unroll
            for (int j = 0; j < 8; j++)
                v[i][j] *= by;
            put8(y + c, v[i]);
        }
    }
}

template <class X, class Y>
static __global__ void __launch_bounds__(WIDE_THREADS, 3) wide_kernel(struct launch_norm a)
{
    const X *x = (const X *)a.x.p + (int64_t)blockIdx.x * a.width;
    float v[WIDE_VECS][8], sum = 0, mean = 0;
#pragma unroll
    for (int i = 0; i < WIDE_VECS; i++) {
        int c = (int)(threadIdx.x + i * blockDim.x) * 8;
        if (c < a.width) {
            get8(v[i], x + c);
#pragma unroll
            for (int j = 0; j < 8; j++)
                sum += a.kind == NORM_LAYER ? v[i][j] : v[i][j] * v[i][j];
        }
    }
    sum = block_sum(sum);
    if (a.kind == NORM_LAYER) {
        mean = sum / (float)a.width;
        sum = 0;
#pragma unroll
        for (int i = 0; i < WIDE_VECS; i++) {
            int c = (int)(threadIdx.x + i * blockDim.x) * 8;
            if (c < a.width)
#pragma unroll
                for (int j = 0; j < 8; j++) {
                    v[i][j] -= mean;
                    sum += v[i][j] * v[i][j];
                }
        }
        sum = block_sum(sum);
    }
    float by = divisor(&a, sum);
#pragma unroll
    for (int i = 0; i < WIDE_VECS; i++) {
        int c = (int)(threadIdx.x + i * blockDim.x) * 8;
        if (c < a.width)
            finish8(&a, v[i], by, c);
    }
    write_row(&a, v, (Y *)a.y.p);
}

/* x += gate·from in f32, then LayerNorm of x where y is asked for */
template <class F, class Y>
static __global__ void __launch_bounds__(WIDE_THREADS, 3) join_kernel(struct launch_norm a)
{
    float *x = (float *)a.x.p + (int64_t)blockIdx.x * a.width;
    const F *from = (const F *)a.from.p + (int64_t)blockIdx.x * a.width;
    float v[WIDE_VECS][8], sum = 0;
#pragma unroll
    for (int i = 0; i < WIDE_VECS; i++) {
        int c = (int)(threadIdx.x + i * blockDim.x) * 8;
        if (c < a.width) {
            float f[8], g[8];
            get8(v[i], x + c);
            get8(f, from + c);
            if (a.gate)
                get8(g, a.gate + c);
#pragma unroll
            for (int j = 0; j < 8; j++) {
                v[i][j] += a.gate ? g[j] * f[j] : f[j];
                sum += v[i][j];
            }
            put8(x + c, v[i]);
        }
    }
    if (!a.y.p)
        return;
    float mean = block_sum(sum) / (float)a.width;
    sum = 0;
#pragma unroll
    for (int i = 0; i < WIDE_VECS; i++) {
        int c = (int)(threadIdx.x + i * blockDim.x) * 8;
        if (c < a.width)
#pragma unroll
            for (int j = 0; j < 8; j++) {
                v[i][j] -= mean;
                sum += v[i][j] * v[i][j];
            }
    }
    float by = divisor(&a, block_sum(sum));
#pragma unroll
    for (int i = 0; i < WIDE_VECS; i++) {
        int c = (int)(threadIdx.x + i * blockDim.x) * 8;
        if (c < a.width)
            finish8(&a, v[i], by, c);
    }
    write_row(&a, v, (Y *)a.y.p);
}

/* RMS and L2 only: no mean */
template <class X, class Y>
static __global__ void __launch_bounds__(SLIM_THREADS) slim_kernel(struct launch_norm a, int lanes)
{
    int64_t group = ((int64_t)blockIdx.x * SLIM_THREADS + threadIdx.x) / lanes;
    int lane = (int)threadIdx.x % lanes;
    const X *x = (const X *)a.x.p;
    Y *y = (Y *)a.y.p;
    float v[SLIM_ROWS][SLIM_VECS][8], sum[SLIM_ROWS];
#pragma unroll
    for (int r = 0; r < SLIM_ROWS; r++)
#pragma unroll
        for (int i = 0; i < SLIM_VECS; i++) {
            int64_t row = group * SLIM_ROWS + r;
            int c = (lane + i * lanes) * 8;
            if (row < a.rows && c < a.width)
                get8(v[r][i], x + row * a.width + c);
        }
#pragma unroll
    for (int r = 0; r < SLIM_ROWS; r++) {
        sum[r] = 0;
#pragma unroll
        for (int i = 0; i < SLIM_VECS; i++)
            if (group * SLIM_ROWS + r < a.rows && (lane + i * lanes) * 8 < a.width)
#pragma unroll
                for (int j = 0; j < 8; j++)
                    sum[r] += v[r][i][j] * v[r][i][j];
        sum[r] = lanes_sum(sum[r], lanes);
    }
#pragma unroll
    for (int r = 0; r < SLIM_ROWS; r++)
#pragma unroll
        for (int i = 0; i < SLIM_VECS; i++) {
            int64_t row = group * SLIM_ROWS + r;
            int c = (lane + i * lanes) * 8;
            if (row < a.rows && c < a.width) {
                finish8(&a, v[r][i], divisor(&a, sum[r]), c);
                put8(y + row * a.width + c, v[r][i]);
            }
        }
}

/* Any width, any address; a warp a row. */
static __global__ void any_kernel(struct launch_norm a)
{
    int64_t row = ((int64_t)blockIdx.x * blockDim.x + threadIdx.x) / 32, at = row * a.width;
    int lane = (int)threadIdx.x % 32;
    float sum = 0, mean = 0;
    if (row >= a.rows)
        return;
    if (a.from.p)
        for (int c = lane; c < a.width; c += 32)
            span_put(a.x, at + c,
                     span_get(a.x, at + c) +
                         span_get(a.from, at + c) * (a.gate ? a.gate[c] : 1.0f));
    if (!a.y.p)
        return;
    if (a.kind == NORM_LAYER) {
        for (int c = lane; c < a.width; c += 32)
            sum += span_get(a.x, at + c);
        mean = lanes_sum(sum, 32) / (float)a.width;
        sum = 0;
    }
    for (int c = lane; c < a.width; c += 32) {
        float v = span_get(a.x, at + c) - mean;
        sum += v * v;
    }
    float by = divisor(&a, lanes_sum(sum, 32));
    for (int c = lane; c < a.width; c += 32) {
        float v = (span_get(a.x, at + c) - mean) * by;
        v = v * (a.weight ? a.weight[c] : 1.0f) + (a.bias ? a.bias[c] : 0.0f);
        v = v * (1 + (a.scale ? a.scale[c] : 0.0f)) + (a.shift ? a.shift[c] : 0.0f);
        span_put(a.y, at + c, act_of(v, a.act));
    }
}

/* Threads for a row of `width`: few enough that all work, a multiple of 32. */
static int wide_threads(int width)
{
    int vecs = width / 8, each = (vecs + WIDE_THREADS - 1) / WIDE_THREADS;
    return ((vecs + each - 1) / each + 31) / 32 * 32;
}

extern "C" cudaError_t launch_norm(const struct launch_norm *a, cudaStream_t stream)
{
    const void *all[] = {a->x.p,    a->y.p,  a->from.p, a->gate,
                         a->weight, a->bias, a->scale,  a->shift};
    bool vectors = a->width % 8 == 0 && a->width <= WIDE_MAX, join = a->from.p != NULL;
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        vectors = vectors && aligned16(all[i]);
    bool xb = a->x.type == DTYPE_BF16, yb = a->y.type == DTYPE_BF16;
    bool fb = a->from.type == DTYPE_BF16, y8 = a->y.type == DTYPE_F8_E4M3;
    if (y8 && (!vectors || xb))
        return cudaErrorInvalidValue;
    if (y8) {
        unsigned blocks = (unsigned)a->rows, threads = (unsigned)wide_threads(a->width);
        if (!join)
            LAUNCH((wide_kernel<float, struct e4m3>), blocks, threads, 0, stream, *a);
        else if (fb)
            LAUNCH((join_kernel<bf16, struct e4m3>), blocks, threads, 0, stream, *a);
        else
            LAUNCH((join_kernel<float, struct e4m3>), blocks, threads, 0, stream, *a);
    } else if (vectors && !join && a->width <= SLIM_MAX && a->kind != NORM_LAYER) {
        int lanes = 1;
        while (lanes < 32 && lanes * 8 < a->width)
            lanes *= 2;
        unsigned blocks = blocks_for(a->rows, SLIM_THREADS / lanes * SLIM_ROWS);
        if (xb && yb)
            LAUNCH((slim_kernel<bf16, bf16>), blocks, SLIM_THREADS, 0, stream, *a, lanes);
        else if (xb)
            LAUNCH((slim_kernel<bf16, float>), blocks, SLIM_THREADS, 0, stream, *a, lanes);
        else if (yb)
            LAUNCH((slim_kernel<float, bf16>), blocks, SLIM_THREADS, 0, stream, *a, lanes);
        else
            LAUNCH((slim_kernel<float, float>), blocks, SLIM_THREADS, 0, stream, *a, lanes);
    } else if (vectors && join && !xb && a->kind == NORM_LAYER) {
        unsigned blocks = (unsigned)a->rows, threads = (unsigned)wide_threads(a->width);
        if (fb && yb)
            LAUNCH((join_kernel<bf16, bf16>), blocks, threads, 0, stream, *a);
        else if (fb)
            LAUNCH((join_kernel<bf16, float>), blocks, threads, 0, stream, *a);
        else if (yb)
            LAUNCH((join_kernel<float, bf16>), blocks, threads, 0, stream, *a);
        else
            LAUNCH((join_kernel<float, float>), blocks, threads, 0, stream, *a);
    } else if (vectors && !join) {
        unsigned blocks = (unsigned)a->rows, threads = (unsigned)wide_threads(a->width);
        if (xb && yb)
            LAUNCH((wide_kernel<bf16, bf16>), blocks, threads, 0, stream, *a);
        else if (xb)
            LAUNCH((wide_kernel<bf16, float>), blocks, threads, 0, stream, *a);
        else if (yb)
            LAUNCH((wide_kernel<float, bf16>), blocks, threads, 0, stream, *a);
        else
            LAUNCH((wide_kernel<float, float>), blocks, threads, 0, stream, *a);
    } else {
        LAUNCH(any_kernel, blocks_for(a->rows, 4), 128, 0, stream, *a);
    }
    return cudaGetLastError();
}
