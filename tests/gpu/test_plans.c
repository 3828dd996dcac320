/* test_plans PROPERTIES.json [all|few]: does cuDNN take every graph of ours on a GPU with these
 * properties? None need be here: plans are finished for the properties, not run. Without `all` a
 * stage's first convolution stands for its likes, and with `few` one attention for all, so that CI
 * stays short (a plan takes a second). */
#include "base/err.h"
#include "tensor/cuda/plans.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static struct graph_target target;
static int failed, made;

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void try(struct graph *g, const char *name)
{
    struct plan p = {0};
    double start = now();
    if (graph_plans(g, &target, &p, 1, -1)) {
        printf("ok %-44s engine %lld, workspace %lld, %.1f s\n", name, (long long)p.engine,
               (long long)p.workspace, now() - start);
        made++;
    } else {
        printf("FAIL %s: %s: %s\n", name, g->call ? g->call : "", g->words);
        failed++;
    }
    fflush(stdout);
    plan_free(&p);
    graph_free(g);
}

/* `packed`: queries, keys and values side by side in their rows; `counted`: how many keys there are
 * is read when it runs */
static void attend(int64_t heads, int64_t width, int64_t nq, int64_t nk, bool packed, bool counted)
{
    struct graph g = {0};
    char name[80];
    int64_t row = heads * width, ld = packed ? 3 * row : row;
    snprintf(name, sizeof name, "attention %lld x %lld, %lld x %s%lld%s", (long long)heads,
             (long long)width, (long long)nq, counted ? "up to " : "", (long long)nk,
             packed ? ", packed" : "");
    sdpa_graph(&g, &(struct sdpa_shape){heads, nq, nk, width, ld, ld, ld, row, 0, counted});
    try(&g, name);
}

/* In e4m3: for 9.x only. Elsewhere the library must say so, for the device to go on in bf16. */
static void attend_eight(int64_t heads, int64_t width, int64_t nq, int64_t nk, bool hopper)
{
    struct graph g = {0};
    struct plan p = {0};
    char name[80];
    int64_t ld = heads * width;
    snprintf(name, sizeof name, "attention %lld x %lld, %lld x %lld, e4m3", (long long)heads,
             (long long)width, (long long)nq, (long long)nk);
    sdpa_graph(&g, &(struct sdpa_shape){heads, nq, nk, width, ld, ld, ld, ld, 1, 0});
    if (hopper) {
        try(&g, name);
        return;
    }
    bool made_one = graph_plans(&g, &target, &p, 1, -1) > 0;
    printf("%s %-44s %s\n", made_one ? "FAIL" : "ok", name,
           made_one ? "a plan where none was expected" : "no plan: it stays bf16");
    failed += made_one;
    plan_free(&p);
    graph_free(&g);
}

struct layer {
    const char *what;
    int64_t in, out, h, w;
    int kt, k, stride, times; /* times: frames for each latent frame */
    int border;               /* 1 on all sides; 2: below and right only */
    int add;
    bool like; /* of one that is there already */
};

/* The VAE at 832x480; frames of one latent frame, not the first. */
static const struct layer layers[] = {
    {"decoder in", 16, 384, 60, 104, 3, 3, 1, 1, 1, 0, false},
    {"middle", 384, 384, 60, 104, 3, 3, 1, 1, 1, 0, true},
    {"middle, residual", 384, 384, 60, 104, 3, 3, 1, 1, 1, 1, true},
    {"time, up", 384, 768, 60, 104, 3, 1, 1, 1, 0, 0, false},
    {"space, up", 384, 192, 120, 208, 1, 3, 1, 2, 1, 0, false},
    {"second", 192, 384, 120, 208, 3, 3, 1, 2, 1, 0, true},
    {"second, residual", 384, 384, 120, 208, 3, 3, 1, 2, 1, 1, false},
    {"time, up", 384, 768, 120, 208, 3, 1, 1, 2, 0, 0, true},
    {"space, up", 384, 192, 240, 416, 1, 3, 1, 4, 1, 0, true},
    {"third", 192, 192, 240, 416, 3, 3, 1, 4, 1, 0, true},
    {"third, residual", 192, 192, 240, 416, 3, 3, 1, 4, 1, 1, false},
    {"space, up", 192, 96, 480, 832, 1, 3, 1, 4, 1, 0, true},
    {"last", 96, 96, 480, 832, 3, 3, 1, 4, 1, 0, false},
    {"last, residual", 96, 96, 480, 832, 3, 3, 1, 4, 1, 1, false},
    {"pixels", 96, 8, 480, 832, 3, 3, 1, 4, 1, 0, false},
    {"encoder in", 8, 96, 480, 832, 3, 3, 1, 4, 1, 0, false},
    {"space, down", 96, 96, 480, 832, 1, 3, 2, 4, 2, 0, false},
    {"time, down", 192, 192, 120, 208, 3, 1, 1, 1, 0, 0, true},
    {"encoder out", 384, 32, 60, 104, 3, 3, 1, 1, 1, 0, true},
};

