/* Queries and keys before they meet: RMSNorm over the full width, then each pair of a head turned
 * by the angles of its row (spec 4.5). In place, each number read and written once: a block takes a
 * row of q or of k and keeps it in registers. */
#include "tensor/cuda/kernel.cuh"

enum { VECS = 4, THREADS = 256, WIDTH_MAX = VECS * THREADS * 8 };

template <class T>
static __global__ void __launch_bounds__(THREADS, 3) turn_kernel(struct launch_turn a)
{
    T *x = (T *)(blockIdx.y ? a.k.p : a.q.p) + (int64_t)blockIdx.x * a.ld;
    const float *w = blockIdx.y ? a.norm_k : a.norm_q;
    int head = a.width / a.heads;
    const float *table = a.table + (int64_t)blockIdx.x * head; /* (cos, sin) of head/2 pairs */
    float v[VECS][8], sum = 0;
#pragma unroll
    for (int i = 0; i < VECS; i++) {
        int c = (int)(threadIdx.x + i * blockDim.x) * 8;
        if (c < a.width) {
            get8(v[i], x + c);
#pragma unroll
            for (int j = 0; j < 8; j++)
                sum += v[i][j] * v[i][j];
        }
    }
    float by = rsqrtf(block_sum(sum) / (float)a.width + a.eps);
#pragma unroll
    for (int i = 0; i < VECS; i++) {
        int c = (int)(threadIdx.x + i * blockDim.x) * 8;
        if (c < a.width) {
            float p[8], cs[8];
            get8(p, w + c);
            get8(cs, table + c % head);
#pragma unroll
            for (int j = 0; j < 8; j += 2) {
                float re = v[i][j] * by * p[j], im = v[i][j + 1] * by * p[j + 1];
                v[i][j] = re * cs[j] - im * cs[j + 1];
                v[i][j + 1] = re * cs[j + 1] + im * cs[j];
            }
            put8(x + c, v[i]);
        }
    }
}

static __global__ void rope_kernel(struct span x, const float *table, int64_t pairs, int heads,
                                   int half)
{
    int64_t i = (int64_t)blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= pairs)
        return;
    int64_t row = i / half / heads;
    const float *cs = table + (row * half + i % half) * 2;
    float re = span_get(x, 2 * i), im = span_get(x, 2 * i + 1);
    span_put(x, 2 * i, re * cs[0] - im * cs[1]);
    span_put(x, 2 * i + 1, re * cs[1] + im * cs[0]);
}

extern "C" bool launch_turn_fits(const struct launch_turn *a)
{
    return a->width <= WIDTH_MAX && a->width / a->heads % 8 == 0 && a->ld % 8 == 0 &&
           a->q.type == a->k.type && aligned16(a->q.p) && aligned16(a->k.p) &&
           aligned16(a->norm_q) && aligned16(a->norm_k) && aligned16(a->table);
}

extern "C" cudaError_t launch_turn(const struct launch_turn *a, cudaStream_t stream)
{
    int vecs = a->width / 8, each = (vecs + THREADS - 1) / THREADS;
    unsigned threads = (unsigned)(((vecs + each - 1) / each + 31) / 32 * 32);
    dim3 grid((unsigned)a->rows, 2);
    if (a->q.type == DTYPE_BF16)
        LAUNCH(turn_kernel<bf16>, grid, threads, 0, stream, *a);
    else
        LAUNCH(turn_kernel<float>, grid, threads, 0, stream, *a);
    return cudaGetLastError();
}

extern "C" cudaError_t launch_rope(struct span x, const float *table, int64_t rows, int heads,
                                   int width, cudaStream_t stream)
{
    int half = width / heads / 2;
    int64_t pairs = rows * heads * half;
    LAUNCH(rope_kernel, blocks_for(pairs, THREADS), THREADS, 0, stream, x, table, pairs, heads,
           half);
    return cudaGetLastError();
}
