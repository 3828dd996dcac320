/* The script thread beside a real desk and a real store: answers, lateness, reload, values. */
#include "unit.h"

#include "desk/desk_bench.h"
#include "loop/loop.h"
#include "script/script.h"

#include <stdlib.h>
#include <pthread.h>

struct rig {
    struct bench b;
    struct loop *loop;
    struct commands *cs;
    struct script *s;
    char dir[PATH_LEN], prelude[PATH_LEN], lua[PATH_LEN];
    bool no_prelude;
    int answers;
    enum err err;
    int64_t id;
    char text[2100];
    char log[65536];
    pthread_mutex_t lock; /* of `log`, which the script thread fills */
};

static void on_log(void *user, const struct log_line *l)
{
    struct rig *r = user;
    pthread_mutex_lock(&r->lock);
    size_t n = strlen(r->log);
    if (n + strlen(l->text) + 2 < sizeof r->log)
        sprintf(r->log + n, "%s\n", l->text);
    pthread_mutex_unlock(&r->lock);
}

static bool logged(struct rig *r, const char *what)
{
    pthread_mutex_lock(&r->lock);
    bool found = strstr(r->log, what) != NULL;
    pthread_mutex_unlock(&r->lock);
    return found;
}

static void answered(void *user, enum err e, int64_t id, const char *text)
{
    struct rig *r = user;
    r->answers++;
    r->err = e;
    r->id = id;
    snprintf(r->text, sizeof r->text, "%s", text);
}

static void turn(struct rig *r)
{
    loop_step(r->loop, 2);
    if (r->b.woke) {
        r->b.woke = false;
        desk_committed(r->b.desk);
    }
}

