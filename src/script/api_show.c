/* core: what scripts read: the snapshot, the styles, their own values. */
#include "script/host.h"

#include <lauxlib.h>
#include <stdlib.h>
#include <string.h>

static void set_int(lua_State *L, const char *key, int64_t v)
{
    lua_pushinteger(L, (lua_Integer)v);
    lua_setfield(L, -2, key);
}

static void set_str(lua_State *L, const char *key, const char *v)
{
    lua_pushstring(L, v);
    lua_setfield(L, -2, key);
}

static void set_bool(lua_State *L, const char *key, bool v)
{
    lua_pushboolean(L, v);
    lua_setfield(L, -2, key);
}

static void set_eta(lua_State *L, bool known, const struct eta_range *eta)
{
    if (!known)
        return;
    set_int(L, "eta_low", (eta->low_ms + 999) / 1000);
    set_int(L, "eta_high", (eta->high_ms + 999) / 1000);
}

static void push_prompt(lua_State *L, const struct snapshot_prompt *p)
{
    lua_createtable(L, 0, 12);
    set_int(L, "id", p->id);
    set_str(L, "state", prompt_state_name(p->state));
    set_str(L, "viewer", p->viewer.name);
    set_str(L, "text", p->text);
    set_str(L, "style", p->style);
    set_int(L, "votes", p->votes);
    if (p->position)
        set_int(L, "position", p->position);
    set_eta(L, p->eta_known, &p->eta);
}

/* prompts(platform or nil, uid) -> list in the order of the queue; of one viewer when given */
static int show_prompts(lua_State *L)
{
    const struct snapshot *s = host_of(L)->snapshot;
    const char *platform = luaL_optstring(L, 1, NULL), *uid = luaL_optstring(L, 2, "");
    int n = 0;
    lua_newtable(L);
    for (int i = 0; s && i < s->prompts; i++) {
        const struct snapshot_prompt *p = &s->prompt[i];
        if (platform && (strcmp(p->viewer.uid, uid) || strcmp(p->viewer.platform, platform)))
            continue;
        sandbox_charge(L, 50);
        push_prompt(L, p);
        lua_rawseti(L, -2, ++n);
    }
    sandbox_charge(L, s ? s->prompts / 4 : 0);
    return 1;
}

/* prompt(id) -> table | nil */
static int show_prompt(lua_State *L)
{
    const struct snapshot *s = host_of(L)->snapshot;
    const struct snapshot_prompt *p = snapshot_find(s, (int64_t)luaL_checkinteger(L, 1));
    sandbox_charge(L, s ? s->prompts / 4 : 0);
    if (p)
        push_prompt(L, p);
    else
        lua_pushnil(L);
    return 1;
}

/* queue() -> { waiting, drawing, progress, next, open, paused, panic, eta_low, eta_high } */
static int show_queue(lua_State *L)
{
    const struct snapshot *s = host_of(L)->snapshot;
    lua_createtable(L, 0, 10);
    if (!s)
        return 1;
    set_int(L, "waiting", s->count[PROMPT_APPROVED] + s->count[PROMPT_HELD]);
    if (s->drawing) {
        set_int(L, "drawing", s->drawing);
        lua_pushnumber(L, s->progress);
        lua_setfield(L, -2, "progress");
    }
    if (s->count[PROMPT_APPROVED] && s->prompts)
        set_int(L, "next", s->prompt[0].id);
    set_bool(L, "open", s->open);
    set_bool(L, "paused", s->paused);
    set_bool(L, "panic", s->panic);
    set_eta(L, s->eta_known, &s->eta);
    return 1;
}

/* counters() -> { accepted, aired, refused, held, approved, … } */
static int show_counters(lua_State *L)
{
    const struct snapshot *s = host_of(L)->snapshot;
    lua_createtable(L, 0, 16);
    for (int i = PROMPT_HELD; s && i <= PROMPT_AIRING; i++)
        set_int(L, prompt_state_name((enum prompt_state)i), s->count[i]);
    if (s) {
        set_int(L, "accepted", (int64_t)s->accepted);
        set_int(L, "aired", (int64_t)s->aired);
        set_int(L, "refused", (int64_t)s->refused);
    }
    return 1;
}

/* styles() -> list of { name, about } */
static int show_styles(lua_State *L)
{
    const struct host *h = host_of(L);
    const struct styles *s = h->loading ? h->loading : &h->styles;
    lua_createtable(L, s->count, 0);
    for (int i = 0; i < s->count; i++) {
        lua_createtable(L, 0, 2);
        set_str(L, "name", s->all[i].name);
        set_str(L, "about", s->all[i].about);
        lua_rawseti(L, -2, i + 1);
    }
    return 1;
}

/* ---- registering a style ---- */

