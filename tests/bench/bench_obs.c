/* Prints what a real OBS at 30 frames a second takes: from stage_air() to the first request and to
 * the clip's first picture in the program, from a panic to OBS's answer, and a request's round
 * trip. Beside them, cuts to standby as it is (one item that nests the rest) and to a scene that
 * holds the same items itself. No thresholds: the figures are read by people. */
#include "rig.h"

#include "obs/setup.h"

#include <stdio.h>
#include <stdlib.h>

#define ROUNDS 20
#define FLAT "bench flat"

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

static void figures(const char *name, double *ms, int n)
{
    qsort(ms, (size_t)n, sizeof *ms, by_value);
    printf("%-44s median %6.1f  p90 %6.1f  max %6.1f ms  (%d)\n", name, ms[n / 2], ms[n * 9 / 10],
           ms[n - 1], n);
}

static bool aired(struct rig *r, void *n)
{
    return r->aired_count >= *(int *)n;
}

static bool ended(struct rig *r, void *n)
{
    return r->ended_count >= *(int *)n;
}

static void panicked(void *user, enum err err, const char *why, int64_t us)
{
    struct rig *r = user;
    (void)err, (void)why;
    r->panicked = true;
    r->panic_us = us;
}

static bool is_panicked(struct rig *r, void *arg)
{
    (void)arg;
    return r->panicked;
}

/* A scene with the items of what standby nests. */
static void make_flat(struct rig *r)
{
    cJSON_Delete(rig_ask(r, "CreateScene", session_pair("sceneName", FLAT)));
    cJSON *list = rig_ask(r, "GetSceneItemList", session_pair("sceneName", "sakuga curtain"));
    const cJSON *e;
    cJSON_ArrayForEach(e, json_arr(list, "sceneItems"))
    {
        cJSON *d = session_pair("sceneName", FLAT);
        cJSON_AddStringToObject(d, "sourceName", json_str(e, "sourceName", ""));
        cJSON_Delete(rig_ask(r, "CreateSceneItem", d));
    }
    cJSON_Delete(list);
}

static double cut(struct rig *r, const char *scene)
{
    int64_t t = clock_mono_us();
    cJSON_Delete(rig_ask(r, "SetCurrentProgramScene", session_pair("sceneName", scene)));
    return (double)(clock_mono_us() - t) / 1000;
}

int main(void)
{
    struct rig r;
    double asked[ROUNDS], answered[ROUNDS], seen[ROUNDS], panic[ROUNDS], batch[ROUNDS];
    double nested[ROUNDS], flat[ROUNDS];
    rig_begin(&r, "--size 640x360 --fps 30");
    rig_stage(&r, 0, 60000);
    if (!rig_scene(&r, "sakuga standby", 15000))
        return 1;
    for (int i = 0; i < ROUNDS; i++) {
        struct stage_clip c;
        rig_clip(&r, i % RIG_CLIPS, &c);
        int64_t t = clock_mono_us();
        int n = i + 1;
        if (stage_air(r.stage, &c, true, NULL))
            return 1;
        asked[i] = (double)(clock_mono_us() - t) / 1000;
        rig_wait(&r, aired, &n, 4000);
        answered[i] = (double)(clock_mono_us() - t) / 1000;
        while (rig_colour(&r, "sakuga result") != i % RIG_CLIPS)
            if (clock_mono_us() - t > 3000000)
                return 1;
        seen[i] = (double)(clock_mono_us() - t) / 1000;
        rig_wait(&r, ended, &n, 6000);
    }
    for (int i = 0; i < ROUNDS; i++) {
        int64_t t = clock_mono_us();
        cJSON_Delete(rig_ask(&r, "GetVideoSettings", NULL));
        batch[i] = (double)(clock_mono_us() - t) / 1000;
    }
    for (int i = 0; i < ROUNDS; i++) {
        struct stage_clip c;
        int n = ROUNDS + i + 1;
        rig_clip(&r, i % RIG_CLIPS, &c);
        if (stage_air(r.stage, &c, true, NULL))
            return 1;
        rig_wait(&r, aired, &n, 4000);
        rig_run(&r, 200);
        r.panicked = false;
        stage_panic(r.stage, panicked, &r);
        rig_wait(&r, is_panicked, NULL, 4000);
        panic[i] = (double)r.panic_us / 1000;
        stage_resume(r.stage);
        rig_scene(&r, "sakuga gallery", 3000);
        rig_run(&r, 100);
    }
    make_flat(&r);
    stage_panic(r.stage, NULL, NULL); /* the stage leaves the cuts to us */
    for (int i = 0; i < 2 * ROUNDS; i++) {
        cut(&r, "sakuga gallery");
        rig_run(&r, 150);
        if (i % 2)
            nested[i / 2] = cut(&r, "sakuga standby");
        else
            flat[i / 2] = cut(&r, FLAT);
        rig_run(&r, 150);
    }
    figures("stage_air() until its request is queued", asked, ROUNDS);
    figures("stage_air() until OBS answered the cut", answered, ROUNDS);
    figures("stage_air() until the clip is in the program", seen, ROUNDS);
    figures("panic until OBS's answer", panic, ROUNDS);
    figures("a cut to standby, one item", nested, ROUNDS);
    figures("a cut to the same items laid out flat", flat, ROUNDS);
    figures("one request, there and back", batch, ROUNDS);
    rig_end(&r);
    return 0;
}
