/* What a plan says against what the emulated GPU gave, for every way that a plan may go: a budget
 * that is one byte too small for one way leads to the next. All ways give the same pictures, and
 * nothing more is taken from the system once a job has begun. A GPU that has less than it said is
 * an error before anything is begun, and serves the next job. */
#include "unit/wan/tiny.h"

#include "base/buf.h"
#include "tensor/backend.h"
#include "wan/wan_inside.h"

#include <cuda_runtime_api.h>
#include <stdlib.h>

#define MB 1048576.0
#define LT_WORKSPACE ((size_t)64 << 20) /* of cuBLASLt, from when the device is opened */

static char dir[] = "/tmp/sakuga-memory-XXXXXX";
static char model[200];
static struct fault fault;
static uint64_t hash;
static int stages;

static enum err take(void *user, const struct wan_frames *p, struct fault *f)
{
    for (size_t i = 0; i < (size_t)p->count * (size_t)p->width * (size_t)p->height * 3; i++)
        hash = (hash ^ p->rgb[i]) * UINT64_C(1099511628211);
    return ERR_OK;
}

static void begun(void *user, enum wan_stage stage)
{
    stages++;
}

static const struct wan_calls calls = {.frames = take, .stage = begun};

static struct wan *open_with(uint64_t memory, const char *dtype)
{
    struct wan_setup setup = {.model = model, .device = "cuda", .dtype = dtype, .memory = memory};
    struct wan *w;
    if (wan_open(&setup, &w, &fault))
        fail_msg("%s", fault_text(&fault));
    return w;
}

static const char *way_of(const struct wan_plan *p)
{
    return p->resident ? "whole" : p->parked ? "parked" : "in files";
}

/* Draws, and holds the plan against what was taken. The hash of the pictures. */
static uint64_t draw(struct wan *w, const struct wan_job *job, const struct wan_plan *p)
{
    uint64_t pool = 0;
    for (int i = 0; i < 2; i++) { /* the second clip finds all weights loaded */
        hash = 1;
        if (wan_make(w, job, &calls, NULL, &fault))
            fail_msg("%s", fault_text(&fault));
    }
    double planned = (double)(p->sum - p->aside) / MB, held = (double)device_peak(w->dev) / MB;
    print_message("%s, %s, text %s, %d at a time, tile %d: planned %.2f MB, held %.2f MB\n",
                  job->sampler, way_of(p), p->keep_text ? "kept" : "dropped", p->chunk, p->tile,
                  planned, held);
    assert_true(held <= planned);
    assert_true(planned <= held * 1.2);
    assert_int_equal(cudaMemPoolGetAttribute(NULL, cudaMemPoolAttrReservedMemCurrent, &pool),
                     cudaSuccess);
    assert_int_equal(pool, p->sum - p->aside);
    return hash;
}

/* Of those with the whole transformer on the GPU the first alone, unless `all`. */
static void all_ways(const char *dtype, const struct wan_job *job, uint64_t host, bool all)
{
    uint64_t memory = 0, first = 0;
    bool whole = false, turns = false;
    for (;;) {
        struct wan *w = open_with(memory, dtype);
        struct wan_plan p;
        w->host = host;
        enum err e = wan_plan(w, job, &p, &fault);
        if (e) {
            assert_int_equal(e, ERR_NOMEM);
            wan_free(w);
            break;
        }
        w->place = p.resident ? DIT_RESIDENT : p.parked ? DIT_PARKED : DIT_IN_FILES;
        uint64_t now = all || !p.resident || !first ? draw(w, job, &p) : first;
        first = first ? first : now;
        if (!p.tile)
            assert_true(now == first);
        whole = whole || p.resident;
        turns = turns || !p.resident;
        memory = p.sum - 1;
        wan_free(w);
    }
    assert_true(whole && turns);
}

/* Words of few letters: rows of a prompt are planned by its bytes. */
static const struct wan_job still = {.prompt = "a fox",
                                     .negative = "grey",
                                     .width = 32,
                                     .height = 32,
                                     .frames = 1,
                                     .steps = 1,
                                     .guidance = 5,
                                     .sampler = "euler"};

static void every_way_is_planned(void **state)
{
    all_ways("bf16", &still, (uint64_t)1 << 40, true);
    all_ways("bf16", &still, 0, false);
    all_ways("fp8", &still, (uint64_t)1 << 40, false);
}

