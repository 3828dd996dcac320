/* wan_make() in the ways of distilled models: their own steps, and frames that leave block by
 * block. */
#include "unit/wan/tiny.h"

#include "wan/preset.h"
#include "wan/rollout.h"
#include "wan/wan.h"

#define W 32
#define H 32
#define FRAMES 33 /* three blocks of three latent frames */

static char dir[64], model[128];
static struct wan *wan;
static struct fault fault;

static struct seen {
    uint64_t hash;
    int frames, stops, stop_at, previews, done, total;
    int steps_when[FRAMES]; /* steps made when a frame left */
    double overall;
} seen;

static bool on_stop(void *user)
{
    (void)user;
    return ++seen.stops == seen.stop_at;
}

static void on_progress(void *user, const struct wan_progress *p)
{
    (void)user;
    assert_in_range(p->done, 0, p->total);
    assert_true(p->fraction >= 0 && p->fraction <= 1 && p->overall >= 0 && p->overall <= 1);
    seen.overall = p->overall;
    if (p->total == seen.total) /* another one belongs to another stage */
        assert_true(p->done >= seen.done);
    seen.done = p->done;
    seen.total = p->total;
}

static void on_preview(void *user, const struct wan_preview *p)
{
    (void)user;
    assert_true(p->frames == 3 || p->frames == 9); /* a block, or all of it */
    seen.previews++;
}

static enum err on_frames(void *user, const struct wan_frames *p, struct fault *f)
{
    (void)user;
    (void)f;
    assert_int_equal(p->first, seen.frames);
    for (int i = 0; i < p->count; i++)
        seen.steps_when[seen.frames++] = seen.previews;
    size_t n = (size_t)p->count * (size_t)(p->width * p->height) * 3;
    for (size_t i = 0; i < n; i++)
        seen.hash = (seen.hash ^ p->rgb[i]) * UINT64_C(1099511628211);
    return ERR_OK;
}

static const struct wan_calls calls = {
    .stop = on_stop, .progress = on_progress, .preview = on_preview, .frames = on_frames};

static struct wan_job job_of(const char *sampler)
{
    return (struct wan_job){.prompt = "a fox over neon roofs",
                            .width = W,
                            .height = H,
                            .frames = FRAMES,
                            .sampler = sampler,
                            .seed = 7};
}

static enum err make(const struct wan_job *job, struct wan_made *made, int stop_at)
{
    seen = (struct seen){.stop_at = stop_at};
    return wan_make(wan, job, &calls, made, &fault);
}

static void frames_leave_block_by_block(void **state)
{
    struct wan_job job = job_of("self-forcing");
    struct wan_made made;
    (void)state;
    if (make(&job, &made, 0))
        fail_msg("%s", fault_text(&fault));
    assert_int_equal(seen.frames, FRAMES);
    assert_int_equal(seen.previews, 3 * 4);
    assert_int_equal(seen.total, 3 * 5);
    assert_int_equal(seen.done, 3 * 5);
    assert_true(seen.overall > 0.99);
    for (int i = 0; i < FRAMES; i++) /* 9 of the first block, then 12 each */
        assert_int_equal(seen.steps_when[i], i < 9 ? 4 : i < 21 ? 8 : 12);
    assert_int_equal(made.job.steps, 4);
    assert_true(made.job.guidance == 1);
    assert_true(made.tokens > 1);
    uint64_t first = seen.hash;
    assert_int_equal(make(&job, &made, 0), ERR_OK);
    assert_true(seen.hash == first); /* and again the same */
    job.seed = 8;
    assert_int_equal(make(&job, &made, 0), ERR_OK);
    assert_true(seen.hash != first);
}

static void each_way_has_its_own_steps(void **state)
{
    static const struct {
        const char *name;
        int steps;
    } ways[] = {{"lightx2v", 4}, {"self-forcing", 4}, {"causvid", 9}};
    uint64_t hash[3];
    (void)state;
    for (int i = 0; i < 3; i++) {
        struct wan_job job = job_of(ways[i].name);
        struct wan_made made;
        job.steps = 30; /* what a style asks for counts for nothing here */
        if (make(&job, &made, 0))
            fail_msg("%s", fault_text(&fault));
        assert_int_equal(made.job.steps, ways[i].steps);
        hash[i] = seen.hash;
    }
    assert_true(hash[0] != hash[1] && hash[1] != hash[2]);
}

/* Before every layer of every step, and before every frame of the decoder. */
static void it_stops_where_it_is_asked(void **state)
{
    struct wan_job job = job_of("self-forcing");
    struct wan_made made;
    (void)state;
    assert_int_equal(make(&job, &made, 0), ERR_OK);
    uint64_t whole = seen.hash;
    int asked = seen.stops;
    assert_true(asked > 3 * 5 * 3 + 9);
    for (int at = 1; at <= asked; at += 5) {
        assert_int_equal(make(&job, &made, at), ERR_CANCELLED);
        assert_int_equal(seen.stops, at); /* nothing was begun after the word */
    }
    assert_int_equal(make(&job, &made, 0), ERR_OK);
    assert_true(seen.hash == whole);
}

static void what_does_not_fit_is_refused(void **state)
{
    struct wan_job job = job_of("self-forcing");
    struct wan_made made;
    (void)state;
    job.frames = 25;
    assert_int_equal(make(&job, &made, 0), ERR_INVAL);
    assert_non_null(strstr(fault_text(&fault), "use 33 frames, not 25"));
    job = job_of("causvid");
    job.guidance = 5;
    assert_int_equal(make(&job, &made, 0), ERR_INVAL);
    job = job_of("self-forcing");
    job.teacache = 0.1;
    assert_int_equal(make(&job, &made, 0), ERR_INVAL);
    job = job_of("self-forcing");
    job.tile = 64;
    assert_int_equal(make(&job, &made, 0), ERR_INVAL);
    assert_non_null(strstr(fault_text(&fault), "tiles"));
    job = job_of("self-portrait");
    assert_int_equal(make(&job, &made, 0), ERR_INVAL);
    assert_non_null(strstr(fault_text(&fault), "self-forcing"));
}

/* The published timesteps, by the sampler's own nominal form. */
static void four_steps_are_the_published_ones(void **state)
{
    static const int nominal[] = {1000, 750, 500, 250};
    const struct preset *p = preset_find("lightx2v");
    struct schedule s;
    (void)state;
    assert_int_equal(schedule_nominal(&s, nominal, 4, 5, &fault), ERR_OK);
    assert_non_null(p);
    for (int i = 0; i < 4; i++)
        assert_true(s.sigma[i] == (float)p->sigma[i]);
    assert_null(preset_find("euler"));
    assert_null(preset_find(NULL));
}

static int start(void **state)
{
    (void)state;
    strcpy(dir, "/tmp/sakuga-causal-XXXXXX");
    if (!mkdtemp(dir))
        return 1;
    snprintf(model, sizeof model, "%s/model", dir);
    tiny_t2v(model);
    return wan_open(&(struct wan_setup){.model = model, .dtype = "f32"}, &wan, &fault);
}

static int end(void **state)
{
    (void)state;
    wan_free(wan);
    tiny_remove(dir);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frames_leave_block_by_block),
        cmocka_unit_test(each_way_has_its_own_steps),
        cmocka_unit_test(it_stops_where_it_is_asked),
        cmocka_unit_test(what_does_not_fit_is_refused),
        cmocka_unit_test(four_steps_are_the_published_ones),
    };
    return cmocka_run_group_tests(tests, start, end);
}
