#include "wan/pickle.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define POOL 1024
#define MEMO_MAX ((size_t)1 << 22)
#define VALUES_MAX ((size_t)1 << 21) /* a value is made by one byte and takes a hundred */

enum callee {
    CALL_DICT,
    CALL_TENSOR,
    CALL_PARAMETER,
    CALL_STORAGE /* not callable: names the type of a storage */
};

static const struct {
    const char *module, *name;
    enum callee what;
    enum dtype type;
} globals[] = {
    {"collections", "OrderedDict", CALL_DICT, 0},
    {"torch._utils", "_rebuild_tensor_v2", CALL_TENSOR, 0},
    {"torch._utils", "_rebuild_parameter", CALL_PARAMETER, 0},
    {"torch", "FloatStorage", CALL_STORAGE, DTYPE_F32},
    {"torch", "HalfStorage", CALL_STORAGE, DTYPE_F16},
    {"torch", "BFloat16Storage", CALL_STORAGE, DTYPE_BF16},
    {"torch", "DoubleStorage", CALL_STORAGE, DTYPE_F64},
    {"torch", "LongStorage", CALL_STORAGE, DTYPE_I64},
    {"torch", "IntStorage", CALL_STORAGE, DTYPE_I32},
    {"torch", "ShortStorage", CALL_STORAGE, DTYPE_I16},
    {"torch", "CharStorage", CALL_STORAGE, DTYPE_I8},
    {"torch", "ByteStorage", CALL_STORAGE, DTYPE_U8},
    {"torch", "BoolStorage", CALL_STORAGE, DTYPE_BOOL},
};

struct pool {
    struct pool *next;
    int used;
    struct pickle_value v[POOL];
};

struct pickle {
    struct pool *pools;
    const unsigned char *at, *end;
    const char *path;
    struct fault *f;
    enum err err;
    struct pickle_value **stack, **memo;
    size_t depth, stack_cap, memo_n, memo_cap, values;
};

static enum err fail(struct pickle *p, const char *what)
{
    if (!p->err)
        p->err = fault_set(p->f, ERR_CORRUPT, "%s: malformed pickle: %s", p->path, what);
    return p->err;
}

static struct pickle_value *value(struct pickle *p, enum pickle_kind kind)
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

static bool room(struct pickle *p, void *array, size_t *cap, size_t need)
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

static struct pickle_value *push(struct pickle *p, struct pickle_value *v)
{
    if (v && room(p, &p->stack, &p->stack_cap, p->depth + 1))
        p->stack[p->depth++] = v;
    return v;
}

static struct pickle_value *pop(struct pickle *p)
{
    if (!p->depth) {
        fail(p, "the stack is empty");
        return NULL;
    }
    return p->stack[--p->depth];
}

static bool append(struct pickle *p, struct pickle_value *to, struct pickle_value *v)
{
    if (!room(p, &to->items, &to->items_cap, to->items_n + 1))
        return false;
    to->items[to->items_n++] = v;
    return true;
}

static const unsigned char *take(struct pickle *p, size_t n)
{
    if (n > (size_t)(p->end - p->at)) {
        fail(p, "it ends too early");
        return NULL;
    }
    p->at += n;
    return p->at - n;
}

static uint64_t number(struct pickle *p, int bytes)
{
    const unsigned char *b = take(p, (size_t)bytes);
    uint64_t v = 0;
    while (b && bytes--)
        v = v << 8 | b[bytes];
    return v;
}

static void push_int(struct pickle *p, int64_t n)
{
    struct pickle_value *v = push(p, value(p, PICKLE_INT));
    if (v)
        v->number = n;
}

static void push_text(struct pickle *p, size_t n)
{
    const unsigned char *b = take(p, n);
    struct pickle_value *v = b ? push(p, value(p, PICKLE_STRING)) : NULL;
    if (v) {
        v->text = (const char *)b;
        v->text_n = n;
    }
}

/* Everything above the last mark; the mark goes. `first` is its index. */
static bool since_mark(struct pickle *p, size_t *first)
{
    size_t i = p->depth;
    while (i && p->stack[i - 1]->kind != PICKLE_MARK)
        i--;
    if (!i) {
        fail(p, "a mark is missing");
        return false;
    }
    *first = i;
    return true;
}

static void tuple(struct pickle *p, size_t first)
{
    struct pickle_value *t = value(p, PICKLE_LIST);
    for (size_t i = first; t && i < p->depth; i++)
        if (!append(p, t, p->stack[i]))
            return;
    p->depth = first;
    push(p, t);
}

static bool is(const char *text, size_t n, const char *word)
{
    return strlen(word) == n && !memcmp(text, word, n);
}

static void global(struct pickle *p, const char *module, size_t module_n, const char *name,
                   size_t name_n)
{
    for (size_t i = 0; i < sizeof globals / sizeof *globals; i++)
        if (is(module, module_n, globals[i].module) && is(name, name_n, globals[i].name)) {
            struct pickle_value *v = push(p, value(p, PICKLE_GLOBAL));
            if (v) {
                v->number = globals[i].what;
                v->type = globals[i].type;
            }
            return;
        }
    if (!p->err)
        p->err = fault_set(
            p->f, ERR_DENIED, "%s asks for %.*s.%.*s, which no checkpoint needs; refused", p->path,
            (int)(module_n < 80 ? module_n : 80), module, (int)(name_n < 80 ? name_n : 80), name);
}

