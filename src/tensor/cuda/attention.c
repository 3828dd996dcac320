/* Attention: which of four ways.
 *
 *   e4m3      what the caller says may be low, on an fp8 device (attention_eight.c)
 *   cuDNN's   large, bf16, no bias, heads up to 256 wide in eights. A key that counts several times
 *             is there so many times: 512 text keys cost 1 % of a forward pass.
 *   plain     heads up to 128 wide: our own kernel (attention.cu), all that attention_op can ask
 *   products  wider heads (the VAE's one of 384): logits by a product, softmax, and a product, a
 *             block of queries at a time */
#include "tensor/cuda/attention.h"

#include "tensor/cuda/gemm.h"
#include "tensor/cuda/plans.h"

#include <math.h>
#include <string.h>

#define KEYS_REPEATED 4096
#define LOGITS ((int64_t)64 << 20) /* numbers of a block's logits: 256 MB */

static void build(struct graph *g, const void *shape)
{
    sdpa_graph(g, shape);
}

/* Of a room of keys, how many there are: the device reads it when its turn comes. */
static bool count(struct cuda *c, int64_t nq, int64_t nk)
{
    if (c->counted[0] == nq && c->counted[1] == nk)
        return true;
    bool ok = cuda_ok(c, launch_counts(c->counts, (int32_t)nq, (int32_t)nk, c->stream), "counts",
                      nq, nk, 1);
    c->counted[0] = ok ? (int32_t)nq : 0;
    c->counted[1] = ok ? (int32_t)nk : 0;
    return ok;
}

static bool planned(struct cuda *c, const struct attention_op *op, const struct attention_parts *p,
                    void *keys, void *values, int64_t nk, void *out)
{
    struct sdpa_shape s;
    bool room = op->room && op->room <= INT32_MAX;
    if (room && !count(c, p->nq, nk))
        return false;
    memset(&s, 0, sizeof s);
    s.heads = op->heads;
    s.nq = p->nq;
    s.nk = room ? op->room : nk;
    s.counted = room;
    s.width = p->width;
    s.ldq = s.ldk = s.ldv = p->ld;
    s.ldo = p->row;
    float scale = op->scale;
    struct plan_run r = {
        .key = &s,
        .key_n = sizeof s,
        .graph = build,
        .what = "attention",
        .size = {op->heads, p->nq, nk},
        .id = {ID_Q, ID_K, ID_V, ID_O, ID_SCALE, ID_COUNT_Q, ID_COUNT_K},
        .data = {p->q.data, keys, values, out, &scale, c->counts, room ? c->counts + 4 : NULL},
        .n = room ? 7 : 5};
    return plans_run(c, &r);
}

/* False: there is no plan, nothing was done. */
static bool by_library(struct cuda *c, const struct attention_op *op,
                       const struct attention_parts *p)
{
    struct device *d = &c->dev;
    int64_t more = (int64_t)op->repeats - 1, nk = p->nk + more;
    size_t row = (size_t)p->row * 2;
    if (p->q.type != DTYPE_BF16 || op->bias || p->width % 8 || p->width > 256 ||
        p->nq < QUERIES_WORTH || (double)(more + 1) != op->repeats ||
        (more && (nk > KEYS_REPEATED || row % 16 || p->ld != p->row)))
        return false;
    void *keys = p->k.data, *values = p->v.data, *out = p->out.data;
    struct tensor many = {0}, apart = {0};
    if (more) {
        many = tensor_of(d, DTYPE_BF16, 3, (const int64_t[]){2, nk, p->row});
        if (!many.data)
            return false;
        keys = many.data;
        values = (char *)many.data + (size_t)nk * row;
        const void *from[] = {p->k.data, p->v.data};
        void *to[] = {keys, values};
        for (int i = 0; i < 2; i++)
            cuda_ok(c, launch_repeat(to[i], from[i], p->nk, more + 1, (int64_t)row, c->stream),
                    "repeating a key", p->nk, more, p->row);
    }
    if (op->add) {
        apart = tensor_of(d, DTYPE_BF16, p->out.rank, p->out.dim);
        out = apart.data;
    }
    bool done = out && planned(c, op, p, keys, values, nk, out);
    if (done && op->add)
        d->ops->add(d, &p->out, &p->out, &apart);
    tensor_free(&many);
    tensor_free(&apart);
    return done;
}

static void plain(struct cuda *c, const struct attention_op *op, const struct attention_parts *p)
{
    struct launch_attention a = {.q = p->q.data,
                                 .k = p->k.data,
                                 .v = p->v.data,
                                 .out = p->out.data,
                                 .type = p->q.type,
                                 .bias = op->bias ? op->bias->data : NULL,
                                 .span = op->bias ? (tensor_last(op->bias) + 1) / 2 : 0,
                                 .nq = p->nq,
                                 .nk = p->nk,
                                 .ld = p->ld,
                                 .heads = op->heads,
                                 .width = (int)p->width,
                                 .scale = op->scale,
                                 .log_repeats = (float)log(op->repeats),
                                 .add = op->add};
    cuda_ok(c, launch_attention(&a, c->stream), "attention", op->heads, p->nq, p->nk);
}

