/* The sandbox.
 *
 * What is left out is left out for a reason: `load`, `dofile`, `require` and `package` read files
 * or bytecode; `io`, `debug` and most of `os` reach the machine; `collectgarbage` makes the state
 * slow; `string.dump` makes bytecode; a `__gc` metamethod would run with hooks switched off, so
 * setmetatable() refuses one. An error that a hook raises leaves hooks switched off until a pcall
 * catches it; whatever would run script code in between is left out or replaced: `xpcall` with its
 * message handler, `coroutine.close`, and the library's `coroutine.wrap`, which closes the
 * variables of a coroutine that died.
 *
 * A count hook watches the instructions. It cannot look into C functions, therefore the ones that
 * can run long are bounded by themselves: a string has a largest size, so that nothing that is done
 * with one in a single instruction is long (a comparison, utf8.len, string.pack, a number made of
 * it); string.rep, table.move, table.concat and their like are charged by the size of their
 * arguments; patterns, whose matching may take exponential time, have a matcher of our own
 * that is charged by the step (pattern.c). Memory is charged too: copying is work. */
#include "script/sandbox.h"

#include <lauxlib.h>
#include <lualib.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define HOOK_COUNT 1000
#define STRING_HEAD 64 /* bytes of a string that are not its text, at most */
#define BYTES_AN_INSTRUCTION 64
#define TABLE_MAX 200000 /* slots that one table function may walk */

/* ---- memory ---- */

static void *allocate(void *ud, void *ptr, size_t osize, size_t nsize)
{
    struct sandbox *sb = ud;
    size_t old = ptr ? osize : 0;
    if (!nsize) {
        sb->used -= old;
        free(ptr);
        return NULL;
    }
    if (nsize > old) {
        bool large = nsize > 65536;
        if (nsize > SANDBOX_BLOCK || sb->used - old + nsize > SANDBOX_MEMORY)
            return NULL;
        if (!ptr && osize == LUA_TSTRING && nsize > SANDBOX_STRING + STRING_HEAD)
            return NULL;
        if (sb->running) {
            sb->left -= (int64_t)(nsize / BYTES_AN_INSTRUCTION);
            if (large && sb->left < 0)
                return NULL;
        }
    }
    void *p = realloc(ptr, nsize);
    if (p)
        sb->used += nsize - old;
    return p;
}

/* ---- budget ---- */

struct sandbox *sandbox_of(lua_State *L)
{
    return *(struct sandbox **)lua_getextraspace(L);
}

/* The time this thread has run, not the time that has passed: a busy machine is no script's fault.
 */
static int64_t cpu_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static bool passed(struct sandbox *sb, bool look) /* at the clock: a system call */
{
    if (atomic_load_explicit(sb->stop, memory_order_relaxed)) {
        sb->why = "the scripts are being ended";
        sb->over = true;
    } else if (sb->left < 0) {
        sb->why = "the script took more than 1000000 instructions";
        sb->over = true;
    } else if (look && cpu_us() > sb->cpu_until) {
        sb->why = "the script took more than 50 ms";
        sb->over = true;
    }
    return sb->over;
}

static void hook(lua_State *L, lua_Debug *ar)
{
    struct sandbox *sb = sandbox_of(L);
    if (!sb->running)
        return;
    sb->left -= lua_gethookcount(L);
    if (!sb->over && !passed(sb, true))
        return;
    lua_sethook(L, hook, LUA_MASKCOUNT, 1);
    lua_getinfo(L, "Sl", ar);
    lua_pushfstring(L, "%s:%d: %s", ar->short_src, ar->currentline, sb->why);
    lua_error(L);
}

void sandbox_charge(lua_State *L, int64_t cost)
{
    struct sandbox *sb = sandbox_of(L);
    if (!sb->running)
        return;
    sb->left -= cost;
    if (sb->over || passed(sb, cost >= HOOK_COUNT)) {
        lua_sethook(L, hook, LUA_MASKCOUNT, 1);
        luaL_error(L, "%s", sb->why);
    }
}

/* One run of script code on a budget, possibly inside another. */
struct spell {
    bool running, over;
    int64_t left, cpu_until, began;
};

static void begin(struct sandbox *sb, struct spell *outer)
{
    *outer = (struct spell){sb->running, sb->over, sb->left, sb->cpu_until, cpu_us()};
    sb->running = true;
    sb->over = false;
    sb->left = SANDBOX_INSTRUCTIONS;
    sb->cpu_until = outer->began + SANDBOX_CPU_MS * 1000;
}

