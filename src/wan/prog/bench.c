/* wan-bench: how long a clip takes, part by part, with random weights of the true shapes. */
#include "wan/prog/bench.h"

#include "base/clock.h"
#include "wan/noise.h"
#include "wan/prog/blocks.h"
#include "wan/prog/h264.h"
#include "wan/sampler.h"
#include "wan/t5.h"
#include "wan/vae.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

static double now_s(void)
{
    return (double)clock_mono_us() * 1e-6;
}

/* Of several runs the first, which warms up, and the fastest. */
static void keep_least(int i, double s, double *first, double *least)
{
    if (i == 0)
        *first = s;
    *least = i == 0 || s < *least ? s : *least;
}

/* The networks: of the folder, or made up. Those made up are the caller's to free. */
static struct weights *net_of(const struct bench *b, struct weights *from_folder,
                              struct weights *(*make)(const struct random_model *m))
{
    return b->dir ? from_folder : make(b->m);
}

static struct weights *make_dit(const struct random_model *m)
{
    return random_dit(m, 0);
}

static void release(const struct bench *b, struct weights *w)
{
    if (!b->dir)
        weights_free(w);
}

/* A part on a device that only counts, before it is run on the real one. */
static enum err count(struct bench *b, enum err (*part)(struct bench *b, struct weights *w),
                      struct weights *w)
{
    struct bench c = *b;
    c.dev = device_hollow(device_caps(b->dev));
    enum err e = c.dev ? part(&c, w) : fault_set(&c.f, ERR_NOMEM, "out of memory");
    if (e)
        b->f = c.f;
    if (c.dev && device_peak(c.dev) > b->planned)
        b->planned = device_peak(c.dev);
    device_close(c.dev);
    return e;
}

static enum err count_encode(struct bench *b, struct weights *w)
{
    static const int ids[4096];
    struct t5 t = {0};
    float *out = malloc((size_t)b->text_tokens * (size_t)b->m->text_dim * sizeof *out);
    enum err e = out ? t5_open(b->dev, w, &t, &b->f) : fault_set(&b->f, ERR_NOMEM, "out of memory");
    if (!e && b->repeat > 1)
        e = t5_keep(&t, &b->f);
    if (!e)
        e = t5_encode(&t, ids, b->text_tokens, out, NULL, &b->f);
    t5_drop(&t);
    free(out);
    return e;
}

static enum err count_sample(struct bench *b, struct weights *w)
{
    struct dit *d = NULL;
    struct dit_prompt *p = NULL;
    struct dit_prompt_spec spec = {.n = b->text_tokens};
    enum err e = dit_open(b->dev, w, NULL, b->place, NULL, &d, &b->f);
    if (!e)
        e = dit_prompt_new(d, &spec, &p, &b->f);
    struct dit_input in = {.frames = b->latent_frames, .height = b->h, .width = b->w, .prompt = p};
    if (!e)
        e = dit_forward(d, &in, NULL, &b->f);
    dit_prompt_free(p);
    dit_free(d);
    return e;
}

static enum err encode(struct bench *b, float **context)
{
    struct t5 t = {0};
    int *ids = malloc((size_t)b->text_tokens * sizeof *ids);
    *context = calloc((size_t)b->text_tokens * (size_t)b->m->text_dim, sizeof **context);
    struct weights *w = b->no_t5 ? NULL : net_of(b, b->files.weights[FILES_T5], random_t5);
    enum err e =
        ids && *context && (w || b->no_t5) ? ERR_OK : fault_set(&b->f, ERR_NOMEM, "out of memory");
    for (int i = 0; !e && i < b->text_tokens; i++)
        ids[i] = 2 + i * 7 % 400;
    if (!e && w)
        e = count(b, count_encode, w);
    if (!e && w)
        e = t5_open(b->dev, w, &t, &b->f);
    double start = now_s();
    if (!e && w && b->repeat > 1) /* as a device with room for it all does */
        e = t5_keep(&t, &b->f);
    b->text_load_s = now_s() - start;
    for (int i = 0; i < b->repeat && !e && w; i++) {
        start = now_s();
        e = t5_encode(&t, ids, b->text_tokens, *context, NULL, &b->f);
        keep_least(i, now_s() - start, &b->text_first_s, &b->encode_s);
    }
    if (w)
        t5_drop(&t);
    release(b, w);
    free(ids);
    device_trim(b->dev);
    return e;
}

