/* Rows of numbers: norms, sums, copies; and what enters and leaves a device: frames, tokens,
 * pictures. */
#include "unit/tensor/ops.h"

void norms(void **state)
{
    const int64_t n = 5, c = 77;
    for (int kind = NORM_LAYER; kind <= NORM_L2; kind++)
        for (int with = 0; with < 4; with++) {
            float *x = noise(n * c), *v[4];
            struct tensor t[4], tx = upload(x, 2, DIMS(n, c)), ty = tensor_new2(dev, n, c);
            double *want = malloc((size_t)(n * c) * sizeof *want);
            for (int k = 0; k < 4; k++) {
                v[k] = noise(c);
                t[k] = upload(v[k], 1, DIMS(c));
            }
            for (int64_t i = 0; i < n; i++) {
                double mean = 0, sum = 0, by;
                for (int64_t j = 0; j < c; j++)
                    mean += x[i * c + j] / (double)c;
                mean = kind == NORM_LAYER ? mean : 0;
                for (int64_t j = 0; j < c; j++)
                    sum += (x[i * c + j] - mean) * (x[i * c + j] - mean);
                by = kind == NORM_L2 ? sqrt((double)c) / fmax(sqrt(sum), 1e-3)
                                     : 1 / sqrt(sum / (double)c + 1e-3);
                for (int64_t j = 0; j < c; j++) {
                    double y = (x[i * c + j] - mean) * by;
                    if (with & 1)
                        y = y * v[0][j] + v[1][j];
                    if (with & 2)
                        y = y * (1.0 + v[2][j]) + v[3][j];
                    want[i * c + j] = act_of(y, ACT_SILU);
                }
            }
            device_norm(dev, &(struct norm_op){.kind = (enum norm_kind)kind,
                                               .x = &tx,
                                               .y = &ty,
                                               .weight = with & 1 ? &t[0] : NULL,
                                               .bias = with & 1 ? &t[1] : NULL,
                                               .scale = with & 2 ? &t[2] : NULL,
                                               .shift = with & 2 ? &t[3] : NULL,
                                               .eps = 1e-3f,
                                               .act = ACT_SILU});
            expect(&ty, want, 1e-6);
            tensor_free(&tx);
            for (int k = 0; k < 4; k++) {
                tensor_free(&t[k]);
                free(v[k]);
            }
            free(x);
        }
}

/* x += gate ⊙ (from·W + b), y = LayerNorm(x)·(1 + scale) + shift, x f32 and y of the working type
 */
static void join_case(int64_t n, int64_t in, int64_t c, bool gated, bool normed)
{
    float *x = noise(n * c), *from = noise(n * in), *w = noise(c * in), *b = noise(c);
    float *g = noise(c), *sc = noise(c), *sh = noise(c);
    double *want_x = malloc((size_t)(n * c) * sizeof *want_x);
    double *want_y = malloc((size_t)(n * c) * sizeof *want_y);
    for (int64_t i = 0; i < n; i++) {
        double mean = 0, sum = 0;
        for (int64_t j = 0; j < c; j++) {
            double s = b[j];
            for (int64_t k = 0; k < in; k++)
                s += (double)from[i * in + k] * w[j * in + k];
            want_x[i * c + j] = x[i * c + j] + (gated ? g[j] : 1.0) * s;
            mean += want_x[i * c + j] / (double)c;
        }
        for (int64_t j = 0; j < c; j++)
            sum += (want_x[i * c + j] - mean) * (want_x[i * c + j] - mean);
        for (int64_t j = 0; j < c; j++)
            want_y[i * c + j] =
                (want_x[i * c + j] - mean) / sqrt(sum / (double)c + 1e-6) * (1.0 + sc[j]) + sh[j];
    }
    struct weight *weight =
        weight_new(dev, &(struct weight_spec){c, in, 1, 1, 1, .values = w, .bias = b, .low = true});
    struct tensor tx = upload(x, 2, DIMS(n, c)), tf = tensor_work2(dev, n, in);
    struct tensor ty = c % 8 ? tensor_work2(dev, n, c) : tensor_low2(dev, n, c);
    struct tensor tg = upload(g, 1, DIMS(c));
    struct tensor ts = upload(sc, 1, DIMS(c)), tt = upload(sh, 1, DIMS(c));
    device_write(dev, &tf, from, n * in);
    struct norm_op next = {
        .kind = NORM_LAYER, .x = &tx, .y = &ty, .scale = &ts, .shift = &tt, .eps = 1e-6f};
    device_join(dev, &(struct join_op){.x = &tx,
                                       .from = &tf,
                                       .w = weight,
                                       .gate = gated ? &tg : NULL,
                                       .next = normed ? &next : NULL});
    expect(&tx, want_x, 1e-6);
    if (normed)
        expect(&ty, want_y, 2e-6);
    else
        free(want_y);
    struct tensor *all[] = {&tf, &tg, &ts, &tt, &ty};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        tensor_free(all[i]);
    weight_free(weight);
    float *host[] = {x, from, w, b, g, sc, sh};
    for (size_t i = 0; i < sizeof host / sizeof *host; i++)
        free(host[i]);
}

