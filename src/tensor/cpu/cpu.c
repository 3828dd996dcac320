#include "tensor/cpu/attention.h"

#include "base/buf.h"
#include "base/ram.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define HUGE_PAGE ((size_t)2 << 20)
#define LARGE (4 * HUGE_PAGE)

void *cpu_memory(size_t bytes)
{
    void *p = NULL;
    bool large = bytes >= LARGE;
    if (posix_memalign(&p, large ? HUGE_PAGE : 64, bytes ? bytes : 64))
        return NULL;
    if (large) /* gigabytes of weights in pages of 4 KiB cost seconds of page faults */
        madvise(p, bytes, MADV_HUGEPAGE);
    return p;
}

bool cpu_scratch(struct cpu *c, size_t each)
{
    each = (each + 15) & ~(size_t)15;
    if (each <= c->scratch_each)
        return true;
    free(c->scratch);
    c->scratch = cpu_memory(each * (size_t)c->threads * sizeof(float));
    c->scratch_each = c->scratch ? each : 0;
    if (!c->scratch)
        device_fail(&c->dev, ERR_NOMEM, "no memory for the scratch of %d threads", c->threads);
    return c->scratch != NULL;
}

const float *cpu_rows(const struct weight_spec *s, int64_t from, int64_t n, int64_t row,
                      float *scratch)
{
    const char *at = (const char *)s->values + (size_t)(from * row) * dtype_size(s->type);
    if (s->type == DTYPE_F32 && (uintptr_t)at % sizeof(float) == 0)
        return (const float *)(const void *)at;
    dtype_widen(scratch, at, s->type, (size_t)(n * row));
    return scratch;
}

/* Memory. A forward pass frees and asks for the same few sizes again and again; freed blocks wait
 * here, so that pages are not taken from and given back to the system each time. The size of a
 * block stands in the 64 bytes before it. */
static void *cpu_alloc(struct device *d, size_t bytes)
{
    struct cpu *c = cpu_of(d);
    int best = -1;
    for (int i = 0; i < c->kept_n; i++)
        if (c->kept[i].bytes >= bytes && c->kept[i].bytes <= bytes + bytes / 4 + 4096 &&
            (best < 0 || c->kept[i].bytes < c->kept[best].bytes))
            best = i;
    char *p;
    if (best >= 0) {
        p = c->kept[best].p;
        bytes = c->kept[best].bytes;
        c->kept[best] = c->kept[--c->kept_n];
    } else {
        if (bytes > SIZE_MAX - 64 || !(p = cpu_memory(bytes + 64)))
            return NULL;
        memcpy(p, &bytes, sizeof bytes);
    }
    device_count(d, (int64_t)bytes);
    return p + 64;
}

static void cpu_release(struct device *d, void *data)
{
    struct cpu *c = cpu_of(d);
    char *p = (char *)data - 64;
    size_t bytes;
    memcpy(&bytes, p, sizeof bytes);
    device_count(d, -(int64_t)bytes);
    if (c->kept_n == CPU_KEPT) { /* the oldest makes room */
        free(c->kept[0].p);
        memmove(c->kept, c->kept + 1, sizeof *c->kept * (CPU_KEPT - 1));
        c->kept_n--;
    }
    c->kept[c->kept_n++] = (struct cpu_block){p, bytes};
}

static void cpu_trim(struct device *d)
{
    struct cpu *c = cpu_of(d);
    while (c->kept_n)
        free(c->kept[--c->kept_n].p);
    free(c->scratch);
    c->scratch = NULL;
    c->scratch_each = 0;
}

static void cpu_close(struct device *d)
{
    struct cpu *c = cpu_of(d);
    if (c->products->close)
        c->products->close(c->state);
    cpu_trim(d);
    free(c);
}

static void cpu_wait(struct device *d)
{
}

static void cpu_move(struct device *d, void *to, const void *from, size_t bytes)
{
    memmove(to, from, bytes);
}

static void cpu_zero(struct device *d, void *p, size_t bytes)
{
    memset(p, 0, bytes);
}

