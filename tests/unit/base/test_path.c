#include "unit.h"

#include "base/path.h"

#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

static char dir[64];
static struct fault f;

static int set_up(void **state)
{
    (void)state;
    strcpy(dir, "/tmp/sakuga-path-XXXXXX");
    f = (struct fault){0};
    return mkdtemp(dir) ? 0 : -1;
}

static int tear_down(void **state)
{
    char command[128];
    (void)state;
    snprintf(command, sizeof command, "rm -r '%s'", dir);
    return system(command);
}

/* A path below `dir`, in one static buffer. */
static const char *below(const char *name)
{
    static char path[PATH_LEN];
    assert_int_equal(path_join(path, sizeof path, dir, name), ERR_OK);
    return path;
}

static int entries(void)
{
    int n = 0;
    DIR *d = opendir(dir);
    for (struct dirent *e; (e = readdir(d));)
        n += e->d_name[0] != '.';
    closedir(d);
    return n;
}

static void joins(void **state)
{
    char out[8];
    (void)state;
    assert_int_equal(path_join(out, sizeof out, "/a", "b"), ERR_OK);
    assert_string_equal(out, "/a/b");
    assert_int_equal(path_join(out, sizeof out, "/a", "/b"), ERR_OK);
    assert_string_equal(out, "/b"); /* an absolute one stands alone */
    assert_int_equal(path_join(out, sizeof out, "/abc", "de"), ERR_OK);
    assert_string_equal(out, "/abc/de"); /* to the last byte */
    assert_int_equal(path_join(out, sizeof out, "/abc", "def"), ERR_LIMIT);
    assert_string_equal(out, "/abc/de"); /* nothing was written */
    strcpy(out, "/a");
    assert_int_equal(path_join(out, sizeof out, out, "b"), ERR_OK); /* in place */
    assert_string_equal(out, "/a/b");
}

static void folders_are_made(void **state)
{
    struct stat st;
    (void)state;
    assert_int_equal(path_mkdirs(below("a/b/c"), 0700, &f), ERR_OK);
    assert_int_equal(stat(below("a/b/c"), &st), 0);
    assert_int_equal(st.st_mode & 0777, 0700);
    assert_int_equal(path_mkdirs(below("a/b/c"), 0700, &f), ERR_OK); /* there already */
    assert_int_equal(path_mkdirs(below("a//d/"), 0700, &f), ERR_OK);
    assert_int_equal(path_mkdirs("/", 0700, &f), ERR_OK);
    assert_int_equal(path_write(below("file"), "x", 1, 0600, &f), ERR_OK);
    assert_int_equal(path_mkdirs(below("file"), 0700, &f), ERR_IO);
    assert_non_null(strstr(f.text, "is not a folder"));
    assert_int_equal(path_mkdirs(below("file/x"), 0700, &f), ERR_IO);
    assert_non_null(strstr(f.text, "file/x"));
}

