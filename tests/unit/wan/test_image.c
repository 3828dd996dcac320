/* Cutting a picture to the shape of another. */
#include "unit.h"

#include "wan/image.h"

#include <stdlib.h>

/* Where the cut of a height x width picture begins and how large it is, told by its numbers. */
static void cut(int height, int width, int like_height, int like_width, const int want[4])
{
    const struct image like = {NULL, like_height, like_width};
    float *p = malloc((size_t)(height * width) * 3 * sizeof *p);
    for (int i = 0; i < height * width; i++)
        for (int c = 0; c < 3; c++)
            p[i * 3 + c] = (float)(i * 3 + c);
    int h = height, w = width;
    image_crop(p, &h, &w, &like);
    assert_int_equal(h, want[2]);
    assert_int_equal(w, want[3]);
    for (int i = 0; i < h; i++)
        for (int j = 0; j < w; j++)
            for (int c = 0; c < 3; c++)
                assert_int_equal((int)p[(i * w + j) * 3 + c],
                                 ((want[0] + i) * width + want[1] + j) * 3 + c);
    free(p);
}

#define WANT(...) ((const int[4]){__VA_ARGS__})

static void the_middle_stays(void **state)
{
    cut(6, 8, 3, 4, WANT(0, 0, 6, 8));     /* of one shape */
    cut(4, 8, 10, 10, WANT(0, 2, 4, 4));   /* too wide */
    cut(9, 4, 20, 20, WANT(2, 0, 4, 4));   /* too high */
    cut(2, 9, 480, 832, WANT(0, 3, 2, 3)); /* 3.47 columns, rounded */
    cut(1, 1, 16384, 1, WANT(0, 0, 1, 1)); /* never to nothing */
    cut(5, 3, 1, 16384, WANT(2, 0, 1, 3));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_middle_stays)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
