/* A clip of a causal model (spec 13): block after block is denoised, decoded and handed over, so
 * that the first frames are out while the last are still noise. Noise is drawn as upstream draws
 * it: for the whole clip at once, frame by frame, then anew for each step of a block.
 *
 * A finished block goes to the checkpoint. A clip that goes on from there takes its blocks in
 * again, each by one pass in place of a pass a step and one; all of them, since what a block left
 * behind depends on those before it, also on those that the window has since let go. */
#include "wan/wan_inside.h"

#include "base/clock.h"
#include "wan/preset.h"
#include "wan/rollout.h"

#include <stdlib.h>
#include <string.h>

struct causal {
    struct run *r;
    int block;     /* latent frames */
    int kept;      /* blocks that came from a checkpoint */
    int64_t plane; /* numbers of a latent frame's channel */
    float *drawn;  /* noise in the order that it is drawn in: [frames, 16, plane] */
    float *latent; /* of the block: [16, block, plane] */
    float *context[WAN_TURNS_MAX + 1]; /* of the prompt, then of each turn: [tokens, text_dim] */
    int tokens[WAN_TURNS_MAX + 1];
    int turn;         /* of the job's list: so many have begun */
    const char *text; /* the prompt that the rollout has, NULL: none */
    struct rollout *rollout;
    struct decoder decoder;
    struct stopper stop; /* the caller's */
};

/* [frames, 16, plane] → [16, frames, plane] */
static void by_channel(const struct causal *c, const float *drawn, float *out, int frames)
{
    for (int i = 0; i < frames; i++)
        for (int ch = 0; ch < VAE_Z; ch++)
            memcpy(out + ((int64_t)ch * frames + i) * c->plane,
                   drawn + ((int64_t)i * VAE_Z + ch) * c->plane, (size_t)c->plane * sizeof *out);
}

/* The block at frame `at` of r->latent [16, frames, plane] and c->latent, one into the other. */
static void block_in_clip(const struct causal *c, int at, bool into_clip)
{
    size_t n = (size_t)(c->block * c->plane);
    for (int ch = 0; ch < VAE_Z; ch++) {
        float *whole = c->r->latent + ((int64_t)ch * c->r->frames + at) * c->plane;
        float *part = c->latent + (size_t)ch * n;
        memcpy(into_clip ? whole : part, into_clip ? part : whole, n * sizeof *whole);
    }
}

static void fresh(void *user, int step, float *out, int64_t n)
{
    struct causal *c = user;
    (void)step;
    noise_normal(&c->r->noise, c->r->fresh, n, c->r->w->info.threads);
    by_channel(c, c->r->fresh, out, c->block);
}

static void seen(void *user, int step, const float *v, const float *x0)
{
    struct causal *c = user;
    (void)step;
    (void)v;
    c->r->done++;
    c->r->steps_here++;
    c->r->blocks = 0;
    pipeline_preview(c->r, x0, c->block);
}

static bool stop(void *user)
{
    struct causal *c = user;
    return pipeline_stop(c->r);
}

static bool shared(void *user)
{
    const struct causal *c = user;
    return c->r->calls->rests && c->r->calls->rests(c->r->calls->user);
}

/* The job's prompt, then those of its list. */
static const char *given(const struct run *r, int i)
{
    return i ? r->job.turn[i - 1].prompt : r->job.prompt;
}

static enum err encode_given(struct causal *c)
{
    struct run *r = c->r;
    enum err e = ERR_OK;
    for (int i = 0; i <= r->job.turn_n && !e; i++) {
        e = pipeline_stopped(r);
        if (!e)
            e = prompt_encode(r->w, r->calls, given(r, i), &c->context[i], &c->tokens[i], r->f);
    }
    r->made->tokens = c->tokens[0];
    return e;
}

/* The prompts, the weights, and the room for a block. */
static enum err prepare(struct causal *c, const struct schedule *s)
{
    struct run *r = c->r;
    struct rollout_setup set = {
        .schedule = s, .height = r->height, .width = r->width, .block = c->block};
    pipeline_enter(r, WAN_TEXT);
    int64_t began = clock_mono_us();
    enum err e = encode_given(c);
    r->made->text_s = pipeline_since(began);
    if (!e)
        e = pipeline_stopped(r);
    if (!e) {
        pipeline_enter(r, WAN_LOAD);
        e = model_dit(r->w, &r->job, r->calls, r->f);
    }
    if (!e) {
        set.dit = r->w->dit;
        c->stop = (struct stopper){pipeline_asks, r};
        set.stop = &c->stop;
        set.window = r->frames < ROLLOUT_WINDOW ? r->frames : ROLLOUT_WINDOW;
        e = rollout_open(&set, &c->rollout, r->f);
    }
    if (!e)
        e = decoder_open(r, 1, &c->decoder);
    size_t numbers = (size_t)(VAE_Z * c->block * c->plane);
    c->drawn = malloc((size_t)r->n * sizeof *c->drawn);
    c->latent = malloc(numbers * sizeof *c->latent);
    if (!e && (!c->drawn || !c->latent))
        e = fault_set(r->f, ERR_NOMEM, "no memory for a block of %d frames", c->block);
    return e;
}

static enum err decode(struct causal *c)
{
    struct run *r = c->r;
    enum err e = ERR_OK;
    pipeline_enter(r, WAN_DECODE);
    int64_t began = clock_mono_us();
    for (int i = 0; i < c->block && !e; i++) {
        e = pipeline_stopped(r);
        if (!e)
            e = decoder_run(&c->decoder, c->latent, c->block, i, 1);
    }
    if (!e) /* nobody waits for a block that is done */
        e = decoder_flush(&c->decoder);
    r->made->decode_s += pipeline_since(began);
    return e;
}

