/* Cancelled at every place where it asks: while a model, its LoRAs or its decoder are loaded, while
 * it looks at a picture, a control video or references. After the word nothing is begun, and what
 * the handle still holds makes the next clip as if nothing had been. */
#include "unit/wan/graft.h"
#include "unit/wan/tiny.h"

#include "tensor/backend.h"
#include "wan/lora_inside.h"
#include "wan/wan_inside.h"

#define H 16
#define W 16
#define FRAMES 5
#define LATENTS 2
#define VAE_LAYERS_LEAST 10 /* of the decoder: three in the middle, and its stages */
#define BLOCK 12 /* weights of one: q, k, v and out twice, two of the MLP, two more in some */

static char dir[64];
static struct wan *wan;
static struct fault fault;
static uint8_t video[FRAMES * H * W * 3];
static const struct wan_picture picture = {video, W, H}, look = {video + 3 * W, W, H - 1};
static const struct wan_video control = {video, FRAMES, W, H};

/* What the callbacks and the device saw. */
static struct seen {
    uint64_t hash;
    enum wan_stage stage;
    int asked, asked_in[WAN_STAGES], stop_at;
    bool stopped;
    int begun, most[WAN_STAGES]; /* weights packed since it last asked, and at most */
    int late;                    /* of what was begun after the word */
} seen;

static void began(void)
{
    seen.late += seen.stopped;
}

static bool on_stop(void *user)
{
    (void)user;
    began();
    seen.begun = 0;
    seen.asked_in[seen.stage]++;
    seen.stopped = ++seen.asked == seen.stop_at;
    return seen.stopped;
}

static void on_stage(void *user, enum wan_stage stage)
{
    (void)user;
    began();
    seen.begun = 0;
    seen.stage = stage;
}

static enum err on_frames(void *user, const struct wan_frames *p, struct fault *f)
{
    (void)user;
    (void)f;
    began();
    for (size_t i = 0; i < (size_t)(p->count * p->width * p->height) * 3; i++)
        seen.hash = (seen.hash ^ p->rgb[i]) * UINT64_C(1099511628211);
    return ERR_OK;
}

/* ---- a device that tells what it is given to do ---- */

static const struct device_ops *own;

static struct weight *packed(struct device *d, const struct weight_spec *spec)
{
    began();
    if (++seen.begun > seen.most[seen.stage])
        seen.most[seen.stage] = seen.begun;
    return own->pack(d, spec);
}

static void multiplied(struct device *d, const struct linear_op *op)
{
    began();
    own->linear(d, op);
}

static void convolved(struct device *d, const struct conv_op *op)
{
    began();
    own->conv(d, op);
}

/* A model, and how often it asks, at least, while it reads texts, looks at pictures and loads. */
struct way {
    const char *kind;
    int reads, looks, loads;
    bool apart; /* its blocks come and go */
    bool kept;  /* its text encoder stays on the device */
};

static struct wan *open_model(const struct way *way)
{
    static struct device_ops watched;
    char path[128];
    snprintf(path, sizeof path, "%s/%s", dir, way->kind);
    const struct wan_setup setup = {.model = path, .device = "cpu", .dtype = "f32"};
    struct wan *w;
    if (wan_open(&setup, &w, &fault))
        fail_msg("%s", fault_text(&fault));
    w->info.resident = !way->apart;
    w->keep_text = way->kept;
    own = w->dev->ops;
    watched = *own;
    watched.pack = packed;
    watched.linear = multiplied;
    watched.conv = convolved;
    w->dev->ops = &watched;
    return w;
}

static void close_model(struct wan *w)
{
    w->dev->ops = own;
    wan_free(w);
}

/* ---- clips ---- */

static enum err make(const struct wan_job *job, int stop_at)
{
    static const struct wan_calls calls = {.stop = on_stop, .stage = on_stage, .frames = on_frames};
    seen = (struct seen){.stop_at = stop_at};
    return wan_make(wan, job, &calls, NULL, &fault);
}

static uint64_t frames_of(const struct wan_job *job)
{
    if (make(job, 0))
        fail_msg("%s", fault_text(&fault));
    return seen.hash;
}

