/* A tiny causal model, rolled out: that what was made stays, that blocks can be made again, that
 * the window moves as it says. The numbers themselves are wan-golden's. */
#include "unit.h"

#include "wan/noise.h"
#include "wan/rollout.h"
#include "wan/vae.h"

#include <string.h>

#define H 4
#define W 6
#define BLOCK 2
#define N (16 * BLOCK * H * W)
#define TOKENS (H / 2 * W / 2)

static struct device *dev;
static struct weights *net;
static struct dit *dit;

struct bench {
    struct rollout *r;
    struct noise noise;
    float latent[N];
    int asked, stop_after; /* layers until it is to stop; 0: never */
    float seen[N];         /* x0 of the last step */
    struct fault f;
};

static struct weights *open_file(const char *name)
{
    char path[1024];
    struct weights *w = NULL;
    struct fault f = {0};
    const char *dir = getenv("srcdir");
    snprintf(path, sizeof path, "%s/tests/wan/open/tiny_t2v/%s", dir ? dir : ".", name);
    if (weights_open(path, &w, &f))
        fail_msg("%s", fault_text(&f));
    return w;
}

static void set_context(struct bench *b, uint64_t seed)
{
    int64_t dim = dit_config(dit)->text_dim;
    float *c = calloc((size_t)(5 * dim), sizeof *c);
    struct noise g;
    noise_seed(&g, seed);
    noise_normal(&g, c, 5 * dim, 1);
    assert_int_equal(rollout_prompt(b->r, c, 5, &b->f), ERR_OK);
    free(c);
}

static void begin(struct bench *b, int window, int sink)
{
    static const int nominal[] = {1000, 500};
    static struct schedule s;
    *b = (struct bench){0};
    assert_int_equal(schedule_nominal(&s, nominal, 2, 5, &b->f), ERR_OK);
    struct rollout_setup set = {.dit = dit,
                                .schedule = &s,
                                .height = H,
                                .width = W,
                                .block = BLOCK,
                                .window = window,
                                .sink = sink};
    if (rollout_open(&set, &b->r, &b->f))
        fail_msg("%s", fault_text(&b->f));
    set_context(b, 1);
}

static void fresh(void *user, int step, float *out, int64_t n)
{
    struct bench *b = user;
    (void)step;
    noise_normal(&b->noise, out, n, 1);
}

static bool stop(void *user)
{
    struct bench *b = user;
    return b->stop_after && ++b->asked >= b->stop_after;
}

static void seen(void *user, int step, const float *v, const float *x0)
{
    struct bench *b = user;
    (void)step;
    (void)v;
    memcpy(b->seen, x0, sizeof b->seen);
}

/* One block from noise of its own. */
static enum err next(struct bench *b, uint64_t seed)
{
    struct rollout_block block = {
        .latent = b->latent, .fresh = fresh, .stop = stop, .seen = seen, .user = b};
    noise_seed(&b->noise, seed);
    noise_normal(&b->noise, b->latent, N, 1);
    b->asked = 0;
    return rollout_next(b->r, &block, &b->f);
}

/* Keys or values of the cache's frames [from, from + n) of the last layer. */
static float *kept(const struct bench *b, int which, int from, int n)
{
    const struct tensor *t = dit_cache_see(rollout_cache(b->r), dit_config(dit)->layers - 1, which);
    int64_t dim = dit_config(dit)->dim;
    float *all = malloc((size_t)tensor_count(t) * sizeof *all),
          *part = malloc((size_t)(n * TOKENS * dim) * sizeof *part);
    device_read(dev, all, t, tensor_count(t));
    memcpy(part, all + from * TOKENS * dim, (size_t)(n * TOKENS * dim) * sizeof *part);
    free(all);
    return part;
}

static void assert_kept(const struct bench *b, int which, int at, const float *want, int n)
{
    float *now = kept(b, which, at, n);
    assert_memory_equal(now, want, (size_t)(n * TOKENS * dit_config(dit)->dim) * sizeof *now);
    free(now);
}