#define WAIT(r, condition)                                                                         \
    do {                                                                                           \
        int64_t until_ = clock_mono_ms() + 20000;                                                  \
        while (!(condition)) {                                                                     \
            if (clock_mono_ms() > until_)                                                          \
                fail_msg("never came true: %s\n%s", #condition, (r)->log);                         \
            turn(r);                                                                               \
        }                                                                                          \
    } while (0)

static void write_script(struct rig *r, const char *name, const char *text)
{
    char path[PATH_LEN + 80];
    struct fault f = {0};
    snprintf(path, sizeof path, "%s/%s.lua", r->dir, name);
    assert_int_equal(path_write(path, text, strlen(text), 0600, &f), ERR_OK);
}

static void open_show(struct rig *r)
{
    struct fault f = {0};
    struct values *values = values_new();
    assert_int_equal(show_init(&r->b.show), ERR_OK);
    r->b.show.set.cooldown_s = 0;
    r->b.show.set.per_viewer = 0;
    r->b.show.set.disk_reserve = 0;
    r->b.store = store_open(r->b.paths.db, r->b.vfs, bench_wake, &r->b, &f);
    assert_non_null(r->b.store);
    r->b.desk = desk_new(&r->b.show, r->b.store, &r->b.paths, &bench_ops, &r->b);
    assert_int_equal(store_values(r->b.store, values_add, values), ERR_OK);
    assert_int_equal(desk_recover(r->b.desk, &f), ERR_OK);
    r->cs = commands_new(r->b.desk, &r->b.show);
    const char *names[] = {"mine", "commands", "styles"}, *dirs[] = {r->dir, r->lua};
    struct script_config c = {r->prelude, names, 3, dirs, 2};
    r->s = script_new(r->loop, r->cs, &c, values, &f);
    if (!r->s)
        fail_msg("%s", fault_text(&f));
    script_settle(r->s, 20000);
    if (!r->no_prelude)
        assert_true(script_alive(r->s));
}

static void close_show(struct rig *r)
{
    script_free(r->s);
    desk_finish(r->b.desk);
    store_close(r->b.store);
    desk_free(r->b.desk);
    commands_free(r->cs);
    show_free(&r->b.show);
}

static void start_with(struct rig *r, const char *script, const char *vfs)
{
    struct fault f = {0};
    const char *src = getenv("srcdir");
    char dir[] = "/dev/shm/sakuga-script-XXXXXX";
    *r = (struct rig){.b = {.engine_up = false, .stage_up = false, .vfs = vfs}};
    pthread_mutex_init(&r->lock, NULL);
    assert_non_null(mkdtemp(dir));
    str_copy(r->dir, sizeof r->dir, dir);
    path_join(r->lua, sizeof r->lua, src ? src : ".", "lua");
    path_join(r->prelude, sizeof r->prelude, r->lua, "prelude.lua");
    assert_int_equal(paths_init(&r->b.paths, dir, dir, &f), ERR_OK);
    assert_int_equal(path_mkdirs(r->b.paths.vault, 0700, &f), ERR_OK);
    assert_int_equal(path_mkdirs(r->b.paths.air, 0700, &f), ERR_OK);
    log_set_level(LOG_INFO);
    log_add_sink(on_log, r);
    write_script(r, "mine", script);
    r->loop = loop_new(&f);
    assert_non_null(r->loop);
    open_show(r);
}

static void start(struct rig *r, const char *script)
{
    start_with(r, script, NULL);
}

static void end(struct rig *r)
{
    char command[PATH_LEN + 16];
    close_show(r);
    loop_free(r->loop);
    log_remove_sink(on_log, r);
    snprintf(command, sizeof command, "rm -r '%s'", r->dir);
    assert_int_equal(system(command), 0);
    pthread_mutex_destroy(&r->lock);
}

static void send_as(struct rig *r, const char *who, enum role role, const char *text)
{
    struct viewer v = bench_viewer(who);
    v.role = role;
    struct chat_line line = {.who = v, .channel = "#show", .msgid = "", .text = text, .source = -1};
    script_line(r->s, r->cs, &line, (struct answer){answered, r});
}

static void say_as(struct rig *r, const char *who, enum role role, const char *text,
                   const char *reply)
{
    int before = r->answers;
    send_as(r, who, role, text);
    WAIT(r, r->answers > before);
    if (reply && strcmp(r->text, reply))
        fail_msg("%s\nwas answered: %s\nwanted:       %s\n%s", text, r->text, reply, r->log);
}

static void say(struct rig *r, const char *who, const char *text, const char *reply)
{
    say_as(r, who, ROLE_VIEWER, text, reply);
}

/* ---- the stock commands ---- */

static const struct prompt *prompt(struct rig *r, int64_t id)
{
    const struct prompt *p = show_find(&r->b.show, id);
    assert_non_null(p);
    return p;
}

static void test_stock_commands(void **state)
{
    struct rig *r = *state;
    start(r, "");
    r->b.show.set.per_viewer = 2;
    say(r, "aki", "!anime a fox", "#1 is in, place 1; a person looks at it first");
    assert_int_equal(r->err, ERR_OK);
    assert_int_equal(r->id, 1);
    assert_string_equal(prompt(r, 1)->text, "a fox");
    assert_string_equal(prompt(r, 1)->style, "default");
    assert_int_equal(prompt(r, 1)->state, PROMPT_HELD);
    say(r, "aki", "!ANIME \"rain, 'again'\"", "#2 is in, place 2; a person looks at it first");
    assert_string_equal(prompt(r, 2)->text, "rain, 'again'");
    say(r, "aki", "!anime a third", "you have 2 prompts in the show already");
    assert_int_equal(r->err, ERR_LIMIT);
    say(r, "bob", "!anime “a \"red\" door”", NULL);
    assert_string_equal(prompt(r, 3)->text, "a \"red\" door");
    say(r, "bob", "!anime 「雨の街」", NULL);
    assert_string_equal(prompt(r, 4)->text, "雨の街");
    say(r, "cho", "!anime \"", NULL);
    assert_string_equal(prompt(r, 5)->text, "\"");
    say(r, "cho", "!anime \"a\" and \"b\"", NULL);
    assert_string_equal(prompt(r, 6)->text, "a\" and \"b");
    say(r, "dan", "!anime", "say what to draw: !anime a fox that runs over neon roofs");
    say(r, "dan", "!anime \"\"", "say what to draw: !anime a fox that runs over neon roofs");

    say(r, "aki", "!style", "which one? see !styles");
    say(r, "aki", "!style Noir", "#2 is drawn as noir");
    assert_string_equal(prompt(r, 2)->style, "noir");
    say(r, "aki", "!style noire", "there is no style noire; did you mean noir; see !styles");
    assert_int_equal(r->err, ERR_NOTFOUND);
    say(r, "eve", "!styles", "styles: ghibli, cyberpunk, shonen, noir, watercolor, mecha");
    say(r, "eve", "!queue", "6 waiting");
    say(r, "eve", "!q", "6 waiting");
    say(r, "eve", "!mine", "you have no prompt in the show");
    say(r, "aki", "!mine", "#1 is held, place 1; #2 is held, place 2");
    say(r, "eve", "!vote 2", "your vote for #2 counts");
    assert_int_equal(prompt(r, 2)->votes, 1);
    say(r, "eve", "!vote #3", "your vote for #3 counts");
    say(r, "aki", "!vote 2", "a vote for one's own prompt does not count");
    say(r, "eve", "!vote", "usage: !vote ID");
    say(r, "eve", "!vote 99", "#99 is not waiting in the queue");
    say(r, "eve", "!vote 99999999999999999999", "usage: !vote ID");
    say(r, "eve", "!cancel", "you have no prompt waiting");
    say(r, "eve", "!cancel 1", "you have no prompt waiting");
    say(r, "eve", "!cancel the show", "usage: !cancel [ID]");
    say(r, "aki", "!cancel 1", "#1 is cancelled");
    assert_int_equal(prompt(r, 1)->state, PROMPT_CANCELLED);
    say(r, "aki", "!cancel", "#2 is cancelled");
    say(r, "eve", "!help",
        "!anime TEXT, !style NAME, !styles, !queue, !mine, !cancel [ID], !vote ID, "
        "!help [COMMAND]");
    say(r, "eve", "!help !vote", "!vote ID: vote for a prompt that waits");
    say(r, "eve", "!help q", "!queue: how long the queue is (also !q)");
    say(r, "eve", "!help x", "there is no command !x");
    say(r, "eve", "!nothing", "");
    assert_int_equal(r->err, ERR_OK);
    say(r, "eve", "no command", "");
    assert_int_equal(script_figures(r->s).fallback, 1); /* !nothing */

    r->b.show.set.prompt_gate = GATE_AUTO;
    say(r, "eve", "!anime at once", "#7 is in, place 1");
    assert_int_equal(prompt(r, 7)->state, PROMPT_APPROVED);
    end(r);
}

static void test_styles(void **state)
{
    struct rig *r = *state;
    start(r, "");
    const struct styles *s = &r->b.show.styles;
    assert_int_equal(s->count, 6);
    for (int i = 0; i < s->count; i++) {
        const struct style *st = &s->all[i];
        assert_non_null(strstr(st->template_, "{prompt}"));
        assert_true(st->about[0] && st->negative[0] && st->lora[0]);
        assert_true(st->lora_weight > 0 && st->lora_weight <= 1);
        assert_int_equal(st->width, 832);
        assert_int_equal(st->height, 480);
        assert_in_range(st->steps, 20, 50);
        assert_in_range(st->colours, 3, 6);
    }
    assert_string_equal(s->all[0].name, "ghibli");
    assert_int_equal(s->all[1].palette[5], 0xff2e88);
    end(r);
}

static void test_bad_styles(void **state)
{
    static const char *const bad[][2] = {
        {"sakuga.style{ name = 'x', template = 'no place' }", "does not say where {prompt}"},
        {"sakuga.style{ name = 'X' }", "lower-case"},
        {"sakuga.style{ name = 'x', width = 100 }", "multiples of 16"},
        {"sakuga.style{ name = 'x', colour = 1 }", "there is no key colour"},
        {"sakuga.style{ name = 'x', palette = { '#12345' } }", "palette[1]"},
        {"sakuga.style{ name = 'x', palette = { 1, 2, 3, 4, 5, 6, 7 } }", "at most 6"},
        {"sakuga.style{ name = 'x', lora = { alias = '../../etc/passwd' } }", "never a path"},
        {"sakuga.style{ name = 'x', lora = 'x' }", "lora must be"},
        {"sakuga.style{ name = 'x', steps = 'many' }", "steps must be a whole number"},
        {"sakuga.style('x')", "table expected"},
    };
    struct rig *r = *state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        start(r, bad[i][0]);
        if (!logged(r, bad[i][1]) || !strstr(r->b.show.script_why, "mine.lua:1:"))
            fail_msg("%s\n%s\n%s", bad[i][0], r->log, r->b.show.script_why);
        assert_int_equal(r->b.show.styles.count, 6); /* the other scripts run */
        end(r);
    }
}

