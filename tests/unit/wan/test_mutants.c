/* Checkpoints with a tensor missing, misshapen or too many are refused before a job begins: none
 * opens as another model, none is called ready, and the words name file and tensor. The files here
 * are headers of the tiny checkpoints before a hole: no number is read to find out. */
#include "unit/wan/listed.h"

#include "wan/wan.h"

enum part { DIT, T5, VAE, CLIP, PARTS, TINY = PARTS };

static const char *const file_of[PARTS + 1] = {"dit.safetensors", "t5.safetensors",
                                               "vae.safetensors", "clip.safetensors",
                                               "taew2_1.safetensors"};

struct model {
    struct list part[PARTS];
    bool encodes; /* the VAE's encoder is needed */
};

static char dir[] = "/tmp/sakuga-mutants-XXXXXX";
static struct model t2v, i2v, vace;

/* ---- files ---- */

static void list_read(struct list *l, const char *golden_file)
{
    const char *src = getenv("srcdir");
    char path[PATH_LEN];
    struct weights *w;
    struct fault f;
    snprintf(path, sizeof path, "%s/tests/wan/open/%s", src ? src : "..", golden_file);
    if (weights_open(path, &w, &f))
        fail_msg("%s", fault_text(&f));
    assert_true(w->n < (int)(sizeof l->e / sizeof *l->e));
    for (l->n = 0; l->n < w->n; l->n++) {
        const struct wtensor *t = &w->t[l->n];
        l->e[l->n].rank = t->rank;
        memcpy(l->e[l->n].dim, t->dim, sizeof t->dim);
        snprintf(l->e[l->n].name, sizeof l->e->name, "%s", t->name);
    }
    weights_free(w);
}

/* short_by: bytes that are missing at the end */
static void list_write(const struct list *l, enum part part, int64_t short_by)
{
    listed_write(l, dir, file_of[part], "BF16", 2, short_by);
}

static void model_write(const struct model *m)
{
    for (int p = 0; p < PARTS; p++)
        list_write(&m->part[p], (enum part)p, 0);
}

/* ---- what is said of them ---- */

/* "" for a model that is ready. */
static const char *said(void)
{
    static struct fault f;
    const struct wan_setup setup = {.model = dir, .device = "cpu", .dtype = "f32", .threads = 1};
    struct wan *w = NULL;
    f = (struct fault){0};
    if (!wan_open(&setup, &w, &f))
        wan_ready(w, &f);
    wan_free(w);
    return f.code ? fault_text(&f) : "";
}

static void refused(const char *file, const char *words, const char *how)
{
    const char *text = said();
    if (!text[0])
        fail_msg("a model with %s (%s) is called ready", how, words);
    if (!strstr(text, file) || !strstr(text, words))
        fail_msg("of a model with %s, %s: \"%s\"", how, words, text);
}

/* No clip needs it. */
static bool idle(const struct model *m, enum part part, const char *name)
{
    const bool decoder = !strncmp(name, "decoder.", 8) || !strncmp(name, "conv2.", 6);
    return (part == VAE && !m->encodes && !decoder) ||
           (part == CLIP &&
            (!strncmp(name, "visual.transformer.2.", 21) || /* the last */
             !strncmp(name, "visual.head", 11) || !strncmp(name, "visual.post_norm.", 17)));
}

