/* One forward pass (spec 4).
 *
 *   x [L, dim]  the tokens, residual stream; L = frames · height/2 · width/2
 *   e           time embedding [dim]; e0 its projection [6·dim]
 *   a block     h = norm(x)·(1 + c1) + s1;  x += g1 ⊙ self(h)
 *               x += cross(norm3(x))
 *               h = norm(x)·(1 + c2) + s2;  x += g2 ⊙ ffn(h)
 *   head        (s, c) = modulation + e;    v = lin(norm(x)·(1 + c) + s)
 *
 * with (s1, c1, g1, s2, c2, g2) the rows of modulation + e0 of each block. A reference picture
 * (spec 14, Fun-Control) is a frame of tokens before the others, at place 0 in time, that goes
 * through the blocks with them and has no part in v. */
#include "wan/dit_inside.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EPS 1e-6f

/* One pass, and its buffers. */
struct pass {
    struct dit *d;
    struct device *dev;
    const struct dit_input *in;
    int64_t tokens;
    struct dit_feed *feed; /* of the cache, or its own */
    const struct tensor *rope;
    bool whole;               /* nobody is asked, and nothing waited for, between its blocks */
    struct tensor x;          /* [tokens, dim], f32 */
    struct tensor h;          /* [tokens, dim], of what its products take */
    struct tensor qkv;        /* [3, tokens, dim], of the device's working type; of it */
    struct tensor q, k, v;    /* each a third, or a column of [tokens, 3·dim] (pack) */
    struct tensor y;          /* [tokens, dim]: of self-attention, for a product */
    struct tensor hidden;     /* [tokens, ffn], likewise */
    struct tensor e, e0, mod; /* [dim], [6, dim], [6, dim] */
    struct tensor c;          /* [tokens, dim]: VACE's own stream */
};

/* Frames of tokens: the latent's, and a reference's. */
static int token_frames(const struct dit_input *in)
{
    return in->frames + (in->ref != NULL);
}

/* The table for this grid, from pass to pass at the same place while it has the same size. False:
 * there is no memory to form it in. */
static bool rope_table(struct pass *p)
{
    const struct dit_input *in = p->in;
    struct dit_angles *r = in->cache ? &in->cache->rope : &p->d->rope;
    int want[4] = {in->first_frame, token_frames(in), in->height / 2, in->width / 2};
    p->rope = &r->table;
    if (r->table.data && !memcmp(want, r->grid, sizeof want))
        return true;
    const int64_t shape[] = {p->tokens, DIT_HEAD / 2, 2};
    float *table = malloc((size_t)p->tokens * DIT_HEAD * sizeof *table);
    if (!table)
        return false;
    if (!device_caps(p->dev)->hollow)
        dit_rope(table, DIT_HEAD, want[0], want[1], want[2], want[3]);
    if (r->table.data && r->table.dim[0] != p->tokens)
        tensor_free(&r->table);
    if (!r->table.data)
        r->table = tensor_new(p->dev, 3, shape);
    device_write(p->dev, &r->table, table, p->tokens * DIT_HEAD);
    memset(r->grid, 0, sizeof want);
    if (!device_failed(p->dev)) /* else it is written again */
        memcpy(r->grid, want, sizeof want);
    free(table);
    return true;
}

/* Latents and timestep to the device. */
static void fill_feed(struct pass *p)
{
    const struct dit_input *in = p->in;
    struct dit_feed *f = p->feed;
    float sinus[DIT_FREQ_MAX];
    const int64_t freq = p->d->c.freq_dim;
    if (!f->x.data)
        f->x = tensor_new4(p->dev, 16, in->frames, in->height, in->width);
    if (!f->sinus.data)
        f->sinus = tensor_new2(p->dev, 1, freq);
    if (in->cache && !f->v.data) /* else it comes when it is needed */
        f->v = tensor_new4(p->dev, p->d->c.out, in->frames, in->height, in->width);
    dit_time(sinus, freq, in->t);
    device_write(p->dev, &f->sinus, sinus, freq);
    device_write(p->dev, &f->x, in->x, tensor_count(&f->x));
}

