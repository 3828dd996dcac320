#include "media/encode.h"

#include "media/digest.h"

#include <errno.h>
#include <fcntl.h>
#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <libavutil/opt.h>
#include <libswscale/swscale.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct encode {
    AVFormatContext *mux;
    AVStream *stream;
    AVCodecContext *codec;
    struct SwsContext *sws;
    AVFrame *frame;
    AVPacket *packet;
    struct digest *sha;
    int64_t next; /* number of the next frame */
    bool nv12;
    char *path;
    char note[160];
};

#define X264 "libx264"
#define NVENC "h264_nvenc"
/* libavcodec gives it a CUDA context of its own. With its session that took 531 MiB for each of
 * three encoders on an RTX 4080 Super (WiVRn, pull request 414), and 366 MiB, with a decoder, on an
 * RTX 3080 (torchaudio, issue 3165); frames are small beside it. */
#define NVENC_BYTES ((uint64_t)544 << 20)

const char *encode_build(void)
{
    static const char text[] = LIBAVCODEC_IDENT;
    return text;
}

static enum err failed(const struct encode *e, const char *what, int av, struct fault *f)
{
    char why[AV_ERROR_MAX_STRING_SIZE] = "";
    if (av == AVERROR(ENOSPC) || av == AVERROR(EDQUOT))
        return fault_set(f, ERR_FULL,
                         "the disk is full: the clip %s could not be written; free some space",
                         e->path);
    av_strerror(av, why, sizeof why);
    return fault_set(f, av == AVERROR(ENOMEM) ? ERR_NOMEM : ERR_IO, "cannot %s %s: %s", what,
                     e->path, why);
}

/* Of both: a quality that the eye takes for the original, in no more time than there is. */
static void set_quality(AVCodecContext *c, bool gpu)
{
    static const char *const x264[][2] = {{"preset", "veryfast"}, {"crf", "18"}};
    static const char *const nvenc[][2] = {{"preset", "p5"}, {"rc", "vbr"}, {"cq", "19"}};
    const char *const(*list)[2] = gpu ? nvenc : x264;
    for (size_t i = 0; i < (gpu ? sizeof nvenc : sizeof x264) / sizeof *x264; i++)
        av_opt_set(c->priv_data, list[i][0], list[i][1], 0);
    if (gpu)
        c->bit_rate = 0; /* cq alone decides */
}

static int open_codec(struct encode *e, const struct encode_spec *s, const char *name)
{
    const AVCodec *codec = avcodec_find_encoder_by_name(name);
    if (!codec)
        return AVERROR_ENCODER_NOT_FOUND;
    AVCodecContext *c = e->codec = avcodec_alloc_context3(codec);
    if (!c)
        return AVERROR(ENOMEM);
    c->width = s->width;
    c->height = s->height;
    c->time_base = (AVRational){1, s->fps};
    c->framerate = (AVRational){s->fps, 1};
    c->pix_fmt = AV_PIX_FMT_YUV420P;
    c->color_range = AVCOL_RANGE_MPEG;
    c->colorspace = AVCOL_SPC_BT709;
    c->color_primaries = AVCOL_PRI_BT709;
    c->color_trc = AVCOL_TRC_BT709;
    c->chroma_sample_location = s->nv12 ? AVCHROMA_LOC_CENTER : AVCHROMA_LOC_LEFT;
    c->sample_aspect_ratio = (AVRational){1, 1};
    c->gop_size = s->fps * 2; /* a seek or a loop never waits long */
    c->thread_count = s->threads;
    if (e->mux->oformat->flags & AVFMT_GLOBALHEADER)
        c->flags |= AV_CODEC_FLAG_GLOBAL_HEADER;
    set_quality(c, !strcmp(name, NVENC));
    return avcodec_open2(c, codec, NULL);
}

