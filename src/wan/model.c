/* The handle: which model it is, and its weights when they are needed. */
#include "base/ram.h"
#include "wan/build.h"
#include "wan/manifest.h"
#include "wan/preset.h"
#include "wan/rollout.h"
#include "wan/wan_inside.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Cuts and a shaking camera, which a clip that begins and ends with given pictures is not to have:
 * "镜头切换，镜头晃动，" of one with both, the second half of it of one with the first. */
static const char negative[] =
    "镜头切换，镜头晃动，"
    "色调艳丽，过曝，静态，细节模糊不清，字幕，风格，作品，画作，画面，静止，整体发灰，最差质量，"
    "低质量，JPEG压缩残留，丑陋的，残缺的，多余的手指，画得不好的手部，画得不好的脸部，畸形的，"
    "毁容的，形态畸形的肢体，手指融合，静止不动的画面，杂乱的背景，三条腿，背景人很多，倒着走";

const char *wan_negative(const struct wan *w)
{
    size_t prefix = strlen("镜头切换，");
    bool picture = w->info.image && !w->info.control;
    return negative + (w->info.last_image ? 0 : picture ? prefix : 2 * prefix);
}

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
                       : c->image_dim  ? c->in == 48 ? "fun-control" : "i2v"
                       : c->in == 48   ? "2.2 ti2v" /* these two cannot be run: wan_ready() */
                       : c->in == 36   ? "2.2 i2v"
                       : c->vace       ? "vace"
                                       : "t2v";
    snprintf(i->variant, sizeof i->variant, "%s width %lld", kind, (long long)c->dim);
    for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++)
        if (sizes[k].dim == c->dim)
            snprintf(i->variant, sizeof i->variant, "%s %s", kind, sizes[k].size);
}

static enum dit_place place_of(const struct wan_plan *p)
{
    return p->resident ? DIT_RESIDENT : p->parked ? DIT_PARKED : DIT_IN_FILES;
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
    str_copy(i->build, sizeof i->build, wan_build);
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
    if (s->weights[FILES_T5]) {
        i->vocabulary = load_dim(s->weights[FILES_T5], "token_embedding.weight", 0);
        i->text_layers = load_layers(s->weights[FILES_T5], "blocks.");
    }
}

/* Where the transformer will be, as far as the usual clip says: the least where not even that fits.
 * A host keeps all of one that takes at most half its memory, and widens the text encoder a layer
 * at a time; on a device that may stay for the next prompt. */
static void settle(struct wan *w)
{
    static const struct wan_job usual;
    const struct device_caps *caps = device_caps(w->dev);
    struct wan_plan p = {.resident = (uint64_t)w->info.parameters * dtype_size(caps->dtype) <=
                                     w->memory / 2};
    if (!caps->host_memory)
        wan_plan(w, &usual, &p, NULL);
    w->info.resident = p.resident;
    w->keep_text = p.keep_text;
    w->place = place_of(&p);
}

static enum err part_missing(const struct wan *w, enum files_role role, struct fault *f)
{
    const char *why = w->files.broken;
    return fault_set(f, why[0] ? ERR_CORRUPT : ERR_NOTFOUND,
                     "no %s of Wan 2.1 can be read in %.80s%s%.300s; fetch the model whole with "
                     "`sakuga model pull`",
                     files_role_name(role), w->files.folder, why[0] ? ": " : "", why);
}

