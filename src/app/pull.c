#include "app/pull.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/path.h"
#include "loop/http.h"
#include "media/digest.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define ATTEMPTS 5 /* in a row that brought nothing */
#define RETRY_MS 500
#define INDEX_MAX ((size_t)16 << 20)
#define SHARDS_MAX 64
#define FILES_MAX (SHARDS_MAX + 16)
#define RESERVE ((int64_t)1 << 30) /* bytes of the disk that stay free */

/* ---- what is published (sizes and sums: wan.md, section 2.1) ---- */

#define TEXT_ENCODER                                                                               \
    {"models_t5_umt5-xxl-enc-bf16.pth", 11361920418, "7cace0da2b44…fd81d"},                        \
        {"google/umt5-xxl/spiece.model", 4548313, "e3909a67b780…2458"},                            \
    {                                                                                              \
        "google/umt5-xxl/tokenizer.json", 16837417, "6e197b4d3dbd…602b"                          \
    }
#define VAE                                                                                        \
    {                                                                                              \
        "Wan2.1_VAE.pth", 507609880, "38071ab59bd9…d981"                                         \
    }
#define CLIP                                                                                       \
    {                                                                                              \
        "models_clip_open-clip-xlm-roberta-large-vit-huge-14.pth", 4772359047,                     \
            "628c9998b613…a158c"                                                                 \
    }
#define SINGLE "diffusion_pytorch_model.safetensors"
#define INDEX SINGLE ".index.json"

static const struct pull_file t2v_small[] = {{"config.json", 0, NULL},
                                             {SINGLE, 5676070424, "96b6b242ca1c…8e8f"},
                                             VAE,
                                             TEXT_ENCODER,
                                             {NULL, 0, NULL}};
static const struct pull_file vace_small[] = {
    {"config.json", 0, NULL}, {SINGLE, 0, NULL}, VAE, TEXT_ENCODER, {NULL, 0, NULL}};
static const struct pull_file text_large[] = {
    {"config.json", 0, NULL}, {INDEX, 0, NULL}, VAE, TEXT_ENCODER, {NULL, 0, NULL}};
static const struct pull_file image_large[] = {
    {"config.json", 0, NULL}, {INDEX, 0, NULL}, VAE, CLIP, TEXT_ENCODER, {NULL, 0, NULL}};

static const struct pull_model models[] = {
    {"wan2.1-t2v-1.3b", "Wan-AI/Wan2.1-T2V-1.3B", "text to video, 480p", t2v_small},
    {"wan2.1-t2v-14b", "Wan-AI/Wan2.1-T2V-14B", "text to video, 480p and 720p", text_large},
    {"wan2.1-i2v-14b-480p", "Wan-AI/Wan2.1-I2V-14B-480P", "image to video, 480p", image_large},
    {"wan2.1-i2v-14b-720p", "Wan-AI/Wan2.1-I2V-14B-720P", "image to video, 720p", image_large},
    {"wan2.1-flf2v-14b-720p", "Wan-AI/Wan2.1-FLF2V-14B-720P", "first and last frame to video",
     image_large},
    {"wan2.1-vace-1.3b", "Wan-AI/Wan2.1-VACE-1.3B", "editing and reference, 480p", vace_small},
    {"wan2.1-vace-14b", "Wan-AI/Wan2.1-VACE-14B", "editing and reference, 720p", text_large},
};

const struct pull_model *pull_models(int *count)
{
    *count = (int)(sizeof models / sizeof *models);
    return models;
}

/* ---- one pull ---- */

struct item {
    char name[256];
    int64_t bytes; /* 0 unknown */
    const char *sum;
};

struct pull {
    struct loop *loop;
    const struct pull_model *model;
    const struct pull_settings *set;
    struct item files[FILES_MAX];
    int count;

