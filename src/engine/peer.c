#include "engine/peer.h"

#include "base/clock.h"
#include "base/log.h"
#include "loop/child.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WATCH_MS 500
#define RESTART_MAX_MS 10000

struct peer {
    struct loop *loop;
    char program[PATH_LEN];
    struct order *config;
    const struct peer_ops *ops;
    void *user;

    struct child *child; /* NULL: none is running */
    bool up;
    int deaths; /* in a row */
    int64_t heard_ms, watched_ms;
    char why[120];  /* why we killed it, "" when it went by itself */
    char last[280]; /* the last error that it told, "" without */
    struct timer *restart, *watch;

    uint8_t head[PICTURE_HEADER]; /* the picture being received */
    size_t head_n;
    struct picture_head info;
    uint8_t *picture;
    size_t picture_n;

    struct report report; /* large: room for the line being read */
};

static void end(struct peer *p, const char *why)
{
    if (!p->why[0])
        str_copy(p->why, sizeof p->why, why);
    if (p->child)
        child_kill(p->child, SIGKILL);
}

static void drop_picture(struct peer *p)
{
    free(p->picture);
    p->picture = NULL;
    p->head_n = p->picture_n = 0;
}

static int restart_delay(int deaths)
{
    if (deaths <= 1)
        return 0;
    int ms = deaths > 8 ? RESTART_MAX_MS : 125 << (deaths - 1);
    return ms > RESTART_MAX_MS ? RESTART_MAX_MS : ms;
}

static void gone(struct peer *p, const char *words)
{
    bool was_up = p->up;
    p->up = false;
    p->child = NULL;
    p->deaths++;
    drop_picture(p);
    timer_stop(p->watch);
    timer_start(p->restart, restart_delay(p->deaths), 0);
    p->ops->on_down(p->user, was_up, words);
}

static void on_line(void *user, const char *line, size_t n)
{
    struct peer *p = user;
    struct fault f;
    if (p->why[0])
        return; /* condemned: what it still says does not count */
    if (protocol_parse_report(line, n, &p->report, &f)) {
        log_error("engine", "%s", fault_text(&f));
        end(p, "it broke the protocol");
        return;
    }
    p->heard_ms = clock_mono_ms();
    if (p->report.kind != REPORT_HELLO) {
        if (p->up)
            p->ops->on_report(p->user, &p->report);
    } else if (p->report.protocol != PROTOCOL_VERSION) {
        end(p, "it speaks another version of the protocol; install sakuga and its worker together");
    } else if (!p->up) {
        p->up = true;
        p->ops->on_up(p->user, &p->report);
    }
}

/* Collects headers and pictures from whatever pieces come. */
static void on_bytes(void *user, const void *bytes, size_t n)
{
    struct peer *p = user;
    const uint8_t *at = bytes;
    struct fault f;
    while (n > 0 && p->child && !p->why[0]) {
        if (p->head_n < PICTURE_HEADER) {
            size_t part = PICTURE_HEADER - p->head_n < n ? PICTURE_HEADER - p->head_n : n;
            memcpy(p->head + p->head_n, at, part);
            p->head_n += part;
            at += part;
            n -= part;
            if (p->head_n < PICTURE_HEADER)
                return;
            if (protocol_get_head(p->head, &p->info, &f) || !(p->picture = malloc(p->info.bytes))) {
                end(p, "it sent a picture that is none");
                return;
            }
            continue;
        }
        size_t want = p->info.bytes - p->picture_n, part = want < n ? want : n;
        memcpy(p->picture + p->picture_n, at, part);
        p->picture_n += part;
        at += part;
        n -= part;
        if (p->picture_n == p->info.bytes) {
            uint8_t *rgb = p->picture;
            p->picture = NULL;
            p->head_n = p->picture_n = 0;
            p->ops->on_picture(p->user, &p->info, rgb);
            free(rgb);
        }
    }
}

