/* Token ids → context → guided sampling from the given noise → frames, on the tiny checkpoint. */
#include "wan/prog/golden.h"

#include "wan/dit.h"
#include "wan/sampler.h"
#include "wan/t5.h"
#include "wan/vae.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct run {
    struct golden *g;
    const char *part;
    const struct weights *w; /* the vectors */
    struct weights *t5_file, *dit_file, *vae_file;
    struct dit *dit;
    struct dit_prompt *cond, *uncond;
    struct sampler *sampler;
    double scale;
    int frames, height, width;
    int64_t n; /* numbers of a latent */
    float *latent;
    struct fault f;
};

static bool opened(struct run *r)
{
    struct golden *g = r->g;
    r->t5_file = golden_open(g, "tiny_t2v/models_t5_umt5-xxl-enc-bf16.pth");
    r->dit_file = golden_open(g, "tiny_t2v/diffusion_pytorch_model.safetensors");
    r->vae_file = golden_open(g, "tiny_t2v/Wan2.1_VAE.pth");
    return r->t5_file && r->dit_file && r->vae_file;
}

/* Parameters of the run: all metadata entries are text. */
static enum err settings(struct run *r)
{
    const char *steps = weights_meta(r->w, "steps"), *shift = weights_meta(r->w, "shift");
    const char *scale = weights_meta(r->w, "scale"), *solver = weights_meta(r->w, "solver");
    const struct wtensor *noise = weights_find(r->w, "noise");
    struct schedule s;
    enum sampler_kind kind;
    if (!steps || !shift || !scale || !solver || !noise || noise->rank != 4 ||
        !sampler_parse(solver, &kind))
        return fault_set(&r->f, ERR_INVAL, "the metadata is not complete");
    enum err e = schedule_flow(&s, kind, atoi(steps), atof(shift), &r->f);
    if (e)
        return e;
    r->scale = atof(scale);
    r->frames = (int)noise->dim[1];
    r->height = (int)noise->dim[2];
    r->width = (int)noise->dim[3];
    r->sampler = sampler_new(kind, &s, noise->count);
    r->latent = golden_values(r->g, r->w, "noise", &r->n);
    return r->sampler && r->latent ? ERR_OK : ERR_NOMEM;
}

/* prefix.ids → context, compared, → keys and values of all blocks */
static enum err encode(struct run *r, const struct t5 *t5, const char *prefix,
                       struct dit_prompt **out)
{
    char name[64];
    int64_t n, m;
    snprintf(name, sizeof name, "%s.ids", prefix);
    float *ids = golden_values(r->g, r->w, name, &n);
    snprintf(name, sizeof name, "%s.context", prefix);
    float *want = golden_values(r->g, r->w, name, &m);
    float *context = malloc((size_t)(n * t5->dim) * sizeof *context);
    int *tokens = malloc((size_t)n * sizeof *tokens);
    for (int64_t i = 0; i < n; i++)
        tokens[i] = (int)ids[i];
    enum err e = t5_encode(t5, tokens, (int)n, context, NULL, &r->f);
    if (!e) {
        golden_count(r->g, name, m, n * t5->dim);
        golden_check(r->g, r->part, name, context, want, m, bound_t5);
        e = dit_prompt_new(r->dit, &(struct dit_prompt_spec){.context = context, .n = n}, out,
                           &r->f);
    }
    free(ids);
    free(want);
    free(context);
    free(tokens);
    return e;
}

/* Compares `made`, all steps in a row, with the vectors and frees both. */
static void compare(struct run *r, const char *name, float *made, int64_t n)
{
    int64_t m;
    float *want = golden_values(r->g, r->w, name, &m);
    golden_count(r->g, name, m, n);
    if (made)
        golden_check(r->g, r->part, name, made, want, m, bound_e2e);
    free(want);
    free(made);
}

