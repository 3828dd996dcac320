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
#ifndef QUERIES_WORTH
#define QUERIES_WORTH 128 /* below, a plan of attention is not worth its second of compiling */
#endif
#ifndef QUERIES_WORTH_EIGHT
#define QUERIES_WORTH_EIGHT 512 /* below, rounding to e4m3 costs more than the products save */
#endif
#define LANES 2
#define STAGES 4
#define PACES 4
#define STAGE_BYTES ((size_t)32 << 20)

struct memory;
extern const struct device_ops cuda_ops; /* cuda.c; opened by open.c */

/* memory.c */
struct gemms; /* gemm.c */
struct plans; /* plans.c */
struct choices;

/* Linear layers that may be low are in e4m3 with a scale a row where the library multiplies such
 * (9.0), else with a scale a tensor (8.9, 10.0 and later; the scales of all rows are the same
 * then), else their weights are only stored so, and widened for each product. */
enum eight { EIGHT_NOT, EIGHT_STORED, EIGHT_TENSORS, EIGHT_ROWS };
/* A way for weights to come: copies and what makes them ready. They take the lanes in turn, so that
 * one is rounded while the next is on the bus. */
struct lane {
    cudaStream_t stream;
    cudaEvent_t done;
};

struct cuda {
    struct device dev; /* first */
    cudaStream_t stream;
    int sm;             /* 90 for compute capability 9.0 */
    bool bf16;          /* what the device computes in; else f32 */
    enum eight eight;   /* what is done in e4m3 besides, */
    bool attends_eight; /* and whether attention is */
    int threads;        /* of the host, for moving weights */
    struct memory *memory;
    struct gemms *gemms;
    struct plans *plans;
    struct choices *choices;
    cudnnHandle_t dnn;
    int32_t *counts;    /* attention.c: on the device, how many queries and keys count, */
    int32_t counted[2]; /* and what is queued to be there; 0: not known */
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
 * a scale for each row. Of a convolution in bf16,
 * in and out are rounded up to a multiple of 8 (`in8`, `out8`), zeros behind. */
struct cuda_weight {
    struct weight w; /* first */
    void *data;
    enum dtype type;
    struct cuda_weight *whole; /* or NULL: data, scales and biases are those of its rows, */
    int64_t at;                /* from here on; it frees them */
    int64_t came;              /* rows of it that have values */
    struct lane *lane;         /* that it came on, and its rows come on */
    int64_t in8, out8;
    float *bias;    /* [out8] on the device, or NULL */
    void *bias_low; /* the same in bf16, on a bf16 device */
    /* of one that takes turns (shelf.c): `data` is a place in a berth, where it is there */
    struct shelf *shelf;      /* or NULL */
    struct cuda_weight *next; /* of its part */
    void *parked;             /* in pinned host memory, or NULL: not yet */
    size_t bytes;             /* of data */
    int part;                 /* of the shelf */
};

/* Where it lies now: rows of a whole are where that is. */
static inline void *weight_data(const struct cuda_weight *w)
{
    const struct cuda_weight *all = w->whole ? w->whole : w;
    return (char *)all->data + (size_t)(w->at * w->w.in) * dtype_size(w->type);
}

/* Of e4m3: [out], behind the data of all. */
static inline float *weight_scales(const struct cuda_weight *w)
{
    const struct cuda_weight *all = w->whole ? w->whole : w;
    return eight_scales(all->data, all->w.out, all->w.in) + w->at;
}

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

/* What a failed call of CUDA, cuBLAS or cuDNN means: ERR_NOMEM of the job, ERR_LOST after a sticky
 * error (a bad address, a failed launch, ECC: each call of this process fails from then on), else
 * ERR_IO. */
enum err cuda_blame(struct cuda *c, bool memory);

/* `t` itself when it is of `type`, else a copy of that type whose memory is in *own: give it to
 * device_release() when it is not NULL. */
struct tensor cuda_as(struct cuda *c, const struct tensor *t, enum dtype type, void **own);

/* Rows [rows, width] of F32 or BF16 to e4m3, their scales to `scales`. */
void cuda_round(struct cuda *c, void *to, float *scales, struct span from, int64_t rows,
                int64_t width, cudaStream_t stream);
/* Where a kernel that rounds row by row is to write what belongs into y: y itself, or, where all
 * rows are to have one scale, a tensor of bf16 that cuda_rounded() rounds and ends. */
struct tensor cuda_unrounded(struct cuda *c, const struct tensor *y);
void cuda_rounded(struct cuda *c, const struct tensor *y, struct tensor *wide);

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
/* All that is free goes back to the system, what was reserved too: for want of any other. Waits. */
void memory_let_go(struct cuda *c);
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
/* `w` itself, or, where it is only stored in e4m3, *own, widened: its data go by device_release(),
 * unless NULL. */
const struct cuda_weight *weight_wide(struct cuda *c, const struct weight *w,
                                      struct cuda_weight *own);

/* shelf.c */
struct shelf *shelf_open(struct device *d, int parts);
void shelf_close(struct shelf *s);
void shelf_bring(struct shelf *s, int part, int next);
/* Moves the data of a weight to the part and shelf that it names, after the work on `stream`.
 * False: the failure is kept. */
bool shelf_park(struct cuda_weight *w, cudaStream_t stream);
void shelf_forget(struct cuda_weight *w);

/* linear.c */
void linear_run(struct device *d, const struct linear_op *op);
void linear_join(struct device *d, const struct join_op *op);

/* record.c */
bool record_begin(struct device *d);
void *record_end(struct device *d);
void record_play(struct device *d, void *recording);
void record_forget(struct device *d, void *recording);

/* parcel.c */
struct parcel *parcel_open(struct device *d, size_t most);
void parcel_close(struct parcel *p);
void parcel_fill(struct parcel *p, const struct tensor *x, float scale, float shift);
void parcel_wait(struct parcel *p);

/* conv.c, attention.c */
void conv_run(struct device *d, const struct conv_op *op);
void attention_run(struct device *d, const struct attention_op *op);

#endif
