/* What depends on the prompt alone (spec 4.3, 4.4): the embedded text and image tokens, and of each
 * block the keys and values of its cross-attention. The model was trained on 512 text rows of which
 * the unused ones are zero, take part, and are all equal; so one of them is enough, counted
 * 512 − n times in the softmax. */
#include "wan/dit_inside.h"

#include <stdlib.h>
#include <string.h>

static struct tensor embed_text(struct dit *d, const struct dit_prompt_spec *s)
{
    int64_t dim = d->c.dim, rows = s->n < DIT_TEXT ? s->n + 1 : s->n;
    struct tensor ctx = tensor_new2(d->dev, rows, d->c.text_dim);
    struct tensor h = tensor_work2(d->dev, rows, dim), out = tensor_work2(d->dev, rows, dim);
    device_zero(d->dev, &ctx);
    device_write(d->dev, &ctx, s->context, s->n * d->c.text_dim);
    dit_linear(d->dev, &h, &ctx, d->text0, ACT_GELU_TANH);
    dit_linear(d->dev, &out, &h, d->text2, ACT_NONE);
    probe_see(s->probe, d->dev, "text_embed", &out);
    tensor_free(&ctx);
    tensor_free(&h);
    return out;
}

static void layer_norm(struct device *dev, const struct tensor *x, const struct tensor *w,
                       const struct tensor *b)
{
    device_norm(dev, &(struct norm_op){
                         .kind = NORM_LAYER, .x = x, .y = x, .weight = w, .bias = b, .eps = 1e-5f});
}

static struct tensor embed_image(struct dit *d, const struct dit_prompt_spec *s)
{
    struct device *dev = d->dev;
    const int64_t shape[] = {s->clip_n, d->c.image_dim};
    struct tensor x = tensor_from(dev, s->clip, 2, shape);
    struct tensor h = tensor_work2(dev, s->clip_n, d->c.image_dim);
    struct tensor out = tensor_new2(dev, s->clip_n, d->c.dim);
    if (d->c.image_tokens)
        device_add(dev, &x, &x, &d->img_pos);
    layer_norm(dev, &x, &d->img_norm0, &d->img_norm0b);
    dit_linear(dev, &h, &x, d->img1, ACT_GELU_ERF);
    dit_linear(dev, &out, &h, d->img3, ACT_NONE);
    layer_norm(dev, &out, &d->img_norm4, &d->img_norm4b);
    probe_see(s->probe, dev, "img_emb", &out);
    tensor_free(&x);
    tensor_free(&h);
    return out;
}

static void keys_and_values(struct dit *d, const struct tensor *ctx, const struct weight *wk,
                            const struct weight *wv, const struct tensor *norm, struct tensor *k,
                            struct tensor *v)
{
    *k = tensor_work2(d->dev, ctx->dim[0], d->c.dim);
    *v = tensor_work2(d->dev, ctx->dim[0], d->c.dim);
    dit_linear(d->dev, k, ctx, wk, ACT_NONE);
    dit_rms(d->dev, k, norm);
    dit_linear(d->dev, v, ctx, wv, ACT_NONE);
}

