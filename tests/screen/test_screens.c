/* Screens of the console with the keys that lead to them, in tests/screen/NAME.t.
 *
 * Each script runs on a real desk with a real store, a cell grid instead of a terminal, and a clock
 * that stands still unless the script moves it. A line is a step; `screen` is followed by what must
 * be seen: lines `|text|`, then lines `~styles~` with one letter a cell (a role of tui/look.h in
 * its order, a = text, b = dim, …; upper case where the cell has a ground of its own; blank = the
 * terminal's own). UPDATE=1 rewrites what is expected.
 *
 *   size W H            look ascii|no-colour|THEME        time MS
 *   say VIEWER TEXT     audience N                        key NAME…
 *   type TEXT           typing MS (between its keys, 60)  paste TEXT (\n and \e are told)
 *   do COMMAND (as ctl, not as the console)
 *   drawn good|bad      engine down|idle|draw PERCENT STAGE ETA_MS
 *   obs SCENE MS | off  chat ok|deaf SECONDS              picture preview|review|program
 *   on-air | off-air    lamp disk|store|script|script-error   log TEXT
 *   screen
 */
#include "unit/desk/desk_bench.h"

#include "base/text.h"
#include "command/command.h"
#include "tui/tui.h"

#include <dirent.h>
#include <stdlib.h>

#define UTC0 1795363200000LL /* 2026-11-22T16:00:00Z */

struct stage {
    struct bench b;
    struct commands *commands;
    struct look look;
    struct tui *tui;
    struct grid grid;
    int64_t reviewing;
    int typing_ms; /* between two keys of `type` */
    const char *file;
    int line;
};

static struct tui_time now(void)
{
    return (struct tui_time){clock_mono_ms(), clock_utc_ms()};
}

/* ---- what the console asks for ---- */

static void run_as(struct stage *s, enum command_from from, const char *line, struct answer a)
{
    struct origin o = {.from = from, .source = -1, .msgid = ""};
    o.who.role = ROLE_OPERATOR;
    command_run(s->commands, &o, line, a);
    bench_settle(&s->b);
}

static void run(void *user, const char *line, struct answer a)
{
    run_as(user, FROM_KEY, line, a);
}

static void review(void *user, int64_t id, int w, int h)
{
    struct stage *s = user;
    const struct prompt *p = id ? show_find(&s->b.show, id) : NULL;
    if (id && (!p || p->state != PROMPT_REVIEW || w < 2 || h < 2))
        fail_msg("%s:%d: asked to play #%lld at %dx%d", s->file, s->line, (long long)id, w, h);
    s->reviewing = id;
}

static void nothing(void *user)
{
    (void)user;
}

static const struct tui_ops ops = {run, review, nothing, nothing};

/* ---- steps ---- */

static void open_tui(struct stage *s)
{
    tui_free(s->tui);
    s->tui = tui_new(&s->b.show, s->commands, &s->look, &ops, s);
    assert_non_null(s->tui);
}

static void look(struct stage *s, const char *what)
{
    struct fault f = {0};
    if (!strcmp(what, "ascii"))
        s->look.ascii = true;
    else if (!strcmp(what, "no-colour"))
        s->look.colour = false;
    else if (look_load(&s->look, SRCDIR "/themes", what, &f))
        fail_msg("%s:%d: %s", s->file, s->line, fault_text(&f));
    open_tui(s);
}

/* Seeds are drawn by chance; on these screens they follow from the id. */
static void fix_seeds(struct stage *s)
{
    for (int st = 0; st < PROMPT_STATES; st++)
        for (const struct prompt *p = show_first(&s->b.show, (enum prompt_state)st); p;
             p = show_next(&s->b.show, p))
            ((struct prompt *)p)->seed = (uint64_t)p->id * 1111;
}

static void say(struct stage *s, const char *rest)
{
    char who[64];
    size_t n = strcspn(rest, " ");
    snprintf(who, sizeof who, "%.*s", (int)n, rest);
    bench_submit(&s->b, who, rest + n + (rest[n] == ' '));
    bench_settle(&s->b);
    if (s->b.err)
        fail_msg("%s:%d: %s", s->file, s->line, s->b.text);
    s->b.show.chat[0].lines++;
}

static void audience(struct stage *s, int n)
{
    for (int i = 0; i < n; i++) {
        char who[32], text[64];
        snprintf(who, sizeof who, "viewer%d", i);
        snprintf(text, sizeof text, "wish number %d of the crowd", i + 1);
        bench_submit(&s->b, who, text);
    }
    bench_settle(&s->b);
}

