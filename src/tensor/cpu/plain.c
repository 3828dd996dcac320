/* Products in plain C.
 *
 * A weight is packed once into panels of tile_cols output columns, [panel][k][tile_cols], so that
 * the register tile reads it in order. A linear layer is cut into (block of rows) x (panel) tasks.
 *
 * A convolution needs no im2col: the input is copied once into a frame with zero borders; then,
 * for one tap row (kt, kh), the kw·in numbers under the kernel lie side by side, and those of the
 * next output pixel start stride·in further on. So each tap row is a product whose left side has
 * overlapping rows, and a convolution is kt·kh of them added up. */
#include "tensor/cpu/cpu.h"

#include <stdlib.h>
#include <string.h>

#define K_BLOCK 512  /* a panel's block: 64 KiB with 32 columns, so it stays in the L2 */
#define ROW_BLOCK 96 /* rows that share one pass over a panel */

struct panels {
    struct weight w; /* first */
    float *packed;   /* [panel][kt·kh][kw·in][cols] */
    float *bias;     /* [out], or NULL */
};

static void plain_unpack(struct weight *w)
{
    struct panels *p = (struct panels *)w;
    if (p->packed)
        device_release(w->dev, p->packed);
    free(p->bias);
    free(p);
}

static struct weight *plain_pack(struct device *d, const struct weight_spec *s)
{
    struct cpu *c = cpu_of(d);
    int cols = c->k->tile_cols;
    int64_t taps = (int64_t)s->kt * s->kh, run = s->kw * s->in, k = taps * run;
    int64_t count = (s->out + cols - 1) / cols;
    struct panels *p = cpu_scratch(c, (size_t)(cols * k)) ? calloc(1, sizeof *p) : NULL;
    if (!p)
        return NULL;
    size_t bytes = (size_t)(count * k * cols) * sizeof(float);
    p->w.dev = d;
    p->packed = device_alloc(d, bytes);
    p->bias = s->bias ? malloc((size_t)s->out * sizeof(float)) : NULL;
    if (!p->packed || (s->bias && !p->bias)) {
        plain_unpack(&p->w);
        return NULL;
    }
    if (s->bias)
        memcpy(p->bias, s->bias, (size_t)s->out * sizeof(float));
    int64_t volume = taps * s->kw;
    int team = cpu_team(c, count * k * cols);
    PARALLEL_FOR(team)
    for (int64_t j = 0; j < count; j++) {
        int64_t n = s->out - j * cols < cols ? s->out - j * cols : cols;
        const float *from = cpu_rows(s, j * cols, n, k, cpu_scratch_of(c, THREAD_INDEX));
        float *to = p->packed + j * k * cols;
        if (volume == 1)
            c->k->pack(to, from, k, n, 1, k);
        else /* [out][in][tap] to [tap][in][out] */
            for (int64_t t = 0; t < volume; t++)
                c->k->pack(to + t * s->in * cols, from + t, s->in, n, volume, k);
    }
    return &p->w;
}

/* c[m, cols] (+)= a·panel, in even tiles: 16 rows are 8 + 8, not 12 + 4. */
static void block(const struct kernels *kern, int64_t m, int64_t k, const float *a, int64_t lda,
                  const float *panel, float *c, bool add)
{
    int64_t tiles = (m + kern->tile_rows - 1) / kern->tile_rows, each = (m + tiles - 1) / tiles;
    for (int64_t at = 0; at < k; at += K_BLOCK) {
        int64_t now = k - at < K_BLOCK ? k - at : K_BLOCK;
        for (int64_t i = 0; i < m; i += each)
            kern->tile((int)(m - i < each ? m - i : each), now, a + i * lda + at, lda,
                       panel + at * kern->tile_cols, c + i * kern->tile_cols, kern->tile_cols,
                       add || at > 0);
    }
}

static void write_rows(const struct kernels *kern, float *y, int64_t ldy, const float *c, int64_t m,
                       int64_t n, const struct finish *f)
{
    for (int64_t i = 0; i < m; i++)
        kern->finish(y + i * ldy, c + i * kern->tile_cols, n, f);
}

static struct finish finish_at(const struct finish *f, int64_t column)
{
    struct finish g = *f;
    g.bias = f->bias ? f->bias + column : NULL;
    g.gate = f->gate ? f->gate + column : NULL;
    return g;
}

