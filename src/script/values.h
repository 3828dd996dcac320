/* script/values: what scripts keep between shows: small strings under (script, key).
 *
 * Filled from the store at the start on the loop thread, then owned by the script thread, which
 * changes it and tells the loop, which tells the store. Bounded: VALUES_KEYS keys a script and
 * VALUES_BYTES of keys and values together. */
#ifndef SAKUGA_SCRIPT_VALUES_H
#define SAKUGA_SCRIPT_VALUES_H

#include "base/err.h"

#include <stdbool.h>

#define VALUES_KEYS 256
#define VALUES_KEY_MAX 100
#define VALUES_VALUE_MAX 8192
#define VALUES_BYTES 262144

struct values;
struct values *values_new(void); /* NULL without memory */
void values_free(struct values *v);
/* Has the shape of store_values()'s callback; what does not fit is left out. `user` is the values.
 */
void values_add(void *user, const char *scope, const char *key, const char *value);
/* NULL when it is not there. Valid until the next values_set(). */
const char *values_get(const struct values *v, const char *scope, const char *key);
/* "" removes it. ERR_LIMIT with words when a bound is passed. */
enum err values_set(struct values *v, const char *scope, const char *key, const char *value,
                    struct fault *f);
/* The key after `key` ("" begins) in the order they were first set; NULL at the end. */
const char *values_next(const struct values *v, const char *scope, const char *key);

#endif
