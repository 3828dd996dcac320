/* A device without memory or arithmetic: what a model would take of another one, by running it.
 *
 * The model's own code asks for its weights and buffers in its own order, and what it holds at most
 * is then known, whatever that code becomes. What a backend takes for the time of one call is said
 * here: of tensor/cpu, whose tensors lie in host memory, and of tensor/cuda. */
#include "tensor/backend.h"

#include <stdlib.h>
#include <string.h>

#define KEPT 64                    /* CPU_KEPT of tensor/cpu */
#define PANEL 64                   /* columns that it packs together, at most */
#define PACKED ((size_t)96 << 20)  /* PACK_BYTES of its attention */
#define STAGE ((size_t)32 << 20)   /* STAGE_BYTES of tensor/cuda */
#define LOGITS ((int64_t)64 << 20) /* of its attention by products */
#define REPEATED 4096              /* keys that its attention repeats */
#define LIBRARY_WIDTH 256          /* of a head, at most, of cuDNN's attention, */
#define LIBRARY_WIDTH_LOW 128      /* and in e4m3 */
#define TOPS ((size_t)4096)        /* bytes beside rounding to e4m3 with one scale */
#define SUMS ((size_t)580 * 4)     /* and a column, at most, beside rounding q, k and v */

struct hollow {
    struct device dev; /* first */
    struct device_ops ops;
    size_t kept[KEPT]; /* what was freed, as tensor/cpu lends it again */
    int kept_n;
};

struct hollow_weight {
    struct weight w; /* first */
    void *data;      /* or NULL */
    void *bias;      /* or NULL */
    enum dtype type;
    const struct hollow_weight *whole; /* or NULL: rows of it, which take nothing */
    int64_t came;                      /* rows of it that have values */
    struct shelf *shelf;               /* or NULL: not there, or not yet */
    int part;
    size_t bytes;
};

struct hollow_shelf {
    struct shelf s; /* first */
    void *berth[2];
    size_t room;
    size_t bytes[]; /* of each part */
};

static bool of_host(const struct device *d)
{
    return d->caps.host_memory;
}

/* ---- memory ---- */

static size_t lent(struct hollow *h, size_t bytes)
{
    int best = -1;
    for (int i = 0; i < h->kept_n; i++)
        if (h->kept[i] >= bytes && h->kept[i] <= bytes + bytes / 4 + 4096 &&
            (best < 0 || h->kept[i] < h->kept[best]))
            best = i;
    if (best < 0)
        return bytes;
    bytes = h->kept[best];
    h->kept[best] = h->kept[--h->kept_n];
    return bytes;
}

static void *take(struct device *d, size_t bytes)
{
    struct hollow *h = (struct hollow *)d;
    size_t *p = malloc(sizeof *p);
    if (!p)
        return NULL;
    *p = of_host(d) ? lent(h, bytes) : (bytes + 255) & ~(size_t)255;
    device_count(d, (int64_t)*p);
    return p;
}

static void give(struct device *d, void *p)
{
    struct hollow *h = (struct hollow *)d;
    size_t bytes = *(size_t *)p;
    device_count(d, -(int64_t)bytes);
    free(p);
    if (!of_host(d))
        return;
    if (h->kept_n == KEPT)
        memmove(h->kept, h->kept + 1, sizeof *h->kept * --h->kept_n);
    h->kept[h->kept_n++] = bytes;
}

static void trim(struct device *d)
{
    ((struct hollow *)d)->kept_n = 0;
}

static void nothing(struct device *d)
{
}

static void unmoved(struct device *d, void *to, const void *from, size_t bytes)
{
}

static void read_zeros(struct device *d, void *to, const void *from, size_t bytes)
{
    if (to)
        memset(to, 0, bytes);
}

static void unset(struct device *d, void *p, size_t bytes)
{
}

/* So many bytes for the time of a call. */
static void for_a_while(struct device *d, size_t bytes)
{
    void *p = bytes ? device_alloc(d, bytes) : NULL;
    if (p)
        device_release(d, p);
}

