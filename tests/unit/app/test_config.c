#include "unit.h"

#include "app/config.h"
#include "base/log.h"

#include <sys/stat.h>
#include <unistd.h>

static struct config c;
static struct fault f;

static enum err parse(const char *text)
{
    f = (struct fault){0};
    config_defaults(&c);
    return config_parse(&c, text, strlen(text), "show.lua", "/cfg", &f);
}

static void good(const char *text)
{
    if (parse(text))
        fail_msg("%s: %s", text, fault_text(&f));
}

static void bad(const char *text, const char *said)
{
    if (!parse(text))
        fail_msg("%s was taken", text);
    if (!strstr(f.text, said))
        fail_msg("%s: \"%s\" is not in: %s", text, said, fault_text(&f));
}

static void every_key_is_read(void **state)
{
    (void)state;
    good("return { chat = { { kind = 'irc', url = 'ircs://h:1/#c', nick = 'n', ca = 'x.pem',"
         " secret = 's' }, { kind = 'simulated', seed = 9, rate = 2.5 } },"
         " obs = { url = 'ws://h:1', paths = { ['/a'] = 'Z:/a' } },"
         " engine = { kind = 'wan', model = 'm', device = 'cpu', threads = 2, width = 640,"
         " height = 352, frames = 33, steps = 4, guidance = 1, shift = 3, sampler = 'euler',"
         " teacache = 0.25, tile = 192 },"
         " gates = { prompt = 'auto', clip = 'auto' },"
         " limits = { per_viewer = 2, cooldown = 3, queue = 4, length = 5, eta = 6, vault = 7,"
         " disk = 8 }, stage = { result_dwell = 1.5, gallery_dwell = 2.5, label = 'made' },"
         " scripts = { 'a', 'b', 'c' }, theme = 'mono' }");
    assert_int_equal(c.chat_count, 2);
    assert_string_equal(c.chat[0].url, "ircs://h:1/#c");
    assert_string_equal(c.chat[0].nick, "n");
    assert_string_equal(c.chat[0].ca, "/cfg/x.pem"); /* relative to the file */
    assert_string_equal(c.chat[0].secret, "s");
    assert_string_equal(c.chat[1].kind, "simulated");
    assert_int_equal(c.chat[1].seed, 9);
    assert_true(c.chat[1].rate == 2.5);
    assert_string_equal(c.obs_url, "ws://h:1");
    assert_string_equal(c.engine_kind, "wan");
    assert_string_equal(c.engine_model, "/cfg/m"); /* relative to the file */
    assert_string_equal(c.engine_device, "cpu");
    assert_string_equal(c.engine_sampler, "euler");
    assert_int_equal(c.engine_threads, 2);
    assert_int_equal(c.engine_width, 640);
    assert_int_equal(c.engine_height, 352);
    assert_int_equal(c.engine_frames, 33);
    assert_int_equal(c.engine_steps, 4);
    assert_true(c.engine_teacache == 0.25);
    assert_int_equal(c.engine_tile, 192);
    assert_true(c.engine_guidance == 1 && c.engine_shift == 3);
    assert_int_equal(c.map_count, 1);
    assert_string_equal(c.maps[0].from, "/a");
    assert_string_equal(c.maps[0].to, "Z:/a");
    assert_int_equal(c.show.prompt_gate, GATE_AUTO);
    assert_int_equal(c.show.clip_gate, GATE_AUTO);
    assert_int_equal(c.show.per_viewer, 2);
    assert_int_equal(c.show.cooldown_s, 3);
    assert_int_equal(c.show.queue, 4);
    assert_int_equal(c.show.length, 5);
    assert_int_equal(c.show.max_eta_s, 6);
    assert_int_equal(c.show.vault_bytes, 7);
    assert_int_equal(c.show.disk_reserve, 8);
    assert_true(c.result_dwell_s == 1.5 && c.gallery_dwell_s == 2.5);
    assert_string_equal(c.show.label, "made");
    assert_int_equal(c.script_count, 3);
    assert_string_equal(c.theme, "mono");
}

