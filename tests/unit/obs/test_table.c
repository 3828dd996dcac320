#include "unit.h"

#include "obs/table.h"

static struct table fresh(enum table_place at)
{
    return (struct table){.at = at,
                          .result_dwell_ms = 500,
                          .gallery_dwell_ms = 8000,
                          .generating_ms = 20000,
                          .clip_ms = 7000};
}

static void the_way_of_a_show(void **state)
{
    struct table t = fresh(PLACE_STANDBY);
    (void)state;
    assert_int_equal(table_move(&t, TABLE_RESYNC, 0), TABLE_SHOW);
    assert_int_equal(t.at, PLACE_STANDBY);
    assert_int_equal(t.due_ms, 0);
    t.drawing = true;
    assert_int_equal(table_move(&t, TABLE_DRAWING, 100), TABLE_SHOW);
    assert_int_equal(t.at, PLACE_GENERATING);
    assert_int_equal(t.due_ms, 20100);
    assert_int_equal(table_move(&t, TABLE_AIR, 5000), TABLE_SHOW);
    assert_int_equal(t.at, PLACE_RESULT);
    assert_int_equal(t.due_ms, 12000); /* the watchdog */
    assert_int_equal(table_move(&t, TABLE_DRAWN, 6000), TABLE_NOTHING);
    assert_int_equal(table_move(&t, TABLE_ENDED, 10000), TABLE_HOLD);
    assert_int_equal(t.at, PLACE_RESULT);
    assert_int_equal(t.due_ms, 10500);
    assert_int_equal(table_move(&t, TABLE_DUE, 10500), TABLE_SHOW);
    assert_int_equal(t.at, PLACE_GALLERY);
    assert_int_equal(t.due_ms, 18500);
    assert_int_equal(table_move(&t, TABLE_DUE, 18500), TABLE_SHOW); /* still drawing */
    assert_int_equal(t.at, PLACE_GENERATING);
    t.drawing = false;
    assert_int_equal(table_move(&t, TABLE_DRAWN, 19000), TABLE_SHOW);
    assert_int_equal(t.at, PLACE_GALLERY);
    t.clips = true;
    assert_int_equal(table_move(&t, TABLE_DUE, 27000), TABLE_SHOW); /* the next clip */
    assert_int_equal(t.due_ms, 35000);
    t.clips = false; /* nothing to show, nothing to do: the card stays, the clock goes on */
    assert_int_equal(table_move(&t, TABLE_DUE, 35000), TABLE_NOTHING);
    assert_int_equal(t.due_ms, 43000);
}

/* Every place and event, with every combination of the facts. */
static void exhaustive(void **state)
{
    (void)state;
    for (int p = 0; p < PLACES; p++)
        for (int e = 0; e < TABLE_EVENTS; e++)
            for (int facts = 0; facts < 4; facts++) {
                struct table t = fresh((enum table_place)p);
                t.drawing = facts & 1;
                t.clips = facts & 2;
                enum table_act act = table_move(&t, (enum table_event)e, 1000);
                assert_true(t.at < PLACES);
                if (act == TABLE_NOTHING)
                    assert_int_equal(t.at, p);
                if (t.due_ms)
                    assert_true(t.due_ms > 1000);
                if (p == PLACE_PANIC && e != TABLE_RESUME && e != TABLE_CLOSE) {
                    assert_int_equal(t.at, PLACE_PANIC); /* only resume leaves it */
                    assert_true(act == TABLE_DARK || act == TABLE_NOTHING);
                }
                if (e == TABLE_PANIC) {
                    assert_int_equal(t.at, PLACE_PANIC);
                    assert_int_equal(act, TABLE_DARK);
                }
                if (p <= PLACE_GALLERY && e == TABLE_FAULT) {
                    assert_int_equal(t.at, PLACE_GALLERY);
                    assert_int_equal(act, TABLE_SHOW);
                }
                if (p == PLACE_AWAY && e != TABLE_AIR && e != TABLE_BACK && e != TABLE_PANIC) {
                    assert_int_not_equal(act, TABLE_SHOW); /* no fight */
                }
                if (p == PLACE_CLOSED && e != TABLE_PANIC)
                    assert_int_equal(act, TABLE_NOTHING);
                if (p <= PLACE_AWAY && e == TABLE_AIR) {
                    assert_int_equal(t.at, PLACE_RESULT);
                    assert_int_equal(t.due_ms, 8000);
                }
                if (e == TABLE_CLOSE)
                    assert_int_equal(t.at, PLACE_CLOSED);
            }
}

/* From anywhere, time alone leads to the gallery or to a card that may stay. */
static void time_outs_end(void **state)
{
    (void)state;
    for (int p = 0; p <= PLACE_GALLERY; p++)
        for (int facts = 0; facts < 4; facts++) {
            struct table t = fresh((enum table_place)p);
            t.drawing = facts & 1;
            t.clips = facts & 2;
            t.due_ms = p == PLACE_STANDBY ? 0 : 1;
            bool gallery = p == PLACE_STANDBY || p == PLACE_GALLERY;
            for (int i = 0; i < 10 && t.due_ms; i++) {
                table_move(&t, TABLE_DUE, t.due_ms);
                assert_int_not_equal(t.at, PLACE_RESULT);
                gallery = gallery || t.at == PLACE_GALLERY;
            }
            /* Without clips the engine's card may stay on: it is no fault. */
            assert_true(gallery || (p == PLACE_GENERATING && !t.clips));
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_way_of_a_show),
        cmocka_unit_test(exhaustive),
        cmocka_unit_test(time_outs_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
