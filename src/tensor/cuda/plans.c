#include "tensor/cuda/plans.h"

#include "tensor/cuda/choices.h"
#include "tensor/cuda/cuda.h"
#include "tensor/tape.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEPT 128
#define KEY 192
#define CANDIDATES 4
#define ROUNDS 2
#define FAILED 1e30f

struct kept {
    unsigned char key[KEY];
    size_t key_n;
    struct plan plan; /* plan.plan NULL: there is none for this graph */
    struct chosen chosen;
    uint64_t used;
};

struct plans {
    struct kept kept[KEPT];
    int n;
    uint64_t clock;
    void *workspace;
    int64_t workspace_n;
    cudaEvent_t start, stop;
};

enum err plans_open(struct cuda *c, struct fault *f)
{
    struct plans *p = c->plans = calloc(1, sizeof *p);
    if (!p)
        return fault_set(f, ERR_NOMEM, "out of memory");
    cudaError_t e = cudaEventCreate(&p->start);
    if (!e)
        e = cudaEventCreate(&p->stop);
    return e ? fault_set(f, ERR_IO, "the GPU gives no event: %s", cudaGetErrorString(e)) : ERR_OK;
}

void plans_close(struct cuda *c)
{
    struct plans *p = c->plans;
    if (!p)
        return;
    for (int i = 0; i < p->n; i++)
        plan_free(&p->kept[i].plan);
    if (p->workspace)
        cudaFree(p->workspace);
    if (p->start)
        cudaEventDestroy(p->start);
    if (p->stop)
        cudaEventDestroy(p->stop);
    free(p);
}

/* A workspace is not of the pool, which may have all there is. */
static cudaError_t grow(struct cuda *c, int64_t bytes)
{
    struct plans *p = c->plans;
    if (bytes <= p->workspace_n)
        return cudaSuccess;
    tape_outdate(&c->dev);
    if (p->workspace)
        cudaFree(p->workspace);
    p->workspace = NULL;
    p->workspace_n = 0;
    cudaError_t e = cudaMalloc(&p->workspace, (size_t)bytes);
    if (e == cudaErrorMemoryAllocation) {
        memory_let_go(c);
        e = cudaMalloc(&p->workspace, (size_t)bytes);
    }
    p->workspace_n = e ? 0 : bytes;
    return e;
}

static cudnnStatus_t execute(struct cuda *c, const struct plan *plan, const struct plan_run *r)
{
    cudnnBackendDescriptor_t pack = NULL;
    void *workspace = c->plans->workspace;
    cudnnStatus_t s = cudnnBackendCreateDescriptor(CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR, &pack);
    if (!s)
        s = cudnnBackendSetAttribute(pack, CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS, CUDNN_TYPE_INT64,
                                     r->n, r->id);
    if (!s)
        s = cudnnBackendSetAttribute(pack, CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS,
                                     CUDNN_TYPE_VOID_PTR, r->n, r->data);
    if (!s)
        s = cudnnBackendSetAttribute(pack, CUDNN_ATTR_VARIANT_PACK_WORKSPACE, CUDNN_TYPE_VOID_PTR,
                                     1, &workspace);
    if (!s)
        s = cudnnBackendFinalize(pack);
    if (!s)
        s = cudnnBackendExecute(c->dnn, plan->plan, pack);
    if (pack)
        cudnnBackendDestroyDescriptor(pack);
    return s;
}

/* Milliseconds, or FAILED. */
static float time_of(struct cuda *c, const struct plan *plan, const struct plan_run *r)
{
    struct plans *p = c->plans;
    float ms = 0;
    cudaError_t e = grow(c, plan->workspace);
    if (e) {
        cudaGetLastError(); /* another plan may do with less */
        return FAILED;
    }
    cudnnStatus_t s = execute(c, plan, r);
    e = cudaEventRecord(p->start, c->stream);
    for (int i = 0; i < ROUNDS && !s; i++)
        s = execute(c, plan, r);
    if (!e)
        e = cudaEventRecord(p->stop, c->stream);
    if (!e)
        e = cudaEventSynchronize(p->stop);
    if (!e)
        e = cudaEventElapsedTime(&ms, p->start, p->stop);
    if (s || e)
        cudaGetLastError();
    return s || e ? FAILED : ms;
}

/* The fastest of n plans, timed on `r`, or on a copy of it that writes elsewhere; −1: none ran. */
static int fastest(struct cuda *c, const struct plan_run *r, const struct plan *all, int n)
{
    struct plan_run timed = *r;
    void *spare = r->input_too ? memory_alloc(&c->dev, r->result_bytes) : NULL;
    float least = FAILED;
    int best = -1;
    if (r->input_too && !spare)
        return -1;
    for (int i = 0; i < r->n && spare; i++)
        if (r->id[i] == r->result)
            timed.data[i] = spare;
    for (int i = 0; i < n; i++) {
        float ms = time_of(c, &all[i], &timed);
        if (ms < least) {
            least = ms;
            best = i;
        }
    }
    if (spare)
        device_release(&c->dev, spare);
    return best;
}

/* The plans of `r`: that candidate alone, or the first few. */
static int make(struct cuda *c, const struct plan_run *r, int only, int64_t most, struct plan *all,
                struct graph *g)
{
    struct graph_target here = {.handle = c->dnn, .most = most};
    *g = (struct graph){0};
    r->graph(g, r->key);
    int n = graph_plans(g, &here, all, r->result && only < 0 ? CANDIDATES : 1, only);
    graph_free(g);
    return n;
}