static size_t whole_grains(size_t bytes)
{
    return (bytes + 255) & ~(size_t)255;
}

/* `t` in another type, where it is not of it. */
static size_t as(const struct tensor *t, enum dtype type)
{
    struct tensor other = *t;
    other.type = type;
    return t->type == type ? 0 : whole_grains(tensor_bytes(&other));
}

/* ---- work that comes again: its memory is on the tape from when it is recorded ---- */

static bool record(struct device *d)
{
    return true;
}

static void *recorded(struct device *d)
{
    return d;
}

static void unplayed(struct device *d, void *recording)
{
}

/* ---- weights ---- */

static size_t host_bytes(const struct device *d, const struct weight_spec *s, enum dtype *type)
{
    size_t out = (size_t)((s->out + PANEL - 1) / PANEL * PANEL),
           taps = (size_t)(s->kt * s->kh * s->kw);
    bool low = d->caps.dtype == DTYPE_BF16 && !s->precise && taps == 1;
    *type = low ? DTYPE_BF16 : DTYPE_F32;
    if (taps == 1 && low)
        return s->lent && s->type == DTYPE_BF16 ? 0 : (size_t)(s->out * s->in) * 2;
    if (taps == 1 && s->lent && d->caps.borrows)
        return 0;
    if (taps > 1)
        out = (size_t)((s->out + 31) / 32 * 32);
    return out * (size_t)s->in * taps * dtype_size(*type);
}

/* And what packing takes beside it. */
static size_t gpu_bytes(const struct device *d, const struct weight_spec *s, enum dtype *type,
                        size_t *beside)
{
    int64_t taps = (int64_t)s->kt * s->kh * s->kw, n = s->out * s->in * taps, in = s->in,
            out = s->out;
    bool low = d->caps.work == DTYPE_BF16 && !s->precise;
    *type = low ? DTYPE_BF16 : DTYPE_F32;
    if (low && taps > 1) {
        in = (in + 7) / 8 * 8;
        out = (out + 7) / 8 * 8;
    }
    if (d->caps.dtype == DTYPE_F8_E4M3 && s->low && taps == 1 && out % 16 == 0 && in % 16 == 0)
        *type = DTYPE_F8_E4M3;
    size_t wide = (size_t)n * sizeof(float), piece = wide < STAGE ? wide : STAGE;
    size_t file = s->scales ? whole_grains((size_t)n + 15 + (size_t)out * sizeof(float)) : 0;
    *beside = s->scales ? file : s->type == *type ? 0 : *type == DTYPE_F32 ? 0 : piece;
    if (*type == DTYPE_F8_E4M3)
        *beside = (s->type == DTYPE_BF16 ? wide / 2 : wide) + (d->caps.one_scale ? TOPS : 0) + file;
    if (taps > 1)
        *beside = wide + (in == s->in ? 0 : (size_t)n * dtype_size(*type));
    if (!s->values)
        *beside = 0;
    size_t bytes = (size_t)(out * in * taps) * dtype_size(*type);
    return *type == DTYPE_F8_E4M3 ? (bytes + 15) / 16 * 16 + (size_t)out * sizeof(float) : bytes;
}

static size_t bias_bytes(const struct weight_spec *s)
{
    return s->bias || !s->values ? ((size_t)s->out * sizeof(float) + 511) / 512 * 512 * 3 / 2 : 0;
}

/* What has come as a whole goes to its shelf. */
static void park(struct device *d, struct hollow_weight *w, struct shelf *to)
{
    struct hollow_shelf *shelf = (struct hollow_shelf *)to;
    device_release(d, w->data);
    w->data = NULL;
    w->shelf = to;
    shelf->bytes[w->part] += whole_grains(w->bytes);
    shelf->s.bytes += w->bytes;
}

