#include "unit.h"

#include "show/queue.h"

static struct viewer viewer(const char *name)
{
    struct viewer v = {.platform = "irc"};
    snprintf(v.uid, sizeof v.uid, "%s", name);
    snprintf(v.name, sizeof v.name, "%s", name);
    return v;
}

static void put(struct show *s, int64_t id, const char *who, enum prompt_state st, int64_t created)
{
    struct prompt p = {.id = id, .state = st, .viewer = viewer(who), .created_mono = created};
    const struct prompt *now = show_find(s, id);
    if (now) {
        p = *now;
        p.state = st;
    }
    assert_int_equal(show_apply(s, &p, "test", created), ERR_OK);
}

static void every_state_has_a_name_and_a_way_out(void **state)
{
    (void)state;
    for (int a = 0; a < PROMPT_STATES; a++) {
        int ways = 0;
        assert_int_equal(prompt_state_parse(prompt_state_name((enum prompt_state)a)), a);
        for (int b = 0; b < PROMPT_STATES; b++)
            ways += prompt_may((enum prompt_state)a, (enum prompt_state)b);
        if (!prompt_ended((enum prompt_state)a))
            assert_true(ways > 0);
    }
    assert_int_equal(prompt_state_parse("nonsense"), PROMPT_STATES);
}

/* The airlock as a property of the table: who walks to AIRING passed HELD or APPROVED, then
 * GENERATING, then CLEARED. */
static void nothing_reaches_the_air_around_a_gate(void **state)
{
    (void)state;
    for (int a = 0; a < PROMPT_STATES; a++) {
        if (prompt_may((enum prompt_state)a, PROMPT_AIRING))
            assert_int_equal(a, PROMPT_CLEARED);
        if (prompt_may((enum prompt_state)a, PROMPT_CLEARED))
            assert_true(a == PROMPT_REVIEW || a == PROMPT_AIRING);
        if (prompt_may((enum prompt_state)a, PROMPT_GENERATING))
            assert_int_equal(a, PROMPT_APPROVED);
    }
}

static void turns_go_round(void **state)
{
    struct show s;
    const struct prompt *order[4];
    (void)state;
    assert_int_equal(show_init(&s), ERR_OK);
    put(&s, 1, "a", PROMPT_APPROVED, 1000);
    put(&s, 2, "a", PROMPT_APPROVED, 1001);
    put(&s, 3, "a", PROMPT_APPROVED, 1002);
    put(&s, 4, "b", PROMPT_APPROVED, 1003);
    assert_int_equal(queue_order(&s, 2000, false, order, 4), 4);
    int64_t want[] = {1, 4, 2, 3};
    for (int i = 0; i < 4; i++) {
        assert_int_equal(order[i]->id, want[i]);
        assert_int_equal(queue_position(&s, order[i], 2000), i + 1);
    }
    assert_ptr_equal(queue_next(&s, 2000), order[0]);
    show_free(&s);
}

static void votes_and_priority_are_terms_of_the_sum(void **state)
{
    struct show s;
    (void)state;
    assert_int_equal(show_init(&s), ERR_OK);
    put(&s, 1, "a", PROMPT_APPROVED, 0);
    put(&s, 2, "b", PROMPT_APPROVED, 0);
    struct prompt p = *show_find(&s, 2);
    p.votes = 3;
    show_apply(&s, &p, "test", 1);
    assert_int_equal(queue_next(&s, 100)->id, 2);
    p = *show_find(&s, 1);
    p.priority = 1;
    show_apply(&s, &p, "test", 1);
    assert_int_equal(queue_next(&s, 100)->id, 1);
    struct queue_terms t = queue_terms(&s, show_find(&s, 2), 100000);
    assert_int_equal(t.sum, t.priority + t.votes + t.turn + t.age);
    assert_int_equal(t.votes, 30);
    assert_int_equal(t.age, 10);
    p = *show_find(&s, 2);
    p.votes = 5000; /* a brigade */
    show_apply(&s, &p, "test", 1);
    assert_int_equal(queue_terms(&s, show_find(&s, 2), 0).votes, 500);
    struct buf b = BUF_INIT(0);
    queue_why(&s, show_find(&s, 2), 100000, &b);
    assert_non_null(strstr(buf_str(&b), "sum 510 = priority 0 + votes 500 + turn 0 + age 10"));
    buf_free(&b);
    show_free(&s);
}

/* Starvation bound: against a stream of fresh prompts with every advantage that viewers can give,
 * an old one is drawn once its age outweighs votes (500) and turns (1000 for each it holds itself).
 */
static void nobody_waits_for_ever(void **state)
{
    struct show s;
    int64_t utc = 0, id = 1;
    int drawn = 0;
    (void)state;
    assert_int_equal(show_init(&s), ERR_OK);
    put(&s, id++, "patient", PROMPT_APPROVED, utc);
    for (; drawn < 3000; drawn++) {
        char who[32];
        utc += 10000;
        snprintf(who, sizeof who, "fan%d", drawn);
        put(&s, id, who, PROMPT_APPROVED, utc);
        struct prompt p = *show_find(&s, id++);
        p.votes = 50;
        show_apply(&s, &p, "test", utc);
        const struct prompt *next = queue_next(&s, utc);
        if (next->id == 1)
            break;
        int64_t served = next->id;
        put(&s, served, "", PROMPT_GENERATING, utc);
        put(&s, served, "", PROMPT_FAILED, utc);
    }
    assert_true(drawn > 100); /* the votes did count */
    assert_true(drawn <= 501);
    show_free(&s);
}

