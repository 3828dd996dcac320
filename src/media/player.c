#include "media/player.h"

#include "media/clip.h"

#include <libavutil/imgutils.h>
#include <libswscale/swscale.h>
#include <stdlib.h>

struct player {
    struct clip *clip;
    struct SwsContext *sws;
    int box_w, box_h; /* what pictures must fit into */
    int w, h;
    uint8_t *rgb;
};

struct player *player_new(const char *path, int w, int h, struct fault *f)
{
    struct player *p = calloc(1, sizeof *p);
    if (!p) {
        fault_set(f, ERR_NOMEM, "cannot play %s: out of memory", path);
        return NULL;
    }
    p->box_w = w;
    p->box_h = h;
    p->clip = clip_open(path, CLIP_ANY, f);
    if (!p->clip) {
        free(p);
        return NULL;
    }
    return p;
}

/* The largest size of the frame's shape that fits into the box. */
static void fit(struct player *p, const AVFrame *v)
{
    AVRational sar = v->sample_aspect_ratio;
    double shape = (double)v->width / v->height;
    if (sar.num > 0 && sar.den > 0)
        shape *= av_q2d(sar);
    p->w = p->box_w;
    p->h = (int)(p->w / shape + 0.5);
    if (p->h > p->box_h) {
        p->h = p->box_h;
        p->w = (int)(p->h * shape + 0.5);
    }
    p->w = p->w < 1 ? 1 : p->w > p->box_w ? p->box_w : p->w;
    p->h = p->h < 1 ? 1 : p->h > p->box_h ? p->box_h : p->h;
}

/* A clip may change its size in the middle; the picture keeps the first one's. */
static enum err prepare(struct player *p, const AVFrame *v, struct fault *f)
{
    if (!p->rgb) {
        fit(p, v);
        /* swscale writes whole vectors: leave it room behind the last row. */
        p->rgb = calloc(1, (size_t)p->w * (size_t)p->h * 3 + 64);
    }
    p->sws = sws_getCachedContext(p->sws, v->width, v->height, v->format, p->w, p->h,
                                  AV_PIX_FMT_RGB24, SWS_AREA, NULL, NULL, NULL);
    if (!p->rgb || !p->sws)
        return fault_set(f, ERR_CORRUPT, "cannot scale %s for the terminal", p->clip->name);
    bool sd = v->colorspace == AVCOL_SPC_SMPTE170M || v->colorspace == AVCOL_SPC_BT470BG;
    const int *to = sws_getCoefficients(SWS_CS_ITU709);
    const int *from = sws_getCoefficients(sd ? SWS_CS_ITU601 : SWS_CS_ITU709);
    sws_setColorspaceDetails(p->sws, from, v->color_range == AVCOL_RANGE_JPEG, to, 1, 0, 1 << 16,
                             1 << 16);
    return ERR_OK;
}

enum err player_next(struct player *p, struct player_frame *out, struct fault *f)
{
    enum err e = clip_next(p->clip, f);
    if (e)
        return e;
    const AVFrame *v = p->clip->frame;
    e = prepare(p, v, f);
    if (e)
        return e;
    int stride = p->w * 3;
    sws_scale(p->sws, (const uint8_t *const *)v->data, v->linesize, 0, v->height, &p->rgb, &stride);
    *out = (struct player_frame){p->rgb, p->w, p->h, clip_time_us(p->clip)};
    return ERR_OK;
}

enum err player_rewind(struct player *p, struct fault *f)
{
    return clip_rewind(p->clip, f);
}

int64_t player_length_us(const struct player *p)
{
    int64_t us = p->clip->demux->duration;
    return us > 0 && us < INT64_C(3600000000) ? us : 40000;
}

void player_free(struct player *p)
{
    if (!p)
        return;
    clip_free(p->clip);
    sws_freeContext(p->sws);
    free(p->rgb);
    free(p);
}