static void global_line(struct pickle *p)
{
    const char *text[2];
    size_t n[2];
    for (int i = 0; i < 2; i++) {
        const unsigned char *nl = memchr(p->at, '\n', (size_t)(p->end - p->at));
        if (!nl) {
            fail(p, "it ends too early");
            return;
        }
        text[i] = (const char *)p->at;
        n[i] = (size_t)(nl - p->at);
        p->at = nl + 1;
    }
    global(p, text[0], n[0], text[1], n[1]);
}

static void global_stack(struct pickle *p)
{
    const struct pickle_value *name = pop(p), *module = name ? pop(p) : NULL;
    if (!module)
        return;
    if (name->kind != PICKLE_STRING || module->kind != PICKLE_STRING)
        fail(p, "a global without a name");
    else
        global(p, module->text, module->text_n, name->text, name->text_n);
}

/* ("storage", type, key, location, elements) */
static void persistent(struct pickle *p)
{
    const struct pickle_value *t = pop(p);
    if (!t)
        return;
    if (t->kind != PICKLE_LIST || t->items_n < 5 || t->items[0]->kind != PICKLE_STRING ||
        !is(t->items[0]->text, t->items[0]->text_n, "storage") ||
        t->items[1]->kind != PICKLE_GLOBAL || t->items[1]->number != CALL_STORAGE ||
        t->items[2]->kind != PICKLE_STRING || t->items[4]->kind != PICKLE_INT) {
        fail(p, "a storage of an unknown form");
        return;
    }
    struct pickle_value *v = push(p, value(p, PICKLE_STORAGE));
    if (v) {
        v->type = t->items[1]->type;
        v->text = t->items[2]->text;
        v->text_n = t->items[2]->text_n;
        v->number = t->items[4]->number;
    }
}

static void call(struct pickle *p)
{
    struct pickle_value *args = pop(p), *f = args ? pop(p) : NULL, *v;
    if (!f)
        return;
    if (f->kind != PICKLE_GLOBAL || args->kind != PICKLE_LIST) {
        fail(p, "a call of something that is no function");
        return;
    }
    struct pickle_value **a = args->items;
    switch ((enum callee)f->number) {
    case CALL_DICT:
        if (args->items_n)
            fail(p, "an OrderedDict with arguments");
        else
            push(p, value(p, PICKLE_DICT));
        return;
    case CALL_PARAMETER:
        if (args->items_n < 1 || a[0]->kind != PICKLE_TENSOR)
            fail(p, "a parameter that is no tensor");
        else
            push(p, a[0]);
        return;
    case CALL_TENSOR:
        if (args->items_n < 4 || a[0]->kind != PICKLE_STORAGE || a[1]->kind != PICKLE_INT ||
            a[2]->kind != PICKLE_LIST || a[3]->kind != PICKLE_LIST) {
            fail(p, "a tensor of an unknown form");
            return;
        }
        v = value(p, PICKLE_TENSOR);
        if (v && append(p, v, a[0]) && append(p, v, a[2]) && append(p, v, a[3])) {
            v->number = a[1]->number;
            push(p, v);
        }
        return;
    case CALL_STORAGE:
        break;
    }
    fail(p, "a call of a storage type");
}

static void put(struct pickle *p, uint64_t slot)
{
    if (!p->depth || slot >= MEMO_MAX) {
        fail(p, "a memo slot is out of bounds");
        return;
    }
    if (room(p, &p->memo, &p->memo_cap, (size_t)slot + 1)) {
        p->memo[slot] = p->stack[p->depth - 1];
        p->memo_n = p->memo_n > slot + 1 ? p->memo_n : (size_t)slot + 1;
    }
}

static void get(struct pickle *p, uint64_t slot)
{
    if (slot >= p->memo_n || !p->memo[slot])
        fail(p, "a memo slot is empty");
    else
        push(p, p->memo[slot]);
}

/* Moves what lies above `first` into the container below it. */
static void fill(struct pickle *p, size_t first, size_t under, enum pickle_kind kind)
{
    if (!under || p->stack[under - 1]->kind != kind ||
        (kind == PICKLE_DICT && (p->depth - first) % 2)) {
        fail(p, "items for something that holds none");
        return;
    }
    struct pickle_value *c = p->stack[under - 1];
    for (size_t i = first; i < p->depth; i++)
        if (!append(p, c, p->stack[i]))
            return;
    p->depth = under;
}

static void fill_marked(struct pickle *p, enum pickle_kind kind)
{
    size_t first;
    if (since_mark(p, &first))
        fill(p, first, first - 1, kind);
}

static void fill_top(struct pickle *p, size_t n, enum pickle_kind kind)
{
    if (p->depth < n + 1)
        fail(p, "the stack is empty");
    else
        fill(p, p->depth - n, p->depth - n, kind);
}

