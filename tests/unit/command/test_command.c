#include "unit.h"

#include "base/buf.h"
#include "command/viewer.h"

/* A table of rows that write down what they were called with; the desk is not reached. */
static char called[2048];
static struct commands *cs;
static struct show show;

static void note(struct commands *c, const struct origin *o, const struct command_call *call,
                 struct answer a)
{
    int n = snprintf(called, sizeof called, "%s", (const char *)command_user(c));
    for (int i = 0; i < call->id_count; i++)
        n += snprintf(called + n, sizeof called - (size_t)n, " #%lld", (long long)call->ids[i]);
    snprintf(called + n, sizeof called - (size_t)n, "|%s|%.1500s", call->word, call->text);
    (void)o;
    a.fn(a.user, ERR_OK, call->ids[0], "done");
}

static struct {
    int n;
    enum err err;
    char text[600];
} got;

static void take(void *user, enum err e, int64_t id, const char *text)
{
    (void)user;
    (void)id;
    got.n++;
    got.err = e;
    snprintf(got.text, sizeof got.text, "%s", text);
}
static const struct answer to_us = {take, NULL};

#define ANYWHERE (FROM_KEY | FROM_CTL | FROM_CHAT | FROM_SCRIPT)
#define ROW(name, args, least, from)                                                               \
    {                                                                                              \
        name, args, "", least, from, "", note, (void *)(uintptr_t)name                             \
    }

static int set_up(void **state)
{
    static const struct command rows[] = {
        ROW("none", "", ROLE_VIEWER, ANYWHERE),
        ROW("one", "ID", ROLE_VIEWER, ANYWHERE),
        ROW("maybe", "[ID] [TEXT]", ROLE_VIEWER, ANYWHERE),
        ROW("many", "ID… [--reason TEXT]", ROLE_VIEWER, ANYWHERE),
        ROW("text", "ID TEXT", ROLE_VIEWER, ANYWHERE),
        ROW("speak", "WORD TEXT", ROLE_VIEWER, ANYWHERE),
        ROW("pick", "[WORD]", ROLE_VIEWER, ANYWHERE),
        ROW("mods", "", ROLE_MODERATOR, ANYWHERE),
        ROW("keys", "", ROLE_VIEWER, FROM_KEY),
    };
    (void)state;
    assert_int_equal(show_init(&show), ERR_OK);
    cs = commands_new(NULL, &show);
    assert_non_null(cs);
    assert_int_equal(command_add(cs, rows, (int)(sizeof rows / sizeof *rows)), ERR_OK);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    commands_free(cs);
    show_free(&show);
    return 0;
}

static struct origin from(enum command_from f, enum role role)
{
    return (struct origin){f, {.platform = "irc", .uid = "aki", .role = role}, -1, ""};
}

static void run(const char *line)
{
    struct origin o = from(FROM_CTL, ROLE_OPERATOR);
    called[0] = '\0';
    got.n = 0;
    command_run(cs, &o, line, to_us);
    assert_int_equal(got.n, 1); /* exactly one answer, whatever it was */
}

static void runs(const char *line, const char *as)
{
    run(line);
    if (got.err || strcmp(called, as))
        fail_msg("%s: %s; called as \"%s\", not \"%s\"", line, got.text, called, as);
}

static void refuses(const char *line, enum err e, const char *words)
{
    run(line);
    assert_string_equal(called, "");
    if (got.err != e || !strstr(got.text, words))
        fail_msg("%s: %s: %s", line, err_name(got.err), got.text);
}

