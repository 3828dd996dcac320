/* The tiny model in every form of the wild: the three layouts with their true names, in shards with
 * an index, and with 8-bit weights, plain or scaled per tensor or per row. Each must open, be told
 * what it is, and draw what the same numbers draw in the form that the golden vectors judge; a
 * wrong name, shard, axis or scale would not. */
#include "tiny.h"

#include "base/buf.h"
#include "base/path.h"
#include "wan/tokenizer.h"
#include "wan/wan.h"
#include "wan/weights.h"

#include <math.h>

static char dir[] = "/tmp/sakuga-layouts-XXXXXX";
static struct fault fault;
static uint64_t golden; /* frames of the original layout */
static bool two_pictures;

/* ---- files as they are written elsewhere ---- */

struct entry {
    char name[256];
    enum dtype type;
    int rank;
    int64_t dim[WEIGHTS_RANK], count;
    void *data;
};

struct list {
    struct entry e[1200];
    int n;
};

static size_t bytes_of(const struct entry *e)
{
    return (size_t)e->count * dtype_size(e->type);
}

static struct entry *list_add(struct list *l, const char *name, enum dtype type, int rank,
                              const int64_t *dim, const void *data)
{
    struct entry *e = &l->e[l->n++];
    assert_true(l->n <= (int)(sizeof l->e / sizeof *l->e));
    *e = (struct entry){.type = type, .rank = rank, .count = 1};
    snprintf(e->name, sizeof e->name, "%s", name);
    for (int i = 0; i < rank; i++)
        e->count *= e->dim[i] = dim[i];
    e->data = malloc(bytes_of(e) + 1);
    memcpy(e->data, data, bytes_of(e));
    return e;
}

static struct list *list_read(const char *golden_file)
{
    const char *src = getenv("srcdir");
    char path[PATH_LEN];
    struct weights *w;
    struct list *l = calloc(1, sizeof *l);
    snprintf(path, sizeof path, "%s/tests/wan/%s", src ? src : "..", golden_file);
    if (weights_open(path, &w, &fault))
        fail_msg("%s", fault_text(&fault));
    for (int i = 0; i < w->n; i++)
        list_add(l, w->t[i].name, w->t[i].type, w->t[i].rank, w->t[i].dim, w->t[i].data);
    weights_free(w);
    return l;
}

static void list_free(struct list *l)
{
    for (int i = 0; i < l->n; i++)
        free(l->e[i].data);
    free(l);
}

/* Gives every tensor the name that the second column of a list of the true model has for it. */
static void list_rename(struct list *l, const char *tsv)
{
    const char *src = getenv("srcdir");
    char path[PATH_LEN], key[300];
    struct buf b = BUF_INIT(1 << 20);
    snprintf(path, sizeof path, "%s/tests/wan/open/names/%s", src ? src : "..", tsv);
    assert_int_equal(path_read(path, 1 << 20, &b, NULL), ERR_OK);
    for (int i = 0; i < l->n; i++) {
        snprintf(key, sizeof key, "\n%s\t", l->e[i].name);
        const char *row = strstr(b.data, key);
        if (!row)
            fail_msg("%s is not in %s", l->e[i].name, tsv);
        row += strlen(key);
        snprintf(l->e[i].name, sizeof l->e[i].name, "%.*s", (int)strcspn(row, "\t"), row);
    }
    buf_free(&b);
}

static void list_prefix(struct list *l, const char *prefix)
{
    for (int i = 0; i < l->n; i++) {
        char was[256];
        memcpy(was, l->e[i].name, sizeof was);
        snprintf(l->e[i].name, sizeof l->e[i].name, "%s%.200s", prefix, was);
    }
}

static void list_write(const struct list *l, int from, int to, const char *folder, const char *name)
{
    char path[PATH_LEN];
    struct buf head = BUF_INIT(0);
    size_t at = 0;
    buf_addc(&head, '{');
    for (int i = from; i < to; i++) {
        const struct entry *e = &l->e[i];
        buf_addf(&head, "%s\"%s\":{\"dtype\":\"%s\",\"shape\":[", i > from ? "," : "", e->name,
                 dtype_name(e->type));
        for (int d = 0; d < e->rank; d++)
            buf_addf(&head, d ? ",%lld" : "%lld", (long long)e->dim[d]);
        buf_addf(&head, "],\"data_offsets\":[%zu,%zu]}", at, at + bytes_of(e));
        at += bytes_of(e);
    }
    buf_addc(&head, '}');
    snprintf(path, sizeof path, "%s/%s", folder, name);
    for (char *slash = path + strlen(folder) + 1; (slash = strchr(slash, '/')); slash++) {
        *slash = '\0';
        mkdir(path, 0700);
        *slash = '/';
    }
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    uint64_t n = head.len;
    bool good = fwrite(&n, 8, 1, f) == 1 && fwrite(head.data, 1, head.len, f) == head.len;
    for (int i = from; i < to; i++)
        good = good && fwrite(l->e[i].data, 1, bytes_of(&l->e[i]), f) == bytes_of(&l->e[i]);
    assert_true(!fclose(f) && good);
    buf_free(&head);
}

