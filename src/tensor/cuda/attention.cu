/* Attention by a plain tiled kernel, and the softmax of logits that lie in memory.
 *
 * A block takes 32 queries of one head, four for each of its eight warps; keys and values pass by
 * 32 at a time through shared memory with a running maximum and sum. For the logits a lane is a
 * key, for the result it is every 32nd column. Simple rather than fast: it checks the library's,
 * runs what that does not take (f32, a bias, keys that count several times), and serves the text
 * encoder, whose attention is a thousandth of its work. */
#include "tensor/cuda/kernel.cuh"

enum { WARPS = 8, PER_WARP = 4, QUERIES = WARPS * PER_WARP, KEYS = 32 };
enum {
    STRIDE = ATTENTION_WIDTH + 1,
    COLUMNS = ATTENTION_WIDTH / 32
}; /* + 1: lanes on other banks */

template <class T>
static __global__ void __launch_bounds__(WARPS * 32) attention_kernel(struct launch_attention a)
{
    SHARED_DYN(float, shared);
    float *qs = shared, *ks = qs + QUERIES * STRIDE, *vs = ks + KEYS * STRIDE; /* [32][STRIDE] */
    int warp = (int)threadIdx.x / 32, lane = (int)threadIdx.x % 32, width = a.width;
    int64_t first = (int64_t)blockIdx.x * QUERIES, row = (int64_t)a.heads * width;
    int64_t head = (int64_t)blockIdx.y * width;
    const float *bias = a.bias ? a.bias + blockIdx.y * (2 * a.span - 1) + a.span - 1 : NULL;
    float top[PER_WARP], sum[PER_WARP], out[PER_WARP][COLUMNS];

    for (int i = (int)threadIdx.x; i < QUERIES * width; i += WARPS * 32) {
        int64_t at = first + i / width;
        qs[i / width * STRIDE + i % width] =
            at < a.nq ? get((const T *)a.q + at * a.ld + head + i % width) * a.scale : 0;
    }
#pragma unroll
    for (int r = 0; r < PER_WARP; r++) {
        top[r] = -INFINITY;
        sum[r] = 0;
#pragma unroll
        for (int i = 0; i < COLUMNS; i++)
            out[r][i] = 0;
    }
    for (int64_t key = 0; key < a.nk; key += KEYS) {
        __syncthreads(); /* the last keys have been used */
        for (int i = (int)threadIdx.x; i < KEYS * width; i += WARPS * 32) {
            int64_t at = key + i / width;
            int to = i / width * STRIDE + i % width;
            ks[to] = at < a.nk ? get((const T *)a.k + at * a.ld + head + i % width) : 0;
            vs[to] = at < a.nk ? get((const T *)a.v + at * a.ld + head + i % width) : 0;
        }
        __syncthreads();
        int n = a.nk - key < KEYS ? (int)(a.nk - key) : KEYS;
#pragma unroll
        for (int r = 0; r < PER_WARP; r++) {
            int64_t query = first + warp * PER_WARP + r;
            const float *q = qs + (warp * PER_WARP + r) * STRIDE;
            float s = 0;
            for (int i = 0; i < width; i++)
                s += q[i] * ks[lane * STRIDE + i];
            if (bias && lane < n && query < a.nq)
                s += bias[key + lane - query];
            if (key + lane == a.nk - 1)
                s += a.log_repeats;
            if (lane >= n)
                s = -INFINITY;
            float now = fmaxf(top[r], lanes_max(s)), p = __expf(s - now);
            float keep = __expf(top[r] - now);
            top[r] = now;
            sum[r] = sum[r] * keep + lanes_sum(p, 32);
#pragma unroll
            for (int i = 0; i < COLUMNS; i++)
                out[r][i] *= keep;
            for (int j = 0; j < n; j++) {
                float weight = __shfl_sync(ALL_LANES, p, j);
#pragma unroll
                for (int i = 0; i < COLUMNS; i++)
                    if (lane + i * 32 < width)
                        out[r][i] += weight * vs[j * STRIDE + lane + i * 32];
            }
        }
    }
#pragma unroll
    for (int r = 0; r < PER_WARP; r++) {
        int64_t query = first + warp * PER_WARP + r;
        if (query < a.nq)
#pragma unroll
            for (int i = 0; i < COLUMNS; i++)
                if (lane + i * 32 < width) {
                    T *to = (T *)a.out + query * row + head + lane + i * 32;
                    float v = out[r][i] / sum[r];
                    put(to, a.add ? get(to) + v : v);
                }
    }
}

extern "C" cudaError_t launch_attention(const struct launch_attention *a, cudaStream_t stream)
{
    int bytes = (QUERIES + 2 * KEYS) * STRIDE * (int)sizeof(float);
    dim3 grid(blocks_for(a->nq, QUERIES), (unsigned)a->heads);
    const void *kernel = a->type == DTYPE_BF16 ? (const void *)attention_kernel<bf16>
                                               : (const void *)attention_kernel<float>;
    cudaError_t e =
        cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, bytes);
    if (e)
        return e;
    if (a->type == DTYPE_BF16)
        LAUNCH(attention_kernel<bf16>, grid, WARPS * 32, bytes, stream, *a);
    else
        LAUNCH(attention_kernel<float>, grid, WARPS * 32, bytes, stream, *a);
    return cudaGetLastError();
}

static __global__ void counts_kernel(int32_t *to, int32_t a, int32_t b)
{
    to[0] = a;
    to[4] = b;
}

extern "C" cudaError_t launch_counts(int32_t *to, int32_t a, int32_t b, cudaStream_t stream)
{
    LAUNCH(counts_kernel, 1, 1, 0, stream, to, a, b);
    return cudaGetLastError();
}

extern "C" cudaError_t launch_there(void)
{
    struct cudaFuncAttributes a;
    return cudaFuncGetAttributes(&a, (const void *)counts_kernel);
}

static __global__ void __launch_bounds__(256) softmax_kernel(struct launch_softmax a)
{
    int64_t row = blockIdx.x;
    const float *s = a.s + row * a.ld;
    const float *bias = a.bias ? a.bias + a.span - 1 - (a.first + row) : NULL;
    float top = -INFINITY, sum = 0;
    for (int64_t i = threadIdx.x; i < a.n; i += blockDim.x) {
        float v = s[i] + (bias ? bias[i] : 0) + (i == a.n - 1 ? a.log_repeats : 0);
        top = fmaxf(top, v);
    }
    top = block_max(top);
    for (int64_t i = threadIdx.x; i < a.n; i += blockDim.x)
        sum += __expf(s[i] + (bias ? bias[i] : 0) + (i == a.n - 1 ? a.log_repeats : 0) - top);
    sum = block_sum(sum);
    for (int64_t i = threadIdx.x; i < a.ld; i += blockDim.x) {
        float v = i < a.n ? s[i] + (bias ? bias[i] : 0) + (i == a.n - 1 ? a.log_repeats : 0) : 0;
        span_put(a.p, row * a.ld + i, i < a.n ? __expf(v - top) / sum : 0.0f);
    }
}

extern "C" cudaError_t launch_softmax(const struct launch_softmax *a, cudaStream_t stream)
{
    LAUNCH(softmax_kernel, (unsigned)a->rows, 256, 0, stream, *a);
    return cudaGetLastError();
}
