/* store/row: a struct prompt as a row of `prompts`, both ways. Private to store/. */
#ifndef SAKUGA_STORE_ROW_H
#define SAKUGA_STORE_ROW_H

#include "show/prompt.h"

#include <sqlite3.h>

/* The columns in the order that row_bind() and row_read() use, for writing. */
#define ROW_COLUMNS                                                                                \
    "id, state, platform, uid, name, role, source, msgid, text, style, seed, priority, votes, "    \
    "edited, favourite, hidden, draws, worker_deaths, show_deaths, clip, sha256, clip_ms, "        \
    "drawn_ms, check_failed, check_text, reason, created, changed, aired, round"
/* The same for reading: votes are counted from the table of votes, which is the truth. */
#define ROW_SELECT                                                                                 \
    "id, state, platform, uid, name, role, source, msgid, text, style, seed, priority, "           \
    "(SELECT count(*) FROM votes AS v WHERE v.prompt = prompts.id), "                              \
    "edited, favourite, hidden, draws, worker_deaths, show_deaths, clip, sha256, clip_ms, "        \
    "drawn_ms, check_failed, check_text, reason, created, changed, aired, round"
#define ROW_PARAMETERS "?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?"

/* Binds every column. The prompt must live until the statement has run. */
void row_bind(sqlite3_stmt *q, const struct prompt *p);
/* Fills `p` from a row that selected ROW_SELECT. False when the row makes no sense. */
bool row_read(sqlite3_stmt *q, struct prompt *p);

#endif
