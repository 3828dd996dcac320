/* The stage against a real OBS. VERBOSE=1 shows the log, ONLY=text runs the tests whose name holds
 * it, KEEP=1 leaves the folder. */
#include "rig.h"

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
    CHECK(r->status.latency_ms >= 0 && r->status.fps > 1);
    CHECK(r->ended_count == 1);
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
    rig_end(&r);
    return rig_summary();
}
