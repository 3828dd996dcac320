/* Lua's patterns, matched under the budget.
 *
 * The library's matcher backtracks without a bound, and one call of it can run for years. This one
 * knows the same patterns (%a %d … sets, * + - ?, %b %f, captures, position captures, anchors) and
 * pays for each step, so that the budget ends it like any other loop. Captures are bounded to 32,
 * nesting of items to 200. */
#include "script/sandbox.h"

#include <ctype.h>
#include <lauxlib.h>
#include <string.h>

#define CAPTURES 32
#define DEPTH 200
#define STEPS_A_CHARGE 1000 /* a charge of so many looks at the clock, too */
#define OPEN (-1)
#define POSITION (-2)

struct match {
    lua_State *L;
    const char *from, *end; /* the subject */
    const char *pattern_end;
    int depth;
    size_t steps;
    int count;
    struct {
        const char *at;
        ptrdiff_t len; /* OPEN, POSITION, or bytes */
    } capture[CAPTURES];
};

static void pay(struct match *m, size_t steps)
{
    m->steps += steps;
    if (m->steps >= STEPS_A_CHARGE) {
        sandbox_charge(m->L, (int64_t)m->steps);
        m->steps = 0;
    }
}

static void step(struct match *m)
{
    pay(m, 1);
}

/* The end of the single-character class at `p`: a char, %x, or a set. */
static const char *class_end(struct match *m, const char *p)
{
    if (p == m->pattern_end)
        luaL_error(m->L, "malformed pattern (ends unexpectedly)");
    if (*p == '%') {
        if (p + 1 == m->pattern_end)
            luaL_error(m->L, "malformed pattern (ends with '%%')");
        return p + 2;
    }
    if (*p++ != '[')
        return p;
    if (p < m->pattern_end && *p == '^')
        p++;
    do { /* a ']' in the first place stands for itself */
        if (p == m->pattern_end)
            luaL_error(m->L, "malformed pattern (missing ']')");
        if (*p++ == '%') {
            if (p == m->pattern_end)
                luaL_error(m->L, "malformed pattern (missing ']')");
            p++;
        }
    } while (p == m->pattern_end || *p != ']');
    return p + 1;
}

static bool in_class(int c, int letter)
{
    bool in;
    switch (tolower(letter)) {
    case 'a':
        in = isalpha(c);
        break;
    case 'c':
        in = iscntrl(c);
        break;
    case 'd':
        in = isdigit(c);
        break;
    case 'g':
        in = isgraph(c);
        break;
    case 'l':
        in = islower(c);
        break;
    case 'p':
        in = ispunct(c);
        break;
    case 's':
        in = isspace(c);
        break;
    case 'u':
        in = isupper(c);
        break;
    case 'w':
        in = isalnum(c);
        break;
    case 'x':
        in = isxdigit(c);
        break;
    default:
        return letter == c;
    }
    return isupper(letter) ? !in : in;
}

/* Is `c` in the set whose '[' is at `p` and whose ']' at `last`? */
static bool in_set(int c, const char *p, const char *last)
{
    bool wanted = true;
    if (p[1] == '^') {
        wanted = false;
        p++;
    }
    while (++p < last) {
        if (*p == '%') {
            p++;
            if (in_class(c, (unsigned char)*p))
                return wanted;
        } else if (p[1] == '-' && p + 2 < last) {
            if ((unsigned char)p[0] <= c && c <= (unsigned char)p[2])
                return wanted;
            p += 2;
        } else if ((unsigned char)*p == c) {
            return wanted;
        }
    }
    return !wanted;
}

static bool one(struct match *m, const char *s, const char *p, const char *pe)
{
    pay(m, 1 + (size_t)(pe - p) / 16);
    if (s >= m->end)
        return false;
    int c = (unsigned char)*s;
    switch (*p) {
    case '.':
        return true;
    case '%':
        return in_class(c, (unsigned char)p[1]);
    case '[':
        return in_set(c, p, pe - 1);
    default:
        return (unsigned char)*p == c;
    }
}

static const char *run(struct match *m, const char *s, const char *p);

