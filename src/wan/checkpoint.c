#include "wan/checkpoint.h"

#include "base/hash.h"
#include "base/path.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAGIC "SKWANCK"
#define FORMAT '3' /* behind it */
#define ARRAYS 5

struct head {
    char magic[7], format;
    uint32_t what_n, how_n, said_n, chosen_n; /* bytes, without a terminator */
    int32_t step, steps, kind, order;
    int64_t n; /* numbers of each array */
    int32_t noise_at, noise_has_spare;
    double noise_spare;
    uint32_t noise[624];
};

enum err checkpoint_name(const char *dir, const char *what, char out[], size_t n)
{
    char name[64];
    snprintf(name, sizeof name, ".sakuga-%016llx.ckpt",
             (unsigned long long)hash_more(HASH_BEGIN, what, strlen(what)));
    return path_join(out, n, dir, name);
}

/* A checkpoint without a sampler says so by this kind. */
#define NO_KIND (-1)

static int64_t numbers(const struct checkpoint *c)
{
    return c->sampler ? c->sampler->n : c->n;
}

static int32_t steps(const struct checkpoint *c)
{
    return c->sampler ? c->sampler->schedule.steps : c->steps;
}

static int32_t kind(const struct checkpoint *c)
{
    return c->sampler ? (int32_t)c->sampler->kind : NO_KIND;
}

/* How many arrays there are. */
static int arrays(const struct checkpoint *c, float *out[ARRAYS])
{
    out[0] = c->latent;
    if (!c->sampler)
        return 1;
    out[1] = c->sampler->now;
    out[2] = c->sampler->before[0];
    out[3] = c->sampler->before[1];
    out[4] = c->sampler->anchor;
    return ARRAYS;
}

static size_t whole_size(size_t texts_n, int32_t kind, int64_t n)
{
    return sizeof(struct head) + texts_n +
           (kind == NO_KIND ? 1 : ARRAYS) * (size_t)n * sizeof(float) + sizeof(uint64_t);
}

enum err checkpoint_write(const char *path, const struct checkpoint *c, struct fault *f)
{
    size_t what_n = strlen(c->what), how_n = strlen(c->how);
    size_t said_n = c->said ? c->said->len : 0, chosen_n = c->chosen ? strlen(c->chosen) : 0;
    size_t bytes = (size_t)numbers(c) * sizeof(float);
    size_t size = whole_size(what_n + how_n + said_n + chosen_n, kind(c), numbers(c));
    float *from[ARRAYS];
    int n = arrays(c, from);
    if (what_n > CHECKPOINT_TEXT_MAX || how_n > CHECKPOINT_TEXT_MAX ||
        said_n > CHECKPOINT_TEXT_MAX || chosen_n > CHECKPOINT_TEXT_MAX ||
        (c->said && c->said->failed))
        return fault_set(f, ERR_LIMIT, "the job's description is too long for a checkpoint");
    char *all = malloc(size), *at = all;
    if (!all)
        return fault_set(f, ERR_NOMEM, "no memory for a checkpoint of %zu bytes", size);
    struct head h = {.what_n = (uint32_t)what_n,
                     .how_n = (uint32_t)how_n,
                     .said_n = (uint32_t)said_n,
                     .chosen_n = (uint32_t)chosen_n,
                     .format = FORMAT,
                     .step = c->step,
                     .steps = steps(c),
                     .kind = kind(c),
                     .order = c->sampler ? c->sampler->order : 0,
                     .n = numbers(c),
                     .noise_at = c->noise->at,
                     .noise_has_spare = c->noise->has_spare,
                     .noise_spare = c->noise->spare};
    memcpy(h.magic, MAGIC, sizeof h.magic);
    memcpy(h.noise, c->noise->state, sizeof h.noise);
    memcpy(at, &h, sizeof h);
    at += sizeof h;
    memcpy(at, c->what, what_n);
    at += what_n;
    memcpy(at, c->how, how_n);
    at += how_n;
    if (said_n)
        memcpy(at, c->said->data, said_n);
    at += said_n;
    if (chosen_n)
        memcpy(at, c->chosen, chosen_n);
    at += chosen_n;
    for (int i = 0; i < n; i++, at += bytes)
        memcpy(at, from[i], bytes);
    uint64_t sum = hash_more(HASH_BEGIN, all, (size_t)(at - all));
    memcpy(at, &sum, sizeof sum);
    enum err e = path_write(path, all, size, 0600, f);
    free(all);
    return e;
}

