#include "tui/term/input.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PASTE_END "\033[201~"
#define ESC '\033'

void input_init(struct input *in, const struct input_ops *ops, void *user)
{
    *in = (struct input){.ops = ops, .user = user, .paste = BUF_INIT(INPUT_PASTE_MAX)};
}

void input_free(struct input *in)
{
    buf_free(&in->paste);
}

static void emit(struct input *in, const char *prefix, const char *name)
{
    char key[40];
    snprintf(key, sizeof key, "%s%s", prefix, name);
    in->ops->on_key(in->user, key);
}

/* ---- escape sequences ---- */

static const char *const modifiers[] = {"", "", "S-", "M-", "M-S-", "C-", "C-S-", "C-M-", "C-M-S-"};

static const char *letter_name(char final)
{
    static const struct {
        char final;
        const char *name;
    } names[] = {{'A', "Up"},   {'B', "Down"}, {'C', "Right"}, {'D', "Left"},
                 {'H', "Home"}, {'F', "End"},  {'P', "F1"},    {'Q', "F2"},
                 {'R', "F3"},   {'S', "F4"},   {'Z', "S-Tab"}};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (names[i].final == final)
            return names[i].name;
    return NULL;
}

static const char *tilde_name(int n)
{
    static const char *const names[] = {
        [1] = "Home", [2] = "Insert", [3] = "Delete", [4] = "End",  [5] = "PgUp",
        [6] = "PgDn", [7] = "Home",   [8] = "End",    [11] = "F1",  [12] = "F2",
        [13] = "F3",  [14] = "F4",    [15] = "F5",    [17] = "F6",  [18] = "F7",
        [19] = "F8",  [20] = "F9",    [21] = "F10",   [23] = "F11", [24] = "F12"};
    return n > 0 && n < (int)(sizeof names / sizeof *names) ? names[n] : NULL;
}

/* A whole CSI sequence: `s` stands behind "ESC [", `final` is its last byte. */
static void control(struct input *in, const char *s, char final)
{
    int number = 0, modifier = 1;
    const char *name = NULL;
    if (*s < '0' || *s > '9') { /* "?" and the like: the terminal answers something */
        if (*s == final && (name = letter_name(final)))
            emit(in, "", name);
        return;
    }
    number = atoi(s);
    const char *semi = strchr(s, ';');
    if (semi)
        modifier = atoi(semi + 1);
    if (final == '~' && number == 200) {
        in->pasting = true;
        buf_reset(&in->paste);
        return;
    }
    name = final == '~'                  ? tilde_name(number)
           : final == 'R' && number != 1 ? NULL
                                         : letter_name(final);
    if (name)
        emit(in, modifier > 1 && modifier <= 8 ? modifiers[modifier] : "", name);
}

/* How long the sequence at hold[0] (an Esc) is, 0 when more must come. */
static size_t sequence(const char *s, size_t n)
{
    if (n < 2)
        return 0;
    if (s[1] == 'O')
        return n < 3 ? 0 : 3;
    if (s[1] != '[')
        return s[1] == ESC ? 1 : 2;
    if (n > 2 && s[2] == 'M')
        return n < 6 ? 0 : 6; /* an old mouse report */
    if (n > 2 && s[2] == '[')
        return n < 4 ? 0 : 4; /* F1..F5 of the Linux console */
    for (size_t i = 2; i < n; i++)
        if (s[i] >= 0x40 && s[i] <= 0x7e)
            return i + 1;
        else if ((unsigned char)s[i] < 0x20)
            return i; /* broken off */
    return 0;
}

static void plain(struct input *in, const char *s, size_t n, const char *prefix);

static void escape(struct input *in, const char *s, size_t n)
{
    char text[64];
    if (n < 2) {
        emit(in, "", "Esc");
    } else if (s[1] == 'O') {
        const char *name = letter_name(s[2]);
        if (s[2] == 'M')
            name = "Enter";
        if (name)
            emit(in, "", name);
    } else if (s[1] == '[' && n == 4 && s[2] == '[') {
        if (s[3] >= 'A' && s[3] <= 'E')
            emit(in, "F", (char[2]){(char)('1' + s[3] - 'A'), '\0'});
    } else if (s[1] == '[' && n > 2) {
        if (s[2] == 'M')
            return;
        memcpy(text, s + 2, n - 2);
        text[n - 2] = '\0';
        control(in, text, s[n - 1]);
    } else {
        plain(in, s + 1, n - 1, "M-");
    }
}