static void keys(struct stage *s, char *names)
{
    char *save = NULL;
    for (char *k = strtok_r(names, " ", &save); k; k = strtok_r(NULL, " ", &save)) {
        tui_key(s->tui, strcmp(k, "Space") ? k : " ", now());
        tui_draw(s->tui, &s->grid, now());
        clock_advance(100); /* a hand */
    }
}

static void type(struct stage *s, const char *text)
{
    int cells;
    for (size_t n; (n = text_next(text, &cells)); text += n) {
        char key[80];
        snprintf(key, sizeof key, "%.*s", (int)n, text);
        tui_key(s->tui, key, now());
        clock_advance(s->typing_ms);
    }
}

static void paste(struct stage *s, const char *text)
{
    struct buf b = BUF_INIT(4096);
    for (; *text; text++) {
        if (text[0] == '\\' && (text[1] == 'n' || text[1] == 'e'))
            buf_addc(&b, *++text == 'n' ? '\n' : '\033');
        else
            buf_addc(&b, *text);
    }
    tui_paste(s->tui, buf_str(&b), b.len, now());
    buf_free(&b);
}

static void engine(struct stage *s, const char *how)
{
    struct engine_status *e = &s->b.show.engine;
    int percent = 0, eta = 0;
    *e = (struct engine_status){.kind = "animatic", .state = ENGINE_IDLE, .eta_ms = -1};
    strcpy(e->device.name, "cpu");
    e->device.util = 0.42;
    e->device.memory = 96000000;
    e->device.watts = e->device.celsius = -1;
    e->heard_ms = clock_mono_ms();
    if (!strcmp(how, "down")) {
        e->state = ENGINE_DOWN;
        strcpy(e->why, "the worker died: killed by signal 9");
    } else if (sscanf(how, "draw %d %23s %d", &percent, e->stage, &eta) == 3) {
        e->state = ENGINE_DRAWING;
        e->job = s->b.drawing;
        e->progress = percent / 100.0;
        e->eta_ms = eta;
    }
}

static void obs(struct stage *s, const char *how)
{
    struct obs_status *o = &s->b.show.obs;
    *o = (struct obs_status){.configured = true, .heard_ms = clock_mono_ms()};
    if (!strcmp(how, "off")) {
        strcpy(o->why, "connection refused by 127.0.0.1:4455: start OBS");
        return;
    }
    o->connected = true;
    if (sscanf(how, "%100s %d", o->scene, &o->latency_ms) != 2)
        fail_msg("%s:%d: obs SCENE MS", s->file, s->line);
    o->stage = STAGE_GALLERY;
    for (int i = 0; i < STAGE_SCENES; i++) /* another scene is the operator's own */
        if (strstr(o->scene, stage_scene_name((enum stage_scene)i)))
            o->stage = (enum stage_scene)i;
}

static void chat(struct stage *s, const char *how)
{
    struct chat_status *c = &s->b.show.chat[0];
    int deaf = 0;
    s->b.show.chat_count = 1;
    strcpy(c->kind, "irc");
    sscanf(how, "deaf %d", &deaf);
    c->connected = !deaf;
    c->heard_ms = clock_mono_ms() - deaf * 1000;
}

static void picture(struct stage *s, const char *which)
{
    uint8_t rgb[52 * 30 * 3];
    struct show *show = &s->b.show;
    struct picture *to = !strcmp(which, "preview")  ? &show->preview
                         : !strcmp(which, "review") ? &show->review
                                                    : &show->program;
    for (int y = 0; y < 30; y++)
        for (int x = 0; x < 52; x++) {
            uint8_t *p = &rgb[(y * 52 + x) * 3];
            p[0] = (uint8_t)(x * 4);
            p[1] = (uint8_t)(y * 8);
            p[2] = 128;
        }
    picture_set(to, 52, 30, rgb, to == &show->preview ? s->b.drawing : s->reviewing);
}

static void lamp(struct stage *s, const char *which)
{
    if (!strcmp(which, "disk")) {
        s->b.show.disk_low = true;
        s->b.show.disk_free = 900000000;
    } else if (!strcmp(which, "store")) {
        s->b.show.store_failed = true;
    } else if (!strcmp(which, "script")) {
        s->b.show.script_late = true;
    } else if (!strcmp(which, "script-error")) {
        s->b.show.script_late = false;
        strcpy(s->b.show.script_why, "mine.lua:1: on purpose");
    } else {
        fail_msg("%s:%d: no lamp %s", s->file, s->line, which);
    }
}

