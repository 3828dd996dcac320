/* A causal clip whose prompt is changed while it is made: what was spoken is told, kept, and gives
 * the same frames as a list. */
#include "unit/wan/home.h"

#include "wan/turns.h"
#include "wan/wan_inside.h"

#define W 16
#define H 16
#define FRAMES 57 /* blocks at 0, 9, 21, 33, 45 */

static struct asked {
    int n, frame[8];
    struct wan_turn say[4]; /* at these frames, and else nothing */
    const char *always;     /* or this, whenever it is asked */
    bool drop;              /* what the text encoder left behind goes meanwhile */
} asked;

static const char *on_turn(void *user, int frame)
{
    static char lent[64]; /* gone with the next call */
    (void)user;
    assert_in_range(asked.n, 0, 7);
    asked.frame[asked.n++] = frame;
    memset(lent, 'x', sizeof lent - 1);
    if (asked.drop) {
        t5_drop(&wan->t5);
        prompt_forget(wan);
    }
    for (int i = 0; i < 4; i++)
        if (asked.say[i].prompt && asked.say[i].frame == frame)
            return strcpy(lent, asked.say[i].prompt);
    return asked.always;
}

static struct wan_job job_of(void)
{
    return (struct wan_job){.prompt = "a fox over neon roofs",
                            .width = W,
                            .height = H,
                            .frames = FRAMES,
                            .sampler = "self-forcing",
                            .seed = 7};
}

/* The hash of the clip, asked for its prompts. */
static uint64_t live(const struct wan_job *job, struct wan_made *made)
{
    asked.n = 0;
    return seen_all(job, made, (struct seen){.turn = on_turn});
}

static uint64_t listed(struct wan_job job, const struct wan_turn *turn, int n)
{
    job.turn = turn;
    job.turn_n = n;
    return seen_whole(&job);
}

static void has_turns(const struct wan_made *made, const struct wan_turn *want, int n)
{
    assert_int_equal(made->turn_n, n);
    for (int i = 0; i < n; i++) {
        assert_int_equal(made->turn[i].frame, want[i].frame);
        assert_string_equal(made->turn[i].prompt, want[i].prompt);
    }
}

static const struct wan_turn train = {21, "a cat on a train"}, sea = {45, "snow over\nthe sea"};

static void it_is_asked_before_each_block(void **state)
{
    static const int blocks[] = {9, 21, 33, 45};
    struct wan_job job = job_of();
    struct wan_made made;
    uint64_t plain = seen_whole(&job);
    (void)state;
    asked = (struct asked){.n = 0};
    assert_true(live(&job, &made) == plain); /* it never said anything */
    assert_int_equal(asked.n, 4);
    assert_memory_equal(asked.frame, blocks, sizeof blocks);
    has_turns(&made, NULL, 0);
    asked.always = job.prompt; /* nothing new */
    assert_true(live(&job, &made) == plain);
    has_turns(&made, NULL, 0);
}

/* The list that a recipe would hold gives the clip again; on the very handle that lends it too. */
static void what_was_spoken_is_the_list(void **state)
{
    const struct wan_turn said[] = {train, sea};
    struct wan_job job = job_of();
    struct wan_made made, again;
    uint64_t plain = seen_whole(&job), want = listed(job, said, 2);
    (void)state;
    assert_true(want != plain && want != listed(job, said, 1));
    asked = (struct asked){.say = {train, sea}};
    assert_true(live(&job, &made) == want);
    has_turns(&made, said, 2);
    for (int i = 0; i < 2; i++) {
        job.turn = made.turn;
        job.turn_n = made.turn_n;
        assert_int_equal(seen_make(&job, &again, (struct seen){0}), ERR_OK);
        assert_true(seen.hash == want);
        has_turns(&again, said, 2);
        made = again;
    }
}

