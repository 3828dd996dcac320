/* What a LoRA of each style (spec 8) makes of a weight: the same numbers under every name give the
 * same weights, and each kind of change is compared with its sum, written out here. */
#include "unit.h"

#include "base/buf.h"
#include "wan/lora_inside.h"

#include <math.h>
#include <unistd.h>

#define OUT 6
#define IN 4
#define RANK 2
#define Q "blocks.0.self_attn.q"
#define COUNT(a) (int)(sizeof(a) / sizeof *(a))
#define NEAR 1e-6 /* of sums of a few numbers near 1, in f32 */

static struct weights *model;
static struct fault why;
static float numbers[64], w[OUT * IN], b[OUT], conv[3 * 8], norm[IN], mod[6 * IN], last[2 * IN];
static float down[RANK * IN], up[OUT * RANK], alpha = 1;

static int make_model(void **state)
{
    static const struct wtensor tensors[] = {
        {.name = Q ".weight", .rank = 2, .dim = {OUT, IN}, .data = (const void *)w},
        {.name = Q ".bias", .rank = 1, .dim = {OUT}, .data = (const void *)b},
        {.name = "blocks.0.norm3.weight", .rank = 1, .dim = {IN}, .data = (const void *)norm},
        {.name = "patch_embedding.weight",
         .rank = 5,
         .dim = {3, 2, 1, 2, 2},
         .data = (const void *)conv},
        {.name = "blocks.0.modulation", .rank = 3, .dim = {1, 6, IN}, .data = (const void *)mod},
        {.name = "head.modulation", .rank = 3, .dim = {1, 2, IN}, .data = (const void *)last},
    };
    float *const all[] = {numbers, w, b, conv, norm, down, up, mod, last};
    const int sizes[] = {64, OUT * IN, OUT, 24, IN, RANK * IN, OUT * RANK, 6 * IN, 2 * IN};
    for (int k = 0, seed = 3; k < COUNT(all); k++)
        for (int i = 0; i < sizes[k]; i++, seed = (seed * 37 + 11) % 101)
            all[k][i] = (float)(seed - 50) / 40;
    bool bad = !(model = weights_new());
    for (int i = 0; i < COUNT(tensors) && !bad; i++) {
        struct wtensor t = tensors[i];
        t.file = "model";
        t.type = DTYPE_F32;
        bad = !wtensor_measure(&t) || weights_add(model, &t, &why);
    }
    return bad || weights_done(model, &why);
}

static int drop_model(void **state)
{
    weights_free(model);
    return 0;
}

/* A tensor of a file: its name and shape, "6x2"; "": one number. */
struct part {
    const char *name, *shape;
    const float *v;
};

static enum err open_parts(const struct part *parts, int n, struct lora **l)
{
    char path[] = "/tmp/sakuga-lora-XXXXXX";
    struct buf file = BUF_INIT(1 << 16), head = BUF_INIT(1 << 16), data = BUF_INIT(1 << 16);
    for (int i = 0; i < n; i++) {
        size_t count = 1, from = data.len;
        const char *at = parts[i].shape;
        buf_addf(&head, "%s\"%s\":{\"dtype\":\"F32\",\"shape\":[", i ? "," : "{", parts[i].name);
        for (int rank = 0; *at; rank++, at += *at == 'x') {
            long d = strtol(at, (char **)(uintptr_t)&at, 10);
            buf_addf(&head, "%s%ld", rank ? "," : "", d);
            count *= (size_t)d;
        }
        buf_add(&data, parts[i].v, count * sizeof(float));
        buf_addf(&head, "],\"data_offsets\":[%zu,%zu]}", from, data.len);
    }
    buf_adds(&head, "}");
    uint64_t length = head.len;
    buf_add(&file, &length, 8);
    buf_add(&file, head.data, head.len);
    buf_add(&file, data.data, data.len);
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_true(write(fd, file.data, file.len) == (ssize_t)file.len);
    close(fd);
    *l = NULL;
    why = (struct fault){0};
    enum err e = lora_open(path, model, l, &why);
    unlink(path);
    buf_free(&file);
    buf_free(&head);
    buf_free(&data);
    return e;
}

