/* What `generate` and `replay` are told: their own options, in one table. */
#include "app/options.h"

#include <stddef.h>
#include <string.h>

#define FOR(verb) (1u << (verb))
#define AT(m) offsetof(struct clip_options, m)

static const struct row {
    struct clip_row shown;
    size_t at;    /* of a string, or of a list of CLIP_LIST_MAX … */
    size_t count; /* … whose length is there; 0: no list */
    unsigned verbs;
} rows[] = {
    {{"model", 'm', "DIR", "the model's folder, or the transformer's file in it"},
     AT(model),
     0,
     FOR(VERB_GENERATE) | FOR(VERB_REPLAY)},
#define OWN(name, letter, arg, member, help)                                                       \
    {                                                                                              \
        {name, letter, arg, help}, AT(member), 0, FOR(VERB_GENERATE)                               \
    }
#define LIST(name, letter, arg, member, help)                                                      \
    {                                                                                              \
        {name, letter, arg, help}, AT(member), AT(member##_count), FOR(VERB_GENERATE)              \
    }
    OWN("prompt", 'p', "TEXT", prompt, "what the clip shows"),
    OWN("negative", 'n', "TEXT", negative,
        "what it should not show (default: Wan's own; \"\": nothing)"),
    OWN("image", 'i', "FILE", image, "the first frame, for an image model"),
    OWN("last-image", 0, "FILE", last_image, "the last frame, for a first-and-last-frame model"),
    OWN("source", 0, "FILE", source, "a video to change or to go on from, for a VACE model"),
    OWN("mask", 0, "FILE", mask,
        "white is made anew, black stays: a picture, or a video as long as the source"),
    OWN("control", 0, "FILE", control,
        "a video of poses, depths or lines that the clip follows, for a Fun-Control model"),
    LIST("reference", 0, "FILE", reference,
         "a picture of what things look like, for VACE (may be repeated) and Fun-Control V1.1"),
    OWN("size", 's', "WxH", size, "multiples of 16 (default 832x480)"),
    OWN("frames", 'f', "N", frames, "1, 5, 9 …, 16 a second (default 81)"),
    OWN("steps", 0, "N", steps, "default: the model's own"),
    OWN("guidance", 'g', "G", guidance,
        "how strictly the prompt is followed; 1: without, in half the time"),
    OWN("shift", 0, "S", shift, "steps spent on large shapes"),
    OWN("sampler", 0, "NAME", sampler,
        "unipc, dpm++, euler or lcm; of a distilled model: lightx2v, self-forcing or causvid"),
    OWN("teacache", 0, "T", teacache,
        "leave out what changes less than T, 0.05 for 1.3B, 0.2 for 14B: faster, another clip"),
    OWN("decoder", 0, "NAME", decoder,
        "vae, or tiny: the folder's taew2_1, a twentieth of the work, a little soft"),
    OWN("tile", 0, "N", tile,
        "decode in tiles of N pixels, 256 say: less memory, a little different at seams"),
    OWN("seed", 0, "N", seed, "the same seed, the same clip"),
    LIST("lora", 'l', "NAME:W", lora,
         "a LoRA of the model's loras/ with its weight; may be repeated"),
    OWN("device", 0, "NAME", device, "auto, cpu or cuda"),
    OWN("dtype", 0, "NAME", dtype,
        "of the arithmetic: auto, f32, bf16; on a GPU fp8, fp8-linear, fp8-weight"),
    OWN("encoder", 0, "NAME", encoder, "auto (the GPU's, where it has one), libx264 or h264_nvenc"),
    OWN("threads", 't', "N", threads, "on the CPU (default: one a core)"),
    {{"output", 'o', "FILE", "the clip that is written"},
     AT(out),
     0,
     FOR(VERB_GENERATE) | FOR(VERB_REPLAY)},
#undef OWN
#undef LIST
};
#define ROWS (sizeof rows / sizeof *rows)

const struct clip_row *options_clip_row(int i)
{
    return i >= 0 && i < (int)ROWS ? &rows[i].shown : NULL;
}

/* The row that a word names, by either name; its value, where the word holds it. */
static const struct row *find(enum verb_id v, const char *word, const char **value)
{
    const char *eq = strchr(word, '=');
    size_t n = eq ? (size_t)(eq - word) : strlen(word);
    *value = eq && !strncmp(word, "--", 2) ? eq + 1 : NULL;
    for (size_t i = 0; i < ROWS; i++) {
        const struct clip_row *r = &rows[i].shown;
        if (!(rows[i].verbs & FOR(v)))
            continue;
        if (!strncmp(word, "--", 2) && strlen(r->name) == n - 2 &&
            !strncmp(word + 2, r->name, n - 2))
            return &rows[i];
        if (r->letter && word[0] == '-' && word[1] == r->letter && !word[2])
            return &rows[i];
    }
    return NULL;
}

static enum err take(struct clip_options *c, const struct row *r, const char *value,
                     struct fault *f)
{
    const char **to = (const char **)(void *)((char *)c + r->at);
    if (r->count) {
        int *count = (int *)(void *)((char *)c + r->count);
        if (*count == CLIP_LIST_MAX)
            return fault_set(f, ERR_USAGE, "--%s more than %d times is not possible", r->shown.name,
                             CLIP_LIST_MAX);
        to += (*count)++;
    }
    *to = value;
    return ERR_OK;
}

enum err options_clip(struct clip_options *c, enum verb_id v, int n, char **words, struct fault *f)
{
    *c = (struct clip_options){0};
    for (int i = 0; i < n; i++) {
        const char *value;
        const struct row *r = words[i][0] == '-' ? find(v, words[i], &value) : NULL;
        if (!r && words[i][0] == '-' && words[i][1])
            return fault_set(f, ERR_USAGE, "there is no option %s here; see sakuga --help",
                             words[i]);
        if (!r && c->file)
            return fault_set(f, ERR_USAGE, "%s is one word too many; quote what has blanks",
                             words[i]);
        if (!r) {
            c->file = words[i];
            continue;
        }
        if (!value && ++i < n)
            value = words[i];
        if (!value)
            return fault_set(f, ERR_USAGE, "--%s needs %s", r->shown.name, r->shown.arg);
        enum err e = take(c, r, value, f);
        if (e)
            return e;
    }
    return ERR_OK;
}