static void list_shards(const struct list *l, int shards, const char *folder, const char *stem)
{
    char name[300], path[PATH_LEN];
    struct buf index = BUF_INIT(0);
    buf_adds(&index, "{\"metadata\":{\"total_size\":1},\"weight_map\":{");
    for (int s = 0; s < shards; s++) {
        int from = l->n * s / shards, to = l->n * (s + 1) / shards;
        snprintf(name, sizeof name, "%s-%05d-of-%05d.safetensors", stem, s + 1, shards);
        list_write(l, from, to, folder, name);
        const char *file = strrchr(name, '/') ? strrchr(name, '/') + 1 : name;
        for (int i = from; i < to; i++)
            buf_addf(&index, "%s\"%s\":\"%s\"", i ? "," : "", l->e[i].name, file);
    }
    buf_adds(&index, "}}");
    snprintf(path, sizeof path, "%s/%s.safetensors.index.json", folder, stem);
    FILE *f = fopen(path, "wb");
    assert_true(f && fwrite(index.data, 1, index.len, f) == index.len && !fclose(f));
    buf_free(&index);
}

/* ---- what they are, and what they draw ---- */

static enum err on_frames(void *user, const struct wan_frames *p, struct fault *f)
{
    uint64_t *h = user;
    for (size_t i = 0; i < (size_t)(p->count * p->width * p->height) * 3; i++)
        *h = (*h ^ p->rgb[i]) * UINT64_C(1099511628211);
    return ERR_OK;
}

static uint64_t frames_of(const char *folder)
{
    uint64_t h = UINT64_C(14695981039346656037);
    const struct wan_setup setup = {.model = folder, .device = "cpu", .dtype = "f32"};
    const struct wan_calls calls = {.frames = on_frames, .user = &h};
    struct wan_job job = {.prompt = "a fox over neon roofs",
                          .width = 64,
                          .height = 48,
                          .frames = 5,
                          .steps = 2,
                          .guidance = 1,
                          .sampler = "euler",
                          .seed = 7};
    static const uint8_t rgb[] = {250, 3,   40, 9,  180, 77,  31, 8,  240,
                                  128, 128, 10, 99, 0,   200, 60, 61, 5};
    static const struct wan_picture first = {rgb, 3, 2}, last = {rgb + 6, 2, 2};
    struct wan *w;
    if (wan_open(&setup, &w, &fault))
        fail_msg("%s", fault_text(&fault));
    job.image = wan_info(w)->image ? &first : NULL;
    job.last = two_pictures ? &last : NULL;
    if (wan_make(w, &job, &calls, NULL, &fault))
        fail_msg("%s", fault_text(&fault));
    wan_free(w);
    return h;
}

/* A line of what `sakuga model info` says, where that program was built. */
static void info_says(const char *folder, const char *key, const char *words)
{
    const char *build = getenv("builddir");
    char command[2 * PATH_LEN], line[512];
    bool said = false;
    snprintf(command, sizeof command, "%s/sakuga-worker", build ? build : ".");
    if (access(command, X_OK))
        return;
    snprintf(command, sizeof command, "%s/sakuga-worker --model-info '%s'", build ? build : ".",
             folder);
    FILE *p = popen(command, "r");
    while (p && fgets(line, sizeof line, p))
        if (!strncmp(line, key, strlen(key)) && line[strlen(key)] == ' ')
            said = said || strstr(line, words);
    if (!p || pclose(p) || !said)
        fail_msg("model info of %s does not say %s … %s", folder, key, words);
}

