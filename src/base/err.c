#include "base/err.h"

#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

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

void err_whole_text(char *text)
{
    size_t n = strlen(text), tail = 0;
    while (tail < 4 && tail < n && ((unsigned char)text[n - 1 - tail] & 0xc0) == 0x80)
        tail++;
    if (tail == n)
        return;
    unsigned char lead = (unsigned char)text[n - 1 - tail];
    size_t want = lead >= 0xf0 ? 3 : lead >= 0xe0 ? 2 : lead >= 0xc0 ? 1 : 0;
    if (lead >= 0xc0 && tail < want)
        text[n - 1 - tail] = '\0';
}

/* Words that quote a file or a stranger go to terminals: no control character but ends of lines and
 * tabs, which a traceback has. */
static void make_printable(char *text)
{
    for (char *line = text; *line;) {
        size_t n = strcspn(line, "\n\t");
        char end = line[n];
        line[n] = '\0';
        str_printable(line);
        line[n] = end;
        line += n + (end != '\0');
    }
}

enum err fault_set(struct fault *f, enum err code, const char *fmt, ...)
{
    if (f) {
        va_list ap;
        va_start(ap, fmt);
        f->code = code;
        vsnprintf(f->text, sizeof f->text, fmt, ap);
        err_whole_text(f->text);
        make_printable(f->text);
        va_end(ap);
    }
    return code;
}

const char *fault_text(const struct fault *f)
{
    return f->text[0] ? f->text : err_text(f->code);
}