/* ---- what scripts can reach ---- */

static void test_reachable(void **state)
{
    static const char *const expected =
        "_G _VERSION assert coroutine coroutine.create coroutine.isyieldable coroutine.resume "
        "coroutine.running coroutine.status coroutine.wrap coroutine.yield error getmetatable "
        "ipairs math math.abs math.acos math.asin math.atan math.ceil math.cos math.deg math.exp "
        "math.floor math.fmod math.huge math.log math.max math.maxinteger math.min "
        "math.mininteger math.modf math.pi math.rad math.random math.sin math.sqrt math.tan "
        "math.tointeger math.type math.ult next os os.clock os.date os.time pairs pcall print "
        "rawequal rawget rawlen rawset sakuga sakuga.after sakuga.command sakuga.commands "
        "sakuga.counters sakuga.every sakuga.hook sakuga.log sakuga.on sakuga.prompt "
        "sakuga.prompts sakuga.queue sakuga.run sakuga.script sakuga.store sakuga.store.get "
        "sakuga.store.keys sakuga.store.set sakuga.style sakuga.styles select setmetatable "
        "string string.byte string.char string.find string.format string.gmatch string.gsub "
        "string.len string.lower string.match string.pack string.packsize string.rep "
        "string.reverse string.sub string.unpack string.upper table table.concat table.insert "
        "table.move table.pack table.remove table.sort table.unpack tonumber tostring type utf8 "
        "utf8.char utf8.charpattern utf8.codepoint utf8.codes utf8.len utf8.offset ";
    struct rig *r = *state;
    start(r, "local seen, all = {}, {}\n"
             "local function walk(t, name)\n"
             "  if seen[t] then return end\n"
             "  seen[t] = true\n"
             "  if getmetatable(t) then all[#all + 1] = name .. '!metatable' end\n"
             "  for k, v in pairs(t) do\n"
             "    all[#all + 1] = name .. k\n"
             "    if type(v) == 'table' then walk(v, name .. k .. '.') end\n"
             "  end\n"
             "end\n"
             "walk(_G, '')\n"
             "table.sort(all)\n"
             "for _, name in ipairs(all) do print('LIST ' .. name) end\n"
             "print('END')\n");
    assert_true(logged(r, "END"));
    char list[8192] = "";
    for (const char *at = r->log; (at = strstr(at, "mine: LIST ")); at++)
        snprintf(list + strlen(list), sizeof list - strlen(list), "%.*s ",
                 (int)strcspn(at + 11, "\n"), at + 11);
    assert_string_equal(list, expected);
    end(r);
}

