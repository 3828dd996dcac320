/* tensor/cuda/gemm: one product of matrices by cuBLASLt, its algorithm chosen once a shape.
 *
 *   y[m, n] = alpha·x[m, k]·w + beta·y (+ bias[n], GELU)     w: [n, k], or [k, n] when `across`
 *
 * All rows are contiguous with `ld*` elements from one to the next. x and w share one type: F32 or
 * BF16, and y is of that type or F32; or F8_E4M3 with a scale for each row of x and of w (`whole`:
 * one for all of x and one for all of w), and y is BF16. Sums are f32; nothing is rounded to TF32.
 * The candidates that the library names for a large product are timed at its first use (where y is
 * only written), and the fastest is kept, also for later processes (choices.h). */
#ifndef SAKUGA_TENSOR_CUDA_GEMM_H
#define SAKUGA_TENSOR_CUDA_GEMM_H

#include "tensor/cuda/cuda.h"

#define GEMM_WORKSPACE ((size_t)64 << 20) /* taken when the device is opened */

struct gemm_shape {
    int64_t m, n, k, ldx, ldw, ldy;
    int in, out; /* enum dtype of x and w, and of y */
    int across;
    int bias, gelu; /* gelu is the tanh form */
    int whole;
    int adds;  /* beta is not 0 */
    int align; /* bytes that all addresses are multiples of */
};

struct gemm {
    struct gemm_shape shape;        /* `adds` and `align` are filled in here */
    const void *x, *w, *bias;       /* bias of y's type */
    const float *scale_x, *scale_w; /* [m], [n] (`whole`: the first counts) of e4m3, else NULL */
    void *y;
    float alpha, beta;
};

enum err gemm_open(struct cuda *c, struct fault *f);
void gemm_close(struct cuda *c);
/* Does the library multiply e4m3 on this GPU, with such scales? */
bool gemm_eight(struct cuda *c, bool whole);
/* Has the library a kernel for this product? No failure is kept when not. */
bool gemm_can(struct cuda *c, const struct gemm *g);
/* Queues the product; trouble is kept in the device. */
void gemm_run(struct cuda *c, const struct gemm *g);

#endif
