#include "wan/clip.h"

#include "base/json.h"
#include "wan/manifest.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define EPS 1e-5f
#define HEAD 80 /* width of a head in ViT-H, unless the metadata says otherwise */

enum err clip_vision_open(struct device *dev, const struct weights *w, struct clip_vision *out,
                          struct fault *f)
{
    struct clip_vision c = {.dev = dev, .weights = w};
    c.dim = load_dim(w, "visual.patch_embedding.weight", 0);
    c.patch = (int)load_dim(w, "visual.patch_embedding.weight", 2);
    const struct wtensor *places = weights_find(w, "visual.pos_embedding");
    c.tokens = places && places->rank > 1 ? places->dim[places->rank - 2] : 0; /* HF: two axes */
    c.hidden = load_dim(w, "visual.transformer.0.mlp.0.weight", 0);
    c.layers = load_layers(w, "visual.transformer.") - 1;
    enum err e = manifest_clip(&c, f);
    if (e)
        return e;
    c.heads = (int)(c.dim / HEAD);
    cJSON *config = weights_config(w);
    if (config)
        c.heads = (int)json_int(config, "num_heads", c.heads);
    cJSON_Delete(config);
    int64_t side = llround(sqrt((double)(c.tokens - 1)));
    if (c.layers < 1 || c.heads < 1 || c.dim % c.heads || c.patch > 64 || c.tokens < 2 ||
        c.tokens > 4097 || side * side != c.tokens - 1)
        return fault_set(f, ERR_UNSUPPORTED, "%s: %lld tokens of width %lld are no CLIP known here",
                         w->t[0].file, (long long)c.tokens, (long long)c.dim);
    c.size = (int)side * c.patch;
    *out = c;
    return ERR_OK;
}

static void linear(struct device *dev, const struct tensor *y, const struct tensor *x,
                   const struct weight *w, enum act act, bool add)
{
    device_linear(dev, &(struct linear_op){.x = x, .w = w, .y = y, .act = act, .add = add});
}

/* y = LayerNorm(x) by the parameters `name`.weight and .bias */
static void norm(struct loader *l, const struct clip_vision *c, const struct tensor *y,
                 const struct tensor *x, const char *name)
{
    struct tensor w = load_vector(l, c->dim, "%s.weight", name);
    struct tensor b = load_vector(l, c->dim, "%s.bias", name);
    if (!l->fault.code)
        device_norm(c->dev,
                    &(struct norm_op){
                        .kind = NORM_LAYER, .x = x, .y = y, .weight = &w, .bias = &b, .eps = EPS});
    tensor_free(&w);
    tensor_free(&b);
}

/* Patches as rows in torch's order (channel, y, x), the class token first, places added. */
static struct tensor embed(struct loader *l, const struct clip_vision *c, const float *input)
{
    int side = c->size / c->patch, p = c->patch;
    int64_t row = (int64_t)3 * p * p;
    float *rows = malloc((size_t)(side * side * row) * sizeof *rows), *to = rows;
    float *first = load_values(l, c->dim, "visual.cls_embedding");
    struct tensor places = load_vector(l, c->tokens * c->dim, "visual.pos_embedding");
    struct weight *w = load_linear(l, c->dim, row, false, "visual.patch_embedding");
    struct tensor x = tensor_new2(c->dev, c->tokens, c->dim), patches = {0};
    if (!rows && !l->fault.code)
        fault_set(&l->fault, ERR_NOMEM, "no memory for the patches of a picture");
    if (!l->fault.code) {
        for (int i = 0; i < side; i++)
            for (int j = 0; j < side; j++)
                for (int ch = 0; ch < 3; ch++)
                    for (int y = 0; y < p; y++)
                        for (int q = 0; q < p; q++)
                            *to++ = input[((i * p + y) * c->size + j * p + q) * 3 + ch];
        patches = tensor_from(c->dev, rows, 2, (const int64_t[]){side * side, row});
        struct tensor rest = tensor_part(&x, 1, c->tokens - 1);
        device_write(c->dev, &x, first, c->dim);
        linear(c->dev, &rest, &patches, w, ACT_NONE, false);
        device_add(c->dev, &x, &x, &places);
    }
    free(rows);
    free(first);
    tensor_free(&places);
    tensor_free(&patches);
    weight_free(w);
    return x;
}

/* The original keeps q, k and v in one matrix, the HF layout in three. */
static struct weight *projection(struct loader *l, const struct clip_vision *c, int layer, int part)
{
    static const char letter[] = "qkv";
    if (load_has(l, "visual.transformer.%d.attn.to_qkv.weight", layer))
        return load_part(l, part * c->dim, c->dim, 3 * c->dim, c->dim,
                         "visual.transformer.%d.attn.to_qkv", layer);
    return load_linear(l, c->dim, c->dim, true, "visual.transformer.%d.attn.%c", layer,
                       letter[part]);
}

static void block(struct loader *l, const struct clip_vision *c, int i, const struct tensor *x)
{
    struct device *dev = c->dev;
    struct tensor h = tensor_work2(dev, c->tokens, c->dim);
    struct tensor y = tensor_work2(dev, c->tokens, c->dim);
    struct tensor hidden = tensor_work2(dev, c->tokens, c->hidden), part[3];
    struct weight *in[3], *out, *up, *down;
    char name[64];
    for (int k = 0; k < 3; k++) {
        part[k] = tensor_work2(dev, c->tokens, c->dim);
        in[k] = projection(l, c, i, k);
    }
    out = load_linear(l, c->dim, c->dim, true, "visual.transformer.%d.attn.proj", i);
    up = load_linear(l, c->hidden, c->dim, true, "visual.transformer.%d.mlp.0", i);
    down = load_linear(l, c->dim, c->hidden, true, "visual.transformer.%d.mlp.2", i);
    snprintf(name, sizeof name, "visual.transformer.%d.norm1", i);
    norm(l, c, &h, x, name);
    if (!l->fault.code) {
        for (int k = 0; k < 3; k++)
            linear(dev, &part[k], &h, in[k], ACT_NONE, false);
        device_attention(dev,
                         &(struct attention_op){.q = &part[0],
                                                .k = &part[1],
                                                .v = &part[2],
                                                .out = &y,
                                                .heads = c->heads,
                                                .scale = 1.0f / sqrtf((float)(c->dim / c->heads))});
        linear(dev, x, &y, out, ACT_NONE, true);
    }
    snprintf(name, sizeof name, "visual.transformer.%d.norm2", i);
    norm(l, c, &h, x, name);
    if (!l->fault.code) {
        linear(dev, &hidden, &h, up, ACT_GELU_ERF, false);
        linear(dev, x, &hidden, down, ACT_NONE, true);
    }
    for (int k = 0; k < 3; k++) {
        tensor_free(&part[k]);
        weight_free(in[k]);
    }
    tensor_free(&h);
    tensor_free(&y);
    tensor_free(&hidden);
    weight_free(out);
    weight_free(up);
    weight_free(down);
}

enum err clip_vision_encode(const struct clip_vision *c, const float *input, float *out,
                            struct fault *f)
{
    struct loader l = LOADER_INIT(c->dev, c->weights);
    l.stop = c->stop;
    struct tensor x = embed(&l, c, input);
    norm(&l, c, &x, &x, "visual.pre_norm");
    for (int i = 0; i < c->layers && !load_stopped(&l) && !device_failed(c->dev); i++)
        block(&l, c, i, &x);
    if (!l.fault.code)
        device_read(c->dev, out, &x, c->tokens * c->dim);
    tensor_free(&x);
    return load_done(&l, f);
}