/* The most that a forward pass takes. */
static uint64_t pass(struct device *dev, const struct wan *w, enum dit_place place)
{
    enum { ROWS = 5, FRAMES = 2, SIDE = 16 };
    const int64_t n = (int64_t)16 * FRAMES * SIDE * SIDE;
    struct dit *d = NULL;
    struct dit_prompt *prompt = NULL;
    float *context = calloc(ROWS * (size_t)w->config.text_dim, sizeof *context);
    float *x = calloc(2 * (size_t)n, sizeof *x);
    assert_true(context && x);
    struct dit_prompt_spec spec = {.context = context, .n = ROWS};
    enum err e = dit_open(dev, w->files.weights[FILES_DIT], NULL, place, NULL, &d, &fault);
    if (!e)
        e = dit_prompt_new(d, &spec, &prompt, &fault);
    struct dit_input in = {
        .x = x, .frames = FRAMES, .height = SIDE, .width = SIDE, .prompt = prompt};
    if (!e)
        e = dit_forward(d, &in, x + n, &fault);
    if (e)
        fail_msg("%s", fault_text(&fault));
    dit_prompt_free(prompt);
    dit_free(d);
    free(context);
    free(x);
    return device_peak(dev);
}

/* In all forms of 8 bits: of a clip as small as these the decoder would hide them. */
static void passes_are_counted(void **state)
{
    static const struct {
        const char *sm, *dtype;
        enum dit_place place;
    } all[] = {{"90", "bf16", DIT_RESIDENT}, {"90", "fp8", DIT_RESIDENT},
               {"90", "fp8", DIT_PARKED},    {"90", "fp8-linear", DIT_IN_FILES},
               {"89", "fp8", DIT_RESIDENT},  {"89", "fp8", DIT_PARKED},
               {"80", "fp8", DIT_RESIDENT},  {"80", "fp8", DIT_PARKED}};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        setenv("EMU_SM", all[i].sm, 1);
        struct wan *w = open_with(0, all[i].dtype);
        struct device *none = device_hollow(device_caps(w->dev));
        assert_non_null(none);
        double planned = (double)pass(none, w, all[i].place) / MB;
        double held = (double)pass(w->dev, w, all[i].place) / MB;
        print_message("%s on %s, way %d: planned %.3f MB, held %.3f MB\n", all[i].dtype, all[i].sm,
                      (int)all[i].place, planned, held);
        assert_int_equal(device_used(none), 0);
        assert_true(held <= planned);
        assert_true(planned <= held * 1.1);
        device_close(none);
        wan_free(w);
    }
    unsetenv("EMU_SM");
}

/* A causal clip's: the second pass is recorded, and so is that at another place. */
static uint64_t passes_again(struct device *dev, const struct wan *w)
{
    enum { ROWS = 5, FRAMES = 2, SIDE = 16 };
    const int64_t n = (int64_t)16 * FRAMES * SIDE * SIDE;
    struct dit *d = NULL;
    struct dit_prompt *prompt = NULL;
    struct dit_cache *cache = NULL;
    float *context = calloc(ROWS * (size_t)w->config.text_dim, sizeof *context);
    float *x = calloc(2 * (size_t)n, sizeof *x);
    assert_true(context && x);
    struct dit_prompt_spec spec = {.context = context, .n = ROWS};
    enum err e = dit_open(dev, w->files.weights[FILES_DIT], NULL, DIT_RESIDENT, NULL, &d, &fault);
    if (!e)
        e = dit_prompt_new(d, &spec, &prompt, &fault);
    if (!e)
        e = dit_cache_new(d, 2 * FRAMES * SIDE * SIDE / 4, &cache, &fault);
    struct dit_input in = {
        .x = x, .frames = FRAMES, .height = SIDE, .width = SIDE, .prompt = prompt, .cache = cache};
    for (int i = 0; i < 4 && !e; i++) {
        in.cache_frame = in.first_frame = i == 3 ? FRAMES : 0;
        e = dit_forward(d, &in, x + n, &fault);
    }
    if (e)
        fail_msg("%s", fault_text(&fault));
    dit_cache_free(cache);
    dit_prompt_free(prompt);
    dit_free(d);
    free(context);
    free(x);
    return device_peak(dev);
}

