/* Checkpoints: what was written comes back; anything else is refused and changes nothing. */
#include "unit.h"

#include "base/path.h"
#include "wan/checkpoint.h"

#include <unistd.h>

#define N 24

static char path[PATH_LEN];
static struct fault fault;
static struct sampler *sampler;
static float latent[N];
static struct noise noise;

static struct checkpoint here(void)
{
    return (struct checkpoint){.what = "model a\nprompt b\n",
                               .how = "device cpu\nthreads 2\n",
                               .step = 3,
                               .sampler = sampler,
                               .latent = latent,
                               .noise = &noise};
}

static void fill(float from)
{
    float *all[] = {latent, sampler->now, sampler->before[0], sampler->before[1], sampler->anchor};
    for (int k = 0; k < 5; k++)
        for (int i = 0; i < N; i++)
            all[k][i] = from + (float)(k * N + i);
    sampler->order = from > 0 ? 2 : 1;
    noise_seed(&noise, (uint64_t)(int64_t)from);
    noise_normal(&noise, (float[5]){0}, 5, 1);
}

static uint64_t sum(void)
{
    const float *all[] = {latent, sampler->now, sampler->before[0], sampler->before[1],
                          sampler->anchor};
    uint64_t h = (uint64_t)sampler->order;
    for (int k = 0; k < 5; k++)
        for (size_t i = 0; i < N * sizeof(float); i++)
            h = h * 31 + ((const uint8_t *)all[k])[i];
    for (int i = 0; i < 624; i++)
        h = h * 31 + noise.state[i];
    return h * 31 + (uint64_t)noise.at;
}

static void test_round_trip(void **state)
{
    struct checkpoint c = here();
    (void)state;
    fill(5);
    uint64_t before = sum();
    assert_int_equal(checkpoint_write(path, &c, &fault), ERR_OK);
    fill(-9);
    assert_int_not_equal(sum(), before);
    c.step = 0;
    assert_int_equal(checkpoint_read(path, &c, &fault), ERR_OK);
    assert_int_equal(sum(), before);
    assert_int_equal(c.step, 3);
    unlink(path);
    assert_int_equal(checkpoint_read(path, &c, &fault), ERR_NOTFOUND);
}

static void test_says_what_differs(void **state)
{
    struct checkpoint c = here();
    (void)state;
    fill(5);
    assert_int_equal(checkpoint_write(path, &c, &fault), ERR_OK);
    fill(-9);
    uint64_t before = sum();
    c.how = "device cpu\nthreads 4\n";
    assert_int_equal(checkpoint_read(path, &c, &fault), ERR_STATE);
    assert_non_null(strstr(fault_text(&fault), "\"threads 2\", this is \"threads 4\""));
    c.how = "device cpu\n";
    assert_int_equal(checkpoint_read(path, &c, &fault), ERR_STATE);
    c = here();
    c.what = "model z\nprompt b\n";
    assert_int_equal(checkpoint_read(path, &c, &fault), ERR_STATE);
    assert_non_null(strstr(fault_text(&fault), "\"model a\", this is \"model z\""));
    assert_int_equal(sum(), before);
    unlink(path);
}

static void test_damage(void **state)
{
    struct checkpoint c = here();
    struct buf b = BUF_INIT(0);
    (void)state;
    fill(5);
    assert_int_equal(checkpoint_write(path, &c, &fault), ERR_OK);
    assert_int_equal(path_read(path, 1 << 20, &b, &fault), ERR_OK);
    unlink(path);
    fill(-9);
    uint64_t before = sum();
    for (size_t n = 0; n < b.len; n++)
        assert_int_not_equal(checkpoint_parse(b.data, n, "cut", &c, &fault), ERR_OK);
    for (size_t at = 0; at < b.len; at++) {
        b.data[at] ^= 0x10;
        assert_int_not_equal(checkpoint_parse(b.data, b.len, "bent", &c, &fault), ERR_OK);
        b.data[at] ^= 0x10;
    }
    buf_addc(&b, 'x');
    assert_int_equal(checkpoint_parse(b.data, b.len, "longer", &c, &fault), ERR_CORRUPT);
    assert_int_equal(sum(), before);
    buf_free(&b);
}

