/* media/check: black, frozen and flashing clips.
 *
 * Every frame goes through one libavfilter graph on a small copy: blackdetect, freezedetect,
 * signalstats (mean Y, U and V) and photosensitivity, whose per-frame measure is how much of the
 * picture changed, summed over an 8 by 8 grid of means, so that grain and thin moving lines do not
 * count and areas do.
 *
 * The photosensitivity filter's own total cannot tell one hard cut from a strobe, since one full
 * change fills it for a second. Broadcast rules (ITU-R BT.1702, WCAG 2.3) count flashes: pairs of
 * opposing changes, at most three in any second. So we count the frames that change by a relevant
 * amount in a direction opposed to the change before, and more than six reversals within one second
 * fail. A fade moves one way and never counts; a cut counts once. */
#include "media/check.h"

#include "media/clip.h"

#include <libavfilter/avfilter.h>
#include <libavfilter/buffersink.h>
#include <libavfilter/buffersrc.h>
#include <libavutil/opt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* 0.08 of the filter's scale (frames=30) is a mean change of 2.5 % of full scale: ten per cent of
 * the brightness over a quarter of the picture, the smallest flash that the rules count. */
#define FLASH_CHANGE 0.08
#define FLASH_REVERSALS 6
#define REVERSALS_KEPT (FLASH_REVERSALS + 1)
#define BLACK_MAX_S 1.0
#define FRAMES_MAX 4096 /* four times the longest job: a foreign clip may be endless */

struct look {
    AVFilterGraph *graph;
    AVFilterContext *in, *out;
    AVFrame *seen;
    double now_s;
    double black_from, black_longest, black_at; /* seconds; from < 0: not black now */
    double frozen_from, frozen_longest, frozen_at;
    double mean[3]; /* Y, U, V of the frame before */
    bool have_mean;
    int direction;                    /* of the last counted change: channel*2 + sign, -1 none */
    double reversals[REVERSALS_KEPT]; /* times of the latest, a ring */
    int reversals_n;
    double flashes_at; /* < 0: none */
};

static double frozen_limit_s(double duration_s)
{
    double half = duration_s / 2;
    return half < 0.25 ? 0.25 : half > 2.0 ? 2.0 : half;
}

static int look_open(struct look *l, const struct clip *c)
{
    char source[256], chain[512];
    const AVStream *s = c->demux->streams[c->stream];
    const AVFrame *v = c->frame;
    double duration = c->demux->duration > 0 ? c->demux->duration / 1e6 : 0;
    AVFilterInOut *ins = avfilter_inout_alloc(), *outs = avfilter_inout_alloc();
    int r = AVERROR(ENOMEM);
    l->graph = avfilter_graph_alloc();
    l->seen = av_frame_alloc();
    if (!l->graph || !l->seen || !ins || !outs)
        goto out;
    l->graph->nb_threads = 2;
    snprintf(source, sizeof source, "video_size=%dx%d:pix_fmt=%d:time_base=%d/%d", v->width,
             v->height, v->format, s->time_base.num, s->time_base.den);
    snprintf(chain, sizeof chain,
             "scale=w=trunc(min(iw\\,416)/2)*2:h=trunc(min(ih\\,240)/2)*2:flags=area,"
             "format=yuv420p,blackdetect=d=0:pic_th=0.98:pix_th=0.07,"
             "freezedetect=n=-60dB:d=%.3f,signalstats,"
             "format=rgb24,photosensitivity=frames=30:bypass=1",
             frozen_limit_s(duration) * 0.99);
    r = avfilter_graph_create_filter(&l->in, avfilter_get_by_name("buffer"), "in", source, NULL,
                                     l->graph);
    if (r >= 0)
        r = avfilter_graph_create_filter(&l->out, avfilter_get_by_name("buffersink"), "out", NULL,
                                         NULL, l->graph);
    if (r < 0)
        goto out;
    outs->name = av_strdup("in");
    outs->filter_ctx = l->in;
    ins->name = av_strdup("out");
    ins->filter_ctx = l->out;
    r = avfilter_graph_parse_ptr(l->graph, chain, &ins, &outs, NULL);
    if (r >= 0)
        r = avfilter_graph_config(l->graph, NULL);
out:
    avfilter_inout_free(&ins);
    avfilter_inout_free(&outs);
    return r;
}

