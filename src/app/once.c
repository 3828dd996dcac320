#include "app/once.h"

#include "base/clock.h"
#include "base/log.h"
#include "engine/engine.h"
#include "loop/loop.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define DEATHS_MAX 2
#define START_MS 120000 /* for a worker to come up: a cold disk is slow */

struct drawing {
    const struct once *o;
    struct once_made *made;
    struct loop *loop;
    struct engine *engine;
    struct timer *start;
    bool terminal, up, ended;
    char stage[24];
    struct fault fault; /* code ERR_OK: the clip is there */
};

static void finish(struct drawing *d, enum err code, const char *words)
{
    if (d->ended)
        return;
    d->ended = true;
    if (code)
        fault_set(&d->fault, code, "%s", words);
    loop_stop(d->loop);
}

static void tell_time(char *out, size_t size, int64_t ms)
{
    int64_t s = ms / 1000;
    if (ms < 0)
        out[0] = '\0';
    else if (s < 60)
        snprintf(out, size, "%lld s left", (long long)s);
    else if (s < 3600)
        snprintf(out, size, "%lld min %02lld s left", (long long)(s / 60), (long long)(s % 60));
    else
        snprintf(out, size, "%lld h %02lld min left", (long long)(s / 3600),
                 (long long)(s / 60 % 60));
}

/* A line that is written over in a terminal; elsewhere one line a stage. */
static void on_progress(void *user, int64_t id, const char *stage, double fraction, double overall,
                        int64_t eta_ms)
{
    struct drawing *d = user;
    char left[64];
    (void)id;
    (void)fraction;
    if (!d->terminal) {
        if (strcmp(d->stage, stage))
            fprintf(stderr, "%s\n", stage);
        str_copy(d->stage, sizeof d->stage, stage);
        return;
    }
    fprintf(stderr, "\r\033[K%-7s ", stage);
    for (int i = 0; i < 30; i++)
        fputs(i < overall * 30 ? "█" : "░", stderr);
    tell_time(left, sizeof left, eta_ms);
    fprintf(stderr, " %3d %%  %s", (int)(overall * 100), left);
}

static void on_done(void *user, int64_t id, const struct engine_clip *clip)
{
    struct drawing *d = user;
    struct once_made *m = d->made;
    (void)id;
    str_copy(m->sha256, sizeof m->sha256, clip->sha256);
    m->frames = clip->frames;
    m->bytes = clip->bytes;
    m->duration_ms = clip->duration_ms;
    m->draw_ms = clip->draw_ms;
    m->verdicts_n = clip->verdicts_n;
    memcpy(m->verdicts, clip->verdicts, (size_t)clip->verdicts_n * sizeof *m->verdicts);
    finish(d, ERR_OK, "");
}

static void on_failed(void *user, int64_t id, const struct fault *f)
{
    (void)id;
    finish(user, f->code, fault_text(f));
}

static void on_cancelled(void *user, int64_t id)
{
    (void)id;
    finish(user, ERR_CANCELLED, "the clip was cancelled");
}

static void clear_line(const struct drawing *d)
{
    if (d->terminal)
        fputs("\r\033[K", stderr);
}

static void on_died(void *user, int64_t id, const char *words)
{
    struct drawing *d = user;
    struct fault f;
    if (++d->made->deaths >= DEATHS_MAX || !id) {
        finish(d, ERR_CLOSED, words);
        return;
    }
    clear_line(d);
    fprintf(stderr, "sakuga: %s; another one goes on\n", words);
    d->o->job->attempt++;
    if (engine_submit(d->engine, d->o->job, &f))
        finish(d, f.code, fault_text(&f));
}

static void on_state(void *user, const struct engine_status *s)
{
    struct drawing *d = user;
    d->up = d->up || s->state == ENGINE_IDLE || s->state == ENGINE_DRAWING;
    if (!d->up && s->why[0]) /* it cannot be started, or refuses the model */
        finish(d, ERR_CLOSED, s->why);
}

static void late(void *user)
{
    struct drawing *d = user;
    if (!d->up)
        finish(d, ERR_TIMEOUT, "the worker did not start in time");
}

static void interrupted(void *user)
{
    finish(user, ERR_CANCELLED, "stopped; the same command goes on from there");
}

static const struct engine_ops ops = {.on_state = on_state,
                                      .on_progress = on_progress,
                                      .on_done = on_done,
                                      .on_failed = on_failed,
                                      .on_cancelled = on_cancelled,
                                      .on_died = on_died};

/* What the worker notes of the job ("warn worker: job 1 …"); errors come as the job's end, and what
 * libraries say of themselves is left out. */
static void on_log(void *user, const struct log_line *l)
{
    int at = 0;
    if (l->level != LOG_WARN || sscanf(l->text, "worker: worker: job %*d %n", &at) < 0 || !at)
        return;
    clear_line(user);
    fprintf(stderr, "sakuga: %s\n", l->text + at);
}

