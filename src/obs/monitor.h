/* obs/monitor: does the audience see what it should?
 *
 * Pure; time is an argument. Fed with small pictures of the program and with the player's cursor,
 * it says when the program is black or stands still although a clip should play. Cards are static
 * by nature and are not judged; a picture without movement alone is no proof (a clip may be calm),
 * so it counts twice as slowly as a cursor that stands. */
#ifndef SAKUGA_OBS_MONITOR_H
#define SAKUGA_OBS_MONITOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MONITOR_BLACK_MS 1500
#define MONITOR_STUCK_MS 2500
#define MONITOR_FROZEN_MS 6000

struct monitor {
    bool playing;      /* a clip should be moving now */
    int64_t seen_ms;   /* the last picture came */
    int64_t moved_ms;  /* the picture changed last */
    int64_t bright_ms; /* the picture was not black last */
    int64_t ran_ms;    /* the cursor moved last */
    int64_t cursor_ms;
    uint8_t last[160 * 90 * 3];
    size_t last_n;
};

/* What is judged begins anew: after each cut. */
void monitor_begin(struct monitor *m, bool playing, int64_t now_ms);
/* A picture of the program, n bytes of RGB. */
void monitor_picture(struct monitor *m, const uint8_t *rgb, size_t n, int64_t now_ms);
/* The player's cursor; -1 when the player is not playing. */
void monitor_cursor(struct monitor *m, int64_t cursor_ms, int64_t now_ms);
/* Writes "black 2 s", "frozen 6 s" or "" into out[64]; true when it is time to act. */
bool monitor_verdict(const struct monitor *m, int64_t now_ms, char out[64]);

/* Decodes "data:image/ppm;base64,…" (binary PPM, 8 bits) into rgb[max]; returns the bytes, 0 when
 * it is malformed or too large. Hostile input. */
size_t monitor_ppm(const char *data_url, uint8_t *rgb, size_t max, int *w, int *h);

#endif
