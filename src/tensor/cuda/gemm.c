/* cuBLASLt counts columns first: a row-major y[m, n] is its n x m matrix, so the weight is its A
 * and the input its B, and the bias, one number a row of its result, is one a column of ours. */
#include "tensor/cuda/gemm.h"

#include "tensor/cuda/choices.h"
#include "tensor/tape.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEPT 256
#define CANDIDATES 8
#define ROUNDS 3
#define FAILED 1e30f
#ifndef WORTH_TIMING
#define WORTH_TIMING 1e9 /* multiply-adds: below, the first candidate will do */
#endif

struct kept {
    struct gemm_shape shape;
    cublasLtMatmulDesc_t op;
    cublasLtMatrixLayout_t a, b, d;
    cublasLtMatmulAlgo_t algo;
    bool none; /* the library has no kernel for it */
    struct chosen chosen;
    uint64_t used;
};

struct gemms {
    cublasLtHandle_t lt;
    void *workspace;
    cudaEvent_t start, stop;
    struct kept kept[KEPT];
    int n;
    uint64_t clock;
};

static bool lt_ok(struct cuda *c, cublasStatus_t s, const char *call, const struct gemm_shape *g)
{
    if (s == CUBLAS_STATUS_SUCCESS)
        return true;
    device_fail(&c->dev, cuda_blame(c, s == CUBLAS_STATUS_ALLOC_FAILED),
                "%s (%s, %lld x %lld x %lld) failed on the GPU: %s", call,
                dtype_name((enum dtype)g->in), (long long)g->m, (long long)g->n, (long long)g->k,
                cublasLtGetStatusName(s));
    return false;
}

enum err gemm_open(struct cuda *c, struct fault *f)
{
    struct gemms *g = c->gemms = calloc(1, sizeof *g);
    if (!g)
        return fault_set(f, ERR_NOMEM, "out of memory");
    cublasStatus_t s = cublasLtCreate(&g->lt);
    if (s)
        return fault_set(f, ERR_UNSUPPORTED, "cuBLASLt does not start: %s",
                         cublasLtGetStatusName(s));
    cudaError_t e = cudaMalloc(&g->workspace, GEMM_WORKSPACE);
    if (!e)
        e = cudaEventCreate(&g->start);
    if (!e)
        e = cudaEventCreate(&g->stop);
    if (e)
        return fault_set(f, e == cudaErrorMemoryAllocation ? ERR_NOMEM : ERR_IO,
                         "cuBLASLt's workspace of %zu bytes: %s", GEMM_WORKSPACE,
                         cudaGetErrorString(e));
    return ERR_OK;
}

static void end(struct kept *k)
{
    if (k->a)
        cublasLtMatrixLayoutDestroy(k->a);
    if (k->b)
        cublasLtMatrixLayoutDestroy(k->b);
    if (k->d)
        cublasLtMatrixLayoutDestroy(k->d);
    if (k->op)
        cublasLtMatmulDescDestroy(k->op);
    memset(k, 0, sizeof *k);
}

void gemm_close(struct cuda *c)
{
    struct gemms *g = c->gemms;
    if (!g)
        return;
    for (int i = 0; i < g->n; i++)
        end(&g->kept[i]);
    if (g->start)
        cudaEventDestroy(g->start);
    if (g->stop)
        cudaEventDestroy(g->stop);
    if (g->workspace)
        cudaFree(g->workspace);
    if (g->lt)
        cublasLtDestroy(g->lt);
    free(g);
}

static cudaDataType_t lt_type(int type)
{
    return type == DTYPE_F8_E4M3 ? CUDA_R_8F_E4M3 : type == DTYPE_BF16 ? CUDA_R_16BF : CUDA_R_32F;
}