static void on_air(struct stage *s, bool on)
{
    assert_int_not_equal(s->b.airing, 0);
    if (on) {
        s->b.cut = true;
        desk_on_air(s->b.desk, s->b.airing);
    } else {
        int64_t id = s->b.airing;
        s->b.airing = 0;
        desk_off_air(s->b.desk, id, true, "");
    }
    bench_settle(&s->b);
}

static bool step(struct stage *s, char *line)
{
    size_t n = strcspn(line, " ");
    char *rest = line + n + (line[n] == ' ');
    int w, h;
    line[n] = '\0';
    if (!strcmp(line, "size") && sscanf(rest, "%d %d", &w, &h) == 2)
        assert_int_equal(grid_resize(&s->grid, w, h), ERR_OK);
    else if (!strcmp(line, "look"))
        look(s, rest);
    else if (!strcmp(line, "typing"))
        s->typing_ms = atoi(rest);
    else if (!strcmp(line, "time"))
        clock_advance(atoi(rest));
    else if (!strcmp(line, "say"))
        say(s, rest);
    else if (!strcmp(line, "audience"))
        audience(s, atoi(rest));
    else if (!strcmp(line, "key"))
        keys(s, rest);
    else if (!strcmp(line, "type"))
        type(s, rest);
    else if (!strcmp(line, "paste"))
        paste(s, rest);
    else if (!strcmp(line, "do"))
        run_as(s, FROM_CTL, rest, ANSWER(&s->b));
    else if (!strcmp(line, "drawn"))
        bench_drawn(&s->b, !strcmp(rest, "good"));
    else if (!strcmp(line, "engine"))
        engine(s, rest);
    else if (!strcmp(line, "obs"))
        obs(s, rest);
    else if (!strcmp(line, "chat"))
        chat(s, rest);
    else if (!strcmp(line, "picture"))
        picture(s, rest);
    else if (!strcmp(line, "lamp"))
        lamp(s, rest);
    else if (!strcmp(line, "on-air") || !strcmp(line, "off-air"))
        on_air(s, line[1] == 'n');
    else if (!strcmp(line, "log"))
        tui_log(s->tui, &(struct log_line){clock_utc_ms(), LOG_WARN, "obs", rest});
    else
        return false;
    bench_settle(&s->b);
    fix_seeds(s);
    return true;
}

/* ---- the screen as text ---- */

static char style_of(const struct stage *s, const struct cell *c)
{
    bool ground = c->ink.bg != COLOUR_DEFAULT;
    for (int i = 0; i < LOOK_COUNT; i++) {
        const struct ink *k = &s->look.ink[i];
        bool own = k->bg != COLOUR_KEEP;
        if (k->fg == c->ink.fg && k->attr == c->ink.attr && (!own || k->bg == c->ink.bg))
            return i == LOOK_TEXT && !ground ? ' ' : (char)((ground ? 'A' : 'a') + i);
    }
    return c->text[0] == (char)0xe2 && ground ? '%' : ground ? '#' : '?'; /* % a picture's */
}

static void print(const struct stage *s, struct buf *out)
{
    for (int y = 0; y < s->grid.h; y++) {
        buf_addc(out, '|');
        for (int x = 0; x < s->grid.w; x++)
            buf_adds(out, grid_at(&s->grid, x, y)->text);
        buf_adds(out, "|\n");
    }
    for (int y = 0; y < s->grid.h; y++) {
        buf_addc(out, '~');
        for (int x = 0; x < s->grid.w; x++)
            buf_addc(out, style_of(s, grid_at(&s->grid, x, y)));
        buf_adds(out, "~\n");
    }
    if (s->grid.cursor_x >= 0)
        buf_addf(out, "~ cursor %d %d\n", s->grid.cursor_x, s->grid.cursor_y);
}

/* ---- scripts ---- */

static void check(struct stage *s, const char *expected, size_t n, struct buf *rewritten)
{
    struct buf got = BUF_INIT(1 << 20);
    tui_draw(s->tui, &s->grid, now());
    print(s, &got);
    buf_add(rewritten, got.data, got.len);
    if (!getenv("UPDATE") && (n != got.len || memcmp(expected, got.data, n)))
        fail_msg("%s:%d: the screen is\n%s\nand should be\n%.*s", s->file, s->line, got.data,
                 (int)n, expected);
    buf_free(&got);
}

