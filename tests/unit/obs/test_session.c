/* What a real OBS cannot be made to do, by a fake one that is strict: it checks each message it is
 * sent, answers only to requests of the protocol, and fails the test on anything else. */
#include "unit.h"

#include "base/clock.h"
#include "fake_ws.h"
#include "obs/session.h"

#define PASSWORD "secret"

enum mood {
    MOOD_FINE,
    MOOD_NO_HELLO,
    MOOD_REFUSES,   /* 4009 */
    MOOD_KICKS,     /* 4011 after Identified */
    MOOD_SILENT,    /* answers GetVersion, then nothing: half open */
    MOOD_MALFORMED, /* garbage instead of Hello */
    MOOD_NOT_READY, /* 207 twice, then success */
    MOOD_BACKWARDS, /* answers the second of two requests first */
    MOOD_DIES_IN_BATCH,
    MOOD_HANGS, /* never answers SetCurrentProgramScene */
    MOOD_MUTE,  /* greets, then answers nothing, not even GetVersion */
    MOOD_BUSY   /* 207 to all but GetVersion, for ever */
};

struct test {
    struct loop *loop;
    struct fake_ws *obs;
    struct session *s;
    enum mood mood;
    int ups, downs, gave_ups, events, probes;
    char why[512];
    int refusals, cuts, identified;
    char held[64]; /* the id that BACKWARDS keeps back */
    struct {
        int n;
        enum err err;
        int code;
        int64_t at_ms;
        int marks[8];
        char text[128];
    } got;
};

static void say(struct test *t, const char *fmt, ...)
{
    char text[2000];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    fake_ws_send(t->obs, text, strlen(text), 0);
}

static void answer(struct test *t, const char *id, const char *type, int code)
{
    say(t,
        "{\"op\":7,\"d\":{\"requestType\":\"%s\",\"requestId\":\"%s\",\"requestStatus\":{"
        "\"result\":"
        "%s,\"code\":%d}}}",
        type, id, code == 100 ? "true" : "false", code);
}

static void obs_open(void *user)
{
    struct test *t = user;
    if (t->mood == MOOD_MALFORMED)
        say(t, "{\"op\":0,\"d\":{\"rpcVersion\":");
    else if (t->mood != MOOD_NO_HELLO)
        say(t, "{\"op\":0,\"d\":{\"obsWebSocketVersion\":\"5.4.2\",\"rpcVersion\":1,"
               "\"authentication\":{\"challenge\":\"ch\",\"salt\":\"sa\"}}}");
}

static void identify(struct test *t, const cJSON *d)
{
    char want[64];
    wire_auth(want, PASSWORD, "sa", "ch");
    assert_int_equal(json_int(d, "rpcVersion", 0), 1);
    assert_true(json_int(d, "eventSubscriptions", 0) < 65536); /* no flood asked for */
    bool right = !strcmp(json_str(d, "authentication", ""), want);
    if (!right || t->mood == MOOD_REFUSES) {
        fake_ws_close(t->obs, 4009, "Authentication failed.");
        return;
    }
    say(t, "{\"op\":2,\"d\":{\"negotiatedRpcVersion\":1}}");
    t->identified++;
}

static void request(struct test *t, const cJSON *d)
{
    const char *type = json_str(d, "requestType", ""), *id = json_str(d, "requestId", NULL);
    assert_non_null(id);
    if (t->mood == MOOD_MUTE)
        return;
    if (!strcmp(type, "GetVersion")) {
        say(t,
            "{\"op\":7,\"d\":{\"requestType\":\"GetVersion\",\"requestId\":\"%s\","
            "\"requestStatus\":"
            "{\"result\":true,\"code\":100},\"responseData\":{\"obsVersion\":\"30.1\","
            "\"availableRequests\":[\"GetVersion\",\"GetStats\",\"SetCurrentProgramScene\"],"
            "\"supportedImageFormats\":[\"ppm\"]}}}",
            id);
        if (t->mood == MOOD_KICKS)
            fake_ws_close(t->obs, 4011, "Your session has been invalidated.");
    } else if (t->mood == MOOD_BUSY) {
        answer(t, id, type, 207);
    } else if (!strcmp(type, "GetStats")) {
        if (t->mood != MOOD_SILENT)
            say(t,
                "{\"op\":7,\"d\":{\"requestType\":\"GetStats\",\"requestId\":\"%s\","
                "\"requestStatus\":{\"result\":true,\"code\":100},\"responseData\":{}}}",
                id);
    } else if (!strcmp(type, "SetCurrentProgramScene")) {
        assert_non_null(json_str(json_obj(d, "requestData"), "sceneName", NULL));
        t->cuts++;
        if (t->mood == MOOD_HANGS)
            return;
        if (t->mood == MOOD_NOT_READY && t->refusals++ < 2) {
            answer(t, id, type, 207);
        } else if (t->mood == MOOD_BACKWARDS && !*t->held) {
            snprintf(t->held, sizeof t->held, "%s", id);
        } else {
            answer(t, id, type, 100);
            if (*t->held)
                answer(t, t->held, type, 600);
        }
    } else {
        fail_msg("asked for %s, which this OBS does not offer", type);
    }
}

