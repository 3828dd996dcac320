#include "wan/prog/random.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define FILLED ((size_t)160 << 20) /* bytes with random numbers; more than any matrix in use */
#define BLOCK ((size_t)4 << 30)    /* address space; what is not touched takes no memory */

static const struct random_model models[] = {
    {"wan2.1-t2v-1.3b", 1536, 8960, 4096, 30, 12, 10240, 256384, 24, 64, 96},
    {"wan2.1-t2v-14b", 5120, 13824, 4096, 40, 40, 10240, 256384, 24, 64, 96},
    {"tiny", 256, 384, 64, 3, 2, 128, 512, 3, 4, 8},
};

const struct random_model *random_model(const char *name)
{
    for (size_t i = 0; i < sizeof models / sizeof *models; i++)
        if (!strcmp(name, models[i].name))
            return &models[i];
    return NULL;
}

struct builder {
    struct weights *w;
    const unsigned char *data;
    bool failed;
};

static struct builder begin(size_t filled)
{
    struct builder b = {.w = weights_new()};
    struct mapping *m = calloc(1, sizeof *m + sizeof "random weights");
    void *p = mmap(NULL, BLOCK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
                   -1, 0);
    if (!b.w || !m || p == MAP_FAILED) {
        if (p != MAP_FAILED)
            munmap(p, BLOCK);
        free(m);
        b.failed = true;
        return b;
    }
    uint32_t seed = 1;
    uint16_t *v = p;
    for (size_t i = 0; i < filled / 2; i++) { /* ±2^-5 … 2^-6: keeps every layer finite */
        seed = seed * 1664525u + 1013904223u;
        v[i] = (uint16_t)(0x3c80 | (seed >> 16 & 0x807f));
    }
    strcpy(m->path, "random weights");
    m->data = p;
    m->bytes = BLOCK;
    b.w->maps = m;
    b.data = p;
    return b;
}

static struct weights *end(struct builder *b)
{
    if (!b->failed && !weights_done(b->w, NULL))
        return b->w;
    weights_free(b->w);
    return NULL;
}

