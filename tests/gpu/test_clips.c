/* Whole clips on the emulated GPU. Previews by the tiny decoder: every fourth step is drawn by it,
 * twice as fine; one that cannot be loaded is told once and costs no clip. Noise that is drawn
 * while the device works: the same clip as where it is drawn after it. A causal clip's checkpoint,
 * written while the next block is made, is there when the job has ended. Its passes are recorded
 * and played: the same clip, bit for bit, as when they are not. Who rests between blocks, so that
 * others get the GPU, leaves it idle. */
#include "unit/wan/tiny.h"

#include "wan/noise.h"
#include "wan/preset.h"
#include "wan/rollout.h"
#include "wan/wan_inside.h"

#include <stdlib.h>
#include <string.h>

bool emu_idle(void); /* streams.cpp */

enum { CELLS = 4, FRAMES = 5, STEPS = 5 };
static char dir[64];
static struct {
    int cells, fine, fine_step, frames, notes;
    bool drawn; /* a fine one that is not of one colour */
    char words[300];
    uint8_t rgb[FRAMES * 64 * CELLS * CELLS * 3];
} seen;

static void on_preview(void *user, const struct wan_preview *p)
{
    (void)user;
    size_t n = (size_t)p->frames * (size_t)p->width * (size_t)p->height * 3;
    assert_int_equal(p->frames, 2);
    assert_int_equal(p->width, p->height);
    seen.cells += p->width == CELLS;
    if (p->width != 2 * CELLS)
        return;
    seen.fine++;
    seen.fine_step = p->step;
    for (size_t i = 3; i < n; i++)
        seen.drawn = seen.drawn || p->rgb[i] != p->rgb[i - 3];
}

static enum err on_frames(void *user, const struct wan_frames *p, struct fault *f)
{
    (void)user;
    (void)f;
    size_t one = (size_t)p->width * (size_t)p->height * 3;
    assert_true(p->first + p->count <= FRAMES && one * FRAMES == sizeof seen.rgb);
    memcpy(seen.rgb + one * (size_t)p->first, p->rgb, one * (size_t)p->count);
    seen.frames += p->count;
    return ERR_OK;
}

static void on_note(void *user, const char *words)
{
    (void)user;
    seen.notes++;
    snprintf(seen.words, sizeof seen.words, "%s", words);
}

static void draw_on(const char *device, const char *dtype, const char *sampler)
{
    const struct wan_setup setup = {.model = dir, .device = device, .dtype = dtype};
    const struct wan_calls calls = {.preview = on_preview, .frames = on_frames, .note = on_note};
    const struct wan_job job = {.prompt = "a fox",
                                .width = 8 * CELLS,
                                .height = 8 * CELLS,
                                .frames = FRAMES,
                                .steps = sampler ? 4 : STEPS,
                                .guidance = 1,
                                .sampler = sampler,
                                .seed = 7};
    struct fault f = {0};
    struct wan *w = NULL;
    memset(&seen, 0, sizeof seen);
    if (wan_open(&setup, &w, &f) || wan_make(w, &job, &calls, NULL, &f))
        fail_msg("%s", fault_text(&f));
    wan_free(w);
    assert_int_equal(seen.frames, FRAMES);
}

static void draw(void)
{
    draw_on("cuda", "bf16", NULL);
}

static void every_fourth_step_is_drawn(void **state)
{
    char command[200];
    (void)state;
    snprintf(command, sizeof command, "tests/tools/make_model decoder %s/taew2_1.safetensors", dir);
    assert_int_equal(system(command), 0);
    draw();
    assert_int_equal(seen.fine, 1);
    assert_int_equal(seen.fine_step, 4);
    assert_int_equal(seen.cells, STEPS - 1);
    assert_int_equal(seen.notes, 0);
    assert_true(seen.drawn);
}

/* The sampler of distilled models draws fresh noise at each step; after its four there is the clip
 * to look at.
 * In f32 on both, pictures differ by a rounding here and there; by other noise they would be other
 * pictures. */
static void noise_drawn_ahead_is_the_same(void **state)
{
    static uint8_t there[sizeof seen.rgb];
    int most = 0;
    (void)state;
    draw_on("cuda", "f32", "lcm");
    assert_int_equal(seen.fine, 0);
    memcpy(there, seen.rgb, sizeof there);
    draw_on("cpu", "f32", "lcm");
    for (size_t i = 0; i < sizeof there; i++)
        most = abs(there[i] - seen.rgb[i]) > most ? abs(there[i] - seen.rgb[i]) : most;
    assert_in_range(most, 0, 2);
}