    /* the file on its way */
    const struct item *file;
    char path[PATH_LEN], part[PATH_LEN + 8];
    int fd;
    int64_t have, total, began_with; /* began_with: bytes when this attempt began */
    char sum[65];                    /* that the server named */
    int64_t mark_ms, mark_have, rate;

    bool ended;
    enum err end;
    char why[512];
    struct fault own; /* a failure of this side: the disk's */
};

static void tell(struct pull *p, const char *event)
{
    struct pull_progress now = {p->file->name, p->have, p->total, p->rate, event};
    if (p->set->progress)
        p->set->progress(p->set->user, &now);
}

/* Does it begin and end as the published digits do? */
static bool sum_fits(const char *sum, const char *known)
{
    const char *gap = strstr(known, "…");
    if (!gap)
        return !strcmp(sum, known);
    const char *tail = gap + strlen("…");
    return !strncmp(sum, known, (size_t)(gap - known)) && !strcmp(sum + 64 - strlen(tail), tail);
}

static bool on_head(void *user, const struct http_head *h)
{
    struct pull *p = user;
    if (p->file->sum && h->sha256[0] && !sum_fits(h->sha256, p->file->sum)) {
        fault_set(&p->own, ERR_CORRUPT,
                  "%s has the SHA-256 %s on the server, %s was published: is %s the right address?",
                  p->file->name, h->sha256, p->file->sum, p->set->base);
        return false;
    }
    if (p->file->bytes && h->total >= 0 && h->total != p->file->bytes) {
        fault_set(&p->own, ERR_CORRUPT,
                  "%s has %" PRId64 " bytes on the server, %" PRId64 " were published: is %s the "
                  "right address?",
                  p->file->name, h->total, p->file->bytes, p->set->base);
        return false;
    }
    if (h->from != p->have) { /* it sends all of it again */
        if (ftruncate(p->fd, 0) || lseek(p->fd, 0, SEEK_SET)) {
            fault_set(&p->own, ERR_IO, "cannot write %s: %s", p->part, strerror(errno));
            return false;
        }
        p->have = p->began_with = 0;
    }
    p->total = h->total;
    str_copy(p->sum, sizeof p->sum, h->sha256);
    int64_t room = path_free_bytes(p->set->dir);
    if (p->total > 0 && room >= 0 && p->total - p->have > room - RESERVE) {
        fault_set(&p->own, ERR_FULL,
                  "%s needs %" PRId64 " MB more, %" PRId64 " MB are free on the disk of %s: make "
                  "room or name another folder",
                  p->file->name, (p->total - p->have) >> 20, room >> 20, p->set->dir);
        return false;
    }
    return true;
}

static bool on_body(void *user, const void *bytes, size_t n)
{
    struct pull *p = user;
    for (size_t at = 0; at < n;) {
        ssize_t w = write(p->fd, (const char *)bytes + at, n - at);
        if (w < 0 && errno == EINTR)
            continue;
        if (w <= 0) {
            fault_set(&p->own, errno == ENOSPC ? ERR_FULL : ERR_IO, "cannot write %s: %s", p->part,
                      strerror(errno));
            return false;
        }
        at += (size_t)w;
    }
    p->have += (int64_t)n;
    int64_t limit = p->file->bytes ? p->file->bytes : p->total;
    if (limit > 0 && p->have > limit) {
        fault_set(&p->own, ERR_CORRUPT, "%s is longer than its %" PRId64 " bytes", p->file->name,
                  limit);
        return false;
    }
    int64_t now = clock_mono_ms();
    if (now - p->mark_ms >= 500) {
        p->rate = (p->have - p->mark_have) * 1000 / (now - p->mark_ms);
        p->mark_ms = now;
        p->mark_have = p->have;
        tell(p, NULL);
    }
    return true;
}

static void on_end(void *user, enum err e, const char *why)
{
    struct pull *p = user;
    p->ended = true;
    p->end = e;
    str_copy(p->why, sizeof p->why, why);
    loop_stop(p->loop);
}

static const struct http_ops ops = {on_head, on_body, on_end};

