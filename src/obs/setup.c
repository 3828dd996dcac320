/* Steps, one batch each: look (inputs, scenes, kinds, canvas), make scenes, look into our scenes,
 * make items, lay out what was made. An answer that comes late or not at all ends the run; who
 * began it tries again. */
#include "obs/setup.h"

#include "base/clock.h"
#include "base/log.h"
#include "obs/design.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STEP_MS 8000

enum step { STEP_LOOK, STEP_SCENES, STEP_INSIDE, STEP_ITEMS, STEP_LAYOUT };

struct setup {
    struct session *session;
    setup_fn *fn;
    void *user;
    char label[128];
    enum step step;
    bool cancelled;
    struct setup_truth truth;
    bool have_scene[DESIGN_SCENES], new_scene[DESIGN_SCENES], cut[DESIGN_SCENES];
    bool have_input[DESIGN_ROWS];
    int64_t item[DESIGN_ROWS]; /* scene item id, -1 not there */
    bool lay[DESIGN_ROWS];     /* needs its place */
    char color_kind[64], text_kind[64], media_kind[64];
    int asked[DESIGN_ROWS], asked_count; /* the rows behind the requests of this step */
};

/* The slot whose card in `in` (result or gallery) this row is, or -1. */
static int card_slot(const struct design_row *row, enum stage_scene in)
{
    static const char *const cards[2][2] = {{"sakuga card A", "sakuga card B"},
                                            {"sakuga gallery A", "sakuga gallery B"}};
    if (design_place(row->scene) != in)
        return -1;
    const char *const *names = cards[in == STAGE_GALLERY];
    return !strcmp(row->name, names[0]) ? 0 : !strcmp(row->name, names[1]) ? 1 : -1;
}

static size_t scene_index(const char *name)
{
    size_t i = 0;
    while (i < DESIGN_SCENES && strcmp(design_scenes[i], name))
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
    for (size_t i = 0; i < DESIGN_SCENES; i++)
        u->have_scene[i] = has(json_arr(r[2].data, "scenes"), "sceneName", design_scenes[i]);
    for (size_t i = 0; i < DESIGN_ROWS; i++)
        u->have_input[i] = has(json_arr(r[3].data, "inputs"), "inputName", design_rows[i].name);
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
    for (size_t i = 0; i < DESIGN_SCENES; i++)
        session_batch_add(b, "GetSceneItemList", session_pair("sceneName", design_scenes[i]));
    for (size_t i = DESIGN_PROGRAM; i < DESIGN_SCENES; i++)
        session_batch_add(b, "GetSceneSceneTransitionOverride",
                          session_pair("sceneName", design_scenes[i]));
    session_batch_add(b, "GetSceneItemList", session_pair("sceneName", u->truth.program));
}

static void saw_inside(struct setup *u, const struct wire *r)
{
    for (size_t i = 0; i < DESIGN_ROWS; i++) {
        const cJSON *e, *items = json_arr(r[scene_index(design_rows[i].scene)].data, "sceneItems");
        u->item[i] = -1;
        cJSON_ArrayForEach(e, items)
        {
            if (strcmp(json_str(e, "sourceName", ""), design_rows[i].name) ||
                json_int(e, "sceneItemId", -1) < u->item[i])
                continue;
            /* The item of a removed input stays in a scene until that is drawn again. */
            if (design_rows[i].kind != KIND_SCENE && !u->have_input[i])
                continue;
            u->item[i] = json_int(e, "sceneItemId", -1);
            for (int k = 0; k < 2; k++) {
                int slot = card_slot(&design_rows[i], k ? STAGE_GALLERY : STAGE_RESULT);
                if (slot >= 0 && json_bool(e, "sceneItemEnabled", false))
                    u->truth.enabled[k] = slot;
            }
            /* What fills the canvas tells which canvas we were laid out for. */
            const cJSON *at = json_obj(e, "sceneItemTransform");
            if (design_rows[i].w == 1 &&
                !(fabs(json_num(at, "boundsWidth", 0) - u->truth.width) < 1 &&
                  fabs(json_num(at, "boundsHeight", 0) - u->truth.height) < 1))
                for (size_t k = 0; k < DESIGN_ROWS; k++)
                    u->lay[k] = u->lay[k] || !strcmp(design_rows[k].scene, design_rows[i].scene);
        }
    }
    for (size_t i = DESIGN_PROGRAM; i < DESIGN_SCENES; i++) {
        const cJSON *o = r[DESIGN_SCENES + i - DESIGN_PROGRAM].data;
        u->cut[i] =
            *u->truth.cut_name && !strcmp(json_str(o, "transitionName", ""), u->truth.cut_name);
    }
    const struct wire *program = &r[DESIGN_SCENES + DESIGN_SCENES - DESIGN_PROGRAM];
    u->truth.program_empty =
        program->ok && cJSON_GetArraySize(json_arr(program->data, "sceneItems")) == 0;
}

