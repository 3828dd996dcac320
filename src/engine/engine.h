/* engine/engine: what makes clips out of jobs, as the rest of the show sees it.
 *
 * Loop thread only. A job submitted ends in exactly one of on_done, on_failed, on_cancelled and
 * on_died; none is lost: what is submitted while the engine restarts waits for it. The engine does
 * not retry a job by itself; whether a job is tried again after on_died is the desk's decision.
 *
 * Two workers serve the animatic: one draws, the other plays clips, takes stills and checks files,
 * so that review never disturbs drawing and a hostile clip cannot kill a drawing. They are started
 * by engine_start() and kept warm. Callbacks never come from inside a call into the engine;
 * pointers in them are borrowed for the length of the call, and engine_free() is not called in one.
 */
#ifndef SAKUGA_ENGINE_ENGINE_H
#define SAKUGA_ENGINE_ENGINE_H

#include "engine/protocol.h"
#include "loop/loop.h"
#include "show/status.h"

#include <sys/types.h>

#define ENGINE_JOBS_MAX 16
#define ENGINE_ERRANDS_MAX 64

struct engine;

struct engine_config {
    const char *kind;    /* "animatic", "wan" */
    const char *worker;  /* the worker program */
    const char *vault;   /* folder that every job's path lies in; must exist */
    const char *model;   /* wan: its folder, or the transformer's file in it */
    const char *device;  /* wan: "auto", "cpu", "cuda"; NULL: "auto" */
    const char *dtype;   /* wan: "auto", "f32", "bf16"; NULL: "auto" */
    const char *encoder; /* "auto", "libx264", "h264_nvenc"; NULL: "auto" */
    int threads;         /* wan: 0: as many as there are cores */
    bool draws_only;     /* start no process for playback and checks */
};

/* A finished or checked clip. */
struct engine_clip {
    const char *path;
    int64_t bytes; /* 0 from a check, as what follows `verdicts_n` */
    int frames;
    int64_t duration_ms;
    const struct verdict *verdicts;
    int verdicts_n;
    bool passed;        /* all verdicts are ok */
    const char *sha256; /* of the frames before encoding */
    int64_t draw_ms, encode_ms, check_ms;
};

struct engine_ops { /* any of them may be NULL */
    void (*on_state)(void *user, const struct engine_status *s);
    void (*on_ack)(void *user, int64_t id); /* the engine has the job */
    void (*on_progress)(void *user, int64_t id, const char *stage, double fraction, double overall,
                        int64_t eta_ms);
    void (*on_picture)(void *user, const struct picture_head *h, const uint8_t *rgb);
    void (*on_done)(void *user, int64_t id, const struct engine_clip *clip);
    void (*on_failed)(void *user, int64_t id, const struct fault *f);
    void (*on_cancelled)(void *user, int64_t id);
    /* The worker died; `id` is the job it was drawing, 0 none. Another one is being started. */
    void (*on_died)(void *user, int64_t id, const char *words);
    void (*on_checked)(void *user, int64_t id, const struct engine_clip *clip);
    /* A play, picture or check order that did not work. */
    void (*on_trouble)(void *user, int64_t id, const char *path, const struct fault *f);
};

/* NULL with `f`: ERR_UNSUPPORTED for a kind that this build does not have. */
struct engine *engine_new(struct loop *l, const struct engine_config *config,
                          const struct engine_ops *ops, void *user, struct fault *f);
void engine_start(struct engine *e);
void engine_free(
    struct engine *e); /* ends its processes and calls nothing any more; NULL is fine */

/* Copies the job. ERR_EXISTS when one of that id is there, ERR_FULL when ENGINE_JOBS_MAX wait. */
enum err engine_submit(struct engine *e, const struct engine_job *job, struct fault *f);

/* Stops a job, waiting or running, within one step; on_cancelled follows, or on_done or on_failed
 * when it had ended already. ERR_NOTFOUND without such a job. */
enum err engine_cancel(struct engine *e, int64_t id);

/* Leaves the part 0..1 of its time free, between blocks of work, now and after a restart. */
void engine_throttle(struct engine *e, double part);

/* Plays a clip in a loop as PICTURE_REVIEW in at most w x h pixels, in place of what played. */
void engine_play(struct engine *e, const char *path, int64_t id, int w, int h);
void engine_stop_play(struct engine *e);

/* Asks for one PICTURE_STILL of a clip or a picture file. ERR_FULL when too many are asked for. */
enum err engine_picture(struct engine *e, const char *path, int64_t id, int w, int h);

/* Asks for the verdicts on a clip, on_checked; `frames` and `fps` 0: of any length. */
enum err engine_check(struct engine *e, const char *path, int64_t id, int frames, int fps);

/* The state at this moment. */
const struct engine_status *engine_status(const struct engine *e);

/* Process ids of the drawing and the media worker, 0 when not running; for tests and `doctor`. */
pid_t engine_pid(const struct engine *e, bool media);

#endif
