/* Passes of a causal clip, which come again.
 *
 * A block is some steps and a last look at clean frames: passes that differ in nothing but their
 * latents, the moment, and what the cache holds. Each is a track of the device, fed by tensors that
 * stay where they are. The place in the cache is a pass's own, and so are the keys and values of
 * its prompt: another place or prompt is another track. There are as many as places, and one more.
 * Once the window is full every block comes at the same place, and one track goes on for as long as
 * the prompt does; the angles of its place in time are written anew into the same table. */
#include "wan/dit_inside.h"

#include <stdlib.h>
#include <string.h>

void dit_feed_free(struct dit_feed *f)
{
    tensor_free(&f->x);
    tensor_free(&f->sinus);
    tensor_free(&f->v);
}

void dit_cache_forget(struct dit_cache *c)
{
    for (int i = 0; i < c->passages; i++)
        track_free(c->passage[i].track);
    free(c->passage);
    c->passage = NULL;
    c->passages = 0;
}

void dit_cache_enter(struct dit_cache *c, const struct dit_input *in)
{
    const int shape[] = {in->frames, in->height, in->width};
    if (!memcmp(shape, c->shape, sizeof shape))
        return;
    dit_cache_forget(c);
    dit_feed_free(&c->feed);
    tensor_free(&c->rope.table);
    memcpy(c->shape, shape, sizeof shape);
}

/* That of this pass, or the one that was used least lately; *like: any other that there is. */
static struct dit_passage *find(struct dit_cache *c, const struct dit_passage *want,
                                const struct track **like)
{
    struct dit_passage *oldest = c->passage;
    *like = NULL;
    for (int i = 0; i < c->passages; i++) {
        struct dit_passage *p = &c->passage[i];
        if (p->track && p->frame == want->frame && p->prompt == want->prompt &&
            p->changes == want->changes)
            return p;
        oldest = p->used < oldest->used ? p : oldest;
        *like = p->track ? p->track : *like;
    }
    return oldest;
}

struct track *dit_cache_track(struct dit *d, const struct dit_input *in, int64_t tokens)
{
    struct dit_cache *c = in->cache;
    const struct track *like;
    if (!c || in->probe || in->tea || in->y || d->place != DIT_RESIDENT)
        return NULL;
    if (!c->passage) {
        int n = (int)(c->tokens / tokens) + 1;
        c->passage = calloc((size_t)n, sizeof *c->passage);
        c->passages = c->passage ? n : 0;
    }
    if (!c->passage)
        return NULL;
    const struct dit_passage want = {
        .frame = in->cache_frame, .prompt = in->prompt->number, .changes = d->changes};
    struct dit_passage *p = find(c, &want, &like);
    uint64_t used = ++c->clock;
    if (!p->track || p->frame != want.frame || p->prompt != want.prompt ||
        p->changes != want.changes) {
        struct track *track = track_new(d->dev, like);
        track_free(p->track);
        *p = want;
        p->track = track;
    }
    p->used = used;
    return p->track;
}
