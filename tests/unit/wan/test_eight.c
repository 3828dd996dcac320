/* The tiny model with 8-bit weights, plain or scaled per tensor or per row: it must be told what it
 * is, and draw what the same numbers draw in f32; a wrong scale or axis would not. On the CPU, or
 * on the device that is asked for. */
#include "unit/wan/written.h"

#include <math.h>

static uint64_t golden; /* frames of the original */

enum scaling { PLAIN, PER_TENSOR, PER_ROW };

/* By its bits: 1 sign, 4 exponent with bias 7, 3 mantissa, no infinities. */
static double e4m3(unsigned bits)
{
    int exponent = (int)(bits >> 3 & 15), mantissa = (int)(bits & 7);
    double v = exponent ? ldexp(8 + mantissa, exponent - 10) : ldexp(mantissa, -9);
    return bits & 128 ? -v : v;
}

static unsigned char nearest(double v)
{
    static double positive[127]; /* in rising order */
    unsigned low = 0, high = 126;
    for (unsigned bits = 0; bits < 127 && positive[126] == 0; bits++)
        positive[bits] = e4m3(bits);
    while (high - low > 1) {
        unsigned middle = (low + high) / 2;
        *(positive[middle] <= fabs(v) ? &low : &high) = middle;
    }
    unsigned bits = fabs(v) - positive[low] < positive[high] - fabs(v) ? low : high;
    return (unsigned char)(v < 0 ? bits | 128 : bits);
}

static float bf16(const void *data, int64_t i)
{
    uint32_t bits = (uint32_t)((const uint16_t *)data)[i] << 16;
    float v;
    memcpy(&v, &bits, sizeof v);
    return v;
}

/* Makes the linear layers of the blocks (and of a text encoder all its tables: spec 9.3 keeps only
 * the transformer's others) 8-bit as one tool or another does it, and beside them a list of what
 * they then mean, in f32. */
static void quantise(const struct list *from, enum scaling scaling, struct list *to,
                     struct list *meant)
{
    for (int i = 0; i < from->n; i++) {
        const struct entry *e = &from->e[i];
        char name[300];
        bool place = !strncmp(e->name, "blocks.", 7) || !strncmp(e->name, "token_embedding.", 16);
        bool linear =
            place && e->rank == 2 && strstr(e->name, ".weight") && !strstr(e->name, "norm");
        assert_int_equal(e->type, DTYPE_BF16);
        if (!linear) {
            list_add(to, e->name, e->type, e->rank, e->dim, e->data);
            list_add(meant, e->name, e->type, e->rank, e->dim, e->data);
            continue;
        }
        int64_t rows = e->dim[0], row = e->count / rows;
        unsigned char *q = malloc((size_t)e->count);
        float *m = malloc((size_t)e->count * sizeof *m), *s = malloc((size_t)rows * sizeof *s);
        double all = 0;
        for (int64_t k = 0; k < e->count; k++)
            all = fmax(all, fabs((double)bf16(e->data, k)));
        for (int64_t r = 0; r < rows; r++) {
            double most = 0;
            for (int64_t k = 0; k < row; k++)
                most = fmax(most, fabs((double)bf16(e->data, r * row + k)));
            s[r] = scaling == PLAIN ? 1 : (float)((scaling == PER_ROW ? most : all) / 448);
            for (int64_t k = r * row; k < (r + 1) * row; k++) {
                q[k] = nearest((double)bf16(e->data, k) / (double)s[r]);
                m[k] = (float)e4m3(q[k]) * s[r];
            }
        }
        list_add(to, e->name, DTYPE_F8_E4M3, e->rank, e->dim, q);
        list_add(meant, e->name, DTYPE_F32, e->rank, e->dim, m);
        int stem = (int)(strlen(e->name) - strlen(".weight"));
        snprintf(name, sizeof name, "%.*s.%s", stem, e->name,
                 scaling == PER_ROW ? "weight_scale" : "scale_weight");
        if (scaling == PER_TENSOR) /* a scalar, as ComfyUI writes it */
            list_add(to, name, DTYPE_F32, 0, NULL, s);
        if (scaling == PER_ROW) /* [out, 1], as LightX2V does */
            list_add(to, name, DTYPE_F32, 2, (const int64_t[]){rows, 1}, s);
        free(q);
        free(m);
        free(s);
    }
}

