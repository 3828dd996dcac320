#include "tui/keys.h"

#include <string.h>

static const struct key_row rows[VIEW_KEY_COUNT] = {
#define VIEW_KEY_ROW(id, key, other, moves, help) {key, other, moves, help},
    VIEW_KEYS(VIEW_KEY_ROW)
#undef VIEW_KEY_ROW
};

/* What viewers read: short, boring, the same for everyone. */
static const struct {
    const char *label, *text;
} reasons[] = {[1] = {"off topic", "off topic"},
               [2] = {"rules", "against the rules"},
               [3] = {"spam", "spam"},
               [4] = {"person", "a real person"},
               [5] = {"copy", "somebody's work"},
               [6] = {"alike", "too much like another"},
               [7] = {"unclear", "not clear"},
               [8] = {"broken", "the clip went wrong"},
               [9] = {"not today", "not today"}};

const struct key_row *keys_view(enum view_key k)
{
    return &rows[k];
}

enum view_key keys_find_view(const char *key)
{
    for (int i = 0; i < VIEW_KEY_COUNT; i++)
        if (!strcmp(rows[i].key, key) || (rows[i].other[0] && !strcmp(rows[i].other, key)))
            return (enum view_key)i;
    return VIEW_KEY_COUNT;
}

const struct command *keys_find_command(const struct commands *cs, const char *key)
{
    const struct command *row;
    for (int i = 0; (row = command_at(cs, i)); i++)
        if (row->key[0] && (row->from & FROM_KEY) && !strcmp(row->key, key))
            return row;
    return NULL;
}

const char *keys_label(const char *key)
{
    return strcmp(key, " ") ? key : "Space";
}

static bool is_reason(int digit)
{
    return digit > 0 && digit < (int)(sizeof reasons / sizeof *reasons);
}

const char *keys_reason(int digit)
{
    return is_reason(digit) ? reasons[digit].text : NULL;
}

const char *keys_reason_label(int digit)
{
    return is_reason(digit) ? reasons[digit].label : NULL;
}
