#include "unit/desk/desk_bench.h"

static void the_way_of_one_prompt(void **state)
{
    struct bench b;
    (void)state;
    bench_start(&b, NULL);
    bench_submit(&b, "aki", "a fox that runs over neon roofs");
    assert_int_equal(b.answers, 0); /* not before the commit */
    assert_int_equal(bench_state(&b, 1), PROMPT_STATES);
    bench_settle(&b);
    assert_int_equal(b.answers, 1);
    assert_int_equal(b.id, 1);
    assert_int_equal(bench_state(&b, 1), PROMPT_HELD);
    assert_int_equal(b.draws, 0);
    desk_decide(b.desk, DESK_APPROVE, 1, "operator", "", ANSWER(&b));
    bench_settle(&b);
    assert_int_equal(bench_state(&b, 1), PROMPT_GENERATING);
    assert_int_equal(b.drawing, 1);
    assert_string_equal(b.clip, "000001-1.mp4");
    bench_drawn(&b, true);
    bench_settle(&b);
    assert_int_equal(bench_state(&b, 1), PROMPT_REVIEW);
    assert_int_equal(b.airs, 0);
    desk_decide(b.desk, DESK_AIR, 1, "operator", "", ANSWER(&b));
    bench_settle(&b);
    assert_int_equal(bench_state(&b, 1), PROMPT_AIRING);
    assert_int_equal(b.airing, 1);
    b.cut = true;
    desk_on_air(b.desk, 1);
    b.airing = 0;
    desk_off_air(b.desk, 1, true, "");
    bench_settle(&b);
    assert_int_equal(bench_state(&b, 1), PROMPT_AIRED);
    assert_int_equal(show_gallery_after(&b.show, INT64_MAX)->id, 1);
    bench_end(&b);
}

static void refusals_name_the_reason_and_take_no_id(void **state)
{
    struct bench b;
    (void)state;
    bench_start(&b, NULL);
    b.show.set.per_viewer = 1;
    b.show.set.length = 5;
    bench_submit(&b, "aki", "");
    assert_int_equal(b.err, ERR_USAGE);
    bench_submit(&b, "aki", "123456");
    assert_int_equal(b.err, ERR_LIMIT);
    bench_submit(&b, "aki", "雨雨雨雨雨"); /* five clusters, fifteen bytes */
    bench_submit(&b, "aki", "two");        /* while the first is on its way to the disk */
    assert_int_equal(b.err, ERR_LIMIT);
    bench_settle(&b);
    assert_int_equal(b.id, 1);
    b.show.set.queue = 1;
    bench_submit(&b, "bo", "two");
    assert_int_equal(b.err, ERR_LIMIT);
    b.show.set.queue = 100;
    desk_open(b.desk, false, "operator", ANSWER(&b));
    bench_settle(&b);
    bench_submit(&b, "bo", "two");
    assert_int_equal(b.err, ERR_CLOSED);
    desk_open(b.desk, true, "operator", ANSWER(&b));
    bench_settle(&b);
    bench_submit(&b, "bo", "two");
    bench_settle(&b);
    assert_int_equal(b.id, 2);
    bench_end(&b);
}

static void the_cooldown_is_not_burnt_by_a_refusal(void **state)
{
    struct bench b;
    (void)state;
    clock_virtual(1000000, 1700000000000);
    bench_start(&b, NULL);
    b.show.set.cooldown_s = 60;
    bench_submit(&b, "aki", ""); /* refused */
    bench_submit(&b, "aki", "one");
    bench_settle(&b);
    assert_int_equal(b.err, ERR_OK);
    bench_submit(&b, "aki", "two");
    assert_int_equal(b.err, ERR_LIMIT);
    clock_advance(60001);
    bench_submit(&b, "aki", "two");
    bench_settle(&b);
    assert_int_equal(b.err, ERR_OK);
    assert_int_equal(b.id, 2);
    bench_end(&b);
    clock_real();
}

