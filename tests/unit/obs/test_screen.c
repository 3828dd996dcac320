/* The stage on a fake OBS that has nothing and makes what it is asked to: for what a real one does
 * only when it is overloaded or in the middle of something. */
#include "unit.h"

#include "base/clock.h"
#include "base/json.h"
#include "fake_ws.h"
#include "obs/setup.h"
#include "obs/stage.h"

#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

struct test {
    struct loop *loop;
    struct fake_ws *obs;
    struct stage *stage;
    char dir[64];
    int items; /* made so far */
    int aired, ended;
    enum stage_end how;
    /* what the fake does */
    int ignore_outputs;    /* batches about the outputs that get no answer */
    int not_ready_outputs; /* that get 207 */
    int outputs;           /* that came */
    int cuts;              /* to a scene, answered */
    bool no_scenes;        /* what makes scenes waits in `held` */
    bool no_pictures;      /* batches that ask for pictures get no answer */
    int looks;             /* setups that began */
    bool hold_cuts;        /* cuts wait in `held` */
    cJSON *held;           /* the batch that waits */
};

static void send_json(struct test *t, int op, cJSON *d)
{
    struct buf b = BUF_INIT(0);
    cJSON *o = cJSON_CreateObject();
    cJSON_AddNumberToObject(o, "op", op);
    cJSON_AddItemToObject(o, "d", d);
    assert_true(json_print(&b, o, false));
    fake_ws_send(t->obs, b.data, b.len, 0);
    cJSON_Delete(o);
    buf_free(&b);
}

static void event(struct test *t, const char *type, const char *input)
{
    cJSON *d = cJSON_CreateObject(), *data = cJSON_AddObjectToObject(d, "eventData");
    cJSON_AddStringToObject(d, "eventType", type);
    cJSON_AddStringToObject(data, "inputName", input);
    send_json(t, WIRE_EVENT, d);
}

