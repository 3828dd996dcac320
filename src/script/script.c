#include "script/script.h"

#include "base/clock.h"
#include "base/log.h"
#include "command/viewer.h"
#include "script/ticket.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define JUDGE_MS 25 /* how often deadlines are looked at while something waits */

static void tell_console(struct script *s)
{
    char why[200];
    if (!s->started)
        str_copy(why, sizeof why, "the script thread could not be started");
    else if (s->late)
        str_copy(why, sizeof why, "scripts do not answer; the built-in commands stand in");
    else
        str_copy(why, sizeof why, s->why);
    bool late = s->late || s->empty || !s->started;
    if (s->show->script_late == late && !strcmp(s->show->script_why, why))
        return;
    s->show->script_late = late;
    str_copy(s->show->script_why, sizeof s->show->script_why, why);
    show_changed(s->show, EVENT_SCRIPT, 0, clock_mono_ms());
}

/* ---- to the scripts ---- */

/* A snapshot is made when the show has moved. One that took long to make (a huge queue) is not made
 * again before ten times as long has passed, so that this never takes more than a tenth of the
 * loop. */
static void refresh(struct script *s)
{
    int64_t now = clock_mono_us();
    if (s->show->version == s->seen_version || now < s->next_snapshot)
        return;
    struct snapshot *fresh = snapshot_new(s->show, clock_mono_ms()), *old;
    if (!fresh)
        return;
    int64_t took = clock_mono_us() - now;
    s->next_snapshot = took > 200 ? now + took * 10 : 0;
    s->seen_version = s->show->version;
    pthread_mutex_lock(&s->host->in.lock);
    old = s->host->in.snapshot;
    s->host->in.snapshot = fresh;
    pthread_mutex_unlock(&s->host->in.lock);
    snapshot_unref(old);
}

void script_post(struct script *s, struct letter *l)
{
    refresh(s);
    letter_post(&s->host->in, l);
}

static int backlog(struct script *s)
{
    pthread_mutex_lock(&s->host->in.lock);
    int n = s->host->in.count;
    pthread_mutex_unlock(&s->host->in.lock);
    return n;
}

static bool wants(const struct script *s, unsigned bit)
{
    return atomic_load_explicit(&s->host->wants, memory_order_relaxed) & bit;
}

/* The built-in commands; what is none of them is answered with nothing. */
static void built_in(struct commands *cs, const struct chat_line *line, struct answer a)
{
    char name[32];
    const char *rest;
    if (viewer_split(line->text, name, sizeof name, &rest) && viewer_run(cs, line, name, rest, a))
        return;
    if (a.fn)
        a.fn(a.user, ERR_OK, 0, "");
}

static void plain_line(struct script *s, const struct chat_line *line)
{
    if (!wants(s, HOST_WANTS_LINES))
        return;
    struct letter *l = backlog(s) < SCRIPT_QUEUE ? letter_new(LETTER_LINE, line->text, "") : NULL;
    if (!l) {
        s->figures.dropped++;
        return;
    }
    l->who = line->who;
    s->figures.lines++;
    script_post(s, l);
}

static int64_t patience(const struct script *s)
{
    return clock_mono_ms() + (s->loaded ? SCRIPT_LATE_MS : SCRIPT_START_MS);
}

void script_line(struct script *s, struct commands *cs, const struct chat_line *line,
                 struct answer a)
{
    bool command = line->text[0] == '!' && line->text[1] && line->text[1] != ' ';
    if (!command) {
        if (script_alive(s))
            plain_line(s, line);
        if (a.fn)
            a.fn(a.user, ERR_OK, 0, "");
        return;
    }
    struct ticket *t = NULL;
    struct letter *l = NULL;
    if (script_alive(s) && s->tickets < SCRIPT_TICKETS) {
        l = letter_new(LETTER_LINE, line->text, "");
        t = l ? ticket_new(s, line, a, patience(s)) : NULL;
    }
    if (!t) {
        letter_free(l);
        if (s)
            s->figures.fallback++;
        built_in(cs, line, a);
        return;
    }
    l->ticket = t->id;
    l->who = line->who;
    s->figures.commands++;
    if (!timer_active(s->timer))
        timer_start(s->timer, JUDGE_MS, JUDGE_MS);
    script_post(s, l);
}

static void on_event(void *user, const struct event *e)
{
    struct script *s = user;
    bool prompt = e->kind == EVENT_PROMPT || e->kind == EVENT_EDITED;
    if (!wants(s, 1u << e->kind) || !script_alive(s))
        return;
    struct letter *l = backlog(s) < SCRIPT_QUEUE
                           ? letter_new(LETTER_EVENT, prompt ? e->prompt->text : "", e->by)
                           : NULL;
    if (!l) {
        s->figures.dropped++;
        return;
    }
    l->event = e->kind;
    if (prompt) {
        l->id = e->prompt->id;
        l->from = e->from;
        l->to = e->to;
        l->who = e->prompt->viewer;
        str_copy(l->scope, sizeof l->scope, e->prompt->style);
    }
    script_post(s, l);
}

