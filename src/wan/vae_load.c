#include "wan/manifest.h"
#include "wan/vae_inside.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static int64_t dim(const struct loader *l, int axis, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static int64_t dim(const struct loader *l, int axis, const char *format, ...)
{
    char name[256];
    va_list ap;
    va_start(ap, format);
    vsnprintf(name, sizeof name, format, ap);
    va_end(ap);
    return load_dim(l->weights, name, axis);
}

static struct causal causal(struct loader *l, struct vae_half_net *net, int64_t out, int64_t in,
                            int kt, int k, const char *name)
{
    struct causal c = {load_conv(l, out, in, kt, k, k, "%s", name), net->slots};
    if (net->slots < VAE_SLOTS - 1)
        net->slots++;
    return c;
}

static struct vae_layer *new_layer(struct vae_half_net *net, enum vae_kind kind, int64_t in,
                                   int64_t out, const char *seen)
{
    struct vae_layer *x = &net->layers[net->layers_n++];
    *x = (struct vae_layer){.kind = kind, .in = in, .out = out};
    snprintf(x->seen, sizeof x->seen, "%s", seen);
    return x;
}

static void load_res(struct loader *l, struct vae_half_net *net, const char *at, const char *seen)
{
    char name[300];
    if (load_stopped(l))
        return;
    int64_t in = dim(l, 1, "%s.residual.2.weight", at);
    int64_t out = dim(l, 0, "%s.residual.2.weight", at);
    struct vae_layer *x = new_layer(net, VAE_RES, in, out, seen);
    x->norm1 = load_vector(l, in, "%s.residual.0.gamma", at);
    snprintf(name, sizeof name, "%s.residual.2", at);
    x->conv1 = causal(l, net, out, in, 3, 3, name);
    x->norm2 = load_vector(l, out, "%s.residual.3.gamma", at);
    snprintf(name, sizeof name, "%s.residual.6", at);
    x->conv2 = causal(l, net, out, out, 3, 3, name);
    if (in != out)
        x->shortcut = load_linear(l, out, in, true, "%s.shortcut", at);
}

static void load_middle(struct loader *l, struct vae_half_net *net, const char *half)
{
    char at[64];
    snprintf(at, sizeof at, "%s.middle.0", half);
    load_res(l, net, at, "middle0");
    if (load_stopped(l))
        return;
    snprintf(at, sizeof at, "%s.middle.1", half);
    int64_t c = dim(l, 1, "%s.to_qkv.weight", at);
    struct vae_layer *x = new_layer(net, VAE_ATTENTION, c, c, "middle1");
    x->norm1 = load_vector(l, c, "%s.norm.gamma", at);
    x->q = load_part(l, 0, c, 3 * c, c, "%s.to_qkv", at);
    x->k = load_part(l, c, c, 3 * c, c, "%s.to_qkv", at);
    x->v = load_part(l, 2 * c, c, 3 * c, c, "%s.to_qkv", at);
    x->proj = load_linear(l, c, c, true, "%s.proj", at);
    snprintf(at, sizeof at, "%s.middle.2", half);
    load_res(l, net, at, "middle2");
}

static void load_sampler(struct loader *l, struct vae_half_net *net, const char *at,
                         const char *seen, bool up)
{
    char name[300];
    if (load_stopped(l))
        return;
    int64_t in = dim(l, 1, "%s.resample.1.weight", at);
    int64_t out = dim(l, 0, "%s.resample.1.weight", at);
    struct vae_layer *x = new_layer(net, up ? VAE_UP : VAE_DOWN, in, out, seen);
    x->space = load_conv(l, out, in, 1, 3, 3, "%s.resample.1", at);
    snprintf(name, sizeof name, "%s.time_conv", at);
    if (load_has(l, "%s.weight", name))
        x->time =
            up ? causal(l, net, 2 * in, in, 3, 1, name) : causal(l, net, out, out, 3, 1, name);
}

/* The stages of one half: numbered modules, each a residual block or a sampler. */
static void load_stages(struct loader *l, struct vae_half_net *net, const char *list, bool up)
{
    for (int i = 0; net->layers_n < VAE_LAYERS - 3; i++) {
        char at[96], seen[16];
        snprintf(at, sizeof at, "%s.%d", list, i);
        snprintf(seen, sizeof seen, "%s%d", up ? "up" : "down", i);
        if (load_has(l, "%s.residual.2.weight", at))
            load_res(l, net, at, seen);
        else if (load_has(l, "%s.resample.1.weight", at))
            load_sampler(l, net, at, seen, up);
        else
            break;
    }
}

static void load_decoder(struct loader *l, struct vae_half_net *net)
{
    int64_t wide = dim(l, 0, "decoder.conv1.weight"), last = dim(l, 1, "decoder.head.2.weight");
    net->loaded = true;
    net->project = load_linear(l, VAE_Z, VAE_Z, true, "conv2");
    net->conv1 = causal(l, net, wide, VAE_Z, 3, 3, "decoder.conv1");
    load_middle(l, net, "decoder");
    load_stages(l, net, "decoder.upsamples", true);
    net->norm = load_vector(l, last, "decoder.head.0.gamma");
    net->last = causal(l, net, 3, last, 3, 3, "decoder.head.2");
}

static void load_encoder(struct loader *l, struct vae_half_net *net)
{
    int64_t wide = dim(l, 0, "encoder.conv1.weight"), last = dim(l, 1, "encoder.head.2.weight");
    net->loaded = true;
    net->conv1 = causal(l, net, wide, 3, 3, 3, "encoder.conv1");
    load_stages(l, net, "encoder.downsamples", false);
    load_middle(l, net, "encoder");
    net->norm = load_vector(l, last, "encoder.head.0.gamma");
    net->last = causal(l, net, 2 * VAE_Z, last, 3, 3, "encoder.head.2");
    /* the mean only: the log-variance is of no use here */
    net->project = load_part(l, 0, VAE_Z, 2 * VAE_Z, 2 * VAE_Z, "conv1");
}

enum err vae_open(struct device *dev, const struct weights *w, unsigned halves,
                  const struct stopper *stop, struct vae **out, struct fault *f)
{
    enum err e = manifest_vae(w, halves, f);
    if (e)
        return e;
    struct vae *v = calloc(1, sizeof *v);
    if (!v)
        return fault_set(f, ERR_NOMEM, "out of memory");
    v->dev = dev;
    struct loader l = LOADER_INIT(dev, w);
    l.stop = stop;
    if (halves & VAE_DECODER)
        load_decoder(&l, &v->decoder);
    if (halves & VAE_ENCODER)
        load_encoder(&l, &v->encoder);
    e = load_done(&l, f);
    if (e)
        vae_free(v);
    else
        *out = v;
    return e;
}

static void free_layer(struct vae_layer *x)
{
    struct weight *w[] = {x->conv1.w, x->conv2.w, x->shortcut, x->q,     x->k,
                          x->v,       x->proj,    x->space,    x->time.w};
    for (size_t i = 0; i < sizeof w / sizeof *w; i++)
        weight_free(w[i]);
    tensor_free(&x->norm1);
    tensor_free(&x->norm2);
}

static void free_half(struct vae_half_net *net)
{
    for (int i = 0; i < net->layers_n; i++)
        free_layer(&net->layers[i]);
    weight_free(net->conv1.w);
    weight_free(net->last.w);
    weight_free(net->project);
    tensor_free(&net->norm);
}

void vae_free(struct vae *v)
{
    if (!v)
        return;
    free_half(&v->decoder);
    free_half(&v->encoder);
    device_trim(v->dev);
    free(v);
}
