/* "Too little memory" is told before anything is loaded, with both numbers: for models of the true
 * shapes (files that are all hole, of the sizes in names/), against sums formed here from the
 * lists of tensors and from what the passes keep (spec 6.5, 10). */
#include "unit/wan/listed.h"

#include "base/ram.h"
#include "wan/wan_inside.h"

#include <math.h>

#define F32 4.0
#define MB 1048576.0

static char dir[] = "/tmp/sakuga-need-XXXXXX";
static struct fault fault;
static struct device_caps here; /* of the processor, in f32 */

/* In the place of base/ram.c: what this process may have. */
static uint64_t machine = (uint64_t)64 << 30;

uint64_t ram_bytes(const char *root)
{
    assert_string_equal(root, "");
    return machine;
}

/* ---- lists of tensors ---- */

static struct list *list_of(const char *tsv)
{
    struct list *all = calloc(1, sizeof *all);
    listed_read(all, tsv);
    return all;
}

static double sum(const struct list *all, const char *prefix)
{
    double n = 0;
    for (int i = 0; i < all->n; i++)
        if (!strncmp(all->e[i].name, prefix, strlen(prefix)))
            n += (double)listed_count(&all->e[i]);
    return n;
}

/* ---- what they take ---- */

struct size {
    int width, height, frames;
};

/* The decoder keeps two frames of the input of every convolution in time, at its scale; the last
 * stage has four tensors of 96 channels and four frames (or the only one) in hand (spec 6.5). */
static double decoding(const struct list *vae, struct size size)
{
    double bytes = 0, pixels = (double)size.width * size.height;
    for (int i = 0; i < vae->n; i++) {
        const struct entry *s = &vae->e[i];
        int stage = 0;
        if (strncmp(s->name, "decoder.", 8) || s->rank != 5 || s->dim[2] != 3)
            continue;
        if (sscanf(s->name, "decoder.upsamples.%d.", &stage) == 1)
            stage /= 4; /* 0 … 3: at 1/8, 1/4, 1/2, 1 */
        else
            stage = strstr(s->name, "head") ? 3 : 0;
        bytes += 2 * s->dim[1] * F32 * pixels / pow(4, 3 - stage);
    }
    return bytes + 4 * 96 * fmin(size.frames, 4) * pixels * F32;
}

struct job {
    const char *tsv, *sampler;
    struct size size;
    double guidance, memory; /* bytes */
    bool whole;              /* it is to be loaded as a whole */
};

/* Of weights that are there while they are worked with: all, or, where the device widens what is
 * lent to it while it multiplies, the largest, or, for few rows, none. */
static double passing(const struct list *all, const char *prefix, double parts, double rows)
{
    double most = 0;
    if (!here.borrows)
        return sum(all, prefix) / parts;
    if (rows <= (double)here.panels)
        return 0;
    for (int i = 0; i < all->n; i++)
        if (!strncmp(all->e[i].name, prefix, strlen(prefix)))
            most = fmax(most, (double)listed_count(&all->e[i]));
    return most;
}

/* Prompt and negative prompt: 8 and 126 tokens of the true tokenizer, and a pad row each. */
static double expected(const struct list *dit, const struct list *vae, const struct list *t5,
                       const struct job *j)
{
    double dim = 0, ffn = 0, layers = 0;
    for (int i = 0; i < dit->n; i++) {
        const struct entry *s = &dit->e[i];
        if (!strcmp(s->name, "blocks.0.ffn.0.weight"))
            ffn = s->dim[0], dim = s->dim[1];
        layers += strstr(s->name, ".self_attn.q.weight") != NULL;
    }
    double all = sum(dit, ""), blocks = sum(dit, "blocks."), frames = (j->size.frames + 3) / 4;
    double tokens = (double)j->size.width * j->size.height / 256 * frames;
    bool causal = !strcmp(j->sampler, "self-forcing");
    double weights = (j->whole ? all : all - blocks) + sum(vae, "decoder.") + sum(vae, "conv2.");
    double block = j->whole ? 0 : passing(dit, "blocks.", layers, tokens);
    double rows = 9 + (j->guidance == 1 ? 0 : 127);
    double kept = 2 * dim * layers * (rows + (causal ? fmin(frames, 21) / frames * tokens : 0));
    /* the stream, its normalised form, q, k, v and what attention gives; ffn; angles */
    double pass = (causal ? 3 / frames : 1) * tokens * (6 * dim + ffn + 128);
    double text = passing(t5, "blocks.0.ffn.", 1, 126);
    return F32 * (weights + kept + fmax(fmax(pass + block, text), decoding(vae, j->size) / F32));
}

static bool stop(void *user)
{
    *(bool *)user = true;
    return true;
}