/* The first line that two texts do not share, as "key: there, here". */
static enum err differs(const char *name, const char *had, size_t had_n, const char *want,
                        struct fault *f)
{
    size_t want_n = strlen(want);
    while (had_n || want_n) {
        const char *a = memchr(had, '\n', had_n), *b = memchr(want, '\n', want_n);
        size_t an = a ? (size_t)(a - had) : had_n, bn = b ? (size_t)(b - want) : want_n;
        if (an != bn || memcmp(had, want, an)) {
            char then[120], now[120];
            snprintf(then, sizeof then, "%.*s", (int)(an > 100 ? 100 : an), had);
            snprintf(now, sizeof now, "%.*s", (int)(bn > 100 ? 100 : bn), want);
            str_printable(then);
            str_printable(now);
            return fault_set(f, ERR_STATE, "%s was made with \"%s\", this is \"%s\"", name, then,
                             now);
        }
        an += a != NULL;
        bn += b != NULL;
        had += an;
        had_n -= an;
        want += bn;
        want_n -= bn;
    }
    return ERR_OK;
}

static enum err damaged(const char *name, const char *why, struct fault *f)
{
    return fault_set(f, ERR_CORRUPT, "the checkpoint %s is damaged: %s", name, why);
}

static enum err another_format(const char *name, char format, struct fault *f)
{
    bool digit = format >= '0' && format <= '9';
    return fault_set(f, ERR_VERSION, "the checkpoint %s is of format %c, this build's are of %c",
                     name, digit ? format : '?', FORMAT);
}

static enum err rely(const char *name, const struct checkpoint *c, const char *chosen, size_t n,
                     struct fault *f)
{
    struct fault why;
    enum err e = ERR_OK;
    if (!c->rely)
        return n ? damaged(name, "it holds choices that nobody made", f) : ERR_OK;
    if ((e = c->rely(c->user, chosen, n, &why)))
        fault_set(f, e, "%s: %s", name, fault_text(&why));
    return e;
}

enum err checkpoint_parse(const void *bytes, size_t n, const char *name, struct checkpoint *c,
                          struct fault *f)
{
    struct head h;
    uint64_t sum;
    const char *all = bytes;
    float *to[ARRAYS];
    enum err e;
    if (n < sizeof h + sizeof sum)
        return damaged(name, "it is too short", f);
    memcpy(&h, all, sizeof h);
    if (memcmp(h.magic, MAGIC, sizeof h.magic))
        return damaged(name, "it is none", f);
    if (h.format != FORMAT)
        return another_format(name, h.format, f);
    if (h.what_n > CHECKPOINT_TEXT_MAX || h.how_n > CHECKPOINT_TEXT_MAX ||
        h.said_n > CHECKPOINT_TEXT_MAX || h.chosen_n > CHECKPOINT_TEXT_MAX || h.n < 0 ||
        h.n > INT64_C(1) << 32 ||
        n != whole_size((size_t)h.what_n + h.how_n + h.said_n + h.chosen_n, h.kind, h.n))
        return damaged(name, "its length is wrong", f);
    memcpy(&sum, all + n - sizeof sum, sizeof sum);
    if (sum != hash_more(HASH_BEGIN, all, n - sizeof sum))
        return damaged(name, "its sum is wrong", f);
    const char *what = all + sizeof h, *how = what + h.what_n, *said = how + h.how_n;
    const char *chosen = said + h.said_n, *data = chosen + h.chosen_n;
    e = differs(name, what, h.what_n, c->what, f);
    e = e ? e : differs(name, how, h.how_n, c->how, f);
    if (e)
        return e;
    if (h.n != numbers(c) || h.steps != steps(c) || h.kind != kind(c))
        return damaged(name, "it is of another size than it says", f);
    if (h.step < 1 || h.step > h.steps || h.order < 0 || h.order > 2 || h.noise_at < 0 ||
        h.noise_at > 624)
        return damaged(name, "a counter is impossible", f);
    if (h.said_n && !c->said)
        return damaged(name, "it holds prompts that nobody gave", f);
    if ((e = rely(name, c, chosen, h.chosen_n, f)))
        return e;
    if (c->said) {
        struct buf fresh = BUF_INIT(CHECKPOINT_TEXT_MAX);
        if (!buf_add(&fresh, said, h.said_n))
            return fault_set(f, ERR_NOMEM, "no memory for the prompts in %s", name);
        buf_free(c->said);
        *c->said = fresh;
    }
    int count = arrays(c, to);
    for (int i = 0; i < count; i++)
        memcpy(to[i], data + (size_t)i * (size_t)h.n * sizeof(float), (size_t)h.n * sizeof(float));
    c->step = h.step;
    if (c->sampler)
        c->sampler->order = h.order;
    c->noise->at = h.noise_at;
    c->noise->has_spare = h.noise_has_spare != 0;
    c->noise->spare = h.noise_spare;
    memcpy(c->noise->state, h.noise, sizeof h.noise);
    return ERR_OK;
}

enum err checkpoint_read(const char *path, struct checkpoint *c, struct fault *f)
{
    size_t most = whole_size(4 * CHECKPOINT_TEXT_MAX, kind(c), numbers(c));
    struct buf b = BUF_INIT(most + 65536); /* path_read() asks for room in pieces */
    enum err e = path_read(path, most, &b, f);
    if (!e)
        e = checkpoint_parse(b.data ? b.data : "", b.len, path, c, f);
    buf_free(&b);
    return e;
}
