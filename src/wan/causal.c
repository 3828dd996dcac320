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
    int64_t plane; /* numbers of a latent frame's channel */
    float *drawn;  /* noise in the order that it is drawn in: [frames, 16, plane] */
    float *latent; /* of the block: [16, block, plane] */
    float *context[WAN_TURNS_MAX + 1]; /* of the prompt, then of each turn: [tokens, text_dim] */
    int tokens[WAN_TURNS_MAX + 1];
    int turn; /* the prompt that the rollout has, −1: none */
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

static enum err encode_all(struct causal *c)
{
    struct run *r = c->r;
    enum err e = ERR_OK;
    for (int i = 0; i <= r->job.turn_n && !e; i++) {
        const char *text = i ? r->job.turn[i - 1].prompt : r->job.prompt;
        e = pipeline_stopped(r);
        if (!e)
            e = prompt_encode(r->w, r->calls, text, &c->context[i], &c->tokens[i], r->f);
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
    enum err e = encode_all(c);
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

/* What the block at latent frame `at` is of. */
static enum err speak(struct causal *c, int at)
{
    const struct wan_job *j = &c->r->job;
    int first = at ? at * VAE_TIME - 3 : 0, turn = 0;
    while (turn < j->turn_n && j->turn[turn].frame <= first)
        turn++;
    if (turn == c->turn)
        return ERR_OK;
    c->turn = turn;
    return rollout_prompt(c->rollout, c->context[turn], c->tokens[turn], c->r->f);
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

static enum err all_blocks(struct causal *c)
{
    struct run *r = c->r;
    int kept = r->finished;
    struct rollout_block b = {
        .latent = c->latent, .fresh = fresh, .stop = stop, .seen = seen, .user = c};
    struct noise noise; /* the clip's, before any block */
    enum err e = ERR_OK;
    noise_seed(&noise, r->job.seed);
    noise_normal(&noise, c->drawn, r->n, r->w->info.threads);
    if (!kept)
        r->noise = noise;
    for (int at = 0; at < r->frames && !e; at += c->block) {
        pipeline_enter(r, WAN_SAMPLE);
        int64_t began = clock_mono_us();
        r->blocks = 0;
        pipeline_progress(r, r->done, r->steps, 0);
        e = speak(c, at);
        if (!e)
            e = at / c->block < kept ? take_in(c, &b, at) : make_block(c, &b, at);
        if (e == ERR_CANCELLED)
            fault_set(r->f, e, "the clip was cancelled");
        r->made->sample_s += pipeline_since(began);
        r->step_s = r->steps_here ? r->made->sample_s / r->steps_here : 0;
        if (!e)
            e = decode(c);
    }
    if (!e)
        pipeline_progress(r, r->steps, r->steps, 0);
    return e;
}

enum err causal_make(struct run *r, int block)
{
    struct causal c = {.r = r, .block = block, .plane = (int64_t)r->height * r->width, .turn = -1};
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
