/* Queries, keys and values to e4m3, with one scale each, on their way into attention.
 *
 * The scale of a tensor is its largest number over 448, of this very tensor: nothing is guessed
 * from the step before, and nothing waits for the host. From the keys the mean of all keys is taken
 * first (a number a column): it adds the same to each logit of a query, which a softmax does not
 * see, but its rounding would differ from key to key. Queries and keys of a transformer have such
 * means, many times larger than what tells the keys apart.
 *
 * Three kernels, in a fixed order of sums so that a pass gives the same bits each time: sum,
 * largest and least of each column over a chunk of rows; of those the means and the largest over
 * 256 columns; then the rounding, where each block takes the largest of these few for itself. What
 * they read is read twice, 0.8 GB for a block of the 1.3B model at 832x480. */
#include "tensor/cuda/kernel.cuh"

enum { THREADS = 256, LANES = 32, LINES = THREADS / LANES, ROWS = 8 };
enum { CHUNKS = EIGHT_QKV_CHUNKS };

/* What a result of attention may exceed the largest value by: the weights add up to 1 before they
 * are rounded, and each is rounded by 1/16 at most. */
#define ROUNDED_UP 1.0625f

static __device__ __forceinline__ const bf16 *rows_of(const struct launch_eight_qkv *a, int which)
{
    return (const bf16 *)(which == 0 ? a->q : which == 1 ? a->k : a->v);
}

/* where: [3][CHUNKS][3][width], then means [width], then tops [3][blocks of columns] */
static __device__ __forceinline__ float *part_of(const struct launch_eight_qkv *a, int which,
                                                 int chunk, int what)
{
    return a->room + (((int64_t)which * CHUNKS + chunk) * 3 + what) * a->width;
}

static __device__ __forceinline__ float *means_of(const struct launch_eight_qkv *a)
{
    return a->room + (int64_t)9 * CHUNKS * a->width;
}

static __device__ __forceinline__ float *tops_of(const struct launch_eight_qkv *a)
{
    return means_of(a) + a->width;
}

static __global__ void __launch_bounds__(THREADS) columns_kernel(struct launch_eight_qkv a)
{
    SHARED(float, all, [LINES][3][LANES * 8]);
    int which = (int)blockIdx.z, chunk = (int)blockIdx.y;
    int lane = (int)threadIdx.x % LANES, line = (int)threadIdx.x / LANES;
    int first = (int)blockIdx.x * LANES * 8, c = first + lane * 8;
    int64_t n = which ? a.nk : a.nq, each = (n + CHUNKS - 1) / CHUNKS;
    int64_t from = chunk * each, to = from + each < n ? from + each : n;
    const bf16 *x = rows_of(&a, which);
    float sum[8], high[8], low[8];
#pragma unroll
    for (int j = 0; j < 8; j++) {
        sum[j] = 0;
        high[j] = -INFINITY;
        low[j] = INFINITY;
    }
    if (c < a.width)
        for (int64_t row = from + line; row < to; row += LINES) {
            float v[8];
            get8(v, x + row * a.ld + c);
#pragma unroll
            for (int j = 0; j < 8; j++) {
                sum[j] += v[j];
                high[j] = fmaxf(high[j], v[j]);
                low[j] = fminf(low[j], v[j]);
            }
        }
#pragma unroll
    for (int j = 0; j < 8; j++) {
        all[line][0][lane * 8 + j] = sum[j];
        all[line][1][lane * 8 + j] = high[j];
        all[line][2][lane * 8 + j] = low[j];
    }
    __syncthreads();
    int t = (int)threadIdx.x;
    float s = 0, h = -INFINITY, l = INFINITY;
    for (int i = 0; i < LINES; i++) {
        s += all[i][0][t];
        h = fmaxf(h, all[i][1][t]);
        l = fminf(l, all[i][2][t]);
    }
    if (first + t < a.width) {
        part_of(&a, which, chunk, 0)[first + t] = s;
        part_of(&a, which, chunk, 1)[first + t] = h;
        part_of(&a, which, chunk, 2)[first + t] = l;
    }
}

