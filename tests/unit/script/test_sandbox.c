/* The sandbox: what a hostile or careless script can do, and how long it can do it. */
#include "unit.h"

#include "base/clock.h"
#include "script/sandbox.h"

#include <lauxlib.h>
#include <lualib.h>
#include <pthread.h>

static struct sandbox sb;
static atomic_bool stop;
static char said[4096];

static int setup(void **state)
{
    (void)state;
    atomic_store(&stop, false);
    assert_true(sandbox_open(&sb, &stop));
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    sandbox_close(&sb);
    return 0;
}

/* Runs a chunk on a budget; NULL when it went well, else the message. */
static const char *run(const char *code)
{
    lua_State *L = sb.L;
    lua_settop(L, 0);
    lua_pushcfunction(L, sandbox_guarded);
    lua_pushglobaltable(L);
    if (!sandbox_load(L, code, strlen(code), "=test", -1)) {
        snprintf(said, sizeof said, "%s", lua_tostring(L, -1));
        return said;
    }
    lua_remove(L, 2);
    lua_call(L, 1, 3);
    if (lua_toboolean(L, 1)) {
        snprintf(said, sizeof said, "%s", lua_tostring(L, 2) ? lua_tostring(L, 2) : "");
        return NULL;
    }
    snprintf(said, sizeof said, "%s", lua_tostring(L, 2));
    return said;
}

static void fails(const char *code, const char *with)
{
    int64_t began = clock_mono_ms();
    const char *why = run(code);
    int64_t took = clock_mono_ms() - began;
    if (!why)
        fail_msg("it went well: %s", code);
    if (!strstr(why, with))
        fail_msg("%s\nsaid: %s\nwanted: %s", code, why, with);
    if (took > 5000) /* far above any sanitizer's slowness, far below a run without a budget */
        fail_msg("%s\ntook %lld ms", code, (long long)took);
    assert_false(sb.running);
}

static void gives(const char *code, const char *wanted)
{
    const char *why = run(code);
    if (why)
        fail_msg("%s\nfailed: %s", code, why);
    if (strcmp(said, wanted))
        fail_msg("%s\ngave: %s\nwanted: %s", code, said, wanted);
}

static void test_endless_loops(void **state)
{
    (void)state;
    fails("while true do end", "the script took more than");
    fails("while true do pcall(function() while true do end end) end", "the script took more than");
    fails("local function f() return pcall(f) end while true do f() end",
          "the script took more than");
    /* an error from the hook must not run script code while hooks are off */
    fails("xpcall(error, function() end)", "attempt to call a nil value");
    fails("coroutine.wrap(function() local c <close> = setmetatable({}, {__close = function() "
          "while true do end end}) while true do end end)()",
          "the script took more than");
    fails("coroutine.wrap(function() for _ in next, {1}, nil, setmetatable({}, {__close = "
          "function() while true do end end}) do while true do end end end)()",
          "the script took more than");
    fails("while true do coroutine.wrap(function() while true do end end)() end",
          "the script took more than");
    fails("while true do local c = coroutine.create(function() while true do end end) "
          "coroutine.resume(c) end",
          "the script took more than");
    fails("local t = setmetatable({}, {__index = function(t, k) return t[k + 1] end}) "
          "while true do pcall(function() return t[1] end) end",
          "the script took more than");
    fails("do local c <close> = setmetatable({}, {__close = function() while true do end end}) end",
          "the script took more than");
    gives("return 1 + 1", "2"); /* and the state is fine after all that */
}

