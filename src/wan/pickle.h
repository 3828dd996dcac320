/* wan/pickle: reads the pickle of a torch checkpoint without running it.
 *
 * A pickle is a program for a small stack machine. This one knows the opcodes that state
 * dictionaries use and five names that they may call; anything else ends the reading with an error
 * that names it. Nothing is imported, nothing executed, every structure is at most as large as the
 * pickle that made it, and shared parts stay shared. */
#ifndef SAKUGA_WAN_PICKLE_H
#define SAKUGA_WAN_PICKLE_H

#include "base/err.h"
#include "tensor/dtype.h"

#include <stdint.h>

enum pickle_kind {
    PICKLE_NONE,
    PICKLE_INT, /* and booleans */
    PICKLE_FLOAT,
    PICKLE_STRING,
    PICKLE_LIST, /* and tuples */
    PICKLE_DICT, /* items: key, value, key, value, … */
    PICKLE_GLOBAL,
    PICKLE_STORAGE,
    PICKLE_TENSOR,
    PICKLE_MARK
};

struct pickle_value {
    enum pickle_kind kind;
    int64_t number; /* INT; TENSOR: storage offset; STORAGE: elements */
    double real;
    const char *text; /* STRING, STORAGE (its key), GLOBAL: not terminated */
    size_t text_n;
    enum dtype type;             /* STORAGE, and GLOBAL of a storage class */
    struct pickle_value **items; /* LIST, DICT; TENSOR: storage, sizes, strides */
    size_t items_n, items_cap;
};

struct pickle; /* owns all values */

/* *top is the value left at the end; it lives as long as the pickle. `path` is for messages. */
enum err pickle_read(const unsigned char *data, size_t n, const char *path, struct pickle **out,
                     const struct pickle_value **top, struct fault *f);
void pickle_free(struct pickle *p);

/* The value of a string key, or NULL. */
const struct pickle_value *pickle_get(const struct pickle_value *dict, const char *key);

#endif
