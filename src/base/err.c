#include "base/err.h"

#include <stdarg.h>
#include <stdio.h>

static const struct {
    const char *name, *text;
} errs[] = {
#define ERR_ROW(id, name, text) {name, text},
    ERR_MAP(ERR_ROW)
#undef ERR_ROW
};

const char *err_name(enum err code)
{
    return (unsigned)code < ERR_COUNT ? errs[code].name : "unknown";
}

const char *err_text(enum err code)
{
    return (unsigned)code < ERR_COUNT ? errs[code].text : "unknown error";
}

enum err fault_set(struct fault *f, enum err code, const char *fmt, ...)
{
    if (f) {
        va_list ap;
        va_start(ap, fmt);
        f->code = code;
        vsnprintf(f->text, sizeof f->text, fmt, ap);
        va_end(ap);
    }
    return code;
}

const char *fault_text(const struct fault *f)
{
    return f->text[0] ? f->text : err_text(f->code);
}
