/* A test's own folder: the tiny model in it, a place for checkpoints, and a handle of the model.
 * Gone when the tests have run. */
#ifndef SAKUGA_TESTS_UNIT_WAN_HOME_H
#define SAKUGA_TESTS_UNIT_WAN_HOME_H

#include "unit/wan/seen.h"
#include "unit/wan/tiny.h"

#include <dirent.h>

#define HOME_SIZE 32
#define HOME_FRAMES 9
#define HOME_STEPS 4

static char dir[64], model[128], keep[128];

/* The folder, and in it the one for checkpoints. False: there is none. */
static inline bool home_make(void)
{
    strcpy(dir, "/tmp/sakuga-wan-XXXXXX");
    if (!mkdtemp(dir))
        return false;
    snprintf(model, sizeof model, "%s/model", dir);
    snprintf(keep, sizeof keep, "%s/keep", dir);
    return mkdir(keep, 0700) == 0;
}

/* A model; what cannot be opened fails the test. */
static inline struct wan *home_open(const char *path, const char *dtype)
{
    struct wan *w = NULL;
    if (wan_open(&(struct wan_setup){.model = path, .device = "cpu", .dtype = dtype}, &w, &fault))
        fail_msg("%s", fault_text(&fault));
    return w;
}

static inline int home_set_up_as(const char *dtype)
{
    if (!home_make())
        return 1;
    tiny_t2v(model);
    wan = home_open(model, dtype);
    return 0;
}

static inline int home_set_up(void **state) /* as the processor likes it */
{
    (void)state;
    return home_set_up_as("auto");
}

static inline int home_set_up_f32(void **state)
{
    (void)state;
    return home_set_up_as("f32");
}

static inline int home_tear_down(void **state)
{
    (void)state;
    wan_free(wan);
    tiny_remove(dir);
    return 0;
}

/* A small clip. */
static inline struct wan_job home_job(const char *sampler)
{
    return (struct wan_job){.prompt = "a fox over neon roofs",
                            .width = HOME_SIZE,
                            .height = HOME_SIZE,
                            .frames = HOME_FRAMES,
                            .steps = HOME_STEPS,
                            .sampler = sampler,
                            .seed = 7};
}

/* A clip of another shape, of three steps by the model's own sampler. */
static inline struct wan_job home_job_of(int width, int height, int frames)
{
    struct wan_job job = home_job(NULL);
    job.width = width;
    job.height = height;
    job.frames = frames;
    job.steps = 3;
    return job;
}

/* Its hash, with previews of all its latent frames. */
static inline uint64_t home_previewed(const struct wan_job *job)
{
    uint64_t hash = seen_whole(job);
    assert_int_equal(seen.preview_frames, (job->frames + 3) / 4);
    return hash;
}

/* How many checkpoints there are. */
static inline int home_kept(void)
{
    int n = 0;
    DIR *d = opendir(keep);
    for (struct dirent *e; d && (e = readdir(d));)
        n += e->d_name[0] != '.' || strlen(e->d_name) > 2;
    closedir(d);
    return n;
}

#endif
