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
 * nothing. Text boxes have the bounds MAX_ONLY: a long line shrinks, a short one keeps its size.
 *
 * Steps, one batch each: look (inputs, scenes, kinds, canvas), make scenes, look into our scenes,
 * make items, lay out what was made. An answer that comes late or not at all ends the run; the next
 * connect begins it again. */
#include "obs/setup.h"

#include "base/clock.h"
#include "base/log.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STEP_MS 8000

enum kind { KIND_SCENE, KIND_COLOR, KIND_TEXT, KIND_CLIP, KIND_CHIME };
enum align { CENTER = 0, LEFT = 1, RIGHT = 2, TOP = 4, BOTTOM = 8 };

struct row {
    const char *scene;
    const char *name;
    enum kind kind;
    double x, y, w, h; /* fractions of the canvas; a text's h is its box, its size below */
    enum align align;  /* where the thing sits in its box */
    uint32_t color;    /* 0xRRGGBBAA */
    double size;       /* text: height of a line as a fraction of the canvas height */
    double turn;       /* degrees; the box is turned around its centre */
    bool hidden;       /* starts disabled */
    const char *text;
};

static const char *const scenes[] = {
    "sakuga backdrop",  "sakuga curtain", "sakuga card A",     "sakuga card B", "sakuga gallery A",
    "sakuga gallery B", "sakuga standby", "sakuga generating", "sakuga result", "sakuga gallery"};
#define SCENE_COUNT (sizeof scenes / sizeof *scenes)
#define PROGRAM_SCENES 6 /* from this one on: the four that are cut to */

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
        TEXT(s, SETUP_LABEL, 0.806, 0.095, 0.148, 0.06, CENTER, SNOW, 0.034, " ")
#define BADGE(s)                                                                                   \
    COLOR(s, "sakuga badge plate", 0.04, 0.095, 0.21, 0.06, PLATE),                                \
        TEXT(s, "sakuga badge", 0.046, 0.095, 0.198, 0.06, CENTER, SNOW, 0.034,                    \
             "gallery · ギャラリー")

/* From the bottom up within each scene. */
static const struct row rows[] = {
    COLOR("sakuga backdrop", "sakuga night", 0, 0, 1, 1, NIGHT),
    BAND("sakuga band 1", 0.97, 0.40, 0.30, 2.4, DUSK, 24),
    BAND("sakuga band 2", 0.81, 0.40, 0.035, 2.4, 0xf4a6c038, 24),
    BAND("sakuga band 3", 0.757, 0.40, 0.012, 2.4, 0xf4a6c060, 24),
    BAND("sakuga band 4", 0.03, 0.60, 0.10, 2.4, 0x2a214980, 24),
    {"sakuga backdrop", SETUP_CHIME, KIND_CHIME, 0, 0, 0.01, 0.01, CENTER, 0, 0, 0, false, NULL},
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
    TEXT("sakuga generating", SETUP_PROGRESS, 0.09, 0.49, 0.82, 0.17, LEFT, SNOW, 0.056, " "),
    TEXT("sakuga generating", SETUP_QUEUE, 0.09, 0.70, 0.82, 0.20, LEFT, MIST, 0.044, " "),
    BACKDROP("sakuga result"),
    CARD("sakuga result", "sakuga card A", true),
    CARD("sakuga result", "sakuga card B", true),
    CURTAIN("sakuga gallery"),
    CARD("sakuga gallery", "sakuga gallery A", true),
    CARD("sakuga gallery", "sakuga gallery B", true),
};
#define ROW_COUNT (sizeof rows / sizeof *rows)

enum step { STEP_LOOK, STEP_SCENES, STEP_INSIDE, STEP_ITEMS, STEP_LAYOUT };

struct setup {
    struct session *session;
    setup_fn *fn;
    void *user;
    char label[128];
    enum step step;
    bool cancelled;
    struct setup_truth truth;
    bool have_scene[SCENE_COUNT], new_scene[SCENE_COUNT], cut[SCENE_COUNT];
    bool have_input[ROW_COUNT];
    int64_t item[ROW_COUNT]; /* scene item id, -1 not there */
    bool lay[ROW_COUNT];     /* needs its place */
    char color_kind[64], text_kind[64], media_kind[64];
    int asked[ROW_COUNT], asked_count; /* the rows behind the requests of this step */
};

