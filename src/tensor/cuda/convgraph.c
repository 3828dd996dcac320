/* A convolution with residual and bias in one cuDNN graph. Channels last in memory; cuDNN names the
 * axes N, C, D, H, W whatever their order in memory. The residual comes before the bias: in this
 * order engines compiled ahead take the graph, in the other one only those compiled at run time,
 * two seconds each. */
#include "tensor/cuda/plans.h"

static cudnnBackendDescriptor_t frames(struct graph *g, int64_t id, cudnnDataType_t type, int64_t n,
                                       int64_t t, int64_t h, int64_t w, int64_t c)
{
    const int64_t dim[] = {n, c, t, h, w};
    const int64_t stride[] = {t * h * w * c, 1, h * w * c, w * c, c};
    return graph_tensor(g, (struct graph_tensor){.id = id,
                                                 .type = type,
                                                 .rank = 5,
                                                 .dim = dim,
                                                 .stride = stride,
                                                 .inside = id >= ID_INSIDE});
}

static cudnnBackendDescriptor_t kernel(struct graph *g, const struct conv_shape *s)
{
    cudnnBackendDescriptor_t d = graph_part(g, CUDNN_BACKEND_CONVOLUTION_DESCRIPTOR);
    cudnnDataType_t f32 = CUDNN_DATA_FLOAT;
    cudnnConvolutionMode_t mode = CUDNN_CROSS_CORRELATION;
    int64_t axes = 3, one[] = {1, 1, 1}, before[] = {0, s->top, s->left};
    int64_t after[] = {0, s->bottom, s->right}, step[] = {s->stride_t, s->stride, s->stride};
    graph_set(g, d, CUDNN_ATTR_CONVOLUTION_COMP_TYPE, CUDNN_TYPE_DATA_TYPE, 1, &f32);
    graph_set(g, d, CUDNN_ATTR_CONVOLUTION_CONV_MODE, CUDNN_TYPE_CONVOLUTION_MODE, 1, &mode);
    graph_set(g, d, CUDNN_ATTR_CONVOLUTION_SPATIAL_DIMS, CUDNN_TYPE_INT64, 1, &axes);
    graph_set(g, d, CUDNN_ATTR_CONVOLUTION_PRE_PADDINGS, CUDNN_TYPE_INT64, 3, before);
    graph_set(g, d, CUDNN_ATTR_CONVOLUTION_POST_PADDINGS, CUDNN_TYPE_INT64, 3, after);
    graph_set(g, d, CUDNN_ATTR_CONVOLUTION_FILTER_STRIDES, CUDNN_TYPE_INT64, 3, step);
    graph_set(g, d, CUDNN_ATTR_CONVOLUTION_DILATIONS, CUDNN_TYPE_INT64, 3, one);
    graph_seal(g, d);
    return d;
}

void conv_graph(struct graph *g, const struct conv_shape *s)
{
    const cudnnDataType_t low = CUDNN_DATA_BFLOAT16, f32 = CUDNN_DATA_FLOAT;
    const cudnnBackendAttributeType_t part = CUDNN_TYPE_BACKEND_DESCRIPTOR;
    cudnnBackendDescriptor_t x = frames(g, ID_X, low, 1, s->xt, s->xh, s->xw, s->in);
    cudnnBackendDescriptor_t w = frames(g, ID_W, low, s->out, s->kt, s->kh, s->kw, s->in);
    cudnnBackendDescriptor_t y = frames(g, ID_Y, low, 1, s->yt, s->yh, s->yw, s->out);
    cudnnBackendDescriptor_t sum = y, how = kernel(g, s);
    if (s->bias || s->add)
        sum = frames(g, ID_INSIDE, f32, 1, s->yt, s->yh, s->yw, s->out);
    cudnnBackendDescriptor_t op =
        graph_part(g, CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR);
    float alpha = 1, beta = 0;
    graph_set(g, op, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_CONV_DESC, part, 1, &how);
    graph_set(g, op, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_X, part, 1, &x);
    graph_set(g, op, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_W, part, 1, &w);
    graph_set(g, op, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_Y, part, 1, &sum);
    graph_set(g, op, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_ALPHA, CUDNN_TYPE_FLOAT, 1, &alpha);
    graph_set(g, op, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_BETA, CUDNN_TYPE_FLOAT, 1, &beta);
    graph_seal(g, op);
    graph_op(g, op);
    if (s->add) {
        cudnnBackendDescriptor_t add = frames(g, ID_ADD, low, 1, s->yt, s->yh, s->yw, s->out),
                                 to = y;
        if (s->bias)
            to = frames(g, ID_INSIDE + 1, f32, 1, s->yt, s->yh, s->yw, s->out);
        graph_map(g, CUDNN_POINTWISE_ADD, sum, add, to);
        sum = to;
    }
    if (s->bias)
        graph_map(g, CUDNN_POINTWISE_ADD, sum, frames(g, ID_BIAS, low, 1, 1, 1, 1, s->out), y);
}
