#include "wan/dit_inside.h"

#include "base/json.h"
#include "wan/manifest.h"
#include "wan/vace.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The tensors whose shapes give the sizes. */
static enum err sizes_read(const struct weights *w, struct dit_config *c, struct fault *f)
{
    int64_t in = 0, out = 0;
    const struct {
        const char *name;
        int axis;
        int64_t *to;
    } sizes[] = {{"head.modulation", 2, &c->dim},
                 {"blocks.0.ffn.0.weight", 0, &c->ffn},
                 {"text_embedding.0.weight", 1, &c->text_dim},
                 {"time_embedding.0.weight", 1, &c->freq_dim},
                 {"patch_embedding.weight", 1, &in},
                 {"head.head.weight", 0, &out}};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        if (!(*sizes[i].to = load_dim(w, sizes[i].name, sizes[i].axis)))
            return fault_set(f, ERR_NOTFOUND,
                             "%s is no whole Wan transformer: it has no tensor %s with %d axes; "
                             "fetch it again",
                             w->n ? w->t[0].file : "an empty file", sizes[i].name,
                             sizes[i].axis + 1);
    c->in = in < 1 << 16 ? (int)in : 1 << 16;
    c->out = out % 4 ? 0 : out < 1 << 16 ? (int)(out / 4) : 1 << 16;
    c->layers = load_layers(w, "blocks.");
    c->vace = load_layers(w, "vace_blocks.");
    return ERR_OK;
}

static bool begins(const char *name, const char *with)
{
    return !strncmp(name, with, strlen(with));
}

/* What the model takes beside noise and text: told by any tensor of that part, so that a part with
 * a gap is found missing something and not taken for another model. */
static void parts_read(const struct weights *w, struct dit_config *c)
{
    bool image = false, vace = c->vace > 0;
    for (int i = 0; i < w->n; i++) {
        const char *name = w->t[i].name;
        c->camera = c->camera || begins(name, "control_adapter.");
        c->ref = c->ref || begins(name, "ref_conv.");
        image = image || begins(name, "img_emb.") || strstr(name, ".cross_attn.k_img.");
        vace = vace || begins(name, "vace_patch_embedding.");
    }
    c->image_dim = load_dim(w, "img_emb.proj.1.weight", 1);
    if (image && !c->image_dim)
        c->image_dim = 1280; /* of every published one: the manifest says what is missing */
    c->image_tokens = load_dim(w, "img_emb.emb_pos", 1);
    c->vace_in = vace ? VACE_IN : 0;
    c->vace = vace && !c->vace ? 1 : c->vace;
}

static enum err unknown(const struct weights *w, const char *name, int64_t have, struct fault *f)
{
    return fault_set(f, ERR_UNSUPPORTED,
                     "%s: no Wan model known here has %lld %s; another model can be run",
                     w->t[0].file, (long long)have, name);
}

/* Spec 1. Widths and counts that the code behind takes for granted, and bounds on the rest. */
static enum err sizes_check(const struct weights *w, const struct dit_config *c, struct fault *f)
{
    if (c->dim % DIT_HEAD || c->dim > 64 * DIT_HEAD)
        return unknown(w, "as the width of head.modulation", c->dim, f);
    if (c->freq_dim % 2 || c->freq_dim > DIT_FREQ_MAX)
        return unknown(w, "inputs of time_embedding.0.weight", c->freq_dim, f);
    if (c->ffn > 1 << 17)
        return unknown(w, "rows of blocks.0.ffn.0.weight", c->ffn, f);
    if (c->text_dim > 1 << 16)
        return unknown(w, "inputs of text_embedding.0.weight", c->text_dim, f);
    if (c->in != 16 && c->in != 32 && c->in != 36 && c->in != 48)
        return unknown(w, "input channels in patch_embedding.weight", c->in, f);
    if (c->out != VAE_Z &&
        (c->out != 48 || c->in != 48 || c->image_dim)) /* Wan 2.2 5B, see wan_ready() */
        return unknown(w, "output channels in head.head.weight", c->out, f);
    if (c->layers > DIT_LAYERS_MAX || c->layers < 1)
        return unknown(w, "layers (blocks.N)", c->layers, f);
    if (c->vace > c->layers)
        return unknown(w, "VACE layers (vace_blocks.N)", c->vace, f);
    if (c->vace && c->in != VAE_Z)
        return unknown(w, "input channels and VACE layers", c->in, f);
    if (c->image_dim && c->in == VAE_Z)
        return unknown(w, "input channels and image embeddings (img_emb)", c->in, f);
    if (c->image_dim > 1 << 14)
        return unknown(w, "as the width of img_emb.proj.1.weight", c->image_dim, f);
    if (c->image_tokens > 8194 || c->image_tokens % 2) /* of two pictures */
        return unknown(w, "tokens in img_emb.emb_pos", c->image_tokens, f);
    return ERR_OK;
}