static struct weight *cpu_pack(struct device *d, const struct weight_spec *spec)
{
    struct weight *w = cpu_of(d)->products->pack(d, spec);
    if (w) {
        w->dev = d;
        w->out = spec->out;
        w->in = spec->in;
        w->kt = spec->kt;
        w->kh = spec->kh;
        w->kw = spec->kw;
    }
    return w;
}

static void cpu_unpack(struct weight *w)
{
    cpu_of(w->dev)->products->unpack(w);
}

static void cpu_linear(struct device *d, const struct linear_op *op)
{
    cpu_of(d)->products->linear(d, op);
}

static void cpu_conv(struct device *d, const struct conv_op *op)
{
    cpu_of(d)->products->conv(d, op);
}

static void cpu_norm(struct device *d, const struct norm_op *op)
{
    struct cpu *c = cpu_of(d);
    int64_t n = tensor_last(op->x), rows = tensor_count(op->x) / n;
    const float *x = op->x->data;
    float *y = op->y->data;
    int team = cpu_team(c, rows * n);
    PARALLEL_FOR(team)
    for (int64_t i = 0; i < rows; i++)
        c->k->norm(y + i * n, x + i * n, n, op);
}

static void cpu_rope(struct device *d, const struct tensor *x, int heads,
                     const struct tensor *table)
{
    struct cpu *c = cpu_of(d);
    int64_t n = tensor_last(x), rows = tensor_count(x) / n, half = n / heads / 2;
    float *at = x->data;
    const float *angles = table->data;
    int team = cpu_team(c, rows * n);
    PARALLEL_FOR(team)
    for (int64_t i = 0; i < rows; i++)
        c->k->rope(at + i * n, angles + i * 2 * half, heads, half);
}

/* Long vectors in pieces that stay in the first cache. */
#define PIECE 4096
#define EACH_PIECE(t, code)                                                                        \
    do {                                                                                           \
        struct cpu *c = cpu_of(d);                                                                 \
        int64_t all = tensor_count(t), pieces = (all + PIECE - 1) / PIECE;                         \
        int team = cpu_team(c, all);                                                               \
        PARALLEL_FOR(team)                                                                         \
        for (int64_t i = 0; i < pieces; i++) {                                                     \
            int64_t at = i * PIECE, n = all - at < PIECE ? all - at : PIECE;                       \
            code;                                                                                  \
        }                                                                                          \
    } while (0)

static void cpu_act(struct device *d, const struct tensor *y, const struct tensor *x, enum act act)
{
    float *to = y->data;
    const float *a = x->data;
    EACH_PIECE(y, c->k->act(to + at, a + at, n, act));
}

static void cpu_add(struct device *d, const struct tensor *y, const struct tensor *x,
                    const struct tensor *z)
{
    float *to = y->data;
    const float *a = x->data, *b = z->data;
    EACH_PIECE(y, c->k->add(to + at, a + at, b + at, n));
}

static void cpu_mul(struct device *d, const struct tensor *y, const struct tensor *x,
                    const struct tensor *z)
{
    float *to = y->data;
    const float *a = x->data, *b = z->data;
    EACH_PIECE(y, c->k->mul(to + at, a + at, b + at, n));
}

static void cpu_blend(struct device *d, const struct tensor *y, float a, const struct tensor *x,
                      float b)
{
    float *to = y->data;
    const float *from = x->data;
    EACH_PIECE(y, c->k->blend(to + at, a, from + at, b, n));
}

static void cpu_upsample(struct device *d, const struct tensor *y, const struct tensor *x)
{
    struct cpu *c = cpu_of(d);
    int64_t rows = x->dim[0] * x->dim[1], w = x->dim[2], ch = x->dim[3];
    const float *from = x->data;
    float *to = y->data;
    int team = cpu_team(c, rows * w * ch * 4);
    PARALLEL_FOR(team)
    for (int64_t r = 0; r < rows; r++) {
        float *line = to + r * 4 * w * ch;
        for (int64_t i = 0; i < w; i++)
            for (int64_t twice = 0; twice < 2; twice++)
                memcpy(line + (2 * i + twice) * ch, from + (r * w + i) * ch,
                       (size_t)ch * sizeof *to);
        memcpy(line + 2 * w * ch, line, (size_t)(2 * w * ch) * sizeof *to);
    }
}

