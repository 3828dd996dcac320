#include "chat/ircwho.h"

#include "base/buf.h"

#include <string.h>

void ircwho_lower(char *out, size_t size, const char *in)
{
    str_copy(out, size, in);
    for (; *out; out++)
        if (*out >= 'A' && *out <= 'Z')
            *out = (char)(*out - 'A' + 'a');
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

bool ircwho_same(const char *a, const char *b)
{
    while (*a && lower(*a) == lower(*b))
        a++, b++;
    return !*a && !*b;
}

void ircwho_reset(struct ircwho *w)
{
    w->n = w->coming_n = 0;
}

void ircwho_names(struct ircwho *w, const char *names)
{
    while (*(names += strspn(names, " "))) {
        size_t n = strcspn(names, " "), signs = strspn(names, "~&@%+!");
        bool op = memchr(names, '@', signs) || memchr(names, '~', signs) ||
                  memchr(names, '&', signs) || memchr(names, '%', signs);
        char nick[IRCWHO_NICK];
        if (op && signs < n && n - signs < sizeof nick && w->coming_n < IRCWHO_OPS_MAX) {
            memcpy(nick, names + signs, n - signs);
            nick[n - signs] = '\0';
            ircwho_lower(w->coming[w->coming_n++], IRCWHO_NICK, nick);
        }
        names += n;
    }
}

void ircwho_names_end(struct ircwho *w)
{
    memcpy(w->ops, w->coming, sizeof w->ops);
    w->n = w->coming_n;
    w->coming_n = 0;
}

static int find(const struct ircwho *w, const char *nick)
{
    for (int i = 0; i < w->n; i++)
        if (ircwho_same(w->ops[i], nick))
            return i;
    return -1;
}

bool ircwho_is_op(const struct ircwho *w, const char *nick)
{
    return find(w, nick) >= 0;
}

void ircwho_left(struct ircwho *w, const char *nick)
{
    int i = find(w, nick);
    if (i >= 0 && i != --w->n)
        memcpy(w->ops[i], w->ops[w->n], IRCWHO_NICK);
}

void ircwho_renamed(struct ircwho *w, const char *from, const char *to)
{
    int i = find(w, from);
    if (i < 0)
        return;
    if (strlen(to) < IRCWHO_NICK)
        ircwho_lower(w->ops[i], IRCWHO_NICK, to);
    else
        ircwho_left(w, from);
}

/* "broadcaster/1,subscriber/6" has the set `name`. */
static bool has_badge(const char *badges, const char *name)
{
    size_t n = strlen(name);
    for (const char *b = badges; *b; b += *b == ',') {
        if (!strncmp(b, name, n) && b[n] == '/')
            return true;
        b += strcspn(b, ",");
    }
    return false;
}

static enum role twitch_role(const struct ircline *l)
{
    char badges[1024], room[64], source[64];
    /* Shared chat: written in another channel, so its badges are not ours. */
    if (ircline_tag(l, "source-room-id", source, sizeof source) &&
        ircline_tag(l, "room-id", room, sizeof room) && strcmp(source, room))
        return ROLE_VIEWER;
    ircline_tag(l, "badges", badges, sizeof badges);
    if (has_badge(badges, "broadcaster"))
        return ROLE_BROADCASTER;
    if (has_badge(badges, "moderator") || has_badge(badges, "lead_moderator"))
        return ROLE_MODERATOR;
    if (has_badge(badges, "vip"))
        return ROLE_VIP;
    if (has_badge(badges, "subscriber") || has_badge(badges, "founder"))
        return ROLE_SUBSCRIBER;
    return ROLE_VIEWER;
}

bool ircwho_viewer(const struct ircline *l, const struct ircwho *w, struct viewer *v)
{
    char nick[IRCWHO_NICK];
    ircline_nick(l, nick, sizeof nick);
    *v = (struct viewer){.role = ROLE_VIEWER};
    if (!*nick)
        return false;
    str_copy(v->platform, sizeof v->platform, w ? "irc" : "twitch");
    if (w) {
        ircwho_lower(v->uid, sizeof v->uid, nick);
        str_copy(v->name, sizeof v->name, nick);
        v->role = ircwho_is_op(w, nick) ? ROLE_MODERATOR : ROLE_VIEWER;
        return true;
    }
    if (!ircline_tag(l, "user-id", v->uid, sizeof v->uid) || !*v->uid)
        ircwho_lower(v->uid, sizeof v->uid, nick);
    if (!ircline_tag(l, "display-name", v->name, sizeof v->name) || !*v->name)
        str_copy(v->name, sizeof v->name, nick);
    v->role = twitch_role(l);
    return true;
}
