/* What a test saw of a clip, and where it stopped it: wan_make() with callbacks that count. */
#ifndef SAKUGA_TESTS_UNIT_WAN_SEEN_H
#define SAKUGA_TESTS_UNIT_WAN_SEEN_H

#include "unit.h"

#include "wan/wan.h"

#define SEEN_FRAMES 128

static struct wan *wan;
static struct fault fault;

static struct seen {
    /* set by the test: */
    int stop_at, stop_steps, stop_previews, stop_frames; /* when so much was asked or seen */
    const char *(*turn)(void *, int frame); /* of a clip whose prompt changes, or NULL */
    uint8_t *kept;                          /* all frames go there, or NULL */
    /* seen: */
    uint64_t hash; /* of all frames */
    int frames, chunks, asked, steps, done, total;
    int previews, preview_frames, preview_width, preview_height;
    int previews_when[SEEN_FRAMES]; /* there had been so many when a frame left */
    enum wan_stage stage;           /* of the last progress */
    unsigned stages;                /* all, as bits */
    double overall;
    bool stopped, late; /* something came after the word */
    char notes[2000];
    char order[64]; /* f: frames were handed over; a test may add more */
} seen;

static inline void seen_add(char *to, size_t size, const char *words)
{
    strncat(to, words, size - strlen(to) - 1);
}

static inline bool seen_stop(void *user)
{
    (void)user;
    seen.late |= seen.stopped;
    seen.stopped = ++seen.asked == seen.stop_at ||
                   (seen.stop_steps && seen.steps == seen.stop_steps) ||
                   (seen.stop_previews && seen.previews == seen.stop_previews) ||
                   (seen.stop_frames && seen.frames >= seen.stop_frames);
    return seen.stopped;
}

static inline void seen_stage(void *user, enum wan_stage s)
{
    (void)user;
    seen.late |= seen.stopped;
    seen.stages |= 1u << s;
}

static inline void seen_progress(void *user, const struct wan_progress *p)
{
    (void)user;
    assert_in_range(p->done, 0, p->total);
    assert_true(p->fraction >= 0 && p->fraction <= 1 && p->overall >= 0 && p->overall <= 1);
    if (p->stage == seen.stage && p->total == seen.total)
        assert_true(p->done >= seen.done);
    seen.overall = p->overall;
    seen.stage = p->stage;
    seen.done = p->done;
    seen.total = p->total;
    if (p->stage == WAN_SAMPLE)
        seen.steps = p->done;
}

static inline void seen_preview(void *user, const struct wan_preview *p)
{
    (void)user;
    seen.previews++;
    seen.preview_frames = p->frames;
    seen.preview_width = p->width;
    seen.preview_height = p->height;
}

static inline enum err seen_frames(void *user, const struct wan_frames *p, struct fault *f)
{
    (void)user;
    (void)f;
    seen.late |= seen.stopped;
    assert_int_equal(p->first, seen.frames);
    assert_true(!p->nv12 != !p->rgb);
    assert_int_equal(p->bytes * 2, (size_t)(p->width * p->height) * (p->nv12 ? 3 : 6));
    const uint8_t *bytes = p->nv12 ? p->nv12 : p->rgb;
    for (int i = 0; i < p->count && seen.frames + i < SEEN_FRAMES; i++)
        seen.previews_when[seen.frames + i] = seen.previews;
    seen.frames += p->count;
    seen.chunks++;
    seen_add(seen.order, sizeof seen.order, "f");
    for (size_t i = 0; i < (size_t)p->count * p->bytes; i++)
        seen.hash = (seen.hash ^ bytes[i]) * UINT64_C(1099511628211);
    if (seen.kept)
        memcpy(seen.kept + (size_t)p->first * p->bytes, bytes, (size_t)p->count * p->bytes);
    return ERR_OK;
}

static inline void seen_note(void *user, const char *words)
{
    (void)user;
    seen_add(seen.notes, sizeof seen.notes, words);
}

/* The clip, stopped as `how` says. */
static inline enum err seen_make(const struct wan_job *job, struct wan_made *made, struct seen how)
{
    const struct wan_calls calls = {.stop = seen_stop,
                                    .stage = seen_stage,
                                    .progress = seen_progress,
                                    .preview = seen_preview,
                                    .frames = seen_frames,
                                    .note = seen_note,
                                    .turn = how.turn};
    seen = how;
    return wan_make(wan, job, &calls, made, &fault);
}

/* The whole clip, made `how` may say; its hash. */
static inline uint64_t seen_all(const struct wan_job *job, struct wan_made *made, struct seen how)
{
    if (seen_make(job, made, how))
        fail_msg("%s", fault_text(&fault));
    assert_int_equal(seen.frames, job->frames);
    return seen.hash;
}

static inline uint64_t seen_whole(const struct wan_job *job)
{
    return seen_all(job, NULL, (struct seen){0});
}

/* Refused, with these words. */
static inline void seen_refused(const struct wan_job *job, enum err want, const char *words)
{
    assert_int_equal(seen_make(job, NULL, (struct seen){0}), want);
    assert_int_equal(seen.stages, 0);
    if (!strstr(fault_text(&fault), words))
        fail_msg("\"%s\" does not say \"%s\"", fault_text(&fault), words);
}

#endif
