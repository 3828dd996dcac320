#include "rig.h"

#include "base/log.h"
#include "obs/monitor.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CLIP_MS 1500

static int passed, failed;
static bool failing;
static char recording[512];

static char stop_command[900]; /* what ends the OBS that runs, "" without one */

static void die(const char *what)
{
    fprintf(stderr, "live test: %s\n", what);
    if (*stop_command && system(stop_command))
        fprintf(stderr, "live test: OBS was left running\n");
    exit(99);
}

/* ---- OBS and clips ---- */

static const char *script(void)
{
    static char path[512];
    const char *src = getenv("srcdir");
    snprintf(path, sizeof path, "%s/tests/live/lib/obs-headless", src ? src : ".");
    return path;
}

static void start(struct rig *r, const char *options)
{
    char cmd[1200], line[256];
    snprintf(cmd, sizeof cmd, "'%s' start '%s' %s", script(), r->obs_dir, options);
    FILE *p = popen(cmd, "r");
    int port = 0;
    while (p && fgets(line, sizeof line, p)) {
        sscanf(line, "OBS_PORT=%d", &port);
        sscanf(line, "OBS_PASSWORD=%63s", r->password);
    }
    if (!p || pclose(p) || !port)
        die("OBS does not start");
    snprintf(r->url, sizeof r->url, "ws://127.0.0.1:%d", port);
}

static bool is_down(struct rig *r, void *arg)
{
    (void)arg;
    stage_status(r->stage, &r->status);
    return !r->status.connected && !r->watching;
}

void rig_obs(struct rig *r, const char *verb)
{
    char cmd[1200];
    if (!strcmp(verb, "start")) {
        start(r, "");
        return;
    }
    snprintf(cmd, sizeof cmd, "'%s' %s '%s'", script(), verb, r->obs_dir);
    if (system(cmd))
        die(cmd);
    if (!strcmp(verb, "kill") && r->stage && !rig_wait(r, is_down, NULL, 8000))
        die("the stage did not notice that OBS is gone");
}

/* Solid colours, so that one pixel tells the clip, with a bar that moves along the top. */
static void make_clips(struct rig *r)
{
    static const char *const colours[RIG_CLIPS] = {"0xff0000", "0x00ff00", "0x0000ff",
                                                   "0xffff00", "0xff00ff", "0x00ffff"};
    char cmd[1600];
    for (int i = 0; i < RIG_CLIPS; i++) {
        snprintf(cmd, sizeof cmd,
                 "ffmpeg -v error -f lavfi -i color=%s:s=832x480:r=16:d=%.3f -f lavfi -i "
                 "color=white:s=60x60:r=16:d=%.3f -filter_complex "
                 "\"[0][1]overlay=x='mod(t*300,770)':y=20\" -c:v libx264 -preset ultrafast "
                 "-pix_fmt yuv420p '%s/%d.mp4'",
                 colours[i], CLIP_MS / 1000.0, CLIP_MS / 1000.0, r->air, i);
        if (system(cmd))
            die("ffmpeg cannot make the clips");
    }
}

void rig_begin(struct rig *r, const char *options)
{
    const char *tmp = getenv("TMPDIR");
    *r = (struct rig){0};
    snprintf(r->dir, sizeof r->dir, "%s/sakuga-live-XXXXXX", tmp ? tmp : "/tmp");
    if (!mkdtemp(r->dir))
        die("no temporary folder");
    snprintf(r->obs_dir, sizeof r->obs_dir, "%s/obs", r->dir);
    snprintf(r->air, sizeof r->air, "%s/air", r->dir);
    snprintf(stop_command, sizeof stop_command, "'%s' stop '%s'", script(), r->obs_dir);
    struct fault f;
    if (path_mkdirs(r->air, 0755, &f))
        die(fault_text(&f));
    make_clips(r);
    start(r, options);
    r->loop = loop_new(&f);
    if (getenv("VERBOSE"))
        log_stderr(true), log_set_level(LOG_DEBUG);
}

void rig_end(struct rig *r)
{
    char cmd[400];
    rig_stage_end(r);
    stage_shutdown(r->loop);
    loop_free(r->loop);
    rig_obs(r, "stop");
    snprintf(cmd, sizeof cmd, "rm -rf '%s'", r->dir);
    if (!getenv("KEEP") && system(cmd))
        die(cmd);
}

void rig_clip(const struct rig *r, int n, struct stage_clip *out)
{
    static const char long_one[] =
        "a very long prompt that goes on and on about a city of towers above the clouds, with "
        "airships, lanterns, petals in the wind and a cat that watches all of it from a roof";
    static const char *const prompts[RIG_CLIPS] = {
        "a fox in the rain under a red paper umbrella",
        "雨の駅でひとり傘をさす少女、蒸気機関車が通り過ぎる、夕暮れの光",
        long_one,
        "サクラ吹雪",
        "mecha at dawn",
        "noir alley, neon"};
    *out = (struct stage_clip){.id = n + 1, .duration_ms = CLIP_MS};
    snprintf(out->path, sizeof out->path, "%s/%d.mp4", r->air, n % RIG_CLIPS);
    str_copy(out->viewer, sizeof out->viewer, n % 2 ? "さくら_42" : "kanna");
    str_copy(out->prompt, sizeof out->prompt, prompts[n % RIG_CLIPS]);
    str_copy(out->style, sizeof out->style, n % 2 ? "watercolor" : "ghibli");
}

