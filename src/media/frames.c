#include "media/frames.h"

#include "media/clip.h"

#include <libswscale/swscale.h>
#include <stdlib.h>
#include <string.h>

#define SCALED_MAX 16384 /* pixels of a side, before what is too much is cut off */

struct scaler {
    struct SwsContext *sws;
    uint8_t *whole; /* the frame as it was scaled, [h][w][3] */
    int w, h;
};

static void scaler_free(struct scaler *s)
{
    sws_freeContext(s->sws);
    free(s->whole);
}

/* `v` in w x h pixels into s->whole. */
static enum err scale(struct scaler *s, const AVFrame *v, int w, int h, const char *name,
                      struct fault *f)
{
    if (w != s->w || h != s->h) {
        free(s->whole);
        s->w = w;
        s->h = h;
        s->whole = malloc((size_t)w * (size_t)h * 3 + 64); /* swscale writes whole vectors */
    }
    s->sws = sws_getCachedContext(
        s->sws, v->width, v->height, v->format, w, h, AV_PIX_FMT_RGB24,
        SWS_BICUBIC | SWS_ACCURATE_RND | SWS_BITEXACT | SWS_FULL_CHR_H_INT, NULL, NULL, NULL);
    if (!s->whole || !s->sws)
        return fault_set(f, s->whole ? ERR_CORRUPT : ERR_NOMEM, "cannot scale %s to %d x %d", name,
                         w, h);
    bool sd = v->colorspace == AVCOL_SPC_SMPTE170M || v->colorspace == AVCOL_SPC_BT470BG;
    sws_setColorspaceDetails(s->sws, sws_getCoefficients(sd ? SWS_CS_ITU601 : SWS_CS_ITU709),
                             v->color_range == AVCOL_RANGE_JPEG, sws_getCoefficients(SWS_CS_ITU709),
                             1, 0, 1 << 16, 1 << 16);
    int stride = w * 3;
    sws_scale(s->sws, (const uint8_t *const *)v->data, v->linesize, 0, v->height, &s->whole,
              &stride);
    return ERR_OK;
}

/* `v` so large that it covers w x h, its middle to `to`. */
static enum err cover(struct scaler *s, const AVFrame *v, int w, int h, uint8_t *to,
                      const char *name, struct fault *f)
{
    AVRational sar = v->sample_aspect_ratio;
    double wide = v->width * (sar.num > 0 && sar.den > 0 ? av_q2d(sar) : 1), high = v->height;
    double by = w / wide > h / high ? w / wide : h / high;
    double sw = wide * by + 0.5, sh = high * by + 0.5;
    if (!(sw < SCALED_MAX && sh < SCALED_MAX))
        return fault_set(f, ERR_INVAL, "the shape of %s is too far from %d x %d", name, w, h);
    int cw = (int)sw > w ? (int)sw : w, ch = (int)sh > h ? (int)sh : h;
    enum err e = scale(s, v, cw, ch, name, f);
    for (int y = 0; !e && y < h; y++)
        memcpy(to + (size_t)y * (size_t)w * 3,
               s->whole + ((size_t)(y + (ch - h) / 2) * (size_t)cw + (size_t)((cw - w) / 2)) * 3,
               (size_t)w * 3);
    return e;
}

enum err frames_picture(const char *path, struct frames *out, struct fault *f)
{
    struct scaler s = {0};
    *out = (struct frames){0};
    struct clip *c = clip_open(path, CLIP_ANY, f);
    if (!c)
        return f->code;
    enum err e = clip_next(c, f);
    if (e == ERR_CLOSED)
        e = fault_set(f, ERR_CORRUPT, "%s holds no picture", c->name);
    if (!e)
        e = scale(&s, c->frame, c->frame->width, c->frame->height, c->name, f);
    if (!e) {
        *out = (struct frames){s.whole, 1, s.w, s.h};
        s.whole = NULL;
    }
    scaler_free(&s);
    clip_free(c);
    return e;
}

/* ---- videos ---- */

/* Frame i is what is seen in the middle of its time: a file of the same rate gives its own frames,
 * however its times are rounded. */
struct sampling {
    struct frames *out;
    struct scaler scaler;
    int most, fps, room;
    const char *name;
    AVFrame *shown;  /* the latest frame, until another one follows */
    int64_t from_us; /* since when */
};

/* The frame that is shown is seen until `end_us`. */
static enum err show_until(struct sampling *s, int64_t end_us, struct fault *f)
{
    struct frames *o = s->out;
    size_t bytes = (size_t)o->width * (size_t)o->height * 3;
    uint8_t *first = NULL;
    while (o->count < s->most && (2 * (int64_t)o->count + 1) * 1000000 < 2 * s->fps * end_us) {
        if (o->count == s->room) {
            int room = s->room ? s->room * 2 : 16;
            room = room > s->most ? s->most : room;
            size_t at = first ? (size_t)(first - o->rgb) : 0;
            uint8_t *more = realloc(o->rgb, (size_t)room * bytes);
            if (!more)
                return fault_set(f, ERR_NOMEM, "no memory for %d frames of %s", room, s->name);
            o->rgb = more;
            first = first ? more + at : NULL;
            s->room = room;
        }
        uint8_t *to = o->rgb + (size_t)o->count * bytes;
        enum err e = ERR_OK;
        if (first)
            memcpy(to, first, bytes);
        else
            e = cover(&s->scaler, s->shown, o->width, o->height, to, s->name, f);
        if (e)
            return e;
        first = first ? first : to;
        o->count++;
    }
    return ERR_OK;
}

static enum err sample(struct sampling *s, struct clip *c, struct fault *f)
{
    int64_t length = 1000000 / s->fps; /* of the last frame: as the one before it */
    enum err e = ERR_OK;
    while (s->out->count < s->most && !(e = clip_next(c, f))) {
        int64_t at = clip_time_us(c);
        if (s->shown->buf[0]) {
            if (at <= s->from_us) /* times that stand still or go back */
                at = s->from_us + length;
            length = at - s->from_us;
            e = show_until(s, at, f);
        } else {
            at = 0;
        }
        av_frame_unref(s->shown);
        s->from_us = at;
        if (!e && av_frame_ref(s->shown, c->frame))
            e = fault_set(f, ERR_NOMEM, "no memory for a frame of %s", s->name);
        if (e)
            return e;
    }
    if (s->out->count == s->most)
        return ERR_OK;
    if (e != ERR_CLOSED)
        return e;
    e = s->shown->buf[0] ? show_until(s, s->from_us + length, f) : ERR_OK;
    if (!e && !s->out->count)
        e = fault_set(f, ERR_CORRUPT, "%s holds no picture", s->name);
    return e;
}

enum err frames_video(const char *path, int width, int height, int most, int fps,
                      struct frames *out, struct fault *f)
{
    *out = (struct frames){.width = width, .height = height};
    struct clip *c = clip_open(path, CLIP_ANY, f);
    if (!c)
        return f->code;
    struct sampling s = {
        .out = out, .most = most, .fps = fps, .name = c->name, .shown = av_frame_alloc()};
    enum err e = s.shown ? sample(&s, c, f) : fault_set(f, ERR_NOMEM, "out of memory");
    av_frame_free(&s.shown);
    scaler_free(&s.scaler);
    clip_free(c);
    if (e)
        frames_free(out);
    return e;
}

void frames_free(struct frames *p)
{
    free(p->rgb);
    *p = (struct frames){0};
}