/* "warn room: text", as the worker's log writes; anything else is a library that ended it. */
static void on_err(void *user, const char *line)
{
    struct peer *p = user;
    const char *who = p->config->media ? "media worker" : "worker";
    for (int level = LOG_ERROR; level <= LOG_DEBUG; level++) {
        const char *name = log_level_name((enum log_level)level);
        size_t n = strlen(name);
        if (strncmp(line, name, n) == 0 && line[n] == ' ') {
            if (level == LOG_ERROR)
                str_copy(p->last, sizeof p->last, line + n + 1);
            log_write((enum log_level)level, "engine", "%s: %s", who, line + n + 1);
            return;
        }
    }
    if (line[0])
        log_warn("engine", "%s: %s", who, line);
}

static void on_gone(void *user, int status, int signum)
{
    struct peer *p = user;
    char words[360];
    if (p->why[0])
        snprintf(words, sizeof words, "the worker was ended: %s", p->why);
    else if (signum)
        snprintf(words, sizeof words, "the worker was killed by signal %d (%s)", signum,
                 strsignal(signum));
    else
        snprintf(words, sizeof words, "the worker ended with status %d%s%s", status,
                 p->last[0] ? ": " : "", p->last);
    gone(p, words);
}

static const struct child_ops child_ops = {on_line, on_bytes, on_err, on_gone};

static void watch(void *user)
{
    struct peer *p = user;
    int64_t now = clock_mono_ms(), late = now - p->watched_ms - WATCH_MS;
    p->watched_ms = now;
    if (late > WATCH_MS) /* we slept, so what it said in between is still unread */
        p->heard_ms += late;
    if (p->child && now - p->heard_ms > PEER_SILENCE_MS)
        end(p, "it gave no sign of life for 5 s");
}

static void spawn(void *user)
{
    struct peer *p = user;
    char *argv[] = {p->program, NULL};
    struct fault f;
    struct buf b = BUF_INIT(PROTOCOL_LINE_MAX);
    p->why[0] = p->last[0] = '\0';
    p->heard_ms = p->watched_ms = clock_mono_ms();
    p->child = child_spawn(p->loop, argv, &child_ops, p, &f);
    if (!p->child) {
        gone(p, fault_text(&f));
    } else {
        timer_start(p->watch, WATCH_MS, WATCH_MS);
        if (!protocol_print_order(&b, p->config) || !child_send(p->child, buf_str(&b)))
            end(p, "it could not be greeted");
    }
    buf_free(&b);
}

struct peer *peer_new(struct loop *l, const char *program, const struct order *config,
                      const struct peer_ops *ops, void *user)
{
    struct peer *p = calloc(1, sizeof *p);
    if (!p)
        return NULL;
    p->loop = l;
    str_copy(p->program, sizeof p->program, program);
    p->config = malloc(sizeof *p->config);
    if (p->config)
        *p->config = *config;
    p->ops = ops;
    p->user = user;
    p->restart = timer_new(l, "worker restart", spawn, p);
    p->watch = timer_new(l, "worker watch", watch, p);
    if (p->config && p->restart && p->watch)
        return p;
    peer_free(p);
    return NULL;
}

void peer_start(struct peer *p)
{
    if (!p->child && !timer_active(p->restart))
        timer_start(p->restart, 0, 0);
}

bool peer_up(const struct peer *p)
{
    return p->up && !p->why[0];
}

pid_t peer_pid(const struct peer *p)
{
    return p->child ? child_pid(p->child) : 0;
}

bool peer_send(struct peer *p, const struct order *o)
{
    struct buf b = BUF_INIT(PROTOCOL_LINE_MAX);
    bool ok = peer_up(p) && protocol_print_order(&b, o) && child_send(p->child, buf_str(&b));
    buf_free(&b);
    if (!ok && peer_up(p))
        end(p, "it does not read its orders");
    return ok;
}

void peer_kill(struct peer *p, const char *why)
{
    end(p, why);
}

void peer_praise(struct peer *p)
{
    p->deaths = 0;
}

void peer_free(struct peer *p)
{
    if (!p)
        return;
    child_free(p->child);
    timer_free(p->restart);
    timer_free(p->watch);
    drop_picture(p);
    free(p->config);
    free(p);
}
