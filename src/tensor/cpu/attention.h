/* tensor/cpu/attention: what makes the two small products of attention's blocks.
 *
 * cpu_attention() goes through heads, queries and keys and does the softmax, always in f32; a maker
 * packs a head's keys and values and multiplies by them. All its functions are for one thread. For
 * files of tensor/cpu/ only. */
#ifndef SAKUGA_TENSOR_CPU_ATTENTION_H
#define SAKUGA_TENSOR_CPU_ATTENTION_H

#include "tensor/cpu/cpu.h"

#define KEY_BLOCK 256 /* a multiple of every maker's panels */
#define QUERIES_MOST 64

struct attention_plan {
    const struct kernels *k;
    const struct attention_op *op;
    const struct attention_maker *by;
    int64_t nq, nk, width, stride, out_stride; /* of q, k and v: stride floats from row to row */
    int64_t key_blocks;
    int64_t padded;                 /* floats from row to row of a block's sums */
    int64_t keys_each, values_each; /* bytes of a head; multiples of 64 */
    int64_t own_bytes;              /* of the scratch, for the maker */
    unsigned char *keys, *values;   /* of the group's heads */
    int head0;
};

struct attention_maker {
    int queries;                               /* in a block */
    void (*measure)(struct attention_plan *p); /* padded and the three numbers of bytes */
    void (*pack)(const struct attention_plan *p, const float *k, const float *v, void *keys,
                 void *values, void *scratch); /* of one head; scratch: what a block has */
    /* before and after a block's products; NULL: nothing to do */
    void (*begin)(const struct attention_plan *p, int64_t m, const float *q, void *own);
    /* logits[m, KEY_BLOCK] = q·kᵀ for n keys from `from` on (a multiple of KEY_BLOCK) */
    void (*logits)(const struct attention_plan *p, int64_t m, const float *q, const void *keys,
                   int64_t from, int64_t n, float *logits, void *own);
    /* sum[m, padded] (+)= weights[m, KEY_BLOCK]·v for the same keys */
    void (*gather)(const struct attention_plan *p, int64_t m, const float *weights,
                   const void *values, int64_t from, int64_t n, float *sum, void *own);
    void (*end)(void);
};

#ifdef SAKUGA_AMX
extern const struct attention_maker attention_amx;
#endif

/* The maker for products in bf16 by what the processor reports; NULL: none is better than f32. */
const struct attention_maker *attention_best_low(const struct kernels *k);

#endif
