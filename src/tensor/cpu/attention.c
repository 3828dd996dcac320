/* Attention in blocks.
 *
 * For one head and a block of queries, the keys pass by in blocks: logits of one block of queries
 * against one block of keys are a small product, the online softmax turns them into weights
 * relative to the largest logit so far, what was summed before is scaled down when a larger one
 * comes, and the weighted values are added by a second small product. Of the logits there is never
 * more than Q_BLOCK x K_BLOCK at a time for each thread.
 *
 * Keys and values of a head are packed once into the panels of the register tile: Kᵀ as
 * [key panel][width][cols], V as [key block][column panel][keys][cols]. Heads are taken in groups
 * whose panels stay within PACK_BYTES; the tasks are (head, block of queries). */
#include "tensor/cpu/cpu.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define Q_BLOCK 48
#define K_BLOCK 256 /* a multiple of every tile_cols */
#define PACK_BYTES ((size_t)96 << 20)

struct plan {
    const struct kernels *k;
    const struct attention_op *op;
    int64_t nq, nk, width, stride, out_stride; /* of q, k and v: stride floats from row to row */
    int64_t key_panels, value_panels, key_blocks;
    float *keys, *values; /* of the group's heads */
    int64_t keys_each, values_each;
    int head0;
};

static void pack_head(const struct plan *p, int slot)
{
    int64_t cols = p->k->tile_cols;
    const float *k = (const float *)p->op->k->data + (p->head0 + slot) * p->width;
    const float *v = (const float *)p->op->v->data + (p->head0 + slot) * p->width;
    float *keys = p->keys + slot * p->keys_each, *values = p->values + slot * p->values_each;
    for (int64_t j = 0; j < p->key_panels; j++) {
        int64_t n = p->nk - j * cols < cols ? p->nk - j * cols : cols;
        p->k->pack(keys + j * p->width * cols, k + j * cols * p->stride, p->width, n, 1, p->stride);
    }
    for (int64_t b = 0; b < p->key_blocks; b++) {
        int64_t from = b * K_BLOCK, n = p->nk - from < K_BLOCK ? p->nk - from : K_BLOCK;
        for (int64_t j = 0; j < p->value_panels; j++) {
            int64_t w = p->width - j * cols < cols ? p->width - j * cols : cols;
            p->k->pack(values + (b * p->value_panels + j) * K_BLOCK * cols,
                       v + from * p->stride + j * cols, n, w, p->stride, 1);
        }
    }
}

/* logits[m, ld] = q·kᵀ for key panels of one block */
static void logits_of(const struct plan *p, int64_t m, const float *q, const float *keys,
                      int64_t panels, float *logits, int64_t ld)
{
    for (int64_t j = 0; j < panels; j++)
        for (int64_t i = 0; i < m; i += p->k->tile_rows) {
            int64_t rows = m - i < p->k->tile_rows ? m - i : p->k->tile_rows;
            p->k->tile((int)rows, p->width, q + i * p->stride, p->stride,
                       keys + j * p->width * p->k->tile_cols, logits + i * ld + j * p->k->tile_cols,
                       ld, false);
        }
}

static void bias_and_repeats(const struct plan *p, int head, int64_t query, int64_t m, int64_t key,
                             int64_t n, float *logits, int64_t ld)
{
    const struct attention_op *op = p->op;
    if (op->scale != 1.0f)
        for (int64_t i = 0; i < m; i++)
            p->k->scale(logits + i * ld, n, op->scale);
    if (op->bias) {
        int64_t span = (tensor_last(op->bias) + 1) / 2;
        const float *row = (const float *)op->bias->data + head * (2 * span - 1) + span - 1;
        for (int64_t i = 0; i < m; i++)
            p->k->add(logits + i * ld, logits + i * ld, row + key - (query + i), n);
    }
    if (op->repeats != 1 && key + n == p->nk)
        for (int64_t i = 0; i < m; i++)
            logits[i * ld + n - 1] += (float)log(op->repeats);
}

