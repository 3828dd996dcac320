#include "wan/files.h"

#include "base/hash.h"
#include "wan/names.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#define DEPTH 3
#define CANDIDATES 256
#define SAMPLE 64 /* bytes of each tensor in the fingerprint */

/* Tensors that only this network has, by canonical name. One of them is enough: a file without the
 * other is that network with a gap, which is told when it is opened (manifest.h). */
static const struct {
    const char *name, *key, *other;
    void (*map)(const char *name, char *out, size_t n);
} roles[FILES_ROLES] = {
    {"transformer", "head.modulation", "blocks.0.modulation", names_dit},
    {"text encoder", "token_embedding.weight", "blocks.0.pos_embedding.embedding.weight", names_t5},
    {"VAE", "decoder.head.2.weight", "decoder.upsamples.3.time_conv.weight", names_vae},
    {"CLIP vision", "visual.patch_embedding.weight", "visual.pre_norm.weight", names_clip},
    {"tiny decoder", "decoder.3.conv.0.weight", "decoder.3.conv.2.weight", names_as_they_are},
};

const char *files_role_name(enum files_role role)
{
    return roles[role].name;
}

static bool ends(const char *s, const char *with)
{
    size_t n = strlen(s), m = strlen(with);
    return n >= m && !strcasecmp(s + n - m, with);
}

/* "…-00002-of-00007.safetensors": the index speaks for it */
static bool is_shard(const char *name)
{
    const char *of = strstr(name, "-of-");
    return of && ends(name, ".safetensors") && strspn(of + 4, "0123456789") >= 3;
}

static bool is_weights(const char *name)
{
    return (ends(name, ".safetensors") && !is_shard(name)) ||
           ends(name, ".safetensors.index.json") || ends(name, ".pth") || ends(name, ".pt");
}

enum err files_open(const char *path, struct weights **out, enum files_role *role, struct fault *f)
{
    struct weights *w = NULL;
    enum err e = weights_open(path, &w, f);
    *role = FILES_ROLES;
    *out = NULL;
    if (e)
        return e;
    for (int r = 0; r < FILES_ROLES && *role == FILES_ROLES; r++)
        for (int i = 0; i < w->n && *role == FILES_ROLES; i++) {
            char name[512];
            roles[r].map(w->t[i].name, name, sizeof name);
            if (!strcmp(name, roles[r].key) || !strcmp(name, roles[r].other))
                *role = (enum files_role)r;
        }
    if (*role != FILES_ROLES)
        e = names_apply(w, roles[*role].map, f);
    if (e)
        weights_free(w);
    else
        *out = w;
    return e;
}

struct search {
    char *found[CANDIDATES];
    int n;
    char spiece[PATH_LEN], json[PATH_LEN];
};

