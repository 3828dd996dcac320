#include "script/values.h"

#include "base/buf.h"

#include <stdlib.h>
#include <string.h>

struct value {
    struct value *next;
    char scope[64], key[VALUES_KEY_MAX + 1];
    char *value;
};

struct values {
    struct value *first;
};

struct values *values_new(void)
{
    return calloc(1, sizeof(struct values));
}

void values_free(struct values *v)
{
    for (struct value *i = v ? v->first : NULL, *next; i; i = next) {
        next = i->next;
        free(i->value);
        free(i);
    }
    free(v);
}

void values_add(void *user, const char *scope, const char *key, const char *value)
{
    values_set(user, scope, key, value, NULL);
}

static struct value *find(const struct values *v, const char *scope, const char *key)
{
    struct value *i = v->first;
    while (i && (strcmp(i->key, key) || strcmp(i->scope, scope)))
        i = i->next;
    return i;
}

const char *values_get(const struct values *v, const char *scope, const char *key)
{
    const struct value *i = find(v, scope, key);
    return i ? i->value : NULL;
}

const char *values_next(const struct values *v, const char *scope, const char *key)
{
    const struct value *i = key[0] ? find(v, scope, key) : NULL;
    if (key[0] && !i)
        return NULL;
    for (i = i ? i->next : v->first; i && strcmp(i->scope, scope);)
        i = i->next;
    return i ? i->key : NULL;
}

static void drop(struct values *v, struct value *gone)
{
    struct value **at = &v->first;
    while (*at != gone)
        at = &(*at)->next;
    *at = gone->next;
    free(gone->value);
    free(gone);
}

/* Does the scope have room for this value in place of the old one? */
static enum err room(const struct values *v, const struct value *old, const char *scope,
                     const char *key, const char *value, struct fault *f)
{
    size_t bytes = strlen(key) + strlen(value);
    int keys = old ? 0 : 1;
    for (const struct value *i = v->first; i; i = i->next)
        if (!strcmp(i->scope, scope)) {
            keys++;
            bytes += i == old ? 0 : strlen(i->key) + strlen(i->value);
        }
    if (keys > VALUES_KEYS)
        return fault_set(f, ERR_LIMIT, "a script may keep %d values", VALUES_KEYS);
    if (bytes > VALUES_BYTES)
        return fault_set(f, ERR_LIMIT, "a script may keep %d bytes", VALUES_BYTES);
    return ERR_OK;
}

enum err values_set(struct values *v, const char *scope, const char *key, const char *value,
                    struct fault *f)
{
    struct value *old = find(v, scope, key);
    if (!key[0] || strlen(key) > VALUES_KEY_MAX)
        return fault_set(f, ERR_LIMIT, "a key must have 1 to %d bytes", VALUES_KEY_MAX);
    if (strlen(value) > VALUES_VALUE_MAX)
        return fault_set(f, ERR_LIMIT, "a value may have %d bytes", VALUES_VALUE_MAX);
    if (!value[0]) {
        if (old)
            drop(v, old);
        return ERR_OK;
    }
    enum err e = room(v, old, scope, key, value, f);
    if (e)
        return e;
    char *copy = strdup(value);
    struct value *i = old ? old : calloc(1, sizeof *i);
    if (!copy || !i || (!old && !str_copy(i->scope, sizeof i->scope, scope))) {
        free(copy);
        if (!old)
            free(i);
        return fault_set(f, ERR_NOMEM, "out of memory");
    }
    free(i->value);
    i->value = copy;
    if (!old) {
        struct value **at = &v->first;
        str_copy(i->key, sizeof i->key, key);
        while (*at)
            at = &(*at)->next;
        *at = i;
    }
    return ERR_OK;
}
