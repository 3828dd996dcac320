/* The stage that shows to nobody: the same table, in real time, without an OBS. */
#include "unit.h"

#include "base/clock.h"
#include "obs/stage.h"

#include <unistd.h>

#define CLIP_MS 400

struct show {
    struct loop *loop;
    struct stage *stage;
    char dir[64];
    int aired, ended, gallery, panicked, closed;
    int64_t last, aired_ms, ended_ms;
    enum stage_end how;
    bool have_gallery, next_inside;
};

static struct stage_clip clip(struct show *s, int64_t id)
{
    struct stage_clip c = {.id = id, .duration_ms = CLIP_MS};
    snprintf(c.path, sizeof c.path, "%s/1.mp4", s->dir);
    return c;
}

static void on_air(void *user, int64_t id)
{
    struct show *s = user;
    s->aired++;
    s->last = id;
    s->aired_ms = clock_mono_ms();
}

static void on_ended(void *user, int64_t id, enum stage_end how, const char *words)
{
    struct show *s = user;
    (void)id, (void)words;
    s->ended++;
    s->how = how;
    s->ended_ms = clock_mono_ms();
    if (s->next_inside) {
        struct stage_clip c = clip(s, id + 1);
        s->next_inside = false;
        assert_int_equal(stage_air(s->stage, &c, false, NULL), ERR_OK);
    }
}

static bool gallery_next(void *user, struct stage_clip *out)
{
    struct show *s = user;
    s->gallery += s->have_gallery;
    *out = clip(s, 99);
    return s->have_gallery;
}

static void on_status(void *user)
{
    (void)user;
}

static void on_done(void *user, enum err err, const char *why, int64_t us)
{
    (void)why, (void)us;
    assert_int_equal(err, ERR_OK);
    ++*(int *)user;
}

static void until(struct show *s, const int *what, int n, int ms)
{
    int64_t end = clock_mono_ms() + ms;
    while (*what < n && clock_mono_ms() < end)
        loop_step(s->loop, 10);
    assert_true(*what >= n);
}

static void pass(struct show *s, int ms)
{
    int64_t end = clock_mono_ms() + ms;
    while (clock_mono_ms() < end)
        loop_step(s->loop, 10);
}

static enum stage_scene scene(struct show *s)
{
    struct obs_status st;
    stage_status(s->stage, &st);
    assert_false(st.configured);
    return st.stage;
}

static void begin(struct show *s, const struct stage_ops *ops)
{
    struct stage_settings set = {.label = "AI", .gallery_dwell_ms = 300};
    char path[80];
    *s = (struct show){.loop = loop_new(NULL)};
    strcpy(s->dir, "/tmp/stage-XXXXXX");
    assert_non_null(mkdtemp(s->dir));
    snprintf(path, sizeof path, "%s/1.mp4", s->dir);
    assert_int_equal(path_write(path, "x", 1, 0600, NULL), ERR_OK);
    set.air = s->dir;
    s->stage = stage_new(s->loop, &set, ops, s, NULL);
    assert_non_null(s->stage);
    for (int64_t end = clock_mono_ms() + 2000; !stage_ready(s->stage, true);) {
        assert_true(clock_mono_ms() < end);
        loop_step(s->loop, 10);
    }
}

static void finish(struct show *s)
{
    char path[80];
    stage_free(s->stage);
    stage_shutdown(s->loop);
    loop_free(s->loop);
    snprintf(path, sizeof path, "%s/1.mp4", s->dir);
    unlink(path);
    rmdir(s->dir);
}

static const struct stage_ops ops = {on_air, on_ended, gallery_next, on_status, NULL};