static enum err step(struct bench *b, struct dit *d, struct dit_prompt *p, struct sampler *s, int i,
                     float *x, float *v, float *other)
{
    double start = now_s();
    struct dit_input in = {.x = x,
                           .frames = b->latent_frames,
                           .height = b->h,
                           .width = b->w,
                           .t = s->schedule.t[i],
                           .prompt = p};
    enum err e = dit_forward(d, &in, v, &b->f);
    if (!e && b->guidance != 1) {
        e = dit_forward(d, &in, other, &b->f);
        sampler_guide(v, other, s->n, b->guidance, false, s->threads);
    }
    if (!e)
        sampler_step(s, i, x, v, NULL, NULL);
    b->step_s[i] = now_s() - start;
    return e;
}

static enum err sample(struct bench *b, const float *context, float *x, int64_t n)
{
    struct dit *d = NULL;
    struct dit_prompt *p = NULL;
    struct schedule schedule;
    struct sampler *s = NULL;
    struct weights *w =
        b->layers ? random_dit(b->m, b->layers) : net_of(b, b->files.weights[FILES_DIT], make_dit);
    float *v = malloc((size_t)n * sizeof *v), *other = malloc((size_t)n * sizeof *other);
    enum err e = w && v && other ? ERR_OK : fault_set(&b->f, ERR_NOMEM, "out of memory");
    if (!e && !b->causal)
        e = count(b, count_sample, w);
    uint64_t used = device_used(b->dev);
    double start = now_s();
    if (!e)
        e = dit_open(b->dev, w, NULL, b->place, NULL, &d, &b->f);
    b->load_s = b->dit_load_s = now_s() - start;
    b->dit_bytes = device_used(b->dev) - used;
    struct dit_prompt_spec spec = {.context = context, .n = b->text_tokens};
    double first;
    for (int i = 0; i < b->repeat && !e; i++) {
        dit_prompt_free(p);
        p = NULL;
        start = now_s();
        e = dit_prompt_new(d, &spec, &p, &b->f);
        keep_least(i, now_s() - start, &first, &b->prompt_s);
    }
    b->text_s = b->encode_s + b->prompt_s;
    struct blocks blocks = {d, context, b->text_tokens, b->latent_frames, b->h, b->w};
    for (int i = 0; i < b->repeat && !e && b->causal; i++) /* the last counts: plans are made */
        e = blocks_seconds(&blocks, b->step_s, STEPS_MAX, &b->steps, &b->block, &b->f);
    if (!e && !b->causal)
        e = schedule_flow(&schedule, SAMPLER_UNIPC, b->steps, 5, &b->f);
    if (!e && !b->causal && !(s = sampler_new(SAMPLER_UNIPC, &schedule, n)))
        e = fault_set(&b->f, ERR_NOMEM, "out of memory");
    if (s)
        s->threads = device_caps(b->dev)->threads;
    for (int i = 0; i < b->steps && !e && s; i++)
        e = step(b, d, p, s, i, x, v, other);
    sampler_free(s);
    dit_prompt_free(p);
    dit_free(d);
    release(b, w);
    free(v);
    free(other);
    device_trim(b->dev);
    return e;
}

/* As decode.c does it: a chunk is on its way while the one before is looked at, here copied. */
static enum err decode_once(struct bench *b, struct vae *vae, const float *z, uint8_t *out)
{
    struct vae_stream *s = NULL;
    struct parcel *parcel[2] = {0};
    int chunk = b->chunk ? b->chunk : 1, turn = 0;
    size_t picture = (size_t)b->w * (size_t)b->h * 64 * 3 / 2, waiting = 0; /* NV12 */
    enum err e = vae_decode_start(vae, b->h, b->w, &s, &b->f);
    for (int i = 0; i < 2 && !e; i++)
        if (!(parcel[i] = parcel_new(b->dev, (int64_t)picture * VAE_TIME * chunk, PARCEL_NV12)))
            e = device_settle(b->dev, &b->f);
    for (int at = 0, n; at <= b->latent_frames && !e; at += n, turn = 1 - turn) {
        n = at == 0 ? 1 : b->latent_frames - at < chunk ? b->latent_frames - at : chunk;
        if (n)
            e = vae_decode_bytes(s, z, b->latent_frames, at, n, parcel[turn], &b->f);
        const uint8_t *bytes = waiting && !e ? parcel_take(parcel[1 - turn]) : NULL;
        if (bytes && out)
            memcpy(out, bytes, waiting);
        else if (waiting && !e)
            e = device_settle(b->dev, &b->f);
        out = out ? out + waiting : NULL;
        waiting = picture * (size_t)(at == 0 ? 1 : n * VAE_TIME);
        if (!n)
            break;
    }
    parcel_free(parcel[0]);
    parcel_free(parcel[1]);
    vae_stream_free(s);
    return e;
}