static struct weight *pack(struct device *d, const struct weight_spec *s)
{
    struct hollow_weight *w = calloc(1, sizeof *w);
    struct hollow_weight *all = s->whole ? (struct hollow_weight *)s->whole : w;
    size_t beside = 0;
    if (!w)
        return NULL;
    w->w = (struct weight){d, s->out, s->in, s->kt, s->kh, s->kw};
    w->bytes = of_host(d) ? host_bytes(d, s, &w->type) : gpu_bytes(d, s, &w->type, &beside);
    w->part = s->part;
    if (all != w) {
        w->whole = all;
        w->type = all->type;
    } else {
        size_t bias = of_host(d) ? 0 : bias_bytes(s);
        w->data = w->bytes ? device_alloc(d, w->bytes) : NULL;
        w->bias = bias ? device_alloc(d, bias) : NULL;
    }
    for_a_while(d, beside);
    all->came += s->values ? s->out : 0;
    if (s->shelf && all->came == all->w.out && all->data)
        park(d, all, s->shelf);
    return &w->w;
}

static void unpack(struct weight *weight)
{
    struct hollow_weight *w = (struct hollow_weight *)weight;
    if (w->shelf) {
        ((struct hollow_shelf *)w->shelf)->bytes[w->part] -= whole_grains(w->bytes);
        w->shelf->bytes -= w->bytes;
    }
    if (w->data)
        device_release(weight->dev, w->data);
    if (w->bias)
        device_release(weight->dev, w->bias);
    free(w);
}

static struct shelf *shelf_make(struct device *d, int parts)
{
    struct hollow_shelf *s = calloc(1, sizeof *s + (size_t)parts * sizeof *s->bytes);
    if (s)
        s->s = (struct shelf){.dev = d, .parts = parts};
    return s ? &s->s : NULL;
}

static void shelf_end(struct shelf *shelf)
{
    struct hollow_shelf *s = (struct hollow_shelf *)shelf;
    for (int b = 0; b < 2; b++)
        if (s->berth[b])
            device_release(shelf->dev, s->berth[b]);
    free(s);
}

static void shelf_berths(struct shelf *shelf, int part, int next)
{
    struct hollow_shelf *s = (struct hollow_shelf *)shelf;
    size_t most = 0;
    for (int i = 0; i < shelf->parts; i++)
        most = s->bytes[i] > most ? s->bytes[i] : most;
    for (int b = 0; b < 2 && most > s->room; b++) {
        if (s->berth[b])
            device_release(shelf->dev, s->berth[b]);
        s->berth[b] = device_alloc(shelf->dev, most);
    }
    s->room = most > s->room ? most : s->room;
}

/* ---- what an operation takes for its time ---- */

/* Is it of e4m3, but multiplied as bf16, widened for the time of each product? */
static bool stored(const struct device *d, const struct hollow_weight *w)
{
    return w->type == DTYPE_F8_E4M3 && d->caps.low != DTYPE_F8_E4M3;
}

static enum dtype result_of(const struct hollow_weight *w)
{
    return w->type == DTYPE_F8_E4M3 ? DTYPE_BF16 : w->type;
}

static size_t result_bytes(const struct hollow_weight *w, const struct tensor *y)
{
    struct tensor apart = *y;
    apart.type = result_of(w);
    return whole_grains(tensor_bytes(&apart));
}

/* What a product takes beside its result: the weight widened, x in the weight's type. */
static size_t to_multiply(const struct device *d, const struct hollow_weight *w,
                          const struct tensor *x)
{
    if (stored(d, w))
        return whole_grains((size_t)(w->w.out * w->w.in) * 2) + as(x, DTYPE_BF16);
    return as(x, w->type) + (w->type == DTYPE_F8_E4M3 && d->caps.one_scale ? TOPS : 0);
}

/* What a norm into y takes. */
static size_t to_round(const struct device *d, const struct tensor *y)
{
    bool apart = y->type == DTYPE_F8_E4M3 && d->caps.one_scale;
    return apart ? as(y, DTYPE_BF16) + TOPS : 0;
}