/* Keeps all[best] as the choice, in place of `instead`. The plan that counts is all[] of what is
 * returned: another process may have been first, with one that is in the list or is made now. */
static int keep(struct cuda *c, const struct plan_run *r, struct plan *all, int n, int best,
                struct choice *one, int instead)
{
    struct plan other = {0};
    struct graph g;
    one->candidate = all[best].candidate;
    int counts = choices_keep(c->choices, one, instead);
    for (int i = 0; i < n; i++)
        if (all[i].candidate == counts)
            return i;
    if (make(c, r, counts, PLAN_WORKSPACE, &other, &g)) {
        plan_free(&all[best]);
        all[best] = other;
    } else {
        choices_keep(c->choices, one, counts); /* it was kept of another list */
    }
    return best;
}

static struct plan choose(struct cuda *c, const struct plan_run *r, struct chosen *chosen)
{
    struct plan all[CANDIDATES] = {0};
    struct graph g;
    struct choice one = {.key = r->result ? choices_key(r->what, r->key, r->key_n) : 0};
    int known = one.key ? choices_find(c->choices, one.key) : -1, best = 0, n = 0;
    bool fresh = false;
    snprintf(one.words, sizeof one.words, "%.20s %lldx%lldx%lld", r->what, (long long)r->size[0],
             (long long)r->size[1], (long long)r->size[2]);
    /* one that may find no memory is better than none */
    for (int64_t most = PLAN_WORKSPACE; !n && most >= 0; most -= PLAN_WORKSPACE) {
        fresh = known < 0;
        n = fresh ? 0 : make(c, r, known, most, all, &g);
        if (!n) { /* none was known, or it was kept of another list */
            fresh = true;
            n = make(c, r, -1, most, all, &g);
        }
    }
    if (!n) /* what takes its place may be slower by far */
        snprintf(c->dev.caps.note, sizeof c->dev.caps.note,
                 "%s (%lld x %lld x %lld) without cuDNN, which has no plan for it: %.100s", r->what,
                 (long long)r->size[0], (long long)r->size[1], (long long)r->size[2], g.words);
    if (n > 1)
        best = fastest(c, r, all, n);
    chosen->key = n ? one.key : 0;
    if (n && one.key && fresh && best >= 0)
        best = keep(c, r, all, n, best, &one, known);
    best = best < 0 ? 0 : best;
    for (int i = 0; i < n; i++)
        if (i != best)
            plan_free(&all[i]);
    return all[best];
}

/* NULL: it would have to be made while work is recorded. */
static struct kept *find(struct cuda *c, const struct plan_run *r)
{
    struct plans *p = c->plans;
    int oldest = 0;
    for (int i = 0; i < p->n; i++) {
        struct kept *k = &p->kept[i];
        if (k->key_n == r->key_n && !memcmp(k->key, r->key, r->key_n)) {
            k->used = ++p->clock;
            choices_use(c->choices, &k->chosen);
            return k;
        }
        if (k->used < p->kept[oldest].used)
            oldest = i;
    }
    if (tape_records(&c->dev)) {
        tape_unready(&c->dev, "a plan that was not made yet");
        return NULL;
    }
    struct kept fresh = {.key_n = r->key_n, .used = ++p->clock};
    memcpy(fresh.key, r->key, r->key_n);
    fresh.plan = choose(c, r, &fresh.chosen);
    if (p->n == KEPT) { /* the work that is queued, or a recording, may run kernels of the oldest */
        cuda_ok(c, cudaStreamSynchronize(c->stream), "the work before this", 1, 1, 1);
        tape_outdate(&c->dev);
    }
    int at = p->n < KEPT ? p->n++ : oldest;
    plan_free(&p->kept[at].plan);
    p->kept[at] = fresh;
    choices_use(c->choices, &p->kept[at].chosen);
    return &p->kept[at];
}

bool plans_can(struct cuda *c, const struct plan_run *r)
{
    const struct kept *k = device_failed(&c->dev) || r->key_n > KEY ? NULL : find(c, r);
    return k && k->plan.plan;
}

bool plans_run(struct cuda *c, const struct plan_run *r)
{
    if (device_failed(&c->dev) || r->key_n > KEY)
        return false;
    const struct kept *k = find(c, r);
    if (!k || !k->plan.plan)
        return false;
    if (k->plan.workspace > c->plans->workspace_n && tape_records(&c->dev)) {
        tape_unready(&c->dev, "a larger workspace");
        return false;
    }
    if (!cuda_ok(c, grow(c, k->plan.workspace), "a workspace", k->plan.workspace, 1, 1))
        return false;
    cudnnStatus_t s = execute(c, &k->plan, r);
    if (!s)
        return true;
    char words[160] = "";
    cudnnGetLastErrorString(words, sizeof words);
    device_fail(
        &c->dev, cuda_blame(c, s == CUDNN_STATUS_ALLOC_FAILED),
        "%s (%lld x %lld x %lld) failed on the GPU: cudnnBackendExecute, engine %lld: %s %s",
        r->what, (long long)r->size[0], (long long)r->size[1], (long long)r->size[2],
        (long long)k->plan.engine, cudnnGetErrorString(s), words);
    return false;
}
