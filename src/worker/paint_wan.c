/* The model as a painter: a job becomes a struct wan_job, its callbacks become progress, previews
 * and frames. A LoRA is an alias: the file of that name in the model's folder. */
#include "base/clock.h"
#include "base/log.h"
#include "base/path.h"
#include "media/encode.h"
#include "media/recipe.h"
#include "wan/wan.h"
#include "worker/inputs.h"
#include "worker/out.h"
#include "worker/run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define KEEP_EVERY 5 /* steps; short schedules keep each */
_Static_assert(JOB_LORAS_MAX <= WAN_LORAS_MAX && JOB_LORAS_MAX <= RECIPE_LORAS_MAX &&
                   JOB_INPUTS_MAX <= RECIPE_INPUTS_MAX,
               "a job's LoRAs and inputs fit everywhere");

struct wan_painter {
    struct painter base; /* first */
    char model[PATH_LEN];
    struct wan *wan;
    struct wan_made made; /* of the last job */
    char lora[WAN_LORAS_MAX][PATH_LEN];
    const char *alias[WAN_LORAS_MAX]; /* the job's */
    char negative[2048];
    const struct engine_job *job;
    struct inputs inputs;
};

/* ---- from the model ---- */

static bool on_stop(void *user)
{
    return run_stopped(user);
}

static bool on_rests(void *user)
{
    return run_rests(user);
}

static void on_stage(void *user, enum wan_stage stage)
{
    if (stage < WAN_SAMPLE) /* the later ones tell at once how far they are, after a resume too */
        run_progress(user, wan_stage_name(stage), 0, 0, -1);
}

static void on_progress(void *user, const struct wan_progress *p)
{
    run_progress(user, wan_stage_name(p->stage), p->fraction, p->overall,
                 p->left < 0 ? -1 : (int64_t)(p->left * 1000));
}

/* The middle of the clip tells more than its first frame. */
static void on_preview(void *user, const struct wan_preview *p)
{
    struct run *r = user;
    size_t frame = (size_t)p->width * (size_t)p->height * 3;
    out_picture(PICTURE_PREVIEW, r->job->id, p->width, p->height,
                p->rgb + frame * (size_t)(p->frames / 2));
}

static enum err on_frames(void *user, const struct wan_frames *p, struct fault *f)
{
    struct run *r = user;
    for (int i = 0; i < p->count; i++) {
        uint8_t *to = run_slot(r, p->first + i);
        if (!to)
            return fault_set(f, ERR_CANCELLED, "the job was cancelled");
        memcpy(to, (p->nv12 ? p->nv12 : p->rgb) + p->bytes * (size_t)i, p->bytes);
        run_preview(r, to);
        run_drawn(r, p->first + i);
    }
    return ERR_OK;
}

/* What a model says of a clip (keys of a LoRA were left out, it begins anew) is rare, and the one
 * who asked for the clip should see it. */
static void on_note(void *user, const char *words)
{
    struct run *r = user;
    log_warn("worker", "job %lld %s", (long long)r->job->id, words);
}

/* ---- to the model ---- */

static bool find_lora(const struct wan_painter *p, const char *alias, char *out)
{
    static const char *const places[] = {"loras", "lora", "."};
    const char *folder = wan_info(p->wan)->folder;
    for (size_t i = 0; i < sizeof places / sizeof *places; i++)
        if (snprintf(out, PATH_LEN, "%s/%s/%s.safetensors", folder, places[i], alias) < PATH_LEN &&
            !access(out, R_OK))
            return true;
    return false;
}

