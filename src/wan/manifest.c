#include "wan/manifest.h"

#include "wan/vae.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAME_LEN 256

struct shape {
    int rank;
    int64_t dim[WEIGHTS_RANK];
};

#define SHAPE(...)                                                                                 \
    ((struct shape){(int)(sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t)), {__VA_ARGS__}})

/* One network as it is walked, of each part the tensor first whose shape gives the sizes. After the
 * first failure nothing more is asked. */
struct manifest {
    const struct weights *weights;
    bool *placed; /* [weights->n]: asked for; or NULL */
    enum err e;
    struct fault *f;
};

static const char *file_of(const struct weights *w)
{
    return w->n ? w->t[0].file : "the checkpoint";
}

/* The axes without those of length 1 at both ends: from *axis on, how many. */
static int bare(int rank, const int64_t *dim, const int64_t **axis)
{
    for (; rank && dim[rank - 1] == 1; rank--)
        ;
    for (; rank && dim[0] == 1; rank--)
        dim++;
    *axis = dim;
    return rank;
}

static bool alike(const struct wtensor *t, const struct shape *s)
{
    const int64_t *a, *b;
    for (int i = 0; i < s->rank; i++)
        if (s->dim[i] < 1) /* an empty tensor fits nowhere */
            return false;
    int n = bare(t->rank, t->dim, &a);
    return n == bare(s->rank, s->dim, &b) && !memcmp(a, b, (size_t)n * sizeof *a);
}

static const struct wtensor *ask(struct manifest *p, struct shape s, const char *name)
{
    if (p->e)
        return NULL;
    const struct wtensor *t = weights_find(p->weights, name);
    if (!t) {
        p->e = fault_set(p->f, ERR_NOTFOUND, "%s has no tensor %s; fetch it again, whole",
                         file_of(p->weights), name);
        return NULL;
    }
    if (p->placed)
        p->placed[t - p->weights->t] = true;
    if (!alike(t, &s)) {
        struct wtensor wanted = {.rank = s.rank};
        char have[128], want[128];
        memcpy(wanted.dim, s.dim, sizeof wanted.dim);
        wtensor_shape_text(t, have, sizeof have);
        wtensor_shape_text(&wanted, want, sizeof want);
        p->e =
            fault_set(p->f, ERR_CORRUPT, "%s: the tensor %s is %s, not %s; fetch it again, whole",
                      t->file, t->name, have, want);
    }
    return t;
}

static void tensor(struct manifest *p, struct shape s, const char *name, ...)
    __attribute__((format(printf, 3, 4)));
static void module(struct manifest *p, struct shape s, bool bias, const char *name, ...)
    __attribute__((format(printf, 4, 5)));

static void tensor(struct manifest *p, struct shape s, const char *name, ...)
{
    char full[NAME_LEN];
    va_list ap;
    va_start(ap, name);
    vsnprintf(full, sizeof full, name, ap);
    va_end(ap);
    ask(p, s, full);
}

/* A weight, its bias [out], and the scales of an 8-bit one: one, or one a row (spec 9.3). */
static void module(struct manifest *p, struct shape s, bool bias, const char *name, ...)
{
    static const char *const scales[] = {"scale_weight", "weight_scale"};
    char at[NAME_LEN], full[NAME_LEN + 16];
    va_list ap;
    va_start(ap, name);
    vsnprintf(at, sizeof at, name, ap);
    va_end(ap);
    snprintf(full, sizeof full, "%s.weight", at);
    ask(p, s, full);
    if (bias) {
        snprintf(full, sizeof full, "%s.bias", at);
        ask(p, SHAPE(s.dim[0]), full);
    }
    for (size_t i = 0; i < sizeof scales / sizeof *scales && !p->e; i++) {
        snprintf(full, sizeof full, "%s.%s", at, scales[i]);
        const struct wtensor *t = weights_find(p->weights, full);
        if (t && p->placed)
            p->placed[t - p->weights->t] = true;
        if (t && t->count != 1 && t->count != s.dim[0])
            p->e = fault_set(p->f, ERR_CORRUPT, "%s: %s has %lld scales for %lld rows", t->file,
                             t->name, (long long)t->count, (long long)s.dim[0]);
    }
}

/* ---- the transformer (spec 2.3) ---- */

static void dit_attention(struct manifest *p, int64_t dim, const char *at)
{
    for (const char *c = "qkvo"; *c; c++)
        module(p, SHAPE(dim, dim), true, "%s.%c", at, *c);
    tensor(p, SHAPE(dim), "%s.norm_q.weight", at);
    tensor(p, SHAPE(dim), "%s.norm_k.weight", at);
}