/* The tensor `name` of the model as the file makes it, at `strength`. */
static void changed(const struct part *parts, int n, double strength, const char *name, float *out)
{
    struct lora_set set = {.n = 1, .strength = {strength}};
    struct lora *l;
    if (open_parts(parts, n, &l))
        fail_msg("%s: %s", parts[0].name, fault_text(&why));
    assert_int_equal(lora_skipped(l), 0);
    set.lora[0] = l;
    struct patcher p = lora_patcher(&set);
    const struct wtensor *t = weights_find(model, name);
    wtensor_widen(t, out);
    assert_true(p.touches(p.user, name));
    assert_int_equal(p.apply(p.user, NULL, name, out, t->dim[0], t->count / t->dim[0]), ERR_OK);
    lora_free(l);
}

static void assert_near(const float *got, const double *want, int n, const char *what)
{
    for (int i = 0; i < n; i++)
        if (!(fabs(got[i] - want[i]) <= NEAR))
            fail_msg("%s: number %d is %g, not %g", what, i, got[i], want[i]);
}

/* up·down, [OUT, IN] */
static double product(int i, int j)
{
    double sum = 0;
    for (int r = 0; r < RANK; r++)
        sum += (double)up[i * RANK + r] * down[r * IN + j];
    return sum;
}

static void every_name_gives_the_same_weights(void **state)
{
    static const char *const pairs[][2] = {
        {"lora_unet_blocks_0_self_attn_q.lora_down.weight",
         "lora_unet_blocks_0_self_attn_q.lora_up.weight"},
        {"lora_unet__blocks_0_self_attn_q.lora_down.weight",
         "lora_unet__blocks_0_self_attn_q.lora_up.weight"},
        {"diffusion_model." Q ".lora_A.weight", "diffusion_model." Q ".lora_B.weight"},
        {"diffusion_model." Q ".lora_down.weight", "diffusion_model." Q ".lora_up.weight"},
        {"transformer.blocks.0.attn1.to_q.lora_A.weight",
         "transformer.blocks.0.attn1.to_q.lora_B.weight"},
        {"base_model.model.blocks.0.attn1.to_q.lora_A.weight",
         "base_model.model.blocks.0.attn1.to_q.lora_B.weight"},
        {"base_model.model." Q ".lora_A.default.weight",
         "base_model.model." Q ".lora_B.default.weight"},
        {"unet." Q ".lora.down.weight", "unet." Q ".lora.up.weight"},
        {"model." Q "_lora.down.weight", "model." Q "_lora.up.weight"},
        {Q ".lora_linear_layer.down.weight", Q ".lora_linear_layer.up.weight"},
        {Q ".lora_A.weight", Q ".lora_B.weight"},
    };
    float got[OUT * IN], first[OUT * IN];
    double want[OUT * IN];
    for (int with_alpha = 0; with_alpha < 2; with_alpha++)
        for (int i = 0; i < COUNT(pairs); i++) {
            char name[128]; /* the alpha stands beside the pair */
            const char *ending = strstr(pairs[i][0], "_lora.down");
            if (!ending)
                ending = strstr(pairs[i][0], ".lora");
            snprintf(name, sizeof name, "%.*s.alpha", (int)(ending - pairs[i][0]), pairs[i][0]);
            const struct part parts[] = {
                {pairs[i][0], "2x4", down}, {pairs[i][1], "6x2", up}, {name, "", &alpha}};
            changed(parts, 2 + with_alpha, -0.5, Q ".weight", got);
            for (int k = 0; k < OUT * IN; k++)
                want[k] = w[k] - 0.5 * (with_alpha ? alpha / RANK : 1) * product(k / IN, k % IN);
            assert_near(got, want, OUT * IN, pairs[i][0]);
            if (i == 0)
                memcpy(first, got, sizeof got);
            assert_memory_equal(got, first, sizeof got);
        }
}

static void diff_adds_to_weight_bias_and_norm(void **state)
{
    static const struct part parts[] = {
        {"diffusion_model." Q ".diff", "6x4", numbers},
        {"diffusion_model." Q ".diff_b", "6", numbers},
        {"diffusion_model.blocks.0.norm3.diff", "4", numbers},
        {"diffusion_model.patch_embedding.diff", "3x2x1x2x2", numbers}};
    static const struct part peft[] = {
        {"transformer.blocks.0.attn1.to_q.lora_B.bias", "6", numbers}};
    static const char *const names[] = {Q ".weight", Q ".bias", "blocks.0.norm3.weight",
                                        "patch_embedding.weight"};
    static const float *const base[] = {w, b, norm, conv};
    float got[24];
    double want[24];
    for (int i = 0; i < COUNT(names); i++) {
        int n = (int)weights_find(model, names[i])->count;
        changed(parts, COUNT(parts), 0.75, names[i], got);
        for (int k = 0; k < n; k++)
            want[k] = base[i][k] + 0.75 * numbers[k];
        assert_near(got, want, n, names[i]);
    }
    changed(peft, 1, 2, Q ".bias", got);
    for (int k = 0; k < OUT; k++)
        want[k] = b[k] + 2 * (double)numbers[k];
    assert_near(got, want, OUT, "lora_B.bias");
}