/* Shapes that others are measured by: the error may be found in one of those. */
static bool gives_sizes(const char *name)
{
    static const char *const names[] = {"head.modulation",
                                        "blocks.0.ffn.0.weight",
                                        "token_embedding.weight",
                                        "blocks.0.attn.q.weight",
                                        "blocks.0.ffn.fc1.weight",
                                        "img_emb.proj.1.weight",
                                        "blocks.0.pos_embedding.embedding.weight",
                                        "encoder.conv1.weight",
                                        "visual.patch_embedding.weight",
                                        "visual.pos_embedding",
                                        "visual.transformer.0.mlp.0.weight"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (!strcmp(name, names[i]))
            return true;
    return false;
}

/* One more along its first axis that is longer than 1. */
static bool longer(struct entry *e)
{
    int i = 0;
    while (i < e->rank - 1 && e->dim[i] == 1)
        i++;
    e->dim[i]++;
    return strcmp(e->name, "token_embedding.weight") != 0; /* one word more is no fault */
}

/* As many numbers in one axis. */
static bool flat(struct entry *e)
{
    int64_t n = listed_count(e);
    bool same = true; /* but for axes of 1 */
    for (int i = 0; i < e->rank; i++)
        same = same && (e->dim[i] == 1 || e->dim[i] == n);
    e->rank = 1;
    e->dim[0] = n;
    return !same;
}

static void every_tensor_of(const struct model *m, enum part part)
{
    static const struct {
        const char *how;
        bool (*change)(struct entry *e);
    } ways[] = {{"a tensor longer", longer}, {"a tensor without its axes", flat}};
    static struct list l;
    const struct list *from = &m->part[part];
    for (int i = 0; i < from->n; i++) {
        const char *name = from->e[i].name;
        if (idle(m, part, name))
            continue;
        l = *from;
        l.e[i] = l.e[--l.n];
        list_write(&l, part, 0);
        refused(file_of[part], name, "a tensor less");
        for (size_t k = 0; k < sizeof ways / sizeof *ways; k++) {
            l = *from;
            if (!ways[k].change(&l.e[i]))
                continue;
            list_write(&l, part, 0);
            refused(file_of[part], gives_sizes(name) ? "" : name, ways[k].how);
        }
    }
    list_write(from, part, 0);
    assert_string_equal(said(), "");
}

static void text_to_video(void **state)
{
    model_write(&t2v);
    every_tensor_of(&t2v, DIT);
    every_tensor_of(&t2v, T5);
    every_tensor_of(&t2v, VAE);
}

static void image_to_video(void **state)
{
    model_write(&i2v);
    every_tensor_of(&i2v, DIT);
    every_tensor_of(&i2v, CLIP);
    every_tensor_of(&i2v, VAE);
}

static void vace_too(void **state)
{
    model_write(&vace);
    every_tensor_of(&vace, DIT);
}

/* ---- whole parts more or less, and other models ---- */

struct change {
    const char *without; /* names that begin so go; or NULL */
    struct entry with[3];
};

static void changed(const struct model *m, enum part part, struct change c, const char *words)
{
    static struct list l;
    l.n = 0;
    for (int i = 0; i < m->part[part].n; i++) {
        const struct entry *e = &m->part[part].e[i];
        bool gone = c.without && !strncmp(e->name, c.without, strlen(c.without));
        for (int k = 0; k < 3 && c.with[k].rank; k++)
            gone = gone || !strcmp(e->name, c.with[k].name);
        if (!gone)
            l.e[l.n++] = *e;
    }
    for (int k = 0; k < 3 && c.with[k].rank; k++)
        l.e[l.n++] = c.with[k];
    model_write(m);
    list_write(&l, part, 0);
    refused(file_of[part], words, "a change");
}

static void parts_of_a_vae(void **state)
{
#define LESS(prefix, words) changed(&t2v, VAE, (struct change){.without = prefix}, words)
    LESS("decoder.upsamples.1.", "decoder.upsamples.1.residual.0.gamma");
    LESS("decoder.upsamples.14.", "decoder.upsamples.14.residual.0.gamma");
    LESS("decoder.upsamples.4.shortcut", "decoder.upsamples.4.shortcut.weight");
    LESS("decoder.upsamples.7.time_conv", "decoder.upsamples.7.time_conv.weight");
    LESS("decoder.upsamples.11.resample", "decoder.upsamples.11.resample.1.weight");
    LESS("decoder.middle.1.", "decoder.middle.1.norm.gamma");
#undef LESS
    changed(&i2v, VAE, (struct change){.without = "encoder.downsamples.8.time_conv"},
            "encoder.downsamples.8.time_conv.weight");
    /* pictures of twice the size, and twice as many */
    changed(&t2v, VAE,
            (struct change){.with = {{"decoder.upsamples.15.resample.1.weight", 4, {8, 8, 3, 3}},
                                     {"decoder.upsamples.15.resample.1.bias", 1, {8}}}},
            "decoder.upsamples.15.resample.1");
    changed(
        &t2v, VAE,
        (struct change){.with = {{"decoder.upsamples.11.time_conv.weight", 5, {32, 16, 3, 1, 1}},
                                 {"decoder.upsamples.11.time_conv.bias", 1, {32}}}},
        "decoder.upsamples.11.time_conv");
}

static void other_transformers(void **state)
{
#define WITH(...) changed(&t2v, DIT, (struct change){.with = {__VA_ARGS__}},
    WITH({"head.head.weight", 2, {4096, 256}}, {"head.head.bias", 1, {4096}})
         "1024 output channels in head.head.weight");
         WITH({"head.head.weight", 2, {32, 256}}, {"head.head.bias", 1, {32}})
         "8 output channels in head.head.weight");
    WITH({"time_embedding.0.weight", 2, {256, 2048}}) "2048 inputs of time_embedding.0.weight");
    WITH({"patch_embedding.weight", 5, {256, 20, 1, 2, 2}}) "20 input channels");
    WITH({"patch_embedding.weight", 5, {256, 16, 2, 2, 1}}) "[256, 16, 2, 2, 1]");
    WITH({"patch_embedding.weight", 5, {256, 36, 1, 2, 2}}) "Wan 2.2's I2V-A14B");
    WITH({"patch_embedding.weight", 5, {256, 48, 1, 2, 2}},
         {"head.head.weight", 2, {192, 256}},
         {"head.head.bias", 1, {192}}) "Wan 2.2's TI2V-5B");
    WITH({"head.modulation", 3, {1, 2, 200}}) "200 as the width of head.modulation");
    WITH({"head.modulation", 3, {1, 2, 384}}) "[256, 16, 1, 2, 2], not [384, 16, 1, 2, 2]");
    WITH({"blocks.0.modulation", 2, {256, 6}}) "blocks.0.modulation is [256, 6], not [6, 256]");
    WITH({"blocks.70.modulation", 2, {6, 256}}) "71 layers");
    WITH({"blocks.999999999999.modulation", 2, {6, 256}}) "1000 layers");
    WITH({"blocks.4.modulation", 2, {6, 256}}) "blocks.3.modulation"); /* a gap */
    WITH({"img_emb.emb_pos", 3, {1, 34, 80}}) "img_emb");