static void obs_message(void *user, const char *text, size_t n)
{
    struct test *t = user;
    struct fault f;
    cJSON *v = json_parse(text, n, &f);
    assert_non_null(v);
    const cJSON *d = json_obj(v, "d");
    assert_non_null(d);
    int op = (int)json_int(v, "op", -1);
    if (op == WIRE_IDENTIFY) {
        identify(t, d);
    } else if (op == WIRE_REQUEST) {
        request(t, d);
    } else if (op == WIRE_BATCH) {
        assert_true(cJSON_GetArraySize(json_arr(d, "requests")) > 0);
        assert_int_equal(json_int(d, "executionType", -1), WIRE_REALTIME);
        if (t->mood == MOOD_DIES_IN_BATCH)
            fake_ws_drop(t->obs);
    } else {
        fail_msg("operation %d from a client", op);
    }
    cJSON_Delete(v);
}

static const struct fake_ws_ops obs_ops = {obs_open, obs_message, NULL};

static void on_up(void *user)
{
    ((struct test *)user)->ups++;
}

static void on_down(void *user, const char *why, bool gave_up)
{
    struct test *t = user;
    t->downs++;
    t->gave_ups += gave_up;
    snprintf(t->why, sizeof t->why, "%s", why);
}

static void on_event(void *user, const char *type, const cJSON *data)
{
    (void)type, (void)data;
    ((struct test *)user)->events++;
}

static void on_probe(void *user, const cJSON *stats, int64_t us)
{
    (void)stats;
    assert_true(us >= 0);
    ((struct test *)user)->probes++;
}

static void on_reply(void *user, const struct reply *r)
{
    struct test *t = user;
    t->got.err = r->err;
    t->got.code = r->code;
    t->got.at_ms = clock_mono_ms();
    snprintf(t->got.text, sizeof t->got.text, "%s", r->text);
    t->got.marks[t->got.n++ % 8] = r->code;
}

static void until(struct test *t, const int *what, int n, int ms)
{
    int64_t end = clock_mono_ms() + ms;
    while (*what < n && clock_mono_ms() < end)
        loop_step(t->loop, 10);
    if (*what < n)
        fail_msg("%d instead of %d within %d ms (%s)", *what, n, ms, t->why);
}

static void pass(struct test *t, int ms)
{
    int64_t end = clock_mono_ms() + ms;
    while (clock_mono_ms() < end)
        loop_step(t->loop, 10);
}

static void begin(struct test *t, enum mood mood, const char *password)
{
    static const struct session_ops ops = {on_up, on_down, on_event, on_probe};
    char url[64];
    struct fault f;
    *t = (struct test){.mood = mood, .loop = loop_new(&f)};
    t->obs = fake_ws_new(t->loop, &obs_ops, t);
    snprintf(url, sizeof url, "ws://127.0.0.1:%d", fake_ws_port(t->obs));
    t->s = session_new(t->loop, url, password, &ops, t, &f);
    assert_non_null(t->s);
}

static void finish(struct test *t)
{
    session_free(t->s);
    fake_ws_free(t->obs);
    session_shutdown(t->loop);
    loop_free(t->loop);
}

static void cut(struct test *t)
{
    session_request(t->s, "SetCurrentProgramScene", session_pair("sceneName", "a"), 5000, on_reply,
                    t);
}