static void test_scripts_are_apart(void **state)
{
    struct rig *r = *state;
    start(r, "string.format = nil table.concat = nil sakuga.prompt = nil _G.ipairs = nil\n"
             "string.find = function() error('mine') end\n"
             "sakuga.command = nil tostring = nil coroutine.create = nil\n");
    say(r, "aki", "!anime a fox", "#1 is in, place 1; a person looks at it first");
    say(r, "aki", "!help q", "!queue: how long the queue is (also !q)");
    end(r);
}

/* ---- errors ---- */

static void test_errors(void **state)
{
    struct rig *r = *state;
    start(r, "local function deep() error('on purpose') end\n"
             "sakuga.command{ name = 'bad', run = function(ctx) deep() end }\n"
             "sakuga.command{ name = 'table', run = function(ctx) error({}) end }\n"
             "sakuga.command{ name = 'again', run = function(ctx)\n"
             "  error(setmetatable({}, { __tostring = function() error('again') end })) end }\n"
             "sakuga.command{ name = 'loop', run = function(ctx) while true do end end }\n"
             "sakuga.command{ name = 'yields', run = function(ctx) coroutine.yield(1) end }\n"
             "sakuga.command{ name = 'own', run = function(ctx)\n"
             "  local c = coroutine.wrap(function() return ctx:submit('x') end)\n"
             "  local ok, why = pcall(c) ctx:reply(tostring(ok)) end }\n"
             "local kept\n"
             "sakuga.command{ name = 'keep', run = function(ctx) kept = ctx end }\n"
             "sakuga.command{ name = 'late', run = function(ctx)\n"
             "  local ok, why = pcall(kept.reply, kept, 'x') ctx:reply(why) end }\n"
             "sakuga.command{ name = 'types', run = function(ctx)\n"
             "  local ok, why = pcall(ctx.reply, ctx, 7) ctx:reply(why) end }\n"
             "sakuga.command{ name = 'talk', run = function(ctx)\n"
             "  while true do ctx:reply('x') end end }\n"
             "sakuga.on('open', function() error('in an event') end)\n"
             "sakuga.command{ name = 'memory', run = function(ctx)\n"
             "  local t = {} while true do t[#t + 1] = ('x'):rep(6e4) .. #t end end }\n");
    say(r, "aki", "!bad", "");
    WAIT(r, strstr(r->b.show.script_why, "mine.lua:1: on purpose"));
    assert_true(logged(r, "mine.lua:1: in upvalue 'deep'"));
    assert_true(logged(r, "stack traceback"));
    assert_true(script_alive(r->s));
    assert_false(r->b.show.script_late);
    say(r, "aki", "!table", "");
    WAIT(r, strstr(r->b.show.script_why, "an error that is a table"));
    say(r, "aki", "!again", "");
    say(r, "aki", "!loop", "");
    WAIT(r, strstr(r->b.show.script_why, "took more than"));
    for (int i = 0; i < 8; i++) /* it ends while a letter is being written: none is lost */
        say(r, "aki", "!talk", NULL);
    say(r, "aki", "!yields", "");
    WAIT(r, strstr(r->b.show.script_why, "may not yield"));
    say(r, "aki", "!own", "false");
    say(r, "aki", "!keep", "");
    say(r, "aki", "!late", "this line was answered already; its context has ended");
    say(r, "aki", "!types", "the reply must be a string, not a number");
    say(r, "aki", "!memory", "");
    desk_open(r->b.desk, false, "operator", (struct answer){0});
    WAIT(r, strstr(r->b.show.script_why, "in an event"));
    desk_open(r->b.desk, true, "operator", (struct answer){0});
    WAIT(r, r->b.show.open);
    say(r, "aki", "!anime a fox", "#1 is in, place 1; a person looks at it first");
    end(r);
}

