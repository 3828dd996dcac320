/* The handle: which model it is, and its weights when they are needed. */
#include "wan/preset.h"
#include "wan/rollout.h"
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

#define STAGE_BYTES ((uint64_t)64 << 20) /* pinned memory on the way to a GPU */

/* Bytes of a weight where it is computed with. */
static uint64_t weight_bytes(const struct wan *w)
{
    const struct device_caps *caps = device_caps(w->dev);
    return dtype_size(caps->dtype);
}

/* The same of one that is never rounded to 8 bits: the text encoder's and the VAE's. */
static uint64_t whole_bytes(const struct wan *w)
{
    const struct device_caps *caps = device_caps(w->dev);
    return dtype_size(caps->dtype == DTYPE_F8_E4M3 ? caps->work : caps->dtype);
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
                       : c->camera     ? "fun-camera"
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
    if (i->tokenizer[0])
        str_copy(i->tokens_by, sizeof i->tokens_by, tokenizer_file_words(i->tokenizer));
    str_copy(i->tiny, sizeof i->tiny, files_short(s, s->path[FILES_TINY]));
    if (s->weights[FILES_TINY])
        snprintf(i->tiny_id, sizeof i->tiny_id, "%016llx",
                 (unsigned long long)files_mark(s->weights[FILES_TINY], 0));
    for (int r = 0; r < FILES_TINY; r++) /* what every clip is made with */
        mark = files_mark(s->weights[r], mark);
    snprintf(i->id, sizeof i->id, "%016llx", (unsigned long long)mark);
    name_variant(i, c);
    str_copy(i->stored, sizeof i->stored, stored(s->weights[FILES_DIT]));
    str_copy(i->computed, sizeof i->computed, caps->computed);
    str_copy(i->device, sizeof i->device, caps->name);
    str_copy(i->device_words, sizeof i->device_words, caps->words);
    str_copy(i->device_note, sizeof i->device_note, caps->note);
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
    i->control = c->in == 48 && c->image_dim > 0;
    i->reference = i->control && c->ref;
    i->parameters = numbers(s->weights[FILES_DIT]);
    i->resident = (uint64_t)i->parameters * weight_bytes(w) <= w->memory / 2;
    /* a host widens a layer when it is needed; on a device all may stay for the next prompt */
    w->keep_text = !caps->host_memory && i->resident && s->weights[FILES_T5] &&
                   (uint64_t)i->parameters * weight_bytes(w) +
                           (uint64_t)numbers(s->weights[FILES_T5]) * whole_bytes(w) <=
                       w->memory / 5 * 3;
    if (s->weights[FILES_T5]) {
        i->vocabulary = load_dim(s->weights[FILES_T5], "token_embedding.weight", 0);
        i->text_layers = load_layers(s->weights[FILES_T5], "blocks.%d.norm1.weight");
    }
}

/* A transformer alone can be described; to draw, all its parts must be there and fit. */
enum err wan_ready(const struct wan *w, struct fault *f)
{
    for (int r = 0; r < FILES_TINY; r++)
        if ((r != FILES_CLIP || (w->info.image && !w->info.control)) && !w->files.weights[r])
            return fault_set(f, ERR_NOTFOUND,
                             "%s holds no %s of Wan 2.1; fetch the model whole with `sakuga model "
                             "pull`",
                             w->files.folder, files_role_name((enum files_role)r));
    int64_t width = load_dim(w->files.weights[FILES_T5], "token_embedding.weight", 1);
    if (width != w->config.text_dim)
        return fault_set(f, ERR_INVAL,
                         "%s is %lld wide, but the transformer reads text of width %lld",
                         w->info.text_encoder, (long long)width, (long long)w->config.text_dim);
    if (w->config.camera)
        return fault_set(f, ERR_UNSUPPORTED,
                         "%s moves a camera (it has a control_adapter), and camera paths cannot be "
                         "fed to a model yet; a fun-control model without one can be run",
                         w->info.transformer);
    if (w->config.in != 16 && w->config.in != 36 && !w->info.control)
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
    tae_free(w->tae);
    t5_drop(&w->t5);
    free_loras(&w->loras);
    tokenizer_free(w->tokenizer);
    prompt_forget(w);
    if (w->dev)
        device_close(w->dev);
    files_close(&w->files);
    free(w);
}

const struct wan_info *wan_info(const struct wan *w)
{
    return &w->info;
}

/* ---- what it needs ---- */

static int64_t largest(const struct weights *w)
{
    int64_t n = 0;
    for (int i = 0; i < w->n; i++)
        n = w->t[i].count > n ? w->t[i].count : n;
    return n;
}

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

/* Rows of a prompt's text, at most: no token is shorter than a byte; a blank, the end, a pad. */
static uint64_t rows_of(const char *text)
{
    size_t n = strlen(text) + 3;
    return n < DIT_TEXT ? n : DIT_TEXT;
}