static void test_long_c_functions(void **state)
{
    (void)state;
    fails("return ('x'):rep(1 << 30)", "longer than");
    fails("return ('x'):rep(1 << 20, ('y'):rep(1 << 20))", "longer than");
    fails("return (''):rep(1 << 62)", "took more than");
    fails("local a = ('a'):rep(60000) for i = 1, 1e6 do a:find(('a'):rep(500) .. 'b', 1, true) end",
          "took more than");
    fails("return ('a'):rep(60000):find('.-.-.-.-b')", "took more than");
    fails("return ('a'):rep(60000):match(('a*'):rep(50) .. 'b')", "took more than");
    fails("return ('('):rep(60000):gsub('%b()', '')", "took more than");
    fails("('x'):rep(60000):gsub('', ('%0'):rep(30000))", "took more than");
    fails("while true do ('x'):rep(60000):gsub('y?', ('%0'):rep(30000), 3) end", "took more than");
    fails("local s = ('a'):rep(60000) while true do s:find('^(a*)%1b') end", "took more than");
    fails("local s = ('x'):rep(65000) while true do utf8.len(s) end", "took more than");
    fails("local s = ('9'):rep(65000) while true do local n = s + 1 end", "took more than");
    fails("for i = 1, 1e9 do table.move({}, 1, 199999, 2) end", "took more than");
    fails("table.move({}, 1, 1 << 60, 2)", "too long");
    fails("table.insert(setmetatable({}, {__len = function() return 1 << 60 end}), 1, 1)", "__len");
    fails("table.concat(setmetatable({}, {__index = function() return 'x' end}), '', 1, 1 << 40)",
          "too long");
    fails("local t = {} for i = 1, 190000 do t[i] = i end "
          "while true do table.sort(t, rawequal) end",
          "");
    fails("local t = {} for i = 1, 100000 do t[i] = i end while true do table.insert(t, 1, 1) end",
          "took more than");
    fails("while true do local s = '' for i = 1, 3 do s = s .. ('x'):rep(1 << 14) end end", "");
}

static void test_memory(void **state)
{
    (void)state;
    fails("local t = {} for i = 1, 1e9 do t[i] = {} end", "");
    fails("local s = 'x' while true do s = s .. s end", "not enough memory");
    gives("local s = ('x'):rep(32768) return #(s .. s)", "65536"); /* no string is longer */
    fails("local s = ('x'):rep(32768) return s .. s .. s", "not enough memory");
    fails("local t = {} for i = 1, 70000 do t[i] = 'x' end return table.concat(t)",
          "not enough memory");
    fails("local t = {} while true do t[#t + 1] = ('x'):rep(60000) .. #t end", "");
    fails("kept = {} for i = 1, 1000 do kept[i] = ('x'):rep(60000) .. i end", "");
    sb.running = false;
    lua_pushnil(sb.L);
    lua_setglobal(sb.L, "kept");
    assert_true(sb.used <= SANDBOX_MEMORY);
    lua_gc(sb.L, LUA_GCCOLLECT);
    assert_true(sb.used < SANDBOX_MEMORY / 8);
    gives("return #('x'):rep(1000)", "1000");
}

static void test_recursion(void **state)
{
    (void)state;
    fails("local function f() return 1 + f() end return f()", "");
    fails("local t = setmetatable({}, {}) getmetatable(t).__index = function(_, k) return t[k] end "
          "return t.x",
          "");
    fails("local f = function(f) return pcall(f, f) end error(select(2, f(f)))", "");
    fails("local s = ('('):rep(300) .. ('%)'):rep(300) return ('x'):find(s)", "");
    fails("return ('x'):rep(1000):find(('x?'):rep(400))", "pattern too complex");
    fails("error(setmetatable({}, {__tostring = function() error('again') end}))",
          "an error that is a table");
    fails("return tostring(setmetatable({}, {__tostring = function() error('again') end}))",
          "again");
    gives("local f = coroutine.wrap(function(a) local b = coroutine.yield(a + 1) return b * 2 end) "
          "return f(1) .. f(10)",
          "220");
    fails("local f = coroutine.wrap(function() error('inside') end) f()", "inside");
    fails("local f = coroutine.wrap(function() end) f() f()", "cannot resume dead coroutine");
    fails("local f f = coroutine.wrap(function() f() end) f()", "cannot resume");
}

static void test_forbidden(void **state)
{
    (void)state;
    static const char *const names[] = {
        "load",           "loadstring",     "loadfile",     "dofile",
        "require",        "package",        "io",           "debug",
        "collectgarbage", "print",          "warn",         "string.dump",
        "os.execute",     "os.getenv",      "os.remove",    "os.exit",
        "os.tmpname",     "os.rename",      "os.setlocale", "math.randomseed",
        "xpcall",         "coroutine.close"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char code[80];
        snprintf(code, sizeof code, "return type(%s)", names[i]);
        gives(code, "nil");
    }
    fails("\x1bLua", "attempt to load a binary chunk");
    fails("setmetatable({}, {__gc = function() while true do end end})", "__gc");
    fails("getmetatable('').__index.rep = nil", "attempt to index a nil value");
    gives("return getmetatable('')", "string");
    fails("setmetatable('', {})", "");
    /* a metatable that gets its __gc later has none */
    gives("local m = {} local t = setmetatable({}, m) m.__gc = function() while true do end end "
          "t = nil return 'fine'",
          "fine");
    lua_gc(sb.L, LUA_GCCOLLECT);
}

