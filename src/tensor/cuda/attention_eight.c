/* Attention in e4m3 by cuDNN (Hopper): q, k and v are rounded with a scale each (eight_qkv.cu), the
 * plan gives e4m3 with one scale, which a linear layer reads as it is, all rows with the same.
 * Where the library has no plan the caller goes on in bf16, and the device's note says so. */
#include "tensor/cuda/attention.h"

#include "tensor/cuda/plans.h"

#include <stdio.h>
#include <string.h>

/* Bytes from one scalar to the next: the graph's tensors are aligned. */
#define NUMBER ((size_t)16)

static void build(struct graph *g, const void *shape)
{
    sdpa_graph(g, shape);
}

/* What is lent for one call, in one piece of memory. */
struct room {
    void *all;
    char *q8, *k8, *v8, *out, *numbers;
    float *sums;
};

static size_t up(size_t n)
{
    return (n + 255) / 256 * 256;
}

static bool lend(struct cuda *c, const struct attention_parts *p, bool apart, struct room *r)
{
    size_t q = up((size_t)(p->nq * p->row)), k = up((size_t)(p->nk * p->row));
    size_t sums = up(EIGHT_QKV_ROOM(p->row) * sizeof(float));
    size_t out = apart ? q + up((size_t)p->nq * sizeof(float)) : 0;
    char *at = r->all = device_alloc(&c->dev, q + 2 * k + sums + 256 + out);
    if (!at)
        return false;
    r->q8 = at;
    r->k8 = at + q;
    r->v8 = r->k8 + k;
    r->sums = (float *)(r->v8 + k);
    r->numbers = (char *)r->sums + sums;
    r->out = apart ? r->numbers + 256 : NULL;
    return true;
}

static bool wanted(const struct cuda *c, const struct attention_op *op,
                   const struct attention_parts *p)
{
    return c->attends_eight && op->low && !op->bias && !op->add && op->repeats == 1 &&
           p->q.type == DTYPE_BF16 && p->width % 16 == 0 && p->width <= 128 &&
           p->nq >= QUERIES_WORTH_EIGHT;
}

bool attention_eight(struct cuda *c, const struct attention_op *op, const struct attention_parts *p)
{
    struct device *d = &c->dev;
    struct sdpa_shape s;
    struct room r = {0};
    if (!wanted(c, op, p))
        return false;
    memset(&s, 0, sizeof s);
    s.heads = op->heads;
    s.nq = p->nq;
    s.nk = p->nk;
    s.width = p->width;
    s.ldq = s.ldk = s.ldv = s.ldo = p->row;
    s.eight = 1;
    float scale = op->scale;
    struct plan_run run = {.key = &s,
                           .key_n = sizeof s,
                           .graph = build,
                           .what = "attention in e4m3",
                           .size = {op->heads, p->nq, p->nk}};
    if (!plans_can(c, &run)) {
        if (device_failed(d)) /* it was not even asked for */
            return false;
        snprintf(d->caps.note, sizeof d->caps.note,
                 "attention (%d x %lld x %lld) in bf16: cuDNN has no plan for it in e4m3",
                 op->heads, (long long)p->nq, (long long)p->nk);
        return false;
    }
    bool direct = op->out->type == DTYPE_F8_E4M3;
    if (!lend(c, p, !direct, &r))
        return false;
    void *out = direct ? op->out->data : r.out;
    static const int64_t ids[PLAN_IDS] = {
        ID_Q,         ID_K,         ID_V,       ID_O,       ID_SCALE,  ID_DESCALE_Q, ID_DESCALE_K,
        ID_DESCALE_V, ID_DESCALE_S, ID_SCALE_S, ID_SCALE_O, ID_AMAX_S, ID_AMAX_O};
    void *first[] = {r.q8, r.k8, r.v8, out, &scale};
    for (int i = 0; i < PLAN_IDS; i++) {
        run.id[i] = ids[i];
        run.data[i] = i < 5 ? first[i] : r.numbers + (size_t)(i - 5) * NUMBER;
    }
    run.n = PLAN_IDS;
    struct launch_eight_qkv a = {
        .q = p->q.data,
        .k = p->k.data,
        .v = p->v.data,
        .q8 = r.q8,
        .k8 = r.k8,
        .v8 = r.v8,
        .nq = p->nq,
        .nk = p->nk,
        .ld = p->ld,
        .width = (int)p->row,
        .room = r.sums,
        .out_scales = eight_scales(out, p->nq, p->row),
        .numbers = {run.data[5], run.data[6], run.data[7], run.data[8], run.data[9], run.data[10]}};
    bool done = cuda_ok(c, launch_eight_qkv(&a, c->stream), "rounding q, k and v to e4m3", p->nq,
                        p->nk, p->row) &&
                plans_run(c, &run);
    if (done && !direct)
        cuda_ok(c, launch_widen(span_of(op->out), out, a.out_scales, p->nq, p->row, c->stream),
                "widening e4m3", p->nq, p->row, 1);
    device_release(d, r.all);
    return done;
}