static cublasStatus_t describe(struct kept *k)
{
    const struct gemm_shape *g = &k->shape;
    cublasOperation_t a_op = g->across ? CUBLAS_OP_N : CUBLAS_OP_T, b_op = CUBLAS_OP_N;
    cublasLtEpilogue_t tail = g->bias
                                  ? g->gelu ? CUBLASLT_EPILOGUE_GELU_BIAS : CUBLASLT_EPILOGUE_BIAS
                              : g->gelu ? CUBLASLT_EPILOGUE_GELU
                                        : CUBLASLT_EPILOGUE_DEFAULT;
    cudaDataType_t in = lt_type(g->in), out = lt_type(g->out);
    cublasStatus_t s = cublasLtMatmulDescCreate(&k->op, CUBLAS_COMPUTE_32F, CUDA_R_32F);
    if (!s)
        s = cublasLtMatmulDescSetAttribute(k->op, CUBLASLT_MATMUL_DESC_TRANSA, &a_op, sizeof a_op);
    if (!s)
        s = cublasLtMatmulDescSetAttribute(k->op, CUBLASLT_MATMUL_DESC_TRANSB, &b_op, sizeof b_op);
    if (!s)
        s = cublasLtMatmulDescSetAttribute(k->op, CUBLASLT_MATMUL_DESC_EPILOGUE, &tail,
                                           sizeof tail);
    if (!s && g->bias)
        s = cublasLtMatmulDescSetAttribute(k->op, CUBLASLT_MATMUL_DESC_BIAS_DATA_TYPE, &out,
                                           sizeof out);
    if (!s && g->in == DTYPE_F8_E4M3) {
        cublasLtMatmulMatrixScale_t each = g->whole ? CUBLASLT_MATMUL_MATRIX_SCALE_SCALAR_32F
                                                    : CUBLASLT_MATMUL_MATRIX_SCALE_OUTER_VEC_32F;
        int8_t fast = 1; /* sums of e4m3 products in the tensor core's own registers */
        s = cublasLtMatmulDescSetAttribute(k->op, CUBLASLT_MATMUL_DESC_A_SCALE_MODE, &each,
                                           sizeof each);
        if (!s)
            s = cublasLtMatmulDescSetAttribute(k->op, CUBLASLT_MATMUL_DESC_B_SCALE_MODE, &each,
                                               sizeof each);
        if (!s)
            s = cublasLtMatmulDescSetAttribute(k->op, CUBLASLT_MATMUL_DESC_FAST_ACCUM, &fast,
                                               sizeof fast);
    }
    uint64_t rows = (uint64_t)(g->across ? g->n : g->k),
             columns = (uint64_t)(g->across ? g->k : g->n);
    if (!s)
        s = cublasLtMatrixLayoutCreate(&k->a, in, rows, columns, g->ldw);
    if (!s)
        s = cublasLtMatrixLayoutCreate(&k->b, in, (uint64_t)g->k, (uint64_t)g->m, g->ldx);
    if (!s)
        s = cublasLtMatrixLayoutCreate(&k->d, out, (uint64_t)g->n, (uint64_t)g->m, g->ldy);
    return s;
}

/* The library's candidates for a shape, best first by its own guess. */
static cublasStatus_t candidates(struct cuda *c, struct kept *k,
                                 cublasLtMatmulHeuristicResult_t *out, int *found)
{
    cublasLtMatmulPreference_t wish = NULL;
    size_t workspace = GEMM_WORKSPACE;
    uint32_t align = (uint32_t)k->shape.align;
    const cublasLtMatmulPreferenceAttributes_t aligns[] = {
        CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES,
        CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES};
    cublasStatus_t s = cublasLtMatmulPreferenceCreate(&wish);
    if (!s)
        s = cublasLtMatmulPreferenceSetAttribute(wish, CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES,
                                                 &workspace, sizeof workspace);
    for (int i = 0; i < 4 && !s; i++)
        s = cublasLtMatmulPreferenceSetAttribute(wish, aligns[i], &align, sizeof align);
    if (!s)
        s = cublasLtMatmulAlgoGetHeuristic(c->gemms->lt, k->op, k->a, k->b, k->d, k->d, wish,
                                           CANDIDATES, out, found);
    if (wish)
        cublasLtMatmulPreferenceDestroy(wish);
    return !s && *found < 1 ? CUBLAS_STATUS_NOT_SUPPORTED : s;
}

