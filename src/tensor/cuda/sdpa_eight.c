/* Attention in e4m3 as cuDNN takes it on Hopper: not one node but the whole composition, softmax
 * and scales written out, which its engine recognises. What it insists on (found by trying, cuDNN
 * 9.19): the logarithm of the sums is computed though nobody reads it, the result is e4m3 too, and
 * the largest weight and the largest result are told. */
#include "tensor/cuda/plans.h"

typedef cudnnBackendDescriptor_t part;

/* [1, heads, n, width] over memory [n, heads, width]; `turned`: the last two axes the other way */
static part rows(struct graph *g, int64_t id, const struct sdpa_shape *s, int64_t n, int64_t ld,
                 bool turned)
{
    const int64_t dim[] = {1, s->heads, turned ? s->width : n, turned ? n : s->width};
    const int64_t stride[] = {n * ld, s->width, turned ? 1 : ld, turned ? ld : 1};
    return graph_tensor(
        g, (struct graph_tensor){
               .id = id, .type = CUDNN_DATA_FP8_E4M3, .rank = 4, .dim = dim, .stride = stride});
}

static part number(struct graph *g, int64_t id, bool by_value)
{
    static const int64_t one[] = {1, 1, 1, 1};
    return graph_tensor(g, (struct graph_tensor){.id = id,
                                                 .type = CUDNN_DATA_FLOAT,
                                                 .rank = 4,
                                                 .dim = one,
                                                 .stride = one,
                                                 .by_value = by_value});
}

/* The next thing inside: [1, heads, nq, columns] */
static part inside(struct graph *g, int64_t *next, const struct sdpa_shape *s, int64_t columns,
                   cudnnDataType_t type)
{
    const int64_t dim[] = {1, s->heads, s->nq, columns};
    const int64_t stride[] = {s->heads * s->nq * columns, s->nq * columns, columns, 1};
    return graph_tensor(g, (struct graph_tensor){.id = (*next)++,
                                                 .type = type,
                                                 .rank = 4,
                                                 .dim = dim,
                                                 .stride = stride,
                                                 .inside = true});
}

static void multiply(struct graph *g, part a, part b, part y)
{
    const cudnnBackendAttributeType_t type = CUDNN_TYPE_BACKEND_DESCRIPTOR;
    cudnnDataType_t f32 = CUDNN_DATA_FLOAT;
    part how = graph_part(g, CUDNN_BACKEND_MATMUL_DESCRIPTOR);
    graph_set(g, how, CUDNN_ATTR_MATMUL_COMP_TYPE, CUDNN_TYPE_DATA_TYPE, 1, &f32);
    graph_seal(g, how);
    part op = graph_part(g, CUDNN_BACKEND_OPERATION_MATMUL_DESCRIPTOR);
    graph_set(g, op, CUDNN_ATTR_OPERATION_MATMUL_DESC, type, 1, &how);
    graph_set(g, op, CUDNN_ATTR_OPERATION_MATMUL_ADESC, type, 1, &a);
    graph_set(g, op, CUDNN_ATTR_OPERATION_MATMUL_BDESC, type, 1, &b);
    graph_set(g, op, CUDNN_ATTR_OPERATION_MATMUL_CDESC, type, 1, &y);
    graph_seal(g, op);
    graph_op(g, op);
}

static void reduce(struct graph *g, cudnnReduceTensorOp_t mode, part x, part y)
{
    const cudnnBackendAttributeType_t type = CUDNN_TYPE_BACKEND_DESCRIPTOR;
    cudnnDataType_t f32 = CUDNN_DATA_FLOAT;
    part how = graph_part(g, CUDNN_BACKEND_REDUCTION_DESCRIPTOR);
    graph_set(g, how, CUDNN_ATTR_REDUCTION_OPERATOR, CUDNN_TYPE_REDUCTION_OPERATOR_TYPE, 1, &mode);
    graph_set(g, how, CUDNN_ATTR_REDUCTION_COMP_TYPE, CUDNN_TYPE_DATA_TYPE, 1, &f32);
    graph_seal(g, how);
    part op = graph_part(g, CUDNN_BACKEND_OPERATION_REDUCTION_DESCRIPTOR);
    graph_set(g, op, CUDNN_ATTR_OPERATION_REDUCTION_DESC, type, 1, &how);
    graph_set(g, op, CUDNN_ATTR_OPERATION_REDUCTION_XDESC, type, 1, &x);
    graph_set(g, op, CUDNN_ATTR_OPERATION_REDUCTION_YDESC, type, 1, &y);
    graph_seal(g, op);
    graph_op(g, op);
}

void sdpa_eight_graph(struct graph *g, const struct sdpa_shape *s)
{
    const cudnnDataType_t f32 = CUDNN_DATA_FLOAT;
    const cudnnPointwiseMode_t times = CUDNN_POINTWISE_MUL;
    int64_t next = ID_INSIDE;
    part q = rows(g, ID_Q, s, s->nq, s->ldq, false), k = rows(g, ID_K, s, s->nk, s->ldk, true);
    part v = rows(g, ID_V, s, s->nk, s->ldv, false), o = rows(g, ID_O, s, s->nq, s->ldo, false);
    part logits[4], sums[4], out[3];
    for (int i = 0; i < 4; i++)
        logits[i] = inside(g, &next, s, s->nk, f32);
    part less = inside(g, &next, s, s->nk, f32), powers = inside(g, &next, s, s->nk, f32);
    part p = inside(g, &next, s, s->nk, f32);
    part p8 = inside(g, &next, s, s->nk, CUDNN_DATA_FP8_E4M3);
    for (int i = 0; i < 4; i++) /* the largest, the sum, its logarithm, and that of the whole */
        sums[i] = inside(g, &next, s, 1, f32);
    for (int i = 0; i < 3; i++)
        out[i] = inside(g, &next, s, s->width, f32);

    multiply(g, q, k, logits[0]);
    graph_map(g, times, logits[0], number(g, ID_SCALE, true), logits[1]);
    graph_map(g, times, logits[1], number(g, ID_DESCALE_Q, false), logits[2]);
    graph_map(g, times, logits[2], number(g, ID_DESCALE_K, false), logits[3]);
    reduce(g, CUDNN_REDUCE_TENSOR_MAX, logits[3], sums[0]);
    graph_map(g, CUDNN_POINTWISE_SUB, logits[3], sums[0], less);
    graph_map(g, CUDNN_POINTWISE_EXP, less, NULL, powers);
    reduce(g, CUDNN_REDUCE_TENSOR_ADD, powers, sums[1]);
    graph_map(g, CUDNN_POINTWISE_LOG, sums[1], NULL, sums[2]);
    graph_map(g, CUDNN_POINTWISE_ADD, sums[0], sums[2], sums[3]);
    graph_map(g, CUDNN_POINTWISE_DIV, powers, sums[1], p);
    reduce(g, CUDNN_REDUCE_TENSOR_AMAX, p, number(g, ID_AMAX_S, false));
    graph_map(g, times, p, number(g, ID_SCALE_S, false), p8);
    multiply(g, p8, v, out[0]);
    graph_map(g, times, out[0], number(g, ID_DESCALE_S, false), out[1]);
    graph_map(g, times, out[1], number(g, ID_DESCALE_V, false), out[2]);
    graph_map(g, times, out[2], number(g, ID_SCALE_O, false), o);
    reduce(g, CUDNN_REDUCE_TENSOR_AMAX, out[2], number(g, ID_AMAX_O, false));
}