/* An !anime that fails before it has submitted is taken by the built-in one; one that fails after
 * is not submitted twice. */
static void test_failing_anime(void **state)
{
    struct rig *r = *state;
    start(r, "sakuga.command{ name = 'anime', run = function(ctx, args)\n"
             "  if args == 'before' then error('early') end\n"
             "  ctx:submit(args)\n"
             "  error('afterwards')\n"
             "end }\n");
    assert_true(logged(r, "!anime is registered already, by mine"));
    r->b.show.set.prompt_gate = GATE_AUTO;
    say(r, "aki", "!anime before", "#1 held");
    assert_int_equal(prompt(r, 1)->state, PROMPT_HELD);
    assert_string_equal(prompt(r, 1)->reason, "scripts do not answer");
    say(r, "aki", "!anime after", "");
    assert_int_equal(r->id, 2);
    assert_int_equal(prompt(r, 2)->state, PROMPT_APPROVED);
    assert_int_equal(r->b.show.last_id, 2);
    end(r);
}

static void test_file_does_not_load(void **state)
{
    struct rig *r = *state;
    start(r, "sakuga.command{ name = 'half', run = function(ctx) ctx:reply('half') end }\n"
             "sakuga.on('prompt', function() error('gone') end)\n"
             "this is no Lua\n");
    assert_non_null(strstr(r->b.show.script_why, "mine.lua:3:"));
    say(r, "aki", "!half", "");
    say(r, "aki", "!anime a fox", "#1 is in, place 1; a person looks at it first");
    end(r);
    start(r, "sakuga.command{ name = 'half', run = function(ctx) ctx:reply('half') end }\n"
             "error('at the end')\n");
    assert_non_null(strstr(r->b.show.script_why, "mine.lua:2: at the end"));
    say(r, "aki", "!half", "");
    end(r);
    start(r, "while true do end");
    assert_non_null(strstr(r->b.show.script_why, "took more than"));
    say(r, "aki", "!queue", "0 waiting");
    end(r);
}

/* ---- lateness ---- */

/* Stands in for a thread that does not come on: the lock of its box is held by the test. */
static void test_stuck(void **state)
{
    struct rig *r = *state;
    /* a hundred handlers that use up their budgets: the thread is late for the lines behind them */
    start(r, "sakuga.on('line', function() while true do end end)\n");
    r->b.show.set.prompt_gate = GATE_AUTO;
    for (int i = 0; i < 100; i++)
        send_as(r, "noise", ROLE_VIEWER, "noise");
    int before = r->answers;
    int64_t began = clock_mono_ms();
    send_as(r, "aki", ROLE_VIEWER, "!anime a fox");
    WAIT(r, r->answers > before);
    int64_t took = clock_mono_ms() - began;
    assert_string_equal(r->text, "#1 held");
    assert_int_equal(prompt(r, 1)->state, PROMPT_HELD);
    assert_string_equal(prompt(r, 1)->reason, "scripts do not answer");
    assert_in_range(took, SCRIPT_LATE_MS - 5, SCRIPT_LATE_MS * 6); /* a busy machine adds to it */
    assert_true(r->b.show.script_late);
    assert_false(script_alive(r->s));
    /* at once, as long as it lasts */
    say(r, "aki", "!mine", "#1 is held, place 1");
    say(r, "aki", "!queue", "1 waiting");
    say(r, "aki", "!cancel 1", "cancelled #1");
    WAIT(r, script_alive(r->s));
    assert_false(r->b.show.script_late);
    /* the late script came to its line and was refused: there is still one prompt */
    say(r, "bob", "!anime another", "#2 is in, place 1");
    assert_int_equal(r->b.show.last_id, 2);
    end(r);
}

static void test_late_submit_is_void(void **state)
{
    struct rig *r = *state;
    start(r, "sakuga.command{ name = 'slow', run = function(ctx, args)\n"
             "  local ok, why, name = ctx:submit('from slow')\n"
             "  sakuga.log('SLOW ' .. tostring(ok) .. ' ' .. tostring(why))\n"
             "end }\n"
             "sakuga.on('line', function() while true do end end)\n");
    for (int i = 0; i < 100; i++)
        send_as(r, "noise", ROLE_VIEWER, "noise");
    say(r, "aki", "!slow", "");
    assert_true(r->b.show.script_late);
    WAIT(r, logged(r, "SLOW false too late"));
    assert_int_equal(r->b.show.last_id, 0);
    end(r);
}

/* A slow disk is no late script. */
static void test_slow_disk(void **state)
{
    struct rig *r = *state;
    shimvfs_register();
    start_with(r, "", "shim");
    atomic_store(&shimvfs_sync_ms, 400);
    say(r, "aki", "!anime a fox", "#1 is in, place 1; a person looks at it first");
    assert_false(r->b.show.script_late);
    assert_int_equal(script_figures(r->s).fallback, 0);
    atomic_store(&shimvfs_sync_ms, 0);
    end(r);
}

