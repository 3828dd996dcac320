/* sakuga generate: one clip from the command line. */
#include "app/modes.h"
#include "app/once.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define FPS 16
_Static_assert(CLIP_LIST_MAX <= JOB_LORAS_MAX, "each --lora has its place");

static enum err number(const char *text, const char *name, double least, double most, double *out,
                       struct fault *f)
{
    char *end;
    if (!text)
        return ERR_OK;
    double v = strtod(text, &end);
    if (end == text || *end || !(v >= least && v <= most))
        return fault_set(f, ERR_USAGE, "--%s %s is not possible; %g to %g are", name, text, least,
                         most);
    *out = v;
    return ERR_OK;
}

static enum err whole(const char *text, const char *name, int least, int most, int *out,
                      struct fault *f)
{
    double v = *out;
    enum err e = number(text, name, least, most, &v, f);
    if (!e && v != floor(v))
        e = fault_set(f, ERR_USAGE, "--%s %s is not a whole number", name, text);
    *out = e ? *out : (int)v;
    return e;
}

static enum err size(const char *text, struct engine_job *j, struct fault *f)
{
    char rest;
    if (text &&
        (sscanf(text, "%dx%d%c", &j->width, &j->height, &rest) != 2 || j->width < 64 ||
         j->height < 64 || j->width > 1920 || j->height > 1088 || j->width % 16 || j->height % 16))
        return fault_set(f, ERR_USAGE,
                         "--size %s is not possible; WxH in multiples of 16, 64x64 to 1920x1088",
                         text);
    return ERR_OK;
}

static enum err seed(const char *text, uint64_t *out, struct fault *f)
{
    char *end;
    if (!text) {
        uint32_t drawn = 0; /* torch's generator takes 32 bits */
        if (getrandom(&drawn, sizeof drawn, 0) != sizeof drawn)
            return fault_set(f, ERR_IO, "no random numbers: %s; name a --seed", strerror(errno));
        *out = drawn;
        return ERR_OK;
    }
    errno = 0;
    *out = strtoull(text, &end, 10);
    if (text[0] < '0' || text[0] > '9' || *end || errno)
        return fault_set(f, ERR_USAGE, "--seed %s is not a whole number", text);
    return ERR_OK;
}

/* "NAME:WEIGHT"; without a weight 1 */
static enum err lora(const char *text, struct engine_job *j, struct fault *f)
{
    struct job_lora *l = &j->lora[j->lora_n++];
    const char *colon = strrchr(text, ':');
    size_t n = colon ? (size_t)(colon - text) : strlen(text);
    size_t good = strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-");
    l->weight = 1;
    l->must = true;
    if (!n || n >= sizeof l->name || good < n || text[0] == '.')
        return fault_set(f, ERR_USAGE,
                         "--lora %s: a LoRA is named by its file in the model's loras/, without "
                         ".safetensors",
                         text);
    memcpy(l->name, text, n);
    return number(colon ? colon + 1 : NULL, "lora", -10, 10, &l->weight, f);
}

static enum err input(const char *path, enum input_role role, struct engine_job *j, struct fault *f)
{
    if (!path)
        return ERR_OK;
    if (j->input_n == JOB_INPUTS_MAX)
        return fault_set(f, ERR_USAGE, "%s is one picture or video too many; use up to %d", path,
                         JOB_INPUTS_MAX);
    struct job_input *in = &j->input[j->input_n];
    char *real = realpath(path, NULL);
    if (!real || !str_copy(in->path, sizeof in->path, real)) {
        fault_set(f, ERR_NOTFOUND, "there is no picture or video %s: %s", path,
                  real ? "its path is too long" : strerror(errno));
        free(real);
        return f->code;
    }
    free(real);
    in->role = role;
    j->input_n++;
    return ERR_OK;
}

/* What it is drawn from. */
static enum err inputs(const struct clip_options *c, struct engine_job *j, struct fault *f)
{
    enum err e = input(c->image, INPUT_IMAGE, j, f);
    e = e ? e : input(c->last_image, INPUT_LAST_IMAGE, j, f);
    e = e ? e : input(c->source, INPUT_SOURCE, j, f);
    e = e ? e : input(c->mask, INPUT_MASK, j, f);
    e = e ? e : input(c->control, INPUT_CONTROL, j, f);
    for (int i = 0; i < c->reference_count && !e; i++)
        e = input(c->reference[i], INPUT_REFERENCE, j, f);
    return e;
}