static const char *with_transformer(const char *name, const struct list *dit)
{
    const char *folder = fresh(name);
    tiny_link(folder, TINY_T5, "t5.safetensors");
    tiny_link(folder, TINY_VAE, "vae.safetensors");
    tiny_link(folder, TINY_SPIECE, "spiece.model");
    list_write(dit, 0, dit->n, folder, "dit.safetensors");
    return folder;
}

static void eight_bits(enum scaling scaling, const char *name)
{
    char other[64];
    struct list *from = list_read(TINY_DIT), *to = calloc(1, sizeof *to),
                *meant = calloc(1, sizeof *meant);
    quantise(from, scaling, to, meant);
    snprintf(other, sizeof other, "%s-meant", name);
    uint64_t want = frames_of(with_transformer(other, meant));
    assert_int_not_equal(want, golden);
    const char *folder = with_transformer(name, to);
    is_the_tiny_model(folder, "F8_E4M3");
    assert_int_equal(frames_of(folder), want);
    list_free(from);
    list_free(to);
    list_free(meant);
}

static void eight_bits_plain(void **state)
{
    eight_bits(PLAIN, "f8");
}

static void eight_bits_per_tensor(void **state)
{
    eight_bits(PER_TENSOR, "f8-tensor");
}

static void eight_bits_per_row(void **state)
{
    eight_bits(PER_ROW, "f8-row");
}

/* The text encoder too: its words and its positions as well as its layers. */
static const char *with_encoder(const char *name, const struct list *t5)
{
    const char *folder = fresh(name);
    tiny_link(folder, TINY_DIT, "dit.safetensors");
    tiny_link(folder, TINY_VAE, "vae.safetensors");
    tiny_link(folder, TINY_SPIECE, "spiece.model");
    list_write(t5, 0, t5->n, folder, "t5.safetensors");
    return folder;
}

static void eight_bits_in_the_text_encoder(void **state)
{
    for (enum scaling scaling = PLAIN; scaling <= PER_ROW; scaling++) {
        char name[32];
        struct list *from = list_read(TINY_T5), *to = calloc(1, sizeof *to),
                    *meant = calloc(1, sizeof *meant);
        quantise(from, scaling, to, meant);
        snprintf(name, sizeof name, "t5-f8-meant-%d", scaling);
        uint64_t want = frames_of(with_encoder(name, meant));
        assert_int_not_equal(want, golden);
        snprintf(name, sizeof name, "t5-f8-%d", scaling);
        assert_int_equal(frames_of(with_encoder(name, to)), want);
        list_free(from);
        list_free(to);
        list_free(meant);
    }
}

/* Scales for a number of rows that the weight has not are told, with file and tensor. */
static void too_few_scales(void **state)
{
    struct list *from = list_read(TINY_DIT), *to = calloc(1, sizeof *to),
                *meant = calloc(1, sizeof *meant);
    struct wan *w;
    quantise(from, PER_ROW, to, meant);
    for (int i = 0; i < to->n; i++)
        if (!strcmp(to->e[i].name, "blocks.1.ffn.2.weight_scale"))
            to->e[i].count = --to->e[i].dim[0];
    const struct wan_setup setup = {
        .model = with_transformer("few", to), .device = "cpu", .dtype = "f32"};
    assert_int_equal(wan_open(&setup, &w, &fault), ERR_CORRUPT);
    assert_non_null(strstr(fault.text, "dit.safetensors"));
    assert_non_null(strstr(fault.text, "blocks.1.ffn.2.weight_scale has 255 scales for 256 rows"));
    list_free(from);
    list_free(to);
    list_free(meant);
}

static int set_up(void **state)
{
    if (written_set_up(state))
        return -1;
    const char *folder = fresh("original");
    tiny_t2v(folder);
    golden = frames_of(folder);
    return 0;
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(eight_bits_plain),   cmocka_unit_test(eight_bits_per_tensor),
        cmocka_unit_test(eight_bits_per_row), cmocka_unit_test(eight_bits_in_the_text_encoder),
        cmocka_unit_test(too_few_scales),
    };
    if (argc > 2) { /* a device and its arithmetic, and which tests */
        written_device = argv[1];
        written_dtype = argv[2];
    }
    if (argc > 3)
        cmocka_set_test_filter(argv[3]);
    return cmocka_run_group_tests(tests, set_up, written_tear_down);
}
