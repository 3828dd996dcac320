#include "wan/names.h"

#include "base/buf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAME_LEN 512

/* A name that begins with `from` (up to its end or a dot) begins with `to` instead; '#' stands for
 * a number, carried over. */
struct rule {
    const char *from, *to;
};

static const struct rule dit_rules[] = {
    {"condition_embedder.text_embedder.linear_1", "text_embedding.0"},
    {"condition_embedder.text_embedder.linear_2", "text_embedding.2"},
    {"condition_embedder.time_embedder.linear_1", "time_embedding.0"},
    {"condition_embedder.time_embedder.linear_2", "time_embedding.2"},
    {"condition_embedder.time_proj", "time_projection.1"},
    {"condition_embedder.image_embedder.norm1", "img_emb.proj.0"},
    {"condition_embedder.image_embedder.ff.net.0.proj", "img_emb.proj.1"},
    {"condition_embedder.image_embedder.ff.net.2", "img_emb.proj.3"},
    {"condition_embedder.image_embedder.norm2", "img_emb.proj.4"},
    {"condition_embedder.image_embedder.pos_embed", "img_emb.emb_pos"},
    {"proj_out", "head.head"},
    {"scale_shift_table", "head.modulation"},
    {"blocks.#.scale_shift_table", "blocks.#.modulation"},
    {"blocks.#.attn1.to_q", "blocks.#.self_attn.q"},
    {"blocks.#.attn1.to_k", "blocks.#.self_attn.k"},
    {"blocks.#.attn1.to_v", "blocks.#.self_attn.v"},
    {"blocks.#.attn1.to_out.0", "blocks.#.self_attn.o"},
    {"blocks.#.attn1", "blocks.#.self_attn"},
    {"blocks.#.attn2.to_q", "blocks.#.cross_attn.q"},
    {"blocks.#.attn2.to_k", "blocks.#.cross_attn.k"},
    {"blocks.#.attn2.to_v", "blocks.#.cross_attn.v"},
    {"blocks.#.attn2.to_out.0", "blocks.#.cross_attn.o"},
    {"blocks.#.attn2.add_k_proj", "blocks.#.cross_attn.k_img"},
    {"blocks.#.attn2.add_v_proj", "blocks.#.cross_attn.v_img"},
    {"blocks.#.attn2.norm_added_k", "blocks.#.cross_attn.norm_k_img"},
    {"blocks.#.attn2", "blocks.#.cross_attn"},
    {"blocks.#.ffn.net.0.proj", "blocks.#.ffn.0"},
    {"blocks.#.ffn.net.2", "blocks.#.ffn.2"},
    {"blocks.#.norm2", "blocks.#.norm3"}, /* the original's norm2 has no parameters */
    {"blocks.#.proj_in", "blocks.#.before_proj"},
    {"blocks.#.proj_out", "blocks.#.after_proj"},
    {NULL, NULL},
};

#define T5_LAYER "encoder.block.#.layer."
static const struct rule t5_rules[] = {
    {"shared", "token_embedding"},
    {"encoder.embed_tokens", "token_embedding"},
    {"encoder.final_layer_norm", "norm"},
    {T5_LAYER "0.layer_norm", "blocks.#.norm1"},
    {T5_LAYER "0.SelfAttention.relative_attention_bias", "blocks.#.pos_embedding.embedding"},
    {T5_LAYER "0.SelfAttention", "blocks.#.attn"},
    {T5_LAYER "1.layer_norm", "blocks.#.norm2"},
    {T5_LAYER "1.DenseReluDense.wi_0", "blocks.#.ffn.gate.0"},
    {T5_LAYER "1.DenseReluDense.wi_1", "blocks.#.ffn.fc1"},
    {T5_LAYER "1.DenseReluDense.wo", "blocks.#.ffn.fc2"},
    {NULL, NULL},
};

static const struct rule vae_rules[] = {
    {"quant_conv", "conv1"},
    {"post_quant_conv", "conv2"},
    {"encoder.conv_in", "encoder.conv1"},
    {"decoder.conv_in", "decoder.conv1"},
    {"encoder.norm_out", "encoder.head.0"},
    {"decoder.norm_out", "decoder.head.0"},
    {"encoder.conv_out", "encoder.head.2"},
    {"decoder.conv_out", "decoder.head.2"},
    {"encoder.mid_block.attentions.0", "encoder.middle.1"},
    {"decoder.mid_block.attentions.0", "decoder.middle.1"},
    {NULL, NULL},
};

static const struct rule res_rules[] = {
    {"norm1", "residual.0"}, {"conv1", "residual.2"},       {"norm2", "residual.3"},
    {"conv2", "residual.6"}, {"conv_shortcut", "shortcut"}, {NULL, NULL},
};

#define CLIP_LAYER "vision_model.encoder.layers.#."
static const struct rule clip_rules[] = {
    {"vision_model.embeddings.class_embedding", "visual.cls_embedding"},
    {"vision_model.embeddings.position_embedding.weight", "visual.pos_embedding"},
    {"vision_model.embeddings.patch_embedding", "visual.patch_embedding"},
    {"vision_model.pre_layrnorm", "visual.pre_norm"},
    {"vision_model.post_layernorm", "visual.post_norm"},
    {CLIP_LAYER "layer_norm1", "visual.transformer.#.norm1"},
    {CLIP_LAYER "layer_norm2", "visual.transformer.#.norm2"},
    {CLIP_LAYER "self_attn.q_proj", "visual.transformer.#.attn.q"},
    {CLIP_LAYER "self_attn.k_proj", "visual.transformer.#.attn.k"},
    {CLIP_LAYER "self_attn.v_proj", "visual.transformer.#.attn.v"},
    {CLIP_LAYER "self_attn.out_proj", "visual.transformer.#.attn.proj"},
    {CLIP_LAYER "mlp.fc1", "visual.transformer.#.mlp.0"},
    {CLIP_LAYER "mlp.fc2", "visual.transformer.#.mlp.2"},
    {NULL, NULL},
};