static bool after_a_block(void *user)
{
    (void)user;
    return seen.frames >= 21;
}

static enum err count_frames(void *user, const struct wan_frames *p, struct fault *f)
{
    (void)user;
    (void)f;
    seen.frames += p->count;
    return ERR_OK;
}

static const char *on_turn(void *user, int frame)
{
    (void)user;
    return frame == 9 ? "a cat" : NULL;
}

/* And the prompt that came between two blocks, while the text encoder was not on the device. */
static void a_block_is_kept(void **state)
{
    const struct wan_setup setup = {.model = dir, .device = "cuda", .dtype = "f32"};
    const struct wan_job job = {.prompt = "a fox",
                                .width = 8 * CELLS,
                                .height = 8 * CELLS,
                                .frames = 33,
                                .sampler = "self-forcing",
                                .seed = 7,
                                .checkpoint_dir = dir};
    struct wan_calls calls = {
        .stop = after_a_block, .frames = count_frames, .note = on_note, .turn = on_turn};
    struct wan_made made;
    struct fault f = {0};
    struct wan *w = NULL;
    (void)state;
    memset(&seen, 0, sizeof seen);
    assert_int_equal(wan_open(&setup, &w, &f), ERR_OK);
    assert_int_equal(wan_make(w, &job, &calls, &made, &f), ERR_CANCELLED);
    assert_int_equal(seen.frames, 21);
    assert_int_equal(seen.notes, 0);
    assert_int_equal(access(made.checkpoint, R_OK), 0);
    calls.stop = NULL;
    if (wan_make(w, &job, &calls, &made, &f))
        fail_msg("%s", fault_text(&f));
    assert_int_equal(made.resumed, 2 * 4); /* the steps of those blocks */
    assert_int_equal(made.turn_n, 1);
    assert_string_equal(made.turn[0].prompt, "a cat");
    assert_int_equal(seen.frames, 21 + 33);
    assert_int_equal(unlink(made.checkpoint), 0);
    wan_free(w);
}

/* ---- passes that are recorded ---- */

enum { LONG = 33, TURN = 21, STEPS_OF_A_BLOCK = 5 }; /* three blocks; with the last look */

static uint64_t hash;
static int left; /* frames, until it is stopped; −1: never */

static enum err hash_frames(void *user, const struct wan_frames *p, struct fault *f)
{
    (void)user;
    (void)f;
    for (size_t i = 0; i < (size_t)p->count * (size_t)p->width * (size_t)p->height * 3; i++)
        hash = (hash ^ p->rgb[i]) * UINT64_C(1099511628211);
    left -= left > 0 ? p->count : 0;
    return ERR_OK;
}

static bool when_none_is_left(void *user)
{
    (void)user;
    return left == 0;
}

static bool always(void *user)
{
    (void)user;
    return true;
}

static const struct wan_turn turn = {TURN, "a wolf in the snow"};
static const struct wan_job causal = {.prompt = "a fox",
                                      .width = 8 * CELLS,
                                      .height = 8 * CELLS,
                                      .frames = LONG,
                                      .sampler = "self-forcing",
                                      .seed = 7,
                                      .turn = &turn,
                                      .turn_n = 1,
                                      .tiny = true, /* the passes are what is looked at */
                                      .checkpoint_dir = dir};

static struct wan *causal_open(const char *dtype, bool no_graphs)
{
    const struct wan_setup setup = {
        .model = dir, .device = "cuda", .dtype = dtype, .no_graphs = no_graphs};
    struct fault f = {0};
    struct wan *w = NULL;
    if (wan_open(&setup, &w, &f))
        fail_msg("%s", fault_text(&f));
    return w;
}

/* Its pictures' hash; `played` recordings of it. */
static uint64_t causal_draw(struct wan *w, bool rests, uint64_t *played)
{
    const struct wan_calls calls = {
        .stop = when_none_is_left, .rests = rests ? always : NULL, .frames = hash_frames};
    struct wan_made made;
    struct fault f = {0};
    uint64_t before = device_played(w->dev);
    hash = 1;
    left = -1;
    if (wan_make(w, &causal, &calls, &made, &f))
        fail_msg("%s", fault_text(&f));
    assert_int_equal(unlink(made.checkpoint), 0);
    *played = device_played(w->dev) - before;
    return hash;
}

