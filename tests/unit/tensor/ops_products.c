/* Linear layers and convolutions: weights of any type, in parts, in turns, lent and kept. */
#include "unit/tensor/ops.h"

static void linear_of(int64_t n, int64_t in, int64_t out, enum act act, bool add, bool gated,
                      bool exact, bool lent)
{
    float *x = noise(n * in), *w = noise(out * in), *b = noise(out), *g = noise(out);
    float *y = noise(n * out);
    double *want = malloc((size_t)(n * out) * sizeof *want);
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < out; j++) {
            double s = b[j];
            for (int64_t k = 0; k < in; k++)
                s += seen(x[i * in + k], exact) * seen(w[j * in + k], exact);
            want[i * out + j] = add ? y[i * out + j] + (gated ? g[j] : 1.0) * s : act_of(s, act);
        }
    struct weight *weight =
        weight_new(dev, &(struct weight_spec){out, in, 1, 1, 1, .values = w, .bias = b,
                                              .precise = exact, .low = !exact, .lent = lent});
    memset(b, 0x55, (size_t)out * sizeof *b); /* values alone are lent */
    struct tensor tx = upload(x, 2, DIMS(n, in)), ty = upload(y, 2, DIMS(n, out));
    struct tensor tg = upload(g, 1, DIMS(out));
    device_linear(
        dev,
        &(struct linear_op){
            .x = &tx, .w = weight, .y = &ty, .act = act, .add = add, .gate = gated ? &tg : NULL});
    expect(&ty, want, product_bound());
    weight_free(weight);
    tensor_free(&tx);
    tensor_free(&tg);
    free(x);
    free(w);
    free(b);
    free(g);
    free(y);
}

static void linear_case(int64_t n, int64_t in, int64_t out, enum act act, bool add, bool gated,
                        bool exact)
{
    linear_of(n, in, out, act, add, gated, exact, false);
    linear_of(n, in, out, act, add, gated, exact, true);
}

void linear(void **state)
{
    static const int64_t shapes[][3] = {
        {1, 1, 1}, {1, 64, 5}, {7, 33, 65}, {101, 700, 31}, {13, 1100, 96}};
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
        for (int act = ACT_NONE; act <= ACT_RELU; act++)
            linear_case(shapes[i][0], shapes[i][1], shapes[i][2], (enum act)act, false, false,
                        act == ACT_SILU);
    linear_case(17, 50, 70, ACT_NONE, true, false, false);
    linear_case(17, 50, 70, ACT_NONE, true, true, false);
    linear_case(40, 64, 96, ACT_GELU_TANH, false, false, false);
    linear_case(40, 96, 64, ACT_NONE, true, true, false);
}

/* Trained weights have rows that do nothing: numbers that one over them cannot be had of. */
void rows_of_next_to_nothing(void **state)
{
    enum { N = 4, IN = 32, OUT = 16 };
    float *x = noise(N * IN), *w = noise(OUT * IN);
    double *want = calloc(N * OUT, sizeof *want);
    for (int k = 0; k < IN; k++) {
        x[k] = w[k] = k % 2 ? 1e-38f : 0;
        w[IN + k] = 0;
    }
    for (int i = 0; i < N * OUT * IN; i++)
        want[i / IN] +=
            seen(x[i / IN / OUT * IN + i % IN], false) * seen(w[i / IN % OUT * IN + i % IN], false);
    struct weight *weight =
        weight_new(dev, &(struct weight_spec){OUT, IN, 1, 1, 1, .values = w, .low = true});
    struct tensor tx = upload(x, 2, DIMS(N, IN)), ty = tensor_work2(dev, N, OUT);
    device_linear(dev, &(struct linear_op){.x = &tx, .w = weight, .y = &ty});
    expect(&ty, want, product_bound());
    weight_free(weight);
    tensor_free(&tx);
    free(x);
    free(w);
}

