/* Cutting a picture to the shape of another; what a model is shown of one picture or two. */
#include "unit/wan/tiny.h"

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

/* The whole video written plainly and encoded at once, of 1 to 3 latent frames. */
static void a_condition_is_a_grey_video(void **state)
{
    enum { SIDE = 2, PIXELS = SIDE * SIDE * VAE_SPACE * VAE_SPACE, LONGEST = 3 };
    static float video[(4 * LONGEST - 3) * PIXELS * 3], z[VAE_Z * LONGEST * SIDE * SIDE],
        y[IMAGE_Y * LONGEST * SIDE * SIDE];
    float pixels[2][20 * 24 * 3];
    const struct image first = {pixels[0], 20, 24}, last = {pixels[1], 10, 16};
    const char *src = getenv("srcdir");
    char path[1024];
    struct fault f;
    struct device *dev;
    struct weights *net;
    struct vae *vae;
    for (int i = 0; i < 20 * 24 * 3; i++) {
        pixels[0][i] = (float)(i * 29 % 97) / 48.5f - 1;
        pixels[1][i] = (float)(i * 31 % 89) / 44.5f - 1;
    }
    snprintf(path, sizeof path, "%s/tests/wan/" TINY_VAE, src ? src : "..");
    if (device_open(&(struct device_setup){"cpu", "f32", 0}, &dev, &f) ||
        weights_open(path, &net, &f) || vae_open(dev, net, VAE_ENCODER, NULL, &vae, &f))
        fail_msg("%s", fault_text(&f));
    for (int n = 1; n <= LONGEST; n++)
        for (int both = 0; both < 2; both++) {
            int side = SIDE * VAE_SPACE, plane = SIDE * SIDE;
            memset(video, 0, sizeof video);
            image_resize(&first, side, side, video, &f);
            if (both)
                image_resize(&last, side, side, video + (4 * n - 4) * PIXELS * 3, &f);
            assert_int_equal(vae_encode_all(vae, video, n, SIDE, SIDE, n, false, z, &f), ERR_OK);
            assert_int_equal(
                image_condition(vae, &first, both ? &last : NULL, n, SIDE, SIDE, NULL, y, &f),
                ERR_OK);
            assert_memory_equal(y + IMAGE_MASK * n * plane, z,
                                (size_t)(VAE_Z * n * plane) * sizeof *z);
        }
    vae_free(vae);
    weights_free(net);
    device_close(dev);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_middle_stays),
        cmocka_unit_test(a_condition_is_a_grey_video),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