static enum err fill(const struct clip_options *c, struct engine_job *j, int *threads,
                     struct fault *f)
{
    *j = (struct engine_job){
        .id = 1, .attempt = 1, .width = 832, .height = 480, .frames = 81, .fps = FPS};
    enum err e = ERR_OK;
    if (!c->model || !c->prompt || !c->out || c->file)
        return fault_set(f, ERR_USAGE,
                         "usage: sakuga generate --model DIR --prompt TEXT [OPTION…] -o CLIP.mp4");
    if (!str_copy(j->prompt, sizeof j->prompt, c->prompt) ||
        !str_copy(j->negative, sizeof j->negative, c->negative ? c->negative : ""))
        return fault_set(f, ERR_USAGE, "the prompt is too long");
    if (!j->prompt[0])
        return fault_set(f, ERR_USAGE, "--prompt is empty");
    str_printable(j->prompt);
    str_printable(j->negative);
    j->bare = c->negative && !j->negative[0];
    str_copy(j->sampler, sizeof j->sampler, c->sampler ? c->sampler : "");
    e = size(c->size, j, f);
    e = e ? e : whole(c->frames, "frames", 1, 1021, &j->frames, f);
    if (!e && j->frames % 4 != 1)
        e = fault_set(f, ERR_USAGE, "--frames %d is not possible; use 1, 5, 9 …", j->frames);
    e = e ? e : whole(c->steps, "steps", 1, 200, &j->steps, f);
    e = e ? e : whole(c->threads, "threads", 0, 1024, threads, f);
    e = e ? e : number(c->guidance, "guidance", 0, 100, &j->guidance, f);
    if (!e && c->guidance && j->guidance == 0)
        e = fault_set(f, ERR_USAGE, "--guidance 0 is not possible; 1 draws without guidance");
    e = e ? e : number(c->shift, "shift", 0, 1000, &j->shift, f);
    if (!e && c->shift && j->shift == 0)
        e = fault_set(f, ERR_USAGE, "--shift 0 is not possible; 1 leaves the steps as they are");
    e = e ? e : number(c->teacache, "teacache", 0, 1000, &j->teacache, f);
    if (!e && c->decoder && strcmp(c->decoder, "vae") && strcmp(c->decoder, "tiny"))
        e = fault_set(f, ERR_USAGE, "--decoder %s is not there; vae and tiny are", c->decoder);
    j->tiny = c->decoder && !strcmp(c->decoder, "tiny");
    e = e ? e : whole(c->tile, "tile", 0, 2048, &j->tile, f);
    if (!e && j->tile && (j->tile < 64 || j->tile % 32))
        e = fault_set(f, ERR_USAGE, "--tile %d is not possible; multiples of 32 from 64 on are",
                      j->tile);
    e = e ? e : seed(c->seed, &j->seed, f);
    for (int i = 0; i < c->lora_count && !e; i++)
        e = lora(c->lora[i], j, f);
    e = e ? e : inputs(c, j, f);
    return e ? e : once_path(j, c->out, f);
}

int mode_generate(const struct options *o)
{
    static struct engine_job job;
    static struct paths paths;
    struct clip_options c;
    struct once_made made;
    struct fault f = {0};
    struct once once = {.paths = &paths, .engine = "wan", .job = &job};
    enum err e = options_clip(&c, VERB_GENERATE, o->arg_count, o->args, &f);
    e = e ? e : fill(&c, &job, &once.threads, &f);
    e = e ? e : paths_init(&paths, o->config, o->data, &f);
    once.model = c.model;
    once.device = c.device;
    once.dtype = c.dtype;
    once.encoder = c.encoder;
    char *model = e ? NULL : realpath(c.model, NULL);
    if (model)
        once.model = model;
    if (!e)
        e = once_draw(&once, &made, &f);
    free(model);
    if (e) {
        fprintf(stderr, "sakuga: %s\n", fault_text(&f));
        if (e == ERR_CANCELLED && !c.seed)
            fprintf(stderr, "sakuga: its seed was --seed %llu\n", (unsigned long long)job.seed);
        return e == ERR_USAGE ? 2 : 1;
    }
    for (int i = 0; i < made.verdicts_n; i++)
        if (!made.verdicts[i].ok)
            fprintf(stderr, "sakuga: %s: %s\n", made.verdicts[i].name, made.verdicts[i].words);
    printf("%s  %d frames, %lld kB, seed %llu, drawn in %.1f s\n", c.out, made.frames,
           (long long)(made.bytes >> 10), (unsigned long long)job.seed, (double)made.draw_ms / 1e3);
    return 0;
}
