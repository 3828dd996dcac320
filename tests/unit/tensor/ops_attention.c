/* Attention, its angles, and what comes before it. */
#include "unit/tensor/ops.h"

/* Of a CPU in bf16 the inputs are exact here; the weights of the softmax are rounded, each
 * by 1.1e-3 in the mean, and as many values as come together have a sum that is off by as much. */
static double attention_bound(void)
{
    return device_caps(dev)->dtype == DTYPE_BF16 ? 2e-3 : 2e-6;
}

/* room: rows of k and v, of which the first nk count; 0: nk */
static void attention_in(int64_t room, int64_t nq, int64_t nk, int heads, int64_t width,
                         bool biased, double repeats, bool add)
{
    int64_t c = heads * width, span = nq > nk ? nq : nk, all = room ? room : nk;
    float *q = noise(nq * c), *k = noise(all * c), *v = noise(all * c), *y = noise(nq * c);
    float *bias = noise(heads * (2 * span - 1));
    double *want = malloc((size_t)(nq * c) * sizeof *want), *p = malloc((size_t)nk * sizeof *p);
    for (int h = 0; h < heads; h++)
        for (int64_t i = 0; i < nq; i++) {
            double sum = 0;
            for (int64_t j = 0; j < nk; j++) {
                double s = 0;
                for (int64_t d = 0; d < width; d++)
                    s += (double)q[i * c + h * width + d] * k[j * c + h * width + d];
                s = 0.25 * s + (biased ? bias[h * (2 * span - 1) + j - i + span - 1] : 0.0);
                p[j] = exp(s) * (j == nk - 1 ? repeats : 1);
                sum += p[j];
            }
            for (int64_t d = 0; d < width; d++) {
                double o = 0;
                for (int64_t j = 0; j < nk; j++)
                    o += p[j] / sum * v[j * c + h * width + d];
                want[i * c + h * width + d] = o + (add ? y[i * c + h * width + d] : 0);
            }
        }
    for (int64_t i = nk * c; i < all * c; i++)
        k[i] = v[i] = 1e4f; /* would be seen, were it read */
    struct tensor tq = upload(q, 2, DIMS(nq, c)), tk = upload(k, 2, DIMS(all, c));
    struct tensor tv = upload(v, 2, DIMS(all, c)), ty = upload(y, 2, DIMS(nq, c));
    struct tensor keys = tensor_part(&tk, 0, nk), values = tensor_part(&tv, 0, nk);
    struct tensor tb = upload(bias, 2, DIMS(heads, 2 * span - 1));
    device_attention(dev, &(struct attention_op){.q = &tq,
                                                 .k = &keys,
                                                 .v = &values,
                                                 .out = &ty,
                                                 .heads = heads,
                                                 .scale = 0.25f,
                                                 .bias = biased ? &tb : NULL,
                                                 .repeats = repeats,
                                                 .add = add,
                                                 .room = room});
    expect(&ty, want, attention_bound());
    tensor_free(&tq);
    tensor_free(&tk);
    tensor_free(&tv);
    tensor_free(&tb);
    free(q);
    free(k);
    free(v);
    free(y);
    free(bias);
    free(p);
}

static void attention_case(int64_t nq, int64_t nk, int heads, int64_t width, bool biased,
                           double repeats, bool add)
{
    attention_in(0, nq, nk, heads, width, biased, repeats, add);
}

/* A cache that grows: one room, more keys from call to call, and back to few. */
void attention_room(void **state)
{
    attention_in(300, 140, 140, 2, 64, false, 1, false);
    attention_in(300, 140, 257, 2, 64, false, 1, false);
    attention_in(300, 140, 300, 2, 64, false, 1, true);
    attention_in(300, 140, 1, 2, 64, false, 1, false);
    attention_in(300, 140, 140, 2, 64, false, 30, false);
    attention_in(90, 40, 33, 1, 192, false, 1, false); /* none of the library's */
}

void attention(void **state)
{
    attention_case(1, 1, 1, 3, false, 1, false);
    attention_case(50, 33, 3, 20, false, 100, false);
    attention_case(49, 300, 2, 128, false, 1, true);
    attention_case(130, 130, 4, 16, true, 1, false);
    attention_case(3, 515, 1, 97, false, 7, false);
    attention_case(200, 70, 2, 64, false, 50, true); /* large enough for a library's kernel */
    attention_case(129, 131, 2, 128, false, 1, false);
    attention_case(70, 90, 1, 192, false, 3, true); /* wider than a head of the transformer */
}

