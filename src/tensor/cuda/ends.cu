/* What enters and leaves the networks: latents as tokens and back, pictures as bytes. */
#include "tensor/byte.h"
#include "tensor/cuda/kernel.cuh"

enum { THREADS = 256 };

/* N·2 neighbours of a line; 16 bytes when N is 2. */
template <int N> static __device__ __forceinline__ void line_get(float *v, const float *p)
{
    if (N == 2) {
        float4 u = *(const float4 *)p;
        v[0] = u.x, v[1] = u.y, v[2] = u.z, v[3] = u.w;
    } else {
        v[0] = p[0], v[1] = p[1];
    }
}

template <int N> static __device__ __forceinline__ void line_put(float *p, const float *v)
{
    if (N == 2)
        *(float4 *)p = make_float4(v[0], v[1], v[2], v[3]);
    else
        p[0] = v[0], p[1] = v[1];
}

/* A patch of one channel in a token's row: four neighbours, 16 bytes of f32 or 8 of bf16. */
template <int N>
static __device__ __forceinline__ void patch_put(struct span s, int64_t i, const float v[4])
{
    if (N == 2 && s.type == DTYPE_BF16) {
        unsigned w[2];
        for (int k = 0; k < 2; k++)
            w[k] = (unsigned)__bfloat16_as_ushort(__float2bfloat16(v[2 * k])) |
                   (unsigned)__bfloat16_as_ushort(__float2bfloat16(v[2 * k + 1])) << 16;
        *(uint2 *)((bf16 *)s.p + i) = make_uint2(w[0], w[1]);
    } else if (N == 2) {
        *(float4 *)((float *)s.p + i) = make_float4(v[0], v[1], v[2], v[3]);
    } else {
        for (int k = 0; k < 4; k++)
            span_put(s, i + k, v[k]);
    }
}

/* A thread moves one channel of N neighbouring tokens; the threads of a warp take the channels of
 * the same tokens, whose numbers lie side by side there. */
template <int N>
static __global__ void __launch_bounds__(THREADS) patchify_kernel(struct launch_patch a, int64_t n)
{
    int64_t i = (int64_t)blockIdx.x * THREADS + threadIdx.x;
    if (i >= n)
        return;
    int64_t channel = i % a.channels, token = i / a.channels * N, line = token / (a.width / 2);
    const float *from =
        a.latent + (channel * a.lines + line) * 2 * a.width + token % (a.width / 2) * 2;
    float up[2 * N], low[2 * N];
    line_get<N>(up, from);
    line_get<N>(low, from + a.width);
#pragma unroll
    for (int k = 0; k < N; k++) {
        const float v[4] = {up[2 * k], up[2 * k + 1], low[2 * k], low[2 * k + 1]};
        patch_put<N>(a.tokens, (token + k) * a.row + a.at + 4 * channel, v);
    }
}

template <int N>
static __global__ void __launch_bounds__(THREADS)
    unpatchify_kernel(struct launch_patch a, int64_t n)
{
    int64_t i = (int64_t)blockIdx.x * THREADS + threadIdx.x;
    if (i >= n)
        return;
    int64_t channel = i % a.channels, token = i / a.channels * N, line = token / (a.width / 2);
    float *to = a.latent + (channel * a.lines + line) * 2 * a.width + token % (a.width / 2) * 2;
    float up[2 * N], low[2 * N];
#pragma unroll
    for (int k = 0; k < 2 * N; k++) {
        int64_t at = (token + k / 2) * a.row + (k % 2) * a.channels + channel;
        up[k] = span_get(a.tokens, at);
        low[k] = span_get(a.tokens, at + 2 * a.channels);
    }
    line_put<N>(to, up);
    line_put<N>(to + a.width, low);
}

extern "C" cudaError_t launch_patch(const struct launch_patch *a, cudaStream_t stream)
{
    bool wide = a->width % 4 == 0 && aligned16(a->latent) && aligned16(a->tokens.p);
    int64_t n = a->lines * (a->width / 2) * a->channels / (wide ? 2 : 1);
    unsigned blocks = blocks_for(n, THREADS);
    if (wide && a->back)
        LAUNCH(unpatchify_kernel<2>, blocks, THREADS, 0, stream, *a, n);
    else if (wide)
        LAUNCH(patchify_kernel<2>, blocks, THREADS, 0, stream, *a, n);
    else if (a->back)
        LAUNCH(unpatchify_kernel<1>, blocks, THREADS, 0, stream, *a, n);
    else
        LAUNCH(patchify_kernel<1>, blocks, THREADS, 0, stream, *a, n);
    return cudaGetLastError();
}

/* As byte_of() of tensor/byte.h; no sum is contracted with its product, which would round once
 * where the host rounds twice. */
static __device__ __forceinline__ unsigned byte_seen(float v, float scale, float shift)
{
    float x = __fadd_rn(__fmul_rn(v, scale), shift);
    x = __fmul_rn(__fadd_rn(x, 1), 127.5f);
    x = x > 0 ? x : 0;
    x = x < 255 ? x : 255;
    return (unsigned)__fadd_rn(x, 0.5f);
}

