/* The stage against a real OBS. VERBOSE=1 shows the log, ONLY=text runs the tests whose name holds
 * it, KEEP=1 leaves the folder. */
#include "rig.h"

#include "obs/design.h"
#include "obs/setup.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool aired(struct rig *r, void *n)
{
    return r->aired_count >= *(int *)n;
}

static bool ended(struct rig *r, void *n)
{
    return r->ended_count >= *(int *)n;
}

static bool wait_aired(struct rig *r, int n, int ms)
{
    return rig_wait(r, aired, &n, ms);
}

static bool wait_ended(struct rig *r, int n, int ms)
{
    return rig_wait(r, ended, &n, ms);
}

static enum err air(struct rig *r, int clip)
{
    struct stage_clip c;
    struct fault f = {0};
    rig_clip(r, clip, &c);
    enum err e = stage_air(r->stage, &c, true, &f);
    if (e)
        printf("  stage_air: %s\n", fault_text(&f));
    return e;
}

/* OBS knows its own rate a second after its start only; it is asked every five. */
static bool measured(struct rig *r, void *unused)
{
    (void)unused;
    return r->status.latency_ms >= 0 && r->status.fps > 1;
}

static void one_clip(struct rig *r)
{
    rig_stage(r, 0, 60000);
    CHECK(rig_scene(r, "sakuga standby", 10000));
    CHECK(rig_colour(r, "sakuga standby") == 7);
    CHECK(air(r, 0) == ERR_OK);
    CHECK(air(r, 1) == ERR_BUSY);
    CHECK(wait_aired(r, 1, 2000));
    CHECK(r->aired[0] == 1);
    CHECK(rig_scene(r, "sakuga result", 500));
    rig_run(r, 200);
    CHECK(rig_colour(r, "sakuga result") == 0);
    CHECK(wait_ended(r, 1, 4000));
    CHECK(r->ended[0].id == 1 && r->ended[0].how == STAGE_END_PLAYED);
    CHECK(rig_scene(r, "sakuga gallery", 2000));
    CHECK(rig_colour(r, "sakuga gallery") == 7); /* the standby card, not black */
    CHECK(r->pictures > 0);
    CHECK(rig_wait(r, measured, NULL, 12000));
    CHECK(r->ended_count == 1);
}

/* Runs of at least one frame of anything but the colours in turn are reported. */
static bool turns(const char *frames, const char *order, int cuts, char bad[128])
{
    int at = -1, seen = 0;
    const char *p = frames;
    str_copy(bad, 128, "");
    for (; *p; p = strchr(p, ' ') + 1) {
        if (seen == cuts)
            return true; /* what follows the last clip is not of interest */
        if (at >= 0 && *p != order[(at + 1) % (int)strlen(order)]) {
            snprintf(bad, 128, "after %d cuts: %.60s", seen, p);
            return false;
        }
        if (at < 0 && *p != order[0])
            continue; /* the card before the first cut */
        at = (at + 1) % (int)strlen(order);
        seen++;
    }
    snprintf(bad, 128, "only %d of %d cuts were seen", seen, cuts);
    return seen >= cuts;
}

/* Frames that OBS could not draw in time, so far: a machine that is too busy shows old pictures by
 * itself. */
static int64_t skipped(struct rig *r)
{
    cJSON *a = rig_ask(r, "GetStats", NULL);
    int64_t n = json_int(a, "renderSkippedFrames", 0);
    cJSON_Delete(a);
    return n;
}

/* Were the cuts clean, and did the clips end as they should? When not, and OBS skipped frames
 * meanwhile, nothing was learned: again. */
static void judge_cuts(struct rig *r, bool (*cuts)(struct rig *r, int64_t *before))
{
    for (int attempt = 1;; attempt++) {
        int64_t before = -1;
        bool clean = cuts(r, &before);
        CHECK(before >= 0);
        int64_t lost = skipped(r) - before;
        if (clean)
            return;
        printf("  OBS skipped %lld frames meanwhile\n", (long long)lost);
        CHECK(lost > 0 && attempt < 4);
    }
}

static bool twenty_cuts_once(struct rig *r, int64_t *before)
{
    struct buf frames = BUF_INIT(0);
    char bad[128];
    rig_stage(r, 0, 60000);
    CHECK_OR_FALSE(rig_scene(r, "sakuga standby", 10000));
    int64_t lost = skipped(r);
    int played = 0;
    rig_record(r, true);
    for (; played < 20; played++) {
        CHECK_OR_FALSE(air(r, played % RIG_CLIPS) == ERR_OK);
        CHECK_OR_FALSE(wait_ended(r, played + 1, 6000));
        if (r->ended[played].how != STAGE_END_PLAYED) /* as of a clip that OBS plays too slowly */
            break;
    }
    rig_record(r, false);
    rig_frames(r, &frames);
    bool clean = turns(buf_str(&frames), "rgbymc", 20, bad) && played == 20;
    if (played < 20)
        snprintf(bad, sizeof bad, "clip %d ended otherwise than at its end", played + 1);
    if (!clean || getenv("VERBOSE"))
        printf("  %s\n  %s\n", bad, buf_str(&frames));
    buf_free(&frames);
    *before = lost;
    return clean;
}

