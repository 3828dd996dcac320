#include "wan/preset.h"

#include <string.h>

/* 1000, 750, 500, 250 of 1000, shifted by 5: 5k / (1 + 4k) */
#define FOUR                                                                                       \
    {                                                                                              \
        1.0, 0.9375, 5.0 / 6, 0.625                                                                \
    }

static const struct preset presets[] = {
    {"lightx2v", SAMPLER_EULER, 4, FOUR, 0},
    {"self-forcing", SAMPLER_LCM, 4, FOUR, 3},
    {"causvid", SAMPLER_LCM, 9, {.999, .934, .862, .756, .603, .410, .250, .140, .074}, 3},
};

const struct preset *preset_find(const char *name)
{
    for (size_t i = 0; name && i < sizeof presets / sizeof *presets; i++)
        if (!strcmp(presets[i].name, name))
            return &presets[i];
    return NULL;
}
