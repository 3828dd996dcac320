/* show/style: presets by name. Registered by scripts, chosen by viewers, used by jobs. Pure. */
#ifndef SAKUGA_SHOW_STYLE_H
#define SAKUGA_SHOW_STYLE_H

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

#define STYLES_MAX 64
#define STYLE_COLOURS 6

struct style {
    char name[32];       /* "ghibli": letters, digits, '-', '_' */
    char about[120];     /* one line for `!styles` and the console */
    char template_[512]; /* the prompt stands where it says {prompt} */
    char negative[512];
    char lora[64]; /* alias, never a path; "" none */
    double lora_weight;
    int width, height, steps;        /* 0: the engine's default */
    uint32_t palette[STYLE_COLOURS]; /* 0xRRGGBB, from the darkest to the accent */
    int colours;
};

struct styles {
    struct style all[STYLES_MAX];
    int count;
};

/* Checks and adds, or replaces the one of the same name. */
enum err style_add(struct styles *s, const struct style *style, struct fault *f);
/* By name without regard to case; NULL when unknown. "" and "default" give the one that asks for
 * nothing: the engine chooses. */
const struct style *style_find(const struct styles *s, const char *name);
/* The nearest known name to a misspelt one, NULL when none is near. */
const char *style_nearest(const struct styles *s, const char *name);

#endif
