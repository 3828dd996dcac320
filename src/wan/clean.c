/* Upstream's way of a prompt: ftfy.fix_text(), html.unescape() twice, and every run of white space
 * one blank, none at the ends. ftfy works on a line at a time, its steps in a fixed order, again
 * and again until the line stays as it is. */
#include "wan/clean.h"

#include "wan/clean_table.h"
#include "wan/html.h"
#include "wan/nfc.h"

#include <string.h>

#define ROUNDS_MAX 64 /* "&amp;amp;amp;…" takes one for each "amp;" */

/* A step that makes at most three characters of one: returns how many went to out[3]. */
typedef size_t step(uint32_t c, uint32_t *out);

static size_t c1_controls(uint32_t c, uint32_t *out)
{
    out[0] = cp1252(c);
    return 1;
}

static size_t ligatures(uint32_t c, uint32_t *out)
{
    static const struct {
        uint16_t from;
        char to[5];
    } table[] = {
        {0x132, "IJ"},         {0x133, "ij"},        {0x149, "\xca\xbcn"}, {0x1c7, "LJ"},
        {0x1c8, "Lj"},         {0x1c9, "lj"},        {0x1ca, "NJ"},        {0x1cb, "Nj"},
        {0x1cc, "nj"},         {0x1f1, "DZ"},        {0x1f2, "Dz"},        {0x1f3, "dz"},
        {0x1c4, "D\xc5\xbd"},  {0x1c5, "D\xc5\xbe"}, {0x1c6, "d\xc5\xbe"}, {0xfb00, "ff"},
        {0xfb01, "fi"},        {0xfb02, "fl"},       {0xfb03, "ffi"},      {0xfb04, "ffl"},
        {0xfb05, "\xc5\xbft"}, {0xfb06, "st"},
    };
    for (size_t i = 0; c >= 0x132 && i < sizeof table / sizeof *table; i++) {
        const char *s = table[i].to;
        size_t n = 0;
        if (table[i].from != c)
            continue;
        while (*s)
            s += utf8_read(s, strlen(s), &out[n++]);
        return n;
    }
    out[0] = c;
    return 1;
}

static size_t width(uint32_t c, uint32_t *out)
{
    out[0] = c == 0x3000 ? ' ' : c;
    int lo = 0, hi = c - 0xff01 < 0xef ? wide_forms_n : 0;
    while (lo < hi) {
        int mid = (lo + hi) / 2;
        if (wide_forms[mid].from == c) {
            out[0] = wide_forms[mid].to[0];
            out[1] = wide_forms[mid].to[1];
            return out[1] ? 2 : 1;
        }
        if (wide_forms[mid].from < c)
            lo = mid + 1;
        else
            hi = mid;
    }
    return 1;
}

static size_t quotes(uint32_t c, uint32_t *out)
{
    out[0] = c == 0x2bc || c - 0x2018 < 4 ? '\'' : c - 0x201c < 4 ? '"' : c;
    return 1;
}

static size_t controls(uint32_t c, uint32_t *out)
{
    out[0] = c;
    return !(c < 9 || c == 0xb || (c >= 0xe && c < 0x20) || c == 0x7f || c - 0x206a < 6 ||
             c == 0xfeff || c - 0xfff9 < 4);
}

static void each(struct runes *r, struct runes *spare, step *one)
{
    uint32_t out[3];
    spare->n = 0;
    for (size_t i = 0; i < r->n; i++) {
        size_t n = one(r->v[i], out);
        for (size_t k = 0; k < n; k++)
            runes_add(spare, out[k]);
    }
    runes_swap(r, spare);
    r->failed |= spare->failed;
}

static void line_breaks(struct runes *r)
{
    size_t out = 0;
    for (size_t i = 0; i < r->n; i++) {
        uint32_t c = r->v[i];
        if (c == '\r' && i + 1 < r->n && r->v[i + 1] == '\n')
            continue;
        r->v[out++] = c == '\r' || c == 0x2028 || c == 0x2029 || c == 0x85 ? '\n' : c;
    }
    r->n = out;
}

