/* tensor/cuda/launch: our own kernels, seen from C: one launcher a kernel, queued on a stream.
 *
 * A launcher checks nothing that device.c has checked; it picks the form that the shapes and
 * addresses allow (16-byte accesses where they do) and returns the launch's status. Pointers are
 * device memory; vectors of parameters are f32. A kernel that runs on the CPU for the tests is the
 * same source (tests/gpu/emu.h). */
#ifndef SAKUGA_TENSOR_CUDA_LAUNCH_H
#define SAKUGA_TENSOR_CUDA_LAUNCH_H

#include "tensor/device.h"

#include <cuda_runtime.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Has this build code for the GPU that is here? */
cudaError_t launch_there(void);

/* Elements of F32 or BF16 on the device; where a function says so, rows of F8_E4M3, whose scales
 * lie behind them as in a tensor (eight_scales). */
struct span {
    void *p;
    enum dtype type;
};

static inline __host__ __device__ float *eight_scales(void *p, int64_t rows, int64_t width)
{
    return (float *)((char *)p + (rows * width + 15) / 16 * 16);
}

/* Rows of F32 or BF16 to F8_E4M3, each by its largest, which `scales` gets, and back; width a
 * multiple of 8. */
cudaError_t launch_eight(void *to, float *scales, struct span from, int64_t rows, int64_t width,
                         cudaStream_t stream);
cudaError_t launch_widen(struct span to, const void *from, const float *scales, int64_t rows,
                         int64_t width, cudaStream_t stream);
/* The same with one scale, which each row gets. room: EIGHT_TOPS floats. */
#define EIGHT_TOPS 1024
cudaError_t launch_eight_whole(void *to, float *scales, float *room, struct span from, int64_t rows,
                               int64_t width, cudaStream_t stream);

/* bf16 queries [nq, width], keys and values [nk, width], rows ld apart, to e4m3 without gaps, one
 * scale each, the keys less their mean; and the scalars that attention in e4m3 then needs (those of
 * struct sdpa_shape), one of which, 1/scale_o, also goes to each of out_scales [nq] unless NULL.
 * room: EIGHT_QKV_ROOM(width) floats. width and ld multiples of 8, addresses of 16. */
#define EIGHT_QKV_CHUNKS 64
#define EIGHT_QKV_ROOM(width)                                                                      \
    ((9 * EIGHT_QKV_CHUNKS + 1) * (size_t)(width) + 3 * ((width) / 256 + 1))
struct launch_eight_qkv {
    const void *q, *k, *v;
    void *q8, *k8, *v8;
    int64_t nq, nk, ld;
    int width;
    float *room, *out_scales;
    struct {
        float *descale_q, *descale_k, *descale_v, *descale_s, *scale_s, *scale_o;
    } numbers;
};
cudaError_t launch_eight_qkv(const struct launch_eight_qkv *a, cudaStream_t stream);

/* y = norm(x) as of struct norm_op; y may be F8_E4M3 where the width is a multiple of 8 and at most
 * 8192. With `from`, x += gate ⊙ from first (x f32, gate may be NULL;
 * y.p NULL: nothing more). */
struct launch_norm {
    struct span x, y, from;
    const float *gate;
    const float *weight, *bias, *scale, *shift;
    int64_t rows;
    int width, kind, act;
    float eps;
};
cudaError_t launch_norm(const struct launch_norm *a, cudaStream_t stream);

/* q and k in place, rows ld apart: RMSNorm over the width times weight, then the turn by table.
 * False when the shapes do not fit its vectors: norm and rope then do it. */
struct launch_turn {
    struct span q, k;
    const float *norm_q, *norm_k, *table;
    int64_t rows, ld;
    int width, heads;
    float eps;
};
bool launch_turn_fits(const struct launch_turn *a);
cudaError_t launch_turn(const struct launch_turn *a, cudaStream_t stream);
/* The turn alone. */
cudaError_t launch_rope(struct span x, const float *table, int64_t rows, int heads, int width,
                        cudaStream_t stream);

/* Element by element; the types of y, x and z may differ.
 *   MAP_ACT y = act(x)   MAP_ADD y = x + z   MAP_MUL y = x·z   MAP_BLEND y = y·a + x·b
 *   MAP_GATE y += z[i mod width]·x, z f32 */