const char *setup_scene(enum stage_scene s)
{
    return s < STAGE_SCENES ? scenes[PROGRAM_SCENES + s] : "";
}

const char *setup_any_scene(int i)
{
    return i >= 0 && i < (int)SCENE_COUNT ? scenes[i] : "";
}

enum stage_scene setup_place(const char *scene)
{
    for (int i = 0; i < STAGE_SCENES; i++)
        if (!strcmp(scene, setup_scene(i)))
            return i;
    return STAGE_SCENES;
}

const char *setup_clip(int slot)
{
    return slot ? "sakuga clip B" : "sakuga clip A";
}

const char *setup_viewer(int slot)
{
    return slot ? "sakuga viewer B" : "sakuga viewer A";
}

const char *setup_prompt(int slot)
{
    return slot ? "sakuga prompt B" : "sakuga prompt A";
}

const char *setup_style(int slot)
{
    return slot ? "sakuga style B" : "sakuga style A";
}

/* The slot whose card in `in` (result or gallery) this row is, or -1. */
static int card_slot(const struct row *row, enum stage_scene in)
{
    static const char *const cards[2][2] = {{"sakuga card A", "sakuga card B"},
                                            {"sakuga gallery A", "sakuga gallery B"}};
    if (setup_place(row->scene) != in)
        return -1;
    const char *const *names = cards[in == STAGE_GALLERY];
    return !strcmp(row->name, names[0]) ? 0 : !strcmp(row->name, names[1]) ? 1 : -1;
}

static size_t scene_index(const char *name)
{
    size_t i = 0;
    while (i < SCENE_COUNT && strcmp(scenes[i], name))
        i++;
    return i;
}

static void end(struct setup *u, enum err err, const char *why)
{
    setup_fn *fn = u->fn;
    void *user = u->user;
    struct setup_truth truth = u->truth;
    char words[480];
    str_copy(words, sizeof words, why);
    free(u);
    fn(user, err, words, &truth);
}

/* ---- what is there ---- */

/* The kind with this prefix and the highest version: "color_source_v3" before "color_source". */
static void choose(char out[64], const cJSON *kinds, const char *prefix)
{
    const cJSON *e;
    long best = -1;
    size_t n = strlen(prefix);
    *out = '\0';
    cJSON_ArrayForEach(e, kinds)
    {
        if (!cJSON_IsString(e) || strncmp(e->valuestring, prefix, n))
            continue;
        const char *tail = e->valuestring + n;
        long version = !*tail ? 1 : !strncmp(tail, "_v", 2) ? strtol(tail + 2, NULL, 10) : -1;
        if (version > best) {
            best = version;
            str_copy(out, 64, e->valuestring);
        }
    }
}

static void look_step(struct setup *u, cJSON *b)
{
    session_batch_add(b, "GetVideoSettings", NULL);
    session_batch_add(b, "GetInputKindList", NULL);
    session_batch_add(b, "GetSceneList", NULL);
    session_batch_add(b, "GetInputList", NULL);
    session_batch_add(b, "GetSceneTransitionList", NULL);
}

static bool has(const cJSON *list, const char *key, const char *name)
{
    const cJSON *e;
    cJSON_ArrayForEach(e, list) if (!strcmp(json_str(e, key, ""), name)) return true;
    return false;
}

static bool looked(struct setup *u, const struct wire r[5])
{
    struct setup_truth *t = &u->truth;
    t->width = (int)json_int(r[0].data, "baseWidth", 0);
    t->height = (int)json_int(r[0].data, "baseHeight", 0);
    double per = json_num(r[0].data, "fpsDenominator", 1);
    t->fps = json_num(r[0].data, "fpsNumerator", 0) / (per > 0 ? per : 1);
    const cJSON *kinds = json_arr(r[1].data, "inputKinds");
    choose(u->color_kind, kinds, "color_source");
    choose(u->media_kind, kinds, "ffmpeg_source");
    choose(u->text_kind, kinds, "text_ft2_source");
    if (!*u->text_kind)
        choose(u->text_kind, kinds, "text_gdiplus");
    str_copy(t->program, sizeof t->program, json_str(r[2].data, "currentProgramSceneName", ""));
    for (size_t i = 0; i < SCENE_COUNT; i++)
        u->have_scene[i] = has(json_arr(r[2].data, "scenes"), "sceneName", scenes[i]);
    for (size_t i = 0; i < ROW_COUNT; i++)
        u->have_input[i] = has(json_arr(r[3].data, "inputs"), "inputName", rows[i].name);
    const cJSON *e;
    cJSON_ArrayForEach(e, json_arr(r[4].data, "transitions"))
    {
        if (!strcmp(json_str(e, "transitionKind", ""), "cut_transition"))
            str_copy(u->truth.cut_name, sizeof u->truth.cut_name,
                     json_str(e, "transitionName", ""));
    }
    return t->width > 0 && t->height > 0 && *u->media_kind;
}

