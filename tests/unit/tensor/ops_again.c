/* Work that comes again, and how a device keeps its failure and its books. */
#include "unit/tensor/ops.h"

/* A layer over a cache: what it makes it frees. Its place in the cache is `at`. */
enum { AGAIN = 24, AGAIN_WIDE = 64, AGAIN_ROOM = 96 };
struct again {
    struct weight *w[2];
    struct tensor x, y, k, v; /* [AGAIN, AGAIN_WIDE], and the cache's */
    int64_t at;
    struct tensor kept;
    bool keeps, hears; /* memory; from the host */
};

static void do_again(struct again *a, int64_t wide)
{
    struct tensor h = tensor_work2(dev, AGAIN, AGAIN_WIDE), more = tensor_work2(dev, wide, 512);
    struct tensor all[2] = {a->k, a->v};
    device_norm(dev, &(struct norm_op){.kind = NORM_RMS, .x = &a->x, .y = &h, .eps = 1e-6f});
    for (int i = 0; i < 2; i++) {
        struct tensor part = tensor_part(&all[i], a->at, AGAIN);
        device_linear(dev, &(struct linear_op){.x = &h, .w = a->w[i], .y = &part});
        all[i] = tensor_part(&all[i], 0, a->at + AGAIN);
    }
    device_zero(dev, &more);
    device_attention(dev, &(struct attention_op){.q = &h,
                                                 .k = &all[0],
                                                 .v = &all[1],
                                                 .out = &h,
                                                 .heads = 2,
                                                 .scale = 0.2f,
                                                 .room = AGAIN_ROOM});
    device_copy(dev, &a->y, &h);
    if (a->hears)
        device_write(dev, &a->x, (const float[]){1}, 1);
    tensor_free(&more);
    a->kept = h;
    if (!a->keeps)
        tensor_free(&a->kept);
}

/* Feeds x, works by the track `t` or without one, and gives y. */
static void feed_again(struct again *a, struct track *t, const float *x, int64_t wide, float *y)
{
    device_write(dev, &a->x, x, AGAIN * AGAIN_WIDE);
    if (!track_play(t, false))
        do
            do_again(a, wide);
        while (track_again(t));
    device_read(dev, y, &a->y, AGAIN * AGAIN_WIDE);
}

static struct again begin_again(void) /* always the same */
{
    struct again a = {.at = 0};
    seed = 5;
    float *w = noise(AGAIN_WIDE * AGAIN_WIDE), *zeros = calloc(AGAIN_ROOM * AGAIN_WIDE, sizeof *w);
    for (int i = 0; i < 2; i++)
        a.w[i] = weight_new(
            dev, &(struct weight_spec){AGAIN_WIDE, AGAIN_WIDE, 1, 1, 1, .values = w, .low = true});
    a.x = tensor_new2(dev, AGAIN, AGAIN_WIDE);
    a.y = tensor_new2(dev, AGAIN, AGAIN_WIDE);
    a.k = tensor_work2(dev, AGAIN_ROOM, AGAIN_WIDE);
    a.v = tensor_work2(dev, AGAIN_ROOM, AGAIN_WIDE);
    device_write(dev, &a.k, zeros, AGAIN_ROOM * AGAIN_WIDE);
    device_write(dev, &a.v, zeros, AGAIN_ROOM * AGAIN_WIDE);
    free(w);
    free(zeros);
    return a;
}

static void end_again(struct again *a)
{
    struct tensor *all[] = {&a->x, &a->y, &a->k, &a->v};
    for (int i = 0; i < 4; i++)
        tensor_free(all[i]);
    weight_free(a->w[0]);
    weight_free(a->w[1]);
    assert_int_equal(device_settle(dev, NULL), ERR_OK);
}

/* The same bits, but for the emulation's chance in the last of them. */
static void assert_same(const float *a, const float *b)
{
    bool chance = strstr(device_caps(dev)->words, "emulated") && !getenv("EMU_EXACT");
    if (!chance)
        assert_memory_equal(a, b, AGAIN * AGAIN_WIDE * sizeof *a);
    for (int i = 0; i < AGAIN * AGAIN_WIDE; i++)
        assert_true(fabsf(a[i] - b[i]) <= 0.05f);
}

/* Something else of the device's, for which a library may take back what it lent a recording. */
static void in_between(void)
{
    float w[8 * 8 * 9] = {0}, b[8] = {0};
    struct weight *kernel =
        weight_new(dev, &(struct weight_spec){8, 8, 1, 3, 3, .values = w, .bias = b});
    struct tensor x = tensor_work4(dev, 1, 4, 4, 8), y = tensor_work4(dev, 1, 4, 4, 8);
    device_zero(dev, &x);
    device_conv(dev,
                &(struct conv_op){
                    .x = &x, .w = kernel, .y = &y, .top = 1, .bottom = 1, .left = 1, .right = 1});
    tensor_free(&x);
    tensor_free(&y);
    weight_free(kernel);
}

/* Two places of the cache, each with a track; the second is recorded at once, as the first has made
 * ready what it needs. Four rounds of new numbers; before the third there is other work, and in it
 * this one takes more memory, so that what was recorded before must not be played. */
