/* The JSON that scripts rely on. */
#include "unit.h"

#include "ctl/state.h"

static struct show show;
static struct paths paths;

static int set_up(void **state)
{
    (void)state;
    strcpy(paths.vault, "/data/vault");
    return show_init(&show);
}

static int tear_down(void **state)
{
    (void)state;
    show_free(&show);
    return 0;
}

static void put(int64_t id, enum prompt_state st, const char *clip, const char *sha)
{
    struct prompt p = {.id = id, .state = st, .created_utc = 1700000000000};
    strcpy(p.viewer.platform, "irc");
    snprintf(p.viewer.uid, sizeof p.viewer.uid, "v%lld", (long long)id);
    strcpy(p.viewer.name, "アキ");
    strcpy(p.text, "a \"fox\"\\ 雨");
    strcpy(p.style, "ghibli");
    strcpy(p.clip, clip);
    strcpy(p.sha256, sha);
    assert_int_equal(show_apply(&show, &p, "test", 1000), ERR_OK);
}

static const cJSON *prompt_in(const cJSON *o, int64_t id)
{
    const cJSON *p;
    cJSON_ArrayForEach(p, json_arr(o, "prompts"))
    {
        if (json_int(p, "id", 0) == id)
            return p;
    }
    fail_msg("#%lld is not in the state", (long long)id);
    return NULL;
}

/* As a client reads it: printed and parsed again. */
static cJSON *state(void)
{
    struct buf b = BUF_INIT(0);
    struct fault f = {0};
    cJSON *o = state_json(&show, &paths, 61000), *again;
    assert_true(json_print(&b, o, false));
    cJSON_Delete(o);
    again = json_parse(b.data, b.len, &f);
    assert_non_null(again);
    buf_free(&b);
    return again;
}

static bool is_null(const cJSON *o, const char *key)
{
    return cJSON_IsNull(cJSON_GetObjectItemCaseSensitive(o, key));
}

static void the_contract(void **s)
{
    (void)s;
    put(1, PROMPT_AIRED, "000001-1.mp4", "ab");
    put(2, PROMPT_GENERATING, "000002-1.mp4", "");
    put(3, PROMPT_APPROVED, "", "");
    put(4, PROMPT_HELD, "", "");
    put(5, PROMPT_FAILED, "000005-1.mp4", "");
    cJSON *o = state();
    static const char *const keys[] = {"prompts", "obs",   "chat", "engine",
                                       "paused",  "panic", "open"};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        assert_non_null(cJSON_GetObjectItemCaseSensitive(o, keys[i]));
    assert_true(is_null(o, "obs")); /* none is configured */
    assert_int_equal(cJSON_GetArraySize(json_arr(o, "chat")), 0);
    assert_int_equal(cJSON_GetArraySize(json_arr(o, "prompts")), 5);
    static const char *const fields[] = {"id",    "state",    "viewer", "text",
                                         "style", "position", "eta_s",  "clip"};
    const cJSON *p = prompt_in(o, 3);
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        assert_non_null(cJSON_GetObjectItemCaseSensitive(p, fields[i]));
    assert_string_equal(json_str(p, "state", ""), "approved");
    assert_string_equal(json_str(p, "viewer", ""), "アキ");
    assert_string_equal(json_str(p, "text", ""), "a \"fox\"\\ 雨");
    assert_int_equal(json_int(p, "position", 0), 1);
    assert_true(is_null(p, "eta_s")); /* nothing was measured */
    assert_true(is_null(p, "clip"));
    assert_int_equal(json_int(prompt_in(o, 4), "position", 0), 2);
    assert_true(is_null(prompt_in(o, 1), "position"));
    assert_string_equal(json_str(prompt_in(o, 1), "clip", ""), "/data/vault/000001-1.mp4");
    assert_true(is_null(prompt_in(o, 2), "clip")); /* named, but not there yet */
    assert_true(is_null(prompt_in(o, 5), "clip")); /* named, and never made */
    cJSON_Delete(o);
}

