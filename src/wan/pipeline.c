/* wan_make(): one clip from prompt to pictures.
 *
 * Pictures and prompt become conditions, noise becomes a latent step by step, and the latent
 * becomes pictures. What a killed job goes on from is resume.c's. */
#include "wan/wan_inside.h"

#include "base/clock.h"
#include "wan/ahead.h"
#include "wan/peek.h"
#include "wan/preset.h"
#include "wan/preview.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PEEK_EVERY 4 /* steps: of a distilled model's four none, since its clip comes next */

/* ---- telling ---- */

double pipeline_since(int64_t us)
{
    return (double)(clock_mono_us() - us) / 1e6;
}

void pipeline_note(const struct run *r, const char *words)
{
    if (r->calls->note)
        r->calls->note(r->calls->user, words);
}

const char *pipeline_choices(struct wan *w)
{
    buf_reset(&w->choices);
    w->choices.max = CHECKPOINT_TEXT_MAX;
    return device_choices(w->dev, &w->choices) ? buf_str(&w->choices) : NULL;
}

/* The decoder's time: as the last clip's, else by its share of the arithmetic (spec 10): about
 * 8.7 GFLOP a token of the real decoder, against a step's. */
static double decode_guess(const struct run *r)
{
    const struct wan_info *i = &r->w->info;
    double tokens = r->height * r->width / 4.0, all = tokens * r->frames;
    if (r->w->decode_rate[r->job.tiny] > 0)
        return r->w->decode_rate[r->job.tiny] * all;
    double wide = (double)load_dim(r->w->files.weights[FILES_VAE], "decoder.conv1.weight", 0) / 384;
    double linear = all * (12.0 * (double)i->dim + 4.0 * (double)i->ffn) * (double)i->dim;
    double attention = 4 * all * (all + DIT_TEXT) * (double)i->dim;
    double step = (linear + attention) * i->layers * (r->job.guidance != 1 ? 2 : 1);
    return r->step_s * 8.7e9 * wide * wide * all / step / (r->job.tiny ? 24 : 1);
}

void pipeline_progress(struct run *r, int done, int total, double part)
{
    if (!r->calls->progress)
        return;
    struct wan_progress p = {.stage = r->stage, .done = done, .total = total, .left = -1};
    double now = pipeline_since(r->began_us);
    p.fraction = (done + part) / total;
    p.fraction = p.fraction > 1 ? 1 : p.fraction;
    p.seconds = now;
    if (r->stage == WAN_SAMPLE && r->steps_here)
        p.left = (1 - p.fraction) * total * r->step_s + decode_guess(r);
    else if (r->stage == WAN_DECODE && done)
        p.left = pipeline_since(r->stage_us) * (total - done) / done;
    else if (r->stage == WAN_DECODE && (r->steps_here || r->w->decode_rate[r->job.tiny] > 0))
        p.left = decode_guess(r);
    if (p.left >= 0)
        p.overall = now + p.left > 0 ? now / (now + p.left) : 1;
    else if (r->stage == WAN_SAMPLE)
        p.overall = 0.9 * p.fraction;
    r->calls->progress(r->calls->user, &p);
}

void pipeline_enter(struct run *r, enum wan_stage stage)
{
    r->stage = stage;
    r->stage_us = clock_mono_us();
    if (r->calls->stage)
        r->calls->stage(r->calls->user, stage);
}

/* A device that works by itself has a few blocks queued, and would work them off meanwhile. */
bool pipeline_asks(void *user)
{
    const struct run *r = user;
    const struct wan_calls *c = r->calls;
    if (c->rests && c->rests(c->user))
        device_wait(r->w->dev);
    return c->stop && c->stop(c->user);
}

enum err pipeline_stopped(struct run *r)
{
    if (pipeline_asks(r))
        return fault_set(r->f, ERR_CANCELLED, "the clip was cancelled");
    return ERR_OK;
}

/* Before every block of a forward pass. */
bool pipeline_stop(void *user)
{
    struct run *r = user;
    int blocks = r->blocks_total * r->forwards;
    pipeline_progress(r, r->done, r->steps, blocks ? (double)r->blocks / blocks : 0);
    r->blocks++;
    return pipeline_asks(r);
}

void pipeline_preview(struct run *r, const float *x0, int frames)
{
    struct wan_preview p = {
        .frames = frames - r->extra, .width = r->width, .height = r->height, .step = r->done};
    uint8_t *rgb = r->calls->preview ? malloc((size_t)frames * r->height * r->width * 3) : NULL;
    if (!rgb) /* a preview is worth nothing but a look */
        return;
    preview_rgb(x0, frames, r->height, r->width, rgb, r->w->info.threads);
    p.rgb = rgb + (size_t)r->extra * r->height * r->width * 3;
    r->calls->preview(r->calls->user, &p);
    free(rgb);
}

