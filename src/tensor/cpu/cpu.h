/* tensor/cpu: the reference device: f32 in ordinary memory, all cores by OpenMP. Its products may
 * round what they multiply to bf16 (device_caps.dtype); whatever leaves them is f32 again.
 *
 * Products (linear layers, convolutions) come from one of two makers behind `struct products`:
 * oneDNN, or plain C over the register tile of kernels.h. Everything else is our own.
 * For files of tensor/cpu/ only. */
#ifndef SAKUGA_TENSOR_CPU_CPU_H
#define SAKUGA_TENSOR_CPU_CPU_H

#include "tensor/backend.h"
#include "tensor/cpu/kernels.h"
#include "tensor/parallel.h"

#define CPU_KEPT 64 /* freed blocks that wait for the next tensor of their size */

struct cpu_block {
    void *p;
    size_t bytes;
};

struct attention_maker;

struct products {
    const char *name;
    enum dtype (*best)(void);                  /* by what the processor reports; NULL: f32 */
    bool (*knows)(enum dtype dtype);           /* NULL: f32 alone */
    bool borrows;                              /* device_caps */
    void (*reports)(struct device_caps *caps); /* sets those that follow from the processor */
    enum err (*open)(struct device *d, void **state, struct fault *f);
    void (*close)(void *state);
    struct weight *(*pack)(struct device *d, const struct weight_spec *spec);
    void (*unpack)(struct weight *w);
    void (*linear)(struct device *d, const struct linear_op *op);
    void (*conv)(struct device *d, const struct conv_op *op);
};

struct cpu {
    struct device dev; /* first */
    const struct kernels *k;
    const struct products *products;
    const struct attention_maker *attention; /* NULL: in f32 */
    void *state;                             /* of the products */
    int threads;
    struct cpu_block kept[CPU_KEPT];
    int kept_n;
    float *scratch; /* [threads][scratch_each]; grown on demand */
    size_t scratch_each;
};

extern const struct products products_plain;
#ifdef HAVE_DNNL
extern const struct products products_dnnl;
#endif

static inline struct cpu *cpu_of(struct device *d)
{
    return (struct cpu *)d;
}

static inline int cpu_team(const struct cpu *c, int64_t work)
{
    return parallel_team(c->threads, work);
}

/* `each` floats for every thread; cpu_scratch_of(c, THREAD_INDEX) inside. False: failure kept. */
bool cpu_scratch(struct cpu *c, size_t each);
static inline float *cpu_scratch_of(struct cpu *c, int thread)
{
    return c->scratch + (size_t)thread * c->scratch_each;
}

/* Rows [from, from + n) of a weight's values, each `row` long, as f32: in place or, widened, in
 * scratch[n·row]. */
const float *cpu_rows(const struct weight_spec *s, int64_t from, int64_t n, int64_t row,
                      float *scratch);

void *cpu_memory(size_t bytes); /* 64-byte aligned; free() */
void cpu_attention(struct device *d, const struct attention_op *op);

/* ends.c */
void cpu_patchify(struct device *d, const struct tensor *y, const struct tensor *x, int64_t at);
void cpu_unpatchify(struct device *d, const struct tensor *y, const struct tensor *x);
struct parcel *cpu_parcel_new(struct device *d, size_t most);
void cpu_parcel_free(struct parcel *p);
void cpu_parcel_send(struct parcel *p, const struct tensor *x, float scale, float shift);
void cpu_parcel_wait(struct parcel *p);

#endif
