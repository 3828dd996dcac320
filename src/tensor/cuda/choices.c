#include "tensor/cuda/choices.h"

#include "base/path.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define MOST 4096 /* of prompts of all lengths, and of some hundred sizes of clips */
#define CANDIDATE_MOST 9999
#define LINE_MOST (16 + 1 + 4 + 1 + CHOICE_WORDS)
#define FILE_MOST ((size_t)(MOST + 8) * LINE_MOST)
#define HEADER "sakuga cuda choices 2"
/* A holder writes 200 KB at most; for one that was stopped nobody waits. */
#define LOCK_TRIES 200
#define LOCK_WAIT_NS 5000000

struct table {
    int n;
    struct choice all[MOST]; /* as they came */
};

struct choices {
    char where[256], folder[PATH_LEN], path[PATH_LEN]; /* of the file; "" where there is none */
    uint64_t job;                                      /* its number */
    bool over; /* what the job relies on is more than the table holds */
    struct table known;
};

static uint64_t mix(uint64_t h, const void *p, size_t n)
{
    const unsigned char *b = p;
    for (size_t i = 0; i < n; i++)
        h = (h ^ b[i]) * 0x100000001b3u;
    return h;
}

uint64_t choices_key(const char *kind, const void *shape, size_t n)
{
    uint64_t key = mix(mix(0xcbf29ce484222325u, kind, strlen(kind) + 1), shape, n);
    return key ? key : 1; /* 0: nothing was chosen */
}

/* ---- the table ---- */

static struct choice *find(struct table *t, uint64_t key)
{
    for (int i = 0; i < t->n; i++)
        if (t->all[i].key == key)
            return &t->all[i];
    return NULL;
}

/* In a full table it takes the place of the oldest that no job relies on. False: there is none. */
static bool add(struct table *t, const struct choice *one)
{
    int at = 0;
    if (t->n == MOST) {
        while (at < MOST && t->all[at].used)
            at++;
        if (at == MOST)
            return false;
        memmove(&t->all[at], &t->all[at + 1], (size_t)(MOST - at - 1) * sizeof *one);
        t->n--;
    }
    t->all[t->n++] = *one;
    return true;
}

/* ---- the text ---- */

static bool parse_key(const char *s, uint64_t *out)
{
    *out = 0;
    for (int i = 0; i < 16; i++) {
        bool digit = s[i] >= '0' && s[i] <= '9';
        if (!digit && !(s[i] >= 'a' && s[i] <= 'f'))
            return false;
        *out = *out << 4 | (uint64_t)(digit ? s[i] - '0' : s[i] - 'a' + 10);
    }
    return *out != 0;
}

/* A line of n bytes, as print() makes it and not otherwise. */
static bool parse(const char *line, size_t n, struct choice *out)
{
    size_t at = 17, words;
    *out = (struct choice){0};
    if (n < 16 + 4 || n > LINE_MOST || !parse_key(line, &out->key) || line[16] != ' ')
        return false;
    for (; at < n && line[at] >= '0' && line[at] <= '9'; at++)
        if ((out->candidate = out->candidate * 10 + (line[at] - '0')) > CANDIDATE_MOST)
            return false;
    if (at == 17 || (line[17] == '0' && at > 18) || at == n || line[at++] != ' ')
        return false;
    words = n - at;
    if (words < 1 || words >= sizeof out->words)
        return false;
    for (size_t i = 0; i < words; i++)
        if (line[at + i] < ' ' || line[at + i] > '~')
            return false;
    memcpy(out->words, line + at, words);
    return true;
}

static void print(struct buf *b, const struct choice *one)
{
    buf_addf(b, "%016" PRIx64 " %d %s\n", one->key, one->candidate, one->words);
}

/* ---- the file ---- */

/* Its folder is made; where there is no place for it, it has no path. */
static void find_place(struct choices *c)
{
    const char *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
    bool set = cache && cache[0] == '/';
    if (!set && (!home || home[0] != '/'))
        return;
    int n = snprintf(c->folder, sizeof c->folder, "%s%s/sakuga", set ? cache : home,
                     set ? "" : "/.cache");
    if (n < 0 || (size_t)n + 32 >= sizeof c->path || path_mkdirs(c->folder, 0700, NULL))
        return;
    snprintf(c->path, sizeof c->path, "%.900s/cuda-%016" PRIx64, c->folder,
             mix(0xcbf29ce484222325u, c->where, strlen(c->where)));
}

/* Adds what the table has not. A line that is none was written by no one of us: it is passed over.
 */
static void read_file(const struct choices *c, struct table *to)
{
    char header[sizeof HEADER + sizeof c->where + 2];
    struct buf b = BUF_INIT(FILE_MOST + 65536); /* path_read() asks for room in pieces */
    struct choice one;
    int n = snprintf(header, sizeof header, HEADER " %s\n", c->where);
    if (!c->path[0] || path_read(c->path, FILE_MOST, &b, NULL) ||
        strncmp(buf_str(&b), header, (size_t)n)) {
        buf_free(&b);
        return;
    }
    const char *at = b.data + n, *end = b.data + b.len, *stop;
    for (; (stop = memchr(at, '\n', (size_t)(end - at))); at = stop + 1)
        if (parse(at, (size_t)(stop - at), &one) && !find(to, one.key))
            add(to, &one);
    buf_free(&b);
}

