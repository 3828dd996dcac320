/* wan/weights: the named tensors of one network, as they lie in its files.
 *
 * Files are mapped, never copied: an entry points into the mapping. Everything about a file that
 * could lie (offsets, shapes, counts, names) has been checked against its size before an entry
 * exists, so a reader of entries needs no checks of its own but shape and type. Readers
 * (safetensors.c, pth.c) add entries; weights_done() sorts them. Immutable after that, any thread.
 * Files must not shrink while mapped. */
#ifndef SAKUGA_WAN_WEIGHTS_H
#define SAKUGA_WAN_WEIGHTS_H

#include "base/err.h"
#include "tensor/dtype.h"

#include <stdbool.h>
#include <stdint.h>

#define WEIGHTS_RANK 6

struct wtensor {
    char *name;
    const char *file; /* the file it came from, for messages */
    const unsigned char *data;
    enum dtype type;
    int rank; /* 0: a scalar */
    int64_t dim[WEIGHTS_RANK];
    int64_t count;
    int64_t stride[WEIGHTS_RANK]; /* in elements; only when `strided` */
    bool strided;                 /* not row-major (.pth only) */
};

struct weights {
    struct wtensor *t;
    int n, cap;
    struct mapping *maps; /* a list */
    struct cJSON *meta;   /* "__metadata__" of the first safetensors file, or NULL */
};

struct mapping {
    struct mapping *next;
    const unsigned char *data;
    size_t bytes;
    bool file;   /* of a file, which has the pages when they are dropped */
    char path[]; /* as given */
};

struct weights *weights_new(void); /* empty; NULL: out of memory */
void weights_free(struct weights *w);

/* Opens one network: a .safetensors file, a .index.json with its shards beside it, or a torch
 * .pth/.pt archive. Names are as in the file. NOTFOUND, CORRUPT, UNSUPPORTED, LIMIT. */
enum err weights_open(const char *path, struct weights **out, struct fault *f);

/* NULL when there is none of that name. */
const struct wtensor *weights_find(const struct weights *w, const char *name);

/* out[count] = the tensor as f32, row-major. */
void wtensor_widen(const struct wtensor *t, float *out);
/* Rows [from, from + n) of the first axis, for a large matrix taken in parts. */
void wtensor_widen_rows(const struct wtensor *t, int64_t from, int64_t n, float *out);

/* What was read of the files leaves this process (and stays in the page cache while there is room):
 * the weights are elsewhere now. Reading it again costs page faults, nothing else. */
void weights_rest(const struct weights *w);

/* What is named prefix… will be read soon: the system may begin to fetch it from the disk. */
void weights_want(const struct weights *w, const char *prefix);

/* An entry of the metadata (all of them are strings), or NULL. */
const char *weights_meta(const struct weights *w, const char *key);
/* The model's config.json where a file keeps it so; the caller deletes it. NULL: there is none, or
 * one of more values than any has. */
struct cJSON *weights_config(const struct weights *w);

/* "[5120, 36, 1, 2, 2]" into out[n] */
void wtensor_shape_text(const struct wtensor *t, char *out, size_t n);

/* For readers. The limits of their JSON: the largest header in the wild, of a LoRA with the words
 * of its training in the metadata, has a few MB, the most tensors are about 3,000 of at most 13
 * values. So a hostile file takes 80 MB at most, where cJSON would take 3 GB for the 100 MB that
 * the format allows. */
#define WEIGHTS_JSON_BYTES ((size_t)16 << 20)
#define WEIGHTS_JSON_VALUES ((size_t)1 << 19)
/* Copies *t and its name. */
enum err weights_add(struct weights *w, const struct wtensor *t, struct fault *f);
/* Sorts by name; CORRUPT when a name comes twice. */
enum err weights_done(struct weights *w, struct fault *f);
/* count = product of dim; false when it overflows or a length is negative */
bool wtensor_measure(struct wtensor *t);

enum err safetensors_read(struct weights *w, const struct mapping *m, struct fault *f);
enum err pth_read(struct weights *w, const struct mapping *m, struct fault *f);

#endif
