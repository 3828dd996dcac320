/* core: what scripts wish for. Each wish is a letter to the loop; the ones that return a number are
 * answered by a letter with that number, the rest are told and forgotten. */
#include "script/host.h"

#include <lauxlib.h>
#include <string.h>

#define COST 100 /* of a letter, in instructions */

/* Makes the letter of a call and gives it a number. Nothing may raise between this and sent(). */
static struct letter *call(lua_State *L, enum call_kind what, const char *text, const char *more)
{
    struct host *h = host_of(L);
    sandbox_charge(L, COST);
    if (h->calls >= HOST_CALLS_MAX)
        luaL_error(L, "too many calls are on their way");
    struct letter *l = letter_new(LETTER_CALL, text, more);
    if (!l)
        luaL_error(L, "out of memory");
    l->what = what;
    l->call = h->next_call;
    return l;
}

static int sent(lua_State *L, struct letter *l)
{
    struct host *h = host_of(L);
    h->next_call++;
    h->calls++;
    lua_pushinteger(L, (lua_Integer)l->call);
    host_post(L, h, l);
    return 1;
}

/* submit(ticket, text, style, hold, rule) -> call */
static int call_submit(lua_State *L)
{
    lua_Integer ticket = luaL_checkinteger(L, 1);
    lua_settop(L, 5);
    const char *text = host_text(L, 2, PROMPT_TEXT_MAX * 2);
    const char *style = lua_isnil(L, 3) ? "" : host_text(L, 3, 200);
    const char *rule = lua_isnil(L, 5) ? "" : host_text(L, 5, 150);
    struct letter *l = call(L, CALL_SUBMIT, text, style);
    l->ticket = (uint64_t)ticket;
    l->hold = lua_toboolean(L, 4);
    str_copy(l->rule, sizeof l->rule, rule);
    return sent(L, l);
}

static int by_id(lua_State *L, enum call_kind what)
{
    lua_Integer ticket = luaL_checkinteger(L, 1), id = luaL_optinteger(L, 2, 0);
    struct letter *l = call(L, what, "", "");
    l->ticket = (uint64_t)ticket;
    l->id = (int64_t)id;
    return sent(L, l);
}

static int call_vote(lua_State *L) /* vote(ticket, id) -> call */
{
    return by_id(L, CALL_VOTE);
}

static int call_cancel(lua_State *L) /* cancel(ticket, id or nil) -> call */
{
    return by_id(L, CALL_CANCEL);
}

static int call_choose(lua_State *L) /* choose(ticket, style) -> call */
{
    lua_Integer ticket = luaL_checkinteger(L, 1);
    struct letter *l = call(L, CALL_STYLE, host_text(L, 2, 200), "");
    l->ticket = (uint64_t)ticket;
    return sent(L, l);
}

static int call_run(lua_State *L) /* run(ticket or 0, script, line) -> call */
{
    lua_Integer ticket = luaL_checkinteger(L, 1);
    const char *script = luaL_checkstring(L, 2);
    struct letter *l = call(L, CALL_RUN, host_text(L, 3, 4096), "");
    l->ticket = (uint64_t)ticket;
    str_copy(l->scope, sizeof l->scope, script);
    return sent(L, l);
}

/* set_value(scope, key, value): "" removes it. Here at once, in the store soon. */
static int call_set_value(lua_State *L)
{
    struct host *h = host_of(L);
    const char *scope = luaL_checkstring(L, 1), *key = luaL_checkstring(L, 2);
    size_t n, kn;
    const char *value = luaL_checklstring(L, 3, &n);
    struct fault f = {0};
    luaL_checklstring(L, 2, &kn);
    luaL_argcheck(L, strlen(key) == kn && strlen(value) == n, 3, "NUL bytes are not possible");
    sandbox_charge(L, VALUES_KEYS * 4);
    struct letter *l = call(L, CALL_VALUE, key, value);
    enum err e = values_set(h->values, scope, key, value, &f);
    if (e) {
        letter_free(l);
        return luaL_error(L, "%s", fault_text(&f));
    }
    str_copy(l->scope, sizeof l->scope, scope);
    sent(L, l);
    return 0;
}

/* reply(ticket, text) */
static int call_reply(lua_State *L)
{
    lua_Integer ticket = luaL_checkinteger(L, 1);
    const char *text = host_text(L, 2, 1000);
    sandbox_charge(L, COST); /* may raise, and nobody would free the letter then */
    struct letter *l = letter_new(LETTER_REPLY, text, "");
    if (l)
        l->ticket = (uint64_t)ticket;
    host_post(L, host_of(L), l);
    return 0;
}

/* done(ticket, how): "ok", "unknown" (no script has the command) or "failed" */
static int call_done(lua_State *L)
{
    static const char *const hows[] = {"ok", "unknown", "failed", NULL};
    static const enum err errs[] = {ERR_OK, ERR_NOTFOUND, ERR_STATE};
    lua_Integer ticket = luaL_checkinteger(L, 1);
    int how = luaL_checkoption(L, 2, NULL, hows);
    struct letter *l = letter_new(LETTER_DONE, "", "");
    if (l) {
        l->ticket = (uint64_t)ticket;
        l->err = errs[how];
    }
    host_post(L, host_of(L), l);
    return 0;
}

void api_call(lua_State *L)
{
    static const luaL_Reg fns[] = {
        {"submit", call_submit}, {"vote", call_vote}, {"cancel", call_cancel},
        {"choose", call_choose}, {"run", call_run},   {"set_value", call_set_value},
        {"reply", call_reply},   {"done", call_done}, {NULL, NULL},
    };
    luaL_setfuncs(L, fns, 0);
}