static struct wan_job job_of(void)
{
    return (struct wan_job){.prompt = "a fox over neon roofs",
                            .width = W,
                            .height = H,
                            .frames = FRAMES,
                            .steps = 1,
                            .sampler = "euler",
                            .seed = 7};
}

static void is_cancelled(const struct wan_job *job, int at)
{
    assert_int_equal(make(job, at), ERR_CANCELLED);
    assert_int_equal(seen.asked, at);
    assert_int_equal(seen.late, 0);
    assert_null(wan->t5.stop); /* that was this clip's */
}

/* At every ask of a fresh handle, which has all to load, up to the first step; after one that came
 * while it looked or loaded, the same handle makes the clip. */
static void stops_early(struct way way, const struct wan_job *job)
{
    wan = open_model(&way);
    uint64_t want = frames_of(job);
    struct seen whole = seen;
    close_model(wan);
    assert_true(whole.asked_in[WAN_TEXT] >= way.reads);
    assert_true(whole.asked_in[WAN_IMAGE] >= way.looks);
    assert_true(whole.asked_in[WAN_LOAD] >= way.loads);
    for (int i = 0; i < WAN_STAGES; i++)
        assert_true(whole.most[i] <= BLOCK);
    assert_true(whole.most[WAN_LOAD] > 0 && whole.most[WAN_LOAD] + whole.most[WAN_DECODE] > 2);
    assert_true(whole.asked_in[WAN_LOAD] + whole.asked_in[WAN_DECODE] >
                way.loads + VAE_LAYERS_LEAST);
    for (int at = 1; at <= whole.asked; at++) {
        wan = open_model(&way);
        is_cancelled(job, at);
        if (seen.stage != WAN_TEXT && seen.stage != WAN_SAMPLE)
            assert_true(frames_of(job) == want);
        close_model(wan);
    }
}

/* Tiny models: two or three layers each, two of CLIP that are run. Loading is asked about block by
 * block, then block by block for each prompt. */
static void while_it_looks_at_a_picture(void **state)
{
    struct wan_job job = job_of();
    (void)state;
    job.image = &picture;
    stops_early((struct way){"i2v", .looks = 2 + LATENTS, .loads = 2 + 2 * 2}, &job);
}

static void while_it_looks_at_two(void **state)
{
    struct wan_job job = job_of();
    (void)state;
    job.image = &picture;
    job.last = &look;
    job.guidance = 1;
    stops_early((struct way){"flf2v", .looks = 2 * 2 + LATENTS, .loads = 2 + 2}, &job);
}

static void while_it_looks_at_a_control_video(void **state)
{
    struct wan_job job = job_of();
    (void)state;
    job.image = &picture;
    job.reference = &look;
    job.reference_n = 1;
    job.control = &control;
    job.guidance = 1;
    stops_early((struct way){"control-ref", .looks = 2 + LATENTS + 2, .loads = 2 + 2}, &job);
}

static void while_it_looks_at_a_source(void **state)
{
    struct wan_job job = job_of();
    (void)state;
    job.reference = &look;
    job.reference_n = 1;
    job.source = &control;
    job.guidance = 1;
    stops_early((struct way){"vace", .looks = 2 * LATENTS + 1, .loads = 2 * 2}, &job);
}

/* Blocks that come and go are loaded for each prompt. */
static void while_blocks_come_and_go(void **state)
{
    struct wan_job job = job_of();
    (void)state;
    job.image = &picture;
    job.guidance = 1;
    stops_early((struct way){"i2v", .loads = 2, .apart = true}, &job);
}

static void while_the_text_encoder_is_loaded(void **state)
{
    struct wan_job job = job_of();
    (void)state;
    job.guidance = 1;
    stops_early((struct way){"t2v", .reads = 3 + 3, .loads = 3 + 3, .kept = true}, &job);
}

static void while_a_causal_model_is_loaded(void **state)
{
    struct wan_job job = job_of();
    (void)state;
    job.steps = 0;
    job.frames = 9; /* a block of three latent frames */
    job.sampler = "self-forcing";
    stops_early((struct way){"t2v", .loads = 3}, &job);
    stops_early((struct way){"t2v", .apart = true}, &job);
}