static void the_auto_gate_never_passes_a_failed_check(void **state)
{
    struct bench b;
    (void)state;
    bench_start(&b, NULL);
    b.show.set.prompt_gate = b.show.set.clip_gate = GATE_AUTO;
    bench_submit(&b, "aki", "one");
    bench_submit(&b, "bo", "two");
    bench_settle(&b);
    assert_int_equal(b.drawing, 1);
    bench_drawn(&b, false);
    bench_settle(&b);
    assert_int_equal(bench_state(&b, 1), PROMPT_REVIEW);
    assert_int_equal(b.drawing, 2);
    bench_drawn(&b, true);
    bench_settle(&b);
    assert_int_equal(bench_state(&b, 2), PROMPT_AIRING);
    assert_int_equal(b.airs, 1);
    bench_end(&b);
}

static void worker_deaths_retry_then_quarantine(void **state)
{
    struct bench b;
    (void)state;
    bench_start(&b, NULL);
    b.show.set.prompt_gate = GATE_AUTO;
    bench_submit(&b, "aki", "poison");
    bench_submit(&b, "bo", "fine");
    bench_settle(&b);
    b.drawing = 0;
    desk_worker_died(b.desk, 1, "killed by signal 9");
    bench_settle(&b);
    assert_int_equal(b.drawing, 1); /* at once again, before the other */
    assert_int_equal(b.draws, 2);
    b.drawing = 0;
    desk_worker_died(b.desk, 1, "killed by signal 9");
    bench_settle(&b);
    assert_int_equal(bench_state(&b, 1), PROMPT_QUARANTINED);
    assert_int_equal(b.drawing, 2);
    bench_end(&b);
}

static void deaths_of_the_show_requeue_and_the_third_holds(void **state)
{
    struct bench b;
    (void)state;
    bench_start(&b, NULL);
    b.show.set.prompt_gate = GATE_AUTO;
    bench_submit(&b, "aki", "one");
    bench_settle(&b);
    for (int death = 1; death <= 3; death++) {
        assert_int_equal(bench_state(&b, 1), PROMPT_GENERATING);
        bench_crash(&b);
        assert_true(b.show.unclean);
        assert_true(b.show.paused);
        assert_int_equal(bench_state(&b, 1), death < 3 ? PROMPT_APPROVED : PROMPT_HELD);
        assert_int_equal(b.drawing, 0); /* paused */
        desk_resume(b.desk, "operator", ANSWER(&b));
        bench_settle(&b);
    }
    bench_end(&b);
}

static void what_was_on_air_when_the_show_died_never_airs_again(void **state)
{
    struct bench b;
    (void)state;
    bench_start(&b, NULL);
    b.show.set.prompt_gate = b.show.set.clip_gate = GATE_AUTO;
    bench_submit(&b, "aki", "one");
    bench_settle(&b);
    bench_drawn(&b, true);
    bench_settle(&b);
    assert_int_equal(bench_state(&b, 1), PROMPT_AIRING);
    bench_crash(&b);
    assert_int_equal(bench_state(&b, 1), PROMPT_AIRED);
    desk_resume(b.desk, "operator", ANSWER(&b));
    bench_settle(&b);
    assert_int_equal(b.airs, 1);
    bench_end(&b);
}

static void what_lies_in_air_without_a_gate_is_removed(void **state)
{
    struct bench b;
    char path[PATH_LEN];
    (void)state;
    bench_start(&b, NULL);
    path_join(path, sizeof path, b.paths.air, "000009-1.mp4");
    close(open(path, O_WRONLY | O_CREAT, 0600));
    bench_crash(&b);
    assert_int_not_equal(access(path, F_OK), 0);
    bench_end(&b);
}

