/* Read a row as: in PLACE, when EVENT comes (and WHEN holds), go to NEXT and ACT. The first row
 * that fits counts; no row means that the event means nothing there. From each of the four scenes
 * an edge leads to the gallery (FAULT), and so does every time-out but standby's, which has none.
 * Panic is left by RESUME alone. While the operator holds a scene of his own we do not cut, except
 * for a clip that was put on air meanwhile. */
#include "obs/table.h"

enum when { ALWAYS, DRAWING, CLIPS, NO_CLIPS };

#define ANY PLACES

struct row {
    enum table_place place;
    enum table_event event;
    enum when when;
    enum table_place next;
    enum table_act act;
};

static const struct row rows[] = {
    /* Panic and the end come before the rows for any place. */
    {PLACE_CLOSED, TABLE_PANIC, ALWAYS, PLACE_PANIC, TABLE_DARK},
    {PLACE_PANIC, TABLE_PANIC, ALWAYS, PLACE_PANIC, TABLE_DARK},
    {PLACE_PANIC, TABLE_RESYNC, ALWAYS, PLACE_PANIC, TABLE_DARK},
    {PLACE_PANIC, TABLE_RESUME, ALWAYS, PLACE_GALLERY, TABLE_SHOW},
    {PLACE_PANIC, TABLE_CLOSE, ALWAYS, PLACE_CLOSED, TABLE_STAY},
    {PLACE_AWAY, TABLE_CLOSE, ALWAYS, PLACE_CLOSED, TABLE_STAY},
    {PLACE_GALLERY, TABLE_CLOSE, ALWAYS, PLACE_CLOSED, TABLE_STAY},
    {ANY, TABLE_PANIC, ALWAYS, PLACE_PANIC, TABLE_DARK},
    {ANY, TABLE_CLOSE, ALWAYS, PLACE_CLOSED, TABLE_SHOW},
    {ANY, TABLE_AWAY, ALWAYS, PLACE_AWAY, TABLE_STAY},

    {PLACE_STANDBY, TABLE_AIR, ALWAYS, PLACE_RESULT, TABLE_SHOW},
    {PLACE_STANDBY, TABLE_DRAWING, ALWAYS, PLACE_GENERATING, TABLE_SHOW},
    {PLACE_STANDBY, TABLE_FILLED, ALWAYS, PLACE_GALLERY, TABLE_SHOW},
    {PLACE_STANDBY, TABLE_FAULT, ALWAYS, PLACE_GALLERY, TABLE_SHOW},
    {PLACE_STANDBY, TABLE_BACK, ALWAYS, PLACE_GALLERY, TABLE_SHOW},
    {PLACE_STANDBY, TABLE_RESYNC, DRAWING, PLACE_GENERATING, TABLE_SHOW},
    {PLACE_STANDBY, TABLE_RESYNC, CLIPS, PLACE_GALLERY, TABLE_SHOW},
    {PLACE_STANDBY, TABLE_RESYNC, ALWAYS, PLACE_STANDBY, TABLE_SHOW},

    {PLACE_GENERATING, TABLE_AIR, ALWAYS, PLACE_RESULT, TABLE_SHOW},
    {PLACE_GENERATING, TABLE_DRAWN, ALWAYS, PLACE_GALLERY, TABLE_SHOW},
    {PLACE_GENERATING, TABLE_DUE, CLIPS, PLACE_GALLERY, TABLE_SHOW},
    {PLACE_GENERATING, TABLE_DUE, ALWAYS, PLACE_GENERATING, TABLE_STAY},
    {PLACE_GENERATING, TABLE_FAULT, ALWAYS, PLACE_GALLERY, TABLE_SHOW},
    {PLACE_GENERATING, TABLE_BACK, ALWAYS, PLACE_GALLERY, TABLE_SHOW},
    {PLACE_GENERATING, TABLE_RESYNC, DRAWING, PLACE_GENERATING, TABLE_SHOW},
    {PLACE_GENERATING, TABLE_RESYNC, ALWAYS, PLACE_GALLERY, TABLE_SHOW},

    {PLACE_RESULT, TABLE_AIR, ALWAYS, PLACE_RESULT, TABLE_SHOW},
    {PLACE_RESULT, TABLE_ENDED, ALWAYS, PLACE_RESULT, TABLE_HOLD},
    {PLACE_RESULT, TABLE_DUE, ALWAYS, PLACE_GALLERY, TABLE_SHOW},
    {PLACE_RESULT, TABLE_FAULT, ALWAYS, PLACE_GALLERY, TABLE_SHOW},
    {PLACE_RESULT, TABLE_BACK, ALWAYS, PLACE_GALLERY, TABLE_SHOW},
    {PLACE_RESULT, TABLE_RESYNC, ALWAYS, PLACE_GALLERY, TABLE_SHOW},

    {PLACE_GALLERY, TABLE_AIR, ALWAYS, PLACE_RESULT, TABLE_SHOW},
    {PLACE_GALLERY, TABLE_DUE, DRAWING, PLACE_GENERATING, TABLE_SHOW},
    {PLACE_GALLERY, TABLE_DUE, CLIPS, PLACE_GALLERY, TABLE_SHOW},
    {PLACE_GALLERY, TABLE_DRAWING, NO_CLIPS, PLACE_GENERATING, TABLE_SHOW},
    {PLACE_GALLERY, TABLE_FILLED, ALWAYS, PLACE_GALLERY, TABLE_SHOW},
    {PLACE_GALLERY, TABLE_FAULT, ALWAYS, PLACE_GALLERY, TABLE_SHOW},
    {PLACE_GALLERY, TABLE_BACK, ALWAYS, PLACE_GALLERY, TABLE_SHOW},
    {PLACE_GALLERY, TABLE_RESYNC, ALWAYS, PLACE_GALLERY, TABLE_SHOW},

    {PLACE_AWAY, TABLE_AIR, ALWAYS, PLACE_RESULT, TABLE_SHOW},
    {PLACE_AWAY, TABLE_BACK, ALWAYS, PLACE_GALLERY, TABLE_SHOW},
};