/* The same by the tiny decoder: where there is one, and a device that has time for it. A failure is
 * told once and costs no clip. False: nothing was shown. */
static bool peek(struct run *r)
{
    struct wan *w = r->w;
    bool none = !w->info.tiny[0] && !w->files.broken_tiny[0];
    if (!r->calls->preview || none || w->no_peek || device_caps(w->dev)->host_memory ||
        r->done % PEEK_EVERY || r->done == r->steps)
        return false;
    struct wan_preview p = {.frames = r->frames - r->extra,
                            .width = r->width * PEEK_CELL,
                            .height = r->height * PEEK_CELL,
                            .step = r->done};
    uint8_t *rgb = malloc((size_t)p.frames * (size_t)p.width * (size_t)p.height * 3);
    struct fault f = {0};
    enum err e = rgb ? model_tiny(w, &f) : ERR_NOMEM;
    const struct peek look = {.dev = w->dev,
                              .tae = w->tae,
                              .z = r->x0,
                              .frames = r->frames,
                              .height = r->height,
                              .width = r->width,
                              .from = r->extra,
                              .stop = pipeline_asks,
                              .user = r};
    e = e ? e : peek_rgb(&look, rgb, &f);
    p.rgb = rgb;
    if (!e)
        r->calls->preview(r->calls->user, &p);
    free(rgb);
    if (e && e != ERR_CANCELLED) {
        char words[sizeof f.text + 80];
        snprintf(words, sizeof words, "has no previews by the tiny decoder: %s", fault_text(&f));
        pipeline_note(r, words);
        w->no_peek = true;
    }
    return !e;
}

/* ---- the stages ---- */

static enum err encode_text(struct run *r, float **cond, int *cond_n, float **uncond, int *uncond_n)
{
    enum err e = prompt_encode(r->w, r->calls, r->job.prompt, cond, cond_n, r->f);
    r->made->tokens = *cond_n;
    if (e || r->job.guidance == 1)
        return e;
    e = pipeline_stopped(r);
    return e ? e : prompt_encode(r->w, r->calls, r->job.negative, uncond, uncond_n, r->f);
}

static enum err make_prompts(struct run *r)
{
    float *cond = NULL, *uncond = NULL;
    int cond_n = 0, uncond_n = 0;
    int64_t began = clock_mono_us();
    pipeline_enter(r, WAN_TEXT);
    enum err e = encode_text(r, &cond, &cond_n, &uncond, &uncond_n);
    r->made->text_s = pipeline_since(began);
    if (!e)
        e = pipeline_stopped(r);
    if (!e && (r->w->info.image || r->w->info.vace)) {
        pipeline_enter(r, WAN_IMAGE);
        e = condition_make(r);
        if (!e)
            e = pipeline_stopped(r);
    }
    if (!e) {
        pipeline_enter(r, WAN_LOAD);
        e = model_dit(r->w, &r->job, r->calls, r->f);
    }
    const struct stopper stop = {pipeline_asks, r};
    struct dit_prompt_spec spec = {
        .context = cond, .n = cond_n, .clip = r->clip, .clip_n = r->clip_n, .stop = &stop};
    if (!e)
        e = dit_prompt_new(r->w->dit, &spec, &r->cond, r->f);
    spec.context = uncond;
    spec.n = uncond_n;
    if (!e && uncond)
        e = dit_prompt_new(r->w->dit, &spec, &r->uncond, r->f);
    free(cond);
    free(uncond);
    return e;
}

static bool guided(const struct run *r, int step)
{
    double at = (double)step / r->sampler->schedule.steps;
    return r->uncond && at >= r->job.guide_from && (at < r->job.guide_to || r->job.guide_to == 1);
}

/* Guided steps among the first n. */
static int guided_of(const struct run *r, int n)
{
    int count = 0;
    for (int i = 0; i < n; i++)
        count += guided(r, i);
    return count;
}

/* Did nothing that TeaCache remembers go into this step, nor will it into a later one? Then the
 * state before it is all that a resume needs. */
static bool whole_step(const struct run *r, bool guide)
{
    int before = guided_of(r, r->done), all = guided_of(r, r->sampler->schedule.steps);
    bool other = guide ? r->tea[1].full : before == 0 || before == all;
    return r->tea[0].full && other;
}

static void draw_fresh(void *user)
{
    struct run *r = user;
    noise_normal(&r->noise, r->fresh, r->n, r->w->info.threads);
}