static cublasStatus_t multiply(struct cuda *c, const struct kept *k, const struct gemm *g,
                               const cublasLtMatmulAlgo_t *algo)
{
    return cublasLtMatmul(c->gemms->lt, k->op, &g->alpha, g->w, k->a, g->x, k->b, &g->beta, g->y,
                          k->d, g->y, k->d, algo, c->gemms->workspace, GEMM_WORKSPACE, c->stream);
}

/* Milliseconds of a candidate, or FAILED. */
static float time_of(struct cuda *c, const struct kept *k, const struct gemm *g,
                     const cublasLtMatmulAlgo_t *algo)
{
    struct gemms *all = c->gemms;
    float ms = 0;
    cublasStatus_t s = multiply(c, k, g, algo);
    cudaError_t e = cudaEventRecord(all->start, c->stream);
    for (int i = 0; i < ROUNDS && !s; i++)
        s = multiply(c, k, g, algo);
    if (!e)
        e = cudaEventRecord(all->stop, c->stream);
    if (!e)
        e = cudaEventSynchronize(all->stop);
    if (!e)
        e = cudaEventElapsedTime(&ms, all->start, all->stop);
    if (s || e)
        cudaGetLastError(); /* another candidate may do */
    return s || e ? FAILED : ms;
}

/* −1: none ran. */
static int fastest(struct cuda *c, const struct kept *k, const struct gemm *g,
                   const cublasLtMatmulHeuristicResult_t *all, int n)
{
    float least = FAILED;
    int best = -1;
    for (int i = 0; i < n; i++) {
        float ms = time_of(c, k, g, &all[i].algo);
        if (ms < least) {
            least = ms;
            best = i;
        }
    }
    return best;
}

/* What changes from call to call. */
static cublasStatus_t point(const struct kept *k, const struct gemm *g)
{
    cublasStatus_t s = CUBLAS_STATUS_SUCCESS;
    if (g->bias)
        s = cublasLtMatmulDescSetAttribute(k->op, CUBLASLT_MATMUL_DESC_BIAS_POINTER, &g->bias,
                                           sizeof g->bias);
    if (!s && g->scale_w)
        s = cublasLtMatmulDescSetAttribute(k->op, CUBLASLT_MATMUL_DESC_A_SCALE_POINTER, &g->scale_w,
                                           sizeof g->scale_w);
    if (!s && g->scale_x)
        s = cublasLtMatmulDescSetAttribute(k->op, CUBLASLT_MATMUL_DESC_B_SCALE_POINTER, &g->scale_x,
                                           sizeof g->scale_x);
    return s;
}

/* Of n candidates. What is known counts, unless it is of another list. */
static int choice(struct cuda *c, struct kept *k, const struct gemm *g,
                  const cublasLtMatmulHeuristicResult_t *all, int n)
{
    const struct gemm_shape *s = &k->shape;
    struct choice one = {.key = choices_key("gemm", s, sizeof *s)};
    snprintf(one.words, sizeof one.words, "a product %lldx%lldx%lld of %s", (long long)s->m,
             (long long)s->n, (long long)s->k, dtype_name((enum dtype)s->in));
    k->chosen.key = one.key;
    int known = choices_find(c->choices, one.key);
    for (int tries = 0; tries < 2 && (known < 0 || known >= n); tries++) {
        one.candidate = fastest(c, k, g, all, n);
        if (one.candidate < 0)
            return -1;
        known = choices_keep(c->choices, &one, known);
    }
    return known < n ? known : -1;
}

static cublasStatus_t choose(struct cuda *c, struct kept *k, const struct gemm *g)
{
    cublasLtMatmulHeuristicResult_t all[CANDIDATES];
    const struct gemm_shape *s = &k->shape;
    int n = 0, best = 0;
    memset(all, 0, sizeof all);
    cublasStatus_t bad = candidates(c, k, all, &n);
    if (bad)
        return bad;
    if (n > 1 && !s->adds && (double)s->m * (double)s->n * (double)s->k >= WORTH_TIMING)
        best = choice(c, k, g, all, n);
    k->algo = all[best < 0 ? 0 : best].algo;
    return CUBLAS_STATUS_SUCCESS;
}

