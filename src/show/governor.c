#include "show/governor.h"

#define FIRST 0.3
#define MORE 0.2
#define LESS 0.1
#define CALM_MS 10000 /* without a skipped frame, before a step back */

double governor_hear(struct governor *g, int64_t now_ms, int64_t skipped, bool drawing, double most)
{
    if (skipped < 0) { /* nobody to give way to */
        *g = (struct governor){0};
        return 0;
    }
    bool worse = g->known && skipped > g->skipped && drawing; /* else it is not our doing */
    bool calm = g->known && skipped == g->skipped;
    if (!calm)
        g->calm_ms = now_ms;
    g->known = true;
    g->skipped = skipped;
    if (worse) {
        g->throttle += g->throttle > 0 ? MORE : FIRST;
    } else if (g->throttle > 0 && now_ms - g->calm_ms >= CALM_MS) {
        g->throttle -= LESS;
        g->calm_ms = now_ms;
    }
    g->throttle = g->throttle > most ? most : g->throttle < 0.01 ? 0 : g->throttle;
    return g->throttle;
}
