#include "unit.h"

#include "app/keyline.h"

static void stands(const char *text, const char *path, int line)
{
    int at = keyline_find(text, path);
    if (at != line)
        fail_msg("%s stands on line %d, not %d, of\n%s", path, line, at, text);
}

static void the_line_is_found_where_the_file_tells_it(void **state)
{
    static const char plain[] = "-- return { limits = { queue = 1 } }\n"
                                "local x = 'return {'\n"
                                "return {\n"
                                "  --[[ limits = {\n"
                                "  } ]] theme = [==[\n"
                                "]] limits = { ]==],\n"
                                "  stage = { label = \"return { \\\" } \",\n"
                                "            gallery_dwell = (function() return 3, 4 end)() },\n"
                                "  chat = { { kind = 'irc' }, -- the first\n"
                                "           { url = 'x', kind = 'irc',\n"
                                "             ['nick'] = 3 } },\n"
                                "  limits = { queue\n"
                                "    = 7; length = 3 }, -- return\n"
                                "}\n"
                                "-- return {}\n";
    (void)state;
    stands(plain, "limits", 12);
    stands(plain, "limits.queue", 12);
    stands(plain, "limits.length", 13);
    stands(plain, "theme", 5);
    stands(plain, "stage.gallery_dwell", 8);
    stands(plain, "chat[1].kind", 9);
    stands(plain, "chat[2].nick", 11);
    stands(plain, "chat[3].nick", 0);
    stands("local t = {}\nt.limits = {}\nreturn t", "limits", 0); /* computed */
    stands("local function f()\n return { theme = 1 }\nend\nreturn {\n\ntheme = 2 }", "theme", 6);
    stands("", "theme", 0);
    stands("return {", "theme", 0);
    stands("return { [[", "theme", 0);
    stands("return { theme", "theme", 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_line_is_found_where_the_file_tells_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
