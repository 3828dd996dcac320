#include "ctl/server.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "ctl/state.h"
#include "loop/sock.h"

#include <stdlib.h>
#include <string.h>

#define PAGE 200
#define WORDS_MAX 300

/* One client. It outlives its socket while answers are on their way. */
struct client {
    struct ctl *ctl;
    struct sock *sock; /* NULL: gone */
    struct client *next;
    int open; /* answers on their way */
    bool watching;
};

struct ctl {
    struct commands *commands;
    struct show *show;
    struct desk *desk;
    const struct paths *paths;
    struct sock_server *server;
    struct subscriber *events;
    struct client *clients;
};

static void maybe_free(struct client *c)
{
    if (c->sock || c->open)
        return;
    if (c->ctl)
        for (struct client **at = &c->ctl->clients; *at; at = &(*at)->next)
            if (*at == c) {
                *at = c->next;
                break;
            }
    free(c);
}

static void send_json(struct client *c, cJSON *o)
{
    struct buf b = BUF_INIT(0);
    if (c->sock && json_print(&b, o, false))
        sock_send(c->sock, b.data, b.len);
    buf_free(&b);
    cJSON_Delete(o);
}

static void answered(void *user, enum err e, int64_t id, const char *text)
{
    struct client *c = user;
    cJSON *o = cJSON_CreateObject();
    cJSON_AddStringToObject(o, "err", err_name(e));
    if (id)
        cJSON_AddNumberToObject(o, "id", (double)id);
    cJSON_AddStringToObject(o, "text", text);
    send_json(c, o);
    c->open--;
    maybe_free(c);
}

static void paged(void *user, const struct prompt *p, int n)
{
    struct client *c = user;
    if (n < 0) {
        answered(c, ERR_IO, 0, "the older prompts could not be read from the database");
        return;
    }
    cJSON *o = cJSON_CreateObject(), *page = cJSON_AddArrayToObject(o, "page");
    for (int i = 0; i < n && c->ctl; i++)
        cJSON_AddItemToArray(page, state_prompt(c->ctl->show, c->ctl->paths, &p[i], 0));
    send_json(c, o);
    c->open--;
    maybe_free(c);
}

static void send_state(struct client *c, bool watch)
{
    cJSON *o = state_json(c->ctl->show, c->ctl->paths, clock_mono_ms());
    if (watch) {
        cJSON_AddNumberToObject(o, "t", (double)clock_utc_ms());
        cJSON_AddStringToObject(o, "event", "state");
    }
    send_json(c, o);
}

static void run(struct client *c, int argc, const char *const *argv, int64_t below)
{
    struct answer a = {answered, c};
    const struct origin operator= {
        .from = FROM_CTL,
        .who = {.platform = "ctl", .uid = "operator", .name = "operator", .role = ROLE_OPERATOR},
        .source = -1,
        .msgid = ""};
    if (argc > 0 && !strcmp(argv[0], "state")) {
        if (argc == 2 && !strcmp(argv[1], "--all") && below > 0) {
            c->open++;
            desk_page(c->ctl->desk, below, PAGE, (struct desk_page){paged, c});
        } else {
            send_state(c, false);
        }
    } else if (argc == 1 && !strcmp(argv[0], "watch")) {
        c->watching = true;
        send_state(c, true);
    } else {
        c->open++;
        command_run_words(c->ctl->commands, &operator, argc, argv, a);
    }
}

static void on_line(void *user, struct sock *s, const char *line, size_t n)
{
    struct client *c = sock_user(s);
    const char *argv[WORDS_MAX];
    int argc = 0;
    struct fault f = {0};
    cJSON *o = json_parse(line, n, &f);
    const cJSON *words = json_arr(o, "argv"), *w;
    (void)user;
    cJSON_ArrayForEach(w, words)
    {
        if (argc < WORDS_MAX && cJSON_IsString(w))
            argv[argc++] = w->valuestring;
    }
    c->open++; /* keeps it while the command runs */
    if (!words || argc != cJSON_GetArraySize(words)) {
        c->open++;
        answered(c, ERR_USAGE, 0,
                 o ? "\"argv\" must be a list of at most 300 words" : fault_text(&f));
    } else {
        run(c, argc, argv, json_int(o, "below", 0));
    }
    cJSON_Delete(o);
    c->open--;
    maybe_free(c);
}

static void on_open(void *user, struct sock *s)
{
    struct ctl *ctl = user;
    struct client *c = calloc(1, sizeof *c);
    if (!c) {
        sock_close(s);
        return;
    }
    c->ctl = ctl;
    c->sock = s;
    c->next = ctl->clients;
    ctl->clients = c;
    sock_set_user(s, c);
}

static void on_close(void *user, struct sock *s)
{
    struct client *c = sock_user(s);
    (void)user;
    if (!c)
        return;
    c->sock = NULL;
    c->watching = false;
    maybe_free(c);
}

static const struct sock_ops ops = {on_open, on_line, on_close};

static void on_event(void *user, const struct event *e)
{
    struct ctl *ctl = user;
    struct buf b = BUF_INIT(65536);
    bool anybody = false;
    for (struct client *c = ctl->clients; c; c = c->next)
        anybody |= c->watching;
    if (anybody && state_event(ctl->show, e, clock_utc_ms(), &b))
        for (struct client *c = ctl->clients, *next; c; c = next) {
            next = c->next;
            if (c->watching && c->sock)
                sock_send(c->sock, b.data, b.len);
        }
    buf_free(&b);
}

struct ctl *ctl_new(struct loop *l, struct commands *cs, const struct paths *paths, struct fault *f)
{
    char path[PATH_LEN];
    struct ctl *c = calloc(1, sizeof *c);
    if (!c || path_join(path, sizeof path, paths->data, "ctl.sock")) {
        free(c);
        fault_set(f, ERR_NOMEM, "cannot open the control socket: out of memory");
        return NULL;
    }
    c->commands = cs;
    c->show = command_show(cs);
    c->desk = command_desk(cs);
    c->paths = paths;
    c->server = sock_listen(l, path, &ops, c, f);
    if (!c->server) {
        free(c);
        return NULL;
    }
    c->events = event_subscribe(&c->show->events, "ctl", on_event, c);
    return c;
}

void ctl_free(struct ctl *c)
{
    if (!c)
        return;
    event_unsubscribe(&c->show->events, c->events);
    sock_server_free(c->server);
    for (struct client *k = c->clients, *next; k; k = next) {
        next = k->next;
        k->sock = NULL;
        k->ctl = NULL; /* answers on their way free it */
        if (!k->open)
            free(k);
    }
    free(c);
}