static void check(const struct list *dit, const struct list *vae, const struct list *t5,
                  const char *folder, const struct job *j)
{
    struct wan *w;
    bool asked = false;
    struct wan_setup setup = {
        .model = folder, .device = "cpu", .memory = (uint64_t)j->memory, .dtype = "f32"};
    const struct wan_calls calls = {.stop = stop, .user = &asked};
    const struct wan_job job = {.prompt = "a fox over neon roofs",
                                .width = j->size.width,
                                .height = j->size.height,
                                .frames = j->size.frames,
                                .guidance = j->guidance,
                                .sampler = j->sampler};
    unsigned long long needs = 0, has = 0;
    if (wan_open(&setup, &w, &fault))
        fail_msg("%s", fault_text(&fault));
    assert_true(wan_info(w)->parameters == (int64_t)sum(dit, ""));
    assert_int_equal(wan_info(w)->resident, j->whole);
    assert_int_equal(wan_make(w, &job, &calls, NULL, &fault), ERR_NOMEM);
    assert_false(asked); /* nothing was begun */
    const char *numbers = strstr(fault.text, "needs about");
    assert_int_equal(
        sscanf(numbers ? numbers : "", "needs about %llu MB, and there are %llu MB", &needs, &has),
        2);
    assert_int_equal(has, (unsigned long long)(j->memory / MB));
    double want = expected(dit, vae, t5, j) / MB;
    print_message("%-20s %4d x %4d x %3d: %8llu MB, by the lists %8.0f MB (%.3f)\n", j->tsv,
                  j->size.width, j->size.height, j->size.frames, needs, want, (double)needs / want);
    assert_true((double)needs >= want);        /* less would be killed in the middle */
    assert_true((double)needs <= want * 1.25); /* more would refuse what fits */
    wan_free(w);
    if (j->whole)
        return;
    setup.memory = (needs + 1) << 20; /* with so much it begins, a block at a time as well */
    assert_int_equal(wan_open(&setup, &w, &fault), ERR_OK);
    assert_false(wan_info(w)->resident);
    assert_int_equal(wan_make(w, &job, &calls, NULL, &fault), ERR_CANCELLED);
    assert_true(asked);
    wan_free(w);
}

static void model(const char *tsv, const struct job *jobs, int n)
{
    char folder[200];
    struct list *dit = list_of(tsv), *vae = list_of("vae_2.1.tsv"),
                *t5 = list_of("t5_umt5_xxl.tsv");
    snprintf(folder, sizeof folder, "%s/%s", dir, tsv);
    mkdir(folder, 0700);
    listed_write(dit, folder, "dit.safetensors", "F16", 2, 0);
    listed_write(vae, folder, "vae.safetensors", "F32", 4, 0);
    listed_write(t5, folder, "t5.safetensors", "BF16", 2, 0);
    tiny_link(folder, TINY_SPIECE, "spiece.model");
    for (int i = 0; i < n; i++)
        check(dit, vae, t5, folder, &jobs[i]);
    free(dit);
    free(vae);
    free(t5);
}

#define SMALL "dit_t2v_1.3B.tsv"
#define LARGE "dit_t2v_14B.tsv"

static void the_small_model(void **state)
{
    static const struct job jobs[] = {
        {SMALL, "unipc", {832, 480, 81}, 5, 11.6e9, true},
        {SMALL, "unipc", {1280, 720, 81}, 5, 11.6e9, true},
        {SMALL, "unipc", {832, 480, 81}, 1, 4e9, false},
        {SMALL, "euler", {128, 128, 5}, 1, 0.3e9, false},
        {SMALL, "self-forcing", {832, 480, 81}, 1, 20e9, true},
        {SMALL, "self-forcing", {832, 480, 9}, 1, 8e9, false},
    };
    model(SMALL, jobs, sizeof jobs / sizeof *jobs);
}

static void the_large_model(void **state)
{
    static const struct job jobs[] = {
        {LARGE, "unipc", {832, 480, 81}, 5, 8e9, false},
        {LARGE, "unipc", {1280, 720, 81}, 1, 12e9, false},
        {LARGE, "unipc", {1920, 1088, 161}, 5, 116e9, true},
        {LARGE, "euler", {128, 128, 1}, 1, 0.3e9, false},
    };
    model(LARGE, jobs, sizeof jobs / sizeof *jobs);
}

/* Longer than any that a model reads to its end. */
static const char *long_turn(void *user, int frame)
{
    static char text[4096];
    (void)user;
    (void)frame;
    for (size_t i = 0; i < sizeof text - 1; i++)
        text[i] = "fox and "[i % 8];
    return text;
}