static void get_str(lua_State *L, const char *key, char *out, size_t size)
{
    int type = lua_getfield(L, 1, key);
    if (type != LUA_TNIL) {
        if (type != LUA_TSTRING)
            luaL_error(L, "style: %s must be a string, not a %s", key, luaL_typename(L, -1));
        const char *text = host_text(L, lua_gettop(L), size - 1);
        str_copy(out, size, text);
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
}

static int get_int(lua_State *L, const char *key)
{
    int ok = 1;
    lua_getfield(L, 1, key);
    lua_Integer v = lua_isnil(L, -1) ? 0 : lua_tointegerx(L, -1, &ok);
    if (!ok || v < 0 || v > 100000)
        luaL_error(L, "style: %s must be a whole number of 0 or more", key);
    lua_pop(L, 1);
    return (int)v;
}

/* 0xRRGGBB or "#rrggbb" */
static uint32_t colour(lua_State *L, int i)
{
    int ok = 0;
    lua_Integer v = -1;
    if (lua_type(L, -1) == LUA_TSTRING) {
        const char *s = lua_tostring(L, -1);
        ok = s[0] == '#' && strspn(s + 1, "0123456789abcdefABCDEF") == 6 && !s[7];
        v = ok ? (lua_Integer)strtol(s + 1, NULL, 16) : -1;
    } else {
        v = lua_tointegerx(L, -1, &ok);
    }
    if (!ok || v < 0 || v > 0xffffff)
        luaL_error(L, "style: palette[%d] must be \"#rrggbb\" or 0xRRGGBB", i);
    return (uint32_t)v;
}

static void get_palette(lua_State *L, struct style *st)
{
    int type = lua_getfield(L, 1, "palette");
    if (type != LUA_TNIL && type != LUA_TTABLE)
        luaL_error(L, "style: palette must be a list of colours");
    lua_Integer n = type == LUA_TTABLE ? (lua_Integer)lua_rawlen(L, -1) : 0;
    if (n > STYLE_COLOURS)
        luaL_error(L, "style: a palette has at most %d colours", STYLE_COLOURS);
    for (lua_Integer i = 1; i <= n; i++) {
        lua_rawgeti(L, -1, i);
        st->palette[i - 1] = colour(L, (int)i);
        lua_pop(L, 1);
    }
    st->colours = (int)n;
    lua_pop(L, 1);
}

static void get_lora(lua_State *L, struct style *st)
{
    if (lua_getfield(L, 1, "lora") == LUA_TTABLE) {
        lua_getfield(L, -1, "alias");
        const char *alias = luaL_optstring(L, -1, "");
        if (strspn(alias, "abcdefghijklmnopqrstuvwxyz0123456789-_") != strlen(alias) ||
            !str_copy(st->lora, sizeof st->lora, alias))
            luaL_error(L, "style: lora.alias is a short name of lower-case letters, digits, - and "
                          "_, never a path");
        lua_getfield(L, -2, "weight");
        st->lora_weight = luaL_optnumber(L, -1, 1.0);
        if (!(st->lora_weight >= -2 && st->lora_weight <= 2))
            luaL_error(L, "style: lora.weight must be between -2 and 2");
        lua_pop(L, 2);
    } else if (!lua_isnil(L, -1)) {
        luaL_error(L, "style: lora must be { alias = NAME, weight = NUMBER }");
    }
    lua_pop(L, 1);
}

static void check_keys(lua_State *L)
{
    static const char *const known[] = {"name",  "about",  "template", "negative", "lora",
                                        "width", "height", "steps",    "palette"};
    for (lua_pushnil(L); lua_next(L, 1); lua_pop(L, 1)) {
        const char *key = lua_type(L, -2) == LUA_TSTRING ? lua_tostring(L, -2) : "?";
        size_t i = 0;
        while (i < sizeof known / sizeof *known && strcmp(known[i], key))
            i++;
        if (i == sizeof known / sizeof *known)
            luaL_error(L, "style: there is no key %s", key);
    }
}

/* style(table): only while a script is being loaded */
static int show_style(lua_State *L)
{
    struct host *h = host_of(L);
    struct style st = {0};
    struct fault f = {0};
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 1);
    if (!h->loading)
        return luaL_error(L, "styles are registered while the script is loaded, not later");
    check_keys(L);
    get_str(L, "name", st.name, sizeof st.name);
    get_str(L, "about", st.about, sizeof st.about);
    get_str(L, "template", st.template_, sizeof st.template_);
    get_str(L, "negative", st.negative, sizeof st.negative);
    get_lora(L, &st);
    st.width = get_int(L, "width");
    st.height = get_int(L, "height");
    st.steps = get_int(L, "steps");
    get_palette(L, &st);
    if (style_add(h->loading, &st, &f))
        return luaL_error(L, "%s", fault_text(&f));
    return 0;
}

/* ---- values ---- */

/* value(scope, key) -> string | nil */
static int show_value(lua_State *L)
{
    const char *v = values_get(host_of(L)->values, luaL_checkstring(L, 1), luaL_checkstring(L, 2));
    sandbox_charge(L, VALUES_KEYS);
    if (v)
        lua_pushstring(L, v);
    else
        lua_pushnil(L);
    return 1;
}

/* next_value(scope, key) -> the key after it | nil; "" begins */
static int show_next_value(lua_State *L)
{
    const char *k = values_next(host_of(L)->values, luaL_checkstring(L, 1), luaL_checkstring(L, 2));
    sandbox_charge(L, VALUES_KEYS);
    if (k)
        lua_pushstring(L, k);
    else
        lua_pushnil(L);
    return 1;
}

void api_show(lua_State *L)
{
    static const luaL_Reg fns[] = {
        {"prompts", show_prompts},   {"prompt", show_prompt},         {"queue", show_queue},
        {"counters", show_counters}, {"styles", show_styles},         {"style", show_style},
        {"value", show_value},       {"next_value", show_next_value}, {NULL, NULL},
    };
    luaL_setfuncs(L, fns, 0);
}
