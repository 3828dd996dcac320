/* Opening a GPU, and the plain rows of its table. */
#include "tensor/cuda/cuda.h"

#include "base/buf.h"
#include "tensor/cuda/choices.h"
#include "tensor/cuda/entry.h"
#include "tensor/cuda/gemm.h"
#include "tensor/cuda/plans.h"
#include "tensor/tape.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SM_LEAST 80
#define SM_ATTENDS_EIGHT 90 /* and 9.x alone: cuDNN's graph for later ones has another form */
/* Kernels are loaded with their first use, most of them behind the measuring of what there is. Of
 * all that PyTorch 1.13 and its libraries have, which is more than is ever used here, that is
 * 362 MiB (its pull request 86509: 667 MB at once, 287 MB as used). */
#define CODE ((uint64_t)384 << 20)
#define LIBRARIES ((uint64_t)GEMM_WORKSPACE + PLAN_WORKSPACE + CODE)
#define THREADS_MOST 8 /* of the host; more do not fill the bus faster */

enum err cuda_blame(struct cuda *c, bool memory)
{
    if (memory)
        return ERR_NOMEM;
    cudaGetLastError();        /* what is not sticky is forgotten by this */
    if (tape_records(&c->dev)) /* the stream may not be asked now; what sticks is told again */
        return ERR_IO;
    cudaError_t e = cudaStreamQuery(c->stream);
    cudaGetLastError();
    return e && e != cudaErrorNotReady ? ERR_LOST : ERR_IO;
}

bool cuda_ok(struct cuda *c, cudaError_t e, const char *call, int64_t a, int64_t b, int64_t n)
{
    if (e == cudaSuccess)
        return true;
    device_fail(&c->dev, cuda_blame(c, e == cudaErrorMemoryAllocation),
                "%s (%lld x %lld x %lld) failed on the GPU: %s, %s", call, (long long)a,
                (long long)b, (long long)n, cudaGetErrorName(e), cudaGetErrorString(e));
    return false;
}

struct tensor cuda_as(struct cuda *c, const struct tensor *t, enum dtype type, void **own)
{
    struct tensor same = *t;
    *own = NULL;
    if (t->type == type)
        return same;
    same.type = type;
    same.data = *own = device_alloc(&c->dev, tensor_bytes(&same));
    if (same.data)
        c->dev.ops->convert(&c->dev, &same, t);
    return same;
}

void cuda_round(struct cuda *c, void *to, float *scales, struct span from, int64_t rows,
                int64_t width, cudaStream_t stream)
{
    size_t room = EIGHT_TOPS * sizeof(float);
    if (c->eight != EIGHT_TENSORS) {
        cuda_ok(c, launch_eight(to, scales, from, rows, width, stream), "rounding to e4m3", rows,
                width, 1);
        return;
    }
    bool ours = stream == c->stream; /* then a track may be recorded */
    float *tops = ours ? device_alloc(&c->dev, room) : memory_take(c, room, stream);
    if (!tops) {
        device_fail(&c->dev, ERR_NOMEM, "%s has no memory for %zu bytes (%llu are in use)",
                    c->dev.caps.name, room, (unsigned long long)c->dev.used);
        return;
    }
    cuda_ok(c, launch_eight_whole(to, scales, tops, from, rows, width, stream), "rounding to e4m3",
            rows, width, 1);
    if (ours)
        device_release(&c->dev, tops);
    else
        memory_give(c, tops, stream);
}

struct tensor cuda_unrounded(struct cuda *c, const struct tensor *y)
{
    struct tensor same = *y;
    same.dev = NULL;
    if (c->eight == EIGHT_TENSORS && y->type == DTYPE_F8_E4M3)
        return tensor_of(&c->dev, DTYPE_BF16, y->rank, y->dim);
    return same;
}

void cuda_rounded(struct cuda *c, const struct tensor *y, struct tensor *wide)
{
    if (!wide->dev)
        return;
    if (!device_failed(&c->dev))
        c->dev.ops->convert(&c->dev, y, wide);
    tensor_free(wide);
}