/* want = softmax(scale·q·kᵀ)·v, heads [width] side by side; the root mean square, over queries and
 * keys, of the noise that rounding by EIGHT_STEP of each factor makes in a logit, of keys less
 * their mean. */
static double attend(double *want, const float *q, const float *k, const float *v, int64_t nq,
                     int64_t nk, int heads, int64_t width, double scale)
{
    int64_t c = heads * width;
    double *p = malloc((size_t)nk * sizeof *p), *mean = calloc((size_t)c, sizeof *mean), all = 0;
    for (int64_t i = 0; i < nk * c; i++)
        mean[i % c] += k[i] / (double)nk;
    for (int64_t i = 0; i < nq; i++)
        for (int h = 0; h < heads; h++) {
            const float *row = q + i * c + h * width;
            double sum = 0, noise2 = 0, top = -INFINITY;
            for (int64_t j = 0; j < nk; j++) {
                p[j] = 0;
                for (int64_t d = 0; d < width; d++) {
                    double key = k[j * c + h * width + d];
                    p[j] += scale * row[d] * key;
                    key = scale * row[d] * (key - mean[h * width + d]);
                    noise2 += 2 * EIGHT_STEP * EIGHT_STEP * key * key;
                }
                top = fmax(top, p[j]);
            }
            all += noise2 / (double)(nq * nk * heads);
            for (int64_t j = 0; j < nk; j++)
                sum += p[j] = exp(p[j] - top);
            for (int64_t d = 0; d < width; d++) {
                double o = 0;
                for (int64_t j = 0; j < nk; j++)
                    o += p[j] / sum * v[j * c + h * width + d];
                want[i * c + h * width + d] = o;
            }
        }
    free(p);
    free(mean);
    return sqrt(all);
}

/* What may be computed in 8 bits. Values are noise, so that the roundings of logits, weights,
 * values and results add up as squares; a quarter is left for the difference between this case and
 * the mean. Keys have a mean, which the result does not depend on: rounded with it, the noise of a
 * logit would be several times larger. */
static void low_attention_case(int64_t nq, int64_t nk, int heads, int64_t width, float mean,
                               bool to_low, bool packed)
{
    int64_t c = heads * width, row = packed ? 3 * c : 0;
    bool eight = device_caps(dev)->dtype == DTYPE_F8_E4M3;
    float *q = noise(nq * c), *k = noise(nk * c), *v = noise(nk * c);
    double *want = malloc((size_t)(nq * c) * sizeof *want);
    for (int64_t i = 0; i < nk * c; i++) /* 8 bits */
        k[i] = rintf((k[i] + (i % c % 3 ? mean : -mean)) * 16) / 16;
    double logit = attend(want, q, k, v, nq, nk, heads, width, 0.25);
    double bound = eight   ? 1.25 * sqrt(logit * logit + (2 + to_low) * EIGHT_STEP * EIGHT_STEP)
                   : low() ? LOW_BOUND
                           : attention_bound();
    struct tensor t[3], ty = to_low ? tensor_low2(dev, nq, c) : tensor_work2(dev, nq, c);
    float *from[] = {q, k, v};
    struct tensor all = tensor_work2(dev, nq, 3 * c);
    if (packed)
        write_columns(&all, from, 3, nq, c);
    for (int i = 0; i < 3; i++)
        if (packed) {
            t[i] = tensor_columns(&all, i * c, c);
        } else {
            t[i] = tensor_work2(dev, i ? nk : nq, c);
            device_write(dev, &t[i], from[i], tensor_count(&t[i]));
        }
    device_attention(dev, &(struct attention_op){.stride = row,
                                                 .q = &t[0],
                                                 .k = &t[1],
                                                 .v = &t[2],
                                                 .out = &ty,
                                                 .heads = heads,
                                                 .scale = 0.25f,
                                                 .low = true});
    within(error_of(&ty, want), bound);
    /* and the bound is narrow: a quarter more of every logit is outside of it */
    attend(want, q, k, v, nq, nk, heads, width, 0.25 * 1.25);
    assert_true(error_of(&ty, want) > bound);
    assert_string_equal(device_caps(dev)->note, "");
    for (int i = 0; i < 3; i++)
        tensor_free(&t[i]);
    tensor_free(&all);
    tensor_free(&ty);
    free(q);
    free(k);
    free(v);
    free(want);
}