/* An alias that the style names may be missing here; one that was asked for may not. */
static enum err take_loras(struct wan_painter *p, const struct engine_job *j, struct wan_job *to,
                           struct fault *f)
{
    for (int i = 0; i < j->lora_n; i++) {
        char *path = p->lora[to->lora_n];
        if (find_lora(p, j->lora[i].name, path)) {
            p->alias[to->lora_n] = j->lora[i].name;
            to->lora[to->lora_n++] = (struct wan_lora){path, j->lora[i].weight};
        } else if (j->lora[i].must) {
            return fault_set(f, ERR_NOTFOUND, "there is no LoRA %s: %s/loras/%s.safetensors",
                             j->lora[i].name, wan_info(p->wan)->folder, j->lora[i].name);
        } else {
            log_warn("worker", "job %lld is drawn without the LoRA %s: %s/loras has none",
                     (long long)j->id, j->lora[i].name, wan_info(p->wan)->folder);
        }
    }
    return ERR_OK;
}

static enum err draw(struct painter *base, struct run *r, struct fault *f)
{
    struct wan_painter *p = (struct wan_painter *)base;
    const struct engine_job *j = r->job;
    const struct wan_calls calls = {.stop = on_stop,
                                    .rests = on_rests,
                                    .stage = on_stage,
                                    .progress = on_progress,
                                    .preview = on_preview,
                                    .frames = on_frames,
                                    .note = on_note,
                                    .user = r};
    struct wan_job job = {.prompt = j->prompt,
                          .negative = j->negative[0] || j->bare ? j->negative : NULL,
                          .width = j->width,
                          .height = j->height,
                          .frames = j->frames,
                          .steps = j->steps,
                          .guidance = j->guidance,
                          .shift = j->shift,
                          .sampler = j->sampler[0] ? j->sampler : NULL,
                          .seed = j->seed,
                          .teacache = j->teacache,
                          .tiny = j->tiny,
                          .tile = j->tile,
                          .nv12 = base->nv12,
                          .checkpoint_dir = r->vault,
                          .checkpoint_every = j->steps && j->steps <= 8 ? 1 : KEEP_EVERY};
    char note[sizeof wan_info(p->wan)->device_note];
    memset(&p->made, 0, sizeof p->made);
    if (!base->gpu) /* its encoder did not open */
        wan_set_beside(p->wan, 0);
    p->job = j;
    strcpy(note, wan_info(p->wan)->device_note);
    enum err e = take_loras(p, j, &job, f);
    if (!e)
        e = inputs_read(&p->inputs, j, &job, f);
    if (!e)
        e = wan_make(p->wan, &job, &calls, &p->made, f);
    if (p->made.job.negative) /* the job's text goes with the job */
        str_copy(p->negative, sizeof p->negative, p->made.job.negative);
    inputs_free(&p->inputs);
    if (strcmp(note, wan_info(p->wan)->device_note)) /* the device could not do all as asked */
        log_info("worker", "%s", wan_info(p->wan)->device_note);
    if (!e)
        log_info("worker",
                 "job %lld: %d tokens, text %.1f s, %d steps %.1f s (%d spared), decode %.1f s",
                 (long long)j->id, p->made.tokens, p->made.text_s, p->made.job.steps,
                 p->made.sample_s, p->made.resumed, p->made.decode_s);
    return e;
}

/* As many whole lines as a recipe holds, which is more than a clip of one prompt has. */
static void sign_choices(char *to, const char *lines)
{
    size_t n = strlen(lines);
    while (n >= RECIPE_CHOICES_MAX || (n && lines[n - 1] != '\n'))
        n--;
    memcpy(to, lines, n);
    to[n] = '\0';
}