/* The defaults that the manual shows are the defaults. */
static void defaults_are_what_the_table_says(void **state)
{
    const char *path, *shown, *help;
    struct config bare;
    (void)state;
    good("return {}");
    bare = c;
    assert_int_equal(bare.chat_count, 0);
    assert_int_equal(bare.show.prompt_gate, GATE_OPERATOR);
    for (int i = 0; config_key(i, &path, &shown, &help); i++) {
        char text[300];
        const char *dot = strchr(path, '.');
        assert_true(help[0] != '\0');
        if (!shown[0] || strchr(path, '[') || !strcmp(shown, "{}"))
            continue;
        if (dot)
            snprintf(text, sizeof text, "return { %.*s = { %s = %s } }", (int)(dot - path), path,
                     dot + 1, shown);
        else
            snprintf(text, sizeof text, "return { %s = %s }", path, shown);
        good(text);
        if (memcmp(&c, &bare, sizeof c) != 0)
            fail_msg("%s is not the default", text);
    }
}

static void what_makes_no_sense_is_named(void **state)
{
    (void)state;
    bad("return 3", "must return a table, not a number");
    bad("return", "must return a table");
    bad("return {", "show.lua:1:");
    bad("error('no')", "no");
    bad("return { limits = { quue = 3 } }", "show.lua:1: limits.quue: there is no such key; the "
                                            "nearest one is limits.queue");
    bad("return { [1] = 3 }", "a key that is not a name");
    bad("return { limits = { queue = '3' } }", "a number is expected, not a string");
    bad("return { limits = { queue = 1.5 } }", "not a whole number");
    bad("return { engine = { kind = 'wan' } }", "needs model = FOLDER");
    bad("return { engine = { kind = 'remote' } }", "one of: animatic wan");
    bad("return { engine = { width = 650 } }", "engine.width: 650 x 480");
    bad("return { engine = { height = 470 } }", "engine.height: 832 x 470");
    bad("return { engine = { frames = 80 } }", "use 1, 5, 9");
    bad("return { engine = { tile = 100 } }", "use multiples of 32");
    bad("return { engine = { tile = 32 } }", "engine.tile: 32");
    bad("return { engine = { teacache = -1 } }", "engine.teacache");
    bad("return { engine = { sampler = 'magic' } }", "one of: unipc dpm++ euler lcm");
    bad("return { engine = { device = 'abacus' } }", "one of: auto cpu cuda");
    bad("return { engine = { modell = 'x' } }", "the nearest one is engine.model");
    bad("return { limits = { queue = -1 } }", "out of range");
    bad("return { limits = { queue = 0/0 } }", "out of range");
    bad("return { limits = { queue = 1/0 } }", "out of range");
    bad("return { limits = 3 }", "a table is expected, not a number");
    bad("return { gates = { clip = 'Auto' } }", "one of: operator auto");
    bad("return { stage = { label = 'a\\0b' } }", "NUL");
    bad("return { stage = { label = ('x'):rep(500) } }", "longer than 119 bytes");
    bad("return { chat = { kind = 'irc' } }", "must be a list");
    bad("return { chat = { { kind = 'irc' } } }", "needs url");
    bad("return { chat = { 3 } }", "chat[1]: a table is expected");
    bad("return { chat = { {}, {}, {}, {}, {}, {}, {}, {}, {} } }", "9 entries");
    bad("return { scripts = { 'a', 3 } }", "scripts[2]: a string is expected");
    bad("return { obs = { paths = { 3 } } }", "strings to strings");
    bad("return { ['limits.queue'] = 3 }", "no such key"); /* not a way around the tables */
    bad("return { ['chat[1].url'] = 'x' }", "no such key");
    bad("return { ['theme\\0x'] = 'mono' }", "no such key");
}

static void the_file_is_run_on_a_leash(void **state)
{
    (void)state;
    bad("while true do end", "runs too long");
    bad("while true do pcall(function() while true do end end) end", "runs too long");
    bad("local t = {} while true do t[#t + 1] = ('x'):rep(1 << 20) end", "not enough memory");
    bad("return { theme = ('x'):rep(1 << 40) }", "");
    bad("os.execute('true')", "os");
    bad("io.open('/etc/passwd')", "io");
    bad("require 'x'", "require");
    bad("return load('return {}')()", "load");
    bad("\x1bLua", "binary chunk");
}

static void the_line_is_named(void **state)
{
    (void)state;
    bad("return {\n stage = { label = 'return to sender' },\n\n limits = { queue = true } }",
        "show.lua:4: limits.queue");
    bad("local l = { queue = true }\nreturn { limits = l }", "show.lua: limits.queue");
}