/* More latents [channels, frames, height, width], into columns of `rows` from `at` on. */
static void cut(struct pass *p, const struct tensor *rows, const float *x, int channels, int frames,
                int64_t at)
{
    struct tensor latent = tensor_new4(p->dev, channels, frames, p->in->height, p->in->width);
    device_write(p->dev, &latent, x, tensor_count(&latent));
    device_patchify(p->dev, rows, &latent, at);
    tensor_free(&latent);
}

/* The tokens of `frames` frames into `out` [tokens, dim], of patches (spec 4.1): of the pass's own
 * latents or, if not NULL, of x; and of y behind it. */
static void embed(struct pass *p, const struct tensor *out, int frames, const float *x,
                  const float *y, int channels_x, int channels_y, const struct weight *w)
{
    const struct dit_input *in = p->in;
    int64_t tokens = (int64_t)frames * (in->height / 2) * (in->width / 2);
    struct tensor rows = tensor_work2(p->dev, tokens, 4 * (channels_x + channels_y));
    if (x)
        cut(p, &rows, x, channels_x, frames, 0);
    else
        device_patchify(p->dev, &rows, &p->feed->x, 0);
    if (y)
        cut(p, &rows, y, channels_y, frames, 4 * channels_x);
    dit_linear(p->dev, out, &rows, w, ACT_NONE);
    tensor_free(&rows);
}

static struct tensor tokens_of(struct pass *p, const float *x, const float *y, int channels_x,
                               int channels_y, const struct weight *w)
{
    const struct dit_input *in = p->in;
    int64_t before = p->tokens / token_frames(in) * (in->ref != NULL);
    struct tensor out = tensor_new2(p->dev, p->tokens, p->d->c.dim);
    struct tensor own = tensor_part(&out, before, p->tokens - before);
    if (in->ref) {
        struct tensor first = tensor_part(&out, 0, before);
        embed(p, &first, 1, in->ref, NULL, 16, 0, p->d->ref_conv);
    }
    embed(p, &own, in->frames, x, y, channels_x, channels_y, w);
    return out;
}

static void time_embedding(struct pass *p)
{
    const struct dit *d = p->d;
    struct tensor h = tensor_new2(p->dev, 1, d->c.dim);
    p->e = tensor_new2(p->dev, 1, d->c.dim);
    p->e0 = tensor_new2(p->dev, 1, 6 * d->c.dim);
    dit_linear(p->dev, &h, &p->feed->sinus, d->time0, ACT_SILU);
    dit_linear(p->dev, &p->e, &h, d->time2, ACT_NONE);
    device_act(p->dev, &h, &p->e, ACT_SILU);
    dit_linear(p->dev, &p->e0, &h, d->time_projection, ACT_NONE);
    probe_see(p->in->probe, p->dev, "time_e", &p->e);
    probe_see(p->in->probe, p->dev, "time_e0", &p->e0);
    tensor_free(&h);
    p->e0 = (struct tensor){.data = p->e0.data, .rank = 2, .dim = {6, d->c.dim}, .dev = p->dev};
}

/* x += gate ⊙ (from·Wᵀ + b), then the norm before what follows; the probe sees the product by
 * itself. */
static void join(struct pass *p, const struct tensor *x, const struct tensor *from,
                 const struct weight *w, const struct tensor *gate, const struct norm_op *next,
                 const char *seen)
{
    if (seen) {
        struct tensor alone = tensor_new2(p->dev, p->tokens, p->d->c.dim);
        dit_linear(p->dev, &alone, from, w, ACT_NONE);
        probe_see(p->in->probe, p->dev, seen, &alone);
        tensor_free(&alone);
    }
    device_join(p->dev,
                &(struct join_op){.x = x, .from = from, .w = w, .gate = gate, .next = next});
}

