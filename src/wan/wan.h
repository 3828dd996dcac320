/* wan/wan: a prompt becomes a video. The whole runtime behind one handle; nothing else of wan/ is
 * needed to use it (doc/example-wan.c).
 *
 *     wan_open()  finds the files of a model folder and maps them; milliseconds, no weight is read
 *     wan_warm()  loads the weights ahead of the first clip, where that is wanted
 *     wan_make()  prompt → text encoder → sampler over the transformer → decoder → your frames
 *     wan_free()
 *
 * One thread drives a handle; callbacks come on it, from inside wan_make(). Weights stay loaded
 * between clips. The same setup, job and seed give the same frames, bit for bit. Errors are values:
 * a struct fault names the file, the tensor or the parameter; cancelled is ERR_CANCELLED. After
 * ERR_LOST the GPU takes no more calls of this process: free the handle, end the process. */
#ifndef SAKUGA_WAN_WAN_H
#define SAKUGA_WAN_WAN_H

#include "base/err.h"
#include "base/path.h"

#include <stdbool.h>
#include <stdint.h>

#define WAN_FPS 16
#define WAN_LORAS_MAX 8
#define WAN_WIDTH_MAX 1920
#define WAN_HEIGHT_MAX 1088
#define WAN_FRAMES_MAX 1021 /* 4n + 1 */
#define WAN_TURNS_MAX 85    /* of the longest clip a block of three latent frames each */
#define WAN_REFERENCES_MAX 8

struct wan;

struct wan_setup {
    const char *model;  /* a folder in any of the three layouts, or the transformer's file in one */
    const char *device; /* "auto", "cpu", "cuda"; NULL: "auto" */
    int threads;        /* 0: one a core */
    uint64_t memory;    /* bytes it may take; 0: what the device has */
    const char *dtype;  /* of the arithmetic, as of struct device_setup; NULL: "auto", its best */
    bool no_graphs;     /* passes of a causal clip are not recorded: to see what that is worth */
};

/* What was found. Paths are relative to `folder`, "" where there is no such file. */
struct wan_info {
    char folder[PATH_LEN];
    char transformer[256], text_encoder[256], vae[256], clip[256], tokenizer[256];
    char tiny_id[17];   /* of the next, hex */
    char tiny[256];     /* TAEHV's decoder for Wan 2.1, where the user put one */
    char tokens_by[24]; /* "libsentencepiece" or "own algorithm" */
    char variant[32];   /* "t2v 1.3B", "i2v 14B", "vace 1.3B", "t2v width 256" */
    char id[17];        /* fingerprint of names, shapes and samples of all weights, hex */
    char stored[16];    /* number format of most of the transformer's weights */
    char computed[16];  /* of the arithmetic */
    char device[16], device_words[256]; /* which, and the choices it made */
    char device_note[200];              /* why it is no better one, or ""; a clip may change it */
    char build[17];                     /* key of this build of the runtime, hex */
    int threads;
    int64_t dim, ffn, text_dim, vocabulary, parameters; /* the last: of the transformer */
    int heads, layers, text_layers, input_channels;
    bool image, last_image; /* it wants a picture, and a last one */
    bool vace;              /* it may have a source, a mask, references */
    bool control;           /* Fun-Control: it may have a control video, and a first picture … */
    bool reference;         /* … and, V1.1, a reference */
    bool resident;          /* the transformer fits in memory as a whole */
};

enum err wan_open(const struct wan_setup *setup, struct wan **out, struct fault *f);
void wan_free(struct wan *w); /* NULL is fine */
const struct wan_info *wan_info(const struct wan *w);
/* Of a GPU's memory, what the caller takes for himself, a video encoder: no clip and no plan uses
 * it from here on. */
void wan_set_beside(struct wan *w, uint64_t bytes);
/* wan_open() needs the transformer alone; is all there that a clip takes? */
enum err wan_ready(const struct wan *w, struct fault *f);
/* The same of the tiny decoder, which draws previews and, for wan_job.tiny, the clip: NOTFOUND
 * where there is none, CORRUPT where it cannot be used. Without it previews are coarser. */
enum err wan_ready_tiny(const struct wan *w, struct fault *f);

/* RGB, 8 bits, rows from the top. */
struct wan_picture {
    const uint8_t *rgb;
    int width, height;
};

/* A video of the clip's own size and rate: frames one behind the other as a picture's rows. */
struct wan_video {
    const uint8_t *rgb;
    int frames, width, height;
};

/* One byte a pixel: from 128 on white. */
struct wan_mask {
    const uint8_t *white;
    int frames, width, height;
};

struct wan_lora {
    const char *path;
    double strength; /* may be negative */
};

