/* worker/out: what the worker says: reports on the protocol stream, pictures on descriptor 3.
 *
 * Any thread. A picture is dropped when the console has not read the one before; a report never. */
#ifndef SAKUGA_WORKER_OUT_H
#define SAKUGA_WORKER_OUT_H

#include "engine/protocol.h"

#include <stdbool.h>

/* Takes standard output for the protocol alone: what a library prints goes to standard error. */
bool out_open(void);

void out_report(const struct report *r);
void out_failed(int64_t id, const struct fault *f);
void out_trouble(int64_t id, const char *path, const struct fault *f);
void out_simple(enum report_kind kind, int64_t id); /* ack, cancelled */

/* Nothing more is said, by any thread; no line is cut short. Before the process ends. */
void out_shut(void);

/* rgb[h][w][3], packed. False: dropped. A still waits a second for room. */
bool out_picture(enum picture_kind kind, int64_t id, int w, int h, const uint8_t *rgb);

#endif