/* A file in another type than the device's, and at an odd address. */
static void stored(bool lent)
{
    enum { N = 3, IN = 35, OUT = 70 };
    static const enum dtype types[] = {DTYPE_F32, DTYPE_F16, DTYPE_BF16};
    char file[1 + OUT * IN * 4];
    float *x = noise(N * IN);
    for (size_t t = 0; t < 3; t++) {
        double *want = calloc(N * OUT, sizeof *want);
        for (int j = 0; j < OUT * IN; j++) { /* quarters are exact in all of them */
            float v = (float)(j * 7 % 61 - 30) * 0.25f;
            uint32_t u;
            memcpy(&u, &v, sizeof u);
            uint16_t bf = (uint16_t)(u >> 16), f = 0;
            if (v != 0)
                f = (uint16_t)((u >> 16 & 0x8000) | (((u >> 23 & 255) - 112) << 10) |
                               (u >> 13 & 0x3ff));
            char *at = file + 1 + (size_t)j * dtype_size(types[t]);
            memcpy(at,
                   t == 0   ? (void *)&v
                   : t == 1 ? (void *)&f
                            : (void *)&bf,
                   dtype_size(types[t]));
            for (int i = 0; i < N; i++)
                want[i * OUT + j / IN] += seen(x[i * IN + j % IN], false) * v;
        }
        struct weight *w =
            weight_new(dev, &(struct weight_spec){OUT, IN, 1, 1, 1, .values = file + 1,
                                                  .type = types[t], .lent = lent});
        if (!lent) /* what the device needs it has */
            memset(file, 0x55, sizeof file);
        struct tensor tx = upload(x, 2, DIMS(N, IN)), ty = tensor_work2(dev, N, OUT);
        device_linear(dev, &(struct linear_op){.x = &tx, .w = w, .y = &ty});
        expect(&ty, want, product_bound());
        weight_free(w);
        tensor_free(&tx);
    }
    free(x);
}

void stored_in_any_type(void **state)
{
    stored(false);
    stored(true);
}

/* Every number that f16 has, as a weight of its own and widened by dtype.c before. The rows of x
 * each pick one column, so a number is seen as it is; 2,100 of them are more than are multiplied a
 * panel at a time. */
void every_half(void **state)
{
    enum { N = 2100, IN = 248, OUT = 256, FINITE = 0x7c00 };
    uint16_t *file = malloc(OUT * IN * sizeof *file);
    float *wide = malloc(OUT * IN * sizeof *wide), *x = calloc(N * IN, sizeof *x);
    for (int i = 0; i < OUT * IN; i++)
        file[i] = (uint16_t)(i < FINITE ? i : 0x8000 | (i - FINITE));
    assert_int_equal(OUT * IN, 2 * FINITE);
    dtype_widen(wide, file, DTYPE_F16, OUT * IN);
    for (int i = 0; i < N; i++)
        x[i * IN + i % IN] = 1;
    for (int lent = 0; lent < 2; lent++)
        for (int64_t n = IN; n <= (device_caps(dev)->host_memory ? N : IN); n += N - IN) {
            double *want = malloc((size_t)(n * OUT) * sizeof *want);
            for (int64_t i = 0; i < n * OUT; i++)
                want[i] = seen(wide[i % OUT * IN + i / OUT % IN], false);
            struct weight *w =
                weight_new(dev, &(struct weight_spec){OUT, IN, 1, 1, 1, .values = file,
                                                      .type = DTYPE_F16, .lent = lent});
            struct tensor tx = tensor_from(dev, x, 2, DIMS(n, IN));
            struct tensor ty = tensor_new2(dev, n, OUT);
            device_linear(dev, &(struct linear_op){.x = &tx, .w = w, .y = &ty});
            expect(&ty, want, 0);
            weight_free(w);
            tensor_free(&tx);
        }
    free(file);
    free(wide);
    free(x);
}

struct conv_case {
    int64_t t, h, w, in, out;
    int kt, kh, kw, st, s, top, bottom, left, right;
    bool add;
};