/* From a frame on, a causal clip is of something else. What was shown stays in sight, so that one
 * flows into the other. A list of them is known before; wan_calls.turn is asked on the way. */
struct wan_turn {
    int frame; /* the first block that begins there or later has the new prompt */
    const char *prompt;
};

/* Loads now what the first clip would load; what fails is told then too. A show calls it while
 * nobody waits. */
enum err wan_warm(struct wan *w, struct fault *f);

/* 0 and NULL ask for the model's default, where one is named. */
struct wan_job {
    const char *prompt;
    const char *negative;            /* NULL: Wan's own; "": an empty one */
    const struct wan_picture *image; /* image models: the first frame; Fun-Control: or NULL */
    const struct wan_picture *last;  /* FLF2V: the last frame */
    const struct wan_video *source;  /* VACE: what there is. Behind its end all is to be made */
    const struct wan_mask *mask;     /* VACE: white is to be made anew, black stays; one frame for
                                      * all, or one for each of the source. NULL: all is white */
    const struct wan_video *control; /* Fun-Control: poses, depths, lines … Behind its end: free */
    const struct wan_picture *reference; /* what things look like. VACE: of any size, on white;
                                          * Fun-Control V1.1: one, brought to the clip's size */
    int reference_n;
    int width, height;           /* multiples of 16; 832 x 480 */
    int frames;                  /* 4n + 1; 81 */
    int steps;                   /* 50, 40 for models that begin with a picture */
    double guidance;             /* 5; 1: none, half the work */
    double guide_from, guide_to; /* guided part of the steps, 0 to 1; 0, 0: all */
    bool zero_star;              /* CFG-Zero*: the negative prompt's velocity is scaled to fit, */
    int zero_init;               /* and of so many first steps (1 or 2) it is 0; 0: none */
    double shift;                /* 5, 3 for small image models, 16 for FLF2V and VACE */
    const char *sampler;         /* "unipc", "dpm++", "euler", "lcm", or the way of a distilled
                                  * model, which has its own steps, shift and no guidance:
                                  * "lightx2v", "self-forcing", "causvid"; "unipc" */
    bool simple;                 /* ComfyUI's schedule in place of the sampler's own */
    const double *sigmas;        /* or a falling list, `steps` of them */
    uint64_t seed;               /* as torch's CPU generator takes it: the low 32 bits count */
    struct wan_lora lora[WAN_LORAS_MAX];
    int lora_n;
    const struct wan_turn *turn; /* "self-forcing" and "causvid": `turn_n` of them, frames rising */
    int turn_n;
    bool live;                  /* and others may come: so it is where wan_calls.turn is given, and
                                 * wan_plan() counts them */
    int chunk;                  /* latent frames decoded at once; what is planned. No effect on the
                                 * result */
    double teacache;            /* threshold at which steps reuse the last one's blocks, about 0.05
                                 * for 1.3B to 0.3; 0: never. Likeness for speed. Checkpoints then
                                 * come with whole steps only. Not for
                                 * causal clips */
    bool tiny;                  /* decode with the folder's tiny decoder: a twentieth of the work, a
                                 * little soft */
    bool nv12;                  /* frames come as NV12, as video encoders take them: half the bytes,
                                 * and on a GPU its work */
    int tile;                   /* decode in overlapping tiles of so many pixels, 256 say, for
                                 * memory's sake; 0: the whole picture where it fits, else as
                                 * planned. Differs a little at seams. Not for causal clips */
    const char *checkpoint_dir; /* a folder, or NULL: keep no checkpoints */
    int checkpoint_every;       /* steps; 1. A causal clip keeps every block */
};

enum wan_stage { WAN_LOAD, WAN_TEXT, WAN_IMAGE, WAN_SAMPLE, WAN_DECODE, WAN_STAGES };
const char *wan_stage_name(enum wan_stage s); /* "load", "text", "image", "sample", "decode" */

struct wan_progress {
    enum wan_stage stage;
    int done, total; /* steps, or latent frames; 0 of 1 elsewhere */
    double fraction; /* of the stage; moves within a step too */
    double overall;  /* of the clip, by the estimated time */
    double seconds;  /* since the job began */
    double left;     /* to its end; −1: unknown yet */
};

/* What a step believes the end will look like: a small picture a latent frame. A pixel is a cell of
 * the latent; on a GPU, where the folder has the tiny decoder, every fourth step is drawn by that,
 * twice as fine. */
struct wan_preview {
    const uint8_t *rgb; /* [frames][height][width][3] */
    int frames, width, height;
    int step; /* 1, 2, … */
};