static void convolve(const struct layer *l)
{
    struct graph g = {0};
    char name[80];
    int stride = l->stride;
    struct conv_shape s = {.xt = l->times + l->kt - 1,
                           .xh = l->h,
                           .xw = l->w,
                           .in = l->in,
                           .yt = l->times,
                           .yh = l->h / stride,
                           .yw = l->w / stride,
                           .out = l->out,
                           .kt = l->kt,
                           .kh = l->k,
                           .kw = l->k,
                           .stride_t = 1,
                           .stride = stride,
                           .top = l->border == 1,
                           .left = l->border == 1,
                           .bottom = l->border > 0,
                           .right = l->border > 0,
                           .bias = 1,
                           .add = l->add};
    snprintf(name, sizeof name, "conv %s, %lld to %lld, %lld x %lld", l->what, (long long)l->in,
             (long long)l->out, (long long)l->h, (long long)l->w);
    conv_graph(&g, &s);
    try(&g, name);
}

static bool hopper; /* compute capability 9.x */

static bool read_properties(const char *path)
{
    static char text[16384];
    struct graph g = {0};
    FILE *f = fopen(path, "rb");
    size_t n = f ? fread(text, 1, sizeof text, f) : 0;
    if (f)
        fclose(f);
    cudnnBackendDescriptor_t d = graph_part(&g, CUDNN_BACKEND_DEVICEPROP_DESCRIPTOR);
    graph_set(&g, d, CUDNN_ATTR_DEVICEPROP_JSON_REPRESENTATION, CUDNN_TYPE_CHAR, (int64_t)n, text);
    graph_seal(&g, d);
    target.properties = d; /* lives as long as the program */
    target.most = PLAN_WORKSPACE;
    const char *version = strstr(text, "\"deviceVer\":");
    hopper = version && atoi(version + 12) / 100 == 9;
    if (g.bad)
        printf("FAIL %s: %s: %s\n", path, g.call, g.words);
    return !g.bad;
}

int main(int argc, char **argv)
{
    bool all = argc > 2 && !strcmp(argv[2], "all"), few = argc > 2 && !strcmp(argv[2], "few");
    if (argc < 2 || !read_properties(argv[1]))
        return 2;
    printf("# cuDNN %zu, %s\n", cudnnGetVersion(), argv[1]);
    attend(12, 128, 32760, 32760, true, false); /* 1.3B at 832x480, 81 frames */
    if (!few) {
        attend(12, 128, 32760, 512, false, false); /* its text */
        attend(12, 128, 4680, 32760, false, true); /* a causal block, and all there may be before */
        attend_eight(12, 128, 32760, 32760, hopper);
        attend_eight(40, 128, 32760, 32760, hopper);
    }
    if (all) {
        attend(40, 128, 32760, 32760, true, false); /* 14B */
        attend(40, 128, 32760, 512, false, false);
        attend(40, 128, 32760, 257, false, false); /* an image's tokens */
        attend(40, 128, 75600, 75600, true, false);
        attend(40, 128, 4680, 32760, false, true);
        attend(12, 128, 1560, 32760, false, true);  /* frame by frame */
        attend(12, 128, 4680, 32760, false, false); /* a causal block, the cache full */
        attend(16, 80, 257, 257, false, false);     /* CLIP */
    }
    for (size_t i = 0; i < sizeof layers / sizeof *layers; i++)
        if (all || !layers[i].like)
            convolve(&layers[i]);
    printf("%d plans, %d failed\n", made, failed);
    return failed > 0;
}
