/* A SQLite VFS over the system's that makes syncs slow or writes fail, on demand. For tests. */
#ifndef SAKUGA_TESTS_SHIMVFS_H
#define SAKUGA_TESTS_SHIMVFS_H

#include <stdatomic.h>

extern atomic_int shimvfs_sync_ms; /* each sync lasts this long */
extern atomic_bool shimvfs_full;   /* writes answer SQLITE_FULL */
extern atomic_int shimvfs_syncs;   /* how many there were */

/* Registers it as "shim" (not the default). */
void shimvfs_register(void);

#endif
