/* script/sandbox: a Lua state in which a foreign script can do no harm.
 *
 * Only what the allow-list in sandbox.c names can be reached; chunks are text, never bytecode; the
 * state has a memory bound; and every run of script code has a budget of instructions and of CPU
 * time. A run that passes its budget ends with an error that it cannot catch for long: from then on
 * every single instruction raises it again. Script thread only, except `stop`. */
#ifndef SAKUGA_SCRIPT_SANDBOX_H
#define SAKUGA_SCRIPT_SANDBOX_H

#include "base/err.h"

#include <lua.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SANDBOX_INSTRUCTIONS 1000000
#define SANDBOX_CPU_MS 50
#define SANDBOX_MEMORY ((size_t)32 << 20)
#define SANDBOX_BLOCK ((size_t)4 << 20)  /* no table's array is longer */
#define SANDBOX_STRING ((size_t)1 << 16) /* no string is longer */

struct sandbox {
    lua_State *L;
    size_t used;       /* bytes */
    bool running;      /* script code runs, on a budget */
    bool over;         /* and has passed it */
    int64_t left;      /* instructions */
    int64_t cpu_until; /* thread CPU time, microseconds */
    const char *why;   /* which bound was passed */
    atomic_bool *stop; /* set by another thread: end at once */
};

/* A fresh state with the allow-listed libraries in its globals. NULL without memory. */
bool sandbox_open(struct sandbox *sb, atomic_bool *stop);
void sandbox_close(struct sandbox *sb);
struct sandbox *sandbox_of(lua_State *L);

/* Loads a text chunk; `env` (stack index) becomes its _ENV. Leaves the function or a message. */
bool sandbox_load(lua_State *L, const char *text, size_t n, const char *chunkname, int env);

/* For C code that does work in proportion to `cost` instructions; raises when the budget is over.
 */
void sandbox_charge(lua_State *L, int64_t cost);

/* guarded(fn, ...) -> true, results… | false, message, traceback. A budget of its own. */
int sandbox_guarded(lua_State *L);
/* resume(co, ...) -> true, results… | false, message, traceback. A budget of its own. */
int sandbox_resume(lua_State *L);

/* The string functions whose patterns are matched under the budget, in pattern.c. */
int pattern_find(lua_State *L);
int pattern_match(lua_State *L);
int pattern_gmatch(lua_State *L);
int pattern_gsub(lua_State *L);

#endif
