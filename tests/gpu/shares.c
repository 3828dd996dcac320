/* shares [tiny]: how much of the memory's bandwidth each kernel of our own takes, at the shapes of
 * 1.3B and the VAE at 832x480, 81 frames.
 *
 * A kernel that does little with what it reads can be no faster than its bytes: those it must read
 * and write once, by its formula, a second. Beside it stands a copy on the device in the same run,
 * whose bytes count twice. `tiny`: small shapes, that each launch is right; on the emulated device
 * its times mean nothing and none are printed. */
#include "tensor/cuda/launch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROUNDS 3
#define EACH 10
#define WARM 50 /* rounds of copies first, some 0.3 s: an idle chip's clocks are low */

/* Three buffers that nothing else uses, and the shapes. */
struct bench {
    void *a, *b, *c;
    float *vectors; /* zeros, [6, dim] */
    float *table;   /* of the turn, [tokens, 64, 2] */
    int64_t tokens, dim;
    int frames, h, w; /* of the latent */
    int channels;     /* of the decoder's last stage, at 8h x 8w, 4 frames */
    cudaStream_t stream;
};

static struct span of(void *p, enum dtype type)
{
    return (struct span){p, type};
}

static const float *vector(const struct bench *b, int i)
{
    return b->vectors + i * b->dim;
}

static struct launch_norm modulated(const struct bench *b, enum dtype to)
{
    return (struct launch_norm){.x = of(b->a, DTYPE_F32),
                                .y = of(b->b, to),
                                .scale = vector(b, 0),
                                .shift = vector(b, 1),
                                .rows = b->tokens,
                                .width = (int)b->dim,
                                .kind = NORM_LAYER,
                                .eps = 1e-6f};
}

static struct launch_norm joined(const struct bench *b, enum dtype to)
{
    struct launch_norm n = modulated(b, to);
    n.from = of(b->c, DTYPE_BF16);
    n.gate = vector(b, 2);
    return n;
}

static cudaError_t layer_norm(const struct bench *b)
{
    struct launch_norm n = modulated(b, DTYPE_BF16);
    return launch_norm(&n, b->stream);
}

static cudaError_t join_bf16(const struct bench *b)
{
    struct launch_norm n = joined(b, DTYPE_BF16);
    return launch_norm(&n, b->stream);
}

static cudaError_t join_eight(const struct bench *b)
{
    struct launch_norm n = joined(b, DTYPE_F8_E4M3);
    return launch_norm(&n, b->stream);
}

static cudaError_t join_last(const struct bench *b)
{
    struct launch_norm n = joined(b, DTYPE_BF16);
    n.y.p = NULL;
    return launch_norm(&n, b->stream);
}

static cudaError_t query_norm(const struct bench *b)
{
    struct launch_norm n = {.x = of(b->a, DTYPE_BF16),
                            .y = of(b->a, DTYPE_BF16),
                            .weight = vector(b, 0),
                            .rows = b->tokens,
                            .width = (int)b->dim,
                            .kind = NORM_RMS,
                            .eps = 1e-6f};
    return launch_norm(&n, b->stream);
}

static cudaError_t turn(const struct bench *b)
{
    struct launch_turn t = {.q = of(b->a, DTYPE_BF16),
                            .k = of((char *)b->a + b->dim * 2, DTYPE_BF16),
                            .norm_q = vector(b, 0),
                            .norm_k = vector(b, 1),
                            .table = b->table,
                            .rows = b->tokens,
                            .ld = 3 * b->dim,
                            .width = (int)b->dim,
                            .heads = (int)(b->dim / 128),
                            .eps = 1e-6f};
    return launch_turn_fits(&t) ? launch_turn(&t, b->stream) : cudaErrorInvalidValue;
}

static cudaError_t eight(const struct bench *b)
{
    return launch_eight(b->b, eight_scales(b->b, b->tokens, b->dim), of(b->a, DTYPE_BF16),
                        b->tokens, b->dim, b->stream);
}

/* What eight_qkv() needs of the third buffer, in floats: sums, scales of rows, six numbers. */
static int64_t eight_room(const struct bench *b)
{
    return EIGHT_QKV_ROOM(b->dim) + b->tokens + 6;
}

