/* base/json: small helpers over cJSON, for messages that a hostile peer may have written.
 *
 * Getters never fail: a missing or mistyped member gives the default. Integers are exact up to
 * 2^53 when read and up to 15 digits when printed; larger ones travel as strings. Trees are
 * cJSON's; the caller deletes what it parsed or made. Any thread. */
#ifndef SAKUGA_BASE_JSON_H
#define SAKUGA_BASE_JSON_H

#include "base/buf.h"
#include "base/err.h"

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stdint.h>

/* Parses one JSON value of `n` bytes, at most 64 levels deep; trailing blanks are allowed, anything
 * else behind it is not. NULL with `f` filled when it is malformed. */
cJSON *json_parse(const char *text, size_t n, struct fault *f);

/* The same for text from a large file that may be hostile: LIMIT when it has more than `values`
 * values, before any memory is taken. A value takes cJSON about a hundred bytes, its text two. */
cJSON *json_parse_few(const char *text, size_t n, size_t values, struct fault *f);

const char *json_str(const cJSON *o, const char *key, const char *otherwise);
int64_t json_int(const cJSON *o, const char *key, int64_t otherwise);
double json_num(const cJSON *o, const char *key, double otherwise);
bool json_bool(const cJSON *o, const char *key, bool otherwise);
const cJSON *json_obj(const cJSON *o, const char *key); /* object or NULL */
const cJSON *json_arr(const cJSON *o, const char *key); /* array or NULL */

/* Appends the unformatted text of `v` to `b`; with `newline` as one line of JSON Lines. */
bool json_print(struct buf *b, const cJSON *v, bool newline);

#endif