#undef WITH
    changed(&t2v, DIT, (struct change){.without = "blocks.1."}, "blocks.1.modulation");
    changed(&t2v, T5, (struct change){.without = "blocks.1."}, "blocks.1.norm1.weight");
    changed(&i2v, DIT, (struct change){.without = "img_emb."}, "img_emb.proj.1.weight");
    changed(&i2v, CLIP, (struct change){.without = "visual.transformer.1."},
            "visual.transformer.1.");
    changed(&vace, DIT, (struct change){.without = "vace_patch_embedding."},
            "vace_patch_embedding.weight");
    changed(&vace, DIT,
            (struct change){.with = {{"vace_patch_embedding.weight", 5, {128, 97, 1, 2, 2}}}},
            "vace_patch_embedding.weight is [128, 97, 1, 2, 2]");
}

/* Why a part could not be read is told, not that there is none. */
static void cut_short(void **state)
{
    for (int p = 0; p < PARTS; p++) {
        model_write(&i2v);
        list_write(&i2v.part[p], (enum part)p, 2);
        const char *text = said();
        if (!strstr(text, file_of[p]) || !strstr(text, "is truncated"))
            fail_msg("of a short file: \"%s\"", text);
    }
}

/* HF's CLIP keeps its places without the axis of 1. */
static void places_of_two_axes(void **state)
{
    static struct list l;
    model_write(&i2v);
    l = i2v.part[CLIP];
    for (int i = 0; i < l.n; i++)
        if (!strcmp(l.e[i].name, "visual.pos_embedding"))
            l.e[i] = (struct entry){"visual.pos_embedding", 2, {17, 80}};
    list_write(&l, CLIP, 0);
    assert_string_equal(said(), "");
}

/* And none of the published models is refused that can be run. */
static void published(void **state)
{
    static const struct {
        const char *tsv, *words;
    } dits[] = {{"dit_t2v_1.3B.tsv", ""},
                {"dit_vace_1.3B.tsv", ""},
                {"dit_flf2v_14B.tsv", ""},
                {"dit_ti2v_5B.tsv", "TI2V-5B"}};
    static struct model m;
    listed_read(&m.part[T5], "t5_umt5_xxl.tsv");
    listed_read(&m.part[VAE], "vae_2.1.tsv");
    listed_read(&m.part[CLIP], "clip_vit_h_visual.tsv");
    model_write(&m);
    for (size_t i = 0; i < sizeof dits / sizeof *dits; i++) {
        listed_read(&m.part[DIT], dits[i].tsv);
        list_write(&m.part[DIT], DIT, 0);
        if (dits[i].words[0])
            refused(file_of[DIT], dits[i].words, dits[i].tsv);
        else
            assert_string_equal(said(), "");
    }
}

