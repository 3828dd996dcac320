#include "script/letter.h"

#include "script/snapshot.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

void box_init(struct box *b)
{
    pthread_condattr_t attr;
    *b = (struct box){0};
    b->tail = &b->first;
    pthread_mutex_init(&b->lock, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&b->cond, &attr);
    pthread_condattr_destroy(&attr);
}

void box_destroy(struct box *b)
{
    for (struct letter *l = b->first, *next; l; l = next) {
        next = l->next;
        letter_free(l);
    }
    snapshot_unref(b->snapshot);
    pthread_cond_destroy(&b->cond);
    pthread_mutex_destroy(&b->lock);
}

struct letter *letter_new(enum letter_kind kind, const char *text, const char *more)
{
    size_t n = strlen(text) + 1, m = strlen(more) + 1;
    struct letter *l = malloc(sizeof *l + n + m);
    if (!l)
        return NULL;
    *l = (struct letter){.kind = kind};
    char *at = (char *)(l + 1);
    l->text = memcpy(at, text, n);
    l->more = memcpy(at + n, more, m);
    return l;
}

void letter_free(struct letter *l)
{
    if (l)
        free(l->styles);
    free(l);
}

void letter_post(struct box *b, struct letter *l)
{
    pthread_mutex_lock(&b->lock);
    bool empty = !b->first;
    l->next = NULL;
    l->serial = ++b->posted;
    *b->tail = l;
    b->tail = &l->next;
    b->count++;
    if (empty)
        pthread_cond_signal(&b->cond);
    if (empty && b->wake && !b->stop)
        b->wake(b->user);
    pthread_mutex_unlock(&b->lock);
}

static struct letter *take(struct box *b)
{
    struct letter *l = b->first;
    b->first = NULL;
    b->tail = &b->first;
    b->count = 0;
    return l;
}

struct letter *letter_take(struct box *b)
{
    pthread_mutex_lock(&b->lock);
    struct letter *l = take(b);
    pthread_mutex_unlock(&b->lock);
    return l;
}

struct letter *letter_wait(struct box *b, int64_t ms, struct snapshot **snapshot)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    if (ms >= 0) {
        until.tv_sec += (time_t)(ms / 1000);
        until.tv_nsec += (long)(ms % 1000) * 1000000;
        if (until.tv_nsec >= 1000000000) {
            until.tv_nsec -= 1000000000;
            until.tv_sec++;
        }
    }
    pthread_mutex_lock(&b->lock);
    while (!b->first && !b->stop) {
        if (ms < 0)
            pthread_cond_wait(&b->cond, &b->lock);
        else if (pthread_cond_timedwait(&b->cond, &b->lock, &until) == ETIMEDOUT)
            break;
    }
    struct letter *l = take(b);
    struct snapshot *fresh = b->snapshot;
    b->snapshot = NULL;
    pthread_mutex_unlock(&b->lock);
    if (fresh) {
        snapshot_unref(*snapshot);
        *snapshot = fresh;
    }
    return l;
}