/* What a product takes beside itself in a host's memory: x rounded, or a borrowed weight at most
 * as a whole. */
static size_t host_beside(const struct device *d, const struct hollow_weight *w,
                          const struct tensor *x)
{
    if (w->type == DTYPE_BF16)
        return (size_t)tensor_count(x) * 2;
    if (w->bytes || tensor_count(x) / w->w.in <= d->caps.panels)
        return 0;
    return (size_t)(w->w.out * w->w.in) * sizeof(float);
}

static void linear(struct device *d, const struct linear_op *op)
{
    const struct hollow_weight *w = (const struct hollow_weight *)op->w;
    if (of_host(d)) {
        for_a_while(d, host_beside(d, w, op->x));
        return;
    }
    bool eight = w->type == DTYPE_F8_E4M3 && !stored(d, w);
    bool direct = !(op->add && op->gate) && (eight ? op->y->type == DTYPE_BF16 && !op->add : true);
    for_a_while(d, to_multiply(d, w, op->x) + (direct ? 0 : result_bytes(w, op->y)));
}

static void join(struct device *d, const struct join_op *op)
{
    const struct hollow_weight *w = (const struct hollow_weight *)op->w;
    if (of_host(d))
        for_a_while(d, host_beside(d, w, op->from));
    else
        for_a_while(d, to_multiply(d, w, op->from) + result_bytes(w, op->x) +
                           (op->next ? to_round(d, op->next->y) : 0));
}

static void conv(struct device *d, const struct conv_op *op)
{
    const struct hollow_weight *w = (const struct hollow_weight *)op->w;
    const struct tensor *x = op->x, *y = op->y;
    if (of_host(d)) {
        int64_t borders = (x->dim[1] + op->top + op->bottom) * (x->dim[2] + op->left + op->right);
        for_a_while(d, (size_t)(x->dim[0] * borders * x->dim[3]) * sizeof(float));
        return;
    }
    int64_t in = (x->dim[3] + 7) / 8 * 8, out = (y->dim[3] + 7) / 8 * 8;
    size_t size = dtype_size(w->type), bytes = as(x, w->type);
    if (w->type == DTYPE_BF16 && in != x->dim[3])
        bytes += (size_t)(tensor_count(x) / x->dim[3] * in) * size;
    if (w->type == DTYPE_BF16 && (out != y->dim[3] || y->type != w->type))
        bytes += (size_t)(tensor_count(y) / y->dim[3] * out) * size;
    for_a_while(d, bytes);
}

static void attention(struct device *d, const struct attention_op *op)
{
    int64_t row = tensor_last(op->q), width = row / op->heads, nq = tensor_count(op->q) / row;
    int64_t nk = tensor_count(op->k) / row, all = nk - 1 + (int64_t)op->repeats;
    if (of_host(d)) {
        size_t each = (size_t)((nk + PANEL - 1) / PANEL * PANEL * width) * sizeof(float) +
                      (size_t)((nk + 255) / 256 * 256 * ((width + 31) / 32 * 32)) * sizeof(float);
        size_t most = PACKED / each > 0 ? PACKED / each : 1;
        for_a_while(d, each * (most < (size_t)op->heads ? most : (size_t)op->heads));
        return;
    }
    enum dtype type = d->caps.work;
    size_t bytes = as(op->q, type) + as(op->k, type) + as(op->v, type) + as(op->out, type);
    bool low = d->caps.attends_low && nq >= d->caps.attends_low && op->low && !op->bias &&
               !op->add && op->repeats == 1 && width % 16 == 0 && width <= LIBRARY_WIDTH_LOW;
    bool library = type == DTYPE_BF16 && !op->bias && width % 8 == 0 && width <= LIBRARY_WIDTH &&
                   nq >= d->caps.attends && (op->repeats == 1 || all <= REPEATED);
    if (low) { /* in e4m3: q, k and v, sums of their columns, a result to be widened */
        size_t q8 = (size_t)(nq * row), k8 = (size_t)(nk * row), grains = 8 * 256;
        size_t result = op->out->type == DTYPE_F8_E4M3 ? 0 : q8 + (size_t)nq * sizeof(float);
        size_t eight = q8 + 2 * k8 + SUMS * (size_t)row + result + grains;
        bytes = eight > bytes ? eight : bytes;
    }
    if (library)
        bytes += (op->repeats > 1 ? (size_t)(2 * all * row) * 2 : 0) +
                 (op->add ? (size_t)(nq * row) * 2 : 0);
    else if (width > 128) {
        int64_t ld = (nk + 7) / 8 * 8, most = LOGITS / ld > 0 ? LOGITS / ld : 1;
        bytes += (size_t)((most < nq ? most : nq) * ld) * (sizeof(float) + dtype_size(type));
    }
    for_a_while(d, bytes);
}