/* Stopped after nine frames, and gone on with. */
static uint64_t causal_resumed(struct wan *w, uint64_t *played)
{
    const struct wan_calls calls = {.stop = when_none_is_left, .frames = hash_frames};
    struct wan_made made;
    struct fault f = {0};
    uint64_t before = device_played(w->dev);
    left = 9;
    assert_int_equal(wan_make(w, &causal, &calls, NULL, &f), ERR_CANCELLED);
    hash = 1;
    left = -1;
    if (wan_make(w, &causal, &calls, &made, &f))
        fail_msg("%s", fault_text(&f));
    assert_true(made.resumed > 0);
    assert_int_equal(unlink(made.checkpoint), 0);
    *played = device_played(w->dev) - before;
    return hash;
}

/* A prompt that turns, a device that is shared, a stop and its checkpoint. Of each clip the first
 * pass alone is done as it is; the decoder's plans, between two blocks, ask for a larger workspace,
 * which outdates what was recorded. */
static void passes_are_played(void **state)
{
    static const char *const dtypes[] = {"f32", "bf16", "fp8"};
    (void)state;
    for (int i = 0; i < 3; i++) {
        uint64_t played;
        struct wan *plain = causal_open(dtypes[i], true), *w = causal_open(dtypes[i], false);
        uint64_t want = causal_draw(plain, false, &played);
        assert_int_equal(played, 0);
        assert_true(causal_draw(w, false, &played) == want);
        assert_int_equal(played, 3 * STEPS_OF_A_BLOCK - 1);
        if (i == 1) {
            assert_true(causal_draw(w, true, &played) == want);
            assert_int_equal(played, 0);
            assert_true(causal_resumed(w, &played) == want);
            assert_in_range(played, 2 * STEPS_OF_A_BLOCK, 5 * STEPS_OF_A_BLOCK);
        }
        assert_string_equal(wan_info(w)->device_note, "");
        wan_free(plain);
        wan_free(w);
    }
}

struct stream {
    struct rollout *r;
    struct noise noise;
    int asked;
    bool shared;
};

static void stream_fresh(void *user, int step, float *out, int64_t n)
{
    struct stream *s = user;
    (void)step;
    noise_normal(&s->noise, out, n, 1);
}

static bool stream_stop(void *user)
{
    struct stream *s = user;
    s->asked++;
    return false;
}

static bool stream_shared(void *user)
{
    const struct stream *s = user;
    return s->shared;
}

/* Blocks of a stream whose window is full from the third on, with a turn before the fourth; while
 * the fifth is made others want the device. Its latents. */
static void stream_run(struct wan *w, float *latent, int64_t n)
{
    enum { BLOCK = 3, BLOCKS = 5 };
    const struct preset *preset = preset_find("self-forcing");
    struct schedule schedule;
    struct stream s = {.asked = 0};
    struct dit *d = NULL;
    struct fault f = {0};
    bool graphs = device_caps(w->dev)->graphs;
    float *context = calloc(9 * (size_t)w->config.text_dim, sizeof *context);
    if (!context || schedule_list(&schedule, preset->sigma, preset->steps, &f) ||
        dit_open(w->dev, w->files.weights[FILES_DIT], NULL, DIT_RESIDENT, NULL, &d, &f))
        fail_msg("%s", fault_text(&f));
    const struct rollout_setup set = {.dit = d,
                                      .schedule = &schedule,
                                      .height = CELLS,
                                      .width = CELLS,
                                      .block = BLOCK,
                                      .window = 2 * BLOCK};
    struct rollout_block block = {.latent = latent,
                                  .fresh = stream_fresh,
                                  .stop = stream_stop,
                                  .shared = stream_shared,
                                  .user = &s};
    if (rollout_open(&set, &s.r, &f) || rollout_prompt(s.r, context, 5, &f))
        fail_msg("%s", fault_text(&f));
    noise_seed(&s.noise, 3);
    for (int i = 0; i < BLOCKS; i++) {
        uint64_t before = device_played(w->dev);
        s.asked = 0;
        s.shared = i + 1 == BLOCKS;
        for (int k = 0; k < 9 * w->config.text_dim; k++)
            context[k] = (float)(k % 7 - 3) / 8;
        if (i == 3 && rollout_prompt(s.r, context, 9, &f))
            fail_msg("%s", fault_text(&f));
        noise_normal(&s.noise, latent, n, 1);
        if (rollout_next(s.r, &block, &f))
            fail_msg("%s", fault_text(&f));
        bool whole = graphs && !s.shared;
        assert_int_equal(device_played(w->dev) - before, whole ? STEPS_OF_A_BLOCK - (i == 0) : 0);
        assert_int_equal(s.asked, STEPS_OF_A_BLOCK * (whole ? 1 : w->config.layers));
    }
    rollout_free(s.r);
    dit_free(d);
    free(context);
}

