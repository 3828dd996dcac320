/* What OBS tells: it came, it went, it changes its scenes, a player ended, somebody cut.
 *
 * Who cut? OBS tells of every change of the program scene, also of ours, later and out of order
 * with the answer. The names that we asked for wait in `asked`; a change that is not among them is
 * somebody else's.
 *
 * The way up: connected, set up (setup.h), the state of the outputs, then the stage hears of it.
 * Whatever goes wrong on it while OBS stays connected is tried again. */
#include "obs/screen_inside.h"

#include "base/clock.h"
#include "base/log.h"

#include <string.h>

#define CHECK_AGAIN_MS 500
#define TRY_AGAIN_MS 5000

/* The slot that this scene lets see, -1 none. */
static int seen(const struct obs_screen *s, const char *scene)
{
    enum stage_scene place = design_place(scene);
    return place == STAGE_RESULT || place == STAGE_GALLERY ? s->prepared[place == STAGE_GALLERY]
                                                           : -1;
}

static void set_up(void *user, enum err err, const char *why, const struct setup_truth *truth);

static void begin_setup(struct obs_screen *s)
{
    timer_stop(s->check);
    if (s->changing || !session_up(s->session))
        return;
    if (!s->setup)
        s->setup = setup_run(s->session, s->label, set_up, s);
    else /* it may have looked already */
        timer_start(s->check, CHECK_AGAIN_MS, 0);
}

/* It did not come up although it is connected. */
static void try_again(struct obs_screen *s, const char *why)
{
    str_copy(s->status.why, sizeof s->status.why, why);
    log_error("obs", "%s", why);
    s->drawn = true; /* nothing was removed */
    timer_start(s->check, TRY_AGAIN_MS, 0);
    s->base.ops->on_changed(s->base.user);
}

static void on_outputs(void *user, const struct reply *r)
{
    struct obs_screen *s = user;
    const cJSON *e;
    if (s->up || s->setup || s->changing || r->err == ERR_CLOSED)
        return; /* another one was sent, or will be */
    if (r->err) {
        try_again(s, r->text);
        return;
    }
    cJSON_ArrayForEach(e, r->data)
    {
        struct wire w;
        bool known = wire_result(&w, e) && w.ok;
        if (known && !strcmp(w.type, "GetStreamStatus"))
            s->status.streaming = json_bool(w.data, "outputActive", false);
        if (known && !strcmp(w.type, "GetRecordStatus"))
            s->status.recording = json_bool(w.data, "outputActive", false);
        if (known && !strcmp(w.type, "GetStudioModeEnabled"))
            s->studio = json_bool(w.data, "studioModeEnabled", false);
    }
    s->up = s->status.connected = true;
    s->status.why[0] = '\0';
    struct screen_truth t = {.live = seen(s, s->status.scene),
                             .empty = s->truth.program_empty,
                             .output = s->status.streaming || s->status.recording};
    str_copy(t.program, sizeof t.program, s->status.scene);
    s->base.ops->on_up(s->base.user, &t);
}

static void set_up(void *user, enum err err, const char *why, const struct setup_truth *truth)
{
    struct obs_screen *s = user;
    s->setup = NULL;
    if (!session_up(s->session))
        return;
    if (err) {
        try_again(s, why);
        return;
    }
    s->truth = *truth;
    memcpy(s->prepared, truth->enabled, sizeof s->prepared);
    s->status.fps = truth->fps;
    if (s->up)
        return;
    /* The panic came before the scene existed, or OBS forgot it: standby before all else. */
    str_copy(s->status.scene, sizeof s->status.scene, truth->program);
    if (s->panicked)
        screen_obs_panic(s, NULL, 0);
    else
        screen_obs_unmute(s); /* what a panic of an earlier run, or one left meanwhile, muted */
    cJSON *b = session_batch_new();
    screen_obs_text(b, DESIGN_LABEL, s->label);
    session_batch_add(b, "GetStreamStatus", NULL);
    session_batch_add(b, "GetRecordStatus", NULL);
    session_batch_add(b, "GetStudioModeEnabled", NULL);
    session_batch(s->session, b, WIRE_REALTIME, REQUEST_MS, on_outputs, s);
}

static void on_up(void *user)
{
    struct obs_screen *s = user;
    s->changing = s->looking = s->drawn = false;
    s->skipped_first = -1;
    memset(s->asked, 0, sizeof s->asked);
    if (s->panicked)
        screen_obs_panic(s, NULL, 0);
    begin_setup(s);
}

static void down(struct obs_screen *s, const char *why)
{
    s->up = s->status.connected = s->looking = false;
    s->status.latency_ms = -1;
    s->status.scene[0] = '\0';
    s->status.streaming = s->status.recording = false;
    str_copy(s->status.why, sizeof s->status.why, why);
    timer_stop(s->check);
    s->base.ops->on_down(s->base.user, why);
}

static void on_down(void *user, const char *why, bool gave_up)
{
    struct obs_screen *s = user;
    s->setup = NULL; /* its request ended with the connection, and so did it */
    s->status.gave_up = gave_up;
    down(s, why);
}

void news_program(struct obs_screen *s, const char *scene, bool told)
{
    int64_t now = clock_mono_ms();
    bool ours = !strcmp(scene, s->status.scene); /* known from the answer to our cut */
    str_copy(s->status.scene, sizeof s->status.scene, scene);
    for (int i = 0; i < ASKED_MAX; i++)
        if (s->asked[i].until_ms >= now && !strcmp(s->asked[i].scene, scene)) {
            ours = true;
            if (told)
                s->asked[i].until_ms = 0;
            break;
        }
    s->base.ops->on_changed(s->base.user);
    if (!ours && s->up)
        s->base.ops->on_program(s->base.user, scene, seen(s, scene));
}

