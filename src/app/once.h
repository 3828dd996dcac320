/* app/once: one clip without a show: a worker of its own draws it, a bar on standard error tells
 * how far it is. A worker that dies is followed by another, once, which goes on from the
 * checkpoint; after ^C the same command does, since the checkpoint lies beside the clip. */
#ifndef SAKUGA_APP_ONCE_H
#define SAKUGA_APP_ONCE_H

#include "base/path.h"
#include "engine/protocol.h"

struct once {
    const struct paths *paths;
    const char *engine; /* "wan", "animatic" */
    const char *model, *device, *dtype, *encoder;
    int threads;
    struct engine_job *job; /* path: where the clip goes; its folder must be there */
};

struct once_made {
    char sha256[65];
    int frames;
    int64_t bytes, duration_ms, draw_ms;
    struct verdict verdicts[VERDICTS_MAX];
    int verdicts_n;
    int deaths;
};

/* Makes the path absolute; ERR_NOTFOUND when its folder is not there. */
enum err once_path(struct engine_job *job, const char *path, struct fault *f);

/* ERR_CANCELLED after ^C. */
enum err once_draw(const struct once *o, struct once_made *made, struct fault *f);

/* What the worker prints when called with two arguments; the caller frees it. NULL with `f`. */
char *once_ask(const struct paths *p, const char *what, const char *arg, struct fault *f);

#endif
