#include "unit.h"

#include "obs/airlock.h"

#include <sys/stat.h>
#include <unistd.h>

static char dir[64];

static int make(void **state)
{
    char cmd[400];
    (void)state;
    strcpy(dir, "/tmp/airlock-XXXXXX");
    if (!mkdtemp(dir))
        return -1;
    snprintf(cmd, sizeof cmd,
             "cd %s && mkdir air vault air/sub airy && touch vault/v.mp4 air/a.mp4 'air/b c.mp4' "
             "air/sub/s.mp4 airy/y.mp4 && ln -s ../vault/v.mp4 air/link.mp4 && ln -s ../vault "
             "air/door && ln vault/v.mp4 air/hard.mp4 && ln -s air other && mkfifo air/pipe",
             dir);
    return system(cmd);
}

static int clear(void **state)
{
    char cmd[100];
    (void)state;
    snprintf(cmd, sizeof cmd, "rm -rf %s", dir);
    return system(cmd);
}

static enum err check(const struct airlock *a, const char *name, char out[PATH_LEN])
{
    char path[PATH_LEN];
    struct fault f = {0};
    snprintf(path, sizeof path, "%s/%s", dir, name);
    enum err e = airlock_check(a, path, out, &f);
    if (e)
        assert_true(strlen(f.text) > 0);
    return e;
}

static void only_plain_files_of_air(void **state)
{
    struct airlock a;
    char folder[128], out[PATH_LEN], want[PATH_LEN];
    (void)state;
    snprintf(folder, sizeof folder, "%s/air", dir);
    assert_int_equal(airlock_init(&a, folder, NULL), ERR_OK);
    assert_int_equal(check(&a, "air/a.mp4", out), ERR_OK);
    snprintf(want, sizeof want, "%s/air/a.mp4", dir);
    assert_string_equal(out, want);
    assert_int_equal(check(&a, "air/b c.mp4", out), ERR_OK);
    assert_int_equal(check(&a, "air/hard.mp4", out), ERR_OK); /* how a clip comes in */
    assert_int_equal(check(&a, "other/a.mp4", out), ERR_OK);  /* the same folder by a link */
    assert_string_equal(out, want);
    static const char *const no[] = {"vault/v.mp4",
                                     "air/link.mp4",
                                     "air/door/v.mp4",
                                     "air/sub/s.mp4",
                                     "air/../vault/v.mp4",
                                     "airy/y.mp4",
                                     "air/sub/../link.mp4",
                                     "air/pipe",
                                     "air/sub",
                                     "air/",
                                     "air"};
    for (size_t i = 0; i < sizeof no / sizeof *no; i++)
        assert_int_equal(check(&a, no[i], out), ERR_DENIED);
    assert_int_equal(check(&a, "air/none.mp4", out), ERR_NOTFOUND);
    assert_int_equal(airlock_check(&a, "a.mp4", out, NULL), ERR_DENIED);
    assert_int_equal(airlock_check(&a, "", out, NULL), ERR_DENIED);
    assert_int_equal(airlock_init(&a, "/nonexistent/air", NULL), ERR_NOTFOUND);
}

static void maps(void **state)
{
    struct airlock a;
    char folder[128], out[PATH_LEN];
    (void)state;
    snprintf(folder, sizeof folder, "%s/air", dir);
    assert_int_equal(airlock_init(&a, folder, NULL), ERR_OK);
    assert_int_equal(airlock_map(&a, folder, "Z:/air/", NULL), ERR_OK);
    assert_int_equal(check(&a, "air/a.mp4", out), ERR_OK);
    assert_string_equal(out, "Z:/air/a.mp4");
    assert_int_equal(airlock_map(&a, folder, "", NULL), ERR_INVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_plain_files_of_air),
        cmocka_unit_test(maps),
    };
    return cmocka_run_group_tests(tests, make, clear);
}