static void test_another_size(void **state)
{
    struct checkpoint c = here();
    struct schedule s = sampler->schedule;
    struct sampler *wide = sampler_new(SAMPLER_UNIPC, &s, N + 1), *kept = sampler;
    (void)state;
    fill(5);
    assert_int_equal(checkpoint_write(path, &c, &fault), ERR_OK);
    c.sampler = wide;
    assert_int_equal(checkpoint_read(path, &c, &fault), ERR_CORRUPT);
    sampler_free(wide);
    sampler = kept;
    unlink(path);
}

/* A causal clip's: the latent and the generator alone, in a fifth of the room. */
static void test_without_a_sampler(void **state)
{
    struct checkpoint c = here(), with = here();
    struct buf small = BUF_INIT(0), large = BUF_INIT(0);
    (void)state;
    fill(5);
    assert_int_equal(checkpoint_write(path, &c, &fault), ERR_OK);
    assert_int_equal(path_read(path, 1 << 20, &large, &fault), ERR_OK);
    c.sampler = NULL;
    c.n = N;
    c.steps = 7;
    assert_int_equal(checkpoint_write(path, &c, &fault), ERR_OK);
    assert_int_equal(path_read(path, 1 << 20, &small, &fault), ERR_OK);
    assert_int_equal(large.len - small.len, 4 * N * sizeof(float));
    float was[N];
    memcpy(was, latent, sizeof was);
    uint32_t random = noise.state[5];
    fill(-9);
    c.step = 0;
    assert_int_equal(checkpoint_read(path, &c, &fault), ERR_OK);
    assert_int_equal(c.step, 3);
    assert_memory_equal(latent, was, sizeof was);
    assert_true(noise.state[5] == random);
    for (size_t at = 0; at < small.len; at++) {
        small.data[at] ^= 0x10;
        assert_int_not_equal(checkpoint_parse(small.data, small.len, "bent", &c, &fault), ERR_OK);
        small.data[at] ^= 0x10;
    }
    /* neither is taken for the other, nor one of other blocks */
    assert_int_equal(checkpoint_parse(small.data, small.len, "a", &with, &fault), ERR_CORRUPT);
    assert_int_equal(checkpoint_parse(large.data, large.len, "b", &c, &fault), ERR_CORRUPT);
    c.steps = 8;
    assert_int_equal(checkpoint_parse(small.data, small.len, "c", &c, &fault), ERR_CORRUPT);
    buf_free(&small);
    buf_free(&large);
    unlink(path);
}

/* What was said comes back, whatever stands in it; who expects none refuses it. */
static void test_what_was_said(void **state)
{
    static const char words[] = "9 3 a\nb\n";
    struct buf said = BUF_INIT(0);
    struct checkpoint c = here(), none = here();
    (void)state;
    c.sampler = none.sampler = NULL;
    c.steps = none.steps = 7;
    c.n = none.n = N;
    c.said = &said;
    fill(5);
    assert_true(buf_adds(&said, words));
    assert_int_equal(checkpoint_write(path, &c, &fault), ERR_OK);
    buf_reset(&said);
    buf_adds(&said, "something else, and longer");
    assert_int_equal(checkpoint_read(path, &c, &fault), ERR_OK);
    assert_string_equal(buf_str(&said), words);
    fill(-9);
    uint64_t before = sum();
    assert_int_equal(checkpoint_read(path, &none, &fault), ERR_CORRUPT);
    assert_int_equal(sum(), before);
    said.failed = true; /* not all of it is there */
    assert_int_equal(checkpoint_write(path, &c, &fault), ERR_LIMIT);
    buf_reset(&said);
    assert_int_equal(checkpoint_write(path, &none, &fault), ERR_OK);
    buf_adds(&said, words);
    assert_int_equal(checkpoint_read(path, &c, &fault), ERR_OK); /* none was said */
    assert_int_equal(said.len, 0);
    buf_free(&said);
    unlink(path);
}