static bool skipped(const char *name)
{
    static const char *const not_ours[] = {"lora", "loras", "xlm-roberta-large", "assets"};
    for (size_t i = 0; i < sizeof not_ours / sizeof *not_ours; i++)
        if (!strcasecmp(name, not_ours[i]))
            return true;
    return name[0] == '.';
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static enum err look(struct search *s, const char *dir, int depth, struct fault *f)
{
    struct dirent **list = NULL;
    enum err e = ERR_OK;
    int n = scandir(dir, &list, NULL, by_name);
    if (n < 0 && depth == 0)
        return fault_set(f, errno == ENOENT ? ERR_NOTFOUND : ERR_IO,
                         "cannot read the model folder %s: %s", dir, strerror(errno));
    for (int i = 0; i < n; i++) {
        const char *name = list[i]->d_name;
        char path[PATH_LEN];
        struct stat st;
        if (!e && !skipped(name) && !path_join(path, sizeof path, dir, name) && !stat(path, &st)) {
            if (S_ISDIR(st.st_mode) && depth < DEPTH) {
                e = look(s, path, depth + 1, f);
            } else if (S_ISREG(st.st_mode) && is_weights(name)) {
                if (s->n == CANDIDATES)
                    e = fault_set(
                        f, ERR_LIMIT,
                        "%s holds more than %d weight files; name the folder of one model", dir,
                        CANDIDATES);
                else if (!(s->found[s->n++] = strdup(path)))
                    e = fault_set(f, ERR_NOMEM, "out of memory");
            } else if (S_ISREG(st.st_mode) && !strcmp(name, "spiece.model") && !s->spiece[0]) {
                memcpy(s->spiece, path, sizeof path);
            } else if (S_ISREG(st.st_mode) && !strcmp(name, "tokenizer.json") && !s->json[0]) {
                memcpy(s->json, path, sizeof path);
            }
        }
        free(list[i]);
    }
    free(list);
    return e;
}

/* Takes the file if nothing as good has that role. */
static enum err take(struct files *out, const char *path, struct fault *f)
{
    struct weights *w;
    enum files_role role;
    struct fault why;
    enum err e = files_open(path, &w, &role, &why);
    if (e == ERR_NOMEM)
        return fault_set(f, e, "%s", fault_text(&why));
    if (e) /* only what is needed and cannot be read matters; it is told when nothing is found */
        return fault_set(f, e, "%s", fault_text(&why));
    if (role == FILES_ROLES || (role == FILES_DIT && out->weights[FILES_DIT])) {
        bool second = role == FILES_DIT &&
                      ends(path, ".safetensors") == ends(out->path[role], ".safetensors");
        weights_free(w);
        return second
                   ? fault_set(f, ERR_EXISTS,
                               "%s and %s are both transformers; name the file of the one wanted",
                               out->path[FILES_DIT], path)
                   : ERR_OK;
    }
    bool torch = ends(path, ".pth") || ends(path, ".pt");
    if (out->weights[role] && torch) {
        weights_free(w);
        return ERR_OK;
    }
    weights_free(out->weights[role]);
    out->weights[role] = w;
    str_copy(out->path[role], PATH_LEN, path);
    return ERR_OK;
}

/* A model is named by its transformer's file: its folder, or the one above a folder for parts. */
static void folder_of(const char *file, char *out)
{
    static const char *const parts[] = {"transformer", "diffusion_models", "unet", "checkpoints"};
    str_copy(out, PATH_LEN, file);
    for (int up = 0; up < 2; up++) {
        char *slash = strrchr(out, '/');
        if (!slash || slash == out) {
            str_copy(out, PATH_LEN, slash ? "/" : ".");
            return;
        }
        *slash = '\0';
        const char *name = strrchr(out, '/');
        name = name ? name + 1 : out;
        bool part = false;
        for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
            part = part || !strcmp(name, parts[i]);
        if (!part)
            return;
    }
}

enum err files_find(const char *model, struct files *out, struct fault *f)
{
    struct search *s = calloc(1, sizeof *s);
    struct stat st;
    enum err e = ERR_OK, broken = ERR_OK;
    memset(out, 0, sizeof *out);
    if (!s)
        return fault_set(f, ERR_NOMEM, "out of memory");
    bool longest = strlen(model) >= PATH_LEN - 1;
    if (longest || stat(model, &st)) {
        e = fault_set(f, ERR_NOTFOUND,
                      "there is no model %.250s: %s; name the folder of one, or fetch one with "
                      "`sakuga model pull`",
                      model, strerror(longest ? ENAMETOOLONG : errno));
        goto out;
    }
    bool file = !S_ISDIR(st.st_mode);
    if (file)
        folder_of(model, out->folder);
    else
        str_copy(out->folder, sizeof out->folder, model);
    if (file)
        e = take(out, model, f);
    if (!e && file && !out->weights[FILES_DIT])
        e = fault_set(f, ERR_INVAL, "%s is no Wan transformer; name that file or a folder", model);
    if (!e)
        e = look(s, out->folder, 0, f);
    for (int i = 0; !e && i < s->n; i++) {
        if (file && !strcmp(s->found[i], model))
            continue;
        struct fault why;
        enum err bad = take(out, s->found[i], &why);
        if (bad == ERR_NOMEM || (bad == ERR_EXISTS && !file))
            e = fault_set(f, bad, "%s", fault_text(&why));
        else if (bad && bad != ERR_EXISTS) {
            size_t at = strlen(out->broken);
            snprintf(out->broken + at, sizeof out->broken - at, "%s%s", at ? "; " : "",
                     fault_text(&why));
            broken = broken ? broken : bad;
            if (!strncasecmp(strrchr(s->found[i], '/') + 1, "tae", 3))
                str_copy(out->broken_tiny, sizeof out->broken_tiny, fault_text(&why));
        }
    }
    if (!e && !out->weights[FILES_DIT])
        e = broken ? fault_set(f, broken, "%s", out->broken)
                   : fault_set(f, ERR_NOTFOUND,
                               "no file below %s holds a Wan transformer; fetch one with "
                               "`sakuga model pull`",
                               out->folder);
    str_copy(out->tokenizer, sizeof out->tokenizer, s->spiece[0] ? s->spiece : s->json);
out:
    for (int i = 0; i < s->n; i++)
        free(s->found[i]);
    free(s);
    if (e)
        files_close(out);
    return e;
}

void files_close(struct files *s)
{
    for (int i = 0; i < FILES_ROLES; i++) {
        weights_free(s->weights[i]);
        s->weights[i] = NULL;
    }
}

const char *files_short(const struct files *s, const char *path)
{
    size_t n = strlen(s->folder);
    while (n && s->folder[n - 1] == '/')
        n--;
    return n && !strncmp(path, s->folder, n) && path[n] == '/' ? path + n + 1 : path;
}

uint64_t files_mark(const struct weights *w, uint64_t h)
{
    h = h ? h : HASH_BEGIN;
    for (int i = 0; w && i < w->n; i++) {
        const struct wtensor *t = &w->t[i];
        int64_t bytes = t->count * (int64_t)dtype_size(t->type);
        h = hash_more(h, t->name, strlen(t->name) + 1);
        h = hash_more(h, dtype_name(t->type), strlen(dtype_name(t->type)));
        for (int d = 0; d < t->rank; d++)
            h = hash_more(h, &t->dim[d], sizeof t->dim[d]);
        if (!t->strided)
            h = hash_more(h, t->data, (size_t)(bytes < SAMPLE ? bytes : SAMPLE));
    }
    return h;
}
