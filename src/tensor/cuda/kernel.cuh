/* tensor/cuda/kernel: what every .cu shares: loads and stores of eight, sums over a block.
 *
 * Three macros stand for CUDA's own syntax, so that the same source runs on the CPU in the tests
 * (tests/gpu/emu.h): LAUNCH for <<< >>>, SHARED for __shared__, SHARED_DYN for the extern form. */
#ifndef SAKUGA_TENSOR_CUDA_KERNEL_CUH
#define SAKUGA_TENSOR_CUDA_KERNEL_CUH

#ifdef SAKUGA_EMULATED
#include "gpu/emu.h"
#else
#include <cuda_bf16.h>
#include <cuda_fp8.h>
#include <cuda_runtime.h>
#define LAUNCH(kernel, grid, block, smem, stream, ...)                                             \
    kernel<<<(grid), (block), (smem), (stream)>>>(__VA_ARGS__)
#define SHARED(type, name, dims) __shared__ type name dims
#define SHARED_DYN(type, name)                                                                     \
    extern __shared__ __align__(16) unsigned char dynamic_shared[];                                \
    type *name = (type *)dynamic_shared
#endif

#include "tensor/cuda/launch.h"

#define ALL_LANES 0xffffffffu
#define E4M3_MOST 448.0f
typedef __nv_bfloat16 bf16;
struct e4m3 {
    unsigned char bits;
};

static __device__ __forceinline__ float get(const float *p)
{
    return *p;
}

static __device__ __forceinline__ float get(const bf16 *p)
{
    return __uint_as_float((unsigned)*(const unsigned short *)p << 16);
}

static __device__ __forceinline__ void put(float *p, float v)
{
    *p = v;
}

static __device__ __forceinline__ void put(bf16 *p, float v)
{
    *(unsigned short *)p = __bfloat16_as_ushort(__float2bfloat16(v));
}

/* Eight elements at a 16-byte boundary. */
static __device__ __forceinline__ void get8(float v[8], const float *p)
{
    float4 a = ((const float4 *)p)[0], b = ((const float4 *)p)[1];
    v[0] = a.x, v[1] = a.y, v[2] = a.z, v[3] = a.w;
    v[4] = b.x, v[5] = b.y, v[6] = b.z, v[7] = b.w;
}

static __device__ __forceinline__ void get8(float v[8], const bf16 *p)
{
    uint4 u = *(const uint4 *)p;
    const unsigned w[4] = {u.x, u.y, u.z, u.w};
#pragma unroll
    for (int i = 0; i < 4; i++) { /* a bf16 is the upper half of a float */
        v[2 * i] = __uint_as_float(w[i] << 16);
        v[2 * i + 1] = __uint_as_float(w[i] & 0xffff0000u);
    }
}

static __device__ __forceinline__ void put8(float *p, const float v[8])
{
    ((float4 *)p)[0] = make_float4(v[0], v[1], v[2], v[3]);
    ((float4 *)p)[1] = make_float4(v[4], v[5], v[6], v[7]);
}

static __device__ __forceinline__ void put8(bf16 *p, const float v[8])
{
    unsigned w[4];
#pragma unroll
    for (int i = 0; i < 4; i++)
        w[i] = (unsigned)__bfloat16_as_ushort(__float2bfloat16(v[2 * i])) |
               (unsigned)__bfloat16_as_ushort(__float2bfloat16(v[2 * i + 1])) << 16;
    *(uint4 *)p = make_uint4(w[0], w[1], w[2], w[3]);
}

/* Eight at an 8-byte boundary. */
static __device__ __forceinline__ void put8(struct e4m3 *p, const float v[8])
{
    unsigned w[2];
#pragma unroll
    for (int i = 0; i < 2; i++) {
        unsigned b[4];
#pragma unroll
        for (int j = 0; j < 4; j++)
            b[j] = __nv_cvt_float_to_fp8(v[4 * i + j], __NV_SATFINITE, __NV_E4M3);
        w[i] = b[0] | b[1] << 8 | b[2] << 16 | b[3] << 24;
    }
    *(uint2 *)p = make_uint2(w[0], w[1]);
}