enum err dit_config_read(const struct weights *w, struct dit_config *out, struct fault *f)
{
    const char *file = w->n ? w->t[0].file : "the checkpoint";
    struct dit_config c = {0};
    enum err e = sizes_read(w, &c, f);
    if (e)
        return e;
    c.heads = (int)(c.dim / DIT_HEAD);
    parts_read(w, &c);
    e = sizes_check(w, &c, f);
    e = e ? e : manifest_dit(w, &c, f);
    if (e)
        return e;
    /* every second block in 1.3B, every fifth in 14B: spread evenly */
    for (int j = 0; j < c.vace; j++)
        c.vace_at[j] = j * ((c.layers + c.vace - 1) / c.vace);
    cJSON *config = weights_config(w);
    const cJSON *places = config ? json_arr(config, "vace_layers") : NULL, *v;
    int j = 0;
    if (places && cJSON_GetArraySize(places) == c.vace)
        cJSON_ArrayForEach(v, places)
        {
            c.vace_at[j++] = cJSON_IsNumber(v) ? v->valueint : -1;
        }
    cJSON_Delete(config);
    for (j = 0; j < c.vace; j++)
        if (c.vace_at[j] < 0 || c.vace_at[j] >= c.layers || (j && c.vace_at[j] <= c.vace_at[j - 1]))
            return fault_set(f, ERR_CORRUPT, "%s: its list of VACE layers is impossible", file);
    *out = c;
    return ERR_OK;
}

/* k and v are of part `kv` of the shelf. `packed`: q, k and v are of the same tokens (and part), so
 * they may be one product; each comes from the file, and is changed by LoRAs, by its own name. */
static void load_attention(struct loader *l, int64_t dim, struct dit_attention *a, int kv,
                           const char *at, bool packed)
{
    int part = l->part;
    if (packed && device_caps(l->dev)->packed) {
        struct weight_spec all = {3 * dim, dim, 1, 1, 1, .low = l->low, .precise = l->precise};
        all.shelf = l->shelf;
        all.part = part;
        a->qkv = weight_new(l->dev, &all);
    }
    l->whole = a->qkv;
    l->at = 0;
    a->q = load_linear(l, dim, dim, true, "%s.q", at);
    l->part = kv;
    a->k = load_linear(l, dim, dim, true, "%s.k", at);
    a->v = load_linear(l, dim, dim, true, "%s.v", at);
    l->whole = NULL;
    l->part = part;
    a->o = load_linear(l, dim, dim, true, "%s.o", at);
    a->norm_q = load_vector(l, dim, "%s.norm_q.weight", at);
    a->norm_k = load_vector(l, dim, "%s.norm_k.weight", at);
}

static void load_block(struct loader *l, const struct dit_config *c, struct dit_block *b, int i)
{
    char at[64], part[96];
    bool vace = i >= c->layers;
    int text = c->layers + c->vace + i; /* the part that a prompt needs */
    if (vace)
        snprintf(at, sizeof at, "vace_blocks.%d", i - c->layers);
    else
        snprintf(at, sizeof at, "blocks.%d", i);
    load_ahead(l, i + 1 < c->layers ? "blocks.%d." : "vace_blocks.%d.",
               i + 1 < c->layers ? i + 1 : i + 1 - c->layers);
    l->low = true; /* of a block the linear layers (spec 9.3) */
    l->part = i;
    snprintf(part, sizeof part, "%s.self_attn", at);
    load_attention(l, c->dim, &b->self, i, part, true);
    snprintf(part, sizeof part, "%s.cross_attn", at);
    load_attention(l, c->dim, &b->cross, text, part, false);
    if (c->image_dim) {
        l->part = text;
        b->k_img = load_linear(l, c->dim, c->dim, true, "%s.k_img", part);
        b->v_img = load_linear(l, c->dim, c->dim, true, "%s.v_img", part);
        b->norm_k_img = load_vector(l, c->dim, "%s.norm_k_img.weight", part);
        l->part = i;
    }
    b->up = load_linear(l, c->ffn, c->dim, true, "%s.ffn.0", at);
    b->down = load_linear(l, c->dim, c->ffn, true, "%s.ffn.2", at);
    b->modulation = load_vector(l, 6 * c->dim, "%s.modulation", at);
    b->norm3 = load_vector(l, c->dim, "%s.norm3.weight", at);
    b->norm3b = load_vector(l, c->dim, "%s.norm3.bias", at);
    if (vace) {
        if (i == c->layers)
            b->before = load_linear(l, c->dim, c->dim, true, "%s.before_proj", at);
        l->part = c->vace_at[i - c->layers]; /* its hint is added after that block */
        b->after = load_linear(l, c->dim, c->dim, true, "%s.after_proj", at);
    }
    l->low = false;
    b->loaded = true;
}

