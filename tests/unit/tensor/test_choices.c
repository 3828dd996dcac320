/* What was chosen is in the file before it counts; of two processes the first decides; what a job
 * relied on is listed, and a list of any content is safe to ask about. */
#include "unit.h"

#include "tensor/cuda/choices.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define WHERE "an emulated GPU, driver 1"

static char dir[] = "/tmp/sakuga-choices-XXXXXX";
static char path[300];
static struct fault fault;

static struct choice of(uint64_t key, int candidate)
{
    struct choice c = {.key = key, .candidate = candidate};
    snprintf(c.words, sizeof c.words, "shape %llu", (unsigned long long)key);
    return c;
}

static int keep(struct choices *c, uint64_t key, int candidate, int instead)
{
    const struct choice one = of(key, candidate);
    return choices_keep(c, &one, instead);
}

static void use(struct choices *c, uint64_t key)
{
    choices_use(c, &(struct chosen){.key = key});
}

static enum err rely(struct choices *c, const char *lines)
{
    return choices_rely(c, lines, strlen(lines), &fault);
}

/* The file's name is its own affair. */
static void find_file(void)
{
    char folder[200];
    const struct dirent *e;
    snprintf(folder, sizeof folder, "%s/sakuga", dir);
    DIR *d = opendir(folder);
    assert_non_null(d);
    path[0] = '\0';
    while ((e = readdir(d)))
        if (e->d_name[0] != '.' && !strstr(e->d_name, ".lock")) {
            assert_string_equal(path, ""); /* it is one, and no half is left */
            snprintf(path, sizeof path, "%s/%.60s", folder, e->d_name);
        }
    closedir(d);
    assert_int_not_equal(path[0], '\0');
}

static int fresh(void **state)
{
    char command[100];
    (void)state;
    snprintf(command, sizeof command, "rm -rf %s/sakuga", dir);
    return system(command);
}

static void test_kept(void **state)
{
    struct choices *c = choices_open(WHERE), *same, *other;
    (void)state;
    assert_int_equal(choices_find(c, 7), -1);
    assert_int_equal(keep(c, 7, 3, -1), 3);
    assert_int_equal(choices_find(c, 7), 3);
    same = choices_open(WHERE); /* while the first still runs: it is there already */
    assert_int_equal(choices_find(same, 7), 3);
    other = choices_open("another GPU");
    assert_int_equal(choices_find(other, 7), -1);
    assert_int_equal(keep(same, 7, 5, 3), 5); /* it was of another list */
    choices_free(c);
    c = choices_open(WHERE);
    assert_int_equal(choices_find(c, 7), 5);
    choices_free(c);
    choices_free(same);
    choices_free(other);
}

/* Both began when the file was empty. */
static void test_the_first_decides(void **state)
{
    struct choices *a = choices_open(WHERE), *b = choices_open(WHERE);
    (void)state;
    assert_int_equal(keep(a, 1, 2, -1), 2);
    assert_int_equal(keep(b, 2, 6, -1), 6);
    assert_int_equal(keep(b, 1, 4, -1), 2);
    assert_int_equal(choices_find(b, 1), 2);
    assert_int_equal(choices_find(a, 2), 6);
    choices_free(a);
    choices_free(b);
}

/* Many processes at once, each with a mind of its own: all end with the same choices, and none of
 * them is lost. */
static void test_many_at_once(void **state)
{
    enum { PROCESSES = 6, KEYS = 25 };
    int all[2], got[PROCESSES][KEYS];
    (void)state;
    assert_int_equal(pipe(all), 0);
    for (int i = 0; i < PROCESSES; i++) {
        if (fork())
            continue;
        struct choices *c = choices_open(WHERE);
        int mine[1 + KEYS] = {i};
        for (int k = 0; k < KEYS; k++)
            mine[1 + k] = keep(c, (uint64_t)(1 + (k * 7 + i) % KEYS), i, -1);
        _exit(write(all[1], mine, sizeof mine) != sizeof mine);
    }
    for (int i = 0; i < PROCESSES; i++) {
        int mine[1 + KEYS], status;
        assert_int_equal(read(all[0], mine, sizeof mine), sizeof mine);
        for (int k = 0; k < KEYS; k++)
            got[mine[0]][(k * 7 + mine[0]) % KEYS] = mine[1 + k];
        assert_true(wait(&status) > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0);
    }
    struct choices *c = choices_open(WHERE);
    for (int k = 0; k < KEYS; k++) {
        int counts = choices_find(c, (uint64_t)(1 + k));
        assert_in_range(counts, 0, PROCESSES - 1);
        for (int i = 0; i < PROCESSES; i++)
            assert_int_equal(got[i][k], counts);
    }
    choices_free(c);
    close(all[0]);
    close(all[1]);
    find_file();
}

