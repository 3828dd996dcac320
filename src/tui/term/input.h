/* tui/term/input: bytes of a terminal into keys.
 *
 * A key has a name: the character itself ("a", "ü", " "), or "Up", "Enter", "Esc", "F12", "C-l"
 * (Ctrl), "M-x" (Alt), "S-Tab", "C-Up". Pasted text (bracketed paste) comes in one piece. What is
 * no key (mouse and focus reports, answers of the terminal, broken UTF-8) is dropped. A lone Esc is
 * told from the start of a sequence by time: when input_waits() the caller comes back with
 * input_timeout() after INPUT_ESC_MS. Pure. */
#ifndef SAKUGA_TUI_TERM_INPUT_H
#define SAKUGA_TUI_TERM_INPUT_H

#include "base/buf.h"

#include <stdbool.h>
#include <stddef.h>

#define INPUT_ESC_MS 30
#define INPUT_PASTE_MAX 65536

struct input_ops {
    void (*on_key)(void *user, const char *key);
    void (*on_paste)(void *user, const char *text, size_t n); /* raw, not clean */
};

struct input {
    const struct input_ops *ops;
    void *user;
    char hold[64]; /* a sequence that is not complete */
    size_t held;
    bool pasting;
    struct buf paste;
};

void input_init(struct input *in, const struct input_ops *ops, void *user);
void input_free(struct input *in);
void input_feed(struct input *in, const char *bytes, size_t n);
bool input_waits(const struct input *in);
void input_timeout(struct input *in);

#endif
