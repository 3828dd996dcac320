/* wan_make() on the tiny checkpoints: the same frames whatever the pieces, stops within one block,
 * and after any step goes on bit for bit. */
#include "unit/wan/tiny.h"

#include "tensor/backend.h"
#include "wan/tokenizer.h"
#include "wan/wan_inside.h"

#include <dirent.h>
#include <math.h>

#define STEPS 4
#define W 32
#define H 32
#define FRAMES 9

static char dir[64], model[128], keep[128];
static struct wan *wan;
static struct fault fault;

/* What the callbacks saw. */
static struct seen {
    uint64_t hash;
    int frames, chunks, steps, previews, stops, stop_at, stop_at_step;
    bool stopped, spoke_after;
    unsigned stages;
    double overall;
    char notes[2000];
    uint8_t *kept;  /* or NULL: all frames go there */
    char order[64]; /* of decoding: s when pictures are sent for, f when they are handed over */
} seen;

static uint64_t mix(uint64_t h, const void *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        h = (h ^ ((const uint8_t *)p)[i]) * UINT64_C(1099511628211);
    return h;
}

static bool on_stop(void *user)
{
    (void)user;
    seen.spoke_after = seen.spoke_after || seen.stopped;
    seen.stopped =
        ++seen.stops == seen.stop_at || (seen.stop_at_step && seen.steps == seen.stop_at_step);
    return seen.stopped;
}

static void on_stage(void *user, enum wan_stage s)
{
    (void)user;
    seen.spoke_after = seen.spoke_after || seen.stopped;
    seen.stages |= 1u << s;
}

static void on_progress(void *user, const struct wan_progress *p)
{
    (void)user;
    assert_in_range(p->done, 0, p->total);
    assert_true(p->fraction >= 0 && p->fraction <= 1 && p->overall >= 0 && p->overall <= 1);
    seen.overall = p->overall;
    if (p->stage == WAN_SAMPLE)
        seen.steps = p->done;
}

static void on_preview(void *user, const struct wan_preview *p)
{
    (void)user;
    assert_true(p->width == W / 8 || p->width == 128 / 8);
    assert_int_equal(p->height, H / 8);
    assert_int_equal(p->frames, (FRAMES + 3) / 4);
    seen.previews++;
}

static enum err on_frames(void *user, const struct wan_frames *p, struct fault *f)
{
    (void)user;
    (void)f;
    seen.spoke_after = seen.spoke_after || seen.stopped;
    assert_int_equal(p->first, seen.frames);
    strncat(seen.order, "f", sizeof seen.order - strlen(seen.order) - 1);
    seen.frames += p->count;
    seen.chunks++;
    const uint8_t *bytes = p->nv12 ? p->nv12 : p->rgb;
    assert_true(!p->nv12 != !p->rgb);
    assert_int_equal(p->bytes * 2, (size_t)(p->width * p->height) * (p->nv12 ? 3 : 6));
    seen.hash = mix(seen.hash, bytes, (size_t)p->count * p->bytes);
    if (seen.kept)
        memcpy(seen.kept + (size_t)p->first * p->bytes, bytes, (size_t)p->count * p->bytes);
    return ERR_OK;
}

static void on_note(void *user, const char *words)
{
    (void)user;
    strncat(seen.notes, words, sizeof seen.notes - strlen(seen.notes) - 2);
}

static const struct wan_calls calls = {.stop = on_stop,
                                       .stage = on_stage,
                                       .progress = on_progress,
                                       .preview = on_preview,
                                       .frames = on_frames,
                                       .note = on_note};

static struct wan_job job_of(const char *sampler)
{
    return (struct wan_job){.prompt = "a fox over neon roofs",
                            .width = W,
                            .height = H,
                            .frames = FRAMES,
                            .steps = STEPS,
                            .sampler = sampler,
                            .seed = 7};
}

static enum err make(const struct wan_job *job, struct wan_made *made)
{
    seen = (struct seen){
        .stop_at = seen.stop_at, .stop_at_step = seen.stop_at_step, .kept = seen.kept};
    return wan_make(wan, job, &calls, made, &fault);
}

static uint64_t frames_of(const struct wan_job *job)
{
    struct wan_made made;
    seen.stop_at = seen.stop_at_step = 0;
    if (make(job, &made))
        fail_msg("%s", fault_text(&fault));
    assert_int_equal(seen.frames, job->frames);
    return seen.hash;
}

static int left_in(const char *path)
{
    int n = 0;
    DIR *d = opendir(path);
    for (struct dirent *e; d && (e = readdir(d));)
        n += e->d_name[0] != '.' || strlen(e->d_name) > 2;
    closedir(d);
    return n;
}

