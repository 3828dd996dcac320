#include "unit.h"

#include "base/text.h"
#include "chat/ircline.h"
#include "chat/ircurl.h"
#include "chat/ircwho.h"

static struct ircline parse(char *line)
{
    struct ircline l;
    assert_true(ircline_parse(line, strlen(line), &l));
    return l;
}
#define PARSE(var, text)                                                                           \
    char var##_bytes[] = text;                                                                     \
    struct ircline var = parse(var##_bytes)

static void parts(void **state)
{
    (void)state;
    PARSE(a, "@id=x;user-id=7 :aki!u@host PRIVMSG #show :two  spaces :and colon");
    assert_string_equal(a.tags, "id=x;user-id=7");
    assert_string_equal(a.prefix, "aki!u@host");
    assert_string_equal(a.command, "PRIVMSG");
    assert_int_equal(a.params, 2);
    assert_string_equal(a.param[1], "two  spaces :and colon");
    PARSE(b, ":tmi.twitch.tv RECONNECT");
    assert_int_equal(b.params, 0);
    assert_string_equal(ircline_param(&b, 3), "");
    assert_string_equal(ircline_param(&b, b.params - 1), "");
    PARSE(c, "PING");
    assert_string_equal(c.prefix, "");
    PARSE(d, "  :x   001   me    :");
    assert_int_equal(d.params, 2);
    assert_string_equal(d.param[1], "");
    PARSE(e, "X 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16");
    assert_int_equal(e.params, IRCLINE_PARAMS);
    assert_string_equal(e.param[14], "15 16");
}

static void not_messages(void **state)
{
    (void)state;
    static const char *const odd[] = {"",   " ",   ":",       ":foo", ":foo ",  "@a=b", "@a=b :p",
                                      "@ ", "\1X", "PRI-V x", "日本", "@a=b  ", "\t"};
    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) {
        char line[32];
        struct ircline l;
        strcpy(line, odd[i]);
        if (ircline_parse(line, strlen(line), &l))
            fail_msg("\"%s\" passed as %s", odd[i], l.command);
    }
}

static void tags(void **state)
{
    (void)state;
    char v[64], small[8];
    PARSE(a, "@a=1;display-name=\\:x\\sy\\\\z\\;empty=;bare;ab=2;last=雨の駅 :x!y@z PING");
    assert_true(ircline_tag(&a, "a", v, sizeof v));
    assert_string_equal(v, "1");
    assert_true(ircline_tag(&a, "display-name", v, sizeof v));
    assert_string_equal(v, ";x y\\z");
    assert_true(ircline_tag(&a, "empty", v, sizeof v));
    assert_string_equal(v, "");
    assert_true(ircline_tag(&a, "bare", v, sizeof v));
    assert_string_equal(v, "");
    assert_true(ircline_tag(&a, "ab", v, sizeof v));
    assert_string_equal(v, "2");
    assert_false(ircline_tag(&a, "b", v, sizeof v));
    assert_true(ircline_tag(&a, "last", small, sizeof small));
    assert_true(text_valid(small, strlen(small)));
    assert_string_equal(small, "雨の");
    PARSE(b, "PING :x");
    assert_false(ircline_tag(&b, "a", v, sizeof v));
}

static void nicks(void **state)
{
    (void)state;
    char v[64], small[3];
    PARSE(a, ":aki!u@h PING");
    ircline_nick(&a, v, sizeof v);
    assert_string_equal(v, "aki");
    ircline_nick(&a, small, sizeof small);
    assert_string_equal(small, "ak");
    PARSE(b, ":irc.example.org PING");
    ircline_nick(&b, v, sizeof v);
    assert_string_equal(v, "");
    PARSE(c, ":aki PING");
    ircline_nick(&c, v, sizeof v);
    assert_string_equal(v, "aki");
}

struct got {
    int lines;
    size_t bytes, longest;
    char last[64];
};

static bool count(void *user, char *line, size_t n)
{
    struct got *g = user;
    g->lines++;
    g->bytes += n;
    g->longest = n > g->longest ? n : g->longest;
    snprintf(g->last, sizeof g->last, "%.*s", (int)n, line);
    return true;
}

static void splits_at_any_byte(void **state)
{
    (void)state;
    static const char stream[] = "one\r\ntwo\n\r\nfo\0ur\r\n five \r\n";
    for (size_t step = 1; step < sizeof stream; step++) {
        struct ircsplit s = {0};
        struct got g = {0};
        for (size_t at = 0; at < sizeof stream - 1; at += step) {
            size_t left = sizeof stream - 1 - at;
            ircsplit_feed(&s, stream + at, left < step ? left : step, count, &g);
        }
        assert_int_equal(g.lines, 5);
        assert_int_equal(g.bytes, 3 + 3 + 0 + 4 + 6);
        ircsplit_free(&s);
    }
}

static void long_lines_are_dropped(void **state)
{
    (void)state;
    struct ircsplit s = {0};
    struct got g = {0};
    char *big = malloc(20480);
    memset(big, 'x', 20480);
    ircsplit_feed(&s, big, 20480, count, &g); /* no end yet */
    ircsplit_feed(&s, "\r\nafter\r\n", 9, count, &g);
    assert_int_equal(g.lines, 1);
    assert_string_equal(g.last, "after");
    assert_int_equal(s.dropped, 1);
    ircsplit_feed(&s, big, IRCLINE_MAX, count, &g); /* the longest that passes */
    ircsplit_feed(&s, "\n", 1, count, &g);
    assert_int_equal(g.lines, 2);
    assert_int_equal(g.longest, IRCLINE_MAX);
    ircsplit_feed(&s, big, IRCLINE_MAX + 1, count, &g);
    ircsplit_feed(&s, "\n", 1, count, &g);
    assert_int_equal(s.dropped, 2);
    ircsplit_free(&s);
    free(big);
}

