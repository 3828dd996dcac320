#include "tensor/cpu/primitive.h"

#include "tensor/device.h"
#include "tensor/parallel.h"

#include <stdlib.h>
#include <string.h>

#define KEPT 512      /* primitives; the least recently used goes */
#define ROWS_HINT 256 /* rows for which the layout of a linear layer is chosen */

struct primitives {
    dnnl_engine_t engine;
    dnnl_stream_t stream;
    struct primitive kept[KEPT];
    int kept_n;
    uint64_t clock;
};

enum err primitives_open(struct primitives **out, struct fault *f)
{
    struct primitives *s = calloc(1, sizeof *s);
    if (!s)
        return fault_set(f, ERR_NOMEM, "out of memory");
    if (!dnnl_engine_create(&s->engine, dnnl_cpu, 0) &&
        !dnnl_stream_create(&s->stream, s->engine, dnnl_stream_default_flags)) {
        *out = s;
        return ERR_OK;
    }
    primitives_close(s);
    return fault_set(f, ERR_UNSUPPORTED, "oneDNN does not start");
}

void primitive_team(int threads)
{
#ifdef _OPENMP
    omp_set_num_threads(threads);
#else
    (void)threads;
#endif
}

void primitives_close(struct primitives *s)
{
    if (!s)
        return;
    for (int i = 0; i < s->kept_n; i++)
        dnnl_primitive_destroy(s->kept[i].handle);
    if (s->stream)
        dnnl_stream_destroy(s->stream);
    if (s->engine)
        dnnl_engine_destroy(s->engine);
    free(s);
}

void primitive_matrix(dnnl_memory_desc_t *md, enum dtype dtype, int64_t rows, int64_t columns,
                      int64_t row_step, int64_t column_step)
{
    const dnnl_dims_t n = {rows, columns}, s = {row_step, column_step};
    dnnl_data_type_t type = dtype == DTYPE_BF16 ? dnnl_bf16 : dnnl_f32;
    if (row_step)
        dnnl_memory_desc_init_by_strides(md, 2, n, type, s);
    else
        dnnl_memory_desc_init_by_tag(md, 2, n, type, dnnl_format_tag_any);
}

static dnnl_status_t append_act(dnnl_post_ops_t ops, enum act act)
{
    switch (act) {
    case ACT_GELU_TANH:
        return dnnl_post_ops_append_eltwise(ops, 1, dnnl_eltwise_gelu_tanh, 0, 0);
    case ACT_GELU_ERF:
        return dnnl_post_ops_append_eltwise(ops, 1, dnnl_eltwise_gelu_erf, 0, 0);
    case ACT_RELU:
        return dnnl_post_ops_append_eltwise(ops, 1, dnnl_eltwise_relu, 0, 0);
    case ACT_SILU:
        return dnnl_post_ops_append_eltwise(ops, 1, dnnl_eltwise_swish, 1, 0);
    case ACT_NONE:
        break;
    }
    return dnnl_success;
}

/* Bias is an argument of its own; then act, or gate and sum. False: a part of it is missing, and
 * what would be computed is something else. */
static bool epilogue(struct primitive *k, const struct recipe *r, dnnl_primitive_attr_t attr)
{
    dnnl_post_ops_t ops = NULL;
    bool ok =
        !dnnl_post_ops_create(&ops) && !append_act(ops, r->act) &&
        (!r->gate || !dnnl_post_ops_append_binary(ops, dnnl_binary_mul, &k->gate)) &&
        (!r->add || !dnnl_post_ops_append_sum(ops, 1)) &&
        !dnnl_primitive_attr_set_post_ops(attr, ops) &&
        (!r->alone || !dnnl_primitive_attr_set_scratchpad_mode(attr, dnnl_scratchpad_mode_user));
    if (ops)
        dnnl_post_ops_destroy(ops);
    return ok;
}

static bool matmul(struct primitive *k, const struct recipe *r, dnnl_matmul_desc_t *op)
{
    int64_t m = r->rows, in = r->in, out = r->out;
    primitive_matrix(&k->src, r->dtype, m, in, in, 1);
    primitive_matrix(&k->dst, DTYPE_F32, m, out, out, 1);
    primitive_matrix(&k->bias, DTYPE_F32, 1, out, out, 1);
    k->gate = k->bias;
    k->weights = r->layout;
    return !dnnl_matmul_desc_init(op, &k->src, &k->weights, r->bias ? &k->bias : NULL, &k->dst);
}

