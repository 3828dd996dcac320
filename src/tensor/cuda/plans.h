/* tensor/cuda/plans: graphs of cuDNN by its C backend interface, and the plans made of them.
 *
 * A graph is built from the tensors and operations below, turned into a plan for a target (a GPU,
 * or the properties of one that is not here: that is how the tests check every graph of ours
 * without a GPU), and freed. A builder keeps its first trouble, so that a graph reads as a list.
 * Plans are kept by a key of bytes. */
#ifndef SAKUGA_TENSOR_CUDA_PLANS_H
#define SAKUGA_TENSOR_CUDA_PLANS_H

#include <cudnn.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cuda;
struct fault;

#define GRAPH_PARTS 96
#define GRAPH_OPS 20

struct graph {
    cudnnBackendDescriptor_t part[GRAPH_PARTS]; /* owned */
    int parts;
    cudnnBackendDescriptor_t op[GRAPH_OPS]; /* borrowed from `part` */
    int ops;
    cudnnStatus_t bad; /* the first trouble, */
    const char *call;  /* where it was, */
    char words[160];   /* and what the library says to it */
};

/* Where a plan is to run: a handle, or properties. Plans that want more memory for the time of a
 * run than `most` bytes (0: any) are passed over: on a GeForce the library also recommends some
 * that want gigabytes. */
struct graph_target {
    cudnnHandle_t handle;
    cudnnBackendDescriptor_t properties;
    int64_t most;
};
#define PLAN_WORKSPACE ((int64_t)256 << 20) /* that all graphs of ours have plans within */

/* A tensor of `rank` axes; a scalar that is given at run time by its address on the host when
 * `by_value`; one that never leaves the chip when `inside`. */
struct graph_tensor {
    int64_t id;
    cudnnDataType_t type;
    int rank;
    const int64_t *dim, *stride;
    bool inside, by_value;
};
cudnnBackendDescriptor_t graph_tensor(struct graph *g, struct graph_tensor t);
cudnnBackendDescriptor_t graph_part(struct graph *g, cudnnBackendDescriptorType_t type);
void graph_set(struct graph *g, cudnnBackendDescriptor_t part, cudnnBackendAttributeName_t name,
               cudnnBackendAttributeType_t type, int64_t n, const void *value);
void graph_seal(struct graph *g, cudnnBackendDescriptor_t part);
void graph_op(struct graph *g, cudnnBackendDescriptor_t op); /* sealed */
/* y = x + b, x·b, exp x (b NULL), … in f32, inside a graph */
void graph_map(struct graph *g, cudnnPointwiseMode_t mode, cudnnBackendDescriptor_t x,
               cudnnBackendDescriptor_t b, cudnnBackendDescriptor_t y);
void graph_free(struct graph *g);

struct plan {
    cudnnBackendDescriptor_t plan, config;
    int64_t workspace, engine;
    int candidate; /* its number in the library's list */
};

/* The plans of a graph in the order that the library recommends, at most `most`; how many. 0: `g`
 * says why. After the first, one that takes long to build ends the list. `only`: that candidate
 * alone, or −1. plan_free() ends each. */
int graph_plans(struct graph *g, const struct graph_target *at, struct plan *out, int most,
                int only);
void plan_free(struct plan *p);

/* The graphs (sdpa.c, sdpa_eight.c, convgraph.c). Ids of their tensors, those from ID_INSIDE on
 * never leave the chip: */
enum {
    ID_Q = 1,
    ID_K,
    ID_V,
    ID_O,
    ID_SCALE,
    ID_X,
    ID_W,
    ID_Y,
    ID_BIAS,
    ID_ADD,
    ID_DESCALE_Q, /* scalars in device memory, of attention in e4m3 */
    ID_DESCALE_K,
    ID_DESCALE_V,
    ID_DESCALE_S,
    ID_SCALE_S,
    ID_SCALE_O,
    ID_AMAX_S, /* results */
    ID_AMAX_O,
    ID_COUNT_Q, /* how many count, in device memory */
    ID_COUNT_K,
    ID_INSIDE
};

/* out = softmax(scale·q·kᵀ)·v in bf16; rows of q, k, v, out [n, heads·width], ld elements apart.
 * With `eight` all four are e4m3, each with one scale for all of it:
 *     s = scale·descale_q·descale_k·q·kᵀ
 *     out = scale_o·descale_s·descale_v·(scale_s·softmax(s))·v
 * `counted`: how many of the nq queries and nk keys there are is read when it runs, an int32 each
 * on the device (9.15 on). Values behind them are multiplied by 0, so they must be finite. */
struct sdpa_shape {
    int64_t heads, nq, nk, width, ldq, ldk, ldv, ldo, eight, counted;
};
void sdpa_graph(struct graph *g, const struct sdpa_shape *s);
void sdpa_eight_graph(struct graph *g, const struct sdpa_shape *s);

/* y = conv(x) (+ add) + bias, all in bf16: x [xt, xh, xw, in], w [out][kt][kh][kw][in], bias [out],
 * add of y's shape and perhaps y itself. */
struct conv_shape {
    int64_t xt, xh, xw, in, yt, yh, yw, out;
    int64_t kt, kh, kw, stride_t, stride, top, bottom, left, right;
    int bias, add;
};
void conv_graph(struct graph *g, const struct conv_shape *s);

/* Kept plans of a device. */
enum err plans_open(struct cuda *c, struct fault *f);
void plans_close(struct cuda *c);

#define PLAN_IDS 13

/* Runs the plan for a shape with the tensors named by id; makes it at first use, by timing what the
 * library recommends (`result`: that id's tensor of so many bytes is overwritten several times
 * then, or, when it is an input too, memory of its own takes its place; 0: the first plan will do).
 * False with no failure kept: the library has no plan for this graph. */
struct plan_run {
    const void *key;
    size_t key_n;
    void (*graph)(struct graph *g, const void *shape);
    const char *what;
    int64_t size[3]; /* for the words of a failure */
    int64_t id[PLAN_IDS];
    void *data[PLAN_IDS];
    int n;
    int result;
    size_t result_bytes;
    bool input_too;
};
bool plans_run(struct cuda *c, const struct plan_run *r);
/* Is there a plan? Of one that is not timed (`result` 0) the data need not be there yet. */
bool plans_can(struct cuda *c, const struct plan_run *r);

#endif
