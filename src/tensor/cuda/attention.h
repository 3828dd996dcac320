/* tensor/cuda/attention: its ways, for attention*.c only. */
#ifndef SAKUGA_TENSOR_CUDA_ATTENTION_H
#define SAKUGA_TENSOR_CUDA_ATTENTION_H

#include "tensor/cuda/cuda.h"

struct attention_parts {
    struct tensor q, k, v, out; /* of one type */
    int64_t nq, nk, row, width; /* row: heads·width */
    int64_t ld;                 /* from row to row of q, k and v */
};

/* False: not in e4m3, nothing was done. `p->out` is not used: the result goes to op->out. */
bool attention_eight(struct cuda *c, const struct attention_op *op,
                     const struct attention_parts *p);

#endif
