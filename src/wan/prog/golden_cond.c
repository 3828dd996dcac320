/* The transformer under conditions: an image, VACE's context, LoRAs, earlier frames. */
#include "wan/prog/golden.h"

#include "base/json.h"
#include "base/path.h"
#include "wan/clip.h"
#include "wan/dit.h"
#include "wan/image.h"
#include "wan/lora.h"
#include "wan/rollout.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DIT_FILE "tiny_t2v/diffusion_pytorch_model.safetensors"

/* One forward pass over "<prefix>x", "t", "context" of the vectors. */
struct forward {
    const char *part, *prefix, *out; /* out: name of the expected tensor */
    const float *clip;
    int64_t clip_n;
    const float *y, *vace;
    float vace_scale;
    struct bound bound;
};

static void forward(struct golden *g, const struct weights *w, struct dit *d,
                    const struct forward *c)
{
    char name[64];
    int64_t n, m, k;
    struct fault f = {0};
    struct dit_prompt *prompt = NULL;
    struct golden_probe p;
    snprintf(name, sizeof name, "%sx", c->prefix);
    const struct wtensor *shape = weights_find(w, name);
    float *x = golden_values(g, w, name, &n);
    snprintf(name, sizeof name, "%st", c->prefix);
    float *t = golden_values(g, w, name, &k);
    snprintf(name, sizeof name, "%scontext", c->prefix);
    float *context = golden_values(g, w, name, &m), *out = malloc((size_t)n * sizeof *out);
    float *want = golden_values(g, w, c->out, &k);
    golden_count(g, c->out, k, n);
    golden_probe_init(&p, g, w, c->part, c->prefix, c->bound, false);
    struct dit_prompt_spec spec = {.context = context,
                                   .n = m / dit_config(d)->text_dim,
                                   .clip = c->clip,
                                   .clip_n = c->clip_n,
                                   .probe = &p.probe};
    enum err e = dit_prompt_new(d, &spec, &prompt, &f);
    struct dit_input in = {.x = x,
                           .y = c->y,
                           .vace = c->vace,
                           .vace_scale = c->vace_scale,
                           .frames = (int)shape->dim[1],
                           .height = (int)shape->dim[2],
                           .width = (int)shape->dim[3],
                           .t = (double)t[0],
                           .prompt = prompt,
                           .probe = &p.probe};
    if (e || dit_forward(d, &in, out, &f))
        golden_broken(g, c->part, &f);
    else
        golden_check(g, c->part, c->out, out, want, k, c->bound);
    dit_prompt_free(prompt);
    free(x);
    free(t);
    free(context);
    free(out);
    free(want);
}

/* [3, h, w] → [h, w, 3]; with frames between, [c, f, h, w] → [f, h, w, c] the same way */
static float *interleaved(const float *v, int64_t n, int channels, bool back)
{
    float *out = malloc((size_t)n * sizeof *out);
    int64_t places = n / channels;
    for (int64_t i = 0; out && i < n; i++) {
        int64_t planar = i % channels * places + i / channels;
        out[back ? planar : i] = v[back ? i : planar];
    }
    return out;
}

struct i2v {
    struct weights *w, *dit_file, *clip_file, *vae_file;
    struct dit *dit;
    struct vae *vae;
    struct clip_vision clip;
};

static void check_planar(struct golden *g, const struct i2v *s, const char *name, const float *made,
                         int64_t made_n)
{
    int64_t n;
    float *want = golden_values(g, s->w, name, &n);
    golden_count(g, name, n, made_n);
    float *turned = interleaved(made, n, 3, true);
    golden_check(g, "dit_i2v", name, turned, want, n, bound_i2v);
    free(want);
    free(turned);
}

