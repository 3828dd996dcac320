/* Grid, line editor, list, themes, colours and key decoder, each alone. */
#include "unit.h"

#include "base/text.h"
#include "tui/grid.h"
#include "tui/keys.h"
#include "tui/line.h"
#include "tui/list.h"
#include "tui/look.h"
#include "tui/term/colour.h"
#include "tui/term/input.h"
#include "tui/view.h"

static const struct ink ink = {COLOUR_DEFAULT, COLOUR_DEFAULT, 0};

/* ---- grid ---- */

static void row(const struct grid *g, int y, char *out)
{
    *out = '\0';
    for (int x = 0; x < g->w; x++)
        strcat(out, grid_at(g, x, y)->text);
}

static void grid_holds_what_fits(void **state)
{
    struct grid g = {0};
    char text[400];
    (void)state;
    assert_int_equal(grid_resize(&g, 10, 2), ERR_OK);
    assert_int_equal(grid_text(&g, 0, 0, 10, ink, "abcdefghijkl"), 10);
    row(&g, 0, text);
    assert_string_equal(text, "abcdefghi…");
    assert_int_equal(grid_text(&g, 0, 1, 5, ink, "雨の駅"), 5);
    row(&g, 1, text);
    assert_string_equal(text, "雨の…     ");
    assert_int_equal(grid_at(&g, 0, 1)->width, 2);
    assert_int_equal(grid_at(&g, 1, 1)->width, 0);
    grid_put(&g, 1, 1, ink, "x", 1); /* over the right half: the left half goes */
    assert_string_equal(grid_at(&g, 0, 1)->text, " ");
    assert_int_equal(grid_at(&g, 0, 1)->width, 1);
    grid_put(&g, 9, 1, ink, "雨", 2); /* half of it would be cut off */
    assert_string_equal(grid_at(&g, 9, 1)->text, " ");
    grid_put(&g, 10, 1, ink, "x", 1); /* outside: nothing */
    grid_put(&g, -1, -1, ink, "x", 1);
    grid_free(&g);
}

/* Whatever bytes come, no cell holds a control, and the widths add up. */
static void grid_lets_no_control_through(void **state)
{
    struct grid g = {0};
    unsigned seed = 7;
    (void)state;
    assert_int_equal(grid_resize(&g, 40, 1), ERR_OK);
    for (int round = 0; round < 20000; round++) {
        char s[64];
        size_t n = 1 + (size_t)(rand_r(&seed) % 60);
        static const char *const bad[] = {"\033[2J",     "\u202e", "\u200d",
                                          "\302\23331m", "\r\n",   "\a"};
        for (size_t i = 0; i < n; i++)
            s[i] = (char)(1 + rand_r(&seed) % 255);
        s[n] = '\0';
        if (round % 3 == 0)
            snprintf(s, sizeof s, "a%s👨‍👩‍👧🇯🇵", bad[round % 6]);
        grid_clear(&g, ink);
        grid_text(&g, rand_r(&seed) % 40, 0, 40, ink, s);
        for (int x = 0; x < 40; x++) {
            const struct cell *c = grid_at(&g, x, 0);
            assert_true(text_valid(c->text, strlen(c->text)));
            for (const char *p = c->text; *p; p++) {
                assert_true((unsigned char)*p >= 0x20 && *p != 0x7f);
                assert_false((unsigned char)p[0] == 0xc2 && (unsigned char)p[1] < 0xa0);
            }
            assert_null(strstr(c->text, "\u202e"));
            if (c->width == 2)
                assert_int_equal(grid_at(&g, x + 1, 0)->width, 0);
            if (c->width == 0)
                assert_int_equal(grid_at(&g, x - 1, 0)->width, 2);
        }
    }
    grid_free(&g);
}

static void grid_wraps_at_words(void **state)
{
    struct grid g = {0};
    char text[400];
    (void)state;
    grid_resize(&g, 8, 3);
    assert_int_equal(grid_wrap(&g, (struct rect){0, 0, 8, 3}, ink, "a cat in a verylongword", 0),
                     4);
    row(&g, 0, text);
    assert_string_equal(text, "a cat in");
    row(&g, 1, text);
    assert_string_equal(text, "a       ");
    row(&g, 2, text);
    assert_string_equal(text, "verylong");
    grid_free(&g);
}

/* ---- line ---- */