static void test_what_a_job_relied_on(void **state)
{
    static const char both[] = "0000000000000005 1 shape 5\n00000000000000a0 2 shape 160\n";
    struct choices *c = choices_open(WHERE);
    struct buf b = BUF_INIT(0);
    struct chosen by = {.key = 5};
    (void)state;
    keep(c, 0xa0, 2, -1);
    keep(c, 5, 1, -1);
    keep(c, 6, 9, -1);
    assert_true(choices_list(c, &b));
    assert_string_equal(buf_str(&b), "");
    use(c, 0xa0);
    choices_use(c, &by);
    choices_use(c, &(struct chosen){0}); /* what there was no choice of */
    assert_true(choices_list(c, &b));
    assert_string_equal(buf_str(&b), both);
    choices_begin(c);
    choices_use(c, &by); /* it is another job's now */
    buf_reset(&b);
    assert_true(choices_list(c, &b));
    assert_string_equal(buf_str(&b), "0000000000000005 1 shape 5\n");
    choices_free(c);
    c = choices_open(WHERE); /* another process, which has the file alone */
    assert_int_equal(rely(c, both), ERR_OK);
    buf_reset(&b);
    assert_true(choices_list(c, &b));
    assert_string_equal(buf_str(&b), both);
    use(c, 77); /* of which it knows nothing: the list would not be whole */
    assert_false(choices_list(c, &b));
    choices_begin(c);
    assert_true(choices_list(c, &b));
    buf_free(&b);
    choices_free(c);
}

static void test_says_what_differs(void **state)
{
    struct choices *c = choices_open(WHERE), *later;
    struct buf b = BUF_INIT(0);
    (void)state;
    keep(c, 5, 1, -1);
    keep(c, 6, 2, -1);
    assert_int_equal(rely(c, "0000000000000005 1 a b\n0000000000000006 3 c d\n"), ERR_STATE);
    assert_string_equal(fault_text(&fault),
                        "candidate 3 of c d was chosen then, candidate 2 is now");
    assert_int_equal(rely(c, "0000000000000005 1 a b\n0000000000000007 3 e\n"), ERR_STATE);
    assert_string_equal(fault_text(&fault),
                        "candidate 3 of e was chosen then, and here none is known any more");
    assert_true(choices_list(c, &b));
    assert_int_equal(b.len, 0); /* nor does it rely on those that are the same */
    later = choices_open(WHERE);
    keep(later, 7, 3, -1); /* by another process, since */
    assert_int_equal(rely(c, "0000000000000005 1 a b\n0000000000000007 3 e\n"), ERR_OK);
    choices_free(c);
    choices_free(later);
    buf_free(&b);
}

static void test_hostile_lists(void **state)
{
    static const char *const none[] = {
        "x",
        "\n",
        "0000000000000005 1 a",             /* cut off */
        "0000000000000005 1 \n",            /* without words */
        "0000000000000005 1\n",             /* the same */
        "0000000000000005 01 a\n",          /* another way to write it */
        "0000000000000005 -1 a\n",          /* no candidate */
        "0000000000000005  1 a\n",          /* the same */
        "0000000000000005 99999999999 a\n", /* the same */
        "000000000000005 1 a\n",            /* a short key */
        "000000000000000A 1 a\n",           /* another way to write it */
        "0000000000000000 1 a\n",           /* that is no key */
        "0000000000000005 1 a\001b\n",
        "0000000000000005 1 \033[2J\n",
        "0000000000000005 1 a\n0000000000000005 1 a\n", /* twice */
        "0000000000000006 2 a\n0000000000000005 1 a\n", /* falling */
        "0000000000000005 1 a\n\n",
    };
    static const char good[] = "0000000000000005 1 shape 5\n0000000000000006 2 shape 6\n";
    struct choices *c = choices_open(WHERE);
    struct buf b = BUF_INIT(0);
    char bent[sizeof good], words[200];
    (void)state;
    keep(c, 5, 1, -1);
    keep(c, 6, 2, -1);
    for (size_t i = 0; i < sizeof none / sizeof *none; i++)
        if (rely(c, none[i]) != ERR_CORRUPT)
            fail_msg("taken: %s", none[i]);
    assert_int_equal(choices_rely(c, "\0\0\0", 3, &fault), ERR_CORRUPT);
    snprintf(words, sizeof words, "0000000000000005 1 %0150d\n", 0);
    assert_int_equal(rely(c, words), ERR_CORRUPT);
    assert_true(choices_list(c, &b));
    assert_int_equal(b.len, 0);
    for (size_t n = 1; n + 1 < sizeof good; n++)
        if (n != 27) /* the first line alone */
            assert_int_equal(choices_rely(c, good, n, &fault), ERR_CORRUPT);
    for (size_t at = 0; at + 1 < sizeof good; at++) { /* whatever it is, it is not this */
        memcpy(bent, good, sizeof good);
        bent[at] ^= 1;
        bool word = (at > 18 && at < 26) || at > 45;
        assert_true(word || choices_rely(c, bent, sizeof good - 1, &fault) != ERR_OK);
    }
    assert_int_equal(rely(c, good), ERR_OK);
    choices_free(c);
    buf_free(&b);
}

