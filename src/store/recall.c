/* What the store remembers, read at the start, before its thread runs. */
#include "store/inside.h"

#include "base/buf.h"
#include "store/row.h"

enum err store_load(struct store *s, int ended, void (*fn)(void *user, const struct prompt *p),
                    void *user, struct fault *f)
{
    static const char query[] =
        "SELECT " ROW_SELECT " FROM prompts WHERE id IN ("
        " SELECT id FROM prompts WHERE state IN"
        "  ('held','approved','generating','review','cleared','airing')"
        " UNION SELECT id FROM (SELECT id FROM prompts WHERE state = 'aired'"
        "  ORDER BY id DESC LIMIT ?1)"
        " UNION SELECT id FROM (SELECT id FROM prompts WHERE state NOT IN"
        "  ('held','approved','generating','review','cleared','airing') ORDER BY id DESC LIMIT ?1)"
        ") ORDER BY id";
    sqlite3_stmt *q = NULL;
    int rc = sqlite3_prepare_v2(s->db, query, -1, &q, NULL);
    if (rc == SQLITE_OK) {
        sqlite3_bind_int(q, 1, ended);
        while ((rc = sqlite3_step(q)) == SQLITE_ROW) {
            struct prompt p;
            if (!row_read(q, &p)) {
                sqlite3_finalize(q);
                return store_unsound(s->path, "a prompt that makes no sense", f);
            }
            fn(user, &p);
        }
    }
    sqlite3_finalize(q);
    return rc == SQLITE_DONE ? ERR_OK : store_unsound(s->path, sqlite3_errmsg(s->db), f);
}

enum err store_meta(struct store *s, const char *key, char *out, size_t size)
{
    sqlite3_stmt *q = NULL;
    out[0] = '\0';
    int rc = sqlite3_prepare_v2(s->db, "SELECT value FROM meta WHERE key = ?", -1, &q, NULL);
    if (rc == SQLITE_OK) {
        sqlite3_bind_text(q, 1, key, -1, SQLITE_STATIC);
        rc = sqlite3_step(q);
        if (rc == SQLITE_ROW)
            str_copy(out, size, (const char *)sqlite3_column_text(q, 0));
    }
    sqlite3_finalize(q);
    return rc == SQLITE_ROW || rc == SQLITE_DONE ? ERR_OK : ERR_IO;
}

int64_t store_last_id(struct store *s)
{
    sqlite3_stmt *q = NULL;
    int64_t id = 0;
    if (sqlite3_prepare_v2(s->db, "SELECT max(id) FROM prompts", -1, &q, NULL) == SQLITE_OK &&
        sqlite3_step(q) == SQLITE_ROW)
        id = sqlite3_column_int64(q, 0);
    sqlite3_finalize(q);
    return id;
}

enum err store_favourites(struct store *s, void (*fn)(void *user, int64_t id), void *user)
{
    sqlite3_stmt *q = NULL;
    int rc = sqlite3_prepare_v2(s->db, "SELECT id FROM prompts WHERE favourite", -1, &q, NULL);
    while (rc == SQLITE_OK || rc == SQLITE_ROW) {
        rc = sqlite3_step(q);
        if (rc == SQLITE_ROW)
            fn(user, sqlite3_column_int64(q, 0));
    }
    sqlite3_finalize(q);
    return rc == SQLITE_DONE ? ERR_OK : ERR_IO;
}

bool store_aired(struct store *s, int64_t id, const char *clip)
{
    sqlite3_stmt *q = NULL;
    int rc = sqlite3_prepare_v2(s->db,
                                "SELECT 1 FROM prompts WHERE id = ? AND clip = ? "
                                "AND state = 'aired' AND NOT hidden",
                                -1, &q, NULL);
    if (rc == SQLITE_OK) {
        sqlite3_bind_int64(q, 1, id);
        sqlite3_bind_text(q, 2, clip, -1, SQLITE_STATIC);
        rc = sqlite3_step(q);
    }
    sqlite3_finalize(q);
    return rc == SQLITE_ROW;
}

enum err store_values(struct store *s,
                      void (*fn)(void *user, const char *scope, const char *key, const char *value),
                      void *user)
{
    sqlite3_stmt *q = NULL;
    int rc = sqlite3_prepare_v2(s->db, "SELECT scope, key, value FROM script_values", -1, &q, NULL);
    while (rc == SQLITE_OK || rc == SQLITE_ROW) {
        rc = sqlite3_step(q);
        if (rc == SQLITE_ROW)
            fn(user, (const char *)sqlite3_column_text(q, 0),
               (const char *)sqlite3_column_text(q, 1), (const char *)sqlite3_column_text(q, 2));
    }
    sqlite3_finalize(q);
    return rc == SQLITE_DONE ? ERR_OK : ERR_IO;
}
