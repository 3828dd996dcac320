/* The tiny model in every form of the wild: the three layouts with their true names, and in shards
 * with an index. Each must open, be told what it is, and draw what the same numbers draw in the
 * form that the golden vectors judge; a wrong name, shard or axis would not. */
#include "unit/wan/written.h"

static uint64_t golden; /* frames of the original layout */

/* ---- files as they are written elsewhere ---- */

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
        char was[320];
        memcpy(was, l->e[i].name, sizeof was);
        snprintf(l->e[i].name, sizeof l->e[i].name, "%s%.200s", prefix, was);
    }
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
    if (written_last)
        list_add(dit, "img_emb.emb_pos", DTYPE_F32, 3, (const int64_t[]){1, 34, 80}, places);
    return dit;
}

static void image_dit_rename(struct list *dit)
{
    list_rename(dit, written_last ? "dit_flf2v_14B.tsv" : "dit_i2v_14B.tsv");
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
    assert_true(wan_info(w)->clip[0] && wan_info(w)->last_image == written_last);
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
    written_last = true;
    pictures_in_each_layout("flf2v");
    written_last = false;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(original),  cmocka_unit_test(original_in_shards),
        cmocka_unit_test(diffusers), cmocka_unit_test(comfy),
        cmocka_unit_test(a_picture), cmocka_unit_test(a_first_and_a_last_picture),
    };
    return cmocka_run_group_tests(tests, written_set_up, written_tear_down);
}
