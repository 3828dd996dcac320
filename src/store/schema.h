/* store/schema: the tables, and how an older database becomes a newer one. Private to store/. */
#ifndef SAKUGA_STORE_SCHEMA_H
#define SAKUGA_STORE_SCHEMA_H

#include "base/err.h"

#include <sqlite3.h>

/* Was it written by a newer program? Then ERR_VERSION, and it is left as it is. */
enum err schema_newer(sqlite3 *db, const char *path, struct fault *f);
/* Brings the schema of a database that is not newer up to this program's version, one transaction
 * a step. */
enum err schema_migrate(sqlite3 *db, const char *path, struct fault *f);

#endif
