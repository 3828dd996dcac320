/* Attention in blocks.
 *
 * For one head and a block of queries, the keys pass by in blocks: logits of one block of queries
 * against one block of keys are a small product, the online softmax turns them into weights
 * relative to the largest logit so far, what was summed before is scaled down when a larger one
 * comes, and the weighted values are added by a second small product. Of the logits there is never
 * more than a block of queries x KEY_BLOCK at a time for each thread.
 *
 * Keys and values of a head are packed once into what the two products read in order; how is up to
 * their maker (attention.h). The one here is f32 by the register tile: Kᵀ as [key
 * panel][width][cols], V as [key block][column panel][keys][cols]. Heads are taken in groups whose
 * panels stay within PACK_BYTES; the tasks are (head, block of queries). */
#include "tensor/cpu/attention.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define QUERIES 48
#define PACK_BYTES ((size_t)96 << 20)

static void tile_measure(struct attention_plan *p)
{
    int64_t cols = p->k->tile_cols, key_panels = (p->nk + cols - 1) / cols;
    p->padded = (p->width + cols - 1) / cols * cols;
    p->keys_each = key_panels * p->width * cols * (int64_t)sizeof(float);
    p->values_each = p->key_blocks * KEY_BLOCK * p->padded * (int64_t)sizeof(float);
}

static void tile_pack(const struct attention_plan *p, const float *k, const float *v,
                      void *keys_packed, void *values_packed, void *own)
{
    int64_t cols = p->k->tile_cols;
    float *keys = keys_packed, *values = values_packed;
    for (int64_t j = 0; j < p->nk; j += cols)
        p->k->pack(keys + j * p->width, k + j * p->stride, p->width,
                   p->nk - j < cols ? p->nk - j : cols, 1, p->stride);
    for (int64_t from = 0; from < p->nk; from += KEY_BLOCK) {
        int64_t n = p->nk - from < KEY_BLOCK ? p->nk - from : KEY_BLOCK;
        for (int64_t j = 0; j < p->width; j += cols)
            p->k->pack(values + from * p->padded + j * KEY_BLOCK, v + from * p->stride + j, n,
                       p->width - j < cols ? p->width - j : cols, p->stride, 1);
    }
}

static void tile_logits(const struct attention_plan *p, int64_t m, const float *q,
                        const void *packed, int64_t from, int64_t n, float *logits, void *own)
{
    int64_t cols = p->k->tile_cols, rows = p->k->tile_rows;
    const float *keys = (const float *)packed + from * p->width;
    for (int64_t j = 0; j < n; j += cols)
        for (int64_t i = 0; i < m; i += rows)
            p->k->tile((int)(m - i < rows ? m - i : rows), p->width, q + i * p->stride, p->stride,
                       keys + j * p->width, logits + i * KEY_BLOCK + j, KEY_BLOCK, false);
}

static void tile_gather(const struct attention_plan *p, int64_t m, const float *weights,
                        const void *packed, int64_t from, int64_t n, float *sum, void *own)
{
    int64_t cols = p->k->tile_cols, rows = p->k->tile_rows;
    const float *values = (const float *)packed + from * p->padded;
    for (int64_t j = 0; j < p->padded; j += cols)
        for (int64_t i = 0; i < m; i += rows)
            p->k->tile((int)(m - i < rows ? m - i : rows), n, weights + i * KEY_BLOCK, KEY_BLOCK,
                       values + j * KEY_BLOCK, sum + i * p->padded + j, p->padded, from > 0);
}

static const struct attention_maker tile_maker = {
    .queries = QUERIES,
    .measure = tile_measure,
    .pack = tile_pack,
    .logits = tile_logits,
    .gather = tile_gather,
};

static void bias_and_repeats(const struct attention_plan *p, int head, int64_t query, int64_t m,
                             int64_t key, int64_t n, float *logits)
{
    const struct attention_op *op = p->op;
    if (op->scale != 1.0f)
        for (int64_t i = 0; i < m; i++)
            p->k->scale(logits + i * KEY_BLOCK, n, op->scale);
    if (op->bias) {
        int64_t span = (tensor_last(op->bias) + 1) / 2;
        const float *row = (const float *)op->bias->data + head * (2 * span - 1) + span - 1;
        for (int64_t i = 0; i < m; i++)
            p->k->add(logits + i * KEY_BLOCK, logits + i * KEY_BLOCK, row + key - (query + i), n);
    }
    if (op->repeats != 1 && key + n == p->nk)
        for (int64_t i = 0; i < m; i++)
            logits[i * KEY_BLOCK + n - 1] += (float)log(op->repeats);
}

