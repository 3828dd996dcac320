/* app/options: the options and verbs of the program, in one table each.
 *
 * `--help`, the man page and the shell completions are printed from them. Options stand before or
 * after the verb; `--` ends them. */
#ifndef SAKUGA_APP_OPTIONS_H
#define SAKUGA_APP_OPTIONS_H

#include "base/err.h"

#include <stdbool.h>
#include <stdio.h>

struct options {
    const char *config, *data; /* NULL: the default */
    bool headless, help, version, ascii, debug, safe;
    const char *verb; /* NULL: run the show */
    char **args;      /* what followed the verb, its own options included */
    int arg_count;
};

enum verb_id {
    VERB_SHOW,
    VERB_CTL,
    VERB_DOCTOR,
    VERB_INFO,
    VERB_INSPECT,
    VERB_BACKUP,
    VERB_OBS,
    VERB_MODEL,
    VERB_GENERATE,
    VERB_REPLAY,
    VERB_COMPLETE,
    VERB_MAN,
};

struct verb {
    const char *name, *args, *help;
    enum verb_id id;
};

#define CLIP_LIST_MAX 8

/* What `generate` and `replay` are told; strings as they were given, NULL where nothing was. */
struct clip_options {
    const char *model, *prompt, *negative, *image, *last_image, *source, *mask, *control;
    const char *size, *frames, *steps, *guidance, *shift, *sampler, *teacache, *decoder, *tile;
    const char *seed, *device, *dtype, *encoder, *threads, *out;
    const char *lora[CLIP_LIST_MAX];
    int lora_count;
    const char *reference[CLIP_LIST_MAX];
    int reference_count;
    const char *file; /* the one word that is no option, NULL none */
};
/* The words behind the verb `v`, by the verb's own options. ERR_USAGE. */
enum err options_clip(struct clip_options *c, enum verb_id v, int n, char **words, struct fault *f);

/* Their options, in the order of the help; NULL behind the last. */
struct clip_row {
    const char *name;
    char letter; /* 0: none */
    const char *arg, *help;
};
const struct clip_row *options_clip_row(int i);

/* ERR_USAGE with a sentence when the words make no sense. `argv` must live as long as `o`. */
enum err options_parse(struct options *o, int argc, char **argv, struct fault *f);
const struct verb *options_verb(const char *name);
void options_help(FILE *to);
void options_ctl_help(FILE *to);
/* A shell completion script: "bash", "zsh" or "fish". False for another shell. */
bool options_complete(FILE *to, const char *shell);
/* The man page sakuga(1) in mdoc. */
void options_man(FILE *to);

#endif
