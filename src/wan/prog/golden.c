/* wan-golden [--device D] [--dtype f32|bf16|fp8|fp8-linear|fp8-weight] [--part NAME] [--faults]
 * DIR
 *
 * Runs every case of a folder of golden vectors and prints `CASE rel_l2 bound ok|FAIL` a line and
 * `N passed, N failed, N skipped` last. Exit 0 when none failed. With --faults each classic mistake
 * is made in turn, and must fail a case. */
#include "wan/prog/golden.h"

#include "base/buf.h"
#include "base/path.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* e4m3 rounds to 3 bits: 2.3 % of each factor, so 3.3 % of a product, which the layers average */
#define FP8_LOOSER 5
/* what self-attention gives by itself has been rounded up to twelve times where all that may be is
 * in e4m3: the input, the queries, keys and values twice, the weights of the softmax, the result,
 * and the factors of four products: √12·2.6 % = 9 % */
#define FP8_ATTENTION 0.1

const struct bound bound_t5 = {1e-5, 3e-2}, bound_dit = {1e-5, 1.5e-2}, bound_i2v = {1e-5, 2e-2},
                   bound_vae = {1e-5, 3e-2}, bound_e2e = {5e-5, 3e-2},
                   bound_schedule = {1e-5, 1e-5}, bound_sf = {5e-5, 5e-2}, bound_exact = {0, 0},
                   /* a byte may flip where a value lies on the border between two */
    bound_bytes = {1e-3, 3e-2}, bound_noise = {1e-6, 1e-6};

struct weights *golden_open(struct golden *g, const char *name)
{
    char path[PATH_LEN];
    struct weights *w = NULL;
    struct fault f = {0};
    enum err e = path_join(path, sizeof path, g->dir, name);
    if (!e)
        e = weights_open(path, &w, &f);
    if (e == ERR_NOTFOUND) {
        if (!g->quiet)
            printf("%s skipped: no such file\n", name);
        g->skipped++;
    } else if (e) {
        golden_broken(g, name, &f);
    }
    if (w)
        golden_spoil(g, w);
    return w;
}

bool golden_exists(const struct golden *g, const char *name)
{
    char path[PATH_LEN];
    return !path_join(path, sizeof path, g->dir, name) && !access(path, F_OK);
}

bool golden_has(const struct weights *w, const char *format, ...)
{
    char name[256];
    va_list ap;
    va_start(ap, format);
    vsnprintf(name, sizeof name, format, ap);
    va_end(ap);
    return weights_find(w, name) != NULL;
}

float *golden_values(struct golden *g, const struct weights *w, const char *name, int64_t *n)
{
    const struct wtensor *t = weights_find(w, name);
    float *v = t ? malloc((size_t)(t->count ? t->count : 1) * sizeof *v) : NULL;
    if (!v)
        golden_end(g, name, t ? "no memory for it" : "the folder has no such vector");
    wtensor_widen(t, v);
    *n = t->count;
    return v;
}

void golden_end(struct golden *g, const char *name, const char *why)
{
    printf("%s - - FAIL (%s; what comes behind it is not run)\n", name, why);
    g->failed++;
    longjmp(g->end, 1);
}

void golden_count(struct golden *g, const char *name, int64_t n, int64_t want)
{
    char why[80];
    snprintf(why, sizeof why, "it has %lld numbers, not %lld", (long long)n, (long long)want);
    if (n != want)
        golden_end(g, name, why);
}

void golden_broken(struct golden *g, const char *part, const struct fault *f)
{
    if (!g->quiet)
        printf("%s - - FAIL (%s)\n", part, fault_text(f));
    g->failed++;
}

void golden_check(struct golden *g, const char *part, const char *name, const float *got,
                  const float *want, int64_t n, struct bound bound)
{
    double diff = 0, norm = 0, limit = g->bf16 ? bound.bf16 : bound.f32;
    limit *= g->fp8 ? FP8_LOOSER : 1;
    if (g->fp8_all && strstr(name, "self_attn") && limit < FP8_ATTENTION)
        limit = FP8_ATTENTION;
    for (int64_t i = 0; i < n; i++) {
        double d = (double)got[i] - want[i];
        diff += d * d;
        norm += (double)want[i] * want[i];
    }
    double rel = norm > 0 ? sqrt(diff / norm) : sqrt(diff);
    bool ok = rel <= limit; /* false for NaN */
    if (!g->quiet)
        printf("%s.%s %.2e %.1e %s\n", part, name, rel, limit, ok ? "ok" : "FAIL");
    if (ok) {
        g->passed++;
        return;
    }
    g->failed++;
    if (rel > g->worst || !(g->worst > 0)) {
        g->worst = rel;
        g->worst_bound = limit;
    }
}