static __global__ void __launch_bounds__(THREADS)
    bytes_kernel(uint4 *to, struct span x, int64_t n, float scale, float shift)
{
    int64_t i = (int64_t)blockIdx.x * THREADS + threadIdx.x;
    if (i >= n / 16)
        return;
    unsigned w[4] = {0};
#pragma unroll
    for (int half = 0; half < 2; half++) {
        float v[8];
        span_get8(v, x, 16 * i + 8 * half);
#pragma unroll
        for (int k = 0; k < 8; k++)
            w[2 * half + k / 4] |= byte_seen(v[k], scale, shift) << 8 * (k % 4);
    }
    to[i] = make_uint4(w[0], w[1], w[2], w[3]);
}

static __global__ void __launch_bounds__(THREADS)
    bytes_any_kernel(uint8_t *to, struct span x, int64_t n, float scale, float shift)
{
    int64_t at = ((int64_t)blockIdx.x * THREADS + threadIdx.x) * 16;
    for (int64_t i = at; i < at + 16 && i < n; i++)
        to[i] = (uint8_t)byte_seen(span_get(x, i), scale, shift);
}

extern "C" cudaError_t launch_bytes(uint8_t *to, struct span x, int64_t n, float scale, float shift,
                                    cudaStream_t stream)
{
    unsigned blocks = blocks_for(n, THREADS * 16);
    if (n % 16 == 0 && aligned16(to) && aligned16(x.p))
        LAUNCH(bytes_kernel, blocks, THREADS, 0, stream, (uint4 *)to, x, n, scale, shift);
    else
        LAUNCH(bytes_any_kernel, blocks, THREADS, 0, stream, to, x, n, scale, shift);
    return cudaGetLastError();
}

/* shade_of() and the rest of tensor/byte.h, step by step as there. */
static __device__ __forceinline__ float shade_seen(float v, float scale, float shift)
{
    float x = __fadd_rn(__fmul_rn(v, scale), shift);
    x = __fmul_rn(__fadd_rn(x, 1), 127.5f);
    x = x > 0 ? x : 0;
    return x < 255 ? x : 255;
}

static __device__ __forceinline__ unsigned chroma_seen(float sum, float by)
{
    return (unsigned)__fadd_rn(__fmul_rn(sum, by), 128.5f);
}

/* A thread makes eight columns of two lines: 24 numbers of each, 8 bytes of luma and 8 of chroma.
 */
static __global__ void __launch_bounds__(THREADS)
    nv12_kernel(uint8_t *to, struct span x, int64_t n, int64_t h, int64_t w, float scale,
                float shift)
{
    int64_t i = (int64_t)blockIdx.x * THREADS + threadIdx.x;
    if (i >= n)
        return;
    int64_t column = i % (w / 8) * 8, pair = i / (w / 8), line = pair % (h / 2);
    uint8_t *frame = to + pair / (h / 2) * (h * w * 3 / 2);
    float blue[4] = {0}, red[4] = {0};
#pragma unroll
    for (int row = 0; row < 2; row++) {
        unsigned bytes[2] = {0};
        float v[24];
#pragma unroll
        for (int k = 0; k < 3; k++)
            span_get8(v + 8 * k, x, ((2 * pair + row) * w + column) * 3 + 8 * k);
#pragma unroll
        for (int k = 0; k < 8; k++) {
            float r = shade_seen(v[3 * k], scale, shift),
                  g = shade_seen(v[3 * k + 1], scale, shift),
                  b = shade_seen(v[3 * k + 2], scale, shift);
            float y = __fadd_rn(__fadd_rn(__fmul_rn(r, 0.2126f), __fmul_rn(g, 0.7152f)),
                                __fmul_rn(b, 0.0722f));
            bytes[k / 4] |= (unsigned)__fadd_rn(__fmul_rn(y, 219.0f / 255), 16.5f) << 8 * (k % 4);
            blue[k / 2] = __fadd_rn(blue[k / 2], __fadd_rn(b, -y));
            red[k / 2] = __fadd_rn(red[k / 2], __fadd_rn(r, -y));
        }
        *(uint2 *)(frame + (2 * line + row) * w + column) = make_uint2(bytes[0], bytes[1]);
    }
    unsigned pairs[2] = {0};
#pragma unroll
    for (int k = 0; k < 4; k++)
        pairs[k / 2] |= (chroma_seen(blue[k], CB_OF_SUM) | chroma_seen(red[k], CR_OF_SUM) << 8)
                        << 16 * (k % 2);
    *(uint2 *)(frame + (h + line) * w + column) = make_uint2(pairs[0], pairs[1]);
}

extern "C" cudaError_t launch_nv12(uint8_t *to, struct span x, int64_t frames, int64_t h, int64_t w,
                                   float scale, float shift, cudaStream_t stream)
{
    int64_t n = frames * (h / 2) * (w / 8);
    LAUNCH(nv12_kernel, blocks_for(n, THREADS), THREADS, 0, stream, to, x, n, h, w, scale, shift);
    return cudaGetLastError();
}