static void conv_one(const struct conv_case *c)
{
    int64_t ot = (c->t - c->kt) / c->st + 1, oh = (c->h + c->top + c->bottom - c->kh) / c->s + 1;
    int64_t ow = (c->w + c->left + c->right - c->kw) / c->s + 1, taps = c->kt * c->kh * c->kw;
    float *x = noise(c->t * c->h * c->w * c->in), *w = noise(c->out * c->in * taps);
    float *b = noise(c->out), *y = noise(ot * oh * ow * c->out);
    double *want = malloc((size_t)(ot * oh * ow * c->out) * sizeof *want);
    for (int64_t i = 0; i < ot * oh * ow * c->out; i++) {
        int64_t o = i % c->out, ix = i / c->out % ow, iy = i / c->out / ow % oh;
        int64_t it = i / c->out / ow / oh;
        double s = b[o];
        for (int64_t k = 0; k < c->in; k++)
            for (int64_t tap = 0; tap < taps; tap++) {
                int64_t px = ix * c->s + tap % c->kw - c->left;
                int64_t py = iy * c->s + tap / c->kw % c->kh - c->top;
                int64_t pt = it * c->st + tap / c->kw / c->kh;
                if (px >= 0 && px < c->w && py >= 0 && py < c->h)
                    s += (double)x[((pt * c->h + py) * c->w + px) * c->in + k] *
                         (double)w[(o * c->in + k) * taps + tap];
            }
        want[i] = s + (c->add ? y[i] : 0);
    }
    struct weight *weight = weight_new(
        dev, &(struct weight_spec){c->out, c->in, c->kt, c->kh, c->kw, .values = w, .bias = b});
    struct tensor tx = upload(x, 4, DIMS(c->t, c->h, c->w, c->in));
    struct tensor ty = upload(y, 4, DIMS(ot, oh, ow, c->out));
    device_conv(dev, &(struct conv_op){.x = &tx,
                                       .w = weight,
                                       .y = &ty,
                                       .stride_t = c->st,
                                       .stride = c->s,
                                       .top = c->top,
                                       .bottom = c->bottom,
                                       .left = c->left,
                                       .right = c->right,
                                       .add = c->add});
    expect(&ty, want, 1e-6);
    weight_free(weight);
    tensor_free(&tx);
    free(x);
    free(w);
    free(b);
    free(y);
}

void conv(void **state)
{
    static const struct conv_case cases[] = {
        {3, 5, 7, 3, 8, 3, 3, 3, 1, 1, 1, 1, 1, 1, false},
        {6, 4, 6, 16, 33, 3, 3, 3, 1, 1, 1, 1, 1, 1, true},
        {2, 8, 10, 5, 6, 1, 3, 3, 1, 2, 0, 1, 0, 1, false},
        {5, 3, 4, 7, 14, 3, 1, 1, 1, 1, 0, 0, 0, 0, false},
        {5, 3, 4, 7, 7, 3, 1, 1, 2, 1, 0, 0, 0, 0, false},
        {1, 2, 130, 4, 3, 1, 3, 3, 1, 1, 1, 1, 1, 1, false},
        {4, 6, 10, 16, 32, 3, 3, 3, 1, 1, 1, 1, 1, 1, true},
        {2, 6, 10, 32, 16, 1, 3, 3, 1, 2, 0, 1, 0, 1, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        conv_one(&cases[i]);
}

/* One kernel over pictures of several sizes in turn, for which a library may want it in different
 * layouts; and a frame is the same, bit for bit, whether it is made alone or with others. */
void one_kernel_for_all_sizes(void **state)
{
    enum { IN = 16, OUT = 96, FRAMES = 3 };
    static const int64_t sides[] = {4, 24, 4, 40};
    float *w = noise(OUT * IN * 27), *b = noise(OUT);
    struct weight *weight =
        weight_new(dev, &(struct weight_spec){OUT, IN, 3, 3, 3, .values = w, .bias = b});
    (void)state;
    for (size_t i = 0; i < sizeof sides / sizeof *sides; i++) {
        int64_t s = sides[i], n = s * s * OUT;
        float *v = noise((FRAMES + 2) * s * s * IN), *got[2];
        struct tensor x = upload(v, 4, DIMS(FRAMES + 2, s, s, IN));
        struct tensor y = tensor_work4(dev, FRAMES, s, s, OUT);
        for (int alone = 0; alone < 2; alone++) {
            device_zero(dev, &y);
            for (int t = 0; t < (alone ? FRAMES : 1); t++) {
                struct tensor from = tensor_part(&x, t, alone ? 3 : FRAMES + 2);
                struct tensor to = tensor_part(&y, t, alone ? 1 : FRAMES);
                device_conv(dev, &(struct conv_op){.x = &from,
                                                   .w = weight,
                                                   .y = &to,
                                                   .top = 1,
                                                   .bottom = 1,
                                                   .left = 1,
                                                   .right = 1});
            }
            got[alone] = malloc((size_t)(FRAMES * n) * sizeof *got[alone]);
            device_read(dev, got[alone], &y, FRAMES * n);
        }
        if (device_caps(dev)->host_memory)
            assert_memory_equal(got[0], got[1], (size_t)(FRAMES * n) * sizeof(float));
        double *want = malloc((size_t)(FRAMES * n) * sizeof *want);
        for (int64_t j = 0; j < FRAMES * n; j++) {
            int64_t o = j % OUT, ix = j / OUT % s, iy = j / OUT / s % s, it = j / n;
            want[j] = b[o];
            for (int64_t tap = 0; tap < 27; tap++) {
                int64_t px = ix + tap % 3 - 1, py = iy + tap / 3 % 3 - 1, pt = it + tap / 9;
                for (int64_t k = 0; px >= 0 && px < s && py >= 0 && py < s && k < IN; k++)
                    want[j] += (double)v[((pt * s + py) * s + px) * IN + k] *
                               (double)w[(o * IN + k) * 27 + tap];
            }
        }
        expect(&y, want, 1e-6);
        tensor_free(&x);
        free(v);
        free(got[0]);
        free(got[1]);
    }
    weight_free(weight);
    free(w);
    free(b);
}

/* A sequence gives what each product gives by itself, and ends: new numbers in the same place are
 * seen by the next. */
void products_of_one_x(void **state)
{
    enum { N = 70, IN = 96, OUT = 80 };
    float *w = noise(2 * OUT * IN), *x = noise(2 * N * IN), got[4][N * OUT];
    struct tensor tx = upload(x, 2, DIMS(N, IN)), y = tensor_work2(dev, N, OUT);
    struct weight *two[2];
    for (int i = 0; i < 2; i++)
        two[i] =
            weight_new(dev, &(struct weight_spec){OUT, IN, 1, 1, 1, .values = w + i * OUT * IN});
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < 4; i++) { /* two together, the same two alone */
            device_linear(dev, &(struct linear_op){
                                   .x = &tx, .w = two[i % 2], .y = &y, .left = i == 0 ? 1 : 0});
            device_read(dev, got[i], &y, N * OUT);
        }
        assert_memory_equal(got[0], got[2], sizeof got[0]);
        assert_memory_equal(got[1], got[3], sizeof got[1]);
        device_write(dev, &tx, x + N * IN, N * IN);
    }
    tensor_free(&y);
    tensor_free(&tx);
    for (int i = 0; i < 2; i++)
        weight_free(two[i]);
    free(w);
    free(x);
}

