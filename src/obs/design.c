/* The design in one table. Each slot (A, B) is a helper scene "sakuga card A" that holds the media
 * input, the lower third and the label; `sakuga result` holds both cards, one enabled at a time. So
 * text and picture of a clip change together, in one step, whether the cut goes to another scene or
 * stays in the same one. `sakuga gallery` does the same with "sakuga gallery A", which is that card
 * with a badge. Under everything lies the backdrop, so that a clip that fails never leaves black;
 * the gallery has the standby card there.
 *
 * A scene that is cut to holds few items, and `sakuga standby`, where a panic leads, one. At each
 * cut OBS fills its list of the scene's sources, a row of widgets per item, before it answers: 5 ms
 * for one item, 14 for the five that it nests (OBS 29). So what standby shows is a helper scene,
 * "sakuga curtain"; and the chime sits in the backdrop, which each of the four shows exactly once.
 *
 * Only colours and text, no image files: OBS may run on another machine, where our paths mean
 * nothing. Text boxes have the bounds MAX_ONLY: a long line shrinks, a short one keeps its size. */
#include "obs/design.h"

#include <string.h>

const char *const design_scenes[] = {
    "sakuga backdrop",  "sakuga curtain", "sakuga card A",     "sakuga card B", "sakuga gallery A",
    "sakuga gallery B", "sakuga standby", "sakuga generating", "sakuga result", "sakuga gallery"};

#define NIGHT 0x17142bff
#define DUSK 0x2a2149ff
#define SAKURA 0xf4a6c0ff
#define SNOW 0xfff7fbff
#define MIST 0xbdb4d9ff
#define PLATE 0x14112ad9

#define WHOLE 0, 0, 1, 1, CENTER
#define BACKDROP(s)                                                                                \
    {                                                                                              \
        s, "sakuga backdrop", KIND_SCENE, WHOLE, 0, 0, 0, false, NULL                              \
    }
#define CURTAIN(s)                                                                                 \
    {                                                                                              \
        s, "sakuga curtain", KIND_SCENE, WHOLE, 0, 0, 0, false, NULL                               \
    }
#define COLOR(s, n, x, y, w, h, c)                                                                 \
    {                                                                                              \
        s, n, KIND_COLOR, x, y, w, h, CENTER, c, 0, 0, false, NULL                                 \
    }
#define BAND(n, x, y, w, h, c, deg)                                                                \
    {                                                                                              \
        "sakuga backdrop", n, KIND_COLOR, x, y, w, h, CENTER, c, 0, deg, false, NULL               \
    }
#define TEXT(s, n, x, y, w, h, a, c, size, t)                                                      \
    {                                                                                              \
        s, n, KIND_TEXT, x, y, w, h, a, c, size, 0, false, t                                       \
    }
#define CARD(s, n, off)                                                                            \
    {                                                                                              \
        s, n, KIND_SCENE, WHOLE, 0, 0, 0, off, NULL                                                \
    }
#define LOWER_THIRD(s, slot)                                                                       \
    {s, "sakuga clip " slot, KIND_CLIP, WHOLE, 0, 0, 0, false, NULL},                              \
        COLOR(s, "sakuga plate", 0.04, 0.745, 0.92, 0.21, PLATE),                                  \
        COLOR(s, "sakuga accent", 0.04, 0.745, 0.008, 0.21, SAKURA),                               \
        TEXT(s, "sakuga viewer " slot, 0.065, 0.757, 0.60, 0.06, LEFT, SAKURA, 0.040, " "),        \
        TEXT(s, "sakuga style " slot, 0.68, 0.757, 0.26, 0.06, RIGHT, MIST, 0.034, " "),           \
        TEXT(s, "sakuga prompt " slot, 0.065, 0.822, 0.875, 0.125, LEFT, SNOW, 0.042, " "),        \
        COLOR(s, "sakuga label plate", 0.80, 0.095, 0.16, 0.06, PLATE),                            \
        TEXT(s, DESIGN_LABEL, 0.806, 0.095, 0.148, 0.06, CENTER, SNOW, 0.034, " ")
