/* Videos of any size and rate as frames of the clip's. */
#include "unit.h"

#include "media/chatter.h"
#include "media/encode.h"
#include "media/frames.h"

#include <unistd.h>

#define W 128
#define H 64

static char dir[64], path[128];
static struct fault fault;

/* Frame i is of grey 40 + 10·i, but for its left and right quarters, which are black. */
static void write_video(int frames, int fps)
{
    static uint8_t rgb[W * H * 3 + 64];
    struct encode_spec spec = {path, W, H, fps, 1, NULL, false};
    int64_t bytes;
    struct encode *e = encode_new(&spec, &fault);
    assert_non_null(e);
    for (int i = 0; i < frames; i++) {
        for (int p = 0; p < W * H; p++)
            memset(rgb + (size_t)p * 3, p % W < W / 4 || p % W >= 3 * W / 4 ? 0 : 40 + 10 * i, 3);
        assert_int_equal(encode_frame(e, rgb, &fault), ERR_OK);
    }
    assert_int_equal(encode_finish(e, "", "", &bytes, &fault), ERR_OK);
    encode_free(e);
}

static int grey(const struct frames *p, int frame, int x, int y)
{
    return p
        ->rgb[(((size_t)frame * (size_t)p->height + (size_t)y) * (size_t)p->width + (size_t)x) * 3];
}

static void assert_grey(int have, int want)
{
    if (have < want - 4 || have > want + 4)
        fail_msg("%d, not about %d", have, want);
}

/* Each frame's middle is the frame of the file that `from` says. */
static void assert_frames(int fps, int most, int count, const int *from)
{
    struct frames p;
    if (frames_video(path, W, H, most, fps, &p, &fault))
        fail_msg("%s", fault_text(&fault));
    assert_int_equal(p.count, count);
    for (int i = 0; i < count; i++)
        assert_grey(grey(&p, i, W / 2, H / 2), 40 + 10 * from[i]);
    frames_free(&p);
}

static void rates(void **state)
{
    (void)state;
    write_video(8, 16);
    assert_frames(16, 8, 8, (const int[]){0, 1, 2, 3, 4, 5, 6, 7});
    assert_frames(16, 100, 8, (const int[]){0, 1, 2, 3, 4, 5, 6, 7}); /* no more than there are */
    assert_frames(16, 3, 3, (const int[]){0, 1, 2});
    assert_frames(32, 6, 6, (const int[]){0, 0, 1, 1, 2, 2});
    assert_frames(8, 100, 4, (const int[]){1, 3, 5, 7});
    write_video(8, 24);
    assert_frames(16, 100, 5, (const int[]){0, 2, 3, 5, 6});
    write_video(6, 30);
    assert_frames(16, 100, 3, (const int[]){0, 2, 4});
    write_video(1, 16);
    assert_frames(16, 100, 1, (const int[]){0});
}

/* The left half of one colour, the right of another, as RGB or as NV12, comes back as it was. */
static void colours(void **state)
{
    static const uint8_t colour[2][3] = {{230, 120, 40}, {30, 60, 200}};
    static uint8_t bytes[W * H * 3 + 64];
    (void)state;
    for (int nv12 = 0; nv12 < 2; nv12++) {
        struct encode_spec spec = {path, W, H, 16, 1, NULL, nv12};
        struct encode *e = encode_new(&spec, &fault);
        struct frames p;
        int64_t size;
        assert_non_null(e);
        for (int i = 0; i < W * H; i++) {
            const uint8_t *c = colour[i % W >= W / 2];
            double y = 0.2126 * c[0] + 0.7152 * c[1] + 0.0722 * c[2];
            uint8_t *chroma = bytes + W * H + i / W / 2 * W + i % W / 2 * 2;
            if (!nv12) {
                memcpy(bytes + 3 * i, c, 3);
                continue;
            }
            bytes[i] = (uint8_t)(16.5 + y * 219 / 255);
            chroma[0] = (uint8_t)(128.5 + (c[2] - y) / 1.8556 * 224 / 255);
            chroma[1] = (uint8_t)(128.5 + (c[0] - y) / 1.5748 * 224 / 255);
        }
        for (int i = 0; i < 3; i++)
            assert_int_equal(encode_frame(e, bytes, &fault), ERR_OK);
        assert_int_equal(encode_finish(e, "", "", &size, &fault), ERR_OK);
        encode_free(e);
        assert_int_equal(frames_video(path, W, H, 9, 16, &p, &fault), ERR_OK);
        assert_int_equal(p.count, 3);
        for (int half = 0; half < 2; half++)
            for (int c = 0; c < 3; c++)
                assert_grey(p.rgb[((H / 2) * W + W / 4 + half * W / 2) * 3 + c], colour[half][c]);
        frames_free(&p);
    }
}

/* What does not have the clip's shape is cut off, evenly. */
static void shapes(void **state)
{
    struct frames p;
    (void)state;
    write_video(2, 16);
    assert_int_equal(frames_video(path, 64, 64, 9, 16, &p, &fault), ERR_OK);
    assert_int_equal(p.width, 64);
    assert_int_equal(p.height, 64);
    assert_int_equal(p.count, 2);
    assert_grey(grey(&p, 1, 2, 32), 50); /* the black quarters are gone */
    assert_grey(grey(&p, 1, 61, 32), 50);
    frames_free(&p);
    assert_int_equal(frames_video(path, 256, 32, 9, 16, &p, &fault), ERR_OK);
    assert_grey(grey(&p, 0, 40, 16), 0);
    assert_grey(grey(&p, 0, 128, 1), 40);
    assert_grey(grey(&p, 0, 215, 16), 0);
    frames_free(&p);
    assert_int_equal(frames_picture(path, &p, &fault), ERR_OK);
    assert_int_equal(p.width, W);
    assert_int_equal(p.height, H);
    assert_int_equal(p.count, 1);
    assert_grey(grey(&p, 0, W / 4 + 4, 5), 40);
    assert_grey(grey(&p, 0, W / 4 - 4, 5), 0);
    frames_free(&p);
}

static void what_is_no_video(void **state)
{
    struct frames p;
    FILE *f = fopen(path, "w");
    (void)state;
    fputs("a text", f);
    fclose(f);
    assert_int_equal(frames_video(path, 64, 64, 9, 16, &p, &fault), ERR_CORRUPT);
    assert_int_equal(frames_picture(path, &p, &fault), ERR_CORRUPT);
    unlink(path);
    assert_int_equal(frames_video(path, 64, 64, 9, 16, &p, &fault), ERR_NOTFOUND);
    assert_null(p.rgb);
}

static int set_up(void **state)
{
    (void)state;
    chatter_to_log();
    strcpy(dir, "/tmp/sakuga-test-XXXXXX");
    if (!mkdtemp(dir))
        return 1;
    snprintf(path, sizeof path, "%s/a.mp4", dir);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    unlink(path);
    return rmdir(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rates),
        cmocka_unit_test(shapes),
        cmocka_unit_test(colours),
        cmocka_unit_test(what_is_no_video),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
