#include "obs/monitor.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Encoders leave noise of a few steps: a picture is black below this, and stands still when the
 * sum of differences stays below a fifth of a step for each byte. */
#define BLACK_LEVEL 20

void monitor_begin(struct monitor *m, bool playing, int64_t now_ms)
{
    m->playing = playing;
    m->moved_ms = m->bright_ms = m->ran_ms = m->seen_ms = now_ms;
    m->cursor_ms = -1;
    m->last_n = 0;
}

void monitor_picture(struct monitor *m, const uint8_t *rgb, size_t n, int64_t now_ms)
{
    uint64_t differs = 0;
    bool bright = false;
    m->seen_ms = now_ms;
    if (n > sizeof m->last)
        n = sizeof m->last;
    for (size_t i = 0; i < n; i++) {
        bright = bright || rgb[i] >= BLACK_LEVEL;
        differs += (uint64_t)abs(rgb[i] - m->last[i]);
    }
    if (bright)
        m->bright_ms = now_ms;
    if (n != m->last_n || differs * 5 > n)
        m->moved_ms = now_ms;
    memcpy(m->last, rgb, n);
    m->last_n = n;
}

void monitor_cursor(struct monitor *m, int64_t cursor_ms, int64_t now_ms)
{
    if (cursor_ms >= 0 && cursor_ms != m->cursor_ms)
        m->ran_ms = now_ms;
    m->cursor_ms = cursor_ms;
}

bool monitor_verdict(const struct monitor *m, int64_t now_ms, char out[64])
{
    int64_t black = m->seen_ms - m->bright_ms; /* no pictures prove nothing */
    int64_t still = m->seen_ms - m->moved_ms, stuck = now_ms - m->ran_ms;
    *out = '\0';
    if (black >= MONITOR_BLACK_MS) {
        snprintf(out, 64, "black %lld s", (long long)(black / 1000));
        return true;
    }
    if (!m->playing)
        return false;
    if (still >= MONITOR_FROZEN_MS || stuck >= MONITOR_STUCK_MS) {
        snprintf(out, 64, "frozen %lld s", (long long)((still > stuck ? still : stuck) / 1000));
        return true;
    }
    return false;
}

static int sextet(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* Decodes base64 up to its end or `max` bytes. */
static size_t base64(const char *s, uint8_t *out, size_t max)
{
    uint32_t bits = 0;
    int have = 0;
    size_t n = 0;
    for (int v; n < max && (v = sextet(*s)) >= 0; s++) {
        bits = bits << 6 | (uint32_t)v;
        have += 6;
        if (have >= 8) {
            have -= 8;
            out[n++] = (uint8_t)(bits >> have);
        }
    }
    return n;
}

/* A number of a PPM header; moves *at behind it. -1 when there is none. */
static int number(const char *head, size_t n, size_t *at)
{
    int v = 0, digits = 0;
    while (*at < n && strchr(" \t\r\n", head[*at]) && head[*at])
        ++*at;
    for (; *at < n && head[*at] >= '0' && head[*at] <= '9' && digits < 6; ++*at, digits++)
        v = v * 10 + (head[*at] - '0');
    return digits ? v : -1;
}

size_t monitor_ppm(const char *data_url, uint8_t *rgb, size_t max, int *w, int *h)
{
    const char *comma = strchr(data_url, ',');
    char head[32];
    if (!comma || strncmp(data_url, "data:image/", 11))
        return 0;
    size_t n = base64(comma + 1, (uint8_t *)head, sizeof head), at = 2;
    if (n < 9 || head[0] != 'P' || head[1] != '6')
        return 0;
    *w = number(head, n, &at);
    *h = number(head, n, &at);
    if (number(head, n, &at) != 255 || at >= n || *w < 1 || *h < 1 || *w > 4096 || *h > 4096)
        return 0;
    at++; /* the one blank behind the header */
    size_t want = (size_t)*w * (size_t)*h * 3;
    if (want > max)
        return 0;
    uint8_t *all = malloc(want + at);
    size_t got = all ? base64(comma + 1, all, want + at) : 0;
    if (got == want + at)
        memcpy(rgb, all + at, want);
    free(all);
    return got == want + at ? want : 0;
}