/* With a slow transition the change is told at its end. Asked at its beginning, OBS names the new
 * scene already, and the stage does not cut into what somebody has just begun. */
static void on_begun(void *user, const struct reply *r)
{
    struct obs_screen *s = user;
    const char *scene = json_str(r->data, "currentProgramSceneName", "");
    if (!r->err && s->up && *scene)
        news_program(s, scene, false);
}

/* Of a transition that ran when the panic came: the cut was dropped if this is studio mode. */
static void transition_ended(struct obs_screen *s, const char *name)
{
    if (!s->studio || s->panic_again_ms < clock_mono_ms() || !strcmp(name, s->truth.cut_name))
        return;
    s->panic_again_ms = 0;
    log_warn("obs", "panic: sent again behind the transition %s", name);
    screen_obs_panic(s, NULL, 0);
}

static void media_ended(struct obs_screen *s, const char *input)
{
    for (int slot = 0; slot < 2; slot++)
        if (!strcmp(input, design_clip(slot)) && s->up)
            s->base.ops->on_ended(s->base.user, slot);
    if (!strcmp(input, DESIGN_CHIME))
        screen_obs_chime(s, "");
}

static bool is_ours(const cJSON *data)
{
    static const char *const keys[] = {"inputName", "sceneName", "sourceName", "oldInputName",
                                       "oldSceneName"};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (!strncmp(json_str(data, keys[i], ""), "sakuga ", 7))
            return true;
    return false;
}

static void on_event(void *user, const char *type, const cJSON *data)
{
    struct obs_screen *s = user;
    if (!strcmp(type, "CurrentProgramSceneChanged")) {
        news_program(s, json_str(data, "sceneName", ""), true);
    } else if (!strcmp(type, "SceneTransitionStarted")) {
        session_request(s->session, "GetCurrentProgramScene", NULL, REQUEST_MS, on_begun, s);
    } else if (!strcmp(type, "SceneTransitionEnded")) {
        transition_ended(s, json_str(data, "transitionName", ""));
    } else if (!strcmp(type, "StudioModeStateChanged")) {
        s->studio = json_bool(data, "studioModeEnabled", false);
    } else if (!strcmp(type, "MediaInputPlaybackEnded")) {
        media_ended(s, json_str(data, "inputName", ""));
    } else if (!strcmp(type, "StreamStateChanged") || !strcmp(type, "RecordStateChanged")) {
        bool active = json_bool(data, "outputActive", false);
        *(*type == 'S' ? &s->status.streaming : &s->status.recording) = active;
        s->base.ops->on_changed(s->base.user);
    } else if (!strcmp(type, "CurrentSceneCollectionChanging")) {
        s->changing = true;
        setup_cancel(s->setup);
        s->setup = NULL;
        down(s, "OBS changes its scene collection");
    } else if (!strcmp(type, "CurrentSceneCollectionChanged")) {
        s->changing = false;
        begin_setup(s);
    } else if ((!strcmp(type, "InputRemoved") || !strcmp(type, "SceneRemoved") ||
                !strcmp(type, "SceneItemRemoved") || !strcmp(type, "InputNameChanged") ||
                !strcmp(type, "SceneNameChanged")) &&
               is_ours(data)) {
        s->drawn = false;
        timer_start(s->check, CHECK_AGAIN_MS, 0);
    }
}

static void on_probe(void *user, const cJSON *stats, int64_t took_us)
{
    struct obs_screen *s = user;
    int64_t skipped =
        json_int(stats, "renderSkippedFrames", 0) + json_int(stats, "outputSkippedFrames", 0);
    if (s->skipped_first < 0)
        s->skipped_first = skipped;
    s->status.latency_ms = (int)((took_us + 999) / 1000);
    s->status.fps = json_num(stats, "activeFps", s->status.fps);
    s->status.skipped_frames = skipped - s->skipped_first;
    s->base.ops->on_changed(s->base.user);
}

/* A removed input lives on, listed, in every scene that has not been drawn since. So each of ours
 * is drawn once, as a tiny picture, before the setup looks what is there. */
static void on_drawn(void *user, const struct reply *r)
{
    struct obs_screen *s = user;
    if (r->err == ERR_CLOSED)
        return;
    s->drawn = true; /* a late answer is one too */
    timer_start(s->check, CHECK_AGAIN_MS, 0);
}

void news_check(void *user)
{
    struct obs_screen *s = user;
    if (!session_up(s->session))
        return;
    if (s->drawn || !session_pictures(s->session, "ppm")) {
        s->drawn = false;
        begin_setup(s);
        return;
    }
    log_info("obs", "something of ours was removed in OBS: looking what is missing");
    cJSON *b = session_batch_new();
    for (int i = 0; *design_any_scene(i); i++) {
        cJSON *d = session_pair("sourceName", design_any_scene(i));
        cJSON_AddStringToObject(d, "imageFormat", "ppm");
        cJSON_AddNumberToObject(d, "imageWidth", 8);
        cJSON_AddNumberToObject(d, "imageHeight", 8);
        session_batch_add(b, "GetSourceScreenshot", d);
    }
    session_batch(s->session, b, WIRE_REALTIME, REQUEST_MS, on_drawn, s);
}

const struct session_ops news_ops = {on_up, on_down, on_event, on_probe};
