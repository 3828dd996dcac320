/* A clip as raw RGB on standard output, by the model runtime alone:
 *     example-wan MODEL-FOLDER "a fox over neon roofs" 832x480x81 | ffplay -f rawvideo \
 *         -pixel_format rgb24 -video_size 832x480 -framerate 16 -
 */
#include "wan/wan.h"

#include <stdio.h>

static void step(void *user, const struct wan_progress *p)
{
    (void)user;
    fprintf(stderr, "\r%s %.0f %%  ", wan_stage_name(p->stage), 100 * p->overall);
}

static enum err frames(void *user, const struct wan_frames *p, struct fault *f)
{
    size_t bytes = (size_t)p->count * (size_t)p->width * (size_t)p->height * 3;
    if (fwrite(p->rgb, 1, bytes, user) != bytes)
        return fault_set(f, ERR_IO, "the pipe is gone");
    return ERR_OK;
}

int main(int argc, char **argv)
{
    const struct wan_setup setup = {.model = argc > 1 ? argv[1] : "."};
    struct wan_job job = {.prompt = argc > 2 ? argv[2] : "a fox", .steps = 30, .seed = 1};
    const struct wan_calls calls = {.progress = step, .frames = frames, .user = stdout};
    struct wan *w;
    struct fault f;
    if (argc > 3 && sscanf(argv[3], "%dx%dx%d", &job.width, &job.height, &job.frames) != 3)
        return fputs("the size is WIDTHxHEIGHTxFRAMES\n", stderr), 2;
    enum err e = wan_open(&setup, &w, &f);
    if (!e) {
        e = wan_make(w, &job, &calls, NULL, &f);
        wan_free(w);
    }
    if (e)
        fprintf(stderr, "%s\n", fault_text(&f));
    return e ? 1 : 0;
}