#define BADGE(s)                                                                                   \
    COLOR(s, "sakuga badge plate", 0.04, 0.095, 0.21, 0.06, PLATE),                                \
        TEXT(s, "sakuga badge", 0.046, 0.095, 0.198, 0.06, CENTER, SNOW, 0.034,                    \
             "gallery · ギャラリー")

/* From the bottom up within each scene. */
const struct design_row design_rows[] = {
    COLOR("sakuga backdrop", "sakuga night", 0, 0, 1, 1, NIGHT),
    BAND("sakuga band 1", 0.97, 0.40, 0.30, 2.4, DUSK, 24),
    BAND("sakuga band 2", 0.81, 0.40, 0.035, 2.4, 0xf4a6c038, 24),
    BAND("sakuga band 3", 0.757, 0.40, 0.012, 2.4, 0xf4a6c060, 24),
    BAND("sakuga band 4", 0.03, 0.60, 0.10, 2.4, 0x2a214980, 24),
    {"sakuga backdrop", DESIGN_CHIME, KIND_CHIME, 0, 0, 0.01, 0.01, CENTER, 0, 0, 0, false, NULL},
    BACKDROP("sakuga curtain"),
    COLOR("sakuga curtain", "sakuga standby rule", 0.09, 0.575, 0.14, 0.008, SAKURA),
    TEXT("sakuga curtain", "sakuga title", 0.085, 0.28, 0.55, 0.26, LEFT, SNOW, 0.17, "sakuga"),
    TEXT("sakuga curtain", "sakuga subtitle", 0.09, 0.61, 0.62, 0.08, LEFT, SAKURA, 0.052,
         "まもなく上映 · the show begins soon"),
    TEXT("sakuga curtain", "sakuga invitation", 0.09, 0.70, 0.62, 0.07, LEFT, MIST, 0.044,
         "ask for a clip in chat:  !anime a fox in the rain"),
    LOWER_THIRD("sakuga card A", "A"),
    LOWER_THIRD("sakuga card B", "B"),
    CARD("sakuga gallery A", "sakuga card A", false),
    BADGE("sakuga gallery A"),
    CARD("sakuga gallery B", "sakuga card B", false),
    BADGE("sakuga gallery B"),
    CURTAIN("sakuga standby"),
    BACKDROP("sakuga generating"),
    COLOR("sakuga generating", "sakuga generating rule", 0.09, 0.455, 0.14, 0.008, SAKURA),
    TEXT("sakuga generating", "sakuga drawing", 0.085, 0.23, 0.60, 0.19, LEFT, SNOW, 0.12,
         "now drawing"),
    TEXT("sakuga generating", "sakuga drawing mark", 0.09, 0.15, 0.40, 0.08, LEFT, SAKURA, 0.05,
         "制作中"),
    TEXT("sakuga generating", DESIGN_PROGRESS, 0.09, 0.49, 0.82, 0.17, LEFT, SNOW, 0.056, " "),
    TEXT("sakuga generating", DESIGN_QUEUE, 0.09, 0.70, 0.82, 0.20, LEFT, MIST, 0.044, " "),
    BACKDROP("sakuga result"),
    CARD("sakuga result", "sakuga card A", true),
    CARD("sakuga result", "sakuga card B", true),
    CURTAIN("sakuga gallery"),
    CARD("sakuga gallery", "sakuga gallery A", true),
    CARD("sakuga gallery", "sakuga gallery B", true),
};
const char *design_scene(enum stage_scene s)
{
    return s < STAGE_SCENES ? design_scenes[DESIGN_PROGRAM + s] : "";
}

const char *design_any_scene(int i)
{
    return i >= 0 && i < (int)DESIGN_SCENES ? design_scenes[i] : "";
}

enum stage_scene design_place(const char *scene)
{
    for (int i = 0; i < STAGE_SCENES; i++)
        if (!strcmp(scene, design_scene(i)))
            return i;
    return STAGE_SCENES;
}

const char *design_clip(int slot)
{
    return slot ? "sakuga clip B" : "sakuga clip A";
}

const char *design_viewer(int slot)
{
    return slot ? "sakuga viewer B" : "sakuga viewer A";
}

const char *design_prompt(int slot)
{
    return slot ? "sakuga prompt B" : "sakuga prompt A";
}

const char *design_style(int slot)
{
    return slot ? "sakuga style B" : "sakuga style A";
}