/* The networks beside the transformer, whose own tensors wan_open() has seen to. */
static enum err parts_whole(const struct wan *w, struct fault *f)
{
    struct weights *const *s = w->files.weights;
    const struct wan_info *i = &w->info;
    bool clips = i->image && !i->control, encodes = i->image || i->vace || i->control;
    struct t5 text;
    struct clip_vision clip;
    for (int r = 0; r < FILES_TINY; r++)
        if ((r != FILES_CLIP || clips) && !s[r])
            return part_missing(w, (enum files_role)r, f);
    enum err e = manifest_depth(s[FILES_DIT], MANIFEST_DIT, w->config.dim, w->config.layers, f);
    e = e ? e : t5_open(NULL, s[FILES_T5], &text, f);
    e = e ? e : manifest_depth(s[FILES_T5], MANIFEST_T5, text.dim, text.layers, f);
    e = e ? e : manifest_vae(s[FILES_VAE], encodes ? VAE_DECODER | VAE_ENCODER : VAE_DECODER, f);
    if (e || !clips)
        return e;
    if ((e = clip_vision_open(NULL, s[FILES_CLIP], &clip, f)) ||
        (e = manifest_depth(s[FILES_CLIP], MANIFEST_CLIP, clip.dim, clip.layers + 1, f)))
        return e;
    if (clip.dim != w->config.image_dim)
        return fault_set(f, ERR_INVAL, "%s is %lld wide, but the transformer sees pictures of %lld",
                         i->clip, (long long)clip.dim, (long long)w->config.image_dim);
    if (w->config.image_tokens && 2 * clip.tokens != w->config.image_tokens)
        return fault_set(f, ERR_INVAL,
                         "%s makes %lld tokens of a picture, but the transformer wants %lld of two",
                         i->clip, (long long)clip.tokens, (long long)w->config.image_tokens);
    return ERR_OK;
}

/* A transformer alone can be described; to draw, all its parts must be there and fit. */
enum err wan_ready(const struct wan *w, struct fault *f)
{
    if (w->config.in == 48 && !w->config.image_dim)
        return fault_set(f, ERR_UNSUPPORTED,
                         "%s is Wan 2.2's TI2V-5B (48 input channels and no img_emb), which cannot "
                         "be run; take a model of Wan 2.1",
                         w->info.transformer);
    if (w->config.in == 36 && !w->config.image_dim)
        return fault_set(f, ERR_UNSUPPORTED,
                         "%s is one half of Wan 2.2's I2V-A14B (36 input channels and no img_emb), "
                         "which cannot be run; take an image model of Wan 2.1",
                         w->info.transformer);
    enum err e = parts_whole(w, f);
    if (e)
        return e;
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
    return prompt_ready(w, f);
}

enum err wan_ready_tiny(const struct wan *w, struct fault *f)
{
    struct fault none;
    f = f ? f : &none;
    if (w->files.weights[FILES_TINY]) {
        enum err e = manifest_tae(w->files.weights[FILES_TINY], f);
        return e ? (f->code = ERR_CORRUPT) : e; /* a tensor is missing there, not the file */
    }
    if (w->files.broken_tiny[0])
        return fault_set(f, ERR_CORRUPT, "the tiny decoder cannot be read: %s; fetch it again",
                         w->files.broken_tiny);
    return fault_set(f, ERR_NOTFOUND,
                     "%s holds no tiny decoder; put taew2_1.safetensors there, or decode with the "
                     "VAE",
                     w->files.folder);
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
    if (setup->no_graphs)
        device_no_graphs(w->dev);
    w->memory = setup->memory ? setup->memory : device_caps(w->dev)->memory;
    w->host = ram_bytes("");
    w->patcher = lora_patcher(&w->loras);
    describe(w);
    settle(w);
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
    turns_free(&w->said);
    buf_free(&w->choices);
    if (w->dev)
        device_close(w->dev);
    files_close(&w->files);
    free(w);
}

void wan_set_beside(struct wan *w, uint64_t bytes)
{
    w->beside = bytes;
}

const struct wan_info *wan_info(const struct wan *w)
{
    return &w->info;
}

/* ---- weights ---- */

/* By what they hold, not by their names: one may have been trained on since the last clip. */
static bool same_loras(const struct wan *w, const struct wan_job *j)
{
    bool same = w->loras.n == j->lora_n;
    uint64_t mark;
    for (int i = 0; same && i < j->lora_n; i++)
        same = w->loras.strength[i] == j->lora[i].strength &&
               !model_lora_mark(j->lora[i].path, &mark, NULL) && w->lora_mark[i] == mark;
    return same;
}