static void is_the_tiny_model(const char *folder, const char *stored)
{
    struct wan *w;
    const struct wan_setup setup = {.model = folder, .device = "cpu", .dtype = "f32"};
    if (wan_open(&setup, &w, &fault) || wan_ready(w, &fault))
        fail_msg("%s", fault_text(&fault));
    const struct wan_info *i = wan_info(w);
    assert_string_equal(i->variant, "t2v width 256");
    assert_string_equal(i->stored, stored);
    assert_int_equal(i->dim, 256);
    assert_int_equal(i->input_channels, 16);
    info_says(folder, "model", "t2v width 256");
    info_says(folder, "parameters", stored);
    info_says(folder, "tokenizer", tokenizer_file_words("spiece.model"));
    info_says(folder, "ready", "yes");
    wan_free(w);
}

static const char *fresh(const char *name)
{
    static char path[128];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    mkdir(path, 0700);
    return path;
}

/* ---- layouts ---- */

static void original(void **state)
{
    char folder[128];
    snprintf(folder, sizeof folder, "%s/original", dir);
    tiny_t2v(folder);
    is_the_tiny_model(folder, "BF16");
    golden = frames_of(folder);
}

static void original_in_shards(void **state)
{
    const char *folder = fresh("shards");
    struct list *dit = list_read(TINY_DIT);
    tiny_link(folder, TINY_T5_PTH, "models_t5_umt5-xxl-enc-bf16.pth");
    tiny_link(folder, TINY_VAE_PTH, "Wan2.1_VAE.pth");
    tiny_link(folder, TINY_SPIECE, "google/umt5-xxl/spiece.model");
    list_shards(dit, 7, folder, "diffusion_pytorch_model");
    is_the_tiny_model(folder, "BF16");
    assert_int_equal(frames_of(folder), golden);
    list_free(dit);
}

static void diffusers(void **state)
{
    const char *folder = fresh("diffusers");
    struct list *dit = list_read(TINY_DIT), *t5 = list_read(TINY_T5), *vae = list_read(TINY_VAE);
    list_rename(dit, "dit_t2v_1.3B.tsv");
    list_rename(t5, "t5_umt5_xxl.tsv");
    list_rename(vae, "vae_2.1.tsv");
    list_write(vae, 0, vae->n, folder, "vae/diffusion_pytorch_model.safetensors");
    tiny_link(folder, TINY_SPIECE, "tokenizer/spiece.model");
    mkdir(strcat(strcpy((char[160]){0}, folder), "/transformer"), 0700);
    mkdir(strcat(strcpy((char[160]){0}, folder), "/text_encoder"), 0700);
    list_shards(dit, 2, folder, "transformer/diffusion_pytorch_model");
    list_shards(t5, 3, folder, "text_encoder/model");
    is_the_tiny_model(folder, "BF16");
    assert_int_equal(frames_of(folder), golden);
    list_free(dit);
    list_free(t5);
    list_free(vae);
}

/* A prefix before the transformer's names, HF's names in the text encoder, and the tokenizer as a
 * tensor in it. */
static void comfy(void **state)
{
    const char *folder = fresh("comfy"), *src = getenv("srcdir");
    char path[PATH_LEN];
    struct list *dit = list_read(TINY_DIT), *t5 = list_read(TINY_T5);
    struct buf spiece = BUF_INIT(0);
    list_prefix(dit, "model.diffusion_model.");
    list_rename(t5, "t5_umt5_xxl.tsv");
    snprintf(path, sizeof path, "%s/tests/wan/" TINY_SPIECE, src ? src : "..");
    assert_int_equal(path_read(path, 1 << 20, &spiece, NULL), ERR_OK);
    list_add(t5, "spiece_model", DTYPE_U8, 1, (const int64_t[]){(int64_t)spiece.len}, spiece.data);
    list_write(dit, 0, dit->n, folder, "diffusion_models/wan2.1_t2v_1.3B_bf16.safetensors");
    list_write(t5, 0, t5->n, folder, "text_encoders/umt5_xxl_bf16.safetensors");
    tiny_link(folder, TINY_VAE, "vae/wan_2.1_vae.safetensors");
    is_the_tiny_model(folder, "BF16");
    info_says(folder, "tokenizer", "in the text encoder");
    assert_int_equal(frames_of(folder), golden);
    buf_free(&spiece);
    list_free(dit);
    list_free(t5);
}

/* ---- with pictures ---- */

#define CLIP "open/tiny_i2v/models_clip.safetensors"

static struct list *image_dit(void)
{
    float places[34 * 80];
    struct list *dit = list_read("open/tiny_i2v/diffusion_pytorch_model.safetensors");
    for (int i = 0; i < 34 * 80; i++)
        places[i] = (float)(i * 37 % 101) / 101 - 0.5f;
    if (two_pictures)
        list_add(dit, "img_emb.emb_pos", DTYPE_F32, 3, (const int64_t[]){1, 34, 80}, places);
    return dit;
}

