/* The handle: which model it is, what a job for it may ask, and its weights when they are needed.
 */
#include "wan/preset.h"
#include "wan/wan_inside.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char wan_negative[] =
    "色调艳丽，过曝，静态，细节模糊不清，字幕，风格，作品，画作，画面，静止，整体发灰，最差质量，"
    "低质量，JPEG压缩残留，丑陋的，残缺的，多余的手指，画得不好的手部，画得不好的脸部，畸形的，"
    "毁容的，形态畸形的肢体，手指融合，静止不动的画面，杂乱的背景，三条腿，背景人很多，倒着走";

const char *wan_stage_name(enum wan_stage s)
{
    static const char *const names[WAN_STAGES] = {"load", "text", "image", "sample", "decode"};
    return s < WAN_STAGES ? names[s] : "";
}

/* ---- what it is ---- */

static int64_t numbers(const struct weights *w)
{
    int64_t n = 0;
    for (int i = 0; w && i < w->n; i++)
        n += w->t[i].count;
    return n;
}

/* Bytes of a weight where it is computed with. */
static uint64_t weight_bytes(const struct wan *w)
{
    const struct device_caps *caps = device_caps(w->dev);
    return caps->host_memory ? sizeof(float) : dtype_size(caps->dtype);
}

/* The format that most numbers of a network have. */
static const char *stored(const struct weights *w)
{
    int64_t n[DTYPE_COUNT] = {0};
    int best = 0;
    for (int i = 0; i < w->n; i++)
        n[w->t[i].type] += w->t[i].count;
    for (int i = 0; i < DTYPE_COUNT; i++)
        best = n[i] > n[best] ? i : best;
    return dtype_name((enum dtype)best);
}

static void name_variant(struct wan_info *i, const struct dit_config *c)
{
    static const struct {
        int64_t dim;
        const char *size;
    } sizes[] = {{1536, "1.3B"}, {3072, "5B"}, {5120, "14B"}};
    const char *kind = c->image_tokens ? "flf2v"
                       : c->in == 48   ? "fun-control"
                       : c->image_dim  ? "i2v"
                       : c->vace       ? "vace"
                                       : "t2v";
    snprintf(i->variant, sizeof i->variant, "%s width %lld", kind, (long long)c->dim);
    for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++)
        if (sizes[k].dim == c->dim)
            snprintf(i->variant, sizeof i->variant, "%s %s", kind, sizes[k].size);
}

static void describe(struct wan *w)
{
    struct wan_info *i = &w->info;
    const struct dit_config *c = &w->config;
    const struct files *s = &w->files;
    const struct device_caps *caps = device_caps(w->dev);
    uint64_t mark = 0;
    str_copy(i->folder, sizeof i->folder, s->folder);
    str_copy(i->transformer, sizeof i->transformer, files_short(s, s->path[FILES_DIT]));
    str_copy(i->text_encoder, sizeof i->text_encoder, files_short(s, s->path[FILES_T5]));
    str_copy(i->vae, sizeof i->vae, files_short(s, s->path[FILES_VAE]));
    str_copy(i->clip, sizeof i->clip, files_short(s, s->path[FILES_CLIP]));
    str_copy(i->tokenizer, sizeof i->tokenizer, files_short(s, s->tokenizer));
    if (s->weights[FILES_T5] && weights_find(s->weights[FILES_T5], "spiece_model"))
        str_copy(i->tokenizer, sizeof i->tokenizer, "in the text encoder");
    for (int r = 0; r < FILES_ROLES; r++)
        mark = files_mark(s->weights[r], mark);
    snprintf(i->id, sizeof i->id, "%016llx", (unsigned long long)mark);
    name_variant(i, c);
    str_copy(i->stored, sizeof i->stored, stored(s->weights[FILES_DIT]));
    str_copy(i->computed, sizeof i->computed, dtype_name(caps->dtype));
    str_copy(i->device, sizeof i->device, caps->name);
    str_copy(i->device_words, sizeof i->device_words, caps->words);
    i->threads = caps->threads;
    i->dim = c->dim;
    i->ffn = c->ffn;
    i->text_dim = c->text_dim;
    i->heads = c->heads;
    i->layers = c->layers;
    i->input_channels = c->in;
    i->image = c->image_dim > 0;
    i->last_image = c->image_tokens > 0;
    i->vace = c->vace > 0;
    i->parameters = numbers(s->weights[FILES_DIT]);
    i->resident = (uint64_t)i->parameters * weight_bytes(w) <= w->memory / 2;
    /* a host widens a layer when it is needed; on a device all may stay for the next prompt */
    w->keep_text = !caps->host_memory && i->resident && s->weights[FILES_T5] &&
                   (uint64_t)(i->parameters + numbers(s->weights[FILES_T5])) * weight_bytes(w) <=
                       w->memory / 5 * 3;
    if (s->weights[FILES_T5]) {
        i->vocabulary = load_dim(s->weights[FILES_T5], "token_embedding.weight", 0);
        i->text_layers = load_layers(s->weights[FILES_T5], "blocks.%d.norm1.weight");
    }
}

