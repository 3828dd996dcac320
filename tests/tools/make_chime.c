/* Writes assets/chime.wav: two soft bell notes, E6 then A6, 48 kHz mono PCM, about one second.
 *
 * usage: make_chime > assets/chime.wav */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define RATE 48000
#define SAMPLES (RATE * 11 / 10)

static void put_le(uint8_t *p, uint32_t v, int bytes)
{
    for (int i = 0; i < bytes; i++)
        p[i] = (uint8_t)(v >> (8 * i));
}

/* A struck bell: a fundamental and two inharmonic partials that die sooner. */
static double bell(double hz, double t)
{
    if (t < 0)
        return 0;
    double attack = t < 0.006 ? t / 0.006 : 1, w = 2 * M_PI * hz * t;
    return attack * (sin(w) * exp(-4.2 * t) + 0.32 * sin(2.76 * w) * exp(-9 * t) +
                     0.14 * sin(5.4 * w) * exp(-16 * t));
}

int main(void)
{
    uint8_t head[44] = {0}, sample[2];
    uint32_t bytes = SAMPLES * 2;
    memcpy(head, "RIFF", 4);
    put_le(head + 4, 36 + bytes, 4);
    memcpy(head + 8, "WAVEfmt ", 8);
    put_le(head + 16, 16, 4); /* size of the format */
    put_le(head + 20, 1, 2);  /* PCM */
    put_le(head + 22, 1, 2);  /* mono */
    put_le(head + 24, RATE, 4);
    put_le(head + 28, RATE * 2, 4); /* bytes a second */
    put_le(head + 32, 2, 2);        /* bytes a sample */
    put_le(head + 34, 16, 2);       /* bits */
    memcpy(head + 36, "data", 4);
    put_le(head + 40, bytes, 4);
    fwrite(head, 1, sizeof head, stdout);
    for (int i = 0; i < SAMPLES; i++) {
        double t = (double)i / RATE, end = (double)(SAMPLES - i) / RATE;
        double v = 0.24 * bell(1318.51, t) + 0.28 * bell(1760.0, t - 0.16);
        v *= end < 0.08 ? end / 0.08 : 1; /* no click at the end */
        put_le(sample, (uint32_t)(int32_t)lrint(v * 32767), 2);
        fwrite(sample, 1, sizeof sample, stdout);
    }
    return fflush(stdout) != 0;
}