/* Length of the match of `from` at the start of `name`, 0: none. The number goes to digits[16]. */
static size_t match(const char *from, const char *name, char *digits)
{
    const char *at = name;
    digits[0] = '\0';
    for (; *from; from++) {
        if (*from == '#') {
            size_t n = strspn(at, "0123456789");
            if (!n || n > 15)
                return 0;
            memcpy(digits, at, n);
            digits[n] = '\0';
            at += n;
        } else if (*at++ != *from) {
            return 0;
        }
    }
    return *at == '\0' || *at == '.' ? (size_t)(at - name) : 0;
}

static bool rename_by(const struct rule *r, const char *before, const char *name, char *out,
                      size_t n)
{
    char digits[16];
    for (; r->from; r++) {
        size_t len = match(r->from, name, digits);
        if (!len)
            continue;
        const char *hash = strchr(r->to, '#');
        if (hash)
            snprintf(out, n, "%s%.*s%s%s%s", before, (int)(hash - r->to), r->to, digits, hash + 1,
                     name + len);
        else
            snprintf(out, n, "%s%s%s", before, r->to, name + len);
        return true;
    }
    return false;
}

static const char *skip(const char *name, const char *prefix)
{
    size_t n = strlen(prefix);
    return strncmp(name, prefix, n) ? name : name + n;
}

void names_dit(const char *name, char *out, size_t n)
{
    name = skip(skip(name, "model."), "diffusion_model.");
    const char *vace = skip(name, "vace_");
    if (!rename_by(dit_rules, vace != name && !strncmp(vace, "blocks.", 7) ? "vace_" : "",
                   vace != name && !strncmp(vace, "blocks.", 7) ? vace : name, out, n))
        str_copy(out, n, name);
}

void names_t5(const char *name, char *out, size_t n)
{
    name = skip(skip(name, "text_encoders.umt5xxl."), "transformer.");
    if (!rename_by(t5_rules, "", name, out, n))
        str_copy(out, n, name);
}

/* Blocks whose number is computed; the rest of the name goes by the rules of a residual block. */
static bool vae_block(const char *name, char *out, size_t n)
{
    char before[64];
    int a = 0, b = 0, len = 0;
    if (sscanf(name, "decoder.up_blocks.%d.resnets.%d.%n", &a, &b, &len) == 2 && len)
        snprintf(before, sizeof before, "decoder.upsamples.%d.", a % 64 * 4 + b % 64);
    else if (sscanf(name, "decoder.up_blocks.%d.upsamplers.0.%n", &a, &len) == 1 && len)
        snprintf(before, sizeof before, "decoder.upsamples.%d.", a % 64 * 4 + 3);
    else if (sscanf(name, "encoder.down_blocks.%d.%n", &a, &len) == 1 && len)
        snprintf(before, sizeof before, "encoder.downsamples.%d.", a);
    else if (sscanf(name, "%*7[a-z].mid_block.resnets.%d.%n", &a, &len) == 1 && len)
        snprintf(before, sizeof before, "%.7s.middle.%d.", name, a % 64 * 2);
    else
        return false;
    if (!rename_by(res_rules, before, name + len, out, n))
        snprintf(out, n, "%s%s", before, name + len);
    return true;
}

void names_vae(const char *name, char *out, size_t n)
{
    name = skip(skip(name, "first_stage_model."), "vae.");
    if (!vae_block(name, out, n) && !rename_by(vae_rules, "", name, out, n))
        str_copy(out, n, name);
}

void names_as_they_are(const char *name, char *out, size_t n)
{
    snprintf(out, n, "%s", name);
}

void names_clip(const char *name, char *out, size_t n)
{
    if (!rename_by(clip_rules, "", name, out, n))
        str_copy(out, n, name);
}

enum err names_apply(struct weights *w, void (*map)(const char *name, char *out, size_t n),
                     struct fault *f)
{
    char name[NAME_LEN];
    for (int i = 0; i < w->n; i++) {
        map(w->t[i].name, name, sizeof name);
        if (!strcmp(name, w->t[i].name))
            continue;
        char *fresh = strdup(name);
        if (!fresh)
            return fault_set(f, ERR_NOMEM, "out of memory");
        bool tied =
            !strcmp(name, "token_embedding.weight") && strstr(w->t[i].name, "embed_tokens") != NULL;
        for (int j = 0; tied && j < w->n; j++)
            if (j != i && (!strcmp(w->t[j].name, "shared.weight") ||
                           !strcmp(w->t[j].name, "token_embedding.weight"))) {
                free(fresh);
                fresh = NULL;
                break;
            }
        if (!fresh) { /* the other name of the same tensor stays */
            free(w->t[i].name);
            w->t[i] = w->t[--w->n];
            i--;
            continue;
        }
        free(w->t[i].name);
        w->t[i].name = fresh;
    }
    return weights_done(w, f);
}