static void test_end_while_stuck(void **state)
{
    struct rig *r = *state;
    start(r, "sakuga.on('line', function() while true do end end)\n");
    for (int i = 0; i < 4000; i++)
        send_as(r, "noise", ROLE_VIEWER, "noise");
    int before = r->answers;
    send_as(r, "aki", ROLE_VIEWER, "!queue");
    assert_int_equal(r->answers, before);
    int64_t began = clock_mono_ms();
    script_free(r->s);
    r->s = NULL;
    assert_true(clock_mono_ms() - began < 1000);
    assert_false(logged(r, "left behind"));
    assert_int_equal(r->answers, before + 1);
    assert_int_equal(r->err, ERR_CANCELLED);
    say(r, "aki", "!queue", "0 waiting"); /* without scripts */
    end(r);
}

static void test_flood(void **state)
{
    struct rig *r = *state;
    start(r, "local n = 0 sakuga.on('line', function() n = n + 1 end)\n");
    int before = r->answers, commands = SCRIPT_TICKETS + 500;
    for (int i = 0; i < 20000; i++)
        send_as(r, "noise", ROLE_VIEWER, "noise");
    for (int i = 0; i < commands; i++)
        send_as(r, "aki", ROLE_VIEWER, "!queue");
    WAIT(r, r->answers == before + 20000 + commands);
    struct script_figures f = script_figures(r->s);
    assert_int_equal(f.lines + f.dropped, 20000);
    assert_true(f.commands + f.fallback >= (uint64_t)commands);
    end(r);
}

/* ---- reload, values, timers, events, hooks, rights ---- */

static void reload(struct rig *r, enum err wanted)
{
    int before = r->answers;
    script_reload(r->s, (struct answer){answered, r});
    WAIT(r, r->answers > before);
    if (r->err != wanted)
        fail_msg("reload: %s", r->text);
}

static void test_reload(void **state)
{
    struct rig *r = *state;
    start(r, "sakuga.command{ name = 'v', run = function(ctx) ctx:reply('one') end }\n"
             "sakuga.style{ name = 'extra' }\n"
             "sakuga.every(0.05, function() sakuga.log('TICK one') end)\n");
    say(r, "aki", "!v", "one");
    assert_int_equal(r->b.show.styles.count, 7);
    write_script(r, "mine", "sakuga.command{ name = 'v', run = function(ctx) ctx:reply('two') end");
    reload(r, ERR_SYNTAX);
    assert_non_null(strstr(r->text, "mine.lua:1:"));
    say(r, "aki", "!v", "one");
    assert_int_equal(r->b.show.styles.count, 7);
    assert_non_null(strstr(r->b.show.script_why, "mine.lua:1:"));
    write_script(r, "mine",
                 "sakuga.command{ name = 'v', run = function(ctx) ctx:reply('two') end }\n");
    reload(r, ERR_OK);
    say(r, "aki", "!v", "two");
    assert_int_equal(r->b.show.styles.count, 6);
    assert_string_equal(r->b.show.script_why, "");
    pthread_mutex_lock(&r->lock);
    r->log[0] = '\0';
    pthread_mutex_unlock(&r->lock);
    int64_t until = clock_mono_ms() + 200; /* four ticks of a timer that must have ended */
    WAIT(r, clock_mono_ms() > until);
    assert_false(logged(r, "TICK one"));
    end(r);
}

/* A line whose handler waits while the scripts are loaded anew is answered all the same, once. */
static void test_reload_while_waiting(void **state)
{
    struct rig *r = *state;
    shimvfs_register();
    start_with(r, "", "shim");
    atomic_store(&shimvfs_sync_ms, 300);
    send_as(r, "aki", ROLE_VIEWER, "!anime a fox");
    WAIT(r, script_figures(r->s).calls == 1);
    assert_int_equal(r->answers, 0);
    script_reload(r->s, (struct answer){answered, r});
    WAIT(r, r->answers == 2);
    assert_int_equal(r->id, 1);
    assert_string_equal(r->text, "#1 held");
    assert_int_equal(script_figures(r->s).fallback, 0);
    assert_false(r->b.show.script_late);
    atomic_store(&shimvfs_sync_ms, 0);
    assert_int_equal(r->b.show.last_id, 1);
    end(r);
}