/* A transformer alone can be described; to draw, all its parts must be there and fit. */
enum err wan_ready(const struct wan *w, struct fault *f)
{
    for (int r = 0; r < FILES_ROLES; r++)
        if ((r != FILES_CLIP || w->info.image) && !w->files.weights[r])
            return fault_set(f, ERR_NOTFOUND,
                             "%s holds no %s of Wan 2.1; fetch the model whole with `sakuga model "
                             "pull`",
                             w->files.folder, files_role_name((enum files_role)r));
    int64_t width = load_dim(w->files.weights[FILES_T5], "token_embedding.weight", 1);
    if (width != w->config.text_dim)
        return fault_set(f, ERR_INVAL,
                         "%s is %lld wide, but the transformer reads text of width %lld",
                         w->info.text_encoder, (long long)width, (long long)w->config.text_dim);
    if (w->config.in != 16 && w->config.in != 36)
        return fault_set(f, ERR_UNSUPPORTED, "%s: a model with %d input channels cannot be run yet",
                         w->info.transformer, w->config.in);
    return ERR_OK;
}

enum err wan_open(const struct wan_setup *setup, struct wan **out, struct fault *f)
{
    struct fault none;
    struct wan *w = calloc(1, sizeof *w);
    f = f ? f : &none;
    *out = NULL;
    if (!w)
        return fault_set(f, ERR_NOMEM, "out of memory");
    enum err e = files_find(setup->model, &w->files, f);
    if (!e)
        e = dit_config_read(w->files.weights[FILES_DIT], &w->config, f);
    if (!e)
        e = device_open(&(struct device_setup){setup->device, setup->dtype, setup->threads},
                        &w->dev, f);
    if (e) {
        wan_free(w);
        return e;
    }
    w->memory = setup->memory ? setup->memory : device_caps(w->dev)->memory;
    w->patcher = lora_patcher(&w->loras);
    describe(w);
    *out = w;
    return ERR_OK;
}

static void free_loras(struct lora_set *s)
{
    for (int i = 0; i < s->n; i++)
        lora_free((struct lora *)(uintptr_t)s->lora[i]); /* ours: the set only borrows */
    s->n = 0;
}

void wan_free(struct wan *w)
{
    if (!w)
        return;
    dit_free(w->dit);
    vae_free(w->vae);
    t5_drop(&w->t5);
    free_loras(&w->loras);
    tokenizer_free(w->tokenizer);
    free(w->negative);
    free(w->negative_context);
    if (w->dev)
        device_close(w->dev);
    files_close(&w->files);
    free(w);
}

const struct wan_info *wan_info(const struct wan *w)
{
    return &w->info;
}

void wan_throttle(struct wan *w, double share)
{
    device_throttle(w->dev, share);
}

