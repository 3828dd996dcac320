/* One network at a time: the text encoder, the transformer, the VAE. */
#include "wan/prog/golden.h"

#include "wan/dit.h"
#include "wan/t5.h"
#include "wan/vae.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define T5_FILE "tiny_t2v/models_t5_umt5-xxl-enc-bf16.safetensors"

static void t5_case(struct golden *g, const struct weights *w, const struct t5 *t, int i)
{
    char name[64], prefix[16];
    int64_t n, len, padded;
    struct fault f = {0};
    snprintf(name, sizeof name, "%d.ids", i);
    float *ids = golden_values(g, w, name, &padded);
    snprintf(name, sizeof name, "%d.out", i);
    float *want = golden_values(g, w, name, &n), *out;
    len = golden_padded(g) ? padded : n / t->dim;
    golden_count(g, name, n % t->dim, 0);
    if (len > padded)
        golden_end(g, name, "it has more rows than there are ids");
    out = malloc((size_t)(len * t->dim) * sizeof *out);
    int *tokens = malloc((size_t)len * sizeof *tokens);
    for (int64_t j = 0; j < len; j++)
        tokens[j] = (int)ids[j];
    struct golden_probe p;
    snprintf(prefix, sizeof prefix, "%d.", i);
    golden_probe_init(&p, g, w, "t5", prefix, bound_t5, false);
    if (t5_encode(t, tokens, (int)len, out, &p.probe, &f))
        golden_broken(g, "t5", &f);
    else
        golden_check(g, "t5", name, out, want, n, bound_t5);
    snprintf(name, sizeof name, "%d.out_unpadded", i);
    if (!f.code && golden_has(w, "%s", name)) { /* the reference's own form of what is done here */
        free(want);
        want = golden_values(g, w, name, &n);
        golden_check(g, "t5", name, out, want, n, bound_t5);
    }
    free(ids);
    free(want);
    free(out);
    free(tokens);
}

void golden_t5(struct golden *g)
{
    struct weights *w = golden_open(g, "t5.safetensors"), *net = NULL;
    struct t5 t;
    struct fault f = {0};
    int64_t n;
    if (!w || !(net = golden_open(g, T5_FILE)))
        goto out;
    if (t5_open(g->dev, net, &t, &f)) {
        golden_broken(g, "t5", &f);
        goto out;
    }
    for (int i = 0; golden_has(w, "%d.ids", i); i++)
        t5_case(g, w, &t, i);
    if (golden_has(w, "bucket_rel")) {
        float *rel = golden_values(g, w, "bucket_rel", &n);
        float *want = golden_values(g, w, "bucket_id", &n);
        for (int64_t i = 0; i < n; i++)
            rel[i] = (float)t5_bucket((int)rel[i], t.buckets);
        golden_check(g, "t5", "bucket_id", rel, want, n, bound_exact);
        free(rel);
        free(want);
    }
out:
    weights_free(net);
    weights_free(w);
}

static void tables(struct golden *g, const struct weights *w)
{
    int64_t n, rows;
    if (golden_has(w, "sin.t")) {
        float *t = golden_values(g, w, "sin.t", &rows), *want = golden_values(g, w, "sin.emb", &n);
        float *got = malloc((size_t)n * sizeof *got);
        for (int64_t i = 0; i < rows; i++)
            dit_time(got + i * (n / rows), n / rows, (double)t[i]);
        golden_check(g, "dit_t2v", "sin.emb", got, want, n, bound_dit);
        free(t);
        free(want);
        free(got);
    }
    static const char *const rope[] = {"rope", "rope64", "rope80", "rope96"};
    for (size_t r = 0; r < sizeof rope / sizeof *rope; r++)
        for (int part = 0; part < 2; part++) {
            char name[32];
            snprintf(name, sizeof name, "%s.%s", rope[r], part ? "sin" : "cos");
            const struct wtensor *t = weights_find(w, name);
            if (!t || t->rank != 2)
                continue;
            /* position p on all three axes at once: the diagonal of a cube of tokens */
            int64_t half = t->dim[1], count = t->dim[0];
            float *want = golden_values(g, w, name, &n), *got = malloc((size_t)n * sizeof *got);
            float *cube = malloc((size_t)(count * count * 2 * half) * sizeof *cube);
            for (int p = 0; p < count; p++) {
                dit_rope(cube, (int)half * 2, p, 1, (int)count, (int)count);
                for (int64_t j = 0; j < half; j++)
                    got[p * half + j] = cube[(p * count + p) * 2 * half + 2 * j + part];
            }
            golden_check(g, "dit_t2v", name, got, want, n, bound_dit);
            free(want);
            free(got);
            free(cube);
        }
}