static void image_dit_rename(struct list *dit)
{
    list_rename(dit, two_pictures ? "dit_flf2v_14B.tsv" : "dit_i2v_14B.tsv");
}

/* HF's CLIP: q, k and v apart, the class token and the places without the axis of the batch.
 * transformers' model with a projection, as in ComfyUI's file, has that transposed. */
static struct list *hf_clip(bool projected)
{
    struct list *from = list_read(CLIP), *to = calloc(1, sizeof *to);
    char name[256], end[16];
    int layer;
    for (int i = 0; i < from->n; i++) {
        const struct entry *e = &from->e[i];
        if (!strstr(e->name, ".to_qkv.") && strcmp(e->name, "visual.head") != 0)
            list_add(to, e->name, e->type, e->rank, e->dim, e->data);
    }
    list_rename(to, "clip_vit_h_visual.tsv");
    for (int i = 0; i < to->n; i++)
        for (struct entry *e = &to->e[i]; e->rank > 1 && e->dim[0] == 1; e->rank--)
            memmove(e->dim, e->dim + 1, (size_t)(e->rank - 1) * sizeof *e->dim);
    for (int i = 0; i < from->n; i++) {
        const struct entry *e = &from->e[i];
        if (sscanf(e->name, "visual.transformer.%d.attn.to_qkv.%15s", &layer, end) != 2)
            continue;
        for (size_t k = 0; k < 3; k++) {
            snprintf(name, sizeof name, "vision_model.encoder.layers.%d.self_attn.%c_proj.%s",
                     layer, "qkv"[k], end);
            list_add(to, name, e->type, e->rank, (const int64_t[]){e->dim[0] / 3, e->dim[1]},
                     (const char *)e->data + k * bytes_of(e) / 3);
        }
    }
    float none[32 * 80] = {0};
    if (projected)
        list_add(to, "visual_projection.weight", DTYPE_F32, 2, (const int64_t[]){32, 80}, none);
    list_free(from);
    return to;
}

static void draws(const char *folder, uint64_t want)
{
    struct wan *w;
    const struct wan_setup setup = {.model = folder, .device = "cpu", .dtype = "f32"};
    assert_int_equal(wan_open(&setup, &w, &fault), ERR_OK);
    assert_true(wan_info(w)->clip[0] && wan_info(w)->last_image == two_pictures);
    wan_free(w);
    assert_true(frames_of(folder) == want);
}

static void pictures_in_each_layout(const char *name)
{
    char path[64];
    struct list *dit = image_dit(), *clip = list_read(CLIP), *t5 = list_read(TINY_T5),
                *vae = list_read(TINY_VAE), *comfys = hf_clip(true), *hf = hf_clip(false);
    snprintf(path, sizeof path, "%s-original", name);
    const char *folder = fresh(path);
    list_write(dit, 0, dit->n, folder, "diffusion_pytorch_model.safetensors");
    list_write(clip, 0, clip->n, folder, "models_clip_open-clip-xlm-roberta-large.safetensors");
    tiny_link(folder, TINY_T5_PTH, "models_t5_umt5-xxl-enc-bf16.pth");
    tiny_link(folder, TINY_VAE_PTH, "Wan2.1_VAE.pth");
    tiny_link(folder, TINY_SPIECE, "google/umt5-xxl/spiece.model");
    uint64_t want = frames_of(folder);

    list_rename(t5, "t5_umt5_xxl.tsv");
    snprintf(path, sizeof path, "%s-comfy", name);
    folder = fresh(path);
    list_prefix(dit, "model.diffusion_model.");
    list_write(dit, 0, dit->n, folder, "diffusion_models/wan2.1_i2v_480p_14B_bf16.safetensors");
    list_write(t5, 0, t5->n, folder, "text_encoders/umt5_xxl_bf16.safetensors");
    list_write(comfys, 0, comfys->n, folder, "clip_vision/clip_vision_h.safetensors");
    tiny_link(folder, TINY_VAE, "vae/wan_2.1_vae.safetensors");
    tiny_link(folder, TINY_SPIECE, "text_encoders/spiece.model");
    draws(folder, want);
    list_free(dit);

    dit = image_dit();
    image_dit_rename(dit);
    list_rename(vae, "vae_2.1.tsv");
    snprintf(path, sizeof path, "%s-diffusers", name);
    folder = fresh(path);
    list_write(dit, 0, dit->n, folder, "transformer/diffusion_pytorch_model.safetensors");
    list_write(t5, 0, t5->n, folder, "text_encoder/model.safetensors");
    list_write(hf, 0, hf->n, folder, "image_encoder/model.safetensors");
    list_write(vae, 0, vae->n, folder, "vae/diffusion_pytorch_model.safetensors");
    tiny_link(folder, TINY_SPIECE, "tokenizer/spiece.model");
    draws(folder, want);
    struct list *all[] = {dit, clip, t5, vae, comfys, hf};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        list_free(all[i]);
}

