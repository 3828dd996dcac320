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

/* The show ends cleanly and starts again. */
static void quit_and_start(struct bench *b)
{
    desk_finish(b->desk);
    bench_crash(b);
}

static void a_missing_clip_goes_back_to_review(void **state)
{
    struct bench b;
    char path[PATH_LEN];
    (void)state;
    bench_start(&b, NULL);
    bench_reviewed(&b, "aki");
    desk_clip_path(b.desk, show_find(&b.show, 1), path);
    assert_int_equal(unlink(path), 0);
    desk_decide(b.desk, DESK_AIR, 1, "operator", "", ANSWER(&b));
    bench_settle(&b);
    assert_int_equal(b.err, ERR_IO); /* who asked is told */
    assert_int_equal(bench_state(&b, 1), PROMPT_REVIEW);
    assert_true(show_find(&b.show, 1)->check_failed);
    assert_int_equal(b.airs, 0);
    desk_undo(b.desk, "operator", ANSWER(&b)); /* of the approve: the air was nothing */
    assert_non_null(strstr(b.text, "approve"));
    /* and when it was rejected meanwhile, it stays so */
    desk_decide(b.desk, DESK_AIR, 1, "operator", "", ANSWER(&b));
    desk_decide(b.desk, DESK_REJECT, 1, "operator", "", ANSWER(&b));
    bench_settle(&b);
    assert_int_equal(bench_state(&b, 1), PROMPT_REJECTED);
    bench_end(&b);
}

static void undo_takes_back_the_newest_also_while_it_is_stored(void **state)
{
    struct bench b;
    (void)state;
    bench_start(&b, NULL);
    bench_submit(&b, "aki", "one");
    bench_submit(&b, "bo", "two");
    bench_settle(&b);
    desk_decide(b.desk, DESK_REJECT, 1, "operator", "", ANSWER(&b));
    bench_settle(&b);
    desk_decide(b.desk, DESK_APPROVE, 2, "operator", "", ANSWER(&b));
    desk_undo(b.desk, "operator", ANSWER(&b));
    bench_settle(&b);
    assert_int_equal(bench_state(&b, 1), PROMPT_REJECTED);
    assert_int_equal(bench_state(&b, 2), PROMPT_HELD);
    bench_end(&b);
}

static void a_hundred_decisions_can_be_undone_however_old_the_prompts(void **state)
{
    struct bench b;
    (void)state;
    bench_start(&b, NULL);
    for (int i = 0; i < 420; i++)
        bench_submit(&b, "aki", "x");
    bench_settle(&b);
    for (int i = 420; i > 0; i--) /* the oldest prompts last */
        desk_decide(b.desk, DESK_REJECT, i, "operator", "", ANSWER(&b));
    bench_settle(&b);
    for (int i = 1; i <= 100; i++) {
        desk_undo(b.desk, "operator", ANSWER(&b));
        bench_settle(&b);
        if (b.err)
            fail_msg("undo %d: %s", i, b.text);
        assert_int_equal(bench_state(&b, i), PROMPT_HELD);
    }
    desk_undo(b.desk, "operator", ANSWER(&b));
    assert_int_equal(b.err, ERR_NOTFOUND);
    bench_end(&b);
}

static void what_a_viewer_cancelled_is_not_the_operators_to_undo(void **state)
{
    struct bench b;
    struct viewer bo = bench_viewer("bo");
    (void)state;
    bench_start(&b, NULL);
    bench_submit(&b, "aki", "one");
    bench_submit(&b, "bo", "two");
    bench_settle(&b);
    desk_decide(b.desk, DESK_REJECT, 1, "operator", "", ANSWER(&b));
    desk_cancel_own(b.desk, &bo, 0, ANSWER(&b));
    bench_settle(&b);
    desk_undo(b.desk, "operator", ANSWER(&b));
    bench_settle(&b);
    assert_int_equal(bench_state(&b, 1), PROMPT_HELD);
    assert_int_equal(bench_state(&b, 2), PROMPT_CANCELLED);
    bench_end(&b);
}

