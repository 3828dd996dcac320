/* A mix of chat through everything: IRC lines in (95 % chat, 5 % commands, half of those prompts
 * that are accepted and stored), through parser, scripts, desk and a real store on the disk of
 * $TMPDIR. mix:      no script listens to plain lines, as in a show with the stock scripts;
 *   listened: one counts them.
 * Then one command at a time: how long a viewer's answer takes. And does memory stay flat? The
 * prompts are rejected by the operator in bulk, as a show would, so that the queue has an end.
 * usage: bench_show LUA-FOLDER. Prints figures; judges nothing. */
#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "chat/ircline.h"
#include "chat/ircwho.h"
#include "loop/loop.h"
#include "script/script.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LINES 1000000
#define BATCH 500       /* lines that one read of the socket brings */
#define ON_THE_WAY 2000 /* commands that may wait before the source is read on */
#define KEPT 200        /* prompts held before the operator rejects them */

struct rig {
    struct loop *loop;
    struct show show;
    struct store *store;
    struct wake *wake;
    struct desk *desk;
    struct commands *cs;
    struct script *script;
    struct paths paths;
    struct buf clean;
    uint64_t sent, answered, accepted, failed;
    int waiting;
};

static void woke(void *user)
{
    struct rig *r = user;
    desk_committed(r->desk);
}

static void wake_store(void *user)
{
    struct rig *r = user;
    wake_send(r->wake);
}

static void nothing(void *user)
{
    (void)user;
}

static bool never(void *user)
{
    (void)user;
    return false;
}

static const struct desk_ops ops = {.engine_free = never,
                                    .stage_free = never,
                                    .panic = nothing,
                                    .resume = nothing,
                                    .quit = nothing};

static void answered(void *user, enum err e, int64_t id, const char *text)
{
    struct rig *r = user;
    (void)text;
    r->waiting--;
    r->answered++;
    r->accepted += !e && id > 0;
    r->failed += e != ERR_OK;
}

static void take(struct rig *r, const struct ircline *l)
{
    struct chat_line line = {.channel = "#show", .msgid = "", .source = -1};
    if (strcmp(l->command, "PRIVMSG") || !ircwho_viewer(l, NULL, &line.who))
        return;
    const char *text = ircline_param(l, 1);
    buf_reset(&r->clean);
    if (!text_clean(&r->clean, text, strlen(text)) || !r->clean.len)
        return;
    line.text = buf_str(&r->clean);
    r->sent++;
    if (line.text[0] == '!') {
        r->waiting++;
        script_line(r->script, r->cs, &line, (struct answer){answered, r});
    } else {
        script_line(r->script, r->cs, &line, (struct answer){0});
    }
}

static bool on_split(void *user, char *line, size_t n)
{
    struct ircline l;
    if (ircline_parse(line, n, &l))
        take(user, &l);
    return true;
}

static void one_line(struct buf *b, int i)
{
    static const char *const chat[] = {
        "hello chat",   "that was so good",        "lol",
        "雨の駅が好き", "petition for more foxes", "how long is the queue?"};
    static const char *const asked[] = {"!mine", "!queue", "!help vote", "!anime"};
    int who = i % 900;
    buf_addf(b, ":viewer%d!viewer%d@viewer%d.example.net PRIVMSG #show :", who, who, who);
    if (i % 20)
        buf_addf(b, "%s %d\r\n", chat[i % 6], i);
    else if (i % 40)
        buf_addf(b, "!anime a fox and %d lanterns in the rain\r\n", i);
    else
        buf_addf(b, "%s\r\n", asked[i / 40 % 4]);
}

static void reject_held(struct rig *r)
{
    const struct prompt *p = show_first(&r->show, PROMPT_HELD);
    for (int n = 0; r->show.count[PROMPT_HELD] > KEPT && p && n < KEPT; n++) {
        int64_t id = p->id;
        p = show_next(&r->show, p);
        desk_decide(r->desk, DESK_REJECT, id, "operator", "bench", (struct answer){0});
    }
}

static void settle(struct rig *r, int waiting)
{
    int64_t until = clock_mono_ms() + 60000;
    while (r->waiting > waiting && clock_mono_ms() < until)
        loop_step(r->loop, 5);
    if (r->waiting > waiting) {
        fprintf(stderr, "bench_show: answers are missing\n");
        exit(1);
    }
}