static void line_moves_by_clusters(void **state)
{
    struct line l;
    (void)state;
    line_set(&l, "e\u0301👨‍👩‍👧x");
    assert_true(line_key(&l, "Left"));
    assert_true(line_key(&l, "Backspace"));
    assert_string_equal(l.text, "e\u0301x");
    assert_true(line_key(&l, "Home"));
    assert_true(line_key(&l, "Delete"));
    assert_string_equal(l.text, "x");
    line_key(&l, "雨");
    assert_string_equal(l.text, "雨x");
    assert_int_equal(line_column(&l), 2);
    line_set(&l, "one two  three");
    line_key(&l, "C-w");
    assert_string_equal(l.text, "one two  ");
    line_key(&l, "C-u");
    assert_string_equal(l.text, "");
    assert_false(line_key(&l, "F5"));
    assert_true(line_key(&l, "Backspace")); /* at the start: nothing to take */
    assert_string_equal(l.text, "");
}

static void line_is_bounded_and_clean(void **state)
{
    struct line l;
    char big[LINE_BYTES * 2];
    (void)state;
    line_set(&l, "");
    line_insert(&l, "a\033[31mb\r\nc", 10);
    assert_string_equal(l.text, "a[31mb c");
    for (size_t i = 0; i + 3 < sizeof big; i += 3)
        memcpy(big + i, "雨", 4);
    line_insert(&l, big, strlen(big));
    assert_true(strlen(l.text) < LINE_BYTES);
    assert_true(text_valid(l.text, strlen(l.text)));
    line_key(&l, "x");
    assert_true(strlen(l.text) < LINE_BYTES);
}

static void history(void **state)
{
    struct line_history h = {0};
    char text[16];
    (void)state;
    assert_null(line_recall(&h, -1));
    for (int i = 0; i < LINE_HISTORY + 10; i++) {
        snprintf(text, sizeof text, "%d", i);
        line_remember(&h, text);
    }
    assert_int_equal(h.count, LINE_HISTORY);
    assert_string_equal(line_recall(&h, -1), "59");
    assert_string_equal(line_recall(&h, -1), "58");
    assert_string_equal(line_recall(&h, 1), "59");
    assert_string_equal(line_recall(&h, 1), "");
    line_forget(&h);
}

/* ---- list ---- */

static struct prompt prompts[100];

static void fill(struct list *l, const int *ids, int n)
{
    list_clear(l);
    for (int i = 0; i < n; i++) {
        prompts[ids[i]].id = ids[i];
        list_add(l, &prompts[ids[i]]);
    }
}

static void selection_is_pinned(void **state)
{
    static struct list l;
    (void)state;
    fill(&l, (int[]){1, 2, 3, 4, 5, 6}, 6);
    assert_false(list_settle(&l));
    list_show(&l, 3);
    list_move(&l, 3);
    assert_int_equal(l.id, 4);
    int line = l.at - l.top;
    fill(&l, (int[]){2, 4, 5, 6, 7, 8}, 6); /* some before it went, some came */
    assert_false(list_settle(&l));
    assert_int_equal(l.id, 4);
    assert_int_equal(l.at, 1);
    fill(&l, (int[]){1, 2, 3, 4, 5, 6}, 6); /* and came back: the row stays on its line */
    list_settle(&l);
    assert_int_equal(l.at - l.top, line < l.at ? l.at - l.top : line);
    list_tag(&l, 4);
    list_tag(&l, 6);
    fill(&l, (int[]){1, 2, 3, 5, 6}, 5); /* it left */
    assert_true(list_settle(&l));
    assert_int_equal(l.id, 5);
    assert_int_equal(l.tags, 1);
    fill(&l, (int[]){1}, 0);
    assert_true(list_settle(&l));
    assert_null(list_selected(&l));
    assert_false(list_settle(&l));
}

static void filters(void **state)
{
    struct prompt p = {.style = "noir"};
    (void)state;
    snprintf(p.text, sizeof p.text, "A Neon fox, 雨の駅");
    snprintf(p.viewer.name, sizeof p.viewer.name, "Mika");
    assert_true(list_filter(&p, ""));
    assert_true(list_filter(&p, "NEON fox"));
    assert_false(list_filter(&p, "neon dog"));
    assert_true(list_filter(&p, "neon !dog"));
    assert_false(list_filter(&p, "!fox"));
    assert_true(list_filter(&p, "user:mik style:noir 雨"));
    assert_false(list_filter(&p, "user:fox"));
    assert_true(list_filter(&p, "!")); /* half typed */
}

/* ---- looks ---- */

static void themes_load(void **state)
{
    static const char *const names[] = {"sakura", "dark", "light", "mono", "high-contrast"};
    struct look l, sakura;
    struct fault f = {0};
    (void)state;
    look_init(&sakura);
    for (size_t i = 0; i < 5; i++) {
        look_init(&l);
        if (look_load(&l, SRCDIR "/themes", names[i], &f))
            fail_msg("%s", fault_text(&f));
        if (!i)
            assert_memory_equal(l.ink, sakura.ink, sizeof l.ink);
        else
            assert_memory_not_equal(l.ink, sakura.ink, sizeof l.ink);
    }
    assert_int_equal(look_load(&l, SRCDIR "/themes", "../secret", &f), ERR_INVAL);
    assert_int_not_equal(look_load(&l, SRCDIR "/themes", "none-such", &f), ERR_OK);
}