static void twenty_cuts(struct rig *r)
{
    judge_cuts(r, twenty_cuts_once);
}

/* A new clip comes every time from the gallery, which shows one of its own. */
static bool cuts_between_scenes_once(struct rig *r, int64_t *before)
{
    struct buf frames = BUF_INIT(0);
    char bad[128];
    rig_stage(r, 0, 700);
    CHECK_OR_FALSE(rig_scene(r, "sakuga standby", 10000));
    int64_t lost = skipped(r);
    rig_record(r, true);
    CHECK_OR_FALSE(air(r, 0) == ERR_OK);
    for (int i = 0; i < 6; i++) {
        CHECK_OR_FALSE(wait_aired(r, i + 1, 4000));
        r->gallery[0] = 1;
        r->gallery_count = 1;
        CHECK_OR_FALSE(wait_ended(r, i + 1, 6000));
        CHECK_OR_FALSE(rig_scene(r, "sakuga gallery", 2000));
        rig_run(r, 400);
        CHECK_OR_FALSE(air(r, 0) == ERR_OK);
    }
    CHECK_OR_FALSE(wait_aired(r, 7, 4000));
    rig_run(r, 500);
    rig_record(r, false);
    rig_frames(r, &frames);
    bool clean = turns(buf_str(&frames), "rg", 12, bad);
    if (!clean || getenv("VERBOSE"))
        printf("  %s\n  %s\n", bad, buf_str(&frames));
    buf_free(&frames);
    *before = lost;
    return clean;
}

static void cuts_between_scenes(struct rig *r)
{
    judge_cuts(r, cuts_between_scenes_once);
}

static bool gallery_rotates_once(struct rig *r, int64_t *before)
{
    struct buf frames = BUF_INIT(0);
    char bad[128];
    rig_stage(r, 0, 900);
    for (int i = 0; i < 3; i++)
        r->gallery[i] = i;
    CHECK_OR_FALSE(rig_scene(r, "sakuga standby", 10000) || rig_scene(r, "sakuga gallery", 1000));
    int64_t lost = skipped(r);
    rig_record(r, true);
    r->gallery_count = 3;
    stage_gallery_changed(r->stage);
    CHECK_OR_FALSE(rig_scene(r, "sakuga gallery", 3000));
    rig_run(r, 900 * 7);
    rig_record(r, false);
    rig_frames(r, &frames);
    /* The rotation was asked once for whether there is any, so it begins with the second. */
    bool clean = turns(buf_str(&frames), "gbr", 6, bad);
    if (!clean || getenv("VERBOSE"))
        printf("  %s\n  %s\n", bad, buf_str(&frames));
    buf_free(&frames);
    *before = lost;
    return clean;
}

static void gallery_rotates(struct rig *r)
{
    judge_cuts(r, gallery_rotates_once);
    r->gallery_count = 0; /* emptied: the card, not black */
    rig_run(r, 2500);
    CHECK(rig_scene(r, "sakuga gallery", 100));
    CHECK(rig_colour(r, "sakuga gallery") == 7);
}

struct spot {
    const char *scene;
    double x, y;
    int colour;
};

static bool is_colour(struct rig *r, void *arg)
{
    const struct spot *s = arg;
    return rig_colour_at(r, s->scene, s->x, s->y) == s->colour;
}

/* The gallery says that it is the gallery, top left; a new clip comes without that. */
static void gallery_has_a_badge(struct rig *r)
{
    struct spot result = {"sakuga result", 0.06, 0.12, 0},
                gallery = {"sakuga gallery", 0.5, 0.5, 1};
    rig_stage(r, 0, 60000);
    CHECK(rig_scene(r, "sakuga standby", 10000));
    r->gallery[0] = 1;
    r->gallery_count = 1;
    CHECK(air(r, 0) == ERR_OK);
    CHECK(wait_aired(r, 1, 3000));
    CHECK(rig_wait(r, is_colour, &result, 1200)); /* the clip itself */
    CHECK(rig_scene(r, "sakuga gallery", 4000));
    CHECK(rig_wait(r, is_colour, &gallery, 3000));
    gallery.x = result.x;
    gallery.y = result.y;
    CHECK(!rig_wait(r, is_colour, &gallery, 700));
}

