/* The memory that this process may have: the least of the machine's and of its control groups'. */
#include "unit.h"

#include "base/ram.h"

#include <sys/stat.h>
#include <unistd.h>

static char root[] = "/tmp/sakuga-ram-XXXXXX";

static void put(const char *path, const char *text)
{
    char name[600];
    snprintf(name, sizeof name, "%s/%s", root, path);
    for (char *slash = name + sizeof root; (slash = strchr(slash, '/')); slash++) {
        *slash = '\0';
        mkdir(name, 0700);
        *slash = '/';
    }
    FILE *f = fopen(name, "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

static void the_machine_where_nothing_limits(void **state)
{
    uint64_t all = (uint64_t)sysconf(_SC_PHYS_PAGES) * (uint64_t)sysconf(_SC_PAGESIZE);
    (void)state;
    assert_true(ram_bytes(root) == all);
    put("proc/self/cgroup", "0::/a/b\n");
    put("sys/fs/cgroup/a/b/memory.max", "max\n");
    assert_true(ram_bytes(root) == all);
}

static void the_least_of_a_group_and_its_parents(void **state)
{
    (void)state;
    put("sys/fs/cgroup/a/b/memory.max", "2000000\n");
    assert_true(ram_bytes(root) == 2000000);
    put("sys/fs/cgroup/a/memory.max", "1000000\n");
    assert_true(ram_bytes(root) == 1000000);
    put("sys/fs/cgroup/memory.max", "500000\n"); /* of a container, as it sees itself */
    assert_true(ram_bytes(root) == 500000);
    put("proc/self/cgroup", "0::/\n");
    assert_true(ram_bytes(root) == 500000);
}

static void the_first_version_too(void **state)
{
    (void)state;
    put("proc/self/cgroup", "9:name=systemd:/\n4:cpu,memory:/c\n3:cpuset:/\nno line\n");
    put("sys/fs/cgroup/memory/c/memory.limit_in_bytes", "300000\n");
    put("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
    assert_true(ram_bytes(root) == 300000);
}

static int set_up(void **state)
{
    (void)state;
    return mkdtemp(root) ? 0 : -1;
}

static int tear_down(void **state)
{
    char command[100];
    (void)state;
    snprintf(command, sizeof command, "rm -rf '%s'", root);
    return system(command);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_machine_where_nothing_limits),
        cmocka_unit_test(the_least_of_a_group_and_its_parents),
        cmocka_unit_test(the_first_version_too),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
