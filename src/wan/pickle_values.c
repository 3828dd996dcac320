/* The memory of a pickle: values in pools, the stack, and lists that grow. All of it is bounded by
 * the length of the pickle or by the limits here, and goes in one go. */
#include "wan/pickle_inside.h"

#include <stdlib.h>
#include <string.h>

#define POOL 1024
#define VALUES_MAX ((size_t)1 << 21) /* a value is made by one byte and takes a hundred */

struct pool {
    struct pool *next;
    int used;
    struct pickle_value v[POOL];
};

bool pickle_is(const char *text, size_t n, const char *word)
{
    return strlen(word) == n && !memcmp(text, word, n);
}

enum err pickle_fail(struct pickle *p, const char *what)
{
    if (!p->err)
        p->err = fault_set(p->f, ERR_CORRUPT, "%s: malformed pickle: %s", p->path, what);
    return p->err;
}

struct pickle_value *pickle_make(struct pickle *p, enum pickle_kind kind)
{
    if (p->values++ == VALUES_MAX) {
        p->err = fault_set(p->f, ERR_LIMIT, "%s: its pickle makes more than %zu values", p->path,
                           VALUES_MAX);
        return NULL;
    }
    if (!p->pools || p->pools->used == POOL) {
        struct pool *fresh = calloc(1, sizeof *fresh);
        if (!fresh) {
            p->err = fault_set(p->f, ERR_NOMEM, "out of memory");
            return NULL;
        }
        fresh->next = p->pools;
        p->pools = fresh;
    }
    struct pickle_value *v = &p->pools->v[p->pools->used++];
    v->kind = kind;
    return v;
}

bool pickle_room(struct pickle *p, void *array, size_t *cap, size_t need)
{
    struct pickle_value ***list = array;
    if (need <= *cap)
        return true;
    size_t n = *cap ? *cap : 16;
    while (n < need)
        n *= 2;
    struct pickle_value **grown = realloc(*list, n * sizeof *grown);
    if (!grown) {
        p->err = fault_set(p->f, ERR_NOMEM, "out of memory");
        return false;
    }
    memset(grown + *cap, 0, (n - *cap) * sizeof *grown);
    *list = grown;
    *cap = n;
    return true;
}

struct pickle_value *pickle_push(struct pickle *p, struct pickle_value *v)
{
    if (v && pickle_room(p, &p->stack, &p->stack_cap, p->depth + 1))
        p->stack[p->depth++] = v;
    return v;
}

struct pickle_value *pickle_pop(struct pickle *p)
{
    if (!p->depth) {
        pickle_fail(p, "the stack is empty");
        return NULL;
    }
    return p->stack[--p->depth];
}

bool pickle_append(struct pickle *p, struct pickle_value *to, struct pickle_value *v)
{
    if (!pickle_room(p, &to->items, &to->items_cap, to->items_n + 1))
        return false;
    to->items[to->items_n++] = v;
    return true;
}

void pickle_free(struct pickle *p)
{
    if (!p)
        return;
    while (p->pools) {
        struct pool *next = p->pools->next;
        for (int i = 0; i < p->pools->used; i++)
            free(p->pools->v[i].items);
        free(p->pools);
        p->pools = next;
    }
    free(p->stack);
    free(p->memo);
    free(p);
}

const struct pickle_value *pickle_get(const struct pickle_value *dict, const char *key)
{
    for (size_t i = 0; dict->kind == PICKLE_DICT && i + 1 < dict->items_n; i += 2) {
        const struct pickle_value *k = dict->items[i];
        if (k->kind == PICKLE_STRING && pickle_is(k->text, k->text_n, key))
            return dict->items[i + 1];
    }
    return NULL;
}