static void sign(struct painter *base, struct recipe *m)
{
    const struct wan_painter *p = (const struct wan_painter *)base;
    const struct wan_info *i = wan_info(p->wan);
    const struct wan_job *j = &p->made.job;
    struct recipe_model *to = &m->model;
    str_copy(to->path, sizeof to->path, p->model);
    str_copy(to->id, sizeof to->id, i->id);
    str_copy(to->variant, sizeof to->variant, i->variant);
    str_copy(to->stored, sizeof to->stored, i->stored);
    str_copy(to->computed, sizeof to->computed, i->computed);
    str_copy(to->device, sizeof to->device, i->device);
    str_copy(to->device_words, sizeof to->device_words, i->device_words);
    str_copy(to->runtime, sizeof to->runtime, i->build);
    str_copy(to->pixels, sizeof to->pixels, j->nv12 ? "nv12" : "");
    str_copy(to->sampler, sizeof to->sampler, j->sampler);
    str_copy(m->negative, sizeof m->negative, p->negative);
    to->threads = i->threads;
    to->guidance = j->guidance;
    to->shift = j->shift;
    to->teacache = j->teacache;
    if (j->tiny)
        str_copy(to->tiny, sizeof to->tiny, i->tiny_id);
    to->tile = j->tile;
    to->resumed = p->made.resumed;
    sign_choices(to->choices, p->made.choices);
    m->steps = j->steps;
    for (int k = 0; k < p->job->input_n; k++) {
        const struct job_input *from = &p->job->input[k];
        struct recipe_input *in = &to->input[to->input_n++];
        str_copy(in->role, sizeof in->role, protocol_role_name(from->role));
        str_copy(in->path, sizeof in->path, from->path);
        str_copy(in->sha256, sizeof in->sha256, p->inputs.sha256[k]);
        if (from->role == INPUT_IMAGE)
            str_copy(to->image, sizeof to->image, from->path);
    }
    for (int k = 0; k < j->lora_n; k++) {
        struct recipe_lora *l = &to->lora[to->lora_n++];
        str_copy(l->name, sizeof l->name, p->alias[k]);
        str_copy(l->id, sizeof l->id, p->made.lora_id[k]);
        l->weight = j->lora[k].strength;
    }
}

static enum err warm(struct painter *base, struct fault *f)
{
    struct wan_painter *p = (struct wan_painter *)base;
    int64_t began = clock_mono_ms();
    enum err e = wan_warm(p->wan, f);
    if (e && e != ERR_LOST)
        log_warn("worker", "the model could not be loaded ahead: %s", fault_text(f));
    if (!e)
        log_info("worker", "the model is loaded, in %.1f s",
                 (double)(clock_mono_ms() - began) / 1000);
    return e;
}

static void ended(struct painter *base, bool again)
{
    struct wan_painter *p = (struct wan_painter *)base;
    if (!again && p->made.checkpoint[0])
        path_remove(p->made.checkpoint);
    p->made.checkpoint[0] = '\0';
}

struct painter *paint_wan(const char *model, const char *device, const char *dtype,
                          const char *encoder, int threads, struct fault *f)
{
    struct wan_painter *p = calloc(1, sizeof *p);
    char *real = realpath(model, NULL);
    if (!p) {
        fault_set(f, ERR_NOMEM, "out of memory");
        free(real);
        return NULL;
    }
    str_copy(p->model, sizeof p->model, real ? real : model);
    free(real);
    const struct wan_setup setup = {
        .model = p->model, .device = device, .dtype = dtype, .threads = threads};
    if (wan_open(&setup, &p->wan, f) || wan_ready(p->wan, f)) {
        wan_free(p->wan);
        free(p);
        return NULL;
    }
    p->base = (struct painter){.engine = "wan",
                               .stage = "text",
                               .gpu = !strcmp(wan_info(p->wan)->device, "cuda"),
                               .nv12 = true,
                               .shares = {0.96, 0.02, 0.02},
                               .warm = warm,
                               .draw = draw,
                               .sign = sign,
                               .ended = ended};
    if (p->base.gpu)
        wan_set_beside(p->wan, encode_gpu_bytes(encoder));
    log_info("worker", "%s in %s, %s", wan_info(p->wan)->variant, p->model,
             wan_info(p->wan)->device_words);
    if (wan_info(p->wan)->device_note[0])
        log_info("worker", "%s", wan_info(p->wan)->device_note);
    return &p->base;
}
