/* tensor/cuda: one NVIDIA GPU behind the device table. For files of tensor/cuda/ only.
 *
 * All work goes in order through one stream of the lowest priority, so memory that was given back
 * may be lent again at once, and a display or OBS on the same card goes first. Weights come on
 * streams of their own (lanes; shelf.c), which that one waits for by events. Products are
 * cuBLASLt's, convolutions and large attention cuDNN's, all else kernels of our own (launch.h).
 * On a bf16 device weights and what lies between products are bf16 with sums in f32; on an f32
 * device everything is f32 and nothing is rounded to TF32: that one is for checking. */
#ifndef SAKUGA_TENSOR_CUDA_CUDA_H
#define SAKUGA_TENSOR_CUDA_CUDA_H

#include "tensor/backend.h"
#include "tensor/cuda/launch.h"

#include <cublasLt.h>
#include <cudnn.h>

#define CUDNN_LEAST 91500 /* below, conv3d gave wrong results on large bf16 inputs */
#define LANES 2
#define STAGES 4
#define PACES 4
#define STAGE_BYTES ((size_t)32 << 20)

struct memory; /* memory.c */
struct gemms;  /* gemm.c */
struct plans;  /* plans.c */
struct choices;

/* A way for weights to come: copies and what makes them ready. They take the lanes in turn, so that
 * one is rounded while the next is on the bus. */
struct lane {
    cudaStream_t stream;
    cudaEvent_t done;
};

struct cuda {
    struct device dev; /* first */
    cudaStream_t stream;
    int sm;      /* 90 for compute capability 9.0 */
    bool bf16;   /* what the device computes in; else f32 */
    bool eight;  /* and the linear layers that may be, in e4m3 */
    int threads; /* of the host, for moving weights */
    struct memory *memory;
    struct gemms *gemms;
    struct plans *plans;
    struct choices *choices;
    cudnnHandle_t dnn;
    cudaEvent_t paces[PACES];
    int pace_next;
    struct lane lanes[LANES];
    int lane_next;
    /* pinned memory between the host and a stream, used in turn */
    void *stage[STAGES];
    cudaEvent_t staged[STAGES]; /* the stream is done with it */
    int stage_next;
};

/* A matrix or kernel: data [out][in] or [out][kt][kh][kw][in], of `type`; a matrix of F8_E4M3 has
 * its scales behind it, as a tensor. Of a convolution in bf16,
 * in and out are rounded up to a multiple of 8 (`in8`, `out8`), zeros behind. */
struct cuda_weight {
    struct weight w; /* first */
    void *data;
    enum dtype type;
    int64_t in8, out8;
    float *bias;    /* [out8] on the device, or NULL */
    void *bias_low; /* the same in bf16, on a bf16 device */
    /* of one that takes turns (shelf.c): `data` is a place in a berth, where it is there */
    struct shelf *shelf; /* or NULL */
    struct cuda_weight *next;
    void *parked; /* in pinned host memory */
    size_t bytes;
    int part;
};

static inline struct cuda *cuda_of(struct device *d)
{
    return (struct cuda *)d;
}

/* False, with the failure kept, unless `e` is success. `a`, `b`, `n`: sizes that help the reader.
 */
bool cuda_ok(struct cuda *c, cudaError_t e, const char *call, int64_t a, int64_t b, int64_t n);

static inline struct span span_of(const struct tensor *t)
{
    return (struct span){t->data, t->type};
}

/* `t` itself when it is of `type`, else a copy of that type whose memory is in *own: give it to
 * device_release() when it is not NULL. */
struct tensor cuda_as(struct cuda *c, const struct tensor *t, enum dtype type, void **own);

/* memory.c */
bool memory_open(struct cuda *c, struct fault *f);
void memory_close(struct cuda *c);
void *memory_alloc(struct device *d, size_t bytes);
void memory_release(struct device *d, void *p);
void memory_trim(struct device *d);
void memory_reserve(struct device *d, uint64_t bytes);
/* The same of a stream, and without the failure kept when there is no memory. */
void *memory_take(struct cuda *c, size_t bytes, cudaStream_t stream);
void memory_give(struct cuda *c, void *p, cudaStream_t stream);
void memory_send(struct cuda *c, void *to, const void *from, size_t bytes, cudaStream_t stream);
void memory_write(struct device *d, void *to, const void *from, size_t bytes);
void memory_read(struct device *d, void *to, const void *from, size_t bytes);
void memory_copy(struct device *d, void *to, const void *from, size_t bytes);
/* The next pinned buffer of STAGE_BYTES, free of its stream; NULL with the failure kept. After
 * queueing work with it, stage_done(). */
void *stage_take(struct cuda *c);
void stage_done(struct cuda *c, cudaStream_t stream);

/* weight.c */
struct weight *weight_pack(struct device *d, const struct weight_spec *spec);
void weight_unpack(struct weight *w);

/* shelf.c */
struct shelf *shelf_open(struct device *d, int parts);
void shelf_close(struct shelf *s);
void shelf_bring(struct shelf *s, int part, int next);
/* Moves data of a weight, packed on `stream`, to the shelf. False: the failure is kept. */
bool shelf_park(struct cuda_weight *w, struct shelf *s, int part, size_t bytes,
                cudaStream_t stream);
void shelf_forget(struct cuda_weight *w);

/* linear.c */
void linear_run(struct device *d, const struct linear_op *op);
void linear_join(struct device *d, const struct join_op *op);

/* parcel.c */
struct parcel *parcel_open(struct device *d, size_t most);
void parcel_close(struct parcel *p);
void parcel_fill(struct parcel *p, const struct tensor *x, float scale, float shift);
void parcel_wait(struct parcel *p);

/* conv.c, attention.c */
void conv_run(struct device *d, const struct conv_op *op);
void attention_run(struct device *d, const struct attention_op *op);

#endif
