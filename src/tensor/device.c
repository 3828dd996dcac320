/* What every backend may rely on is checked here, once: shapes agree, memory is there, nothing has
 * failed before. */
#include "tensor/device.h"

#include "tensor/backend.h"

#include <string.h>

#define PARTS_BEHIND 2

void device_close(struct device *d)
{
    if (d)
        d->ops->close(d);
}

const struct device_caps *device_caps(const struct device *d)
{
    return &d->caps;
}

enum err device_settle(struct device *d, struct fault *f)
{
    d->ops->wait(d);
    enum err e = d->failure.code;
    if (e && f)
        *f = d->failure;
    if (e != ERR_LOST)
        memset(&d->failure, 0, sizeof d->failure);
    return e;
}

uint64_t device_used(const struct device *d)
{
    return d->used;
}

uint64_t device_peak(const struct device *d)
{
    return d->peak;
}

void device_choices_begin(struct device *d)
{
    if (d->ops->choices_begin)
        d->ops->choices_begin(d);
}

bool device_choices(struct device *d, struct buf *out)
{
    return !d->ops->choices || d->ops->choices(d, out);
}

enum err device_choices_rely(struct device *d, const char *lines, size_t n, struct fault *f)
{
    if (d->ops->choices_rely)
        return d->ops->choices_rely(d, lines, n, f);
    return n ? fault_set(f, ERR_STATE, "algorithms were chosen then, and this device has no choice")
             : ERR_OK;
}

void device_no_graphs(struct device *d)
{
    d->caps.graphs = false;
}

uint64_t device_played(const struct device *d)
{
    return d->played;
}

void device_mark(struct device *d)
{
    d->peak = d->used;
}

void device_trim(struct device *d)
{
    d->ops->trim(d);
}

void device_reserve(struct device *d, uint64_t bytes)
{
    if (!device_failed(d) && d->ops->reserve)
        d->ops->reserve(d, bytes);
}

void device_wait(struct device *d)
{
    if (!device_failed(d))
        d->ops->wait(d);
}

void device_pace(struct device *d)
{
    if (!device_failed(d) && d->ops->pace)
        d->ops->pace(d, PARTS_BEHIND);
}

/* An operation's guard: false ends it, with a failure kept when the shapes are to blame. */
static bool fits(struct device *d, const char *what, bool ok)
{
    if (d->failure.code)
        return false;
    if (!ok)
        device_fail(d, ERR_INVAL, "%s: the shapes do not fit each other", what);
    return ok;
}

static bool matrix(const struct tensor *t, int64_t rows, int64_t columns)
{
    return t->data && tensor_last(t) == columns && tensor_count(t) == rows * columns;
}

static bool vector(const struct tensor *t, int64_t n)
{
    return !t || (t->data && tensor_count(t) == n);
}

static int64_t rows_of(const struct tensor *t)
{
    return t->data ? tensor_count(t) / tensor_last(t) : 0;
}

static bool same(const struct tensor *a, const struct tensor *b)
{
    return a->data && b->data && tensor_count(a) == tensor_count(b);
}

void device_write(struct device *d, struct tensor *t, const float *from, int64_t n)
{
    if (!fits(d, "write", t->data && n <= tensor_count(t)))
        return;
    if (t->type == DTYPE_F32) {
        d->ops->write(d, t->data, from, (size_t)n * sizeof(float));
        return;
    }
    struct tensor wide = tensor_from(d, from, 1, &n), part = *t;
    part.rank = 1;
    part.dim[0] = n;
    device_copy(d, &part, &wide);
    tensor_free(&wide);
}

void device_read(struct device *d, float *to, const struct tensor *t, int64_t n)
{
    if (!fits(d, "read", t->data && n <= tensor_count(t)))
        return;
    if (t->type == DTYPE_F32) {
        d->ops->read(d, to, t->data, (size_t)n * sizeof(float));
        return;
    }
    struct tensor part = *t;
    if (n < tensor_count(t)) {
        part.rank = 1;
        part.dim[0] = n;
    }
    struct tensor wide = tensor_new(d, part.rank, part.dim);
    device_copy(d, &wide, &part);
    if (!device_failed(d))
        d->ops->read(d, to, wide.data, (size_t)n * sizeof(float));
    tensor_free(&wide);
}

