#include "store/row.h"

#include "base/buf.h"

#include <stddef.h>
#include <string.h>

/* One line a column keeps the two directions from drifting apart. */
enum column_type { TEXT, INT, INT64, BOOL, STATE, ROLE };
#define FIELD(type, member)                                                                        \
    {                                                                                              \
        type, offsetof(struct prompt, member), sizeof((struct prompt *)0)->member                  \
    }
static const struct {
    enum column_type type;
    size_t at, size;
} columns[] = {
    FIELD(INT64, id),          FIELD(STATE, state),      FIELD(TEXT, viewer.platform),
    FIELD(TEXT, viewer.uid),   FIELD(TEXT, viewer.name), FIELD(ROLE, viewer.role),
    FIELD(INT, source),        FIELD(TEXT, msgid),       FIELD(TEXT, text),
    FIELD(TEXT, style),        FIELD(INT64, seed),       FIELD(INT, priority),
    FIELD(INT, votes),         FIELD(BOOL, edited),      FIELD(BOOL, favourite),
    FIELD(BOOL, hidden),       FIELD(INT, draws),        FIELD(INT, worker_deaths),
    FIELD(INT, show_deaths),   FIELD(TEXT, clip),        FIELD(TEXT, sha256),
    FIELD(INT64, clip_ms),     FIELD(INT64, drawn_ms),   FIELD(BOOL, check_failed),
    FIELD(TEXT, check),        FIELD(TEXT, reason),      FIELD(INT64, created_utc),
    FIELD(INT64, changed_utc), FIELD(INT64, aired_utc),  FIELD(INT64, round),
};
#define COLUMNS ((int)(sizeof columns / sizeof *columns))

void row_bind(sqlite3_stmt *q, const struct prompt *p)
{
    for (int i = 0; i < COLUMNS; i++) {
        const void *at = (const char *)p + columns[i].at;
        switch (columns[i].type) {
        case TEXT:
            sqlite3_bind_text(q, i + 1, at, -1, SQLITE_STATIC);
            break;
        case INT:
            sqlite3_bind_int(q, i + 1, *(const int *)at);
            break;
        case INT64:
            sqlite3_bind_int64(q, i + 1, *(const int64_t *)at);
            break;
        case BOOL:
            sqlite3_bind_int(q, i + 1, *(const bool *)at);
            break;
        case STATE:
            sqlite3_bind_text(q, i + 1, prompt_state_name(p->state), -1, SQLITE_STATIC);
            break;
        case ROLE:
            sqlite3_bind_int(q, i + 1, (int)p->viewer.role);
            break;
        }
    }
}

bool row_read(sqlite3_stmt *q, struct prompt *p)
{
    *p = (struct prompt){0};
    for (int i = 0; i < COLUMNS; i++) {
        void *at = (char *)p + columns[i].at;
        const char *s = columns[i].type == TEXT || columns[i].type == STATE
                            ? (const char *)sqlite3_column_text(q, i)
                            : NULL;
        switch (columns[i].type) {
        case TEXT:
            str_copy(at, columns[i].size, s ? s : "");
            break;
        case INT:
            *(int *)at = sqlite3_column_int(q, i);
            break;
        case INT64:
            *(int64_t *)at = sqlite3_column_int64(q, i);
            break;
        case BOOL:
            *(bool *)at = sqlite3_column_int(q, i) != 0;
            break;
        case STATE:
            p->state = prompt_state_parse(s ? s : "");
            break;
        case ROLE:
            p->viewer.role = (enum role)sqlite3_column_int(q, i);
            break;
        }
    }
    return p->id > 0 && p->state < PROMPT_STATES && p->viewer.role <= ROLE_OPERATOR;
}
