#include "tensor/tensor.h"

#include "tensor/backend.h"

#include <string.h>

struct tensor tensor_of(struct device *dev, enum dtype type, int rank, const int64_t *dim)
{
    struct tensor t = {.type = type, .rank = rank, .dev = dev};
    size_t n = 4 * dtype_size(type); /* with room for scales */
    bool sane = rank >= 1 && rank <= TENSOR_RANK;
    for (int i = 0; sane && i < rank; i++) {
        t.dim[i] = dim[i];
        sane = dim[i] > 0 && !__builtin_mul_overflow(n, (size_t)dim[i], &n);
    }
    if (!sane)
        device_fail(dev, ERR_INVAL, "a tensor of rank %d has no possible shape", rank);
    else
        t.data = device_alloc(dev, tensor_bytes(&t));
    return t;
}

struct tensor tensor_new(struct device *dev, int rank, const int64_t *dim)
{
    return tensor_of(dev, DTYPE_F32, rank, dim);
}

struct tensor tensor_new1(struct device *dev, int64_t a)
{
    return tensor_new(dev, 1, &a);
}

struct tensor tensor_new2(struct device *dev, int64_t a, int64_t b)
{
    return tensor_new(dev, 2, (const int64_t[]){a, b});
}

struct tensor tensor_new4(struct device *dev, int64_t a, int64_t b, int64_t c, int64_t d)
{
    return tensor_new(dev, 4, (const int64_t[]){a, b, c, d});
}

struct tensor tensor_work2(struct device *dev, int64_t a, int64_t b)
{
    return tensor_of(dev, dev->caps.work, 2, (const int64_t[]){a, b});
}

struct tensor tensor_low2(struct device *dev, int64_t a, int64_t b)
{
    return tensor_of(dev, dev->caps.low, 2, (const int64_t[]){a, b});
}

struct tensor tensor_work4(struct device *dev, int64_t a, int64_t b, int64_t c, int64_t d)
{
    return tensor_of(dev, dev->caps.work, 4, (const int64_t[]){a, b, c, d});
}

void tensor_free(struct tensor *t)
{
    if (t->data && t->dev)
        device_release(t->dev, t->data);
    memset(t, 0, sizeof *t);
}

int64_t tensor_count(const struct tensor *t)
{
    int64_t n = 1;
    for (int i = 0; i < t->rank; i++)
        n *= t->dim[i];
    return n;
}

/* Elements of one step on the first axis. */
static int64_t row_of(const struct tensor *t)
{
    int64_t n = 1;
    for (int i = 1; i < t->rank; i++)
        n *= t->dim[i];
    return n;
}

int64_t tensor_last(const struct tensor *t)
{
    return t->dim[t->rank - 1];
}

size_t tensor_bytes(const struct tensor *t)
{
    size_t n = (size_t)tensor_count(t), bytes = n * dtype_size(t->type);
    if (t->type != DTYPE_F8_E4M3)
        return bytes;
    return (bytes + 15) / 16 * 16 + n / (size_t)tensor_last(t) * sizeof(float);
}

struct tensor tensor_part(const struct tensor *t, int64_t from, int64_t n)
{
    struct tensor part = *t;
    part.dev = NULL;
    part.dim[0] = n;
    if (part.data)
        part.data = (char *)part.data + (size_t)(from * row_of(t)) * dtype_size(t->type);
    return part;
}

struct tensor tensor_columns(const struct tensor *t, int64_t from, int64_t n)
{
    struct tensor part = *t;
    part.dev = NULL;
    part.dim[t->rank - 1] = n;
    if (part.data)
        part.data = (char *)part.data + (size_t)from * dtype_size(t->type);
    return part;
}

struct tensor tensor_as2(const struct tensor *t, int64_t rows, int64_t columns)
{
    struct tensor v = {.data = t->data, .type = t->type, .rank = 2, .dim = {rows, columns}};
    if (tensor_count(&v) != tensor_count(t))
        v.data = NULL; /* the operation that gets it says so */
    return v;
}