/* As in the distilled models of lightx2v; also beside another file, and less than nothing. */
static void diff_m_adds_to_modulation(void **state)
{
    static const struct part parts[] = {{"diffusion_model.blocks.0.diff_m", "1x6x4", numbers},
                                        {"diffusion_model.head.diff_m", "1x2x4", numbers + 9}};
    static const struct part more[] = {{"blocks.0.diff_m", "6x4", numbers + 31},
                                       {"lora_unet_blocks_0_self_attn_q.diff", "6x4", numbers}};
    static const struct part other[] = {{"blocks.0.diff_m", "1x5x4", numbers},
                                        {"blocks.1.diff_m", "1x6x4", numbers},
                                        {"blocks.0.norm3.diff", "4", norm}};
    float got[6 * IN];
    double want[6 * IN];
    for (int k = 0; k < 6 * IN; k++)
        want[k] = mod[k] - 0.5 * numbers[k];
    changed(parts, 2, -0.5, "blocks.0.modulation", got);
    assert_near(got, want, 6 * IN, "blocks.0.diff_m");
    for (int k = 0; k < 2 * IN; k++)
        want[k] = last[k] + 2 * (double)numbers[9 + k];
    changed(parts, 2, 2, "head.modulation", got);
    assert_near(got, want, 2 * IN, "head.diff_m");
    struct lora *l[2];
    assert_int_equal(open_parts(parts, 2, &l[0]), ERR_OK);
    assert_int_equal(open_parts(more, 2, &l[1]), ERR_OK);
    struct lora_set set = {.lora = {l[0], l[1]}, .strength = {1, -0.25}, .n = 2};
    const struct patcher p = lora_patcher(&set);
    memcpy(got, mod, sizeof got);
    assert_int_equal(p.apply(p.user, NULL, "blocks.0.modulation", got, 6 * IN, 1), ERR_OK);
    for (int k = 0; k < 6 * IN; k++)
        want[k] = mod[k] + (double)numbers[k] - 0.25 * numbers[31 + k];
    assert_near(got, want, 6 * IN, "two of them");
    assert_false(p.touches(p.user, "blocks.0.self_attn.q.bias"));
    assert_true(p.touches(p.user, Q ".weight"));
    assert_int_equal(lora_matched(l[0]), 2);
    lora_free(l[0]);
    lora_free(l[1]);
    assert_int_equal(open_parts(other, 3, &l[0]), ERR_OK); /* another shape, another block */
    assert_int_equal(lora_matched(l[0]), 1);
    assert_int_equal(lora_skipped(l[0]), 2);
    lora_free(l[0]);
}

static void set_weight_replaces(void **state)
{
    static const struct part parts[] = {{"diffusion_model." Q ".set_weight", "6x4", numbers}};
    float got[OUT * IN];
    double want[OUT * IN];
    changed(parts, 1, 1, Q ".weight", got);
    assert_memory_equal(got, numbers, sizeof got);
    changed(parts, 1, 0.25, Q ".weight", got);
    for (int k = 0; k < OUT * IN; k++)
        want[k] = 0.75 * w[k] + 0.25 * numbers[k];
    assert_near(got, want, OUT * IN, "set_weight");
}

/* A length for each row, however it is named, and one for each column. */
static void dora_gives_rows_and_columns_their_length(void **state)
{
    static const struct {
        const char *name, *shape;
        bool rows;
    } cases[] = {{"lora_unet_blocks_0_self_attn_q.dora_scale", "6x1", true},
                 {"diffusion_model." Q ".dora_scale", "6", true},
                 {"base_model.model." Q ".lora_magnitude_vector", "6", true},
                 {Q ".lora_magnitude_vector.default.weight", "6", true},
                 {"diffusion_model." Q ".dora_scale", "1x4", false}};
    float got[OUT * IN], m[OUT];
    double want[OUT * IN];
    for (int i = 0; i < OUT; i++)
        m[i] = 1 + (float)i / 8;
    for (int c = 0; c < COUNT(cases); c++)
        for (double strength = 1; strength > 0; strength -= 0.7) {
            const struct part parts[] = {{Q ".lora_A.weight", "2x4", down},
                                         {Q ".lora_B.weight", "6x2", up},
                                         {Q ".alpha", "", &alpha},
                                         {cases[c].name, cases[c].shape, m}};
            changed(parts, COUNT(parts), strength, Q ".weight", got);
            for (int i = 0; i < OUT; i++)
                for (int j = 0; j < IN; j++) {
                    double square = 0, sum = 0;
                    for (int k = 0; k < (cases[c].rows ? IN : OUT); k++) {
                        int y = cases[c].rows ? i : k, x = cases[c].rows ? k : j;
                        double v = w[y * IN + x] + alpha / RANK * product(y, x);
                        square += v * v;
                        if (y == i && x == j)
                            sum = v;
                    }
                    double full = m[cases[c].rows ? i : j] * sum / sqrt(square);
                    want[i * IN + j] = w[i * IN + j] + strength * (full - w[i * IN + j]);
                }
            assert_near(got, want, OUT * IN, cases[c].name);
        }
}