int64_t rig_clip_ms(void)
{
    return CLIP_MS;
}

/* ---- the stage and the watcher ---- */

static void on_air(void *user, int64_t id)
{
    struct rig *r = user;
    if (r->aired_count < 64) {
        r->aired_us[r->aired_count] = clock_mono_us();
        r->aired[r->aired_count++] = id;
    }
}

static void on_ended(void *user, int64_t id, enum stage_end how, const char *words)
{
    struct rig *r = user;
    if (r->ended_count < 64) {
        struct rig_end *e = &r->ended[r->ended_count++];
        *e = (struct rig_end){.id = id, .how = how, .at_ms = clock_mono_ms()};
        str_copy(e->words, sizeof e->words, words);
    }
}

static bool gallery_next(void *user, struct stage_clip *out)
{
    struct rig *r = user;
    if (!r->gallery_count)
        return false;
    rig_clip(r, r->gallery[r->gallery_at++ % r->gallery_count], out);
    return true;
}

static void on_status(void *user)
{
    struct rig *r = user;
    if (r->stage)
        stage_status(r->stage, &r->status);
}

static void on_picture(void *user, int w, int h, const uint8_t *rgb)
{
    struct rig *r = user;
    (void)rgb;
    r->pictures += w > 0 && h > 0;
}

static void watch_up(void *user)
{
    ((struct rig *)user)->watching = true;
}

static void watch_down(void *user, const char *why, bool gave_up)
{
    (void)why, (void)gave_up;
    ((struct rig *)user)->watching = false;
}

static void watch_event(void *user, const char *type, const cJSON *data)
{
    (void)user, (void)type, (void)data;
}

static void watch_probe(void *user, const cJSON *stats, int64_t us)
{
    (void)user, (void)stats, (void)us;
}

void rig_stage(struct rig *r, int64_t result_dwell_ms, int64_t gallery_dwell_ms)
{
    static const struct stage_ops ops = {on_air, on_ended, gallery_next, on_status, on_picture};
    static const struct session_ops watch = {watch_up, watch_down, watch_event, watch_probe};
    char chime[600];
    snprintf(chime, sizeof chime, "%s/chime.wav", r->dir);
    struct stage_settings set = {.url = r->url,
                                 .password = r->password,
                                 .label = "AI-generated",
                                 .air = r->air,
                                 .chime = chime,
                                 .result_dwell_ms = result_dwell_ms,
                                 .gallery_dwell_ms = gallery_dwell_ms};
    struct fault f;
    if (r->stage) /* a second attempt: one OBS, one stage */
        rig_stage_end(r);
    r->aired_count = r->ended_count = r->gallery_count = r->gallery_at = r->pictures = 0;
    r->panicked = r->closed = false;
    r->status = (struct obs_status){0};
    r->stage = stage_new(r->loop, &set, &ops, r, &f);
    if (!r->stage)
        die(fault_text(&f));
    if (!r->watch)
        r->watch = session_new(r->loop, r->url, r->password, &watch, r, &f);
    if (!r->watch)
        die(fault_text(&f));
}

void rig_stage_end(struct rig *r)
{
    stage_free(r->stage);
    session_free(r->watch);
    r->stage = NULL;
    r->watch = NULL;
    r->watching = false;
}

bool rig_wait(struct rig *r, bool (*ok)(struct rig *r, void *arg), void *arg, int ms)
{
    int64_t end = clock_mono_ms() + ms;
    while (!ok(r, arg)) {
        int64_t left = end - clock_mono_ms();
        if (left <= 0)
            return false;
        loop_step(r->loop, left < 20 ? (int)left : 20);
    }
    return true;
}

static bool never(struct rig *r, void *arg)
{
    (void)r, (void)arg;
    return false;
}

void rig_run(struct rig *r, int ms)
{
    rig_wait(r, never, NULL, ms);
}

static bool in_scene(struct rig *r, void *arg)
{
    stage_status(r->stage, &r->status);
    return r->status.connected && !strcmp(r->status.scene, arg);
}

bool rig_scene(struct rig *r, const char *scene, int ms)
{
    return rig_wait(r, in_scene, (void *)scene, ms);
}

static bool watches(struct rig *r, void *arg)
{
    (void)arg;
    return r->watching;
}

struct answer {
    bool done;
    cJSON *data;
};

static void on_answer(void *user, const struct reply *reply)
{
    struct answer *a = user;
    a->done = true;
    if (!reply->err)
        a->data = reply->data ? cJSON_Duplicate(reply->data, true) : cJSON_CreateObject();
}

