/* wan/wan_inside: the struct behind wan/wan.h, for model.c, pipeline.c and what they are made of.
 */
#ifndef SAKUGA_WAN_WAN_INSIDE_H
#define SAKUGA_WAN_WAN_INSIDE_H

#include "wan/ahead.h"
#include "wan/checkpoint.h"
#include "wan/dit.h"
#include "wan/files.h"
#include "wan/image.h"
#include "wan/lora.h"
#include "wan/t5.h"
#include "wan/tae.h"
#include "wan/teacache.h"
#include "wan/tokenizer.h"
#include "wan/turns.h"
#include "wan/vae.h"
#include "wan/vae_tile.h"
#include "wan/wan.h"

#define PROMPTS_KEPT 16 /* a megabyte each, of 60 tokens; 8 MB at most */

struct prompt_kept {
    char *text; /* NULL: free */
    float *context;
    int n;
    struct buf choices; /* that its numbers rely on (device_choices) */
    uint64_t used;
};

struct wan {
    struct files files;
    struct device *dev;
    struct wan_info info;
    struct dit_config config;
    uint64_t memory;             /* bytes there are, */
    uint64_t host;               /* and of the host; */
    uint64_t beside;             /* of a GPU's what is the caller's */
    struct tokenizer *tokenizer; /* on first need */

    /* loaded on first need, and kept */
    struct dit *dit;
    struct vae *vae; /* the decoder */
    struct tae *tae; /* the tiny one */
    bool no_peek;    /* it failed once as a preview */
    struct t5 t5;    /* open when t5.dev is set; its weights are kept where there is room */
    bool keep_text;
    enum dit_place place; /* of the dit that is loaded, or will be */
    struct patcher patcher;
    struct lora_set loras;             /* what the dit was loaded with */
    struct lora_set touched;           /* what a change of LoRAs touches */
    uint64_t lora_mark[WAN_LORAS_MAX]; /* what they were: a file may be another one by now */

    struct prompt_kept kept[PROMPTS_KEPT]; /* encoded lately; shows use one negative prompt */
    uint64_t prompts;                      /* encoded or found, so far */
    struct turns said;                     /* in the last clip, lent by wan_made, */
    struct buf choices;                    /* and what it relied on */

    double decode_rate[2]; /* seconds a latent frame and token, by VAE and tiny; 0 unknown */
};

/* One clip on its way. */
struct run {
    struct wan *w;
    struct wan_job job; /* complete */
    const struct wan_calls *calls;
    struct wan_made *made;
    struct fault *f;
    int frames, height, width; /* of the latent */
    int extra;                 /* its first frames, which are VACE's references, not the clip's */
    int64_t n;                 /* numbers of the latent */
    int done, steps;           /* steps made, and all */
    int saved;                 /* steps made when the last checkpoint was written */
    int finished;              /* blocks of a causal clip that the latent holds */
    int forwards, blocks;      /* of this step: forwards to do, blocks begun */
    int blocks_total;
    int64_t began_us, stage_us;
    double step_s;  /* mean of the steps made here */
    int steps_here; /* made in this process */
    enum wan_stage stage;
    float *latent, *x0, *v, *other, *fresh;
    float *y, *ref, *vace; /* conditions, or NULL */
    float *clip;           /* [clip_n, image_dim] or NULL */
    int64_t clip_n;
    struct dit_prompt *cond, *uncond;
    struct sampler *sampler;
    struct teacache tea[2]; /* of the guided and the unguided pass */
    struct noise noise;
    struct turns said;    /* the prompts of a causal clip so far, behind the job's own */
    struct buf what, how; /* of the checkpoint */
    struct buf told;      /* `said` as it goes there */
    struct late *late;    /* resume.c: one on its way to the disk, or NULL */
};

/* job.c: what a job says nothing of; is its size possible? */
void job_defaults(const struct wan *w, struct wan_job *j);
enum err job_size(const struct wan_job *j, struct fault *f);
/* The way and the steps of a complete job. */
enum err job_schedule(const struct wan_job *j, enum sampler_kind *kind, struct schedule *s,
                      struct fault *f);