static dnnl_primitive_desc_t describe(struct primitives *s, struct primitive *k,
                                      const struct recipe *r)
{
    dnnl_matmul_desc_t product;
    dnnl_primitive_desc_t desc = NULL;
    bool ok = matmul(k, r, &product);
    dnnl_primitive_attr_t attr = NULL;
    if (ok && !dnnl_primitive_attr_create(&attr) && epilogue(k, r, attr) &&
        dnnl_primitive_desc_create(&desc, &product, attr, s->engine, NULL))
        desc = NULL;
    if (attr)
        dnnl_primitive_attr_destroy(attr);
    if (desc)
        k->weights = *dnnl_primitive_desc_query_md(desc, dnnl_query_weights_md, 0);
    return desc;
}

const struct primitive *primitive_for(struct primitives *s, const struct recipe *r)
{
    int oldest = 0;
    for (int i = 0; i < s->kept_n; i++) {
        if (!memcmp(&s->kept[i].for_what, r, sizeof *r)) {
            s->kept[i].used = ++s->clock;
            return &s->kept[i];
        }
        if (s->kept[i].used < s->kept[oldest].used)
            oldest = i;
    }
    struct primitive fresh = {.for_what = *r, .used = ++s->clock};
    dnnl_primitive_desc_t desc = describe(s, &fresh, r);
    bool ok = desc && !dnnl_primitive_create(&fresh.handle, desc);
    if (ok)
        fresh.scratch = *dnnl_primitive_desc_query_md(desc, dnnl_query_scratchpad_md, 0);
    if (desc)
        dnnl_primitive_desc_destroy(desc);
    if (!ok)
        return NULL;
    int at = s->kept_n < KEPT ? s->kept_n++ : oldest;
    if (s->kept[at].handle)
        dnnl_primitive_destroy(s->kept[at].handle);
    s->kept[at] = fresh;
    return &s->kept[at];
}

bool primitive_layout(struct primitives *s, int64_t in, int64_t out, bool bias,
                      dnnl_memory_desc_t *layout)
{
    struct recipe r = {.rows = ROWS_HINT, .in = in, .out = out, .bias = bias};
    struct primitive scratch = {0};
    primitive_matrix(&r.layout, DTYPE_F32, in, out, 0, 0);
    dnnl_primitive_desc_t desc = describe(s, &scratch, &r);
    if (!desc)
        return false;
    *layout = scratch.weights;
    dnnl_primitive_desc_destroy(desc);
    return true;
}

bool primitive_reorder(struct primitives *s, const dnnl_memory_desc_t *from, const void *values,
                       const dnnl_memory_desc_t *layout, void *to)
{
    dnnl_memory_t a = NULL, b = NULL;
    dnnl_primitive_desc_t desc = NULL;
    dnnl_primitive_t go = NULL;
    bool ok =
        !dnnl_memory_create(&a, from, s->engine, (void *)values) &&
        !dnnl_memory_create(&b, layout, s->engine, to) &&
        !dnnl_reorder_primitive_desc_create(&desc, from, s->engine, layout, s->engine, NULL) &&
        !dnnl_primitive_create(&go, desc);
    if (ok) {
        dnnl_exec_arg_t args[] = {{DNNL_ARG_FROM, a}, {DNNL_ARG_TO, b}};
        ok = !dnnl_primitive_execute(go, s->stream, 2, args) && !dnnl_stream_wait(s->stream);
    }
    if (go)
        dnnl_primitive_destroy(go);
    if (desc)
        dnnl_primitive_desc_destroy(desc);
    if (a)
        dnnl_memory_destroy(a);
    if (b)
        dnnl_memory_destroy(b);
    return ok;
}

bool primitive_run(const struct primitives *s, const struct primitive *k, const struct argument *a,
                   int n)
{
    dnnl_exec_arg_t args[8] = {0};
    bool ok = true;
    int made = 0;
    for (; made < n && ok; made++) {
        args[made].arg = a[made].what;
        ok = !dnnl_memory_create(&args[made].memory, a[made].md, s->engine, a[made].data);
    }
    ok = ok && !dnnl_primitive_execute(k->handle, s->stream, n, args) &&
         !dnnl_stream_wait(s->stream);
    while (made--)
        if (args[made].memory)
            dnnl_memory_destroy(args[made].memory);
    return ok;
}