static void test_patterns(void **state)
{
    (void)state;
    gives("return ('hello world'):find('o w')", "5");
    gives("return (select(2, ('hello world'):find('o w')))", "7");
    gives("return ('key = value'):match('^(%w+)%s*=%s*(%w+)$')", "key");
    gives("return (select(2, ('key = value'):match('^(%w+)%s*=%s*(%w+)$')))", "value");
    gives("return ('  x  '):match('^%s*(.-)%s*$') .. '|'", "x|");
    gives("return (('abc'):gsub('%w', '%0%0'))", "aabbcc");
    gives("return (('hello world'):gsub('o', {o = '0'}))", "hell0 w0rld");
    gives("return (('abc'):gsub('', '-'))", "-a-b-c-");
    gives("return (select(2, ('abc'):gsub('', '-')))", "4");
    gives("return (('hello'):gsub('l', function(c) return nil end))", "hello");
    gives("return (('x = 1, y = 2'):gsub('(%w+) = (%w+)', '%2 = %1'))", "1 = x, 2 = y");
    gives("return (('THE (quick) fox'):find('%((%a+)%)'))", "5");
    gives("return ('f(a(b)c)d'):match('%b()')", "(a(b)c)");
    gives("return (('THE (quick) fox'):gsub('%f[%a]%a+', 'W'))", "W (W) W");
    gives("return ('abc'):match('()c')", "3");
    gives("return ('aXa'):match('(%a)X%1')", "a");
    gives("return tostring(('aXb'):match('(%a)X%1'))", "nil");
    gives("return ('a]b'):match('[]]')", "]");
    gives("return ('a-b'):match('[a%-]+')", "a-");
    gives("return ('2026-11'):match('[^%d]')", "-");
    gives("local n = '' for w in ('one two three'):gmatch('%a+') do n = n .. #w end return n",
          "335");
    gives("local n = 0 for _ in ('abc'):gmatch('') do n = n + 1 end return n", "4");
    gives("return ('a.b'):find('.', 1, true)", "2");
    gives("return ('abc'):find('b', -2)", "2");
    gives("return tostring(('abc'):find('a', 10))", "nil");
    gives("return (('abc'):gsub('b', '%%'))", "a%c");
    fails("return ('x'):find('[a')", "malformed pattern (missing ']')");
    fails("return ('x'):find('%')", "malformed pattern (ends with '%')");
    fails("return ('x'):find('(x')", "unfinished capture");
    fails("return ('x'):match('x)')", "invalid pattern capture");
    fails("return ('x'):gsub('x', '%2')", "invalid capture index");
    fails("return ('x'):gsub('x', '%z')", "invalid use of '%'");
    fails("return ('x'):find(('()'):rep(33))", "too many captures");
    fails("return ('x'):match('%f')", "missing '['");
    fails("return ('x'):match('%b')", "missing arguments to '%b'");
    fails("return ('x'):match('[%')", "malformed pattern");
}

/* ThreadSanitizer loses track of its stack where the library jumps out of an error: fewer there. */
#ifdef __SANITIZE_THREAD__
#define RANDOM_PATTERNS 2000
#else
#define RANDOM_PATTERNS 40000
#endif