static void close_cuda(struct device *d)
{
    struct cuda *c = cuda_of(d);
    if (c->stream)
        cudaStreamSynchronize(c->stream);
    for (int i = 0; i < PACES; i++)
        if (c->paces[i])
            cudaEventDestroy(c->paces[i]);
    if (c->counts)
        cudaFree(c->counts);
    plans_close(c);
    gemm_close(c);
    choices_free(c->choices);
    if (c->dnn)
        cudnnDestroy(c->dnn);
    memory_close(c);
    if (c->stream)
        cudaStreamDestroy(c->stream);
    free(c);
}

static void wait_cuda(struct device *d)
{
    struct cuda *c = cuda_of(d);
    cuda_ok(c, cudaStreamSynchronize(c->stream), "the work before this", 1, 1, 1);
}

/* Event i stands behind the work of the i-th last call. */
static void pace(struct device *d, int behind)
{
    struct cuda *c = cuda_of(d);
    int now = c->pace_next, then = (now + PACES - behind % PACES) % PACES;
    c->pace_next = (now + 1) % PACES;
    if (cuda_ok(c, cudaEventRecord(c->paces[now], c->stream), "cudaEventRecord", now, 1, 1))
        cuda_ok(c, cudaEventSynchronize(c->paces[then]), "the work before this", then, 1, 1);
}

static void zero(struct device *d, void *p, size_t bytes)
{
    struct cuda *c = cuda_of(d);
    cuda_ok(c, cudaMemsetAsync(p, 0, bytes, c->stream), "cudaMemsetAsync", (int64_t)bytes, 1, 1);
}

static const float *vector(const struct tensor *t)
{
    return t ? t->data : NULL;
}

static void norm(struct device *d, const struct norm_op *op)
{
    struct cuda *c = cuda_of(d);
    int width = (int)tensor_last(op->x);
    struct tensor y = cuda_unrounded(c, op->y);
    struct launch_norm a = {.x = span_of(op->x),
                            .y = span_of(&y),
                            .weight = vector(op->weight),
                            .bias = vector(op->bias),
                            .scale = vector(op->scale),
                            .shift = vector(op->shift),
                            .rows = tensor_count(op->x) / width,
                            .width = width,
                            .kind = (int)op->kind,
                            .act = (int)op->act,
                            .eps = op->eps};
    if (y.data)
        cuda_ok(c, launch_norm(&a, c->stream), "norm", a.rows, width, 1);
    cuda_rounded(c, op->y, &y);
}

static void rope(struct device *d, const struct tensor *x, int heads, const struct tensor *table)
{
    struct cuda *c = cuda_of(d);
    int64_t width = tensor_last(x), rows = tensor_count(x) / width;
    cuda_ok(c, launch_rope(span_of(x), table->data, rows, heads, (int)width, c->stream), "rope",
            rows, width, heads);
}

static bool turn(struct device *d, const struct turn_op *op)
{
    struct cuda *c = cuda_of(d);
    int width = (int)tensor_last(op->q);
    struct launch_turn a = {.q = span_of(op->q),
                            .k = span_of(op->k),
                            .norm_q = op->norm_q->data,
                            .norm_k = op->norm_k->data,
                            .table = op->table->data,
                            .rows = tensor_count(op->q) / width,
                            .ld = op->stride ? op->stride : width,
                            .width = width,
                            .heads = op->heads,
                            .eps = op->eps};
    if (!launch_turn_fits(&a))
        return false;
    cuda_ok(c, launch_turn(&a, c->stream), "turn", a.rows, width, op->heads);
    return true;
}

static void map(struct device *d, enum map what, const struct tensor *y, const struct tensor *x,
                const struct tensor *z, struct launch_map rest)
{
    struct cuda *c = cuda_of(d);
    rest.what = what;
    rest.y = span_of(y);
    rest.x = span_of(x);
    if (z)
        rest.z = span_of(z);
    rest.n = tensor_count(y);
    cuda_ok(c, launch_map(&rest, c->stream), "an operation on elements", rest.n, (int)what, 1);
}

static void act(struct device *d, const struct tensor *y, const struct tensor *x, enum act which)
{
    map(d, MAP_ACT, y, x, NULL, (struct launch_map){.act = which});
}

static void add(struct device *d, const struct tensor *y, const struct tensor *x,
                const struct tensor *z)
{
    map(d, MAP_ADD, y, x, z, (struct launch_map){0});
}

static void mul(struct device *d, const struct tensor *y, const struct tensor *x,
                const struct tensor *z)
{
    map(d, MAP_MUL, y, x, z, (struct launch_map){0});
}