static int64_t long_number(struct pickle *p)
{
    size_t n = (size_t)number(p, 1);
    const unsigned char *b = take(p, n);
    if (!b || n > 8) {
        fail(p, "a number of more than 8 bytes");
        return 0;
    }
    uint64_t v = n && b[n - 1] & 0x80 ? ~0ull : 0;
    for (size_t i = n; i--;)
        v = v << 8 | b[i];
    return (int64_t)v;
}

static void push_float(struct pickle *p)
{
    const unsigned char *b = take(p, 8);
    struct pickle_value *v = b ? push(p, value(p, PICKLE_FLOAT)) : NULL;
    uint64_t bits = 0;
    for (int i = 0; b && i < 8; i++)
        bits = bits << 8 | b[i];
    if (v)
        memcpy(&v->real, &bits, sizeof v->real);
}

/* One opcode; false at STOP. */
static bool step(struct pickle *p)
{
    size_t first;
    unsigned op = (unsigned)number(p, 1);
    if (p->err)
        return false;
    switch (op) {
    case 0x80: /* PROTO */
        number(p, 1);
        break;
    case 0x95: /* FRAME */
        number(p, 8);
        break;
    case 'c':
        global_line(p);
        break;
    case 0x93: /* STACK_GLOBAL */
        global_stack(p);
        break;
    case ')':
    case ']':
        push(p, value(p, PICKLE_LIST));
        break;
    case '}':
        push(p, value(p, PICKLE_DICT));
        break;
    case '(':
        push(p, value(p, PICKLE_MARK));
        break;
    case 'N':
        push(p, value(p, PICKLE_NONE));
        break;
    case 0x88: /* NEWTRUE */
    case 0x89: /* NEWFALSE */
        push_int(p, op == 0x88);
        break;
    case 'J':
        push_int(p, (int32_t)number(p, 4));
        break;
    case 'K':
        push_int(p, (int64_t)number(p, 1));
        break;
    case 'M':
        push_int(p, (int64_t)number(p, 2));
        break;
    case 0x8a: /* LONG1 */
        push_int(p, long_number(p));
        break;
    case 'G':
        push_float(p);
        break;
    case 'X': /* BINUNICODE */
    case 'T': /* BINSTRING */
        push_text(p, (size_t)number(p, 4));
        break;
    case 0x8c: /* SHORT_BINUNICODE */
    case 'U':  /* SHORT_BINSTRING */
        push_text(p, (size_t)number(p, 1));
        break;
    case 't':
        if (since_mark(p, &first)) {
            tuple(p, first);
            if (!p->err && p->depth >= 2) { /* the mark lies under the tuple */
                p->stack[p->depth - 2] = p->stack[p->depth - 1];
                p->depth--;
            }
        }
        break;
    case 0x85:
    case 0x86:
    case 0x87: /* TUPLE1 … TUPLE3 */
        if (p->depth < op - 0x84)
            fail(p, "the stack is empty");
        else
            tuple(p, p->depth - (op - 0x84));
        break;
    case 'Q':
        persistent(p);
        break;
    case 'R':
        call(p);
        break;
    case 'q':
        put(p, number(p, 1));
        break;
    case 'r':
        put(p, number(p, 4));
        break;
    case 0x94: /* MEMOIZE */
        put(p, p->memo_n);
        break;
    case 'h':
        get(p, number(p, 1));
        break;
    case 'j':
        get(p, number(p, 4));
        break;
    case 's':
        fill_top(p, 2, PICKLE_DICT);
        break;
    case 'u':
        fill_marked(p, PICKLE_DICT);
        break;
    case 'a':
        fill_top(p, 1, PICKLE_LIST);
        break;
    case 'e':
        fill_marked(p, PICKLE_LIST);
        break;
    case 'b': /* BUILD: attributes of a module's dictionary, of no use here */
        pop(p);
        if (!p->depth)
            fail(p, "the stack is empty");
        break;
    case '0':
        pop(p);
        break;
    case '.':
        return false;
    default:
        if (!p->err)
            p->err = fault_set(p->f, ERR_DENIED,
                               "%s: the pickle opcode 0x%02x is not one that checkpoints use",
                               p->path, op);
    }
    return !p->err;
}

enum err pickle_read(const unsigned char *data, size_t n, const char *path, struct pickle **out,
                     const struct pickle_value **top, struct fault *f)
{
    struct pickle *p = calloc(1, sizeof *p);
    if (!p)
        return fault_set(f, ERR_NOMEM, "out of memory");
    p->at = data;
    p->end = data + n;
    p->path = path;
    p->f = f;
    while (step(p))
        ;
    if (!p->err && p->depth != 1)
        fail(p, "it leaves no single value");
    enum err e = p->err;
    if (e) {
        pickle_free(p);
        return e;
    }
    *top = p->stack[0];
    *out = p;
    return ERR_OK;
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
        if (k->kind == PICKLE_STRING && is(k->text, k->text_n, key))
            return dict->items[i + 1];
    }
    return NULL;
}
