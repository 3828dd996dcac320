#include "app/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

int lock_take(const struct paths *p, struct fault *f)
{
    const char *const dirs[] = {p->data, p->vault, p->air, p->log};
    char path[PATH_LEN];
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
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    if (!fcntl(fd, F_SETLK, &lock))
        return fd;
    if (errno != EACCES && errno != EAGAIN)
        fault_set(f, ERR_IO, "cannot lock %s: %s; name another folder with --data", path,
                  strerror(errno));
    else if (!fcntl(fd, F_GETLK, &lock) && lock.l_type != F_UNLCK)
        fault_set(f, ERR_BUSY,
                  "a show is running in %s already (pid %ld); steer it with `sakuga ctl`", p->data,
                  (long)lock.l_pid);
    else
        fault_set(f, ERR_BUSY, "a show that ran in %s ends just now; start again", p->data);
    close(fd);
    return -1;
}
