#include "media/clip.h"

#include "base/buf.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SIDE_MAX 4096

static enum err code_of(int av)
{
    return av == AVERROR(ENOENT) ? ERR_NOTFOUND : av == AVERROR(ENOMEM) ? ERR_NOMEM : ERR_CORRUPT;
}

static enum err damaged(const struct clip *c, const char *what, int av, struct fault *f)
{
    char why[AV_ERROR_MAX_STRING_SIZE] = "";
    av_strerror(av, why, sizeof why);
    return fault_set(f, code_of(av), "cannot %s %s: %s", what, c->name, why);
}

static enum err unopened(const char *path, int av, struct fault *f)
{
    char why[AV_ERROR_MAX_STRING_SIZE] = "";
    av_strerror(av, why, sizeof why);
    return fault_set(f, code_of(av),
                     code_of(av) == ERR_CORRUPT ? "cannot open %s: %s; is it a clip (MP4)?"
                                                : "cannot open %s: %s",
                     path, why);
}

static int open_demux(struct clip *c, const char *path, enum clip_want want)
{
    char url[4200];
    AVDictionary *o = NULL;
    snprintf(url, sizeof url, "file:%s", path);
    av_dict_set(&o, "protocol_whitelist", "file", 0);
    av_dict_set(&o, "format_whitelist",
                want == CLIP_ANY ? "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,png_pipe,jpeg_pipe,"
                                   "webp_pipe"
                                 : "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm",
                0);
    av_dict_set(&o, "codec_whitelist", "h264,hevc,vp8,vp9,av1,libdav1d,mpeg4,png,mjpeg,webp", 0);
    int r = avformat_open_input(&c->demux, url, NULL, &o);
    av_dict_free(&o);
    return r;
}

static int open_decoder(struct clip *c)
{
    const AVCodec *codec;
    c->demux->probesize = 8 << 20;
    int r = avformat_find_stream_info(c->demux, NULL);
    if (r < 0)
        return r;
    c->stream = av_find_best_stream(c->demux, AVMEDIA_TYPE_VIDEO, -1, -1, &codec, 0);
    if (c->stream < 0)
        return c->stream;
    AVCodecParameters *p = c->demux->streams[c->stream]->codecpar;
    if (p->width < 1 || p->height < 1 || p->width > SIDE_MAX || p->height > SIDE_MAX)
        return AVERROR_INVALIDDATA;
    c->codec = avcodec_alloc_context3(codec);
    c->packet = av_packet_alloc();
    c->frame = av_frame_alloc();
    if (!c->codec || !c->packet || !c->frame)
        return AVERROR(ENOMEM);
    r = avcodec_parameters_to_context(c->codec, p);
    if (r < 0)
        return r;
    c->codec->max_pixels = (int64_t)SIDE_MAX * SIDE_MAX;
    c->codec->thread_count = 2;
    c->codec->err_recognition = AV_EF_CRCCHECK | AV_EF_BITSTREAM | AV_EF_BUFFER;
    return avcodec_open2(c->codec, codec, NULL);
}

struct clip *clip_open(const char *path, enum clip_want want, struct fault *f)
{
    struct clip *c = calloc(1, sizeof *c);
    if (!c) {
        fault_set(f, ERR_NOMEM, "cannot open a clip: out of memory");
        return NULL;
    }
    const char *slash = strrchr(path, '/');
    str_copy(c->name, sizeof c->name, slash ? slash + 1 : path);
    int r = open_demux(c, path, want);
    if (r >= 0 && want != CLIP_METADATA)
        r = open_decoder(c);
    if (r >= 0)
        return c;
    unopened(path, r, f);
    clip_free(c);
    return NULL;
}

static int feed(struct clip *c)
{
    int r;
    do {
        av_packet_unref(c->packet);
        r = av_read_frame(c->demux, c->packet);
    } while (r >= 0 && c->packet->stream_index != c->stream);
    if (r == AVERROR_EOF) {
        c->draining = true;
        return avcodec_send_packet(c->codec, NULL);
    }
    if (r < 0)
        return r;
    r = avcodec_send_packet(c->codec, c->packet);
    av_packet_unref(c->packet);
    return r;
}

enum err clip_next(struct clip *c, struct fault *f)
{
    for (;;) {
        int r = avcodec_receive_frame(c->codec, c->frame);
        if (r == 0)
            return c->frame->width > SIDE_MAX || c->frame->height > SIDE_MAX
                       ? damaged(c, "decode", AVERROR_INVALIDDATA, f)
                       : ERR_OK;
        if (r == AVERROR_EOF)
            return ERR_CLOSED;
        if (r == AVERROR(EAGAIN) && !c->draining)
            r = feed(c);
        if (r < 0)
            return damaged(c, "decode", r, f);
    }
}

enum err clip_rewind(struct clip *c, struct fault *f)
{
    int r = av_seek_frame(c->demux, c->stream, 0, AVSEEK_FLAG_BACKWARD);
    if (r < 0)
        return damaged(c, "rewind", r, f);
    avcodec_flush_buffers(c->codec);
    c->draining = false;
    return ERR_OK;
}

int64_t clip_time_us(const struct clip *c)
{
    const AVStream *s = c->demux->streams[c->stream];
    int64_t t = c->frame->best_effort_timestamp;
    if (t == AV_NOPTS_VALUE)
        return 0;
    if (s->start_time != AV_NOPTS_VALUE)
        t -= s->start_time;
    return av_rescale_q(t, s->time_base, AV_TIME_BASE_Q);
}

void clip_free(struct clip *c)
{
    if (!c)
        return;
    avcodec_free_context(&c->codec);
    avformat_close_input(&c->demux);
    av_packet_free(&c->packet);
    av_frame_free(&c->frame);
    free(c);
}