static void panicked(void *user, enum err err, const char *why, int64_t us)
{
    struct rig *r = user;
    (void)why;
    r->panicked = true;
    r->panic_err = err;
    r->panic_us = us;
}

static bool is_panicked(struct rig *r, void *arg)
{
    (void)arg;
    return r->panicked;
}

static bool muted(struct rig *r, const char *input)
{
    cJSON *a = rig_ask(r, "GetInputMute", session_pair("inputName", input));
    bool m = json_bool(a, "inputMuted", false);
    cJSON_Delete(a);
    return m;
}

/* Does it become so? A scene may be seen before the last request of its batch is done. */
static bool becomes_muted(struct rig *r, const char *input, bool want)
{
    for (int i = 0; i < 150 && muted(r, input) != want; i++)
        rig_run(r, 20);
    return muted(r, input) == want;
}

static void panic_and_resume(struct rig *r)
{
    rig_stage(r, 0, 60000);
    CHECK(rig_scene(r, "sakuga standby", 10000));
    CHECK(air(r, 2) == ERR_OK);
    CHECK(wait_aired(r, 1, 3000));
    rig_run(r, 300);
    stage_panic(r->stage, panicked, r);
    CHECK(r->ended_count == 1 && r->ended[0].how == STAGE_END_PANIC);
    CHECK(rig_wait(r, is_panicked, NULL, 2000));
    CHECK(r->panic_err == ERR_OK);
    printf("  panic answered after %.1f ms\n", (double)r->panic_us / 1000);
    cJSON *a = rig_ask(r, "GetCurrentProgramScene", NULL);
    CHECK(!strcmp(json_str(a, "currentProgramSceneName", ""), "sakuga standby"));
    cJSON_Delete(a);
    CHECK(becomes_muted(r, "sakuga clip A", true) && becomes_muted(r, "sakuga clip B", true) &&
          becomes_muted(r, "sakuga chime", true));
    CHECK(air(r, 1) == ERR_STATE);
    stage_set_generating(r->stage, true, "drawing");
    rig_run(r, 500);
    CHECK(rig_scene(r, "sakuga standby", 0));
    /* Remembered over a restart of OBS, and applied before anything else. */
    rig_obs(r, "kill");
    rig_obs(r, "start");
    CHECK(rig_scene(r, "sakuga standby", 20000));
    CHECK(becomes_muted(r, "sakuga clip A", true));
    CHECK(stage_panicked(r->stage));
    stage_resume(r->stage);
    CHECK(rig_scene(r, "sakuga gallery", 3000));
    CHECK(becomes_muted(r, "sakuga clip A", false) && becomes_muted(r, "sakuga chime", false));
    /* A panic while OBS is away counts from its return. */
    rig_obs(r, "kill");
    r->panicked = false;
    rig_run(r, 300);
    stage_panic(r->stage, panicked, r);
    CHECK(rig_wait(r, is_panicked, NULL, 6000));
    CHECK(r->panic_err == ERR_CLOSED);
    rig_obs(r, "start");
    CHECK(rig_scene(r, "sakuga standby", 20000));
    CHECK(becomes_muted(r, "sakuga clip B", true));
    stage_resume(r->stage);
    CHECK(rig_scene(r, "sakuga gallery", 3000));
}

static void set_studio(struct rig *r, bool on)
{
    cJSON *d = cJSON_CreateObject();
    cJSON_AddBoolToObject(d, "studioModeEnabled", on);
    cJSON_Delete(rig_ask(r, "SetStudioModeEnabled", d));
}

/* Is the last run of frames of this colour? */
static bool ends_with(const char *frames, char colour)
{
    size_t n = strlen(frames);
    while (n && (frames[n - 1] == ' ' || (frames[n - 1] >= '0' && frames[n - 1] <= '9')))
        n--;
    return n && frames[n - 1] == colour;
}

static void slow_fade(struct rig *r, int ms)
{
    cJSON *d = cJSON_CreateObject();
    cJSON_Delete(rig_ask(r, "SetCurrentSceneTransition", session_pair("transitionName", "Fade")));
    cJSON_AddNumberToObject(d, "transitionDuration", ms);
    cJSON_Delete(rig_ask(r, "SetCurrentSceneTransitionDuration", d));
}