/* The patch embedding as a convolution: flattened, with a kernel between, and with DoRA's length
 * for each of its two channels. */
static void convolutions(void **state)
{
    static const float m[2] = {2, 3};
    const struct part flat[] = {{"diffusion_model.patch_embedding.lora_A.weight", "2x8", numbers},
                                {"diffusion_model.patch_embedding.lora_B.weight", "3x2", up}};
    const struct part parts[] = {
        {"lora_unet_patch_embedding.lora_down.weight", "2x2x1x1x1", down},
        {"lora_unet_patch_embedding.lora_up.weight", "3x2x1x1x1", up},
        {"lora_unet_patch_embedding.lora_mid.weight", "2x2x1x2x2", numbers},
        {"lora_unet_patch_embedding.alpha", "", &alpha},
        {"lora_unet_patch_embedding.dora_scale", "1x2x1x1x1", m}};
    float got[24];
    double want[24], full[24], square[2] = {0};
    changed(flat, COUNT(flat), 1, "patch_embedding.weight", got);
    for (int k = 0; k < 24; k++)
        want[k] = conv[k] + (double)up[k / 8 * 2] * numbers[k % 8] +
                  (double)up[k / 8 * 2 + 1] * numbers[8 + k % 8];
    assert_near(got, want, 24, "flat");
    for (int k = 0; k < 24; k++) { /* [out, channel, tap] */
        int o = k / 8, c = k / 4 % 2, tap = k % 4;
        double delta = 0;
        for (int r = 0; r < 2; r++)
            for (int s = 0; s < 2; s++)
                delta += (double)up[o * 2 + r] * numbers[(r * 2 + s) * 4 + tap] * down[s * 2 + c];
        want[k] = conv[k] + 0.8 * alpha / RANK * delta;
        full[k] = conv[k] + alpha / RANK * delta;
        square[c] += full[k] * full[k];
    }
    changed(parts, 4, 0.8, "patch_embedding.weight", got);
    assert_near(got, want, 24, "lora_mid");
    changed(parts, 5, 1, "patch_embedding.weight", got);
    for (int k = 0; k < 24; k++)
        want[k] = m[k / 4 % 2] * full[k] / sqrt(square[k / 4 % 2]);
    assert_near(got, want, 24, "lora_mid with dora_scale");
}

static void what_is_left_out_is_counted(void **state)
{
    static const struct {
        struct part parts[4];
        int left_out;
    } cases[] = {
        {{{Q ".alpha", "", &alpha}}, 1},
        {{{Q ".dora_scale", "6", up}}, 1},
        {{{Q ".lora_mid.weight", "2x2", up}}, 1},
        {{{"blocks.7.self_attn.q.lora_A.weight", "2x4", down},
          {"blocks.7.self_attn.q.lora_B.weight", "6x2", up}},
         2},
        {{{"lora_te1_text_model.lora_down.weight", "2x4", down}}, 1},
        {{{Q ".lora_A.weight", "2x4", down},
          {Q ".lora_B.weight", "6x2", up},
          {Q ".alpha", "", &alpha},
          {Q ".dora_scale", "5", up}},
         4},
        {{{Q ".lora_A.weight", "2x4", down},
          {Q ".lora_B.weight", "6x2", up},
          {Q ".lora_mid.weight", "2x1", up}},
         3},
        {{{Q ".set_weight", "6x3", numbers}}, 1},
    };
    for (int i = 0; i < COUNT(cases); i++) {
        struct part parts[5] = {{"blocks.0.norm3.diff", "4", norm}}; /* this fits */
        struct lora *l;
        int n = 1;
        for (; n < 5 && cases[i].parts[n - 1].name; n++)
            parts[n] = cases[i].parts[n - 1];
        assert_int_equal(open_parts(parts, n, &l), ERR_OK);
        assert_int_equal(lora_skipped(l), cases[i].left_out);
        assert_int_equal(lora_matched(l), 1);
        lora_free(l);
    }
}