static int open_either(struct encode *e, const struct encode_spec *s)
{
    const char *wish = s->codec ? s->codec : X264;
    if (strcmp(wish, "auto"))
        return open_codec(e, s, wish);
    int r = open_codec(e, s, NVENC);
    if (r >= 0)
        return r;
    char why[AV_ERROR_MAX_STRING_SIZE] = "";
    av_strerror(r, why, sizeof why);
    snprintf(e->note, sizeof e->note, NVENC " does not open here (%s): " X264 " encodes", why);
    avcodec_free_context(&e->codec);
    return open_codec(e, s, X264);
}

/* RGB to BT.709 limited range: 601 is what swscale takes by itself, and the colours would shift.
 * NV12 is copied. */
static int open_scaler(struct encode *e, const struct encode_spec *s)
{
    e->nv12 = s->nv12;
    e->sws =
        sws_getContext(s->width, s->height, s->nv12 ? AV_PIX_FMT_NV12 : AV_PIX_FMT_RGB24, s->width,
                       s->height, AV_PIX_FMT_YUV420P, SWS_BILINEAR, NULL, NULL, NULL);
    if (!e->sws)
        return AVERROR(ENOMEM);
    const int *bt709 = sws_getCoefficients(SWS_CS_ITU709);
    if (!s->nv12)
        sws_setColorspaceDetails(e->sws, bt709, 1, bt709, 0, 0, 1 << 16, 1 << 16);
    e->frame = av_frame_alloc();
    e->packet = av_packet_alloc();
    if (!e->frame || !e->packet)
        return AVERROR(ENOMEM);
    e->frame->format = AV_PIX_FMT_YUV420P;
    e->frame->width = s->width;
    e->frame->height = s->height;
    e->frame->color_range = AVCOL_RANGE_MPEG;
    e->frame->colorspace = AVCOL_SPC_BT709;
    e->frame->color_primaries = AVCOL_PRI_BT709;
    e->frame->color_trc = AVCOL_TRC_BT709;
    return av_frame_get_buffer(e->frame, 0);
}

static int open_file(struct encode *e, const struct encode_spec *s)
{
    char url[4200]; /* "file:" keeps a colon in the path from naming a protocol */
    snprintf(url, sizeof url, "file:%s", s->path);
    int r = avformat_alloc_output_context2(&e->mux, NULL, "mp4", url);
    if (r < 0)
        return r;
    r = open_either(e, s);
    if (r < 0)
        return r;
    e->stream = avformat_new_stream(e->mux, NULL);
    if (!e->stream)
        return AVERROR(ENOMEM);
    e->stream->time_base = e->codec->time_base;
    e->stream->avg_frame_rate = e->codec->framerate;
    r = avcodec_parameters_from_context(e->stream->codecpar, e->codec);
    if (r < 0)
        return r;
    AVDictionary *file = NULL, *options = NULL;
    av_dict_set(&file, "protocol_whitelist", "file", 0);
    r = avio_open2(&e->mux->pb, url, AVIO_FLAG_WRITE, NULL, &file);
    av_dict_free(&file);
    if (r < 0)
        return r;
    av_dict_set(&options, "movflags", "+faststart", 0);
    r = avformat_write_header(e->mux, &options);
    av_dict_free(&options);
    return r;
}

struct encode *encode_new(const struct encode_spec *s, struct fault *f)
{
    struct encode *e = calloc(1, sizeof *e);
    if (!e || !(e->path = strdup(s->path)) || !(e->sha = digest_new())) {
        encode_free(e);
        fault_set(f, ERR_NOMEM, "cannot encode %s: out of memory", s->path);
        return NULL;
    }
    int r = open_file(e, s);
    if (r >= 0)
        r = open_scaler(e, s);
    if (r >= 0)
        return e;
    if (s->codec && !strcmp(s->codec, NVENC) && !e->stream)
        fault_set(f, ERR_UNSUPPORTED,
                  "the GPU does not encode (" NVENC ": %s); let the encoder be auto, or libx264",
                  av_err2str(r));
    else
        failed(e, "begin", r, f);
    encode_free(e);
    return NULL;
}

