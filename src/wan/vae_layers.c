/* The layers of the VAE on channels-last frames [t, h, w, c] (spec 6.1, 6.4).
 *
 * A causal convolution over time is a plain one over [history, frames]: the norm before it writes
 * its result straight behind the history, and afterwards the last frames become the next history.
 * At the start of a clip the history is zeros, which is the zero padding of the formulas. */
#include "wan/vae_inside.h"

#include <math.h>

struct tensor vae_causal_input(struct vae_stream *s, const struct causal *c, int64_t history,
                               int64_t t, int64_t h, int64_t w, int64_t channels)
{
    struct device *dev = s->vae->dev;
    struct tensor *past = &s->history[c->slot];
    struct tensor in = tensor_work4(dev, history + t, h, w, channels);
    struct tensor head = tensor_part(&in, 0, history);
    if (past->data)
        device_copy(dev, &head, past);
    else
        device_zero(dev, &head);
    return in;
}

static void remember(struct vae_stream *s, const struct causal *c, const struct tensor *frames,
                     int64_t history)
{
    struct tensor *past = &s->history[c->slot];
    struct tensor tail = tensor_part(frames, frames->dim[0] - history, history);
    if (!past->data)
        *past = tensor_work4(s->vae->dev, history, frames->dim[1], frames->dim[2], frames->dim[3]);
    device_copy(s->vae->dev, past, &tail);
}

/* The result, of `type`, or *add with the result added. Frees the input. */
struct tensor vae_causal_run(struct vae_stream *s, const struct causal *c, struct tensor *in,
                             int64_t history, const struct tensor *add, enum dtype type)
{
    struct device *dev = s->vae->dev;
    struct tensor out = {0};
    if (!device_failed(dev) && c->w) {
        const int64_t shape[] = {in->dim[0] - history, in->dim[1], in->dim[2], weight_out(c->w)};
        out = add ? *add : tensor_of(dev, type, 4, shape);
        device_conv(dev, &(struct conv_op){.x = in,
                                           .w = c->w,
                                           .y = &out,
                                           .top = 1,
                                           .bottom = 1,
                                           .left = 1,
                                           .right = 1,
                                           .add = add != NULL});
        remember(s, c, in, history);
    }
    tensor_free(in);
    return out;
}

static void norm(struct device *dev, const struct tensor *y, const struct tensor *x,
                 const struct tensor *gamma, enum act act)
{
    device_norm(dev,
                &(struct norm_op){
                    .kind = NORM_L2, .x = x, .y = y, .weight = gamma, .eps = 1e-12f, .act = act});
}

static struct tensor norm_conv(struct vae_stream *s, const struct causal *c,
                               const struct tensor *gamma, const struct tensor *x,
                               const struct tensor *add)
{
    struct tensor in = vae_causal_input(s, c, 2, x->dim[0], x->dim[1], x->dim[2], x->dim[3]);
    struct tensor frames = tensor_part(&in, 2, x->dim[0]);
    norm(s->vae->dev, &frames, x, gamma, ACT_SILU);
    return vae_causal_run(s, c, &in, 2, add, in.type);
}

static struct tensor residual(struct vae_stream *s, const struct vae_layer *l, struct tensor x)
{
    struct device *dev = s->vae->dev;
    struct tensor h = norm_conv(s, &l->conv1, &l->norm1, &x, NULL), y = x;
    if (l->shortcut) {
        y = tensor_work4(dev, x.dim[0], x.dim[1], x.dim[2], l->out);
        device_linear(dev, &(struct linear_op){.x = &x, .w = l->shortcut, .y = &y});
        tensor_free(&x);
    }
    norm_conv(s, &l->conv2, &l->norm2, &h, &y);
    tensor_free(&h);
    return y;
}