static void blend(struct device *d, const struct tensor *y, float a, const struct tensor *x,
                  float b)
{
    map(d, MAP_BLEND, y, x, NULL, (struct launch_map){.a = a, .b = b});
}

static void convert(struct device *d, const struct tensor *to, const struct tensor *from)
{
    struct cuda *c = cuda_of(d);
    int64_t width = tensor_last(from), rows = tensor_count(from) / width;
    if (to->type == DTYPE_F8_E4M3)
        cuda_round(c, to->data, eight_scales(to->data, rows, width), span_of(from), rows, width,
                   c->stream);
    else if (from->type == DTYPE_F8_E4M3)
        cuda_ok(c,
                launch_widen(span_of(to), from->data, eight_scales(from->data, rows, width), rows,
                             width, c->stream),
                "widening e4m3", rows, width, 1);
    else
        map(d, MAP_ACT, to, from, NULL, (struct launch_map){.act = ACT_NONE});
}

static void upsample(struct device *d, const struct tensor *y, const struct tensor *x)
{
    struct cuda *c = cuda_of(d);
    void *own;
    struct tensor in = cuda_as(c, x, y->type, &own);
    if (in.data)
        cuda_ok(c,
                launch_upsample(y->data, in.data, x->dim[0], (int)x->dim[1], (int)x->dim[2],
                                x->dim[3], (int)dtype_size(y->type), c->stream),
                "upsample", x->dim[1], x->dim[2], x->dim[3]);
    if (own)
        device_release(d, own);
}

static void unfold_time(struct device *d, const struct tensor *y, const struct tensor *x)
{
    struct cuda *c = cuda_of(d);
    void *own;
    struct tensor in = cuda_as(c, x, y->type, &own);
    if (in.data)
        cuda_ok(c,
                launch_unfold_time(y->data, in.data, x->dim[0], x->dim[1] * x->dim[2], y->dim[3],
                                   (int)dtype_size(y->type), c->stream),
                "unfold_time", x->dim[1], x->dim[2], x->dim[3]);
    if (own)
        device_release(d, own);
}

static void patch(struct device *d, const struct tensor *tokens, const struct tensor *latent,
                  int64_t at, bool back)
{
    struct cuda *c = cuda_of(d);
    struct launch_patch a = {.latent = latent->data,
                             .tokens = span_of(tokens),
                             .lines = latent->dim[1] * latent->dim[2] / 2,
                             .row = tensor_last(tokens),
                             .at = at,
                             .channels = (int)latent->dim[0],
                             .width = (int)latent->dim[3],
                             .back = back};
    cuda_ok(c, launch_patch(&a, c->stream), back ? "unpatchify" : "patchify", a.lines, a.width,
            a.channels);
}

static void patchify(struct device *d, const struct tensor *y, const struct tensor *x, int64_t at)
{
    patch(d, y, x, at, false);
}

static void unpatchify(struct device *d, const struct tensor *y, const struct tensor *x)
{
    patch(d, x, y, 0, true);
}

static void begin_choices(struct device *d)
{
    choices_begin(cuda_of(d)->choices);
}

static bool list_choices(struct device *d, struct buf *out)
{
    return choices_list(cuda_of(d)->choices, out);
}

static enum err rely_on_choices(struct device *d, const char *lines, size_t n, struct fault *f)
{
    return choices_rely(cuda_of(d)->choices, lines, n, f);
}

static const struct device_ops cuda_ops = {
    .close = close_cuda,
    .alloc = memory_alloc,
    .release = memory_release,
    .trim = memory_trim,
    .reserve = memory_reserve,
    .wait = wait_cuda,
    .pace = pace,
    .record = record_begin,
    .recorded = record_end,
    .play = record_play,
    .forget = record_forget,
    .write = memory_write,
    .read = memory_read,
    .copy = memory_copy,
    .zero = zero,
    .pack = weight_pack,
    .unpack = weight_unpack,
    .shelf_new = shelf_open,
    .shelf_free = shelf_close,
    .shelf_turn = shelf_bring,
    .linear = linear_run,
    .conv = conv_run,
    .norm = norm,
    .rope = rope,
    .attention = attention_run,
    .act = act,
    .add = add,
    .mul = mul,
    .blend = blend,
    .upsample = upsample,
    .unfold_time = unfold_time,
    .patchify = patchify,
    .unpatchify = unpatchify,
    .parcel_new = parcel_open,
    .parcel_free = parcel_close,
    .parcel_send = parcel_fill,
    .parcel_wait = parcel_wait,
    .choices_begin = begin_choices,
    .choices = list_choices,
    .choices_rely = rely_on_choices,
    .convert = convert,
    .join = linear_join,
    .turn = turn,
};