/* What the block at latent frame `at`, frame `first` of the clip, is of: the list's turn that began
 * since the last one, else what that was of, and the caller has the last word. What a checkpoint's
 * blocks were of is known. */
static const char *text_of(struct causal *c, int at, int first)
{
    const struct run *r = c->r;
    const struct wan_job *j = &r->job;
    const char *text = c->text ? c->text : j->prompt, *live;
    for (; c->turn < j->turn_n && j->turn[c->turn].frame <= first; c->turn++)
        text = j->turn[c->turn].prompt;
    if (at / c->block < c->kept)
        return (live = turns_at(&r->said, first)) ? live : j->prompt;
    if (at && r->calls->turn && (live = r->calls->turn(r->calls->user, first)))
        text = live;
    return text;
}

/* A prompt that was not known before, between two blocks. */
static enum err speak_new(struct causal *c, const char *text)
{
    struct run *r = c->r;
    float *context = NULL;
    int n = 0;
    pipeline_enter(r, WAN_TEXT);
    enum err e = pipeline_stopped(r);
    if (!e)
        e = prompt_encode(r->w, r->calls, text, &context, &n, r->f);
    pipeline_enter(r, WAN_SAMPLE);
    if (!e)
        e = rollout_prompt(c->rollout, context, n, r->f);
    free(context);
    return e;
}

static enum err speak(struct causal *c, int at)
{
    struct run *r = c->r;
    int first = at ? at * VAE_TIME - 3 : 0, known = 0;
    const char *text = text_of(c, at, first);
    enum err e = ERR_OK;
    if (c->text && !strcmp(text, c->text))
        return ERR_OK;
    if (at && at / c->block >= c->kept) { /* the caller's text is only lent */
        if ((e = turns_add(&r->said, first, text, r->f)))
            return e;
        text = turns_at(&r->said, first);
    }
    c->text = text;
    int64_t began = clock_mono_us();
    while (known <= r->job.turn_n && strcmp(text, given(r, known)))
        known++;
    e = known <= r->job.turn_n
            ? rollout_prompt(c->rollout, c->context[known], c->tokens[known], r->f)
            : speak_new(c, text);
    r->made->text_s += pipeline_since(began);
    return e;
}

/* A block that a checkpoint holds. When no other follows nobody looks at it any more. */
static enum err take_in(struct causal *c, const struct rollout_block *b, int at)
{
    struct run *r = c->r;
    bool needed = r->finished * c->block < r->frames;
    block_in_clip(c, at, false);
    enum err e = needed ? rollout_again(c->rollout, b, r->f) : ERR_OK;
    r->done += r->sampler->schedule.steps + 1;
    r->steps_here += needed;
    return e;
}

static enum err make_block(struct causal *c, const struct rollout_block *b, int at)
{
    struct run *r = c->r;
    by_channel(c, c->drawn + (int64_t)at * VAE_Z * c->plane, c->latent, c->block);
    enum err e = rollout_next(c->rollout, b, r->f);
    if (e)
        return e;
    r->done++; /* the pass over the clean frames */
    r->steps_here++;
    block_in_clip(c, at, true);
    r->finished++;
    resume_save(r);
    return ERR_OK;
}

static enum err one_block(struct causal *c, const struct rollout_block *b, int at)
{
    struct run *r = c->r;
    int64_t began = clock_mono_us();
    r->blocks = 0;
    pipeline_progress(r, r->done, r->steps, 0);
    enum err e = at / c->block < c->kept ? take_in(c, b, at) : make_block(c, b, at);
    r->made->sample_s += pipeline_since(began);
    r->step_s = r->steps_here ? r->made->sample_s / r->steps_here : 0;
    return e;
}

static enum err all_blocks(struct causal *c)
{
    struct run *r = c->r;
    struct rollout_block b = {.latent = c->latent,
                              .fresh = fresh,
                              .stop = stop,
                              .shared = shared,
                              .seen = seen,
                              .user = c};
    struct noise noise; /* the clip's, before any block */
    enum err e = ERR_OK;
    noise_seed(&noise, r->job.seed);
    noise_normal(&noise, c->drawn, r->n, r->w->info.threads);
    if (!c->kept)
        r->noise = noise;
    for (int at = 0; at < r->frames && !e; at += c->block) {
        pipeline_enter(r, WAN_SAMPLE);
        e = speak(c, at);
        if (!e)
            e = one_block(c, &b, at);
        if (e == ERR_CANCELLED)
            fault_set(r->f, e, "the clip was cancelled");
        if (!e)
            e = decode(c);
    }
    if (!e)
        pipeline_progress(r, r->steps, r->steps, 0);
    return e;
}

enum err causal_make(struct run *r, int block)
{
    struct causal c = {
        .r = r, .block = block, .kept = r->finished, .plane = (int64_t)r->height * r->width};
    struct schedule s = r->sampler->schedule;
    r->steps = (s.steps + 1) * r->frames / block;
    r->forwards = 1;
    enum err e = prepare(&c, &s);
    if (!e)
        e = all_blocks(&c);
    decoder_close(&c.decoder);
    rollout_free(c.rollout);
    for (int i = 0; i <= WAN_TURNS_MAX; i++)
        free(c.context[i]);
    free(c.drawn);
    free(c.latent);
    return e;
}