static void recorded_passes_are_counted(void **state)
{
    static const char *const dtypes[] = {"bf16", "fp8", "fp8-weight"};
    for (int i = 0; i < 3; i++) {
        struct wan *w = open_with(0, dtypes[i]);
        struct device *none = device_hollow(device_caps(w->dev));
        assert_non_null(none);
        double planned = (double)passes_again(none, w) / MB;
        double held = (double)passes_again(w->dev, w) / MB;
        print_message("recorded in %s: planned %.3f MB, held %.3f MB\n", dtypes[i], planned, held);
        assert_int_equal(device_played(w->dev), 3);
        assert_int_equal(device_used(none), 0);
        assert_true(held <= planned);
        assert_true(planned <= held * 1.1);
        device_close(none);
        wan_free(w);
    }
}

static void a_causal_clip_is_planned(void **state)
{
    struct wan *w = open_with(0, "bf16");
    struct wan_job job = still;
    struct wan_plan p;
    job.frames = 9;
    job.guidance = 1;
    job.sampler = "self-forcing";
    assert_int_equal(wan_plan(w, &job, &p, &fault), ERR_OK);
    draw(w, &job, &p);
    assert_true(device_played(w->dev) > 0);
    wan_free(w);
}

static void chunks_are_planned(void **state)
{
    struct wan *w = open_with(0, "bf16");
    struct wan_job job = still;
    struct wan_plan p;
    job.frames = 5;
    job.guidance = 1;
    assert_int_equal(wan_plan(w, &job, &p, &fault), ERR_OK);
    assert_int_equal(p.chunk, 2);
    draw(w, &job, &p);
    wan_free(w);
}

static void a_gpu_that_has_less(void **state)
{
    struct wan *w = open_with(0, "bf16");
    stages = 0;
    setenv("EMU_MEMORY", "66", 1); /* two beside the workspace of cuBLASLt */
    assert_int_equal(wan_make(w, &still, &calls, NULL, &fault), ERR_NOMEM);
    if (!strstr(fault.text, "MB to spare"))
        fail_msg("%s", fault.text);
    assert_int_equal(stages, 0);
    unsetenv("EMU_MEMORY");
    if (wan_make(w, &still, &calls, NULL, &fault))
        fail_msg("%s", fault_text(&fault));
    wan_free(w);
}

/* Others take so much of the GPU that the way chosen when it was opened has no room: the next that
 * has is taken, and the first again when they are gone. */
static void others_come_and_go(void **state)
{
    struct wan *w = open_with(0, "bf16");
    struct wan_plan p;
    char mb[16];
    w->dev->caps.aside = 0; /* more than all else, of a model as small as this */
    assert_int_equal(wan_plan(w, &still, &p, &fault), ERR_OK);
    snprintf(mb, sizeof mb, "%d",
             64 + (int)(p.sum >> 20)); /* the workspace of cuBLASLt, and less */
    const uint64_t memory = w->memory;
    for (int i = 0; i < 2; i++) {
        setenv("EMU_MEMORY", mb, 1);
        if (wan_make(w, &still, &calls, NULL, &fault))
            fail_msg("%s", fault_text(&fault));
        assert_false(p.keep_text == w->keep_text && w->place == DIT_RESIDENT);
        assert_true(w->memory == memory && device_caps(w->dev)->memory < p.sum);
        unsetenv("EMU_MEMORY");
        if (wan_make(w, &still, &calls, NULL, &fault))
            fail_msg("%s", fault_text(&fault));
        assert_true(p.keep_text == w->keep_text);
    }
    wan_free(w);
}

/* Of a size of its own, so that no choice is known. */
static struct device *convolved(uint64_t reserved, int64_t side)
{
    struct device *d;
    static const float values[8 * 8 * 9];
    size_t spare = 1, all = 0;
    assert_int_equal(device_open(&(struct device_setup){"cuda", "bf16", 0}, &d, &fault), ERR_OK);
    if (reserved) {
        device_reserve(d, device_caps(d)->memory - reserved);
        assert_int_equal(cudaMemGetInfo(&spare, &all), cudaSuccess);
        assert_int_equal(spare, 0);
    }
    struct weight *w = weight_new(d, &(struct weight_spec){8, 8, 1, 3, 3, .values = values});
    struct tensor x = tensor_work4(d, 1, side, side, 8), y = tensor_work4(d, 1, side, side, 8);
    device_zero(d, &x);
    device_conv(d, &(struct conv_op){
                       .x = &x, .w = w, .y = &y, .top = 1, .bottom = 1, .left = 1, .right = 1});
    if (device_settle(d, &fault))
        fail_msg("%s", fault_text(&fault));
    tensor_free(&x);
    tensor_free(&y);
    weight_free(w);
    return d;
}

