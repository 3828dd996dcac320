/* What a job is, and how a killed one goes on.
 *
 * The latent, the sampler's history and the noise generator are the whole state of a job; between
 * any two steps they go to the checkpoint, and come back from it. What decides those numbers is
 * written down in two texts: `what` is the job and names the checkpoint's file, `how` is the way
 * this machine computes. Only where both agree is a checkpoint taken up, and where the device would
 * choose the algorithms again that it chose up to there.
 *
 * TeaCache remembers more: what the blocks added in the last full step, which is many times the
 * latent. But a step that runs all blocks looks at nothing of that. So such a job keeps the state
 * *before* a full step, and goes on with that very step, which fills the memory anew.
 *
 * A causal clip keeps the latents of its finished blocks and the generator; the keys and values
 * that the next blocks look at come again from those latents (rollout_again()). What the blocks are
 * of is kept too: prompts that came on the way stand in no job. */
#include "base/hash.h"
#include "wan/preset.h"
#include "wan/wan_inside.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- what and how ---- */

static int causal_block(const struct run *r)
{
    const struct preset *p = preset_find(r->job.sampler);
    return p ? p->block : 0;
}

static void add_text(struct buf *b, const char *key, const char *text)
{
    buf_addf(b, "%s ", key);
    for (; *text; text++) /* a value is one line */
        buf_addc(b, *text == '\n' ? ' ' : *text);
    buf_addc(b, '\n');
}

static uint64_t mark(const uint8_t *bytes, size_t n, int width, int height)
{
    return hash_more(HASH_BEGIN, bytes, n) ^ ((uint64_t)width << 32 | (uint64_t)height);
}

static uint64_t picture_mark(const struct wan_picture *p)
{
    return p ? mark(p->rgb, (size_t)p->width * (size_t)p->height * 3, p->width, p->height) : 0;
}

static void add_picture_marks(struct buf *b, const struct wan_job *j)
{
    if (j->image || j->last)
        buf_addf(b, "pictures %016llx %016llx\n", (unsigned long long)picture_mark(j->image),
                 (unsigned long long)picture_mark(j->last));
    if (j->source) {
        const struct wan_video *v = j->source;
        size_t pixels = (size_t)v->width * (size_t)v->height;
        buf_addf(b, "source %d %016llx\n", v->frames,
                 (unsigned long long)mark(v->rgb, pixels * 3 * (size_t)v->frames, 0, 0));
        if (j->mask)
            buf_addf(
                b, "mask %d %016llx\n", j->mask->frames,
                (unsigned long long)mark(j->mask->white, pixels * (size_t)j->mask->frames, 0, 0));
    }
    if (j->control) {
        const struct wan_video *v = j->control;
        size_t n = (size_t)v->width * (size_t)v->height * 3 * (size_t)v->frames;
        buf_addf(b, "control %d %016llx\n", v->frames, (unsigned long long)mark(v->rgb, n, 0, 0));
    }
    for (int i = 0; i < j->reference_n; i++)
        buf_addf(b, "reference %016llx\n", (unsigned long long)picture_mark(&j->reference[i]));
}

static enum err describe(struct run *r)
{
    const struct wan_job *j = &r->job;
    const struct wan_info *i = &r->w->info;
    struct buf *b = &r->what;
    add_text(b, "model", i->id);
    add_text(b, "prompt", j->prompt);
    add_text(b, "negative", j->guidance != 1 ? j->negative : "");
    buf_addf(b, "size %dx%dx%d\nsteps %d\nguidance %.17g %.17g %.17g %d %d\n", j->width, j->height,
             j->frames, j->steps, j->guidance, j->guide_from, j->guide_to, j->zero_star,
             j->zero_init);
    buf_addf(b, "sampler %s %s %.17g\nseed %llu\n", j->sampler,
             j->sigmas   ? "list"
             : j->simple ? "simple"
                         : "flow",
             j->shift, (unsigned long long)j->seed);
    for (int k = 0; j->sigmas && k < j->steps; k++)
        buf_addf(b, "sigma %.17g\n", j->sigmas[k]);
    for (int k = 0; k < j->turn_n; k++) {
        buf_addf(b, "from %d ", j->turn[k].frame);
        add_text(b, "prompt", j->turn[k].prompt);
    }
    if (j->live)
        buf_addf(b, "live\n");
    if (j->tiny)
        buf_addf(b, "tiny decoder %s\n", i->tiny_id);
    if (j->tile)
        buf_addf(b, "tile %d\n", j->tile);
    if (j->teacache > 0)
        buf_addf(b, "teacache %.17g\n", j->teacache);
    add_picture_marks(b, j);
    for (int k = 0; k < j->lora_n; k++) {
        uint64_t lora;
        enum err e = model_lora_mark(j->lora[k].path, &lora, r->f);
        if (e)
            return e;
        snprintf(r->made->lora_id[k], sizeof r->made->lora_id[k], "%016llx",
                 (unsigned long long)lora);
        buf_addf(b, "lora %s %.17g\n", r->made->lora_id[k], j->lora[k].strength);
    }
    add_text(&r->how, "device", i->device_words);
    buf_addf(&r->how, "threads %d\ncomputed %s\nresident %d\nversion %s\nbuild %s\n", i->threads,
             i->computed, i->resident, PACKAGE_VERSION, i->build);
    if (b->starved || r->how.starved)
        return fault_set(r->f, ERR_NOMEM, "no memory for the job's description");
    return b->failed || r->how.failed
               ? fault_set(r->f, ERR_LIMIT,
                           "the job's description takes more than %zu bytes; shorten its prompts",
                           CHECKPOINT_TEXT_MAX)
               : ERR_OK;
}

