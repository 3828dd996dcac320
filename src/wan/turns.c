#include "wan/turns.h"

#include <stdlib.h>
#include <string.h>

/* `n` bytes of prompt, behind all that is there. */
static enum err add(struct turns *t, int frame, const char *prompt, size_t n, struct fault *f)
{
    if (t->n == WAN_TURNS_MAX)
        return fault_set(f, ERR_LIMIT, "a clip changes its prompt at most %d times", WAN_TURNS_MAX);
    char *copy = strndup(prompt, n);
    if (!copy)
        return fault_set(f, ERR_NOMEM, "no memory for a prompt of %zu bytes", n);
    t->turn[t->n++] = (struct wan_turn){frame, copy};
    return ERR_OK;
}

enum err turns_add(struct turns *t, int frame, const char *prompt, struct fault *f)
{
    return add(t, frame, prompt, strlen(prompt), f);
}

const char *turns_at(const struct turns *t, int frame)
{
    const char *prompt = NULL;
    for (int i = 0; i < t->n && t->turn[i].frame <= frame; i++)
        prompt = t->turn[i].prompt;
    return prompt;
}

void turns_free(struct turns *t)
{
    for (int i = 0; i < t->n; i++)
        free((char *)(uintptr_t)t->turn[i].prompt); /* ours: a job only borrows */
    t->n = 0;
}

void turns_write(const struct turns *t, struct buf *out)
{
    for (int i = 0; i < t->n; i++)
        buf_addf(out, "%d %zu %s\n", t->turn[i].frame, strlen(t->turn[i].prompt),
                 t->turn[i].prompt);
}

/* Digits and the blank behind them, at most `most`. */
static bool number(const char **at, const char *end, size_t most, size_t *out)
{
    const char *p = *at;
    size_t v = 0;
    while (p < end && *p >= '0' && *p <= '9' && v <= most)
        v = v * 10 + (size_t)(*p++ - '0');
    if (p == *at || p == end || *p != ' ' || v > most)
        return false;
    *at = p + 1;
    *out = v;
    return true;
}

enum err turns_read(struct turns *t, const char *text, size_t n, int frames, struct fault *f)
{
    struct turns fresh = {.n = 0};
    const char *at = text, *end = text + n;
    enum err e = ERR_OK;
    for (size_t before = 0, frame = 0, bytes = 0; at < end && !e; before = frame) {
        if (!number(&at, end, (size_t)frames - 1, &frame) || frame <= before ||
            !number(&at, end, n, &bytes) || (size_t)(end - at) <= bytes || at[bytes] != '\n' ||
            memchr(at, '\0', bytes))
            e = fault_set(f, ERR_CORRUPT, "its changes of prompt cannot be read");
        else
            e = add(&fresh, (int)frame, at, bytes, f);
        at += e ? 0 : bytes + 1;
    }
    if (e) {
        turns_free(&fresh);
        return e;
    }
    turns_free(t);
    *t = fresh;
    return ERR_OK;
}