static void test_info(void **state)
{
    const struct wan_info *i = wan_info(wan);
    (void)state;
    assert_string_equal(i->variant, "t2v width 256");
    assert_string_equal(i->transformer, "diffusion_pytorch_model.safetensors");
    assert_string_equal(i->text_encoder, "models_t5_umt5-xxl-enc-bf16.pth");
    assert_string_equal(i->vae, "Wan2.1_VAE.pth");
    assert_string_equal(i->tokenizer, "google/umt5-xxl/spiece.model");
    assert_string_equal(i->tokens_by, tokenizer_file_words("spiece.model"));
    assert_string_equal(i->stored, "BF16");
    assert_int_equal(i->layers, 3);
    assert_int_equal(i->vocabulary, 512);
    assert_false(i->image || i->vace || i->last_image);
    assert_true(i->resident);
}

static void test_clip(void **state)
{
    struct wan_job job = job_of(NULL);
    struct wan_made made;
    (void)state;
    seen.stop_at = seen.stop_at_step = 0;
    assert_int_equal(make(&job, &made), ERR_OK);
    assert_int_equal(seen.frames, FRAMES);
    assert_int_equal(seen.chunks, 3); /* block by block: 1 + 4 + 4 */
    assert_int_equal(seen.previews, STEPS);
    assert_int_equal(seen.stages,
                     1u << WAN_LOAD | 1u << WAN_TEXT | 1u << WAN_SAMPLE | 1u << WAN_DECODE);
    assert_true(seen.overall > 0.99);
    assert_true(made.tokens > 3);
    assert_string_equal(made.job.sampler, "unipc");
    uint64_t hash = seen.hash;
    assert_int_equal(frames_of(&job), hash);
    job.chunk = 2;
    assert_int_equal(frames_of(&job), hash);
    job.seed = 8;
    assert_int_not_equal(frames_of(&job), hash);
    job.seed = 7;
    job.prompt = "a cat over neon roofs";
    assert_int_not_equal(frames_of(&job), hash);
}

static void test_parameters_count(void **state)
{
    struct wan_job base = job_of("euler"), job = base;
    uint64_t hash = frames_of(&base);
    (void)state;
    job.guidance = 1;
    uint64_t unguided = frames_of(&job);
    assert_int_not_equal(unguided, hash);
    job = base;
    job.guide_to = 0.5;
    assert_int_not_equal(frames_of(&job), hash);
    job = base;
    job.guide_from = 0.99;
    job.guide_to = 1;
    assert_int_equal(frames_of(&job), unguided); /* no step begins so late */
    job = base;
    job.zero_star = true;
    uint64_t star = frames_of(&job);
    assert_int_not_equal(star, hash);
    job.zero_init = 1; /* the first step changes nothing, and needs no pass */
    assert_int_not_equal(frames_of(&job), star);
    job.teacache = 0.1;
    assert_int_equal(make(&job, NULL), ERR_INVAL);
    job = base;
    job.shift = 3;
    assert_int_not_equal(frames_of(&job), hash);
    job = base;
    job.simple = true;
    uint64_t simple = frames_of(&job);
    const double sigmas[STEPS] = {1, 0.9375, 5 * 0.5 / 3, 0.625};
    job = base;
    job.sigmas = sigmas;
    assert_int_equal(frames_of(&job), hash); /* shift 5 in four steps, as a list */
    assert_int_equal(simple, hash);          /* and ComfyUI's table at shift 5 */
    job = base;
    job.negative = "";
    assert_int_not_equal(frames_of(&job), hash);
}