/* ---- what it is asked ---- */

static void fill_defaults(const struct wan *w, struct wan_job *j)
{
    const struct wan_info *i = &w->info;
    const struct preset *preset = preset_find(j->sampler);
    if (preset) { /* its steps are its own */
        j->steps = preset->steps;
        j->guidance = j->guidance == 0 ? 1 : j->guidance;
        j->shift = 1;
    }
    j->negative = j->negative ? j->negative : wan_negative;
    j->width = j->width ? j->width : 832;
    j->height = j->height ? j->height : 480;
    j->frames = j->frames ? j->frames : 81;
    j->steps = j->steps ? j->steps : i->image ? 40 : 50;
    if (j->guidance == 0)
        j->guidance = i->last_image ? 5.5 : 5;
    if (j->guide_from == 0 && j->guide_to == 0)
        j->guide_to = 1;
    if (j->shift == 0)
        j->shift = i->last_image || i->vace                        ? 16
                   : i->image && j->width * j->height <= 832 * 480 ? 3
                                                                   : 5;
    j->sampler = j->sampler ? j->sampler : sampler_name(SAMPLER_UNIPC);
    j->chunk = j->chunk > 0 ? j->chunk : 1;
    j->checkpoint_every = j->checkpoint_every > 0 ? j->checkpoint_every : 1;
}

static enum err check_pictures(const struct wan *w, const struct wan_job *j, struct fault *f)
{
    const struct wan_picture *all[2] = {j->image, j->last};
    if (w->info.image && !j->image)
        return fault_set(f, ERR_INVAL, "%s draws from a picture; name one", w->info.variant);
    if (!w->info.image && (j->image || j->last))
        return fault_set(f, ERR_INVAL, "%s takes no picture; an i2v model does", w->info.variant);
    if (w->info.last_image != (j->last != NULL))
        return fault_set(f, ERR_INVAL, "%s takes %s last picture", w->info.variant,
                         w->info.last_image ? "a" : "no");
    for (int i = 0; i < 2; i++)
        if (all[i] && (all[i]->width < 1 || all[i]->height < 1 || all[i]->width > 16384 ||
                       all[i]->height > 16384))
            return fault_set(f, ERR_INVAL, "a picture of %d x %d is not possible", all[i]->width,
                             all[i]->height);
    return ERR_OK;
}

static enum err check_sampler(const struct wan *w, const struct wan_job *j, struct fault *f)
{
    const struct preset *preset = preset_find(j->sampler);
    enum sampler_kind kind;
    if (!preset && !sampler_parse(j->sampler, &kind))
        return fault_set(f, ERR_INVAL,
                         "there is no sampler %.40s; one of: unipc dpm++ euler lcm, or of a "
                         "distilled model: lightx2v self-forcing causvid",
                         j->sampler);
    if (!preset || !preset->block)
        return ERR_OK;
    if (w->config.in != VAE_Z || w->info.vace)
        return fault_set(f, ERR_INVAL, "%s makes text-to-video models causal; this is %s",
                         preset->name, w->info.variant);
    int made = (j->frames + 3) / 4, blocks = (made + preset->block - 1) / preset->block;
    if (made % preset->block)
        return fault_set(f, ERR_INVAL,
                         "%s makes blocks of %d frames, the first of %d: use %d frames, not %d",
                         preset->name, preset->block * VAE_TIME, preset->block * VAE_TIME - 3,
                         blocks * preset->block * VAE_TIME - 3, j->frames);
    if (j->guidance != 1 || j->sigmas || j->simple)
        return fault_set(f, ERR_INVAL, "%s has its own steps and no guidance", preset->name);
    return ERR_OK;
}

