/* wan/load: from named tensors in files to weights on a device.
 *
 * A loader is a short-lived helper of one network. It keeps its first failure, as a device does:
 * after one, every call returns empty things, and load_done() says what was missing or misshapen,
 * with file and tensor. Scales of 8-bit weights (spec 9.3) and patches (LoRA) are applied on the
 * way, in f32; the former by the device where it does so. One thread. */
#ifndef SAKUGA_WAN_LOAD_H
#define SAKUGA_WAN_LOAD_H

#include "tensor/device.h"
#include "wan/weights.h"

/* The caller's word: asked before each piece of the work; true: no more of it, ERR_CANCELLED. */
struct stopper {
    bool (*stop)(void *user); /* or NULL: never */
    void *user;
};

/* Changes a tensor [out, in] on its way to the device; `name` is canonical. NOMEM, or CANCELLED by
 * `stop` (or NULL), which is asked within a large one: the values are of no use then. */
struct patcher {
    bool (*touches)(void *user, const char *name);
    enum err (*apply)(void *user, const struct stopper *stop, const char *name, float *values,
                      int64_t out, int64_t in);
    void *user;
};

static inline bool stopper_says(const struct stopper *s)
{
    return s && s->stop && s->stop(s->user);
}

struct loader {
    struct device *dev;
    const struct weights *weights;
    const struct patcher *patch; /* or NULL */
    const struct stopper *stop;  /* or NULL */
    bool lent;                   /* the weights go before the files do */
    bool precise, low;           /* how weights may be multiplied (weight_spec) */
    struct weight *whole;        /* or NULL: what comes is rows of this weight, */
    int64_t at;                  /* from here on */
    struct shelf *shelf;         /* or NULL: linear layers take turns there, as those of `part` */
    int part;
    struct fault fault; /* the first failure */
    float *stage;       /* values on their way */
    int64_t stage_n;
    float *bias;
    int64_t bias_n;
    float *scales; /* of rows, for a device that applies them */
    int64_t scales_n;
};

#define LOADER_INIT(device, from) ((struct loader){.dev = (device), .weights = (from)})

/* Before a block: is it not to be loaded, since the loader has failed or the caller says stop? */
bool load_stopped(struct loader *l);

/* Frees the buffers and lets go of the file's pages; returns the failure. */
enum err load_done(struct loader *l, struct fault *f);

/* `name`.weight [out, in] (or with kernel axes) and, with `bias`, `name`.bias [out]. */
struct weight *load_linear(struct loader *l, int64_t out, int64_t in, bool bias, const char *name,
                           ...) __attribute__((format(printf, 5, 6)));
struct weight *load_conv(struct loader *l, int64_t out, int64_t in, int kt, int kh, int kw,
                         const char *name, ...) __attribute__((format(printf, 7, 8)));
/* Rows [from, from + out) of a fused weight [rows, in] and its bias. */
struct weight *load_part(struct loader *l, int64_t from, int64_t out, int64_t rows, int64_t in,
                         const char *name, ...) __attribute__((format(printf, 6, 7)));
/* The tensor `name` of `n` elements in any shape, as a vector on the device. */
struct tensor load_vector(struct loader *l, int64_t n, const char *name, ...)
    __attribute__((format(printf, 3, 4)));
/* The same in host memory; the caller frees it. */
float *load_values(struct loader *l, int64_t n, const char *name, ...)
    __attribute__((format(printf, 3, 4)));
/* One row of `module`.weight, such as a word's of an embedding, into out[its length]. */
bool load_row(struct loader *l, const char *module, int64_t row, float *out);

/* The file's part that is called so will be loaded next. */
void load_ahead(const struct loader *l, const char *prefix, ...)
    __attribute__((format(printf, 2, 3)));

bool load_has(const struct loader *l, const char *name, ...) __attribute__((format(printf, 2, 3)));

/* Length of axis `axis` of a tensor, or 0 when there is none such. */
int64_t load_dim(const struct weights *w, const char *name, int axis);
/* One more than the highest i of any tensor "PREFIXi.…", so that a gap is no shorter network: the
 * manifest (manifest.h) then names what is missing. 0: none; LOAD_LAYERS_MAX: that many, or more.
 */
#define LOAD_LAYERS_MAX 1000
int load_layers(const struct weights *w, const char *prefix);

#endif