/* ESC [ digits and semicolons, letter */
static void terminal_escapes(struct runes *r)
{
    size_t out = 0;
    for (size_t i = 0; i < r->n; i++) {
        size_t end = i + 2;
        if (r->v[i] == 0x1b && i + 1 < r->n && r->v[i + 1] == '[') {
            while (end < r->n && (r->v[end] - '0' < 10 || r->v[end] == ';'))
                end++;
            if (end < r->n && r->v[end] < 128 && (r->v[end] | 32) - 'a' < 26) {
                i = end;
                continue;
            }
        }
        r->v[out++] = r->v[i];
    }
    r->n = out;
}

static bool fix_line(struct runes *line, bool html, struct runes *before, struct runes *spare)
{
    for (int round = 0; round < ROUNDS_MAX; round++) {
        runes_copy(before, line);
        if (html)
            html_strict(line);
        each(line, spare, c1_controls);
        each(line, spare, ligatures);
        each(line, spare, width);
        each(line, spare, quotes);
        line_breaks(line);
        terminal_escapes(line);
        each(line, spare, controls);
        nfc(line, spare);
        if (line->failed || runes_same(line, before))
            return true;
    }
    return false;
}

/* White_Space of Unicode, and what Python's strip() takes besides */
static bool is_space(uint32_t c)
{
    return (c >= 9 && c <= 0xd) || (c >= 0x1c && c <= 0x20) || c == 0x85 || c == 0xa0 ||
           c == 0x1680 || c - 0x2000 < 11 || c == 0x2028 || c == 0x2029 || c == 0x202f ||
           c == 0x205f || c == 0x3000;
}

static void write_spaced(const struct runes *r, struct buf *out)
{
    bool gap = false, begun = false;
    for (size_t i = 0; i < r->n; i++) {
        if (is_space(r->v[i])) {
            gap = begun;
            continue;
        }
        if (gap)
            buf_addc(out, ' ');
        gap = false;
        begun = true;
        utf8_add(out, r->v[i]);
    }
}

/* ftfy: HTML is left alone from the first line on that has a '<'. */
static bool fix_lines(const char *text, size_t n, struct runes *all)
{
    struct runes line = {0}, before = {0}, spare = {0};
    bool html = true, ok = true;
    for (size_t i = 0; i < n && ok;) {
        uint32_t c = 0;
        for (line.n = 0; i < n && c != '\n';) {
            size_t len = utf8_read(text + i, n - i, &c);
            if (!len)
                c = 0xfffd;
            i += len ? len : 1;
            html = html && c != '<';
            runes_add(&line, c);
        }
        ok = fix_line(&line, html, &before, &spare);
        for (size_t k = 0; k < line.n; k++)
            runes_add(all, line.v[k]);
        all->failed |= line.failed || before.failed;
    }
    runes_free(&line);
    runes_free(&before);
    runes_free(&spare);
    return ok;
}

enum err clean_prompt(const char *text, struct buf *out, struct fault *f)
{
    struct runes all = {0};
    enum err e = ERR_OK;
    size_t n = strlen(text);
    if (n > CLEAN_MAX)
        return fault_set(f, ERR_LIMIT, "a prompt of %zu bytes is too long (at most %zu)", n,
                         CLEAN_MAX);
    if (!fix_lines(text, n, &all)) {
        e = fault_set(f, ERR_LIMIT, "the prompt holds HTML inside HTML more than %d times",
                      ROUNDS_MAX);
    } else {
        html_loose(&all);
        html_loose(&all);
        write_spaced(&all, out);
        if (all.failed || out->failed)
            e = fault_set(f, ERR_NOMEM, "no memory for a prompt of %zu bytes", n);
    }
    runes_free(&all);
    return e;
}