static void neighbours(void **s)
{
    (void)s;
    show.obs = (struct obs_status){.configured = true, .latency_ms = -1};
    show.chat_count = 2;
    show.chat[0] = (struct chat_status){.kind = "irc", .connected = true, .heard_ms = 31000};
    show.chat[1] = (struct chat_status){.kind = "simulated"};
    show.engine = (struct engine_status){
        .state = ENGINE_DRAWING, .job = 7, .stage = "encode", .progress = 0.5};
    show.paused = show.panic = true;
    strcpy(show.pause_why, "panic; `resume` goes on");
    cJSON *o = state();
    const cJSON *obs = json_obj(o, "obs"), *chat = json_arr(o, "chat"),
                *engine = json_obj(o, "engine");
    assert_false(json_bool(obs, "connected", true));
    assert_true(is_null(obs, "scene"));
    assert_true(is_null(obs, "latency_ms"));
    assert_string_equal(json_str(cJSON_GetArrayItem(chat, 0), "kind", ""), "irc");
    assert_int_equal(json_int(cJSON_GetArrayItem(chat, 0), "deaf_s", -1), 30);
    assert_true(is_null(cJSON_GetArrayItem(chat, 1), "deaf_s"));
    assert_string_equal(json_str(engine, "state", ""), "drawing");
    assert_int_equal(json_int(engine, "job", 0), 7);
    assert_string_equal(json_str(engine, "stage", ""), "encode");
    assert_true(json_num(engine, "progress", 0) == 0.5);
    assert_true(json_bool(o, "paused", false) && json_bool(o, "panic", false));
    cJSON_Delete(o);
}

static void the_newest_200_that_ended(void **s)
{
    (void)s;
    for (int i = 1; i <= 150; i++)
        put(i, PROMPT_AIRED, "", "");
    for (int i = 151; i <= 320; i++)
        put(i, PROMPT_REJECTED, "", "");
    put(321, PROMPT_HELD, "", "");
    cJSON *o = state();
    const cJSON *list = json_arr(o, "prompts");
    assert_int_equal(cJSON_GetArraySize(list), 201);
    assert_int_equal(json_int(cJSON_GetArrayItem(list, 0), "id", 0), 121);
    for (int i = 0; i < 201; i++) /* in order of id */
        assert_int_equal(json_int(cJSON_GetArrayItem(list, i), "id", 0), 121 + i);
    cJSON_Delete(o);
}

static void events(void **s)
{
    struct prompt p = {.id = 7, .state = PROMPT_AIRING};
    struct event e = {.kind = EVENT_PROMPT,
                      .prompt = &p,
                      .from = PROMPT_CLEARED,
                      .to = PROMPT_AIRING,
                      .by = "system"};
    static const enum event_kind told[] = {EVENT_OBS,   EVENT_CHAT, EVENT_ENGINE, EVENT_PAUSED,
                                           EVENT_PANIC, EVENT_OPEN, EVENT_STORE,  EVENT_DISK};
    static const enum event_kind untold[] = {EVENT_PICTURE, EVENT_STYLES, EVENT_SCRIPT};
    struct buf b = BUF_INIT(0);
    (void)s;
    assert_true(state_event(&show, &e, 1234, &b));
    assert_string_equal(buf_str(&b),
                        "{\"t\":1234,\"event\":\"prompt\",\"id\":7,\"from\":\"cleared\","
                        "\"to\":\"airing\",\"by\":\"system\",\"reason\":null}");
    for (size_t i = 0; i < sizeof told / sizeof *told; i++) {
        char begin[64];
        buf_reset(&b);
        e.kind = told[i];
        e.index = 5; /* of a chat that is not there */
        assert_true(state_event(&show, &e, 1234, &b));
        snprintf(begin, sizeof begin, "{\"t\":1234,\"event\":\"%s\",", event_name(told[i]));
        assert_memory_equal(b.data, begin, strlen(begin));
    }
    buf_reset(&b);
    for (size_t i = 0; i < sizeof untold / sizeof *untold; i++) {
        e.kind = untold[i];
        assert_false(state_event(&show, &e, 1234, &b));
    }
    assert_int_equal(b.len, 0);
    buf_free(&b);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {TEST(the_contract), TEST(neighbours),
                                       TEST(the_newest_200_that_ended), TEST(events)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
