/* cuDNN's backend interface in plain loops, as far as tensor/cuda uses it: descriptors keep what is
 * set, a plan computes its graph one operation after another. A graph with e4m3 in it is taken only
 * in the one form, and on the one GPU, that cuDNN 9.19 takes it on (form_of_eight).
 * EMU_NO_PLAN=eight: it is never taken; all: no graph is; first: no candidate that is the first of
 * its list. EMU_GREEDY=MB: that one wants so much memory. */
#include "gpu/emu.h"

#include <cudnn.h>
#include <map>
#include <math.h>
#include <set>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <string>
#include <vector>

struct part {
    cudnnBackendDescriptorType_t type;
    bool sealed;
    std::map<int, std::vector<char>> set;
};
typedef part *ref;
/* Beside what was set: of a configuration and of a plan their graph; of a configuration, is it the
 * first of its list?; of a plan, the bytes that it wants, and the stream and
 * the moment that it ran at last. */
enum { GRAPH = -1, FIRST = -2, WANTS = -3, RAN = -4, ON = -5 };

template <class T> static std::vector<T> all(ref p, int name)
{
    auto i = p->set.find(name);
    std::vector<T> out(i == p->set.end() ? 0 : i->second.size() / sizeof(T));
    if (!out.empty())
        memcpy((void *)out.data(), i->second.data(), out.size() * sizeof(T));
    return out;
}

template <class T> static T one(ref p, int name)
{
    T v = T();
    auto i = p->set.find(name);
    if (i != p->set.end() && i->second.size() >= sizeof v)
        memcpy(&v, i->second.data(), sizeof v);
    return v;
}

typedef std::map<int64_t, void *> places;

/* A tensor with its memory; what never leaves the chip gets memory for the time of a call. */
struct view {
    std::vector<int64_t> dim, stride;
    cudnnDataType_t type;
    void *p;
    double at(int64_t i) const
    {
        if (type == CUDNN_DATA_FP8_E4M3)
            return (float)((__nv_fp8_e4m3 *)p)[i];
        return type == CUDNN_DATA_BFLOAT16 ? __bfloat162float(((__nv_bfloat16 *)p)[i])
                                           : ((float *)p)[i];
    }
    void put(int64_t i, double v) const
    {
        if (type == CUDNN_DATA_FP8_E4M3)
            ((__nv_fp8_e4m3 *)p)[i] = __nv_fp8_e4m3((float)v);
        else if (type == CUDNN_DATA_BFLOAT16)
            ((__nv_bfloat16 *)p)[i] = __float2bfloat16((float)v);
        else
            ((float *)p)[i] = (float)v;
    }
    size_t bytes(void) const
    {
        size_t n = 1;
        for (size_t i = 0; i < dim.size(); i++)
            n += (size_t)((dim[i] - 1) * stride[i]);
        return n * (type == CUDNN_DATA_FP8_E4M3 ? 1 : type == CUDNN_DATA_BFLOAT16 ? 2 : 4);
    }
};

static view see(ref t, places &at, std::vector<std::vector<char>> &inside)
{
    view v = {all<int64_t>(t, CUDNN_ATTR_TENSOR_DIMENSIONS),
              all<int64_t>(t, CUDNN_ATTR_TENSOR_STRIDES),
              one<cudnnDataType_t>(t, CUDNN_ATTR_TENSOR_DATA_TYPE), NULL};
    int64_t id = one<int64_t>(t, CUDNN_ATTR_TENSOR_UNIQUE_ID), n = 1;
    if (!at.count(id) && one<bool>(t, CUDNN_ATTR_TENSOR_IS_VIRTUAL)) {
        for (size_t i = 0; i < v.dim.size(); i++)
            n += (v.dim[i] - 1) * v.stride[i];
        inside.emplace_back((size_t)n * 4);
        at[id] = inside.back().data();
    }
    v.p = at.count(id) ? at[id] : NULL;
    return v;
}

