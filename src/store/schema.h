/* store/schema: the tables, and how an older database becomes a newer one. Private to store/. */
#ifndef SAKUGA_STORE_SCHEMA_H
#define SAKUGA_STORE_SCHEMA_H

#include "base/err.h"

#include <sqlite3.h>

/* Brings the schema up to this program's version, one transaction a step. A database from a newer
 * program is refused (ERR_VERSION). */
enum err schema_migrate(sqlite3 *db, const char *path, struct fault *f);

#endif