static void inside_step(struct setup *u, cJSON *b)
{
    for (size_t i = 0; i < SCENE_COUNT; i++)
        session_batch_add(b, "GetSceneItemList", session_pair("sceneName", scenes[i]));
    for (size_t i = PROGRAM_SCENES; i < SCENE_COUNT; i++)
        session_batch_add(b, "GetSceneSceneTransitionOverride",
                          session_pair("sceneName", scenes[i]));
    session_batch_add(b, "GetSceneItemList", session_pair("sceneName", u->truth.program));
}

static void saw_inside(struct setup *u, const struct wire *r)
{
    for (size_t i = 0; i < ROW_COUNT; i++) {
        const cJSON *e, *items = json_arr(r[scene_index(rows[i].scene)].data, "sceneItems");
        u->item[i] = -1;
        cJSON_ArrayForEach(e, items)
        {
            if (strcmp(json_str(e, "sourceName", ""), rows[i].name) ||
                json_int(e, "sceneItemId", -1) < u->item[i])
                continue;
            /* The item of a removed input stays in a scene until that is drawn again. */
            if (rows[i].kind != KIND_SCENE && !u->have_input[i])
                continue;
            u->item[i] = json_int(e, "sceneItemId", -1);
            for (int k = 0; k < 2; k++) {
                int slot = card_slot(&rows[i], k ? STAGE_GALLERY : STAGE_RESULT);
                if (slot >= 0 && json_bool(e, "sceneItemEnabled", false))
                    u->truth.enabled[k] = slot;
            }
            /* What fills the canvas tells which canvas we were laid out for. */
            const cJSON *at = json_obj(e, "sceneItemTransform");
            if (rows[i].w == 1 && !(fabs(json_num(at, "boundsWidth", 0) - u->truth.width) < 1 &&
                                    fabs(json_num(at, "boundsHeight", 0) - u->truth.height) < 1))
                for (size_t k = 0; k < ROW_COUNT; k++)
                    u->lay[k] = u->lay[k] || !strcmp(rows[k].scene, rows[i].scene);
        }
    }
    for (size_t i = PROGRAM_SCENES; i < SCENE_COUNT; i++) {
        const cJSON *o = r[SCENE_COUNT + i - PROGRAM_SCENES].data;
        u->cut[i] =
            *u->truth.cut_name && !strcmp(json_str(o, "transitionName", ""), u->truth.cut_name);
    }
    const struct wire *program = &r[SCENE_COUNT + SCENE_COUNT - PROGRAM_SCENES];
    u->truth.program_empty =
        program->ok && cJSON_GetArraySize(json_arr(program->data, "sceneItems")) == 0;
}

/* ---- what is made ---- */

static void scenes_step(struct setup *u, cJSON *b)
{
    for (size_t i = 0; i < SCENE_COUNT; i++)
        if (!u->have_scene[i]) {
            session_batch_add(b, "CreateScene", session_pair("sceneName", scenes[i]));
            u->new_scene[i] = true;
        }
}

/* OBS wants 0xAABBGGRR. */
static double abgr(uint32_t rgba)
{
    return (double)((rgba & 0xff) << 24 | (rgba >> 8 & 0xff) << 16 | (rgba >> 16 & 0xff) << 8 |
                    rgba >> 24);
}