static void plain_linear(struct device *d, const struct linear_op *op)
{
    struct cpu *c = cpu_of(d);
    const struct kernels *kern = c->k;
    const struct panels *p = (const struct panels *)op->w;
    int64_t k = p->w.in, out = p->w.out, rows = tensor_count(op->x) / k, cols = kern->tile_cols;
    int64_t panels = (out + cols - 1) / cols, blocks = (rows + ROW_BLOCK - 1) / ROW_BLOCK;
    const float *x = op->x->data;
    float *y = op->y->data;
    struct finish f = {p->bias, op->gate ? op->gate->data : NULL, op->act, op->add};
    if (!cpu_scratch(c, (size_t)(ROW_BLOCK * cols)))
        return;
    int team = cpu_team(c, rows * k * out);
    PARALLEL_TASKS(team)
    for (int64_t task = 0; task < blocks * panels; task++) {
        int64_t row = task / panels * ROW_BLOCK, j = task % panels;
        int64_t m = rows - row < ROW_BLOCK ? rows - row : ROW_BLOCK;
        int64_t n = out - j * cols < cols ? out - j * cols : cols;
        float *sum = cpu_scratch_of(c, THREAD_INDEX);
        struct finish g = finish_at(&f, j * cols);
        block(kern, m, k, x + row * k, k, p->packed + j * k * cols, sum, false);
        write_rows(kern, y + row * out + j * cols, out, sum, m, n, &g);
    }
}

/* The input with its zero borders, as [t, h + top + bottom, w + left + right, in]. */
static float *bordered(struct cpu *c, const struct conv_op *op, int64_t *height, int64_t *width)
{
    const struct tensor *x = op->x;
    int64_t h = x->dim[1], w = x->dim[2], ch = x->dim[3];
    *height = h + op->top + op->bottom;
    *width = w + op->left + op->right;
    int64_t lines = x->dim[0] * *height, line = *width * ch;
    float *to = device_alloc(&c->dev, (size_t)(lines * line) * sizeof(float));
    if (!to)
        return NULL;
    const float *from = x->data;
    int team = cpu_team(c, lines * line);
    PARALLEL_FOR(team)
    for (int64_t i = 0; i < lines; i++) {
        int64_t t = i / *height, y = i % *height - op->top;
        float *at = to + i * line;
        if (y < 0 || y >= h) {
            memset(at, 0, (size_t)line * sizeof *at);
            continue;
        }
        memset(at, 0, (size_t)(op->left * ch) * sizeof *at);
        memcpy(at + op->left * ch, from + (t * h + y) * w * ch, (size_t)(w * ch) * sizeof *at);
        memset(at + (op->left + w) * ch, 0, (size_t)(op->right * ch) * sizeof *at);
    }
    return to;
}

static void plain_conv(struct device *d, const struct conv_op *op)
{
    struct cpu *c = cpu_of(d);
    const struct kernels *kern = c->k;
    const struct panels *p = (const struct panels *)op->w;
    const struct tensor *out = op->y;
    int64_t in = p->w.in, run = p->w.kw * in, taps = (int64_t)p->w.kt * p->w.kh, k = taps * run;
    int64_t cols = kern->tile_cols, panels = (p->w.out + cols - 1) / cols;
    int64_t lines = out->dim[0] * out->dim[1], wide = out->dim[2];
    /* lines of output that share a pass over a panel */
    int64_t group = wide >= ROW_BLOCK ? 1 : ROW_BLOCK / wide, groups = (lines + group - 1) / group;
    if (!cpu_scratch(c, (size_t)(group * wide * cols)))
        return;
    int64_t height, width;
    float *x = bordered(c, op, &height, &width);
    if (!x)
        return;
    struct finish f = {p->bias, NULL, ACT_NONE, op->add};
    float *y = out->data;
    int team = cpu_team(c, lines * wide * k * p->w.out);
    PARALLEL_TASKS(team)
    for (int64_t task = 0; task < groups * panels; task++) {
        int64_t first = task / panels * group, j = task % panels;
        int64_t last = first + group < lines ? first + group : lines;
        int64_t n = p->w.out - j * cols < cols ? p->w.out - j * cols : cols;
        float *sum = cpu_scratch_of(c, THREAD_INDEX);
        for (int64_t tap = 0; tap < taps; tap++) {
            const float *panel = p->packed + j * k * cols + tap * run * cols;
            int64_t kt = tap / p->w.kh, kh = tap % p->w.kh;
            for (int64_t l = first; l < last; l++) {
                int64_t t = l / out->dim[1] * op->stride_t + kt;
                int64_t row = l % out->dim[1] * op->stride + kh;
                block(kern, wide, run, x + (t * height + row) * width * in, op->stride * in, panel,
                      sum + (l - first) * wide * cols, tap > 0);
            }
        }
        struct finish g = finish_at(&f, j * cols);
        write_rows(kern, y + first * wide * p->w.out + j * cols, p->w.out, sum,
                   (last - first) * wide, n, &g);
    }
    device_release(d, x);
}

const struct products products_plain = {
    .name = "plain C",
    .pack = plain_pack,
    .unpack = plain_unpack,
    .linear = plain_linear,
    .conv = plain_conv,
};