static void dit_block(struct manifest *p, const struct dit_config *c, const char *at)
{
    char part[96];
    tensor(p, SHAPE(6, c->dim), "%s.modulation", at);
    snprintf(part, sizeof part, "%s.self_attn", at);
    dit_attention(p, c->dim, part);
    snprintf(part, sizeof part, "%s.cross_attn", at);
    dit_attention(p, c->dim, part);
    if (c->image_dim) {
        module(p, SHAPE(c->dim, c->dim), true, "%s.k_img", part);
        module(p, SHAPE(c->dim, c->dim), true, "%s.v_img", part);
        tensor(p, SHAPE(c->dim), "%s.norm_k_img.weight", part);
    }
    tensor(p, SHAPE(c->dim), "%s.norm3.weight", at);
    tensor(p, SHAPE(c->dim), "%s.norm3.bias", at);
    module(p, SHAPE(c->ffn, c->dim), true, "%s.ffn.0", at);
    module(p, SHAPE(c->dim, c->ffn), true, "%s.ffn.2", at);
}

static void dit_image(struct manifest *p, const struct dit_config *c)
{
    module(p, SHAPE(c->image_dim, c->image_dim), true, "img_emb.proj.1");
    tensor(p, SHAPE(c->image_dim), "img_emb.proj.0.weight");
    tensor(p, SHAPE(c->image_dim), "img_emb.proj.0.bias");
    module(p, SHAPE(c->dim, c->image_dim), true, "img_emb.proj.3");
    tensor(p, SHAPE(c->dim), "img_emb.proj.4.weight");
    tensor(p, SHAPE(c->dim), "img_emb.proj.4.bias");
    if (c->image_tokens)
        tensor(p, SHAPE(c->image_tokens, c->image_dim), "img_emb.emb_pos");
}

enum err manifest_dit(const struct weights *w, const struct dit_config *c, struct fault *f)
{
    struct manifest p = {.weights = w, .f = f};
    char at[64];
    module(&p, SHAPE(c->dim, c->in, 1, 2, 2), true, "patch_embedding");
    module(&p, SHAPE(c->dim, c->text_dim), true, "text_embedding.0");
    module(&p, SHAPE(c->dim, c->dim), true, "text_embedding.2");
    module(&p, SHAPE(c->dim, c->freq_dim), true, "time_embedding.0");
    module(&p, SHAPE(c->dim, c->dim), true, "time_embedding.2");
    module(&p, SHAPE(6 * c->dim, c->dim), true, "time_projection.1");
    if (c->image_dim)
        dit_image(&p, c);
    for (int i = 0; i < c->layers && !p.e; i++) {
        snprintf(at, sizeof at, "blocks.%d", i);
        dit_block(&p, c, at);
    }
    if (c->vace)
        module(&p, SHAPE(c->dim, c->vace_in, 1, 2, 2), true, "vace_patch_embedding");
    for (int i = 0; i < c->vace && !p.e; i++) {
        snprintf(at, sizeof at, "vace_blocks.%d", i);
        dit_block(&p, c, at);
        if (i == 0)
            module(&p, SHAPE(c->dim, c->dim), true, "%s.before_proj", at);
        module(&p, SHAPE(c->dim, c->dim), true, "%s.after_proj", at);
    }
    if (c->ref)
        module(&p, SHAPE(c->dim, VAE_Z, 2, 2), true, "ref_conv");
    tensor(&p, SHAPE(2, c->dim), "head.modulation");
    module(&p, SHAPE(c->out * 4, c->dim), true, "head.head");
    return p.e;
}

/* ---- umT5 (spec 2.4) ---- */

enum err manifest_t5(const struct t5 *t, struct fault *f)
{
    struct manifest p = {.weights = t->weights, .f = f};
    module(&p, SHAPE(t->vocab, t->dim), false, "token_embedding");
    for (int i = 0; i < t->layers && !p.e; i++) {
        tensor(&p, SHAPE(t->dim), "blocks.%d.norm1.weight", i);
        for (const char *c = "qkv"; *c; c++)
            module(&p, SHAPE(t->width, t->dim), false, "blocks.%d.attn.%c", i, *c);
        module(&p, SHAPE(t->dim, t->width), false, "blocks.%d.attn.o", i);
        tensor(&p, SHAPE(t->buckets, t->heads), "blocks.%d.pos_embedding.embedding.weight", i);
        tensor(&p, SHAPE(t->dim), "blocks.%d.norm2.weight", i);
        module(&p, SHAPE(t->ffn, t->dim), false, "blocks.%d.ffn.fc1", i);
        module(&p, SHAPE(t->ffn, t->dim), false, "blocks.%d.ffn.gate.0", i);
        module(&p, SHAPE(t->dim, t->ffn), false, "blocks.%d.ffn.fc2", i);
    }
    tensor(&p, SHAPE(t->dim), "norm.weight");
    return p.e;
}