/* ---- checkpoints ---- */

static enum err rely(void *user, const char *chosen, size_t n, struct fault *f)
{
    const struct run *r = user;
    return device_choices_rely(r->w->dev, chosen, n, f);
}

static struct checkpoint state(struct run *r)
{
    struct checkpoint c = {.what = buf_str(&r->what),
                           .how = buf_str(&r->how),
                           .rely = rely,
                           .user = r,
                           .step = r->done,
                           .sampler = r->sampler,
                           .latent = r->latent,
                           .noise = &r->noise};
    int block = causal_block(r);
    if (block) { /* counts blocks; the sampler begins anew in each */
        c.sampler = NULL;
        c.step = r->finished;
        c.steps = r->frames / block;
        c.n = r->n;
        buf_reset(&r->told);
        turns_write(&r->said, &r->told);
        c.said = &r->told;
    }
    return c;
}

enum err resume_begin(struct run *r)
{
    struct fault why;
    char words[560];
    enum err e = describe(r);
    if (e || !r->job.checkpoint_dir)
        return e;
    e = checkpoint_name(r->job.checkpoint_dir, buf_str(&r->what), r->made->checkpoint,
                        sizeof r->made->checkpoint);
    if (e)
        return fault_set(r->f, e, "the path of %s is too long", r->job.checkpoint_dir);
    struct checkpoint c = state(r);
    int of = c.sampler ? r->sampler->schedule.steps : c.steps;
    e = checkpoint_read(r->made->checkpoint, &c, &why);
    if (!e && c.said)
        e = turns_read(&r->said, buf_str(c.said), c.said->len, r->job.frames, &why);
    if (e == ERR_NOTFOUND)
        return ERR_OK;
    if (e) {
        device_choices_begin(r->w->dev);
        snprintf(words, sizeof words, "begins anew: %s", fault_text(&why));
    } else if (c.sampler) {
        r->done = r->saved = r->made->resumed = c.step;
        snprintf(words, sizeof words, "goes on after step %d of %d from a checkpoint", c.step, of);
    } else {
        r->finished = c.step;
        r->made->resumed = c.step * r->sampler->schedule.steps;
        snprintf(words, sizeof words, "goes on after block %d of %d from a checkpoint", c.step, of);
    }
    pipeline_note(r, words);
    return ERR_OK;
}

static void tell(const struct run *r, const struct fault *why)
{
    char words[560];
    snprintf(words, sizeof words, "no checkpoint: %s", fault_text(why));
    pipeline_note(r, words);
}

/* A block's checkpoint, copied, so that the disk is waited for while the next block is made. */
struct late {
    struct ahead ahead;
    struct checkpoint c;
    struct noise noise;
    struct buf said, chosen;
    const char *path;
    struct fault why; /* code ERR_OK: it was written */
    float latent[];
};

static void write_late(void *user)
{
    struct late *l = user;
    l->why.code = checkpoint_write(l->path, &l->c, &l->why);
}

void resume_settle(struct run *r)
{
    struct late *l = r->late;
    if (!l)
        return;
    r->late = NULL;
    ahead_end(&l->ahead);
    if (l->why.code)
        tell(r, &l->why);
    buf_free(&l->said);
    buf_free(&l->chosen);
    free(l);
}

/* False: there is no memory for a copy. */
static bool save_late(struct run *r, const struct checkpoint *c)
{
    size_t bytes = (size_t)c->n * sizeof(float);
    resume_settle(r);
    struct late *l = r->late = calloc(1, sizeof *l + bytes);
    if (!l)
        return false;
    l->c = *c;
    l->noise = *c->noise;
    memcpy(l->latent, c->latent, bytes);
    l->c.latent = l->latent;
    l->c.noise = &l->noise;
    l->said = BUF_INIT(CHECKPOINT_TEXT_MAX);
    buf_add(&l->said, c->said->data, c->said->len);
    l->said.failed = l->said.failed || c->said->failed;
    l->c.said = &l->said;
    l->chosen = BUF_INIT(CHECKPOINT_TEXT_MAX);
    buf_adds(&l->chosen, c->chosen);
    l->said.failed = l->said.failed || l->chosen.failed;
    l->c.chosen = buf_str(&l->chosen);
    l->path = r->made->checkpoint;
    ahead_begin(&l->ahead, true, write_late, l);
    return true;
}

static void save(struct run *r)
{
    struct fault why;
    struct checkpoint c = state(r);
    r->saved = r->done;
    c.chosen = pipeline_choices(r->w);
    if (!c.chosen) {
        fault_set(&why, ERR_LIMIT, "the device chose more algorithms than it can name");
        tell(r, &why);
        return;
    }
    if (!c.sampler && dit_apart(r->w->dit) && save_late(r, &c))
        return;
    if (checkpoint_write(r->made->checkpoint, &c, &why))
        tell(r, &why);
}

void resume_save(struct run *r)
{
    bool last = r->done == r->sampler->schedule.steps;
    bool due = r->done % r->job.checkpoint_every == 0 && r->job.teacache <= 0;
    if (r->job.checkpoint_dir && (causal_block(r) || last || due))
        save(r);
}

void resume_save_before(struct run *r, bool whole)
{
    if (r->job.checkpoint_dir && r->job.teacache > 0 && whole && r->done &&
        r->done - r->saved >= r->job.checkpoint_every)
        save(r);
}