static void secrets_are_lines(void **state)
{
    (void)state;
    config_defaults(&c);
    f = (struct fault){0};
    assert_int_equal(config_parse_secrets(&c,
                                          "# a comment\n\n obs.password =  pass word = x \r\n"
                                          "irc.password=oauth:abc",
                                          "secrets.conf", &f),
                     ERR_OK);
    assert_string_equal(config_secret(&c, "obs.password"), "pass word = x");
    assert_string_equal(config_secret(&c, "irc.password"), "oauth:abc");
    assert_string_equal(config_secret(&c, "nobody.password"), "");
    assert_int_equal(config_parse_secrets(&c, "a = b\nnonsense", "secrets.conf", &f), ERR_SYNTAX);
    assert_non_null(strstr(f.text, "secrets.conf:2"));
    assert_null(strstr(f.text, "nonsense")); /* it may be one */
    char many[1000] = "";
    for (int i = 0; i < 60; i++)
        strcat(many, "a = b\n");
    assert_int_equal(config_parse_secrets(&c, many, "secrets.conf", &f), ERR_LIMIT);
    char text[64] = "the password is oauth:abc!";
    log_redact(text, sizeof text);
    assert_null(strstr(text, "oauth:abc"));
    log_close();
}

static void write_file(const char *dir, const char *name, const char *text, unsigned mode)
{
    char path[PATH_LEN];
    path_join(path, sizeof path, dir, name);
    assert_int_equal(path_write(path, text, strlen(text), mode, NULL), ERR_OK);
}

static void the_folder_decides(void **state)
{
    char dir[] = "/tmp/sakuga-config-XXXXXX", command[256];
    static struct paths p;
    (void)state;
    assert_non_null(mkdtemp(dir));
    strcpy(p.config, dir);
    assert_int_equal(config_load(&c, &p, &f), ERR_OK);
    assert_false(c.from_file); /* the demo */
    assert_string_equal(c.chat[0].kind, "simulated");
    write_file(dir, "show.lua", "return { theme = 'mono' }", 0600);
    write_file(dir, "secrets.conf", "obs.password = x\n", 0600);
    assert_int_equal(config_load(&c, &p, &f), ERR_OK);
    assert_true(c.from_file);
    assert_int_equal(c.chat_count, 0);
    assert_string_equal(config_secret(&c, "obs.password"), "x");
    static const unsigned modes[] = {0640, 0604, 0620, 0644};
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
        write_file(dir, "secrets.conf", "obs.password = x\n", modes[i]);
        assert_int_equal(config_load(&c, &p, &f), ERR_DENIED);
        assert_non_null(strstr(f.text, "chmod 600"));
    }
    if (geteuid() == 0) { /* private, but another's: chmod would not mend that */
        write_file(dir, "secrets.conf", "obs.password = x\n", 0600);
        snprintf(command, sizeof command, "chown 65534 %s/secrets.conf", dir);
        assert_int_equal(system(command), 0);
        assert_int_equal(config_load(&c, &p, &f), ERR_DENIED);
        assert_non_null(strstr(f.text, "another user"));
    }
    snprintf(command, sizeof command, "rm %s/secrets.conf", dir);
    assert_int_equal(system(command), 0);
    snprintf(command, sizeof command, "rm %s/show.lua && mkdir %s/show.lua", dir, dir);
    assert_int_equal(system(command), 0);
    assert_int_not_equal(config_load(&c, &p, &f), ERR_OK); /* there, but unreadable: no demo */
    snprintf(command, sizeof command, "rm -r %s", dir);
    assert_int_equal(system(command), 0);
    assert_int_equal(config_load(&c, &p, &f), ERR_OK); /* the default folder need not be there */
    assert_false(c.from_file);
    p.config_named = true; /* one that was named does: a slip of the pen is not the demo's show */
    assert_int_equal(config_load(&c, &p, &f), ERR_NOTFOUND);
    assert_non_null(strstr(f.text, dir));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_key_is_read),
        cmocka_unit_test(defaults_are_what_the_table_says),
        cmocka_unit_test(what_makes_no_sense_is_named),
        cmocka_unit_test(the_file_is_run_on_a_leash),
        cmocka_unit_test(the_line_is_named),
        cmocka_unit_test(secrets_are_lines),
        cmocka_unit_test(the_folder_decides),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