static void greets_and_matches(void **state)
{
    struct test t;
    (void)state;
    begin(&t, MOOD_BACKWARDS, PASSWORD);
    cut(&t); /* not connected: refused, but not from inside */
    assert_int_equal(t.got.n, 0);
    until(&t, &t.got.n, 1, 1000);
    assert_int_equal(t.got.err, ERR_CLOSED);
    until(&t, &t.ups, 1, 3000);
    assert_true(session_can(t.s, "GetStats") && !session_can(t.s, "GetInputList"));
    assert_true(session_pictures(t.s, "ppm") && !session_pictures(t.s, "jpg"));
    until(&t, &t.probes, 1, 2000);
    cut(&t);
    cut(&t);
    until(&t, &t.got.n, 3, 2000);
    assert_int_equal(t.got.marks[1], 100); /* the second request's answer came first */
    assert_int_equal(t.got.marks[2], 600);
    assert_int_equal(t.got.err, ERR_STATE);
    say(&t, "{\"op\":5,\"d\":{\"eventType\":\"Whatever\",\"eventIntent\":1}}");
    say(&t, "{\"op\":7,\"d\":{\"requestId\":\"999\",\"requestStatus\":{\"code\":100}}}");
    until(&t, &t.events, 1, 2000);
    assert_int_equal(t.downs, 0);
    finish(&t);
}

static void refused_password_stops(void **state)
{
    struct test t;
    (void)state;
    begin(&t, MOOD_REFUSES, PASSWORD);
    until(&t, &t.gave_ups, 1, 3000);
    assert_non_null(strstr(t.why, "secrets.conf"));
    pass(&t, 1500);
    assert_int_equal(fake_ws_clients(t.obs), 1); /* no loop */
    t.mood = MOOD_FINE;
    session_retry(t.s, "wrong");
    until(&t, &t.gave_ups, 2, 3000);
    session_retry(t.s, PASSWORD);
    until(&t, &t.ups, 1, 3000);
    finish(&t);
    begin(&t, MOOD_REFUSES, PASSWORD);
    until(&t, &t.gave_ups, 1, 3000);
    finish(&t);                 /* at once: nothing may be left */
    begin(&t, MOOD_FINE, NULL); /* a password is asked and none is there */
    until(&t, &t.gave_ups, 1, 3000);
    assert_non_null(strstr(t.why, "obs.password"));
    finish(&t);
}

static void kicked_stays_away(void **state)
{
    struct test t;
    (void)state;
    begin(&t, MOOD_KICKS, PASSWORD);
    until(&t, &t.gave_ups, 1, 3000);
    assert_non_null(strstr(t.why, "obs reconnect"));
    pass(&t, 1500);
    assert_int_equal(fake_ws_clients(t.obs), 1);
    t.mood = MOOD_FINE;
    int had = t.ups;
    session_retry(t.s, NULL);
    until(&t, &t.ups, had + 1, 3000);
    finish(&t);
}

static void half_open_is_noticed(void **state)
{
    struct test t;
    (void)state;
    begin(&t, MOOD_SILENT, PASSWORD);
    until(&t, &t.ups, 1, 3000);
    until(&t, &t.downs, 1, 6000);
    assert_non_null(strstr(t.why, "not answer"));
    t.mood = MOOD_FINE;
    until(&t, &t.ups, 2, 4000);
    finish(&t);
}

static void not_ready_is_repeated(void **state)
{
    struct test t;
    (void)state;
    begin(&t, MOOD_NOT_READY, PASSWORD);
    until(&t, &t.ups, 1, 3000);
    int64_t began = clock_mono_ms();
    cut(&t);
    until(&t, &t.got.n, 1, 5000);
    assert_int_equal(t.got.err, ERR_OK);
    assert_int_equal(t.cuts, 3);
    int64_t took = t.got.at_ms - began;
    assert_true(took >= 1000 && took < 2500); /* 0.5 to 1 s each */
    finish(&t);
}

/* It answers, so the connection is good, however long it takes. */
static void never_ready_is_no_silence(void **state)
{
    struct test t;
    (void)state;
    begin(&t, MOOD_BUSY, PASSWORD);
    until(&t, &t.ups, 1, 3000);
    session_request(t.s, "SetCurrentProgramScene", session_pair("sceneName", "a"), 300, on_reply,
                    &t);
    until(&t, &t.got.n, 1, 2000);
    assert_int_equal(t.got.err, ERR_TIMEOUT);
    assert_int_equal(t.got.code, WIRE_NOT_READY);
    assert_non_null(strstr(t.got.text, "not ready"));
    pass(&t, 4500); /* longer than a probe may take */
    assert_int_equal(t.downs, 0);
    t.mood = MOOD_FINE;
    until(&t, &t.probes, 1, 6000);
    finish(&t);
}

