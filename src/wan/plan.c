/* What a job takes, and what the memory there is makes of it.
 *
 * The job is run through the networks' own code on a device that only counts (device_hollow), stage
 * by stage: so the sum is that of the code as it stands. On a device with memory of its own that is
 * done for one way after the other, from the most comfortable on, until one fits. A host keeps what
 * it always did: a transformer of at most half the memory stays as a whole. */
#include "wan/preset.h"
#include "wan/rollout.h"
#include "wan/wan_inside.h"

#include "wan/clip.h"

#include <stdlib.h>
#include <string.h>

#define TILE 256                    /* pixels, where a whole picture does not fit */
#define CHUNK_MOST 4                /* latent frames */
#define ELEMENTS ((int64_t)1 << 31) /* of a tensor: libraries count in 32 bits */

/* Comfort falls from line to line: what costs time in each step comes last, then in each prompt,
 * then in each decode. Within a line the largest chunk that fits is taken. */
static const struct way {
    enum dit_place place;
    bool keep_text, tile;
} ways[] = {
    {DIT_RESIDENT, true, false}, {DIT_RESIDENT, false, false}, {DIT_RESIDENT, false, true},
    {DIT_PARKED, true, false},   {DIT_PARKED, false, false},   {DIT_PARKED, false, true},
};

/* ---- the parts ---- */

static int64_t numbers_of(const struct weights *w, const char *prefix)
{
    int64_t n = 0;
    for (int i = 0; w && i < w->n; i++)
        if (!strncmp(w->t[i].name, prefix, strlen(prefix)))
            n += w->t[i].count;
    return n;
}

