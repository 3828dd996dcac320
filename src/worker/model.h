/* worker/model: what `sakuga model info` and `sakuga model convert` run: no show, no orders. */
#ifndef SAKUGA_WORKER_MODEL_H
#define SAKUGA_WORKER_MODEL_H

/* Exit codes. */
int model_info(const char *path);
int model_convert(const char *from, const char *to);

#endif
