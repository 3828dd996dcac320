/* What an image or VACE model sees beside the noise (spec 5, 14). */
#include "wan/clip.h"
#include "wan/vace.h"
#include "wan/wan_inside.h"

#include <stdlib.h>
#include <string.h>

/* 8-bit picture → −1…1; the caller frees it. */
static float *widen(const struct wan_picture *p, struct fault *f)
{
    size_t n = (size_t)p->width * (size_t)p->height * 3;
    float *out = malloc(n * sizeof *out);
    for (size_t i = 0; out && i < n; i++)
        out[i] = (float)p->rgb[i] / 127.5f - 1;
    if (!out)
        fault_set(f, ERR_NOMEM, "no memory for a picture of %d x %d", p->width, p->height);
    return out;
}

static enum err see(struct run *r, const struct image *pictures, int count)
{
    const struct weights *w = r->w->files.weights[FILES_CLIP];
    struct clip_vision clip;
    if (!w)
        return fault_set(r->f, ERR_NOTFOUND, "%s holds no CLIP vision model, which %s needs",
                         r->w->files.folder, r->w->info.variant);
    enum err e = clip_vision_open(r->w->dev, w, &clip, r->f);
    if (e)
        return e;
    if (clip.dim != r->w->config.image_dim)
        return fault_set(r->f, ERR_INVAL, "the CLIP model is %lld wide, %s wants %lld",
                         (long long)clip.dim, r->w->info.variant,
                         (long long)r->w->config.image_dim);
    const struct stopper stop = {pipeline_asks, r};
    clip.stop = &stop;
    size_t input = (size_t)clip.size * (size_t)clip.size * 3;
    float *in = malloc(input * sizeof *in);
    r->clip_n = clip.tokens * count;
    r->clip = malloc((size_t)(r->clip_n * clip.dim) * sizeof *r->clip);
    if (!in || !r->clip)
        e = fault_set(r->f, ERR_NOMEM, "no memory for the picture's tokens");
    for (int i = 0; i < count && !e; i++) {
        e = image_clip_input(&pictures[i], clip.size, in, r->f);
        if (!e)
            e = clip_vision_encode(&clip, in, r->clip + i * clip.tokens * clip.dim, r->f);
    }
    free(in);
    return e;
}

static enum err from_pictures(struct run *r)
{
    struct image pictures[2] = {{0}};
    const struct wan_picture *given[2] = {r->job.image, r->job.last};
    int count = r->job.last ? 2 : 1;
    float *pixels[2] = {NULL, NULL};
    struct vae *encoder = NULL;
    const struct stopper stop = {pipeline_asks, r};
    enum err e = ERR_OK;
    for (int i = 0; i < count && !e; i++) {
        pixels[i] = widen(given[i], r->f);
        pictures[i] = (struct image){pixels[i], given[i]->height, given[i]->width};
        e = pixels[i] ? ERR_OK : ERR_NOMEM;
        if (i && !e) /* the last picture takes the shape of the first (spec 5) */
            image_crop(pixels[i], &pictures[i].height, &pictures[i].width, &pictures[0]);
    }
    if (!e)
        e = see(r, pictures, count);
    r->y = malloc(IMAGE_Y * (size_t)(r->n / VAE_Z) * sizeof *r->y);
    if (!e && !r->y)
        e = fault_set(r->f, ERR_NOMEM, "no memory for the picture's latents");
    if (!e)
        e = vae_open(r->w->dev, r->w->files.weights[FILES_VAE], VAE_ENCODER, &stop, &encoder, r->f);
    if (!e)
        e = image_condition(encoder, &pictures[0], count > 1 ? &pictures[1] : NULL, r->frames,
                            r->height, r->width, &stop, r->y, r->f);
    vae_free(encoder);
    free(pixels[0]);
    free(pixels[1]);
    return e;
}

/* One picture as latents [16, 1, height, width] in the clip's size. */
static enum err still(struct run *r, struct vae *encoder, const struct wan_picture *p, float *out)
{
    float *wide = widen(p, r->f);
    if (!wide)
        return ERR_NOMEM;
    int height = r->height * VAE_SPACE, width = r->width * VAE_SPACE;
    const struct image from = {wide, p->height, p->width};
    float *fit = malloc((size_t)height * (size_t)width * 3 * sizeof *fit);
    enum err e = fit ? image_resize(&from, height, width, fit, r->f)
                     : fault_set(r->f, ERR_NOMEM, "no memory for a picture");
    if (!e)
        e = pipeline_stopped(r);
    if (!e)
        e = vae_encode_all(encoder, fit, 1, r->height, r->width, 0, false, out, r->f);
    free(wide);
    free(fit);
    return e;
}

