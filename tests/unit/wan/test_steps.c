/* A clip that was stopped behind any step goes on from there bit for bit, by every sampler; made in
 * another way it begins anew, and says so. */
#include "unit/wan/home.h"

#include "wan/wan_inside.h"

enum { STEPS = HOME_STEPS };

static void test_resume_at_every_step(void **state)
{
    static const char *const samplers[] = {"unipc", "dpm++", "euler", "lcm"};
    (void)state;
    for (int s = 0; s < 4; s++) {
        struct wan_job job = home_job(samplers[s]);
        struct wan_made made;
        uint64_t whole = seen_whole(&job);
        job.checkpoint_dir = keep;
        for (int at = 1; at <= STEPS; at++) {
            assert_int_equal(seen_make(&job, &made, (struct seen){.stop_steps = at}),
                             ERR_CANCELLED);
            assert_int_equal(home_kept(), 1);
            assert_int_equal(seen_make(&job, &made, (struct seen){0}), ERR_OK);
            assert_int_equal(made.resumed, at);
            assert_int_equal(seen.previews, STEPS - at);
            assert_int_equal(seen.hash, whole);
            assert_int_equal(unlink(made.checkpoint), 0);
        }
    }
}

static void test_resume_every_second_step(void **state)
{
    struct wan_job job = home_job("unipc");
    struct wan_made made;
    uint64_t whole = seen_whole(&job);
    (void)state;
    job.checkpoint_dir = keep;
    job.checkpoint_every = 2;
    assert_int_equal(seen_make(&job, &made, (struct seen){.stop_steps = 3}), ERR_CANCELLED);
    assert_int_equal(seen_make(&job, &made, (struct seen){0}), ERR_OK);
    assert_int_equal(made.resumed, 2);
    assert_int_equal(seen.hash, whole);
    unlink(made.checkpoint);
}

/* Another way of computing is told, and the clip begins anew. */
static void test_resume_elsewhere(void **state)
{
    struct wan_job job = home_job("unipc");
    struct wan_made made;
    struct wan *first = wan;
    const struct wan_setup other = {.model = model,
                                    .device = "cpu",
                                    .dtype = "f32",
                                    .threads = wan_info(wan)->threads == 1 ? 2 : 1};
    (void)state;
    job.checkpoint_dir = keep;
    assert_int_equal(seen_make(&job, &made, (struct seen){.stop_steps = 2}), ERR_CANCELLED);
    assert_int_equal(wan_open(&other, &wan, &fault), ERR_OK);
    assert_int_equal(seen_make(&job, &made, (struct seen){0}), ERR_OK);
    assert_int_equal(made.resumed, 0);
    if (!strstr(seen.notes, "begins anew") || !strstr(seen.notes, "thread"))
        fail_msg("the notes say: %s", seen.notes);
    unlink(made.checkpoint);
    wan_free(wan);
    wan = first;
}

/* So is another build of the same version: it may round otherwise. */
static void test_resume_by_another_build(void **state)
{
    struct wan_job job = home_job("unipc");
    struct wan_made made;
    char ours[sizeof wan->info.build];
    (void)state;
    strcpy(ours, wan_info(wan)->build);
    assert_int_equal(strspn(ours, "0123456789abcdef"), 16);
    job.checkpoint_dir = keep;
    assert_int_equal(seen_make(&job, &made, (struct seen){.stop_steps = 2}), ERR_CANCELLED);
    strcpy(wan->info.build, "0123456789abcdef");
    assert_int_equal(seen_make(&job, &made, (struct seen){0}), ERR_OK);
    strcpy(wan->info.build, ours);
    assert_int_equal(made.resumed, 0);
    if (!strstr(seen.notes, "begins anew") || !strstr(seen.notes, ours) ||
        !strstr(seen.notes, "this is \"build 0123456789abcdef\""))
        fail_msg("the notes say: %s", seen.notes);
    unlink(made.checkpoint);
}

static void test_no_place_for_checkpoints(void **state)
{
    struct wan_job job = home_job("euler");
    struct wan_made made;
    (void)state;
    job.checkpoint_dir = "/nowhere/at/all";
    assert_int_equal(seen_make(&job, &made, (struct seen){0}), ERR_OK);
    assert_non_null(strstr(seen.notes, "no checkpoint"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_resume_at_every_step),
        cmocka_unit_test(test_resume_every_second_step),
        cmocka_unit_test(test_resume_elsewhere),
        cmocka_unit_test(test_resume_by_another_build),
        cmocka_unit_test(test_no_place_for_checkpoints),
    };
    return cmocka_run_group_tests(tests, home_set_up_f32, home_tear_down);
}
