/* The stack machine: one function an idea, one case an opcode. */
#include "wan/pickle_inside.h"

#include <stdlib.h>
#include <string.h>

#define MEMO_MAX ((size_t)1 << 22)

static const unsigned char *take(struct pickle *p, size_t n)
{
    if (n > (size_t)(p->end - p->at)) {
        pickle_fail(p, "it ends too early");
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
    struct pickle_value *v = pickle_push(p, pickle_make(p, PICKLE_INT));
    if (v)
        v->number = n;
}

static void push_text(struct pickle *p, size_t n)
{
    const unsigned char *b = take(p, n);
    struct pickle_value *v = b ? pickle_push(p, pickle_make(p, PICKLE_STRING)) : NULL;
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
        pickle_fail(p, "a mark is missing");
        return false;
    }
    *first = i;
    return true;
}

static void tuple(struct pickle *p, size_t first)
{
    struct pickle_value *t = pickle_make(p, PICKLE_LIST);
    for (size_t i = first; t && i < p->depth; i++)
        if (!pickle_append(p, t, p->stack[i]))
            return;
    p->depth = first;
    pickle_push(p, t);
}

static void global_line(struct pickle *p)
{
    const char *text[2];
    size_t n[2];
    for (int i = 0; i < 2; i++) {
        const unsigned char *nl = memchr(p->at, '\n', (size_t)(p->end - p->at));
        if (!nl) {
            pickle_fail(p, "it ends too early");
            return;
        }
        text[i] = (const char *)p->at;
        n[i] = (size_t)(nl - p->at);
        p->at = nl + 1;
    }
    pickle_global(p, text[0], n[0], text[1], n[1]);
}

static void global_stack(struct pickle *p)
{
    const struct pickle_value *name = pickle_pop(p), *module = name ? pickle_pop(p) : NULL;
    if (!module)
        return;
    if (name->kind != PICKLE_STRING || module->kind != PICKLE_STRING)
        pickle_fail(p, "a global without a name");
    else
        pickle_global(p, module->text, module->text_n, name->text, name->text_n);
}

static void put(struct pickle *p, uint64_t slot)
{
    if (!p->depth || slot >= MEMO_MAX) {
        pickle_fail(p, "a memo slot is out of bounds");
        return;
    }
    if (pickle_room(p, &p->memo, &p->memo_cap, (size_t)slot + 1)) {
        p->memo[slot] = p->stack[p->depth - 1];
        p->memo_n = p->memo_n > slot + 1 ? p->memo_n : (size_t)slot + 1;
    }
}

static void get(struct pickle *p, uint64_t slot)
{
    if (slot >= p->memo_n || !p->memo[slot])
        pickle_fail(p, "a memo slot is empty");
    else
        pickle_push(p, p->memo[slot]);
}

/* Moves what lies above `first` into the container below it. */
static void fill(struct pickle *p, size_t first, size_t under, enum pickle_kind kind)
{
    if (!under || p->stack[under - 1]->kind != kind ||
        (kind == PICKLE_DICT && (p->depth - first) % 2)) {
        pickle_fail(p, "items for something that holds none");
        return;
    }
    struct pickle_value *c = p->stack[under - 1];
    for (size_t i = first; i < p->depth; i++)
        if (!pickle_append(p, c, p->stack[i]))
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
        pickle_fail(p, "the stack is empty");
    else
        fill(p, p->depth - n, p->depth - n, kind);
}

static int64_t long_number(struct pickle *p)
{
    size_t n = (size_t)number(p, 1);
    const unsigned char *b = take(p, n);
    if (!b || n > 8) {
        pickle_fail(p, "a number of more than 8 bytes");
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
    struct pickle_value *v = b ? pickle_push(p, pickle_make(p, PICKLE_FLOAT)) : NULL;
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
        pickle_push(p, pickle_make(p, PICKLE_LIST));
        break;
    case '}':
        pickle_push(p, pickle_make(p, PICKLE_DICT));
        break;
    case '(':
        pickle_push(p, pickle_make(p, PICKLE_MARK));
        break;
    case 'N':
        pickle_push(p, pickle_make(p, PICKLE_NONE));
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
            pickle_fail(p, "the stack is empty");
        else
            tuple(p, p->depth - (op - 0x84));
        break;
    case 'Q':
        pickle_persistent(p);
        break;
    case 'R':
        pickle_call(p);
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
        pickle_pop(p);
        if (!p->depth)
            pickle_fail(p, "the stack is empty");
        break;
    case '0':
        pickle_pop(p);
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
        pickle_fail(p, "it leaves no single value");
    enum err e = p->err;
    if (e) {
        pickle_free(p);
        return e;
    }
    *top = p->stack[0];
    *out = p;
    return ERR_OK;
}