enum err wan_job_complete(const struct wan *w, struct wan_job *j, struct fault *f)
{
    enum err e = wan_ready(w, f);
    if (e)
        return e;
    fill_defaults(w, j);
    if (!j->prompt)
        return fault_set(f, ERR_INVAL, "a clip needs a prompt");
    if (j->width < 16 || j->height < 16 || j->width > WAN_WIDTH_MAX || j->height > WAN_HEIGHT_MAX ||
        j->width % 16 || j->height % 16)
        return fault_set(f, ERR_INVAL,
                         "a size of %d x %d is not possible; use multiples of 16 up to %d x %d",
                         j->width, j->height, WAN_WIDTH_MAX, WAN_HEIGHT_MAX);
    if (j->frames < 1 || j->frames > WAN_FRAMES_MAX || j->frames % 4 != 1)
        return fault_set(f, ERR_INVAL, "%d frames are not possible; use 1, 5, 9 … up to %d",
                         j->frames, WAN_FRAMES_MAX);
    if (!(fabs(j->guidance) <= 100))
        return fault_set(f, ERR_INVAL, "a guidance of %g is not possible", j->guidance);
    if (!(j->guide_from >= 0 && j->guide_from <= j->guide_to && j->guide_to <= 1))
        return fault_set(f, ERR_INVAL, "guidance from %g to %g of the steps is not possible",
                         j->guide_from, j->guide_to);
    if ((e = check_sampler(w, j, f)))
        return e;
    if (!(j->teacache >= 0 && isfinite(j->teacache)))
        return fault_set(f, ERR_INVAL, "a TeaCache threshold of %g is not possible", j->teacache);
    if (j->tile && (j->tile < 64 || j->tile % 32))
        return fault_set(f, ERR_INVAL, "tiles of %d pixels are not possible; use multiples of 32",
                         j->tile);
    if (j->lora_n < 0 || j->lora_n > WAN_LORAS_MAX)
        return fault_set(f, ERR_INVAL, "%d LoRAs are not possible; use up to %d", j->lora_n,
                         WAN_LORAS_MAX);
    for (int i = 0; i < j->lora_n; i++)
        if (!j->lora[i].path || !isfinite(j->lora[i].strength) ||
            strlen(j->lora[i].path) >= PATH_LEN)
            return fault_set(f, ERR_INVAL, "LoRA %d has no path or no strength", i + 1);
    return check_pictures(w, j, f);
}

/* ---- what it needs ---- */

static int64_t largest(const struct weights *w)
{
    int64_t n = 0;
    for (int i = 0; i < w->n; i++)
        n = w->t[i].count > n ? w->t[i].count : n;
    return n;
}

/* Spec 6.5 and 10: what weights and passes hold at once: the residual stream in f32, what lies
 * between products in the device's working type. */
static uint64_t need(const struct wan *w, const struct wan_job *j)
{
    const struct dit_config *c = &w->config;
    const struct files *s = &w->files;
    uint64_t pixels = (uint64_t)j->width * (uint64_t)j->height;
    uint64_t tokens = pixels / 256 * (uint64_t)((j->frames + 3) / 4);
    int64_t dit =
        w->info.resident ? w->info.parameters : w->info.parameters / (c->layers + c->vace) * 2;
    int64_t wide = load_dim(s->weights[FILES_VAE], "decoder.conv1.weight", 0);
    const struct device_caps *caps = device_caps(w->dev);
    uint64_t work = dtype_size(caps->work);
    uint64_t pass = tokens * ((uint64_t)c->dim * (4 + 7 * work) + (uint64_t)c->ffn * work);
    uint64_t seen = (uint64_t)j->tile * (uint64_t)j->tile;
    uint64_t decode = (seen && seen < pixels ? seen : pixels) * 4000 * work * (uint64_t)wide / 384;
    uint64_t held = (uint64_t)(dit + numbers(s->weights[FILES_VAE])) * weight_bytes(w);
    if (w->keep_text)
        held += (uint64_t)numbers(s->weights[FILES_T5]) * weight_bytes(w);
    uint64_t stage = caps->host_memory ? (uint64_t)largest(s->weights[FILES_DIT]) * 4 : 64 << 20;
    return held + (pass > decode ? pass : decode) + stage;
}