static void undo_takes_back_what_it_can_and_says_what_not(void **state)
{
    struct bench b;
    char path[PATH_LEN];
    (void)state;
    bench_start(&b, NULL);
    bench_submit(&b, "aki", "one");
    bench_settle(&b);
    desk_decide(b.desk, DESK_APPROVE, 1, "operator", "", ANSWER(&b));
    bench_settle(&b);
    assert_int_equal(b.drawing, 1);
    desk_undo(b.desk, "operator", ANSWER(&b)); /* of an approve whose job has begun */
    bench_settle(&b);
    assert_int_equal(bench_state(&b, 1), PROMPT_HELD);
    assert_int_equal(b.drawing, 0);
    desk_decide(b.desk, DESK_REJECT, 1, "operator", "no", ANSWER(&b));
    bench_settle(&b);
    desk_undo(b.desk, "operator", ANSWER(&b));
    bench_settle(&b);
    assert_int_equal(bench_state(&b, 1), PROMPT_HELD);
    desk_edit(b.desk, 1, "other", "operator", ANSWER(&b));
    bench_settle(&b);
    assert_true(show_find(&b.show, 1)->edited);
    desk_undo(b.desk, "operator", ANSWER(&b));
    bench_settle(&b);
    assert_string_equal(show_find(&b.show, 1)->text, "one");
    desk_decide(b.desk, DESK_APPROVE, 1, "operator", "", ANSWER(&b));
    bench_settle(&b);
    bench_drawn(&b, true);
    bench_settle(&b);
    b.stage_up = false;
    desk_decide(b.desk, DESK_AIR, 1, "operator", "", ANSWER(&b));
    bench_settle(&b);
    desk_air_path(b.desk, show_find(&b.show, 1), path);
    assert_int_equal(access(path, F_OK), 0);
    desk_undo(b.desk, "operator", ANSWER(&b)); /* before the cut: the link goes */
    bench_settle(&b);
    assert_int_equal(bench_state(&b, 1), PROMPT_REVIEW);
    assert_int_not_equal(access(path, F_OK), 0);
    b.stage_up = true;
    desk_decide(b.desk, DESK_AIR, 1, "operator", "", ANSWER(&b));
    bench_settle(&b);
    desk_undo(b.desk, "operator", ANSWER(&b)); /* the stage was asked, but has not cut */
    bench_settle(&b);
    assert_int_equal(bench_state(&b, 1), PROMPT_REVIEW);
    assert_int_equal(b.airing, 0);
    desk_decide(b.desk, DESK_AIR, 1, "operator", "", ANSWER(&b));
    bench_settle(&b);
    b.cut = true;
    desk_undo(b.desk, "operator", ANSWER(&b)); /* on air: told, not undone */
    assert_int_equal(b.err, ERR_STATE);
    assert_non_null(strstr(b.text, "on air"));
    bench_settle(&b);
    assert_int_equal(bench_state(&b, 1), PROMPT_AIRING);
    bench_end(&b);
}

static void undo_of_open_and_close_does_not_see_saw(void **state)
{
    struct bench b;
    (void)state;
    bench_start(&b, NULL);
    bench_submit(&b, "aki", "one");
    bench_settle(&b);
    desk_decide(b.desk, DESK_REJECT, 1, "operator", "", ANSWER(&b));
    desk_open(b.desk, false, "operator", ANSWER(&b));
    bench_settle(&b);
    desk_undo(b.desk, "operator", ANSWER(&b));
    bench_settle(&b);
    assert_true(b.show.open);
    desk_undo(b.desk, "operator", ANSWER(&b));
    bench_settle(&b);
    assert_int_equal(bench_state(&b, 1), PROMPT_HELD);
    assert_true(b.show.open);
    bench_end(&b);
}

static void votes_count_once_and_not_for_oneself(void **state)
{
    struct bench b;
    struct viewer aki = bench_viewer("aki"), bo = bench_viewer("bo");
    (void)state;
    bench_start(&b, NULL);
    bench_submit(&b, "aki", "one");
    bench_settle(&b);
    desk_vote(b.desk, &aki, 1, ANSWER(&b));
    assert_int_equal(b.err, ERR_DENIED);
    desk_vote(b.desk, &bo, 1, ANSWER(&b));
    desk_vote(b.desk, &bo, 1, ANSWER(&b));
    bench_settle(&b);
    assert_int_equal(b.err, ERR_EXISTS);
    assert_int_equal(show_find(&b.show, 1)->votes, 1);
    bench_crash(&b);
    assert_int_equal(show_find(&b.show, 1)->votes, 1);
    bench_end(&b);
}