static void the_end_of_a_block_is_its_last_guess(void **state)
{
    struct bench b;
    (void)state;
    begin(&b, 0, 0);
    assert_int_equal(next(&b, 7), ERR_OK);
    assert_memory_equal(b.latent, b.seen, sizeof b.latent);
    assert_int_equal(rollout_frames(b.r), BLOCK);
    rollout_free(b.r);
}

static void a_block_depends_on_the_past_and_on_the_prompt(void **state)
{
    struct bench a, b;
    (void)state;
    begin(&a, 0, 0);
    begin(&b, 0, 0);
    assert_int_equal(next(&a, 1), ERR_OK);
    assert_int_equal(next(&b, 2), ERR_OK); /* another past */
    assert_int_equal(next(&a, 3), ERR_OK);
    assert_int_equal(next(&b, 3), ERR_OK);
    assert_memory_not_equal(a.latent, b.latent, sizeof a.latent);
    rollout_free(b.r);
    begin(&b, 0, 0);
    assert_int_equal(next(&b, 1), ERR_OK);
    float *before = kept(&b, 0, 0, BLOCK);
    assert_kept(&a, 0, 0, before, BLOCK); /* the same past */
    set_context(&b, 9);                   /* another prompt from here on */
    assert_int_equal(next(&b, 3), ERR_OK);
    assert_memory_not_equal(a.latent, b.latent, sizeof a.latent);
    assert_kept(&b, 0, 0, before, BLOCK); /* what was shown stays in sight */
    free(before);
    rollout_free(a.r);
    rollout_free(b.r);
}

static void a_cancelled_block_can_be_made_again(void **state)
{
    struct bench a, b;
    int layers = dit_config(dit)->layers;
    (void)state;
    for (int at = 1; at <= 3 * layers;
         at++) { /* in each layer of both steps and of the last pass */
        begin(&a, 2 * BLOCK, 0);
        begin(&b, 2 * BLOCK, 0);
        for (int i = 0; i < 3; i++) {
            assert_int_equal(next(&a, i), ERR_OK);
            b.stop_after = at;
            assert_int_equal(next(&b, i), ERR_CANCELLED);
            assert_int_equal(rollout_frames(b.r), i * BLOCK);
            b.stop_after = 0;
            assert_int_equal(next(&b, i), ERR_OK);
            assert_memory_equal(a.latent, b.latent, sizeof a.latent);
        }
        rollout_free(a.r);
        rollout_free(b.r);
    }
}

static void the_window_moves(void **state)
{
    struct bench b;
    (void)state;
    for (int sink = 0; sink <= 1; sink++) {
        begin(&b, 2 * BLOCK + sink, sink);
        assert_int_equal(next(&b, 1), ERR_OK);
        assert_int_equal(next(&b, 2), ERR_OK);
        float *first[2], *second[2];
        for (int i = 0; i < 2; i++) {
            first[i] = kept(&b, i, 0, 1);
            second[i] = kept(&b, i, BLOCK, BLOCK);
        }
        assert_int_equal(next(&b, 3), ERR_OK);
        for (int i = 0; i < 2; i++) {
            if (sink)
                assert_kept(&b, i, 0, first[i], 1);
            /* the second block has moved up to where the window begins */
            assert_kept(&b, i, sink, second[i], BLOCK);
            free(first[i]);
            free(second[i]);
        }
        for (int i = 4; i < 20; i++) /* and so on, without an end */
            assert_int_equal(next(&b, (uint64_t)i), ERR_OK);
        assert_int_equal(rollout_frames(b.r), 19 * BLOCK);
        rollout_free(b.r);
    }
}

static void it_may_begin_with_a_picture(void **state)
{
    struct bench a, b;
    float picture[16 * H * W];
    (void)state;
    begin(&a, 0, 0);
    begin(&b, 0, 0);
    noise_seed(&b.noise, 5);
    noise_normal(&b.noise, picture, 16 * H * W, 1);
    assert_int_equal(rollout_image(b.r, picture, &b.f), ERR_OK);
    assert_int_equal(rollout_frames(b.r), 1);
    assert_int_equal(next(&a, 1), ERR_OK);
    assert_int_equal(next(&b, 1), ERR_OK);
    assert_memory_not_equal(a.latent, b.latent, sizeof a.latent);
    assert_int_equal(rollout_frames(b.r), 1 + BLOCK);
    assert_int_equal(rollout_image(b.r, picture, &b.f), ERR_STATE); /* too late */
    rollout_free(a.r);
    rollout_free(b.r);
}