static void one_block(const struct plan *p, int slot, int64_t query, float *scratch)
{
    int64_t cols = p->k->tile_cols, padded = p->value_panels * cols;
    int64_t m = p->nq - query < Q_BLOCK ? p->nq - query : Q_BLOCK;
    int head = p->head0 + slot;
    const float *q = (const float *)p->op->q->data + query * p->stride + head * p->width;
    float *logits = scratch, *sum = logits + Q_BLOCK * K_BLOCK; /* sum: [Q_BLOCK, padded] */
    float max[Q_BLOCK], total[Q_BLOCK];
    for (int i = 0; i < Q_BLOCK; i++) {
        max[i] = -INFINITY;
        total[i] = 0;
    }
    for (int64_t b = 0; b < p->key_blocks; b++) {
        int64_t from = b * K_BLOCK, n = p->nk - from < K_BLOCK ? p->nk - from : K_BLOCK;
        logits_of(p, m, q, p->keys + slot * p->keys_each + from * p->width, (n + cols - 1) / cols,
                  logits, K_BLOCK);
        bias_and_repeats(p, head, query, m, from, n, logits, K_BLOCK);
        for (int64_t i = 0; i < m; i++) {
            float keep = p->k->soften(logits + i * K_BLOCK, n, &max[i], &total[i]);
            if (b > 0 && keep != 1.0f)
                p->k->scale(sum + i * padded, padded, keep);
        }
        const float *values = p->values + slot * p->values_each;
        for (int64_t j = 0; j < p->value_panels; j++)
            for (int64_t i = 0; i < m; i += p->k->tile_rows)
                p->k->tile((int)(m - i < p->k->tile_rows ? m - i : p->k->tile_rows), n,
                           logits + i * K_BLOCK, K_BLOCK,
                           values + (b * p->value_panels + j) * K_BLOCK * cols,
                           sum + i * padded + j * cols, padded, b > 0);
    }
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

void cpu_attention(struct device *d, const struct attention_op *op)
{
    struct cpu *c = cpu_of(d);
    int64_t cols = c->k->tile_cols, row = tensor_last(op->q);
    struct plan p = {.k = c->k, .op = op, .out_stride = row, .width = row / op->heads};
    p.stride = op->stride ? op->stride : row;
    p.nq = tensor_count(op->q) / row;
    p.nk = tensor_count(op->k) / row;
    p.key_panels = (p.nk + cols - 1) / cols;
    p.key_blocks = (p.nk + K_BLOCK - 1) / K_BLOCK;
    p.value_panels = (p.width + cols - 1) / cols;
    p.keys_each = p.key_panels * p.width * cols;
    p.values_each = p.key_blocks * p.value_panels * K_BLOCK * cols;
    size_t each = (size_t)(p.keys_each + p.values_each) * sizeof(float);
    int group = each * (size_t)op->heads <= PACK_BYTES ? op->heads : (int)(PACK_BYTES / each);
    group = group > 0 ? group : 1;
    if (!cpu_scratch(c, (size_t)(Q_BLOCK * (K_BLOCK + p.value_panels * cols))))
        return;
    p.keys = device_alloc(d, each * (size_t)group);
    if (!p.keys)
        return;
    p.values = p.keys + p.keys_each * group;
    int team = cpu_team(c, p.nq * p.nk * row);
    int64_t blocks = (p.nq + Q_BLOCK - 1) / Q_BLOCK;
    for (p.head0 = 0; p.head0 < op->heads; p.head0 += group) {
        int heads = op->heads - p.head0 < group ? op->heads - p.head0 : group;
        PARALLEL_FOR(team)
        for (int h = 0; h < heads; h++)
            pack_head(&p, h);
        PARALLEL_TASKS(team)
        for (int64_t t = 0; t < heads * blocks; t++)
            one_block(&p, (int)(t / blocks), t % blocks * Q_BLOCK, cpu_scratch_of(c, THREAD_INDEX));
    }
    device_release(d, p.keys);
}