struct tensor tensor_from(struct device *d, const float *from, int rank, const int64_t *dim)
{
    struct tensor t = tensor_new(d, rank, dim);
    if (t.data)
        device_write(d, &t, from, tensor_count(&t));
    return t;
}

void device_copy(struct device *d, const struct tensor *to, const struct tensor *from)
{
    if (!fits(d, "copy", same(to, from) && (to->type == from->type || d->ops->convert)))
        return;
    if (to->type == from->type)
        d->ops->copy(d, to->data, from->data, tensor_bytes(to));
    else
        d->ops->convert(d, to, from);
}

void device_zero(struct device *d, const struct tensor *t)
{
    if (fits(d, "zero", t->data != NULL))
        d->ops->zero(d, t->data, tensor_bytes(t));
}

struct shelf *shelf_new(struct device *d, int parts)
{
    if (!d->ops->shelf_new || !fits(d, "shelf", parts > 0))
        return NULL;
    struct shelf *s = d->ops->shelf_new(d, parts);
    if (!s)
        device_fail(d, ERR_NOMEM, "no memory for a shelf of %d parts", parts);
    return s;
}

void shelf_free(struct shelf *s)
{
    if (s)
        s->dev->ops->shelf_free(s);
}

void shelf_turn(struct shelf *s, int part, int next)
{
    if (s && fits(s->dev, "shelf", part >= 0 && part < s->parts && next < s->parts))
        s->dev->ops->shelf_turn(s, part, next);
}

uint64_t shelf_bytes(const struct shelf *s)
{
    return s ? s->bytes : 0;
}

struct weight *weight_new(struct device *d, const struct weight_spec *s)
{
    const struct weight *whole = s->whole;
    bool ok = s->out > 0 && s->in > 0 && s->kt > 0 && s->kh > 0 && s->kw > 0 &&
              (!s->shelf || (s->part >= 0 && s->part < s->shelf->parts));
    if (whole || !s->values) /* of linear layers only */
        ok = ok && d->caps.packed && s->kt * s->kh * s->kw == 1 && !(whole && !s->values) &&
             (!whole || (whole->in == s->in && s->at >= 0 && s->at + s->out <= whole->out));
    if (s->scales)
        ok = ok && d->caps.scaled && s->values && s->type == DTYPE_F8_E4M3 && s->in % 8 == 0 &&
             s->kt * s->kh * s->kw == 1;
    if (!fits(d, "weight", ok))
        return NULL;
    struct weight *w = d->ops->pack(d, s);
    if (!w)
        device_fail(d, ERR_NOMEM, "no memory for a weight of %lld x %lld", (long long)s->out,
                    (long long)s->in);
    return w;
}

void weight_free(struct weight *w)
{
    if (w)
        w->dev->ops->unpack(w);
}

int64_t weight_out(const struct weight *w)
{
    return w->out;
}

void device_linear(struct device *d, const struct linear_op *op)
{
    if (device_failed(d))
        return;
    int64_t n = op->x->data ? rows_of(op->x) : 0;
    if (fits(d, "linear",
             n > 0 && op->w && op->w->kt * op->w->kh * op->w->kw == 1 &&
                 tensor_last(op->x) == op->w->in && matrix(op->y, n, op->w->out) &&
                 vector(op->gate, op->w->out)))
        d->ops->linear(d, op);
}

void device_conv(struct device *d, const struct conv_op *op)
{
    if (device_failed(d))
        return;
    struct conv_op o = *op;
    o.stride_t = o.stride_t ? o.stride_t : 1;
    o.stride = o.stride ? o.stride : 1;
    const struct tensor *x = o.x, *y = o.y;
    const struct weight *w = o.w;
    if (fits(d, "conv",
             x->data && y->data && w && w->kt * w->kh * w->kw > 1 && x->rank == 4 && y->rank == 4 &&
                 x->dim[3] == w->in && y->dim[3] == w->out && x->dim[0] >= w->kt &&
                 y->dim[0] == (x->dim[0] - w->kt) / o.stride_t + 1 &&
                 y->dim[1] == (x->dim[1] + o.top + o.bottom - w->kh) / o.stride + 1 &&
                 y->dim[2] == (x->dim[2] + o.left + o.right - w->kw) / o.stride + 1))
        d->ops->conv(d, &o);
}