static cudaError_t eight_qkv(const struct bench *b)
{
    const char *from = b->a;
    char *to = b->b;
    float *scales = (float *)b->c + EIGHT_QKV_ROOM(b->dim), *n = scales + b->tokens;
    struct launch_eight_qkv q = {.q = from,
                                 .k = from + b->dim * 2,
                                 .v = from + b->dim * 4,
                                 .q8 = to,
                                 .k8 = to + b->tokens * b->dim,
                                 .v8 = to + 2 * b->tokens * b->dim,
                                 .nq = b->tokens,
                                 .nk = b->tokens,
                                 .ld = 3 * b->dim,
                                 .width = (int)b->dim,
                                 .room = b->c,
                                 .out_scales = scales,
                                 .numbers = {n, n + 1, n + 2, n + 3, n + 4, n + 5}};
    return launch_eight_qkv(&q, b->stream);
}

static cudaError_t patch(const struct bench *b, bool back)
{
    struct launch_patch p = {.latent = b->a,
                             .tokens = of(b->b, back ? DTYPE_F32 : DTYPE_BF16),
                             .lines = (int64_t)b->frames * b->h / 2,
                             .row = 64,
                             .channels = 16,
                             .width = b->w,
                             .back = back};
    return launch_patch(&p, b->stream);
}

static cudaError_t patchify(const struct bench *b)
{
    return patch(b, false);
}

static cudaError_t unpatchify(const struct bench *b)
{
    return patch(b, true);
}

static int64_t pixels(const struct bench *b)
{
    return (int64_t)4 * b->h * 8 * b->w * 8;
}

static cudaError_t decoder_norm(const struct bench *b)
{
    struct launch_norm n = {.x = of(b->a, DTYPE_BF16),
                            .y = of(b->b, DTYPE_BF16),
                            .weight = vector(b, 0),
                            .rows = pixels(b),
                            .width = b->channels,
                            .kind = NORM_L2,
                            .act = ACT_SILU,
                            .eps = 1e-12f};
    return launch_norm(&n, b->stream);
}

static cudaError_t upsample(const struct bench *b)
{
    return launch_upsample(b->b, b->a, 4, b->h * 4, b->w * 4, 2 * b->channels, 2, b->stream);
}

static cudaError_t unfold(const struct bench *b)
{
    return launch_unfold_time(b->b, b->a, 2, (int64_t)b->h * 2 * b->w * 2, 4 * b->channels, 2,
                              b->stream);
}

static cudaError_t pictures(const struct bench *b)
{
    return launch_bytes(b->b, of(b->a, DTYPE_BF16), pixels(b) * 3, 127.5f, 127.5f, b->stream);
}

static cudaError_t video(const struct bench *b)
{
    return launch_nv12(b->b, of(b->a, DTYPE_BF16), 4, b->h * 8, b->w * 8, 127.5f, 127.5f,
                       b->stream);
}

static cudaError_t add(const struct bench *b)
{
    struct launch_map m = {.what = MAP_ADD,
                           .y = of(b->c, DTYPE_BF16),
                           .x = of(b->a, DTYPE_BF16),
                           .z = of(b->b, DTYPE_BF16),
                           .n = pixels(b) * b->channels};
    return launch_map(&m, b->stream);
}

static cudaError_t copy(const struct bench *b)
{
    return cudaMemcpyAsync(b->b, b->a, (size_t)(pixels(b) * b->channels * 2),
                           cudaMemcpyDeviceToDevice, b->stream);
}

/* Bytes read and written of each number that a row counts. */
enum counts { TOKENS, LATENT, STAGE, HALF_STAGE, QUARTER, RGB };
static const struct row {
    const char *name;
    cudaError_t (*run)(const struct bench *b);
    enum counts counts;
    double bytes;
} rows[] = {
    {"copy on the device", copy, STAGE, 4},
    {"LayerNorm + modulate, f32 to bf16", layer_norm, TOKENS, 6},
    {"residual + gate + LayerNorm + modulate, to bf16", join_bf16, TOKENS, 12},
    {"residual + gate + LayerNorm + modulate, to e4m3", join_eight, TOKENS, 11},
    {"residual + gate", join_last, TOKENS, 10},
    {"RMSNorm of cross-attention's queries", query_norm, TOKENS, 4},
    {"q and k: RMSNorm + RoPE in place", turn, TOKENS, 8 + 4.0 / 12},
    {"rows to e4m3", eight, TOKENS, 3},
    {"q, k and v to e4m3", eight_qkv, TOKENS, 9},
    {"patchify", patchify, LATENT, 6},
    {"unpatchify", unpatchify, LATENT, 8},
    {"VAE: RMSNorm + SiLU", decoder_norm, STAGE, 4},
    {"VAE: nearest-up", upsample, HALF_STAGE, 10},
    {"VAE: frames out of channels", unfold, QUARTER, 4},
    {"VAE: y = x + z", add, STAGE, 6},
    {"pictures to bytes", pictures, RGB, 3},
    {"pictures to NV12", video, RGB, 2.5},
};