static void a_failed_undo_can_be_tried_again(void **state)
{
    struct bench b;
    (void)state;
    shimvfs_register();
    bench_start(&b, "shim");
    for (int i = 0; i < 3; i++)
        bench_submit(&b, "aki", "x");
    bench_settle(&b);
    for (int i = 1; i <= 3; i++)
        desk_decide(b.desk, DESK_REJECT, i, "operator", "", ANSWER(&b));
    bench_settle(&b);
    shimvfs_full = true;
    desk_undo(b.desk, "operator", ANSWER(&b));
    desk_decide(b.desk, DESK_APPROVE, 3, "operator", "", ANSWER(&b));
    desk_undo(b.desk, "operator", ANSWER(&b)); /* of that approve */
    desk_undo(b.desk, "operator", ANSWER(&b));
    bench_settle(&b);
    assert_int_not_equal(b.err, ERR_OK);
    shimvfs_full = false;
    for (int i = 3; i > 0; i--) {
        desk_undo(b.desk, "operator", ANSWER(&b));
        bench_settle(&b);
        assert_int_equal(b.err, ERR_OK);
        assert_int_equal(bench_state(&b, i), PROMPT_HELD);
    }
    desk_undo(b.desk, "operator", ANSWER(&b));
    assert_int_equal(b.err, ERR_NOTFOUND);
    bench_end(&b);
}

static void a_failed_undo_of_air_leaves_the_clip_waiting(void **state)
{
    struct bench b;
    (void)state;
    clock_virtual(1000000, 1700000000000);
    shimvfs_register();
    bench_start(&b, "shim");
    bench_reviewed(&b, "aki");
    desk_decide(b.desk, DESK_AIR, 1, "operator", "", ANSWER(&b));
    bench_settle(&b);
    assert_int_equal(b.airing, 1);
    shimvfs_full = true;
    desk_undo(b.desk, "operator", ANSWER(&b)); /* the stage gives it back, the store refuses */
    bench_settle(&b);
    assert_int_not_equal(b.err, ERR_OK);
    shimvfs_full = false;
    desk_resume(b.desk, "operator", ANSWER(&b));
    bench_settle(&b);
    assert_int_equal(bench_state(&b, 1), PROMPT_CLEARED);
    clock_advance(1100); /* the stage rests after a clip that came back */
    desk_drive(b.desk);
    bench_settle(&b);
    assert_int_equal(bench_state(&b, 1), PROMPT_AIRING);
    assert_int_equal(b.airs, 2);
    bench_end(&b);
    clock_real();
}

static void a_refused_resume_does_not_leave_panic_later(void **state)
{
    struct bench b;
    (void)state;
    shimvfs_register();
    bench_start(&b, "shim");
    shimvfs_full = true;
    desk_panic(b.desk, "operator");
    desk_resume(b.desk, "operator", ANSWER(&b));
    desk_open(b.desk, false, "operator", ANSWER(&b));
    bench_settle(&b);
    assert_int_not_equal(b.err, ERR_OK);
    assert_true(b.show.panic && b.show.open);
    shimvfs_full = false;
    desk_tick(b.desk);
    bench_settle(&b);
    assert_false(b.show.store_failed);
    assert_true(b.show.panic);
    bench_crash(&b);
    assert_true(b.show.panic);
    assert_true(b.show.open); /* nor was the refused `close` done after all */
    bench_end(&b);
}

static void the_lamp_goes_out_without_anybodys_help(void **state)
{
    struct bench b;
    (void)state;
    shimvfs_register();
    bench_start(&b, "shim");
    shimvfs_full = true;
    bench_submit(&b, "aki", "one");
    bench_settle(&b);
    assert_true(b.show.store_failed);
    desk_tick(b.desk);
    bench_settle(&b);
    assert_true(b.show.store_failed);
    shimvfs_full = false;
    desk_tick(b.desk);
    bench_settle(&b);
    assert_false(b.show.store_failed);
    assert_true(b.show.paused); /* that is the operator's */
    bench_submit(&b, "aki", "one");
    bench_settle(&b);
    assert_int_equal(b.id, 1);
    bench_end(&b);
}