static void the_text_encoder_comes_again(void **state)
{
    const struct wan_turn said[] = {train, sea};
    struct wan_job job = job_of();
    struct wan_made made;
    (void)state;
    uint64_t want = listed(job, said, 2);
    asked = (struct asked){.say = {train, sea}, .drop = true};
    for (int kept = 0; kept < 2; kept++) {
        wan->keep_text = kept; /* it may stay on the device, or not */
        assert_true(live(&job, &made) == want);
    }
    wan->keep_text = false;
    t5_drop(&wan->t5);
}

/* The list goes on behind what the caller said; where both speak the caller has the last word. */
static void beside_a_list(void **state)
{
    const struct wan_turn given[] = {{30, "rain"}, {45, "a city of glass"}};
    const struct wan_turn both[] = {train, {33, "rain"}, sea};
    struct wan_job job = job_of();
    struct wan_made made;
    (void)state;
    uint64_t want = listed(job, both, 3);
    job.turn = given;
    job.turn_n = 2;
    asked = (struct asked){.say = {train, sea}};
    assert_true(live(&job, &made) == want);
    has_turns(&made, both, 3);
    asked = (struct asked){.say = {{21, "rain"}}}; /* what the list says a block later */
    const struct wan_turn once[] = {{21, "rain"}, {45, "a city of glass"}};
    live(&job, &made);
    has_turns(&made, once, 2);
}

/* Killed behind each block, and while a new prompt is encoded. What a checkpoint's blocks were of
 * is not asked again. */
static void it_goes_on_with_what_was_spoken(void **state)
{
    const struct wan_turn said[] = {train, sea};
    struct wan_job job = job_of();
    struct wan_made made;
    (void)state;
    uint64_t want = listed(job, said, 2);
    job.checkpoint_dir = keep;
    for (int blocks = 1; blocks <= 5; blocks++) {
        asked = (struct asked){.say = {train, sea}};
        const struct seen cut = {.stop_frames = blocks * 12 - 3 - 4 * (blocks == 5),
                                 .turn = on_turn};
        assert_int_equal(seen_make(&job, &made, cut), ERR_CANCELLED);
        for (int i = 0; i < 4 && blocks > 2; i++) /* the first is over */
            if (asked.say[i].prompt == train.prompt)
                asked.say[i].prompt = "never to be heard";
        if (blocks == 5)
            asked.always = "nor this";
        assert_true(live(&job, &made) == want);
        assert_int_equal(made.resumed, 4 * blocks);
        assert_int_equal(asked.n, 5 - blocks);
        has_turns(&made, said, 2);
        assert_int_equal(unlink(made.checkpoint), 0);
    }
}

/* A clip that nobody changes is another job: neither goes on from the other's blocks. */
static void a_live_clip_is_another_job(void **state)
{
    struct wan_job job = job_of();
    struct wan_made one, two;
    uint64_t plain = seen_whole(&job);
    (void)state;
    job.checkpoint_dir = keep;
    asked = (struct asked){.say = {train}};
    const struct seen cut = {.stop_frames = 33, .turn = on_turn};
    assert_int_equal(seen_make(&job, &one, cut), ERR_CANCELLED);
    assert_int_equal(seen_make(&job, &two, (struct seen){0}), ERR_OK);
    assert_int_equal(two.resumed, 0);
    assert_true(seen.hash == plain);
    assert_int_equal(unlink(one.checkpoint), 0);
    assert_int_equal(unlink(two.checkpoint), 0);
}

/* Before every layer of the text encoder too, and nothing is begun after the word. */
static void it_stops_while_it_reads(void **state)
{
    struct wan_job job = job_of();
    struct wan_made made;
    (void)state;
    job.frames = 21;
    asked = (struct asked){.say = {{9, "a cat on a train"}}, .drop = true};
    uint64_t want = live(&job, &made);
    int all = seen.asked;
    asked = (struct asked){.drop = true};
    live(&job, &made);
    int reads = all - seen.asked;
    assert_true(reads >= 3); /* its layers */
    asked = (struct asked){.say = {{9, "a cat on a train"}}, .drop = true};
    int stopped = 0;
    for (int at = 1; at <= all; at++) {
        asked.n = 0;
        enum err e = seen_make(&job, &made, (struct seen){.stop_at = at, .turn = on_turn});
        assert_int_equal(e, ERR_CANCELLED);
        assert_int_equal(seen.asked, at);
        stopped += asked.n && seen.frames == 9 && seen.previews == 4;
    }
    assert_true(stopped >= reads);
    assert_true(live(&job, &made) == want);
}