static enum err count_decode(struct bench *b, struct weights *w)
{
    struct vae *vae = NULL;
    float *z = calloc((size_t)VAE_Z * b->latent_frames * b->h * b->w, sizeof *z);
    enum err e = z ? vae_open(b->dev, w, VAE_DECODER, NULL, &vae, &b->f)
                   : fault_set(&b->f, ERR_NOMEM, "out of memory");
    if (!e)
        e = decode_once(b, vae, z, NULL);
    vae_free(vae);
    free(z);
    return e;
}

static enum err decode(struct bench *b, const float *z)
{
    struct vae *vae = NULL;
    int pictures = b->latent_frames * VAE_TIME - 3;
    uint8_t *out = malloc((size_t)pictures * (size_t)b->w * (size_t)b->h * 64 * 3 / 2);
    struct weights *w = net_of(b, b->files.weights[FILES_VAE], random_vae);
    enum err e = out && w ? ERR_OK : fault_set(&b->f, ERR_NOMEM, "out of memory");
    if (!e)
        e = count(b, count_decode, w);
    double start = now_s();
    if (!e)
        e = vae_open(b->dev, w, VAE_DECODER, NULL, &vae, &b->f);
    b->load_s += now_s() - start;
    for (int i = 0; i < b->repeat && !e; i++) {
        start = now_s();
        e = decode_once(b, vae, z, out);
        keep_least(i, now_s() - start, &b->vae_first_s, &b->vae_s);
    }
    b->h264_s =
        e ? -1 : h264_seconds(out, pictures, 8 * b->h, 8 * b->w, device_caps(b->dev)->threads);
    vae_free(vae);
    release(b, w);
    free(out);
    return e;
}

static enum err run(struct bench *b)
{
    int64_t n = (int64_t)16 * b->latent_frames * b->h * b->w;
    float *context = NULL, *x = malloc((size_t)n * sizeof *x);
    struct noise noise;
    noise_seed(&noise, 1);
    enum err e = x ? encode(b, &context) : ERR_NOMEM;
    if (!e) {
        noise_normal(&noise, x, n, device_caps(b->dev)->threads);
        e = sample(b, context, x, n);
    }
    if (!e && !b->no_vae)
        e = decode(b, x);
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage); /* of the clip, not of what it is held against */
    b->peak = (uint64_t)usage.ru_maxrss << 10;
    b->device_peak = device_peak(b->dev);
    if (!e)
        e = bench_alone(b);
    free(context);
    free(x);
    return e;
}

/* The shapes of a folder's model, in the form that the random ones have. */
static enum err open_folder(struct bench *b)
{
    struct t5 t;
    struct dit_config config;
    enum err e = files_find(b->dir, &b->files, &b->f);
    if (!e)
        e = dit_config_read(b->files.weights[FILES_DIT], &config, &b->f);
    if (!e && (!b->files.weights[FILES_T5] || !b->files.weights[FILES_VAE]))
        e = fault_set(&b->f, ERR_NOTFOUND, "%s holds no text encoder or no VAE", b->dir);
    if (!e)
        e = t5_open(NULL, b->files.weights[FILES_T5], &t, &b->f);
    if (e)
        return e;
    const struct dit_config *c = &config;
    if (c->in != 16 || c->vace)
        return fault_set(&b->f, ERR_UNSUPPORTED, "%s: only text-to-video models are timed", b->dir);
    b->shape = (struct random_model){.name = b->dir,
                                     .dim = c->dim,
                                     .ffn = c->ffn,
                                     .text_dim = c->text_dim,
                                     .layers = c->layers,
                                     .heads = c->heads,
                                     .t5_ffn = t.ffn,
                                     .t5_vocab = t.vocab,
                                     .t5_layers = t.layers,
                                     .t5_heads = t.heads};
    b->m = &b->shape;
    return ERR_OK;
}

static int usage(void)
{
    fprintf(stderr, "usage: wan-bench --random wan2.1-t2v-1.3b|wan2.1-t2v-14b|tiny [--model DIR]\n"
                    "                 --size WxH --frames N --steps N [--guidance G]\n"
                    "                 [--device D] [--text-tokens N] [--layers N]\n"
                    "                 [--dtype auto|f32|bf16|fp8|fp8-linear|fp8-weight]\n"
                    "                 [--no-text] [--no-vae] [--json]\n"
                    "                 [--repeat N] [--chunk LATENT_FRAMES] [--causal]\n"
                    "                 [--parked] [--no-graphs]\n");
    return 2;
}