static void themes_name_the_line(void **state)
{
    struct look l, before;
    struct fault f = {0};
    (void)state;
    look_init(&l);
    before = l;
    assert_int_equal(look_parse(&l, "# x\ntext = red\nshiny = red\n", "t", &f), ERR_SYNTAX);
    assert_non_null(strstr(f.text, "t:3"));
    assert_non_null(strstr(f.text, "shiny"));
    assert_int_equal(look_parse(&l, "text = #12345\n", "t", &f), ERR_SYNTAX);
    assert_non_null(strstr(f.text, "t:1"));
    assert_int_equal(look_parse(&l, "text\n", "t", &f), ERR_SYNTAX);
    assert_int_equal(look_parse(&l, "text = red on\n", "t", &f), ERR_SYNTAX);
    assert_memory_equal(&l, &before, sizeof l); /* all or nothing */
    assert_int_equal(look_parse(&l, "text = bright-red on #010203 bold\n", "t", &f), ERR_OK);
    assert_int_equal(l.ink[LOOK_TEXT].fg, COLOUR_ANSI(9));
    assert_int_equal(l.ink[LOOK_TEXT].bg, 0x010203);
    assert_int_equal(l.ink[LOOK_TEXT].attr, INK_BOLD);
}

static void glyphs_take_one_cell(void **state)
{
    struct look l;
    (void)state;
    look_init(&l);
    for (int i = 0; i < GLYPH_COUNT; i++) {
        l.ascii = false;
        assert_int_equal(text_cells(look_glyph(&l, (enum look_glyph)i)), 1);
        l.ascii = true;
        assert_int_equal(strlen(look_glyph(&l, (enum look_glyph)i)), 1);
    }
}

/* ---- colours ---- */

static int inits;

static void count_init(int pair, int fg, int bg)
{
    assert_in_range(pair, 1, COLOUR_PAIRS - 1);
    (void)fg;
    (void)bg;
    inits++;
}

static void pairs_are_bounded(void **state)
{
    static struct pairs p;
    static uint16_t shown[400];
    (void)state;
    pairs_init(&p, count_init);
    for (int i = 0; i < 400; i++)
        shown[i] = (uint16_t)pairs_get(&p, 1000 + i, -1, shown, 400);
    for (int frame = 0; frame < 100000; frame++) { /* the upper half stays on the screen */
        int at = frame % 200;
        shown[at] = (uint16_t)pairs_get(&p, 5000 + frame, frame, shown, 400);
        assert_int_not_equal(shown[at], 0);
    }
    assert_true(p.sweeps > 5);
    for (int i = 200; i < 400; i++) { /* and kept its pairs */
        assert_int_equal(p.pair[shown[i]].fg, 1000 + i);
        assert_int_equal(pairs_get(&p, 1000 + i, -1, shown, 400), shown[i]);
    }
    assert_int_equal(pairs_get(&p, -1, -1, shown, 400), 0);
}

static void depths(void **state)
{
    (void)state;
    assert_int_equal(colour_index(0x000003, COLOURS_TRUE), 8); /* 0..7 are the terminal's own */
    assert_int_equal(colour_index(0x102030, COLOURS_TRUE), 0x102030);
    assert_int_equal(colour_index(0xff0000, COLOURS_256), 196);
    assert_int_equal(colour_index(0x808080, COLOURS_256), 244);
    assert_int_equal(colour_index(0xffffff, COLOURS_16), 15);
    assert_int_equal(colour_index(COLOUR_DEFAULT, COLOURS_TRUE), -1);
    assert_int_equal(colour_index(0xff0000, COLOURS_NONE), -1);
    assert_int_equal(colour_index(COLOUR_ANSI(9), COLOURS_8), 1);
}

/* ---- keys ---- */

static char keys_seen[4096];

static void saw_key(void *user, const char *key)
{
    (void)user;
    snprintf(keys_seen + strlen(keys_seen), sizeof keys_seen - strlen(keys_seen), "%s,", key);
}

static void saw_paste(void *user, const char *text, size_t n)
{
    (void)user;
    snprintf(keys_seen + strlen(keys_seen), sizeof keys_seen - strlen(keys_seen), "<%.*s>",
             n > 100 ? 100 : (int)n, text);
}

static const struct input_ops ops = {saw_key, saw_paste};

static const char *feed(struct input *in, const char *bytes)
{
    keys_seen[0] = '\0';
    input_feed(in, bytes, strlen(bytes));
    return keys_seen;
}