/* `tsv` without all tensors whose names have `layer`. */
static void list_without(struct list *l, const char *tsv, const char *layer)
{
    int n = 0;
    listed_read(l, tsv);
    for (int i = 0; i < l->n; i++)
        if (!strstr(l->e[i].name, layer))
            l->e[n++] = l->e[i];
    assert_true(n < l->n);
    l->n = n;
}

/* A file that ends a layer early is a shallower network, but none that was published. */
static void without_the_last_layer(void **state)
{
    static const struct {
        enum part part;
        const char *tsv, *layer, *words;
    } ends[] = {
        {DIT, "dit_vace_1.3B.tsv", ".29.",
         "29 layers of width 1536, and the published network has 30"},
        {DIT, "dit_vace_1.3B.tsv", "vace_blocks.14.", "list of VACE layers is impossible"},
        {DIT, "dit_i2v_14B.tsv", "blocks.39.", "39 layers of width 5120"},
        {T5, "t5_umt5_xxl.tsv", "blocks.23.", "23 layers of width 4096"},
        {CLIP, "clip_vit_h_visual.tsv", "transformer.31.", "31 layers of width 1280"},
    };
    static struct model m;
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        listed_read(&m.part[DIT], "dit_i2v_14B.tsv");
        listed_read(&m.part[T5], "t5_umt5_xxl.tsv");
        listed_read(&m.part[VAE], "vae_2.1.tsv");
        listed_read(&m.part[CLIP], "clip_vit_h_visual.tsv");
        list_without(&m.part[ends[i].part], ends[i].tsv, ends[i].layer);
        model_write(&m);
        refused(file_of[ends[i].part], ends[i].words, ends[i].layer);
    }
}

/* The words' numbers are in no network. */
static void without_a_tokenizer(void **state)
{
    char path[PATH_LEN];
    model_write(&t2v);
    assert_string_equal(said(), "");
    snprintf(path, sizeof path, "%s/spiece.model", dir);
    assert_int_equal(unlink(path), 0);
    refused(dir, "neither spiece.model nor tokenizer.json", "no tokenizer");
    tiny_link(dir, TINY_SPIECE, "spiece.model");
}

/* ---- the tiny decoder ---- */

static void add_conv(struct list *l, int64_t out, int64_t in, int64_t k, bool bias,
                     const char *name)
{
    struct entry *e = &l->e[l->n++];
    *e = (struct entry){"", 4, {out, in, k, k}};
    snprintf(e->name, sizeof e->name, "%s.weight", name);
    if (!bias)
        return;
    e = &l->e[l->n++];
    *e = (struct entry){"", 1, {out}};
    snprintf(e->name, sizeof e->name, "%s.bias", name);
}

/* Layer numbers as in TAEHV's files. */
static void list_tiny(struct list *l, bool grows_at_once)
{
    static const int64_t wide[4] = {12, 8, 6, 5};
    char name[64];
    l->n = 0;
    add_conv(l, wide[0], 16, 3, true, "decoder.1");
    for (int s = 0; s < 3; s++) {
        int64_t c = wide[s];
        for (int i = 0; i < 9; i++) {
            snprintf(name, sizeof name, "decoder.%d.conv.%d", 3 + 6 * s + i / 3, 2 * (i % 3));
            add_conv(l, c, i % 3 ? c : 2 * c, 3, true, name);
        }
        snprintf(name, sizeof name, "decoder.%d.conv", 3 + 6 * s + 4);
        add_conv(l, s || grows_at_once ? 2 * c : c, c, 1, false, name);
        snprintf(name, sizeof name, "decoder.%d", 3 + 6 * s + 5);
        add_conv(l, wide[s + 1], c, 3, false, name);
    }
    add_conv(l, 3, wide[3], 3, true, "decoder.22");
}

/* What a clip by the tiny decoder is told, "" where it may begin. All others may, whatever it is:
 * it would only draw their previews. */
