#include "unit.h"

#include "base/json.h"
#include "base/log.h"
#include "base/path.h"

#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>

static char dir[64], path[128];

static int set_up(void **state)
{
    struct fault f;
    (void)state;
    strcpy(dir, "/tmp/sakuga-log-XXXXXX");
    assert_non_null(mkdtemp(dir));
    snprintf(path, sizeof path, "%s/sakuga.log", dir);
    log_set_level(LOG_INFO);
    return log_open_file(path, 4000, &f);
}

static int tear_down(void **state)
{
    char command[128];
    (void)state;
    log_close();
    snprintf(command, sizeof command, "rm -r '%s'", dir);
    return system(command);
}

/* Every line of a file is JSON with its four fields; returns how many, the last text in `last`. */
static int lines(const char *file, char last[2000])
{
    struct buf b = BUF_INIT(0);
    int n = 0;
    assert_int_equal(path_read(file, 1 << 24, &b, NULL), ERR_OK);
    for (char *at = b.data, *nl; at && (nl = strchr(at, '\n')); at = nl + 1, n++) {
        struct fault f = {0};
        cJSON *o = json_parse(at, (size_t)(nl - at), &f);
        if (!o)
            fail_msg("%s: %.*s", f.text, (int)(nl - at), at);
        assert_int_equal(strlen(json_str(o, "t", "")), 24);
        assert_true(json_str(o, "level", "")[0] && json_str(o, "room", "")[0]);
        snprintf(last, 2000, "%s", json_str(o, "text", "?"));
        cJSON_Delete(o);
    }
    buf_free(&b);
    return n;
}

static void hostile_bytes_are_valid_json(void **state)
{
    char all[300], last[2000];
    (void)state;
    for (int i = 1; i < 256; i++)
        all[i - 1] = (char)i;
    all[255] = '\0';
    log_info("test", "%s", all);
    log_info("test", "%%s %%n \"\\\" 雨\xe2\x80 \xed\xa0\x80 \x1b[2J\n{}");
    assert_int_equal(lines(path, last), 2);
    assert_string_equal(last, "%s %n \"\\\" 雨?? ??? ?[2J?{}");
}

static void long_lines_are_cut_between_characters(void **state)
{
    char text[5000] = "", last[2000];
    (void)state;
    for (int i = 0; i < 1000; i++)
        strcat(text, "雨");
    log_info("test", "%s", text);
    assert_int_equal(lines(path, last), 1);
    assert_true(strlen(last) < LOG_LINE_MAX);
    assert_int_equal(strlen(last) % 3, 0);
    assert_string_equal(last + strlen(last) - 3, "雨");
}

static void secrets_never_reach_a_line(void **state)
{
    char text[2000], last[2000], small[12] = "x hunter2";
    (void)state;
    log_secret("hunter2");
    log_secret("oauth:abcdef");
    log_secret("abc"); /* too short to be told from words */
    log_info("test", "hunter2 and oauth:abcdef, hunter2hunter2; abc");
    assert_int_equal(lines(path, last), 1);
    assert_string_equal(last, "[redacted] and [redacted], [redacted][redacted]; abc");
    /* wherever the line is cut, no part of it is left */
    for (int at = LOG_LINE_MAX - 20; at < LOG_LINE_MAX + 5; at++) {
        memset(text, '.', sizeof text);
        strcpy(text + at, "hunter2");
        log_info("test", "%s", text);
        lines(path, last);
        assert_null(strstr(last, "hu"));
    }
    log_secret("hunter2hunter3"); /* begins like another one */
    log_info("test", "hunter2hunter3, hunter2");
    lines(path, last);
    assert_string_equal(last, "[redacted], [redacted]");
    log_redact(small, sizeof small); /* the mark is longer than the room */
    assert_string_equal(small, "x [redacted");
}

static void files_rotate_and_stay_private(void **state)
{
    char name[160], last[2000];
    struct stat st;
    int n = 0, total = 0;
    (void)state;
    for (int i = 0; i < 400; i++)
        log_info("test", "line %d with some words that make it longer", i);
    for (; n < 10; n++) {
        snprintf(name, sizeof name, n ? "%s.%d" : "%s", path, n);
        if (stat(name, &st))
            break;
        assert_int_equal(st.st_mode & 0777, 0600);
        assert_true(st.st_size < 4000 + LOG_LINE_MAX * 2);
        total += lines(name, last);
    }
    assert_int_equal(n, 5); /* it, and four older ones */
    assert_true(total < 400);
}

static void a_log_is_appended_to(void **state)
{
    char last[2000];
    struct fault f;
    (void)state;
    log_info("test", "first");
    log_close();
    assert_int_equal(log_open_file(dir, 100, &f), ERR_IO); /* a folder */
    assert_int_equal(log_open_file(path, 100000, &f), ERR_OK);
    log_info("test", "second"); /* appended */
    assert_int_equal(lines(path, last), 2);
    assert_string_equal(last, "second");
}

static int sunk;

static void sink(void *user, const struct log_line *line)
{
    (void)user;
    (void)line;
    __atomic_add_fetch(&sunk, 1, __ATOMIC_RELAXED);
}

static void *shout(void *arg)
{
    for (int i = 0; i < 200; i++)
        log_info("test", "%s %d", (const char *)arg, i);
    return NULL;
}

static void threads_do_not_mix_their_lines(void **state)
{
    pthread_t a, b;
    char last[2000];
    (void)state;
    log_close();
    assert_int_equal(log_open_file(path, 1 << 24, NULL), ERR_OK);
    assert_int_equal(log_add_sink(sink, NULL), ERR_OK);
    log_debug("test", "not at this level");
    pthread_create(&a, NULL, shout, "a");
    pthread_create(&b, NULL, shout, "b");
    pthread_join(a, NULL);
    pthread_join(b, NULL);
    log_remove_sink(sink, NULL);
    log_info("test", "last");
    assert_int_equal(lines(path, last), 401);
    assert_int_equal(sunk, 400);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(hostile_bytes_are_valid_json), TEST(long_lines_are_cut_between_characters),
        TEST(secrets_never_reach_a_line),   TEST(files_rotate_and_stay_private),
        TEST(a_log_is_appended_to),         TEST(threads_do_not_mix_their_lines),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