/* ---- what is made ---- */

static void scenes_step(struct setup *u, cJSON *b)
{
    for (size_t i = 0; i < DESIGN_SCENES; i++)
        if (!u->have_scene[i]) {
            session_batch_add(b, "CreateScene", session_pair("sceneName", design_scenes[i]));
            u->new_scene[i] = true;
        }
}

/* OBS wants 0xAABBGGRR. */
static double abgr(uint32_t rgba)
{
    return (double)((rgba & 0xff) << 24 | (rgba >> 8 & 0xff) << 16 | (rgba >> 16 & 0xff) << 8 |
                    rgba >> 24);
}

static cJSON *text_settings(const struct setup *u, const struct design_row *row)
{
    cJSON *s = session_pair("text", !strcmp(row->name, DESIGN_LABEL) ? u->label : row->text);
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

static cJSON *settings(const struct setup *u, const struct design_row *row)
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

static const char *kind_name(const struct setup *u, enum design_kind k)
{
    return k == KIND_COLOR ? u->color_kind : k == KIND_TEXT ? u->text_kind : u->media_kind;
}

static void items_step(struct setup *u, cJSON *b)
{
    bool made[DESIGN_ROWS] = {false};
    for (size_t i = 0; i < DESIGN_ROWS; i++) {
        const struct design_row *row = &design_rows[i];
        if (u->item[i] >= 0)
            continue;
        bool exists = row->kind == KIND_SCENE || u->have_input[i];
        for (size_t k = 0; k < i && !exists; k++)
            exists = made[k] && !strcmp(design_rows[k].name, row->name);
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
                     design_rows[i].name, r[k].code, *r[k].comment ? ": " : "", r[k].comment);
        }
    }
}

static cJSON *transform(const struct setup *u, const struct design_row *row)
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
    for (size_t i = 0, level = 0; i < DESIGN_ROWS; i++) {
        size_t in = scene_index(design_rows[i].scene);
        level = i && !strcmp(design_rows[i - 1].scene, design_rows[i].scene) ? level + 1 : 0;
        if (!u->lay[i] || u->item[i] < 0)
            continue;
        cJSON *d = session_pair("sceneName", design_rows[i].scene);
        cJSON_AddNumberToObject(d, "sceneItemId", (double)u->item[i]);
        cJSON_AddItemToObject(d, "sceneItemTransform", transform(u, &design_rows[i]));
        session_batch_add(b, "SetSceneItemTransform", d);
        if (u->new_scene[in])
            continue; /* made in order */
        d = session_pair("sceneName", design_rows[i].scene);
        cJSON_AddNumberToObject(d, "sceneItemId", (double)u->item[i]);
        cJSON_AddNumberToObject(d, "sceneItemIndex", (double)level);
        session_batch_add(b, "SetSceneItemIndex", d);
    }
    for (size_t i = DESIGN_PROGRAM; i < DESIGN_SCENES; i++)
        if (*u->truth.cut_name && !u->cut[i]) {
            cJSON *d = session_pair("sceneName", design_scenes[i]);
            cJSON_AddStringToObject(d, "transitionName", u->truth.cut_name);
            session_batch_add(b, "SetSceneSceneTransitionOverride", d);
            u->truth.made++;
        }
}

static void finish(struct setup *u)
{
    struct setup_truth *t = &u->truth;
    for (size_t i = 0; i < DESIGN_ROWS; i++)
        for (int k = 0; k < 2; k++) {
            int slot = card_slot(&design_rows[i], k ? STAGE_GALLERY : STAGE_RESULT);
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
    for (size_t i = 0; i < DESIGN_ROWS; i++)
        all = all && (design_rows[i].kind != KIND_CLIP || u->item[i] >= 0);
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
    struct wire results[DESIGN_ROWS * 2 + 8] = {0};
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
    if (o->done) /* the time was over first */
        return;
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
    o.done = true;
    session_free(o.session);
    session_shutdown(l);
    loop_free(l);
    return o.err;
}
