/* engine/protocol: what the console and `sakuga-worker` say to each other.
 *
 * JSON Lines both ways on the worker's standard streams: the console sends orders, the worker sends
 * reports. Pictures (previews, playback, stills) come raw on the worker's descriptor 3, each behind
 * a header of PICTURE_HEADER bytes. Pure functions, any thread; all strings are owned by the
 * structs.
 *
 * Either end treats the other as hostile: a member of a wrong type, out of bounds, or missing
 * refuses the whole line with a fault that names it; members it does not know are left alone. Text
 * is valid UTF-8 without controls once parsed. A line is at most PROTOCOL_LINE_MAX bytes.
 *
 * The way of a job: order `job` -> report `ack` at once -> `progress` (stages draw, encode, check)
 * and previews -> exactly one of `done`, `failed`, `cancelled`. The first order must be `config`,
 * which `hello` answers; a `heartbeat` follows every second.
 *
 * A worker whose device is lost (ERR_LOST) can do nothing more: it reports no end of its job, says
 * why as the last error line of its log and ends with PROTOCOL_LOST. The console starts another,
 * which tries the job again, as after any death. */
#ifndef SAKUGA_ENGINE_PROTOCOL_H
#define SAKUGA_ENGINE_PROTOCOL_H

#include "base/buf.h"
#include "base/err.h"
#include "base/path.h"
#include "show/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PROTOCOL_VERSION 1
#define PROTOCOL_LOST 3 /* exit status */
#define PROTOCOL_LINE_MAX ((size_t)256 << 10)
#define PROTOCOL_ID_MAX INT64_C(9007199254740992) /* ids travel as JSON numbers */

#define JOB_LORAS_MAX 8
/* A LoRA by its alias: a file of that name in the model's folder, never a path. */
struct job_lora {
    char name[64]; /* letters, digits, '.', '-', '_' */
    double weight; /* −10..10 */
    bool must;     /* the job fails where it is missing */
};

/* What a picture or a video is to a model. */
enum input_role {
    INPUT_IMAGE,
    INPUT_LAST_IMAGE,
    INPUT_SOURCE,    /* a video, what there is already … */
    INPUT_MASK,      /* … and what of it is to be made anew; a picture or a video */
    INPUT_CONTROL,   /* a video of poses, depths, lines … */
    INPUT_REFERENCE, /* a picture; may be there more than once */
    INPUT_ROLES
};
/* "image", "last-image", …: in recipes, and as options of `generate` */
const char *protocol_role_name(enum input_role role);
/* INPUT_ROLES: there is none of that name. */
enum input_role protocol_role(const char *name);

#define JOB_INPUTS_MAX 12
struct job_input {
    enum input_role role;
    char path[PATH_LEN];
};

/* What an engine is asked to make. Plain data, copied by value. */
struct engine_job {
    int64_t id;  /* the prompt's, 1.. */
    int attempt; /* 1 for the first time */
    char prompt[8192];
    char viewer[128];
    char style[64];
    char negative[2048]; /* "": the model's own, */
    bool bare;           /* or none at all */
    char label[64];      /* small print in the picture that tells what it is; may be "" */
    uint32_t palette[8]; /* 0xRRGGBB, darkest first by custom, not by rule */
    int palette_n;       /* 0: the engine chooses */
    uint64_t seed;
    int width, height;      /* pixels, even, 64..1920 x 64..1088 */
    int frames;             /* 1..1024 */
    int fps;                /* 1..60 */
    int steps;              /* sampler steps, 0..200; the animatic has none */
    double guidance, shift; /* of the sampler; 0: the model's default. 0..100, 0..1000 */
    char sampler[16];       /* "": the model's default */
    double teacache;        /* likeness for speed: 0: none, to 1000 */
    bool tiny;              /* decode by the model's tiny decoder */
    int tile;               /* pixels of a tile to decode at once; 0: all. 64 … 2048, by 32 */
    struct job_lora lora[JOB_LORAS_MAX];
    int lora_n;
    struct job_input input[JOB_INPUTS_MAX]; /* what a model draws from */
    int input_n;
    char path[PATH_LEN]; /* where the clip goes: a file in the vault named by `config` */
};