/* y = norm(x)·(1 + scale) + shift */
static struct norm_op modulated(const struct tensor *x, const struct tensor *y,
                                const struct tensor *shift, const struct tensor *scale)
{
    return (struct norm_op){
        .kind = NORM_LAYER, .x = x, .y = y, .scale = scale, .shift = shift, .eps = EPS};
}

/* of p->q, as `rest` says */
static void attend(struct pass *p, const struct tensor *k, const struct tensor *v,
                   const struct tensor *out, struct attention_op rest)
{
    rest.q = &p->q;
    rest.k = k;
    rest.v = v;
    rest.out = out;
    rest.heads = p->d->c.heads;
    rest.scale = 1.0f / sqrtf((float)DIT_HEAD);
    device_attention(p->dev, &rest);
}

/* q, k and v without gaps between their rows. */
static void thirds(struct pass *p)
{
    struct tensor *all[] = {&p->q, &p->k, &p->v};
    for (int i = 0; i < 3; i++) {
        struct tensor third = tensor_part(&p->qkv, i, 1);
        *all[i] = tensor_as2(&third, p->tokens, p->d->c.dim);
    }
}

/* The three by one product, side by side in rows; the length of a row. */
static int64_t packed(struct pass *p, const struct weight *qkv)
{
    int64_t dim = p->d->c.dim;
    struct tensor rows = tensor_as2(&p->qkv, p->tokens, 3 * dim);
    struct tensor *all[] = {&p->q, &p->k, &p->v};
    dit_linear(p->dev, &rows, &p->h, qkv, ACT_NONE);
    for (int i = 0; i < 3; i++)
        *all[i] = tensor_columns(&rows, i * dim, dim);
    return 3 * dim;
}

static void self_attention(struct pass *p, const struct dit_block *b, const struct tensor *x,
                           const struct tensor *gate, const struct norm_op *next, int layer,
                           bool seen)
{
    const struct dit *d = p->d;
    struct dit_cache *cache = p->in->cache;
    const struct probe *probe = seen ? p->in->probe : NULL;
    /* a cache and a probe want them without gaps */
    int64_t at = 0, row = b->self.qkv && !cache && !probe ? packed(p, b->self.qkv) : 0;
    struct tensor k = p->k, v = p->v;
    if (cache) { /* write keys and values into their place, attend to all before and here */
        at = (int64_t)p->in->cache_frame * (p->tokens / p->in->frames);
        k = tensor_part(&cache->k[layer], at, p->tokens);
        v = tensor_part(&cache->v[layer], at, p->tokens);
    }
    const struct linear_op three[] = {{.x = &p->h, .w = b->self.q, .y = &p->q, .left = 2},
                                      {.x = &p->h, .w = b->self.k, .y = &k, .left = 1},
                                      {.x = &p->h, .w = b->self.v, .y = &v}};
    for (int i = 0; i < 3 && !row; i++)
        device_linear(p->dev, &three[i]);
    device_turn(p->dev, &(struct turn_op){.q = &p->q,
                                          .k = &k,
                                          .norm_q = &b->self.norm_q,
                                          .norm_k = &b->self.norm_k,
                                          .table = p->rope,
                                          .heads = d->c.heads,
                                          .eps = EPS,
                                          .stride = row});
    probe_see(probe, p->dev, "b0.q_rope", &p->q);
    probe_see(probe, p->dev, "b0.k_rope", &k);
    if (cache) {
        k = tensor_part(&cache->k[layer], 0, at + p->tokens);
        v = tensor_part(&cache->v[layer], 0, at + p->tokens);
    }
    attend(p, &k, &v, &p->y,
           (struct attention_op){.low = !cache, .stride = row, .room = cache ? cache->tokens : 0});
    thirds(p);
    join(p, x, &p->y, b->self.o, gate, next, probe ? "b0.self_attn" : NULL);
}

/* p->h is norm3(x) already. The result goes where self-attention had its keys: all of it is added
 * up in the working type before it is rounded. */
