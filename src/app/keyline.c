/* The file is not parsed, only walked: past blanks, comments, strings and whole values, so that a
 * brace or a `return` inside of them counts for nothing. The table is the one of the last `return
 * {` that stands outside of all tables. What a program computes is not found, which costs a message
 * its line and nothing else. */
#include "app/keyline.h"

#include <ctype.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

struct scan {
    const char *at;
    int line;
};

static void skip_long(struct scan *s, size_t level)
{
    for (; *s->at; s->at++) {
        if (*s->at == '\n')
            s->line++;
        if (*s->at == ']' && strspn(s->at + 1, "=") >= level && s->at[1 + level] == ']') {
            s->at += level + 2;
            return;
        }
    }
}

/* A long bracket at [==[ : its level, or -1. */
static int long_level(const char *at)
{
    size_t n = at[0] == '[' ? strspn(at + 1, "=") : 0;
    return at[0] == '[' && at[1 + n] == '[' ? (int)n : -1;
}

static void skip_blank(struct scan *s)
{
    for (;; s->at++) {
        if (*s->at == '\n') {
            s->line++;
        } else if (s->at[0] == '-' && s->at[1] == '-') {
            s->at += 2;
            int level = long_level(s->at);
            if (level >= 0) {
                skip_long(s, (size_t)level);
                s->at--;
            } else {
                s->at += strcspn(s->at, "\n");
                s->at--;
            }
        } else if (!*s->at || !isspace((unsigned char)*s->at)) {
            return;
        }
    }
}

static void skip_string(struct scan *s)
{
    char quote = *s->at++;
    while (*s->at && *s->at != quote && *s->at != '\n') {
        if (*s->at == '\\' && s->at[1])
            s->at++;
        s->at++;
    }
    if (*s->at == quote)
        s->at++;
}

/* Reads `name =` or `["name"] =` here into out; false (nothing taken) when there is none. */
static bool key_here(struct scan *s, char *out, size_t size)
{
    struct scan t = *s;
    size_t n;
    if (isalpha((unsigned char)*t.at) || *t.at == '_') {
        for (n = 0; isalnum((unsigned char)t.at[n]) || t.at[n] == '_'; n++)
            ;
        snprintf(out, size, "%.*s", (int)n, t.at);
        t.at += n;
    } else if (*t.at == '[' && long_level(t.at) < 0) {
        t.at++;
        skip_blank(&t);
        if (*t.at != '"' && *t.at != '\'')
            return false;
        const char *from = t.at + 1;
        skip_string(&t);
        snprintf(out, size, "%.*s", (int)(t.at - from - 1), from);
        skip_blank(&t);
        if (*t.at++ != ']')
            return false;
    } else {
        return false;
    }
    skip_blank(&t);
    if (*t.at != '=' || t.at[1] == '=')
        return false;
    t.at++;
    *s = t;
    return true;
}

/* Walks one table constructor (its `{` is taken already), remembering the path of each entry. */
static int find_in_table(struct scan *s, const char *prefix, const char *path, int depth)
{
    int index = 0;
    while (depth < 32) {
        char name[128], here[512];
        skip_blank(s);
        if (!*s->at || *s->at == '}')
            break;
        int line = s->line;
        if (key_here(s, name, sizeof name))
            snprintf(here, sizeof here, "%s%s%s", prefix, prefix[0] ? "." : "", name);
        else
            snprintf(here, sizeof here, "%s[%d]", prefix, ++index);
        if (!strcmp(here, path))
            return line;
        for (int nested = 0; *s->at;) { /* the value, up to the comma */
            skip_blank(s);
            int level = *s->at == '[' ? long_level(s->at) : -1;
            if (*s->at == '{' && !nested) {
                s->at++;
                int found = find_in_table(s, here, path, depth + 1);
                if (found)
                    return found;
                if (*s->at == '}')
                    s->at++;
            } else if (level >= 0) {
                s->at += level + 2;
                skip_long(s, (size_t)level);
            } else if (*s->at == '"' || *s->at == '\'') {
                skip_string(s);
            } else if (*s->at == '(' || (*s->at == '{' && nested)) {
                nested++;
                s->at++;
            } else if (nested && (*s->at == ')' || *s->at == '}')) {
                nested--;
                s->at++;
            } else if (!nested && (*s->at == ',' || *s->at == ';' || *s->at == '}')) {
                break;
            } else if (*s->at) {
                s->at++;
            }
        }
        if (*s->at == ',' || *s->at == ';')
            s->at++;
    }
    return 0;
}

/* Skips one word, string, or sign. */
static void skip_token(struct scan *s)
{
    int level = *s->at == '[' ? long_level(s->at) : -1;
    if (level >= 0) {
        s->at += level + 2;
        skip_long(s, (size_t)level);
    } else if (*s->at == '"' || *s->at == '\'') {
        skip_string(s);
    } else if (isalnum((unsigned char)*s->at) || *s->at == '_') {
        while (isalnum((unsigned char)*s->at) || *s->at == '_')
            s->at++;
    } else {
        s->at++;
    }
}

int keyline_find(const char *text, const char *path)
{
    struct scan s = {text, 1}, table = {NULL, 0};
    int depth = 0;
    for (skip_blank(&s); *s.at; skip_blank(&s)) {
        const char *word = s.at;
        depth += (*word == '{') - (*word == '}');
        skip_token(&s);
        if (depth || s.at - word != 6 || memcmp(word, "return", 6))
            continue;
        skip_blank(&s);
        if (*s.at == '{') /* the last one outside of all tables is the one */
            table = (struct scan){s.at + 1, s.line};
    }
    return table.at ? find_in_table(&table, "", path, 0) : 0;
}
