/* wan/t5: the umT5 encoder, token ids → context rows (spec 3.4).
 *
 * Runs on the true length only: a masked key has no weight, so the 512-row form gives the same
 * rows. Weights stay as they lie in the file and are loaded half a layer at a time while encoding,
 * unless t5_keep() put them on the device for good. One thread. */
#ifndef SAKUGA_WAN_T5_H
#define SAKUGA_WAN_T5_H

#include "wan/probe.h"
#include "wan/weights.h"

struct t5 {
    struct device *dev;
    const struct weights *weights;  /* borrowed; canonical names (names.h) */
    int64_t vocab, dim, width, ffn; /* width: of the attention, heads x 64 in umT5-XXL */
    int heads, layers, buckets;
    struct t5_block *kept;    /* [layers] on the device, or NULL */
    bool (*stop)(void *user); /* may be set: asked before each layer; true: CANCELLED */
    void *stop_user;
};

/* Reads the sizes from the tensors; no weight is touched. */
enum err t5_open(struct device *dev, const struct weights *w, struct t5 *out, struct fault *f);

/* Loads all weights and keeps them until t5_drop(); stops between layers, as t5_encode() does. */
enum err t5_keep(struct t5 *t, struct fault *f);
void t5_drop(struct t5 *t); /* nothing kept is fine */

/* out[n, dim] = the encoding of ids[n], n ≥ 1. Probes: "blockJ". */
enum err t5_encode(const struct t5 *t, const int *ids, int n, float *out, const struct probe *probe,
                   struct fault *f);

/* The bucket of the relative position key − query, of `buckets` (32) in all. */
int t5_bucket(int relative, int buckets);

#endif
