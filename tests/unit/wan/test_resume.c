/* wan_make() goes on bit for bit where less than all is kept: under TeaCache with whole steps only,
 * and in a causal clip with the latents of its blocks. */
#include "unit/wan/home.h"

#include "wan/rollout.h"
#include "wan/wan.h"

#define W 16
#define H 16

/* The job is stopped as `how` says and goes on: how many steps that spared. */
static int cut_and_resume(struct wan_job job, struct seen how, uint64_t want)
{
    struct wan_made made;
    job.checkpoint_dir = keep;
    assert_int_equal(seen_make(&job, &made, how), ERR_CANCELLED);
    bool left = home_kept() > 0;
    assert_true(seen_all(&job, &made, (struct seen){0}) == want);
    assert_int_equal(left, made.resumed > 0);
    assert_int_equal(unlink(made.checkpoint), 0);
    return made.resumed;
}

/* ---- TeaCache ---- */

#define STEPS 14

/* So near to each other that the estimate stays where the published polynomial begins, at about
 * 0.14 a step, but for two jumps. */
static double sigma(int i)
{
    return 1 - 0.0001 * i - 0.3 * (i > 6) - 0.2 * (i > 11);
}

static struct wan_job tea_job(double threshold)
{
    static double sigmas[STEPS];
    for (int i = 0; i < STEPS; i++)
        sigmas[i] = sigma(i);
    return (struct wan_job){.prompt = "a fox over neon roofs",
                            .width = W,
                            .height = H,
                            .frames = 5,
                            .steps = STEPS,
                            .sigmas = sigmas,
                            .seed = 7,
                            .teacache = threshold};
}

/* Blocks asked for; every whole pass asks before each of the three layers. */
static int passes(void)
{
    return seen.asked / 3;
}

/* Stopped behind every `every`th step, and behind the last. */
static void tea_resumes(struct wan_job job, const char *sampler, int every)
{
    struct wan_job none = job;
    none.teacache = 0;
    none.sampler = job.sampler = sampler;
    seen_whole(&none);
    int all = passes();
    uint64_t want = seen_whole(&job);
    if (passes() > all - 6 || passes() < all / 4)
        fail_msg("%d of %d passes were left out: no mixture", all - passes(), all);
    int spared = 0, most = 0;
    for (int at = 1 + (STEPS - 1) % every; at <= STEPS; at += every) {
        int n = cut_and_resume(job, (struct seen){.stop_previews = at}, want);
        assert_true(n <= at && n >= spared);
        spared = n;
        most += n;
    }
    assert_int_equal(spared, STEPS); /* with the last step all is made */
    if (most <= STEPS + 3)
        fail_msg("only %d steps were spared before the last", most - STEPS);
}

static void teacache_goes_on_at_whole_steps(void **state)
{
    (void)state;
    tea_resumes(tea_job(0.3), "unipc", 1);
    tea_resumes(tea_job(0.3), "lcm", 3);
}

static void teacache_with_guidance_in_parts(void **state)
{
    struct wan_job job = tea_job(0.3);
    (void)state;
    job.guide_from = 0.3;
    job.guide_to = 0.8;
    tea_resumes(job, "euler", 3);
    job.guidance = 1;
    tea_resumes(job, "dpm++", 3);
}

/* ---- causal clips ---- */

#define BLOCKS 9 /* of 3: more than the window of 21 holds */
#define FRAMES (BLOCKS * 12 - 3)

static struct wan_job causal_job(void)
{
    return (struct wan_job){.prompt = "a fox over neon roofs",
                            .width = W,
                            .height = H,
                            .frames = FRAMES,
                            .sampler = "self-forcing",
                            .seed = 7};
}

static void causal_clips_go_on_at_every_block(void **state)
{
    struct wan_job job = causal_job();
    uint64_t want = seen_whole(&job);
    (void)state;
    _Static_assert(BLOCKS * 3 > ROLLOUT_WINDOW, "the window must move");
    static const int behind[] = {1, 3, 5, 7, 8, BLOCKS}; /* from 7 on the window moves */
    for (size_t i = 0; i < sizeof behind / sizeof *behind; i++) {
        int frames = behind[i] * 12 - 3 - 4 * (behind[i] == BLOCKS);
        assert_int_equal(cut_and_resume(job, (struct seen){.stop_frames = frames}, want),
                         4 * behind[i]);
    }
    /* in the midst of a block: from the one before it */
    assert_int_equal(cut_and_resume(job, (struct seen){.stop_previews = 2}, want), 0);
    assert_int_equal(cut_and_resume(job, (struct seen){.stop_previews = 4 * 8 + 2}, want), 32);
}

static int last_noted(void)
{
    const char *at = strstr(seen.notes, "after block ");
    return at ? atoi(at + 12) : 0;
}