enum map { MAP_ACT, MAP_ADD, MAP_MUL, MAP_BLEND, MAP_GATE };
struct launch_map {
    enum map what;
    struct span y, x, z;
    int64_t n, width;
    enum act act;
    float a, b;
};
cudaError_t launch_map(const struct launch_map *a, cudaStream_t stream);

/* y[n, to] = x[n, from]: missing channels are zeros, those too many are left out. */
cudaError_t launch_channels(struct span y, int to, struct span x, int from, int64_t n,
                            cudaStream_t stream);

/* Frames of [t, h, w, c] elements of `size` bytes. */
cudaError_t launch_upsample(void *y, const void *x, int64_t frames, int h, int w, int64_t c,
                            int size, cudaStream_t stream);
cudaError_t launch_unfold_time(void *y, const void *x, int64_t frames, int64_t places, int64_t c,
                               int size, cudaStream_t stream);

/* Latents [c, frames, h, w], f32, and tokens [frames·h/2·w/2, row], as of device_patchify() and,
 * for the way back, device_unpatchify(). */
struct launch_patch {
    float *latent;
    struct span tokens;
    int64_t lines, row, at; /* lines: frames·h/2; row, at: of the tokens, in elements */
    int channels, width;    /* of the latent */
    bool back;
};
cudaError_t launch_patch(const struct launch_patch *a, cudaStream_t stream);

/* to = byte_of(x·scale + shift), rounded as on the host. */
cudaError_t launch_bytes(uint8_t *to, struct span x, int64_t n, float scale, float shift,
                         cudaStream_t stream);
/* The same to NV12 of `frames` pictures [h, w, 3], h even, w a multiple of 8; to and x aligned. */
cudaError_t launch_nv12(uint8_t *to, struct span x, int64_t frames, int64_t h, int64_t w,
                        float scale, float shift, cudaStream_t stream);

/* Attention by a plain tiled kernel: heads up to ATTENTION_WIDTH wide, all that attention_op can
 * ask. The check of the library's, and the text encoder's. q, k, v and out of one type; rows of q,
 * k and v ld apart. */
#define ATTENTION_WIDTH 128
struct launch_attention {
    const void *q, *k, *v;
    void *out;
    enum dtype type;
    const float *bias; /* [heads, 2·span − 1] or NULL */
    int64_t nq, nk, span, ld;
    int heads, width;
    float scale, log_repeats;
    bool add;
};
cudaError_t launch_attention(const struct launch_attention *a, cudaStream_t stream);

/* to[0] = a, to[4] = b: lengths that a later kernel reads, each at its 16 bytes. */
cudaError_t launch_counts(int32_t *to, int32_t a, int32_t b, cudaStream_t stream);

/* p[i, 0…n) = softmax(s[i, 0…n)) row by row, s f32 and p of its own type, rows ld apart; p beyond n
 * is zero up to ld. The last key counts exp(log_repeats) times; bias as above, of one head, for
 * queries from `first` on. */
struct launch_softmax {
    const float *s;
    struct span p;
    const float *bias;
    int64_t rows, n, ld, first, span;
    float log_repeats;
};
cudaError_t launch_softmax(const struct launch_softmax *a, cudaStream_t stream);

/* Convolution by a plain kernel: the check of the library's, and of f32 devices. Weights of x's
 * type, [out][kt][kh][kw][in]; bias f32 or NULL. */
struct launch_conv {
    struct span x, w, y;
    const float *bias;
    int xt, xh, xw, in; /* x [xt, xh, xw, in] */
    int yt, yh, yw, out;
    int kt, kh, kw, stride_t, stride, top, left;
    bool add;
};
cudaError_t launch_conv(const struct launch_conv *a, cudaStream_t stream);

/* to[out][tap][in] = from[out][in][tap], rounded to `to`'s type: torch's order to channels last. */
cudaError_t launch_taps_last(struct span to, const float *from, int64_t out, int64_t in,
                             int64_t taps, cudaStream_t stream);

/* Keys or values [n, width] → [n − 1 + repeats, width], the last row repeated. size: bytes of a
 * row, a multiple of 16. */
cudaError_t launch_repeat(void *to, const void *from, int64_t n, int64_t repeats, int64_t size,
                          cudaStream_t stream);

#ifdef __cplusplus
}
#endif
#endif