/* For each frame [height][width][3], or, with wan_job.nv12, [height][width] of luma and then
 * [height/2][width/2][2] of chroma, Cb and Cr (BT.709, limited range, sited between four pixels).
 */
struct wan_frames {
    const uint8_t *rgb, *nv12; /* rounded; one of them is NULL */
    size_t bytes;              /* of a frame */
    int first, count, width, height;
};

/* Any may be NULL. Memory is lent for the length of the call. */
struct wan_calls {
    bool (*stop)(void *user);  /* asked before every block, of loading too, and
                                * every chunk; true ends with CANCELLED. On a GPU a pass of a causal
                                * clip, tens of milliseconds, is as one block, unless it rests */
    bool (*rests)(void *user); /* will stop() take its time to answer, so that others get the
                                * device? Then the device has done all it was given before */
    void (*stage)(void *user, enum wan_stage stage);
    void (*progress)(void *user, const struct wan_progress *p); /* each step, and in between */
    void (*preview)(void *user, const struct wan_preview *p);
    enum err (*frames)(void *user, const struct wan_frames *p, struct fault *f); /* an error ends */
    void (*note)(void *user, const char *words); /* worth a line in a log */
    /* Causal clips: what is the block of that begins at `frame`? Asked before each but the first,
     * which is of the job's prompt, and those that a checkpoint holds. NULL, or what it is of
     * already, also by the job's list: that stays. Another text is encoded now and stays until the
     * next; one that cannot be ends the clip. */
    const char *(*turn)(void *user, int frame);
    void *user;
};

/* How it was made: what a recipe should hold. Filled as far as the job came. */
struct wan_made {
    struct wan_job job;              /* with the defaults filled in; pointers are the caller's */
    int tokens;                      /* of the prompt, with its end mark */
    char lora_id[WAN_LORAS_MAX][17]; /* fingerprints of the job's LoRAs, hex */
    /* The prompts that came after it, each at the frame that its block begins at, by the list or by
     * wan_calls.turn: as the job's list they give the same frames. Lent by the handle until its
     * next clip is over. */
    const struct wan_turn *turn;
    int turn_n;
    /* The algorithms that the device had to choose for it, as lines "KEY CANDIDATE WORDS"
     * (tensor/device.h, device_choices); "": there were none. Lent in the same way. */
    const char *choices;
    int resumed;               /* steps that a checkpoint spared, 0: none */
    char checkpoint[PATH_LEN]; /* the file that is left; the caller removes it when all is done */
    double text_s, sample_s, decode_s;
};

/* Where `checkpoint_dir` holds a checkpoint of the same job it goes on from there; where that one
 * was made in another way (device, threads, build, an algorithm that the device would choose
 * otherwise now) it says so by note() and begins anew. */
enum err wan_make(struct wan *w, const struct wan_job *job, const struct wan_calls *calls,
                  struct wan_made *made, struct fault *f);

/* The defaults, and what is impossible: what wan_make() does first. */
enum err wan_job_complete(const struct wan *w, struct wan_job *job, struct fault *f);

/* Writes the tensors of one network (a .pth, an index with shards, or a model folder, which means
 * its transformer) as one safetensors file, with the names of the original release. */
enum err wan_convert(const char *from, const char *to, struct fault *f);

/* What a job takes of the device's memory, by running it on one that only counts, and how what
 * there is will do. In bytes. */
struct wan_plan {
    uint64_t memory;                         /* what there is */
    uint64_t transformer, text_encoder, vae; /* weights that stay, in the form they are used in */
    uint64_t text, image, sample, decode;    /* the most that each stage takes beside those */
    uint64_t aside;                          /* of libraries, on the way, and the next */
    uint64_t beside;                         /* the caller's (wan_set_beside) */
    uint64_t sum;                            /* of weights, of the largest stage, and that */
    uint64_t host;                           /* parked blocks, in the host's memory */
    bool resident;                           /* the transformer stays as a whole; else its blocks */
    bool parked;     /* … come in turns from host memory; else from files */
    bool keep_text;  /* the text encoder stays for the next prompt */
    int chunk, tile; /* of the job, or chosen */
};

/* A host's ways are fixed; on a device of its own memory the first that fits of: all weights stay;
 * not the text encoder; in tiles; blocks in turns; not the text encoder; in tiles. NOMEM, naming
 * both numbers, when the last does not fit: *out is that, then. Pictures of the job need not be
 * there. */
enum err wan_plan(const struct wan *w, const struct wan_job *job, struct wan_plan *out,
                  struct fault *f);

/* Wan's own negative prompt for this model (spec 11.2). */
const char *wan_negative(const struct wan *w);

#endif