static const char *greedy(struct match *m, const char *s, const char *p, const char *pe)
{
    ptrdiff_t n = 0;
    while (one(m, s + n, p, pe))
        n++;
    for (; n >= 0; n--) {
        const char *end = run(m, s + n, pe + 1);
        if (end)
            return end;
    }
    return NULL;
}

static const char *lazy(struct match *m, const char *s, const char *p, const char *pe)
{
    for (;; s++) {
        const char *end = run(m, s, pe + 1);
        if (end)
            return end;
        if (!one(m, s, p, pe))
            return NULL;
    }
}

static const char *balanced(struct match *m, const char *s, const char *p)
{
    if (p + 1 >= m->pattern_end)
        luaL_error(m->L, "malformed pattern (missing arguments to '%%b')");
    if (s >= m->end || *s != p[0])
        return NULL;
    for (int open = 1; ++s < m->end;) {
        step(m);
        if (*s == p[1]) {
            if (!--open)
                return s + 1;
        } else if (*s == p[0]) {
            open++;
        }
    }
    return NULL;
}

static const char *frontier(struct match *m, const char *s, const char *p, const char **after)
{
    if (p == m->pattern_end || *p != '[')
        luaL_error(m->L, "missing '[' after '%%f' in pattern");
    const char *pe = class_end(m, p);
    int before = s == m->from ? 0 : (unsigned char)s[-1], here = s < m->end ? (unsigned char)*s : 0;
    *after = pe;
    return !in_set(before, p, pe - 1) && in_set(here, p, pe - 1) ? s : NULL;
}

static const char *repeated(struct match *m, const char *s, int digit)
{
    int i = digit - '1';
    if (i < 0 || i >= m->count || m->capture[i].len == OPEN)
        luaL_error(m->L, "invalid capture index %%%d", i + 1);
    if (m->capture[i].len == POSITION)
        return NULL; /* a position is no text */
    size_t n = (size_t)m->capture[i].len;
    pay(m, 1 + n / 64);
    return (size_t)(m->end - s) >= n && !memcmp(m->capture[i].at, s, n) ? s + n : NULL;
}

static const char *begin(struct match *m, const char *s, const char *p, ptrdiff_t what)
{
    if (m->count == CAPTURES)
        luaL_error(m->L, "too many captures");
    m->capture[m->count].at = s;
    m->capture[m->count++].len = what;
    const char *end = run(m, s, p);
    if (!end)
        m->count--;
    return end;
}

static const char *finish(struct match *m, const char *s, const char *p)
{
    int i = m->count - 1;
    while (i >= 0 && m->capture[i].len != OPEN)
        i--;
    if (i < 0)
        luaL_error(m->L, "invalid pattern capture");
    m->capture[i].len = s - m->capture[i].at;
    const char *end = run(m, s, p);
    if (!end)
        m->capture[i].len = OPEN;
    return end;
}

/* Matches the pattern from `p` on at `s`; the end of the match or NULL. */
static const char *match(struct match *m, const char *s, const char *p)
{
    while (p < m->pattern_end) {
        if (*p == '(')
            return p + 1 < m->pattern_end && p[1] == ')' ? begin(m, s, p + 2, POSITION)
                                                         : begin(m, s, p + 1, OPEN);
        if (*p == ')')
            return finish(m, s, p + 1);
        if (*p == '$' && p + 1 == m->pattern_end)
            return s == m->end ? s : NULL;
        if (*p == '%' && p + 1 < m->pattern_end) {
            const char *after = NULL;
            if (p[1] == 'b') {
                s = balanced(m, s, p + 2);
                after = p + 4;
            } else if (p[1] == 'f') {
                s = frontier(m, s, p + 2, &after);
            } else if (isdigit((unsigned char)p[1])) {
                s = repeated(m, s, p[1]);
                after = p + 2;
            }
            if (after && !s)
                return NULL;
            if (after) {
                p = after;
                continue;
            }
        }
        const char *pe = class_end(m, p);
        char suffix = pe < m->pattern_end ? *pe : '\0';
        if (suffix == '*')
            return greedy(m, s, p, pe);
        if (suffix == '+')
            return one(m, s, p, pe) ? greedy(m, s + 1, p, pe) : NULL;
        if (suffix == '-')
            return lazy(m, s, p, pe);
        if (suffix == '?') {
            const char *end = one(m, s, p, pe) ? run(m, s + 1, pe + 1) : NULL;
            if (end)
                return end;
            p = pe + 1;
            continue;
        }
        if (!one(m, s, p, pe))
            return NULL;
        s++;
        p = pe;
    }
    return s;
}