static void free_attention(struct dit_attention *a)
{
    weight_free(a->q);
    weight_free(a->k);
    weight_free(a->v);
    weight_free(a->qkv);
    weight_free(a->o);
    tensor_free(&a->norm_q);
    tensor_free(&a->norm_k);
}

static void free_block(struct dit_block *b)
{
    free_attention(&b->self);
    free_attention(&b->cross);
    weight_free(b->k_img);
    weight_free(b->v_img);
    weight_free(b->up);
    weight_free(b->down);
    weight_free(b->before);
    weight_free(b->after);
    tensor_free(&b->norm_k_img);
    tensor_free(&b->modulation);
    tensor_free(&b->norm3);
    tensor_free(&b->norm3b);
    memset(b, 0, sizeof *b);
}

struct dit_block *dit_block_take(struct dit *d, int i, struct fault *f)
{
    struct dit_block *b = &d->blocks[i];
    if (b->loaded)
        return b;
    struct loader l = LOADER_INIT(d->dev, d->weights);
    l.patch = d->patch;
    l.shelf = d->shelf;
    l.lent = d->place == DIT_IN_FILES; /* it goes before the next one comes */
    load_block(&l, &d->c, b, i);
    if (load_done(&l, f)) {
        free_block(b);
        return NULL;
    }
    return b;
}

void dit_block_drop(struct dit *d, int i)
{
    if (d->place == DIT_IN_FILES)
        free_block(&d->blocks[i]);
}

static void load_ends(struct loader *l, struct dit *d)
{
    const struct dit_config *c = &d->c;
    d->patch_embedding = load_linear(l, c->dim, c->in * 4, true, "patch_embedding");
    d->text0 = load_linear(l, c->dim, c->text_dim, true, "text_embedding.0");
    d->text2 = load_linear(l, c->dim, c->dim, true, "text_embedding.2");
    l->precise = true; /* what depends on the timestep alone, and the head (spec 4, precisions) */
    d->time0 = load_linear(l, c->dim, c->freq_dim, true, "time_embedding.0");
    d->time2 = load_linear(l, c->dim, c->dim, true, "time_embedding.2");
    d->time_projection = load_linear(l, 6 * c->dim, c->dim, true, "time_projection.1");
    d->head = load_linear(l, c->out * 4, c->dim, true, "head.head");
    l->precise = false;
    d->head_modulation = load_vector(l, 2 * c->dim, "head.modulation");
    if (c->vace)
        d->vace_embedding = load_linear(l, c->dim, c->vace_in * 4, true, "vace_patch_embedding");
    if (c->ref) /* a convolution of 2x2, 2 apart: a linear map of patches, as the embedding is */
        d->ref_conv = load_linear(l, c->dim, 16 * 4, true, "ref_conv");
    if (c->image_dim) {
        d->img_norm0 = load_vector(l, c->image_dim, "img_emb.proj.0.weight");
        d->img_norm0b = load_vector(l, c->image_dim, "img_emb.proj.0.bias");
        d->img1 = load_linear(l, c->image_dim, c->image_dim, true, "img_emb.proj.1");
        d->img3 = load_linear(l, c->dim, c->image_dim, true, "img_emb.proj.3");
        d->img_norm4 = load_vector(l, c->dim, "img_emb.proj.4.weight");
        d->img_norm4b = load_vector(l, c->dim, "img_emb.proj.4.bias");
        if (c->image_tokens)
            d->img_pos = load_vector(l, c->image_tokens * c->image_dim, "img_emb.emb_pos");
    }
}

