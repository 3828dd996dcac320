#include "store/schema.h"

#include <stddef.h>

/* Step n brings user_version from n to n + 1. Steps are never changed, only added. */
static const char *const steps[] = {
    "CREATE TABLE prompts ("
    " id INTEGER PRIMARY KEY, state TEXT NOT NULL, platform TEXT NOT NULL, uid TEXT NOT NULL,"
    " name TEXT NOT NULL, role INTEGER NOT NULL, source INTEGER NOT NULL, msgid TEXT NOT NULL,"
    " text TEXT NOT NULL, style TEXT NOT NULL, seed INTEGER NOT NULL, priority INTEGER NOT NULL,"
    " votes INTEGER NOT NULL, edited INTEGER NOT NULL, favourite INTEGER NOT NULL,"
    " hidden INTEGER NOT NULL, draws INTEGER NOT NULL, worker_deaths INTEGER NOT NULL,"
    " show_deaths INTEGER NOT NULL, clip TEXT NOT NULL, sha256 TEXT NOT NULL,"
    " clip_ms INTEGER NOT NULL, drawn_ms INTEGER NOT NULL, check_failed INTEGER NOT NULL,"
    " check_text TEXT NOT NULL, reason TEXT NOT NULL, created INTEGER NOT NULL,"
    " changed INTEGER NOT NULL, aired INTEGER NOT NULL, round INTEGER NOT NULL) STRICT;"
    "CREATE INDEX prompts_live ON prompts (id)"
    " WHERE state IN ('held','approved','generating','review','cleared','airing');"
    "CREATE INDEX prompts_aired ON prompts (id) WHERE state = 'aired';"
    "CREATE INDEX prompts_favourite ON prompts (id) WHERE favourite;"
    "CREATE TABLE decisions (seq INTEGER PRIMARY KEY, at INTEGER NOT NULL, prompt INTEGER,"
    " who TEXT NOT NULL, what TEXT NOT NULL, rule TEXT NOT NULL, from_state TEXT NOT NULL,"
    " to_state TEXT NOT NULL) STRICT;"
    "CREATE INDEX decisions_prompt ON decisions (prompt);"
    "CREATE TABLE votes (prompt INTEGER NOT NULL, platform TEXT NOT NULL, uid TEXT NOT NULL,"
    " at INTEGER NOT NULL, PRIMARY KEY (prompt, platform, uid)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE script_values (scope TEXT NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL,"
    " PRIMARY KEY (scope, key)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;",
};
#define SCHEMA_VERSION ((int)(sizeof steps / sizeof *steps))

static int user_version(sqlite3 *db)
{
    sqlite3_stmt *q = NULL;
    int v = -1;
    if (sqlite3_prepare_v2(db, "PRAGMA user_version", -1, &q, NULL) == SQLITE_OK &&
        sqlite3_step(q) == SQLITE_ROW)
        v = sqlite3_column_int(q, 0);
    sqlite3_finalize(q);
    return v;
}

enum err schema_newer(sqlite3 *db, const char *path, struct fault *f)
{
    int v = user_version(db);
    return v <= SCHEMA_VERSION ? ERR_OK
                               : fault_set(f, ERR_VERSION,
                                           "%s was written by a newer sakuga (schema %d, this one "
                                           "knows %d); update the program or name another --data "
                                           "folder",
                                           path, v, SCHEMA_VERSION);
}

enum err schema_migrate(sqlite3 *db, const char *path, struct fault *f)
{
    int v = user_version(db);
    for (; v >= 0 && v < SCHEMA_VERSION; v++) {
        char *bump = sqlite3_mprintf("PRAGMA user_version = %d", v + 1);
        int rc = sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL);
        if (rc == SQLITE_OK)
            rc = sqlite3_exec(db, steps[v], NULL, NULL, NULL);
        if (rc == SQLITE_OK)
            rc = sqlite3_exec(db, bump, NULL, NULL, NULL);
        if (rc == SQLITE_OK)
            rc = sqlite3_exec(db, "COMMIT", NULL, NULL, NULL);
        sqlite3_free(bump);
        if (rc != SQLITE_OK) {
            fault_set(f, ERR_IO, "cannot bring %s to schema %d: %s", path, v + 1,
                      sqlite3_errmsg(db));
            sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
            return ERR_IO;
        }
    }
    return v < 0
               ? fault_set(f, ERR_IO, "cannot read the schema of %s: %s", path, sqlite3_errmsg(db))
               : ERR_OK;
}