static cJSON *text_settings(const struct setup *u, const struct row *row)
{
    cJSON *s = session_pair("text", !strcmp(row->name, SETUP_LABEL) ? u->label : row->text);
    cJSON *font = cJSON_AddObjectToObject(s, "font");
    bool windows = !strncmp(u->text_kind, "text_gdiplus", 12);
    cJSON_AddStringToObject(font, "face", windows ? "Yu Gothic UI" : "Noto Sans CJK JP");
    cJSON_AddStringToObject(font, "style", "Bold");
    cJSON_AddNumberToObject(font, "size", fmax(8, floor(row->size * u->truth.height)));
    cJSON_AddNumberToObject(font, "flags", 1);
    if (windows) {
        cJSON_AddNumberToObject(s, "color", abgr(row->color | 0xff));
        cJSON_AddNumberToObject(s, "opacity", (double)(row->color & 0xff) * 100 / 255);
    } else {
        cJSON_AddNumberToObject(s, "color1", abgr(row->color));
        cJSON_AddNumberToObject(s, "color2", abgr(row->color));
        cJSON_AddBoolToObject(s, "antialiasing", true);
    }
    return s;
}

static cJSON *settings(const struct setup *u, const struct row *row)
{
    if (row->kind == KIND_TEXT)
        return text_settings(u, row);
    cJSON *s = cJSON_CreateObject();
    if (row->kind == KIND_COLOR) {
        cJSON_AddNumberToObject(s, "color", abgr(row->color));
        cJSON_AddNumberToObject(s, "width", fmax(1, round(row->w * u->truth.width)));
        cJSON_AddNumberToObject(s, "height", fmax(1, round(row->h * u->truth.height)));
        return s;
    }
    /* A clip begins when its scene comes on; the chime plays when it is told to, wherever the cuts
     * go. A player that keeps its last picture shows it again at the next cut: hence cleared. */
    cJSON_AddBoolToObject(s, "is_local_file", true);
    cJSON_AddStringToObject(s, "local_file", "");
    cJSON_AddBoolToObject(s, "looping", false);
    cJSON_AddBoolToObject(s, "restart_on_activate", row->kind == KIND_CLIP);
    cJSON_AddBoolToObject(s, "close_when_inactive", false);
    cJSON_AddBoolToObject(s, "clear_on_media_end", true);
    return s;
}

static const char *kind_name(const struct setup *u, enum kind k)
{
    return k == KIND_COLOR ? u->color_kind : k == KIND_TEXT ? u->text_kind : u->media_kind;
}

static void items_step(struct setup *u, cJSON *b)
{
    bool made[ROW_COUNT] = {false};
    for (size_t i = 0; i < ROW_COUNT; i++) {
        const struct row *row = &rows[i];
        if (u->item[i] >= 0)
            continue;
        bool exists = row->kind == KIND_SCENE || u->have_input[i];
        for (size_t k = 0; k < i && !exists; k++)
            exists = made[k] && !strcmp(rows[k].name, row->name);
        if (!exists && !*kind_name(u, row->kind)) {
            snprintf(u->truth.words, sizeof u->truth.words,
                     "this OBS has no source kind for %s; it is left out", row->name);
            continue;
        }
        cJSON *d = session_pair("sceneName", row->scene);
        cJSON_AddBoolToObject(d, "sceneItemEnabled", !row->hidden);
        cJSON_AddStringToObject(d, exists ? "sourceName" : "inputName", row->name);
        if (!exists) {
            cJSON_AddStringToObject(d, "inputKind", kind_name(u, row->kind));
            cJSON_AddItemToObject(d, "inputSettings", settings(u, row));
            made[i] = true;
        }
        session_batch_add(b, exists ? "CreateSceneItem" : "CreateInput", d);
        u->asked[u->asked_count++] = (int)i;
    }
}

static void made_items(struct setup *u, const struct wire *r, int n)
{
    for (int k = 0; k < n && k < u->asked_count; k++) {
        int i = u->asked[k];
        if (r[k].ok) {
            u->item[i] = json_int(r[k].data, "sceneItemId", -1);
            u->lay[i] = true;
            u->truth.made++;
        } else {
            snprintf(u->truth.words, sizeof u->truth.words, "OBS could not make %s (%d%s%.120s)",
                     rows[i].name, r[k].code, *r[k].comment ? ": " : "", r[k].comment);
        }
    }
}

