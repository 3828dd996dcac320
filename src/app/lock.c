#include "app/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

int lock_take(const struct paths *p, struct fault *f)
{
    const char *const dirs[] = {p->data, p->vault, p->air, p->log};
    char path[PATH_LEN], pid[32] = "";
    for (size_t i = 0; i < sizeof dirs / sizeof *dirs; i++)
        if (path_mkdirs(dirs[i], i ? 0755 : 0700, f))
            return -1;
    if (path_join(path, sizeof path, p->data, "show.lock")) {
        fault_set(f, ERR_LIMIT, "the path of %s is too long", p->data);
        return -1;
    }
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0) {
        fault_set(f, ERR_IO, "cannot write in the data folder %s: %s; name another with --data",
                  p->data, strerror(errno));
        return -1;
    }
    if (flock(fd, LOCK_EX | LOCK_NB)) {
        ssize_t n = pread(fd, pid, sizeof pid - 1, 0);
        fault_set(f, ERR_BUSY,
                  "a show is running in %s already (pid %ld); steer it with `sakuga ctl`", p->data,
                  n > 0 ? strtol(pid, NULL, 10) : 0L);
        close(fd);
        return -1;
    }
    int n = snprintf(pid, sizeof pid, "%ld\n", (long)getpid());
    if (ftruncate(fd, 0) || pwrite(fd, pid, (size_t)n, 0) != n) {
        fault_set(f, ERR_IO, "cannot write %s: %s", path, strerror(errno));
        close(fd);
        return -1;
    }
    return fd;
}
