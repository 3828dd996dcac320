#include "worker/drawing.h"

#include "worker/out.h"
#include "worker/run.h"

#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define JOBS_MAX 4
#define NICENESS 5  /* OBS goes first; the main thread, which acknowledges, stays quick */
#define IDLE_MS 300 /* without a job: then there is time to warm up */
#define STALE_S (2 * 24 * 3600) /* a checkpoint that nobody came for */

struct drawing {
    char vault[PATH_LEN];    /* resolved; set once */
    struct painter *painter; /* set once; the draw thread's */
    void (*lost)(const struct fault *f);
    char encoder[16];
    pthread_t thread;

    pthread_mutex_t lock; /* guards what follows */
    pthread_cond_t changed;
    struct engine_job *queue[JOBS_MAX];
    int queued;
    int64_t current; /* id, 0 idle */
    char part[PATH_LEN];
    bool ended;

    atomic_bool cancel;  /* the current job's */
    atomic_int throttle; /* thousandths of the time */
    atomic_bool quit;
};

static struct timespec in_ms(int ms)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    t.tv_nsec += (long)(ms % 1000) * 1000000L;
    t.tv_sec += ms / 1000 + t.tv_nsec / 1000000000L;
    t.tv_nsec %= 1000000000L;
    return t;
}

/* A job that comes at once is begun at once: it loads what it needs, and tells how far it is. */
static void warm_up(struct drawing *d)
{
    struct timespec until = in_ms(IDLE_MS);
    pthread_mutex_lock(&d->lock);
    while (!d->queued && !atomic_load(&d->quit) &&
           pthread_cond_timedwait(&d->changed, &d->lock, &until) == 0)
        continue;
    bool idle = !d->queued && !atomic_load(&d->quit);
    pthread_mutex_unlock(&d->lock);
    struct fault f;
    if (idle && d->painter->warm && d->painter->warm(d->painter, &f) == ERR_LOST)
        d->lost(&f);
}

static void *draw_thread(void *user)
{
    struct drawing *d = user;
    setpriority(PRIO_PROCESS, 0, NICENESS); /* this thread and those it starts */
    warm_up(d);
    pthread_mutex_lock(&d->lock);
    while (!atomic_load(&d->quit)) {
        if (!d->queued) {
            pthread_cond_wait(&d->changed, &d->lock);
            continue;
        }
        struct engine_job *job = d->queue[0];
        memmove(d->queue, d->queue + 1, sizeof d->queue - sizeof *d->queue);
        d->queued--;
        d->current = job->id;
        snprintf(d->part, sizeof d->part, "%.900s/.sakuga-%lld-%d.part", d->vault,
                 (long long)job->id, (int)getpid());
        atomic_store(&d->cancel, false);
        pthread_mutex_unlock(&d->lock);
        struct run run = {.job = job,
                          .painter = d->painter,
                          .encoder = d->encoder,
                          .vault = d->vault,
                          .part = d->part,
                          .cancel = &d->cancel,
                          .throttle = &d->throttle,
                          .quit = &d->quit};
        if (!run_job(&run))
            d->lost(&run.fault);
        free(job);
        pthread_mutex_lock(&d->lock);
        d->current = 0;
    }
    d->ended = true;
    pthread_cond_broadcast(&d->changed);
    pthread_mutex_unlock(&d->lock);
    return NULL;
}

/* ".sakuga-ID-PID.part": the pid of who writes it, 0 for another name */
static pid_t part_of(const char *name)
{
    size_t n = strlen(name);
    const char *dash = strrchr(name, '-');
    if (strncmp(name, ".sakuga-", 8) || n <= 13 || strcmp(name + n - 5, ".part") || !dash)
        return 0;
    long pid = strtol(dash + 1, NULL, 10);
    return pid > 0 ? (pid_t)pid : 1;
}

/* Checkpoints of jobs that never came again, and halves of some. */
static bool is_stale(const char *name, const char *path)
{
    struct stat st;
    return !strncmp(name, ".sakuga-", 8) && strstr(name, ".ckpt") && !stat(path, &st) &&
           time(NULL) - st.st_mtime > STALE_S;
}

/* What other processes left behind. One that still runs keeps its part: two may share a folder. */
static void tidy(const char *vault)
{
    char path[PATH_LEN];
    DIR *dir = opendir(vault);
    const struct dirent *e;
    while (dir && (e = readdir(dir))) {
        pid_t pid = part_of(e->d_name);
        if (path_join(path, sizeof path, vault, e->d_name))
            continue;
        if ((pid && (pid == 1 || pid == getpid() || kill(pid, 0))) || is_stale(e->d_name, path))
            unlink(path);
    }
    if (dir)
        closedir(dir);
}

