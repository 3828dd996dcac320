/* The animatic as a painter. Its shares are as measured by tests/bench/bench_animatic. */
#include "base/log.h"
#include "media/animatic.h"
#include "worker/run.h"

#include <stdlib.h>

static enum err draw(struct painter *p, struct run *r, struct fault *f)
{
    const struct engine_job *j = r->job;
    struct animatic_spec look = {j->prompt,  j->viewer,    j->style, j->label,
                                 j->palette, j->palette_n, j->seed,  j->width,
                                 j->height,  j->frames,    j->fps};
    enum err e = ERR_OK;
    (void)p;
    struct animatic *a = animatic_new(&look, f);
    if (!a)
        return ERR_NOMEM;
    for (int i = 0; i < j->frames && !e; i++) {
        uint8_t *to = run_slot(r, i);
        if (!to) {
            e = fault_set(f, ERR_CANCELLED, "the job was cancelled");
            break;
        }
        animatic_draw(a, i, to);
        run_preview(r, to);
        run_drawn(r, i);
        double part = (i + 1) / (double)j->frames;
        run_progress(r, "draw", part, part, -1);
    }
    log_debug("worker", "job %lld shows %s", (long long)j->id, animatic_motifs(a));
    animatic_free(a);
    return e;
}

static enum err warm(struct painter *p, struct fault *f)
{
    (void)p;
    (void)f;
    animatic_warm();
    return ERR_OK;
}

struct painter *paint_animatic(void)
{
    struct painter *p = calloc(1, sizeof *p);
    if (p)
        *p = (struct painter){.engine = "animatic",
                              .stage = "draw",
                              .shares = {0.55, 0.25, 0.20},
                              .warm = warm,
                              .draw = draw};
    return p;
}
