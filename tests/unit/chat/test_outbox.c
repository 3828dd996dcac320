#include "unit.h"

#include "base/text.h"
#include "chat/outbox.h"

static const struct outbox_limits twitch = {
    .burst = 20, .window_ms = 30000, .gap_ms = 1000, .stale_ms = 60000, .queue = 64, .bytes = 400};

static struct viewer viewer(const char *name)
{
    struct viewer v = {.platform = "irc"};
    strcpy(v.uid, name);
    strcpy(v.name, name);
    return v;
}

static void add(struct outbox *o, int64_t now, const char *name, enum chat_kind kind,
                const char *text)
{
    struct viewer v = viewer(name ? name : "");
    outbox_add(o, now, name ? &v : NULL, kind, text, "parent-1");
}

/* Takes the line that must be there now. */
static void expect(struct outbox *o, int64_t now, const char *want, const char *want_parent)
{
    struct buf b = BUF_INIT(0);
    char parent[64];
    assert_int_equal(outbox_wait(o, now), 0);
    assert_true(outbox_take(o, now, &b, parent));
    assert_string_equal(buf_str(&b), want);
    assert_string_equal(parent, want_parent);
    buf_free(&b);
}

static void budget_is_kept(void **state)
{
    (void)state;
    struct outbox *o = outbox_new(&twitch);
    struct buf b = BUF_INIT(0);
    char parent[64], name[32];
    int64_t sent[200];
    int n = 0;
    for (int64_t now = 0; now < 120000; now += 50) {
        if (now % 200 == 0) { /* five different viewers a second: far too many */
            snprintf(name, sizeof name, "viewer%d", (int)(now / 200));
            add(o, now, NULL, CHAT_NOTICE, name);
        }
        if (outbox_take(o, now, &b, parent)) {
            assert_true(n < 200);
            sent[n++] = now;
        }
    }
    assert_true(n >= 78); /* the budget is used, too: 20 in 30 s */
    for (int i = 1; i < n; i++)
        assert_true(sent[i] - sent[i - 1] >= 1000);
    for (int i = 20; i < n; i++)
        assert_true(sent[i] - sent[i - 20] >= 30000);
    assert_true(outbox_waiting(o) <= 64);
    assert_true(outbox_dropped(o) > 0);
    buf_free(&b);
    outbox_free(o);
}

static void one_viewer_one_line(void **state)
{
    (void)state;
    struct outbox *o = outbox_new(&twitch);
    add(o, 0, "aki", CHAT_ACCEPTED, "queued as #4");
    expect(o, 0, "@aki queued as #4", "parent-1");
    add(o, 100, "aki", CHAT_ANSWER, "3 wait");
    add(o, 100, "bo", CHAT_ANSWER, "style: noir");
    add(o, 100, "aki", CHAT_ACCEPTED, "queued as #5");
    assert_int_equal(outbox_wait(o, 100), 900);
    expect(o, 1000, "@aki queued as #5 · 3 wait", "");
    expect(o, 2000, "@bo style: noir", "parent-1");
    assert_int_equal(outbox_wait(o, 3000), -1);
    outbox_free(o);
}

static void one_kind_one_line(void **state)
{
    (void)state;
    struct outbox *o = outbox_new(&twitch);
    add(o, 0, "aki", CHAT_REFUSED, "submissions are closed");
    add(o, 0, "bo", CHAT_REFUSED, "submissions are closed");
    add(o, 0, "bo", CHAT_REFUSED, "submissions are closed");
    add(o, 0, "cy", CHAT_REFUSED, "too long");
    expect(o, 0, "@aki @bo submissions are closed · @cy too long", "");
    assert_int_equal(outbox_waiting(o), 0);
    outbox_free(o);
}

static void value_before_age(void **state)
{
    (void)state;
    struct outbox_limits small = twitch;
    small.queue = 3;
    struct outbox *o = outbox_new(&small);
    add(o, 0, "a", CHAT_ANSWER, "one");
    add(o, 0, "b", CHAT_ANSWER, "two");
    add(o, 0, "c", CHAT_ON_AIR, "your clip is on air");
    struct viewer d = viewer("d");
    assert_false(outbox_add(o, 0, &d, CHAT_NEXT, "you are next", NULL)); /* drops "one" */
    assert_false(outbox_add(o, 0, NULL, CHAT_ANSWER, "new", NULL));      /* drops "two" */
    assert_int_equal(outbox_dropped(o), 2);
    add(o, 0, NULL, CHAT_NOTICE, "last call");
    assert_false(outbox_add(o, 0, NULL, CHAT_ANSWER, "less than all that wait", NULL));
    expect(o, 0, "last call", "parent-1");
    expect(o, 1000, "@c your clip is on air", "parent-1");
    expect(o, 2000, "@d you are next", "");
    outbox_free(o);
}

static void lines_are_safe(void **state)
{
    (void)state;
    struct outbox *o = outbox_new(&twitch);
    add(o, 0, NULL, CHAT_NOTICE, "a\r\nQUIT :x\n\x1b[31m\xff");
    expect(o, 0, "a QUIT :x [31m\xef\xbf\xbd", "parent-1");
    add(o, 1000, NULL, CHAT_NOTICE, "/ban aki");
    expect(o, 1000, "> /ban aki", "parent-1");
    struct viewer spaced = viewer("aki");
    strcpy(spaced.name, "A K I");
    outbox_add(o, 2000, &spaced, CHAT_ANSWER, "hi", NULL);
    expect(o, 2000, "@aki hi", "");
    assert_false(outbox_add(o, 3000, NULL, CHAT_NOTICE, " \x07 ", NULL));
    outbox_free(o);
}

static void long_texts_are_cut_at_clusters(void **state)
{
    (void)state;
    struct outbox_limits l = twitch;
    struct buf text = BUF_INIT(0), line = BUF_INIT(0);
    char parent[64];
    for (int i = 0; i < 200; i++)
        buf_adds(&text, "👩\xe2\x80\x8d🚀");
    for (l.bytes = 60; l.bytes < 80; l.bytes++) {
        struct outbox *o = outbox_new(&l);
        outbox_add(o, 0, NULL, CHAT_NOTICE, buf_str(&text), NULL);
        buf_reset(&line);
        assert_true(outbox_take(o, 0, &line, parent));
        assert_true(line.len <= l.bytes);
        assert_true(line.len > l.bytes - 3 - 11);
        assert_int_equal((line.len - 3) % 11, 0); /* whole astronauts, then the sign */
        outbox_free(o);
    }
    l.bytes = 400;
    l.clusters = 5;
    struct outbox *o = outbox_new(&l);
    outbox_add(o, 0, NULL, CHAT_NOTICE, "雨の駅で電車", NULL);
    expect(o, 0, "雨の駅で…", "");
    outbox_free(o);
    buf_free(&text);
    buf_free(&line);
}

static void old_replies_are_not_said(void **state)
{
    (void)state;
    struct outbox *o = outbox_new(&twitch);
    add(o, 0, "aki", CHAT_NEXT, "you are next");
    assert_int_equal(outbox_wait(o, 60001), -1);
    assert_int_equal(outbox_dropped(o), 1);
    outbox_free(o);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(budget_is_kept),
        cmocka_unit_test(one_viewer_one_line),
        cmocka_unit_test(one_kind_one_line),
        cmocka_unit_test(value_before_age),
        cmocka_unit_test(lines_are_safe),
        cmocka_unit_test(long_texts_are_cut_at_clusters),
        cmocka_unit_test(old_replies_are_not_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