/* One head over all places of a frame; frames do not see each other. */
static struct tensor attention(struct vae_stream *s, const struct vae_layer *l, struct tensor x)
{
    struct device *dev = s->vae->dev;
    int64_t places = x.dim[1] * x.dim[2];
    struct tensor h = tensor_work2(dev, places, l->in), q = tensor_work2(dev, places, l->in);
    struct tensor k = tensor_work2(dev, places, l->in), v = tensor_work2(dev, places, l->in);
    for (int64_t i = 0; i < x.dim[0] && !device_failed(dev); i++) {
        struct tensor frame = tensor_part(&x, i, 1);
        frame = tensor_as2(&frame, places, l->in);
        norm(dev, &h, &frame, &l->norm1, ACT_NONE);
        device_linear(dev, &(struct linear_op){.x = &h, .w = l->q, .y = &q});
        device_linear(dev, &(struct linear_op){.x = &h, .w = l->k, .y = &k});
        device_linear(dev, &(struct linear_op){.x = &h, .w = l->v, .y = &v});
        device_attention(dev, &(struct attention_op){.q = &q,
                                                     .k = &k,
                                                     .v = &v,
                                                     .out = &h,
                                                     .heads = 1,
                                                     .scale = 1.0f / sqrtf((float)l->in)});
        device_linear(dev, &(struct linear_op){.x = &h, .w = l->proj, .y = &frame, .add = true});
    }
    tensor_free(&h);
    tensor_free(&q);
    tensor_free(&k);
    tensor_free(&v);
    return x;
}

/* time_conv is 3x1x1: no border in space. */
static struct tensor time_conv(struct vae_stream *s, const struct causal *c, struct tensor x,
                               int64_t history, int stride)
{
    struct device *dev = s->vae->dev;
    struct tensor in = vae_causal_input(s, c, history, x.dim[0], x.dim[1], x.dim[2], x.dim[3]);
    struct tensor frames = tensor_part(&in, history, x.dim[0]);
    device_copy(dev, &frames, &x);
    int64_t t = (history + x.dim[0] - 3) / stride + 1;
    struct tensor out =
        tensor_work4(dev, t, x.dim[1], x.dim[2], device_failed(dev) ? 1 : weight_out(c->w));
    device_conv(dev, &(struct conv_op){.x = &in, .w = c->w, .y = &out, .stride_t = stride});
    remember(s, c, &in, history);
    tensor_free(&in);
    tensor_free(&x);
    return out;
}

/* The first latent frame makes one picture: it neither doubles nor enters the history (6.4). */
static struct tensor up(struct vae_stream *s, const struct vae_layer *l, struct tensor x)
{
    struct device *dev = s->vae->dev;
    if (l->time.w && s->begun) {
        struct tensor two = time_conv(s, &l->time, x, 2, 1);
        x = tensor_work4(dev, 2 * two.dim[0], two.dim[1], two.dim[2], l->in);
        device_unfold_time(dev, &x, &two);
        tensor_free(&two);
    }
    struct tensor big = tensor_work4(dev, x.dim[0], 2 * x.dim[1], 2 * x.dim[2], l->in);
    device_upsample(dev, &big, &x);
    tensor_free(&x);
    struct tensor y = tensor_work4(dev, big.dim[0], big.dim[1], big.dim[2], l->out);
    device_conv(
        dev, &(struct conv_op){
                 .x = &big, .w = l->space, .y = &y, .top = 1, .bottom = 1, .left = 1, .right = 1});
    tensor_free(&big);
    return y;
}

/* Zeros on the right and below only; then time by pairs, the first frame passing through. */
static struct tensor down(struct vae_stream *s, const struct vae_layer *l, struct tensor x)
{
    struct device *dev = s->vae->dev;
    struct tensor y = tensor_work4(dev, x.dim[0], x.dim[1] / 2, x.dim[2] / 2, l->out);
    device_conv(dev, &(struct conv_op){
                         .x = &x, .w = l->space, .y = &y, .stride = 2, .bottom = 1, .right = 1});
    tensor_free(&x);
    if (!l->time.w)
        return y;
    if (!s->begun) {
        remember(s, &l->time, &y, 1);
        return y;
    }
    return time_conv(s, &l->time, y, 1, 2);
}

struct tensor vae_layer_run(struct vae_stream *s, const struct vae_layer *l, struct tensor x)
{
    struct tensor y = {0};
    if (device_failed(s->vae->dev)) {
        tensor_free(&x);
        return y;
    }
    switch (l->kind) {
    case VAE_RES:
        y = residual(s, l, x);
        break;
    case VAE_ATTENTION:
        y = attention(s, l, x);
        break;
    case VAE_UP:
        y = up(s, l, x);
        break;
    case VAE_DOWN:
        y = down(s, l, x);
        break;
    }
    probe_see(s->probe, s->vae->dev, l->seen, &y);
    return y;
}