static double numbers(const struct bench *b, enum counts counts)
{
    double stage = (double)pixels(b) * b->channels;
    const double n[] = {
        (double)(b->tokens * b->dim), 16.0 * b->frames * b->h * b->w, stage, stage / 2, stage / 4,
        (double)pixels(b) * 3};
    return n[counts];
}

/* Seconds of a run, the least of several rounds; 0 on failure, with `why`. */
static double time_of(const struct bench *b, const struct row *r, cudaEvent_t at[2],
                      cudaError_t *why)
{
    float least = 1e30f, ms = 0;
    cudaError_t e = r->run(b);
    for (int i = 0; i < ROUNDS && !e; i++) {
        e = cudaEventRecord(at[0], b->stream);
        for (int k = 0; k < EACH && !e; k++)
            e = r->run(b);
        if (!e)
            e = cudaEventRecord(at[1], b->stream);
        if (!e)
            e = cudaEventSynchronize(at[1]);
        if (!e)
            e = cudaEventElapsedTime(&ms, at[0], at[1]);
        least = ms < least ? ms : least;
    }
    *why = e;
    return e ? 0 : (double)least / 1e3 / EACH;
}

static cudaError_t prepare(struct bench *b)
{
    size_t stage = (size_t)(pixels(b) * b->channels) * 2, row = (size_t)(b->tokens * b->dim) * 4;
    size_t latent = (size_t)16 * b->frames * b->h * b->w * 4, most = 2 * stage;
    size_t table = (size_t)b->tokens * 128 * sizeof(float), ones = (size_t)b->dim * 6 * 4;
    void *all[5];
    most = most > row ? most : row;
    most = most > latent ? most : latent;
    size_t eight = (size_t)eight_room(b) * sizeof(float);
    most = most > eight ? most : eight;
    const size_t bytes[] = {most, most, most, ones, table};
    for (int i = 0; i < 5; i++) {
        cudaError_t e = cudaMalloc(&all[i], bytes[i]);
        if (!e)
            e = cudaMemsetAsync(all[i], 0, bytes[i], b->stream);
        if (e)
            return e;
    }
    b->a = all[0];
    b->b = all[1];
    b->c = all[2];
    b->vectors = all[3];
    b->table = all[4];
    return cudaStreamSynchronize(b->stream);
}

int main(int argc, char **argv)
{
    bool tiny = argc > 1 && !strcmp(argv[1], "tiny");
    struct bench b = {.dim = 1536, .frames = 21, .h = 60, .w = 104, .channels = 96};
    if (tiny)
        b = (struct bench){.dim = 256, .frames = 2, .h = 4, .w = 6, .channels = 8};
    b.tokens = (int64_t)b.frames * b.h * b.w / 4;
    struct cudaDeviceProp chip;
    cudaEvent_t at[2];
    cudaError_t e = cudaGetDeviceProperties(&chip, 0);
    if (!e)
        e = cudaStreamCreateWithPriority(&b.stream, cudaStreamNonBlocking, 0);
    for (int i = 0; i < 2 && !e; i++)
        e = cudaEventCreate(&at[i]);
    if (!e)
        e = prepare(&b);
    if (e) {
        printf("there is no GPU to measure: %s\n", cudaGetErrorString(e));
        return 77;
    }
    bool emulated = strstr(chip.name, "emulated") != NULL;
    double bandwidth = 0;
    int failed = 0, n = (int)(sizeof rows / sizeof *rows);
    printf("| kernel of our own, %s | GB/s | of the copy |\n|---|---|---|\n", chip.name);
    for (int i = 0; i < (emulated ? 1 : WARM); i++)
        time_of(&b, &rows[0], at, &e);
    for (int i = 0; i < n; i++) {
        double s = time_of(&b, &rows[i], at, &e), bytes = numbers(&b, rows[i].counts);
        double rate = s > 0 ? bytes * rows[i].bytes / s * 1e-9 : 0;
        bandwidth = i ? bandwidth : rate;
        if (e)
            printf("| %s | failed: %s | |\n", rows[i].name, cudaGetErrorString(e));
        else if (emulated)
            printf("| %s | - | - |\n", rows[i].name);
        else
            printf("| %s | %.0f | %.0f %% |\n", rows[i].name, rate, 100 * rate / bandwidth);
        failed += e != cudaSuccess;
    }
    printf("%d kernels, %d failed\n", n, failed);
    return failed > 0;
}
