#include "store/inside.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum err airlink_make(const char *from, const char *to, struct fault *f)
{
    if (!link(from, to) || errno == EEXIST)
        return ERR_OK;
    if (errno != EXDEV && errno != EPERM && errno != EOPNOTSUPP)
        return fault_set(f, ERR_IO, "cannot link %s to %s: %s", from, to, strerror(errno));
    char temp[4200], block[65536];
    snprintf(temp, sizeof temp, "%s.part", to);
    int in = open(from, O_RDONLY | O_CLOEXEC),
        out = open(temp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    bool ok = in >= 0 && out >= 0;
    for (ssize_t n; ok && (n = read(in, block, sizeof block)) != 0;)
        ok = n > 0 && write(out, block, (size_t)n) == n;
    ok = ok && !fsync(out) && !rename(temp, to);
    int why = errno;
    if (in >= 0)
        close(in);
    if (out >= 0)
        close(out);
    if (ok)
        return ERR_OK;
    unlink(temp);
    return fault_set(f, ERR_IO, "cannot copy %s to %s: %s", from, to, strerror(why));
}