/* A panic while a fade by hand is under way, to a scene of the operator's that is black. */
static void panic_in_a_fade(struct rig *r, bool studio)
{
    struct buf frames = BUF_INIT(0);
    int aired_before = r->aired_count;
    set_studio(r, studio);
    CHECK(rig_scene(r, "sakuga gallery", 5000));
    rig_record(r, true);
    CHECK(air(r, 2) == ERR_OK);
    CHECK(wait_aired(r, aired_before + 1, 3000));
    cJSON_Delete(rig_ask(r, "SetCurrentProgramScene", session_pair("sceneName", "my black scene")));
    CHECK(wait_ended(r, aired_before + 1, 1500));
    CHECK(r->ended[aired_before].how == STAGE_END_OVERRIDE);
    rig_run(r, 300); /* into the fade */
    r->panicked = false;
    stage_panic(r->stage, panicked, r);
    CHECK(rig_wait(r, is_panicked, NULL, 2000));
    rig_run(r, 1800);
    rig_record(r, false);
    rig_frames(r, &frames);
    bool card = ends_with(buf_str(&frames), '.');
    if (!card || getenv("VERBOSE"))
        printf("  %s\n", buf_str(&frames));
    buf_free(&frames);
    CHECK(card);
    CHECK(rig_scene(r, "sakuga standby", 1000));
    stage_resume(r->stage);
    CHECK(rig_scene(r, "sakuga gallery", 3000));
}

static void panic_in_fades(struct rig *r)
{
    rig_stage(r, 0, 60000);
    CHECK(rig_scene(r, "sakuga standby", 10000));
    cJSON_Delete(rig_ask(r, "CreateScene", session_pair("sceneName", "my black scene")));
    stage_panic(r->stage, NULL, NULL);
    stage_resume(r->stage); /* to the gallery */
    slow_fade(r, 1200);
    panic_in_a_fade(r, false);
    panic_in_a_fade(r, true);
    set_studio(r, false);
    slow_fade(r, 300);
    cJSON_Delete(rig_ask(r, "RemoveScene", session_pair("sceneName", "my black scene")));
}

/* In studio mode the program shows copies of scenes, and has its own way of cutting by hand. */
static void studio_mode(struct rig *r)
{
    struct buf frames = BUF_INIT(0);
    char bad[128];
    rig_stage(r, 0, 60000);
    CHECK(rig_scene(r, "sakuga standby", 10000));
    set_studio(r, true);
    cJSON_Delete(rig_ask(r, "CreateScene", session_pair("sceneName", "my own scene")));
    rig_record(r, true);
    for (int i = 0; i < 4; i++) {
        CHECK(air(r, i % 3) == ERR_OK);
        CHECK(wait_ended(r, i + 1, 6000));
        CHECK(r->ended[i].how == STAGE_END_PLAYED);
    }
    CHECK(air(r, 1) == ERR_OK);
    CHECK(wait_aired(r, 5, 3000));
    rig_run(r, 400);
    stage_panic(r->stage, panicked, r);
    CHECK(r->ended_count == 5 && r->ended[4].how == STAGE_END_PANIC);
    CHECK(rig_wait(r, is_panicked, NULL, 2000));
    CHECK(r->panic_err == ERR_OK);
    printf("  panic answered after %.1f ms\n", (double)r->panic_us / 1000);
    rig_run(r, 700);
    rig_record(r, false);
    rig_frames(r, &frames);
    bool clean = turns(buf_str(&frames), "rgb", 4, bad), card = ends_with(buf_str(&frames), '.');
    if (!clean || !card || getenv("VERBOSE"))
        printf("  %s\n  %s\n", bad, buf_str(&frames));
    buf_free(&frames);
    CHECK(clean && card);
    stage_resume(r->stage);
    CHECK(rig_scene(r, "sakuga gallery", 3000));
    CHECK(air(r, 0) == ERR_OK);
    CHECK(wait_aired(r, 6, 3000));
    cJSON_Delete(rig_ask(r, "SetCurrentPreviewScene", session_pair("sceneName", "my own scene")));
    rig_run(r, 300);
    CHECK(r->ended_count == 5 && rig_scene(r, "sakuga result", 0)); /* a look ahead is no cut */
    cJSON_Delete(rig_ask(r, "SetCurrentProgramScene", session_pair("sceneName", "my own scene")));
    CHECK(wait_ended(r, 6, 2000));
    CHECK(r->ended[5].how == STAGE_END_OVERRIDE);
    CHECK(rig_scene(r, "my own scene", 1000));
    set_studio(r, false);
    cJSON_Delete(rig_ask(r, "RemoveScene", session_pair("sceneName", "my own scene")));
}

