#include "tensor/cuda/plans.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define ENGINES 16
#define LONG 0.5 /* seconds: such an engine is compiled at run time */

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void trouble(struct graph *g, cudnnStatus_t s, const char *call)
{
    if (s == CUDNN_STATUS_SUCCESS || g->bad)
        return;
    g->bad = s;
    g->call = call;
    cudnnGetLastErrorString(g->words, sizeof g->words);
    if (!g->words[0])
        snprintf(g->words, sizeof g->words, "%s", cudnnGetErrorString(s));
}

cudnnBackendDescriptor_t graph_part(struct graph *g, cudnnBackendDescriptorType_t type)
{
    cudnnBackendDescriptor_t part = NULL;
    if (g->bad)
        return NULL;
    if (g->parts == GRAPH_PARTS) {
        trouble(g, CUDNN_STATUS_INTERNAL_ERROR, "a graph of too many parts");
        return NULL;
    }
    trouble(g, cudnnBackendCreateDescriptor(type, &part), "cudnnBackendCreateDescriptor");
    if (part)
        g->part[g->parts++] = part;
    return part;
}

void graph_set(struct graph *g, cudnnBackendDescriptor_t part, cudnnBackendAttributeName_t name,
               cudnnBackendAttributeType_t type, int64_t n, const void *value)
{
    if (!g->bad)
        trouble(g, cudnnBackendSetAttribute(part, name, type, n, value),
                "cudnnBackendSetAttribute");
}

void graph_seal(struct graph *g, cudnnBackendDescriptor_t part)
{
    if (!g->bad)
        trouble(g, cudnnBackendFinalize(part), "cudnnBackendFinalize");
}

void graph_op(struct graph *g, cudnnBackendDescriptor_t op)
{
    if (g->ops == GRAPH_OPS)
        trouble(g, CUDNN_STATUS_INTERNAL_ERROR, "a graph of too many operations");
    else if (!g->bad)
        g->op[g->ops++] = op;
}

cudnnBackendDescriptor_t graph_tensor(struct graph *g, struct graph_tensor t)
{
    cudnnBackendDescriptor_t d = graph_part(g, CUDNN_BACKEND_TENSOR_DESCRIPTOR);
    int64_t align = 16;
    graph_set(g, d, CUDNN_ATTR_TENSOR_UNIQUE_ID, CUDNN_TYPE_INT64, 1, &t.id);
    graph_set(g, d, CUDNN_ATTR_TENSOR_DATA_TYPE, CUDNN_TYPE_DATA_TYPE, 1, &t.type);
    graph_set(g, d, CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT, CUDNN_TYPE_INT64, 1, &align);
    graph_set(g, d, CUDNN_ATTR_TENSOR_DIMENSIONS, CUDNN_TYPE_INT64, t.rank, t.dim);
    graph_set(g, d, CUDNN_ATTR_TENSOR_STRIDES, CUDNN_TYPE_INT64, t.rank, t.stride);
    graph_set(g, d, CUDNN_ATTR_TENSOR_IS_VIRTUAL, CUDNN_TYPE_BOOLEAN, 1, &t.inside);
    graph_set(g, d, CUDNN_ATTR_TENSOR_IS_BY_VALUE, CUDNN_TYPE_BOOLEAN, 1, &t.by_value);
    graph_seal(g, d);
    return d;
}

void graph_map(struct graph *g, cudnnPointwiseMode_t mode, cudnnBackendDescriptor_t x,
               cudnnBackendDescriptor_t b, cudnnBackendDescriptor_t y)
{
    cudnnDataType_t f32 = CUDNN_DATA_FLOAT;
    cudnnBackendDescriptor_t how = graph_part(g, CUDNN_BACKEND_POINTWISE_DESCRIPTOR);
    graph_set(g, how, CUDNN_ATTR_POINTWISE_MODE, CUDNN_TYPE_POINTWISE_MODE, 1, &mode);
    graph_set(g, how, CUDNN_ATTR_POINTWISE_MATH_PREC, CUDNN_TYPE_DATA_TYPE, 1, &f32);
    graph_seal(g, how);
    cudnnBackendDescriptor_t op = graph_part(g, CUDNN_BACKEND_OPERATION_POINTWISE_DESCRIPTOR);
    graph_set(g, op, CUDNN_ATTR_OPERATION_POINTWISE_PW_DESCRIPTOR, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1,
              &how);
    graph_set(g, op, CUDNN_ATTR_OPERATION_POINTWISE_XDESC, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &x);
    if (b)
        graph_set(g, op, CUDNN_ATTR_OPERATION_POINTWISE_BDESC, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1,
                  &b);
    graph_set(g, op, CUDNN_ATTR_OPERATION_POINTWISE_YDESC, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &y);
    graph_seal(g, op);
    graph_op(g, op);
}

void graph_free(struct graph *g)
{
    while (g->parts)
        cudnnBackendDestroyDescriptor(g->part[--g->parts]);
    g->ops = 0;
}

void plan_free(struct plan *p)
{
    if (p->plan)
        cudnnBackendDestroyDescriptor(p->plan);
    if (p->config)
        cudnnBackendDestroyDescriptor(p->config);
    *p = (struct plan){0};
}

