/* The plain rows of the table of a GPU. */
#include "tensor/cuda/cuda.h"

#include "tensor/cuda/choices.h"
#include "tensor/cuda/gemm.h"
#include "tensor/cuda/plans.h"
#include "tensor/tape.h"

#include <stdlib.h>

enum err cuda_blame(struct cuda *c, bool memory)
{
    cudaGetLastError(); /* what is not sticky is forgotten by this, and no launch's any more */
    if (memory)
        return ERR_NOMEM;
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

const struct device_ops cuda_ops = {
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