static void restart_in_every_state(struct rig *r)
{
    rig_stage(r, 0, 60000);
    CHECK(rig_scene(r, "sakuga standby", 10000));
    rig_obs(r, "kill"); /* standby */
    rig_obs(r, "start");
    CHECK(rig_scene(r, "sakuga standby", 20000));
    stage_set_generating(r->stage, true, "drawing 40 %");
    CHECK(rig_scene(r, "sakuga generating", 2000));
    rig_obs(r, "kill"); /* generating */
    rig_obs(r, "start");
    CHECK(rig_scene(r, "sakuga generating", 20000));
    CHECK(air(r, 3) == ERR_OK);
    CHECK(wait_aired(r, 1, 3000));
    rig_obs(r, "kill"); /* result, in the middle of a clip */
    CHECK(wait_ended(r, 1, 6000));
    CHECK(r->ended[0].how == STAGE_END_LOST);
    struct stage_clip c;
    struct fault f;
    rig_clip(r, 3, &c);
    CHECK(stage_air(r->stage, &c, true, &f) == ERR_CLOSED);
    rig_obs(r, "start");
    CHECK(rig_scene(r, "sakuga gallery", 20000));
    stage_set_generating(r->stage, false, "");
    rig_run(r, 2500);
    CHECK(r->aired_count == 1 && r->ended_count == 1); /* it does not play a second time */
    CHECK(rig_scene(r, "sakuga gallery", 0));
    rig_obs(r, "kill"); /* gallery */
    rig_obs(r, "start");
    CHECK(rig_scene(r, "sakuga gallery", 20000));
    CHECK(air(r, 4) == ERR_OK);
    CHECK(wait_aired(r, 2, 3000));
    CHECK(wait_ended(r, 2, 6000));
    CHECK(r->ended[1].how == STAGE_END_PLAYED);
    CHECK(r->ended_count == 2);
}

static void dies_on_air(struct rig *r)
{
    /* Cut short behind its header: the player ends early, or never. */
    char cmd[2400];
    struct stage_clip c;
    struct fault f;
    rig_stage(r, 0, 60000);
    CHECK(rig_scene(r, "sakuga standby", 10000));
    rig_clip(r, 0, &c);
    snprintf(cmd, sizeof cmd, "head -c 300 '%s' >'%s/broken.mp4'", c.path, r->air);
    CHECK(system(cmd) == 0);
    snprintf(c.path, sizeof c.path, "%s/broken.mp4", r->air);
    c.id = 77;
    c.duration_ms = 20000;
    CHECK(stage_air(r->stage, &c, true, &f) == ERR_OK);
    CHECK(wait_ended(r, 1, 6000));
    CHECK(r->ended[0].id == 77 && r->ended[0].how == STAGE_END_FAULT);
    printf("  \"%s\"\n", r->ended[0].words);
    CHECK(rig_scene(r, "sakuga gallery", 3000));
    CHECK(rig_colour(r, "sakuga gallery") == 7);
    /* A sound file for 20 s that lasts 1.5: the end comes early. */
    rig_clip(r, 1, &c);
    c.duration_ms = 20000;
    CHECK(stage_air(r->stage, &c, true, &f) == ERR_OK);
    CHECK(wait_ended(r, 2, 6000));
    CHECK(r->ended[1].how == STAGE_END_FAULT);
    /* A player that hangs: paused behind our back. */
    rig_clip(r, 2, &c);
    c.duration_ms = 20000;
    snprintf(cmd, sizeof cmd,
             "ffmpeg -v error -y -f lavfi -i testsrc=s=320x180:r=16:d=20 -c:v libx264 -preset "
             "ultrafast '%s/long.mp4'",
             r->air);
    CHECK(system(cmd) == 0);
    snprintf(c.path, sizeof c.path, "%s/long.mp4", r->air);
    CHECK(stage_air(r->stage, &c, true, &f) == ERR_OK);
    CHECK(wait_aired(r, 3, 3000));
    rig_run(r, 500);
    for (int slot = 0; slot < 2; slot++) {
        cJSON *d = session_pair("inputName", design_clip(slot));
        cJSON_AddStringToObject(d, "mediaAction", "OBS_WEBSOCKET_MEDIA_INPUT_ACTION_PAUSE");
        cJSON_Delete(rig_ask(r, "TriggerMediaInputAction", d));
    }
    CHECK(wait_ended(r, 3, 6000));
    CHECK(r->ended[2].how == STAGE_END_FAULT);
    CHECK(strstr(r->ended[2].words, "frozen"));
    CHECK(rig_scene(r, "sakuga gallery", 3000));
}