static void files_are_written_whole(void **state)
{
    struct buf b = BUF_INIT(0);
    struct stat st;
    char big[40000];
    (void)state;
    memset(big, 'x', sizeof big);
    assert_int_equal(path_write(below("f"), big, sizeof big, 0600, &f), ERR_OK);
    assert_int_equal(stat(below("f"), &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(path_write(below("f"), "new\0one", 7, 0640, &f), ERR_OK); /* replaced */
    assert_int_equal(stat(below("f"), &st), 0);
    assert_int_equal(st.st_mode & 0777, 0640);
    assert_int_equal(path_read(below("f"), 7, &b, &f), ERR_OK);
    assert_int_equal(b.len, 7);
    assert_memory_equal(b.data, "new\0one", 7);
    assert_int_equal(path_read(below("f"), 6, &b, &f), ERR_LIMIT);
    assert_non_null(strstr(f.text, "larger than 6 bytes"));
    buf_free(&b);
    assert_int_equal(mkdir(below("d"), 0700), 0);
    assert_int_equal(path_write(below("d"), "x", 1, 0600, &f), ERR_IO); /* a folder in the way */
    assert_int_equal(path_write(below("no/f"), "x", 1, 0600, &f), ERR_IO);
    assert_int_equal(entries(), 2); /* no temporary file is left */
}

static void a_file_goes_with_its_halves(void **state)
{
    static const char *const there[] = {"f", "f.aB3xYz", "f.123456", "f.12345", "f.tar.gz", "g"};
    (void)state;
    for (size_t i = 0; i < sizeof there / sizeof *there; i++)
        assert_int_equal(path_write(below(there[i]), "x", 1, 0600, &f), ERR_OK);
    path_remove(below("f"));
    assert_int_equal(entries(), 3);
    for (size_t i = 3; i < sizeof there / sizeof *there; i++)
        assert_int_equal(access(below(there[i]), F_OK), 0);
    path_remove(below("f")); /* it is gone, and so may its folder be */
    path_remove(below("no/f"));
    assert_int_equal(entries(), 3);
}

/* A buffer that nothing came into ends all the same, whatever its memory held before. */
static void an_empty_file_is_an_empty_text(void **state)
{
    (void)state;
    assert_int_equal(path_write(below("empty"), "", 0, 0600, &f), ERR_OK);
    for (int i = 0; i < 50; i++) {
        void *dirt = malloc(32768);
        memset(dirt, 'x', 32768);
        free(dirt);
        struct buf b = BUF_INIT(0);
        assert_int_equal(path_read(below("empty"), 10, &b, &f), ERR_OK);
        assert_int_equal(b.len, 0);
        assert_string_equal(b.data, "");
        buf_free(&b);
    }
}

static void what_cannot_be_read_is_named(void **state)
{
    struct buf b = BUF_INIT(0);
    (void)state;
    assert_int_equal(path_read(below("gone"), 10, &b, &f), ERR_NOTFOUND);
    assert_non_null(strstr(f.text, "/gone: No such file"));
    assert_int_equal(path_read(dir, 10, &b, &f), ERR_IO);
    assert_non_null(strstr(f.text, dir));
    assert_int_equal(b.len, 0);
    buf_free(&b);
    assert_true(path_free_bytes(dir) > 0);
    assert_int_equal(path_free_bytes(below("gone")), -1);
}

static void every_place_follows_from_two_folders(void **state)
{
    static struct paths p;
    char longest[PATH_LEN + 1];
    (void)state;
    assert_int_equal(paths_init(&p, "/c", "/d", &f), ERR_OK);
    assert_string_equal(p.config, "/c");
    assert_string_equal(p.db, "/d/show.db");
    assert_string_equal(p.vault, "/d/vault");
    assert_string_equal(p.air, "/d/air");
    assert_string_equal(p.log, "/d/log");
    assert_int_equal(p.lua[0], '/');
    assert_int_equal(chdir(dir), 0);
    assert_int_equal(paths_init(&p, "c", "d", &f), ERR_OK); /* relative ones become absolute */
    assert_string_equal(p.config, below("c"));
    assert_string_equal(p.data, below("d"));
    assert_int_equal(chdir("/"), 0);

    setenv("XDG_CONFIG_HOME", "/xc", 1);
    setenv("XDG_DATA_HOME", "not/absolute", 1); /* the specification says: ignore it */
    setenv("HOME", "/home/aki", 1);
    assert_int_equal(paths_init(&p, NULL, NULL, &f), ERR_OK);
    assert_string_equal(p.config, "/xc/sakuga");
    assert_string_equal(p.data, "/home/aki/.local/share/sakuga");
    unsetenv("XDG_CONFIG_HOME");
    unsetenv("HOME");
    assert_int_equal(paths_init(&p, NULL, "/d", &f), ERR_NOTFOUND);
    assert_non_null(strstr(f.text, "neither $XDG_CONFIG_HOME nor $HOME"));

    memset(longest, 'x', PATH_LEN);
    longest[0] = '/';
    longest[PATH_LEN] = '\0';
    assert_int_equal(paths_init(&p, "/c", longest, &f), ERR_LIMIT);
    longest[PATH_LEN - 3] = '\0'; /* it fits, what lies in it does not */
    assert_int_equal(paths_init(&p, "/c", longest, &f), ERR_LIMIT);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(joins),
        TEST(folders_are_made),
        TEST(files_are_written_whole),
        TEST(a_file_goes_with_its_halves),
        TEST(an_empty_file_is_an_empty_text),
        TEST(what_cannot_be_read_is_named),
        TEST(every_place_follows_from_two_folders),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
