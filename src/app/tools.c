/* The verbs that need no show of their own: ctl, info, inspect, backup, obs setup. */
#include "app/config.h"
#include "app/modes.h"
#include "base/log.h"
#include "ctl/client.h"
#include "obs/setup.h"
#include "store/store.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int complain(const struct fault *f)
{
    fprintf(stderr, "sakuga: %s\n", fault_text(f));
    return 1;
}

static int usage(const char *verb)
{
    const struct verb *v = options_verb(verb);
    fprintf(stderr, "usage: sakuga %s %s\n       %s\n", v->name, v->args, v->help);
    return 2;
}

int mode_ctl(const struct options *o)
{
    struct paths p;
    struct fault f = {0};
    char sock[PATH_LEN];
    if (!o->arg_count)
        return usage("ctl");
    if (!strcmp(o->args[0], "help")) {
        options_ctl_help(stdout);
        return 0;
    }
    if (paths_init(&p, o->config, o->data, &f))
        return complain(&f);
    if (path_join(sock, sizeof sock, p.data, "ctl.sock")) {
        fault_set(&f, ERR_LIMIT, "the path of %s is too long", p.data);
        return complain(&f);
    }
    return client_run(sock, o->arg_count, o->args);
}

int mode_info(const struct options *o)
{
    struct paths p;
    struct fault f = {0};
    if (paths_init(&p, o->config, o->data, &f))
        return complain(&f);
    printf(
        "config    %s\nshow.lua  %s/show.lua\nsecrets   %s/secrets.conf\ndata      %s\n"
        "database  %s\nvault     %s\nair       %s\nsocket    %s/ctl.sock\nlog       %s/sakuga.log\n"
        "lua       %s\nthemes    %s\nassets    %s\nworker    %s\n",
        p.config, p.config, p.config, p.data, p.db, p.vault, p.air, p.data, p.log, p.lua, p.themes,
        p.assets, p.worker);
    return 0;
}

/* The worker alone links libav: it reads the clip, in its own process. */
int mode_inspect(const struct options *o)
{
    struct paths p;
    struct fault f = {0};
    if (o->arg_count != 1)
        return usage("inspect");
    if (paths_init(&p, o->config, o->data, &f))
        return complain(&f);
    execl(p.worker, "sakuga-worker", "--inspect", o->args[0], (char *)NULL);
    fprintf(stderr, "sakuga: cannot start %s; is the program installed whole?\n", p.worker);
    return 1;
}

int mode_backup(const struct options *o)
{
    struct paths p;
    struct fault f = {0};
    if (o->arg_count != 1)
        return usage("backup");
    if (paths_init(&p, o->config, o->data, &f) || store_backup(p.db, o->args[0], &f))
        return complain(&f);
    printf("%s\n", o->args[0]);
    return 0;
}

int mode_obs(const struct options *o)
{
    struct paths p;
    struct fault f = {0};
    static struct config c;
    struct buf report = BUF_INIT(65536);
    if (o->arg_count != 1 || strcmp(o->args[0], "setup"))
        return usage("obs");
    if (paths_init(&p, o->config, o->data, &f) || config_load(&c, &p, &f))
        return complain(&f);
    if (!c.obs_url[0]) {
        fprintf(stderr,
                "sakuga: %s/show.lua names no OBS; add obs = { url = \"ws://127.0.0.1:4455\" }\n",
                p.config);
        return 1;
    }
    enum err e =
        setup_once(c.obs_url, config_secret(&c, "obs.password"), c.show.label, 15000, &report, &f);
    if (report.len)
        printf("%s\n", buf_str(&report));
    buf_free(&report);
    return e ? complain(&f) : 0;
}