static void operator_cuts_by_hand(struct rig *r)
{
    rig_stage(r, 0, 4000); /* the gallery's own end stays far from what the hand does */
    CHECK(rig_scene(r, "sakuga standby", 10000));
    cJSON_Delete(rig_ask(r, "CreateScene", session_pair("sceneName", "my own scene")));
    CHECK(air(r, 0) == ERR_OK);
    CHECK(wait_aired(r, 1, 3000));
    rig_run(r, 300);
    cJSON_Delete(rig_ask(r, "SetCurrentProgramScene", session_pair("sceneName", "my own scene")));
    CHECK(wait_ended(r, 1, 2000));
    CHECK(r->ended[0].how == STAGE_END_OVERRIDE);
    stage_set_generating(r->stage, true, "drawing");
    rig_run(r, 1500);
    CHECK(rig_scene(r, "my own scene", 0)); /* no fight */
    CHECK(strstr(r->status.why, "my own scene"));
    struct stage_clip c;
    struct fault f;
    rig_clip(r, 1, &c);
    CHECK(stage_air(r->stage, &c, false, &f) == ERR_STATE);
    CHECK(stage_air(r->stage, &c, true, &f) == ERR_OK); /* the operator wants it */
    CHECK(rig_scene(r, "sakuga result", 2000));
    CHECK(wait_ended(r, 2, 4000));
    CHECK(r->ended[1].how == STAGE_END_PLAYED);
    /* By hand away and back to one of ours: the stage goes on. */
    CHECK(rig_scene(r, "sakuga gallery", 3000));
    rig_run(r, 500); /* the operator's own pace: a cut within one frame of ours confuses OBS 29 */
    cJSON_Delete(rig_ask(r, "SetCurrentProgramScene", session_pair("sceneName", "my own scene")));
    CHECK(rig_scene(r, "my own scene", 2000));
    rig_run(r, 1500);
    CHECK(rig_scene(r, "my own scene", 0));
    cJSON_Delete(rig_ask(r, "SetCurrentProgramScene", session_pair("sceneName", "sakuga gallery")));
    CHECK(rig_scene(r, "sakuga generating", 10000)); /* the gallery's dwell, then what is drawn */
    cJSON_Delete(rig_ask(r, "RemoveScene", session_pair("sceneName", "my own scene")));
}

/* What the scene collection holds, but for what differs by itself. */
static void collect(struct rig *r, struct buf *out)
{
    cJSON *list = rig_ask(r, "GetSceneList", NULL), *inputs = rig_ask(r, "GetInputList", NULL);
    const cJSON *e;
    cJSON_ArrayForEach(e, json_arr(list, "scenes"))
    {
        cJSON *items =
            rig_ask(r, "GetSceneItemList", session_pair("sceneName", json_str(e, "sceneName", "")));
        json_print(out, e, true);
        json_print(out, items, true);
        cJSON_Delete(items);
    }
    cJSON_ArrayForEach(e, json_arr(inputs, "inputs"))
    {
        cJSON *set =
            rig_ask(r, "GetInputSettings", session_pair("inputName", json_str(e, "inputName", "")));
        json_print(out, e, true);
        json_print(out, set, true);
        cJSON_Delete(set);
    }
    cJSON_Delete(list);
    cJSON_Delete(inputs);
}

/* OBS draws new texts and opens files a moment later: twice the same counts. */
static bool collected(struct rig *r, void *out)
{
    struct buf now = BUF_INIT(0);
    buf_reset(out);
    collect(r, out);
    rig_run(r, 100);
    collect(r, &now);
    bool same = !strcmp(buf_str(&now), buf_str(out));
    buf_free(&now);
    return same;
}

static void setup_is_idempotent(struct rig *r)
{
    struct buf before = BUF_INIT(0), after = BUF_INIT(0), report = BUF_INIT(0);
    struct fault f;
    rig_stage(r, 0, 60000);
    CHECK(rig_scene(r, "sakuga standby", 10000));
    stage_free(r->stage);
    r->stage = NULL;
    /* A scene of the user's, and an own item in ours: both stay. */
    cJSON_Delete(rig_ask(r, "CreateScene", session_pair("sceneName", "mine")));
    cJSON *d = session_pair("sceneName", "sakuga result");
    cJSON_AddStringToObject(d, "sourceName", "mine");
    cJSON_Delete(rig_ask(r, "CreateSceneItem", d));
    CHECK(rig_wait(r, collected, &before, 5000));
    for (int i = 0; i < 2; i++)
        CHECK(setup_once(r->url, r->password, "AI-generated", 8000, &report, &f) == ERR_OK);
    CHECK(strstr(buf_str(&report), "nothing was changed"));
    collect(r, &after);
    CHECK(before.len > 5000 && !strcmp(buf_str(&before), buf_str(&after)));
    /* What was removed comes back, in its place; the rest stays. */
    cJSON_Delete(rig_ask(r, "RemoveInput", session_pair("inputName", "sakuga plate")));
    cJSON_Delete(rig_ask(r, "RemoveScene", session_pair("sceneName", "sakuga gallery")));
    rig_run(r, 300);
    buf_reset(&report);
    CHECK(setup_once(r->url, r->password, "AI-generated", 8000, &report, &f) == ERR_OK);
    CHECK(strstr(buf_str(&report), "set up")); /* here, or a moment before by a stage that heals */
    cJSON *items = rig_ask(r, "GetSceneItemList", session_pair("sceneName", "sakuga card A"));
    CHECK(!strcmp(json_str(cJSON_GetArrayItem(json_arr(items, "sceneItems"), 1), "sourceName", ""),
                  "sakuga plate"));
    cJSON_Delete(items);
    cJSON_Delete(rig_ask(r, "RemoveScene", session_pair("sceneName", "mine")));
    CHECK(setup_once(r->url, "wrong", "x", 4000, &report, &f) == ERR_AUTH);
    CHECK(strstr(fault_text(&f), "secrets.conf"));
    buf_free(&before);
    buf_free(&after);
    buf_free(&report);
}