static void undo_never_leaves_panic(void **state)
{
    struct bench b;
    (void)state;
    bench_start(&b, NULL);
    desk_pause(b.desk, "", "operator", ANSWER(&b));
    bench_settle(&b);
    desk_panic(b.desk, "operator");
    desk_undo(b.desk, "operator", ANSWER(&b));
    bench_settle(&b);
    assert_int_equal(b.err, ERR_STATE);
    assert_true(b.show.panic);
    desk_pause(b.desk, "a second time", "operator", ANSWER(&b)); /* nor does a pause hide it */
    bench_settle(&b);
    bench_crash(&b);
    assert_true(b.show.panic);
    bench_end(&b);
}

static void a_ban_on_a_full_disk_is_kept(void **state)
{
    struct bench b;
    char path[PATH_LEN];
    struct chat_withdrawal w = {.platform = "irc", .uid = "troll", .ban_s = -1};
    (void)state;
    shimvfs_register();
    bench_start(&b, "shim");
    bench_reviewed(&b, "troll");
    b.stage_up = false;
    desk_decide(b.desk, DESK_AIR, 1, "operator", "", ANSWER(&b));
    bench_submit(&b, "troll", "two");
    bench_settle(&b);
    desk_decide(b.desk, DESK_APPROVE, 2, "operator", "", ANSWER(&b));
    bench_settle(&b);
    assert_int_equal(b.drawing, 2);
    desk_air_path(b.desk, show_find(&b.show, 1), path);
    shimvfs_full = true;
    desk_priority(b.desk, 2, 1, "operator", ANSWER(&b)); /* refused, and stays so */
    desk_withdraw(b.desk, &w);
    bench_settle(&b);
    desk_favourite(b.desk, 2, "operator", ANSWER(&b)); /* of the prompt that is being drawn */
    bench_settle(&b);
    assert_int_equal(bench_state(&b, 1), PROMPT_CLEARED);
    shimvfs_full = false;
    b.stage_up = true;
    desk_tick(b.desk);
    bench_settle(&b);
    assert_int_equal(bench_state(&b, 1), PROMPT_REJECTED);
    assert_int_equal(bench_state(&b, 2), PROMPT_REJECTED);
    assert_int_equal(show_find(&b.show, 2)->priority, 0);
    assert_false(show_find(&b.show, 2)->favourite);
    assert_int_not_equal(access(path, F_OK), 0);
    assert_int_equal(b.drawing, 0);
    assert_int_equal(b.airs, 0);
    bench_end(&b);
}

static void a_clip_withdrawn_on_air_leaves_air_after_a_crash_too(void **state)
{
    struct bench b;
    char path[PATH_LEN];
    struct chat_withdrawal w = {.platform = "irc", .uid = "troll"};
    (void)state;
    bench_start(&b, NULL);
    b.keep_airing = true;
    bench_reviewed(&b, "troll");
    desk_decide(b.desk, DESK_AIR, 1, "operator", "", ANSWER(&b));
    bench_settle(&b);
    b.cut = true;
    desk_withdraw(b.desk, &w);
    bench_settle(&b);
    assert_int_equal(bench_state(&b, 1), PROMPT_AIRING);
    bench_crash(&b);
    assert_int_equal(bench_state(&b, 1), PROMPT_AIRED);
    assert_true(show_find(&b.show, 1)->hidden);
    desk_air_path(b.desk, show_find(&b.show, 1), path);
    assert_int_not_equal(access(path, F_OK), 0);
    bench_end(&b);
}

static void a_clean_end_is_no_death(void **state)
{
    struct bench b;
    (void)state;
    bench_start(&b, NULL);
    b.show.set.prompt_gate = GATE_AUTO;
    bench_submit(&b, "aki", "one");
    bench_settle(&b);
    for (int i = 0; i < 5; i++) {
        assert_int_equal(bench_state(&b, 1), PROMPT_GENERATING);
        quit_and_start(&b);
        assert_false(b.show.unclean || b.show.paused);
        assert_int_equal(show_find(&b.show, 1)->show_deaths, 0);
    }
    assert_int_equal(b.drawing, 1);
    bench_end(&b);
}