static enum err sample(struct run *r)
{
    const struct schedule *s = &r->sampler->schedule;
    float *v = malloc((size_t)(r->n * s->steps) * sizeof *v);
    float *latents = malloc((size_t)(r->n * s->steps) * sizeof *latents);
    float *other = malloc((size_t)r->n * sizeof *other);
    enum err e = v && latents && other ? ERR_OK : ERR_NOMEM;
    for (int i = 0; i < s->steps && !e; i++) {
        struct dit_input in = {.x = r->latent,
                               .frames = r->frames,
                               .height = r->height,
                               .width = r->width,
                               .t = s->t[i],
                               .prompt = r->cond};
        e = dit_forward(r->dit, &in, v + i * r->n, &r->f);
        in.prompt = r->uncond;
        if (!e)
            e = dit_forward(r->dit, &in, other, &r->f);
        if (e)
            break;
        sampler_guide(v + i * r->n, other, r->n, r->scale, false, 1);
        sampler_step(r->sampler, i, r->latent, v + i * r->n, NULL, NULL);
        memcpy(latents + i * r->n, r->latent, (size_t)r->n * sizeof *latents);
    }
    free(other);
    if (e) {
        free(v);
        free(latents);
        return e;
    }
    float *sigmas = malloc((size_t)(s->steps + 1) * sizeof *sigmas);
    memcpy(sigmas, s->sigma, (size_t)(s->steps + 1) * sizeof *sigmas);
    compare(r, "sigmas", sigmas, s->steps + 1);
    int64_t count;
    float *want = golden_values(r->g, r->w, "timesteps", &count), shown[SAMPLER_STEPS_MAX];
    for (int i = 0; i < s->steps; i++)
        shown[i] = (float)s->t[i];
    golden_count(r->g, "timesteps", count, s->steps);
    golden_check(r->g, r->part, "timesteps", shown, want, count,
                 r->sampler->kind == SAMPLER_EULER ? bound_schedule : bound_exact);
    free(want);
    compare(r, "v", v, r->n * s->steps);
    compare(r, "latents", latents, r->n * s->steps);
    return ERR_OK;
}

static enum err decode(struct run *r)
{
    struct vae *vae = NULL;
    int64_t count, pictures = (int64_t)(r->frames * VAE_TIME - 3) * r->height * r->width * 64;
    float *out = malloc((size_t)pictures * 3 * sizeof *out);
    float *want = golden_values(r->g, r->w, "frames", &count);
    enum err e = vae_open(r->g->dev, r->vae_file, VAE_DECODER, NULL, &vae, &r->f);
    if (!e)
        e = vae_decode_all(vae, r->latent, r->frames, r->height, r->width, 2, out, &r->f);
    float *turned = malloc((size_t)pictures * 3 * sizeof *turned);
    for (int64_t i = 0; !e && i < pictures * 3; i++) { /* [f, h, w, 3] → [3, f, h, w], clamped */
        float x = out[i] < -1 ? -1 : out[i] > 1 ? 1 : out[i];
        turned[i % 3 * pictures + i / 3] = x;
    }
    golden_count(r->g, "frames", count, pictures * 3);
    if (!e)
        golden_check(r->g, r->part, "frames", turned, want, count, bound_e2e);
    for (int round = 0; !e && round < 2; round++) {
        const char *name = round ? "frames_u8_round" : "frames_u8_trunc";
        float *bytes = golden_values(r->g, r->w, name, &count);
        golden_count(r->g, name, count, pictures * 3);
        for (int64_t i = 0; i < count; i++) {
            float x = (turned[i] + 1) / 2 * 255;
            out[i] = (float)(int)(round ? x + 0.5f : x);
        }
        golden_check(r->g, r->part, name, out, bytes, count, bound_bytes);
        free(bytes);
    }
    vae_free(vae);
    free(out);
    free(turned);
    free(want);
    return e;
}

static void one(struct golden *g, const char *part, const struct weights *w)
{
    struct run r = {.g = g, .part = part, .w = w};
    struct t5 t5;
    if (!opened(&r))
        goto out;
    if (settings(&r) || t5_open(g->dev, r.t5_file, &t5, &r.f) ||
        dit_open(g->dev, r.dit_file, NULL, DIT_IN_FILES, NULL, &r.dit, &r.f) ||
        encode(&r, &t5, "cond", &r.cond) || encode(&r, &t5, "uncond", &r.uncond) || sample(&r) ||
        decode(&r))
        golden_broken(g, part, &r.f);
out:
    dit_prompt_free(r.cond);
    dit_prompt_free(r.uncond);
    dit_free(r.dit);
    sampler_free(r.sampler);
    free(r.latent);
    weights_free(r.t5_file);
    weights_free(r.dit_file);
    weights_free(r.vae_file);
}

void golden_e2e(struct golden *g)
{
    for (int i = 0; i < 100; i++) {
        char part[16], file[32];
        snprintf(part, sizeof part, "e2e_%d", i);
        snprintf(file, sizeof file, "e2e_%d.safetensors", i);
        if (i > 0 && !golden_exists(g, file)) /* the end of the list */
            break;
        struct weights *w = golden_open(g, file);
        if (w)
            one(g, part, w);
        weights_free(w);
    }
}