/* ---- CLIP's vision half (spec 2.6) ---- */

enum err manifest_clip(const struct clip_vision *c, struct fault *f)
{
    struct manifest p = {.weights = c->weights, .f = f};
    char at[64], name[96];
    module(&p, SHAPE(c->dim, 3, c->patch, c->patch), false, "visual.patch_embedding");
    tensor(&p, SHAPE(c->dim), "visual.cls_embedding");
    tensor(&p, SHAPE(c->tokens, c->dim), "visual.pos_embedding");
    tensor(&p, SHAPE(c->dim), "visual.pre_norm.weight");
    tensor(&p, SHAPE(c->dim), "visual.pre_norm.bias");
    for (int i = 0; i < c->layers && !p.e; i++) {
        snprintf(at, sizeof at, "visual.transformer.%d", i);
        snprintf(name, sizeof name, "%s.attn.q.weight", at);
        if (weights_find(c->weights, name)) /* HF's layout has three matrices */
            for (const char *k = "qkv"; *k; k++)
                module(&p, SHAPE(c->dim, c->dim), true, "%s.attn.%c", at, *k);
        else
            module(&p, SHAPE(3 * c->dim, c->dim), true, "%s.attn.to_qkv", at);
        module(&p, SHAPE(c->dim, c->dim), true, "%s.attn.proj", at);
        module(&p, SHAPE(c->hidden, c->dim), true, "%s.mlp.0", at);
        module(&p, SHAPE(c->dim, c->hidden), true, "%s.mlp.2", at);
        for (int k = 1; k <= 2; k++) {
            tensor(&p, SHAPE(c->dim), "%s.norm%d.weight", at, k);
            tensor(&p, SHAPE(c->dim), "%s.norm%d.bias", at, k);
        }
    }
    return p.e;
}

/* ---- the VAE (spec 2.5, 6): one width `c` (96) gives all others ---- */

static void vae_res(struct manifest *p, int64_t in, int64_t out, const char *at)
{
    tensor(p, SHAPE(in), "%s.residual.0.gamma", at);
    module(p, SHAPE(out, in, 3, 3, 3), true, "%s.residual.2", at);
    tensor(p, SHAPE(out), "%s.residual.3.gamma", at);
    module(p, SHAPE(out, out, 3, 3, 3), true, "%s.residual.6", at);
    if (in != out)
        module(p, SHAPE(out, in), true, "%s.shortcut", at);
}

static void vae_middle(struct manifest *p, int64_t c, const char *half)
{
    char at[64];
    snprintf(at, sizeof at, "%s.middle.0", half);
    vae_res(p, c, c, at);
    tensor(p, SHAPE(c), "%s.middle.1.norm.gamma", half);
    module(p, SHAPE(3 * c, c), true, "%s.middle.1.to_qkv", half);
    module(p, SHAPE(c, c), true, "%s.middle.1.proj", half);
    snprintf(at, sizeof at, "%s.middle.2", half);
    vae_res(p, c, c, at);
}

/* Four stages of three blocks; three enlargements between them halve the width, and the first two
 * of these double the frames. */
static void vae_decoder(struct manifest *p, int64_t c)
{
    const int64_t wide[4] = {4 * c, 4 * c, 2 * c, c}, from[4] = {4 * c, 2 * c, 2 * c, c};
    char at[64];
    module(p, SHAPE(3, c, 3, 3, 3), true, "decoder.head.2"); /* whence c comes */
    module(p, SHAPE(VAE_Z, VAE_Z), true, "conv2");
    module(p, SHAPE(4 * c, VAE_Z, 3, 3, 3), true, "decoder.conv1");
    vae_middle(p, 4 * c, "decoder");
    for (int s = 0, n = 0; s < 4; s++) {
        for (int i = 0; i < 3; i++) {
            snprintf(at, sizeof at, "decoder.upsamples.%d", n++);
            vae_res(p, i ? wide[s] : from[s], wide[s], at);
        }
        if (s == 3)
            break;
        snprintf(at, sizeof at, "decoder.upsamples.%d", n++);
        module(p, SHAPE(wide[s] / 2, wide[s], 3, 3), true, "%s.resample.1", at);
        if (s < 2)
            module(p, SHAPE(2 * wide[s], wide[s], 3, 1, 1), true, "%s.time_conv", at);
    }
    tensor(p, SHAPE(c), "decoder.head.0.gamma");
}