static void end(struct sandbox *sb, const struct spell *outer)
{
    sb->running = outer->running;
    sb->over = outer->over;
    sb->left = outer->left;
    if (outer->running)
        sb->cpu_until = outer->cpu_until + (cpu_us() - outer->began);
}

/* Pushes false, message, traceback for the error object on top of `from`. */
static int failed(lua_State *L, lua_State *from, int level)
{
    const char *message = lua_tostring(from, -1);
    if (!message)
        message = lua_pushfstring(L, "(an error that is a %s)", luaL_typename(from, -1));
    lua_checkstack(L, 6);
    lua_pushboolean(L, 0);
    lua_pushstring(L, message);
    luaL_traceback(L, from, message, level);
    return 3;
}

static int with_traceback(lua_State *L)
{
    const char *message = lua_tostring(L, 1);
    lua_createtable(L, 2, 0);
    lua_pushstring(L, message ? message
                              : lua_pushfstring(L, "(an error that is a %s)", luaL_typename(L, 1)));
    lua_rawseti(L, 2, 1);
    luaL_traceback(L, L, lua_tostring(L, 1), 1);
    lua_rawseti(L, 2, 2);
    return 1;
}

int sandbox_guarded(lua_State *L)
{
    struct sandbox *sb = sandbox_of(L);
    struct spell outer;
    lua_pushcfunction(L, with_traceback);
    lua_insert(L, 1);
    begin(sb, &outer);
    int status = lua_pcall(L, lua_gettop(L) - 2, LUA_MULTRET, 1);
    end(sb, &outer);
    lua_sethook(L, hook, LUA_MASKCOUNT, HOOK_COUNT);
    if (!status) {
        lua_pushboolean(L, 1);
        lua_replace(L, 1);
        return lua_gettop(L);
    }
    lua_pushboolean(L, 0);
    if (lua_istable(L, -2)) {
        lua_rawgeti(L, -2, 1);
        lua_rawgeti(L, -3, 2);
    } else { /* out of memory, or an error in the handler: there is only a string */
        lua_pushvalue(L, -2);
        lua_pushvalue(L, -1);
    }
    return 3;
}

int sandbox_resume(lua_State *L)
{
    struct sandbox *sb = sandbox_of(L);
    lua_State *co = lua_tothread(L, 1);
    struct spell outer;
    int n = lua_gettop(L) - 1, results = 0;
    luaL_argcheck(L, co, 1, "a coroutine is expected");
    if (!lua_checkstack(co, n + 4))
        return luaL_error(L, "too many arguments");
    lua_xmove(L, co, n);
    lua_sethook(co, hook, LUA_MASKCOUNT, HOOK_COUNT);
    begin(sb, &outer);
    int status = lua_resume(co, L, n, &results);
    end(sb, &outer);
    if (status != LUA_OK && status != LUA_YIELD)
        return failed(L, co, 0);
    lua_settop(L, 0);
    if (!lua_checkstack(L, results + 2))
        return luaL_error(L, "too many results");
    lua_pushboolean(L, 1);
    lua_xmove(co, L, results);
    return results + 1;
}

/* ---- functions that are bounded by themselves ---- */

/* Calls the original, which is upvalue 1, on the same arguments. */
static int original(lua_State *L)
{
    return lua_tocfunction(L, lua_upvalueindex(1))(L);
}

static lua_Integer length(lua_State *L, int arg)
{
    luaL_checktype(L, arg, LUA_TTABLE);
    if (luaL_getmetafield(L, arg, "__len") != LUA_TNIL)
        luaL_argerror(L, arg, "a table with __len is not possible here");
    lua_Integer n = (lua_Integer)lua_rawlen(L, arg);
    if (n > TABLE_MAX)
        luaL_argerror(L, arg, "the table is too long");
    return n;
}

static int bounded_shift(lua_State *L) /* table.insert, table.remove */
{
    sandbox_charge(L, length(L, 1) / 16);
    return original(L);
}

static int bounded_sort(lua_State *L)
{
    sandbox_charge(L, length(L, 1) * 20);
    return original(L);
}

