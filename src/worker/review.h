/* worker/review: a thread that plays clips to the terminal, takes stills, and checks clips.
 *
 * Calls come from the main thread. A media worker has two: one plays, one does the rest, so that a
 * slow check never stops the playback. */
#ifndef SAKUGA_WORKER_REVIEW_H
#define SAKUGA_WORKER_REVIEW_H

#include "engine/protocol.h"

struct review;

struct review *review_new(struct fault *f);

/* ORDER_PLAY replaces what plays, ORDER_STOP ends it; ORDER_PICTURE and ORDER_CHECK wait in line
 * (a bounded one; trouble is reported when it is full). */
void review_order(struct review *r, const struct order *o);

#endif