/* A second death, while the blocks of the first life are still being taken in. */
static void causal_clips_die_twice(void **state)
{
    struct wan_job job = causal_job();
    struct wan_made made;
    uint64_t want = seen_whole(&job);
    (void)state;
    job.checkpoint_dir = keep;
    assert_int_equal(seen_make(&job, &made, (struct seen){.stop_previews = 4 * 8 + 1}),
                     ERR_CANCELLED);
    assert_int_equal(seen_make(&job, &made, (struct seen){.stop_frames = 30}), ERR_CANCELLED);
    assert_int_equal(last_noted(), 8);
    assert_int_equal(seen_make(&job, &made, (struct seen){0}), ERR_OK);
    assert_int_equal(last_noted(), 8);
    assert_int_equal(seen.previews, 4);
    assert_true(seen.hash == want);
    unlink(made.checkpoint);
}

/* ---- changes of the prompt ---- */

static int same_frames(const uint8_t *a, const uint8_t *b, int frames)
{
    size_t n = (size_t)W * H * 3;
    int i = 0;
    while (i < frames && !memcmp(a + (size_t)i * n, b + (size_t)i * n, n))
        i++;
    return i;
}

static uint8_t *collected(const struct wan_job *job)
{
    uint8_t *all = calloc((size_t)job->frames, (size_t)W * H * 3);
    seen_all(job, NULL, (struct seen){.kept = all});
    return all;
}

static void a_new_prompt_begins_with_a_block(void **state)
{
    struct wan_job job = causal_job();
    struct wan_turn turn[] = {{9, "a cat on a train"}, {22, "snow over the sea"}};
    (void)state;
    job.frames = 45; /* blocks at 0, 9, 21, 33 */
    uint8_t *one = collected(&job);
    job.turn = turn;
    job.turn_n = 1;
    uint8_t *two = collected(&job);
    assert_int_equal(same_frames(one, two, 45), 9);
    job.turn_n = 2;
    uint8_t *three = collected(&job);
    assert_int_equal(same_frames(two, three, 45), 33); /* 22 lies within the block at 21 */
    turn[0].frame = 1;
    uint8_t *same = collected(&job); /* as good as 9 */
    assert_int_equal(same_frames(three, same, 45), 45);
    turn[0].prompt = job.prompt;
    uint8_t *late = collected(&job); /* of the first one till 33 */
    assert_int_equal(same_frames(one, late, 45), 33);
    free(one);
    free(two);
    free(three);
    free(same);
    free(late);
}

static void turns_are_part_of_the_job(void **state)
{
    struct wan_job job = causal_job();
    struct wan_turn turn[] = {{33, "a cat on a train"}, {81, "snow over the sea"}};
    struct wan_made made;
    (void)state;
    job.turn = turn;
    job.turn_n = 2;
    uint64_t want = seen_whole(&job);
    for (int block = 2; block < BLOCKS; block += 3)
        assert_int_equal(cut_and_resume(job, (struct seen){.stop_frames = block * 12 - 3}, want),
                         4 * block);
    job.checkpoint_dir = keep;
    assert_int_equal(seen_make(&job, &made, (struct seen){.stop_frames = 40}), ERR_CANCELLED);
    turn[1].prompt = "snow over the lake";
    struct wan_made other;
    assert_int_equal(seen_make(&job, &other, (struct seen){0}), ERR_OK);
    assert_int_equal(other.resumed, 0); /* another job, with a checkpoint of its own */
    unlink(made.checkpoint);
    unlink(other.checkpoint);
}

static void impossible_turns_are_refused(void **state)
{
    struct wan_job job = causal_job();
    struct wan_turn turn[] = {{9, "a"}, {9, "b"}};
    (void)state;
    job.turn = turn;
    job.turn_n = 2;
    assert_int_equal(seen_make(&job, NULL, (struct seen){0}), ERR_INVAL);
    assert_non_null(strstr(fault_text(&fault), "at frame 9"));
    job.turn_n = 1;
    turn[0].frame = 0;
    assert_int_equal(seen_make(&job, NULL, (struct seen){0}), ERR_INVAL);
    turn[0].frame = FRAMES;
    assert_int_equal(seen_make(&job, NULL, (struct seen){0}), ERR_INVAL);
    turn[0] = (struct wan_turn){9, NULL};
    assert_int_equal(seen_make(&job, NULL, (struct seen){0}), ERR_INVAL);
    turn[0].prompt = "a";
    job.turn_n = WAN_TURNS_MAX + 1;
    assert_int_equal(seen_make(&job, NULL, (struct seen){0}), ERR_INVAL);
    job.turn_n = 1;
    job.sampler = "euler";
    assert_int_equal(seen_make(&job, NULL, (struct seen){0}), ERR_INVAL);
    assert_non_null(strstr(fault_text(&fault), "causal"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(teacache_goes_on_at_whole_steps),
        cmocka_unit_test(teacache_with_guidance_in_parts),
        cmocka_unit_test(causal_clips_go_on_at_every_block),
        cmocka_unit_test(causal_clips_die_twice),
        cmocka_unit_test(a_new_prompt_begins_with_a_block),
        cmocka_unit_test(turns_are_part_of_the_job),
        cmocka_unit_test(impossible_turns_are_refused),
    };
    return cmocka_run_group_tests(tests, home_set_up, home_tear_down);
}
