/* tensor/backend: the table of functions behind a device, for those who implement one.
 *
 * A backend embeds `struct device` as the first member of its own state. The functions get what
 * device.c has checked: shapes agree, pointers are set, no failure is pending. They report trouble
 * with device_fail(). The table is also the seam where a test stands between the model and the
 * arithmetic (wan-golden's deliberate faults copy a table and replace rows of it).
 *
 * Rows below "fused" may be NULL: device.c then makes them of the plain rows, which is what the
 * fused form is checked against. `convert` may be NULL where all tensors are f32. */
#ifndef SAKUGA_TENSOR_BACKEND_H
#define SAKUGA_TENSOR_BACKEND_H

#include "tensor/device.h"

struct device_ops {
    void (*close)(struct device *d);
    void *(*alloc)(struct device *d, size_t bytes); /* NULL: no memory */
    void (*release)(struct device *d, void *p);
    void (*trim)(struct device *d);
    void (*wait)(struct device *d);
    void (*write)(struct device *d, void *to, const void *from, size_t bytes);
    void (*read)(struct device *d, void *to, const void *from, size_t bytes);
    void (*copy)(struct device *d, void *to, const void *from, size_t bytes);
    void (*zero)(struct device *d, void *p, size_t bytes);
    struct weight *(*pack)(struct device *d, const struct weight_spec *spec);
    void (*unpack)(struct weight *w); /* frees it */
    /* NULL where all memory is the host's: then there are no shelves, and nothing to reserve */
    struct shelf *(*shelf_new)(struct device *d, int parts);
    void (*shelf_free)(struct shelf *s);
    void (*shelf_turn)(struct shelf *s, int part, int next);
    void (*reserve)(struct device *d, uint64_t bytes);
    void (*linear)(struct device *d, const struct linear_op *op);
    void (*conv)(struct device *d, const struct conv_op *op);
    void (*norm)(struct device *d, const struct norm_op *op);
    void (*rope)(struct device *d, const struct tensor *x, int heads, const struct tensor *table);
    void (*attention)(struct device *d, const struct attention_op *op);
    void (*act)(struct device *d, const struct tensor *y, const struct tensor *x, enum act act);
    void (*add)(struct device *d, const struct tensor *y, const struct tensor *x,
                const struct tensor *z);
    void (*mul)(struct device *d, const struct tensor *y, const struct tensor *x,
                const struct tensor *z);
    void (*blend)(struct device *d, const struct tensor *y, float a, const struct tensor *x,
                  float b);
    void (*upsample)(struct device *d, const struct tensor *y, const struct tensor *x);
    void (*unfold_time)(struct device *d, const struct tensor *y, const struct tensor *x);
    void (*patchify)(struct device *d, const struct tensor *y, const struct tensor *x, int64_t at);
    void (*unpatchify)(struct device *d, const struct tensor *y, const struct tensor *x);
    struct parcel *(*parcel_new)(struct device *d, size_t most); /* fills bytes */
    void (*parcel_free)(struct parcel *p);
    void (*parcel_send)(struct parcel *p, const struct tensor *x, float scale, float shift);
    void (*parcel_wait)(struct parcel *p);
    void (*convert)(struct device *d, const struct tensor *to, const struct tensor *from);
    /* NULL where work is done when its call returns: waits until all work but that since the last
     * `behind` calls is done */
    void (*pace)(struct device *d, int behind);
    /* Of a device with caps.graphs. From here on what is queued is kept, not done; false: it is
     * not */
    bool (*record)(struct device *d);
    /* to here: what was kept, or NULL where the device could not, or something has failed */
    void *(*recorded)(struct device *d);
    void (*play)(struct device *d, void *recording); /* queues it all */
    void (*forget)(struct device *d, void *recording);
    /* NULL where nothing is measured (device_choices) */
    void (*choices_begin)(struct device *d);
    bool (*choices)(struct device *d, struct buf *out);
    enum err (*choices_rely)(struct device *d, const char *lines, size_t n, struct fault *f);
    /* fused */
    void (*join)(struct device *d, const struct join_op *op);
    bool (*turn)(struct device *d, const struct turn_op *op); /* false: not of this shape */
};

struct device {
    const struct device_ops *ops;
    struct device_caps caps;
    struct fault failure; /* the first, or that by which it was lost; ERR_OK while all is well */
    uint64_t used, peak;
    struct tape *tape; /* of its tracks, or NULL (tensor/tape.h) */
    uint64_t played;   /* recordings, so far */
};

/* First member of a backend's own weight. */
struct weight {
    struct device *dev;
    int64_t out, in;
    int kt, kh, kw;
};

/* First member of a backend's own shelf. */
struct shelf {
    struct device *dev;
    int parts;
    uint64_t bytes; /* in host memory */
};

/* First member of a backend's own parcel. */
struct parcel {
    struct device *dev;
    uint8_t *bytes; /* in host memory */
    int64_t most;
    enum parcel_form form;
};

void device_fail(struct device *d, enum err code, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
void device_count(struct device *d, int64_t bytes); /* keeps used and peak */

void *device_alloc(struct device *d, size_t bytes);
void device_release(struct device *d, void *p);

enum device_dtype {
    DEVICE_AUTO,
    DEVICE_F32,
    DEVICE_BF16,
    DEVICE_FP8, /* from here on on a GPU only */
    DEVICE_FP8_LINEAR,
    DEVICE_FP8_WEIGHT
};

/* tensor/cpu; `plain`: without oneDNN, even where it is there */
enum err cpu_open(bool plain, int threads, enum device_dtype dtype, struct device **out,
                  struct fault *f);

/* tensor/open: the same of tensor/cuda, a module that is opened on first need. The fault says which
 * of build, driver, GPU or library is missing. */
enum err cuda_open(int threads, enum device_dtype dtype, struct device **out, struct fault *f);

#endif