/* While the show runs somebody deletes a clip input: it is made again. */
static void heals_a_removed_input(struct rig *r)
{
    rig_stage(r, 0, 60000);
    CHECK(rig_scene(r, "sakuga standby", 10000));
    cJSON_Delete(rig_ask(r, "RemoveInput", session_pair("inputName", "sakuga clip A")));
    cJSON_Delete(rig_ask(r, "RemoveInput", session_pair("inputName", "sakuga clip B")));
    rig_run(r, 2500);
    CHECK(air(r, 0) == ERR_OK);
    CHECK(wait_ended(r, 1, 5000));
    CHECK(r->ended[0].how == STAGE_END_PLAYED);
}

static void chimes(struct rig *r)
{
    char cmd[2400];
    int playing = 0;
    snprintf(cmd, sizeof cmd, "ffmpeg -v error -y -f lavfi -i sine=880:d=1.2 '%s/chime.wav'",
             r->dir);
    CHECK(system(cmd) == 0);
    rig_stage(r, 0, 60000);
    CHECK(rig_scene(r, "sakuga standby", 10000));
    for (int round = 0; round < 2; round++) {
        stage_chime(r->stage);
        playing = 0;
        for (int i = 0; i < 40; i++) {
            cJSON *a = rig_ask(r, "GetMediaInputStatus", session_pair("inputName", "sakuga chime"));
            playing += !strcmp(json_str(a, "mediaState", ""), "OBS_MEDIA_STATE_PLAYING");
            cJSON_Delete(a);
            rig_run(r, 50);
        }
        CHECK(playing > 10 && playing < 35);
    }
    cJSON *a = rig_ask(r, "GetInputSettings", session_pair("inputName", "sakuga chime"));
    CHECK(!*json_str(json_obj(a, "inputSettings"), "local_file", "?"));
    cJSON_Delete(a);
}

static void airlock(struct rig *r)
{
    struct stage_clip c;
    struct fault f;
    char cmd[2400];
    rig_stage(r, 0, 60000);
    CHECK(rig_scene(r, "sakuga standby", 10000));
    rig_clip(r, 0, &c);
    snprintf(cmd, sizeof cmd, "cp '%s' '%s/vault.mp4' && ln -sf '%s/vault.mp4' '%s/link.mp4'",
             c.path, r->dir, r->dir, r->air);
    CHECK(system(cmd) == 0);
    snprintf(c.path, sizeof c.path, "%s/vault.mp4", r->dir);
    CHECK(stage_air(r->stage, &c, true, &f) == ERR_DENIED);
    snprintf(c.path, sizeof c.path, "%s/link.mp4", r->air);
    CHECK(stage_air(r->stage, &c, true, &f) == ERR_DENIED);
    snprintf(c.path, sizeof c.path, "%s/../vault.mp4", r->air);
    CHECK(stage_air(r->stage, &c, true, &f) == ERR_DENIED);
    snprintf(c.path, sizeof c.path, "%s/none.mp4", r->air);
    CHECK(stage_air(r->stage, &c, true, &f) == ERR_NOTFOUND);
    CHECK(r->aired_count == 0 && stage_airing(r->stage) == 0);
}

static void withdrawn_before_the_cut(struct rig *r)
{
    rig_stage(r, 0, 60000);
    CHECK(rig_scene(r, "sakuga standby", 10000));
    CHECK(air(r, 0) == ERR_OK);
    CHECK(stage_withdraw(r->stage, 1));
    CHECK(!stage_withdraw(r->stage, 1));
    rig_run(r, 600);
    CHECK(r->aired_count == 0 && r->ended_count == 0);
    CHECK(rig_scene(r, "sakuga standby", 0));
    CHECK(air(r, 1) == ERR_OK);
    CHECK(wait_aired(r, 1, 2000));
    CHECK(!stage_withdraw(r->stage, 2));
}