void joins(void **state)
{
    join_case(5, 24, 40, true, true);
    join_case(3, 16, 1536, true, true);
    join_case(2, 8, 5120, false, true);
    join_case(7, 32, 264, true, false);
    join_case(4, 9, 33, true, true); /* fits no vector */
}

/* What the VAE does at every layer: a norm of a few hundred channels, many rows. */
void slim_norms(void **state)
{
    static const int64_t widths[] = {8, 16, 96, 192, 384, 512};
    for (size_t k = 0; k < sizeof widths / sizeof *widths; k++) {
        const int64_t n = 67, c = widths[k];
        float *x = noise(n * c), *w = noise(c);
        struct tensor tx = tensor_work2(dev, n, c), ty = tensor_work2(dev, n, c);
        struct tensor tw = upload(w, 1, DIMS(c));
        double *want = malloc((size_t)(n * c) * sizeof *want);
        device_write(dev, &tx, x, n * c);
        for (int64_t i = 0; i < n; i++) {
            double sum = 0;
            for (int64_t j = 0; j < c; j++)
                sum += (double)x[i * c + j] * x[i * c + j];
            for (int64_t j = 0; j < c; j++)
                want[i * c + j] = act_of(
                    x[i * c + j] * sqrt((double)c) / fmax(sqrt(sum), 1e-12) * w[j], ACT_SILU);
        }
        device_norm(dev, &(struct norm_op){.kind = NORM_L2,
                                           .x = &tx,
                                           .y = &ty,
                                           .weight = &tw,
                                           .eps = 1e-12f,
                                           .act = ACT_SILU});
        expect(&ty, want, 1e-6);
        tensor_free(&tx);
        tensor_free(&tw);
        free(x);
        free(w);
    }
}

void elements(void **state)
{
    for (int64_t n = 61; n <= 64; n += 3) { /* by elements, and by vectors */
        float *a = noise(n), *b = noise(n), *y = noise(n);
        struct tensor ta = upload(a, 1, DIMS(n)),
                      tb = tensor_of(dev, device_caps(dev)->work, 1, &n);
        device_write(dev, &tb, b, n);
        for (int what = 0; what < 3; what++) {
            struct tensor ty = upload(y, 1, DIMS(n));
            double *want = malloc((size_t)n * sizeof *want);
            for (int64_t i = 0; i < n; i++)
                want[i] = what == 0   ? (double)a[i] + b[i]
                          : what == 1 ? (double)a[i] * b[i]
                                      : y[i] * 0.5 + b[i] * 0.25;
            if (what == 0)
                device_add(dev, &ty, &ta, &tb);
            else if (what == 1)
                device_mul(dev, &ty, &ta, &tb);
            else
                device_blend(dev, &ty, 0.5f, &tb, 0.25f);
            expect(&ty, want, 1e-6);
        }
        tensor_free(&ta);
        tensor_free(&tb);
        free(a);
        free(b);
        free(y);
    }
}

/* Rows move up, over part of themselves. */
void copies_that_overlap(void **state)
{
    const int64_t n = 40, c = 3, drop = 7;
    float *x = noise(n * c);
    struct tensor t = upload(x, 2, DIMS(n, c));
    struct tensor to = tensor_part(&t, 0, n - drop), from = tensor_part(&t, drop, n - drop);
    double *want = malloc((size_t)(n * c) * sizeof *want);
    for (int64_t i = 0; i < n * c; i++)
        want[i] = x[i < (n - drop) * c ? i + drop * c : i];
    device_copy(dev, &to, &from);
    expect(&t, want, 0);
    free(x);
}

void frames(void **state)
{
    const int64_t t = 2, h = 3, w = 4, c = 5;
    float *x = noise(t * h * w * 2 * c);
    double *big = malloc((size_t)(t * 4 * h * w * c) * sizeof *big);
    double *late = malloc((size_t)(t * h * w * 2 * c) * sizeof *late);
    for (int64_t i = 0; i < t * 4 * h * w * c; i++) {
        int64_t k = i % c, px = i / c % (2 * w), py = i / c / (2 * w) % (2 * h);
        int64_t f = i / c / (2 * w) / (2 * h);
        big[i] = x[((f * h + py / 2) * w + px / 2) * c + k];
    }
    for (int64_t i = 0; i < t * h * w * 2 * c; i++) {
        int64_t k = i % (2 * c), at = i / (2 * c) % (h * w), f = i / (2 * c) / (h * w);
        late[((2 * f + k / c) * h * w + at) * c + k % c] = x[i];
    }
    struct tensor a = upload(x, 4, DIMS(t, h, w, c)), b = tensor_new4(dev, t, 2 * h, 2 * w, c);
    device_upsample(dev, &b, &a);
    expect(&b, big, 0);
    tensor_free(&a);
    a = upload(x, 4, DIMS(t, h, w, 2 * c));
    b = tensor_new4(dev, 2 * t, h, w, c);
    device_unfold_time(dev, &b, &a);
    expect(&b, late, 0);
    tensor_free(&a);
    free(x);
}