static const char *run(struct match *m, const char *s, const char *p)
{
    if (++m->depth > DEPTH)
        luaL_error(m->L, "pattern too complex");
    const char *end = match(m, s, p);
    m->depth--;
    return end;
}

/* ---- the four functions ---- */

static void push_capture(struct match *m, int i, const char *s, const char *e)
{
    if (i >= m->count) { /* without captures the whole match is the first */
        if (i)
            luaL_error(m->L, "invalid capture index %%%d", i + 1);
        lua_pushlstring(m->L, s, (size_t)(e - s));
    } else if (m->capture[i].len == POSITION) {
        lua_pushinteger(m->L, m->capture[i].at - m->from + 1);
    } else if (m->capture[i].len == OPEN) {
        luaL_error(m->L, "unfinished capture");
    } else {
        lua_pushlstring(m->L, m->capture[i].at, (size_t)m->capture[i].len);
    }
}

static int push_captures(struct match *m, const char *s, const char *e, bool whole)
{
    int n = m->count ? m->count : whole ? 1 : 0;
    luaL_checkstack(m->L, n, "too many captures");
    for (int i = 0; i < n; i++)
        push_capture(m, i, s, e);
    return n;
}

static void prepare(struct match *m, lua_State *L, int subject, int pattern, const char **p)
{
    size_t n, pn;
    const char *s = luaL_checklstring(L, subject, &n);
    *p = luaL_checklstring(L, pattern, &pn);
    if (pn > 1024)
        luaL_error(L, "the pattern is longer than 1024 bytes");
    *m = (struct match){.L = L, .from = s, .end = s + n, .pattern_end = *p + pn};
    sandbox_charge(L, 4);
}

static const char *attempt(struct match *m, const char *s, const char *p)
{
    m->count = 0;
    m->depth = 0;
    return run(m, s, p);
}

/* The byte at which the optional argument `init` begins, -1 behind the end. */
static ptrdiff_t start(lua_State *L, int arg, const struct match *m)
{
    lua_Integer n = m->end - m->from, i = luaL_optinteger(L, arg, 1);
    if (i < 0)
        i = i < -n ? 1 : n + i + 1;
    else if (i == 0)
        i = 1;
    return i > n + 1 ? -1 : (ptrdiff_t)(i - 1);
}

/* Without a magic character (a lone `)` is none to string.find) it is a search for bytes. */
static bool plain(const char *p, const char *end)
{
    for (; p < end; p++)
        if (*p && strchr("^$*+?.([%-", *p))
            return false;
    return true;
}

static int find(lua_State *L, bool positions)
{
    struct match m;
    const char *p;
    prepare(&m, L, 1, 2, &p);
    ptrdiff_t at = start(L, 3, &m);
    if (at < 0) {
        lua_pushnil(L);
        return 1;
    }
    if (positions && (lua_toboolean(L, 4) || plain(p, m.pattern_end))) {
        size_t n = (size_t)(m.pattern_end - p);
        const char *hit = memmem(m.from + at, (size_t)(m.end - m.from - at), p, n);
        sandbox_charge(L, (m.end - m.from) / 16);
        if (!hit) {
            lua_pushnil(L);
            return 1;
        }
        lua_pushinteger(L, hit - m.from + 1);
        lua_pushinteger(L, hit - m.from + (ptrdiff_t)n);
        return 2;
    }
    bool anchored = p < m.pattern_end && *p == '^';
    p += anchored;
    for (const char *s = m.from + at; s <= m.end; s++) {
        const char *e = attempt(&m, s, p);
        if (e) {
            if (!positions)
                return push_captures(&m, s, e, true);
            lua_pushinteger(L, s - m.from + 1);
            lua_pushinteger(L, e - m.from);
            return 2 + push_captures(&m, s, e, false);
        }
        step(&m);
        if (anchored)
            break;
    }
    lua_pushnil(L);
    return 1;
}

int pattern_find(lua_State *L)
{
    return find(L, true);
}