static __global__ void __launch_bounds__(THREADS) means_kernel(struct launch_eight_qkv a)
{
    int which = (int)blockIdx.y, c = (int)(blockIdx.x * THREADS + threadIdx.x);
    float sum = 0, high = -INFINITY, low = INFINITY, most = 0;
    if (c < a.width) {
        for (int i = 0; i < CHUNKS; i++) {
            sum += part_of(&a, which, i, 0)[c];
            high = fmaxf(high, part_of(&a, which, i, 1)[c]);
            low = fminf(low, part_of(&a, which, i, 2)[c]);
        }
        float mean = which == 1 ? sum / (float)a.nk : 0.0f;
        if (which == 1)
            means_of(&a)[c] = mean;
        most = fmaxf(high - mean, mean - low);
    }
    most = block_max(most);
    if (threadIdx.x == 0)
        tops_of(&a)[which * gridDim.x + blockIdx.x] = most;
}

static __device__ __forceinline__ float top_of(const struct launch_eight_qkv *a, int which,
                                               int blocks)
{
    float most = 0;
    for (int i = 0; i < blocks; i++)
        most = fmaxf(most, tops_of(a)[which * blocks + i]);
    return most;
}

static __global__ void __launch_bounds__(THREADS)
    round_kernel(struct launch_eight_qkv a, int blocks)
{
    int which = (int)blockIdx.y;
    int64_t n = which ? a.nk : a.nq, from = (int64_t)blockIdx.x * ROWS;
    const bf16 *x = rows_of(&a, which);
    struct e4m3 *y = (struct e4m3 *)(which == 0 ? a.q8 : which == 1 ? a.k8 : a.v8);
    float scale = eight_scale(top_of(&a, which, blocks)), by = 1 / scale;
    for (int64_t row = from; row < from + ROWS && row < n; row++)
        for (int c = (int)threadIdx.x * 8; c < a.width; c += THREADS * 8) {
            float v[8], mean[8];
            get8(v, x + row * a.ld + c);
            if (which == 1)
                get8(mean, means_of(&a) + c);
#pragma unroll
            for (int j = 0; j < 8; j++)
                v[j] = (which == 1 ? v[j] - mean[j] : v[j]) * by;
            put8(y + row * a.width + c, v);
        }
    if (which == 0 || (which == 2 && blockIdx.x == 0)) {
        float top = top_of(&a, 2, blocks), out = eight_scale(top * ROUNDED_UP);
        if (which == 0 && a.out_scales)
            for (int64_t row = from + threadIdx.x; row < from + ROWS && row < n; row += THREADS)
                a.out_scales[row] = out;
        if (which == 2 && threadIdx.x == 0)
            *a.numbers.scale_o = 1 / out;
    }
    if (blockIdx.x == 0 && threadIdx.x == 0) {
        *(which == 0   ? a.numbers.descale_q
          : which == 1 ? a.numbers.descale_k
                       : a.numbers.descale_v) = scale;
        if (which == 0) { /* weights are at most 1 */
            *a.numbers.scale_s = E4M3_MOST;
            *a.numbers.descale_s = 1 / E4M3_MOST;
        }
    }
}

extern "C" cudaError_t launch_eight_qkv(const struct launch_eight_qkv *a, cudaStream_t stream)
{
    unsigned blocks = blocks_for(a->width, THREADS);
    int64_t most = a->nq > a->nk ? a->nq : a->nk;
    dim3 columns(blocks_for(a->width, LANES * 8), CHUNKS, 3), means(blocks, 3);
    dim3 rows(blocks_for(most, ROWS), 3);
    if (a->width % 8 || a->ld % 8 || !aligned16(a->q) || !aligned16(a->k) || !aligned16(a->v) ||
        !aligned16(a->q8) || !aligned16(a->k8) || !aligned16(a->v8) || !aligned16(a->room))
        return cudaErrorInvalidValue;
    LAUNCH(columns_kernel, columns, THREADS, 0, stream, *a);
    cudaError_t e = cudaGetLastError();
    if (e)
        return e;
    LAUNCH(means_kernel, means, THREADS, 0, stream, *a);
    if ((e = cudaGetLastError()))
        return e;
    LAUNCH(round_kernel, rows, THREADS, 0, stream, *a, (int)blocks);
    return cudaGetLastError();
}