static void one_block(const struct attention_plan *p, int slot, int64_t query, float *scratch)
{
    const struct attention_maker *by = p->by;
    int64_t padded = p->padded, m = p->nq - query < by->queries ? p->nq - query : by->queries;
    int head = p->head0 + slot;
    const float *q = (const float *)p->op->q->data + query * p->stride + head * p->width;
    const void *keys = p->keys + slot * p->keys_each;
    const void *values = p->values + slot * p->values_each;
    float *logits = scratch, *sum = logits + by->queries * KEY_BLOCK; /* sum: [queries, padded] */
    void *own = sum + by->queries * padded;
    float max[QUERIES_MOST], total[QUERIES_MOST];
    for (int i = 0; i < QUERIES_MOST; i++) {
        max[i] = -INFINITY;
        total[i] = 0;
    }
    if (by->begin)
        by->begin(p, m, q, own);
    for (int64_t from = 0; from < p->nk; from += KEY_BLOCK) {
        int64_t n = p->nk - from < KEY_BLOCK ? p->nk - from : KEY_BLOCK;
        by->logits(p, m, q, keys, from, n, logits, own);
        bias_and_repeats(p, head, query, m, from, n, logits);
        for (int64_t i = 0; i < m; i++) {
            float keep = p->k->soften(logits + i * KEY_BLOCK, n, &max[i], &total[i]);
            if (from > 0 && keep != 1.0f)
                p->k->scale(sum + i * padded, padded, keep);
        }
        by->gather(p, m, logits, values, from, n, sum, own);
    }
    if (by->end)
        by->end();
    float *out = (float *)p->op->out->data + query * p->out_stride + head * p->width;
    for (int64_t i = 0; i < m; i++) {
        float *to = out + i * p->out_stride;
        p->k->scale(sum + i * padded, p->width, 1.0f / total[i]);
        if (p->op->add)
            p->k->add(to, to, sum + i * padded, p->width);
        else
            memcpy(to, sum + i * padded, (size_t)p->width * sizeof *to);
    }
}

static void pack_head(const struct attention_plan *p, int slot, void *scratch)
{
    int64_t at = (p->head0 + slot) * p->width;
    p->by->pack(p, (const float *)p->op->k->data + at, (const float *)p->op->v->data + at,
                p->keys + slot * p->keys_each, p->values + slot * p->values_each, scratch);
}

void cpu_attention(struct device *d, const struct attention_op *op)
{
    struct cpu *c = cpu_of(d);
    int64_t row = tensor_last(op->q);
    struct attention_plan p = {.k = c->k, .op = op, .out_stride = row, .width = row / op->heads};
    p.by = c->attention ? c->attention : &tile_maker;
    p.stride = op->stride ? op->stride : row;
    p.nq = tensor_count(op->q) / row;
    p.nk = tensor_count(op->k) / row;
    p.key_blocks = (p.nk + KEY_BLOCK - 1) / KEY_BLOCK;
    p.by->measure(&p);
    size_t each = (size_t)(p.keys_each + p.values_each);
    int group = each * (size_t)op->heads <= PACK_BYTES ? op->heads : (int)(PACK_BYTES / each);
    group = group > 0 ? group : 1;
    if (!cpu_scratch(c, (size_t)(p.by->queries * (KEY_BLOCK + p.padded)) +
                            (size_t)p.own_bytes / sizeof(float)))
        return;
    p.keys = device_alloc(d, each * (size_t)group);
    if (!p.keys)
        return;
    p.values = p.keys + p.keys_each * group;
    int team = cpu_team(c, p.nq * p.nk * row);
    int64_t blocks = (p.nq + p.by->queries - 1) / p.by->queries;
    for (p.head0 = 0; p.head0 < op->heads; p.head0 += group) {
        int heads = op->heads - p.head0 < group ? op->heads - p.head0 : group;
        PARALLEL_FOR(team)
        for (int h = 0; h < heads; h++)
            pack_head(&p, h, cpu_scratch_of(c, THREAD_INDEX));
        PARALLEL_TASKS(team)
        for (int64_t t = 0; t < heads * blocks; t++)
            one_block(&p, (int)(t / blocks), t % blocks * p.by->queries,
                      cpu_scratch_of(c, THREAD_INDEX));
    }
    device_release(d, p.keys);
}