static void an_accident_stays_one_until_resume(void **state)
{
    struct bench b;
    (void)state;
    bench_start(&b, NULL);
    b.stage_up = false;
    bench_reviewed(&b, "aki");
    desk_decide(b.desk, DESK_AIR, 1, "operator", "", ANSWER(&b));
    bench_settle(&b);
    b.stage_up = true;
    bench_crash(&b);
    assert_true(b.show.paused);
    quit_and_start(&b);
    assert_true(b.show.paused && b.show.unclean);
    assert_int_equal(bench_state(&b, 1), PROMPT_CLEARED); /* the operator looks first */
    struct buf why = BUF_INIT(0);
    queue_why(&b.show, show_find(&b.show, 1), clock_mono_ms(), &why);
    assert_non_null(strstr(buf_str(&why), "by accident: nothing airs before `resume`"));
    buf_free(&why);
    assert_int_equal(b.airs, 0);
    desk_resume(b.desk, "operator", ANSWER(&b));
    bench_settle(&b);
    assert_int_equal(b.airs, 1);
    quit_and_start(&b);
    assert_false(b.show.paused || b.show.unclean);
    bench_end(&b);
}

static void decisions_on_their_way_are_stored_but_not_begun_at_the_end(void **state)
{
    struct bench b;
    (void)state;
    bench_start(&b, NULL);
    b.stage_up = false;
    bench_reviewed(&b, "aki");
    desk_decide(b.desk, DESK_AIR, 1, "operator", "", ANSWER(&b));
    bench_submit(&b, "bo", "two");
    bench_settle(&b);
    b.stage_up = true;
    desk_drive(b.desk); /* #1 is staged to air */
    desk_decide(b.desk, DESK_APPROVE, 2, "operator", "", ANSWER(&b));
    int draws = b.draws;
    desk_finish(b.desk);
    assert_int_equal(b.draws, draws);
    assert_int_equal(b.airs, 0);
    bench_crash(&b);
    assert_false(b.show.unclean);
    assert_int_equal(bench_state(&b, 1), PROMPT_AIRING); /* at the start, not before */
    assert_int_equal(bench_state(&b, 2), PROMPT_GENERATING);
    assert_int_equal(b.airs, 1);
    bench_end(&b);
}

static void a_restart_keeps_the_queue_fair_and_the_cooldown(void **state)
{
    struct bench b;
    (void)state;
    clock_virtual(1000000, 1700000000000);
    bench_start(&b, NULL);
    b.show.set.prompt_gate = GATE_AUTO;
    b.engine_up = false;
    for (int i = 0; i < 6; i++)
        bench_submit(&b, "aki", "x");
    bench_submit(&b, "bo", "x");
    bench_settle(&b);
    for (int i = 1; i <= 7; i++) /* what is stored again carries its round */
        desk_edit(b.desk, i, "y", "operator", ANSWER(&b));
    bench_settle(&b);
    bench_crash(&b);
    b.show.set.prompt_gate = GATE_AUTO;
    const struct prompt *order[8];
    assert_int_equal(queue_order(&b.show, clock_mono_ms(), false, order, 8), 7);
    assert_int_equal(order[0]->id, 1);
    assert_int_equal(order[1]->id, 7);
    assert_int_equal(order[2]->id, 2);
    b.show.set.cooldown_s = 60;
    clock_advance(30000);
    bench_submit(&b, "aki", "z");
    assert_int_equal(b.err, ERR_LIMIT);
    assert_non_null(strstr(b.text, "30 s"));
    clock_advance(31000);
    bench_submit(&b, "cy", "z"); /* who is new comes behind the first of those who waited */
    bench_settle(&b);
    assert_int_equal(queue_order(&b.show, clock_mono_ms(), false, order, 8), 8);
    assert_int_equal(order[1]->id, 7);
    assert_int_equal(order[2]->id, 8);
    bench_end(&b);
    clock_real();
}