static void what_cannot_be_read_ends_the_clip(void **state)
{
    struct wan_job job = job_of();
    char *huge = calloc(1, (1 << 20) + 2);
    (void)state;
    memset(huge, 'a', (1 << 20) + 1);
    asked = (struct asked){.always = huge};
    assert_int_equal(seen_make(&job, NULL, (struct seen){.turn = on_turn}), ERR_LIMIT);
    assert_non_null(strstr(fault_text(&fault), "1048576"));
    assert_int_equal(seen.frames, 9);
    free(huge);
}

/* ---- as a text ---- */

static void refused(const char *text)
{
    struct turns t = {.n = 0};
    assert_int_equal(turns_add(&t, 9, "stays", &fault), ERR_OK);
    assert_int_equal(turns_read(&t, text, strlen(text), FRAMES, &fault), ERR_CORRUPT);
    assert_int_equal(t.n, 1);
    assert_string_equal(t.turn[0].prompt, "stays");
    turns_free(&t);
}

static void turns_come_back(void **state)
{
    static const char *const prompts[] = {"", "9 3 a\n", "snow over\nthe sea ", "\xe9\xb3\xa5"};
    struct turns t = {.n = 0}, back = {.n = 0};
    struct buf b = BUF_INIT(0);
    (void)state;
    for (int i = 0; i < 4; i++)
        assert_int_equal(turns_add(&t, 9 + 12 * i, prompts[i], &fault), ERR_OK);
    turns_write(&t, &b);
    assert_int_equal(turns_read(&back, buf_str(&b), b.len, FRAMES, &fault), ERR_OK);
    assert_int_equal(back.n, 4);
    for (int i = 0; i < 4; i++) {
        assert_int_equal(back.turn[i].frame, 9 + 12 * i);
        assert_string_equal(turns_at(&back, 9 + 12 * i), prompts[i]);
        assert_string_equal(turns_at(&back, 20 + 12 * i), prompts[i]);
    }
    assert_null(turns_at(&back, 8));
    for (size_t n = 1; n < b.len; n++) { /* cut anywhere but between two */
        struct turns cut = {.n = 0};
        bool whole = turns_read(&cut, b.data, n, FRAMES, &fault) == ERR_OK;
        assert_int_equal(whole, n == 5 || n == 17 || n == 42);
        turns_free(&cut);
    }
    refused("9 1 a\n9 1 b\n");
    refused("0 1 a\n");
    refused("57 1 a\n");
    refused("-9 1 a\n");
    refused("9 99999999999999999999 a\n");
    refused("99999999999999999999 1 a\n");
    refused("9 2 a\n");
    refused("9 1 ab\n");
    refused("9  1 a\n");
    assert_int_equal(turns_read(&back, "9 1 \0\n", 6, FRAMES, &fault), ERR_CORRUPT);
    turns_free(&t);
    for (int i = 0; i < WAN_TURNS_MAX; i++)
        assert_int_equal(turns_add(&t, i + 1, "", &fault), ERR_OK);
    assert_int_equal(turns_add(&t, 99, "", &fault), ERR_LIMIT);
    turns_free(&t);
    turns_free(&back);
    buf_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_asked_before_each_block),
        cmocka_unit_test(what_was_spoken_is_the_list),
        cmocka_unit_test(the_text_encoder_comes_again),
        cmocka_unit_test(beside_a_list),
        cmocka_unit_test(it_goes_on_with_what_was_spoken),
        cmocka_unit_test(a_live_clip_is_another_job),
        cmocka_unit_test(it_stops_while_it_reads),
        cmocka_unit_test(what_cannot_be_read_ends_the_clip),
        cmocka_unit_test(turns_come_back),
    };
    return cmocka_run_group_tests(tests, home_set_up, home_tear_down);
}