struct drawing *drawing_new(const char *vault, const char *encoder, struct painter *painter,
                            void (*lost)(const struct fault *f), struct fault *f)
{
    struct drawing *d = calloc(1, sizeof *d);
    char *real = realpath(vault, NULL);
    pthread_condattr_t mono;
    if (!d || !real || strlen(real) > 900) {
        fault_set(f, real ? ERR_LIMIT : ERR_NOTFOUND, "the vault %s cannot be used: %s", vault,
                  real ? "its path is too long" : strerror(errno));
        free(d);
        free(real);
        return NULL;
    }
    str_copy(d->vault, sizeof d->vault, real);
    d->painter = painter;
    str_copy(d->encoder, sizeof d->encoder, encoder);
    d->lost = lost;
    free(real);
    tidy(d->vault);
    pthread_mutex_init(&d->lock, NULL);
    pthread_condattr_init(&mono);
    pthread_condattr_setclock(&mono, CLOCK_MONOTONIC);
    pthread_cond_init(&d->changed, &mono);
    pthread_condattr_destroy(&mono);
    if (pthread_create(&d->thread, NULL, draw_thread, d)) {
        fault_set(f, ERR_NOMEM, "cannot start the drawing thread");
        free(d);
        return NULL;
    }
    return d;
}

/* A clip goes into the vault itself and nowhere else: the folder of its path, with every link
 * followed, must be the vault, and its name a plain one. */
static enum err inside_vault(const struct drawing *d, const char *path, struct fault *f)
{
    char dir[PATH_LEN];
    const char *slash = strrchr(path, '/');
    const char *name = slash ? slash + 1 : path;
    if (path[0] != '/' || !name[0] || name[0] == '.')
        return fault_set(f, ERR_DENIED, "the clip's path %s does not name a file in the vault",
                         path);
    size_t n = (size_t)(slash - path);
    memcpy(dir, path, n);
    memcpy(dir + n, n ? "" : "/", n ? 1 : 2);
    char *real = realpath(dir, NULL);
    bool same = real && strcmp(real, d->vault) == 0;
    free(real);
    return same ? ERR_OK
                : fault_set(f, ERR_DENIED, "the clip's path %s leads out of the vault %s", path,
                            d->vault);
}

void drawing_submit(struct drawing *d, const struct engine_job *job)
{
    struct fault f;
    struct engine_job *copy = NULL;
    enum err e = inside_vault(d, job->path, &f);
    if (!e && !(copy = malloc(sizeof *copy)))
        e = fault_set(&f, ERR_NOMEM, "no memory for job %lld", (long long)job->id);
    if (!e) {
        *copy = *job;
        out_simple(REPORT_ACK, job->id);
        pthread_mutex_lock(&d->lock);
        if (d->queued < JOBS_MAX)
            d->queue[d->queued++] = copy;
        else
            e = fault_set(&f, ERR_LIMIT, "the worker has %d jobs waiting already", JOBS_MAX);
        pthread_cond_broadcast(&d->changed);
        pthread_mutex_unlock(&d->lock);
    }
    if (e) {
        free(copy);
        out_failed(job->id, &f);
    }
}

void drawing_cancel(struct drawing *d, int64_t id)
{
    struct engine_job *waiting = NULL;
    pthread_mutex_lock(&d->lock);
    if (d->current == id)
        atomic_store(&d->cancel, true);
    for (int i = 0; i < d->queued && !waiting; i++)
        if (d->queue[i]->id == id) {
            waiting = d->queue[i];
            memmove(d->queue + i, d->queue + i + 1, (size_t)(d->queued - i - 1) * sizeof *d->queue);
            d->queued--;
        }
    pthread_mutex_unlock(&d->lock);
    if (waiting)
        out_simple(REPORT_CANCELLED, id);
    free(waiting);
}

void drawing_throttle(struct drawing *d, double part)
{
    atomic_store(&d->throttle, (int)(part * 1000 + 0.5));
}

void drawing_stop(struct drawing *d, int ms)
{
    if (!d)
        return;
    struct timespec until = in_ms(ms);
    pthread_mutex_lock(&d->lock);
    atomic_store(&d->quit, true);
    atomic_store(&d->cancel, true);
    pthread_cond_broadcast(&d->changed);
    while (!d->ended && pthread_cond_timedwait(&d->changed, &d->lock, &until) == 0)
        continue;
    if (!d->ended && d->part[0])
        unlink(d->part);
    pthread_mutex_unlock(&d->lock);
}