enum err model_fits(const struct wan *w, const struct wan_job *j, struct fault *f)
{
    uint64_t want = need(w, j), have = w->memory;
    if (want <= have)
        return ERR_OK;
    return fault_set(f, ERR_NOMEM,
                     "%s at %d x %d, %d frames, needs about %llu MB, and there are %llu MB; use "
                     "a smaller size or fewer frames",
                     w->info.variant, j->width, j->height, j->frames,
                     (unsigned long long)(want >> 20), (unsigned long long)(have >> 20));
}

/* ---- weights ---- */

static bool same_loras(const struct wan *w, const struct wan_job *j)
{
    bool same = w->loras.n == j->lora_n;
    for (int i = 0; same && i < j->lora_n; i++)
        same = !strcmp(w->lora_path[i], j->lora[i].path) &&
               w->loras.strength[i] == j->lora[i].strength;
    return same;
}

static enum err open_loras(struct wan *w, const struct wan_job *j, const struct wan_calls *calls,
                           struct lora_set *out, struct fault *f)
{
    *out = (struct lora_set){.n = 0};
    for (int i = 0; i < j->lora_n; i++) {
        struct lora *l;
        char words[PATH_LEN + 100];
        enum err e = lora_open(j->lora[i].path, w->files.weights[FILES_DIT], &l, f);
        if (!e && !lora_matched(l)) {
            e = fault_set(f, ERR_INVAL, "%s changes nothing in %s; it is for another model",
                          j->lora[i].path, w->info.variant);
            lora_free(l);
        }
        if (e) {
            free_loras(out);
            return e;
        }
        if (lora_skipped(l) && calls->note) {
            snprintf(words, sizeof words, "%s: %d of its keys do not fit and were left out",
                     j->lora[i].path, lora_skipped(l));
            calls->note(calls->user, words);
        }
        out->strength[out->n] = j->lora[i].strength;
        out->lora[out->n++] = l;
    }
    return ERR_OK;
}

/* Loads again what the old LoRAs or the new ones touch; the rest of the base stays. */
static enum err change_loras(struct wan *w, const struct lora_set *fresh, struct fault *f)
{
    struct lora_set old = w->loras;
    enum err e = ERR_OK;
    w->touched = old;
    for (int i = 0; i < fresh->n; i++)
        w->touched.lora[w->touched.n++] = fresh->lora[i];
    w->loras = *fresh;
    if (w->dit)
        e = dit_reload(w->dit, lora_touches, &w->touched, f);
    free_loras(&old);
    if (e) { /* it is neither the one nor the other now */
        dit_free(w->dit);
        w->dit = NULL;
    }
    return e;
}

enum err model_dit(struct wan *w, const struct wan_job *job, const struct wan_calls *calls,
                   struct fault *f)
{
    struct lora_set fresh;
    enum err e = ERR_OK;
    if (!same_loras(w, job)) {
        e = open_loras(w, job, calls, &fresh, f);
        if (!e) {
            e = change_loras(w, &fresh, f);
            for (int i = 0; i < job->lora_n; i++)
                str_copy(w->lora_path[i], PATH_LEN, job->lora[i].path);
        }
    }
    if (!e && !w->dit)
        e = dit_open(w->dev, w->files.weights[FILES_DIT], &w->patcher, w->info.resident, &w->dit,
                     f);
    return e;
}

enum err model_vae(struct wan *w, struct fault *f)
{
    return w->vae ? ERR_OK : vae_open(w->dev, w->files.weights[FILES_VAE], VAE_DECODER, &w->vae, f);
}

uint64_t model_lora_mark(const char *path, struct fault *f)
{
    struct weights *w;
    if (weights_open(path, &w, f))
        return 0;
    uint64_t mark = files_mark(w, 0);
    weights_free(w);
    return mark ? mark : 1;
}