static void twitch_viewers(void **state)
{
    (void)state;
    struct viewer v;
    PARSE(a, "@badge-info=;badges=vip/1,bits/100;display-name=Eloon\\sS;user-id=465396358 "
             ":eloonstra!eloonstra@eloonstra.tmi.twitch.tv PRIVMSG #eloonstra :boing");
    assert_true(ircwho_viewer(&a, NULL, &v));
    assert_string_equal(v.platform, "twitch");
    assert_string_equal(v.uid, "465396358");
    assert_string_equal(v.name, "Eloon S");
    assert_int_equal(v.role, ROLE_VIP);
    PARSE(b, "@badges=broadcaster/1,subscriber/6;display-name=;user-id= :Boss!b@t PRIVMSG #c :x");
    assert_true(ircwho_viewer(&b, NULL, &v));
    assert_string_equal(v.uid, "boss");
    assert_string_equal(v.name, "Boss");
    assert_int_equal(v.role, ROLE_BROADCASTER);
    PARSE(c, "@badges=moderator/1;room-id=1;source-room-id=2;user-id=5 :m!m@t PRIVMSG #c :x");
    assert_true(ircwho_viewer(&c, NULL, &v)); /* a moderator of another channel */
    assert_int_equal(v.role, ROLE_VIEWER);
    PARSE(d, "@badges=xbroadcaster/1,subscriber/12;user-id=5 :m!m@t PRIVMSG #c :broadcaster/1");
    assert_true(ircwho_viewer(&d, NULL, &v));
    assert_int_equal(v.role, ROLE_SUBSCRIBER);
    PARSE(e, ":tmi.twitch.tv PRIVMSG #c :x");
    assert_false(ircwho_viewer(&e, NULL, &v));
}

static void operators_are_moderators(void **state)
{
    (void)state;
    struct ircwho w = {0};
    struct viewer v;
    ircwho_names(&w, "@Boss +voiced plain");
    ircwho_names(&w, "~@Owner %half");
    assert_false(ircwho_is_op(&w, "boss")); /* not before the list has ended */
    ircwho_names_end(&w);
    assert_true(ircwho_is_op(&w, "boss") && ircwho_is_op(&w, "OWNER") && ircwho_is_op(&w, "half"));
    assert_false(ircwho_is_op(&w, "voiced") || ircwho_is_op(&w, "plain"));
    ircwho_renamed(&w, "Boss", "Chef");
    assert_true(ircwho_is_op(&w, "chef"));
    assert_false(ircwho_is_op(&w, "boss"));
    ircwho_left(&w, "CHEF");
    assert_false(ircwho_is_op(&w, "chef"));
    PARSE(a, "@badges=broadcaster/1;user-id=1 :Half!u@h PRIVMSG #c :tags mean nothing here");
    assert_true(ircwho_viewer(&a, &w, &v));
    assert_string_equal(v.uid, "half");
    assert_int_equal(v.role, ROLE_MODERATOR);
    for (int i = 0; i < 500; i++)
        ircwho_names(&w, "@many @many2");
    ircwho_names_end(&w);
    assert_int_equal(w.n, IRCWHO_OPS_MAX);
}

static void addresses(void **state)
{
    (void)state;
    struct ircurl u;
    struct fault f;
    assert_int_equal(ircurl_parse("ircs://irc.chat.twitch.tv/#Kanna", &u, &f), ERR_OK);
    assert_true(u.tls && u.port == 6697);
    assert_string_equal(u.host, "irc.chat.twitch.tv");
    assert_string_equal(u.channel, "#kanna");
    assert_int_equal(ircurl_parse("irc://[::1]:7000/show", &u, &f), ERR_OK);
    assert_true(!u.tls && u.port == 7000);
    assert_string_equal(u.host, "::1");
    assert_string_equal(u.channel, "#show");
    assert_int_equal(ircurl_parse("irc://h/%23show", &u, &f), ERR_OK);
    assert_string_equal(u.channel, "#show");
    static const char *const bad[] = {"",
                                      "http://h/#c",
                                      "irc://",
                                      "irc://h",
                                      "irc://h/",
                                      "irc:///#c",
                                      "irc://h:0/#c",
                                      "irc://h:99999/#c",
                                      "irc://h:x/#c",
                                      "irc://[::1/#c",
                                      "irc://h/#a,#b",
                                      "irc://h/#a b",
                                      "irc://me:hunter2@h/#c"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (!ircurl_parse(bad[i], &u, &f))
            fail_msg("%s was taken", bad[i]);
    assert_null(strstr(f.text, "hunter2"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parts),
        cmocka_unit_test(not_messages),
        cmocka_unit_test(tags),
        cmocka_unit_test(nicks),
        cmocka_unit_test(splits_at_any_byte),
        cmocka_unit_test(long_lines_are_dropped),
        cmocka_unit_test(twitch_viewers),
        cmocka_unit_test(operators_are_moderators),
        cmocka_unit_test(addresses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
