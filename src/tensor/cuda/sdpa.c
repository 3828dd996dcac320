/* Scaled dot-product attention as one node of a cuDNN graph (9.13.1 on, bf16). A cache that grows
 * from block to block is one graph of its whole room, told at run time how much of it counts. */
#include "tensor/cuda/plans.h"

static cudnnBackendDescriptor_t rows(struct graph *g, int64_t id, const struct sdpa_shape *s,
                                     int64_t n, int64_t ld)
{
    /* [1, heads, n, width] over memory [n, heads, width] */
    const int64_t dim[] = {1, s->heads, n, s->width}, stride[] = {n * ld, s->width, ld, 1};
    return graph_tensor(
        g, (struct graph_tensor){
               .id = id, .type = CUDNN_DATA_BFLOAT16, .rank = 4, .dim = dim, .stride = stride});
}

static cudnnBackendDescriptor_t count(struct graph *g, int64_t id)
{
    static const int64_t one[] = {1, 1, 1, 1}; /* of each of the batch */
    return graph_tensor(
        g, (struct graph_tensor){
               .id = id, .type = CUDNN_DATA_INT32, .rank = 4, .dim = one, .stride = one});
}

void sdpa_graph(struct graph *g, const struct sdpa_shape *s)
{
    if (s->eight) {
        sdpa_eight_graph(g, s);
        return;
    }
    static const int64_t one[] = {1, 1, 1, 1};
    cudnnBackendDescriptor_t q = rows(g, ID_Q, s, s->nq, s->ldq),
                             k = rows(g, ID_K, s, s->nk, s->ldk);
    cudnnBackendDescriptor_t v = rows(g, ID_V, s, s->nk, s->ldv),
                             o = rows(g, ID_O, s, s->nq, s->ldo);
    cudnnBackendDescriptor_t scale = graph_tensor(g, (struct graph_tensor){.id = ID_SCALE,
                                                                           .type = CUDNN_DATA_FLOAT,
                                                                           .rank = 4,
                                                                           .dim = one,
                                                                           .stride = one,
                                                                           .by_value = true});
    cudnnBackendDescriptor_t op = graph_part(g, CUDNN_BACKEND_OPERATION_SDPA_FWD_DESCRIPTOR);
    const cudnnBackendAttributeType_t part = CUDNN_TYPE_BACKEND_DESCRIPTOR;
    graph_set(g, op, CUDNN_ATTR_OPERATION_SDPA_FWD_QDESC, part, 1, &q);
    graph_set(g, op, CUDNN_ATTR_OPERATION_SDPA_FWD_KDESC, part, 1, &k);
    graph_set(g, op, CUDNN_ATTR_OPERATION_SDPA_FWD_VDESC, part, 1, &v);
    graph_set(g, op, CUDNN_ATTR_OPERATION_SDPA_FWD_ODESC, part, 1, &o);
    graph_set(g, op, CUDNN_ATTR_OPERATION_SDPA_FWD_SCALEDESC, part, 1, &scale);
    if (s->counted) {
        cudnnBackendDescriptor_t nq = count(g, ID_COUNT_Q), nk = count(g, ID_COUNT_K);
        graph_set(g, op, CUDNN_ATTR_OPERATION_SDPA_FWD_SEQ_LEN_QDESC, part, 1, &nq);
        graph_set(g, op, CUDNN_ATTR_OPERATION_SDPA_FWD_SEQ_LEN_KVDESC, part, 1, &nk);
    }
    graph_seal(g, op);
    graph_op(g, op);
}