static bool parse(struct bench *b, int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        const char *name = argv[i], *value = i + 1 < argc ? argv[i + 1] : NULL;
        if (!strcmp(name, "--json")) {
            b->json = true;
            continue;
        } else if (!strcmp(name, "--no-text")) {
            b->no_t5 = true;
            continue;
        } else if (!strcmp(name, "--causal")) {
            b->causal = true;
            continue;
        } else if (!strcmp(name, "--no-graphs")) {
            b->no_graphs = true;
            continue;
        } else if (!strcmp(name, "--parked")) {
            b->place = DIT_PARKED;
            continue;
        } else if (!strcmp(name, "--no-vae")) {
            b->no_vae = true;
            continue;
        }
        if (!value)
            return false;
        i++;
        if (!strcmp(name, "--random"))
            b->model = value;
        else if (!strcmp(name, "--model"))
            b->dir = value;
        else if (!strcmp(name, "--size") && sscanf(value, "%dx%d", &b->width, &b->height) == 2)
            ;
        else if (!strcmp(name, "--frames"))
            b->frames = atoi(value);
        else if (!strcmp(name, "--steps"))
            b->steps = atoi(value);
        else if (!strcmp(name, "--guidance"))
            b->guidance = atof(value);
        else if (!strcmp(name, "--device"))
            b->device = value;
        else if (!strcmp(name, "--dtype"))
            b->dtype = value;
        else if (!strcmp(name, "--text-tokens"))
            b->text_tokens = atoi(value);
        else if (!strcmp(name, "--repeat"))
            b->repeat = atoi(value);
        else if (!strcmp(name, "--chunk"))
            b->chunk = atoi(value);
        else if (!strcmp(name, "--layers"))
            b->layers = atoi(value);
        else
            return false;
    }
    return b->model || b->dir;
}

static const char *complaint(const struct bench *b)
{
    if (!b->m)
        return "there is no such model";
    if (b->dir && b->layers)
        return "--layers is for random weights; with --model all layers of the folder are timed";
    if (b->width < 16 || b->height < 16 || b->width % 16 || b->height % 16 || b->width > 4096 ||
        b->height > 4096)
        return "width and height must be multiples of 16";
    if (b->frames < 1 || b->frames % 4 != 1 || b->frames > 1000)
        return "the frames must be 4n + 1";
    if (b->steps < 1 || b->steps > STEPS_MAX || b->text_tokens < 1 || b->text_tokens > 4096 ||
        b->layers < 0 || b->layers > b->m->layers || b->repeat < 1 || b->chunk < 0)
        return "a number is out of range";
    return NULL;
}

int main(int argc, char **argv)
{
    struct bench b = {.device = "cpu",
                      .dtype = "f32",
                      .width = 128,
                      .height = 128,
                      .frames = 5,
                      .steps = 3,
                      .guidance = 1,
                      .text_tokens = DIT_TEXT,
                      .repeat = 1,
                      .place = DIT_RESIDENT,
                      .h264_s = -1};
    if (!parse(&b, argc, argv))
        return usage();
    if (b.dir && open_folder(&b)) {
        fprintf(stderr, "wan-bench: %s\n", fault_text(&b.f));
        files_close(&b.files);
        return 1;
    }
    if (!b.dir)
        b.m = random_model(b.model);
    const char *wrong = complaint(&b);
    if (wrong) {
        fprintf(stderr, "wan-bench: %s\n", wrong);
        files_close(&b.files);
        return 2;
    }
    b.latent_frames = (b.frames + 3) / 4;
    b.h = b.height / VAE_SPACE;
    b.w = b.width / VAE_SPACE;
    b.tokens = (int64_t)b.latent_frames * b.h * b.w / 4;
    enum err e = device_open(&(struct device_setup){b.device, b.dtype, 0}, &b.dev, &b.f);
    if (!e && b.no_graphs)
        device_no_graphs(b.dev);
    if (e || run(&b)) {
        fprintf(stderr, "wan-bench: %s\n", fault_text(&b.f));
        device_close(b.dev);
        files_close(&b.files);
        return 1;
    }
    bench_report(&b);
    device_close(b.dev);
    files_close(&b.files);
    return 0;
}