enum order_kind {
    ORDER_CONFIG,   /* vault, media, engine; must come first, once */
    ORDER_JOB,      /* job */
    ORDER_CANCEL,   /* id: stop that job within one step */
    ORDER_PLAY,     /* path, id, w, h: loop the clip in real time as PICTURE_REVIEW */
    ORDER_STOP,     /* end the playback */
    ORDER_PICTURE,  /* path, id, w, h: one PICTURE_STILL */
    ORDER_CHECK,    /* path, id, frames and fps expected (0 unknown) */
    ORDER_THROTTLE, /* throttle: leave that part of the time free, from the next block on */
    ORDER_QUIT,     /* end */
    ORDER_KINDS
};

struct order {
    enum order_kind kind;
    int64_t id;
    int w, h; /* the largest picture wanted, pixels */
    int frames, fps;
    bool media;          /* CONFIG: this process plays and checks, it draws no jobs */
    char path[PATH_LEN]; /* CONFIG: the vault */
    /* CONFIG, for a process that draws: */
    char engine[16]; /* "animatic", "wan" */
    char model[PATH_LEN], device[16], dtype[16];
    char encoder[16]; /* "libx264", "h264_nvenc", or "auto": the GPU's where it draws on one */
    int threads;      /* 0: as many as there are cores */
    double throttle;  /* THROTTLE: 0..1 */
    struct engine_job job;
};

#define VERDICTS_MAX 8
/* One finding about a clip. */
struct verdict {
    char name[24]; /* "decode", "length", "black", "frozen", "flashes" */
    bool ok;
    char words[160]; /* for people: "frozen for 2.3 s from 1.0 s" */
};

enum report_kind {
    REPORT_HELLO,     /* protocol, version, build, engine, device.name, pid */
    REPORT_HEARTBEAT, /* device */
    REPORT_ACK,       /* id */
    REPORT_PROGRESS,  /* id, stage, fraction, overall, eta_ms */
    REPORT_DONE,      /* id, path, bytes, frames, duration_ms, sha256, verdicts, *_ms */
    REPORT_FAILED,    /* id, code, text */
    REPORT_CANCELLED, /* id */
    REPORT_CHECKED,   /* id, path, frames, duration_ms, verdicts */
    REPORT_TROUBLE,   /* id, path, code, text: a play or picture order that did not work */
    REPORT_KINDS
};

struct report {
    enum report_kind kind;
    int64_t id;
    int protocol; /* HELLO */
    int64_t pid;
    char version[64], build[160], engine[16];
    struct device_status device;
    char stage[24];
    double fraction, overall; /* 0..1 of the stage, of the job */
    int64_t eta_ms;           /* to the end of the job; -1 unknown */
    enum err code;
    char text[400];
    char path[PATH_LEN];
    int64_t bytes;
    int frames;
    int64_t duration_ms;
    char sha256[65]; /* of the RGB frames before encoding, hex */
    struct verdict verdicts[VERDICTS_MAX];
    int verdicts_n;
    int64_t draw_ms, encode_ms, check_ms; /* wall clock of the stages; they overlap */
};

/* One line without its newline. ERR_SYNTAX or ERR_INVAL with `f` filled; `out` is then undefined.
 */
enum err protocol_parse_order(const char *line, size_t n, struct order *out, struct fault *f);
enum err protocol_parse_report(const char *line, size_t n, struct report *out, struct fault *f);

/* Appends the line without a newline. False when out of memory or a bound of `b` is passed. */
bool protocol_print_order(struct buf *b, const struct order *o);
bool protocol_print_report(struct buf *b, const struct report *r);

/* Have all verdicts passed? False for none at all: a clip that nobody checked has not passed. */
bool protocol_passed(const struct verdict *v, int n);

enum picture_kind { PICTURE_PREVIEW, PICTURE_REVIEW, PICTURE_STILL, PICTURE_KINDS };

#define PICTURE_HEADER 32
#define PICTURE_SIDE_MAX 1920
#define PICTURE_BYTES_MAX ((size_t)1920 * 1088 * 3)

/* On the wire, little endian: "SKP1", kind (1 byte), 3 zero bytes, id (8), serial (8), w (2), h
 * (2), byte count (4) = w*h*3; then the RGB triples, rows from the top. */
struct picture_head {
    enum picture_kind kind;
    int64_t id;
    uint64_t serial;
    int w, h;
    size_t bytes;
};

void protocol_put_head(uint8_t out[PICTURE_HEADER], const struct picture_head *h);
enum err protocol_get_head(const uint8_t in[PICTURE_HEADER], struct picture_head *h,
                           struct fault *f);

#endif