/* What was asked on the connection that is left ends with it, and cannot end the next one. */
static void retry_while_greeting(void **state)
{
    struct test t;
    (void)state;
    begin(&t, MOOD_MUTE, PASSWORD);
    fake_ws_overlap(t.obs);
    until(&t, &t.identified, 1, 3000);
    loop_step(t.loop, 20); /* now it asks for the version */
    cut(&t);
    t.mood = MOOD_FINE;
    session_retry(t.s, NULL);
    until(&t, &t.got.n, 1, 1000);
    assert_int_equal(t.got.err, ERR_CLOSED);
    until(&t, &t.ups, 1, 3000);
    finish(&t);
}

/* A connection that is full is not one that is gone. */
static void too_many_requests(void **state)
{
    struct test t;
    (void)state;
    begin(&t, MOOD_HANGS, PASSWORD);
    until(&t, &t.ups, 1, 3000);
    for (int i = 0; i < 300; i++)
        cut(&t);
    until(&t, &t.got.n, 1, 1000);
    assert_int_equal(t.got.err, ERR_LIMIT);
    assert_int_equal(t.downs, 0);
    finish(&t);
    assert_int_equal(t.got.n, 300);
}

static void on_reply_free(void *user, const struct reply *r)
{
    struct test *t = user;
    on_reply(t, r);
    session_free(t->s);
    t->s = NULL;
}

static void freed_while_it_ends(void **state)
{
    struct test t;
    (void)state;
    begin(&t, MOOD_HANGS, PASSWORD);
    until(&t, &t.ups, 1, 3000);
    cut(&t);
    session_request(t.s, "SetCurrentProgramScene", session_pair("sceneName", "a"), 5000,
                    on_reply_free, &t);
    cut(&t);
    until(&t, &t.cuts, 3, 2000);
    fake_ws_drop(t.obs);
    until(&t, &t.got.n, 3, 2000); /* each of them exactly once, also the one behind */
    assert_int_equal(t.got.err, ERR_CLOSED);
    assert_int_equal(t.downs, 0);
    finish(&t);
}

static void hangs_and_dies(void **state)
{
    struct test t;
    (void)state;
    begin(&t, MOOD_HANGS, PASSWORD);
    until(&t, &t.ups, 1, 3000);
    session_request(t.s, "SetCurrentProgramScene", session_pair("sceneName", "a"), 300, on_reply,
                    &t);
    until(&t, &t.got.n, 1, 2000);
    assert_int_equal(t.got.err, ERR_TIMEOUT);
    t.mood = MOOD_DIES_IN_BATCH;
    cJSON *b = session_batch_new();
    session_batch_add(b, "SetCurrentProgramScene", session_pair("sceneName", "a"));
    session_batch(t.s, b, WIRE_REALTIME, 5000, on_reply, &t);
    until(&t, &t.got.n, 2, 3000);
    assert_int_equal(t.got.err, ERR_CLOSED);
    t.mood = MOOD_FINE;
    until(&t, &t.ups, 2, 4000); /* and it comes back */
    cut(&t);
    cut(&t);
    finish(&t); /* open requests end with the session */
    assert_int_equal(t.got.n, 4);
    assert_int_equal(t.got.err, ERR_CLOSED);
}

static void malformed_and_late(void **state)
{
    struct test t;
    (void)state;
    begin(&t, MOOD_MALFORMED, PASSWORD);
    until(&t, &t.downs, 2, 4000); /* tries again, with a pause */
    assert_int_equal(t.gave_ups, 0);
    t.mood = MOOD_FINE;
    until(&t, &t.ups, 1, 6000);
    say(&t, "{\"op\":7,\"d\":{\"requestId\":7}}");
    until(&t, &t.downs, 3, 2000);
    t.mood = MOOD_NO_HELLO;
    int had = fake_ws_clients(t.obs);
    until(&t, &t.downs, 4, 9000); /* no Hello: ended after 5 s, tried again */
    t.mood = MOOD_FINE;
    until(&t, &t.ups, 2, 4000);
    assert_true(fake_ws_clients(t.obs) >= had);
    finish(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(greets_and_matches),    cmocka_unit_test(refused_password_stops),
        cmocka_unit_test(kicked_stays_away),     cmocka_unit_test(half_open_is_noticed),
        cmocka_unit_test(not_ready_is_repeated), cmocka_unit_test(hangs_and_dies),
        cmocka_unit_test(malformed_and_late),    cmocka_unit_test(never_ready_is_no_silence),
        cmocka_unit_test(too_many_requests),     cmocka_unit_test(retry_while_greeting),
        cmocka_unit_test(freed_while_it_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