/* A worker that was killed leaves the half file. */
static void remove_part(const struct once *o, pid_t worker)
{
    char path[PATH_LEN + 64];
    const char *slash = strrchr(o->job->path, '/');
    snprintf(path, sizeof path, "%.*s/.sakuga-%lld-%d.part", (int)(slash - o->job->path),
             o->job->path, (long long)o->job->id, (int)worker);
    unlink(path);
}

static enum err draw(struct drawing *d, const char *vault)
{
    struct engine_config c = {.kind = d->o->engine,
                              .worker = d->o->paths->worker,
                              .vault = vault,
                              .model = d->o->model,
                              .device = d->o->device,
                              .dtype = d->o->dtype,
                              .encoder = d->o->encoder,
                              .threads = d->o->threads,
                              .draws_only = true};
    d->start = timer_new(d->loop, "start", late, d);
    d->engine = d->start ? engine_new(d->loop, &c, &ops, d, &d->fault) : NULL;
    if (!d->engine || engine_submit(d->engine, d->o->job, &d->fault))
        return d->fault.code ? d->fault.code : fault_set(&d->fault, ERR_NOMEM, "out of memory");
    loop_on_signal(d->loop, SIGINT, interrupted, d);
    loop_on_signal(d->loop, SIGTERM, interrupted, d);
    timer_start(d->start, START_MS, 0);
    engine_start(d->engine);
    loop_run(d->loop);
    return d->fault.code;
}

enum err once_draw(const struct once *o, struct once_made *made, struct fault *f)
{
    struct drawing d = {.o = o, .made = made, .terminal = isatty(STDERR_FILENO)};
    char vault[PATH_LEN];
    const char *slash = strrchr(o->job->path, '/');
    memset(made, 0, sizeof *made);
    log_set_level(LOG_WARN);
    log_add_sink(on_log, &d);
    snprintf(vault, sizeof vault, "%.*s", slash == o->job->path ? 1 : (int)(slash - o->job->path),
             o->job->path);
    d.loop = loop_new(f);
    enum err e = d.loop ? draw(&d, vault) : f->code;
    log_remove_sink(on_log, &d);
    if (!d.loop)
        return e;
    pid_t worker = d.engine ? engine_pid(d.engine, false) : 0;
    engine_free(d.engine);
    timer_free(d.start);
    loop_free(d.loop);
    if (e && worker)
        remove_part(o, worker);
    clear_line(&d);
    if (e)
        *f = d.fault;
    return e;
}

enum err once_path(struct engine_job *job, const char *path, struct fault *f)
{
    char dir[PATH_LEN];
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    if (!name[0] || name[0] == '.' || strlen(path) > 900)
        return fault_set(f, ERR_USAGE, "%.300s cannot be the name of a clip", path);
    snprintf(dir, sizeof dir, "%.*s",
             slash == path ? 1
             : slash       ? (int)(slash - path)
                           : 1,
             slash ? path : ".");
    char *real = realpath(dir, NULL);
    if (!real)
        return fault_set(f, ERR_NOTFOUND, "there is no folder %s: %s", dir, strerror(errno));
    enum err e = path_join(job->path, sizeof job->path, real, name);
    free(real);
    return e ? fault_set(f, e, "the path of %.300s is too long", path) : ERR_OK;
}

char *once_ask(const struct paths *p, const char *what, const char *arg, struct fault *f)
{
    int out[2], status = 0;
    struct buf b = BUF_INIT((size_t)1 << 20);
    if (pipe(out)) {
        fault_set(f, ERR_IO, "no pipe to the worker: %s", strerror(errno));
        return NULL;
    }
    pid_t pid = fork();
    if (pid == 0) {
        dup2(out[1], STDOUT_FILENO);
        close(out[0]);
        close(out[1]);
        execl(p->worker, "sakuga-worker", what, arg, (char *)NULL);
        fprintf(stderr, "cannot start %s; is the program installed whole?\n", p->worker);
        _exit(1);
    }
    close(out[1]);
    for (;;) {
        char *to = buf_room(&b, 4096);
        ssize_t n = to && pid > 0 ? read(out[0], to, 4096) : -1;
        if (n < 0 && errno == EINTR && to)
            continue;
        if (n <= 0)
            break;
        buf_grown(&b, (size_t)n);
    }
    close(out[0]);
    if (pid < 0 || waitpid(pid, &status, 0) < 0 || !WIFEXITED(status) || WEXITSTATUS(status)) {
        fault_set(f, ERR_NOTFOUND, "the worker told nothing of %s", arg);
        buf_free(&b);
        return NULL;
    }
    return buf_take(&b);
}
