/* The disk guard: below the reserve no new job starts; the vault keeps to its size, giving up the
 * oldest clips that never aired first, then the oldest that did, and favourites never. The disk is
 * read and written on another thread, in two errands: the first lists the vault, then the loop
 * thread names the clips that go, and the second removes them. What was named cannot be made a
 * favourite or brought back any more, so no decision and no removal ever miss each other. */
#include "desk/change.h"

#include "base/clock.h"
#include "base/log.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define GUARD_EVERY_MS 5000

struct file {
    char name[64];
    int64_t id, bytes;
    bool aired;
};

struct sweep {
    struct desk *desk; /* NULL: the show has ended meanwhile */
    char vault[PATH_LEN], air[PATH_LEN];
    struct file *files; /* that the first errand found, by worth; then those that go */
    int count;
    int64_t bytes, free_bytes; /* in the vault, on its disk */
    bool removing;             /* the second errand runs */
};

/* Never aired first, then by age. */
static int by_worth(const void *a, const void *b)
{
    const struct file *x = a, *y = b;
    return x->aired != y->aired ? x->aired - y->aired : (x->id > y->id) - (x->id < y->id);
}

static bool add_file(struct sweep *s, int *cap, const char *name, int64_t bytes)
{
    char air[PATH_LEN];
    if (s->count == *cap) {
        int wide = *cap ? *cap * 2 : 64;
        struct file *files = realloc(s->files, (size_t)wide * sizeof *files);
        if (!files)
            return false;
        s->files = files;
        *cap = wide;
    }
    struct file *f = &s->files[s->count++];
    *f = (struct file){.id = strtoll(name, NULL, 10), .bytes = bytes};
    str_copy(f->name, sizeof f->name, name);
    f->aired = !path_join(air, sizeof air, s->air, name) && !access(air, F_OK);
    return true;
}

static void look(void *arg)
{
    struct sweep *s = arg;
    DIR *dir = opendir(s->vault);
    int cap = 0;
    bool room = true;
    for (struct dirent *e; dir && room && (e = readdir(dir));) {
        struct stat st;
        if (e->d_name[0] == '.' || fstatat(dirfd(dir), e->d_name, &st, AT_SYMLINK_NOFOLLOW) ||
            !S_ISREG(st.st_mode))
            continue;
        s->bytes += st.st_size;
        if (strtoll(e->d_name, NULL, 10) > 0 && strlen(e->d_name) < sizeof s->files->name)
            room = add_file(s, &cap, e->d_name, st.st_size);
    }
    if (dir)
        closedir(dir);
    if (s->count)
        qsort(s->files, (size_t)s->count, sizeof *s->files, by_worth);
    s->free_bytes = path_free_bytes(s->vault);
}

static void remove_files(void *arg)
{
    struct sweep *s = arg;
    for (int i = 0; i < s->count; i++) {
        char path[PATH_LEN];
        if (path_join(path, sizeof path, s->vault, s->files[i].name) || unlink(path))
            continue;
        if (s->files[i].aired && !path_join(path, sizeof path, s->air, s->files[i].name))
            unlink(path);
    }
    s->free_bytes = path_free_bytes(s->vault);
}

/* A pruned clip leaves the gallery. */
static void forget_pruned(struct desk *d)
{
    for (const struct prompt *p = show_first(d->show, PROMPT_AIRED), *next; p; p = next) {
        char path[PATH_LEN];
        next = show_next(d->show, p);
        desk_air_path(d, p, path);
        if (p->hidden || !path[0] || !access(path, F_OK))
            continue;
        struct change *c = change_begin(d, p->id, "system", "prune", (struct answer){0});
        if (c) {
            c->must = true; /* the file is gone */
            c->after.hidden = true;
            change_stage(d, c, NULL, "the vault is full");
        }
    }
}

static bool must_stay(const struct desk *d, int64_t id)
{
    const struct prompt *now = show_find(d->show, id), *soon = change_staged(d, id);
    for (int i = 0; i < d->favourite_count; i++)
        if (d->favourites[i] == id)
            return true;
    return (now && (!prompt_ended(now->state) || now->favourite)) ||
           (soon && (!prompt_ended(soon->state) || soon->favourite));
}