static void write_file(const struct choices *c, const struct table *t)
{
    struct buf b = BUF_INIT(FILE_MOST);
    buf_addf(&b, HEADER " %s\n", c->where);
    for (int i = 0; i < t->n; i++)
        print(&b, &t->all[i]);
    if (!b.failed && !path_write(c->path, b.data, b.len, 0600, NULL)) {
        int folder = open(c->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (folder >= 0) { /* the name is to be there too, before a checkpoint's is */
            fsync(folder);
            close(folder);
        }
    }
    buf_free(&b);
}

/* The lock beside the file, which itself is another with each writing. −1: it is not to be had. */
static int lock(const struct choices *c)
{
    static const struct timespec wait = {.tv_nsec = LOCK_WAIT_NS};
    char path[PATH_LEN + 8];
    snprintf(path, sizeof path, "%s.lock", c->path);
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    for (int i = 0; fd >= 0 && flock(fd, LOCK_EX | LOCK_NB); i++) {
        if (i == LOCK_TRIES || (errno != EWOULDBLOCK && errno != EINTR)) {
            close(fd);
            return -1;
        }
        nanosleep(&wait, NULL);
    }
    return fd;
}

struct choices *choices_open(const char *where)
{
    struct choices *c = calloc(1, sizeof *c);
    if (!c)
        return NULL;
    c->job = 1;
    str_copy(c->where, sizeof c->where, where);
    find_place(c);
    read_file(c, &c->known);
    return c;
}

void choices_free(struct choices *c)
{
    free(c);
}

static const struct choice *look(struct choices *c, uint64_t key)
{
    const struct choice *one = find(&c->known, key);
    if (one)
        return one;
    read_file(c, &c->known);
    return find(&c->known, key);
}

int choices_find(struct choices *c, uint64_t key)
{
    const struct choice *one = look(c, key);
    return one ? one->candidate : -1;
}

/* What the file says of it now, unless that is `instead`; else it is put there. */
static int keep_in_file(const struct choices *c, const struct choice *one, int instead)
{
    int counts = one->candidate, locked = c->path[0] ? lock(c) : -1;
    struct table *t = locked >= 0 ? calloc(1, sizeof *t) : NULL;
    if (t) {
        read_file(c, t);
        struct choice *there = find(t, one->key);
        if (there && there->candidate != instead) {
            counts = there->candidate;
        } else {
            if (there)
                *there = *one;
            else
                add(t, one);
            write_file(c, t);
        }
    }
    free(t);
    if (locked >= 0)
        close(locked);
    return counts;
}

int choices_keep(struct choices *c, const struct choice *fastest, int instead)
{
    struct choice one = *fastest, *there = find(&c->known, one.key);
    one.used = there && there->used;
    one.candidate = keep_in_file(c, &one, instead);
    if (there)
        *there = one;
    else
        add(&c->known, &one);
    return one.candidate;
}

/* ---- what a job relies on ---- */

void choices_begin(struct choices *c)
{
    c->job++;
    c->over = false;
    for (int i = 0; i < c->known.n; i++)
        c->known.all[i].used = false;
}

void choices_use(struct choices *c, struct chosen *by)
{
    if (!by->key || by->job == c->job)
        return;
    struct choice *one = find(&c->known, by->key);
    if (one)
        one->used = true;
    else
        c->over = true;
    by->job = c->job;
}

static int by_key(const void *a, const void *b)
{
    uint64_t x = ((const struct choice *)a)->key, y = ((const struct choice *)b)->key;
    return x < y ? -1 : x > y;
}

bool choices_list(const struct choices *c, struct buf *out)
{
    int n = 0;
    struct choice *used = calloc((size_t)c->known.n + 1, sizeof *used);
    for (int i = 0; i < c->known.n && used; i++)
        if (c->known.all[i].used)
            used[n++] = c->known.all[i];
    if (n)
        qsort(used, (size_t)n, sizeof *used, by_key);
    for (int i = 0; i < n; i++)
        print(out, &used[i]);
    bool all = used && !c->over && !out->failed;
    free(used);
    return all;
}

/* Would the device choose so now? */
static enum err check(struct choices *c, const struct choice *then, struct fault *f)
{
    const struct choice *now = look(c, then->key);
    if (!now)
        return fault_set(f, ERR_STATE,
                         "candidate %d of %s was chosen then, and here none is known any more",
                         then->candidate, then->words);
    if (now->candidate != then->candidate)
        return fault_set(f, ERR_STATE, "candidate %d of %s was chosen then, candidate %d is now",
                         then->candidate, then->words, now->candidate);
    return ERR_OK;
}

enum err choices_rely(struct choices *c, const char *lines, size_t n, struct fault *f)
{
    for (int marks = 0; marks < 2; marks++) { /* none of them before all are known */
        const char *at = lines, *end = lines + n;
        struct choice one;
        uint64_t before = 0;
        for (const char *stop; at < end; at = stop + 1) {
            stop = memchr(at, '\n', (size_t)(end - at));
            if (!stop || !parse(at, (size_t)(stop - at), &one) || one.key <= before)
                return fault_set(f, ERR_CORRUPT, "its list of choices is none");
            before = one.key;
            enum err e = check(c, &one, f);
            if (e)
                return e;
            if (marks)
                find(&c->known, one.key)->used = true;
        }
    }
    return ERR_OK;
}
