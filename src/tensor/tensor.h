/* tensor/tensor: a block of numbers on a device, with its shape.
 *
 * A tensor is a small value: copying the struct makes a second view of the same memory. The one
 * that tensor_new() filled owns it and ends it with tensor_free(); views are never freed. Rows are
 * contiguous, the last axis runs fastest. Not thread-safe; one thread drives a device. */
#ifndef SAKUGA_TENSOR_TENSOR_H
#define SAKUGA_TENSOR_TENSOR_H

#include "tensor/dtype.h"

#include <stdint.h>

#define TENSOR_RANK 5

struct device;

struct tensor {
    void *data; /* in the device's memory; NULL when the allocation failed (the device says why) */
    enum dtype type;
    int rank;
    int64_t dim[TENSOR_RANK];
    struct device *dev; /* set in the owner only */
};

/* An f32 tensor of the given shape, not cleared. A failure stays in the device (device_settle). */
struct tensor tensor_new(struct device *dev, int rank, const int64_t *dim);
/* The same of F32, BF16, or F8_E4M3: of that each row carries an f32 scale, behind all numbers at
 * the next multiple of 16 bytes (see tensor_low2). It has no parts. */
struct tensor tensor_of(struct device *dev, enum dtype type, int rank, const int64_t *dim);
struct tensor tensor_new1(struct device *dev, int64_t a);
struct tensor tensor_new2(struct device *dev, int64_t a, int64_t b);
struct tensor tensor_new4(struct device *dev, int64_t a, int64_t b, int64_t c, int64_t d);
/* Tensors that lie between two products, of the type that the device likes there (caps.work). */
struct tensor tensor_work2(struct device *dev, int64_t a, int64_t b);
/* One that only linear layers read, of whatever the device multiplies (caps.low). */
struct tensor tensor_low2(struct device *dev, int64_t a, int64_t b);
struct tensor tensor_work4(struct device *dev, int64_t a, int64_t b, int64_t c, int64_t d);
void tensor_free(struct tensor *t); /* an empty or failed tensor is fine; leaves it empty */

int64_t tensor_count(const struct tensor *t); /* elements */
int64_t tensor_last(const struct tensor *t);  /* length of the last axis */
size_t tensor_bytes(const struct tensor *t);

/* The view of entries [from, from + n) on the first axis. */
struct tensor tensor_part(const struct tensor *t, int64_t from, int64_t n);

/* The columns [from, from + n) of a matrix: rows of n numbers that lie tensor_last(t) apart, which
 * an operation has to be told (its `stride`). */
struct tensor tensor_columns(const struct tensor *t, int64_t from, int64_t n);

/* The same memory as [rows, columns]; the product must be the count. */
struct tensor tensor_as2(const struct tensor *t, int64_t rows, int64_t columns);

#endif