static bool tag(const AVFrame *v, const char *key, double *out)
{
    const AVDictionaryEntry *e = av_dict_get(v->metadata, key, NULL, 0);
    if (!e)
        return false;
    *out = strtod(e->value, NULL);
    return true;
}

static void note_span(double from, double to, double *longest, double *at)
{
    if (to - from > *longest) {
        *longest = to - from;
        *at = from;
    }
}

static void see_black_and_frozen(struct look *l)
{
    double t;
    if (tag(l->seen, "lavfi.black_start", &t))
        l->black_from = l->now_s;
    if (tag(l->seen, "lavfi.black_end", &t) && l->black_from >= 0) {
        note_span(l->black_from, l->now_s, &l->black_longest, &l->black_at);
        l->black_from = -1;
    }
    if (tag(l->seen, "lavfi.freezedetect.freeze_start", &t))
        l->frozen_from = t;
    if (tag(l->seen, "lavfi.freezedetect.freeze_end", &t) && l->frozen_from >= 0) {
        note_span(l->frozen_from, t, &l->frozen_longest, &l->frozen_at);
        l->frozen_from = -1;
    }
}

/* Which way the picture went: the channel whose mean moved most, and its sign. */
static int direction(const double now[3], const double before[3])
{
    int c = 0;
    for (int i = 1; i < 3; i++)
        if (fabs(now[i] - before[i]) > fabs(now[c] - before[c]))
            c = i;
    return c * 2 + (now[c] > before[c]);
}

static void note_reversal(struct look *l)
{
    l->reversals[l->reversals_n++ % REVERSALS_KEPT] = l->now_s;
    if (l->reversals_n < REVERSALS_KEPT)
        return;
    double first = l->reversals[l->reversals_n % REVERSALS_KEPT];
    if (l->now_s - first <= 1.0 && l->flashes_at < 0)
        l->flashes_at = first;
}

static void see_flashes(struct look *l)
{
    double now[3] = {0}, change = 0;
    tag(l->seen, "lavfi.signalstats.YAVG", &now[0]);
    tag(l->seen, "lavfi.signalstats.UAVG", &now[1]);
    tag(l->seen, "lavfi.signalstats.VAVG", &now[2]);
    tag(l->seen, "lavfi.photosensitivity.frame-badness", &change);
    if (l->have_mean && change >= FLASH_CHANGE) {
        int way = direction(now, l->mean);
        if (l->direction < 0 || way != l->direction)
            note_reversal(l);
        l->direction = way;
    }
    memcpy(l->mean, now, sizeof now);
    l->have_mean = true;
}

static int look_at(struct look *l, AVFrame *v, double now_s)
{
    int r = av_buffersrc_add_frame_flags(l->in, v, AV_BUFFERSRC_FLAG_KEEP_REF);
    while (r >= 0) {
        r = av_buffersink_get_frame(l->out, l->seen);
        if (r == AVERROR(EAGAIN) || r == AVERROR_EOF)
            return 0;
        if (r < 0)
            return r;
        l->now_s = now_s;
        see_black_and_frozen(l);
        see_flashes(l);
        av_frame_unref(l->seen);
    }
    return r;
}

static void look_close(struct look *l)
{
    avfilter_graph_free(&l->graph);
    av_frame_free(&l->seen);
}

static struct check_row *row(struct check_result *out, const char *name, bool ok)
{
    struct check_row *r = &out->rows[out->rows_n++];
    r->name = name;
    r->ok = ok;
    r->words[0] = '\0';
    return r;
}

static void judge_length(const struct check_spec *s, struct check_result *out)
{
    int64_t want_ms = s->frames && s->fps ? (int64_t)s->frames * 1000 / s->fps : out->duration_ms;
    int64_t off = llabs(out->duration_ms - want_ms), frame_ms = s->fps ? 1000 / s->fps : 40;
    bool ok = (!s->frames || out->frames == s->frames) && off <= frame_ms && out->frames > 0;
    struct check_row *r = row(out, "length", ok);
    if (ok)
        snprintf(r->words, sizeof r->words, "%d frames, %.2f s", out->frames,
                 out->duration_ms / 1e3);
    else
        snprintf(r->words, sizeof r->words, "%d frames in %.2f s, expected %d in %.2f s",
                 out->frames, out->duration_ms / 1e3, s->frames ? s->frames : out->frames,
                 want_ms / 1e3);
}