static void what_cannot_be_is_refused(void **state)
{
    static struct schedule s = {.steps = 1};
    struct rollout_setup set = {
        .dit = dit, .schedule = &s, .height = H, .width = W, .block = 3, .window = 4, .sink = 2};
    struct rollout *r = NULL;
    struct fault f = {0};
    (void)state;
    assert_int_equal(rollout_open(&set, &r, &f), ERR_INVAL);
    assert_non_null(strstr(f.text, "window of 4"));
    set.window = 6;
    set.height = 5;
    assert_int_equal(rollout_open(&set, &r, &f), ERR_INVAL);
    set.height = H;
    assert_int_equal(rollout_open(&set, &r, &f), ERR_OK);
    struct rollout_block block = {0};
    assert_int_equal(rollout_next(r, &block, &f), ERR_STATE); /* no prompt yet */
    rollout_free(r);
}

/* Frames leave block by block, and are those of the whole. */
static void blocks_decode_as_they_come(void **state)
{
    enum { BLOCKS = 3, FRAMES = BLOCKS * BLOCK, PIXELS = 64 * H * W * 3 };
    struct bench b;
    struct weights *w = open_file("Wan2.1_VAE.safetensors");
    struct vae *vae = NULL;
    struct vae_stream *stream = NULL;
    float *z = calloc(16 * FRAMES * H * W, sizeof *z),
          *whole = calloc((4 * FRAMES - 3) * PIXELS, sizeof *whole),
          *parts = calloc((4 * FRAMES - 3) * PIXELS, sizeof *parts);
    int at = 0;
    (void)state;
    begin(&b, 0, 0);
    assert_int_equal(vae_open(dev, w, VAE_DECODER, NULL, &vae, &b.f), ERR_OK);
    assert_int_equal(vae_decode_start(vae, H, W, &stream, &b.f), ERR_OK);
    for (int i = 0; i < BLOCKS; i++) {
        assert_int_equal(next(&b, (uint64_t)i), ERR_OK);
        for (int c = 0; c < 16; c++)
            memcpy(z + (c * FRAMES + i * BLOCK) * H * W, b.latent + c * BLOCK * H * W,
                   BLOCK * H * W * sizeof *z);
        for (int k = 0; k < BLOCK; k++) {
            assert_int_equal(
                vae_decode(stream, b.latent, BLOCK, k, 1, parts + at * PIXELS, NULL, &b.f), ERR_OK);
            at += i + k ? 4 : 1;
        }
    }
    assert_int_equal(at, 4 * FRAMES - 3);
    assert_int_equal(vae_decode_all(vae, z, FRAMES, H, W, 0, whole, &b.f), ERR_OK);
    assert_memory_equal(parts, whole, (size_t)at * PIXELS * sizeof *parts);
    vae_stream_free(stream);
    vae_free(vae);
    weights_free(w);
    rollout_free(b.r);
    free(z);
    free(whole);
    free(parts);
}

static int start(void **state)
{
    struct fault f = {0};
    (void)state;
    net = open_file("diffusion_pytorch_model.safetensors");
    return device_open(&(struct device_setup){"cpu", "f32", 0}, &dev, &f) ||
           dit_open(dev, net, NULL, DIT_RESIDENT, NULL, &dit, &f);
}

static int end(void **state)
{
    (void)state;
    dit_free(dit);
    weights_free(net);
    uint64_t left = device_used(dev);
    device_close(dev);
    return left != 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_end_of_a_block_is_its_last_guess),
        cmocka_unit_test(a_block_depends_on_the_past_and_on_the_prompt),
        cmocka_unit_test(a_cancelled_block_can_be_made_again),
        cmocka_unit_test(the_window_moves),
        cmocka_unit_test(it_may_begin_with_a_picture),
        cmocka_unit_test(what_cannot_be_is_refused),
        cmocka_unit_test(blocks_decode_as_they_come),
    };
    return cmocka_run_group_tests(tests, start, end);
}