static void i2v_case(struct golden *g, const struct i2v *s, int i)
{
    char name[64], prefix[16], out[16];
    struct fault f = {0};
    int64_t n, m;
    snprintf(prefix, sizeof prefix, "%d.", i);
    snprintf(out, sizeof out, "%d.out", i);
    snprintf(name, sizeof name, "%d.image", i);
    const struct wtensor *shape = weights_find(s->w, name);
    float *planar = golden_values(g, s->w, name, &n), *pixels = interleaved(planar, n, 3, false);
    struct image image = {pixels, (int)shape->dim[1], (int)shape->dim[2]};
    snprintf(name, sizeof name, "%d.x", i);
    shape = weights_find(s->w, name);
    int frames = (int)shape->dim[1], h = (int)shape->dim[2], w = (int)shape->dim[3];
    size_t side = (size_t)s->clip.size;
    float *clip_input = malloc(side * side * 3 * sizeof *clip_input);
    float *tokens = malloc((size_t)(s->clip.tokens * s->clip.dim) * sizeof *tokens);
    float *resized = malloc((size_t)(h * w) * 64 * 3 * sizeof *resized);
    float *y = malloc((size_t)(IMAGE_Y * frames * h * w) * sizeof *y);
    enum err e = image_clip_input(&image, s->clip.size, clip_input, &f);
    if (!e)
        e = clip_vision_encode(&s->clip, clip_input, tokens, &f);
    if (!e)
        e = image_resize(&image, h * VAE_SPACE, w * VAE_SPACE, resized, &f);
    if (!e)
        e = image_condition(s->vae, &image, NULL, frames, h, w, NULL, y, &f);
    if (e) {
        golden_broken(g, "dit_i2v", &f);
    } else {
        snprintf(name, sizeof name, "%d.clip_input", i);
        check_planar(g, s, name, clip_input, (int64_t)(side * side * 3));
        snprintf(name, sizeof name, "%d.resized", i);
        check_planar(g, s, name, resized, (int64_t)h * w * 64 * 3);
        snprintf(name, sizeof name, "%d.clip_fea", i);
        float *want = golden_values(g, s->w, name, &m);
        golden_count(g, name, m, s->clip.tokens * s->clip.dim);
        golden_check(g, "dit_i2v", name, tokens, want, m, bound_i2v);
        free(want);
        snprintf(name, sizeof name, "%d.y", i);
        want = golden_values(g, s->w, name, &m);
        golden_count(g, name, m, (int64_t)IMAGE_Y * frames * h * w);
        golden_check(g, "dit_i2v", name, y, want, m, bound_i2v);
        free(want);
        forward(g, s->w, s->dit,
                &(struct forward){.part = "dit_i2v",
                                  .prefix = prefix,
                                  .out = out,
                                  .clip = tokens,
                                  .clip_n = s->clip.tokens,
                                  .y = y,
                                  .bound = bound_i2v});
    }
    free(planar);
    free(pixels);
    free(clip_input);
    free(tokens);
    free(resized);
    free(y);
}

void golden_dit_i2v(struct golden *g)
{
    struct i2v s = {0};
    struct fault f = {0};
    if (!(s.w = golden_open(g, "dit_i2v.safetensors")) ||
        !(s.dit_file = golden_open(g, "tiny_i2v/diffusion_pytorch_model.safetensors")) ||
        !(s.clip_file = golden_open(g, "tiny_i2v/models_clip.safetensors")) ||
        !(s.vae_file = golden_open(g, "tiny_t2v/Wan2.1_VAE.safetensors")))
        goto out;
    if (dit_open(g->dev, s.dit_file, NULL, g->place, NULL, &s.dit, &f) ||
        clip_vision_open(g->dev, s.clip_file, &s.clip, &f) ||
        vae_open(g->dev, s.vae_file, VAE_ENCODER, NULL, &s.vae, &f)) {
        golden_broken(g, "dit_i2v", &f);
        goto out;
    }
    for (int i = 0; golden_has(s.w, "%d.x", i); i++)
        i2v_case(g, &s, i);
out:
    dit_free(s.dit);
    vae_free(s.vae);
    weights_free(s.w);
    weights_free(s.dit_file);
    weights_free(s.clip_file);
    weights_free(s.vae_file);
}

void golden_dit_vace(struct golden *g)
{
    struct weights *w = golden_open(g, "dit_vace.safetensors"), *net = NULL;
    struct dit *d = NULL;
    struct fault f = {0};
    if (w && (net = golden_open(g, "tiny_vace/diffusion_pytorch_model.safetensors"))) {
        if (dit_open(g->dev, net, NULL, g->place, NULL, &d, &f))
            golden_broken(g, "dit_vace", &f);
        for (int i = 0; d && golden_has(w, "%d.x", i); i++) {
            char name[32], prefix[16], out[16];
            int64_t n;
            snprintf(prefix, sizeof prefix, "%d.", i);
            snprintf(out, sizeof out, "%d.out", i);
            snprintf(name, sizeof name, "%d.vace_context", i);
            float *vace = golden_values(g, w, name, &n);
            snprintf(name, sizeof name, "%d.scale", i);
            float *scale = golden_values(g, w, name, &n);
            forward(g, w, d,
                    &(struct forward){.part = "dit_vace",
                                      .prefix = prefix,
                                      .out = out,
                                      .vace = vace,
                                      .vace_scale = scale[0],
                                      .bound = bound_i2v});
            free(vace);
            free(scale);
        }
    }
    dit_free(d);
    weights_free(net);
    weights_free(w);
}