/* The wall clock is set a day back and a year ahead: limits, order and ages do not care. */
static void the_wall_clock_may_jump(void **state)
{
    struct bench b;
    struct buf why = BUF_INIT(0);
    const struct prompt *order[4];
    (void)state;
    clock_virtual(1000000, 1700000000000);
    bench_start(&b, NULL);
    b.show.set.prompt_gate = GATE_AUTO;
    b.engine_up = false;
    b.show.set.cooldown_s = 60;
    bench_submit(&b, "aki", "x");
    bench_settle(&b);
    clock_virtual(1001000, 1700000000000 + 365 * 86400000ll);
    bench_submit(&b, "aki", "x");
    assert_int_equal(b.err, ERR_LIMIT);
    bench_submit(&b, "bo", "x");
    bench_settle(&b);
    clock_virtual(1061000, 1700000000000 - 86400000);
    bench_submit(&b, "aki", "x");
    bench_submit(&b, "cy", "x");
    bench_settle(&b);
    assert_int_equal(queue_order(&b.show, clock_mono_ms(), false, order, 4), 4);
    assert_int_equal(order[0]->id, 1); /* aki, bo, cy; then aki's second */
    assert_int_equal(order[1]->id, 2);
    assert_int_equal(order[2]->id, 4);
    assert_int_equal(order[3]->id, 3);
    queue_why(&b.show, show_find(&b.show, 1), clock_mono_ms(), &why);
    assert_non_null(strstr(buf_str(&why), "age 6")); /* 61 s */
    bench_crash(&b); /* and what was stored in the future is young */
    assert_int_equal(queue_terms(&b.show, show_find(&b.show, 2), clock_mono_ms()).age, 0);
    buf_free(&why);
    bench_end(&b);
    clock_real();
}

static void make_file(const char *dir, const char *name, long bytes)
{
    char path[PATH_LEN];
    path_join(path, sizeof path, dir, name);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(ftruncate(fd, bytes), 0);
    close(fd);
}

static bool in_vault(const struct bench *b, const char *name)
{
    char path[PATH_LEN];
    path_join(path, sizeof path, b->paths.vault, name);
    return !access(path, F_OK);
}

/* Draws and ends prompt after prompt: 1 aired, 2 and 3 rejected, 4 aired, 5 rejected and a
 * favourite, 6 in review. */
static void fill_vault(struct bench *b)
{
    static const char fate[] = "arrafv";
    for (int i = 1; i <= 6; i++) {
        char name[32];
        bench_reviewed(b, "aki");
        snprintf(name, sizeof name, "%06d-1.mp4", i);
        make_file(b->paths.vault, name, 1000);
        if (fate[i - 1] == 'a') {
            desk_decide(b->desk, DESK_AIR, i, "operator", "", ANSWER(b));
            bench_settle(b);
            b->cut = true;
            b->airing = 0;
            desk_off_air(b->desk, i, true, "");
        } else if (fate[i - 1] != 'v') {
            desk_decide(b->desk, DESK_REJECT, i, "operator", "", ANSWER(b));
        }
        if (fate[i - 1] == 'f')
            desk_favourite(b->desk, i, "operator", ANSWER(b));
        bench_settle(b);
    }
}

static void prune_to(struct bench *b, int64_t bytes)
{
    b->show.set.vault_bytes = bytes;
    clock_advance(6000);
    desk_tick(b->desk);
    bench_settle(b);
}

static void the_vault_gives_up_unaired_first_and_favourites_never(void **state)
{
    struct bench b;
    char path[PATH_LEN];
    (void)state;
    clock_virtual(1000000, 1700000000000);
    bench_start(&b, NULL);
    fill_vault(&b);
    make_file(b.paths.vault, "notes.txt", 1000); /* not ours: counted, never touched */
    prune_to(&b, 7000);
    assert_true(in_vault(&b, "000002-1.mp4"));
    prune_to(&b, 6000);
    assert_false(in_vault(&b, "000002-1.mp4")); /* the oldest that never aired */
    assert_true(in_vault(&b, "000003-1.mp4"));
    prune_to(&b, 4500);
    assert_false(in_vault(&b, "000003-1.mp4"));
    assert_false(in_vault(&b, "000001-1.mp4")); /* then the oldest that did */
    assert_true(in_vault(&b, "000004-1.mp4"));
    desk_air_path(b.desk, show_find(&b.show, 1), path);
    assert_int_not_equal(access(path, F_OK), 0);
    assert_true(show_find(&b.show, 1)->hidden); /* and leaves the gallery */
    assert_int_equal(show_gallery_after(&b.show, INT64_MAX)->id, 4);
    bench_crash(&b); /* favourites are known after a restart */
    prune_to(&b, 1);
    assert_true(in_vault(&b, "000005-1.mp4"));
    assert_true(in_vault(&b, "000006-1.mp4")); /* it waits for gate 2 */
    assert_true(in_vault(&b, "notes.txt"));
    assert_false(in_vault(&b, "000004-1.mp4"));
    bench_end(&b);
    clock_real();
}