static uint64_t most(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

/* Rows of a prompt's text, at most: no token is shorter than a byte; a blank, the end. */
static int rows_of(const char *text)
{
    size_t n = text ? strlen(text) + 2 : DIT_TEXT;
    return n < DIT_TEXT ? (int)n : DIT_TEXT;
}

/* What is measured with: a device that counts, and nothing at all to feed it. */
struct count {
    const struct wan *w;
    const struct wan_job *j;
    struct device *dev;
    struct wan_plan *plan;
    struct fault *f;
    enum dit_place place;
    int frames, height, width; /* of the latent */
    float *zeros;              /* a few frames of latents, pictures … */
    struct dit *dit;
    struct vae *vae;
    struct tae *tae;
    struct t5 t5;
};

/* The most since the last call beside what stays. */
static uint64_t stage(struct count *c, uint64_t stays)
{
    uint64_t peak = device_peak(c->dev);
    device_mark(c->dev);
    return peak > stays ? peak - stays : 0;
}

static enum err count_weights(struct count *c)
{
    const struct files *s = &c->w->files;
    struct wan_plan *p = c->plan;
    enum err e =
        dit_open(c->dev, s->weights[FILES_DIT], &c->w->patcher, c->place, NULL, &c->dit, c->f);
    p->transformer = device_used(c->dev);
    if (!e && c->j->tiny)
        e = wan_ready_tiny(c->w, c->f);
    if (!e && c->j->tiny)
        e = tae_open(c->dev, s->weights[FILES_TINY], &c->tae, c->f);
    else if (!e && s->weights[FILES_VAE])
        e = vae_open(c->dev, s->weights[FILES_VAE], VAE_DECODER, NULL, &c->vae, c->f);
    p->vae = device_used(c->dev) - p->transformer;
    if (!e && s->weights[FILES_T5])
        e = t5_open(c->dev, s->weights[FILES_T5], &c->t5, c->f);
    if (!e && p->keep_text && c->t5.dev)
        e = t5_keep(&c->t5, c->f);
    p->text_encoder = device_used(c->dev) - p->transformer - p->vae;
    return e;
}

/* Rows of the longest prompt that the job names, or of any where others may come. */
static int rows_of_prompts(const struct wan_job *j)
{
    int rows = rows_of(j->live ? NULL : j->prompt);
    for (int i = 0; i < j->turn_n; i++)
        rows = (int)most((uint64_t)rows, (uint64_t)rows_of(j->turn[i].prompt));
    return rows;
}

static enum err count_text(struct count *c)
{
    static const int ids[DIT_TEXT];
    int n = (int)most((uint64_t)rows_of_prompts(c->j),
                      c->j->guidance == 1 ? 1 : (uint64_t)rows_of(c->j->negative));
    float *out = c->t5.dev ? malloc((size_t)n * (size_t)c->t5.dim * sizeof *out) : NULL;
    enum err e = ERR_OK;
    if (out)
        e = t5_encode(&c->t5, ids, n, out, NULL, c->f);
    free(out);
    return e;
}

/* Pictures on their way to conditions: CLIP's look at one, and the VAE's encoder. */
static enum err count_image(struct count *c)
{
    const struct wan_job *j = c->j;
    const struct files *s = &c->w->files;
    const struct wan_info *i = &c->w->info;
    struct clip_vision clip;
    struct vae *encoder = NULL;
    struct vae_stream *stream = NULL;
    enum err e = ERR_OK;
    if (!(i->image || j->source || j->reference_n || j->control) || !s->weights[FILES_VAE])
        return ERR_OK;
    if (i->image && s->weights[FILES_CLIP]) {
        e = clip_vision_open(c->dev, s->weights[FILES_CLIP], &clip, c->f);
        float *in = e ? NULL : calloc((size_t)clip.size * (size_t)clip.size * 3, sizeof *in);
        float *out = e ? NULL : malloc((size_t)(clip.tokens * clip.dim) * sizeof *out);
        if (in && out)
            e = clip_vision_encode(&clip, in, out, c->f);
        free(in);
        free(out);
    }
    if (!e)
        e = vae_open(c->dev, s->weights[FILES_VAE], VAE_ENCODER, NULL, &encoder, c->f);
    if (!e)
        e = vae_encode_start(encoder, c->height, c->width, &stream, c->f);
    for (int k = 0; k < 3 && !e; k++)
        e = vae_encode(stream, NULL, k ? VAE_TIME : 1, c->zeros, 3, k, false, c->f);
    vae_stream_free(stream);
    vae_free(encoder);
    return e;
}

/* What lasts from step to step, and a step. */
struct kept {
    struct dit_prompt *prompt[2];
    struct dit_cache *cache;
    struct teacache tea[2];
    struct dit_input in;
};

static enum err count_sample(struct count *c, struct kept *k)
{
    const struct wan_job *j = c->j;
    const struct dit_config *config = &c->w->config;
    const struct preset *preset = preset_find(j->sampler);
    int block = preset ? preset->block : 0;
    int64_t plane = (int64_t)(c->height / 2) * (c->width / 2);
    struct dit_prompt_spec spec = {.n = rows_of_prompts(j)};
    enum err e = ERR_OK;
    if (config->image_dim) {
        spec.clip = c->zeros;
        spec.clip_n = config->image_tokens ? config->image_tokens : 257;
    }
    e = dit_prompt_new(c->dit, &spec, &k->prompt[0], c->f);
    spec.n = rows_of(j->negative);
    if (!e && j->guidance != 1)
        e = dit_prompt_new(c->dit, &spec, &k->prompt[1], c->f);
    if (!e && block)
        e = dit_cache_new(c->dit, plane * (c->frames < ROLLOUT_WINDOW ? c->frames : ROLLOUT_WINDOW),
                          &k->cache, c->f);
    struct dit_input *in = &k->in;
    *in =
        (struct dit_input){.y = config->in > 16 ? c->zeros : NULL,
                           .ref = j->reference_n && config->ref && !config->vace ? c->zeros : NULL,
                           .vace = config->vace ? c->zeros : NULL,
                           .vace_scale = 1,
                           .frames = block ? block : c->frames,
                           .height = c->height,
                           .width = c->width,
                           .prompt = k->prompt[0],
                           .cache = k->cache};
    for (int i = 0; i < 2 && !e && k->prompt[i]; i++) {
        in->prompt = k->prompt[i];
        if (j->teacache > 0) {
            teacache_init(&k->tea[i], TEA_T2V_1_3B, false, j->teacache, 50);
            in->tea = &k->tea[i];
        }
        e = dit_forward(c->dit, in, NULL, c->f);
    }
    if (!e && block) /* the second one is recorded, and that takes memory of its own */
        e = dit_forward(c->dit, in, NULL, c->f);
    return e;
}

static void let_go(struct kept *k)
{
    for (int i = 0; i < 2; i++) {
        dit_prompt_free(k->prompt[i]);
        teacache_free(&k->tea[i]);
    }
    dit_cache_free(k->cache);
}

/* Another prompt for the next block of a causal clip, beside all that it keeps. */
static enum err count_turn(struct count *c)
{
    const struct dit_prompt_spec spec = {.n = rows_of_prompts(c->j)};
    struct dit_prompt *next = NULL;
    enum err e = c->j->live ? count_text(c) : ERR_OK; /* those of a list are encoded before */
    if (!e)
        e = dit_prompt_new(c->dit, &spec, &next, c->f);
    dit_prompt_free(next);
    return e;
}

/* A causal clip's decoder lives from block to block, beside the passes. */
static enum err count_decode(struct count *c, const struct kept *k)
{
    const struct wan_plan *p = c->plan;
    int cells = p->tile / VAE_SPACE, chunk = p->tile ? 1 : p->chunk;
    int frames = 1 + 2 * chunk < c->frames ? 1 + 2 * chunk : c->frames;
    int height = cells && cells < c->height ? cells : c->height;
    int width = cells && cells < c->width ? cells : c->width;
    int64_t picture = (int64_t)pipeline_frame_bytes(c->j); /* not sent where there are tiles */
    enum parcel_form form = c->j->nv12 ? PARCEL_NV12 : PARCEL_BYTES;
    struct vae_stream *vae = NULL;
    struct tae_stream *tae = NULL;
    struct parcel *parcel[2] = {0};
    enum err e = ERR_OK;
    if (!c->vae && !c->tae)
        return ERR_OK;
    e = c->tae ? tae_start(c->tae, height, width, &tae, c->f)
               : vae_decode_start(c->vae, height, width, &vae, c->f);
    for (int i = 0; i < 2 && !e && !p->tile; i++)
        if (!(parcel[i] = parcel_new(c->dev, picture * chunk * VAE_TIME, form)))
            e = device_settle(c->dev, c->f);
    for (int at = 0, n; at < frames && !e; at += n) {
        n = at == 0 ? 1 : frames - at < chunk ? frames - at : chunk;
        if (p->tile)
            e = vae_decode(vae, c->zeros, frames, at, n, NULL, NULL, c->f);
        else
            e = tae ? tae_decode_bytes(tae, c->zeros, frames, at, n, parcel[0], c->f)
                    : vae_decode_bytes(vae, c->zeros, frames, at, n, parcel[0], c->f);
    }
    if (!e && k->cache)
        e = dit_forward(c->dit, &k->in, NULL, c->f);
    if (!e && k->cache && (c->j->live || c->j->turn_n))
        e = count_turn(c);
    vae_stream_free(vae);
    tae_stream_free(tae);
    parcel_free(parcel[0]);
    parcel_free(parcel[1]);
    return e;
}

static enum err count_all(struct count *c)
{
    struct wan_plan *p = c->plan;
    struct kept kept = {0};
    enum err e = count_weights(c);
    uint64_t stays = device_used(c->dev);
    stage(c, stays);
    if (!e)
        e = count_text(c);
    p->text = stage(c, stays);
    if (!e)
        e = count_image(c);
    p->image = stage(c, stays);
    if (!e)
        e = count_sample(c, &kept);
    p->sample = stage(c, stays);
    if (!e)
        e = count_decode(c, &kept); /* the prompts are still there */
    p->decode = stage(c, stays);
    p->host = dit_parked(c->dit);
    let_go(&kept);
    return e;
}

/* What is not in the device's count. */
static uint64_t beside(const struct wan *w, const struct wan_job *j, enum dit_place place)
{
    const struct device_caps *caps = device_caps(w->dev);
    const struct weights *dit = w->files.weights[FILES_DIT];
    uint64_t bytes = caps->aside, largest = 0;
    bool changed = j->lora_n > 0; /* on their way, in a loader's own buffer */
    for (int i = 0; i < dit->n; i++) {
        const struct wtensor *t = &dit->t[i];
        changed = changed || t->strided || strstr(t->name, "scale");
        largest = most(largest, (uint64_t)t->count * sizeof(float));
    }
    if (caps->host_memory)
        bytes += changed ? largest : 0;
    else if (place == DIT_IN_FILES) /* two more blocks are on their way in and out */
        bytes +=
            2 * (uint64_t)(numbers_of(dit, "blocks.") / w->config.layers) * dtype_size(caps->work);
    return bytes;
}

/* Fills the sums of *p, whose choices are made. */
static enum err count(const struct wan *w, const struct wan_job *j, struct wan_plan *p,
                      struct fault *f)
{
    struct count c = {.w = w, .j = j, .plan = p, .f = f};
    bool extra = w->info.vace;
    c.place = p->resident ? DIT_RESIDENT : p->parked ? DIT_PARKED : DIT_IN_FILES;
    c.frames = (j->frames + 3) / 4 + (extra ? j->reference_n : 0);
    c.height = j->height / VAE_SPACE;
    c.width = j->width / VAE_SPACE;
    c.dev = device_hollow(device_caps(w->dev));
    int64_t latents = (int64_t)VAE_Z * (2 * CHUNK_MOST + 1) * c.height * c.width;
    c.zeros = calloc((size_t)latents + 257 * 4096, sizeof *c.zeros);
    enum err e = c.dev && c.zeros ? count_all(&c) : fault_set(f, ERR_NOMEM, "out of memory");
    dit_free(c.dit);
    vae_free(c.vae);
    tae_free(c.tae);
    t5_drop(&c.t5);
    if (c.dev)
        device_close(c.dev);
    free(c.zeros);
    p->beside = device_caps(w->dev)->host_memory ? 0 : w->beside;
    p->aside = beside(w, j, c.place) + p->beside;
    uint64_t stages = most(most(p->text, p->image), most(p->sample, p->decode));
    if (device_caps(w->dev)->host_memory) /* a block that is lent again may be a little large */
        p->aside += stages / 32;
    p->sum = p->transformer + p->text_encoder + p->vae + p->aside + stages;
    return e;
}

/* ---- the choice ---- */

static bool chunk_fits(const struct wan *w, const struct wan_job *j, int chunk)
{
    const struct weights *vae = w->files.weights[FILES_VAE];
    int64_t wide = vae ? load_dim(vae, "decoder.conv1.weight", 0) / 2 : 0;
    return (int64_t)j->width * j->height * (VAE_TIME * chunk + 2) * wide < ELEMENTS;
}

/* What is left of one way, and does it fit? */
static enum err try_way(const struct wan *w, const struct wan_job *j, const struct way *way,
                        int chunk, struct wan_plan *p, struct fault *f)
{
    *p = (struct wan_plan){.memory = w->memory,
                           .resident = way->place == DIT_RESIDENT,
                           .parked = way->place == DIT_PARKED,
                           .keep_text = way->keep_text,
                           .tile = j->tile     ? j->tile
                                   : way->tile ? TILE
                                               : 0,
                           .chunk = chunk};
    enum err e = count(w, j, p, f);
    /* what is pinned is lost to all else */
    if (!e && p->parked && p->host > w->host / 4 * 3) {
        p->parked = false;
        e = count(w, j, p, f);
    }
    return e;
}

static enum err choose(const struct wan *w, const struct wan_job *j, struct wan_plan *p,
                       struct fault *f)
{
    const struct preset *preset = preset_find(j->sampler);
    bool whole = j->tiny || j->tile || (preset && preset->block); /* no tiles of ours */
    int chunk = j->chunk > 0 ? j->chunk : 1;
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        if ((ways[i].tile && whole) || (ways[i].keep_text && !w->files.weights[FILES_T5]))
            continue;
        enum err e = try_way(w, j, &ways[i], chunk, p, f);
        if (e)
            return e;
        if (p->sum > w->memory)
            continue;
        struct wan_plan more;
        bool fixed = j->chunk > 0 || p->tile || (preset && preset->block);
        for (int n = CHUNK_MOST; n > 1 && !fixed; n--) {
            if (!chunk_fits(w, j, n) || (n - 1) * VAE_TIME >= j->frames)
                continue;
            if ((e = try_way(w, j, &ways[i], n, &more, f)))
                return e;
            if (more.sum <= w->memory) {
                *p = more;
                break;
            }
        }
        break;
    }
    return ERR_OK;
}

enum err wan_plan(const struct wan *w, const struct wan_job *job, struct wan_plan *out,
                  struct fault *f)
{
    struct wan_job j = *job;
    struct fault none;
    f = f ? f : &none;
    job_defaults(w, &j);
    enum err e = job_size(&j, f);
    if (e)
        return e;
    if (device_caps(w->dev)->host_memory) {
        const struct way way = {w->info.resident ? DIT_RESIDENT : DIT_IN_FILES, false, false};
        e = try_way(w, &j, &way, j.chunk > 0 ? j.chunk : 1, out, f);
    } else {
        e = choose(w, &j, out, f);
    }
    if (e || out->sum <= w->memory)
        return e;
    return fault_set(f, ERR_NOMEM,
                     "%s at %d x %d, %d frames, needs about %llu MB, and there are %llu MB; use "
                     "a smaller size or fewer frames",
                     w->info.variant, j.width, j.height, j.frames,
                     (unsigned long long)((out->sum + (1 << 20) - 1) >> 20),
                     (unsigned long long)(w->memory >> 20));
}
