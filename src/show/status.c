#include "show/status.h"

#include <stdlib.h>
#include <string.h>

const char *stage_scene_name(enum stage_scene s)
{
    static const char *const names[] = {"standby", "generating", "result", "gallery"};
    return names[s];
}

const char *engine_state_name(enum engine_state s)
{
    static const char *const names[] = {"down", "starting", "idle", "drawing"};
    return names[s];
}

void picture_set(struct picture *p, int w, int h, const uint8_t *rgb, int64_t job)
{
    size_t n = (size_t)w * (size_t)h * 3;
    if (w <= 0 || h <= 0 || w > 4096 || h > 4096)
        return;
    if (!p->rgb || p->w != w || p->h != h) {
        free(p->rgb);
        p->rgb = malloc(n);
        p->w = p->rgb ? w : 0;
        p->h = p->rgb ? h : 0;
    }
    if (p->rgb)
        memcpy(p->rgb, rgb, n);
    p->job = job;
    p->serial++;
}

void picture_clear(struct picture *p)
{
    free(p->rgb);
    p->rgb = NULL;
    p->w = p->h = 0;
    p->job = 0;
    p->serial++;
}
