/* Every operation of a device against a plain double loop, on shapes that fit no tile and on some
 * that do. The tests are those of OPS_TESTS, a file an idea (ops_products.c …); test_ops.c runs
 * them all on one device after the other. */
#ifndef SAKUGA_TESTS_UNIT_TENSOR_OPS_H
#define SAKUGA_TESTS_UNIT_TENSOR_OPS_H

#include "unit.h"

#include "tensor/device.h"
#include "tensor/dtype.h"

#include <math.h>

extern struct device *dev; /* that is tested */
extern unsigned seed;      /* of roll() */
extern bool coarse;        /* numbers that bf16 holds, wherever they are going */

/* rounding to bf16 is 2^-9 at most; a result is rounded up to three times on its way. To e4m3 it is
 * 2^-4, 2.3 % in the mean, for both factors of a product, and again for its result. */
#define LOW_BOUND 8e-3
#define EIGHT_BOUND 6e-2
#define EIGHT_STEP 2.6e-2 /* of a single rounding to e4m3, root mean square */

#define DIMS(...) ((const int64_t[]){__VA_ARGS__})

bool low(void);   /* does it work in bf16? */
float roll(void); /* −1 … 1 */
/* n of them, which bf16 holds where the device works in it; the caller frees them. */
float *noise(int64_t n);
struct tensor upload(const float *v, int rank, const int64_t *dim);
/* What a product in bf16 reads: the nearest number of 8 bits, ties to even. */
double seen(float v, bool exact);
/* Matrices [n, c] side by side in rows of all, and one of them back. */
void write_columns(struct tensor *all, float *const *from, int count, int64_t n, int64_t c);
void read_columns(struct tensor *to, const struct tensor *all, int which, int64_t n, int64_t c);

/* Relative L2 of what lies on the device against `want`. */
double error_of(const struct tensor *t, const double *want);
void within(double error, double bound);
void expect(struct tensor *t, double *want, double bound); /* frees both */
double act_of(double x, enum act act);
/* In bf16 the sums are f32 too, but in an order and with a GELU of the processor's own. */
double product_bound(void);

#define OPS_TESTS(X)                                                                               \
    X(linear)                                                                                      \
    X(products_of_one_x)                                                                           \
    X(rows_of_next_to_nothing)                                                                     \
    X(stored_in_any_type)                                                                          \
    X(every_half)                                                                                  \
    X(conv)                                                                                        \
    X(one_kernel_for_all_sizes)                                                                    \
    X(norms)                                                                                       \
    X(attention)                                                                                   \
    X(low_attention)                                                                               \
    X(attention_room)                                                                              \
    X(rope_turns_pairs)                                                                            \
    X(joins)                                                                                       \
    X(turns)                                                                                       \
    X(weights_in_parts)                                                                            \
    X(slim_norms)                                                                                  \
    X(elements)                                                                                    \
    X(copies_that_overlap)                                                                         \
    X(frames)                                                                                      \
    X(patches)                                                                                     \
    X(patches_that_do_not_fit)                                                                     \
    X(pictures_as_bytes)                                                                           \
    X(weights_in_turns)                                                                            \
    X(work_that_comes_again)                                                                       \
    X(work_that_is_not_recorded)                                                                   \
    X(the_first_failure_stays)                                                                     \
    X(memory_is_counted)

#define OPS_DECLARE(test) void test(void **state);
OPS_TESTS(OPS_DECLARE)

#endif
