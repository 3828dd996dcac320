/* wan/prog/h264: how long a clip takes to be encoded; for wan-bench. */
#ifndef SAKUGA_WAN_PROG_H264_H
#define SAKUGA_WAN_PROG_H264_H

#include <stdint.h>

/* Seconds of encoding (libx264 "veryfast", the worker's settings) of pictures as NV12 (wan.h);
 * nothing is kept. −1: this build has no libavcodec, or that has no libx264. */
double h264_seconds(const uint8_t *pictures, int frames, int height, int width, int threads);

#endif