static void arguments_are_what_the_pattern_says(void **state)
{
    (void)state;
    runs("none", "none||");
    refuses("none x", ERR_USAGE, "usage: none");
    runs("one 7", "one #7||");
    runs("  one   #7  ", "one #7||");
    runs("one 9223372036854775807", "one #9223372036854775807||");
    refuses("one", ERR_USAGE, "usage: one ID");
    refuses("one x", ERR_USAGE, "usage");
    refuses("one 7x", ERR_USAGE, "usage");
    refuses("one 0", ERR_USAGE, "usage");
    refuses("one -7", ERR_USAGE, "usage");
    refuses("one +7", ERR_USAGE, "usage");
    refuses("one 9223372036854775808", ERR_USAGE, "usage");
    refuses("one 7 8", ERR_USAGE, "usage");
    runs("maybe", "maybe||");
    runs("maybe 3", "maybe #3||");
    runs("maybe later on", "maybe||later on");
    runs("maybe 3 later", "maybe #3||later");
    runs("many 1 2 #3", "many #1 #2 #3||");
    runs("many 1 --reason off topic", "many #1||off topic");
    runs("many 1 --reason=off topic", "many #1||off topic");
    runs("many 1 2 off topic", "many #1 #2||off topic");
    refuses("many --reason x", ERR_USAGE, "usage");
    refuses("many 1 --reason", ERR_USAGE, "usage");
    runs("text 1 a  b", "text #1||a b");
    refuses("text 1", ERR_USAGE, "usage");
    runs("speak aki hello there", "speak|aki|hello there");
    refuses("speak aki", ERR_USAGE, "usage");
    runs("pick", "pick||");
    runs("pick x", "pick|x|");
    refuses("pick x y", ERR_USAGE, "usage");
}

static void text_comes_clean(void **state)
{
    (void)state;
    runs("many 1 --reason \x1b[31mred\x07 \xff\xe2\x80\xae!", "many #1||[31mred \xef\xbf\xbd!");
    runs("text 1 雨\n\t の駅", "text #1||雨 の駅");
}

static void there_is_a_bound_to_everything(void **state)
{
    char line[70000] = "many";
    (void)state;
    for (int i = 1; i <= COMMAND_IDS_MAX; i++)
        sprintf(line + strlen(line), " %d", i);
    run(line);
    assert_int_equal(got.err, ERR_OK);
    strcat(line, " 7"); /* one more than there is room for is not taken for a reason */
    refuses(line, ERR_USAGE, "usage");
    memset(line, 'x', sizeof line - 1);
    line[sizeof line - 1] = '\0';
    refuses(line, ERR_LIMIT, "too long");
    memcpy(line, "text 1 ", 7);
    line[60000] = '\0';
    run(line);
    assert_int_equal(got.err, ERR_OK);
}

static void rights_are_checked_in_one_place(void **state)
{
    struct origin viewer = from(FROM_CHAT, ROLE_VIEWER), mod = from(FROM_CHAT, ROLE_MODERATOR),
                  script = from(FROM_SCRIPT, ROLE_OPERATOR);
    (void)state;
    command_run(cs, &viewer, "mods", to_us);
    assert_int_equal(got.err, ERR_DENIED);
    assert_non_null(strstr(got.text, "moderators"));
    command_run(cs, &mod, "mods", to_us);
    assert_int_equal(got.err, ERR_OK);
    command_run(cs, &mod, "keys", to_us); /* not from chat at all */
    assert_int_equal(got.err, ERR_USAGE);
    /* gate 2 and the ways out of panic are never a script's or a chatter's */
    static const char *const never[] = {"air 1", "undo", "resume", "quit"};
    struct origin boss = from(FROM_CHAT, ROLE_BROADCASTER);
    for (size_t i = 0; i < sizeof never / sizeof *never; i++) {
        command_run(cs, &script, never[i], to_us);
        assert_int_equal(got.err, ERR_USAGE);
        command_run(cs, &boss, never[i], to_us);
        assert_int_equal(got.err, ERR_USAGE);
    }
}

static void the_unknown_names_the_nearest(void **state)
{
    (void)state;
    refuses("", ERR_USAGE, "no command");
    refuses("    ", ERR_USAGE, "no command");
    refuses("aprove 1", ERR_USAGE, "did you mean approve?");
    refuses("zzz", ERR_USAGE, "see `help`");
    assert_null(command_at(cs, -1));
    assert_null(command_at(cs, 1000));
    assert_string_equal(command_at(cs, 0)->name, "approve");
}

