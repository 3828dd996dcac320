#include "wan/rollout.h"

#include "wan/ahead.h"

#include <stdlib.h>
#include <string.h>

struct rollout {
    struct rollout_setup set;
    struct schedule schedule;
    struct dit_cache *cache;
    struct dit_prompt *prompt;
    int64_t tokens; /* of a latent frame */
    int made;       /* latent frames */
    int kept;       /* of them in the cache: its first `kept` frames */
    int64_t n;      /* numbers of a block */
    float *v, *x0, *fresh;
};

enum err rollout_open(const struct rollout_setup *setup, struct rollout **out, struct fault *f)
{
    struct rollout_setup set = *setup;
    const struct dit_config *c = dit_config(set.dit);
    if (!set.window)
        set.window = ROLLOUT_WINDOW;
    if (set.block < 1 || set.sink < 0 || set.window < set.sink + set.block || set.window > 1024)
        return fault_set(f, ERR_INVAL,
                         "a window of %d frames has no room for %d that stay and a block of %d",
                         set.window, set.sink, set.block);
    if (set.height < 2 || set.width < 2 || set.height % 2 || set.width % 2)
        return fault_set(f, ERR_INVAL, "a latent of %d x %d is not possible", set.height,
                         set.width);
    if (c->in != 16 || c->vace)
        return fault_set(f, ERR_INVAL, "only a text-to-video model can be rolled out");
    struct rollout *r = calloc(1, sizeof *r);
    if (!r)
        return fault_set(f, ERR_NOMEM, "out of memory");
    r->set = set;
    r->schedule = *setup->schedule;
    r->set.schedule = &r->schedule;
    r->tokens = (int64_t)(set.height / 2) * (set.width / 2);
    r->n = (int64_t)16 * set.block * set.height * set.width;
    float **rooms[] = {&r->v, &r->x0, &r->fresh};
    enum err e = dit_cache_new(set.dit, set.window * r->tokens, &r->cache, f);
    for (size_t i = 0; i < sizeof rooms / sizeof *rooms && !e; i++)
        if (!(*rooms[i] = malloc((size_t)r->n * sizeof **rooms[i])))
            e = fault_set(f, ERR_NOMEM, "out of memory for a block of %d frames", set.block);
    if (e)
        rollout_free(r);
    else
        *out = r;
    return e;
}

void rollout_free(struct rollout *r)
{
    if (!r)
        return;
    dit_prompt_free(r->prompt);
    dit_cache_free(r->cache);
    free(r->v);
    free(r->x0);
    free(r->fresh);
    free(r);
}

enum err rollout_prompt(struct rollout *r, const float *context, int64_t n, struct fault *f)
{
    struct dit_prompt_spec spec = {.context = context, .n = n, .stop = r->set.stop};
    struct dit_prompt *next = NULL;
    enum err e = dit_prompt_new(r->set.dit, &spec, &next, f);
    if (e)
        return e;
    dit_prompt_free(r->prompt);
    r->prompt = next;
    return ERR_OK;
}

/* Makes room in the cache for `frames` more; those that stay at the start stay. */
static enum err make_room(struct rollout *r, int frames, struct fault *f)
{
    int over = r->kept + frames - r->set.window;
    if (over <= 0)
        return ERR_OK;
    enum err e = dit_cache_drop(r->set.dit, r->cache, r->set.sink * r->tokens, over * r->tokens,
                                r->kept * r->tokens, f);
    if (!e)
        r->kept -= over;
    return e;
}

static enum err forward(struct rollout *r, const float *x, int frames, double t,
                        const struct rollout_block *b, float *v, struct fault *f)
{
    struct dit_input in = {.x = x,
                           .frames = frames,
                           .height = r->set.height,
                           .width = r->set.width,
                           .t = t,
                           .prompt = r->prompt,
                           .cache = r->cache,
                           .first_frame = r->made,
                           .cache_frame = r->kept,
                           .stop = b ? b->stop : NULL,
                           .stop_user = b ? b->user : NULL,
                           .shared = b && b->shared && b->shared(b->user)};
    return dit_forward(r->set.dit, &in, v, f);
}

enum err rollout_image(struct rollout *r, const float *latent, struct fault *f)
{
    if (!r->prompt || r->made)
        return fault_set(f, ERR_STATE, "an image comes after the prompt and before all blocks");
    enum err e = forward(r, latent, 1, 0, NULL, r->v, f);
    if (!e)
        r->made = r->kept = 1;
    return e;
}

/* Once more on the clean frames, for their keys and values. */
static enum err settle(struct rollout *r, const struct rollout_block *b, struct fault *f)
{
    enum err e = forward(r, b->latent, r->set.block, 0, b, r->v, f);
    if (!e) {
        r->made += r->set.block;
        r->kept += r->set.block;
    }
    return e;
}

enum err rollout_again(struct rollout *r, const struct rollout_block *b, struct fault *f)
{
    if (!r->prompt)
        return fault_set(f, ERR_STATE, "a block needs a prompt");
    enum err e = make_room(r, r->set.block, f);
    return e ? e : settle(r, b, f);
}

/* The noise that a step begins with. */
struct draw {
    const struct rollout *r;
    const struct rollout_block *b;
    int step;
};

static void draw_fresh(void *user)
{
    const struct draw *d = user;
    d->b->fresh(d->b->user, d->step, d->r->fresh, d->r->n);
}

enum err rollout_next(struct rollout *r, const struct rollout_block *b, struct fault *f)
{
    if (!r->prompt)
        return fault_set(f, ERR_STATE, "a block needs a prompt");
    struct sampler *s = sampler_new(SAMPLER_LCM, &r->schedule, r->n);
    if (!s)
        return fault_set(f, ERR_NOMEM, "out of memory for a block of %d frames", r->set.block);
    float *x = b->latent;
    s->threads = dit_threads(r->set.dit);
    enum err e = make_room(r, r->set.block, f);
    for (int k = 0; k < r->schedule.steps && !e; k++) {
        bool last = k + 1 == r->schedule.steps;
        struct draw draw = {r, b, k + 1};
        struct ahead ahead;
        ahead_begin(&ahead, dit_apart(r->set.dit), last ? NULL : draw_fresh, &draw);
        e = forward(r, x, r->set.block, r->schedule.t[k], b, r->v, f);
        if (e) {
            ahead_drop(&ahead);
            break;
        }
        ahead_end(&ahead);
        sampler_step(s, k, x, r->v, last ? NULL : r->fresh, r->x0);
        if (b->seen)
            b->seen(b->user, k, r->v, r->x0);
    }
    if (!e)
        e = settle(r, b, f);
    sampler_free(s);
    return e;
}

int rollout_frames(const struct rollout *r)
{
    return r->made;
}

const struct dit_cache *rollout_cache(const struct rollout *r)
{
    return r->cache;
}
