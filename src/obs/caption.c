#include "obs/caption.h"

#include "base/text.h"

#include <string.h>

/* Bytes of the first line of `s`: a break at a blank leaves the blank to the next line. */
static size_t line_length(const char *s, int cells)
{
    size_t at = 0, blank = 0, n;
    int used = 0, one;
    while ((n = text_next(s + at, &one)) && used + one <= cells) {
        if (s[at] == ' ' && used * 2 >= cells)
            blank = at;
        used += one;
        at += n;
    }
    return n && s[at] != ' ' && blank ? blank : at;
}

bool caption_wrap(struct buf *out, const char *s, int cells, int lines)
{
    bool ok = true;
    for (int i = 0; i < lines && *s; i++) {
        s += strspn(s, " ");
        ok = ok && (i == 0 || buf_addc(out, '\n'));
        if (i == lines - 1)
            return text_fit(out, s, cells) && ok;
        size_t n = line_length(s, cells);
        if (n == 0) /* a cluster wider than the line */
            return ok;
        ok = buf_add(out, s, n) && ok;
        s += n;
    }
    return ok;
}
