#include "app/house.h"

#include "app/lock.h"
#include "base/clock.h"
#include "base/log.h"
#include "loop/net.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LOG_BYTES ((size_t)4 << 20)
#define QUIT_MS 1500

static void store_woke(void *user)
{
    struct house *h = user;
    desk_committed(h->desk);
}

/* On the store's thread. */
static void wake_store(void *user)
{
    struct house *h = user;
    wake_send(h->store_wake);
}

static void on_tick(void *user)
{
    struct house *h = user;
    desk_tick(h->desk);
    for (int i = 0; h->chat && i < h->show.chat_count; i++)
        chat_status(h->chat, i, &h->show.chat[i]);
    h->show.version++; /* ages on the screen move */
}

static void on_panic_signal(void *user)
{
    struct house *h = user;
    desk_panic(h->desk, "signal");
}

static void on_end_signal(void *user)
{
    house_quit(user);
}

static void out_of_patience(void *user)
{
    struct house *h = user;
    loop_stop(h->loop);
}

static void closed(void *user, enum err e, const char *why, int64_t took_us)
{
    struct house *h = user;
    (void)took_us;
    if (e)
        log_info("stage", "left as it was: %s", why);
    loop_stop(h->loop);
}

void house_quit(struct house *h)
{
    if (h->quitting)
        return;
    h->quitting = true;
    log_info("app", "the show ends");
    timer_start(h->patience, QUIT_MS, 0);
    if (h->stage)
        stage_close(h->stage, closed, h);
    else
        loop_stop(h->loop);
}

static enum err open_store(struct house *h, struct fault *f)
{
    h->store_wake = wake_new(h->loop, "store", store_woke, h);
    h->store = h->store_wake ? store_open(h->paths.db, NULL, wake_store, h, f) : NULL;
    if (!h->store)
        return f->code;
    h->desk = desk_new(&h->show, h->store, &h->paths, &links_desk_ops, h);
    h->commands = h->desk ? commands_new(h->desk, &h->show) : NULL;
    if (!h->commands)
        return fault_set(f, ERR_NOMEM, "out of memory");
    struct values *values = values_new();
    if (!values)
        return fault_set(f, ERR_NOMEM, "out of memory");
    store_values(h->store, values_add, values); /* before the recovery stages anything */
    enum err e = desk_recover(h->desk, f);
    if (!e)
        return scripts_start(h, values, f);
    values_free(values);
    return e;
}

static enum err start(struct house *h, struct fault *f)
{
    char path[PATH_LEN];
    enum err e = ERR_OK;
    h->lock = lock_take(&h->paths, f);
    if (h->lock < 0)
        return f->code;
    path_join(path, sizeof path, h->paths.log, "sakuga.log");
    e = log_open_file(path, LOG_BYTES, f);
    h->loop = e ? NULL : loop_new(f);
    if (!h->loop)
        return f->code;
    loop_on_signal(h->loop, SIGUSR1, on_panic_signal, h);
    loop_on_signal(h->loop, SIGTERM, on_end_signal, h);
    loop_on_signal(h->loop, SIGINT, on_end_signal, h);
    h->tick = timer_new(h->loop, "tick", on_tick, h);
    h->patience = timer_new(h->loop, "patience", out_of_patience, h);
    if (!h->tick || !h->patience)
        return fault_set(f, ERR_NOMEM, "out of memory");
    e = open_store(h, f);
    if (!e)
        e = links_start(h, f);
    if (!e)
        e = intake_start(h, f);
    if (e)
        return e;
    voice_start(h);
    h->ctl = ctl_new(h->loop, h->commands, &h->paths, f);
    if (!h->ctl)
        return f->code;
    timer_start(h->tick, 0, 1000);
    return ERR_OK;
}

enum err house_new(struct house *h, const char *config, const char *data, bool safe,
                   struct fault *f)
{
    *h = (struct house){.lock = -1, .safe = safe};
    enum err e = paths_init(&h->paths, config, data, f);
    if (!e)
        e = config_load(&h->config, &h->paths, f);
    if (!e && show_init(&h->show))
        e = fault_set(f, ERR_NOMEM, "out of memory");
    if (e)
        return e;
    h->show.set = h->config.show;
    e = start(h, f);
    if (e)
        house_free(h);
    else
        log_info("app", "the show runs in %s%s", h->paths.data,
                 h->config.from_file ? "" : " with the demo's settings: there is no show.lua");
    return e;
}

void house_free(struct house *h)
{
    ctl_free(h->ctl);
    chat_free(h->chat);
    h->chat = NULL;
    script_free(h->script);
    h->script = NULL;
    if (h->desk) /* while engine and stage are there: what is drawn is stopped */
        desk_finish(h->desk);
    if (h->loop) {
        links_stop(h);
        net_shutdown(h->loop);
    }
    event_unsubscribe(&h->show.events, h->voice);
    store_close(h->store);
    desk_free(h->desk);
    commands_free(h->commands);
    wake_free(h->store_wake);
    timer_free(h->tick);
    timer_free(h->patience);
    loop_free(h->loop);
    show_free(&h->show);
    log_close();
    if (h->lock >= 0)
        close(h->lock);
    *h = (struct house){.lock = -1};
}