/* Four stages of two blocks; the last two of the three reductions halve the frames. */
static void vae_encoder(struct manifest *p, int64_t c)
{
    const int64_t wide[4] = {c, 2 * c, 4 * c, 4 * c};
    char at[64];
    module(p, SHAPE(c, 3, 3, 3, 3), true, "encoder.conv1");
    for (int s = 0, n = 0; s < 4; s++) {
        for (int i = 0; i < 2; i++) {
            snprintf(at, sizeof at, "encoder.downsamples.%d", n++);
            vae_res(p, i || !s ? wide[s] : wide[s - 1], wide[s], at);
        }
        if (s == 3)
            break;
        snprintf(at, sizeof at, "encoder.downsamples.%d", n++);
        module(p, SHAPE(wide[s], wide[s], 3, 3), true, "%s.resample.1", at);
        if (s > 0)
            module(p, SHAPE(wide[s], wide[s], 3, 1, 1), true, "%s.time_conv", at);
    }
    vae_middle(p, 4 * c, "encoder");
    tensor(p, SHAPE(4 * c), "encoder.head.0.gamma");
    module(p, SHAPE(2 * VAE_Z, 4 * c, 3, 3, 3), true, "encoder.head.2");
    module(p, SHAPE(2 * VAE_Z, 2 * VAE_Z), true, "conv1");
}

/* A tensor of that half that nobody asked for: a stage more would make larger pictures. */
static void no_stray(struct manifest *p, const char *half)
{
    for (int i = 0; i < p->weights->n && !p->e; i++) {
        const struct wtensor *t = &p->weights->t[i];
        if (!p->placed[i] && !strncmp(t->name, half, strlen(half)))
            p->e = fault_set(p->f, ERR_CORRUPT,
                             "%s: the VAE of Wan 2.1 has no tensor %s; this is another one",
                             t->file, t->name);
    }
}

enum err manifest_vae(const struct weights *w, unsigned halves, struct fault *f)
{
    struct manifest p = {.weights = w, .f = f};
    p.placed = calloc((size_t)w->n + 1, sizeof *p.placed);
    if (!p.placed)
        return fault_set(f, ERR_NOMEM, "out of memory");
    if (halves & VAE_DECODER) {
        vae_decoder(&p, load_dim(w, "decoder.head.2.weight", 1));
        no_stray(&p, "decoder.");
    }
    if (halves & VAE_ENCODER) {
        vae_encoder(&p, load_dim(w, "encoder.conv1.weight", 0));
        no_stray(&p, "encoder.");
    }
    free(p.placed);
    return p.e;
}

/* ---- the tiny decoder (TAEHV) ---- */

/* Three stages of three blocks; what they grow by may be there for more frames than are taken. */
enum err manifest_tae(const struct weights *w, struct fault *f)
{
    static const int at[3] = {3, 9, 15};
    struct manifest p = {.weights = w, .f = f};
    int64_t c = load_dim(w, "decoder.1.weight", 0);
    module(&p, SHAPE(c, VAE_Z, 3, 3), true, "decoder.1");
    for (int s = 0; s < 3; s++) {
        char name[48];
        for (int i = 0; i < 9; i++) /* the first of three sees two frames */
            module(&p, SHAPE(c, i % 3 ? c : 2 * c, 3, 3), true, "decoder.%d.conv.%d", at[s] + i / 3,
                   2 * (i % 3));
        snprintf(name, sizeof name, "decoder.%d.conv.weight", at[s] + 4);
        bool one = s == 0 && load_dim(w, name, 0) == c;
        module(&p, SHAPE(one ? c : 2 * c, c, 1, 1), false, "decoder.%d.conv", at[s] + 4);
        snprintf(name, sizeof name, "decoder.%d.weight", at[s] + 5);
        int64_t next = load_dim(w, name, 0);
        module(&p, SHAPE(next, c, 3, 3), false, "decoder.%d", at[s] + 5);
        c = next;
    }
    module(&p, SHAPE(3, c, 3, 3), true, "decoder.22");
    return p.e;
}

enum err manifest_depth(const struct weights *w, enum manifest_kind kind, int64_t width, int layers,
                        struct fault *f)
{
    static const struct {
        enum manifest_kind kind;
        int64_t width;
        int layers;
    } published[] = {
        {MANIFEST_DIT, 1536, 30},
        {MANIFEST_DIT, 5120, 40},
        {MANIFEST_T5, 4096, 24},
        {MANIFEST_CLIP, 1280, 32},
    };
    for (size_t i = 0; i < sizeof published / sizeof *published; i++)
        if (published[i].kind == kind && published[i].width == width &&
            published[i].layers != layers)
            return fault_set(
                f, ERR_CORRUPT,
                "%s: %d layers of width %lld, and the published network has %d; fetch the "
                "file anew",
                file_of(w), layers, (long long)width, published[i].layers);
    return ERR_OK;
}