static enum err find_gpu(int *sm, char *name, size_t n, struct fault *f)
{
    int count = 0;
    cudaError_t e = cudaGetDeviceCount(&count);
    struct cudaDeviceProp prop;
    if (e == cudaErrorInsufficientDriver)
        return fault_set(f, ERR_UNSUPPORTED,
                         "the NVIDIA driver is older than CUDA %d.%d needs; update it, or use the "
                         "device cpu",
                         CUDART_VERSION / 1000, CUDART_VERSION % 1000 / 10);
    if (e || count < 1)
        return fault_set(f, ERR_NOTFOUND, "there is no NVIDIA GPU (%s); use the device cpu",
                         e ? cudaGetErrorString(e) : "none is visible");
    if ((e = cudaGetDeviceProperties(&prop, 0)) || (e = cudaSetDevice(0)))
        return fault_set(f, ERR_IO, "the GPU cannot be used: %s", cudaGetErrorString(e));
    *sm = prop.major * 10 + prop.minor;
    str_copy(name, n, prop.name);
    if (*sm < SM_LEAST)
        return fault_set(f, ERR_UNSUPPORTED,
                         "%s has compute capability %d.%d; the least is %d.%d; use the device cpu",
                         name, prop.major, prop.minor, SM_LEAST / 10, SM_LEAST % 10);
    if ((e = launch_there()))
        return fault_set(
            f, ERR_UNSUPPORTED,
            "this build has no code for %s, of compute capability %d.%d (%s); configure "
            "it with --with-cuda-arch=%d, or use the device cpu",
            name, prop.major, prop.minor, cudaGetErrorName(e), *sm);
    if (cudnnGetVersion() < CUDNN_LEAST)
        return fault_set(f, ERR_UNSUPPORTED,
                         "cuDNN %zu computes some convolutions wrongly; install 9.15 or later",
                         cudnnGetVersion());
    return ERR_OK;
}

/* What is left by others, OBS among them, and by the libraries, which take their part when they
 * start; but for the workspace, which is set aside already. */
static enum err measure(struct cuda *c, struct fault *f)
{
    size_t spare = 0, all = 0;
    cudaError_t e = cudaMemGetInfo(&spare, &all);
    if (e)
        return fault_set(f, ERR_IO, "the GPU cannot be used: %s", cudaGetErrorString(e));
    c->dev.caps.memory = (uint64_t)spare + GEMM_WORKSPACE;
    return ERR_OK;
}

static enum err open_all(struct cuda *c, struct fault *f)
{
    int least = 0, most = 0;
    cudaError_t e = cudaDeviceGetStreamPriorityRange(&least, &most);
    if (!e)
        e = cudaStreamCreateWithPriority(&c->stream, cudaStreamNonBlocking, least);
    if (e)
        return fault_set(f, ERR_IO, "the GPU gives no stream: %s", cudaGetErrorString(e));
    for (int i = 0; i < PACES && !e; i++)
        e = cudaEventCreateWithFlags(&c->paces[i], cudaEventDisableTiming | cudaEventBlockingSync);
    if (e)
        return fault_set(f, ERR_IO, "the GPU gives no event: %s", cudaGetErrorString(e));
    if (!memory_open(c, f))
        return f->code;
    cudnnStatus_t s = cudnnCreate(&c->dnn);
    if (!s)
        s = cudnnSetStream(c->dnn, c->stream);
    if (s)
        return fault_set(f, ERR_UNSUPPORTED, "cuDNN does not start: %s", cudnnGetErrorString(s));
    enum err bad = gemm_open(c, f);
    return bad ? bad : plans_open(c, f);
}