static void a_show_in_real_time(void **state)
{
    struct show s;
    (void)state;
    begin(&s, &ops);
    assert_int_equal(scene(&s), STAGE_STANDBY);
    stage_set_generating(s.stage, true, "x");
    assert_int_equal(scene(&s), STAGE_GENERATING);
    struct stage_clip c = clip(&s, 1);
    assert_true(stage_ready(s.stage, true));
    assert_int_equal(stage_air(s.stage, &c, false, NULL), ERR_OK);
    assert_int_equal(stage_air(s.stage, &c, false, NULL), ERR_BUSY);
    assert_int_equal(s.aired, 0); /* never from inside */
    s.next_inside = true;         /* the caller asks for the next one at once */
    until(&s, &s.aired, 1, 1000);
    assert_int_equal(scene(&s), STAGE_RESULT);
    until(&s, &s.ended, 1, 2000);
    assert_int_equal(s.how, STAGE_END_PLAYED);
    assert_in_range(s.ended_ms - s.aired_ms, CLIP_MS - 150, CLIP_MS + 300);
    until(&s, &s.aired, 2, 1000);
    assert_int_equal(s.last, 2);
    stage_set_generating(s.stage, false, "");
    until(&s, &s.ended, 2, 2000);
    s.have_gallery = true;
    for (int64_t end = clock_mono_ms() + 2000; scene(&s) != STAGE_GALLERY && clock_mono_ms() < end;)
        loop_step(s.loop, 10);
    assert_int_equal(scene(&s), STAGE_GALLERY);
    until(&s, &s.gallery, 3, 3000); /* rotates */
    assert_int_equal(s.aired, 2);
    assert_int_equal(s.ended, 2);
    finish(&s);
}

static void panic_and_the_end(void **state)
{
    struct show s;
    (void)state;
    begin(&s, &ops);
    struct stage_clip c = clip(&s, 7);
    assert_int_equal(stage_air(s.stage, &c, false, NULL), ERR_OK);
    until(&s, &s.aired, 1, 1000);
    stage_panic(s.stage, on_done, &s.panicked);
    stage_panic(s.stage, on_done, &s.panicked);
    until(&s, &s.panicked, 2, 1000);
    assert_int_equal(s.ended, 1);
    assert_int_equal(s.how, STAGE_END_PANIC);
    assert_int_equal(stage_air(s.stage, &c, true, NULL), ERR_STATE);
    s.have_gallery = true;
    stage_gallery_changed(s.stage);
    stage_set_generating(s.stage, true, "x");
    pass(&s, 600);
    assert_int_equal(scene(&s), STAGE_STANDBY);
    stage_resume(s.stage);
    assert_int_equal(scene(&s), STAGE_GALLERY);
    assert_int_equal(stage_air(s.stage, &c, false, NULL), ERR_OK);
    assert_true(stage_withdraw(s.stage, 7));
    pass(&s, 300);
    assert_int_equal(s.aired, 1);
    assert_int_equal(stage_air(s.stage, &c, false, NULL), ERR_OK);
    until(&s, &s.aired, 2, 1000);
    assert_false(stage_withdraw(s.stage, 7));
    stage_close(s.stage, on_done, &s.closed);
    assert_int_equal(s.how, STAGE_END_QUIT);
    until(&s, &s.closed, 1, 1000);
    assert_int_equal(scene(&s), STAGE_GALLERY);
    assert_int_equal(s.ended, 2);
    finish(&s);
}

/* A key that is held down: everything asked for in one turn of the loop is answered. */
static void many_panics_at_once(void **state)
{
    struct show s;
    (void)state;
    begin(&s, &ops);
    for (int i = 0; i < 12; i++)
        stage_panic(s.stage, NULL, NULL);
    stage_resume(s.stage);
    struct stage_clip c = clip(&s, 1);
    assert_int_equal(stage_air(s.stage, &c, true, NULL), ERR_OK);
    until(&s, &s.aired, 1, 2000);
    finish(&s);
}

static void bad_settings(void **state)
{
    struct loop *l = loop_new(NULL);
    struct stage_settings set = {.air = "/nonexistent/air"};
    struct fault f;
    (void)state;
    assert_null(stage_new(l, &set, &ops, NULL, &f));
    assert_int_equal(f.code, ERR_NOTFOUND);
    set.air = "/tmp";
    set.url = "http://127.0.0.1:4455";
    assert_null(stage_new(l, &set, &ops, NULL, &f));
    assert_int_equal(f.code, ERR_INVAL);
    loop_free(l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_show_in_real_time),
        cmocka_unit_test(panic_and_the_end),
        cmocka_unit_test(many_panics_at_once),
        cmocka_unit_test(bad_settings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