#define STYLES 3
static const char *const styles[STYLES] = {"kohya", "diffusers", "comfy"};

/* "kohya.0.6" and "stack.kohya0.6_diffusers-0.4_comfy1" say which LoRAs at which strength. */
static void parse_set(const char *name, struct lora *const *lora, struct lora_set *set)
{
    bool stack = !strncmp(name, "stack.", 6);
    set->n = 0;
    for (int i = 0; i < STYLES; i++) {
        const char *at = stack ? strstr(name, styles[i]) : name;
        size_t n = strlen(styles[i]);
        if (!at || !lora[i] || strncmp(at, styles[i], n))
            continue;
        set->lora[set->n] = lora[i];
        set->strength[set->n++] = atof(at + n + !stack);
    }
}

void golden_lora(struct golden *g)
{
    struct weights *w = golden_open(g, "lora/expected.safetensors"), *net = NULL;
    struct lora *lora[STYLES] = {0};
    struct lora_set set = {0};
    struct patcher patch = lora_patcher(&set);
    struct dit *d = NULL;
    struct fault f = {0};
    char path[PATH_LEN], file[64];
    if (!w || !(net = golden_open(g, DIT_FILE)))
        goto out;
    for (int i = 0; i < STYLES; i++) {
        snprintf(file, sizeof file, "lora/%s.safetensors", styles[i]);
        if (path_join(path, sizeof path, g->dir, file) || lora_open(path, net, &lora[i], &f))
            golden_broken(g, "lora", &f);
    }
    if (dit_open(g->dev, net, &patch, g->place, NULL, &d, &f)) {
        golden_broken(g, "lora", &f);
        goto out;
    }
    for (int i = 0; i < w->n; i++) {
        const char *name = w->t[i].name;
        struct lora_set next = {0};
        if (w->t[i].rank != 4 || !strcmp(name, "x"))
            continue;
        /* one model throughout: each case is a switch from the one before */
        parse_set(name, lora, &next);
        struct lora_set old = set;
        set = next;
        for (int k = 0; k < old.n && next.n < LORA_SET_MAX; k++)
            next.lora[next.n++] = old.lora[k];
        if (dit_reload(d, lora_touches, &next, NULL, &f))
            golden_broken(g, "lora", &f);
        else
            forward(
                g, w, d,
                &(struct forward){.part = "lora", .prefix = "", .out = name, .bound = bound_dit});
    }
out:
    dit_free(d);
    for (int i = 0; i < STYLES; i++)
        lora_free(lora[i]);
    weights_free(net);
    weights_free(w);
}

struct causal {
    struct golden *g;
    const struct weights *w;
    struct dit *d;
    struct rollout *rollout;
    struct schedule schedule;
    int frames, per_block, h, w_;
    int block;
    float *latent; /* of all blocks, [16, frames, h, w] */
    struct fault f;
};

/* Frames [f0, f0 + b) of [16, frames, plane] as [16, b, plane], or back. */
static void block_frames(struct causal *r, float *all, float *part, int f0, bool back)
{
    int64_t plane = (int64_t)r->h * r->w_, run = r->per_block * plane;
    for (int c = 0; c < 16; c++) {
        float *a = all + ((int64_t)c * r->frames + f0) * plane, *b = part + c * run;
        memcpy(back ? a : b, back ? b : a, (size_t)run * sizeof *a);
    }
}

static void check_named(struct causal *r, const char *name, const float *made, int64_t made_n)
{
    int64_t n;
    float *want = golden_values(r->g, r->w, name, &n);
    golden_count(r->g, name, n, made_n);
    golden_check(r->g, "self_forcing", name, made, want, n, bound_sf);
    free(want);
}

static void take_fresh(void *user, int step, float *out, int64_t n)
{
    struct causal *r = user;
    char name[64];
    int64_t got;
    snprintf(name, sizeof name, "b%d.s%d.renoise", r->block, step - 1);
    float *stored = golden_values(r->g, r->w, name, &got);
    golden_count(r->g, name, got, n);
    memcpy(out, stored, (size_t)n * sizeof *out);
    free(stored);
}

static void see_step(void *user, int step, const float *v, const float *x0)
{
    struct causal *r = user;
    char name[64];
    int64_t n = (int64_t)16 * r->per_block * r->h * r->w_;
    snprintf(name, sizeof name, "b%d.s%d.v", r->block, step);
    check_named(r, name, v, n);
    snprintf(name, sizeof name, "b%d.s%d.x0", r->block, step);
    check_named(r, name, x0, n);
}

