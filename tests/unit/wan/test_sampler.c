/* Schedules and samplers beyond the golden ones: lists, limits, exactness on a straight path. */
#include "unit.h"

#include "wan/noise.h"
#include "wan/preview.h"
#include "wan/sampler.h"

#include <math.h>

static struct fault why;

static void impossible_schedules(void **state)
{
    struct schedule s;
    assert_int_equal(schedule_flow(&s, SAMPLER_UNIPC, 0, 5, &why), ERR_INVAL);
    assert_int_equal(schedule_flow(&s, SAMPLER_UNIPC, 1001, 5, &why), ERR_INVAL);
    assert_int_equal(schedule_flow(&s, SAMPLER_UNIPC, 10, 0, &why), ERR_INVAL);
    assert_int_equal(schedule_flow(&s, SAMPLER_UNIPC, 10, NAN, &why), ERR_INVAL);
    assert_int_equal(schedule_list(&s, (const double[]){1, 0.5, 0.5}, 3, &why), ERR_INVAL);
    assert_int_equal(schedule_list(&s, (const double[]){1.1}, 1, &why), ERR_INVAL);
    assert_int_equal(schedule_list(&s, (const double[]){NAN}, 1, &why), ERR_INVAL);
    assert_int_equal(schedule_nominal(&s, (const int[]){1000, 0}, 2, 5, &why), ERR_INVAL);
    /* they fall, but as the samplers keep them, in f32, two are the same */
    assert_int_equal(schedule_list(&s, (const double[]){1, 0.5, 0.499999999}, 3, &why), ERR_INVAL);
    assert_non_null(strstr(fault_text(&why), "too near"));
    assert_int_equal(schedule_list(&s, (const double[]){1, 1e-60}, 2, &why), ERR_INVAL);
    assert_int_equal(schedule_flow(&s, SAMPLER_UNIPC, 10, 1e-60, &why), ERR_INVAL);
    assert_int_equal(schedule_simple(&s, 10, 1e-60, &why), ERR_INVAL);
    assert_int_equal(schedule_nominal(&s, (const int[]){500, 500}, 2, 5, &why), ERR_INVAL);
}

/* What is allowed is of use: no number is lost on a path through any of it. */
static void possible_schedules_are_finite(void **state)
{
    static const double shifts[] = {0.01, 1, 5, 16, 1000};
    static const int steps[] = {1, 2, 50, 200, 1000};
    for (int kind = 0; kind < SAMPLER_COUNT; kind++)
        for (size_t i = 0; i < 25; i++)
            for (int simple = 0; simple < 2; simple++) {
                struct schedule s;
                int n = steps[i % 5];
                float x[2] = {1, -2}, v[2] = {0.5f, 3}, fresh[2] = {2, 1};
                enum err e =
                    simple ? schedule_simple(&s, n, shifts[i / 5], &why)
                           : schedule_flow(&s, (enum sampler_kind)kind, n, shifts[i / 5], &why);
                assert_int_equal(e, ERR_OK);
                struct sampler *run = sampler_new((enum sampler_kind)kind, &s, 2);
                for (int k = 0; k < n; k++)
                    sampler_step(run, k, x, v, fresh, NULL);
                assert_true(isfinite(x[0]) && isfinite(x[1]));
                sampler_free(run);
            }
}

static void four_steps_of_distilled_models(void **state)
{
    struct schedule s;
    static const double want[] = {1, 0.9375, 0.8333333, 0.625};
    assert_int_equal(schedule_nominal(&s, (const int[]){1000, 750, 500, 250}, 4, 5, &why), ERR_OK);
    for (int i = 0; i < 4; i++) {
        assert_true(fabs((double)s.sigma[i] - want[i]) < 1e-6);
        assert_true(fabs(s.t[i] - 1000 * want[i]) < 1e-3);
    }
    assert_true(s.sigma[4] == 0);
}

/* A model whose paths are straight lines (v constant) is solved exactly by every solver. */
static void straight_paths_are_exact(void **state)
{
    for (int kind = 0; kind < SAMPLER_COUNT; kind++)
        for (int steps = 1; steps < 12; steps++) {
            struct schedule s;
            float x[8], x0[8], noise[8], v[8], end[8];
            assert_int_equal(schedule_flow(&s, (enum sampler_kind)kind, steps, 5, &why), ERR_OK);
            struct sampler *run = sampler_new((enum sampler_kind)kind, &s, 8);
            for (int j = 0; j < 8; j++) {
                x0[j] = (float)sin(j);
                noise[j] = (float)cos(3 * j);
                v[j] = noise[j] - x0[j];
                x[j] = (1 - s.sigma[0]) * x0[j] + s.sigma[0] * noise[j];
            }
            for (int i = 0; i < steps; i++) /* LCM: the fresh noise is the old, so the line stays */
                sampler_step(run, i, x, v, noise, end);
            for (int j = 0; j < 8; j++) {
                assert_true(fabsf(x[j] - x0[j]) < 2e-5f);
                assert_true(fabsf(end[j] - x0[j]) < 2e-5f);
            }
            sampler_free(run);
        }
}