static bool convolve(ref op, places &at, std::vector<std::vector<char>> &inside)
{
    ref how = one<ref>(op, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_CONV_DESC);
    view x = see(one<ref>(op, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_X), at, inside);
    view w = see(one<ref>(op, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_W), at, inside);
    view y = see(one<ref>(op, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_Y), at, inside);
    std::vector<int64_t> pre = all<int64_t>(how, CUDNN_ATTR_CONVOLUTION_PRE_PADDINGS);
    std::vector<int64_t> post = all<int64_t>(how, CUDNN_ATTR_CONVOLUTION_POST_PADDINGS);
    std::vector<int64_t> step = all<int64_t>(how, CUDNN_ATTR_CONVOLUTION_FILTER_STRIDES);
    if (!x.p || !w.p || !y.p || x.dim[1] != w.dim[1] || y.dim[1] != w.dim[0])
        return false;
    for (int a = 0; a < 3; a++)
        if (y.dim[a + 2] != (x.dim[a + 2] + pre[a] + post[a] - w.dim[a + 2]) / step[a] + 1)
            return false;
    for (int64_t o = 0; o < y.dim[1]; o++)
        for (int64_t t = 0; t < y.dim[2]; t++)
            for (int64_t i = 0; i < y.dim[3]; i++)
                for (int64_t j = 0; j < y.dim[4]; j++) {
                    double s = 0;
                    for (int64_t a = 0; a < w.dim[2]; a++)
                        for (int64_t b = 0; b < w.dim[3]; b++)
                            for (int64_t d = 0; d < w.dim[4]; d++) {
                                int64_t pt = t * step[0] + a - pre[0],
                                        pi = i * step[1] + b - pre[1];
                                int64_t pj = j * step[2] + d - pre[2];
                                if (pt < 0 || pt >= x.dim[2] || pi < 0 || pi >= x.dim[3] ||
                                    pj < 0 || pj >= x.dim[4])
                                    continue;
                                for (int64_t c = 0; c < x.dim[1]; c++)
                                    s += x.at(c * x.stride[1] + pt * x.stride[2] +
                                              pi * x.stride[3] + pj * x.stride[4]) *
                                         w.at(o * w.stride[0] + c * w.stride[1] + a * w.stride[2] +
                                              b * w.stride[3] + d * w.stride[4]);
                            }
                    y.put(o * y.stride[1] + t * y.stride[2] + i * y.stride[3] + j * y.stride[4], s);
                }
    return true;
}

/* Every place of y, with its place in others of its rank, whose axes of one go along. */
template <class F> static bool each_of(const view &y, std::vector<const view *> others, F f)
{
    std::vector<int64_t> i(y.dim.size()), at(others.size());
    for (const view *x : others) {
        if (!x->p || x->dim.size() != y.dim.size())
            return false;
        for (size_t a = 0; a < i.size(); a++)
            if (x->dim[a] != y.dim[a] && x->dim[a] != 1)
                return false;
    }
    for (;;) {
        int64_t ay = 0;
        for (int64_t &x : at)
            x = 0;
        for (size_t a = 0; a < i.size(); a++) {
            ay += i[a] * y.stride[a];
            for (size_t k = 0; k < at.size(); k++)
                at[k] += (others[k]->dim[a] == 1 ? 0 : i[a]) * others[k]->stride[a];
        }
        f(ay, at);
        size_t a = 0;
        while (a < i.size() && ++i[a] == y.dim[a])
            i[a++] = 0;
        if (a == i.size())
            return true;
    }
}

static bool pointwise(ref op, places &at, std::vector<std::vector<char>> &inside)
{
    ref how = one<ref>(op, CUDNN_ATTR_OPERATION_POINTWISE_PW_DESCRIPTOR);
    ref second = one<ref>(op, CUDNN_ATTR_OPERATION_POINTWISE_BDESC);
    cudnnPointwiseMode_t mode = one<cudnnPointwiseMode_t>(how, CUDNN_ATTR_POINTWISE_MODE);
    bool alone = mode == CUDNN_POINTWISE_EXP || mode == CUDNN_POINTWISE_LOG;
    view x = see(one<ref>(op, CUDNN_ATTR_OPERATION_POINTWISE_XDESC), at, inside);
    view y = see(one<ref>(op, CUDNN_ATTR_OPERATION_POINTWISE_YDESC), at, inside);
    if (!y.p || alone != !second ||
        one<cudnnDataType_t>(how, CUDNN_ATTR_POINTWISE_MATH_PREC) != CUDNN_DATA_FLOAT)
        return false;
    view b = second ? see(second, at, inside) : x;
    bool known = true;
    return each_of(y, {&x, &b},
                   [&](int64_t to, const std::vector<int64_t> &i) {
                       double u = x.at(i[0]), v = b.at(i[1]);
                       switch (mode) {
                       case CUDNN_POINTWISE_ADD:
                           return y.put(to, u + v);
                       case CUDNN_POINTWISE_SUB:
                           return y.put(to, u - v);
                       case CUDNN_POINTWISE_MUL:
                           return y.put(to, u * v);
                       case CUDNN_POINTWISE_DIV:
                           return y.put(to, u / v);
                       case CUDNN_POINTWISE_EXP:
                           return y.put(to, exp(u));
                       case CUDNN_POINTWISE_LOG:
                           return y.put(to, log(u));
                       default:
                           known = false;
                       }
                   }) &&
           known;
}