/* ---- characters ---- */

static size_t character(const char *s)
{
    unsigned char c = (unsigned char)s[0];
    return c < 0x80 ? 1 : c < 0xc2 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : c < 0xf5 ? 4 : 1;
}

static void plain(struct input *in, const char *s, size_t n, const char *prefix)
{
    unsigned char c = (unsigned char)s[0];
    char text[8] = "";
    if (c == '\r' || c == '\n')
        emit(in, prefix, "Enter");
    else if (c == '\t')
        emit(in, prefix, "Tab");
    else if (c == 0x7f || c == 0x08)
        emit(in, prefix, "Backspace");
    else if (c == 0)
        emit(in, prefix, "C-Space");
    else if (c < 0x20) {
        text[0] = (char)(c + (c < 0x1b ? 'a' - 1 : '@'));
        emit(in, prefix[0] ? "M-C-" : "C-", text);
    } else if (c < 0x80 || (n > 1 && n < 5)) {
        for (size_t i = 1; i < n; i++)
            if (((unsigned char)s[i] & 0xc0) != 0x80)
                return; /* broken UTF-8 */
        /* C1 controls, surrogates and what lies beyond Unicode are no characters */
        if ((c == 0xc2 && (unsigned char)s[1] < 0xa0) ||
            (c == 0xed && (unsigned char)s[1] > 0x9f) ||
            (c == 0xe0 && (unsigned char)s[1] < 0xa0) ||
            (c == 0xf0 && (unsigned char)s[1] < 0x90) || (c == 0xf4 && (unsigned char)s[1] > 0x8f))
            return;
        memcpy(text, s, n);
        emit(in, prefix, text);
    }
}

/* ---- paste ---- */

static void paste_byte(struct input *in, char c)
{
    const size_t end = sizeof PASTE_END - 1;
    if (!buf_addc(&in->paste, c)) { /* too long: what came is kept, the rest is let go */
        in->paste.failed = false;
        if (in->paste.len >= end)
            memmove(in->paste.data + in->paste.len - end, in->paste.data + in->paste.len - end + 1,
                    end - 1);
        in->paste.data[in->paste.len - 1] = c;
    }
    if (in->paste.len < end || memcmp(in->paste.data + in->paste.len - end, PASTE_END, end))
        return;
    in->pasting = false;
    in->paste.len -= end;
    in->paste.data[in->paste.len] = '\0';
    in->ops->on_paste(in->user, in->paste.data, in->paste.len);
    buf_free(&in->paste);
    in->paste.max = INPUT_PASTE_MAX;
}

/* ---- the stream ---- */

/* Takes one key off the front of what is held; false when more must come. */
static bool take(struct input *in)
{
    size_t n = in->hold[0] == ESC ? sequence(in->hold, in->held) : character(in->hold);
    char s[sizeof in->hold];
    if (in->held == sizeof in->hold && (n == 0 || n > in->held))
        n = in->held; /* no terminal sends that; away with it */
    else if (n == 0 || n > in->held)
        return false;
    memcpy(s, in->hold, n);
    in->held -= n;
    memmove(in->hold, in->hold + n, in->held);
    if (n == sizeof in->hold)
        return true;
    if (s[0] == ESC)
        escape(in, s, n);
    else
        plain(in, s, n, "");
    return true;
}

void input_feed(struct input *in, const char *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (in->pasting) {
            paste_byte(in, bytes[i]);
            continue;
        }
        in->hold[in->held++] = bytes[i];
        while (in->held && take(in))
            ;
    }
}

bool input_waits(const struct input *in)
{
    return in->held > 0;
}

void input_timeout(struct input *in)
{
    bool esc = in->held && in->hold[0] == ESC;
    size_t rest = in->held;
    char s[sizeof in->hold];
    memcpy(s, in->hold, rest);
    in->held = 0;
    if (!esc)
        return; /* half a character that never ended */
    emit(in, "", "Esc");
    if (rest > 1)
        input_feed(in, s + 1, rest - 1);
}