/* What the device really held while it drew, of a model that can be run here. */
static void the_tiny_model(void **state)
{
    static const struct {
        struct size size;
        const char *sampler;
        double guidance, teacache;
        const char *(*turn)(void *user, int frame);
    } jobs[] = {{{160, 128, 9}, "euler", 1, 0, NULL},
                {{64, 64, 45}, "unipc", 5, 0, NULL},
                {{64, 64, 45}, "euler", 5, 0.05, NULL},
                {{64, 64, 21}, "self-forcing", 1, 0, NULL},
                {{64, 64, 21}, "self-forcing", 1, 0, long_turn}};
    char folder[200];
    snprintf(folder, sizeof folder, "%s/tiny", dir);
    tiny_t2v(folder);
    for (size_t i = 0; i < 2 * sizeof jobs / sizeof *jobs; i++) {
        bool whole = i % 2 == 0;
        struct wan *w;
        struct wan_setup setup = {
            .model = folder, .device = "cpu", .memory = 1 << 20, .dtype = "f32"};
        const char *(*turn)(void *user, int frame) = jobs[i / 2].turn;
        /* of a live clip any prompt may be long: the first, too */
        const struct wan_job job = {.prompt = turn ? turn(NULL, 0) + 4 : "a fox over neon roofs",
                                    .width = jobs[i / 2].size.width,
                                    .height = jobs[i / 2].size.height,
                                    .frames = jobs[i / 2].size.frames,
                                    .steps = 2,
                                    .guidance = jobs[i / 2].guidance,
                                    .sampler = jobs[i / 2].sampler,
                                    .teacache = jobs[i / 2].teacache};
        setup.memory = whole ? 24 << 20 : 8 << 20; /* its weights are 11 MB */
        assert_int_equal(wan_open(&setup, &w, &fault), ERR_OK);
        assert_int_equal(wan_info(w)->resident, whole);
        const struct wan_calls calls = {.turn = turn};
        struct wan_job full = job;
        full.live = calls.turn != NULL;
        assert_int_equal(wan_job_complete(w, &full, &fault), ERR_OK);
        w->memory = 0;
        struct wan_plan plan;
        assert_int_equal(wan_plan(w, &full, &plan, &fault), ERR_NOMEM);
        assert_non_null(strstr(fault.text, "needs about"));
        double needs = (double)plan.sum / MB;
        w->memory = UINT64_MAX;
        if (wan_make(w, &job, &calls, NULL, &fault))
            fail_msg("%s", fault_text(&fault));
        double held = (double)device_peak(w->dev) / MB;
        print_message("%s%s, %d x %d x %d, %s: needs %.1f MB, held %.1f MB\n", job.sampler,
                      full.live ? " live" : "", job.width, job.height, job.frames,
                      whole ? "whole" : "in blocks", needs, held);
        assert_true(held <= needs);
        assert_true(needs <= held * 1.2);
        wan_free(w);
    }
}

/* ---- cards ---- */

/* What is decided for a GPU of so many GiB, half a GiB of which others have (the driver, a screen),
 * in a machine of 64: bf16 and fp8. */
static const struct card {
    const char *tsv, *dtype;
    int gib;
    bool resident, keep_text;
    int chunk, tile; /* chunk 0: not even the least fits */
} cards[] = {
    {SMALL, "bf16", 8, true, false, 2, 0},  {SMALL, "bf16", 12, true, false, 4, 0},
    {SMALL, "bf16", 16, true, true, 1, 0},  {SMALL, "bf16", 24, true, true, 4, 0},
    {SMALL, "bf16", 48, true, true, 4, 0},  {SMALL, "bf16", 80, true, true, 4, 0},
    {SMALL, "bf16", 141, true, true, 4, 0}, {SMALL, "fp8", 8, true, false, 3, 0},
    {SMALL, "fp8", 12, true, false, 4, 0},  {SMALL, "fp8", 16, true, true, 3, 0},
    {SMALL, "fp8", 24, true, true, 4, 0},   {SMALL, "fp8", 48, true, true, 4, 0},
    {SMALL, "fp8", 80, true, true, 4, 0},   {SMALL, "fp8", 141, true, true, 4, 0},
    {LARGE, "bf16", 8, false, false, 2, 0}, {LARGE, "bf16", 12, false, false, 4, 0},
    {LARGE, "bf16", 16, false, true, 2, 0}, {LARGE, "bf16", 24, false, true, 4, 0},
    {LARGE, "bf16", 48, true, true, 4, 0},  {LARGE, "bf16", 80, true, true, 4, 0},
    {LARGE, "bf16", 141, true, true, 4, 0}, {LARGE, "fp8", 8, false, false, 3, 0},
    {LARGE, "fp8", 12, false, false, 4, 0}, {LARGE, "fp8", 16, false, true, 2, 0},
    {LARGE, "fp8", 24, true, false, 4, 0},  {LARGE, "fp8", 48, true, true, 4, 0},
    {LARGE, "fp8", 80, true, true, 4, 0},   {LARGE, "fp8", 141, true, true, 4, 0},
};

