/* wan/dit: the diffusion transformer, latents → velocity (spec 4, 5, 13, 14).
 *
 * One struct holds the weights on a device, all of them or a block or two at a time. What depends
 * only on the prompt (text embedding, and every block's cross-attention keys and values) lies in a
 * struct dit_prompt and serves all steps. Latents enter and leave in host memory, channel first,
 * as the samplers keep them. One thread; a prompt or cache must go before its dit. */
#ifndef SAKUGA_WAN_DIT_H
#define SAKUGA_WAN_DIT_H

#include "wan/load.h"
#include "wan/probe.h"
#include "wan/teacache.h"

#define DIT_LAYERS_MAX 64
#define DIT_TEXT 512      /* text rows that the model was trained with; short prompts are padded */
#define DIT_FREQ_MAX 1024 /* numbers of a timestep's embedding, before the network; 256 */
#define DIT_HEAD 128      /* width of a head, in every Wan model */

struct dit_config {
    int64_t dim, ffn, text_dim, freq_dim;
    int in, out; /* latent channels of its input (16, 36, 48) and output */
    bool ref;    /* it takes a reference picture (Fun-Control V1.1) */
    bool camera; /* it has an adapter for camera paths, which nothing here feeds */
    int heads, layers;
    int64_t image_dim;           /* width of CLIP tokens; 0: no image input */
    int64_t image_tokens;        /* rows of img_emb.emb_pos (FLF2V), else 0 */
    int vace;                    /* VACE blocks, 0: none */
    int vace_in;                 /* channels of the VACE context */
    int vace_at[DIT_LAYERS_MAX]; /* main block that gets hint j */
};

/* Where the weights of its blocks are. */
enum dit_place {
    DIT_IN_FILES, /* there until a block begins; on the device while it is worked with */
    DIT_RESIDENT, /* all on the device */
    DIT_PARKED    /* in host memory, ready, and on the device in turns (shelf_new) */
};

struct dit;
struct dit_prompt;
struct dit_cache;

/* Reads the configuration from the tensors, and VACE's places from the metadata. */
enum err dit_config_read(const struct weights *w, struct dit_config *out, struct fault *f);

/* `patch` may be NULL and must live as long as the dit. `stop` (NULL: never) is asked before each
 * block. */
enum err dit_open(struct device *dev, const struct weights *w, const struct patcher *patch,
                  enum dit_place place, const struct stopper *stop, struct dit **out,
                  struct fault *f);
void dit_free(struct dit *d); /* NULL is fine */
const struct dit_config *dit_config(const struct dit *d);
uint64_t dit_parked(const struct dit *d); /* bytes in host memory; NULL is fine */
int dit_threads(const struct dit *d);     /* of the host, for work between passes */
bool dit_apart(const struct dit *d); /* its device works by itself: the host is free meanwhile */

/* Loads again each weight that `touches` says the patches change, from the mapped file. After a
 * failure, and so after a stop, the dit is of no more use and is to be freed. */
enum err dit_reload(struct dit *d, bool (*touches)(void *user, const char *name), void *user,
                    const struct stopper *stop, struct fault *f);

/* context [n, text_dim], n ≥ 1; clip [image_n, image_dim] or NULL. Probes: "text_embed",
 * "img_emb". */
struct dit_prompt_spec {
    const float *context;
    int64_t n;
    const float *clip;
    int64_t clip_n;
    const struct probe *probe;
    const struct stopper *stop; /* or NULL; asked before each block */
};
enum err dit_prompt_new(struct dit *d, const struct dit_prompt_spec *spec, struct dit_prompt **out,
                        struct fault *f);
void dit_prompt_free(struct dit_prompt *p);

/* Keys and values of all frames so far, for block-by-block generation (spec 13). */
enum err dit_cache_new(struct dit *d, int64_t tokens, struct dit_cache **out, struct fault *f);
void dit_cache_free(struct dit_cache *c);
/* Takes tokens [from, from + n) out of a cache that holds `filled`; those behind move up. */
enum err dit_cache_drop(struct dit *d, struct dit_cache *c, int64_t from, int64_t n, int64_t filled,
                        struct fault *f);
/* Keys (which 0) or values (1) of a layer: [tokens, dim]. */
const struct tensor *dit_cache_see(const struct dit_cache *c, int layer, int which);

struct dit_input {
    const float *x;    /* [16, frames, height, width]: latents */
    const float *y;    /* [in − 16, frames, height, width]: image condition, or NULL */
    const float *ref;  /* [16, height, width]: a reference's latents, a frame of its own, or NULL */
    const float *vace; /* [vace_in, frames, height, width], or NULL */
    float vace_scale;
    int frames, height, width; /* of the latent; height and width even */
    double t;                  /* 1000·sigma, may be fractional */
    const struct dit_prompt *prompt;
    struct dit_cache *cache; /* or NULL: all frames see each other */
    int first_frame;         /* place of frame 0 in time */
    int cache_frame;         /* and in the cache: as many frames are kept before it */
    struct teacache *tea;    /* or NULL: every step runs all blocks */
    const struct probe *probe;
    /* Asked before every block; true: ERR_CANCELLED. Where a pass over a cache is recorded and
     * played as a whole (caps.graphs, all weights on the device), before the pass alone: it takes
     * tens of milliseconds. Unless others want the device too (`shared`): then, that there are
     * gaps for them, it goes block by block again. */
    bool (*stop)(void *user);
    void *stop_user;
    bool shared;
};

/* out [16, frames, height, width] = the velocity noise − x0. Passes over a cache that are alike but
 * for their numbers (the same place in the cache, shape and prompt) are recorded, so that the next
 * is one call to the device (track_new); the result is the same, bit for bit. */
enum err dit_forward(struct dit *d, const struct dit_input *in, float *out, struct fault *f);

/* cos and sin of the rotary angles, (2·count): axis widths for a head of `width` are
 * width − 4·⌊width/6⌋, 2·⌊width/6⌋, 2·⌊width/6⌋. out [frames·rows·columns, width/2, 2]. */
void dit_rope(float *out, int width, int first_frame, int frames, int rows, int columns);

/* The sinusoidal embedding of a timestep: cosines, then sines. out[dim] */
void dit_time(float *out, int64_t dim, double t);

#endif