/* Between the two errands of the guard: what was named to go cannot be kept any more, what was not
 * can. */
static void what_is_being_pruned_is_no_favourite(void **state)
{
    struct bench b;
    (void)state;
    clock_virtual(1000000, 1700000000000);
    bench_start(&b, NULL);
    fill_vault(&b);
    b.hold_work = true;
    prune_to(&b, 5000); /* listing */
    desk_favourite(b.desk, 2, "operator", ANSWER(&b));
    bench_settle(&b);
    assert_int_equal(b.err, ERR_OK);
    bench_work(&b); /* 3 is named, for 2 is a favourite now */
    desk_favourite(b.desk, 3, "operator", ANSWER(&b));
    assert_int_equal(b.err, ERR_STATE);
    assert_non_null(strstr(b.text, "#3 is being pruned"));
    desk_favourite(b.desk, 1, "operator", ANSWER(&b));
    bench_settle(&b);
    assert_int_equal(b.err, ERR_OK);
    bench_work(&b);
    assert_false(in_vault(&b, "000003-1.mp4"));
    assert_true(in_vault(&b, "000002-1.mp4"));
    b.hold_work = false;
    prune_to(&b, 1);
    assert_true(in_vault(&b, "000001-1.mp4"));
    assert_true(in_vault(&b, "000002-1.mp4"));
    assert_false(in_vault(&b, "000004-1.mp4"));
    bench_end(&b);
    clock_real();
}

/* More clips have aired since than the show remembers. */
static void a_clip_aired_long_ago_stays_an_aired_one(void **state)
{
    struct bench b;
    (void)state;
    clock_virtual(1000000, 1700000000000);
    bench_start(&b, NULL);
    b.show.set.queue = 0;
    fill_vault(&b);
    for (int i = 0; i < SHOW_ENDED_KEPT + 8; i++) {
        bench_reviewed(&b, "bo");
        desk_decide(b.desk, DESK_AIR, b.id, "operator", "", ANSWER(&b));
        bench_settle(&b);
        b.airing = 0;
        desk_off_air(b.desk, b.id, true, "");
        bench_settle(&b);
    }
    bench_crash(&b);
    assert_null(show_find(&b.show, 1));
    prune_to(&b, 4000); /* 2 and 3 go, which never aired, though 1 is older */
    assert_true(in_vault(&b, "000001-1.mp4"));
    assert_false(in_vault(&b, "000002-1.mp4"));
    assert_false(in_vault(&b, "000003-1.mp4"));
    bench_end(&b);
    clock_real();
}

static void a_refused_unfavourite_prunes_nothing(void **state)
{
    struct bench b;
    (void)state;
    shimvfs_register();
    clock_virtual(1000000, 1700000000000);
    bench_start(&b, "shim");
    fill_vault(&b);
    shimvfs_full = true;
    desk_favourite(b.desk, 5, "operator", ANSWER(&b));
    bench_settle(&b);
    assert_int_not_equal(b.err, ERR_OK);
    prune_to(&b, 1);
    assert_true(in_vault(&b, "000005-1.mp4"));
    shimvfs_full = false;
    desk_favourite(b.desk, 5, "operator", ANSWER(&b));
    bench_settle(&b);
    prune_to(&b, 1);
    assert_false(in_vault(&b, "000005-1.mp4"));
    bench_end(&b);
    clock_real();
}