enum err dit_prompt_new(struct dit *d, const struct dit_prompt_spec *s, struct dit_prompt **out,
                        struct fault *f)
{
    struct fault why;
    f = f ? f : &why;
    if (s->n < 1 || s->n > 65536)
        return fault_set(f, ERR_INVAL, "a prompt of %lld text rows is not possible",
                         (long long)s->n);
    if (!d->c.image_dim != !s->clip || (s->clip && s->clip_n < 1) ||
        (d->c.image_tokens && s->clip_n != d->c.image_tokens))
        return fault_set(f, ERR_INVAL,
                         d->c.image_dim ? "this model needs an image (as CLIP tokens)"
                                        : "this model takes no image");
    struct dit_prompt *p = calloc(1, sizeof *p);
    if (!p)
        return fault_set(f, ERR_NOMEM, "out of memory");
    p->dit = d;
    p->number = ++d->prompts;
    p->repeats = s->n < DIT_TEXT ? (double)(DIT_TEXT - s->n) : 1;
    struct tensor text = embed_text(d, s), image = {0};
    if (s->clip)
        image = embed_image(d, s);
    enum err e = ERR_OK;
    int n = d->c.layers + d->c.vace;
    for (int i = 0; i < n && !e; i++) {
        if (stopper_says(s->stop)) {
            e = fault_set(f, ERR_CANCELLED, "the clip was cancelled");
            break;
        }
        const struct dit_block *b = dit_block_take(d, i, f);
        if (!b) {
            e = f->code;
            break;
        }
        shelf_turn(d->shelf, n + i, i + 1 < n ? n + i + 1 : -1);
        keys_and_values(d, &text, b->cross.k, b->cross.v, &b->cross.norm_k, &p->k[i], &p->v[i]);
        if (s->clip)
            keys_and_values(d, &image, b->k_img, b->v_img, &b->norm_k_img, &p->k_img[i],
                            &p->v_img[i]);
        dit_block_drop(d, i);
    }
    tensor_free(&text);
    tensor_free(&image);
    if (!e)
        e = device_settle(d->dev, f);
    if (e)
        dit_prompt_free(p);
    else
        *out = p;
    return e;
}

void dit_prompt_free(struct dit_prompt *p)
{
    if (!p)
        return;
    for (int i = 0; i < 2 * DIT_LAYERS_MAX; i++) {
        tensor_free(&p->k[i]);
        tensor_free(&p->v[i]);
        tensor_free(&p->k_img[i]);
        tensor_free(&p->v_img[i]);
    }
    free(p);
}

enum err dit_cache_new(struct dit *d, int64_t tokens, struct dit_cache **out, struct fault *f)
{
    struct dit_cache *c = calloc(1, sizeof *c);
    if (!c)
        return fault_set(f, ERR_NOMEM, "out of memory");
    c->layers = d->c.layers;
    c->tokens = tokens;
    for (int i = 0; i < c->layers; i++) {
        c->k[i] = tensor_work2(d->dev, tokens, d->c.dim);
        c->v[i] = tensor_work2(d->dev, tokens, d->c.dim);
        if (!device_caps(d->dev)->host_memory) { /* it may multiply by 0 what nobody wrote yet */
            device_zero(d->dev, &c->k[i]);
            device_zero(d->dev, &c->v[i]);
        }
    }
    enum err e = device_settle(d->dev, f);
    if (e)
        dit_cache_free(c);
    else
        *out = c;
    return e;
}

void dit_cache_free(struct dit_cache *c)
{
    if (!c)
        return;
    dit_cache_forget(c);
    dit_feed_free(&c->feed);
    tensor_free(&c->rope.table);
    for (int i = 0; i < DIT_LAYERS_MAX; i++) {
        tensor_free(&c->k[i]);
        tensor_free(&c->v[i]);
    }
    free(c);
}

const struct tensor *dit_cache_see(const struct dit_cache *c, int layer, int which)
{
    return which ? &c->v[layer] : &c->k[layer];
}

enum err dit_cache_drop(struct dit *d, struct dit_cache *c, int64_t from, int64_t n, int64_t filled,
                        struct fault *f)
{
    int64_t rest = filled - from - n;
    if (from < 0 || n < 0 || rest < 0 || filled > c->tokens)
        return fault_set(f, ERR_INVAL, "the cache does not hold tokens %lld to %lld",
                         (long long)from, (long long)(from + n));
    for (int i = 0; i < c->layers && rest && n; i++) {
        struct tensor *both[] = {&c->k[i], &c->v[i]};
        for (int j = 0; j < 2; j++) {
            struct tensor to = tensor_part(both[j], from, rest),
                          at = tensor_part(both[j], from + n, rest);
            device_copy(d->dev, &to, &at);
        }
    }
    return device_settle(d->dev, f);
}