/* model.c: plans the job, whose chunk and tile it fills, makes room for it as planned, and takes
 * the memory. Loads the networks, the transformer with its LoRAs. */
enum err model_prepare(struct wan *w, struct wan_job *job, struct fault *f);
enum err model_dit(struct wan *w, const struct wan_job *job, const struct wan_calls *calls,
                   struct fault *f);
enum err model_vae(struct wan *w, const struct stopper *stop, struct fault *f);
enum err model_tiny(struct wan *w, struct fault *f);
enum err model_lora_mark(const char *path, uint64_t *mark, struct fault *f); /* files_mark() */

/* prompt.c: text → context [n, text_dim], which the caller frees. What was encoded lately is known;
 * else it stops between layers. */
enum err prompt_encode(struct wan *w, const struct wan_calls *calls, const char *text,
                       float **context, int *n, struct fault *f);
enum err prompt_ready(const struct wan *w, struct fault *f); /* NOTFOUND: no tokenizer is there */
enum err prompt_tokenizer(struct wan *w, struct fault *f);   /* opened, where it is not yet */
void prompt_forget(struct wan *w);                           /* all that is known */

/* condition.c: pictures → y and clip, VACE's empty context → vace. */
enum err condition_make(struct run *r);

/* decode.c: the decoder that the job names, from the beginning of a clip on, and the way of its
 * pictures to the caller. A device that works by itself decodes the next ones while the caller
 * looks at those before; one in ordinary memory hands over what it has just decoded. */
struct decoder {
    struct run *r;
    struct vae_stream *vae;
    struct tae_stream *tae;
    struct parcel *parcel[2];     /* filled in turn */
    int turn;                     /* of the one that is filled next */
    bool ahead;                   /* the device works by itself */
    int waiting, waiting_latents; /* pictures in the parcel before, and what they were made of */
    int given, given_latents;     /* handed over */
};
/* `most`: latent frames at a time. Close it after a failure too. */
enum err decoder_open(struct run *r, int most, struct decoder *out);
/* Latent frames [from, from + n) of z, as vae_decode() takes them. */
enum err decoder_run(struct decoder *d, const float *z, int frames, int from, int n);
enum err decoder_flush(struct decoder *d); /* hands over what still waits */
void decoder_close(struct decoder *d);
/* r->latent → pictures, handed over. */
enum err decode_make(struct run *r);

/* causal.c: a clip of a causal model, its frames leaving block by block. */
enum err causal_make(struct run *r, int block);

/* resume.c: writes down what the job is; takes up its checkpoint, if there is one. */
enum err resume_begin(struct run *r);
/* After a step, or a block of a causal clip: leaves a checkpoint when one is due. One that cannot
 * be written spoils no clip. A block's may still be on its way to the disk while the next one is
 * made, where the device works by itself. */
void resume_save(struct run *r);
void resume_settle(struct run *r); /* waits for it */
/* The same of the state before a step under TeaCache, of which `whole` says that nothing that was
 * remembered went into it: before the latent is changed. */
void resume_save_before(struct run *r, bool whole);

/* pipeline.c: has the caller asked to stop? If he rests before he answers, the device does too. */
bool pipeline_asks(void *run);
/* The same; reports how far it is. */
bool pipeline_stop(void *run);
enum err pipeline_stopped(struct run *r);
/* What the clip relied on so far; lent until the next call. NULL: it cannot be said. */
const char *pipeline_choices(struct wan *w);
void pipeline_note(const struct run *r, const char *words); /* to the caller's log */
void pipeline_enter(struct run *r, enum wan_stage stage);
void pipeline_progress(struct run *r, int done, int total, double part);
double pipeline_since(int64_t us); /* seconds */
/* Shows `frames` latent frames of x0 as a preview. */
void pipeline_preview(struct run *r, const float *x0, int frames);
/* Hands `count` pictures over, in the form that the job asks for (struct wan_frames). */
enum err pipeline_give(struct run *r, const uint8_t *bytes, int first, int count);
size_t pipeline_frame_bytes(const struct wan_job *j); /* of one of them */

#endif