/* One head, queries [first, first + n). logits f32 [n, ld], weights of the type [n, ld]. */
static void block(struct cuda *c, const struct attention_op *op, const struct attention_parts *p,
                  int head, int64_t first, int64_t n, int64_t ld, float *logits, void *weights)
{
    size_t size = dtype_size(p->q.type);
    size_t column = (size_t)(head * p->width) * size, row = (size_t)(first * p->row) * size;
    size_t query = (size_t)(first * p->ld) * size + column;
    int64_t span = op->bias ? (tensor_last(op->bias) + 1) / 2 : 0;
    gemm_run(c, &(struct gemm){.shape = {.m = n,
                                         .n = p->nk,
                                         .k = p->width,
                                         .ldx = p->ld,
                                         .ldw = p->ld,
                                         .ldy = ld,
                                         .in = (int)p->q.type,
                                         .out = DTYPE_F32},
                               .x = (char *)p->q.data + query,
                               .w = (char *)p->k.data + column,
                               .y = logits,
                               .alpha = op->scale});
    struct launch_softmax a = {.s = logits,
                               .p = {weights, p->q.type},
                               .bias = op->bias ? (float *)op->bias->data + head * (2 * span - 1)
                                                : NULL,
                               .rows = n,
                               .n = p->nk,
                               .ld = ld,
                               .first = first,
                               .span = span,
                               .log_repeats = (float)log(op->repeats)};
    if (!device_failed(&c->dev))
        cuda_ok(c, launch_softmax(&a, c->stream), "softmax", n, p->nk, head);
    gemm_run(c, &(struct gemm){.shape = {.m = n,
                                         .n = p->width,
                                         .k = p->nk,
                                         .ldx = ld,
                                         .ldw = p->ld,
                                         .ldy = p->row,
                                         .in = (int)p->q.type,
                                         .out = (int)p->out.type,
                                         .across = 1},
                               .x = weights,
                               .w = (char *)p->v.data + column,
                               .y = (char *)p->out.data + row + column,
                               .alpha = 1,
                               .beta = op->add ? 1.0f : 0.0f});
}

static void by_products(struct cuda *c, const struct attention_op *op,
                        const struct attention_parts *p)
{
    struct device *d = &c->dev;
    int64_t ld = (p->nk + 7) / 8 * 8, most = LOGITS / ld > 0 ? LOGITS / ld : 1;
    most = most < p->nq ? most : p->nq;
    struct tensor logits = tensor_new2(d, most, ld);
    struct tensor weights = tensor_of(d, p->q.type, 2, (const int64_t[]){most, ld});
    for (int h = 0; h < op->heads && logits.data && weights.data; h++)
        for (int64_t at = 0; at < p->nq && !device_failed(d); at += most)
            block(c, op, p, h, at, p->nq - at < most ? p->nq - at : most, ld, logits.data,
                  weights.data);
    tensor_free(&logits);
    tensor_free(&weights);
}

/* In the device's type, which op->out need not be of. */
static void wide(struct cuda *c, const struct attention_op *op, struct attention_parts *p,
                 enum dtype type)
{
    struct device *d = &c->dev;
    void *own = NULL;
    if (op->add || op->out->type == type)
        p->out = cuda_as(c, op->out, type, &own);
    else
        p->out = tensor_of(d, type, op->out->rank, op->out->dim);
    if (p->out.data && !by_library(c, op, p) && !device_failed(d)) {
        if (p->width <= ATTENTION_WIDTH)
            plain(c, op, p);
        else
            by_products(c, op, p);
    }
    if (p->out.data && p->out.data != op->out->data) {
        if (!device_failed(d))
            d->ops->convert(d, op->out, &p->out);
        device_release(d, p->out.data);
    }
}

void attention_run(struct device *d, const struct attention_op *given)
{
    struct cuda *c = cuda_of(d);
    struct attention_op whole = *given, *op = &whole;
    enum dtype type = c->bf16 ? DTYPE_BF16 : DTYPE_F32;
    void *own[3] = {0};
    struct attention_parts p = {.row = tensor_last(op->q)};
    p.ld = op->stride ? op->stride : p.row;
    p.q = cuda_as(c, op->q, type, &own[0]);
    p.k = cuda_as(c, op->k, type, &own[1]);
    p.v = cuda_as(c, op->v, type, &own[2]);
    if (own[1] || own[2] || op->repeats != 1) /* these are copies, without the room behind */
        op->room = 0;
    p.nq = tensor_count(op->q) / p.row;
    p.nk = tensor_count(op->k) / p.row;
    p.width = p.row / op->heads;
    if (p.q.data && p.k.data && p.v.data && !attention_eight(c, op, &p) && !device_failed(d))
        wide(c, op, &p, type);
    for (int i = 0; i < 3; i++)
        if (own[i])
            device_release(d, own[i]);
}