void device_norm(struct device *d, const struct norm_op *op)
{
    if (device_failed(d))
        return;
    int64_t c = op->x->data ? tensor_last(op->x) : 0;
    if (fits(d, "norm",
             c > 0 && same(op->x, op->y) && tensor_last(op->y) == c && vector(op->weight, c) &&
                 vector(op->bias, c) && vector(op->scale, c) && vector(op->shift, c)))
        d->ops->norm(d, op);
}

void device_join(struct device *d, const struct join_op *op)
{
    if (device_failed(d))
        return;
    struct norm_op next = op->next ? *op->next : (struct norm_op){.y = op->x};
    int64_t n = op->from->data ? rows_of(op->from) : 0, c = op->w ? op->w->out : 0;
    next.x = op->x;
    if (!fits(d, "join",
              n > 0 && c > 0 && tensor_last(op->from) == op->w->in && matrix(op->x, n, c) &&
                  matrix(next.y, n, c) && vector(op->gate, c) && vector(next.weight, c) &&
                  vector(next.bias, c) && vector(next.scale, c) && vector(next.shift, c)))
        return;
    if (d->ops->join) {
        struct join_op o = *op;
        o.next = op->next ? &next : NULL;
        d->ops->join(d, &o);
        return;
    }
    d->ops->linear(d, &(struct linear_op){
                          .x = op->from, .w = op->w, .y = op->x, .add = true, .gate = op->gate});
    if (op->next)
        device_norm(d, &next);
}

void device_rope(struct device *d, const struct tensor *x, int heads, const struct tensor *table)
{
    if (device_failed(d))
        return;
    if (fits(d, "rope",
             x->data && table->data && heads > 0 && tensor_last(x) % (2 * heads) == 0 &&
                 tensor_count(table) * heads == tensor_count(x)))
        d->ops->rope(d, x, heads, table);
}

/* Are q and k, and perhaps v, rows that lie `stride` apart? */
static bool apart(const struct device *d, int64_t stride, const struct tensor *x)
{
    return !stride || (stride >= tensor_last(x) && x->type == d->caps.work);
}

/* Of the plain rows of the table; row after row where there are gaps. */
static void turn_plain(struct device *d, const struct turn_op *op)
{
    const struct tensor *x[] = {op->q, op->k}, *w[] = {op->norm_q, op->norm_k};
    int64_t c = tensor_last(op->q), n = rows_of(op->q), rows = op->stride ? 1 : n;
    struct tensor table = tensor_as2(op->table, n, c / op->heads);
    for (int i = 0; i < 2; i++)
        for (int64_t at = 0; at < n && !device_failed(d); at += rows) {
            struct tensor part = tensor_as2(x[i], n, c), turns = tensor_part(&table, at, rows);
            part.dim[0] = rows;
            part.data = (char *)part.data + (size_t)(at * op->stride) * dtype_size(part.type);
            d->ops->norm(
                d, &(struct norm_op){
                       .kind = NORM_RMS, .x = &part, .y = &part, .weight = w[i], .eps = op->eps});
            d->ops->rope(d, &part, op->heads, &turns);
        }
}

void device_turn(struct device *d, const struct turn_op *op)
{
    if (device_failed(d))
        return;
    int64_t c = op->q->data ? tensor_last(op->q) : 0, n = rows_of(op->q);
    if (!fits(d, "turn",
              c > 0 && op->heads > 0 && c % (2 * op->heads) == 0 && matrix(op->k, n, c) &&
                  op->table->data && tensor_count(op->table) * op->heads == n * c &&
                  vector(op->norm_q, c) && vector(op->norm_k, c) && apart(d, op->stride, op->q) &&
                  apart(d, op->stride, op->k)))
        return;
    if (!d->ops->turn || !d->ops->turn(d, op))
        turn_plain(d, op);
}

void device_attention(struct device *d, const struct attention_op *op)
{
    if (device_failed(d))
        return;
    struct attention_op o = *op;
    o.repeats = o.repeats > 0 ? o.repeats : 1;
    int64_t nq = rows_of(o.q), nk = rows_of(o.k), c = o.q->data ? tensor_last(o.q) : 0;
    bool ok = nq > 0 && nk > 0 && o.heads > 0 && c % o.heads == 0 && matrix(o.k, nk, c) &&
              matrix(o.v, nk, c) && matrix(o.out, nq, c) && (!o.room || o.room >= nk) &&
              apart(d, o.stride, o.q) && apart(d, o.stride, o.k) && apart(d, o.stride, o.v);
    if (ok && o.bias) {
        int64_t span = (tensor_last(o.bias) + 1) / 2;
        ok = o.bias->data && matrix(o.bias, o.heads, 2 * span - 1) && nq <= span && nk <= span;
    }
    if (fits(d, "attention", ok))
        d->ops->attention(d, &o);
}