static int64_t engine_of(cudnnBackendDescriptor_t config)
{
    cudnnBackendDescriptor_t engine = NULL;
    int64_t n = 0, id = -1;
    if (!cudnnBackendCreateDescriptor(CUDNN_BACKEND_ENGINE_DESCRIPTOR, &engine) &&
        !cudnnBackendGetAttribute(config, CUDNN_ATTR_ENGINECFG_ENGINE,
                                  CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &n, &engine))
        cudnnBackendGetAttribute(engine, CUDNN_ATTR_ENGINE_GLOBAL_INDEX, CUDNN_TYPE_INT64, 1, &n,
                                 &id);
    if (engine)
        cudnnBackendDestroyDescriptor(engine);
    return id;
}

/* Takes the configuration over when a plan comes of it. */
static cudnnStatus_t finish(const struct graph_target *at, cudnnBackendDescriptor_t config,
                            struct plan *out)
{
    struct plan p = {.engine = engine_of(config)};
    int64_t n = 0;
    cudnnStatus_t s =
        cudnnBackendCreateDescriptor(CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR, &p.plan);
    if (!s)
        s = cudnnBackendSetAttribute(p.plan, CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG,
                                     CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &config);
    if (!s && at->handle)
        s = cudnnBackendSetAttribute(p.plan, CUDNN_ATTR_EXECUTION_PLAN_HANDLE, CUDNN_TYPE_HANDLE, 1,
                                     &at->handle);
    if (!s && at->properties)
        s = cudnnBackendSetAttribute(p.plan, CUDNN_ATTR_EXECUTION_PLAN_DEVICEPROP,
                                     CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &at->properties);
    if (!s)
        s = cudnnBackendFinalize(p.plan);
    if (!s)
        s = cudnnBackendGetAttribute(p.plan, CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE,
                                     CUDNN_TYPE_INT64, 1, &n, &p.workspace);
    if (s) {
        plan_free(&p);
        return s;
    }
    p.config = config;
    *out = p;
    return s;
}

static int ask(struct graph *g, const struct graph_target *at, cudnnBackendDescriptor_t whole,
               cudnnBackendHeurMode_t mode, struct plan *out, int most, int only)
{
    cudnnBackendDescriptor_t guess = graph_part(g, CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR);
    cudnnBackendDescriptor_t config[ENGINES] = {0};
    int64_t found = 0;
    int made = 0;
    graph_set(g, guess, CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1,
              &whole);
    graph_set(g, guess, CUDNN_ATTR_ENGINEHEUR_MODE, CUDNN_TYPE_HEUR_MODE, 1, &mode);
    if (at->properties)
        graph_set(g, guess, CUDNN_ATTR_ENGINEHEUR_DEVICEPROP, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1,
                  &at->properties);
    graph_seal(g, guess);
    for (int i = 0; i < ENGINES && !g->bad; i++)
        trouble(g, cudnnBackendCreateDescriptor(CUDNN_BACKEND_ENGINECFG_DESCRIPTOR, &config[i]),
                "cudnnBackendCreateDescriptor");
    if (!g->bad)
        trouble(g,
                cudnnBackendGetAttribute(guess, CUDNN_ATTR_ENGINEHEUR_RESULTS,
                                         CUDNN_TYPE_BACKEND_DESCRIPTOR, ENGINES, &found, config),
                "cudnnBackendGetAttribute");
    cudnnStatus_t last = CUDNN_STATUS_NOT_SUPPORTED;
    for (int i = 0; i < found && i < ENGINES && made < most && !g->bad; i++) {
        double start = now();
        if (only >= 0 && i != only)
            continue;
        last = finish(at, config[i], &out[made]);
        if (!last) {
            config[i] = NULL;
            out[made].candidate = i;
            if (!at->most || out[made].workspace <= at->most)
                made++;
            else
                plan_free(&out[made]);
        }
        if (made && now() - start > LONG)
            break;
    }
    if (!made)
        trouble(g, last ? last : CUDNN_STATUS_NOT_SUPPORTED, "no engine of cuDNN takes the graph");
    for (int i = 0; i < ENGINES; i++)
        if (config[i])
            cudnnBackendDestroyDescriptor(config[i]);
    return made;
}

int graph_plans(struct graph *g, const struct graph_target *at, struct plan *out, int most,
                int only)
{
    static const cudnnBackendHeurMode_t modes[] = {CUDNN_HEUR_MODE_A, CUDNN_HEUR_MODE_FALLBACK};
    cudnnBackendDescriptor_t whole = graph_part(g, CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR);
    if (at->handle)
        graph_set(g, whole, CUDNN_ATTR_OPERATIONGRAPH_HANDLE, CUDNN_TYPE_HANDLE, 1, &at->handle);
    graph_set(g, whole, CUDNN_ATTR_OPERATIONGRAPH_OPS, CUDNN_TYPE_BACKEND_DESCRIPTOR, g->ops,
              g->op);
    graph_seal(g, whole);
    if (g->bad)
        return 0;
    for (int i = 0; i < 2; i++) { /* candidates of the second list count on */
        int base = i * ENGINES;
        if (only >= 0 && (only < base || only >= base + ENGINES))
            continue;
        int made = ask(g, at, whole, modes[i], out, most, only < 0 ? -1 : only - base);
        for (int k = 0; k < made; k++)
            out[k].candidate += base;
        if (made)
            return made;
        if (i == 0 && only < 0) /* the other list may still have one */
            g->bad = CUDNN_STATUS_SUCCESS;
    }
    return 0;
}