static cJSON *data_of(struct test *t, const char *type)
{
    static const struct {
        const char *type, *json;
    } known[] = {
        {"GetVersion", "{\"obsVersion\":\"30.1\",\"availableRequests\":[\"GetStats\"],"
                       "\"supportedImageFormats\":[\"ppm\"]}"},
        {"GetVideoSettings", "{\"baseWidth\":1280,\"baseHeight\":720,\"fpsNumerator\":30,"
                             "\"fpsDenominator\":1}"},
        {"GetInputKindList",
         "{\"inputKinds\":[\"color_source_v3\",\"ffmpeg_source\",\"text_ft2_source_v2\"]}"},
        {"GetSceneList", "{\"currentProgramSceneName\":\"sakuga standby\",\"scenes\":[]}"},
        {"GetMediaInputStatus", "{\"mediaState\":\"OBS_MEDIA_STATE_PLAYING\"}"},
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (!strcmp(type, known[i].type))
            return cJSON_Parse(known[i].json);
    cJSON *d = cJSON_CreateObject();
    if (!strncmp(type, "Create", 6))
        cJSON_AddNumberToObject(d, "sceneItemId", ++t->items);
    return d;
}

static cJSON *result(struct test *t, const cJSON *request, int code)
{
    const char *type = json_str(request, "requestType", "");
    cJSON *r = cJSON_CreateObject(), *status = cJSON_AddObjectToObject(r, "requestStatus");
    cJSON_AddStringToObject(r, "requestType", type);
    cJSON_AddBoolToObject(status, "result", code == WIRE_SUCCESS);
    cJSON_AddNumberToObject(status, "code", code);
    cJSON_AddItemToObject(r, "responseData", data_of(t, type));
    return r;
}

static void answer(struct test *t, const cJSON *batch, int code)
{
    cJSON *d = cJSON_CreateObject(), *results = cJSON_AddArrayToObject(d, "results");
    const cJSON *request;
    cJSON_AddStringToObject(d, "requestId", json_str(batch, "requestId", ""));
    cJSON_ArrayForEach(request, json_arr(batch, "requests"))
    {
        cJSON_AddItemToArray(results, result(t, request, code));
    }
    send_json(t, WIRE_BATCH_RESPONSE, d);
}

static bool asks(const cJSON *batch, const char *type)
{
    const cJSON *r;
    cJSON_ArrayForEach(r, json_arr(batch, "requests"))
    {
        if (!strcmp(json_str(r, "requestType", ""), type))
            return true;
    }
    return false;
}

static void on_batch(struct test *t, const cJSON *d)
{
    if (asks(d, "GetStreamStatus")) {
        t->outputs++;
        if (t->outputs <= t->ignore_outputs)
            return;
        answer(t, d, t->outputs <= t->not_ready_outputs ? WIRE_NOT_READY : WIRE_SUCCESS);
    } else if (t->no_pictures && asks(d, "GetSourceScreenshot")) {
        return;
    } else if ((t->no_scenes && asks(d, "CreateScene")) ||
               (t->hold_cuts && asks(d, "SetCurrentProgramScene"))) {
        assert_null(t->held);
        t->held = cJSON_Duplicate(d, true);
    } else {
        t->looks += asks(d, "GetVideoSettings");
        t->cuts += asks(d, "SetCurrentProgramScene");
        answer(t, d, WIRE_SUCCESS);
    }
}

static void obs_open(void *user)
{
    cJSON *d = cJSON_CreateObject();
    cJSON_AddNumberToObject(d, "rpcVersion", 1);
    send_json(user, WIRE_HELLO, d);
}

static void obs_message(void *user, const char *text, size_t n)
{
    struct test *t = user;
    cJSON *v = json_parse(text, n, NULL);
    const cJSON *d = json_obj(v, "d");
    int op = (int)json_int(v, "op", -1);
    assert_non_null(d);
    if (op == WIRE_IDENTIFY) {
        send_json(t, WIRE_IDENTIFIED, cJSON_CreateObject());
    } else if (op == WIRE_BATCH) {
        on_batch(t, d);
    } else {
        cJSON *r = result(t, d, WIRE_SUCCESS);
        cJSON_AddStringToObject(r, "requestId", json_str(d, "requestId", ""));
        send_json(t, WIRE_RESPONSE, r);
    }
    cJSON_Delete(v);
}

static const struct fake_ws_ops obs_ops = {obs_open, obs_message, NULL};

static void on_air(void *user, int64_t id)
{
    (void)id;
    ((struct test *)user)->aired++;
}

static void on_ended(void *user, int64_t id, enum stage_end how, const char *words)
{
    struct test *t = user;
    (void)id, (void)words;
    t->ended++;
    t->how = how;
}

static bool gallery_next(void *user, struct stage_clip *out)
{
    (void)user, (void)out;
    return false;
}

static void on_status(void *user)
{
    (void)user;
}

#define UNTIL(t, ms, condition)                                                                    \
    do {                                                                                           \
        int64_t end_ = clock_mono_ms() + (ms);                                                     \
        while (!(condition) && clock_mono_ms() < end_)                                             \
            loop_step((t)->loop, 10);                                                              \
        assert_true(condition);                                                                    \
    } while (0)

static void pass(struct test *t, int ms)
{
    int64_t end = clock_mono_ms() + ms;
    while (clock_mono_ms() < end)
        loop_step(t->loop, 10);
}

static struct stage_clip clip(const struct test *t)
{
    struct stage_clip c = {.id = 5, .duration_ms = 60000};
    snprintf(c.path, sizeof c.path, "%s/5.mp4", t->dir);
    return c;
}

static void begin(struct test *t)
{
    static const struct stage_ops ops = {on_air, on_ended, gallery_next, on_status, NULL};
    struct stage_settings set = {.label = "AI"};
    struct fault f;
    char url[64];
    t->loop = loop_new(NULL);
    t->obs = fake_ws_new(t->loop, &obs_ops, t);
    strcpy(t->dir, "/tmp/screen-XXXXXX");
    assert_non_null(mkdtemp(t->dir));
    struct stage_clip c = clip(t);
    assert_int_equal(path_write(c.path, "x", 1, 0600, NULL), ERR_OK);
    snprintf(url, sizeof url, "ws://127.0.0.1:%d", fake_ws_port(t->obs));
    set.url = url;
    set.air = t->dir;
    t->stage = stage_new(t->loop, &set, &ops, t, &f);
    assert_non_null(t->stage);
}

static void finish(struct test *t)
{
    struct stage_clip c = clip(t);
    stage_free(t->stage);
    fake_ws_free(t->obs);
    stage_shutdown(t->loop);
    loop_free(t->loop);
    cJSON_Delete(t->held);
    unlink(c.path);
    rmdir(t->dir);
}

/* An OBS that was too busy for the last question of the way up is asked again. */
static void comes_up_after_a_lost_answer(void **state)
{
    struct test t = {.ignore_outputs = 1};
    struct obs_status st;
    (void)state;
    begin(&t);
    UNTIL(&t, 3000, t.outputs == 1);
    UNTIL(&t, 6000, (stage_status(t.stage, &st), strstr(st.why, "in time")));
    UNTIL(&t, 8000, stage_ready(t.stage, true));
    assert_int_equal(t.outputs, 2);
    finish(&t);
}

/* A question that waited through a change of the scene collection is answered behind the one that
 * was asked after it: the stage came up already, and what airs goes on. */
static void comes_up_once(void **state)
{
    struct test t = {.not_ready_outputs = 1};
    (void)state;
    begin(&t);
    UNTIL(&t, 3000, t.outputs == 1);
    event(&t, "CurrentSceneCollectionChanging", "");
    event(&t, "CurrentSceneCollectionChanged", "");
    UNTIL(&t, 3000, stage_ready(t.stage, true));
    struct stage_clip c = clip(&t);
    assert_int_equal(stage_air(t.stage, &c, true, NULL), ERR_OK);
    UNTIL(&t, 3000, t.outputs == 3);
    UNTIL(&t, 3000, t.aired == 1 || t.ended);
    pass(&t, 100);
    assert_int_equal(t.ended, 0);
    finish(&t);
}

/* Taken back during a cut that then fails: that was that time. The next time it may be seen. */
static void taken_back_once_is_not_for_ever(void **state)
{
    struct test t = {0};
    (void)state;
    begin(&t);
    UNTIL(&t, 3000, stage_ready(t.stage, true));
    UNTIL(&t, 3000, t.cuts == 1); /* to the first scene */
    struct stage_clip c = clip(&t);
    t.hold_cuts = true;
    assert_int_equal(stage_air(t.stage, &c, true, NULL), ERR_OK);
    UNTIL(&t, 3000, t.held);
    assert_false(stage_withdraw(t.stage, 5));
    stage_cut_short(t.stage, 5);
    t.hold_cuts = false;
    answer(&t, t.held, WIRE_NO_RESOURCE);
    UNTIL(&t, 3000, t.ended == 1);
    assert_int_equal(t.how, STAGE_END_REFUSED);
    UNTIL(&t, 3000, stage_ready(t.stage, true));
    assert_int_equal(stage_air(t.stage, &c, true, NULL), ERR_OK);
    UNTIL(&t, 3000, t.aired == 1);
    pass(&t, 100);
    assert_int_equal(t.ended, 1);
    finish(&t);
}

/* What is removed while a setup runs may have been seen by it already: it looks again. */
static void removed_during_a_setup(void **state)
{
    struct test t = {.no_scenes = true};
    (void)state;
    begin(&t);
    UNTIL(&t, 3000, t.held);
    event(&t, "InputRemoved", "sakuga clip A");
    pass(&t, 1200); /* the look comes, and finds the setup at work */
    answer(&t, t.held, WIRE_SUCCESS);
    t.no_scenes = false;
    UNTIL(&t, 3000, stage_ready(t.stage, true));
    UNTIL(&t, 3000, t.looks == 2);
    finish(&t);
}

/* Its scenes are drawn before it looks; an OBS that does not say when is looked at all the same. */
static void removed_and_not_drawn(void **state)
{
    struct test t = {.no_pictures = true};
    (void)state;
    begin(&t);
    UNTIL(&t, 3000, stage_ready(t.stage, true));
    event(&t, "InputRemoved", "sakuga clip A");
    UNTIL(&t, 7000, t.looks == 2);
    finish(&t);
}

static atomic_bool over;

static void *serve(void *arg)
{
    struct test *t = arg;
    while (!over)
        loop_step(t->loop, 10);
    return NULL;
}

/* `sakuga obs setup` at an OBS that falls silent in the middle says that, not how it ended. */
static void setup_tells_of_a_silent_obs(void **state)
{
    struct test t = {.no_scenes = true};
    struct fault f;
    struct buf report = BUF_INIT(0);
    pthread_t thread;
    char url[64];
    (void)state;
    t.loop = loop_new(NULL);
    t.obs = fake_ws_new(t.loop, &obs_ops, &t);
    snprintf(url, sizeof url, "ws://127.0.0.1:%d", fake_ws_port(t.obs));
    assert_int_equal(pthread_create(&thread, NULL, serve, &t), 0);
    assert_int_equal(setup_once(url, NULL, "AI", 800, &report, &f), ERR_TIMEOUT);
    assert_non_null(strstr(f.text, "did not answer in time"));
    assert_int_equal(report.len, 0);
    over = true;
    pthread_join(thread, NULL);
    fake_ws_free(t.obs);
    loop_free(t.loop);
    cJSON_Delete(t.held);
    buf_free(&report);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(comes_up_after_a_lost_answer),
        cmocka_unit_test(comes_up_once),
        cmocka_unit_test(taken_back_once_is_not_for_ever),
        cmocka_unit_test(removed_during_a_setup),
        cmocka_unit_test(removed_and_not_drawn),
        cmocka_unit_test(setup_tells_of_a_silent_obs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