/* The device's words, and what was measured on such a device before. */
static enum err describe(struct cuda *c, const char *name, struct fault *f)
{
    int driver = 0, version = (int)cudnnGetVersion();
    char where[200];
    struct device_caps *caps = &c->dev.caps;
    cudaDriverGetVersion(&driver);
    snprintf(where, sizeof where, "%s, driver %d, CUDA %d, cuBLASLt %zu, cuDNN %d", name, driver,
             CUDART_VERSION, cublasLtGetVersion(), version);
    if (!(c->choices = choices_open(where)))
        return fault_set(f, ERR_NOMEM, "out of memory");
    snprintf(caps->words, sizeof caps->words,
             "cuda, %s, %s (sm_%d), CUDA %d.%d, cuBLASLt %zu, cuDNN %d.%d.%d",
             c->eight == EIGHT_STORED ? "fp8 (weights; computed in bf16)"
             : c->eight == EIGHT_TENSORS
                 ? "fp8 (linear layers, a scale a tensor; attention in bf16)"
             : c->attends_eight ? "fp8 (linear layers, self-attention)"
             : c->eight         ? "fp8 (linear layers; attention in bf16)"
             : c->bf16          ? "bf16"
                                : "f32",
             name, c->sm, CUDART_VERSION / 1000, CUDART_VERSION % 1000 / 10, cublasLtGetVersion(),
             version / 10000, version / 100 % 100, version % 100);
    return ERR_OK;
}

/* Which of its forms the libraries have on this GPU: cuBLASLt is asked. */
static void eight(struct cuda *c, enum device_dtype dtype)
{
    struct device_caps *caps = &c->dev.caps;
    c->eight = EIGHT_STORED;
    if (dtype != DEVICE_FP8_WEIGHT)
        c->eight = gemm_eight(c, false)  ? EIGHT_ROWS
                   : gemm_eight(c, true) ? EIGHT_TENSORS
                                         : EIGHT_STORED;
    c->attends_eight =
        dtype == DEVICE_FP8 && c->eight == EIGHT_ROWS && c->sm / 10 == SM_ATTENDS_EIGHT / 10;
    caps->dtype = DTYPE_F8_E4M3;
    if (c->eight != EIGHT_STORED)
        caps->low = DTYPE_F8_E4M3;
    caps->one_scale = c->eight == EIGHT_TENSORS;
    caps->packed = !caps->one_scale; /* else each weight has a scale of its own */
    caps->attends_low = c->attends_eight ? QUERIES_WORTH_EIGHT : 0;
    if (dtype != DEVICE_FP8)
        str_copy(caps->computed, sizeof caps->computed,
                 dtype == DEVICE_FP8_LINEAR ? "fp8-linear" : "fp8-weight");
}

__attribute__((visibility("default"))) enum err sakuga_cuda_open(unsigned long abi, int threads,
                                                                 enum device_dtype dtype,
                                                                 struct device **out,
                                                                 struct fault *f)
{
    struct fault why;
    char name[80];
    f = f ? f : &why;
    if (abi != CUDA_ABI)
        return fault_set(f, ERR_VERSION, "the CUDA module is of another build of sakuga");
    struct cuda *c = calloc(1, sizeof *c);
    if (!c)
        return fault_set(f, ERR_NOMEM, "out of memory");
    struct device_caps *caps = &c->dev.caps;
    enum err e = find_gpu(&c->sm, name, sizeof name, f);
    if (e) {
        free(c);
        return e;
    }
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    c->threads = threads > 0 ? threads : cores > 0 ? (int)cores : 1;
    c->threads = c->threads < THREADS_MOST ? c->threads : THREADS_MOST;
    c->bf16 = dtype != DEVICE_F32;
    c->dev.ops = &cuda_ops;
    caps->dtype = caps->low = caps->work = c->bf16 ? DTYPE_BF16 : DTYPE_F32;
    caps->threads = c->threads;
    caps->packed = true;
    caps->graphs = true;
    caps->aside = LIBRARIES;
    caps->attends = QUERIES_WORTH;
    str_copy(caps->name, sizeof caps->name, "cuda");
    e = open_all(c, f);
    if (!e && dtype >= DEVICE_FP8)
        eight(c, dtype);
    if (!e)
        e = measure(c, f);
    if (!e)
        e = describe(c, name, f);
    if (e) {
        close_cuda(&c->dev);
        return e;
    }
    *out = &c->dev;
    return ERR_OK;
}