static cJSON *transform(const struct setup *u, const struct row *row)
{
    double w = u->truth.width, h = u->truth.height;
    cJSON *t = cJSON_CreateObject();
    bool turned = row->turn != 0; /* then x, y is the centre */
    cJSON_AddNumberToObject(t, "positionX", row->x * w);
    cJSON_AddNumberToObject(t, "positionY", row->y * h);
    cJSON_AddNumberToObject(t, "rotation", row->turn);
    cJSON_AddNumberToObject(t, "alignment", turned ? CENTER : LEFT | TOP);
    cJSON_AddStringToObject(t, "boundsType",
                            row->kind == KIND_TEXT    ? "OBS_BOUNDS_MAX_ONLY"
                            : row->kind == KIND_COLOR ? "OBS_BOUNDS_STRETCH"
                                                      : "OBS_BOUNDS_SCALE_INNER");
    cJSON_AddNumberToObject(t, "boundsAlignment", row->align);
    cJSON_AddNumberToObject(t, "boundsWidth", fmax(1, row->w * w));
    cJSON_AddNumberToObject(t, "boundsHeight", fmax(1, row->h * h));
    return t;
}

static void layout_step(struct setup *u, cJSON *b)
{
    for (size_t i = 0, level = 0; i < ROW_COUNT; i++) {
        size_t in = scene_index(rows[i].scene);
        level = i && !strcmp(rows[i - 1].scene, rows[i].scene) ? level + 1 : 0;
        if (!u->lay[i] || u->item[i] < 0)
            continue;
        cJSON *d = session_pair("sceneName", rows[i].scene);
        cJSON_AddNumberToObject(d, "sceneItemId", (double)u->item[i]);
        cJSON_AddItemToObject(d, "sceneItemTransform", transform(u, &rows[i]));
        session_batch_add(b, "SetSceneItemTransform", d);
        if (u->new_scene[in])
            continue; /* made in order */
        d = session_pair("sceneName", rows[i].scene);
        cJSON_AddNumberToObject(d, "sceneItemId", (double)u->item[i]);
        cJSON_AddNumberToObject(d, "sceneItemIndex", (double)level);
        session_batch_add(b, "SetSceneItemIndex", d);
    }
    for (size_t i = PROGRAM_SCENES; i < SCENE_COUNT; i++)
        if (*u->truth.cut_name && !u->cut[i]) {
            cJSON *d = session_pair("sceneName", scenes[i]);
            cJSON_AddStringToObject(d, "transitionName", u->truth.cut_name);
            session_batch_add(b, "SetSceneSceneTransitionOverride", d);
            u->truth.made++;
        }
}

static void finish(struct setup *u)
{
    struct setup_truth *t = &u->truth;
    for (size_t i = 0; i < ROW_COUNT; i++)
        for (int k = 0; k < 2; k++) {
            int slot = card_slot(&rows[i], k ? STAGE_GALLERY : STAGE_RESULT);
            if (slot >= 0)
                t->cards[k][slot] = u->item[i];
        }
    if (!*t->cut_name)
        str_copy(t->words, sizeof t->words,
                 "OBS has no transition of the kind Cut: cuts take the current transition");
    if (t->made)
        log_info("obs", "set up %d objects in OBS (%dx%d)", t->made, t->width, t->height);
    if (*t->words)
        log_warn("obs", "%s", t->words);
    bool all = true;
    for (int i = 0; i < 4; i++)
        all = all && t->cards[i / 2][i % 2] >= 0;
    for (size_t i = 0; i < ROW_COUNT; i++)
        all = all && (rows[i].kind != KIND_CLIP || u->item[i] >= 0);
    end(u, all ? ERR_OK : ERR_STATE,
        all ? "" : "OBS could not make the clip inputs; its log says more");
}

/* ---- the steps ---- */

static void on_step(void *user, const struct reply *r);

static void send(struct setup *u)
{
    static void (*const fill[])(struct setup *, cJSON *) = {look_step, scenes_step, inside_step,
                                                            items_step, layout_step};
    while (u->step <= STEP_LAYOUT) {
        cJSON *b = session_batch_new();
        u->asked_count = 0;
        fill[u->step](u, b);
        if (cJSON_GetArraySize(b) > 0) {
            session_batch(u->session, b, WIRE_REALTIME, STEP_MS, on_step, u);
            return;
        }
        cJSON_Delete(b);
        u->step++;
    }
    finish(u);
}