static bool answered(struct rig *r, void *arg)
{
    (void)r;
    return ((struct answer *)arg)->done;
}

cJSON *rig_ask(struct rig *r, const char *type, cJSON *data)
{
    struct answer a = {0};
    if (!rig_wait(r, watches, NULL, 20000))
        die("the watcher does not reach OBS");
    session_request(r->watch, type, data, 8000, on_answer, &a);
    rig_wait(r, answered, &a, 10000);
    return a.data;
}

static char letter(const uint8_t *p)
{
    static const char letters[] = "kbgcrmyw";
    for (int i = 0; i < 3; i++)
        if (p[i] > 90 && p[i] < 165)
            return '.';
    char c = letters[(p[0] > 128) * 4 + (p[1] > 128) * 2 + (p[2] > 128)];
    /* Our backdrop is dark too, but blueish: only (nearly) nothing counts as black. */
    return c == 'k' && p[0] + p[1] + p[2] > 30 ? '.' : c;
}

int rig_colour(struct rig *r, const char *scene)
{
    return rig_colour_at(r, scene, 0.5, 0.5);
}

int rig_colour_at(struct rig *r, const char *scene, double x, double y)
{
    static uint8_t rgb[64 * 36 * 3];
    static const char order[] = "rgbymck";
    int w, h;
    cJSON *d = session_pair("sourceName", scene);
    cJSON_AddStringToObject(d, "imageFormat", "ppm");
    cJSON_AddNumberToObject(d, "imageWidth", 64);
    cJSON_AddNumberToObject(d, "imageHeight", 36);
    cJSON *a = rig_ask(r, "GetSourceScreenshot", d);
    bool ok = a && monitor_ppm(json_str(a, "imageData", ""), rgb, sizeof rgb, &w, &h);
    cJSON_Delete(a);
    if (!ok)
        return -1;
    const char *at = strchr(order, letter(&rgb[((int)(y * 36) * 64 + (int)(x * 64)) * 3]));
    return at ? (int)(at - order) : 7;
}

void rig_shot(struct rig *r, const char *scene, const char *file, int w, int h)
{
    cJSON *d = session_pair("sourceName", scene);
    cJSON_AddStringToObject(d, "imageFormat", "png");
    cJSON_AddStringToObject(d, "imageFilePath", file);
    cJSON_AddNumberToObject(d, "imageWidth", w);
    cJSON_AddNumberToObject(d, "imageHeight", h);
    cJSON_Delete(rig_ask(r, "SaveSourceScreenshot", d));
}

static bool recorder_is(struct rig *r, void *want)
{
    cJSON *a = rig_ask(r, "GetRecordStatus", NULL);
    bool on = json_bool(a, "outputActive", false) && json_int(a, "outputDuration", 0) > 0;
    cJSON_Delete(a);
    return on == *(bool *)want;
}

void rig_record(struct rig *r, bool on)
{
    cJSON *a = rig_ask(r, on ? "StartRecord" : "StopRecord", NULL);
    if (!on)
        str_copy(recording, sizeof recording, json_str(a, "outputPath", ""));
    cJSON_Delete(a);
    if (!rig_wait(r, recorder_is, &on, 8000))
        die("OBS does not record");
}

void rig_frames(struct rig *r, struct buf *out)
{
    char cmd[1200];
    uint8_t p[3];
    char last = 0;
    int n = 0;
    (void)r;
    snprintf(cmd, sizeof cmd,
             "ffmpeg -v error -i '%s' -vf "
             "'crop=w=trunc(iw/10):h=trunc(ih/10):x=iw*0.45:y=ih*0.45,scale=1:1:flags=area' "
             "-f rawvideo -pix_fmt rgb24 -",
             recording);
    FILE *f = popen(cmd, "r");
    if (!f)
        die("no ffmpeg");
    while (fread(p, 3, 1, f) == 1) {
        char c = letter(p);
        if (c != last && n)
            buf_addf(out, "%c%d ", last, n);
        n = c == last ? n + 1 : 1;
        last = c;
    }
    if (n)
        buf_addf(out, "%c%d ", last, n);
    pclose(f);
}

/* ---- the record ---- */

void rig_fail(const char *file, int line, const char *what)
{
    printf("  %s:%d: %s\n", file, line, what);
    failing = true;
}

void rig_test(const char *name, void (*fn)(struct rig *r), struct rig *r)
{
    const char *only = getenv("ONLY");
    if (only && !strstr(name, only))
        return;
    int64_t began = clock_mono_ms();
    failing = false;
    fn(r);
    rig_stage_end(r);
    *(failing ? &failed : &passed) += 1;
    printf("%s - %s (%.1f s)\n", failing ? "not ok" : "ok", name,
           (double)(clock_mono_ms() - began) / 1000);
    fflush(stdout);
}

int rig_summary(void)
{
    printf("%d passed, %d failed, 0 skipped\n", passed, failed);
    return failed || !passed;
}