void work_that_comes_again(void **state)
{
    enum { PLACES = 2, ROUNDS = 4 };
    unsigned here = seed;
    float *x = noise(PLACES * ROUNDS * AGAIN * AGAIN_WIDE);
    static float want[PLACES * ROUNDS][AGAIN * AGAIN_WIDE], got[AGAIN * AGAIN_WIDE];
    uint64_t before = device_played(dev), used = device_used(dev);
    struct again plain = begin_again(), a = begin_again();
    struct track *t[PLACES] = {0};
    bool records = device_caps(dev)->graphs;
    for (int i = 0; i < PLACES * ROUNDS; i++) {
        plain.at = i % PLACES * AGAIN;
        feed_again(&plain, NULL, x + i * AGAIN * AGAIN_WIDE, 1, want[i]);
    }
    for (int i = 0; i < PLACES * ROUNDS; i++) {
        int place = i % PLACES;
        int64_t wide = i >= 2 * PLACES ? 200 : 1;
        if (i < PLACES)
            t[place] = track_new(dev, t[0]);
        else if (i == 2 * PLACES) { /* of more memory */
            in_between();
            track_free(t[0]);
            t[0] = track_new(dev, NULL);
        }
        assert_true(!t[place] == !device_caps(dev)->graphs || i >= PLACES);
        a.at = place * AGAIN;
        feed_again(&a, t[place], x + i * AGAIN * AGAIN_WIDE, place ? 1 : wide, got);
        assert_same(got, want[i]);
    }
    records = records && device_caps(dev)->graphs;
    /* the first place: done, played; done, played. The second: four times */
    uint64_t played = device_played(dev) - before;
    assert_true(records ? played == 2 + 4 : played < 2 + 4);
    track_free(t[0]);
    track_free(t[1]);
    end_again(&plain);
    end_again(&a);
    assert_int_equal(device_used(dev), used);
    free(x);
    seed = here; /* the others go on with their own numbers */
    if (device_caps(dev)->note[0])
        print_message("%s\n", device_caps(dev)->note);
}

/* What its like had not made ready, or cannot be recorded, is done as it is; and what is asked to
 * be is too. Work that keeps memory is told. */
void work_that_is_not_recorded(void **state)
{
    unsigned here = seed;
    float *x = noise(AGAIN * AGAIN_WIDE);
    static float want[AGAIN * AGAIN_WIDE], got[AGAIN * AGAIN_WIDE];
    struct again a = begin_again();
    struct fault f = {0};
    struct track *t = track_new(dev, NULL), *other;
    if (!t) {
        end_again(&a);
        free(x);
        seed = here;
        skip();
    }
    uint64_t before = device_played(dev);
    feed_again(&a, t, x, 1, want);
    other = track_new(dev, t);
    feed_again(&a, other, x, 300, got); /* more memory than the first took */
    assert_same(got, want);
    assert_int_equal(device_played(dev), before);
    feed_again(&a, other, x, 300, got);
    assert_same(got, want);
    assert_int_equal(device_played(dev), before + 1);
    assert_false(track_play(other, true));
    do_again(&a, 300);
    assert_false(track_again(other));
    assert_int_equal(device_played(dev), before + 1);
    track_free(other);
    other = track_new(dev, t);
    a.hears = true;
    feed_again(&a, other, x, 1, got);
    assert_same(got, want);
    assert_int_equal(device_played(dev), before + 1);
    a.hears = false;
    assert_int_equal(device_settle(dev, &f), ERR_OK);
    assert_true(device_caps(dev)->graphs);
    assert_false(track_play(other, false)); /* left in the middle */
    device_copy(dev, &a.y, &a.x);
    track_free(other);
    a.keeps = true;
    other = track_new(dev, NULL);
    feed_again(&a, other, x, 1, got);
    assert_int_equal(device_settle(dev, &f), ERR_INVAL);
    assert_non_null(strstr(f.text, "keeps 1 pieces"));
    tensor_free(&a.kept);
    track_free(other);
    track_free(t);
    end_again(&a);
    free(x);
    seed = here;
}

void the_first_failure_stays(void **state)
{
    struct fault f = {0};
    struct tensor a = tensor_new2(dev, 2, 3), b = tensor_new2(dev, 2, 4);
    device_add(dev, &a, &a, &b);
    assert_true(device_failed(dev));
    struct tensor none = tensor_new2(dev, 1, 1);
    assert_null(none.data);
    device_copy(dev, &a, &a); /* does nothing */
    assert_int_equal(device_settle(dev, &f), ERR_INVAL);
    assert_non_null(strstr(f.text, "add"));
    assert_false(device_failed(dev));
    struct tensor huge = tensor_new2(dev, INT64_MAX / 2, 16);
    assert_null(huge.data);
    assert_int_not_equal(device_settle(dev, &f), ERR_OK);
    tensor_free(&a);
    tensor_free(&b);
}

void memory_is_counted(void **state)
{
    uint64_t before = device_used(dev);
    for (int i = 0; i < 300; i++) {
        struct tensor t = tensor_new2(dev, 1 + i % 7, 1000);
        assert_true(device_used(dev) > before);
        tensor_free(&t);
    }
    assert_int_equal(device_used(dev), before);
}