static void eta_is_a_range_from_what_was_measured(void **state)
{
    struct eta e = {0};
    struct eta_range r;
    (void)state;
    assert_false(eta_range(&e, 0, 0, 0, &r));
    for (int i = 1; i <= 10; i++)
        eta_add(&e, ETA_DRAW, i * 1000);
    assert_true(eta_range(&e, 0, 0, 0, &r));
    assert_true(r.low_ms >= 5000 && r.low_ms <= 6000);
    assert_true(r.high_ms >= 9000 && r.high_ms <= 10000);
    int64_t alone = r.low_ms;
    assert_true(eta_range(&e, 3, 500, 0, &r));
    assert_int_equal(r.low_ms, 4 * alone + 500);
    eta_add(&e, ETA_AIR, 60000); /* the stage is the bottleneck now */
    assert_true(eta_range(&e, 3, 500, 2, &r));
    assert_int_equal(r.low_ms, 6 * 60000);
}

struct seen {
    int calls;
    struct events *ev;
    struct subscriber *self, *late;
};

static void count(void *user, const struct event *e)
{
    struct seen *s = user;
    (void)e;
    s->calls++;
}

static void leave_and_invite(void *user, const struct event *e)
{
    struct seen *s = user;
    (void)e;
    s->calls++;
    event_unsubscribe(s->ev, s->self);
    if (!s->late)
        s->late = event_subscribe(s->ev, "late", count, s);
}

static void subscribers_may_leave_and_come_while_an_event_runs(void **state)
{
    struct events ev = {0};
    struct seen a = {.ev = &ev}, b = {0};
    (void)state;
    a.self = event_subscribe(&ev, "a", leave_and_invite, &a);
    event_subscribe(&ev, "b", count, &b);
    struct event e = {.kind = EVENT_OPEN};
    event_publish(&ev, &e);
    assert_int_equal(a.calls, 1); /* the late one did not see it */
    assert_int_equal(b.calls, 1);
    event_publish(&ev, &e);
    assert_int_equal(a.calls, 2); /* the late one alone */
    assert_int_equal(b.calls, 2);
    event_free_all(&ev);
}

static void the_ended_are_forgotten_and_the_gallery_goes_round(void **state)
{
    struct show s;
    (void)state;
    assert_int_equal(show_init(&s), ERR_OK);
    for (int64_t id = 1; id <= 1000; id++) {
        struct prompt p = {.id = id,
                           .state = id % 2 ? PROMPT_AIRED : PROMPT_REJECTED,
                           .viewer = viewer("v"),
                           .clip = "c.mp4"};
        assert_int_equal(show_apply(&s, &p, "test", id), ERR_OK);
    }
    assert_true(s.count[PROMPT_AIRED] <= SHOW_GALLERY_KEPT);
    assert_true(s.count[PROMPT_REJECTED] <= SHOW_ENDED_KEPT);
    assert_non_null(show_find(&s, 1000));
    assert_null(show_find(&s, 2));
    int64_t first = show_gallery_after(&s, INT64_MAX)->id, at = first;
    int round = 0;
    do {
        at = show_gallery_after(&s, at)->id;
        round++;
    } while (at != first && round < 1000);
    assert_int_equal(first, 999);
    assert_int_equal(round, s.count[PROMPT_AIRED]);
    show_free(&s);
}

static void styles_are_checked_and_found(void **state)
{
    struct styles s = {0};
    struct fault f = {0};
    struct style g = {
        .name = "ghibli", .template_ = "{prompt}, painted", .width = 832, .height = 480};
    (void)state;
    assert_int_equal(style_add(&s, &g, &f), ERR_OK);
    assert_ptr_equal(style_find(&s, "GHIBLI"), &s.all[0]);
    assert_string_equal(style_find(&s, "")->name, "default");
    assert_string_equal(style_find(&s, "default")->name, "default");
    assert_null(style_find(&s, "noir"));
    assert_string_equal(style_nearest(&s, "gibli"), "ghibli");
    strcpy(g.name, "../x");
    assert_int_equal(style_add(&s, &g, &f), ERR_INVAL);
    strcpy(g.name, "x");
    strcpy(g.template_, "no place");
    assert_int_equal(style_add(&s, &g, &f), ERR_INVAL);
    g.template_[0] = '\0';
    g.width = 833;
    assert_int_equal(style_add(&s, &g, &f), ERR_INVAL);
    assert_int_equal(s.count, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_state_has_a_name_and_a_way_out),
        cmocka_unit_test(nothing_reaches_the_air_around_a_gate),
        cmocka_unit_test(turns_go_round),
        cmocka_unit_test(votes_and_priority_are_terms_of_the_sum),
        cmocka_unit_test(nobody_waits_for_ever),
        cmocka_unit_test(eta_is_a_range_from_what_was_measured),
        cmocka_unit_test(subscribers_may_leave_and_come_while_an_event_runs),
        cmocka_unit_test(the_ended_are_forgotten_and_the_gallery_goes_round),
        cmocka_unit_test(styles_are_checked_and_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