/* The same random patterns and subjects through the library's own matcher. */
static void test_patterns_as_the_library(void **state)
{
    (void)state;
    static const char *const atoms[] = {"a", "b",  ".",    "%a",    "%d",  "[ab]", "[^a]", "(",
                                        ")", "()", "%1",   "a*",    "b-",  ".-",   "a?",   "[a-c]+",
                                        "^", "$",  "%b()", "%f[a]", "%w*", "]",    "-",    "%."};
    lua_State *plain = luaL_newstate();
    uint32_t seed = 7;
    int compared = 0;
    luaL_requiref(plain, "string", luaopen_string, 1);
    for (int i = 0; i < RANDOM_PATTERNS; i++) {
        char pattern[64] = "", subject[16];
        int n = 1 + (int)((seed = seed * 1664525 + 1013904223) >> 24) % 5;
        for (int k = 0; k < n; k++)
            strcat(pattern, atoms[((seed = seed * 1664525 + 1013904223) >> 16) %
                                  (sizeof atoms / sizeof *atoms)]);
        for (n = 0; n < 9; n++)
            subject[n] = "aabbc(.)1-"[((seed = seed * 1664525 + 1013904223) >> 20) % 10];
        subject[n] = '\0';
        static const char *const fns[] = {"find", "match", "gsub"};
        for (int f = 0; f < 3; f++) {
            char a[2][400];
            for (int side = 0; side < 2; side++) {
                lua_State *L = side ? plain : sb.L;
                lua_settop(L, 0);
                lua_getglobal(L, "string");
                lua_getfield(L, -1, fns[f]);
                lua_replace(L, 1);
                lua_pushstring(L, subject);
                lua_pushstring(L, pattern);
                if (f == 2)
                    lua_pushstring(L, "<%0>");
                bool ok = lua_pcall(L, lua_gettop(L) - 1, LUA_MULTRET, 0) == LUA_OK;
                size_t at = (size_t)snprintf(a[side], 400, "%d:", ok);
                for (int r = 1; ok && r <= lua_gettop(L); r++) {
                    at +=
                        (size_t)snprintf(a[side] + at, 400 - at, "%s|", luaL_tolstring(L, r, NULL));
                    lua_pop(L, 1);
                }
            }
            if (strcmp(a[0], a[1]))
                fail_msg("string.%s(\"%s\", \"%s\")\nours:    %s\nlibrary: %s", fns[f], subject,
                         pattern, a[0], a[1]);
            compared++;
        }
    }
    lua_close(plain);
    assert_int_equal(compared, 3 * RANDOM_PATTERNS);
}

static void *end_it(void *user)
{
    atomic_store((atomic_bool *)user, true);
    return NULL;
}

static void test_stop_from_outside(void **state)
{
    (void)state;
    pthread_t thread;
    int64_t began = clock_mono_ms();
    assert_int_equal(pthread_create(&thread, NULL, end_it, &stop), 0);
    const char *why = NULL;
    while (clock_mono_ms() - began < 5000 && !atomic_load(&stop))
        why = run("for i = 1, 50000 do end");
    why = run("while true do pcall(function() while true do end end) end");
    pthread_join(thread, NULL);
    assert_non_null(why);
    assert_non_null(strstr(why, "being ended"));
}

static void test_resume(void **state)
{
    (void)state;
    lua_State *L = sb.L;
    lua_settop(L, 0);
    lua_pushcfunction(L, sandbox_resume);
    lua_pushglobaltable(L);
    const char *code = "return coroutine.create(function(a) local b = coroutine.yield(a + 1) "
                       "while true do b = b + 1 end end)";
    assert_true(sandbox_load(L, code, strlen(code), "=co", -1));
    lua_call(L, 0, 1);
    lua_replace(L, 2);
    lua_pushvalue(L, 1);
    lua_pushvalue(L, 2);
    lua_pushinteger(L, 41);
    lua_call(L, 2, 2);
    assert_true(lua_toboolean(L, -2));
    assert_int_equal(lua_tointeger(L, -1), 42);
    lua_settop(L, 2);
    lua_pushvalue(L, 1);
    lua_pushvalue(L, 2);
    lua_pushinteger(L, 1);
    lua_call(L, 2, 3);
    assert_false(lua_toboolean(L, -3));
    assert_non_null(strstr(lua_tostring(L, -2), "took more than"));
    assert_non_null(strstr(lua_tostring(L, -1), "stack traceback"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_endless_loops, setup, teardown),
        cmocka_unit_test_setup_teardown(test_long_c_functions, setup, teardown),
        cmocka_unit_test_setup_teardown(test_memory, setup, teardown),
        cmocka_unit_test_setup_teardown(test_recursion, setup, teardown),
        cmocka_unit_test_setup_teardown(test_forbidden, setup, teardown),
        cmocka_unit_test_setup_teardown(test_patterns, setup, teardown),
        cmocka_unit_test_setup_teardown(test_patterns_as_the_library, setup, teardown),
        cmocka_unit_test_setup_teardown(test_stop_from_outside, setup, teardown),
        cmocka_unit_test_setup_teardown(test_resume, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
