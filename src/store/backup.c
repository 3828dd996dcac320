#include "store/store.h"

#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum err store_backup(const char *from, const char *to, struct fault *f)
{
    sqlite3 *src = NULL, *dst = NULL;
    struct stat st;
    enum err e = ERR_OK;
    if (!stat(to, &st))
        return fault_set(f, ERR_EXISTS, "%s exists already; name a new file for the backup", to);
    int rc = sqlite3_open_v2(from, &src, SQLITE_OPEN_READWRITE, NULL);
    if (rc != SQLITE_OK) {
        e = fault_set(f, ERR_IO, "cannot read %s: %s", from, sqlite3_errmsg(src));
        sqlite3_close(src);
        return e;
    }
    int fd =
        open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600); /* it holds what people said */
    if (fd < 0) {
        e = fault_set(f, ERR_IO, "cannot write the backup %s: %s", to, strerror(errno));
        sqlite3_close(src);
        return e;
    }
    close(fd);
    sqlite3_busy_timeout(src, 5000);
    rc = sqlite3_open_v2(to, &dst, SQLITE_OPEN_READWRITE, NULL);
    sqlite3_backup *b = rc == SQLITE_OK ? sqlite3_backup_init(dst, "main", src, "main") : NULL;
    rc = b ? sqlite3_backup_step(b, -1) : SQLITE_ERROR;
    int end = b ? sqlite3_backup_finish(b) : SQLITE_ERROR;
    if (rc != SQLITE_DONE || end != SQLITE_OK)
        e = fault_set(f, ERR_IO, "cannot write the backup %s: %s", to,
                      end == SQLITE_OK ? sqlite3_errstr(rc) : sqlite3_errmsg(dst));
    sqlite3_close(src);
    sqlite3_close(dst);
    if (e)
        unlink(to);
    return e;
}
