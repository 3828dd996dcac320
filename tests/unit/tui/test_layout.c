/* At every size of a terminal: nothing overlaps, nothing leaves the screen, what must be seen is.
 */
#include "unit.h"

#include "tui/layout.h"

#include <string.h>

#define W 250
#define H 80

static unsigned char owner[H][W];

static void claim(const struct rect *r, int who, int w, int h)
{
    if (!r->w || !r->h)
        return;
    if (r->x < 0 || r->y < 0 || r->w < 0 || r->h < 0 || r->x + r->w > w || r->y + r->h > h)
        fail_msg("%dx%d: part %d leaves the screen: %d,%d %dx%d", w, h, who, r->x, r->y, r->w,
                 r->h);
    for (int y = r->y; y < r->y + r->h; y++)
        for (int x = r->x; x < r->x + r->w; x++) {
            if (owner[y][x])
                fail_msg("%dx%d: parts %d and %d overlap at %d,%d", w, h, owner[y][x], who, x, y);
            owner[y][x] = (unsigned char)who;
        }
}

static void check(int w, int h, enum pane focus)
{
    struct layout l = layout_make(w, h, focus);
    memset(owner, 0, sizeof owner);
    claim(&l.lamps, 1, w, h);
    claim(&l.message, 2, w, h);
    claim(&l.footer, 3, w, h);
    claim(&l.inspector, 4, w, h);
    claim(&l.program, 5, w, h);
    for (int i = 0; i < PANES; i++)
        claim(&l.pane[i], 10 + i, w, h);
    if (l.message.h != 1 || l.message.w != w)
        fail_msg("%dx%d: no message line", w, h);
    if (l.kind == LAYOUT_NONE)
        return;
    if (l.lamps.h < 1 || l.lamps.w != w || l.lamps.y != 0)
        fail_msg("%dx%d: no lamps", w, h);
    if (l.pane[focus].h < 1)
        fail_msg("%dx%d: the focused pane %d cannot be seen", w, h, focus);
    if (l.body.y < l.lamps.h || l.body.y + l.body.h > l.message.y)
        fail_msg("%dx%d: an overlay would cover lamps or message", w, h);
    for (int y = 0; y < h; y++) /* every cell has an owner */
        for (int x = 0; x < w; x++)
            if (!owner[y][x])
                fail_msg("%dx%d: nobody draws %d,%d", w, h, x, y);
}

static void every_size(void **state)
{
    (void)state;
    for (int w = 1; w <= W; w++)
        for (int h = 1; h <= H; h++)
            for (int focus = 0; focus < PANES; focus++)
                check(w, h, (enum pane)focus);
}

static void known_sizes(void **state)
{
    (void)state;
    assert_int_equal(layout_make(1, 1, PANE_HELD).kind, LAYOUT_NONE);
    struct layout tiny = layout_make(40, 10, PANE_HELD);
    assert_int_equal(tiny.kind, LAYOUT_TINY);
    assert_int_equal(tiny.pane[PANE_HELD].h, 7);
    assert_int_equal(tiny.pane[PANE_READY].w, 0);
    assert_int_equal(layout_make(80, 24, PANE_HELD).kind, LAYOUT_NARROW);
    assert_int_equal(layout_make(80, 24, PANE_HELD).pane[PANE_REVIEW].w, 0);
    assert_int_equal(layout_make(80, 24, PANE_REVIEW).pane[PANE_REVIEW].w, 80);
    assert_int_equal(layout_make(104, 30, PANE_HELD).kind, LAYOUT_FULL);
    assert_int_equal(layout_make(200, 60, PANE_HELD).kind, LAYOUT_WIDE);
    assert_true(layout_make(200, 60, PANE_HELD).program.h > 8);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_size), cmocka_unit_test(known_sizes)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