/* A weight of three, each from its own place, of which one has no bias; multiplied by at once, and
 * by the second alone. On a shelf too, where the parts come and go with the whole. */
static void parts_case(struct shelf *shelf)
{
    enum { N = 9, IN = 64, OUT = 48 };
    struct weight *whole, *part[3];
    struct weight_spec all = {3 * OUT, IN, 1, 1, 1, .low = true, .shelf = shelf};
    struct fault f = {0};
    if (!device_caps(dev)->packed) {
        assert_null(weight_new(dev, &all));
        assert_int_equal(device_settle(dev, &f), ERR_INVAL);
        return;
    }
    float *x = noise(N * IN), *w = noise(3 * OUT * IN), *b = noise(3 * OUT);
    double *want = malloc(3 * N * OUT * sizeof *want), *second = malloc(N * OUT * sizeof *second);
    memset(b + 2 * OUT, 0, OUT * sizeof *b);
    for (int i = 0; i < N; i++)
        for (int j = 0; j < 3 * OUT; j++) {
            double s = b[j];
            for (int k = 0; k < IN; k++)
                s += (double)x[i * IN + k] * w[j * IN + k];
            want[i * 3 * OUT + j] = s;
            if (j / OUT == 1)
                second[i * OUT + j % OUT] = s;
        }
    whole = weight_new(dev, &all);
    for (int i = 2; i >= 0; i--) {
        assert_int_equal(shelf_bytes(shelf), 0);
        part[i] =
            weight_new(dev, &(struct weight_spec){OUT, IN, 1, 1, 1, .values = w + i * OUT * IN,
                                                  .bias = i < 2 ? b + i * OUT : NULL, .low = true,
                                                  .whole = whole, .at = i * OUT, .shelf = shelf});
    }
    if (shelf) {
        assert_true(shelf_bytes(shelf) >= 3 * OUT * IN);
        assert_null(
            weight_new(dev, &(struct weight_spec){OUT, IN, 1, 1, 1, .values = w, .low = true,
                                                  .whole = whole, .shelf = shelf}));
        assert_int_equal(device_settle(dev, &f), ERR_INVAL); /* it has all its rows */
        shelf_turn(shelf, 1, 0);
        shelf_turn(shelf, 0, -1);
    }
    assert_null(weight_new(dev, &(struct weight_spec){OUT, IN, 1, 1, 1, .values = w, .low = true,
                                                      .whole = whole, .at = 2 * OUT + 1}));
    assert_int_equal(device_settle(dev, &f), ERR_INVAL);
    struct tensor tx = upload(x, 2, DIMS(N, IN)), ty = tensor_work2(dev, N, 3 * OUT);
    struct tensor alone = tensor_work2(dev, N, OUT);
    device_linear(dev, &(struct linear_op){.x = &tx, .w = whole, .y = &ty});
    device_linear(dev, &(struct linear_op){.x = &tx, .w = part[1], .y = &alone});
    expect(&ty, want, product_bound());
    expect(&alone, second, product_bound());
    if (shelf) /* in any order */
        weight_free(whole);
    for (int i = 0; i < 3; i++)
        weight_free(part[i]);
    if (!shelf)
        weight_free(whole);
    tensor_free(&tx);
    free(x);
    free(w);
    free(b);
}