/* One transfer of the file, from what is there already. */
static enum err attempt(struct pull *p, struct fault *f)
{
    char url[1024];
    struct http_request rq = {
        .url = url, .from = p->have, .ca = p->set->ca, .stall_s = p->set->stall_s};
    int n = snprintf(url, sizeof url, "%s/%s/resolve/main/%s", p->set->base, p->model->repository,
                     p->file->name);
    if (n >= (int)sizeof url)
        return fault_set(f, ERR_LIMIT, "the address %s is too long", p->set->base);
    p->ended = false;
    p->began_with = p->have;
    p->own = (struct fault){0};
    p->mark_ms = clock_mono_ms();
    p->mark_have = p->have;
    if (!http_get(p->loop, &rq, &ops, p, f))
        return f->code;
    while (!p->ended)
        loop_run(p->loop);
    if (p->own.code) {
        *f = p->own;
        return f->code;
    }
    return p->end ? fault_set(f, p->end, "%s: %s", p->file->name, p->why) : ERR_OK;
}

static void wait_ms(void *user)
{
    struct pull *p = user;
    p->ended = true;
    loop_stop(p->loop);
}

static enum err rest(struct pull *p, int64_t ms, struct fault *f)
{
    struct timer *t = timer_new(p->loop, "retry", wait_ms, p);
    if (!t)
        return fault_set(f, ERR_NOMEM, "out of memory");
    p->ended = false;
    timer_start(t, ms, 0);
    while (!p->ended)
        loop_run(p->loop);
    timer_free(t);
    return ERR_OK;
}

static bool worth_another(enum err e)
{
    return e == ERR_IO || e == ERR_TIMEOUT;
}

/* Goes on until the file is whole or the server has failed five times without sending a byte. */
static enum err fetch(struct pull *p, struct fault *f)
{
    int64_t first = p->set->retry_ms ? p->set->retry_ms : RETRY_MS, pause = first;
    for (int failed = 0;;) {
        char words[600];
        enum err e = attempt(p, f);
        bool full = p->total > 0 && p->have < p->total;
        if (!e && full) /* it ended early without an error */
            e = fault_set(f, ERR_IO, "%s: the server sent %" PRId64 " of %" PRId64 " bytes",
                          p->file->name, p->have, p->total);
        if (e == ERR_LIMIT && p->have > 0) { /* more is here than the file has */
            if (ftruncate(p->fd, 0) || lseek(p->fd, 0, SEEK_SET))
                return fault_set(f, ERR_IO, "cannot write %s: %s", p->part, strerror(errno));
            p->have = 0;
            e = ERR_IO;
        }
        if (!e || p->own.code || !worth_another(e))
            return e;
        if (p->have > p->began_with) {
            failed = 0;
            pause = first;
        }
        if (++failed == ATTEMPTS)
            return e;
        snprintf(words, sizeof words, "%s; trying again from %" PRId64 " MB", fault_text(f),
                 p->have >> 20);
        tell(p, words);
        e = rest(p, pause, f);
        if (e)
            return e;
        pause = pause * 2 < first * 60 ? pause * 2 : first * 60;
    }
}

/* ---- is it the right file? ---- */

static enum err sum_of(const char *path, char out[65], struct fault *f)
{
    static char block[1 << 20];
    struct digest *d = digest_new();
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = -1;
    if (d && fd >= 0)
        while ((n = read(fd, block, sizeof block)) > 0)
            digest_add(d, block, (size_t)n);
    if (n == 0)
        digest_hex(d, out);
    int why = errno;
    digest_free(d);
    if (fd >= 0)
        close(fd);
    return n == 0 ? ERR_OK : fault_set(f, ERR_IO, "cannot read %s: %s", path, strerror(why));
}

/* By all of the server's digits where it names them (they fit the published ones: on_head), else by
 * those that are published. */