static int bounded_range(lua_State *L) /* concat(t, sep, i, j) and unpack(t, i, j) */
{
    int first = lua_type(L, 2) == LUA_TSTRING ? 3 : 2;
    if (lua_isnoneornil(L, 2) && !lua_isnoneornil(L, 3))
        first = 3;
    lua_Integer n = length(L, 1), i = luaL_optinteger(L, first, 1),
                j = luaL_optinteger(L, first + 1, n);
    if (j > i && (lua_Unsigned)j - (lua_Unsigned)i > TABLE_MAX)
        return luaL_error(L, "the range is too long");
    sandbox_charge(L, j > i ? (j - i) / 4 : 0);
    return original(L);
}

static int bounded_move(lua_State *L)
{
    lua_Integer from = luaL_checkinteger(L, 2), to = luaL_checkinteger(L, 3);
    if (to > from && (lua_Unsigned)to - (lua_Unsigned)from > TABLE_MAX)
        return luaL_error(L, "the range is too long");
    sandbox_charge(L, to > from ? (to - from) / 4 : 0);
    return original(L);
}

static int bounded_rep(lua_State *L)
{
    size_t n, sep;
    luaL_checklstring(L, 1, &n);
    lua_Integer times = luaL_checkinteger(L, 2);
    luaL_optlstring(L, 3, "", &sep);
    if (times > 0 && (n + sep) && (size_t)times > SANDBOX_STRING / (n + sep))
        return luaL_error(L, "the result would be longer than %d bytes", (int)SANDBOX_STRING);
    sandbox_charge(L, times > 0 ? times / 4 : 0);
    return original(L);
}

static int bounded_setmetatable(lua_State *L)
{
    if (lua_istable(L, 2)) {
        lua_pushliteral(L, "__gc");
        if (lua_rawget(L, 2) != LUA_TNIL)
            return luaL_error(L, "__gc is not possible in a script");
        lua_pop(L, 1);
    }
    return original(L);
}

/* coroutine.wrap() without closing anything: an error goes on to the caller, the coroutine is dead.
 */
static int resume_wrapped(lua_State *L)
{
    lua_State *co = lua_tothread(L, lua_upvalueindex(1));
    int n = lua_gettop(L), results = 0, status;
    if (!lua_checkstack(co, n + 1))
        return luaL_error(L, "too many arguments");
    if (lua_status(co) == LUA_OK && !lua_gettop(co))
        return luaL_error(L, "cannot resume dead coroutine");
    lua_xmove(L, co, n);
    status = lua_resume(co, L, n, &results);
    if (status != LUA_OK && status != LUA_YIELD) {
        lua_xmove(co, L, 1);
        return lua_error(L);
    }
    if (!lua_checkstack(L, results + 1))
        return luaL_error(L, "too many results");
    lua_xmove(co, L, results);
    return results;
}

static int wrap(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TFUNCTION);
    lua_State *co = lua_newthread(L);
    lua_pushvalue(L, 1);
    lua_xmove(L, co, 1);
    lua_pushcclosure(L, resume_wrapped, 1);
    return 1;
}

/* ---- the allow-list ---- */

static const struct {
    const char *lib;   /* "_G" for the base library */
    const char *names; /* what of it is there */
} allowed[] = {
    {"_G", "assert error getmetatable ipairs next pairs pcall rawequal rawget rawlen rawset select "
           "setmetatable tonumber tostring type _VERSION"},
    {LUA_STRLIBNAME, "byte char find format gmatch gsub len lower match pack packsize rep reverse "
                     "sub unpack upper"},
    {LUA_TABLIBNAME, "concat insert move pack remove sort unpack"},
    {LUA_MATHLIBNAME, "abs acos asin atan ceil cos deg exp floor fmod huge log max maxinteger min "
                      "mininteger modf pi rad random sin sqrt tan tointeger type ult"},
    {LUA_UTF8LIBNAME, "char charpattern codepoint codes len offset"},
    {LUA_COLIBNAME, "create isyieldable resume running status wrap yield"},
    {LUA_OSLIBNAME, "clock date time"},
};

