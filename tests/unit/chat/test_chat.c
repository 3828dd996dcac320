/* The sources behind their one interface, with the simulated audience, and refused settings. */
#include "unit.h"

#include "base/clock.h"
#include "base/text.h"
#include "chat/chat.h"
#include "loop/net.h"

struct heard {
    int lines, prompts, votes, statuses;
    bool bad;
};

static void on_line(void *user, const struct chat_line *l)
{
    struct heard *h = user;
    h->lines++;
    h->prompts += !strncmp(l->text, "!anime ", 7);
    h->votes += !strcmp(l->text, "!vote 41") || !strcmp(l->text, "!vote 42");
    h->bad |= !text_valid(l->text, strlen(l->text)) || strpbrk(l->text, "\r\n\t\x1b\x07") ||
              strstr(l->text, "\xe2\x80\xae") || !*l->who.uid || !*l->who.name || l->source != 0 ||
              strcmp(l->who.platform, "simulated") || !*l->msgid || l->utc_ms <= 0;
}

static void on_withdrawal(void *user, const struct chat_withdrawal *w)
{
    (void)user;
    (void)w;
}

static void on_status(void *user, int source)
{
    (void)source;
    ((struct heard *)user)->statuses++;
}

static const struct chat_ops ops = {on_line, on_withdrawal, on_status};

static void simulated(void **state)
{
    (void)state;
    struct heard h = {0};
    struct chat_status st;
    struct loop *loop = loop_new(NULL);
    struct chat *c = chat_new(loop, &ops, &h);
    /* a hundred thousand lines a minute: the crowd of an hour in a second */
    struct chat_settings set = {.kind = "simulated", .seed = 7, .rate = 1e5};
    assert_int_equal(chat_add(c, &set, NULL), 0);
    assert_int_equal(chat_count(c), 1);
    chat_reply(c, 0, NULL, CHAT_NOTICE, "#41 and #42 wait", NULL);
    int64_t end = clock_mono_ms() + 15000;
    while ((h.prompts < 100 || !h.votes || h.lines < 1000) && clock_mono_ms() < end)
        loop_step(loop, 10);
    assert_true(h.prompts >= 100 && h.votes > 0 && h.lines >= 1000);
    assert_false(h.bad);
    chat_status(c, 0, &st);
    assert_true(st.connected);
    assert_string_equal(st.kind, "simulated");
    assert_int_equal(st.lines, h.lines);
    assert_true(h.statuses > 0);
    chat_reply(c, 5, NULL, CHAT_NOTICE, "to nobody", NULL);
    chat_free(c);
    loop_free(loop);
}

static void refused_settings(void **state)
{
    (void)state;
    struct heard h = {0};
    struct loop *loop = loop_new(NULL);
    struct chat *c = chat_new(loop, &ops, &h);
    static const struct {
        struct chat_settings set;
        const char *says;
    } cases[] = {
        {{.kind = "smoke signals"}, "known: irc, simulated"},
        {{.kind = "irc", .url = "http://x/"}, "ircs://host/#channel"},
        {{.kind = "irc"}, "ircs://host/#channel"},
        {{.kind = "irc", .url = "ircs://h/#c", .nick = "a b"}, "\"a b\""},
        {{.kind = "irc", .url = "irc://example.org/#c", .password = "hunter2"}, "unencrypted"},
        {{.kind = "irc", .url = "ircs://h/#c", .password = "a\r\nQUIT"}, "blank"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct fault f = {0};
        assert_int_equal(chat_add(c, &cases[i].set, &f), -1);
        if (!strstr(f.text, cases[i].says) || strstr(f.text, "hunter2"))
            fail_msg("case %d: %s", (int)i, f.text);
        assert_int_equal(chat_add(c, &cases[i].set, NULL), -1); /* words are optional */
    }
    struct chat_settings fine = {.kind = "simulated"};
    for (int i = 0; i < CHAT_SOURCES_MAX; i++)
        assert_int_equal(chat_add(c, &fine, NULL), i);
    assert_int_equal(chat_add(c, &fine, NULL), -1);
    chat_free(c);
    net_shutdown(loop);
    loop_free(loop);
}

/* A server that is not there: it says so, goes on trying, and ends cleanly at any moment. */
static void nobody_there(void **state)
{
    (void)state;
    struct heard h = {0};
    struct chat_status st = {0};
    struct loop *loop = loop_new(NULL);
    struct chat *c = chat_new(loop, &ops, &h);
    struct chat_settings set = {.kind = "irc", .url = "irc://127.0.0.1:1/#show"};
    assert_int_equal(chat_add(c, &set, NULL), 0);
    chat_reply(c, 0, NULL, CHAT_NOTICE, "hello?", NULL);
    int64_t end = clock_mono_ms() + 5000;
    while (h.statuses < 3 && clock_mono_ms() < end) {
        loop_step(loop, 10);
        chat_status(c, 0, &st);
        assert_false(st.connected);
    }
    assert_true(h.statuses >= 3);
    assert_non_null(strstr(st.why, "nobody answers at 127.0.0.1:1"));
    chat_free(c);
    net_shutdown(loop);
    loop_free(loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(simulated),
        cmocka_unit_test(refused_settings),
        cmocka_unit_test(nobody_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