static enum err verify(const struct pull *p, struct fault *f)
{
    const char *want = p->sum[0] ? p->sum : p->file->sum;
    char sum[65];
    if (!want)
        return ERR_OK;
    enum err e = sum_of(p->part, sum, f);
    if (!e && !sum_fits(sum, want))
        e = fault_set(f, ERR_CORRUPT, "%s came damaged: its SHA-256 is %s, %s was published",
                      p->file->name, sum, want);
    return e;
}

static enum err keep(struct pull *p, struct fault *f)
{
    if (fsync(p->fd) || rename(p->part, p->path))
        return fault_set(f, ERR_IO, "cannot finish %s: %s", p->path, strerror(errno));
    return ERR_OK;
}

/* Two that write one part would each find it damaged by the other. One that has just become the
 * file itself is the other's too. */
static bool is_mine(const struct pull *p)
{
    struct stat open, there;
    return !flock(p->fd, LOCK_EX | LOCK_NB) && !fstat(p->fd, &open) && !stat(p->part, &there) &&
           open.st_ino == there.st_ino && open.st_dev == there.st_dev;
}

static enum err open_part(struct pull *p, struct fault *f)
{
    char dir[PATH_LEN];
    str_copy(dir, sizeof dir, p->path);
    *strrchr(dir, '/') = '\0';
    if (path_mkdirs(dir, 0755, f))
        return f->code;
    snprintf(p->part, sizeof p->part, "%s.part", p->path);
    p->fd = open(p->part, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
    if (p->fd < 0)
        return fault_set(f, ERR_IO, "cannot write %s: %s", p->part, strerror(errno));
    if (!is_mine(p))
        return fault_set(f, ERR_BUSY, "%s is being fetched already; wait for that, or end it",
                         p->part);
    p->have = lseek(p->fd, 0, SEEK_END);
    p->total = p->file->bytes ? p->file->bytes : -1;
    p->sum[0] = '\0';
    p->rate = 0;
    return ERR_OK;
}

/* What lies there, of the right size: is it that? Where not, it may be of use to somebody: it
 * stays. */
static enum err judge(struct pull *p, struct fault *f)
{
    char sum[65];
    if (!p->file->sum) {
        tell(p, p->file->bytes
                    ? "is here already; no SHA-256 is known, only its size was compared"
                    : "is here already; neither size nor SHA-256 is known, so nothing of "
                      "it was compared");
        return ERR_OK;
    }
    tell(p, "is here already, its SHA-256 is computed");
    enum err e = sum_of(p->path, sum, f);
    if (!e && !sum_fits(sum, p->file->sum))
        return fault_set(f, ERR_CORRUPT,
                         "%s has the SHA-256 %s, %s was published; move it away and pull again",
                         p->path, sum, p->file->sum);
    if (!e)
        tell(p, "is here, with the published SHA-256");
    return e;
}

/* A whole part (the rename was missed, or it was damaged) is judged without asking the server. */
static enum err get_file(struct pull *p, struct fault *f)
{
    struct stat st;
    enum err e = path_join(p->path, sizeof p->path, p->set->dir, p->file->name);
    if (e)
        return fault_set(f, e, "the path of %s is too long", p->file->name);
    if (!stat(p->path, &st) && (!p->file->bytes || st.st_size == p->file->bytes)) {
        p->have = p->total = st.st_size;
        return judge(p, f);
    }
    e = open_part(p, f);
    for (int tries = 0; !e && tries < 2; tries++) {
        bool whole = p->file->bytes && p->have == p->file->bytes;
        e = whole ? ERR_OK : fetch(p, f);
        if (!e)
            e = verify(p, f);
        if (!e) {
            e = keep(p, f);
            if (!e)
                tell(p, "is here");
            break;
        }
        if (e != ERR_CORRUPT || p->own.code)
            break;
        tell(p, fault_text(f));
        if (ftruncate(p->fd, 0) || lseek(p->fd, 0, SEEK_SET)) {
            e = fault_set(f, ERR_IO, "cannot write %s: %s", p->part, strerror(errno));
            break;
        }
        p->have = 0;
        if (!tries)
            e = ERR_OK; /* once more, from its first byte */
    }
    if (p->fd >= 0)
        close(p->fd);
    p->fd = -1;
    return e;
}

/* ---- the list ---- */

static struct item *add(struct pull *p, const char *name, struct fault *f)
{
    for (int i = 0; i < p->count; i++)
        if (!strcmp(p->files[i].name, name))
            return &p->files[i];
    if (p->count == FILES_MAX || !str_copy(p->files[p->count].name, sizeof p->files->name, name)) {
        fault_set(f, ERR_LIMIT, "%s has more files than a model has", p->model->name);
        return NULL;
    }
    return &p->files[p->count++];
}

/* A name out of an index is a stranger's: a plain file name and nothing else. */
static bool plain_name(const char *s)
{
    size_t n = strlen(s);
    return n > 12 && n < 200 && s[0] != '.' && !strcmp(s + n - 12, ".safetensors") &&
           strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") == n;
}

static enum err add_shards(struct pull *p, struct fault *f)
{
    struct buf b = BUF_INIT(0);
    enum err e = path_read(p->path, INDEX_MAX, &b, f);
    cJSON *o = e ? NULL : json_parse(buf_str(&b), b.len, f);
    const cJSON *map = json_obj(o, "weight_map"), *w;
    buf_free(&b);
    if (!e && !map)
        e = fault_set(f, ERR_CORRUPT, "%s is no index of weights; remove it and pull again",
                      p->path);
    cJSON_ArrayForEach(w, map)
    {
        if (e)
            break;
        if (!cJSON_IsString(w) || !plain_name(w->valuestring))
            e = fault_set(f, ERR_CORRUPT, "%s names a file that is none; nothing of it is fetched",
                          p->path);
        else if (!add(p, w->valuestring, f))
            e = f->code;
    }
    cJSON_Delete(o);
    return e;
}

/* Before anything is begun: is there room for what is known to come? */
static enum err check_room(const struct pull *p, struct fault *f)
{
    int64_t need = 0, room = path_free_bytes(p->set->dir);
    for (int i = 0; i < p->count; i++) {
        char path[PATH_LEN + 8];
        struct stat st;
        if (path_join(path, PATH_LEN, p->set->dir, p->files[i].name))
            continue;
        int64_t have = stat(path, &st) ? 0 : st.st_size;
        strcat(path, ".part");
        if (!have && !stat(path, &st))
            have = st.st_size;
        if (p->files[i].bytes > have)
            need += p->files[i].bytes - have;
    }
    if (room < 0 || need <= room - RESERVE)
        return ERR_OK;
    return fault_set(f, ERR_FULL,
                     "%s needs %" PRId64 " MB more, %" PRId64 " MB are free on the disk of %s: "
                     "make room or name another folder",
                     p->model->name, need >> 20, room >> 20, p->set->dir);
}

enum err pull_model(struct loop *l, const struct pull_model *m, const struct pull_settings *set,
                    struct fault *f)
{
    struct pull *p = calloc(1, sizeof *p);
    if (!p)
        return fault_set(f, ERR_NOMEM, "out of memory");
    p->loop = l;
    p->model = m;
    p->set = set;
    p->fd = -1;
    for (const struct pull_file *file = m->files; file->name; file++) {
        struct item *it = add(p, file->name, f);
        it->bytes = file->bytes;
        it->sum = file->sum;
    }
    enum err e = path_mkdirs(set->dir, 0755, f);
    if (!e)
        e = check_room(p, f);
    for (int i = 0; !e && i < p->count; i++) {
        p->file = &p->files[i];
        e = get_file(p, f);
        if (!e && strstr(p->file->name, ".index.json"))
            e = add_shards(p, f);
    }
    free(p);
    return e;
}
