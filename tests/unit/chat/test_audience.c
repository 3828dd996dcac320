#include "unit.h"

#include "chat/audience.h"

static void same_seed_same_show(void **state)
{
    (void)state;
    struct audience *a = audience_new(7, 20), *b = audience_new(7, 20), *c = audience_new(8, 20);
    struct audience_line x, y, z;
    int differ = 0;
    for (int i = 0; i < 3000; i++) {
        audience_next(a, &x);
        audience_next(b, &y);
        audience_next(c, &z);
        assert_string_equal(x.text, y.text);
        assert_string_equal(x.who.uid, y.who.uid);
        assert_int_equal(x.after_ms, y.after_ms);
        differ += strcmp(x.text, z.text) != 0;
        if (i % 50 == 0) {
            audience_hears(a, "@aki your clip #3 is on air");
            audience_hears(b, "@aki your clip #3 is on air");
        }
    }
    assert_true(differ > 2500);
    audience_free(a);
    audience_free(b);
    audience_free(c);
}

/* Not the same show some lines later, either: wishes of one seed are not another's. */
static void seeds_are_shows_of_their_own(void **state)
{
    (void)state;
    enum { N = 60 };
    static char wish[2][N][512];
    for (int k = 0; k < 2; k++) {
        struct audience *a = audience_new(k ? 11 : 3, 60);
        struct audience_line l;
        for (int n = 0; n < N;) {
            audience_next(a, &l);
            if (!strncmp(l.text, "!anime a ", 9) && strlen(l.text) < sizeof wish[0][0])
                strcpy(wish[k][n++], l.text);
        }
        audience_free(a);
    }
    int common = 0;
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++)
            common += !strcmp(wish[0][i], wish[1][j]);
    assert_true(common < N / 10);
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void it_is_a_crowd(void **state)
{
    (void)state;
    enum { N = 40000 };
    struct audience *a = audience_new(1, 60);
    struct audience_line l;
    char **wish = calloc(N, sizeof *wish);
    int64_t ms = 0;
    int wishes = 0, styles = 0, questions = 0, controls = 0, distinct = 1, close = 0;
    bool here[64] = {false};
    char uids[64][64] = {""};
    int people = 0;
    for (int i = 0; i < N; i++) {
        audience_next(a, &l);
        ms += l.after_ms;
        close += l.after_ms < 400;
        assert_true(strlen(l.text) > 0 && l.after_ms >= 0 && l.after_ms < 60000);
        if (!strncmp(l.text, "!anime ", 7))
            wish[wishes++] = strdup(l.text);
        styles += !strncmp(l.text, "!style ", 7);
        questions += !strcmp(l.text, "!queue");
        controls += strpbrk(l.text, "\x1b\x07") != NULL;
        int at = 0;
        while (at < people && strcmp(uids[at], l.who.uid))
            at++;
        if (at == people)
            strcpy(uids[people++], l.who.uid);
        here[at] = true;
    }
    assert_true(people >= 40 && people == audience_viewers());
    assert_true(here[people - 1]);
    assert_true(styles > 1000 && questions > 400 && controls > 10);
    assert_true(close > N / 100); /* floods */
    double rate = N / ((double)ms / 60000);
    if (rate < 50 || rate > 70)
        fail_msg("60 lines a minute were asked for, %.1f came", rate);
    qsort(wish, (size_t)wishes, sizeof *wish, by_text);
    for (int i = 1; i < wishes; i++)
        distinct += strcmp(wish[i], wish[i - 1]) != 0;
    assert_true(wishes > N / 6);
    assert_true(distinct > wishes * 7 / 10); /* trolls and floods repeat themselves */
    for (int i = 0; i < wishes; i++)
        free(wish[i]);
    free(wish);
    audience_free(a);
}

static void votes_are_for_what_it_heard(void **state)
{
    (void)state;
    struct audience *a = audience_new(3, 60);
    struct audience_line l;
    int votes = 0, gone = 0;
    audience_hears(a, "@aki queued as #12 · @bo queued as #13, #x, # 4 and #0");
    for (int i = 0; i < 2000; i++) {
        audience_next(a, &l);
        int id;
        if (l.who.role == ROLE_VIEWER && strstr(l.text, "999999"))
            continue; /* a troll's */
        if (sscanf(l.text, "!vote %d", &id) == 1 && id > 0) {
            assert_true(id == 12 || id == 13);
            votes++;
        }
    }
    assert_true(votes > 100);
    audience_hears(a, "@aki your clip #12 is on air");
    for (int i = 0; i < 2000; i++) {
        audience_next(a, &l);
        gone += !strcmp(l.text, "!vote 12");
    }
    assert_int_equal(gone, 0);
    audience_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(same_seed_same_show),
        cmocka_unit_test(seeds_are_shows_of_their_own),
        cmocka_unit_test(it_is_a_crowd),
        cmocka_unit_test(votes_are_for_what_it_heard),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