static void guidance(void **state)
{
    float c[] = {1, 2, 3}, u[] = {2, 4, 6};
    sampler_guide(c, u, 3, 1, false, 1);
    assert_true(c[0] == 1 && c[2] == 3);
    sampler_guide(c, u, 3, 3, false, 1);
    assert_true(c[0] == -1 && c[1] == -2);
    float d[] = {1, 2, 3}; /* parallel: the scaled v_u is v_c itself, whatever the scale */
    sampler_guide(d, u, 3, 7, true, 1);
    for (int i = 0; i < 3; i++)
        assert_true(fabsf(d[i] - (float)(i + 1)) < 1e-5f);
    float v[] = {3, 1}, other[] = {1, 1}; /* α = 4/2: 2·1 + 3·(3 − 2), 2·1 + 3·(1 − 2) */
    sampler_guide(v, other, 2, 3, true, 1);
    assert_true(fabsf(v[0] - 5) < 1e-5f && fabsf(v[1] + 1) < 1e-5f);
}

static void noise_goes_on_where_it_stopped(void **state)
{
    struct noise a, b;
    float x[200], y[200];
    noise_seed(&a, 5);
    noise_normal(&a, x, 100, 1);
    b = a;
    noise_normal(&a, x, 200, 1);
    noise_normal(&b, y, 200, 1);
    assert_memory_equal(x, y, sizeof x);
    noise_normal(&a, x, 7, 1);
    noise_normal(&b, y, 7, 1);
    assert_memory_equal(x, y, 7 * sizeof *x);
}

static void previews_stay_in_range(void **state)
{
    float z[16 * 4];
    unsigned char rgb[12];
    for (int i = 0; i < 64; i++)
        z[i] = i % 2 ? 100.0f : -100.0f;
    preview_rgb(z, 1, 1, 4, rgb, 1);
    for (int i = 0; i < 64; i++)
        z[i] = 0;
    preview_rgb(z, 1, 1, 4, rgb, 1);
    assert_int_equal(rgb[0], (int)((1 - 0.1835) / 2 * 255));
}

/* Enough numbers for several threads. */
#define MANY (16 * 136 * 137)

/* Noise, guidance, three steps of every sampler and a preview, all shared by `threads`. */
static float *all_at_once(int threads, size_t *bytes)
{
    int64_t n = MANY + 5, at = 0;
    float *all = calloc((size_t)n * 16, sizeof *all), *v = all, *u = all + n, *fresh = all + 2 * n;
    struct noise g;
    noise_seed(&g, 11);
    noise_normal(&g, all, 3 * n, threads);
    sampler_guide(v, u, n, 5, false, threads);
    sampler_guide(v, u, n, 2, true, threads);
    for (int kind = 0; kind < SAMPLER_COUNT; kind++) {
        struct schedule s;
        float *x = all + (3 + 2 * kind) * n;
        assert_int_equal(schedule_flow(&s, (enum sampler_kind)kind, 4, 5, &why), ERR_OK);
        struct sampler *run = sampler_new((enum sampler_kind)kind, &s, n);
        run->threads = threads;
        memcpy(x, fresh, (size_t)n * sizeof *x);
        for (int i = 0; i < 4; i++)
            sampler_step(run, i, x, v, fresh, x + n);
        sampler_free(run);
        at = (5 + 2 * kind) * n;
    }
    preview_rgb(v, 1, 136, 137, (uint8_t *)(all + at), threads);
    *bytes = (size_t)n * 16 * sizeof *all;
    return all;
}

static void threads_change_nothing(void **state)
{
    size_t bytes, same;
    float *one = all_at_once(1, &bytes), *three = all_at_once(3, &same);
    assert_int_equal(bytes, same);
    assert_memory_equal(one, three, bytes);
    assert_true(one[3] != 0);
    free(one);
    free(three);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(impossible_schedules),
        cmocka_unit_test(possible_schedules_are_finite),
        cmocka_unit_test(four_steps_of_distilled_models),
        cmocka_unit_test(straight_paths_are_exact),
        cmocka_unit_test(guidance),
        cmocka_unit_test(noise_goes_on_where_it_stopped),
        cmocka_unit_test(previews_stay_in_range),
        cmocka_unit_test(threads_change_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