const char *encode_codec(const struct encode *e)
{
    return e->codec->codec->name;
}

uint64_t encode_gpu_bytes(const char *codec)
{
    bool may = codec && (!strcmp(codec, "auto") || !strcmp(codec, NVENC));
    return may && avcodec_find_encoder_by_name(NVENC) ? NVENC_BYTES : 0;
}

const char *encode_note(const struct encode *e)
{
    return e->note;
}

/* Muxes what the codec has ready. The file's own error counts too: it is kept by avio, not by the
 * muxer's return value. */
static int drain(struct encode *e)
{
    for (;;) {
        int r = avcodec_receive_packet(e->codec, e->packet);
        if (r == AVERROR(EAGAIN) || r == AVERROR_EOF)
            return e->mux->pb->error < 0 ? e->mux->pb->error : 0;
        if (r < 0)
            return r;
        av_packet_rescale_ts(e->packet, e->codec->time_base, e->stream->time_base);
        e->packet->stream_index = e->stream->index;
        r = av_interleaved_write_frame(e->mux, e->packet);
        if (r < 0)
            return r;
    }
}

enum err encode_frame(struct encode *e, const uint8_t *pixels, struct fault *f)
{
    const int w = e->codec->width, h = e->codec->height, row = e->nv12 ? w : 3 * w;
    const size_t first = (size_t)row * (size_t)h;
    const uint8_t *plane[4] = {pixels, e->nv12 ? pixels + first : NULL};
    const int stride[4] = {row, e->nv12 ? w : 0};
    digest_add(e->sha, pixels, e->nv12 ? first * 3 / 2 : first);
    int r = av_frame_make_writable(e->frame);
    if (r < 0)
        return failed(e, "encode", r, f);
    sws_scale(e->sws, plane, stride, 0, h, e->frame->data, e->frame->linesize);
    e->frame->pts = e->next++;
    r = avcodec_send_frame(e->codec, e->frame);
    if (r >= 0)
        r = drain(e);
    return r < 0 ? failed(e, "encode", r, f) : ERR_OK;
}

void encode_sha256(const struct encode *e, char out[65])
{
    digest_hex(e->sha, out);
}

static enum err sync_file(struct encode *e, int64_t *bytes, struct fault *f)
{
    struct stat st;
    int fd = open(e->path, O_RDONLY | O_CLOEXEC);
    int bad = fd < 0 || fsync(fd) || fstat(fd, &st) ? errno : 0;
    if (fd >= 0)
        close(fd);
    if (bad)
        return failed(e, "sync", AVERROR(bad), f);
    *bytes = st.st_size;
    return ERR_OK;
}

enum err encode_finish(struct encode *e, const char *title, const char *recipe, int64_t *bytes,
                       struct fault *f)
{
    int r = avcodec_send_frame(e->codec, NULL);
    if (r >= 0)
        r = drain(e);
    if (r < 0)
        return failed(e, "encode", r, f);
    av_dict_set(&e->mux->metadata, "title", title, 0);
    av_dict_set(&e->mux->metadata, "comment", recipe, 0);
    r = av_write_trailer(e->mux);
    if (r >= 0 && e->mux->pb->error < 0)
        r = e->mux->pb->error;
    int closed = avio_closep(&e->mux->pb);
    if (r >= 0)
        r = closed;
    return r < 0 ? failed(e, "finish", r, f) : sync_file(e, bytes, f);
}

void encode_free(struct encode *e)
{
    if (!e)
        return;
    if (e->mux && e->mux->pb)
        avio_closep(&e->mux->pb);
    avformat_free_context(e->mux);
    avcodec_free_context(&e->codec);
    sws_freeContext(e->sws);
    av_frame_free(&e->frame);
    av_packet_free(&e->packet);
    digest_free(e->sha);
    free(e->path);
    free(e);
}
