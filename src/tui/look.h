/* tui/look: how things look: a theme's inks by role, and the glyphs for lines and lamps.
 *
 * A theme file has lines `role = COLOUR [on COLOUR] [bold] [dim] [underline] [reverse] [italic]`; a
 * colour is #rrggbb, `default`, or one of the terminal's sixteen by name (red, bright-red, …). A
 * role that a file leaves out keeps sakura's ink; a role nobody knows is an error that names the
 * line. Meaning never hangs on colour alone: a word or glyph stands beside it. Pure but for
 * look_load(). */
#ifndef SAKUGA_TUI_LOOK_H
#define SAKUGA_TUI_LOOK_H

#include "tui/grid.h"

#include <stddef.h>

/* role, sakura's ink */
#define LOOK_ROLES(X)                                                                              \
    X(TEXT, "text", "default")                                                                     \
    X(DIM, "dim", "#94808a")                                                                       \
    X(BRAND, "brand", "#ff9ec7 bold")                                                              \
    X(BORDER, "border", "#6d5561")                                                                 \
    X(FOCUS, "focus", "#ff9ec7")                                                                   \
    X(TITLE, "title", "#c9aab8")                                                                   \
    X(TITLE_FOCUS, "title-focus", "#ffb3d3 bold")                                                  \
    X(SELECT, "select", "default on #4d2c3e")                                                      \
    X(SELECT_OFF, "select-off", "default on #2f2329")                                              \
    X(TAG, "tag", "#ffd166 bold")                                                                  \
    X(ID, "id", "#ff9ec7")                                                                         \
    X(NAME, "name", "#b9a7f0")                                                                     \
    X(STYLE, "style", "#86cfd4")                                                                   \
    X(NUMBER, "number", "#f4d9e4")                                                                 \
    X(GOOD, "good", "#9bd8a4")                                                                     \
    X(WARN, "warn", "#f3c677")                                                                     \
    X(BAD, "bad", "#ff6f7d bold")                                                                  \
    X(ON_AIR, "on-air", "#ffffff on #d8334f bold")                                                 \
    X(STANDBY, "standby", "#2b1f25 on #e8b6cb bold")                                               \
    X(PANIC, "panic", "#ffffff on #b00020 bold")                                                   \
    X(BAR, "bar", "#ff8fbd")                                                                       \
    X(BAR_REST, "bar-rest", "#55404b")                                                             \
    X(KEY, "key", "#ffb3d3 bold")                                                                  \
    X(HINT, "hint", "#a28d97")                                                                     \
    X(INPUT, "input", "default")                                                                   \
    X(PLATFORM, "platform", "#94808a")

enum look_role {
#define LOOK_ENUM(id, name, ink) LOOK_##id,
    LOOK_ROLES(LOOK_ENUM)
#undef LOOK_ENUM
        LOOK_COUNT
};

/* glyph, in Unicode, in ASCII. Each takes one cell. */
#define LOOK_GLYPHS(X)                                                                             \
    X(H, "─", "-")                                                                                 \
    X(V, "│", "|")                                                                                 \
    X(TL, "╭", "+")                                                                                \
    X(TR, "╮", "+")                                                                                \
    X(BL, "╰", "+")                                                                                \
    X(BR, "╯", "+")                                                                                \
    X(DOT, "●", "*")                                                                               \
    X(RING, "○", "o")                                                                              \
    X(OK, "✓", "+")                                                                                \
    X(NO, "✗", "!")                                                                                \
    X(POINT, "▌", ">")                                                                             \
    X(TAGGED, "◆", "*")                                                                            \
    X(FULL, "━", "#")                                                                              \
    X(REST, "─", ".")                                                                              \
    X(HEART, "♥", "f")                                                                             \
    X(PLAY, "▶", ">")                                                                              \
    X(PETAL, "✿", "*")                                                                             \
    X(MIDDOT, "·", "-")                                                                            \
    X(ARROW, "→", ">")                                                                             \
    X(UP, "▲", "^")                                                                                \
    X(DOWN, "▼", "v")                                                                              \
    X(HALF, "▀", " ")

enum look_glyph {
#define LOOK_GLYPH(id, u, a) GLYPH_##id,
    LOOK_GLYPHS(LOOK_GLYPH)
#undef LOOK_GLYPH
        GLYPH_COUNT
};

struct look {
    struct ink ink[LOOK_COUNT];
    bool ascii;  /* lines and lamps in ASCII */
    bool colour; /* false: NO_COLOR or a terminal without; pictures use letters */
};

/* sakura, in Unicode and colour. */
void look_init(struct look *l);
/* Reads a theme's text over what `l` holds; `name` stands in messages. */
enum err look_parse(struct look *l, const char *text, const char *name, struct fault *f);
/* Reads the theme `name` from the folder; a name is letters, digits and '-'. */
enum err look_load(struct look *l, const char *folder, const char *name, struct fault *f);
const char *look_glyph(const struct look *l, enum look_glyph g);

#endif
