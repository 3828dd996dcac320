/* What a test saw of a clip, and where it stopped it: wan_make() with callbacks that count. */
#ifndef SAKUGA_TESTS_UNIT_WAN_SEEN_H
#define SAKUGA_TESTS_UNIT_WAN_SEEN_H

#include "unit.h"

#include "wan/wan.h"

static struct wan *wan;
static struct fault fault;

static struct seen {
    uint64_t hash; /* of all frames */
    int frames, asked, previews, preview_frames;
    int stop_at, stop_previews, stop_frames; /* when so much was asked or seen; 0: never */
    const char *(*turn)(void *, int frame);  /* of a clip whose prompt changes, or NULL */
    char notes[1000];
} seen;

static inline bool seen_stop(void *user)
{
    (void)user;
    return ++seen.asked == seen.stop_at ||
           (seen.stop_previews && seen.previews == seen.stop_previews) ||
           (seen.stop_frames && seen.frames >= seen.stop_frames);
}

static inline void seen_preview(void *user, const struct wan_preview *p)
{
    (void)user;
    seen.previews++;
    seen.preview_frames = p->frames;
}

static inline enum err seen_frames(void *user, const struct wan_frames *p, struct fault *f)
{
    (void)user;
    (void)f;
    assert_int_equal(p->first, seen.frames);
    seen.frames += p->count;
    size_t n = (size_t)p->count * (size_t)(p->width * p->height) * 3;
    for (size_t i = 0; i < n; i++)
        seen.hash = (seen.hash ^ p->rgb[i]) * UINT64_C(1099511628211);
    return ERR_OK;
}

static inline void seen_note(void *user, const char *words)
{
    (void)user;
    strncat(seen.notes, words, sizeof seen.notes - strlen(seen.notes) - 2);
}

/* The clip, stopped as `how` says. */
static inline enum err seen_make(const struct wan_job *job, struct wan_made *made, struct seen how)
{
    const struct wan_calls calls = {.stop = seen_stop,
                                    .preview = seen_preview,
                                    .frames = seen_frames,
                                    .note = seen_note,
                                    .turn = how.turn};
    seen = how;
    return wan_make(wan, job, &calls, made, &fault);
}

/* The hash of the whole clip. */
static inline uint64_t seen_whole(const struct wan_job *job)
{
    if (seen_make(job, NULL, (struct seen){0}))
        fail_msg("%s", fault_text(&fault));
    assert_int_equal(seen.frames, job->frames);
    return seen.hash;
}

#endif