static void test_refused(void **state)
{
    static const struct {
        int width, height, frames, steps;
        double guidance;
        const char *sampler, *words;
    } bad[] = {
        {70, 0, 0, 0, 0, NULL, "multiples of 16"},    {0, 8, 0, 0, 0, NULL, "multiples of 16"},
        {4096, 0, 0, 0, 0, NULL, "multiples of 16"},  {0, 0, 8, 0, 0, NULL, "8 frames"},
        {0, 0, 5000, 0, 0, NULL, "5000 frames"},      {0, 0, 0, 5000, 0, NULL, "5000 steps"},
        {0, 0, 0, -1, 0, NULL, "-1 steps"},           {0, 0, 0, 0, 1e9, NULL, "guidance"},
        {0, 0, 0, 0, 0, "magic", "no sampler magic"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct wan_job job = job_of(bad[i].sampler);
        job.width = bad[i].width ? bad[i].width : W;
        job.height = bad[i].height ? bad[i].height : H;
        job.frames = bad[i].frames ? bad[i].frames : FRAMES;
        job.steps = bad[i].steps ? bad[i].steps : STEPS;
        job.guidance = bad[i].guidance;
        assert_int_equal(make(&job, NULL), ERR_INVAL);
        if (!strstr(fault_text(&fault), bad[i].words))
            fail_msg("\"%s\" does not say \"%s\"", fault_text(&fault), bad[i].words);
    }
    struct wan_job job = job_of(NULL);
    const uint8_t grey[3] = {9, 9, 9};
    struct wan_picture picture = {grey, 1, 1};
    job.image = &picture;
    assert_int_equal(make(&job, NULL), ERR_INVAL);
    assert_non_null(strstr(fault_text(&fault), "takes no picture"));
    job = job_of(NULL);
    job.prompt = NULL;
    assert_int_equal(make(&job, NULL), ERR_INVAL);
}

/* Both numbers are told, before anything is loaded; less than half of the memory: block by block,
 * with the same frames. */
static void test_memory(void **state)
{
    struct wan_setup setup = {
        .model = model, .device = "cpu", .dtype = "f32", .memory = (uint64_t)20 << 20};
    struct wan_job job = job_of("euler");
    struct wan *first = wan;
    uint64_t hash = frames_of(&job);
    (void)state;
    assert_int_equal(wan_open(&setup, &wan, &fault), ERR_OK);
    assert_false(wan_info(wan)->resident);
    assert_int_equal(frames_of(&job), hash);
    job.width = 1280;
    job.height = 720;
    assert_int_equal(make(&job, NULL), ERR_NOMEM);
    assert_int_equal(seen.stages, 0);
    assert_non_null(strstr(fault_text(&fault), "there are 20 MB"));
    wan_free(wan);
    wan = first;
}

/* At every single place where it asks, with texts that were not encoded yet. */
static void test_stops_at_once(void **state)
{
    struct wan_job job = job_of("euler");
    char prompt[32] = "stop at 0", negative[32] = "not at 0";
    (void)state;
    job.steps = 2;
    job.prompt = "a text that nobody knows";
    frames_of(&job); /* from here on all is loaded */
    job.prompt = prompt;
    job.negative = negative;
    frames_of(&job);
    int asked = seen.stops;
    assert_true(asked > 2 * 3 + 2 * 2 * 3); /* texts, layers; steps, guidance, blocks */
    for (int at = 1; at <= asked; at++) {
        snprintf(prompt, sizeof prompt, "stop at %d", at);
        snprintf(negative, sizeof negative, "not at %d", at);
        seen.stop_at = at;
        seen.stop_at_step = 0;
        assert_int_equal(make(&job, NULL), ERR_CANCELLED);
        assert_int_equal(seen.stops, at);
        assert_false(seen.spoke_after);
    }
}

/* What was encoded lately is not encoded again, and what was not is. */
static void test_prompts_are_kept(void **state)
{
    struct wan_job job = job_of("euler");
    char other[32];
    (void)state;
    frames_of(&job); /* with the negative one */
    job.prompt = "a text of its own";
    uint64_t hash = frames_of(&job);
    int first = seen.stops;
    assert_true(frames_of(&job) == hash);
    int again = seen.stops;
    assert_true(again < first);
    job.steps = 1;
    for (int i = 0; i < 20; i++) {
        snprintf(other, sizeof other, "another text %d", i);
        job.prompt = other;
        frames_of(&job);
    }
    job.steps = STEPS;
    job.prompt = "a text of its own";
    assert_true(frames_of(&job) == hash);
    assert_int_equal(seen.stops, first);
}

/* A warm model draws the same; what is missing is told at once. */
static void test_warm(void **state)
{
    struct wan_setup setup = {.model = model, .device = "cpu", .dtype = "f32"};
    struct wan *first = wan, *w;
    struct wan_job job = job_of("euler");
    char other[300];
    (void)state;
    uint64_t hash = frames_of(&job);
    assert_int_equal(wan_open(&setup, &w, &fault), ERR_OK);
    assert_int_equal(wan_warm(w, &fault), ERR_OK);
    assert_int_equal(wan_warm(w, &fault), ERR_OK); /* there is nothing left to do */
    wan = w;
    assert_true(frames_of(&job) == hash);
    wan_free(w);
    wan = first;
    snprintf(other, sizeof other, "%.200s/words-only", keep);
    mkdir(other, 0700);
    tiny_link(other, TINY_DIT, "dit.safetensors");
    tiny_link(other, TINY_T5, "t5.safetensors");
    tiny_link(other, TINY_VAE, "vae.safetensors");
    setup.model = other;
    assert_int_equal(wan_open(&setup, &w, &fault), ERR_OK);
    assert_int_equal(wan_warm(w, &fault), ERR_NOTFOUND);
    assert_non_null(strstr(fault_text(&fault), "spiece.model"));
    wan_free(w);
    tiny_remove(other);
}

static const struct device_ops *own_ops;

static void sent(struct parcel *p, const struct tensor *x, float scale, float shift)
{
    strncat(seen.order, "s", sizeof seen.order - strlen(seen.order) - 1);
    own_ops->parcel_send(p, x, scale, shift);
}

/* A device that works by itself, as far as the decoder can tell, has the next pictures on their way
 * before it hands over those it has: the same ones, in the same order, and it stops as soon. */
static void test_decodes_ahead(void **state)
{
    struct wan_job job = job_of("euler");
    struct device_ops ops = *wan->dev->ops;
    job.chunk = 1;
    uint64_t whole = frames_of(&job);
    assert_string_equal(seen.order, "fff");
    own_ops = wan->dev->ops;
    ops.parcel_send = sent;
    wan->dev->ops = &ops;
    assert_true(frames_of(&job) == whole);
    assert_string_equal(seen.order, "sfsfsf");
    wan->dev->caps.host_memory = false;
    assert_true(frames_of(&job) == whole);
    assert_string_equal(seen.order, "ssfsff");
    job.chunk = 2;
    assert_true(frames_of(&job) == whole);
    assert_string_equal(seen.order, "ssff");
    test_stops_at_once(state);
    wan->dev->caps.host_memory = true;
    wan->dev->ops = own_ops;
}

static void test_resume_at_every_step(void **state)
{
    static const char *const samplers[] = {"unipc", "dpm++", "euler", "lcm"};
    (void)state;
    for (int s = 0; s < 4; s++) {
        struct wan_job job = job_of(samplers[s]);
        struct wan_made made;
        uint64_t whole = frames_of(&job);
        job.checkpoint_dir = keep;
        for (int at = 1; at <= STEPS; at++) {
            seen.stop_at = 0;
            seen.stop_at_step = at;
            assert_int_equal(make(&job, &made), ERR_CANCELLED);
            assert_int_equal(left_in(keep), 1);
            seen.stop_at_step = 0;
            assert_int_equal(make(&job, &made), ERR_OK);
            assert_int_equal(made.resumed, at);
            assert_int_equal(seen.previews, STEPS - at);
            assert_int_equal(seen.hash, whole);
            assert_int_equal(unlink(made.checkpoint), 0);
        }
    }
}

static void test_resume_every_second_step(void **state)
{
    struct wan_job job = job_of("unipc");
    struct wan_made made;
    uint64_t whole = frames_of(&job);
    (void)state;
    job.checkpoint_dir = keep;
    job.checkpoint_every = 2;
    seen.stop_at_step = 3;
    assert_int_equal(make(&job, &made), ERR_CANCELLED);
    seen.stop_at_step = 0;
    assert_int_equal(make(&job, &made), ERR_OK);
    assert_int_equal(made.resumed, 2);
    assert_int_equal(seen.hash, whole);
    unlink(made.checkpoint);
}

/* Another way of computing is told, and the clip begins anew. */
static void test_resume_elsewhere(void **state)
{
    struct wan_job job = job_of("unipc");
    struct wan_made made;
    struct wan *first = wan;
    const struct wan_setup other = {.model = model,
                                    .device = "cpu",
                                    .dtype = "f32",
                                    .threads = wan_info(wan)->threads == 1 ? 2 : 1};
    (void)state;
    job.checkpoint_dir = keep;
    seen.stop_at = 0;
    seen.stop_at_step = 2;
    assert_int_equal(make(&job, &made), ERR_CANCELLED);
    assert_int_equal(wan_open(&other, &wan, &fault), ERR_OK);
    seen.stop_at_step = 0;
    assert_int_equal(make(&job, &made), ERR_OK);
    assert_int_equal(made.resumed, 0);
    if (!strstr(seen.notes, "begins anew") || !strstr(seen.notes, "thread"))
        fail_msg("the notes say: %s", seen.notes);
    unlink(made.checkpoint);
    wan_free(wan);
    wan = first;
}

/* So is another build of the same version: it may round otherwise. */
static void test_resume_by_another_build(void **state)
{
    struct wan_job job = job_of("unipc");
    struct wan_made made;
    char ours[sizeof wan->info.build];
    (void)state;
    strcpy(ours, wan_info(wan)->build);
    assert_int_equal(strspn(ours, "0123456789abcdef"), 16);
    job.checkpoint_dir = keep;
    seen.stop_at = 0;
    seen.stop_at_step = 2;
    assert_int_equal(make(&job, &made), ERR_CANCELLED);
    strcpy(wan->info.build, "0123456789abcdef");
    seen.stop_at_step = 0;
    assert_int_equal(make(&job, &made), ERR_OK);
    strcpy(wan->info.build, ours);
    assert_int_equal(made.resumed, 0);
    if (!strstr(seen.notes, "begins anew") || !strstr(seen.notes, ours) ||
        !strstr(seen.notes, "this is \"build 0123456789abcdef\""))
        fail_msg("the notes say: %s", seen.notes);
    unlink(made.checkpoint);
}

static void test_no_place_for_checkpoints(void **state)
{
    struct wan_job job = job_of("euler");
    struct wan_made made;
    (void)state;
    job.checkpoint_dir = "/nowhere/at/all";
    seen.stop_at = seen.stop_at_step = 0;
    assert_int_equal(make(&job, &made), ERR_OK);
    assert_non_null(strstr(seen.notes, "no checkpoint"));
}

static void test_loras(void **state)
{
    struct wan_job job = job_of("euler");
    char a[1024], b[1024];
    const char *src = getenv("srcdir");
    uint64_t base = frames_of(&job);
    (void)state;
    snprintf(a, sizeof a, "%s/tests/wan/open/lora/kohya.safetensors", src ? src : "..");
    snprintf(b, sizeof b, "%s/tests/wan/open/lora/comfy.safetensors", src ? src : "..");
    job.lora[0] = (struct wan_lora){a, 1};
    job.lora_n = 1;
    uint64_t one = frames_of(&job);
    assert_int_not_equal(one, base);
    job.lora[1] = (struct wan_lora){b, -0.5};
    job.lora_n = 2;
    uint64_t two = frames_of(&job);
    assert_int_not_equal(two, one);
    job.lora_n = 1;
    assert_int_equal(frames_of(&job), one);
    job.lora_n = 0;
    assert_int_equal(frames_of(&job), base); /* the base was never changed */
    job.lora_n = 1;
    job.lora[0].path = "/nowhere.safetensors";
    assert_int_equal(make(&job, NULL), ERR_NOTFOUND);
    job.lora_n = 0;
    assert_int_equal(frames_of(&job), base);
}

/* A LoRA that was trained on lies under the name of the old one: it is the new one that counts, and
 * is told. */
static void test_loras_of_the_same_name(void **state)
{
    struct wan_job job = job_of("euler");
    struct wan_made made[3];
    char path[128];
    uint64_t hash[3];
    (void)state;
    snprintf(path, sizeof path, "%s/loras/style.safetensors", dir);
    job.lora[0] = (struct wan_lora){path, 1};
    job.lora_n = 1;
    for (int i = 0; i < 3; i++) {
        tiny_link(dir, i == 1 ? "open/lora/comfy.safetensors" : "open/lora/kohya.safetensors",
                  "loras/style.safetensors");
        hash[i] = frames_of(&job);
        assert_int_equal(make(&job, &made[i]), ERR_OK);
        assert_int_equal(seen.hash, hash[i]);
        assert_int_equal(strlen(made[i].lora_id[0]), 16);
        assert_int_equal(unlink(path), 0);
    }
    assert_int_not_equal(hash[0], hash[1]);
    assert_int_equal(hash[0], hash[2]);
    assert_string_not_equal(made[0].lora_id[0], made[1].lora_id[0]);
    assert_string_equal(made[0].lora_id[0], made[2].lora_id[0]);
    assert_string_equal(made[0].lora_id[1], "");
}

static long resident_kb(void)
{
    long pages = 0;
    FILE *f = fopen("/proc/self/statm", "r");
    if (!f || fscanf(f, "%*s %ld", &pages) != 1)
        pages = 0;
    if (f)
        fclose(f);
    return pages * (sysconf(_SC_PAGESIZE) >> 10);
}

/* The base stays loaded, and nothing grows. */
static void test_200_lora_switches(void **state)
{
    const struct wan_calls quiet = {.frames = on_frames};
    struct wan_job job = job_of("euler");
    const char *src = getenv("srcdir");
    uint64_t hash[2] = {0, 0};
    char path[1024];
    long before = 0;
    (void)state;
    snprintf(path, sizeof path, "%s/tests/wan/open/lora/kohya.safetensors", src ? src : "..");
    job.lora[0] = (struct wan_lora){path, 1};
    job.width = job.height = 16;
    job.frames = job.steps = 1;
    job.guidance = 1;
    for (int i = 0; i < 200; i++) {
        job.lora_n = i % 2;
        seen = (struct seen){.hash = 0};
        assert_int_equal(wan_make(wan, &job, &quiet, NULL, &fault), ERR_OK);
        if (i < 2)
            hash[i] = seen.hash;
        assert_int_equal(seen.hash, hash[i % 2]);
        if (i == 40)
            before = resident_kb();
    }
    assert_int_not_equal(hash[0], hash[1]);
    long grown = resident_kb() - before;
#ifdef __SANITIZE_ADDRESS__
    grown = 0; /* its quarantine keeps what was freed; it finds leaks by itself */
#endif
    if (grown > 4096)
        fail_msg("160 switches took %ld kB", grown);
}

static void test_tokenizer_of_another_model(void **state)
{
    char other[128];
    struct wan *w;
    struct wan_job job = job_of(NULL);
    const struct wan_setup setup = {.model = other, .device = "cpu", .dtype = "f32"};
    (void)state;
    snprintf(other, sizeof other, "%s/mismatched", dir);
    mkdir(other, 0700);
    tiny_link(other, TINY_DIT, "a.safetensors");
    tiny_link(other, TINY_T5, "b.safetensors");
    tiny_link(other, TINY_VAE, "c.safetensors");
    tiny_link(other, "tokenizer/umt5_mini/tokenizer.json", "tokenizer.json");
    assert_int_equal(wan_open(&setup, &w, &fault), ERR_OK);
    assert_int_equal(wan_make(w, &job, NULL, NULL, &fault), ERR_INVAL);
    assert_non_null(strstr(fault_text(&fault), "they belong to different models"));
    wan_free(w);
}

static void test_layouts(void **state)
{
    char comfy[128], diffusers[128], file[300];
    struct wan *w;
    struct wan_setup setup = {.model = comfy, .device = "cpu", .dtype = "f32"};
    (void)state;
    snprintf(comfy, sizeof comfy, "%s/comfy", dir);
    mkdir(comfy, 0700);
    tiny_link(comfy, TINY_DIT, "split_files/diffusion_models/wan2.1_t2v_tiny.safetensors");
    tiny_link(comfy, TINY_T5, "split_files/text_encoders/umt5.safetensors");
    tiny_link(comfy, TINY_VAE, "split_files/vae/wan_2.1_vae.safetensors");
    tiny_link(comfy, TINY_SPIECE, "split_files/spiece.model");
    assert_int_equal(wan_open(&setup, &w, &fault), ERR_OK);
    assert_string_equal(wan_info(w)->vae, "split_files/vae/wan_2.1_vae.safetensors");
    wan_free(w);

    /* a second transformer in the folder: only by its file */
    tiny_link(comfy, "open/tiny_vace/diffusion_pytorch_model.safetensors",
              "split_files/diffusion_models/wan2.1_vace_tiny.safetensors");
    assert_int_equal(wan_open(&setup, &w, &fault), ERR_EXISTS);
    assert_non_null(strstr(fault_text(&fault), "both transformers"));
    snprintf(file, sizeof file, "%s/split_files/diffusion_models/wan2.1_vace_tiny.safetensors",
             comfy);
    setup.model = file;
    assert_int_equal(wan_open(&setup, &w, &fault), ERR_OK);
    assert_string_equal(wan_info(w)->variant, "vace width 128");
    assert_string_equal(wan_info(w)->vae, "vae/wan_2.1_vae.safetensors");
    wan_free(w);

    snprintf(diffusers, sizeof diffusers, "%s/diffusers", dir);
    mkdir(diffusers, 0700);
    tiny_link(diffusers, TINY_DIT, "transformer/diffusion_pytorch_model.safetensors");
    tiny_link(diffusers, TINY_T5, "text_encoder/model.safetensors");
    tiny_link(diffusers, TINY_VAE, "vae/diffusion_pytorch_model.safetensors");
    tiny_link(diffusers, TINY_SPIECE, "tokenizer/spiece.model");
    setup.model = diffusers;
    assert_int_equal(wan_open(&setup, &w, &fault), ERR_OK);
    wan_free(w);

    setup.model = "/nowhere/at/all";
    assert_int_equal(wan_open(&setup, &w, &fault), ERR_NOTFOUND);
    setup.model = keep;
    assert_int_equal(wan_open(&setup, &w, &fault), ERR_NOTFOUND);
}

/* The transformer alone opens (it can be described), and says what is missing to draw. */
static void test_half_a_model(void **state)
{
    char half[128];
    struct wan *w;
    struct wan_job job = job_of(NULL);
    const struct wan_setup setup = {.model = half, .device = "cpu", .dtype = "f32"};
    (void)state;
    snprintf(half, sizeof half, "%s/half", dir);
    mkdir(half, 0700);
    tiny_link(half, TINY_DIT, "a.safetensors");
    assert_int_equal(wan_open(&setup, &w, &fault), ERR_OK);
    assert_int_equal(wan_make(w, &job, NULL, NULL, &fault), ERR_NOTFOUND);
    assert_non_null(strstr(fault_text(&fault), "no text encoder"));
    wan_free(w);
}

static void test_image_and_vace(void **state)
{
    char path[128];
    struct wan *first = wan;
    struct wan_job job = job_of("euler");
    struct wan_setup setup = {.model = path, .device = "cpu", .dtype = "f32"};
    uint8_t rgb[30 * 40 * 3];
    const struct wan_picture picture = {rgb, 40, 30};
    (void)state;
    for (size_t i = 0; i < sizeof rgb; i++)
        rgb[i] = (uint8_t)(i * 7);
    snprintf(path, sizeof path, "%s/i2v", dir);
    mkdir(path, 0700);
    tiny_link(path, "open/tiny_i2v/diffusion_pytorch_model.safetensors", "dit.safetensors");
    tiny_link(path, "open/tiny_i2v/models_clip.safetensors", "models_clip.safetensors");
    tiny_link(path, TINY_T5, "t5.safetensors");
    tiny_link(path, TINY_VAE, "vae.safetensors");
    tiny_link(path, TINY_SPIECE, "spiece.model");
    assert_int_equal(wan_open(&setup, &wan, &fault), ERR_OK);
    assert_int_equal(make(&job, NULL), ERR_INVAL);
    assert_non_null(strstr(fault_text(&fault), "draws from a picture"));
    job.image = &picture;
    uint64_t one = frames_of(&job);
    assert_true(seen.stages & 1u << WAN_IMAGE);
    rgb[0] ^= 0xff;
    rgb[1] ^= 0xff;
    assert_int_not_equal(frames_of(&job), one);
    wan_free(wan);

    snprintf(path, sizeof path, "%s/vace", dir);
    mkdir(path, 0700);
    tiny_link(path, "open/tiny_vace/diffusion_pytorch_model.safetensors", "dit.safetensors");
    tiny_link(path, TINY_T5, "t5.safetensors");
    tiny_link(path, TINY_VAE, "vae.safetensors");
    tiny_link(path, TINY_SPIECE, "spiece.model");
    assert_int_equal(wan_open(&setup, &wan, &fault), ERR_OK);
    job.image = NULL;
    frames_of(&job);
    wan_free(wan);
    wan = first;
}

/* A .pth as one safetensors file is the same model. */
static void test_convert(void **state)
{
    char path[128], from[200], to[200];
    struct wan *first = wan;
    struct wan_job job = job_of("euler");
    const struct wan_setup setup = {.model = path, .device = "cpu", .dtype = "f32"};
    uint64_t hash = frames_of(&job);
    (void)state;
    snprintf(path, sizeof path, "%s/converted", dir);
    mkdir(path, 0700);
    tiny_link(path, TINY_SPIECE, "spiece.model");
    snprintf(from, sizeof from, "%s/Wan2.1_VAE.pth", model);
    snprintf(to, sizeof to, "%s/vae.safetensors", path);
    assert_int_equal(wan_convert(from, to, &fault), ERR_OK);
    snprintf(from, sizeof from, "%s/models_t5_umt5-xxl-enc-bf16.pth", model);
    snprintf(to, sizeof to, "%s/t5.safetensors", path);
    assert_int_equal(wan_convert(from, to, &fault), ERR_OK);
    snprintf(to, sizeof to, "%s/dit.safetensors", path);
    assert_int_equal(wan_convert(model, to, &fault), ERR_OK);
    assert_int_equal(wan_convert(model, to, &fault), ERR_EXISTS);
    assert_int_equal(wan_convert("/nowhere", to, &fault), ERR_NOTFOUND);
    assert_int_equal(wan_open(&setup, &wan, &fault), ERR_OK);
    assert_int_equal(frames_of(&job), hash);
    wan_free(wan);
    wan = first;
}

static int set_up(void **state)
{
    (void)state;
    strcpy(dir, "/tmp/sakuga-wan-XXXXXX");
    assert_non_null(mkdtemp(dir));
    snprintf(model, sizeof model, "%s/model", dir);
    snprintf(keep, sizeof keep, "%s/keep", dir);
    mkdir(keep, 0700);
    tiny_t2v(model);
    const struct wan_setup setup = {.model = model, .device = "cpu", .dtype = "f32"};
    if (wan_open(&setup, &wan, &fault))
        fail_msg("%s", fault_text(&fault));
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    wan_free(wan);
    tiny_remove(dir);
    return 0;
}

/* Tiles that cover the picture change nothing; smaller ones change little. */
static void test_tiles(void **state)
{
    struct wan_job job = job_of("euler");
    (void)state;
    uint64_t whole = frames_of(&job);
    job.tile = 64;
    assert_true(frames_of(&job) == whole);
    job.width = 128;
    uint64_t wide = frames_of(&job);
    assert_int_equal(seen.chunks, 1);
    job.tile = 0;
    assert_true(frames_of(&job) != wide);
    job.tile = 50;
    assert_int_equal(make(&job, NULL), ERR_INVAL);
}

/* NV12 is what RGB says, but for what RGB was rounded by: of luma no more than half a byte's worth
 * and its own rounding, of chroma the mean of four such. In tiles too. */
static void test_video_frames(void **state)
{
    enum { PIXELS = W * H, BYTES = FRAMES * PIXELS * 3 };
    static uint8_t rgb[BYTES], nv12[BYTES / 2];
    struct wan_job job = job_of("euler");
    (void)state;
    for (int tile = 0; tile <= 64; tile += 64) {
        job.tile = tile;
        job.nv12 = false;
        seen.kept = rgb;
        frames_of(&job);
        job.nv12 = true;
        seen.kept = nv12;
        frames_of(&job);
        for (int i = 0; i < FRAMES * PIXELS; i++) {
            const uint8_t *frame = nv12 + (size_t)i / PIXELS * (PIXELS * 3 / 2), *c = rgb + 3 * i;
            int at = i % PIXELS;
            double y = 0.2126 * c[0] + 0.7152 * c[1] + 0.0722 * c[2];
            if (fabs(frame[at] - (16 + y * 219 / 255)) > 1)
                fail_msg("luma %d is %d, of %d %d %d", i, frame[at], c[0], c[1], c[2]);
            if (at % W % 2 || at / W % 2)
                continue;
            double blue = 0, red = 0;
            for (int k = 0; k < 4; k++, c += k == 2 ? 3 * (W - 1) : 3) {
                y = 0.2126 * c[0] + 0.7152 * c[1] + 0.0722 * c[2];
                blue += (c[2] - y) / 4;
                red += (c[0] - y) / 4;
            }
            const uint8_t *pair = frame + PIXELS + at / W / 2 * W + at % W;
            if (fabs(pair[0] - (128 + blue / 1.8556 * 224 / 255)) > 1.1 ||
                fabs(pair[1] - (128 + red / 1.5748 * 224 / 255)) > 1.1)
                fail_msg("chroma %d is %d %d, of %g %g", i, pair[0], pair[1], blue, red);
        }
    }
    seen.kept = NULL;
}

/* Far above what any step changes by, only the first and the last step run the blocks. */
static void test_teacache(void **state)
{
    struct wan_job job = job_of("euler");
    struct wan_made made;
    (void)state;
    job.steps = 12;
    uint64_t all = frames_of(&job);
    int asked = seen.stops;
    job.teacache = 1e9;
    uint64_t few = frames_of(&job);
    assert_true(few != all);
    assert_true(seen.stops < asked - 5 * 3 * 2); /* layers of many steps and both branches */
    assert_true(frames_of(&job) == few);
    job.teacache = 1e-9;
    assert_true(frames_of(&job) == all); /* and below it every step does */
    job.teacache = -1;
    assert_int_equal(make(&job, &made), ERR_INVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tiles),
        cmocka_unit_test(test_video_frames),
        cmocka_unit_test(test_teacache),
        cmocka_unit_test(test_info),
        cmocka_unit_test(test_clip),
        cmocka_unit_test(test_parameters_count),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_memory),
        cmocka_unit_test(test_stops_at_once),
        cmocka_unit_test(test_prompts_are_kept),
        cmocka_unit_test(test_warm),
        cmocka_unit_test(test_decodes_ahead),
        cmocka_unit_test(test_resume_at_every_step),
        cmocka_unit_test(test_resume_every_second_step),
        cmocka_unit_test(test_resume_elsewhere),
        cmocka_unit_test(test_resume_by_another_build),
        cmocka_unit_test(test_no_place_for_checkpoints),
        cmocka_unit_test(test_loras),
        cmocka_unit_test(test_loras_of_the_same_name),
        cmocka_unit_test(test_200_lora_switches),
        cmocka_unit_test(test_tokenizer_of_another_model),
        cmocka_unit_test(test_layouts),
        cmocka_unit_test(test_half_a_model),
        cmocka_unit_test(test_image_and_vace),
        cmocka_unit_test(test_convert),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