static void on_step(void *user, const struct reply *r)
{
    struct setup *u = user;
    struct wire results[ROW_COUNT * 2 + 8] = {0};
    int n = 0;
    if (u->cancelled) {
        free(u);
        return;
    }
    if (r->err) {
        end(u, r->err, r->text);
        return;
    }
    const cJSON *e;
    cJSON_ArrayForEach(e, r->data)
    {
        if (n < (int)(sizeof results / sizeof *results) && !wire_result(&results[n++], e)) {
            end(u, ERR_SYNTAX, "OBS answered the setup with something malformed");
            return;
        }
    }
    for (int i = 0; i < n; i++)
        if (!results[i].ok && u->step == STEP_LAYOUT)
            log_debug("obs", "setup: %s: %d %s", results[i].type, results[i].code,
                      results[i].comment);
    if (u->step == STEP_LOOK && !looked(u, results)) {
        end(u, ERR_UNSUPPORTED, "this OBS has no media source (ffmpeg_source) or no canvas");
        return;
    }
    if (u->step == STEP_INSIDE)
        saw_inside(u, results);
    if (u->step == STEP_ITEMS)
        made_items(u, results, n);
    u->step++;
    send(u);
}

struct setup *setup_run(struct session *s, const char *label, setup_fn *fn, void *user)
{
    struct setup *u = calloc(1, sizeof *u);
    if (!u)
        return NULL;
    u->session = s;
    u->fn = fn;
    u->user = user;
    for (int i = 0; i < 4; i++)
        u->truth.cards[i / 2][i % 2] = -1;
    u->truth.enabled[0] = u->truth.enabled[1] = -1;
    str_copy(u->label, sizeof u->label, label && *label ? label : " ");
    send(u);
    return u;
}

void setup_cancel(struct setup *u)
{
    if (u)
        u->cancelled = true;
}

/* ---- `sakuga obs setup` ---- */

struct once {
    struct session *session;
    const char *label;
    struct buf *report;
    struct fault *fault;
    enum err err;
    bool done;
};

static void once_set_up(void *user, enum err err, const char *why, const struct setup_truth *t)
{
    struct once *o = user;
    o->done = true;
    if (err) {
        o->err = fault_set(o->fault, err, "%s", why);
        return;
    }
    o->err = ERR_OK;
    if (o->fault)
        *o->fault = (struct fault){0};
    buf_addf(o->report, "%s (canvas %dx%d, %.5g frames a second)",
             t->made ? "OBS is set up" : "OBS was set up already, nothing was changed", t->width,
             t->height, t->fps);
    if (*t->words)
        buf_addf(o->report, "; %s", t->words);
}

static void once_up(void *user)
{
    struct once *o = user;
    if (!setup_run(o->session, o->label, once_set_up, o)) {
        o->done = true;
        o->err = fault_set(o->fault, ERR_NOMEM, "no memory for the setup");
    }
}

static void once_down(void *user, const char *why, bool gave_up)
{
    struct once *o = user;
    o->err = fault_set(o->fault, gave_up ? ERR_AUTH : ERR_CLOSED, "OBS: %s", why);
    o->done = o->done || gave_up;
}

static void once_event(void *user, const char *type, const cJSON *data)
{
    (void)user, (void)type, (void)data;
}

static void once_probe(void *user, const cJSON *stats, int64_t took_us)
{
    (void)user, (void)stats, (void)took_us;
}

enum err setup_once(const char *url, const char *password, const char *label, int timeout_ms,
                    struct buf *report, struct fault *f)
{
    static const struct session_ops ops = {once_up, once_down, once_event, once_probe};
    struct once o = {.label = label, .report = report, .fault = f};
    struct loop *l = loop_new(f);
    if (!l)
        return ERR_NOMEM;
    o.err = fault_set(f, ERR_TIMEOUT, "OBS at %.200s did not answer in time", url);
    o.session = session_new(l, url, password, &ops, &o, f);
    int64_t end_ms = clock_mono_ms() + timeout_ms;
    while (o.session && !o.done && clock_mono_ms() < end_ms)
        loop_step(l, 50);
    if (!o.session)
        o.err = ERR_INVAL;
    session_free(o.session);
    session_shutdown(l);
    loop_free(l);
    return o.err;
}