/* Tokens, in f32 and in the working type, at a place in wider rows; and latents back. */
static void patch_case(int64_t c, int64_t t, int64_t h, int64_t w, int64_t at, int64_t row,
                       bool f32)
{
    int64_t tokens = t * (h / 2) * (w / 2), n = 4 * c * tokens;
    float *x = noise(n), *y = noise(tokens * row);
    double *want = malloc((size_t)(tokens * row) * sizeof *want);
    double *back = malloc((size_t)n * sizeof *back);
    for (int64_t i = 0; i < tokens * row; i++)
        want[i] = y[i];
    struct tensor tx = upload(x, 4, DIMS(c, t, h, w));
    struct tensor ty = f32 ? tensor_new2(dev, tokens, row) : tensor_work2(dev, tokens, row);
    device_write(dev, &ty, y, tokens * row);
    device_patchify(dev, &ty, &tx, at);
    for (int64_t i = 0; i < n; i++) { /* i counts [c, t, h, w] */
        int64_t column = i % w, line = i / w % h, frame = i / w / h % t, ch = i / w / h / t;
        int64_t token = (frame * (h / 2) + line / 2) * (w / 2) + column / 2;
        int64_t corner = line % 2 * 2 + column % 2;
        want[token * row + at + 4 * ch + corner] = x[i];
        back[i] = x[token * 4 * c + corner * c + ch];
    }
    expect(&ty, want, 0);
    tensor_free(&tx);
    tx = f32 ? tensor_new2(dev, tokens, 4 * c) : tensor_work2(dev, tokens, 4 * c);
    device_write(dev, &tx, x, n);
    ty = tensor_new4(dev, c, t, h, w);
    device_unpatchify(dev, &ty, &tx);
    expect(&ty, back, 0);
    tensor_free(&tx);
    free(x);
    free(y);
}

void patches(void **state)
{
    patch_case(16, 3, 4, 8, 0, 64, true);
    patch_case(16, 2, 6, 12, 0, 64, false);
    patch_case(20, 2, 4, 4, 64, 144, true);
    patch_case(20, 1, 2, 16, 64, 144, false);
    patch_case(16, 2, 4, 6, 0, 64, true); /* fits no vector */
    patch_case(3, 1, 2, 2, 4, 16, false);
    patch_case(16, 5, 60, 104, 0, 64, true); /* enough for several threads */
}

void patches_that_do_not_fit(void **state)
{
    struct tensor x = tensor_new4(dev, 2, 1, 4, 6), odd = tensor_new4(dev, 2, 1, 3, 8);
    struct tensor rows = tensor_new2(dev, 6, 8);
    struct fault f = {0};
    device_patchify(dev, &rows, &x, 4); /* ends behind the row */
    assert_int_equal(device_settle(dev, &f), ERR_INVAL);
    device_patchify(dev, &rows, &odd, 0);
    assert_int_equal(device_settle(dev, &f), ERR_INVAL);
    device_unpatchify(dev, &odd, &rows);
    assert_int_equal(device_settle(dev, &f), ERR_INVAL);
    assert_non_null(strstr(f.text, "unpatchify"));
    tensor_free(&x);
    tensor_free(&odd);
    tensor_free(&rows);
}

/* What is shown, by the words of tensor/byte.h; the values lie on, beside and far from a half. */
static void bytes_case(int64_t n, float scale, float shift, int64_t skip, bool f32)
{
    float *x = malloc((size_t)n * sizeof *x);
    static const float odd[] = {NAN, INFINITY, -INFINITY, 1e30f, -1, 1, -0.0f};
    for (int64_t i = 0; i < n; i++)
        x[i] = f32 && i % 11 == 10 ? odd[i / 11 % 7] : (float)(i * 37 % 600 - 300) / 256;
    struct tensor t = f32 ? tensor_new1(dev, n) : tensor_of(dev, device_caps(dev)->work, 1, &n);
    struct tensor part = tensor_part(&t, skip, n - skip);
    device_write(dev, &t, x, n);
    struct parcel *p = parcel_new(dev, n, PARCEL_BYTES);
    parcel_send(p, &part, scale, shift);
    device_zero(dev, &t); /* what comes behind it changes nothing */
    const uint8_t *got = parcel_take(p);
    assert_non_null(got);
    for (int64_t i = 0; i < n - skip; i++) {
        float v = (f32 ? x[i + skip] : (float)seen(x[i + skip], false)) * scale + shift;
        float to = (v + 1) * 127.5f;
        int want = to > 0 ? to < 255 ? (int)(to + 0.5f) : 255 : 0;
        if (got[i] != want)
            fail_msg("%g is %d, not %d", (double)x[i + skip], got[i], want);
    }
    assert_int_equal(device_settle(dev, NULL), ERR_OK);
    parcel_free(p);
    tensor_free(&t);
    free(x);
}

