#include "tools/shimvfs.h"

#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

atomic_int shimvfs_sync_ms, shimvfs_syncs;
atomic_bool shimvfs_full;

static sqlite3_vfs *below;

struct shim {
    sqlite3_file base;
    sqlite3_file *real; /* allocated behind this struct */
};

#define REAL(f) (((struct shim *)(f))->real)

static int s_close(sqlite3_file *f)
{
    return REAL(f)->pMethods ? REAL(f)->pMethods->xClose(REAL(f)) : SQLITE_OK;
}
static int s_read(sqlite3_file *f, void *p, int n, sqlite3_int64 at)
{
    return REAL(f)->pMethods->xRead(REAL(f), p, n, at);
}
static int s_write(sqlite3_file *f, const void *p, int n, sqlite3_int64 at)
{
    return shimvfs_full ? SQLITE_FULL : REAL(f)->pMethods->xWrite(REAL(f), p, n, at);
}
static int s_truncate(sqlite3_file *f, sqlite3_int64 n)
{
    return REAL(f)->pMethods->xTruncate(REAL(f), n);
}
static int s_sync(sqlite3_file *f, int flags)
{
    shimvfs_syncs++;
    if (shimvfs_sync_ms)
        usleep((useconds_t)shimvfs_sync_ms * 1000);
    return REAL(f)->pMethods->xSync(REAL(f), flags);
}
static int s_size(sqlite3_file *f, sqlite3_int64 *n)
{
    return REAL(f)->pMethods->xFileSize(REAL(f), n);
}
static int s_lock(sqlite3_file *f, int l)
{
    return REAL(f)->pMethods->xLock(REAL(f), l);
}
static int s_unlock(sqlite3_file *f, int l)
{
    return REAL(f)->pMethods->xUnlock(REAL(f), l);
}
static int s_reserved(sqlite3_file *f, int *out)
{
    return REAL(f)->pMethods->xCheckReservedLock(REAL(f), out);
}
static int s_control(sqlite3_file *f, int op, void *arg)
{
    return REAL(f)->pMethods->xFileControl(REAL(f), op, arg);
}
static int s_sector(sqlite3_file *f)
{
    return REAL(f)->pMethods->xSectorSize(REAL(f));
}
static int s_device(sqlite3_file *f)
{
    return REAL(f)->pMethods->xDeviceCharacteristics(REAL(f));
}
static int s_map(sqlite3_file *f, int page, int size, int extend, void volatile **out)
{
    return REAL(f)->pMethods->xShmMap(REAL(f), page, size, extend, out);
}
static int s_shmlock(sqlite3_file *f, int at, int n, int flags)
{
    return REAL(f)->pMethods->xShmLock(REAL(f), at, n, flags);
}
static void s_barrier(sqlite3_file *f)
{
    REAL(f)->pMethods->xShmBarrier(REAL(f));
}
static int s_unmap(sqlite3_file *f, int del)
{
    return REAL(f)->pMethods->xShmUnmap(REAL(f), del);
}

static const sqlite3_io_methods methods = {2,         s_close,  s_read,   s_write,  s_truncate,
                                           s_sync,    s_size,   s_lock,   s_unlock, s_reserved,
                                           s_control, s_sector, s_device, s_map,    s_shmlock,
                                           s_barrier, s_unmap,  NULL,     NULL};

static int s_open(sqlite3_vfs *v, const char *name, sqlite3_file *f, int flags, int *out)
{
    struct shim *s = (struct shim *)f;
    (void)v;
    s->real = (sqlite3_file *)(s + 1);
    int rc = below->xOpen(below, name, s->real, flags, out);
    s->base.pMethods = rc == SQLITE_OK ? &methods : NULL;
    return rc;
}

void shimvfs_register(void)
{
    static sqlite3_vfs shim;
    if (below)
        return;
    below = sqlite3_vfs_find(NULL);
    shim = *below;
    shim.pNext = NULL;
    shim.zName = "shim";
    shim.szOsFile = below->szOsFile + (int)sizeof(struct shim);
    shim.xOpen = s_open;
    sqlite3_vfs_register(&shim, 0);
}