static void dit_case(struct golden *g, const struct weights *w, struct dit *d, int i)
{
    char name[64], prefix[16];
    struct fault f = {0};
    int64_t n, context_n, one, out_n;
    struct dit_prompt *prompt = NULL;
    snprintf(prefix, sizeof prefix, "%d.", i);
    snprintf(name, sizeof name, "%d.x", i);
    const struct wtensor *shape = weights_find(w, name);
    float *x = golden_values(g, w, name, &n);
    snprintf(name, sizeof name, "%d.t", i);
    float *t = golden_values(g, w, name, &one);
    snprintf(name, sizeof name, "%d.context", i);
    float *context = golden_values(g, w, name, &context_n);
    snprintf(name, sizeof name, "%d.out", i);
    float *want = golden_values(g, w, name, &out_n), *out = malloc((size_t)n * sizeof *out);
    golden_count(g, name, out_n, n);
    struct golden_probe p;
    golden_probe_init(&p, g, w, "dit_t2v", prefix, bound_dit, false);
    struct dit_prompt_spec spec = {
        .context = context, .n = context_n / dit_config(d)->text_dim, .probe = &p.probe};
    struct dit_input in = {.x = x,
                           .frames = (int)shape->dim[1],
                           .height = (int)shape->dim[2],
                           .width = (int)shape->dim[3],
                           .t = (double)t[0],
                           .probe = &p.probe};
    enum err e = dit_prompt_new(d, &spec, &prompt, &f);
    in.prompt = prompt;
    if (e || dit_forward(d, &in, out, &f))
        golden_broken(g, "dit_t2v", &f);
    else
        golden_check(g, "dit_t2v", name, out, want, n, bound_dit);
    dit_prompt_free(prompt);
    free(x);
    free(t);
    free(context);
    free(want);
    free(out);
}

void golden_dit_t2v(struct golden *g)
{
    struct weights *w = golden_open(g, "dit_t2v.safetensors"), *net = NULL;
    struct dit *d = NULL;
    struct fault f = {0};
    if (w && (net = golden_open(g, "tiny_t2v/diffusion_pytorch_model.safetensors"))) {
        tables(g, w);
        if (dit_open(g->dev, net, NULL, g->place, NULL, &d, &f))
            golden_broken(g, "dit_t2v", &f);
        for (int i = 0; d && golden_has(w, "%d.x", i); i++)
            dit_case(g, w, d, i);
    }
    dit_free(d);
    weights_free(net);
    weights_free(w);
}

/* [f, h, w, 3] → [3, f, h, w], clamped or not */
static float *planes(const float *v, int64_t n, bool clamped)
{
    float *out = malloc((size_t)n * sizeof *out);
    for (int64_t i = 0; out && i < n; i++) {
        float x = v[i];
        if (clamped)
            x = x < -1 ? -1 : x > 1 ? 1 : x;
        out[i % 3 * (n / 3) + i / 3] = x;
    }
    return out;
}