static void what_is_not_supported_is_named(void **state)
{
    static const struct {
        struct part parts[3];
        enum err e;
        const char *named;
    } cases[] = {
        {{{"lora_unet_blocks_0_self_attn_q.hada_w1_a", "6x2", up}},
         ERR_UNSUPPORTED,
         "lora_unet_blocks_0_self_attn_q.hada_w1_a"},
        {{{"diffusion_model." Q ".lokr_w1", "6x2", up}}, ERR_UNSUPPORTED, Q ".lokr_w1"},
        {{{Q ".set_weight", "6x4", numbers}, {Q ".diff", "6x4", numbers}},
         ERR_UNSUPPORTED,
         Q ".set_weight"},
        {{{Q ".alpha", "2", up}, {Q ".diff", "6x4", numbers}}, ERR_CORRUPT, Q ".alpha"},
        {{{Q ".diff", "6x4", numbers}, {"unet." Q ".diff", "6x4", numbers}},
         ERR_CORRUPT,
         "unet." Q ".diff"},
    };
    for (int i = 0; i < COUNT(cases); i++) {
        struct lora *l;
        int n = 0;
        while (n < 3 && cases[i].parts[n].name)
            n++;
        assert_int_equal(open_parts(cases[i].parts, n, &l), cases[i].e);
        assert_non_null(strstr(fault_text(&why), cases[i].named));
        assert_non_null(strstr(fault_text(&why), "/tmp/sakuga-lora-"));
    }
}

/* ---- a large weight ---- */

#define WIDE 2048

static int asks, stop_at;

static bool on_ask(void *user)
{
    (void)user;
    return ++asks == stop_at;
}

/* A change takes seconds there: the caller is asked within it, and its word ends it. */
static void a_large_one_can_be_stopped(void **state)
{
    static float zeros[16 * WIDE], length[WIDE];
    struct wtensor half[2] = {{.rank = 2, .dim = {16, WIDE}}, {.rank = 2, .dim = {WIDE, 16}}};
    struct wtensor dora = {.rank = 1, .dim = {WIDE}, .data = (const void *)length};
    struct delta d = {.module = (char[]){Q}, .role = {&half[0], &half[1]}};
    struct lora l = {.delta = &d, .n = 1, .matched = 1};
    struct lora_set set = {.lora = {&l}, .strength = {1}, .n = 1};
    const struct patcher p = lora_patcher(&set);
    const struct stopper stop = {on_ask, NULL};
    float *values = calloc(WIDE, WIDE * sizeof *values);
    (void)state;
    for (int i = 0; i < 2; i++) {
        half[i].data = (const void *)zeros;
        half[i].type = DTYPE_F32;
        assert_true(wtensor_measure(&half[i]));
    }
    dora.type = DTYPE_F32;
    assert_true(wtensor_measure(&dora));
    for (int passes = 1; passes <= 2; passes++) { /* DoRA takes two */
        d.role[ROLE_DORA] = passes == 2 ? &dora : NULL;
        asks = stop_at = 0;
        assert_int_equal(p.apply(p.user, &stop, Q ".weight", values, WIDE, WIDE), ERR_OK);
        int all = asks;
        assert_true(all >= passes);
        for (stop_at = 1; stop_at <= all; stop_at++) {
            asks = 0;
            assert_int_equal(p.apply(p.user, &stop, Q ".weight", values, WIDE, WIDE),
                             ERR_CANCELLED);
            assert_int_equal(asks, stop_at);
        }
        assert_int_equal(p.apply(p.user, NULL, Q ".weight", values, WIDE, WIDE), ERR_OK);
    }
    free(values);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_name_gives_the_same_weights),
        cmocka_unit_test(diff_adds_to_weight_bias_and_norm),
        cmocka_unit_test(diff_m_adds_to_modulation),
        cmocka_unit_test(set_weight_replaces),
        cmocka_unit_test(dora_gives_rows_and_columns_their_length),
        cmocka_unit_test(convolutions),
        cmocka_unit_test(what_is_left_out_is_counted),
        cmocka_unit_test(what_is_not_supported_is_named),
        cmocka_unit_test(a_large_one_can_be_stopped),
    };
    return cmocka_run_group_tests(tests, make_model, drop_model);
}