static const struct {
    const char *lib, *name;
    lua_CFunction fn;
    bool wraps; /* the original goes on; else it is replaced */
} bounded[] = {
    {"_G", "setmetatable", bounded_setmetatable, true},
    {LUA_STRLIBNAME, "rep", bounded_rep, true},
    {LUA_STRLIBNAME, "find", pattern_find, false},
    {LUA_STRLIBNAME, "match", pattern_match, false},
    {LUA_STRLIBNAME, "gmatch", pattern_gmatch, false},
    {LUA_STRLIBNAME, "gsub", pattern_gsub, false},
    {LUA_COLIBNAME, "wrap", wrap, false},
    {LUA_TABLIBNAME, "insert", bounded_shift, true},
    {LUA_TABLIBNAME, "remove", bounded_shift, true},
    {LUA_TABLIBNAME, "sort", bounded_sort, true},
    {LUA_TABLIBNAME, "concat", bounded_range, true},
    {LUA_TABLIBNAME, "unpack", bounded_range, true},
    {LUA_TABLIBNAME, "move", bounded_move, true},
};

/* Replaces the table on top by one that holds only the named entries. */
static void keep_only(lua_State *L, const char *names)
{
    lua_newtable(L);
    for (const char *at = names; *at;) {
        size_t n = strcspn(at, " ");
        lua_pushlstring(L, at, n);
        lua_pushvalue(L, -1);
        lua_rawget(L, -4);
        lua_rawset(L, -3);
        at += n + (at[n] == ' ');
    }
    lua_remove(L, -2);
}

static void open_one(lua_State *L, const char *lib, lua_CFunction open, const char *names)
{
    lua_pushcfunction(L, open);
    lua_pushstring(L, lib);
    lua_call(L, 1, 1);
    keep_only(L, names);
    if (!strcmp(lib, "_G")) { /* the base library writes into the globals: these replace them */
        lua_pushvalue(L, -1);
        lua_setfield(L, -2, "_G");
        lua_pushvalue(L, -1);
        lua_rawseti(L, LUA_REGISTRYINDEX, LUA_RIDX_GLOBALS);
    }
    for (size_t i = 0; i < sizeof bounded / sizeof *bounded; i++)
        if (!strcmp(bounded[i].lib, lib)) {
            if (bounded[i].wraps)
                lua_getfield(L, -1, bounded[i].name);
            lua_pushcclosure(L, bounded[i].fn, bounded[i].wraps);
            lua_setfield(L, -2, bounded[i].name);
        }
    if (strcmp(lib, "_G"))
        lua_setglobal(L, lib);
    else
        lua_pop(L, 1);
}

static int open_all(lua_State *L)
{
    static const lua_CFunction open[] = {luaopen_base, luaopen_string, luaopen_table,
                                         luaopen_math, luaopen_utf8,   luaopen_coroutine,
                                         luaopen_os};
    for (size_t i = 0; i < sizeof open / sizeof *open; i++)
        open_one(L, allowed[i].lib, open[i], allowed[i].names);
    /* ("x"):rep(3) finds what string.rep is, and nobody gets at the metatable of strings */
    lua_pushliteral(L, "");
    lua_getmetatable(L, -1);
    lua_newtable(L);
    lua_getglobal(L, LUA_STRLIBNAME);
    for (lua_pushnil(L); lua_next(L, -2);) {
        lua_pushvalue(L, -2);
        lua_insert(L, -2);
        lua_rawset(L, -5);
    }
    lua_pop(L, 1);
    lua_setfield(L, -2, "__index");
    lua_pushliteral(L, "string");
    lua_setfield(L, -2, "__metatable");
    return 0;
}

bool sandbox_open(struct sandbox *sb, atomic_bool *stop)
{
    *sb = (struct sandbox){.stop = stop};
    lua_State *L = lua_newstate(allocate, sb);
    if (!L)
        return false;
    *(struct sandbox **)lua_getextraspace(L) = sb;
    sb->L = L;
    lua_pushcfunction(L, open_all);
    if (lua_pcall(L, 0, 0, 0)) {
        sandbox_close(sb);
        return false;
    }
    lua_sethook(L, hook, LUA_MASKCOUNT, HOOK_COUNT);
    return true;
}

void sandbox_close(struct sandbox *sb)
{
    if (sb->L)
        lua_close(sb->L);
    sb->L = NULL;
}

bool sandbox_load(lua_State *L, const char *text, size_t n, const char *chunkname, int env)
{
    env = lua_absindex(L, env);
    if (luaL_loadbufferx(L, text, n, chunkname, "t"))
        return false;
    lua_pushvalue(L, env);
    if (!lua_setupvalue(L, -2, 1)) /* a chunk has one upvalue: _ENV */
        lua_pop(L, 1);
    return true;
}