static void norm(struct device *d, const struct norm_op *op)
{
    for_a_while(d, of_host(d) ? 0 : to_round(d, op->y));
}

static void rope(struct device *d, const struct tensor *x, int heads, const struct tensor *table)
{
}

static void act(struct device *d, const struct tensor *y, const struct tensor *x, enum act which)
{
}

static void two(struct device *d, const struct tensor *y, const struct tensor *x,
                const struct tensor *z)
{
}

static void blend(struct device *d, const struct tensor *y, float a, const struct tensor *x,
                  float b)
{
}

static void one(struct device *d, const struct tensor *y, const struct tensor *x)
{
}

static void at(struct device *d, const struct tensor *y, const struct tensor *x, int64_t from)
{
}

static bool turn(struct device *d, const struct turn_op *op)
{
    return true;
}

/* ---- pictures ---- */

struct hollow_parcel {
    struct parcel p; /* first */
    void *near;
};

static struct parcel *parcel_make(struct device *d, size_t most)
{
    struct hollow_parcel *p = calloc(1, sizeof *p);
    if (p && !of_host(d))
        p->near = device_alloc(d, most);
    return p ? &p->p : NULL;
}

static void parcel_end(struct parcel *parcel)
{
    struct hollow_parcel *p = (struct hollow_parcel *)parcel;
    if (p->near)
        device_release(parcel->dev, p->near);
    free(p);
}

static void parcel_unsent(struct parcel *p, const struct tensor *x, float scale, float shift)
{
}

static void parcel_none(struct parcel *p)
{
}

static void end(struct device *d)
{
    free(d);
}

static const struct device_ops hollow_ops = {
    .close = end,
    .alloc = take,
    .release = give,
    .trim = trim,
    .wait = nothing,
    .record = record,
    .recorded = recorded,
    .play = unplayed,
    .forget = unplayed,
    .write = unmoved,
    .read = read_zeros,
    .copy = unmoved,
    .zero = unset,
    .pack = pack,
    .unpack = unpack,
    .shelf_new = shelf_make,
    .shelf_free = shelf_end,
    .shelf_turn = shelf_berths,
    .linear = linear,
    .conv = conv,
    .norm = norm,
    .rope = rope,
    .attention = attention,
    .act = act,
    .add = two,
    .mul = two,
    .blend = blend,
    .upsample = one,
    .unfold_time = one,
    .patchify = at,
    .unpatchify = one,
    .parcel_new = parcel_make,
    .parcel_free = parcel_end,
    .parcel_send = parcel_unsent,
    .parcel_wait = parcel_none,
    .convert = one,
    .join = join,
    .turn = turn,
};

struct device *device_hollow(const struct device_caps *like)
{
    struct hollow *h = calloc(1, sizeof *h);
    if (!h)
        return NULL;
    h->ops = hollow_ops;
    if (like->host_memory) /* it has none */
        h->ops.shelf_new = NULL;
    h->dev.ops = &h->ops;
    h->dev.caps = *like;
    h->dev.caps.hollow = true;
    return &h->dev;
}