static void a_nearly_full_disk_starts_no_job(void **state)
{
    struct bench b;
    (void)state;
    clock_virtual(1000000, 1700000000000);
    bench_start(&b, NULL);
    b.show.set.prompt_gate = GATE_AUTO;
    b.show.set.disk_reserve = INT64_MAX;
    clock_advance(6000);
    desk_tick(b.desk);
    assert_true(b.show.disk_low);
    bench_submit(&b, "aki", "one");
    bench_settle(&b);
    assert_int_equal(b.draws, 0);
    b.show.set.disk_reserve = 1;
    clock_advance(6000);
    desk_tick(b.desk);
    bench_settle(&b);
    assert_false(b.show.disk_low);
    assert_int_equal(b.drawing, 1);
    bench_end(&b);
    clock_real();
}

static void the_eta_comes_from_what_was_measured(void **state)
{
    struct bench b;
    struct eta_range eta;
    (void)state;
    clock_virtual(1000000, 1700000000000);
    bench_start(&b, NULL);
    b.show.set.prompt_gate = GATE_AUTO;
    bench_submit(&b, "aki", "one");
    bench_submit(&b, "bo", "two");
    bench_settle(&b);
    assert_false(
        queue_eta(&b.show, show_find(&b.show, 2), clock_mono_ms(), &eta)); /* nothing yet */
    bench_drawn(&b, true);                                                 /* 1000 ms */
    bench_settle(&b);
    clock_advance(4000);
    desk_decide(b.desk, DESK_AIR, 1, "operator", "", ANSWER(&b)); /* 4 s of review */
    bench_settle(&b);
    bench_submit(&b, "cy", "three");
    bench_settle(&b);
    b.show.engine = (struct engine_status){.state = ENGINE_DRAWING, .job = 2, .eta_ms = 600};
    assert_true(queue_eta(&b.show, show_find(&b.show, 3), clock_mono_ms(), &eta));
    assert_int_equal(eta.low_ms, 600 + 1000 + 4000);
    b.show.engine.eta_ms = -1; /* it has not said: as long as a whole one */
    assert_true(queue_eta(&b.show, show_find(&b.show, 3), clock_mono_ms(), &eta));
    assert_int_equal(eta.low_ms, 1000 + 1000 + 4000);
    b.show.set.max_eta_s = 5;
    bench_submit(&b, "dan", "four");
    assert_int_equal(b.err, ERR_LIMIT);
    bench_crash(&b); /* drawing times survive */
    assert_int_equal(eta_quantile(&b.show.eta, ETA_DRAW, 0.5), 1000);
    bench_end(&b);
    clock_real();
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
        cmocka_unit_test(a_missing_clip_goes_back_to_review),
        cmocka_unit_test(undo_takes_back_the_newest_also_while_it_is_stored),
        cmocka_unit_test(a_hundred_decisions_can_be_undone_however_old_the_prompts),
        cmocka_unit_test(what_a_viewer_cancelled_is_not_the_operators_to_undo),
        cmocka_unit_test(a_failed_undo_can_be_tried_again),
        cmocka_unit_test(a_failed_undo_of_air_leaves_the_clip_waiting),
        cmocka_unit_test(a_refused_resume_does_not_leave_panic_later),
        cmocka_unit_test(the_lamp_goes_out_without_anybodys_help),
        cmocka_unit_test(undo_never_leaves_panic),
        cmocka_unit_test(a_ban_on_a_full_disk_is_kept),
        cmocka_unit_test(a_clip_withdrawn_on_air_leaves_air_after_a_crash_too),
        cmocka_unit_test(a_clean_end_is_no_death),
        cmocka_unit_test(an_accident_stays_one_until_resume),
        cmocka_unit_test(decisions_on_their_way_are_stored_but_not_begun_at_the_end),
        cmocka_unit_test(a_restart_keeps_the_queue_fair_and_the_cooldown),
        cmocka_unit_test(the_wall_clock_may_jump),
        cmocka_unit_test(the_vault_gives_up_unaired_first_and_favourites_never),
        cmocka_unit_test(what_is_being_pruned_is_no_favourite),
        cmocka_unit_test(a_clip_aired_long_ago_stays_an_aired_one),
        cmocka_unit_test(a_refused_unfavourite_prunes_nothing),
        cmocka_unit_test(a_nearly_full_disk_starts_no_job),
        cmocka_unit_test(the_eta_comes_from_what_was_measured),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