/* What anybody wrote into the file, or half of it. */
static void test_a_damaged_file(void **state)
{
    char whole[4096];
    struct choices *c = choices_open(WHERE);
    (void)state;
    keep(c, 5, 1, -1);
    keep(c, 6, 2, -1);
    choices_free(c);
    find_file();
    FILE *f = fopen(path, "r+");
    size_t n = fread(whole, 1, sizeof whole, f);
    for (size_t cut = n; cut-- > 0;) {
        assert_int_equal(ftruncate(fileno(f), (off_t)cut), 0);
        c = choices_open(WHERE);
        int five = choices_find(c, 5), six = choices_find(c, 6);
        assert_true(five == 1 || (five == -1 && six == -1));
        assert_true(six == 2 || six == -1);
        choices_free(c);
    }
    rewind(f);
    fwrite(whole, 1, n, f);
    fputs("0000000000000005 4 twice\nwhat is this\n0000000000000008 3 a line behind it\n", f);
    fclose(f);
    c = choices_open(WHERE);
    assert_int_equal(choices_find(c, 5), 1);
    assert_int_equal(choices_find(c, 8), 3);
    choices_free(c);
    c = choices_open("something else"); /* whose file it is not, were it called so */
    assert_int_equal(choices_find(c, 5), -1);
    choices_free(c);
}

/* What is chosen counts for this process, though nothing can be kept; nobody is waited for without
 * an end. */
static void test_no_place(void **state)
{
    (void)state;
    setenv("XDG_CACHE_HOME", "/proc/none", 1);
    struct choices *c = choices_open(WHERE);
    assert_int_equal(keep(c, 5, 1, -1), 1);
    assert_int_equal(choices_find(c, 5), 1);
    choices_free(c);
    setenv("XDG_CACHE_HOME", dir, 1);
    c = choices_open(WHERE);
    keep(c, 6, 1, -1);
    find_file();
    strcat(path, ".lock");
    int held = open(path, O_RDWR);
    assert_int_equal(flock(held, LOCK_EX), 0);
    assert_int_equal(keep(c, 5, 1, -1), 1);
    assert_int_equal(choices_find(c, 5), 1);
    choices_free(c);
    close(held);
    c = choices_open(WHERE);
    assert_int_equal(choices_find(c, 5), -1);
    assert_int_equal(choices_find(c, 6), 1);
    choices_free(c);
}

static int set_up(void **state)
{
    (void)state;
    return mkdtemp(dir) && !setenv("XDG_CACHE_HOME", dir, 1) ? 0 : -1;
}

static int tear_down(void **state)
{
    return fresh(state) || rmdir(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_kept, fresh),
        cmocka_unit_test_setup(test_the_first_decides, fresh),
        cmocka_unit_test_setup(test_many_at_once, fresh),
        cmocka_unit_test_setup(test_what_a_job_relied_on, fresh),
        cmocka_unit_test_setup(test_says_what_differs, fresh),
        cmocka_unit_test_setup(test_hostile_lists, fresh),
        cmocka_unit_test_setup(test_a_damaged_file, fresh),
        cmocka_unit_test_setup(test_no_place, fresh),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