static void test_no_prelude(void **state)
{
    struct rig *r = *state;
    start(r, "");
    close_show(r);
    r->no_prelude = true;
    str_copy(r->prelude, sizeof r->prelude, "/nonexistent/prelude.lua");
    open_show(r);
    assert_false(script_alive(r->s));
    assert_true(r->b.show.script_late);
    assert_non_null(strstr(r->b.show.script_why, "/nonexistent/prelude.lua"));
    say(r, "aki", "!anime a fox", "#1 held");
    assert_string_equal(prompt(r, 1)->style, "default");
    reload(r, ERR_SYNTAX);
    assert_false(script_alive(r->s));
    end(r);
}

static void test_values(void **state)
{
    struct rig *r = *state;
    start(
        r,
        "local n = (sakuga.store.get('starts') or 0) + 1\n"
        "sakuga.store.set('starts', n)\n"
        "sakuga.store.set('name', 'aki') sakuga.store.set('gone', true)\n"
        "sakuga.store.set('gone', nil) sakuga.store.set('yes', true)\n"
        "sakuga.store.set('pi', 3.25)\n"
        "sakuga.command{ name = 'v', run = function(ctx)\n"
        "  local s = sakuga.store\n"
        "  ctx:reply(table.concat({ s.get('starts'), s.get('name'), tostring(s.get('gone')),\n"
        "    tostring(s.get('yes')), s.get('pi'), math.type(s.get('starts')), #s.keys() }, ' '))\n"
        "end }\n"
        "sakuga.command{ name = 'bounds', run = function(ctx)\n"
        "  local ok1 = pcall(sakuga.store.set, 'k', {})\n"
        "  local ok2 = pcall(sakuga.store.set, ('k'):rep(101), 1)\n"
        "  local ok3 = pcall(sakuga.store.set, 'k', ('v'):rep(8193))\n"
        "  local ok4 = pcall(sakuga.store.set, 'a\\0b', 1)\n"
        "  local n = 0 while pcall(sakuga.store.set, 'k' .. n, 1) do n = n + 1 end\n"
        "  ctx:reply(table.concat({ tostring(ok1), tostring(ok2), tostring(ok3),\n"
        "    tostring(ok4), n }, ' '))\n"
        "end }\n");
    say(r, "aki", "!v", "1 aki nil true 3.25 integer 4");
    close_show(r);
    open_show(r);
    say(r, "aki", "!v", "2 aki nil true 3.25 integer 4");
    reload(r, ERR_OK); /* what is kept is there in the new state too */
    say(r, "aki", "!v", "3 aki nil true 3.25 integer 4");
    say(r, "aki", "!bounds", "false false false false 252");
    end(r);
}

static void test_timers_and_events(void **state)
{
    struct rig *r = *state;
    start(
        r,
        "local ticks = 0\n"
        "local t t = sakuga.every(0.05, function()\n"
        "  ticks = ticks + 1\n"
        "  if ticks > 3 then sakuga.log('FOUR') end\n"
        "  if ticks < 3 then return end\n"
        "  t.cancel() sakuga.log('THREE')\n"
        "  sakuga.after(0.3, function() sakuga.log('AFTER ' .. ticks)\n"
        "    sakuga.log('CLOSED ' .. select(2, sakuga.run('close'))) end) end)\n"
        "sakuga.on('prompt', function(e)\n"
        "  sakuga.log(('EVENT %d %s %s %s %s'):format(e.id, e.from, e.to, e.viewer, e.text)) end)\n"
        "sakuga.on('line', function(e) sakuga.log('LINE ' .. e.viewer.name .. ' ' .. e.text) end)\n"
        "local ok, why = pcall(sakuga.on, 'nonsense', print) sakuga.log('ON ' .. why)\n");
    say(r, "aki", "!anime a fox", NULL);
    send_as(r, "bob", ROLE_VIEWER, "hello there");
    WAIT(r, logged(r, "EVENT 1 received held aki a fox"));
    WAIT(r, logged(r, "LINE bob hello there"));
    WAIT(r, logged(r, "AFTER 3"));
    WAIT(r, logged(r, "CLOSED "));
    WAIT(r, !r->b.show.open);
    assert_true(logged(r, "THREE"));
    assert_false(logged(r, "FOUR"));
    assert_true(logged(r, "there is no event nonsense"));
    end(r);
}

static void test_hooks(void **state)
{
    struct rig *r = *state;
    start(r, "sakuga.hook('submit', function(p)\n"
             "  if p.text:find('hold') then return 'hold', 'it says hold' end\n"
             "  if p.text:find('never') then return 'refuse', 'not that' end\n"
             "  if p.text:find('broken') then error('oh') end\n"
             "  if p.text:find('forever') then while true do end end\n"
             "  if p.text:find('odd') then return 'maybe' end\n"
             "end)\n");
    r->b.show.set.prompt_gate = GATE_AUTO;
    say(r, "a", "!anime fine", NULL);
    assert_int_equal(prompt(r, 1)->state, PROMPT_APPROVED);
    say(r, "a", "!anime hold it", NULL);
    assert_int_equal(prompt(r, 2)->state, PROMPT_HELD);
    assert_string_equal(prompt(r, 2)->reason, "it says hold");
    say(r, "a", "!anime never", "not that");
    say(r, "a", "!anime broken", NULL);
    assert_int_equal(prompt(r, 3)->state, PROMPT_HELD);
    say(r, "a", "!anime forever", NULL);
    assert_int_equal(prompt(r, 4)->state, PROMPT_HELD);
    say(r, "a", "!anime odd", NULL);
    assert_int_equal(prompt(r, 5)->state, PROMPT_HELD);
    assert_int_equal(r->b.show.last_id, 5);
    end(r);
}