static void cpu_unfold_time(struct device *d, const struct tensor *y, const struct tensor *x)
{
    struct cpu *c = cpu_of(d);
    int64_t plane = x->dim[1] * x->dim[2], ch = y->dim[3], frames = x->dim[0];
    const float *from = x->data;
    float *to = y->data;
    int team = cpu_team(c, frames * plane * ch * 2);
    PARALLEL_FOR(team)
    for (int64_t i = 0; i < frames * plane; i++) {
        int64_t f = i / plane, at = i % plane;
        memcpy(to + (2 * f * plane + at) * ch, from + 2 * i * ch, (size_t)ch * sizeof *to);
        memcpy(to + ((2 * f + 1) * plane + at) * ch, from + (2 * i + 1) * ch,
               (size_t)ch * sizeof *to);
    }
}

static const struct device_ops cpu_ops = {
    .close = cpu_close,
    .alloc = cpu_alloc,
    .release = cpu_release,
    .trim = cpu_trim,
    .wait = cpu_wait,
    .write = cpu_move,
    .read = cpu_move,
    .copy = cpu_move,
    .zero = cpu_zero,
    .pack = cpu_pack,
    .unpack = cpu_unpack,
    .linear = cpu_linear,
    .conv = cpu_conv,
    .norm = cpu_norm,
    .rope = cpu_rope,
    .attention = cpu_attention,
    .act = cpu_act,
    .add = cpu_add,
    .mul = cpu_mul,
    .blend = cpu_blend,
    .upsample = cpu_upsample,
    .unfold_time = cpu_unfold_time,
    .patchify = cpu_patchify,
    .unpatchify = cpu_unpatchify,
    .parcel_new = cpu_parcel_new,
    .parcel_free = cpu_parcel_free,
    .parcel_send = cpu_parcel_send,
    .parcel_wait = cpu_parcel_wait,
};

#ifdef _OPENMP
static int cores(void)
{
    cpu_set_t set;
    if (!sched_getaffinity(0, sizeof set, &set))
        return CPU_COUNT(&set);
    long n = sysconf(_SC_NPROCESSORS_ONLN);
    return n > 0 ? (int)n : 1;
}
#endif

enum err cpu_open(bool plain, int threads, enum device_dtype dtype, struct device **out,
                  struct fault *f)
{
    struct cpu *c = calloc(1, sizeof *c);
    if (!c)
        return fault_set(f, ERR_NOMEM, "out of memory");
    c->dev.ops = &cpu_ops;
    c->k = kernels_best();
    c->threads = 1;
#ifdef _OPENMP
    c->threads = threads > 0 ? threads : cores();
#endif
    c->products = &products_plain;
#ifdef HAVE_DNNL
    if (!plain)
        c->products = &products_dnnl;
#endif
    const struct products *made = c->products;
    struct device_caps *caps = &c->dev.caps;
    caps->dtype = dtype == DEVICE_BF16                 ? DTYPE_BF16
                  : dtype == DEVICE_AUTO && made->best ? made->best()
                                                       : DTYPE_F32;
    if (caps->dtype != DTYPE_F32 && !(made->knows && made->knows(caps->dtype))) {
        free(c);
        return fault_set(f, ERR_UNSUPPORTED,
                         "products in bf16 need oneDNN and a processor with AVX-512; use f32");
    }
    if (caps->dtype == DTYPE_BF16)
        c->attention = attention_best_low(c->k);
    caps->threads = c->threads;
    caps->host_memory = true;
    caps->borrows = made->borrows;
    if (made->reports)
        made->reports(caps);
    caps->memory = ram_bytes("");
    str_copy(caps->name, sizeof caps->name, "cpu");
    snprintf(caps->words, sizeof caps->words, "cpu, %s, %d threads, %s kernels, products: %s%s",
             caps->dtype == DTYPE_BF16 ? "bf16" : "f32", c->threads, c->k->name, made->name,
             c->attention ? ", attention: AMX" : "");
    enum err e = made->open ? made->open(&c->dev, &c->state, f) : ERR_OK;
    if (e) {
        free(c);
        return e;
    }
    *out = &c->dev;
    return ERR_OK;
}