/* y, of fewer places than x: the largest, the largest without its sign, or the sum */
static bool reduce(ref op, places &at, std::vector<std::vector<char>> &inside)
{
    ref how = one<ref>(op, CUDNN_ATTR_OPERATION_REDUCTION_DESC);
    cudnnReduceTensorOp_t mode = one<cudnnReduceTensorOp_t>(how, CUDNN_ATTR_REDUCTION_OPERATOR);
    view x = see(one<ref>(op, CUDNN_ATTR_OPERATION_REDUCTION_XDESC), at, inside);
    view y = see(one<ref>(op, CUDNN_ATTR_OPERATION_REDUCTION_YDESC), at, inside);
    bool sum = mode == CUDNN_REDUCE_TENSOR_ADD, bare = mode == CUDNN_REDUCE_TENSOR_AMAX;
    if (!x.p || !y.p || (!sum && !bare && mode != CUDNN_REDUCE_TENSOR_MAX) ||
        one<cudnnDataType_t>(how, CUDNN_ATTR_REDUCTION_COMP_TYPE) != CUDNN_DATA_FLOAT)
        return false;
    each_of(y, {}, [&](int64_t to, const std::vector<int64_t> &) {
        y.put(to, sum || bare ? 0 : -INFINITY);
    });
    return each_of(x, {&y}, [&](int64_t from, const std::vector<int64_t> &to) {
        double v = x.at(from), old = y.at(to[0]);
        y.put(to[0], sum ? old + v : fmax(old, bare ? fabs(v) : v));
    });
}

/* y[·, h, i, j] = Σ a[·, h, i, l]·b[·, h, l, j] */
static bool multiply(ref op, places &at, std::vector<std::vector<char>> &inside)
{
    ref how = one<ref>(op, CUDNN_ATTR_OPERATION_MATMUL_DESC);
    view a = see(one<ref>(op, CUDNN_ATTR_OPERATION_MATMUL_ADESC), at, inside);
    view b = see(one<ref>(op, CUDNN_ATTR_OPERATION_MATMUL_BDESC), at, inside);
    view y = see(one<ref>(op, CUDNN_ATTR_OPERATION_MATMUL_CDESC), at, inside);
    if (!a.p || !b.p || !y.p || a.type != b.type || y.dim.size() != 4 || y.dim[0] != 1 ||
        a.dim[3] != b.dim[2] || y.dim[2] != a.dim[2] || y.dim[3] != b.dim[3] ||
        a.dim[1] != y.dim[1] || b.dim[1] != y.dim[1] ||
        one<cudnnDataType_t>(how, CUDNN_ATTR_MATMUL_COMP_TYPE) != CUDNN_DATA_FLOAT)
        return false;
    int64_t n = a.dim[3], columns = y.dim[3];
    std::vector<double> wide((size_t)(n * columns));
    for (int64_t h = 0; h < y.dim[1]; h++) {
        for (int64_t l = 0; l < n; l++)
            for (int64_t j = 0; j < columns; j++)
                wide[(size_t)(l * columns + j)] =
                    b.at(h * b.stride[1] + l * b.stride[2] + j * b.stride[3]);
        std::vector<double> sum((size_t)columns);
        for (int64_t i = 0; i < y.dim[2]; i++) {
            for (double &s : sum)
                s = 0;
            for (int64_t l = 0; l < n; l++) {
                double v = a.at(h * a.stride[1] + i * a.stride[2] + l * a.stride[3]);
                for (int64_t j = 0; j < columns; j++)
                    sum[(size_t)j] += v * wide[(size_t)(l * columns + j)];
            }
            for (int64_t j = 0; j < columns; j++)
                y.put(h * y.stride[1] + i * y.stride[2] + j * y.stride[3], sum[(size_t)j]);
        }
    }
    return true;
}

/* How many rows count: an int32 of the device, read when the plan runs; all where there is none. */
static int64_t count_of(ref op, int name, int64_t most, places &at,
                        std::vector<std::vector<char>> &inside)
{
    if (!op->set.count(name))
        return most;
    view n = see(one<ref>(op, name), at, inside);
    if (!n.p || n.type != CUDNN_DATA_INT32 || n.dim != std::vector<int64_t>(4, 1) ||
        (uintptr_t)n.p % 16)
        return -1;
    return *(int32_t *)n.p;
}

/* What lies behind the keys that count has no weight; but the tile that they end in is multiplied
 * whole, and 0 times what is no number is none. */