static long resident_kb(void)
{
    long pages = 0, skip;
    FILE *f = fopen("/proc/self/statm", "r");
    if (!f || fscanf(f, "%ld %ld", &skip, &pages) != 2)
        pages = 0;
    if (f)
        fclose(f);
    return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

static void open_show(struct rig *r, const char *lua, const char *extra)
{
    struct fault f = {0};
    char dir[PATH_LEN], prelude[PATH_LEN], path[PATH_LEN];
    const char *tmp = getenv("TMPDIR");
    snprintf(dir, sizeof dir, "%s/sakuga-bench-XXXXXX", tmp ? tmp : "/tmp");
    *r = (struct rig){.clean = BUF_INIT(65536)};
    if (!mkdtemp(dir) || paths_init(&r->paths, dir, dir, &f) || show_init(&r->show))
        goto bad;
    path_mkdirs(r->paths.vault, 0700, &f);
    path_mkdirs(r->paths.air, 0700, &f);
    r->show.set.cooldown_s = 0;
    r->show.set.per_viewer = 0;
    r->show.set.queue = 0;
    r->show.set.disk_reserve = 0;
    path_join(path, sizeof path, dir, "extra.lua");
    path_write(path, extra, strlen(extra), 0600, &f);
    r->loop = loop_new(&f);
    r->wake = r->loop ? wake_new(r->loop, "store", woke, r) : NULL;
    r->store = r->wake ? store_open(r->paths.db, NULL, wake_store, r, &f) : NULL;
    r->desk = r->store ? desk_new(&r->show, r->store, &r->paths, &ops, r) : NULL;
    if (!r->desk || desk_recover(r->desk, &f))
        goto bad;
    r->cs = commands_new(r->desk, &r->show);
    path_join(prelude, sizeof prelude, lua, "prelude.lua");
    const char *names[] = {"commands", "styles", "extra"}, *dirs[] = {dir, lua};
    struct script_config c = {prelude, names, 3, dirs, 2};
    r->script = script_new(r->loop, r->cs, &c, values_new(), &f);
    if (!r->script)
        goto bad;
    script_settle(r->script, 5000);
    if (!r->show.script_why[0])
        return;
    fault_set(&f, ERR_SYNTAX, "%s", r->show.script_why);
bad:
    fprintf(stderr, "bench_show: %s\n", fault_text(&f));
    exit(1);
}

static void close_show(struct rig *r)
{
    char command[PATH_LEN + 16];
    script_free(r->script);
    desk_finish(r->desk);
    store_close(r->store);
    desk_free(r->desk);
    commands_free(r->cs);
    wake_free(r->wake);
    loop_free(r->loop);
    show_free(&r->show);
    buf_free(&r->clean);
    snprintf(command, sizeof command, "rm -r '%s'", r->paths.data);
    if (system(command))
        exit(1);
}

static void mix(const char *name, const char *lua, const char *extra)
{
    struct rig r;
    struct ircsplit split = {0};
    struct buf batch = BUF_INIT(0);
    long kb = 0;
    open_show(&r, lua, extra);
    int64_t began = clock_mono_us();
    for (int i = 0; i < LINES; i += BATCH) {
        buf_reset(&batch);
        for (int j = 0; j < BATCH; j++)
            one_line(&batch, i + j);
        ircsplit_feed(&split, batch.data, batch.len, on_split, &r);
        loop_step(r.loop, 0);
        settle(&r, ON_THE_WAY);
        reject_held(&r);
        if (i == LINES / 2) /* warm */
            kb = resident_kb();
    }
    settle(&r, 0);
    int64_t us = clock_mono_us() - began;
    struct script_figures f = script_figures(r.script);
    printf(
        "%-9s %7.0f lines/s; %llu prompts stored, %llu refused; handed to Lua: %llu commands, %llu "
        "lines (%llu dropped), %llu answered by the built-in commands; %+ld KiB resident since "
        "line "
        "%d, %ld in all\n",
        name, LINES / ((double)us / 1e6), (unsigned long long)r.accepted,
        (unsigned long long)r.failed, (unsigned long long)f.commands, (unsigned long long)f.lines,
        (unsigned long long)f.dropped, (unsigned long long)f.fallback, resident_kb() - kb,
        LINES / 2, resident_kb());
    ircsplit_free(&split);
    buf_free(&batch);
    close_show(&r);
}

static int by_size(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static void one_at_a_time(const char *lua, const char *text)
{
    enum { N = 2000 };
    static int64_t us[N];
    struct rig r;
    struct chat_line line = {.channel = "#show", .msgid = "", .source = -1, .text = text};
    open_show(&r, lua, "");
    strcpy(line.who.platform, "irc");
    strcpy(line.who.uid, "viewer");
    strcpy(line.who.name, "viewer");
    for (int i = 0; i < N; i++) {
        int64_t began = clock_mono_us();
        r.waiting++;
        script_line(r.script, r.cs, &line, (struct answer){answered, &r});
        settle(&r, 0);
        us[i] = clock_mono_us() - began;
        reject_held(&r);
    }
    qsort(us, N, sizeof *us, by_size);
    printf("%-9s answered in %lld us (median), %lld us (99 of 100)\n", text, (long long)us[N / 2],
           (long long)us[N * 99 / 100]);
    close_show(&r);
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: bench_show LUA-FOLDER\n");
        return 2;
    }
    log_set_level(LOG_ERROR);
    mix("mix", argv[1], "");
    mix("listened", argv[1], "local n = 0 sakuga.on('line', function(l) n = n + #l.text end)");
    one_at_a_time(argv[1], "!queue");
    one_at_a_time(argv[1], "!anime a fox");
    return 0;
}