static void a_ban_withdraws_everything_of_the_viewer(void **state)
{
    struct bench b;
    char path[PATH_LEN];
    struct chat_withdrawal w = {.platform = "irc", .uid = "troll", .ban_s = -1};
    (void)state;
    bench_start(&b, NULL);
    b.show.set.prompt_gate = b.show.set.clip_gate = GATE_AUTO;
    bench_submit(&b, "troll", "aired");
    bench_settle(&b);
    bench_drawn(&b, true);
    bench_settle(&b);
    b.cut = true;
    b.airing = 0;
    desk_off_air(b.desk, 1, true, "");
    bench_settle(&b);
    bench_submit(&b, "troll", "on air");
    bench_settle(&b);
    bench_drawn(&b, true);
    bench_settle(&b);
    b.cut = true;
    assert_int_equal(b.airing, 2);
    bench_submit(&b, "troll", "drawing");
    bench_submit(&b, "troll", "waiting");
    bench_submit(&b, "good", "stays");
    bench_settle(&b);
    bench_submit(&b, "troll", "not stored yet");
    desk_withdraw(b.desk, &w);
    bench_settle(&b);
    desk_air_path(b.desk, show_find(&b.show, 1), path);
    assert_true(show_find(&b.show, 1)->hidden);
    assert_int_not_equal(access(path, F_OK), 0);
    assert_int_equal(bench_state(&b, 2), PROMPT_AIRED);
    assert_true(show_find(&b.show, 2)->hidden);
    assert_int_equal(bench_state(&b, 3), PROMPT_REJECTED);
    assert_int_equal(bench_state(&b, 4), PROMPT_REJECTED);
    assert_int_equal(bench_state(&b, 5), PROMPT_GENERATING);
    assert_int_equal(bench_state(&b, 6), PROMPT_REJECTED);
    assert_null(show_gallery_after(&b.show, INT64_MAX));
    bench_submit(&b, "troll", "again");
    assert_int_equal(b.err, ERR_DENIED);
    bench_end(&b);
}

static void panic_goes_first_and_only_resume_leaves_it(void **state)
{
    struct bench b;
    (void)state;
    bench_start(&b, NULL);
    b.show.set.prompt_gate = GATE_AUTO;
    bench_submit(&b, "aki", "one");
    bench_settle(&b);
    desk_panic(b.desk, "operator");
    assert_int_equal(b.panics, 1); /* before any commit */
    assert_true(b.show.panic && b.show.paused);
    bench_drawn(&b, true); /* what runs goes on */
    bench_settle(&b);
    desk_decide(b.desk, DESK_AIR, 1, "operator", "", ANSWER(&b));
    bench_settle(&b);
    assert_int_equal(b.airs, 0);
    bench_crash(&b);
    assert_true(b.show.panic); /* survives the show */
    bench_settle(&b);
    assert_int_equal(b.airs, 0);
    desk_resume(b.desk, "operator", ANSWER(&b));
    bench_settle(&b);
    assert_false(b.show.panic);
    assert_int_equal(b.resumes, 1);
    assert_int_equal(b.airs, 1);
    bench_end(&b);
}

static void a_failed_commit_applies_nothing_and_facts_are_not_lost(void **state)
{
    struct bench b;
    (void)state;
    shimvfs_register();
    bench_start(&b, "shim");
    b.show.set.prompt_gate = GATE_AUTO;
    bench_submit(&b, "aki", "one");
    bench_settle(&b);
    assert_int_equal(b.drawing, 1);
    shimvfs_full = true;
    bench_submit(&b, "bo", "two");
    bench_submit(&b, "cy", "three");
    bench_drawn(&b, true); /* a fact while the disk is full */
    bench_settle(&b);
    assert_int_equal(b.err, ERR_FULL);
    assert_true(b.show.store_failed && b.show.paused);
    assert_int_equal(bench_state(&b, 1), PROMPT_GENERATING);
    assert_int_equal(bench_state(&b, 2), PROMPT_STATES);
    desk_decide(b.desk, DESK_CANCEL, 1, "operator", "", ANSWER(&b));
    bench_settle(&b);
    assert_int_not_equal(b.err, ERR_OK);
    int panics = b.panics;
    desk_panic(b.desk, "operator"); /* needs no disk */
    assert_int_equal(b.panics, panics + 1);
    bench_settle(&b);
    shimvfs_full = false;
    desk_resume(b.desk, "operator", ANSWER(&b));
    bench_settle(&b);
    assert_int_equal(b.err, ERR_OK);
    assert_false(b.show.store_failed || b.show.paused || b.show.panic);
    assert_int_equal(bench_state(&b, 1), PROMPT_REVIEW);
    bench_submit(&b, "bo", "two");
    bench_settle(&b);
    assert_int_equal(b.id, 2); /* the failed ones took no id */
    bench_crash(&b);
    assert_int_equal(bench_state(&b, 1), PROMPT_REVIEW);
    assert_int_equal(bench_state(&b, 2), PROMPT_APPROVED); /* it was being drawn */
    bench_end(&b);
}