static void closed(void *user, enum err err, const char *why, int64_t us)
{
    struct rig *r = user;
    (void)why, (void)us;
    r->closed = true;
    r->close_err = err;
}

static bool is_closed(struct rig *r, void *arg)
{
    (void)arg;
    return r->closed;
}

static void close_leaves_the_gallery(struct rig *r)
{
    rig_stage(r, 0, 60000);
    CHECK(rig_scene(r, "sakuga standby", 10000));
    CHECK(air(r, 0) == ERR_OK);
    CHECK(wait_aired(r, 1, 2000));
    stage_close(r->stage, closed, r);
    CHECK(r->ended_count == 1 && r->ended[0].how == STAGE_END_QUIT);
    CHECK(rig_wait(r, is_closed, NULL, 1000));
    CHECK(r->close_err == ERR_OK);
    stage_free(r->stage);
    r->stage = NULL;
    cJSON *a = rig_ask(r, "GetCurrentProgramScene", NULL);
    CHECK(!strcmp(json_str(a, "currentProgramSceneName", ""), "sakuga gallery"));
    cJSON_Delete(a);
    CHECK(rig_colour(r, "sakuga gallery") == 7);
}

static void shots(struct rig *r)
{
    const char *to = getenv("SHOTS");
    char file[600];
    rig_stage(r, 5000, 60000);
    CHECK(rig_scene(r, "sakuga standby", 10000));
    snprintf(file, sizeof file, "%s/standby.png", to);
    rig_shot(r, "sakuga standby", file, 1280, 720);
    stage_set_queue_text(r->stage,
                         "next: さくら_42 雨の駅でひとり傘をさす少女\n2 more are waiting");
    stage_set_generating(
        r->stage, true,
        "kanna: a fox in the rain under a red umbrella\n██████████░░░░░░░░░░  48 %");
    CHECK(rig_scene(r, "sakuga generating", 3000));
    rig_run(r, 800);
    snprintf(file, sizeof file, "%s/generating.png", to);
    rig_shot(r, "sakuga generating", file, 1280, 720);
    for (int i = 0; i < 3; i++) {
        CHECK(air(r, i) == ERR_OK);
        CHECK(wait_aired(r, i + 1, 3000));
        rig_run(r, 500);
        snprintf(file, sizeof file, "%s/result%d.png", to, i);
        rig_shot(r, "sakuga result", file, 1280, 720);
        CHECK(wait_ended(r, i + 1, 4000));
    }
    stage_set_generating(r->stage, false, "");
    r->gallery[0] = 1;
    r->gallery_count = 1;
    stage_gallery_changed(r->stage);
    struct spot gallery = {"sakuga gallery", 0.5, 0.5, 1};
    CHECK(rig_wait(r, is_colour, &gallery, 12000));
    snprintf(file, sizeof file, "%s/gallery.png", to);
    rig_shot(r, "sakuga gallery", file, 1280, 720);
}

int main(int argc, char **argv)
{
    struct rig r;
    const char *fps = argc > 1 ? argv[1] : "30";
    char options[64];
    setvbuf(stdout, NULL, _IOLBF, 0);
    snprintf(options, sizeof options, "--size 640x360 --fps %s", fps);
    rig_begin(&r, options);
    rig_test("one clip airs", one_clip, &r);
    rig_test("setup is idempotent", setup_is_idempotent, &r);
    rig_test("twenty cuts in one scene", twenty_cuts, &r);
    rig_test("cuts between result and gallery", cuts_between_scenes, &r);
    rig_test("gallery rotates", gallery_rotates, &r);
    rig_test("gallery has a badge", gallery_has_a_badge, &r);
    rig_test("panic and resume", panic_and_resume, &r);
    rig_test("studio mode", studio_mode, &r);
    rig_test("panic in a fade by hand", panic_in_fades, &r);
    rig_test("OBS restarts in every state", restart_in_every_state, &r);
    rig_test("a clip that dies on air", dies_on_air, &r);
    rig_test("the operator cuts by hand", operator_cuts_by_hand, &r);
    rig_test("a removed input heals", heals_a_removed_input, &r);
    rig_test("chime", chimes, &r);
    rig_test("airlock", airlock, &r);
    rig_test("withdrawn before the cut", withdrawn_before_the_cut, &r);
    rig_test("close leaves the gallery", close_leaves_the_gallery, &r);
    if (getenv("SHOTS")) /* a folder for pictures of the scenes, for people to look at */
        rig_test("shots", shots, &r);
    rig_end(&r);
    return rig_summary();
}