static void keys_are_decoded(void **state)
{
    struct input in;
    (void)state;
    input_init(&in, &ops, NULL);
    assert_string_equal(feed(&in, "aü雨 "), "a,ü,雨, ,");
    assert_string_equal(feed(&in, "\033[A\033OB\033[1;5C\033[5~\033[24~\033[Z\033OP\r\t\177"),
                        "Up,Down,C-Right,PgUp,F12,S-Tab,F1,Enter,Tab,Backspace,");
    assert_string_equal(feed(&in, "\f\003\032"), "C-l,C-c,C-z,");
    assert_string_equal(feed(&in, "\033x"), "M-x,");
    assert_string_equal(feed(&in, "\033[<0;10;10M\033[I\033[?62;4c\033[12;40R"), "");
    assert_string_equal(feed(&in, "\033[200~rm -rf\n\033[31m\033[201~q"), "<rm -rf\n\033[31m>q,");
    assert_string_equal(feed(&in, "\xff\xc3("), "");
    assert_string_equal(feed(&in, "z"), "z,");
    assert_string_equal(feed(&in, "\033"), "");
    assert_true(input_waits(&in));
    input_timeout(&in);
    assert_string_equal(keys_seen, "Esc,");
    assert_string_equal(feed(&in, "\033\033[A"), "Esc,Up,");
    input_free(&in);
}

static void keys_survive_noise(void **state)
{
    struct input in;
    unsigned seed = 3;
    (void)state;
    input_init(&in, &ops, NULL);
    for (int i = 0; i < 300000; i++) {
        char c = (char)rand_r(&seed);
        if (rand_r(&seed) % 5 == 0)
            c = "\033[O~;200"[rand_r(&seed) % 8];
        keys_seen[0] = '\0';
        input_feed(&in, &c, 1);
        assert_true(in.held < sizeof in.hold);
        assert_true(in.paste.len <= INPUT_PASTE_MAX);
        assert_true(text_valid(keys_seen, strlen(keys_seen)) || in.pasting || keys_seen[0] == '<');
        if (i % 97 == 0)
            input_timeout(&in);
    }
    input_free(&in);
}

static void no_key_means_two_things(void **state)
{
    struct commands *cs = commands_new(NULL, NULL);
    const struct command *row_, *other;
    (void)state;
    for (int i = 0; (row_ = command_at(cs, i)); i++) {
        if (!row_->key[0])
            continue;
        assert_int_equal(keys_find_view(row_->key), VIEW_KEY_COUNT);
        for (int j = i + 1; (other = command_at(cs, j)); j++)
            if (!strcmp(row_->key, other->key))
                fail_msg("%s and %s have the same key %s", row_->name, other->name, row_->key);
    }
    for (int i = 0; i < VIEW_KEY_COUNT; i++) {
        assert_int_equal(keys_find_view(keys_view((enum view_key)i)->key), i);
        if (keys_view((enum view_key)i)->other[0])
            assert_int_equal(keys_find_view(keys_view((enum view_key)i)->other), i);
    }
    commands_free(cs);
}

/* What is too long for a line of the log is cut between characters. */
static void events_are_cut_between_characters(void **state)
{
    static struct show show;
    static struct prompt p = {.id = 7};
    struct look look;
    struct event e = {.kind = EVENT_PROMPT, .prompt = &p, .to = PROMPT_HELD, .by = ""};
    struct ring_line l;
    (void)state;
    look_init(&look);
    struct tui *t = tui_new(&show, NULL, &look, NULL, NULL);
    for (int i = 0; i < 100; i++) {
        strcat(p.text, "雨");
        if (i < 40)
            strcat(p.viewer.name, "駅");
        tui_event(t, &e);
        assert_true(ring_get(&t->ring, 0, &l));
        assert_true(text_valid(l.text, strlen(l.text)));
    }
    tui_free(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(grid_holds_what_fits),
        cmocka_unit_test(grid_lets_no_control_through),
        cmocka_unit_test(grid_wraps_at_words),
        cmocka_unit_test(line_moves_by_clusters),
        cmocka_unit_test(line_is_bounded_and_clean),
        cmocka_unit_test(history),
        cmocka_unit_test(selection_is_pinned),
        cmocka_unit_test(filters),
        cmocka_unit_test(themes_load),
        cmocka_unit_test(themes_name_the_line),
        cmocka_unit_test(glyphs_take_one_cell),
        cmocka_unit_test(pairs_are_bounded),
        cmocka_unit_test(depths),
        cmocka_unit_test(keys_are_decoded),
        cmocka_unit_test(keys_survive_noise),
        cmocka_unit_test(no_key_means_two_things),
        cmocka_unit_test(events_are_cut_between_characters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