static void play(struct stage *s, const char *text, struct buf *rewritten)
{
    int screens = 0;
    while (*text) {
        char line[1024];
        size_t n = strcspn(text, "\n"), skip = n + (text[n] == '\n');
        snprintf(line, sizeof line, "%.*s", (int)n, text);
        buf_add(rewritten, text, skip);
        text += skip;
        s->line++;
        if (!line[0] || line[0] == '#')
            continue;
        if (strcmp(line, "screen")) {
            if (!step(s, line))
                fail_msg("%s:%d: no such step: %s", s->file, s->line, line);
            continue;
        }
        const char *from = text;
        int lines = 0;
        for (; *text == '|' || *text == '~'; lines++)
            text += strcspn(text, "\n") + 1;
        check(s, from, (size_t)(text - from), rewritten);
        s->line += lines;
        screens++;
    }
    if (!screens)
        fail_msg("%s shows no screen", s->file);
}

static void one(const char *path)
{
    static struct stage s;
    struct buf text = BUF_INIT(1 << 22), rewritten = BUF_INIT(1 << 22);
    struct fault f = {0};
    s = (struct stage){.file = path, .typing_ms = 60};
    clock_virtual(1000000, UTC0);
    if (path_read(path, 1 << 22, &text, &f))
        fail_msg("%s", fault_text(&f));
    bench_start(&s.b, NULL);
    s.b.show.disk_free = 212000000000;
    s.b.show.open = true;
    s.commands = commands_new(s.b.desk, &s.b.show);
    look_init(&s.look);
    grid_resize(&s.grid, 80, 24);
    engine(&s, "idle");
    chat(&s, "ok");
    open_tui(&s);
    play(&s, buf_str(&text), &rewritten);
    if (getenv("UPDATE"))
        assert_int_equal(path_write(path, rewritten.data, rewritten.len, 0644, &f), ERR_OK);
    tui_free(s.tui);
    grid_free(&s.grid);
    picture_clear(&s.b.show.preview);
    picture_clear(&s.b.show.review);
    picture_clear(&s.b.show.program);
    commands_free(s.commands);
    bench_end(&s.b);
    buf_free(&text);
    buf_free(&rewritten);
    clock_real();
}

static int is_script(const struct dirent *d)
{
    size_t n = strlen(d->d_name);
    return n > 2 && !strcmp(d->d_name + n - 2, ".t");
}

static void screens(void **state)
{
    struct dirent **names;
    const char *only = getenv("SCREEN");
    int n = scandir(SRCDIR "/tests/screen", &names, is_script, alphasort);
    (void)state;
    assert_true(n >= SCREENS_AT_LEAST);
    for (int i = 0; i < n; i++) {
        char path[1024];
        snprintf(path, sizeof path, "%s/tests/screen/%s", SRCDIR, names[i]->d_name);
        if (!only || !strcmp(only, names[i]->d_name)) {
            print_message("%s\n", names[i]->d_name);
            one(path);
        }
        free(names[i]);
    }
    free(names);
}

/* A thousand held prompts: one picture takes a fraction of a frame, and no key is lost. */
static void a_flood_stays_quick(void **state)
{
    static struct stage s;
    (void)state;
    s = (struct stage){.file = "flood"};
    bench_start(&s.b, NULL);
    s.commands = commands_new(s.b.desk, &s.b.show);
    look_init(&s.look);
    grid_resize(&s.grid, 200, 60);
    open_tui(&s);
    audience(&s, 1000);
    assert_int_equal(s.b.show.count[PROMPT_HELD], 1000);
    int64_t began = clock_mono_us();
    for (int i = 0; i < 100; i++) {
        tui_key(s.tui, "Down", now());
        tui_draw(s.tui, &s.grid, now());
    }
    int64_t each = (clock_mono_us() - began) / 100;
    print_message("key and picture with 1000 held: %lld us\n", (long long)each);
    assert_true(each < 30000); /* the frame of the worst case, with room for a busy machine */
    tui_key(s.tui, "G", now());
    tui_draw(s.tui, &s.grid, now());
    tui_free(s.tui);
    grid_free(&s.grid);
    commands_free(s.commands);
    bench_end(&s.b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(screens),
                                       cmocka_unit_test(a_flood_stays_quick)};
    setenv("TZ", "UTC", 1);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