/* Sizes and steps from the metadata entry "sf", shift 5 by the schedule's own words. */
static enum err causal_read(struct causal *r)
{
    const char *meta = weights_meta(r->w, "sf");
    const struct wtensor *noise = weights_find(r->w, "noise");
    cJSON *sf = meta ? json_parse(meta, strlen(meta), &r->f) : NULL;
    const cJSON *steps = sf ? json_arr(sf, "steps") : NULL, *v;
    int nominal[64], n = 0;
    enum err e = ERR_OK;
    if (!steps || !noise || noise->rank != 4 || cJSON_GetArraySize(steps) > 64)
        e = fault_set(&r->f, ERR_INVAL, "the metadata is not complete");
    if (!e) {
        cJSON_ArrayForEach(v, steps)
        {
            nominal[n++] = v->valueint;
        }
        r->per_block = (int)json_int(sf, "per_block", 0);
        r->frames = (int)noise->dim[1];
        r->h = (int)noise->dim[2];
        r->w_ = (int)noise->dim[3];
        if (r->per_block < 1 || r->frames % r->per_block)
            e = fault_set(&r->f, ERR_INVAL, "%d frames are no blocks of %d", r->frames,
                          r->per_block);
    }
    cJSON_Delete(sf);
    return e ? e : schedule_nominal(&r->schedule, nominal, n, 5, &r->f);
}

static enum err causal_run(struct causal *r)
{
    int64_t n, m;
    enum err e = causal_read(r);
    if (e)
        return e;
    float *noise = golden_values(r->g, r->w, "noise", &n),
          *context = golden_values(r->g, r->w, "context", &m);
    golden_count(r->g, "self_forcing.noise", n, (int64_t)16 * r->frames * r->h * r->w_);
    golden_count(r->g, "self_forcing.context", m % dit_config(r->d)->text_dim, 0);
    float *x = malloc((size_t)16 * r->per_block * r->h * r->w_ * sizeof *x);
    r->latent = malloc((size_t)(n ? n : 1) * sizeof *r->latent);
    struct rollout_setup set = {.dit = r->d,
                                .schedule = &r->schedule,
                                .height = r->h,
                                .width = r->w_,
                                .block = r->per_block,
                                .window = r->frames};
    struct rollout_block block = {.latent = x, .fresh = take_fresh, .seen = see_step, .user = r};
    if (!noise || !context || !x || !r->latent)
        e = fault_set(&r->f, ERR_NOMEM, "no noise or context");
    float shown[SAMPLER_STEPS_MAX];
    for (int i = 0; i < r->schedule.steps; i++)
        shown[i] = (float)r->schedule.t[i];
    check_named(r, "denoising_timesteps", shown, r->schedule.steps);
    if (!e)
        e = rollout_open(&set, &r->rollout, &r->f);
    if (!e)
        e = rollout_prompt(r->rollout, context, m / dit_config(r->d)->text_dim, &r->f);
    for (r->block = 0; r->block < r->frames / r->per_block && !e; r->block++) {
        block_frames(r, noise, x, r->block * r->per_block, false);
        e = rollout_next(r->rollout, &block, &r->f);
        if (!e)
            block_frames(r, r->latent, x, r->block * r->per_block, true);
    }
    free(noise);
    free(context);
    free(x);
    return e;
}

void golden_self_forcing(struct golden *g)
{
    struct causal r = {.g = g};
    struct weights *net = NULL, *w = golden_open(g, "self_forcing.safetensors");
    r.w = w;
    if (!w || !(net = golden_open(g, DIT_FILE)))
        goto out;
    if (dit_open(g->dev, net, NULL, g->place, NULL, &r.d, &r.f) || causal_run(&r)) {
        golden_broken(g, "self_forcing", &r.f);
        goto out;
    }
    check_named(&r, "latent", r.latent, (int64_t)16 * r.frames * r.h * r.w_);
    for (int i = 0; i < dit_config(r.d)->layers; i++)
        for (int which = 0; which < 2; which++) {
            char name[32];
            const struct tensor *t = dit_cache_see(rollout_cache(r.rollout), i, which);
            float *v = malloc((size_t)tensor_count(t) * sizeof *v);
            snprintf(name, sizeof name, "kv.%d.%c", i, which ? 'v' : 'k');
            device_read(g->dev, v, t, tensor_count(t));
            check_named(&r, name, v, tensor_count(t));
            free(v);
        }
out:
    rollout_free(r.rollout);
    dit_free(r.d);
    free(r.latent);
    weights_free(net);
    weights_free(w);
}