/* Leaves in the list those that go. */
static void name_victims(const struct desk *d, struct sweep *s)
{
    int64_t limit = d->show->set.vault_bytes;
    int n = 0;
    for (int i = 0; i < s->count && limit > 0 && s->bytes > limit && !d->favourites_unknown; i++)
        if (!must_stay(d, s->files[i].id)) {
            s->bytes -= s->files[i].bytes;
            s->files[n++] = s->files[i];
        }
    s->count = n;
}

static void tell_free(struct desk *d, const struct sweep *s)
{
    struct show *show = d->show;
    bool low = s->free_bytes >= 0 && s->free_bytes < show->set.disk_reserve;
    show->disk_free = s->free_bytes;
    if (low == show->disk_low)
        return;
    show->disk_low = low;
    if (low)
        log_warn("desk", "%lld MB are free on the disk of %s: no new job starts",
                 (long long)(s->free_bytes >> 20), s->vault);
    else
        log_info("desk", "the disk has room again");
    show_changed(show, EVENT_DISK, 0, clock_mono_ms());
    desk_drive(d);
}

static void errand_done(void *arg)
{
    struct sweep *s = arg;
    struct desk *d = s->desk;
    if (d && !s->removing) {
        name_victims(d, s);
        if (s->count) {
            s->removing = true;
            d->ops->work(d->user, remove_files, errand_done, s);
            return;
        }
    }
    if (d) {
        d->sweep = NULL;
        if (s->removing) {
            log_info("desk", "the vault was pruned of %d clip%s", s->count,
                     s->count == 1 ? "" : "s");
            forget_pruned(d);
        }
        tell_free(d, s);
    }
    free(s->files);
    free(s);
}

bool guard_condemned(const struct desk *d, int64_t id)
{
    const struct sweep *s = d->sweep && d->sweep->removing ? d->sweep : NULL;
    for (int i = 0; s && i < s->count; i++)
        if (s->files[i].id == id)
            return true;
    return false;
}

void desk_tick(struct desk *d)
{
    int64_t now = clock_mono_ms();
    change_retry(d);
    if (d->show->store_failed && !d->first) /* is it still? a write tells */
        change_running(d, true);
    desk_drive(d);
    if (d->sweep || (d->swept_mono && now - d->swept_mono < GUARD_EVERY_MS))
        return;
    struct sweep *s = calloc(1, sizeof *s);
    d->swept_mono = now;
    if (!s)
        return;
    s->desk = d;
    str_copy(s->vault, sizeof s->vault, d->paths->vault);
    str_copy(s->air, sizeof s->air, d->paths->air);
    d->sweep = s;
    d->ops->work(d->user, look, errand_done, s);
}

static void load_favourite(void *user, int64_t id)
{
    guard_favourite(user, id, true);
}

void guard_load(struct desk *d)
{
    d->favourites_unknown = store_favourites(d->store, load_favourite, d) != ERR_OK;
    if (d->favourites_unknown)
        log_error("desk", "the favourites could not be read; the vault is not pruned");
}

void guard_favourite(struct desk *d, int64_t id, bool is)
{
    for (int i = 0; i < d->favourite_count; i++)
        if (d->favourites[i] == id) {
            if (!is)
                d->favourites[i] = d->favourites[--d->favourite_count];
            return;
        }
    if (!is)
        return;
    int64_t *wide =
        realloc(d->favourites, ((size_t)d->favourite_count + 1) * sizeof *d->favourites);
    if (!wide) {
        log_error("desk", "out of memory: the vault is not pruned until a restart");
        d->favourites_unknown = true;
        return;
    }
    d->favourites = wide;
    d->favourites[d->favourite_count++] = id;
}

void guard_free(struct desk *d)
{
    if (d->sweep)
        d->sweep->desk = NULL; /* its errand ends without us */
    free(d->favourites);
}
