#include "chat/ircline.h"

#include <stdlib.h>
#include <string.h>

static bool is_command_char(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

/* Ends the word at `s` with a NUL and returns what follows the blanks behind it. */
static char *cut_word(char *s)
{
    s += strcspn(s, " ");
    if (!*s)
        return s;
    *s++ = '\0';
    return s + strspn(s, " ");
}

bool ircline_parse(char *line, size_t n, struct ircline *out)
{
    out->tags = out->prefix = "";
    out->params = 0;
    line[n] = '\0';
    char *s = line + strspn(line, " ");
    if (*s == '@') {
        out->tags = s + 1;
        s = cut_word(s);
    }
    if (*s == ':') {
        out->prefix = s + 1;
        s = cut_word(s);
    }
    out->command = s;
    while (is_command_char(*s))
        s++;
    if (s == out->command || (*s && *s != ' '))
        return false;
    s = cut_word(s);
    while (*s && out->params < IRCLINE_PARAMS) {
        bool last = *s == ':' || out->params == IRCLINE_PARAMS - 1;
        out->param[out->params++] = s + (*s == ':');
        if (last)
            break;
        s = cut_word(s);
    }
    return true;
}

const char *ircline_param(const struct ircline *l, int i)
{
    return i >= 0 && i < l->params ? l->param[i] : "";
}

void ircline_nick(const struct ircline *l, char *out, size_t size)
{
    size_t n = strcspn(l->prefix, "!@");
    if (!l->prefix[n] && strchr(l->prefix, '.')) /* a server: no user, and a dot in its name */
        n = 0;
    if (n >= size)
        n = size - 1;
    memcpy(out, l->prefix, n);
    out[n] = '\0';
}

static char unescape(char c)
{
    switch (c) {
    case ':':
        return ';';
    case 's':
    case 'r': /* no line ends inside a value: nobody here needs them */
    case 'n':
        return ' ';
    default:
        return c;
    }
}

bool ircline_tag(const struct ircline *l, const char *key, char *out, size_t size)
{
    size_t k = strlen(key), n = 0;
    const char *t = l->tags;
    out[0] = '\0';
    while (*t) {
        if (!strncmp(t, key, k) && (t[k] == '=' || t[k] == ';' || !t[k]))
            break;
        t += strcspn(t, ";");
        t += *t == ';';
    }
    if (!*t)
        return false;
    t += k;
    for (t += *t == '='; *t && *t != ';'; t++) {
        if (n + 1 >= size) { /* cut: not inside a character */
            while (n && ((unsigned char)out[n - 1] & 0xc0) == 0x80)
                n--;
            n -= n && (unsigned char)out[n - 1] >= 0xc0;
            break;
        }
        if (*t != '\\')
            out[n++] = *t;
        else if (t[1] && t[1] != ';')
            out[n++] = unescape(*++t);
    }
    out[n] = '\0';
    return true;
}

/* --- the splitter --- */

/* Copies without NULs, which would end the line for everybody behind us. */
static void add(struct ircsplit *s, const char *p, size_t n)
{
    if (s->skipping)
        return;
    if (n > IRCLINE_MAX - s->n) {
        s->skipping = true;
        return;
    }
    if (!memchr(p, '\0', n)) {
        memcpy(s->line + s->n, p, n);
        s->n += n;
        return;
    }
    for (size_t i = 0; i < n; i++)
        if (p[i])
            s->line[s->n++] = p[i];
}

void ircsplit_feed(struct ircsplit *s, const char *bytes, size_t n, ircsplit_fn *fn, void *user)
{
    if (!s->line && !(s->line = malloc(IRCLINE_MAX + 1)))
        return;
    while (n) {
        const char *nl = memchr(bytes, '\n', n);
        size_t part = nl ? (size_t)(nl - bytes) : n;
        add(s, bytes, part);
        if (!nl)
            return;
        bytes += part + 1;
        n -= part + 1;
        size_t len = s->n;
        bool whole = !s->skipping;
        s->dropped += !whole;
        s->n = 0;
        s->skipping = false;
        while (len && s->line[len - 1] == '\r')
            len--;
        if (whole && !fn(user, s->line, len))
            return;
    }
}

void ircsplit_free(struct ircsplit *s)
{
    free(s->line);
    *s = (struct ircsplit){0};
}
