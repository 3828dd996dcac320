/* Work that comes again: when it is done, when it is recorded, when it is played.
 *
 *     not known   done as it is: choices are made, and what memory it takes is seen (tape.h)
 *     known       recorded and played; where the device cannot: done as it is, and so from then on
 *     recorded    played, unless the recording is outdated: then recorded anew */
#include "tensor/tape.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct track {
    struct device *dev;
    void *recording; /* the backend's, or NULL */
    uint64_t age;    /* the tape's, when it was made */
    bool known;      /* it, or its like, was done */
};

struct track *track_new(struct device *d, const struct track *like)
{
    struct track *t = d->caps.graphs && !device_failed(d) ? calloc(1, sizeof *t) : NULL;
    if (!t)
        return NULL;
    if (!d->tape && !(d->tape = calloc(1, sizeof *d->tape))) {
        free(t);
        return NULL;
    }
    d->tape->tracks++;
    t->dev = d;
    t->known = like && like->known;
    return t;
}

static void forget(struct track *t)
{
    if (t->recording)
        t->dev->ops->forget(t->dev, t->recording);
    t->recording = NULL;
}

/* What is kept so far, if it is worth anything: the device works again. */
static void *end_recording(struct device *d)
{
    d->tape->records = d->tape->inside = false;
    return d->ops->recorded(d);
}

void track_free(struct track *t)
{
    if (!t)
        return;
    struct device *d = t->dev;
    struct tape *tape = d->tape;
    if (tape->records)
        t->recording = end_recording(d);
    tape->inside = false;
    forget(t);
    free(t);
    if (--tape->tracks)
        return;
    if (tape->base)
        d->ops->release(d, tape->base);
    free(tape->loan);
    free(tape);
    d->tape = NULL;
}

/* The tape as long as it must be. */
static bool grow(struct device *d)
{
    struct tape *tape = d->tape;
    if (tape->most <= tape->size)
        return true;
    if (tape->base)
        d->ops->release(d, tape->base);
    tape->age++;
    tape->base = d->ops->alloc(d, tape->most);
    tape->size = tape->base ? tape->most : 0;
    return tape->base && !device_failed(d);
}

/* A failure that only recording had is none of the job's. */
static void go_on(struct device *d)
{
    if (d->failure.code != ERR_LOST)
        memset(&d->failure, 0, sizeof d->failure);
}

static void no_more(struct device *d, const char *why)
{
    d->caps.graphs = false;
    snprintf(d->caps.note, sizeof d->caps.note, "nothing is recorded here: %.150s", why);
    err_whole_text(d->caps.note);
    go_on(d);
}

static bool begin_recording(struct track *t)
{
    struct device *d = t->dev;
    if (!grow(d)) {
        no_more(d, device_failed(d) ? d->failure.text : "no memory for it");
        return false;
    }
    if (!d->ops->record(d)) {
        no_more(d, device_failed(d) ? d->failure.text : "the device does not begin");
        return false;
    }
    t->age = d->tape->age;
    d->tape->records = d->tape->inside = true;
    d->tape->unready = false;
    return true;
}

/* False: there was no memory to play it, and nothing was queued; then none is tried again. */
static bool play(struct track *t)
{
    struct device *d = t->dev;
    d->ops->play(d, t->recording);
    if (d->failure.code == ERR_NOMEM) {
        forget(t);
        no_more(d, d->failure.text);
        return false;
    }
    d->played++;
    return true;
}

bool track_play(struct track *t, bool as_it_is)
{
    struct device *d = t ? t->dev : NULL;
    if (!t || device_failed(d))
        return false;
    if (t->recording && (t->age != d->tape->age || !d->caps.graphs))
        forget(t);
    if (t->recording && !as_it_is && play(t))
        return true;
    if (as_it_is || !d->caps.graphs || !t->known || !begin_recording(t))
        d->tape->inside = true;
    return false;
}

bool track_again(struct track *t)
{
    struct device *d = t ? t->dev : NULL;
    if (!t || !d->tape->inside)
        return false;
    struct tape *tape = d->tape;
    if (tape->n && !device_failed(d))
        device_fail(d, ERR_INVAL, "work that comes again keeps %d pieces of memory", tape->n);
    if (!tape->records) {
        tape->inside = false;
        t->known = t->known || !device_failed(d);
        return false;
    }
    t->recording = end_recording(d);
    bool kept = t->recording && !device_failed(d);
    if (kept && play(t))
        return false;
    forget(t);
    if (tape->unready)
        go_on(d);
    else if (!kept)
        no_more(d, device_failed(d) ? d->failure.text : "the device gives no recording");
    tape->inside = true;
    return true;
}