const char *table_place_name(enum table_place p)
{
    static const char *const names[PLACES] = {"standby", "generating", "result", "gallery",
                                              "away",    "panic",      "closed"};
    return p < PLACES ? names[p] : "?";
}

const char *table_event_name(enum table_event e)
{
    static const char *const names[TABLE_EVENTS] = {
        "air",    "ended", "due",  "drawing", "drawn",  "filled", "fault",
        "resync", "away",  "back", "panic",   "resume", "close"};
    return e < TABLE_EVENTS ? names[e] : "?";
}

static bool holds(const struct table *t, enum when w)
{
    switch (w) {
    case DRAWING:
        return t->drawing;
    case CLIPS:
        return t->clips;
    case NO_CLIPS:
        return !t->clips;
    default:
        return true;
    }
}

/* When the place's time is over, entered by this row. */
static int64_t due(const struct table *t, const struct row *row, int64_t now)
{
    if (row->act == TABLE_HOLD)
        return now + t->result_dwell_ms;
    switch (row->next) {
    case PLACE_GENERATING:
        return now + t->generating_ms;
    case PLACE_RESULT:
        return now + t->clip_ms;
    case PLACE_GALLERY:
        return now + t->gallery_dwell_ms;
    default:
        return 0;
    }
}

enum table_act table_move(struct table *t, enum table_event e, int64_t now_ms)
{
    if (t->at == PLACE_CLOSED && e != TABLE_PANIC)
        return TABLE_NOTHING;
    if (t->at == PLACE_PANIC && e == TABLE_AWAY)
        return TABLE_NOTHING;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct row *row = &rows[i];
        if ((row->place != t->at && row->place != ANY) || row->event != e || !holds(t, row->when))
            continue;
        t->due_ms = due(t, row, now_ms);
        t->at = row->next;
        return row->act;
    }
    if (e == TABLE_DUE)
        t->due_ms = t->at == PLACE_GALLERY ? now_ms + t->gallery_dwell_ms : 0;
    return TABLE_NOTHING;
}