/* A workspace is not of the pool, which has all there is, and free: it is had nevertheless. */
static void a_workspace_beside_a_full_pool(void **state)
{
    setenv("EMU_MEMORY", "80", 1);
    device_close(convolved(LT_WORKSPACE, 5));
    unsetenv("EMU_MEMORY");
}

/* Nor are the numbers of queries and keys that count, of a room. */
static void a_room_beside_a_full_pool(void **state)
{
    struct device *d;
    setenv("EMU_MEMORY", "80", 1);
    assert_int_equal(device_open(&(struct device_setup){"cuda", "bf16", 0}, &d, &fault), ERR_OK);
    struct tensor q = tensor_work2(d, 16, 8), k = tensor_work2(d, 32, 8),
                  out = tensor_work2(d, 16, 8), some = tensor_part(&k, 0, 24);
    device_zero(d, &q);
    device_zero(d, &k);
    struct attention_op op = {.q = &q, .k = &k, .v = &k, .out = &out, .heads = 1, .scale = 1};
    device_attention(d, &op); /* the workspace */
    assert_int_equal(device_settle(d, &fault), ERR_OK);
    size_t spare = 1, all = 0;
    assert_int_equal(cudaMemGetInfo(&spare, &all), cudaSuccess);
    device_reserve(d, spare + device_used(d));
    assert_int_equal(cudaMemGetInfo(&spare, &all), cudaSuccess);
    assert_true(spare < 1024);
    op.k = op.v = &some;
    op.room = 32;
    device_attention(d, &op);
    if (device_settle(d, &fault))
        fail_msg("%s", fault_text(&fault));
    tensor_free(&q);
    tensor_free(&k);
    tensor_free(&out);
    device_close(d);
    unsetenv("EMU_MEMORY");
}

/* Of a plan that wants more than is set aside for the libraries, were it ten times as fast. */
static void no_plan_takes_what_is_not_set_aside(void **state)
{
    size_t spare = 0, all = 0;
    setenv("EMU_GREEDY", "300", 1);
    struct device *d = convolved(0, 6);
    unsetenv("EMU_GREEDY");
    assert_int_equal(cudaMemGetInfo(&spare, &all), cudaSuccess);
    assert_true(all - spare <= LT_WORKSPACE + ((size_t)1 << 20));
    device_close(d);
}

/* More lengths than plans are kept: the oldest goes, but not while it runs. */
static void plans_of_many_lengths(void **state)
{
    enum { MANY = 140 };
    struct device *d;
    assert_int_equal(device_open(&(struct device_setup){"cuda", "bf16", 0}, &d, &fault), ERR_OK);
    struct tensor k = tensor_work2(d, MANY, 8), q = tensor_work2(d, 16, 8),
                  out = tensor_work2(d, 16, 8);
    device_zero(d, &k);
    device_zero(d, &q);
    for (int i = 0; i < MANY; i++) {
        struct tensor some = tensor_part(&k, 0, i + 1);
        device_attention(d,
                         &(struct attention_op){
                             .q = &q, .k = &some, .v = &some, .out = &out, .heads = 1, .scale = 1});
    }
    if (device_settle(d, &fault))
        fail_msg("%s", fault_text(&fault));
    tensor_free(&out);
    tensor_free(&q);
    tensor_free(&k);
    device_close(d);
}

/* CUDA keeps the error of a call until somebody asks: who launches next would take it for his. */
static void what_failed_once_is_over(void **state)
{
    const struct device_setup setup = {"cuda", "bf16", 0};
    struct device *d;
    setenv("EMU_FAIL", "pinned:2", 1);
    assert_int_equal(device_open(&setup, &d, &fault), ERR_NOMEM);
    unsetenv("EMU_FAIL");
    assert_int_equal(device_open(&setup, &d, &fault), ERR_OK);
    struct tensor x = tensor_work4(d, 1, 2, 8, 3);
    device_zero(d, &x);
    if (device_settle(d, &fault))
        fail_msg("%s", fault_text(&fault));
    device_act(d, &x, &x, ACT_SILU);
    assert_int_equal(device_settle(d, &fault), ERR_OK);
    setenv("EMU_FAIL", "pinned:1", 1);
    assert_null(parcel_new(d, 64, PARCEL_BYTES));
    unsetenv("EMU_FAIL");
    assert_int_equal(device_settle(d, &fault), ERR_NOMEM);
    device_act(d, &x, &x, ACT_SILU);
    if (device_settle(d, &fault))
        fail_msg("%s", fault_text(&fault));
    tensor_free(&x);
    device_close(d);
}

