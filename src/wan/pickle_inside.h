/* wan/pickle_inside: the machine as pickle*.c share it. Each keeps its first failure in `err`;
 * calls after that do no harm and mean nothing. */
#ifndef SAKUGA_WAN_PICKLE_INSIDE_H
#define SAKUGA_WAN_PICKLE_INSIDE_H

#include "wan/pickle.h"

#include <stdbool.h>

struct pickle {
    struct pool *pools; /* of all values */
    const unsigned char *at, *end;
    const char *path;
    struct fault *f;
    enum err err;
    struct pickle_value **stack, **memo;
    size_t depth, stack_cap, memo_n, memo_cap, values;
};

/* pickle_values.c. What returns a value returns NULL after a failure, and takes NULL for nothing.
 */
bool pickle_is(const char *text, size_t n, const char *word);
enum err pickle_fail(struct pickle *p, const char *what); /* CORRUPT */
struct pickle_value *pickle_make(struct pickle *p, enum pickle_kind kind);
struct pickle_value *pickle_push(struct pickle *p, struct pickle_value *v);
struct pickle_value *pickle_pop(struct pickle *p);
bool pickle_append(struct pickle *p, struct pickle_value *to, struct pickle_value *v);
/* Makes the list *array of values hold `need`, the new ones NULL. */
bool pickle_room(struct pickle *p, void *array, size_t *cap, size_t need);

/* pickle_torch.c: what GLOBAL, BINPERSID and REDUCE do. */
void pickle_global(struct pickle *p, const char *module, size_t module_n, const char *name,
                   size_t name_n);
void pickle_persistent(struct pickle *p);
void pickle_call(struct pickle *p);

#endif