static void see(void *user, struct device *dev, const char *name, const struct tensor *t)
{
    struct golden_probe *p = user;
    char full[128], part[128];
    snprintf(full, sizeof full, "%s%s", p->prefix, name);
    const struct wtensor *want = weights_find(p->w, full);
    if (!want || !want->count)
        return;
    int64_t n = tensor_count(t), m = 0;
    float *v = malloc((size_t)n * sizeof *v), *b = golden_values(p->g, p->w, full, &m);
    struct fault f;
    if (m > n) {
        fault_set(&f, ERR_INVAL, "%s has %lld numbers, not %lld", full, (long long)n, (long long)m);
        golden_broken(p->g, p->part, &f);
    } else if (v && b) {
        device_read(dev, v, t, n);
        if (p->video) { /* [t, h, w, c] → [c, t, h, w] */
            float *turned = malloc((size_t)n * sizeof *v);
            int64_t c = tensor_last(t), places = n / c;
            for (int64_t i = 0; turned && i < n; i++)
                turned[i % c * places + i / c] = v[i];
            free(v);
            v = turned;
        }
        snprintf(part, sizeof part, "%s", p->part);
        if (v)
            golden_check(p->g, part, full, v, b, m, p->bound);
    }
    free(v);
    free(b);
}

void golden_probe_init(struct golden_probe *p, struct golden *g, const struct weights *w,
                       const char *part, const char *prefix, struct bound bound, bool video)
{
    *p = (struct golden_probe){{see, p}, g, w, part, prefix, bound, video};
}

static const struct {
    const char *name;
    void (*run)(struct golden *g);
} parts[] = {
    {"rng", golden_rng},
    {"schedulers", golden_schedulers},
    {"t5", golden_t5},
    {"vae", golden_vae},
    {"dit_t2v", golden_dit_t2v},
    {"dit_i2v", golden_dit_i2v},
    {"dit_vace", golden_dit_vace},
    {"lora", golden_lora},
    {"self_forcing", golden_self_forcing},
    {"e2e", golden_e2e},
};

static void run_parts(struct golden *g, const char *only)
{
    if (setjmp(g->end))
        return;
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (!only || !strcmp(only, parts[i].name))
            parts[i].run(g);
}

/* How many faults were not noticed. */
static int run_faults(struct golden *g)
{
    return setjmp(g->end) ? 1 : golden_faults(g);
}

static int usage(void)
{
    fprintf(stderr, "usage: wan-golden [--device cpu|cuda] [--dtype f32|bf16|fp8|fp8-linear|"
                    "fp8-weight]\n"
                    "                  [--part NAME] [--faults] [--in-files | --parked]\n"
                    "                  [--no-graphs] DIR\n");
    return 2;
}

int main(int argc, char **argv)
{
    const char *device = "cpu", *dtype = "f32", *only = NULL;
    bool faults = false, no_graphs = false;
    struct golden g = {.place = DIT_RESIDENT};
    struct fault f = {0};
    for (int i = 1; i < argc; i++) {
        bool more = i + 1 < argc;
        if (!strcmp(argv[i], "--device") && more)
            device = argv[++i];
        else if (!strcmp(argv[i], "--dtype") && more)
            dtype = argv[++i];
        else if (!strcmp(argv[i], "--part") && more)
            only = argv[++i];
        else if (!strcmp(argv[i], "--in-files"))
            g.place = DIT_IN_FILES;
        else if (!strcmp(argv[i], "--parked"))
            g.place = DIT_PARKED;
        else if (!strcmp(argv[i], "--faults"))
            faults = true;
        else if (!strcmp(argv[i], "--no-graphs"))
            no_graphs = true;
        else if (argv[i][0] == '-' || g.dir)
            return usage();
        else
            g.dir = argv[i];
    }
    g.fp8_all = !strcmp(dtype, "fp8");
    g.fp8 = !strncmp(dtype, "fp8", 3);
    g.bf16 = !strcmp(dtype, "bf16") || g.fp8;
    if (!g.dir || (strcmp(dtype, "f32") && !g.bf16))
        return usage();
    if (device_open(&(struct device_setup){device, dtype, 0}, &g.dev, &f)) {
        fprintf(stderr, "wan-golden: %s\n", fault_text(&f));
        return 2;
    }
    if (no_graphs)
        device_no_graphs(g.dev);
    printf("# %s\n", device_caps(g.dev)->words);
    if (faults && !device_caps(g.dev)->host_memory) {
        fprintf(stderr, "wan-golden: --faults needs the device cpu, whose steps it spoils\n");
        device_close(g.dev);
        return 2;
    }
    if (faults) {
        int missed = run_faults(&g);
        device_close(g.dev);
        return missed ? 1 : 0;
    }
    run_parts(&g, only);
    if (device_caps(g.dev)->note[0])
        printf("# %s\n", device_caps(g.dev)->note);
    if (device_played(g.dev))
        printf("# recordings played: %llu\n", (unsigned long long)device_played(g.dev));
    device_close(g.dev);
    printf("%d passed, %d failed, %d skipped\n", g.passed, g.failed, g.skipped);
    return g.failed || !g.passed;
}