static void a_row_of_the_same_name_takes_its_place(void **state)
{
    static const struct command again[] = {ROW("none", "ID", ROLE_VIEWER, ANYWHERE)};
    (void)state;
    assert_int_equal(command_add(cs, again, 1), ERR_OK);
    runs("none 4", "none #4||");
}

static void every_row_says_what_it_does(void **state)
{
    int n;
    const struct command *rows = command_builtin(&n);
    (void)state;
    for (int i = 0; i < n; i++) {
        assert_true(rows[i].help[0] && rows[i].from && rows[i].fn);
        for (int k = 0; k < i; k++) {
            assert_string_not_equal(rows[i].name, rows[k].name);
            assert_true(!rows[i].key[0] || strcmp(rows[i].key, rows[k].key));
        }
    }
}

/* ---- what viewers type ---- */

static void commands_are_told_from_talk(void **state)
{
    char name[8];
    const char *rest;
    (void)state;
    assert_true(viewer_split("!Anime  x", name, sizeof name, &rest));
    assert_string_equal(name, "anime");
    assert_string_equal(rest, " x");
    assert_true(viewer_split("!mine", name, sizeof name, &rest));
    assert_string_equal(rest, "");
    assert_false(viewer_split("anime", name, sizeof name, &rest));
    assert_false(viewer_split("!", name, sizeof name, &rest));
    assert_false(viewer_split("! x", name, sizeof name, &rest));
    assert_true(viewer_split("!seven77", name, sizeof name, &rest));
    assert_false(viewer_split("!eight888", name, sizeof name, &rest));
}

static void one_pair_of_outer_quotes_is_dropped(void **state)
{
    static const char *const pairs[][2] = {{"\"a fox\"", "a fox"},
                                           {"“a fox”", "a fox"},
                                           {"「雨の駅」", "雨の駅"},
                                           {"\"\"a fox\"\"", "\"a fox\""},
                                           {"\"a\" and \"b\"", "a\" and \"b"},
                                           {"\"a fox", "\"a fox"},
                                           {"a fox\"", "a fox\""},
                                           {"\"", "\""},
                                           {"\"\"", ""},
                                           {"“a fox\"", "“a fox\""},
                                           {"say \"hi\" now", "say \"hi\" now"},
                                           {"  a   fox ", "a fox"},
                                           {"", ""}};
    struct buf b = BUF_INIT(0);
    (void)state;
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        buf_reset(&b);
        viewer_prompt(pairs[i][0], &b);
        assert_string_equal(buf_str(&b), pairs[i][1]);
    }
    buf_free(&b);
}

static void cancel_of_nonsense_cancels_nothing(void **state)
{
    struct chat_line line = {.who = {.platform = "irc", .uid = "aki"}, .msgid = ""};
    (void)state;
    got.n = 0; /* the desk is NULL: reaching it would be the end of this test */
    assert_true(viewer_run(cs, &line, "cancel", "that one", to_us));
    assert_int_equal(got.err, ERR_USAGE);
    assert_true(viewer_run(cs, &line, "cancel", "12 13", to_us));
    assert_int_equal(got.err, ERR_USAGE);
    assert_false(viewer_run(cs, &line, "styles", "", to_us));
    assert_int_equal(got.n, 2);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(arguments_are_what_the_pattern_says), TEST(text_comes_clean),
        TEST(there_is_a_bound_to_everything),      TEST(rights_are_checked_in_one_place),
        TEST(the_unknown_names_the_nearest),       TEST(a_row_of_the_same_name_takes_its_place),
        TEST(every_row_says_what_it_does),         TEST(commands_are_told_from_talk),
        TEST(one_pair_of_outer_quotes_is_dropped), TEST(cancel_of_nonsense_cancels_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