/* Spec 6.5 and 10: what a job holds at once: the weights, what lasts from step to step, and
 * the buffers of the stage that has the largest. The residual stream is f32, what lies between
 * products of the device's working type. */
static uint64_t need(const struct wan *w, const struct wan_job *j)
{
    const struct dit_config *c = &w->config;
    const struct files *s = &w->files;
    const struct preset *preset = preset_find(j->sampler);
    int made = (j->frames + 3) / 4 + j->reference_n, block = preset ? preset->block : 0;
    uint64_t pixels = (uint64_t)j->width * (uint64_t)j->height, place = pixels / 256;
    const struct device_caps *caps = device_caps(w->dev);
    uint64_t work = dtype_size(caps->work), each = weight_bytes(w);
    uint64_t whole = whole_bytes(w); /* a host's VAE is f32 */
    uint64_t row = (uint64_t)c->dim * work, blocks = (uint64_t)(c->layers + c->vace);
    const struct weights *dit = s->weights[FILES_DIT], *vae = s->weights[FILES_VAE];
    bool encodes = w->info.image || j->source || j->reference_n || j->control;
    int64_t seen = numbers(vae) - (encodes ? 0 : numbers_of(vae, "encoder."));
    int64_t weights = w->info.parameters;
    if (!w->info.resident) { /* one block at a time, and one of VACE's */
        int64_t main = numbers_of(dit, "blocks."), vace = numbers_of(dit, "vace_blocks.");
        weights -= main - main / c->layers;
        weights -= c->vace ? vace - vace / c->vace : 0;
    }
    uint64_t held = (uint64_t)weights * each + (uint64_t)seen * (caps->host_memory ? 4 : whole);
    if (w->keep_text)
        held += (uint64_t)numbers(s->weights[FILES_T5]) * whole;
    /* keys and values: of the prompt, of the negative one, of a causal model's past */
    uint64_t image = c->image_tokens ? (uint64_t)c->image_tokens : c->image_dim ? 257 : 0;
    uint64_t rows = rows_of(j->prompt), other = j->guidance == 1 ? 0 : rows_of(j->negative);
    held += 2 * row * blocks * (rows + image + (other ? other + image : 0));
    if (block)
        held += 2 * row * blocks * place * (made < ROLLOUT_WINDOW ? made : ROLLOUT_WINDOW);
    if (j->teacache > 0)
        held += 2 * (uint64_t)c->dim * 4 * place * (uint64_t)made;
    uint64_t pass = place * (uint64_t)(block ? block : made) *
                    ((uint64_t)c->dim * ((c->vace ? 8 : 4) + 6 * work) + (uint64_t)c->ffn * work);
    int64_t wide =
        load_dim(vae, "decoder.conv1.weight", 0); /* 384: 17,604 bytes a pixel, measured */
    uint64_t tile = (uint64_t)j->tile * (uint64_t)j->tile;
    uint64_t decode = (tile && tile < pixels ? tile : pixels) * 4500 * work * (uint64_t)wide / 384;
    /* the text encoder is read half a layer at a time: three matrices, and three such results */
    uint64_t ffn = (uint64_t)load_dim(s->weights[FILES_T5], "blocks.0.ffn.fc1.weight", 0);
    uint64_t text = ffn * 3 * ((uint64_t)c->text_dim * whole + most(rows, other) * 4);
    uint64_t stage = caps->host_memory ? (uint64_t)largest(dit) * 4 : STAGE_BYTES;
    if (caps->dtype == DTYPE_F8_E4M3) /* the widest weight, before or after it has 8 bits */
        stage += (uint64_t)c->dim * (uint64_t)c->ffn * 4;
    return held + most(pass, most(decode, text)) + stage;
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
static enum err change_loras(struct wan *w, const struct lora_set *fresh,
                             const struct stopper *stop, struct fault *f)
{
    struct lora_set old = w->loras;
    enum err e = ERR_OK;
    w->touched = old;
    for (int i = 0; i < fresh->n; i++)
        w->touched.lora[w->touched.n++] = fresh->lora[i];
    w->loras = *fresh;
    if (w->dit)
        e = dit_reload(w->dit, lora_touches, &w->touched, stop, f);
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
    const struct stopper stop = {calls->stop, calls->user};
    struct lora_set fresh;
    enum err e = ERR_OK;
    if (!same_loras(w, job)) {
        e = open_loras(w, job, calls, &fresh, f);
        if (!e) {
            e = change_loras(w, &fresh, &stop, f);
            for (int i = 0; i < job->lora_n; i++)
                str_copy(w->lora_path[i], PATH_LEN, job->lora[i].path);
        }
    }
    if (!e && !w->dit)
        e = dit_open(w->dev, w->files.weights[FILES_DIT], &w->patcher, w->info.resident, &stop,
                     &w->dit, f);
    return e;
}

enum err model_tiny(struct wan *w, struct fault *f)
{
    return w->tae ? ERR_OK : tae_open(w->dev, w->files.weights[FILES_TINY], &w->tae, f);
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