static void decode_case(struct golden *g, const struct weights *w, struct vae *v, int i)
{
    char name[64], prefix[32];
    struct fault f = {0};
    int64_t n, m;
    snprintf(name, sizeof name, "dec%d.z", i);
    const struct wtensor *shape = weights_find(w, name);
    int frames = (int)shape->dim[1];
    float *z = golden_values(g, w, name, &n);
    snprintf(name, sizeof name, "dec%d.out_raw", i);
    float *raw = golden_values(g, w, name, &m), *out = malloc((size_t)m * sizeof *out);
    golden_count(g, name, m,
                 shape->dim[2] * shape->dim[3] * 64 * 3 * (1 + VAE_TIME * (frames - 1)));
    struct vae_stream *s = NULL;
    enum err e = vae_decode_start(v, (int)shape->dim[2], (int)shape->dim[3], &s, &f);
    float *to = out;
    for (int k = 0; k < frames && !e; k++) {
        struct golden_probe p;
        snprintf(prefix, sizeof prefix, "dec%d.c%d.", i, k);
        golden_probe_init(&p, g, w, "vae", prefix, bound_vae, true);
        e = vae_decode(s, z, frames, k, 1, to, &p.probe, &f);
        to += shape->dim[2] * shape->dim[3] * 64 * 3 * (k ? VAE_TIME : 1);
    }
    vae_stream_free(s);
    if (e) {
        golden_broken(g, "vae", &f);
    } else {
        float *turned = planes(out, m, false), *clamped = planes(out, m, true);
        golden_check(g, "vae", name, turned, raw, m, bound_vae);
        snprintf(name, sizeof name, "dec%d.out", i);
        float *want = golden_values(g, w, name, &n);
        golden_count(g, name, n, m);
        golden_check(g, "vae", name, clamped, want, m, bound_vae);
        free(want);
        free(clamped);
        /* any other size of chunk must give the same pictures */
        for (int chunk = 2; chunk < frames; chunk++) {
            if (vae_decode_all(v, z, frames, (int)shape->dim[2], (int)shape->dim[3], chunk, out,
                               &f)) {
                golden_broken(g, "vae", &f);
                break;
            }
            float *again = planes(out, m, false);
            snprintf(name, sizeof name, "dec%d.chunk%d", i, chunk);
            golden_check(g, "vae", name, again, raw, m, bound_vae);
            free(again);
        }
        free(turned);
    }
    free(z);
    free(raw);
    free(out);
}

static void encode_case(struct golden *g, const struct weights *w, struct vae *v, int i)
{
    char name[64];
    struct fault f = {0};
    int64_t n, m;
    snprintf(name, sizeof name, "enc%d.video", i);
    float *video = golden_values(g, w, name, &n), *pixels = malloc((size_t)n * sizeof *pixels);
    for (int64_t j = 0; j < n; j++) /* [3, f, h, w] → [f, h, w, 3] */
        pixels[j % (n / 3) * 3 + j / (n / 3)] = video[j];
    for (int raw = 0; raw < 2; raw++) {
        snprintf(name, sizeof name, raw ? "enc%d.mu_raw" : "enc%d.latent", i);
        const struct wtensor *shape = weights_find(w, name);
        float *want = golden_values(g, w, name, &m), *z = calloc((size_t)m, sizeof *z);
        golden_count(g, name, shape->rank, 4);
        golden_count(g, "enc.video", n,
                     shape->dim[2] * shape->dim[3] * 64 * 3 * (1 + VAE_TIME * (shape->dim[1] - 1)));
        for (int chunk = 1; chunk <= 1 || chunk < shape->dim[1]; chunk++) {
            char chunked[80];
            snprintf(chunked, sizeof chunked, chunk > 1 ? "%s.chunk%d" : "%s", name, chunk);
            if (vae_encode_all(v, pixels, (int)shape->dim[1], (int)shape->dim[2],
                               (int)shape->dim[3], chunk, raw, z, &f))
                golden_broken(g, "vae", &f);
            else
                golden_check(g, "vae", chunked, z, want, m, bound_vae);
        }
        free(want);
        free(z);
    }
    free(video);
    free(pixels);
}

void golden_vae(struct golden *g)
{
    struct weights *w = golden_open(g, "vae.safetensors"), *net = NULL;
    struct vae *v = NULL;
    struct fault f = {0};
    if (w && (net = golden_open(g, "tiny_t2v/Wan2.1_VAE.safetensors"))) {
        if (vae_open(g->dev, net, VAE_DECODER | VAE_ENCODER, NULL, &v, &f))
            golden_broken(g, "vae", &f);
        for (int i = 0; v && golden_has(w, "dec%d.z", i); i++)
            decode_case(g, w, v, i);
        for (int i = 0; v && golden_has(w, "enc%d.video", i); i++)
            encode_case(g, w, v, i);
    }
    vae_free(v);
    weights_free(net);
    weights_free(w);
}