/* As many latent frames of the control video as are whole, into the first channels of y. */
static enum err encode_control(struct run *r, struct vae *encoder)
{
    const struct wan_video *v = r->job.control;
    size_t n = (size_t)v->width * (size_t)v->height * 3;
    float *four = malloc(VAE_TIME * n * sizeof *four);
    struct vae_stream *s = NULL;
    enum err e = four ? vae_encode_start(encoder, r->height, r->width, &s, r->f)
                      : fault_set(r->f, ERR_NOMEM, "no memory for the control video");
    for (int t = 0, at = 0; !e && at + (t ? VAE_TIME : 1) <= v->frames; t++) {
        int count = t ? VAE_TIME : 1;
        const uint8_t *from = v->rgb + (size_t)at * n;
        for (size_t i = 0; i < (size_t)count * n; i++)
            four[i] = (float)from[i] / 127.5f - 1;
        e = pipeline_stopped(r);
        if (!e)
            e = vae_encode(s, four, count, r->y, r->frames, t, false, r->f);
        at += count;
    }
    vae_stream_free(s);
    free(four);
    return e;
}

/* What CLIP sees is the reference, or else the first picture. Without either its tokens are zeros;
 * as they are all alike, one stands for any number of them. */
static enum err see_control(struct run *r)
{
    const struct wan_job *j = &r->job;
    const struct wan_picture *p = j->reference_n ? j->reference : j->image;
    if (!p) {
        r->clip_n = 1;
        r->clip = calloc((size_t)r->w->config.image_dim, sizeof *r->clip);
        return r->clip ? ERR_OK : fault_set(r->f, ERR_NOMEM, "out of memory");
    }
    float *wide = widen(p, r->f);
    const struct image picture = {wide, p->height, p->width};
    enum err e = wide ? see(r, &picture, 1) : ERR_NOMEM;
    free(wide);
    return e;
}

/* y [32, frames, height, width]: the control video, then the first picture, in latents; 0 where
 * there is none. */
static enum err for_control(struct run *r)
{
    const struct wan_job *j = &r->job;
    int64_t plane = (int64_t)r->height * r->width;
    const struct stopper stop = {r->calls->stop, r->calls->user};
    struct vae *encoder = NULL;
    enum err e = see_control(r);
    float *one = malloc((size_t)(VAE_Z * plane) * sizeof *one);
    r->y = calloc((size_t)(2 * r->n), sizeof *r->y);
    r->ref = j->reference_n ? malloc((size_t)(VAE_Z * plane) * sizeof *r->ref) : NULL;
    if (!e && (!one || !r->y || (j->reference_n && !r->ref)))
        e = fault_set(r->f, ERR_NOMEM, "no memory for the control video's latents");
    if (!e)
        e = vae_open(r->w->dev, r->w->files.weights[FILES_VAE], VAE_ENCODER, &stop, &encoder, r->f);
    if (!e && j->control)
        e = encode_control(r, encoder);
    if (!e && j->reference_n)
        e = still(r, encoder, j->reference, r->ref);
    if (!e && j->image && r->frames > 1) { /* the only frame of a picture is not given */
        e = still(r, encoder, j->image, one);
        for (int c = 0; c < VAE_Z && !e; c++)
            memcpy(r->y + r->n + c * r->frames * plane, one + c * plane,
                   (size_t)plane * sizeof *one);
    }
    vae_free(encoder);
    free(one);
    return e;
}

static enum err for_vace(struct run *r)
{
    const struct wan_job *j = &r->job;
    struct image reference[WAN_REFERENCES_MAX] = {{0}};
    struct vace_source s = {.reference = reference,
                            .reference_n = r->extra,
                            .frames = r->frames - r->extra,
                            .height = r->height,
                            .width = r->width,
                            .stop = pipeline_asks,
                            .user = r};
    const struct stopper stop = {r->calls->stop, r->calls->user};
    struct vae *encoder = NULL;
    enum err e = ERR_OK;
    if (j->source) {
        s.video = j->source->rgb;
        s.video_n = j->source->frames;
    }
    if (j->mask) {
        s.mask = j->mask->white;
        s.mask_n = j->mask->frames;
    }
    if (r->w->config.vace_in != VACE_IN)
        return fault_set(r->f, ERR_UNSUPPORTED, "a VACE context of %d channels is not known here",
                         r->w->config.vace_in);
    for (int i = 0; i < s.reference_n && !e; i++) {
        const struct wan_picture *p = &j->reference[i];
        reference[i] = (struct image){widen(p, r->f), p->height, p->width};
        e = reference[i].pixels ? ERR_OK : ERR_NOMEM;
    }
    r->vace = malloc((size_t)(VACE_IN * (r->n / VAE_Z)) * sizeof *r->vace);
    if (!e && !r->vace)
        e = fault_set(r->f, ERR_NOMEM, "no memory for the VACE context");
    if (!e)
        e = vae_open(r->w->dev, r->w->files.weights[FILES_VAE], VAE_ENCODER, &stop, &encoder, r->f);
    if (!e)
        e = vace_context(encoder, &s, r->vace, r->f);
    vae_free(encoder);
    for (int i = 0; i < s.reference_n; i++)
        free((float *)(uintptr_t)reference[i].pixels); /* ours: an image only borrows */
    return e;
}

enum err condition_make(struct run *r)
{
    if (r->w->info.control)
        return for_control(r);
    if (r->w->info.image)
        return from_pictures(r);
    return r->w->info.vace ? for_vace(r) : ERR_OK;
}
