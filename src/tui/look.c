#include "tui/look.h"

#include "base/buf.h"
#include "base/path.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define THEME_BYTES 65536

static const struct {
    const char *name, *ink;
} roles[LOOK_COUNT] = {
#define LOOK_ROW(id, name, ink) {name, ink},
    LOOK_ROLES(LOOK_ROW)
#undef LOOK_ROW
};

static const struct {
    const char *unicode, *ascii;
} glyphs[GLYPH_COUNT] = {
#define LOOK_ROW(id, u, a) {u, a},
    LOOK_GLYPHS(LOOK_ROW)
#undef LOOK_ROW
};

static const char *const ansi[] = {"black", "red",     "green", "yellow",
                                   "blue",  "magenta", "cyan",  "white"};

static const struct {
    const char *name;
    uint8_t attr;
} attrs[] = {{"bold", INK_BOLD},
             {"dim", INK_DIM},
             {"underline", INK_UNDERLINE},
             {"reverse", INK_REVERSE},
             {"italic", INK_ITALIC}};

const char *look_glyph(const struct look *l, enum look_glyph g)
{
    return l->ascii ? glyphs[g].ascii : glyphs[g].unicode;
}

static bool parse_colour(const char *w, uint32_t *out)
{
    bool bright = !strncmp(w, "bright-", 7);
    if (w[0] == '#') {
        char *end;
        unsigned long v = strtoul(w + 1, &end, 16);
        if (strlen(w) != 7 || *end || strspn(w + 1, "0123456789abcdefABCDEF") != 6)
            return false;
        *out = (uint32_t)v;
        return true;
    }
    if (!strcmp(w, "default")) {
        *out = COLOUR_DEFAULT;
        return true;
    }
    for (int i = 0; i < 8; i++)
        if (!strcmp(bright ? w + 7 : w, ansi[i])) {
            *out = COLOUR_ANSI(i + (bright ? 8 : 0));
            return true;
        }
    return false;
}

/* `COLOUR [on COLOUR] [bold] …`; on failure the word that is wrong is left in `bad`. */
static bool parse_ink(const char *value, struct ink *out, char bad[32])
{
    char copy[200], *save = NULL;
    struct ink ink = {COLOUR_DEFAULT, COLOUR_DEFAULT, 0};
    bool fg = false, ground = false;
    str_copy(copy, sizeof copy, value);
    for (char *w = strtok_r(copy, " \t\r", &save); w; w = strtok_r(NULL, " \t\r", &save)) {
        uint32_t colour;
        uint8_t attr = 0;
        for (size_t i = 0; i < sizeof attrs / sizeof *attrs; i++)
            if (!strcmp(w, attrs[i].name))
                attr = attrs[i].attr;
        str_copy(bad, 32, w);
        if (attr) {
            ink.attr |= attr;
        } else if (!strcmp(w, "on")) {
            ground = true;
        } else if (!parse_colour(w, &colour) || (fg && !ground)) {
            return false;
        } else if (ground) {
            ink.bg = colour;
            ground = false;
        } else {
            ink.fg = colour;
            fg = true;
        }
    }
    if (ground)
        return false;
    /* only roles that bring a ground of their own paint one */
    if (ink.bg == COLOUR_DEFAULT && !strstr(value, " on "))
        ink.bg = COLOUR_KEEP;
    *out = ink;
    return true;
}

void look_init(struct look *l)
{
    char bad[32];
    *l = (struct look){.colour = true};
    for (int i = 0; i < LOOK_COUNT; i++)
        parse_ink(roles[i].ink, &l->ink[i], bad);
}

static char *trim(char *s)
{
    s += strspn(s, " \t");
    size_t n = strlen(s);
    while (n && strchr(" \t\r", s[n - 1]))
        s[--n] = '\0';
    return s;
}

static enum err parse_line(struct look *l, char *line, const char *name, int number,
                           struct fault *f)
{
    char bad[32] = "", *eq;
    line = trim(line);
    if (!*line || *line == '#')
        return ERR_OK;
    eq = strchr(line, '=');
    if (!eq)
        return fault_set(f, ERR_SYNTAX, "%s:%d: a line is `role = colour`", name, number);
    *eq = '\0';
    char *role = trim(line), *value = trim(eq + 1);
    for (int i = 0; i < LOOK_COUNT; i++) {
        if (strcmp(role, roles[i].name))
            continue;
        if (!parse_ink(value, &l->ink[i], bad))
            return fault_set(f, ERR_SYNTAX, "%s:%d: %s: `%s` is no colour", name, number, role,
                             bad);
        return ERR_OK;
    }
    return fault_set(f, ERR_SYNTAX, "%s:%d: there is no role `%.40s`", name, number, role);
}

enum err look_parse(struct look *l, const char *text, const char *name, struct fault *f)
{
    struct look made = *l;
    for (int number = 1; *text; number++) {
        char line[256];
        size_t n = strcspn(text, "\n");
        if (n >= sizeof line)
            return fault_set(f, ERR_SYNTAX, "%s:%d: the line is too long", name, number);
        memcpy(line, text, n);
        line[n] = '\0';
        enum err e = parse_line(&made, line, name, number, f);
        if (e)
            return e;
        text += n + (text[n] == '\n');
    }
    *l = made;
    return ERR_OK;
}

enum err look_load(struct look *l, const char *folder, const char *name, struct fault *f)
{
    char path[PATH_LEN];
    struct buf text = BUF_INIT(THEME_BYTES);
    size_t ok = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-");
    if (!name[0] || name[ok] || path_join(path, sizeof path, folder, name))
        return fault_set(f, ERR_INVAL, "theme: `%.40s` is no name of a theme", name);
    enum err e = path_read(path, THEME_BYTES, &text, f);
    if (e == ERR_NOTFOUND)
        fault_set(f, e, "there is no theme `%s` in %s", name, folder);
    else if (!e)
        e = look_parse(l, buf_str(&text), path, f);
    buf_free(&text);
    return e;
}