void low_attention(void **state)
{
    low_attention_case(130, 140, 2, 64, 0, false, false);
    low_attention_case(530, 521, 1, 128, 4, true, false); /* large enough on a GPU too */
    low_attention_case(140, 140, 3, 64, 1, true, true);
    low_attention_case(9, 9, 2, 72, 0, false, true);      /* too small for a library's kernel */
    low_attention_case(140, 140, 1, 192, 0, false, true); /* wider than a head of the transformer */
}

void rope_turns_pairs(void **state)
{
    const int64_t n = 3, heads = 2, half = 5;
    float *x = noise(n * heads * 2 * half), *table = noise(n * half * 2);
    double *want = malloc((size_t)(n * heads * 2 * half) * sizeof *want);
    for (int64_t i = 0; i < n * heads; i++)
        for (int64_t j = 0; j < half; j++) {
            const float *a = x + i * 2 * half + 2 * j, *cs = table + (i / heads * half + j) * 2;
            want[i * 2 * half + 2 * j] = (double)a[0] * cs[0] - (double)a[1] * cs[1];
            want[i * 2 * half + 2 * j + 1] = (double)a[0] * cs[1] + (double)a[1] * cs[0];
        }
    struct tensor tx = upload(x, 2, DIMS(n, heads * 2 * half));
    struct tensor tt = upload(table, 3, DIMS(n, half, 2));
    device_rope(dev, &tx, (int)heads, &tt);
    expect(&tx, want, 1e-6);
    tensor_free(&tt);
    free(x);
    free(table);
}

/* RMSNorm over the width, then the turn, of q and k in the working type; `packed`: columns of wider
 * rows, whose others stay as they are */
static void turn_case(int64_t n, int heads, int64_t width, bool packed)
{
    int64_t c = heads * width, half = width / 2;
    float *x[2] = {noise(n * c), noise(n * c)}, *w[2] = {noise(c), noise(c)};
    float *table = noise(n * width);
    struct tensor t[2], tw[2], tt = upload(table, 3, DIMS(n, half, 2));
    struct tensor all = tensor_work2(dev, n, 3 * c), part[2];
    if (packed)
        write_columns(&all, x, 2, n, c);
    for (int k = 0; k < 2; k++) {
        t[k] = tensor_work2(dev, n, c);
        device_write(dev, &t[k], x[k], n * c);
        tw[k] = upload(w[k], 1, DIMS(c));
        part[k] = packed ? tensor_columns(&all, k * c, c) : t[k];
    }
    device_turn(dev, &(struct turn_op){.stride = packed ? 3 * c : 0,
                                       .q = &part[0],
                                       .k = &part[1],
                                       .norm_q = &tw[0],
                                       .norm_k = &tw[1],
                                       .table = &tt,
                                       .heads = heads,
                                       .eps = 1e-6f});
    for (int k = 0; k < 2; k++) {
        double *want = malloc((size_t)(n * c) * sizeof *want);
        for (int64_t i = 0; i < n; i++) {
            double sum = 0;
            for (int64_t j = 0; j < c; j++)
                sum += (double)x[k][i * c + j] * x[k][i * c + j];
            double by = 1 / sqrt(sum / (double)c + 1e-6);
            for (int64_t j = 0; j < c; j += 2) {
                const float *cs = table + i * width + j % width;
                double re = x[k][i * c + j] * by * w[k][j];
                double im = x[k][i * c + j + 1] * by * w[k][j + 1];
                want[i * c + j] = re * cs[0] - im * cs[1];
                want[i * c + j + 1] = re * cs[1] + im * cs[0];
            }
        }
        if (packed)
            read_columns(&t[k], &all, k, n, c);
        expect(&t[k], want, 1e-6);
        tensor_free(&tw[k]);
        free(x[k]);
        free(w[k]);
    }
    tensor_free(&tt);
    tensor_free(&all);
    free(table);
}

void turns(void **state)
{
    for (int packed = 0; packed < 2; packed++) {
        turn_case(5, 2, 128, packed);
        turn_case(3, 12, 128, packed);
        turn_case(2, 3, 10, packed); /* fits no vector */
    }
}