/* r->v, and r->other by the negative prompt. */
static enum err velocity(struct run *r, bool guide)
{
    const struct schedule *s = &r->sampler->schedule;
    struct dit_input in = {.x = r->latent,
                           .y = r->y,
                           .ref = r->ref,
                           .vace = r->vace,
                           .vace_scale = 1,
                           .frames = r->frames,
                           .height = r->height,
                           .width = r->width,
                           .t = s->t[r->done],
                           .prompt = r->cond,
                           .tea = r->job.teacache > 0 ? &r->tea[0] : NULL,
                           .stop = pipeline_stop,
                           .stop_user = r};
    r->blocks = 0;
    r->forwards = guide ? 2 : 1;
    if (r->done < r->job.zero_init) { /* what a guess from noise alone is worth (spec 7.5) */
        memset(r->v, 0, (size_t)r->n * sizeof *r->v);
        memset(r->other, 0, (size_t)r->n * sizeof *r->other);
        return ERR_OK;
    }
    enum err e = dit_forward(r->w->dit, &in, r->v, r->f);
    in.prompt = r->uncond;
    in.tea = r->job.teacache > 0 ? &r->tea[1] : NULL;
    if (!e && guide)
        e = dit_forward(r->w->dit, &in, r->other, r->f);
    return e;
}

static enum err one_step(struct run *r)
{
    bool guide = guided(r, r->done), last = r->done + 1 == r->sampler->schedule.steps;
    bool renoise = r->sampler->kind == SAMPLER_LCM && !last;
    /* under TeaCache the generator before the step goes into a checkpoint after its passes */
    struct ahead ahead;
    ahead_begin(&ahead, dit_apart(r->w->dit) && r->job.teacache <= 0, renoise ? draw_fresh : NULL,
                r);
    enum err e = velocity(r, guide);
    if (e) {
        ahead_drop(&ahead);
        return e == ERR_CANCELLED ? fault_set(r->f, e, "the clip was cancelled") : e;
    }
    resume_save_before(r, whole_step(r, guide));
    if (guide)
        sampler_guide(r->v, r->other, r->n, r->job.guidance, r->job.zero_star, r->w->info.threads);
    ahead_end(&ahead);
    sampler_step(r->sampler, r->done, r->latent, r->v, renoise ? r->fresh : NULL, r->x0);
    r->done++;
    return ERR_OK;
}

static enum tea_model tea_model(const struct run *r)
{
    if (r->w->info.image && !r->w->info.control)
        return r->job.width * r->job.height > 832 * 480 ? TEA_I2V_720P : TEA_I2V_480P;
    return r->w->info.dim > 1536 ? TEA_T2V_14B : TEA_T2V_1_3B;
}

static enum err sample(struct run *r)
{
    int steps = r->sampler->schedule.steps;
    int64_t began = clock_mono_us();
    enum err e = ERR_OK;
    for (int i = 0; i < 2 && r->job.teacache > 0; i++) {
        teacache_init(&r->tea[i], tea_model(r), false, r->job.teacache, steps);
        teacache_resume(&r->tea[i], i ? guided_of(r, r->done) : r->done);
    }
    pipeline_enter(r, WAN_SAMPLE);
    pipeline_progress(r, r->done, steps, 0);
    while (r->done < steps && !e) {
        e = pipeline_stopped(r);
        if (!e)
            e = one_step(r);
        if (e)
            break;
        r->step_s = pipeline_since(began) / ++r->steps_here;
        if (!peek(r))
            pipeline_preview(r, r->x0, r->frames);
        pipeline_progress(r, r->done, steps, 0);
        resume_save(r);
    }
    r->made->sample_s = pipeline_since(began);
    return e;
}

size_t pipeline_frame_bytes(const struct wan_job *j)
{
    size_t pixels = (size_t)j->width * (size_t)j->height;
    return j->nv12 ? pixels * 3 / 2 : pixels * 3;
}

enum err pipeline_give(struct run *r, const uint8_t *bytes, int first, int count)
{
    struct wan_frames p = {.rgb = r->job.nv12 ? NULL : bytes,
                           .nv12 = r->job.nv12 ? bytes : NULL,
                           .bytes = pipeline_frame_bytes(&r->job),
                           .first = first,
                           .count = count,
                           .width = r->job.width,
                           .height = r->job.height};
    return r->calls->frames ? r->calls->frames(r->calls->user, &p, r->f) : ERR_OK;
}

/* ---- the whole ---- */

