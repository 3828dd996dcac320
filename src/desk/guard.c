/* The disk guard: below the reserve no new job starts; the vault keeps to its size, giving up the
 * oldest clips that never aired first, then the oldest that did, and favourites never. The disk is
 * looked at on another thread; what it finds is judged there against a copy of what must stay. */
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
    struct desk *desk;
    char vault[PATH_LEN], air[PATH_LEN];
    int64_t limit;
    int64_t *keep; /* ids whose clips must stay, sorted */
    int keep_count;
    int64_t free_bytes; /* found */
    int removed;
};

static int by_id(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

/* Never aired first, then by age. */
static int by_worth(const void *a, const void *b)
{
    const struct file *x = a, *y = b;
    return x->aired != y->aired ? x->aired - y->aired : (x->id > y->id) - (x->id < y->id);
}

static void prune(struct sweep *s)
{
    DIR *dir = opendir(s->vault);
    struct file *all = NULL;
    int n = 0, cap = 0;
    int64_t sum = 0;
    if (!dir)
        return;
    for (struct dirent *e; (e = readdir(dir));) {
        struct stat st;
        char air[PATH_LEN];
        if (e->d_name[0] == '.' || strlen(e->d_name) >= sizeof all->name ||
            fstatat(dirfd(dir), e->d_name, &st, AT_SYMLINK_NOFOLLOW) || !S_ISREG(st.st_mode))
            continue;
        sum += st.st_size;
        int64_t id = strtoll(e->d_name, NULL, 10);
        if (id <= 0 || bsearch(&id, s->keep, (size_t)s->keep_count, sizeof id, by_id))
            continue;
        if (n == cap) {
            cap = cap ? cap * 2 : 64;
            struct file *wide = realloc(all, (size_t)cap * sizeof *all);
            if (!wide)
                break;
            all = wide;
        }
        all[n] = (struct file){.id = id, .bytes = st.st_size};
        strcpy(all[n].name, e->d_name);
        all[n].aired = !path_join(air, sizeof air, s->air, e->d_name) && !access(air, F_OK);
        n++;
    }
    if (n)
        qsort(all, (size_t)n, sizeof *all, by_worth);
    for (int i = 0; i < n && sum > s->limit; i++) {
        char air[PATH_LEN];
        if (unlinkat(dirfd(dir), all[i].name, 0))
            continue;
        if (all[i].aired && !path_join(air, sizeof air, s->air, all[i].name))
            unlink(air);
        sum -= all[i].bytes;
        s->removed++;
    }
    free(all);
    closedir(dir);
}

static void look(void *arg)
{
    struct sweep *s = arg;
    if (s->limit > 0)
        prune(s);
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

static void looked(void *arg)
{
    struct sweep *s = arg;
    struct desk *d = s->desk;
    if (d) {
        struct show *show = d->show;
        bool low = s->free_bytes >= 0 && s->free_bytes < show->set.disk_reserve;
        show->disk_free = s->free_bytes;
        if (s->removed) {
            log_info("desk", "the vault was pruned of %d clip%s", s->removed,
                     s->removed == 1 ? "" : "s");
            forget_pruned(d);
        }
        if (low != show->disk_low) {
            show->disk_low = low;
            if (low)
                log_warn("desk", "%lld MB are free on the disk of %s: no new job starts",
                         (long long)(s->free_bytes >> 20), s->vault);
            else
                log_info("desk", "the disk has room again");
            show_changed(show, EVENT_DISK, 0, clock_mono_ms());
            desk_drive(d);
        }
        d->sweep = NULL;
    }
    free(s->keep);
    free(s);
}

static bool collect(const struct desk *d, struct sweep *s)
{
    const struct show *show = d->show;
    int n = d->favourite_count + 1;
    for (int st = PROMPT_RECEIVED; st < PROMPT_STATES; st++)
        if (!prompt_ended((enum prompt_state)st))
            n += show->count[st];
    s->keep = malloc((size_t)n * sizeof *s->keep);
    if (!s->keep)
        return false;
    for (int i = 0; i < d->favourite_count; i++)
        s->keep[s->keep_count++] = d->favourites[i];
    for (int st = PROMPT_RECEIVED; st < PROMPT_STATES; st++)
        if (!prompt_ended((enum prompt_state)st))
            for (const struct prompt *p = show_first(show, (enum prompt_state)st); p;
                 p = show_next(show, p))
                s->keep[s->keep_count++] = p->id;
    qsort(s->keep, (size_t)s->keep_count, sizeof *s->keep, by_id);
    return true;
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
    if (!s || !collect(d, s)) {
        free(s);
        return;
    }
    s->desk = d;
    s->limit = d->favourites_unknown ? 0 : d->show->set.vault_bytes;
    str_copy(s->vault, sizeof s->vault, d->paths->vault);
    str_copy(s->air, sizeof s->air, d->paths->air);
    d->sweep = s;
    d->ops->work(d->user, look, looked, s);
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