/* A change of LoRAs: what was half changed is loaded anew. */
static void while_loras_change(void **state)
{
    const char *src = getenv("srcdir");
    struct wan_job job = job_of();
    char path[1024];
    (void)state;
    snprintf(path, sizeof path, "%s/tests/wan/open/lora/kohya.safetensors", src ? src : "..");
    job.guidance = 1;
    wan = open_model(&(struct way){.kind = "t2v"});
    uint64_t plain = frames_of(&job);
    job.lora[0] = (struct wan_lora){path, 1};
    job.lora_n = 1;
    uint64_t changed = frames_of(&job);
    int asked = seen.asked, loading = seen.asked_in[WAN_LOAD];
    assert_true(changed != plain);
    /* the prompt's, the file, the blocks that it touches, and each weight of them that it changes
     */
    assert_true(loading > wan->config.layers + 1 + wan->loras.lora[0]->matched);
    for (int at = 1; at <= asked; at++) {
        job.lora_n = 0;
        assert_true(frames_of(&job) == plain);
        job.lora_n = 1;
        is_cancelled(&job, at);
        if (seen.stage > WAN_LOAD)
            break;
        assert_true(frames_of(&job) == changed);
        job.lora_n = 0;
        assert_true(frames_of(&job) == plain);
        job.lora_n = 1;
        is_cancelled(&job, at);
    }
    close_model(wan);
}

/* The device fails, and before anybody has seen that the caller says stop. */
static bool fail_and_stop(void *user)
{
    int *left = user;
    if (--*left > 0)
        return false;
    device_fail(wan->dev, ERR_NOMEM, "no memory for what nobody wants any more");
    return true;
}

/* Whatever is told of that clip: it is no matter of the next one. */
static void what_failed_goes_with_its_clip(void **state)
{
    struct wan_job job = job_of();
    (void)state;
    job.image = &picture;
    wan = open_model(&(struct way){.kind = "i2v"});
    uint64_t want = frames_of(&job);
    assert_true(frames_of(&job) == want); /* it asks less often when all is loaded */
    for (int at = 1, asked = seen.asked; at <= asked; at++) {
        int left = at;
        const struct wan_calls calls = {.stop = fail_and_stop, .user = &left};
        enum err e = wan_make(wan, &job, &calls, NULL, &fault);
        assert_true(e == ERR_CANCELLED || e == ERR_NOMEM);
        assert_true(frames_of(&job) == want);
    }
    close_model(wan);
}

static void folder_of(const char *kind, const char *dit)
{
    char path[128], from[1024], to[300];
    const char *src = getenv("srcdir");
    snprintf(path, sizeof path, "%s/%s", dir, kind);
    tiny_beside(path);
    snprintf(from, sizeof from, "%s/tests/wan/%s", src ? src : "..", dit);
    snprintf(to, sizeof to, "%s/dit.safetensors", path);
    if (!graft(from, to, kind))
        tiny_link(path, dit, "dit.safetensors");
    if (strcmp(kind, "t2v") && strcmp(kind, "vace"))
        tiny_link(path, TINY_CLIP, "models_clip.safetensors");
}

static int set_up(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof video; i++)
        video[i] = (uint8_t)(i * 7 + i / 50);
    strcpy(dir, "/tmp/sakuga-stops-XXXXXX");
    if (!mkdtemp(dir))
        return 1;
    folder_of("t2v", TINY_DIT);
    folder_of("i2v", TINY_I2V);
    folder_of("flf2v", TINY_I2V);
    folder_of("control-ref", TINY_I2V);
    folder_of("vace", TINY_VACE);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    tiny_remove(dir);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(while_it_looks_at_a_picture),
        cmocka_unit_test(while_it_looks_at_two),
        cmocka_unit_test(while_it_looks_at_a_control_video),
        cmocka_unit_test(while_it_looks_at_a_source),
        cmocka_unit_test(while_blocks_come_and_go),
        cmocka_unit_test(while_the_text_encoder_is_loaded),
        cmocka_unit_test(while_a_causal_model_is_loaded),
        cmocka_unit_test(while_loras_change),
        cmocka_unit_test(what_failed_goes_with_its_clip),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