/* With a disk that needs 300 ms a sync, no call into the desk waits for one. */
static void no_decision_waits_for_the_disk(void **state)
{
    struct bench b;
    (void)state;
    shimvfs_register();
    bench_start(&b, "shim");
    shimvfs_sync_ms = 300;
    int syncs = shimvfs_syncs;
    int64_t worst = 0;
    for (int i = 0; i < 200; i++) {
        char who[16];
        int64_t t = clock_mono_us();
        snprintf(who, sizeof who, "v%d", i);
        bench_submit(&b, who, "one");
        if (i == 100)
            desk_panic(b.desk, "operator");
        desk_committed(b.desk);
        t = clock_mono_us() - t;
        worst = t > worst ? t : worst;
    }
    assert_true(worst < 300000);
    bench_settle(&b);
    assert_int_equal(b.show.count[PROMPT_HELD], 200);
    assert_true(shimvfs_syncs - syncs < 20); /* batches: far fewer syncs than decisions */
    assert_int_equal(b.panics, 1);
    shimvfs_sync_ms = 0;
    bench_end(&b);
}

static void page_take(void *user, const struct prompt *p, int n)
{
    int64_t *below = user;
    *below = n > 0 ? p[n - 1].id : 0;
}

static void ended_prompts_come_page_by_page(void **state)
{
    struct bench b;
    int64_t below = INT64_MAX;
    int pages = 0;
    (void)state;
    bench_start(&b, NULL);
    for (int i = 0; i < 25; i++) {
        bench_submit(&b, "aki", "x");
        bench_settle(&b);
        desk_decide(b.desk, DESK_REJECT, b.id, "operator", "", ANSWER(&b));
        bench_settle(&b);
    }
    for (; below > 0; pages++) {
        desk_page(b.desk, below, 10, (struct desk_page){page_take, &below});
        bench_settle(&b);
    }
    assert_int_equal(pages, 4); /* 10, 10, 5, none */
    bench_end(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_way_of_one_prompt),
        cmocka_unit_test(refusals_name_the_reason_and_take_no_id),
        cmocka_unit_test(the_cooldown_is_not_burnt_by_a_refusal),
        cmocka_unit_test(the_auto_gate_never_passes_a_failed_check),
        cmocka_unit_test(worker_deaths_retry_then_quarantine),
        cmocka_unit_test(deaths_of_the_show_requeue_and_the_third_holds),
        cmocka_unit_test(what_was_on_air_when_the_show_died_never_airs_again),
        cmocka_unit_test(what_lies_in_air_without_a_gate_is_removed),
        cmocka_unit_test(undo_takes_back_what_it_can_and_says_what_not),
        cmocka_unit_test(undo_of_open_and_close_does_not_see_saw),
        cmocka_unit_test(votes_count_once_and_not_for_oneself),
        cmocka_unit_test(a_ban_withdraws_everything_of_the_viewer),
        cmocka_unit_test(panic_goes_first_and_only_resume_leaves_it),
        cmocka_unit_test(a_failed_commit_applies_nothing_and_facts_are_not_lost),
        cmocka_unit_test(no_decision_waits_for_the_disk),
        cmocka_unit_test(ended_prompts_come_page_by_page),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