/* ---- from the scripts ---- */

static void loaded(struct script *s, struct letter *l)
{
    bool again = s->loaded;
    s->loaded = true;
    s->empty = !l->hold && (!again || s->empty);
    str_copy(s->why, sizeof s->why, l->text);
    s->why[strcspn(s->why, "\n")] = '\0';
    if (l->styles) {
        s->show->styles = *l->styles;
        show_changed(s->show, EVENT_STYLES, 0, clock_mono_ms());
    }
    if (l->err) /* the errors themselves are in the log already */
        log_warn("script", "%s",
                 again ? "not everything could be loaded; the old scripts run on"
                       : "not everything could be loaded; the rest runs");
    else
        log_info("script", "scripts are loaded");
    struct answer a = s->reload;
    s->reload = (struct answer){0};
    s->reloading = false;
    tell_console(s);
    if (a.fn)
        a.fn(a.user, l->err, 0, l->err ? l->text : "the scripts were loaded anew");
}

/* The handler of a line has ended. One that failed, or that no script has, and which changed
 * nothing goes to the built-in commands. */
static void handled(struct script *s, const struct letter *l)
{
    struct ticket *t = ticket_find(s, l->ticket);
    if (!t)
        return;
    if (t->in_desk)
        t->over = true;
    else if (l->err && !t->touched)
        ticket_fall_back(s, t);
    else
        ticket_finish(s, t, t->err, "");
}

static void open_letters(struct script *s, struct letter *l)
{
    for (struct letter *next; l; l = next) {
        struct ticket *t = l->ticket ? ticket_find(s, l->ticket) : NULL;
        next = l->next;
        switch (l->kind) {
        case LETTER_CALL:
            call_carry_out(s, l);
            break;
        case LETTER_REPLY:
            if (t)
                ticket_reply(t, l->text);
            break;
        case LETTER_DONE:
            handled(s, l);
            break;
        case LETTER_LOADED:
            loaded(s, l);
            break;
        case LETTER_ERROR:
            str_copy(s->why, sizeof s->why, l->text);
            tell_console(s);
            break;
        default:
            break;
        }
        letter_free(l);
    }
}

static void collect(struct script *s)
{
    open_letters(s, letter_take(&s->host->out));
}

static void on_wake(void *user)
{
    collect(user);
}

/* ---- lateness ---- */

static void became_late(struct script *s)
{
    if (s->late)
        return;
    s->late = true;
    pthread_mutex_lock(&s->host->in.lock);
    s->caught_up = s->host->in.posted;
    pthread_mutex_unlock(&s->host->in.lock);
    log_warn("script", "no script answered for %d ms; the built-in commands stand in",
             SCRIPT_LATE_MS);
    tell_console(s);
}

static void judge(struct script *s, int64_t now)
{
    while (s->first && s->first->deadline <= now) {
        struct ticket *t = s->first;
        if (t->in_desk) { /* the disk is slow, not the script */
            ticket_extend(s, t, now + SCRIPT_LATE_MS);
            continue;
        }
        became_late(s);
        if (t->touched)
            ticket_finish(s, t, t->err, "");
        else
            ticket_fall_back(s, t);
    }
}

static void on_timer(void *user)
{
    struct script *s = user;
    collect(s); /* what it has said counts before it is called late */
    judge(s, clock_mono_ms());
    if (s->late && atomic_load(&s->host->done) >= s->caught_up) {
        s->late = false;
        log_info("script", "scripts answer again");
        tell_console(s);
    }
    if (!s->first && !s->late)
        timer_stop(s->timer);
}

bool script_alive(const struct script *s)
{
    return s && s->started && !s->empty && !s->late && !atomic_load(&s->host->ended);
}

/* ---- the console's row ---- */

void script_reload(struct script *s, struct answer a)
{
    struct letter *l = s->started && !s->reloading ? letter_new(LETTER_RELOAD, "", "") : NULL;
    if (!l) {
        if (a.fn)
            a.fn(a.user, s->reloading ? ERR_BUSY : ERR_STATE, 0,
                 s->reloading ? "the scripts are being loaded already"
                              : "there is no script thread");
        return;
    }
    s->reloading = true;
    s->reload = a;
    script_post(s, l);
}

static void say_figures(const struct script *s, struct answer a)
{
    char text[400];
    snprintf(
        text, sizeof text,
        "scripts %s; %llu commands, %llu lines, %llu calls, %llu dropped, %llu answered by the "
        "built-in commands%s%s",
        script_alive(s) ? "answer" : "do not answer", (unsigned long long)s->figures.commands,
        (unsigned long long)s->figures.lines, (unsigned long long)s->figures.calls,
        (unsigned long long)s->figures.dropped, (unsigned long long)s->figures.fallback,
        s->why[0] ? "; " : "", s->why);
    if (a.fn)
        a.fn(a.user, ERR_OK, 0, text);
}