static void judge_picture(struct look *l, struct check_result *out)
{
    double end = out->duration_ms / 1e3;
    if (l->black_from >= 0)
        note_span(l->black_from, end, &l->black_longest, &l->black_at);
    if (l->frozen_from >= 0)
        note_span(l->frozen_from, end, &l->frozen_longest, &l->frozen_at);

    double limit = end < BLACK_MAX_S ? end * 0.9 : BLACK_MAX_S;
    bool black = l->black_longest > 0 && l->black_longest >= limit;
    struct check_row *r = row(out, "black", !black);
    if (black)
        snprintf(r->words, sizeof r->words, "black for %.1f s from %.1f s", l->black_longest,
                 l->black_at);
    else
        snprintf(r->words, sizeof r->words, "no black picture");

    bool frozen = out->frames > 1 && l->frozen_longest > 0;
    r = row(out, "frozen", !frozen);
    if (frozen)
        snprintf(r->words, sizeof r->words, "the picture stands still for %.1f s from %.1f s",
                 l->frozen_longest, l->frozen_at);
    else
        snprintf(r->words, sizeof r->words, "the picture moves");

    r = row(out, "flashes", l->flashes_at < 0);
    if (l->flashes_at >= 0)
        snprintf(r->words, sizeof r->words,
                 "more than three flashes within a second at %.1f s: may harm photosensitive "
                 "viewers",
                 l->flashes_at);
    else
        snprintf(r->words, sizeof r->words, "no flashes");
}

static enum err look_at_all(const struct check_spec *s, struct clip *c, struct look *l,
                            struct check_result *out, struct fault *f)
{
    for (;;) {
        enum err e = clip_next(c, f);
        if (e == ERR_CLOSED)
            return ERR_OK;
        if (e)
            return e;
        if (c->frame->flags & AV_FRAME_FLAG_CORRUPT || c->frame->decode_error_flags)
            return fault_set(f, ERR_CORRUPT, "frame %d is damaged", out->frames + 1);
        int r = out->frames ? 0 : look_open(l, c);
        if (r >= 0)
            r = look_at(l, c->frame, (double)clip_time_us(c) / 1e6);
        if (r < 0)
            return fault_set(f, ERR_CORRUPT, "frame %d cannot be looked at", out->frames + 1);
        if (++out->frames > FRAMES_MAX)
            return fault_set(f, ERR_LIMIT, "it is longer than %d frames", FRAMES_MAX);
        if (s->step && !s->step(s->user, out->frames))
            return fault_set(f, ERR_CANCELLED, "the check was cancelled");
    }
}

enum err check_clip(const struct check_spec *s, struct check_result *out, struct fault *f)
{
    struct fault why = {0};
    struct look l = {.black_from = -1, .frozen_from = -1, .flashes_at = -1, .direction = -1};
    memset(out, 0, sizeof *out);
    struct clip *c = clip_open(s->path, CLIP_VIDEO, &why);
    enum err e = c ? look_at_all(s, c, &l, out, &why) : why.code;
    if (c && c->demux->duration > 0)
        out->duration_ms = av_rescale(c->demux->duration, 1, 1000);
    bool decodes = !e && out->frames > 0;
    if (e == ERR_CANCELLED || e == ERR_NOMEM) {
        if (f)
            *f = why;
    } else {
        struct check_row *r = row(out, "decode", decodes);
        snprintf(r->words, sizeof r->words, "%.150s",
                 decodes ? "every frame decodes"
                 : e     ? fault_text(&why)
                         : "it holds no frame");
        if (decodes) {
            judge_length(s, out);
            judge_picture(&l, out);
        }
        e = ERR_OK;
    }
    look_close(&l);
    clip_free(c);
    return e;
}
