#include "wan/prog/h264.h"

#ifndef HAVE_AVCODEC

double h264_seconds(const uint8_t *pictures, int frames, int height, int width, int threads)
{
    (void)pictures, (void)frames, (void)height, (void)width, (void)threads;
    return -1;
}

#else

#include "base/clock.h"

#include <libavcodec/avcodec.h>
#include <libavutil/opt.h>
#include <libswscale/swscale.h>
#include <stdbool.h>
#include <stdlib.h>

struct coder {
    AVCodecContext *c;
    AVFrame *frame;
    AVPacket *packet;
    struct SwsContext *sws;
};

static bool open_coder(struct coder *e, int height, int width, int threads)
{
    const AVCodec *codec = avcodec_find_encoder_by_name("libx264");
    e->c = codec ? avcodec_alloc_context3(codec) : NULL;
    e->frame = av_frame_alloc();
    e->packet = av_packet_alloc();
    e->sws = sws_getContext(width, height, AV_PIX_FMT_NV12, width, height, AV_PIX_FMT_YUV420P,
                            SWS_BICUBIC, NULL, NULL, NULL);
    if (!e->c || !e->frame || !e->packet || !e->sws)
        return false;
    e->c->width = e->frame->width = width;
    e->c->height = e->frame->height = height;
    e->c->pix_fmt = AV_PIX_FMT_YUV420P;
    e->frame->format = AV_PIX_FMT_YUV420P;
    e->c->time_base = (AVRational){1, 16};
    e->c->thread_count = threads;
    av_opt_set(e->c->priv_data, "preset", "veryfast", 0);
    av_opt_set(e->c->priv_data, "crf", "18", 0);
    return avcodec_open2(e->c, codec, NULL) == 0 && av_frame_get_buffer(e->frame, 0) == 0;
}

static void drain(struct coder *e)
{
    while (avcodec_receive_packet(e->c, e->packet) == 0)
        av_packet_unref(e->packet);
}

static bool send_picture(struct coder *e, const uint8_t *picture, int at)
{
    const int w = e->c->width;
    const uint8_t *planes[4] = {picture, picture + (int64_t)w * e->c->height};
    const int strides[4] = {w, w};
    if (av_frame_make_writable(e->frame))
        return false;
    sws_scale(e->sws, planes, strides, 0, e->c->height, e->frame->data, e->frame->linesize);
    e->frame->pts = at;
    bool ok = avcodec_send_frame(e->c, e->frame) == 0;
    drain(e);
    return ok;
}

double h264_seconds(const uint8_t *pictures, int frames, int height, int width, int threads)
{
    int64_t bytes = (int64_t)height * width * 3 / 2;
    struct coder e = {0};
    int64_t began = clock_mono_us();
    av_log_set_level(AV_LOG_QUIET);
    bool ok = open_coder(&e, height, width, threads);
    for (int i = 0; ok && i < frames; i++)
        ok = send_picture(&e, pictures + i * bytes, i);
    if (ok && avcodec_send_frame(e.c, NULL) == 0)
        drain(&e);
    double took = (double)(clock_mono_us() - began) * 1e-6;
    sws_freeContext(e.sws);
    av_packet_free(&e.packet);
    av_frame_free(&e.frame);
    avcodec_free_context(&e.c);
    return ok ? took : -1;
}

#endif