static void cross_attention(struct pass *p, const struct dit_block *b, const struct tensor *x,
                            const struct norm_op *next, int index, bool seen)
{
    const struct dit_prompt *prompt = p->in->prompt;
    const struct probe *probe = seen ? p->in->probe : NULL;
    probe_see(probe, p->dev, "b0.norm3", &p->h);
    dit_linear(p->dev, &p->q, &p->h, b->cross.q, ACT_NONE);
    dit_rms(p->dev, &p->q, &b->cross.norm_q);
    attend(p, &prompt->k[index], &prompt->v[index], &p->k,
           (struct attention_op){.repeats = prompt->repeats});
    if (prompt->k_img[index].data) /* a softmax of its own, then added */
        attend(p, &prompt->k_img[index], &prompt->v_img[index], &p->k,
               (struct attention_op){.add = true});
    join(p, x, &p->k, b->cross.o, NULL, next, probe ? "b0.cross_attn" : NULL);
}

/* Block `index` (VACE blocks behind the main ones) on the stream x. */
static void run_block(struct pass *p, const struct dit_block *b, const struct tensor *x, int index)
{
    bool seen = index == 0 && p->in->probe;
    const struct probe *probe = seen ? p->in->probe : NULL;
    struct tensor m[6];
    device_add(p->dev, &p->mod, &p->e0, &b->modulation);
    for (int i = 0; i < 6; i++)
        m[i] = tensor_part(&p->mod, i, 1);
    struct norm_op norm1 = modulated(x, &p->h, &m[0], &m[1]);
    struct norm_op norm2 = modulated(x, &p->h, &m[3], &m[4]);
    struct norm_op norm3 = {.kind = NORM_LAYER,
                            .x = x,
                            .y = &p->h,
                            .weight = &b->norm3,
                            .bias = &b->norm3b,
                            .eps = EPS};
    device_norm(p->dev, &norm1);
    probe_see(probe, p->dev, "b0.norm1_mod", &p->h);
    self_attention(p, b, x, &m[2], &norm3, index, seen);
    cross_attention(p, b, x, &norm2, index, seen);
    probe_see(probe, p->dev, "b0.norm2_mod", &p->h);
    dit_linear(p->dev, &p->hidden, &p->h, b->up, ACT_GELU_TANH);
    join(p, x, &p->hidden, b->down, &m[5], NULL, probe ? "b0.ffn" : NULL);
}

/* VACE (spec 14): a second stream c through blocks of its own, whose projections are hints. */
static enum err vace_block(struct pass *p, int j, struct fault *f)
{
    int index = p->d->c.layers + j;
    const struct dit_block *b = dit_block_take(p->d, index, f);
    if (!b)
        return f->code;
    if (j == 0) { /* c ← before(c) + x, x still the embedded latents */
        dit_linear(p->dev, &p->q, &p->c, b->before, ACT_NONE);
        device_add(p->dev, &p->c, &p->q, &p->x);
    }
    run_block(p, b, &p->c, index);
    return ERR_OK;
}

static void vace_hint(struct pass *p, int j)
{
    const struct dit_block *b = &p->d->blocks[p->d->c.layers + j];
    dit_linear(p->dev, &p->q, &p->c, b->after, ACT_NONE);
    device_blend(p->dev, &p->x, 1, &p->q, p->in->vace_scale);
}

/* Which block's weights are worked with after those of main block i, when j of VACE's are done: in
 * the next pass, behind the last. */
static int block_after(const struct pass *p, int i, int j)
{
    const struct dit_config *c = &p->d->c;
    int next = (i + 1) % c->layers, vace = next ? j : 0;
    return p->c.data && vace < c->vace && c->vace_at[vace] == next ? c->layers + vace : next;
}

