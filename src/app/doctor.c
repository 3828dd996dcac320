/* `sakuga doctor`: looks at everything a show needs and says what to do about what is missing. */
#include "app/house.h"
#include "app/modes.h"
#include "base/clock.h"
#include "base/log.h"
#include "chat/chat.h"
#include "engine/engine.h"
#include "loop/loop.h"
#include "loop/net.h"
#include "obs/session.h"
#include "tui/look.h"

#include <errno.h>
#include <langinfo.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PATIENCE_MS 8000

struct doctor {
    struct paths paths;
    struct config config;
    struct loop *loop;
    int bad;
    /* what came */
    bool engine_up, obs_up, obs_down;
    char obs_why[200];
    char device[96];
    char trouble[200];
};

static void good(const char *what, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void good(const char *what, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    printf("  ok    %-9s ", what);
    vprintf(fmt, ap);
    putchar('\n');
    va_end(ap);
}

static void bad(struct doctor *d, const char *what, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
static void bad(struct doctor *d, const char *what, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    d->bad++;
    printf("  BAD   %-9s ", what);
    vprintf(fmt, ap);
    putchar('\n');
    va_end(ap);
}

static void hint(const char *what, const char *text)
{
    printf("  note  %-9s %s\n", what, text);
}

static void terminal(struct doctor *d)
{
    const char *term = getenv("TERM"), *colour = getenv("COLORTERM");
    if (!isatty(STDOUT_FILENO)) {
        hint("terminal", "standard output is no terminal: `sakuga` would run headless");
        return;
    }
    if (!term || !strcmp(term, "dumb"))
        bad(d, "terminal", "TERM is %s; use a terminal that can place its cursor",
            term ? term : "not set");
    else if (strcmp(nl_langinfo(CODESET), "UTF-8"))
        bad(d, "terminal", "the locale's character set is %s; set LANG=C.UTF-8 or use --ascii",
            nl_langinfo(CODESET));
    else
        good("terminal", "%s, %s", term, colour && *colour ? colour : "256 colours or fewer");
}

static void files(struct doctor *d)
{
    struct fault f = {0};
    int64_t room;
    char chime[PATH_LEN];
    if (path_mkdirs(d->paths.data, 0700, &f))
        bad(d, "data", "%s", fault_text(&f));
    else if (access(d->paths.data, W_OK))
        bad(d, "data", "%s cannot be written; name another folder with --data", d->paths.data);
    else
        good("data", "%s", d->paths.data);
    room = path_free_bytes(d->paths.data);
    if (room >= 0 && room < d->config.show.disk_reserve)
        bad(d, "disk",
            "%lld MB are free, %lld are wanted: no job would start; make room or lower limits.disk",
            (long long)(room >> 20), (long long)(d->config.show.disk_reserve >> 20));
    else
        good("disk", "%lld GB free", (long long)(room >> 30));
    path_join(chime, sizeof chime, d->paths.assets, "chime.wav");
    if (access(chime, R_OK))
        bad(d, "assets", "%s is missing; install the program whole", chime);
    if (access(d->paths.lua, R_OK))
        bad(d, "lua", "%s is missing; install the program whole", d->paths.lua);
    if (access(d->paths.worker, X_OK))
        bad(d, "worker", "%s is missing; install the program whole", d->paths.worker);
}

static void theme(struct doctor *d)
{
    struct look look;
    struct fault f = {0};
    look_init(&look);
    if (look_load(&look, d->paths.themes, d->config.theme, &f))
        bad(d, "theme", "%s", fault_text(&f));
}

static void fonts(struct doctor *d)
{
    static const struct {
        const char *lang, *what, *package;
    } want[] = {{":lang=ja", "Japanese", "fonts-noto-cjk"},
                {":charset=1f98a", "emoji", "fonts-noto-color-emoji"}};
    for (size_t i = 0; i < sizeof want / sizeof *want; i++) {
        char command[128], line[256] = "";
        snprintf(command, sizeof command, "fc-list %s family 2>/dev/null", want[i].lang);
        FILE *p = popen(command, "r");
        if (p && fgets(line, sizeof line, p))
            line[strcspn(line, ",\n")] = '\0';
        if (p)
            pclose(p);
        if (line[0])
            good("fonts", "%s: %s", want[i].what, line);
        else
            bad(d, "fonts", "none for %s; apt-get install %s", want[i].what, want[i].package);
    }
}

static void on_state(void *user, const struct engine_status *s)
{
    struct doctor *d = user;
    d->engine_up = s->state == ENGINE_IDLE;
    snprintf(d->device, sizeof d->device, "%s", s->device.name);
    snprintf(d->trouble, sizeof d->trouble, "%s", s->why);
}

static bool wait_for(struct doctor *d, const bool *what, const bool *or_what)
{
    int64_t until = clock_mono_ms() + PATIENCE_MS;
    while (!*what && !(or_what && *or_what) && clock_mono_ms() < until)
        loop_step(d->loop, 50);
    return *what;
}

static void device(struct doctor *d)
{
    static const struct engine_ops ops = {.on_state = on_state};
    struct fault f = {0};
    struct engine_config c = {.kind = d->config.engine_kind,
                              .worker = d->paths.worker,
                              .vault = d->paths.data,
                              .model = d->config.engine_model,
                              .device = d->config.engine_device,
                              .dtype = d->config.engine_dtype,
                              .encoder = d->config.engine_encoder,
                              .threads = d->config.engine_threads};
    struct engine *e = engine_new(d->loop, &c, &ops, d, &f);
    if (!e) {
        bad(d, "engine", "%s", fault_text(&f));
        return;
    }
    engine_start(e);
    if (wait_for(d, &d->engine_up, NULL))
        good("engine", "%s on %s", c.kind, d->device[0] ? d->device : "this computer");
    else
        bad(d, "engine", "the worker did not start: %s", d->trouble);
    engine_free(e);
}

static void obs_is_up(void *user)
{
    struct doctor *d = user;
    d->obs_up = true;
}

static void obs_is_down(void *user, const char *why, bool gave_up)
{
    struct doctor *d = user;
    (void)gave_up;
    d->obs_down = true;
    snprintf(d->obs_why, sizeof d->obs_why, "%s", why);
}

static void obs(struct doctor *d)
{
    static const struct session_ops ops = {.on_up = obs_is_up, .on_down = obs_is_down};
    struct fault f = {0};
    if (!d->config.obs_url[0]) {
        hint("obs", "none is configured: clips are shown to nobody; obs = { url = "
                    "\"ws://127.0.0.1:4455\" }");
        return;
    }
    struct session *s = session_new(d->loop, d->config.obs_url,
                                    config_secret(&d->config, "obs.password"), &ops, d, &f);
    if (!s) {
        bad(d, "obs", "%s", fault_text(&f));
        return;
    }
    if (wait_for(d, &d->obs_up, &d->obs_down))
        good("obs", "%s answers", d->config.obs_url);
    else
        bad(d, "obs", "%s: %s", d->config.obs_url,
            d->obs_why[0] ? d->obs_why
                          : "no answer; start OBS and enable its WebSocket server (Tools)");
    session_free(s);
}

static void no_line(void *user, const struct chat_line *line)
{
    (void)user;
    (void)line;
}

static void no_withdrawal(void *user, const struct chat_withdrawal *w)
{
    (void)user;
    (void)w;
}

static void no_status(void *user, int source)
{
    (void)user;
    (void)source;
}

static void chat(struct doctor *d)
{
    static const struct chat_ops ops = {no_line, no_withdrawal, no_status};
    struct chat *c = chat_new(d->loop, &ops, d);
    for (int i = 0; c && i < d->config.chat_count; i++) {
        struct chat_settings s = intake_source(&d->config, i);
        struct fault f = {0};
        struct chat_status st = {0};
        int at = chat_add(c, &s, &f);
        int64_t until = clock_mono_ms() + PATIENCE_MS;
        while (at >= 0 && !st.connected && clock_mono_ms() < until) {
            loop_step(d->loop, 50);
            chat_status(c, at, &st);
        }
        if (at < 0)
            bad(d, "chat", "%s", fault_text(&f));
        else if (st.connected)
            good("chat", "%s", st.where);
        else
            bad(d, "chat", "%s: %s", st.where, st.why[0] ? st.why : "no answer");
    }
    if (!d->config.chat_count)
        hint("chat", "none is configured: only `sakuga ctl say` brings prompts");
    chat_free(c);
}

int mode_doctor(const struct options *o)
{
    static struct doctor d;
    struct fault f = {0};
    if (paths_init(&d.paths, o->config, o->data, &f)) {
        fprintf(stderr, "sakuga: %s\n", fault_text(&f));
        return 1;
    }
    log_set_level(LOG_ERROR);
    bool readable = !config_load(&d.config, &d.paths, &f);
    if (!readable) {
        bad(&d, "config", "%s", fault_text(&f));
        config_defaults(&d.config);
    } else if (d.config.from_file) {
        good("config", "%s/show.lua", d.paths.config);
    } else {
        hint("config", "there is no show.lua: the demo's settings are used");
    }
    terminal(&d);
    theme(&d);
    fonts(&d);
    files(&d);
    d.loop = loop_new(&f);
    if (!d.loop) {
        bad(&d, "loop", "%s", fault_text(&f));
        return 1;
    }
    device(&d);
    if (readable) {
        obs(&d);
        chat(&d);
    } else {
        hint("obs, chat", "not looked at before the config is mended");
    }
    session_shutdown(d.loop);
    net_shutdown(d.loop);
    loop_free(d.loop);
    printf(d.bad ? "%d thing%s to mend\n" : "the show can begin\n", d.bad, d.bad == 1 ? "" : "s");
    return d.bad ? 1 : 0;
}
