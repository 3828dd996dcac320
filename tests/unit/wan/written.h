/* Model folders with files of one's own making: tensors with their numbers, written as safetensors,
 * and what such a folder is told to be and draws. */
#ifndef SAKUGA_TESTS_UNIT_WAN_WRITTEN_H
#define SAKUGA_TESTS_UNIT_WAN_WRITTEN_H

#include "unit/wan/tiny.h"

#include "base/buf.h"
#include "base/path.h"
#include "wan/tokenizer.h"
#include "wan/wan.h"
#include "wan/weights.h"

static char dir[] = "/tmp/sakuga-written-XXXXXX";
static struct fault fault;
static bool written_last; /* a clip has a last picture too */
static const char *written_device = "cpu", *written_dtype = "f32"; /* that they are drawn by */

/* ---- files ---- */

struct entry {
    char name[320];
    enum dtype type;
    int rank;
    int64_t dim[WEIGHTS_RANK], count;
    void *data;
};

struct list {
    struct entry e[1200];
    int n;
};

static inline size_t bytes_of(const struct entry *e)
{
    return (size_t)e->count * dtype_size(e->type);
}

static inline struct entry *list_add(struct list *l, const char *name, enum dtype type, int rank,
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

static inline struct list *list_read(const char *golden_file)
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

static inline void list_free(struct list *l)
{
    for (int i = 0; i < l->n; i++)
        free(l->e[i].data);
    free(l);
}

static inline void list_write(const struct list *l, int from, int to, const char *folder,
                              const char *name)
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

/* ---- what they are, and what they draw ---- */

static inline enum err written_frames(void *user, const struct wan_frames *p, struct fault *f)
{
    uint64_t *h = user;
    for (size_t i = 0; i < (size_t)(p->count * p->width * p->height) * 3; i++)
        *h = (*h ^ p->rgb[i]) * UINT64_C(1099511628211);
    return ERR_OK;
}

static inline uint64_t frames_of(const char *folder)
{
    uint64_t h = UINT64_C(14695981039346656037);
    const struct wan_setup setup = {
        .model = folder, .device = written_device, .dtype = written_dtype};
    const struct wan_calls calls = {.frames = written_frames, .user = &h};
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
    job.last = written_last ? &last : NULL;
    if (wan_make(w, &job, &calls, NULL, &fault))
        fail_msg("%s", fault_text(&fault));
    wan_free(w);
    return h;
}

/* A line of what `sakuga model info` says, where that program was built. */
static inline void info_says(const char *folder, const char *key, const char *words)
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

static inline void is_the_tiny_model(const char *folder, const char *stored)
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

static inline const char *fresh(const char *name)
{
    static char path[128];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    mkdir(path, 0700);
    return path;
}

static inline int written_set_up(void **state)
{
    (void)state;
    return mkdtemp(dir) ? 0 : -1;
}

static inline int written_tear_down(void **state)
{
    (void)state;
    tiny_remove(dir);
    return 0;
}

#endif