static enum err open_loras(struct wan *w, const struct wan_job *j, const struct wan_calls *calls,
                           const struct stopper *stop, struct lora_set *out, struct fault *f)
{
    *out = (struct lora_set){.n = 0};
    for (int i = 0; i < j->lora_n; i++) {
        struct lora *l;
        char words[PATH_LEN + 100];
        enum err e =
            stopper_says(stop) ? fault_set(f, ERR_CANCELLED, "the clip was cancelled") : ERR_OK;
        if (!e)
            e = lora_open(j->lora[i].path, w->files.weights[FILES_DIT], &l, f);
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

/* The less a place takes of the device the later it stands. */
static int frugal(enum dit_place place)
{
    return place == DIT_RESIDENT ? 0 : place == DIT_PARKED ? 1 : 2;
}

static enum err make_room(struct wan *w, const struct wan_plan *p, struct wan_job *job,
                          struct fault *f)
{
    enum dit_place place = place_of(p);
    job->chunk = p->chunk;
    job->tile = p->tile;
    if (!device_caps(w->dev)->host_memory) /* a host's ways are fixed */
        w->keep_text = p->keep_text;
    if (!w->keep_text)
        t5_drop(&w->t5);
    if (!w->dit) {
        w->place = place;
    } else if (frugal(place) > frugal(w->place)) { /* this job leaves it less room */
        dit_free(w->dit);
        w->dit = NULL;
        w->place = place;
    }
    device_reserve(w->dev, p->sum - p->aside);
    return device_settle(w->dev, f);
}

enum err model_prepare(struct wan *w, struct wan_job *job, struct fault *f)
{
    const struct wan_job asked = *job;
    const uint64_t memory = w->memory;
    struct wan_plan p;
    enum err e = wan_plan(w, &asked, &p, f);
    if (e || (e = make_room(w, &p, job, f)) != ERR_NOMEM)
        return e;
    /* others have taken of it since the device was opened: this job does with what is left */
    w->memory = device_caps(w->dev)->memory;
    if (w->memory < memory && !wan_plan(w, &asked, &p, NULL))
        e = make_room(w, &p, job, f);
    w->memory = memory;
    return e;
}

enum err model_dit(struct wan *w, const struct wan_job *job, const struct wan_calls *calls,
                   struct fault *f)
{
    const struct stopper stop = {calls->stop, calls->user};
    struct lora_set fresh;
    enum err e = ERR_OK;
    if (!same_loras(w, job)) {
        e = open_loras(w, job, calls, &stop, &fresh, f);
        if (!e) {
            e = change_loras(w, &fresh, &stop, f);
            for (int i = 0; i < w->loras.n; i++)
                w->lora_mark[i] = lora_mark(w->loras.lora[i]);
        }
    }
    if (!e && !w->dit)
        e = dit_open(w->dev, w->files.weights[FILES_DIT], &w->patcher, w->place, &stop, &w->dit, f);
    return e;
}

enum err model_tiny(struct wan *w, struct fault *f)
{
    enum err e = w->tae ? ERR_OK : wan_ready_tiny(w, f);
    return e || w->tae ? e : tae_open(w->dev, w->files.weights[FILES_TINY], &w->tae, f);
}

enum err model_vae(struct wan *w, const struct stopper *stop, struct fault *f)
{
    return w->vae ? ERR_OK
                  : vae_open(w->dev, w->files.weights[FILES_VAE], VAE_DECODER, stop, &w->vae, f);
}

enum err model_lora_mark(const char *path, uint64_t *mark, struct fault *f)
{
    struct weights *w;
    enum err e = weights_open(path, &w, f);
    if (e)
        return e;
    *mark = files_mark(w, 0);
    weights_free(w);
    return ERR_OK;
}
