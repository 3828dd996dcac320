/* obs/design: what sakuga looks like inside OBS: scenes, items, places as fractions of the canvas.
 *
 * Constant data and names; any thread. setup.c makes it so. */
#ifndef SAKUGA_OBS_DESIGN_H
#define SAKUGA_OBS_DESIGN_H

#include "show/status.h"

#include <stdbool.h>
#include <stdint.h>

#define DESIGN_CHIME "sakuga chime"
#define DESIGN_LABEL "sakuga label"
#define DESIGN_PROGRESS "sakuga progress"
#define DESIGN_QUEUE "sakuga queue"

/* The program scene of a place of the stage: "sakuga result". */
const char *design_scene(enum stage_scene s);
/* Scene i of all of ours, helpers too; "" behind the last. */
const char *design_any_scene(int i);
/* The place a scene is, or STAGE_SCENES when it is not one of the four. */
enum stage_scene design_place(const char *scene);
/* Names that exist for each of the two slots. */
const char *design_clip(int slot);   /* the media input */
const char *design_viewer(int slot); /* text inputs of the lower third */
const char *design_prompt(int slot);
const char *design_style(int slot);

/* The tables, for setup.c. */
enum design_kind { KIND_SCENE, KIND_COLOR, KIND_TEXT, KIND_CLIP, KIND_CHIME };
enum design_align { CENTER = 0, LEFT = 1, RIGHT = 2, TOP = 4, BOTTOM = 8 };

struct design_row {
    const char *scene;
    const char *name;
    enum design_kind kind;
    double x, y, w, h;       /* fractions of the canvas; a text's h is its box, its size below */
    enum design_align align; /* where the thing sits in its box */
    uint32_t color;          /* 0xRRGGBBAA */
    double size;             /* text: height of a line as a fraction of the canvas height */
    double turn;             /* degrees; the box is turned around its centre */
    bool hidden;             /* starts disabled */
    const char *text;
};

#define DESIGN_SCENES 10
#define DESIGN_PROGRAM 6 /* from this scene on: the four that are cut to */
#define DESIGN_ROWS 46
extern const char *const design_scenes[DESIGN_SCENES];
extern const struct design_row design_rows[DESIGN_ROWS]; /* from the bottom up within each scene */

#endif