static enum err run_blocks(struct pass *p, struct fault *f)
{
    struct dit *d = p->d;
    int j = 0;
    for (int i = 0; i < d->c.layers; i++) {
        char name[32];
        bool hint = p->c.data && j < d->c.vace && d->c.vace_at[j] == i;
        if (!p->whole)
            device_pace(p->dev);
        if (!p->whole && p->in->stop && p->in->stop(p->in->stop_user))
            return fault_set(f, ERR_CANCELLED, "cancelled in layer %d", i);
        if (hint)
            shelf_turn(d->shelf, d->c.layers + j, i);
        if (hint && vace_block(p, j, f))
            return f->code;
        const struct dit_block *b = dit_block_take(d, i, f);
        if (!b)
            return f->code;
        shelf_turn(d->shelf, i, block_after(p, i, j + hint));
        run_block(p, b, &p->x, i);
        dit_block_drop(d, i);
        if (hint) {
            vace_hint(p, j);
            dit_block_drop(d, d->c.layers + j++);
        }
        if (p->in->probe) {
            snprintf(name, sizeof name, "block%d", i);
            probe_see(p->in->probe, p->dev, name, &p->x);
        }
        if (device_failed(p->dev))
            break;
    }
    return ERR_OK;
}

/* The blocks, or what they added in an earlier step when TeaCache finds that near enough. */
static enum err run_or_reuse(struct pass *p, struct fault *f)
{
    struct teacache *tea = p->in->tea;
    if (!tea)
        return run_blocks(p, f);
    const struct tensor *signal = tea->projected ? &p->e0 : &p->e;
    int64_t n = tensor_count(signal);
    float *values = malloc((size_t)n * sizeof *values);
    if (!values)
        return fault_set(f, ERR_NOMEM, "out of memory");
    device_read(p->dev, values, signal, n);
    bool skip = teacache_skips(tea, values, n);
    free(values);
    if (skip) {
        device_add(p->dev, &p->x, &p->x, &tea->residual);
        return ERR_OK;
    }
    teacache_enter(tea, p->dev, &p->x);
    enum err e = run_blocks(p, f);
    if (!e)
        teacache_leave(tea, p->dev, &p->x);
    else
        tensor_free(&tea->residual); /* half a step is nothing to reuse */
    return e;
}

/* To p->feed->v. */
static void head(struct pass *p)
{
    const struct dit *d = p->d;
    int64_t before = p->tokens / token_frames(p->in) * (p->in->ref != NULL);
    struct tensor e = tensor_as2(&p->e, 1, d->c.dim);
    struct tensor sc = tensor_new2(p->dev, 2, d->c.dim);
    struct tensor v = tensor_new2(p->dev, p->tokens, d->c.out * 4);
    struct tensor base = tensor_as2(&d->head_modulation, 2, d->c.dim);
    struct tensor shift = tensor_part(&sc, 0, 1), scale = tensor_part(&sc, 1, 1);
    struct tensor shift0 = tensor_part(&base, 0, 1), scale0 = tensor_part(&base, 1, 1);
    device_add(p->dev, &shift, &shift0, &e);
    device_add(p->dev, &scale, &scale0, &e);
    /* in f32 to the end (spec 4.6) */
    struct tensor h = p->h.type == DTYPE_F32 ? p->h : tensor_new2(p->dev, p->tokens, d->c.dim);
    struct norm_op norm = modulated(&p->x, &h, &shift, &scale);
    device_norm(p->dev, &norm);
    dit_linear(p->dev, &v, &h, d->head, ACT_NONE);
    if (h.data != p->h.data)
        tensor_free(&h);
    probe_see(p->in->probe, p->dev, "head", &v);
    struct tensor own = tensor_part(&v, before, p->tokens - before);
    struct tensor *latent = &p->feed->v;
    if (!latent->data)
        *latent = tensor_new4(p->dev, d->c.out, p->in->frames, p->in->height, p->in->width);
    device_unpatchify(p->dev, latent, &own);
    tensor_free(&sc);
    tensor_free(&v);
}