static const char *said_of_tiny(enum err *e)
{
    static struct fault f;
    const struct wan_setup setup = {.model = dir, .device = "cpu", .dtype = "f32", .threads = 1};
    const struct wan_job plain = {.prompt = "a fox"};
    struct wan_job job = plain, tiny = plain;
    struct wan_plan plan;
    struct wan *w = NULL;
    tiny.tiny = true;
    if (wan_open(&setup, &w, &f) || wan_ready(w, &f) || wan_job_complete(w, &job, &f))
        fail_msg("a clip by the VAE: %s", fault_text(&f));
    f = (struct fault){0};
    *e = wan_job_complete(w, &tiny, &f);
    assert_int_equal(wan_ready_tiny(w, NULL), *e);
    struct fault same;
    if (*e) { /* nor is it planned */
        assert_int_equal(wan_plan(w, &tiny, &plan, &same), *e);
        assert_string_equal(fault_text(&same), fault_text(&f));
    }
    wan_free(w);
    return *e ? fault_text(&f) : "";
}

static void tiny_refused(const struct list *l, int64_t short_by, const char *words)
{
    enum err e;
    list_write(l, TINY, short_by);
    const char *text = said_of_tiny(&e);
    if (e != ERR_CORRUPT || !strstr(text, words) || !strstr(text, file_of[TINY]))
        fail_msg("of a tiny decoder with another %s: \"%s\"", words, text);
}

static void a_tiny_decoder(void **state)
{
    static struct list whole, l;
    char path[PATH_LEN];
    enum err e;
    model_write(&t2v);
    assert_non_null(strstr(said_of_tiny(&e), "holds no tiny decoder"));
    assert_int_equal(e, ERR_NOTFOUND);
    for (int at_once = 0; at_once < 2; at_once++) { /* there are both */
        list_tiny(&whole, at_once);
        list_write(&whole, TINY, 0);
        assert_string_equal(said_of_tiny(&e), "");
    }
    for (int i = 0; i < whole.n; i++) {
        const char *name = whole.e[i].name;
        bool sizes = !strcmp(name, "decoder.1.weight") || !strcmp(name, "decoder.8.weight") ||
                     !strcmp(name, "decoder.14.weight") || !strcmp(name, "decoder.20.weight");
        l = whole;
        l.e[i] = l.e[--l.n];
        tiny_refused(&l, 0, name);
        for (int axis = 0; axis < whole.e[i].rank; axis++) {
            l = whole;
            l.e[i].dim[axis]++;
            tiny_refused(&l, 0, sizes ? "decoder." : name);
        }
        l = whole;
        if (flat(&l.e[i]))
            tiny_refused(&l, 0, sizes ? "decoder." : name);
    }
    tiny_refused(&whole, 2, "is truncated");
    snprintf(path, sizeof path, "%s/%s", dir, file_of[TINY]);
    assert_int_equal(unlink(path), 0);
}

static int set_up(void **state)
{
    list_read(&t2v.part[DIT], "tiny_t2v/diffusion_pytorch_model.safetensors");
    list_read(&t2v.part[T5], "tiny_t2v/models_t5_umt5-xxl-enc-bf16.safetensors");
    list_read(&t2v.part[VAE], "tiny_t2v/Wan2.1_VAE.safetensors");
    list_read(&t2v.part[CLIP], "tiny_i2v/models_clip.safetensors");
    i2v = vace = t2v;
    i2v.encodes = vace.encodes = true;
    list_read(&i2v.part[DIT], "tiny_i2v/diffusion_pytorch_model.safetensors");
    list_read(&vace.part[DIT], "tiny_vace/diffusion_pytorch_model.safetensors");
    if (!mkdtemp(dir))
        return -1;
    tiny_link(dir, TINY_SPIECE, "spiece.model");
    return 0;
}

static int tear_down(void **state)
{
    tiny_remove(dir);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_to_video),
        cmocka_unit_test(image_to_video),
        cmocka_unit_test(vace_too),
        cmocka_unit_test(parts_of_a_vae),
        cmocka_unit_test(other_transformers),
        cmocka_unit_test(cut_short),
        cmocka_unit_test(places_of_two_axes),
        cmocka_unit_test(without_a_tokenizer),
        cmocka_unit_test(a_tiny_decoder),
        cmocka_unit_test(published),
        cmocka_unit_test(without_the_last_layer),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
