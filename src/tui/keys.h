/* tui/keys: what keys mean. Two tables: the rows of command/ that have a key, and the keys of the
 * console itself, here. Dispatch, the footer and the help screen read the same rows. */
#ifndef SAKUGA_TUI_KEYS_H
#define SAKUGA_TUI_KEYS_H

#include "command/command.h"

/* action, key, other key, does it move only (a held-down key is no flood), help */
#define VIEW_KEYS(X)                                                                               \
    X(UP, "Up", "k", true, "one line up")                                                          \
    X(DOWN, "Down", "j", true, "one line down")                                                    \
    X(PAGE_UP, "PgUp", "C-u", true, "one page up")                                                 \
    X(PAGE_DOWN, "PgDn", "C-d", true, "one page down")                                             \
    X(FIRST, "Home", "g", true, "to the first")                                                    \
    X(LAST, "End", "G", true, "to the last")                                                       \
    X(NEXT_PANE, "Tab", "Right", true, "next pane")                                                \
    X(PREV_PANE, "S-Tab", "Left", true, "pane before")                                             \
    X(PANE_1, "1", "", true, "held prompts")                                                       \
    X(PANE_2, "2", "", true, "ready queue")                                                        \
    X(PANE_3, "3", "", true, "clips to review")                                                    \
    X(PANE_4, "4", "", true, "what is drawn now")                                                  \
    X(PANE_5, "5", "", true, "log")                                                                \
    X(TAG, " ", "", false, "tag or untag, and go on")                                              \
    X(UNTAG, "U", "", false, "untag all")                                                          \
    X(APPROVE_TAGGED, "A", "", false, "approve (in review: air) all tagged")                       \
    X(REJECT_TAGGED, "X", "", false, "reject all tagged")                                          \
    X(INSPECT, "Enter", "", false, "everything about the prompt")                                  \
    X(FILTER, "/", "", false, "show only what matches: words, user:…, style:…, !word")             \
    X(COMMAND, ":", "", false, "any command by name; Tab completes")                               \
    X(HELP, "?", "F1", false, "this help")                                                         \
    X(BACK, "Esc", "q", false, "close what is open, clear filter and tags")                        \
    X(PANIC_HALF, "!", "", false, "twice: panic, like F12")                                        \
    X(REPAINT, "C-l", "", false, "draw the screen anew")                                           \
    X(SUSPEND, "C-z", "", false, "to the shell; `fg` comes back (the show waits meanwhile)")       \
    X(INTERRUPT, "C-c", "", false, "ask to quit; says so while a clip is on air")

enum view_key {
#define VIEW_KEY_ENUM(id, key, other, moves, help) VIEW_##id,
    VIEW_KEYS(VIEW_KEY_ENUM)
#undef VIEW_KEY_ENUM
        VIEW_KEY_COUNT
};

struct key_row {
    const char *key, *other;
    bool moves;
    const char *help;
};

const struct key_row *keys_view(enum view_key k);
/* VIEW_KEY_COUNT when the console itself has no such key. */
enum view_key keys_find_view(const char *key);
/* The command that has this key; NULL when there is none. */
const struct command *keys_find_command(const struct commands *cs, const char *key);
/* For people: "Space" for " ". */
const char *keys_label(const char *key);

/* Reasons for `x`, by digit. NULL past the end. */
const char *keys_reason(int digit);
const char *keys_reason_label(int digit); /* in a word, for the footer */

#endif