/* A byte is the nearest to what BT.709 says of the numbers, as nothing is rounded before. */
static void nearest(uint8_t got, double want, const char *what, int64_t at)
{
    if (fabs(got - want) > 0.5 + 1e-3)
        fail_msg("%s %d is %d, not %g", what, (int)at, got, want);
}

static double shade(float v)
{
    return fmin(fmax(((double)v + 1) * 127.5, 0), 255);
}

static void nv12_case(int64_t frames, int64_t h, int64_t w, float scale, float shift, bool f32)
{
    int64_t n = frames * h * w * 3, pixels = h * w;
    float *x = malloc((size_t)n * sizeof *x);
    for (int64_t i = 0; i < n; i++)
        x[i] = (float)(i * 7919 % 2003 - 1000) / 900;
    struct tensor t =
        tensor_of(dev, f32 ? DTYPE_F32 : device_caps(dev)->work, 4, DIMS(frames, h, w, 3));
    struct parcel *p = parcel_new(dev, n / 2, PARCEL_NV12);
    device_write(dev, &t, x, n);
    parcel_send(p, &t, scale, shift);
    const uint8_t *got = parcel_take(p);
    assert_non_null(got);
    for (int64_t f = 0; f < frames; f++, got += pixels * 3 / 2)
        for (int64_t i = 0; i < h; i += 2)
            for (int64_t j = 0; j < w; j += 2) {
                double blue = 0, red = 0;
                for (int k = 0; k < 4; k++) {
                    int64_t at = (i + k / 2) * w + j + k % 2;
                    double c[3];
                    for (int m = 0; m < 3; m++) {
                        float v = x[(f * pixels + at) * 3 + m];
                        c[m] = shade((f32 ? v : (float)seen(v, false)) * scale + shift);
                    }
                    double y = 0.2126 * c[0] + 0.7152 * c[1] + 0.0722 * c[2];
                    nearest(got[at], 16 + y * 219 / 255, "luma", at);
                    blue += (c[2] - y) / 4;
                    red += (c[0] - y) / 4;
                }
                const uint8_t *pair = got + pixels + i / 2 * w + j;
                nearest(pair[0], 128 + blue / 1.8556 * 224 / 255, "Cb", i * w + j);
                nearest(pair[1], 128 + red / 1.5748 * 224 / 255, "Cr", i * w + j);
            }
    assert_int_equal(device_settle(dev, NULL), ERR_OK);
    parcel_free(p);
    tensor_free(&t);
    free(x);
}

void pictures_as_bytes(void **state)
{
    struct fault f = {0};
    for (int f32 = 0; f32 < 2; f32++) {
        bytes_case(64, 1, 0, 0, f32);
        bytes_case(4800, 2, -1, 0, f32);
        bytes_case(4800, 2, -1, 3, f32); /* fits no vector */
        bytes_case(37, 1, 0, 1, f32);
        bytes_case(300000, 1, 0, 0, f32); /* enough for several threads */
    }
    nv12_case(2, 6, 16, 1, 0, true);
    nv12_case(3, 2, 8, 2, -1, false);
    nv12_case(1, 300, 400, 1, 0, true); /* enough for several threads */
    struct tensor odd = tensor_new4(dev, 1, 3, 8, 3);
    struct parcel *video = parcel_new(dev, 100, PARCEL_NV12);
    parcel_send(video, &odd, 1, 0); /* chroma is of two lines */
    assert_null(parcel_take(video));
    assert_int_equal(device_settle(dev, &f), ERR_INVAL);
    parcel_free(video);
    tensor_free(&odd);
    struct parcel *p = parcel_new(dev, 8, PARCEL_BYTES);
    struct tensor t = tensor_new1(dev, 9);
    parcel_send(p, &t, 1, 0); /* no room */
    assert_null(parcel_take(p));
    assert_int_equal(device_settle(dev, &f), ERR_INVAL);
    parcel_free(p);
    tensor_free(&t);
}
