/* What a token's place and a step's moment are told by (spec 4.2, 4.4): sines and cosines. */
#include "wan/dit.h"

#include <math.h>
#include <string.h>

void dit_time(float *out, int64_t dim, double t)
{
    int64_t half = dim / 2;
    for (int64_t k = 0; k < half; k++) {
        double angle = t * pow(10000.0, -(double)k / (double)half);
        out[k] = (float)cos(angle);
        out[half + k] = (float)sin(angle);
    }
}

/* The angles of one place on an axis: n pairs of (cos, sin). */
static void angles(float *out, int place, int n)
{
    for (int p = 0; p < n; p++) {
        double angle = place * pow(10000.0, -(double)p / n);
        out[2 * p] = (float)cos(angle);
        out[2 * p + 1] = (float)sin(angle);
    }
}

/* A place on an axis has the same angles wherever it comes again: they are copied from where it
 * came first. A causal block needs a table of its own, and computing each takes a core of a Xeon
 * 23 ms at 832x480, copying 1. */
void dit_rope(float *out, int width, int first_frame, int frames, int rows, int columns)
{
    const int side = width / 6, n[3] = {width / 2 - 2 * side, side, side};
    const size_t line = (size_t)columns * (size_t)width, frame = (size_t)rows * line;
    for (int f = 0; f < frames; f++)
        for (int i = 0; i < rows; i++)
            for (int j = 0; j < columns; j++) {
                float *to = out + (size_t)f * frame + (size_t)i * line + (size_t)j * (size_t)width;
                const float *first[3] = {out + (size_t)f * frame, out + (size_t)i * line,
                                         out + (size_t)j * (size_t)width};
                const int place[3] = {first_frame + f, i, j};
                for (int a = 0, at = 0; a < 3; at += 2 * n[a++])
                    if (to == first[a])
                        angles(to + at, place[a], n[a]);
                    else
                        memcpy(to + at, first[a] + at, 2 * (size_t)n[a] * sizeof *to);
            }
}