enum err dit_open(struct device *dev, const struct weights *w, const struct patcher *patch,
                  enum dit_place place, const struct stopper *stop, struct dit **out,
                  struct fault *f)
{
    struct dit *d = calloc(1, sizeof *d);
    if (!d)
        return fault_set(f, ERR_NOMEM, "out of memory");
    d->dev = dev;
    d->weights = w;
    d->patch = patch;
    d->place = place;
    enum err e = dit_config_read(w, &d->c, f);
    if (!e && d->c.out != VAE_Z) /* the callers' buffers have room for no more */
        e = unknown(w, "output channels in head.head.weight", d->c.out, f);
    if (!e) {
        d->blocks = calloc((size_t)(d->c.layers + d->c.vace), sizeof *d->blocks);
        if (!d->blocks)
            e = fault_set(f, ERR_NOMEM, "out of memory");
    }
    if (!e) {
        struct loader l = LOADER_INIT(dev, w);
        l.patch = patch;
        l.stop = stop;
        load_ends(&l, d);
        if (place == DIT_PARKED)
            l.shelf = d->shelf = shelf_new(dev, 2 * (d->c.layers + d->c.vace));
        int blocks = place == DIT_IN_FILES ? 0 : d->c.layers + d->c.vace;
        for (int i = 0; i < blocks && !device_failed(dev) && !load_stopped(&l); i++) {
            load_block(&l, &d->c, &d->blocks[i], i);
            weights_rest(w); /* else the whole file counts beside the weights */
        }
        e = load_done(&l, f);
    }
    if (e)
        dit_free(d);
    else
        *out = d;
    return e;
}

static void free_ends(struct dit *d)
{
    struct weight **w[] = {
        &d->patch_embedding, &d->vace_embedding, &d->text0, &d->text2, &d->time0,
        &d->time2,           &d->head,           &d->img1,  &d->img3,  &d->time_projection,
        &d->ref_conv};
    for (size_t i = 0; i < sizeof w / sizeof *w; i++) {
        weight_free(*w[i]);
        *w[i] = NULL;
    }
    struct tensor *t[] = {&d->head_modulation, &d->img_norm0,  &d->img_norm0b,
                          &d->img_norm4,       &d->img_norm4b, &d->img_pos};
    for (size_t i = 0; i < sizeof t / sizeof *t; i++)
        tensor_free(t[i]);
}

void dit_free(struct dit *d)
{
    if (!d)
        return;
    for (int i = 0; d->blocks && i < d->c.layers + d->c.vace; i++)
        free_block(&d->blocks[i]);
    free(d->blocks);
    shelf_free(d->shelf);
    free_ends(d);
    tensor_free(&d->rope.table);
    device_trim(d->dev);
    free(d);
}

const struct dit_config *dit_config(const struct dit *d)
{
    return &d->c;
}

bool dit_apart(const struct dit *d)
{
    return !device_caps(d->dev)->host_memory;
}

uint64_t dit_parked(const struct dit *d)
{
    return d ? shelf_bytes(d->shelf) : 0;
}

int dit_threads(const struct dit *d)
{
    return device_caps(d->dev)->threads;
}

/* A block is reloaded whole when any of its tensors is touched: blocks are what LoRAs change. */
enum err dit_reload(struct dit *d, bool (*touches)(void *user, const char *name), void *user,
                    const struct stopper *stop, struct fault *f)
{
    bool *hit = calloc((size_t)(d->c.layers + d->c.vace) + 1, sizeof *hit);
    if (!hit)
        return fault_set(f, ERR_NOMEM, "out of memory");
    for (int i = 0; i < d->weights->n; i++) {
        const char *name = d->weights->t[i].name;
        int k;
        if (!touches(user, name))
            continue;
        if (sscanf(name, "blocks.%d.", &k) == 1 && k >= 0 && k < d->c.layers)
            hit[k] = true;
        else if (sscanf(name, "vace_blocks.%d.", &k) == 1 && k >= 0 && k < d->c.vace)
            hit[d->c.layers + k] = true;
        else
            hit[d->c.layers + d->c.vace] = true;
    }
    d->changes++;
    struct loader l = LOADER_INIT(d->dev, d->weights);
    l.patch = d->patch;
    l.stop = stop;
    for (int i = 0; i < d->c.layers + d->c.vace; i++)
        if (hit[i] && d->blocks[i].loaded && !load_stopped(&l)) {
            free_block(&d->blocks[i]);
            l.shelf = d->shelf;
            if (d->place != DIT_IN_FILES)
                load_block(&l, &d->c, &d->blocks[i], i);
        }
    l.shelf = NULL;
    if (hit[d->c.layers + d->c.vace]) {
        free_ends(d);
        load_ends(&l, d);
    }
    free(hit);
    return load_done(&l, f);
}