static void add(struct builder *b, int rank, const int64_t *dim, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

static void add(struct builder *b, int rank, const int64_t *dim, const char *format, ...)
{
    char name[128];
    va_list ap;
    va_start(ap, format);
    vsnprintf(name, sizeof name, format, ap);
    va_end(ap);
    struct wtensor t = {
        .name = name, .file = "random weights", .data = b->data, .type = DTYPE_BF16, .rank = rank};
    memcpy(t.dim, dim, (size_t)rank * sizeof *dim);
    if (b->failed || !wtensor_measure(&t) || (size_t)t.count * 2 > BLOCK ||
        weights_add(b->w, &t, NULL))
        b->failed = true;
}

static void linear(struct builder *b, int64_t out, int64_t in, bool bias, const char *name)
{
    add(b, 2, (const int64_t[]){out, in}, "%s.weight", name);
    if (bias)
        add(b, 1, &out, "%s.bias", name);
}

static void dit_block(struct builder *b, const struct random_model *m, int i)
{
    static const char *const kinds[] = {"self_attn", "cross_attn"};
    char name[64];
    for (int k = 0; k < 2; k++) {
        for (const char *part = "qkvo"; *part; part++) {
            snprintf(name, sizeof name, "blocks.%d.%s.%c", i, kinds[k], *part);
            linear(b, m->dim, m->dim, true, name);
        }
        add(b, 1, &m->dim, "blocks.%d.%s.norm_q.weight", i, kinds[k]);
        add(b, 1, &m->dim, "blocks.%d.%s.norm_k.weight", i, kinds[k]);
    }
    snprintf(name, sizeof name, "blocks.%d.ffn.0", i);
    linear(b, m->ffn, m->dim, true, name);
    snprintf(name, sizeof name, "blocks.%d.ffn.2", i);
    linear(b, m->dim, m->ffn, true, name);
    add(b, 1, &m->dim, "blocks.%d.norm3.weight", i);
    add(b, 1, &m->dim, "blocks.%d.norm3.bias", i);
    add(b, 3, (const int64_t[]){1, 6, m->dim}, "blocks.%d.modulation", i);
}

struct weights *random_dit(const struct random_model *m, int layers)
{
    struct builder made = begin(FILLED), *b = &made;
    add(b, 5, (const int64_t[]){m->dim, 16, 1, 2, 2}, "patch_embedding.weight");
    add(b, 1, &m->dim, "patch_embedding.bias");
    linear(b, m->dim, m->text_dim, true, "text_embedding.0");
    linear(b, m->dim, m->dim, true, "text_embedding.2");
    linear(b, m->dim, 256, true, "time_embedding.0");
    linear(b, m->dim, m->dim, true, "time_embedding.2");
    linear(b, 6 * m->dim, m->dim, true, "time_projection.1");
    linear(b, 64, m->dim, true, "head.head");
    add(b, 3, (const int64_t[]){1, 2, m->dim}, "head.modulation");
    for (int i = 0; i < (layers ? layers : m->layers); i++)
        dit_block(b, m, i);
    return end(b);
}

struct weights *random_t5(const struct random_model *m)
{
    struct builder made = begin(FILLED), *b = &made;
    int64_t d = m->text_dim;
    char name[64];
    add(b, 2, (const int64_t[]){m->t5_vocab, d}, "token_embedding.weight");
    for (int i = 0; i < m->t5_layers; i++) {
        for (const char *part = "qkvo"; *part; part++) {
            snprintf(name, sizeof name, "blocks.%d.attn.%c", i, *part);
            linear(b, d, d, false, name);
        }
        snprintf(name, sizeof name, "blocks.%d.ffn.gate.0", i);
        linear(b, m->t5_ffn, d, false, name);
        snprintf(name, sizeof name, "blocks.%d.ffn.fc1", i);
        linear(b, m->t5_ffn, d, false, name);
        snprintf(name, sizeof name, "blocks.%d.ffn.fc2", i);
        linear(b, d, m->t5_ffn, false, name);
        add(b, 1, &d, "blocks.%d.norm1.weight", i);
        add(b, 1, &d, "blocks.%d.norm2.weight", i);
        add(b, 2, (const int64_t[]){32, m->t5_heads}, "blocks.%d.pos_embedding.embedding.weight",
            i);
    }
    add(b, 1, &d, "norm.weight");
    return end(b);
}

static void conv(struct builder *b, int64_t out, int64_t in, int64_t kt, int64_t k,
                 const char *name)
{
    if (kt)
        add(b, 5, (const int64_t[]){out, in, kt, k, k}, "%s.weight", name);
    else
        add(b, 4, (const int64_t[]){out, in, k, k}, "%s.weight", name);
    add(b, 1, &out, "%s.bias", name);
}

static void residual(struct builder *b, int64_t in, int64_t out, const char *at)
{
    char name[96];
    add(b, 4, (const int64_t[]){in, 1, 1, 1}, "%s.residual.0.gamma", at);
    snprintf(name, sizeof name, "%s.residual.2", at);
    conv(b, out, in, 3, 3, name);
    add(b, 4, (const int64_t[]){out, 1, 1, 1}, "%s.residual.3.gamma", at);
    snprintf(name, sizeof name, "%s.residual.6", at);
    conv(b, out, out, 3, 3, name);
    snprintf(name, sizeof name, "%s.shortcut", at);
    if (in != out)
        conv(b, out, in, 1, 1, name);
}

/* The decoder only: that is what a clip needs. */
struct weights *random_vae(const struct random_model *m)
{
    struct builder made = begin(FILLED), *b = &made;
    int64_t c = m->vae_dim, top = 4 * c;
    char name[96];
    conv(b, 16, 16, 1, 1, "conv2");
    conv(b, top, 16, 3, 3, "decoder.conv1");
    residual(b, top, top, "decoder.middle.0");
    add(b, 3, (const int64_t[]){top, 1, 1}, "decoder.middle.1.norm.gamma");
    conv(b, 3 * top, top, 0, 1, "decoder.middle.1.to_qkv");
    conv(b, top, top, 0, 1, "decoder.middle.1.proj");
    residual(b, top, top, "decoder.middle.2");
    int64_t in[4] = {top, top / 2, top / 2, c}, out[4] = {top, top, top / 2, c};
    for (int s = 0; s < 4; s++) {
        for (int r = 0; r < 3; r++) {
            snprintf(name, sizeof name, "decoder.upsamples.%d", 4 * s + r);
            residual(b, r ? out[s] : in[s], out[s], name);
        }
        if (s == 3)
            break;
        snprintf(name, sizeof name, "decoder.upsamples.%d.resample.1", 4 * s + 3);
        conv(b, out[s] / 2, out[s], 0, 3, name);
        if (s < 2) {
            snprintf(name, sizeof name, "decoder.upsamples.%d.time_conv", 4 * s + 3);
            add(b, 5, (const int64_t[]){2 * out[s], out[s], 3, 1, 1}, "%s.weight", name);
            add(b, 1, (const int64_t[]){2 * out[s]}, "%s.bias", name);
        }
    }
    add(b, 4, (const int64_t[]){c, 1, 1, 1}, "decoder.head.0.gamma");
    conv(b, 3, c, 3, 3, "decoder.head.2");
    return end(b);
}