/* A style may ask a distilled model for steps; it has its own. */
static void tell_own_steps(const struct run *r, const struct wan_job *asked)
{
    const struct preset *preset = preset_find(r->job.sampler);
    char words[120];
    if (!preset || ((!asked->steps || asked->steps == preset->steps) &&
                    (asked->shift == 0 || asked->shift == 1)))
        return;
    snprintf(words, sizeof words, "%s draws its own %d steps; steps and shift count for nothing",
             preset->name, preset->steps);
    pipeline_note(r, words);
}

static enum err begin(struct run *r)
{
    const struct preset *preset = preset_find(r->job.sampler);
    enum sampler_kind kind;
    struct schedule s;
    r->extra = r->w->info.vace ? r->job.reference_n : 0;
    r->frames = (r->job.frames + 3) / 4 + r->extra;
    r->height = r->job.height / VAE_SPACE;
    r->width = r->job.width / VAE_SPACE;
    r->n = (int64_t)VAE_Z * r->frames * r->height * r->width;
    r->blocks_total = r->w->config.layers + r->w->config.vace;
    enum err e = job_schedule(&r->job, &kind, &s, r->f);
    if (e)
        return e;
    size_t bytes = (size_t)r->n * sizeof(float);
    r->steps = s.steps;
    r->sampler = sampler_new(kind, &s, r->n);
    r->latent = malloc(bytes);
    r->x0 = calloc(1, bytes);
    r->v = malloc(bytes);
    r->other = malloc(bytes);
    r->fresh = malloc(bytes);
    if (!r->sampler || !r->latent || !r->x0 || !r->v || !r->other || !r->fresh)
        return fault_set(r->f, ERR_NOMEM, "no memory for a latent of %lld numbers",
                         (long long)r->n);
    r->sampler->threads = r->w->info.threads;
    noise_seed(&r->noise, r->job.seed);
    if (!preset || !preset->block) /* a causal clip draws its noise frame by frame */
        noise_normal(&r->noise, r->latent, r->n, r->w->info.threads);
    return resume_begin(r);
}

static void finish(struct run *r)
{
    struct wan_info *info = &r->w->info;
    resume_settle(r);
    device_settle(r->w->dev, NULL); /* what failed unseen before a stop is no matter of the next */
    str_copy(info->device_note, sizeof info->device_note, device_caps(r->w->dev)->note);
    dit_prompt_free(r->cond);
    dit_prompt_free(r->uncond);
    sampler_free(r->sampler);
    teacache_free(&r->tea[0]);
    teacache_free(&r->tea[1]);
    free(r->latent);
    free(r->x0);
    free(r->v);
    free(r->other);
    free(r->fresh);
    free(r->y);
    free(r->ref);
    free(r->vace);
    free(r->clip);
    buf_free(&r->what);
    buf_free(&r->how);
    buf_free(&r->told);
    turns_free(&r->w->said); /* this clip's list may have been those */
    r->w->said = r->said;
    r->made->turn = r->w->said.turn;
    r->made->turn_n = r->w->said.n;
    if (!(r->made->choices = pipeline_choices(r->w)))
        r->made->choices = "";
}

enum err wan_make(struct wan *w, const struct wan_job *job, const struct wan_calls *calls,
                  struct wan_made *made, struct fault *f)
{
    static const struct wan_calls silent = {0};
    struct fault none;
    struct wan_made unasked;
    struct run r = {.w = w,
                    .job = *job,
                    .calls = calls ? calls : &silent,
                    .made = made ? made : &unasked,
                    .f = f ? f : &none,
                    .what = BUF_INIT(CHECKPOINT_TEXT_MAX),
                    .how = BUF_INIT(4096),
                    .told = BUF_INIT(CHECKPOINT_TEXT_MAX),
                    .began_us = clock_mono_us()};
    memset(r.made, 0, sizeof *r.made);
    device_choices_begin(w->dev);
    r.job.live = r.calls->turn != NULL;
    enum err e = wan_job_complete(w, &r.job, r.f);
    if (!e)
        tell_own_steps(&r, job);
    if (!e)
        e = model_prepare(w, &r.job, r.f);
    r.made->job = r.job;
    if (!e)
        e = begin(&r);
    const struct preset *preset = preset_find(r.job.sampler);
    if (!e && preset && preset->block) {
        e = causal_make(&r, preset->block);
        finish(&r);
        return e;
    }
    if (!e && r.done < r.sampler->schedule.steps)
        e = make_prompts(&r);
    if (!e && r.done < r.sampler->schedule.steps)
        e = sample(&r);
    if (!e)
        e = decode_make(&r);
    finish(&r);
    return e;
}