void weights_in_parts(void **state)
{
    struct shelf *shelf = shelf_new(dev, 2);
    parts_case(NULL);
    if (shelf && device_caps(dev)->packed)
        parts_case(shelf);
    shelf_free(shelf);
}

/* Parts of a shelf, in turn and out of turn, one of them made anew in between, against weights that
 * stay: the same bits. */
enum { PARTS = 5, EACH = 2, TURNS = 12, SHELF_ROWS = 24, SHELF_WIDTH = 48 };

static void make_part(struct shelf *shelf, int part, struct weight **stay, struct weight **turn)
{
    for (int i = 0; i < EACH; i++) {
        float *w = noise(SHELF_WIDTH * SHELF_WIDTH), *b = noise(SHELF_WIDTH);
        struct weight_spec s = {SHELF_WIDTH, SHELF_WIDTH, 1,         1,
                                1,           .values = w, .bias = b, .low = i == 0};
        weight_free(stay[i]);
        weight_free(turn[i]);
        stay[i] = weight_new(dev, &s);
        s.shelf = shelf;
        s.part = part;
        turn[i] = weight_new(dev, &s);
        free(w);
        free(b);
    }
}

void weights_in_turns(void **state)
{
    static const int order[TURNS] = {0, 1, 2, 3, 4, 2, 0, 1, 3, 3, 2, 4};
    struct weight *stay[PARTS][EACH] = {0}, *turn[PARTS][EACH] = {0};
    float *from = noise(SHELF_ROWS * SHELF_WIDTH);
    float want[SHELF_ROWS * SHELF_WIDTH], got[SHELF_ROWS * SHELF_WIDTH];
    uint64_t before = device_used(dev);
    struct shelf *shelf = shelf_new(dev, PARTS);
    struct tensor x = upload(from, 2, DIMS(SHELF_ROWS, SHELF_WIDTH)), y[TURNS][2 * EACH];
    if (device_caps(dev)->host_memory)
        assert_null(shelf);
    for (int t = 0; t < TURNS; t++)
        for (int i = 0; i < 2 * EACH; i++)
            y[t][i] = tensor_work2(dev, SHELF_ROWS, SHELF_WIDTH);
    for (int p = 0; p < PARTS; p++)
        make_part(shelf, p, stay[p], turn[p]);
    for (int t = 0; t < TURNS; t++) {
        int p = order[t];
        if (t == 6)
            make_part(shelf, p, stay[p], turn[p]);
        shelf_turn(shelf, p, t + 1 < TURNS && t % 4 != 2 ? order[t + 1] : -1);
        for (int i = 0; i < EACH; i++) {
            device_linear(dev, &(struct linear_op){.x = &x, .w = turn[p][i], .y = &y[t][i]});
            device_linear(dev, &(struct linear_op){.x = &x, .w = stay[p][i], .y = &y[t][EACH + i]});
        }
    }
    assert_int_equal(device_settle(dev, NULL), ERR_OK);
    for (int t = 0; t < TURNS; t++)
        for (int i = 0; i < EACH; i++) {
            device_read(dev, want, &y[t][EACH + i], SHELF_ROWS * SHELF_WIDTH);
            device_read(dev, got, &y[t][i], SHELF_ROWS * SHELF_WIDTH);
            assert_int_equal(device_settle(dev, NULL), ERR_OK);
            assert_memory_equal(got, want, sizeof want);
            tensor_free(&y[t][i]);
            tensor_free(&y[t][EACH + i]);
        }
    for (int p = 0; p < PARTS; p++)
        for (int i = 0; i < EACH; i++) {
            weight_free(stay[p][i]);
            weight_free(turn[p][i]);
        }
    assert_int_equal(shelf_bytes(shelf), 0);
    shelf_free(shelf);
    tensor_free(&x);
    assert_int_equal(device_used(dev), before);
    free(from);
}
