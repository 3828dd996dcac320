/* worker/gauge: figures of the device this worker draws with, for the heartbeat.
 *
 * The GPU through NVML where its library and a driver are there (opened at run time, so that a
 * machine without them needs nothing), else this process on the CPU through /proc. One thread. */
#ifndef SAKUGA_WORKER_GAUGE_H
#define SAKUGA_WORKER_GAUGE_H

#include "engine/protocol.h"

void gauge_open(void);
void gauge_sample(struct device_status *out);

#endif