static void a_picture(void **state)
{
    pictures_in_each_layout("i2v");
}

static void a_first_and_a_last_picture(void **state)
{
    two_pictures = true;
    pictures_in_each_layout("flf2v");
    two_pictures = false;
}

/* ---- 8-bit weights ---- */

enum scaling { PLAIN, PER_TENSOR, PER_ROW };

/* By its bits: 1 sign, 4 exponent with bias 7, 3 mantissa, no infinities. */
static double e4m3(unsigned bits)
{
    int exponent = (int)(bits >> 3 & 15), mantissa = (int)(bits & 7);
    double v = exponent ? ldexp(8 + mantissa, exponent - 10) : ldexp(mantissa, -9);
    return bits & 128 ? -v : v;
}

static unsigned char nearest(double v)
{
    static double positive[127]; /* in rising order */
    unsigned low = 0, high = 126;
    for (unsigned bits = 0; bits < 127 && positive[126] == 0; bits++)
        positive[bits] = e4m3(bits);
    while (high - low > 1) {
        unsigned middle = (low + high) / 2;
        *(positive[middle] <= fabs(v) ? &low : &high) = middle;
    }
    unsigned bits = fabs(v) - positive[low] < positive[high] - fabs(v) ? low : high;
    return (unsigned char)(v < 0 ? bits | 128 : bits);
}

static float bf16(const void *data, int64_t i)
{
    uint32_t bits = (uint32_t)((const uint16_t *)data)[i] << 16;
    float v;
    memcpy(&v, &bits, sizeof v);
    return v;
}

/* Makes the linear layers of the blocks (and of a text encoder all its tables: spec 9.3 keeps only
 * the transformer's others) 8-bit as one tool or another does it, and beside them a list of what
 * they then mean, in f32. */
static void quantise(const struct list *from, enum scaling scaling, struct list *to,
                     struct list *meant)
{
    for (int i = 0; i < from->n; i++) {
        const struct entry *e = &from->e[i];
        char name[300];
        bool place = !strncmp(e->name, "blocks.", 7) || !strncmp(e->name, "token_embedding.", 16);
        bool linear =
            place && e->rank == 2 && strstr(e->name, ".weight") && !strstr(e->name, "norm");
        assert_int_equal(e->type, DTYPE_BF16);
        if (!linear) {
            list_add(to, e->name, e->type, e->rank, e->dim, e->data);
            list_add(meant, e->name, e->type, e->rank, e->dim, e->data);
            continue;
        }
        int64_t rows = e->dim[0], row = e->count / rows;
        unsigned char *q = malloc((size_t)e->count);
        float *m = malloc((size_t)e->count * sizeof *m), *s = malloc((size_t)rows * sizeof *s);
        double all = 0;
        for (int64_t k = 0; k < e->count; k++)
            all = fmax(all, fabs((double)bf16(e->data, k)));
        for (int64_t r = 0; r < rows; r++) {
            double most = 0;
            for (int64_t k = 0; k < row; k++)
                most = fmax(most, fabs((double)bf16(e->data, r * row + k)));
            s[r] = scaling == PLAIN ? 1 : (float)((scaling == PER_ROW ? most : all) / 448);
            for (int64_t k = r * row; k < (r + 1) * row; k++) {
                q[k] = nearest((double)bf16(e->data, k) / (double)s[r]);
                m[k] = (float)e4m3(q[k]) * s[r];
            }
        }
        list_add(to, e->name, DTYPE_F8_E4M3, e->rank, e->dim, q);
        list_add(meant, e->name, DTYPE_F32, e->rank, e->dim, m);
        int stem = (int)(strlen(e->name) - strlen(".weight"));
        snprintf(name, sizeof name, "%.*s.%s", stem, e->name,
                 scaling == PER_ROW ? "weight_scale" : "scale_weight");
        if (scaling == PER_TENSOR) /* a scalar, as ComfyUI writes it */
            list_add(to, name, DTYPE_F32, 0, NULL, s);
        if (scaling == PER_ROW) /* [out, 1], as LightX2V does */
            list_add(to, name, DTYPE_F32, 2, (const int64_t[]){rows, 1}, s);
        free(q);
        free(m);
        free(s);
    }
}