/* That there is no kernel is kept too: asking takes longer than a launch. */
static struct kept *find(struct cuda *c, const struct gemm *g)
{
    struct gemms *all = c->gemms;
    int oldest = 0;
    for (int i = 0; i < all->n; i++) {
        if (!memcmp(&all->kept[i].shape, &g->shape, sizeof g->shape)) {
            all->kept[i].used = ++all->clock;
            choices_use(c->choices, &all->kept[i].chosen);
            return &all->kept[i];
        }
        if (all->kept[i].used < all->kept[oldest].used)
            oldest = i;
    }
    if (tape_records(&c->dev)) {
        tape_unready(&c->dev, "a product that was not chosen yet");
        return NULL;
    }
    struct kept fresh = {.shape = g->shape, .used = ++all->clock};
    cublasStatus_t s = describe(&fresh);
    if (!s)
        s = point(&fresh, g);
    if (!s)
        s = choose(c, &fresh, g);
    if (s) {
        end(&fresh);
        if (s != CUBLAS_STATUS_NOT_SUPPORTED && s != CUBLAS_STATUS_INVALID_VALUE) {
            lt_ok(c, s, "choosing a product of cuBLASLt", &g->shape);
            return NULL;
        }
        fresh = (struct kept){.shape = g->shape, .used = all->clock, .none = true};
    }
    int at = all->n < KEPT ? all->n++ : oldest;
    end(&all->kept[at]);
    all->kept[at] = fresh;
    choices_use(c->choices, &all->kept[at].chosen);
    return &all->kept[at];
}

static int alignment(const struct gemm *g)
{
    uintptr_t all = (uintptr_t)g->x | (uintptr_t)g->w | (uintptr_t)g->y | (uintptr_t)g->bias;
    int align = 16;
    while (align > 1 && all % (uintptr_t)align)
        align /= 2;
    return align;
}

/* The same with its shape filled in; shapes are compared as bytes. */
static struct gemm complete(const struct gemm *want)
{
    struct gemm g;
    memset(&g, 0, sizeof g);
    g = *want;
    memset(&g.shape, 0, sizeof g.shape);
    memcpy(&g.shape, &want->shape, sizeof g.shape);
    g.shape.bias = want->bias != NULL;
    g.shape.adds = want->beta != 0;
    g.shape.align = alignment(want);
    return g;
}

bool gemm_can(struct cuda *c, const struct gemm *want)
{
    struct gemm g = complete(want);
    if (device_failed(&c->dev))
        return false;
    const struct kept *k = find(c, &g);
    if (k)
        return !k->none;
    if (c->dev.failure.code != ERR_LOST && !(tape_records(&c->dev) && c->dev.tape->unready))
        c->dev.failure.code = ERR_OK;
    return false;
}

bool gemm_eight(struct cuda *c, bool whole)
{
    const int64_t side = 256;
    char *p = c->gemms->workspace; /* nothing is computed; nor measured, as of what is added to */
    return gemm_can(c, &(struct gemm){.shape = {.m = side,
                                                .n = side,
                                                .k = side,
                                                .ldx = side,
                                                .ldw = side,
                                                .ldy = side,
                                                .in = DTYPE_F8_E4M3,
                                                .out = DTYPE_BF16,
                                                .whole = whole},
                                      .x = p,
                                      .w = p,
                                      .y = p,
                                      .bias = p,
                                      .scale_x = (float *)p,
                                      .scale_w = (float *)p,
                                      .alpha = 1,
                                      .beta = 1});
}

void gemm_run(struct cuda *c, const struct gemm *want)
{
    struct gemm g = complete(want);
    struct kept *k = device_failed(&c->dev) ? NULL : find(c, &g);
    if (!k)
        return;
    cublasStatus_t s = k->none ? CUBLAS_STATUS_NOT_SUPPORTED : point(k, &g);
    if (!s)
        s = multiply(c, k, &g, &k->algo);
    lt_ok(c, s, "cublasLtMatmul", &g.shape);
}
