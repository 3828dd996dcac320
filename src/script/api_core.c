/* core: what the prelude needs to load, run and report. */
#include "script/host.h"

#include "base/clock.h"
#include "base/log.h"

#include <lauxlib.h>
#include <string.h>

/* read(path, name, env) -> chunk | nil, message */
static int core_read(lua_State *L)
{
    const char *path = luaL_checkstring(L, 1), *name = luaL_checkstring(L, 2);
    struct buf text = BUF_INIT(FILES_BYTES);
    struct fault f = {0};
    char chunk[80];
    luaL_checktype(L, 3, LUA_TTABLE);
    snprintf(chunk, sizeof chunk, "@%s.lua", name);
    if (path_read(path, FILES_BYTES, &text, &f)) {
        lua_pushnil(L);
        lua_pushstring(L, fault_text(&f));
    } else if (sandbox_load(L, buf_str(&text), text.len, chunk, 3)) {
        lua_pushnil(L);
    } else {
        lua_pushnil(L);
        lua_insert(L, -2);
    }
    buf_free(&text);
    return 2;
}

/* log(level, script, text) */
static int core_log(lua_State *L)
{
    static const char *const levels[] = {"error", "warn", "info", "debug", NULL};
    int level = luaL_checkoption(L, 1, "info", levels);
    const char *script = luaL_checkstring(L, 2), *text = host_text(L, 3, LOG_LINE_MAX);
    log_write((enum log_level)level, "script", "%s: %s", script, text);
    return 0;
}

/* A script that fails at every line of a flood must not fill the disk. */
static bool may_tell(struct host *h)
{
    int64_t now = clock_mono_ms();
    if (now - h->errors_since >= 1000) {
        if (h->errors > HOST_ERRORS)
            log_error("script", "and %d errors more", h->errors - HOST_ERRORS);
        h->errors_since = now;
        h->errors = 0;
    }
    return ++h->errors <= HOST_ERRORS;
}

/* failed(script, message, traceback): to the log in full, to the console in one line */
static int core_failed(lua_State *L)
{
    const char *script = luaL_checkstring(L, 1), *message = luaL_checkstring(L, 2);
    const char *trace = luaL_checkstring(L, 3);
    if (!may_tell(host_of(L)))
        return 0;
    host_log(script, trace);
    struct letter *l = letter_new(LETTER_ERROR, message, "");
    if (l)
        str_copy(l->scope, sizeof l->scope, script);
    host_post(L, host_of(L), l);
    return 0;
}

/* now() -> monotonic milliseconds */
static int core_now(lua_State *L)
{
    lua_pushinteger(L, (lua_Integer)clock_mono_ms());
    return 1;
}

/* wants(event): from now on such events cross to the scripts; false for an unknown one */
static int core_wants(lua_State *L)
{
    static const char *const names[] = {
#define EVENT_NAME(id, name) name,
        EVENT_KINDS(EVENT_NAME)
#undef EVENT_NAME
    };
    const char *name = luaL_checkstring(L, 1);
    unsigned bit = !strcmp(name, "line") ? HOST_WANTS_LINES : 0;
    for (unsigned i = 0; i < sizeof names / sizeof *names; i++)
        if (!strcmp(names[i], name) && i != EVENT_PICTURE)
            bit = 1u << i;
    atomic_fetch_or(&host_of(L)->wants, bit);
    lua_pushboolean(L, bit != 0);
    return 1;
}

void api_core(lua_State *L)
{
    static const luaL_Reg fns[] = {
        {"read", core_read},        {"log", core_log},     {"failed", core_failed},
        {"now", core_now},          {"wants", core_wants}, {"guarded", sandbox_guarded},
        {"resume", sandbox_resume}, {NULL, NULL},
    };
    luaL_setfuncs(L, fns, 0);
}
