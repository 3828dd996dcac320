/* obs/table: the moves of the stage, declared.
 *
 * Pure; time is an argument; any thread. The table knows places and events; it does not know OBS.
 * The stage feeds it events and does what the answer says. A place may have a due time: when it is
 * reached the stage feeds TABLE_DUE. */
#ifndef SAKUGA_OBS_TABLE_H
#define SAKUGA_OBS_TABLE_H

#include "show/status.h"

#include <stdbool.h>
#include <stdint.h>

/* Where the stage is. The first four are scenes; the others are reasons not to cut. */
enum table_place {
    PLACE_STANDBY = STAGE_STANDBY,
    PLACE_GENERATING = STAGE_GENERATING,
    PLACE_RESULT = STAGE_RESULT,
    PLACE_GALLERY = STAGE_GALLERY,
    PLACE_AWAY,   /* the operator holds a scene of his own */
    PLACE_PANIC,  /* standby, until resume */
    PLACE_CLOSED, /* the show is ending */
    PLACES
};
const char *table_place_name(enum table_place p);

enum table_event {
    TABLE_AIR,     /* a cleared clip is loaded and may be cut to */
    TABLE_ENDED,   /* the clip on air is over */
    TABLE_DUE,     /* the place's time is over */
    TABLE_DRAWING, /* the engine began a clip */
    TABLE_DRAWN,   /* the engine has nothing to draw any more */
    TABLE_FILLED,  /* the gallery got clips */
    TABLE_FAULT,   /* the program is black or frozen, or a cut failed */
    TABLE_RESYNC,  /* connected (again): show what ought to be shown */
    TABLE_AWAY,    /* somebody else cut to another scene */
    TABLE_BACK,    /* somebody else cut to one of ours */
    TABLE_PANIC,
    TABLE_RESUME,
    TABLE_CLOSE,
    TABLE_EVENTS
};
const char *table_event_name(enum table_event e);

enum table_act {
    TABLE_NOTHING, /* no row: the event means nothing here */
    TABLE_STAY,    /* a move without a cut */
    TABLE_HOLD,    /* the picture stays for the result's dwell */
    TABLE_SHOW,    /* cut to the scene of the new place */
    TABLE_DARK     /* panic: standby first, then mute, then stop */
};

struct table {
    enum table_place at;
    int64_t due_ms; /* monotonic; 0: nothing is due */
    bool drawing;   /* facts that rows ask for, kept by the stage */
    bool clips;
    int64_t result_dwell_ms, gallery_dwell_ms, generating_ms; /* set once */
    int64_t clip_ms; /* of the clip that TABLE_AIR announces, with its grace */
};

/* Moves. The new place is t->at. */
enum table_act table_move(struct table *t, enum table_event e, int64_t now_ms);

#endif