int pattern_match(lua_State *L)
{
    return find(L, false);
}

/* Upvalues: subject, pattern, where to go on, end of the last match (both byte offsets). */
static int gmatch_next(lua_State *L)
{
    struct match m;
    const char *p;
    prepare(&m, L, lua_upvalueindex(1), lua_upvalueindex(2), &p);
    ptrdiff_t at = (ptrdiff_t)lua_tointeger(L, lua_upvalueindex(3));
    ptrdiff_t last = (ptrdiff_t)lua_tointeger(L, lua_upvalueindex(4));
    for (const char *s = m.from + at; s <= m.end; s++) {
        const char *e = attempt(&m, s, p);
        if (e && e - m.from != last) {
            lua_pushinteger(L, e - m.from);
            lua_copy(L, -1, lua_upvalueindex(3));
            lua_replace(L, lua_upvalueindex(4));
            return push_captures(&m, s, e, true);
        }
        step(&m);
    }
    return 0;
}

int pattern_gmatch(lua_State *L)
{
    struct match m;
    const char *p;
    prepare(&m, L, 1, 2, &p);
    ptrdiff_t at = start(L, 3, &m);
    lua_settop(L, 2);
    lua_pushinteger(L, at < 0 ? m.end - m.from + 1 : at);
    lua_pushinteger(L, -1);
    lua_pushcclosure(L, gmatch_next, 4);
    return 1;
}

/* Adds the replacement for the match s..e; argument 3 is a string, table or function. */
static bool replace(struct match *m, luaL_Buffer *b, const char *s, const char *e, int type)
{
    lua_State *L = m->L;
    if (type == LUA_TFUNCTION) {
        lua_pushvalue(L, 3);
        lua_call(L, push_captures(m, s, e, true), 1);
    } else if (type == LUA_TTABLE) {
        push_capture(m, 0, s, e);
        lua_gettable(L, 3);
    } else {
        size_t n;
        const char *with = lua_tolstring(L, 3, &n);
        pay(m, n); /* it may be all %0 of nothing */
        for (const char *end = with + n; with < end; with++) {
            if (*with != '%') {
                luaL_addchar(b, *with);
            } else if (++with == end || (*with != '%' && !isdigit((unsigned char)*with))) {
                luaL_error(L, "invalid use of '%%' in replacement string");
            } else if (*with == '%') {
                luaL_addchar(b, '%');
            } else if (*with == '0') {
                luaL_addlstring(b, s, (size_t)(e - s));
            } else {
                push_capture(m, *with - '1', s, e);
                luaL_tolstring(L, -1, NULL);
                lua_remove(L, -2);
                luaL_addvalue(b);
            }
        }
        return true;
    }
    if (!lua_toboolean(L, -1)) { /* nil and false keep the text */
        lua_pop(L, 1);
        luaL_addlstring(b, s, (size_t)(e - s));
        return false;
    }
    if (!lua_isstring(L, -1))
        luaL_error(L, "invalid replacement value (a %s)", luaL_typename(L, -1));
    luaL_addvalue(b);
    return true;
}

int pattern_gsub(lua_State *L)
{
    struct match m;
    const char *p, *last = NULL;
    luaL_Buffer b;
    prepare(&m, L, 1, 2, &p);
    int type = lua_type(L, 3);
    luaL_argexpected(L,
                     type == LUA_TNUMBER || type == LUA_TSTRING || type == LUA_TFUNCTION ||
                         type == LUA_TTABLE,
                     3, "string/function/table");
    lua_Integer most = luaL_optinteger(L, 4, (m.end - m.from) + 1), done = 0;
    bool anchored = p < m.pattern_end && *p == '^';
    const char *s = m.from;
    p += anchored;
    luaL_buffinit(L, &b);
    while (done < most) {
        const char *e = attempt(&m, s, p);
        if (e && e != last) {
            done++;
            replace(&m, &b, s, e, type);
            s = last = e;
        } else if (s < m.end) {
            luaL_addchar(&b, *s++);
            step(&m);
        } else {
            break;
        }
        if (anchored)
            break;
    }
    luaL_addlstring(&b, s, (size_t)(m.end - s));
    luaL_pushresult(&b);
    lua_pushinteger(L, done);
    return 2;
}