static const char *with_transformer(const char *name, const struct list *dit)
{
    const char *folder = fresh(name);
    tiny_link(folder, TINY_T5, "t5.safetensors");
    tiny_link(folder, TINY_VAE, "vae.safetensors");
    tiny_link(folder, TINY_SPIECE, "spiece.model");
    list_write(dit, 0, dit->n, folder, "dit.safetensors");
    return folder;
}

static void eight_bits(enum scaling scaling, const char *name)
{
    char other[64];
    struct list *from = list_read(TINY_DIT), *to = calloc(1, sizeof *to),
                *meant = calloc(1, sizeof *meant);
    quantise(from, scaling, to, meant);
    snprintf(other, sizeof other, "%s-meant", name);
    uint64_t want = frames_of(with_transformer(other, meant));
    assert_int_not_equal(want, golden);
    const char *folder = with_transformer(name, to);
    is_the_tiny_model(folder, "F8_E4M3");
    assert_int_equal(frames_of(folder), want);
    list_free(from);
    list_free(to);
    list_free(meant);
}

static void eight_bits_plain(void **state)
{
    eight_bits(PLAIN, "f8");
}

static void eight_bits_per_tensor(void **state)
{
    eight_bits(PER_TENSOR, "f8-tensor");
}

static void eight_bits_per_row(void **state)
{
    eight_bits(PER_ROW, "f8-row");
}

/* The text encoder too: its words and its positions as well as its layers. */
static const char *with_encoder(const char *name, const struct list *t5)
{
    const char *folder = fresh(name);
    tiny_link(folder, TINY_DIT, "dit.safetensors");
    tiny_link(folder, TINY_VAE, "vae.safetensors");
    tiny_link(folder, TINY_SPIECE, "spiece.model");
    list_write(t5, 0, t5->n, folder, "t5.safetensors");
    return folder;
}

static void eight_bits_in_the_text_encoder(void **state)
{
    for (enum scaling scaling = PLAIN; scaling <= PER_ROW; scaling++) {
        char name[32];
        struct list *from = list_read(TINY_T5), *to = calloc(1, sizeof *to),
                    *meant = calloc(1, sizeof *meant);
        quantise(from, scaling, to, meant);
        snprintf(name, sizeof name, "t5-f8-meant-%d", scaling);
        uint64_t want = frames_of(with_encoder(name, meant));
        assert_int_not_equal(want, golden);
        snprintf(name, sizeof name, "t5-f8-%d", scaling);
        assert_int_equal(frames_of(with_encoder(name, to)), want);
        list_free(from);
        list_free(to);
        list_free(meant);
    }
}

/* Scales for a number of rows that the weight has not are told, with file and tensor. */
static void too_few_scales(void **state)
{
    struct list *from = list_read(TINY_DIT), *to = calloc(1, sizeof *to),
                *meant = calloc(1, sizeof *meant);
    struct wan *w;
    quantise(from, PER_ROW, to, meant);
    for (int i = 0; i < to->n; i++)
        if (!strcmp(to->e[i].name, "blocks.1.ffn.2.weight_scale"))
            to->e[i].count = --to->e[i].dim[0];
    const struct wan_setup setup = {
        .model = with_transformer("few", to), .device = "cpu", .dtype = "f32"};
    assert_int_equal(wan_open(&setup, &w, &fault), ERR_CORRUPT);
    assert_non_null(strstr(fault.text, "dit.safetensors"));
    assert_non_null(strstr(fault.text, "blocks.1.ffn.2.weight_scale has 255 scales for 256 rows"));
    list_free(from);
    list_free(to);
    list_free(meant);
}

static int set_up(void **state)
{
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
        cmocka_unit_test(original),
        cmocka_unit_test(original_in_shards),
        cmocka_unit_test(diffusers),
        cmocka_unit_test(comfy),
        cmocka_unit_test(eight_bits_plain),
        cmocka_unit_test(eight_bits_per_tensor),
        cmocka_unit_test(eight_bits_per_row),
        cmocka_unit_test(eight_bits_in_the_text_encoder),
        cmocka_unit_test(too_few_scales),
        cmocka_unit_test(a_picture),
        cmocka_unit_test(a_first_and_a_last_picture),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
