/* script/host: the script thread: Lua states, the files loaded into one, and what it is told.
 *
 * One thread runs host_run() until the in-box is stopped. It takes letters, hands them to the
 * prelude (lua/prelude.lua), which runs the handlers of scripts, and posts what they wish into the
 * out-box. The prelude is trusted and sees `core`, a table of the C functions in api_*.c; scripts
 * see only what the prelude gives them.
 *
 * A reload makes a second state beside the first; only when every file loaded without an error does
 * it take the first one's place. */
#ifndef SAKUGA_SCRIPT_HOST_H
#define SAKUGA_SCRIPT_HOST_H

#include "script/files.h"
#include "script/letter.h"
#include "script/sandbox.h"
#include "script/snapshot.h"
#include "script/values.h"

#define HOST_DIRS_MAX 4
#define HOST_NAMES_MAX 16
#define HOST_CALLS_MAX 8192 /* wishes on their way at once */
#define HOST_ERRORS 20      /* errors of scripts that are told in one second */
#define HOST_WANTS_LINES (1u << 31)

struct host {
    /* set once, before the thread starts */
    char prelude[PATH_LEN];
    char dirs[HOST_DIRS_MAX][PATH_LEN];
    int dir_count;
    char names[HOST_NAMES_MAX][256];
    int name_count;
    struct values *values; /* then the script thread's */

    /* any thread */
    struct box in, out;
    atomic_uint wants;          /* bit of each event kind that a script listens to; lines */
    atomic_uint_least64_t done; /* serial of the newest letter dealt with */
    atomic_bool stop;           /* end every script at its next instruction */
    atomic_bool ended;          /* the thread is at its end */

    /* script thread only */
    struct sandbox *sb; /* of the scripts in use; NULL before the first load */
    struct snapshot *snapshot;
    struct styles *loading; /* where sakuga.style{} puts them; NULL when no file is being loaded */
    struct styles styles;   /* of the state in use */
    uint64_t next_call;
    int calls;            /* on their way */
    int64_t errors_since; /* mono ms: since when `errors` are counted */
    int errors;
};

/* Zeroed. NULL without memory. */
struct host *host_new(void);
void host_free(struct host *h); /* after the thread has ended */
void *host_run(void *host);     /* the thread */

/* For api_*.c. */
struct host *host_of(lua_State *L); /* the host whose state this is */
/* Posts a letter and wakes the loop; raises when `l` is NULL (no memory). */
void host_post(lua_State *L, struct host *h, struct letter *l);
/* Writes a message with its traceback as one line of the log. */
void host_log(const char *script, const char *text);
/* A string argument that the rest of the program may see: valid UTF-8 without controls, at most
 * `max` bytes. Pushes it and returns it. */
const char *host_text(lua_State *L, int arg, size_t max);

/* Set the functions of `core` into the table on top. */
void api_core(lua_State *L); /* loading, running, logging */
void api_show(lua_State *L); /* reading: prompts, queue, counters, styles, values */
void api_call(lua_State *L); /* wishing: submit, vote, cancel, style, run, values, reply */

#endif
