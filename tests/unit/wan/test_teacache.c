/* When steps are left out, and what comes of it on the tiny model. */
#include "unit.h"

#include "base/path.h"
#include "wan/dit.h"

#include <math.h>

static struct fault why;

/* A signal that changes by the same share each step: the estimate is the polynomial of it. */
static int run_steps(struct teacache *t, int steps, double share, bool *skipped)
{
    float signal[4] = {1, -2, 3, -4};
    int n = 0;
    struct device *dev = NULL;
    assert_int_equal(device_open(&(struct device_setup){"cpu", "f32", 1}, &dev, &why), ERR_OK);
    struct tensor x = tensor_new2(dev, 2, 2);
    for (int i = 0; i < steps; i++) {
        skipped[i] = teacache_skips(t, signal, 4);
        n += skipped[i];
        if (!skipped[i]) {
            teacache_enter(t, dev, &x);
            teacache_leave(t, dev, &x);
        }
        for (int j = 0; j < 4; j++)
            signal[j] *= (float)(1 + share);
    }
    tensor_free(&x);
    teacache_free(t);
    device_close(dev);
    return n;
}

static void ends_are_always_run(void **state)
{
    struct teacache t;
    bool skipped[20];
    teacache_init(&t, TEA_T2V_1_3B, false, 1e9, 20);
    assert_int_equal(run_steps(&t, 20, 0.01, skipped), 18);
    assert_false(skipped[0] || skipped[19]);
    teacache_init(&t, TEA_T2V_1_3B, true, 1e9, 20);
    assert_int_equal(run_steps(&t, 20, 0.01, skipped), 15);
    for (int i = 0; i < 20; i++)
        assert_true(skipped[i] == (i >= 5));
}

static void no_threshold_no_skip(void **state)
{
    struct teacache t;
    bool skipped[20];
    teacache_init(&t, TEA_T2V_14B, false, 0, 20);
    t.poly[4] = 1; /* a positive estimate, whatever the change */
    memset(t.poly, 0, 4 * sizeof *t.poly);
    assert_int_equal(run_steps(&t, 20, 0.01, skipped), 0);
}

/* With an estimate of 1 a step and a threshold of 2.5, two steps are left out after each full. */
static void the_sum_counts(void **state)
{
    struct teacache t;
    bool skipped[10];
    teacache_init(&t, TEA_I2V_480P, false, 2.5, 10);
    memset(t.poly, 0, sizeof t.poly);
    t.poly[4] = 1;
    run_steps(&t, 10, 0.01, skipped);
    for (int i = 0; i < 9; i++)
        assert_true(skipped[i] == (i % 3 != 0));
    assert_false(skipped[9]);
}

static void the_tiny_model(void **state)
{
    char path[PATH_LEN];
    const char *src = getenv("srcdir");
    struct device *dev = NULL;
    struct weights *net = NULL;
    struct dit *d = NULL;
    struct dit_prompt *p = NULL;
    struct teacache t;
    static float x[16 * 4 * 4], context[64], full[16 * 4 * 4], again[16 * 4 * 4];
    for (int i = 0; i < 16 * 4 * 4; i++)
        x[i] = (float)(i % 11) / 5 - 1;
    for (int i = 0; i < 64; i++)
        context[i] = (float)(i % 3) - 1;
    snprintf(path, sizeof path,
             "%.900s/tests/wan/open/tiny_t2v/diffusion_pytorch_model.safetensors", src ? src : ".");
    assert_int_equal(device_open(&(struct device_setup){"cpu", "f32", 0}, &dev, &why), ERR_OK);
    assert_int_equal(weights_open(path, &net, &why), ERR_OK);
    assert_int_equal(dit_open(dev, net, NULL, DIT_RESIDENT, NULL, &d, &why), ERR_OK);
    assert_int_equal(
        dit_prompt_new(d, &(struct dit_prompt_spec){.context = context, .n = 1}, &p, &why), ERR_OK);
    struct dit_input in = {
        .x = x, .frames = 1, .height = 4, .width = 4, .t = 700, .prompt = p, .tea = &t};
    teacache_init(&t, TEA_T2V_1_3B, false, 1e9, 10);
    assert_int_equal(dit_forward(d, &in, full, &why), ERR_OK);
    assert_int_equal(dit_forward(d, &in, again, &why), ERR_OK); /* left out: x and t are the same */
    double diff = 0, norm = 0;
    for (int i = 0; i < 16 * 4 * 4; i++) {
        diff += pow((double)full[i] - again[i], 2);
        norm += pow((double)full[i], 2);
    }
    assert_true(sqrt(diff / norm) < 1e-5); /* so the residual is the whole answer */
    in.t = 650;
    assert_int_equal(dit_forward(d, &in, again, &why), ERR_OK);
    assert_int_not_equal(memcmp(full, again, sizeof full), 0); /* the head still sees the time */
    teacache_free(&t);
    dit_prompt_free(p);
    dit_free(d);
    weights_free(net);
    assert_int_equal(device_used(dev), 0);
    device_close(dev);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ends_are_always_run),
        cmocka_unit_test(no_threshold_no_skip),
        cmocka_unit_test(the_sum_counts),
        cmocka_unit_test(the_tiny_model),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
