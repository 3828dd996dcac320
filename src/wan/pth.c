/* torch's .pth: a zip archive of one pickle and the raw storages (spec 2.7). The pickle says which
 * part of which storage each tensor is; all of it is checked against the sizes in the archive. */
#include "wan/weights.h"

#include "wan/pickle.h"
#include "wan/zip.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PICKLE_MAX ((uint64_t)64 << 20)
#define NAME_MAX_HERE 512

struct archive {
    struct weights *w;
    const struct mapping *m;
    struct zip_member *members;
    int members_n;
    char root[256];
    struct fault *f;
};

static const struct zip_member *find_pickle(struct archive *a)
{
    static const char tail[] = "/data.pkl";
    for (int i = 0; i < a->members_n; i++) {
        const struct zip_member *m = &a->members[i];
        size_t n = sizeof tail - 1;
        if (m->name_n > n && m->name_n - n < sizeof a->root &&
            !memcmp(m->name + m->name_n - n, tail, n)) {
            memcpy(a->root, m->name, m->name_n - n);
            a->root[m->name_n - n] = '\0';
            return m;
        }
    }
    return NULL;
}

static enum err bad(const struct archive *a, const char *name, const char *what)
{
    return fault_set(a->f, ERR_CORRUPT, "%s: the tensor %.200s %s", a->m->path, name, what);
}

/* Row-major strides, or the ones given; and does its last element lie inside? */
static enum err layout(const struct archive *a, const struct pickle_value *v, struct wtensor *t)
{
    const struct pickle_value *sizes = v->items[1], *strides = v->items[2];
    if (sizes->items_n > WEIGHTS_RANK || strides->items_n != sizes->items_n)
        return bad(a, t->name, "has too many axes");
    t->rank = (int)sizes->items_n;
    for (int i = 0; i < t->rank; i++) {
        const struct pickle_value *n = sizes->items[i], *s = strides->items[i];
        if (n->kind != PICKLE_INT || s->kind != PICKLE_INT || n->number < 0 || s->number < 0)
            return bad(a, t->name, "has an impossible shape");
        t->dim[i] = n->number;
        t->stride[i] = s->number;
    }
    int64_t last = v->number, reach, elements = v->items[0]->number;
    uint64_t run = 1; /* of an empty tensor it may wrap */
    if (!wtensor_measure(t) || t->count > elements || last < 0)
        return bad(a, t->name, "is larger than its storage");
    for (int i = t->rank - 1; i >= 0; i--) {
        if (t->dim[i] != 1 && (uint64_t)t->stride[i] != run)
            t->strided = true;
        run *= (uint64_t)t->dim[i];
        if (t->count && (__builtin_mul_overflow(t->dim[i] - 1, t->stride[i], &reach) ||
                         __builtin_add_overflow(last, reach, &last)))
            return bad(a, t->name, "has impossible strides");
    }
    if (t->count ? last >= elements : last > elements)
        return bad(a, t->name, "reaches behind its storage");
    return ERR_OK;
}

static enum err add_tensor(struct archive *a, const struct pickle_value *key,
                           const struct pickle_value *v)
{
    char name[NAME_MAX_HERE], member[NAME_MAX_HERE];
    const struct pickle_value *storage = v->items[0];
    if (key->text_n >= sizeof name || memchr(key->text, '\0', key->text_n))
        return fault_set(a->f, ERR_CORRUPT, "%s: a tensor's name is not acceptable", a->m->path);
    memcpy(name, key->text, key->text_n);
    name[key->text_n] = '\0';
    struct wtensor t = {.name = name, .file = a->m->path, .type = storage->type};
    if (snprintf(member, sizeof member, "%s/data/%.*s", a->root,
                 (int)(storage->text_n < 64 ? storage->text_n : 64),
                 storage->text) >= (int)sizeof member)
        return bad(a, name, "has a storage of too long a name");
    const struct zip_member *m = zip_find(a->members, a->members_n, member);
    if (!m)
        return bad(a, name, "has no storage in the archive");
    size_t size = dtype_size(t.type);
    if (storage->number < 0 || (uint64_t)storage->number > m->size / size)
        return bad(a, name, "has a storage that is cut short");
    enum err e = layout(a, v, &t);
    if (e)
        return e;
    t.data = m->data + (size_t)v->number * size;
    return weights_add(a->w, &t, a->f);
}

/* Training checkpoints keep the weights one level down; the averaged ones are the better ones. */
static const struct pickle_value *state_of(const struct pickle_value *top)
{
    static const char *const inner[] = {"generator_ema", "generator", "state_dict", "model"};
    for (size_t i = 0; i < sizeof inner / sizeof *inner; i++) {
        const struct pickle_value *v = pickle_get(top, inner[i]);
        if (v && v->kind == PICKLE_DICT)
            return v;
    }
    return top;
}

static enum err add_all(struct archive *a, const struct pickle_value *top)
{
    const struct pickle_value *state = state_of(top);
    enum err e = ERR_OK;
    int had = a->w->n;
    if (state->kind != PICKLE_DICT)
        return fault_set(a->f, ERR_CORRUPT, "%s holds no dictionary of tensors", a->m->path);
    for (size_t i = 0; i + 1 < state->items_n && !e; i += 2)
        if (state->items[i]->kind == PICKLE_STRING && state->items[i + 1]->kind == PICKLE_TENSOR)
            e = add_tensor(a, state->items[i], state->items[i + 1]);
    if (!e && a->w->n == had)
        e = fault_set(a->f, ERR_CORRUPT, "%s holds no tensors", a->m->path);
    return e;
}

enum err pth_read(struct weights *w, const struct mapping *m, struct fault *f)
{
    struct archive a = {.w = w, .m = m, .f = f};
    struct pickle *pickle = NULL;
    const struct pickle_value *top = NULL;
    enum err e = zip_read(m->data, m->bytes, m->path, &a.members, &a.members_n, f);
    if (e)
        return e;
    const struct zip_member *p = find_pickle(&a);
    if (!p)
        e = fault_set(f, ERR_CORRUPT, "%s is a zip archive, but not of torch: no data.pkl",
                      m->path);
    else if (p->size > PICKLE_MAX)
        e = fault_set(f, ERR_LIMIT, "%s: a pickle of %llu bytes is too large", m->path,
                      (unsigned long long)p->size);
    if (!e)
        e = pickle_read(p->data, (size_t)p->size, m->path, &pickle, &top, f);
    if (!e)
        e = add_all(&a, top);
    pickle_free(pickle);
    free(a.members);
    return e;
}
