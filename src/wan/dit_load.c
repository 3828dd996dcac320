#include "wan/dit_inside.h"

#include "base/json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum err dit_config_read(const struct weights *w, struct dit_config *out, struct fault *f)
{
    const char *file = w->n ? w->t[0].file : "the checkpoint";
    struct dit_config c = {0};
    c.dim = load_dim(w, "head.modulation", 2);
    c.ffn = load_dim(w, "blocks.0.ffn.0.weight", 0);
    c.text_dim = load_dim(w, "text_embedding.0.weight", 1);
    c.freq_dim = load_dim(w, "time_embedding.0.weight", 1);
    c.in = (int)load_dim(w, "patch_embedding.weight", 1);
    c.out = (int)(load_dim(w, "head.head.weight", 0) / 4);
    c.layers = load_layers(w, "blocks.%d.modulation");
    c.image_dim = load_dim(w, "img_emb.proj.0.weight", 0);
    c.image_tokens = load_dim(w, "img_emb.emb_pos", 1);
    c.vace = load_layers(w, "vace_blocks.%d.modulation");
    c.vace_in = (int)load_dim(w, "vace_patch_embedding.weight", 1);
    c.ref = weights_find(w, "ref_conv.weight") != NULL;
    for (int i = 0; i < w->n && !c.camera; i++)
        c.camera = !strncmp(w->t[i].name, "control_adapter.", 16);
    if (!c.dim || !c.ffn || !c.layers || !c.text_dim || !c.in)
        return fault_set(f, ERR_NOTFOUND, "%s is no Wan transformer: its tensors have other names",
                         file);
    c.heads = (int)(c.dim / DIT_HEAD);
    if (c.dim % DIT_HEAD || c.freq_dim % 2 || c.in < 16 || c.out < 1 || c.layers > DIT_LAYERS_MAX ||
        c.vace > DIT_LAYERS_MAX || (c.vace && !c.vace_in))
        return fault_set(f, ERR_UNSUPPORTED,
                         "%s: width %lld, %d layers and %d input channels are no Wan model known "
                         "here",
                         file, (long long)c.dim, c.layers, c.in);
    /* every second block in 1.3B, every fifth in 14B: spread evenly */
    for (int j = 0; j < c.vace; j++)
        c.vace_at[j] = j * ((c.layers + c.vace - 1) / c.vace);
    const char *meta = weights_meta(w, "config");
    cJSON *config = meta ? json_parse(meta, strlen(meta), NULL) : NULL;
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

/* `packed`: q, k and v are of the same tokens, so they may be one product; each comes from the
 * file, and is changed by LoRAs, by its own name. */
static void load_attention(struct loader *l, int64_t dim, struct dit_attention *a, const char *at,
                           bool packed)
{
    if (packed && device_caps(l->dev)->packed) {
        struct weight_spec all = {3 * dim, dim, 1, 1, 1, .low = l->low, .precise = l->precise};
        a->qkv = weight_new(l->dev, &all);
    }
    l->whole = a->qkv;
    l->at = 0;
    a->q = load_linear(l, dim, dim, true, "%s.q", at);
    a->k = load_linear(l, dim, dim, true, "%s.k", at);
    a->v = load_linear(l, dim, dim, true, "%s.v", at);
    l->whole = NULL;
    a->o = load_linear(l, dim, dim, true, "%s.o", at);
    a->norm_q = load_vector(l, dim, "%s.norm_q.weight", at);
    a->norm_k = load_vector(l, dim, "%s.norm_k.weight", at);
}

static void load_block(struct loader *l, const struct dit_config *c, struct dit_block *b, int i)
{
    char at[64], part[96];
    bool vace = i >= c->layers;
    if (vace)
        snprintf(at, sizeof at, "vace_blocks.%d", i - c->layers);
    else
        snprintf(at, sizeof at, "blocks.%d", i);
    l->low = true; /* of a block the linear layers (spec 9.3) */
    snprintf(part, sizeof part, "%s.self_attn", at);
    load_attention(l, c->dim, &b->self, part, true);
    snprintf(part, sizeof part, "%s.cross_attn", at);
    load_attention(l, c->dim, &b->cross, part, false);
    if (c->image_dim) {
        b->k_img = load_linear(l, c->dim, c->dim, true, "%s.k_img", part);
        b->v_img = load_linear(l, c->dim, c->dim, true, "%s.v_img", part);
        b->norm_k_img = load_vector(l, c->dim, "%s.norm_k_img.weight", part);
    }
    b->up = load_linear(l, c->ffn, c->dim, true, "%s.ffn.0", at);
    b->down = load_linear(l, c->dim, c->ffn, true, "%s.ffn.2", at);
    b->modulation = load_vector(l, 6 * c->dim, "%s.modulation", at);
    b->norm3 = load_vector(l, c->dim, "%s.norm3.weight", at);
    b->norm3b = load_vector(l, c->dim, "%s.norm3.bias", at);
    if (vace) {
        if (i == c->layers)
            b->before = load_linear(l, c->dim, c->dim, true, "%s.before_proj", at);
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
    l.lent = !d->resident; /* it goes before the next one comes */
    load_block(&l, &d->c, b, i);
    if (load_done(&l, f)) {
        free_block(b);
        return NULL;
    }
    return b;
}

void dit_block_drop(struct dit *d, int i)
{
    if (!d->resident)
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
                  bool resident, const struct stopper *stop, struct dit **out, struct fault *f)
{
    struct dit *d = calloc(1, sizeof *d);
    if (!d)
        return fault_set(f, ERR_NOMEM, "out of memory");
    d->dev = dev;
    d->weights = w;
    d->patch = patch;
    d->resident = resident;
    enum err e = dit_config_read(w, &d->c, f);
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
        for (int i = 0; resident && i < d->c.layers + d->c.vace && !load_stopped(&l); i++) {
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
    free_ends(d);
    tensor_free(&d->rope);
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
    struct loader l = LOADER_INIT(d->dev, d->weights);
    l.patch = d->patch;
    l.stop = stop;
    for (int i = 0; i < d->c.layers + d->c.vace; i++)
        if (hit[i] && d->blocks[i].loaded && !load_stopped(&l)) {
            free_block(&d->blocks[i]);
            if (d->resident)
                load_block(&l, &d->c, &d->blocks[i], i);
        }
    if (hit[d->c.layers + d->c.vace]) {
        free_ends(d);
        load_ends(&l, d);
    }
    free(hit);
    return load_done(&l, f);
}
