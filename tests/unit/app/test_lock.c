#include "unit.h"

#include "app/lock.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static struct paths paths;

/* A process that takes the lock, says its pid and waits for the end of its input. With `child` it
 * forks first another that holds every descriptor it has, like one between fork and exec. */
static pid_t hold(int *say, bool child)
{
    int in[2], out[2];
    assert_int_equal(pipe(in), 0);
    assert_int_equal(pipe(out), 0);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (!pid) {
        struct fault f = {0};
        char c = 'x';
        close(in[1]);
        if (lock_take(&paths, &f) < 0)
            _exit(1);
        if (child && !fork()) {
            while (read(in[0], &c, 1) > 0)
                ;
            _exit(0);
        }
        if (write(out[1], &c, 1) != 1)
            _exit(1);
        if (child)
            pause();
        while (read(in[0], &c, 1) > 0)
            ;
        _exit(0);
    }
    char c;
    close(in[0]);
    close(out[1]);
    assert_int_equal(read(out[0], &c, 1), 1);
    close(out[0]);
    *say = in[1];
    return pid;
}

static void a_second_show_is_told_the_pid_of_the_first(void **state)
{
    struct fault f = {0};
    char pid_words[32];
    int say, status;
    (void)state;
    pid_t pid = hold(&say, false);
    assert_int_equal(lock_take(&paths, &f), -1);
    assert_int_equal(f.code, ERR_BUSY);
    snprintf(pid_words, sizeof pid_words, "(pid %ld)", (long)pid);
    assert_non_null(strstr(fault_text(&f), pid_words));
    close(say);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    int fd = lock_take(&paths, &f);
    assert_true(fd >= 0);
    close(fd);
}

static void a_child_caught_between_fork_and_exec_has_no_lock(void **state)
{
    struct fault f = {0};
    int say, status;
    (void)state;
    pid_t pid = hold(&say, true);
    kill(pid, SIGKILL);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    int fd = lock_take(&paths, &f); /* its child lives on */
    if (fd < 0)
        fail_msg("%s", fault_text(&f));
    close(fd);
    close(say);
}

static void a_folder_that_cannot_be_is_named(void **state)
{
    struct fault f = {0};
    struct paths none;
    (void)state;
    assert_int_equal(paths_init(&none, "/dev/null/cfg", "/dev/null/data", &f), ERR_OK);
    assert_int_equal(lock_take(&none, &f), -1);
    assert_non_null(strstr(fault_text(&f), "/dev/null"));
}

static int start(void **state)
{
    static char dir[] = "/tmp/sakuga-lock-XXXXXX";
    struct fault f = {0};
    *state = mkdtemp(dir);
    return !*state || paths_init(&paths, dir, dir, &f);
}

static int end(void **state)
{
    char command[64];
    snprintf(command, sizeof command, "rm -r '%s'", (char *)*state);
    return system(command);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_second_show_is_told_the_pid_of_the_first),
        cmocka_unit_test(a_child_caught_between_fork_and_exec_has_no_lock),
        cmocka_unit_test(a_folder_that_cannot_be_is_named),
    };
    return cmocka_run_group_tests(tests, start, end);
}