static void a_stream_goes_on(void **state)
{
    enum { N = 16 * 3 * CELLS * CELLS };
    static float want[N], got[N];
    (void)state;
    struct wan *plain = causal_open("bf16", true), *w = causal_open("bf16", false);
    stream_run(plain, want, N);
    stream_run(w, got, N);
    assert_memory_equal(want, got, sizeof want);
    wan_free(plain);
    wan_free(w);
}

static struct {
    int asked, busy;
    bool rests, works;
} governor;

static void on_stage(void *user, enum wan_stage stage)
{
    (void)user;
    governor.works = stage >= WAN_SAMPLE;
}

static bool on_rests(void *user)
{
    (void)user;
    return governor.rests;
}

static bool on_stop(void *user)
{
    (void)user;
    governor.asked += governor.works;
    governor.busy += governor.works && !emu_idle();
    return false;
}

static void a_rest_is_the_gpus_too(void **state)
{
    const struct wan_setup setup = {.model = dir, .device = "cuda", .dtype = "bf16"};
    const struct wan_calls calls = {.stop = on_stop, .rests = on_rests, .stage = on_stage};
    const char *const samplers[] = {NULL, "self-forcing"};
    struct fault f = {0};
    struct wan *w = NULL;
    (void)state;
    assert_int_equal(wan_open(&setup, &w, &f), ERR_OK);
    for (int i = 0; i < 4; i++) {
        const struct wan_job job = {.prompt = "a fox",
                                    .width = 8 * CELLS,
                                    .height = 8 * CELLS,
                                    .frames = 21,
                                    .steps = i / 2 ? 0 : 1,
                                    .sampler = samplers[i / 2]};
        memset(&governor, 0, sizeof governor);
        governor.rests = i % 2;
        if (wan_make(w, &job, &calls, NULL, &f))
            fail_msg("%s", fault_text(&f));
        assert_true(governor.asked > 3);
        assert_true(governor.rests ? governor.busy == 0 : governor.busy > 0);
    }
    wan_free(w);
}

static void without_one_all_are_of_cells(void **state)
{
    char name[100];
    (void)state;
    snprintf(name, sizeof name, "%s/taew2_1.safetensors", dir);
    assert_int_equal(unlink(name), 0);
    draw();
    assert_int_equal(seen.cells, STEPS);
    assert_int_equal(seen.fine + seen.notes, 0);
}

/* It has the name that such files are known by, and nothing else of one. */
static void one_that_is_none_is_told(void **state)
{
    static const char header[] = "{\"decoder.3.conv.0.weight\":{\"dtype\":\"F32\",\"shape\":[1],"
                                 "\"data_offsets\":[0,4]}}";
    uint64_t n = sizeof header - 1;
    char name[100];
    (void)state;
    snprintf(name, sizeof name, "%s/taew2_1.safetensors", dir);
    FILE *f = fopen(name, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(&n, sizeof n, 1, f) + fwrite(header, n, 1, f) + fwrite(&n, 4, 1, f), 3);
    fclose(f);
    for (int cut = 0; cut < 2; cut++) { /* nor can that be read */
        assert_int_equal(truncate(name, (off_t)(sizeof n + n + 4) - cut), 0);
        draw();
        assert_int_equal(seen.cells, STEPS);
        assert_int_equal(seen.notes, 1);
        assert_non_null(strstr(seen.words, "no previews by the tiny decoder"));
        assert_non_null(strstr(seen.words, cut ? "is truncated" : "decoder.1.weight"));
    }
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_fourth_step_is_drawn),
        cmocka_unit_test(noise_drawn_ahead_is_the_same),
        cmocka_unit_test(a_block_is_kept),
        cmocka_unit_test(passes_are_played),
        cmocka_unit_test(a_stream_goes_on),
        cmocka_unit_test(a_rest_is_the_gpus_too),
        cmocka_unit_test(without_one_all_are_of_cells),
        cmocka_unit_test(one_that_is_none_is_told),
    };
    snprintf(dir, sizeof dir, "/tmp/sakuga-clips-XXXXXX");
    if (!mkdtemp(dir))
        return 1;
    setenv("EMU_EXACT", "1", 1);      /* no chance in the last bits */
    setenv("XDG_CACHE_HOME", dir, 1); /* what was measured of an emulated device is of no use */
    if (argc > 1)
        cmocka_set_test_filter(argv[1]);
    tiny_t2v(dir);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    tiny_remove(dir);
    return failed;
}
