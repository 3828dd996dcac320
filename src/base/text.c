#include "base/text.h"

#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unicode/ubrk.h>
#include <unicode/uchar.h>
#include <unicode/unorm2.h>
#include <unicode/ustring.h>
#include <unicode/utext.h>
#include <unicode/utf8.h>

bool text_valid(const char *s, size_t n)
{
    if (n > INT32_MAX)
        return false;
    for (int32_t i = 0; i < (int32_t)n;) {
        UChar32 c;
        U8_NEXT(s, i, (int32_t)n, c);
        if (c < 0)
            return false;
    }
    return true;
}

static bool is_blank(UChar32 c)
{
    return c == ' ' || (c >= 0x09 && c <= 0x0d) || c == 0x85 || c == 0x2028 || c == 0x2029 ||
           u_charType(c) == U_SPACE_SEPARATOR;
}

/* Joiner, variation selectors and tag characters draw emoji; they are kept only behind one. */
static bool joins_emoji(UChar32 c)
{
    return c == 0x200d || (c >= 0xfe00 && c <= 0xfe0f) || (c >= 0xe0020 && c <= 0xe007f);
}

static bool is_emoji(UChar32 c)
{
    return u_hasBinaryProperty(c, UCHAR_EXTENDED_PICTOGRAPHIC) ||
           u_hasBinaryProperty(c, UCHAR_EMOJI_MODIFIER) || c == 0x20e3 ||
           (c >= 0x1f1e6 && c <= 0x1f1ff) || (c < 0x80 && u_hasBinaryProperty(c, UCHAR_EMOJI));
}

static bool is_dropped(UChar32 c)
{
    if (c < 0x80)
        return c < 0x20 || c == 0x7f;
    switch (u_charType(c)) {
    case U_CONTROL_CHAR:
    case U_FORMAT_CHAR:
    case U_SURROGATE:
    case U_PRIVATE_USE_CHAR:
    case U_UNASSIGNED:
        return true;
    default:
        return u_hasBinaryProperty(c, UCHAR_DEFAULT_IGNORABLE_CODE_POINT);
    }
}

static bool add_code_point(struct buf *out, UChar32 c)
{
    char u8[4];
    int32_t n = 0;
    U8_APPEND_UNSAFE(u8, n, c);
    return buf_add(out, u8, (size_t)n);
}

/* Rewrites out->data[from..] in NFC when it is not already. */
static bool compose(struct buf *out, size_t from)
{
    UErrorCode ec = U_ZERO_ERROR;
    const UNormalizer2 *nfc = unorm2_getNFCInstance(&ec);
    int32_t n = 0;
    size_t len = out->len - from, room = len + 1;
    UChar *a = malloc(room * sizeof *a), *b = NULL;
    bool ok = a && !U_FAILURE(ec);
    if (ok) {
        u_strFromUTF8(a, (int32_t)room, &n, out->data + from, (int32_t)len, &ec);
        if (unorm2_quickCheck(nfc, a, n, &ec) == UNORM_YES || U_FAILURE(ec))
            goto out; /* composed already */
        int32_t cap = n * 3 + 1, m;
        b = malloc((size_t)cap * sizeof *b);
        ok = b != NULL;
        if (ok) {
            m = unorm2_normalize(nfc, a, n, b, cap, &ec);
            int32_t u8n = 0;
            out->len = from;
            char *to = buf_room(out, (size_t)m * 3);
            ok = to != NULL && !U_FAILURE(ec);
            if (ok) {
                u_strToUTF8(to, m * 3 + 1, &u8n, b, m, &ec);
                buf_grown(out, (size_t)u8n);
                ok = !U_FAILURE(ec);
            }
        }
    }
out:
    free(a);
    free(b);
    return ok;
}

bool text_clean(struct buf *out, const char *in, size_t n)
{
    size_t from = out->len;
    bool blank = false, plain = true;
    UChar32 before = 0;
    if (n > INT32_MAX)
        return false;
    for (int32_t i = 0; i < (int32_t)n;) {
        unsigned char byte = (unsigned char)in[i];
        if (byte > 0x20 && byte < 0x7f) { /* most of chat */
            if (blank && out->len > from && !buf_addc(out, ' '))
                return false;
            int32_t start = i;
            while (i < (int32_t)n && (unsigned char)in[i] > 0x20 && (unsigned char)in[i] < 0x7f)
                i++;
            if (!buf_add(out, in + start, (size_t)(i - start)))
                return false;
            before = (unsigned char)in[i - 1];
            blank = false;
            continue;
        }
        UChar32 c;
        U8_NEXT(in, i, (int32_t)n, c);
        if (c < 0)
            c = 0xfffd;
        if (is_blank(c)) {
            blank = true;
            continue;
        }
        if (joins_emoji(c) ? !is_emoji(before) && !joins_emoji(before) : is_dropped(c))
            continue;
        if (blank && out->len > from && !buf_addc(out, ' '))
            return false;
        blank = false;
        plain = false;
        before = c;
        if (!add_code_point(out, c))
            return false;
    }
    return plain || out->len == from || compose(out, from);
}

/* One cluster iterator a thread, closed when the thread ends. */
static pthread_key_t iter_key;
static pthread_once_t iter_once = PTHREAD_ONCE_INIT;