static bool attend(ref op, places &at, std::vector<std::vector<char>> &inside)
{
    view q = see(one<ref>(op, CUDNN_ATTR_OPERATION_SDPA_FWD_QDESC), at, inside);
    view k = see(one<ref>(op, CUDNN_ATTR_OPERATION_SDPA_FWD_KDESC), at, inside);
    view v = see(one<ref>(op, CUDNN_ATTR_OPERATION_SDPA_FWD_VDESC), at, inside);
    view o = see(one<ref>(op, CUDNN_ATTR_OPERATION_SDPA_FWD_ODESC), at, inside);
    view scale = see(one<ref>(op, CUDNN_ATTR_OPERATION_SDPA_FWD_SCALEDESC), at, inside);
    if (!q.p || !k.p || !v.p || !o.p || !scale.p || q.dim[3] != k.dim[3] || k.dim[2] != v.dim[2])
        return false;
    const int64_t tile = 128;
    int64_t nq = count_of(op, CUDNN_ATTR_OPERATION_SDPA_FWD_SEQ_LEN_QDESC, q.dim[2], at, inside);
    int64_t nk = count_of(op, CUDNN_ATTR_OPERATION_SDPA_FWD_SEQ_LEN_KVDESC, k.dim[2], at, inside);
    if (nq < 1 || nq > q.dim[2] || nk < 1 || nk > k.dim[2] ||
        op->set.count(CUDNN_ATTR_OPERATION_SDPA_FWD_SEQ_LEN_QDESC) !=
            op->set.count(CUDNN_ATTR_OPERATION_SDPA_FWD_SEQ_LEN_KVDESC))
        return false;
    int64_t touched = (nk + tile - 1) / tile * tile;
    touched = touched < k.dim[2] ? touched : k.dim[2];
    std::vector<double> p((size_t)nk);
    for (int64_t h = 0; h < q.dim[1]; h++)
        for (int64_t i = 0; i < nq; i++) {
            double top = -INFINITY, sum = 0;
            for (int64_t j = 0; j < nk; j++) {
                double s = 0;
                for (int64_t c = 0; c < q.dim[3]; c++)
                    s += q.at(h * q.stride[1] + i * q.stride[2] + c * q.stride[3]) *
                         k.at(h * k.stride[1] + j * k.stride[2] + c * k.stride[3]);
                p[(size_t)j] = s * scale.at(0);
                top = fmax(top, p[(size_t)j]);
            }
            for (double &x : p)
                sum += x = exp(x - top);
            for (int64_t c = 0; c < v.dim[3]; c++) {
                double s = 0;
                for (int64_t j = nk; j < touched; j++)
                    s += 0 * v.at(h * v.stride[1] + j * v.stride[2] + c * v.stride[3]);
                for (int64_t j = 0; j < nk; j++)
                    s += p[(size_t)j] * v.at(h * v.stride[1] + j * v.stride[2] + c * v.stride[3]);
                o.put(h * o.stride[1] + i * o.stride[2] + c * o.stride[3], s / sum);
            }
        }
    return true;
}

/* Bytes: plans of more operations want more. */
static int64_t workspace_of(ref graph, bool first)
{
    const char *greedy = getenv("EMU_GREEDY");
    return first && greedy ? (int64_t)atoll(greedy) << 20
                           : 256 * (int64_t)all<ref>(graph, CUDNN_ATTR_OPERATIONGRAPH_OPS).size();
}

struct handle {
    cudaStream_t stream;
};
static std::map<ref, uint64_t> alive; /* descriptors, in the order of their making */
static uint64_t made;