static void row_script(struct commands *cs, const struct origin *o, const struct command_call *c,
                       struct answer a)
{
    struct script *s = command_user(cs);
    (void)o;
    if (!strcmp(c->word, "reload"))
        script_reload(s, a);
    else if (!c->word[0])
        say_figures(s, a);
    else if (a.fn)
        a.fn(a.user, ERR_USAGE, 0, "usage: script [reload]");
}

struct script_figures script_figures(const struct script *s)
{
    return s->figures;
}

/* ---- life ---- */

static void wake_loop(void *user)
{
    struct script *s = user;
    wake_send(s->wake);
}

static enum err configure(struct host *h, const struct script_config *c, struct fault *f)
{
    if (c->dir_count > HOST_DIRS_MAX || c->name_count > HOST_NAMES_MAX)
        return fault_set(f, ERR_LIMIT, "at most %d scripts in %d folders are possible",
                         HOST_NAMES_MAX, HOST_DIRS_MAX);
    if (!str_copy(h->prelude, sizeof h->prelude, c->prelude))
        return fault_set(f, ERR_LIMIT, "the path %s is too long", c->prelude);
    for (int i = 0; i < c->dir_count; i++)
        if (!str_copy(h->dirs[h->dir_count++], PATH_LEN, c->dirs[i]))
            return fault_set(f, ERR_LIMIT, "the path %s is too long", c->dirs[i]);
    for (int i = 0; i < c->name_count; i++)
        if (!str_copy(h->names[h->name_count++], sizeof h->names[0], c->names[i]))
            return fault_set(f, ERR_LIMIT, "the script name %s is too long", c->names[i]);
    return ERR_OK;
}

struct script *script_new(struct loop *l, struct commands *cs, const struct script_config *c,
                          struct values *values, struct fault *f)
{
    struct script *s = calloc(1, sizeof *s);
    struct host *h = s ? host_new() : NULL;
    if (!h) {
        values_free(values);
        free(s);
        fault_set(f, ERR_NOMEM, "out of memory");
        return NULL;
    }
    const struct command row = {"script",
                                "[WORD]",
                                "",
                                ROLE_OPERATOR,
                                FROM_KEY | FROM_CTL,
                                "how the scripts do; `script reload` loads them anew",
                                row_script,
                                s};
    s->loop = l;
    s->commands = cs;
    s->show = command_show(cs);
    s->host = h;
    h->values = values;
    h->out.wake = wake_loop;
    h->out.user = s;
    s->seen_version = UINT64_MAX;
    enum err e = configure(h, c, f);
    if (!e) {
        s->wake = wake_new(l, "script", on_wake, s);
        s->timer = timer_new(l, "script", on_timer, s);
        s->events = event_subscribe(&s->show->events, "script", on_event, s);
        if (!s->wake || !s->timer || !s->events || command_add(cs, &row, 1))
            e = fault_set(f, ERR_NOMEM, "out of memory");
    }
    if (!e && pthread_create(&s->thread, NULL, host_run, h))
        e = fault_set(f, ERR_NOMEM, "the script thread cannot be started");
    if (e) {
        script_free(s);
        return NULL;
    }
    s->started = true;
    return s;
}

void script_settle(struct script *s, int ms)
{
    int64_t until = clock_mono_ms() + ms, now;
    struct snapshot *none = NULL;
    while (!s->loaded && (now = clock_mono_ms()) < until)
        open_letters(s, letter_wait(&s->host->out, until - now, &none));
}

/* Waits for the end of the thread, not for ever. */
static bool join(struct script *s)
{
    struct timespec until;
    struct host *h = s->host;
    int timeout = 0;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += SCRIPT_END_MS * 1000000L;
    until.tv_sec += until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    atomic_store(&h->stop, true);
    pthread_mutex_lock(&h->in.lock);
    h->in.stop = true;
    pthread_cond_signal(&h->in.cond);
    while (!atomic_load(&h->ended) && timeout != ETIMEDOUT)
        timeout = pthread_cond_timedwait(&h->in.cond, &h->in.lock, &until);
    bool ended = atomic_load(&h->ended);
    pthread_mutex_unlock(&h->in.lock);
    if (ended) {
        pthread_join(s->thread, NULL);
        return true;
    }
    pthread_detach(s->thread);
    pthread_mutex_lock(&h->out.lock);
    h->out.stop = true;
    pthread_mutex_unlock(&h->out.lock);
    return false;
}

void script_free(struct script *s)
{
    if (!s)
        return;
    bool ended = !s->started || join(s);
    event_unsubscribe(&s->show->events, s->events);
    if (s->reload.fn)
        s->reload.fn(s->reload.user, ERR_CANCELLED, 0, "the show ends");
    while (s->first)
        ticket_finish(s, s->first, ERR_CANCELLED, "the show ends");
    for (struct call *c = s->calls; c; c = c->next)
        c->script = NULL; /* its answer frees it */
    timer_free(s->timer);
    wake_free(s->wake);
    if (ended)
        host_free(s->host);
    else /* it may still look at its host, which stays */
        log_error("script", "a script did not end within %d ms and was left behind", SCRIPT_END_MS);
    free(s);
}
