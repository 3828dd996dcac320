#include "unit.h"

#include "tensor/dtype.h"

#include <math.h>
#include <string.h>

static float one(enum dtype type, unsigned bits)
{
    unsigned char raw[4] = {(unsigned char)bits, (unsigned char)(bits >> 8),
                            (unsigned char)(bits >> 16), (unsigned char)(bits >> 24)};
    float v;
    dtype_widen(&v, raw, type, 1);
    return v;
}

static void names_go_both_ways(void **state)
{
    for (int i = 0; i < DTYPE_COUNT; i++) {
        enum dtype type;
        assert_true(dtype_parse(dtype_name((enum dtype)i), &type));
        assert_int_equal(type, i);
    }
    enum dtype type;
    assert_false(dtype_parse("F7", &type));
    assert_false(dtype_parse("", &type));
}

static void half_is_exact(void **state)
{
    for (unsigned h = 0; h < 65536; h++) {
        unsigned e = h >> 10 & 31, m = h & 1023;
        double v = e == 31 ? (m ? NAN : INFINITY)
                   : e     ? ldexp(1024 + (double)m, (int)e - 25)
                           : ldexp((double)m, -24);
        v = h & 0x8000 ? -v : v;
        float got = one(DTYPE_F16, h);
        if (isnan(v))
            assert_true(isnan(got));
        else
            assert_true((double)got == v && !signbit(got) == !signbit(v));
    }
}

static void brain_is_the_upper_half(void **state)
{
    for (unsigned h = 0; h < 65536; h++) {
        float got = one(DTYPE_BF16, h);
        unsigned bits;
        memcpy(&bits, &got, sizeof bits);
        assert_int_equal(bits, h << 16);
    }
}

static void eight_bits(void **state)
{
    assert_true(one(DTYPE_F8_E4M3, 0x7e) == 448.0f);
    assert_true(one(DTYPE_F8_E4M3, 0xfe) == -448.0f);
    assert_true(one(DTYPE_F8_E4M3, 0x38) == 1.0f);
    assert_true(one(DTYPE_F8_E4M3, 0x01) == ldexpf(1, -9));
    assert_true(isnan(one(DTYPE_F8_E4M3, 0x7f)));
    assert_true(one(DTYPE_F8_E5M2, 0x3c) == 1.0f);
    assert_true(one(DTYPE_F8_E5M2, 0x7b) == 57344.0f);
    assert_true(isinf(one(DTYPE_F8_E5M2, 0x7c)));
}

static void any_address_will_do(void **state)
{
    unsigned char raw[64] = {0};
    float out[8];
    for (int shift = 1; shift < 4; shift++) {
        for (int i = 0; i < 8; i++) {
            float v = (float)i - 3.5f;
            memcpy(raw + shift + 4 * i, &v, sizeof v);
        }
        dtype_widen(out, raw + shift, DTYPE_F32, 8);
        for (int i = 0; i < 8; i++)
            assert_true(out[i] == (float)i - 3.5f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_go_both_ways),      cmocka_unit_test(half_is_exact),
        cmocka_unit_test(brain_is_the_upper_half), cmocka_unit_test(eight_bits),
        cmocka_unit_test(any_address_will_do),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