extern "C" {
cudnnStatus_t cudnnCreate(cudnnHandle_t *h)
{
    *h = (cudnnHandle_t) new handle{NULL};
    return CUDNN_STATUS_SUCCESS;
}
cudnnStatus_t cudnnDestroy(cudnnHandle_t h)
{
    delete (struct handle *)h;
    return CUDNN_STATUS_SUCCESS;
}
cudnnStatus_t cudnnSetStream(cudnnHandle_t h, cudaStream_t s)
{
    ((struct handle *)h)->stream = s;
    return CUDNN_STATUS_SUCCESS;
}
size_t cudnnGetVersion(void)
{
    return CUDNN_VERSION;
}
const char *cudnnGetErrorString(cudnnStatus_t s)
{
    return s ? "an emulated cuDNN error" : "success";
}
void cudnnGetLastErrorString(char *s, size_t n)
{
    if (n)
        *s = 0;
}
cudnnStatus_t cudnnBackendCreateDescriptor(cudnnBackendDescriptorType_t type,
                                           cudnnBackendDescriptor_t *d)
{
    *d = (cudnnBackendDescriptor_t) new part{type, false, {}};
    alive[(ref)*d] = ++made;
    return CUDNN_STATUS_SUCCESS;
}
cudnnStatus_t cudnnBackendDestroyDescriptor(cudnnBackendDescriptor_t d)
{
    ref p = (ref)d;
    if (p->set.count(RAN) && !emu_waited(one<cudaStream_t>(p, ON), one<uint64_t>(p, RAN)))
        emu_found("a plan is destroyed that may be running");
    alive.erase(p);
    delete (ref)d;
    return CUDNN_STATUS_SUCCESS;
}

static size_t size_of(cudnnBackendAttributeType_t type)
{
    return type == CUDNN_TYPE_BOOLEAN ? 1
           : type == CUDNN_TYPE_INT64 || type == CUDNN_TYPE_VOID_PTR ||
                   type == CUDNN_TYPE_BACKEND_DESCRIPTOR || type == CUDNN_TYPE_HANDLE
               ? 8
               : 4;
}

cudnnStatus_t cudnnBackendSetAttribute(cudnnBackendDescriptor_t d, cudnnBackendAttributeName_t name,
                                       cudnnBackendAttributeType_t type, int64_t n, const void *v)
{
    ref p = (ref)d;
    if (!p || p->sealed || !v || n < 1)
        return CUDNN_STATUS_BAD_PARAM;
    p->set[name].assign((const char *)v, (const char *)v + (size_t)n * size_of(type));
    return CUDNN_STATUS_SUCCESS;
}

/* A sealed plan keeps a graph of its own: the caller frees the graph's parts. */
static ref copy(ref p, std::map<ref, ref> &known)
{
    if (known.count(p))
        return known[p];
    ref q = known[p] = new part(*p);
    static const int names[] = {CUDNN_ATTR_OPERATIONGRAPH_OPS,
                                CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_CONV_DESC,
                                CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_X,
                                CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_W,
                                CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_Y,
                                CUDNN_ATTR_OPERATION_POINTWISE_PW_DESCRIPTOR,
                                CUDNN_ATTR_OPERATION_POINTWISE_XDESC,
                                CUDNN_ATTR_OPERATION_POINTWISE_BDESC,
                                CUDNN_ATTR_OPERATION_POINTWISE_YDESC,
                                CUDNN_ATTR_OPERATION_REDUCTION_DESC,
                                CUDNN_ATTR_OPERATION_REDUCTION_XDESC,
                                CUDNN_ATTR_OPERATION_REDUCTION_YDESC,
                                CUDNN_ATTR_OPERATION_MATMUL_DESC,
                                CUDNN_ATTR_OPERATION_MATMUL_ADESC,
                                CUDNN_ATTR_OPERATION_MATMUL_BDESC,
                                CUDNN_ATTR_OPERATION_MATMUL_CDESC,
                                CUDNN_ATTR_OPERATION_SDPA_FWD_QDESC,
                                CUDNN_ATTR_OPERATION_SDPA_FWD_KDESC,
                                CUDNN_ATTR_OPERATION_SDPA_FWD_VDESC,
                                CUDNN_ATTR_OPERATION_SDPA_FWD_ODESC,
                                CUDNN_ATTR_OPERATION_SDPA_FWD_SCALEDESC,
                                CUDNN_ATTR_OPERATION_SDPA_FWD_SEQ_LEN_QDESC,
                                CUDNN_ATTR_OPERATION_SDPA_FWD_SEQ_LEN_KVDESC};
    for (int name : names)
        if (q->set.count(name)) {
            std::vector<ref> in = all<ref>(q, name);
            for (ref &r : in)
                r = copy(r, known);
            memcpy(q->set[name].data(), in.data(), in.size() * sizeof(ref));
        }
    return q;
}

cudnnStatus_t cudnnBackendFinalize(cudnnBackendDescriptor_t d)
{
    ref p = (ref)d;
    if (!p || p->sealed)
        return CUDNN_STATUS_BAD_PARAM;
    p->sealed = true;
    return CUDNN_STATUS_SUCCESS;
}

/* ---- attention in e4m3: what there is, in which order, of which types ---- */

static cudnnDataType_t type_of(ref t)
{
    return one<cudnnDataType_t>(t, CUDNN_ATTR_TENSOR_DATA_TYPE);
}

static bool has(ref t, cudnnDataType_t type, std::vector<int64_t> dim, bool inside, bool by_value)
{
    return t && t->sealed && type_of(t) == type &&
           all<int64_t>(t, CUDNN_ATTR_TENSOR_DIMENSIONS) == dim &&
           one<bool>(t, CUDNN_ATTR_TENSOR_IS_VIRTUAL) == inside &&
           one<bool>(t, CUDNN_ATTR_TENSOR_IS_BY_VALUE) == by_value &&
           one<int64_t>(t, CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT) % 16 == 0;
}

/* The tensors of an operation: what it reads, and what it writes last. */
static std::vector<ref> tensors(ref op)
{
    static const std::map<int, std::vector<int>> names = {
        {CUDNN_BACKEND_OPERATION_POINTWISE_DESCRIPTOR,
         {CUDNN_ATTR_OPERATION_POINTWISE_XDESC, CUDNN_ATTR_OPERATION_POINTWISE_BDESC,
          CUDNN_ATTR_OPERATION_POINTWISE_YDESC}},
        {CUDNN_BACKEND_OPERATION_REDUCTION_DESCRIPTOR,
         {CUDNN_ATTR_OPERATION_REDUCTION_XDESC, CUDNN_ATTR_OPERATION_REDUCTION_YDESC}},
        {CUDNN_BACKEND_OPERATION_MATMUL_DESCRIPTOR,
         {CUDNN_ATTR_OPERATION_MATMUL_ADESC, CUDNN_ATTR_OPERATION_MATMUL_BDESC,
          CUDNN_ATTR_OPERATION_MATMUL_CDESC}},
        {CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR,
         {CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_X, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_W,
          CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_Y}},
        {CUDNN_BACKEND_OPERATION_SDPA_FWD_DESCRIPTOR,
         {CUDNN_ATTR_OPERATION_SDPA_FWD_QDESC, CUDNN_ATTR_OPERATION_SDPA_FWD_KDESC,
          CUDNN_ATTR_OPERATION_SDPA_FWD_VDESC, CUDNN_ATTR_OPERATION_SDPA_FWD_SCALEDESC,
          CUDNN_ATTR_OPERATION_SDPA_FWD_SEQ_LEN_QDESC, CUDNN_ATTR_OPERATION_SDPA_FWD_SEQ_LEN_KVDESC,
          CUDNN_ATTR_OPERATION_SDPA_FWD_ODESC}},
    };
    std::vector<ref> out;
    for (int name : names.at(op->type))
        if (op->set.count(name))
            out.push_back(one<ref>(op, name));
    return out;
}

static bool form_of_eight(const std::vector<ref> &ops)
{
    enum { MATMUL = 1000, MAX = 2000, ADD, AMAX };
    static const int order[] = {MATMUL,
                                CUDNN_POINTWISE_MUL,
                                CUDNN_POINTWISE_MUL,
                                CUDNN_POINTWISE_MUL,
                                MAX,
                                CUDNN_POINTWISE_SUB,
                                CUDNN_POINTWISE_EXP,
                                ADD,
                                CUDNN_POINTWISE_LOG,
                                CUDNN_POINTWISE_ADD,
                                CUDNN_POINTWISE_DIV,
                                AMAX,
                                CUDNN_POINTWISE_MUL,
                                MATMUL,
                                CUDNN_POINTWISE_MUL,
                                CUDNN_POINTWISE_MUL,
                                CUDNN_POINTWISE_MUL,
                                AMAX};
    enum { OPS = sizeof order / sizeof *order };
    const cudnnDataType_t e4 = CUDNN_DATA_FP8_E4M3, f32 = CUDNN_DATA_FLOAT;
    std::vector<std::vector<ref>> t;
    std::map<int64_t, ref> by_id;
    if (ops.size() != OPS)
        return false;
    for (int i = 0; i < OPS; i++) {
        ref op = ops[(size_t)i];
        int what = -1;
        if (op->type == CUDNN_BACKEND_OPERATION_MATMUL_DESCRIPTOR)
            what = MATMUL;
        else if (op->type == CUDNN_BACKEND_OPERATION_POINTWISE_DESCRIPTOR)
            what = one<int>(one<ref>(op, CUDNN_ATTR_OPERATION_POINTWISE_PW_DESCRIPTOR),
                            CUDNN_ATTR_POINTWISE_MODE);
        else if (op->type == CUDNN_BACKEND_OPERATION_REDUCTION_DESCRIPTOR) {
            int how = one<int>(one<ref>(op, CUDNN_ATTR_OPERATION_REDUCTION_DESC),
                               CUDNN_ATTR_REDUCTION_OPERATOR);
            what = how == CUDNN_REDUCE_TENSOR_MAX   ? MAX
                   : how == CUDNN_REDUCE_TENSOR_ADD ? ADD
                                                    : AMAX;
        }
        if (what != order[i])
            return false;
        t.push_back(tensors(op));
        for (ref x : t.back()) { /* one id, one tensor */
            int64_t id = one<int64_t>(x, CUDNN_ATTR_TENSOR_UNIQUE_ID);
            if (id < 1 || (by_id.count(id) && by_id[id] != x))
                return false;
            by_id[id] = x;
        }
    }
    std::vector<int64_t> q = all<int64_t>(t[0][0], CUDNN_ATTR_TENSOR_DIMENSIONS);
    std::vector<int64_t> v = all<int64_t>(t[13][1], CUDNN_ATTR_TENSOR_DIMENSIONS);
    if (q.size() != 4 || v.size() != 4 || q[3] % 16 || q[3] > 128)
        return false;
    std::vector<int64_t> one_number = {1, 1, 1, 1}, sums = {1, q[1], q[2], 1};
    std::vector<int64_t> logits = {1, q[1], q[2], v[2]};
    bool ok = has(t[0][0], e4, q, false, false) &&
              has(t[0][1], e4, {1, q[1], q[3], v[2]}, false, false) &&
              has(t[13][1], e4, {1, q[1], v[2], q[3]}, false, false) &&
              has(t[16][2], e4, q, false, false) && has(t[12][2], e4, logits, true, false) &&
              has(t[1][1], f32, one_number, false, true);
    for (int i : {2, 3, 12, 14, 15, 16})
        ok = ok && has(t[(size_t)i][1], f32, one_number, false, false);
    for (int i : {11, 17})
        ok = ok && has(t[(size_t)i][1], f32, one_number, false, false);
    for (int i : {0, 1, 2, 3, 5, 6, 10})
        ok = ok && has(t[(size_t)i].back(), f32, logits, true, false);
    for (int i : {4, 7, 8, 9})
        ok = ok && has(t[(size_t)i].back(), f32, sums, true, false);
    for (int i : {13, 14, 15})
        ok = ok && has(t[(size_t)i].back(), f32, q, true, false);
    /* each reads what the one before wrote, but for these */
    static const int from[][3] = {{1, 0, 0},   {2, 0, 1},   {3, 0, 2},   {4, 0, 3},   {5, 0, 3},
                                  {5, 1, 4},   {6, 0, 5},   {7, 0, 6},   {8, 0, 7},   {9, 0, 4},
                                  {9, 1, 8},   {10, 0, 6},  {10, 1, 7},  {11, 0, 10}, {12, 0, 10},
                                  {13, 0, 12}, {14, 0, 13}, {15, 0, 14}, {16, 0, 15}, {17, 0, 15}};
    for (const int *f : from)
        ok = ok && t[(size_t)f[0]][(size_t)f[1]] == t[(size_t)f[2]].back();
    return ok;
}

static bool refused(const char *what)
{
    const char *s = getenv("EMU_NO_PLAN");
    return s && !strcmp(s, what);
}

static bool takes(ref graph)
{
    std::vector<ref> ops = all<ref>(graph, CUDNN_ATTR_OPERATIONGRAPH_OPS);
    bool eight = false;
    for (ref op : ops)
        for (ref t : tensors(op))
            eight = eight || type_of(t) == CUDNN_DATA_FP8_E4M3;
    return !refused("all") &&
           (!eight || (emu_sm() / 10 == 9 && !refused("eight") && form_of_eight(ops)));
}

cudnnStatus_t cudnnBackendGetAttribute(cudnnBackendDescriptor_t d, cudnnBackendAttributeName_t name,
                                       cudnnBackendAttributeType_t, int64_t most, int64_t *n,
                                       void *out)
{
    ref p = (ref)d;
    if (name == CUDNN_ATTR_ENGINEHEUR_RESULTS) {
        *n = most < 2 ? most : 2;
        if (!takes(one<ref>(p, CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH)))
            *n = 0;
        for (int64_t i = 0; i < *n; i++) { /* these live on, as the test's end does */
            std::map<ref, ref> known;
            ref graph = copy(one<ref>(p, CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH), known);
            ref config = ((ref *)out)[i];
            config->set[GRAPH].assign((const char *)&graph, (const char *)&graph + sizeof graph);
            config->set[FIRST].assign(i == 0, 1);
        }
        return CUDNN_STATUS_SUCCESS;
    }
    if (name == CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE) {
        ref config = one<ref>(p, CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG);
        bool first = one<bool>(config, FIRST);
        if (first && refused("first"))
            return CUDNN_STATUS_NOT_SUPPORTED;
        p->set[GRAPH] = config->set[GRAPH];
        int64_t wants = workspace_of(one<ref>(p, GRAPH), first);
        p->set[WANTS].assign((const char *)&wants, (const char *)&wants + sizeof wants);
        *(int64_t *)out = wants;
    }
    return CUDNN_STATUS_SUCCESS;
}

/* A plan that runs: what a call said of it, read then. Numbers given by value are copied. */
struct execution {
    ref graph, plan;
    uint64_t made; /* the plan's, to know it again */
    places at;
    std::map<int64_t, float> value;
    void *workspace;
    int64_t wants;
    cudaStream_t stream;
};

/* What an operation reads and writes in memory: all of it in one allocation, at the 16 bytes that
 * the graph promises, and known to this stream. */
static cudnnStatus_t reach(ref op, cudaStream_t stream, places &at,
                           std::vector<std::vector<char>> &inside)
{
    std::vector<ref> all_of_it = tensors(op);
    for (ref t : all_of_it) {
        if (one<bool>(t, CUDNN_ATTR_TENSOR_IS_VIRTUAL) ||
            one<bool>(t, CUDNN_ATTR_TENSOR_IS_BY_VALUE))
            continue;
        view v = see(t, at, inside);
        if (!v.p)
            return CUDNN_STATUS_BAD_PARAM_NULL_POINTER;
        if ((uintptr_t)v.p % 16)
            return CUDNN_STATUS_BAD_PARAM_MISALIGNED_POINTER;
        emu_uses(stream, v.p, v.bytes(), t == all_of_it.back(), "a plan");
    }
    return CUDNN_STATUS_SUCCESS;
}

static cudnnStatus_t execute(struct execution e)
{
    std::vector<std::vector<char>> inside;
    places &at = e.at;
    if (emu_fails())
        return CUDNN_STATUS_EXECUTION_FAILED;
    for (auto &v : e.value)
        at[v.first] = &v.second;
    emu_uses(e.stream, e.workspace, (size_t)e.wants, true, "a plan's workspace");
    if (!alive.count(e.plan) || alive[e.plan] != e.made) {
        emu_found("a plan is run that was destroyed");
        return CUDNN_STATUS_EXECUTION_FAILED;
    }
    uint64_t now = emu_moment(e.stream);
    e.plan->set[RAN].assign((const char *)&now, (const char *)&now + sizeof now);
    e.plan->set[ON].assign((const char *)&e.stream, (const char *)&e.stream + sizeof e.stream);
    for (ref op : all<ref>(e.graph, CUDNN_ATTR_OPERATIONGRAPH_OPS)) {
        if (cudnnStatus_t bad = reach(op, e.stream, at, inside))
            return bad;
        bool ok =
            op->type == CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR
                ? convolve(op, at, inside)
            : op->type == CUDNN_BACKEND_OPERATION_POINTWISE_DESCRIPTOR ? pointwise(op, at, inside)
            : op->type == CUDNN_BACKEND_OPERATION_REDUCTION_DESCRIPTOR ? reduce(op, at, inside)
            : op->type == CUDNN_BACKEND_OPERATION_MATMUL_DESCRIPTOR    ? multiply(op, at, inside)
            : op->type == CUDNN_BACKEND_OPERATION_SDPA_FWD_DESCRIPTOR  ? attend(op, at, inside)
                                                                       : false;
        if (!ok)
            return CUDNN_STATUS_EXECUTION_FAILED;
        ref to = tensors(op).back();
        if (one<bool>(to, CUDNN_ATTR_TENSOR_IS_VIRTUAL))
            continue;
        view y = see(to, at, inside);
        emu_wrote(y.p, y.bytes());
    }
    return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t cudnnBackendExecute(cudnnHandle_t h, cudnnBackendDescriptor_t plan,
                                  cudnnBackendDescriptor_t pack)
{
    ref graph = one<ref>((ref)plan, GRAPH);
    std::vector<int64_t> ids = all<int64_t>((ref)pack, CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS);
    std::vector<void *> data = all<void *>((ref)pack, CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS);
    struct execution e = {graph,
                          (ref)plan,
                          alive[(ref)plan],
                          {},
                          {},
                          one<void *>((ref)pack, CUDNN_ATTR_VARIANT_PACK_WORKSPACE),
                          one<int64_t>((ref)plan, WANTS),
                          ((struct handle *)h)->stream};
    if (!((ref)pack)->sealed || !((ref)plan)->sealed || ids.size() != data.size() ||
        std::set<int64_t>(ids.begin(), ids.end()).size() != ids.size() || (e.wants && !e.workspace))
        return CUDNN_STATUS_BAD_PARAM;
    for (void *p : data)
        if (!p)
            return CUDNN_STATUS_BAD_PARAM;
    for (size_t i = 0; i < ids.size(); i++)
        e.at[ids[i]] = data[i];
    for (ref op : all<ref>(graph, CUDNN_ATTR_OPERATIONGRAPH_OPS))
        for (ref t : tensors(op))
            if (t && one<bool>(t, CUDNN_ATTR_TENSOR_IS_BY_VALUE)) {
                int64_t id = one<int64_t>(t, CUDNN_ATTR_TENSOR_UNIQUE_ID);
                e.value[id] = *(const float *)e.at[id];
            }
    if (!emu_captures(e.stream))
        return execute(e);
    emu_keep([=] { return execute(e) ? cudaErrorLaunchFailure : cudaSuccess; });
    return CUDNN_STATUS_SUCCESS;
}
}
