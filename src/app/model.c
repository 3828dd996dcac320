/* sakuga model: the files of a model, before any show. */
#include "app/modes.h"
#include "app/pull.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/path.h"
#include "loop/net.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define HUB "https://huggingface.co"

static const struct pull_model *find(const char *name)
{
    int n;
    const struct pull_model *all = pull_models(&n);
    for (int i = 0; i < n; i++)
        if (!strcmp(all[i].name, name))
            return &all[i];
    return NULL;
}

static void list(FILE *to)
{
    int n;
    const struct pull_model *all = pull_models(&n);
    for (int i = 0; i < n; i++)
        fprintf(to, "  %-22s %s\n", all[i].name, all[i].about);
}

/* A line that is written over in a terminal; elsewhere only what happened. */
static void show_progress(void *user, const struct pull_progress *p)
{
    const bool *terminal = user;
    const char *clear = *terminal ? "\r\033[K" : "";
    if (p->event) {
        bool plain = !strncmp(p->event, "is here", 7);
        fprintf(stderr, "%s%s%s%s\n", clear, plain ? p->file : "", plain ? " " : "", p->event);
        return;
    }
    if (!*terminal)
        return;
    fprintf(stderr, "%s%s  %" PRId64, clear, p->file, p->have >> 20);
    if (p->total > 0)
        fprintf(stderr, " of %" PRId64 " MB  %d %%", p->total >> 20,
                (int)(p->have * 100 / p->total));
    else
        fputs(" MB", stderr);
    fprintf(stderr, "  %.1f MB/s", (double)p->bytes_second / 1048576);
    if (p->total > 0 && p->bytes_second > 0)
        fprintf(stderr, "  %" PRId64 " s left", (p->total - p->have) / p->bytes_second);
}

static int pull(const struct pull_model *m, const char *dir, const char *base)
{
    struct fault f = {0};
    bool terminal = isatty(STDERR_FILENO);
    struct pull_settings set = {
        .base = base, .dir = dir, .progress = show_progress, .user = &terminal};
    struct loop *l = loop_new(&f);
    enum err e = l ? pull_model(l, m, &set, &f) : f.code;
    if (l) {
        net_shutdown(l);
        loop_free(l);
    }
    if (e) {
        fprintf(stderr, "%ssakuga: %s\n", terminal ? "\r\033[K" : "", fault_text(&f));
        return 1;
    }
    printf("%s\n", dir);
    return 0;
}

static int mode_pull(const struct options *o)
{
    struct paths p;
    struct fault f = {0};
    char dir[PATH_LEN];
    const char *name = o->arg_count > 1 ? o->args[1] : "", *hub = getenv("HF_ENDPOINT");
    const struct pull_model *m = find(name);
    if (o->arg_count < 2 || o->arg_count > 4) {
        fputs("usage: sakuga model pull NAME [DIR] [BASE-URL]\n", stderr);
        list(stderr);
        return 2;
    }
    if (!m) {
        fprintf(stderr, "sakuga: there is no model %s; these can be pulled:\n", name);
        list(stderr);
        return 2;
    }
    if (paths_init(&p, o->config, o->data, &f)) {
        fprintf(stderr, "sakuga: %s\n", fault_text(&f));
        return 1;
    }
    if (o->arg_count > 2)
        str_copy(dir, sizeof dir, o->args[2]);
    else
        snprintf(dir, sizeof dir, "%.900s/models/%s", p.data, name);
    return pull(m, dir, o->arg_count > 3 ? o->args[3] : hub && *hub ? hub : HUB);
}

/* The worker alone links the model runtime: it opens the files, in its own process. */
static int ask_worker(const struct options *o, const char *what, const char *a, const char *b)
{
    struct paths p;
    struct fault f = {0};
    if (paths_init(&p, o->config, o->data, &f)) {
        fprintf(stderr, "sakuga: %s\n", fault_text(&f));
        return 1;
    }
    execl(p.worker, "sakuga-worker", what, a, b, (char *)NULL);
    fprintf(stderr, "sakuga: cannot start %s; is the program installed whole?\n", p.worker);
    return 1;
}

int mode_model(const struct options *o)
{
    const char *what = o->arg_count ? o->args[0] : "";
    if (!strcmp(what, "pull"))
        return mode_pull(o);
    if (!strcmp(what, "info") && o->arg_count == 2)
        return ask_worker(o, "--model-info", o->args[1], NULL);
    if (!strcmp(what, "convert") && o->arg_count == 3)
        return ask_worker(o, "--model-convert", o->args[1], o->args[2]);
    fputs("usage: sakuga model pull NAME [DIR] [BASE-URL]\n"
          "       sakuga model info DIR\n"
          "       sakuga model convert FROM TO.safetensors\n",
          stderr);
    return 2;
}