static void iter_close(void *p)
{
    ubrk_close(p);
}

static void iter_init(void)
{
    pthread_key_create(&iter_key, iter_close);
}

static UBreakIterator *clusters_of(UText *ut, const char *s)
{
    UErrorCode ec = U_ZERO_ERROR;
    pthread_once(&iter_once, iter_init);
    UBreakIterator *it = pthread_getspecific(iter_key);
    if (!it) {
        it = ubrk_open(UBRK_CHARACTER, "", NULL, 0, &ec);
        if (U_FAILURE(ec))
            return NULL;
        pthread_setspecific(iter_key, it);
    }
    utext_openUTF8(ut, s, -1, &ec);
    ubrk_setUText(it, ut, &ec);
    return U_FAILURE(ec) ? NULL : it;
}

static bool all_ascii(const char *s)
{
    for (; *s; s++)
        if ((unsigned char)*s >= 0x80)
            return false;
    return true;
}

size_t text_clusters(const char *s)
{
    if (all_ascii(s))
        return strlen(s);
    UText ut = UTEXT_INITIALIZER;
    UBreakIterator *it = clusters_of(&ut, s);
    size_t n = 0;
    if (it)
        while (ubrk_next(it) != UBRK_DONE)
            n++;
    utext_close(&ut);
    return n;
}

static int code_point_cells(UChar32 c)
{
    switch (u_charType(c)) {
    case U_NON_SPACING_MARK:
    case U_ENCLOSING_MARK:
    case U_FORMAT_CHAR:
    case U_CONTROL_CHAR:
        return 0;
    default:
        break;
    }
    if (c >= 0x1160 && c <= 0x11ff) /* Hangul vowels and finals join the syllable before */
        return 0;
    int wide = u_getIntPropertyValue(c, UCHAR_EAST_ASIAN_WIDTH);
    return wide == U_EA_WIDE || wide == U_EA_FULLWIDTH ? 2 : 1;
}

static int cluster_cells(const char *s, size_t n)
{
    int cells = 0;
    for (int32_t i = 0; i < (int32_t)n;) {
        UChar32 c;
        U8_NEXT(s, i, (int32_t)n, c);
        bool two = c == 0xfe0f || (c >= 0x1f1e6 && c <= 0x1f1ff); /* emoji style; flags */
        int w = two ? 2 : code_point_cells(c < 0 ? 0xfffd : c);
        if (w > cells)
            cells = w;
    }
    return cells;
}

size_t text_next(const char *s, int *cells)
{
    unsigned char c = (unsigned char)s[0], d = c ? (unsigned char)s[1] : 0;
    if (!c) {
        *cells = 0;
        return 0;
    }
    if (c < 0x80 && d < 0x80) {
        *cells = c >= 0x20 && c != 0x7f;
        return 1;
    }
    /* a bounded window keeps this linear over a long string */
    char win[65];
    size_t n = strnlen(s, sizeof win - 1);
    while (n && s[n] && ((unsigned char)s[n] & 0xc0) == 0x80)
        n--;
    memcpy(win, s, n);
    win[n] = '\0';
    UText ut = UTEXT_INITIALIZER;
    UBreakIterator *it = clusters_of(&ut, win);
    int32_t end = it ? ubrk_next(it) : UBRK_DONE;
    utext_close(&ut);
    size_t len = end == UBRK_DONE || end <= 0 ? 1 : (size_t)end;
    *cells = cluster_cells(s, len);
    return len;
}

int text_cells(const char *s)
{
    int sum = 0, w;
    for (size_t n; (n = text_next(s, &w)); s += n)
        sum += w;
    return sum;
}

bool text_fit(struct buf *out, const char *s, int cells)
{
    int used = 0, w;
    const char *at = s, *cut = s; /* `cut`: where it ends when "…" must follow */
    for (size_t n; (n = text_next(at, &w)); at += n) {
        if (used + w > cells)
            return cells <= 0 ? true : buf_add(out, s, (size_t)(cut - s)) && buf_adds(out, "…");
        used += w;
        if (used <= cells - 1)
            cut = at + n;
    }
    return buf_add(out, s, (size_t)(at - s));
}

bool text_fold(struct buf *out, const char *s)
{
    UErrorCode ec = U_ZERO_ERROR;
    const UNormalizer2 *nfkc = unorm2_getNFKCCasefoldInstance(&ec);
    size_t len = strlen(s), room = len + 1;
    if (U_FAILURE(ec) || len > 1 << 20)
        return false;
    int32_t n = 0, u8n = 0, cap = (int32_t)room * 18 + 1;
    UChar *a = malloc(room * sizeof *a), *b = malloc((size_t)cap * sizeof *b);
    bool ok = a && b;
    if (ok) {
        u_strFromUTF8WithSub(a, (int32_t)room, &n, s, (int32_t)len, 0xfffd, NULL, &ec);
        n = unorm2_normalize(nfkc, a, n, b, cap, &ec);
        char *to = U_FAILURE(ec) ? NULL : buf_room(out, (size_t)n * 3);
        ok = to != NULL;
        if (ok) {
            u_strToUTF8(to, n * 3 + 1, &u8n, b, n, &ec);
            buf_grown(out, (size_t)u8n);
        }
    }
    free(a);
    free(b);
    return ok;
}