static struct wan_plan plan_for(const struct card *card, enum err *e)
{
    char folder[200];
    struct wan *w;
    struct wan_plan p;
    bool eight = !strcmp(card->dtype, "fp8");
    struct device_caps caps = {.name = "cuda",
                               .dtype = eight ? DTYPE_F8_E4M3 : DTYPE_BF16,
                               .work = DTYPE_BF16,
                               .low = eight ? DTYPE_F8_E4M3 : DTYPE_BF16,
                               .threads = 1,
                               .packed = true,
                               .attends = 128,
                               .attends_low = eight ? 512 : 0,
                               .aside = (uint64_t)704 << 20};
    const struct wan_job usual = {.prompt = "a fox over neon roofs"};
    snprintf(folder, sizeof folder, "%s/%s", dir, card->tsv);
    struct wan_setup setup = {.model = folder, .device = "cpu", .dtype = "f32"};
    if (wan_open(&setup, &w, &fault))
        fail_msg("%s", fault_text(&fault));
    device_close(w->dev);
    w->dev = device_hollow(&caps);
    w->memory = ((uint64_t)card->gib << 30) - ((uint64_t)1 << 29);
    *e = wan_plan(w, &usual, &p, &fault);
    wan_free(w);
    return p;
}

/* A control group's limit is the host's too: no blocks are pinned there that it has no room for. */
static void a_host_that_has_less(void **state)
{
    const struct card card = {LARGE, "bf16", 12, false, false, 4, 0};
    const uint64_t all = machine;
    struct wan *w;
    char folder[200];
    enum err e;
    (void)state;
    struct wan_plan p = plan_for(&card, &e);
    assert_true(!e && p.parked);
    machine = p.host / 3 * 4 + 4096; /* three quarters may be pinned */
    p = plan_for(&card, &e);
    assert_true(!e && p.parked);
    machine = p.host;
    p = plan_for(&card, &e);
    assert_true(!e && !p.parked);
    snprintf(folder, sizeof folder, "%s/%s", dir, LARGE);
    const struct wan_setup setup = {.model = folder, .device = "cpu", .dtype = "f32"};
    assert_int_equal(wan_open(&setup, &w, &fault), ERR_OK);
    assert_true(w->memory == machine && w->host == machine);
    wan_free(w);
    machine = all;
}

/* The table of doc/performance.md. */
static void cards_of_all_sizes(void **state)
{
    int wrong = 0;
    print_message("| model | numbers | GiB | planned | transformer | text encoder | decode |\n"
                  "|---|---|---|---|---|---|---|\n");
    for (size_t i = 0; i < sizeof cards / sizeof *cards; i++) {
        const struct card *c = &cards[i];
        char decode[64] = "-";
        enum err e;
        struct wan_plan p = plan_for(c, &e);
        if (!e && p.tile)
            snprintf(decode, sizeof decode, "tiles of %d", p.tile);
        else if (!e)
            snprintf(decode, sizeof decode, "%d at a time", p.chunk);
        print_message("| %s | %s | %d | %.1f | %s | %s | %s |\n",
                      strcmp(c->tsv, SMALL) ? "14B" : "1.3B", c->dtype, c->gib,
                      (double)p.sum / (double)(1 << 30),
                      e            ? "does not fit"
                      : p.resident ? "stays"
                      : p.parked   ? "in turns from host memory"
                                   : "in turns from files",
                      e             ? "-"
                      : p.keep_text ? "stays"
                                    : "a layer at a time",
                      decode);
        bool right = e ? c->chunk == 0
                       : p.sum <= p.memory && p.resident == c->resident &&
                             p.keep_text == c->keep_text && p.chunk == c->chunk &&
                             p.tile == c->tile;
        wrong += !right;
        if (!right)
            print_message("  not as expected\n");
        assert_true(e == ERR_OK || e == ERR_NOMEM);
        assert_int_equal(e == ERR_NOMEM, p.sum > p.memory);
    }
    assert_int_equal(wrong, 0);
}

static int set_up(void **state)
{
    struct device *d;
    if (device_open(&(struct device_setup){.kind = "cpu", .dtype = "f32"}, &d, &fault))
        return -1;
    here = *device_caps(d);
    device_close(d);
    return mkdtemp(dir) ? 0 : -1;
}

static int tear_down(void **state)
{
    tiny_remove(dir);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_tiny_model),       cmocka_unit_test(the_small_model),
        cmocka_unit_test(the_large_model),      cmocka_unit_test(cards_of_all_sizes),
        cmocka_unit_test(a_host_that_has_less), /* of the folders that those two left */
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