void device_act(struct device *d, const struct tensor *y, const struct tensor *x, enum act act)
{
    if (fits(d, "activation", same(y, x)))
        d->ops->act(d, y, x, act);
}

void device_add(struct device *d, const struct tensor *y, const struct tensor *x,
                const struct tensor *z)
{
    if (fits(d, "add", same(y, x) && same(y, z)))
        d->ops->add(d, y, x, z);
}

void device_mul(struct device *d, const struct tensor *y, const struct tensor *x,
                const struct tensor *z)
{
    if (fits(d, "mul", same(y, x) && same(y, z)))
        d->ops->mul(d, y, x, z);
}

void device_blend(struct device *d, const struct tensor *y, float a, const struct tensor *x,
                  float b)
{
    if (fits(d, "blend", same(y, x)))
        d->ops->blend(d, y, a, x, b);
}

void device_upsample(struct device *d, const struct tensor *y, const struct tensor *x)
{
    if (fits(d, "upsample",
             x->data && y->data && x->rank == 4 && y->rank == 4 && y->dim[0] == x->dim[0] &&
                 y->dim[1] == 2 * x->dim[1] && y->dim[2] == 2 * x->dim[2] &&
                 y->dim[3] == x->dim[3]))
        d->ops->upsample(d, y, x);
}

void device_unfold_time(struct device *d, const struct tensor *y, const struct tensor *x)
{
    if (fits(d, "unfold_time",
             x->data && y->data && x->rank == 4 && y->rank == 4 && y->dim[0] == 2 * x->dim[0] &&
                 y->dim[1] == x->dim[1] && y->dim[2] == x->dim[2] && 2 * y->dim[3] == x->dim[3]))
        d->ops->unfold_time(d, y, x);
}

/* Do rows of tokens fit latents [c, frames, h, w] cut into patches of 2x2? */
static bool patches(const struct tensor *latent, const struct tensor *rows)
{
    const int64_t *n = latent->dim;
    return latent->data && rows->data && latent->rank == 4 && latent->type == DTYPE_F32 &&
           n[2] % 2 == 0 && n[3] % 2 == 0 && rows_of(rows) == n[1] * (n[2] / 2) * (n[3] / 2);
}

void device_patchify(struct device *d, const struct tensor *y, const struct tensor *x, int64_t at)
{
    if (fits(d, "patchify",
             patches(x, y) && at >= 0 && at % 4 == 0 && at + 4 * x->dim[0] <= tensor_last(y)))
        d->ops->patchify(d, y, x, at);
}

void device_unpatchify(struct device *d, const struct tensor *y, const struct tensor *x)
{
    if (fits(d, "unpatchify", patches(y, x) && tensor_last(x) == 4 * y->dim[0]))
        d->ops->unpatchify(d, y, x);
}

struct parcel *parcel_new(struct device *d, int64_t most, enum parcel_form form)
{
    if (!fits(d, "parcel", most > 0))
        return NULL;
    struct parcel *p = d->ops->parcel_new(d, (size_t)most);
    if (!p) {
        device_fail(d, ERR_NOMEM, "no memory for pictures of %lld bytes", (long long)most);
        return NULL;
    }
    p->dev = d;
    p->most = most;
    p->form = form;
    return p;
}

void parcel_free(struct parcel *p)
{
    if (p)
        p->dev->ops->parcel_free(p);
}

void parcel_send(struct parcel *p, const struct tensor *x, float scale, float shift)
{
    int64_t n = tensor_count(x), bytes = p->form == PARCEL_NV12 ? n / 2 : n;
    bool pictures = p->form == PARCEL_BYTES ||
                    (x->rank == 4 && x->dim[1] % 2 == 0 && x->dim[2] % 8 == 0 && x->dim[3] == 3);
    if (fits(p->dev, "parcel", x->data && pictures && bytes <= p->most))
        p->dev->ops->parcel_send(p, x, scale, shift);
}

const uint8_t *parcel_take(struct parcel *p)
{
    if (!device_failed(p->dev))
        p->dev->ops->parcel_wait(p);
    return device_failed(p->dev) ? NULL : p->bytes;
}
