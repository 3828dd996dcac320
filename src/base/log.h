/* base/log: one line for each thing worth telling, to every sink that asked.
 *
 * Callable from any thread. Each line goes, under one lock, to the sinks: a JSON Lines file that is
 * rotated by size (log_open_file), and functions (log_add_sink), such as the console's ring.
 * Secrets that were registered never reach a sink. Lines are cut at LOG_LINE_MAX bytes. Nothing is
 * written to standard error unless log_stderr(true). */
#ifndef SAKUGA_BASE_LOG_H
#define SAKUGA_BASE_LOG_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LOG_LINE_MAX 1024

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG };

struct log_line {
    int64_t utc_ms;
    enum log_level level;
    const char *room; /* "obs", "chat", ... static */
    const char *text; /* valid UTF-8, redacted; only for the length of the call */
};

typedef void log_sink_fn(void *user, const struct log_line *line);

void log_write(enum log_level level, const char *room, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

#define log_error(room, ...) log_write(LOG_ERROR, room, __VA_ARGS__)
#define log_warn(room, ...) log_write(LOG_WARN, room, __VA_ARGS__)
#define log_info(room, ...) log_write(LOG_INFO, room, __VA_ARGS__)
#define log_debug(room, ...) log_write(LOG_DEBUG, room, __VA_ARGS__)

/* Lines above this level are dropped. LOG_INFO at start. */
void log_set_level(enum log_level level);
const char *log_level_name(enum log_level level);

/* Adds a sink (at most 4). It must not log itself. It runs on the thread that logs. */
enum err log_add_sink(log_sink_fn *fn, void *user);
void log_remove_sink(log_sink_fn *fn, void *user);

/* Human-readable lines on standard error, for headless runs on a terminal and for the worker. */
void log_stderr(bool on);

/* Opens `path` for appending (0600). When it passes `rotate_bytes` it becomes `path.1`, older ones
 * shift up to `path.4`. */
enum err log_open_file(const char *path, size_t rotate_bytes, struct fault *f);

/* From now on `secret` (four bytes or longer) reads "[redacted]" in every line. At most 32. */
void log_secret(const char *secret);

/* Replaces secrets in `text[size]` in place; what the log does itself, for screens and replies. */
void log_redact(char *text, size_t size);

/* Closes the file and forgets sinks and secrets. */
void log_close(void);

#endif