static const char list[] = "0000000000000005 1 a product\n";
static char asked[100];
static enum err answer;

static enum err on_rely(void *user, const char *chosen, size_t n, struct fault *f)
{
    assert_ptr_equal(user, asked);
    assert_true(n < sizeof asked);
    memcpy(asked, chosen, n);
    asked[n] = '\0';
    return answer ? fault_set(f, answer, "candidate 2 is now") : ERR_OK;
}

/* What the device chose is asked about, and nothing is taken over before that was answered. */
static void test_what_was_chosen(void **state)
{
    struct buf said = BUF_INIT(0), b = BUF_INIT(0);
    struct checkpoint c = here(), plain = here();
    (void)state;
    c.chosen = list;
    c.rely = on_rely;
    c.user = asked;
    c.said = plain.said = &said;
    buf_adds(&said, "9 3 a\n");
    fill(5);
    assert_int_equal(checkpoint_write(path, &c, &fault), ERR_OK);
    assert_int_equal(checkpoint_read(path, &c, &fault), ERR_OK);
    assert_string_equal(asked, list);
    fill(-9);
    buf_reset(&said);
    uint64_t before = sum();
    answer = ERR_STATE;
    assert_int_equal(checkpoint_read(path, &c, &fault), ERR_STATE);
    assert_non_null(strstr(fault_text(&fault), path));
    assert_non_null(strstr(fault_text(&fault), "candidate 2 is now"));
    assert_int_equal(checkpoint_read(path, &plain, &fault), ERR_CORRUPT); /* nobody to ask */
    answer = ERR_OK;
    asked[0] = '\0';
    assert_int_equal(path_read(path, 1 << 20, &b, &fault), ERR_OK);
    for (size_t at = 0; at < b.len; at++) {
        b.data[at] ^= 0x10;
        assert_int_not_equal(checkpoint_parse(b.data, b.len, "bent", &c, &fault), ERR_OK);
        b.data[at] ^= 0x10;
    }
    assert_string_equal(asked, ""); /* about what is damaged nobody is asked */
    assert_int_equal(sum(), before);
    assert_int_equal(said.len, 0);
    strcpy(asked, "none");
    c.chosen = NULL;
    assert_int_equal(checkpoint_write(path, &c, &fault), ERR_OK);
    assert_int_equal(checkpoint_read(path, &c, &fault), ERR_OK);
    assert_string_equal(asked, "");
    buf_free(&said);
    buf_free(&b);
    unlink(path);
}

static void test_another_format(void **state)
{
    struct checkpoint c = here();
    struct buf b = BUF_INIT(0);
    (void)state;
    fill(5);
    assert_int_equal(checkpoint_write(path, &c, &fault), ERR_OK);
    assert_int_equal(path_read(path, 1 << 20, &b, &fault), ERR_OK);
    b.data[7] = '2';
    assert_int_equal(checkpoint_parse(b.data, b.len, "old", &c, &fault), ERR_VERSION);
    assert_string_equal(fault_text(&fault), "the checkpoint old is of format 2, this build's are "
                                            "of 3");
    b.data[7] = '\033';
    assert_int_equal(checkpoint_parse(b.data, b.len, "new", &c, &fault), ERR_VERSION);
    assert_null(strchr(fault_text(&fault), '\033'));
    buf_free(&b);
    unlink(path);
}

static int set_up(void **state)
{
    struct schedule s;
    (void)state;
    snprintf(path, sizeof path, "/tmp/sakuga-checkpoint-%d", (int)getpid());
    assert_int_equal(schedule_flow(&s, SAMPLER_UNIPC, 8, 5, &fault), ERR_OK);
    sampler = sampler_new(SAMPLER_UNIPC, &s, N);
    return sampler ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    sampler_free(sampler);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_says_what_differs),
        cmocka_unit_test(test_damage),
        cmocka_unit_test(test_another_size),
        cmocka_unit_test(test_without_a_sampler),
        cmocka_unit_test(test_what_was_said),
        cmocka_unit_test(test_what_was_chosen),
        cmocka_unit_test(test_another_format),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