static enum err check(const struct dit *d, const struct dit_input *in, struct fault *f)
{
    int64_t tokens = (int64_t)in->frames * (in->height / 2) * (in->width / 2);
    if (in->frames < 1 || in->height < 2 || in->width < 2 || in->height % 2 || in->width % 2 ||
        in->height > 4096 || in->width > 4096 || in->frames > 4096)
        return fault_set(f, ERR_INVAL, "a latent of %d x %d x %d is not possible", in->frames,
                         in->height, in->width);
    if (!in->prompt || in->prompt->dit != d)
        return fault_set(f, ERR_INVAL, "the prompt was made for another model");
    if ((d->c.in > 16) != (in->y != NULL))
        return fault_set(f, ERR_INVAL,
                         in->y ? "this model takes no image" : "this model needs an image");
    if (in->vace && !d->c.vace)
        return fault_set(f, ERR_INVAL, "this model has no VACE blocks");
    if (in->ref && (!d->c.ref || in->vace || in->cache))
        return fault_set(f, ERR_INVAL, "this model takes no reference picture");
    if (in->cache && (in->cache->layers != d->c.layers || d->c.vace || in->cache_frame < 0 ||
                      (in->cache_frame + in->frames) * (tokens / in->frames) > in->cache->tokens))
        return fault_set(f, ERR_INVAL, "the cache has no room for frames %d to %d", in->cache_frame,
                         in->cache_frame + in->frames - 1);
    return ERR_OK;
}

/* From what was fed to what comes of it, on the device alone. */
static enum err run(struct pass *p, struct fault *f)
{
    struct dit *d = p->d;
    const struct dit_input *in = p->in;
    enum err e = ERR_OK;
    p->x = tokens_of(p, NULL, in->y, 16, d->c.in - 16, d->patch_embedding);
    if (!in->cache)
        tensor_free(&p->feed->x);
    if (in->vace)
        p->c = tokens_of(p, in->vace, NULL, d->c.vace_in, 0, d->vace_embedding);
    probe_see(in->probe, d->dev, "patch_embed", &p->x);
    time_embedding(p);
    p->mod = tensor_new2(p->dev, 6, d->c.dim);
    p->hidden = tensor_work2(p->dev, p->tokens, d->c.ffn);
    p->h = tensor_low2(p->dev, p->tokens, d->c.dim);
    p->y = tensor_low2(p->dev, p->tokens, d->c.dim);
    p->qkv =
        tensor_of(p->dev, device_caps(p->dev)->work, 3, (const int64_t[]){3, p->tokens, d->c.dim});
    thirds(p);
    if (!device_failed(p->dev))
        e = run_or_reuse(p, f);
    if (!e)
        head(p);
    struct tensor *all[] = {&p->x, &p->h,  &p->qkv, &p->y, &p->hidden,
                            &p->e, &p->e0, &p->mod, &p->c};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        tensor_free(all[i]);
    return e;
}

enum err dit_forward(struct dit *d, const struct dit_input *in, float *out, struct fault *f)
{
    struct fault why;
    f = f ? f : &why;
    enum err e = check(d, in, f), late;
    if (e)
        return e;
    struct dit_feed own = {0};
    struct pass p = {.d = d, .dev = d->dev, .in = in, .feed = in->cache ? &in->cache->feed : &own};
    p.tokens = (int64_t)token_frames(in) * (in->height / 2) * (in->width / 2);
    if (in->cache)
        dit_cache_enter(in->cache, in);
    struct track *track = dit_cache_track(d, in, p.tokens);
    p.whole = track && !in->shared;
    if (p.whole && in->stop && in->stop(in->stop_user))
        return fault_set(f, ERR_CANCELLED, "cancelled before a pass");
    if (!rope_table(&p))
        return fault_set(f, ERR_NOMEM, "no memory for the angles of %lld tokens",
                         (long long)p.tokens);
    fill_feed(&p);
    if (!track_play(track, in->shared))
        do
            e = run(&p, f);
        while (!e && track_again(track));
    if (!e)
        device_read(p.dev, out, &p.feed->v, tensor_count(&p.feed->v));
    dit_feed_free(&own);
    late = device_settle(d->dev, e ? NULL : f);
    e = e ? e : late;
    if (e && track) /* what was begun is of no use */
        dit_cache_forget(in->cache);
    return e;
}