/* In MB, rounded up. */
static void be_a_gpu_of(uint64_t bytes)
{
    char mb[16];
    snprintf(mb, sizeof mb, "%d", (int)((bytes + (1 << 20) - 1) >> 20));
    setenv("EMU_MEMORY", mb, 1);
}

/* A GPU that has what the plan says, and no byte for what the caller takes beside: the plan knows
 * of it, so that it is to be had when the memory of the model has been taken. */
static void what_the_caller_takes(void **state)
{
    const uint64_t encoder = (uint64_t)100 << 20;
    struct wan_plan without, p;
    for (int told = 0; told < 2; told++) {
        struct wan *w = open_with(0, "bf16");
        void *taken = NULL;
        w->dev->caps.aside = LT_WORKSPACE; /* the emulated libraries take no more */
        assert_int_equal(wan_plan(w, &still, &without, &fault), ERR_OK);
        assert_int_equal(without.beside, 0);
        if (told)
            wan_set_beside(w, encoder);
        assert_int_equal(wan_plan(w, &still, &p, &fault), ERR_OK);
        assert_int_equal(p.sum - without.sum, told ? encoder : 0);
        assert_int_equal(p.beside, told ? encoder : 0);
        be_a_gpu_of(p.sum);
        if (wan_make(w, &still, &calls, NULL, &fault))
            fail_msg("%s", fault_text(&fault));
        assert_int_equal(cudaMalloc(&taken, encoder) == cudaSuccess, told);
        if (told)
            cudaFree(taken);
        unsetenv("EMU_MEMORY");
        wan_free(w);
    }
}

/* The code of kernels, which comes with their first launch, when all the rest is taken already. */
static void code_comes_late(void **state)
{
    struct wan *w = open_with(0, "bf16");
    struct wan_plan p;
    const uint64_t code = (uint64_t)384 << 20, all = device_caps(w->dev)->aside;
    for (int told = 0; told < 2; told++) {
        w->dev->caps.aside = told ? LT_WORKSPACE + code : LT_WORKSPACE;
        assert_int_equal(wan_plan(w, &still, &p, &fault), ERR_OK);
        be_a_gpu_of(p.sum);
        setenv("EMU_CODE", "6", 1); /* of each */
        enum err e = wan_make(w, &still, &calls, NULL, &fault);
        unsetenv("EMU_CODE");
        unsetenv("EMU_MEMORY");
        if (told && e)
            fail_msg("%s", fault_text(&fault));
        assert_int_equal(e, told ? ERR_OK : ERR_NOMEM);
    }
    assert_true(all >= LT_WORKSPACE + code);
    wan_free(w);
}

static int set_up(void **state)
{
    if (!mkdtemp(dir))
        return -1;
    snprintf(model, sizeof model, "%s/tiny", dir);
    tiny_t2v(model);
    return 0;
}

static int tear_down(void **state)
{
    tiny_remove(dir);
    return 0;
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_way_is_planned),
        cmocka_unit_test(passes_are_counted),
        cmocka_unit_test(recorded_passes_are_counted),
        cmocka_unit_test(a_causal_clip_is_planned),
        cmocka_unit_test(chunks_are_planned),
        cmocka_unit_test(a_gpu_that_has_less),
        cmocka_unit_test(others_come_and_go),
        cmocka_unit_test(a_workspace_beside_a_full_pool),
        cmocka_unit_test(a_room_beside_a_full_pool),
        cmocka_unit_test(no_plan_takes_what_is_not_set_aside),
        cmocka_unit_test(plans_of_many_lengths),
        cmocka_unit_test(what_failed_once_is_over),
        cmocka_unit_test(what_the_caller_takes),
        cmocka_unit_test(code_comes_late),
    };
    setenv("EMU_EXACT", "1", 1); /* no chance in the last bits */
    if (argc > 1)
        cmocka_set_test_filter(argv[1]);
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
