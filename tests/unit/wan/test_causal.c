/* wan_make() in the ways of distilled models: their own steps, and frames that leave block by
 * block. */
#include "unit/wan/home.h"

#include "wan/preset.h"
#include "wan/rollout.h"
#include "wan/wan.h"

#define W 32
#define H 32
#define FRAMES 33 /* three blocks of three latent frames */

static struct wan_job job_of(const char *sampler)
{
    return (struct wan_job){.prompt = "a fox over neon roofs",
                            .width = W,
                            .height = H,
                            .frames = FRAMES,
                            .sampler = sampler,
                            .seed = 7};
}

static void frames_leave_block_by_block(void **state)
{
    struct wan_job job = job_of("self-forcing");
    struct wan_made made;
    (void)state;
    uint64_t first = seen_all(&job, &made, (struct seen){0});
    assert_int_equal(seen.previews, 3 * 4);
    assert_int_equal(seen.preview_frames, 3); /* a block */
    assert_int_equal(seen.total, 3 * 5);
    assert_int_equal(seen.done, 3 * 5);
    assert_true(seen.overall > 0.99);
    for (int i = 0; i < FRAMES; i++) /* 9 of the first block, then 12 each */
        assert_int_equal(seen.previews_when[i], i < 9 ? 4 : i < 21 ? 8 : 12);
    assert_int_equal(made.job.steps, 4);
    assert_true(made.job.guidance == 1);
    assert_true(made.tokens > 1);
    assert_true(seen_whole(&job) == first); /* and again the same */
    job.seed = 8;
    assert_true(seen_whole(&job) != first);
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
        hash[i] = seen_all(&job, &made, (struct seen){0});
        assert_int_equal(made.job.steps, ways[i].steps);
    }
    assert_true(hash[0] != hash[1] && hash[1] != hash[2]);
}

/* Before every layer of every step, and before every frame of the decoder. */
static void it_stops_where_it_is_asked(void **state)
{
    struct wan_job job = job_of("self-forcing");
    (void)state;
    uint64_t whole = seen_whole(&job);
    int asked = seen.asked;
    assert_true(asked > 3 * 5 * 3 + 9);
    for (int at = 1; at <= asked; at += 5) {
        assert_int_equal(seen_make(&job, NULL, (struct seen){.stop_at = at}), ERR_CANCELLED);
        assert_int_equal(seen.asked, at); /* nothing was begun after the word */
    }
    assert_true(seen_whole(&job) == whole);
}

static void what_does_not_fit_is_refused(void **state)
{
    struct wan_job job = job_of("self-forcing");
    (void)state;
    job.frames = 25;
    seen_refused(&job, ERR_INVAL, "use 33 frames, not 25");
    job = job_of("causvid");
    job.guidance = 5;
    seen_refused(&job, ERR_INVAL, "no guidance");
    job = job_of("self-forcing");
    job.teacache = 0.1;
    seen_refused(&job, ERR_INVAL, "TeaCache");
    job = job_of("self-forcing");
    job.tile = 64;
    seen_refused(&job, ERR_INVAL, "tiles");
    job = job_of("self-portrait");
    seen_refused(&job, ERR_INVAL, "self-forcing");
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frames_leave_block_by_block),
        cmocka_unit_test(each_way_has_its_own_steps),
        cmocka_unit_test(it_stops_where_it_is_asked),
        cmocka_unit_test(what_does_not_fit_is_refused),
        cmocka_unit_test(four_steps_are_the_published_ones),
    };
    return cmocka_run_group_tests(tests, home_set_up_f32, home_tear_down);
}