static __device__ __forceinline__ float get(const struct e4m3 *p)
{
    return __half2float(__half(__nv_cvt_fp8_to_halfraw(p->bits, __NV_E4M3)));
}

static __device__ __forceinline__ void get8(float v[8], const struct e4m3 *p)
{
    uint2 u = *(const uint2 *)p;
#pragma unroll
    for (int i = 0; i < 8; i++) {
        struct e4m3 one = {(unsigned char)((i < 4 ? u.x : u.y) >> (i % 4 * 8))};
        v[i] = get(&one);
    }
}

/* What a row is divided by before it becomes e4m3. A row of next to nothing becomes zeros: 1 over
 * its scale would be infinite, and its zeros no numbers. */
static __device__ __forceinline__ float eight_scale(float most)
{
    return most > 1e-30f ? most / E4M3_MOST : 1.0f;
}

/* The same where the type is known at run time only; i counts elements. */
static __device__ __forceinline__ void span_get8(float v[8], struct span s, int64_t i)
{
    if (s.type == DTYPE_BF16)
        get8(v, (const bf16 *)s.p + i);
    else
        get8(v, (const float *)s.p + i);
}

static __device__ __forceinline__ void span_put8(struct span s, int64_t i, const float v[8])
{
    if (s.type == DTYPE_BF16)
        put8((bf16 *)s.p + i, v);
    else
        put8((float *)s.p + i, v);
}

static __device__ __forceinline__ float span_get(struct span s, int64_t i)
{
    return s.type == DTYPE_BF16 ? get((const bf16 *)s.p + i) : get((const float *)s.p + i);
}

static __device__ __forceinline__ void span_put(struct span s, int64_t i, float v)
{
    if (s.type == DTYPE_BF16)
        put((bf16 *)s.p + i, v);
    else
        put((float *)s.p + i, v);
}

/* Sum over `lanes` neighbours (a power of two up to 32), the same in each. */
static __device__ __forceinline__ float lanes_sum(float v, int lanes)
{
    for (int o = lanes / 2; o; o >>= 1)
        v += __shfl_xor_sync(ALL_LANES, v, o);
    return v;
}

static __device__ __forceinline__ float lanes_max(float v)
{
    for (int o = 16; o; o >>= 1)
        v = fmaxf(v, __shfl_xor_sync(ALL_LANES, v, o));
    return v;
}

/* Sum over the block, the same in every thread; blockDim.x is a multiple of 32. */
static __device__ __forceinline__ float block_sum(float v)
{
    SHARED(float, part, [32]);
    v = lanes_sum(v, 32);
    if (threadIdx.x % 32 == 0)
        part[threadIdx.x / 32] = v;
    __syncthreads();
    v = 0;
    for (unsigned i = 0; i < blockDim.x / 32; i++)
        v += part[i];
    __syncthreads(); /* before the next call writes part */
    return v;
}

static __device__ __forceinline__ float block_max(float v)
{
    SHARED(float, top, [32]);
    v = lanes_max(v);
    if (threadIdx.x % 32 == 0)
        top[threadIdx.x / 32] = v;
    __syncthreads();
    v = top[0];
    for (unsigned i = 1; i < blockDim.x / 32; i++)
        v = fmaxf(v, top[i]);
    __syncthreads();
    return v;
}

static __device__ __forceinline__ float act_of(float x, int act)
{
    if (act == ACT_RELU)
        return x > 0 ? x : 0;
    if (act == ACT_SILU)
        return x / (1 + __expf(-x));
    if (act == ACT_GELU_TANH) /* x·sigmoid(2u) */
        return x / (1 + __expf(-1.5957691216f * (x + 0.044715f * x * x * x)));
    if (act == ACT_GELU_ERF)
        return 0.5f * x * (1 + erff(x * 0.7071067812f));
    return x;
}

static inline bool aligned16(const void *p)
{
    return (uintptr_t)p % 16 == 0;
}

static inline unsigned blocks_for(int64_t n, int each)
{
    return (unsigned)((n + each - 1) / each);
}

#endif
