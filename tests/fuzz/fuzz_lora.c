/* Names of a LoRA's tensors, one a line with an optional shape ("KEY 4 16"), matched to a small
 * model and applied to it; and the names of all networks. */
#include "fuzz_wan.h"

#include "base/buf.h"
#include "base/json.h"
#include "wan/lora.h"
#include "wan/names.h"

#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

#define ELEMENTS_MAX 256

static struct weights *small_model(void)
{
    static const struct wtensor tensors[] = {
        {.name = "blocks.0.self_attn.q.weight", .rank = 2, .dim = {4, 4}},
        {.name = "blocks.0.self_attn.q.bias", .rank = 1, .dim = {4}},
        {.name = "blocks.0.cross_attn.k_img.weight", .rank = 2, .dim = {4, 4}},
        {.name = "blocks.0.ffn.0.weight", .rank = 2, .dim = {8, 4}},
        {.name = "blocks.0.norm3.weight", .rank = 1, .dim = {4}},
        {.name = "patch_embedding.weight", .rank = 5, .dim = {4, 2, 1, 2, 2}},
        {.name = "weight", .rank = 1, .dim = {1}},
        {.name = "head.modulation", .rank = 3, .dim = {1, 2, 4}},
    };
    static const float zeros[ELEMENTS_MAX];
    struct weights *w = weights_new();
    for (size_t i = 0; i < sizeof tensors / sizeof *tensors; i++) {
        struct wtensor t = tensors[i];
        t.file = "model";
        t.data = (const unsigned char *)zeros;
        t.type = DTYPE_F32;
        if (!wtensor_measure(&t) || weights_add(w, &t, NULL))
            abort();
    }
    if (weights_done(w, NULL))
        abort();
    return w;
}

static void all_names(const char *key)
{
    static void (*const maps[])(const char *, char *, size_t) = {names_dit, names_t5, names_vae,
                                                                 names_clip};
    static const size_t sizes[] = {1, 9, 64, 512};
    for (int i = 0; i < 16; i++) {
        char *out = malloc(sizes[i / 4]);
        maps[i % 4](key, out, sizes[i / 4]);
        if (!memchr(out, '\0', sizes[i / 4]))
            abort();
        free(out);
    }
}

/* One line as an entry of the header; returns the bytes of its data. */
static size_t entry(cJSON *header, char *line, size_t at)
{
    char *space = strchr(line, ' ');
    cJSON *item = cJSON_CreateObject(), *shape = cJSON_AddArrayToObject(item, "shape"), *offsets;
    size_t count = 1;
    if (space)
        *space++ = '\0';
    for (int rank = 0; space && rank < 6; rank++) {
        long v = strtol(space, &space, 10);
        if (v <= 0 || count * (size_t)v > ELEMENTS_MAX || v > ELEMENTS_MAX)
            break;
        cJSON_AddItemToArray(shape, cJSON_CreateNumber((double)v));
        count *= (size_t)v;
    }
    cJSON_AddStringToObject(item, "dtype", "F32");
    offsets = cJSON_AddArrayToObject(item, "data_offsets");
    cJSON_AddItemToArray(offsets, cJSON_CreateNumber((double)at));
    cJSON_AddItemToArray(offsets, cJSON_CreateNumber((double)(at + count * 4)));
    cJSON_AddItemToObject(header, line, item);
    return count * 4;
}

static void apply(const char *path, const struct weights *model)
{
    struct lora_set set = {.n = 1, .strength = {-0.5}};
    struct lora *l = NULL;
    struct fault f = {0};
    if (lora_open(path, model, &l, &f)) {
        if (!*f.text)
            abort();
        return;
    }
    set.lora[0] = l;
    struct patcher p = lora_patcher(&set);
    for (int i = 0; i < model->n; i++) {
        const struct wtensor *t = &model->t[i];
        float *values = calloc((size_t)t->count, sizeof *values);
        lora_touches(&set, t->name);
        p.apply(p.user, NULL, t->name, values, t->dim[0], t->count / t->dim[0]);
        free(values);
    }
    lora_free(l);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static struct weights *model;
    static const float numbers[ELEMENTS_MAX] = {1, 2, 3, 4};
    struct buf text = BUF_INIT(0), file = BUF_INIT(0);
    cJSON *header = cJSON_CreateObject();
    char *save = NULL, path[64];
    size_t at = 0;
    uint64_t length;
    if (!model)
        model = small_model();
    buf_add(&text, data, n < 8192 ? n : 8192);
    buf_add(&file, "........", 8);
    for (char *line = strtok_r(text.data, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
        all_names(line);
        at += entry(header, line, at);
    }
    json_print(&file, header, false);
    length = file.len - 8;
    memcpy(file.data, &length, 8);
    for (size_t done = 0; done < at; done += sizeof numbers)
        buf_add(&file, numbers, at - done < sizeof numbers ? at - done : sizeof numbers);
    int fd = memfd_create("lora", MFD_CLOEXEC);
    if (fd < 0 || write(fd, file.data, file.len) != (ssize_t)file.len)
        abort();
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    apply(path, model);
    close(fd);
    cJSON_Delete(header);
    buf_free(&text);
    buf_free(&file);
    return 0;
}
