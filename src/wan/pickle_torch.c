/* What a pickle may name and call: the dictionaries, tensors and storages of torch. These thirteen
 * names are all there are; any other ends the reading. */
#include "wan/pickle_inside.h"

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

void pickle_global(struct pickle *p, const char *module, size_t module_n, const char *name,
                   size_t name_n)
{
    for (size_t i = 0; i < sizeof globals / sizeof *globals; i++)
        if (pickle_is(module, module_n, globals[i].module) &&
            pickle_is(name, name_n, globals[i].name)) {
            struct pickle_value *v = pickle_push(p, pickle_make(p, PICKLE_GLOBAL));
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

/* ("storage", type, key, location, elements) */
void pickle_persistent(struct pickle *p)
{
    const struct pickle_value *t = pickle_pop(p);
    if (!t)
        return;
    if (t->kind != PICKLE_LIST || t->items_n < 5 || t->items[0]->kind != PICKLE_STRING ||
        !pickle_is(t->items[0]->text, t->items[0]->text_n, "storage") ||
        t->items[1]->kind != PICKLE_GLOBAL || t->items[1]->number != CALL_STORAGE ||
        t->items[2]->kind != PICKLE_STRING || t->items[4]->kind != PICKLE_INT) {
        pickle_fail(p, "a storage of an unknown form");
        return;
    }
    struct pickle_value *v = pickle_push(p, pickle_make(p, PICKLE_STORAGE));
    if (v) {
        v->type = t->items[1]->type;
        v->text = t->items[2]->text;
        v->text_n = t->items[2]->text_n;
        v->number = t->items[4]->number;
    }
}

void pickle_call(struct pickle *p)
{
    struct pickle_value *args = pickle_pop(p), *f = args ? pickle_pop(p) : NULL, *v;
    if (!f)
        return;
    if (f->kind != PICKLE_GLOBAL || args->kind != PICKLE_LIST) {
        pickle_fail(p, "a call of something that is no function");
        return;
    }
    struct pickle_value **a = args->items;
    switch ((enum callee)f->number) {
    case CALL_DICT:
        if (args->items_n)
            pickle_fail(p, "an OrderedDict with arguments");
        else
            pickle_push(p, pickle_make(p, PICKLE_DICT));
        return;
    case CALL_PARAMETER:
        if (args->items_n < 1 || a[0]->kind != PICKLE_TENSOR)
            pickle_fail(p, "a parameter that is no tensor");
        else
            pickle_push(p, a[0]);
        return;
    case CALL_TENSOR:
        if (args->items_n < 4 || a[0]->kind != PICKLE_STORAGE || a[1]->kind != PICKLE_INT ||
            a[2]->kind != PICKLE_LIST || a[3]->kind != PICKLE_LIST) {
            pickle_fail(p, "a tensor of an unknown form");
            return;
        }
        v = pickle_make(p, PICKLE_TENSOR);
        if (v && pickle_append(p, v, a[0]) && pickle_append(p, v, a[2]) &&
            pickle_append(p, v, a[3])) {
            v->number = a[1]->number;
            pickle_push(p, v);
        }
        return;
    case CALL_STORAGE:
        break;
    }
    pickle_fail(p, "a call of a storage type");
}