static void test_rights(void **state)
{
    struct rig *r = *state;
    start(r,
          "sakuga.command{ name = 'run', run = function(ctx, args)\n"
          "  local ok, words, name = ctx:run(args) ctx:reply(tostring(ok) .. ': ' .. words) end }\n"
          "sakuga.command{ name = 'mods', role = 'moderator', run = function(ctx)\n"
          "  ctx:reply('for mods') end }\n"
          "sakuga.command{ name = 'cool', cooldown = 60, run = function(ctx, args)\n"
          "  ctx:reply('cool') if args == 'no' then return false end end }\n"
          "sakuga.command{ name = 'coolvote', cooldown = 60, run = function(ctx, args)\n"
          "  local _, words = ctx:vote(99) ctx:reply(words) end }\n");
    say(r, "aki", "!anime a fox", NULL);
    say(r, "bob", "!run approve 1", "false: approve is for moderators");
    for (size_t i = 0; i < 5; i++) {
        static const char *const never[] = {"air 1", "resume", "undo", "quit", "say x y"};
        char line[40];
        snprintf(line, sizeof line, "!run %s", never[i]);
        say_as(r, "boss", ROLE_OPERATOR, line, NULL);
        if (strncmp(r->text, "false: there is no command", 26))
            fail_msg("%s: %s", line, r->text);
    }
    say_as(r, "boss", ROLE_OPERATOR, "!run edit 1 nonsense", "false: edit is for operators");
    assert_string_equal(prompt(r, 1)->text, "a fox");
    say_as(r, "mod", ROLE_MODERATOR, "!run approve 1", NULL);
    assert_int_equal(prompt(r, 1)->state, PROMPT_APPROVED);
    say(r, "bob", "!mods", "");
    say_as(r, "mod", ROLE_MODERATOR, "!mods", "for mods");
    say(r, "bob", "!cool", "cool");
    say(r, "bob", "!cool", "");
    say(r, "eve", "!cool", "cool");
    say(r, "bob", "!cool no", "cool");
    say(r, "bob", "!cool no", "cool"); /* false spends nothing */
    say(r, "bob", "!coolvote", "#99 is not waiting in the queue");
    say(r, "bob", "!coolvote", "#99 is not waiting in the queue"); /* nor does a refusal */
    end(r);
}

/* Memory of what cools down is bounded: a flood of requests, each another one. */
static void test_cooling_flood(void **state)
{
    struct rig *r = *state;
    char line[8000];
    start(r, "sakuga.command{ name = 'cool', cooldown = 60, run = function(ctx)\n"
             "  ctx:reply('cool') end }\n");
    memset(line, 'x', sizeof line);
    for (int i = 0; i < 6000; i++) {
        int n = sprintf(line, "!cool %d", i);
        line[n] = ' ';
        line[sizeof line - 1] = '\0';
        send_as(r, "bob", ROLE_VIEWER, line);
        if (i % 50 == 0)
            WAIT(r, r->answers > i);
    }
    WAIT(r, r->answers == 6000);
    assert_int_equal(script_figures(r->s).fallback, 0); /* none of them failed */
    say(r, "eve", "!cool", "cool");
    say(r, "eve", "!cool", "");
    end(r);
}

static int rig_new(void **state)
{
    *state = calloc(1, sizeof(struct rig));
    return *state ? 0 : -1;
}

static int rig_free(void **state)
{
    log_remove_sink(on_log, *state); /* a test that failed has left it */
    free(*state);
    return 0;
}

#define T(f) cmocka_unit_test_setup_teardown(f, rig_new, rig_free)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(test_stock_commands),
        T(test_styles),
        T(test_bad_styles),
        T(test_reachable),
        T(test_scripts_are_apart),
        T(test_errors),
        T(test_failing_anime),
        T(test_file_does_not_load),
        T(test_stuck),
        T(test_late_submit_is_void),
        T(test_slow_disk),
        T(test_end_while_stuck),
        T(test_flood),
        T(test_reload),
        T(test_reload_while_waiting),
        T(test_no_prelude),
        T(test_values),
        T(test_timers_and_events),
        T(test_hooks),
        T(test_rights),
        T(test_cooling_flood),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
